//! Words that several report formats share: times, places, counts.

use std::fmt::Write as _;

use crate::finding::{BaselineState, Report, Suppression, SuppressionKind, SuppressionStatus, Target, Validity};
use crate::place::{Commit, Part, Place};
use crate::rule::Severity;
use crate::source::Excluded;

/// `seconds` since 1970 (UTC) as RFC 3339, `2026-11-21T23:12:09Z`; `None` outside of the years 1 to 9999, which RFC 3339
/// can't write.
pub(crate) fn timestamp(seconds: i64) -> Option<String> {
    let text = jiff::Timestamp::from_second(seconds).ok()?.to_string();
    (text.len() == "0001-01-01T00:00:00Z".len()).then_some(text)
}

/// The day of [`timestamp`], `2026-11-21`.
pub(crate) fn day(seconds: i64) -> Option<String> {
    timestamp(seconds).map(|text| text[..10].to_owned())
}

/// The first 12 hex digits of a commit id: enough to be unique in any repository we know of.
pub(crate) fn short(commit: &Commit) -> &str {
    commit.id.get(..12).unwrap_or(&commit.id)
}

/// Where a place is, in words and as raw bytes, not escaped: `src/a.rs`, `lib.jar!/META-INF/x`,
/// `message of commit 0123456789ab`, `path name src/a.rs`.
pub(crate) fn place(place: &Place) -> Vec<u8> {
    let provenance = &place.provenance;
    let commit = place.first.as_deref().map(short);
    let reference = place.reference.as_deref();
    let mut out = match (provenance.part, commit) {
        (Part::CommitMessage, Some(commit)) => return format!("message of commit {commit}").into_bytes(),
        (Part::CommitIdentity, Some(commit)) => return format!("author of commit {commit}").into_bytes(),
        (Part::Tag, _) => return [b"tag ", reference.unwrap_or(&provenance.path)].concat(),
        (Part::RefName, _) => return [b"name of ref ", reference.unwrap_or(&provenance.path)].concat(),
        (Part::Note, _) => [b"note ", reference.unwrap_or_default(), b" "].concat(),
        (Part::Content, _) if provenance.path.is_empty() && provenance.members.is_empty() => {
            return b"standard input".to_vec();
        }
        (Part::Content, _) => Vec::new(),
        (part, _) if provenance.path.is_empty() => return part.word().into(),
        (part, _) => format!("{} ", part.word()).into_bytes(),
    };
    out.extend_from_slice(&provenance.path);
    for member in &provenance.members {
        out.extend_from_slice(b"!/");
        out.extend_from_slice(member);
    }
    out
}

/// What a secret opens, in words, not escaped: `Azure SQL database 'shop' on 'srv.database.windows.net' as 'app'`. `None`
/// where no more than the kind is known.
pub(crate) fn opens(target: &Target) -> Option<String> {
    let quoted = |text: &str| format!("'{text}'");
    let told = [&target.resource, &target.host, &target.user, &target.account, &target.database];
    if told.iter().all(|field| field.is_none()) {
        return None;
    }
    let noun = match target.kind.as_str() {
        "sql" => "a database",
        "database" => "a database",
        "storage" if target.cloud.as_deref() == Some("azure") => "Azure Storage account",
        "storage" => "storage",
        "identity" => match target.cloud.as_deref() {
            Some("aws") => "an AWS identity",
            Some("azure") => "an Entra application",
            Some("gcp") => "a Google Cloud identity",
            _ => "an account",
        },
        "messaging" => "a message broker",
        "container-registry" | "package-registry" => "a registry",
        "vm" => "a machine",
        "certificate" => "what the certificate is for:",
        "" | "unknown" => "something",
        other => other,
    };
    let mut text = target.service.as_deref().unwrap_or(noun).to_owned();
    text.extend(target.database.as_deref().map(|name| format!(" {}", quoted(name))));
    let (resource, host) = (target.resource.as_deref(), target.host.as_deref());
    if let Some(resource) = resource.filter(|resource| host != Some(resource)) {
        text.push_str(&format!(" {}", quoted(resource)));
    }
    if let Some(host) = host {
        let port = target.port.as_deref().map(|port| format!(":{port}")).unwrap_or_default();
        text.push_str(&format!(" on {}", quoted(&format!("{host}{port}"))));
    }
    text.extend(target.user.as_deref().map(|user| format!(" as {}", quoted(user))));
    if let Some(account) = target.account.as_deref().filter(|account| target.user.as_deref() != Some(account)) {
        let word =
            if target.kind == "identity" && target.cloud.as_deref() == Some("azure") { "tenant" } else { "account" };
        text.push_str(&format!(" in {word} {}", quoted(account)));
    }
    text.extend(target.region.as_deref().map(|region| format!(" ({region})")));
    Some(text)
}

/// What the offline check said; `None` where there was none.
pub(crate) fn checked(validity: Validity) -> Option<&'static str> {
    match validity {
        Validity::NotChecked => None,
        Validity::Expired => Some("expired"),
        Validity::FormatProven => Some("format proven"),
        Validity::FormatFailed => Some("format check failed"),
    }
}

/// What a suppression does, and why it doesn't where it does nothing.
pub(crate) fn standing(suppression: &Suppression) -> &'static str {
    match (suppression.status, suppression.kind) {
        (SuppressionStatus::Accepted, _) => "suppressed",
        (SuppressionStatus::UnderReview, _) => {
            "the change itself asks to suppress this; it counts until that is merged"
        }
        (SuppressionStatus::Rejected, SuppressionKind::InSource) => {
            "the marker on its line is older than this secret and doesn't excuse it (if it should, change its reason)"
        }
        (SuppressionStatus::Rejected, SuppressionKind::External) => "a suppression of this has ended",
    }
}

/// What a run amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Something was not read.
    Incomplete,
    /// There was nothing to read.
    Nothing,
    /// Findings that count.
    Findings,
    /// None, and all was read.
    Clean,
}

/// What a run amounts to, in one line that never says clean when something is unread or nothing was scanned.
pub(crate) fn closing(report: &Report) -> (Outcome, String) {
    let scans = &report.scans;
    let contents: u64 = scans.iter().map(|scan| scan.contents).sum();
    let bytes: u64 = scans.iter().map(|scan| scan.bytes).sum();
    let unread: usize = scans.iter().map(|scan| scan.unread.len()).sum();
    let suppressed = scans.iter().map(|scan| scan.findings.len()).sum::<usize>() - report.open_findings();
    let known: u64 = scans.iter().map(|scan| scan.known_clean).sum();
    let scanned = match contents {
        0 => format!("only names and messages scanned, {}", size(bytes)),
        n => format!("{} scanned, {}", count(n, "content", "contents"), size(bytes)),
    };
    let scanned = match known {
        0 => scanned,
        n => format!("{scanned}; {} known from earlier scans", count(n, "content", "contents")),
    };
    let found = match report.open_findings() as u64 {
        0 => "no findings".to_owned(),
        n => format!("{} ({})", count(n, "finding", "findings"), by_severity(report)),
    };
    let findings = scans.iter().flat_map(|scan| &scan.findings);
    let known_before = findings.filter(|found| !found.is_open() && found.baseline == Some(BaselineState::Unchanged));
    let found = match (suppressed as u64, known_before.count() as u64) {
        (0, _) => found,
        (n, 0) => format!("{found}, {} suppressed", grouped(n)),
        (n, known) => format!("{found}, {} suppressed ({} in the baseline)", grouped(n), grouped(known)),
    };
    if report.is_incomplete() {
        let unread = count(unread as u64, "thing", "things");
        return (Outcome::Incomplete, format!("incomplete: {unread} not read; {found} so far; {scanned}"));
    }
    if bytes == 0 && known == 0 && report.open_findings() == 0 {
        let text = "nothing scanned: there was nothing to read in what was asked for";
        return (Outcome::Nothing, text.to_owned());
    }
    if report.open_findings() > 0 {
        return (Outcome::Findings, format!("{found}; {scanned}"));
    }
    (Outcome::Clean, format!("clean: {found}; {scanned}"))
}

/// `1 critical, 3 high`.
fn by_severity(report: &Report) -> String {
    let mut parts = Vec::new();
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        let findings = report.scans.iter().flat_map(|scan| &scan.findings);
        let n = findings.filter(|found| found.is_open() && found.severity == severity).count();
        if n > 0 {
            parts.push(format!("{} {}", grouped(n as u64), severity.word()));
        }
    }
    parts.join(", ")
}

/// What policy left out, a line for each reason. Test directories and the files in them share one.
pub(crate) fn excluded(excluded: &[(Excluded, u64)]) -> Vec<String> {
    let of = |wanted| excluded.iter().filter(|(why, _)| *why == wanted).map(|&(_, n)| n).sum::<u64>();
    let mut lines = Vec::new();
    let directories = count(of(Excluded::TestDirectory), "test directory", "test directories");
    let files = count(of(Excluded::TestFile), "file", "files");
    match (of(Excluded::TestFile), of(Excluded::TestDirectory)) {
        (0, 0) => {}
        (0, _) => lines.push(format!("{directories} not scanned (--include-tests)")),
        (_, 0) => lines.push(format!("{files} in test directories not scanned (--include-tests)")),
        (_, _) => lines.push(format!("{files} in {directories} not scanned (--include-tests)")),
    }
    for &(why, n) in excluded.iter().filter(|&&(_, n)| n > 0) {
        lines.push(match why {
            Excluded::TestDirectory | Excluded::TestFile => continue,
            Excluded::ExcludeGlob => format!("{} left out by exclude settings", count(n, "path", "paths")),
            Excluded::Allowlist => {
                format!("{} left out by allowlists of rule files", count(n, "place", "places"))
            }
            Excluded::UserLimit => format!("{} over a limit you set", count(n, "file", "files")),
            Excluded::Gitignored => format!("{} ignored by git (--gitignore)", count(n, "path", "paths")),
            Excluded::LowConfidence => {
                format!("{} under the confidence threshold (--confidence low)", count(n, "finding", "findings"))
            }
            Excluded::AcceptedUnread => {
                format!("{} accepted as unread by the configuration", count(n, "thing", "things"))
            }
        });
    }
    lines
}

/// `1 file`, `2 files`, `12,345 files`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `n` with a comma between groups of three digits.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `bytes` as a person says it: `812 bytes`, `1.5 MB` (powers of 1000).
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return count(bytes, "byte", "bytes");
    }
    // Tenths of the unit, rounded down: no floating point, so the same digits everywhere.
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let mut out = String::new();
    let _infallible = write!(out, "{}.{} {}", grouped(tenths / 10), tenths % 10, UNITS[unit]);
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::place::{Provenance, State};

    #[test]
    fn times_are_rfc_3339_or_nothing() {
        assert_eq!(timestamp(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(timestamp(1_700_000_000).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(day(1_700_000_000).as_deref(), Some("2023-11-14"));
        for seconds in [i64::MIN, -62_167_219_201, 253_402_300_800, i64::MAX] {
            assert_eq!(timestamp(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn targets_read_well() {
        let some = |text: &str| Some(text.to_owned());
        let sql = Target {
            kind: "sql".into(),
            service: some("Azure SQL database"),
            resource: some("srv.database.windows.net"),
            host: some("srv.database.windows.net"),
            database: some("shop"),
            user: some("app"),
            ..Target::default()
        };
        let key = Target {
            kind: "identity".into(),
            cloud: some("aws"),
            account: some("123456789012"),
            region: some("eu-west-1"),
            ..Target::default()
        };
        let app = Target {
            kind: "identity".into(),
            cloud: some("azure"),
            resource: some("c"),
            account: some("t"),
            ..Target::default()
        };
        let storage = Target {
            kind: "storage".into(),
            service: some("Azure Storage account"),
            resource: some("acct"),
            host: some("acct.blob.core.windows.net"),
            ..Target::default()
        };
        for (target, expected) in [
            (sql, Some("Azure SQL database 'shop' on 'srv.database.windows.net' as 'app'")),
            (key, Some("an AWS identity in account '123456789012' (eu-west-1)")),
            (app, Some("an Entra application 'c' in tenant 't'")),
            (storage, Some("Azure Storage account 'acct' on 'acct.blob.core.windows.net'")),
            (Target { kind: "sql".into(), ..Target::default() }, None),
        ] {
            assert_eq!(opens(&target).as_deref(), expected);
        }
    }

    #[test]
    fn counts_and_sizes_read_well() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
        assert_eq!(count(1_234_567, "file", "files"), "1,234,567 files");
        let sizes = [(999, "999 bytes"), (1000, "1.0 kB"), (999_999, "999.9 kB"), (1_550_000, "1.5 MB")];
        for (bytes, expected) in sizes {
            assert_eq!(size(bytes), expected);
        }
        assert_eq!(size(u64::MAX), "18,446.7 PB");
    }

    #[test]
    fn places_name_what_a_person_can_open() {
        let commit = Arc::new(Commit { id: "0123456789abcdef".into(), author_time: 0, committer_time: 0, order: 0 });
        let cases: [(Part, Option<&str>, &[&str], &str); 8] = [
            (Part::Content, None, &[], "a/b"),
            (Part::Content, None, &["x.zip", "in"], "a/b!/x.zip!/in"),
            (Part::LinkTarget, None, &[], "link target a/b"),
            (Part::PathName, None, &[], "path name a/b"),
            (Part::CommitMessage, None, &[], "message of commit 0123456789ab"),
            (Part::CommitIdentity, None, &[], "author of commit 0123456789ab"),
            (Part::Tag, Some("refs/tags/v1"), &[], "tag refs/tags/v1"),
            (Part::Note, Some("refs/notes/x"), &[], "note refs/notes/x a/b"),
        ];
        for (part, reference, members, expected) in cases {
            let provenance = Provenance {
                path: b"a/b".to_vec(),
                members: members.iter().map(|member| member.as_bytes().to_vec()).collect(),
                part,
                file: None,
            };
            let reference = reference.map(|name| name.as_bytes().to_vec());
            let seen = Place { provenance, state: State::Tip, first: Some(commit.clone()), last: None, reference };
            assert_eq!(String::from_utf8_lossy(&place(&seen)), expected);
        }
        for (part, expected) in [(Part::Content, "standard input"), (Part::CommitMessage, "commit message")] {
            let provenance = Provenance { part, ..Provenance::default() };
            let seen = Place { provenance, state: State::Index, first: None, last: None, reference: None };
            assert_eq!(String::from_utf8_lossy(&place(&seen)), expected);
        }
    }

    #[test]
    fn test_directories_share_one_line_with_their_files() {
        let cases: [(&[(Excluded, u64)], &str); 4] = [
            (
                &[(Excluded::TestDirectory, 2), (Excluded::TestFile, 1_000)],
                "1,000 files in 2 test directories not scanned (--include-tests)",
            ),
            (
                &[(Excluded::TestDirectory, 1), (Excluded::TestFile, 1)],
                "1 file in 1 test directory not scanned (--include-tests)",
            ),
            (&[(Excluded::TestDirectory, 3)], "3 test directories not scanned (--include-tests)"),
            (&[(Excluded::TestFile, 3)], "3 files in test directories not scanned (--include-tests)"),
        ];
        for (counts, expected) in cases {
            assert_eq!(excluded(counts), [expected]);
        }
        assert_eq!(excluded(&[(Excluded::TestFile, 0), (Excluded::UserLimit, 0)]), [""; 0]);
    }
}

//! A report put together by hand, with something of everything a report can hold, hostile names included. Secrets in it
//! are made here and now and open nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use keytrail::enrich::recommend;
use keytrail::enrich::remedy::Remedy;
use keytrail::finding::{
    Companion, Facts, Finding, Report, ScanReport, Sighting, Suppression, SuppressionKind, SuppressionStatus, Target,
    Validity,
};
use keytrail::location::{Position, Region};
use keytrail::observe::Observation;
use keytrail::place::{Commit, FileFacts, Part, Place, Provenance, State};
use keytrail::platform::{Machine, Platform};
use keytrail::rule::{Confidence, Matcher, Rule, Severity};
use keytrail::secret::{REDACTED, Secret};
use keytrail::source::{Excluded, Listed, RepositoryFacts, RootFacts, Unread, UnreadKind};

/// The secret of the first finding: it may stand in no output unless secrets are shown.
pub(crate) const SECRET: &str = concat!("correct-horse-", "battery-staple-0001");

/// The secret of the second finding: no UTF-8.
pub(crate) const BINARY_SECRET: &[u8] = b"\xff\xfebinary-secret-0002";

/// A path that tries to be a logging command, to colour the terminal and to reorder the text.
pub(crate) const HOSTILE: &[u8] =
    b"a\n##vso[task.setvariable variable=x]y\n::stop-commands::z\x1b[31m\xe2\x80\xaeevil \xff.env";

static REMEDY: Remedy = Remedy {
    key: Cow::Borrowed("sample"),
    title: Cow::Borrowed("Replace the token"),
    steps: Cow::Borrowed(&[
        Cow::Borrowed("Revoke the token in the settings of its account."),
        Cow::Borrowed("Issue a new one and keep it in a vault."),
    ]),
    end_state: Cow::Borrowed("Use workload identity, so that no token is stored at all."),
};

/// A rule with everything a report reads.
pub(crate) fn rule(id: &'static str, name: &'static str, severity: Severity, cwe: u32) -> Arc<Rule> {
    Arc::new(Rule {
        id: id.into(),
        name: name.into(),
        provider: "sample".into(),
        description: "A token that opens everything. It is made for tests.".into(),
        source: "https://docs.github.com/en/authentication".into(),
        keywords: Cow::Borrowed(&[]),
        matcher: Matcher::Code { name: "sample".into() },
        anchors: Default::default(),
        structure: "".into(),
        structure_always: false,
        public_prefix: "corr".into(),
        random_bits: 178,
        severity,
        confidence: Confidence::High,
        target: "code-host".into(),
        cloud: "".into(),
        family: "key".into(),
        cwe,
        filters: Cow::Borrowed(&[]),
        entropy: 0.0,
        types: Cow::Borrowed(&[]),
        specificity: 100,
        remediation: "sample".into(),
        terms: None,
    })
}

/// A commit named by one repeated hex digit.
pub(crate) fn commit(digit: char, time: i64) -> Arc<Commit> {
    Arc::new(Commit {
        id: std::iter::repeat_n(digit, 40).collect(),
        author_time: time,
        committer_time: time + 60,
        order: 0,
    })
}

/// A region on one line.
pub(crate) fn region(line: u64, column: u64, end: u64) -> Region {
    Region { start: Position { line, column }, end: Position { line, column: end } }
}

/// A place of a file in a repository.
pub(crate) fn seen(path: &[u8], state: State, region: Region) -> Sighting {
    Sighting {
        place: Place {
            provenance: Provenance { path: path.to_vec(), ..Provenance::default() },
            state,
            first: Some(commit('a', 1_700_000_000)),
            last: Some(commit('b', 1_710_000_000)),
            reference: None,
        },
        region,
        excerpt: format!("token = \"{REDACTED}\""),
        line_hash: Some("c129715d7a2bc9a3:1".into()),
        line_hash_raw: Some("54703d4cd895b18:1".into()),
        object: Some("c".repeat(40)),
        occurrences: 1,
        more: Vec::new(),
        versions: 1,
        name: Some("token".into()),
        view: None,
        target: Target { kind: "code-host".into(), ..Target::default() },
        companions: vec![],
    }
}

/// A finding at `places`.
pub(crate) fn finding(rule: &Arc<Rule>, fingerprint: &str, places: Vec<Sighting>) -> Finding {
    Finding {
        rule: Arc::clone(rule),
        also: vec![],
        fingerprint: fingerprint.into(),
        secret: Secret::new(SECRET.as_bytes()),
        preview: "corr…".into(),
        severity: rule.severity,
        confidence: 95,
        reasons: vec![],
        steps: vec![],
        validity: Validity::NotChecked,
        facts: Facts::default(),
        target: Target { kind: "code-host".into(), ..Target::default() },
        companions: vec![],
        places,
        earlier: vec![],
        recommendation: None,
        remedy: Cow::Borrowed(&REMEDY),
        suppressions: vec![],
        baseline: None,
    }
}

/// A place that is no file: a part of a commit or a ref.
fn part(part: Part, path: &[u8], reference: Option<&[u8]>) -> Sighting {
    let mut seen = seen(path, State::HistoryOnly, region(1, 7, 12));
    seen.place.provenance.part = part;
    seen.place.last = seen.place.first.clone();
    seen.place.reference = reference.map(<[u8]>::to_vec);
    seen.excerpt = String::new();
    seen.line_hash = None;
    seen.line_hash_raw = None;
    seen.name = None;
    seen
}

/// A repository's history: tips, old versions, messages, refs, hostile names, suppressions, things unread.
pub(crate) fn history() -> ScanReport {
    let (pat, key) = (
        rule("sample-pat", "Sample access token", Severity::High, 798),
        rule("sample-key", "Sample private key", Severity::Critical, 321),
    );
    let mut first = finding(
        &pat,
        "v1:00000000000000000000000000000001",
        vec![
            seen("src/dir with space/ü.rs".as_bytes(), State::DefaultTip, region(3, 10, 43)),
            seen(HOSTILE, State::Tip, region(1, 1, 34)),
            part(Part::CommitMessage, b"", None),
            part(Part::CommitIdentity, b"", None),
            part(Part::Tag, b"", Some(b"refs/tags/v1")),
            part(Part::Note, b"ab/cd", Some(b"refs/notes/commits")),
            part(Part::RefName, b"", Some(format!("refs/heads/{REDACTED}").as_bytes())),
            part(Part::PathName, format!("dir {REDACTED}/f").as_bytes(), None),
            part(Part::LinkTarget, b"link", None),
        ],
    );
    first.recommendation = Some(recommend::for_platform(Platform::GitHub));
    first.also = vec!["sample-generic".into()];
    first.reasons = vec!["The file looks like documentation.".into()];
    first.facts.expires = Some(1_800_000_000);
    first.facts.named = BTreeMap::from([("account".into(), "acme".to_owned())]);
    first.target = Target {
        kind: "code-host".into(),
        cloud: Some("azure".into()),
        service: Some("Sample service".into()),
        resource: Some("acme.example".into()),
        host: Some("acme.example".into()),
        port: Some("443".into()),
        database: Some("shop](x)".into()),
        user: Some("app\u{1b}[31m".into()),
        account: Some("acme".into()),
        region: Some("westeurope".into()),
    };
    first.companions = vec![
        Companion { word: "host".into(), value: "acme.example".into(), rule: None },
        Companion {
            word: "key_id".into(), value: "AKIA… (16–23 characters)".into(), rule: Some("sample-id".into())
        },
    ];
    first.validity = Validity::FormatProven;
    let mut second = finding(&key, "v1k:0a1b2c3d:00000000000000000000000000000002", vec![]);
    second.secret = Secret::new(BINARY_SECRET);
    second.recommendation = first.recommendation;
    let mut member = seen(
        b"lib/outer!.zip",
        State::HistoryOnly,
        Region { start: Position { line: 2, column: 1 }, end: Position { line: 9, column: 30 } },
    );
    member.place.provenance.members = vec![b"inner dir/a.jar".to_vec(), b"META-INF/key.pem".to_vec()];
    member.view = Some("utf-16le".into());
    second.places = vec![member];
    second.earlier = vec![seen(b"old/key.pem", State::HistoryOnly, region(1, 5, 9))];
    second.suppressions = vec![Suppression {
        kind: SuppressionKind::External,
        status: SuppressionStatus::Accepted,
        reason: "Revoked in 2024.".into(),
        until: Some("2099-12-31".into()),
    }];
    let mut third = finding(
        &rule("sample-generic", "Assigned secret", Severity::Medium, 259),
        "v1p:00000000000000000000000000000003",
        vec![seen(b"conf/app.yml", State::HistoryOnly, region(40, 11, 20))],
    );
    third.confidence = 55;
    third.suppressions = vec![Suppression {
        kind: SuppressionKind::InSource,
        status: SuppressionStatus::UnderReview,
        reason: "Only for the demo".into(),
        until: None,
    }];
    ScanReport {
        root: RootFacts {
            kind: "history",
            spelled: ".".into(),
            name: "acme/app".into(),
            repository: Some(RepositoryFacts {
                remote: Some("https://github.com/acme/app.git".into()),
                platform: Some(Platform::GitHub),
                head: Some("b".repeat(40)),
                branch: Some("main".into()),
                range: None,
                refs: 5,
                commits: 12_345,
                alternates: vec![],
            }),
            machine: None,
        },
        findings: vec![second, first, third],
        unread: vec![
            Unread::new(
                UnreadKind::Missing,
                "d".repeat(40),
                "named by a tree, not in the object store; `git fetch` it",
            )
            .object("d".repeat(40)),
            Unread::new(UnreadKind::Permission, HOSTILE, "permission denied; run as its owner"),
        ],
        excluded: vec![(Excluded::TestDirectory, 3), (Excluded::TestFile, 1_204), (Excluded::LowConfidence, 7)],
        listed: vec![Listed { path: b"vendor/sub".to_vec(), what: "submodule".into() }],
        observations: vec![Observation {
            kind: "hook".into(),
            path: b".pre-commit-config.yaml".to_vec(),
            values: vec![("tool".into(), "keytrail".into())],
        }],
        notes: vec!["two refs name the same stash ::warning::x".into()],
        dropped: vec![],
        contents: 4_321,
        known_clean: 1_234,
        bytes: 12_345_678,
        platform: Some(Platform::GitHub),
        ..ScanReport::default()
    }
}

/// A machine's disk.
pub(crate) fn image() -> ScanReport {
    let key = rule("sample-key", "Sample private key", Severity::Critical, 321);
    let mut seen = seen(
        b"home/me/.ssh/id_rsa",
        State::Present,
        Region { start: Position { line: 1, column: 1 }, end: Position { line: 27, column: 34 } },
    );
    seen.place.first = None;
    seen.place.last = None;
    seen.place.provenance.file = Some(FileFacts {
        size: 1_679,
        mode: 0o100_600,
        uid: Some(1000),
        modified: Some(1_650_000_000),
        accessed: Some(1_720_000_000),
    });
    let mut found = finding(&key, "v1:00000000000000000000000000000004", vec![seen]);
    found.target.kind = "vm".into();
    found.facts.named =
        BTreeMap::from([("encrypted".into(), "no".to_owned()), ("key-kind".into(), "ssh-rsa".to_owned())]);
    found.recommendation = Some(recommend::for_platform(Platform::Azure));
    ScanReport {
        root: RootFacts {
            kind: "image",
            spelled: "disk".into(),
            name: "disk".into(),
            repository: None,
            machine: Some(Machine {
                hostname: Some("web-01".into()),
                machine_id: None,
                instance_id: None,
                os: Some("Debian GNU/Linux 12".into()),
                platform: Some(Platform::Azure),
                evidence: vec!["etc/waagent.conf".into()],
            }),
        },
        findings: vec![found],
        contents: 10,
        bytes: 4_096,
        platform: Some(Platform::Azure),
        ..ScanReport::default()
    }
}

/// A folder in which nothing was found.
pub(crate) fn clean() -> ScanReport {
    ScanReport {
        root: RootFacts { kind: "files", spelled: "docs".into(), name: "docs".into(), ..RootFacts::default() },
        contents: 3,
        bytes: 900,
        ..ScanReport::default()
    }
}

/// A report over `scans`.
pub(crate) fn report(scans: Vec<ScanReport>) -> Report {
    let settled = |scan| ScanReport { active_rules: 3, settings_from: "built-in defaults".into(), ..scan };
    Report { scans: scans.into_iter().map(settled).collect() }
}

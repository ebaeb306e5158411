//! GitLab's secret detection report: what a job hands over as `artifacts:reports:secret_detection`.
//!
//! In: a report. Out: one vulnerability for each open finding, at its first place, with the others in its details; what
//! was not read and how much is suppressed are messages of the scan. The secret itself is in no field:
//! `raw_source_code_extract`, which GitLab's own analyser fills with it, is left out.
//!
//! Source: GitLab's security report schemas, version 15.2.1, secret detection (in GitLab's repository under
//! `lib/gitlab/ci/parsers/security/validators/schemas`), read 2026-11. Descriptions are GitLab Flavored Markdown, so
//! scanned data stands in code spans there.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::finding::{Finding, Report, Sighting};
use crate::place::Part;
use crate::report::escape::{Guarded, display, terminal};
use crate::report::importance::{Ranked, ranked};
use crate::report::markdown::code;
use crate::report::wording::{count, opens, place, timestamp};
use crate::report::{Format, Style};
use crate::rule::Severity;

/// The version of the schema.
const SCHEMA: &str = "15.2.1";

/// Stands for a commit where there is none, as GitLab's own analyser writes it.
const NO_COMMIT: &str = "0000000";

/// Longest name, characters (the schema's `maxLength`).
const LONGEST_NAME: usize = 255;

/// Messages about what was not read, and further places of a finding, that are listed.
const MOST: usize = 100;

/// The GitLab format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GitLab;

impl Format for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let (start, end) = style.times.unwrap_or_default();
        let tool = json!({
            "id": env!("CARGO_PKG_NAME"),
            "name": env!("CARGO_PKG_NAME"),
            "url": env!("CARGO_PKG_HOMEPAGE"),
            "vendor": { "name": env!("CARGO_PKG_NAME") },
            "version": env!("CARGO_PKG_VERSION"),
        });
        let log = json!({
            "version": SCHEMA,
            "scan": {
                "analyzer": tool,
                "scanner": tool,
                "type": "secret_detection",
                "start_time": time(start),
                "end_time": time(end),
                "status": if report.is_incomplete() { "failure" } else { "success" },
                "messages": messages(report),
            },
            "vulnerabilities": ranked(report).iter().map(vulnerability).collect::<Vec<_>>(),
        });
        let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Guarded(PrettyFormatter::new()));
        log.serialize(&mut serializer)?;
        out.write_all(b"\n")
    }
}

/// A time as the schema wants it: UTC without saying so.
fn time(seconds: i64) -> String {
    let text = timestamp(seconds).or_else(|| timestamp(0)).expect("the beginning of 1970 can be written");
    text.trim_end_matches('Z').to_owned()
}

/// What was not read, and what is left out of the vulnerabilities.
fn messages(report: &Report) -> Vec<Value> {
    let message = |level, value: String| json!({ "level": level, "value": value });
    let all = || report.scans.iter().flat_map(|scan| &scan.unread);
    let mut messages: Vec<Value> = all()
        .take(MOST)
        .map(|unread| message("warn", format!("Not read: {}: {}", terminal(&display(&unread.what).0), unread.detail)))
        .collect();
    let more = all().count().saturating_sub(MOST) as u64;
    if more > 0 {
        messages.push(message("warn", format!("{} not read", count(more, "more thing was", "more things were"))));
    }
    let suppressed = report.scans.iter().flat_map(|scan| &scan.findings).filter(|finding| !finding.is_open()).count();
    if suppressed > 0 {
        let text = count(suppressed as u64, "suppressed finding is", "suppressed findings are");
        messages.push(message("info", format!("{text} not among the vulnerabilities")));
    }
    messages
}

/// A finding.
fn vulnerability(ranked: &Ranked<'_>) -> Value {
    let finding = ranked.finding;
    let rule = &finding.rule;
    let mut identifiers = vec![json!({
        "type": "keytrail_rule_id",
        "name": format!("keytrail rule {}", rule.id),
        "value": rule.id,
    })];
    if rule.cwe != 0 {
        let url = format!("https://cwe.mitre.org/data/definitions/{}.html", rule.cwe);
        let (name, value) = (format!("CWE-{}", rule.cwe), rule.cwe.to_string());
        identifiers.push(json!({ "type": "cwe", "name": name, "value": value, "url": url }));
    }
    json!({
        "id": id(ranked),
        "name": rule.name.chars().take(LONGEST_NAME).collect::<String>(),
        "description": description(finding),
        "severity": severity(finding.severity),
        "solution": finding.remedy.steps.join("\n"),
        "identifiers": identifiers,
        "location": finding.places.first().map(location).unwrap_or_default(),
        "details": details(finding),
    })
}

/// The same finding of the same root has the same id in every report, in the form of a UUID (version 8, RFC 9562).
fn id(ranked: &Ranked<'_>) -> String {
    let mut hash = Sha256::new().chain_update(b"keytrail gitlab v1\0");
    for part in [ranked.scan.root.kind, &ranked.scan.root.name, &ranked.finding.fingerprint] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes: [u8; 16] = hash.finalize()[..16].try_into().expect("SHA-256 has 32 bytes");
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// GitLab's word.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

/// What was found, where, and what it opens.
fn description(finding: &Finding) -> String {
    let first = finding.places.first().map(|seen| display(&place(&seen.place)).0).unwrap_or_default();
    let mut text = format!("{} {} in {}.", code(&finding.rule.name), code(&finding.preview), code(&first));
    let more = finding.places.len().saturating_sub(1) as u64;
    if more > 0 {
        text.push_str(&format!(" It stands in {} too.", count(more, "other place", "other places")));
    }
    if let Some(opens) = opens(&finding.target) {
        text.push_str(&format!(" It opens {}.", code(&opens)));
    }
    text
}

/// Where GitLab shows it. What is no file is named in words.
fn location(seen: &Sighting) -> Value {
    let newest = seen.place.last.as_ref().or(seen.place.first.as_ref());
    let mut commit = json!({ "sha": newest.map_or(NO_COMMIT, |commit| &commit.id) });
    if let Some(date) = newest.and_then(|commit| timestamp(commit.author_time)) {
        commit["date"] = date.into();
    }
    let provenance = &seen.place.provenance;
    let file = match provenance.part {
        Part::Content if !provenance.path.is_empty() => display(&provenance.path).0,
        _ => display(&place(&seen.place)).0,
    };
    let (start, end) = (seen.region.start.line, seen.region.end.line);
    json!({ "file": file, "commit": commit, "start_line": start, "end_line": end })
}

/// What the schema has no field for, as a list of named fields.
fn details(finding: &Finding) -> Value {
    let text = |name: &str, value: &str| json!({ "type": "text", "name": name, "value": value });
    let mut details = json!({
        "fingerprint": text("Fingerprint", &finding.fingerprint),
        "confidence": text("Confidence", &format!("{}%", finding.confidence)),
        "validity": text("Offline check", finding.validity.word()),
        "state": text("State", finding.state().word()),
    });
    let further: Vec<Value> = finding
        .places
        .iter()
        .skip(1)
        .take(MOST)
        .map(|seen| json!({ "type": "text", "value": format!("{}:{}", display(&place(&seen.place)).0, seen.region.start.line) }))
        .collect();
    if !further.is_empty() {
        details["places"] = json!({ "type": "list", "name": "Other places", "items": further });
    }
    if let Some(row) = finding.recommendation {
        details["recommendation"] = text("Recommendation", row.name);
    }
    details
}

//! What is refused, and what is read as incomplete.

use super::*;
use crate::finding::Report;
use crate::report::{Style, by_name};
use crate::source::RootFacts;

/// A report of one scan in which nothing was found.
fn clean() -> Report {
    let root = RootFacts { kind: "files", spelled: "docs".into(), name: "docs".into(), ..RootFacts::default() };
    Report { scans: vec![ScanReport { root, contents: 3, bytes: 900, ..ScanReport::default() }] }
}

/// The report in a format.
fn written(format: &str) -> String {
    let mut out = Vec::new();
    let format = by_name(format).expect("it is a format");
    format.write(&clean(), &Style::default(), &mut out).expect("memory takes it");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The message about a text that can't be read.
fn mistake(text: &str) -> String {
    report(text.as_bytes(), "x").expect_err("it can't be read").to_string()
}

#[test]
fn what_is_no_report_of_ours_is_refused() {
    let foreign = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Other"}},"results":[]}]}"#;
    let deep = format!("{{\"type\":{}", "[".repeat(100_000));
    let sarif = written("sarif");
    for (text, expected) in [
        ("", "x: no report: "),
        ("[]", "x: no report: "),
        ("{}", "x: no report: "),
        ("\u{7f}ELF", "x: no report: "),
        ("{\"version\": \"2.0.0\", \"runs\": []}", "x: it is `SARIF 2.0.0`, and this version reads `SARIF 2.1.0`: "),
        (foreign, "x: written by `Other`: only reports by keytrail can be read"),
        (&deep, "x:1: "),
        (&format!("{{\"version\": {}", "[".repeat(100_000)), "x:1: "),
        (&sarif[..sarif.len() / 2], "x:"),
        (&sarif.replace("\"keytrail/kind\": \"files\"", "\"keytrail/kind\": \"x\""), "x: runs[0]: kind of scan `x`"),
        (&sarif.replace("\"version\": \"2.1.0\"", "\"version\": \"2.1.0\", \"version\": \"2.1.0\""), "x:3: duplicate"),
    ] {
        let message = mistake(text);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn mistakes_in_json_lines_have_their_line() {
    let lines = written("jsonl");
    let (scan, summary) = lines.trim_end().split_once('\n').expect("two lines");
    let with = |line: &str| format!("{scan}\n{line}\n{summary}\n");
    let note = |rest: &str| with(&format!("{{\"type\":\"note\",{rest}}}"));
    for (text, expected) in [
        (with("{\"type\":\"idea\",\"scan\":0}"), "x:2: unknown variant `idea`"),
        (note("\"scan\":0,\"scan\":0,\"text\":\"\""), "x:2: duplicate field `scan`"),
        (note("\"scan\":0"), "x:2: missing field `text`"),
        (note("\"scan\":1,\"text\":\"\""), "x:2: there is no scan 1 before it"),
        (with("{\"type\":\"excluded\",\"scan\":0,\"why\":\"luck\",\"count\":1}"), "x:2: reason of exclusion `luck`"),
        (
            with("{\"type\":\"unread\",\"scan\":0,\"what\":\"\",\"kind\":\"io\",\"detail\":\"\",\"object\":\"::x\"}"),
            "x:2: `::x` is no object id",
        ),
        (
            with(
                "{\"type\":\"observation\",\"scan\":0,\"kind\":\"\",\"path\":\"\",\"values\":{\"a\":\"\",\"a\":\"\"}}",
            ),
            "x:2: duplicate field `a`",
        ),
        (with(scan), "x:2: scan 0 is out of order"),
        (with("no json"), "x:2: "),
        (lines.replace("keytrail-jsonl/1", "keytrail-jsonl/2"), "x:1: it is `keytrail-jsonl/2`, and this version"),
        (lines.replace("\"name\":\"keytrail\"", "\"name\":\"other\""), "x:1: written by `other`"),
        (format!("{lines}{lines}"), "x:3: a record follows the summary"),
    ] {
        let message = mistake(&text);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn what_was_cut_short_stays_incomplete() {
    let lines = written("jsonl");
    let whole = report(lines.as_bytes(), "x").expect("it is a report");
    assert!(!whole.is_incomplete());
    let (scan, summary) = lines.trim_end().split_once('\n').expect("two lines");
    let cuts = [
        format!("{scan}\n"),
        format!("{scan}\n{}", &summary[..summary.len() / 2]),
        format!("{scan}\n{}\n", summary.replace("\"findings\":0", "\"findings\":2")),
        format!("{scan}\n{}\n", summary.replace("\"complete\":true", "\"complete\":false")),
        written("sarif").replace("\"executionSuccessful\": true", "\"executionSuccessful\": false"),
        written("sarif").replace("\"keytrail/unread\": 0", "\"keytrail/unread\": 3"),
    ];
    for text in cuts {
        assert_ne!(text, lines);
        let cut = report(text.as_bytes(), "x").expect("what is there can be read");
        assert!(cut.is_incomplete() && cut.scans[0].unread[0].what == b"x", "{text}");
    }
    assert!(mistake(&scan[..scan.len() / 2]).starts_with("x: it was cut before its first scan"));
}

#[test]
fn no_bytes_make_it_panic() {
    use proptest::prelude::*;
    let (lines, sarif) = (written("jsonl").into_bytes(), written("sarif").into_bytes());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..4), 1..6);
    runner
        .run(&(any::<bool>(), edits), |(is_sarif, edits)| {
            let mut bytes = if is_sarif { sarif.clone() } else { lines.clone() };
            for (at, byte, len) in edits {
                let at = at.index(bytes.len());
                let end = (at + len).min(bytes.len());
                bytes.splice(at..end, [byte]);
            }
            let _ = report(&bytes, "x");
            Ok(())
        })
        .expect("nothing panics");
}

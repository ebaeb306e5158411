//! The action on each event: range, annotations, summary, outputs, and how it ends.

use super::runner::{Done, Job};
use super::{Checkout, ZERO, checkout, checkout_with};

/// Payload of a pull request.
fn request(checkout: &Checkout) -> String {
    let (main, tip) = (&checkout.main, &checkout.tip);
    format!(
        r#"{{"pull_request":{{"base":{{"ref":"main","sha":"{main}"}},
            "head":{{"ref":"topic","sha":"{tip}","repo":{{"fork":false}}}}}}}}"#
    )
}

/// Payload of a push to `topic`.
fn push(checkout: &Checkout, before: &str, forced: bool) -> String {
    let tip = &checkout.tip;
    format!(
        r#"{{"ref":"refs/heads/topic","before":"{before}","after":"{tip}","forced":{forced},
            "repository":{{"default_branch":"main"}}}}"#
    )
}

/// Expects that the run reports the change and nothing else, everywhere.
fn reports_the_change(done: Done, event: &str) {
    let done = done.exits(1).gives("findings", "2").gives("incomplete", "false").gives("exit-code", "1");
    let results = done.sarif()["runs"][0]["results"].as_array().map(Vec::len);
    assert_eq!(results, Some(2), "{event}");
    let shown = done.findings();
    let files: Vec<_> = shown.iter().map(|one| one.properties["file"].as_str()).collect();
    assert!(files.contains(&"src/added.txt"), "{event}: {files:?}");
    assert!(
        done.summary.contains("src/added.txt") && !done.summary.contains("src/old.txt"),
        "{event}: {}",
        done.summary
    );
    assert!(
        done.annotations.iter().any(|one| one.level == "notice" && one.message.contains('2')),
        "{event}: the total"
    );
}

#[test]
fn each_event_has_its_range() {
    let Some(checkout) = checkout("events") else { return };
    let gone = "1".repeat(40);
    let group = format!(r#"{{"merge_group":{{"base_sha":"{}","head_sha":"{}"}}}}"#, checkout.main, checkout.tip);
    let events = [
        ("pull_request", request(&checkout)),
        ("merge_group", group),
        ("push", push(&checkout, &checkout.base, false)),
        // A new branch is measured against the main one; so is a forced push whose old tip nothing leads to any more.
        ("push", push(&checkout, ZERO, false)),
        ("push", push(&checkout, &gone, true)),
    ];
    for (event, payload) in events {
        let Some(job) = Job::new(&checkout, event, &payload) else { return };
        reports_the_change(job.go(), &format!("{event}: {payload}"));
    }
}

#[test]
fn events_without_a_range_scan_the_history() {
    let Some(checkout) = checkout("whole") else { return };
    for event in ["schedule", "workflow_dispatch", "release"] {
        let Some(job) = Job::new(&checkout, event, r#"{"schedule":"17 4 * * 1"}"#) else { return };
        job.go().exits(1).gives("findings", "3").gives("incomplete", "false");
    }
}

#[test]
fn the_base_of_a_target_event_holds_no_change() {
    // `pull_request_target` checks out the base: the change isn't there unless it is fetched, and that is told.
    let Some(checkout) = checkout("target") else { return };
    let base = checkout.server.clone_to("base", &["--single-branch", "--branch=main"]);
    let Some(job) = Job::new(&checkout, "pull_request_target", &request(&checkout)) else { return };
    job.within(base.path()).go().exits(3).gives("incomplete", "true").gives("findings", "").says(&["is not here"]);
}

#[test]
fn a_checkout_of_depth_one_is_incomplete() {
    let Some(checkout) = checkout("shallow") else { return };
    let shallow = checkout.shallow();
    for (event, payload) in [("pull_request", request(&checkout)), ("push", push(&checkout, &checkout.base, false))] {
        let Some(job) = Job::new(&checkout, event, &payload) else { return };
        let done = job.within(shallow.path()).go().exits(3).gives("incomplete", "true").gives("exit-code", "3");
        assert!(done.says(&["fetch-depth: 0"]).summary.contains("fetch-depth: 0"), "the summary says what to do");
    }
    let Some(job) = Job::new(&checkout, "schedule", "{}") else { return };
    job.within(shallow.path()).go().exits(3).says(&["fetch-depth: 0"]);
    let Some(job) = Job::new(&checkout, "schedule", "{}") else { return };
    job.within(shallow.path()).with("fail-on", "never").go().exits(0).gives("exit-code", "3");
}

#[test]
fn a_clean_change_passes() {
    let Some(checkout) = checkout("clean") else { return };
    let payload = push(&checkout, &checkout.tip, false);
    let Some(job) = Job::new(&checkout, "push", &payload) else { return };
    let done = job.go().exits(0).gives("findings", "0").gives("incomplete", "false").gives("exit-code", "0");
    assert_eq!(done.sarif()["runs"][0]["results"].as_array().map(Vec::len), Some(0));
    assert!(done.findings().is_empty(), "{:?}", done.annotations);
    assert!(!done.summary.is_empty());
}

#[test]
fn what_fails_is_chosen() {
    let Some(checkout) = checkout("fail-on") else { return };
    for (fail_on, code) in [("findings", 1), ("incomplete", 0), ("never", 0)] {
        let Some(job) = Job::new(&checkout, "pull_request", &request(&checkout)) else { return };
        job.with("fail-on", fail_on).go().exits(code).gives("exit-code", "1").gives("findings", "2");
    }
    // Nothing lets pass that nothing was scanned.
    let Some(job) = Job::new(&checkout, "pull_request", &request(&checkout)) else { return };
    let done =
        job.with("fail-on", "never").with("arguments", "--no-such-flag").go().exits(2).gives("incomplete", "true");
    assert!(done.gives("findings", "").gives("sarif", "").summary.contains("no report"));
}

#[test]
fn annotations_are_few_and_the_total_is_told() {
    let tokens: Vec<_> =
        (0..14).map(|number| crate::harness::Token::new(&format!("pipelines, many, {number}"))).collect();
    let written = checkout_with("many", |repo| {
        for (number, token) in tokens.iter().enumerate() {
            repo.write(format!("src/many{number}.txt"), token.line());
        }
    });
    let Some(checkout) = written else { return };
    let Some(job) = Job::new(&checkout, "pull_request", &request(&checkout)) else { return };
    let done = job.go().exits(1).gives("findings", "16");
    let (notices, shown): (Vec<_>, Vec<_>) = done.annotations.iter().partition(|one| one.level == "notice");
    assert_eq!(shown.len(), 10, "{:#?}", done.annotations);
    assert!(notices.iter().any(|one| one.message.contains("16")), "{notices:?}");
    for number in 0..14 {
        assert!(done.summary.contains(&format!("src/many{number}.txt")), "the summary has all of them");
    }
}

#[test]
fn inputs_decide_what_is_scanned() {
    let Some(checkout) = checkout("inputs") else { return };
    let job = |inputs: &[(&str, &str)]| {
        let job = Job::new(&checkout, "pull_request", &request(&checkout))?;
        Some(inputs.iter().fold(job, |job, (name, value)| job.with(name, *value)).go())
    };
    let Some(history) = job(&[("scan", "history")]) else { return };
    history.exits(1).gives("findings", "3");
    let files = |inputs: &[(&str, &str)]| job(&[&[("scan", "files")], inputs].concat()).expect("bash is there");
    files(&[]).exits(1).gives("findings", "2");
    files(&[("paths", "src/old.txt\n")]).exits(1).gives("findings", "1");
    files(&[("working-directory", "src"), ("paths", "old.txt\r\nadded.txt")]).exits(1).gives("findings", "2");
    files(&[("arguments", "--exclude=added.txt\n\n--exclude\nold.txt\n")]).exits(0).gives("findings", "0");
    let named = files(&[("sarif-file", "reports.sarif")]).exits(1);
    assert_eq!(named.outputs["sarif"], checkout.clone.path().join("reports.sarif").to_string_lossy());
    // A configuration that is named counts; without, that of the base commit, which has none.
    checkout.clone.write("strict.toml", "version = 1\n[scan]\nexclude = [\"src/\"]\n");
    let configured = job(&[("config", "strict.toml")]).expect("bash is there");
    configured.exits(0).gives("findings", "0");
}

#[test]
fn the_report_is_uploaded_before_the_verdict() {
    let Some(checkout) = checkout("upload") else { return };
    let payload = request(&checkout);
    let Some(job) = Job::new(&checkout, "pull_request", &payload) else { return };
    let done = job.with("upload", "true").go().exits(1);
    let upload = done.used.iter().find(|(uses, _)| uses.starts_with("github/codeql-action/upload-sarif@"));
    assert_eq!(upload.map(|(_, with)| with["sarif_file"].as_str()), Some(done.outputs["sarif"].as_str()));
    // A fork's token can't.
    let forked = payload.replace(r#""fork":false"#, r#""fork":true"#);
    assert_ne!(forked, payload);
    let job = Job::new(&checkout, "pull_request", &forked).expect("bash is there");
    assert!(!job.with("upload", "true").go().exits(1).uses("github/codeql-action"));
    let job = Job::new(&checkout, "pull_request", &payload).expect("bash is there");
    assert!(!job.go().exits(1).uses("github/codeql-action"));
}

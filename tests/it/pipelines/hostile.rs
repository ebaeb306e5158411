//! What a pull request can put in front of the action: names that look like commands, links in the checkout, text that
//! workflows pass on as inputs. None of it runs anything, forges an annotation or an output, or leads a report away.

use std::fs;
use std::path::Path;

use super::runner::Job;
use super::{Checkout, checkout, checkout_with};
use crate::harness::Token;

/// Names of files that want to be obeyed, by a runner, an agent or a shell.
pub(super) const NAMES: [&str; 8] = [
    "::error file=x,line=1::forged",
    "$(touch pwned)",
    "`touch pwned`;touch pwned",
    "a\n::error::forged\n::stop-commands::x\nb",
    "%0A::error::forged%0A",
    "##vso[task.complete result=Succeeded;]forged",
    "a\r##vso[task.setvariable variable=PATH]forged",
    "##[error]forged",
];

/// A checkout whose change holds a secret under each of [`NAMES`].
pub(super) fn hostile(label: &str) -> Option<(Checkout, usize)> {
    let tokens: Vec<_> =
        NAMES.iter().map(|name| Token::new(&format!("pipelines, {label}, {}", name.escape_debug()))).collect();
    let checkout = checkout_with(label, |repo| {
        for (name, token) in NAMES.iter().zip(&tokens) {
            repo.write(name, token.line());
        }
    })?;
    Some((checkout, NAMES.len() + 2))
}

/// Expects that nothing made a file called `pwned`, anywhere in the workspace.
pub(super) fn nothing_ran(folder: &Path) {
    for entry in fs::read_dir(folder).expect("our own folder") {
        let entry = entry.expect("our own folder");
        assert_ne!(entry.file_name(), "pwned", "something ran in {}", folder.display());
        if entry.file_type().expect("our own folder").is_dir() {
            nothing_ran(&entry.path());
        }
    }
}

/// A job about the change.
fn job(checkout: &Checkout) -> Option<Job> {
    let (main, tip) = (&checkout.main, &checkout.tip);
    Job::new(
        checkout,
        "pull_request",
        &format!(r#"{{"pull_request":{{"base":{{"sha":"{main}"}},"head":{{"sha":"{tip}"}}}}}}"#),
    )
}

#[test]
fn names_are_not_obeyed() {
    let Some((checkout, count)) = hostile("names") else { return };
    let Some(job) = job(&checkout) else { return };
    for confidence in ["", "low"] {
        let done = Job::new(&checkout, "schedule", "{}").map(|job| job.with("confidence", confidence).go());
        done.expect("bash is there").exits(1);
    }
    let done = job.go().exits(1).gives("findings", &count.to_string()).gives("incomplete", "false");
    // The runner's model refuses every other command; here, none of the annotations is made of a name.
    let shown = done.annotations.iter().filter(|one| one.level != "notice");
    assert_eq!(shown.count(), count.min(10), "{:#?}", done.annotations);
    for one in &done.annotations {
        assert!(one.properties.contains_key("title"), "not one of keytrail's: {one:?}");
        assert!(one.properties.get("file").is_none_or(|file| file != "x"), "{one:?}");
    }
    nothing_ran(&checkout.workspace.path(""));
}

#[test]
fn what_a_program_prints_is_not_obeyed() {
    // The action's own guard: a program that prints commands, and writes others where its annotations are expected.
    let Some(checkout) = checkout("forged") else { return };
    let body = "if [ \"$1\" = --version ]; then echo keytrail; exit; fi\n\
                echo '::error::forged'\n\
                echo '  ::add-mask::forged' >&2\n\
                echo '::stop-commands::forged'\n\
                echo '##[set-env name=PATH]forged'\n\
                for word; do case $word in annotations=*)\n\
                printf '%s\\n' '::set-env name=PATH::forged' '::error title=x::real' 'text' >\"${word#*=}\"\n\
                ;; esac; done\n\
                printf 'no end of line'\n\
                exit 1";
    checkout.workspace.script("forging/keytrail", body);
    let Some(job) = job(&checkout) else { return };
    let done = job.on_path(&checkout.workspace.path("forging")).go().exits(1).gives("findings", "").gives("sarif", "");
    let messages: Vec<_> = done.annotations.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages, ["real"]);
}

#[test]
fn inputs_are_not_obeyed() {
    let Some(checkout) = checkout("hostile inputs") else { return };
    let attempts = [
        ("arguments", "--exclude=$(touch pwned)\n--exclude=`touch pwned`\n--exclude=; touch pwned", 1),
        ("arguments", "--exclude=x\n::error::forged\n", 2),
        ("arguments", "--exclude=x\n##[error]forged", 2),
        ("arguments", "--format=jsonl=/dev/stdout", 2),
        ("arguments", "--show-secrets", 2),
        ("arguments", "--exit-code=0\r\n", 2),
        ("arguments", "--exit-code\n0", 2),
        ("arguments", "-ox", 2),
        ("arguments", "--cache=.", 2),
        ("working-directory", "$(touch pwned)", 2),
        ("working-directory", "-", 2),
        ("working-directory", "a\nb", 2),
        ("config", "x\n::error::forged", 2),
        ("config", "--help", 2),
        ("confidence", "high\nfindings=0", 2),
        ("scan", "files --show-secrets", 2),
        ("scan", "bench", 2),
        ("fail-on", "", 2),
        ("sarif-file", "x.sarif\nfindings=0", 2),
        ("sarif-file", "x.sarif\rfindings=0", 2),
        ("sarif-file", "no-such-folder/x.sarif", 2),
        ("sarif-file", "../x.sarif", 2),
        ("sarif-file", "/x.sarif", 2),
        ("include-tests", "yes; touch pwned", 2),
        ("install", "path;touch pwned", 2),
        ("release-url", "https://example.invalid/x", 2),
        ("paths", "src", 2),
    ];
    for (name, value, code) in attempts {
        let Some(job) = job(&checkout) else { return };
        let done = job.with(name, value).go();
        assert_eq!(done.code, code, "{name}: {value:?}:\n{}", crate::harness::name_tokens(&done.log));
        // After a mistake there is no report that could say otherwise.
        let expected = if code == 1 { "2" } else { "" };
        assert_eq!(done.outputs["findings"], expected, "{name}: {value:?}");
        nothing_ran(&checkout.workspace.path(""));
    }
    // A path of `files` is one, whatever it looks like.
    for paths in ["--help", "-", "$(touch pwned)"] {
        let job = job(&checkout).expect("bash is there");
        let done = job.with("scan", "files").with("paths", paths).go();
        assert!([2, 3].contains(&done.code), "{paths}:\n{}", done.log);
        nothing_ran(&checkout.workspace.path(""));
    }
}

#[test]
fn links_do_not_lead_reports_away() {
    let Some(checkout) = checkout("links") else { return };
    let victim = checkout.workspace.write("outside/victim", "mine");
    std::os::unix::fs::symlink(&victim, checkout.clone.path().join("report.sarif")).expect("our own folder");
    std::os::unix::fs::symlink(checkout.workspace.path("outside"), checkout.clone.path().join("reports"))
        .expect("our own folder");
    for name in ["report.sarif", "reports/victim", "reports/new.sarif"] {
        let Some(job) = job(&checkout) else { return };
        job.with("sarif-file", name).go().exits(2).says(&["sarif-file"]);
    }
    let left: Vec<_> = fs::read_dir(checkout.workspace.path("outside")).expect("our own folder").collect();
    assert_eq!((left.len(), fs::read(&victim).expect("it is there")), (1, b"mine".to_vec()));
}

#[test]
fn a_report_that_was_there_before_is_not_handed_on() {
    let written = checkout_with("stale", |repo| {
        repo.write("report.sarif", r#"{"version":"2.1.0","runs":[]}"#);
    });
    let Some(checkout) = written else { return };
    let Some(failing) = job(&checkout) else { return };
    let failing = failing.with("sarif-file", "report.sarif").with("upload", "true");
    let done = failing.with("arguments", "--no-such-flag").go().exits(2).gives("sarif", "");
    assert!(done.used.is_empty(), "{:?}", done.used);
    let done = job(&checkout).expect("bash is there").with("sarif-file", "report.sarif").go().exits(1);
    assert_eq!(done.sarif()["runs"][0]["results"].as_array().map(Vec::len), Some(2));
}

#[test]
fn no_verdict_cache_is_used() {
    let Some(checkout) = checkout("verdict cache") else { return };
    let Some(job) = job(&checkout) else { return };
    let cache = checkout.workspace.path("verdicts");
    job.env("KEYTRAIL_CACHE", &cache).go().exits(1);
    assert!(!cache.exists(), "a cache that somebody else may have written was opened");
}

#[test]
fn a_change_cannot_excuse_itself() {
    let written = checkout_with("excuse", |repo| {
        repo.write(".keytrail.toml", "version = 1\n[scan]\nexclude = [\"**\"]\n");
    });
    let Some(checkout) = written else { return };
    let Some(job) = job(&checkout) else { return };
    job.go().exits(1).gives("findings", "2");
}

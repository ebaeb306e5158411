//! Mistakes in what the user asked for: nothing is scanned, the message says what to change.

use super::fails;
use crate::harness::{Token, Workspace, keytrail};

#[test]
fn a_folder_that_is_no_repository() {
    let workspace = Workspace::new();
    workspace.write("a.txt", Token::new("in no repository").line());
    for command in [&["history"][..], &["staged"], &["diff", "a..b"]] {
        let ran = keytrail(command).within(workspace.path("")).go();
        fails(ran, 2, &["not a git repository", "keytrail files"]);
    }
    let ran = keytrail(["history"]).arg(workspace.path("")).go();
    fails(ran, 2, &["not a git repository"]);
}

#[test]
fn a_path_that_is_not_there() {
    for command in ["files", "history", "image"] {
        keytrail([command, "no/such/place"])
            .go()
            .exits_one_of(&[2, 3])
            .says(&["no/such/place"])
            .doesnt_say(&super::ALL_CLEAR);
    }
}

#[test]
fn one_bad_root_of_several_is_not_lost() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("good") else { return };
    repo.commit_file("a.txt", "text\n");
    let ran = keytrail(["history", repo.spelled(), "no/such/place"]).go();
    ran.exits_one_of(&[2, 3]).says(&["no/such/place"]);
}

#[test]
fn a_range_end_that_is_not_there() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("range") else { return };
    repo.commit_file("a.txt", Token::new("outside the range").line());
    let absent = "1234567890123456789012345678901234567890";
    for (range, word) in [
        ("main..nowhere", "nowhere"),
        ("nowhere..main", "nowhere"),
        (&*format!("main..{absent}"), absent),
        (&*format!("{absent}..main"), absent),
    ] {
        let ran = keytrail(["diff", range]).within(repo.path()).go();
        ran.exits_one_of(&[2, 3]).says(&[word, "git fetch"]).doesnt_say(&super::ALL_CLEAR);
    }
    let ran = keytrail(["diff", "--merge-base", "origin/nowhere"]).within(repo.path()).go();
    ran.exits_one_of(&[2, 3]).says(&["origin/nowhere", "git fetch"]);
}

#[test]
fn rules_that_are_none() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", "text\n");
    for (name, text) in [("empty.toml", ""), ("comment.toml", "# nothing yet\n"), ("broken.toml", "[[rule]\n")] {
        let rules = workspace.write(name, text);
        let ran = keytrail(["files"]).arg(workspace.path("tree")).arg("--rules").arg(&rules).go();
        fails(ran, 2, &[name]);
    }
    let ran = keytrail(["files", ".", "--rules", "absent.toml"]).within(workspace.path("tree")).go();
    fails(ran, 2, &["absent.toml"]);
}

#[test]
fn a_configuration_that_leaves_no_rule() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", Token::new("under no rule").line());
    let config = workspace.write("own.toml", "version = 1\n[rules]\nenable-only = []\n");
    let ran = keytrail(["files", "."]).arg("--config").arg(&config).within(workspace.path("tree")).go();
    fails(ran, 2, &["no rule", "enable-only"]);
    for (key, rule) in [("enable-only", "no-such-rule"), ("disable", "no-such-rule")] {
        let config = workspace.write("own.toml", format!("version = 1\n[rules]\n{key} = [\"{rule}\"]\n"));
        let ran = keytrail(["files", "."]).arg("--config").arg(&config).within(workspace.path("tree")).go();
        fails(ran, 2, &[rule, "own.toml:3"]);
    }
}

#[test]
fn a_rule_that_does_not_compile_stops_the_run() {
    let workspace = Workspace::new();
    let rule = "[[rule]]\nid = \"own-key\"\nname = \"Own key\"\nkeywords = [\"own_\"]\npattern = '''own_(abc'''\n\
                severity = \"high\"\nconfidence = \"high\"\n";
    let rules = workspace.write("own.toml", rule);
    let ran = keytrail(["files", "."]).arg("--rules").arg(&rules).within(workspace.path("")).go();
    fails(ran, 2, &["own.toml", "own-key"]);
}

#[test]
fn a_configuration_with_mistakes_lists_them_all() {
    let workspace = Workspace::new();
    let text =
        "version = 1\nexcludes = [\"typo of a key\"]\n[scan]\nconfidence = \"very\"\n[[suppress]]\nrule = \"x\"\n";
    let config = workspace.write("own.toml", text);
    let ran = keytrail(["files", "."]).arg("--config").arg(&config).within(workspace.path("")).go();
    fails(ran, 2, &["own.toml:2", "excludes", "own.toml:4", "very", "own.toml:5", "reason"]);
    let ran = keytrail(["files", ".", "--config", "absent.toml"]).within(workspace.path("")).go();
    fails(ran, 2, &["absent.toml"]);
}

#[test]
fn flags_that_are_none() {
    for args in
        [&["files", "--no-such-flag"][..], &["scan"], &["history", "--jobs", "0"], &["files", "--format", "xml"]]
    {
        keytrail(args).go().exits(2).doesnt_say(&super::ALL_CLEAR);
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_cannot_be_written() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", "text\n");
    let ran = keytrail(["files", ".", "--output", "no/such/folder/report"]).within(workspace.path("tree")).go();
    ran.exits_one_of(&[2, 3]).says(&["no/such/folder"]);
    if std::path::Path::new("/dev/full").exists() {
        let ran = keytrail(["files", ".", "--output", "/dev/full"]).within(workspace.path("tree")).go();
        ran.exits_one_of(&[2, 3]).says(&["/dev/full"]);
    }
}

#[test]
fn nothing_to_scan_is_said() {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.path("empty")).expect("our own folder is writable");
    keytrail(["files"]).arg(workspace.path("empty")).go().exits(0).says(&["nothing"]);
    keytrail(["files", "-"]).go().exits(0).says(&["nothing"]);
    let Some(repo) = workspace.repo("unborn") else { return };
    keytrail(["history", repo.spelled()]).go().exits(0).says(&["nothing"]);
}

#[test]
fn exit_code_replaces_that_of_findings_only() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", Token::new("exit code").line());
    let run = keytrail(["files", "."]).within(workspace.path("tree"));
    run.go().exits(1);
    run.clone().args(["--exit-code", "0"]).go().exits(0).says(&["a.txt"]);
    run.clone().args(["--exit-code", "17"]).go().exits(17);
    run.args(["--exit-code", "0", "--config", "absent.toml"]).go().exits(2);
}

//! `.keytrail.toml`: where it is found, what it decides, what becomes of entries that ended or match nothing.

use crate::harness::{Repo, Token, Workspace, keytrail, scan};

/// A configuration with these lines.
fn config(lines: &str) -> String {
    format!("version = 1\n{lines}\n")
}

/// A repository with a leak in `a.txt`.
fn leaking(label: &str) -> Option<(Workspace, Repo, Token)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("configured")?;
    let token = Token::new(label);
    repo.commit_file("deep/a.txt", token.line());
    Some((workspace, repo, token))
}

#[test]
fn a_suppression_names_a_finding_and_ends_on_its_day() {
    let Some((_workspace, repo, token)) = leaking("suppressed") else { return };
    let run = keytrail(["history"]).within(repo.path());
    let fingerprint = scan(&run).of(&token).text("fingerprint");
    let entry =
        |more: &str| config(&format!("[[suppress]]\nfingerprint = \"{fingerprint}\"\nreason = \"revoked\"\n{more}"));
    repo.write(".keytrail.toml", entry("until = \"2999-12-31\""));
    let results = scan(&run);
    results.holds_exactly(&[&token]);
    assert_eq!(results.code, 0);
    let suppression = &results.of(&token).record["suppressions"][0];
    assert_eq!(
        (suppression["kind"].as_str(), suppression["status"].as_str(), suppression["reason"].as_str()),
        (Some("external"), Some("accepted"), Some("revoked"))
    );
    repo.write(".keytrail.toml", entry("until = \"2020-01-31\""));
    let results = scan(&run);
    assert_eq!(results.code, 1, "it has ended");
    assert_eq!(results.of(&token).suppressions(), [("external".to_owned(), "rejected".to_owned())]);
    run.go().exits(1).says(&["2020-01-31"]);
}

#[test]
fn suppressions_by_rule_and_path_hold_where_both_do() {
    let Some((_workspace, repo, token)) = leaking("suppressed by path") else { return };
    let run = keytrail(["files"]).within(repo.path());
    let rule = scan(&run).of(&token).text("rule");
    let entry =
        |path: &str| config(&format!("[[suppress]]\nrule = \"{rule}\"\npath = \"{path}\"\nreason = \"known\"\n"));
    repo.write(".keytrail.toml", entry("deep/**"));
    assert_eq!(scan(&run).code, 0);
    repo.write(".keytrail.toml", entry("shallow/**"));
    assert_eq!(scan(&run).code, 1);
    run.go().exits(1).says(&[".keytrail.toml:2", "matches nothing"]);
    repo.git(["add", "--all"]);
    let staged = keytrail(["staged"]).within(repo.path());
    staged.go().exits(0).doesnt_say(&["matches nothing"]);
}

#[test]
fn an_unread_thing_may_be_accepted_and_is_counted() {
    let Some((_workspace, repo, token)) = leaking("beside accepted damage") else { return };
    repo.commit_file("lost.txt", "text\n");
    let id = repo.id("HEAD:lost.txt");
    std::fs::remove_file(repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    let run = keytrail(["history"]).within(repo.path());
    assert_eq!(scan(&run).code, 3);
    repo.write(
        ".keytrail.toml",
        config(&format!("[[accept-unread]]\nobject = \"{id}\"\nreason = \"lost in a crash\"")),
    );
    let results = scan(&run);
    results.holds_exactly(&[&token]);
    assert_eq!((results.code, results.excluded("accepted-unread")), (1, 1));
    let ended = format!("[[accept-unread]]\nobject = \"{id}\"\nreason = \"lost\"\nuntil = \"2020-01-31\"");
    repo.write(".keytrail.toml", config(&ended));
    assert_eq!(scan(&run).code, 3, "it has ended");
}

#[test]
fn it_is_found_from_a_folder_below() {
    let Some((_workspace, repo, _token)) = leaking("excluded from above") else { return };
    repo.write(".keytrail.toml", config("[scan]\nexclude = [\"deep/**\"]"));
    let results = scan(&keytrail(["history"]).within(repo.path().join("deep")));
    results.holds_exactly(&[]);
}

#[test]
fn a_repository_that_is_merely_named_has_no_say() {
    let Some((workspace, outer, first)) = leaking("in the repository we stand in") else { return };
    let token = Token::new("in a repository that excuses itself");
    let excused = format!("k = '{}'  # keytrail:allow it is fine\n", token.text());
    outer.write("vendored.txt", &excused);
    let suppress = config("[[suppress]]\npath = \"**\"\nreason = \"mine\"");
    outer.write(".keytrail.toml", &suppress);
    let nested = workspace.init("configured/vendor", &[]).expect("git was there before");
    nested.commit_file("n.txt", &excused);
    nested.write(".keytrail.toml", &suppress);
    let runs = [
        (keytrail(["history", "vendor"]).within(outer.path()), "a clone below our work tree"),
        (keytrail(["files", "vendor/n.txt"]).within(outer.path()), "a file of that clone"),
        (keytrail(["history", "configured/vendor"]).within(workspace.path("")), "from no repository"),
        (keytrail(["files", "configured/vendor"]).within(workspace.path("")), "a folder below no repository"),
    ];
    for (run, what) in runs {
        let results = scan(&run);
        results.holds_exactly(&[&token]);
        assert_eq!(results.code, 1, "{what}");
        assert_eq!(results.of(&token).suppressions(), [], "{what}");
    }
    let own = scan(&keytrail(["files", "vendored.txt", "deep"]).within(outer.path()));
    own.holds_exactly(&[&token, &first]);
    assert_eq!(own.code, 0, "the repository that we stand in is heard");
}

#[test]
fn staged_takes_it_from_the_index() {
    let Some((_workspace, repo, _)) = leaking("committed before") else { return };
    let token = Token::new("staged beside configuration");
    repo.write("new.txt", token.line());
    repo.git(["add", "new.txt"]);
    let silent = config("[scan]\nexclude = [\"new.txt\"]");
    repo.write(".keytrail.toml", &silent);
    let run = keytrail(["staged"]).within(repo.path());
    scan(&run).holds_exactly(&[&token]);
    repo.git(["add", ".keytrail.toml"]);
    scan(&run).holds_exactly(&[]);
}

#[test]
fn a_mistake_in_it_stops_every_command() {
    let Some((_workspace, repo, _)) = leaking("under a mistaken configuration") else { return };
    repo.write(".keytrail.toml", config("[scan]\nconfidence = \"utter\""));
    for command in [&["history"][..], &["files"], &["config", "show"]] {
        keytrail(command).within(repo.path()).go().exits(2).says(&[".keytrail.toml:3", "utter"]);
    }
}

#[test]
fn it_can_be_shown() {
    let Some((_workspace, repo, _)) = leaking("shown configuration") else { return };
    repo.write(".keytrail.toml", config("[scan]\nexclude = [\"deep/**\"]\nconfidence = \"high\""));
    let ran = keytrail(["config", "show", "--jobs", "2"]).within(repo.path()).go();
    ran.exits(0).says(&["deep/**", "high", ".keytrail.toml", "jobs", "testdata"]);
}

#[test]
fn a_user_s_rules_are_used() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", "login ownkey-7d31f0c94ab2e865 here\n");
    let rules = workspace.write(
        "own.toml",
        "[[rule]]\nid = \"own-key\"\nname = \"Own key\"\nkeywords = [\"ownkey-\"]\npattern = '''\\b(ownkey-[0-9a-f]{16})\\b'''\n\
         severity = \"high\"\nconfidence = \"high\"\n",
    );
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")).arg("--rules").arg(rules));
    assert_eq!(results.code, 1);
    assert_eq!(results.findings.iter().map(|finding| finding.text("rule")).collect::<Vec<_>>(), ["own-key"]);
}

#[test]
fn a_clone_below_the_work_tree_has_no_say() {
    let workspace = Workspace::new();
    let Some(outer) = workspace.repo("outer") else { return };
    let Some(inner) = workspace.repo("outer/vendor") else { return };
    let token = Token::new("marked in a clone below");
    inner.commit_file("a.py", format!("k = '{}'  # keytrail:allow trust me\n", token.text()));
    let named = scan(&keytrail(["history", "vendor"]).within(outer.path()));
    named.holds_exactly(&[&token]);
    assert_eq!((named.code, named.of(&token).is_open()), (1, true));
    assert_eq!(scan(&keytrail(["history", "."]).within(inner.path())).code, 0, "its own word counts there");
    let spelled = outer.path().join("vendor").join("..").join("vendor");
    let itself = keytrail([std::ffi::OsStr::new("history"), spelled.as_os_str()]).within(inner.path());
    assert_eq!(scan(&itself).code, 0, "however it is spelled");
}

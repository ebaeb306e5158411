//! `create`, `update`, `prune` and `show`, and what scans make of the file.

use super::{FILE, baseline, create, forget, guessable, history, known, setting, state, text};
use crate::harness::{Repo, Token, Workspace, keytrail, scan};

/// A repository with a strong and a weak secret.
fn leaking() -> Option<(Workspace, Repo, Token, Token)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("known")?;
    let (strong, weak) = (Token::new("accepted"), guessable("accepted password"));
    repo.write("a.txt", strong.line());
    repo.commit_file("conf.py", setting("db", &weak));
    Some((workspace, repo, strong, weak))
}

#[test]
fn what_is_accepted_no_longer_counts_and_what_is_new_does() {
    let Some((_workspace, repo, strong, weak)) = leaking() else { return };
    assert_eq!(history(&repo).code, 1);
    create(&repo).says(&["2 accepted", "1 of them by slow hashes", "merge=union"]);
    repo.commit("Accept what is known");
    let results = history(&repo);
    results.holds_exactly(&[&strong, &weak]);
    assert_eq!(results.code, 0, "the file itself is no finding either");
    for token in [&strong, &weak] {
        assert_eq!(state(&results, token), known(), "{token:?}");
        assert_eq!(results.of(token).record["suppressions"][0]["reason"], "known when we began");
    }
    keytrail(["history"]).within(repo.path()).go().exits(0).says(&["2 suppressed (2 in the baseline)"]);
    let new = Token::new("not accepted");
    repo.write("b.txt", new.line());
    let files = scan(&keytrail(["files"]).within(repo.path()));
    files.holds_exactly(&[&strong, &weak, &new]);
    assert_eq!((files.code, state(&files, &new)), (1, ("new".to_owned(), Vec::new())));
    repo.git(["add", "b.txt"]);
    let staged = scan(&keytrail(["staged"]).within(repo.path()));
    staged.holds_exactly(&[&new]);
    assert_eq!((staged.code, state(&staged, &new).0), (1, "new".to_owned()));
}

#[test]
fn sarif_says_of_every_result_whether_it_is_new() {
    let Some((_workspace, repo, strong, _weak)) = leaking() else { return };
    let sarif = || -> serde_json::Value {
        let ran = keytrail(["history", "--format", "sarif"]).within(repo.path()).go();
        serde_json::from_slice(&ran.stdout).expect("SARIF is JSON")
    };
    let states = |log: &serde_json::Value| -> Vec<Option<String>> {
        let results = log["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        results.iter().map(|one| one["baselineState"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(states(&sarif()), [None, None], "none of them without a baseline");
    let fingerprint = history(&repo).of(&strong).text("fingerprint");
    baseline(&repo, &["create", "--reason", "only this", "--only", &fingerprint]).go().exits(0).says(&["1 accepted"]);
    let log = sarif();
    let mut all: Vec<String> = states(&log).into_iter().flatten().collect();
    all.sort();
    assert_eq!(all, ["new", "unchanged"]);
    let results = log["runs"][0]["results"].as_array().cloned().unwrap_or_default();
    let accepted = results.iter().find(|one| one["baselineState"] == "unchanged").expect("one is known");
    let suppression = &accepted["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&"external".into(), &"accepted".into()));
    assert_eq!(suppression["justification"], "only this");
}

#[test]
fn an_entry_ends_on_its_day_and_is_told() {
    let Some((_workspace, repo, strong, _weak)) = leaking() else { return };
    baseline(&repo, &["create", "--reason", "for now", "--owner", "ann", "--until", "2020-01-31"]).go().exits(0);
    let results = history(&repo);
    assert_eq!(results.code, 1);
    let rejected = vec![("external".to_owned(), "rejected".to_owned())];
    assert_eq!(state(&results, &strong), ("unchanged".to_owned(), rejected));
    keytrail(["history"]).within(repo.path()).go().exits(1).says(&[
        "ended (2020-01-31)",
        "for now",
        "ask ann",
        &format!("{FILE}:2"),
    ]);
    baseline(&repo, &["show"]).go().exits(0).says(&["a.txt", "github-pat", "for now (ended 2020-01-31), ask ann"]);
    baseline(&repo, &["create", "--reason", "x", "--until", "31.1.2020"]).go().exits(2).says(&["no day like"]);
}

#[test]
fn updating_adds_what_is_new_and_keeps_the_rest() {
    let Some((_workspace, repo, strong, weak)) = leaking() else { return };
    create(&repo);
    let before = text(&repo);
    let (new, other) = (Token::new("added to the baseline"), guessable("added to the baseline, guessable"));
    repo.write("b.txt", new.line());
    repo.commit_file("more.py", setting("cache", &other));
    baseline(&repo, &["update", "--reason", "second round"]).go().exits(0).says(&["2 accepted", "4 entries"]);
    let after = text(&repo);
    for line in before.lines() {
        assert!(after.lines().any(|other| other == line), "it stays as it is: {line}");
    }
    assert_eq!(after.matches("second round").count(), 2);
    assert!(after.lines().is_sorted());
    let results = history(&repo);
    results.holds_exactly(&[&strong, &weak, &new, &other]);
    assert_eq!(results.code, 0);
    baseline(&repo, &["update", "--reason", "third"]).go().exits(0).says(&["0 accepted"]);
    assert_eq!(text(&repo), after, "the same bytes");
}

#[test]
fn what_matches_nothing_is_told_by_full_scans_and_pruned() {
    let Some((_workspace, repo, strong, _weak)) = leaking() else { return };
    let gone = Token::new("rewritten away");
    repo.commit_file("gone.txt", gone.line());
    create(&repo);
    repo.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    forget(&repo);
    let notes =
        |results: crate::harness::Results| results.notes.iter().filter(|note| note.contains("matches nothing")).count();
    assert_eq!(notes(history(&repo)), 1);
    assert_eq!(notes(scan(&keytrail(["files"]).within(repo.path()))), 0, "the work tree isn't all that it is about");
    baseline(&repo, &["prune"]).go().exits(0).says(&["1 taken out", "gone.txt"]);
    assert_eq!(text(&repo).lines().count(), 3);
    assert_eq!(notes(history(&repo)), 0);
    let id = repo.id("HEAD:a.txt");
    std::fs::remove_file(repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    let before = text(&repo);
    baseline(&repo, &["prune"]).go().exits(3).says(&["nothing is taken out"]);
    assert_eq!(text(&repo), before, "what couldn't be read may hold it: {strong:?}");
}

#[test]
fn a_baseline_that_is_there_is_not_lost() {
    let Some((_workspace, repo, ..)) = leaking() else { return };
    for verb in [&["update", "--reason", "x"][..], &["prune"], &["show"]] {
        baseline(&repo, verb).go().exits(2).says(&["there is no baseline yet"]);
    }
    create(&repo);
    let before = text(&repo);
    baseline(&repo, &["create", "--reason", "again"]).go().exits(2).says(&["--force", "update"]);
    baseline(&repo, &["create"]).go().exits(2).says(&["--reason"]);
    baseline(&repo, &["create", "--force", "--reason", " "]).go().exits(2).says(&["empty"]);
    baseline(&repo, &["update", "--reason", "x", "--only", "v1:0"])
        .go()
        .exits(2)
        .says(&["no finding has the fingerprint"]);
    assert_eq!(text(&repo), before);
    baseline(&repo, &["create", "--force", "--reason", "again"]).go().exits(0);
    assert!(text(&repo).contains("again"));
}

#[test]
fn a_mistake_in_it_stops_every_scan() {
    let Some((_workspace, repo, ..)) = leaking() else { return };
    create(&repo);
    let whole = text(&repo);
    repo.write(FILE, format!("{whole}<<<<<<< ours\n"));
    for command in [&["history"][..], &["files"], &["baseline", "show"]] {
        keytrail(command).within(repo.path()).go().exits(2).says(&[&format!("{FILE}:4"), "merge conflict"]);
    }
    repo.write(FILE, format!("\u{feff}{}\r\n", whole.replace('\n', "\r\n")));
    assert_eq!(history(&repo).code, 0, "as an editor saves it");
}

#[test]
fn a_report_makes_one_as_far_as_it_holds_values() {
    let Some((workspace, repo, strong, weak)) = leaking() else { return };
    let report = workspace.path("report.jsonl");
    let target = format!("jsonl={}", report.display());
    keytrail(["history", "--format", &target]).within(repo.path()).go().exits(1);
    let spelled = report.to_str().expect("a plain name");
    baseline(&repo, &["create", "--reason", "r", "--report", spelled]).go().exits(3).says(&[
        "1 accepted",
        "conf.py",
        "could be guessed",
    ]);
    let results = history(&repo);
    assert_eq!(state(&results, &strong), known());
    assert_eq!(state(&results, &weak).0, "new");
    let whole = std::fs::read_to_string(&report).expect("it was written");
    let cut = workspace.write("cut.jsonl", &whole[..whole.rfind("{\"type\":\"summary\"").expect("it ends so")]);
    let cut = cut.to_str().expect("a plain name");
    baseline(&repo, &["update", "--reason", "r", "--report", cut]).go().exits(2).says(&["no summary"]);
}

#[test]
fn a_baseline_may_be_named_and_a_named_repository_has_none() {
    let Some((workspace, repo, strong, weak)) = leaking() else { return };
    create(&repo);
    let file = repo.path().join(FILE);
    let outside = || keytrail(["history", repo.spelled()]).within(workspace.path(""));
    let unheard = scan(&outside());
    unheard.holds_exactly(&[&strong, &weak]);
    assert_eq!((unheard.code, state(&unheard, &strong)), (1, (String::new(), Vec::new())), "it has no say there");
    let named = scan(&outside().arg("--baseline").arg(&file));
    assert_eq!((named.code, state(&named, &weak)), (0, known()));
    outside().args(["--baseline", "not-there"]).go().exits(2).says(&["not-there", "no such file"]);
}

#[test]
fn outside_of_a_repository_it_is_the_folder_s() {
    let workspace = Workspace::new();
    let (strong, weak) = (Token::new("in a folder"), guessable("in a folder, guessable"));
    workspace.write("tree/a.txt", strong.line());
    workspace.write("tree/deep/conf.py", setting("db", &weak));
    let run = |args: &[&str]| keytrail(args).within(workspace.path("tree"));
    run(&["baseline", "create", "--reason", "known"]).go().exits(0).says(&["2 accepted"]);
    let results = scan(&run(&["files"]));
    results.holds_exactly(&[&strong, &weak]);
    assert_eq!(results.code, 0);
    std::fs::remove_file(workspace.path("tree/a.txt")).expect("it was written");
    assert!(scan(&run(&["files"])).notes.iter().any(|note| note.contains("matches nothing")));
}

#[test]
fn staged_hears_the_index_and_not_the_work_tree() {
    let Some((_workspace, repo, ..)) = leaking() else { return };
    let new = Token::new("staged and accepted");
    repo.write("new.txt", new.line());
    repo.git(["add", "new.txt"]);
    baseline(&repo, &["create", "--reason", "staged", "--staged"]).go().exits(0).says(&["1 accepted"]);
    let run = keytrail(["staged"]).within(repo.path());
    assert_eq!(scan(&run).code, 1, "the file is not staged yet");
    repo.git(["add", FILE]);
    let results = scan(&run);
    results.holds_exactly(&[&new]);
    assert_eq!((results.code, state(&results, &new)), (0, known()));
}

#[test]
fn what_is_typed_into_it_may_be_no_secret() {
    let Some((_workspace, repo, strong, _)) = leaking() else { return };
    let reason = format!("same as {}", strong.text());
    for flags in [["--reason", &reason, "--owner", "ann"], ["--reason", "x", "--owner", &reason]] {
        baseline(&repo, &["create"]).args(flags).go().exits(2).says(&["looks like a secret"]);
    }
    assert!(!repo.path().join(FILE).exists());
    create(&repo);
    repo.write(FILE, text(&repo).replace("known when we began", &reason));
    baseline(&repo, &["show"]).go().exits(0).says(&["same as"]);
    assert_eq!(history(&repo).code, 0);
}

#[test]
fn it_does_not_depend_on_the_fingerprint_key() {
    let Some((_workspace, repo, strong, weak)) = leaking() else { return };
    create(&repo);
    let keyed = scan(&keytrail(["history"]).within(repo.path()).env("KEYTRAIL_FINGERPRINT_KEY", "k".repeat(32)));
    assert!(keyed.of(&strong).text("fingerprint").starts_with("v1k:"));
    assert_eq!((keyed.code, state(&keyed, &strong), state(&keyed, &weak)), (0, known(), known()));
}

//! Ranges that a person names.

use super::change;
use crate::harness::{Token, Workspace, keytrail, scan};

#[test]
fn a_range_gives_what_its_commits_add() {
    let Some(change) = change("range") else { return };
    let range = format!("{}..topic", change.base);
    let results = scan(&change.diff(&[&range]));
    results.holds_exactly(&change.all_added());
    let place = results.of(&change.added[0]).place();
    assert_eq!((place.path.as_str(), place.first.as_ref()), ("added.txt", Some(&change.adding)));
    assert_eq!(results.of(&change.added[1]).place().path, "passing.txt", "a push publishes every commit");
    assert_eq!(results.of(&change.added[2]).place().part, "commit message");
}

#[test]
fn neither_the_old_nor_what_the_other_side_did_is_reported() {
    let Some(change) = change("merge base") else { return };
    for args in [vec!["main..topic"], vec!["main..HEAD"], vec!["--merge-base", "main"]] {
        let results = scan(&change.diff(&args));
        results.holds_exactly(&change.all_added());
        let labels = results.labels();
        assert!(
            !labels.contains(&change.old.label().to_owned()) && !labels.contains(&change.elsewhere.label().to_owned())
        );
    }
}

#[test]
fn a_merge_of_the_target_brings_nothing_of_its_own() {
    let Some(change) = change("merged target") else { return };
    change.repo.git(["merge", "--quiet", "--no-edit", "main"]);
    scan(&change.diff(&["--merge-base", "main"])).holds_exactly(&change.all_added());
    // The merge's own change is one of the topic's.
    let token = Token::new("merged target, own change");
    change.repo.write("own.txt", token.line());
    change.repo.git(["add", "own.txt"]);
    change.repo.git(["commit", "--quiet", "--amend", "--no-edit"]);
    assert!(change.repo.id_if_any("HEAD^2").is_some());
    let mut expected = change.all_added();
    expected.push(&token);
    scan(&change.diff(&["--merge-base", "main"])).holds_exactly(&expected);
}

#[test]
fn a_second_place_of_an_old_secret_is_added_and_the_first_is_earlier() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("copied") else { return };
    let token = Token::new("diff, copied");
    let base = repo.commit_file("old.txt", token.line());
    repo.commit_file("copy.txt", token.line());
    let results = scan(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).paths(), ["copy.txt"]);
}

#[test]
fn a_rename_in_the_range_adds_nothing() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("renamed") else { return };
    let base = repo.commit_file("old.txt", Token::new("diff, renamed").line());
    repo.git(["mv", "old.txt", "new.txt"]);
    repo.commit("Rename");
    scan(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path())).holds_exactly(&[]);
}

#[test]
fn an_empty_range_says_so() {
    let Some(change) = change("empty range") else { return };
    change.diff(&["HEAD..HEAD"]).go().exits(0).says(&["nothing"]);
}

#[test]
fn a_key_completed_in_the_range_is_added() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("completed") else { return };
    let token = Token::new("diff, completed");
    let base = repo.commit_file("half.txt", format!("see {}", &token.text()[..20]));
    let commit = repo.commit_file("half.txt", format!("see {}\n", token.text()));
    let results = scan(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().first, Some(commit));
}

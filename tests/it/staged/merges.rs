//! A merge in progress has two old sides, and an index in conflict several contents for one path.

use super::{Fixture, fixture};
use crate::harness::Token;

/// A repository with branch `topic`, whose tip has `theirs` in `a.txt`, and `main`, whose tip has `ours`; the merge has
/// been started.
fn merging(base: &str, ours: &str, theirs: &str) -> Option<Fixture> {
    let fixture = fixture(&[("a.txt", base.as_bytes()), ("b.txt", b"b\n")])?;
    fixture.repo.git(["switch", "--quiet", "--create", "topic"]);
    fixture.repo.commit_file("a.txt", theirs);
    fixture.repo.commit_file("topic.txt", "only there\n");
    fixture.repo.git(["switch", "--quiet", "main"]);
    fixture.repo.commit_file("a.txt", ours);
    fixture.repo.commit_file("main.txt", "only here\n");
    // Fails on a conflict, which is what some of the tests want.
    let _ = fixture.repo.git_succeeds(&["merge", "--no-commit", "--no-ff", "topic"]);
    assert!(fixture.repo.id_if_any("MERGE_HEAD").is_some(), "a merge is in progress");
    Some(fixture)
}

#[test]
fn what_the_other_branch_brings_is_not_new() {
    let token = Token::new("merged in");
    let base = "1\n2\n3\n4\n5\n6\n7\n";
    let Some(fixture) = merging(base, "one\n2\n3\n4\n5\n6\n7\n", &format!("{base}{}", token.line())) else { return };
    fixture.scan().holds_exactly(&[]);
    let new = Token::new("added while merging");
    fixture.stage("b.txt", new.line());
    fixture.scan().holds_exactly(&[&new]);
}

#[test]
fn a_secret_put_together_from_both_sides_is_new() {
    let token = Token::new("merged together");
    let (first, second) = token.text().split_at(20);
    let Some(fixture) = merging("a\nb\n", &format!("{first}\n"), &format!("{second}\n")) else { return };
    fixture.stage("a.txt", token.line());
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn stages_of_a_conflict_are_scanned() {
    let (ours, theirs) = (Token::new("conflict, ours"), Token::new("conflict, theirs"));
    let Some(fixture) = merging("base\n", &ours.line(), &theirs.line()) else { return };
    assert!(!fixture.repo.git(["ls-files", "--unmerged"]).is_empty(), "there is a conflict");
    // Each is what its own side has.
    fixture.scan().holds_exactly(&[]);
    // A stage that no side has: as left by a tool that rewrote it.
    let new = Token::new("conflict, neither");
    let blob = fixture.repo.blob(new.line().as_bytes());
    let info = format!("100644 {blob} 3\ta.txt\n");
    fixture.repo.git_with(["update-index", "--index-info"], &[], info.as_bytes());
    fixture.scan().holds_exactly(&[&new]);
}

//! Every form of index that git writes.

use super::fixture;
use crate::harness::{Repo, Token};

#[test]
fn indexes_of_every_version() {
    for version in ["2", "3", "4"] {
        let Some(fixture) = fixture(&[("deep/er/one.txt", b"1\n"), ("deep/er/two.txt", b"2\n")]) else { return };
        let token = Token::new(&format!("index version {version}"));
        fixture.stage("deep/er/three.txt", token.line());
        fixture.repo.git(["update-index", "--index-version", version]);
        // Version 3 is written only where an entry needs it.
        fixture.repo.git(["update-index", "--skip-worktree", "readme.txt"]);
        fixture.scan().holds_exactly(&[&token]);
    }
}

#[test]
fn a_split_index_is_read_whole() {
    let Some(fixture) = fixture(&[("a.txt", b"1\n")]) else { return };
    let (shared, own) = (Token::new("shared index"), Token::new("split index"));
    fixture.stage("b.txt", shared.line());
    fixture.repo.git(["update-index", "--split-index"]);
    fixture.stage("c.txt", own.line());
    let folder = std::fs::read_dir(fixture.repo.path().join(".git")).expect("it is a repository");
    let names = folder.map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into_owned());
    assert!(names.into_iter().any(|name| name.starts_with("sharedindex.")), "git has split the index");
    fixture.scan().holds_exactly(&[&shared, &own]);
}

#[test]
fn a_sparse_index_stands_for_what_it_folds() {
    let (old, new) = (Token::new("folded away"), Token::new("beside folded folders"));
    let folded = old.line();
    let files: [(&str, &[u8]); 3] =
        [("in/a.txt", b"a\n"), ("out/b.txt", folded.as_bytes()), ("out/deep/c.txt", b"c\n")];
    let Some(fixture) = fixture(&files) else { return };
    fixture.repo.git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    let listed = fixture.repo.git(["ls-files", "--sparse"]);
    assert!(listed.lines().any(|line| line == "out/"), "git has folded it: {listed}");
    fixture.scan().holds_exactly(&[]);
    fixture.stage("in/new.txt", new.line());
    fixture.scan().holds_exactly(&[&new]);
    let history = crate::harness::scan(&crate::harness::keytrail(["history", fixture.repo.spelled()]));
    history.holds_exactly(&[&old, &new]);
}

#[test]
fn entries_that_git_is_told_to_overlook_are_not() {
    let Some(fixture) = fixture(&[("a.txt", b"a\n"), ("b.txt", b"b\n")]) else { return };
    let tokens = ["assume unchanged", "skip worktree"].map(|flag| Token::new(&format!("index flag, {flag}")));
    for (token, (path, flag)) in tokens.iter().zip([("a.txt", "--assume-unchanged"), ("b.txt", "--skip-worktree")]) {
        fixture.stage(path, token.line());
        fixture.repo.git(["update-index", flag, path]);
    }
    fixture.scan().holds_exactly(&tokens.iter().collect::<Vec<_>>());
}

#[test]
fn a_cache_tree_that_lies_is_not_believed() {
    // What git's own cache of trees in the index says must agree with the entries, or count for nothing.
    let Some(fixture) = fixture(&[("deep/a.txt", b"a\n"), ("deep/b.txt", b"b\n")]) else { return };
    let token = Token::new("behind a cache tree");
    fixture.repo.git(["write-tree"]);
    fixture.stage("deep/a.txt", token.line());
    fixture.scan().holds_exactly(&[&token]);
    fixture.repo.git(["write-tree"]);
    fixture.scan().holds_exactly(&[&token]);
    fixture.repo.git(["read-tree", "HEAD"]);
    fixture.run().go().exits(0).says(&["nothing"]);
}

/// Takes every object out of the repository's store but those that `revisions` name.
fn forget_all_but(repo: &Repo, revisions: &[&str]) -> usize {
    let keep: Vec<String> = revisions.iter().map(|revision| repo.id(revision)).collect();
    let mut gone = 0;
    let folders = std::fs::read_dir(repo.path().join(".git/objects")).expect("it is a repository").flatten();
    for folder in folders.filter(|folder| folder.file_name().len() == 2) {
        for object in std::fs::read_dir(folder.path()).expect("it is a folder").flatten() {
            let id = [folder.file_name(), object.file_name()].map(|name| name.to_string_lossy().into_owned()).concat();
            if !keep.contains(&id) {
                std::fs::remove_file(object.path()).expect("it is ours");
                gone += 1;
            }
        }
    }
    gone
}

#[test]
fn only_what_changed_is_looked_at() {
    let other = |at: usize| (format!("lib/{}/{}/file{at}.txt", at % 5, at % 3), format!("text {at}\n"));
    let others: Vec<_> = (0..60).map(other).collect();
    let mut files: Vec<(&str, &[u8])> = others.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
    files.extend([("app/main.txt", &b"one\n"[..]), ("app/other.txt", b"other\n"), ("app/in/deep.txt", b"deep\n")]);
    let (token, message) = (Token::new("among forgotten objects"), "one\ntwo\n");
    for (text, expected) in [(message.to_owned(), vec![]), (token.line(), vec![&token])] {
        // As `git add` leaves the index, and as `git commit` does before it runs the hook: with all trees written.
        for is_written in [false, true] {
            let Some(fixture) = fixture(&files) else { return };
            fixture.stage("app/main.txt", &text);
            let mut keep = vec!["HEAD", "HEAD^{tree}", "HEAD:app", "HEAD:app/main.txt", ":app/main.txt"];
            let tree = if is_written { fixture.repo.git(["write-tree"]) } else { String::new() };
            let app = format!("{tree}:app");
            if is_written {
                keep.extend([tree.as_str(), app.as_str()]);
            }
            let gone = forget_all_but(&fixture.repo, &keep);
            assert!(gone > 60, "the blobs and trees of all other folders: {gone}");
            let found = fixture.scan();
            found.holds_exactly(&expected);
            assert_eq!(found.unread_kinds(), [""; 0]);
            if expected.is_empty() {
                fixture.run().go().exits(0);
            }
        }
    }
}

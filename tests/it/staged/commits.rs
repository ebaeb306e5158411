//! Real commits with a real hook, inline markers, messages.

use super::{Fixture, fixture};
use crate::harness::{Token, hold_printed, scan};

/// Installs a pre-commit hook that runs the binary and keeps what it printed.
fn install(fixture: &Fixture) {
    let printed = fixture.workspace.path("printed");
    let line = format!("'{}' staged >'{}' 2>&1", env!("CARGO_BIN_EXE_keytrail"), printed.display());
    fixture.repo.hook("pre-commit", &line);
}

/// Commits with the hook; gives whether git went through with it, after holding to account what the hook printed.
fn commits(fixture: &Fixture, args: &[&str]) -> bool {
    let words = [&["commit", "--quiet", "--message", "x"], args].concat();
    let done = fixture.repo.git_succeeds(&words);
    let printed = std::fs::read(fixture.workspace.path("printed")).expect("the hook ran");
    hold_printed("the pre-commit hook", &printed, false);
    std::fs::remove_file(fixture.workspace.path("printed")).expect("it was just read");
    done
}

#[cfg(unix)]
#[test]
fn a_partial_commit_is_judged_by_what_it_records() {
    let Some(fixture) = fixture(&[("a.txt", b"a\n"), ("b.txt", b"b\n")]) else { return };
    install(&fixture);
    let token = Token::new("partial commit");
    fixture.stage("b.txt", token.line());
    fixture.repo.write("a.txt", "better\n");
    let before = fixture.repo.id("HEAD");
    assert!(commits(&fixture, &["--", "a.txt"]), "the secret isn't part of this commit");
    let after = fixture.repo.id("HEAD");
    assert_ne!(before, after);
    assert!(!commits(&fixture, &["--", "b.txt"]), "it is part of this one");
    assert!(!commits(&fixture, &["--all"]), "and of this one");
    assert_eq!(fixture.repo.id("HEAD"), after);
    fixture.repo.write("b.txt", "clean\n");
    assert!(!commits(&fixture, &[]), "what is staged counts, not the work tree");
    assert!(commits(&fixture, &["--all"]), "a cleaned file goes through");
}

#[cfg(unix)]
#[test]
fn the_hook_works_in_a_linked_worktree() {
    let Some(mut fixture) = fixture(&[("a.txt", b"a\n")]) else { return };
    install(&fixture);
    let elsewhere = fixture.workspace.path("linked");
    fixture.repo.git(["worktree", "add", "--quiet", "-b", "other", elsewhere.to_str().expect("a plain name")]);
    fixture.repo = fixture.repo.at(elsewhere);
    fixture.stage("a.txt", Token::new("hook in a worktree").line());
    assert!(!commits(&fixture, &[]));
    fixture.stage("a.txt", "clean\n");
    assert!(commits(&fixture, &[]));
}

#[test]
fn an_inline_marker_suppresses_and_is_listed() {
    let Some(fixture) = fixture(&[]) else { return };
    let token = Token::new("allowed inline");
    fixture.stage("a.py", format!("key = '{}'  # keytrail:allow revoked in May\n", token.text()));
    let results = fixture.scan();
    results.holds_exactly(&[&token]);
    assert_eq!(results.code, 0);
    assert_eq!(results.of(&token).suppressions(), [("inSource".to_owned(), "accepted".to_owned())]);
    fixture.run().go().says(&["suppressed"]);

    let strict = scan(&fixture.run().arg("--no-inline-allow"));
    assert_eq!(strict.code, 1);
    assert!(strict.of(&token).is_open());
}

#[test]
fn markers_of_other_scanners_are_honoured() {
    for marker in ["gitleaks:allow", "trufflehog:ignore", "pragma: allowlist secret"] {
        let Some(fixture) = fixture(&[]) else { return };
        let token = Token::new(&format!("allowed by {marker}"));
        fixture.stage("a.py", format!("key = '{}'  # {marker}\n", token.text()));
        let results = fixture.scan();
        results.holds_exactly(&[&token]);
        assert_eq!(results.code, 0, "{marker}");
    }
}

#[test]
fn a_marker_speaks_for_its_own_line_only() {
    let Some(fixture) = fixture(&[]) else { return };
    let (allowed, other) = (Token::new("marked line"), Token::new("unmarked line"));
    let text = format!("a = '{}'  # keytrail:allow revoked\nb = '{}'\n", allowed.text(), other.text());
    fixture.stage("a.py", text);
    let results = fixture.scan();
    results.holds_exactly(&[&allowed, &other]);
    assert_eq!(results.code, 1);
    assert!(!results.of(&allowed).is_open() && results.of(&other).is_open());
}

#[test]
fn the_message_of_the_commit_to_be_is_scanned() {
    let Some(fixture) = fixture(&[]) else { return };
    let token = Token::new("message to be");
    fixture.stage("a.txt", "clean\n");
    let message = fixture.workspace.write("COMMIT_EDITMSG", format!("Deploy\n\nwith {}\n", token.text()));
    let results = scan(&fixture.run().arg("--message").arg(&message));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().part, "commit message");
}

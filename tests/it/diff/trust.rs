//! Whose word counts: a change under review can't excuse itself.

use crate::harness::{Repo, Token, Workspace, keytrail, scan};

/// How a change might try to silence its own secret: files it brings along, and the line that the secret stands on.
struct Excuse {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The line, `{}` for the secret.
    line: &'static str,
}

const EXCUSES: [Excuse; 4] = [
    Excuse {
        what: "configuration",
        files: &[(".keytrail.toml", "version = 1\n[scan]\nexclude = [\"app.py\", \"**\"]\n")],
        line: "key = '{}'\n",
    },
    Excuse { what: "inline marker", files: &[], line: "key = '{}'  # keytrail:allow it is fine\n" },
    Excuse { what: "marker of another scanner", files: &[], line: "key = '{}'  # gitleaks:allow\n" },
    Excuse {
        what: "GitHub's paths-ignore",
        files: &[(".github/secret_scanning.yml", "paths-ignore:\n  - \"app.py\"\n  - \"**\"\n")],
        line: "key = '{}'\n",
    },
];

/// A repository and the id of its first commit.
fn base(files: &[(&str, &str)]) -> Option<(Workspace, Repo, String)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("trust")?;
    repo.write("readme.txt", "hello\n");
    for (path, text) in files {
        repo.write(path, text);
    }
    let id = repo.commit("Begin");
    Some((workspace, repo, id))
}

#[test]
fn what_the_change_brings_does_not_silence_it() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, id)) = base(&[]) else { return };
        let token = Token::new(&format!("excused by its own {}", excuse.what));
        for (path, text) in excuse.files {
            repo.write(path, text);
        }
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        let range = format!("{id}..HEAD");
        for args in [&[range.as_str()][..], &[&range, "--trust", "base"], &["--merge-base", &id]] {
            let results = scan(&keytrail(["diff"]).args(args).within(repo.path()));
            results.holds_exactly(&[&token]);
            assert_eq!(results.code, 1, "{}, {args:?}", excuse.what);
        }
        if excuse.what.contains("marker") {
            let results = scan(&keytrail(["diff", &range]).within(repo.path()));
            let suppressions = results.of(&token).suppressions();
            assert_eq!(suppressions, [("inSource".to_owned(), "underReview".to_owned())], "{}", excuse.what);
        }
    }
}

#[test]
fn who_trusts_the_head_lets_it_speak() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, id)) = base(&[]) else { return };
        let token = Token::new(&format!("excused by a trusted {}", excuse.what));
        for (path, text) in excuse.files {
            repo.write(path, text);
        }
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        let results = scan(&keytrail(["diff", &format!("{id}..HEAD"), "--trust", "head"]).within(repo.path()));
        assert_eq!(results.code, 0, "{}", excuse.what);
    }
}

#[test]
fn what_was_there_before_the_change_counts() {
    let config = "version = 1\n[scan]\nexclude = [\"vendor/**\"]\n";
    let Some((_workspace, repo, id)) = base(&[(".keytrail.toml", config)]) else { return };
    let (vendored, own) = (Token::new("excluded by the base"), Token::new("beside the excluded"));
    repo.write("vendor/lib.js", vendored.line());
    // Taking the exclude away is the change's word as well.
    repo.remove(".keytrail.toml");
    repo.commit_file("app.py", own.line());
    let results = scan(&keytrail(["diff", &format!("{id}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&own]);
    let named = results.scans[0]["settingsFrom"].as_str().unwrap_or_default();
    assert!(named.contains(&id[..7]), "the report names the commit its settings came from: {named}");
}

#[test]
fn a_repository_named_as_an_argument_does_not_speak_for_itself() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, _id)) = base(excuse.files) else { return };
        let token = Token::new(&format!("named from outside, {}", excuse.what));
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        for command in ["history", "files"] {
            let results = scan(&keytrail([command, repo.spelled()]));
            results.holds_exactly(&[&token]);
            assert_eq!(results.code, 1, "{command}, {}", excuse.what);
        }
    }
}

#[test]
fn the_own_repository_speaks_for_itself() {
    let config = "version = 1\n[scan]\nexclude = [\"vendor/**\"]\n";
    let Some((_workspace, repo, _id)) = base(&[(".keytrail.toml", config)]) else { return };
    let (vendored, own) = (Token::new("own repository, excluded"), Token::new("own repository, found"));
    repo.write("vendor/lib.js", vendored.line());
    repo.commit_file("app.py", own.line());
    for command in ["history", "files"] {
        let results = scan(&keytrail([command]).within(repo.path()));
        results.holds_exactly(&[&own]);
        assert_eq!(results.excluded("exclude"), 1, "{command}");
    }
}

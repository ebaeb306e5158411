//! Entries name values: what happens to the files and commits around them changes nothing.

use base64::Engine as _;

use super::{create, forget, guessable, history, known, setting, state};
use crate::harness::{Repo, Token, Workspace, keytrail, scan};

/// A repository with a strong and a weak secret that are accepted.
fn accepted(label: &str) -> Option<(Workspace, Repo, Token, Token)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("changing")?;
    let (strong, weak) = (Token::new(&format!("{label}, strong")), guessable(&format!("{label}, weak")));
    repo.commit_file("readme.txt", "nothing here\n");
    repo.commit_file("conf.py", format!("{}{}", strong.line(), setting("db", &weak)));
    create(&repo);
    repo.commit("Accept");
    Some((workspace, repo, strong, weak))
}

/// Expects both to be known and nothing else to be found.
fn holds(repo: &Repo, strong: &Token, weak: &Token, what: &str) {
    for command in ["history", "files"] {
        let results = scan(&keytrail([command]).within(repo.path()));
        results.holds_exactly(&[strong, weak]);
        assert_eq!(results.code, 0, "{command} after {what}");
        for token in [strong, weak] {
            assert_eq!(state(&results, token), known(), "{token:?} in {command} after {what}");
        }
    }
}

/// Rewrites the history to one commit that holds the work tree, so that what was there before is gone.
fn squash(repo: &Repo) {
    repo.git(["checkout", "--quiet", "--orphan", "anew"]);
    repo.commit("All in one");
    repo.git(["branch", "--quiet", "-D", "main"]);
    forget(repo);
    repo.git(["gc", "--quiet", "--prune=now"]);
}

#[test]
fn entries_survive_moved_lines_renames_and_line_ends() {
    let Some((_workspace, repo, strong, weak)) = accepted("moved") else { return };
    let lines = format!("{}{}", strong.line(), setting("db", &weak));
    let changes: [(&str, &str, String); 4] = [
        ("moved lines", "conf.py", format!("{}{lines}", "# a line above\n".repeat(50))),
        ("CRLF", "conf.py", lines.replace('\n', "\r\n")),
        ("a rename", "src/settings/other.ini", lines.clone()),
        ("another name for it", "src/settings/other.ini", format!("{}{}", strong.line(), setting("cache", &weak))),
    ];
    for (what, path, text) in changes {
        repo.git(["rm", "--quiet", "-r", "--ignore-unmatch", "conf.py", "src"]);
        repo.commit_file(path, text);
        holds(&repo, &strong, &weak, what);
    }
    squash(&repo);
    holds(&repo, &strong, &weak, "all of it at once, in a new history");
}

#[test]
fn entries_survive_another_encoding() {
    let Some((_workspace, repo, strong, weak)) = accepted("encoded") else { return };
    let lines = format!("{}{}", strong.line(), setting("db", &weak));
    let wide: Vec<u8> = [0xfeff].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    repo.commit_file("conf.py", wide);
    holds(&repo, &strong, &weak, "UTF-16");
    let encoded = base64::engine::general_purpose::STANDARD.encode(&lines);
    repo.commit_file("conf.py", format!("blob: {encoded}\n"));
    holds(&repo, &strong, &weak, "base64");
    squash(&repo);
    holds(&repo, &strong, &weak, "base64 alone");
}

#[test]
fn entries_survive_repacking_rebases_and_squashes() {
    let Some((_workspace, repo, strong, weak)) = accepted("rewritten") else { return };
    repo.git(["gc", "--quiet", "--aggressive", "--prune=now"]);
    holds(&repo, &strong, &weak, "a repack");
    repo.git(["checkout", "--quiet", "-b", "side", "HEAD~2"]);
    repo.commit_file("other.txt", "text\n");
    repo.git(["rebase", "--quiet", "side", "main"]);
    holds(&repo, &strong, &weak, "a rebase");
    squash(&repo);
    holds(&repo, &strong, &weak, "a squash");
}

#[test]
fn a_new_secret_beside_an_accepted_one_counts() {
    let Some((_workspace, repo, strong, weak)) = accepted("beside") else { return };
    let (other, another) = (Token::new("beside, new"), guessable("beside, new and weak"));
    // On the same lines, in the same file, under the same names.
    let text = format!("{} {}{}", strong.line().trim_end(), other.line(), setting("db", &another));
    repo.commit_file("conf.py", text);
    let results = history(&repo);
    results.holds_exactly(&[&strong, &weak, &other, &another]);
    assert_eq!(results.code, 1);
    for (token, is_open) in [(&strong, false), (&weak, false), (&other, true), (&another, true)] {
        assert_eq!(results.of(token).is_open(), is_open, "{token:?}");
    }
}

//! Versions of files are scanned by what changed between them: the same findings as when each is scanned in full.

use std::path::Path;

use crate::harness::{Run, Token, Workspace, keytrail};

/// Expects one report whether versions are scanned by what changed or with `others`, lists of flags.
fn is_the_same_in_full(run: &Run, others: &[&[&str]], codes: &[i32]) -> Vec<u8> {
    let with = |flags: &[&str]| run.clone().args(["--format", "jsonl"]).args(flags).go().exits_one_of(codes).stdout;
    let changed = with(&[]);
    for flags in others {
        assert!(with(flags) == changed, "{flags:?} differs: {run:?}");
    }
    changed
}

/// A text of `lines` lines that git finds alike.
fn lines(lines: usize) -> Vec<String> {
    (0..lines).map(|n| format!("line {n}: nothing to see, {} words of it", n * 7919 % 1009)).collect()
}

#[test]
fn secrets_in_versions_of_a_file() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("versions") else { return };
    let tokens: Vec<Token> = (0..8).map(|n| Token::new(&format!("edits {n}"))).collect();
    let middle = |token: &Token| {
        let text = token.text();
        text.split_at(text.len() / 2).0.to_owned()
    };
    let mut text = lines(400);
    for version in 0..64 {
        let token = &tokens[version / 8 % tokens.len()];
        let at = version * 37 % text.len();
        match version % 8 {
            0 => text[at] = token.line(),
            // Cut by what is put into it, then put together again.
            1 => text[at] = format!("{}-{}", middle(token), &token.text()[middle(token).len()..]),
            2 => text[at] = format!("x{}", token.text()),
            3 => text.insert(0, token.text().to_owned()),
            4 => text.push(token.text().to_owned()),
            5 => {
                let moved = text.split_off(at);
                text.splice(0..0, moved);
            }
            6 => text.extend_from_within(at..(at + 30).min(text.len())),
            _ => drop(text.drain(..1.min(text.len()))),
        }
        // Without an end of line, so that the end of the file is an edge too.
        repo.write("notes.txt", text.join("\n"));
        repo.commit("Change the notes");
    }
    repo.git(["repack", "-adfq", "--depth=50", "--window=100"]);
    let packed = repo.git(["verify-pack", "-v", &index_of_the_pack(repo.path())]);
    let deltas = packed.lines().filter(|line| line.contains(" blob ") && line.split_whitespace().count() == 7).count();
    assert!(deltas > 50, "git made {deltas} deltas only");
    let report = is_the_same_in_full(
        &keytrail(["history", repo.spelled()]),
        &[&["--full-scan"], &["--memory", "1"], &["--jobs", "1"], &["--full-scan", "--memory", "1"]],
        &[1],
    );
    let findings =
        String::from_utf8_lossy(&report).lines().filter(|line| line.contains("\"type\":\"finding\"")).count();
    assert!(findings >= 8, "{findings} findings");
}

/// The index of a repository's only pack.
fn index_of_the_pack(repo: &Path) -> String {
    let entries = std::fs::read_dir(repo.join(".git/objects/pack")).expect("there is a folder for packs");
    let mut paths = entries.map(|entry| entry.expect("it can be listed").path());
    let index = paths.find(|path| path.extension().is_some_and(|extension| extension == "idx"));
    index.expect("there is a pack").to_string_lossy().into_owned()
}

#[test]
fn our_own_history() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A packaged crate has none; then there is nothing to compare.
    if own.join(".git").exists() {
        let run = keytrail(["history", "--include-tests", "--unreachable"]).arg(own);
        is_the_same_in_full(&run, &[&["--full-scan"]], &[0, 1, 3]);
    }
}

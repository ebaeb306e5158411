//! Object and ref stores that are damaged, lie, or are of a kind we may not know.

use std::fs;
use std::path::PathBuf;

use crate::harness::{Repo, Run, Token, Workspace, keytrail, scan};

/// `history` of a repository, run elsewhere.
fn history(repo: &Repo) -> Run {
    keytrail(["history", repo.spelled()])
}

/// Files below `.git` whose names end like that.
fn files(repo: &Repo, folder: &str, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repo.path().join(".git").join(folder)).expect("git made it");
    let paths = entries.map(|entry| entry.expect("it is readable").path());
    paths.filter(|path| path.to_string_lossy().ends_with(suffix)).collect()
}

/// Three commits: a secret comes, goes, and something follows.
fn came_and_went(workspace: &Workspace, token: &Token) -> Option<Repo> {
    let repo = workspace.repo("store")?;
    repo.commit_file("a.txt", token.line());
    repo.commit_file("a.txt", "gone\n");
    repo.commit_file("b.txt", "more\n");
    Some(repo)
}

/// Expects the secret, or an end that is no all-clear.
fn finds_or_fails(repo: &Repo, token: &Token) {
    let ran = history(repo).args(["--format", "jsonl", "--show-secrets"]).go();
    match ran.code {
        Some(1) => assert_eq!(ran.results().labels(), [token.label()]),
        Some(2 | 3) => {}
        _ => panic!("exit code {:?}: {}", ran.code, ran.text()),
    }
}

#[test]
fn a_pack_without_its_index_is_not_overlooked() {
    let workspace = Workspace::new();
    let token = Token::new("in a pack without index");
    let Some(repo) = came_and_went(&workspace, &token) else { return };
    repo.git(["gc", "--quiet"]);
    for file in files(&repo, "objects/pack", ".idx") {
        fs::remove_file(file).expect("it is ours");
    }
    history(&repo).go().exits_one_of(&[2, 3]).doesnt_say(&super::ALL_CLEAR);
}

#[test]
fn damaged_helpers_hide_nothing() {
    for helper in ["commit-graph", "multi-pack-index", "bitmap"] {
        for damage in ["garbage", "truncated"] {
            let workspace = Workspace::new();
            let token = Token::new(&format!("behind a {damage} {helper}"));
            let Some(repo) = came_and_went(&workspace, &token) else { return };
            repo.git(["repack", "-a", "-d", "--quiet", "--write-bitmap-index"]);
            repo.git(["multi-pack-index", "write"]);
            repo.git(["commit-graph", "write", "--reachable"]);
            let found: Vec<_> = [files(&repo, "objects/info", helper), files(&repo, "objects/pack", helper)].concat();
            assert_eq!(found.len(), 1, "{helper}: {found:?}");
            fs::remove_file(&found[0]).expect("it is ours");
            fs::write(&found[0], if damage == "garbage" { vec![0x5a; 2000] } else { Vec::new() }).expect("it is ours");
            finds_or_fails(&repo, &token);
        }
    }
}

#[test]
fn a_commit_graph_that_cuts_history_is_not_believed() {
    let workspace = Workspace::new();
    let token = Token::new("cut off by a commit graph");
    let Some(repo) = came_and_went(&workspace, &token) else { return };
    // A graph made while a graft hid the parents: what a hostile repository could carry along.
    let tip = repo.id("HEAD");
    repo.git(["reflog", "expire", "--expire=all", "--all"]);
    repo.git(["commit-graph", "write", "--reachable"]);
    let graph = repo.path().join(".git/objects/info/commit-graph");
    let mut bytes = fs::read(&graph).expect("git wrote it");
    // The data of a commit: tree, then two parents' positions, 0x70000000 for none (gitformat-commit-graph, CDAT).
    let tree: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&repo.id("HEAD^{tree}")[2 * at..2 * at + 2], 16).expect("hex")).collect();
    let at = bytes.windows(20).position(|window| window == tree).expect("the graph names the tip's tree") + 20;
    bytes[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_be_bytes());
    fs::remove_file(&graph).expect("it is ours");
    fs::write(&graph, bytes).expect("it is ours");
    assert_eq!(repo.git(["rev-list", "--count", &tip]), "1", "git itself is taken in");
    let results = scan(&history(&repo));
    results.holds_exactly(&[&token]);
}

#[test]
fn a_ref_to_nothing_is_incomplete() {
    let workspace = Workspace::new();
    let token = Token::new("beside a ref to nothing");
    let Some(repo) = came_and_went(&workspace, &token) else { return };
    let absent = "1234567890".repeat(4);
    repo.write(".git/refs/heads/gone", format!("{absent}\n"));
    let results = scan(&history(&repo));
    assert_eq!((results.code, results.labels()), (3, vec![token.label().to_owned()]));
    history(&repo).go().exits(3).says(&[&absent]).doesnt_say(&super::ALL_CLEAR);
    for text in ["", "garbage\n", "ref: refs/heads/gone\n"] {
        repo.write(".git/refs/heads/gone", text);
        finds_or_fails(&repo, &token);
        assert_ne!(history(&repo).go().code, Some(0));
    }
}

#[test]
fn a_head_that_leads_nowhere_is_no_empty_repository() {
    let workspace = Workspace::new();
    let token = Token::new("behind a broken HEAD");
    let Some(repo) = came_and_went(&workspace, &token) else { return };
    for text in ["ref: refs/heads/none-such\n", "1234567890123456789012345678901234567890\n", "garbage\n", ""] {
        repo.write(".git/HEAD", text);
        let ran = history(&repo).go();
        ran.exits_one_of(&[1, 2, 3]).doesnt_say(&super::ALL_CLEAR);
    }
}

#[test]
fn repositories_of_kinds_we_may_not_know() {
    let workspace = Workspace::new();
    let token = Token::new("in a reftable repository");
    let plain = Workspace::new();
    let Some(probe) = plain.repo("probe") else { return };
    if !probe.git_succeeds(&["init", "--quiet", "--ref-format=reftable", "../reftable-probe"]) {
        return crate::harness::skip("a git that knows reftable");
    }
    let Some(repo) = workspace.init("reftable", &["--ref-format=reftable"]) else { return };
    repo.commit_file("a.txt", token.line());
    repo.commit_file("a.txt", "gone\n");
    finds_or_fails(&repo, &token);
    repo.write("b.txt", token.line());
    repo.git(["add", "b.txt"]);
    let ran = keytrail(["staged"]).within(repo.path()).go();
    ran.exits_one_of(&[1, 2, 3]).doesnt_say(&super::ALL_CLEAR);

    let unknown = Workspace::new();
    let token = Token::new("in a repository of the future");
    let Some(repo) = came_and_went(&unknown, &token) else { return };
    repo.git(["config", "core.repositoryFormatVersion", "1"]);
    repo.git(["config", "extensions.fromTheFuture", "true"]);
    finds_or_fails(&repo, &token);
}

//! The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit framework on real commits, merges and pushes.

use std::ffi::OsStr;
use std::process::Command;

use super::{Done, git, path};
use crate::harness::{Repo, Token, Workspace, hold_printed, name_tokens, skip};

/// What is offered to the framework.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");

/// The Python that has the framework; `None` after noting the skip.
fn python() -> Option<std::ffi::OsString> {
    let program = std::env::var_os("KEYTRAIL_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(&program).args(["-c", "import pre_commit"]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(program);
    }
    skip("python3 with pre_commit");
    None
}

/// A repository whose hooks are the framework's, which runs ours with the program under test.
struct Guarded {
    workspace: Workspace,
    repo: Repo,
    python: std::ffi::OsString,
}

/// Makes one, with our hooks taken from a repository of their own as users take them.
fn guarded(ids: &[&str]) -> Option<Guarded> {
    let python = python()?;
    let workspace = Workspace::new();
    let offering = workspace.repo("keytrail")?;
    offering.write(".pre-commit-hooks.yaml", std::fs::read(MANIFEST).expect("it is ours"));
    let rev = offering.commit("offer");
    let repo = workspace.repo("repo")?;
    let hooks: String = ids.iter().map(|id| format!("      - id: {id}\n")).collect();
    let config = format!("repos:\n  - repo: {}\n    rev: {rev}\n    hooks:\n{hooks}", offering.spelled());
    repo.write(".pre-commit-config.yaml", config);
    repo.commit_file("a.txt", "a\n");
    let guarded = Guarded { workspace, repo, python };
    let types = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];
    let types: Vec<&str> = types.iter().flat_map(|name| ["--hook-type", name]).collect();
    guarded.framework(&[&["install"], &types[..]].concat()).passes();
    Some(guarded)
}

/// All the hooks for commits and pushes.
const ALL: [&str; 3] = ["keytrail-system", "keytrail-message-system", "keytrail-push-system"];

impl Guarded {
    /// Where the framework keeps what it fetched.
    fn store(&self) -> String {
        self.workspace.path("store").to_string_lossy().into_owned()
    }

    /// Runs git with hooks.
    fn git(&self, args: &[&str]) -> Done {
        git(&self.repo, args, &[("PRE_COMMIT_HOME", &self.store()), ("PRE_COMMIT_COLOR", "never")])
    }

    /// Stages a file and commits with hooks.
    fn commit(&self, path: &str, text: &str) -> Done {
        self.repo.write(path, text);
        self.repo.git(["add", "--", path]);
        self.git(&["commit", "--quiet", "--message", "x"])
    }

    /// Runs the framework by hand.
    fn framework(&self, args: &[&str]) -> Done {
        let mut command = Command::new(&self.python);
        command.args(["-m", "pre_commit"]).args(args).current_dir(self.repo.path()).env_clear();
        command.env("PATH", path()).env("HOME", self.workspace.home()).env("PRE_COMMIT_HOME", self.store());
        command
            .env("LC_ALL", "C.UTF-8")
            .env("PRE_COMMIT_COLOR", "never")
            .env("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null"));
        let output = command.output().expect("Python starts");
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n");
        hold_printed(&format!("pre-commit {args:?}"), text.replace('\r', "").as_bytes(), false);
        Done { success: output.status.success(), text: name_tokens(&text) }
    }
}

#[test]
fn commits_are_judged_by_what_they_record() {
    let Some(guarded) = guarded(&ALL) else { return };
    guarded.commit("a.txt", "clean\n").passes();
    let token = Token::new("framework, commit");
    guarded.commit("b.txt", &token.line()).refused(&["keytrail", "b.txt"]);
    // What isn't staged is put aside by the framework and not scanned.
    guarded.repo.git(["rm", "--quiet", "--force", "--cached", "b.txt"]);
    guarded.commit("a.txt", "cleaner\n").passes();
    // A commit of one path among staged ones.
    guarded.repo.git(["add", "b.txt"]);
    guarded.repo.write("a.txt", "cleanest\n");
    guarded.git(&["commit", "--quiet", "--message", "x", "--", "a.txt"]).passes();
    guarded.git(&["commit", "--quiet", "--message", "x", "--", "b.txt"]).refused(&["b.txt"]);
    guarded.git(&["commit", "--quiet", "--message", "x", "--all"]).refused(&["b.txt"]);
    guarded.git(&["commit", "--quiet", "--message", "x", "--no-verify"]).passes();
    // What was there before is no reason to refuse: a new message, an empty commit, a file less.
    guarded.git(&["commit", "--quiet", "--amend", "--message", "better"]).passes();
    guarded.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]).passes();
    guarded.repo.git(["rm", "--quiet", "a.txt"]);
    guarded.git(&["commit", "--quiet", "--message", "less"]).passes();
    // Amending with a new one is.
    guarded.repo.write("c.txt", Token::new("framework, amend").line());
    guarded.repo.git(["add", "c.txt"]);
    guarded.git(&["commit", "--quiet", "--amend", "--no-edit"]).refused(&["c.txt"]);
    guarded.repo.git(["rm", "--quiet", "--force", "c.txt"]);
    let message = Token::new("framework, message").line();
    guarded.git(&["commit", "--quiet", "--allow-empty", "--message", &message]).refused(&["message"]);
}

#[test]
fn merges_are_judged_by_what_they_add() {
    let Some(guarded) = guarded(&ALL) else { return };
    let repo = &guarded.repo;
    repo.git(["checkout", "--quiet", "-b", "topic"]);
    repo.commit_file("t.txt", Token::new("framework, topic").line());
    repo.commit_file("a.txt", "topic\n");
    repo.git(["checkout", "--quiet", "main"]);
    repo.commit_file("m.txt", "main\n");
    guarded.git(&["merge", "--quiet", "--no-ff", "--no-edit", "topic~1"]).passes();
    repo.commit_file("a.txt", "main\n");
    guarded.git(&["merge", "--quiet", "--no-edit", "topic"]).refused(&["CONFLICT"]);
    guarded.commit("a.txt", &Token::new("framework, resolved").line()).refused(&["keytrail", "a.txt"]);
    guarded.commit("a.txt", "both\n").passes();
}

#[test]
fn run_by_hand_nothing_passes_unseen() {
    let Some(guarded) = guarded(&ALL) else { return };
    guarded.framework(&["run", "--all-files"]).passes();
    let clean = guarded.repo.id("HEAD");
    guarded.repo.commit_file("old.txt", Token::new("framework, all files").line());
    guarded.framework(&["run", "--all-files"]).refused(&["old.txt", "all that is tracked was scanned"]);
    guarded.framework(&["run"]).refused(&["old.txt"]);
    guarded.framework(&["run", "--files", "a.txt"]).refused(&["old.txt"]);
    guarded.framework(&["run", "--from-ref", &clean, "--to-ref", "HEAD"]).refused(&["old.txt"]);
    let push = ["run", "--hook-stage", "pre-push"];
    guarded.framework(&[&push[..], &["--from-ref", &clean, "--to-ref", "HEAD"]].concat()).refused(&["old.txt"]);
    guarded.framework(&[&push[..], &["--from-ref", "HEAD", "--to-ref", "HEAD"]].concat()).passes();
    guarded.framework(&[&push[..], &["--all-files"]].concat()).refused(&["nothing was scanned", "--from-ref"]);
    // With something staged, that is what is asked about.
    guarded.repo.write("a.txt", "clean\n");
    guarded.repo.git(["add", "a.txt"]);
    guarded.framework(&["run"]).passes();
}

#[test]
fn the_hook_for_the_tree_scans_all_of_it() {
    let Some(guarded) = guarded(&["keytrail-tree-system"]) else { return };
    guarded.commit("a.txt", "clean\n").passes();
    guarded.repo.commit_file("old.txt", Token::new("framework, tree").line());
    guarded.commit("a.txt", "cleaner\n").refused(&["old.txt"]);
    guarded.framework(&["run", "--all-files"]).refused(&["old.txt"]);
}

#[test]
fn pushes_are_judged_by_what_they_bring() {
    let Some(guarded) = guarded(&ALL) else { return };
    let repo = &guarded.repo;
    let Some(server) = guarded.workspace.bare_repo("server.git") else { return };
    repo.git(["remote", "add", "origin", &server.url()]);
    // The first push of all brings the root commit, which the framework tells by the branch alone.
    repo.git(["checkout", "--quiet", "-b", "leaky"]);
    repo.commit_file("l.txt", Token::new("framework, first push").line());
    repo.commit_file("l.txt", "taken back\n");
    guarded.git(&["push", "--quiet", "origin", "leaky"]).refused(&["l.txt"]);
    assert_eq!(server.id_if_any("leaky"), None);
    repo.git(["checkout", "--quiet", "main"]);
    guarded.git(&["push", "--quiet", "origin", "main"]).passes();
    // A further commit, and a new branch beside it.
    repo.commit_file("p.txt", Token::new("framework, push").line());
    guarded.git(&["push", "--quiet", "origin", "main"]).refused(&["p.txt"]);
    guarded.git(&["push", "--quiet", "origin", "leaky"]).refused(&["l.txt"]);
    repo.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.commit_file("p.txt", "clean\n");
    guarded.git(&["push", "--quiet", "origin", "main", "main:other"]).passes();
    guarded.git(&["push", "--quiet", "origin", ":other"]).passes();
    assert_eq!(server.id("main"), repo.id("main"));
}

#[test]
fn the_manifest_is_valid_and_offers_each_hook_twice() {
    let Some(python) = python() else { return };
    let validate = |path: &str| {
        Command::new(&python).args(["-m", "pre_commit", "validate-manifest", path]).output().expect("Python starts")
    };
    let output = validate(MANIFEST);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    let text = std::fs::read_to_string(MANIFEST).expect("it is ours");
    let workspace = Workspace::new();
    let bad = workspace.write("bad.yaml", text.replace("language: rust", "language: rusty"));
    assert!(!validate(bad.to_str().expect("a plain name")).status.success());
    let of = |word: &str| -> Vec<&str> { text.lines().filter_map(|line| line.trim().strip_prefix(word)).collect() };
    let (ids, entries, languages) = (of("- id: "), of("entry: "), of("language: "));
    assert_eq!(ids.len(), 8);
    for at in (0..ids.len()).step_by(2) {
        assert_eq!(format!("{}-system", ids[at]), ids[at + 1]);
        assert_eq!(entries[at], entries[at + 1]);
        assert_eq!((languages[at], languages[at + 1]), ("rust", "system"));
    }
}

//! `keytrail init` in real repositories, and git running what it installed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::git;
use crate::harness::{Ran, Repo, Token, Workspace, keytrail};

/// A repository with one commit.
fn repository() -> Option<(Workspace, Repo)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("repo")?;
    repo.commit_file("a.txt", "a\n");
    Some((workspace, repo))
}

/// `keytrail init` with these words at the top of `repo`.
fn init(repo: &Repo, words: &[&str]) -> Ran {
    keytrail(["init"]).args(words).within(repo.path()).env("GIT_CONFIG_NOSYSTEM", "1").go()
}

/// Stages a file of that text and commits it with hooks.
fn commit(repo: &Repo, text: &str, variables: &[(&str, &str)]) -> super::Done {
    repo.write("a.txt", text);
    repo.git(["add", "--all"]);
    git(repo, &["commit", "--quiet", "--message", "x"], variables)
}

/// Everything in a folder: names, bytes, modes, where links lead.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>, u32)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| {
            let path = entry.expect("it is readable").path();
            let facts = fs::symlink_metadata(&path).expect("it is there");
            let target = fs::read_link(&path).map(|target| target.into_os_string().into_encoded_bytes());
            let bytes = target.unwrap_or_else(|_| fs::read(&path).expect("a file"));
            (path, bytes, facts.permissions().mode())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_configuration_is_written_once_and_changes_nothing() {
    let Some((_workspace, repo)) = repository() else { return };
    let before = keytrail(["config", "show"]).within(repo.path()).go().exits(0);
    let below = repo.path().join("deep/er");
    fs::create_dir_all(&below).expect("it is ours");
    keytrail(["init"]).within(&below).go().exits(0).says(&["wrote .keytrail.toml", "keytrail init --hook"]);
    let file = repo.path().join(".keytrail.toml");
    let text = fs::read_to_string(&file).expect("it was written");
    let after = keytrail(["config", "show"]).within(repo.path()).go().exits(0);
    let settings = |ran: &Ran| {
        let text = ran.text();
        text.lines()
            .filter(|line| !line.contains("from"))
            .map(|line| line.split('#').next().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert!(settings(&before).len() > 5);
    assert_eq!(settings(&before), settings(&after));
    fs::write(&file, "version = 1\n").expect("it is ours");
    init(&repo, &[]).exits(0).says(&["kept .keytrail.toml", "--force"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "version = 1\n");
    init(&repo, &["--force"]).exits(0).says(&["replaced .keytrail.toml"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o111, 0);
}

#[test]
fn outside_of_a_work_tree_it_says_what_to_do() {
    let workspace = Workspace::new();
    keytrail(["init"]).within(workspace.path("")).go().exits(2).says(&["no git repository here", "git init"]);
    let Some(bare) = workspace.bare_repo("bare.git") else { return };
    init(&bare, &["--hook"]).exits(2).says(&["bare", "clone"]);
}

#[test]
fn a_hook_refuses_what_has_a_secret_and_can_be_skipped_aloud() {
    let Some((_workspace, repo)) = repository() else { return };
    init(&repo, &["--hook"]).exits(0).says(&["wrote .git/hooks/pre-commit"]);
    init(&repo, &["--hook"]).exits(0).says(&["up to date", "kept .keytrail.toml"]);
    let token = Token::new("plain hook");
    commit(&repo, "clean\n", &[]).passes();
    commit(&repo, &token.line(), &[]).refused(&["a.txt"]);
    // Without keytrail on PATH it fails loudly; git itself must be found.
    let only_git = Workspace::new();
    for program in ["git", "sh"] {
        let Some(real) = crate::harness::tool(program) else { return };
        symlink(real, only_git.path(program)).expect("a link");
    }
    let empty = only_git.path("").to_string_lossy().into_owned();
    commit(&repo, "clean again\n", &[("PATH", &empty)]).refused(&["keytrail is not on PATH", "nothing was scanned"]);
    commit(&repo, &token.line(), &[("SKIP", "other,keytrail")]).passes().says(&["nothing was scanned"]);
    commit(&repo, &Token::new("plain hook, 2").line(), &[("SKIP", "keytrail-tree")]).refused(&["a.txt"]);
}

#[test]
fn messages_and_pushes_are_guarded_too() {
    let Some((workspace, repo)) = repository() else { return };
    let Some(server) = workspace.bare_repo("server.git") else { return };
    repo.git(["remote", "add", "origin", &server.url()]);
    init(&repo, &["--hook", "pre-commit,commit-msg,pre-push"]).exits(0).says(&["commit-msg", "pre-push"]);
    let token = Token::new("plain hook, message");
    git(&repo, &["commit", "--allow-empty", "--message", &token.line()], &[]).refused(&["message"]);
    git(&repo, &["push", "--quiet", "origin", "main"], &[]).passes();
    let before = repo.id("HEAD");
    repo.commit_file("b.txt", Token::new("plain hook, push").line());
    repo.commit_file("b.txt", "taken back\n");
    git(&repo, &["push", "--quiet", "origin", "main"], &[]).refused(&["b.txt"]);
    assert_eq!(server.id("main"), before);
    git(&repo, &["push", "--quiet", "origin", "main"], &[("SKIP", "keytrail")]).passes();
}

#[test]
fn a_hook_that_was_there_runs_after_and_comes_back() {
    let Some((workspace, repo)) = repository() else { return };
    let Some(server) = workspace.bare_repo("server.git") else { return };
    repo.git(["remote", "add", "origin", &server.url()]);
    let seen = workspace.path("seen");
    let told = |name: &str| format!("echo {name} \"$@\" >>'{0}'; cat >>'{0}'; test ! -e '{0}.no'", seen.display());
    let hooks = repo.path().join(".git/hooks");
    fs::remove_dir_all(&hooks).expect("git made samples");
    for name in ["commit-msg", "pre-push"] {
        repo.hook(name, &told(name));
    }
    // One is a link, as some tools install it.
    let real = workspace.script("real-hook", &told("pre-commit"));
    symlink(&real, hooks.join("pre-commit")).expect("a link");
    let script = fs::read(&real).expect("it is there");
    let before = contents(&hooks);
    let all = "pre-commit,commit-msg,pre-push";
    init(&repo, &["--hook", all]).exits(0).says(&["runs after it", "pre-commit.keytrail-chained"]);
    let installed = contents(&hooks);
    init(&repo, &["--hook", all]).exits(0);
    assert_eq!(contents(&hooks), installed, "a second time nothing changes");

    commit(&repo, "clean\n", &[]).passes();
    git(&repo, &["push", "--quiet", "origin", "main"], &[]).passes();
    let text = fs::read_to_string(&seen).expect("theirs ran");
    let id = repo.id("HEAD");
    assert!(text.starts_with("pre-commit\ncommit-msg .git/COMMIT_EDITMSG\n"), "{text}");
    assert!(text.contains(&format!("pre-push origin {}\n", server.url())), "same arguments: {text}");
    assert!(text.contains(&format!("refs/heads/main {id} refs/heads/main {}\n", "0".repeat(40))), "same input: {text}");
    fs::remove_file(&seen).expect("it is ours");
    commit(&repo, &Token::new("chained hook").line(), &[]).refused(&["a.txt"]);
    assert!(!seen.exists(), "ours comes first");
    commit(&repo, "fine\n", &[("SKIP", "keytrail")]).passes();
    assert!(seen.exists(), "theirs isn't skipped");
    workspace.write("seen.no", "");
    commit(&repo, "fine too\n", &[]).refused(&[]);
    repo.commit("past the hooks");
    git(&repo, &["push", "--quiet", "origin", "main"], &[]).refused(&[]);

    init(&repo, &["--uninstall"]).exits(0).says(&["put back .git/hooks/pre-commit", "put back .git/hooks/pre-push"]);
    assert_eq!(contents(&hooks), before);
    assert_eq!(fs::read(&real).expect("it is there"), script, "what a link leads to is never written");
    init(&repo, &["--uninstall"]).exits(0).says(&["which is not keytrail's"]);
    assert_eq!(contents(&hooks), before);
}

#[test]
fn nothing_that_is_kept_is_ever_overwritten() {
    let Some((_workspace, repo)) = repository() else { return };
    repo.hook("pre-commit", "exit 0");
    init(&repo, &["--hook"]).exits(0);
    repo.hook("pre-commit", "echo other");
    let hooks = repo.path().join(".git/hooks");
    let before = contents(&hooks);
    fs::remove_file(repo.path().join(".keytrail.toml")).expect("it was written");
    init(&repo, &["--hook"]).exits(2).says(&["is not keytrail's", "put the two together"]);
    assert!(!repo.path().join(".keytrail.toml").exists(), "nothing is written when something is in the way");
    init(&repo, &["--uninstall"]).exits(0).says(&["left .git/hooks/pre-commit"]);
    assert_eq!(contents(&hooks), before);
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let Some((workspace, repo)) = repository() else { return };
    // From a linked worktree: the hooks of the common folder.
    let linked = workspace.path("linked");
    repo.git(["worktree", "add", "--quiet", "-b", "other", linked.to_str().expect("a plain name")]);
    let linked = repo.at(linked);
    init(&linked, &["--hook"]).exits(0);
    assert!(repo.path().join(".git/hooks/pre-commit").exists());
    commit(&linked, &Token::new("worktree and init").line(), &[]).refused(&["a.txt"]);
    init(&linked, &["--uninstall"]).exits(0);
    // Said by an included file, relative to the top.
    let included = workspace.write("included", "[core]\n\thooksPath = team/hooks\n");
    repo.git(["config", "include.path", included.to_str().expect("a plain name")]);
    init(&repo, &["--hook"]).exits(0).says(&["wrote team/hooks/pre-commit"]);
    commit(&repo, &Token::new("hooksPath and init").line(), &[]).refused(&["a.txt"]);
    init(&repo, &["--uninstall"]).exits(0).says(&["removed team/hooks/pre-commit"]);
    commit(&repo, "clean\n", &[]).passes();
    // Outside: shared with others.
    repo.git(["config", "--unset", "include.path"]);
    repo.git(["config", "core.hooksPath", workspace.path("shared").to_str().expect("a plain name")]);
    init(&repo, &["--hook"]).exits(2).says(&["core.hooksPath", "outside of this repository"]);
    assert!(!workspace.path("shared").exists());
    repo.git(["config", "core.hooksPath", ".husky/_"]);
    init(&repo, &["--hook"]).exits(2).says(&["husky", ".husky/pre-commit"]);
    // By way of a link.
    repo.git(["config", "core.hooksPath", "way/hooks"]);
    fs::create_dir(workspace.path("shared")).expect("it is ours");
    symlink(workspace.path("shared"), repo.path().join("way")).expect("a link");
    init(&repo, &["--hook"]).exits(2).says(&["outside of this repository"]);
    // For all repositories of the user.
    repo.git(["config", "--unset", "core.hooksPath"]);
    let global = workspace.write("global", "[core]\n\thooksPath = ~/hooks\n");
    let run = keytrail(["init", "--hook"]).within(repo.path()).env("GIT_CONFIG_NOSYSTEM", "1");
    run.env("GIT_CONFIG_GLOBAL", global).go().exits(2).says(&["core.hooksPath", "/hooks"]);
}

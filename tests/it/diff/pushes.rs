//! Real pushes through real hooks: `pre-push` where the push starts, `pre-receive` where it arrives and its objects
//! lie in quarantine.

use std::fs;

use crate::harness::{Repo, Token, Workspace, hold_printed};

/// How the hooks call the binary.
const PRE_PUSH: &str = "diff --pre-push";
const PRE_RECEIVE: &str = "diff --pre-receive";

/// A bare repository with one commit, and a clone of it.
struct Pair {
    workspace: Workspace,
    server: Repo,
    clone: Repo,
    /// In the server's `main` since before any hook.
    old: Token,
}

fn pair(label: &str) -> Option<Pair> {
    let workspace = Workspace::new();
    let first = workspace.repo("first")?;
    let old = Token::new(&format!("{label}, long there"));
    first.commit_file("old.txt", old.line());
    let server = first.clone_to("server.git", &["--bare"]);
    let clone = server.clone_to("clone", &[]);
    Some(Pair { workspace, server, clone, old })
}

impl Pair {
    /// Installs a hook that runs the binary with those arguments and keeps what it prints.
    fn install(&self, repo: &Repo, hook: &str, arguments: &str) {
        let printed = self.workspace.path("printed");
        let line = format!("exec '{}' {arguments} >'{}' 2>&1", env!("CARGO_BIN_EXE_keytrail"), printed.display());
        repo.hook(hook, &line);
    }

    /// Pushes; gives whether git went through with it, and what the hook printed.
    fn push(&self, what: &[&str]) -> (bool, String) {
        let done = self.clone.git_succeeds(&[&["push", "--quiet", "origin"], what].concat());
        let printed = fs::read(self.workspace.path("printed")).expect("the hook ran");
        fs::remove_file(self.workspace.path("printed")).expect("it was just read");
        hold_printed("a push hook", &printed, false);
        (done, String::from_utf8(printed).expect("that was checked"))
    }

    /// Expects a push to go through.
    fn passes(&self, what: &[&str]) {
        let (done, printed) = self.push(what);
        assert!(done, "push of {what:?}: {printed}");
    }

    /// Expects a push to be refused for what it holds, with `word` in what the hook says.
    fn is_refused(&self, what: &[&str], word: &str) {
        let before = self.server.git(["for-each-ref"]);
        let (done, printed) = self.push(what);
        assert!(!done, "push of {what:?}: {printed}");
        assert!(printed.contains(word), "{word}: {printed}");
        assert_eq!(self.server.git(["for-each-ref"]), before);
    }

    /// What both kinds of hook must do with pushes of every kind.
    fn goes_through_the_motions(&self, label: &str) {
        let token = |what: &str| Token::new(&format!("{label}, {what}"));
        self.clone.commit_file("clean.txt", "clean\n");
        self.passes(&["main"]);

        self.clone.commit_file("leak.txt", token("new").line());
        let leaking = self.clone.id("HEAD");
        self.is_refused(&["main"], "leak.txt");
        assert!(!self.server.git_succeeds(&["cat-file", "-e", &leaking]), "nothing of it stays");
        self.clone.remove("leak.txt");
        self.clone.commit("Take it out");
        self.is_refused(&["main"], "leak.txt");
        self.clone.git(["reset", "--quiet", "--hard", "origin/main"]);

        // A new branch on top of what is there: its past is no news.
        assert!(self.clone.path().join("old.txt").is_file(), "{:?} is in it", self.old);
        self.clone.git(["switch", "--quiet", "--create", "feature"]);
        self.clone.commit_file("feature.txt", "clean\n");
        self.passes(&["feature"]);
        self.clone.commit_file("second.txt", token("second branch").line());
        self.is_refused(&["feature:another", "main:third"], "second.txt");

        self.clone.git(["tag", "--annotate", "v1", "origin/main", "--message", token("tag").text()]);
        self.is_refused(&["v1"], "v1");
        self.clone.git(["tag", "--annotate", "v2", "origin/main", "--message", "fine"]);
        self.passes(&["v2"]);
        self.passes(&["--delete", "feature"]);
    }
}

#[cfg(unix)]
#[test]
fn pre_push_stops_what_the_remote_does_not_have() {
    let Some(pair) = pair("pre-push") else { return };
    pair.install(&pair.clone, "pre-push", PRE_PUSH);
    pair.goes_through_the_motions("pre-push");
}

#[cfg(unix)]
#[test]
fn pre_receive_reads_objects_in_quarantine() {
    let Some(pair) = pair("pre-receive") else { return };
    pair.install(&pair.server, "pre-receive", PRE_RECEIVE);
    pair.goes_through_the_motions("pre-receive");
}

#[cfg(unix)]
#[test]
fn the_first_push_to_an_empty_server_is_scanned_whole() {
    let workspace = Workspace::new();
    let (Some(server), Some(clone)) = (workspace.bare_repo("server.git"), workspace.repo("clone")) else { return };
    let old = Token::new("first push");
    clone.commit_file("old.txt", old.line());
    clone.commit_file("old.txt", "gone\n");
    clone.git(["remote", "add", "origin", &server.url()]);
    let pair = Pair { workspace, server, clone, old };
    for (repo, hook, arguments) in [(&pair.clone, "pre-push", PRE_PUSH), (&pair.server, "pre-receive", PRE_RECEIVE)] {
        pair.install(repo, hook, arguments);
        pair.is_refused(&["main"], "old.txt");
        pair.clone.hook(hook, "exit 0");
    }
}

#[cfg(unix)]
#[test]
fn what_a_push_says_of_itself_counts_for_nothing_on_the_server() {
    let Some(pair) = pair("pre-receive trust") else { return };
    pair.install(&pair.server, "pre-receive", PRE_RECEIVE);
    let token = Token::new("pre-receive trust, marked");
    pair.clone.commit_file("marked.py", format!("k = '{}'  # keytrail:allow trust me\n", token.text()));
    pair.is_refused(&["main"], "marked.py");
}

#[cfg(unix)]
#[test]
fn input_that_is_no_push_is_an_error() {
    let Some(pair) = pair("junk input") else { return };
    for arguments in [PRE_PUSH, PRE_RECEIVE] {
        let run = crate::harness::keytrail(arguments.split(' ')).within(pair.clone.path()).stdin("junk\n");
        run.go().exits_one_of(&[2, 3]).says(&["line 1"]);
    }
}

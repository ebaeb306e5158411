//! What a repository says about itself changes nothing and runs nothing: replace refs, grafts, configuration,
//! attributes, hooks.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use crate::harness::{Repo, Run, Token, Workspace, keytrail, scan};

/// `history` of a repository, run elsewhere.
fn history(repo: &Repo) -> Run {
    keytrail(["history", repo.spelled()])
}

#[test]
fn a_replaced_blob_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("replaced") else { return };
    let (leaking, replacing) = (Token::new("behind a replace ref"), Token::new("in the replacement"));
    repo.commit_file("a.txt", leaking.line());
    let [id, other] = [repo.id("HEAD:a.txt"), repo.blob(replacing.line().as_bytes())];
    repo.git(["replace", &id, &other]);
    assert_eq!(repo.git(["show", "HEAD:a.txt"]), replacing.line().trim_end(), "git itself is taken in");
    let results = scan(&history(&repo));
    results.holds_exactly(&[&leaking, &replacing]);
    assert_eq!(results.of(&leaking).place().path, "a.txt");
    // The same for a change on top of it.
    repo.write("b.txt", "clean\n");
    repo.write("a.txt", format!("{}more\n", leaking.line()));
    repo.git(["add", "--all"]);
    scan(&keytrail(["staged"]).within(repo.path())).holds_exactly(&[]);
}

#[test]
fn a_staged_blob_that_is_replaced_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("staged") else { return };
    let token = Token::new("staged, behind a replace ref");
    let base = repo.commit_file("readme.txt", "hello\n");
    repo.write("a.txt", token.line());
    repo.git(["add", "a.txt"]);
    let [id, clean] = [repo.id(":a.txt"), repo.blob(b"clean\n")];
    repo.git(["replace", &id, &clean]);
    scan(&keytrail(["staged"]).within(repo.path())).holds_exactly(&[&token]);
    repo.commit_index("Leak");
    scan(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path())).holds_exactly(&[&token]);
}

#[test]
fn history_cut_by_replacing_a_commit_or_by_grafts_is_scanned() {
    for graft_file in [false, true] {
        let workspace = Workspace::new();
        let Some(repo) = workspace.repo("cut") else { return };
        let token = Token::new(if graft_file { "behind a graft file" } else { "behind a replaced commit" });
        let leak = repo.commit_file("a.txt", token.line());
        repo.commit_file("a.txt", "gone\n");
        let tip = repo.commit_file("b.txt", "more\n");
        if graft_file {
            repo.write(".git/info/grafts", format!("{tip}\n"));
        } else {
            repo.git(["replace", "--graft", &tip]);
        }
        assert_eq!(repo.git(["rev-list", "--count", "main"]), "1", "git itself is taken in");
        repo.git(["reflog", "expire", "--expire=all", "--all"]);
        let results = scan(&history(&repo));
        results.holds_exactly(&[&token]);
        assert_eq!(results.of(&token).place().first, Some(leak));
    }
}

/// A repository that would run a program at every turn, and the file that tells whether it did.
struct Trap {
    workspace: Workspace,
    repo: Repo,
    sprung: PathBuf,
    base: String,
    tokens: [Token; 2],
}

/// Sets the trap; tokens are in the last commit and in the index.
fn trap(label: &str) -> Option<Trap> {
    let workspace = Workspace::new();
    let repo = workspace.repo("trap")?;
    let tokens = ["committed", "staged"].map(|what| Token::new(&format!("{label}, {what}")));
    let base = repo.commit_file(".gitattributes", "*.txt filter=x diff=x merge=x\n* text=auto eol=crlf ident\n");
    repo.commit_file("leak.txt", tokens[0].line());
    repo.write("staged.txt", tokens[1].line());
    repo.git(["add", "--all"]);

    let sprung = workspace.path("sprung");
    let canary = workspace.script("canary.sh", &format!("echo \"$0 $*\" >>'{}'\ncat", sprung.display()));
    let canary = canary.to_str().expect("a plain name");
    let hooks = workspace.path("hooks");
    let names = [
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
        "pre-auto-gc",
        "post-merge",
        "proc-receive",
    ];
    for folder in [hooks.clone(), repo.path().join(".git/hooks")] {
        for name in names {
            fs::create_dir_all(&folder).expect("our own folder is writable");
            fs::copy(canary, folder.join(name)).expect("our own folder is writable");
        }
    }
    let included = workspace.write("included", format!("[core]\n\tfsmonitor = {canary}\n\tpager = {canary}\n"));
    let config = format!(
        "[core]\n\tfsmonitor = {canary}\n\thooksPath = {hooks}\n\tsshCommand = {canary}\n\tpager = {canary}\n\
         \teditor = {canary}\n\taskPass = {canary}\n\talternateRefsCommand = {canary}\n\tgitProxy = {canary}\n\
         \tautocrlf = true\n\
         [include]\n\tpath = {included}\n\
         [filter \"x\"]\n\tclean = {canary}\n\tsmudge = {canary}\n\tprocess = {canary}\n\trequired = true\n\
         [diff]\n\texternal = {canary}\n\
         [diff \"x\"]\n\ttextconv = {canary}\n\tcommand = {canary}\n\
         [merge \"x\"]\n\tdriver = {canary}\n\
         [credential]\n\thelper = {canary}\n\
         [gpg]\n\tprogram = {canary}\n\
         [uploadpack]\n\tpackObjectsHook = {canary}\n\
         [remote \"origin\"]\n\turl = ext::{canary} %S\n\tuploadpack = {canary}\n\tpromisor = true\n\
         \tpartialclonefilter = blob:none\n\
         [protocol \"ext\"]\n\tallow = always\n\
         [extensions]\n\tpartialClone = origin\n\
         [alias]\n\thistory = !{canary}\n",
        hooks = hooks.display(),
        included = included.display(),
    );
    let file = repo.path().join(".git/config");
    let own = fs::read_to_string(&file).expect("git wrote it");
    fs::write(&file, own.replace("repositoryformatversion = 0", "repositoryformatversion = 1") + &config)
        .expect("it is ours");
    let _ = fs::remove_file(&sprung);
    Some(Trap { workspace, repo, sprung, base, tokens })
}

impl Trap {
    /// Every command, in the repository and from outside of it.
    fn runs(&self) -> Vec<(Run, Vec<&Token>)> {
        let [committed, staged] = &self.tokens;
        let at = |args: &[&str]| keytrail(args).within(self.repo.path());
        vec![
            // What is staged is kept alive by the index, so it is part of the history of what is here.
            (history(&self.repo), vec![committed, staged]),
            (at(&["history"]), vec![committed, staged]),
            (at(&["staged"]), vec![staged]),
            (at(&["diff", &format!("{}..HEAD", self.base)]), vec![committed]),
            (at(&["diff", "--merge-base", &self.base]), vec![committed]),
            (at(&["files"]), vec![committed, staged]),
            (at(&["files", "--gitignore"]), vec![committed, staged]),
            (keytrail(["image", self.repo.spelled()]), vec![committed, staged]),
        ]
    }
}

#[cfg(unix)]
#[test]
fn configuration_attributes_and_hooks_run_nothing() {
    let Some(trap) = trap("trap") else { return };
    for (run, tokens) in trap.runs() {
        scan(&run).holds_exactly(&tokens);
        let ran = fs::read_to_string(&trap.sprung).unwrap_or_default();
        assert!(ran.is_empty(), "{run:?} ran {ran}");
    }
    // The trap is armed: git walks right into it.
    let _ = trap.repo.git_succeeds(&["diff", "--cached", "--ext-diff"]);
    assert!(trap.sprung.exists(), "git runs what the configuration says");
    assert!(trap.workspace.path("canary.sh").exists());
}

#[cfg(unix)]
#[test]
fn git_s_variables_run_nothing() {
    let Some(mut trap) = trap("variables") else { return };
    let canary = trap.workspace.path("canary.sh");
    // What is in the index must be found with the repository's own configuration out of the way.
    let variables = [
        "GIT_EXTERNAL_DIFF",
        "GIT_SSH_COMMAND",
        "GIT_SSH",
        "GIT_PAGER",
        "GIT_EDITOR",
        "GIT_ASKPASS",
        "GIT_PROXY_COMMAND",
        "PAGER",
        "EDITOR",
        "SSH_ASKPASS",
    ];
    let injected = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.fsmonitor")];
    trap.workspace = trap.workspace.clone();
    for (run, tokens) in trap.runs() {
        let run = variables.iter().fold(run, |run, name| run.env(name, &canary));
        let run =
            injected.iter().fold(run, |run, (name, value)| run.env(name, value)).env("GIT_CONFIG_VALUE_0", &canary);
        scan(&run.env("GIT_TRACE2", "0")).holds_exactly(&tokens);
        assert!(!trap.sprung.exists(), "{}", fs::read_to_string(&trap.sprung).unwrap_or_default());
    }
}

#[test]
fn scanning_writes_nothing_into_a_repository() {
    let Some(trap) = trap("read only") else { return };
    let before = listing(trap.repo.path());
    for (run, tokens) in trap.runs() {
        scan(&run).holds_exactly(&tokens);
    }
    assert_eq!(listing(trap.repo.path()), before);
    assert!(!before.is_empty());
}

/// Every path below a folder, with length and time of change.
fn listing(folder: &std::path::Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("it was made by the test") {
        let path = entry.expect("it was made by the test").path();
        let facts = fs::symlink_metadata(&path).expect("it was made by the test");
        if facts.is_dir() {
            all.extend(listing(&path));
        }
        all.push((path, if facts.is_dir() { 0 } else { facts.len() }, facts.modified().expect("files have times")));
    }
    all.sort();
    all
}

#[test]
fn a_repository_owned_by_somebody_else_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("foreign") else { return };
    let token = Token::new("owned by somebody else");
    repo.commit_file("a.txt", token.line());
    let Some(chown) = crate::harness::tool("chown") else { return };
    let done = std::process::Command::new(chown).args(["-R", "65534:65534"]).arg(repo.path()).output();
    if !done.expect("it starts").status.success() {
        return crate::harness::skip_for_want_of_rights("give files away");
    }
    let taken = repo.try_git(&["status"], &[("GIT_TEST_ASSUME_DIFFERENT_OWNER", OsStr::new("1"))], b"");
    assert!(!taken.status.success(), "git refuses it");
    scan(&history(&repo)).holds_exactly(&[&token]);
    scan(&keytrail(["history"]).within(repo.path())).holds_exactly(&[&token]);
}

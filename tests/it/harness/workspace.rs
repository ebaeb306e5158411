//! A folder of its own for a test, and the real git in it: no configuration but ours, fixed names, a clock that rises
//! by a minute per command.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use super::{name_tokens, tool};

/// Seconds since 1970 at which the clock of every workspace starts: 2023-11-14, 22:13:20 UTC.
const EPOCH: i64 = 1_700_000_000;

/// A temporary folder that goes away with its last user.
#[derive(Clone)]
pub(crate) struct Workspace {
    folder: Arc<TempDir>,
    clock: Arc<AtomicI64>,
}

impl Workspace {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("keytrail-it-").tempdir().expect("a temporary folder");
        Self { folder: Arc::new(folder), clock: Arc::new(AtomicI64::new(EPOCH)) }
    }

    /// The path of `below` in it.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a file, its folders included, and gives its path.
    pub(crate) fn write(&self, below: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        write(&self.path(below), bytes.as_ref())
    }

    /// Writes a program for `/bin/sh`.
    pub(crate) fn script(&self, below: &str, body: &str) -> PathBuf {
        let path = self.write(below, format!("#!/bin/sh\n{body}\n"));
        make_executable(&path);
        path
    }

    /// An empty repository with branch `main`; `None` when there is no git (the test is then a skip).
    pub(crate) fn repo(&self, name: &str) -> Option<Repo> {
        self.init(name, &[])
    }

    /// An empty bare repository.
    pub(crate) fn bare_repo(&self, name: &str) -> Option<Repo> {
        self.init(name, &["--bare"])
    }

    /// `git init` with further flags.
    pub(crate) fn init(&self, name: &str, flags: &[&str]) -> Option<Repo> {
        let git = tool("git")?;
        let path = self.path(name);
        fs::create_dir_all(&path).expect("our own folder is writable");
        let repo = Repo { workspace: self.clone(), program: git, path };
        repo.git(["init", "--quiet"].iter().chain(flags));
        Some(repo)
    }

    /// A home folder without anything in it.
    pub(crate) fn home(&self) -> PathBuf {
        let home = self.path(".home");
        fs::create_dir_all(&home).expect("our own folder is writable");
        home
    }
}

/// A repository in a workspace.
#[derive(Clone)]
pub(crate) struct Repo {
    workspace: Workspace,
    program: PathBuf,
    path: PathBuf,
}

impl Repo {
    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder as text.
    pub(crate) fn spelled(&self) -> &str {
        self.path.to_str().expect("temporary folders have plain names")
    }

    /// The folder that clones can be made from, as a URL: `file://` makes git use its transport.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.spelled())
    }

    /// Runs git, expects success, gives standard output without the last line break.
    pub(crate) fn git(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        self.git_with(args, &[], b"")
    }

    /// The same with variables and standard input.
    pub(crate) fn git_with(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        variables: &[(&str, &OsStr)],
        stdin: &[u8],
    ) -> String {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let output = self.try_git(&args, variables, stdin);
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        assert!(
            output.status.success(),
            "git {}: {}",
            name_tokens(&words.join(" ")),
            name_tokens(&String::from_utf8_lossy(&output.stderr)),
        );
        let text = String::from_utf8_lossy(&output.stdout);
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Runs git and gives whatever came of it.
    pub(crate) fn try_git(&self, args: &[impl AsRef<OsStr>], variables: &[(&str, &OsStr)], stdin: &[u8]) -> Output {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.path).env_clear().envs(self.environment());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(args).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git starts");
        // A git that doesn't read all of its input is no failure of ours.
        let _ = child.stdin.take().expect("it is piped").write_all(stdin);
        child.wait_with_output().expect("git ends")
    }

    /// Whether git succeeds.
    pub(crate) fn git_succeeds(&self, args: &[&str]) -> bool {
        self.try_git(args, &[], b"").status.success()
    }

    /// The variables git runs with; each call is a minute later.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let now = format!("@{} +0000", self.workspace.clock.fetch_add(60, Ordering::Relaxed));
        vec![
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.workspace.home().into()),
            ("LC_ALL", "C".into()),
            ("TZ", "UTC".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("GIT_AUTHOR_NAME", "Ada Author".into()),
            ("GIT_AUTHOR_EMAIL", "ada@keytrail.invalid".into()),
            ("GIT_COMMITTER_NAME", "Cora Committer".into()),
            ("GIT_COMMITTER_EMAIL", "cora@keytrail.invalid".into()),
            ("GIT_AUTHOR_DATE", now.clone().into()),
            ("GIT_COMMITTER_DATE", now.into()),
        ]
    }

    /// Writes a file of the work tree, its folders included.
    pub(crate) fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        write(&self.path.join(path), bytes.as_ref())
    }

    /// Removes a file of the work tree.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path.join(path)).expect("it was written before");
    }

    /// Commits all of the work tree and gives the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        self.commit_index(message)
    }

    /// Commits the index and gives the commit's id.
    pub(crate) fn commit_index(&self, message: &str) -> String {
        self.git(["commit", "--quiet", "--no-verify", "--allow-empty", "--message", message]);
        self.id("HEAD")
    }

    /// Writes one file, commits all, gives the commit's id.
    pub(crate) fn commit_file(&self, path: &str, bytes: impl AsRef<[u8]>) -> String {
        self.write(path, bytes);
        self.commit("change a file")
    }

    /// The id a revision names.
    pub(crate) fn id(&self, revision: &str) -> String {
        self.git(["rev-parse", "--verify", "--quiet", revision])
    }

    /// The id a revision names, if it names one.
    pub(crate) fn id_if_any(&self, revision: &str) -> Option<String> {
        let output = self.try_git(&["rev-parse", "--verify", "--quiet", revision], &[], b"");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Stores `bytes` as a loose blob and gives its id.
    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        self.git_with(["hash-object", "-w", "--stdin"], &[], bytes)
    }

    /// A clone over git's transport, not by hard links.
    pub(crate) fn clone_to(&self, name: &str, flags: &[&str]) -> Self {
        let path = self.workspace.path(name);
        let (url, target) = (self.url(), path.to_string_lossy().into_owned());
        self.git(["clone", "--quiet"].iter().chain(flags).chain(&[url.as_str(), target.as_str()]));
        Self { workspace: self.workspace.clone(), program: self.program.clone(), path }
    }

    /// A byte-for-byte copy of the folder, for tests that go on to change it.
    pub(crate) fn copy_to(&self, workspace: &Workspace, name: &str) -> Self {
        let path = workspace.path(name);
        copy_tree(&self.path, &path);
        Self { workspace: workspace.clone(), program: self.program.clone(), path }
    }

    /// The same repository seen from another folder (a linked worktree).
    pub(crate) fn at(&self, path: PathBuf) -> Self {
        Self { path, ..self.clone() }
    }

    /// Installs a hook for `/bin/sh`.
    pub(crate) fn hook(&self, name: &str, body: &str) {
        let git_dir = PathBuf::from(self.git(["rev-parse", "--absolute-git-dir"]));
        let path = write(&git_dir.join("hooks").join(name), format!("#!/bin/sh\n{body}\n").as_bytes());
        make_executable(&path);
    }
}

/// What git is told for every command, whatever the machine's own settings.
const SETTINGS: [&str; 9] = [
    "init.defaultBranch=main",
    "protocol.file.allow=always",
    "gc.auto=0",
    "maintenance.auto=false",
    "gc.reflogExpire=never",
    "gc.reflogExpireUnreachable=never",
    "core.autocrlf=false",
    "advice.detachedHead=false",
    "core.quotePath=true",
];

/// Writes `bytes` to `path`, its folders included.
fn write(path: &Path, bytes: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("our own folder is writable");
    fs::write(path, bytes).expect("our own folder is writable");
    path.to_owned()
}

/// Sets the permission to run.
fn make_executable(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Copies a folder with everything below it; symbolic links stay links, times of files are kept.
fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("our own folder is writable");
    for entry in fs::read_dir(from).expect("it was made by the test") {
        let entry = entry.expect("it was made by the test");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("it was made by the test");
        if kind.is_dir() {
            copy_tree(&entry.path(), &target);
        } else if kind.is_symlink() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(fs::read_link(entry.path()).expect("it is a link"), &target)
                .expect("our own folder is writable");
        } else {
            fs::copy(entry.path(), &target).expect("our own folder is writable");
            let modified = entry.metadata().and_then(|facts| facts.modified()).expect("files have times");
            let file = fs::File::options().read(true).open(&target).expect("it was just written");
            file.set_modified(modified).expect("it is ours");
        }
    }
}

/// Line and column (1-based, columns in UTF-16 code units) of the first `needle` in `text`: the second witness for
/// what reports say. An invalid byte counts as one unit, as SARIF consumers that decode with replacement see it.
pub(crate) fn text_position(text: &[u8], needle: &[u8]) -> (u64, u64) {
    let at = text.windows(needle.len()).position(|window| window == needle).expect("the fixture holds it");
    let (mut line, mut column) = (1, 1);
    let mut rest = &text[..at];
    while let Some(&first) = rest.first() {
        let whole = (1..=4.min(rest.len())).find_map(|len| Some((len, std::str::from_utf8(&rest[..len]).ok()?)));
        let (len, units) = whole.map_or((1, 1), |(len, text)| (len, text.encode_utf16().count() as u64));
        (line, column) = if first == b'\n' { (line + 1, 1) } else { (line, column + units) };
        rest = &rest[len..];
    }
    (line, column)
}

#[test]
fn positions_are_counted_like_a_reader_does() {
    let text = "ab\nü\u{1d11e}x\n".as_bytes();
    assert_eq!(text_position(text, b"ab"), (1, 1));
    assert_eq!(text_position(text, b"x"), (2, 4));
    assert_eq!(text_position(b"\xff\xfea", b"a"), (1, 3));
}

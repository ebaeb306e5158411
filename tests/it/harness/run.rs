//! Runs the built binary and holds every byte it prints to what must hold always.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::validators::sarif_schema;

use super::{Results, Workspace, leaks_in, name_tokens, unsafe_for_terminals};

/// Where everything that was printed without `--show-secrets` is kept, one file per run of the suite.
pub(crate) const SUITE_LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/it-printed.log");

/// A run that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A run of the binary, about to be.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    args: Vec<OsString>,
    before: Vec<OsString>,
    program: PathBuf,
    folder: PathBuf,
    variables: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    reports: Vec<PathBuf>,
}

/// `keytrail` with these arguments, in a folder with nothing in it.
pub(crate) fn keytrail<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    Run {
        args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
        before: Vec::new(),
        program: env!("CARGO_BIN_EXE_keytrail").into(),
        folder: PathBuf::new(),
        variables: Vec::new(),
        stdin: Vec::new(),
        reports: Vec::new(),
    }
}

impl Run {
    /// Runs in `folder`.
    pub(crate) fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = folder.as_ref().to_owned();
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, |run, arg| run.arg(arg))
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Gives it this as standard input.
    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_owned();
        self
    }

    /// Runs it through another program (`setpriv`, `time`).
    pub(crate) fn through<A: AsRef<OsStr>>(mut self, command: impl IntoIterator<Item = A>) -> Self {
        self.before = command.into_iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// Runs a copy of the binary.
    pub(crate) fn program(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// Names a file that the run writes, to be held to the same as what it prints.
    pub(crate) fn writes(mut self, report: &Path) -> Self {
        self.reports.push(report.to_owned());
        self
    }

    /// Whether the run was asked to print secrets.
    fn shows(&self) -> bool {
        self.args.iter().any(|arg| arg == "--show-secrets")
    }

    /// The command line, secrets named.
    fn spelled(&self) -> String {
        let words: Vec<_> = self.args.iter().map(|arg| arg.to_string_lossy()).collect();
        name_tokens(&format!("keytrail {}", words.join(" ")))
    }

    /// Runs it.
    ///
    /// # Panics
    /// When it hangs, dies of a signal, panics, prints something a terminal or build agent would obey, or shows a
    /// secret without having been asked to.
    pub(crate) fn go(&self) -> Ran {
        let scratch = Workspace::new();
        let folder = if self.folder.as_os_str().is_empty() { scratch.path("") } else { self.folder.clone() };
        let mut words = self.before.clone();
        words.push(self.program.clone().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(&self.args).current_dir(folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", scratch.home());
        command.env("LC_ALL", "C").env("TZ", "UTC").env("RUST_BACKTRACE", "1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (code, stdout, stderr) = finish(command.spawn().expect("the binary starts"), &self.stdin, &self.spelled());
        let ran = Ran { code, stdout, stderr, spelled: self.spelled() };
        ran.hold(self.shows(), &self.reports);
        ran
    }
}

/// Feeds a child, collects what it prints, and waits no longer than [`PATIENCE`].
fn finish(mut child: Child, stdin: &[u8], spelled: &str) -> (Option<i32>, Vec<u8>, Vec<u8>) {
    let input = child.stdin.take().expect("it is piped");
    let (out, err) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    thread::scope(|scope| {
        // A run that ends before it has read its input closes the pipe: no failure.
        scope.spawn(move || { input }.write_all(stdin));
        let out = scope.spawn(|| drain(out));
        let err = scope.spawn(|| drain(err));
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("it is our child") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                child.kill().expect("it is our child");
                panic!("`{spelled}` still ran after {} s", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(2));
        };
        (status.code(), out.join().expect("reading a pipe"), err.join().expect("reading a pipe"))
    })
}

/// All of a pipe.
fn drain(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("our own pipe");
    bytes
}

/// What a run did.
#[derive(Clone)]
pub(crate) struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: Vec<u8>,
    spelled: String,
}

impl Ran {
    /// Both streams as text, secrets named: for messages, and for looking for words.
    pub(crate) fn text(&self) -> String {
        let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
        name_tokens(&format!("{}\n{}", lossy(&self.stdout), lossy(&self.stderr)))
    }

    /// Whether either stream holds those bytes.
    fn holds(&self, bytes: &[u8]) -> bool {
        [&self.stdout, &self.stderr].iter().any(|stream| memchr::memmem::find(stream, bytes).is_some())
    }

    /// Expects that exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code of `{}`, which printed:\n{}", self.spelled, self.text());
        self
    }

    /// Expects one of those exit codes.
    pub(crate) fn exits_one_of(self, codes: &[i32]) -> Self {
        let code = self.code.unwrap_or(-1);
        assert!(codes.contains(&code), "`{}` ended with {code}, having printed:\n{}", self.spelled, self.text());
        self
    }

    /// Expects each of the words in what was printed, without regard to case.
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let text = self.text().to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "`{}` doesn't say `{word}`:\n{}", self.spelled, self.text());
        }
        self
    }

    /// Expects none of the words.
    pub(crate) fn doesnt_say(self, words: &[&str]) -> Self {
        let text = self.text().to_lowercase();
        for word in words {
            assert!(!text.contains(&word.to_lowercase()), "`{}` says `{word}`:\n{}", self.spelled, self.text());
        }
        self
    }

    /// The JSON lines on standard output.
    pub(crate) fn results(&self) -> Results {
        Results::parse(&self.stdout).unwrap_or_else(|problem| panic!("`{}`: {problem}\n{}", self.spelled, self.text()))
    }

    /// What must hold for every run.
    fn hold(&self, shows: bool, reports: &[PathBuf]) {
        let spelled = &self.spelled;
        assert!(self.code.is_some(), "`{spelled}` was ended by a signal:\n{}", self.text());
        assert!(!self.holds(b"internal error"), "`{spelled}` panicked:\n{}", self.text());
        let mut streams = vec![("stdout".to_owned(), self.stdout.clone()), ("stderr".to_owned(), self.stderr.clone())];
        for report in reports {
            let bytes = std::fs::read(report).unwrap_or_else(|error| panic!("`{spelled}` wrote no report: {error}"));
            streams.push((report.display().to_string(), bytes));
        }
        for (stream, bytes) in &streams {
            hold_printed(&format!("`{spelled}`, {stream}"), bytes, shows);
        }
    }
}

/// Holds bytes that the binary printed, whoever collected them (a hook, a report file), to what must hold always.
pub(crate) fn hold_printed(origin: &str, bytes: &[u8], shows: bool) {
    let problems = unsafe_for_terminals(bytes);
    assert!(problems.is_empty(), "{origin}: {problems:#?}");
    if !shows {
        let leaks = leaks_in(bytes);
        assert!(leaks.is_empty(), "{origin} gives away {leaks:#?}");
        keep(bytes);
    }
}

/// Adds to the log of everything the suite printed, which begins anew with the suite.
fn keep(bytes: &[u8]) {
    static LOG: OnceLock<Mutex<File>> = OnceLock::new();
    let log = LOG.get_or_init(|| Mutex::new(File::create(SUITE_LOG).expect("cargo made the folder")));
    log.lock().expect("no test panics while it holds the log").write_all(bytes).expect("the disk has room");
}

/// Runs a scan so that its findings can be told apart (JSON lines with secrets), and again as people run it: every
/// format, secrets masked, each ending with the same exit code, the SARIF held to its schema. Gives the results of the first.
pub(crate) fn scan(run: &Run) -> Results {
    let shown = run.clone().args(["--format", "jsonl", "--show-secrets"]).go();
    let folder = Workspace::new();
    // Run as somebody else, the binary can't write to a folder of ours.
    let small: &[&str] = if run.before.is_empty() { &["csv", "junit", "gitlab", "markdown", "html"] } else { &[] };
    for format in ["text", "jsonl", "sarif"] {
        let mut masked = run.clone().args(["--format", format]);
        // The small formats cost no scan of their own.
        for other in small.iter().filter(|_| format == "text") {
            masked = masked.args(["--format", &format!("{other}={}", folder.path(other).display())]);
        }
        let masked = masked.go();
        for other in small.iter().filter(|_| format == "text") {
            let text = std::fs::read_to_string(folder.path(other)).expect("it was written, in UTF-8");
            // Lines of CSV end with a carriage return (RFC 4180), and no other may stand in one.
            let text = if *other == "csv" { text.replace("\r\n", "\n") } else { text };
            hold_printed(&format!("`{}`, {other}", masked.spelled), text.as_bytes(), false);
        }
        assert_eq!(masked.code, shown.code, "`{}` and the same with secrets shown:\n{}", masked.spelled, masked.text());
        if format == "sarif" {
            sarif_schema(&String::from_utf8_lossy(&masked.stdout));
        }
    }
    let mut results = shown.results();
    results.code = shown.code.expect("it ended by itself");
    results
}

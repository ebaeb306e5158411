//! Real repositories, made with the `git` program, and a visitor that writes down all it is given.

#![expect(clippy::unwrap_used, reason = "a test that can't build its repository has nothing to say")]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::history::History;
use super::repo::Opening;
use crate::blob::{Blob, ContentId, Edits};
use crate::observe::Observation;
use crate::place::Located;
use crate::policy::Policy;
use crate::source::{Excluded, Listed, Source, SourceError, Unread, UnreadKind, Visitor};

mod damage;
mod history;
mod objects;
mod open;
mod places;
mod structure;

/// A folder with repositories.
struct Fixture {
    folder: tempfile::TempDir,
    clock: Cell<i64>,
}

/// What stands where a test would want git and there is none.
fn without_git() -> bool {
    let there = Command::new("git").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !there {
        let required = std::env::var_os("KEYTRAIL_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!required, "git is required and not here");
        writeln!(std::io::stderr(), "skipped: git is not here").unwrap();
    }
    !there
}

impl Fixture {
    /// A fixture with an empty repository `r`, branch `main`; `None` (and a message) without git.
    fn new() -> Option<Self> {
        Self::with(&[])
    }

    /// The same with more arguments for `git init`.
    fn with(init: &[&str]) -> Option<Self> {
        if without_git() {
            return None;
        }
        let fixture = Self { folder: tempfile::tempdir().unwrap(), clock: Cell::new(1_700_000_000) };
        fs::create_dir(fixture.repo()).unwrap();
        fixture.git(&[&["init", "-q", "-b", "main"], init].concat());
        Some(fixture)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn repo(&self) -> PathBuf {
        self.path("r")
    }

    /// Runs git in the repository; its output without the last line break.
    fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    /// Runs git in `folder`, away from this machine's configuration; every call is a minute later.
    fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        self.clock.set(self.clock.get() + 60);
        let date = format!("{} +0000", self.clock.get());
        let output = Command::new("git")
            .args(args)
            .current_dir(folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.folder.path())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C"), ("TZ", "UTC"), ("GIT_TERMINAL_PROMPT", "0")])
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@b"), ("GIT_AUTHOR_DATE", &date)])
            .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@d"), ("GIT_COMMITTER_DATE", &date)])
            .envs([("GIT_ALLOW_PROTOCOL", "file")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Writes a file of the work tree.
    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Commits all of the work tree; the commit's id.
    fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes and commits one file.
    fn commit_file(&self, path: &str, bytes: impl AsRef<[u8]>) -> String {
        self.write(path, bytes);
        self.commit(&format!("change {path}"))
    }

    fn scan(&self) -> Scan {
        Scan::of(&self.repo(), false)
    }

    fn scan_unreachable(&self) -> Scan {
        Scan::of(&self.repo(), true)
    }
}

/// A scan and all it handed out.
struct Scan {
    history: History,
    seen: Collector,
}

impl Scan {
    fn of(path: &Path, unreachable: bool) -> Self {
        Self::try_of(path, unreachable).unwrap()
    }

    fn try_of(path: &Path, unreachable: bool) -> Result<Self, SourceError> {
        let history = History::new(path.to_owned(), Opening::Named, Policy::default(), unreachable);
        let seen = Collector::default();
        history.walk(&seen)?;
        Ok(Self { history, seen })
    }

    /// The contents that hold `needle`.
    fn holding(&self, needle: &str) -> BTreeSet<ContentId> {
        let seen = self.seen.contents.lock().unwrap();
        let holds = |bytes: &[u8]| memchr::memmem::find(bytes, needle.as_bytes()).is_some();
        seen.iter().filter(|(_, bytes)| holds(bytes)).map(|(id, _)| *id).collect()
    }

    /// Whether `needle` was handed out.
    fn has(&self, needle: &str) -> bool {
        !self.holding(needle).is_empty()
    }

    /// The places of what holds `needle`; names are cut down to the lines with it.
    fn places(&self, needle: &str) -> Vec<Located> {
        let wanted = self.holding(needle);
        let found = self.history.locate(&wanted).unwrap();
        let known: BTreeSet<_> = found.iter().map(|found| found.content).collect();
        assert_eq!(known, wanted, "every wanted content comes back");
        let of_line = |found: &Located| {
            let path = found.place.provenance.path.rsplit(|b| *b == b'/').next().unwrap().to_vec();
            found.line.is_none() || memchr::memmem::find(&path, needle.as_bytes()).is_some()
        };
        found.into_iter().filter(of_line).collect()
    }

    /// Like [`Scan::places`], one line each: path, part, state, first and last commit, ref.
    fn lines(&self, needle: &str) -> Vec<String> {
        let commit = |commit: &Option<std::sync::Arc<crate::place::Commit>>| {
            commit.as_ref().map_or_else(|| "-".to_owned(), |commit| commit.id.clone())
        };
        let line = |found: &Located| {
            let place = &found.place;
            format!(
                "{} | {} | {} | {} | {} | {}",
                String::from_utf8_lossy(&place.provenance.path),
                place.provenance.part.word(),
                place.state.word(),
                commit(&place.first),
                commit(&place.last),
                place.reference.as_deref().map_or("-".into(), String::from_utf8_lossy),
            )
        };
        let mut lines: Vec<_> = self.places(needle).iter().map(line).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    fn unread(&self) -> Vec<Unread> {
        let mut unread = self.seen.unread.lock().unwrap().clone();
        unread.sort();
        unread
    }

    /// Kinds and names of what was not read.
    fn unread_words(&self) -> Vec<(UnreadKind, String)> {
        self.unread().iter().map(|what| (what.kind, String::from_utf8_lossy(&what.what).into_owned())).collect()
    }

    fn assert_clean(&self) {
        assert_eq!(self.unread(), []);
    }
}

/// A visitor that writes down everything.
#[derive(Default)]
struct Collector {
    contents: Mutex<BTreeMap<ContentId, Vec<u8>>>,
    unread: Mutex<Vec<Unread>>,
    excluded: Mutex<Vec<(Excluded, u64)>>,
    listed: Mutex<Vec<Listed>>,
    /// Stop when so many contents were seen.
    patience: Option<usize>,
}

impl Visitor for Collector {
    type State = ();

    fn visit(&self, _: Option<(&(), &Edits)>, blob: Blob<'_>) {
        assert!(blob.window.whole, "no content of these tests is huge");
        let before = self.contents.lock().unwrap().insert(blob.id, blob.bytes.to_vec());
        assert_eq!(before, None, "{} was handed out twice", blob.id);
    }

    fn unread(&self, what: Unread) {
        self.unread.lock().unwrap().push(what);
    }

    fn excluded(&self, why: Excluded, count: u64) {
        self.excluded.lock().unwrap().push((why, count));
    }

    fn listed(&self, what: Listed) {
        self.listed.lock().unwrap().push(what);
    }

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}

    fn stop(&self) -> bool {
        self.patience.is_some_and(|patience| self.contents.lock().unwrap().len() >= patience)
    }
}

//! Real repositories for tests, made by the `git` program, and a visitor that collects what a source hands out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::blob::{Blob, ContentId, Edits};
use crate::observe::Observation;
use crate::place::{Before, Located, State};
use crate::source::{Excluded, Listed, Source, SourceError, Unread, UnreadKind, Visitor};

/// A folder with repositories in it.
pub(super) struct Scratch {
    dir: tempfile::TempDir,
    /// The repository that is worked in.
    pub(super) top: PathBuf,
    /// Seconds of the next commit's date.
    clock: std::cell::Cell<u64>,
}

/// Whether `git` is here; says so once per test when it isn't, and fails when it must be.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        let must = std::env::var_os("KEYTRAIL_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!must, "git is not here and KEYTRAIL_REQUIRE_TOOLS=1");
        eprintln!("skipped: {}: git is not here", std::thread::current().name().unwrap_or("test"));
    }
    found
}

impl Scratch {
    /// An empty repository; `None` when there is no git.
    pub(super) fn new(init: &[&str]) -> Option<Self> {
        if !has_git() {
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let top = dir.path().join("repo");
        std::fs::create_dir(&top).expect("a new folder");
        let scratch = Self { dir, top, clock: std::cell::Cell::new(1_700_000_000) };
        scratch.git(&[&["init", "-q", "-b", "main", "."], init].concat());
        Some(scratch)
    }

    /// The folder around the repository.
    pub(super) fn around(&self) -> &Path {
        self.dir.path()
    }

    /// Runs git at the top of the repository and returns what it wrote, without the final line break.
    pub(super) fn git(&self, args: &[&str]) -> String {
        self.git_with(&self.top, &[], args, b"").expect("git succeeds")
    }

    /// Runs git in `folder` under some variables with some standard input; what it wrote is the error if it fails.
    pub(super) fn git_with(
        &self,
        folder: &Path,
        variables: &[(&str, &str)],
        args: &[&str],
        input: &[u8],
    ) -> Result<String, String> {
        self.clock.set(self.clock.get() + 1);
        let date = format!("@{} +0000", self.clock.get());
        let mut command = Command::new("git");
        command.args(["-c", "protocol.file.allow=always", "-c", "merge.renames=false"]).args(args).current_dir(folder);
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", self.dir.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A U Thor").env(format!("GIT_{who}_EMAIL"), "author@example.org");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A command that reads nothing may have closed it.
        std::io::Write::write_all(&mut stdin, input).unwrap_or_default();
        drop(stdin);
        let output = child.wait_with_output().expect("git ends");
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(text) } else { Err(format!("git {args:?}: {text}\n{errors}")) }
    }

    /// Writes a file of the work tree.
    pub(super) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.top.join(path);
        std::fs::create_dir_all(path.parent().expect("it lies in the work tree")).expect("its folder");
        std::fs::write(path, bytes).expect("a file is written");
    }

    /// Writes and stages a file.
    pub(super) fn add(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.write(path, bytes);
        self.git(&["add", "-f", "--", path]);
    }

    /// Commits what is staged; returns the id.
    pub(super) fn commit(&self, message: &str) -> String {
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes, stages and commits one file; returns the commit's id.
    pub(super) fn commit_file(&self, path: &str, bytes: impl AsRef<[u8]>) -> String {
        self.add(path, bytes);
        self.commit(path)
    }
}

/// Keeps all that it is handed.
#[derive(Default)]
pub(super) struct Collected {
    contents: Mutex<BTreeMap<ContentId, Vec<u8>>>,
    unread: Mutex<Vec<Unread>>,
    listed: Mutex<Vec<Listed>>,
    notes: Mutex<Vec<String>>,
    excluded: Mutex<Vec<(Excluded, u64)>>,
}

impl Visitor for Collected {
    type State = ();

    fn visit(&self, parent: Option<(&(), &Edits)>, blob: Blob<'_>) {
        assert!(parent.is_none() && blob.window.whole && blob.provenance.is_none());
        let twice = self.contents.lock().expect("no panic").insert(blob.id, blob.bytes.to_vec());
        assert_eq!(twice, None, "{} was handed out twice", blob.id);
    }

    fn unread(&self, what: Unread) {
        self.unread.lock().expect("no panic").push(what);
    }

    fn excluded(&self, why: Excluded, count: u64) {
        self.excluded.lock().expect("no panic").push((why, count));
    }

    fn listed(&self, what: Listed) {
        self.listed.lock().expect("no panic").push(what);
    }

    fn observe(&self, _: Observation) {}

    fn note(&self, text: String) {
        self.notes.lock().expect("no panic").push(text);
    }
}

/// What a scan for one word gave.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// `path: part` for each place that introduces the word; with a commit, its first 8 digits follow after `@`.
    pub(super) introduced: Vec<String>,
    /// All places that hold it, introduced or not.
    pub(super) places: Vec<Located>,
    /// How many contents were handed out.
    pub(super) contents: usize,
    /// All contents.
    pub(super) texts: Vec<Vec<u8>>,
    pub(super) unread: Vec<Unread>,
    pub(super) listed: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) excluded: Vec<(Excluded, u64)>,
}

impl Scan {
    /// The kinds of what was not read.
    pub(super) fn unread_kinds(&self) -> Vec<UnreadKind> {
        self.unread.iter().map(|unread| unread.kind).collect()
    }
}

/// Walks `source`, looks for `word` and keeps, of its places, those that introduce it.
pub(super) fn scan(source: &impl Source, word: &str) -> Result<Scan, SourceError> {
    let seen = Collected::default();
    source.walk(&seen)?;
    let contents = seen.contents.into_inner().expect("no panic");
    let count = |bytes: &[u8]| memchr::memmem::find_iter(bytes, word.as_bytes()).count();
    let wanted: BTreeSet<ContentId> =
        contents.iter().filter(|(_, bytes)| count(bytes) > 0).map(|(id, _)| *id).collect();
    let mut places = source.locate(&wanted)?;
    let found: BTreeSet<ContentId> = places.iter().map(|located| located.content).collect();
    assert_eq!(found, wanted, "every wanted content has a place, and no other");
    places.sort_by(|a, b| a.place.provenance.path.cmp(&b.place.provenance.path));
    let old = |id: &ContentId| count(&source.read(*id).expect("old sides are here"));
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut introduced = Vec::new();
    for located in &places {
        let here = count(&contents[&located.content]);
        let is_new = match &located.before {
            Before::NotAsked => true,
            Before::Sides(sides) => !sides.iter().any(|side| side.as_ref().map_or(0, old) >= here),
            Before::Removed(pool) => {
                let start = || pool.contents.iter().map(|side| side.iter().map(old).sum()).collect();
                let sides: &mut Vec<usize> = left.entry(pool.change).or_insert_with(start);
                let is_excused = sides.iter().any(|left| *left >= here);
                sides.iter_mut().for_each(|left| *left = left.saturating_sub(here));
                !is_excused
            }
        };
        if is_new {
            let place = &located.place;
            let path = String::from_utf8_lossy(&place.provenance.path);
            let commit = place.first.as_ref().map(|commit| format!(" @{}", &commit.id[..8])).unwrap_or_default();
            introduced.push(format!("{path}: {}{commit}", place.provenance.part.word()));
        }
    }
    Ok(Scan {
        introduced,
        places,
        contents: contents.len(),
        texts: contents.into_values().collect(),
        unread: seen.unread.into_inner().expect("no panic"),
        listed: seen
            .listed
            .into_inner()
            .expect("no panic")
            .into_iter()
            .map(|listed| format!("{} {}", listed.what, String::from_utf8_lossy(&listed.path)))
            .collect(),
        notes: seen.notes.into_inner().expect("no panic"),
        excluded: seen.excluded.into_inner().expect("no panic"),
    })
}

/// The states of all places of a scan, in path order.
pub(super) fn states(scan: &Scan) -> Vec<State> {
    scan.places.iter().map(|located| located.place.state).collect()
}

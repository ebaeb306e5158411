//! The walk over a folder tree that `files` and `mounted` share.
//!
//! In: an open folder and a [`Reader`]. Out: every file's bytes, every name and link target as a text of its own, and
//! every thing that was left out or could not be read. Links are never followed. Folders and groups of files are tasks
//! of the thread pool the caller is in; the order of visits is no one's promise.

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::Scope;

use super::folder::{Entry, Folder, Kind, Manner, Mount, Sort, facts, name_bytes, path_bytes};
use super::gitignore::Ignores;
use super::reader::{Care, Opened, Reader, Tally, explain};
use super::{Excluded, Listed, Unread, UnreadKind, Visitor};
use crate::place::{Part, Provenance};
use crate::policy::{Allowed, Dir, Siblings};

/// Entries that one task reads.
const GROUP: usize = 32;

/// A file of so many bytes takes a while, some milliseconds: the other entries of its group needn't wait for it.
const LARGE: u64 = 1 << 20;

/// One walk.
pub(crate) struct Walk<'a, V> {
    /// What to do, who sees the bytes, what is counted.
    reader: Reader<'a, V>,
    /// The root.
    root: &'a Folder,
}

/// A folder that waits for its turn. It holds no handle: a tree may be wider than descriptors last.
struct Pending {
    /// Path below the root.
    path: PathBuf,
    /// What policy made of it.
    dir: Dir,
    /// The file system its parent lies on.
    mount: Mount,
    /// The ignore files that hold in its parent.
    ignores: Option<Arc<Ignores>>,
}

/// A folder at work.
struct Open {
    /// Its handle.
    folder: Folder,
    /// As it was pending, on its own mount and with its own ignore files.
    here: Pending,
}

/// Why something could not be opened.
enum Refusal {
    /// Its access time would move.
    AccessTime,
    /// Anything else.
    Io(io::Error),
}

impl<'a, V: Visitor> Walk<'a, V> {
    /// A walk over all below `root`.
    pub(crate) fn new(reader: Reader<'a, V>, root: &'a Folder) -> Self {
        Self { reader, root }
    }

    /// Walks. `dir` is what policy makes of the root, `ignores` the ignore files above it.
    ///
    /// # Errors
    /// When nothing is known of the root's file system.
    pub(crate) fn run(&self, dir: Dir, ignores: Option<Arc<Ignores>>) -> io::Result<()> {
        let mount = self.root.mount()?;
        rayon::scope(|scope| self.folder(scope, Pending { path: PathBuf::new(), dir, mount, ignores }));
        Ok(())
    }

    /// One folder: its names, its folders as new tasks, its files in groups.
    fn folder<'s>(&'s self, scope: &Scope<'s>, mut here: Pending) {
        if self.reader.visitor.stop() {
            return self.unread(&here.path, UnreadKind::Deadline, "the scan was stopped before this folder was read");
        }
        let folder = match self.open_folder(&here.path, here.mount) {
            Ok(folder) => folder,
            Err(refusal) => return self.refused(&here.path, refusal),
        };
        match folder.mount() {
            Ok(mount) => {
                if mount.device != here.mount.device && self.is_other(&here.path, mount) {
                    return;
                }
                here.mount = mount;
            }
            Err(error) => self.failed(&here.path, &error),
        }
        let (mut entries, error) = folder.list();
        if let Some(error) = error {
            self.failed(&here.path, &error);
        }
        entries.sort_unstable();
        here.ignores = Ignores::enter(here.ignores, &here.path, &entries, |text| self.reader.visitor.note(text));
        let open = Arc::new(Open { folder, here });
        let files = Arc::new(self.folders(scope, &open, entries));
        if files.len() <= GROUP {
            return self.files(scope, &open, &files, 0..files.len());
        }
        for start in (0..files.len()).step_by(GROUP) {
            self.spawn_files(scope, &open, &files, start..files.len().min(start + GROUP));
        }
    }

    /// Makes some of the entries of a folder a task.
    fn spawn_files<'s>(&'s self, scope: &Scope<'s>, open: &Arc<Open>, files: &Arc<Vec<Entry>>, which: Range<usize>) {
        let (open, files) = (Arc::clone(open), Arc::clone(files));
        scope.spawn(move |scope| self.files(scope, &open, &files, which));
    }

    /// Whether a folder on another file system than its parent is not ours to read; then it is listed.
    fn is_other(&self, path: &Path, mount: Mount) -> bool {
        let what = match (mount.sort, self.reader.plan.care) {
            (Sort::Pseudo, _) => "pseudo file system",
            (Sort::Foreign, Care::Disk { .. }) => "other file system",
            _ => return false,
        };
        self.reader.visitor.listed(Listed { path: path_bytes(path), what: what.into() });
        true
    }

    /// Makes the folders among `entries` tasks and gives back the rest that is to be looked at.
    fn folders<'s>(&'s self, scope: &Scope<'s>, open: &Arc<Open>, entries: Vec<Entry>) -> Vec<Entry> {
        let is_bare = is_git_folder(&entries);
        if is_bare {
            self.reader.tally.repositories.fetch_add(1, Ordering::Relaxed);
        }
        let mut names = Names { entries: &entries, bytes: None };
        let mut files = Vec::new();
        for entry in &entries {
            let path = open.here.path.join(&entry.name);
            if self.is_excluded(open, &path, entry.kind) {
                continue;
            }
            if entry.kind != Kind::Folder {
                files.push(entry.clone());
                continue;
            }
            if is_bare && entry.name == "objects" && matches!(self.reader.plan.care, Care::Disk { .. }) {
                continue;
            }
            if entry.name == ".git" && self.is_repository(open, &path) {
                self.reader
                    .tally
                    .repositories
                    .fetch_add(u64::from(self.reader.plan.care == Care::Folder), Ordering::Relaxed);
                if self.reader.plan.care == Care::Folder {
                    continue;
                }
            }
            let name = name_bytes(&entry.name);
            let mut around = Around { names: &mut names, below: &|| self.list(&path, open.here.mount) };
            let dir = open.here.dir.enter(&self.reader.plan.policy, &name, &mut around);
            if dir.is_test() {
                self.reader.visitor.excluded(Excluded::TestDirectory, 1);
                let mount = open.here.mount;
                scope.spawn(move |scope| self.count(scope, path, mount));
                continue;
            }
            self.reader.name(&path, &name);
            let pending = Pending { path, dir, mount: open.here.mount, ignores: open.here.ignores.clone() };
            scope.spawn(move |scope| self.folder(scope, pending));
        }
        files
    }

    /// Whether policy or an ignore file leaves `path` out; then it is counted.
    fn is_excluded(&self, open: &Open, path: &Path, kind: Kind) -> bool {
        let why = match self.reader.plan.policy.judge(&path_bytes(path), open.here.dir) {
            Allowed::Excluded => Excluded::ExcludeGlob,
            Allowed::Test => Excluded::TestFile,
            Allowed::Yes => match &open.here.ignores {
                Some(ignores) if ignores.leave_out(path, kind == Kind::Folder) => Excluded::Gitignored,
                _ => return false,
            },
        };
        self.reader.visitor.excluded(why, 1);
        true
    }

    /// Whether the `.git` at `path` is what its name says.
    fn is_repository(&self, open: &Open, path: &Path) -> bool {
        self.open_folder(path, open.here.mount).is_ok_and(|folder| is_git_folder(&folder.list().0))
    }

    /// The names in the folder at `path`; empty when it can't be listed.
    fn list(&self, path: &Path, mount: Mount) -> Vec<Vec<u8>> {
        let Ok(folder) = self.open_folder(path, mount) else { return Vec::new() };
        folder.list().0.iter().map(|entry| name_bytes(&entry.name)).collect()
    }

    /// Counts the files of a test directory without reading them. What can't be listed there is excluded anyway.
    fn count<'s>(&'s self, scope: &Scope<'s>, path: PathBuf, mount: Mount) {
        let Ok(folder) = self.open_folder(&path, mount) else { return };
        let mut files = 0;
        for entry in folder.list().0 {
            match entry.kind {
                Kind::File => files += 1,
                Kind::Folder => {
                    let path = path.join(&entry.name);
                    scope.spawn(move |scope| self.count(scope, path, mount));
                }
                _ => {}
            }
        }
        if files > 0 {
            self.reader.visitor.excluded(Excluded::TestFile, files);
        }
    }

    /// Some of the entries of a folder that are no folders. What comes after a large file becomes a task of its own, so
    /// that it doesn't wait.
    fn files<'s>(&'s self, scope: &Scope<'s>, open: &Arc<Open>, files: &Arc<Vec<Entry>>, which: Range<usize>) {
        for at in which.clone() {
            let entry = &files[at];
            let path = open.here.path.join(&entry.name);
            if self.reader.visitor.stop() {
                let rest = which.end - at - 1;
                let detail =
                    format!("the scan was stopped before this and {rest} more entries of its folder were read");
                return self.unread(&path, UnreadKind::Deadline, &detail);
            }
            match entry.kind {
                Kind::File => {
                    let Some(opened) = self.file(open, &path, entry) else { continue };
                    let is_large = opened.before.len() >= LARGE && at + 1 < which.end;
                    if is_large {
                        self.spawn_files(scope, open, files, at + 1..which.end);
                    }
                    self.reader.content(opened);
                    if is_large {
                        return;
                    }
                }
                Kind::Link => {
                    self.reader.name(&path, &name_bytes(&entry.name));
                    self.link(open, &path, entry);
                }
                Kind::Folder => {}
                Kind::Device | Kind::Socket | Kind::Fifo => {
                    self.reader.name(&path, &name_bytes(&entry.name));
                    let what = match entry.kind {
                        Kind::Socket => "socket",
                        Kind::Fifo => "fifo",
                        _ => "device",
                    };
                    self.reader.visitor.listed(Listed { path: path_bytes(&path), what: what.into() });
                }
            }
        }
    }

    /// Opens one file and hands out its name.
    fn file(&self, open: &Open, path: &Path, entry: &Entry) -> Option<Opened> {
        let opened = self.open(open.here.mount, |manner| open.folder.file(&entry.name, manner));
        let file = match opened {
            Ok(file) => file,
            Err(refusal) => {
                self.reader.name(path, &name_bytes(&entry.name));
                self.refused(path, refusal);
                return None;
            }
        };
        let before = match file.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                self.failed(path, &error);
                return None;
            }
        };
        let mut provenance = Provenance { path: path_bytes(path), file: Some(facts(&before)), ..Provenance::default() };
        self.reader.text(&mut provenance, Part::PathName, &name_bytes(&entry.name));
        if !before.is_file() {
            self.unread(path, UnreadKind::Changed, "it was a file when its folder was listed and is none now");
            return None;
        }
        Some(Opened { file, before, provenance })
    }

    /// The target of a link, as text.
    fn link(&self, open: &Open, path: &Path, entry: &Entry) {
        // No flag keeps a link's access time: `O_NOATIME` doesn't reach `readlink`.
        if self.guards(open.here.mount) {
            let tally = if self.may_touch() { &self.reader.tally.plain } else { &self.reader.tally.links_spared };
            tally.fetch_add(1, Ordering::Relaxed);
            if !self.may_touch() {
                return;
            }
        }
        match open.folder.link(&entry.name) {
            Ok(target) => {
                let mut provenance = Provenance { path: path_bytes(path), ..Provenance::default() };
                self.reader.text(&mut provenance, Part::LinkTarget, &target);
            }
            Err(error) => self.failed(path, &error),
        }
    }

    /// Opens a folder below the root.
    fn open_folder(&self, path: &Path, mount: Mount) -> Result<Folder, Refusal> {
        self.open(mount, |manner| self.root.below(path, manner))
    }

    /// Opens something in the most careful manner that serves.
    fn open<T>(&self, mount: Mount, open: impl Fn(Manner) -> io::Result<T>) -> Result<T, Refusal> {
        if !self.guards(mount) {
            return open(Manner::Plain).map_err(Refusal::Io);
        }
        match open(Manner::KeepAccessTime) {
            Ok(opened) => Ok(opened),
            Err(error) if !is_manner_refused(&error) => Err(Refusal::Io(error)),
            Err(_) if self.may_touch() => {
                self.reader.tally.plain.fetch_add(1, Ordering::Relaxed);
                open(Manner::Plain).map_err(Refusal::Io)
            }
            Err(_) => Err(Refusal::AccessTime),
        }
    }

    /// The first `limit` bytes of the file at `path` below the root, if it is one and may be read.
    pub(crate) fn peek(&self, path: &Path, limit: usize) -> Option<Vec<u8>> {
        let (folder, name) = self.parent(path)?;
        // Opening moves no access time, reading does: the folder is not listed here.
        let file = self.open(folder.mount().ok()?, |manner| folder.file(name, manner)).ok()?;
        let mut bytes = Vec::new();
        let is_file = file.metadata().ok()?.is_file();
        (is_file && file.take(limit as u64).read_to_end(&mut bytes).is_ok()).then_some(bytes)
    }

    /// Whether there is something at `path` below the root.
    pub(crate) fn exists(&self, path: &Path) -> bool {
        self.parent(path).is_some_and(|(folder, name)| folder.kind(name).is_ok())
    }

    /// The folder around `path`, opened but not to be listed, and the last component.
    fn parent<'p>(&self, path: &'p Path) -> Option<(Folder, &'p std::ffi::OsStr)> {
        let folder = self.root.below(path.parent()?, Manner::Plain).ok()?;
        Some((folder, path.file_name()?))
    }

    /// Whether plain reading on `mount` would move access times that are to stay.
    fn guards(&self, mount: Mount) -> bool {
        self.reader.plan.care != Care::Folder && !mount.access_times.are_still()
    }

    /// Whether access times may move where it can't be helped.
    fn may_touch(&self) -> bool {
        self.reader.plan.care != Care::Disk { may_touch_atime: false }
    }

    /// Reports what could not be opened.
    fn refused(&self, path: &Path, refusal: Refusal) {
        match refusal {
            Refusal::AccessTime => self.unread(path, UnreadKind::AccessTime, SPARED),
            Refusal::Io(error) => self.failed(path, &error),
        }
    }

    /// Reports what failed.
    fn failed(&self, path: &Path, error: &io::Error) {
        let (kind, detail) = explain(error);
        self.unread(path, kind, &detail);
    }

    /// Reports something unread.
    fn unread(&self, path: &Path, kind: UnreadKind, detail: &str) {
        let what = if path.as_os_str().is_empty() { b".".to_vec() } else { path_bytes(path) };
        self.reader.visitor.unread(Unread::new(kind, what, detail));
    }
}

/// What to do about access times.
const SPARED: &str = "reading it would change its access time: mount the disk read-only or noatime, run as \
     the owner or as root, or allow it with --may-touch-atime";

/// The names of a listing, as policy asks for them.
struct Names<'a> {
    /// The listing.
    entries: &'a [Entry],
    /// Its names as bytes, once asked for.
    bytes: Option<Vec<Vec<u8>>>,
}

/// The listings around a folder that is being entered.
struct Around<'n, 'a> {
    /// Those beside it.
    names: &'n mut Names<'a>,
    /// Those in it.
    below: &'n dyn Fn() -> Vec<Vec<u8>>,
}

impl Siblings for Around<'_, '_> {
    fn names(&mut self) -> &[Vec<u8>] {
        let entries = self.names.entries;
        self.names.bytes.get_or_insert_with(|| entries.iter().map(|entry| name_bytes(&entry.name)).collect())
    }

    fn below(&mut self) -> Vec<Vec<u8>> {
        (self.below)()
    }
}

/// Whether a folder with these entries is a git repository's own folder (gitrepository-layout(5)).
fn is_git_folder(entries: &[Entry]) -> bool {
    let has = |name: &str, kind: Option<Kind>| {
        entries.iter().any(|entry| entry.name == name && kind.is_none_or(|kind| entry.kind == kind))
    };
    // HEAD was a link in old repositories.
    has("HEAD", None) && has("objects", Some(Kind::Folder)) && has("refs", Some(Kind::Folder))
}

/// Whether the error means that the manner of opening was refused, not the thing.
fn is_manner_refused(error: &io::Error) -> bool {
    #[cfg(unix)]
    let not_permitted = error.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error());
    #[cfg(not(unix))]
    let not_permitted = false;
    not_permitted || error.kind() == io::ErrorKind::Unsupported
}

/// The note about repositories whose history was not looked at; `None` when there are none.
pub(crate) fn repositories_note(tally: &Tally, whose: &str) -> Option<String> {
    match tally.repositories.load(Ordering::Relaxed) {
        0 => None,
        1 => Some(format!("1 git repository {whose}: its history is not scanned here, run `keytrail history` on it")),
        n => Some(format!(
            "{n} git repositories {whose}: their history is not scanned here, run `keytrail history` on them"
        )),
    }
}

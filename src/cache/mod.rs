//! Verdicts kept from run to run: which blobs of a repository hold nothing to report, so that a scan costs what is new.
//!
//! In: a folder of the user's own and, while a repository is scanned, what came of each of its blobs. Out: whether a
//! blob is known to be clean. Only ids and lengths of clean blobs are kept, never a byte of what was scanned. A verdict
//! could hide a secret, so anything odd makes the cache forget all of it:
//!
//! - A file counts for one build of the program, one set of rules and engine settings, and one repository: its name and
//!   its key are the hash of all these. Objects in packs are not hashed when they are read, so ids are the
//!   repository's own word; what one says can't silence another.
//! - A file is under a checksum; one that is cut, changed, unsorted or somebody else's is dropped whole.
//! - A blob must be there, and as long as its entry says. That is known without reading it. Git makes ids of contents
//!   whenever objects come in, and refuses known collisions of SHA-1; blobs that collide are of one length anyway.
//! - One hit in a hundred is scanned all the same, chosen at random. When that finds something, the word of the whole
//!   cache is void: every file goes, and what was left out is scanned.
//!
//! Runs at one time are safe: files are replaced in one step, under a lock while the old and the new are merged. Who
//! can't have the lock or write lets it be, which costs the next run its time and nothing else.

use std::ffi::OsStr;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use gix::hash::oid;
use sha2::{Digest, Sha256};

mod folder;
mod table;

pub use folder::{CacheError, CacheErrorKind};

use folder::{Entry, Folder};
use table::{FILE_LIMIT, KEY, Table};

/// One of so many hits is scanned all the same.
const AUDITED: u64 = 100;

/// What names of files end in.
const ENDING: &str = ".verdicts";

/// What names of files that are being written end in.
const SPARE: &str = ".new";

/// The file that a lock is held on.
const LOCK: &str = "lock";

/// Most bytes of all files together; those written longest ago go first.
const FOLDER_LIMIT: u64 = 1 << 30;

/// Most files.
const MOST_FILES: usize = 256;

/// A file that was being written so long ago never will be.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait for another run that is writing, in steps of [`STEP`].
const PATIENCE: u32 = 200;

/// See [`PATIENCE`].
const STEP: Duration = Duration::from_millis(10);

/// A folder of verdicts, for one engine.
pub struct Cache {
    /// The folder.
    folder: Folder,
    /// As the user spelled it.
    path: PathBuf,
    /// Hash of the program and of the engine's rules and settings.
    engine: [u8; KEY],
    /// One of so many hits is scanned all the same.
    audited: u64,
    /// Decides which, otherwise in each run.
    chance: RandomState,
    /// Whether its word was found to be wrong.
    withdrawn: AtomicBool,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Cache {
    /// Opens the folder at `path`, making it if it isn't there. `engine` is all that the verdicts of an engine rest on
    /// besides the program's code. The folder must lie apart from the folders `scanned`.
    ///
    /// # Errors
    /// The folder isn't the user's alone, or lies wrong, or can't be made.
    pub fn open(path: &Path, engine: &str, scanned: &[PathBuf]) -> Result<Self, CacheError> {
        let folder = Folder::open(path, scanned).map_err(|kind| CacheError { path: path.to_owned(), kind })?;
        let program = [env!("CARGO_PKG_VERSION"), env!("KEYTRAIL_SOURCES")];
        Ok(Self {
            folder,
            path: path.to_owned(),
            engine: key([program[0], program[1], engine].map(str::as_bytes)),
            audited: AUDITED,
            chance: RandomState::new(),
            withdrawn: AtomicBool::new(false),
        })
    }

    /// The same, scanning one of `audited` hits all the same; none for `u64::MAX`, as good as.
    #[cfg(test)]
    pub(crate) fn auditing(self, audited: u64) -> Self {
        Self { audited, ..self }
    }

    /// What is known of the repository that `store` names, and what the user should know.
    pub fn recall(&self, store: &Path) -> (Verdicts<'_>, Option<String>) {
        let key = key([&self.engine, store.as_os_str().as_encoded_bytes()]);
        let name: String = key[..16].iter().map(|byte| format!("{byte:02x}")).chain([ENDING.to_owned()]).collect();
        let (known, fault) = self.load(&name, &key);
        let note = fault.map(|fault| {
            // What can't be removed is not believed by the next run either.
            drop(self.remove(OsStr::new(&name)));
            format!("{}: the verdicts of earlier scans were dropped and all is scanned: {fault}", self.path.display())
        });
        (Verdicts { cache: self, name, key, known, fresh: Mutex::default() }, note)
    }

    /// The table in a file, and what is wrong with it.
    fn load(&self, name: &str, key: &[u8; KEY]) -> (Table, Option<String>) {
        let read = self.folder.read(name, FILE_LIMIT).map_err(|error| error.to_string());
        let table = read.and_then(|bytes| match bytes {
            Some(bytes) => Table::read(&bytes, key).map_err(|fault| fault.to_string()),
            None => Ok(Table::default()),
        });
        table.map_or_else(|fault| (Table::default(), Some(fault)), |table| (table, None))
    }

    /// Whether its word was found to be wrong in this run.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Relaxed)
    }

    /// Notes that its word is wrong.
    fn withdraw(&self) {
        self.withdrawn.store(true, Ordering::Relaxed);
    }

    /// Removes every file.
    fn drop_whole(&self) -> String {
        let folder = self.path.display();
        let _lock = self.lock();
        let gone = self.folder.list().and_then(|entries| {
            let is_ours = |entry: &Entry| entry.name.as_encoded_bytes().ends_with(ENDING.as_bytes());
            let failures = entries.iter().filter(|entry| is_ours(entry)).map(|entry| self.remove(&entry.name));
            // Each is tried, whatever becomes of others.
            failures.fold(Ok(()), std::io::Result::and)
        });
        match gone {
            Ok(()) => format!(
                "{folder}: a verdict of an earlier scan was wrong; all of them were dropped and all is scanned. If \
                 nobody wrote there but keytrail, please report it"
            ),
            Err(error) => format!(
                "{folder}: a verdict of an earlier scan was wrong, so all is scanned; but they could not be removed: \
                 {error}: remove the folder"
            ),
        }
    }

    /// Removes a file, which another run may have done before.
    fn remove(&self, name: &OsStr) -> std::io::Result<()> {
        match self.folder.remove(name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// A lock against other runs, held as long as the file is open; `None` when it isn't to be had.
    fn lock(&self) -> Option<std::fs::File> {
        let file = self.folder.lock(LOCK).ok()?;
        for _ in 0..PATIENCE {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(STEP),
                Err(std::fs::TryLockError::Error(_)) => return None,
            }
        }
        None
    }

    /// Removes what is too much: files that nobody goes on writing, and those written longest ago.
    fn clear_out(&self) -> std::io::Result<()> {
        let mut entries = self.folder.list()?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        let now = SystemTime::now();
        let (mut files, mut bytes) = (0, 0);
        for entry in entries {
            let name = entry.name.as_encoded_bytes();
            let goes = if name.ends_with(ENDING.as_bytes()) {
                (files, bytes) = (files + 1, bytes + entry.len);
                files > MOST_FILES || bytes > FOLDER_LIMIT
            } else {
                // Anything else in the folder isn't ours.
                name.ends_with(SPARE.as_bytes()) && now.duration_since(entry.modified).is_ok_and(|age| age > STALE)
            };
            if goes {
                self.remove(&entry.name)?;
            }
        }
        Ok(())
    }
}

/// What is known of the blobs of one repository, and what a scan adds.
#[derive(Debug)]
pub struct Verdicts<'c> {
    /// Where it is kept.
    cache: &'c Cache,
    /// The file's name.
    name: String,
    /// What the file must be under.
    key: [u8; KEY],
    /// What earlier runs found clean.
    known: Table,
    /// What this one found clean, in any order.
    fresh: Mutex<Table>,
}

impl Verdicts<'_> {
    /// Whether a blob needn't be scanned. `len` tells its length in bytes, if it is here; it isn't asked for blobs of
    /// which nothing is known.
    pub fn knows(&self, id: &oid, len: impl FnOnce() -> Option<u64>) -> bool {
        let Some(known) = self.known.length(id) else { return false };
        if self.are_withdrawn() || self.cache.chance.hash_one(id).is_multiple_of(self.cache.audited) {
            return false;
        }
        match len() {
            // Who reads it will say why it can't be.
            None => false,
            Some(len) if len == known => true,
            Some(_) => {
                self.cache.withdraw();
                false
            }
        }
    }

    /// Takes what came of a blob of `len` bytes that was scanned: whether all of it was looked at, nothing stands in it
    /// that could be reported at any confidence, and nothing stands behind it.
    pub fn settle(&self, id: &oid, len: u64, is_clean: bool) {
        match self.known.length(id) {
            None if is_clean => self.fresh.lock().unwrap_or_else(PoisonError::into_inner).push(id, len),
            None => {}
            Some(known) if is_clean && known == len => {}
            Some(_) => self.cache.withdraw(),
        }
    }

    /// Whether the word of the cache was found to be wrong: what was left out has to be scanned.
    pub fn are_withdrawn(&self) -> bool {
        self.cache.is_withdrawn()
    }

    /// Writes down what this run adds to what is there by now, or drops all that was found to be wrong; what the user
    /// should know.
    pub fn finish(self) -> Option<String> {
        let Self { cache, name, key, known, fresh } = self;
        if cache.is_withdrawn() {
            return Some(cache.drop_whole());
        }
        drop(known);
        let mut fresh = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
        if fresh.is_empty() {
            return None;
        }
        let note = |error: std::io::Error| {
            let folder = cache.path.display();
            format!("{folder}: the verdicts of this scan can't be kept: {error}; the next one will take as long")
        };
        let _lock = match cache.folder.lock(LOCK) {
            Ok(_) => cache.lock()?,
            Err(error) => return Some(note(error)),
        };
        // Another run may have dropped or changed what this one began with: that is not brought back.
        fresh.merge(cache.load(&name, &key).0);
        let spare = format!("{:016x}{SPARE}", RandomState::new().hash_one(std::process::id()));
        let written = cache.folder.replace(&name, &spare, &fresh.write(&key)).and_then(|()| cache.clear_out());
        written.err().map(note)
    }
}

/// The SHA-256 of some texts, each behind its length.
fn key<const N: usize>(parts: [&[u8]; N]) -> [u8; KEY] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;

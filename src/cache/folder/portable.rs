//! The folder by its path, for systems whose permissions are not told by mode bits.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{CacheErrorKind, Entry, check_place, oddity, plain};

/// A folder apart from what is scanned.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Where it is.
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, making it if it isn't there. It must lie apart from the folders `scanned`.
    pub(crate) fn open(path: &Path, scanned: &[PathBuf]) -> Result<Self, CacheErrorKind> {
        let path = plain(path);
        check_place(&path, scanned)?;
        fs::create_dir_all(&path).map_err(|error| oddity(&path, error))?;
        let facts = path.symlink_metadata().map_err(CacheErrorKind::Io)?;
        if !facts.is_dir() {
            return Err(oddity(&path, io::ErrorKind::NotADirectory.into()));
        }
        // Such that it stays the same when somebody changes the current directory.
        Ok(Self { path: path.canonicalize().map_err(CacheErrorKind::Io)? })
    }

    /// All of a file; `None` when it isn't there.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match path.symlink_metadata() {
            Ok(facts) if !facts.is_file() => return Err(io::Error::other("it is no file")),
            Ok(facts) if facts.len() > limit as u64 => return Err(io::Error::other("it is too large")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Puts `bytes` in the place of a file, in one step; `spare` is a name that nothing has.
    pub(crate) fn replace(&self, name: &str, spare: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(spare);
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        let written = file.write_all(bytes);
        // Some systems rename no open file.
        drop(file);
        let written = written.and_then(|()| fs::rename(&path, self.path.join(name)));
        if written.is_err() {
            // What stays is cleared out by a later run.
            drop(fs::remove_file(&path));
        }
        written
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// A file to hold a lock on.
    pub(crate) fn lock(&self, name: &str) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(false).open(self.path.join(name))
    }

    /// Its files.
    pub(crate) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // What was removed meanwhile is nothing to clear out.
            let Ok(facts) = entry.path().symlink_metadata() else { continue };
            if facts.is_file() {
                entries.push(Entry { name: entry.file_name(), len: facts.len(), modified: facts.modified()? });
            }
        }
        Ok(entries)
    }
}

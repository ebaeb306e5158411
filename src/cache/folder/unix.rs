//! The folder by its descriptor: what was checked is what is used, whatever is renamed meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, renameat, unlinkat};

use super::{CacheErrorKind, Entry, check_place, oddity, plain};

/// A folder that is the user's alone.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its descriptor.
    fd: OwnedFd,
}

/// What is opened is never a link, and never waited for.
const FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

impl Folder {
    /// Opens the folder at `path`, making it if it isn't there. It must lie apart from the folders `scanned`.
    pub(crate) fn open(path: &Path, scanned: &[PathBuf]) -> Result<Self, CacheErrorKind> {
        let path = &plain(path);
        check_place(path, scanned)?;
        if let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(path) {
            return Err(oddity(path, error));
        }
        let fd = rustix::fs::open(path, FLAGS | OFlags::DIRECTORY, Mode::empty());
        let folder = File::from(fd.map_err(|error| oddity(path, error.into()))?);
        let facts = folder.metadata().map_err(CacheErrorKind::Io)?;
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheErrorKind::Owner(facts.uid()));
        }
        if facts.mode() & 0o077 != 0 {
            return Err(CacheErrorKind::Permissions(facts.mode() & 0o7777));
        }
        Ok(Self { fd: folder.into() })
    }

    /// All of a file; `None` when it isn't there.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match openat(&self.fd, name, FLAGS | OFlags::RDONLY, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let facts = file.metadata()?;
        let own = facts.uid() == rustix::process::geteuid().as_raw() && facts.mode() & 0o022 == 0;
        if !facts.is_file() || !own {
            return Err(io::Error::other("it is no file of your own that you alone may write"));
        }
        if facts.len() > limit as u64 {
            return Err(io::Error::other("it is too large"));
        }
        let mut bytes = Vec::with_capacity(facts.len() as usize);
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Puts `bytes` in the place of a file, in one step; `spare` is a name that nothing has.
    pub(crate) fn replace(&self, name: &str, spare: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = FLAGS | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = File::from(openat(&self.fd, spare, flags, Mode::RUSR | Mode::WUSR)?);
        let written = file.write_all(bytes).and_then(|()| Ok(renameat(&self.fd, spare, &self.fd, name)?));
        if written.is_err() {
            // What stays is cleared out by a later run.
            drop(self.remove(OsStr::new(spare)));
        }
        written
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// A file to hold a lock on.
    pub(crate) fn lock(&self, name: &str) -> io::Result<File> {
        let flags = FLAGS | OFlags::RDWR | OFlags::CREATE;
        Ok(File::from(openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Its files.
    pub(crate) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if matches!(name.as_bytes(), b"." | b"..") {
                continue;
            }
            // What was removed meanwhile, or can't be opened, is nothing to clear out.
            let Ok(fd) = openat(&self.fd, &name, FLAGS | OFlags::RDONLY, Mode::empty()) else { continue };
            let facts = File::from(fd).metadata()?;
            if facts.is_file() {
                entries.push(Entry { name, len: facts.len(), modified: facts.modified()? });
            }
        }
        Ok(entries)
    }
}

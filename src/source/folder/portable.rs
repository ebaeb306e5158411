//! The folder handle over the `cap-std` crate, for systems without `openat`.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Component, Path};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType};

use super::{AccessTimes, Entry, Kind, Manner, Mount, Sort, path_bytes};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its handle; paths given to it can't leave it.
    dir: Dir,
}

impl Folder {
    /// Opens the folder at `path`, following links: it is the user's own word.
    pub(crate) fn open(path: &Path, manner: Manner) -> io::Result<Self> {
        plain_only(manner)?;
        Ok(Self { dir: Dir::open_ambient_dir(path, ambient_authority())? })
    }

    /// Opens the folder at `path` below this one. No component may be a link or `..`; an empty path is this folder.
    pub(crate) fn below(&self, path: &Path, manner: Manner) -> io::Result<Self> {
        plain_only(manner)?;
        let mut dir = self.dir.try_clone()?;
        for component in path.components() {
            let Component::Normal(name) = component else { return Err(io::ErrorKind::InvalidInput.into()) };
            not_a_link(&dir, name)?;
            dir = dir.open_dir(name)?;
        }
        Ok(Self { dir })
    }

    /// The entries in the system's order, and the error that cut the listing short.
    pub(crate) fn list(&self) -> (Vec<Entry>, Option<io::Error>) {
        let mut entries = Vec::new();
        let listing = match self.dir.entries() {
            Ok(listing) => listing,
            Err(error) => return (entries, Some(error)),
        };
        for entry in listing {
            match entry.and_then(|entry| Ok(Entry { kind: kind(entry.file_type()?), name: entry.file_name() })) {
                Ok(entry) => entries.push(entry),
                Err(error) => return (entries, Some(error)),
            }
        }
        (entries, None)
    }

    /// What the entry `name` is.
    pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        Ok(kind(self.dir.symlink_metadata(name)?.file_type()))
    }

    /// Opens the entry `name` for reading, unless it is a link.
    pub(crate) fn file(&self, name: &OsStr, manner: Manner) -> io::Result<File> {
        plain_only(manner)?;
        single(name)?;
        not_a_link(&self.dir, name)?;
        Ok(self.dir.open(name)?.into_std())
    }

    /// The target of the link `name`, as text.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<Vec<u8>> {
        single(name)?;
        Ok(path_bytes(&self.dir.read_link_contents(name)?))
    }

    /// The file system this folder lies on: not told apart here.
    pub(crate) fn mount(&self) -> io::Result<Mount> {
        Ok(Mount { device: 0, sort: Sort::Ordinary, access_times: AccessTimes::Unknown })
    }
}

/// There is no portable way to read without touching the access time.
fn plain_only(manner: Manner) -> io::Result<()> {
    match manner {
        Manner::Plain => Ok(()),
        Manner::KeepAccessTime => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Fails unless `name` is one component that leads down.
fn single(name: &OsStr) -> io::Result<()> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Fails if the entry `name` is a link. (The handle keeps a link made after this from leading out.)
fn not_a_link(dir: &Dir, name: &OsStr) -> io::Result<()> {
    if dir.symlink_metadata(name)?.is_symlink() { Err(io::Error::other("it is a link")) } else { Ok(()) }
}

/// The kind for a file type.
fn kind(file_type: FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_symlink() {
        Kind::Link
    } else {
        Kind::Device
    }
}

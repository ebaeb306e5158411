//! The folder of a cache: the user's own, nobody else's, and no part of what is scanned.
//!
//! In: the path the user named and the folders that are scanned. Out: small files by name, read and replaced whole.
//! What others could have written is refused, since a verdict in it could hide a secret. On Unix the folder is opened
//! once and held to its owner and permissions, and files are opened below that handle; elsewhere only its place is
//! checked and that it is no link, since the system has no permissions that are told so plainly.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use portable::Folder;
#[cfg(unix)]
pub(super) use unix::Folder;

/// What is wrong with a folder, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("cache folder {}: {kind}", .path.display())]
pub struct CacheError {
    /// As the user spelled it.
    pub path: PathBuf,
    /// What is wrong.
    #[source]
    pub kind: CacheErrorKind,
}

/// The ways a folder can be unfit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheErrorKind {
    /// It lies in what is scanned, or that in it.
    #[error(
        "it and {0}, which is scanned, lie one in the other: what is scanned could bring its own verdicts; choose a folder apart from it"
    )]
    Scanned(String),
    /// It is a link.
    #[error("it is a symbolic link: name the folder itself")]
    Link,
    /// It is something else.
    #[error("it is no folder")]
    NoFolder,
    /// It isn't the user's.
    #[error("it belongs to the user with number {0}: choose a folder of your own")]
    Owner(u32),
    /// Others may use it. Its permission bits.
    #[error("others may use it (mode {0:o}): take that away (`chmod 700` and its name)")]
    Permissions(u32),
    /// It leads up from a folder that isn't there.
    #[error("write it without `..`: a folder on its way is not there yet")]
    Upwards,
    /// It can't be made or opened.
    #[error("{0}")]
    Io(io::Error),
}

/// A file of the folder, for those who clear it out.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name.
    pub(super) name: OsString,
    /// Its length in bytes.
    pub(super) len: u64,
    /// When it was last written.
    pub(super) modified: SystemTime,
}

/// The path without what doesn't change where it leads: with a slash behind its name, a link would be followed.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Where `path` leads, or will when it is made.
fn place_of(path: &Path) -> Result<PathBuf, CacheErrorKind> {
    let absolute = std::path::absolute(path).map_err(CacheErrorKind::Io)?;
    for there in absolute.ancestors() {
        let rest = absolute.strip_prefix(there).expect("it is one of its ancestors");
        match there.canonicalize() {
            Ok(there) if rest.as_os_str().is_empty() => return Ok(there),
            Ok(_) if rest.components().any(|part| part == Component::ParentDir) => return Err(CacheErrorKind::Upwards),
            Ok(there) => return Ok(there.join(rest)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(CacheErrorKind::Io(error)),
        }
    }
    Err(CacheErrorKind::NoFolder)
}

/// Checks that the folder lies in none of those `scanned`, and none of them in it.
fn check_place(path: &Path, scanned: &[PathBuf]) -> Result<(), CacheErrorKind> {
    let place = place_of(path)?;
    for folder in scanned {
        // What isn't there can't be scanned.
        let Ok(folder) = folder.canonicalize() else { continue };
        if place.starts_with(&folder) || folder.starts_with(&place) {
            return Err(CacheErrorKind::Scanned(folder.display().to_string()));
        }
    }
    Ok(())
}

/// What is wrong with a thing at `path` that is no folder to be opened.
fn oddity(path: &Path, error: io::Error) -> CacheErrorKind {
    match path.symlink_metadata() {
        Ok(facts) if facts.is_symlink() => CacheErrorKind::Link,
        Ok(facts) if !facts.is_dir() => CacheErrorKind::NoFolder,
        _ => CacheErrorKind::Io(error),
    }
}

#[cfg(test)]
mod tests;

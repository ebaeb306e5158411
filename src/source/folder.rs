//! A folder handle that only ever leads downwards: what it opens is named by one component and is never a link.
//!
//! In: a root the user named (a link there is followed). Out: listings, files, link targets as text. Two faces of one
//! interface: on Unix straight system calls, elsewhere (and in tests) the `cap-std` crate. Which files may be read,
//! and how, is the neighbour's ([`super::tree`]) to decide.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::path::Path;

use crate::place::FileFacts;

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use portable::Folder;
#[cfg(unix)]
pub(crate) use unix::Folder;

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: OsString,
    /// What it is, without following links.
    pub(crate) kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code, reason = "no one system tells all of these apart")]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link (or another reparse point).
    Link,
    /// A character or block device.
    Device,
    /// A socket.
    Socket,
    /// A named pipe.
    Fifo,
}

/// How something is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As anybody does.
    Plain,
    /// Such that reading leaves the access time alone (`O_NOATIME`). The system may refuse it to those who don't own
    /// the file, or know no such thing: `PermissionDenied` or `Unsupported`.
    KeepAccessTime,
}

/// What is known of the file system a folder lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Number of its device; changes where another file system is mounted.
    pub(crate) device: u64,
    /// What sort it is.
    pub(crate) sort: Sort,
    /// What reading does to access times.
    pub(crate) access_times: AccessTimes,
}

/// Sorts of file systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "no one system tells all of these apart")]
pub(crate) enum Sort {
    /// Holds files.
    Ordinary,
    /// Shows the kernel's own state as files.
    Pseudo,
    /// Another machine's, over a network, or a program's.
    Foreign,
}

/// What reading does to access times on a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "no one system tells all of these apart")]
pub(crate) enum AccessTimes {
    /// Nothing: mounted read-only.
    ReadOnly,
    /// Nothing: mounted `noatime`.
    Never,
    /// Moved once they are older than the last change, or a day (`relatime`).
    Relative,
    /// Moved by every read.
    Always,
    /// The system doesn't say.
    Unknown,
}

impl AccessTimes {
    /// Whether reading plainly leaves them alone.
    pub(crate) fn are_still(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Never)
    }

    /// Its word in notes and observations.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Never => "noatime",
            Self::Relative => "relatime",
            Self::Always => "strictatime",
            Self::Unknown => "unknown",
        }
    }
}

/// What `metadata` says, as findings carry it.
pub(crate) fn facts(metadata: &Metadata) -> FileFacts {
    let seconds = |time: std::io::Result<std::time::SystemTime>| {
        let time = time.ok()?;
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).ok(),
            // Rounded towards the past, as `st_mtime` is.
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).ok()?;
                Some(-seconds - i64::from(before.subsec_nanos() > 0))
            }
        }
    };
    let (mode, uid) = owner(metadata);
    FileFacts {
        size: metadata.len(),
        mode,
        uid,
        modified: seconds(metadata.modified()),
        accessed: seconds(metadata.accessed()),
    }
}

/// `st_mode` and `st_uid`.
#[cfg(unix)]
fn owner(metadata: &Metadata) -> (u32, Option<u32>) {
    use std::os::unix::fs::MetadataExt;
    (metadata.mode(), Some(metadata.uid()))
}

/// `st_mode` and `st_uid`, which this system lacks.
#[cfg(not(unix))]
fn owner(_metadata: &Metadata) -> (u32, Option<u32>) {
    (0, None)
}

/// A name as raw bytes. Where names aren't bytes, what is no Unicode becomes U+FFFD.
pub(crate) fn name_bytes(name: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::as_bytes(name).to_vec();
    #[cfg(not(unix))]
    return name.to_string_lossy().into_owned().into_bytes();
}

/// A relative path as reports write it: raw bytes, `/`-separated.
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    return name_bytes(path.as_os_str());
    #[cfg(not(unix))]
    return path.components().map(|part| name_bytes(part.as_os_str())).collect::<Vec<_>>().join(&b'/');
}

#[cfg(test)]
#[path = "folder/tests.rs"]
mod tests;

//! One git hook: what stands in its place, and what becomes of that.
//!
//! A hook of somebody else's is kept beside ours under a name of its own, which ours runs; taking ours out gives it its
//! name back. Both are renames, so that contents, mode and links stay what they were.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{Place, RUNNABLE, failed, write_whole};
use crate::cli::{CliError, Hook};

/// The second line of every hook of ours begins so.
const MARK: &[u8] = b"# keytrail hook";

/// Of a hook so many bytes are looked at: far more than ours has.
const LOOKED_AT: u64 = 64 << 10;

/// What git is to run.
fn script(hook: Hook) -> &'static str {
    match hook {
        Hook::PreCommit => include_str!("../../../hooks/pre-commit"),
        Hook::CommitMsg => include_str!("../../../hooks/commit-msg"),
        Hook::PrePush => include_str!("../../../hooks/pre-push"),
    }
}

/// What stands where a hook goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing.
    Nothing,
    /// A file of ours: the very text and runnable, or not.
    Ours { is_current: bool },
    /// A link to a file of ours, made by hand.
    Linked,
    /// A file or link of somebody else's.
    Theirs,
}

impl Standing {
    /// Looks at `path`. A link is only followed to tell whether it leads to a hook of ours.
    fn of(path: &Path, hook: Hook) -> io::Result<Self> {
        let facts = match fs::symlink_metadata(path) {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(error),
        };
        if facts.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A dangling link, a pipe or a device is no hook of ours, and a pipe would keep us waiting.
        if !fs::metadata(path).is_ok_and(|target| target.is_file()) {
            return Ok(Self::Theirs);
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LOOKED_AT).read_to_end(&mut bytes)?;
        let is_ours = bytes.split(|&byte| byte == b'\n').nth(1).is_some_and(|line| line.starts_with(MARK));
        Ok(match (is_ours, facts.is_symlink()) {
            (false, _) => Self::Theirs,
            (true, true) => Self::Linked,
            (true, false) => Self::Ours { is_current: bytes == script(hook).as_bytes() && is_runnable(&facts) },
        })
    }
}

/// Whether the owner may run it.
fn is_runnable(facts: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        facts.permissions().mode() & 0o100 != 0
    }
    #[cfg(not(unix))]
    {
        facts.is_file()
    }
}

/// The name under which a hook that was there is kept.
fn chained(folder: &Path, hook: Hook) -> PathBuf {
    folder.join(format!("{}.keytrail-chained", hook.word()))
}

/// A hook that is about to be installed.
#[derive(Debug)]
pub(super) struct Plan {
    hook: Hook,
    folder: PathBuf,
    standing: Standing,
}

impl Plan {
    /// Looks at what is there.
    ///
    /// # Errors
    /// It can't be looked at, or it couldn't be kept.
    pub(super) fn new(folder: &Path, hook: Hook, place: &Place) -> Result<Self, CliError> {
        let path = folder.join(hook.word());
        let standing = Standing::of(&path, hook).map_err(|error| failed(&path, &error))?;
        let kept = chained(folder, hook);
        if standing == Standing::Theirs && fs::symlink_metadata(&kept).is_ok() {
            return Err(CliError::new(format!(
                "{} is not keytrail's, and {} is kept from before: put the two together in one file, remove the other, \
                 and run again",
                place.shown(&path),
                place.shown(&kept)
            )));
        }
        Ok(Self { hook, folder: folder.to_owned(), standing })
    }

    /// Installs it and tells.
    ///
    /// # Errors
    /// What keeps it from being written; what was there then is there still.
    pub(super) fn install(&self, place: &Place) -> Result<String, CliError> {
        let path = self.folder.join(self.hook.word());
        let kept = chained(&self.folder, self.hook);
        let shown = place.shown(&path);
        let write = || write_whole(&path, script(self.hook).as_bytes(), RUNNABLE);
        match self.standing {
            Standing::Ours { is_current: true } => return Ok(format!("kept {shown}, which is up to date")),
            Standing::Linked => return Ok(format!("kept {shown}, which links to a hook of keytrail's")),
            Standing::Ours { is_current: false } => {
                write().map_err(|error| failed(&path, &error))?;
                return Ok(format!("wrote {shown} anew"));
            }
            Standing::Nothing => {
                fs::create_dir_all(&self.folder).map_err(|error| failed(&self.folder, &error))?;
                write().map_err(|error| failed(&path, &error))?;
            }
            Standing::Theirs => {
                fs::rename(&path, &kept).map_err(|error| failed(&path, &error))?;
                if let Err(error) = write() {
                    fs::rename(&kept, &path).map_err(|back| failed(&kept, &back))?;
                    return Err(failed(&path, &error));
                }
            }
        }
        Ok(match fs::symlink_metadata(&kept) {
            Ok(_) => format!("wrote {shown}; the hook that was there runs after it, as {}", place.shown(&kept)),
            Err(_) => format!("wrote {shown}"),
        })
    }
}

/// Takes a hook of ours out, gives the one before it its name back, and tells.
///
/// # Errors
/// What keeps it from being done; nothing has changed then.
pub(super) fn uninstall(folder: &Path, hook: Hook, place: &Place) -> Result<String, CliError> {
    let path = folder.join(hook.word());
    let kept = chained(folder, hook);
    let (shown, was_there) = (place.shown(&path), fs::symlink_metadata(&kept).is_ok());
    let standing = Standing::of(&path, hook).map_err(|error| failed(&path, &error))?;
    match (standing, was_there) {
        (Standing::Ours { .. } | Standing::Nothing, true) => {
            fs::rename(&kept, &path).map_err(|error| failed(&kept, &error))?;
            Ok(format!("put back {shown}, which was there before"))
        }
        (Standing::Ours { .. }, false) => {
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            Ok(format!("removed {shown}"))
        }
        (Standing::Nothing, false) => Ok(format!("no {shown} is there")),
        (Standing::Linked, _) => Ok(format!("left {shown}, a link that keytrail didn't make")),
        (Standing::Theirs, false) => Ok(format!("left {shown}, which is not keytrail's")),
        (Standing::Theirs, true) => {
            Ok(format!("left {shown}, which is not keytrail's, and {}, which was there before", place.shown(&kept)))
        }
    }
}

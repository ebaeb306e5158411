//! Where the parts of a repository are: git directory, common directory, work tree, index, object folders.
//!
//! A repository named by path is taken as it stands. For the repository of the current directory the variables
//! that git gives to its hooks are honoured, the object folders of a pre-receive quarantine among them.
//! Source: `git(1)`, "Environment Variables"; `gitrepository-layout(5)`; git 2.51, read 2026-11.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::source::SourceErrorKind;

/// Looks up an environment variable; tests pass their own.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// Where a repository's parts are, before its configuration has been read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Holds `HEAD` and, for worktrees, what is theirs alone.
    pub(super) git_dir: PathBuf,
    /// Holds `config`, `refs`, `objects`; equals `git_dir` but for linked worktrees.
    pub(super) common_dir: PathBuf,
    /// The folder with the files, as far as the layout tells.
    pub(super) work_dir: Option<PathBuf>,
    /// Whether the environment named the work tree, against which configuration has no say.
    pub(super) work_dir_is_given: bool,
    /// `GIT_INDEX_FILE`.
    pub(super) index: Option<PathBuf>,
    /// The object folder that new objects go to, and others named beside it (their alternates not included).
    pub(super) objects: Vec<PathBuf>,
}

/// Takes the repository at `path`: a git directory, a work tree, or a `.git` file.
pub(super) fn named(path: &Path) -> Result<Layout, SourceErrorKind> {
    if !path.exists() {
        return Err(SourceErrorKind::NotFound);
    }
    at(path)?.ok_or(SourceErrorKind::NotARepository)
}

/// Finds the repository of the folder `from`: as the environment says, else the nearest one upwards.
pub(super) fn own(from: &Path, env: Environment<'_>) -> Result<Layout, SourceErrorKind> {
    let from = std::path::absolute(from)?;
    let variable = |name: &str| env(name).filter(|value| !value.is_empty());
    let path = |name: &str| variable(name).map(|value| from.join(value));
    let mut layout = match path("GIT_DIR") {
        Some(git_dir) => {
            let mut layout = at(&git_dir)?.ok_or(SourceErrorKind::NotARepository)?;
            if layout.work_dir.is_none() || git_dir.is_dir() {
                layout.work_dir = Some(from.clone());
            }
            layout
        }
        None => upwards(&from)?,
    };
    if let Some(common_dir) = path("GIT_COMMON_DIR") {
        layout.objects = vec![common_dir.join("objects")];
        layout.common_dir = common_dir;
    }
    if let Some(work_dir) = path("GIT_WORK_TREE") {
        layout.work_dir = Some(work_dir);
        layout.work_dir_is_given = true;
    }
    // Git reads this one after it went to the top of the work tree.
    let top = layout.work_dir.clone().unwrap_or_else(|| from.clone());
    layout.index = variable("GIT_INDEX_FILE").map(|index| top.join(index));
    if let Some(objects) = path("GIT_OBJECT_DIRECTORY") {
        layout.objects = vec![objects];
    }
    if let Some(list) = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
        layout.objects.extend(object_folders(&list).into_iter().map(|folder| from.join(folder)));
    }
    Ok(layout)
}

/// The nearest repository at or above `from`.
fn upwards(from: &Path) -> Result<Layout, SourceErrorKind> {
    for folder in from.ancestors() {
        if let Some(layout) = at(folder)? {
            return Ok(layout);
        }
    }
    Err(SourceErrorKind::NotARepository)
}

/// The repository whose top or git directory `path` is, if it is one.
fn at(path: &Path) -> Result<Option<Layout>, SourceErrorKind> {
    let path = std::path::absolute(path)?;
    let dot_git = path.join(".git");
    if path.file_name().is_none_or(|name| name != ".git") && dot_git.exists() {
        return dot_git_at(&dot_git, &path);
    }
    if path.is_file() {
        return match path.parent() {
            Some(parent) => dot_git_at(&path, parent),
            None => Ok(None),
        };
    }
    Ok(git_dir_at(&path, None))
}

/// The repository that `.git`, a folder or a file that names one, leads to.
fn dot_git_at(dot_git: &Path, work_dir: &Path) -> Result<Option<Layout>, SourceErrorKind> {
    if dot_git.is_dir() {
        return Ok(git_dir_at(dot_git, Some(work_dir)));
    }
    let Some(target) = pointer(dot_git, b"gitdir: ") else { return Ok(None) };
    let git_dir = work_dir.join(target);
    match git_dir_at(&git_dir, Some(work_dir)) {
        Some(layout) => Ok(Some(layout)),
        None => Err(SourceErrorKind::Repository(format!(
            "its .git file names {}, which is no git directory",
            git_dir.display()
        ))),
    }
}

/// The repository whose git directory is `git_dir`, if it looks like one to git.
fn git_dir_at(git_dir: &Path, work_dir: Option<&Path>) -> Option<Layout> {
    if std::fs::symlink_metadata(git_dir.join("HEAD")).is_err() {
        return None;
    }
    let common = pointer(&git_dir.join("commondir"), b"").map(|common| git_dir.join(common));
    let common_dir = match common {
        Some(common) => common.canonicalize().unwrap_or(common),
        None => git_dir.to_owned(),
    };
    let objects = common_dir.join("objects");
    if !common_dir.join("refs").is_dir() || !objects.is_dir() {
        return None;
    }
    let work_dir = work_dir.map(Path::to_owned).or_else(|| work_dir_of(git_dir, &common_dir));
    Some(Layout {
        git_dir: git_dir.to_owned(),
        common_dir,
        work_dir,
        work_dir_is_given: false,
        index: None,
        objects: vec![objects],
    })
}

/// The work tree of a git directory that was named itself.
fn work_dir_of(git_dir: &Path, common_dir: &Path) -> Option<PathBuf> {
    if git_dir != common_dir {
        let dot_git = git_dir.join(pointer(&git_dir.join("gitdir"), b"")?);
        return dot_git.parent().map(Path::to_owned);
    }
    (git_dir.file_name()? == ".git").then(|| git_dir.parent().map(Path::to_owned)).flatten()
}

/// The path that a one-line file holds after `prefix`.
fn pointer(file: &Path, prefix: &[u8]) -> Option<PathBuf> {
    let bytes = std::fs::read(file).ok()?;
    let path = bytes.strip_prefix(prefix)?.trim_ascii_end();
    (!path.is_empty() && path.len() < 1 << 16).then(|| path_from(path))
}

/// A path from bytes; on systems whose paths are not bytes, invalid ones are replaced.
pub(super) fn path_from(bytes: &[u8]) -> PathBuf {
    gix::path::from_byte_slice(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into(), Into::into)
}

/// Splits a list of object folders. Entries may be quoted as C strings, in which case separators don't split.
fn object_folders(list: &OsString) -> Vec<PathBuf> {
    let Ok(list) = gix::path::os_str_into_bstr(list) else { return std::env::split_paths(list).collect() };
    let separator = if cfg!(windows) { b';' } else { b':' };
    let mut rest: &[u8] = list;
    let mut folders = Vec::new();
    while !rest.is_empty() {
        let quoted = rest.starts_with(b"\"").then(|| gix::quote::ansi_c::undo(rest.into()).ok()).flatten();
        let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
        let (entry, used) = match &quoted {
            Some((entry, used)) => (entry.as_ref() as &[u8], *used),
            None => (&rest[..end], end),
        };
        if !entry.is_empty() {
            folders.push(path_from(entry));
        }
        rest = rest.get(used + 1..).unwrap_or_default();
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_folder_lists_split_outside_quotes() {
        let list = if cfg!(windows) { r#"a;"b;\"c";;d"# } else { r#"a:"b:\"c"::d"# };
        let second = if cfg!(windows) { "b;\"c" } else { "b:\"c" };
        assert_eq!(object_folders(&list.into()), [Path::new("a"), Path::new(second), Path::new("d")]);
    }
}

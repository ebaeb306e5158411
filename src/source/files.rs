//! Files and folders the user names, and standard input.
//!
//! In: a path (`-` is standard input) and what to leave out. Out: the bytes of every file below it, hidden and ignored
//! ones too, with names and link targets as texts of their own. A path that the user names is always read, be it a link
//! or a pipe; what is found below it is never followed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{Folder, Manner, facts, name_bytes};
use super::gitignore::Ignores;
use super::reader::{Care, Opened, Plan, Reader, Tally, explain};
use super::stream::{OVERLAP, Sizes};
use super::tree::{Walk, repositories_note};
use super::{RootFacts, Source, SourceError, SourceErrorKind, Unread, Visitor};
use crate::place::{Part, Provenance};
use crate::policy::Policy;

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesOptions {
    /// Leave out what git ignores.
    pub gitignore: bool,
    /// Leave out files of more than this many bytes.
    pub max_file_size: Option<u64>,
    /// Context, in bytes, on both sides of the windows of huge files: no less than the longest match of any rule.
    pub overlap: usize,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self { gitignore: false, max_file_size: None, overlap: OVERLAP }
    }
}

/// A folder, a file or standard input.
#[derive(Debug)]
pub struct Files {
    /// As the user spelled it.
    path: PathBuf,
    /// What to do.
    plan: Plan,
    /// Whether ignore files are honoured.
    gitignore: bool,
    /// What was counted.
    tally: Tally,
}

impl Files {
    /// The source for `path`; `-` is standard input. Nothing is opened yet.
    pub fn new(path: PathBuf, policy: Policy, options: FilesOptions) -> Self {
        let FilesOptions { gitignore, max_file_size, overlap } = options;
        let plan = Plan { policy, max_file_size, sizes: Sizes::new(overlap), care: Care::Folder };
        Self { path, plan, gitignore, tally: Tally::default() }
    }

    /// Whether standard input is meant.
    fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Hands things to `visitor`.
    fn reader<'a, V>(&'a self, visitor: &'a V) -> Reader<'a, V> {
        Reader { plan: &self.plan, visitor, tally: &self.tally }
    }

    /// A failure of the whole root.
    fn failure(&self, error: io::Error) -> SourceError {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => SourceErrorKind::NotFound,
            _ => SourceErrorKind::Io(error),
        };
        SourceError::new(self.path.to_string_lossy(), kind)
    }

    /// Walks the folder.
    fn walk_folder<V: Visitor>(&self, visitor: &V) -> io::Result<()> {
        let root = Folder::open(&self.path, Manner::Plain)?;
        let absolute = self.path.canonicalize()?;
        let dir = self.plan.policy.enter_root_at(&root_bytes(&absolute));
        let ignores = self.gitignore.then(|| Ignores::around(&absolute, |text| visitor.note(text)));
        Walk::new(self.reader(visitor), &root).run(dir, ignores)?;
        if let Some(note) = repositories_note(&self.tally, "in this folder") {
            visitor.note(note);
        }
        Ok(())
    }

    /// Reads the one file. It may be a pipe or a device: the user named it.
    fn read_file<V: Visitor>(&self, visitor: &V, name: Vec<u8>) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) => {
                let (kind, detail) = explain(&error);
                visitor.unread(Unread::new(kind, name, detail));
                return Ok(());
            }
        };
        let before = file.metadata()?;
        let reader = self.reader(visitor);
        let mut provenance = Provenance { path: name, ..Provenance::default() };
        if !before.is_file() {
            reader.stream(&provenance, &provenance.path, file);
            return Ok(());
        }
        provenance.file = Some(facts(&before));
        let name = provenance.path.clone();
        reader.text(&mut provenance, Part::PathName, &name);
        reader.content(Opened { file, before, provenance });
        Ok(())
    }
}

impl Source for Files {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        let done = if self.is_stdin() {
            self.reader(visitor).stream(&Provenance::default(), b"standard input", io::stdin().lock());
            Ok(())
        } else {
            match std::fs::metadata(&self.path) {
                Ok(metadata) if metadata.is_dir() => self.walk_folder(visitor),
                Ok(_) => self.read_file(visitor, self.path.file_name().map(name_bytes).unwrap_or_default()),
                Err(error) => Err(error),
            }
        };
        done.map_err(|error| self.failure(error))
    }

    fn is_repeatable(&self) -> bool {
        !self.is_stdin() && std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_dir() || metadata.is_file())
    }

    fn root(&self) -> RootFacts {
        let spelled = self.path.to_string_lossy().into_owned();
        let name = if self.is_stdin() { "stdin".to_owned() } else { stable_name(&self.path) };
        RootFacts { kind: "files", spelled, name, ..RootFacts::default() }
    }
}

/// The name of what `path` leads to: its last component, links, `.` and `..` resolved; `root` for a root folder.
pub(crate) fn stable_name(path: &Path) -> String {
    let resolved = path.canonicalize();
    let name = resolved.as_deref().unwrap_or(path).file_name();
    name.map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// An absolute path as policy takes it: raw bytes, `/`-separated, without drive or share.
fn root_bytes(absolute: &Path) -> Vec<u8> {
    use std::path::Component;
    let names = absolute.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name_bytes(name)),
        _ => None,
    });
    names.collect::<Vec<_>>().join(&b'/')
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;

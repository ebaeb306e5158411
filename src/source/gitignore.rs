//! The ignore files that hold in a folder, for `--gitignore`.
//!
//! The patterns are the `ignore` crate's; the walk asks from the innermost file outwards. Honoured: `.gitignore` in
//! every folder, those above the root up to the repository's top, `.git/info/exclude`. Not honoured: the user's own
//! `core.excludesFile`, because the same scan should see the same files on every machine; what it ignores is scanned.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::folder::{Entry, Kind};

/// The ignore files of one folder, and those around it.
#[derive(Debug)]
pub(crate) struct Ignores {
    /// Absolute path of the scan root.
    root: Arc<PathBuf>,
    /// Those around it.
    outer: Option<Arc<Ignores>>,
    /// Its own, the strongest first.
    own: Vec<Gitignore>,
}

impl Ignores {
    /// Those that hold around the scan root `root` (canonical): of the folders above it, if it lies in a repository.
    pub(crate) fn around(root: &Path, note: impl Fn(String)) -> Arc<Self> {
        let above: Vec<&Path> = root.ancestors().skip(1).collect();
        // A root that is itself a repository's top has nothing around it; its own files are entered by the walk.
        let top = (!is_top(root)).then(|| above.iter().position(|folder| is_top(folder))).flatten();
        let base = Arc::new(root.to_owned());
        let mut outer = Arc::new(Self { root: Arc::clone(&base), outer: None, own: Vec::new() });
        for folder in above[..top.map_or(0, |top| top + 1)].iter().rev() {
            let own = load(folder, folder.join(".gitignore").is_file(), is_top(folder), &note);
            outer = Arc::new(Self { root: Arc::clone(&base), outer: Some(outer), own });
        }
        outer
    }

    /// Those that hold in the folder at `path` below the root, whose listing is `entries`; `outer` hold around it.
    /// `None` in, `None` out: nobody asked for ignore files.
    pub(crate) fn enter(
        outer: Option<Arc<Self>>,
        path: &Path,
        entries: &[Entry],
        note: impl Fn(String),
    ) -> Option<Arc<Self>> {
        let outer = outer?;
        let has_file = entries.iter().any(|entry| entry.name == ".gitignore" && entry.kind == Kind::File);
        let is_top = entries.iter().any(|entry| entry.name == ".git");
        if !has_file && !is_top {
            return Some(outer);
        }
        let root = Arc::clone(&outer.root);
        let own = load(&root.join(path), has_file, is_top, &note);
        // A repository inside another one is a world of its own.
        Some(Arc::new(Self { root, outer: (!is_top).then_some(outer), own }))
    }

    /// Whether git would ignore `path` (below the root), if it isn't tracked.
    pub(crate) fn leave_out(&self, path: &Path, is_folder: bool) -> bool {
        let path = self.root.join(path);
        let mut layer = Some(self);
        while let Some(here) = layer {
            for own in &here.own {
                match own.matched(&path, is_folder) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
            layer = here.outer.as_deref();
        }
        false
    }
}

/// Whether `folder` is the top of a repository's work tree.
fn is_top(folder: &Path) -> bool {
    folder.join(".git").exists()
}

/// The ignore files of the folder at `folder` (absolute), the strongest first.
fn load(folder: &Path, has_file: bool, is_top: bool, note: &impl Fn(String)) -> Vec<Gitignore> {
    let mut files = Vec::new();
    if has_file {
        files.push(folder.join(".gitignore"));
    }
    let exclude = folder.join(".git/info/exclude");
    if is_top && exclude.is_file() {
        files.push(exclude);
    }
    let read = |file: PathBuf| {
        let mut builder = GitignoreBuilder::new(folder);
        if let Some(error) = builder.add(&file) {
            note(format!("ignore file not understood in full: {error}"));
        }
        builder.build().map_err(|error| note(format!("ignore file left aside: {error}"))).ok()
    };
    files.into_iter().filter_map(read).collect()
}

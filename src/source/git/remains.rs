//! What a repository holds beside its objects: logs of refs, packed refs, indexes, messages in the making, Git LFS files
//! that nothing points to, configuration, hooks. For proofs that something is gone.
//!
//! In: a repository. Out: every file below its git folder as it is, and the paths of all index entries; packs and loose
//! objects are [`super::history`]'s, but halves of them that an interrupted git left behind are unread here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::repo::{Opening, Repository};
use super::roots::Roots;
use crate::blob::{Blob, ContentId};
use crate::place::{Part, Provenance};
use crate::policy::{Excludes, Policy};
use crate::source::files::{Files, FilesOptions};
use crate::source::{RootFacts, Source, SourceError, SourceErrorKind, Unread, UnreadKind, Visitor};

/// Below the git folder: what [`super::history`] reads.
const OBJECTS: [&str; 4] =
    ["/objects/[0-9a-f][0-9a-f]", "/objects/pack/*.pack", "/objects/pack/*.idx", "/objects/pack/*.rev"];

/// Numbers of index paths, apart from those of files.
const INDEX: u64 = 1 << 62;

/// What a repository holds beside its objects.
#[derive(Debug)]
pub struct Remains {
    repository: Repository,
    files: Files,
    entries: AtomicU64,
}

impl Remains {
    /// Those of the repository at `path`. `overlap`: the longest thing that is looked for, in bytes.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn new(path: &Path, opening: Opening, overlap: usize) -> Result<Self, SourceError> {
        let repository = Repository::open(path, opening)?;
        let mut excludes = Excludes::default();
        let failed = |error: crate::policy::BadGlob| {
            SourceError::new(path.to_string_lossy(), SourceErrorKind::Repository(error.to_string()))
        };
        OBJECTS.iter().try_for_each(|glob| excludes.add(glob)).map_err(failed)?;
        let policy = Policy::new(true, excludes.build().map_err(failed)?, false);
        let options = FilesOptions { gitignore: false, max_file_size: None, overlap };
        let files = Files::new(repository.common_dir().to_path_buf(), policy, options);
        Ok(Self { repository, files, entries: AtomicU64::new(INDEX) })
    }

    /// Hands out the paths of index entries: in the file they may be written as what differs from the one before.
    fn entries<V: Visitor>(&self, visitor: &V) {
        let roots = Roots::collect(&self.repository);
        let paths: BTreeSet<&[u8]> = roots.indexes.iter().flatten().map(|entry| &*entry.path).collect();
        for path in paths {
            let seen = Provenance { path: path.to_vec(), part: Part::PathName, ..Provenance::default() };
            let id = ContentId::Serial(self.entries.fetch_add(1, Ordering::Relaxed));
            visitor.visit(None, Blob { provenance: Some(&seen), ..Blob::whole(id, path) });
        }
    }

    /// Reports what git was writing when it was interrupted, and packs without an index: no one can tell what is in them.
    fn strays<V: Visitor>(&self, visitor: &V) {
        for folder in self.repository.object_folders() {
            let packs = folder.join("pack");
            let strays = names(&packs).into_iter().filter(|path| {
                is_in_the_making(path)
                    || path.extension().is_some_and(|end| end == "pack") && !path.with_extension("idx").exists()
            });
            let loose = names(folder).into_iter().filter(|path| path.is_dir() && *path != packs);
            let loose = loose.flat_map(|path| names(&path)).filter(|path| is_in_the_making(path));
            for path in strays.chain(loose).collect::<BTreeSet<PathBuf>>() {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                let detail = "an interrupted git left it behind, and what is in it can't be told: `git gc --prune=now`, or remove it";
                visitor.unread(Unread::new(UnreadKind::Unsupported, format!("objects/{name}"), detail));
            }
        }
    }
}

/// The paths in a folder; one that can't be listed is reported by the walk over objects.
fn names(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

/// Whether git names files so that it has not finished.
fn is_in_the_making(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ["tmp_", ".tmp-", "incoming-"].iter().any(|start| name.starts_with(start))
}

impl Source for Remains {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        self.strays(visitor);
        self.entries(visitor);
        self.files.walk(visitor)
    }

    fn root(&self) -> RootFacts {
        self.files.root()
    }
}

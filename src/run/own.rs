//! Whose word counts: configuration is read from the repository of the current directory, and only when that is what
//! is being scanned. A repository, folder or image that is merely named never supplies it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;

use crate::cli::error::plain;
use crate::cli::settings::Resolver;
use crate::cli::{CliError, ConfigSource, ConfigText, Side, Trust};
use crate::source::git::change::{At, read_path_at};
use crate::source::git::repo::{Opening, Repository};

/// The repository (or, outside of one, the folder) that we stand in, if it is what is scanned.
#[derive(Debug)]
pub(super) struct Own {
    repository: Option<Arc<Repository>>,
    top: Option<PathBuf>,
    range: Ends,
    under_review: bool,
}

/// The ends of a diff's range.
#[derive(Debug, Default)]
struct Ends {
    trusted: Option<ObjectId>,
    base: Option<ObjectId>,
    head: Option<ObjectId>,
}

impl Own {
    /// No one: the root has no say.
    pub(super) fn nobody() -> Self {
        Self { repository: None, top: None, range: Ends::default(), under_review: false }
    }

    /// The repository around the current directory, or the directory itself.
    pub(super) fn here() -> Self {
        let repository = Repository::open(Path::new("."), Opening::Own).ok().map(Arc::new);
        let top = match &repository {
            Some(repository) => repository.work_dir().map(Path::to_path_buf),
            None => Some(PathBuf::from(".")),
        };
        Self { repository, top, ..Self::nobody() }
    }

    /// The same, if all of `roots` lie in it.
    pub(super) fn of(roots: &[PathBuf]) -> Self {
        let here = Self::here();
        let inside: Vec<PathBuf> = [here.top.clone(), here.repository.as_ref().map(|own| own.git_dir().to_path_buf())]
            .into_iter()
            .flatten()
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let in_own = |root: PathBuf| inside.iter().any(|top| root.starts_with(top) && is_of(&root, top));
        let is_own = |root: &PathBuf| match (&here.repository, root.canonicalize()) {
            _ if root == Path::new(".") => true,
            (Some(_), Ok(root)) => in_own(root),
            // Outside of a repository only the folder we stand in is ours: what lies below may be a stranger's.
            (None, Ok(root)) => inside.contains(&root),
            (_, Err(_)) => false,
        };
        if roots.iter().all(is_own) { here } else { Self::nobody() }
    }

    /// The same, if all of `roots` are that repository. One that merely lies in it, as a clone below the work tree does,
    /// is another's.
    pub(super) fn of_repositories(roots: &[PathBuf]) -> Self {
        let here = Self::here();
        let common = |repository: &Repository| repository.common_dir().canonicalize().ok();
        let own = here.repository.as_deref().and_then(common);
        let is_own = |root: &PathBuf| {
            let named = || Repository::open(root, Opening::Named).ok().and_then(|named| common(&named));
            root == Path::new(".") || (own.is_some() && named() == own)
        };
        if roots.iter().all(is_own) { here } else { Self::nobody() }
    }

    /// Tells the ends of the range that is scanned.
    pub(super) fn set_range(&mut self, trusted: Option<ObjectId>, base: Option<ObjectId>, head: Option<ObjectId>) {
        self.range = Ends { trusted, base, head };
    }

    /// Tells whether what the scanned change brings itself is under review.
    pub(super) fn set_under_review(&mut self, yes: bool) {
        self.under_review = yes;
    }

    /// The repository, for a scan that is of it: it needn't be opened twice, and its index is read once.
    pub(super) fn repository(&self) -> Option<&Arc<Repository>> {
        self.repository.as_ref()
    }

    /// The folder it is: the top of the repository's work tree, or the current directory.
    pub(super) fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// Whether the root has a say at all.
    pub(super) fn is_somebody(&self) -> bool {
        self.repository.is_some() || self.top.is_some()
    }

    /// Whether what the scanned change brings itself is under review.
    pub(super) fn is_under_review(&self) -> bool {
        self.under_review
    }

    /// Answers what settings ask of the own repository.
    pub(super) fn resolver(&self) -> Box<Resolver<'_>> {
        Box::new(move |source: &ConfigSource| self.read(source))
    }

    fn read(&self, source: &ConfigSource) -> Result<Option<ConfigText>, CliError> {
        match source.side {
            Side::WorkTree => self.read_work_tree(&source.path),
            Side::Index => self.read_at(At::Index, &source.path, "(index)"),
            Side::Head => match self.repository.as_ref().and_then(|own| own.head()) {
                Some(head) => self.read_at(At::Commit(head), &source.path, &short(head)),
                None => Ok(None),
            },
            Side::Range(trust) => {
                let commit = match trust {
                    None => self.range.trusted,
                    Some(Trust::Base) => self.range.base,
                    Some(Trust::Head) => self.range.head,
                };
                commit.map_or(Ok(None), |id| self.read_at(At::Commit(id), &source.path, &short(id)))
            }
        }
    }

    /// Reads a file of the repository as a commit has it, by the commit's full id in hex; `None` where there is no such
    /// commit or file.
    pub(super) fn read_commit(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        let id = ObjectId::from_hex(commit.to_ascii_lowercase().as_bytes()).ok()?;
        self.read_at(At::Commit(id), path, &short(id)).ok().flatten().map(|text| text.bytes)
    }

    /// Reads a file as it stands: in the work tree, else as `HEAD` has it.
    pub(super) fn read_standing(&self, path: &str) -> Option<Vec<u8>> {
        let sides = [Side::WorkTree, Side::Head].into_iter();
        let mut texts =
            sides.filter_map(|side| self.read(&ConfigSource { side, path: path.to_owned() }).ok().flatten());
        texts.next().map(|text| text.bytes)
    }

    fn read_work_tree(&self, path: &str) -> Result<Option<ConfigText>, CliError> {
        let Some(top) = &self.top else { return Ok(None) };
        let file = top.join(path);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(ConfigText { bytes, name: path.to_owned() })),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(CliError::new(format!("{}: {}", file.display(), plain(&error)))),
        }
    }

    fn read_at(&self, at: At, path: &str, name: &str) -> Result<Option<ConfigText>, CliError> {
        let Some(repository) = &self.repository else { return Ok(None) };
        match read_path_at(repository, at, path.as_bytes()) {
            Ok(bytes) => Ok(bytes.map(|bytes| ConfigText { bytes, name: format!("{path} {name}") })),
            Err(unread) => Err(CliError::new(format!("{path} {name}: {}", unread.detail))),
        }
    }
}

/// A commit as messages name it.
fn short(id: ObjectId) -> String {
    format!("at {}", id.to_hex_with_len(12))
}

/// Whether no other repository lies between `root` and `top`, in which it is: a clone or submodule below our work tree is
/// somebody else's.
fn is_of(root: &Path, top: &Path) -> bool {
    let is_repository = |folder: &Path| {
        folder.join(".git").exists() || folder.join("HEAD").is_file() && folder.join("objects").is_dir()
    };
    root.ancestors().take_while(|folder| *folder != top).all(|folder| !is_repository(folder))
}

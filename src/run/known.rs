//! The cache of verdicts that settings ask for: it must lie apart from all that is scanned.

use std::path::PathBuf;
use std::sync::Arc;

use super::opening;
use super::own::Own;
use crate::cache::Cache;
use crate::cli::{CliError, Settings, Task};
use crate::engine::Engine;
use crate::source::git::repo::Repository;

/// The cache, for scans whose contents have ids; none when it is to be ignored.
///
/// # Errors
/// Its folder is no place for it.
pub(super) fn cache(task: &Task, own: &Own, engine: &Engine, settings: &Settings) -> Result<Option<Cache>, CliError> {
    let Some(path) = settings.cache.as_ref().filter(|_| !settings.full_scan) else { return Ok(None) };
    let repositories: Vec<Arc<Repository>> = match task {
        Task::Files { .. } | Task::Image { .. } => return Ok(None),
        Task::Staged { .. } | Task::Diff { .. } => own.repository().cloned().into_iter().collect(),
        // One that can't be opened is reported when it is scanned.
        Task::History { repositories, .. } => {
            repositories.iter().filter_map(|path| Repository::open(path, opening(path)).ok().map(Arc::new)).collect()
        }
    };
    let scanned: Vec<PathBuf> = repositories.iter().flat_map(|repository| folders(repository)).collect();
    Cache::open(path, &engine.description(), &scanned).map(Some).map_err(|error| CliError::new(error.to_string()))
}

/// All folders of a repository: what lies in one may have come with it.
fn folders(repository: &Repository) -> Vec<PathBuf> {
    let own = [Some(repository.git_dir()), Some(repository.common_dir()), repository.work_dir()];
    let mut folders: Vec<PathBuf> = own.into_iter().flatten().map(PathBuf::from).collect();
    folders.extend(repository.object_folders().map(PathBuf::from));
    // The main work tree, when we are in a linked one; and linked ones.
    let common = repository.common_dir().canonicalize().unwrap_or_default();
    folders.extend(common.parent().filter(|_| common.ends_with(".git")).map(PathBuf::from));
    let linked = repository.worktrees().into_iter().filter_map(|(_, folder)| {
        let spelled = std::fs::read_to_string(folder.join("gitdir")).ok()?;
        Some(folder.join(spelled.trim_end_matches(['\n', '\r'])).parent()?.to_path_buf())
    });
    folders.extend(linked);
    folders
}

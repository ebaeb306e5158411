//! Where git looks for a repository's hooks, as its configuration says.
//!
//! In: the own repository and the environment. Out: a folder. Nothing in it is read or run. Unlike scans, this obeys
//! the configuration of system, user and repository, includes too: a hook that lies where git doesn't look guards
//! nothing. What `git -c` and `GIT_CONFIG_COUNT` say for one command has no say in what is installed for all.
//! Source: git-config(1), `core.hooksPath` and "FILES"; git 2.51, read 2026-11.

use std::path::PathBuf;

use gix::config::file::{Metadata, includes, init};
use gix::config::path::interpolate;
use gix::config::{File, Source};

use super::discover::Environment;
use super::repo::{Repository, one_line};

/// Where hooks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksFolder {
    /// The folder, which need not be there.
    pub path: PathBuf,
    /// Whether `core.hooksPath` names it; else it is the common git directory's.
    pub is_configured: bool,
}

/// The folder where git looks for the hooks of `repository`.
///
/// # Errors
/// A sentence when a configuration file can't be read: guessing could install a hook that never runs.
pub fn hooks_folder(repository: &Repository, env: Environment<'_>) -> Result<HooksFolder, String> {
    let ordinary = HooksFolder { path: repository.common_dir().join("hooks"), is_configured: false };
    let home = env("HOME").map(PathBuf::from);
    let interpolate = interpolate::Context {
        home_dir: home.as_deref(),
        home_for_user: Some(interpolate::home_for_user),
        git_install_dir: None,
    };
    let found = configured(repository, env, interpolate).map_err(|text| {
        format!("git's configuration, which tells where hooks go: {text} (`git config --list` may tell more)")
    })?;
    let Some(typed) = found else { return Ok(ordinary) };
    // An empty one says nothing to git.
    if typed.is_empty() {
        return Ok(ordinary);
    }
    let path = typed
        .interpolate(interpolate)
        .map_err(|error| format!("git's configuration: core.hooksPath: {}", one_line(&error)))?;
    // Relative to where git runs hooks.
    let from = repository.work_dir().unwrap_or_else(|| repository.git_dir());
    Ok(HooksFolder { path: from.join(path), is_configured: true })
}

/// `core.hooksPath`, from the file that wins.
fn configured(
    repository: &Repository,
    env: Environment<'_>,
    interpolate: interpolate::Context<'_>,
) -> Result<Option<gix::config::Path>, String> {
    let mut files = Vec::new();
    for source in [Source::System, Source::Git, Source::User] {
        files.extend(source.storage_location(&mut |name| env(name)).map(|path| (path, source)));
    }
    files.push((repository.common_dir().join("config"), Source::Local));
    let mut found = read(repository, &files, interpolate)?;
    // Only where the repository says so is the worktree's own file obeyed.
    if found.boolean("extensions.worktreeConfig").ok().flatten().unwrap_or(false) {
        files.push((repository.git_dir().join("config.worktree"), Source::Worktree));
        found = read(repository, &files, interpolate)?;
    }
    Ok(found.path("core.hooksPath"))
}

/// Reads these files, of which the later ones win; those that aren't there are empty, as is `/dev/null`.
fn read(
    repository: &Repository,
    files: &[(PathBuf, Source)],
    interpolate: interpolate::Context<'_>,
) -> Result<File, String> {
    let conditional = includes::conditional::Context { git_dir: Some(repository.git_dir()), branch_name: None };
    let options = init::Options { includes: includes::Options::follow(interpolate, conditional), ..Default::default() };
    let there = files.iter().filter(|(path, _)| path.is_file());
    let there = there.map(|(path, source)| Metadata { path: Some(path.clone()), ..Metadata::from(*source) });
    File::from_paths_metadata(there, options).map(Option::unwrap_or_default).map_err(|error| error.to_string())
}

//! A repository's own configuration, read for what its format says and nothing else: no includes, no system or
//! user files, nothing that runs.

use std::path::Path;

use gix::config::file::{Metadata, init};
use gix::hash::Kind;

use super::facts::Remote;

/// What we take from `config` and `config.worktree`.
pub(super) struct Config {
    /// Which hash names objects.
    pub(super) hash: Kind,
    /// `core.bare`, where stated.
    pub(super) bare: Option<bool>,
    /// `core.worktree`, relative to the git directory.
    pub(super) worktree: Option<Vec<u8>>,
    /// Whether objects may be left on a server.
    pub(super) partial: bool,
    /// All remotes, sorted by name.
    pub(super) remotes: Vec<Remote>,
}

impl Config {
    /// Reads the configuration of a repository.
    ///
    /// # Errors
    /// A sentence when it can't be parsed, or names a repository format we don't know.
    pub(super) fn read(common_dir: &Path, git_dir: &Path) -> Result<Self, String> {
        let mut files = vec![parse(&common_dir.join("config"))?];
        let format = integer(&files[0], "core.repositoryformatversion")?.unwrap_or(0);
        let hash = check_format(&files[0], format)?;
        if boolean(&files, "extensions.worktreeconfig")?.unwrap_or(false) {
            files.push(parse(&git_dir.join("config.worktree"))?);
        }
        let remotes = remotes(&files[0]);
        let partial = files[0].string("extensions.partialclone").is_some() || remotes.iter().any(|r| r.promisor);
        Ok(Self {
            hash,
            bare: boolean(&files, "core.bare")?,
            worktree: files.iter().rev().find_map(|file| file.string("core.worktree")).map(Into::into),
            partial,
            remotes,
        })
    }
}

/// Parses one configuration file; one that isn't there is empty.
fn parse(path: &Path) -> Result<gix::config::File, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(format!("{name}: {error}")),
    };
    gix::config::File::from_bytes_no_includes(&bytes, Metadata::default(), init::Options::default())
        .map_err(|error| format!("{name} is damaged: {error}"))
}

/// The last file that states a boolean wins.
fn boolean(files: &[gix::config::File], key: &str) -> Result<Option<bool>, String> {
    for file in files.iter().rev() {
        if let Some(value) = file.boolean(key).map_err(|_| format!("{key} is no boolean"))? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn integer(file: &gix::config::File, key: &str) -> Result<Option<i64>, String> {
    file.integer(key).map_err(|_| format!("{key} is no number"))
}

/// Refuses formats we would misread and tells the hash.
///
/// Source: git's `Documentation/technical/repository-version.adoc` and `Documentation/config/extensions.adoc`,
/// git 2.51, read 2026-11.
fn check_format(file: &gix::config::File, format: i64) -> Result<Kind, String> {
    if !(0..=1).contains(&format) {
        return Err(format!("repository format {format} is not supported"));
    }
    let mut hash = Kind::Sha1;
    for section in file.sections_by_name("extensions").into_iter().flatten() {
        for name in section.value_names() {
            let name = name.to_string().to_ascii_lowercase();
            let value = section.value(name.as_str()).unwrap_or_default().to_string();
            match (name.as_str(), value.as_str()) {
                ("noop" | "preciousobjects" | "partialclone" | "worktreeconfig" | "relativeworktrees", _) => {}
                ("noop-v1" | "compatobjectformat" | "submodulepathconfig", _) => {}
                ("objectformat", "sha1") => {}
                ("objectformat", "sha256") => hash = Kind::Sha256,
                ("refstorage", "files") => {}
                ("refstorage", "reftable") => {
                    let mend = "`git refs migrate --ref-format=files` on a copy makes it readable";
                    return Err(format!("its refs are stored as reftable, which is not supported ({mend})"));
                }
                _ if format == 0 => {}
                _ => return Err(format!("extension `{name} = {value}` is not supported")),
            }
        }
    }
    Ok(hash)
}

fn remotes(file: &gix::config::File) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = Vec::new();
    for section in file.sections_by_name("remote").into_iter().flatten() {
        let Some(name) = section.header().subsection_name() else { continue };
        let url = section.value("url").map(|value| value.to_string());
        let promisor = section.value("promisor").is_some_and(|value| !value.eq_ignore_ascii_case(b"false"))
            || section.value("partialclonefilter").is_some();
        match remotes.iter_mut().find(|remote| remote.name.as_bytes() == name.as_ref() as &[u8]) {
            Some(known) => {
                known.url = known.url.take().or(url);
                known.promisor |= promisor;
            }
            None => remotes.push(Remote { name: name.to_string(), url, promisor }),
        }
    }
    remotes.sort_by(|a, b| a.name.cmp(&b.name));
    remotes
}

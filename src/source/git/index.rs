//! Reading an index file, whole or split.
//!
//! In: a repository. Out: its index with all entries, or a sentence why not. Nothing of it is guessed: an index that
//! can't be read in full is an error, because what it leaves out would pass unseen.

use std::io::ErrorKind;

use gix::hash::{Kind as HashKind, hasher};
use gix::index::decode::Options;
use gix::index::{File, State};
use gix::objs::Kind;
use gix::{ObjectId, hash};

use super::repo::{Repository, one_line};
use crate::source::SourceErrorKind;

/// Reads the repository's index, shared parts of a split one included. `None` when there is no index file.
///
/// # Errors
/// It can't be read or is damaged.
pub(super) fn read_index(repository: &Repository) -> Result<Option<State>, SourceErrorKind> {
    let path = repository.index_path();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(repository, &error.to_string())),
    };
    let hash = repository.object_hash();
    check(&bytes, hash).map_err(|why| fail(repository, &why))?;
    let timestamp = State::new(hash).timestamp();
    let decoded = State::from_bytes(&bytes, timestamp, hash, Options::default());
    let (state, _) = decoded.map_err(|error| fail(repository, &one_line(&error)))?;
    match state.link() {
        None => Ok(Some(state)),
        Some(link) if link.bitmaps.is_none() => {
            let why = "it is split in a way we can't join (`git update-index --no-split-index` does)";
            Err(fail(repository, why))
        }
        Some(_) => match File::at(path, hash, false, Options::default()) {
            Ok(joined) => Ok(Some(joined.into())),
            Err(error) => {
                let why = format!("{} (`git update-index --no-split-index` may mend it)", one_line(&error));
                Err(fail(repository, &why))
            }
        },
    }
}

/// The error that the index can't be read.
fn fail(repository: &Repository, why: &str) -> SourceErrorKind {
    SourceErrorKind::Repository(format!("its index {}: {why}", repository.index_path().display()))
}

/// Checks the hash at the end of an index; all zeros (`index.skipHash`) means there is none.
fn check(bytes: &[u8], kind: HashKind) -> Result<(), String> {
    const MEND: &str = "(removing it and running `git reset` rebuilds it; what was staged is lost)";
    let end = bytes.len().checked_sub(kind.len_in_bytes()).ok_or_else(|| format!("it is cut short {MEND}"))?;
    let stated = hash::oid::try_from_bytes(&bytes[end..]).map_err(|_| format!("it is cut short {MEND}"))?;
    if stated.is_null() {
        return Ok(());
    }
    let mut hasher = hasher(kind);
    hasher.update(&bytes[..end]);
    match hasher.try_finalize() {
        Ok(actual) if actual.as_ref() == stated => Ok(()),
        Ok(_) => Err(format!("its checksum doesn't match: it is damaged {MEND}")),
        Err(error) => Err(format!("its checksum can't be computed: {}", one_line(&error))),
    }
}

/// The heads being merged into HEAD, as `MERGE_HEAD` names them, and as git tells its `pre-merge-commit` hook, which
/// runs before that file is written: in variables `GITHEAD_<id>` (`names`). Each id once, in order.
///
/// Source: git's `builtin/merge.c`, `prepare_to_commit`, git 2.47, read and tried 2026-11.
///
/// # Errors
/// A line of `MERGE_HEAD` is no object id.
pub(super) fn merge_heads<'n>(
    repository: &Repository,
    names: impl Iterator<Item = &'n str>,
) -> Result<Vec<ObjectId>, SourceErrorKind> {
    let mut heads = Vec::new();
    match std::fs::read(repository.git_dir().join("MERGE_HEAD")) {
        Ok(bytes) => {
            for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                let head = ObjectId::from_hex(line.trim_ascii()).map_err(|_| {
                    let text = "its MERGE_HEAD names no commit (`git merge --abort` or `--quit` ends the merge)";
                    SourceErrorKind::Repository(text.to_owned())
                })?;
                heads.push(head);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let ids = names.filter_map(|name| name.strip_prefix("GITHEAD_"));
            // `git am` names trees in this way: they are no heads.
            let mut reader = repository.reader();
            let ids = ids.filter_map(|hex| ObjectId::from_hex(hex.as_bytes()).ok());
            heads.extend(ids.filter(|id| reader.kind(id) == Some(Kind::Commit)));
        }
        Err(error) => return Err(error.into()),
    }
    let mut seen = std::collections::BTreeSet::new();
    heads.retain(|head| seen.insert(*head));
    Ok(heads)
}

//! What keeps objects alive: refs, reflogs, and the index of every worktree.

use std::path::Path;

use gix::ObjectId;

use super::refs;
use super::repo::{References, Reflogs, Repository};
use super::text::EntryKind;
use crate::source::{Unread, UnreadKind};

/// An entry of an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IndexEntry {
    /// Path below the top of the work tree; raw bytes.
    pub(super) path: Vec<u8>,
    /// The object; for conflicts each stage is an entry.
    pub(super) id: ObjectId,
    /// Mode as in trees.
    pub(super) mode: u32,
}

impl IndexEntry {
    /// What the entry is. A directory stands for all files below it (sparse index).
    pub(super) fn kind(&self) -> EntryKind {
        EntryKind::of(self.mode)
    }
}

/// Everything that names objects from outside the object database.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Refs and pseudo refs.
    pub(super) refs: References,
    /// Logs of refs.
    pub(super) logs: Reflogs,
    /// The entries of each index, sorted by path.
    pub(super) indexes: Vec<Vec<IndexEntry>>,
    /// Indexes that could not be read.
    pub(super) unread: Vec<Unread>,
}

impl Roots {
    /// Collects all roots of a repository.
    pub(super) fn collect(repository: &Repository) -> Self {
        let mut roots = Self { refs: repository.refs(), logs: repository.reflogs(), ..Self::default() };
        let mut indexes = vec![(b"index".to_vec(), repository.index_path().to_owned())];
        for (name, folder) in refs::roots(repository) {
            let path = folder.join("index");
            if path != indexes[0].1 {
                indexes.push(([name.as_slice(), b"index"].concat(), path));
            }
        }
        for (name, path) in indexes {
            match read_index(&path, repository.object_hash()) {
                Ok(entries) => roots.indexes.push(entries),
                Err(error) => {
                    let detail = format!("{error} (`git read-tree HEAD` writes it anew, staged changes are lost)");
                    roots.unread.push(Unread::new(UnreadKind::Corrupt, name, detail));
                }
            }
        }
        roots
    }

    /// The ids that refs and reflogs name, refs first; each once.
    pub(super) fn ids(&self) -> Vec<ObjectId> {
        let mut seen = gix::hashtable::HashSet::default();
        let refs = self.refs.all.iter().map(|reference| reference.id);
        let logs = self.logs.all.iter().flat_map(|(_, ids)| ids.iter().copied());
        refs.chain(logs).filter(|id| seen.insert(*id)).collect()
    }
}

/// Reads an index; one that isn't there is empty.
fn read_index(path: &Path, hash: gix::hash::Kind) -> Result<Vec<IndexEntry>, gix::Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let options = gix::index::decode::Options { thread_limit: Some(1), ..Default::default() };
    let file = gix::index::File::at(path, hash, false, options)?;
    let entry = |entry: &gix::index::Entry| IndexEntry {
        path: entry.path(&file).to_vec(),
        id: entry.id,
        mode: entry.mode.bits(),
    };
    // An entry added with `git add -N` names the empty blob, stored or not.
    let intent = gix::index::entry::Flags::INTENT_TO_ADD;
    let named = |entry: &&gix::index::Entry| !entry.id.is_null() && !entry.flags.contains(intent);
    let mut entries: Vec<_> = file.entries().iter().filter(named).map(entry).collect();
    entries.sort();
    Ok(entries)
}

//! The order in which blobs are read: by pack and offset, so that neighbours share delta bases and pages.

use gix::ObjectId;

use super::repo::Repository;

/// Sorts `ids` by where they lie in packs; those in none come last, by id.
///
/// A pack index that can't be read costs order, nothing else.
pub(super) fn by_pack(repository: &Repository, ids: Vec<ObjectId>) -> Vec<ObjectId> {
    let mut paths: Vec<_> = repository
        .object_folders()
        .filter_map(|folder| std::fs::read_dir(folder.join("pack")).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .collect();
    paths.sort();
    let open = |path| gix::odb::pack::index::File::at(path, repository.object_hash()).ok();
    let indexes: Vec<_> = paths.iter().filter_map(open).collect();
    let place = |id: &ObjectId| {
        let found = indexes.iter().enumerate().find_map(|(nth, index)| Some((nth, index, index.lookup(id)?)));
        found.map_or((usize::MAX, 0), |(nth, index, entry)| (nth, index.pack_offset_at_index(entry)))
    };
    let mut placed: Vec<_> = ids.into_iter().map(|id| (place(&id), id)).collect();
    placed.sort_unstable();
    placed.into_iter().map(|(_, id)| id).collect()
}

//! Numbers for objects, so that what is kept of a history names them in 4 bytes.
//!
//! In: the pack indexes and loose objects of all object folders. Out: id → [`Number`] and back. Ids are hashes, so
//! they are spread evenly: a table of where those with the same first bits begin in a sorted pack index leaves some four
//! to choose from, which lie in a cache line or two. An object that several packs hold has the number that the first of them
//! gives it, largest pack first; a loose one that is in no pack has one in the order of ids. What is in neither (an
//! object that is missing, that came later, or that only a multi-pack index knows) gets a number when it is met.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::oid;
use gix::hashtable::HashMap;
use gix::odb::pack::index::File;

use super::refs::hex;
use super::repo::Repository;

/// The number of an object within one [`Objects`]. It says nothing of what the object is, or whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Number(pub(super) u32);

impl Number {
    /// Stands where there is no object. [`Objects`] never gives it out.
    pub(super) const NONE: Self = Self(u32::MAX);

    /// The number, unless it is [`Number::NONE`].
    pub(super) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// The objects of a repository by number and by id.
pub(super) struct Objects {
    /// Which hash names objects.
    hash: gix::hash::Kind,
    /// Pack indexes, largest first.
    packs: Vec<Pack>,
    /// Loose objects, sorted; those in packs included.
    loose: Vec<ObjectId>,
    /// The number of the first loose object.
    first_loose: u32,
    /// The number of the first stray.
    first_stray: u32,
    /// What was met and is neither in a pack nor loose.
    strays: Mutex<Strays>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("packs", &self.packs.len()).field("loose", &self.loose.len()).finish()
    }
}

/// The index of a pack.
struct Pack {
    /// Its path.
    path: PathBuf,
    /// Ids, sorted, and offsets.
    index: File,
    /// Where the ids begin that have the same first bits; one more at the end.
    starts: Vec<u32>,
    /// How many bits are left of the first 32 when those are taken off.
    shift: u32,
    /// The number of its first object.
    first: u32,
}

/// Objects that were met and are in no table.
#[derive(Default)]
struct Strays {
    /// In the order they were met.
    ids: Vec<ObjectId>,
    /// The same the other way round.
    known: HashMap<ObjectId, u32>,
}

/// Most strays: a partial clone lacks fewer blobs. One takes about 80 bytes.
const STRAY_LIMIT: u32 = 1 << 24;

/// Most bits that ids are told apart by: a table of 16 MiB for some sixteen million objects and more.
const MOST_BITS: u32 = 22;

impl Objects {
    /// Numbers the objects of `repository`. A pack index or folder that can't be read is left out: what it holds is
    /// then met as a stray, and whoever reads it is told why it can't be.
    pub(super) fn open(repository: &Repository) -> Self {
        let hash = repository.object_hash();
        let mut paths: Vec<PathBuf> = repository
            .object_folders()
            .filter_map(|folder| std::fs::read_dir(folder.join("pack")).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
            .collect();
        paths.sort();
        let mut indexes: Vec<(PathBuf, File)> =
            paths.into_iter().filter_map(|path| File::at(&path, hash).ok().map(|index| (path, index))).collect();
        indexes.sort_by_key(|(_, index)| std::cmp::Reverse(index.num_objects()));
        let mut packs = Vec::with_capacity(indexes.len());
        let mut next = 0_u32;
        for (path, index) in indexes {
            // Past four thousand million objects the rest are strays.
            let Some(after) = next.checked_add(index.num_objects()).filter(|after| *after < u32::MAX) else { break };
            packs.push(Pack::new(path, index, next));
            next = after;
        }
        let mut loose: Vec<ObjectId> = repository.object_folders().flat_map(|folder| loose(folder, hash)).collect();
        loose.sort_unstable();
        loose.dedup();
        loose.truncate((u32::MAX - 1 - next) as usize);
        let first_stray = next + u32::try_from(loose.len()).expect("it was cut to fit");
        Self { hash, packs, loose, first_loose: next, first_stray, strays: Mutex::default() }
    }

    /// No objects but those that are met.
    #[cfg(test)]
    pub(super) fn none(hash: gix::hash::Kind) -> Self {
        Self { hash, packs: Vec::new(), loose: Vec::new(), first_loose: 0, first_stray: 0, strays: Mutex::default() }
    }

    /// The path of the pack index whose objects are numbered by their place in it.
    pub(super) fn first_pack(&self) -> Option<&Path> {
        self.packs.first().map(|pack| pack.path.as_path())
    }

    /// Which hash names objects.
    pub(super) fn hash(&self) -> gix::hash::Kind {
        self.hash
    }

    /// The number of the object `id`, if a pack or a loose file holds it or it was met before.
    pub(super) fn number(&self, id: &oid) -> Option<Number> {
        self.stored(id).or_else(|| {
            let strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
            strays.known.get(id).map(|nth| Number(self.first_stray + nth))
        })
    }

    /// The number of the object `id`, which may be anywhere or nowhere; `None` when there are too many.
    pub(super) fn enter(&self, id: &oid) -> Option<Number> {
        if let Some(number) = self.stored(id) {
            return Some(number);
        }
        let mut strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nth) = strays.known.get(id) {
            return Some(Number(self.first_stray + nth));
        }
        let nth = u32::try_from(strays.ids.len()).ok().filter(|nth| *nth < STRAY_LIMIT)?;
        let number = self.first_stray.checked_add(nth).filter(|number| *number < u32::MAX)?;
        strays.ids.push(id.to_owned());
        strays.known.insert(id.to_owned(), nth);
        Some(Number(number))
    }

    /// The id of an object; `number` must come from here.
    pub(super) fn id(&self, number: Number) -> ObjectId {
        let Number(number) = number;
        if number < self.first_loose {
            let pack = &self.packs[self.packs.partition_point(|pack| pack.first <= number) - 1];
            return pack.index.oid_at_index(number - pack.first).to_owned();
        }
        if number < self.first_stray {
            return self.loose[(number - self.first_loose) as usize];
        }
        let strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        strays.ids[(number - self.first_stray) as usize]
    }

    /// Loose objects that are in no pack, sorted.
    pub(super) fn loose(&self) -> Vec<ObjectId> {
        let in_pack = |id: &&ObjectId| self.packs.iter().any(|pack| pack.find(id).is_some());
        self.loose.iter().filter(|id| !in_pack(id)).copied().collect()
    }

    /// The number of an object in a pack or a loose file.
    fn stored(&self, id: &oid) -> Option<Number> {
        for pack in &self.packs {
            if let Some(at) = pack.find(id) {
                return Some(Number(pack.first + at));
            }
        }
        let at = self.loose.binary_search_by(|known| known.as_ref().cmp(id)).ok()?;
        Some(Number(self.first_loose + u32::try_from(at).ok()?))
    }
}

impl Pack {
    /// The index at `path`, whose first object has the number `first`.
    fn new(path: PathBuf, index: File, first: u32) -> Self {
        let count = index.num_objects();
        let bits = (count / 4).checked_ilog2().unwrap_or(0).clamp(8, MOST_BITS);
        let shift = 32 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (nth, entry) in (0..).zip(index.iter()) {
            // Ids that aren't sorted are found or not, as git finds them or not; nothing else depends on it.
            while starts.len() <= (leading(&entry.oid) >> shift) as usize {
                starts.push(nth);
            }
        }
        starts.resize((1 << bits) + 1, count);
        Self { path, index, starts, shift, first }
    }

    /// Where `id` lies in the index.
    fn find(&self, id: &oid) -> Option<u32> {
        let slot = (leading(id) >> self.shift) as usize;
        let (mut low, mut high) = (self.starts[slot], self.starts[slot + 1]);
        // Few, unless someone made ids that begin alike.
        while low < high {
            let middle = low.midpoint(high);
            match id.cmp(self.index.oid_at_index(middle)) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => high = middle,
                std::cmp::Ordering::Greater => low = middle + 1,
            }
        }
        None
    }
}

/// The first 4 bytes of an id as a number.
fn leading(id: &oid) -> u32 {
    id.as_bytes().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The ids of the loose objects in an object folder. Files of other names are none.
fn loose(folder: &Path, hash: gix::hash::Kind) -> Vec<ObjectId> {
    let mut ids = Vec::new();
    for first in 0..=u8::MAX {
        let first = format!("{first:02x}");
        let Ok(entries) = std::fs::read_dir(folder.join(&first)) else { continue };
        let names = entries.flatten().map(|entry| format!("{first}{}", entry.file_name().to_string_lossy()));
        ids.extend(names.filter_map(|name| hex(name.as_bytes())).filter(|id| id.kind() == hash));
    }
    ids
}

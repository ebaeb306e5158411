//! Packs, read the way they are written: every delta tree once, from its root down.
//!
//! In: a repository's object folders and a [`Recipient`] that says which objects it wants. Out: their bytes, each object
//! once, in an order in which a base is at hand when its children are made, and with each child what changed since its
//! base. What can't be had this way (damage, bases elsewhere, objects in no pack) is left out: a recipient counts what it
//! got and asks [`super::repo::Reader`] for the rest, which also words what is wrong with it.
//!
//! An index is held to its own checksum, an entry to the CRC-32 that the index has of it and to the Adler-32 of what it
//! inflates to, sizes to what headers and deltas say, and entries to lie end to end. Objects are not hashed again.

mod budget;
mod decode;
mod delta;
mod marks;
mod share;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::hash::{Kind as HashKind, oid};
use gix::objs::Kind;
use gix::odb::pack::{data, index};
use rayon::prelude::*;

use super::objects::{Number, Objects};
use super::repo::Repository;
use crate::blob::{Edits, Patch};
use crate::source::{Unread, UnreadKind};
use table::Table;

pub(super) use walk::{HELD, walk};

/// Which object is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'p> {
    /// Its id.
    pub(super) id: &'p oid,
    /// Its number, where that is known without looking for it, see [`Packs::numbered_by`].
    pub(super) number: Option<Number>,
}

impl<'p> Named<'p> {
    /// The object with this id.
    pub(super) fn new(id: &'p oid) -> Self {
        Self { id, number: None }
    }

    /// Its number among `objects`, if it has one.
    pub(super) fn number(self, objects: &Objects) -> Option<Number> {
        self.number.or_else(|| objects.number(self.id))
    }
}

/// Takes the objects that a walk decodes. Called from any thread.
pub(super) trait Recipient: Sync {
    /// What it wants to know again when it sees a child.
    type State: Send + Sync;

    /// Whether it wants this object. Asked for every packed object of the walk's kind, before the first one is read, and
    /// for every copy of it; one is received at most. Trees of deltas that hold nothing wanted are not read.
    fn wants(&self, object: Named<'_>) -> bool;

    /// Takes a wanted object. `parent` is what it made of the delta base, if that one was wanted too, and how this
    /// object came about from it.
    fn receive(&self, parent: Option<(&Self::State, &Edits)>, object: Named<'_>, bytes: &[u8]) -> Self::State;

    /// Looks at a wanted object that is no one's base, before it is put together, when its own base was received.
    /// `true` settles it; `false` has it put together and received.
    fn glance(&self, parent: &Self::State, patch: &Patch<'_>, object: Named<'_>) -> bool {
        let _ = (parent, patch, object);
        false
    }

    /// How many bytes of memory a state takes, about.
    fn weight(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// Whether to stop early.
    fn stop(&self) -> bool {
        false
    }
}

/// The packs of a repository, those of its alternates included.
pub(super) struct Packs {
    /// Those that could be opened: largest first, so that few have to be asked whether they hold an object too.
    all: Vec<Pack>,
    /// How many bytes walks may hold in bases.
    held: usize,
}

/// A pack, mapped into memory.
struct Pack {
    /// The path of its index.
    path: PathBuf,
    /// Whether an object's place in the index is its [`Number`].
    numbered: bool,
    /// Its file name.
    name: String,
    /// Its entries.
    data: data::File,
    /// Which object each entry is.
    index: index::File,
    /// How its entries hang together.
    table: Table,
}

impl Packs {
    /// Opens every pack that has an index. What can't be opened is left out: the objects in it are then in no pack.
    pub(super) fn open(repository: &Repository) -> Self {
        Self::below(repository.object_folders(), repository.object_hash())
    }

    /// Walks may hold bases of so many bytes.
    pub(super) fn holding(self, held: usize) -> Self {
        Self { held, ..self }
    }

    /// With the numbers of `objects`, which begin with the objects of one pack.
    pub(super) fn numbered_by(mut self, objects: &Objects) -> Self {
        for pack in &mut self.all {
            pack.numbered = objects.first_pack() == Some(&*pack.path);
        }
        self
    }

    /// How many bytes walks may hold in bases.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// The same for object folders and the hash that names what is in them.
    fn below<'p>(folders: impl Iterator<Item = &'p Path>, hash: HashKind) -> Self {
        let mut paths: Vec<PathBuf> = folders
            .filter_map(|folder| std::fs::read_dir(folder.join("pack")).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
            .collect();
        paths.sort();
        paths.dedup();
        let mut all: Vec<Pack> = paths.par_iter().filter_map(|path| Pack::open(path, hash)).collect();
        all.sort_by_key(|pack| std::cmp::Reverse(pack.index.num_objects()));
        Self { all, held: HELD }
    }

    /// Whether none of the packs before the `nth` one holds this object of this kind.
    fn is_first(&self, nth: usize, id: &oid, kind: Kind) -> bool {
        self.all[..nth].iter().all(|pack| pack.find(id, kind).is_none())
    }

    /// What is wrong with packs as a whole, seen without reading their objects.
    fn miscounted(&self) -> impl Iterator<Item = Unread> {
        self.all.iter().filter_map(|pack| {
            let (header, index) = (pack.data.num_objects(), pack.index.num_objects());
            (header != index)
                .then(|| pack.unread(format!("it says it holds {header} objects and its index names {index}")))
        })
    }
}

impl Pack {
    /// Opens a pack by its index.
    fn open(path: &Path, hash: HashKind) -> Option<Self> {
        let index = index::File::at(path, hash).ok()?;
        let data = data::File::at(path.with_extension("pack"), hash).ok()?;
        // A wrong id or checksum in an index would be believed; a sound one costs a hundredth of a walk.
        let interrupted = AtomicBool::new(false);
        index.verify_checksum(&mut gix::progress::Discard, &interrupted).ok()?;
        if index.pack_checksum() != data.checksum() {
            return None;
        }
        let name = path.with_extension("pack").file_name()?.to_string_lossy().into_owned();
        let table = Table::new(&data, &index);
        Some(Self { path: path.to_owned(), numbered: false, name, data, index, table })
    }

    /// The object that an entry is.
    fn object(&self, entry: u32) -> Named<'_> {
        let nth = self.table.nth(entry);
        Named { id: self.index.oid_at_index(nth), number: self.numbered.then_some(Number(nth)) }
    }

    /// The entry that is an object of this kind, as far as headers tell.
    fn find(&self, id: &oid, kind: Kind) -> Option<u32> {
        let nth = self.index.lookup(id)?;
        let entry = self.table.at(self.index.pack_offset_at_index(nth))?;
        self.table.is_of_kind(entry, kind).then_some(entry)
    }

    /// This pack as something that isn't sound.
    fn unread(&self, what: impl std::fmt::Display) -> Unread {
        let detail = format!("damaged: {what} (`git fsck` tells more, a fresh clone mends it)");
        Unread::new(UnreadKind::Corrupt, format!("objects/pack/{}", self.name), detail)
    }
}

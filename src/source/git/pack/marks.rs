//! What a walk has to do with each entry of a pack.

use gix::objs::Kind;

use super::{Pack, Packs, Recipient};

/// Someone wants this object.
const WANTED: u8 = 1;
/// It, or one that is made from it, is wanted.
const NEEDED: u8 = 2;
/// One that is made from it is needed.
const BASE: u8 = 4;

/// A mark for each entry of one pack.
pub(super) struct Marks(Vec<u8>);

impl Marks {
    /// Asks the recipient about every object of `kind` in the `nth` pack. An object that a pack before has too is that
    /// one's.
    pub(super) fn ask<R: Recipient>(packs: &Packs, nth: usize, kind: Kind, recipient: &R) -> Self {
        let pack = &packs.all[nth];
        let mut marks = Self::none(pack);
        for entry in pack.table.of_kind(kind) {
            let object = pack.object(entry);
            if recipient.wants(object) && packs.is_first(nth, object.id, kind) {
                marks.want(pack, entry);
            }
        }
        marks
    }

    /// Nothing to do.
    pub(super) fn none(pack: &Pack) -> Self {
        Self(vec![0; pack.table.len() as usize])
    }

    /// Has the object of an entry delivered. The entry has a kind.
    pub(super) fn want(&mut self, pack: &Pack, entry: u32) {
        self.0[entry as usize] |= WANTED;
        let mut below = entry;
        // Ends at a root: entries that have a kind are in a tree.
        while self.0[below as usize] & NEEDED == 0 {
            self.0[below as usize] |= NEEDED;
            let Some(base) = pack.table.parent(below) else { break };
            self.0[base as usize] |= BASE;
            below = base;
        }
    }

    /// The roots of all trees that are needed, by where they lie.
    pub(super) fn roots(&self, pack: &Pack, kind: Kind) -> Vec<u32> {
        let is_root = |entry: &u32| self.is_needed(*entry) && pack.table.parent(*entry).is_none();
        pack.table.of_kind(kind).filter(is_root).collect()
    }

    /// Whether the object is wanted.
    pub(super) fn is_wanted(&self, entry: u32) -> bool {
        self.0[entry as usize] & WANTED != 0
    }

    /// Whether it or one that is made from it is wanted.
    pub(super) fn is_needed(&self, entry: u32) -> bool {
        self.0[entry as usize] & NEEDED != 0
    }

    /// Whether one that is made from it is needed.
    pub(super) fn is_base(&self, entry: u32) -> bool {
        self.0[entry as usize] & BASE != 0
    }
}

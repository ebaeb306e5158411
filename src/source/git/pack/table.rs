//! How the entries of one pack hang together, from their headers alone.
//!
//! Entries are numbered by where they lie. The table takes 21 bytes an entry, since packs of ten million objects exist.
//! Headers are a stranger's data: an entry whose header can't be read, whose base isn't in the pack or which is, by a
//! way of bases, its own base has no kind, and is in nobody's tree.

use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};
use rayon::prelude::*;

/// No entry.
const NONE: u32 = u32::MAX;

/// Bytes before the first entry of a pack: signature, version, count.
/// Source: <https://git-scm.com/docs/gitformat-pack>, read 2026-11.
const FIRST: u64 = 12;

/// The kind of an object whose kind is not known.
const UNKNOWN: u8 = 0;

/// The entries of a pack, in the order of their offsets.
pub(super) struct Table {
    /// Lower halves of the offsets.
    low: Vec<u32>,
    /// Where the upper half of the offsets changes: the upper half and the first entry that has it. Empty below 4 GiB.
    high: Vec<(u32, u32)>,
    /// Where the entries are over: the offset of the pack's trailer.
    end: u64,
    /// The place of each entry in the index, which is sorted by object id.
    nth: Vec<u32>,
    /// The base of each entry, or [`NONE`].
    parent: Vec<u32>,
    /// Where the children of each entry start in `children`; one more, for the end.
    first_child: Vec<u32>,
    /// Entries by their base. Those of one base with the smallest tree of their own first: whoever takes the last one
    /// down with the base let go never holds more than log2(entries) bases.
    children: Vec<u32>,
    /// The kind of each entry's root, [`number`]ed.
    kinds: Vec<u8>,
}

/// The number of a kind in tables; those of pack entries.
fn number(kind: gix::objs::Kind) -> u8 {
    match kind {
        gix::objs::Kind::Commit => 1,
        gix::objs::Kind::Tree => 2,
        gix::objs::Kind::Blob => 3,
        gix::objs::Kind::Tag => 4,
    }
}

impl Table {
    /// Reads the header of every entry that `index` names in `data`.
    pub(super) fn new(data: &data::File, index: &index::File) -> Self {
        let end = data.pack_end() as u64;
        let mut offsets: Vec<(u64, u32)> = (0..index.num_objects())
            .map(|nth| (index.pack_offset_at_index(nth), nth))
            .filter(|(offset, _)| (FIRST..end).contains(offset))
            .collect();
        offsets.par_sort_unstable();
        let (parent, kinds) =
            (0..offsets.len()).into_par_iter().map(|entry| header(data, index, &offsets, entry)).unzip();
        let mut table = Self {
            low: offsets.iter().map(|(offset, _)| *offset as u32).collect(),
            high: high(&offsets),
            end,
            nth: offsets.iter().map(|(_, nth)| *nth).collect(),
            parent,
            kinds,
            first_child: Vec::new(),
            children: Vec::new(),
        };
        drop(offsets);
        table.link();
        table
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.nth.len()).expect("an index counts its objects in 32 bits")
    }

    /// Where an entry starts in the pack, in bytes.
    pub(super) fn offset(&self, entry: u32) -> u64 {
        let turn = self.high.partition_point(|(_, first)| *first <= entry);
        let high = turn.checked_sub(1).map_or(0, |turn| u64::from(self.high[turn].0));
        high << 32 | u64::from(self.low[entry as usize])
    }

    /// The entry that starts at `offset`.
    pub(super) fn at(&self, offset: u64) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.offset(middle) < offset { low = middle + 1 } else { high = middle }
        }
        (low < self.len() && self.offset(low) == offset).then_some(low)
    }

    /// Whether an entry is of this kind.
    pub(super) fn is_of_kind(&self, entry: u32, kind: gix::objs::Kind) -> bool {
        self.kinds[entry as usize] == number(kind)
    }

    /// Where an entry ends if it is sound: where the next one starts, or the trailer.
    pub(super) fn end(&self, entry: u32) -> u64 {
        if entry + 1 < self.len() { self.offset(entry + 1) } else { self.end }
    }

    /// The place of an entry's object in the index.
    pub(super) fn nth(&self, entry: u32) -> u32 {
        self.nth[entry as usize]
    }

    /// The base of an entry; `None` when it needs none.
    pub(super) fn parent(&self, entry: u32) -> Option<u32> {
        let parent = self.parent[entry as usize];
        (parent != NONE).then_some(parent)
    }

    /// All entries by their base; [`Table::children_of`] says where whose are.
    pub(super) fn children(&self) -> &[u32] {
        &self.children
    }

    /// Where the entries lie that have this one as their base, in [`Table::children`].
    pub(super) fn children_of(&self, entry: u32) -> std::ops::Range<u32> {
        self.first_child[entry as usize]..self.first_child[entry as usize + 1]
    }

    /// The entries whose objects are of this kind, by where they lie.
    pub(super) fn of_kind(&self, kind: gix::objs::Kind) -> impl Iterator<Item = u32> {
        let wanted = number(kind);
        (0..self.len()).zip(&self.kinds).filter(move |(_, kind)| **kind == wanted).map(|(entry, _)| entry)
    }

    /// Lists the children of every entry and passes the kinds of the roots down.
    fn link(&mut self) {
        let count = self.nth.len();
        self.first_child = vec![0; count + 1];
        for parent in self.parent.iter().filter(|parent| **parent != NONE) {
            self.first_child[*parent as usize + 1] += 1;
        }
        for entry in 0..count {
            self.first_child[entry + 1] += self.first_child[entry];
        }
        let mut next = self.first_child.clone();
        self.children = vec![0; self.first_child[count] as usize];
        for (entry, parent) in (0..).zip(&self.parent).filter(|(_, parent)| **parent != NONE) {
            let place = &mut next[*parent as usize];
            self.children[*place as usize] = entry;
            *place += 1;
        }
        drop(next);
        let downwards = self.pass_kinds();
        self.smallest_first(&downwards);
    }

    /// Gives every entry in a tree the kind of its root; those entries, bases before their children.
    fn pass_kinds(&mut self) -> Vec<u32> {
        let mut downwards: Vec<u32> = (0..self.len()).filter(|entry| self.kinds[*entry as usize] != UNKNOWN).collect();
        let mut done = 0;
        // Each entry has one base at most, so it is added once; those that are their own base are added never.
        while let Some(entry) = downwards.get(done).copied() {
            done += 1;
            for place in self.children_of(entry) {
                let child = self.children[place as usize];
                self.kinds[child as usize] = self.kinds[entry as usize];
                downwards.push(child);
            }
        }
        downwards
    }

    /// Puts the children of each entry in the order of how many entries hang on them.
    fn smallest_first(&mut self, downwards: &[u32]) {
        let mut sizes = vec![1_u32; self.nth.len()];
        for entry in downwards.iter().rev() {
            let parent = self.parent[*entry as usize];
            if parent != NONE {
                sizes[parent as usize] += sizes[*entry as usize];
            }
        }
        for entry in downwards {
            let range = self.children_of(*entry);
            let children = &mut self.children[range.start as usize..range.end as usize];
            children.sort_unstable_by_key(|child| (sizes[*child as usize], *child));
        }
    }
}

/// Where the upper halves of the offsets change.
fn high(offsets: &[(u64, u32)]) -> Vec<(u32, u32)> {
    let mut turns: Vec<(u32, u32)> = Vec::new();
    for (entry, (offset, _)) in (0..).zip(offsets) {
        let high = (offset >> 32) as u32;
        if high != turns.last().map_or(0, |(high, _)| *high) {
            turns.push((high, entry));
        }
    }
    turns
}

/// The base and the own kind of an entry.
fn header(data: &data::File, index: &index::File, offsets: &[(u64, u32)], entry: usize) -> (u32, u8) {
    let offset = offsets[entry].0;
    let find = |offset: u64, before: usize| -> Option<u32> {
        let found = search(&offsets[..before], offset)?;
        u32::try_from(found).ok()
    };
    let Ok(header) = data.entry(offset) else { return (NONE, UNKNOWN) };
    let parent = match header.header {
        Header::Commit => return (NONE, number(gix::objs::Kind::Commit)),
        Header::Tree => return (NONE, number(gix::objs::Kind::Tree)),
        Header::Blob => return (NONE, number(gix::objs::Kind::Blob)),
        Header::Tag => return (NONE, number(gix::objs::Kind::Tag)),
        Header::OfsDelta { base_distance } => {
            offset.checked_sub(base_distance).filter(|base| *base < offset).and_then(|base| find(base, entry))
        }
        Header::RefDelta { base_id } => {
            index.lookup(base_id).and_then(|nth| find(index.pack_offset_at_index(nth), offsets.len()))
        }
    };
    (parent.unwrap_or(NONE), UNKNOWN)
}

/// Where `offset` is in `sorted`; fast when that is near the end, where bases of close kin lie.
fn search(sorted: &[(u64, u32)], offset: u64) -> Option<usize> {
    let mut reach = 1;
    while reach < sorted.len() && sorted[sorted.len() - reach].0 > offset {
        reach *= 2;
    }
    let start = sorted.len() - reach.min(sorted.len());
    let found = sorted[start..].binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
    Some(start + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_past_four_gibibytes_are_kept_in_full() {
        let offsets: Vec<u64> = vec![12, 0xffff_ffff, 1 << 32, (1 << 32) + 7, (5 << 32) + 3, (5 << 32) + 4];
        let pairs: Vec<(u64, u32)> = offsets.iter().copied().zip(0..).collect();
        let table = Table {
            low: offsets.iter().map(|offset| *offset as u32).collect(),
            high: high(&pairs),
            end: 6 << 32,
            nth: (0..6).collect(),
            parent: vec![NONE; 6],
            first_child: vec![0; 7],
            children: Vec::new(),
            kinds: vec![UNKNOWN; 6],
        };
        assert_eq!(table.high, [(1, 2), (5, 4)]);
        for (entry, offset) in (0..).zip(&offsets) {
            assert_eq!((table.offset(entry), table.at(*offset)), (*offset, Some(entry)));
            assert_eq!(table.end(entry), *offsets.get(entry as usize + 1).unwrap_or(&(6 << 32)));
            assert_eq!(search(&pairs, *offset), Some(entry as usize));
            assert_eq!(
                (table.at(offset + 1).is_some(), search(&pairs, offset + 1).is_some()),
                (entry == 4 || entry == 1, entry == 4 || entry == 1)
            );
        }
        assert_eq!((table.at(0), table.at(u64::MAX), search(&[], 12)), (None, None, None));
    }
}

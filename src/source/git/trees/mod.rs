//! The trees of a history as lists of edges, kept small.
//!
//! Successive versions of a folder differ in an entry or two, and packs store them so. What is kept of a tree is
//! likewise what its base (an earlier record, where there is one) doesn't have: its own edges, and which runs of the
//! base's it shares. Measured on redis (90,902 trees): 5.3 million entries, 0.48 million own ones and 0.29 million runs.

use super::names::{NAME_BITS, NameNo};
use super::objects::Number;
use super::text::EntryKind;

mod likeness;

pub(super) use likeness::{Known, TooMany, Tools, read};

/// The number of a tree within one [`Trees`], in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TreeNo(pub(super) u32);

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// The object it names.
    pub(super) target: Number,
    /// Name and kind.
    label: Label,
}

/// Name and kind of an entry, in one word: the kind in the low two bits, the name above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Label(u32);

impl Edge {
    /// An entry `name` of the kind `kind` that names `target`.
    pub(super) fn new(target: Number, name: NameNo, kind: EntryKind) -> Self {
        let kind = match kind {
            EntryKind::Tree => 0,
            EntryKind::File => 1,
            EntryKind::Link => 2,
            EntryKind::Submodule => 3,
        };
        Self { target, label: Label(name.0 << 2 | kind) }
    }

    /// What it is.
    pub(super) fn kind(self) -> EntryKind {
        match self.label.0 & 3 {
            0 => EntryKind::Tree,
            1 => EntryKind::File,
            2 => EntryKind::Link,
            _ => EntryKind::Submodule,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> NameNo {
        NameNo(self.label.0 >> 2)
    }
}

/// One step of a record: an edge of its own, or a run of its base's edges. 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// An edge.
    Own(Edge),
    /// The edges of the base from `start` on.
    Shared {
        /// Position of the first one among the base's edges.
        start: u32,
        /// How many, at least one.
        len: u32,
    },
}

/// The bit of a packed item's second word that tells a run from an edge.
const SHARED: u32 = 1 << (NAME_BITS + 2);

impl Item {
    /// How many edges it stands for.
    pub(super) fn len(self) -> u32 {
        match self {
            Self::Own(_) => 1,
            Self::Shared { len, .. } => len,
        }
    }

    /// The item in two words.
    fn pack(self) -> (u32, u32) {
        match self {
            Self::Own(edge) => (edge.target.0, edge.label.0),
            Self::Shared { start, len } => (start, len | SHARED),
        }
    }

    /// The item in these words.
    fn unpack((first, second): (u32, u32)) -> Self {
        if second & SHARED == 0 {
            Self::Own(Edge { target: Number(first), label: Label(second) })
        } else {
            Self::Shared { start: first, len: second & !SHARED }
        }
    }
}

/// What is kept of one tree, beside its items.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Where its items end; they start where those of the record before end.
    end: u32,
    /// The base, plus one; 0 without one.
    base: u32,
}

/// Most items of all trees together: 2 GiB. The largest projects have a hundred million.
const ITEM_LIMIT: u32 = 1 << 28;

/// Longest chain of bases. Longer ones would save little more: with 16, what is kept in full anew is a sixteenth of
/// all entries.
const DEPTH: u8 = 16;

/// Trees by number.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// The items of all records, one record after the other.
    items: Vec<(u32, u32)>,
    /// In the order they were added; a base comes before those it is the base of.
    records: Vec<Record>,
    /// By [`Number`]: the record plus one; 0 for what is no tree here.
    by_number: Vec<u32>,
    /// Those that are damaged from some entry on.
    damaged: super::bits::Bits,
}

impl Trees {
    /// Adds the tree `number`, unless it is here already. `None` when there is no room for it.
    pub(super) fn add(
        &mut self,
        number: Number,
        base: Option<TreeNo>,
        items: &[Item],
        damaged: bool,
    ) -> Option<TreeNo> {
        if let Some(known) = self.at(number) {
            return Some(known);
        }
        let no = u32::try_from(self.records.len()).ok().filter(|no| *no < u32::MAX)?;
        let end = u32::try_from(self.items.len() + items.len()).ok().filter(|end| *end <= ITEM_LIMIT)?;
        self.items.extend(items.iter().map(|item| item.pack()));
        self.records.push(Record { end, base: base.map_or(0, |base| base.0 + 1) });
        if self.by_number.len() <= number.0 as usize {
            self.by_number.resize(number.0 as usize + 1, 0);
        }
        self.by_number[number.0 as usize] = no + 1;
        if damaged {
            self.damaged.insert(no);
        }
        Some(TreeNo(no))
    }

    /// The tree `number`, if it is here.
    pub(super) fn at(&self, number: Number) -> Option<TreeNo> {
        let record = self.by_number.get(number.0 as usize)?;
        record.checked_sub(1).map(TreeNo)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether what follows its last edge is damaged.
    pub(super) fn is_damaged(&self, tree: TreeNo) -> bool {
        self.damaged.contains(tree.0)
    }

    /// The tree of which it shares edges.
    pub(super) fn base(&self, tree: TreeNo) -> Option<TreeNo> {
        self.records[tree.0 as usize].base.checked_sub(1).map(TreeNo)
    }

    /// What is kept of it.
    pub(super) fn items(&self, tree: TreeNo) -> impl ExactSizeIterator<Item = Item> + '_ {
        let start = (tree.0 as usize).checked_sub(1).map_or(0, |before| self.records[before].end);
        let end = self.records[tree.0 as usize].end;
        self.items[start as usize..end as usize].iter().map(|words| Item::unpack(*words))
    }

    /// The edges it doesn't share with its base, in the order of the tree, into `edges`.
    pub(super) fn own_edges(&self, tree: TreeNo, edges: &mut Vec<Edge>) {
        edges.clear();
        edges.extend(self.items(tree).filter_map(|item| match item {
            Item::Own(edge) => Some(edge),
            Item::Shared { .. } => None,
        }));
    }

    /// All its edges, in the order of the tree, into `edges`.
    pub(super) fn edges(&self, tree: TreeNo, edges: &mut Vec<Edge>) {
        let mut chain = vec![tree];
        while let Some(base) = self.base(chain[chain.len() - 1]) {
            chain.push(base);
        }
        let mut below = Vec::new();
        for tree in chain.into_iter().rev() {
            std::mem::swap(&mut below, edges);
            edges.clear();
            for item in self.items(tree) {
                match item {
                    Item::Own(edge) => edges.push(edge),
                    Item::Shared { start, len } => {
                        edges.extend_from_slice(&below[start as usize..start as usize + len as usize]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

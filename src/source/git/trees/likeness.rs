//! Reading a tree against its delta base.
//!
//! In: the bytes of a tree, and what is known of the base and of what changed since. Out: a record for [`Trees`]. An
//! entry that a copy brings whole is neither parsed nor looked up again; on redis those are 91 of 100.

use std::sync::{Mutex, PoisonError};

use super::{DEPTH, Edge, Item, TreeNo, Trees};
use crate::blob::{Edit, Edits};
use crate::source::git::names::Names;
use crate::source::git::objects::{Number, Objects};
use crate::source::git::text;

/// Trees with more entries than this are no base for others: what is known of them would take too much memory.
const LARGEST_BASE: usize = 1 << 18;

/// A tree that was read, as a base for others.
#[derive(Debug)]
pub(in crate::source::git) struct Known {
    /// The tree.
    tree: TreeNo,
    /// How many bases it rests on.
    depth: u8,
    /// Where its entries start in its bytes, and where the last one ends.
    starts: Vec<u32>,
    /// Its entries.
    edges: Vec<Edge>,
}

impl Known {
    /// How many bytes of memory it takes, about.
    pub(in crate::source::git) fn weight(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.edges)
    }

    /// The entries that lie whole in the bytes from `start` to `end`, if one starts at `start`; where they come first
    /// and how many there are.
    fn entries(&self, start: u32, end: u32) -> Option<(usize, usize)> {
        let first = self.starts.binary_search(&start).ok()?;
        // Entries end where the next one starts.
        let len = self.starts[first + 1..].partition_point(|next| *next <= end);
        (len > 0).then_some((first, len))
    }
}

/// Why a tree can't be kept: there are more names, objects or entries than can be numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::git) struct TooMany;

/// What a tree is read with.
#[derive(Clone, Copy)]
pub(in crate::source::git) struct Tools<'t> {
    /// Numbers its objects.
    pub(in crate::source::git) objects: &'t Objects,
    /// Numbers its names.
    pub(in crate::source::git) names: &'t Names,
    /// Keeps it.
    pub(in crate::source::git) trees: &'t Mutex<Trees>,
}

/// Reads the tree `number` with the content `bytes` and keeps it. Returns what is known of it, unless it is too large.
///
/// # Errors
/// There is no room for it.
pub(in crate::source::git) fn read(
    tools: Tools<'_>,
    number: Number,
    base: Option<(&Known, &Edits)>,
    bytes: &[u8],
) -> Result<Option<Known>, TooMany> {
    let mut tree = Reading::new(bytes, base.map_or(16, |(base, _)| base.edges.len() + 2))?;
    if let Some((base, Edits(edits))) = base {
        for edit in edits {
            if let Edit::Copy { to, from } = edit {
                tree.parse_to(tools, to.start)?;
                tree.share(base, (to.start, to.end), *from)?;
            }
        }
    }
    tree.parse_to(tools, bytes.len())?;
    let Reading { at, damaged, mut items, mut starts, edges, .. } = tree;
    let shares = base.map(|(base, _)| base).filter(|base| base.depth < DEPTH && items.len() < edges.len());
    if shares.is_none() {
        items.clear();
        items.extend(edges.iter().copied().map(Item::Own));
    }
    let no = {
        let mut trees = tools.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.add(number, shares.map(|base| base.tree), &items, damaged).ok_or(TooMany)?
    };
    if edges.len() > LARGEST_BASE {
        return Ok(None);
    }
    starts.push(at);
    Ok(Some(Known { tree: no, depth: shares.map_or(0, |base| base.depth + 1), starts, edges }))
}

/// A tree that is being read.
struct Reading<'a> {
    /// Its bytes.
    bytes: &'a [u8],
    /// Where the next entry starts.
    at: u32,
    /// The next entry is none.
    damaged: bool,
    /// What was read, as a record.
    items: Vec<Item>,
    /// Where the entries start.
    starts: Vec<u32>,
    /// The entries.
    edges: Vec<Edge>,
}

impl<'a> Reading<'a> {
    /// The start of a tree of about `entries` entries. Fails when its bytes can't be numbered.
    fn new(bytes: &'a [u8], entries: usize) -> Result<Self, TooMany> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(TooMany);
        }
        let (starts, edges) = (Vec::with_capacity(entries + 1), Vec::with_capacity(entries));
        Ok(Self { bytes, at: 0, damaged: false, items: Vec::with_capacity(16), starts, edges })
    }

    /// Parses the entries that start before `end`, an offset in the bytes.
    fn parse_to(&mut self, tools: Tools<'_>, end: usize) -> Result<(), TooMany> {
        let mut entries = text::tree(&self.bytes[self.at as usize..], tools.objects.hash());
        while (self.at as usize) < end && !self.damaged {
            let Some(Ok(entry)) = entries.next() else {
                self.damaged = true;
                return Ok(());
            };
            let name = tools.names.enter(entry.name).ok_or(TooMany)?;
            let target = tools.objects.enter(entry.id).ok_or(TooMany)?;
            let edge = Edge::new(target, name, entry.kind);
            self.items.push(Item::Own(edge));
            self.starts.push(self.at);
            self.edges.push(edge);
            self.at = u32::try_from(self.bytes.len() - entries.rest().len()).map_err(|_| TooMany)?;
        }
        Ok(())
    }

    /// Takes the entries that lie whole in a copy from the base: `to` is where it starts and ends here, `from` where it
    /// starts there.
    fn share(&mut self, base: &Known, to: (usize, usize), from: usize) -> Result<(), TooMany> {
        let word = |n: usize| u32::try_from(n).map_err(|_| TooMany);
        let (to, end, from) = (word(to.0)?, word(to.1)?, word(from)?);
        // The entry before may reach into the copy, or past it.
        if self.damaged || self.at < to || self.at >= end {
            return Ok(());
        }
        let (start, end) = (from + (self.at - to), from + (end - to));
        let Some((first, len)) = base.entries(start, end) else { return Ok(()) };
        let here = self.at;
        self.starts.extend(base.starts[first..first + len].iter().map(|there| there - start + here));
        self.edges.extend_from_slice(&base.edges[first..first + len]);
        self.items.push(Item::Shared { start: word(first)?, len: word(len)? });
        self.at += base.starts[first + len] - start;
        Ok(())
    }
}

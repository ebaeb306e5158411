//! The walk over trees that lead to wanted contents: what stands at which path.
//!
//! In: trees, and which of them lead on. Out: a [`Record`] for each wanted content and path, which whoever asks for a
//! walk fills in. A (tree, path) pair is visited once per walk.

use std::collections::{HashMap, HashSet};

use super::bits::Bits;
use super::interest::{Interest, Wanted};
use super::names::{NameNo, Names};
use super::objects::Number;
use super::skeleton::Skeleton;
use super::text::EntryKind;
use super::trees::{TreeNo, Trees};
use crate::place::State;

/// Most (tree, path) pairs one walk visits: at about 50 bytes each, more than any honest repository has.
const PAIR_LIMIT: usize = 8_000_000;

/// Most paths that are told apart. A few trees that contain each other can name one blob by more paths than there
/// is memory; past the limit no further paths are entered.
const PATH_LIMIT: usize = 200_000;

/// Most bytes that all paths told apart have together: 320 for each, several times what is usual. Folders thousands deep
/// end here.
const PATH_BYTES: usize = 64 << 20;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    /// A file with the content.
    File,
    /// A symbolic link with the content as its target.
    Link,
    /// A directory whose entry names are the content.
    Names,
}

/// A content at a path.
pub(super) type Key = (Number, u32, What);

/// What is known of a content at a path.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The first commit that holds it there, by index.
    pub(super) first: Option<u32>,
    /// The last one.
    pub(super) last: Option<u32>,
    /// The most alive state met.
    pub(super) state: State,
    /// The ref that names it without a commit.
    pub(super) reference: Option<Vec<u8>>,
}

/// Paths, each once, as (parent, name).
#[derive(Default)]
pub(super) struct Paths {
    /// Parent, name and length in bytes, by path.
    parts: Vec<(u32, NameNo, u32)>,
    /// Length of all paths together, in bytes.
    bytes: usize,
    /// The same the other way round.
    known: HashMap<(u32, NameNo), u32>,
}

impl Paths {
    /// The top.
    pub(super) const TOP: u32 = u32::MAX;

    /// The path `name` in `parent`; `None` for a new one past the limits.
    fn enter(&mut self, names: &Names, parent: u32, name: NameNo) -> Option<u32> {
        if let Some(known) = self.known.get(&(parent, name)) {
            return Some(*known);
        }
        let above = self.parts.get(parent as usize).map_or(0, |(_, _, len)| *len as usize + 1);
        let len = above + names.get(name).len();
        let path = u32::try_from(self.parts.len()).ok().filter(|_| self.parts.len() < PATH_LIMIT)?;
        if self.bytes + len > PATH_BYTES {
            return None;
        }
        self.bytes += len;
        self.parts.push((parent, name, u32::try_from(len).ok()?));
        self.known.insert((parent, name), path);
        Some(path)
    }

    /// A whole path, component by component.
    pub(super) fn enter_all(&mut self, names: &Names, path: &[u8]) -> Option<u32> {
        path.split(|b| *b == b'/').try_fold(Self::TOP, |parent, name| self.enter(names, parent, names.enter(name)?))
    }

    /// The path's bytes.
    pub(super) fn bytes(&self, names: &Names, path: u32) -> Vec<u8> {
        let mut components = Vec::new();
        let mut at = path;
        while let Some((parent, name, _)) = self.parts.get(at as usize) {
            components.push(names.get(*name));
            at = *parent;
        }
        components.reverse();
        components.join(&b'/')
    }
}

/// The (tree, path) pairs that one walk visited.
#[derive(Default)]
pub(super) struct Seen {
    /// Trees at the top, which are most of them, by [`TreeNo`].
    at_top: Bits,
    /// The others.
    below: HashSet<(TreeNo, u32)>,
}

impl Seen {
    /// Adds a pair; whether it is new. Past the limit none is.
    fn insert(&mut self, tree: TreeNo, path: u32) -> bool {
        if path == Paths::TOP {
            return self.at_top.insert(tree.0);
        }
        self.below.len() < PAIR_LIMIT && self.below.insert((tree, path))
    }

    /// Whether a pair was visited.
    fn contains(&self, tree: TreeNo, path: u32) -> bool {
        if path == Paths::TOP { self.at_top.contains(tree.0) } else { self.below.contains(&(tree, path)) }
    }
}

/// The walks over trees and what they found.
pub(super) struct Walker<'r> {
    /// The trees.
    trees: &'r Trees,
    /// Their names.
    names: &'r Names,
    /// Which trees to enter.
    interest: Interest<'r>,
    /// All paths met.
    pub(super) paths: Paths,
    /// All wanted contents met, by path.
    pub(super) records: HashMap<Key, Record>,
}

impl<'r> Walker<'r> {
    /// A walker that looks for `wanted`.
    pub(super) fn new(skeleton: &'r Skeleton, wanted: &'r Wanted) -> Self {
        Self {
            trees: &skeleton.trees,
            names: &skeleton.names,
            interest: Interest::new(&skeleton.trees, wanted),
            paths: Paths::default(),
            records: HashMap::new(),
        }
    }

    /// Visits `tree` and calls `note` for every wanted content in a (tree, path) pair that `seen` hasn't. What a tree
    /// shares with its base was noted where `seen` has that at the same path.
    pub(super) fn visit(&mut self, tree: Number, seen: &mut Seen, note: &mut dyn FnMut(&mut Record)) {
        let mut tasks = vec![(tree, Paths::TOP)];
        let mut edges = Vec::new();
        while let Some((number, path)) = tasks.pop() {
            let Some(tree) = self.trees.at(number).filter(|tree| self.interest.is_leading(*tree)) else { continue };
            if !seen.insert(tree, path) {
                continue;
            }
            if self.interest.wants_names(number) {
                note(record(&mut self.records, (number, path, What::Names)));
            }
            let noted = self.trees.base(tree).is_some_and(|base| seen.contains(base, path));
            if noted {
                self.trees.own_edges(tree, &mut edges)
            } else {
                self.trees.edges(tree, &mut edges)
            }
            for edge in edges.iter().filter(|edge| self.interest.leads(self.trees, edge)) {
                let Some(below) = self.paths.enter(self.names, path, edge.name()) else { continue };
                match edge.kind() {
                    EntryKind::Tree => tasks.push((edge.target, below)),
                    EntryKind::Link => note(record(&mut self.records, (edge.target, below, What::Link))),
                    _ => note(record(&mut self.records, (edge.target, below, What::File))),
                }
            }
        }
    }
}

/// The record of a content at a path; a new one is in no commit.
pub(super) fn record(records: &mut HashMap<Key, Record>, key: Key) -> &mut Record {
    let new = || Record { first: None, last: None, state: State::Unreachable, reference: None };
    records.entry(key).or_insert_with(new)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "names that can't be numbered have no paths")]

    use super::*;

    #[test]
    fn paths_are_told_apart_until_they_take_too_much_room() {
        let (names, mut paths) = (Names::new(), Paths::default());
        let deep = paths.enter_all(&names, b"one/two/three").unwrap();
        assert_eq!(paths.enter_all(&names, b"one/two/three"), Some(deep));
        assert_ne!(paths.enter_all(&names, b"one/three/two"), Some(deep));
        assert_eq!(paths.bytes(&names, deep), b"one/two/three");
        // Folders in folders: each path is longer than the one before.
        let name = names.enter(&[b'n'; 250]).unwrap();
        let mut at = Paths::TOP;
        let mut depth = 0_usize;
        while let Some(below) = paths.enter(&names, at, name) {
            (at, depth) = (below, depth + 1);
        }
        assert!(depth > 700 && depth * depth * 125 < PATH_BYTES, "{depth}");
        assert_eq!(paths.enter_all(&names, b"one/two/three"), Some(deep), "what is known stays known");
    }
}

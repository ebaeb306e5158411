//! Which trees lead to wanted contents, worked out upwards from the contents.
//!
//! In: the wanted blobs and trees. Out: for every tree that leads to one, the edges that do. A tree that shares such
//! an edge with its base has it from there, so it is found once however many versions of a folder hold it.

use std::collections::HashMap;

use super::bits::Bits;
use super::text::EntryKind;
use super::trees::{Edge, Item, TreeNo, Trees};

/// The wanted contents that have places in trees.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Blobs, by [`super::objects::Number`].
    pub(super) blobs: Bits,
    /// Trees whose entry names are wanted, by [`super::objects::Number`].
    pub(super) names: Bits,
}

impl Wanted {
    /// Whether nothing is.
    pub(super) fn is_empty(&self) -> bool {
        self.blobs.len() == 0 && self.names.len() == 0
    }
}

/// An edge that leads to wanted contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leading {
    /// The edge.
    pub(super) edge: Edge,
    /// Whether the tree's base has it too.
    pub(super) shared: bool,
}

/// Which trees lead to wanted contents.
#[derive(Debug, Default)]
pub(super) struct Interest {
    /// The edges of each that lead there, in no order.
    leading: HashMap<TreeNo, Vec<Leading>>,
    /// Trees whose names are wanted, by [`TreeNo`].
    names: Bits,
}

impl Interest {
    /// Finds out which of `trees` lead to `wanted`.
    pub(super) fn new(trees: &Trees, wanted: &Wanted) -> Self {
        if wanted.is_empty() {
            return Self::default();
        }
        let mut search = Search { trees, above: Above::new(trees), found: Self::default(), open: Vec::new() };
        for number in wanted.names.iter() {
            if let Some(tree) = trees.at(super::objects::Number(number)) {
                search.found.names.insert(tree.0);
                search.open.push(tree);
            }
        }
        for tree in all(trees) {
            let is_wanted = |edge: &Edge| match edge.kind() {
                EntryKind::File | EntryKind::Link => wanted.blobs.contains(edge.target.0),
                EntryKind::Tree | EntryKind::Submodule => false,
            };
            for (at, edge) in own(trees, tree).filter(|(_, edge)| is_wanted(edge)) {
                search.leads(tree, at, edge);
            }
        }
        search.climb();
        search.found
    }

    /// Whether a tree leads to wanted contents.
    pub(super) fn is_leading(&self, tree: TreeNo) -> bool {
        self.leading.contains_key(&tree) || self.wants_names(tree)
    }

    /// The edges of a tree that lead to wanted contents.
    pub(super) fn leading(&self, tree: TreeNo) -> &[Leading] {
        self.leading.get(&tree).map_or(&[], Vec::as_slice)
    }

    /// Whether the names of a tree are wanted.
    pub(super) fn wants_names(&self, tree: TreeNo) -> bool {
        self.names.contains(tree.0)
    }
}

/// All trees.
fn all(trees: &Trees) -> impl Iterator<Item = TreeNo> {
    (0..u32::try_from(trees.len()).unwrap_or(u32::MAX)).map(TreeNo)
}

/// The own edges of a tree, each with its position among all edges.
fn own(trees: &Trees, tree: TreeNo) -> impl Iterator<Item = (u32, Edge)> + '_ {
    let mut next = 0_u32;
    trees.items(tree).filter_map(move |item| {
        let at = next;
        next += item.len();
        match item {
            Item::Own(edge) => Some((at, edge)),
            Item::Shared { .. } => None,
        }
    })
}

/// Lists by the tree they belong to, one behind the other.
struct Lists<T> {
    /// Where the list of each tree starts, and where the last one ends.
    starts: Vec<u32>,
    /// All lists.
    all: Vec<T>,
}

impl<T: Copy> Lists<T> {
    /// Sorts pairs of tree and element into lists. `pairs` is gone through twice; `blank` is any element.
    fn new<I: Iterator<Item = (TreeNo, T)>>(trees: usize, blank: T, pairs: impl Fn() -> I) -> Self {
        let mut starts = vec![0_u32; trees + 2];
        pairs().for_each(|(tree, _)| starts[tree.0 as usize + 2] += 1);
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut all = vec![blank; starts[trees + 1] as usize];
        for (tree, element) in pairs() {
            let next = &mut starts[tree.0 as usize + 1];
            all[*next as usize] = element;
            *next += 1;
        }
        Self { starts, all }
    }

    /// The list of a tree.
    fn of(&self, tree: TreeNo) -> &[T] {
        let at = tree.0 as usize;
        &self.all[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// What points at trees.
struct Above {
    /// The trees that are deltas on each.
    deltas: Lists<TreeNo>,
    /// The trees that have an own edge to each, and its position.
    parents: Lists<(TreeNo, u32)>,
}

impl Above {
    /// Turns all edges round.
    fn new(trees: &Trees) -> Self {
        let deltas = || all(trees).filter_map(|tree| Some((trees.base(tree)?, tree)));
        let folder = |tree: TreeNo| {
            let folders = own(trees, tree).filter(|(_, edge)| edge.kind() == EntryKind::Tree);
            folders.filter_map(move |(at, edge)| Some((trees.at(edge.target)?, (tree, at))))
        };
        let parents = || all(trees).flat_map(folder);
        let (len, blank) = (trees.len(), TreeNo(0));
        Self { deltas: Lists::new(len, blank, deltas), parents: Lists::new(len, (blank, 0), parents) }
    }
}

/// The search upwards.
struct Search<'t> {
    /// All trees.
    trees: &'t Trees,
    /// What points at them.
    above: Above,
    /// What was found.
    found: Interest,
    /// Trees found to lead, whose parents are yet to be told.
    open: Vec<TreeNo>,
}

impl Search<'_> {
    /// Notes that the own edge `edge` of `tree`, at the position `at`, leads on; so does it in all that share it.
    fn leads(&mut self, tree: TreeNo, at: u32, edge: Edge) {
        let mut sharing = vec![(tree, at, false)];
        while let Some((tree, at, shared)) = sharing.pop() {
            let edges = self.found.leading.entry(tree).or_default();
            if edges.is_empty() && !self.found.names.contains(tree.0) {
                self.open.push(tree);
            }
            edges.push(Leading { edge, shared });
            for delta in self.above.deltas.of(tree) {
                sharing.extend(self.moved(*delta, at).map(|at| (*delta, at, true)));
            }
        }
    }

    /// Where the edge of its base at the position `at` stands in `tree`, if it is shared.
    fn moved(&self, tree: TreeNo, at: u32) -> Option<u32> {
        let mut next = 0;
        for item in self.trees.items(tree) {
            match item {
                Item::Shared { start, len } if (start..start + len).contains(&at) => return Some(next + at - start),
                item => next += item.len(),
            }
        }
        None
    }

    /// Tells the parents of trees that lead, and theirs, up to the top.
    fn climb(&mut self) {
        while let Some(tree) = self.open.pop() {
            for at in 0..self.above.parents.of(tree).len() {
                let (parent, position) = self.above.parents.of(tree)[at];
                if let Some((_, edge)) = own(self.trees, parent).find(|(own, _)| *own == position) {
                    self.leads(parent, position, edge);
                }
            }
        }
    }
}

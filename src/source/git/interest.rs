//! Which trees lead to wanted contents, worked out upwards from the contents.
//!
//! In: the wanted blobs and trees. Out: the trees that lead to one. An edge that leads there is handed on to the trees
//! that share it only as long as one of them isn't known to lead there too.

use super::bits::Bits;
use super::objects::Number;
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

    /// Whether an edge names a wanted blob.
    fn has(&self, edge: &Edge) -> bool {
        matches!(edge.kind(), EntryKind::File | EntryKind::Link) && self.blobs.contains(edge.target.0)
    }
}

/// Which trees lead to wanted contents.
#[derive(Debug)]
pub(super) struct Interest<'w> {
    /// The contents.
    wanted: &'w Wanted,
    /// The trees, by [`TreeNo`].
    leading: Bits,
}

impl<'w> Interest<'w> {
    /// Finds out which of `trees` lead to `wanted`.
    pub(super) fn new(trees: &Trees, wanted: &'w Wanted) -> Self {
        let found = Self { wanted, leading: Bits::default() };
        if wanted.is_empty() {
            return found;
        }
        let above = Above::new(trees);
        let mut search = Search { trees, waiting: above.sizes(trees), above, found, open: Vec::new() };
        for tree in wanted.names.iter().filter_map(|number| trees.at(Number(number))) {
            search.mark(tree);
        }
        for tree in all(trees) {
            for (at, _) in own(trees, tree).filter(|(_, edge)| wanted.has(edge)) {
                search.leads(tree, at);
            }
        }
        search.climb();
        search.found
    }

    /// Whether a tree leads to wanted contents.
    pub(super) fn is_leading(&self, tree: TreeNo) -> bool {
        self.leading.contains(tree.0)
    }

    /// Whether an edge leads to wanted contents.
    pub(super) fn leads(&self, trees: &Trees, edge: &Edge) -> bool {
        match edge.kind() {
            EntryKind::Tree => trees.at(edge.target).is_some_and(|tree| self.is_leading(tree)),
            _ => self.wanted.has(edge),
        }
    }

    /// Whether the names of the tree `number` are wanted.
    pub(super) fn wants_names(&self, number: Number) -> bool {
        self.wanted.names.contains(number.0)
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

    /// For each tree, how many are deltas on it, at any depth, itself included.
    fn sizes(&self, trees: &Trees) -> Vec<u32> {
        let mut sizes = vec![1; trees.len()];
        // Deltas come after their bases.
        for tree in (0..trees.len()).rev() {
            let base = u32::try_from(tree).ok().and_then(|tree| trees.base(TreeNo(tree)));
            if let Some(base) = base {
                sizes[base.0 as usize] += sizes[tree];
            }
        }
        sizes
    }
}

/// The search upwards.
struct Search<'t, 'w> {
    /// All trees.
    trees: &'t Trees,
    /// What points at them.
    above: Above,
    /// For each tree, how many of it and of those that are deltas on it, at any depth, are not known to lead.
    waiting: Vec<u32>,
    /// What was found.
    found: Interest<'w>,
    /// Trees found to lead, whose parents are yet to be told.
    open: Vec<TreeNo>,
}

impl Search<'_, '_> {
    /// Notes that a tree leads on.
    fn mark(&mut self, tree: TreeNo) {
        if self.found.leading.insert(tree.0) {
            self.open.push(tree);
            for tree in std::iter::successors(Some(tree), |tree| self.trees.base(*tree)) {
                self.waiting[tree.0 as usize] -= 1;
            }
        }
    }

    /// Notes that the edge of `tree` at the position `at` leads on; so it does in all that share it.
    fn leads(&mut self, tree: TreeNo, at: u32) {
        let mut sharing = vec![(tree, at)];
        while let Some((tree, at)) = sharing.pop() {
            if self.waiting[tree.0 as usize] == 0 {
                continue;
            }
            self.mark(tree);
            for delta in self.above.deltas.of(tree) {
                sharing.extend(self.moved(*delta, at).map(|at| (*delta, at)));
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
            for nth in 0..self.above.parents.of(tree).len() {
                let (parent, at) = self.above.parents.of(tree)[nth];
                self.leads(parent, at);
            }
        }
    }
}

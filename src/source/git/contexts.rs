//! The contexts that policy tells apart, and what leads from one to the next.
//!
//! In: a context, the name of a subtree and, where policy asks, the names beside and in it. Out: the subtree's context.
//! Policy is asked once for each name in a context, or for each set of names beside and in it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use gix::objs::Kind;

use super::names::NameNo;
use super::objects::Number;
use super::repo::Reader;
use super::skeleton::Skeleton;
use super::text;
use super::trees::TreeNo;
use crate::policy::{Dir, Policy, Siblings};

/// A context that policy tells from others, by the order in which they were met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Context(pub(super) usize);

/// The contexts met.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    /// By number.
    dirs: Vec<Dir>,
    /// The same the other way round.
    known: HashMap<Dir, Context>,
    /// Where a name leads whatever stands beside it.
    steps: HashMap<(Context, NameNo), Context>,
    /// Where a name leads by the names beside it; `None` where those in it have a say too.
    beside: HashMap<(Context, NameNo, Print), Option<Context>>,
    /// Where a name leads by the names beside it and in it.
    below: HashMap<(Context, NameNo, Print, Print), Context>,
    /// Makes [`Print`]s, by a secret that no repository can foresee.
    state: RandomState,
}

/// Stands for the names in a tree.
type Print = u64;

impl Contexts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.dirs.len()
    }

    /// Whether it lies in a test directory.
    pub(super) fn is_test(&self, context: Context) -> bool {
        self.dirs[context.0].is_test()
    }

    /// The number of a context.
    pub(super) fn number(&mut self, dir: Dir) -> Context {
        let next = Context(self.dirs.len());
        let context = *self.known.entry(dir).or_insert(next);
        if context == next {
            self.dirs.push(dir);
        }
        context
    }

    /// The context of the subtree `name`, and whether it depends on what stands beside or in that.
    pub(super) fn enter(
        &mut self,
        policy: &Policy,
        context: Context,
        name: NameNo,
        around: &mut Around<'_, '_>,
    ) -> (Context, bool) {
        if let Some(known) = self.steps.get(&(context, name)) {
            return (*known, false);
        }
        let Around { skeleton, tree, .. } = *around;
        let print = *around.beside.print.get_or_insert_with(|| self.print(skeleton, tree));
        let mut print_below = None;
        match self.beside.get(&(context, name, print)) {
            Some(Some(known)) => return (*known, true),
            Some(None) => {
                print_below = skeleton.trees.at(around.child).map(|child| self.print(skeleton, child));
                let known = print_below.and_then(|below| self.below.get(&(context, name, print, below)));
                if let Some(known) = known {
                    return (*known, true);
                }
            }
            None => {}
        }
        let dir = self.dirs[context.0].enter(policy, &skeleton.names.get(name), around);
        let below = self.number(dir);
        if around.asked_below {
            self.beside.insert((context, name, print), None);
            if let Some(print_below) = print_below {
                self.below.insert((context, name, print, print_below), below);
            }
        } else if around.asked_beside {
            self.beside.insert((context, name, print), Some(below));
        } else {
            self.steps.insert((context, name), below);
            return (below, false);
        }
        (below, true)
    }

    /// What stands for the names in a tree.
    fn print(&self, skeleton: &Skeleton, tree: TreeNo) -> Print {
        let mut edges = Vec::new();
        skeleton.trees.edges(tree, &mut edges);
        let names: Vec<NameNo> = edges.iter().map(|edge| edge.name()).collect();
        self.state.hash_one(names)
    }
}

/// The names in a tree, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// What stands for them.
    print: Option<Print>,
    /// All of them.
    names: Option<Vec<Vec<u8>>>,
}

/// The listings around a subtree, put together when policy asks.
pub(super) struct Around<'a, 'r> {
    /// Where trees are that were read.
    skeleton: &'a Skeleton,
    /// Reads those that weren't.
    reader: &'a mut Reader<'r>,
    /// The tree in which the subtree stands.
    tree: TreeNo,
    /// Its names.
    beside: &'a mut Beside,
    /// The subtree.
    child: Number,
    /// Whether policy asked for the tree's names.
    asked_beside: bool,
    /// Whether policy asked for the subtree's names.
    asked_below: bool,
}

impl<'a, 'r> Around<'a, 'r> {
    /// What is around `child`, a subtree of `tree` whose names are `beside`.
    pub(super) fn new(
        skeleton: &'a Skeleton,
        reader: &'a mut Reader<'r>,
        (tree, beside): (TreeNo, &'a mut Beside),
        child: Number,
    ) -> Self {
        Self { skeleton, reader, tree, beside, child, asked_beside: false, asked_below: false }
    }
}

impl Siblings for Around<'_, '_> {
    fn names(&mut self) -> &[Vec<u8>] {
        self.asked_beside = true;
        self.beside.names.get_or_insert_with(|| self.skeleton.listed(self.tree))
    }

    fn below(&mut self) -> Vec<Vec<u8>> {
        self.asked_below = true;
        if let Some(tree) = self.skeleton.trees.at(self.child) {
            return self.skeleton.listed(tree);
        }
        let mut buf = Vec::new();
        match self.reader.object(&self.skeleton.objects.id(self.child), &mut buf) {
            Ok(Kind::Tree) => {
                text::tree(&buf, self.skeleton.objects.hash()).flatten().map(|entry| entry.name.to_vec()).collect()
            }
            _ => Vec::new(),
        }
    }
}

//! What holds a history together: its commits, tags and trees, each read once and kept in memory without its text.
//!
//! In: an open repository. Out: parents, dates, targets and entries by number. Whether an object is reachable isn't
//! known while it is read, so what is here need not count; and what can't be read isn't here. Whoever follows the
//! edges and comes to such an object asks the repository for it, and learns why.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;

use super::each::{self, Recipient};
use super::names::Names;
use super::objects::{Number, Objects};
use super::pack::{Named, Packs};
use super::repo::Repository;
use super::text::{self, EntryKind};
use super::trees::{self, Edge, Known, Tools, TreeNo, Trees};
use crate::blob::Edits;
use crate::source::Unread;

/// Most bytes of the texts of commits and tags that are kept until it is known whether they are reachable. What is
/// past it is read a second time.
const TEXTS: usize = 64 << 20;

/// A commit, as far as walks need it.
#[derive(Clone, Debug)]
pub(super) struct CommitNode {
    /// The object.
    pub(super) number: Number,
    /// The tree it records; [`Number::NONE`] in a damaged commit.
    pub(super) tree: Number,
    /// Its parents, those missing included.
    pub(super) parents: Box<[Number]>,
    /// Author date: seconds since 1970, UTC.
    pub(super) author_time: i64,
    /// Committer date: seconds since 1970, UTC.
    pub(super) committer_time: i64,
}

/// An annotated tag.
#[derive(Clone, Debug)]
pub(super) struct TagNode {
    /// The object.
    pub(super) number: Number,
    /// The object it names; [`Number::NONE`] in a damaged tag.
    pub(super) target: Number,
}

/// A commit or tag.
#[derive(Clone, Debug)]
pub(super) enum Knot {
    /// A commit.
    Commit(CommitNode),
    /// An annotated tag.
    Tag(TagNode),
}

/// A commit or tag and its text, if that was kept.
pub(super) type Told = (Knot, Option<Box<[u8]>>);

/// See the module.
#[derive(Debug)]
pub(super) struct Skeleton {
    /// Numbers of objects.
    pub(super) objects: Objects,
    /// Names of entries.
    pub(super) names: Names,
    /// Trees.
    pub(super) trees: Trees,
    /// Commits and tags that nobody came for yet.
    knots: HashMap<Number, Told>,
}

impl Skeleton {
    /// Reads all commits, tags and trees of `repository`, unless `stop` says to stop early; and tells what is wrong with
    /// packs as a whole.
    pub(super) fn read(
        repository: &Repository,
        packs: &Packs,
        objects: Objects,
        stop: &(impl Fn() -> bool + Sync),
    ) -> (Self, Vec<Unread>) {
        let builder = Builder {
            names: Names::new(),
            trees: Mutex::default(),
            knots: Mutex::default(),
            held: AtomicUsize::new(0),
            objects: &objects,
            stop,
        };
        let unsound = each::each_object(repository, packs, &objects, &builder);
        let Builder { names, trees, knots, .. } = builder;
        let skeleton = Self {
            names,
            trees: trees.into_inner().unwrap_or_else(PoisonError::into_inner),
            knots: knots.into_inner().unwrap_or_else(PoisonError::into_inner),
            objects,
        };
        (skeleton, unsound)
    }

    /// The commit or tag `number`, if it was read; comes once.
    pub(super) fn take(&mut self, number: Number) -> Option<Told> {
        self.knots.remove(&number)
    }

    /// The kind of an object, if it was read and nobody came for it yet.
    pub(super) fn kind(&self, number: Number) -> Option<Kind> {
        if self.trees.at(number).is_some() {
            return Some(Kind::Tree);
        }
        self.knots.get(&number).map(|(knot, _)| match knot {
            Knot::Commit(_) => Kind::Commit,
            Knot::Tag(_) => Kind::Tag,
        })
    }

    /// Forgets the commits and tags that nobody came for.
    pub(super) fn forget(&mut self) {
        self.knots = HashMap::new();
    }

    /// The names in a tree, in its order.
    pub(super) fn listed(&self, tree: TreeNo) -> Vec<Vec<u8>> {
        let mut edges = Vec::new();
        self.trees.edges(tree, &mut edges);
        edges.iter().map(|edge| self.names.get(edge.name()).to_vec()).collect()
    }

    /// The names in the folder `path` below the tree `top`; none when there is no such folder.
    pub(super) fn folder(&self, top: Number, path: &[u8]) -> Vec<Vec<u8>> {
        let mut tree = self.trees.at(top);
        let mut edges = Vec::new();
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let Some(above) = tree else { break };
            self.trees.edges(above, &mut edges);
            let is_it = |edge: &&Edge| edge.kind() == EntryKind::Tree && *self.names.get(edge.name()) == *name;
            tree = edges.iter().find(is_it).and_then(|edge| self.trees.at(edge.target));
        }
        tree.map_or_else(Vec::new, |tree| self.listed(tree))
    }

    /// Adds a tree that was read late.
    ///
    /// # Errors
    /// There are more names, objects or entries than can be numbered.
    pub(super) fn add_tree(&mut self, number: Number, bytes: &[u8]) -> Result<TreeNo, trees::TooMany> {
        let trees = Mutex::new(std::mem::take(&mut self.trees));
        let tools = Tools { objects: &self.objects, names: &self.names, trees: &trees };
        let read = trees::read(tools, number, None, bytes);
        self.trees = trees.into_inner().unwrap_or_else(PoisonError::into_inner);
        read?;
        self.trees.at(number).ok_or(trees::TooMany)
    }
}

/// Takes a commit or tag apart. `None`: there are too many objects to number those it names.
pub(super) fn knot<'a>(objects: &Objects, number: Number, kind: Kind, bytes: &'a [u8]) -> Option<(Knot, &'a [u8])> {
    let enter = |id: Option<ObjectId>| id.map_or(Some(Number::NONE), |id| objects.enter(&id));
    Some(match kind {
        Kind::Tag => {
            let (target, text) = text::tag(bytes);
            (Knot::Tag(TagNode { number, target: enter(target)? }), text)
        }
        _ => {
            let parts = text::commit(bytes);
            let parents: Option<_> = parts.parents.iter().map(|id| objects.enter(id)).collect();
            let node = CommitNode {
                number,
                tree: enter(parts.tree)?,
                parents: parents?,
                author_time: parts.author_time,
                committer_time: parts.committer_time,
            };
            (Knot::Commit(node), parts.text)
        }
    })
}

/// Collects the parts of a [`Skeleton`] from all threads.
struct Builder<'b, S> {
    /// See [`Skeleton::objects`].
    objects: &'b Objects,
    /// See [`Skeleton::names`].
    names: Names,
    /// See [`Skeleton::trees`].
    trees: Mutex<Trees>,
    /// See [`Skeleton::knots`].
    knots: Mutex<HashMap<Number, Told>>,
    /// Bytes of texts kept.
    held: AtomicUsize,
    /// Whether to stop early.
    stop: &'b S,
}

impl<S: Fn() -> bool + Sync> Recipient for Builder<'_, S> {
    type State = Known;

    fn receive(&self, base: Option<(&Known, &Edits)>, kind: Kind, object: Named<'_>, bytes: &[u8]) -> Option<Known> {
        let number = object.number(self.objects)?;
        if kind == Kind::Tree {
            let Self { objects, names, trees, .. } = self;
            // A tree there is no room for is read again, and reported, when something leads to it.
            return trees::read(Tools { objects, names, trees }, number, base, bytes).ok().flatten();
        }
        let (knot, text) = knot(self.objects, number, kind, bytes)?;
        let before = self.held.fetch_add(text.len(), Ordering::Relaxed);
        let text = (before < TEXTS).then(|| text.into());
        self.knots.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (knot, text));
        None
    }

    fn weight(&self, state: &Known) -> usize {
        state.weight()
    }

    fn stop(&self) -> bool {
        (self.stop)()
    }
}

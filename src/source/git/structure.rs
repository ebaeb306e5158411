//! The structure pass over trees: each once per context that policy tells apart, names handed out, and every blob
//! marked as wanted or as lying in test directories only.
//!
//! In: the trees of a [`Skeleton`] and where to start. A tree that shares edges with its base is not looked at beyond
//! its own ones where the base was visited in the same context: what the shared ones lead to was visited then.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::objs::Kind;

use super::bits::Bits;
use super::contexts::{Around, Beside, Context, Contexts};
use super::graph::{Sink, crowded};
use super::names::{NameNo, Suspects};
use super::objects::Number;
use super::repo::{Reader, Repository};
use super::roots::IndexEntry;
use super::skeleton::Skeleton;
use super::text::{self, EntryKind};
use super::trees::{Edge, Item, TreeNo};
use crate::blob::{ContentId, ObjectPart};
use crate::policy::{Allowed, Policy};
use crate::source::{Unread, UnreadKind};

/// Paths longer than this, in bytes, are not followed: deep nesting is an attack, no project.
const MAX_PATH: usize = 1 << 16;

/// What the pass over trees found.
#[derive(Debug, Default)]
pub(super) struct Forest {
    /// Every blob met, by [`Number`].
    pub(super) blobs: Bits,
    /// Those of them one of whose places may be scanned.
    pub(super) allowed: Bits,
    /// Every tree met, readable or not, by [`Number`].
    pub(super) trees: Bits,
    /// Paths of submodules.
    pub(super) submodules: BTreeSet<Vec<u8>>,
    /// Paths of test directories, topmost ones only.
    pub(super) test_directories: BTreeSet<Vec<u8>>,
    /// Trees whose names were looked at, by [`TreeNo`].
    named: Bits,
    /// Names that a scan finds something in.
    suspects: Suspects,
    /// Trees that may hold such a name, by [`TreeNo`].
    holders: Bits,
    /// How many trees were looked at for such names.
    looked_at: u32,
    /// The contexts met.
    contexts: Contexts,
    /// What was visited, by context.
    visits: Vec<Visits>,
}

/// The trees visited in one context, by [`TreeNo`].
#[derive(Debug, Default)]
struct Visits {
    /// Those that were come to.
    begun: Bits,
    /// Those whose every entry was followed, none of which means something else at another path or beside others.
    plain: Bits,
}

/// A step of the walk.
enum Step {
    /// Visit a tree.
    Enter {
        /// The tree.
        tree: Number,
        /// The context it is visited in.
        context: Context,
        /// Its name in the tree left below on the stack; `None` at the top.
        name: Option<NameNo>,
    },
    /// All below a tree was visited.
    Leave {
        /// The tree.
        tree: TreeNo,
        /// The context it was visited in.
        context: Context,
        /// Length of the path that it stands in, in bytes.
        path: usize,
        /// See [`Visits::plain`].
        plain: bool,
    },
}

/// What a [`Forest`] grows with.
pub(super) struct Soil<'s, 'r> {
    /// Where trees are that were read.
    skeleton: &'s mut Skeleton,
    /// Reads those that weren't.
    reader: Reader<'r>,
    /// Tells contexts apart.
    policy: &'s Policy,
    /// Takes texts and failures.
    sink: &'s mut dyn Sink,
}

impl<'s, 'r> Soil<'s, 'r> {
    /// Puts the parts together.
    pub(super) fn new(
        repository: &'r Repository,
        skeleton: &'s mut Skeleton,
        policy: &'s Policy,
        sink: &'s mut dyn Sink,
    ) -> Self {
        Self { skeleton, reader: repository.reader(), policy, sink }
    }

    /// Of unreachable trees, those that no other one of them contains.
    pub(super) fn without_subtrees(&mut self, trees: Vec<Number>) -> Vec<Number> {
        let mut contained = Bits::default();
        let mut edges = Vec::new();
        let mut buf = Vec::new();
        for number in &trees {
            let id = self.skeleton.objects.id(*number);
            let tree = match self.skeleton.trees.at(*number) {
                Some(tree) => Some(tree),
                // What can't be read is reported when it is visited.
                None if !matches!(self.reader.object(&id, &mut buf), Ok(Kind::Tree)) => None,
                None => self.skeleton.add_tree(*number, &buf).ok(),
            };
            let Some(tree) = tree else { continue };
            self.skeleton.trees.edges(tree, &mut edges);
            for edge in edges.iter().filter(|edge| edge.kind() == EntryKind::Tree) {
                contained.insert(edge.target.0);
            }
        }
        trees.into_iter().filter(|tree| !contained.contains(tree.0)).collect()
    }
}

impl Forest {
    /// Visits the tree `root`, which stands at `path`, and all below it.
    pub(super) fn grow(&mut self, soil: &mut Soil<'_, '_>, root: Number, path: &[u8]) {
        let mut path = path.to_vec();
        let mut edges = Vec::new();
        let top = self.contexts.number(soil.policy.enter_root());
        self.visits.resize_with(self.contexts.len(), Visits::default);
        let mut steps = vec![Step::Enter { tree: root, context: top, name: None }];
        while let Some(step) = steps.pop() {
            let (number, context, name) = match step {
                Step::Enter { tree, context, name } => (tree, context, name),
                Step::Leave { tree, context, path: above, plain } => {
                    path.truncate(above);
                    if plain {
                        self.visits[context.0].plain.insert(tree.0);
                    }
                    continue;
                }
            };
            if self.is_begun(soil.skeleton, number, context) {
                continue;
            }
            if soil.sink.stop() {
                return;
            }
            let above = path.len();
            if let Some(name) = name {
                push(&mut path, &soil.skeleton.names.get(name));
            }
            let first_time = self.trees.insert(number.0);
            let Some(tree) = self.tree(soil, number, &path) else {
                path.truncate(above);
                continue;
            };
            self.visits[context.0].begun.insert(tree.0);
            if !self.contexts.is_test(context) && self.named.insert(tree.0) {
                self.names(soil, tree, number);
            }
            if first_time && soil.skeleton.trees.is_damaged(tree) {
                let detail = "this tree is damaged (`git fsck` tells more)".to_owned();
                let id = soil.skeleton.objects.id(number);
                soil.sink.unread(named(id, &path, UnreadKind::Corrupt, detail));
            }
            let leave = steps.len();
            steps.push(Step::Leave { tree, context, path: above, plain: false });
            self.edges(soil, tree, context, &mut edges);
            let all_plain = self.entries(soil, (tree, context), &edges, &path, &mut steps);
            steps[leave + 1..].reverse();
            if let Step::Leave { plain, .. } = &mut steps[leave] {
                *plain = all_plain;
            }
        }
    }

    /// Whether a tree was visited in a context, or is known to be unreadable.
    fn is_begun(&self, skeleton: &Skeleton, number: Number, context: Context) -> bool {
        match skeleton.trees.at(number) {
            Some(tree) => self.visits[context.0].begun.contains(tree.0),
            None => self.trees.contains(number.0),
        }
    }

    /// The tree `number`, which stands at `path`; read now if it wasn't before. What can't be read is reported.
    fn tree(&mut self, soil: &mut Soil<'_, '_>, number: Number, path: &[u8]) -> Option<TreeNo> {
        if let Some(tree) = soil.skeleton.trees.at(number) {
            return Some(tree);
        }
        let id = soil.skeleton.objects.id(number);
        let mut buf = Vec::new();
        let unread = match soil.reader.object(&id, &mut buf) {
            Ok(Kind::Tree) => match soil.skeleton.add_tree(number, &buf) {
                Ok(tree) => {
                    self.look(soil);
                    return Some(tree);
                }
                Err(_) => crowded(id),
            },
            Ok(_) => Unread::new(UnreadKind::Corrupt, "", "no tree, where one should be"),
            Err(unread) => unread,
        };
        soil.sink.unread(named(id, path, unread.kind, unread.detail));
        None
    }

    /// The edges of `tree` that were not followed in this context when those of its base were.
    fn edges(&self, soil: &Soil<'_, '_>, tree: TreeNo, context: Context, edges: &mut Vec<Edge>) {
        let trees = &soil.skeleton.trees;
        if trees.base(tree).is_some_and(|base| self.visits[context.0].plain.contains(base.0)) {
            trees.own_edges(tree, edges);
        } else {
            trees.edges(tree, edges);
        }
    }

    /// Takes `edges` of a tree, which stands at `path`, in their order. Returns whether they mean the same at any path
    /// and beside any others.
    fn entries(
        &mut self,
        soil: &mut Soil<'_, '_>,
        (tree, context): (TreeNo, Context),
        edges: &[Edge],
        path: &[u8],
        steps: &mut Vec<Step>,
    ) -> bool {
        let in_tests = self.contexts.is_test(context);
        let mut plain = true;
        let mut beside = Beside::default();
        for edge in edges {
            match edge.kind() {
                EntryKind::Tree => {
                    let Soil { skeleton, reader, policy, .. } = soil;
                    let mut around = Around::new(skeleton, reader, (tree, &mut beside), edge.target);
                    let (below, depends) = self.contexts.enter(policy, context, edge.name(), &mut around);
                    self.visits.resize_with(self.contexts.len(), Visits::default);
                    let starts_tests = !in_tests && self.contexts.is_test(below);
                    plain &= !depends && !starts_tests;
                    if !starts_tests && self.is_begun(soil.skeleton, edge.target, below) {
                        continue;
                    }
                    let name = soil.skeleton.names.get(edge.name());
                    if starts_tests {
                        self.test_directories.insert(join(path, &name));
                    }
                    let fits = path.len() + usize::from(!path.is_empty()) + name.len() <= MAX_PATH;
                    plain &= fits;
                    if fits {
                        steps.push(Step::Enter { tree: edge.target, context: below, name: Some(edge.name()) });
                    }
                }
                EntryKind::Submodule => {
                    plain = false;
                    self.submodules.insert(join(path, &soil.skeleton.names.get(edge.name())));
                }
                EntryKind::File | EntryKind::Link => self.blob(edge.target, !in_tests),
            }
        }
        plain
    }

    /// Looks for suspect names among those that came since the last time, and for trees that may hold them.
    pub(super) fn look(&mut self, soil: &mut Soil<'_, '_>) {
        let Soil { skeleton: Skeleton { names, trees, .. }, sink, .. } = soil;
        let sink: &dyn Sink = *sink;
        self.suspects.look(names, &|text: &[u8]| sink.suspects(text));
        let known = self.looked_at;
        self.looked_at = u32::try_from(trees.len()).unwrap_or(u32::MAX);
        if self.suspects.is_empty() {
            return;
        }
        for tree in (known..self.looked_at).map(TreeNo) {
            let own = |item| matches!(item, Item::Own(edge) if self.suspects.contains(Edge::name(edge)));
            let from_base = trees.base(tree).is_some_and(|base| self.holders.contains(base.0));
            if from_base || trees.items(tree).any(own) {
                self.holders.insert(tree.0);
            }
        }
    }

    /// Hands out the names of a tree, if a scan would find something in one of them.
    fn names(&self, soil: &mut Soil<'_, '_>, tree: TreeNo, number: Number) {
        if !self.holders.contains(tree.0) {
            return;
        }
        let mut edges = Vec::new();
        soil.skeleton.trees.edges(tree, &mut edges);
        if edges.iter().any(|edge| self.suspects.contains(edge.name())) {
            let mut names = Vec::new();
            for edge in &edges {
                text::push_name(&mut names, &soil.skeleton.names.get(edge.name()));
                names.push(b'\n');
            }
            let id = soil.skeleton.objects.id(number);
            soil.sink.text(ContentId::Object(ObjectPart::Names, id), names.into());
        }
    }

    /// Notes a place of a blob.
    pub(super) fn blob(&mut self, blob: Number, allowed: bool) {
        self.blobs.insert(blob.0);
        if allowed {
            self.allowed.insert(blob.0);
        }
    }

    /// Takes the entries of an index. Sparse directories are returned, to be visited as trees.
    pub(super) fn index<'e>(&mut self, soil: &mut Soil<'_, '_>, entries: &'e [IndexEntry]) -> Vec<(Number, &'e [u8])> {
        let mut sparse = Vec::new();
        for entry in entries {
            let Some(number) = soil.skeleton.objects.enter(&entry.id) else {
                soil.sink.unread(crowded(entry.id));
                continue;
            };
            match entry.kind() {
                EntryKind::Tree => sparse.push((number, entry.path.strip_suffix(b"/").unwrap_or(&entry.path))),
                EntryKind::Submodule => {
                    self.submodules.insert(entry.path.clone());
                }
                EntryKind::File | EntryKind::Link if self.allowed.contains(number.0) => {}
                EntryKind::File | EntryKind::Link => {
                    let judged = soil.policy.judge_path(&entry.path, &mut |folder| listing(entries, folder));
                    self.blob(number, judged != Allowed::Test);
                }
            }
        }
        sparse
    }
}

/// The names directly in `folder` of an index sorted by path.
fn listing(entries: &[IndexEntry], folder: &[u8]) -> Vec<Vec<u8>> {
    let prefix = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
    let start = entries.partition_point(|entry| entry.path < prefix);
    let below = entries[start..].iter().map_while(|entry| entry.path.strip_prefix(prefix.as_slice()));
    let mut names: Vec<Vec<u8>> =
        below.filter_map(|rest| rest.split(|b| *b == b'/').next()).map(<[u8]>::to_vec).collect();
    names.dedup();
    names
}

/// `path`/`name`.
pub(super) fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = path.to_vec();
    push(&mut joined, name);
    joined
}

/// Makes `path` `path`/`name`.
fn push(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend(name);
}

/// An unread object that is best named by its path.
pub(super) fn named(id: ObjectId, path: &[u8], kind: UnreadKind, detail: String) -> Unread {
    let what = if path.is_empty() { id.to_string().into_bytes() } else { path.to_vec() };
    Unread::new(kind, what, detail).object(id)
}

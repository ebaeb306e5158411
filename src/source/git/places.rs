//! Where wanted contents are: all paths, the first and last commit of each, and how alive they are.
//!
//! In: content ids. Out: at least one [`Located`] for each. A (tree, path) pair is visited once per walk, only trees
//! that lead to wanted contents are entered, and all are in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gix::ObjectId;

use super::graph::{Graph, Node};
use super::interest::Wanted;
use super::objects::Objects;
use super::rank::{Ranks, Tier, is_tip};
use super::roots::Roots;
use super::skeleton::Skeleton;
use super::text::EntryKind;
use super::walker::{Paths, Record, Seen, Walker, What, record};
use crate::blob::{ContentId, ObjectPart};
use crate::place::{Before, Commit, Located, Part, Place, Provenance, State};

/// A content that has no object of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Serial {
    /// The name of a ref.
    RefName(Vec<u8>),
    /// The file that a Git LFS pointer, the blob given, stands for.
    Lfs(ObjectId),
}

/// All that places are worked out from.
pub(super) struct Scene<'r> {
    /// What keeps objects alive.
    pub(super) roots: &'r Roots,
    /// Trees.
    pub(super) skeleton: &'r Skeleton,
    /// Commits and tags.
    pub(super) graph: &'r Graph,
    /// Contents by their serial number.
    pub(super) serials: &'r [Serial],
}

/// A record with its path spelled out.
type Spot = (Vec<u8>, What, Record);

/// Finds all places of all `wanted` contents.
pub(super) fn locate(scene: &Scene<'_>, wanted: &BTreeSet<ContentId>) -> Vec<Located> {
    let in_trees = in_trees(scene, wanted);
    let Scene { skeleton, graph, roots, .. } = scene;
    let ranks = Ranks::new(graph, roots, &skeleton.objects);
    let walker = Walker::new(skeleton, &in_trees);
    let mut finder = Finder { scene, ranks, walker, commits: HashMap::new() };
    if !in_trees.is_empty() {
        finder.walk_commits();
        finder.walk_tips();
        finder.note_direct(&in_trees);
        finder.note_indexes(&in_trees);
    }
    finder.answer(wanted)
}

/// The wanted contents that have places in trees. The file behind a pointer is where the pointer is.
fn in_trees(scene: &Scene<'_>, wanted: &BTreeSet<ContentId>) -> Wanted {
    let mut in_trees = Wanted::default();
    for content in wanted {
        let (id, set) = match content {
            ContentId::Object(ObjectPart::Blob, id) => (id, &mut in_trees.blobs),
            ContentId::Object(ObjectPart::Names, id) => (id, &mut in_trees.names),
            ContentId::Serial(n) => match serial(scene, *n) {
                Some(Serial::Lfs(pointer)) => (pointer, &mut in_trees.blobs),
                _ => continue,
            },
            ContentId::Object(ObjectPart::Commit | ObjectPart::Tag, _) => continue,
        };
        if let Some(number) = scene.skeleton.objects.number(id) {
            set.insert(number.0);
        }
    }
    in_trees
}

/// The content with serial number `n`.
fn serial<'s>(scene: &Scene<'s>, n: u64) -> Option<&'s Serial> {
    scene.serials.get(usize::try_from(n).ok()?)
}

/// Puts the facts together.
struct Finder<'r> {
    /// What there is.
    scene: &'r Scene<'r>,
    /// Order and tiers of commits.
    ranks: Ranks,
    /// What walks found.
    walker: Walker<'r>,
    /// Commits as places name them, by index.
    commits: HashMap<u32, Arc<Commit>>,
}

impl Finder<'_> {
    /// First and last commit of everything: forwards, then backwards within each tier.
    fn walk_commits(&mut self) {
        let graph = self.scene.graph;
        let mut seen = Seen::default();
        for n in self.ranks.sequence.clone() {
            let Some(tree) = graph.commits[n as usize].tree.some() else { continue };
            let reachable = self.ranks.tier[n as usize] != Tier::Unreachable;
            self.walker.visit(tree, &mut seen, &mut |record| {
                record.first.get_or_insert(n);
                if reachable {
                    record.state = record.state.min(State::HistoryOnly);
                }
            });
        }
        let mut seen = Seen::default();
        let class = |n: &u32| std::mem::discriminant(&self.ranks.tier[*n as usize]);
        let backwards: Vec<u32> = self
            .ranks
            .sequence
            .chunk_by(|a, b| class(a) == class(b))
            .flat_map(|tier| tier.iter().rev().copied())
            .collect();
        for n in backwards {
            let Some(tree) = graph.commits[n as usize].tree.some() else { continue };
            self.walker.visit(tree, &mut seen, &mut |record| {
                record.last.get_or_insert(n);
            });
        }
    }

    /// What stands at tips.
    fn walk_tips(&mut self) {
        let graph = self.scene.graph;
        let mark = |walker: &mut Walker<'_>, commits: &[u32], state: State| {
            let mut seen = Seen::default();
            for tree in commits.iter().filter_map(|n| graph.commits[*n as usize].tree.some()) {
                walker.visit(tree, &mut seen, &mut |record| record.state = record.state.min(state));
            }
        };
        mark(&mut self.walker, self.ranks.head.as_slice(), State::DefaultTip);
        mark(&mut self.walker, &self.ranks.tips, State::Tip);
    }

    /// Trees and blobs that refs, tags and logs name without a commit, and unreachable ones.
    fn note_direct(&mut self, wanted: &Wanted) {
        let graph = self.scene.graph;
        for reference in &self.scene.roots.refs.all {
            let Some(number) = self.objects().number(&reference.id) else { continue };
            let (number, node, _) = graph.peel(number);
            let state = if is_tip(&reference.name) { State::Tip } else { State::HistoryOnly };
            let mut note = |record: &mut Record| {
                record.state = record.state.min(state);
                record.reference.get_or_insert_with(|| reference.name.clone());
            };
            match node {
                Some(Node::Tree) => self.walker.visit(number, &mut Seen::default(), &mut note),
                Some(Node::Blob) if wanted.blobs.contains(number.0) => {
                    note(record(&mut self.walker.records, (number, Paths::TOP, What::File)));
                }
                _ => {}
            }
        }
        let [_, _, trees, blobs] = graph.reachable();
        let mut seen = Seen::default();
        for (n, tree) in graph.trees.iter().enumerate() {
            let state = if n < trees { State::HistoryOnly } else { State::Unreachable };
            self.walker.visit(*tree, &mut seen, &mut |record| record.state = record.state.min(state));
        }
        for blob in &graph.blobs[..blobs] {
            if wanted.blobs.contains(blob.0) {
                let record = record(&mut self.walker.records, (*blob, Paths::TOP, What::File));
                record.state = record.state.min(State::HistoryOnly);
            }
        }
    }

    /// Numbers of objects.
    fn objects(&self) -> &Objects {
        &self.scene.skeleton.objects
    }

    /// What is staged.
    fn note_indexes(&mut self, wanted: &Wanted) {
        for entry in self.scene.roots.indexes.iter().flatten() {
            let what = match entry.kind() {
                EntryKind::Link => What::Link,
                EntryKind::File => What::File,
                EntryKind::Tree | EntryKind::Submodule => continue,
            };
            let Scene { skeleton, .. } = self.scene;
            if let Some(number) = skeleton.objects.number(&entry.id).filter(|number| wanted.blobs.contains(number.0))
                && let Some(path) = self.walker.paths.enter_all(&skeleton.names, &entry.path)
            {
                let record = record(&mut self.walker.records, (number, path, what));
                record.state = record.state.min(State::Index);
            }
        }
    }

    /// Turns records into places, sorted.
    fn answer(mut self, wanted: &BTreeSet<ContentId>) -> Vec<Located> {
        let mut by_object: BTreeMap<(ObjectId, bool), Vec<Spot>> = BTreeMap::new();
        let Skeleton { names, objects, .. } = self.scene.skeleton;
        for ((number, path, what), record) in std::mem::take(&mut self.walker.records) {
            let path = self.walker.paths.bytes(names, path);
            by_object.entry((objects.id(number), what == What::Names)).or_default().push((path, what, record));
        }
        by_object.values_mut().for_each(|places| places.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1))));
        let mut answers = Vec::new();
        for content in wanted {
            let before = answers.len();
            match content {
                ContentId::Object(ObjectPart::Blob, id) => {
                    let places = by_object.get(&(*id, false)).map_or(&[][..], Vec::as_slice);
                    answers.extend(places.iter().map(|place| self.blob(*content, place)));
                }
                ContentId::Object(ObjectPart::Names, id) => {
                    let places = by_object.get(&(*id, true)).map_or(&[][..], Vec::as_slice);
                    self.names(*content, *id, places, &mut answers);
                }
                ContentId::Object(ObjectPart::Commit, id) => answers.extend(self.commit_text(*content, *id)),
                ContentId::Object(ObjectPart::Tag, id) => answers.push(self.tag_text(*content, *id)),
                ContentId::Serial(n) => match serial(self.scene, *n) {
                    Some(Serial::Lfs(pointer)) => {
                        let places = by_object.get(&(*pointer, false)).map_or(&[][..], Vec::as_slice);
                        answers.extend(places.iter().map(|place| self.blob(*content, place)));
                    }
                    Some(Serial::RefName(name)) => answers.push(self.ref_name(*content, name)),
                    None => {}
                },
            }
            if answers.len() == before {
                answers.push(located(*content, Vec::new(), Part::Content, State::Unreachable));
            }
        }
        answers
    }

    /// A place of a blob.
    fn blob(&mut self, content: ContentId, (path, what, record): &Spot) -> Located {
        let mut found = located(content, path.clone(), Part::Content, record.state);
        self.date(&mut found.place, record);
        let notes = found.place.reference.as_deref().is_some_and(|name| name.starts_with(b"refs/notes/"));
        found.place.provenance.part = match what {
            What::Link => Part::LinkTarget,
            _ if notes => Part::Note,
            _ => Part::Content,
        };
        found
    }

    /// The places of the names in a tree: every line at every path of the tree.
    fn names(&mut self, content: ContentId, tree: ObjectId, places: &[Spot], answers: &mut Vec<Located>) {
        let skeleton = self.scene.skeleton;
        let tree = skeleton.objects.number(&tree).and_then(|number| skeleton.trees.at(number));
        let names = tree.map_or_else(Vec::new, |tree| skeleton.listed(tree));
        for (path, _, record) in places {
            for (line, name) in names.iter().enumerate() {
                let mut found = located(content, super::structure::join(path, name), Part::PathName, record.state);
                found.line = Some(line as u64);
                self.date(&mut found.place, record);
                answers.push(found);
            }
        }
    }

    /// The place of a commit's own text.
    fn commit_text(&mut self, content: ContentId, id: ObjectId) -> Option<Located> {
        let n = self.scene.graph.commit_at(self.objects().number(&id)?)?;
        let state = if self.ranks.head == Some(n) {
            State::DefaultTip
        } else if self.ranks.tips.binary_search(&n).is_ok() {
            State::Tip
        } else if self.ranks.tier[n as usize] == Tier::Unreachable {
            State::Unreachable
        } else {
            State::HistoryOnly
        };
        let mut found = located(content, Vec::new(), Part::CommitMessage, state);
        let record = Record { first: Some(n), last: Some(n), state, reference: None };
        self.date(&mut found.place, &record);
        Some(found)
    }

    /// The place of a tag's own text.
    fn tag_text(&self, content: ContentId, id: ObjectId) -> Located {
        let graph = self.scene.graph;
        let number = self.objects().number(&id);
        let node = number.and_then(|number| graph.nodes.get(&number));
        let leads = |reference: &&super::repo::Reference| {
            let Some(named) = self.objects().number(&reference.id) else { return false };
            let (_, _, tags) = graph.peel(named);
            tags.iter().any(|tag| Some(graph.tags[*tag as usize].number) == number)
        };
        let reference = self.scene.roots.refs.all.iter().find(leads).map(|reference| reference.name.clone());
        let state = match (&reference, node) {
            (Some(_), _) => State::Tip,
            (None, Some(Node::Tag(tag))) if (*tag as usize) < graph.reachable()[1] => State::HistoryOnly,
            _ => State::Unreachable,
        };
        let mut found = located(content, Vec::new(), Part::Tag, state);
        found.place.reference = reference;
        found
    }

    /// The place of a ref's name.
    fn ref_name(&self, content: ContentId, name: &[u8]) -> Located {
        let refs = &self.scene.roots.refs;
        let head = refs.all.iter().find(|reference| reference.name == b"HEAD");
        let state = match refs.find(name) {
            // Its log outlived it.
            None => State::HistoryOnly,
            Some(_) if head.is_some_and(|head| head.symbolic.as_deref() == Some(name)) => State::DefaultTip,
            Some(_) => State::Tip,
        };
        let mut found = located(content, Vec::new(), Part::RefName, state);
        found.place.reference = Some(name.to_vec());
        found
    }

    /// Adds commits and reference.
    fn date(&mut self, place: &mut Place, record: &Record) {
        let (graph, objects, ranks) = (self.scene.graph, &self.scene.skeleton.objects, &self.ranks);
        let mut commit = |n: u32| Arc::clone(self.commits.entry(n).or_insert_with(|| ranks.commit(graph, objects, n)));
        place.first = record.first.map(&mut commit);
        place.last = record.last.map(&mut commit);
        let special = record.first.and_then(|n| ranks.special_of(n)).map(<[u8]>::to_vec);
        place.reference = match record.first {
            Some(_) => special,
            None => record.reference.clone(),
        };
    }
}

/// A place without commits.
fn located(content: ContentId, path: Vec<u8>, part: Part, state: State) -> Located {
    let provenance = Provenance { path, part, ..Provenance::default() };
    let place = Place { provenance, state, first: None, last: None, reference: None };
    Located { content, line: None, place, before: Before::NotAsked }
}

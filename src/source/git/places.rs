//! Where wanted contents are: all paths, the first and last commit of each, and how alive they are.
//!
//! In: content ids. Out: at least one [`Located`] for each. A (tree, path) pair is visited once per walk, and only
//! trees that lead to wanted contents are entered, so the cost is that of reading all trees once (performance
//! notes, section 5).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use gix::ObjectId;

use super::graph::{Graph, Node};
use super::interest::{Interest, Wanted};
use super::rank::{Ranks, Tier, is_tip};
use super::repo::Repository;
use super::roots::Roots;
use super::text::EntryKind;
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
    /// Where trees are read.
    pub(super) repository: &'r Repository,
    /// What keeps objects alive.
    pub(super) roots: &'r Roots,
    /// Commits and tags.
    pub(super) graph: &'r Graph,
    /// Contents by their serial number.
    pub(super) serials: &'r [Serial],
}

/// Most (tree, path) pairs one walk visits: at about 50 bytes each, more than any honest repository has.
const PAIR_LIMIT: usize = 8_000_000;

/// Most paths that are told apart. A few trees that contain each other can name one blob by more paths than there
/// is memory; past the limit no further paths are entered.
const PATH_LIMIT: usize = 200_000;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum What {
    /// A file with the content.
    File,
    /// A symbolic link with the content as its target.
    Link,
    /// A directory whose entry names are the content.
    Names,
}

/// A content at a path.
type Key = (ObjectId, u32, What);

/// What is known of a content at a path.
#[derive(Clone, Debug)]
struct Record {
    /// The first commit that holds it there, by index.
    first: Option<u32>,
    /// The last one.
    last: Option<u32>,
    /// The most alive state met.
    state: State,
    /// The ref that names it without a commit.
    reference: Option<Vec<u8>>,
}

/// A record with its path spelled out.
type Spot = (Vec<u8>, What, Record);

/// Paths, each once, as (parent, name).
#[derive(Default)]
struct Paths {
    /// Parent and name, by path.
    parts: Vec<(u32, Vec<u8>)>,
    /// The same the other way round.
    known: HashMap<(u32, Vec<u8>), u32>,
}

impl Paths {
    /// The top.
    const TOP: u32 = u32::MAX;

    /// The path `name` in `parent`; `None` for a new one past the limit.
    fn enter(&mut self, parent: u32, name: &[u8]) -> Option<u32> {
        let key = (parent, name.to_vec());
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        let path = u32::try_from(self.parts.len()).ok().filter(|_| self.parts.len() < PATH_LIMIT)?;
        self.parts.push(key.clone());
        self.known.insert(key, path);
        Some(path)
    }

    /// A whole path, component by component.
    fn enter_all(&mut self, path: &[u8]) -> Option<u32> {
        path.split(|b| *b == b'/').try_fold(Self::TOP, |parent, name| self.enter(parent, name))
    }

    /// The path's bytes.
    fn bytes(&self, path: u32) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = path;
        while let Some((parent, name)) = self.parts.get(at as usize) {
            names.push(name.as_slice());
            at = *parent;
        }
        names.reverse();
        names.join(&b'/')
    }
}

/// The walks over trees and what they found.
struct Walker<'r> {
    /// Which trees to enter.
    interest: Interest<'r>,
    /// All paths met.
    paths: Paths,
    /// All wanted contents met, by path.
    records: HashMap<Key, Record>,
}

impl Walker<'_> {
    /// Visits `tree` and calls `note` for every wanted content in a (tree, path) pair that `seen` hasn't.
    fn visit(&mut self, tree: ObjectId, seen: &mut HashSet<(ObjectId, u32)>, note: &mut dyn FnMut(&mut Record)) {
        let mut tasks = vec![(tree, Paths::TOP)];
        while let Some((tree, path)) = tasks.pop() {
            let Some(leading) = self.interest.leading(tree) else { continue };
            if seen.len() >= PAIR_LIMIT || !seen.insert((tree, path)) {
                continue;
            }
            if !leading.names.is_empty() {
                note(self.record((tree, path, What::Names)));
            }
            for entry in &leading.entries {
                let Some(below) = self.paths.enter(path, &entry.name) else { continue };
                match entry.kind {
                    EntryKind::Tree => tasks.push((entry.id, below)),
                    EntryKind::Link => note(self.record((entry.id, below, What::Link))),
                    _ => note(self.record((entry.id, below, What::File))),
                }
            }
        }
    }

    /// The record of a content at a path; a new one is in no commit.
    fn record(&mut self, key: Key) -> &mut Record {
        let new = || Record { first: None, last: None, state: State::Unreachable, reference: None };
        self.records.entry(key).or_insert_with(new)
    }
}

/// Finds all places of all `wanted` contents.
pub(super) fn locate(scene: &Scene<'_>, wanted: &BTreeSet<ContentId>) -> Vec<Located> {
    let in_trees = in_trees(scene, wanted);
    let ranks = Ranks::new(scene.graph, scene.roots);
    let walker = Walker {
        interest: Interest::new(scene.repository, &in_trees),
        paths: Paths::default(),
        records: HashMap::new(),
    };
    let mut finder = Finder { scene, ranks, walker, commits: HashMap::new() };
    if !in_trees.blobs.is_empty() || !in_trees.names.is_empty() {
        finder.walk_commits();
        finder.walk_tips();
        finder.note_direct();
        finder.note_indexes(&in_trees);
    }
    finder.answer(wanted)
}

/// The wanted contents that have places in trees. The file behind a pointer is where the pointer is.
fn in_trees(scene: &Scene<'_>, wanted: &BTreeSet<ContentId>) -> Wanted {
    let mut in_trees = Wanted::default();
    for content in wanted {
        match content {
            ContentId::Object(ObjectPart::Blob, id) => in_trees.blobs.insert(*id),
            ContentId::Object(ObjectPart::Names, id) => in_trees.names.insert(*id),
            ContentId::Serial(n) => match serial(scene, *n) {
                Some(Serial::Lfs(pointer)) => in_trees.blobs.insert(*pointer),
                _ => false,
            },
            ContentId::Object(ObjectPart::Commit | ObjectPart::Tag, _) => false,
        };
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
        let mut seen = HashSet::new();
        for n in self.ranks.sequence.clone() {
            let Some(tree) = graph.commits[n as usize].tree else { continue };
            let reachable = self.ranks.tier[n as usize] != Tier::Unreachable;
            self.walker.visit(tree, &mut seen, &mut |record| {
                record.first.get_or_insert(n);
                if reachable {
                    record.state = record.state.min(State::HistoryOnly);
                }
            });
        }
        let mut seen = HashSet::new();
        let class = |n: &u32| std::mem::discriminant(&self.ranks.tier[*n as usize]);
        let backwards: Vec<u32> = self
            .ranks
            .sequence
            .chunk_by(|a, b| class(a) == class(b))
            .flat_map(|tier| tier.iter().rev().copied())
            .collect();
        for n in backwards {
            let Some(tree) = graph.commits[n as usize].tree else { continue };
            self.walker.visit(tree, &mut seen, &mut |record| {
                record.last.get_or_insert(n);
            });
        }
    }

    /// What stands at tips.
    fn walk_tips(&mut self) {
        let graph = self.scene.graph;
        let mark = |walker: &mut Walker<'_>, commits: &[u32], state: State| {
            let mut seen = HashSet::new();
            for tree in commits.iter().filter_map(|n| graph.commits[*n as usize].tree) {
                walker.visit(tree, &mut seen, &mut |record| record.state = record.state.min(state));
            }
        };
        mark(&mut self.walker, self.ranks.head.as_slice(), State::DefaultTip);
        mark(&mut self.walker, &self.ranks.tips, State::Tip);
    }

    /// Trees and blobs that refs, tags and logs name without a commit, and unreachable ones.
    fn note_direct(&mut self) {
        let graph = self.scene.graph;
        for reference in &self.scene.roots.refs.all {
            let (id, node, _) = graph.peel(reference.id);
            let state = if is_tip(&reference.name) { State::Tip } else { State::HistoryOnly };
            let mut note = |record: &mut Record| {
                record.state = record.state.min(state);
                record.reference.get_or_insert_with(|| reference.name.clone());
            };
            match node {
                Some(Node::Tree) => self.walker.visit(id, &mut HashSet::new(), &mut note),
                Some(Node::Blob) if self.wants_blob(id) => note(self.walker.record((id, Paths::TOP, What::File))),
                _ => {}
            }
        }
        let [_, _, trees, blobs] = graph.reachable();
        let mut seen = HashSet::new();
        for (n, tree) in graph.trees.iter().enumerate() {
            let state = if n < trees { State::HistoryOnly } else { State::Unreachable };
            self.walker.visit(*tree, &mut seen, &mut |record| record.state = record.state.min(state));
        }
        for blob in &graph.blobs[..blobs] {
            if self.wants_blob(*blob) {
                let record = self.walker.record((*blob, Paths::TOP, What::File));
                record.state = record.state.min(State::HistoryOnly);
            }
        }
    }

    /// Whether a blob is wanted.
    fn wants_blob(&self, id: ObjectId) -> bool {
        self.walker.interest.wants_blob(id)
    }

    /// What is staged.
    fn note_indexes(&mut self, wanted: &Wanted) {
        for entry in self.scene.roots.indexes.iter().flatten() {
            let what = match entry.kind() {
                EntryKind::Link => What::Link,
                EntryKind::File => What::File,
                EntryKind::Tree | EntryKind::Submodule => continue,
            };
            if wanted.blobs.contains(&entry.id)
                && let Some(path) = self.walker.paths.enter_all(&entry.path)
            {
                let record = self.walker.record((entry.id, path, what));
                record.state = record.state.min(State::Index);
            }
        }
    }

    /// Turns records into places, sorted.
    fn answer(mut self, wanted: &BTreeSet<ContentId>) -> Vec<Located> {
        let mut by_object: BTreeMap<(ObjectId, bool), Vec<Spot>> = BTreeMap::new();
        for ((id, path, what), record) in std::mem::take(&mut self.walker.records) {
            let path = self.walker.paths.bytes(path);
            by_object.entry((id, what == What::Names)).or_default().push((path, what, record));
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
        let Some(leading) = self.walker.interest.leading(tree) else { return };
        for (path, _, record) in places {
            for (line, name) in leading.names.iter().enumerate() {
                let mut found = located(content, super::structure::join(path, name), Part::PathName, record.state);
                found.line = Some(line as u64);
                self.date(&mut found.place, record);
                answers.push(found);
            }
        }
    }

    /// The place of a commit's own text.
    fn commit_text(&mut self, content: ContentId, id: ObjectId) -> Option<Located> {
        let n = self.scene.graph.commit_at(&id)?;
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
        let node = graph.nodes.get(&id);
        let leads = |reference: &&super::repo::Reference| {
            let (_, _, tags) = graph.peel(reference.id);
            tags.iter().any(|tag| graph.tags[*tag as usize].id == id)
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
        let (graph, ranks) = (self.scene.graph, &self.ranks);
        let mut commit = |n: u32| Arc::clone(self.commits.entry(n).or_insert_with(|| ranks.commit(graph, n)));
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

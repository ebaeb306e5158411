//! The whole history of a repository: every object of every ref, reflog, worktree and index, each once.
//!
//! In: a repository. Out: commit and tag texts, entry names, ref names, blobs, and the files behind Git LFS
//! pointers; what is missing, cut off or damaged as [`Unread`]. A structure pass over commits and trees comes first:
//! it knows every id that is mentioned, checks each for presence, and knows which blobs lie in test directories
//! only. The blob pass follows. Places are worked out only for what matched.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hashtable::HashSet;
use gix::objs::Kind;
use rayon::prelude::*;

use super::blobs::{self, Leftovers};
use super::change::{Comparer, Judged};
use super::graph::{Graph, Sink};
use super::lfs::{self, Pointer};
use super::listing::Node;
use super::places::{self, Scene, Serial};
use super::range::read_commit;
use super::repo::{Opening, Repository};
use super::roots::Roots;
use super::structure::{Forest, forest, named};
use super::text;
use crate::blob::{Blob, ContentId, ObjectPart};
use crate::place::Located;
use crate::policy::Policy;
use crate::source::{Excluded, Listed, RootFacts, Source, SourceError, Unread, UnreadKind, Visitor};

/// A repository whose whole history is scanned.
#[derive(Debug)]
pub struct History {
    /// As the user spelled it.
    path: PathBuf,
    /// How it was asked for.
    opening: Opening,
    /// Which directories are tests.
    policy: Policy,
    /// Whether objects that nothing leads to are scanned.
    unreachable: bool,
    /// What the walk left behind.
    walked: Mutex<Option<Walked>>,
}

/// What is kept of a walk, so that places can be told.
#[derive(Debug)]
struct Walked {
    /// Still open.
    repository: Repository,
    /// What keeps objects alive.
    roots: Roots,
    /// Commits and tags.
    graph: Graph,
    /// Contents by serial number.
    serials: Vec<Serial>,
}

impl Walked {
    /// What places are worked out from.
    fn scene(&self) -> Scene<'_> {
        Scene { repository: &self.repository, roots: &self.roots, graph: &self.graph, serials: &self.serials }
    }
}

impl History {
    /// The history of the repository at `path`. `policy` says which directories are tests; with `unreachable`,
    /// objects that nothing leads to are scanned too.
    pub fn new(path: PathBuf, opening: Opening, policy: Policy, unreachable: bool) -> Self {
        Self { path, opening, policy, unreachable, walked: Mutex::new(None) }
    }

    /// Both passes, and the files behind pointers.
    fn scan<V: Visitor>(&self, visitor: &V) -> Result<Walked, SourceError> {
        let repository = Repository::open(&self.path, self.opening)?;
        let roots = Roots::collect(&repository);
        let failures = roots.refs.unread.iter().chain(&roots.logs.unread).chain(&roots.unread);
        failures.cloned().for_each(|what| visitor.unread(what));
        let mut walked = Walked { repository, roots, graph: Graph::default(), serials: Vec::new() };
        let mut texts = Texts { visitor, batch: Vec::new(), bytes: 0 };
        let trees = self.structure(&mut walked, &mut texts);
        texts.flush();
        if visitor.stop() {
            let detail = "stopped before all commits and folders were read";
            visitor.unread(Unread::new(UnreadKind::Deadline, "history", detail));
        }
        report(&trees, visitor);
        ref_names(&mut walked, visitor);
        let wanted = trees.blobs.iter().filter(|(_, allowed)| **allowed).map(|(id, _)| *id).collect();
        let left = blobs::scan(&walked.repository, wanted, visitor);
        self.leftovers(&mut walked, left, visitor);
        Ok(walked)
    }

    /// The structure pass.
    fn structure<V: Visitor>(&self, walked: &mut Walked, texts: &mut Texts<'_, V>) -> Forest {
        let Walked { repository, roots, graph, .. } = walked;
        graph.grow(repository, &roots.ids(), texts);
        graph.seal();
        let mut trees = Forest::default();
        let tops = graph.commits.iter().filter_map(|commit| commit.tree).chain(graph.trees.iter().copied());
        forest(&mut trees, repository, &self.policy, tops.map(|tree| (tree, Vec::new())), texts);
        graph.blobs.iter().for_each(|blob| trees.blob(*blob, true));
        for entries in &roots.indexes {
            let sparse = trees.index(&self.policy, entries);
            forest(&mut trees, repository, &self.policy, sparse, texts);
        }
        if self.unreachable {
            self.unreachable(repository, graph, &mut trees, texts);
        }
        trees
    }

    /// Adds what nothing leads to.
    fn unreachable<V: Visitor>(
        &self,
        repository: &Repository,
        graph: &mut Graph,
        trees: &mut Forest,
        texts: &mut Texts<'_, V>,
    ) {
        let (ids, unread) = repository.all_ids();
        unread.into_iter().for_each(|what| texts.visitor.unread(what));
        let mut reader = repository.reader();
        let (mut lone_trees, mut lone_blobs, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            if graph.nodes.contains_key(&id) || trees.trees.contains(&id) || trees.blobs.contains_key(&id) {
                continue;
            }
            match reader.kind(&id) {
                Some(Kind::Tree) => lone_trees.push(id),
                Some(Kind::Blob) => lone_blobs.push(id),
                // What can't be read is reported when the graph tries.
                Some(Kind::Commit | Kind::Tag) | None => others.push(id),
            }
        }
        let [commits, _, known_trees, known_blobs] = graph.reachable();
        graph.grow(repository, &others, texts);
        let of_commits = graph.commits[commits..].iter().filter_map(|commit| commit.tree);
        let tops: Vec<_> = of_commits.chain(graph.trees[known_trees..].iter().copied()).collect();
        graph.blobs[known_blobs..].iter().for_each(|blob| trees.blob(*blob, true));
        forest(trees, repository, &self.policy, tops.into_iter().map(|tree| (tree, Vec::new())), texts);
        lone_trees.retain(|tree| !trees.trees.contains(tree));
        let tops = without_subtrees(repository, lone_trees);
        graph.trees.extend(&tops);
        forest(trees, repository, &self.policy, tops.into_iter().map(|tree| (tree, Vec::new())), texts);
        lone_blobs.retain(|blob| !trees.blobs.contains_key(blob));
        graph.blobs.extend(&lone_blobs);
        lone_blobs.into_iter().for_each(|blob| trees.blob(blob, true));
    }

    /// Leaves out the places in test directories of contents that have others too; a content that was scanned keeps
    /// a place.
    fn outside_tests(&self, repository: &Repository, places: Vec<Located>) -> Vec<Located> {
        if self.policy.includes_tests() {
            return places;
        }
        let mut comparer = Comparer::new(repository);
        let mut reader = repository.reader();
        let mut is_test = |located: &Located| {
            let place = &located.place;
            let commit = place.last.as_ref().and_then(|commit| ObjectId::from_hex(commit.id.as_bytes()).ok());
            let (Some(commit), false) = (commit, place.provenance.path.is_empty()) else { return false };
            let Ok(commit) = read_commit(&mut reader, commit) else { return false };
            matches!(comparer.judge(&self.policy, &Node::Tree(commit.tree), &place.provenance.path), Judged::Test(_))
        };
        let judged: Vec<(bool, Located)> = places.into_iter().map(|located| (is_test(&located), located)).collect();
        let kept: BTreeSet<ContentId> =
            judged.iter().filter(|(test, _)| !test).map(|(_, located)| located.content).collect();
        let stays = |(test, located): (bool, Located)| (!test || !kept.contains(&located.content)).then_some(located);
        judged.into_iter().filter_map(stays).collect()
    }

    /// Reads the files behind pointers; names by path what could not be read.
    fn leftovers<V: Visitor>(&self, walked: &mut Walked, left: Leftovers, visitor: &V) {
        let mut failed = left.failed;
        for (blob, pointer) in left.pointers {
            if let Err(what) = self.pointer(walked, blob, &pointer, visitor) {
                failed.push((blob, what));
            }
        }
        if left.skipped > 0 {
            let detail = format!("{} files were not scanned: stopped before the end", left.skipped);
            visitor.unread(Unread::new(UnreadKind::Deadline, "history", detail));
        }
        if failed.is_empty() {
            return;
        }
        let wanted = failed.iter().map(|(id, _)| ContentId::Object(ObjectPart::Blob, *id)).collect();
        let mut paths = std::collections::HashMap::<ContentId, Vec<Vec<u8>>>::new();
        for found in places::locate(&walked.scene(), &wanted) {
            paths.entry(found.content).or_default().push(found.place.provenance.path);
        }
        for (id, what) in failed {
            let paths = paths.remove(&ContentId::Object(ObjectPart::Blob, id)).unwrap_or_default();
            match paths.iter().find(|path| !self.policy.is_excluded(path)) {
                Some(path) => visitor.unread(named(id, path, what.kind, what.detail)),
                None if paths.is_empty() => visitor.unread(what),
                None => visitor.excluded(Excluded::ExcludeGlob, 1),
            }
        }
    }

    /// Scans the file that the pointer in `blob` stands for.
    fn pointer<V: Visitor>(
        &self,
        walked: &mut Walked,
        blob: ObjectId,
        pointer: &Pointer,
        visitor: &V,
    ) -> Result<(), Unread> {
        let id = ContentId::Serial(walked.serials.len() as u64);
        walked.serials.push(Serial::Lfs(blob));
        lfs::visit(&walked.repository, pointer, id, visitor)
            .map_err(|(kind, detail)| Unread::new(kind, blob.to_string(), detail).object(blob))
    }
}

impl Source for History {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        let walked = self.scan(visitor)?;
        *self.walked.lock().unwrap_or_else(PoisonError::into_inner) = Some(walked);
        Ok(())
    }

    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(walked) = walked.as_ref() else { return Ok(Vec::new()) };
        Ok(self.outside_tests(&walked.repository, places::locate(&walked.scene(), wanted)))
    }

    fn read(&self, id: ContentId) -> Result<Vec<u8>, Unread> {
        let walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(walked), ContentId::Object(part, object)) = (walked.as_ref(), id) else {
            return Err(Unread::new(UnreadKind::Missing, id.to_string(), "this content has no object"));
        };
        let mut buf = Vec::new();
        walked.repository.object(&object, &mut buf)?;
        Ok(match part {
            ObjectPart::Blob => buf,
            ObjectPart::Names => text::names(&buf, walked.repository.object_hash()),
            ObjectPart::Commit => text::commit(&buf).text.to_vec(),
            ObjectPart::Tag => text::tag(&buf).1.to_vec(),
        })
    }

    fn root(&self) -> RootFacts {
        let spelled = self.path.to_string_lossy().into_owned();
        let mut facts = RootFacts { kind: "history", spelled, ..RootFacts::default() };
        if let Some(walked) = self.walked.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            let mut repository = walked.repository.facts();
            repository.refs = walked.roots.refs.all.len() as u64;
            repository.commits = walked.graph.commits.len() as u64;
            facts.name = walked.repository.name();
            facts.repository = Some(repository);
        }
        facts
    }
}

/// Of unreachable trees, those that no other one of them contains.
fn without_subtrees(repository: &Repository, trees: Vec<ObjectId>) -> Vec<ObjectId> {
    let mut reader = repository.reader();
    let mut buf = Vec::new();
    let mut contained = HashSet::default();
    for tree in &trees {
        if matches!(reader.object(tree, &mut buf), Ok(Kind::Tree)) {
            let entries = text::tree(&buf, repository.object_hash()).flatten();
            contained.extend(entries.filter(|e| e.kind == text::EntryKind::Tree).map(|e| e.id.to_owned()));
        }
    }
    trees.into_iter().filter(|tree| !contained.contains(tree)).collect()
}

/// Tells the visitor what was listed and left out.
fn report<V: Visitor>(trees: &Forest, visitor: &V) {
    for path in &trees.submodules {
        visitor.listed(Listed { path: path.clone(), what: "submodule" });
    }
    let skipped = trees.blobs.values().filter(|allowed| !**allowed).count() as u64;
    if skipped > 0 {
        visitor.excluded(Excluded::TestFile, skipped);
        visitor.excluded(Excluded::TestDirectory, trees.test_directories.len() as u64);
    }
}

/// Hands out the names of refs, each a text of its own.
fn ref_names<V: Visitor>(walked: &mut Walked, visitor: &V) {
    let mut names: Vec<_> = walked.roots.refs.all.iter().map(|reference| reference.name.clone()).collect();
    names.extend(walked.roots.logs.all.iter().map(|(name, _)| name.clone()));
    names.sort();
    names.dedup();
    let first = walked.serials.len() as u64;
    names.par_iter().enumerate().for_each(|(n, name)| {
        visitor.visit(None, Blob::whole(ContentId::Serial(first + n as u64), name));
    });
    walked.serials.extend(names.into_iter().map(Serial::RefName));
}

/// Collects texts of the structure pass and hands them out on all threads.
struct Texts<'v, V> {
    /// Who gets them.
    visitor: &'v V,
    /// What is waiting.
    batch: Vec<(ContentId, Vec<u8>)>,
    /// Bytes held by it.
    bytes: usize,
}

/// A batch is handed out when it holds so many bytes; its memory is the price of using all threads.
const BATCH: usize = 4 << 20;

impl<V: Visitor> Texts<'_, V> {
    /// Hands out what is waiting.
    fn flush(&mut self) {
        let visitor = self.visitor;
        std::mem::take(&mut self.batch).par_iter().for_each(|(id, bytes)| {
            visitor.visit(None, Blob::whole(*id, bytes));
        });
        self.bytes = 0;
    }
}

impl<V: Visitor> Sink for Texts<'_, V> {
    fn text(&mut self, id: ContentId, bytes: &[u8]) {
        self.batch.push((id, bytes.to_vec()));
        self.bytes += bytes.len() + size_of::<(ContentId, Vec<u8>)>();
        if self.bytes >= BATCH {
            self.flush();
        }
    }

    fn unread(&mut self, what: Unread) {
        self.visitor.unread(what);
    }

    fn stop(&self) -> bool {
        self.visitor.stop()
    }
}

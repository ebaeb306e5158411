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
use gix::objs::Kind;
use rayon::prelude::*;

use super::blobs::{self, Leftovers, Wanted};
use super::graph::{Graph, Sink, crowded};
use super::lfs::{self, Pointer};
use super::objects::{Number, Objects};
use super::pack::Packs;
use super::places::{self, Scene, Serial};
use super::repo::{Opening, Reader, Repository};
use super::roots::Roots;
use super::skeleton::Skeleton;
use super::structure::{Forest, Soil, named};
use super::text;
use crate::blob::{Blob, ContentId, ObjectPart};
use crate::place::{Located, Place, Provenance};
use crate::policy::{Allowed, Policy};
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
    /// Most bytes of bases held, if not the usual.
    memory: Option<usize>,
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
    /// Commits, tags and trees, reachable or not.
    skeleton: Skeleton,
    /// Commits and tags that are reachable, or asked for.
    graph: Graph,
    /// Contents by serial number.
    serials: Vec<Serial>,
}

impl Walked {
    /// What places are worked out from.
    fn scene(&self) -> Scene<'_> {
        let Self { roots, skeleton, graph, serials, .. } = self;
        Scene { roots, skeleton, graph, serials }
    }
}

impl History {
    /// The history of the repository at `path`. `policy` says which directories are tests; with `unreachable`,
    /// objects that nothing leads to are scanned too.
    pub fn new(path: PathBuf, opening: Opening, policy: Policy, unreachable: bool) -> Self {
        Self { path, opening, policy, unreachable, memory: None, walked: Mutex::new(None) }
    }

    /// The same, keeping within so many bytes of anonymous memory as far as that depends on what is held to put
    /// versions of files together: three eighths of it are for that.
    pub fn within_memory(self, bytes: u64) -> Self {
        let held = usize::try_from(bytes / 8 * 3).unwrap_or(usize::MAX);
        Self { memory: Some(held), ..self }
    }

    /// Both passes, and the files behind pointers.
    fn scan<V: Visitor>(&self, visitor: &V) -> Result<Walked, SourceError> {
        let repository = Repository::open(&self.path, self.opening)?;
        let roots = Roots::collect(&repository);
        let failures = roots.refs.unread.iter().chain(&roots.logs.unread).chain(&roots.unread);
        failures.cloned().for_each(|what| visitor.unread(what));
        let objects = Objects::open(&repository);
        let packs = Packs::open(&repository).numbered_by(&objects);
        let packs = match self.memory {
            Some(held) => packs.holding(held),
            None => packs,
        };
        let (skeleton, unsound) = Skeleton::read(&repository, &packs, objects, &|| visitor.stop());
        let mut walked = Walked { repository, roots, skeleton, graph: Graph::default(), serials: Vec::new() };
        let trees = self.structure(&mut walked, visitor);
        if visitor.stop() {
            let detail = "stopped before all commits and folders were read";
            visitor.unread(Unread::new(UnreadKind::Deadline, "history", detail));
        }
        report(&trees, visitor);
        ref_names(&mut walked, visitor);
        let wanted = Wanted { objects: &walked.skeleton.objects, blobs: trees.allowed };
        let left = blobs::scan(&walked.repository, &packs, wanted, visitor);
        let unsound: BTreeSet<Unread> = unsound.into_iter().chain(left.unsound.iter().cloned()).collect();
        unsound.into_iter().for_each(|what| visitor.unread(what));
        self.leftovers(&mut walked, left, visitor);
        Ok(walked)
    }

    /// The structure pass.
    fn structure<V: Visitor>(&self, walked: &mut Walked, visitor: &V) -> Forest {
        let Walked { repository, roots, skeleton, graph, .. } = walked;
        let mut texts = Texts { repository, visitor, batch: Vec::new(), bytes: 0, late: Vec::new() };
        let starts = numbers(skeleton, &roots.ids(), &mut texts);
        graph.grow(repository, skeleton, &starts, &mut texts);
        graph.seal();
        let mut trees = Forest::default();
        let mut soil = Soil::new(repository, skeleton, &self.policy, &mut texts);
        trees.look(&mut soil);
        for tree in graph.commits.iter().filter_map(|commit| commit.tree.some()).chain(graph.trees.iter().copied()) {
            trees.grow(&mut soil, tree, b"");
        }
        graph.blobs.iter().for_each(|blob| trees.blob(*blob, true));
        for entries in &roots.indexes {
            for (tree, path) in trees.index(&mut soil, entries) {
                trees.grow(&mut soil, tree, path);
            }
        }
        if self.unreachable {
            self.unreachable(repository, skeleton, graph, &mut trees, &mut texts);
        }
        skeleton.forget();
        texts.flush();
        trees
    }

    /// Adds what nothing leads to.
    fn unreachable<V: Visitor>(
        &self,
        repository: &Repository,
        skeleton: &mut Skeleton,
        graph: &mut Graph,
        trees: &mut Forest,
        texts: &mut Texts<'_, V>,
    ) {
        let (ids, unread) = repository.all_ids();
        unread.into_iter().for_each(|what| texts.visitor.unread(what));
        let mut reader = repository.reader();
        let (mut lone_trees, mut lone_blobs, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for number in numbers(skeleton, &ids, texts) {
            if graph.nodes.contains_key(&number) || trees.trees.contains(number.0) || trees.blobs.contains(number.0) {
                continue;
            }
            let kind = match skeleton.kind(number) {
                Some(kind) => Some(kind),
                None => reader.kind(&skeleton.objects.id(number)),
            };
            match kind {
                Some(Kind::Tree) => lone_trees.push(number),
                Some(Kind::Blob) => lone_blobs.push(number),
                // What can't be read is reported when the graph tries.
                Some(Kind::Commit | Kind::Tag) | None => others.push(number),
            }
        }
        let [commits, _, known_trees, known_blobs] = graph.reachable();
        graph.grow(repository, skeleton, &others, texts);
        let mut soil = Soil::new(repository, skeleton, &self.policy, texts);
        let of_commits = graph.commits[commits..].iter().filter_map(|commit| commit.tree.some());
        graph.blobs[known_blobs..].iter().for_each(|blob| trees.blob(*blob, true));
        for tree in of_commits.chain(graph.trees[known_trees..].iter().copied()) {
            trees.grow(&mut soil, tree, b"");
        }
        lone_trees.retain(|tree| !trees.trees.contains(tree.0));
        let tops = soil.without_subtrees(lone_trees);
        graph.trees.extend(&tops);
        for tree in tops {
            trees.grow(&mut soil, tree, b"");
        }
        lone_blobs.retain(|blob| !trees.blobs.contains(blob.0));
        graph.blobs.extend(&lone_blobs);
        lone_blobs.into_iter().for_each(|blob| trees.blob(blob, true));
    }

    /// Leaves out the places in test directories of contents that have others too; a content that was scanned keeps
    /// a place.
    fn outside_tests(&self, walked: &Walked, places: Vec<Located>) -> Vec<Located> {
        if self.policy.includes_tests() {
            return places;
        }
        let Walked { skeleton, graph, .. } = walked;
        let is_test = |located: &Located| {
            let Place { last: Some(commit), provenance: Provenance { path, .. }, .. } = &located.place else {
                return false;
            };
            let id = ObjectId::from_hex(commit.id.as_bytes()).ok();
            let commit = id.and_then(|id| graph.commit_at(skeleton.objects.number(&id)?));
            let Some(tree) = commit.map(|commit| graph.commits[commit as usize].tree) else { return false };
            self.policy.judge_path(path, &mut |folder| skeleton.folder(tree, folder)) == Allowed::Test
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
        Ok(self.outside_tests(walked, places::locate(&walked.scene(), wanted)))
    }

    fn read(&self, id: ContentId) -> Result<Vec<u8>, Unread> {
        let walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(walked) = walked.as_ref() else {
            return Err(Unread::new(UnreadKind::Missing, id.to_string(), "nothing was read yet"));
        };
        read_part(&mut walked.repository.reader(), &walked.repository, id, &mut Vec::new())
    }

    fn store(&self) -> Option<PathBuf> {
        Repository::open(&self.path, self.opening).ok()?.store()
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

/// The numbers of objects. Those past what can be numbered are reported.
fn numbers(skeleton: &Skeleton, ids: &[ObjectId], sink: &mut dyn Sink) -> Vec<Number> {
    let mut numbers = Vec::with_capacity(ids.len());
    for id in ids {
        match skeleton.objects.enter(id) {
            Some(number) => numbers.push(number),
            None => sink.unread(crowded(*id)),
        }
    }
    numbers
}

/// Tells the visitor what was listed and left out.
fn report<V: Visitor>(trees: &Forest, visitor: &V) {
    for path in &trees.submodules {
        visitor.listed(Listed { path: path.clone(), what: "submodule".into() });
    }
    let skipped = (trees.blobs.len() - trees.allowed.len()) as u64;
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
    /// Where texts are read that weren't kept.
    repository: &'v Repository,
    /// Who gets them.
    visitor: &'v V,
    /// What is waiting.
    batch: Vec<(ContentId, Box<[u8]>)>,
    /// Bytes held by it.
    bytes: usize,
    /// What is yet to be read.
    late: Vec<ContentId>,
}

/// A batch is handed out when it holds so many bytes; its memory is the price of using all threads.
const BATCH: usize = 4 << 20;

/// How many late texts one task reads.
const RUN: usize = 256;

impl<V: Visitor> Texts<'_, V> {
    /// Hands out what is waiting, and reads what is late.
    fn flush(&mut self) {
        self.hand_out();
        let Self { repository, visitor, .. } = *self;
        std::mem::take(&mut self.late).par_chunks(RUN).for_each(|run| {
            let mut reader = repository.reader();
            let mut buf = Vec::new();
            for id in run.iter().take_while(|_| !visitor.stop()) {
                match read_part(&mut reader, repository, *id, &mut buf) {
                    Ok(text) => drop(visitor.visit(None, Blob::whole(*id, &text))),
                    Err(what) => visitor.unread(what),
                }
            }
        });
    }

    /// Hands out what is waiting.
    fn hand_out(&mut self) {
        let visitor = self.visitor;
        std::mem::take(&mut self.batch).par_iter().for_each(|(id, bytes)| {
            visitor.visit(None, Blob::whole(*id, bytes));
        });
        self.bytes = 0;
    }
}

impl<V: Visitor> Sink for Texts<'_, V> {
    fn text(&mut self, id: ContentId, bytes: Box<[u8]>) {
        self.bytes += bytes.len() + size_of::<(ContentId, Box<[u8]>)>();
        self.batch.push((id, bytes));
        if self.bytes >= BATCH {
            self.hand_out();
        }
    }

    fn late(&mut self, id: ContentId) {
        self.late.push(id);
    }

    fn unread(&mut self, what: Unread) {
        self.visitor.unread(what);
    }

    fn stop(&self) -> bool {
        self.visitor.stop()
    }

    fn suspects(&self, text: &[u8]) -> bool {
        self.visitor.suspects(text)
    }
}

/// Reads the part of an object that is a content. `buf` is room to read it into.
fn read_part(
    reader: &mut Reader<'_>,
    repository: &Repository,
    id: ContentId,
    buf: &mut Vec<u8>,
) -> Result<Vec<u8>, Unread> {
    let ContentId::Object(part, object) = id else {
        return Err(Unread::new(UnreadKind::Missing, id.to_string(), "this content has no object"));
    };
    reader.object(&object, buf)?;
    Ok(match part {
        ObjectPart::Blob => std::mem::take(buf),
        ObjectPart::Names => text::names(buf, repository.object_hash()),
        ObjectPart::Commit => text::commit(buf).text.to_vec(),
        ObjectPart::Tag => text::tag(buf).1.to_vec(),
    })
}

//! The structure pass over commits and annotated tags: each once, parents and targets followed, every id checked.

use std::collections::HashMap;

use gix::ObjectId;
use gix::objs::Kind;

use super::objects::{Number, Objects};
use super::repo::{Reader, Repository};
use super::skeleton::{self, CommitNode, Knot, Skeleton, TagNode};
use crate::blob::{ContentId, ObjectPart};
use crate::source::{Unread, UnreadKind};

/// Takes what a pass comes upon.
pub(super) trait Sink: Sync {
    /// A text to scan.
    fn text(&mut self, id: ContentId, bytes: Box<[u8]>);

    /// The text of a commit or tag that is to be read once more and scanned.
    fn late(&mut self, id: ContentId);

    /// Something that could not be read.
    fn unread(&mut self, what: Unread);

    /// Whether to stop early.
    fn stop(&self) -> bool;

    /// Whether a scan of `text` would find anything.
    fn suspects(&self, text: &[u8]) -> bool;
}

/// What an object that was met outside trees turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// [`Graph::commits`] at this index.
    Commit(u32),
    /// [`Graph::tags`] at this index.
    Tag(u32),
    /// A tree.
    Tree,
    /// A blob.
    Blob,
    /// It could not be read.
    Lost,
}

/// Commits and tags, and the trees and blobs that are named by something else than a tree or a commit.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// In the order they were met.
    pub(super) commits: Vec<CommitNode>,
    /// In the order they were met.
    pub(super) tags: Vec<TagNode>,
    /// Everything met outside trees.
    pub(super) nodes: HashMap<Number, Node>,
    /// Trees named by refs, reflogs or tags.
    pub(super) trees: Vec<Number>,
    /// Blobs named by refs, reflogs or tags.
    pub(super) blobs: Vec<Number>,
    /// How many commits, tags, trees and blobs a ref, reflog or worktree reaches; those after are unreachable.
    pub(super) reached: Option<[usize; 4]>,
}

/// An object to be looked at, and who named it.
struct Task {
    /// What to look at.
    number: Number,
    /// Who named it.
    named_by: NamedBy,
}

/// Where an object was mentioned.
#[derive(Clone, Copy)]
enum NamedBy {
    /// By a ref, a reflog, or as unreachable.
    Root,
    /// As a parent of this commit.
    Commit(Number),
    /// As the target of this tag.
    Tag(Number),
}

/// What a [`Graph`] grows with.
struct Growth<'g, 'r> {
    /// Where objects are that were read.
    skeleton: &'g mut Skeleton,
    /// Reads those that weren't.
    reader: Reader<'r>,
    /// What is yet to be looked at; the next one comes last.
    tasks: Vec<Task>,
    /// Takes texts and failures.
    sink: &'g mut dyn Sink,
}

impl Graph {
    /// Adds `roots` and all that commits and tags lead to. Texts and failures go to `sink`.
    pub(super) fn grow(
        &mut self,
        repository: &Repository,
        skeleton: &mut Skeleton,
        roots: &[Number],
        sink: &mut dyn Sink,
    ) {
        let tasks = roots.iter().rev().map(|number| Task { number: *number, named_by: NamedBy::Root }).collect();
        let mut growth = Growth { skeleton, reader: repository.reader(), tasks, sink };
        let mut buf = Vec::new();
        while let Some(task) = growth.tasks.pop() {
            if self.nodes.contains_key(&task.number) {
                continue;
            }
            if growth.sink.stop() {
                return;
            }
            let node = self.node(&mut growth, &task, &mut buf);
            if let (NamedBy::Commit(child), Node::Tag(_) | Node::Tree | Node::Blob) = (task.named_by, node) {
                let objects = &growth.skeleton.objects;
                let (id, child) = (objects.id(task.number), objects.id(child));
                let detail = format!("a parent of commit {child}, but no commit (`git fsck` tells more)");
                growth.sink.unread(Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id));
            }
            self.nodes.insert(task.number, node);
        }
    }

    /// Finds out what an object is, and takes it.
    fn node(&mut self, growth: &mut Growth<'_, '_>, task: &Task, buf: &mut Vec<u8>) -> Node {
        if let Some((knot, text)) = growth.skeleton.take(task.number) {
            return self.knot(growth, task.number, knot, text);
        }
        if growth.skeleton.trees.at(task.number).is_some() {
            self.trees.push(task.number);
            return Node::Tree;
        }
        let id = growth.skeleton.objects.id(task.number);
        match growth.reader.object(&id, buf) {
            Ok(kind @ (Kind::Commit | Kind::Tag)) => {
                let Some((knot, text)) = skeleton::knot(&growth.skeleton.objects, task.number, kind, buf) else {
                    growth.sink.unread(crowded(id));
                    return Node::Lost;
                };
                self.knot(growth, task.number, knot, Some(text.into()))
            }
            Ok(Kind::Tree) => {
                self.trees.push(task.number);
                Node::Tree
            }
            Ok(Kind::Blob) => {
                self.blobs.push(task.number);
                Node::Blob
            }
            Err(unread) => {
                let unread = task.named_by.explain(unread, &growth.skeleton.objects);
                growth.sink.unread(unread);
                Node::Lost
            }
        }
    }

    /// Takes a commit or tag and its text.
    fn knot(&mut self, growth: &mut Growth<'_, '_>, number: Number, knot: Knot, text: Option<Box<[u8]>>) -> Node {
        let id = growth.skeleton.objects.id(number);
        let part = match &knot {
            Knot::Commit(_) => ObjectPart::Commit,
            Knot::Tag(_) => ObjectPart::Tag,
        };
        match text {
            Some(text) => growth.sink.text(ContentId::Object(part, id), text),
            None => growth.sink.late(ContentId::Object(part, id)),
        }
        match knot {
            Knot::Commit(commit) => self.commit(growth, id, commit),
            Knot::Tag(tag) => self.tag(growth, id, tag),
        }
    }

    /// Takes a commit and asks for its parents, as far as a shallow clone has them.
    fn commit(&mut self, growth: &mut Growth<'_, '_>, id: ObjectId, commit: CommitNode) -> Node {
        let Growth { skeleton, reader, tasks, sink } = growth;
        if commit.tree == Number::NONE {
            sink.unread(malformed(id, "commit"));
        }
        let mut parents = commit.parents.to_vec();
        if reader.is_boundary(&id) {
            parents.retain(|parent| reader.has(&skeleton.objects.id(*parent)));
        }
        if parents.len() < commit.parents.len() {
            let detail = "the shallow clone ends here (`git fetch --unshallow` brings the rest)";
            sink.unread(Unread::new(UnreadKind::Shallow, id.to_string(), detail).object(id));
        }
        let named_by = NamedBy::Commit(commit.number);
        tasks.extend(parents.into_iter().rev().map(|number| Task { number, named_by }));
        let index = u32::try_from(self.commits.len()).unwrap_or(u32::MAX);
        self.commits.push(commit);
        Node::Commit(index)
    }

    /// Takes an annotated tag and asks for its target.
    fn tag(&mut self, growth: &mut Growth<'_, '_>, id: ObjectId, tag: TagNode) -> Node {
        match tag.target.some() {
            Some(target) => growth.tasks.push(Task { number: target, named_by: NamedBy::Tag(tag.number) }),
            None => growth.sink.unread(malformed(id, "tag")),
        }
        let index = u32::try_from(self.tags.len()).unwrap_or(u32::MAX);
        self.tags.push(tag);
        Node::Tag(index)
    }

    /// Everything added from now on is unreachable.
    pub(super) fn seal(&mut self) {
        self.reached = Some([self.commits.len(), self.tags.len(), self.trees.len(), self.blobs.len()]);
    }

    /// How many commits, tags, trees and blobs are reachable.
    pub(super) fn reachable(&self) -> [usize; 4] {
        self.reached.unwrap_or([self.commits.len(), self.tags.len(), self.trees.len(), self.blobs.len()])
    }

    /// What `number` leads to when tags are followed, and the tags on the way.
    pub(super) fn peel(&self, number: Number) -> (Number, Option<Node>, Vec<u32>) {
        let mut tags = Vec::new();
        let mut number = number;
        // A tag can't name itself, but a damaged graph must not hang us.
        while let Some(Node::Tag(tag)) = self.nodes.get(&number)
            && tags.len() <= self.tags.len()
        {
            tags.push(*tag);
            match self.tags[*tag as usize].target.some() {
                Some(target) => number = target,
                None => return (number, None, tags),
            }
        }
        (number, self.nodes.get(&number).copied(), tags)
    }

    /// The commit `number`, if it is one.
    pub(super) fn commit_at(&self, number: Number) -> Option<u32> {
        match self.nodes.get(&number) {
            Some(Node::Commit(commit)) => Some(*commit),
            _ => None,
        }
    }
}

impl NamedBy {
    /// Adds who named the missing object.
    fn explain(self, mut unread: Unread, objects: &Objects) -> Unread {
        let detail = &unread.detail;
        match self {
            Self::Root => {}
            Self::Commit(child) => unread.detail = format!("parent of commit {}: {detail}", objects.id(child)),
            Self::Tag(tag) => unread.detail = format!("target of tag {}: {detail}", objects.id(tag)),
        }
        unread
    }
}

/// A commit or tag whose first line is not as it should be.
fn malformed(id: ObjectId, what: &str) -> Unread {
    let detail = format!("not a well-formed {what}: what it leads to is unknown (`git fsck` tells more)");
    Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id)
}

/// An object that leads to more than can be numbered.
pub(super) fn crowded(id: ObjectId) -> Unread {
    let detail = "there are more objects or names in this repository than can be told apart";
    Unread::new(UnreadKind::Limit, id.to_string(), detail).object(id)
}

//! The structure pass over commits and annotated tags: each once, parents and targets followed, every id checked.

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use super::repo::{Reader, Repository};
use super::text;
use crate::blob::{ContentId, ObjectPart};
use crate::source::{Unread, UnreadKind};

/// Takes what a pass comes upon.
pub(super) trait Sink {
    /// A text to scan.
    fn text(&mut self, id: ContentId, bytes: &[u8]);

    /// Something that could not be read.
    fn unread(&mut self, what: Unread);

    /// Whether to stop early.
    fn stop(&self) -> bool;
}

/// What an id that was met outside trees turned out to be.
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

/// A commit, as far as walks need it.
#[derive(Clone, Debug)]
pub(super) struct CommitNode {
    /// Its id.
    pub(super) id: ObjectId,
    /// The tree it records.
    pub(super) tree: Option<ObjectId>,
    /// Its parents, those missing included.
    pub(super) parents: Box<[ObjectId]>,
    /// Author date: seconds since 1970, UTC.
    pub(super) author_time: i64,
    /// Committer date: seconds since 1970, UTC.
    pub(super) committer_time: i64,
}

/// An annotated tag.
#[derive(Clone, Debug)]
pub(super) struct TagNode {
    /// Its id.
    pub(super) id: ObjectId,
    /// The object it names.
    pub(super) target: Option<ObjectId>,
}

/// Commits and tags, and the trees and blobs that are named by something else than a tree or a commit.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// In the order they were met.
    pub(super) commits: Vec<CommitNode>,
    /// In the order they were met.
    pub(super) tags: Vec<TagNode>,
    /// Everything met outside trees.
    pub(super) nodes: HashMap<ObjectId, Node>,
    /// Trees named by refs, reflogs or tags.
    pub(super) trees: Vec<ObjectId>,
    /// Blobs named by refs, reflogs or tags.
    pub(super) blobs: Vec<ObjectId>,
    /// How many commits, tags, trees and blobs a ref, reflog or worktree reaches; those after are unreachable.
    pub(super) reached: Option<[usize; 4]>,
}

/// An id to be read, and who named it.
struct Task {
    /// What to read.
    id: ObjectId,
    /// Who named it.
    named_by: NamedBy,
}

/// Where an id was mentioned.
#[derive(Clone, Copy)]
enum NamedBy {
    /// By a ref, a reflog, or as unreachable.
    Root,
    /// As a parent of this commit.
    Commit(ObjectId),
    /// As the target of this tag.
    Tag(ObjectId),
}

impl Graph {
    /// Adds `roots` and all that commits and tags lead to. Texts and failures go to `sink`.
    pub(super) fn grow(&mut self, repository: &Repository, roots: &[ObjectId], sink: &mut dyn Sink) {
        let mut reader = repository.reader();
        let mut buf = Vec::new();
        let mut tasks: Vec<Task> = roots.iter().rev().map(|id| Task { id: *id, named_by: NamedBy::Root }).collect();
        while let Some(task) = tasks.pop() {
            if self.nodes.contains_key(&task.id) {
                continue;
            }
            if sink.stop() {
                return;
            }
            let node = match reader.object(&task.id, &mut buf) {
                Ok(Kind::Commit) => self.commit(&mut reader, task.id, &buf, &mut tasks, sink),
                Ok(Kind::Tag) => self.tag(task.id, &buf, &mut tasks, sink),
                Ok(Kind::Tree) => {
                    self.trees.push(task.id);
                    Node::Tree
                }
                Ok(Kind::Blob) => {
                    self.blobs.push(task.id);
                    Node::Blob
                }
                Err(unread) => {
                    sink.unread(task.named_by.explain(unread));
                    Node::Lost
                }
            };
            if let (NamedBy::Commit(child), Node::Tag(_) | Node::Tree | Node::Blob) = (task.named_by, node) {
                let detail = format!("a parent of commit {child}, but no commit (`git fsck` tells more)");
                let what = Unread::new(UnreadKind::Corrupt, task.id.to_string(), detail);
                sink.unread(what.object(task.id));
            }
            self.nodes.insert(task.id, node);
        }
    }

    /// Everything added from now on is unreachable.
    pub(super) fn seal(&mut self) {
        self.reached = Some([self.commits.len(), self.tags.len(), self.trees.len(), self.blobs.len()]);
    }

    /// How many commits, tags, trees and blobs are reachable.
    pub(super) fn reachable(&self) -> [usize; 4] {
        self.reached.unwrap_or([self.commits.len(), self.tags.len(), self.trees.len(), self.blobs.len()])
    }

    /// What `id` leads to when tags are followed, and the tags on the way.
    pub(super) fn peel(&self, id: ObjectId) -> (ObjectId, Option<Node>, Vec<u32>) {
        let mut tags = Vec::new();
        let mut id = id;
        // A tag can't name itself, but a damaged graph must not hang us.
        while let Some(Node::Tag(tag)) = self.nodes.get(&id)
            && tags.len() <= self.tags.len()
        {
            tags.push(*tag);
            match self.tags[*tag as usize].target {
                Some(target) => id = target,
                None => return (id, None, tags),
            }
        }
        (id, self.nodes.get(&id).copied(), tags)
    }

    /// The commit at `id`, if it is one.
    pub(super) fn commit_at(&self, id: &ObjectId) -> Option<u32> {
        match self.nodes.get(id) {
            Some(Node::Commit(commit)) => Some(*commit),
            _ => None,
        }
    }

    /// Takes a commit and asks for its parents, as far as a shallow clone has them.
    fn commit(
        &mut self,
        reader: &mut Reader<'_>,
        id: ObjectId,
        data: &[u8],
        tasks: &mut Vec<Task>,
        sink: &mut dyn Sink,
    ) -> Node {
        let parts = text::commit(data);
        sink.text(ContentId::Object(ObjectPart::Commit, id), parts.text);
        if parts.tree.is_none() {
            sink.unread(malformed(id, "commit"));
        }
        let cut = reader.is_boundary(&id) && parts.parents.iter().any(|parent| !reader.has(parent));
        if cut {
            let detail = "the shallow clone ends here (`git fetch --unshallow` brings the rest)";
            sink.unread(Unread::new(UnreadKind::Shallow, id.to_string(), detail).object(id));
        }
        for parent in parts.parents.iter().rev() {
            if !cut || reader.has(parent) {
                tasks.push(Task { id: *parent, named_by: NamedBy::Commit(id) });
            }
        }
        let index = u32::try_from(self.commits.len()).unwrap_or(u32::MAX);
        self.commits.push(CommitNode {
            id,
            tree: parts.tree,
            parents: parts.parents.into(),
            author_time: parts.author_time,
            committer_time: parts.committer_time,
        });
        Node::Commit(index)
    }

    /// Takes an annotated tag and asks for its target.
    fn tag(&mut self, id: ObjectId, data: &[u8], tasks: &mut Vec<Task>, sink: &mut dyn Sink) -> Node {
        let (target, text) = text::tag(data);
        sink.text(ContentId::Object(ObjectPart::Tag, id), text);
        match target {
            Some(target) => tasks.push(Task { id: target, named_by: NamedBy::Tag(id) }),
            None => sink.unread(malformed(id, "tag")),
        }
        let index = u32::try_from(self.tags.len()).unwrap_or(u32::MAX);
        self.tags.push(TagNode { id, target });
        Node::Tag(index)
    }
}

impl NamedBy {
    /// Adds who named the missing object.
    fn explain(self, mut unread: Unread) -> Unread {
        match self {
            Self::Root => {}
            Self::Commit(child) => unread.detail = format!("parent of commit {child}: {}", unread.detail),
            Self::Tag(tag) => unread.detail = format!("target of tag {tag}: {}", unread.detail),
        }
        unread
    }
}

/// A commit or tag whose first line is not as it should be.
fn malformed(id: ObjectId, what: &str) -> Unread {
    let detail = format!("not a well-formed {what}: what it leads to is unknown (`git fsck` tells more)");
    Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id)
}

//! What a folder of a tree or of the index holds, entry by entry.
//!
//! In: tree objects, or an index with its cache-tree. Out: [`Listing`]s of one folder each, so that both can be
//! compared by one walk. The cache-tree is believed where it is valid and covers as many entries as there are: `git
//! commit` writes these very ids, so it is true of the commit to come whatever the entries below it say.
//! Source: git's `Documentation/gitformat-index.adoc`, section "Cache tree", git 2.51, read 2026-11.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use gix::ObjectId;
use gix::index::State;
use gix::index::entry::{Flags, Mode};
use gix::index::extension::Tree as CacheTree;
use gix::objs::Kind;

use super::repo::{Reader, Repository};
use super::text::{self, EntryKind};
use crate::source::{Unread, UnreadKind};

/// A folder: a tree object, or a part of the index.
#[derive(Clone)]
pub(super) enum Node<'i> {
    /// A tree object.
    Tree(ObjectId),
    /// A folder of the index.
    Index(IndexFolder<'i>),
}

/// A folder of the index: consecutive entries whose paths start alike.
#[derive(Clone)]
pub(super) struct IndexFolder<'i> {
    /// The index.
    state: &'i State,
    /// Which entries.
    entries: Range<usize>,
    /// How many bytes of their paths name this folder, the final `/` included.
    prefix: usize,
    /// What the cache-tree says of this folder.
    cached: Option<&'i CacheTree>,
}

impl<'i> Node<'i> {
    /// The top folder of an index.
    pub(super) fn index(state: &'i State) -> Self {
        Self::Index(IndexFolder { state, entries: 0..state.entries().len(), prefix: 0, cached: state.tree() })
    }

    /// The id of the tree object this folder is or would be committed as, where that is known.
    pub(super) fn tree_id(&self) -> Option<ObjectId> {
        match self {
            Self::Tree(id) => Some(*id),
            Self::Index(folder) => {
                let cached = folder.cached?;
                let entries = usize::try_from(cached.num_entries?).ok()?;
                (entries == folder.entries.len()).then_some(cached.id)
            }
        }
    }
}

/// One entry of a folder.
#[derive(Clone)]
pub(super) struct Entry<'i> {
    /// Its name: raw bytes, one component.
    pub(super) name: Vec<u8>,
    /// What it is.
    pub(super) thing: Thing<'i>,
}

/// What an entry is.
#[derive(Clone)]
pub(super) enum Thing<'i> {
    /// Anything but a folder.
    File(File),
    /// A folder.
    Folder(Node<'i>),
}

/// An entry that is no folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// What it is.
    pub(super) kind: FileKind,
    /// The object it names.
    pub(super) id: ObjectId,
}

/// The kinds of entries that are no folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A file, executable or not.
    Plain,
    /// A symbolic link, whose blob holds its target.
    Link,
    /// A commit of another repository.
    Submodule,
    /// A name that `git add --intent-to-add` put there: no content yet.
    Intended,
}

impl File {
    /// The blob with its content, if it has one here.
    pub(super) fn content(self) -> Option<ObjectId> {
        matches!(self.kind, FileKind::Plain | FileKind::Link).then_some(self.id)
    }
}

/// The entries of one folder, sorted by name. A damaged or hostile folder may hold a name twice.
#[derive(Clone)]
pub(super) struct Listing<'i>(Arc<Vec<Entry<'i>>>);

impl<'i> Listing<'i> {
    /// A folder that isn't there.
    pub(super) fn empty() -> Self {
        Self(Arc::new(Vec::new()))
    }

    /// All entries.
    pub(super) fn entries(&self) -> &[Entry<'i>] {
        &self.0
    }

    /// The entries of this name.
    pub(super) fn named(&self, name: &[u8]) -> &[Entry<'i>] {
        let start = self.0.partition_point(|entry| entry.name.as_slice() < name);
        let len = self.0[start..].iter().take_while(|entry| entry.name == name).count();
        &self.0[start..start + len]
    }

    /// The entries of this name that are no folders.
    pub(super) fn files(&self, name: &[u8]) -> impl Iterator<Item = File> {
        self.named(name).iter().filter_map(|entry| match entry.thing {
            Thing::File(file) => Some(file),
            Thing::Folder(_) => None,
        })
    }

    /// The folder of this name.
    pub(super) fn folder(&self, name: &[u8]) -> Option<&Node<'i>> {
        self.named(name).iter().find_map(|entry| match &entry.thing {
            Thing::Folder(node) => Some(node),
            Thing::File(_) => None,
        })
    }

    /// From entries in any order.
    fn new(mut entries: Vec<Entry<'i>>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Self(Arc::new(entries))
    }
}

/// Most tree entries a [`Lister`] remembers; commits in a row share most of their trees.
const REMEMBERED: usize = 200_000;

/// Lists folders and remembers those of tree objects.
pub(super) struct Lister<'r> {
    reader: Reader<'r>,
    buf: Vec<u8>,
    trees: HashMap<ObjectId, Listing<'static>>,
    held: usize,
}

impl<'r> Lister<'r> {
    /// A lister for the trees of `repository`.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { reader: repository.reader(), buf: Vec::new(), trees: HashMap::new(), held: 0 }
    }

    /// The entries of `node`.
    ///
    /// # Errors
    /// The tree object can't be read, or is none.
    pub(super) fn list<'i>(&mut self, node: &Node<'i>) -> Result<Listing<'i>, Unread> {
        match node {
            Node::Tree(id) => self.tree(*id),
            Node::Index(folder) => Ok(folder.list()),
        }
    }

    /// The entries of a tree object.
    fn tree(&mut self, id: ObjectId) -> Result<Listing<'static>, Unread> {
        if let Some(known) = self.trees.get(&id) {
            return Ok(known.clone());
        }
        // Git knows the empty tree without storing it.
        let listing = if id == ObjectId::empty_tree(id.kind()) {
            Listing::empty()
        } else {
            match self.reader.object(&id, &mut self.buf)? {
                Kind::Tree => parse(&self.buf, id)?,
                other => {
                    return Err(
                        Unread::new(UnreadKind::Corrupt, id.to_string(), format!("a {other}, not a tree")).object(id)
                    );
                }
            }
        };
        if self.held > REMEMBERED {
            self.trees.clear();
            self.held = 0;
        }
        self.held += listing.entries().len() + 1;
        self.trees.insert(id, listing.clone());
        Ok(listing)
    }
}

/// Reads the entries of a tree object.
fn parse(bytes: &[u8], id: ObjectId) -> Result<Listing<'static>, Unread> {
    let mut entries = Vec::new();
    for entry in text::tree(bytes, id.kind()) {
        let Ok(entry) = entry else {
            return Err(Unread::new(UnreadKind::Corrupt, id.to_string(), "this tree is malformed").object(id));
        };
        let file = |kind| Thing::File(File { kind, id: entry.id.to_owned() });
        let thing = match entry.kind {
            EntryKind::Tree => Thing::Folder(Node::Tree(entry.id.to_owned())),
            EntryKind::File => file(FileKind::Plain),
            EntryKind::Link => file(FileKind::Link),
            EntryKind::Submodule => file(FileKind::Submodule),
        };
        entries.push(Entry { name: entry.name.to_vec(), thing });
    }
    Ok(Listing::new(entries))
}

impl<'i> IndexFolder<'i> {
    /// The entries of this folder. Only runs of entries that do start alike are taken together, so an index that
    /// isn't sorted splits a folder in two instead of confusing it with another.
    fn list(&self) -> Listing<'i> {
        let mut entries = Vec::new();
        let mut at = self.entries.start;
        while at < self.entries.end {
            let entry = &self.state.entries()[at];
            let path = entry.path(self.state);
            let rest = &path[self.prefix..];
            let Some(slash) = memchr::memchr(b'/', rest) else {
                entries.push(Entry { name: rest.to_vec(), thing: Thing::File(file(entry)) });
                at += 1;
                continue;
            };
            let name = rest[..slash].to_vec();
            if entry.mode == Mode::DIR && slash + 1 == rest.len() {
                entries.push(Entry { name, thing: Thing::Folder(Node::Tree(entry.id)) });
                at += 1;
                continue;
            }
            let below = &path[..self.prefix + slash + 1];
            let run = self.state.entries()[at..self.entries.end]
                .iter()
                .take_while(|entry| entry.path(self.state).starts_with(below))
                .count();
            let cached = self.cached.and_then(|cached| {
                let at = cached.children.binary_search_by(|child| child.name.as_slice().cmp(&name)).ok()?;
                cached.children.get(at)
            });
            let folder =
                IndexFolder { state: self.state, entries: at..at + run, prefix: self.prefix + slash + 1, cached };
            entries.push(Entry { name, thing: Thing::Folder(Node::Index(folder)) });
            at += run;
        }
        Listing::new(entries)
    }
}

/// What an index entry is.
fn file(entry: &gix::index::Entry) -> File {
    let kind = match entry.mode {
        _ if entry.flags.contains(Flags::INTENT_TO_ADD) => FileKind::Intended,
        Mode::SYMLINK => FileKind::Link,
        Mode::COMMIT => FileKind::Submodule,
        _ => FileKind::Plain,
    };
    File { kind, id: entry.id }
}

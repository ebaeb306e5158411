//! What a folder of a tree or of the index holds, entry by entry.
//!
//! In: tree objects, or an index with its cache-tree. Out: [`Listing`]s of one folder each, so that both can be
//! compared by one walk. Where the cache-tree is valid, the tree it names is the folder, and the entries below are
//! skipped, as many as it says. So does `git commit`, which records that very id without looking at the entries
//! (`update_one` in `cache-tree.c`): should the two ever disagree, the tree is what will be committed. Git drops an id
//! with every change below it; to make it lie takes a forged index, and an index can't be pushed or pulled. A tree
//! that isn't here git would write anew from the entries; then those count.
//! Source: git's `Documentation/gitformat-index.adoc`, section "Cache tree", git 2.51, read 2026-11.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;

use super::index::{self, Cached, Cursor, Index};
use super::repo::{Reader, Repository};
use super::text::{self, EntryKind};
use crate::source::{Unread, UnreadKind};

/// A folder: a tree object, or a part of the index.
#[derive(Clone)]
pub(super) enum Node {
    /// A tree object.
    Tree(ObjectId),
    /// A folder of the index.
    Index(Arc<IndexFolder>),
}

/// A folder of the index: consecutive entries whose paths start alike.
#[derive(Clone)]
pub(super) struct IndexFolder {
    /// The index.
    index: Arc<Index>,
    /// Which entries.
    entries: Range<usize>,
    /// How their paths start, the final `/` included; empty for the top.
    path: Vec<u8>,
    /// What the cache-tree knows of this folder.
    cached: Option<Cached>,
    /// The tree it will be committed as, if the cache-tree tells and counts as many entries as there are.
    tree: Option<ObjectId>,
}

impl Node {
    /// The top folder of an index.
    pub(super) fn index(index: &Arc<Index>) -> Self {
        let cached = index.top();
        Self::Index(Arc::new(IndexFolder::new(Arc::clone(index), 0..index.len(), Vec::new(), cached)))
    }

    /// The id of the tree object this folder is or would be committed as, where that is known.
    pub(super) fn tree_id(&self) -> Option<ObjectId> {
        match self {
            Self::Tree(id) => Some(*id),
            Self::Index(folder) => folder.tree,
        }
    }
}

/// One entry of a folder.
#[derive(Clone)]
pub(super) struct Entry {
    /// Its name: raw bytes, one component.
    pub(super) name: Vec<u8>,
    /// What it is.
    pub(super) thing: Thing,
}

/// What an entry is.
#[derive(Clone)]
pub(super) enum Thing {
    /// Anything but a folder.
    File(File),
    /// A folder.
    Folder(Node),
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
pub(super) struct Listing(Arc<Vec<Entry>>);

impl Listing {
    /// A folder that isn't there.
    pub(super) fn empty() -> Self {
        Self(Arc::new(Vec::new()))
    }

    /// All entries.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entries of this name.
    pub(super) fn named(&self, name: &[u8]) -> &[Entry] {
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
    pub(super) fn folder(&self, name: &[u8]) -> Option<&Node> {
        self.named(name).iter().find_map(|entry| match &entry.thing {
            Thing::Folder(node) => Some(node),
            Thing::File(_) => None,
        })
    }

    /// From entries in any order.
    fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Self(Arc::new(entries))
    }
}

/// Most entries a [`Lister`] remembers; commits in a row share most of their trees.
const REMEMBERED: usize = 200_000;

/// Lists folders and remembers them.
pub(super) struct Lister<'r> {
    reader: Reader<'r>,
    buf: Vec<u8>,
    /// Those of tree objects.
    trees: HashMap<ObjectId, Listing>,
    /// Those of the index, by their first entry and how much of its path names them. One lister has to do with one
    /// index.
    folders: HashMap<(usize, usize), Listing>,
    /// Entries of all together.
    held: usize,
}

impl<'r> Lister<'r> {
    /// A lister for the trees of `repository`.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { reader: repository.reader(), buf: Vec::new(), trees: HashMap::new(), folders: HashMap::new(), held: 0 }
    }

    /// The entries of `node`.
    ///
    /// # Errors
    /// The tree object can't be read, or is none; or the index was damaged meanwhile.
    pub(super) fn list(&mut self, node: &Node) -> Result<Listing, Unread> {
        match node {
            Node::Tree(id) => self.tree(*id),
            Node::Index(folder) => self.folder(folder),
        }
    }

    /// The entries of a folder of the index.
    fn folder(&mut self, folder: &IndexFolder) -> Result<Listing, Unread> {
        if let Some(tree) = folder.tree
            && self.reader.kind(&tree) == Some(Kind::Tree)
            && let Ok(listing) = self.tree(tree)
        {
            return Ok(listing);
        }
        let key = (folder.entries.start, folder.path.len());
        if let Some(known) = self.folders.get(&key) {
            return Ok(known.clone());
        }
        let listing = folder.list().map_err(|why| Unread::new(UnreadKind::Corrupt, "index", why))?;
        self.hold(&listing);
        self.folders.insert(key, listing.clone());
        Ok(listing)
    }

    /// Makes room for one more listing.
    fn hold(&mut self, listing: &Listing) {
        if self.held > REMEMBERED {
            self.trees.clear();
            self.folders.clear();
            self.held = 0;
        }
        self.held += listing.entries().len() + 1;
    }

    /// The entries of a tree object.
    fn tree(&mut self, id: ObjectId) -> Result<Listing, Unread> {
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
        self.hold(&listing);
        self.trees.insert(id, listing.clone());
        Ok(listing)
    }
}

/// Reads the entries of a tree object.
fn parse(bytes: &[u8], id: ObjectId) -> Result<Listing, Unread> {
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

impl IndexFolder {
    /// The folder `path` of `index`, which holds these entries.
    fn new(index: Arc<Index>, entries: Range<usize>, path: Vec<u8>, cached: Option<Cached>) -> Self {
        let known = cached.and_then(|cached| index.tree(cached));
        let tree = known.filter(|(count, _)| *count == entries.len()).map(|(_, tree)| tree);
        Self { index, entries, path, cached, tree }
    }

    /// The entries of this folder. Only runs of entries that start alike are taken together, so an index that isn't
    /// sorted splits a folder in two instead of confusing it with another.
    ///
    /// # Errors
    /// The index was changed while it was read, or isn't sorted where its cache-tree says how many entries there are.
    fn list(&self) -> Result<Listing, String> {
        let mut cursor = self.index.cursor();
        let mut entries = Vec::new();
        let mut at = self.entries.start;
        while at < self.entries.end {
            let entry = cursor.entry(at)?;
            let rest = entry.path.strip_prefix(self.path.as_slice());
            let rest = rest.ok_or_else(|| "its entries are not sorted".to_owned())?;
            let Some(slash) = memchr::memchr(b'/', rest) else {
                entries.push(Entry { name: rest.to_vec(), thing: Thing::File(file(&entry)) });
                at += 1;
                continue;
            };
            let name = rest[..slash].to_vec();
            if EntryKind::of(entry.mode) == EntryKind::Tree && slash + 1 == rest.len() {
                entries.push(Entry { name, thing: Thing::Folder(Node::Tree(entry.id)) });
                at += 1;
                continue;
            }
            let path = entry.path[..=self.path.len() + slash].to_vec();
            let cached = self.cached.and_then(|cached| self.index.inner(cached, &name));
            let end = self.end_of(&mut cursor, at, &path, cached)?;
            let folder = Self::new(Arc::clone(&self.index), at..end, path, cached);
            entries.push(Entry { name, thing: Thing::Folder(Node::Index(Arc::new(folder))) });
            at = end;
        }
        Ok(Listing::new(entries))
    }

    /// Where the entries from `start` on end whose paths start with `path`. What the cache-tree counts isn't counted
    /// again, if the last one is where it must be.
    fn end_of(
        &self,
        cursor: &mut Cursor<'_>,
        start: usize,
        path: &[u8],
        cached: Option<Cached>,
    ) -> Result<usize, String> {
        let mut at = start;
        while at < self.entries.end {
            let entry = cursor.entry(at)?.path;
            if !entry.starts_with(path) {
                break;
            }
            let Some((count, below)) = cached.and_then(|cached| self.counted(entry, path.len(), cached)) else {
                at += 1;
                continue;
            };
            let below = entry[..below].to_vec();
            let end = at.checked_add(count).filter(|end| *end > at && *end <= self.entries.end);
            at = match end {
                Some(end) if cursor.entry(end - 1)?.path.starts_with(&below) => end,
                _ => at + 1,
            };
        }
        Ok(at.max(start + 1))
    }

    /// The topmost folder of `path` whose entries are counted: how many, and how long its path is. `folder` is that of
    /// the first `below` bytes.
    fn counted(&self, path: &[u8], mut below: usize, mut folder: Cached) -> Option<(usize, usize)> {
        loop {
            if let Some((count, _)) = self.index.tree(folder) {
                return Some((count, below));
            }
            let slash = memchr::memchr(b'/', &path[below..])?;
            folder = self.index.inner(folder, &path[below..below + slash])?;
            below += slash + 1;
        }
    }
}

/// What an index entry is.
fn file(entry: &index::Entry<'_>) -> File {
    let kind = match EntryKind::of(entry.mode) {
        _ if entry.is_intended => FileKind::Intended,
        EntryKind::Link => FileKind::Link,
        EntryKind::Submodule => FileKind::Submodule,
        EntryKind::File | EntryKind::Tree => FileKind::Plain,
    };
    File { kind, id: entry.id }
}

//! What a change adds and removes: a new state (a tree, or the index) against the states it came from.
//!
//! In: one new side and any number of old ones (HEAD, a commit's parents, both heads of a merge). Out: `Change`s,
//! one for each path whose content **no** old side has there, and the contents that were removed. Texts are never
//! compared, attributes and filters have no say, and folders whose tree is that of an old side are not entered.

use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;

use super::listing::{File, FileKind, Lister, Listing, Node, Thing};
use super::repo::Repository;
use crate::blob::{ContentId, ObjectPart};
use crate::place::{Before, RemovedPool};
use crate::policy::{Allowed, Policy};
use crate::source::{SourceErrorKind, Unread, UnreadKind};

/// Most entries of folders that one comparison looks at. Only trees made to be endless hold so many.
const ENTRIES: u64 = 50_000_000;

/// A path that the new side holds otherwise than every old side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Raw bytes, `/`-separated.
    pub(super) path: Vec<u8>,
    /// What is there now.
    pub(super) file: File,
    /// What each old side has there; `None` where there is no such file.
    pub(super) before: Vec<Option<File>>,
}

impl Change {
    /// Whether no old side has a file of this name.
    pub(super) fn is_added(&self) -> bool {
        self.before.iter().all(Option::is_none)
    }

    /// The old side of this change, when `pool` holds what the whole change removed.
    pub(super) fn old_side(&self, pool: Option<&Arc<RemovedPool>>) -> Before {
        match pool {
            Some(pool) if self.is_added() => Before::Removed(Arc::clone(pool)),
            _ => {
                let content = |file: &Option<File>| file.and_then(File::content).map(blob);
                Before::Sides(self.before.iter().map(content).collect())
            }
        }
    }
}

/// A blob's content id.
pub(super) fn blob(id: ObjectId) -> ContentId {
    ContentId::Object(ObjectPart::Blob, id)
}

/// Compares states of one repository.
pub(super) struct Comparer<'r> {
    /// Lists folders.
    lister: Lister<'r>,
}

/// What policy says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Scan it.
    Allowed,
    /// An exclude names it.
    Excluded,
    /// It lies in this directory, the topmost recognised as tests.
    Test(Vec<u8>),
}

/// A folder still to be compared.
struct Pair {
    /// Its path, with the final `/` unless it is the top.
    path: Vec<u8>,
    /// The new side.
    new: Node,
    /// The old sides.
    old: Vec<Option<ObjectId>>,
}

impl<'r> Comparer<'r> {
    /// A comparer of states of `repository`.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { lister: Lister::new(repository) }
    }

    /// Hands every [`Change`] from the trees `old` to `new` to `each`, folder by folder. Without an old side
    /// everything is new. Folders that can't be listed go to `unread`: a missing new one is left out, a missing old
    /// one counts as empty, so that too much is called new rather than too little.
    pub(super) fn changes(
        &mut self,
        new: Node,
        old: &[ObjectId],
        each: &mut dyn FnMut(Change),
        unread: &mut dyn FnMut(Unread),
    ) {
        let mut left = ENTRIES;
        let mut open = vec![Pair { path: Vec::new(), new, old: old.iter().copied().map(Some).collect() }];
        while let Some(pair) = open.pop() {
            let id = pair.new.tree_id();
            if id.is_some() && pair.old.contains(&id) {
                continue;
            }
            let Some(new) = self.listed(&pair.new, &pair.path, unread) else { continue };
            left = left.saturating_sub(new.entries().len() as u64 + 1);
            if left == 0 {
                let detail = format!("more than {ENTRIES} entries in one change");
                return unread(Unread::new(UnreadKind::Limit, pair.path, detail));
            }
            let old: Vec<Listing> = pair
                .old
                .iter()
                .map(|id| id.and_then(|id| self.listed(&Node::Tree(id), &pair.path, unread)))
                .map(|listing| listing.unwrap_or_else(Listing::empty))
                .collect();
            let first_below = open.len();
            for entry in new.entries() {
                let path = [pair.path.as_slice(), &entry.name].concat();
                match &entry.thing {
                    Thing::Folder(node) => open.push(Pair {
                        path: [path.as_slice(), b"/"].concat(),
                        new: node.clone(),
                        old: old.iter().map(|side| side.folder(&entry.name).and_then(Node::tree_id)).collect(),
                    }),
                    Thing::File(file) if old.iter().any(|side| side.files(&entry.name).any(|old| same(old, *file))) => {
                    }
                    Thing::File(file) => {
                        let before = old.iter().map(|side| side.files(&entry.name).next()).collect();
                        each(Change { path, file: *file, before });
                    }
                }
            }
            open[first_below..].reverse();
        }
    }

    /// The contents at all paths of the tree `old` that `new` hasn't, in path order.
    pub(super) fn removed(&mut self, new: &Node, old: ObjectId, unread: &mut dyn FnMut(Unread)) -> Vec<ContentId> {
        let mut contents = Vec::new();
        let mut left = ENTRIES;
        let mut open = vec![(Vec::new(), old, Some(new.clone()))];
        while let Some((path, old, new)) = open.pop() {
            if new.as_ref().is_some_and(|new| new.tree_id() == Some(old)) {
                continue;
            }
            let Some(old) = self.listed(&Node::Tree(old), &path, unread) else { continue };
            left = left.saturating_sub(old.entries().len() as u64 + 1);
            if left == 0 {
                let detail = format!("more than {ENTRIES} entries in one change");
                unread(Unread::new(UnreadKind::Limit, path, detail));
                break;
            }
            let new = new.and_then(|new| self.listed(&new, &path, unread)).unwrap_or_else(Listing::empty);
            let first_below = open.len();
            for entry in old.entries() {
                match &entry.thing {
                    Thing::Folder(Node::Tree(id)) => {
                        let path = [path.as_slice(), &entry.name, b"/"].concat();
                        open.push((path, *id, new.folder(&entry.name).cloned()));
                    }
                    Thing::Folder(Node::Index(_)) => {}
                    Thing::File(file) => {
                        let stays = new.files(&entry.name).any(|file| file.kind != FileKind::Intended);
                        contents.extend(file.content().filter(|_| !stays).map(blob));
                    }
                }
            }
            open[first_below..].reverse();
        }
        contents
    }

    /// What the change from `old` to `new` removed, for the paths it added; `None` when it removed nothing.
    pub(super) fn pool(
        &mut self,
        change: usize,
        new: &Node,
        old: &[ObjectId],
        unread: &mut dyn FnMut(Unread),
    ) -> Option<Arc<RemovedPool>> {
        let contents: Vec<Vec<ContentId>> = old.iter().map(|&old| self.removed(new, old, unread)).collect();
        contents.iter().any(|side| !side.is_empty()).then(|| Arc::new(RemovedPool { change, contents }))
    }

    /// The file at `path` below `top`, if there is one.
    ///
    /// # Errors
    /// A folder on the way can't be listed.
    pub(super) fn find(&mut self, top: &Node, path: &[u8]) -> Result<Option<File>, Unread> {
        let (folder, name) = match memchr::memrchr(b'/', path) {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        Ok(self.folder(top, folder)?.files(name).next())
    }

    /// The entries of the folder `path` below `top`; none when there is no such folder.
    fn folder(&mut self, top: &Node, path: &[u8]) -> Result<Listing, Unread> {
        let mut node = top.clone();
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            match self.lister.list(&node)?.folder(name) {
                Some(below) => node = below.clone(),
                None => return Ok(Listing::empty()),
            }
        }
        self.lister.list(&node)
    }

    /// Whether `policy` lets the file `path` below `top` be scanned.
    pub(super) fn judge(&mut self, policy: &Policy, top: &Node, path: &[u8]) -> Judged {
        let mut list = |folder: &[u8]| match self.folder(top, folder) {
            Ok(listing) => listing.entries().iter().map(|entry| entry.name.clone()).collect(),
            // Unknown neighbours make no test directory: then the file is scanned.
            Err(_) => Vec::new(),
        };
        match policy.judge_path(path, &mut list) {
            Allowed::Yes => Judged::Allowed,
            Allowed::Excluded => Judged::Excluded,
            Allowed::Test => {
                let mut slashes = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at);
                let is_test = |&at: &usize| policy.judge_path(&path[..=at], &mut list) == Allowed::Test;
                Judged::Test(slashes.find(is_test).map_or_else(Vec::new, |at| path[..at].to_vec()))
            }
        }
    }

    /// The entries of `node`, or an [`Unread`] that names `path`.
    fn listed(&mut self, node: &Node, path: &[u8], unread: &mut dyn FnMut(Unread)) -> Option<Listing> {
        match self.lister.list(node) {
            Ok(listing) => Some(listing),
            Err(why) => {
                unread(at_path(why, path));
                None
            }
        }
    }
}

/// The same failure, named by a path; what has no path (the top folder) keeps its name.
pub(super) fn at_path(mut unread: Unread, path: &[u8]) -> Unread {
    if !path.is_empty() {
        unread.what = path.to_vec();
    }
    unread
}

/// Whether two files hold the same: a mode that changes brings no content.
fn same(old: File, new: File) -> bool {
    let class = |file: File| match file.kind {
        FileKind::Plain | FileKind::Link => 0,
        FileKind::Submodule => 1,
        FileKind::Intended => 2,
    };
    old.id == new.id && class(old) == class(new)
}

/// Where a file is read from when its word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The tree of this commit.
    Commit(ObjectId),
    /// The index.
    Index,
}

/// Reads the file `path` (raw bytes, `/`-separated) as a commit or the index has it; `None` when there is none.
///
/// # Errors
/// The commit, a folder on the way, the index or the file can't be read, or `path` is no plain file.
pub fn read_path_at(repository: &Repository, at: At, path: &[u8]) -> Result<Option<Vec<u8>>, Unread> {
    let top = match at {
        At::Index => {
            let fail = |error: SourceErrorKind| Unread::new(UnreadKind::Corrupt, path, error.to_string());
            match repository.index().map_err(fail)? {
                Some(index) => Node::index(index),
                None => return Ok(None),
            }
        }
        At::Commit(id) => Node::Tree(super::range::read_commit(&mut repository.reader(), id)?.tree),
    };
    let found = Comparer::new(repository).find(&top, path)?;
    match found {
        None | Some(File { kind: FileKind::Intended, .. }) => Ok(None),
        Some(File { kind: FileKind::Plain, id }) => {
            let mut bytes = Vec::new();
            read_blob(&mut repository.reader(), id, &mut bytes).map_err(|why| at_path(why, path))?;
            Ok(Some(bytes))
        }
        Some(_) => Err(Unread::new(UnreadKind::Unsupported, path, "not a plain file")),
    }
}

/// Reads the blob `id` into `buf`.
///
/// # Errors
/// It can't be read, or is no blob.
pub(super) fn read_blob(reader: &mut super::repo::Reader<'_>, id: ObjectId, buf: &mut Vec<u8>) -> Result<(), Unread> {
    match reader.object(&id, buf)? {
        Kind::Blob => Ok(()),
        other => Err(Unread::new(UnreadKind::Corrupt, id.to_string(), format!("a {other}, not a blob")).object(id)),
    }
}

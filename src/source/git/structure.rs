//! The structure pass over trees: each once per context that policy tells apart, names handed out, and every blob
//! marked as wanted or as lying in test directories only.

use std::collections::{BTreeSet, HashSet};

use gix::ObjectId;
use gix::hash::Kind as HashKind;
use gix::hashtable::{HashMap, HashSet as IdSet};
use gix::objs::Kind;

use super::graph::Sink;
use super::repo::{Reader, Repository};
use super::roots::IndexEntry;
use super::text::{self, EntryKind};
use crate::blob::{ContentId, ObjectPart};
use crate::policy::{Allowed, Dir, Policy, Siblings};
use crate::source::{Unread, UnreadKind};

/// Paths longer than this, in bytes, are not followed: deep nesting is an attack, no project.
const MAX_PATH: usize = 1 << 16;

/// What the pass over trees found.
#[derive(Debug, Default)]
pub(super) struct Forest {
    /// Every blob met, and whether one of its places may be scanned.
    pub(super) blobs: HashMap<ObjectId, bool>,
    /// Every tree met, readable or not.
    pub(super) trees: IdSet,
    /// Paths of submodules.
    pub(super) submodules: BTreeSet<Vec<u8>>,
    /// Paths of test directories, topmost ones only.
    pub(super) test_directories: BTreeSet<Vec<u8>>,
    /// Trees whose names were handed out.
    named: IdSet,
    /// Trees by the context they were visited in.
    seen: HashSet<(ObjectId, Dir)>,
}

/// A tree to be visited.
struct Task {
    /// The tree.
    id: ObjectId,
    /// The context it is visited in.
    dir: Dir,
    /// Where it was met first in that context.
    path: Vec<u8>,
}

impl Forest {
    /// Visits the tree `root`, which stands at `path`, and all below it.
    pub(super) fn grow(
        &mut self,
        reader: &mut Reader<'_>,
        hash: HashKind,
        policy: &Policy,
        root: (ObjectId, Vec<u8>),
        sink: &mut dyn Sink,
    ) {
        let mut buf = Vec::new();
        let mut tasks = vec![Task { id: root.0, dir: policy.enter_root(), path: root.1 }];
        while let Some(task) = tasks.pop() {
            if !self.seen.insert((task.id, task.dir)) {
                continue;
            }
            if sink.stop() {
                return;
            }
            let first_time = self.trees.insert(task.id);
            match reader.object(&task.id, &mut buf) {
                Ok(Kind::Tree) => {}
                Ok(_) if first_time => {
                    sink.unread(named(task.id, &task.path, UnreadKind::Corrupt, "no tree, where one should be".into()));
                    continue;
                }
                Err(unread) if first_time => {
                    sink.unread(named(task.id, &task.path, unread.kind, unread.detail));
                    continue;
                }
                Ok(_) | Err(_) => continue,
            }
            if !task.dir.is_test() && self.named.insert(task.id) {
                let names = text::names(&buf, hash);
                if !names.is_empty() {
                    sink.text(ContentId::Object(ObjectPart::Names, task.id), &names);
                }
            }
            if self.entries(reader, hash, policy, &buf, &task, &mut tasks).is_err() && first_time {
                let detail = "this tree is damaged (`git fsck` tells more)".to_owned();
                sink.unread(named(task.id, &task.path, UnreadKind::Corrupt, detail));
            }
        }
    }

    /// Takes the entries of one tree.
    fn entries(
        &mut self,
        reader: &mut Reader<'_>,
        hash: HashKind,
        policy: &Policy,
        data: &[u8],
        task: &Task,
        tasks: &mut Vec<Task>,
    ) -> Result<(), text::Damaged> {
        let mut beside = None;
        let first_child = tasks.len();
        for entry in text::tree(data, hash) {
            let entry = entry?;
            match entry.kind {
                EntryKind::Tree => {
                    let mut around = Around { data, hash, reader, child: entry.id.to_owned(), beside: &mut beside };
                    let dir = task.dir.enter(policy, entry.name, &mut around);
                    let starts_tests = dir.is_test() && !task.dir.is_test();
                    let id = entry.id.to_owned();
                    if !starts_tests && self.seen.contains(&(id, dir)) {
                        continue;
                    }
                    let path = join(&task.path, entry.name);
                    if starts_tests {
                        self.test_directories.insert(path.clone());
                    }
                    if path.len() <= MAX_PATH {
                        tasks.push(Task { id, dir, path });
                    }
                }
                EntryKind::Submodule => {
                    self.submodules.insert(join(&task.path, entry.name));
                }
                EntryKind::File | EntryKind::Link => self.blob(entry.id.to_owned(), !task.dir.is_test()),
            }
        }
        tasks[first_child..].reverse();
        Ok(())
    }

    /// Notes a place of a blob.
    pub(super) fn blob(&mut self, id: ObjectId, allowed: bool) {
        *self.blobs.entry(id).or_default() |= allowed;
    }

    /// Takes the entries of an index. Sparse directories are returned, to be visited as trees.
    pub(super) fn index(&mut self, policy: &Policy, entries: &[IndexEntry]) -> Vec<(ObjectId, Vec<u8>)> {
        let mut sparse = Vec::new();
        for entry in entries {
            match entry.kind() {
                EntryKind::Tree => {
                    let path = entry.path.strip_suffix(b"/").unwrap_or(&entry.path);
                    sparse.push((entry.id, path.to_vec()));
                }
                EntryKind::Submodule => {
                    self.submodules.insert(entry.path.clone());
                }
                EntryKind::File | EntryKind::Link if self.blobs.get(&entry.id) == Some(&true) => {}
                EntryKind::File | EntryKind::Link => {
                    let judged = policy.judge_path(&entry.path, &mut |folder| listing(entries, folder));
                    self.blob(entry.id, judged != Allowed::Test);
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

/// The listings around a subtree, read when policy asks.
struct Around<'a, 'r, 's> {
    /// The tree in which the subtree stands.
    data: &'a [u8],
    /// Which hash names objects.
    hash: HashKind,
    /// Reads the subtree.
    reader: &'a mut Reader<'r>,
    /// The subtree.
    child: ObjectId,
    /// The tree's names, once asked for.
    beside: &'s mut Option<Vec<Vec<u8>>>,
}

impl Siblings for Around<'_, '_, '_> {
    fn names(&mut self) -> &[Vec<u8>] {
        self.beside.get_or_insert_with(|| listed(self.data, self.hash))
    }

    fn below(&mut self) -> Vec<Vec<u8>> {
        let mut buf = Vec::new();
        match self.reader.object(&self.child, &mut buf) {
            Ok(Kind::Tree) => listed(&buf, self.hash),
            _ => Vec::new(),
        }
    }
}

/// The names in a tree.
fn listed(data: &[u8], hash: HashKind) -> Vec<Vec<u8>> {
    text::tree(data, hash).flatten().map(|entry| entry.name.to_vec()).collect()
}

/// `path`/`name`.
pub(super) fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

/// An unread object that is best named by its path.
pub(super) fn named(id: ObjectId, path: &[u8], kind: UnreadKind, detail: String) -> Unread {
    let what = if path.is_empty() { id.to_string().into_bytes() } else { path.to_vec() };
    Unread::new(kind, what, detail).object(id)
}

/// A repository's forest, grown from all the trees in `roots`.
pub(super) fn forest(
    forest: &mut Forest,
    repository: &Repository,
    policy: &Policy,
    roots: impl IntoIterator<Item = (ObjectId, Vec<u8>)>,
    sink: &mut dyn Sink,
) {
    let mut reader = repository.reader();
    for root in roots {
        forest.grow(&mut reader, repository.object_hash(), policy, root, sink);
    }
}

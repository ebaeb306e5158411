//! The pass over repositories in which blobs lie about in every way.

use std::collections::{BTreeMap, BTreeSet};

use gix::hash::oid;

use super::*;
use crate::blob::Edit;
use crate::observe::Observation;
use crate::source::git::repo::Opening;
use crate::source::git::scratch::Scratch;
use crate::source::{Excluded, Listed};

/// Puts every blob together from its parent, as far as it has one, and counts.
#[derive(Default)]
struct Seen {
    in_full: bool,
    /// What is known, and how long it should be.
    known: BTreeMap<ObjectId, u64>,
    /// What was known and here, and so long.
    left_out: Mutex<BTreeSet<ObjectId>>,
    blobs: Mutex<BTreeMap<ObjectId, Vec<u8>>>,
    unread: Mutex<Vec<Unread>>,
    with_parent: AtomicU64,
    at_a_glance: AtomicU64,
}

impl Seen {
    /// Takes a blob whose bytes must have its id.
    fn take(&self, id: ContentId, bytes: &[u8]) -> Vec<u8> {
        let ContentId::Object(ObjectPart::Blob, id) = id else { panic!("{id} is no blob") };
        let actual = gix::objs::compute_hash(id.kind(), Kind::Blob, bytes).expect("it can be hashed");
        assert_eq!(actual, id);
        let twice = self.blobs.lock().expect("no panic").insert(id, bytes.to_vec());
        assert_eq!(twice, None, "{id} came twice");
        bytes.to_vec()
    }
}

impl Visitor for Seen {
    type State = Vec<u8>;

    fn visit(&self, parent: Option<(&Vec<u8>, &Edits)>, blob: Blob<'_>) -> Vec<u8> {
        if let Some((old, edits)) = parent {
            self.with_parent.fetch_add(1, Ordering::Relaxed);
            for edit in &edits.0 {
                if let Edit::Copy { to, from } = *edit {
                    assert_eq!(blob.bytes[to.start..to.end], old[from..from + to.len()]);
                }
            }
        }
        self.take(blob.id, blob.bytes)
    }

    fn glance(&self, parent: &Vec<u8>, patch: &Patch<'_>, id: ContentId) -> bool {
        self.at_a_glance.fetch_add(1, Ordering::Relaxed);
        assert!(patch.len >= POINTER_LIMIT);
        let mut made = Vec::new();
        for edit in &patch.edits.0 {
            match *edit {
                Edit::Copy { to, from } => made.extend(&parent[from..from + to.len()]),
                Edit::Insert { to, from } => made.extend(&patch.delta[from..from + to.len()]),
            }
        }
        self.take(id, &made);
        true
    }

    fn remembers(&self) -> bool {
        true
    }

    fn knows(&self, id: &oid, len: impl FnOnce() -> Option<u64>) -> bool {
        let is_known = self.known.get(id).is_some_and(|known| len() == Some(*known));
        if is_known {
            assert!(self.left_out.lock().expect("no panic").insert(id.to_owned()), "{id} was asked for twice");
        }
        is_known
    }

    fn in_full(&self) -> bool {
        self.in_full
    }

    fn unread(&self, what: Unread) {
        self.unread.lock().expect("no panic").push(what);
    }

    fn excluded(&self, _: Excluded, _: u64) {}
    fn listed(&self, _: Listed) {}
    fn observe(&self, _: Observation) {}
    fn note(&self, _: String) {}
}

/// A text of `len` bytes at least, of which `n` decides a line.
fn text(n: usize, len: usize) -> String {
    let line = |at: usize| if at == n % 7 { format!("version {n}\n") } else { format!("line {at} is not touched\n") };
    (0..).map(line).scan(0, |sum, line| (*sum < len).then(|| (*sum += line.len(), line).1)).collect()
}

/// Scans these blobs.
fn scan_all<'b>(repository: &Repository, blobs: impl IntoIterator<Item = &'b ObjectId>, seen: &Seen) -> Leftovers {
    let objects = Objects::open(repository);
    let blobs = blobs.into_iter().map(|id| objects.enter(id).expect("there is room").0).collect();
    let wanted = Wanted { objects: &objects, blobs };
    scan(repository, &Packs::open(repository).numbered_by(&objects), wanted, seen)
}

/// A pass over these blobs of a repository, which come all or fail.
fn pass(scratch: &Scratch, blobs: &BTreeSet<ObjectId>, in_full: bool) -> (Seen, Leftovers) {
    let repository = Repository::open(&scratch.top, Opening::Named).expect("it opens");
    let seen = Seen { in_full, ..Seen::default() };
    let left = scan_all(&repository, blobs, &seen);
    let mut came: BTreeSet<ObjectId> = seen.blobs.lock().expect("no panic").keys().copied().collect();
    came.extend(left.failed.iter().map(|(id, _)| *id));
    assert_eq!(came, *blobs);
    (seen, left)
}

/// All blobs in a repository's history.
fn blobs(scratch: &Scratch) -> BTreeSet<ObjectId> {
    let all =
        scratch.git(&["rev-list", "--objects", "--all", "--filter=object:type=blob", "--filter-provided-objects"]);
    let ids = all.lines().filter_map(|line| ObjectId::from_hex(line.split(' ').next()?.as_bytes()).ok());
    let ids: BTreeSet<_> = ids.collect();
    assert!(!ids.is_empty());
    ids
}

/// A repository with versions of a long and a short file, packed, and some loose ones on top.
fn versions() -> Option<Scratch> {
    let scratch = Scratch::new(&[])?;
    for n in 0..24 {
        scratch.add("long.txt", text(n, 3000));
        scratch.commit_file("short.txt", text(n, 500));
    }
    scratch.git(&["repack", "-adfq", "--depth=20"]);
    for n in 24..30 {
        scratch.commit_file("long.txt", text(n, 3000));
    }
    Some(scratch)
}

#[test]
fn packed_and_loose_blobs_come_once_with_their_parents() {
    let Some(scratch) = versions() else { return };
    let (seen, left) = pass(&scratch, &blobs(&scratch), false);
    assert!(left.failed.is_empty() && left.skipped == 0 && seen.unread.lock().expect("no panic").is_empty());
    assert!(seen.with_parent.into_inner() > 20);
    assert!(seen.at_a_glance.into_inner() > 3);
    let (seen, left) = pass(&scratch, &blobs(&scratch), true);
    assert!(left.failed.is_empty());
    assert_eq!((seen.with_parent.into_inner(), seen.at_a_glance.into_inner()), (0, 0), "each by itself");
}

#[test]
fn a_pointer_is_seen_whole_whatever_it_is_made_from() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    for n in 0..10 {
        let pad = "x-padding that makes a delta worth while ".repeat(12);
        let oid = format!("{n:064x}");
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\next-0-x {pad}\noid sha256:{oid}\nsize {n}\n");
        scratch.commit_file("large.bin", pointer);
    }
    scratch.git(&["repack", "-adfq", "--depth=3"]);
    let (seen, left) = pass(&scratch, &blobs(&scratch), false);
    assert!(seen.with_parent.into_inner() > 0, "there are deltas");
    let sizes: BTreeSet<u64> = left.pointers.iter().map(|(_, pointer)| pointer.size).collect();
    assert_eq!(sizes, (0..10).collect());
}

#[test]
fn what_is_damaged_in_one_pack_and_whole_in_another_comes() {
    let Some(scratch) = versions() else { return };
    let folder = scratch.top.join(".git/objects/pack");
    let packs = || -> BTreeSet<_> {
        let entries = std::fs::read_dir(&folder).expect("it is there").map(|entry| entry.expect("it is read").path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
    };
    let first = packs();
    // A second pack, of fewer objects, holds every blob too.
    let blobs = blobs(&scratch);
    let ids: String = blobs.iter().map(|id| format!("{id}\n")).collect();
    let top = scratch.top.clone();
    let base = ".git/objects/pack/pack";
    scratch.git_with(&top, &[], &["pack-objects", "-q", "--depth=0", base], ids.as_bytes()).expect("git packs");
    assert_eq!(packs().len(), 2);
    let path = first.first().expect("one pack");
    let mut permissions = std::fs::metadata(path).expect("it is there").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a temporary folder is nobody else's")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).expect("it is ours");
    let mut bytes = std::fs::read(path).expect("it is read");
    let end = bytes.len() - 20;
    for at in (12..end).step_by(97) {
        bytes[at] ^= 0x10;
    }
    std::fs::write(path, bytes).expect("it is written");
    let (seen, left) = pass(&scratch, &blobs, false);
    assert_eq!(left.failed, []);
    assert_eq!(*seen.unread.lock().expect("no panic"), [], "nothing is lost, so there is nothing to tell");
}

#[test]
fn what_is_no_blob_or_nowhere_is_told() {
    let Some(scratch) = versions() else { return };
    let id = |spec: &str| ObjectId::from_hex(scratch.git(&["rev-parse", spec]).as_bytes()).expect("an id");
    let missing = ObjectId::from_hex(&[b'7'; 40]).expect("an id");
    let wanted = vec![id("HEAD^{tree}"), missing, id("HEAD:short.txt"), id("HEAD:short.txt")];
    let repository = Repository::open(&scratch.top, Opening::Named).expect("it opens");
    let seen = Seen::default();
    let left = scan_all(&repository, &wanted, &seen);
    let mut kinds: Vec<_> = left.failed.iter().map(|(id, what)| (*id, what.kind)).collect();
    kinds.sort();
    let mut expected = vec![(wanted[0], UnreadKind::Corrupt), (missing, UnreadKind::Missing)];
    expected.sort();
    assert_eq!(kinds, expected);
    assert_eq!(seen.blobs.into_inner().expect("no panic").len(), 1);
}

#[test]
fn what_is_known_is_left_out_if_it_is_here_and_as_long() {
    let Some(scratch) = versions() else { return };
    let all = blobs(&scratch);
    let repository = Repository::open(&scratch.top, Opening::Named).expect("it opens");
    let len = |id: &ObjectId| {
        let mut bytes = Vec::new();
        repository.object(id, &mut bytes).expect("it is here");
        bytes.len() as u64
    };
    // Every other one, so that bases are known and what is made from them isn't, and the other way round.
    let mut known: BTreeMap<ObjectId, u64> = all.iter().step_by(2).map(|id| (*id, len(id))).collect();
    let (missing, tree) = (ObjectId::from_hex(&[b'7'; 40]).expect("an id"), scratch.git(&["rev-parse", "HEAD^{tree}"]));
    let tree = ObjectId::from_hex(tree.as_bytes()).expect("an id");
    let longer = *all.iter().nth(1).expect("there are many");
    known.extend([(missing, 0), (tree, 70), (longer, len(&longer) + 1)]);
    let wanted = all.iter().copied().chain([missing, tree, missing]).chain(known.keys().copied());
    let seen = Seen { known: known.clone(), ..Seen::default() };
    let left = scan_all(&repository, &wanted.collect::<Vec<_>>(), &seen);
    let mut failed: Vec<_> = left.failed.iter().map(|(id, what)| (*id, what.kind)).collect();
    failed.sort();
    let mut expected = vec![(tree, UnreadKind::Corrupt), (missing, UnreadKind::Missing)];
    expected.sort();
    assert_eq!(failed, expected);
    let left_out: BTreeSet<ObjectId> = all.iter().copied().step_by(2).collect();
    assert_eq!(*seen.left_out.lock().expect("no panic"), left_out);
    let came: BTreeSet<ObjectId> = seen.blobs.lock().expect("no panic").keys().copied().collect();
    assert_eq!(came, &all - &left_out, "each that isn't known, put together from what is");
}

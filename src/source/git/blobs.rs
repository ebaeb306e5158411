//! The blob pass: every wanted blob read once, checked, and handed out, on all threads.
//!
//! Packs are walked along their deltas first; what that leaves (loose objects, damage) is read one by one.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::hash::oid;
use gix::objs::Kind;
use rayon::prelude::*;

use super::lfs::{self, POINTER_LIMIT, Pointer};
use super::pack::{self, Packs, Recipient};
use super::repo::Repository;
use crate::blob::{Blob, ContentId, Edits, ObjectPart, Patch};
use crate::source::{Unread, UnreadKind, Visitor};

/// What the pass over blobs leaves to be done.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Blobs that are pointers to files kept elsewhere, by id.
    pub(super) pointers: Vec<(ObjectId, Pointer)>,
    /// Blobs that could not be read, by id; still named by their id alone.
    pub(super) failed: Vec<(ObjectId, Unread)>,
    /// Blobs that were not read because the visitor wanted to stop.
    pub(super) skipped: u64,
    /// What is wrong with packs as a whole.
    pub(super) unsound: Vec<Unread>,
}

/// How many blobs one task reads of those that are read one by one.
const RUN: usize = 128;

/// A buffer larger than this, in bytes, is not kept for the next blob.
const KEEP: usize = 16 << 20;

/// Reads `ids` and hands them to `visitor`. `packs` are those of the repository.
pub(super) fn scan<V: Visitor>(repository: &Repository, packs: &Packs, ids: Vec<ObjectId>, visitor: &V) -> Leftovers {
    let pass = Pass::new(repository, ids, visitor);
    let unsound = pack::walk(packs, Kind::Blob, &pass, packs.held()).unread;
    pass.one_by_one(repository);
    Leftovers { unsound, ..pass.finish() }
}

/// Those of `ids` that the visitor doesn't know to hold nothing, in their order. One that it knows must be here.
fn unknown<V: Visitor>(repository: &Repository, ids: Vec<ObjectId>, visitor: &V) -> Vec<ObjectId> {
    let of_run = |run: &[ObjectId]| {
        let mut reader = None;
        let mut is_known =
            |id: &ObjectId| visitor.knows(id, || reader.get_or_insert_with(|| repository.reader()).blob_len(id));
        run.iter().filter(|id| !is_known(id)).copied().collect::<Vec<_>>()
    };
    ids.par_chunks(RUN).flat_map_iter(of_run).collect()
}

/// One pass over blobs.
struct Pass<'v, V> {
    /// Who gets them.
    visitor: &'v V,
    /// Whether the visitor wants no parents.
    in_full: bool,
    /// The wanted blobs, sorted.
    ids: Vec<ObjectId>,
    /// A bit for each of them: it was handed out.
    done: Vec<AtomicU64>,
    /// Pointers met.
    pointers: Mutex<Vec<(ObjectId, Pointer)>>,
    /// What could not be read.
    failed: Mutex<Vec<(ObjectId, Unread)>>,
    /// How many were not read because the visitor wanted to stop.
    skipped: AtomicU64,
}

impl<'v, V: Visitor> Pass<'v, V> {
    /// A pass over those of `ids` that the visitor doesn't know to hold nothing.
    fn new(repository: &Repository, mut ids: Vec<ObjectId>, visitor: &'v V) -> Self {
        ids.par_sort_unstable();
        ids.dedup();
        let ids = unknown(repository, ids, visitor);
        let mut done = Vec::new();
        done.resize_with(ids.len().div_ceil(64), AtomicU64::default);
        Self {
            visitor,
            in_full: visitor.in_full(),
            ids,
            done,
            pointers: Mutex::default(),
            failed: Mutex::default(),
            skipped: AtomicU64::new(0),
        }
    }

    /// Notes that a blob was handed out.
    fn settle(&self, id: &oid) {
        if let Ok(nth) = self.ids.binary_search_by(|other| other.as_ref().cmp(id)) {
            self.done[nth / 64].fetch_or(1 << (nth % 64), Ordering::Relaxed);
        }
    }

    /// Hands a blob out.
    fn hand_out(&self, parent: Option<(&V::State, &Edits)>, id: &oid, bytes: &[u8]) -> V::State {
        let pointer = lfs::pointer(bytes);
        let blob = Blob::of_git(id.to_owned(), bytes, pointer.is_some());
        if let Some(pointer) = pointer {
            self.pointers.lock().unwrap_or_else(PoisonError::into_inner).push((id.to_owned(), pointer));
        }
        self.visitor.visit(parent.filter(|_| !self.in_full), blob)
    }

    /// Reads what was not handed out so far.
    fn one_by_one(&self, repository: &Repository) {
        let is_done = |nth: usize| self.done[nth / 64].load(Ordering::Relaxed) & 1 << (nth % 64) != 0;
        let left: Vec<&ObjectId> = (0..self.ids.len()).filter(|nth| !is_done(*nth)).map(|nth| &self.ids[nth]).collect();
        left.par_chunks(RUN).for_each(|run| {
            let mut reader = repository.reader();
            let mut buf = Vec::new();
            for id in run {
                if self.visitor.stop() {
                    self.skipped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let failure = match reader.object(id, &mut buf) {
                    Ok(Kind::Blob) => {
                        self.hand_out(None, id, &buf);
                        None
                    }
                    Ok(kind) => {
                        let detail = format!("a {kind} where a file should be (`git fsck` tells more)");
                        Some(Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id))
                    }
                    Err(what) => Some(what),
                };
                if let Some(what) = failure {
                    self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((**id, what));
                }
                if buf.capacity() > KEEP {
                    buf = Vec::new();
                }
            }
        });
    }

    /// What is left to be done.
    fn finish(self) -> Leftovers {
        let mut left = Leftovers {
            pointers: self.pointers.into_inner().unwrap_or_else(PoisonError::into_inner),
            failed: self.failed.into_inner().unwrap_or_else(PoisonError::into_inner),
            skipped: self.skipped.into_inner(),
            unsound: Vec::new(),
        };
        left.pointers.sort_by_key(|(id, _)| *id);
        left.failed.sort_by_key(|(id, _)| *id);
        left
    }
}

impl<V: Visitor> Recipient for Pass<'_, V> {
    type State = V::State;

    fn wants(&self, id: &oid) -> bool {
        self.ids.binary_search_by(|other| other.as_ref().cmp(id)).is_ok()
    }

    fn receive(&self, parent: Option<(&V::State, &Edits)>, id: &oid, bytes: &[u8]) -> V::State {
        self.settle(id);
        self.hand_out(parent, id, bytes)
    }

    fn glance(&self, parent: &V::State, patch: &Patch<'_>, id: &oid) -> bool {
        // What may be a pointer is looked at whole.
        let settled = patch.len >= POINTER_LIMIT
            && !self.in_full
            && self.visitor.glance(parent, patch, ContentId::Object(ObjectPart::Blob, id.to_owned()));
        if settled {
            self.settle(id);
        }
        settled
    }

    fn stop(&self) -> bool {
        self.visitor.stop()
    }
}

#[cfg(test)]
mod tests;

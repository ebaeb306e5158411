//! The blob pass: every wanted blob read once, checked, and handed out, on all threads.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::objs::Kind;
use rayon::prelude::*;

use super::lfs::{self, Pointer};
use super::order;
use super::repo::Repository;
use crate::blob::{Blob, ContentId, ObjectPart};
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
}

/// How many blobs one task reads. Neighbours in a pack share delta bases, so tasks should not be small.
const RUN: usize = 128;

/// A buffer larger than this, in bytes, is not kept for the next blob.
const KEEP: usize = 16 << 20;

/// Reads `ids` and hands them to `visitor`.
pub(super) fn scan<V: Visitor>(repository: &Repository, ids: Vec<ObjectId>, visitor: &V) -> Leftovers {
    let ids = order::by_pack(repository, ids);
    let pointers = Mutex::new(Vec::new());
    let failed = Mutex::new(Vec::new());
    let skipped = AtomicU64::new(0);
    ids.par_chunks(RUN).for_each(|run| {
        let mut reader = repository.reader();
        let mut buf = Vec::new();
        for id in run {
            if visitor.stop() {
                skipped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            match reader.object(id, &mut buf) {
                Ok(Kind::Blob) => {
                    if let Some(pointer) = lfs::pointer(&buf) {
                        pointers.lock().unwrap_or_else(PoisonError::into_inner).push((*id, pointer));
                    }
                    visitor.visit(None, Blob::whole(ContentId::Object(ObjectPart::Blob, *id), &buf));
                }
                Ok(kind) => {
                    let detail = format!("a {kind} where a file should be (`git fsck` tells more)");
                    let what = Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).push((*id, what));
                }
                Err(what) => failed.lock().unwrap_or_else(PoisonError::into_inner).push((*id, what)),
            }
            if buf.capacity() > KEEP {
                buf = Vec::new();
            }
        }
    });
    let mut left = Leftovers {
        pointers: pointers.into_inner().unwrap_or_else(PoisonError::into_inner),
        failed: failed.into_inner().unwrap_or_else(PoisonError::into_inner),
        skipped: skipped.into_inner(),
    };
    left.pointers.sort_by_key(|(id, _)| *id);
    left.failed.sort_by_key(|(id, _)| *id);
    left
}

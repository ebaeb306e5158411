//! The blob pass: every wanted blob read once, checked, and handed out, on all threads.
//!
//! Packs are walked along their deltas first; what that leaves (loose objects, damage) is read one by one.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::objs::Kind;
use rayon::prelude::*;

use super::bits::Bits;
use super::lfs::{self, POINTER_LIMIT, Pointer};
use super::objects::{Number, Objects};
use super::pack::{self, Named, Packs, Recipient};
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

/// The blobs that are to be read.
pub(super) struct Wanted<'o> {
    /// Numbers objects.
    pub(super) objects: &'o Objects,
    /// The blobs, by [`Number`].
    pub(super) blobs: Bits,
}

/// Reads the wanted blobs and hands them to `visitor`. `packs` are those of the repository.
pub(super) fn scan<V: Visitor>(repository: &Repository, packs: &Packs, wanted: Wanted<'_>, visitor: &V) -> Leftovers {
    let pass = Pass::new(repository, wanted, visitor);
    let unsound = pack::walk(packs, Kind::Blob, &pass, packs.held()).unread;
    pass.one_by_one(repository);
    Leftovers { unsound, ..pass.finish() }
}

impl Wanted<'_> {
    /// Leaves out what the visitor knows to hold nothing; that must be here all the same.
    fn leave_out_known<V: Visitor>(&mut self, repository: &Repository, visitor: &V) {
        if !visitor.remembers() {
            return;
        }
        let numbers: Vec<u32> = self.blobs.iter().collect();
        let unknown = |run: &[u32]| {
            let mut reader = None;
            let mut is_known = |number: u32| {
                let id = self.objects.id(Number(number));
                visitor.knows(&id, || reader.get_or_insert_with(|| repository.reader()).blob_len(&id))
            };
            run.iter().copied().filter(|number| !is_known(*number)).collect::<Vec<_>>()
        };
        let left: Vec<u32> = numbers.par_chunks(RUN).flat_map_iter(unknown).collect();
        self.blobs = left.into_iter().collect();
    }
}

/// One pass over blobs.
struct Pass<'v, V> {
    /// Who gets them.
    visitor: &'v V,
    /// Whether the visitor wants no parents.
    in_full: bool,
    /// What is to be read.
    wanted: Wanted<'v>,
    /// A bit for each object, by [`Number`]: it was handed out.
    done: Vec<AtomicU64>,
    /// Pointers met.
    pointers: Mutex<Vec<(ObjectId, Pointer)>>,
    /// What could not be read.
    failed: Mutex<Vec<(ObjectId, Unread)>>,
    /// How many were not read because the visitor wanted to stop.
    skipped: AtomicU64,
}

impl<'v, V: Visitor> Pass<'v, V> {
    /// A pass over what is wanted and not known to the visitor to hold nothing.
    fn new(repository: &Repository, mut wanted: Wanted<'v>, visitor: &'v V) -> Self {
        wanted.leave_out_known(repository, visitor);
        let most = wanted.blobs.iter().last().map_or(0, |last| last as usize + 1);
        let mut done = Vec::new();
        done.resize_with(most.div_ceil(64), AtomicU64::default);
        Self {
            visitor,
            in_full: visitor.in_full(),
            wanted,
            done,
            pointers: Mutex::default(),
            failed: Mutex::default(),
            skipped: AtomicU64::new(0),
        }
    }

    /// Notes that a blob was handed out.
    fn settle(&self, object: Named<'_>) {
        let number = object.number(self.wanted.objects);
        if let Some((word, Number(number))) = number.and_then(|number| Some((self.word(number)?, number))) {
            word.fetch_or(1 << (number % 64), Ordering::Relaxed);
        }
    }

    /// Where it is noted that an object was handed out; `None` for those past the last wanted one.
    fn word(&self, Number(number): Number) -> Option<&AtomicU64> {
        self.done.get(number as usize / 64)
    }

    /// Hands a blob out.
    fn hand_out(&self, parent: Option<(&V::State, &Edits)>, id: ObjectId, bytes: &[u8]) -> V::State {
        let pointer = lfs::pointer(bytes);
        let blob = Blob::of_git(id, bytes, pointer.is_some());
        if let Some(pointer) = pointer {
            self.pointers.lock().unwrap_or_else(PoisonError::into_inner).push((id, pointer));
        }
        self.visitor.visit(parent.filter(|_| !self.in_full), blob)
    }

    /// Reads what was not handed out so far.
    fn one_by_one(&self, repository: &Repository) {
        let is_done = |number: &u32| {
            self.word(Number(*number)).is_some_and(|word| word.load(Ordering::Relaxed) >> (number % 64) & 1 == 1)
        };
        let Wanted { objects, blobs } = &self.wanted;
        let left: Vec<ObjectId> =
            blobs.iter().filter(|number| !is_done(number)).map(|number| objects.id(Number(number))).collect();
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
                        self.hand_out(None, *id, &buf);
                        None
                    }
                    Ok(kind) => {
                        let detail = format!("a {kind} where a file should be (`git fsck` tells more)");
                        Some(Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id))
                    }
                    Err(what) => Some(what),
                };
                if let Some(what) = failure {
                    self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((*id, what));
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

    fn wants(&self, object: Named<'_>) -> bool {
        let number = object.number(self.wanted.objects);
        number.is_some_and(|Number(number)| self.wanted.blobs.contains(number))
    }

    fn receive(&self, parent: Option<(&V::State, &Edits)>, object: Named<'_>, bytes: &[u8]) -> V::State {
        self.settle(object);
        self.hand_out(parent, object.id.to_owned(), bytes)
    }

    fn glance(&self, parent: &V::State, patch: &Patch<'_>, object: Named<'_>) -> bool {
        // What may be a pointer is looked at whole.
        let settled = patch.len >= POINTER_LIMIT
            && !self.in_full
            && self.visitor.glance(parent, patch, ContentId::Object(ObjectPart::Blob, object.id.to_owned()));
        if settled {
            self.settle(object);
        }
        settled
    }

    fn weight(&self, state: &V::State) -> usize {
        self.visitor.weight(state)
    }

    fn stop(&self) -> bool {
        self.visitor.stop()
    }
}

#[cfg(test)]
mod tests;

//! Walks over packs that git made and over packs that no git would make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use gix::ObjectId;
use gix::hash::{Kind as HashKind, oid};
use gix::objs::Kind;

use super::delta;
use super::walk::{HELD, Walked, walk};
use super::{Named, Packs, Recipient};
use crate::blob::{Edits, Patch};

mod forge;
mod hostile;
mod memory;
mod real;

/// What a recipient does with objects it may glance at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glance {
    /// Settles them.
    Settle,
    /// Wants to receive them.
    Decline,
}

/// Keeps every object, and holds each to its base: a child must be what its edits make of it.
struct Keeper {
    kind: Kind,
    /// `None`: everything.
    wanted: Option<BTreeSet<ObjectId>>,
    glance: Glance,
    got: Mutex<BTreeMap<ObjectId, Vec<u8>>>,
    /// How many were received with a parent.
    carried: Mutex<usize>,
    /// How many were settled at a glance.
    settled: Mutex<usize>,
    /// How many more it takes before it wants to stop.
    patience: Option<usize>,
}

impl Keeper {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            wanted: None,
            glance: Glance::Decline,
            got: Mutex::default(),
            carried: Mutex::default(),
            settled: Mutex::default(),
            patience: None,
        }
    }

    /// Walks all packs below an object folder.
    fn walk(&self, objects: &Path, held: usize) -> Walked {
        let packs = Packs::below(std::iter::once(objects), HashKind::Sha1);
        walk(&packs, self.kind, self, held)
    }

    fn keep(&self, id: &oid, bytes: &[u8]) {
        assert!(self.wants(Named::new(id)), "nobody asked for {id}");
        let twice = self.got.lock().expect("no panic").insert(id.to_owned(), bytes.to_vec());
        assert_eq!(twice, None, "{id} came twice");
    }

    /// The ids that came; each must be that of the bytes that came with it.
    fn ids(&self) -> BTreeSet<ObjectId> {
        let got = self.got.lock().expect("no panic");
        for (id, bytes) in got.iter() {
            let actual = gix::objs::compute_hash(id.kind(), self.kind, bytes).expect("it can be hashed");
            assert_eq!(actual, *id);
        }
        got.keys().copied().collect()
    }
}

impl Recipient for Keeper {
    type State = (ObjectId, Vec<u8>);

    fn wants(&self, object: Named<'_>) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(object.id))
    }

    fn receive(&self, parent: Option<(&Self::State, &Edits)>, object: Named<'_>, bytes: &[u8]) -> Self::State {
        let id = object.id;
        if let Some(((base, old), edits)) = parent {
            assert_ne!(base.as_ref(), id);
            assert!(self.wants(Named::new(base)), "the parent was received");
            // New bytes are taken from the child: what is left to be shown is that copies are copies.
            let mut made = bytes.to_vec();
            for edit in &edits.0 {
                if let crate::blob::Edit::Copy { to, from } = *edit {
                    made[to.start..to.end].copy_from_slice(&old[from..from + to.len()]);
                }
            }
            assert_eq!(made, bytes);
            *self.carried.lock().expect("no panic") += 1;
        }
        self.keep(id, bytes);
        (id.to_owned(), bytes.to_vec())
    }

    fn glance(&self, parent: &Self::State, patch: &Patch<'_>, object: Named<'_>) -> bool {
        assert_eq!(parent.1, patch.base, "the parent is the base");
        if self.glance == Glance::Settle {
            let mut made = vec![0; patch.len];
            delta::apply(patch.base, patch.delta, patch.edits, &mut made);
            self.keep(object.id, &made);
            *self.settled.lock().expect("no panic") += 1;
        }
        self.glance == Glance::Settle
    }

    fn stop(&self) -> bool {
        self.patience.is_some_and(|most| self.got.lock().expect("no panic").len() >= most)
    }
}

/// All objects of a kind below an object folder, by a walk with nothing special about it.
fn all(objects: &Path, kind: Kind) -> BTreeSet<ObjectId> {
    let keeper = Keeper::new(kind);
    let walked = keeper.walk(objects, HELD);
    assert_eq!(walked.unread, []);
    keeper.ids()
}

/// Runs `work` with so many threads.
fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(work)
}

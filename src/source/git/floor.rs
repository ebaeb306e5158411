//! The least that a scan of a history can cost: every packed object decoded once and touched no further.

use std::sync::atomic::{AtomicU64, Ordering};

use gix::objs::Kind;

use super::pack::{self, Named, Packs, Recipient};
use super::repo::Repository;
use crate::blob::Edits;

/// What was decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The most bytes that bases of deltas took at once.
    pub held: usize,
}

/// Decodes every packed object of a repository, or the blobs alone, on the threads of the current pool.
pub fn measure(repository: &Repository, blobs_alone: bool) -> Floor {
    let packs = Packs::open(repository);
    let kinds: &[Kind] = if blobs_alone { &[Kind::Blob] } else { &[Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] };
    let count = Count::default();
    let peaks = kinds.iter().map(|kind| pack::walk(&packs, *kind, &count, pack::HELD).peak);
    let held = peaks.max().unwrap_or_default();
    Floor { held, objects: count.objects.into_inner(), bytes: count.bytes.into_inner() }
}

/// Counts.
#[derive(Default)]
struct Count {
    /// Objects.
    objects: AtomicU64,
    /// Bytes.
    bytes: AtomicU64,
}

impl Recipient for Count {
    type State = ();

    fn wants(&self, _: Named<'_>) -> bool {
        true
    }

    fn receive(&self, _: Option<(&(), &Edits)>, _: Named<'_>, bytes: &[u8]) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

//! What is new: a secret is introduced at a place when the content holds it more often than the old side did. Old
//! sides are read and scanned only when the new side holds something.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::blob::ContentId;
use crate::engine::Engine;
use crate::finding::dedup::Occurrence;
use crate::finding::hit::{Wanted, hits};
use crate::place::{Before, RemovedPool};
use crate::secret::Secret;
use crate::source::{Source, SourceError, Unread, UnreadKind};

/// How often each secret stands in a content.
type Counts = BTreeMap<Secret, usize>;

/// Marks the occurrences that were there before as not new. A place's later occurrences are the new ones when only
/// some are: which of several equal values was added can't be told, and need not be.
pub(super) fn sort_out<S: Source>(
    engine: &Engine,
    source: &S,
    mut occurrences: Vec<Occurrence>,
    unread: &mut Vec<Unread>,
) -> Result<Vec<Occurrence>, SourceError> {
    if occurrences.iter().all(|occurrence| occurrence.before == Before::NotAsked) {
        return Ok(occurrences);
    }
    let mut old = OldSides { engine, source, counts: BTreeMap::new(), left: BTreeMap::new(), unread };
    // Places in path order, so that which of two added copies a removed one excuses doesn't depend on threads.
    occurrences.sort_by(|a, b| a.key().cmp(&b.key()));
    let runs = occurrences.chunk_by_mut(|a, b| a.is_beside(b));
    for run in runs {
        let excused = match &run[0].before {
            Before::NotAsked => 0,
            Before::Sides(sides) => {
                let secret = run[0].hit.secret.clone();
                sides.iter().map(|side| side.map_or(0, |id| old.count(id, &secret))).max().unwrap_or(0)
            }
            Before::Removed(pool) => {
                let count = run.chunk_by(|a, b| a.hit.offset == b.hit.offset).count();
                old.draw(&pool.clone(), &run[0].hit.secret.clone(), count)
            }
        };
        // Introduced only when there are more than before: then the surplus is new. Several rules may see one of them.
        for occurrence in run.chunk_by_mut(|a, b| a.hit.offset == b.hit.offset).take(excused).flatten() {
            occurrence.new = false;
        }
    }
    Ok(occurrences)
}

/// The contents of old sides, scanned on demand.
struct OldSides<'o, S> {
    engine: &'o Engine,
    source: &'o S,
    counts: BTreeMap<ContentId, Counts>,
    /// What is left of each pool: (change, side, secret) → occurrences.
    left: BTreeMap<(usize, usize, Secret), usize>,
    unread: &'o mut Vec<Unread>,
}

impl<S: Source> OldSides<'_, S> {
    /// How often `secret` stands in the old content `id`. One that can't be read excuses nothing and is unread.
    fn count(&mut self, id: ContentId, secret: &Secret) -> usize {
        if !self.counts.contains_key(&id) {
            let counts = match self.source.read(id) {
                Ok(bytes) => catch_unwind(AssertUnwindSafe(|| counts(self.engine, &bytes))).unwrap_or_else(|_| {
                    let detail = "keytrail failed on this earlier content; please report it";
                    self.unread.push(Unread::new(UnreadKind::Panic, id.to_string(), detail).object(id));
                    Counts::new()
                }),
                Err(item) => {
                    self.unread.push(item);
                    Counts::new()
                }
            };
            self.counts.insert(id, counts);
        }
        self.counts.get(&id).and_then(|counts| counts.get(secret)).copied().unwrap_or(0)
    }

    /// Takes up to `wanted` occurrences of `secret` from the pool's richest side.
    fn draw(&mut self, pool: &RemovedPool, secret: &Secret, wanted: usize) -> usize {
        let mut most = 0;
        for (side, contents) in pool.contents.iter().enumerate() {
            let key = (pool.change, side, secret.clone());
            let left = match self.left.get(&key) {
                Some(&left) => left,
                None => contents.iter().map(|&id| self.count(id, secret)).sum(),
            };
            let taken = left.min(wanted);
            self.left.insert(key, left - taken);
            most = most.max(taken);
        }
        most
    }
}

fn counts(engine: &Engine, bytes: &[u8]) -> Counts {
    let blob = crate::blob::Blob::whole(ContentId::Serial(0), bytes);
    let mut counts = Counts::new();
    let found = hits(engine, &blob, &engine.scan(bytes), Wanted::default(), |_| true);
    let mut seen = BTreeSet::new();
    for hit in found {
        // Several rules may see one secret.
        if seen.insert((hit.secret.clone(), hit.offset)) {
            *counts.entry(hit.secret).or_default() += 1;
        }
    }
    counts
}

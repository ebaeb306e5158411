//! What is new: a secret is introduced at a place when the content holds it more often than the old side did. Old
//! sides are read and scanned only when the new side holds something.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::blob::ContentId;
use crate::engine::Engine;
use crate::finding::dedup::Occurrence;
use crate::finding::hit::{Wanted, hits};
use crate::finding::suppress;
use crate::place::{Before, RemovedPool};
use crate::secret::Secret;
use crate::source::{Source, SourceError, Unread, UnreadKind};

/// How often each secret stands in a content, and each marker, by what it says.
#[derive(Default)]
struct Counts {
    secrets: BTreeMap<Secret, usize>,
    markers: BTreeMap<Vec<u8>, usize>,
}

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
    sort_out_markers(&mut occurrences, &mut old);
    Ok(occurrences)
}

/// Tells which markers are older than the secrets they would excuse. Markers that say the same are told apart by their
/// number alone: where a content holds fewer more of them than it holds marked lines with new secrets, none of these
/// markers was put there for them. Whoever means it gives the marker a reason of its own.
fn sort_out_markers<S: Source>(occurrences: &mut [Occurrence], old: &mut OldSides<'_, S>) {
    let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, one) in occurrences.iter().enumerate().filter(|(_, one)| one.new && one.before != Before::NotAsked) {
        let seen = &one.place.provenance;
        if let Some(marker) = &one.hit.marker {
            let commit = one.place.first.as_ref().map(|commit| commit.order);
            let key = (one.content, seen.path.clone(), seen.members.clone(), seen.part, commit, marker.said.clone());
            places.entry(key).or_default().push(at);
        }
    }
    for (key, marked) in places {
        let said = key.5.expose();
        let lines: BTreeSet<usize> =
            marked.iter().filter_map(|&at| occurrences[at].hit.marker.as_ref()).map(|marker| marker.start).collect();
        let one = &occurrences[marked[0]];
        let now = one.hit.marker.as_ref().map_or(0, |marker| marker.count);
        let then = match one.before.clone() {
            Before::NotAsked => 0,
            Before::Sides(sides) => sides.into_iter().flatten().map(|id| old.markers(id, said)).max().unwrap_or(0),
            Before::Removed(pool) => {
                let of_side = |side: &Vec<ContentId>| side.iter().map(|&id| old.markers(id, said)).sum();
                pool.contents.iter().map(of_side).max().unwrap_or(0)
            }
        };
        if now.saturating_sub(then) < lines.len() {
            marked.into_iter().for_each(|at| occurrences[at].is_marker_old = true);
        }
    }
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
    /// How often `secret` stands in the old content `id`.
    fn count(&mut self, id: ContentId, secret: &Secret) -> usize {
        self.counts(id).secrets.get(secret).copied().unwrap_or(0)
    }

    /// How often a marker that says this stands in the old content `id`.
    fn markers(&mut self, id: ContentId, said: &[u8]) -> usize {
        self.counts(id).markers.get(said).copied().unwrap_or(0)
    }

    /// What the old content `id` holds. One that can't be read excuses nothing and is unread.
    fn counts(&mut self, id: ContentId) -> &Counts {
        if !self.counts.contains_key(&id) {
            let counts = match self.source.read(id) {
                Ok(bytes) => catch_unwind(AssertUnwindSafe(|| counts(self.engine, &bytes))).unwrap_or_else(|_| {
                    let detail = "keytrail failed on this earlier content; please report it";
                    self.unread.push(Unread::new(UnreadKind::Panic, id.to_string(), detail).object(id));
                    Counts::default()
                }),
                Err(item) => {
                    self.unread.push(item);
                    Counts::default()
                }
            };
            self.counts.insert(id, counts);
        }
        &self.counts[&id]
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

/// What a content holds: its secrets, and the markers in it and in its decoded texts.
fn counts(engine: &Engine, bytes: &[u8]) -> Counts {
    let blob = crate::blob::Blob::whole(ContentId::Serial(0), bytes);
    let scanned = engine.scan(bytes);
    let mut counts = Counts { markers: suppress::markers(bytes), ..Counts::default() };
    for view in &scanned.views {
        for (said, count) in suppress::markers(&view.text) {
            let most = counts.markers.entry(said).or_default();
            *most = count.max(*most);
        }
    }
    let mut seen = BTreeSet::new();
    for hit in hits(engine, &blob, &scanned, Wanted::default(), |_| true) {
        // Several rules may see one secret.
        if seen.insert((hit.secret.clone(), hit.offset)) {
            *counts.secrets.entry(hit.secret).or_default() += 1;
        }
    }
    counts
}

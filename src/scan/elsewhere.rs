//! Further occurrences: a value that was found somewhere is looked for in all contents, where nothing else tells it. A second
//! walk over the source, only when there is something to look for.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

use super::{Conductor, Content, Progress};
use crate::blob::{Blob, ContentId, Edits, Patch};
use crate::engine::{Known, Match};
use crate::finding::hit::{Hit, Wanted, hits};
use crate::observe::Observation;
use crate::place::{Part, Provenance};
use crate::source::{Excluded, Listed, Source, SourceError, Unread, Visitor};

/// Added to the numbers of contents that have no id of their own, so that they never name one of the first walk.
const SECOND_WALK: u64 = 1 << 63;

impl Conductor {
    /// Adds to `found` where else its values stand.
    pub(super) fn look_elsewhere<S: Source>(
        &self,
        source: &S,
        progress: &dyn Progress,
        found: &mut Vec<Content>,
    ) -> Result<(), SourceError> {
        if self.explain || !source.is_repeatable() {
            return Ok(());
        }
        let sure = found.iter().flat_map(|content| &content.hits).filter(|hit| hit.confidence >= self.threshold);
        let Some(known) = self.engine.known(sure.map(|hit| (hit.secret.expose(), template(hit)))) else {
            return Ok(());
        };
        progress.phase("looking for what was found elsewhere");
        let finder = Finder {
            conductor: self,
            known,
            numbers: found.iter().filter_map(|one| Some((path(one.provenance.as_ref()?), one.id))).collect(),
            matched: matched(found),
            found: Mutex::default(),
        };
        source.walk(&finder)?;
        found.extend(finder.found.into_inner().expect("no one panics while holding this lock"));
        Ok(())
    }
}

/// A match of the same secret at no place.
fn template(hit: &Hit) -> Match {
    Match {
        rule: hit.rule,
        view: 0,
        raw: Default::default(),
        confidence: hit.confidence,
        validity: hit.validity,
        facts: hit.facts.clone(),
        reasons: Vec::new(),
        dropped: false,
        excused: false,
        pending: hit.pending.clone(),
        also: Vec::new(),
        beside: Vec::new(),
    }
}

/// Where a content is, apart from what the file system says of it.
type Path = (Vec<u8>, Vec<Vec<u8>>, Part);

fn path(seen: &Provenance) -> Path {
    (seen.path.clone(), seen.members.clone(), seen.part)
}

/// From where to where in each content there are hits, in bytes; a later one of the same start wins.
fn matched(found: &[Content]) -> BTreeMap<ContentId, BTreeMap<u64, u64>> {
    let mut matched: BTreeMap<ContentId, BTreeMap<u64, u64>> = BTreeMap::new();
    for content in found {
        let spans = content.hits.iter().map(|hit| (hit.offset, hit.offset + hit.secret.expose().len() as u64));
        matched.entry(content.id).or_default().extend(spans);
    }
    matched
}

/// The visitor of the second walk. What can't be read was told by the first.
struct Finder<'c> {
    conductor: &'c Conductor,
    known: Known,
    /// The ids of the first walk's contents that are named by where they are.
    numbers: BTreeMap<Path, ContentId>,
    /// Where its hits are.
    matched: BTreeMap<ContentId, BTreeMap<u64, u64>>,
    found: Mutex<Vec<Content>>,
}

impl Finder<'_> {
    /// The id the first walk gave to a content, or one of its own.
    fn id(&self, blob: &Blob<'_>) -> ContentId {
        let number = blob.provenance.and_then(|seen| self.numbers.get(&path(seen)).copied());
        number.unwrap_or(match blob.id {
            ContentId::Serial(number) => ContentId::Serial(number | SECOND_WALK),
            object => object,
        })
    }

    /// Whether a known value stands where the first walk has no hit: most contents that hold one hold no more than that.
    fn holds_more(&self, blob: &Blob<'_>, id: ContentId) -> bool {
        let hits = self.matched.get(&id);
        self.known.places(blob.bytes).any(|span| {
            let (start, end) = (blob.window.offset + span.start as u64, blob.window.offset + span.end as u64);
            let before = hits.and_then(|hits| hits.range(..end).next_back());
            before.is_none_or(|(_, to)| *to <= start)
        })
    }

    /// The places of known values in a blob that holds one.
    fn hits(&self, blob: &Blob<'_>) -> Vec<Hit> {
        let Conductor { engine, line_hashes, .. } = self.conductor;
        let (scanned, places) = engine.scan_for_known(&self.known, blob.bytes);
        let wanted = Wanted { hashes: *line_hashes, steps: false };
        hits(engine, blob, &scanned, wanted, |found| found.view == 0 && places.contains(&found.raw.secret))
    }
}

impl Visitor for Finder<'_> {
    type State = bool;

    fn visit(&self, parent: Option<(&bool, &Edits)>, blob: Blob<'_>) -> bool {
        let parent = parent.map(|(holds, edits)| (*holds, edits));
        if !self.known.are_in(parent, blob.bytes) {
            return false;
        }
        let id = self.id(&blob);
        if !self.holds_more(&blob, id) {
            return true;
        }
        // The first walk has told a failure of ours on this content.
        let hits = catch_unwind(AssertUnwindSafe(|| self.hits(&blob))).unwrap_or_default();
        if hits.is_empty() {
            return true;
        }
        let provenance = blob.provenance.cloned();
        let content = Content { id, provenance, hits };
        self.found.lock().expect("no one panics while holding this lock").push(content);
        true
    }

    fn glance(&self, parent: &bool, patch: &Patch<'_>, _: ContentId) -> bool {
        !parent && !self.known.may_be_in(patch)
    }

    fn unread(&self, _: Unread) {}

    fn excluded(&self, _: Excluded, _: u64) {}

    fn listed(&self, _: Listed) {}

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}

    fn suspects(&self, text: &[u8]) -> bool {
        self.known.are_in(None, text)
    }

    fn stop(&self) -> bool {
        self.conductor.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

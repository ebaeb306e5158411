//! The conductor: the only room that knows all the others. Sources hand blobs to it, it asks the engine, places what
//! matched, makes findings and hands the report on. Detection is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use gix::hash::oid;

use crate::blob::{Blob, ContentId, Edits, ObjectPart, Patch};
use crate::cache::{Cache, Verdicts};
use crate::engine::{Engine, Match, Scanned, Trace};
use crate::finding::dedup::{self, Decisions, Group, Occurrence};
use crate::finding::fingerprint::Key;
use crate::finding::hit::{Hit, Wanted, hits};
use crate::finding::{ScanReport, SuppressionStatus};
use crate::observe::{self, Observation};
use crate::place::{Located, Part, Place, Provenance, State};
use crate::platform::Platform;
use crate::policy::Policy;
use crate::secret::Secret;
use crate::source::{Excluded, Listed, Source, SourceError, Unread, UnreadKind, Visitor};

mod accept;
mod elsewhere;
mod explain;
mod introduced;
mod known;
mod names;
pub mod search;
mod skips;
mod terms;

pub use accept::AcceptUnread;

/// Hits of one rule in one content that are kept; more are unread.
const MOST_HITS: usize = 10_000;

/// What a scan needs to know besides its source.
#[derive(Debug)]
pub struct Conductor {
    /// The compiled rules.
    pub engine: Engine,
    /// Who may be scanned.
    pub policy: Policy,
    /// Findings under this confidence (0–100) are counted and not shown.
    pub threshold: u8,
    /// Whether inline markers are heard, and what they may do.
    pub markers: Markers,
    /// The user's fingerprint key.
    pub key: Option<Key>,
    /// Decisions not to report, of others than inline markers.
    pub decisions: Decisions,
    /// Unread items the configuration accepts.
    pub accept: Vec<AcceptUnread>,
    /// `--platform`.
    pub platform: Option<Platform>,
    /// Whether to collect observations.
    pub observations: bool,
    /// Whether a report wants line hashes.
    pub line_hashes: bool,
    /// The time expiry is judged by: seconds since 1970, UTC.
    pub now: i64,
    /// When to stop, leaving the rest unread.
    pub deadline: Option<Instant>,
    /// Whether every version of a file is scanned in full instead of what changed.
    pub full_scan: bool,
    /// Whether to say what checks and filters said, for which everything is scanned in full.
    pub explain: bool,
    /// What is known from earlier scans, if the user keeps it.
    pub cache: Option<Cache>,
}

/// What inline markers may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markers {
    /// They suppress.
    Heard,
    /// The change under review brought them: shown, and the finding still counts.
    UnderReview,
    /// They are not looked at.
    Ignored,
}

/// Who is told how far the scan is.
pub trait Progress: Sync {
    /// One more content of `bytes` bytes was scanned.
    fn content(&self, bytes: u64);

    /// A new phase begins.
    fn phase(&self, what: &'static str);
}

/// No one is told.
impl Progress for () {
    fn content(&self, _: u64) {}

    fn phase(&self, _: &'static str) {}
}

/// The hits of one content.
#[derive(Debug)]
struct Content {
    id: ContentId,
    provenance: Option<Provenance>,
    hits: Vec<Hit>,
}

/// What came of one content.
#[derive(Default)]
struct Outcome {
    /// What was found.
    hits: Vec<Hit>,
    /// What its children are scanned by.
    trace: Trace,
    /// All of it was looked at and nothing in it could be reported, at any confidence.
    is_clean: bool,
}

/// What visitors bring home.
#[derive(Debug, Default)]
struct Collected {
    contents: Vec<Content>,
    unread: Vec<Unread>,
    excluded: BTreeMap<Excluded, u64>,
    listed: Vec<Listed>,
    observations: Vec<Observation>,
    notes: Vec<String>,
    dropped: BTreeMap<(&'static str, &'static str), u64>,
    /// Texts of commits that ask hosts not to scan them.
    skips: BTreeSet<ContentId>,
}

/// The visitor that sources get.
struct Collector<'c> {
    conductor: &'c Conductor,
    progress: &'c dyn Progress,
    verdicts: Option<&'c Verdicts<'c>>,
    collected: Mutex<Collected>,
    contents: AtomicU64,
    bytes: AtomicU64,
    known: AtomicU64,
    late: AtomicBool,
    names: names::Names,
}

impl<'c> Collector<'c> {
    fn new(conductor: &'c Conductor, progress: &'c dyn Progress, verdicts: Option<&'c Verdicts<'c>>) -> Self {
        Self {
            conductor,
            progress,
            verdicts,
            collected: Mutex::default(),
            contents: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            known: AtomicU64::new(0),
            late: AtomicBool::new(false),
            names: names::Names::new(&conductor.engine),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Collected) -> T) -> T {
        change(&mut self.collected.lock().expect("no one panics while holding this lock"))
    }

    /// What a content is called where its place isn't known yet.
    fn name_of(blob: &Blob<'_>) -> Vec<u8> {
        blob.provenance.map_or_else(|| blob.id.to_string().into_bytes(), |seen| seen.path.clone())
    }

    /// Does `work` on one blob; a panic of ours on it is an unread item and never the end of the run.
    fn guarded<T: Default>(&self, blob: &Blob<'_>, work: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            let detail = "keytrail failed on this content; please report it";
            self.unread(Unread::new(UnreadKind::Panic, Self::name_of(blob), detail).object(blob.id));
            T::default()
        })
    }

    /// Scans one blob, by what changed since its parent if that is known.
    fn scan(&self, parent: Option<(&Trace, &Edits)>, blob: &Blob<'_>) -> Outcome {
        let engine = &self.conductor.engine;
        if self.conductor.explain {
            return self.scan_aloud(blob);
        }
        if !matches!(blob.id, ContentId::Object(ObjectPart::Blob, _)) {
            return Outcome { hits: self.hits(blob, &engine.report(blob.bytes)), ..Outcome::default() };
        }
        let (scanned, trace) = engine.follow(parent, blob.bytes);
        let differs =
            parent.is_some() && known::is_checked(blob.id) && engine.report(blob.bytes).matches != scanned.matches;
        if differs {
            let detail = "scanned by what changed and scanned in full, it gives different matches; please report it";
            self.unread(Unread::new(UnreadKind::Mismatch, Self::name_of(blob), detail).object(blob.id));
        }
        let is_clean = !differs && !scanned.is_cut && scanned.matches.is_empty();
        Outcome { hits: self.hits(blob, &scanned), trace, is_clean }
    }

    /// Makes hits of a blob's matches. The first [`MOST_HITS`] of each rule are kept. Those under the threshold have a
    /// limit of their own, so that they never push out a finding; findings past the limit are unread.
    fn hits(&self, blob: &Blob<'_>, scanned: &Scanned) -> Vec<Hit> {
        if scanned.is_cut {
            let detail = "encodings nested in it hold more than is decoded; look into it by hand";
            self.unread(Unread::new(UnreadKind::Limit, Self::name_of(blob), detail).object(blob.id));
        }
        if scanned.matches.is_empty() {
            return Vec::new();
        }
        let Conductor { engine, threshold, line_hashes, explain, .. } = self.conductor;
        let mut counts: BTreeMap<(usize, bool), usize> = BTreeMap::new();
        let keep = |found: &Match| {
            let count = counts.entry((found.rule, found.confidence >= *threshold)).or_default();
            *count += 1;
            *count <= MOST_HITS
        };
        let hits = hits(engine, blob, scanned, Wanted { hashes: *line_hashes, steps: *explain }, keep);
        let more: usize =
            counts.iter().filter(|((_, shown), _)| *shown).map(|(_, count)| count.saturating_sub(MOST_HITS)).sum();
        if more > 0 {
            let detail = format!("{more} more matches of rules that already matched {MOST_HITS} times in it");
            self.unread(Unread::new(UnreadKind::Limit, Self::name_of(blob), detail).object(blob.id));
        }
        hits
    }
}

impl Visitor for Collector<'_> {
    type State = Trace;

    fn visit(&self, parent: Option<(&Trace, &Edits)>, blob: Blob<'_>) -> Trace {
        let own = (blob.window.own.len()) as u64;
        let is_name = match (blob.id, blob.provenance) {
            (_, Some(seen)) => seen.part == Part::PathName,
            (ContentId::Object(part, _), None) => part == ObjectPart::Names,
            (ContentId::Serial(_), None) => true,
        };
        self.contents.fetch_add(u64::from(blob.window.offset == 0 && own > 0 && !is_name), Ordering::Relaxed);
        self.bytes.fetch_add(own, Ordering::Relaxed);
        self.progress.content(own);
        if let Some(seen) = blob.provenance.filter(|seen| {
            self.conductor.observations
                && blob.window.whole
                && seen.part == Part::Content
                && observe::wants(&seen.path, &blob.bytes[..blob.bytes.len().min(observe::FIRST)])
        }) {
            let facts = self.guarded(&blob, || observe::observe(&seen.path, blob.bytes));
            self.with(|collected| collected.observations.extend(facts));
        }
        if skips::asks(&blob) {
            self.with(|collected| collected.skips.insert(blob.id));
        }
        let Outcome { mut hits, trace, is_clean } = self.guarded(&blob, || self.scan(parent, &blob));
        if blob.is_lasting {
            self.settle(blob.id, blob.bytes.len(), is_clean);
        }
        if is_name && !self.names.is_empty() {
            hits.extend(self.guarded(&blob, || self.names(&blob)));
        }
        if !hits.is_empty() {
            let provenance = blob.provenance.cloned();
            self.with(|collected| collected.contents.push(Content { id: blob.id, provenance, hits }));
        }
        trace
    }

    fn weight(&self, trace: &Trace) -> usize {
        trace.weight()
    }

    fn remembers(&self) -> bool {
        self.verdicts.is_some()
    }

    fn knows(&self, id: &oid, len: impl FnOnce() -> Option<u64>) -> bool {
        let is_known = self.verdicts.is_some_and(|verdicts| verdicts.knows(id, len));
        self.known.fetch_add(u64::from(is_known), Ordering::Relaxed);
        is_known
    }

    fn glance(&self, parent: &Trace, patch: &Patch<'_>, id: ContentId) -> bool {
        // A glance that fails settles nothing: the blob is put together and scanned, which tells.
        let settled = !known::is_checked(id)
            && catch_unwind(AssertUnwindSafe(|| self.conductor.engine.glance(parent, patch))).unwrap_or(false);
        if settled {
            self.settle(id, patch.len, true);
            self.contents.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(patch.len as u64, Ordering::Relaxed);
            self.progress.content(patch.len as u64);
        }
        settled
    }

    fn unread(&self, what: Unread) {
        self.with(|collected| collected.unread.push(what));
    }

    fn excluded(&self, why: Excluded, count: u64) {
        self.with(|collected| *collected.excluded.entry(why).or_default() += count);
    }

    fn listed(&self, what: Listed) {
        self.with(|collected| collected.listed.push(what));
    }

    fn observe(&self, fact: Observation) {
        if self.conductor.observations {
            self.with(|collected| collected.observations.push(fact));
        }
    }

    fn note(&self, text: String) {
        self.with(|collected| collected.notes.push(text));
    }

    fn suspects(&self, text: &[u8]) -> bool {
        // Where we fail, the text is handed out, and the failure reported there.
        let found = || !self.conductor.engine.scan(text).matches.is_empty();
        self.names.suspects(text) || catch_unwind(AssertUnwindSafe(found)).unwrap_or(true)
    }

    fn in_full(&self) -> bool {
        self.conductor.full_scan || self.conductor.explain
    }

    fn stop(&self) -> bool {
        if self.conductor.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.late.store(true, Ordering::Relaxed);
        }
        self.late.load(Ordering::Relaxed)
    }
}

impl Conductor {
    /// Scans one root.
    ///
    /// # Errors
    /// The root can't be scanned at all. What can't be read of it is in the report.
    pub fn scan<S: Source>(&self, source: &S, progress: &dyn Progress) -> Result<ScanReport, SourceError> {
        let recalled = self.recall(source);
        let mut collector = Collector::new(self, progress, recalled.as_ref().map(|(verdicts, _)| verdicts));
        source.walk(&collector)?;
        if self.has_doubts(collector.known.load(Ordering::Relaxed)) {
            collector = Collector::new(self, progress, None);
            source.walk(&collector)?;
        }
        progress.phase("placing");
        let late = collector.late.load(Ordering::Relaxed);
        let (contents, bytes) = (collector.contents.into_inner(), collector.bytes.into_inner());
        let known_clean = collector.known.into_inner();
        let mut collected = collector.collected.into_inner().expect("no one panics while holding this lock");
        if let Some((verdicts, note)) = recalled {
            collected.notes.extend(note);
            collected.notes.extend(verdicts.finish());
        }
        collected.notes.extend(skips::note(&collected.skips));
        if late {
            collected.unread.push(Unread::new(
                UnreadKind::Deadline,
                source.root().spelled,
                "the deadline came before the end of the scan; what was not reached is unread (raise --deadline)",
            ));
        }
        let mut found = std::mem::take(&mut collected.contents);
        if !late {
            self.look_elsewhere(source, progress, &mut found)?;
        }
        let placed = self.place(source, found, &mut collected)?;
        let root = source.root();
        let platform = self.platform.or_else(|| root.platform());
        let mut report = ScanReport {
            root,
            contents,
            bytes,
            known_clean,
            platform,
            listed: collected.listed,
            observations: observe::fold(collected.observations),
            notes: collected.notes,
            dropped: collected
                .dropped
                .into_iter()
                .map(|((by, why), count)| (by.to_owned(), why.to_owned(), count))
                .collect(),
            ..ScanReport::default()
        };
        let settings = dedup::Settings {
            engine: &self.engine,
            key: self.key.as_ref(),
            platform,
            markers: match self.markers {
                Markers::Heard => Some(SuppressionStatus::Accepted),
                Markers::UnderReview => Some(SuppressionStatus::UnderReview),
                Markers::Ignored => None,
            },
            decisions: &self.decisions,
            now: self.now,
            threshold: self.threshold,
        };
        let low = dedup::findings(placed, &settings, &mut report, &mut collected.unread);
        *collected.excluded.entry(Excluded::LowConfidence).or_default() += low;
        accept::apply(&self.accept, self.now, &mut collected.unread, &mut collected.excluded, &mut report.notes);
        report.unread = collected.unread;
        report.excluded = collected.excluded.into_iter().filter(|(_, count)| *count > 0).collect();
        report.sort_lists();
        Ok(report)
    }

    /// Gives every hit its places and drops what policy leaves out or what isn't new.
    fn place<S: Source>(
        &self,
        source: &S,
        contents: Vec<Content>,
        collected: &mut Collected,
    ) -> Result<Vec<Group>, SourceError> {
        let hits = || contents.iter().flat_map(|content| &content.hits);
        let sure: BTreeSet<&Secret> =
            hits().filter(|hit| hit.confidence >= self.threshold).map(|hit| &hit.secret).collect();
        let wanted: BTreeSet<ContentId> = contents
            .iter()
            .filter(|content| content.provenance.is_none())
            .filter(|content| content.hits.iter().any(|hit| sure.contains(&hit.secret)))
            .map(|content| content.id)
            .collect();
        let located = if wanted.is_empty() { Vec::new() } else { source.locate(&wanted)? };
        let mut by_content: BTreeMap<ContentId, Vec<Located>> = BTreeMap::new();
        for one in located {
            by_content.entry(one.content).or_default().push(one);
        }
        let mut occurrences = Vec::new();
        for content in contents {
            let places = match &content.provenance {
                Some(seen) => vec![Located {
                    content: content.id,
                    line: None,
                    place: Place {
                        provenance: seen.clone(),
                        state: State::Present,
                        first: None,
                        last: None,
                        reference: None,
                    },
                    before: crate::place::Before::NotAsked,
                }],
                // Not taken out: the windows of a huge content share its id.
                None => by_content.get(&content.id).cloned().unwrap_or_default(),
            };
            self.occurrences(content, places, collected, &mut occurrences);
        }
        let allowed = terms::Terms::new(&self.engine).sort_out(&mut occurrences);
        *collected.excluded.entry(Excluded::Allowlist).or_default() += allowed;
        introduced::sort_out(&self.engine, source, occurrences, &mut collected.unread)
            .map(|sorted| dedup::group(sorted, &self.engine))
    }

    fn occurrences(
        &self,
        content: Content,
        places: Vec<Located>,
        collected: &mut Collected,
        occurrences: &mut Vec<Occurrence>,
    ) {
        let hits: Vec<Arc<Hit>> = content.hits.into_iter().map(Arc::new).collect();
        let mut placed = vec![false; hits.len()];
        for located in places {
            // Sources leave test directories out themselves: what is one depends on listings that only they have.
            let excluded = self.policy.is_excluded(&located.place.provenance.path);
            *collected.excluded.entry(Excluded::ExcludeGlob).or_default() += u64::from(excluded);
            for (hit, placed) in hits.iter().zip(&mut placed) {
                if located.line.is_some_and(|line| line + 1 != hit.region.start.line) {
                    continue;
                }
                *placed = true;
                if excluded {
                    continue;
                }
                let mut place = located.place.clone();
                if hit.in_header && place.provenance.part == Part::CommitMessage {
                    place.provenance.part = Part::CommitIdentity;
                }
                let before = located.before.clone();
                occurrences.push(Occurrence::placed(content.id, hit.clone(), place, before));
            }
        }
        for (hit, _) in hits.into_iter().zip(placed).filter(|(_, placed)| !placed) {
            // Where a value never reaches the threshold nobody asked for its place; it is counted, and still masks.
            if hit.confidence >= self.threshold {
                let detail = "a secret was found in this content, and no place of it; please report it";
                let what = Unread::new(UnreadKind::Mismatch, content.id.to_string(), detail).object(content.id);
                collected.unread.push(what);
            }
            occurrences.push(Occurrence::placeless(content.id, hit));
        }
    }
}

#[cfg(test)]
mod tests;

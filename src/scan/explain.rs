//! What a scan tells of itself under `--explain`, and what `keytrail explain` asks of it.

use super::{Collector, Conductor, Outcome, terms};
use crate::blob::Blob;
use crate::engine::explain::Step;
use crate::engine::{Match, Scanned, Trace};

impl Collector<'_> {
    /// Scans one blob in full and counts what filters dropped.
    pub(super) fn scan_aloud(&self, blob: &Blob<'_>) -> Outcome {
        let scanned = self.conductor.engine.scan(blob.bytes);
        self.count_dropped(blob, &scanned);
        let is_clean = scanned.matches.iter().all(|found| found.dropped);
        Outcome { hits: self.hits(blob, &scanned), trace: Trace::default(), is_clean }
    }

    /// Counts what filters dropped in a blob, by filter and reason.
    fn count_dropped(&self, blob: &Blob<'_>, scanned: &Scanned) {
        let engine = &self.conductor.engine;
        let own = blob.window.own;
        let is_own = |found: &&Match| {
            blob.window.whole || found.view > 0 || (own.start..own.end).contains(&found.raw.whole.start)
        };
        for found in scanned.matches.iter().filter(|found| found.dropped).filter(is_own) {
            let text = found.view.checked_sub(1).map_or(blob.bytes, |view| scanned.views[view].text.as_slice());
            let steps = engine.steps(text, found);
            let by = steps.iter().find(|step| step.drops()).map_or("rule file", Step::name);
            let why = found.reasons.last().copied().unwrap_or_default();
            self.with(|collected| *collected.dropped.entry((by, why)).or_default() += 1);
        }
    }
}

impl Conductor {
    /// What the terms of a rule file say against a match at a path, in words; `pending` as in
    /// [`Match::pending`]. Of commits nothing is known.
    pub fn place_terms(&self, rule: usize, pending: &[u16], path: &[u8]) -> Option<String> {
        terms::Terms::new(&self.engine).against(rule, pending, path)
    }
}

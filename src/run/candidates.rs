//! `keytrail bench candidates`: every match in files, for those who train the model of the generic detector. Features and
//! places, never a value.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::blob::{Blob, Edits};
use crate::cli::CliError;
use crate::cli::bench::Candidates;
use crate::engine::{Engine, Match, model};
use crate::location::Locator;
use crate::observe::Observation;
use crate::place::Part;
use crate::policy::Policy;
use crate::source::files::{Files, FilesOptions};
use crate::source::{Excluded, Listed, Source, Unread, Visitor};

/// Collects lines.
struct Collector<'e> {
    engine: &'e Engine,
    lines: Mutex<Vec<(Vec<u8>, usize, String)>>,
}

impl Visitor for Collector<'_> {
    type State = ();

    fn visit(&self, _: Option<(&(), &Edits)>, blob: Blob<'_>) {
        let Some(seen) = blob.provenance.filter(|seen| seen.part == Part::Content) else { return };
        let scanned = self.engine.scan(blob.bytes);
        let mut lines = Vec::new();
        let mut locator = Locator::new(blob.bytes, blob.window.origin);
        for found in scanned.matches.iter().filter(|found| found.view == 0) {
            let start = locator.position(found.raw.secret.start, blob.window.origin);
            let line = self.line(&String::from_utf8_lossy(&seen.path), blob.bytes, found, start.line);
            lines.push((seen.path.clone(), found.raw.secret.start, line));
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    fn unread(&self, _: Unread) {}

    fn excluded(&self, _: Excluded, _: u64) {}

    fn listed(&self, _: Listed) {}

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}
}

impl Collector<'_> {
    /// One match as JSON. `value` and `name` are bytes from the start of the file, from and to. `features` is there if the model was or would have been asked.
    fn line(&self, path: &str, text: &[u8], found: &Match, line: u64) -> String {
        let rule = self.engine.rule(found.rule);
        let secret = found.raw.secret;
        let breaks = text[secret.start..secret.end].iter().filter(|byte| **byte == b'\n').count() as u64;
        let asked = rule.filters.iter().any(|filter| filter == "model")
            && (!found.dropped || found.reasons.contains(&crate::engine::filter::UNLIKELY));
        let features = asked.then(|| model::features(text, &found.raw)).flatten();
        let name =
            found.raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| (span.start, span.end));
        json!({
            "path": path, "line": line, "end_line": line + breaks, "value": (secret.start, secret.end), "name": name, "rule": rule.id,
            "confidence": found.confidence, "dropped": found.dropped,
            "features": features.as_ref().map(model::Row::values),
        })
        .to_string()
    }
}

/// The names of the features, and then a line for each match in its paths.
///
/// # Errors
/// A path can't be scanned.
pub(super) fn lines(engine: &Engine, task: &Candidates) -> Result<String, CliError> {
    let collector = Collector { engine, lines: Mutex::default() };
    let policy = Policy::new(!task.skip_tests, Default::default(), false);
    for path in &task.paths {
        let options = FilesOptions { overlap: engine.reach(), ..FilesOptions::default() };
        let source = Files::new(path.clone(), policy.clone(), options);
        source.walk(&collector).map_err(|error| CliError::new(error.to_string()))?;
    }
    let mut lines = collector.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    lines.sort();
    let head = json!({ "features": model::names() }).to_string();
    let all: Vec<String> = std::iter::once(head).chain(lines.into_iter().map(|(_, _, line)| line)).collect();
    Ok(all.join("\n") + "\n")
}

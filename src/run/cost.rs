//! `keytrail rules cost`: what each rule costs on a tree. Files are read as `keytrail files` reads them, test
//! directories too; nothing is reported of what they hold.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::blob::{Blob, Edits};
use crate::cli::CliError;
use crate::engine::{Cost, Costs, Engine};
use crate::observe::Observation;
use crate::place::Part;
use crate::policy::Policy;
use crate::source::files::{Files, FilesOptions};
use crate::source::{Excluded, Listed, Source, Unread, Visitor};

/// Adds up costs.
struct Counter<'e> {
    engine: &'e Engine,
    costs: Mutex<Costs>,
    unread: Mutex<u64>,
}

impl Visitor for Counter<'_> {
    type State = ();

    fn visit(&self, _: Option<(&(), &Edits)>, blob: Blob<'_>) {
        if blob.provenance.is_none_or(|seen| seen.part == Part::Content) {
            let costs = self.engine.cost(blob.bytes);
            self.costs.lock().unwrap_or_else(PoisonError::into_inner).add(&costs);
        }
    }

    fn unread(&self, _: Unread) {
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn excluded(&self, _: Excluded, _: u64) {}

    fn listed(&self, _: Listed) {}

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}
}

/// The table for `paths`, the costliest rule first.
///
/// # Errors
/// A path can't be scanned, or there was nothing to scan.
pub(super) fn table(engine: &Engine, paths: &[PathBuf]) -> Result<String, CliError> {
    let counter = Counter { engine, costs: Mutex::default(), unread: Mutex::default() };
    let policy = Policy::new(true, Default::default(), false);
    for path in paths {
        let options = FilesOptions { overlap: engine.reach(), ..FilesOptions::default() };
        let source = Files::new(path.clone(), policy.clone(), options);
        source.walk(&counter).map_err(|error| CliError::new(error.to_string()))?;
    }
    let costs = counter.costs.into_inner().unwrap_or_else(PoisonError::into_inner);
    if costs.bytes == 0 {
        return Err(CliError::new("there was nothing to scan, so no cost can be told"));
    }
    let unread = counter.unread.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(text(engine, &costs, unread))
}

/// The table as text.
fn text(engine: &Engine, costs: &Costs, unread: u64) -> String {
    let megabytes = costs.bytes as f64 / 1e6;
    let mut rules: Vec<(&str, Cost)> =
        engine.rules().zip(&costs.rules).map(|(rule, cost)| (rule.id.as_ref(), *cost)).collect();
    rules.retain(|(_, cost)| cost.hits > 0);
    rules.sort_by_key(|(id, cost)| (std::cmp::Reverse((cost.searched, cost.tried, cost.hits)), *id));
    let widest = rules.iter().map(|(id, _)| id.len()).max().unwrap_or(0).max("all rules".len());
    let mut sum = Cost::default();
    let mut out = format!("{:widest$} {:>14} {:>14} {:>14}\n", "per MB", "literal hits", "anchored tries", "full runs");
    let mut line = |name: &str, cost: &Cost| {
        let [hits, tried, searched] = [cost.hits, cost.tried, cost.searched].map(|count| count as f64 / megabytes);
        writeln!(out, "{name:widest$} {hits:14.2} {tried:14.2} {searched:14.2}").expect("a String takes every write");
    };
    for (id, cost) in &rules {
        line(id, cost);
        sum.hits += cost.hits;
        sum.tried += cost.tried;
        sum.searched += cost.searched;
    }
    line("all rules", &sum);
    let (anchors, literals) = engine.literals();
    let slow = engine.slow_rules();
    let all = engine.rules().len();
    let quiet = all - rules.len() - slow.len();
    writeln!(out, "{megabytes:.1} MB, {all} rules, {anchors} anchors, {literals} literals; {quiet} rules had no hit")
        .expect("a String takes every write");
    if unread > 0 {
        writeln!(out, "{unread} things could not be read").expect("a String takes every write");
    }
    for id in slow {
        let rule = engine.rules().find(|rule| rule.id == id);
        let is_gated = rule.is_some_and(|rule| rule.terms.is_some() && !rule.keywords.is_empty());
        let over = if is_gated { "over every text with one of its keywords" } else { "over every byte" };
        writeln!(out, "slow lane, {over}: {id}").expect("a String takes every write");
    }
    out
}

//! `keytrail rules test`: whether rules match their examples and not their counterexamples, and why not.

use std::fmt::Write as _;

use super::rules::{self, Read};
use crate::cli::{CliError, Settings};
use crate::engine::{Engine, built_in_files};
use crate::finding::mask;
use crate::rule::Confidence;
use crate::rule::load::{Loaded, Origin, load};
use crate::specimen;

/// How many samples are made of each template.
const SEEDS: u64 = 8;

/// Confidence from which on a match counts, percent.
const COUNTS: u8 = 50;

/// What the tests of rules came to.
pub(super) struct Outcome {
    /// For people.
    pub(super) text: String,
    /// Whether all passed.
    pub(super) passed: bool,
}

/// Tests the rules of the user's files, and the built-in ones too unless `only_files`.
///
/// # Errors
/// What is wrong with the files.
pub(super) fn run(settings: &Settings, only_files: bool) -> Result<Outcome, CliError> {
    let Read { ours, theirs, .. } = rules::read(&settings.rules.files)?;
    let engine = super::engine(rules::active(settings)?.rules)?;
    let is_active = |id: &str| engine.rules().any(|rule| rule.id == id);
    let mut tested = if only_files { Vec::new() } else { built_in() };
    tested.extend(ours);
    tested.retain(|(_, loaded)| is_active(&loaded.rule.id));
    let own = |loaded: &crate::gitleaks::Loaded| {
        loaded.rules.iter().filter(|rule| rule.terms.as_ref().is_some_and(|terms| terms.groups.is_some())).count()
    };
    Ok(outcome(&engine, &tested, theirs.iter().map(|(_, loaded)| own(loaded)).sum()))
}

/// The built-in rules with their examples.
fn built_in() -> Vec<(String, Loaded)> {
    let read = |(file, text): &(&str, &str)| {
        let loaded = load(file, text, Origin::BuiltIn).expect("the build has checked them");
        let file = (*file).to_owned();
        loaded.into_iter().map(move |rule| (file.clone(), rule)).collect::<Vec<_>>()
    };
    built_in_files().iter().flat_map(read).collect()
}

/// Tests `rules`, which the engine holds among others. `silent`: rules of files whose format has no examples.
fn outcome(engine: &Engine, rules: &[(String, Loaded)], silent: usize) -> Outcome {
    let mut text = String::new();
    let (mut tried, mut failed, mut without) = (0, 0, silent);
    for (file, loaded) in rules {
        without += usize::from(loaded.examples.is_empty() && loaded.counterexamples.is_empty());
        let both = [(&loaded.examples, true), (&loaded.counterexamples, false)];
        for (template, wanted) in both.iter().flat_map(|(list, wanted)| list.iter().map(move |it| (it, *wanted))) {
            tried += 1;
            let Some(reason) = (0..SEEDS).find_map(|seed| failure(engine, loaded, template, wanted, seed)) else {
                continue;
            };
            failed += 1;
            let (mut shown, what) = (template.clone(), if wanted { "example" } else { "counterexample" });
            mask::candidates_in_text(engine, &mut shown);
            let line = format!("{file}: `{}`: {what} {shown:?}: {reason}", loaded.rule.id);
            writeln!(text, "{}", crate::cli::error::printable(&line)).expect("a String takes every write");
        }
    }
    let passed = failed == 0;
    let rest = match without {
        0 => String::new(),
        n => format!("; {n} rules have none"),
    };
    let verdict = if passed { "all pass".to_owned() } else { format!("{failed} fail") };
    let count = rules.len() + silent;
    writeln!(text, "{tried} examples and counterexamples of {count} rules: {verdict}{rest}")
        .expect("a String takes every write");
    Outcome { text, passed }
}

/// Why a template fails, if it does.
fn failure(engine: &Engine, loaded: &Loaded, template: &str, wanted: bool, seed: u64) -> Option<String> {
    let text = match specimen::expand(template, seed) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    let id = loaded.rule.id.as_ref();
    let least = loaded.rule.confidence.min(Confidence::Medium).percent().min(COUNTS);
    let found = engine.scan(&text).matches;
    let is_named = |index: usize| engine.rule(index).id == id;
    if wanted {
        let counts = |one: &crate::engine::Match| {
            !one.dropped && one.confidence >= least && (is_named(one.rule) || one.also.iter().any(|&at| is_named(at)))
        };
        (!found.iter().any(counts)).then(|| why_missed(engine, &text, id, least))
    } else {
        let is_found = |one: &&crate::engine::Match| is_named(one.rule) && !one.dropped && one.confidence >= COUNTS;
        found.iter().find(is_found).map(|one| format!("it is found, with confidence {}%", one.confidence))
    }
}

/// What became of an example that isn't found.
fn why_missed(engine: &Engine, text: &[u8], id: &str, least: u8) -> String {
    let (_, told) = engine.explain(text);
    let own: Vec<_> = told.iter().filter(|one| engine.rule(one.found.rule).id == id).collect();
    let Some(best) = own.iter().max_by_key(|one| one.found.confidence) else {
        let whole = crate::location::Span::new(0, text.len());
        let met = engine.missed(text, whole).into_iter().any(|miss| engine.rule(miss.rule).id == id);
        return match met {
            true => "a keyword is there, but the pattern doesn't match around it".to_owned(),
            false => "no keyword and no match is in it".to_owned(),
        };
    };
    match best.steps.iter().find(|step| step.drops()) {
        Some(step) => format!("`{}` {}", step.name(), step.said()),
        None => format!("its confidence is {}%, under {least}%", best.found.confidence),
    }
}

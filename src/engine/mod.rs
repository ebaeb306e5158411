//! The engine: which rules match which bytes. A function of bytes and rules only: no I/O, no clock, no paths.
//!
//! In: bytes. Out: [`Match`]es. Keyword hit → match in a bounded window → filters → offline checks → which of several
//! rules owns a secret. Placing (tests, excludes, suppression) is the conductor's.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::blob::Edits;
use crate::finding::{Facts, Validity};
use crate::location::Span;
use crate::rule::anchor::Run;
use crate::rule::{Confidence, Matcher, Rule};
use crate::view::{self, View};

mod across;
mod again;
mod cost;
mod detector;
pub mod explain;
pub mod filter;
mod gather;
mod matcher;
pub mod model;
mod prefilter;
pub mod reference;
mod sieve;
pub mod structure;
mod terms;
mod trace;

pub use again::Known;
pub use cost::{Cost, Costs};
pub use matcher::{RawMatch, is_masked};
pub use trace::Trace;

use explain::{Record, Step};
use filter::{Candidate, Filter, Opinion};
use gather::{Gathered, gather};
use matcher::{CodeMatcher, Pattern};
use prefilter::Prefilter;
use structure::{StructureCheck, Token, Verdict};
use terms::Terms;
use trace::Found;

/// Checks whose success proves little: the shape is there, not more. They don't make a finding `formatProven`.
const SHAPE_ONLY: [&str; 10] = [
    "url-credentials",
    "connection-string",
    "basic-auth",
    "base64-key",
    "aws-key-id",
    "slack-ids",
    "discord-ids",
    "telegram-bot",
    "mailchimp-ids",
    "tailscale-ids",
];

/// Confidence that a match keeps at most when a filter doubts it, percent.
const DOUBTFUL: u8 = 40;

/// Confidence of a match whose checksum fails although every genuine one holds, percent.
const DISPROVEN: u8 = 15;

/// A match of one rule, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Index into [`Engine::rules`].
    pub rule: usize,
    /// Index into the views it was searched in: 0 is the blob itself, n is view n − 1.
    pub view: usize,
    /// Where it is, in that view's text.
    pub raw: RawMatch,
    /// How sure, 0–100.
    pub confidence: u8,
    /// What the offline check said.
    pub validity: Validity,
    /// What was read from it.
    pub facts: Facts,
    /// Why the confidence isn't the rule's own.
    pub reasons: Vec<&'static str>,
    /// Whether a filter said that it is no secret. Kept because it is masked wherever its line is shown.
    pub dropped: bool,
    /// Whether the terms of a rule file say that it is no finding. It owns no bytes then.
    pub excused: bool,
    /// Allowlists of the rule, by their index, that excuse it at the paths or commits they name. Sorted.
    pub pending: Vec<u16>,
    /// Indices of rules that matched the same bytes and are less specific.
    pub also: Vec<usize>,
    /// What those would have hidden beyond this match's secret, sorted. Masked wherever its line is shown.
    pub beside: Vec<Span>,
}

/// All matches of a text and its views.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The decoded views that something matched in, in the order of [`Match::view`] − 1.
    pub views: Vec<View>,
    /// Sorted by view, secret span, rule.
    pub matches: Vec<Match>,
    /// Whether more was encoded in it than is decoded.
    pub is_cut: bool,
}

/// What could not become an engine.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("rule `{rule}`: {reason}")]
pub struct EngineError {
    /// The rule.
    pub rule: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How a rule's matches are found.
enum Lane {
    /// Windows of `bound` bytes around keywords.
    Fast { pattern: String, bound: usize, run: Option<Run> },
    /// A hand-written matcher at keywords.
    Code(&'static dyn CodeMatcher),
    /// The whole text, searched without a prefilter.
    Slow { pattern: String },
    /// Nothing: its findings are files by their paths.
    Path,
}

/// A rule with the code it calls on.
struct Detector {
    rule: Arc<Rule>,
    lane: Lane,
    pattern: OnceLock<Option<Pattern>>,
    filters: Vec<&'static dyn Filter>,
    structure: Option<&'static dyn StructureCheck>,
}

/// A compiled rule set.
pub struct Engine {
    detectors: Vec<Detector>,
    prefilter: Prefilter,
    slow: Vec<usize>,
    /// What rule files ask beside patterns, by rule; empty if no rule has such terms.
    terms: Vec<Option<Terms>>,
    assume_structure: bool,
    reach: usize,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("rules", &self.detectors.len()).finish_non_exhaustive()
    }
}

/// The check a rule names.
fn structure_check(id: &str) -> Option<&'static dyn StructureCheck> {
    structure::ALL.iter().find(|check| check.id() == id).copied()
}

/// The built-in rules, sorted by id.
pub fn built_in_rules() -> Vec<Arc<Rule>> {
    crate::tables::RULES.iter().cloned().map(Arc::new).collect()
}

/// The built-in rule files: name and text.
pub fn built_in_files() -> &'static [(&'static str, &'static str)] {
    crate::tables::FILES
}

impl Engine {
    /// Makes an engine of `rules`. Patterns are compiled on first use; users' own (slow) ones at once.
    ///
    /// # Errors
    /// A rule names a filter, check or matcher that isn't there, or its pattern or a keyword is too large.
    pub fn new(rules: Vec<Arc<Rule>>) -> Result<Self, EngineError> {
        let terms = terms::compiled(&rules)?;
        let detectors = rules.into_iter().map(Detector::new).collect::<Result<Vec<_>, _>>()?;
        let prefilter = Prefilter::new(&detectors).map_err(|rule| EngineError {
            rule: detectors[rule].rule.id.to_string(),
            reason: "a keyword is too long".to_owned(),
        })?;
        let slow = (0..detectors.len()).filter(|&at| matches!(detectors[at].lane, Lane::Slow { .. })).collect();
        let reach = detectors.iter().map(Detector::reach).max().unwrap_or(0);
        Ok(Self { detectors, prefilter, slow, terms, assume_structure: false, reach })
    }

    /// Counts structure checks as held: for corpora whose values were scrambled.
    #[must_use]
    pub fn assuming_structure(mut self, yes: bool) -> Self {
        self.assume_structure = yes;
        self
    }

    /// All that matches depend on besides the bytes and this program's code: two engines of one build that are described
    /// alike find the same. Built-in rules are named, since they are the build's; others are spelled out.
    pub fn description(&self) -> String {
        // A field that is new here has to say whether it counts. These four follow from the rules.
        let Self { detectors, assume_structure, prefilter: _, slow: _, terms: _, reach: _ } = self;
        let built_in = crate::tables::RULES;
        let rules = detectors.iter().map(|Detector { rule, .. }| {
            let nth = built_in.binary_search_by(|built_in| built_in.id.cmp(&rule.id));
            let is_built_in = nth.is_ok_and(|nth| built_in[nth] == **rule);
            if is_built_in { format!("{:?}", rule.id) } else { format!("{rule:?}") }
        });
        format!("assume structure: {assume_structure:?}, rules: {}", rules.collect::<Vec<_>>().join(" "))
    }

    /// The rules, in the order of [`Match::rule`].
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Arc<Rule>> {
        self.detectors.iter().map(|detector| &detector.rule)
    }

    /// The rule of a match.
    pub fn rule(&self, index: usize) -> &Arc<Rule> {
        &self.detectors[index].rule
    }

    /// Ids of the rules that run in the slow lane.
    pub fn slow_rules(&self) -> Vec<&str> {
        self.slow.iter().map(|&at| self.detectors[at].rule.id.as_ref()).collect()
    }

    /// How far a match of a fast rule and what it looks at reach from its first byte, in bytes: what windows of a
    /// huge content must overlap by.
    pub fn reach(&self) -> usize {
        2 * self.reach + 2
    }

    /// All matches in `bytes` and its views.
    pub fn scan(&self, bytes: &[u8]) -> Scanned {
        self.scan_with(bytes, |text| self.search(text))
    }

    /// The matches in `bytes` if there is one to report, and what its children need to know. `parent`: a text scanned
    /// before, and how this one was made from it. Equal, but for texts with nothing but dropped matches, to
    /// [`Engine::scan`].
    pub fn follow(&self, parent: Option<(&Trace, &Edits)>, bytes: &[u8]) -> (Scanned, Trace) {
        let (found, trace) = self.found(parent, bytes);
        let scanned = self.settle(bytes, found, trace.wide());
        (scanned, trace)
    }

    /// As [`Engine::scan`], but empty for texts with nothing but dropped matches.
    pub fn report(&self, bytes: &[u8]) -> Scanned {
        self.settle(bytes, self.sweep(bytes, &mut ()), view::may_have_views(bytes))
    }

    /// Adds what the slow lane and the views hold, and settles ownership if there is anything to report.
    fn settle(&self, bytes: &[u8], mut found: Vec<Found>, wide: bool) -> Scanned {
        self.slow_lane(bytes, &mut found);
        let gathered = gather(bytes, found, wide, |text| self.search(text));
        if gathered.found.iter().flatten().all(|one| one.judged.dropped) {
            return Scanned { is_cut: gathered.is_cut, ..Scanned::default() };
        }
        let scanned = self.owned(bytes, gathered);
        if scanned.matches.iter().all(|found| found.dropped) {
            return Scanned { is_cut: scanned.is_cut, ..Scanned::default() };
        }
        scanned
    }

    /// As [`Engine::scan`], with another way to find matches.
    fn scan_with(&self, bytes: &[u8], search: impl Fn(&[u8]) -> Vec<Found>) -> Scanned {
        self.owned(bytes, gather(bytes, search(bytes), true, search))
    }

    /// Settles what matches what.
    fn owned(&self, bytes: &[u8], Gathered { views, found, is_cut }: Gathered) -> Scanned {
        let mut matches = Vec::new();
        for (view, found) in found.into_iter().enumerate() {
            let text = view.checked_sub(1).map_or(bytes, |view: usize| views[view].text.as_slice());
            self.own(view, text, found, &mut matches);
        }
        self.own_across(&views, &mut matches);
        self.find_again(bytes, &views, &mut matches);
        Scanned { views, matches, is_cut }
    }

    /// The matches of every rule in one text: the fast lane by keywords, the slow lane by whole search.
    fn search(&self, text: &[u8]) -> Vec<Found> {
        let mut found = self.sweep(text, &mut ());
        self.slow_lane(text, &mut found);
        found
    }

    /// Searches the whole text for users' rules that have no keyword or no bound.
    fn slow_lane(&self, text: &[u8], found: &mut Vec<Found>) {
        self.slow.iter().for_each(|&rule| self.slow_rule(text, rule, found));
    }

    /// Searches the whole text for one of them, if its terms admit it there.
    fn slow_rule(&self, text: &[u8], rule: usize, found: &mut Vec<Found>) {
        if self.terms_of(rule).is_none_or(|terms| terms.admit(text)) {
            self.detectors[rule].everywhere(text, |raw| found.push(self.judged(text, rule, raw)));
        }
    }

    /// A raw match, judged.
    fn judged(&self, text: &[u8], rule: usize, raw: RawMatch) -> Found {
        Found { start: raw.whole.start, judged: Arc::new(self.judge(text, rule, raw)) }
    }

    /// Settles which rule owns which bytes of one text.
    fn own(&self, view: usize, text: &[u8], found: Vec<Found>, matches: &mut Vec<Match>) {
        let mut found: Vec<Match> = found.iter().map(|one| Match { view, ..one.placed() }).collect();
        // The most specific rule first; among equals the longer secret, then the smaller id.
        found.sort_by_key(|one| {
            let specificity = self.detectors[one.rule].rule.specificity;
            (std::cmp::Reverse(specificity), std::cmp::Reverse(one.raw.secret.len()), one.rule, one.raw.secret.start)
        });
        let first = matches.len();
        let classes = if self.terms.is_empty() {
            vec![Some(0); found.len()]
        } else {
            self.settle_terms(text, &mut found, &mut |_, _| {});
            self.classes(&found)
        };
        // The matches so far by class and by where their secrets start; those of a class never overlap.
        let mut owners: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (one, class) in found.into_iter().zip(classes) {
            let Some(class) = class else {
                matches.push(one);
                continue;
            };
            let before = owners.range((class, 0)..(class, one.raw.secret.end)).rev().map(|(_, &at)| at);
            let Some(at) = before.take_while(|&at| matches[at].raw.secret.overlaps(one.raw.secret)).min() else {
                owners.insert((class, one.raw.secret.start), matches.len());
                matches.push(one);
                continue;
            };
            let owner = &mut matches[at];
            owner.beside.extend(one.raw.hidden().filter(|span| !owner.raw.secret.contains(*span)));
            if owner.rule != one.rule && !owner.also.contains(&one.rule) {
                owner.also.push(one.rule);
            }
        }
        let fresh = &mut matches[first..];
        for found in &mut *fresh {
            found.also.sort_unstable();
            found.beside.sort_unstable();
        }
        fresh.sort_by_key(|found| (found.raw.secret, found.rule));
    }

    /// Runs filters and the structure check on one match: a function of its own bytes.
    fn judge(&self, text: &[u8], rule: usize, raw: RawMatch) -> Match {
        self.judge_aloud(text, rule, raw, &mut |_| {})
    }

    /// The same; `record` is told every step.
    fn judge_aloud(&self, text: &[u8], rule: usize, raw: RawMatch, record: &mut Record<'_>) -> Match {
        let detector = &self.detectors[rule];
        let bytes = &text[raw.secret.start..raw.secret.end];
        let name = raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| *span);
        let candidate = Candidate {
            rule: &detector.rule,
            secret: raw.decoded.as_deref().unwrap_or(bytes),
            name: name.map_or(&[], |span| &text[span.start..span.end]),
            bare: raw.bare,
            place: Some((text, &raw)),
        };
        let mut judged = Match {
            rule,
            view: 0,
            confidence: detector.rule.confidence.percent(),
            validity: Validity::NotChecked,
            facts: Facts::default(),
            reasons: Vec::new(),
            dropped: false,
            excused: false,
            pending: Vec::new(),
            also: Vec::new(),
            beside: Vec::new(),
            raw: raw.clone(),
        };
        if let Some(check) = detector.structure {
            let whole = &text[raw.whole.start..raw.whole.end];
            let verdict = check.check(Token { secret: bytes, whole });
            record(&|| Step::structure(check.id(), &verdict));
            self.apply(detector, verdict, &mut judged);
        }
        // Random characters that a checksum holds for may spell a placeholder's word by chance.
        let proven = judged.validity == Validity::FormatProven;
        for filter in detector.filters.iter().filter(|filter| !proven || filter.judges_proven()) {
            let opinion = filter.judge(candidate);
            record(&|| Step::filter(filter.id(), opinion, text, &raw));
            match opinion {
                Opinion::Keep => {}
                Opinion::Lower(reason) => {
                    judged.confidence = judged.confidence.min(DOUBTFUL);
                    judged.reasons.push(reason);
                }
                Opinion::Rate(percent) => {
                    let doubted = !judged.reasons.is_empty();
                    judged.confidence = if doubted { percent.min(DOUBTFUL) } else { percent };
                    if Confidence::of(percent) == Confidence::Low {
                        judged.reasons.push("name, value and line are seldom those of a secret");
                    }
                }
                Opinion::Drop(reason) => {
                    judged.confidence = 0;
                    judged.dropped = true;
                    judged.reasons.push(reason);
                    break;
                }
            }
        }
        judged.raw = raw;
        if let Some(terms) = self.terms_of(rule).filter(|_| !judged.dropped) {
            terms.judge(text, &mut judged, record);
        }
        judged
    }

    /// Takes a structure check's verdict into account.
    fn apply(&self, detector: &Detector, verdict: Verdict, judged: &mut Match) {
        let proves = !SHAPE_ONLY.contains(&detector.rule.structure.as_ref());
        match verdict {
            Verdict::Holds(facts) => {
                judged.facts = facts;
                if proves {
                    judged.validity = Validity::FormatProven;
                    judged.confidence = judged.confidence.max(95);
                }
            }
            Verdict::Unknown(facts) => judged.facts = facts,
            Verdict::Fails(_) if self.assume_structure => {}
            Verdict::Fails(reason) => {
                judged.validity = if proves { Validity::FormatFailed } else { Validity::NotChecked };
                let ceiling = if detector.rule.structure_always { DISPROVEN } else { DOUBTFUL };
                judged.confidence = judged.confidence.min(ceiling);
                judged.reasons.push(reason);
            }
        }
    }
}

impl Detector {
    fn new(rule: Arc<Rule>) -> Result<Self, EngineError> {
        let wrong = |reason: String| EngineError { rule: rule.id.to_string(), reason };
        let lane = match &rule.matcher {
            Matcher::Pattern { pattern, bound: Some(bound), run } => {
                Lane::Fast { pattern: pattern.to_string(), bound: *bound, run: *run }
            }
            Matcher::Pattern { pattern, bound: None, .. } => Lane::Slow { pattern: pattern.to_string() },
            Matcher::Path => Lane::Path,
            Matcher::Code { name } => {
                Lane::Code(matcher::by_name(name).ok_or_else(|| wrong(format!("there is no matcher `{name}`")))?)
            }
        };
        let filters = rule
            .filters
            .iter()
            .map(|id| filter::by_id(id).ok_or_else(|| wrong(format!("there is no filter `{id}`"))))
            .collect::<Result<Vec<_>, _>>()?;
        let structure = match rule.structure.as_ref() {
            "" => None,
            id => Some(structure_check(id).ok_or_else(|| wrong(format!("there is no structure check `{id}`")))?),
        };
        let detector = Self { pattern: OnceLock::new(), rule: Arc::clone(&rule), lane, filters, structure };
        if let (Lane::Slow { pattern }, _) | (Lane::Fast { pattern, .. }, Some(_)) = (&detector.lane, detector.groups())
        {
            let compiled = Pattern::new(pattern, detector.groups()).map_err(wrong)?;
            detector.pattern.get_or_init(|| Some(compiled));
        }
        Ok(detector)
    }
}

impl Engine {
    /// Compiles every pattern.
    ///
    /// # Errors
    /// The first rule whose pattern doesn't compile.
    pub fn self_check(&self) -> Result<(), EngineError> {
        for detector in &self.detectors {
            if !matches!(detector.lane, Lane::Code(_) | Lane::Path) && detector.compiled().is_none() {
                let reason = "the pattern doesn't compile".to_owned();
                return Err(EngineError { rule: detector.rule.id.to_string(), reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;

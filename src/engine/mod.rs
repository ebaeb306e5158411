//! The engine: which rules match which bytes. A function of bytes and rules only: no I/O, no clock, no paths.
//!
//! In: bytes. Out: [`Match`]es. Keyword hit → match in a bounded window → filters → offline checks → which of several
//! rules owns a secret. Placing (tests, excludes, suppression) is the conductor's.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::finding::{Facts, Validity};
use crate::location::Span;
use crate::rule::{Matcher, Rule};
use crate::view::{self, View};

pub mod filter;
mod matcher;
mod prefilter;
pub mod reference;
pub mod structure;

pub use matcher::RawMatch;

use filter::{Candidate, Filter, Opinion};
use matcher::{CodeMatcher, Look, Pattern};
use prefilter::Prefilter;
use structure::{StructureCheck, Token, Verdict};

/// Checks whose success proves little: the shape is there, not more. They don't make a finding `formatProven`.
const SHAPE_ONLY: [&str; 5] = ["url-credentials", "connection-string", "basic-auth", "base64-key", "aws-key-id"];

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
    /// Indices of rules that matched the same bytes and are less specific.
    pub also: Vec<usize>,
    /// What those would have hidden beyond this match's secret, sorted. Masked wherever its line is shown.
    pub beside: Vec<Span>,
}

/// All matches of a text and its views.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The decoded views, in the order of [`Match::view`] − 1.
    pub views: Vec<View>,
    /// Sorted by view, secret span, rule.
    pub matches: Vec<Match>,
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
    Fast { pattern: String, bound: usize },
    /// A hand-written matcher at keywords.
    Code(&'static dyn CodeMatcher),
    /// The whole text, searched without a prefilter.
    Slow { pattern: String },
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
    /// A rule names a filter, check or matcher that isn't there, or its pattern is too large.
    pub fn new(rules: Vec<Arc<Rule>>) -> Result<Self, EngineError> {
        let detectors = rules.into_iter().map(Detector::new).collect::<Result<Vec<_>, _>>()?;
        let fast = detectors.iter().enumerate().filter(|(_, detector)| !matches!(detector.lane, Lane::Slow { .. }));
        let keywords = fast.flat_map(|(index, detector)| {
            let index = u32::try_from(index).expect("there are far fewer than 2^32 rules");
            detector.rule.keywords.iter().map(move |word| (index, word.as_ref()))
        });
        let prefilter = Prefilter::new(keywords);
        let slow = (0..detectors.len()).filter(|&at| matches!(detectors[at].lane, Lane::Slow { .. })).collect();
        let reach = detectors.iter().map(Detector::reach).max().unwrap_or(0);
        Ok(Self { detectors, prefilter, slow, assume_structure: false, reach })
    }

    /// Counts structure checks as held: for corpora whose values were scrambled.
    #[must_use]
    pub fn assuming_structure(mut self, yes: bool) -> Self {
        self.assume_structure = yes;
        self
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
        self.scan_with(bytes, |text, found| self.search(text, found))
    }

    /// As [`Engine::scan`], with another way to find raw matches.
    fn scan_with(&self, bytes: &[u8], search: impl Fn(&[u8], &mut Vec<(usize, RawMatch)>)) -> Scanned {
        let views = view::views(bytes);
        let mut matches = Vec::new();
        let mut found = Vec::new();
        for (at, text) in std::iter::once(bytes).chain(views.iter().map(|view| view.text.as_slice())).enumerate() {
            found.clear();
            search(text, &mut found);
            self.judge_all(text, at, &mut found, &mut matches);
        }
        Scanned { views, matches }
    }

    /// Finds the raw matches of every rule: the fast lane by keywords, the slow lane by whole search.
    fn search(&self, text: &[u8], found: &mut Vec<(usize, RawMatch)>) {
        // For each rule, where its next match may start at the earliest; made when there is a hit at all.
        let mut floors: Vec<usize> = Vec::new();
        self.prefilter.each_hit(text, |rule, keyword| {
            let rule = rule as usize;
            if floors.is_empty() {
                floors.resize(self.detectors.len(), 0);
            }
            if keyword.start < floors[rule] {
                return;
            }
            let look = self.detectors[rule].at_keyword(text, keyword, floors[rule]);
            floors[rule] = look.clear;
            found.extend(look.found.map(|raw| (rule, raw)));
        });
        for &rule in &self.slow {
            self.detectors[rule].everywhere(text, |raw| found.push((rule, raw)));
        }
    }

    /// Judges the raw matches of one text and settles which rule owns which bytes.
    fn judge_all(&self, text: &[u8], view: usize, found: &mut Vec<(usize, RawMatch)>, matches: &mut Vec<Match>) {
        // The most specific rule first; among equals the longer secret, then the smaller id.
        let key = |(rule, raw): &(usize, RawMatch)| {
            let specificity = self.detectors[*rule].rule.specificity;
            (std::cmp::Reverse(specificity), std::cmp::Reverse(raw.secret.len()), *rule, raw.secret.start)
        };
        found.sort_by_key(key);
        let first = matches.len();
        // The matches so far by where their secrets start; these never overlap.
        let mut owners: BTreeMap<usize, usize> = BTreeMap::new();
        for (rule, raw) in found.drain(..) {
            let before = owners.range(..raw.secret.end).rev().map(|(_, &at)| at);
            let Some(at) = before.take_while(|&at| matches[at].raw.secret.overlaps(raw.secret)).min() else {
                owners.insert(raw.secret.start, matches.len());
                matches.push(self.judge(text, view, rule, raw));
                continue;
            };
            let owner = &mut matches[at];
            owner.beside.extend(raw.hidden().filter(|span| !owner.raw.secret.contains(*span)));
            if owner.rule != rule && !owner.also.contains(&rule) {
                owner.also.push(rule);
            }
        }
        let fresh = &mut matches[first..];
        for found in &mut *fresh {
            found.also.sort_unstable();
            found.beside.sort_unstable();
        }
        fresh.sort_by_key(|found| (found.raw.secret, found.rule));
    }

    /// Runs filters and the structure check on one match.
    fn judge(&self, text: &[u8], view: usize, rule: usize, raw: RawMatch) -> Match {
        let detector = &self.detectors[rule];
        let bytes = &text[raw.secret.start..raw.secret.end];
        let name = raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| *span);
        let candidate = Candidate {
            rule: &detector.rule,
            secret: raw.decoded.as_deref().unwrap_or(bytes),
            name: name.map_or(&[], |span| &text[span.start..span.end]),
            bare: raw.bare,
        };
        let mut judged = Match {
            rule,
            view,
            confidence: detector.rule.confidence.percent(),
            validity: Validity::NotChecked,
            facts: Facts::default(),
            reasons: Vec::new(),
            dropped: false,
            also: Vec::new(),
            beside: Vec::new(),
            raw: raw.clone(),
        };
        if let Some(check) = detector.structure {
            let whole = &text[raw.whole.start..raw.whole.end];
            self.apply(detector, check.check(Token { secret: bytes, whole }), &mut judged);
        }
        // Random characters that a checksum holds for may spell a placeholder's word by chance.
        let proven = judged.validity == Validity::FormatProven;
        for filter in detector.filters.iter().filter(|filter| !proven || filter.judges_proven()) {
            match filter.judge(candidate) {
                Opinion::Keep => {}
                Opinion::Lower(reason) => {
                    judged.confidence = judged.confidence.min(DOUBTFUL);
                    judged.reasons.push(reason);
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
            Matcher::Pattern { pattern, bound: Some(bound) } => {
                Lane::Fast { pattern: pattern.to_string(), bound: *bound }
            }
            Matcher::Pattern { pattern, bound: None } => Lane::Slow { pattern: pattern.to_string() },
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
        if let Lane::Slow { pattern } = &detector.lane {
            let compiled = Pattern::new(pattern).map_err(wrong)?;
            detector.pattern.get_or_init(|| Some(compiled));
        }
        Ok(detector)
    }

    /// The compiled pattern. That built-in ones compile is a test's business; one that doesn't finds nothing here
    /// and fails [`Engine::self_check`].
    fn compiled(&self) -> Option<&Pattern> {
        let (Lane::Fast { pattern, .. } | Lane::Slow { pattern }) = &self.lane else { return None };
        self.pattern.get_or_init(|| Pattern::new(pattern).ok()).as_ref()
    }

    /// The match around a keyword hit.
    fn at_keyword(&self, text: &[u8], keyword: Span, floor: usize) -> Look {
        let nothing = Look { found: None, clear: floor };
        match &self.lane {
            Lane::Fast { bound, .. } => match self.compiled() {
                Some(pattern) => matcher::around(pattern, *bound, text, keyword, floor),
                None => nothing,
            },
            Lane::Code(code) => match code.find(text, keyword, floor) {
                Some(raw) => Look { clear: raw.whole.end, found: Some(raw) },
                None => nothing,
            },
            Lane::Slow { .. } => nothing,
        }
    }

    /// Every match of a pattern in the whole text, one after the other.
    fn everywhere(&self, text: &[u8], mut found: impl FnMut(RawMatch)) {
        let Some(pattern) = self.compiled() else { return };
        let mut from = 0;
        while let Some(raw) = pattern.find(text, Span::new(from, text.len())) {
            from = raw.whole.end.max(raw.whole.start + 1);
            found(raw);
            if from > text.len() {
                break;
            }
        }
    }

    /// How far from a keyword it looks.
    fn reach(&self) -> usize {
        match &self.lane {
            Lane::Fast { bound, .. } => *bound,
            Lane::Code(code) => code.reach(),
            Lane::Slow { .. } => 0,
        }
    }
}

impl Engine {
    /// Compiles every pattern.
    ///
    /// # Errors
    /// The first rule whose pattern doesn't compile.
    pub fn self_check(&self) -> Result<(), EngineError> {
        for detector in &self.detectors {
            if !matches!(detector.lane, Lane::Code(_)) && detector.compiled().is_none() {
                let reason = "the pattern doesn't compile".to_owned();
                return Err(EngineError { rule: detector.rule.id.to_string(), reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

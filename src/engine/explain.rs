//! How the engine comes to its verdicts, step by step, for people who ask why something is or isn't found.

use std::collections::BTreeMap;

use super::filter::Opinion;
use super::gather::{Gathered, gather};
use super::structure::Verdict;
use super::{Engine, Lane, Match, RawMatch, model};
use crate::location::Span;
use crate::view::View;

/// Features of a rating that are told.
const MOST_FEATURES: usize = 8;

/// One step of judging a match.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// An offline structure check.
    Structure {
        /// Its name.
        check: &'static str,
        /// What it said, in words.
        said: String,
    },
    /// A filter.
    Filter {
        /// Its name.
        id: &'static str,
        /// What it said.
        opinion: Opinion,
    },
    /// The model.
    Rated {
        /// Its name.
        id: &'static str,
        /// The likelihood it gives, percent.
        percent: u8,
        /// The features that say most, each with by how much the log odds would fall without it.
        features: Vec<(String, f32)>,
    },
    /// What a rule file asks: entropy, an allowlist, a required rule.
    Terms {
        /// The key in the file.
        what: &'static str,
        /// What came of it, in words.
        detail: String,
        /// Whether the match is no finding for it.
        drops: bool,
    },
}

/// Told of every step; the step is made only where somebody listens.
pub(super) type Record<'r> = dyn FnMut(&dyn Fn() -> Step) + 'r;

impl Step {
    /// The step of a structure check.
    pub(super) fn structure(check: &'static str, verdict: &Verdict) -> Self {
        let said = match verdict {
            Verdict::Holds(_) => "holds".to_owned(),
            Verdict::Unknown(_) => "can't tell".to_owned(),
            Verdict::Fails(reason) => format!("fails: {reason}"),
        };
        Self::Structure { check, said }
    }

    /// The step of a filter.
    pub(super) fn filter(id: &'static str, opinion: Opinion, text: &[u8], raw: &RawMatch) -> Self {
        let Opinion::Rate(percent) = opinion else { return Self::Filter { id, opinion } };
        let mut features = model::features(text, raw).map(|row| model::weighed(&row)).unwrap_or_default();
        features.truncate(MOST_FEATURES);
        Self::Rated { id, percent, features }
    }

    /// The name of what decided.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Structure { check, .. } => check,
            Self::Filter { id, .. } | Self::Rated { id, .. } => id,
            Self::Terms { what, .. } => what,
        }
    }

    /// What it said, in words.
    pub fn said(&self) -> String {
        match self {
            Self::Structure { said, .. } => said.clone(),
            Self::Filter { opinion: Opinion::Keep, .. } => "keeps it".to_owned(),
            Self::Filter { opinion: Opinion::Lower(reason), .. } => format!("doubts it: {reason}"),
            Self::Filter { opinion: Opinion::Drop(reason), .. } => format!("drops it: {reason}"),
            Self::Filter { opinion: Opinion::Rate(percent), .. } => format!("rates it at {percent}%"),
            Self::Rated { percent, features, .. } => {
                let features = features.iter().map(|(name, weight)| format!("{name} {weight:+.1}"));
                let features = features.collect::<Vec<_>>().join(", ");
                format!("rates it at {percent}%, for what says most of its log odds: {features}")
            }
            Self::Terms { detail, drops: true, .. } => format!("drops it: {detail}"),
            Self::Terms { detail, .. } => detail.clone(),
        }
    }

    /// Whether the match is no finding for it.
    pub fn drops(&self) -> bool {
        match self {
            Self::Structure { .. } | Self::Rated { .. } => false,
            Self::Filter { opinion, .. } => matches!(opinion, Opinion::Drop(_)),
            Self::Terms { drops, .. } => *drops,
        }
    }
}

/// A match with the way to its verdict.
#[derive(Clone, Debug)]
pub struct Told {
    /// The match.
    pub found: Match,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The rule that owns its bytes, where that is another match.
    pub owner: Option<usize>,
}

/// A keyword that led to no match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Miss {
    /// Where it stands in the bytes.
    pub keyword: Span,
    /// Index of the rule.
    pub rule: usize,
    /// How far it came.
    pub stage: Stage,
}

/// How far a keyword came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No match can have the keyword between the bytes that stand around it.
    Surroundings,
    /// The pattern, or hand-written matcher, doesn't match around it.
    Pattern,
}

impl Engine {
    /// Every match in `bytes` and its views, dropped ones too, with the steps that judged it; sorted by view and place.
    pub fn explain(&self, bytes: &[u8]) -> (Vec<View>, Vec<Told>) {
        let Gathered { views, found, .. } = gather(bytes, self.search(bytes), true, |text| self.search(text));
        let mut all = Vec::new();
        for (at, found) in found.into_iter().enumerate() {
            let text = at.checked_sub(1).map_or(bytes, |view: usize| views[view].text.as_slice());
            let mut told: Vec<Told> = Vec::new();
            for one in &found {
                let mut steps = Vec::new();
                let (rule, raw) = (one.judged.rule, one.placed().raw);
                let judged = self.judge_aloud(text, rule, raw, &mut |step| steps.push(step()));
                told.push(Told { found: Match { view: at, ..judged }, steps, owner: None });
            }
            let mut matches: Vec<Match> = told.iter().map(|one| one.found.clone()).collect();
            if !self.terms.is_empty() {
                self.settle_terms(text, &mut matches, &mut |nth, step| told[nth].steps.push(step));
            }
            let mut owners = Vec::new();
            self.own(at, text, found, &mut owners);
            for (one, settled) in told.iter_mut().zip(matches) {
                let is_own = |owner: &&Match| owner.rule == settled.rule && owner.raw == settled.raw;
                let over = |owner: &&Match| owner.raw.secret.overlaps(settled.raw.secret);
                one.owner = match owners.iter().find(is_own) {
                    Some(_) => None,
                    None => owners.iter().filter(|owner| !owner.excused).find(over).map(|owner| owner.rule),
                };
                one.found = settled;
            }
            all.extend(told);
        }
        self.tell_across(bytes, &mut all);
        all.sort_by_key(|one| (one.found.view, one.found.raw.secret, one.found.rule));
        (views, all)
    }

    /// What became of the matches of all texts taken together: the same bytes in several encodings are one match, and known
    /// values are found again.
    fn tell_across(&self, bytes: &[u8], all: &mut Vec<Told>) {
        for found in self.scan(bytes).matches {
            let same = |one: &&mut Told| {
                (one.found.view, one.found.rule) == (found.view, found.rule) && one.found.raw == found.raw
            };
            let step = |what, detail: Option<&&'static str>| Step::Terms {
                what,
                detail: (*detail.unwrap_or(&"")).to_owned(),
                drops: found.dropped,
            };
            match all.iter_mut().find(same) {
                Some(one) if one.found.reasons.len() < found.reasons.len() => {
                    one.steps.push(step("encodings", found.reasons.last()));
                    one.found = found;
                }
                Some(_) => {}
                None => {
                    let steps = vec![step("again", found.reasons.first())];
                    all.push(Told { found, steps, owner: None });
                }
            }
        }
    }

    /// What checks and filters said of a match in the text it was found in, asked once more.
    pub fn steps(&self, text: &[u8], found: &Match) -> Vec<Step> {
        let mut steps = Vec::new();
        self.judge_aloud(text, found.rule, found.raw.clone(), &mut |step| steps.push(step()));
        steps
    }

    /// The keywords in `part` of `bytes` that led to no match. Rules that were met and matched there are left out.
    pub fn missed(&self, bytes: &[u8], part: Span) -> Vec<Miss> {
        let lower = bytes[part.start..part.end].to_ascii_lowercase();
        // A keyword with several anchors came as far as the best of them; `None` led to a match.
        let mut all: BTreeMap<(Span, usize), Option<Stage>> = BTreeMap::new();
        for (rule, detector) in self.detectors.iter().enumerate() {
            if matches!(detector.lane, Lane::Slow { .. } | Lane::Path) {
                continue;
            }
            for anchor in detector.rule.anchors.iter() {
                for at in memchr::memmem::find_iter(&lower, anchor.keyword.as_bytes()) {
                    let keyword = Span::new(part.start + at, part.start + at + anchor.keyword.len());
                    let stage = all.entry((keyword, rule)).or_insert(Some(Stage::Surroundings));
                    if stage.is_some() && anchor.fits(bytes, keyword.start) && detector.may_match(bytes, keyword) {
                        *stage = match detector.at_keyword(bytes, keyword, 0).found {
                            Some(_) => None,
                            None => Some(Stage::Pattern),
                        };
                    }
                }
            }
        }
        let missed = all.into_iter().filter_map(|((keyword, rule), stage)| Some(Miss { keyword, rule, stage: stage? }));
        missed.collect()
    }
}

#[cfg(test)]
mod tests;

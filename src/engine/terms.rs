//! What rules of gitleaks' format ask of a match beside their pattern: which group is the secret, entropy, allowlists,
//! rules that must match near. Only what depends on the bytes is decided here; what asks for a path or commit stays
//! open and is the conductor's.

use std::collections::HashMap;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::explain::{Record, Step};
use super::{Engine, EngineError, Match};
use crate::location::{Span, line_window};
use crate::rule::terms::{self, Target};
use crate::rule::{Matcher, Rule};

/// How far around a match its lines are looked at, in bytes.
const REACH: usize = 64 << 10;

/// Compiled terms of one rule.
#[derive(Debug)]
pub(super) struct Terms {
    /// As they are written.
    said: Arc<terms::Terms>,
    /// One for each allowlist, in their order.
    allowlists: Vec<Arc<Allowlist>>,
    /// What must be somewhere in a text for the rule to be searched in it: its keywords. Only in the slow lane; in the
    /// fast one a keyword is in every match.
    gate: Option<Regex>,
    /// The required rules, by index.
    required: Vec<usize>,
}

/// What an allowlist asks of a match.
#[derive(Debug)]
pub(super) struct Allowlist {
    said: Arc<terms::Allowlist>,
    regexes: Option<Regex>,
    stopwords: Option<AhoCorasick>,
}

/// What an allowlist says of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    /// It is no finding.
    Allows,
    /// The place decides.
    AsksPlace,
    /// Nothing.
    Silent,
}

/// Compiles expressions as one.
fn compile(patterns: &[String]) -> Result<Option<Regex>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let built = Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(32 << 20)))
        .build_many(patterns);
    built.map(Some).map_err(|_| "all expressions of one allowlist together are too large".to_owned())
}

impl Allowlist {
    fn new(said: &Arc<terms::Allowlist>) -> Result<Self, String> {
        let stopwords = match said.stopwords.as_slice() {
            [] => None,
            words => Some(AhoCorasick::new(words).map_err(|_| "its stopwords are too many".to_owned())?),
        };
        Ok(Self { said: Arc::clone(said), regexes: compile(&said.regexes)?, stopwords })
    }

    /// What it says of a secret in its match; `lines` are those that the match touches, if they are at hand.
    fn saying(&self, secret: &[u8], matched: &[u8], lines: Option<&[u8]>) -> Saying {
        let target = match self.said.target {
            Target::Secret => Some(secret),
            Target::Match => Some(matched),
            Target::Line => lines,
        };
        let Some(target) = target else { return Saying::Silent };
        let by_regex = self.regexes.as_ref().map(|regex| regex.is_match(target));
        let by_word = || {
            let lower = String::from_utf8_lossy(secret).to_lowercase();
            self.stopwords.as_ref().map(|words| words.is_match(&lower))
        };
        let asks_place = self.said.asks_place();
        if self.said.needs_all {
            match by_regex != Some(false) && by_word() != Some(false) {
                true if asks_place => Saying::AsksPlace,
                true => Saying::Allows,
                false => Saying::Silent,
            }
        } else if by_regex == Some(true) || by_word() == Some(true) {
            Saying::Allows
        } else if asks_place {
            Saying::AsksPlace
        } else {
            Saying::Silent
        }
    }
}

/// Compiles the terms of all rules, in their order; nothing at all if no rule has any. Allowlists that rules share are
/// compiled once.
pub(super) fn compiled(rules: &[Arc<Rule>]) -> Result<Vec<Option<Terms>>, EngineError> {
    if rules.iter().all(|rule| rule.terms.is_none()) {
        return Ok(Vec::new());
    }
    let mut known: HashMap<*const terms::Allowlist, Arc<Allowlist>> = HashMap::new();
    let mut all = Vec::with_capacity(rules.len());
    for rule in rules {
        let Some(said) = &rule.terms else {
            all.push(None);
            continue;
        };
        let wrong = |reason: String| EngineError { rule: rule.id.to_string(), reason };
        let mut allowlists = Vec::new();
        for list in &said.allowlists {
            let compiled = match known.get(&Arc::as_ptr(list)) {
                Some(compiled) => Arc::clone(compiled),
                None => Arc::new(Allowlist::new(list).map_err(wrong)?),
            };
            known.insert(Arc::as_ptr(list), Arc::clone(&compiled));
            allowlists.push(compiled);
        }
        let find = |id: &str| rules.iter().position(|rule| rule.id == id);
        let required = said.required.iter().map(|required| {
            find(&required.rule).ok_or_else(|| wrong(format!("it requires `{}`, which is not active", required.rule)))
        });
        let required = required.collect::<Result<_, _>>()?;
        let gate = gate(rule).map_err(wrong)?;
        all.push(Some(Terms { said: Arc::clone(said), allowlists, gate, required }));
    }
    Ok(all)
}

/// The expression of a slow rule's keywords in any case.
fn gate(rule: &Rule) -> Result<Option<Regex>, String> {
    let is_own = rule.terms.as_ref().is_some_and(|terms| terms.groups.is_some());
    let is_slow = matches!(rule.matcher, Matcher::Pattern { bound: None, .. });
    if !is_own || !is_slow || rule.keywords.is_empty() {
        return Ok(None);
    }
    let words: Vec<String> = rule.keywords.iter().map(|word| regex_syntax::escape(word)).collect();
    let built = Regex::builder()
        .syntax(syntax::Config::new().utf8(false).case_insensitive(true))
        .configure(Regex::config().utf8_empty(false))
        .build_many(&words);
    built.map(Some).map_err(|_| "its keywords are too many".to_owned())
}

/// A match without the line breaks around it.
pub(super) fn trimmed(text: &[u8], whole: Span) -> Span {
    let matched = &text[whole.start..whole.end];
    let Some(first) = matched.iter().position(|&byte| byte != b'\n') else { return whole };
    let last = matched.iter().rposition(|&byte| byte != b'\n').unwrap_or(first);
    Span::new(whole.start + first, whole.start + last + 1)
}

/// Shannon entropy in bits per character.
pub(super) fn entropy(secret: &[u8]) -> f64 {
    let mut counts: HashMap<char, u32> = HashMap::new();
    let text = String::from_utf8_lossy(secret);
    text.chars().for_each(|c| *counts.entry(c).or_default() += 1);
    let total = f64::from(counts.values().sum::<u32>());
    let mut counts: Vec<u32> = counts.into_values().collect();
    // Sums of fractions depend on their order.
    counts.sort_unstable();
    counts.into_iter().map(|count| f64::from(count) / total).map(|p| -p * p.log2()).sum()
}

impl Terms {
    /// Whether the slow lane is to search a text at all.
    pub(super) fn admit(&self, text: &[u8]) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.is_match(text))
    }

    /// Judges a match by its own bytes.
    pub(super) fn judge(&self, text: &[u8], judged: &mut Match, record: &mut Record<'_>) {
        let Span { start, end } = judged.raw.secret;
        let secret = judged.raw.decoded.as_deref().unwrap_or(&text[start..end]);
        if self.said.entropy > 0.0 {
            let bits = entropy(secret);
            let holds = bits > self.said.entropy;
            record(&|| Step::Terms {
                what: "entropy",
                detail: format!("{bits:.2} bits per character, of which more than {} are asked", self.said.entropy),
                drops: !holds,
            });
            if !holds {
                return excuse(judged, "its entropy is not above what the rule asks");
            }
        }
        let secret = secret.to_vec();
        self.ask_allowlists(&secret, text, judged, None, record);
    }

    /// Asks those allowlists that look at lines (`lines` given), or all others.
    fn ask_allowlists(
        &self,
        secret: &[u8],
        text: &[u8],
        judged: &mut Match,
        lines: Option<&[u8]>,
        record: &mut Record<'_>,
    ) {
        let Span { start, end } = trimmed(text, judged.raw.whole);
        let of_lines = |list: &Allowlist| list.said.target == Target::Line && !list.said.regexes.is_empty();
        for (nth, list) in (0..).zip(&self.allowlists).filter(|(_, list)| of_lines(list) == lines.is_some()) {
            let saying = list.saying(secret, &text[start..end], lines);
            record(&|| Step::Terms {
                what: "allowlist",
                detail: match list.said.description.as_str() {
                    "" => format!("number {}", nth + 1),
                    description => description.to_owned(),
                } + match saying {
                    Saying::Allows => " allows it",
                    Saying::AsksPlace => " asks for its path or commit",
                    Saying::Silent => " says nothing of it",
                },
                drops: saying == Saying::Allows,
            });
            match saying {
                Saying::Allows => return excuse(judged, "an allowlist of the rule file allows it"),
                Saying::AsksPlace => judged.pending.push(nth),
                Saying::Silent => {}
            }
        }
        judged.pending.sort_unstable();
    }
}

/// Takes a match out of what is found. It stays masked, and no longer owns what other rules match.
fn excuse(judged: &mut Match, why: &'static str) {
    judged.confidence = 0;
    judged.dropped = true;
    judged.excused = true;
    judged.reasons.push(why);
}

/// Which matches of one rule set may own each other's bytes: those that are reported at the same places.
#[derive(PartialEq)]
struct Class<'t> {
    is_own: bool,
    path: Option<&'t str>,
    pending: Vec<*const terms::Allowlist>,
}

impl Engine {
    /// The terms of a rule.
    pub(super) fn terms_of(&self, rule: usize) -> Option<&Terms> {
        self.terms.get(rule)?.as_ref()
    }

    /// Judges the matches of one text by what stands around them: lines, other matches.
    pub(super) fn settle_terms(&self, text: &[u8], found: &mut [Match], record: &mut dyn FnMut(usize, Step)) {
        for (nth, one) in found.iter_mut().enumerate().filter(|(_, one)| !one.dropped) {
            let Some(terms) = self.terms_of(one.rule) else { continue };
            let window = line_window(text, one.raw.whole, REACH);
            let secret =
                one.raw.decoded.clone().unwrap_or_else(|| text[one.raw.secret.start..one.raw.secret.end].to_vec());
            let lines = Some(&text[window.start..window.end]);
            terms.ask_allowlists(&secret, text, one, lines, &mut |step| record(nth, step()));
        }
        let needs = |one: &Match| {
            let terms = self.terms_of(one.rule);
            terms.is_some_and(|terms| !terms.required.is_empty() || terms.said.is_auxiliary)
        };
        if !found.iter().any(needs) {
            return;
        }
        let breaks: Vec<usize> = memchr::memchr_iter(b'\n', text).collect();
        let position = |one: &Match| {
            let start = one.raw.whole.start;
            let line = breaks.partition_point(|&at| at < start);
            (line as u64, (start - line.checked_sub(1).map_or(0, |line| breaks[line] + 1)) as u64)
        };
        let alive: Vec<(usize, (u64, u64))> =
            found.iter().filter(|one| !one.dropped).map(|one| (one.rule, position(one))).collect();
        for (nth, one) in found.iter_mut().enumerate().filter(|(_, one)| !one.dropped) {
            let Some(terms) = self.terms_of(one.rule) else { continue };
            let (line, column) = position(one);
            let missing = terms.required.iter().zip(&terms.said.required).find(|(rule, asked)| {
                !alive.iter().any(|(other, at)| {
                    let near = |limit: Option<u64>, a: u64, b: u64| limit.is_none_or(|limit| a.abs_diff(b) <= limit);
                    other == *rule && near(asked.within_lines, line, at.0) && near(asked.within_columns, column, at.1)
                })
            });
            for (what, detail, why) in [
                missing.map(|(_, asked)| ("required", format!("`{}` doesn't match near", asked.rule), UNMET)),
                terms.said.is_auxiliary.then(|| ("skipReport", "the rule only serves others".to_owned(), AUXILIARY)),
            ]
            .into_iter()
            .flatten()
            {
                record(nth, Step::Terms { what, detail, drops: true });
                if !one.dropped {
                    excuse(one, why);
                }
            }
        }
    }

    /// The matches that may own each other's bytes, each with a number of its class; those that may neither own nor be
    /// owned have none.
    pub(super) fn classes(&self, found: &[Match]) -> Vec<Option<usize>> {
        let mut classes: Vec<Class<'_>> = Vec::new();
        let class = |one: &Match| {
            if one.excused {
                return None;
            }
            let terms = self.terms_of(one.rule);
            let class = Class {
                is_own: terms.is_some_and(|terms| terms.said.groups.is_some()),
                path: terms.and_then(|terms| terms.said.path.as_deref()),
                pending: one
                    .pending
                    .iter()
                    .filter_map(|&nth| terms?.said.allowlists.get(usize::from(nth)).map(Arc::as_ptr))
                    .collect(),
            };
            Some(classes.iter().position(|known| *known == class).unwrap_or_else(|| {
                classes.push(class);
                classes.len() - 1
            }))
        };
        found.iter().map(class).collect()
    }
}

/// Why a match without the rules it requires is none.
const UNMET: &str = "a rule that it requires doesn't match near";

/// Why a match of an auxiliary rule is none.
const AUXILIARY: &str = "its rule only serves others";

#[cfg(test)]
mod tests;

//! Filters: what is no secret although it looks like one. One file each; a rule names those it wants, in order.

use super::RawMatch;
use crate::rule::Rule;

mod documented;
mod entropy;
mod model;
mod named;
mod placeholder;
mod plain;
mod reference;
mod repetitive;
mod stated;
mod wordlike;

pub use entropy::shannon;
pub use model::UNLIKELY;
pub(crate) use wordlike::{is_uuid, same_words};

/// What a filter sees.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The rule that matched.
    pub rule: &'a Rule,
    /// The secret's bytes.
    pub secret: &'a [u8],
    /// The name it is assigned to; empty when there is none.
    pub name: &'a [u8],
    /// Whether it stood without quotes.
    pub bare: bool,
    /// The text it stands in, and where.
    pub place: Option<(&'a [u8], &'a RawMatch)>,
}

/// What a filter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Nothing against it.
    Keep,
    /// It is doubtful; why, in a clause.
    Lower(&'static str),
    /// It is no secret; why, in a clause.
    Drop(&'static str),
    /// It is a secret with this likelihood, percent.
    Rate(u8),
}

/// One filter. A function of its argument only.
pub trait Filter: Sync {
    /// The name rules use.
    fn id(&self) -> &'static str;

    /// Whether it is asked about secrets that an offline check has proven.
    fn judges_proven(&self) -> bool {
        false
    }

    /// Judges a candidate.
    fn judge(&self, candidate: Candidate<'_>) -> Opinion;
}

/// Every filter, by name.
pub static ALL: &[&dyn Filter] = &[
    &documented::Documented,
    &placeholder::Placeholder,
    &plain::Plain,
    &repetitive::Repetitive,
    &entropy::Entropy,
    &model::Model,
    &named::Named,
    &reference::Reference,
    &stated::Stated,
    &wordlike::Wordlike,
];

/// The filter a rule names.
pub(crate) fn by_id(id: &str) -> Option<&'static dyn Filter> {
    ALL.iter().find(|filter| filter.id() == id).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Confidence, Matcher, Severity};

    /// Runs one filter on a secret with a rule of no account.
    pub(super) fn opinion(id: &str, name: &str, secret: &str, entropy: f32) -> Opinion {
        opinion_of(id, name, secret, entropy, false)
    }

    /// The same for a value with or without quotes.
    pub(super) fn opinion_of(id: &str, name: &str, secret: &str, entropy: f32, bare: bool) -> Opinion {
        let rule = Rule {
            id: "x".into(),
            name: "x".into(),
            provider: "".into(),
            description: "".into(),
            source: "".into(),
            keywords: vec![].into(),
            matcher: Matcher::Code { name: "x".into() },
            anchors: Default::default(),
            structure: "".into(),
            structure_always: true,
            public_prefix: "".into(),
            random_bits: 0,
            severity: Severity::Low,
            confidence: Confidence::Low,
            target: "".into(),
            cloud: "".into(),
            family: "".into(),
            cwe: 798,
            filters: vec![].into(),
            entropy,
            types: vec![].into(),
            specificity: 0,
            remediation: "".into(),
            terms: None,
        };
        let candidate = Candidate { rule: &rule, secret: secret.as_bytes(), name: name.as_bytes(), bare, place: None };
        by_id(id).expect("the test names a filter").judge(candidate)
    }

    #[test]
    fn the_loader_knows_every_filter() {
        let mut here: Vec<&str> = ALL.iter().map(|filter| filter.id()).collect();
        let mut there = crate::rule::load::FILTERS.to_vec();
        here.sort_unstable();
        there.sort_unstable();
        assert_eq!(here, there);
    }
}

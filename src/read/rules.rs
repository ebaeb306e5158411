//! The rules and remedies that a report speaks of: the built-in ones by id and key, else as the report tells them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::enrich::remedy::{self, Remedy};
use crate::rule::{Confidence, Matcher, Rule, Severity, Text};
use crate::tables;

/// Rules by id; each is made once.
#[derive(Default)]
pub(super) struct Rules {
    known: BTreeMap<String, Arc<Rule>>,
}

impl Rules {
    /// The rule `id`, in which `tell` puts what the report says of it.
    pub(super) fn get(&mut self, id: &str, tell: impl FnOnce(&mut Rule)) -> Arc<Rule> {
        if let Some(rule) = self.known.get(id) {
            return Arc::clone(rule);
        }
        let built_in = tables::RULES.iter().find(|rule| rule.id == id);
        let mut rule = built_in.cloned().unwrap_or_else(|| plain(id));
        tell(&mut rule);
        let rule = Arc::new(rule);
        self.known.insert(id.to_owned(), Arc::clone(&rule));
        rule
    }
}

/// Sets a text of a rule, if it differs.
pub(super) fn set(text: &mut Text, told: &str) {
    if text != told {
        *text = Cow::Owned(told.to_owned());
    }
}

/// A rule of which nothing is known but its id. Nothing matches with it.
fn plain(id: &str) -> Rule {
    Rule {
        id: Cow::Owned(id.to_owned()),
        name: Cow::Owned(id.to_owned()),
        provider: Cow::Borrowed(""),
        description: Cow::Borrowed("A rule of the user's own."),
        source: Cow::Borrowed(""),
        keywords: Cow::Borrowed(&[]),
        matcher: Matcher::Code { name: Cow::Borrowed("") },
        anchors: Cow::Borrowed(&[]),
        structure: Cow::Borrowed(""),
        structure_always: false,
        public_prefix: Cow::Borrowed(""),
        random_bits: 0,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        target: Cow::Borrowed("unknown"),
        cloud: Cow::Borrowed(""),
        family: Cow::Borrowed(""),
        cwe: 0,
        filters: Cow::Borrowed(&[]),
        entropy: 0.0,
        types: Cow::Borrowed(&[]),
        specificity: 0,
        remediation: Cow::Borrowed("generic-secret"),
        terms: None,
    }
}

/// The remedy that a report spells out: the built-in one of these words, else the report's own.
pub(super) fn remedy(key: &str, title: &str, steps: &[String], end_state: &str) -> Cow<'static, Remedy> {
    let is_it = |remedy: &&Remedy| {
        remedy.title == title && remedy.end_state == end_state && remedy.steps.iter().eq(steps.iter())
    };
    if let Some(known) = Some(remedy::by_key(key)).filter(is_it).or_else(|| tables::REMEDIES.iter().find(is_it)) {
        return Cow::Borrowed(known);
    }
    Cow::Owned(Remedy {
        key: Cow::Owned(key.to_owned()),
        title: Cow::Owned(title.to_owned()),
        steps: steps.iter().map(|step| Cow::Owned(step.clone())).collect::<Vec<_>>().into(),
        end_state: Cow::Owned(end_state.to_owned()),
    })
}

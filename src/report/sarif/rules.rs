//! Rules as SARIF describes them: those that have a result in the run. A consumer needs no others, and a run without
//! the rest stays small enough to upload; how many were active is a property of the run.

use std::collections::BTreeMap;

use serde_json::json;

use super::log::{Configuration, Descriptor, Message, Properties, Relationship};
use super::taxonomies::Taxonomies;
use crate::enrich::remedy::{Remedy, by_key};
use crate::finding::ScanReport;
use crate::rule::{Rule, Severity};

/// Longest text GitHub keeps of a description, in characters. Source: GitHub "SARIF support for code scanning", read
/// 2026-11.
const LONGEST: usize = 1024;

/// The rules of one run, sorted by id.
pub(super) struct Rules {
    /// As written.
    pub(super) descriptors: Vec<Descriptor>,
    /// Each rule's place among them.
    index: BTreeMap<String, usize>,
}

impl Rules {
    /// The rules of a root's findings.
    pub(super) fn of(scan: &ScanReport, taxonomies: &Taxonomies) -> Self {
        let rules: BTreeMap<&str, (&Rule, &Remedy)> =
            scan.findings.iter().map(|found| (&*found.rule.id, (&*found.rule, &*found.remedy))).collect();
        Self {
            index: rules.keys().enumerate().map(|(index, id)| ((*id).to_owned(), index)).collect(),
            descriptors: rules.into_values().map(|(rule, remedy)| descriptor(rule, remedy, taxonomies)).collect(),
        }
    }

    /// The index of the rule named `id`.
    pub(super) fn index(&self, id: &str) -> usize {
        *self.index.get(id).expect("the rules were gathered from the same findings")
    }
}

/// SARIF's word for a severity.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// One rule.
fn descriptor(rule: &Rule, remedy: &Remedy, taxonomies: &Taxonomies) -> Descriptor {
    let relationship = |target| Relationship { target, kinds: ["superset"] };
    Descriptor {
        id: rule.id.to_string(),
        name: Some(pascal(&rule.id)),
        short_description: Message::new(sentence(&rule.name)),
        full_description: Some(Message::new(sentence(&rule.description))),
        help: Some(help(rule, remedy)),
        help_uri: Some(help_uri(rule)),
        default_configuration: Some(Configuration { level: level(rule.severity) }),
        relationships: taxonomies.weakness(rule.cwe).map(relationship).into_iter().collect(),
        properties: properties(rule, remedy),
    }
}

/// What hosts read of a rule, and what the descriptor has no other place for. A remedy that isn't the built-in one of
/// its key is spelled out.
fn properties(rule: &Rule, remedy: &Remedy) -> Properties {
    let mut properties = Properties::from([
        ("keytrail/provider", (&*rule.provider).into()),
        ("keytrail/remediation", (&*remedy.key).into()),
        ("keytrail/target", (&*rule.target).into()),
        ("precision", rule.confidence.word().into()),
        ("security-severity", rule.severity.score().into()),
        ("tags", tags(rule).into()),
    ]);
    if remedy != by_key(&remedy.key) {
        let Remedy { key: _, title, steps, end_state } = remedy;
        properties.insert("keytrail/remedy", json!({ "title": title, "steps": steps, "endState": end_state }));
    }
    properties
}

/// As many tags as code hosts keep.
const MOST_TAGS: usize = 10;

/// The tags of a rule. `security` makes GitHub read `security-severity`, and
/// `external/cwe/…` is where it reads the CWE.
fn tags(rule: &Rule) -> Vec<String> {
    let mut tags = vec!["security".to_owned(), "secret".to_owned()];
    if rule.cwe != 0 {
        tags.push(format!("external/cwe/cwe-{:03}", rule.cwe));
    }
    let own = rule.terms.iter().flat_map(|terms| terms.tags.iter().cloned());
    for tag in [&rule.provider, &rule.family, &rule.target].map(ToString::to_string).into_iter().chain(own) {
        if !tag.is_empty() && !tags.contains(&tag) && tags.len() < MOST_TAGS {
            tags.push(tag);
        }
    }
    tags
}

/// What it is and what to do, as text and as markdown.
fn help(rule: &Rule, remedy: &Remedy) -> Message {
    let description = sentence(&rule.description);
    let steps: Vec<_> = remedy.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    let end = sentence(&remedy.end_state);
    Message {
        text: format!("{description}\n\n{}:\n{}\n\n{end}", remedy.title, steps.join("\n")),
        markdown: Some(format!(
            "{description}\n\n## {}\n\n{}\n\n**Better still:** {end}",
            remedy.title,
            steps.join("\n")
        )),
    }
}

/// Where the secret's format is documented, or our own page.
fn help_uri(rule: &Rule) -> String {
    let words = rule.source.split_whitespace().map(|word| word.trim_matches(['<', '>', ',', ';', '(', ')', '.']));
    words
        .into_iter()
        .find(|word| word.starts_with("https://") || word.starts_with("http://"))
        .unwrap_or(env!("CARGO_PKG_HOMEPAGE"))
        .to_owned()
}

/// `text` ended by a full stop and no longer than code hosts take.
fn sentence(text: &str) -> String {
    let mut text = text.trim().to_owned();
    if let Some((at, _)) = text.char_indices().nth(LONGEST - 2) {
        text.truncate(at);
        text.push('…');
    }
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// `a kebab-case text` as an identifier: `AKebabCaseText`.
pub(super) fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..]);
    words.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pascal_case() {
        assert_eq!(pascal("github-pat"), "GithubPat");
        assert_eq!(pascal("Use of Hard-coded Password"), "UseOfHardCodedPassword");
        assert_eq!(pascal("ü-1password--x"), "1passwordX");
    }

    #[test]
    fn every_rule_has_help_with_title_steps_and_end_state() {
        assert!(!crate::tables::RULES.is_empty());
        for rule in crate::tables::RULES {
            let remedy = by_key(&rule.remediation);
            let Message { text, markdown } = help(rule, remedy);
            let markdown = markdown.expect("help has markdown");
            for form in [&text, &markdown] {
                assert!(form.starts_with(&*rule.description), "{}", rule.id);
                assert!(form.contains(&*remedy.title) && form.contains(&*remedy.end_state), "{}", rule.id);
                assert!(remedy.steps.iter().all(|step| form.contains(&**step)), "{}", rule.id);
            }
            // A heading, then one list whose items are numbered in order, then a paragraph.
            let blocks: Vec<&str> = markdown.split("\n\n").collect();
            let [.., heading, list, end] = blocks[..] else { panic!("{}: {markdown}", rule.id) };
            assert_eq!(heading, format!("## {}", remedy.title));
            assert!(
                list.lines().enumerate().all(|(at, line)| line.starts_with(&format!("{}. ", at + 1))),
                "{}",
                rule.id
            );
            assert_eq!(list.lines().count(), remedy.steps.len());
            assert!(end.starts_with("**Better still:** "));
            assert_eq!(markdown.matches('`').count() % 2, 0, "{}", rule.id);
        }
    }

    #[test]
    fn sentences_end_and_are_cut() {
        assert_eq!(sentence(" A key "), "A key.");
        assert_eq!(sentence("A key."), "A key.");
        assert_eq!(sentence(&"ü".repeat(5000)).chars().count(), LONGEST);
    }
}

//! Which rules are active, as the configuration says; and the list of them for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::config::RuleName;
use super::error::{CliError, printable};
use crate::gitleaks;
use crate::rule::Rule;

/// Users' rules and the choice among all.
#[derive(Clone, Debug, Default)]
pub struct RuleChoice {
    /// Rule files: those of the configuration, then those of `--rules`.
    pub files: Vec<RuleFile>,
    /// Rules that are off.
    pub disable: Vec<RuleName>,
    /// If set, only these are on.
    pub enable_only: Option<Vec<RuleName>>,
    /// Rules that `[[suppress]]` entries name; they must exist.
    pub suppressed: Vec<RuleName>,
}

/// A rule file of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// As the user knows it.
    pub name: String,
    /// TOML.
    pub text: String,
    /// The file that it extends, which gitleaks' format allows.
    pub base: Option<Box<RuleFile>>,
}

impl RuleFile {
    /// A file with these bytes.
    ///
    /// # Errors
    /// They are not UTF-8.
    pub(super) fn new(name: String, bytes: Vec<u8>) -> Result<Self, CliError> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text, base: None }),
            Err(_) => Err(CliError::new(format!("{name}: the text is not UTF-8"))),
        }
    }

    /// The same with the files that it extends, which `read` reads by the paths they are named by.
    ///
    /// # Errors
    /// One of them can't be read, or the chain is too long.
    pub(super) fn extended(self, read: &mut dyn FnMut(&str) -> Result<Self, CliError>) -> Result<Self, CliError> {
        self.extended_to(gitleaks::DEEPEST, read)
    }

    /// The same with as many files.
    fn extended_to(
        mut self,
        depth: usize,
        read: &mut dyn FnMut(&str) -> Result<Self, CliError>,
    ) -> Result<Self, CliError> {
        let is_theirs = gitleaks::is_gitleaks(&self.text);
        let Some(path) = is_theirs.then(|| gitleaks::base(&self.text)).flatten() else { return Ok(self) };
        let Some(depth) = depth.checked_sub(1) else {
            let deepest = gitleaks::DEEPEST;
            return Err(CliError::new(format!(
                "{}: it extends `{path}`, which makes a chain of more than {deepest} files that are extended",
                self.name
            )));
        };
        let base = read(&path).map_err(|error| CliError::new(format!("{}: [extend]: {error}", self.name)))?;
        self.base = Some(Box::new(base.extended_to(depth, read)?));
        Ok(self)
    }
}

impl RuleChoice {
    /// Which of `all` rule ids, built in and users', are active.
    ///
    /// # Errors
    /// Ids that the configuration names and that don't exist, all at once; or no rule is left, with which every scan
    /// would be clean.
    pub fn active<'a>(&self, all: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<&'a str>, CliError> {
        let all: BTreeSet<&str> = all.into_iter().collect();
        let named = self.disable.iter().chain(self.enable_only.iter().flatten()).chain(&self.suppressed);
        let unknown: BTreeSet<(&str, &str)> = named
            .filter(|name| !all.contains(name.id.as_str()))
            .map(|name| (name.at.as_str(), name.id.as_str()))
            .collect();
        let lines = unknown.iter().map(|(at, id)| format!("{at}: there is no rule `{id}`: see `keytrail rules list`"));
        if let Some(error) = CliError::all(lines.collect()) {
            return Err(error);
        }
        let off: BTreeSet<&str> = self.disable.iter().map(|name| name.id.as_str()).collect();
        let only: Option<BTreeSet<&str>> =
            self.enable_only.as_ref().map(|names| names.iter().map(|name| name.id.as_str()).collect());
        let active: BTreeSet<&str> = all
            .into_iter()
            .filter(|id| !off.contains(id) && only.as_ref().is_none_or(|only| only.contains(id)))
            .collect();
        if active.is_empty() {
            return Err(CliError::new(
                "configuration: it leaves no rule active, so nothing could be found: change `enable-only` or `disable` \
                 in [rules]",
            ));
        }
        Ok(active)
    }
}

/// The rules for people, one a line, in the order given: id, severity, confidence, name. Then what else there is to know.
#[must_use]
pub fn list<'a>(rules: impl IntoIterator<Item = &'a Rule>, notes: &[String]) -> String {
    let rules: Vec<&Rule> = rules.into_iter().collect();
    let widest = rules.iter().map(|rule| rule.id.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in &rules {
        let (severity, confidence) = (rule.severity.word(), rule.confidence.word());
        let (id, name) = (printable(&rule.id), printable(&rule.name));
        writeln!(out, "{id:widest$}  {severity:8}  {confidence:6}  {name}").expect("a String takes every write");
    }
    let plural = if rules.len() == 1 { "rule" } else { "rules" };
    writeln!(out, "{} {plural} active", rules.len()).expect("a String takes every write");
    for note in notes {
        writeln!(out, "note: {}", printable(note)).expect("a String takes every write");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names on line 7.
    fn names(ids: &[&str]) -> Vec<RuleName> {
        ids.iter().map(|id| RuleName { id: (*id).to_owned(), at: "k.toml:7".to_owned() }).collect()
    }

    #[test]
    fn rules_are_chosen_by_name() {
        let all = ["a", "b", "c"];
        let active = |choice: RuleChoice| choice.active(all).map(|ids| ids.into_iter().collect::<String>());
        assert_eq!(active(RuleChoice::default()), Ok("abc".to_owned()));
        assert_eq!(active(RuleChoice { disable: names(&["b"]), ..RuleChoice::default() }), Ok("ac".to_owned()));
        let only =
            RuleChoice { enable_only: Some(names(&["a", "b"])), disable: names(&["b"]), ..RuleChoice::default() };
        assert_eq!(active(only), Ok("a".to_owned()));
    }

    #[test]
    fn a_choice_without_rules_is_an_error() {
        for choice in [
            RuleChoice { enable_only: Some(Vec::new()), ..RuleChoice::default() },
            RuleChoice { disable: names(&["a", "b"]), ..RuleChoice::default() },
            RuleChoice { enable_only: Some(names(&["a"])), disable: names(&["a"]), ..RuleChoice::default() },
        ] {
            let error = choice.active(["a", "b"]).expect_err("none is left").to_string();
            assert!(error.contains("no rule active"), "{error}");
        }
    }

    #[test]
    fn rules_that_do_not_exist_are_all_named() {
        let choice = RuleChoice { disable: names(&["x"]), suppressed: names(&["y", "a"]), ..RuleChoice::default() };
        let error = choice.active(["a"]).expect_err("two don't exist").to_string();
        assert_eq!(
            error,
            "k.toml:7: there is no rule `x`: see `keytrail rules list`\nk.toml:7: there is no rule `y`: see `keytrail rules list`"
        );
    }
}

//! `keytrail rules show ID`: everything about one rule, for people.

use std::fmt::{self, Write as _};

use crate::cli::CliError;
use crate::cli::error::printable;
use crate::engine::{Engine, built_in_files};
use crate::enrich::remedy;
use crate::finding::mask;
use crate::location::Span;
use crate::rule::load::{Loaded, Origin, load};
use crate::rule::terms::{Allowlist, Groups, Terms};
use crate::rule::{Matcher, Rule};
use crate::specimen;

/// Columns that texts are wrapped to.
const WIDTH: usize = 96;

/// Columns of the labels.
const MARGIN: usize = 13;

/// Examples that are shown.
const EXAMPLES: usize = 4;

/// The rule `id` as text. `ours`: rules of the user's files with their examples.
///
/// # Errors
/// There is no such rule.
pub(super) fn text(engine: &Engine, ours: &[(String, Loaded)], id: &str) -> Result<String, CliError> {
    let Some(index) = engine.rules().position(|rule| rule.id == id) else {
        let similar: Vec<&str> = engine
            .rules()
            .map(|rule| rule.id.as_ref())
            .filter(|it: &&str| it.contains(id) || id.contains(it))
            .collect();
        let hint = match similar.as_slice() {
            [] => "see `keytrail rules list`".to_owned(),
            similar => format!("is it one of {}?", similar[..similar.len().min(5)].join(", ")),
        };
        return Err(CliError::new(format!("there is no rule `{id}`: {hint}")));
    };
    let examples = ours.iter().map(|(_, loaded)| loaded).find(|loaded| loaded.rule.id == id).cloned();
    let examples = examples.or_else(|| built_in(id));
    let mut page = Page { out: String::new() };
    page.rule(engine.rule(index), engine, examples.as_ref()).expect("a String takes every write");
    Ok(page.out)
}

/// A built-in rule with its examples.
fn built_in(id: &str) -> Option<Loaded> {
    let read = |(file, text): &(&str, &str)| load(file, text, Origin::BuiltIn).expect("the build has checked them");
    built_in_files().iter().flat_map(read).find(|loaded| loaded.rule.id == id)
}

/// The page while it is written.
struct Page {
    out: String,
}

impl Page {
    /// A label and what belongs to it, wrapped; nothing where that is empty.
    fn line(&mut self, label: &str, text: &str) -> fmt::Result {
        let mut label = label;
        let mut line = String::new();
        for word in printable(text).split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH - MARGIN {
                writeln!(self.out, "{label:MARGIN$}{line}")?;
                (label, line) = ("", String::new());
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if line.is_empty() { Ok(()) } else { writeln!(self.out, "{label:MARGIN$}{line}") }
    }

    /// A label and a text that is not broken.
    fn verbatim(&mut self, label: &str, text: &str) -> fmt::Result {
        writeln!(self.out, "{label:MARGIN$}{}", printable(text))
    }

    /// Everything.
    fn rule(&mut self, rule: &Rule, engine: &Engine, loaded: Option<&Loaded>) -> fmt::Result {
        self.verbatim("id", &rule.id)?;
        self.line("name", &rule.name)?;
        self.line("provider", &rule.provider)?;
        self.line("about", &rule.description)?;
        self.line("format", &rule.source)?;
        writeln!(self.out)?;
        self.line("severity", rule.severity.word())?;
        let sure = rule.confidence;
        self.line("confidence", &format!("{} ({}%), when checks and filters pass", sure.word(), sure.percent()))?;
        self.line("opens", &opens(rule))?;
        self.line("types", &rule.types.join(", "))?;
        self.line("weakness", &format!("CWE-{}", rule.cwe))?;
        writeln!(self.out)?;
        self.recognition(rule)?;
        if let Some(terms) = &rule.terms {
            self.terms(terms)?;
        }
        self.line(
            "specificity",
            &format!("{}: of several rules that match, the highest names the finding", rule.specificity),
        )?;
        self.line("fingerprint", fingerprint(rule))?;
        if let Some(loaded) = loaded {
            self.examples(rule, engine, "found", &loaded.examples)?;
            self.examples(rule, engine, "not found", &loaded.counterexamples)?;
        }
        let remedy = remedy::by_key(&rule.remediation);
        writeln!(self.out)?;
        self.line("what to do", &remedy.title)?;
        for (nth, step) in remedy.steps.iter().enumerate() {
            self.line("", &format!("{}. {step}", nth + 1))?;
        }
        self.line("better", &remedy.end_state)
    }

    /// Keywords, pattern, lane, checks, filters.
    fn recognition(&mut self, rule: &Rule) -> fmt::Result {
        self.line("keywords", &rule.keywords.join(", "))?;
        match &rule.matcher {
            Matcher::Pattern { pattern, bound, .. } => {
                match rule.terms.as_ref().map(|terms| terms.written.as_str()).filter(|written| !written.is_empty()) {
                    Some(written) => self.verbatim("regex", written)?,
                    None => self.verbatim("pattern", pattern)?,
                }
                let is_gated = rule.terms.is_some() && !rule.keywords.is_empty();
                let over = if is_gated { "every text with one of its keywords" } else { "every byte" };
                let lane = match bound {
                    Some(bound) => format!("fast: around its keywords, in matches of {bound} bytes at most"),
                    None => format!("slow: over {over}, since no keyword or no longest match is proven"),
                };
                self.line("lane", &lane)?;
            }
            Matcher::Path => self.line("matches", "files by their path, whatever they hold")?,
            Matcher::Code { name } => {
                self.line("matcher", &format!("{name}, written by hand, around its keywords"))?;
            }
        }
        if !rule.structure.is_empty() {
            let always = if rule.structure_always { "all genuine ones carry it" } else { "genuine ones may lack it" };
            self.line("check", &format!("{}, offline: {always}", rule.structure))?;
        }
        self.line("filters", &rule.filters.join(", "))?;
        if rule.entropy > 0.0 {
            self.line("entropy", &format!("{} bits a byte at least, for the entropy filter", rule.entropy))?;
        }
        self.line("prefix", &rule.public_prefix)
    }

    /// What a rule file asks.
    fn terms(&mut self, terms: &Terms) -> fmt::Result {
        match terms.groups {
            Some(Groups::Nth(group)) => self.line("secret", &format!("capture group {group}"))?,
            Some(Groups::FirstFilled) => self.line("secret", "the first capture group that isn't empty, else all")?,
            None => {}
        }
        if terms.entropy > 0.0 {
            self.line("entropy", &format!("more than {} bits a character", terms.entropy))?;
        }
        if let Some(path) = &terms.path {
            self.verbatim("path", path)?;
        }
        for required in &terms.required {
            let within = [(required.within_lines, "lines"), (required.within_columns, "columns")];
            let within = within.iter().filter_map(|(n, what)| n.map(|n| format!("{n} {what}")));
            let within = within.collect::<Vec<_>>().join(" and ");
            let within = if within.is_empty() { "the same text".to_owned() } else { within };
            self.line("requires", &format!("{} within {within}", required.rule))?;
        }
        if terms.is_auxiliary {
            self.line("reported", "no: it only serves rules that require it")?;
        }
        for list in &terms.allowlists {
            self.line("allowlist", &criteria(list))?;
        }
        self.line("tags", &terms.tags.join(", "))
    }

    /// Examples, made from their templates, secrets masked.
    fn examples(&mut self, rule: &Rule, engine: &Engine, label: &str, templates: &[String]) -> fmt::Result {
        for (nth, template) in templates.iter().take(EXAMPLES).enumerate() {
            if nth == 0 {
                writeln!(self.out)?;
            }
            let Ok(text) = specimen::expand(template, 1) else { continue };
            let found = engine.scan(&text).matches;
            let hidden = found.iter().filter(|found| found.view == 0).flat_map(|found| found.raw.hidden());
            let shown = mask::masked(&text, Span::new(0, text.len().min(2_000)), &mask::merged(hidden.collect()));
            let shown: String = shown.replace('\n', "⏎").chars().take(WIDTH - MARGIN).collect();
            debug_assert!(!rule.id.is_empty());
            self.verbatim(if nth == 0 { label } else { "" }, &shown)?;
        }
        Ok(())
    }
}

/// What a secret of the rule opens.
fn opens(rule: &Rule) -> String {
    match rule.cloud.as_ref() {
        "" => format!("{} ({})", rule.target, rule.family),
        cloud => format!("{} in {cloud} ({})", rule.target, rule.family),
    }
}

/// How findings of the rule are told apart.
fn fingerprint(rule: &Rule) -> &'static str {
    match rule.random_bits {
        80.. => "by a hash of the value (80 random bits and more)",
        _ => "by rule, path and name, unless a key is given: the value could be guessed",
    }
}

/// What an allowlist asks.
fn criteria(list: &Allowlist) -> String {
    let counted = [
        (list.commits.len(), "commits"),
        (list.paths.len(), "paths"),
        (list.regexes.len(), "regexes"),
        (list.stopwords.len(), "stopwords"),
    ];
    let parts: Vec<String> =
        counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let parts = parts.join(if list.needs_all { " and " } else { " or " });
    match list.description.as_str() {
        "" => parts,
        description => format!("{description} ({parts})"),
    }
}

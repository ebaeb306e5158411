//! Users' rules in gitleaks' TOML. In: a file, those it extends, and our built-in rules. Out: rules of ours with
//! [`Terms`], which the engine and the conductor act on; or every mistake with its line.
//!
//! What is read and where it differs from gitleaks stands in `docs/gitleaks-rules.md`. Nothing is ignored in silence:
//! unknown keys are mistakes, and so is a file that leaves no rule active.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use toml::de::DeTable;

use crate::rule::load::Mistake;
use crate::rule::proof::{self, LONGEST_BOUND};
use crate::rule::terms::{Allowlist, Groups, Terms};
use crate::rule::{Confidence, Matcher, Rule, Severity};

mod dialect;
mod layer;
mod names;
mod reader;

use layer::{Draft, Global, Layer};
use reader::At;

/// How many files deep a chain of extensions may be, the user's own file aside.
pub const DEEPEST: usize = 2;

/// Largest compiled expression, in bytes.
const LARGEST: usize = 8 << 20;

/// How many ways to write a rule's keywords may be looked for.
const MOST_SPELLINGS: usize = 64;

/// Longest keyword of the fast lane, in bytes.
const LONGEST_KEYWORD: usize = 60;

/// A file's name and text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// As the user knows it.
    pub name: &'s str,
    /// TOML.
    pub text: &'s str,
}

/// What a file and those it extends come to.
#[derive(Debug)]
pub struct Loaded {
    /// All active rules, sorted by id; the built-in ones among them if they are extended.
    pub rules: Vec<Arc<Rule>>,
    /// Whether the built-in rules are extended.
    pub uses_built_in: bool,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Whether a rule file is in gitleaks' format: that one says `[[rules]]` where ours says `[[rule]]`.
pub fn is_gitleaks(text: &str) -> bool {
    let is_theirs = |key: &str| ["rules", "extend", "allowlist", "allowlists", "minversion", "title"].contains(&key);
    match DeTable::parse(text) {
        Ok(table) => table.get_ref().keys().any(|key| is_theirs(&key.get_ref().to_lowercase())),
        // Broken TOML is read by its headings, so that the mistake is told by the right reader.
        Err(_) => text.lines().any(|line| {
            let name = line.trim().trim_matches(['[', ']']).to_lowercase();
            line.trim_start().starts_with('[') && is_theirs(name.split('.').next().unwrap_or_default())
        }),
    }
}

/// The file that one in gitleaks' format extends. What is wrong with it is told by [`load`].
pub fn base(text: &str) -> Option<String> {
    layer::read(&Source { name: "", text }).ok().and_then(|layer| layer.base)
}

/// Loads `chain`: the user's file, the one it extends, and so on.
///
/// # Errors
/// Every mistake of all files.
pub fn load(chain: &[Source<'_>], built_in: &[Arc<Rule>]) -> Result<Loaded, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut layers = Vec::new();
    for source in chain {
        match layer::read(source) {
            Ok(layer) => layers.push(layer),
            Err(more) => mistakes.extend(more),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let top = At { file: chain.first().map_or_else(String::new, |source| source.name.to_owned()), line: 1 };
    let mut merged = Merged::default();
    for layer in layers.into_iter().rev() {
        merged.add(layer, built_in);
    }
    merged.finish(&top)
}

/// A rule on its way: one of ours, what files say of it, or both.
#[derive(Debug)]
enum Entry {
    /// A built-in rule that no file mentions.
    BuiltIn(Arc<Rule>),
    /// A built-in rule of which files say something.
    Changed(Arc<Rule>, Draft),
    /// A rule of the files' own.
    Own(Draft),
}

/// The layers so far.
#[derive(Debug, Default)]
struct Merged {
    rules: BTreeMap<String, Entry>,
    allowlists: Vec<Global>,
    uses_built_in: bool,
    notes: Vec<String>,
    mistakes: Vec<Mistake>,
}

impl Merged {
    /// Lays a file over those it extends.
    fn add(&mut self, layer: Layer, built_in: &[Arc<Rule>]) {
        if layer.uses_default {
            self.uses_built_in = true;
            let entry = |rule: &Arc<Rule>| (rule.id.to_string(), Entry::BuiltIn(rule.clone()));
            self.rules.extend(built_in.iter().map(entry));
        }
        for (id, At { file, line }) in &layer.disabled {
            if self.rules.remove(id).is_none() {
                self.notes.push(format!(
                    "{file}:{line}: `disabledRules` names `{id}`, which is no rule of what is extended: see `keytrail \
                     rules list`"
                ));
            }
        }
        let mut seen = BTreeSet::new();
        for draft in layer.rules {
            if !seen.insert(draft.id.clone()) {
                self.mistakes.push(draft.at.mistake(format!("rule `{}` stands twice in this file", draft.id)));
            }
            let entry = match self.rules.remove(&draft.id) {
                None => Entry::Own(draft),
                Some(Entry::BuiltIn(rule)) => Entry::Changed(rule, draft),
                Some(Entry::Changed(rule, base)) => Entry::Changed(rule, over(base, draft)),
                Some(Entry::Own(base)) => Entry::Own(over(base, draft)),
            };
            self.rules.insert(entry.id().to_owned(), entry);
        }
        self.allowlists.extend(layer.allowlists);
        self.notes.extend(layer.notes);
    }

    /// The rules.
    fn finish(mut self, top: &At) -> Result<Loaded, Vec<Mistake>> {
        let mut rules: Vec<Arc<Rule>> = Vec::new();
        for (id, entry) in &self.rules {
            let global = self
                .allowlists
                .iter()
                .filter(|global| global.targets.is_empty() || global.targets.iter().any(|(target, _)| target == id));
            let global: Vec<Arc<Allowlist>> = global.map(|global| global.allowlist.clone()).collect();
            match entry.rule(&global) {
                Ok(rule) => rules.push(rule),
                Err(mistakes) => self.mistakes.extend(mistakes),
            }
        }
        for (target, at) in self.allowlists.iter().flat_map(|global| &global.targets) {
            if !self.rules.contains_key(target) {
                self.mistakes.push(at.mistake(format!("`targetRules` names `{target}`, which is no rule")));
            }
        }
        let drafts = self.rules.values().filter_map(Entry::draft);
        let unmet: Vec<Mistake> = drafts.flat_map(|draft| unmet(draft, &rules)).collect();
        self.mistakes.extend(unmet);
        if self.mistakes.is_empty() && !rules.iter().any(|rule| is_reported(rule)) {
            self.mistakes.push(top.mistake(
                "it leaves no rule active, so nothing could be found: without `[extend]` the built-in rules don't apply",
            ));
        }
        self.mistakes.sort();
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        Ok(Loaded { rules, uses_built_in: self.uses_built_in, notes: self.notes })
    }
}

/// Whether findings of a rule are reported.
fn is_reported(rule: &Rule) -> bool {
    rule.terms.as_ref().is_none_or(|terms| !terms.is_auxiliary)
}

/// A rule laid over one of the same id: what it says replaces, lists grow.
fn over(base: Draft, own: Draft) -> Draft {
    let filled = |own: String, base: String| if own.is_empty() { base } else { own };
    let mut merged = Draft {
        id: own.id,
        at: own.at,
        description: filled(own.description, base.description),
        regex: own.regex.or(base.regex),
        written: filled(own.written, base.written),
        path: own.path.or(base.path),
        secret_group: own.secret_group.or(base.secret_group),
        entropy: if own.entropy > 0.0 { own.entropy } else { base.entropy },
        skip_report: own.skip_report || base.skip_report,
        keywords: base.keywords,
        tags: base.tags,
        allowlists: base.allowlists,
        required: base.required,
    };
    merged.keywords.extend(own.keywords);
    merged.tags.extend(own.tags);
    merged.allowlists.extend(own.allowlists);
    merged.required.extend(own.required);
    merged
}

/// What keeps the rules that one requires from being asked.
fn unmet(draft: &Draft, rules: &[Arc<Rule>]) -> Vec<Mistake> {
    let find = |id: &str| rules.iter().find(|rule| rule.id == id);
    let own = find(&draft.id).and_then(|rule| rule.terms.clone()).unwrap_or_default();
    let unmet = |id: &str| match find(id) {
        _ if id == draft.id => Some("itself"),
        None => Some("which is no rule"),
        Some(rule) => {
            let terms = rule.terms.clone().unwrap_or_default();
            let shared = |list: &Arc<Allowlist>| own.allowlists.iter().any(|one| Arc::ptr_eq(one, list));
            let asks_place = terms.allowlists.iter().any(|list| list.asks_place() && !shared(list));
            if terms.path.is_some() || asks_place {
                Some("which asks for a path or commit of its own: that is not supported in a rule that others require")
            } else if !terms.required.is_empty() {
                Some("which requires others itself: that is not supported")
            } else {
                None
            }
        }
    };
    let reasons = draft.required.iter().filter_map(|(required, at)| {
        let why = unmet(&required.rule)?;
        Some(at.mistake(format!("rule `{}` requires `{}`, {why}", draft.id, required.rule)))
    });
    reasons.collect()
}

impl Entry {
    /// What files say.
    fn draft(&self) -> Option<&Draft> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Changed(_, draft) | Self::Own(draft) => Some(draft),
        }
    }

    /// The rule's id.
    fn id(&self) -> &str {
        match self {
            Self::BuiltIn(rule) => &rule.id,
            Self::Changed(_, draft) | Self::Own(draft) => &draft.id,
        }
    }

    /// The rule it comes to, with the allowlists of the whole file.
    fn rule(&self, global: &[Arc<Allowlist>]) -> Result<Arc<Rule>, Vec<Mistake>> {
        match self {
            Self::BuiltIn(rule) if global.is_empty() => Ok(Arc::clone(rule)),
            Self::BuiltIn(rule) => {
                let terms = Terms { allowlists: global.to_vec(), ..Terms::default() };
                Ok(Arc::new(Rule { terms: Some(Arc::new(terms)), ..Rule::clone(rule) }))
            }
            Self::Changed(rule, draft) if draft.regex.is_none() => changed(rule, draft, global),
            Self::Changed(rule, draft) => own(draft, Some(rule), global),
            Self::Own(draft) => own(draft, None, global),
        }
    }
}

/// The terms of a draft.
fn terms(draft: &Draft, groups: Option<Groups>, global: &[Arc<Allowlist>]) -> Arc<Terms> {
    Arc::new(Terms {
        groups,
        written: draft.written.clone(),
        entropy: draft.entropy,
        path: draft.path.clone(),
        names: None,
        allowlists: draft.allowlists.iter().chain(global).cloned().collect(),
        required: draft.required.iter().map(|(required, _)| required.clone()).collect(),
        is_auxiliary: draft.skip_report,
        tags: draft.tags.clone(),
    })
}

/// A built-in rule to which a file adds something.
fn changed(rule: &Rule, draft: &Draft, global: &[Arc<Allowlist>]) -> Result<Arc<Rule>, Vec<Mistake>> {
    if let Some((_, at)) = &draft.secret_group {
        let reason = format!("`secretGroup` of the built-in rule `{}` can't be changed without a `regex`", draft.id);
        return Err(vec![at.mistake(reason)]);
    }
    let description =
        if draft.description.is_empty() { rule.description.clone() } else { draft.description.clone().into() };
    Ok(Arc::new(Rule { terms: Some(terms(draft, None, global)), description, ..rule.clone() }))
}

/// A rule of the file's own; `built_in`: the one whose pattern it replaces.
fn own(draft: &Draft, built_in: Option<&Rule>, global: &[Arc<Allowlist>]) -> Result<Arc<Rule>, Vec<Mistake>> {
    let wrong = |at: &At, reason: &str| vec![at.mistake(format!("rule `{}`: {reason}", draft.id))];
    let Some((regex, at)) = &draft.regex else { return for_paths(draft, global) };
    if regex.empty {
        return Err(wrong(at, "the regex matches the empty text, so it would match everywhere"));
    }
    let groups = match &draft.secret_group {
        Some((group, at)) if *group > regex.groups => {
            return Err(wrong(at, &format!("there is no group {group}, the regex has {}", regex.groups)));
        }
        Some((group, _)) => Groups::Nth(*group),
        None => Groups::FirstFilled,
    };
    let mut keywords = draft.keywords.clone();
    keywords.extend(built_in.iter().flat_map(|rule| rule.keywords.iter().map(|word| word.to_lowercase())));
    let (matcher, anchors) = lane(&regex.pattern, &keywords).map_err(|reason| wrong(at, &reason))?;
    let fresh = Rule {
        keywords: keywords.into_iter().map(Into::into).collect(),
        matcher,
        anchors: anchors.into(),
        terms: Some(terms(draft, Some(groups), global)),
        ..fresh(draft)
    };
    Ok(Arc::new(match built_in {
        None => fresh,
        Some(rule) => Rule {
            severity: rule.severity,
            target: rule.target.clone(),
            cloud: rule.cloud.clone(),
            remediation: rule.remediation.clone(),
            ..fresh
        },
    }))
}

/// A rule for a path alone.
fn for_paths(draft: &Draft, global: &[Arc<Allowlist>]) -> Result<Arc<Rule>, Vec<Mistake>> {
    let wrong = |reason: &str| vec![draft.at.mistake(format!("rule `{}`: {reason}", draft.id))];
    let Some(path) = &draft.path else { return Err(wrong("it needs a `regex` or a `path`")) };
    if !draft.required.is_empty() {
        return Err(wrong("without a `regex` it can't require others: files have no lines to be near"));
    }
    let names = names::names(path).map_err(|reason| wrong(&reason))?;
    let terms = Terms { names: Some(names), ..Terms::clone(&terms(draft, Some(Groups::FirstFilled), global)) };
    Ok(Arc::new(Rule { terms: Some(Arc::new(terms)), matcher: Matcher::Path, ..fresh(draft) }))
}

/// A rule with what a draft says for people, and nothing to match.
fn fresh(draft: &Draft) -> Rule {
    let name = if draft.description.is_empty() { &draft.id } else { &draft.description };
    let name = name.lines().next().unwrap_or_default().trim_end_matches('.').chars().take(120).collect::<String>();
    Rule {
        id: draft.id.clone().into(),
        name: name.into(),
        provider: "".into(),
        description: match draft.description.as_str() {
            "" => format!("Rule of {}.", draft.at.file).into(),
            text => text.to_owned().into(),
        },
        source: draft.at.file.clone().into(),
        keywords: Vec::new().into(),
        matcher: Matcher::Path,
        anchors: Vec::new().into(),
        structure: "".into(),
        structure_always: true,
        public_prefix: "".into(),
        random_bits: 0,
        severity: Severity::High,
        confidence: Confidence::Medium,
        target: "unknown".into(),
        cloud: "".into(),
        family: "key".into(),
        cwe: 798,
        filters: Vec::new().into(),
        entropy: 0.0,
        types: Vec::new().into(),
        specificity: 50,
        remediation: "generic-secret".into(),
        terms: None,
    }
}

/// Which lane a pattern goes: the fast one if one of its keywords is proven to be in every match.
fn lane(pattern: &str, keywords: &[String]) -> Result<(Matcher, Vec<crate::rule::anchor::Anchor>), String> {
    let slow = Matcher::Pattern { pattern: pattern.to_owned().into(), bound: None, run: None };
    let is_sharp = |word: &String| word.is_ascii() && (3..=LONGEST_KEYWORD).contains(&word.len());
    if !keywords.iter().all(is_sharp) {
        return Ok((slow, Vec::new()));
    }
    // In any case, `s` and `k` are written in a third way, which few patterns allow.
    for words in [Some(keywords.to_vec()), spellings(keywords)].into_iter().flatten() {
        let proof = proof::prove(pattern, &words)?;
        if let Some(bound) = proof.bound.filter(|&bound| proof.keyword && bound <= LONGEST_BOUND) {
            let matcher = Matcher::Pattern { pattern: pattern.to_owned().into(), bound: Some(bound), run: proof.run };
            return Ok((matcher, proof::anchors(pattern, &words)?));
        }
    }
    Ok((slow, Vec::new()))
}

/// All ways to write the keywords with characters that are `s` and `k` in another case (U+017F and U+212A); `None` if
/// they are too many.
fn spellings(keywords: &[String]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for word in keywords {
        let mut ways = vec![String::new()];
        for c in word.chars() {
            let others: &[char] = match c {
                's' => &['s', '\u{17f}'],
                'k' => &['k', '\u{212a}'],
                _ => &[c],
            };
            ways = ways.iter().flat_map(|way| others.iter().map(move |c| format!("{way}{c}"))).collect();
            if all.len() + ways.len() > MOST_SPELLINGS {
                return None;
            }
        }
        all.extend(ways);
    }
    Some(all)
}

/// Whether an expression of ours can be compiled.
fn compiles(pattern: &str) -> Result<(), String> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(LARGEST)))
        .build(pattern)
        .map(drop)
        .map_err(|_| format!("compiled it would be larger than {} MiB", LARGEST >> 20))
}

#[cfg(test)]
mod tests;

//! From TOML to rules: one loader for `build.rs` and for `--rules`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::anchor::Anchor;
use super::contextual::{Contextual, JOINT, joint};
use super::proof::{self, LONGEST_BOUND};
use super::{Confidence, Matcher, Rule, Severity, Text};

/// Hand-written matchers of the engine that rules may name.
pub const MATCHERS: [&str; 9] = [
    "pem-private-key",
    "putty-private-key",
    "pgp-private-key",
    "ssh2-private-key",
    "gcp-service-account",
    "generic-assignment",
    "jwk-private-key",
    "nkey-seed",
    "pkcs12-file",
];

/// Filters that rules may name; see `engine/filter`.
pub const FILTERS: [&str; 10] = [
    "documented",
    "placeholder",
    "plain",
    "repetitive",
    "entropy",
    "named",
    "reference",
    "stated",
    "wordlike",
    "model",
];

/// What a secret may open.
pub const FAMILIES: [&str; 3] = ["key", "connection_string", "sas_token"];

/// How strict the loader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A bound and a keyword are proven, examples are there; anything else is an error.
    BuiltIn,
    /// What can't be proven goes the slow lane.
    User,
}

/// A rule as loaded, with what only its tests need.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The rule.
    pub rule: Rule,
    /// Templates the rule must match.
    pub examples: Vec<String>,
    /// Templates it must not match at medium confidence or above.
    pub counterexamples: Vec<String>,
}

/// A mistake in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file as named.
    pub file: String,
    /// 1-based line of the rule or of the syntax error.
    pub line: usize,
    /// What is wrong, in one line.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    contextual: Vec<Spanned<RawContextual>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    keywords: Vec<String>,
    pattern: Option<String>,
    matcher: Option<String>,
    #[serde(default)]
    structure: String,
    #[serde(default = "yes")]
    structure_always: bool,
    #[serde(default)]
    public_prefix: String,
    #[serde(default)]
    random_bits: u32,
    severity: Option<Severity>,
    confidence: Option<Confidence>,
    #[serde(default = "unknown")]
    target: String,
    #[serde(default)]
    cloud: String,
    #[serde(default = "key")]
    family: String,
    #[serde(default = "hard_coded_credentials")]
    cwe: u32,
    filters: Option<Vec<String>>,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default = "middling")]
    specificity: u32,
    #[serde(default = "general")]
    remediation: String,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    counterexamples: Vec<String>,
}

/// A rule whose pattern and examples are made from words and a value; see [`Contextual`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContextual {
    id: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    description: String,
    #[serde(default = "general_knowledge")]
    source: String,
    words: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    alone: bool,
    value: String,
    specimen: String,
    #[serde(default)]
    random_bits: u32,
    #[serde(default = "much")]
    severity: Severity,
    #[serde(default = "unknown")]
    target: String,
    #[serde(default)]
    cloud: String,
    filters: Option<Vec<String>>,
    #[serde(default = "spread")]
    entropy: f32,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default = "vendor")]
    remediation: String,
}

impl RawContextual {
    /// The rule it stands for, or what is wrong with its words.
    fn rule(self) -> Result<RawRule, String> {
        let Self { words, names, alone, value, specimen, .. } = &self;
        let shape = Contextual { words, names, alone: *alone, value, specimen };
        if let Some(mistake) = shape.mistake() {
            return Err(mistake);
        }
        let (pattern, examples, counterexamples) = (shape.pattern(), shape.examples(), shape.counterexamples());
        let usual = || ["placeholder", "repetitive", "reference", "wordlike", "entropy"].map(String::from).to_vec();
        Ok(RawRule {
            id: self.id,
            name: self.name,
            provider: self.provider,
            description: format!("{} Found by the name it is assigned to.", self.description),
            source: self.source,
            keywords: self.words,
            pattern: Some(pattern),
            matcher: None,
            structure: String::new(),
            structure_always: true,
            public_prefix: String::new(),
            random_bits: self.random_bits,
            severity: Some(self.severity),
            confidence: Some(Confidence::Medium),
            target: self.target,
            cloud: self.cloud,
            family: key(),
            cwe: hard_coded_credentials(),
            filters: Some(self.filters.unwrap_or_else(usual).into_iter().chain(["named".to_owned()]).collect()),
            entropy: self.entropy,
            types: self.types,
            specificity: 60,
            remediation: self.remediation,
            examples,
            counterexamples,
        })
    }
}

fn general_knowledge() -> String {
    "shape from general knowledge of the format".into()
}

fn much() -> Severity {
    Severity::High
}

/// Bits per byte that random hexadecimal digits nearly always exceed, and fillers don't.
fn spread() -> f32 {
    2.8
}

fn vendor() -> String {
    "vendor-token".into()
}

fn yes() -> bool {
    true
}

fn unknown() -> String {
    "unknown".into()
}

fn key() -> String {
    "key".into()
}

/// CWE-798, use of hard-coded credentials.
fn hard_coded_credentials() -> u32 {
    798
}

fn middling() -> u32 {
    50
}

fn general() -> String {
    "generic-secret".into()
}

/// Reads the rules of one file. `file` names it in mistakes.
///
/// # Errors
/// Every mistake in the file, sorted by line.
pub fn load(file: &str, text: &str, origin: Origin) -> Result<Vec<Loaded>, Vec<Mistake>> {
    let mistake = |line, reason| Mistake { file: file.to_owned(), line, reason };
    let parsed: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        vec![mistake(line, error.message().replace('\n', " "))]
    })?;
    let mut loaded = Vec::new();
    let mut mistakes = Vec::new();
    let mut raws: Vec<(usize, String, Result<RawRule, String>)> = Vec::new();
    for raw in parsed.rule {
        let start = raw.span().start;
        let raw = raw.into_inner();
        raws.push((start, raw.id.clone(), Ok(raw)));
    }
    for raw in parsed.contextual {
        let start = raw.span().start;
        let raw = raw.into_inner();
        raws.push((start, raw.id.clone(), raw.rule()));
    }
    raws.sort_by_key(|(start, ..)| *start);
    for (start, id, raw) in raws {
        let line = line_of(text, start);
        match raw.map_err(|reason| vec![reason]).and_then(|raw| check(raw, origin)) {
            Ok(rule) => loaded.push(rule),
            Err(reasons) => {
                mistakes.extend(reasons.into_iter().map(|reason| mistake(line, format!("rule `{id}`: {reason}"))));
            }
        }
    }
    if mistakes.is_empty() { Ok(loaded) } else { Err(mistakes) }
}

/// Ids that stand more than once in `rules`, each as a mistake.
pub fn duplicates<'a>(rules: impl Iterator<Item = (&'a str, &'a Loaded)>) -> Vec<Mistake> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (file, loaded) in rules {
        let id = loaded.rule.id.to_string();
        if let Some(first) = seen.insert(id.clone(), file.to_owned()) {
            mistakes.push(Mistake { file: file.to_owned(), line: 1, reason: format!("rule `{id}` is in {first} too") });
        }
    }
    mistakes
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count()
}

/// Turns a raw table into a rule, or says all that is wrong with it.
fn check(raw: RawRule, origin: Origin) -> Result<Loaded, Vec<String>> {
    let mut wrong = Vec::new();
    if raw.id.is_empty() || !raw.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        wrong.push("the id must be kebab-case (a-z, 0-9, `-`)".to_owned());
    }
    if let Some(word) = raw.keywords.iter().find(|word| word.len() < 3 || !word.is_ascii()) {
        wrong.push(format!("keyword `{word}` must be at least 3 ASCII characters"));
    }
    let mut filters = raw.filters.unwrap_or_else(|| vec!["placeholder".into(), "repetitive".into()]);
    filters.insert(0, "documented".into());
    if let Some(filter) = filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        wrong.push(format!("there is no filter `{filter}` (there are: {})", FILTERS.join(", ")));
    }
    if !FAMILIES.contains(&raw.family.as_str()) {
        wrong.push(format!("there is no family `{}` (there are: {})", raw.family, FAMILIES.join(", ")));
    }
    if origin == Origin::BuiltIn && (raw.severity.is_none() || raw.confidence.is_none()) {
        wrong.push("it needs a severity and a confidence".to_owned());
    }
    if origin == Origin::BuiltIn {
        wrong.extend(missing_for_built_in(&raw.description, &raw.source, &raw.examples, &raw.counterexamples));
    }
    let matcher = match matcher(raw.pattern, raw.matcher, &raw.keywords, origin) {
        Ok(matcher) => Some(matcher),
        Err(reason) => {
            wrong.push(reason);
            None
        }
    };
    let anchors = match &matcher {
        Some(Matcher::Pattern { pattern, bound: Some(_), .. }) => proof::anchors(pattern, &raw.keywords)
            .unwrap_or_else(|reason| {
                wrong.push(reason);
                Vec::new()
            }),
        Some(Matcher::Code { .. }) => raw.keywords.iter().map(|word| Anchor::bare(word)).collect(),
        Some(Matcher::Pattern { bound: None, .. } | Matcher::Path) | None => Vec::new(),
    };
    let Some(matcher) = matcher.filter(|_| wrong.is_empty()) else { return Err(wrong) };
    let rule = Rule {
        id: raw.id.into(),
        name: raw.name.into(),
        provider: raw.provider.into(),
        description: raw.description.into(),
        source: raw.source.into(),
        keywords: texts(raw.keywords),
        matcher,
        anchors: anchors.into(),
        structure: raw.structure.into(),
        structure_always: raw.structure_always,
        public_prefix: raw.public_prefix.into(),
        random_bits: raw.random_bits,
        severity: raw.severity.unwrap_or(Severity::High),
        confidence: raw.confidence.unwrap_or(Confidence::Medium),
        target: raw.target.into(),
        cloud: raw.cloud.into(),
        family: raw.family.into(),
        cwe: raw.cwe,
        filters: texts(filters),
        entropy: raw.entropy,
        types: texts(raw.types),
        specificity: raw.specificity,
        remediation: raw.remediation.into(),
        terms: None,
    };
    Ok(Loaded { rule, examples: raw.examples, counterexamples: raw.counterexamples })
}

fn texts(list: Vec<String>) -> Cow<'static, [Text]> {
    list.into_iter().map(Text::from).collect()
}

fn missing_for_built_in(description: &str, source: &str, yes: &[String], no: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    if !description.ends_with('.') {
        wrong.push("the description must be sentences that end with a period".to_owned());
    }
    if source.is_empty() {
        wrong.push("there is no source for the format".to_owned());
    }
    if yes.len() < 2 || no.is_empty() {
        wrong.push("it needs two examples and a counterexample".to_owned());
    }
    wrong
}

/// Decides how the rule matches, and by which lane.
fn matcher(
    pattern: Option<String>,
    code: Option<String>,
    keywords: &[String],
    origin: Origin,
) -> Result<Matcher, String> {
    match (pattern, code) {
        (Some(pattern), None) => {
            let pattern = if pattern.contains(JOINT) { pattern.replace(JOINT, &joint()) } else { pattern };
            let proof = proof::prove(&pattern, keywords)?;
            if proof.empty {
                return Err("the pattern matches the empty string".into());
            }
            let proven = proof.bound.filter(|&bound| bound <= LONGEST_BOUND && proof.keyword);
            if proven.is_none() && origin == Origin::BuiltIn {
                return Err(match proof.bound {
                    None => "the pattern has no longest match (use `{0,n}` for `*` and `+`)".into(),
                    Some(bound) if bound > LONGEST_BOUND => {
                        format!("a match can have {bound} bytes, over {LONGEST_BOUND}")
                    }
                    Some(_) => "it can't be proven that a keyword is in every match".into(),
                });
            }
            Ok(Matcher::Pattern { pattern: pattern.into(), bound: proven, run: proof.run })
        }
        (None, Some(name)) if origin == Origin::User => Err(format!("matcher `{name}` is for built-in rules")),
        (None, Some(name)) if !MATCHERS.contains(&name.as_str()) => Err(format!("there is no matcher `{name}`")),
        (None, Some(_)) if keywords.is_empty() => Err("a matcher needs keywords".into()),
        (None, Some(name)) => Ok(Matcher::Code { name: name.into() }),
        _ => Err("it needs either a `pattern` or a `matcher`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(text: &str) -> Vec<String> {
        match load("my.toml", text, Origin::User) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(Mistake::to_string).collect(),
        }
    }

    #[test]
    fn mistakes_name_file_line_and_reason_all_at_once() {
        let text = "\n[[rule]]\nid = \"Bad Id\"\nname = \"x\"\nseverity = \"high\"\nconfidence = \"high\"\npattern = \"a(\"\n\
                    [[rule]]\nid = \"two\"\nname = \"x\"\nseverity = \"high\"\nconfidence = \"high\"\n";
        let reasons = reasons(text);
        assert_eq!(reasons.len(), 3, "{reasons:?}");
        assert!(reasons[0].starts_with("my.toml:2: rule `Bad Id`: the id must"), "{}", reasons[0]);
        assert!(reasons[1].contains("unclosed group"), "{}", reasons[1]);
        assert!(reasons[2].starts_with("my.toml:8: rule `two`: it needs either"), "{}", reasons[2]);
    }

    #[test]
    fn unknown_keys_are_mistakes() {
        let text = "[[rule]]\nid = \"a\"\nname = \"x\"\ncolour = 3\n";
        assert!(reasons(text)[0].starts_with("my.toml:4: unknown field `colour`"), "{:?}", reasons(text));
    }

    #[test]
    fn a_pattern_may_name_the_joint() {
        let rule = |keyword: &str| {
            format!(
                "[[rule]]\nid = \"a\"\nname = \"x\"\nkeywords = [\"{keyword}\"]\npattern = 'acme_key(?&is)([0-9]{{4}})'\n"
            )
        };
        let loaded = load("f", &rule("acme_key"), Origin::User).expect("it loads");
        let Matcher::Pattern { pattern, bound, .. } = &loaded[0].rule.matcher else { panic!("a pattern") };
        assert!(bound.is_some() && !pattern.contains("(?&"), "{pattern}");
    }

    #[test]
    fn what_cannot_be_proven_goes_the_slow_lane_for_users_only() {
        let rule = |pattern: &str| {
            format!(
                "[[rule]]\nid = \"a\"\nname = \"x\"\nseverity = \"low\"\nconfidence = \"low\"\nkeywords = [\"abcd\"]\npattern = '{pattern}'\n"
            )
        };
        for (pattern, fast) in [("abcd[0-9]{4}", true), ("abcd[0-9]+", false), ("[a-e]{4}", false)] {
            let loaded = load("f", &rule(pattern), Origin::User).expect("users may bring it");
            let Matcher::Pattern { bound, .. } = &loaded[0].rule.matcher else { panic!("a pattern") };
            assert_eq!(bound.is_some(), fast, "{pattern}");
            let built_in = load("f", &rule(pattern), Origin::BuiltIn);
            assert!(built_in.is_err_and(|m| m.iter().any(|m| m.reason.contains("match")) != fast), "{pattern}");
        }
    }
}

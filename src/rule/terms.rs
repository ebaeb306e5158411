//! What a rule of gitleaks' format asks beside its pattern. Data only: what depends on the matched bytes is judged by the
//! engine, what depends on the place by the conductor.

use std::sync::Arc;

/// The terms of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// How the secret is found in a match; `None` for a rule of ours, to which a file added something.
    pub groups: Option<Groups>,
    /// A secret whose Shannon entropy, in bits per character, is not above this is none; 0 asks nothing.
    pub entropy: f64,
    /// The expression as it is written in the file, for people; empty if there is none.
    pub written: String,
    /// Pattern of the paths the rule is for; `None` for all.
    pub path: Option<String>,
    /// For a rule without a pattern: the names, each behind a slash, that paths of its files end in.
    pub names: Option<String>,
    /// What is no finding: those of the rule and those of the whole file.
    pub allowlists: Vec<Arc<Allowlist>>,
    /// Rules that must match near.
    pub required: Vec<Required>,
    /// Whether it only serves rules that require it, and is not reported.
    pub is_auxiliary: bool,
    /// For people.
    pub tags: Vec<String>,
}

/// Which capture group is the secret. The pattern is matched again on the matched text alone to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// The first one that isn't empty; all of the match if there is none.
    FirstFilled,
    /// This one, from 1 on.
    Nth(usize),
}

/// What is no finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allowlist {
    /// For people.
    pub description: String,
    /// Whether all criteria that are given must hold; else one is enough.
    pub needs_all: bool,
    /// Full ids of commits, lower case.
    pub commits: Vec<String>,
    /// Patterns of paths.
    pub paths: Vec<String>,
    /// What `regexes` are matched on.
    pub target: Target,
    /// Patterns.
    pub regexes: Vec<String>,
    /// Texts in the secret, lower case.
    pub stopwords: Vec<String>,
}

impl Allowlist {
    /// Whether it asks where a secret stands.
    pub fn asks_place(&self) -> bool {
        !self.commits.is_empty() || !self.paths.is_empty()
    }

    /// Whether it asks what a secret is.
    pub fn asks_content(&self) -> bool {
        !self.regexes.is_empty() || !self.stopwords.is_empty()
    }
}

/// What the patterns of an allowlist are matched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// The whole match, without line breaks around it.
    Match,
    /// All lines that the match touches.
    Line,
}

/// A rule that must match near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Its id.
    pub rule: String,
    /// How many lines its match may begin away.
    pub within_lines: Option<u64>,
    /// How many columns, in bytes, its match may begin away.
    pub within_columns: Option<u64>,
}

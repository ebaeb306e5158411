//! Rules: what we look for. Data only; this room imports nothing of ours, so that `build.rs` can include it and the
//! binary and `--rules` share one loader.

use std::borrow::Cow;

use serde::Deserialize;

pub mod anchor;
mod contextual;
pub mod literals;
pub mod load;
mod nfa;
pub mod proof;
pub mod terms;

/// A text that is either built in or a user's.
pub type Text = Cow<'static, str>;

/// A list that is either built in or a user's.
pub type List<T> = Cow<'static, [T]>;

/// One rule. The fields are those of a `[[rule]]` table, see `rules/README.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Permanent, kebab-case.
    pub id: Text,
    /// What it finds, for people.
    pub name: Text,
    /// Whose secret it is.
    pub provider: Text,
    /// What it is and what it opens.
    pub description: Text,
    /// Where the format is documented.
    pub source: Text,
    /// One of these stands in every true match; ASCII, compared without case.
    pub keywords: List<Text>,
    /// How a match is recognised.
    pub matcher: Matcher,
    /// What must stand around a keyword; empty for rules without a proof, which are searched whole.
    pub anchors: List<anchor::Anchor>,
    /// Id of the offline structure check; empty for none.
    pub structure: Text,
    /// Whether every genuine secret of this type carries the structure.
    pub structure_always: bool,
    /// Constant start of the secret that may be shown; empty for none.
    pub public_prefix: Text,
    /// Bits of randomness in the secret; 80 and more may be hashed without a key.
    pub random_bits: u32,
    /// How bad if real.
    pub severity: Severity,
    /// How sure, when filters pass and the structure holds.
    pub confidence: Confidence,
    /// What it opens: `vm`, `storage`, `sql`, …
    pub target: Text,
    /// Cloud of the target; empty for none.
    pub cloud: Text,
    /// `key`, `connection_string` or `sas_token`.
    pub family: Text,
    /// CWE number.
    pub cwe: u32,
    /// Filters to run on it, in order.
    pub filters: List<Text>,
    /// Least Shannon entropy of the secret in bits per byte, for the `entropy` filter; 0 for none.
    pub entropy: f32,
    /// Keys of secret types it covers.
    pub types: List<Text>,
    /// Which rule names a finding that several matched: the highest.
    pub specificity: u32,
    /// Key of the remedy.
    pub remediation: Text,
    /// What a file in gitleaks' format asks beside the pattern.
    pub terms: Option<std::sync::Arc<terms::Terms>>,
}

/// How a rule recognises its matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// A regular expression (bytes, ASCII classes). `bound` is the length in bytes of its longest match, or `None`
    /// when it has no bound or no keyword that is proven to be in every match: then it goes the slow lane.
    Pattern {
        /// The expression.
        pattern: Text,
        /// Longest match, bytes.
        bound: Option<usize>,
        /// A run of bytes that no match can do without, if there is one worth looking for.
        run: Option<anchor::Run>,
    },
    /// A hand-written matcher of the engine, by name.
    Code {
        /// Its name.
        name: Text,
    },
    /// Nothing in any text: the file itself is the finding, by its path ([`terms::Terms::path`]).
    Path,
}

/// How bad a secret is if real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Little harm.
    Low,
    /// Some harm.
    Medium,
    /// Much harm.
    High,
    /// Control over what it opens.
    Critical,
}

impl Severity {
    /// Its word in rules and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// GitHub's `security-severity`: over 9.0 critical, 7.0–8.9 high, 4.0–6.9 medium, under that low.
    pub fn score(self) -> &'static str {
        match self {
            Self::Low => "3.0",
            Self::Medium => "5.5",
            Self::High => "8.0",
            Self::Critical => "9.5",
        }
    }
}

/// Bands of confidence; the number itself is 0–100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// 0–49.
    Low,
    /// 50–79.
    Medium,
    /// 80–100.
    High,
}

impl Confidence {
    /// The band of a number.
    pub fn of(percent: u8) -> Self {
        match percent {
            0..50 => Self::Low,
            50..80 => Self::Medium,
            _ => Self::High,
        }
    }

    /// The number that stands for the band where a rule states only the word.
    pub fn percent(self) -> u8 {
        match self {
            Self::Low => 25,
            Self::Medium => 60,
            Self::High => 90,
        }
    }

    /// Its word in rules, flags and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

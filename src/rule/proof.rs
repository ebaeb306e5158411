//! What can be proven of a pattern before it ever runs: how long a match can get, and that a keyword stands in every
//! one. The prefilter and the windows of the fast lane rest on these two proofs.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};
use regex_syntax::{ParserBuilder, hir};

use super::anchor::{self, Anchor, Run};

/// Longest bound a built-in pattern may have, in bytes. Windows around a keyword are twice this.
pub const LONGEST_BOUND: usize = 8192;

/// How many strings a stretch of a pattern may stand for and still be spelled out.
const LONGEST_ENUMERATION: usize = 512;

/// What was proven of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Length of the longest match in bytes; `None` without a bound.
    pub bound: Option<usize>,
    /// Whether every match holds one of the keywords (compared without ASCII case).
    pub keyword: bool,
    /// The longest run of bytes of one class that is in every match.
    pub run: Option<Run>,
    /// Whether the empty string matches.
    pub empty: bool,
    /// Index of the capture group that is the secret: the group named `secret`, else group 1, else 0.
    pub secret_group: usize,
}

/// Parses `pattern` (bytes, ASCII classes) and proves what can be proven.
///
/// # Errors
/// The pattern doesn't parse: what is wrong, in one line.
pub fn prove(pattern: &str, keywords: &[String]) -> Result<Proof, String> {
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).map_err(|e| one_line(&e))?;
    let folded: Vec<Vec<u8>> = keywords.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
    let properties = hir.properties();
    Ok(Proof {
        bound: properties.maximum_len(),
        keyword: !folded.is_empty() && Shape::of(&hir, &folded).proves(&folded),
        run: anchor::run(&hir),
        empty: properties.minimum_len() == Some(0),
        secret_group: secret_group(&hir),
    })
}

/// The anchors of `pattern`, of which [`prove`] has shown that one of `keywords` is in every match.
///
/// # Errors
/// As [`prove`].
pub fn anchors(pattern: &str, keywords: &[String]) -> Result<Vec<Anchor>, String> {
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).map_err(|e| one_line(&e))?;
    let lower: Vec<String> = keywords.iter().map(|word| word.to_ascii_lowercase()).collect();
    let folded: Vec<Vec<u8>> = lower.iter().map(|word| word.clone().into_bytes()).collect();
    let spelled = |parts: &[Hir]| {
        let exact = Shape::of_concat(parts, &folded).exact;
        exact.is_some_and(|strings| all_hold(&strings, &folded))
    };
    Ok(anchor::anchors(&hir, &lower, &spelled))
}

/// The last line of a syntax error is its reason; the lines before it draw the pattern.
fn one_line(error: &regex_syntax::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or("pattern doesn't parse").trim_start_matches("error: ").to_owned()
}

/// The group that holds the secret.
fn secret_group(hir: &Hir) -> usize {
    fn named(hir: &Hir) -> Option<usize> {
        match hir.kind() {
            HirKind::Capture(hir::Capture { index, name, sub }) => {
                if name.as_deref() == Some("secret") {
                    Some(*index as usize)
                } else {
                    named(sub)
                }
            }
            HirKind::Repetition(repetition) => named(&repetition.sub),
            HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().find_map(named),
            _ => None,
        }
    }
    named(hir).unwrap_or_else(|| hir.properties().explicit_captures_len().min(1))
}

/// What a part of a pattern can stand for.
struct Shape {
    /// All strings it matches, lower-cased, when they are few.
    exact: Option<Vec<Vec<u8>>>,
    /// Whether a keyword is known to be inside every match.
    proven: bool,
}

impl Shape {
    const UNKNOWN: Self = Self { exact: None, proven: false };

    fn exactly(mut strings: Vec<Vec<u8>>) -> Self {
        strings.sort();
        strings.dedup();
        if strings.len() > LONGEST_ENUMERATION { Self::UNKNOWN } else { Self { exact: Some(strings), proven: false } }
    }

    fn proves(&self, keywords: &[Vec<u8>]) -> bool {
        self.proven || self.exact.as_ref().is_some_and(|strings| all_hold(strings, keywords))
    }

    fn of(hir: &Hir, keywords: &[Vec<u8>]) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::exactly(vec![Vec::new()]),
            HirKind::Literal(literal) => Self::exactly(vec![literal.0.to_ascii_lowercase()]),
            HirKind::Class(class) => Self::of_class(class),
            HirKind::Capture(capture) => Self::of(&capture.sub, keywords),
            HirKind::Repetition(repetition) => Self::of_repetition(repetition, keywords),
            HirKind::Concat(parts) => Self::of_concat(parts, keywords),
            HirKind::Alternation(branches) => {
                let shapes: Vec<Self> = branches.iter().map(|branch| Self::of(branch, keywords)).collect();
                let proven = shapes.iter().all(|shape| shape.proves(keywords));
                let strings: Option<Vec<_>> = shapes.into_iter().map(|shape| shape.exact).collect();
                let union = strings.map_or(Self::UNKNOWN, |sets| Self::exactly(sets.into_iter().flatten().collect()));
                Self { proven, ..union }
            }
        }
    }

    fn of_class(class: &Class) -> Self {
        // Alternations of single characters become Unicode classes even in byte mode.
        let class = match class {
            Class::Bytes(class) => class.clone(),
            Class::Unicode(class) => match class.to_byte_class() {
                Some(class) => class,
                None => return Self::of_characters(class),
            },
        };
        let count: usize = class.ranges().iter().map(|range| usize::from(range.end() - range.start()) + 1).sum();
        if count > 32 {
            return Self::UNKNOWN;
        }
        let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
        Self::exactly(bytes.map(|byte| vec![byte.to_ascii_lowercase()]).collect())
    }

    /// A class with characters of several bytes.
    fn of_characters(class: &ClassUnicode) -> Self {
        let count: u32 = class.ranges().iter().map(|range| u32::from(range.end()) - u32::from(range.start()) + 1).sum();
        if count > 32 {
            return Self::UNKNOWN;
        }
        let all = class.ranges().iter().flat_map(|range| range.start()..=range.end());
        Self::exactly(all.map(|c| c.to_ascii_lowercase().to_string().into_bytes()).collect())
    }

    fn of_repetition(repetition: &hir::Repetition, keywords: &[Vec<u8>]) -> Self {
        let sub = Self::of(&repetition.sub, keywords);
        match (repetition.min, repetition.max) {
            (0, Some(1)) => sub.exact.map_or(Self::UNKNOWN, |mut strings| {
                strings.push(Vec::new());
                Self::exactly(strings)
            }),
            (0, _) => Self::UNKNOWN,
            (min, max) => {
                let proven = sub.proves(keywords);
                let once = sub.exact.filter(|_| max == Some(min));
                let repeated =
                    once.and_then(|strings| (1..min).try_fold(strings.clone(), |sofar, _| cross(&sofar, &strings)));
                Self { exact: repeated, proven }
            }
        }
    }

    fn of_concat(parts: &[Hir], keywords: &[Vec<u8>]) -> Self {
        let mut runs = vec![Vec::new()];
        let (mut proven, mut whole) = (false, true);
        for part in parts {
            let shape = Self::of(part, keywords);
            proven |= shape.proven;
            match shape.exact.as_ref().and_then(|strings| cross(&runs, strings)) {
                Some(longer) => runs = longer,
                None => {
                    proven |= all_hold(&runs, keywords);
                    whole = false;
                    runs = match shape.exact {
                        Some(strings) => strings,
                        None => vec![Vec::new()],
                    };
                }
            }
        }
        proven |= all_hold(&runs, keywords);
        Self { exact: whole.then_some(runs), proven }
    }
}

/// Every string of `left` followed by every string of `right`, unless that gets too many.
fn cross(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len().checked_mul(right.len())? > LONGEST_ENUMERATION {
        return None;
    }
    Some(left.iter().flat_map(|l| right.iter().map(move |r| [l.as_slice(), r.as_slice()].concat())).collect())
}

/// Whether each of `strings` holds one of `keywords`.
fn all_hold(strings: &[Vec<u8>], keywords: &[Vec<u8>]) -> bool {
    strings
        .iter()
        .all(|string| keywords.iter().any(|word| string.windows(word.len()).any(|window| window == word.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_proven_through_classes_and_branches() {
        let cases: [(&str, &[&str], bool); 14] = [
            (r"\bxox(?:b|p)-[0-9]{3}", &["xoxb-", "xoxp-"], true),
            (r"\bghp_[0-9A-Za-z]{36}\b", &["ghp_"], true),
            (r"\bgh[pous]_[0-9]{36}", &["ghp_", "gho_", "ghu_", "ghs_"], true),
            (r"\bgh[pous]_[0-9]{36}", &["ghp_", "gho_", "ghu_"], false),
            (r"(?i)api[_-]?key=([a-z]{8})", &["apikey", "api_key", "api-key"], true),
            (r"(?i)api[_-]?key=([a-z]{8})", &["apikey", "api_key"], false),
            (r"(?:abcd|efgh)x{3}", &["abcd", "efgh"], true),
            (r"(?:abcd)?efgh", &["abcd"], false),
            (r"(?:abcd){2,5}", &["abcd"], true),
            (r"[a-z]{4}", &["abcd"], false),
            (r"a(?:b|[0-9]{50})cd", &["abcd"], false),
            (r"abc(?:d|\xc3\xa9)", &["abcd", "abcé"], true),
            (r"(?u)abc[dé]", &["abcd", "abcé"], true),
            (r"(?u)abc[dé]", &["abcd"], false),
        ];
        for (pattern, keywords, expected) in cases {
            let keywords: Vec<String> = keywords.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(prove(pattern, &keywords).map(|proof| proof.keyword), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn bounds_and_groups_are_read_from_the_pattern() {
        let proof = prove(r"key=(?P<user>[a-z]{1,5}):(?P<secret>[a-z]{8})", &["key=".into()]).expect("it parses");
        assert_eq!((proof.bound, proof.secret_group, proof.empty), (Some(18), 2, false));
        assert_eq!(prove("ab+", &[]).map(|proof| proof.bound), Ok(None));
        assert_eq!(prove("abcd", &[]).map(|proof| (proof.secret_group, proof.keyword)), Ok((0, false)));
        assert!(prove("a(", &[]).is_err_and(|reason| reason.contains("unclosed group")));
    }
}

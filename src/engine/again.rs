//! Further places of a value that is known by now: the token of one line stands bare in another, or under a name that says
//! nothing. A second pass over the blob for the values that were found in it.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::across::in_blob;
use super::{DOUBTFUL, Engine, Match, RawMatch};
use crate::location::Span;
use crate::rule::Confidence;
use crate::view::View;

/// Bits of randomness from which on a rule's values are nowhere by chance.
const LEAST_BITS: u32 = 60;

/// Least length in bytes of another value that is looked for.
const LEAST_LEN: usize = 12;

/// Least entropy of another value that is looked for, in bits per byte: words have less.
const LEAST_ENTROPY: f32 = 3.0;

/// Longest value that is looked for, in bytes: longer ones are blocks, which are found as such.
const LONGEST: usize = 1024;

/// Most values of one text that are looked for. A text with more is a dump of secrets, each of which is reported.
const MOST_VALUES: usize = 2000;

/// Most places that are added to a text's matches.
const MOST_PLACES: usize = 10_000;

impl Engine {
    /// Adds the places in `bytes` at which a reported value stands and was not matched. Their confidence is low: alone
    /// they would be nothing, and with the finding they belong to they are places of it.
    pub(super) fn find_again(&self, bytes: &[u8], views: &[View], matches: &mut Vec<Match>) {
        let values = self.values(bytes, views, matches);
        if values.is_empty() {
            return;
        }
        let (needles, sources): (Vec<&[u8]>, Vec<usize>) = values.into_iter().unzip();
        // A text is searched once: a table of all states and bytes would cost more to make than it saves.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(&needles)
            .expect("values are bounded in number and length");
        // Matches that count never overlap.
        let counted = matches.iter().filter(|found| !found.dropped).map(|found| in_blob(views, found));
        let known: BTreeMap<usize, usize> = counted.map(|span| (span.start, span.end)).collect();
        let is_known = |span: Span| known.range(..span.end).next_back().is_some_and(|(_, end)| *end > span.start);
        let again: Vec<Match> = automaton
            .find_iter(bytes)
            .map(|found| (Span::new(found.start(), found.end()), sources[found.pattern().as_usize()]))
            .filter(|(span, _)| stands_alone(bytes, *span) && !is_known(*span))
            .take(MOST_PLACES)
            .map(|(span, source)| at_another_place(&matches[source], span))
            .collect();
        if !again.is_empty() {
            matches.extend(again);
            matches.sort_by_key(|found| (found.view, found.raw.secret, found.rule));
        }
    }

    /// The values to look for, each with the index of a match of it.
    fn values<'t>(&self, bytes: &'t [u8], views: &'t [View], matches: &'t [Match]) -> BTreeMap<&'t [u8], usize> {
        let mut values = BTreeMap::new();
        for (at, found) in matches.iter().enumerate() {
            let text = found.view.checked_sub(1).map_or(bytes, |view| &views[view].text);
            let value = found.raw.decoded.as_deref().unwrap_or(&text[found.raw.secret.start..found.raw.secret.end]);
            let bits = self.detectors[found.rule].rule.random_bits;
            let is_reported = !found.dropped && Confidence::of(found.confidence) > Confidence::Low;
            if is_reported && value.len() <= LONGEST && is_distinctive(value, bits) && values.len() < MOST_VALUES {
                values.entry(value).or_insert(at);
            }
        }
        values
    }
}

/// Whether a value is nowhere by chance.
fn is_distinctive(value: &[u8], random_bits: u32) -> bool {
    if value.len() < LEAST_LEN || !value.iter().all(u8::is_ascii_graphic) {
        return false;
    }
    let kinds: BTreeSet<u8> = value
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' => 0,
            b'A'..=b'Z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        })
        .collect();
    random_bits >= LEAST_BITS || kinds.contains(&2) && kinds.len() > 1 && super::filter::shannon(value) >= LEAST_ENTROPY
}

/// Whether a value is not a part of a longer word.
fn stands_alone(text: &[u8], span: Span) -> bool {
    let is_word = |at: Option<usize>| {
        at.and_then(|at| text.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let joined = |inside: usize, outside: Option<usize>| is_word(Some(inside)) && is_word(outside);
    !joined(span.start, span.start.checked_sub(1)) && !joined(span.end - 1, Some(span.end))
}

/// The same secret somewhere else in the text.
fn at_another_place(known: &Match, span: Span) -> Match {
    Match {
        view: 0,
        raw: RawMatch { whole: span, secret: span, decoded: None, companions: Vec::new(), bare: false },
        confidence: known.confidence.min(DOUBTFUL),
        reasons: vec!["the same value is a secret at another place"],
        also: Vec::new(),
        beside: Vec::new(),
        ..known.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nowhere_by_chance_is_looked_for() {
        let cases: [(&[u8], u32, bool); 7] = [
            (b"kX9mmq2zzLw7", 0, true),
            (b"kX9!mmq2", 0, false),
            (b"correcthorsebattery", 0, false),
            (b"111111111111a", 0, false),
            (b"with a space 12345", 128, false),
            (b"abcdefghijklmnop", 128, true),
            (b"short", 128, false),
        ];
        for (value, bits, expected) in cases {
            assert_eq!(is_distinctive(value, bits), expected, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn a_part_of_a_word_is_another_value() {
        for (text, expected) in [("(abc)", true), ("xabc", false), ("abc1", false), ("-abc-", true), ("_abc", false)] {
            let at = text.find("abc").expect("a case holds it");
            assert_eq!(stands_alone(text.as_bytes(), Span::new(at, at + 3)), expected, "{text}");
        }
    }
}

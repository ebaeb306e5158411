//! Further places of a value that is known by now: the token of one line stands bare in another, or under a name that says
//! nothing. A second pass over the blob for the values that were found in it; and, for the conductor, over all blobs for the
//! values that were found anywhere.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::across::in_blob;
use super::trace::Patchwork;
use super::{DOUBTFUL, Engine, Match, RawMatch, Scanned};
use crate::blob::{Edit, Edits, Patch};
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

/// Longest value that is looked for in other texts, in bytes: around each edit, as much is searched.
const LONGEST_ELSEWHERE: usize = 128;

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
        let automaton = automaton(&needles, Some(AhoCorasickKind::NoncontiguousNFA));
        let again: Vec<Match> = unmatched(&automaton, bytes, views, matches)
            .map(|(span, nth)| at_another_place(&matches[sources[nth]], span))
            .collect();
        add(again, matches);
    }

    /// Values that all other texts are searched for: those of `found` that are nowhere by chance and don't tell by
    /// themselves what they are. `None` if there is none.
    pub fn known<'f>(&self, found: impl Iterator<Item = (&'f [u8], Match)>) -> Option<Known> {
        let mut values: BTreeMap<&[u8], Match> = BTreeMap::new();
        for (value, at) in found {
            let bits = self.detectors[at.rule].rule.random_bits;
            if value.len() <= LONGEST_ELSEWHERE && is_distinctive(value, bits) && values.len() < MOST_VALUES {
                values.entry(value).or_insert(at);
            }
        }
        let tells = |found: &Match| !found.dropped && Confidence::of(found.confidence) > Confidence::Low;
        values.retain(|value, _| !self.scan(value).matches.iter().any(tells));
        let longest = values.keys().map(|value| value.len()).max()?;
        let (needles, templates): (Vec<&[u8]>, Vec<Match>) = values.into_iter().unzip();
        Some(Known { grams: Grams::new(&needles), automaton: automaton(&needles, None), templates, longest })
    }

    /// All matches in `bytes` with the places of known values that are no match of their own; and which these are.
    pub fn scan_for_known(&self, known: &Known, bytes: &[u8]) -> (Scanned, BTreeSet<Span>) {
        let mut scanned = self.scan(bytes);
        let again: Vec<Match> = unmatched(&known.automaton, bytes, &scanned.views, &scanned.matches)
            .map(|(span, nth)| at_another_place(&known.templates[nth], span))
            .collect();
        let places = again.iter().map(|found| found.raw.secret).collect();
        add(again, &mut scanned.matches);
        (scanned, places)
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

/// Values that are looked for in all texts.
pub struct Known {
    grams: Grams,
    automaton: AhoCorasick,
    /// What is known of each.
    templates: Vec<Match>,
    /// The longest one's length in bytes.
    longest: usize,
}

impl Known {
    /// Whether one of them stands in `bytes`. `parent`: whether one stood in the text this one was made from, and how.
    pub fn are_in(&self, parent: Option<(bool, &Edits)>, bytes: &[u8]) -> bool {
        match parent {
            // What is copied holds none, so what holds one reaches over an insert or a seam.
            Some((false, edits)) => edits.0.iter().any(|edit| {
                let (Edit::Copy { to, .. } | Edit::Insert { to, .. }) = *edit;
                let inside = matches!(edit, Edit::Insert { .. }).then_some(to.end).unwrap_or(to.start);
                let around = to.start.saturating_sub(self.longest)..bytes.len().min(inside + self.longest);
                self.is_in(&bytes[around])
            }),
            _ => self.is_in(bytes),
        }
    }

    /// Whether one stands in `bytes`.
    fn is_in(&self, bytes: &[u8]) -> bool {
        self.grams.hits(bytes).any(|at| {
            let around = at.saturating_sub(self.longest)..bytes.len().min(at + self.longest);
            self.automaton.is_match(&bytes[around])
        })
    }

    /// Where they stand in `bytes`, one after the other.
    pub fn places<'t>(&'t self, bytes: &'t [u8]) -> impl Iterator<Item = Span> + use<'t> {
        let spans = self.automaton.find_iter(bytes).map(|found| Span::new(found.start(), found.end()));
        spans.filter(move |span| stands_alone(bytes, *span))
    }

    /// Whether one may stand in a text that isn't put together, made from one without any.
    pub fn may_be_in(&self, patch: &Patch<'_>) -> bool {
        Patchwork::new(patch, self.longest).is_none_or(|work| self.is_in(&work.bytes))
    }
}

/// Where values of [`LEAST_LEN`] bytes and more may stand, told by four bytes at every eighth place: wherever a value begins, one
/// of these places is among its first eight, and the four bytes from there on are its own. What passes is looked at
/// closer.
struct Grams(Box<[u64; 1 << 10]>);

/// How far apart places are looked at, in bytes.
const STRIDE: usize = 8;

/// Bytes that are looked at there.
const GRAM: usize = 4;

/// A value reaches over a whole gram wherever it begins.
const _: () = assert!(LEAST_LEN >= STRIDE - 1 + GRAM);

impl Grams {
    fn new(values: &[&[u8]]) -> Self {
        let mut bits = Box::new([0; 1 << 10]);
        for value in values {
            for gram in value.windows(GRAM).take(STRIDE) {
                let bit = Self::bit([gram[0], gram[1], gram[2], gram[3]]);
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        Self(bits)
    }

    /// The bit of a gram, of 65,536.
    fn bit(gram: [u8; GRAM]) -> usize {
        (u32::from_le_bytes(gram).wrapping_mul(0x9e37_79b1) >> 16) as usize
    }

    /// Places near which a value may stand.
    fn hits<'t>(&'t self, bytes: &'t [u8]) -> impl Iterator<Item = usize> + use<'t> {
        let places = bytes.chunks_exact(STRIDE).map(|chunk| [chunk[0], chunk[1], chunk[2], chunk[3]]);
        // The last gram may stand behind the last whole stretch.
        let rest = bytes.len() / STRIDE * STRIDE;
        let last = bytes[rest..].first_chunk::<GRAM>().copied().map(|gram| (rest, gram));
        let all = places.enumerate().map(|(nth, gram)| (nth * STRIDE, gram)).chain(last);
        all.filter(|(_, gram)| {
            let bit = Self::bit(*gram);
            self.0[bit / 64] >> (bit % 64) & 1 == 1
        })
        .map(|(at, _)| at)
    }
}

/// Finds any of `needles`.
fn automaton(needles: &[&[u8]], kind: Option<AhoCorasickKind>) -> AhoCorasick {
    AhoCorasick::builder()
        .kind(kind)
        .match_kind(MatchKind::LeftmostLongest)
        .build(needles)
        .expect("values are bounded in number and length")
}

/// Where values stand in `bytes` that no match is at, each with the number of its needle.
fn unmatched<'t>(
    automaton: &'t AhoCorasick,
    bytes: &'t [u8],
    views: &[View],
    matches: &[Match],
) -> impl Iterator<Item = (Span, usize)> + use<'t> {
    // Matches that count never overlap.
    let counted = matches.iter().filter(|found| !found.dropped).map(|found| in_blob(views, found));
    let known: BTreeMap<usize, usize> = counted.map(|span| (span.start, span.end)).collect();
    let is_known = move |span: Span| known.range(..span.end).next_back().is_some_and(|(_, end)| *end > span.start);
    automaton
        .find_iter(bytes)
        .map(|found| (Span::new(found.start(), found.end()), found.pattern().as_usize()))
        .filter(move |(span, _)| stands_alone(bytes, *span) && !is_known(*span))
        .take(MOST_PLACES)
}

/// Adds places to matches.
fn add(again: Vec<Match>, matches: &mut Vec<Match>) {
    if !again.is_empty() {
        matches.extend(again);
        matches.sort_by_key(|found| (found.view, found.raw.secret, found.rule));
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
    fn grams_tell_of_values_wherever_they_begin() {
        let values: [&[u8]; 2] = [b"kX9mmq2zzLw7", b"Zt5vvw8pp2kX9mmq2zzL"];
        let grams = Grams::new(&values);
        for value in values {
            for (before, after) in (0..20).flat_map(|before| (0..9).map(move |after| (before, after))) {
                let text = [&vec![b'.'; before][..], value, &vec![b'.'; after][..]].concat();
                let near = |at: usize| (before..before + value.len()).contains(&at);
                assert!(grams.hits(&text).any(near), "{before} bytes before it, {after} after it");
            }
        }
        assert_eq!(grams.hits(&[b'.'; 4096]).count(), 0);
    }

    #[test]
    fn a_part_of_a_word_is_another_value() {
        for (text, expected) in [("(abc)", true), ("xabc", false), ("abc1", false), ("-abc-", true), ("_abc", false)] {
            let at = text.find("abc").expect("a case holds it");
            assert_eq!(stands_alone(text.as_bytes(), Span::new(at, at + 3)), expected, "{text}");
        }
    }
}

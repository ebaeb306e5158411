//! What the literal stage looks for: tables of grams, made of the anchors of all rules. Made at build time for the built-in
//! rules, so that nothing is computed at start; at run time where users bring or take away rules.
//!
//! A core is up to eight bytes of a keyword. Each core of four bytes and more puts two neighbouring three-byte grams into
//! the tables, so that one of them stands at an even position; shorter ones put in their only gram and, for odd
//! positions, those of two of its bytes and whatever may stand beside them. Bytes are compared without bit 5, which folds
//! the case of letters and more: a core says maybe, the anchors say no.
//!
//! Where a gram ends with its core, the byte that follows is one that an anchor lets follow. So what is told of a core
//! rests on up to [`CONTEXT`] bytes beside it, and cores that no anchor can fit may be left out.
//!
//! Cost is dominated by grams that pass for nothing, so the rarest neighbouring grams of a keyword are chosen, by a
//! table of how often pairs of bytes occur (`rules/data/bigrams.py`).

use std::borrow::Cow;
use std::collections::HashMap;

use super::List;
use super::anchor::{Anchor, ByteSet};

/// Longest core in bytes: what one comparison takes.
pub const LONGEST_CORE: usize = 8;

/// How many bytes beside a core its being reported rests on, either way.
pub const CONTEXT: usize = 2;

/// Entries of the first table, a byte each: quicker to ask than bits, and 64 KiB of which a text touches little.
pub const FIRST: usize = 1 << 16;

/// Words of the second table: 2^18 bits, 32 KiB.
pub const SECOND: usize = 1 << 13;

/// Buckets of grams.
const BUCKETS: usize = 1 << 12;

/// Bit 5 of every byte.
pub const FOLD: u64 = 0x2020_2020_2020_2020;

/// Bits of surprise of pairs of bytes, see `rules/data/bigrams.py`: 64 lines of 64 characters.
static BIGRAMS: &[u8] = include_bytes!("../../rules/data/bigrams.txt");

/// A core by number.
pub type CoreId = u16;

/// The tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literals {
    /// One for each gram of a core, by [`first`]; [`FIRST`] entries.
    pub first: List<u8>,
    /// A bit for each gram and the byte behind it, by [`second`]; [`SECOND`] words.
    pub second: List<u32>,
    /// Where in `grams` each bucket begins; one more at the end.
    pub buckets: List<u16>,
    /// The grams by bucket.
    pub grams: List<Gram>,
    /// The length of each core in bytes.
    pub lens: List<u8>,
    /// The anchors by core.
    pub entries: List<Entry>,
    /// Where in `entries` each core begins; one more at the end.
    pub by_core: List<u32>,
}

/// A gram of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gram {
    /// The bytes of the core, the first one lowest.
    pub value: u64,
    /// Which bytes count.
    pub mask: u64,
    /// Which core.
    pub core: CoreId,
    /// Length of the core in bytes.
    pub len: u8,
    /// Where the gram stands in the core, bytes; −1 for the byte before it.
    pub at: i8,
}

/// One anchor of a rule, by its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index of the rule.
    pub rule: u16,
    /// Index among the rule's anchors.
    pub anchor: u16,
    /// Where the core stands in the keyword, bytes.
    pub back: u8,
    /// Length of the keyword, bytes.
    pub len: u8,
}

/// Up to eight bytes of a keyword, folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Core {
    value: u64,
    mask: u64,
    len: u8,
}

fn fold(byte: u8) -> u8 {
    byte | 0x20
}

/// Four bytes in a word, folded.
#[inline(always)]
pub fn gram(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_le_bytes([a, b, c, d]) | FOLD as u32
}

/// The place of a gram in the first table. The fourth byte of `gram` doesn't count.
#[inline(always)]
pub fn first(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1 << 8) >> 16) as usize
}

/// The word and bit of a gram and the byte behind it in the second table.
#[inline(always)]
pub fn second(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(0x9e37_79b1) >> 14;
    ((hash >> 5) as usize, hash & 31)
}

/// The bucket of a gram.
#[inline(always)]
pub fn bucket(gram: u32) -> usize {
    first(gram) >> 4
}

/// Bits of surprise of two bytes next to each other.
pub fn surprise(a: u8, b: u8) -> u32 {
    let index = |byte: u8| usize::from(byte & 0x1f | byte >> 1 & 0x20);
    let digit = if a < 128 && b < 128 { BIGRAMS.get(index(a) * 65 + index(b)).copied() } else { None };
    digit.and_then(|digit| char::from(digit).to_digit(36)).unwrap_or(35)
}

/// How often a gram passes, as a share of all positions.
fn frequency(gram: [u8; 3]) -> f64 {
    let [a, b, c] = gram;
    // The second byte is counted in both pairs; some 5 bits are what a common one tells.
    let bits = f64::from(surprise(a, b)) + f64::from(surprise(b, c)) - 5.0;
    (-bits).exp2()
}

impl Core {
    fn new(bytes: &[u8]) -> Self {
        let mut core = Self { value: 0, mask: 0, len: 0 };
        for (at, &byte) in bytes.iter().enumerate().take(LONGEST_CORE) {
            core.value |= u64::from(fold(byte)) << (8 * at);
            core.mask |= 0xff << (8 * at);
            core.len += 1;
        }
        core
    }

    /// The part of `keyword` whose grams are the rarest, and where it begins.
    fn of(keyword: &[u8]) -> (Self, u8) {
        let rare = |&at: &usize| {
            let at = &keyword[at..];
            frequency([at[0], at[1], at[2]]) + frequency([at[1], at[2], at[3]])
        };
        let best = (0..keyword.len().saturating_sub(3)).min_by(|a, b| rare(a).total_cmp(&rare(b))).unwrap_or(0);
        let start = best.saturating_sub(2).min(keyword.len().saturating_sub(LONGEST_CORE));
        let core = Self::new(&keyword[start..keyword.len().min(start + LONGEST_CORE)]);
        (core, u8::try_from(start).unwrap_or(u8::MAX))
    }

    /// The byte at `at`, as a set.
    fn byte(self, at: usize) -> ByteSet {
        ByteSet::of(self.bytes().get(at).copied())
    }

    fn bytes(self) -> Vec<u8> {
        self.value.to_le_bytes()[..usize::from(self.len)].to_vec()
    }

    /// The grams that find it, with their places. `before` and `after`: what may stand beside it.
    fn grams(self, before: ByteSet, after: ByteSet) -> Vec<(i8, [u8; 3])> {
        let bytes = self.bytes();
        if let [a, b, c] = bytes[..] {
            let first: Vec<[u8; 3]> = before.iter().map(|byte| [byte, a, b]).collect();
            let last: Vec<[u8; 3]> = after.iter().map(|byte| [b, c, byte]).collect();
            // A gram more costs as much as one that passes once in 2^18.
            let cost = |grams: &[[u8; 3]]| -> f64 { grams.iter().map(|gram| frequency(*gram) + 4e-6).sum() };
            let (at, odd) = if cost(&first) < cost(&last) { (-1, first) } else { (1, last) };
            return std::iter::once((0, [a, b, c])).chain(odd.into_iter().map(|gram| (at, gram))).collect();
        }
        let rare = |at: usize| -> f64 {
            bytes[at..at + 4].windows(3).map(|gram| frequency([gram[0], gram[1], gram[2]])).sum()
        };
        let best = (0..=bytes.len().saturating_sub(4)).min_by(|&a, &b| rare(a).total_cmp(&rare(b))).unwrap_or(0);
        let gram = |at: usize| (i8::try_from(at).unwrap_or(0), [bytes[at], bytes[at + 1], bytes[at + 2]]);
        vec![gram(best), gram(best + 1)]
    }
}

/// What is known of a core while tables are made: what may stand before it, after it, and one byte further.
type Beside = [ByteSet; 3];

impl Literals {
    /// The tables for rules with these anchors. There are fewer than 65,536 rules, anchors of a rule and cores, and no
    /// keyword has more than 255 bytes.
    pub fn new(rules: &[&[Anchor]]) -> Self {
        let few = "there are far fewer than 65,536 of them";
        let mut cores: Vec<(Core, Beside)> = Vec::new();
        let mut known: HashMap<(u64, u8), CoreId> = HashMap::new();
        let mut entries: Vec<(CoreId, Entry)> = Vec::new();
        for (rule, anchors) in rules.iter().enumerate() {
            for (nth, anchor) in anchors.iter().enumerate() {
                let (core, back) = Core::of(anchor.keyword.as_bytes());
                let id = *known.entry((core.value, core.len)).or_insert_with(|| {
                    cores.push((core, Beside::default()));
                    CoreId::try_from(cores.len() - 1).expect(few)
                });
                let end = i16::from(back) + i16::from(core.len);
                let sides = [anchor.byte_at(i16::from(back) - 1), anchor.byte_at(end), anchor.byte_at(end + 1)];
                for (side, more) in cores[usize::from(id)].1.iter_mut().zip(sides) {
                    *side = side.or(more);
                }
                let (rule, anchor) = (u16::try_from(rule).expect(few), u16::try_from(nth).expect(few));
                let len = u8::try_from(anchors[nth].keyword.len()).expect("keywords are short");
                entries.push((id, Entry { rule, anchor, back, len }));
            }
        }
        entries.sort_by_key(|(core, entry)| (*core, entry.rule, entry.anchor));
        let by_core = starts(cores.len(), entries.iter().map(|(core, _)| usize::from(*core)));
        let mut tables = Self {
            first: Cow::Owned(vec![0; FIRST]),
            second: Cow::Owned(vec![0; SECOND]),
            buckets: Cow::Owned(Vec::new()),
            grams: Cow::Owned(Vec::new()),
            lens: cores.iter().map(|(core, _)| core.len).collect(),
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            by_core: Cow::Owned(by_core),
        };
        tables.fill(&cores);
        tables
    }

    /// Fills the tables of grams.
    fn fill(&mut self, cores: &[(Core, Beside)]) {
        let (in_first, in_second) = (self.first.to_mut(), self.second.to_mut());
        let mut grams: Vec<(usize, Gram)> = Vec::new();
        for (id, (core, [before, after, further])) in (0..).zip(cores) {
            for (at, [a, b, c]) in core.grams(*before, *after) {
                let bytes = gram(a, b, c, 0);
                let Core { value, mask, len } = *core;
                grams.push((bucket(bytes), Gram { value, mask, core: id, len, at }));
                in_first[first(bytes)] = 1;
                let behind = match usize::from(len).checked_add_signed(-(isize::from(at) + 3)) {
                    Some(0) => *after,
                    Some(_) => core.byte(usize::try_from(at + 3).unwrap_or(0)),
                    None => *further,
                };
                for byte in behind.iter() {
                    let (word, bit) = second(gram(a, b, c, byte));
                    in_second[word] |= 1 << bit;
                }
            }
        }
        grams.sort_by_key(|(bucket, gram)| (*bucket, gram.core, gram.at));
        grams.dedup_by_key(|(bucket, gram)| (*bucket, gram.core, gram.at));
        let starts = starts(BUCKETS, grams.iter().map(|(bucket, _)| *bucket));
        let narrow = |start: u32| u16::try_from(start).expect("there are far fewer than 65,536 grams");
        self.buckets = starts.into_iter().map(narrow).collect();
        self.grams = grams.into_iter().map(|(_, gram)| gram).collect();
    }
}

/// Where each of `count` groups begins in a list sorted by group, and where the last one ends.
fn starts(count: usize, groups: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    groups.for_each(|group| starts[group + 1] += 1);
    for group in 0..count {
        starts[group + 1] += starts[group];
    }
    starts
}

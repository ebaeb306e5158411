//! The literal stage: where in a text the cores of keywords stand. One pass over the bytes, whatever the number of
//! keywords.
//!
//! A core is up to eight bytes of a keyword. The text is looked at in three-byte grams at every second position, a
//! bitmap tells whether a gram is of any core, and what passes is compared with the cores of that gram, eight bytes at
//! a time. Each core of four bytes and more puts two neighbouring grams into the bitmap, so that one of them stands at
//! an even position; shorter ones put in their only gram and, for odd positions, those of two of its bytes and
//! whatever may stand beside them. Bytes are compared without bit 5, which folds the case of letters and more: a core
//! says maybe, the anchors say no.
//!
//! Cost is dominated by grams that pass for nothing, so the rarest neighbouring grams of a keyword are chosen, by a
//! table of how often pairs of bytes occur (`rules/data/bigrams.py`).

use std::ops::Range;

use crate::rule::anchor::{Anchor, ByteSet};

/// Longest core in bytes: what one comparison takes.
pub(super) const LONGEST_CORE: usize = 8;

/// Words of the bitmap: 2^18 bits, 32 KiB.
const WORDS: usize = 1 << 13;

/// Buckets of grams.
const BUCKETS: usize = 1 << 12;

/// Bytes looked at in one step.
const STEP: usize = 16;

/// Bytes in hand for one step: those of its last gram, and one more.
const CHUNK: usize = STEP + 4;

/// Steps whose findings are gathered before they are looked into.
const BLOCK: usize = 256;

/// Bit 5 of every byte.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// Bits of surprise of pairs of bytes, see `rules/data/bigrams.py`: 64 lines of 64 characters.
static BIGRAMS: &[u8] = include_bytes!("../../rules/data/bigrams.txt");

/// A core by number.
pub(super) type CoreId = u16;

/// Up to eight bytes of a keyword, folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Core {
    /// The bytes, the first one lowest.
    value: u64,
    /// Which bytes count.
    mask: u64,
    /// How many they are.
    len: u8,
}

/// A gram of a core.
#[derive(Clone, Copy, Debug)]
struct Gram {
    core: Core,
    id: CoreId,
    /// Where the gram stands in the core, bytes; −1 for the byte before it.
    at: i8,
}

/// The literal stage of a rule set.
#[derive(Debug)]
pub(super) struct Sieve {
    bits: Box<[u32; WORDS]>,
    /// Where in `grams` each bucket begins.
    buckets: Box<[u16; BUCKETS + 1]>,
    grams: Vec<Gram>,
    cores: Vec<Core>,
}

/// A keyword's core: which one, and where in the keyword it begins.
pub(super) type Placed = (CoreId, u8);

fn fold(byte: u8) -> u8 {
    byte | 0x20
}

/// The place of a gram in the bitmap. The fourth byte of `gram` doesn't count.
#[inline(always)]
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1 << 8) >> 14
}

/// Bits of surprise of two bytes next to each other.
fn surprise(a: u8, b: u8) -> u32 {
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

    fn bytes(self) -> Vec<u8> {
        self.value.to_le_bytes()[..usize::from(self.len)].to_vec()
    }

    /// Whether it stands at `start`.
    #[inline(always)]
    fn stands(self, text: &[u8], start: usize) -> bool {
        let bytes = match text.get(start..start.wrapping_add(LONGEST_CORE)) {
            Some(bytes) => u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")),
            None => match text.get(start..) {
                Some(rest) if rest.len() >= usize::from(self.len) => {
                    rest.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
                }
                _ => return false,
            },
        };
        (bytes | FOLD) & self.mask == self.value
    }
}

impl Sieve {
    /// The stage for the keywords of `anchors`, and where in each keyword its core stands, in the same order.
    pub(super) fn new<'a>(anchors: impl Iterator<Item = &'a Anchor>) -> (Self, Vec<Placed>) {
        let mut cores: Vec<Core> = Vec::new();
        // What may stand before and after each core, for those that are too short.
        let mut beside: Vec<[ByteSet; 2]> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut placed = Vec::new();
        for anchor in anchors {
            let (core, start) = Core::of(anchor.keyword.as_bytes());
            let id = *known.entry((core.value, core.len)).or_insert_with(|| {
                cores.push(core);
                beside.push([ByteSet::default(); 2]);
                CoreId::try_from(cores.len() - 1).expect("there are far fewer than 65,536 keywords")
            });
            let len = i16::from(core.len);
            let sides = [anchor.byte_at(-1), anchor.byte_at(len)];
            for (side, more) in beside[usize::from(id)].iter_mut().zip(sides) {
                *side = side.or(more);
            }
            placed.push((id, start));
        }
        let mut grams: Vec<(u32, Gram)> = Vec::new();
        for (id, (core, [before, after])) in (0..).zip(cores.iter().zip(&beside)) {
            for (at, bytes) in core.grams(*before, *after) {
                let gram = u32::from_le_bytes([fold(bytes[0]), fold(bytes[1]), fold(bytes[2]), 0]);
                grams.push((hash(gram), Gram { core: *core, id, at }));
            }
        }
        grams.sort_by_key(|(hash, gram)| (*hash, gram.id, gram.at));
        grams.dedup_by_key(|(hash, gram)| (*hash, gram.id, gram.at));
        let mut bits = Box::new([0; WORDS]);
        let mut counts = [0_usize; BUCKETS];
        for (hash, _) in &grams {
            bits[(hash >> 5) as usize] |= 1 << (hash & 31);
            counts[(hash >> 6) as usize] += 1;
        }
        let mut buckets = Box::new([0; BUCKETS + 1]);
        let mut sum = 0;
        for (bucket, count) in buckets[1..].iter_mut().zip(counts) {
            sum += count;
            *bucket = u16::try_from(sum).expect("there are far fewer than 65,536 grams");
        }
        (Self { bits, buckets, grams: grams.into_iter().map(|(_, gram)| gram).collect(), cores }, placed)
    }

    /// Length of a core in bytes.
    #[inline(always)]
    pub(super) fn len(&self, core: CoreId) -> usize {
        usize::from(self.cores[usize::from(core)].len)
    }

    /// How many different cores there are.
    pub(super) fn cores(&self) -> usize {
        self.cores.len()
    }

    /// Calls `hit(offset in the text, core)` for every core that lies in `range`, roughly in order: an offset is never
    /// more than [`LONGEST_CORE`] bytes before an earlier one.
    pub(super) fn each(&self, text: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, CoreId)) {
        let text = &text[range.start..range.end];
        let mut found = [0_u16; BLOCK];
        let mut at = 0;
        // Blocks overlap by what a gram needs; a core may reach past one.
        while text.len() - at >= CHUNK {
            let block = &text[at..text.len().min(at + BLOCK * STEP + 4)];
            let (mut count, mut step) = (0_usize, 0_u16);
            for chunk in block.windows(CHUNK).step_by(STEP) {
                let passed = self.pass(chunk.try_into().expect("windows have their size"));
                found[count & (BLOCK - 1)] = step << 8 | u16::from(passed);
                count += usize::from(passed != 0);
                step = step.wrapping_add(1);
            }
            for &found in &found[..count] {
                self.look(text, at + usize::from(found >> 8) * STEP, found as u8, range.start, &mut hit);
            }
            at += usize::from(step) * STEP;
        }
        // The rest is shorter than a chunk; nothing follows it.
        let left = text.len() - at;
        let mut rest = [0; STEP + CHUNK];
        rest[..left].copy_from_slice(&text[at..]);
        let steps = if left > STEP { 2 } else { 1 };
        for step in 0..steps {
            let chunk = &rest[step * STEP..step * STEP + CHUNK];
            let passed = self.pass(chunk.try_into().expect("the slice has that size"));
            self.look(text, at + step * STEP, passed, range.start, &mut hit);
        }
    }

    /// Which of the eight even positions of a chunk hold a gram of the bitmap.
    #[inline(always)]
    fn pass(&self, chunk: &[u8; CHUNK]) -> u8 {
        let bit = |at: usize| {
            let gram = u32::from_le_bytes([chunk[at], chunk[at + 1], chunk[at + 2], chunk[at + 3]]) | FOLD as u32;
            let hash = hash(gram);
            self.bits[(hash >> 5) as usize] >> (hash & 31) & 1
        };
        let low = bit(0) | bit(2) << 1 | bit(4) << 2 | bit(6) << 3;
        let high = bit(8) << 4 | bit(10) << 5 | bit(12) << 6 | bit(14) << 7;
        (low | high) as u8
    }

    /// Compares the cores of the grams that passed.
    #[inline(always)]
    fn look(&self, text: &[u8], base: usize, mut passed: u8, offset: usize, hit: &mut impl FnMut(usize, CoreId)) {
        while passed != 0 {
            let at = base + 2 * passed.trailing_zeros() as usize;
            passed &= passed - 1;
            let byte = |n: usize| text.get(at + n).copied().unwrap_or(0);
            let gram = u32::from_le_bytes([byte(0), byte(1), byte(2), 0]) | FOLD as u32;
            let bucket = (hash(gram) >> 6) as usize % BUCKETS;
            let grams = &self.grams[usize::from(self.buckets[bucket])..usize::from(self.buckets[bucket + 1])];
            for gram in grams {
                let Some(start) = at.checked_add_signed(-isize::from(gram.at)) else { continue };
                if gram.core.stands(text, start) {
                    hit(offset + start, gram.id);
                }
            }
        }
    }
}

impl Core {
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

//! The literal stage: where in a text the cores of keywords stand. One pass over the bytes, whatever the number of
//! keywords.
//!
//! A core is up to eight bytes of a keyword. The text is looked at in three-byte grams at every second position; a
//! table tells whether a gram is of any core. What passes is looked at with the byte that follows, in a second table,
//! and what is left is compared with the cores of that gram, eight bytes at a time. Each core of four bytes and more
//! puts two neighbouring grams into the tables, so that one of them stands at an even position; shorter ones put in
//! their only gram and, for odd positions, those of two of its bytes and whatever may stand beside them. Bytes are
//! compared without bit 5, which folds the case of letters and more: a core says maybe, the anchors say no.
//!
//! Where a gram ends with its core, the byte that follows is one that an anchor lets follow. So what is told of a core
//! rests on up to [`CONTEXT`] bytes beside it, and cores that no anchor can fit may be left out.
//!
//! Cost is dominated by grams that pass for nothing, so the rarest neighbouring grams of a keyword are chosen, by a
//! table of how often pairs of bytes occur (`rules/data/bigrams.py`). The second table is asked without a branch: of 24
//! grams in a KiB of source that pass the first, 10 pass the second, and 1.6 are of a core.

use std::ops::Range;

use crate::rule::anchor::{Anchor, ByteSet};

/// Longest core in bytes: what one comparison takes.
pub(super) const LONGEST_CORE: usize = 8;

/// How many bytes beside a core its being reported rests on, either way.
pub(super) const CONTEXT: usize = 2;

/// Entries of the first table, a byte each: quicker to ask than bits, and 64 KiB of which a text touches little.
const FIRST: usize = 1 << 16;

/// Words of the second table: 2^18 bits, 32 KiB.
const WORDS: usize = 1 << 13;

/// Buckets of grams.
const BUCKETS: usize = 1 << 12;

/// Bytes looked at in one step.
const STEP: usize = 16;

/// Bytes in hand for one step: those of its last gram, and one more.
const CHUNK: usize = STEP + 4;

/// Steps whose findings are gathered before they are looked into.
const BLOCK: usize = 64;

/// Places that are gathered before they are looked into.
const PLACES: usize = 64;

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
    /// One for each gram of a core, by [`first`].
    first: Box<[u8]>,
    /// A bit for each gram and the byte behind it, by [`second`].
    second: Box<[u32; WORDS]>,
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

/// The place of a gram in the first table. The fourth byte of `gram` doesn't count.
#[inline(always)]
fn first(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1 << 8) >> 16) as usize
}

/// The word and bit of a gram and the byte behind it in the second table.
#[inline(always)]
fn second(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(0x9e37_79b1) >> 14;
    ((hash >> 5) as usize, hash & 31)
}

/// The bucket of a gram.
#[inline(always)]
fn bucket(gram: u32) -> usize {
    first(gram) >> 4
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

    /// The byte at `at`, as a set.
    fn byte(self, at: usize) -> ByteSet {
        ByteSet::of(self.bytes().get(at).copied())
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
        // What may stand before each core, after it, and one byte further.
        let mut beside: Vec<[ByteSet; 3]> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut placed = Vec::new();
        for anchor in anchors {
            let (core, start) = Core::of(anchor.keyword.as_bytes());
            let id = *known.entry((core.value, core.len)).or_insert_with(|| {
                cores.push(core);
                beside.push([ByteSet::default(); 3]);
                CoreId::try_from(cores.len() - 1).expect("there are far fewer than 65,536 keywords")
            });
            let end = i16::from(start) + i16::from(core.len);
            let sides = [anchor.byte_at(i16::from(start) - 1), anchor.byte_at(end), anchor.byte_at(end + 1)];
            for (side, more) in beside[usize::from(id)].iter_mut().zip(sides) {
                *side = side.or(more);
            }
            placed.push((id, start));
        }
        let mut sieve = Self {
            first: vec![0; FIRST].into(),
            second: Box::new([0; WORDS]),
            buckets: Box::new([0; BUCKETS + 1]),
            grams: Vec::new(),
            cores,
        };
        sieve.fill(&beside);
        (sieve, placed)
    }

    /// Fills the tables. `beside`: what may stand before each core, after it, and one byte further.
    fn fill(&mut self, beside: &[[ByteSet; 3]]) {
        let mut grams: Vec<(usize, Gram)> = Vec::new();
        for (id, (core, [before, after, further])) in (0..).zip(self.cores.iter().zip(beside)) {
            for (at, [a, b, c]) in core.grams(*before, *after) {
                let gram = u32::from_le_bytes([fold(a), fold(b), fold(c), 0]);
                grams.push((bucket(gram), Gram { core: *core, id, at }));
                self.first[first(gram)] = 1;
                let behind = match usize::from(core.len).checked_add_signed(-(isize::from(at) + 3)) {
                    Some(0) => *after,
                    Some(_) => core.byte(usize::try_from(at + 3).unwrap_or(0)),
                    None => *further,
                };
                for byte in behind.iter() {
                    let (word, bit) = second(gram | u32::from(fold(byte)) << 24);
                    self.second[word] |= 1 << bit;
                }
            }
        }
        grams.sort_by_key(|(bucket, gram)| (*bucket, gram.id, gram.at));
        grams.dedup_by_key(|(bucket, gram)| (*bucket, gram.id, gram.at));
        for (bucket, _) in &grams {
            self.buckets[bucket + 1] += 1;
        }
        for bucket in 0..BUCKETS {
            let sum = self.buckets[bucket].checked_add(self.buckets[bucket + 1]);
            self.buckets[bucket + 1] = sum.expect("there are far fewer than 65,536 grams");
        }
        self.grams = grams.into_iter().map(|(_, gram)| gram).collect();
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
    /// more than [`LONGEST_CORE`] bytes before an earlier one. Cores nearer than [`CONTEXT`] to the end of a range that
    /// doesn't end with the text count as well as any: what is behind them is looked at.
    pub(super) fn each(&self, text: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, CoreId)) {
        let mut found = [0_u16; BLOCK];
        let mut places = [0_u16; PLACES];
        let mut at = range.start;
        while at < range.end {
            let whole = text.len().saturating_sub(at + CHUNK - STEP) / STEP;
            let steps = (range.end - at).div_ceil(STEP).min(BLOCK).min(whole);
            // The last bytes of a text are fewer than a step takes.
            let mut rest = [0; CHUNK];
            let block = if steps > 0 {
                &text[at..at + steps * STEP + CHUNK - STEP]
            } else {
                let left = &text[at..text.len().min(at + CHUNK)];
                rest[..left.len()].copy_from_slice(left);
                &rest[..]
            };
            let (mut count, mut step) = (0_usize, 0_u16);
            for chunk in block.windows(CHUNK).step_by(STEP) {
                let passed = self.pass(chunk.try_into().expect("windows have their size"));
                found[count % BLOCK] = step << 8 | u16::from(passed);
                count += usize::from(passed != 0);
                step += 1;
            }
            let mut kept = 0;
            for &found in &found[..count] {
                let (base, mut passed) = (found >> 8, found & 0xff);
                while passed != 0 {
                    let place = base * STEP as u16 + 2 * passed.trailing_zeros() as u16;
                    passed &= passed - 1;
                    places[kept % PLACES] = place;
                    kept += usize::from(self.stays(block, usize::from(place)));
                }
                if kept > PLACES - STEP / 2 {
                    places[..kept].iter().for_each(|&place| self.look(text, at + usize::from(place), &range, &mut hit));
                    kept = 0;
                }
            }
            places[..kept].iter().for_each(|&place| self.look(text, at + usize::from(place), &range, &mut hit));
            at += usize::from(step) * STEP;
        }
    }

    /// Which of the eight even positions of a chunk hold a gram of the first table.
    #[inline(always)]
    fn pass(&self, chunk: &[u8; CHUNK]) -> u8 {
        let bit = |at: usize| self.first[first(gram(chunk[at], chunk[at + 1], chunk[at + 2], chunk[at + 3]))];
        let low = bit(0) | bit(2) << 1 | bit(4) << 2 | bit(6) << 3;
        let high = bit(8) << 4 | bit(10) << 5 | bit(12) << 6 | bit(14) << 7;
        low | high
    }

    /// Whether a gram that passed is in the second table too, with the byte behind it.
    #[inline(always)]
    fn stays(&self, block: &[u8], place: usize) -> bool {
        let Some(&[a, b, c, d]) = block.get(place..).and_then(|rest| rest.first_chunk()) else { return true };
        let (word, bit) = second(gram(a, b, c, d));
        self.second[word] >> bit & 1 == 1
    }

    /// Compares the cores of a gram that passed.
    #[inline(always)]
    fn look(&self, text: &[u8], at: usize, range: &Range<usize>, hit: &mut impl FnMut(usize, CoreId)) {
        let byte = |n: usize| text.get(at + n).copied().unwrap_or(0);
        let bucket = bucket(gram(byte(0), byte(1), byte(2), 0));
        for gram in &self.grams[usize::from(self.buckets[bucket])..usize::from(self.buckets[bucket + 1])] {
            let Some(start) = at.checked_add_signed(-isize::from(gram.at)) else { continue };
            let within = start >= range.start && start + usize::from(gram.core.len) <= range.end;
            if within && gram.core.stands(text, start) {
                hit(start, gram.id);
            }
        }
    }
}

/// Four bytes in a word, folded.
#[inline(always)]
fn gram(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_le_bytes([a, b, c, d]) | FOLD as u32
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

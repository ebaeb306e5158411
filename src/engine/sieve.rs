//! The literal stage: where in a text the cores of keywords stand. One pass over the bytes, whatever the number of
//! keywords.
//!
//! The text is looked at in three-byte grams at every second position; a table tells whether a gram is of any core. What
//! passes is looked at with the byte that follows, in a second table, without a branch; and what is left is compared with
//! the cores of that gram, eight bytes at a time. Of 24 grams in a KiB of source that pass the first table, 10 pass the
//! second, and 1.6 are of a core. What is in the tables: [`crate::rule::literals`].

use std::ops::Range;

use crate::rule::literals::{CoreId, FIRST, FOLD, Gram, LONGEST_CORE, Literals, SECOND, bucket, first, gram, second};

/// Bytes looked at in one step.
const STEP: usize = 16;

/// Bytes in hand for one step: those of its last gram, and one more.
const CHUNK: usize = STEP + 4;

/// Steps whose findings are gathered before they are looked into.
const BLOCK: usize = 64;

/// Places that are gathered before they are looked into.
const PLACES: usize = 64;

/// The tables as the loop wants them.
struct Sieve<'l> {
    first: &'l [u8; FIRST],
    second: &'l [u32; SECOND],
    literals: &'l Literals,
}

/// Calls `hit(offset in the text, core)` for every core that lies in `range`, roughly in order: an offset is never more
/// than [`LONGEST_CORE`] bytes before an earlier one. What stands beside the range is looked at too, as far as there is
/// text.
pub(super) fn each(literals: &Literals, text: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, CoreId)) {
    let size = "tables have their size";
    let sieve = Sieve {
        first: literals.first.as_ref().try_into().expect(size),
        second: literals.second.as_ref().try_into().expect(size),
        literals,
    };
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
            let passed = sieve.pass(chunk.try_into().expect("windows have their size"));
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
                kept += usize::from(sieve.stays(block, usize::from(place)));
            }
            if kept > PLACES - STEP / 2 {
                places[..kept].iter().for_each(|&place| sieve.look(text, at + usize::from(place), &range, &mut hit));
                kept = 0;
            }
        }
        places[..kept].iter().for_each(|&place| sieve.look(text, at + usize::from(place), &range, &mut hit));
        at += usize::from(step) * STEP;
    }
}

impl Sieve<'_> {
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
        let Literals { buckets, grams, .. } = self.literals;
        for gram in &grams[usize::from(buckets[bucket])..usize::from(buckets[bucket + 1])] {
            let Some(start) = at.checked_add_signed(-isize::from(gram.at)) else { continue };
            let within = start >= range.start && start + usize::from(gram.len) <= range.end;
            if within && stands(gram, text, start) {
                hit(start, gram.core);
            }
        }
    }
}

/// Whether the core of a gram stands at `start`.
#[inline(always)]
fn stands(gram: &Gram, text: &[u8], start: usize) -> bool {
    let bytes = match text.get(start..start.wrapping_add(LONGEST_CORE)) {
        Some(bytes) => u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")),
        None => match text.get(start..) {
            Some(rest) if rest.len() >= usize::from(gram.len) => {
                rest.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
            }
            _ => return false,
        },
    };
    (bytes | FOLD) & gram.mask == gram.value
}

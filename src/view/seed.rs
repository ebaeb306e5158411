//! Where in a text something encoded starts. Every text is looked at, so this is a matter of few instructions a byte:
//! eight bytes of 32 are tested for being letters and digits alone, as all bytes of a long run of base64 or hex
//! are; and one search finds `\` and `%`, after which most of the time stands nothing that starts an escape of interest.

use std::ops::ControlFlow;

use super::{base64, escapes, hex, percent};

/// Bytes that are tested together.
const WORD: usize = 8;

/// How far the tested bytes lie apart.
const STRIDE: usize = 32;

/// Least length of a run of base64 or hex that is looked at, in characters: 30 or 20 bytes. What is shorter is hardly
/// more than a password, which no rule knows without its name, and would cost every text a third more.
pub(super) const LEAST_RUN: usize = 40;

// A run that is long enough covers one of the words that are tested, wherever it starts.
const _: () = assert!(LEAST_RUN >= WORD + STRIDE - 1);

/// Where which encodings start, in order.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// Base64 that decodes to text.
    pub(super) base64: Vec<usize>,
    /// Hex that decodes to text.
    pub(super) hex: Vec<usize>,
    /// Percent signs of escapes that break tokens.
    pub(super) percent: Vec<usize>,
    /// The last backslash of such escapes.
    pub(super) escapes: Vec<usize>,
}

impl Seeds {
    /// Those of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut seeds = Self::default();
        let mut add = |kind: Kind, at: usize| {
            seeds.of_kind(kind).push(at);
            ControlFlow::Continue(())
        };
        // Nobody breaks off.
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) = runs(text, &mut add);
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) = marks(text, &mut add);
        // Those of one word came from the last to the first.
        seeds.base64.sort_unstable();
        seeds.hex.sort_unstable();
        seeds
    }

    /// Those of one kind.
    fn of_kind(&mut self, kind: Kind) -> &mut Vec<usize> {
        match kind {
            Kind::Base64 => &mut self.base64,
            Kind::Hex => &mut self.hex,
            Kind::Percent => &mut self.percent,
            Kind::Escapes => &mut self.escapes,
        }
    }
}

/// What starts at a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Base64,
    Hex,
    Percent,
    Escapes,
}

/// Whether there is any seed in a text.
pub(super) fn is_any(text: &[u8]) -> bool {
    runs(text, &mut |_, _| ControlFlow::Break(())).is_break()
        || marks(text, &mut |_, _| ControlFlow::Break(())).is_break()
}

/// Whether a byte may stand in base64 of either alphabet (RFC 4648 sections 4 and 5).
pub(super) fn is_base64(byte: u8) -> bool {
    base64::VALUES[usize::from(byte)] < 64
}

/// Blocks whose findings are gathered before they are looked into.
const BLOCKS: usize = 64;

/// Calls `found` with each start of base64 or hex.
fn runs(text: &[u8], found: &mut impl FnMut(Kind, usize) -> ControlFlow<()>) -> ControlFlow<()> {
    let (blocks, rest) = text.as_chunks::<STRIDE>();
    for (nth, blocks) in blocks.chunks(BLOCKS).enumerate() {
        let (mut places, mut count) = ([0_u8; BLOCKS], 0_usize);
        // No branch in here: whether a word is plain can't be foretold.
        for (place, block) in (0_u8..).zip(blocks) {
            places[count % BLOCKS] = place;
            count = count.wrapping_add(usize::from(block.first_chunk().is_some_and(is_plain)));
        }
        for &place in &places[..count] {
            let at = (nth * BLOCKS + usize::from(place)) * STRIDE;
            if may_be_long(text, at) && may_encode(text, at) {
                around(text, at, found)?;
            }
        }
    }
    // What begins in the last block may go on behind it.
    let at = text.len() - rest.len();
    if rest.first_chunk().is_some_and(is_plain) && may_be_long(text, at) && may_encode(text, at) {
        around(text, at, found)?;
    }
    ControlFlow::Continue(())
}

/// Whether all bytes of a word are ASCII and none is a space, a quote, a bracket. Most words of a text hold one.
#[inline(always)]
fn is_plain(word: &[u8; WORD]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let bytes = u64::from_le_bytes(*word);
    (bytes.wrapping_sub(ONES * b'+' as u64) | bytes) & (ONES << 7) == 0
}

/// Whether the plain word at `at` is one of four: a run of five words covers four that lie on multiples of its length.
#[inline(always)]
fn may_be_long(text: &[u8], at: usize) -> bool {
    let word = |at: usize| text.get(at..).and_then(|text| text.first_chunk()).is_some_and(is_plain);
    let before = |n: usize| word(at.wrapping_sub(n * WORD));
    if !word(at + WORD) {
        before(1) && before(2) && before(3)
    } else if !word(at + 2 * WORD) {
        before(1) && before(2)
    } else {
        before(1) || word(at + 3 * WORD)
    }
}

/// Whether the word at `at` may be a part of a sample that [`base64::starts`] or [`hex::starts`] takes: one of the stretches
/// of two words with it, or before it, is in the sample.
fn may_encode(text: &[u8], at: usize) -> bool {
    let words = |at: usize| text.get(at..).and_then(|text| text.first_chunk()).is_some_and(may_encode_all);
    let word = text[at..].first_chunk::<WORD>();
    word.is_some_and(|word| word.iter().fold(0, |all, byte| all | base64::LEADS[usize::from(*byte)]) < base64::NONE)
        && (0..4).any(|n| words(at.wrapping_sub(n * WORD)))
}

/// Whether all of two words is base64, and in one of the four phases three of four quads begin as those of text do; or
/// all of it is hex.
fn may_encode_all(words: &[u8; 2 * WORD]) -> bool {
    // Four sums in one number: none is more than four times `NONE`.
    let quad = |at: usize| {
        let kind = |at: usize| u32::from(base64::LEADS[usize::from(words[at])]);
        kind(at) | kind(at + 1) << 8 | kind(at + 2) << 16 | kind(at + 3) << 24
    };
    let phases = quad(0).wrapping_add(quad(4)).wrapping_add(quad(8)).wrapping_add(quad(12));
    /// The bit of [`base64::NONE`] and those above it, in each sum.
    const NONE: u32 = 0xf0f0_f0f0;
    // A sum of three or four has bits that show when one is added.
    phases & NONE == 0 && phases.wrapping_add(0x0101_0101) & 0x0404_0404 != 0 || words.iter().all(u8::is_ascii_hexdigit)
}

/// The seeds for which the word at `at` is the first that is tested: those that begin less than [`STRIDE`] before it.
fn around(text: &[u8], at: usize, found: &mut impl FnMut(Kind, usize) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut look = |start: usize| {
        if start > at || start + STRIDE <= at {
            ControlFlow::Continue(())
        } else if hex::starts(text, start) {
            found(Kind::Hex, start)
        } else if base64::starts(text, start) {
            found(Kind::Base64, start)
        } else {
            ControlFlow::Continue(())
        }
    };
    let floor = at.saturating_sub(STRIDE + LONGEST_LEAD);
    let mut end = at;
    // What stands before a value may be of the same characters: a path, a prefix.
    while let Some(before) = text[floor..end].iter().rposition(|byte| base64::VALUES[usize::from(*byte)] >= 62) {
        end = floor + before;
        look(end + 1)?;
        if !is_base64(text[end]) {
            return match &text[end..] {
                [b'\\', b'n' | b'r' | b't', ..] => look(end + 2),
                [_, b'0', b'x' | b'X', ..] => look(end + 3),
                _ => ControlFlow::Continue(()),
            };
        }
    }
    if floor > 0 {
        return ControlFlow::Continue(());
    }
    look(0)?;
    if matches!(text, [b'0', b'x' | b'X', ..]) { look(2) } else { ControlFlow::Continue(()) }
}

/// Longest part of a run that is no part of the value, in bytes: the letter of an escape, the `0x` of a number.
const LONGEST_LEAD: usize = 2;

/// Calls `found` with each escape that may break a token.
fn marks(text: &[u8], found: &mut impl FnMut(Kind, usize) -> ControlFlow<()>) -> ControlFlow<()> {
    for at in memchr::memchr2_iter(b'\\', b'%', text) {
        match text[at] {
            b'\\' if escapes::breaks(text, at) => found(Kind::Escapes, at)?,
            b'%' if percent::breaks(text, at) => found(Kind::Percent, at)?,
            _ => {}
        }
    }
    ControlFlow::Continue(())
}

//! One readable of any size, fed to a visitor in bounded memory.
//!
//! In: a reader. Out: one visit with all bytes, or, past `Sizes::whole`, a row of overlapping windows. A match that
//! starts in a window's own bytes has `Sizes::overlap` bytes of context on both sides, and each byte of the content
//! is some window's own exactly once. Opening, metadata and what an error means are the caller's.

use std::cell::Cell;
use std::io::{self, Read};

use super::Visitor;
use crate::blob::{Blob, ContentId, Window};
use crate::location::{Position, Span, advance};
use crate::place::Provenance;

/// Context bytes before and after a window's own bytes, unless the caller knows a longer rule.
pub const OVERLAP: usize = 64 << 10;

/// A thread keeps its read buffer up to this many bytes; larger ones are given back after use.
const KEPT: usize = 8 << 20;

thread_local! {
    /// The read buffer. Taken out while in use, so that a visitor that ends up in here again gets another one.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How contents are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Contents of up to this many bytes are visited in one piece.
    whole: usize,
    /// Own bytes of a window; even.
    own: usize,
    /// Context bytes before and after them; even, so that UTF-16 text keeps its phase, and at least the 4 of the
    /// longest UTF-8 character, so that one that a border cuts is still measured whole.
    overlap: usize,
}

impl Sizes {
    /// 64 MiB in one piece, windows of 8 MiB. `overlap` is in bytes, rounded up to an even number, no less than 4.
    pub(crate) fn new(overlap: usize) -> Self {
        Self { whole: 64 << 20, own: 8 << 20, overlap: overlap.saturating_add(overlap % 2).max(4) }
    }
}

/// How feeding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All was visited.
    Complete,
    /// The content is longer than the user's limit. What came before the end of it may have been visited.
    OverLimit,
    /// The visitor asked to stop.
    Stopped,
}

/// What is to be fed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    /// Its id.
    pub(crate) id: ContentId,
    /// Where it stands.
    pub(crate) provenance: &'a Provenance,
    /// Its size in bytes as `fstat` told it before the first read, 0 where nothing is known. No end is looked for after
    /// so many bytes: that there are more by now is for the caller to find out, who compares what `fstat` says afterwards.
    pub(crate) expected: u64,
    /// The user's limit in bytes.
    pub(crate) limit: Option<u64>,
}

/// Feeds all of `reader` to `visitor`.
///
/// # Errors
/// Those of `reader`. What was read before has been visited then, as windows that are not whole.
pub(crate) fn feed<V: Visitor>(
    visitor: &V,
    content: Content<'_>,
    sizes: Sizes,
    reader: &mut impl Read,
) -> io::Result<End> {
    let mut buffer = BUFFER.take();
    let end = Feeder { visitor, content, sizes, buffer: &mut buffer }.run(reader);
    if buffer.capacity() <= KEPT {
        BUFFER.set(buffer);
    }
    end
}

/// The state of one [`feed`].
struct Feeder<'a, V> {
    /// Who sees the bytes.
    visitor: &'a V,
    /// What they are.
    content: Content<'a>,
    /// How they are cut.
    sizes: Sizes,
    /// The bytes in hand, and behind them what an earlier content left.
    buffer: &'a mut Vec<u8>,
}

impl<V: Visitor> Feeder<'_, V> {
    /// Reads the first piece and decides between one visit and windows.
    fn run(&mut self, reader: &mut impl Read) -> io::Result<End> {
        let whole = self.sizes.whole;
        let limit = self.content.limit.unwrap_or(u64::MAX);
        // One byte more than allowed tells "all" from "more".
        let most = (whole as u64).min(limit).saturating_add(1);
        let (filled, failure) = self.first(reader, most);
        if filled as u64 > limit {
            return Ok(End::OverLimit);
        }
        match failure {
            None if filled <= whole => {
                self.visit(Span::new(0, filled), Window::whole(filled));
                Ok(End::Complete)
            }
            None => {
                self.buffer.truncate(filled);
                self.windows(&mut reader.by_ref().take(limit.saturating_sub(filled as u64).saturating_add(1)))
            }
            Some(failure) => {
                self.visit(Span::new(0, filled), Window { whole: false, ..Window::whole(filled) });
                Err(failure)
            }
        }
    }

    /// Reads up to `most` bytes into the start of the buffer. How many came, and what ended it early.
    ///
    /// For a file of ordinary size that is one call: the buffer has room for one byte more than `fstat` told, and what an
    /// earlier file left in it isn't cleared.
    fn first(&mut self, reader: &mut impl Read, most: u64) -> (usize, Option<io::Error>) {
        let expected = self.content.expected;
        let mut filled = 0;
        if let Some(room) = usize::try_from(expected).ok().filter(|size| *size < KEPT && expected < most) {
            let room = room + 1;
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            while filled < room {
                match reader.read(&mut self.buffer[filled..room]) {
                    Ok(0) => return (filled, None),
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return (filled, Some(error)),
                }
                if expected > 0 && filled as u64 == expected {
                    return (filled, None);
                }
            }
        }
        self.buffer.truncate(filled);
        let hint = usize::try_from(expected.min(most)).unwrap_or(self.sizes.whole);
        self.buffer.reserve_exact(hint.saturating_add(1).saturating_sub(filled));
        let failure = reader.by_ref().take(most.saturating_sub(filled as u64)).read_to_end(self.buffer).err();
        (self.buffer.len(), failure)
    }

    /// Goes on in windows from the bytes in hand.
    fn windows(&mut self, reader: &mut impl Read) -> io::Result<End> {
        let Sizes { own: own_length, overlap, .. } = self.sizes;
        // All positions are indices into the buffer, whose first byte is the content's byte `dropped`.
        let mut dropped = 0_u64;
        let mut hand_start = 0;
        let mut own_start = 0;
        let mut ruler = Ruler::START;
        let mut origin = Position::START;
        loop {
            if self.visitor.stop() {
                return Ok(End::Stopped);
            }
            let wanted = own_start + own_length + overlap;
            let mut failure = None;
            let mut ended = false;
            if self.buffer.len() < wanted {
                self.buffer.drain(..hand_start);
                dropped += hand_start as u64;
                ruler.offset -= hand_start;
                own_start -= hand_start;
                hand_start = 0;
                let missing = own_start + own_length + overlap - self.buffer.len();
                match reader.by_ref().take(missing as u64).read_to_end(self.buffer) {
                    Ok(count) => ended = count < missing,
                    Err(error) => failure = Some(error),
                }
            }
            if self.content.limit.is_some_and(|limit| dropped + self.buffer.len() as u64 > limit) {
                return Ok(End::OverLimit);
            }
            let last = ended || failure.is_some();
            let own_end = if last { self.buffer.len() } else { own_start + own_length };
            let hand = Span::new(hand_start, (own_end + overlap).min(self.buffer.len()));
            if own_start < own_end {
                let own = Span::new(own_start - hand_start, own_end - hand_start);
                self.visit(hand, Window { offset: dropped + hand_start as u64, origin, own, whole: false });
            }
            match failure {
                Some(failure) => return Err(failure),
                None if last => return Ok(End::Complete),
                None => {}
            }
            own_start = own_end;
            hand_start = own_end.saturating_sub(overlap).max(hand_start);
            origin = ruler.measure(self.buffer, hand_start);
        }
    }

    /// Hands `hand` of the buffer to the visitor.
    fn visit(&self, hand: Span, window: Window) {
        let Content { id, provenance, .. } = self.content;
        let bytes = &self.buffer[hand.start..hand.end];
        self.visitor.visit(None, Blob { window, provenance: Some(provenance), ..Blob::whole(id, bytes) });
    }
}

/// Measures lines and columns along a text of which only a part is in hand at a time.
#[derive(Clone, Copy, Debug)]
struct Ruler {
    /// Index of the first byte not yet measured; never inside a character.
    offset: usize,
    /// Its position.
    position: Position,
}

impl Ruler {
    /// At the first byte of a content.
    const START: Self = Self { offset: 0, position: Position::START };

    /// The position of byte `at`, not before those asked for earlier. Where a border falls into a UTF-8 character,
    /// the column is such that counting on from there (its cut-off bytes count one each, as invalid ones do) is right
    /// for all that follows; so it may be 0.
    fn measure(&mut self, text: &[u8], at: usize) -> Position {
        let clean = character_end(text, at).max(self.offset);
        self.position = advance(self.position, &text[self.offset..clean]);
        self.offset = clean;
        Position { column: self.position.column.saturating_sub((clean - at) as u64), ..self.position }
    }
}

/// `at`, or the end of the UTF-8 character that began before `at` and goes on past it.
fn character_end(text: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..at)
        .find_map(|start| {
            let length = match text[start] {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return None,
            };
            let end = start + length;
            let character = text.get(start..end)?;
            (end > at && std::str::from_utf8(character).is_ok()).then_some(end)
        })
        .unwrap_or(at)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

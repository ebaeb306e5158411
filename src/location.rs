//! Where in a text something lies: byte spans and the line and column a person can go to.
//!
//! This is the only room that converts between the two. Spans are 0-based and half-open; lines and columns are
//! 1-based; columns count UTF-16 code units, as SARIF's `columnKind: utf16CodeUnits` and code hosts do
//! (SARIF 2.1.0 section 3.14.27, read 2026-11).

/// A half-open range of byte offsets, `start <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset one past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`; `start <= end` is the caller's promise.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether every byte of `other` is in this span.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two spans share a byte.
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The same span `by` bytes further on.
    pub const fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A place in a text: 1-based line and 1-based column in UTF-16 code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, 1-based; lines end at `\n`.
    pub line: u64,
    /// Column, 1-based, in UTF-16 code units; an invalid byte counts as one.
    pub column: u64,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// From the first character to one past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

/// Converts rising byte offsets of one text to positions, counting each byte once.
#[derive(Clone, Debug)]
pub struct Locator<'t> {
    text: &'t [u8],
    offset: usize,
    position: Position,
}

impl<'t> Locator<'t> {
    /// A locator for `text`, whose first byte stands at `origin` ([`Position::START`] for a whole text).
    pub fn new(text: &'t [u8], origin: Position) -> Self {
        Self { text, offset: 0, position: origin }
    }

    /// The position of byte `offset`. Offsets past the end count as the end. Going back starts over at the
    /// text's first byte only when `offset` lies before the last one asked for, so ask in rising order.
    pub fn position(&mut self, offset: usize, origin: Position) -> Position {
        let offset = offset.min(self.text.len());
        if offset < self.offset {
            self.offset = 0;
            self.position = origin;
        }
        self.position = advance(self.position, &self.text[self.offset..offset]);
        self.offset = offset;
        self.position
    }
}

/// The position after `text`, when its first byte stands at `from`.
pub fn advance(from: Position, text: &[u8]) -> Position {
    let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
    let (column, tail) = match memchr::memrchr(b'\n', text) {
        Some(last) => (1, &text[last + 1..]),
        None => (from.column, text),
    };
    Position { line: from.line + newlines, column: column + utf16_units(tail) }
}

/// How many UTF-16 code units `text` takes; every byte that is not valid UTF-8 counts as one unit.
fn utf16_units(text: &[u8]) -> u64 {
    if text.is_ascii() {
        return text.len() as u64;
    }
    text.utf8_chunks()
        .map(|chunk| chunk.valid().chars().map(|c| c.len_utf16() as u64).sum::<u64>() + chunk.invalid().len() as u64)
        .sum()
}

/// The span of the line or lines that `span` touches, without the final line break, no more than `reach` bytes
/// either side of it (one-line megabyte files must not be copied around).
pub fn line_window(text: &[u8], span: Span, reach: usize) -> Span {
    let floor = span.start.saturating_sub(reach);
    let ceiling = span.end.saturating_add(reach).min(text.len());
    let start = memchr::memrchr(b'\n', &text[floor..span.start]).map_or(floor, |at| floor + at + 1);
    let mut end = memchr::memchr(b'\n', &text[span.end..ceiling]).map_or(ceiling, |at| span.end + at);
    if end > span.end && text[end - 1] == b'\r' {
        end -= 1;
    }
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_utf16_units_and_invalid_bytes() {
        let text = "ab\nü𝄞x\r\nz".as_bytes();
        let cases = [(0, 1, 1), (2, 1, 3), (3, 2, 1), (5, 2, 2), (9, 2, 4), (10, 2, 5), (12, 3, 1), (99, 3, 2)];
        let mut locator = Locator::new(text, Position::START);
        for (offset, line, column) in cases {
            assert_eq!(locator.position(offset, Position::START), Position { line, column }, "offset {offset}");
        }
        assert_eq!(locator.position(0, Position::START), Position::START, "going back starts over");
        assert_eq!(advance(Position::START, b"\xff\xfea"), Position { line: 1, column: 4 });
    }

    #[test]
    fn a_line_window_is_the_line_capped() {
        let text = b"one\ntwo three\r\nfour";
        assert_eq!(line_window(text, Span::new(8, 10), 100), Span::new(4, 13));
        assert_eq!(line_window(text, Span::new(0, 3), 100), Span::new(0, 3));
        assert_eq!(line_window(text, Span::new(16, 17), 1), Span::new(15, 18));
    }
}

//! Where the bytes of a view came from, and the builder that keeps account of it.

use std::sync::Arc;

use crate::location::Span;

/// From the bytes of a view to those of the text it was decoded from, and on to the blob.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    /// That of the text it was decoded from, if that is a view itself.
    outer: Option<Arc<Map>>,
    /// In rising order of both offsets.
    pieces: Vec<Piece>,
    /// Stretches that were decoded as a whole and show nothing in between, in order. Empty where escapes stand in
    /// readable text.
    runs: Vec<Run>,
}

/// From this offset of the view on, to the next piece: so many bytes of the view for so many of the source, over and over.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// First byte in the view.
    view: u32,
    /// First byte in the source.
    source: u32,
    /// Bytes of the view that a unit makes, not 0.
    made: u16,
    /// Bytes of the source that a unit takes.
    taken: u16,
}

impl Piece {
    /// Where the unit with offset `at` of the view begins in the source.
    fn begin(&self, at: usize) -> usize {
        self.source as usize + (at - self.view as usize) / usize::from(self.made) * usize::from(self.taken)
    }

    /// Where the unit that ends with offset `at` of the view, or goes on there, ends in the source.
    fn end(&self, at: usize) -> usize {
        self.source as usize + (at - self.view as usize).div_ceil(usize::from(self.made)) * usize::from(self.taken)
    }
}

/// A stretch that was decoded as a whole.
#[derive(Clone, Copy, Debug)]
struct Run {
    view: Span,
    source: Span,
}

impl Map {
    /// The same as part of what `outer` maps on.
    pub(super) fn within(self, outer: &Arc<Map>) -> Self {
        Self { outer: Some(Arc::clone(outer)), ..self }
    }

    /// The piece with offset `at` of the view, or the one before.
    fn piece(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.view as usize <= at);
        self.pieces.get(after.checked_sub(1)?)
    }

    /// The bytes of the source that `span` was decoded from: whole units, or with `inner` only those that lie inside.
    pub(super) fn in_source(&self, span: Span, inner: bool) -> Span {
        let start = self
            .piece(span.start)
            .map_or(0, |piece| if inner { piece.end(span.start) } else { piece.begin(span.start) });
        let Some(last) = span.end.checked_sub(1).filter(|last| *last >= span.start).and_then(|last| self.piece(last))
        else {
            return Span::new(start, start);
        };
        let end = if inner { last.begin(span.end) } else { last.end(span.end) };
        Span::new(start, end.max(start))
    }

    /// The bytes of the blob that `span` was decoded from: whole units, or with `inner` only those that lie inside.
    pub(super) fn in_blob(&self, span: Span, inner: bool) -> Span {
        let here = self.in_source(span, inner);
        self.outer.as_ref().map_or(here, |outer| outer.in_blob(here, inner))
    }

    /// What of the blob shows something of `span`: the whole of what was decoded in one go.
    pub(super) fn covered(&self, span: Span) -> Span {
        let here = self.covered_here(span);
        self.outer.as_ref().map_or(here, |outer| outer.covered(here))
    }

    /// The same in the text it was decoded from.
    fn covered_here(&self, span: Span) -> Span {
        let mut here = self.in_source(span, false);
        let first = self.runs.partition_point(|run| run.view.end <= span.start);
        for run in self.runs[first..].iter().take_while(|run| run.view.start < span.end) {
            here = Span::new(here.start.min(run.source.start), here.end.max(run.source.end));
        }
        here
    }

    /// What of the text that `target` maps shows something of `span`, if this is a view of it or of a view of it.
    pub(super) fn covered_in(&self, span: Span, target: &Arc<Map>) -> Option<Span> {
        let outer = self.outer.as_ref()?;
        let here = self.covered_here(span);
        if Arc::ptr_eq(outer, target) { Some(here) } else { outer.covered_in(here, target) }
    }

    /// Whether it, or what it is in, was decoded as a whole.
    pub(super) fn is_opaque(&self) -> bool {
        !self.runs.is_empty() || self.outer.as_ref().is_some_and(|outer| outer.is_opaque())
    }

    /// What of the view was decoded from `span` of the blob, in whole units.
    pub(super) fn in_view(&self, span: Span) -> Option<Span> {
        let span = match &self.outer {
            Some(outer) => outer.in_view(span)?,
            None => span,
        };
        let after = self.pieces.partition_point(|piece| piece.source as usize <= span.start);
        let (at, start) = match after.checked_sub(1) {
            None => (0, 0),
            Some(at) => (at, self.view_offset(at, span.start, false)),
        };
        let last = at + self.pieces[at..].partition_point(|piece| (piece.source as usize) < span.end);
        let end = last.checked_sub(1).map_or(0, |last| self.view_offset(last, span.end, true));
        (start < end).then_some(Span::new(start, end))
    }

    /// The offset of the view for an offset of the source in a piece or after it; `up`: that of the unit's end.
    fn view_offset(&self, at: usize, offset: usize, up: bool) -> usize {
        let piece = &self.pieces[at];
        let next = self.pieces.get(at + 1).map_or(usize::MAX, |next| next.view as usize);
        let (made, taken) = (usize::from(piece.made), usize::from(piece.taken));
        let offset = offset - piece.source as usize;
        let units = match taken {
            0 => usize::from(!up),
            _ if up => offset.div_ceil(taken),
            _ => offset / taken,
        };
        next.min(piece.view as usize + units * made)
    }
}

/// A view while it is made.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// What is decoded so far.
    pub(super) text: Vec<u8>,
    map: Map,
    /// Where the source goes on if the last piece does.
    next: usize,
}

impl Builder {
    /// Adds what one unit of the source, `taken` bytes from `at` on, was decoded to.
    pub(super) fn unit(&mut self, made: &[u8], at: usize, taken: usize) {
        if made.is_empty() {
            return;
        }
        let goes_on = self.map.pieces.last().is_some_and(|last| {
            at == self.next && usize::from(last.made) == made.len() && usize::from(last.taken) == taken
        });
        if !goes_on {
            self.map.pieces.push(Piece {
                view: narrow(self.text.len()),
                source: narrow(at),
                made: u16::try_from(made.len()).expect("a unit is a few bytes"),
                // White space within a unit is of any length; what is behind so much of it is not seen as its part.
                taken: u16::try_from(taken).unwrap_or(u16::MAX),
            });
        }
        self.text.extend_from_slice(made);
        self.next = at + taken;
    }

    /// Adds bytes of the source as they are.
    pub(super) fn copy(&mut self, source: &[u8], span: Span) {
        if let Some((first, rest)) = source[span.start..span.end].split_first() {
            self.unit(&[*first], span.start, 1);
            self.text.extend_from_slice(rest);
            self.next = span.end;
        }
    }

    /// Adds bytes that no byte of the source stands for.
    pub(super) fn put(&mut self, bytes: &[u8], at: usize) {
        bytes.iter().for_each(|byte| self.unit(&[*byte], at, 0));
    }

    /// Says that the text from `from` on was decoded from `source` as a whole.
    pub(super) fn run(&mut self, from: usize, source: Span) {
        self.map.runs.push(Run { view: Span::new(from, self.text.len()), source });
    }

    /// The text and its map.
    pub(super) fn finish(self) -> (Vec<u8>, Map) {
        (self.text, self.map)
    }
}

/// An offset as maps keep it.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("texts of 4 GiB and more come in pieces")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ab`, then `c` and `d` from units of four, `xyz` from one of four, a line break from nothing.
    fn sample() -> Builder {
        let mut made = Builder::default();
        made.copy(b"__ab", Span::new(2, 4));
        made.unit(b"c", 4, 4);
        made.unit(b"d", 8, 4);
        made.unit(b"xyz", 12, 4);
        made.run(4, Span::new(12, 16));
        made.put(b"\n", 16);
        made
    }

    #[test]
    fn spans_lead_to_whole_units_and_back() {
        let (text, map) = sample().finish();
        assert_eq!((text.as_slice(), map.pieces.len()), (b"abcdxyz\n".as_slice(), 4));
        let cases = [
            ((0, 2), (2, 4), (2, 4)),
            ((1, 3), (3, 8), (3, 8)),
            ((2, 4), (4, 12), (4, 12)),
            ((3, 5), (8, 16), (8, 12)),
            ((5, 6), (12, 16), (16, 16)),
            ((4, 8), (12, 16), (12, 16)),
        ];
        for ((start, end), outer, inner) in cases {
            let span = Span::new(start, end);
            assert_eq!(map.in_blob(span, false), Span::new(outer.0, outer.1), "{span:?}");
            assert_eq!(map.in_blob(span, true), Span::new(inner.0, inner.1), "{span:?}");
            let back = map.in_view(map.in_blob(span, false)).expect("it is in the view");
            assert!(back.contains(Span::new(start, end.min(7))), "{span:?} {back:?}");
        }
        assert_eq!(map.in_view(Span::new(5, 6)), Some(Span::new(2, 3)), "a unit is whole");
        assert_eq!(map.in_view(Span::new(0, 2)), None);
        assert_eq!(map.in_view(Span::new(16, 90)), None);
        assert_eq!(map.covered(Span::new(5, 6)), Span::new(12, 16), "what was decoded as a whole is covered whole");
        assert_eq!(map.covered(Span::new(0, 1)), Span::new(2, 3));
    }

    #[test]
    fn views_of_views_lead_to_the_blob() {
        let outer = Arc::new(sample().finish().1);
        let mut made = Builder::default();
        made.unit(b"!", 3, 3);
        let map = made.finish().1.within(&outer);
        assert_eq!(map.in_blob(Span::new(0, 1), false), Span::new(8, 16));
        assert_eq!(map.covered(Span::new(0, 1)), Span::new(8, 16));
        assert_eq!(map.covered_in(Span::new(0, 1), &outer), Some(Span::new(3, 6)));
        assert_eq!(map.covered_in(Span::new(0, 1), &Arc::default()), None);
        assert!(map.is_opaque(), "since what it is in is");
        assert_eq!(map.in_view(Span::new(9, 10)), Some(Span::new(0, 1)));
        assert_eq!(map.in_view(Span::new(2, 4)), None);
    }
}

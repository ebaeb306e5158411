//! Windows are seen whole, once, and where they say they are.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::location::Locator;
use crate::observe::Observation;
use crate::source::{Excluded, Listed, Unread};

/// One visit: offset in the content, origin, own bytes, bytes in hand, whole.
type Seen = (u64, Position, Span, Vec<u8>, bool);

/// Keeps what it is shown.
#[derive(Default)]
struct Collector {
    seen: Mutex<Vec<Seen>>,
    stop_after: Option<usize>,
}

impl Visitor for Collector {
    type State = ();

    fn visit(&self, _parent: Option<(&(), &crate::blob::Edits)>, blob: Blob<'_>) {
        let Window { offset, origin, own, whole } = blob.window;
        self.seen.lock().unwrap().push((offset, origin, own, blob.bytes.to_vec(), whole));
    }

    fn unread(&self, what: Unread) {
        panic!("feeding reports nothing itself: {what:?}");
    }

    fn excluded(&self, _why: Excluded, _count: u64) {}

    fn listed(&self, _what: Listed) {}

    fn observe(&self, _fact: Observation) {}

    fn note(&self, _text: String) {}

    fn stop(&self) -> bool {
        self.stop_after.is_some_and(|limit| self.seen.lock().unwrap().len() >= limit)
    }
}

/// A reader that gives at most `step` bytes a call and fails after `fail_after` bytes.
struct Choppy<'a> {
    rest: &'a [u8],
    step: usize,
    fail_after: Option<usize>,
}

impl Read for Choppy<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.fail_after == Some(0) {
            return Err(io::Error::other("the disk is gone"));
        }
        let count = self.step.min(out.len()).min(self.rest.len()).min(self.fail_after.unwrap_or(usize::MAX));
        out[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        self.fail_after = self.fail_after.map(|left| left - count);
        Ok(count)
    }
}

/// Feeds `text` and gives back what was seen and how it ended.
fn fed(
    text: &[u8],
    sizes: Sizes,
    limit: Option<u64>,
    step: usize,
    fail: Option<usize>,
) -> (Vec<Seen>, io::Result<End>) {
    let collector = Collector::default();
    let provenance = Provenance::default();
    let content = Content { id: ContentId::Serial(0), provenance: &provenance, expected: text.len() as u64, limit };
    let end = feed(&collector, content, sizes, &mut Choppy { rest: text, step, fail_after: fail });
    (collector.seen.into_inner().unwrap(), end)
}

const SMALL: Sizes = Sizes { whole: 64, own: 16, overlap: 8 };

#[test]
fn small_contents_come_in_one_piece() {
    for length in [0, 1, 63, 64] {
        let text = vec![b'x'; length];
        let (seen, end) = fed(&text, SMALL, None, 1000, None);
        assert_eq!(end.unwrap(), End::Complete);
        assert_eq!(seen, [(0, Position::START, Span::new(0, length), text, true)]);
    }
}

#[test]
fn needles_across_every_border_are_seen_once_and_in_full() {
    let needle = b"NEEDLE";
    for at in 0..200 - needle.len() {
        let mut text = vec![b'.'; 200];
        text[at..at + needle.len()].copy_from_slice(needle);
        let (seen, _) = fed(&text, SMALL, None, 7, None);
        let found: Vec<u64> = seen
            .iter()
            .flat_map(|(offset, _, own, bytes, _)| {
                let starts = (own.start..own.end).filter(|&start| bytes[start..].starts_with(needle));
                starts.map(move |start| offset + start as u64)
            })
            .collect();
        assert_eq!(found, [at as u64]);
    }
}

#[test]
fn a_content_over_the_limit_is_told_from_one_at_the_limit() {
    let text = [b'x'; 200];
    for (limit, expected) in [(200, End::Complete), (199, End::OverLimit), (64, End::OverLimit), (10, End::OverLimit)] {
        let (seen, end) = fed(&text, SMALL, Some(limit), 1000, None);
        assert_eq!(end.unwrap(), expected, "limit {limit}");
        assert!(seen.iter().all(|(offset, _, _, bytes, _)| offset + bytes.len() as u64 <= limit));
    }
    assert!(fed(&text, SMALL, Some(10), 1000, None).0.is_empty(), "a short limit lets nothing through");
}

#[test]
fn what_was_read_before_an_error_is_visited() {
    for fail in [5, 64, 65, 100, 150] {
        let text: Vec<u8> = (0..200).collect();
        let (seen, end) = fed(&text, SMALL, None, 9, Some(fail));
        assert!(end.is_err(), "at {fail}");
        let own: Vec<u8> = seen.iter().flat_map(|(_, _, own, bytes, _)| bytes[own.start..own.end].to_vec()).collect();
        assert_eq!(own, &text[..fail]);
        assert!(seen.iter().all(|(.., whole)| !whole));
    }
}

/// Counts the calls.
struct Counted<R> {
    inner: R,
    calls: usize,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        self.inner.read(out)
    }
}

#[test]
fn a_content_of_known_size_takes_one_read_and_leaves_nothing_to_the_next() {
    let provenance = Provenance::default();
    // Larger and smaller ones in turn share one buffer.
    for size in [9_000, 3, 200_000, 1, 0, 70_000] {
        let text: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let collector = Collector::default();
        let content = Content { id: ContentId::Serial(0), provenance: &provenance, expected: size, limit: None };
        let mut reader = Counted { inner: text.as_slice(), calls: 0 };
        assert_eq!(feed(&collector, content, Sizes::new(OVERLAP), &mut reader).unwrap(), End::Complete);
        assert_eq!(reader.calls, 1, "{size} bytes");
        let seen = collector.seen.into_inner().unwrap();
        assert_eq!(seen, [(0, Position::START, Span::new(0, text.len()), text, true)]);
    }
}

#[test]
fn a_content_that_is_not_of_the_size_expected_is_read_to_its_end() {
    let provenance = Provenance::default();
    for (size, expected) in [(100, 0), (100, 50_000), (5_000, 0), (0, 30)] {
        let text = vec![b'x'; size];
        let collector = Collector::default();
        let content = Content { id: ContentId::Serial(0), provenance: &provenance, expected, limit: None };
        let mut reader = Choppy { rest: &text, step: 33, fail_after: None };
        assert_eq!(feed(&collector, content, Sizes::new(OVERLAP), &mut reader).unwrap(), End::Complete);
        let seen = collector.seen.into_inner().unwrap();
        assert_eq!(seen, [(0, Position::START, Span::new(0, size), text, true)], "{size} bytes, {expected} expected");
    }
}

/// Keeps the length of the longest piece it was shown.
#[derive(Default)]
struct Longest(std::sync::atomic::AtomicUsize);

impl Visitor for Longest {
    type State = ();

    fn visit(&self, _parent: Option<(&(), &crate::blob::Edits)>, blob: Blob<'_>) {
        self.0.fetch_max(blob.bytes.len(), std::sync::atomic::Ordering::Relaxed);
    }

    fn unread(&self, what: Unread) {
        panic!("feeding reports nothing itself: {what:?}");
    }

    fn excluded(&self, _why: Excluded, _count: u64) {}

    fn listed(&self, _what: Listed) {}

    fn observe(&self, _fact: Observation) {}

    fn note(&self, _text: String) {}
}

#[test]
fn memory_for_a_content_without_end_is_bounded() {
    let provenance = Provenance::default();
    let sizes = Sizes { whole: 64 << 10, own: 8 << 10, overlap: 1 << 10 };
    for expected in [0, 60 << 10, 50 << 20, u64::MAX] {
        let longest = Longest::default();
        let content = Content { id: ContentId::Serial(0), provenance: &provenance, expected, limit: None };
        let mut buffer = Vec::new();
        let mut feeder = Feeder { visitor: &longest, content, sizes, buffer: &mut buffer };
        assert_eq!(feeder.run(&mut io::repeat(b'x').take(50 << 20)).unwrap(), End::Complete);
        let longest = longest.0.into_inner();
        assert!(longest <= sizes.own + 2 * sizes.overlap, "{longest} bytes in one piece, {expected} expected");
        // Twice, for a buffer that grows by doubling.
        assert!(buffer.capacity() <= 2 * (sizes.whole + sizes.own), "{} bytes held", buffer.capacity());
    }
}

#[test]
fn a_stop_is_heard_between_windows() {
    let collector = Collector { stop_after: Some(2), ..Collector::default() };
    let provenance = Provenance::default();
    let content = Content { id: ContentId::Serial(0), provenance: &provenance, expected: 0, limit: None };
    let end = feed(&collector, content, SMALL, &mut io::repeat(b'x'));
    assert_eq!(end.unwrap(), End::Stopped);
    assert_eq!(collector.seen.into_inner().unwrap().len(), 2);
}

#[test]
fn an_odd_overlap_becomes_even() {
    assert_eq!(Sizes::new(7).overlap, 8);
    assert_eq!(Sizes::new(0).overlap, 4);
    assert_eq!(Sizes::new(OVERLAP).overlap, OVERLAP);
}

#[test]
fn characters_end_where_they_end() {
    let text = "aü€𝄞".as_bytes();
    let ends = [0, 1, 3, 3, 6, 6, 6, 10, 10, 10, 10];
    for (at, end) in ends.into_iter().enumerate() {
        assert_eq!(character_end(text, at), end, "at {at}");
    }
    assert_eq!(character_end(b"\xe2\x82", 1), 1, "cut short: no character");
    assert_eq!(character_end(b"\xe2\x41\x42", 1), 1, "broken: no character");
}

proptest! {
    #[test]
    fn windows_cover_each_byte_once_with_context_and_true_positions(
        text in proptest::collection::vec(prop_oneof!["[a-zü€𝄞\n]{1,9}", Just("\u{10000}\n".to_owned())], 0..120),
        junk in proptest::collection::vec(any::<u8>(), 0..40),
        step in 1_usize..100,
        sizes in (0_usize..5, 1_usize..9, 2_usize..6),
    ) {
        let sizes = Sizes { whole: sizes.0 * 16, own: sizes.1 * 2, overlap: sizes.2 * 2 };
        let text: Vec<u8> = text.concat().into_bytes().into_iter().chain(junk).collect();
        let (seen, end) = fed(&text, sizes, None, step, None);
        prop_assert_eq!(end.unwrap(), End::Complete);
        let mut next = 0_usize;
        for (offset, origin, own, bytes, whole) in &seen {
            let offset = *offset as usize;
            prop_assert_eq!(*whole, text.len() <= sizes.whole);
            prop_assert_eq!(&text[offset..offset + bytes.len()], &bytes[..]);
            prop_assert_eq!(offset + own.start, next);
            next = offset + own.end;
            prop_assert!(offset.is_multiple_of(2));
            prop_assert!(own.start >= sizes.overlap.min(offset + own.start), "context before");
            prop_assert!(bytes.len() - own.end >= sizes.overlap.min(text.len() - next), "context after");
            prop_assert!(own.len() <= sizes.own + sizes.overlap || *whole);
            for at in own.start..=own.end {
                // Inside a cut-off character there is no true position to compare with.
                if character_end(bytes, at) == at && character_end(&text, offset + at) == offset + at {
                    let here = Locator::new(bytes, *origin).position(at, *origin);
                    prop_assert_eq!(here, Locator::new(&text, Position::START).position(offset + at, Position::START));
                }
            }
        }
        prop_assert_eq!(next, text.len());
    }
}

//! GitHub's line hash: a name for a line that survives edits above it.
//!
//! In: a text and the lines that are wanted. Out: `hex:count` for each, as `primaryLocationLineHash` of GitHub's code
//! scanning has it: the rolling hash, h = Σ c(i)·37^(99−i) mod 2^64, over the 100 UTF-16 code units that begin with the
//! line's first character that is no space or tab; spaces and tabs are skipped everywhere, CR and CRLF count as one
//! LF, the end of the file is one unit 65535 followed by zeros. `count` tells how many lines up to this one have that
//! hash. Source: github/codeql-action, `src/fingerprints.ts` and its tests, read 2026-11.
//!
//! `keytrailLineHash/v1` is the same over a text in which candidates are replaced by `TOKEN`: the hash of a line with
//! a short secret in a known template could be searched offline for the secret.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use crate::location::Span;

/// What stands for a candidate in `keytrailLineHash/v1`. Part of that name's promise: it never changes.
const TOKEN: &str = "<keytrail>";

/// Units under one hash.
const BLOCK: usize = 100;

/// The base of the hash.
const BASE: u64 = 37;

/// The unit that stands for the end of the file.
const END: u16 = 65535;

/// `primaryLocationLineHash` of each wanted line of `text`. Lines are 1-based and end at `\n`, as everywhere in our
/// reports (GitHub also ends them at a lone `\r`; a line of ours has the hash of the first of those within). What is
/// not UTF-8 counts as U+FFFD. Lines that are not there are absent from the result.
///
/// Takes two passes that end with the last wanted line, so that the memory needed depends on `wanted` alone: the
/// count of a hash is known only once the hash is, and remembering every line's would cost up to ten times the text.
pub fn line_hashes(text: &[u8], wanted: &BTreeSet<u64>) -> BTreeMap<u64, String> {
    masked_line_hashes(text, &[], wanted)
}

/// `keytrailLineHash/v1` of each wanted line: as [`line_hashes`], with `spans` (sorted by start, possibly overlapping)
/// replaced. Spans that overlap or touch are one; in one that goes over several lines each line's part is replaced and
/// the line breaks stay, so that every line keeps its number.
pub fn masked_line_hashes(text: &[u8], spans: &[Span], wanted: &BTreeSet<u64>) -> BTreeMap<u64, String> {
    let Some(&last) = wanted.last() else { return BTreeMap::new() };
    let mut hashes = BTreeMap::new();
    each_line(text, spans, |line, hash| {
        if let Some(line) = line.filter(|line| wanted.contains(line)) {
            hashes.insert(line, hash);
        }
        done(line, last)
    });
    let mut counts: HashMap<u64, u64> = hashes.values().map(|&hash| (hash, 0)).collect();
    let mut named = BTreeMap::new();
    each_line(text, spans, |line, hash| {
        if let Some(count) = counts.get_mut(&hash) {
            *count += 1;
            if let Some(line) = line.filter(|line| wanted.contains(line)) {
                named.insert(line, format!("{hash:x}:{count}"));
            }
        }
        done(line, last)
    });
    named
}

/// Whether `line` is the last one wanted.
fn done(line: Option<u64>, last: u64) -> ControlFlow<()> {
    if line.is_some_and(|line| line >= last) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Calls `report` with the hash of every line as GitHub counts lines, in order, and with the number of our line where
/// one begins there.
fn each_line(text: &[u8], spans: &[Span], report: impl FnMut(Option<u64>, u64) -> ControlFlow<()>) {
    let mut roller = Roller::new(report);
    // Breaking is how a caller says that it has enough.
    let (ControlFlow::Break(()) | ControlFlow::Continue(())) = feed(text, spans, &mut roller);
}

/// Feeds a text with its spans replaced, then the end of the file.
fn feed<F: FnMut(Option<u64>, u64) -> ControlFlow<()>>(
    text: &[u8],
    spans: &[Span],
    roller: &mut Roller<F>,
) -> ControlFlow<()> {
    let mut at = 0;
    let mut spans = spans.iter().peekable();
    while let Some(span) = spans.next() {
        let start = span.start.clamp(at, text.len());
        let mut end = span.end.clamp(start, text.len());
        while let Some(next) = spans.next_if(|next| next.start <= end) {
            end = end.max(next.end.min(text.len()));
        }
        roller.text(&text[at..start])?;
        for line in text[start..end].split_inclusive(|&byte| byte == b'\n') {
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            if !content.is_empty() {
                roller.text(TOKEN.as_bytes())?;
            }
            roller.text(&line[content.len()..])?;
        }
        at = end;
    }
    roller.text(&text[at..])?;
    roller.end()
}

/// The rolling hash over the last [`BLOCK`] units.
struct Roller<F> {
    /// The units under the hash, a ring.
    window: [u16; BLOCK],
    /// For each unit of the ring: whether a line begins with it, and with which number of ours.
    starts: [Start; BLOCK],
    /// The oldest unit's place in the ring.
    index: usize,
    /// The hash.
    hash: u64,
    /// What leaves the hash with the oldest unit: `BASE` to the power of [`BLOCK`].
    leaving: u64,
    /// Our line of the next unit, 1-based.
    line: u64,
    /// Whether GitHub has seen a line begin in our line.
    begun: bool,
    /// Whether GitHub's next unit begins a line.
    at_start: bool,
    /// Whether the unit before was a carriage return.
    after_cr: bool,
    /// Told of each line.
    report: F,
}

/// Whether a line begins with a unit.
#[derive(Clone, Copy)]
enum Start {
    /// None.
    No,
    /// One, and it is ours with this number.
    Ours(u64),
    /// One of GitHub's within a line of ours.
    Inner,
}

impl<F: FnMut(Option<u64>, u64) -> ControlFlow<()>> Roller<F> {
    /// At the start of a text.
    fn new(report: F) -> Self {
        Self {
            window: [0; BLOCK],
            starts: [Start::No; BLOCK],
            index: 0,
            hash: 0,
            leaving: (0..BLOCK).fold(1, |power: u64, _| power.wrapping_mul(BASE)),
            line: 1,
            begun: false,
            at_start: true,
            after_cr: false,
            report,
        }
    }

    /// Takes a piece of text.
    fn text(&mut self, text: &[u8]) -> ControlFlow<()> {
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                for &mut unit in c.encode_utf16(&mut [0; 2]) {
                    self.unit(unit)?;
                }
            }
            if !chunk.invalid().is_empty() {
                self.unit(char::REPLACEMENT_CHARACTER as u16)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes one unit of text.
    fn unit(&mut self, unit: u16) -> ControlFlow<()> {
        const LF: u16 = b'\n' as u16;
        const CR: u16 = b'\r' as u16;
        const BLANKS: [u16; 2] = [b' ' as u16, b'\t' as u16];
        let closes_cr = std::mem::take(&mut self.after_cr) && unit == LF;
        if !closes_cr && !BLANKS.contains(&unit) {
            self.after_cr = unit == CR;
            self.take(if unit == CR { LF } else { unit })?;
            self.at_start = unit == CR || unit == LF;
        }
        if unit == LF {
            self.line += 1;
            self.begun = false;
        }
        ControlFlow::Continue(())
    }

    /// Takes one unit that counts.
    fn take(&mut self, unit: u16) -> ControlFlow<()> {
        self.flush()?;
        if std::mem::take(&mut self.at_start) {
            let inner = std::mem::replace(&mut self.begun, true);
            self.starts[self.index] = if inner { Start::Inner } else { Start::Ours(self.line) };
        }
        self.roll(unit);
        ControlFlow::Continue(())
    }

    /// Reports the line that begins with the oldest unit, if one does: its hash is complete.
    fn flush(&mut self) -> ControlFlow<()> {
        match std::mem::replace(&mut self.starts[self.index], Start::No) {
            Start::No => ControlFlow::Continue(()),
            Start::Ours(line) => (self.report)(Some(line), self.hash),
            Start::Inner => (self.report)(None, self.hash),
        }
    }

    /// Moves the window on by one unit.
    fn roll(&mut self, unit: u16) {
        let old = std::mem::replace(&mut self.window[self.index], unit);
        let gone = self.leaving.wrapping_mul(u64::from(old));
        self.hash = self.hash.wrapping_mul(BASE).wrapping_add(u64::from(unit)).wrapping_sub(gone);
        self.index = (self.index + 1) % BLOCK;
    }

    /// Takes the end of the file and completes every line.
    fn end(&mut self) -> ControlFlow<()> {
        self.take(END)?;
        for _ in 0..BLOCK {
            self.flush()?;
            self.roll(0);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hashes of all lines from 1 to `lines`.
    fn all(text: &[u8], lines: u64) -> Vec<String> {
        line_hashes(text, &(1..=lines).collect()).into_values().collect()
    }

    /// The definition, written down: for each of our lines the sum over the 100 units from its start.
    fn by_definition(text: &str) -> BTreeMap<u64, String> {
        let mut units: Vec<u64> = Vec::new();
        let mut starts: Vec<(usize, Option<u64>)> = Vec::new();
        let (mut line, mut begun, mut new) = (1, false, true);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let crlf = rest.starts_with("\r\n");
            let taken = if crlf { "\r\n" } else { &rest[..c.len_utf8()] };
            rest = &rest[taken.len()..];
            if c != ' ' && c != '\t' {
                if new {
                    starts.push((units.len(), (!begun).then_some(line)));
                    begun = true;
                }
                new = c == '\r' || c == '\n';
                if new {
                    units.push(10);
                } else {
                    units.extend(c.encode_utf16(&mut [0; 2]).iter().map(|&unit| u64::from(unit)));
                }
            }
            if taken.ends_with('\n') {
                (line, begun) = (line + 1, false);
            }
        }
        if new {
            starts.push((units.len(), (!begun).then_some(line)));
        }
        units.push(65535);
        units.extend([0; 100]);
        let mut counts = BTreeMap::new();
        let mut out = BTreeMap::new();
        for (start, line) in starts {
            let hash = units[start..start + 100].iter().fold(0u64, |h, &c| h.wrapping_mul(37).wrapping_add(c));
            let count = counts.entry(hash).or_insert(0);
            *count += 1;
            if let Some(line) = line {
                out.insert(line, format!("{hash:x}:{count}"));
            }
        }
        out
    }

    #[test]
    fn githubs_own_vectors_hold() {
        assert_eq!(all(b"", 1), ["c129715d7a2bc9a3:1"]);
        let short = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(all(b" a\nb\n  \t\tc\n d", 4), short);
        assert_eq!(all(b" a\r\nb\r\n  \t\tc\r\n d", 4), short, "CRLF counts as one LF");
        let long = all("Lorem ipsum dolor sit amet.\n".repeat(10).as_bytes(), 99);
        assert_eq!(long.len(), 11);
        for (at, hash) in long[..6].iter().enumerate() {
            assert_eq!(hash, &format!("a7f2ff13bc495cf2:{}", at + 1));
        }
        assert_eq!(long[6], "a7f2ff1481e87703:1");
        assert_eq!(long[10], "c129715d7a2bc9a3:1");
    }

    #[test]
    fn a_lone_carriage_return_ends_githubs_line_and_not_ours() {
        assert_eq!(all(b" a\rb\r  \t\tc\r d", 9), ["271789c17abda88f:1"]);
        assert_eq!(all(b" a\rb\n  \t\tc\n d", 9), ["271789c17abda88f:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]);
    }

    #[test]
    fn only_wanted_lines_are_given_and_their_counts_are_those_of_the_file() {
        let text = "Lorem ipsum dolor sit amet.\n".repeat(10);
        let wanted = BTreeSet::from([3, 5, 40]);
        let expected = [(3, "a7f2ff13bc495cf2:3".to_owned()), (5, "a7f2ff13bc495cf2:5".to_owned())];
        assert_eq!(line_hashes(text.as_bytes(), &wanted), BTreeMap::from(expected));
        assert_eq!(line_hashes(text.as_bytes(), &BTreeSet::new()), BTreeMap::new());
    }

    #[test]
    fn what_is_no_utf_8_counts_as_the_replacement_character() {
        assert_eq!(all(b"a\xff\xfeb", 1), all("a\u{fffd}\u{fffd}b".as_bytes(), 1));
        assert_eq!(all(b"a\xe2\x82b", 1), all("a\u{fffd}b".as_bytes(), 1), "a cut character is one");
    }

    #[test]
    fn candidates_are_replaced_by_one_constant_each() {
        let wanted = BTreeSet::from([1, 2, 3]);
        let masked = |text: &str, spans: &[(usize, usize)]| {
            let spans: Vec<_> = spans.iter().map(|&(start, end)| Span::new(start, end)).collect();
            masked_line_hashes(text.as_bytes(), &spans, &wanted)
        };
        let plain = |text: &str| line_hashes(text.as_bytes(), &wanted);
        assert_eq!(masked("x = abcdef;\ny", &[(4, 10)]), plain("x = <keytrail>;\ny"));
        assert_eq!(masked("x = abcdef;\ny", &[(4, 8), (5, 6), (8, 10)]), plain("x = <keytrail>;\ny"));
        assert_eq!(masked("ab\r\ncd\nef", &[(1, 8)]), plain("a<keytrail>\r\n<keytrail>\n<keytrail>f"));
        assert_eq!(masked("ab\n\ncd", &[(0, 99), (200, 300)]), plain("<keytrail>\n\n<keytrail>"));
        assert_eq!(masked("k=1234", &[(2, 6)]), masked("k=something else", &[(2, 16)]), "no secret, no length");
        assert_eq!(masked("abc", &[]), plain("abc"));
    }

    proptest! {
        #[test]
        fn rolling_equals_the_definition(text in "([ab\\t \r\n]|\r\n|\\PC){0,300}") {
            let expected = by_definition(&text);
            let wanted = (1..=400).collect();
            prop_assert_eq!(line_hashes(text.as_bytes(), &wanted), expected);
        }

        #[test]
        fn spans_never_panic(
            text in prop::collection::vec(any::<u8>(), 0..200),
            mut cuts in prop::collection::vec((0usize..250, 0usize..50), 0..8),
        ) {
            cuts.sort_unstable();
            let spans: Vec<_> = cuts.into_iter().map(|(start, len)| Span::new(start, start + len)).collect();
            let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            let hashes = masked_line_hashes(&text, &spans, &(1..=lines).collect());
            prop_assert_eq!(hashes.len() as u64, lines, "every line keeps its number");
        }
    }
}

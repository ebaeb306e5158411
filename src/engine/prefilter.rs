//! From a text to leads: places of keywords whose surroundings fit an anchor. Everything else is told to be nothing
//! after a look at a few bytes.

use std::ops::Range;

use super::Detector;
use super::sieve::{CoreId, LONGEST_CORE, Sieve};
use crate::location::Span;
use crate::rule::anchor::{LOOK_AHEAD, LOOK_BEHIND, SKIP};

/// How far from a core the verdict on it looks, in bytes, either way: what follows and precedes the longest keyword,
/// and what hand-written matchers ask of the surroundings ([`super::matcher::CodeMatcher::may_match`]).
pub(super) const QUICK: usize = 128;

/// Longest keyword in bytes.
const LONGEST_KEYWORD: usize = QUICK - SKIP - LONGEST_CORE;
const _: () = assert!(LOOK_AHEAD <= SKIP && LOOK_BEHIND <= SKIP);

/// What stands around a hit: bytes of a text, as far as they are in hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'t> {
    /// The bytes: the text from `at` on, at least [`QUICK`] bytes either side of the hit or to the text's ends.
    pub(super) bytes: &'t [u8],
    /// Offset of the first one in the text.
    pub(super) at: usize,
}

/// One anchor of a rule, by its core.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Index of the rule.
    rule: u16,
    /// Index among the rule's anchors.
    anchor: u16,
    /// Where the core stands in the keyword, bytes.
    back: u8,
    /// Length of the keyword, bytes.
    len: u8,
}

/// Told of each step, to find out what rules cost. `()` listens to nothing.
pub(super) trait Tally {
    /// A keyword's core stands in the text.
    fn hit(&mut self, _rule: usize) {}
    /// The surroundings fit and the matcher was asked; `searched`: its pattern had to be run.
    fn tried(&mut self, _rule: usize, _searched: bool) {}
}

impl Tally for () {}

/// The literal stage and the anchors of all fast rules.
#[derive(Debug)]
pub(super) struct Prefilter {
    sieve: Sieve,
    /// Sorted by core.
    entries: Vec<Entry>,
    /// Where in `entries` each core begins; one more at the end.
    by_core: Vec<u32>,
}

impl Prefilter {
    /// Builds the stage from the anchors of `detectors`.
    ///
    /// # Errors
    /// A keyword is too long: its rule's index.
    pub(super) fn new(detectors: &[Detector]) -> Result<Self, usize> {
        let anchors =
            || detectors.iter().enumerate().flat_map(|(rule, one)| one.rule.anchors.iter().map(move |a| (rule, a)));
        if let Some((rule, _)) = anchors().find(|(_, anchor)| anchor.keyword.len() > LONGEST_KEYWORD) {
            return Err(rule);
        }
        let (sieve, placed) = Sieve::new(anchors().map(|(_, anchor)| anchor));
        let numbered =
            detectors.iter().enumerate().flat_map(|(rule, one)| (0..one.rule.anchors.len()).map(move |n| (rule, n)));
        let few = "there are far fewer than 65,536 rules and anchors";
        let mut entries: Vec<(CoreId, Entry)> = numbered
            .zip(placed)
            .map(|((rule, anchor), (core, back))| {
                let len = u8::try_from(detectors[rule].rule.anchors[anchor].keyword.len()).expect("checked above");
                let (rule, anchor) = (u16::try_from(rule).expect(few), u16::try_from(anchor).expect(few));
                (core, Entry { rule, anchor, back, len })
            })
            .collect();
        entries.sort_by_key(|(core, entry)| (*core, entry.rule, entry.anchor));
        let mut by_core = vec![0; sieve.cores() + 1];
        for (core, _) in &entries {
            by_core[usize::from(*core) + 1] += 1;
        }
        for at in 1..by_core.len() {
            by_core[at] += by_core[at - 1];
        }
        Ok(Self { sieve, entries: entries.into_iter().map(|(_, entry)| entry).collect(), by_core })
    }

    /// Length of a core in bytes.
    #[inline(always)]
    pub(super) fn len(&self, core: CoreId) -> usize {
        self.sieve.len(core)
    }

    /// How many different cores are looked for.
    pub(super) fn cores(&self) -> usize {
        self.sieve.cores()
    }

    /// Every core in `range` of `text`, see [`Sieve::each`].
    #[inline]
    pub(super) fn each(&self, text: &[u8], range: Range<usize>, hit: impl FnMut(usize, CoreId)) {
        self.sieve.each(text, range, hit);
    }

    /// Calls `lead(rule, keyword)` for each rule whose keyword stands where `core` was seen, when the surroundings
    /// fit. `at` is the core's offset in the text.
    #[inline]
    pub(super) fn leads(
        &self,
        detectors: &[Detector],
        piece: Piece<'_>,
        (at, core): (usize, CoreId),
        tally: &mut impl Tally,
        mut lead: impl FnMut(u16, Span),
    ) {
        let range = self.by_core[usize::from(core)] as usize..self.by_core[usize::from(core) + 1] as usize;
        let mut last = None;
        for entry in &self.entries[range] {
            let detector = &detectors[usize::from(entry.rule)];
            tally.hit(usize::from(entry.rule));
            // A hit before the bytes in hand stands before the text: pieces reach far enough.
            let Some(start) = (at - piece.at).checked_sub(usize::from(entry.back)) else { continue };
            let keyword = Span::new(start, start + usize::from(entry.len));
            if last == Some((entry.rule, keyword))
                || !detector.rule.anchors[usize::from(entry.anchor)].fits(piece.bytes, start)
            {
                continue;
            }
            last = Some((entry.rule, keyword));
            if detector.may_match(piece.bytes, keyword) {
                lead(entry.rule, keyword.shifted(piece.at));
            }
        }
    }
}

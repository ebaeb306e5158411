//! From a text to leads: places of keywords whose surroundings fit an anchor. Everything else is told to be nothing
//! after a look at a few bytes.

use std::borrow::Cow;
use std::ops::Range;

use super::{Detector, sieve};
use crate::location::Span;
use crate::rule::anchor::{Anchor, LOOK_AHEAD, LOOK_BEHIND, SKIP};
use crate::rule::literals::{CoreId, LONGEST_CORE, Literals};
use crate::tables::{LITERALS, RULES};

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
    literals: Cow<'static, Literals>,
}

impl Prefilter {
    /// The stage for the anchors of `detectors`: as it was built, if these are the built-in rules.
    ///
    /// # Errors
    /// A keyword is too long: its rule's index.
    pub(super) fn new(detectors: &[Detector]) -> Result<Self, usize> {
        let anchors: Vec<&[Anchor]> = detectors.iter().map(|detector| &*detector.rule.anchors).collect();
        let built_in = RULES.iter().map(|rule| &*rule.anchors);
        if anchors.len() == built_in.len() && anchors.iter().zip(built_in).all(|(a, b)| std::ptr::eq(*a, b)) {
            return Ok(Self { literals: Cow::Borrowed(&LITERALS) });
        }
        let is_long = |anchor: &Anchor| anchor.keyword.len() > LONGEST_KEYWORD;
        match anchors.iter().position(|anchors| anchors.iter().any(is_long)) {
            Some(rule) => Err(rule),
            None => Ok(Self { literals: Cow::Owned(Literals::new(&anchors)) }),
        }
    }

    /// Length of a core in bytes.
    #[inline(always)]
    pub(super) fn len(&self, core: CoreId) -> usize {
        usize::from(self.literals.lens[usize::from(core)])
    }

    /// How many different cores are looked for.
    pub(super) fn cores(&self) -> usize {
        self.literals.lens.len()
    }

    /// Every core in `range` of `text`, see [`sieve::each`].
    #[inline]
    pub(super) fn each(&self, text: &[u8], range: Range<usize>, hit: impl FnMut(usize, CoreId)) {
        sieve::each(&self.literals, text, range, hit);
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
        let Literals { entries, by_core, .. } = &*self.literals;
        let range = by_core[usize::from(core)] as usize..by_core[usize::from(core) + 1] as usize;
        let mut last = None;
        for entry in &entries[range] {
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

#[cfg(test)]
mod tests {
    use super::super::{Engine, built_in_rules};
    use super::*;

    #[test]
    fn built_in_tables_are_those_of_the_built_in_rules() {
        let anchors: Vec<&[Anchor]> = RULES.iter().map(|rule| &*rule.anchors).collect();
        assert_eq!(Literals::new(&anchors), LITERALS);
        let tables = |rules| Engine::new(rules).expect("these rules make an engine").prefilter.literals;
        assert!(matches!(tables(built_in_rules()), Cow::Borrowed(_)));
        assert!(matches!(tables(built_in_rules().split_off(1)), Cow::Owned(_)), "others have others");
        let mut turned = built_in_rules();
        turned.swap(0, 1);
        assert!(matches!(tables(turned), Cow::Owned(_)), "rules are known by their place");
    }
}

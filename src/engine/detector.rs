//! How one rule's matches are found: around a keyword, or everywhere in a text.

use super::matcher::{self, Look, Pattern, RawMatch};
use super::{Detector, Lane};
use crate::location::Span;
use crate::rule::terms::Groups;

impl Detector {
    /// How the secret is found in a match, if a rule file says so.
    pub(super) fn groups(&self) -> Option<Groups> {
        self.rule.terms.as_ref().and_then(|terms| terms.groups)
    }

    /// The compiled pattern. That built-in ones compile is a test's business; one that doesn't finds nothing here
    /// and fails [`super::Engine::self_check`].
    pub(super) fn compiled(&self) -> Option<&Pattern> {
        let (Lane::Fast { pattern, .. } | Lane::Slow { pattern }) = &self.lane else { return None };
        self.pattern.get_or_init(|| Pattern::new(pattern, self.groups()).ok()).as_ref()
    }

    /// Whether asking the matcher about a keyword may give a match; the surroundings fit the anchor.
    #[inline]
    pub(super) fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        match &self.lane {
            Lane::Code(code) => code.may_match(text, keyword),
            Lane::Fast { .. } | Lane::Slow { .. } | Lane::Path => true,
        }
    }

    /// The match around a keyword hit.
    pub(super) fn at_keyword(&self, text: &[u8], keyword: Span, floor: usize) -> Look {
        let nothing = Look { found: None, clear: floor, examined: keyword, searched: false };
        match &self.lane {
            Lane::Fast { bound, run, .. } => {
                matcher::around(|| self.compiled(), (*bound, run.as_ref()), text, keyword, floor)
            }
            Lane::Code(code) => {
                let reach = code.reach();
                let examined = Span::new(keyword.start.saturating_sub(reach), (keyword.end + reach).min(text.len()));
                match code.find(text, keyword, floor) {
                    Some(raw) => Look { clear: raw.whole.end, found: Some(raw), examined, searched: false },
                    None => Look { examined, ..nothing },
                }
            }
            Lane::Slow { .. } | Lane::Path => nothing,
        }
    }

    /// Every match of a pattern in the whole text, one after the other.
    pub(super) fn everywhere(&self, text: &[u8], mut found: impl FnMut(RawMatch)) {
        let Some(pattern) = self.compiled() else { return };
        let mut from = 0;
        while let Some(raw) = pattern.find(text, Span::new(from, text.len())) {
            from = raw.whole.end.max(raw.whole.start + 1);
            found(raw);
            if from > text.len() {
                break;
            }
        }
    }

    /// How far from a keyword it looks.
    pub(super) fn reach(&self) -> usize {
        match &self.lane {
            Lane::Fast { bound, .. } => *bound,
            Lane::Code(code) => code.reach(),
            Lane::Slow { .. } | Lane::Path => 0,
        }
    }
}

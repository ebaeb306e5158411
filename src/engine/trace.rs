//! What is kept of a text so that another one made from it by edits needs to be looked at only where it differs.
//!
//! A [`Trace`] holds the keyword hits of a text and, of those whose surroundings fit (leads), what the matcher said and
//! which bytes it looked at. In a child, hits that lie inside one copied stretch are carried, new ones are looked for
//! in inserted bytes and across seams only. A verdict is carried when everything it rests on lies in one copy: the
//! bytes looked at, one byte around them, the start or end of the text where it was reached, and where the rule's
//! match before ended. Anything else is asked again in the child's bytes. So the matches of a child are those of a
//! scan of all its bytes, element by element; tests hold it to that.

use std::sync::Arc;

use super::prefilter::{Piece, QUICK, Tally};
use super::sieve::{CoreId, LONGEST_CORE};
use super::{Engine, Match};
use crate::blob::{Edit, Edits, Patch};
use crate::location::Span;
use crate::view;

/// The hits and leads of a text.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Length of the text in bytes.
    len: usize,
    /// Whether it may have views (NUL bytes, a byte order mark), which are never carried.
    wide: bool,
    /// All cores, sorted by offset.
    hits: Vec<Hit>,
    /// All leads, sorted by keyword.
    leads: Vec<Lead>,
}

/// A keyword's core at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    at: u32,
    core: CoreId,
}

/// A keyword whose surroundings fit.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// The core it was found by.
    hit: Hit,
    /// Index of the rule.
    rule: u16,
    /// Where the keyword stands.
    start: u32,
    /// Its length in bytes.
    len: u8,
    /// What the matcher said.
    verdict: Option<Verdict>,
}

/// What the matcher said of a lead, and what that rests on.
#[derive(Clone, Debug)]
struct Verdict {
    /// The bytes it may have looked at; one more either side counts.
    examined: Span,
    /// Where the rule's match before ended, if that is inside `examined`.
    floor: Option<usize>,
    /// No further match of the rule starts before this.
    clear: usize,
    /// The match, and where it starts now: its own spans are those of the text it was judged in.
    found: Option<(usize, Arc<Match>)>,
}

/// A judged match and where it starts.
pub(super) struct Found {
    /// Where it starts; its own spans are those of the text it was judged in.
    pub(super) start: usize,
    /// As judged.
    pub(super) judged: Arc<Match>,
}

impl Found {
    /// The match with the spans it has in this text.
    pub(super) fn placed(&self) -> Match {
        let mut found = Match::clone(&self.judged);
        found.raw.moved(self.start as isize - self.judged.raw.whole.start as isize);
        found
    }
}

/// An offset as traces keep it.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("texts of 4 GiB and more come in pieces")
}

/// How a stretch of a child lies in its parent.
#[derive(Clone, Copy)]
struct Copied {
    /// In the child.
    to: Span,
    /// In the parent.
    from: Span,
    /// Whether both begin at the start of their texts.
    starts: bool,
    /// Whether both end at the end of their texts.
    ends: bool,
}

impl Copied {
    /// Whether all within `reach` bytes of a core of the parent lies inside, as far as there is text.
    fn holds_around(&self, at: usize, reach: usize) -> bool {
        (self.starts || at >= self.from.start + reach) && (self.ends || at + reach <= self.from.end)
    }

    /// Where an offset of the parent is in the child.
    fn shift(&self, at: usize) -> usize {
        (at + self.to.start).saturating_sub(self.from.start)
    }

    /// A verdict in the child's offsets, if all it rests on is inside.
    fn carry(&self, verdict: &Verdict, parent_len: usize) -> Option<Verdict> {
        let Span { start, end } = verdict.examined;
        let starts = if start == 0 { self.starts } else { start > self.from.start };
        let ends = if end >= parent_len { self.ends } else { end < self.from.end };
        (starts && ends).then(|| Verdict {
            examined: Span::new(self.shift(start), self.shift(end)),
            floor: verdict.floor.map(|floor| self.shift(floor)),
            clear: self.shift(verdict.clear.max(start)),
            found: verdict.found.as_ref().map(|(at, judged)| (self.shift(*at), Arc::clone(judged))),
        })
    }
}

/// Where the bytes around a place of the child can be had.
trait Text {
    /// The bytes from `from` to `to` at least, as far as there is text.
    fn around(&self, from: usize, to: usize) -> Piece<'_>;
}

impl Text for &[u8] {
    fn around(&self, _: usize, _: usize) -> Piece<'_> {
        Piece { bytes: self, at: 0 }
    }
}

/// The bytes around the seams of a child that is not put together.
struct Patchwork {
    bytes: Vec<u8>,
    /// Stretches of the child, and where each begins in `bytes`. In order, apart from each other.
    zones: Vec<(Span, usize)>,
}

/// How much of the text around a seam is put together: what hits near it are judged by.
const ZONE: usize = 2 * QUICK + 2 * LONGEST_CORE;

impl Patchwork {
    /// Puts together what is around the seams; `None` if that is most of the child.
    fn new(patch: &Patch<'_>) -> Option<Self> {
        let mut zones: Vec<(Span, usize)> = Vec::new();
        let mut size = 0;
        for gap in gaps(patch.edits, patch.len, patch.base.len()) {
            let zone = Span::new(gap.start.saturating_sub(ZONE), (gap.end + ZONE).min(patch.len));
            match zones.last_mut() {
                Some((last, _)) if last.end >= zone.start => {
                    size += zone.end - last.end;
                    last.end = zone.end;
                }
                _ => {
                    zones.push((zone, size));
                    size += zone.len();
                }
            }
        }
        if size > patch.len / 2 {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        let mut edits = patch.edits.0.iter().peekable();
        for (zone, _) in &zones {
            let mut at = zone.start;
            while at < zone.end {
                let edit = edits.peek()?;
                let (to, from, source) = match **edit {
                    Edit::Copy { to, from } => (to, from, patch.base),
                    Edit::Insert { to, from } => (to, from, patch.delta),
                };
                if to.end <= at {
                    edits.next();
                    continue;
                }
                let end = zone.end.min(to.end);
                bytes.extend_from_slice(source.get(from + (at - to.start)..from + (end - to.start))?);
                at = end;
            }
        }
        Some(Self { bytes, zones })
    }
}

impl Text for Patchwork {
    fn around(&self, from: usize, to: usize) -> Piece<'_> {
        let after = self.zones.partition_point(|(zone, _)| zone.start <= from);
        let (zone, at) = self.zones[after.saturating_sub(1)];
        debug_assert!(zone.start <= from && to <= zone.end, "what is asked for is near a seam");
        Piece { bytes: &self.bytes[at..at + zone.len()], at: zone.start }
    }
}

/// What of the child is between two copies, in order: inserted bytes, or nothing at a seam. Where the child starts or
/// ends within its parent there is a seam too.
fn gaps(edits: &Edits, len: usize, parent_len: usize) -> impl Iterator<Item = Span> + '_ {
    let copies = edits.0.iter().filter_map(|edit| match edit {
        Edit::Copy { to, from } => Some((*to, Span::new(*from, from + to.len()))),
        Edit::Insert { .. } => None,
    });
    let end = (Span::new(len, len), Span::new(parent_len, parent_len));
    let mut before = (0, 0);
    let mut first = true;
    copies.map(|copy| (copy, false)).chain([(end, true)]).filter_map(move |((to, from), last)| {
        let gap = Span::new(before.0, to.start);
        let outer = std::mem::replace(&mut first, false) || last;
        let same_edge = outer && gap.is_empty() && before.1 == from.start;
        before = (to.end, from.end);
        (!same_edge).then_some(gap)
    })
}

/// What the trace of a child is made with.
struct Weaver<'e, T, Y> {
    engine: &'e Engine,
    text: T,
    len: usize,
    tally: Y,
    /// Whether hits are wanted; else only what may lead to a match.
    keep: bool,
    hits: Vec<Hit>,
    leads: Vec<Lead>,
}

impl<T: Text, Y: Tally> Weaver<'_, T, Y> {
    /// Looks for new hits around a gap of the child. `before`: where the gap before ends.
    fn fresh(&mut self, gap: Span, before: usize) {
        let Self { engine, text, len, tally, keep, hits, leads } = self;
        let from = gap.start.saturating_sub(LONGEST_CORE).max(before.saturating_sub(LONGEST_CORE));
        let to = (gap.end + LONGEST_CORE).min(*len);
        let piece = text.around(from.saturating_sub(QUICK), (to + QUICK).min(*len));
        let sieve = &engine.prefilter;
        sieve.each(piece.bytes, from - piece.at..to - piece.at, |at, core| {
            let at = at + piece.at;
            // What lies in a copy is carried; what reaches into the gap before was found there.
            if at >= gap.end || at + sieve.len(core) <= gap.start || (at < before && before > 0) {
                return;
            }
            let hit = Hit { at: narrow(at), core };
            if *keep {
                hits.push(hit);
            }
            engine.leads(piece, hit, tally, leads);
        });
    }

    /// Carries the hits and leads of a copied stretch.
    fn carry(&mut self, parent: &Trace, copy: Copied) {
        let sieve = &self.engine.prefilter;
        let first = parent.hits.partition_point(|hit| (hit.at as usize) < copy.from.start);
        let last = first + parent.hits[first..].partition_point(|hit| (hit.at as usize) < copy.from.end);
        let all = &parent.hits[first..last];
        if self.keep {
            for hit in all {
                self.hit(sieve.len(hit.core), *hit, copy);
            }
        } else {
            // Only those near the ends can have changed their verdict.
            let head = all.partition_point(|hit| (hit.at as usize) < copy.from.start + QUICK);
            let tail = all.partition_point(|hit| (hit.at as usize) + QUICK <= copy.from.end).max(head);
            for hit in all[..head].iter().chain(&all[tail..]) {
                self.hit(sieve.len(hit.core), *hit, copy);
            }
        }
        // A keyword begins at most so much before its core.
        let first = parent.leads.partition_point(|lead| (lead.start as usize) + QUICK < copy.from.start);
        for lead in parent.leads[first..].iter().take_while(|lead| (lead.start as usize) < copy.from.end) {
            let at = lead.hit.at as usize;
            let inside = at >= copy.from.start && at + sieve.len(lead.hit.core) <= copy.from.end;
            if inside && copy.holds_around(at, QUICK) {
                self.leads.push(Lead {
                    hit: Hit { at: narrow(copy.shift(at)), ..lead.hit },
                    start: narrow(copy.shift(lead.start as usize)),
                    verdict: lead.verdict.as_ref().and_then(|verdict| copy.carry(verdict, parent.len)),
                    ..*lead
                });
            }
        }
    }

    /// Carries one hit; one near the copy's ends is judged again by what is around it now.
    fn hit(&mut self, len: usize, hit: Hit, copy: Copied) {
        let at = hit.at as usize;
        if at + len > copy.from.end {
            return;
        }
        let moved = Hit { at: narrow(copy.shift(at)), ..hit };
        if self.keep {
            self.hits.push(moved);
        }
        if !copy.holds_around(at, QUICK) {
            let at = moved.at as usize;
            let piece = self.text.around(at.saturating_sub(QUICK), (at + QUICK).min(self.len));
            self.engine.leads(piece, moved, &mut self.tally, &mut self.leads);
        }
    }

    /// Makes the trace of a child.
    fn weave(&mut self, parent: &Trace, edits: &Edits) {
        let mut gaps = gaps(edits, self.len, parent.len).peekable();
        let mut before = 0;
        for edit in &edits.0 {
            let Edit::Copy { to, from } = *edit else { continue };
            while let Some(gap) = gaps.next_if(|gap| gap.end <= to.start) {
                self.fresh(gap, before);
                before = gap.end;
            }
            let from = Span::new(from, from + to.len());
            let starts = to.start == 0 && from.start == 0;
            let ends = to.end == self.len && from.end == parent.len;
            self.carry(parent, Copied { to, from, starts, ends });
        }
        for gap in gaps {
            self.fresh(gap, before);
            before = gap.end;
        }
        // Hits come in order of copies and gaps, so these are nearly sorted.
        self.hits.sort_by_key(|hit| (hit.at, hit.core));
        self.leads.sort_by_key(|lead| (lead.start, lead.len, lead.rule));
    }
}

/// Where a rule's next match may start.
#[derive(Clone, Copy, Default)]
struct Floor {
    /// No match starts before this.
    clear: usize,
    /// Where its last match ended.
    end: usize,
}

impl Engine {
    /// Adds the leads of a hit.
    #[inline]
    fn leads(&self, piece: Piece<'_>, hit: Hit, tally: &mut impl Tally, leads: &mut Vec<Lead>) {
        self.prefilter.leads(&self.detectors, piece, (hit.at as usize, hit.core), tally, |rule, keyword| {
            // The keyword fits into a byte: the prefilter has checked it.
            leads.push(Lead { hit, rule, start: narrow(keyword.start), len: keyword.len() as u8, verdict: None });
        });
    }

    /// The trace of a text that was made from nothing we know.
    pub(super) fn trace(&self, text: &[u8], keep: bool, tally: &mut impl Tally) -> Trace {
        let mut trace = Trace { len: text.len(), wide: view::may_have_views(text), ..Trace::default() };
        let piece = Piece { bytes: text, at: 0 };
        self.prefilter.each(text, 0..text.len(), |at, core| {
            let hit = Hit { at: narrow(at), core };
            if keep {
                trace.hits.push(hit);
            }
            self.leads(piece, hit, tally, &mut trace.leads);
        });
        trace.hits.sort_by_key(|hit| (hit.at, hit.core));
        trace.leads.sort_by_key(|lead| (lead.start, lead.len, lead.rule));
        trace
    }

    /// The trace of a text that was made from its parent by `edits`.
    pub(super) fn trace_child(&self, parent: &Trace, edits: &Edits, text: &[u8]) -> Trace {
        let mut weaver =
            Weaver { engine: self, text, len: text.len(), tally: (), keep: true, hits: Vec::new(), leads: Vec::new() };
        weaver.hits.reserve(parent.hits.len() + 8);
        weaver.weave(parent, edits);
        let inserts = edits.0.iter().filter_map(|edit| match edit {
            Edit::Insert { to, .. } => text.get(to.start..to.end),
            Edit::Copy { .. } => None,
        });
        let wide = if parent.wide {
            view::may_have_views(text)
        } else {
            view::has_mark(text) || inserts.into_iter().any(|bytes| memchr::memchr(0, bytes).is_some())
        };
        Trace { len: text.len(), wide, hits: weaver.hits, leads: weaver.leads }
    }

    /// Whether a child can be told to hold nothing to report without being put together. What it holds to report is
    /// not asked here: `false` says no more than that it has to be put together.
    pub fn glance(&self, parent: &Trace, patch: &Patch<'_>) -> bool {
        let is_nul = |edit: &Edit| match edit {
            Edit::Insert { to, from } => {
                patch.delta.get(*from..from + to.len()).is_none_or(|bytes| memchr::memchr(0, bytes).is_some())
            }
            Edit::Copy { .. } => false,
        };
        if !self.slow.is_empty() || parent.wide || patch.edits.0.iter().any(is_nul) {
            return false;
        }
        let starts = matches!(patch.edits.0.first(), Some(Edit::Copy { to, from: 0 }) if to.len() >= 2);
        let Some(text) = Patchwork::new(patch) else { return false };
        if !starts && view::has_mark(&text.bytes) {
            return false;
        }
        let mut weaver =
            Weaver { engine: self, text, len: patch.len, tally: (), keep: false, hits: Vec::new(), leads: Vec::new() };
        weaver.weave(parent, patch.edits);
        self.ask(None, &mut weaver.leads, &mut ()).is_some_and(|found| found.iter().all(|one| one.judged.dropped))
    }

    /// Asks the matchers about every lead whose verdict isn't known. `None` when that takes bytes that are not there.
    pub(super) fn ask(&self, text: Option<&[u8]>, leads: &mut [Lead], tally: &mut impl Tally) -> Option<Vec<Found>> {
        let mut found = Vec::new();
        let mut floors: Vec<Floor> = Vec::new();
        if !leads.is_empty() {
            floors.resize(self.detectors.len(), Floor::default());
        }
        for lead in leads {
            let rule = usize::from(lead.rule);
            let floor = &mut floors[rule];
            let keyword = Span::new(lead.start as usize, lead.start as usize + usize::from(lead.len));
            if keyword.start < floor.clear {
                lead.verdict = None;
                continue;
            }
            let holds = |verdict: &&Verdict| match verdict.floor {
                Some(end) => end == floor.end,
                None => floor.end <= verdict.examined.start,
            };
            let verdict = match lead.verdict.as_ref().filter(holds) {
                Some(verdict) => verdict,
                None => {
                    let text = text?;
                    let look = self.detectors[rule].at_keyword(text, keyword, floor.clear);
                    tally.tried(rule, look.searched);
                    let judged = look.found.map(|raw| (raw.whole.start, Arc::new(self.judge(text, rule, raw))));
                    lead.verdict.insert(Verdict {
                        examined: look.examined,
                        floor: (floor.end > look.examined.start).then_some(floor.end),
                        clear: look.clear,
                        found: judged,
                    })
                }
            };
            floor.clear = floor.clear.max(verdict.clear);
            if let Some((start, judged)) = &verdict.found {
                let whole = judged.raw.whole;
                floor.end = start + whole.len();
                found.push(Found { start: *start, judged: Arc::clone(judged) });
            }
        }
        Some(found)
    }
}

impl Trace {
    /// Whether the text may have views.
    pub(super) fn wide(&self) -> bool {
        self.wide
    }

    /// The leads, to be asked about.
    pub(super) fn leads(&mut self) -> &mut [Lead] {
        &mut self.leads
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;

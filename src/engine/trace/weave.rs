//! Makes the trace of a child from its parent's and the edits: what lies in a copy is carried, what doesn't is looked for.

use super::text::{Text, gaps, is_carried};
use super::{Hit, Lead, Trace, Verdict, is_crowded, narrow};
use crate::blob::{Edit, Edits};
use crate::engine::Engine;
use crate::engine::prefilter::QUICK;
use crate::location::Span;
use crate::rule::literals::{CONTEXT, LONGEST_CORE};

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
    /// Whether a core of the parent lies inside with what its being found rests on.
    fn holds(&self, at: usize, len: usize) -> bool {
        (self.starts && at >= self.from.start || at >= self.from.start + CONTEXT)
            && at + len + if self.ends { 0 } else { CONTEXT } <= self.from.end
    }

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
        let [start, end] = verdict.examined.map(|at| at as usize);
        let starts = if start == 0 { self.starts } else { start > self.from.start };
        let ends = if end >= parent_len { self.ends } else { end < self.from.end };
        let shift = |at: u32| narrow(self.shift(at as usize));
        (starts && ends).then(|| Verdict {
            examined: verdict.examined.map(shift),
            floor: if verdict.floor == 0 { 0 } else { shift(verdict.floor) },
            clear: shift(verdict.clear.max(verdict.examined[0])),
            start: if verdict.found.is_some() { shift(verdict.start) } else { 0 },
            found: verdict.found.clone(),
        })
    }
}

/// What the trace of a child is made with.
pub(super) struct Weaver<'e, T> {
    engine: &'e Engine,
    text: &'e T,
    len: usize,
    /// Whether hits are wanted; else only what may lead to a match.
    keep: bool,
    hits: Vec<Hit>,
    leads: Vec<Lead>,
    /// Where in the parent's leads the last copy was met: copies mostly follow each other.
    cursor: usize,
}

/// The first index at which `reached` holds, of a list in which it holds from some index on. Looks near `near` first.
fn seek<I>(list: &[I], near: usize, reached: impl Fn(&I) -> bool) -> usize {
    let near = near.min(list.len());
    let mut step = 1;
    let (low, high) = if near == 0 || !reached(&list[near - 1]) {
        let mut low = near;
        while low + step <= list.len() && !reached(&list[low + step - 1]) {
            low += step;
            step *= 2;
        }
        (low, list.len().min(low + step))
    } else {
        let mut high = near - 1;
        while high >= step && reached(&list[high - step]) {
            high -= step;
            step *= 2;
        }
        (high.saturating_sub(step), high)
    };
    low + list[low..high].partition_point(|item| !reached(item))
}

impl<'e, T: Text> Weaver<'e, T> {
    /// For a child of `len` bytes. `keep`: whether hits are wanted; else only what may lead to a match.
    pub(super) fn new(engine: &'e Engine, text: &'e T, len: usize, keep: bool) -> Self {
        Self { engine, text, len, keep, hits: Vec::new(), leads: Vec::new(), cursor: 0 }
    }

    /// Looks for new hits around a gap of the child. `before`: where the gap before ends.
    fn fresh(&mut self, gap: Span, before: usize) {
        let Self { engine, text, len, keep, hits, leads, .. } = self;
        let from = gap.start.saturating_sub(LONGEST_CORE + CONTEXT);
        let to = (gap.end + LONGEST_CORE + CONTEXT).min(*len);
        let near = "what is near a seam is at hand";
        let piece = text.around(from.saturating_sub(QUICK), (to + QUICK).min(*len)).expect(near);
        let sieve = &engine.prefilter;
        sieve.each(piece.bytes, from - piece.at..to - piece.at, |at, core| {
            let at = at + piece.at;
            // What lies in a copy with its context is carried; what reaches into the gap before was found there.
            if at >= gap.end + CONTEXT || at + sieve.len(core) + CONTEXT <= gap.start || at < before {
                return;
            }
            // What is crowded is given up.
            if is_crowded(hits, leads) {
                return;
            }
            let hit = Hit { at: narrow(at), core };
            if *keep {
                hits.push(hit);
            }
            engine.leads(piece, hit, &mut (), leads);
        });
    }

    /// Carries the hits and leads of a copied stretch.
    fn carry(&mut self, parent: &Trace, copy: Copied) {
        // One text copied over and over.
        if is_crowded(&self.hits, &self.leads) {
            return;
        }
        let sieve = &self.engine.prefilter;
        let hits = &parent.hits;
        let first = parent.first_from(copy.from.start);
        let near = |hit: &&Hit| (hit.at as usize) < copy.from.start + QUICK;
        let mut at = first;
        while let Some(hit) = hits.get(at).filter(near).filter(|hit| (hit.at as usize) < copy.from.end) {
            self.hit(sieve.len(hit.core), *hit, copy);
            at += 1;
        }
        // Only those near the ends can have changed their verdict.
        let tail = parent.first_from((copy.from.end + 1).saturating_sub(QUICK)).max(at);
        if self.keep {
            let shift = |hit: &Hit| Hit { at: narrow(copy.shift(hit.at as usize)), ..*hit };
            self.hits.extend(hits[at..tail].iter().map(shift));
        }
        at = tail;
        while let Some(hit) = hits.get(at).filter(|hit| (hit.at as usize) < copy.from.end) {
            self.hit(sieve.len(hit.core), *hit, copy);
            at += 1;
        }
        // A keyword begins at most so much before its core.
        let first = seek(&parent.leads, self.cursor, |lead| lead.start as usize + QUICK >= copy.from.start);
        self.cursor = first;
        for lead in parent.leads[first..].iter().take_while(|lead| (lead.start as usize) < copy.from.end) {
            let at = lead.hit.at as usize;
            if copy.holds(at, sieve.len(lead.hit.core)) && copy.holds_around(at, QUICK) {
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
        if !copy.holds(at, len) {
            return;
        }
        let moved = Hit { at: narrow(copy.shift(at)), ..hit };
        if self.keep {
            self.hits.push(moved);
        }
        if !copy.holds_around(at, QUICK) {
            let at = moved.at as usize;
            let near = "what is near a seam is at hand";
            let piece = self.text.around(at.saturating_sub(QUICK), (at + QUICK).min(self.len)).expect(near);
            self.engine.leads(piece, moved, &mut (), &mut self.leads);
        }
    }

    /// The hits and leads of the child.
    pub(super) fn weave(mut self, parent: &Trace, edits: &Edits) -> (Vec<Hit>, Vec<Lead>) {
        if self.keep {
            self.hits.reserve(parent.hits.len() + 8);
        }
        let mut gaps = gaps(edits, self.len, parent.len).peekable();
        let mut before = 0;
        for edit in &edits.0 {
            let Edit::Copy { to, from } = *edit else { continue };
            if !is_carried(to) {
                continue;
            }
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
        (self.hits, self.leads)
    }
}

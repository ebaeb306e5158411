//! What is kept of a text so that another one made from it by edits needs to be looked at only where it differs.
//!
//! A [`Trace`] holds the keyword hits of a text and, of those whose surroundings fit (leads), what the matcher said and
//! which bytes it looked at. In a child, hits that lie inside one copied stretch are carried, new ones are looked for
//! in inserted bytes and across seams only. A verdict is carried when everything it rests on lies in one copy: the
//! bytes looked at, one byte around them, the start or end of the text where it was reached, and where the rule's
//! match before ended. Anything else is asked again in the child's bytes. So the matches of a child are those of a
//! scan of all its bytes, element by element; tests hold it to that.

use std::sync::Arc;

use super::prefilter::{Piece, Tally};
use super::{Engine, Match};
use crate::blob::{Edits, Patch};
use crate::location::Span;
use crate::rule::literals::CoreId;
use crate::view;

mod sweep;
mod text;
mod weave;

pub(super) use text::Patchwork;
use text::{Text, ZONES, gaps, head, keeps_head};
use weave::Weaver;

/// The hits and leads of a text.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// There were too many to keep: what is made of the text is scanned by itself.
    crowded: bool,
    /// Length of the text in bytes.
    len: usize,
    /// Whether it may have views, which are never carried.
    wide: bool,
    /// All cores, sorted by offset.
    hits: Vec<Hit>,
    /// How many hits stand before each block of [`BLOCK`] bytes.
    blocks: Vec<u32>,
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
    examined: [u32; 2],
    /// Where the rule's match before ended, if that is inside `examined`; else 0.
    floor: u32,
    /// No further match of the rule starts before this.
    clear: u32,
    /// Where the match starts now, if there is one: its own spans are those of the text it was judged in.
    start: u32,
    /// The match.
    found: Option<Arc<Match>>,
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

/// Most hits and leads of one text that are kept, some 8 MiB each. Ordinary texts of that many have some hundred
/// megabytes; of a text that is made of keywords, what would be kept is many times its size.
const MOST: [usize; 2] = [1 << 20, 1 << 17];

/// Whether there are more than are kept.
fn is_crowded(hits: &[Hit], leads: &[Lead]) -> bool {
    hits.len() > MOST[0] || leads.len() > MOST[1]
}

/// An offset as traces keep it.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("texts of 4 GiB and more come in pieces")
}

/// The floors of the rules that were met.
struct Floors {
    /// How many rules there are.
    rules: usize,
    /// Rules and where theirs is, in the order they were met.
    met: Vec<(u16, Floor)>,
    /// By rule, once they are many.
    all: Vec<Floor>,
}

/// As many rules are looked for one by one.
const FEW: usize = 24;

impl Floors {
    /// Those of so many rules, none of which was met.
    fn new(rules: usize) -> Self {
        Self { rules, met: Vec::new(), all: Vec::new() }
    }

    /// That of a rule.
    fn of(&mut self, rule: u16) -> &mut Floor {
        if self.all.is_empty() {
            match self.met.iter().position(|(met, _)| *met == rule) {
                Some(at) => return &mut self.met[at].1,
                None if self.met.len() < FEW => {
                    self.met.push((rule, Floor::default()));
                    return &mut self.met.last_mut().expect("one was pushed just now").1;
                }
                None => {
                    self.all.resize(self.rules, Floor::default());
                    self.met.iter().for_each(|(met, floor)| self.all[usize::from(*met)] = *floor);
                }
            }
        }
        &mut self.all[usize::from(rule)]
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

    /// The trace of a text that was made from nothing we know; `None` if there is too much in it to keep.
    fn trace(&self, text: &[u8]) -> Option<Trace> {
        let mut trace = Trace { len: text.len(), wide: view::may_have_views(text), ..Trace::default() };
        let piece = Piece { bytes: text, at: 0 };
        self.prefilter.each(text, 0..text.len(), |at, core| {
            if !is_crowded(&trace.hits, &trace.leads) {
                let hit = Hit { at: narrow(at), core };
                trace.hits.push(hit);
                self.leads(piece, hit, &mut (), &mut trace.leads);
            }
        });
        if is_crowded(&trace.hits, &trace.leads) {
            return None;
        }
        trace.hits.sort_by_key(|hit| (hit.at, hit.core));
        trace.blocks = blocks(&trace.hits, text.len());
        trace.leads.sort_by_key(|lead| (lead.start, lead.len, lead.rule));
        Some(trace)
    }

    /// The matches of a text, not owned yet, and its trace.
    pub(super) fn found(&self, parent: Option<(&Trace, &Edits)>, text: &[u8]) -> (Vec<Found>, Trace) {
        let traced = match parent.filter(|(parent, _)| !parent.crowded) {
            Some((parent, edits)) => self.trace_child(parent, edits, text),
            None => self.trace(text),
        };
        match traced {
            Some(mut trace) => {
                let found = self.ask(&text, text.len(), &mut trace.leads, &mut ()).expect("the text is there");
                (found, trace)
            }
            None => {
                let wide = view::may_have_views(text);
                (self.sweep(text, &mut ()), Trace { crowded: true, len: text.len(), wide, ..Trace::default() })
            }
        }
    }

    /// The trace of a text that was made from its parent by `edits`; `None` if there is too much in it to keep.
    fn trace_child(&self, parent: &Trace, edits: &Edits, text: &[u8]) -> Option<Trace> {
        let (hits, leads) = Weaver::new(self, &text, text.len(), true).weave(parent, edits);
        if is_crowded(&hits, &leads) {
            return None;
        }
        let wide = match parent.wide {
            true => view::may_have_views(text),
            false => view::may_arise(text, gaps(edits, text.len(), parent.len), keeps_head(edits)),
        };
        Some(Trace { crowded: false, len: text.len(), wide, blocks: blocks(&hits, text.len()), hits, leads })
    }

    /// Whether a child can be told to hold nothing to report without being put together. What it holds to report is
    /// not asked here: `false` says no more than that it has to be put together.
    pub fn glance(&self, parent: &Trace, patch: &Patch<'_>) -> bool {
        if !self.slow.is_empty() || parent.wide || parent.crowded {
            return false;
        }
        let Some(head) = head(patch) else { return false };
        let head = view::Head::of(&head);
        if !keeps_head(patch.edits) && head.is_telling() {
            return false;
        }
        for (nth, reach) in ZONES.into_iter().enumerate() {
            let Some(text) = Patchwork::new(patch, reach) else { return false };
            // What is copied has no views, so what tells of one is near a gap.
            if nth == 0 && gaps(patch.edits, patch.len, parent.len).any(|gap| text.may_gain_views(gap, patch.len, head))
            {
                return false;
            }
            let (_, mut leads) = Weaver::new(self, &text, patch.len, false).weave(parent, patch.edits);
            if is_crowded(&[], &leads) {
                return false;
            }
            if let Some(found) = self.ask(&text, patch.len, &mut leads, &mut ()) {
                return found.iter().all(|one| one.judged.dropped);
            }
        }
        false
    }

    /// Asks the matchers about every lead whose verdict isn't known, in a text of `len` bytes. `None` when that takes
    /// bytes that are not at hand.
    pub(super) fn ask(
        &self,
        text: &impl Text,
        len: usize,
        leads: &mut [Lead],
        tally: &mut impl Tally,
    ) -> Option<Vec<Found>> {
        let mut found = Vec::new();
        self.ask_on(text, len, leads, (&mut Floors::new(self.detectors.len()), &mut found), tally)?;
        Some(found)
    }

    /// The same for the next leads of a text. `floors` and `found`: what those before them made of them.
    fn ask_on(
        &self,
        text: &impl Text,
        len: usize,
        leads: &mut [Lead],
        (floors, found): (&mut Floors, &mut Vec<Found>),
        tally: &mut impl Tally,
    ) -> Option<()> {
        for lead in leads {
            let rule = usize::from(lead.rule);
            let floor = floors.of(lead.rule);
            let keyword = Span::new(lead.start as usize, lead.start as usize + usize::from(lead.len));
            if keyword.start < floor.clear {
                lead.verdict = None;
                continue;
            }
            let holds = |verdict: &&Verdict| match verdict.floor {
                0 => floor.end <= verdict.examined[0] as usize,
                end => end as usize == floor.end,
            };
            let verdict = match lead.verdict.as_ref().filter(holds) {
                Some(verdict) => verdict,
                None => {
                    let detector = &self.detectors[rule];
                    // Where the look before was near, a window is twice as long; one more byte tells edges of words.
                    let near = floor.clear + detector.reach() > keyword.end;
                    let reach = detector.reach() * if near { 2 } else { 1 } + 1;
                    let (from, to) = (keyword.end.saturating_sub(reach), (keyword.end + reach).min(len));
                    let Piece { bytes, at } = text.around(from, to)?;
                    let here = Span::new(keyword.start - at, keyword.end - at);
                    let look = detector.at_keyword(bytes, here, floor.clear.saturating_sub(at)).shifted(at);
                    tally.tried(rule, look.searched);
                    let judged = look.found.map(|mut raw| {
                        raw.moved(-(at as isize));
                        let mut judged = self.judge(bytes, rule, raw);
                        judged.raw.moved(at as isize);
                        Arc::new(judged)
                    });
                    lead.verdict.insert(Verdict {
                        examined: [narrow(look.examined.start), narrow(look.examined.end)],
                        floor: if floor.end > look.examined.start { narrow(floor.end) } else { 0 },
                        clear: narrow(look.clear),
                        start: judged.as_ref().map_or(0, |judged| narrow(judged.raw.whole.start)),
                        found: judged,
                    })
                }
            };
            floor.clear = floor.clear.max(verdict.clear as usize);
            if let Some(judged) = &verdict.found {
                let start = verdict.start as usize;
                floor.end = start + judged.raw.whole.len();
                found.push(Found { start, judged: Arc::clone(judged) });
            }
        }
        Some(())
    }
}

/// Bytes of a block in which a hit is looked for one by one.
const BLOCK: usize = 1 << 11;

/// The index of `hits`, which are sorted, in a text of `len` bytes.
fn blocks(hits: &[Hit], len: usize) -> Vec<u32> {
    let mut blocks = Vec::with_capacity(len / BLOCK + 2);
    for (n, hit) in (0..).zip(hits) {
        while blocks.len() * BLOCK <= hit.at as usize {
            blocks.push(n);
        }
    }
    blocks
}

impl Trace {
    /// Index of the first hit at `offset` or after it.
    fn first_from(&self, offset: usize) -> usize {
        let Some(&first) = self.blocks.get(offset / BLOCK) else { return self.hits.len() };
        let rest = &self.hits[first as usize..];
        first as usize + rest.iter().take_while(|hit| (hit.at as usize) < offset).count()
    }

    /// How many bytes of memory it takes, about.
    pub fn weight(&self) -> usize {
        let matches =
            self.leads.iter().filter(|lead| lead.verdict.as_ref().is_some_and(|verdict| verdict.found.is_some()));
        size_of_val(&*self.hits)
            + size_of_val(&*self.blocks)
            + size_of_val(&*self.leads)
            + matches.count() * size_of::<Match>()
    }

    /// Whether the text may have views.
    pub(super) fn wide(&self) -> bool {
        self.wide
    }
}

#[cfg(test)]
mod tests;

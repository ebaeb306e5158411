//! The matches of a text in one go, of which nothing is kept: leads are asked about and forgotten, stretch by stretch.

use super::{Floors, Found, Hit, narrow};
use crate::engine::Engine;
use crate::engine::prefilter::{Piece, QUICK, Tally};
use crate::rule::literals::LONGEST_CORE;

/// Length of a stretch in bytes.
const STRETCH: usize = 1 << 18;

impl Engine {
    /// The matches of a text, not owned yet: those that [`Engine::found`] gives.
    pub(in crate::engine) fn sweep(&self, text: &[u8], tally: &mut impl Tally) -> Vec<Found> {
        let (mut floors, mut found, mut leads) = (Floors::new(self.detectors.len()), Vec::new(), Vec::new());
        let piece = Piece { bytes: text, at: 0 };
        let mut from = 0;
        while from < text.len() {
            let to = (from + STRETCH).min(text.len());
            self.prefilter.each(text, from..(to + LONGEST_CORE).min(text.len()), |at, core| {
                // Those that begin behind it are of the next stretch.
                if at < to {
                    self.leads(piece, Hit { at: narrow(at), core }, tally, &mut leads);
                }
            });
            leads.sort_by_key(|lead| (lead.start, lead.len, lead.rule));
            // A keyword may begin so much before its core: a lead of the next stretch may come before one of this.
            let asked = if to == text.len() {
                leads.len()
            } else {
                leads.partition_point(|lead| (lead.start as usize) + QUICK < to)
            };
            let made = (&mut floors, &mut found);
            self.ask_on(&text, text.len(), &mut leads[..asked], made, tally).expect("the text is there");
            leads.drain(..asked);
            from = to;
        }
        found
    }
}

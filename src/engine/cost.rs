//! What rules cost: how often each one's keywords are met, how often that takes a closer look, how often its pattern
//! has to run. Rules with common keywords and vague surroundings cost; these numbers show which.

use super::Engine;
use super::prefilter::Tally;
use crate::view;

/// What one rule cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Keyword hits: one of its literals stands in the text.
    pub hits: u64,
    /// Anchored tries that passed: the bytes around the keyword fit.
    pub tried: u64,
    /// Full runs of its pattern, over the whole window around the keyword. Hand-written matchers have none: they go on
    /// from the keyword, under a cap.
    pub searched: u64,
}

/// What all rules of an engine cost.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// By index of the rule.
    pub rules: Vec<Cost>,
    /// Bytes scanned, views included.
    pub bytes: u64,
}

impl Tally for Costs {
    fn hit(&mut self, rule: usize) {
        self.rules[rule].hits += 1;
    }

    fn tried(&mut self, rule: usize, searched: bool) {
        self.rules[rule].tried += 1;
        self.rules[rule].searched += u64::from(searched);
    }
}

impl Costs {
    /// Adds what others cost.
    pub fn add(&mut self, other: &Self) {
        self.rules.resize(self.rules.len().max(other.rules.len()), Cost::default());
        for (cost, more) in self.rules.iter_mut().zip(&other.rules) {
            cost.hits += more.hits;
            cost.tried += more.tried;
            cost.searched += more.searched;
        }
        self.bytes += other.bytes;
    }
}

impl Engine {
    /// Scans `bytes` and its views and tells what each rule of the fast lane cost. Rules of the slow lane run once over
    /// every text, whatever it holds.
    pub fn cost(&self, bytes: &[u8]) -> Costs {
        let mut costs = Costs { rules: vec![Cost::default(); self.detectors.len()], bytes: 0 };
        let mut add = |text: &[u8]| {
            costs.bytes += text.len() as u64;
            self.sweep(text, &mut costs);
        };
        add(bytes);
        view::each(bytes, |view| add(&view.text));
        costs
    }

    /// How many cores of keywords stand in `bytes`: the literal stage alone, to measure it.
    pub fn literal_hits(&self, bytes: &[u8]) -> usize {
        let mut hits = 0;
        self.prefilter.each(bytes, 0..bytes.len(), |_, _| hits += 1);
        hits
    }

    /// How many literals the fast rules have, and how many different ones the literal stage looks for.
    pub fn literals(&self) -> (usize, usize) {
        (self.detectors.iter().map(|detector| detector.rule.anchors.len()).sum(), self.prefilter.cores())
    }
}

//! The reference engine: every rule over the whole text, no prefilter, no window. Slow and obvious.
//!
//! It is the oracle that the fast lane is held to, and its pattern search is the slow lane for users' rules that have
//! no keyword or no bound.

use crate::location::Span;

use super::trace::Found;
use super::{Engine, Lane, Scanned};

/// All matches in `bytes` and its views, found the slow way. Equal, element by element, to [`Engine::scan`].
pub fn scan(engine: &Engine, bytes: &[u8]) -> Scanned {
    engine.scan_with(bytes, |text| search(engine, text))
}

fn search(engine: &Engine, text: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    let lower = text.to_ascii_lowercase();
    for (index, detector) in engine.detectors.iter().enumerate() {
        match &detector.lane {
            Lane::Path => {}
            Lane::Slow { .. } => engine.slow_rule(text, index, &mut found),
            // A keyword is part of what a rule means: it is proven to be in every match of a fast rule.
            Lane::Fast { .. } => detector.everywhere(text, |raw| found.push(engine.judged(text, index, raw))),
            Lane::Code(code) => {
                let mut floor = 0;
                for keyword in keywords(&lower, &detector.rule.keywords) {
                    if keyword.start < floor {
                        continue;
                    }
                    if let Some(raw) = code.find(text, keyword, floor) {
                        floor = raw.whole.end;
                        found.push(engine.judged(text, index, raw));
                    }
                }
            }
        }
    }
    found
}

/// Every place of every keyword in a lower-cased text, in the order of their starts.
fn keywords(lower: &[u8], words: &[crate::rule::Text]) -> Vec<Span> {
    let mut hits = Vec::new();
    for word in words {
        let word = word.to_ascii_lowercase();
        let all = lower.windows(word.len()).enumerate().filter(|(_, window)| *window == word.as_bytes());
        hits.extend(all.map(|(at, _)| Span::new(at, at + word.len())));
    }
    hits.sort();
    hits.dedup();
    hits
}

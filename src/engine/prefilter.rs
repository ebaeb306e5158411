//! The literal stage: where in a text a rule's keyword stands. It may say maybe too often, never no to a true match.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::location::Span;

/// Finds the keywords of all fast rules in one pass.
#[derive(Debug)]
pub(crate) struct Prefilter {
    automaton: AhoCorasick,
    /// For each literal of the automaton, the indices of the rules that have it as a keyword.
    rules: Vec<Vec<u32>>,
}

impl Prefilter {
    /// Builds the stage from (rule index, keywords). Literals are compared without ASCII case.
    pub(crate) fn new<'a>(rules: impl Iterator<Item = (u32, &'a str)>) -> Self {
        let mut literals: Vec<(String, u32)> = rules.map(|(rule, word)| (word.to_ascii_lowercase(), rule)).collect();
        literals.sort();
        literals.dedup();
        let mut words: Vec<String> = Vec::new();
        let mut owners: Vec<Vec<u32>> = Vec::new();
        for (word, rule) in literals {
            if words.last() != Some(&word) {
                words.push(word);
                owners.push(Vec::new());
            }
            owners.last_mut().expect("a word was pushed just above").push(rule);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .expect("some hundred short literals make a small automaton");
        Self { automaton, rules: owners }
    }

    /// Calls `hit(rule, keyword span)` for every keyword in `text`, overlapping ones too, in the order of their ends.
    pub(crate) fn each_hit(&self, text: &[u8], mut hit: impl FnMut(u32, Span)) {
        for found in self.automaton.find_overlapping_iter(text) {
            for &rule in &self.rules[found.pattern().as_usize()] {
                hit(rule, Span::new(found.start(), found.end()));
            }
        }
    }
}

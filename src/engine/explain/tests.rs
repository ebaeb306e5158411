//! What is told is what a scan does.

use super::super::tests::{expand, loaded};
use super::*;
use crate::engine::built_in_rules;

#[test]
fn what_is_told_is_what_a_scan_finds() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let (mut owned, mut beside, mut dropped) = (0, 0, 0);
    for (_, rule) in loaded() {
        for template in rule.examples.iter().chain(&rule.counterexamples) {
            let text = expand(template, 3);
            let (_, told) = engine.explain(&text);
            for found in engine.scan(&text).matches {
                let place = |one: &Match| (one.view, one.rule, one.raw.clone());
                let same = |one: &&Told| place(&one.found) == place(&found);
                let one = told.iter().find(same).unwrap_or_else(|| panic!("{template}: a match is not told"));
                let (is, was) = (&one.found, &found);
                assert_eq!((is.confidence, is.dropped, &is.reasons), (was.confidence, was.dropped, &was.reasons));
                assert_eq!(one.owner, None, "{template}");
                owned += 1;
            }
            for one in &told {
                assert_eq!(one.found.dropped, one.steps.iter().any(Step::drops), "{template}: {:?}", one.steps);
                beside += usize::from(one.owner.is_some());
                dropped += usize::from(one.found.dropped);
            }
        }
    }
    assert!(owned > 1000 && beside > 20 && dropped > 100, "{owned} own, {beside} beside others, {dropped} dropped");
}

#[test]
fn keywords_without_a_match_are_told_with_how_far_they_came() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let token = expand("<<github:ghp_>>", 1);
    let text = [token.as_slice(), b" gh", b"p_short x", b"gh", b"p_"].concat();
    let all = engine.missed(&text, Span::new(0, text.len()));
    let of_pat: Vec<(usize, Stage)> = all
        .iter()
        .filter(|miss| engine.rule(miss.rule).id == "github-pat")
        .map(|miss| (miss.keyword.start, miss.stage))
        .collect();
    assert_eq!(of_pat, [(41, Stage::Surroundings), (52, Stage::Surroundings)], "the first one leads to a match");
}

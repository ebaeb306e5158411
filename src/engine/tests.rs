//! The fast lane is held to the reference engine, and every rule to its own examples.

use std::collections::BTreeSet;

use super::*;
use crate::rule::Confidence;
use crate::rule::load::{Loaded, Origin, load};
use crate::specimen;

fn engine() -> Engine {
    Engine::new(built_in_rules()).expect("the built-in rules make an engine")
}

pub(super) fn loaded() -> Vec<(&'static str, Loaded)> {
    let all: Vec<_> = built_in_files()
        .iter()
        .flat_map(|(file, text)| {
            let rules = load(file, text, Origin::BuiltIn).expect("the build has checked them");
            rules.into_iter().map(move |rule| (*file, rule))
        })
        .collect();
    assert!(all.len() > 100, "only {} rules", all.len());
    all
}

pub(super) fn expand(template: &str, seed: u64) -> Vec<u8> {
    specimen::expand(template, seed).unwrap_or_else(|error| panic!("{template}: {error}"))
}

#[test]
fn an_engine_is_described_by_all_that_it_is_made_of() {
    let described = |rules: Vec<Arc<Rule>>| Engine::new(rules).expect("it makes an engine").description();
    let as_built = described(built_in_rules());
    assert_eq!(as_built, engine().description());
    let changes: [fn(&mut Rule); 8] = [
        |rule| rule.id = "another".into(),
        |rule| rule.keywords.to_mut()[0].to_mut().push('x'),
        |rule| rule.matcher = Matcher::Pattern { pattern: "ab*".into(), bound: Some(9), run: None },
        |rule| rule.structure = "github-crc32".into(),
        |rule| rule.structure_always = !rule.structure_always,
        |rule| rule.confidence = Confidence::Low,
        |rule| rule.filters.to_mut().push("entropy".into()),
        |rule| rule.entropy += 0.5,
    ];
    let mut all = BTreeSet::from([as_built, engine().assuming_structure(true).description()]);
    for change in changes {
        let mut rules = built_in_rules();
        let first = rules.iter_mut().find(|rule| rule.structure.is_empty()).expect("one has no check");
        change(Arc::make_mut(first));
        all.insert(described(rules));
    }
    all.insert(described(built_in_rules()[1..].to_vec()));
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|text| text.len() < 20_000), "to spell all rules out takes as long as a whole hook");
}

/// Whether `rule` matched, as owner or beside one, at `least` or above.
fn matched(engine: &Engine, text: &[u8], rule: &str, least: Confidence) -> bool {
    engine.scan(text).matches.iter().any(|found| {
        let names = std::iter::once(found.rule).chain(found.also.iter().copied());
        !found.dropped
            && found.confidence >= least.percent().min(50)
            && names.into_iter().any(|index| engine.rule(index).id == rule)
    })
}

#[test]
fn every_rule_matches_its_examples_and_not_its_counterexamples() {
    let engine = engine();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (file, loaded) in loaded() {
        let id = loaded.rule.id.as_ref();
        for seed in 0..8 {
            // The model is right of most random values, not of each.
            let asks_model = loaded.rule.filters.iter().any(|filter| filter == "model");
            let least = if asks_model { Confidence::Low } else { loaded.rule.confidence.min(Confidence::Medium) };
            for template in &loaded.examples {
                tried += 1;
                if !matched(&engine, &expand(template, seed), id, least) {
                    wrong.push(format!("{file}: `{id}` misses its example {template:?} (seed {seed})"));
                }
            }
            for template in &loaded.counterexamples {
                tried += 1;
                let text = expand(template, seed);
                let owns = |found: &Match| engine.rule(found.rule).id == id && !found.dropped && found.confidence >= 50;
                if engine.scan(&text).matches.iter().any(owns) {
                    wrong.push(format!("{file}: `{id}` matches its counterexample {template:?} (seed {seed})"));
                }
            }
        }
    }
    assert!(tried > 1000, "only {tried} examples");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pattern_compiles_and_every_check_is_there() {
    let engine = engine();
    engine.self_check().expect("every pattern compiles");
    for rule in engine.rules() {
        let there = rule.structure.is_empty() || structure_check(&rule.structure).is_some();
        assert!(there, "`{}` names the check `{}`, which isn't there", rule.id, rule.structure);
    }
}

/// Holds the fast engine to the reference on one text; returns how many matches there were.
fn hold(engine: &Engine, text: &[u8], what: &dyn Fn() -> String) -> usize {
    let (fast, slow) = (engine.scan(text).matches, reference::scan(engine, text).matches);
    if fast != slow {
        let name =
            |found: &Match| (engine.rule(found.rule).id.to_string(), found.view, found.raw.whole, found.raw.secret);
        let only = |a: &[Match], b: &[Match]| -> Vec<_> { a.iter().filter(|x| !b.contains(x)).map(name).collect() };
        panic!("{}: only fast {:?}, only reference {:?}", what(), only(&fast, &slow), only(&slow, &fast));
    }
    fast.len()
}

#[test]
fn fast_and_reference_agree_on_examples() {
    let engine = engine();
    let mut matches = 0;
    for (_, loaded) in loaded() {
        for template in loaded.examples.iter().chain(&loaded.counterexamples) {
            matches += hold(&engine, &expand(template, 1), &|| template.clone());
        }
    }
    assert!(matches > 300, "only {matches} matches");
}

#[test]
fn fast_and_reference_agree_on_a_source_tree() {
    let engine = engine();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut bytes = 0;
    for entry in ignore::WalkBuilder::new(root).build() {
        let entry = entry.expect("our own tree can be walked");
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let text = std::fs::read(entry.path()).expect("our own files can be read");
            if text.len() < 200_000 {
                bytes += text.len();
                hold(&engine, &text, &|| entry.path().display().to_string());
            }
        }
    }
    assert!(bytes > 300_000, "only {bytes} bytes");
}

/// Full runs of its pattern that a rule may cost on source, per megabyte.
const BUDGET: u64 = 20;

#[test]
fn no_rule_runs_its_pattern_too_often() {
    let engine = engine();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut costs = Costs::default();
    for folder in ["src", "tests", "benches", "build.rs"] {
        for entry in ignore::WalkBuilder::new(root.join(folder)).build() {
            let entry = entry.expect("our own tree can be walked");
            // Rooms that name many keywords would cost on their own what no source of others does.
            let named =
                ["structure", "specimen", "engine"].iter().any(|room| entry.path().iter().any(|part| part == *room));
            if entry.file_type().is_some_and(|kind| kind.is_file()) && !named {
                costs.add(&engine.cost(&std::fs::read(entry.path()).expect("our own files can be read")));
            }
        }
    }
    assert!(costs.bytes > 1_000_000, "only {} bytes", costs.bytes);
    let met = costs.rules.iter().filter(|cost| cost.hits > 0).count();
    assert!(met > 40, "only {met} rules had a hit");
    let over = |cost: &Cost| cost.searched * 1_000_000 > BUDGET * costs.bytes;
    let over: Vec<_> =
        engine.rules().zip(&costs.rules).filter(|(_, cost)| over(cost)).map(|(rule, cost)| (&rule.id, cost)).collect();
    assert!(over.is_empty(), "over {BUDGET} runs a megabyte, of {} bytes: {over:?}", costs.bytes);
}

#[test]
fn fast_and_reference_agree_on_secrets_spliced_into_noise() {
    let engine = engine();
    let rules = loaded();
    let templates: Vec<&String> = rules.iter().flat_map(|(_, loaded)| &loaded.examples).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut matches = 0;
    for round in 0..400_u64 {
        let mut text = Vec::new();
        for piece in 0..6_u64 {
            let noise = next(60);
            for _ in 0..noise {
                text.push(b"abc019_-= \"':/.\n\x00\xff"[next(18)]);
            }
            let secret = expand(templates[next(templates.len())], round * 7 + piece);
            // Whole, cut at either end, or doubled: seams of all kinds.
            match next(4) {
                0 => text.extend(&secret[next(secret.len())..]),
                1 => text.extend(&secret[..next(secret.len())]),
                2 => text.extend([secret.as_slice(), &secret].concat()),
                _ => text.extend(secret),
            }
        }
        matches += hold(&engine, &text, &|| format!("round {round}"));
    }
    assert!(matches > 400, "only {matches} matches");
}

/// Rules whose keywords overlap, nest and repeat.
pub(super) fn small_engine() -> Engine {
    let rules = [
        ("short", r"\bkey[a-z]{0,3}=([0-9]{4})\b", r#"["key"]"#),
        ("nested", r"(?m)^(?:secret_)?key(?:=|:)([0-9a-f]{2,5})$", r#"["secret_key", "key"]"#),
        ("either", r"(?:key|=key)=?((?:1|12|key){2,4})", r#"["key"]"#),
        ("behind", r"[0-9]{0,6}(x?)key", r#"["key"]"#),
    ];
    let text: String = rules
        .iter()
        .map(|(id, pattern, keywords)| {
            format!(
                "[[rule]]\nid = \"{id}\"\nname = \"x\"\nkeywords = {keywords}\npattern = \'\'\'{pattern}\'\'\'\n\
                 severity = \"low\"\nconfidence = \"medium\"\n"
            )
        })
        .collect();
    let rules = load("test.toml", &text, Origin::User).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let engine = Engine::new(rules.into_iter().map(|loaded| Arc::new(loaded.rule)).collect()).expect("an engine");
    assert_eq!(engine.slow_rules(), Vec::<&str>::new());
    engine
}

#[test]
fn fast_and_reference_agree_where_keywords_stand_close() {
    let engine = small_engine();
    let pieces = ["key", "secret_", "=", ":", "1", "12", "1234", "ab", "\n", " ", "x", "keykey=", "key=1234"];
    let mut state = 11_u64;
    let mut matches = 0;
    for round in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        matches += hold(&engine, text.as_bytes(), &|| format!("round {round}: {text:?}"));
    }
    assert!(matches > 10_000, "only {matches} matches");
}

#[test]
fn a_match_under_another_hides_all_its_bytes() {
    let engine = engine();
    let token = specimen::expand("<<github:ghp_>>", 3).expect("a template");
    let text = [b"pass".as_slice(), b"word = \"kX9!mmq2zz;", token.as_slice(), b";Lq81!xRt\"\n"].concat();
    let found = engine.scan(&text).matches;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].beside, [Span::new(12, text.len() - 2)]);
}

#[test]
fn images_and_binaries_cost_no_views() {
    use base64::Engine as _;
    let engine = engine();
    let mut random = specimen::random::Random::new(8);
    let noise: Vec<u8> = (0..300_000).map(|_| random.next() as u8).collect();
    let image = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &noise].concat();
    let embedded = base64::engine::general_purpose::STANDARD.encode(&image);
    let lines: Vec<&str> =
        (0..embedded.len()).step_by(76).map(|at| &embedded[at..embedded.len().min(at + 76)]).collect();
    for text in [image, format!("url(data:image/png;base64,{embedded})").into_bytes(), lines.join("\n").into_bytes()] {
        let more = engine.cost(&text).bytes as usize - text.len();
        assert!(more < text.len() / 1000, "{more} bytes were decoded of {}", text.len());
    }
}

#[test]
fn a_rule_whose_check_is_not_there_makes_no_engine() {
    let text = "[[rule]]\nid = \"x\"\nname = \"x\"\npattern = 'key=[0-9]{4}'\nkeywords = [\"key=\"]\nstructure = \"none-such\"\n";
    let loaded = load("test.toml", text, Origin::User).expect("the loader knows no checks");
    let rules = loaded.into_iter().map(|loaded| Arc::new(loaded.rule)).collect();
    let reason = "there is no structure check `none-such`".to_owned();
    assert_eq!(Engine::new(rules).err(), Some(EngineError { rule: "x".into(), reason }));
}

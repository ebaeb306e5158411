//! Turns `rules/*.toml` and `rules/data/*.toml` into tables, so that the program parses nothing at start. A broken
//! rule fails the build with file, line and reason.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use serde::Deserialize;

#[path = "src/rule/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build script uses a part of the room it shares with the crate")]
mod rule;

use rule::anchor::{Anchor, ByteSet, Check};
use rule::literals::Literals;
use rule::load::{Loaded, Mistake, Origin, duplicates, load};
use rule::{Matcher, Rule};

/// All that decides what the program finds: its own sources, its rules, and which versions of what crates it is built of.
const SOURCES: [&str; 4] = ["Cargo.lock", "build.rs", "rules", "src"];

fn main() {
    SOURCES.iter().for_each(|source| println!("cargo::rerun-if-changed={source}"));
    println!("cargo::rustc-env=KEYTRAIL_SOURCES={:032x}", sources());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    match generate() {
        Ok((tables, literals)) => {
            fs::write(out.join("tables.rs"), tables).expect("OUT_DIR can be written");
            fs::write(out.join("literals.bin"), &*literals.first).expect("OUT_DIR can be written");
        }
        Err(mistakes) => {
            for mistake in mistakes {
                println!("cargo::error={mistake}");
            }
            process::exit(1);
        }
    }
}

/// A number that is another one when any source is: verdicts of one build are not another's. It tells builds apart and
/// withstands nobody who may change the sources, so a simple hash is enough.
///
/// FNV-1a of 128 bits over names, lengths and bytes. Source: <https://datatracker.ietf.org/doc/draft-eastlake-fnv>,
/// "FNV Basics" and "FNV Constants", read 2026-11.
fn sources() -> u128 {
    let mut files = Vec::new();
    // A crate that others depend on has no lock file of its own.
    SOURCES.iter().map(PathBuf::from).filter(|path| path.exists()).for_each(|path| list(path, &mut files));
    files.sort();
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for path in &files {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.to_string_lossy().replace('\\', "/");
        for part in [name.as_bytes(), &bytes] {
            for byte in (part.len() as u64).to_le_bytes().iter().chain(part) {
                hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
            }
        }
    }
    hash
}

/// Adds the file at `path`, or all files below it.
fn list(path: PathBuf, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        return files.push(path);
    }
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.for_each(|entry| list(entry.expect("a folder of ours can be listed").path(), files));
}

/// Reads all data and writes the Rust source of the tables.
fn generate() -> Result<(String, Literals), Vec<Mistake>> {
    let mut rules: Vec<(String, Loaded)> = Vec::new();
    let mut mistakes = Vec::new();
    let mut paths: Vec<PathBuf> = fs::read_dir("rules")
        .expect("the folder rules/ is part of the crate")
        .map(|entry| entry.expect("rules/ can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    for path in &paths {
        let name = path.to_string_lossy().replace('\\', "/");
        match load(&name, &read(path), Origin::BuiltIn) {
            Ok(loaded) => rules.extend(loaded.into_iter().map(|rule| (name.clone(), rule))),
            Err(more) => mistakes.extend(more),
        }
    }
    mistakes.extend(duplicates(rules.iter().map(|(file, loaded)| (file.as_str(), loaded))));
    rules.sort_by(|(_, a), (_, b)| a.rule.id.cmp(&b.rule.id));

    let remedies: Remedies = data("rules/data/remedies.toml", &mut mistakes);
    let placeholders: Placeholders = data("rules/data/placeholders.toml", &mut mistakes);
    let model: Model = data("rules/data/generic-model.toml", &mut mistakes);
    let words: Words = data("rules/data/generic-words.toml", &mut mistakes);
    for (file, loaded) in &rules {
        let key = &loaded.rule.remediation;
        if !remedies.remedy.iter().any(|remedy| remedy.key == *key) {
            let reason = format!("rule `{}`: there is no remedy `{key}` in rules/data/remedies.toml", loaded.rule.id);
            mistakes.push(Mistake { file: file.clone(), line: 1, reason });
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut out = String::new();
    write_rules(&mut out, rules.iter().map(|(_, loaded)| &loaded.rule));
    write_files(&mut out, &paths);
    write_remedies(&mut out, &remedies);
    write_placeholders(&mut out, &placeholders);
    write_model(&mut out, &model);
    write_words(&mut out, &words);
    let literals = Literals::new(&rules.iter().map(|(_, loaded)| &*loaded.rule.anchors).collect::<Vec<_>>());
    write_literals(&mut out, &literals);
    Ok((out, literals))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a data file, or notes what is wrong with it.
fn data<T: for<'de> Deserialize<'de> + Default>(path: &str, mistakes: &mut Vec<Mistake>) -> T {
    toml::from_str(&read(Path::new(path))).unwrap_or_else(|error: toml::de::Error| {
        mistakes.push(Mistake { file: path.to_owned(), line: 1, reason: error.to_string().replace('\n', " ") });
        T::default()
    })
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Remedies {
    remedy: Vec<Remedy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remedy {
    key: String,
    title: String,
    steps: Vec<String>,
    end_state: String,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Placeholders {
    #[serde(rename = "version")]
    _version: u32,
    words: Vec<String>,
    exact: Vec<String>,
    documented: Vec<String>,
}

fn write_rules<'a>(out: &mut String, rules: impl Iterator<Item = &'a Rule>) {
    out.push_str("pub(crate) static RULES: &[Rule] = &[\n");
    for rule in rules {
        let text = |value: &str| format!("Cow::Borrowed({value:?})");
        let texts = |values: &[rule::Text]| {
            let items: Vec<String> = values.iter().map(|value| text(value)).collect();
            format!("Cow::Borrowed(&[{}])", items.join(", "))
        };
        let matcher = match &rule.matcher {
            Matcher::Pattern { pattern, bound, run } => {
                format!("Matcher::Pattern {{ pattern: {}, bound: {bound:?}, run: {run:?} }}", text(pattern))
            }
            Matcher::Code { name } => format!("Matcher::Code {{ name: {} }}", text(name)),
            Matcher::Path => "Matcher::Path".to_owned(),
        };
        writeln!(
            out,
            "Rule {{ id: {}, name: {}, provider: {}, description: {}, source: {}, keywords: {}, matcher: {matcher}, \
             anchors: Cow::Borrowed(&[{}]), structure: {}, structure_always: {}, public_prefix: {}, random_bits: {}, severity: Severity::{:?}, \
             confidence: Confidence::{:?}, target: {}, cloud: {}, family: {}, cwe: {}, filters: {}, entropy: {:?}, \
             types: {}, specificity: {}, remediation: {}, terms: None }},",
            text(&rule.id),
            text(&rule.name),
            text(&rule.provider),
            text(&rule.description),
            text(&rule.source),
            texts(&rule.keywords),
            rule.anchors.iter().map(anchor).collect::<Vec<_>>().join(", "),
            text(&rule.structure),
            rule.structure_always,
            text(&rule.public_prefix),
            rule.random_bits,
            rule.severity,
            rule.confidence,
            text(&rule.target),
            text(&rule.cloud),
            text(&rule.family),
            rule.cwe,
            texts(&rule.filters),
            rule.entropy,
            texts(&rule.types),
            rule.specificity,
            text(&rule.remediation),
        )
        .expect("writing to a string works");
    }
    out.push_str("];\n");
}

/// An anchor as Rust source.
fn anchor(anchor: &Anchor) -> String {
    let check = |Check { at, len, set: ByteSet(set), edge }: &Check| {
        format!("Check {{ at: {at}, len: {len}, set: ByteSet({set:?}), edge: {edge} }}")
    };
    let checks: Vec<String> = anchor.checks.iter().map(check).collect();
    format!(
        "Anchor {{ keyword: Cow::Borrowed({:?}), checks: Cow::Borrowed(&[{}]), skip: {:?} }}",
        anchor.keyword,
        checks.join(", "),
        anchor.skip
    )
}

/// The tables of the literal stage; the first one is a file of its own.
fn write_literals(out: &mut String, literals: &Literals) {
    let Literals { first: _, second, buckets, grams, lens, entries, by_core } = literals;
    writeln!(
        out,
        "pub(crate) static LITERALS: Literals = Literals {{ \
         first: Cow::Borrowed(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/literals.bin\"))), \
         second: Cow::Borrowed(&{second:?}), buckets: Cow::Borrowed(&{buckets:?}), grams: Cow::Borrowed(&{grams:?}), \
         lens: Cow::Borrowed(&{lens:?}), entries: Cow::Borrowed(&{entries:?}), by_core: Cow::Borrowed(&{by_core:?}) }};"
    )
    .expect("writing to a string works");
}

/// The rule files as they are, for `rules test` and the tests that run every rule's examples.
fn write_files(out: &mut String, paths: &[PathBuf]) {
    out.push_str("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for path in paths {
        let name = path.to_string_lossy().replace('\\', "/");
        writeln!(out, "({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {name:?}))),")
            .expect("writing to a string works");
    }
    out.push_str("];\n");
}

fn write_remedies(out: &mut String, remedies: &Remedies) {
    out.push_str("pub(crate) static REMEDIES: &[Remedy] = &[\n");
    for Remedy { key, title, steps, end_state, .. } in &remedies.remedy {
        let steps: Vec<String> = steps.iter().map(|step| format!("Cow::Borrowed({step:?})")).collect();
        writeln!(
            out,
            "Remedy {{ key: Cow::Borrowed({key:?}), title: Cow::Borrowed({title:?}), steps: Cow::Borrowed(&[{}]), \
             end_state: Cow::Borrowed({end_state:?}) }},",
            steps.join(", ")
        )
        .expect("writing to a string works");
    }
    out.push_str("];\n");
}

fn write_placeholders(out: &mut String, placeholders: &Placeholders) {
    let lower = |words: &[String]| -> Vec<String> { words.iter().map(|word| word.to_ascii_lowercase()).collect() };
    // Documented values stand in pieces (`<<join:a|b>>`), so that no scanner trips on the data file.
    let joined = |word: &String| match word.strip_prefix("<<join:").and_then(|rest| rest.strip_suffix(">>")) {
        Some(pieces) => pieces.replace('|', ""),
        None => word.clone(),
    };
    let documented: Vec<String> = placeholders.documented.iter().map(joined).collect();
    for (name, words) in
        [("WORDS", lower(&placeholders.words)), ("EXACT", lower(&placeholders.exact)), ("DOCUMENTED", documented)]
    {
        writeln!(out, "pub(crate) static PLACEHOLDER_{name}: &[&str] = &{words:?};")
            .expect("writing to a string works");
    }
}

/// The model of the generic detector, as `tools/train/` writes it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Model {
    /// Names of the features, in order.
    features: Vec<String>,
    /// From this sum on, this many percent are real.
    calibration: Vec<(f64, u8)>,
    /// The trees; none while the first ones are being trained.
    #[serde(default)]
    tree: Vec<Tree>,
}

/// One tree: its root is node 0; a child that is negative is the leaf of its complement.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Tree {
    feature: Vec<u8>,
    threshold: Vec<f64>,
    left: Vec<i16>,
    right: Vec<i16>,
    leaf: Vec<f64>,
}

/// Groups of words that the model's features are of.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Words {
    group: Vec<Group>,
}

/// One group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    words: Vec<String>,
}

/// The groups, in order.
fn write_words(out: &mut String, words: &Words) {
    writeln!(out, "pub(crate) const MODEL_GROUPS: [(&str, &[&str]); {}] = [", words.group.len())
        .expect("writing to a string works");
    for Group { name, words } in &words.group {
        writeln!(out, "({name:?}, &{words:?}),").expect("writing to a string works");
    }
    out.push_str("];\n");
}

/// All trees in one table of nodes and one of leaves.
fn write_model(out: &mut String, model: &Model) {
    let (mut nodes, mut leaves, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for tree in &model.tree {
        let (first, first_leaf) = (nodes.len() as i16, leaves.len() as i16);
        let child = |to: i16| if to < 0 { !(!to + first_leaf) } else { to + first };
        roots.push(first);
        for (at, feature) in tree.feature.iter().enumerate() {
            let threshold = at_most(tree.threshold[at]);
            nodes.push((*feature, threshold, child(tree.left[at]), child(tree.right[at])));
        }
        leaves.extend(tree.leaf.iter().map(|leaf| *leaf as f32));
    }
    let calibration: Vec<(f32, u8)> =
        model.calibration.iter().map(|(from, percent)| (*from as f32, *percent)).collect();
    writeln!(
        out,
        "#[cfg(test)]\npub(crate) static MODEL_FEATURES: &[&str] = &{:?};\n\
         pub(crate) static MODEL_NODES: &[(u8, f32, i16, i16)] = &{nodes:?};\n\
         pub(crate) static MODEL_LEAVES: &[f32] = &{leaves:?};\n\
         pub(crate) static MODEL_ROOTS: &[i16] = &{roots:?};\n\
         pub(crate) static MODEL_CALIBRATION: &[(f32, u8)] = &{calibration:?};",
        model.features,
    )
    .expect("writing to a string works");
}

/// The largest `f32` that is no more than `limit`, so that an `f32` is at most the one iff it is at most the other.
fn at_most(limit: f64) -> f32 {
    let near = limit as f32;
    if f64::from(near) > limit { near.next_down() } else { near }
}

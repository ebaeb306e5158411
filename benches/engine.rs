//! The engine's stages on this very source tree and on binary noise: start-up, the scan, the reference engine beside it.
//!
//! `cargo bench`. Compare figures of one run with each other; a machine's absolute speed says little.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use keytrail::engine::{Engine, built_in_rules, reference};
use keytrail::rule::load::{Origin, load};

fn main() {
    divan::main();
}

fn engine() -> Engine {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    engine.self_check().expect("every pattern compiles");
    engine
}

/// All files of a tree, one after the other: the project's own sources, or what `KEYTRAIL_BENCH_TREE` names.
fn source() -> Vec<u8> {
    let mut text = Vec::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tree = std::env::var_os("KEYTRAIL_BENCH_TREE").map_or(own, Into::into);
    for entry in ignore::WalkBuilder::new(tree).build() {
        let entry = entry.expect("the sources can be walked");
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            text.extend(std::fs::read(entry.path()).expect("a source can be read"));
        }
    }
    assert!(text.len() > 100_000, "the sources are there");
    text
}

/// Bytes of no pattern, from a fixed seed.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[divan::bench]
fn start_up() -> Engine {
    Engine::new(built_in_rules()).expect("the built-in rules make an engine")
}

#[divan::bench]
fn one_byte_memchr_source(bencher: Bencher<'_, '_>) {
    let text = source();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| memchr::memchr_iter(b'\x01', black_box(&text)).count());
}

#[divan::bench]
fn literal_stage_source(bencher: Bencher<'_, '_>) {
    let (engine, text) = (engine(), source());
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| engine.literal_hits(black_box(&text)));
}

/// The search for views, of which source has few.
#[divan::bench]
fn views_source(bencher: Bencher<'_, '_>) {
    let text = source();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| keytrail::view::each(black_box(&text), |_| {}));
}

/// A real binary: this very program, debug information and all.
fn binary() -> Vec<u8> {
    let path = std::env::current_exe().expect("a program knows where it is");
    std::fs::read(path).expect("it can be read")
}

#[divan::bench]
fn one_byte_memchr_binary(bencher: Bencher<'_, '_>) {
    let bytes = binary();
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench_local(|| memchr::memchr_iter(b'\x9d', black_box(&bytes)).count());
}

#[divan::bench]
fn literal_stage_binary(bencher: Bencher<'_, '_>) {
    let (engine, bytes) = (engine(), binary());
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| engine.literal_hits(black_box(&bytes)));
}

#[divan::bench]
fn literal_stage_noise(bencher: Bencher<'_, '_>) {
    let (engine, bytes) = (engine(), noise(4 << 20));
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| engine.literal_hits(black_box(&bytes)));
}

/// Rules with so many made-up literals of five to twelve letters: how the literal stage grows with the rule set.
#[divan::bench(args = [250, 500, 1_000, 2_000])]
fn literal_stage_by_count(bencher: Bencher<'_, '_>, literals: usize) {
    const LETTERS: &[u8] = b"eeeetttaaoooiiinnssshhrrddlcumwfgypbvk";
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let rules: String = (0..literals)
        .map(|n| {
            let word: String = (0..4 + next(8)).map(|_| char::from(LETTERS[next(LETTERS.len())])).collect();
            format!(
                "[[rule]]\nid = \"made-up-{n}\"\nname = \"x\"\nkeywords = [\"{word}_\"]\n\
                 pattern = '\\b({word}_[0-9a-f]{{32}})\\b'\n"
            )
        })
        .collect();
    let rules = load("made-up.toml", &rules, Origin::User).expect("the rules are well-formed");
    let engine = Engine::new(rules.into_iter().map(|one| Arc::new(one.rule)).collect()).expect("they make an engine");
    let text = source();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| engine.literal_hits(black_box(&text)));
}

#[divan::bench]
fn scan_source(bencher: Bencher<'_, '_>) {
    let (engine, text) = (engine(), source());
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| engine.scan(black_box(&text)).matches.len());
}

#[divan::bench]
fn scan_noise(bencher: Bencher<'_, '_>) {
    let (engine, bytes) = (engine(), noise(4 << 20));
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| engine.scan(black_box(&bytes)).matches.len());
}

#[divan::bench(sample_count = 3)]
fn reference_source(bencher: Bencher<'_, '_>) {
    let (engine, text) = (engine(), source());
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| reference::scan(&engine, black_box(&text)).matches.len());
}

/// Matches close together, as in dumps: twice the matches, twice the time.
#[divan::bench(args = [1_000, 2_000, 4_000, 32_000], sample_count = 10)]
fn many_matches(bencher: Bencher<'_, '_>, lines: u32) {
    let engine = engine();
    let line = |n: u32| format!("pass{} = \"kX9{:08x}q\"\n", "word", n.wrapping_mul(2_654_435_761));
    let text: String = (0..lines).map(line).collect();
    bencher
        .counter(BytesCount::of_slice(text.as_bytes()))
        .bench_local(|| engine.scan(black_box(text.as_bytes())).matches.len());
}

//! The engine's stages on this very source tree and on binary noise: start-up, the scan, the reference engine beside it.
//!
//! `cargo bench`. Compare figures of one run with each other; a machine's absolute speed says little.

use std::hint::black_box;
use std::path::Path;

use divan::Bencher;
use divan::counter::BytesCount;
use keytrail::engine::{Engine, built_in_rules, reference};

fn main() {
    divan::main();
}

fn engine() -> Engine {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    engine.self_check().expect("every pattern compiles");
    engine
}

/// All Rust sources of the project, one after the other.
fn source() -> Vec<u8> {
    let mut text = Vec::new();
    for entry in ignore::WalkBuilder::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).build() {
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

//! What counts as tests, by the examples of the data and by the edges of the code.

use std::collections::BTreeSet;

use super::directories::{Example, describe};
use super::*;

/// Judges the example's file in the tree that the example draws.
fn judged(policy: &Policy, path: &str, files: &[String]) -> Allowed {
    let mut list = |dir: &[u8]| -> Vec<Vec<u8>> {
        let all = files.iter().map(String::as_str).chain([path]);
        let below = all.filter_map(|file| match dir {
            b"" => Some(file.as_bytes()),
            _ => file.as_bytes().strip_prefix(dir)?.strip_prefix(b"/"),
        });
        let names = below.map(|rest| rest.split(|&byte| byte == b'/').next().unwrap_or(rest).to_vec());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    };
    policy.judge_path(path.as_bytes(), &mut list)
}

/// A policy with nothing set.
fn plain(machine_root: bool) -> Policy {
    Policy::new(false, globset::GlobSet::empty(), machine_root)
}

#[test]
fn every_example_of_the_data_holds() {
    let examples = describe().examples;
    let wrong: Vec<&Example> = examples
        .iter()
        .filter(|example| {
            let allowed = judged(&plain(example.machine_root), &example.path, &example.files);
            (allowed == Allowed::Test) != example.is_test
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(examples.iter().filter(|example| example.is_test).count() > 0);
    assert!(examples.iter().filter(|example| !example.is_test).count() > 0);
}

#[test]
fn include_tests_scans_every_example() {
    let policy = Policy::new(true, globset::GlobSet::empty(), false);
    let mut seen = 0;
    for example in describe().examples {
        assert_eq!(judged(&policy, &example.path, &example.files), Allowed::Yes, "{example:?}");
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn all_below_a_test_directory_is_alike() {
    let policy = plain(false);
    let mut around = Listed { beside: vec![b"Cargo.toml".to_vec(), b"tests".to_vec()], below: Vec::new() };
    let tests = policy.enter_root().enter(&policy, b"testdata", &mut around);
    assert!(tests.is_test());
    assert_eq!(tests.enter(&policy, b"environments", &mut around), tests);
    assert!(!policy.enter_root().is_test());
}

#[test]
fn listings_are_asked_for_candidates_only() {
    struct Never;
    impl Siblings for Never {
        fn names(&mut self) -> &[Vec<u8>] {
            panic!("asked for the names beside an ordinary directory")
        }
        fn below(&mut self) -> Vec<Vec<u8>> {
            panic!("asked for the names below an ordinary directory")
        }
    }
    let policy = plain(false);
    let mut dir = policy.enter_root();
    for name in ["src", "config", "contest", "latest", "attestation"] {
        dir = dir.enter(&policy, name.as_bytes(), &mut Never);
        assert!(!dir.is_test(), "{name}");
    }
}

#[test]
fn a_root_that_lies_in_a_test_directory_is_scanned_and_home_still_holds_people() {
    let policy = plain(false);
    let mut code = Listed { beside: vec![b"main.rs".to_vec()], below: Vec::new() };
    let root = policy.enter_root_at(b"/build/tests/fixtures");
    assert!(!root.is_test());
    assert!(!root.enter(&policy, b"src", &mut code).is_test());
    assert!(root.enter(&policy, b"test", &mut code).is_test());
    let home = policy.enter_root_at(b"/home/");
    assert!(!home.enter(&policy, b"test", &mut code).is_test());
    assert!(home.enter(&policy, b"ann", &mut code).enter(&policy, b"test", &mut code).is_test());
}

#[test]
fn excludes_come_before_tests() {
    let mut excludes = Excludes::default();
    excludes.add("testdata/*.bin").expect("well-formed");
    let policy = Policy::new(false, excludes.build().expect("small"), false);
    let dir = policy.enter_root().enter(&policy, b"testdata", &mut Listed::default());
    assert_eq!(policy.judge(b"testdata/a.bin", dir), Allowed::Excluded);
    assert_eq!(policy.judge(b"testdata/a.txt", dir), Allowed::Test);
    assert_eq!(policy.judge(b"other/a.txt", policy.enter_root()), Allowed::Yes);
}

#[test]
fn a_hostile_path_is_judged_without_panic() {
    let policy = plain(true);
    for path in [&b""[..], b"/", b"//a//", b"a/", b"/usr/lib/python3/test/x", b"\xff/\xfe/test/\x00", b"test/test/test"]
    {
        let _: Allowed = policy.judge_path(path, &mut |_| vec![b"a.py".to_vec()]);
    }
    let deep = "a/".repeat(20_000) + "test/x";
    assert_eq!(policy.judge_path(deep.as_bytes(), &mut |_| Vec::new()), Allowed::Yes);
}

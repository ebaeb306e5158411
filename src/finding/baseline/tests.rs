use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::enrich::remedy;
use crate::finding::{Facts, Target, Validity};
use crate::location::{Position, Region};
use crate::place::{Place, Provenance, State};

/// The digits of a salt that begins with this one; put together here, since a text of them looks like a secret.
fn digits(first: u128) -> String {
    format!("{:032x}", first << 120 | 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)
}

/// A salt that begins so.
fn salt(first: u128) -> Salt {
    Salt::parse(&digits(first)).expect("it is hex")
}

/// A finding of that value by that rule at that path.
fn finding(rule: &str, value: &str, path: &str) -> Finding {
    let rule = crate::tables::RULES.iter().find(|one| one.id == rule).expect("it is built in").clone();
    let provenance = Provenance { path: path.as_bytes().to_vec(), ..Provenance::default() };
    let place = Place { provenance, state: State::Present, first: None, last: None, reference: None };
    let seen = Sighting {
        place,
        region: Region { start: Position::START, end: Position::START },
        excerpt: String::new(),
        line_hash: None,
        line_hash_raw: None,
        occurrences: 1,
        more: Vec::new(),
        versions: 1,
        object: None,
        name: None,
        view: None,
        target: Target::default(),
        companions: Vec::new(),
    };
    Finding {
        also: Vec::new(),
        fingerprint: String::new(),
        secret: Secret::new(value.as_bytes()),
        preview: String::new(),
        severity: rule.severity,
        confidence: 90,
        reasons: Vec::new(),
        steps: Vec::new(),
        validity: Validity::NotChecked,
        facts: Facts::default(),
        target: Target::default(),
        companions: Vec::new(),
        places: vec![seen],
        earlier: Vec::new(),
        recommendation: None,
        remedy: std::borrow::Cow::Borrowed(remedy::by_key(&rule.remediation)),
        suppressions: Vec::new(),
        baseline: None,
        rule: Arc::new(rule),
    }
}

/// A weak value by the generic rule.
fn weak(value: &str, path: &str) -> Finding {
    finding("generic-password", value, path)
}

/// Terms with a reason alone.
fn terms() -> Terms {
    Terms { reason: "known".to_owned(), ..Terms::default() }
}

/// A baseline of these findings.
fn accepted(findings: &[Finding]) -> Baseline {
    let mut baseline = Baseline::new("b.jsonl", salt(0));
    baseline.accept(&findings.iter().collect::<Vec<_>>(), &terms());
    baseline
}

/// Whether the baseline knows each of the findings.
fn knows(baseline: &Baseline, findings: &[Finding]) -> Vec<bool> {
    baseline.judge(findings, Scope::All).iter().map(|entries| !entries.is_empty()).collect()
}

#[test]
fn argon2_gives_what_the_reference_gives() {
    // By argon2-cffi 25, which is the reference implementation: hash_secret_raw(b"value-one", b"0123456789abcdef", 2, 19456, 1,
    // 16, Type.ID).
    let spelled: String = b"0123456789abcdef".iter().map(|byte| format!("{byte:02x}")).collect();
    let salt = Salt::parse(&spelled).expect("it is hex");
    let digest = Digest::slow(&Secret::new(*b"value-one"), salt);
    assert_eq!(digest.to_string(), "86540dc507bc3f2c067c419c0ede26ea");
}

#[test]
fn what_can_be_guessed_is_in_the_file_by_its_slow_hash_alone() {
    let value = ["hunter2", "-hunter2"].concat();
    let baseline = accepted(&[weak(&value, "a.txt"), finding("github-pat", "a strong one", "b.txt")]);
    let text = baseline.text();
    let kinds: Vec<_> =
        baseline.entries().iter().map(|entry| format!("{} by {}", entry.rule, entry.hash.kind())).collect();
    assert_eq!(kinds, ["generic-password by argon2id", "github-pat by sha256"]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    use sha2::Digest as _;
    let plain = [
        hex(&sha2::Sha256::digest(&value)),
        hex(&sha1::Sha1::digest(&value)),
        Digest::plain(&Secret::new(value.as_bytes())).to_string(),
    ];
    for digest in &plain {
        assert!(!text.contains(&digest[..16]), "no fast hash of a weak value is in the file");
    }
    assert!(!text.contains(&value));
    let other = Baseline::new("c.jsonl", salt(0x10));
    let hash = |baseline: &Baseline| baseline.hash(&Secret::new(value.as_bytes()), None);
    assert_ne!(hash(&baseline), hash(&other), "two files give one value two names");
}

#[test]
fn values_are_known_again_wherever_they_are() {
    let baseline = accepted(&[weak("one-weak-value", "a.txt"), finding("github-pat", "strong", "b.txt")]);
    let again = [
        weak("one-weak-value", "renamed/elsewhere.txt"),
        weak("another-weak-one", "a.txt"),
        finding("generic-secret", "one-weak-value", "a.txt"),
        finding("npm-token", "strong", "c.txt"),
        finding("generic-secret", "one-weak-value", "neither/path/nor.rule"),
    ];
    assert_eq!(knows(&baseline, &again[..2]), [true, false], "by its rule");
    assert_eq!(knows(&baseline, &again[2..4]), [true, true], "by its path; a plain hash needs neither");
    assert_eq!(knows(&baseline, &again[4..]), [false], "what shares neither path nor rule is not looked at");
}

#[test]
fn a_text_is_read_as_it_was_written() {
    let mut baseline =
        accepted(&[weak("one-weak-value", "z\u{202e}\u{7f}\n.txt"), finding("github-pat", "strong", "ü\"b.txt")]);
    let day = Some(jiff::civil::date(2030, 1, 31));
    baseline.entries[1].terms = Terms { reason: "a\tb".to_owned(), owner: Some("ann".to_owned()), until: day };
    let text = baseline.text();
    assert!(!text.contains(['\u{202e}', '\u{7f}', '\t']), "{text}");
    assert!(text.lines().is_sorted() && text.lines().count() == 3, "{text}");
    let read = Baseline::parse(text.as_bytes(), "b.jsonl").expect("it was written by us");
    assert_eq!(read.text(), text);
    let hash = |baseline: &Baseline| baseline.entries.iter().map(|entry| entry.hash).collect::<BTreeSet<_>>();
    assert_eq!(hash(&read), hash(&baseline));
    assert!(read.entries.iter().any(|entry| entry.path == "z\u{202e}\u{7f}\n.txt"));
    // As editors leave it.
    let edited = format!("\u{feff}{}\r\n\r\n", text.lines().rev().collect::<Vec<_>>().join("\r\n"));
    assert_eq!(Baseline::parse(edited.as_bytes(), "b.jsonl").expect("no mistake").text(), text);
}

#[test]
fn two_files_and_their_salts_are_one() {
    let (one, two) = (weak("one-weak-value", "a.txt"), weak("two-weak-values", "b.txt"));
    let first = accepted(std::slice::from_ref(&one));
    let mut second = Baseline::new("b.jsonl", salt(0x10));
    second.accept(&[&two, &one], &terms());
    let union = format!("{}{}", first.text(), second.text());
    let mut union = Baseline::parse(union.as_bytes(), "b.jsonl").expect("the union of two files is one");
    assert_eq!((union.salts.len(), union.entries.len()), (2, 3));
    assert_eq!(knows(&union, &[one.clone(), two, weak("three", "a.txt")]), [true, true, false]);
    // Pruned to the first file's entry, the other salt goes.
    let judged = union.judge(std::slice::from_ref(&one), Scope::All);
    let of_first = judged[0].iter().copied().filter(|&at| union.entries[at].hash.salt() == Some(union.salts[0]));
    union.keep(&of_first.collect());
    assert_eq!((union.salts.len(), union.entries.len()), (1, 1));
}

#[test]
fn mistakes_are_told_with_their_lines() {
    let good = accepted(&[weak("one-weak-value", "a.txt"), finding("github-pat", "strong", "b.txt")]).text();
    let cases: [(&str, &str, &str); 14] = [
        ("\"v\":1", "\"v\":2", "b.jsonl:2: version 2"),
        ("{\"keytrail-baseline\":1", "{\"keytrail-baseline\":9", "b.jsonl:1: version 9"),
        ("t=2", "t=1", "b.jsonl:1: `kdf`"),
        ("8899aabb", "8899", "b.jsonl:1: `kdf`"),
        ("\"with\":\"00112233\"", "\"with\":\"ffffffff\"", "b.jsonl:2: `with`"),
        ("\"kind\":\"sha256\"", "\"kind\":\"md5\"", "b.jsonl:3: `kind`"),
        ("\"kind\":\"sha256\"", "\"kind\":\"argon2id\"", "b.jsonl:3: `with` is missing"),
        ("\"hash\":\"", "\"hash\":\"x", "b.jsonl:2: `hash`"),
        ("\"reason\":\"known\"", "\"reason\":\" \"", "b.jsonl:2: `reason` is missing"),
        ("\"reason\":\"known\"", "\"reason\":\"known\",\"until\":\"2030-2-1\"", "b.jsonl:2: `until`"),
        (
            "\"reason\":\"known\"",
            "\"reason\":\"known\",\"line\":7",
            "b.jsonl:2: not a line of a baseline: unknown field",
        ),
        ("\"rule\":\"", "\"rule\":\"a\",\"rule\":\"", "b.jsonl:2: not a line of a baseline: duplicate field"),
        ("{\"path\"", "<<<<<<< HEAD\n{\"path\"", "b.jsonl:2: a merge conflict"),
        ("{\"path\"", "[1]\n{\"path\"", "b.jsonl:2: not a line of a baseline"),
    ];
    for (from, to, says) in cases {
        assert!(good.contains(from), "the case changes something: {from}");
        let mistakes = Baseline::parse(good.replacen(from, to, 1).as_bytes(), "b.jsonl").expect_err(to);
        assert!(mistakes[0].starts_with(says), "{to}: {mistakes:?}");
    }
    let many = "x\n".repeat(1_000);
    let mistakes = Baseline::parse(many.as_bytes(), "b.jsonl").expect_err("no line is one");
    assert_eq!((mistakes.len(), mistakes[20].as_str()), (21, "b.jsonl: 980 more mistakes"));
    let salts: String = (0..17)
        .map(|n| format!("{{\"keytrail-baseline\":1,\"kdf\":\"argon2id;m=19456;t=2;p=1;s={n:08x}{n:024x}\"}}\n"))
        .collect();
    assert!(
        Baseline::parse(salts.as_bytes(), "b.jsonl").expect_err("too many")[0]
            .contains("b.jsonl:17: more than 16 salts")
    );
}

#[test]
fn hostile_bytes_are_mistakes_and_nothing_worse() {
    let good = accepted(&[weak("one-weak-value", "a.txt")]).text();
    let deep = "[".repeat(100_000);
    for text in [deep.as_bytes(), &b"\xff\xfe{\x00"[..], b"{}", b"null", b"{\"v\":1e999}"] {
        assert!(Baseline::parse(text, "b").is_err());
    }
    for cut in 0..good.len() {
        let _either = Baseline::parse(&good.as_bytes()[..cut], "b");
    }
    assert_eq!(Baseline::parse(b"\n \r\n", "b").expect("an empty file accepts nothing").entries().len(), 0);
}

#[test]
fn entries_hold_until_the_end_of_their_day() {
    let mut baseline = accepted(&[weak("one-weak-value", "a.txt")]);
    baseline.entries[0].terms.until = Some(jiff::civil::date(1970, 1, 2));
    let entry = &baseline.entries[0];
    assert!(entry.holds(2 * 86_400 - 1) && !entry.holds(2 * 86_400));
    let used = BTreeSet::from([0]);
    assert_eq!(baseline.notes(&used, 0, true), [""; 0]);
    assert!(baseline.notes(&used, 2 * 86_400, true)[0].contains("has ended (1970-01-02)"));
    assert!(baseline.notes(&BTreeSet::new(), 0, true)[0].contains("matches nothing"));
    assert_eq!(baseline.notes(&BTreeSet::new(), 0, false), [""; 0]);
}

/// A handful of strong values.
fn some_values() -> impl Strategy<Value = BTreeSet<u8>> {
    proptest::collection::btree_set(any::<u8>(), 0..12)
}

/// Findings of these strong values.
fn strong(values: &BTreeSet<u8>) -> Vec<Finding> {
    values.iter().map(|n| finding("github-pat", &format!("strong value {n}"), &format!("dir{}/f{n}", n % 3))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_union_of_files_knows_what_each_knows(ours in some_values(), theirs in some_values(), asked in some_values()) {
        let (one, two) = (accepted(&strong(&ours)).text(), accepted(&strong(&theirs)).text());
        let union = |first: &str, second: &str| {
            let text = format!("{first}{second}");
            Baseline::parse(text.as_bytes(), "b.jsonl").expect("the union of two files is one").text()
        };
        let merged = union(&one, &two);
        prop_assert_eq!(&merged, &union(&two, &one), "whichever comes first");
        prop_assert_eq!(&merged, &union(&merged, &one), "what is there already adds nothing");
        let baseline = Baseline::parse(merged.as_bytes(), "b.jsonl").expect("we wrote it");
        let expected: Vec<bool> = asked.iter().map(|n| ours.contains(n) || theirs.contains(n)).collect();
        prop_assert_eq!(knows(&baseline, &strong(&asked)), expected);
    }

    #[test]
    fn any_text_is_read_as_it_was_written(path in any::<String>(), reason in "[^ ]\\PC{0,40}", owner in any::<Option<String>>()) {
        let mut baseline = accepted(&strong(&BTreeSet::from([1])));
        prop_assume!(!reason.trim().is_empty());
        baseline.entries[0].path.clone_from(&path);
        baseline.entries[0].terms.reason = reason.trim().to_owned();
        baseline.entries[0].terms.owner.clone_from(&owner);
        let text = baseline.text();
        prop_assert_eq!(text.lines().count(), 2);
        let read = Baseline::parse(text.as_bytes(), "b.jsonl").expect("we wrote it");
        prop_assert_eq!((&read.entries[0].path, &read.entries[0].terms), (&path, &baseline.entries[0].terms));
    }
}

//! What the tests of all checks share: one table runner and one hail of hostile bytes.

use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;
use crate::specimen::random::Random;

/// What a row of a table expects, without the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    /// [`Verdict::Holds`].
    Held,
    /// [`Verdict::Fails`].
    Failed,
    /// [`Verdict::Unknown`].
    Unknown,
}

/// The kind of a verdict.
pub(crate) fn kind(verdict: &Verdict) -> Is {
    match verdict {
        Verdict::Holds(_) => Is::Held,
        Verdict::Fails(_) => Is::Failed,
        Verdict::Unknown(_) => Is::Unknown,
    }
}

/// The verdict on a secret that is its rule's whole match.
pub(crate) fn on(check: &dyn StructureCheck, text: impl AsRef<[u8]>) -> Verdict {
    let bytes = text.as_ref();
    check.check(Token { secret: bytes, whole: bytes })
}

/// What a template makes, as text.
pub(crate) fn made(template: &str) -> String {
    String::from_utf8(crate::specimen::expand(template, 6).expect(template)).expect("ASCII")
}

/// Says that a test is skipped since a tool isn't here; fails where none may be missing.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn skipped_without(program: &str) {
    let must = std::env::var_os("KEYTRAIL_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!must, "{program} is not here and KEYTRAIL_REQUIRE_TOOLS=1");
    eprintln!("skipped: {program} is not on PATH");
}

/// The facts of a verdict that isn't a failure.
pub(crate) fn facts(verdict: Verdict) -> Facts {
    match verdict {
        Verdict::Holds(facts) | Verdict::Unknown(facts) => facts,
        Verdict::Fails(why) => panic!("failed: {why}"),
    }
}

/// Runs a table of (what it shows, text, expected kind), then everything near its texts: cut, grown and damaged ones,
/// which must never panic nor give a reason that isn't one lower-case clause.
pub(crate) fn table(check: &dyn StructureCheck, rows: &[(&str, String, Is)]) {
    assert!(!rows.is_empty());
    for (what, text, expected) in rows {
        let verdict = on(check, text);
        assert_eq!(kind(&verdict), *expected, "{}: {what}: {verdict:?}", check.id());
    }
    let texts: Vec<&[u8]> = rows.iter().map(|(_, text, _)| text.as_bytes()).collect();
    hail(check, &texts);
}

/// Random bytes of every length up to 200, every cut of `texts` and 60 damaged copies of each.
pub(crate) fn hail(check: &dyn StructureCheck, texts: &[&[u8]]) {
    let mut random = Random::new(0x6b65_7974_7261_696c);
    let mut shown = 0;
    let mut show = |bytes: &[u8]| {
        if let Verdict::Fails(why) = on(check, bytes) {
            assert!(!why.is_empty() && !why.ends_with('.') && !why.starts_with(char::is_uppercase), "{why}");
        }
        shown += 1;
    };
    for length in 0..200 {
        show(&random.bytes(length));
    }
    for text in texts {
        // Long texts (key files) are cut every few bytes: their parsers have as many states, not as many as bytes.
        for cut in (0..text.len()).step_by(1 + text.len() / 100) {
            show(&text[..cut]);
            show(&text[cut..]);
        }
        for _ in 0..60 {
            let mut damaged = text.to_vec();
            for _ in 0..=random.below(3) {
                if damaged.is_empty() {
                    break;
                }
                let at = random.below(damaged.len() as u64) as usize;
                match random.below(3) {
                    0 => damaged[at] = random.next() as u8,
                    1 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, random.next() as u8),
                }
            }
            show(&damaged);
        }
    }
    assert!(shown >= 200);
}

/// A certificate for `witness.invalid`, its key, and a certificate of another key, made by OpenSSL; `None` without it.
pub(crate) fn certificate_and_key() -> Option<(String, String, String)> {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let made = |key: &str, name: &str| {
        let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key, "-out", name];
        let subject = format!("/CN={name}");
        let run = std::process::Command::new("openssl")
            .args(args)
            .args(["-subj", &subject])
            .current_dir(folder.path())
            .output();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("openssl wrote it");
        run.is_ok_and(|run| run.status.success()).then(|| (read(name), read(key)))
    };
    let (certificate, key) = made("k", "witness.invalid")?;
    let (other, _) = made("l", "other.invalid")?;
    Some((certificate, key, other))
}

//! A child's matches are those of a scan of all its bytes, whatever was done to its parent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::tests::{expand, loaded, small_engine};
use super::super::{Engine, Scanned, built_in_rules};
use super::Trace;
use crate::blob::{Edit, Edits, Patch};
use crate::location::Span;
use crate::specimen::random::Random;

/// A text with what is known of it.
struct Known {
    text: Vec<u8>,
    trace: Trace,
}

/// A child and how it came about.
struct Child {
    text: Vec<u8>,
    delta: Vec<u8>,
    edits: Edits,
}

impl Child {
    fn new() -> Self {
        Self { text: Vec::new(), delta: Vec::new(), edits: Edits::default() }
    }

    fn copy(&mut self, parent: &[u8], from: usize, len: usize) {
        let start = self.text.len();
        let from = from.min(parent.len());
        let len = len.min(parent.len() - from);
        if len > 0 {
            self.text.extend_from_slice(&parent[from..from + len]);
            self.edits.0.push(Edit::Copy { to: Span::new(start, start + len), from });
        }
    }

    fn insert(&mut self, bytes: &[u8]) {
        let start = self.text.len();
        if !bytes.is_empty() {
            self.text.extend_from_slice(bytes);
            self.delta.extend_from_slice(b"##");
            let from = self.delta.len();
            self.delta.extend_from_slice(bytes);
            self.edits.0.push(Edit::Insert { to: Span::new(start, start + bytes.len()), from });
        }
    }
}

/// Holds a child to a full scan; returns its trace and how many matches it reports.
fn hold(engine: &Engine, parent: Option<&Known>, child: &Child, what: &dyn Fn() -> String) -> (Trace, usize) {
    let full = engine.scan(&child.text);
    let report = full.matches.iter().any(|found| !found.dropped);
    let (Scanned { matches, .. }, trace) =
        engine.follow(parent.map(|parent| (&parent.trace, &child.edits)), &child.text);
    if report {
        assert_eq!(matches, full.matches, "{}", what());
    } else {
        assert!(matches.iter().all(|found| found.dropped), "{}: more than a full scan finds", what());
    }
    if let Some(parent) = parent {
        let patch = Patch { base: &parent.text, delta: &child.delta, edits: &child.edits, len: child.text.len() };
        let settled = engine.glance(&parent.trace, &patch);
        assert!(!settled || !report, "{}: a glance misses a match", what());
    }
    (trace, full.matches.len())
}

/// Texts of words, keywords and secrets, and pieces to change them by.
struct Writer {
    random: Random,
    templates: Vec<String>,
    seed: u64,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let templates = loaded().iter().flat_map(|(_, one)| one.examples.clone()).collect();
        Self { random: Random::new(seed), templates, seed }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random.below(n as u64) as usize
    }

    fn filler(&mut self, most: usize) -> Vec<u8> {
        const WORDS: [&str; 20] = [
            "the ",
            "key ",
            "token",
            " = ",
            "\n",
            "password",
            ": ",
            "let x",
            "secret_",
            "0123456789ab",
            "=",
            "\"",
            "'",
            "ghp_",
            "eyJ",
            "BEGIN ",
            "://",
            "user",
            "@host",
            "    ",
        ];
        let mut text = Vec::new();
        let len = self.below(most.max(1));
        while text.len() < len {
            text.extend_from_slice(WORDS[self.below(WORDS.len())].as_bytes());
        }
        text
    }

    fn secret(&mut self) -> Vec<u8> {
        self.seed += 1;
        let at = self.below(self.templates.len());
        expand(&self.templates[at].clone(), self.seed)
    }

    /// A secret in an encoding, some words before and after it.
    fn encoded(&mut self) -> Vec<u8> {
        let secret = self.secret();
        let words = [b"some words ".as_slice(), &secret, b" and more of them"].concat();
        match self.below(6) {
            0 | 1 => STANDARD.encode(&words).into_bytes(),
            2 => STANDARD.encode(STANDARD.encode(&words)).into_bytes(),
            3 => words.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
            4 => String::from_utf8_lossy(&words).replace('=', "%3D").replace('"', "\\u0022").into_bytes(),
            _ => {
                [b"apiVersion: v1\nkind: Secret\ndata:\n  token: ", STANDARD.encode(&secret).as_bytes(), b"\n"].concat()
            }
        }
    }

    fn piece(&mut self) -> Vec<u8> {
        match self.below(10) {
            8 => self.encoded(),
            9 => {
                let encoded = self.encoded();
                let at = self.below(encoded.len());
                encoded[at..].to_vec()
            }
            0..3 => self.filler(40),
            3..5 => self.secret(),
            5 => {
                let secret = self.secret();
                let at = self.below(secret.len());
                secret[at..].to_vec()
            }
            6 => {
                let secret = self.secret();
                let at = self.below(secret.len());
                secret[..at].to_vec()
            }
            _ => vec![b"\0\xff\n a="[self.below(6)]],
        }
    }

    fn first(&mut self) -> Child {
        let mut child = Child::new();
        for _ in 0..self.below(12) {
            let text = [self.filler(400), self.secret()].concat();
            child.insert(&text);
        }
        child
    }

    /// Changes a text: bytes replaced, cut, moved, doubled; at its start, at its end, anywhere.
    fn next(&mut self, parent: &[u8]) -> Child {
        let mut child = Child::new();
        let mut at = 0;
        for _ in 0..1 + self.below(5) {
            match self.below(10) {
                0..5 => {
                    let len = self.below(parent.len().max(1));
                    child.copy(parent, at, len);
                    at = (at + len).min(parent.len());
                }
                5 => at = (at + self.below(60)).min(parent.len()),
                6 => {
                    let (from, len) = (self.below(parent.len().max(1)), self.below(200));
                    child.copy(parent, from, len);
                }
                _ => {
                    let piece = self.piece();
                    child.insert(&piece);
                }
            }
        }
        if self.below(4) > 0 {
            child.copy(parent, at, parent.len());
        }
        child
    }
}

/// Follows chains of edits; returns how many matches were held.
fn follow(engine: &Engine, chains: u64, links: usize) -> usize {
    let mut matches = 0;
    for seed in 0..chains {
        let mut writer = Writer::new(seed);
        let first = writer.first();
        let (trace, count) = hold(engine, None, &first, &|| format!("chain {seed}, first"));
        matches += count;
        let mut known = Known { text: first.text, trace };
        for link in 0..links {
            let child = writer.next(&known.text);
            let what = || {
                let text = String::from_utf8_lossy(&child.text).into_owned();
                format!(
                    "chain {seed}, link {link}: {:?}\n{:?}\n{text:?}",
                    child.edits,
                    String::from_utf8_lossy(&known.text)
                )
            };
            let (trace, count) = hold(engine, Some(&known), &child, &what);
            matches += count;
            if child.text.len() < 20_000 {
                known = Known { text: child.text, trace };
            }
        }
    }
    matches
}

#[test]
fn edits_change_nothing_but_what_they_touch() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let matches = follow(&engine, 24, 10);
    assert!(matches > 800, "only {matches} matches");
}

/// Follows chains of edits that put these pieces together; returns how many matches were held.
fn follow_pieces(engine: &Engine, chains: u64, pieces: &[&str]) -> usize {
    let mut random = Random::new(5);
    let mut below = |n: usize| random.below(n as u64) as usize;
    let mut matches = 0;
    for chain in 0..chains {
        let mut known: Option<Known> = None;
        for link in 0..12 {
            let mut child = Child::new();
            let parent: &[u8] = known.as_ref().map_or(b"", |known| &known.text);
            for _ in 0..1 + below(6) {
                let from = below(parent.len().max(1));
                let len = below(300);
                child.copy(parent, from, len);
                let piece: String = (0..below(12)).map(|_| pieces[below(pieces.len())]).collect();
                child.insert(piece.as_bytes());
            }
            let (trace, count) = hold(engine, known.as_ref(), &child, &|| format!("chain {chain}, link {link}"));
            matches += count;
            known = Some(Known { text: child.text, trace });
        }
    }
    matches
}

#[test]
fn edits_where_keywords_stand_close() {
    let pieces = [
        "key",
        "secret_",
        "=",
        ":",
        "1",
        "12",
        "1234",
        "ab",
        "\n",
        " ",
        "x",
        "keykey=",
        "key=1234",
        "zzzzzzzzzzzzzzzz",
    ];
    let matches = follow_pieces(&small_engine(), 300, &pieces);
    assert!(matches > 10_000, "only {matches} matches");
}

#[test]
fn edits_under_terms_of_rule_files() {
    let toml = "[[rules]]\nid = 'line'\nregex = '''key=([0-9]{2,4})'''\nkeywords = ['key=']\n\
                [[rules.allowlists]]\nregexTarget = 'line'\nregexes = ['''^x''']\n\
                [[rules]]\nid = 'pair'\nregex = '''(?i)k(?:ey)?s=([a-z]{3})'''\nkeywords = ['ks=', 'keys=']\n\
                [[rules.required]]\nid = 'aux'\nwithinLines = 1\n\
                [[rules]]\nid = 'aux'\nregex = '''\\bid[0-9]+'''\nskipReport = true\n\
                [[rules]]\nid = 'gated'\nregex = '''z[0-9]'''\nkeywords = ['keys']\nentropy = 0.5\n\
                [[allowlists]]\nstopwords = ['12']\n[[allowlists]]\npaths = ['a']\n";
    let source = crate::gitleaks::Source { name: "g.toml", text: toml };
    let rules = crate::gitleaks::load(&[source], &[]).expect("the rules load").rules;
    let engine = Engine::new(rules).expect("the rules make an engine");
    assert_eq!(engine.slow_rules(), ["aux", "gated"]);
    let pieces =
        ["key=", "KEYS=", "ks=", "abc", "12", "34", "\n", "\n", " ", "x", "id7", "z1", "é", "\u{212a}\u{17f}=", "-"];
    let matches = follow_pieces(&engine, 300, &pieces);
    assert!(matches > 5_000, "only {matches} matches");
}

/// A long text that holds no keyword.
fn plain(len: usize) -> Vec<u8> {
    b"nothing to see here, move along. ".iter().copied().cycle().take(len).collect()
}

#[test]
fn seams_are_judged_by_what_is_around_them_now() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let token = expand("<<github:ghp_>>", 3);
    let around = |before: &[u8], after: &[u8]| [&plain(3000), before, &token, after, &plain(3000)].concat();
    let whole = around(b" ", b" ");
    let (at, end) = (3001, 3001 + token.len());
    let parent = |text: Vec<u8>| {
        let (_, trace) = engine.follow(None, &text);
        Known { text, trace }
    };
    // What is done to the parent, and whether the token is found afterwards.
    type Change = fn(&mut Child, &Known, usize, usize);
    let cases: [(&str, &[u8], Change, bool); 9] = [
        ("nothing", &whole, |child, k, _, _| child.copy(&k.text, 0, k.text.len()), true),
        (
            "far away",
            &whole,
            |child, k, _, _| {
                child.insert(b"a new first line\n");
                child.copy(&k.text, 0, k.text.len());
            },
            true,
        ),
        (
            "cut by a seam",
            &whole,
            |child, k, at, _| {
                child.copy(&k.text, 0, at + 20);
                child.insert(b"-");
                child.copy(&k.text, at + 20, k.text.len());
            },
            false,
        ),
        (
            "a letter before it",
            &whole,
            |child, k, at, _| {
                child.copy(&k.text, 0, at);
                child.insert(b"x");
                child.copy(&k.text, at, k.text.len());
            },
            false,
        ),
        (
            "a letter after it",
            &whole,
            |child, k, _, end| {
                child.copy(&k.text, 0, end);
                child.insert(b"x");
                child.copy(&k.text, end, k.text.len());
            },
            false,
        ),
        ("at the start", &whole, |child, k, at, _| child.copy(&k.text, at, k.text.len()), true),
        ("at the end", &whole, |child, k, _, end| child.copy(&k.text, 0, end), true),
        (
            "put together of two copies",
            &[&token[20..], b" ", plain(3000).as_slice(), b" ", &token[..20]].concat(),
            |child, k, _, _| {
                let half = k.text.len() - 20;
                child.copy(&k.text, half - 1, 21);
                child.copy(&k.text, 0, half);
            },
            true,
        ),
        (
            "doubled",
            &whole,
            |child, k, _, _| {
                child.copy(&k.text, 0, k.text.len());
                child.copy(&k.text, 0, k.text.len());
            },
            true,
        ),
    ];
    for (name, text, change, found) in cases {
        let known = parent(text.to_vec());
        let mut child = Child::new();
        change(&mut child, &known, at, end);
        let full = engine.scan(&child.text).matches;
        assert_eq!(full.iter().any(|one| !one.dropped && one.confidence > 50), found, "{name}: the case itself");
        hold(&engine, Some(&known), &child, &|| name.to_owned());
    }
}

#[test]
fn a_glance_settles_what_holds_nothing() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let text = [plain(5000), b" token = next(); password: str\n".to_vec(), plain(5000)].concat();
    let (_, trace) = engine.follow(None, &text);
    let glance = |child: &Child| {
        engine.glance(&trace, &Patch { base: &text, delta: &child.delta, edits: &child.edits, len: child.text.len() })
    };
    let edited = |at: usize, bytes: &[u8]| {
        let mut child = Child::new();
        child.copy(&text, 0, at);
        child.insert(bytes);
        child.copy(&text, at, text.len());
        glance(&child)
    };
    assert!(edited(100, b"some words"), "nothing is there");
    assert!(edited(100, b"see https://docs.example/ for more"), "a keyword alone is no secret");
    assert!(!edited(100, b"a\0b"), "NUL bytes need a view");
    assert!(!edited(0, b"\xff\xfe"), "so does a byte order mark");
    assert!(
        !edited(100, format!(" {} ", STANDARD.encode("words that are long enough for it")).as_bytes()),
        "so does base64"
    );
    assert!(edited(100, format!(" {} ", STANDARD.encode([0x90; 60])).as_bytes()), "but not of what is no text");
    assert!(!edited(3000, b" a\\u003db ") && edited(3000, b" \\u00e4 "), "and what breaks tokens");
    assert!(!edited(0, b"apiVersion: v1\n"), "what kind of document it is may have changed");
    assert!(edited(0, b"version: v1\n"));
    assert!(!edited(100, &expand(" <<github:ghp_>> ", 3)), "a secret has to be reported");
}

/// What is looked at beside a core decides whether it is a hit: where that changes, so may the hit, although the core
/// itself is copied.
#[test]
fn what_stands_beside_a_short_keyword_changes() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let mut found = 0;
    for (secret, core) in [(expand("<<jwt>>", 5), 3), (expand("<<github:ghp_>>", 5), 4)] {
        for (at, stop) in (200..204).flat_map(|at| b"!#,;<?[~ ".iter().map(move |stop| (at, *stop))) {
            let text = [plain(at - 1), b"\n".to_vec(), secret.clone(), b" ".to_vec(), plain(300)].concat();
            // Broken right before or behind the keyword, and mended.
            for cut in [at, at + core] {
                let mut broken = text.clone();
                broken.splice(cut..cut, [if cut == at { b'x' } else { stop }]);
                let known = Known { trace: engine.follow(None, &broken).1, text: broken };
                let mut mended = Child::new();
                mended.copy(&known.text, 0, cut);
                mended.copy(&known.text, cut + 1, known.text.len());
                found += hold(&engine, Some(&known), &mended, &|| format!("{} at {at}", char::from(stop))).1;
            }
        }
    }
    assert_eq!(found, 2 * 2 * 4 * 9);
}

#[test]
fn of_what_is_made_of_keywords_little_is_kept() {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let secret = expand("password = \"<<alnum:20>>\"\n", 9);
    let line = |n: usize| if n == 100_000 { secret.clone() } else { b"password=a\n".to_vec() };
    let text: Vec<u8> = (0..140_000).flat_map(line).collect();
    let (scanned, trace) = engine.follow(None, &text);
    assert!(trace.crowded && trace.weight() == 0, "{} bytes are kept", trace.weight());
    assert_eq!(scanned.matches.iter().filter(|one| !one.dropped).count(), 1, "the secret is in it");
    // A child that holds less is scanned by itself, and followed again.
    let known = Known { text, trace };
    let mut less = Child::new();
    less.copy(&known.text, 0, 30_000);
    less.insert(&secret);
    let (trace, count) = hold(&engine, Some(&known), &less, &|| "less".to_owned());
    assert!(!trace.crowded && trace.weight() > 0 && count > 0);
    // A small text, copied over and over.
    let known = Known { text: less.text, trace };
    let mut many = Child::new();
    (0..70).for_each(|_| many.copy(&known.text, 0, known.text.len()));
    let (scanned, trace) = engine.follow(Some((&known.trace, &many.edits)), &many.text);
    assert!(trace.crowded && scanned.matches.iter().filter(|one| !one.dropped).count() == 70);
}

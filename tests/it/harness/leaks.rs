//! Searches bytes for every secret made so far: in clear, in part, and in the encodings that a careless writer might
//! put it through.

use std::sync::{Arc, Mutex};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::token::{Token, registered};

/// How many characters of a secret's random part may stand together in an output. Previews show the last four.
const TOLERATED: usize = 7;

/// What searches for one secret.
struct Search {
    searcher: AhoCorasick,
    /// What each pattern of the searcher is, `label (form)`.
    names: Vec<String>,
}

/// A search for each registered token, in the same order; made once, since making them takes longer than searching.
static SEARCHES: Mutex<Vec<Arc<Search>>> = Mutex::new(Vec::new());

/// A search for every token made so far.
fn searches() -> Vec<Arc<Search>> {
    let mut known = SEARCHES.lock().expect("no test panics while it holds the searches");
    for token in registered().iter().skip(known.len()) {
        let (names, patterns): (Vec<_>, Vec<_>) =
            forms(token).into_iter().map(|(form, pattern)| (format!("{token:?} ({form})"), pattern)).unzip();
        let searcher = AhoCorasick::new(patterns).expect("a few dozen short patterns");
        known.push(Arc::new(Search { searcher, names }));
    }
    known.clone()
}

/// Where `bytes` hold a secret, one `label (form)` each; empty when they are clean.
pub(crate) fn check(bytes: &[u8]) -> Vec<String> {
    let hits = |search: &Search| -> Vec<String> {
        search.searcher.find_iter(bytes).map(|hit| search.names[hit.pattern().as_usize()].clone()).collect()
    };
    let mut seen: Vec<String> = searches().iter().flat_map(|search| hits(search)).collect();
    seen.sort();
    seen.dedup();
    seen
}

/// `text` with each secret replaced by its label, for the messages of failing tests.
pub(crate) fn name_tokens(text: &str) -> String {
    registered().iter().fold(text.to_owned(), |text, token| text.replace(token.text(), &format!("{token:?}")))
}

/// The byte strings that would give the secret away.
fn forms(token: &Token) -> Vec<(&'static str, Vec<u8>)> {
    let body = token.body().as_bytes();
    let mut forms: Vec<(&'static str, Vec<u8>)> =
        body.windows(TOLERATED + 1).map(|part| ("in clear", part.to_vec())).collect();
    forms.push((
        "percent-encoded",
        percent_encoding::percent_encode(body, percent_encoding::NON_ALPHANUMERIC).to_string().into(),
    ));
    forms.push(("utf-16le", body.iter().flat_map(|&byte| [byte, 0]).collect()));
    forms.push(("utf-16be", body.iter().flat_map(|&byte| [0, byte]).collect()));
    let each = |write: fn(u8) -> String| body.iter().map(|&byte| write(byte)).collect::<String>().into_bytes();
    forms.push(("percent-encoded", each(|byte| format!("%{byte:02X}"))));
    forms.push(("percent-encoded", each(|byte| format!("%{byte:02x}"))));
    forms.push(("hex", each(|byte| format!("{byte:02x}"))));
    forms.push(("hex", each(|byte| format!("{byte:02X}"))));
    forms.push(("escaped", each(|byte| format!("\\x{byte:02x}"))));
    forms.push(("escaped", each(|byte| format!("\\u{byte:04x}"))));
    forms.push(("html", each(|byte| format!("&#{byte};"))));
    forms.push(("reversed", body.iter().rev().copied().collect()));
    for before in 0..3 {
        // Characters of the encoding that only bytes of the body decide, wherever the body starts.
        let padded = [vec![0; before], body.to_vec()].concat();
        let decided = before.div_ceil(3) * 4..padded.len() / 3 * 4;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(("base64", engine.encode(&padded).into_bytes()[decided.clone()].to_vec()));
        }
    }
    forms
}

#[test]
fn a_secret_is_seen_in_every_form() {
    let token = Token::new("leak self-test");
    let value = token.text();
    let utf16 = |order: fn(u16) -> [u8; 2]| value.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let leaking: Vec<Vec<u8>> = vec![
        format!("x {value} y").into(),
        token.body()[10..10 + TOLERATED + 1].into(),
        STANDARD_NO_PAD.encode(format!("user:{value}@host")).into(),
        STANDARD_NO_PAD.encode(format!("u:{value}@host")).into(),
        STANDARD_NO_PAD.encode(format!("us:{value}@host")).into(),
        URL_SAFE_NO_PAD.encode(value).into(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        value.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().into(),
        value.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    ];
    for bytes in &leaking {
        let seen = check(bytes);
        assert!(seen.iter().any(|name| name.contains("leak self-test")), "{}", String::from_utf8_lossy(bytes).len());
    }
    let preview = format!("{}…{}", &value[..4], &value[36..]);
    assert_eq!(check(preview.as_bytes()), Vec::<String>::new());
    assert_eq!(name_tokens(&format!("a {value} b")), "a <leak self-test> b");
}

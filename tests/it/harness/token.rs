//! Secrets for fixtures: shaped like GitHub's classic personal access tokens, with a checksum that holds, made at run
//! time from a label and never written down.
//!
//! Source of the format: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>,
//! "Token prefixes" and "Checksum", read 2026-11.

use std::fmt;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

/// The digits of base 62 as these tokens use them, by value.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The public start of GitHub's tokens, put together so that no file holds the shape.
const PREFIX: &str = concat!("gh", "p_");

/// Every token this process made, in order; only ever added to.
static REGISTER: Mutex<Vec<Token>> = Mutex::new(Vec::new());

/// One made-up secret. `Debug` shows the label, so that a failing assertion gives nothing away.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    label: String,
    value: String,
}

impl Token {
    /// The token of that label: always the same one. Everything printed from now on is searched for it.
    pub(crate) fn new(label: &str) -> Self {
        let random: Vec<u8> =
            Sha256::digest(label).iter().take(30).map(|byte| DIGITS[usize::from(byte % 62)]).collect();
        let value = format!("{PREFIX}{}{}", String::from_utf8_lossy(&random), checksum(&random));
        register(Self { label: label.to_owned(), value })
    }

    /// A secret of another kind: everything printed from now on is searched for it as well.
    pub(crate) fn other(label: &str, value: &str) -> Self {
        register(Self { label: label.to_owned(), value: value.to_owned() })
    }

    /// An Azure storage account key: 64 random bytes in base 64, chosen to hold `+` (which URIs write otherwise) and
    /// no `/` (which paths can't hold).
    pub(crate) fn storage_key(label: &str) -> Self {
        use base64::Engine as _;
        let random = |round: u32| -> Vec<u8> {
            [0, 1].into_iter().flat_map(|half| Sha256::digest(format!("{label} {round} {half}"))).collect()
        };
        let keys = (0..).map(|round| base64::engine::general_purpose::STANDARD.encode(random(round)));
        let key = keys.into_iter().find(|key| key.contains('+') && !key.contains('/'));
        Self::other(label, &key.expect("one in some rounds"))
    }

    /// The same shape with a checksum that fails: a candidate of low confidence.
    pub(crate) fn broken(label: &str) -> Self {
        let token = Self::new(label).value;
        let tail = if token.ends_with("000000") { "111111" } else { "000000" };
        Self::other(&format!("{label}, broken"), &format!("{}{tail}", &token[..34]))
    }

    /// What it was made for.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The secret itself, to be put into a fixture.
    pub(crate) fn text(&self) -> &str {
        &self.value
    }

    /// The part that is random: what no output may hold.
    pub(crate) fn body(&self) -> &str {
        self.value.strip_prefix(PREFIX).unwrap_or(&self.value)
    }

    /// A line as people write them, with the secret in it.
    pub(crate) fn line(&self) -> String {
        format!("upload with {} from here on\n", self.value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.label)
    }
}

/// Every token made so far, in order: what was there before is there again, at the same index.
pub(crate) fn registered() -> Vec<Token> {
    REGISTER.lock().expect("no test panics while it holds the register").clone()
}

/// Adds a token to those that outputs are searched for.
fn register(token: Token) -> Token {
    let mut register = REGISTER.lock().expect("no test panics while it holds the register");
    if !register.contains(&token) {
        register.push(token.clone());
    }
    token
}

/// The last six characters of a token: the CRC-32 of the thirty random ones in base 62, padded with zeros on the left.
fn checksum(random: &[u8]) -> String {
    let mut rest = crc32fast::hash(random);
    let mut tail = [b'0'; 6];
    for digit in tail.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    assert_eq!(rest, 0, "62^6 is more than 2^32");
    String::from_utf8_lossy(&tail).into_owned()
}

#[test]
fn the_checksum_is_the_published_one() {
    assert_eq!(checksum(&[b'A'; 30]), "0uCPlr");
    let token = Token::new("checksum vector");
    assert_eq!(token.text().len(), 40);
    assert!(token.body().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(token, Token::new("checksum vector, another"));
    assert_eq!(token, Token::new("checksum vector"));
    assert!(!format!("{token:?}").contains(token.body()));
}

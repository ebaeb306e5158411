//! JSON web keys with private members, found from their `kty`: in JSON, in JSON inside a string, in source code.
//! Source: RFC 7517 section 4.

use crate::engine::structure::jwk::{PRIVATE, members};
use crate::location::Span;

use super::{CodeMatcher, RawMatch};

/// How far the object may reach from its `kty`, in bytes. A 4096-bit RSA key with all members has some 3,300.
const CAP: usize = 8 * 1024;

/// Fewest characters of a private member: 8 bytes, less than any key has.
const LEAST: usize = 11;

/// The matcher.
pub(super) struct Jwk;

impl CodeMatcher for Jwk {
    fn name(&self) -> &'static str {
        "jwk-private-key"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let (back, limit) =
            (keyword.start.saturating_sub(CAP).max(floor), text.len().min(keyword.end.saturating_add(CAP)));
        let (start, end) = match opening(text, back, keyword.start) {
            Some(start) => (start, closing(text, start, limit)),
            None => paragraph(text, keyword, back, limit),
        };
        if end < keyword.end {
            return None;
        }
        let object = &text[start..end];
        let members = members(object);
        if !members.iter().any(|(name, _)| object[name.start..name.end] == *b"kty") {
            return None;
        }
        let is_key = |value: &Span| {
            let value = &object[value.start..value.end];
            value.len() >= LEAST && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-=".contains(byte))
        };
        let of =
            |word: &&[u8]| members.iter().find(|(name, value)| &object[name.start..name.end] == *word && is_key(value));
        let (_, secret) = PRIVATE.iter().find_map(of)?;
        Some(RawMatch {
            whole: Span::new(start, end),
            secret: secret.shifted(start),
            decoded: None,
            companions: Vec::new(),
            bare: false,
        })
    }

    fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        let rest = &text[keyword.start + 3..];
        let quotes = rest.iter().take(16).take_while(|byte| b"\\\"' \t".contains(byte)).count();
        rest.get(quotes) == Some(&b':')
    }

    fn reach(&self) -> usize {
        CAP
    }
}

/// Offset of the brace that opens the object which `at` stands in, not before `back`.
fn opening(text: &[u8], back: usize, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in text.get(back..at)?.iter().enumerate().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth == 0 => return Some(back + offset),
            b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The lines around the keyword up to an empty one either way: where no brace opens an object (YAML), its members stand
/// on lines of their own.
fn paragraph(text: &[u8], keyword: Span, back: usize, limit: usize) -> (usize, usize) {
    let start = memchr::memmem::rfind(&text[back..keyword.start], b"\n\n").map_or(back, |at| back + at + 2);
    let end = memchr::memmem::find(&text[keyword.end..limit], b"\n\n").map_or(limit, |at| keyword.end + at);
    (start, end)
}

/// End of the object that opens at `start`; `limit` for one that isn't closed before.
fn closing(text: &[u8], start: usize, limit: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in text[start..limit].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return start + offset + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret in `text`, looked for at its first `kty`.
    fn secret(text: &str) -> Option<&str> {
        let at = text.find("kty")?;
        let keyword = Span::new(at, at + 4);
        let found = Jwk.may_match(text.as_bytes(), keyword).then(|| Jwk.find(text.as_bytes(), keyword, 0))??;
        assert!(found.whole.contains(keyword) && found.whole.contains(found.secret));
        Some(&text[found.secret.start..found.secret.end])
    }

    #[test]
    fn private_members_are_found_on_either_side() {
        let value = "Ab3_".repeat(8);
        for text in [
            format!(r#"{{"keys":[{{"kty":"oct","kid":"a","k":"{value}"}}]}}"#),
            format!("jwk = {{\n  d: '{value}',\n  kty: 'EC',\n}};"),
            format!(r#""{{\"kty\":\"OKP\",\n\"d\":\"{value}\"}}""#),
            format!("- kty: oct\n  k: {value}\n  use: sig\n\nother: 1\n"),
            format!("  d: '{value}',\n  kty: 'EC',\n"),
            format!(r#"{{"kty": "RSA", "oth": [{{"d": "x"}}], "p": "AAAAAAAAAAAAAAA", "d": "{value}""#),
        ] {
            assert_eq!(secret(&text), Some(value.as_str()), "{text}");
        }
    }

    #[test]
    fn public_keys_and_prose_are_nothing() {
        let value = "Ab3_".repeat(8);
        for text in [
            format!(r#"{{"kty":"EC","x":"{value}","y":"{value}"}}"#),
            format!(r#"{{"kty":"EC"}}, {{"d":"{value}"}}"#),
            format!("kty: the type; d: '{value}'"),
            r#"{"kty":"oct","k":""}"#.to_owned(),
            r#"{"kty":"oct","k":"<your key here>"}"#.to_owned(),
        ] {
            assert_eq!(secret(&text), None, "{text}");
        }
    }
}

//! Private keys as JSON (RFC 7517): the members of one object, however it is written.

use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;
use crate::location::Span;

/// Members that hold private material, the decisive ones first: all of `d` of RSA, EC and OKP keys, `k` of symmetric
/// ones, `priv` of post-quantum ones; the others are primes and exponents of RSA.
pub(crate) const PRIVATE: [&[u8]; 8] = [b"d", b"k", b"priv", b"p", b"q", b"dp", b"dq", b"qi"];

/// Curves and the length of their private value in bytes.
const CURVES: [(&[u8], usize); 8] = [
    (b"P-256", 32),
    (b"P-384", 48),
    (b"P-521", 66),
    (b"secp256k1", 32),
    (b"Ed25519", 32),
    (b"X25519", 32),
    (b"Ed448", 57),
    (b"X448", 56),
];

/// Fewest bytes of an RSA modulus: 512 bits were the least in use.
const LEAST_MODULUS: usize = 64;

/// `jwk`: an object with a known `kty` whose private member is base64url of the length that its type asks for.
///
/// Source: RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2, RFC 8812 section 3.
pub(super) struct Jwk;

impl StructureCheck for Jwk {
    fn id(&self) -> &'static str {
        "jwk"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let members = members(token.whole);
        let text = |name: &[u8]| {
            let found = members.iter().find(|(word, _)| &token.whole[word.start..word.end] == name);
            found.map(|(_, value)| &token.whole[value.start..value.end])
        };
        let Some(secret) = b64::url_safe(token.secret) else {
            return Verdict::Fails("the private member isn't base64url");
        };
        let fits = match text(b"kty") {
            Some(b"RSA") => {
                let modulus = text(b"n").and_then(b64::url_safe).map_or(LEAST_MODULUS, |bytes| bytes.len());
                (LEAST_MODULUS..=2048).contains(&modulus) && (modulus / 2 - 1..=modulus).contains(&secret.len())
            }
            Some(b"EC" | b"OKP") => {
                let curve = CURVES.iter().find(|(name, _)| text(b"crv") == Some(name));
                curve.is_some_and(|(_, length)| secret.len() == *length)
            }
            Some(b"oct") => secret.len() >= 8,
            Some(b"AKP") => secret.len() == 32,
            _ => return Verdict::Fails("no known type of key"),
        };
        match fits {
            true => Verdict::Holds(Facts::default()),
            false => Verdict::Fails("the private member hasn't the length of its type"),
        }
    }
}

/// The members of an object whose values are short texts: spans of name and value in `object`. It starts with `{`, or its
/// members stand on lines of their own, where values may be without quotes.
/// Names and texts may be quoted or escaped as in JSON inside a string, names may be bare as in JavaScript. Members of
/// inner objects are left out.
pub(crate) fn members(object: &[u8]) -> Vec<(Span, Span)> {
    let mut members = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    let open = object.starts_with(b"{");
    if let Some((name, value)) = (!open).then(|| member(object, 0, open)).flatten() {
        members.push((name, value));
        at = value.end;
    }
    while at < object.len() {
        match object[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let begins =
            if open { depth == 1 && b"{,".contains(&object[at]) } else { depth == 0 && b"\n,".contains(&object[at]) };
        at += 1;
        if begins && let Some((name, value)) = member(object, at, open) {
            members.push((name, value));
            at = value.end;
        }
    }
    members
}

/// The member that begins at `at`, if its value is a text. `quoted`: only one in quotes is.
fn member(object: &[u8], at: usize, quoted: bool) -> Option<(Span, Span)> {
    let skip = |at: usize, set: &[u8]| at + object[at..].iter().take_while(|byte| set.contains(byte)).count();
    let mut start = skip(at, b" \t\r\n");
    while object[start..].starts_with(b"\\n")
        || object[start..].starts_with(b"\\t")
        || object[start..].starts_with(b"\\r")
    {
        start = skip(start + 2, b" \t\r\n");
    }
    start = skip(start, if quoted { b"\\\"'" } else { b"\\\"'- " });
    let end = start + object[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let named = Span::new(start, end);
    let colon = skip(skip(end, b"\\\"'"), b" \t");
    if end == start || object.get(colon) != Some(&b':') {
        return None;
    }
    let quote = skip(skip(colon + 1, b" \t"), b"\\");
    let Some(mark) = object.get(quote).copied().filter(|byte| b"\"'`".contains(byte)) else {
        let start = colon + 1 + object[colon + 1..].iter().take_while(|byte| b" \t".contains(byte)).count();
        let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-=".contains(byte);
        let value = Span::new(start, start + object[start..].iter().take_while(plain).count());
        return (!quoted && !value.is_empty()).then_some((named, value));
    };
    let length =
        object[quote + 1..].iter().take_while(|byte| **byte != mark && **byte != b'\\' && **byte >= b' ').count();
    let value = Span::new(quote + 1, quote + 1 + length);
    object.get(value.end).map(|_| (named, value))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, kind};
    use super::*;
    use crate::specimen::random::Random;

    /// The verdict on an object whose secret is the value of `name`.
    fn verdict(object: &str, name: &str) -> Is {
        let whole = object.as_bytes();
        let members = members(whole);
        let (_, value) = members.iter().find(|(word, _)| &object[word.start..word.end] == name).expect(object);
        kind(&Jwk.check(Token { secret: &whole[value.start..value.end], whole }))
    }

    fn b64url(length: usize) -> String {
        b64::encode_url_safe(&Random::new(length as u64).bytes(length))
    }

    #[test]
    fn keys() {
        let (d, short, k) = (b64url(32), b64url(31), b64url(16));
        for (what, object, name, expected) in [
            ("EC", format!(r#"{{"kty":"EC","crv":"P-256","x":"{d}","y":"{d}","d":"{d}"}}"#), "d", Is::Held),
            ("OKP, bare names", format!("{{ crv: 'Ed25519',\n  d: '{d}',\n  kty: 'OKP' }}"), "d", Is::Held),
            ("oct, escaped", format!(r#"{{\"kty\":\"oct\",\n \"k\":\"{k}\"}}"#), "k", Is::Held),
            (
                "RSA",
                format!(r#"{{"n":"{}","e":"AQAB","d":"{}","kty":"RSA"}}"#, b64url(256), b64url(256)),
                "d",
                Is::Held,
            ),
            ("one byte short", format!(r#"{{"kty":"EC","crv":"P-256","d":"{short}"}}"#), "d", Is::Failed),
            ("no curve", format!(r#"{{"kty":"EC","d":"{d}"}}"#), "d", Is::Failed),
            ("unknown type", format!(r#"{{"kty":"XYZ","d":"{d}"}}"#), "d", Is::Failed),
            ("not base64url", r#"{"kty":"oct","k":"not a key, surely"}"#.to_owned(), "k", Is::Failed),
            ("short RSA", format!(r#"{{"n":"{}","d":"{d}","kty":"RSA"}}"#, b64url(256)), "d", Is::Failed),
        ] {
            assert_eq!(verdict(&object, name), expected, "{what}");
        }
        super::super::testing::hail(&Jwk, &[format!(r#"{{"kty":"EC","crv":"P-256","d":"{d}"}}"#).as_bytes()]);
    }

    #[test]
    fn inner_objects_have_their_own_members() {
        let object = br#"{"a":"b","oth":[{"d":"c"}],"kty":"RSA"}"#;
        let names: Vec<&[u8]> = members(object).iter().map(|(name, _)| &object[name.start..name.end]).collect();
        assert_eq!(names, [b"a".as_slice(), b"kty"]);
    }
}

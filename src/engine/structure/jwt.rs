//! JSON web tokens: who issued them to whom, for what and until when.

use serde_json::{Map, Value};

use super::fact::{epoch, epoch_text, note};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `jwt`: header and payload are JSON objects, the header names an algorithm, and the signature has the length that
/// this algorithm makes. The signature itself can't be checked without the issuer's key.
///
/// Source: RFC 7515 (section 7.1), RFC 7518 (sections 3.2–3.6), RFC 7519 (section 4.1), RFC 8037; for `tid`, `appid`,
/// `azp`, `scp` and `roles` <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>.
pub(super) struct Jwt;

impl StructureCheck for Jwt {
    fn id(&self) -> &'static str {
        "jwt"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        check(token.secret)
    }
}

/// Checks one token, without anything around it.
pub(super) fn check(token: &[u8]) -> Verdict {
    let parts: Vec<&[u8]> = token.splitn(6, |byte| *byte == b'.').collect();
    let Some(header) = parts.first().and_then(|part| object(part)) else {
        return Verdict::Fails("header is not a JSON object in base64url");
    };
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
        return Verdict::Fails("header names no algorithm");
    };
    match parts.as_slice() {
        [_, payload, signature] => {
            let Some(claims) = object(payload) else {
                return Verdict::Fails("payload is not a JSON object in base64url");
            };
            match signature_fault(algorithm, signature) {
                Some(fault) => Verdict::Fails(fault),
                None => Verdict::Holds(read(&claims)),
            }
        }
        // Encrypted tokens (RFC 7516) have five parts, and all but the header is unreadable.
        [_, _, _, _, _] if header.contains_key("enc") => Verdict::Unknown(Facts::default()),
        _ => Verdict::Fails("not three parts with dots between them"),
    }
}

/// The JSON object that `part` encodes.
fn object(part: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&b64::url_safe(part)?) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// What is wrong with the length of the signature. Algorithms that we don't know may have any but none.
fn signature_fault(algorithm: &str, signature: &[u8]) -> Option<&'static str> {
    if algorithm.eq_ignore_ascii_case("none") {
        return (!signature.is_empty()).then_some("has a signature though its algorithm is none");
    }
    if signature.is_empty() {
        return Some("signature is missing");
    }
    let Some(bytes) = b64::url_safe(signature) else {
        return Some("signature is not base64url");
    };
    let fits = match algorithm {
        "HS256" => bytes.len() == 32,
        "HS384" => bytes.len() == 48,
        "HS512" | "ES256" | "ES256K" => bytes.len() == 64,
        "ES384" => bytes.len() == 96,
        "ES512" => bytes.len() == 132,
        "EdDSA" => matches!(bytes.len(), 64 | 114),
        // As long as the modulus: 512 bits would be the least that anyone ever used.
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => bytes.len() >= 64,
        _ => true,
    };
    (!fits).then_some("signature has the wrong length for its algorithm")
}

/// What the claims say.
fn read(claims: &Map<String, Value>) -> Facts {
    let mut facts = Facts { expires: time(claims.get("exp")), created: time(claims.get("iat")), ..Facts::default() };
    for (name, keys) in [
        ("issuer", ["iss"].as_slice()),
        ("audience", &["aud"]),
        ("subject", &["sub"]),
        ("tenant", &["tid"]),
        ("app", &["appid", "azp"]),
        ("permissions", &["scp", "roles", "scope", "role"]),
        // Supabase's keys: which project.
        ("project", &["ref"]),
    ] {
        if let Some(text) = keys.iter().find_map(|key| words(claims.get(*key)?)) {
            note(&mut facts, name, text);
        }
    }
    facts
}

/// A NumericDate (RFC 7519 section 2), also where it was written as a string.
fn time(value: Option<&Value>) -> Option<i64> {
    match value? {
        // Fractions are allowed; `as` saturates, and `epoch` turns down what is out of range.
        Value::Number(number) => epoch(number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))?),
        Value::String(text) => epoch_text(text),
        _ => None,
    }
}

/// A string or a list of strings as one text.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    /// A token of these two JSON texts and a signature of `length` bytes.
    fn token(header: &str, payload: &str, length: usize) -> String {
        let parts = [header.as_bytes(), payload.as_bytes(), &vec![0xa5; length]];
        parts.map(b64::encode_url_safe).join(".")
    }

    #[test]
    fn tokens() {
        let hs = r#"{"alg":"HS256","typ":"JWT"}"#;
        let good = token(hs, r#"{"sub":"1"}"#, 32);
        table(
            &Jwt,
            &[
                ("random", String::from_utf8(expand("<<jwt>>", 1).expect("known")).expect("ASCII"), Is::Held),
                ("expired", String::from_utf8(expand("<<jwt-expired>>", 1).expect("known")).expect("ASCII"), Is::Held),
                ("empty claims", token(hs, "{}", 32), Is::Held),
                ("RS256", token(r#"{"alg":"RS256"}"#, "{}", 256), Is::Held),
                ("an algorithm of one's own", token(r#"{"alg":"X1"}"#, "{}", 3), Is::Held),
                ("unsigned", token(r#"{"alg":"none"}"#, "{}", 0), Is::Held),
                ("unsigned with signature", token(r#"{"alg":"none"}"#, "{}", 32), Is::Failed),
                ("signed without signature", token(hs, "{}", 0), Is::Failed),
                ("signature cut", good[..good.len() - 4].to_owned(), Is::Failed),
                ("signature too long", token(hs, "{}", 36), Is::Failed),
                ("a part too many", format!("{good}.e30"), Is::Failed),
                ("header corrupted", good.replacen("eyJ", "eyK", 1), Is::Failed),
                ("header is no object", token("[1]", "{}", 32), Is::Failed),
                ("no algorithm", token(r#"{"typ":"JWT"}"#, "{}", 32), Is::Failed),
                ("payload is no JSON", token(hs, "hello world", 32), Is::Failed),
                ("payload is nested too deep", token(hs, &"[".repeat(5000), 32), Is::Failed),
                ("encrypted", token(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "x", 9) + ".QQ.QQ", Is::Unknown),
                ("empty", String::new(), Is::Failed),
                ("dots", "..".to_owned(), Is::Failed),
            ],
        );
    }

    #[test]
    fn claims_become_facts() {
        let read = facts(on(
            &Jwt,
            token(
                r#"{"alg":"HS256"}"#,
                r#"{"exp":1767225600,"iat":1767222000.5,"iss":"https://sts.example/","aud":["a","b"],"sub":"me",
                "tid":"t-1","azp":"app-1","roles":["Mail.Read","Mail.Send"]}"#,
                32,
            ),
        ));
        assert_eq!((read.expires, read.created), (Some(1_767_225_600), Some(1_767_222_000)));
        let named: Vec<_> = read.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            named,
            [
                "app=app-1",
                "audience=a b",
                "issuer=https://sts.example/",
                "permissions=Mail.Read Mail.Send",
                "subject=me",
                "tenant=t-1",
            ]
        );
    }

    #[test]
    fn odd_claims_are_left_out() {
        for payload in [
            r#"{"exp":"soon","iat":-5,"iss":7,"aud":[],"scp":{}}"#,
            r#"{"exp":1e300,"iat":999999999999999}"#,
            r#"{"exp":null,"aud":[1,2]}"#,
        ] {
            assert_eq!(facts(on(&Jwt, token(r#"{"alg":"HS256"}"#, payload, 32))), Facts::default(), "{payload}");
        }
        let text = facts(on(&Jwt, token(r#"{"alg":"HS256"}"#, r#"{"exp":"1767225600"}"#, 32)));
        assert_eq!(text.expires, Some(1_767_225_600));
    }
}

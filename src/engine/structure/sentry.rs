//! Sentry's organisation tokens: whose they are and since when.

use serde_json::Value;

use super::fact::{epoch, note};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `sentry-token`: between `sntrys_` and `_` stands a JSON object in base64 with time, address and organisation.
///
/// Source: general knowledge of the format; `src/sentry/utils/security/orgauthtoken_token.py` in
/// <https://github.com/getsentry/sentry> (link, not read).
pub(super) struct SentryToken;

impl StructureCheck for SentryToken {
    fn id(&self) -> &'static str {
        "sentry-token"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some(body) = token.secret.strip_prefix(b"sntrys_") else {
            return Verdict::Unknown(Facts::default());
        };
        let Some(end) = body.iter().rposition(|byte| *byte == b'_').filter(|end| end + 20 < body.len()) else {
            return Verdict::Fails("no secret part behind the object");
        };
        let object = b64::either(&body[..end]).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let Some(Value::Object(object)) = object else {
            return Verdict::Fails("not a JSON object in base64");
        };
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let seconds = object.get("iat").and_then(Value::as_f64).map(|seconds| seconds as i64);
        let mut facts = Facts { created: seconds.and_then(epoch), ..Facts::default() };
        note(&mut facts, "organization", text("org"));
        note(&mut facts, "resource", text("url"));
        note(&mut facts, "region-url", text("region_url"));
        Verdict::Holds(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    /// A token of this object.
    fn token(object: &str) -> String {
        let secret = String::from_utf8(expand("<<base64:43>>", 2).expect("known")).expect("ASCII");
        format!("{}_{}_{secret}", concat!("sn", "trys"), b64::encode(object.as_bytes()))
    }

    #[test]
    fn tokens() {
        let object =
            r#"{"iat":1767225600.5,"url":"https://sentry.io","region_url":"https://de.sentry.io","org":"contoso"}"#;
        let whole = token(object);
        table(
            &SentryToken,
            &[
                ("whole", whole.clone(), Is::Held),
                ("object corrupted", whole.replacen("eyJ", "eyK", 1), Is::Failed),
                ("no object", token("[1]"), Is::Failed),
                ("truncated", whole[..whole.len() - 40].to_owned(), Is::Failed),
                ("too long: a second one in front", format!("sntrys_{whole}"), Is::Failed),
                ("another kind", whole.replacen("trys", "tryu", 1), Is::Unknown),
                ("empty", String::new(), Is::Unknown),
            ],
        );
        let read = facts(on(&SentryToken, &whole));
        assert_eq!((read.created, read.named["organization"].as_str()), (Some(1_767_225_600), "contoso"));
        assert_eq!(read.named["resource"], "https://sentry.io");
        assert_eq!(facts(on(&SentryToken, token(r#"{"iat":-1}"#))), Facts::default());
    }
}

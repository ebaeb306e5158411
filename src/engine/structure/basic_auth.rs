//! Credentials of HTTP's basic scheme.

use super::credentials::{is_placeholder, public_user};
use super::fact::{note, withhold};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `basic-auth`: base64 of `user:password` in printable characters, not a placeholder.
///
/// Source: RFC 7617 section 2, whose own two examples fail.
pub(super) struct BasicAuth;

impl StructureCheck for BasicAuth {
    fn id(&self) -> &'static str {
        "basic-auth"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = token.secret.trim_ascii();
        let text = match text.split_at_checked(6) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic ") => rest.trim_ascii(),
            _ => text,
        };
        let Some(decoded) = b64::either(text).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return Verdict::Fails("not base64 of text");
        };
        let Some((user, password)) = decoded.split_once(':') else {
            return Verdict::Fails("no colon between user and password");
        };
        if decoded.chars().any(char::is_control) {
            return Verdict::Fails("characters that no one can type");
        }
        if user.is_empty() && password.is_empty() {
            return Verdict::Fails("neither user nor password");
        }
        let of_the_standard = [("Aladdin", "open sesame"), ("test", "123\u{a3}")].contains(&(user, password));
        if of_the_standard || is_placeholder(user, password) {
            return Verdict::Fails("user and password are placeholders");
        }
        let mut facts = Facts::default();
        note(&mut facts, "user", public_user(user, password).unwrap_or_default());
        withhold(&mut facts, password.as_bytes());
        Verdict::Holds(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn credentials() {
        let password = String::from_utf8(expand("<<password:14>>", 2).expect("known")).expect("ASCII");
        let good = b64::encode(format!("deploy:{password}").as_bytes());
        table(
            &BasicAuth,
            &[
                ("whole", good.clone(), Is::Held),
                ("with its scheme", format!("Basic {good}"), Is::Held),
                ("without padding", good.trim_end_matches('=').to_owned(), Is::Held),
                ("a token as user", b64::encode(b"q7Wk2pLx9Rt4Vb8Nc3Mz:"), Is::Held),
                ("example of the standard", b64::encode(b"Aladdin:open sesame"), Is::Failed),
                ("placeholder", b64::encode(b"user:password"), Is::Failed),
                ("no colon", b64::encode(b"deploy"), Is::Failed),
                ("nothing but the colon", b64::encode(b":"), Is::Failed),
                ("binary", b64::encode(&[0xff, 0xfe, b':', 0x80]), Is::Failed),
                ("control characters", b64::encode(b"a\x01:b\x02"), Is::Failed),
                ("corrupted", good.replacen(&good[..1], "*", 1), Is::Failed),
                ("truncated to one character", good[..1].to_owned(), Is::Failed),
                ("too long: a second one behind", format!("{good}=={good}"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        assert_eq!(facts(on(&BasicAuth, &good)).named["user"], "deploy");
        assert_eq!(facts(on(&BasicAuth, b64::encode(b"q7Wk2pLx9Rt4Vb8Nc3Mz:"))), Facts::default());
    }
}

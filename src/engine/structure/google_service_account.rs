//! Key files of Google service accounts.

use super::fact::note;
use super::{StructureCheck, Token, Verdict, pem};

/// `google-service-account`: the private key is one, and the file says whose. Read field by field, so that a part of the
/// file, or the file as a string in another one, will do.
///
/// Source: <https://cloud.google.com/iam/docs/keys-create-delete#creating>.
pub(super) struct GoogleServiceAccount;

impl StructureCheck for GoogleServiceAccount {
    fn id(&self) -> &'static str {
        "google-service-account"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = token.whole;
        let mut facts = match pem::check(field(text, "private_key").unwrap_or(token.secret)) {
            Verdict::Holds(facts) => facts,
            Verdict::Fails(why) => return Verdict::Fails(why),
            Verdict::Unknown(_) => return Verdict::Fails("private key is not one"),
        };
        for (name, key) in [("account", "client_email"), ("project", "project_id"), ("key-id", "private_key_id")] {
            note(&mut facts, name, field(text, key).map(String::from_utf8_lossy).unwrap_or_default());
        }
        match facts.named.contains_key("account") {
            true => Verdict::Holds(facts),
            false => Verdict::Unknown(facts),
        }
    }
}

/// The string value of `"key": "…"`; both may have their quotes escaped.
fn field<'a>(text: &'a [u8], key: &str) -> Option<&'a [u8]> {
    memchr::memmem::find_iter(text, key).find_map(|at| {
        // The end of a longer name won't do: `private_key` stands in `private_key_id` too.
        if at.checked_sub(1).is_none_or(|before| !matches!(text[before], b'"' | b'\'')) {
            return None;
        }
        let rest = skip(&text[at + key.len()..], b"\\\"'");
        let rest = skip(skip(rest, b" \t\r\n").strip_prefix(b":")?, b" \t\r\n\\");
        let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'"))?;
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
        let value = &rest[..end];
        let slashes = value.iter().rev().take_while(|byte| **byte == b'\\').count();
        Some(&value[..end - slashes])
    })
}

/// `text` without bytes of `set` at its start.
fn skip<'a>(text: &'a [u8], set: &[u8]) -> &'a [u8] {
    let start = text.iter().position(|byte| !set.contains(byte)).unwrap_or(text.len());
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn files() {
        let good = String::from_utf8(expand("<<gcp-service-account>>", 2).expect("known")).expect("ASCII");
        let escaped = good.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let private = String::from_utf8_lossy(field(good.as_bytes(), "private_key").expect("it is there")).into_owned();
        table(
            &GoogleServiceAccount,
            &[
                ("whole", good.clone(), Is::Held),
                ("as a string in another file", format!("{{\"file\": \"{escaped}\"}}"), Is::Held),
                ("on one line", good.replace('\n', ""), Is::Held),
                ("without account", good.replace("client_email", "client_mail"), Is::Unknown),
                ("the key alone", private.clone(), Is::Unknown),
                ("key corrupted", good.replace("MII", "M!I"), Is::Failed),
                ("key truncated", good.replace(&private, &private[..400]), Is::Failed),
                ("key left out", good.replace(&private, "REDACTED"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        for text in [good, escaped] {
            let read = facts(on(&GoogleServiceAccount, text));
            assert!(read.named["account"].ends_with(".iam.gserviceaccount.com"), "{read:?}");
            assert!(read.named["project"].starts_with("keytrail-"), "{read:?}");
            assert_eq!(read.named["key-id"].len(), 40);
            assert_eq!(read.named["key-kind"], "rsa-2048");
        }
    }
}

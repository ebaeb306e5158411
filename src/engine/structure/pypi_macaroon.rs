//! PyPI's API tokens: macaroons, whose caveats say for what and until when.

use serde_json::Value;

use super::fact::{epoch, note};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `pypi-macaroon`: `pypi-` and a macaroon of version 2 with location, identifier and a 32-byte signature. Without a
/// caveat it opens a whole account for ever.
///
/// Source: <https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt>, `warehouse/macaroons/caveats` in
/// <https://github.com/pypi/warehouse>.
pub(super) struct PypiMacaroon;

/// Field types of the binary format.
const END: u8 = 0;
/// Where it is used.
const LOCATION: u8 = 1;
/// Identifier of macaroon or caveat.
const IDENTIFIER: u8 = 2;
/// Verification id of a third party's caveat.
const VERIFICATION: u8 = 4;
/// The signature.
const SIGNATURE: u8 = 6;

impl StructureCheck for PypiMacaroon {
    fn id(&self) -> &'static str {
        "pypi-macaroon"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some(body) = token.secret.strip_prefix(b"pypi-") else {
            return Verdict::Fails("does not start with pypi-");
        };
        let Some(bytes) = b64::url_safe(body) else {
            return Verdict::Fails("body is not base64url");
        };
        match read(&bytes) {
            Some(facts) => Verdict::Holds(facts),
            None => Verdict::Fails("not a macaroon of version 2"),
        }
    }
}

/// Reads a binary macaroon.
fn read(bytes: &[u8]) -> Option<Facts> {
    let mut fields = Fields(bytes.strip_prefix(&[2])?);
    let mut facts = Facts::default();
    let location = fields.optional(LOCATION)?;
    note(&mut facts, "resource", String::from_utf8_lossy(location));
    fields.expect(IDENTIFIER)?;
    fields.end()?;
    let mut limited = false;
    while fields.0.first() != Some(&END) {
        fields.optional(LOCATION)?;
        let caveat = fields.expect(IDENTIFIER)?;
        fields.optional(VERIFICATION)?;
        fields.end()?;
        limited |= caveat_facts(&mut facts, caveat);
    }
    fields.end()?;
    if fields.expect(SIGNATURE)?.len() != 32 || !fields.0.is_empty() {
        return None;
    }
    if !limited {
        note(&mut facts, "permissions", "whole account");
    }
    Some(facts)
}

/// Notes what a caveat says; true if it limits the token to some projects.
fn caveat_facts(facts: &mut Facts, caveat: &[u8]) -> bool {
    let words = |list: &Value| {
        let items = list.as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        words.join(" ")
    };
    match serde_json::from_slice(caveat) {
        Ok(Value::Array(items)) => match (items.first().and_then(Value::as_u64), items.get(1)) {
            (Some(0), Some(expires)) => {
                // Several caveats bind together: the earliest one counts.
                let expires = expires.as_i64().and_then(epoch);
                facts.expires = facts.expires.into_iter().chain(expires).min();
                false
            }
            (Some(1), Some(projects)) => {
                note(facts, "projects", words(projects));
                true
            }
            (Some(2), Some(ids)) => {
                note(facts, "project-ids", words(ids));
                true
            }
            (Some(3), Some(user)) => {
                note(facts, "user", user.as_str().unwrap_or_default());
                false
            }
            (Some(4), Some(publisher)) => {
                note(facts, "publisher", publisher.as_str().unwrap_or_default());
                true
            }
            _ => false,
        },
        // Tokens from before 2022: {"version": 1, "permissions": "user" or {"projects": […]}}.
        Ok(Value::Object(older)) => {
            match older.get("permissions").and_then(|permissions| permissions.get("projects")) {
                Some(projects) => {
                    note(facts, "projects", words(projects));
                    true
                }
                None => false,
            }
        }
        _ => false,
    }
}

/// What is left of the macaroon's fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The content of the next field, which must be of `kind`.
    fn expect(&mut self, kind: u8) -> Option<&'a [u8]> {
        let mut rest = self.0.strip_prefix(&[kind])?;
        // A length in base 128, least digits first; three digits are 2 MiB.
        let mut length = 0usize;
        for place in 0..3 {
            let (byte, behind) = rest.split_first()?;
            rest = behind;
            length |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let (content, behind) = rest.split_at_checked(length)?;
                self.0 = behind;
                return Some(content);
            }
        }
        None
    }

    /// The content of the next field if it is of `kind`, else nothing; `None` only where it is broken.
    fn optional(&mut self, kind: u8) -> Option<&'a [u8]> {
        match self.0.first() {
            Some(found) if *found == kind => self.expect(kind),
            _ => Some(&[]),
        }
    }

    /// The end of a section.
    fn end(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(&[END])?;
        Some(())
    }
}

/// The token at `location` with this identifier, these caveats and this signature; all under 128 bytes.
pub(crate) fn sealed(location: &[u8], identifier: &[u8], caveats: &[&[u8]], signature: &[u8; 32]) -> Vec<u8> {
    let field = |kind: u8, content: &[u8]| [&[kind, content.len() as u8], content].concat();
    let mut bytes = [&[2], field(LOCATION, location).as_slice(), &field(IDENTIFIER, identifier), &[END]].concat();
    for caveat in caveats {
        bytes.extend(field(IDENTIFIER, caveat));
        bytes.push(END);
    }
    bytes.push(END);
    bytes.extend(field(SIGNATURE, signature));
    [b"pypi-", b64::encode_url_safe(&bytes).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn token(caveats: &[&[u8]]) -> String {
        String::from_utf8(sealed(b"pypi.org", b"00000000-0000-4000-8000-000000000000", caveats, &[7; 32]))
            .expect("ASCII")
    }

    #[test]
    fn tokens() {
        let good = token(&[b"[3,\"u\"]"]);
        assert!(good.starts_with(&format!("{}-AgEIcHlwaS5vcmc", "pypi")), "as all of PyPI's tokens start");
        table(
            &PypiMacaroon,
            &[
                ("whole", good.clone(), Is::Held),
                ("random", String::from_utf8(expand("<<pypi>>", 1).expect("known")).expect("ASCII"), Is::Held),
                ("truncated", good[..good.len() - 2].to_owned(), Is::Failed),
                ("too long", format!("{good}AAAA"), Is::Failed),
                ("structure corrupted", good.replacen("-AgEI", "-AgEJ", 1), Is::Failed),
                ("not base64", good.replacen("-AgEI", "-A!EI", 1), Is::Failed),
                ("prefix only", "pypi-".to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn caveats() {
        let none = facts(on(&PypiMacaroon, token(&[])));
        assert_eq!(none.expires, None);
        assert_eq!(none.named["permissions"], "whole account");
        assert_eq!(none.named["resource"], "pypi.org");
        let read = facts(on(
            &PypiMacaroon,
            token(&[
                b"[0,1767225700,0]",
                b"[0,1767225600,0]",
                b"[1,[\"a\",\"b\"]]",
                b"[3,\"u\"]",
                b"[2,[\"i\"]]",
                b"junk",
            ]),
        ));
        assert_eq!(read.expires, Some(1_767_225_600));
        let named: Vec<_> = read.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(named, ["project-ids=i", "projects=a b", "resource=pypi.org", "user=u"]);
        let older = facts(on(&PypiMacaroon, token(&[b"{\"version\":1,\"permissions\":{\"projects\":[\"p\"]}}"])));
        assert_eq!(older.named["projects"], "p");
        let older = facts(on(&PypiMacaroon, token(&[b"{\"version\":1,\"permissions\":\"user\"}"])));
        assert_eq!(older.named["permissions"], "whole account");
    }
}

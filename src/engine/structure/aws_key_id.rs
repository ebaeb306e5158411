//! AWS access key ids: whose they are.

use super::fact::note;
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `aws-key-id`: sixteen base32 characters after the kind; the first six of their ten bytes hold the account number.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>; the
/// place of the account number was found by others in 2023 and is checked with AWS's own example account. Ids whose
/// fifth character is `I` or `J` are older than that scheme.
pub(super) struct AwsKeyId;

impl StructureCheck for AwsKeyId {
    fn id(&self) -> &'static str {
        "aws-key-id"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some((prefix, body)) = token.secret.split_at_checked(4).filter(|(_, body)| body.len() == 16) else {
            return Verdict::Fails("not 20 characters");
        };
        let kind = match prefix {
            b"AKIA" => "long-term access key",
            b"ASIA" => "temporary access key",
            b"ABIA" => "bearer token",
            b"ACCA" => "context-specific credential",
            _ => return Verdict::Fails("names an identity, not a key"),
        };
        let Some(number) = base32(body) else {
            return Verdict::Fails("not base32");
        };
        let mut facts = Facts::default();
        note(&mut facts, "key-kind", kind);
        if matches!(body[0], b'I' | b'J') {
            return Verdict::Unknown(facts);
        }
        match account(number) {
            Some(account) => {
                note(&mut facts, "account", account);
                Verdict::Holds(facts)
            }
            None => Verdict::Fails("account number has more than twelve digits"),
        }
    }
}

/// The account of a whole key id, where it can be read.
pub(super) fn account_of(id: &str) -> Option<String> {
    match AwsKeyId.check(Token { secret: id.as_bytes(), whole: id.as_bytes() }) {
        Verdict::Holds(mut facts) => facts.named.remove("account"),
        _ => None,
    }
}

/// The 80 bits of sixteen base32 characters (RFC 4648 section 6, upper case).
fn base32(text: &[u8]) -> Option<u128> {
    text.iter().try_fold(0u128, |number, byte| {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(number << 5 | u128::from(digit))
    })
}

/// The twelve digits in bits 7 to 46 of the first six bytes.
fn account(number: u128) -> Option<String> {
    let first_six = (number >> 32) as u64;
    let account = (first_six & 0x7fff_ffff_ff80) >> 7;
    (account <= 999_999_999_999).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn ids() {
        let of = |prefix: &str, body: &str| format!("{prefix}{body}");
        let body = format!("RZPUZDIK{}", "A".repeat(8));
        let made = String::from_utf8(expand("<<aws-key-id:ASIA>>", 3).expect("known")).expect("ASCII");
        table(
            &AwsKeyId,
            &[
                ("long term", of("AKIA", &body), Is::Held),
                ("temporary, random", made, Is::Held),
                ("older than the scheme", of("AKIA", &format!("I{}", &body[1..])), Is::Unknown),
                ("a role, not a key", of("AROA", &body), Is::Failed),
                ("account out of range", of("AKIA", &"7".repeat(16)), Is::Failed),
                ("not base32", of("AKIA", &body.replace('Z', "1")), Is::Failed),
                ("truncated", of("AKIA", &body[1..]), Is::Failed),
                ("too long", of("AKIA", &format!("{body}A")), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        let read = facts(on(&AwsKeyId, of("AKIA", &body)));
        assert_eq!(read.named["account"], "123456789012");
        assert_eq!(read.named["key-kind"], "long-term access key");
    }
}

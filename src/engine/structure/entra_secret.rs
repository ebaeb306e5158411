//! Client secrets of Microsoft Entra.

use super::crc::written;
use super::marvin::{marvin32, seed};
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `entra-secret`: in the 40-character form (`8Q~`) the last three characters are a checksum of the others. The
/// 37-character form (`7Q~`) and older ones have none.
///
/// Source: `IdentifiableSecrets.cs` in <https://github.com/microsoft/security-utilities>; reproduced with its example.
pub(super) struct EntraSecret;

/// The digits of the checksum, least first.
const DIGITS: &[u8; 66] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";

/// Characters before the checksum.
pub(crate) const BODY: usize = 37;

impl StructureCheck for EntraSecret {
    fn id(&self) -> &'static str {
        "entra-secret"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        if token.secret.get(3..6) != Some(b"8Q~") {
            return Verdict::Unknown(Facts::default());
        }
        match token.secret.split_at_checked(BODY) {
            Some((body, tail)) if tail.len() == 3 => match tail == tail_of(body) {
                true => Verdict::Holds(Facts::default()),
                false => Verdict::Fails("checksum does not match"),
            },
            _ => Verdict::Fails("not 40 characters"),
        }
    }
}

/// The three checksum characters of the 37 before them.
pub(crate) fn tail_of(body: &[u8]) -> [u8; 3] {
    let digits = written(u64::from(marvin32(body, seed(b"AadPwd00"))), DIGITS, 6);
    [digits[0], digits[1], digits[2]]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn vectors() {
        let key = format!("zzz8Q~{}blP", "z".repeat(31));
        table(
            &EntraSecret,
            &[
                ("the library's example", key.clone(), Is::Held),
                ("random", String::from_utf8(expand("<<entra-secret>>", 1).expect("known")).expect("ASCII"), Is::Held),
                ("body corrupted", format!("y{}", &key[1..]), Is::Failed),
                ("checksum corrupted", key.replace("blP", "blp"), Is::Failed),
                ("truncated", key[..39].to_owned(), Is::Failed),
                ("too long", format!("{key}z"), Is::Failed),
                ("the form without checksum", format!("zzz7Q~{}", "z".repeat(31)), Is::Unknown),
                ("empty", String::new(), Is::Unknown),
            ],
        );
    }
}

//! Four vendors whose tokens end in a CRC-32 of what stands before: Atlassian, Confluent, Grafana, Zuplo.
//!
//! Source: published samples that the sums were reproduced with (of those in public test data, about every second one
//! holds; the others are made up).

use super::crc::crc32;
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// Tokens of one vendor.
pub(super) struct CrcTail {
    /// The check's id.
    id: &'static str,
    /// What they start with.
    prefix: &'static [u8],
    /// What stands between body and checksum; for Atlassian it counts as body.
    separator: &'static [u8],
    /// Lengths of the body, prefix and separator left out, least and most.
    body: (usize, usize),
    /// The checksum of prefix, body and separator.
    sum: Sum,
}

/// The checksum characters of a prefix, a body and a separator.
type Sum = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;

/// `atlassian-crc32`: `ATATT3…=` and the CRC-32 of all that, upper-case hexadecimal.
pub(super) static ATLASSIAN: CrcTail = CrcTail {
    id: "atlassian-crc32",
    prefix: b"ATATT3",
    separator: b"=",
    body: (20, 400),
    sum: |prefix, body, separator| format!("{:08X}", crc32(&[prefix, body, separator].concat())).into_bytes(),
};

/// `confluent-crc32`: `cflt`, 54 characters, and their CRC-32, least byte first, in base64.
pub(super) static CONFLUENT: CrcTail = CrcTail {
    id: "confluent-crc32",
    prefix: b"cflt",
    separator: b"",
    body: (54, 54),
    sum: |_, body, _| b64::encode_unpadded(&crc32(body).to_le_bytes()).into_bytes(),
};

/// `grafana-crc32`: `glsa_`, 32 characters, `_` and the CRC-32 of prefix and characters, least byte first, hexadecimal.
pub(super) static GRAFANA: CrcTail = CrcTail {
    id: "grafana-crc32",
    prefix: b"glsa_",
    separator: b"_",
    body: (32, 32),
    sum: |prefix, body, _| format!("{:08x}", crc32(&[prefix, body].concat()).swap_bytes()).into_bytes(),
};

/// `zuplo-crc32`: `zpka_`, 32 characters, `_` and their CRC-32, hexadecimal.
pub(super) static ZUPLO: CrcTail = CrcTail {
    id: "zuplo-crc32",
    prefix: b"zpka_",
    separator: b"_",
    body: (32, 32),
    sum: |_, body, _| format!("{:08x}", crc32(body)).into_bytes(),
};

impl CrcTail {
    /// The token of this body.
    fn sealed(&self, body: &[u8]) -> Vec<u8> {
        [self.prefix, body, self.separator, &(self.sum)(self.prefix, body, self.separator)].concat()
    }

    /// Body and checksum of a token of the right form.
    fn parts<'a>(&self, token: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let rest = token.strip_prefix(self.prefix)?;
        // Six base64 characters, else eight hexadecimal ones.
        let width = if self.separator.is_empty() { 6 } else { 8 };
        let (body, sum) = rest.split_at_checked(rest.len().checked_sub(width)?)?;
        let body = body.strip_suffix(self.separator)?;
        (self.body.0..=self.body.1).contains(&body.len()).then_some((body, sum))
    }
}

impl StructureCheck for CrcTail {
    fn id(&self) -> &'static str {
        self.id
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        match self.parts(token.secret) {
            Some((body, sum)) if (self.sum)(self.prefix, body, self.separator) == sum => {
                Verdict::Holds(Facts::default())
            }
            Some(_) => Verdict::Fails("checksum does not match"),
            None => Verdict::Fails("prefix or length is not that of such a token"),
        }
    }
}

/// The token of `body` for the vendor whose check has this id.
pub(crate) fn sealed(id: &str, body: &[u8]) -> Option<Vec<u8>> {
    [&ATLASSIAN, &CONFLUENT, &GRAFANA, &ZUPLO]
        .into_iter()
        .find(|vendor| vendor.id == id)
        .map(|vendor| vendor.sealed(body))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn vectors() {
        for (check, head, fill, tail, template) in [
            (&ATLASSIAN, "ATATT3", format!("xFfGF0{}", "A".repeat(20)), "=733FD834", "<<atlassian>>"),
            (&CONFLUENT, "cflt", "A".repeat(54), "FZQbVQ", "<<confluent>>"),
            (&GRAFANA, "glsa_", "A".repeat(32), "_d8dc8af3", "<<grafana>>"),
            (&ZUPLO, "zpka_", "a".repeat(32), "_cab11777", "<<zuplo>>"),
        ] {
            let token = format!("{head}{fill}{tail}");
            let random = String::from_utf8(expand(template, 1).expect(template)).expect("ASCII");
            table(
                check,
                &[
                    ("vector", token.clone(), Is::Held),
                    ("random", random, Is::Held),
                    ("body corrupted", token.replacen(&fill, &format!("b{}", &fill[1..]), 1), Is::Failed),
                    ("checksum corrupted", format!("{}x", &token[..token.len() - 1]), Is::Failed),
                    ("truncated", token[..token.len() - 1].to_owned(), Is::Failed),
                    ("too long", format!("{token}{}", "0".repeat(400)), Is::Failed),
                    ("prefix only", head.to_owned(), Is::Failed),
                    ("empty", String::new(), Is::Failed),
                ],
            );
        }
    }
}

//! Seeds of NATS' nkeys: Ed25519 keys in base32 with their kind in front and a checksum behind.

use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// Length of a seed in characters: two bytes of kind, 32 of seed and two of checksum in unpadded base32.
pub(crate) const LENGTH: usize = 58;

/// First byte of a seed without the bits of its kind: `S` as the first character.
const SEED: u8 = 18 << 3;

/// Kinds that have seeds: account, cluster, server (node), operator, user, curve.
const KINDS: [u8; 6] = [0, 2 << 3, 13 << 3, 14 << 3, 20 << 3, 23 << 3];

/// `nkey`: 36 bytes in base32: the mark of a seed with a known kind, 32 bytes, and the CRC-16/XMODEM of those 34 with the
/// low byte first.
///
/// Source: <https://github.com/nats-io/nkeys> (README and the layout of encoded seeds; from general knowledge of the
/// format).
pub(super) struct Nkey;

impl StructureCheck for Nkey {
    fn id(&self) -> &'static str {
        "nkey"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        if token.secret.len() != LENGTH {
            return Verdict::Fails("not the length of a seed");
        }
        let Some(bytes) = decoded(token.secret) else {
            return Verdict::Fails("not base32");
        };
        let Some((body, tail)) = bytes.split_last_chunk::<2>() else {
            return Verdict::Fails("not the length of a seed");
        };
        // The kind's upper three bits end the first byte, its lower five begin the second.
        let kind = body[0] << 5 | body[1] >> 3;
        if body[0] & 0b1111_1000 != SEED || body[1] & 0b111 != 0 || !KINDS.contains(&kind) {
            return Verdict::Fails("not the mark of a seed");
        }
        match crc16(body) == u16::from_le_bytes(*tail) {
            true => Verdict::Holds(Facts::default()),
            false => Verdict::Fails("checksum does not match"),
        }
    }
}

/// CRC-16/XMODEM: polynomial 0x1021, start 0, not reflected.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

/// The bytes of unpadded base32 (RFC 4648 section 6, upper case), bits left over at the end dropped.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len() * 5 / 8), 0_u32, 0_u32);
    for byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// The seed of this kind's prefix byte (`20 << 3` for a user) around 32 bytes: for specimens and tests.
pub(crate) fn sealed(kind: u8, seed: &[u8; 32]) -> Vec<u8> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = vec![SEED | kind >> 5, kind << 3];
    bytes.extend_from_slice(seed);
    bytes.extend_from_slice(&crc16(&bytes).to_le_bytes());
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    (0..LENGTH).map(|at| DIGITS[(0..5).fold(0, |digit, step| digit << 1 | usize::from(bit(at * 5 + step)))]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, table};
    use super::*;
    use crate::specimen::random::Random;

    fn seed(kind: u8) -> String {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&Random::new(5).bytes(32));
        String::from_utf8(sealed(kind, &bytes)).expect("base32 is ASCII")
    }

    #[test]
    fn seeds() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the check value of the CRC catalogue");
        let user = seed(20 << 3);
        assert!(user.starts_with("SUA") && user.len() == LENGTH);
        let swapped = format!("{}{}{}", &user[..20], if &user[20..21] == "B" { "C" } else { "B" }, &user[21..]);
        table(
            &Nkey,
            &[
                ("a user", user.clone(), Is::Held),
                ("an account", seed(0), Is::Held),
                ("an operator", seed(14 << 3), Is::Held),
                ("a kind that isn't one", seed(3 << 3), Is::Failed),
                ("one character changed", swapped, Is::Failed),
                ("lower case", user.to_lowercase(), Is::Failed),
                ("not a seed", user.replacen('S', "U", 1), Is::Failed),
                ("truncated", user[..57].to_owned(), Is::Failed),
                ("too long", format!("{user}A"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }
}

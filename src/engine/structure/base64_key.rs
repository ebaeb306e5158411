//! Keys that are nothing but random bytes in base64.

use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `base64-key`: decodes to 16 bytes or more that aren't text and not a few values over and over.
pub(super) struct Base64Key;

/// Fewest bytes: 128 bits, the least that services issue as a symmetric key.
const SHORTEST: usize = 16;

impl StructureCheck for Base64Key {
    fn id(&self) -> &'static str {
        "base64-key"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some(bytes) = b64::either(token.secret) else {
            return Verdict::Fails("not base64");
        };
        if bytes.len() < SHORTEST {
            return Verdict::Fails("fewer than 16 bytes");
        }
        // A byte of a random key is printable with 37 %; 16 of them are nine tenths printable once in 250 000 keys,
        // longer ones even less.
        let printable = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')).count();
        if printable * 10 >= bytes.len() * 9 || is_other_text(&bytes) {
            return Verdict::Fails("decodes to text");
        }
        let mut seen = [false; 256];
        bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        // 16 random bytes have 15.5 different values on average, and under 8 practically never.
        if seen.iter().filter(|seen| **seen).count() < 8 {
            return Verdict::Fails("a few values over and over");
        }
        Verdict::Holds(Facts::default())
    }
}

/// Whether `bytes` are UTF-8 without control characters, or UTF-16 of ASCII text in either order.
fn is_other_text(bytes: &[u8]) -> bool {
    let utf_8 =
        std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).all(|byte| *byte == 0);
    utf_8 || zeros(0) || zeros(1)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 2).expect(template)).expect("ASCII")
    }

    #[test]
    fn keys() {
        let good = made("<<bytes64:64>>");
        table(
            &Base64Key,
            &[
                ("64 bytes", good.clone(), Is::Held),
                ("16 bytes", made("<<bytes64:16>>"), Is::Held),
                ("URL alphabet", good.replace('+', "-").replace('/', "_"), Is::Held),
                ("truncated", made("<<bytes64:15>>"), Is::Failed),
                ("corrupted", good.replacen(&good[..1], "!", 1), Is::Failed),
                ("one character too long", format!("{}A", made("<<bytes64:24>>")), Is::Failed),
                ("text", b64::encode(b"a sentence is not a key"), Is::Failed),
                ("other text", b64::encode("späße und grüße über überall".as_bytes()), Is::Failed),
                (
                    "UTF-16",
                    b64::encode(&[b'k', 0, b'e', 0, b'y', 0, b'k', 0, b'e', 0, b'y', 0, b'k', 0, b'e', 0]),
                    Is::Failed,
                ),
                ("zeros", b64::encode(&[0x80; 32]), Is::Failed),
                ("hexadecimal decodes, but is hexadecimal of words", "abcd".repeat(3), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn random_keys_pass() {
        for seed in 0..500 {
            let key = expand("<<bytes64:16>>", seed).expect("known");
            assert!(matches!(super::super::testing::on(&Base64Key, key), Verdict::Holds(_)), "seed {seed}");
        }
    }
}

//! Personal access tokens of Azure DevOps.

use super::crc::crc32;
use super::fact::note;
use super::{StructureCheck, Token, Verdict, cask};
use crate::finding::Facts;

/// `azdo-pat`: 52 base32 characters with a CRC-32 spread among their bytes, or an 84-character annotated key.
///
/// Source: `SEC101_102_AdoPat.cs` in <https://github.com/microsoft/security-utilities>; reproduced with a public sample.
pub(super) struct AzdoPat;

/// What the CRC of a user's token is xored with.
pub(crate) const USER: u32 = 0xe0b9_692d;
/// What the CRC of an application's token is xored with.
const APPLICATION: u32 = 0x1019_f92e;

/// Where the bytes of the checksum lie, least significant first.
const CHECKSUM_AT: [usize; 4] = [22, 8, 7, 2];

impl StructureCheck for AzdoPat {
    fn id(&self) -> &'static str {
        "azdo-pat"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        match token.secret.len() {
            84 if &token.secret[76..80] == b"AZDO" => cask::check(token.secret),
            84 => Verdict::Fails("annotated for another service"),
            52 => short(token.secret),
            _ => Verdict::Fails("neither 52 nor 84 characters"),
        }
    }
}

/// Checks the 52-character form.
fn short(text: &[u8]) -> Verdict {
    let Some(bytes) = base32(text) else {
        return Verdict::Fails("not lower-case base32");
    };
    let stated = u32::from_le_bytes(CHECKSUM_AT.map(|at| bytes[at]));
    let kind = match stated ^ checksum(&bytes) {
        USER => "user",
        APPLICATION => "application",
        _ => return Verdict::Fails("checksum does not match"),
    };
    let mut facts = Facts::default();
    note(&mut facts, "key-kind", kind);
    Verdict::Holds(facts)
}

/// CRC-32 of the bytes that aren't the checksum.
fn checksum(bytes: &[u8; 32]) -> u32 {
    let token: Vec<u8> = (0..32).filter(|at| !CHECKSUM_AT.contains(at)).map(|at| bytes[at]).collect();
    crc32(&token)
}

/// `bytes` with the checksum of a user's token put in.
pub(crate) fn sealed(mut bytes: [u8; 32]) -> [u8; 32] {
    let sum = (checksum(&bytes) ^ USER).to_le_bytes();
    for (at, byte) in CHECKSUM_AT.into_iter().zip(sum) {
        bytes[at] = byte;
    }
    bytes
}

/// The 32 bytes of 52 base32 characters; four bits are left over.
fn base32(text: &[u8]) -> Option<[u8; 32]> {
    let mut bits = Vec::with_capacity(260);
    for byte in text {
        let digit = match byte {
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits.extend((0..5).rev().map(|at| digit >> at & 1));
    }
    let bytes: Vec<u8> = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    bytes.try_into().ok()
}

/// The 52 lower-case base32 characters of 32 bytes.
pub(crate) fn base32_of(bytes: &[u8; 32]) -> Vec<u8> {
    let mut bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    bits.resize(260, 0);
    let digits = b"abcdefghijklmnopqrstuvwxyz234567";
    bits.chunks_exact(5).map(|bits| digits[usize::from(bits.iter().fold(0u8, |digit, bit| digit << 1 | bit))]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn vectors() {
        let token = format!("{}{}", "ceiwaeircei5h3qrceirceirce", "irceirceirqeirceirceirceiq");
        let annotated = format!("{}JQQJ99AE{}AZDO2TnI", "a".repeat(52), "A".repeat(16));
        let made = |template: &str| String::from_utf8(expand(template, 1).expect(template)).expect("ASCII");
        table(
            &AzdoPat,
            &[
                ("all bytes 0x11", token.clone(), Is::Held),
                ("random", made("<<azdo-pat>>"), Is::Held),
                ("annotated", annotated.clone(), Is::Held),
                ("annotated, random", made("<<cask:AZDO>>"), Is::Held),
                ("annotated for Maps", made("<<cask:AZMP>>"), Is::Failed),
                ("body corrupted", format!("d{}", &token[1..]), Is::Failed),
                ("annotated, corrupted", format!("b{}", &annotated[1..]), Is::Failed),
                ("upper case", token.to_uppercase(), Is::Failed),
                ("truncated", token[..51].to_owned(), Is::Failed),
                ("too long", format!("{token}a"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        assert_eq!(facts(on(&AzdoPat, &token)).named["key-kind"], "user");
        assert!(facts(on(&AzdoPat, &annotated)).created.is_some());
    }

    #[test]
    fn applications_tokens_are_told_apart() {
        let mut bytes = sealed([0x11; 32]);
        let sum = (checksum(&bytes) ^ APPLICATION).to_le_bytes();
        for (at, byte) in CHECKSUM_AT.into_iter().zip(sum) {
            bytes[at] = byte;
        }
        assert_eq!(facts(on(&AzdoPat, base32_of(&bytes))).named["key-kind"], "application");
    }
}

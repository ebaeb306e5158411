//! OpenPGP secret keys: kind, creation time, passphrase.
//!
//! Source: RFC 9580 sections 4.2, 5.5, 6 and 9.1.

use super::armor::Block;
use super::fact::epoch;
use super::ssh::bits;
use super::{Verdict, b64};
use crate::finding::Facts;

/// Checks an armoured secret key block: the armour's own checksum, where there is one, and the first packet.
pub(super) fn check(block: &Block) -> Verdict {
    let mut pieces = block.pieces.as_slice();
    let mut stated = None;
    if let [before @ .., last] = pieces
        && let Some(tail) = last.strip_prefix(b"=").filter(|tail| tail.len() == 4)
    {
        (pieces, stated) = (before, b64::standard(tail));
    }
    let Some(bytes) = b64::standard(&pieces.concat()).filter(|bytes| !bytes.is_empty()) else {
        return Verdict::Fails("body is not base64");
    };
    if stated.is_some_and(|stated| stated != crc24(&bytes).to_be_bytes()[1..]) {
        return Verdict::Fails("checksum does not match");
    }
    match secret_key(&bytes) {
        Some(facts) => Verdict::Holds(facts),
        None => Verdict::Fails("does not start with a secret key packet"),
    }
}

/// CRC-24 of the armour (RFC 9580 section 6.1.1).
pub(crate) fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 16, |crc, _| {
            let shifted = crc << 1;
            if shifted & 0x0100_0000 == 0 { shifted } else { (shifted ^ 0x0186_4cfb) & 0x00ff_ffff }
        })
    })
}

/// Reads the packet at the start of `bytes` if it is a secret key or subkey.
fn secret_key(bytes: &[u8]) -> Option<Facts> {
    let mut packet = Packet(packet(bytes)?);
    let version = packet.byte()?;
    let mut facts = Facts { created: epoch(i64::from(packet.number()?)), ..Facts::default() };
    if version == 3 {
        packet.skip(2)?;
    } else if !(4..=6).contains(&version) {
        return None;
    }
    let algorithm = packet.byte()?;
    if version > 4 {
        packet.number()?;
    }
    let kind = match algorithm {
        1..=3 => {
            let modulus = packet.integer()?;
            packet.integer()?;
            format!("rsa-{}", bits(modulus))
        }
        16 => {
            let prime = packet.integer()?;
            packet.integer().and(packet.integer())?;
            format!("elgamal-{}", bits(prime))
        }
        17 => {
            let prime = packet.integer()?;
            packet.integer().and(packet.integer()).and(packet.integer())?;
            format!("dsa-{}", bits(prime))
        }
        18 | 19 | 22 => {
            let length = packet.byte()?;
            packet.skip(usize::from(length))?;
            packet.integer()?;
            if algorithm == 18 {
                let length = packet.byte()?;
                packet.skip(usize::from(length))?;
            }
            ["ecdh", "ecdsa", "", "", "ed25519"][usize::from(algorithm) - 18].to_owned()
        }
        25 | 27 => {
            packet.skip(32)?;
            if algorithm == 25 { "x25519".to_owned() } else { "ed25519".to_owned() }
        }
        28 => {
            packet.skip(57)?;
            "ed448".to_owned()
        }
        _ => return Some(facts),
    };
    facts.named.insert("key-kind".into(), kind);
    let usage = packet.byte()?;
    facts.named.insert("encrypted".into(), if usage == 0 { "no" } else { "yes" }.to_owned());
    Some(facts)
}

/// The content of a secret key (5) or secret subkey (7) packet at the start of `bytes`.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    let mut rest = Packet(rest);
    let (tag, length) = if first & 0xc0 == 0xc0 {
        let length = match rest.byte()? {
            short @ 0..192 => u32::from(short),
            high @ 192..224 => ((u32::from(high) - 192) << 8) + u32::from(rest.byte()?) + 192,
            255 => rest.number()?,
            // Partial lengths are for data packets alone.
            _ => return None,
        };
        (first & 0x3f, length)
    } else if first & 0x80 != 0 {
        let length = match first & 3 {
            0 => u32::from(rest.byte()?),
            1 => u32::from(rest.byte()?) << 8 | u32::from(rest.byte()?),
            2 => rest.number()?,
            _ => return None,
        };
        (first >> 2 & 0x0f, length)
    } else {
        return None;
    };
    let content = rest.0.get(..usize::try_from(length).ok()?)?;
    matches!(tag, 5 | 7).then_some(content)
}

/// What is left of a packet.
struct Packet<'a>(&'a [u8]);

impl<'a> Packet<'a> {
    /// The next byte.
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// The next 32-bit number.
    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// The next multiprecision integer (RFC 9580 section 3.2), which states its length in bits.
    fn integer(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (number, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).div_ceil(8))?;
        self.0 = rest;
        Some(number)
    }

    /// Leaves out `count` bytes.
    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_24_check_value() {
        // The check value that the CRC catalogue gives for CRC-24/OPENPGP.
        assert_eq!(crc24(b"123456789"), 0x21_cf02);
    }
}

//! Password-based keys and ciphers of PKCS#12 and PKCS#5, to tell what opens without a password. Only ever tried with the
//! empty one: nothing is guessed.
//!
//! Source: RFC 7292 appendix B and C, RFC 8018 sections 5.2 and 6.2, RFC 2268 (RC2).

use aes::cipher::{Block, BlockCipherDecrypt, BlockSizeUser, KeyInit};
use hmac::{Hmac, Mac};
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::der::{Der, INTEGER, OCTET_STRING, OID, SEQUENCE};

/// The empty password: as UTF-16 with its end mark, and as nothing at all. Programs differ.
pub(crate) const EMPTY: [&[u8]; 2] = [&[0, 0], &[]];

/// Most rounds that are computed. Common are 2,000 to 10,000; what takes more is left alone, so that no file costs more
/// than some 20 ms.
const MOST_ROUNDS: u32 = 20_000;

/// Longest data that is decrypted, in bytes.
const LONGEST: usize = 64 << 10;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The function of this object identifier.
    pub(crate) fn of(oid: &[u8]) -> Option<Self> {
        match oid {
            [0x2b, 0x0e, 3, 2, 0x1a] => Some(Self::Sha1),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Some(Self::Sha256),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(Self::Sha384),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Length of its values, in bytes.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Length of the blocks it works on, in bytes.
    fn block(self) -> usize {
        if matches!(self, Self::Sha384 | Self::Sha512) { 128 } else { 64 }
    }

    fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => digest::<Sha1>(parts),
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }

    /// The message authentication code of `text`.
    pub(crate) fn hmac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        const KEY: &str = "HMAC takes keys of any length";
        match self {
            Self::Sha1 => {
                Hmac::<Sha1>::new_from_slice(key).expect(KEY).chain_update(text).finalize().into_bytes().to_vec()
            }
            Self::Sha256 => {
                Hmac::<Sha256>::new_from_slice(key).expect(KEY).chain_update(text).finalize().into_bytes().to_vec()
            }
            Self::Sha384 => {
                Hmac::<Sha384>::new_from_slice(key).expect(KEY).chain_update(text).finalize().into_bytes().to_vec()
            }
            Self::Sha512 => {
                Hmac::<Sha512>::new_from_slice(key).expect(KEY).chain_update(text).finalize().into_bytes().to_vec()
            }
        }
    }
}

/// The hash of all parts, one after the other.
fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(D::new(), |hash, part| hash.chain_update(part)).finalize().to_vec()
}

/// A number of rounds, if it is one that we compute.
pub(super) fn rounds(number: &[u8]) -> Option<u32> {
    let value = number.iter().try_fold(0u32, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()))?;
    (1..=MOST_ROUNDS).contains(&value).then_some(value)
}

/// `length` bytes for the purpose `id` (1 key, 2 initial vector, 3 code) after PKCS#12.
pub(crate) fn derive(hash: Hash, id: u8, password: &[u8], salt: &[u8], rounds: u32, length: usize) -> Vec<u8> {
    let block = hash.block();
    let filled =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().cycle().take(block * bytes.len().div_ceil(block)).collect() };
    let diversifier = vec![id; block];
    let mut input = [filled(&salt[..salt.len().min(1024)]), filled(password)].concat();
    let mut out = Vec::with_capacity(length + hash.len());
    while out.len() < length {
        let mut value = hash.digest(&[&diversifier, &input]);
        for _ in 1..rounds {
            value = hash.digest(&[&value]);
        }
        let addend: Vec<u8> = value.iter().copied().cycle().take(block).collect();
        for piece in input.chunks_exact_mut(block) {
            let mut carry = 1u16;
            for (byte, more) in piece.iter_mut().zip(&addend).rev() {
                carry += u16::from(*byte) + u16::from(*more);
                *byte = carry as u8;
                carry >>= 8;
            }
        }
        out.extend_from_slice(&value);
    }
    out.truncate(length);
    out
}

/// `length` bytes after PBKDF2.
fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], rounds: u32, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + hash.len());
    for number in 1u32.. {
        if out.len() >= length {
            break;
        }
        let mut last = hash.hmac(password, &[salt, &number.to_be_bytes()].concat());
        let mut sum = last.clone();
        for _ in 1..rounds {
            last = hash.hmac(password, &last);
            sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        out.extend_from_slice(&sum);
    }
    out.truncate(length);
    out
}

/// What PKCS#12's own schemes begin with; the last byte tells them apart.
const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
/// `PBES2`.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
/// `PBKDF2`.
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
/// What the codes for PBKDF2 begin with; the last byte tells them apart.
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];
/// What AES's object identifiers begin with.
const AES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];

/// `data` decrypted, if the algorithm is one that we know and the padding holds.
pub(super) fn decrypt(mut algorithm: Der<'_>, password: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    if data.len() > LONGEST {
        return None;
    }
    let oid = algorithm.take(OID)?;
    let mut parameters = algorithm.enter(SEQUENCE)?;
    if oid == PBES2 {
        return pbes2(parameters, password, data);
    }
    let kind = oid.strip_prefix(PKCS12)?;
    let (salt, rounds) = (parameters.take(OCTET_STRING)?, rounds(parameters.take(INTEGER)?)?);
    let of = |id, length| derive(Hash::Sha1, id, password, salt, rounds, length);
    let vector = of(2, 8);
    match kind {
        [3] => cbc(&des::TdesEde3::new_from_slice(&of(1, 24)).ok()?, &vector, data),
        [4] => cbc(&des::TdesEde2::new_from_slice(&of(1, 16)).ok()?, &vector, data),
        [5] => cbc(&Rc2::new_with_eff_key_len(&of(1, 16), 128), &vector, data),
        [6] => cbc(&Rc2::new_with_eff_key_len(&of(1, 5), 40), &vector, data),
        _ => None,
    }
}

/// Under PBES2: PBKDF2 and AES.
fn pbes2(mut parameters: Der<'_>, password: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let (mut derivation, mut cipher) = (parameters.enter(SEQUENCE)?, parameters.enter(SEQUENCE)?);
    derivation.take(OID).filter(|oid| *oid == PBKDF2)?;
    let mut derivation = derivation.enter(SEQUENCE)?;
    let (salt, rounds) = (derivation.take(OCTET_STRING)?, rounds(derivation.take(INTEGER)?)?);
    derivation.take(INTEGER);
    let hash = match derivation.enter(SEQUENCE) {
        None => Hash::Sha1,
        Some(mut code) => match code.take(OID)?.strip_prefix(HMAC)? {
            [7] => Hash::Sha1,
            [9] => Hash::Sha256,
            [11] => Hash::Sha512,
            _ => return None,
        },
    };
    let kind = cipher.take(OID)?.strip_prefix(AES)?;
    let vector = cipher.take(OCTET_STRING).filter(|vector| vector.len() == 16)?;
    // Here passwords are plain text, and the empty one has but one form.
    let password = if password == EMPTY[0] { &[] } else { password };
    let of = |length| pbkdf2(hash, password, salt, rounds, length);
    match kind {
        [2] => cbc(&aes::Aes128::new_from_slice(&of(16)).ok()?, vector, data),
        [22] => cbc(&aes::Aes192::new_from_slice(&of(24)).ok()?, vector, data),
        [42] => cbc(&aes::Aes256::new_from_slice(&of(32)).ok()?, vector, data),
        _ => None,
    }
}

/// `data` out of cipher block chaining (RFC 8018 appendix B.2), its padding taken off.
fn cbc<C: BlockCipherDecrypt + BlockSizeUser>(cipher: &C, vector: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let size = vector.len();
    if data.is_empty() || !data.len().is_multiple_of(size) {
        return None;
    }
    let mut out = Vec::with_capacity(data.len());
    let mut before = vector;
    for piece in data.chunks_exact(size) {
        let mut block = Block::<C>::try_from(piece).ok()?;
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(before).map(|(byte, last)| byte ^ last));
        before = piece;
    }
    let padding = usize::from(*out.last()?);
    let fits =
        (1..=size).contains(&padding) && out[out.len() - padding..].iter().all(|byte| usize::from(*byte) == padding);
    out.truncate(out.len() - if fits { padding } else { 0 });
    fits.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    /// S. Henson's vectors for PKCS#12, as OpenSSL's and GnuTLS's tests have them, those of RFC 6070, and one that Python's
    /// hashlib gives.
    #[test]
    fn vectors() {
        let one =
            |id, length| derive(Hash::Sha1, id, &hex("0073006D006500670000"), &hex("0A58CF64530D823F"), 1, length);
        assert_eq!(one(1, 24), hex("8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3"));
        assert_eq!(one(2, 8), hex("79993DFE048D3B76"));
        let two = |hash, length| pbkdf2(hash, b"password", b"salt", 2, length);
        assert_eq!(two(Hash::Sha1, 20), hex("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"));
        let expected = "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43830651afcb5c862f";
        assert_eq!(two(Hash::Sha256, 40), hex(expected));
    }

    #[test]
    fn rounds_are_bounded() {
        assert_eq!(rounds(&[8, 0]), Some(2048));
        for refused in [[].as_slice(), &[0], &[0xff, 0xff, 0xff], &[1, 0, 0, 0, 0]] {
            assert_eq!(rounds(refused), None);
        }
    }
}

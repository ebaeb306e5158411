//! Private keys in DER: PKCS#1, SEC1, DSA, PKCS#8 and encrypted PKCS#8, told apart by their structure.
//!
//! Source: RFC 8017 appendix A.1.2, RFC 5915, RFC 5958, RFC 8410, OpenSSL's `d2i_DSAPrivateKey`.

use super::der::{BIT_STRING, Der, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::fact::note;
use super::ssh::{bits, fingerprint, mpint, wire};
use crate::finding::Facts;

/// What is known of a private key without its private part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// `rsa-2048`, `ecdsa-p256`, `ed25519`, …
    pub(super) kind: Option<String>,
    /// Whether a passphrase protects it.
    pub(super) encrypted: bool,
    /// The public key in SSH wire form.
    pub(super) public: Option<Vec<u8>>,
    /// The comment in it, most often `user@host`.
    pub(super) comment: Option<String>,
}

impl Key {
    /// What reports say of it.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        note(&mut facts, "key-kind", self.kind.as_deref().unwrap_or_default());
        note(&mut facts, "encrypted", if self.encrypted { "yes" } else { "no" });
        note(&mut facts, "public-key-fingerprint", self.public.as_deref().map(fingerprint).unwrap_or_default());
        note(&mut facts, "comment", self.comment.as_deref().unwrap_or_default());
        facts
    }
}

/// The outermost value goes past the end.
const CUT: &str = "key data is cut off";
/// None of the structures that we know.
const NOT_A_KEY: &str = "not the structure of a private key";

/// Reads a DER private key of any of the five structures.
///
/// # Errors
/// What is wrong with it, in one clause.
pub(super) fn read(bytes: &[u8]) -> Result<Key, &'static str> {
    let mut outer = Der::new(bytes);
    if outer.peek() != Some(SEQUENCE) {
        return Err(NOT_A_KEY);
    }
    let fields = outer.enter(SEQUENCE).ok_or(CUT)?;
    if !outer.is_empty() {
        return Err("data after the key");
    }
    match fields.peek() {
        Some(SEQUENCE) => encrypted(fields),
        Some(INTEGER) => {
            let mut behind = fields;
            behind.take(INTEGER);
            match behind.peek() {
                Some(SEQUENCE) => pkcs8(fields),
                Some(OCTET_STRING) => sec1(fields, None),
                Some(INTEGER) => integers(fields),
                _ => Err(NOT_A_KEY),
            }
        }
        _ => Err(NOT_A_KEY),
    }
}

/// `EncryptedPrivateKeyInfo`: algorithm and octets.
fn encrypted(mut fields: Der<'_>) -> Result<Key, &'static str> {
    let mut algorithm = fields.enter(SEQUENCE).ok_or(NOT_A_KEY)?;
    algorithm.take(OID).ok_or(NOT_A_KEY)?;
    let data = fields.take(OCTET_STRING).ok_or(NOT_A_KEY)?;
    if data.is_empty() || !fields.is_empty() {
        return Err(NOT_A_KEY);
    }
    Ok(Key { encrypted: true, ..Key::default() })
}

/// `RSAPrivateKey` (nine integers, or more with further primes) or OpenSSL's DSA key (six).
fn integers(mut fields: Der<'_>) -> Result<Key, &'static str> {
    let mut numbers = Vec::new();
    while let Some(number) = fields.take(INTEGER) {
        if number.is_empty() || numbers.len() == 9 {
            return Err(NOT_A_KEY);
        }
        numbers.push(number);
    }
    match numbers.as_slice() {
        // Further primes follow as a sequence.
        [_, n, e, ..] if numbers.len() == 9 && (fields.is_empty() || fields.enter(SEQUENCE).is_some()) => rsa(n, e),
        [_, p, q, g, y, _] if fields.is_empty() => {
            let public = wire(&[b"ssh-dss", &mpint(p), &mpint(q), &mpint(g), &mpint(y)]);
            Ok(Key { kind: Some(format!("dsa-{}", bits(p))), public: Some(public), ..Key::default() })
        }
        _ => Err(NOT_A_KEY),
    }
}

/// An RSA key by its public numbers.
fn rsa(n: &[u8], e: &[u8]) -> Result<Key, &'static str> {
    // 256 bits were the least ever sold; an even modulus has a factor that everyone knows.
    if bits(n) < 256 || bits(e) < 2 || n.last().is_none_or(|last| last % 2 == 0) {
        return Err("numbers are not those of an RSA key");
    }
    let public = wire(&[b"ssh-rsa", &mpint(e), &mpint(n)]);
    Ok(Key { kind: Some(format!("rsa-{}", bits(n))), public: Some(public), ..Key::default() })
}

/// `ECPrivateKey`; the curve stands in it or, inside PKCS#8, in the `outer` algorithm.
fn sec1(mut fields: Der<'_>, outer: Option<&[u8]>) -> Result<Key, &'static str> {
    if fields.take(INTEGER) != Some(&[1]) {
        return Err(NOT_A_KEY);
    }
    let private = fields.take(OCTET_STRING).ok_or(NOT_A_KEY)?;
    if private.is_empty() {
        return Err(NOT_A_KEY);
    }
    let inner = fields.enter(0xa0).and_then(|mut parameters| parameters.take(OID));
    let point = fields.enter(0xa1).and_then(|mut value| value.take(BIT_STRING));
    if !fields.is_empty() {
        return Err(NOT_A_KEY);
    }
    let Some(curve) = outer.or(inner).and_then(|oid| CURVES.iter().find(|curve| curve.oid == oid)) else {
        // Parameters written out, or a curve that we have no name for.
        return Ok(Key { kind: Some("ecdsa".to_owned()), ..Key::default() });
    };
    // Some tools write it as they write a positive `INTEGER`, with a zero in front; OpenSSL reads that.
    let significant = private.iter().skip_while(|byte| **byte == 0).count();
    if significant > curve.size {
        return Err("private number is longer than its curve");
    }
    // SSH knows uncompressed points only (RFC 5656 section 3.1); the first byte counts unused bits.
    let public = point
        .and_then(|point| point.strip_prefix(&[0]))
        .filter(|point| point.first() == Some(&4) && point.len() == 1 + 2 * curve.size)
        .zip(curve.ssh)
        .map(|(point, name)| wire(&[format!("ecdsa-sha2-{name}").as_bytes(), name.as_bytes(), point]));
    Ok(Key { kind: Some(format!("ecdsa-{}", curve.name)), public, ..Key::default() })
}

/// A named curve.
struct Curve {
    /// Content of its object identifier.
    oid: &'static [u8],
    /// Our name.
    name: &'static str,
    /// SSH's name, for the three curves that SSH has.
    ssh: Option<&'static str>,
    /// Bytes of a coordinate.
    size: usize,
}

/// The curves we can name (SEC 2 version 2 appendix A, RFC 5639 section 3).
const CURVES: &[Curve] = &[
    Curve { oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], name: "p256", ssh: Some("nistp256"), size: 32 },
    Curve { oid: &[0x2b, 0x81, 4, 0, 0x22], name: "p384", ssh: Some("nistp384"), size: 48 },
    Curve { oid: &[0x2b, 0x81, 4, 0, 0x23], name: "p521", ssh: Some("nistp521"), size: 66 },
    Curve { oid: &[0x2b, 0x81, 4, 0, 0x21], name: "p224", ssh: None, size: 28 },
    Curve { oid: &[0x2b, 0x81, 4, 0, 0x0a], name: "secp256k1", ssh: None, size: 32 },
    Curve { oid: &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], name: "brainpool256", ssh: None, size: 32 },
    Curve { oid: &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 0x0b], name: "brainpool384", ssh: None, size: 48 },
    Curve { oid: &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 0x0d], name: "brainpool512", ssh: None, size: 64 },
];

/// `rsaEncryption`.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// `id-RSASSA-PSS`.
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a];
/// `id-ecPublicKey`.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// `id-dsa`.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
/// `id-Ed25519`.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// Algorithms of which no more than the name is read (RFC 8410, PKCS#3, FIPS 203 and 204).
const BY_NAME: &[(&[u8], &str)] = &[
    (&[0x2b, 0x65, 0x6e], "x25519"),
    (&[0x2b, 0x65, 0x6f], "x448"),
    (&[0x2b, 0x65, 0x71], "ed448"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1], "dh"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11], "ml-dsa-44"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x12], "ml-dsa-65"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x13], "ml-dsa-87"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 1], "ml-kem-512"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2], "ml-kem-768"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 3], "ml-kem-1024"),
];

/// The public key of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) in SSH wire form, where SSH has one.
pub(super) fn public(mut fields: Der<'_>) -> Option<Vec<u8>> {
    let mut algorithm = fields.enter(SEQUENCE)?;
    let oid = algorithm.take(OID)?;
    let bits = fields.take(BIT_STRING)?.strip_prefix(&[0])?;
    match oid {
        RSA | RSA_PSS => {
            let mut numbers = Der::new(bits).enter(SEQUENCE)?;
            let (n, e) = (numbers.take(INTEGER)?, numbers.take(INTEGER)?);
            Some(wire(&[b"ssh-rsa", &mpint(e), &mpint(n)]))
        }
        EC => {
            let oid = algorithm.take(OID)?;
            let name = CURVES.iter().find(|curve| curve.oid == oid)?.ssh?;
            let point = Some(bits).filter(|point| point.first() == Some(&4))?;
            Some(wire(&[format!("ecdsa-sha2-{name}").as_bytes(), name.as_bytes(), point]))
        }
        ED25519 => Some(wire(&[b"ssh-ed25519", bits])),
        _ => None,
    }
}

/// `PrivateKeyInfo` or `OneAsymmetricKey`.
fn pkcs8(mut fields: Der<'_>) -> Result<Key, &'static str> {
    if !matches!(fields.take(INTEGER), Some(&[0 | 1])) {
        return Err(NOT_A_KEY);
    }
    let mut algorithm = fields.enter(SEQUENCE).ok_or(NOT_A_KEY)?;
    let oid = algorithm.take(OID).ok_or(NOT_A_KEY)?;
    let private = fields.take(OCTET_STRING).ok_or(NOT_A_KEY)?;
    fields.take(0xa0);
    let public = fields.take(0x81);
    if private.is_empty() || !fields.is_empty() {
        return Err(NOT_A_KEY);
    }
    let inner = || Der::new(private).enter(SEQUENCE).ok_or("inner key is not a sequence");
    match oid {
        RSA | RSA_PSS => match integers(inner()?)? {
            key if key.kind.as_deref().is_some_and(|kind| kind.starts_with("rsa")) => Ok(key),
            _ => Err(NOT_A_KEY),
        },
        EC => sec1(inner()?, algorithm.take(OID)),
        DSA => {
            let prime = algorithm.enter(SEQUENCE).and_then(|mut numbers| numbers.take(INTEGER)).ok_or(NOT_A_KEY)?;
            Der::new(private).take(INTEGER).ok_or(NOT_A_KEY)?;
            Ok(Key { kind: Some(format!("dsa-{}", bits(prime))), ..Key::default() })
        }
        ED25519 => {
            if Der::new(private).take(OCTET_STRING).is_none_or(|seed| seed.len() != 32) {
                return Err("private number is not 32 bytes");
            }
            let public = public.and_then(|bits| bits.strip_prefix(&[0])).filter(|point| point.len() == 32);
            let public = public.map(|point| wire(&[b"ssh-ed25519", point]));
            Ok(Key { kind: Some("ed25519".to_owned()), public, ..Key::default() })
        }
        _ => {
            let name = BY_NAME.iter().find(|(known, _)| *known == oid).map(|(_, name)| (*name).to_owned());
            Ok(Key { kind: name, ..Key::default() })
        }
    }
}

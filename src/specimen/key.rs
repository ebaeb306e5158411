//! Private key files: right in structure down to the last length, with random numbers where a real key has related
//! ones, so that none of them signs or decrypts anything.

use super::random::Random;
use super::text::has_placeholder_word;
use crate::engine::structure::{b64, pbe, pgp, pkcs12_file as pfx, ppk, ssh};

/// A DER value.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(0)..];
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(content);
    out
}

/// A DER `SEQUENCE`.
pub(crate) fn sequence(values: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &values.concat())
}

/// A DER `INTEGER` of a big-endian positive number.
fn integer(number: &[u8]) -> Vec<u8> {
    let digits = ssh::mpint(number);
    der(2, if digits.is_empty() { &[0] } else { &digits })
}

/// An odd number of exactly `bytes` × 8 bits.
fn odd(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut number = random.bytes(bytes);
    number[0] |= 0x80;
    number[bytes - 1] |= 1;
    number
}

/// PKCS#1, 2048 bits.
fn rsa(random: &mut Random) -> Vec<u8> {
    let mut values = vec![integer(&[0]), integer(&odd(random, 256)), integer(&[1, 0, 1])];
    for bytes in [256, 128, 128, 128, 128, 128] {
        values.push(integer(&odd(random, bytes)));
    }
    sequence(&values)
}

/// SEC1 on P-256 with a random "point" that most likely isn't on the curve.
fn ec(random: &mut Random) -> Vec<u8> {
    let point = [&[0, 4], random.bytes(64).as_slice()].concat();
    let curve = der(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
    sequence(&[integer(&[1]), der(4, &random.bytes(32)), der(0xa0, &curve), der(0xa1, &der(3, &point))])
}

/// OpenSSL's DSA, 1024 bits.
fn dsa(random: &mut Random) -> Vec<u8> {
    let mut values = vec![integer(&[0])];
    for bytes in [128, 20, 128, 128, 20] {
        values.push(integer(&odd(random, bytes)));
    }
    sequence(&values)
}

/// PKCS#8 with an RSA key.
fn pkcs8(random: &mut Random) -> Vec<u8> {
    let algorithm = sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), der(5, &[])]);
    sequence(&[integer(&[0]), algorithm, der(4, &rsa(random))])
}

/// PKCS#8 under PBES2 with PBKDF2 and AES-256-CBC, the size of an RSA key.
fn encrypted_pkcs8(random: &mut Random) -> Vec<u8> {
    let derivation = sequence(&[
        der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0c]),
        sequence(&[der(4, &random.bytes(8)), integer(&[0x08, 0x00])]),
    ]);
    let cipher = sequence(&[der(6, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a]), der(4, &random.bytes(16))]);
    let scheme =
        sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d]), sequence(&[derivation, cipher])]);
    sequence(&[scheme, der(4, &random.bytes(1232))])
}

/// An unencrypted OpenSSH key file with an Ed25519 key.
fn openssh(random: &mut Random) -> Vec<u8> {
    let point = random.bytes(32);
    let public = ssh::wire(&[b"ssh-ed25519", &point]);
    let check = random.bytes(4);
    let keys = ssh::wire(&[b"ssh-ed25519", &point, &[random.bytes(32), point.clone()].concat(), b"keytrail@specimen"]);
    let mut private = [check.as_slice(), &check, &keys].concat();
    while private.len() % 8 != 0 {
        let last = if private.len() % 8 == keys.len() % 8 { 0 } else { *private.last().unwrap_or(&0) };
        private.push(last + 1);
    }
    [ssh::MAGIC, &ssh::wire(&[b"none", b"none", b""]), &[0, 0, 0, 1], &ssh::wire(&[&public, &private])].concat()
}

/// A PEM file for `label`, without a line end at its end; `None` for labels that have no private key.
pub(super) fn pem(random: &mut Random, label: &str) -> Option<Vec<u8>> {
    let (make, columns): (fn(&mut Random) -> Vec<u8>, usize) = match label {
        "RSA PRIVATE KEY" => (rsa, 64),
        "EC PRIVATE KEY" => (ec, 64),
        "DSA PRIVATE KEY" => (dsa, 64),
        "PRIVATE KEY" => (pkcs8, 64),
        "ENCRYPTED PRIVATE KEY" => (encrypted_pkcs8, 64),
        "OPENSSH PRIVATE KEY" => (openssh, 70),
        "PGP PRIVATE KEY BLOCK" => return Some(pgp(random)),
        _ => return None,
    };
    let body = plain_body(random, make);
    Some(format!("-----BEGIN {label}-----\n{}-----END {label}-----", wrapped(&body, columns)).into_bytes())
}

/// The base64 of what `make` makes, without a placeholder word in it.
fn plain_body(random: &mut Random, make: fn(&mut Random) -> Vec<u8>) -> String {
    loop {
        let body = b64::encode(&make(random));
        if !has_placeholder_word(body.as_bytes()) {
            return body;
        }
    }
}

/// `body` in lines of `columns` characters.
fn wrapped(body: &str, columns: usize) -> String {
    let mut out = String::with_capacity(body.len() + body.len() / columns + 1);
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % columns == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push('\n');
    out
}

/// A PKCS #12 file under `passphrase`, SHA-256 and 2,048 rounds, with an encrypted key of random bytes.
pub(super) fn pfx_file(random: &mut Random, passphrase: &str) -> Vec<u8> {
    /// Object identifiers of PKCS #7 data, of a shrouded key bag and of SHA-256.
    const DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    const BAG: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 0x0c, 0x0a, 1, 2];
    const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let content = |inside: &[u8]| sequence(&[der(6, &DATA), der(0xa0, &der(4, inside))]);
    let bag = sequence(&[der(6, &BAG), der(0xa0, &encrypted_pkcs8(random))]);
    let safe = sequence(&[content(&sequence(&[bag]))]);
    let salt = random.bytes(8);
    let code = pfx::seal(&safe, passphrase, &salt, 2048);
    let algorithm = sequence(&[der(6, &SHA256), der(5, &[])]);
    let mac = sequence(&[sequence(&[algorithm, der(4, &code)]), der(4, &salt), integer(&[0x08, 0x00])]);
    sequence(&[integer(&[3]), content(&safe), mac])
}

/// An unencrypted PuTTY key file, version 3, with an Ed25519 key.
pub(super) fn putty(random: &mut Random) -> Vec<u8> {
    fn public(random: &mut Random) -> Vec<u8> {
        ssh::wire(&[b"ssh-ed25519", &random.bytes(32)])
    }
    fn private(random: &mut Random) -> Vec<u8> {
        ssh::wire(&[&random.bytes(32)])
    }
    let [public, private] = [public, private].map(|make: fn(&mut Random) -> Vec<u8>| plain_body(random, make));
    let bytes = |body: &str| b64::standard(body.as_bytes()).unwrap_or_default();
    let fields: [&[u8]; 5] = [b"ssh-ed25519", b"none", b"keytrail-specimen", &bytes(&public), &bytes(&private)];
    let code = ppk::authentication_code(3, &fields);
    let [public, private] = [public, private].map(|body| wrapped(&body, 64));
    format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: keytrail-specimen\nPublic-Lines: {}\n{public}\
         Private-Lines: {}\n{private}Private-MAC: {code}\n",
        public.lines().count(),
        private.lines().count(),
    )
    .into_bytes()
}

/// An armoured OpenPGP secret key (version 4, Ed25519, no passphrase) with a user id.
pub(super) fn pgp(random: &mut Random) -> Vec<u8> {
    fn packets(random: &mut Random) -> Vec<u8> {
        // Version, 2026-01-01, EdDSA, its curve; the point has a prefix byte 0x40, hence 263 bits.
        let mut key = vec![4, 0x69, 0x55, 0xb9, 0x00, 22, 9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1, 1, 7, 0x40];
        key.extend(random.bytes(32));
        // No passphrase; the secret number and the sum of its bytes, modulo 65536.
        let secret = [&[1, 0][..], &odd(random, 32)].concat();
        let sum = secret.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        key.push(0);
        key.extend_from_slice(&secret);
        key.extend_from_slice(&sum.to_be_bytes());
        let user = b"keytrail <specimen@keytrail.invalid>";
        let mut out = vec![0xc0 | 5, key.len() as u8];
        out.extend_from_slice(&key);
        out.extend_from_slice(&[0xc0 | 13, user.len() as u8]);
        out.extend_from_slice(user);
        out
    }
    let body = plain_body(random, packets);
    let bytes = b64::standard(body.as_bytes()).unwrap_or_default();
    let sum = b64::encode(&pgp::crc24(&bytes).to_be_bytes()[1..]);
    let label = "PGP PRIVATE KEY BLOCK";
    format!("-----BEGIN {label}-----\n\n{}={sum}\n-----END {label}-----", wrapped(&body, 64)).into_bytes()
}

/// `text` as a `UTF8String`.
fn utf8(text: &str) -> Vec<u8> {
    der(0x0c, text.as_bytes())
}

/// A name with this common name.
fn name(text: &str) -> Vec<u8> {
    sequence(&[der(0x31, &sequence(&[der(6, &[0x55, 4, 3]), utf8(text)]))])
}

/// A certificate, valid from 2026 to the end of 2099, with an RSA key; its signature is random.
pub(crate) fn certificate(random: &mut Random) -> Vec<u8> {
    let algorithm = sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b]), der(5, &[])]);
    let rsa = sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), der(5, &[])]);
    let numbers = sequence(&[integer(&odd(random, 128)), integer(&[1, 0, 1])]);
    let body = sequence(&[
        der(0xa0, &integer(&[2])),
        integer(&[1]),
        algorithm.clone(),
        name("keytrail specimens"),
        sequence(&[der(0x17, b"260101000000Z"), der(0x18, b"21000101000000Z")]),
        name("specimen.keytrail.invalid"),
        sequence(&[rsa, der(3, &[&[0], numbers.as_slice()].concat())]),
    ]);
    sequence(&[body, algorithm, der(3, &[&[0], random.bytes(128).as_slice()].concat())])
}

/// A PKCS#12 bundle in base64: a certificate in clear, a key under a passphrase, and the code of the empty password.
pub(super) fn pkcs12(random: &mut Random) -> Vec<u8> {
    fn bundle(random: &mut Random) -> Vec<u8> {
        let data = |content: &[u8]| {
            sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]), der(0xa0, &der(4, content))])
        };
        let bag = |kind: u8, value: &[u8]| {
            sequence(&[der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, kind]), der(0xa0, value)])
        };
        let certificate = sequence(&[
            der(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1]),
            der(0xa0, &der(4, &certificate(random))),
        ]);
        let contents =
            sequence(&[data(&sequence(&[bag(3, &certificate)])), data(&sequence(&[bag(2, &encrypted_pkcs8(random))]))]);
        let salt = random.bytes(8);
        let key = pbe::derive(pbe::Hash::Sha1, 3, pbe::EMPTY[0], &salt, 2048, 20);
        let digest = sequence(&[
            sequence(&[der(6, &[0x2b, 0x0e, 3, 2, 0x1a]), der(5, &[])]),
            der(4, &pbe::Hash::Sha1.hmac(&key, &contents)),
        ]);
        let code = sequence(&[digest, der(4, &salt), integer(&[8, 0])]);
        sequence(&[integer(&[3]), data(&contents), code])
    }
    // Its fixed parts spell three letters of a placeholder whatever the random ones are; the code proves it all the same.
    b64::encode(&bundle(random)).into_bytes()
}

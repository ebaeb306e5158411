//! Public SSH keys: files `*.pub`, and the parser that the other SSH kinds share.
//!
//! Formats: sshd(8) "AUTHORIZED_KEYS FILE FORMAT", RFC 4253 section 6.6 for the blob; read 2026-11.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Kind, Observation, account, file_name, lines, short};

/// Files that hold one public key.
pub(super) const KIND: Kind = Kind { wants, observe };

/// A public key in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    /// Its algorithm, as its blob names it: `ssh-ed25519`, …
    pub(super) algorithm: &'a str,
    /// `SHA256:` and the digest in base64 without padding, as `ssh-keygen -l` prints it.
    pub(super) fingerprint: String,
    /// What follows the key.
    pub(super) comment: &'a str,
}

/// The longest blob that is decoded, in base64 characters: RSA of 16384 bits takes 2800.
const LONGEST: usize = 16 << 10;

impl<'a> PublicKey<'a> {
    /// Reads `ALGORITHM BASE64 [COMMENT]`. `None` unless the blob decodes and names the same algorithm.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (algorithm, rest) = text.split_once([' ', '\t'])?;
        let rest = rest.trim_start();
        let (encoded, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        if !is_algorithm(algorithm) || encoded.len() > LONGEST {
            return None;
        }
        let blob = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
        let length = u32::from_be_bytes(*blob.first_chunk::<4>()?);
        let named = blob.get(4..)?.get(..usize::try_from(length).ok()?)?;
        let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob)));
        (named == algorithm.as_bytes()).then(|| Self { algorithm, fingerprint, comment: comment.trim() })
    }
}

/// Whether a word names a public key algorithm (or a certificate of one).
pub(super) fn is_algorithm(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-@.".contains(&byte))
        && word.len() <= 64
}

/// By name and first word.
fn wants(path: &[u8], first: &[u8]) -> bool {
    file_name(path).ends_with(b".pub") && [&b"ssh-"[..], b"ecdsa-", b"sk-"].iter().any(|start| first.starts_with(start))
}

/// One fact per key.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let keys = lines(bytes).filter_map(|(_, line)| {
        let key = PublicKey::parse(&line)?;
        let values = [
            ("account", account(path)),
            ("algorithm", key.algorithm.to_owned()),
            ("comment", short(key.comment)),
            ("fingerprint", key.fingerprint),
        ];
        Some(Observation::new("public-key", path, values))
    });
    keys.collect()
}

//! Fingerprints: the stable name of a secret across runs.
//!
//! - `v1k:<key id>:<hash>`: HMAC-SHA256 of the secret under the user's key; joinable by whoever has the key.
//! - `v1:<hash>`: plain SHA-256, only where the rule declares 80 random bits or more, so that it can't be guessed back.
//! - `v1p:<hash>`: no hash of the secret at all: rule, path, assigned name and ordinal. What can be guessed is never
//!   hashed without a key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::rule::Rule;
use crate::secret::Secret;

/// Bits of randomness from which on a plain hash gives nothing away.
pub const UNGUESSABLE_BITS: u32 = 80;

/// The user's fingerprint key.
#[derive(Clone)]
pub struct Key {
    bytes: Secret,
    id: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl Key {
    /// A key of any length; its id is a hash of it and stands in every fingerprint made with it.
    pub fn new(bytes: &[u8]) -> Self {
        let id = hex(&Sha256::new().chain_update(b"keytrail fingerprint key id\0").chain_update(bytes).finalize()[..4]);
        Self { bytes: Secret::new(bytes), id }
    }

    /// What fingerprints that were made with it begin with.
    pub fn prefix(&self) -> String {
        format!("v1k:{}:", self.id)
    }
}

/// Where a secret stands that has no fingerprint of its own.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Path (with members) of its first place.
    pub path: &'a [u8],
    /// Name it is assigned to.
    pub name: &'a str,
    /// 0-based number among the findings of the same rule, path and name.
    pub ordinal: usize,
}

/// Whether `rule`'s secrets may be hashed without a key.
pub fn is_unguessable(rule: &Rule) -> bool {
    rule.random_bits >= UNGUESSABLE_BITS
}

/// The fingerprint of a secret.
pub fn fingerprint(rule: &Rule, secret: &Secret, key: Option<&Key>, standing: Standing<'_>) -> String {
    if let Some(key) = key {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes.expose()).expect("HMAC takes keys of any length");
        mac.update(secret.expose());
        return format!("v1k:{}:{}", key.id, hex(&mac.finalize().into_bytes()[..16]));
    }
    if is_unguessable(rule) {
        let hash = Sha256::new().chain_update(b"keytrail secret v1\0").chain_update(secret.expose()).finalize();
        return format!("v1:{}", hex(&hash[..16]));
    }
    let mut hash = Sha256::new().chain_update(b"keytrail place v1\0");
    for part in [rule.id.as_bytes(), standing.path, standing.name.as_bytes(), &standing.ordinal.to_be_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("v1p:{}", hex(&hash.finalize()[..16]))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(bits: u32) -> Rule {
        let mut rule = crate::tables::RULES.first().expect("there are rules").clone();
        rule.random_bits = bits;
        rule
    }

    #[test]
    fn what_can_be_guessed_is_never_hashed_without_a_key() {
        let standing = Standing { path: b"a/b", name: "password", ordinal: 0 };
        let (one, two) = (Secret::new(*b"hunter2hunter2"), Secret::new(*b"other-password"));
        let weak = rule(0);
        assert_eq!(
            fingerprint(&weak, &one, None, standing),
            fingerprint(&weak, &two, None, standing),
            "a weak secret leaves no trace in its fingerprint"
        );
        assert_ne!(
            fingerprint(&weak, &one, None, standing),
            fingerprint(&weak, &one, None, Standing { ordinal: 1, ..standing })
        );
        let strong = rule(178);
        let plain = fingerprint(&strong, &one, None, standing);
        assert!(plain.starts_with("v1:") && plain.len() == 3 + 32, "{plain}");
        assert_eq!(plain, fingerprint(&strong, &one, None, Standing { path: b"c", name: "", ordinal: 9 }));
        assert_ne!(plain, fingerprint(&strong, &two, None, standing));
    }

    #[test]
    fn a_key_names_itself_and_joins_all_strengths() {
        let standing = Standing { path: b"a/b", name: "password", ordinal: 0 };
        let secret = Secret::new(*b"hunter2hunter2");
        let (key, other) = (Key::new(b"k"), Key::new(b"l"));
        let one = fingerprint(&rule(0), &secret, Some(&key), standing);
        assert_eq!(one, fingerprint(&rule(200), &secret, Some(&key), Standing { path: b"z", ..standing }));
        assert_ne!(one, fingerprint(&rule(0), &secret, Some(&other), standing));
        let parts: Vec<&str> = one.split(':').collect();
        assert_eq!((parts.len(), parts[0], parts[1].len(), parts[2].len()), (3, "v1k", 8, 32));
    }
}

//! How a baseline names values.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::Digest as _;

use crate::secret::Secret;

/// Length of salts and digests, bytes: 128 bits.
const LENGTH: usize = 16;

/// Memory of a slow hash, KiB. With [`PASSES`] and [`LANES`] the first of the settings that OWASP's "Password Storage Cheat
/// Sheet", section Argon2id, names as the least (from general knowledge of it). They are a part of version 1 of the file: what a stranger's
/// file could ask for has no say in what a scan costs.
const MEMORY: u32 = 19 * 1024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Lanes.
const LANES: u32 = 1;

/// The settings as the file spells them; the salt follows.
pub(super) const SETTINGS: &str = "argon2id;m=19456;t=2;p=1;s=";

/// Random bytes of a file that its slow hashes are made with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Salt([u8; LENGTH]);

/// A value's hash, cut to 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; LENGTH]);

impl Salt {
    /// A new one.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, String> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random bytes: {error}"))?;
        Ok(Self(bytes))
    }

    /// Reads hex.
    pub(super) fn parse(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }

    /// The eight digits that entries name it by.
    pub(super) fn id(self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl Digest {
    /// SHA-256, the digits of the fingerprint that reports print: only for values that can't be guessed.
    #[must_use]
    pub fn plain(secret: &Secret) -> Self {
        let hash = sha2::Sha256::new().chain_update(b"keytrail secret v1\0").chain_update(secret.expose()).finalize();
        let mut cut = [0; LENGTH];
        cut.copy_from_slice(&hash[..LENGTH]);
        Self(cut)
    }

    /// Argon2id: takes some 30 ms of a processor and 19 MiB.
    #[must_use]
    pub fn slow(secret: &Secret, salt: Salt) -> Self {
        let params = Params::new(MEMORY, PASSES, LANES, Some(LENGTH)).expect("the settings are within Argon2's limits");
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut digest = [0; LENGTH];
        argon
            .hash_password_into(secret.expose(), &salt.0, &mut digest)
            .expect("lengths of salt and digest are within Argon2's limits, and no value is of 4 GiB");
        Self(digest)
    }

    /// Reads hex.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }
}

/// Reads lower-case hex of the one length.
fn bytes(text: &str) -> Option<[u8; LENGTH]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let digits: Vec<u8> = text.bytes().map(|byte| Some(digit(byte)? as u8)).collect::<Option<_>>()?;
    let pairs: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 2 * LENGTH { pairs.try_into().ok() } else { None }
}

/// Writes lower-case hex.
fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salt({self})")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

//! The SSH wire format: public keys, their names and fingerprints, and OpenSSH's private key files.
//!
//! Source: RFC 4251 section 5, RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709, and `PROTOCOL.key` and
//! `PROTOCOL.u2f` in <https://github.com/openssh/openssh-portable>.

use sha2::{Digest, Sha256};

use super::b64;
use super::key::Key;

/// What is left to read of a wire message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    /// Reads `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next 32-bit number.
    pub(super) fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// The next byte string.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = usize::try_from(ahead.number()?).ok()?;
        let (content, rest) = ahead.0.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

/// The wire form of `parts`, each as a byte string.
pub(crate) fn wire(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        // A part is cut from a match or made by us: far under 4 GiB.
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// A big-endian positive number as the content of an `mpint`.
pub(crate) fn mpint(number: &[u8]) -> Vec<u8> {
    let digits = significant(number);
    match digits.first() {
        Some(first) if *first >= 0x80 => [&[0], digits].concat(),
        _ => digits.to_vec(),
    }
}

/// `number` without leading zero bytes.
fn significant(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[start..]
}

/// The length in bits of a big-endian positive number.
pub(super) fn bits(number: &[u8]) -> usize {
    let digits = significant(number);
    digits.first().map_or(0, |first| digits.len() * 8 - first.leading_zeros() as usize)
}

/// The fingerprint of a public key in wire form, as `ssh-keygen -l` prints it.
pub(super) fn fingerprint(public: &[u8]) -> String {
    format!("SHA256:{}", b64::encode_unpadded(&Sha256::digest(public)))
}

/// The kind of a public key in wire form: `rsa-2048`, `ecdsa-p256`, `ed25519`, …; its own algorithm name where we
/// have none. `None` where it isn't a key.
pub(super) fn kind(public: &[u8]) -> Option<String> {
    let mut wire = Wire::new(public);
    let algorithm = std::str::from_utf8(wire.string()?).ok()?;
    let second = wire.string()?;
    Some(match algorithm {
        "ssh-rsa" => format!("rsa-{}", bits(wire.string()?)),
        "ssh-dss" => format!("dsa-{}", bits(second)),
        "ssh-ed25519" if second.len() == 32 => "ed25519".to_owned(),
        "ssh-ed25519" => return None,
        "ssh-ed448" => "ed448".to_owned(),
        "ecdsa-sha2-nistp256" => "ecdsa-p256".to_owned(),
        "ecdsa-sha2-nistp384" => "ecdsa-p384".to_owned(),
        "ecdsa-sha2-nistp521" => "ecdsa-p521".to_owned(),
        "sk-ssh-ed25519@openssh.com" => "ed25519-sk".to_owned(),
        "sk-ecdsa-sha2-nistp256@openssh.com" => "ecdsa-sk".to_owned(),
        other if is_algorithm_name(other) => other.to_owned(),
        _ => return None,
    })
}

/// Whether `name` could be an algorithm's (RFC 4251 section 6): short, printable, no blanks.
fn is_algorithm_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What an OpenSSH private key file starts with.
pub(crate) const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Reads the decoded body of an OpenSSH private key file.
///
/// # Errors
/// What is wrong with it, in one clause.
pub(super) fn private_key(bytes: &[u8]) -> Result<Key, &'static str> {
    let body = bytes.strip_prefix(MAGIC).ok_or("not an OpenSSH key")?;
    let cut = "key data is cut off";
    let mut wire = Wire::new(body);
    let cipher = wire.string().ok_or(cut)?;
    let _kdf = wire.string().ok_or(cut)?;
    let _kdf_options = wire.string().ok_or(cut)?;
    // The format has room for more keys, OpenSSH itself takes none but one.
    if wire.number().ok_or(cut)? != 1 {
        return Err("does not hold one key");
    }
    let public = wire.string().ok_or(cut)?;
    let private = wire.string().ok_or(cut)?;
    let mut key = Key {
        kind: Some(kind(public).ok_or("public part is not a key")?),
        encrypted: cipher != b"none",
        public: Some(public.to_vec()),
        comment: None,
    };
    if private.is_empty() || !private.len().is_multiple_of(8) {
        return Err("private part is not whole blocks");
    }
    if !key.encrypted {
        if !wire.rest().is_empty() {
            return Err("data after the key");
        }
        key.comment = unencrypted(public, private)?;
    }
    Ok(key)
}

/// Checks a private part in clear against the public one; gives the comment, where it can be read.
fn unencrypted(public: &[u8], private: &[u8]) -> Result<Option<String>, &'static str> {
    let mut wire = Wire::new(private);
    let (first, second) = (wire.number(), wire.number());
    if first.is_none() || first != second {
        return Err("check numbers of the private part differ");
    }
    let algorithm = wire.string().ok_or("private part is cut off")?;
    if Wire::new(public).string() != Some(algorithm) {
        return Err("private and public part are of different kinds");
    }
    let fields = match algorithm {
        b"ssh-ed25519" => 2,
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => 3,
        b"ssh-dss" => 5,
        b"ssh-rsa" => 6,
        _ => return Ok(None),
    };
    for _ in 0..fields {
        wire.string().ok_or("private part is cut off")?;
    }
    let comment = wire.string().ok_or("private part is cut off")?;
    if !(1u8..).zip(wire.rest()).all(|(expected, byte)| expected == *byte) {
        return Err("padding of the private part is wrong");
    }
    Ok(String::from_utf8(comment.to_vec()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(mpint(&[0, 0, 0x80]), [0, 0x80]);
        assert_eq!(mpint(&[0, 0x7f]), [0x7f]);
        assert_eq!(mpint(&[0]), [0u8; 0]);
        assert_eq!((bits(&[0, 1]), bits(&[0x80, 0]), bits(&[])), (1, 16, 0));
    }

    #[test]
    fn strings_past_the_end_are_refused() {
        let mut reader = Wire::new(&[0, 0, 0, 2, b'h']);
        assert_eq!(reader.string(), None);
        assert_eq!(reader.rest().len(), 5, "nothing is taken");
        assert_eq!(Wire::new(&[0xff, 0xff, 0xff, 0xff]).string(), None);
    }

    #[test]
    fn kinds() {
        for (parts, expected) in [
            ([b"ssh-ed25519".as_slice(), &[1; 32], b""], Some("ed25519")),
            ([b"ssh-ed25519", &[1; 31], b""], None),
            ([b"ssh-rsa", &[1, 0, 1], &[0, 0x80, 0]], Some("rsa-16")),
            ([b"ssh-dss", &[0xff; 128], b""], Some("dsa-1024")),
            ([b"post-quantum@example.org", b"x", b""], Some("post-quantum@example.org")),
            ([b"with blank", b"x", b""], None),
        ] {
            assert_eq!(kind(&wire(&parts)).as_deref(), expected);
        }
        assert_eq!(kind(b""), None);
    }
}

//! PKCS #12 files (PFX): whether their passphrase is one that everybody knows.
//!
//! The whole file is under a keyed checksum whose key comes from the passphrase, so a guess is proven or refused without
//! decrypting anything. Source: RFC 7292 section 4 and appendix B, read 2026-11.

use super::der::{Der, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::fact::note;
use super::pbe::{self, Hash};
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `pkcs12-file`: a file whose checksum holds under a widely known passphrase is as open as one without.
pub(super) struct Pkcs12File;

/// Passphrases of no secrecy: none, what Google Cloud gives out with every P12 key of a service account, what Java's
/// tools propose, and the words people put where a tool insists.
const KNOWN: [&str; 6] = ["", "notasecret", "changeit", "password", "secret", "changeme"];

/// Object identifiers of a key in clear and of an encrypted one. The bag itself stands in clear, while certificates are
/// encrypted along with theirs.
const KEY_BAGS: [[u8; 13]; 2] = [
    [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01],
    [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02],
];

/// Tag of an explicit `[0]`.
const CONTENT: u8 = 0xa0;

impl StructureCheck for Pkcs12File {
    fn id(&self) -> &'static str {
        "pkcs12-file"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let mut facts = Facts::default();
        note(&mut facts, "encrypted", "yes");
        let Some(file) = File::read(token.secret) else { return Verdict::Unknown(facts) };
        if !KEY_BAGS.iter().any(|bag| memchr::memmem::find(file.content, bag).is_some()) {
            return Verdict::Fails("no key in it that shows, as in a store of certificates");
        }
        let Some(rounds) = file.rounds else { return Verdict::Unknown(facts) };
        let Some(passphrase) = KNOWN.iter().find(|guess| file.opens_with(guess, rounds)) else {
            return Verdict::Unknown(facts);
        };
        note(&mut facts, "passphrase", if passphrase.is_empty() { "none" } else { "a widely known one" });
        Verdict::Holds(facts)
    }
}

/// What the checksum needs.
#[derive(Debug)]
struct File<'a> {
    /// What is under the checksum.
    content: &'a [u8],
    /// The hash it is made with.
    hash: Hash,
    /// The checksum.
    code: &'a [u8],
    /// Salt of the key.
    salt: &'a [u8],
    /// Rounds of hashing that make the key; `None` for more than we compute.
    rounds: Option<u32>,
}

impl<'a> File<'a> {
    /// Reads a file; `None` for another structure, for one without a checksum or with a hash we don't know.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut file = Der::new(bytes).enter(SEQUENCE)?;
        file.take(INTEGER).filter(|version| *version == [3])?;
        let mut safe = file.enter(SEQUENCE)?;
        safe.take(OID)?;
        let content = safe.enter(CONTENT)?.take(OCTET_STRING)?;
        let mut mac = file.enter(SEQUENCE)?;
        let mut digest = mac.enter(SEQUENCE)?;
        let hash = Hash::of(digest.enter(SEQUENCE)?.take(OID)?)?;
        let code = digest.take(OCTET_STRING)?;
        let salt = mac.take(OCTET_STRING).filter(|salt| salt.len() <= 1024)?;
        let rounds = mac.take(INTEGER).map_or(Some(1), pbe::rounds);
        Some(Self { content, hash, code, salt, rounds })
    }

    /// Whether the checksum holds under `passphrase`.
    fn opens_with(&self, passphrase: &str, rounds: u32) -> bool {
        // Some tools leave the end mark out where there is no passphrase.
        let bare = if passphrase.is_empty() { Some(Vec::new()) } else { None };
        [Some(wide(passphrase)), bare].into_iter().flatten().any(|text| {
            let key = pbe::derive(self.hash, CODE, &text, self.salt, rounds, self.hash.len());
            self.hash.hmac(&key, self.content) == self.code
        })
    }
}

/// What a key is derived for: a code (RFC 7292 appendix B.3).
const CODE: u8 = 3;

/// A passphrase as it goes into a key: two bytes a character, big-endian, and two of zero at the end.
fn wide(passphrase: &str) -> Vec<u8> {
    passphrase.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect()
}

/// A checksum of `content` with SHA-256: for specimens. Salt and rounds are the caller's.
pub(crate) fn seal(content: &[u8], passphrase: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
    let hash = Hash::Sha256;
    hash.hmac(&pbe::derive(hash, CODE, &wide(passphrase), salt, rounds, hash.len()), content)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::super::testing::{Is, facts, hail, kind, on, skipped_without};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn known_passphrases_are_found_and_others_leave_it_open() {
        for passphrase in KNOWN {
            let file = expand(&format!("<<pfx:{passphrase}>>"), 2).expect("a template");
            let verdict = on(&Pkcs12File, &file);
            assert_eq!(kind(&verdict), Is::Held, "{passphrase}");
            let expected = if passphrase.is_empty() { "none" } else { "a widely known one" };
            assert_eq!(facts(verdict).named["passphrase"], expected);
            let mut damaged = file.clone();
            damaged[60] ^= 1;
            assert_eq!(kind(&on(&Pkcs12File, &damaged)), Is::Unknown, "{passphrase}");
        }
        let other = expand("<<pfx:kX9-mmq2zz>>", 2).expect("a template");
        assert_eq!(kind(&on(&Pkcs12File, &other)), Is::Unknown);
        assert!(!facts(on(&Pkcs12File, &other)).named.contains_key("passphrase"));
        hail(&Pkcs12File, &[&other[..other.len().min(120)]]);
    }

    #[test]
    fn many_rounds_are_not_tried() {
        let file = expand("<<pfx:changeit>>", 2).expect("a template");
        let read = File::read(&file).expect("a file");
        assert_eq!(read.rounds, Some(2048));
        // The rounds are the file's last two bytes.
        let mut slow = file.clone();
        let at = slow.len() - 2;
        slow[at] = 0x7f;
        assert_eq!(File::read(&slow).map(|file| file.rounds), Some(None));
        assert_eq!(kind(&on(&Pkcs12File, &slow)), Is::Unknown);
    }

    #[test]
    fn openssl_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |arguments: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).output().ok()
        };
        let make =
            ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=x"];
        let Some(made) = run(&make) else {
            return skipped_without("openssl");
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (algorithm, passphrase, expected) in [
            ("sha1", "notasecret", Is::Held),
            ("sha256", "", Is::Held),
            ("sha384", "changeit", Is::Held),
            ("sha512", "password", Is::Held),
            ("sha256", "Tr0ub4dor", Is::Unknown),
            // Certificates alone.
            ("sha256", "changeit", Is::Failed),
        ] {
            let pass = format!("pass:{passphrase}");
            let export = ["pkcs12", "-export", "-inkey", "key", "-in", "cert", "-macalg", algorithm, "-passout", &pass];
            let mut export = export.to_vec();
            if expected == Is::Failed {
                export.splice(2..4, ["-nokeys"]);
            }
            let out = run(&export).expect("it ran before");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            assert_eq!(kind(&on(&Pkcs12File, &out.stdout)), expected, "{algorithm} {passphrase}");
        }
    }
}

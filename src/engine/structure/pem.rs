//! Private keys in PEM armour, of every kind.

use super::key::Key;
use super::{StructureCheck, Token, Verdict, armor, b64, key, pgp, ssh};
use crate::finding::Facts;

/// `pem`: the body decodes and has the structure of a private key; tells its kind, whether a passphrase protects it and,
/// where the public part stands in clear, the fingerprint that `ssh-keygen -l` shows.
///
/// The structure decides, not the label: tools mislabel. Source: RFC 7468, RFC 1421 section 4.6 (`Proc-Type`), and
/// those of the structures in `key.rs`, `ssh.rs` and `pgp.rs`.
pub(super) struct Pem;

impl StructureCheck for Pem {
    fn id(&self) -> &'static str {
        "pem"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        match memchr::memmem::find(token.secret, b"-----BEGIN ") {
            Some(_) => check(token.secret),
            None => check(token.whole),
        }
    }
}

/// Checks the private key in `text`.
pub(super) fn check(text: &[u8]) -> Verdict {
    let Some(block) = armor::block(text, "PRIVATE KEY") else {
        return Verdict::Fails("no BEGIN line");
    };
    if !block.label.contains("PRIVATE KEY") {
        return Verdict::Unknown(Facts::default());
    }
    if block.label.starts_with("PGP") {
        return pgp::check(&block);
    }
    let Some(bytes) = b64::standard(&block.body()) else {
        return Verdict::Fails("body is not base64");
    };
    if bytes.is_empty() {
        return Verdict::Fails("no key between the BEGIN and END lines");
    }
    let read = if block.header("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED")) {
        passphrase(&block.label, &bytes)
    } else if bytes.starts_with(ssh::MAGIC) {
        ssh::private_key(&bytes)
    } else {
        key::read(&bytes)
    };
    match read {
        Ok(key) => Verdict::Holds(key.facts()),
        Err(why) => Verdict::Fails(why),
    }
}

/// A body that OpenSSL's older format has encrypted as a whole: nothing but the label tells what it is.
fn passphrase(label: &str, bytes: &[u8]) -> Result<Key, &'static str> {
    // DES works on 8 bytes, AES on 16.
    if bytes.len() < 16 || !bytes.len().is_multiple_of(8) {
        return Err("encrypted body is not whole blocks");
    }
    let kind = match label.split(' ').next() {
        Some("RSA") => Some("rsa".to_owned()),
        Some("EC") => Some("ecdsa".to_owned()),
        Some("DSA") => Some("dsa".to_owned()),
        _ => None,
    };
    Ok(Key { kind, encrypted: true, ..Key::default() })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::testing::{Is, facts, kind, on, table};
    use super::*;
    use crate::specimen::expand;

    /// Every label that specimens know.
    const LABELS: [&str; 7] = [
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ];

    fn made(label: &str) -> String {
        String::from_utf8(expand(&format!("<<pem:{label}>>"), 3).expect(label)).expect("ASCII")
    }

    /// `text` with its body in other hands.
    fn rebodied(text: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
        let block = armor::block(text.as_bytes(), "").expect("a block");
        let pieces: Vec<_> = block.pieces.into_iter().filter(|piece| !piece.starts_with(b"=")).collect();
        let body = b64::encode(&change(b64::standard(&pieces.concat()).expect("base64")));
        format!("-----BEGIN {0}-----\n{body}\n-----END {0}-----", block.label)
    }

    #[test]
    fn every_kind_of_key() {
        for label in LABELS {
            let good = made(label);
            let mut rows = vec![
                ("whole", good.clone(), Is::Held),
                ("escaped", format!("\"key\": \"{}\"", good.replace('\n', "\\n")), Is::Held),
                ("body replaced", format!("-----BEGIN {label}-----\n...\n-----END {label}-----"), Is::Failed),
                ("body is text", format!("-----BEGIN {label}-----\nYOUR KEY HERE\n-----END {label}-----"), Is::Failed),
                ("header only", format!("-----BEGIN {label}-----"), Is::Failed),
            ];
            if !label.starts_with("PGP") {
                let cut = rebodied(&good, |bytes| bytes[..bytes.len() - 9].to_vec());
                rows.push(("truncated", cut, Is::Failed));
                rows.push(("too long", rebodied(&good, |bytes| [bytes, vec![0; 8]].concat()), Is::Failed));
                rows.push((
                    "structure corrupted",
                    rebodied(&good, |mut bytes| {
                        bytes[3] ^= 0x41;
                        bytes
                    }),
                    Is::Failed,
                ));
            }
            table(&Pem, &rows);
        }
    }

    #[test]
    fn what_is_no_private_key() {
        let pgp = made("PGP PRIVATE KEY BLOCK");
        let (body, checksum) = pgp.rsplit_once('=').expect("an armour checksum");
        let first = if checksum.starts_with('A') { "B" } else { "A" };
        let other_checksum = format!("{body}={first}{}", &checksum[1..]);
        table(
            &Pem,
            &[
                (
                    "a certificate",
                    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".to_owned(),
                    Is::Unknown,
                ),
                ("empty", String::new(), Is::Failed),
                (
                    "an even modulus",
                    rebodied(&made("RSA PRIVATE KEY"), |mut bytes| {
                        bytes[267] &= 0xfe;
                        bytes
                    }),
                    Is::Failed,
                ),
                ("checksum of PGP left out", rebodied(&made("PGP PRIVATE KEY BLOCK"), |bytes| bytes), Is::Held),
                ("checksum of PGP corrupted", other_checksum, Is::Failed),
                (
                    "PGP public key",
                    rebodied(&made("PGP PRIVATE KEY BLOCK"), |mut bytes| {
                        bytes[0] = 0xc6;
                        bytes
                    }),
                    Is::Failed,
                ),
            ],
        );
    }

    #[test]
    fn openssls_older_encryption_is_known_by_its_header() {
        let body = b64::encode(&[7; 64]);
        let head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";
        let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{head}{body}\n-----END RSA PRIVATE KEY-----");
        let read = facts(on(&Pem, &text));
        assert_eq!(read.named["encrypted"], "yes");
        assert_eq!(read.named["key-kind"], "rsa");
        assert_eq!(kind(&on(&Pem, text.replace(&body, &body[4..]))), Is::Failed);
    }

    #[test]
    fn specimens_tell_their_kind() {
        for (label, expected, fingerprint) in [
            ("RSA PRIVATE KEY", "rsa-2048", true),
            ("EC PRIVATE KEY", "ecdsa-p256", true),
            ("DSA PRIVATE KEY", "dsa-1024", true),
            ("PRIVATE KEY", "rsa-2048", true),
            ("OPENSSH PRIVATE KEY", "ed25519", true),
            ("PGP PRIVATE KEY BLOCK", "ed25519", false),
        ] {
            let read = facts(on(&Pem, made(label)));
            assert_eq!(read.named["key-kind"], expected, "{label}");
            assert_eq!(read.named["encrypted"], "no", "{label}");
            assert_eq!(read.named.contains_key("public-key-fingerprint"), fingerprint, "{label}");
        }
        assert_eq!(facts(on(&Pem, made("PGP PRIVATE KEY BLOCK"))).created, Some(1_767_225_600));
        assert_eq!(facts(on(&Pem, made("OPENSSH PRIVATE KEY"))).named["comment"], "keytrail@specimen");
        assert_eq!(facts(on(&Pem, made("ENCRYPTED PRIVATE KEY"))).named["encrypted"], "yes");
    }

    /// Runs a tool; `None` and a word of it where it isn't there.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn run(program: &str, arguments: &[&str], folder: &std::path::Path) -> Option<String> {
        match Command::new(program).args(arguments).current_dir(folder).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{program} {arguments:?}: {text}");
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Err(_) => {
                assert!(std::env::var_os("KEYTRAIL_REQUIRE_TOOLS").is_none_or(|value| value != "1"), "no {program}");
                eprintln!("skipped: {program} is not on PATH");
                None
            }
        }
    }

    /// What `ssh-keygen -l` says of a key file: bits and fingerprint.
    fn ssh_keygen_says(name: &str, folder: &std::path::Path) -> Option<(String, String)> {
        let line = run("ssh-keygen", &["-l", "-f", name], folder)?;
        let mut words = line.split(' ').map(str::to_owned);
        words.next().zip(words.next())
    }

    #[test]
    fn ssh_keygen_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        // Kind, bits, file format, passphrase, what we call it.
        for (number, (kind, bits, format, passphrase, expected)) in [
            ("rsa", "2048", "RFC4716", "", "rsa-2048"),
            ("rsa", "2048", "PEM", "", "rsa-2048"),
            ("rsa", "1024", "PKCS8", "", "rsa-1024"),
            ("ecdsa", "256", "RFC4716", "", "ecdsa-p256"),
            ("ecdsa", "384", "PEM", "", "ecdsa-p384"),
            ("ecdsa", "521", "PKCS8", "", "ecdsa-p521"),
            ("ed25519", "256", "RFC4716", "", "ed25519"),
            ("ed25519", "256", "RFC4716", "a passphrase", "ed25519"),
            ("rsa", "1024", "RFC4716", "a passphrase", "rsa-1024"),
            ("rsa", "1024", "PEM", "a passphrase", "rsa"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("key{number}");
            let make = ["-q", "-t", kind, "-b", bits, "-m", format, "-N", passphrase, "-C", "me@here", "-f", &name];
            if run("ssh-keygen", &make, folder).is_none() {
                return;
            }
            let text = std::fs::read(folder.join(&name)).expect("the private key");
            let read = facts(on(&Pem, &text));
            let what = format!("{kind} {bits} {format} {passphrase}: {read:?}");
            assert_eq!(read.named["key-kind"], expected, "{what}");
            assert_eq!(read.named["encrypted"], if passphrase.is_empty() { "no" } else { "yes" }, "{what}");
            // The older format encrypts the public part too.
            if expected == "rsa" {
                assert!(!read.named.contains_key("public-key-fingerprint"), "{what}");
                continue;
            }
            let (_, fingerprint) = ssh_keygen_says(&format!("{name}.pub"), folder).expect("it ran before");
            assert_eq!(read.named["public-key-fingerprint"], fingerprint, "{what}");
            if format == "RFC4716" && passphrase.is_empty() {
                assert_eq!(read.named["comment"], "me@here", "{what}");
            }
            super::super::testing::hail(&Pem, &[&text]);
        }
    }

    #[test]
    fn openssl_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        // Arguments, what we call it, passphrase, whether the public part is in clear.
        let cases: [(&[&str], &str, bool, bool); 9] = [
            (&["genrsa", "-traditional", "2048"], "rsa-2048", false, true),
            (&["genrsa", "1024"], "rsa-1024", false, true),
            (&["genpkey", "-algorithm", "ed25519"], "ed25519", false, false),
            (&["genpkey", "-algorithm", "x25519"], "x25519", false, false),
            (&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], "ecdsa-p256", false, true),
            (&["ecparam", "-name", "secp256k1", "-genkey", "-noout"], "ecdsa-secp256k1", false, false),
            (&["genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "ecdsa-p384", false, true),
            (&["genpkey", "-algorithm", "rsa", "-aes256", "-pass", "pass:abcd"], "", true, false),
            (&["genrsa", "-traditional", "-aes128", "-passout", "pass:abcd", "1024"], "rsa", true, false),
        ];
        for (arguments, expected, encrypted, public) in cases {
            let Some(text) = run("openssl", arguments, folder) else { return };
            let read = facts(on(&Pem, &text));
            let what = format!("{arguments:?}: {read:?}");
            assert_eq!(read.named.get("key-kind").map_or("", String::as_str), expected, "{what}");
            assert_eq!(read.named["encrypted"], if encrypted { "yes" } else { "no" }, "{what}");
            assert_eq!(read.named.contains_key("public-key-fingerprint"), public, "{what}");
            if !public {
                continue;
            }
            // ssh-keygen reads OpenSSL's files; it wants them private.
            let file = folder.join("from-openssl");
            std::fs::write(&file, &text).expect("written");
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
            if let Some(line) = run("ssh-keygen", &["-y", "-f", "from-openssl"], folder) {
                std::fs::write(folder.join("public"), line).expect("written");
                let (bits, fingerprint) = ssh_keygen_says("public", folder).expect("it ran before");
                assert_eq!(read.named["public-key-fingerprint"], fingerprint, "{what}");
                assert!(expected.ends_with(&bits), "{what}: {bits} bits");
            }
        }
    }
}

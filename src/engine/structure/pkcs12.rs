//! PKCS#12 bundles: whether they open without a password, and what certificate is in them.

use super::der::{Der, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::fact::note;
use super::pbe::{self, Hash};
use super::x509::{self, Certificate};
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `pkcs12`: version 3, contents, and a code over them that tells whether the empty password opens it. If so, or where
/// they are in clear, the certificates are read: subject and the end of validity.
///
/// Source: RFC 7292 section 4 and appendix B.
pub(super) struct Pkcs12;

/// `data` (RFC 5652 section 4).
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
/// `encryptedData` (RFC 5652 section 8).
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// What bags of PKCS#12 begin with; the last byte tells them apart.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
/// Explicit tag 0.
const EXPLICIT: u8 = 0xa0;

/// Most bags and contents that are looked at.
const MOST: usize = 50;

impl StructureCheck for Pkcs12 {
    fn id(&self) -> &'static str {
        "pkcs12"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some(bytes) = b64::standard(token.secret.trim_ascii()) else {
            return Verdict::Fails("not base64");
        };
        let mut outer = Der::new(&bytes);
        if outer.peek() != Some(SEQUENCE) {
            return Verdict::Fails("not a sequence");
        }
        // Longer than the pattern takes: the rest stands behind it.
        let Some(mut fields) = outer.enter(SEQUENCE) else {
            return match bytes.get(4..7) {
                Some([INTEGER, 1, 3]) => Verdict::Unknown(Facts::default()),
                _ => Verdict::Fails("bundle is cut off"),
            };
        };
        if fields.take(INTEGER) != Some(&[3]) {
            return Verdict::Fails("not version 3");
        }
        let Some(contents) = content(&mut fields) else {
            // BER's indefinite lengths are allowed here, and not read.
            return match bytes.get(7..9) {
                Some([SEQUENCE, 0x80]) => Verdict::Unknown(Facts::default()),
                _ => Verdict::Fails("no contents of a bundle"),
            };
        };
        let opens = fields.enter(SEQUENCE).and_then(|mac| opens(mac, contents));
        Verdict::Holds(facts(contents, opens))
    }
}

/// The octets of the content in clear that comes next.
fn content<'a>(fields: &mut Der<'a>) -> Option<&'a [u8]> {
    let mut info = fields.enter(SEQUENCE)?;
    (info.take(OID)? == DATA).then(|| info.enter(EXPLICIT)?.take(OCTET_STRING)).flatten()
}

/// Whether the code over the contents is that of the empty password; `None` when that can't be told.
fn opens(mut mac: Der<'_>, contents: &[u8]) -> Option<bool> {
    let mut digest = mac.enter(SEQUENCE)?;
    let hash = Hash::of(digest.enter(SEQUENCE)?.take(OID)?)?;
    let stated = digest.take(OCTET_STRING)?;
    let salt = mac.take(OCTET_STRING)?;
    let rounds = mac.take(INTEGER).map_or(Some(1), pbe::rounds)?;
    let code = |password: &[u8]| {
        let key = pbe::derive(hash, 3, password, salt, rounds, hash.len());
        hash.hmac(&key, contents)
    };
    // Two ways to write nothing: its end mark, or not even that.
    Some(pbe::EMPTY.iter().any(|password| code(password) == stated))
}

/// What the contents tell.
fn facts(contents: &[u8], opens: Option<bool>) -> Facts {
    let (mut certificates, mut key_in_clear) = (Vec::new(), false);
    let mut all = Der::new(contents).enter(SEQUENCE).unwrap_or(Der::new(&[]));
    for _ in 0..MOST {
        let Some(info) = all.enter(SEQUENCE) else { break };
        let Some(bags) = decrypted(info, opens == Some(true)) else { continue };
        key_in_clear |= bags_of(&bags, &mut certificates);
    }
    let mut facts = leaf(&certificates).map(Certificate::facts).unwrap_or_default();
    note(&mut facts, "key-kind", "pkcs12");
    let encrypted = match opens {
        Some(true) => "no",
        _ if key_in_clear => "no",
        Some(false) => "yes",
        None => "",
    };
    note(&mut facts, "encrypted", encrypted);
    facts
}

/// The bags of one content, in clear or under the empty password.
fn decrypted(mut info: Der<'_>, opens: bool) -> Option<Vec<u8>> {
    match info.take(OID)? {
        DATA => info.enter(EXPLICIT)?.take(OCTET_STRING).map(<[u8]>::to_vec),
        ENCRYPTED_DATA if opens => {
            let mut data = info.enter(EXPLICIT)?.enter(SEQUENCE)?;
            data.take(INTEGER)?;
            let mut content = data.enter(SEQUENCE)?;
            content.take(OID).filter(|kind| *kind == DATA)?;
            let algorithm = content.enter(SEQUENCE)?;
            let octets = content.take(0x80)?;
            let whole = |bytes: &Vec<u8>| Der::new(bytes).enter(SEQUENCE).is_some();
            pbe::EMPTY.iter().find_map(|password| pbe::decrypt(algorithm, password, octets).filter(whole))
        }
        _ => None,
    }
}

/// Collects the certificates among the bags in `bytes`; whether there is a key in clear.
fn bags_of(bytes: &[u8], certificates: &mut Vec<Certificate>) -> bool {
    let mut key_in_clear = false;
    let mut bags = Der::new(bytes).enter(SEQUENCE).unwrap_or(Der::new(&[]));
    for _ in 0..MOST {
        let Some(mut bag) = bags.enter(SEQUENCE) else { break };
        match bag.take(OID).and_then(|kind| kind.strip_prefix(BAG)) {
            Some([1]) => key_in_clear = true,
            Some([3]) => certificates.extend(certificate(bag)),
            _ => {}
        }
    }
    key_in_clear
}

/// The certificate in a bag.
fn certificate(mut bag: Der<'_>) -> Option<Certificate> {
    let mut value = bag.enter(EXPLICIT)?.enter(SEQUENCE)?;
    value.take(OID)?;
    x509::read(value.enter(EXPLICIT)?.take(OCTET_STRING)?)
}

/// The certificate that none of the others was issued by: the owner's.
fn leaf(certificates: &[Certificate]) -> Option<&Certificate> {
    let issues = |one: &Certificate| certificates.iter().any(|other| other != one && other.issuer == one.subject);
    certificates.iter().find(|one| !issues(one)).or(certificates.first())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::testing::{Is, facts, on, skipped_without, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn bundles() {
        let made = |seed| String::from_utf8(expand("<<pkcs12>>", seed).expect("known")).expect("ASCII");
        let whole = made(1);
        let bytes = b64::standard(whole.as_bytes()).expect("base64");
        let mut other = bytes.clone();
        other[6] = 4;
        table(
            &Pkcs12,
            &[
                ("whole", whole.clone(), Is::Held),
                ("another", made(2), Is::Held),
                ("version corrupted", b64::encode(&other), Is::Failed),
                ("longer than the pattern takes", whole[..whole.len() / 8 * 4].to_owned(), Is::Unknown),
                ("truncated in its head", whole[..8].to_owned(), Is::Failed),
                ("too long", format!("{whole}===="), Is::Failed),
                ("no sequence", format!("A{}", &whole[1..]), Is::Failed),
                ("not base64", "MIIK*".to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        let read = facts(on(&Pkcs12, &whole));
        assert_eq!(read.expires, Some(4_102_444_800));
        assert_eq!((read.named["encrypted"].as_str(), read.named["key-kind"].as_str()), ("no", "pkcs12"));
        assert_eq!(read.named["subject"], "specimen.keytrail.invalid");
        // With another code nothing but the password's owner opens it.
        let mut locked = bytes;
        let last = locked.len() - 20;
        locked[last] ^= 1;
        assert_eq!(facts(on(&Pkcs12, b64::encode(&locked))).named["encrypted"], "yes");
    }

    /// Bundles that OpenSSL makes, with every cipher it still has.
    #[test]
    fn openssl_agrees() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let run = |args: &[&str]| {
            let made = Command::new("openssl").args(args).current_dir(folder.path()).output();
            made.ok().filter(|made| made.status.success())
        };
        let subject = "/CN=witness.invalid";
        let request = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "c", "-days", "30", "-subj",
            subject,
        ];
        if run(&request).is_none() {
            return skipped_without("openssl");
        }
        let mut seen = 0;
        for (password, options, encrypted) in [
            ("", [].as_slice(), "no"),
            ("", &["-macalg", "sha1"], "no"),
            ("", &["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"], "no"),
            ("", &["-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES", "-legacy"], "no"),
            ("", &["-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC"], "no"),
            ("", &["-certpbe", "NONE", "-keypbe", "NONE"], "no"),
            ("locked", &[], "yes"),
        ] {
            let pass = format!("pass:{password}");
            let mut args = vec!["pkcs12", "-export", "-inkey", "k", "-in", "c", "-out", "p", "-passout", &pass];
            args.extend(options);
            if run(&args).is_none() {
                continue;
            }
            let bundle = std::fs::read(folder.path().join("p")).expect("openssl wrote it");
            let read = facts(on(&Pkcs12, b64::encode(&bundle)));
            assert_eq!(read.named["encrypted"], encrypted, "{options:?}");
            if encrypted == "no" {
                assert_eq!(read.named.get("subject").map(String::as_str), Some("witness.invalid"), "{options:?}");
                assert!(read.expires > read.created && read.created.is_some());
            }
            seen += 1;
        }
        assert!(seen >= 4, "{seen} kinds of bundles");
    }
}

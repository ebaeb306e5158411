//! X.509 certificates: whose, by whom, until when, and the key in them.
//!
//! Source: RFC 5280 section 4.1, appendix A.

use super::der::{Der, INTEGER, OID, SEQUENCE};
use super::fact::{iso_time, note};
use super::ssh::fingerprint;
use super::{armor, b64, key};
use crate::finding::Facts;

/// `UTCTime`.
const UTC_TIME: u8 = 0x17;
/// `GeneralizedTime`.
const GENERALIZED_TIME: u8 = 0x18;
/// `SET`.
const SET: u8 = 0x31;
/// `BMPString`: UTF-16, big endian.
const BMP_STRING: u8 = 0x1e;

/// Attributes of a name that may stand for it: common name, organisation, unit.
const ATTRIBUTES: [&[u8]; 3] = [&[0x55, 4, 3], &[0x55, 4, 0x0a], &[0x55, 4, 0x0b]];

/// Most certificates in armour that are looked at.
const MOST: usize = 6;

/// Longest certificate in armour, in bytes.
const LONGEST: usize = 12 << 10;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Common name of its owner, or what stands for it.
    pub(super) subject: String,
    /// Of who issued it.
    pub(super) issuer: String,
    /// First second it is valid, since 1970.
    pub(super) from: Option<i64>,
    /// Last second it is valid, since 1970.
    pub(super) until: Option<i64>,
    /// Its public key in SSH wire form, where SSH has one.
    pub(super) public: Option<Vec<u8>>,
}

impl Certificate {
    /// What reports say of it.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts { created: self.from, expires: self.until, ..Facts::default() };
        note(&mut facts, "subject", &self.subject);
        note(&mut facts, "issuer", &self.issuer);
        note(&mut facts, "public-key-fingerprint", self.public.as_deref().map(fingerprint).unwrap_or_default());
        facts
    }
}

/// Reads a certificate in DER.
pub(super) fn read(bytes: &[u8]) -> Option<Certificate> {
    let mut fields = Der::new(bytes).enter(SEQUENCE)?.enter(SEQUENCE)?;
    fields.take(0xa0); // version
    fields.take(INTEGER)?;
    fields.take(SEQUENCE)?; // algorithm
    let issuer = name(fields.enter(SEQUENCE)?);
    let mut validity = fields.enter(SEQUENCE)?;
    let (from, until) = (time(validity.next()?), time(validity.next()?));
    let subject = name(fields.enter(SEQUENCE)?);
    let public = key::public(fields.enter(SEQUENCE)?);
    Some(Certificate { subject, issuer, from, until, public })
}

/// What the certificate among those in PEM armour in `text` says that holds the key of this fingerprint.
pub(crate) fn certificate_of(text: &[u8], fingerprint: &str) -> Option<Facts> {
    let starts = memchr::memmem::find_iter(text, b"-----BEGIN CERTIFICATE-----").take(MOST);
    let certificates = starts.filter_map(|at| {
        let block = armor::block(&text[at..text.len().min(at + LONGEST)], "CERTIFICATE")?;
        read(&b64::standard(&block.body())?)
    });
    let mut facts = certificates
        .map(|one| one.facts())
        .find(|facts| facts.named.get("public-key-fingerprint").is_some_and(|found| found == fingerprint))?;
    if let Some(subject) = facts.named.remove("subject") {
        facts.named.insert("certificate".into(), subject);
    }
    Some(facts)
}

/// The name's first attribute of the most telling kind.
fn name(name: Der<'_>) -> String {
    let of_kind = |kind: &[u8]| {
        let mut sets = name;
        while let Some(mut set) = sets.enter(SET) {
            while let Some(mut attribute) = set.enter(SEQUENCE) {
                if attribute.take(OID) == Some(kind) {
                    return attribute.next().map(text);
                }
            }
        }
        None
    };
    ATTRIBUTES.iter().find_map(|kind| of_kind(kind)).unwrap_or_default()
}

/// A string of any of the types that names have.
fn text((tag, bytes): (u8, &[u8])) -> String {
    if tag != BMP_STRING {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A time, in seconds since 1970. Two digits of a year mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
fn time((tag, bytes): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('Z')?;
    let full = match tag {
        GENERALIZED_TIME => text.to_owned(),
        UTC_TIME => format!("{}{text}", if text.as_bytes().first()? < &b'5' { "20" } else { "19" }),
        _ => return None,
    };
    let (day, second) = full.split_at_checked(8)?;
    iso_time(&format!("{day}T{second}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen::key::{certificate, der, sequence};
    use crate::specimen::random::Random;

    #[test]
    fn certificates_tell_whose_and_until_when() {
        let bytes = certificate(&mut Random::new(1));
        let read = read(&bytes).expect("it is one");
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("specimen.keytrail.invalid", "keytrail specimens"));
        assert_eq!((read.from, read.until), (Some(1_767_225_600), Some(4_102_444_800)));
        let facts = read.facts();
        assert!(facts.named["public-key-fingerprint"].starts_with("SHA256:"));
        assert_eq!(facts.expires, read.until);
    }

    #[test]
    fn what_is_cut_or_damaged_is_none_or_says_less() {
        let bytes = certificate(&mut Random::new(2));
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), None, "{cut}");
        }
        let mut random = Random::new(3);
        for _ in 0..2_000 {
            let mut damaged = bytes.clone();
            let at = random.below(damaged.len() as u64) as usize;
            damaged[at] = random.next() as u8;
            read(&damaged);
        }
        assert_eq!(read(&sequence(&[der(2, &[1])])), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn times_and_strings() {
        assert_eq!(time((UTC_TIME, b"260101000000Z")), Some(1_767_225_600));
        assert_eq!(time((GENERALIZED_TIME, b"20260101000000Z")), Some(1_767_225_600));
        assert_eq!(time((UTC_TIME, b"500101000000Z")), None, "before 1970");
        for bad in [b"".as_slice(), b"Z", b"2601Z", b"260101000000", b"26\xff101000000Z"] {
            assert_eq!(time((UTC_TIME, bad)), None);
        }
        assert_eq!(text((BMP_STRING, &[0, b'a', 0, b'b', 0xd8, 0])), "ab\u{fffd}");
    }
}

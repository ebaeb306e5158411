//! Containers of keys, recognised by their first bytes: PKCS #12 (PFX), Java key stores (JKS, JCEKS).
//!
//! Formats: RFC 7292 section 4 in DER; OpenJDK `sun.security.provider.JavaKeyStore`; read 2026-11.

use super::{Kind, Observation};

/// Key containers.
pub(super) const KIND: Kind = Kind { wants, observe };

/// First bytes of a Java key store, big-endian.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// First bytes of a JCE key store, big-endian.
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// By the first bytes.
fn wants(_path: &[u8], first: &[u8]) -> bool {
    format(first).is_some()
}

/// The format's word.
fn format(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(&JKS) {
        Some("jks")
    } else if first.starts_with(&JCEKS) {
        Some("jceks")
    } else {
        is_pkcs12(first).then_some("pkcs12")
    }
}

/// Whether `first` begins a PFX: SEQUENCE { INTEGER 3, SEQUENCE { OID of PKCS #7 data or signed data, … } … }.
fn is_pkcs12(first: &[u8]) -> bool {
    let inner = sequence(first).and_then(|rest| rest.strip_prefix(&[0x02, 0x01, 0x03])).and_then(sequence);
    let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    inner.and_then(|rest| rest.strip_prefix(&oid)).is_some_and(|rest| matches!(rest.first(), Some(1 | 2)))
}

/// What follows the header of a DER or BER sequence.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[0x30])?;
    let (&length, rest) = rest.split_first()?;
    match length {
        0..=0x80 => Some(rest),
        _ => rest.get(usize::from(length & 0x7f)..),
    }
}

/// One fact: the format and, for Java's, how many entries of which sort. (A store of certificates alone holds no
/// secret.)
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let Some(format) = format(bytes) else { return Vec::new() };
    let entries = if format == "pkcs12" { None } else { Entries::count(bytes) };
    let count = |count: fn(&Entries) -> u32| entries.as_ref().map(|entries| count(entries).to_string());
    let values = [
        ("certificates", count(|entries| entries.certificates).unwrap_or_default()),
        ("format", format.to_owned()),
        ("keys", count(|entries| entries.keys).unwrap_or_default()),
    ];
    vec![Observation::new("key-container", path, values)]
}

/// Entries of a Java key store.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    /// Private or secret keys.
    keys: u32,
    /// Trusted certificates.
    certificates: u32,
}

impl Entries {
    /// Counts them; `None` when the store goes on past `bytes` or is of another shape.
    fn count(bytes: &[u8]) -> Option<Self> {
        let mut rest = Cursor(bytes.get(4..)?);
        let version = rest.number()?;
        let count = rest.number()?;
        let mut entries = Self::default();
        for _ in 0..count {
            match rest.number()? {
                1 => {
                    rest.alias_and_date()?;
                    rest.skip_long()?;
                    for _ in 0..rest.number()? {
                        rest.certificate(version)?;
                    }
                    entries.keys += 1;
                }
                2 => {
                    rest.alias_and_date()?;
                    rest.certificate(version)?;
                    entries.certificates += 1;
                }
                // A JCE secret key is a serialised object of no stated length: what follows can't be counted.
                _ => return None,
            }
        }
        Some(entries)
    }
}

/// The bytes not yet read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Skips `count` bytes.
    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    /// Four bytes, big-endian.
    fn number(&mut self) -> Option<u32> {
        let number = u32::from_be_bytes(*self.0.first_chunk()?);
        self.skip(4)?;
        Some(number)
    }

    /// Bytes after their length in four bytes.
    fn skip_long(&mut self) -> Option<()> {
        let length = self.number()?;
        self.skip(usize::try_from(length).ok()?)
    }

    /// A text after its length in two bytes.
    fn skip_text(&mut self) -> Option<()> {
        let length = u16::from_be_bytes(*self.0.first_chunk()?);
        self.skip(2 + usize::from(length))
    }

    /// An entry's alias and date (8 bytes).
    fn alias_and_date(&mut self) -> Option<()> {
        self.skip_text()?;
        self.skip(8)
    }

    /// A certificate; from version 2 on, its type comes first.
    fn certificate(&mut self, version: u32) -> Option<()> {
        if version >= 2 {
            self.skip_text()?;
        }
        self.skip_long()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Java key store with these entries: (tag, certificates in the chain).
    fn store(entries: &[(u32, u32)]) -> Vec<u8> {
        let certificate = [&[0, 5][..], b"X.509", &3_u32.to_be_bytes(), b"der"].concat();
        let mut bytes = [&JKS[..], &2_u32.to_be_bytes(), &(entries.len() as u32).to_be_bytes()].concat();
        for &(tag, chain) in entries {
            bytes.extend([&tag.to_be_bytes()[..], &[0, 1], b"a", &[0; 8]].concat());
            if tag == 1 {
                bytes.extend([&4_u32.to_be_bytes()[..], b"key!", &chain.to_be_bytes()].concat());
            }
            (0..chain).for_each(|_| bytes.extend(&certificate));
        }
        bytes.extend([0; 20]);
        bytes
    }

    #[test]
    fn java_stores_are_counted() {
        let bytes = store(&[(2, 1), (1, 2), (1, 0)]);
        assert_eq!(Entries::count(&bytes), Some(Entries { keys: 2, certificates: 1 }));
        for end in 0..bytes.len() - 20 {
            assert_eq!(Entries::count(&bytes[..end]), None, "cut at {end}");
        }
        assert_eq!(Entries::count(&store(&[(3, 0)])), None);
        let facts = observe(b"a.jks", &bytes);
        assert_eq!(
            facts[0].values,
            [("certificates", "1"), ("format", "jks"), ("keys", "2")].map(|(n, v)| (n.into(), v.to_owned()))
        );
    }

    #[test]
    fn pfx_files_are_told_from_other_der() {
        let tail = [0x02, 0x01, 0x03, 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
        for header in [&[0x30, 0x82, 0x09, 0xb0][..], &[0x30, 0x80], &[0x30, 0x40], &[0x30, 0x83, 1, 2, 3]] {
            assert_eq!(format(&[header, &tail].concat()), Some("pkcs12"));
        }
        for other in [&[0x30, 0x82, 0x01][..], &[0x30], &[], &[0x30, 0xff], &[0x30, 0x82, 1, 1, 0x02, 0x01, 0x00]] {
            assert_eq!(format(other), None);
        }
    }
}

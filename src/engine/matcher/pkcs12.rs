//! PKCS #12 files (PFX) as they lie on disk: DER, not text. Found by what follows the outer header: version 3, then a
//! sequence with the object identifier of PKCS #7 data. Source: RFC 7292 section 4.

use crate::location::Span;

use super::{CodeMatcher, RawMatch};

/// How far from the keyword a file is looked at, in bytes. One with a 2048-bit key and a certificate has some 2,500; of a
/// larger one the match is what lies before.
const CAP: usize = 8 * 1024;

/// Fewest bytes of a file with a key in it: an Ed25519 key without a certificate takes some 400.
const LEAST: usize = 200;

/// The matcher. Its keyword is version 3 and the tag of the sequence behind it.
pub(super) struct Pkcs12;

impl CodeMatcher for Pkcs12 {
    fn name(&self) -> &'static str {
        "pkcs12-file"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let file = file(text, keyword).filter(|file| file.start >= floor)?;
        let file = Span::new(file.start, file.end.min(keyword.end + CAP));
        Some(RawMatch { whole: file, secret: file, decoded: None, companions: Vec::new(), bare: false })
    }

    fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        file(text, keyword).is_some()
    }

    fn reach(&self) -> usize {
        CAP
    }
}

/// The file whose version stands at the keyword, if all of it is there.
fn file(text: &[u8], keyword: Span) -> Option<Span> {
    let start = (2..=5).filter_map(|header| keyword.start.checked_sub(header)).find(|&start| {
        // The header must end where the version begins.
        header(&text[start..]).is_some_and(|(header, _)| start + header == keyword.start)
    })?;
    let (header_len, length) = header(&text[start..])?;
    let end = start.checked_add(header_len)?.checked_add(length).filter(|&end| end <= text.len())?;
    let inner = text.get(keyword.end - 1..)?;
    let (inner_header, _) = header(inner)?;
    let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    let is_pkcs7 =
        inner.get(inner_header..)?.strip_prefix(&oid).is_some_and(|rest| matches!(rest.first(), Some(1 | 2)));
    (is_pkcs7 && length >= LEAST).then(|| Span::new(start, end))
}

/// Length of a DER sequence's header, and of its content, in bytes.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let (&[0x30, first], rest) = bytes.split_first_chunk::<2>()? else { return None };
    match first {
        0..=0x7f => Some((2, usize::from(first))),
        0x81..=0x83 => {
            let count = usize::from(first & 0x7f);
            let length = rest.get(..count)?.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            Some((2 + count, length))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen::expand;

    /// Where the keyword stands in `text`.
    fn keyword(text: &[u8]) -> Span {
        let at = memchr::memmem::find(text, b"\x02\x01\x030").expect("version 3");
        Span::new(at, at + 4)
    }

    #[test]
    fn whole_files_are_found_wherever_they_begin() {
        let file = expand("<<pfx:abc>>", 1).expect("a template");
        for before in ["", "x", "PFX\n"] {
            let text = [before.as_bytes(), &file, b"tail"].concat();
            let raw = Pkcs12.find(&text, keyword(&text), 0).expect("a file");
            assert_eq!(raw.secret, Span::new(before.len(), before.len() + file.len()));
            assert!(Pkcs12.may_match(&text, keyword(&text)));
            assert_eq!(Pkcs12.find(&text, keyword(&text), before.len() + 1), None, "it begins before the floor");
        }
        let cut = &file[..file.len() - 1];
        assert_eq!(Pkcs12.find(cut, keyword(cut), 0), None, "the end is not there");
        let mut other = file.clone();
        let at = keyword(&file).end + 5;
        other[at] ^= 1;
        assert_eq!(Pkcs12.find(&other, keyword(&other), 0), None, "another object identifier");
        for end in 0..file.len().min(64) {
            for start in 0..end.saturating_sub(4) {
                Pkcs12.find(&file[..end], Span::new(start, start + 4), 0);
            }
        }
    }
}

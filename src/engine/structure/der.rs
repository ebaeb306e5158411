//! A reader of DER (ITU-T X.690), as far as private keys need it: definite lengths, one-byte tags.

/// `INTEGER`.
pub(super) const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub(super) const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub(super) const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`.
pub(super) const OID: u8 = 0x06;
/// `SEQUENCE`.
pub(super) const SEQUENCE: u8 = 0x30;

/// What is left to read of one value's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Reads `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value: its tag and content. `None` where nothing is left or the value goes past the end.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            // BER's indefinite form isn't DER.
            0x80 => return None,
            // Up to four bytes: keys are far smaller than 4 GiB.
            0x81..=0x84 => {
                let (bytes, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = behind;
                bytes.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte))
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        Some((tag, content))
    }

    /// The next value's content if it has `tag`; nothing is taken otherwise.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// The inside of the next value if it has `tag`.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Der<'a>> {
        self.take(tag).map(Der)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_bad_lengths_refused() {
        let mut der = Der::new(&[0x30, 0x03, 0x02, 0x01, 0x07, 0x04, 0x81, 0x01, 0xff]);
        assert_eq!(der.peek(), Some(SEQUENCE));
        assert!(der.take(INTEGER).is_none());
        assert_eq!(der.enter(SEQUENCE).and_then(|mut inner| inner.take(INTEGER)), Some([7].as_slice()));
        assert_eq!(der.next(), Some((OCTET_STRING, [0xff].as_slice())));
        assert!(der.is_empty());
        for bad in [
            [].as_slice(),
            &[2],
            &[2, 1],
            &[2, 0x80, 0, 0],
            &[2, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[2, 0x85, 0, 0, 0, 0, 0],
            &[2, 0x82, 1],
        ] {
            assert_eq!(Der::new(bad).next(), None, "{bad:?}");
        }
    }
}

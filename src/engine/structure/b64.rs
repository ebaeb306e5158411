//! Base64 as it is met in the wild: with or without padding, with stray last bits.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Forgives missing padding and last bits that aren't zero; both are common in hand-edited files.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// RFC 4648 section 4.
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// RFC 4648 section 5.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Decodes the standard alphabet; `None` where it isn't that.
pub(crate) fn standard(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes the URL-safe alphabet; `None` where it isn't that.
pub(crate) fn url_safe(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).ok()
}

/// Decodes whichever of the two alphabets `text` keeps to; `None` where it mixes them or is neither.
pub(crate) fn either(text: &[u8]) -> Option<Vec<u8>> {
    standard(text).or_else(|| url_safe(text))
}

/// Encodes with the standard alphabet and padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Encodes with the standard alphabet, without padding.
pub(crate) fn encode_unpadded(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

/// Encodes with the URL-safe alphabet, without padding.
pub(crate) fn encode_url_safe(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_last_bits_are_forgiven_and_alphabets_kept_apart() {
        for (text, expected) in [
            ("aGk=", Some(b"hi".as_slice())),
            ("aGk", Some(b"hi")),
            ("aGl", Some(b"hi")),
            ("-_-_", Some(b"\xfb\xff\xbf")),
            ("+/+/", Some(b"\xfb\xff\xbf")),
            ("+_+_", None),
            ("a", None),
            ("a b=", None),
        ] {
            assert_eq!(either(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}

//! The small parts; what rule files mean as a whole is tested in `gitleaks`.

use super::*;

#[test]
fn entropy_is_bits_per_character() {
    for (text, bits) in [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("éaéa", 1.0), ("日本語文", 2.0)]
    {
        assert!((entropy(text.as_bytes()) - bits).abs() < 1e-9, "{text}");
    }
}

#[test]
fn line_breaks_around_a_match_are_no_part_of_it() {
    for (text, expected) in [("\n\nab\nc\n", 2..6), ("ab", 0..2), ("\n\n", 0..2), ("", 0..0), ("\r\n", 0..1)] {
        assert_eq!(trimmed(text.as_bytes(), Span::new(0, text.len())), expected.into(), "{text:?}");
    }
}

//! Random texts over an alphabet that never look like placeholders.

use super::random::Random;

/// `a-z`.
pub(super) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
/// `A-Z`.
pub(super) const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// `0-9`.
pub(super) const DIGIT: &[u8] = b"0123456789";
/// Letters of both cases and digits.
pub(super) const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Upper-case letters and digits.
pub(super) const UPNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Lower-case letters and digits.
pub(super) const LOWNUM: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Hexadecimal digits, lower case.
pub(super) const HEX: &[u8] = b"0123456789abcdef";
/// Hexadecimal digits, upper case.
pub(super) const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
/// RFC 4648 section 6.
pub(super) const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// RFC 4648 section 6, lower case.
pub(super) const BASE32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
/// RFC 4648 section 4.
pub(super) const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// RFC 4648 section 5.
pub(super) const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What a password's third class of characters is taken from.
pub(super) const SYMBOLS: &[u8] = b"!@#%^*-_";
/// Everything a password is made of.
const PASSWORD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#%^*-_";

/// Words that placeholder filters look for, lower case. A random text that holds one by chance (some 1 in 1000 for 40
/// characters) would make a rule's example fail for a reason its author can't see.
const PLACEHOLDER_WORDS: &[&[u8]] = &[
    b"test",
    b"fake",
    b"demo",
    b"exam",
    b"samp",
    b"dumm",
    b"mock",
    b"plac",
    b"hold",
    b"your",
    b"chan",
    b"pass",
    b"pwd",
    b"secr",
    b"toke",
    b"redac",
    b"todo",
    b"null",
    b"none",
    b"void",
    b"xxx",
    b"foo",
    b"abc",
    b"123",
    b"qwe",
    b"asdf",
    b"admin",
    b"user",
    b"name",
    b"some",
    b"here",
    b"conf",
    b"root",
    b"guest",
    b"temp",
    b"insert",
    b"enter",
    b"mykey",
    b"value",
    b"string",
    b"false",
    b"true",
    b"deadbeef",
    b"cafe",
    b"hunter",
];

/// Shortest text that must hold every class of its alphabet: under that, many real tokens don't.
const CLASSES_FROM: usize = 8;

/// `length` characters of `alphabet` (ten different ones at least): no run of four equal or neighbouring characters,
/// no placeholder word, and from eight characters on one of each of lower case, upper case and digits that the
/// alphabet has. Any character may be the first or last one, as in real tokens.
pub(super) fn random_text(random: &mut Random, alphabet: &[u8], length: usize) -> Vec<u8> {
    let classes: [fn(&u8) -> bool; 3] = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    loop {
        let mut text = Vec::with_capacity(length);
        while text.len() < length {
            text.push(*random.pick(alphabet));
            if ends_like_placeholder(&text) {
                text.pop();
            }
        }
        let complete = classes.iter().all(|class| !alphabet.iter().any(class) || text.iter().any(class));
        if length < CLASSES_FROM || complete {
            return text;
        }
    }
}

/// A password: starts with a letter (unquoted YAML and INI values do), and from four characters on has a lower-case
/// letter, an upper-case one, a digit and one of [`SYMBOLS`].
pub(super) fn password(random: &mut Random, length: usize) -> Vec<u8> {
    loop {
        let text = random_text(random, PASSWORD, length);
        let has = |class: &[u8]| text.iter().any(|byte| class.contains(byte));
        let complete = [LOWER, UPPER, DIGIT, SYMBOLS].into_iter().all(has);
        if length < 4 || complete && text[0].is_ascii_alphabetic() {
            return text;
        }
    }
}

/// Whether no part of `text` looks like a placeholder or is repetitive.
pub(super) fn is_plain(text: &[u8]) -> bool {
    !(1..=text.len()).any(|end| ends_like_placeholder(&text[..end]))
}

/// Whether a placeholder word stands anywhere in `text`.
pub(super) fn has_placeholder_word(text: &[u8]) -> bool {
    (1..=text.len()).any(|end| ends_in_word(&text[..end]))
}

/// Whether the end of `text` is a run of four or a placeholder word.
fn ends_like_placeholder(text: &[u8]) -> bool {
    let run = text.last_chunk::<4>().is_some_and(|last| {
        [0, 1, u8::MAX].iter().any(|step| last.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(*step)))
    });
    run || ends_in_word(text)
}

/// Whether the end of `text` is a placeholder word.
fn ends_in_word(text: &[u8]) -> bool {
    PLACEHOLDER_WORDS
        .iter()
        .any(|word| text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_no_word_and_every_class() {
        for alphabet in
            [ALNUM, UPNUM, LOWNUM, HEX, HEX_UPPER, BASE32, BASE32_LOWER, BASE64, BASE64_URL, DIGIT, LOWER, UPPER]
        {
            for seed in 0..50 {
                let text = random_text(&mut Random::new(seed), alphabet, 32);
                assert!(is_plain(&text), "{}", String::from_utf8_lossy(&text));
                assert!(text.iter().all(|byte| alphabet.contains(byte)));
                assert_eq!(alphabet.iter().any(u8::is_ascii_digit), text.iter().any(u8::is_ascii_digit));
                assert_eq!(alphabet.iter().any(u8::is_ascii_uppercase), text.iter().any(u8::is_ascii_uppercase));
            }
        }
    }

    #[test]
    fn passwords_have_all_four_classes() {
        for seed in 0..200 {
            for length in [4, 5, 12] {
                let text = password(&mut Random::new(seed), length);
                for class in [LOWER, UPPER, DIGIT, SYMBOLS] {
                    assert!(text.iter().any(|byte| class.contains(byte)), "{}", String::from_utf8_lossy(&text));
                }
            }
        }
        assert_eq!(password(&mut Random::new(1), 3).len(), 3);
        assert!(password(&mut Random::new(1), 0).is_empty());
    }

    #[test]
    fn placeholders_are_seen() {
        for bad in ["zzzz", "x7XXXXq", "4567", "dcba", "aTeStb", "k123"] {
            assert!(!is_plain(bad.as_bytes()), "{bad}");
        }
        for good in ["", "zzz", "q7Wk2pLx", "aabbaabb"] {
            assert!(is_plain(good.as_bytes()), "{good}");
        }
    }
}

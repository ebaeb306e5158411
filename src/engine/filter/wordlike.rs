//! Values that are words: prose, translations, identifiers, type names. A first, plain judgement for the generic rules.

use super::{Candidate, Filter, Opinion, shannon};

/// The filter.
pub(super) struct Wordlike;

impl Filter for Wordlike {
    fn id(&self) -> &'static str {
        "wordlike"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let secret = candidate.secret;
        if secret.iter().any(|byte| byte.is_ascii_whitespace() || *byte < 0x20 || *byte >= 0x7f) {
            return Opinion::Drop("it is a text");
        }
        if secret.iter().all(u8::is_ascii_digit) {
            return Opinion::Drop("it is a number");
        }
        if memchr::memmem::find(&candidate.name.to_ascii_lowercase(), b"public").is_some() {
            return Opinion::Drop("its name says that it is public");
        }
        if same_words(candidate.name, secret) {
            return Opinion::Drop("it repeats its name");
        }
        let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = secret.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        let identifier = secret.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(byte));
        if identifier && digits == 0 && !is_mixed(secret) {
            return Opinion::Drop("it is an identifier");
        }
        if candidate.bare && is_code(secret) {
            return Opinion::Drop("it is a piece of code");
        }
        if candidate.bare && is_cut_code(secret) {
            return Opinion::Lower("it stands without quotes and reads like code");
        }
        if candidate.bare && is_name(secret) {
            return Opinion::Lower("it stands without quotes and reads like a name");
        }
        if digits == 0 && letters == secret.len() && secret.len() < 20 {
            return Opinion::Lower("it is letters only");
        }
        if is_uuid(secret) {
            return Opinion::Lower("it is a UUID, which may be an identifier");
        }
        if letters == 0 && digits < 4 {
            return Opinion::Drop("it is punctuation");
        }
        if letters == 0 {
            return Opinion::Lower("it is digits and punctuation, as in versions, dates and numbers");
        }
        if shannon(secret) < 2.5 {
            return Opinion::Lower("its characters are too uniform to be random");
        }
        Opinion::Keep
    }
}

/// Whether upper and lower case change often, as in random text and not as in `camelCaseNames`.
fn is_mixed(secret: &[u8]) -> bool {
    let letters: Vec<u8> = secret.iter().copied().filter(u8::is_ascii_alphabetic).collect();
    let changes =
        letters.windows(2).filter(|pair| pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase()).count();
    letters.len() >= 16 && changes * 3 >= letters.len()
}

/// Calls, paths, macros and type arguments, as no shell or configuration file has them in a value.
fn is_code(secret: &[u8]) -> bool {
    let holds = |piece: &&[u8]| memchr::memmem::find(secret, piece).is_some();
    let starts_a_word = secret.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let opens = secret.first().is_some_and(|byte| b"[({&*".contains(byte)) && !secret.ends_with(b"=");
    opens || starts_a_word && [b"::".as_slice(), b"![", b"!(", b"->", b"()", b").", b"]."].iter().any(holds)
}

/// An index or a call cut off at its first comma: `Tuple[int`, `Callable[[str`, `parse(a`.
fn is_cut_code(secret: &[u8]) -> bool {
    let opens = |pair: &[u8]| (pair[0].is_ascii_alphanumeric() || pair[0] == b'_') && b"[(".contains(&pair[1]);
    secret.windows(2).any(opens)
}

/// A word or several joined by `_`, `.` or `-`, with at most a number at an end: `u32`, `MAX_KEY_LEN2`, `foo.bar_id`.
fn is_name(secret: &[u8]) -> bool {
    let changes = secret.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    secret.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
        && changes < 4
        && secret.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// Whether the value is made of its name's own words: `password: "user_password"`.
pub(crate) fn same_words(name: &[u8], secret: &[u8]) -> bool {
    let fold = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
    };
    let (name, secret) = (fold(name), fold(secret));
    name.len() >= 4 && secret.len() >= 4 && (name == secret || name.ends_with(&secret) || secret.ends_with(&name))
}

/// Eight, four, four, four and twelve hex digits.
pub(crate) fn is_uuid(secret: &[u8]) -> bool {
    secret.len() == 36
        && secret.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{opinion, opinion_of};
    use super::*;

    #[test]
    fn bare_code_and_names_are_doubted() {
        for secret in [
            "Token![struct]",
            "MLDSA44_PRIVATE_KEY_BYTES",
            "Vec::new()",
            "[0_u8",
            "stream.token2",
            "Tuple[int",
            "{.type=JSON_TYPE",
            "format!(",
            "&[&Token])",
        ] {
            assert!(!matches!(opinion_of("wordlike", "key", secret, 0.0, true), Opinion::Keep), "{secret}");
        }
        for secret in ["kX9!mmq2zz", "a1b2c3d4e5f6", "9f86d081884c7d659a2feaa0c55ad015", "Zx81/q9+Kd=="] {
            assert_eq!(opinion_of("wordlike", "key", secret, 0.0, true), Opinion::Keep, "{secret}");
        }
    }

    #[test]
    fn words_go_and_values_stay() {
        for (name, secret) in [
            ("password", "Enter your password"),
            ("password", "user_password"),
            ("secret_name", "my-app-config"),
            ("token", "12345678"),
            ("password", "Passwort"),
            ("apiKeyHeader", "x-api-key"),
            ("publicKeyToken", "b77a5c561934e089"),
            ("spwd", "3.0-3.12"),
        ] {
            assert!(!matches!(opinion("wordlike", name, secret, 0.0), Opinion::Keep), "{name} {secret}");
        }
        for secret in ["kX9!mmq2zz", "hunter2hunter9", "9f86d081884c7d659a2feaa0c55ad015", "aBcXyZkLmNoPqRsTuVwX!"] {
            assert_eq!(opinion("wordlike", "password", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

//! Values that their surroundings state to be a password: `mysql -p…`, `user:…@host`, `IDENTIFIED BY '…'`. People choose
//! words for these, so a word is doubted and not dropped; names of what belongs there, and prose, are dropped.

use super::{Candidate, Filter, Opinion};

/// The filter.
pub(super) struct Stated;

/// Words of which names of a password are made, lower case: `db_password`, `NEW-PASS`, `myUserPwd`, `secretKey`.
const NAMES: [&[u8]; 56] = [
    b"access",
    b"account",
    b"adm",
    b"admin",
    b"any",
    b"api",
    b"app",
    b"auth",
    b"bad",
    b"client",
    b"correct",
    b"credential",
    b"credentials",
    b"current",
    b"db",
    b"default",
    b"domain",
    b"ftp",
    b"hashed",
    b"invalid",
    b"key",
    b"login",
    b"my",
    b"name",
    b"new",
    b"old",
    b"pass",
    b"passphrase",
    b"passwd",
    b"password",
    b"passwords",
    b"passwort",
    b"plain",
    b"proxy",
    b"pw",
    b"pwd",
    b"random",
    b"remote",
    b"root",
    b"secret",
    b"secure",
    b"server",
    b"service",
    b"some",
    b"ssh",
    b"strong",
    b"system",
    b"temp",
    b"that",
    b"the",
    b"this",
    b"token",
    b"user",
    b"valid",
    b"wrong",
    b"your",
];

/// Words that follow the name of an option in prose and help texts, lower case: "the `--password` flag may be used".
const PROSE: [&[u8]; 59] = [
    b"and",
    b"are",
    b"argument",
    b"arguments",
    b"as",
    b"authentication",
    b"based",
    b"because",
    b"but",
    b"can",
    b"command",
    b"disable",
    b"enable",
    b"expire",
    b"expired",
    b"external",
    b"externally",
    b"field",
    b"file",
    b"flag",
    b"flags",
    b"for",
    b"force",
    b"from",
    b"globally",
    b"has",
    b"hash",
    b"have",
    b"history",
    b"input",
    b"into",
    b"lock",
    b"must",
    b"name",
    b"not",
    b"option",
    b"options",
    b"parameter",
    b"parameters",
    b"policy",
    b"prompt",
    b"protected",
    b"read",
    b"require",
    b"reset",
    b"should",
    b"specify",
    b"stored",
    b"string",
    b"switch",
    b"the",
    b"unlock",
    b"use",
    b"used",
    b"using",
    b"verify",
    b"when",
    b"will",
    b"with",
];

/// Words in capitals that manuals put where a value belongs.
const METAVARIABLES: [&[u8]; 5] = [b"VALUE", b"STRING", b"TEXT", b"WORD", b"SOMETHING"];

/// Longest name that is taken apart, in bytes.
const LONGEST_NAME: usize = 48;

impl Filter for Stated {
    fn id(&self) -> &'static str {
        "stated"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let secret = candidate.secret;
        if secret.iter().any(|byte| !byte.is_ascii_graphic()) {
            return Opinion::Drop("it is a text");
        }
        if is_name_of_a_password(secret) {
            return Opinion::Drop("it names what belongs there");
        }
        let bare =
            secret.strip_suffix(b",").or(secret.strip_suffix(b".")).or(secret.strip_suffix(b":")).unwrap_or(secret);
        if PROSE.iter().any(|word| bare.eq_ignore_ascii_case(word)) {
            return Opinion::Drop("it is a word of a sentence");
        }
        if secret.iter().all(|byte| byte.eq_ignore_ascii_case(&secret[0])) {
            return Opinion::Drop("it is one character repeated");
        }
        if is_port(secret) {
            return Opinion::Drop("it is a port before a query");
        }
        let before_escape = secret.split(|byte| *byte == b'\\').next().unwrap_or_default();
        if is_constant(secret) || METAVARIABLES.contains(&before_escape) {
            return Opinion::Drop("it is the name of a variable");
        }
        if is_format(secret) {
            return Opinion::Drop("it is a slot of a format string");
        }
        if secret.iter().all(|byte| !byte.is_ascii_alphanumeric() && byte.is_ascii()) {
            return Opinion::Drop("it is punctuation");
        }
        if !secret.iter().any(u8::is_ascii_digit)
            && !is_unspeakable(secret)
            && secret.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(byte))
        {
            return Opinion::Lower("it may be a word");
        }
        Opinion::Keep
    }
}

/// Whether nothing but words of [`NAMES`] and separators make it up, one of them a word for a secret.
fn is_name_of_a_password(secret: &[u8]) -> bool {
    if secret.len() > LONGEST_NAME {
        return false;
    }
    let folded = secret.to_ascii_lowercase();
    let mut rest = folded.as_slice();
    let mut is_secret = false;
    while !rest.is_empty() {
        if b"_-. ".contains(&rest[0]) {
            rest = &rest[1..];
            continue;
        }
        let Some(word) = NAMES.iter().filter(|word| rest.starts_with(word)).max_by_key(|word| word.len()) else {
            return false;
        };
        is_secret |= word[0] == b'p' || [b"secret".as_slice(), b"key", b"token"].contains(word);
        rest = &rest[word.len()..];
    }
    is_secret
}

/// `DB_PASS`, `MYSQL_ROOT_PW`: upper-case words joined by `_`.
fn is_constant(secret: &[u8]) -> bool {
    secret.contains(&b'_')
        && secret.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        && secret[0].is_ascii_uppercase()
}

/// Consonants in a row that words, and most words put together, don't have: `passwordStrings` has five.
const UNSPEAKABLE: usize = 7;

/// `yqDVtkqPEC`: letters that nobody put together. `y` counts as a vowel.
fn is_unspeakable(secret: &[u8]) -> bool {
    let is_consonant = |byte: &u8| byte.is_ascii_alphabetic() && !b"aeiouy".contains(&byte.to_ascii_lowercase());
    secret.split(|byte| !is_consonant(byte)).any(|run| run.len() >= UNSPEAKABLE)
}

/// `80?…`, `443#…`: what stands behind `host:` in an address whose `@` comes later.
fn is_port(secret: &[u8]) -> bool {
    let digits = secret.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (2..=5).contains(&digits) && secret.get(digits).is_some_and(|byte| b"?#/".contains(byte))
}

/// `%s`, `%v`, `{0}`, `{password}`, `'+pw+'`, `$1`: filled in when the program runs.
fn is_format(secret: &[u8]) -> bool {
    let slot = |pair: &[u8]| pair[0] == b'%' && b"svdqr(".contains(&pair[1]);
    let percent = secret.len() <= 4 && secret.windows(2).any(slot);
    let braces = secret[0] == b'{' || secret.ends_with(b"}") && secret.contains(&b'{');
    let dollar = secret[0] == b'$'
        && secret[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_{}:.[]@\"".contains(byte));
    let glued = secret[0] == b'+' || secret.ends_with(b"+") || secret[0] == b'`' || secret[0] == b'&';
    percent || braces || dollar || glued
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn names_prose_and_slots_go() {
        let none = [
            "db_password",
            "newPassword",
            "user-pass",
            "MY_SECRET_KEY",
            "DB_ROOT_PW",
            "flag",
            "string:",
            "invalid-password",
            "xxx",
            "80?",
            "443#a=b",
            "新密码",
            "option,",
            "for",
            "%s",
            "{0}",
            "{password}",
            "$PASS",
            "$1",
            "${pw}",
            "'\"",
            "+pw+",
            "a text",
        ];
        for secret in none {
            assert!(matches!(opinion("stated", "", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
    }

    #[test]
    fn words_are_doubted_and_values_stay() {
        for secret in ["jihan", "letmein-please", "admin", "Sommer", "passwordStrings"] {
            assert!(matches!(opinion("stated", "", secret, 0.0), Opinion::Lower(_)), "{secret}");
        }
        for secret in
            ["kX9!mmq2zz", "$ecretP4ss!", "r4ac4l!", "pass99word1x", "pa$$%s7w0rd", "12345", "yqDVtkqPECriaLRi"]
        {
            assert_eq!(opinion("stated", "", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

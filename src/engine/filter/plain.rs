//! Values that are plainly something else, whatever their shape: public keys by their name, versions, bytes of a binary.

use super::placeholder::is_placeholder;
use super::repetitive::{longest_braid, longest_sequence};
use super::wordlike::is_uuid;
use super::{Candidate, Filter, Opinion};

/// The filter.
pub(super) struct Plain;

impl Filter for Plain {
    fn id(&self) -> &'static str {
        "plain"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let secret = candidate.secret;
        if secret.iter().any(|byte| *byte < b' ' || *byte == 0x7f) || std::str::from_utf8(secret).is_err() {
            return Opinion::Drop("it is no text");
        }
        let name = candidate.name.to_ascii_lowercase();
        if [b"public".as_slice(), b"pubkey", b"publishable"]
            .iter()
            .any(|word| memchr::memmem::find(&name, word).is_some())
        {
            return Opinion::Drop("its name says that it is public");
        }
        if memchr::memmem::find(&name, b"usersecretsid").is_some() {
            return Opinion::Drop("it names where the secrets are");
        }
        if memchr::memmem::find(&name, b"websocket-key").is_some() {
            return Opinion::Drop("it is good for one connection");
        }
        if [b"csrf".as_slice(), b"xsrf", b"requestverification", b"authenticity_token"]
            .iter()
            .any(|word| memchr::memmem::find(&name, word).is_some())
        {
            return Opinion::Drop("it is good for one form");
        }
        if SEALED.iter().any(|start| secret.starts_with(start)) {
            return Opinion::Drop("it is encrypted");
        }
        // `Confirm\ Password=…`: a message of a properties file, whose key is its text in another language.
        if candidate.place.is_some_and(|(text, raw)| text[..raw.whole.start].ends_with(b"\\ ")) {
            return Opinion::Drop("its name is a sentence");
        }
        if is_version(secret) {
            return Opinion::Drop("it is a version");
        }
        if is_placeholder(&without_leet(secret)) {
            return Opinion::Drop("it is a placeholder with signs for letters");
        }
        let run = secret.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0);
        if run >= 10 && run * 2 >= secret.len() {
            return Opinion::Drop("half of it is one character repeated");
        }
        if longest_braid(secret) * 4 >= secret.len() * 3 {
            return Opinion::Drop("it is the alphabet and the digits in turn");
        }
        if PATTERN.iter().any(|piece| memchr::memmem::find(secret, piece).is_some()) {
            return Opinion::Drop("it is a pattern");
        }
        if assigns(secret) {
            return Opinion::Drop("it is an assignment itself");
        }
        let says_secret = [b"token".as_slice(), b"secret", b"pass", b"api", b"auth", b"client", b"access"];
        if is_uuid(secret) && !says_secret.iter().any(|word| memchr::memmem::find(&name, word).is_some()) {
            return Opinion::Lower("it is a UUID, which may be an identifier");
        }
        if name.ends_with(b"amz-credential") || name.ends_with(b"goog-credential") {
            return Opinion::Drop("it says whose key signed");
        }
        if names_a_secret(secret) {
            return Opinion::Lower("it reads like the name of a secret");
        }
        if is_other_key(candidate.name) {
            return Opinion::Lower("its name says that it is a key of data");
        }
        let last = last_word(candidate.name);
        if NAMING.iter().any(|word| last.eq_ignore_ascii_case(word)) && !is_secret_id(&name) {
            return Opinion::Lower("its name says that it names something");
        }
        let own = candidate.name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        if first_word_is_of(own, &UNREAL) {
            return Opinion::Lower("its name says that it isn't real");
        }
        if longest_sequence(secret) >= LONGEST_SEQUENCE {
            return Opinion::Lower("it holds a run of the alphabet or of digits");
        }
        Opinion::Keep
    }
}

/// How encrypted values begin: of SOPS and Hiera, Jasypt, Spring Cloud Config, Ansible, AWS KMS and OpenPGP in base64. From the
/// documentation of each and general knowledge.
const SEALED: [&[u8]; 8] = [b"ENC[", b"ENC(", b"{cipher}", b"$ANSIBLE_VAULT;", b"AQICAH", b"hQEMA", b"hQIMA", b"wcFMA"];

/// `super$ecret`, `$super$ecret`, `p4ssword`: letters in place of the signs and digits that people put for them.
fn without_leet(secret: &[u8]) -> Vec<u8> {
    let secret = secret.strip_prefix(b"$").filter(|rest| rest.len() >= 8).unwrap_or(secret);
    let letter = |byte: &u8| match byte {
        b'$' | b'5' => b's',
        b'0' => b'o',
        b'@' | b'4' => b'a',
        b'3' => b'e',
        b'1' | b'!' => b'i',
        b'7' => b't',
        other => *other,
    };
    secret.iter().map(letter).collect()
}

/// Pieces that regular expressions hold.
const PATTERN: [&[u8]; 9] = [b"[0-9", b"[a-z", b"[A-Z", b"[a-f", b"[^", b"(?:", b"(?P<", b"]{", b"\\w"];

/// `word=\"…`: a name, a sign and a quote.
fn assigns(secret: &[u8]) -> bool {
    let name = secret.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let rest = &secret[name..];
    name > 0 && [b"=\"".as_slice(), b"='", b"=\\\"", b": \""].iter().any(|sign| rest.starts_with(sign))
}

/// Last words of names whose values are names and places: `credentialsId`, `SECRET_NAME`, `token_url`.
const NAMING: [&[u8]; 15] = [
    b"id",
    b"ids",
    b"name",
    b"names",
    b"url",
    b"uri",
    b"host",
    b"hostname",
    b"endpoint",
    b"path",
    b"file",
    b"filename",
    b"dir",
    b"arn",
    b"alias",
];

/// First words of names whose values are made up: `invalidToken`, `fake_secret`.
const UNREAL: [&[u8]; 12] = [
    b"nonmatching",
    b"non",
    b"invalid",
    b"fake",
    b"wrong",
    b"bad",
    b"dummy",
    b"mock",
    b"bogus",
    b"empty",
    b"missing",
    b"expired",
];

/// `client-secret`, `app.password`, `ACCESS_TOKEN`: letters and signs alone, with a word for a secret.
fn names_a_secret(secret: &[u8]) -> bool {
    let words = [b"secret".as_slice(), b"password", b"passwd", b"token", b"key", b"credential"];
    let folded = secret.to_ascii_lowercase();
    folded.iter().all(|byte| byte.is_ascii_lowercase() || b"._-".contains(byte))
        && words.iter().any(|word| memchr::memmem::find(&folded, word).is_some())
}

/// What stands before `key` in names of keys that tell data apart: `routing_key`, `schemaKey`.
const KEYS_OF_DATA: [&[u8]; 28] = [
    b"routing",
    b"partition",
    b"foreign",
    b"sort",
    b"cache",
    b"bucket",
    b"schema",
    b"group",
    b"row",
    b"index",
    b"lookup",
    b"search",
    b"object",
    b"map",
    b"translation",
    b"message",
    b"column",
    b"field",
    b"record",
    b"range",
    b"composite",
    b"unique",
    b"label",
    b"config",
    b"setting",
    b"event",
    b"metric",
    b"menu",
];

/// Whether the name ends with a word of [`KEYS_OF_DATA`] and `key`.
fn is_other_key(name: &[u8]) -> bool {
    let last = last_word(name);
    let before = name[..name.len() - last.len()].strip_suffix(b"_").unwrap_or(&name[..name.len() - last.len()]);
    (last.eq_ignore_ascii_case(b"key") || last.eq_ignore_ascii_case(b"keys"))
        && KEYS_OF_DATA.iter().any(|word| last_word(before).eq_ignore_ascii_case(word))
}

/// Least length of a run of characters that each follow the one before, which random values hardly ever hold, in bytes.
const LONGEST_SEQUENCE: usize = 6;

/// HashiCorp Vault's AppRole logs in with a `secret_id`, which is a secret.
fn is_secret_id(name: &[u8]) -> bool {
    name.ends_with(b"secret_id") || name.ends_with(b"secretid") || name.ends_with(b"secret-id")
}

/// The last word of a name: behind its last sign or where its case rises last.
fn last_word(name: &[u8]) -> &[u8] {
    let start = (1..name.len()).rev().find(|&at| {
        let (before, here) = (name[at - 1], name[at]);
        !before.is_ascii_alphanumeric() || before.is_ascii_lowercase() && here.is_ascii_uppercase()
    });
    &name[start.unwrap_or(0)..]
}

/// Whether the name begins with one of these words.
fn first_word_is_of(name: &[u8], words: &[&[u8]]) -> bool {
    let name = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let name = &name[name.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count()..];
    words.iter().any(|word| {
        let next = name.get(word.len()).copied().unwrap_or(b'_');
        let apart = !next.is_ascii_alphabetic()
            || name[..word.len().min(name.len())].last().is_some_and(u8::is_ascii_lowercase)
                && next.is_ascii_uppercase();
        name.len() > word.len() && name[..word.len()].eq_ignore_ascii_case(word) && apart
    })
}

/// `^1.2.3`, `npm:^7.0.4`, `>= 2.0, < 3`, `3.0-3.12`: numbers joined by dots, with the signs and words of version ranges.
fn is_version(secret: &[u8]) -> bool {
    let rest = [b"npm:".as_slice(), b"workspace:", b"v"]
        .iter()
        .find_map(|start| secret.strip_prefix(*start))
        .unwrap_or(secret);
    let holds_a_point = rest
        .windows(3)
        .any(|three| three[0].is_ascii_digit() && three[1] == b'.' && b"0123456789*x".contains(&three[2]));
    let signs = |byte: &u8| byte.is_ascii_digit() || b".^~<>=|,*-+ ".contains(byte);
    let numbers = rest.iter().take_while(|byte| signs(byte)).count();
    // What follows is a tag of a release: `1.0.0-beta.2`, `2.1.0.Final`.
    let tag = &rest[numbers..];
    let known = [b"alpha".as_slice(), b"beta", b"rc", b"final", b"release", b"snapshot", b"dev", b"next", b"canary"];
    let tagged = known.iter().any(|word| tag.len() >= word.len() && tag[..word.len()].eq_ignore_ascii_case(word));
    holds_a_point && numbers >= 3 && (tag.is_empty() || tagged) && dots(&rest[..numbers])
}

/// Whether no number of it is longer than versions' are: a password of digits and dots may pass for one otherwise.
fn dots(numbers: &[u8]) -> bool {
    numbers.split(|byte| !byte.is_ascii_digit()).all(|number| number.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn versions_public_keys_and_bytes_go() {
        for secret in [
            "^7.1.2",
            "npm:^7.0.4",
            "npm:^3.0.0 || ^4.0.0",
            "3.0-3.12",
            "1.0.0-beta.2",
            "2.1.0.Final",
            ">=1.2, <2",
            "a\u{1}bcd",
        ] {
            assert!(matches!(opinion("plain", "minipass", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
        for name in ["PUBLIC_KEY", "publicKeyToken", "stripePublishableKey"] {
            assert!(matches!(opinion("plain", name, "kX9!mmq2zz", 0.0), Opinion::Drop(_)), "{name}");
        }
        for name in [
            "routing_key",
            "schemaKey",
            "a.b.badCredentials",
            "credentialsId",
            "APP_SECRET_NAME",
            "token.url",
            "invalidToken",
            "fake_secret",
            "NON_MATCHING_KEY",
        ] {
            assert!(matches!(opinion("plain", name, "kX9!mmq2zz", 0.0), Opinion::Lower(_)), "{name}");
        }
        for secret in [
            "$super$ecret",
            "p4ssw0rd",
            "px-a1b2c3d4-e5f6-g7h8",
            "aaaaaaaaaaaaaaaaend9",
            "[0-9A-Za-z]{20,40}",
            "word=\\\"x1",
            "a(?:b|c)d",
        ] {
            assert!(matches!(opinion("plain", "token", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
        assert!(matches!(opinion("plain", "csrfToken", "kX9!mmq2zz", 0.0), Opinion::Drop(_)));
        for secret in ["abcdefg9kX!12", "client-secret", "APP.PASSWORD"] {
            assert!(matches!(opinion("plain", "key", secret, 0.0), Opinion::Lower(_)), "{secret}");
        }
        assert!(matches!(opinion("plain", "X-Amz-Credential", "kX9!mmq2zz", 0.0), Opinion::Drop(_)));
        let uuid = "a8317c04-55e1-4d2b-9c6a-0f4bd17e9a23";
        assert!(matches!(opinion("plain", "assessment_key", uuid, 0.0), Opinion::Lower(_)));
        assert_eq!(opinion("plain", "api_key", uuid, 0.0), Opinion::Keep);
        for name in ["secret_id", "badge_token", "nonce", "hostPassword", "paid"] {
            assert_eq!(opinion("plain", name, "kX9!mmq2zz", 0.0), Opinion::Keep, "{name}");
        }
        for secret in ["kX9!mmq2zz", "1234.908172", "v1.a8f5kd9s", "12.kd.93", "pässwörd7", "2023-11-05"] {
            assert_eq!(opinion("plain", "password", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

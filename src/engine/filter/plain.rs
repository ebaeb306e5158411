//! Values that are plainly something else, whatever their shape: public keys by their name, versions, bytes of a binary.

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
        if is_version(secret) {
            return Opinion::Drop("it is a version");
        }
        Opinion::Keep
    }
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
        for secret in ["kX9!mmq2zz", "1234.567890", "v1.a8f5kd9s", "12.kd.93", "pässwörd7", "2023-11-05"] {
            assert_eq!(opinion("plain", "password", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

//! Specimens: inert sample secrets made from templates, for rule examples and tests. In: a template such as
//! `token = <<github:ghp_>>` and a seed. Out: bytes that have the form, the checksums and the structure of the real
//! thing, and open nothing: they are random, and no service has ever issued them.
//!
//! No file of ours holds a live-looking secret, only templates, so neither we nor anyone's push protection trips on our
//! own tree. Prefixes that look live by themselves are cut up: `<<join:AK|IA>>`.

use crate::engine::structure::b64;

pub(crate) mod key;
pub(crate) mod random;
mod text;
mod token;

use random::Random;

/// Why a template can't be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecimenError {
    /// A `<<` has no `>>` after it. A literal `<<` is written `<<join:<|<>>`.
    #[error("`<<{0}` is not closed by `>>`")]
    Unclosed(String),
    /// There is no generator of this name.
    #[error("unknown generator `{0}`")]
    UnknownGenerator(String),
    /// The generator can't work with its argument.
    #[error("generator `{generator}`: bad argument `{argument}`, expected {expected}")]
    BadArgument {
        /// Its name.
        generator: &'static str,
        /// What stood after the colon.
        argument: String,
        /// What should stand there.
        expected: &'static str,
    },
}

/// Replaces every `<<name:argument>>` in `template` by what that generator makes; the rest is copied. The same
/// template and seed give the same bytes.
///
/// - Random characters, N of them: `alnum:N`, `upper:N`, `lower:N`, `digit:N`, `hex:N`, `HEX:N`, `base32:N`, `base32l:N`
///   (lower case), `upnum:N`, `lownum:N` (letters of one case and digits), `base64:N`, `base64url:N`, `password:N`.
///   From eight characters on all classes of the alphabet occur; nothing looks like a placeholder.
/// - Random bytes, N of them, in padded base64: `bytes64:N`, and percent-encoded: `bytes64pct:N`. `uuid`.
/// - `join:a|b|c` puts pieces together: `abc`.
/// - Tokens with right checksums: `github:PREFIX`, `his:SIGNATURE:SEED:BYTES`, `cask:PROVIDER`, `azdo-pat`,
///   `entra-secret`, `gitlab-routable:PREFIX`, `atlassian`, `confluent`, `grafana`, `zuplo`, `pypi`, `aws-key-id:PREFIX`,
///   `jwt` (until 2100), `jwt-expired` (until 2021), `nkey` (a user's seed),
///   `sentry` (an organisation's).
/// - Key files: `pem:LABEL`, `pgp`, `ppk`, `pkcs12` (in base64), `pfx:PASSPHRASE` (binary), `gcp-service-account`.
///
/// # Errors
/// [`SpecimenError`] names the generator or argument that is wrong; nothing is made then.
pub fn expand(template: &str, seed: u64) -> Result<Vec<u8>, SpecimenError> {
    let mut random = Random::new(seed);
    let mut out = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("<<") {
        out.extend_from_slice(before.as_bytes());
        let Some((call, behind)) = after.split_once(">>") else {
            return Err(SpecimenError::Unclosed(after.chars().take(20).collect()));
        };
        let (name, argument) = call.split_once(':').unwrap_or((call, ""));
        let generator = GENERATORS
            .iter()
            .find(|generator| generator.name == name)
            .ok_or_else(|| SpecimenError::UnknownGenerator(name.to_owned()))?;
        let made = (generator.make)(&mut random, argument).ok_or_else(|| SpecimenError::BadArgument {
            generator: generator.name,
            argument: argument.to_owned(),
            expected: generator.expects,
        })?;
        out.extend_from_slice(&made);
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// One generator.
struct Generator {
    /// Its name in templates.
    name: &'static str,
    /// What its argument must be, for the error message.
    expects: &'static str,
    /// An argument that works, for the tests.
    #[cfg(test)]
    example: &'static str,
    /// Makes one specimen; `None` for a bad argument.
    make: fn(&mut Random, &str) -> Option<Vec<u8>>,
}

/// One entry of [`GENERATORS`]: name, what it expects, an example of that, the function.
macro_rules! generator {
    ($name:literal, $expects:expr, $example:literal, $make:expr) => {
        Generator {
            name: $name,
            expects: $expects,
            #[cfg(test)]
            example: $example,
            make: $make,
        }
    };
}

/// What a length must be. 100 000 is far over any token and keeps a typo from filling memory.
const LENGTH: &str = "a length from 1 to 100000";
/// What a count of bytes must be. Longer base64 would too often hold a placeholder word by chance to be drawn.
const BYTES: &str = "a number of bytes from 1 to 2000";
/// For generators that take nothing.
const NOTHING: &str = "no argument";

/// Every generator.
static GENERATORS: &[Generator] = &[
    generator!("alnum", LENGTH, "36", |random, length| over(random, text::ALNUM, length)),
    generator!("upper", LENGTH, "9", |random, length| over(random, text::UPPER, length)),
    generator!("lower", LENGTH, "9", |random, length| over(random, text::LOWER, length)),
    generator!("digit", LENGTH, "12", |random, length| over(random, text::DIGIT, length)),
    generator!("hex", LENGTH, "32", |random, length| over(random, text::HEX, length)),
    generator!("HEX", LENGTH, "32", |random, length| over(random, text::HEX_UPPER, length)),
    generator!("base32", LENGTH, "16", |random, length| over(random, text::BASE32, length)),
    generator!("base32l", LENGTH, "52", |random, length| over(random, text::BASE32_LOWER, length)),
    generator!("upnum", LENGTH, "20", |random, length| over(random, text::UPNUM, length)),
    generator!("lownum", LENGTH, "20", |random, length| over(random, text::LOWNUM, length)),
    generator!("base64", LENGTH, "40", |random, length| over(random, text::BASE64, length)),
    generator!("base64url", LENGTH, "40", |random, length| over(random, text::BASE64_URL, length)),
    generator!("bytes64", BYTES, "64", |random, count| Some(bytes64(random, number(count, 2000)?))),
    // As it stands in URLs: `+`, `/` and `=` percent-encoded.
    generator!("bytes64pct", BYTES, "32", |random, count| {
        let text = bytes64(random, number(count, 2000)?);
        Some(String::from_utf8(text).ok()?.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").into_bytes())
    }),
    generator!("uuid", NOTHING, "", |random, none| none.is_empty().then(|| uuid(random))),
    generator!("password", LENGTH, "14", |random, length| Some(text::password(random, number(length, 100_000)?))),
    generator!("join", "pieces with `|` between them", "AK|IA", |_, pieces| {
        pieces.contains('|').then(|| pieces.split('|').collect::<String>().into_bytes())
    }),
    generator!("github", "a prefix such as `ghp_`", "ghp_", token::github),
    // Until 2100, and until 2021.
    generator!("jwt", NOTHING, "", |random, none| none.is_empty().then(|| token::jwt(random, 4_102_444_800))),
    generator!("jwt-expired", NOTHING, "", |random, none| none.is_empty().then(|| token::jwt(random, 1_609_459_200))),
    generator!("pem", "the label of a private key: `RSA PRIVATE KEY`, `PRIVATE KEY`, …", "EC PRIVATE KEY", key::pem),
    generator!("ppk", NOTHING, "", |random, none| none.is_empty().then(|| key::putty(random))),
    generator!("pfx", "a passphrase, or nothing", "abc", |random, word| Some(key::pfx_file(random, word))),
    generator!("pgp", NOTHING, "", |random, none| none.is_empty().then(|| key::pgp(random))),
    // Opens with the empty password.
    generator!("pkcs12", NOTHING, "", |random, none| none.is_empty().then(|| key::pkcs12(random))),
    generator!("aws-key-id", "`AKIA`, `ASIA`, `ABIA` or `ACCA`", "AKIA", token::aws_key_id),
    generator!("his", "a known `SIGNATURE:SEED:BYTES` such as `+ASt:Default0:64`", "+ASt:Default0:64", token::his),
    generator!("cask", "a provider's four letters, such as `AZDO`", "AZDO", token::cask),
    generator!("azdo-pat", NOTHING, "", |random, none| none.is_empty().then(|| token::azdo_pat(random))),
    generator!("entra-secret", NOTHING, "", |random, none| none.is_empty().then(|| token::entra_secret(random))),
    generator!("gitlab-routable", "a prefix such as `glpat-`", "glpat-", token::gitlab_routable),
    generator!("atlassian", NOTHING, "", |random, none| crc_tail(random, none, "atlassian-crc32")),
    generator!("confluent", NOTHING, "", |random, none| crc_tail(random, none, "confluent-crc32")),
    generator!("grafana", NOTHING, "", |random, none| crc_tail(random, none, "grafana-crc32")),
    generator!("zuplo", NOTHING, "", |random, none| crc_tail(random, none, "zuplo-crc32")),
    generator!("sentry", NOTHING, "", |random, none| none.is_empty().then(|| token::sentry(random))),
    generator!("nkey", NOTHING, "", |random, none| none.is_empty().then(|| token::nkey(random))),
    generator!("pypi", NOTHING, "", |random, none| none.is_empty().then(|| token::pypi(random))),
    generator!("gcp-service-account", NOTHING, "", |random, none| {
        if none.is_empty() { token::gcp_service_account(random) } else { None }
    }),
];

/// The number that `argument` writes, from 1 to `limit`.
fn number(argument: &str, limit: usize) -> Option<usize> {
    argument.parse().ok().filter(|number| (1..=limit).contains(number))
}

/// Random text over `alphabet`, as long as the argument says.
fn over(random: &mut Random, alphabet: &[u8], length: &str) -> Option<Vec<u8>> {
    Some(text::random_text(random, alphabet, number(length, 100_000)?))
}

/// A token that ends in a CRC-32, by the id of its check.
fn crc_tail(random: &mut Random, none: &str, id: &str) -> Option<Vec<u8>> {
    if none.is_empty() { token::crc_tail(random, id) } else { None }
}

/// Padded base64 of `count` random bytes.
fn bytes64(random: &mut Random, count: usize) -> Vec<u8> {
    loop {
        let made = b64::encode(&random.bytes(count)).into_bytes();
        if text::is_plain(&made) {
            return made;
        }
    }
}

/// A random UUID (RFC 9562, version 4), lower case.
fn uuid(random: &mut Random) -> Vec<u8> {
    let mut hex = text::random_text(random, text::HEX, 32);
    hex[12] = b'4';
    hex[16] = *random.pick(b"89ab");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join(&b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::structure::{ALL, Token, Verdict};

    fn made(template: &str, seed: u64) -> String {
        String::from_utf8(expand(template, seed).expect(template)).expect("specimens are text")
    }

    #[test]
    fn every_generator_makes_the_same_from_the_same_seed_and_other_things_from_others() {
        assert!(GENERATORS.len() > 10);
        for generator in GENERATORS {
            let template = match generator.example {
                "" => format!("<<{}>>", generator.name),
                example => format!("<<{}:{example}>>", generator.name),
            };
            let first = expand(&template, 7).expect(generator.name);
            assert!(!first.is_empty(), "{template}");
            assert_eq!(first, expand(&template, 7).expect(generator.name), "{template}");
            assert_eq!(first == expand(&template, 8).expect(generator.name), generator.name == "join", "{template}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }

    /// Templates whose specimens the check of this id must find right.
    const CHECKED: &[(&str, &str)] = &[
        ("<<github:ghp_>>", "github-crc32"),
        ("<<github:npm_>>", "github-crc32"),
        ("<<jwt>>", "jwt"),
        ("<<jwt-expired>>", "jwt"),
        ("<<pem:RSA PRIVATE KEY>>", "pem"),
        ("<<pem:EC PRIVATE KEY>>", "pem"),
        ("<<pem:DSA PRIVATE KEY>>", "pem"),
        ("<<pem:PRIVATE KEY>>", "pem"),
        ("<<pem:ENCRYPTED PRIVATE KEY>>", "pem"),
        ("<<pem:OPENSSH PRIVATE KEY>>", "pem"),
        ("<<pgp>>", "pem"),
        ("<<ppk>>", "ppk"),
        ("<<aws-key-id:AKIA>>", "aws-key-id"),
        ("<<his:+ASt:Default0:64>>", "his"),
        ("<<his:AzSe:PAdmin00:39>>", "his"),
        ("<<his:AzFu:Master00:40>>", "his"),
        ("<<cask:AZDO>>", "cask"),
        ("<<cask:ACOG>>", "cask"),
        ("<<cask:AZDO>>", "azdo-pat"),
        ("<<azdo-pat>>", "azdo-pat"),
        ("<<entra-secret>>", "entra-secret"),
        ("<<gitlab-routable:glpat->>", "gitlab-routable"),
        ("<<atlassian>>", "atlassian-crc32"),
        ("<<confluent>>", "confluent-crc32"),
        ("<<grafana>>", "grafana-crc32"),
        ("<<zuplo>>", "zuplo-crc32"),
        ("<<nkey>>", "nkey"),
        ("<<pypi>>", "pypi-macaroon"),
        ("<<gcp-service-account>>", "google-service-account"),
        ("<<bytes64:16>>", "base64-key"),
        ("si=x&sig=<<bytes64pct:32>>", "azure-sas"),
    ];

    #[test]
    fn specimens_are_right_whatever_the_seed_and_checks_tell_nothing_secret_of_them() {
        for (template, id) in CHECKED {
            let check = ALL.iter().find(|check| check.id() == *id).expect(id);
            for seed in 0..25 {
                let secret = made(template, seed);
                let token = Token { secret: secret.as_bytes(), whole: secret.as_bytes() };
                let Verdict::Holds(facts) = check.check(token) else {
                    panic!("{template}, seed {seed}: {:?}", check.check(token));
                };
                // Key files name themselves in clear; their secret part is their lines of base64.
                let secret_lines = secret.lines().filter(|line| !line.contains([' ', '@']));
                for piece in secret_lines.flat_map(|line| line.as_bytes().windows(8)) {
                    let told = facts.named.values().find(|text| text.as_bytes().windows(8).any(|part| part == piece));
                    assert_eq!(told, None, "{template}, seed {seed}");
                }
            }
        }
    }

    #[test]
    fn text_around_generators_is_kept() {
        assert_eq!(made("a <<join:b|c|>> d <<join:<|<>>", 0), "a bc d <<");
        assert_eq!(made("", 0), "");
        let two = made("<<hex:12>>/<<hex:12>>", 3);
        let (one, other) = two.split_once('/').expect("two values");
        assert_ne!(one, other, "each generator draws anew");
    }

    #[test]
    fn shapes() {
        for (template, alphabet, length) in [
            ("<<alnum:36>>", text::ALNUM, 36),
            ("<<HEX:7>>", text::HEX_UPPER, 7),
            ("<<base32l:52>>", text::BASE32_LOWER, 52),
            ("<<base64url:1>>", text::BASE64_URL, 1),
        ] {
            let text = made(template, 1);
            assert_eq!(text.len(), length, "{template}");
            assert!(text.bytes().all(|byte| alphabet.contains(&byte)), "{template}");
        }
        for seed in 0..20 {
            let key = made("<<bytes64:64>>", seed);
            assert_eq!(b64::standard(key.as_bytes()).map(|bytes| bytes.len()), Some(64));
            assert!(key.ends_with("=="));
            assert!(!made("<<bytes64pct:32>>", seed).contains(['+', '/', '=']));
            let id = made("<<uuid>>", seed);
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (template, expected) in [
            ("<<nope:3>>", "unknown generator `nope`"),
            ("<<hex:0>>", "generator `hex`: bad argument `0`, expected a length from 1 to 100000"),
            ("<<hex>>", "generator `hex`: bad argument ``, expected a length from 1 to 100000"),
            ("<<hex:100001>>", "generator `hex`: bad argument `100001`, expected a length from 1 to 100000"),
            ("<<uuid:4>>", "generator `uuid`: bad argument `4`, expected no argument"),
            ("<<join:whole>>", "generator `join`: bad argument `whole`, expected pieces with `|` between them"),
            ("key: <<hex:32", "`<<hex:32` is not closed by `>>`"),
        ] {
            assert_eq!(expand(template, 0).expect_err(template).to_string(), expected);
        }
    }
}

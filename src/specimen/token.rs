//! Tokens with checksums or readable parts.

use super::random::Random;
use super::text::{self, random_text};
use crate::engine::structure::{
    azdo_pat, b64, cask, crc, crc_tails, entra_secret, github_crc32, gitlab_routable, his, nkey, pypi_macaroon,
};

/// 2026-01-01, when every specimen was made.
const CREATED: i64 = 1_767_225_600;

/// A `ghp_`-like token: `prefix`, 30 characters, their checksum.
pub(super) fn github(random: &mut Random, prefix: &str) -> Option<Vec<u8>> {
    if prefix.len() != 4 || !prefix.ends_with('_') {
        return None;
    }
    let body = random_text(random, text::ALNUM, 30);
    Some([prefix.as_bytes(), &body, &github_crc32::tail_of(&body)].concat())
}

/// A JWT with an HS256-sized signature that ends at `expires`, seconds since 1970.
pub(super) fn jwt(random: &mut Random, expires: i64) -> Vec<u8> {
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let created = CREATED.min(expires - 3600);
    loop {
        let subject = String::from_utf8_lossy(&random_text(random, text::LOWNUM, 12)).into_owned();
        let payload =
            format!(r#"{{"iss":"https://login.keytrail.invalid","sub":"{subject}","iat":{created},"exp":{expires}}}"#);
        let signature = b64::encode_url_safe(&random.bytes(32));
        if text::is_plain(signature.as_bytes()) {
            let head = [header, &payload].map(|part| b64::encode_url_safe(part.as_bytes())).join(".");
            return format!("{head}.{signature}").into_bytes();
        }
    }
}

/// An AWS access key id of a random account: `prefix` and sixteen base32 characters.
pub(super) fn aws_key_id(random: &mut Random, prefix: &str) -> Option<Vec<u8>> {
    if !["AKIA", "ASIA", "ABIA", "ACCA"].contains(&prefix) {
        return None;
    }
    loop {
        // The top bit is set in all ids that hold an account.
        let first_six = 1 << 47 | random.below(1_000_000_000_000) << 7 | random.below(128);
        let number = u128::from(first_six) << 32 | u128::from(random.below(1 << 32));
        let digits = (0..16).map(|at| text::BASE32[(number >> (75 - 5 * at) & 31) as usize]);
        let body: Vec<u8> = digits.collect();
        if text::is_plain(&body) {
            return Some([prefix.as_bytes(), &body].concat());
        }
    }
}

/// An Azure key with the signature, seed and number of bytes of `SIG:SEED:BYTES`.
pub(super) fn his(random: &mut Random, argument: &str) -> Option<Vec<u8>> {
    let mut parts = argument.split(':');
    let signature: &[u8; 4] = parts.next()?.as_bytes().try_into().ok()?;
    let seed: &[u8; 8] = parts.next()?.as_bytes().try_into().ok()?;
    let bytes: usize = parts.next()?.parse().ok()?;
    let known = his::TYPES.iter().find(|kind| kind.signature == signature && kind.bytes == bytes)?;
    known.seeds.iter().find(|(name, _)| *name == seed).filter(|_| parts.next().is_none())?;
    let alphabet = match known.alphabet {
        his::Alphabet::Standard => text::BASE64,
        his::Alphabet::Url => text::BASE64_URL,
        his::Alphabet::Alphanumeric => text::ALNUM,
    };
    loop {
        let head = random_text(random, alphabet, (bytes * 4).div_ceil(3) - 10);
        let key = his::sealed(&head, signature, seed, bytes, known.alphabet == his::Alphabet::Url)?;
        if known.alphabet.holds(key.trim_end_matches('=').as_bytes()) {
            return Some(key.into_bytes());
        }
    }
}

/// An annotated key of this provider, made in some month of 2024 to 2026.
pub(super) fn cask(random: &mut Random, provider: &str) -> Option<Vec<u8>> {
    if !matches!(provider.len(), 4 | 8) || !provider.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let (code, provider) = provider.split_at(provider.len() - 4);
    let made = [*random.pick(b"ABC"), *random.pick(b"ABCDEFGHIJKL")];
    // Cognitive Services name the service here: OpenAI, unless another one is asked for.
    let code = match (code, provider) {
        ("", "ACOG") => "AAAB",
        ("", _) => "AAAA",
        (code, _) => code,
    };
    let body = random_text(random, text::ALNUM, cask::RANDOM);
    cask::sealed(&[&body, b"JQQJ99".as_slice(), &made, &[b'A'; 12], code.as_bytes(), provider.as_bytes()].concat())
}

/// A 40-character client secret of Entra.
pub(super) fn entra_secret(random: &mut Random) -> Vec<u8> {
    let start = random_text(random, text::ALNUM, 3);
    let rest = random_text(random, ENTRA, entra_secret::BODY - 6);
    let body = [&start, b"8Q~".as_slice(), &rest].concat();
    [body.as_slice(), &entra_secret::tail_of(&body)].concat()
}

/// What Entra's secrets are made of.
const ENTRA: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~";

/// A 52-character Azure DevOps token.
pub(super) fn azdo_pat(random: &mut Random) -> Vec<u8> {
    loop {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&random.bytes(32));
        let token = azdo_pat::base32_of(&azdo_pat::sealed(bytes));
        if text::is_plain(&token) {
            return token;
        }
    }
}

/// A routable GitLab token of organisation 1 and a random user.
pub(super) fn gitlab_routable(random: &mut Random, prefix: &str) -> Option<Vec<u8>> {
    if prefix.is_empty() || !prefix.ends_with(['-', '_']) {
        return None;
    }
    let user = crc::written(1_000_000 + random.below(10_000_000), crc::BASE36, 1);
    loop {
        let payload = [b"o:1\nu:".as_slice(), &user, &random.bytes(16), &[16]].concat();
        let token = gitlab_routable::sealed(prefix.as_bytes(), &payload);
        if text::is_plain(&token[prefix.len()..]) {
            return Some(token);
        }
    }
}

/// A token of one of the vendors of `crc_tails`, by the id of its check.
pub(super) fn crc_tail(random: &mut Random, id: &str) -> Option<Vec<u8>> {
    let body = match id {
        "atlassian-crc32" => [b"xFfGF0".as_slice(), &random_text(random, text::BASE64_URL, 171)].concat(),
        "confluent-crc32" => random_text(random, text::BASE64, 54),
        _ => random_text(random, text::ALNUM, 32),
    };
    crc_tails::sealed(id, &body)
}

/// A seed of a NATS user.
pub(super) fn nkey(random: &mut Random) -> Vec<u8> {
    loop {
        let mut seed = [0; 32];
        seed.copy_from_slice(&random.bytes(32));
        let text = nkey::sealed(20 << 3, &seed);
        if text::is_plain(&text) {
            return text;
        }
    }
}

/// A PyPI token for all projects of a user.
pub(super) fn pypi(random: &mut Random) -> Vec<u8> {
    let [identifier, user] = [(); 2].map(|()| String::from_utf8_lossy(&super::uuid(random)).into_owned());
    let caveat = format!("[3,\"{user}\"]");
    loop {
        let mut signature = [0; 32];
        signature.copy_from_slice(&random.bytes(32));
        let token = pypi_macaroon::sealed(b"pypi.org", identifier.as_bytes(), &[caveat.as_bytes()], &signature);
        if text::is_plain(&token[token.len() - 43..]) {
            return token;
        }
    }
}

/// A key file of a Google service account, as the console downloads it.
pub(super) fn gcp_service_account(random: &mut Random) -> Option<Vec<u8>> {
    let pem = String::from_utf8(super::key::pem(random, "PRIVATE KEY")?).ok()?;
    let [id, number] = [(text::HEX, 40), (text::DIGIT, 21)]
        .map(|(alphabet, length)| String::from_utf8_lossy(&random_text(random, alphabet, length)).into_owned());
    let project = format!("keytrail-{}", String::from_utf8_lossy(&random_text(random, text::LOWNUM, 6)));
    let account = format!("scanner@{project}.iam.gserviceaccount.com");
    let google = "https://www.googleapis.com";
    let lines = [
        ("type", "service_account".to_owned()),
        ("project_id", project),
        ("private_key_id", id),
        ("private_key", format!("{pem}\n").replace('\n', "\\n")),
        ("client_email", account.clone()),
        ("client_id", number),
        ("auth_uri", "https://accounts.google.com/o/oauth2/auth".to_owned()),
        ("token_uri", "https://oauth2.googleapis.com/token".to_owned()),
        ("auth_provider_x509_cert_url", format!("{google}/oauth2/v1/certs")),
        ("client_x509_cert_url", format!("{google}/robot/v1/metadata/x509/{}", account.replace('@', "%40"))),
    ];
    let lines: Vec<String> = lines.iter().map(|(name, value)| format!("  \"{name}\": \"{value}\"")).collect();
    Some(format!("{{\n{}\n}}\n", lines.join(",\n")).into_bytes())
}

/// An organisation token of Sentry: what it says of itself, and 43 random characters.
pub(super) fn sentry(random: &mut Random) -> Vec<u8> {
    let object =
        r#"{"iat":1767225600.5,"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"contoso"}"#;
    let secret = random_text(random, text::BASE64, 43);
    [b"sntrys_", b64::encode(object.as_bytes()).as_bytes(), b"_", &secret].concat()
}

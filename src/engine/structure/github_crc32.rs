//! GitHub's and npm's classic tokens: a prefix, 30 random characters and their CRC-32.

use super::crc::{BASE62, crc32, written};
use super::fact::note;
use super::{StructureCheck, Token, Verdict, jwt};
use crate::finding::Facts;

/// `github-crc32`: the six-character tail of `ghp_`, `gho_`, `ghu_`, `ghs_` and `npm_` tokens is the CRC-32 of the 30
/// characters before it (prefix left out) in base 62, filled with `0` on the left.
///
/// Since 2026-04-27 installation tokens are `ghs_<app id>_<JWT>`; there the JWT is read. Other forms
/// (`github_pat_`, `ghr_`) have no known checksum.
/// Source: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/> and
/// the GitHub documentation "Generating an installation access token for a GitHub App"; reproduced with published
/// samples.
pub(super) struct GithubCrc32;

impl StructureCheck for GithubCrc32 {
    fn id(&self) -> &'static str {
        "github-crc32"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some((prefix, body)) = token.secret.split_at_checked(4) else {
            return Verdict::Unknown(Facts::default());
        };
        if ![b"ghp_", b"gho_", b"ghu_", b"ghs_", b"npm_"].contains(&prefix.try_into().unwrap_or(b"____")) {
            return Verdict::Unknown(Facts::default());
        }
        if body.len() == 36 && body.iter().all(u8::is_ascii_alphanumeric) {
            let (random, tail) = body.split_at(30);
            return match tail == tail_of(random) {
                true => Verdict::Holds(Facts::default()),
                false => Verdict::Fails("checksum does not match"),
            };
        }
        if prefix == b"ghs_"
            && let Some(facts) = installation(body)
        {
            return Verdict::Holds(facts);
        }
        Verdict::Unknown(Facts::default())
    }
}

/// The checksum characters that follow `random`.
pub(crate) fn tail_of(random: &[u8]) -> Vec<u8> {
    written(u64::from(crc32(random)), BASE62, 6)
}

/// Reads `<app id>_<JWT>`.
fn installation(body: &[u8]) -> Option<Facts> {
    let end = body.iter().position(|byte| !byte.is_ascii_digit())?;
    let (id, rest) = body.split_at(end);
    let claims = rest.strip_prefix(b"_").filter(|_| !id.is_empty())?;
    let Verdict::Holds(mut facts) = jwt::check(claims) else { return None };
    note(&mut facts, "app", String::from_utf8_lossy(id));
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 5).expect(template)).expect("ASCII")
    }

    #[test]
    fn vectors() {
        let token = |prefix: &str, fill: &str, tail: &str| format!("{prefix}_{fill}{tail}");
        let a = "A".repeat(30);
        table(
            &GithubCrc32,
            &[
                ("thirty A", token("ghp", &a, "0uCPlr"), Is::Held),
                ("thirty zeros", token("gho", &"0".repeat(30), "2C8GjS"), Is::Held),
                ("a checksum with padding", token("npm", &format!("{}000295", &a[..24]), "002WFP"), Is::Held),
                ("any prefix", token("ghu", &a, "0uCPlr"), Is::Held),
                ("random, ghs", made("<<github:ghs_>>"), Is::Held),
                ("checksum corrupted", token("ghp", &a, "0uCPls"), Is::Failed),
                ("body corrupted", token("ghp", &format!("B{}", &a[1..]), "0uCPlr"), Is::Failed),
                ("truncated", token("ghp", &a, "0uCPl"), Is::Unknown),
                ("too long", token("ghp", &a, "0uCPlr0"), Is::Unknown),
                ("no checksum known", token("ghr", &a, "0uCPlr"), Is::Unknown),
                ("fine-grained", made("github_<<join:p|at>>_<<alnum:22>>_<<alnum:59>>"), Is::Unknown),
                ("empty", String::new(), Is::Unknown),
                ("prefix only", "ghp_".to_owned(), Is::Unknown),
            ],
        );
    }

    #[test]
    fn installation_tokens_tell_app_and_expiry() {
        let token = made("<<join:gh|s_>>123456_<<jwt>>");
        let read = facts(on(&GithubCrc32, &token));
        assert_eq!(read.expires, Some(4_102_444_800));
        assert_eq!(read.named["app"], "123456");
        table(
            &GithubCrc32,
            &[
                ("whole", token.clone(), Is::Held),
                ("without app id", made("<<join:gh|s_>>_<<jwt>>"), Is::Unknown),
                ("not a JWT", made("<<join:gh|s_>>123456_<<alnum:80>>.<<alnum:80>>.<<alnum:80>>"), Is::Unknown),
                ("only installations have it", token.replacen("ghs", "ghp", 1), Is::Unknown),
            ],
        );
    }
}

//! GitLab's routable tokens: which organisation, project or user they belong to.

use super::crc::{BASE36, crc32, read_base36, written};
use super::fact::note;
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `gitlab-routable`: the last seven characters are the CRC-32 of everything before them in base 36, the two before
/// these the length of the payload. Classic tokens (a prefix and 20 characters) carry no checksum.
///
/// Source: `lib/authn/token_field/generator/routable_token.rb` in <https://gitlab.com/gitlab-org/gitlab> and GitLab's
/// design document "Cells: routable tokens".
pub(super) struct GitlabRoutable;

impl StructureCheck for GitlabRoutable {
    fn id(&self) -> &'static str {
        "gitlab-routable"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = token.secret;
        let Some(dot) = text.iter().position(|byte| *byte == b'.') else {
            return Verdict::Unknown(Facts::default());
        };
        let tail = &text[dot + 1..];
        let tail = tail.strip_prefix(b"01.").unwrap_or(tail);
        let Some((length, _)) = tail.split_at_checked(2).filter(|(_, sum)| sum.len() == 7) else {
            return Verdict::Fails("tail has not the length of a routable token");
        };
        let (covered, sum) = text.split_at(text.len() - 7);
        if sum != written(u64::from(crc32(covered)), BASE36, 7) {
            return Verdict::Fails("checksum does not match");
        }
        let length = read_base36(length).and_then(|length| usize::try_from(length).ok());
        let Some(payload) =
            length.and_then(|length| dot.checked_sub(length)).and_then(|at| b64::url_safe(&text[at..dot]))
        else {
            return Verdict::Fails("payload has not the stated length");
        };
        Verdict::Holds(read(&payload))
    }
}

/// Reads the lines `k:v` before the 16 random bytes; the last byte is their number.
fn read(payload: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let Some((random, before)) = payload.split_last() else { return facts };
    let routing = &before[..before.len().saturating_sub(usize::from(*random))];
    for line in routing.split(|byte| *byte == b'\n') {
        let [key, b':', id @ ..] = line else { continue };
        let name = match key {
            b'c' => "cell",
            b'g' => "group",
            b'o' => "organization",
            b'p' => "project",
            b'u' => "user",
            _ => continue,
        };
        if let Some(id) = read_base36(id) {
            note(&mut facts, name, id.to_string());
        }
    }
    facts
}

/// The token of `prefix` and `payload`, with the version part that GitLab writes since April 2025.
pub(crate) fn sealed(prefix: &[u8], payload: &[u8]) -> Vec<u8> {
    let payload = b64::encode_url_safe(payload).into_bytes();
    let length = written(payload.len() as u64, BASE36, 2);
    let covered = [prefix, &payload, b".01.", &length].concat();
    let sum = written(u64::from(crc32(&covered)), BASE36, 7);
    [covered, sum].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn vectors() {
        let head = format!("gl{}-{}", "pat", "bzoxCnU6MnMAAAAAAAAAAAAAAAAAAAAAEA");
        let made = |template: &str| String::from_utf8(expand(template, 1).expect(template)).expect("ASCII");
        table(
            &GitlabRoutable,
            &[
                ("first version", format!("{head}.0y1vey82d"), Is::Held),
                ("versioned", format!("{head}.01.0y1fedmxc"), Is::Held),
                ("random", made("<<gitlab-routable:glrt->>"), Is::Held),
                ("classic", made("<<join:gl|pat-|>><<alnum:20>>"), Is::Unknown),
                ("payload corrupted", format!("{head}.0y1vey82d").replace("Cn", "Dn"), Is::Failed),
                ("prefix corrupted", format!("{head}.0y1vey82d").replace("pat", "rat"), Is::Failed),
                ("checksum corrupted", format!("{head}.0y1vey82e"), Is::Failed),
                ("truncated", format!("{head}.0y1vey82"), Is::Failed),
                ("too long", format!("{head}.0y1vey82dd"), Is::Failed),
                ("nothing behind the dot", format!("{head}."), Is::Failed),
                ("empty", String::new(), Is::Unknown),
            ],
        );
        let read = facts(on(&GitlabRoutable, format!("{head}.0y1vey82d")));
        assert_eq!(read.named["organization"], "1");
        assert_eq!(read.named["user"], "100", "2s in base 36");
    }

    #[test]
    fn a_right_checksum_does_not_make_up_for_a_wrong_length() {
        let covered = format!("gl{}-QQ.zz", "pat");
        let token =
            format!("{covered}{}", String::from_utf8_lossy(&written(u64::from(crc32(covered.as_bytes())), BASE36, 7)));
        table(&GitlabRoutable, &[("length past the start", token, Is::Failed)]);
    }
}

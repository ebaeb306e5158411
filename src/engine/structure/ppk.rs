//! PuTTY's private key files.

use super::key::Key;
use super::{StructureCheck, Token, Verdict, armor, b64, ssh};

/// `ppk`: header, encryption, public and private lines and the authentication code are there and well-formed, and the
/// public part is a key of the stated algorithm. The code itself isn't recomputed.
///
/// Source: <https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html>.
pub(super) struct Ppk;

impl StructureCheck for Ppk {
    fn id(&self) -> &'static str {
        "ppk"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = match memchr::memmem::find(token.secret, b"PuTTY-User-Key-File-") {
            Some(_) => token.secret,
            None => token.whole,
        };
        match read(&armor::unescaped(text)) {
            Ok(key) => Verdict::Holds(key.facts()),
            Err(why) => Verdict::Fails(why),
        }
    }
}

/// Most lines of one base64 part; a 16 384-bit RSA key has some 100.
const MOST_LINES: usize = 1000;

/// Reads a key file.
fn read(text: &str) -> Result<Key, &'static str> {
    // Comment marks, quotes and indentation before the lines of an embedded file.
    let marks = |c: char| c.is_whitespace() || "\"'#|>*;`".contains(c);
    let mut lines = text.lines().map(|line| line.trim_start_matches(marks).trim_end_matches(|c| marks(c) || c == ','));
    let mut version = 0u8;
    let mut algorithm = "";
    let mut key = Key::default();
    let mut code = None;
    let mut private = None;
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let mut part = || {
            let count = value.parse().ok().filter(|count| (1..=MOST_LINES).contains(count));
            let body: String = lines.by_ref().take(count?).collect();
            b64::standard(body.as_bytes())
        };
        match name {
            "Encryption" => key.encrypted = value != "none",
            "Comment" => key.comment = Some(value.to_owned()),
            "Public-Lines" => key.public = Some(part().ok_or("public lines are not base64")?),
            "Private-Lines" => private = Some(part().ok_or("private lines are not base64")?),
            "Private-MAC" | "Private-Hash" => code = Some(value),
            _ if name.contains("PuTTY-User-Key-File-") => {
                version = name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0);
                algorithm = value;
            }
            _ => {}
        }
    }
    if !(1..=3).contains(&version) {
        return Err("no PuTTY header of version 1 to 3");
    }
    let public = key.public.as_deref().ok_or("no public lines")?;
    if ssh::Wire::new(public).string() != Some(algorithm.as_bytes()) {
        return Err("public lines are not of the stated algorithm");
    }
    key.kind = Some(ssh::kind(public).ok_or("public lines are not a key")?);
    if private.is_none_or(|bytes| bytes.is_empty()) {
        return Err("no private lines");
    }
    let digits = if version == 3 { 64 } else { 40 };
    if code.is_none_or(|code| code.len() != digits || !code.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err("authentication code has not its length");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn files() {
        let good = String::from_utf8(expand("<<ppk>>", 6).expect("known")).expect("ASCII");
        table(
            &Ppk,
            &[
                ("whole", good.clone(), Is::Held),
                ("CRLF", good.replace('\n', "\r\n"), Is::Held),
                ("escaped", good.replace('\n', "\\n"), Is::Held),
                ("commented out", good.lines().map(|line| format!("# {line}\n")).collect(), Is::Held),
                ("algorithm corrupted", good.replacen("ssh-ed25519", "ssh-ed448", 1), Is::Failed),
                ("public part corrupted", good.replacen("AAAA", "AAAB", 1), Is::Failed),
                ("truncated", good[..good.len() - 30].to_owned(), Is::Failed),
                ("code too long", format!("{}00\n", good.trim_end()), Is::Failed),
                ("version to come", good.replacen("File-3", "File-9", 1), Is::Failed),
                ("header only", good.lines().next().unwrap_or_default().to_owned(), Is::Failed),
                ("no lines", good.replace("Public-Lines: 2", "Public-Lines: 0"), Is::Failed),
                ("too many lines", good.replace("Public-Lines: 2", "Public-Lines: 99999999999999999999"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
        let read = facts(on(&Ppk, &good));
        assert_eq!(read.named["key-kind"], "ed25519");
        assert_eq!(read.named["encrypted"], "no");
        assert!(read.named["public-key-fingerprint"].starts_with("SHA256:"));
        let encrypted = facts(on(&Ppk, good.replace("Encryption: none", "Encryption: aes256-cbc")));
        assert_eq!(encrypted.named["encrypted"], "yes");
        assert_eq!(encrypted.named["public-key-fingerprint"], read.named["public-key-fingerprint"]);
    }
}

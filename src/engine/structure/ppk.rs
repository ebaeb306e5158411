//! PuTTY's private key files.

use sha1::{Digest, Sha1};

use super::key::Key;
use super::pbe::Hash;
use super::{StructureCheck, Token, Verdict, armor, b64, ssh};

/// `ppk`: header, encryption, public and private lines and the authentication code are there and well-formed, and the
/// public part is a key of the stated algorithm. Without a passphrase the code is recomputed, of versions 2 and 3.
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
    let mut encryption = "";
    // The end of a comment may be what surrounds the file; then the code can't tell.
    let mut is_exact = false;
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let mut part = || {
            let count = value.parse().ok().filter(|count| (1..=MOST_LINES).contains(count));
            let body: String = lines.by_ref().take(count?).collect();
            b64::standard(body.as_bytes())
        };
        match name {
            "Encryption" => {
                encryption = value;
                key.encrypted = value != "none";
            }
            "Comment" => {
                is_exact = text.lines().any(|raw| raw.ends_with(&format!(": {value}")));
                key.comment = Some(value.to_owned());
            }
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
    let private = private.filter(|bytes| !bytes.is_empty()).ok_or("no private lines")?;
    let digits = if version == 3 { 64 } else { 40 };
    if code.is_none_or(|code| code.len() != digits || !code.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err("authentication code has not its length");
    }
    if !key.encrypted && is_exact && version > 1 {
        let comment = key.comment.as_deref().unwrap_or_default().as_bytes();
        let fields = [algorithm.as_bytes(), encryption.as_bytes(), comment, public, &private];
        if !code.is_some_and(|code| code.eq_ignore_ascii_case(&authentication_code(version, &fields))) {
            return Err("authentication code does not match");
        }
    }
    Ok(key)
}

/// The code over algorithm, encryption, comment, public and private part of a file without a passphrase, in hex.
pub(crate) fn authentication_code(version: u8, fields: &[&[u8]]) -> String {
    let text = ssh::wire(fields);
    let code = match version {
        3 => Hash::Sha256.hmac(&[], &text),
        _ => Hash::Sha1.hmac(&Sha1::digest(b"putty-private-key-file-mac-key"), &text),
    };
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, skipped_without, table};
    use super::*;
    use crate::specimen::expand;

    #[test]
    fn files() {
        let good = String::from_utf8(expand("<<ppk>>", 6).expect("known")).expect("ASCII");
        let at = good.find("Private-Lines").expect("it has some") + 20;
        let swap = if &good[at..=at] == "A" { "B" } else { "A" };
        let private = format!("{}{swap}{}", &good[..at], &good[at + 1..]);
        table(
            &Ppk,
            &[
                ("whole", good.clone(), Is::Held),
                ("CRLF", good.replace('\n', "\r\n"), Is::Held),
                ("escaped", good.replace('\n', "\\n"), Is::Held),
                ("commented out", good.lines().map(|line| format!("# {line}\n")).collect(), Is::Held),
                ("private part corrupted", private, Is::Failed),
                ("a comment that ends in a quote", good.replacen("specimen", "specimen\",", 1), Is::Held),
                ("another comment", good.replacen("specimen", "specimem", 1), Is::Failed),
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

    /// Files that PuTTY's own tool makes, of both versions.
    #[test]
    fn puttygen_agrees() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let run = |program: &str, args: &[&str]| {
            let made = std::process::Command::new(program).args(args).current_dir(folder.path()).output();
            made.is_ok_and(|made| made.status.success())
        };
        if !run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "ann@host (old)", "-f", "k"]) {
            return skipped_without("ssh-keygen");
        }
        for version in ["2", "3"] {
            let option = format!("version={version}");
            if !run("puttygen", &["k", "-O", "private", "--ppk-param", &option, "-o", "p"]) {
                return skipped_without("puttygen");
            }
            let file = std::fs::read_to_string(folder.path().join("p")).expect("puttygen wrote it");
            assert!(file.contains(&format!("File-{version}")));
            assert_eq!(facts(on(&Ppk, &file)).named["encrypted"], "no");
            let other = file.replacen("ann@host", "bob@host", 1);
            assert!(matches!(on(&Ppk, &other), Verdict::Fails("authentication code does not match")));
        }
    }
}

//! Keys that stand in a text as a block of lines: PEM (RFC 7468), OpenPGP armour (RFC 9580 section 6), SSH2 private
//! keys, PuTTY's files. They have no useful length bound, so each is read from its first line to its last by hand, with
//! a cap. The lines may be joined by escapes (`\n` inside a JSON or source string) or carry quotes, comment marks and
//! indentation: the decoded value is the key material alone, so that one key is one secret however it is wrapped.

use crate::location::Span;

use super::{CodeMatcher, RawMatch};

/// Longest block in bytes. A 16,384-bit RSA key in PEM has some 13,000.
const CAP: usize = 32 * 1024;

/// Least key material in characters for a block to count: an Ed25519 key in PKCS#8 has 64.
const LEAST_MATERIAL: usize = 48;

/// PEM and OpenSSH blocks: `BEGIN … PRIVATE KEY` between five dashes.
pub(super) static PEM: Block =
    Block { name: "pem-private-key", dashes: b"-----", begin: b"BEGIN ", end: b"END ", label_end: b"PRIVATE KEY" };

/// OpenPGP private key blocks.
pub(super) static PGP: Block = Block {
    name: "pgp-private-key",
    dashes: b"-----",
    begin: b"BEGIN ",
    end: b"END ",
    label_end: b"PGP PRIVATE KEY BLOCK",
};

/// Keys in the form of RFC 4716's file format as commercial SSH wrote private ones: four dashes and a space.
pub(super) static SSH2: Block =
    Block { name: "ssh2-private-key", dashes: b"----", begin: b" BEGIN ", end: b" END ", label_end: b"PRIVATE KEY" };

/// PuTTY's own files: from the version line to the MAC.
pub(super) static PUTTY: Putty = Putty;

/// A block between a BEGIN and an END line.
pub(super) struct Block {
    name: &'static str,
    dashes: &'static [u8],
    begin: &'static [u8],
    end: &'static [u8],
    label_end: &'static [u8],
}

impl CodeMatcher for Block {
    fn name(&self) -> &'static str {
        self.name
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let lead = [self.dashes, self.begin].concat();
        let back = keyword.start.saturating_sub(64).max(floor);
        let start = back + memchr::memmem::rfind(&text[back..keyword.end], &lead)?;
        let label_start = start + lead.len();
        let limit = text.len().min(start + CAP);
        let label_stop = memchr::memmem::find(&text[label_start..limit.min(label_start + 80)], self.dashes)?;
        let label = &text[label_start..label_start + label_stop];
        let label = label.strip_suffix(b" ").unwrap_or(label);
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b" -.".contains(byte);
        if !label.ends_with(self.label_end) || !label.iter().all(is_label) {
            return None;
        }
        let body_start = label_start + label_stop + self.dashes.len();
        if body_start > limit || !Span::new(start, body_start).contains(keyword) {
            return None;
        }
        // The next block's first line ends one that was cut off.
        let limit = memchr::memmem::find(&text[body_start..limit], &lead).map_or(limit, |at| body_start + at);
        let closing = [self.dashes, self.end].concat();
        let (body_end, whole_end) = match memchr::memmem::find(&text[body_start..limit], &closing) {
            Some(at) => {
                let tail = body_start + at + closing.len();
                let stop = memchr::memmem::find(&text[tail..limit.min(tail + 80)], self.dashes)?;
                (body_start + at, tail + stop + self.dashes.len())
            }
            None => {
                let cut = material_end(text, body_start, limit);
                (cut, cut)
            }
        };
        let material = material(&text[body_start..body_end]);
        if material.len() < LEAST_MATERIAL {
            return None;
        }
        Some(RawMatch {
            whole: Span::new(start, whole_end),
            secret: Span::new(start, whole_end),
            decoded: Some(material),
            companions: Vec::new(),
            bare: false,
        })
    }

    fn reach(&self) -> usize {
        CAP
    }
}

/// Where the key material of a block without an END line stops.
fn material_end(text: &[u8], from: usize, limit: usize) -> usize {
    let mut end = from;
    let mut at = from;
    while at < limit {
        let byte = text[at];
        if is_material(byte) {
            end = at + 1;
        } else if !(byte.is_ascii_whitespace() || b"\\\"'+,#*|".contains(&byte)) {
            break;
        }
        at += 1;
    }
    end
}

fn is_material(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// The base64 characters of a block's body: without header lines (`Proc-Type: …`), escapes, quotes and indentation.
fn material(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut at = 0;
    while at < body.len() {
        match body[at] {
            b'\\' => {
                let letters = body[at..].iter().take_while(|&&byte| byte == b'\\').count();
                at += letters;
                if body.get(at).is_some_and(|byte| b"nrt".contains(byte)) {
                    lines.push(Vec::new());
                    at += 1;
                }
                continue;
            }
            b'\n' | b'\r' => lines.push(Vec::new()),
            byte => lines.last_mut().expect("there is always a line").push(byte),
        }
        at += 1;
    }
    let mut material = Vec::new();
    for line in lines {
        if line.contains(&b':') {
            continue;
        }
        material.extend(line.into_iter().filter(|&byte| is_material(byte)));
    }
    material
}

/// PuTTY private keys, versions 2 and 3.
/// Source: PuTTY manual, appendix C "PPK file format", read 2026-11.
pub(super) struct Putty;

impl CodeMatcher for Putty {
    fn name(&self) -> &'static str {
        "putty-private-key"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let back = keyword.start.saturating_sub(32).max(floor);
        let lead = b"PuTTY-User-Key-File-";
        let start = back + memchr::memmem::rfind(&text[back..keyword.end], lead)?;
        let limit = text.len().min(start + CAP);
        // The next key's first line ends one that was cut off.
        let next = start + lead.len();
        let limit = memchr::memmem::find(&text[next..limit], lead).map_or(limit, |at| next + at);
        let body = &text[start..limit];
        let private = memchr::memmem::find(body, b"Private-Lines:")?;
        let count_at = private + b"Private-Lines:".len();
        let count_end = count_at + memchr::memchr2(b'\n', b'\\', &body[count_at..])?;
        let material_start = start + count_end;
        let mac = memchr::memmem::find(&text[material_start..limit], b"Private-MAC:");
        let (material_stop, end) = match mac {
            Some(at) => {
                let tail = material_start + at + b"Private-MAC:".len();
                let line =
                    text[tail..limit].iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b' ').count();
                (material_start + at, tail + line)
            }
            None => {
                let cut = material_end(text, material_start, limit);
                (cut, cut)
            }
        };
        let material = material(&text[material_start..material_stop]);
        (material.len() >= 32 && Span::new(start, end).contains(keyword)).then(|| RawMatch {
            whole: Span::new(start, end),
            secret: Span::new(start, end),
            decoded: Some(material),
            companions: Vec::new(),
            bare: false,
        })
    }

    fn reach(&self) -> usize {
        CAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(body: &str) -> String {
        format!("{0}BEGIN RSA {1}{0}{body}{0}END RSA {1}{0}", "-----", "PRIVATE KEY")
    }

    fn find(text: &str) -> Option<RawMatch> {
        let at = text.find("PRIVATE KEY")?;
        PEM.find(text.as_bytes(), Span::new(at, at + 11), 0)
    }

    #[test]
    fn a_key_is_one_secret_however_it_is_wrapped() {
        let body = "MIIEowIBAAKCAQEA7x1abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS";
        let plain = pem(&format!("\n{body}\n{body}\n"));
        let wrapped = [
            pem(&format!("\r\n{body}\r\n{body}\r\n")),
            pem(&format!("\\n{body}\\n{body}\\n")),
            pem(&format!("\\\\n{body}\\\\n{body}\\\\n")),
            pem(&format!("\n    \"{body}\" +\n    \"{body}\"\n")),
            pem(&format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{body}\n# {body}\n")),
        ];
        let expected = find(&plain).expect("a plain block is found").decoded;
        assert_eq!(expected.as_ref().map(Vec::len), Some(2 * body.len()));
        for text in wrapped {
            let found = find(&text).expect("a wrapped block is found");
            // `+` between source strings is a base64 character: it can't be told apart and is only ever added.
            let decoded: Option<Vec<u8>> =
                found.decoded.map(|bytes| bytes.into_iter().filter(|byte| *byte != b'+').collect());
            assert_eq!(decoded, expected, "{text}");
            assert_eq!(found.whole, Span::new(0, text.len()));
        }
    }

    #[test]
    fn headers_without_a_key_are_nothing() {
        for body in ["", "\n...\n", "\n<your key here>\n", "\nMIIEow\n"] {
            assert_eq!(find(&pem(body)), None, "{body:?}");
        }
        let text = format!("{}BEGIN PUBLIC KEY-----", "-----");
        assert_eq!(PEM.find(text.as_bytes(), Span::new(11, 21), 0), None);
    }

    #[test]
    fn a_cut_off_block_leaves_the_next_one_whole() {
        let body = "MIIEowIBAAKCAQEA7x1abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS";
        let whole = pem(&format!("\n{body}\n{}\n", body.to_lowercase()));
        let text = format!("{0}BEGIN RSA {1}{0}\n{body}\n{whole}", "-----", "PRIVATE KEY");
        let cut = find(&text).expect("the first one is found");
        assert_eq!(cut.decoded.as_deref(), Some(body.as_bytes()));
        let at = cut.whole.end + text[cut.whole.end..].find("PRIVATE KEY").expect("the second one has a label");
        let next = PEM.find(text.as_bytes(), Span::new(at, at + 11), cut.whole.end).expect("it is found");
        assert_eq!(next.decoded, find(&whole).expect("it is found alone").decoded);
    }

    #[test]
    fn a_block_without_an_end_is_cut_at_its_material() {
        let body = "MIIEowIBAAKCAQEA7x1abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS";
        let text = format!("{0}BEGIN {1}{0}\n{body}\n{body}\nNot: more", "-----", "PRIVATE KEY");
        let found = find(&text).expect("a truncated block is found");
        assert!(found.whole.end <= text.len() - ": more".len(), "{:?}", found.whole);
    }
}

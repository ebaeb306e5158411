//! Text armour (`-----BEGIN …-----`) as it really lies about: in strings with `\n` escapes, in JSON, URL-encoded,
//! quoted line by line, commented out, indented, or as lines of a diff.

/// Most lines of one block that are read. A 16 384-bit RSA key has some 200; the rest isn't looked at.
const MOST_LINES: usize = 4096;

/// One armoured block.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// What stands after `BEGIN`: `RSA PRIVATE KEY`.
    pub(super) label: String,
    /// `Name: value` lines before the body.
    pub(super) headers: Vec<(String, String)>,
    /// The body's base64, in pieces: one a line, more where a line held several.
    pub(super) pieces: Vec<Vec<u8>>,
}

impl Block {
    /// The whole body's base64.
    pub(super) fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// The value of the header `name`, compared without case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// The first block whose label contains `wanted`, else the first block at all; `None` without a `BEGIN` line. A block
/// without an `END` line goes to the end of the text.
pub(super) fn block(text: &[u8], wanted: &str) -> Option<Block> {
    let text = unescaped(text);
    let mut rest = text.as_str();
    let mut first = None;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, behind)) = after.split_once("-----").filter(|(label, _)| is_label(label)) else {
            rest = after;
            continue;
        };
        rest = behind;
        if label.contains(wanted) {
            return Some(read(label, behind));
        }
        first.get_or_insert((label, behind));
    }
    first.map(|(label, behind)| read(label, behind))
}

/// Whether `label` is words of upper-case letters and digits.
fn is_label(label: &str) -> bool {
    label.len() <= 64 && label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ')
}

/// Reads headers and body of the block called `label` from what is behind its `BEGIN` line.
fn read(label: &str, behind: &str) -> Block {
    let body = behind.split_once("-----END").map_or(behind, |(body, _)| body);
    let mut block = Block { label: label.to_owned(), ..Block::default() };
    let mut lines: Vec<Vec<&str>> = Vec::new();
    for line in body.lines().take(MOST_LINES) {
        let mut line = line;
        if let Some((name, value)) = header(line) {
            if lines.is_empty() {
                block.headers.push((name.to_owned(), value.trim().to_owned()));
                continue;
            }
            line = value;
        }
        let pieces = base64_pieces(line);
        if !pieces.is_empty() {
            lines.push(pieces);
        }
    }
    // A mark that base64 could hold too (`+` of a diff, `//` of a comment) is one if every line starts with it; three
    // lines do so by chance once in 262 144.
    let mark =
        ["+", "//"].into_iter().find(|mark| lines.len() >= 3 && lines.iter().all(|line| line[0].starts_with(mark)));
    for (number, piece) in lines.iter().flat_map(|line| line.iter().enumerate()) {
        let text = match mark {
            Some(mark) if number == 0 => &piece[mark.len()..],
            _ => piece,
        };
        block.pieces.push(text.as_bytes().to_vec());
    }
    block
}

/// Splits a `Name: value` line, marks before the name left out.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, value))
}

/// The stretches of base64 in a line, without what strings of programming languages have around them.
fn base64_pieces(line: &str) -> Vec<&str> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(is_base64).map(|offset| at + offset) {
        let end = line[start..].find(|c| !is_base64(c)).map_or(line.len(), |offset| start + offset);
        let piece = &line[start..end];
        let before = line[..start].chars().next_back();
        let after = line[end..].chars().next();
        // `+` and `//` alone join strings or start comments; `b"` and `u8"` are prefixes of string literals.
        let operator = piece.len() <= 3 && piece.bytes().all(|byte| matches!(byte, b'+' | b'/'));
        let prefix = piece.len() <= 2
            && before.is_none_or(|c| c.is_whitespace() || "(,[".contains(c))
            && after.is_some_and(|c| c == '"' || c == '\'');
        if !operator && !prefix {
            pieces.push(piece);
        }
        at = end;
    }
    pieces
}

/// `text` with the escapes undone that JSON, C-like languages, shells, URLs and HTML put into strings: `\n`, `\\n`,
/// `\/`, `\u000a`, `\x0a`, a backslash at the end of a line, `%0A`, `&#10;`. Bytes that aren't UTF-8 are replaced.
pub(super) fn unescaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(['\\', '%', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (made, used) = escape(rest);
        out.extend(made);
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

/// The character that the escape at the start of `text` stands for, if any, and the bytes that it takes (one at least).
fn escape(text: &str) -> (Option<char>, usize) {
    let code = |digits: Option<&str>, radix| {
        let number = u32::from_str_radix(digits?, radix).ok()?;
        char::from_u32(number).filter(char::is_ascii)
    };
    if text.starts_with('\\') {
        let slashes = text.bytes().take_while(|byte| *byte == b'\\').count();
        let next = &text[slashes..];
        return match next.as_bytes().first() {
            Some(b'n' | b'r') => (Some('\n'), slashes + 1),
            Some(b't') => (Some(' '), slashes + 1),
            Some(b'u') => match code(next.get(1..5), 16) {
                Some(made) => (Some(made), slashes + 5),
                None => (None, slashes),
            },
            Some(b'x') => match code(next.get(1..3), 16) {
                Some(made) => (Some(made), slashes + 3),
                None => (None, slashes),
            },
            _ => (None, slashes),
        };
    }
    if text.starts_with('%') {
        return match code(text.get(1..3), 16) {
            Some(made) => (Some(made), 3),
            None => (Some('%'), 1),
        };
    }
    let entity = text.strip_prefix("&#").and_then(|digits| {
        // The end is looked for nearby only, or a file full of `&#` would take a square of its length.
        let end = digits.bytes().take(8).position(|byte| byte == b';')?;
        let made = match digits[..end].strip_prefix(['x', 'X']) {
            Some(hex) => code(Some(hex), 16),
            None => code(Some(&digits[..end]), 10),
        };
        Some((made?, end + 3))
    });
    entity.map_or((Some('&'), 1), |(made, used)| (Some(made), used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_through_what_surrounds_them() {
        let label = "RSA PRIVATE KEY-----";
        let plain = format!("-----BEGIN {label}\nMIIabc+/\nn4Zq+8k=\nQQ==\n-----END {label}\n");
        let quoted: String = plain.lines().map(|line| format!("    \"{line}\\n\" +\n")).collect();
        let prefixed = |prefix: &str| plain.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
        for (what, text) in [
            ("plain", plain.clone()),
            ("CRLF", plain.replace('\n', "\r\n")),
            ("no END", plain[..plain.len() - 31].to_owned()),
            ("escaped", plain.replace('\n', "\\n")),
            ("escaped twice", plain.replace('\n', "\\\\r\\\\n")),
            ("JSON with escaped slashes", plain.replace('/', "\\/").replace('\n', "\\n")),
            ("JSON with code points", plain.replace('+', "\\u002b").replace('=', "\\u003d").replace('\n', "\\u000a")),
            ("URL", plain.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D").replace('\n', "%0A")),
            ("HTML", plain.replace('\n', "&#10;").replace('+', "&#x2B;")),
            ("quoted by line", quoted),
            ("bytes of Python", prefixed("b'").replace('\n', "\\n'\n")),
            ("shell continuation", plain.replace('\n', "\\\n")),
            ("spaces for lines", plain.replace('\n', " ")),
            ("indented", prefixed("\t  ")),
            ("commented with #", prefixed("# ")),
            ("commented with //", prefixed("//")),
            ("commented with // and a blank", prefixed("// ")),
            ("commented with *", prefixed(" * ")),
            ("added in a diff", prefixed("+")),
            ("removed in a diff", prefixed("-")),
        ] {
            let block = block(text.as_bytes(), "PRIVATE KEY").expect(what);
            assert_eq!(block.label, "RSA PRIVATE KEY", "{what}");
            assert_eq!(String::from_utf8_lossy(&block.body()), "MIIabc+/n4Zq+8k=QQ==", "{what}: {text}");
        }
    }

    #[test]
    fn headers_are_kept_apart() {
        let text =
            "# -----BEGIN DSA PRIVATE KEY-----\n# Proc-Type: 4,ENCRYPTED\n# DEK-Info: AES-128-CBC,00\n#\n# QUJD\n";
        let block = block(text.as_bytes(), "").expect("a block");
        assert_eq!(block.header("proc-type"), Some("4,ENCRYPTED"));
        assert_eq!(block.header("DEK-Info"), Some("AES-128-CBC,00"));
        assert_eq!(block.body(), b"QUJD");
    }

    #[test]
    fn the_wanted_block_is_taken() {
        let text =
            b"-----BEGIN EC PARAMETERS-----\nQQ==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nQg==\n";
        assert_eq!(block(text, "PRIVATE KEY").expect("a block").body(), b"Qg==");
        assert_eq!(block(text, "CERTIFICATE").expect("a block").label, "EC PARAMETERS");
        assert!(block(b"-----BEGIN", "").is_none());
        assert!(block(b"-----BEGIN lower-----", "").is_none());
        assert!(block(b"", "").is_none());
    }

    #[test]
    fn broken_escapes_stay_or_vanish() {
        for (text, expected) in [
            ("a%", "a%"),
            ("a%zzb", "a%zzb"),
            ("\\", ""),
            ("\\u00", "u00"),
            ("\\uüüb", "uüüb"),
            ("&#;&#x;&", "&#;&#x;&"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(unescaped(text.as_bytes()), expected, "{text}");
        }
    }
}

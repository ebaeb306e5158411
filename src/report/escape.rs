//! Scanned data made safe for a sink: one function per sink.
//!
//! File names, refs, authors and file contents are hostile text. Here they lose what could move a cursor, reorder or
//! hide what a reader sees, start a new line, or be read as a command by a CI system that watches the log:
//! Azure Pipelines takes `##vso[…]` and `##[…]` anywhere in a line, GitHub's runner takes `##[…]` anywhere and
//! `::name …::` where nothing but blanks stand before it, TeamCity takes `##teamcity[…]`.
//! Source: microsoft/azure-pipelines-agent, `Command.TryParse` (`Command.cs`); actions/runner, `TryParse` and
//! `TryParseV2` (`src/Runner.Common/ActionCommand.cs`), read 2026-11; TeamCity's documentation of service messages.

use std::fmt::Write as _;
use std::io;

use serde_json::ser::Formatter;

/// `text` for a terminal or a log: whatever would act instead of being seen is written as `\n`, `\t`, `\u{1b}`.
///
/// Backslashes stay as they are: this output is for people, and doubled ones would spoil the lines they read.
pub(crate) fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(&mut out, text, None);
    out
}

/// [`terminal`] for bytes: what is not UTF-8 is written as `\xNN`.
pub(crate) fn terminal_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let before = out.chars().next_back();
        push_visible(&mut out, chunk.valid(), before);
        push_hex(&mut out, chunk.invalid());
    }
    out
}

/// `text` for an element or a quoted attribute of HTML: what acts made visible, what could be markup as references, and
/// what the standard forbids in a page (noncharacters, section 13.2.3.5, read 2026-11) as `\u{fffe}`. Not for
/// scripts, style sheets, comments, URLs or attributes without quotes.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fdd0}'..='\u{fdef}' => out.extend(c.escape_unicode()),
            c if u32::from(c) & 0xfffe == 0xfffe => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// [`html`] for bytes: what is not UTF-8 is written as `\xNN`.
pub(crate) fn html_bytes(bytes: &[u8]) -> String {
    html(&terminal_bytes(bytes))
}

/// `bytes` as a string for a format that escapes by itself (JSON): what is not UTF-8 is written as `\xNN`. The
/// second value is the exact bytes, percent-encoded, when the first can't tell them.
pub(crate) fn display(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => {
            let mut out = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                out.push_str(chunk.valid());
                push_hex(&mut out, chunk.invalid());
            }
            (out, Some(percent(bytes)))
        }
    }
}

/// `bytes` percent-encoded: all but letters, digits, `-`, `.`, `_`, `~` (RFC 3986 section 2.3) and `/`.
pub(crate) fn percent(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A path as a relative URI: raw bytes percent-encoded, no leading slash, no empty segment.
///
/// A hostile tree may hold entries named `.` and `..`, which a URI can't name: percent-encoded dots mean the same as
/// plain ones (RFC 3986 section 6.2.2.2), and a consumer would walk out of the root. They are written as the
/// one-character look-alikes U+2024 and U+2025.
pub(crate) fn relative_uri(path: &[u8]) -> String {
    let segments = path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty());
    let encoded: Vec<_> = segments
        .map(|segment| match segment {
            b"." => percent("\u{2024}".as_bytes()),
            b".." => percent("\u{2025}".as_bytes()),
            _ => percent(segment),
        })
        .collect();
    encoded.join("/")
}

/// Appends `text` with everything that would act made visible. `before` is the character that stands before it.
fn push_visible(out: &mut String, text: &str, mut before: Option<char>) {
    for (at, c) in text.char_indices() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if acts(c) || begins_command(before, &text.as_bytes()[at..]) => {
                let _infallible = write!(out, "{}", c.escape_unicode());
            }
            _ => out.push(c),
        }
        before = Some(c);
    }
}

/// Appends bytes as `\xNN`.
fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _infallible = write!(out, "\\x{byte:02x}");
    }
}

/// Whether a character acts on its surroundings or hides: C0 and C1 controls, line and paragraph separators,
/// bidirectional controls, zero-width and filler characters, variation selectors, tags. The agents named above search
/// with .NET's culture-sensitive `IndexOf`, which skips ignorable characters, so that `##vso[` is found with one
/// inside: emoji lose their variation selectors for it. Source: Unicode 16, `Bidi_Control` and
/// `Default_Ignorable_Code_Point`.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a CI system could read a command where `rest` begins. A `::` after a letter, a digit or `_` is left
/// alone: no runner takes it, and source lines are full of `std::fmt`.
fn begins_command(before: Option<char>, rest: &[u8]) -> bool {
    match rest {
        [b'#', b'#', tail @ ..] => {
            tail.iter().find(|byte| !byte.is_ascii_alphanumeric()).is_some_and(|&byte| byte == b'[')
        }
        [b':', b':', next, ..] => {
            next.is_ascii_alphabetic() && before.is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
        }
        _ => false,
    }
}

/// Wraps a JSON formatter: inside strings, what [`terminal`] would make visible is written as `\uXXXX`, which decodes
/// to the same text. serde_json itself escapes quotes, backslashes and C0 controls only.
pub(crate) struct Guarded<F>(pub(crate) F);

impl<F: Formatter> Formatter for Guarded<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // A fragment ends where serde_json escapes a character itself, so no command straddles two of them and what
        // stands before one is a quote, a backslash or a control.
        let mut before = None;
        let mut written = 0;
        for (at, c) in fragment.char_indices() {
            if acts(c) || begins_command(before, &fragment.as_bytes()[at..]) {
                out.write_all(&fragment.as_bytes()[written..at])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
                written = at + c.len_utf8();
            }
            before = Some(c);
        }
        out.write_all(&fragment.as_bytes()[written..])
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize as _;

    use super::*;

    #[test]
    fn html_holds_no_markup_and_nothing_that_acts() {
        for (text, expected) in [
            ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
            ("\"><script>'", "&quot;&gt;&lt;script&gt;&#39;"),
            ("&lt;&#x3c;", "&amp;lt;&amp;#x3c;"),
            ("a\n\u{202e}b\u{0}", "a\\n\\u{202e}b\\u{0}"),
            ("\u{fdd0}\u{fffe}\u{1ffff}ü", "\\u{fdd0}\\u{fffe}\\u{1ffff}ü"),
        ] {
            assert_eq!(html(text), expected);
        }
        assert_eq!(html_bytes(b"a\xff<b>"), "a\\xff&lt;b&gt;");
    }

    /// `text` as the guarded formatter writes it.
    fn json(text: &str) -> String {
        let mut out = Vec::new();
        let mut serializer =
            serde_json::Serializer::with_formatter(&mut out, Guarded(serde_json::ser::CompactFormatter));
        text.serialize(&mut serializer).expect("strings serialise");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn what_would_act_is_seen_instead() {
        let cases = [
            ("plain é 𝄞 ‹redacted› C:\\x", "plain é 𝄞 ‹redacted› C:\\x"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("x\u{202e}fdp.exe", "x\\u{202e}fdp.exe"),
            ("c1 \u{9b}31m del \u{7f}", "c1 \\u{9b}31m del \\u{7f}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("a\n##vso[task.setvariable variable=x]y", "a\\n\\u{23}#vso[task.setvariable variable=x]y"),
            ("###[error]", "#\\u{23}#[error]"),
            ("## heading [x]", "## heading [x]"),
            ("::stop-commands::", "\\u{3a}:stop-commands::"),
            ("x ::add-mask::y", "x \\u{3a}:add-mask::y"),
            ("a\n::error::b", "a\\n\\u{3a}:error::b"),
            ("std::fmt::Debug", "std::fmt::Debug"),
        ];
        for (text, expected) in cases {
            assert_eq!(terminal(text), expected);
            assert_eq!(terminal_bytes(text.as_bytes()), expected);
            assert_eq!(serde_json::from_str::<String>(&json(text)).expect("valid JSON"), text);
        }
        assert_eq!(terminal_bytes(b"a\xff\x9b##\xfevso["), "a\\xff\\x9b##\\xfevso[");
    }

    #[test]
    fn json_strings_hold_no_command_and_no_hidden_character() {
        assert_eq!(json("##vso[x"), r##""\u0023#vso[x""##);
        assert_eq!(json("a\n::error::"), r#""a\n\u003a:error::""#);
        assert_eq!(json("\u{202e}\u{9b}\u{e0041}"), r#""\u202e\u009b\udb40\udc41""#);
    }

    #[test]
    fn bytes_that_are_no_text_keep_their_exact_form() {
        assert_eq!(display("ü/x".as_bytes()), ("ü/x".to_owned(), None));
        assert_eq!(display(b"d\xfc/x y"), ("d\\xfc/x y".to_owned(), Some("d%FC/x%20y".to_owned())));
    }

    #[test]
    fn uris_are_relative_and_stay_below_the_root() {
        let cases: [(&[u8], &str); 8] = [
            (b"src/main.rs", "src/main.rs"),
            (b"/etc/pass wd", "etc/pass%20wd"),
            (b"a/../../b/./c", "a/%E2%80%A5/%E2%80%A5/b/%E2%80%A4/c"),
            (b"a//b/", "a/b"),
            (b"http:/x", "http%3A/x"),
            ("dir ü/f".as_bytes(), "dir%20%C3%BC/f"),
            (b"\xff\\#?[]%!", "%FF%5C%23%3F%5B%5D%25%21"),
            (b"...", "..."),
        ];
        for (path, expected) in cases {
            assert_eq!(relative_uri(path), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_gets_through_that_acts(text in r"(\PC|[\x00-\x1f#:\[\]va-e\u{80}-\u{9f}\u{202a}-\u{202e}]){0,40}") {
            let seen = terminal(&text);
            prop_assert!(!seen.chars().any(acts));
            for (at, c) in seen.char_indices() {
                let before = seen[..at].chars().next_back();
                prop_assert!(!(c == '#' && begins_command(before, &seen.as_bytes()[at..])));
            }
            prop_assert!(!seen.trim_start().starts_with("::") || !begins_command(None, seen.trim_start().as_bytes()));
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).expect("valid JSON"), text);
        }
    }
}

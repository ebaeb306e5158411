//! Values that stand apart from their name: `- name: PASSWORD` and `value: …` on the next line, `<key>password</key>
//! <string>…</string>`, `"adminPassword": {"value": "…"}`, `variable "password" { default = "…" }`.

use super::value::{Cursor, element_value, quoted_or_bare};
use crate::location::Span;

/// How far behind a name its value may begin, in bytes.
pub(super) const FARTHEST: usize = 160;

/// Words under which the value of a named thing stands, lower case.
const VALUE_WORDS: [&[u8]; 2] = [b"value", b"default"];

/// What stands before a word of [`VALUE_WORDS`] in the same name: `ParameterValue`.
const VALUE_LEADS: [&[u8]; 2] = [b"parameter", b"option"];

/// The value of a name that is itself the value of a `name` or `key`, and ends at `from`.
pub(super) fn of_label(text: &[u8], from: usize) -> Option<Span> {
    let limit = text.len().min(from + FARTHEST);
    let mut cursor = Cursor::new(text, from, limit);
    cursor.skip(b"\\\"'`");
    if cursor.eat(b"</") {
        // <key>NAME</key> <string>VALUE</string>
        cursor.leave_tag()?;
        return nested_element(text, &mut cursor);
    }
    let inside_tag = text[cursor.at..limit].iter().position(|byte| b"<>\n".contains(byte)).map(|at| cursor.at + at);
    match inside_tag {
        Some(end) if text[end] == b'>' && !b"/=-?".contains(&text[end - 1]) => {
            // <entry key="NAME">VALUE</entry>, <setting name="NAME"><value>VALUE</value>
            cursor.at = end + 1;
            element_value(text, cursor.at).or_else(|| nested_element(text, &mut cursor))
        }
        _ => member(text, Span::new(cursor.at, limit)),
    }
}

/// The text of the element that begins behind white space.
fn nested_element(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    cursor.skip(b" \t\r\n");
    let is_value = [b"<value".as_slice(), b"<string"].iter().any(|&tag| cursor.eat(tag));
    if !is_value {
        return None;
    }
    cursor.leave_tag()?;
    element_value(text, cursor.at)
}

/// The value of a name that a block in braces belongs to, which begins at `from`.
pub(super) fn of_block(text: &[u8], from: usize) -> Option<Span> {
    member(text, Span::new(from, text.len().min(from + FARTHEST)))
}

/// The value of a name in YAML whose mapping begins on the line after `from`: `Default: …` of a parameter.
pub(super) fn of_mapping(text: &[u8], name: usize, from: usize) -> Option<Span> {
    let indent = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let start = memchr::memrchr(b'\n', &text[..name]).map_or(0, |at| at + 1);
    let own = indent(&text[start..name]);
    if start + own != name {
        return None; // something stands before the name
    }
    let limit = text.len().min(from + FARTHEST);
    let mut at = from;
    while let Some(line) = memchr::memchr(b'\n', &text[at..limit]).map(|end| at + end + 1) {
        let inner = indent(&text[line..limit]);
        if inner <= own {
            return None;
        }
        let mut cursor = Cursor::new(text, line + inner, limit);
        if VALUE_WORDS.iter().any(|&word| cursor.eat(word)) && cursor.skip(b":") == 1 {
            cursor.blanks();
            return quoted_or_bare(text, &mut cursor);
        }
        at = line;
    }
    None
}

/// The value of the first member that is called `value` or `default`, up to the end of the block.
fn member(text: &[u8], within: Span) -> Option<Span> {
    let window = &text[within.start..within.end];
    let end = window.iter().position(|byte| b"}])".contains(byte)).unwrap_or(window.len());
    let window = &window[..memchr::memmem::find(&window[..end], b"\n\n").unwrap_or(end)];
    let mut at = 0;
    while let Some(found) = window[at..].iter().position(|byte| b"vVdD".contains(byte)).map(|found| at + found) {
        at = found + 1;
        let mut cursor = Cursor::new(text, within.start + found, text.len());
        if !begins_member(&window[..found]) || !VALUE_WORDS.iter().any(|&word| cursor.eat(word)) {
            continue;
        }
        cursor.eat(b"value"); // defaultValue
        cursor.skip(b"\\\"'");
        cursor.blanks();
        if cursor.skip(b":=") == 0 {
            continue;
        }
        cursor.blanks();
        return quoted_or_bare(text, &mut cursor);
    }
    None
}

/// Whether the name of a member may begin behind `before`.
fn begins_member(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"_").unwrap_or(before);
    let lead = VALUE_LEADS
        .iter()
        .find(|lead| before.len() >= lead.len() && before[before.len() - lead.len()..].eq_ignore_ascii_case(lead));
    let before = &before[..before.len() - lead.map_or(0, |lead| lead.len())];
    before.last().is_none_or(|byte| b" \t\r\n{,;\"'\\".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_from_words() {
        let cases = [
            (", \"value\": \"kX9!mm\"}", Some("kX9!mm")),
            (",\n  \"type\": \"s\",\n  \"value\" : \"kX9!mm\"}", Some("kX9!mm")),
            (",ParameterValue=kX9!mm", Some("kX9!mm")),
            ("\n  value: kX9!mm\n", Some("kX9!mm")),
            ("{ type = string\n default = \"kX9!mm\" }", Some("kX9!mm")),
            ("{\"defaultValue\": \"kX9!mm\"}", Some("kX9!mm")),
            ("}, {\"value\": \"kX9!mm\"}", None),
            (", \"valued\": \"kX9!mm\"}", None),
            ("\n\n  value: kX9!mm\n", None),
            (", \"anyvalue\": \"kX9!mm\"}", None),
        ];
        for (text, expected) in cases {
            let value = member(text.as_bytes(), Span::new(0, text.len()));
            assert_eq!(value.map(|span| &text[span.start..span.end]), expected, "{text}");
        }
    }
}

//! Escapes of JSON and of most languages' strings, where they break what a rule reads: `\u003d` for `=`, `https:\/\/`,
//! `\n` right before a token, as in cells of notebooks and in JSON within JSON. Escaped quotes and line breaks at other
//! places are read by the rules as they are.

use super::hex;
use super::map::Builder;
use super::{Room, View};
use crate::location::Span;

/// How far before and after an escape its line is decoded, in bytes: as far as names and values reach.
const REACH: [usize; 2] = [256, 640];

/// Least length of what looks like a token right after a `\n`, in bytes.
const LEAST_TOKEN: usize = 16;

/// Whether the backslash at `at`, the last of a row, begins an escape that breaks tokens.
pub(super) fn breaks(text: &[u8], at: usize) -> bool {
    match text.get(at + 1) {
        Some(b'u') => text[at + 2..].starts_with(b"00") && hex::byte(text, at + 4).is_some_and(is_printable),
        Some(b'x') => hex::byte(text, at + 2).is_some_and(is_printable),
        Some(b'/') => is_amid_token(text, at),
        Some(b'n' | b'r' | b't') => is_token(&text[at + 2..]),
        _ => false,
    }
}

/// Whether a byte is a character of ASCII that can be seen.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// Whether `\/` at `at` stands within a token or an address: not where an expression ends.
fn is_amid_token(text: &[u8], at: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"\\:+".contains(byte);
    at.checked_sub(1).is_some_and(|before| is_part(&text[before]))
        && text.get(at + 2).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'\\' || *byte == b'+')
}

/// Whether a text begins like a token: letters and digits, some of each.
fn is_token(text: &[u8]) -> bool {
    let Some(token) = text.get(..LEAST_TOKEN) else { return false };
    token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        && token.iter().any(u8::is_ascii_digit)
        && token.iter().any(u8::is_ascii_alphabetic)
}

/// The surroundings of `seeds` on their lines with all escapes decoded, one a line.
pub(super) fn view(text: &[u8], seeds: &[usize], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    for stretch in stretches(text, seeds, REACH) {
        if !room.take(stretch.len()) {
            break;
        }
        decode(text, stretch, &mut made);
        made.put(b"\n", stretch.end);
    }
    View::new("escapes", made)
}

/// The parts of lines within `reach` bytes before and after `seeds`, in order and apart.
pub(super) fn stretches(text: &[u8], seeds: &[usize], [back, ahead]: [usize; 2]) -> Vec<Span> {
    let mut stretches: Vec<Span> = Vec::new();
    for &seed in seeds {
        let floor = seed.saturating_sub(back);
        let ceiling = text.len().min(seed + ahead);
        let end = memchr::memchr(b'\n', &text[seed..ceiling]).map_or(ceiling, |at| seed + at);
        match stretches.last_mut() {
            Some(last) if floor <= last.end && seed < last.end => last.end = last.end.max(end),
            last => {
                let floor = last.map_or(floor, |last| floor.max(last.end));
                let start = memchr::memrchr(b'\n', &text[floor..seed]).map_or(floor, |at| floor + at + 1);
                stretches.push(Span::new(start, end));
            }
        }
    }
    stretches
}

/// Decodes the escapes of a stretch. Of a row of backslashes all are one: what is escaped twice is decoded at once.
fn decode(text: &[u8], stretch: Span, made: &mut Builder) {
    let text = &text[..stretch.end];
    let mut at = stretch.start;
    while at < stretch.end {
        let row = memchr::memchr(b'\\', &text[at..]).map_or(stretch.end, |next| at + next);
        made.copy(text, Span::new(at, row));
        let letter = row + text[row..].iter().take_while(|byte| **byte == b'\\').count();
        let mut utf8 = [0; 4];
        at = match character(text, letter) {
            Some((c, len)) => {
                // A row is a few bytes long; one of thousands is no escape.
                let taken = letter + len - row;
                if taken <= 64 {
                    made.unit(c.encode_utf8(&mut utf8).as_bytes(), row, taken)
                }
                letter + len
            }
            None => {
                made.copy(text, Span::new(row, letter));
                letter
            }
        };
    }
}

/// What the escape means whose letter is at `at`, and how many bytes it takes from there on.
fn character(text: &[u8], at: usize) -> Option<(char, usize)> {
    let simple = |c: char| Some((c, 1));
    match *text.get(at)? {
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        byte @ (b'"' | b'\'' | b'/' | b'`') => simple(char::from(byte)),
        b'x' => hex::byte(text, at + 1).map(|byte| (char::from(byte), 3)),
        b'u' => unit(text, at).and_then(|first| match char::from_u32(u32::from(first)) {
            Some(c) => Some((c, 5)),
            None => {
                let second = unit(text, at + 6).filter(|_| text.get(at + 5) == Some(&b'\\'))?;
                let c = char::decode_utf16([first, second]).next()?.ok()?;
                Some((c, 11))
            }
        }),
        _ => None,
    }
}

/// The UTF-16 code unit of `uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    (text.get(at) == Some(&b'u'))
        .then(|| Some(u16::from(hex::byte(text, at + 1)?) << 8 | u16::from(hex::byte(text, at + 3)?)))
        .flatten()
}

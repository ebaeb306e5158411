//! Character references of HTML and XML where they break what a rule reads: an encoded quote around a value, an encoded
//! tag, a sign as a number. `&amp;` between parameters of an address is read by the rules as it is. Only in markup, and in
//! what was decoded: most ampersands are operators of programs.
//! Source: <https://html.spec.whatwg.org/multipage/syntax.html#character-references>, from general knowledge.

use super::escapes::stretches;
use super::map::Builder;
use super::{Room, View};
use crate::location::Span;

/// How far before and after a reference its line is decoded, in bytes.
const REACH: [usize; 2] = [256, 640];

/// Longest name or number of a reference in bytes.
const LONGEST: usize = 10;

/// Longest name of a parameter in bytes.
const LONGEST_NAME: usize = 32;

/// Whether any reference in a text breaks tokens.
pub(super) fn is_any(text: &[u8]) -> bool {
    memchr::memchr_iter(b'&', text).any(|at| breaks(text, at))
}

/// Whether the ampersand at `at` begins a reference that breaks tokens.
fn breaks(text: &[u8], at: usize) -> bool {
    let Some((c, len)) = character(text, at) else { return false };
    let (before, after) = (&text[..at], &text[at + len..]);
    match c {
        '"' | '\'' if text[at + 1] != b'#' => {
            let before = before.strip_suffix(b" ").unwrap_or(before);
            let after = after.strip_prefix(b" ").unwrap_or(after);
            let is_sign = |byte: Option<&u8>| byte.is_some_and(|byte| b"=:".contains(byte));
            is_sign(before.last()) || is_sign(after.first())
        }
        '<' => after.first() == Some(&b'/'),
        '>' => false,
        '&' => {
            let name = after
                .iter()
                .take(LONGEST_NAME)
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-[]".contains(byte))
                .count();
            let is_graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
            is_graphic(before.last()) && is_graphic(after.first()) && !matches!(after.get(name), Some(b'=' | b'&'))
        }
        c => c.is_ascii_graphic(),
    }
}

/// The character of the reference at `at`, and its length in bytes.
fn character(text: &[u8], at: usize) -> Option<(char, usize)> {
    // Most ampersands are operators.
    let rest = text[at + 1..]
        .strip_prefix(b"#")
        .or_else(|| text.get(at + 1).filter(|c| b"qalgn".contains(c)).map(|_| &text[at + 1..]))?;
    let len = rest.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = &text[at + 1..text.len() - rest.len() + len];
    if rest.get(len) != Some(&b';') {
        return None;
    }
    let c = match name {
        b"quot" => '"',
        b"apos" => '\'',
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((c, name.len() + 2))
}

/// The character with a number.
fn number(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
}

/// The surroundings of references on their lines with all references decoded, one a line.
pub(super) fn view(text: &[u8], room: &mut Room) -> Option<View> {
    let seeds: Vec<usize> = memchr::memchr_iter(b'&', text).filter(|at| breaks(text, *at)).collect();
    let mut made = Builder::default();
    for stretch in stretches(text, &seeds, REACH) {
        if !room.take(stretch.len()) {
            break;
        }
        decode(text, stretch, &mut made);
        made.put(b"\n", stretch.end);
    }
    View::new("html", made)
}

/// Decodes the references of a stretch.
fn decode(text: &[u8], stretch: Span, made: &mut Builder) {
    let text = &text[..stretch.end];
    let mut at = stretch.start;
    while at < stretch.end {
        let next = memchr::memchr(b'&', &text[at..]).map_or(stretch.end, |next| at + next);
        made.copy(text, Span::new(at, next));
        at = next;
        if at == stretch.end {
            break;
        }
        let mut utf8 = [0; 4];
        match character(text, at) {
            Some((c, len)) => {
                made.unit(c.encode_utf8(&mut utf8).as_bytes(), at, len);
                at += len;
            }
            None => {
                made.copy(text, Span::new(at, at + 1));
                at += 1;
            }
        }
    }
}

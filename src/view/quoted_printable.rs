//! Quoted-printable parts of mails (RFC 2045 section 6.7): lines cut by `=`, and bytes as `=3D`.

use super::hex;
use super::map::Builder;
use super::{Room, View};
use crate::location::Span;

/// The encoding's name in a header.
const NAME: &[u8] = b"quoted-printable";

/// The parts of a mail that say that they are quoted-printable, from the header on to where the next part begins.
pub(super) fn view(text: &[u8], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    let mut done = 0;
    for at in memchr::memmem::find_iter(text, b"rintable") {
        let end = at + b"rintable".len();
        let is_name = end.checked_sub(NAME.len()).is_some_and(|start| text[start..end].eq_ignore_ascii_case(NAME));
        if !is_name || end < done {
            continue;
        }
        let part = Span::new(end, part_end(text, end));
        if !room.take(part.len()) {
            break;
        }
        decode(text, part, &mut made);
        done = part.end;
    }
    View::new("quoted-printable", made)
}

/// Where the part ends whose header is before `at`: at a line that begins with two dashes and goes on with something.
fn part_end(text: &[u8], at: usize) -> usize {
    memchr::memmem::find_iter(&text[at..], b"\n--")
        .map(|found| at + found + 1)
        .find(|line| text.get(line + 2).is_some_and(|byte| byte.is_ascii_graphic() && *byte != b'-'))
        .unwrap_or(text.len())
}

/// Decodes one part.
fn decode(text: &[u8], part: Span, made: &mut Builder) {
    let text = &text[..part.end];
    let mut at = part.start;
    while at < part.end {
        let next = memchr::memchr(b'=', &text[at..]).map_or(part.end, |next| at + next);
        made.copy(text, Span::new(at, next));
        at = next;
        let rest = &text[at..];
        if rest.starts_with(b"=\r\n") {
            at += 3;
        } else if rest.starts_with(b"=\n") {
            at += 2;
        } else if let Some(byte) = hex::byte(text, at + 1) {
            made.unit(&[byte], at, 3);
            at += 3;
        } else if at < part.end {
            made.copy(text, Span::new(at, at + 1));
            at += 1;
        }
    }
}

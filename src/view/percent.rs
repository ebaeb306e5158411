//! Percent-encoding (RFC 3986 section 2.1) of what separates tokens: `=`, `@`, quotes and their kin, and `://`. A space, a
//! slash or a colon alone breaks nothing that a rule reads, and is in many links.

use super::hex;
use super::map::Builder;
use super::{Room, View};
use crate::location::Span;

/// What an escape must stand for to be worth a view.
const BREAKING: &[u8] = b"=@;&\"'{\n";

/// How far a token reaches to either side of an escape, in bytes.
const REACH: usize = 2048;

/// Whether the percent sign at `at` begins an escape that breaks tokens. A percent sign may be escaped itself.
pub(super) fn breaks(text: &[u8], at: usize) -> bool {
    let is_breaking = |at: usize| hex::byte(text, at).is_some_and(|byte| BREAKING.contains(&byte));
    match hex::byte(text, at + 1) {
        Some(b'%') => is_breaking(at + 3),
        Some(b':') => text.get(at + 3) == Some(&b'%') && hex::byte(text, at + 4) == Some(b'/'),
        _ => is_breaking(at + 1),
    }
}

/// Whether a byte may stand in a token with escapes.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"'`\\".contains(&byte)
}

/// The tokens around `seeds` with all their escapes decoded, one a line.
pub(super) fn view(text: &[u8], seeds: &[usize], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    let mut done = 0;
    for &seed in seeds {
        if seed < done {
            continue;
        }
        let floor = done.max(seed.saturating_sub(REACH));
        let start = seed - text[floor..seed].iter().rev().take_while(|byte| is_token(**byte)).count();
        let ceiling = text.len().min(seed + REACH);
        let end = seed + text[seed..ceiling].iter().take_while(|byte| is_token(**byte)).count();
        if !room.take(end - start) {
            break;
        }
        decode(text, Span::new(start, end), &mut made);
        made.put(b"\n", end);
        done = end;
    }
    View::new("percent", made)
}

/// Decodes one token.
fn decode(text: &[u8], token: Span, made: &mut Builder) {
    let text = &text[..token.end];
    let mut at = token.start;
    while at < token.end {
        let next = memchr::memchr(b'%', &text[at..]).map_or(token.end, |next| at + next);
        made.copy(text, Span::new(at, next));
        at = next;
        match hex::byte(text, at + 1) {
            Some(byte) => {
                made.unit(&[byte], at, 3);
                at += 3;
            }
            None if at < token.end => {
                made.copy(text, Span::new(at, at + 1));
                at += 1;
            }
            None => {}
        }
    }
}

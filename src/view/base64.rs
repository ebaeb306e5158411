//! Base64 in either alphabet (RFC 4648 sections 4 and 5), in one piece or over lines. Only what decodes to text is
//! decoded: that leaves images, certificates and hashes out, which are most base64 there is.

use super::map::Builder;
use super::seed::{LEAST_RUN, is_base64};
use super::{Room, Trust, View, is_text};
use crate::location::Span;

/// The value of each character in either alphabet, 255 for what is none.
pub(super) const VALUES: [u8; 256] = values();

/// Makes [`VALUES`].
const fn values() -> [u8; 256] {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [255; 256];
    let mut at = 0;
    while at < letters.len() {
        values[letters[at] as usize] = at as u8;
        at += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

/// Characters at a start that must decode to text.
const SAMPLE: usize = 24;

/// Lines shorter than this many characters are not taken for a part of longer base64: what is wrapped has 60, 64 or 76.
const LEAST_LINE: usize = 56;

/// Most bytes between two lines: a quote, a line break, indentation, a comment's mark.
const MOST_BETWEEN: usize = 120;

/// Whether at least [`LEAST_RUN`] characters stand from `at` on and decode to text.
pub(super) fn starts(text: &[u8], at: usize) -> bool {
    let Some((sample, rest)) = text[at..].split_first_chunk() else { return false };
    // Most runs are no base64: the bytes they would decode to are of all kinds.
    if !may_be_text(sample) {
        return false;
    }
    let mut bytes = [0; SAMPLE / 4 * 3];
    for (quad, bytes) in sample.chunks_exact(4).zip(bytes.chunks_exact_mut(3)) {
        let Some(decoded) = quad_of(quad) else { return false };
        bytes.copy_from_slice(&decoded);
    }
    let more = rest.get(..LEAST_RUN - SAMPLE);
    more.is_some_and(|more| more.iter().all(|byte| is_base64(*byte))) && is_text(&bytes)
}

/// Whether all quads of a sample but one begin with a character that the first byte of three has if it is ASCII that can
/// be seen, or NUL: of the words of programs few do.
fn may_be_text(sample: &[u8; SAMPLE]) -> bool {
    let lead = |at: usize| LEADS[usize::from(sample[at])];
    (5..=6).contains(&(lead(0) + lead(4) + lead(8) + lead(12) + lead(16) + lead(20)))
}

/// 1 for what may be such a character, [`NONE`] for what is none of base64, else 0.
pub(super) const LEADS: [u8; 256] = leads();

/// What is no character of base64.
pub(super) const NONE: u8 = 16;

/// Makes [`LEADS`].
const fn leads() -> [u8; 256] {
    let mut leads = [0; 256];
    let mut at = 0;
    while at < leads.len() {
        leads[at] = match VALUES[at] {
            0 | 2 | 3 | 8..32 => 1,
            64.. => NONE,
            _ => 0,
        };
        at += 1;
    }
    leads
}

/// The three bytes of four characters.
fn quad_of(quad: &[u8]) -> Option<[u8; 3]> {
    let mut bits = 0_u32;
    for &byte in quad {
        bits = bits << 6 | u32::from(Some(VALUES[usize::from(byte)]).filter(|value| *value < 64)?);
    }
    let [_, bytes @ ..] = bits.to_be_bytes();
    Some(bytes)
}

/// What is decoded at `seeds`, one a line.
pub(super) fn view(text: &[u8], seeds: &[usize], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    let mut trusts = Vec::new();
    let mut done = 0;
    for &seed in seeds {
        if seed < done {
            continue;
        }
        let end = line_end(text, seed);
        if is_token_part(text, Span::new(seed, end)) {
            done = end;
            continue;
        }
        let start = made.text.len();
        let Some(end) = decode(text, seed, &mut made, room) else { break };
        made.run(start, Span::new(seed, end));
        let trust = trust(text, seed, &made.text[start..]);
        if trust != Trust::Text {
            trusts.push((Span::new(start, made.text.len()), trust));
        }
        made.put(b"\n", end);
        done = end;
    }
    View::new("base64", made).map(|view| View { trusts, ..view })
}

/// Where the line of base64 that is at `at` ends.
fn line_end(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| is_base64(**byte)).count()
}

/// Whether a run is a part of a JSON web token (RFC 7515 section 7.1): those have rules of their own, and what is in them
/// is no secret.
fn is_token_part(text: &[u8], run: Span) -> bool {
    let dotted = |at: Option<usize>| at.and_then(|at| text.get(at)) == Some(&b'.');
    text[run.start..run.end].starts_with(b"eyJ")
        && (dotted(run.start.checked_sub(1))
            || dotted(Some(run.end)) && text.get(run.end + 1).is_some_and(|byte| is_base64(*byte)))
}

/// Decodes what begins at `start` and goes on over lines; returns where it ends, or `None` if there is no room for it.
fn decode(text: &[u8], start: usize, made: &mut Builder, room: &mut Room) -> Option<usize> {
    let mut line = Span::new(start, line_end(text, start));
    // Characters of a quad that goes over a line break, and where it begins.
    let mut open: (Vec<u8>, usize) = (Vec::new(), start);
    loop {
        if !room.take(line.len() * 3 / 4) {
            return None;
        }
        let mut at = line.start;
        while at < line.end {
            if open.0.is_empty() {
                open.1 = at;
            }
            let taken = (4 - open.0.len()).min(line.end - at);
            open.0.extend_from_slice(&text[at..at + taken]);
            at += taken;
            if let [_, _, _, _] = open.0[..] {
                made.unit(&quad_of(&open.0)?, open.1, at - open.1);
                open.0.clear();
            }
        }
        let Some(next) = next_line(text, line) else { break };
        line = next;
    }
    let padding = text[line.end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    let end = line.end + padding;
    // Two characters more are one byte, three are two.
    let bytes = open.0.len().saturating_sub(1);
    open.0.resize(4, b'A');
    made.unit(&quad_of(&open.0)?[..bytes], open.1, end - open.1);
    Some(end)
}

/// The line that base64 goes on in after `line`, if it does: all lines are as long as the first, the last may be shorter.
fn next_line(text: &[u8], line: Span) -> Option<Span> {
    if line.len() < LEAST_LINE {
        return None;
    }
    let start = line.end + between(&text[line.end..])?;
    let next = Span::new(start, line_end(text, start));
    (!next.is_empty() && next.len() <= line.len()).then_some(next)
}

/// The length of what stands between two lines: what ends a quoted line, a line break as it is or as an escape, and what
/// begins a line in a quote or a comment.
fn between(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(MOST_BETWEEN)];
    let skip = |from: usize, set: &[u8]| from + text[from..].iter().take_while(|byte| set.contains(byte)).count();
    let mut at = skip(0, b"\"'`+, \t");
    let slashes = skip(at, b"\\") - at;
    if slashes > 0 && text[at + slashes..].starts_with(b"r\\") {
        at += slashes + 1;
    }
    let slashes = skip(at, b"\\") - at;
    at = match text.get(at + slashes) {
        Some(b'n') if slashes > 0 => at + slashes + 1,
        Some(b'\r' | b'\n') => skip(at + slashes, b"\r\n"),
        _ => return None,
    };
    // An escape's line goes on at once, or in the next quote.
    at = skip(at, b"\"'`");
    at = skip(at, b",+");
    at = skip(at, b"\r\n \t#*>");
    Some(skip(at, b"\"'`+"))
}

/// Words of a name that say that what is assigned to it is a secret or holds some, lower case.
const NAMES: [&[u8]; 12] = [
    b"secret",
    b"passw",
    b"token",
    b"cred",
    b"auth",
    b"key",
    b"env",
    b"config",
    b"settings",
    b"vault",
    b"login",
    b"account",
];

/// How far before a value its name is looked for, in bytes.
const NAME_REACH: usize = 48;

/// How what was decoded from `start` on is to be taken: what a page embeds, and JSON and markup that no name calls secret
/// (cursors, cookies, requests), are full of names that say `token`.
fn trust(text: &[u8], start: usize, decoded: &[u8]) -> Trust {
    let before = &text[start.saturating_sub(NAME_REACH)..start];
    if before.ends_with(b";base64,") {
        return Trust::Payload;
    }
    let line = memchr::memrchr(b'\n', before).map_or(before, |at| &before[at..]).to_ascii_lowercase();
    let is_named = NAMES.iter().any(|name| memchr::memmem::find(&line, name).is_some());
    let is_payload = decoded.trim_ascii_start().first().is_some_and(|byte| b"{[<".contains(byte));
    if is_payload && !is_named { Trust::Payload } else { Trust::Text }
}

/// What four characters were decoded to.
pub(super) struct Unit {
    bytes: [u8; 3],
    len: usize,
    /// Where they stand.
    pub(super) span: Span,
}

impl Unit {
    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Decodes a span that is base64 in the standard alphabet and nothing else, white space and padding apart.
pub(super) fn strict(text: &[u8], span: Span) -> Option<Vec<Unit>> {
    let mut units = Vec::with_capacity(span.len() / 4 + 1);
    let mut quad = Vec::with_capacity(4);
    let (mut start, mut padding) = (span.start, 0);
    for (at, &byte) in (span.start..).zip(&text[span.start..span.end]) {
        match byte {
            b'=' => padding += 1,
            byte if byte.is_ascii_whitespace() => continue,
            byte if padding > 0 || !is_base64(byte) => return None,
            byte => {
                if quad.is_empty() {
                    start = at;
                }
                quad.push(byte);
            }
        }
        if quad.len() == 4 {
            units.push(Unit { bytes: quad_of(&quad)?, len: 3, span: Span::new(start, at + 1) });
            quad.clear();
        }
    }
    let rest = quad.len();
    if padding > 2 || rest == 1 || rest + padding != 4 && rest > 0 {
        return None;
    }
    if rest > 0 {
        quad.resize(4, b'A');
        units.push(Unit { bytes: quad_of(&quad)?, len: rest - 1, span: Span::new(start, span.end) });
    }
    Some(units)
}

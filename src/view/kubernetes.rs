//! Values of Kubernetes Secrets, which stand in manifests as base64 under `data`. Each is written as an assignment to its
//! key, so that rules see the value and what it is called; the key says no more than that it is in a Secret.
//! Source: <https://kubernetes.io/docs/concepts/configuration/secret/>, from general knowledge.

use super::map::Builder;
use super::{Room, Trust, View, base64, is_text};
use crate::location::Span;

/// What stands before a key: the place says that the value is a secret.
const LEAD: &[u8] = b"secret.";

/// Longest key in bytes.
const LONGEST_KEY: usize = 253;

/// The values of all Secrets in a text of manifests.
pub(super) fn view(text: &[u8], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    let mut trusts = Vec::new();
    for manifest in manifests(text) {
        if !is_secret(&text[manifest.start..manifest.end]) {
            continue;
        }
        for Entry { key, value } in entries(text, manifest) {
            if !room.take(key.len() + value.len()) {
                return finish(made, trusts);
            }
            let start = made.text.len();
            if write(text, key, value, &mut made) {
                trusts.push((Span::new(start, made.text.len()), Trust::Value));
            }
        }
    }
    finish(made, trusts)
}

/// The view of what was made.
fn finish(made: Builder, trusts: Vec<(Span, Trust)>) -> Option<View> {
    View::new("base64", made).map(|view| View { trusts, ..view })
}

/// The documents of a text: what is between lines of three dashes.
fn manifests(text: &[u8]) -> impl Iterator<Item = Span> + '_ {
    let ends = memchr::memmem::find_iter(text, b"\n---").map(|at| at + 1).chain([text.len()]);
    let mut start = 0;
    ends.map(move |end| Span::new(std::mem::replace(&mut start, end), end))
}

/// Whether a manifest has the line `kind: Secret`, in YAML or JSON.
fn is_secret(manifest: &[u8]) -> bool {
    let is_mark = |byte: u8| b"\"' \t:,".contains(&byte);
    memchr::memmem::find_iter(manifest, b"Secret").any(|at| {
        let lead = manifest[..at].iter().rev().take(8).take_while(|byte| is_mark(**byte)).count();
        let after = manifest.get(at + 6).copied();
        lead > 0
            && manifest[..at - lead].ends_with(b"kind")
            && after.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')
    })
}

/// A key and its value.
struct Entry {
    key: Span,
    value: Span,
}

/// What stands under each `data` of a manifest.
fn entries(text: &[u8], manifest: Span) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut done = manifest.start;
    for found in memchr::memmem::find_iter(&text[manifest.start..manifest.end], b"data") {
        let at = manifest.start + found;
        if at < done {
            continue;
        }
        let quoted = at > 0 && text[at - 1] == b'"';
        let end = at + 4;
        done = if quoted {
            flow(text, Span::new(end, manifest.end), &mut entries)
        } else {
            block(text, Span::new(at, manifest.end), &mut entries)
        };
    }
    entries
}

/// Entries in JSON after `"data`; returns where they end.
fn flow(text: &[u8], span: Span, entries: &mut Vec<Entry>) -> usize {
    let text = &text[..span.end];
    let skip = |from: usize, set: &[u8]| from + text[from..].iter().take_while(|byte| set.contains(byte)).count();
    let string = |quote: usize| {
        let start = (text.get(quote) == Some(&b'"')).then_some(quote + 1)?;
        let end = start + memchr::memchr2(b'"', b'\n', &text[start..])?;
        (text[end] == b'"').then_some(Span::new(start, end))
    };
    let mut at = skip(span.start, b"\": \t\r\n");
    if !text[span.start..at].contains(&b':') || text.get(at) != Some(&b'{') {
        return span.start;
    }
    at += 1;
    loop {
        at = skip(at, b" \t\r\n,");
        let pair = string(at).and_then(|key| Some((key, string(skip(key.end + 1, b": \t\r\n"))?)));
        let Some((key, value)) = pair else { return at };
        at = value.end + 1;
        entries.push(Entry { key, value });
    }
}

/// How far before a key its line begins at most, in bytes.
const DEEPEST_INDENT: usize = 200;

/// Entries in YAML under the `data` with which `span` begins; returns where they end.
fn block(text: &[u8], span: Span, entries: &mut Vec<Entry>) -> usize {
    let text = &text[..span.end];
    let lead = &text[span.start.saturating_sub(DEEPEST_INDENT)..span.start];
    let indent = lead.iter().rev().take_while(|byte| b" -".contains(byte)).count();
    let starts_line = span.start == indent || text[..span.start - indent].ends_with(b"\n");
    let colon = span.start + b"data".len();
    let rest = text[colon..].iter().skip(1).take_while(|byte| b" \t\r".contains(byte)).count();
    let mut at = colon + 1 + rest;
    if !starts_line || text.get(colon) != Some(&b':') || text.get(at) != Some(&b'\n') {
        return colon;
    }
    while at < text.len() {
        let end = line_end(text, at + 1);
        let spaces = text[at + 1..end].iter().take_while(|byte| **byte == b' ').count();
        let content = Span::new(at + 1 + spaces, end);
        if spaces <= indent && !text[content.start..content.end].trim_ascii().is_empty() {
            return at;
        }
        at = end;
        if let Some(colon) = memchr::memchr(b':', &text[content.start..content.end]) {
            let colon = content.start + colon;
            let mut value = trimmed(text, Span::new(colon + 1, content.end));
            if matches!(&text[value.start..value.end], b"|" | b"|-" | b">" | b">-") {
                value = scalar(text, at, spaces);
                at = value.end;
            }
            entries.push(Entry { key: trimmed(text, Span::new(content.start, colon)), value });
        }
    }
    at
}

/// Where the line ends that goes on at `from`.
fn line_end(text: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at)
}

/// The lines after the line break at `at` that are indented by more than `indent` spaces.
fn scalar(text: &[u8], at: usize, indent: usize) -> Span {
    let mut end = at;
    while end < text.len() {
        let next = line_end(text, end + 1);
        let spaces = text[end + 1..next].iter().take_while(|byte| **byte == b' ').count();
        if spaces <= indent {
            break;
        }
        end = next;
    }
    Span::new((at + 1).min(end), end)
}

/// A span without white space and quotes around it.
fn trimmed(text: &[u8], span: Span) -> Span {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"\"'".contains(byte);
    let start = span.start + text[span.start..span.end].iter().take_while(|byte| is_edge(byte)).count();
    let end = span.end - text[start..span.end].iter().rev().take_while(|byte| is_edge(byte)).count();
    Span::new(start, end)
}

/// Writes one entry, if its value is base64 of a text.
fn write(text: &[u8], key: Span, value: Span, made: &mut Builder) -> bool {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return false;
    }
    let Some(units) = base64::strict(text, value) else { return false };
    let decoded: Vec<u8> = units.iter().flat_map(|unit| unit.bytes()).copied().collect();
    if decoded.is_empty() || !is_text(&decoded) {
        return false;
    }
    let quote = [b'"', b'\'', b'`'].into_iter().find(|quote| !decoded.contains(quote) && !decoded.contains(&b'\n'));
    made.put(LEAD, key.start);
    made.copy(text, key);
    match quote {
        Some(quote) => made.put(&[b':', b' ', quote], key.end),
        None => made.put(b":\n", key.end),
    }
    let start = made.text.len();
    units.iter().for_each(|unit| made.unit(unit.bytes(), unit.span.start, unit.span.len()));
    made.run(start, value);
    made.put(quote.as_slice(), value.end);
    made.put(b"\n", value.end);
    true
}

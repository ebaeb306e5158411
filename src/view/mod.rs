//! Content views: text that is in a blob in another encoding, decoded so that the same rules apply. One file per
//! encoding. A match in a view maps back to the bytes of the blob.
//!
//! In: bytes. Out: [`View`]s, and those of what was decoded, to a depth. Most texts have none and that is told in one
//! look (`seed`), which every text pays for. What is a view is a matter of the bytes alone; where the encoding starts is
//! told by few bytes ([`LOCAL`]), so that a text made from another by edits is looked at where it was edited
//! ([`may_arise`]).
//!
//! A view is worth making where it shows rules what they can't read in the encoded text: not images and certificates,
//! whose bytes are no text, and not what stands between escapes that break no token.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::location::Span;

mod base64;
mod document;
mod escapes;
mod hex;
mod html;
mod kubernetes;
mod map;
mod percent;
mod quoted_printable;
mod seed;
mod utf16;

use document::Document;
use map::{Builder, Map};
use seed::Seeds;

/// A decoded text and where it came from.
#[derive(Clone, Debug)]
pub struct View {
    /// The encoding's name in reports: `base64`, `base64 in utf-16le`.
    pub name: Cow<'static, str>,
    /// The name of the last encoding alone.
    encoding: &'static str,
    /// The decoded bytes.
    pub text: Vec<u8>,
    /// Whether the view is the whole blob, so that lines and columns are those of the decoded text.
    pub whole: bool,
    map: Arc<Map>,
    /// What is not to be taken like any text, in order.
    trusts: Vec<(Span, Trust)>,
}

/// How a stretch of a view is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Like a text that stands there in clear.
    Text,
    /// What programs send each other: names in it that say `token` are names of its format.
    Payload,
    /// A value whose place says that it is a secret, and that it is encoded.
    Value,
}

impl View {
    /// A view made of a text that is a view itself, or of the blob.
    fn new(name: &'static str, made: Builder) -> Option<Self> {
        let (text, map) = made.finish();
        let view = Self {
            name: Cow::Borrowed(name),
            encoding: name,
            text,
            whole: false,
            map: Arc::new(map),
            trusts: Vec::new(),
        };
        (!view.text.is_empty()).then_some(view)
    }

    /// The same as a view of the text of `outer`.
    fn within(mut self, outer: Option<&Self>) -> Self {
        let Some(outer) = outer else { return self };
        let all = Span::new(0, self.text.len());
        if self.trusts.is_empty() && outer.trust(self.map.in_source(all, false)) == Trust::Payload {
            self.trusts.push((all, Trust::Payload));
        }
        let map = Arc::unwrap_or_clone(self.map).within(&outer.map);
        Self { name: Cow::Owned(format!("{} in {}", self.name, outer.name)), whole: false, map: Arc::new(map), ..self }
    }

    /// The span of the blob's bytes that `span` of the view's text was decoded from.
    pub fn in_blob(&self, span: Span) -> Span {
        self.map.in_blob(span, false)
    }

    /// The bytes of the blob that show nothing but what is in `span`; empty if there are none.
    pub fn inside_blob(&self, span: Span) -> Span {
        self.map.in_blob(span, true)
    }

    /// What of the blob must not be shown if `span` must not: where nothing readable stands between what is encoded,
    /// all that was decoded in one go.
    pub fn covered(&self, span: Span) -> Span {
        self.map.covered(span)
    }

    /// What of `outer`'s text must not be shown if `span` must not; `None` if this is no view of it.
    pub fn covered_in(&self, span: Span, outer: &Self) -> Option<Span> {
        self.map.covered_in(span, &outer.map)
    }

    /// Whether nothing readable stands between what is encoded, so that what it holds stands nowhere else in clear.
    pub fn is_opaque(&self) -> bool {
        self.map.is_opaque()
    }

    /// What of the view's text `span` of the blob is decoded to.
    pub fn in_view(&self, span: Span) -> Option<Span> {
        self.map.in_view(span)
    }

    /// How a stretch of it is to be taken.
    pub fn trust(&self, span: Span) -> Trust {
        let at = self.trusts.partition_point(|(stretch, _)| stretch.end <= span.start);
        self.trusts.get(at).filter(|(stretch, _)| stretch.overlaps(span)).map_or(Trust::Text, |(_, trust)| *trust)
    }
}

/// How deep encodings are looked for in each other.
const DEEPEST: usize = 3;

/// What may be decoded of any blob, in bytes, however small it is.
const LEAST_ROOM: usize = 1 << 20;

/// How often the size of a blob may be decoded of it besides. Base64 in base64 in base64 takes less than twice; a text
/// full of escapes of all kinds is decoded once for each kind, and again for what that brings to light.
const MOST_TIMES: usize = 8;

/// How much may still be decoded of a blob, all views together. One view and those it is in are in memory at a time.
#[derive(Debug)]
struct Room {
    left: usize,
    is_short: bool,
}

impl Room {
    /// That of a blob.
    fn new(len: usize) -> Self {
        Self { left: len.saturating_mul(MOST_TIMES).saturating_add(LEAST_ROOM), is_short: false }
    }

    /// Takes what decoding so many bytes needs at most, if it is there.
    fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.is_short = true,
        }
        !self.is_short
    }
}

/// Whether [`each`] may give any.
pub fn may_have_views(bytes: &[u8]) -> bool {
    has_mark(bytes) || memchr::memchr(0, bytes).is_some() || seed::is_any(bytes) || Document::of(bytes).is_some()
}

/// Whether a text begins with a byte order mark of UTF-16.
fn has_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// How far the bytes that tell of a view lie from each other at most, in bytes, the start of a text apart: a run of
/// base64 and what is before it, a reference of HTML and the parameter's name after it.
pub const LOCAL: usize = 48;

/// Bytes at the start of a text that tell what kind of document it is.
pub const HEAD: usize = 1024;

/// Whether a text may have views although the one it was made from has none. `gaps`: where it isn't copied.
/// `same_head`: whether its first [`HEAD`] bytes are.
pub fn may_arise(text: &[u8], gaps: impl Iterator<Item = Span>, same_head: bool) -> bool {
    if !same_head && (has_mark(text) || Document::of(text).is_some()) {
        return true;
    }
    let head = Head::of(&text[..text.len().min(HEAD)]);
    gaps.into_iter().any(|gap| head.may_arise_in(&text[near(gap, text.len())]))
}

/// What of a text of `len` bytes tells whether views arise at a gap.
pub fn near(gap: Span, len: usize) -> Range<usize> {
    gap.start.saturating_sub(LOCAL)..len.min(gap.end.saturating_add(LOCAL))
}

/// What the first [`HEAD`] bytes of a text tell.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    kind: Option<Document>,
    has_mark: bool,
}

impl Head {
    /// That of a text which begins with `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { kind: Document::kind(bytes), has_mark: has_mark(bytes) }
    }

    /// Whether a text that begins so may have views for that alone.
    pub fn is_telling(self) -> bool {
        self.has_mark || self.kind.is_some()
    }

    /// Whether what is [`near`] a gap of a text that begins so may give views.
    pub fn may_arise_in(self, near: &[u8]) -> bool {
        memchr::memchr(0, near).is_some() || seed::is_any(near) || self.kind.is_some_and(|kind| kind.is_told_by(near))
    }
}

/// Calls `visit` with each view of `bytes` and of what was decoded. Returns whether that was all: what is encoded over
/// and over may have more than is decoded.
pub fn each(bytes: &[u8], mut visit: impl FnMut(&View)) -> bool {
    let mut room = Room::new(bytes.len());
    step(bytes, None, 1, &mut room, &mut visit);
    !room.is_short
}

/// The views of one text, and of them.
fn step(text: &[u8], outer: Option<&View>, depth: usize, room: &mut Room, visit: &mut dyn FnMut(&View)) {
    for view in decoded(text, outer.map_or("", |outer| outer.encoding), room) {
        let view = view.within(outer);
        visit(&view);
        if depth < DEEPEST {
            step(&view.text, Some(&view), depth + 1, room, visit);
        }
    }
}

/// The views of one text, which was decoded from the encoding `outer`.
///
/// Escapes leave what is around them as it is. So that a text with several kinds isn't decoded in every order, what was
/// percent-encoded comes before what is escaped in strings, and that before references of HTML. Percent signs and
/// ampersands are encoded twice at times; rows of backslashes are decoded at once.
fn decoded(text: &[u8], outer: &str, room: &mut Room) -> Vec<View> {
    let mut views = utf16::views(text);
    let Seeds { base64, hex, percent, escapes } = Seeds::of(text);
    let document = Document::of(text);
    views.extend(match document {
        Some(Document::Manifest) => kubernetes::view(text, room),
        Some(Document::Mail) => quoted_printable::view(text, room),
        Some(Document::Markup) | None => None,
    });
    views.extend(base64::view(text, &base64, room));
    views.extend(hex::view(text, &hex, room));
    let is_later = |names: &[&str]| !names.contains(&outer);
    views.extend(is_later(&["escapes", "html"]).then(|| percent::view(text, &percent, room)).flatten());
    views.extend(is_later(&["escapes", "html"]).then(|| escapes::view(text, &escapes, room)).flatten());
    let may_be_markup = document == Some(Document::Markup) || !outer.is_empty();
    views.extend(may_be_markup.then(|| html::view(text, room)).flatten());
    views
}

/// Whether a byte is one that texts of ASCII have.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

/// Whether bytes are the start of a text: UTF-8 without control characters, half of it ASCII; or ASCII in UTF-16.
fn is_text(bytes: &[u8]) -> bool {
    let wide = |first: usize| {
        bytes.len() >= 8 && bytes[first..].chunks_exact(2).all(|pair| is_printable(pair[0]) && pair[1] == 0)
    };
    if bytes.get(1) == Some(&0) && wide(0) || bytes.first() == Some(&0) && wide(1) {
        return true;
    }
    let ascii = bytes.iter().filter(|&&byte| is_printable(byte)).count();
    let other = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    // A character may be cut at the end.
    ascii + other == bytes.len()
        && ascii >= other
        && std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests;

//! Content views: text that is in a blob in another encoding, decoded so that the same rules apply. One file per
//! encoding. A match in a view maps back to the bytes of the blob.

use crate::location::Span;

mod utf16;

/// A decoded text and where it came from.
#[derive(Clone, Debug)]
pub struct View {
    /// The encoding's name in reports.
    pub name: &'static str,
    /// The decoded bytes.
    pub text: Vec<u8>,
    /// Whether the view is the whole blob, so that lines and columns are those of the decoded text.
    pub whole: bool,
    /// Where stretches of the text came from, in rising order of both offsets.
    origins: Vec<Origin>,
}

/// From this offset of the view on, to the next origin, each byte of the view took `width` bytes of the blob.
#[derive(Clone, Copy, Debug)]
struct Origin {
    view: usize,
    blob: usize,
    width: usize,
}

impl View {
    /// The span of the blob's bytes that `span` of the view's text was decoded from.
    pub fn in_blob(&self, span: Span) -> Span {
        Span::new(self.offset(span.start), self.offset(span.end))
    }

    fn offset(&self, at: usize) -> usize {
        let after = self.origins.partition_point(|origin| origin.view <= at);
        match after.checked_sub(1).and_then(|index| self.origins.get(index)) {
            Some(origin) => origin.blob + (at - origin.view) * origin.width,
            None => 0,
        }
    }
}

/// Whether [`views`] may give any.
pub fn may_have_views(bytes: &[u8]) -> bool {
    has_mark(bytes) || memchr::memchr(0, bytes).is_some()
}

/// Whether a text begins with a byte order mark of UTF-16.
pub fn has_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// All views of `bytes`. Costs one search for a NUL byte where there is none.
pub fn views(bytes: &[u8]) -> Vec<View> {
    utf16::views(bytes)
}

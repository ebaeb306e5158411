//! Decisions not to report: inline markers (ours and the field's) and the configuration's `[[suppress]]`.

use crate::finding::mask;
use crate::location::{Span, line_window};

/// Our own marker; the rest of the line is the reason.
const OURS: &str = "keytrail:allow";

/// Markers of other tools that teams already have in their files: anywhere on a line of the match.
const THEIRS: [&str; 5] = [
    "gitleaks:allow",
    "trufflehog:ignore",
    "pragma: allowlist secret",
    "pragma: whitelist secret",
    "betterleaks:allow",
];

/// The marker of detect-secrets that stands on the line before.
const NEXT_LINE: &str = "pragma: allowlist nextline secret";

/// How far around a match its lines are searched for a marker, in bytes.
const REACH: usize = 500;

/// Longest reason that is shown, in characters.
pub const LONGEST_REASON: usize = 200;

/// A marker that speaks for a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Ours, with where its reason stands.
    Ours(Span),
    /// Another tool's.
    Theirs(&'static str),
}

impl Marker {
    /// Its reason, with every span of `hidden` (see [`mask::merged`]) replaced: a reason is a piece of the scanned line.
    pub fn reason(self, text: &[u8], hidden: &[Span]) -> String {
        let span = match self {
            Self::Theirs(marker) => return marker.to_owned(),
            Self::Ours(span) => span,
        };
        let reason = mask::masked(text, span, hidden);
        let reason = reason.trim().trim_end_matches("*/").trim_end_matches("-->").trim();
        if reason.is_empty() { OURS.to_owned() } else { reason.to_owned() }
    }
}

/// The marker that speaks for a match at `span`: on any line it spans, on the line after one that spans
/// several, or the next-line marker on the line before.
pub fn inline_marker(text: &[u8], span: Span) -> Option<Marker> {
    let lines = line_window(text, span, REACH);
    let multi = memchr::memchr(b'\n', &text[span.start..span.end]).is_some();
    let head = Span::new(lines.start, span.end.min(span.start + REACH));
    // A block of thousands of bytes holds no marker inside; its edges do.
    let tail_end = if multi { after(text, lines.end) } else { lines.end };
    let tail = Span::new(span.start.max(span.end.saturating_sub(REACH)), tail_end);
    [tail, head].into_iter().find_map(|part| marker(text, part)).or_else(|| {
        let before = line_window(text, Span::new(lines.start.checked_sub(1)?, lines.start - 1), REACH);
        let line = &text[before.start..before.end];
        memchr::memmem::find(line, NEXT_LINE.as_bytes()).map(|_| Marker::Theirs(NEXT_LINE))
    })
}

/// The end of the line after the one that ends at `end`.
fn after(text: &[u8], end: usize) -> usize {
    let from = end + text[end..].iter().take(2).take_while(|byte| b"\r\n".contains(byte)).count();
    line_window(text, Span::new(from, from), REACH).end
}

/// The marker in a part of the text.
fn marker(text: &[u8], part: Span) -> Option<Marker> {
    let line = &text[part.start..part.end];
    if let Some(at) = memchr::memmem::find(line, OURS.as_bytes()) {
        let start = at + OURS.len();
        let end = memchr::memchr(b'\n', &line[start..]).map_or(line.len(), |len| start + len);
        return Some(Marker::Ours(Span::new(part.start + start, part.start + end)));
    }
    let theirs = THEIRS.iter().find(|marker| memchr::memmem::find(line, marker.as_bytes()).is_some());
    theirs.map(|&marker| Marker::Theirs(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(text: &str) -> Option<String> {
        let start = text.find("SECRET").expect("the case holds it");
        let end = text.rfind("SECRET").expect("the case holds it") + 6;
        let hidden: Vec<Span> = text.match_indices("SECRET").map(|(at, word)| Span::new(at, at + word.len())).collect();
        inline_marker(text.as_bytes(), Span::new(start, end)).map(|marker| marker.reason(text.as_bytes(), &hidden))
    }

    #[test]
    fn markers_speak_for_their_own_lines() {
        let cases = [
            ("x = SECRET # keytrail:allow a test key\ny", Some("a test key")),
            ("x = SECRET /* keytrail:allow */", Some("keytrail:allow")),
            ("x = SECRET # gitleaks:allow", Some("gitleaks:allow")),
            ("# gitleaks:allow\nx = SECRET", None),
            ("x = SECRET\n# gitleaks:allow", None),
            ("# pragma: allowlist nextline secret\nx = SECRET", Some("pragma: allowlist nextline secret")),
            ("SECRET\nmore\nSECRET\n# keytrail:allow whole block\nx", Some("whole block")),
            ("SECRET # keytrail:allow first line\nmore\nSECRET\nx", Some("first line")),
            ("SECRET\nmore\nSECRET\nx\n# keytrail:allow too far", None),
            ("/* keytrail:allow fixture */ x = SECRET;", Some("fixture */ x = ‹redacted›")),
        ];
        for (text, expected) in cases {
            assert_eq!(speaks(text).as_deref(), expected, "{text:?}");
        }
    }
}

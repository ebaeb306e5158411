//! Inline markers, ours and the field's: which of them speaks for a match, and with what reason.
//!
//! In: a text, the span of a match and the rules that matched. Out: the [`Marker`] on its lines, if there is one. Whether
//! it is heard is decided elsewhere: by settings, by whose word counts, and by whether the marker is older than the secret.

use std::collections::BTreeMap;

use crate::finding::mask;
use crate::location::{Span, line_window};
use crate::rule::Rule;
use crate::secret::Secret;

/// Our own marker: `keytrail:allow REASON`, or `keytrail:allow[rule-id,…] REASON` for those rules alone.
const OURS: &str = "keytrail:allow";

/// A marker of another tool, by its documentation.
#[derive(Debug)]
struct Theirs {
    /// What is written.
    word: &'static str,
    /// Which line it speaks for.
    line: Line,
    /// What must stand around it.
    shape: Shape,
}

/// Which line a marker speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// The one it stands on.
    Own,
    /// The one below.
    Next,
}

/// What must stand around a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Anything.
    Free,
    /// The start of a comment before it, the end of the line after it.
    Comment,
    /// The same, and nothing before the comment.
    OwnComment,
    /// Names of rules after it, or none for all rules.
    Rules,
}

/// Markers of other tools that teams already have in their files. `secretlint-disable` without `-line`, which opens a
/// range, is not among them: a range silences what is written into it years later.
///
/// From general knowledge of the README files of gitleaks, betterleaks, trufflehog, kingfisher and secretlint; for detect-secrets
/// its README, "Inline Allowlisting".
const THEIRS: [Theirs; 14] = [
    Theirs { word: "gitleaks:allow", line: Line::Own, shape: Shape::Free },
    Theirs { word: "betterleaks:allow", line: Line::Own, shape: Shape::Free },
    Theirs { word: "trufflehog:ignore", line: Line::Own, shape: Shape::Free },
    Theirs { word: "kingfisher:ignore", line: Line::Own, shape: Shape::Free },
    Theirs { word: "pragma: allowlist secret", line: Line::Own, shape: Shape::Comment },
    Theirs { word: "pragma: whitelist secret", line: Line::Own, shape: Shape::Comment },
    Theirs { word: "pragma: allowlist-secret", line: Line::Own, shape: Shape::Comment },
    Theirs { word: "pragma: whitelist-secret", line: Line::Own, shape: Shape::Comment },
    Theirs { word: "pragma: allowlist nextline secret", line: Line::Next, shape: Shape::OwnComment },
    Theirs { word: "pragma: whitelist nextline secret", line: Line::Next, shape: Shape::OwnComment },
    Theirs { word: "pragma: allowlist-nextline-secret", line: Line::Next, shape: Shape::OwnComment },
    Theirs { word: "pragma: whitelist-nextline-secret", line: Line::Next, shape: Shape::OwnComment },
    Theirs { word: "secretlint-disable-line", line: Line::Own, shape: Shape::Rules },
    Theirs { word: "secretlint-disable-next-line", line: Line::Next, shape: Shape::Rules },
];

/// What opens a comment that detect-secrets knows.
const COMMENTS: [&[u8]; 6] = [b"#", b"//", b"/*", b"'", b"<!--", b"--"];

/// How far around a match its lines are searched for a marker, in bytes.
const REACH: usize = 500;

/// Longest match whose inside is searched, in bytes; of longer ones only the edges are.
const MOST_INSIDE: usize = 64 << 10;

/// Longest reason that is shown, in characters.
pub const LONGEST_REASON: usize = 200;

/// A marker that speaks for a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What is written.
    word: &'static str,
    /// Where its reason stands; other tools' have none.
    reason: Option<Span>,
    /// What it says, see [`said`].
    span: Span,
}

impl Marker {
    /// Its reason, with every span of `hidden` (see [`mask::merged`]) replaced: a reason is a piece of the scanned line.
    pub fn reason(self, text: &[u8], hidden: &[Span]) -> String {
        let Some(span) = self.reason else { return self.word.to_owned() };
        let reason = mask::masked(text, span, hidden);
        let reason = reason.trim();
        if reason.is_empty() { self.word.to_owned() } else { reason.to_owned() }
    }

    /// What of it outlives the text.
    pub(crate) fn heard(self, text: &[u8], hidden: &[Span]) -> Heard {
        let said = &text[self.span.start..self.span.end];
        let all = memchr::memmem::find_iter(text, said);
        let count = all.filter(|&at| self::said(text, at, self.word) == said).count();
        Heard { reason: self.reason(text, hidden), said: Secret::new(said), start: self.span.start, count }
    }
}

/// A marker that speaks for a hit.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its reason, masked by span.
    pub reason: String,
    /// What it says, reason and all.
    pub(crate) said: Secret,
    /// Offset of its first byte in its text: tells equal ones apart.
    pub(crate) start: usize,
    /// How often its text holds one that says the same.
    pub(crate) count: usize,
}

/// The marker that speaks for a match of `rules` at `span`: on any line it spans, on the line after one that spans
/// several, or a next-line marker on the line before.
pub fn inline_marker(text: &[u8], span: Span, rules: &[&Rule]) -> Option<Marker> {
    let lines = line_window(text, span, REACH);
    let multi = memchr::memchr(b'\n', &text[span.start..span.end]).is_some();
    let end = if multi { after(text, lines.end) } else { lines.end };
    let parts = if span.len() <= MOST_INSIDE {
        vec![Span::new(lines.start, end)]
    } else {
        // A block of thousands of bytes holds no marker inside; its edges do.
        vec![Span::new(span.end - REACH, end), Span::new(lines.start, span.start + REACH)]
    };
    let on_own = parts.into_iter().find_map(|part| marker(text, part, Line::Own, rules));
    on_own.or_else(|| {
        let before = line_window(text, Span::new(lines.start.checked_sub(1)?, lines.start - 1), REACH);
        marker(text, before, Line::Next, rules)
    })
}

/// How often each marker stands in `text`, by what it says, whatever it speaks for.
pub(crate) fn markers(text: &[u8]) -> BTreeMap<Vec<u8>, usize> {
    let words = std::iter::once(OURS).chain(THEIRS.iter().map(|theirs| theirs.word));
    let mut found = BTreeMap::new();
    for word in words {
        for at in memchr::memmem::find_iter(text, word.as_bytes()) {
            *found.entry(said(text, at, word).to_vec()).or_default() += 1;
        }
    }
    found
}

/// What the marker `word` at `at` says: the word itself, and if it is ours, its reason. Nothing that follows the comment or
/// text it stands in belongs to it, or another secret behind it would make it another marker.
fn said<'t>(text: &'t [u8], at: usize, word: &str) -> &'t [u8] {
    match word {
        OURS => &text[at..end_of_reason(text, at)],
        _ => &text[at..at + word.len()],
    }
}

/// Where the reason of our marker at `at` ends: with its line, its comment, or the quoted text it stands in.
fn end_of_reason(text: &[u8], at: usize) -> usize {
    let rest = &text[at..end_of_line(text, at)];
    let is_quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'`');
    let ends_here = |at: usize| match &rest[at..] {
        [quote] => is_quote(*quote),
        [quote, next, ..] if is_quote(*quote) => b",;:)]}".contains(next),
        left => left.starts_with(b"*/") || left.starts_with(b"-->"),
    };
    let end = (OURS.len()..rest.len()).find(|&at| ends_here(at)).unwrap_or(rest.len());
    at + rest[..end].trim_ascii_end().len()
}

/// The end of the line that `at` stands in, without white space there.
fn end_of_line(text: &[u8], at: usize) -> usize {
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |len| at + len);
    at + text[at..end].trim_ascii_end().len()
}

/// The end of the line after the one that ends at `end`.
fn after(text: &[u8], end: usize) -> usize {
    let from = end + text[end..].iter().take(2).take_while(|byte| b"\r\n".contains(byte)).count();
    line_window(text, Span::new(from, from), REACH).end
}

/// The first marker in a part of the text that speaks for `line` and for one of `rules`.
fn marker(text: &[u8], part: Span, line: Line, rules: &[&Rule]) -> Option<Marker> {
    let places = |word: &'static str| {
        memchr::memmem::find_iter(&text[part.start..part.end], word.as_bytes()).map(move |at| part.start + at)
    };
    let ours = (line == Line::Own).then(|| places(OURS).find_map(|at| ours(text, at, rules))).flatten();
    ours.or_else(|| {
        let of_line = THEIRS.iter().filter(|theirs| theirs.line == line);
        of_line.flat_map(|theirs| places(theirs.word).map(move |at| (theirs, at))).find_map(|(theirs, at)| {
            let line = Span::new(at, end_of_line(text, at));
            let span = Span::new(at, at + theirs.word.len());
            theirs.speaks(text, line, rules).then_some(Marker { word: theirs.word, reason: None, span })
        })
    })
}

/// Our own marker at `at`, if it speaks for one of `rules`.
fn ours(text: &[u8], at: usize, rules: &[&Rule]) -> Option<Marker> {
    let span = Span::new(at, end_of_reason(text, at));
    let mut start = (at + OURS.len()).min(span.end);
    let rest = &text[start..span.end];
    match rest.first() {
        Some(b'[') => {
            let close = memchr::memchr(b']', rest)?;
            let ids = String::from_utf8_lossy(&rest[1..close]).into_owned();
            ids.split(',').any(|id| rules.iter().any(|rule| rule.id == id.trim())).then_some(())?;
            start += close + 1;
        }
        // Another word that begins like ours.
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') => return None,
        _ => {}
    }
    Some(Marker { word: OURS, reason: Some(Span::new(start, span.end)), span })
}

impl Theirs {
    /// Whether the word at the start of `span`, which ends with its line, is a marker for one of `rules`.
    fn speaks(&self, text: &[u8], span: Span, rules: &[&Rule]) -> bool {
        let after = text[(span.start + self.word.len()).min(span.end)..span.end].trim_ascii();
        let line = memchr::memrchr(b'\n', &text[..span.start]).map_or(0, |at| at + 1);
        let before = text[line..span.start].trim_ascii();
        let opener = COMMENTS.iter().find(|opener| before.ends_with(opener));
        let is_comment = opener.is_some() && matches!(after, b"" | b"*/" | b"-->");
        match self.shape {
            Shape::Free => true,
            Shape::Comment => is_comment,
            Shape::OwnComment => is_comment && opener.is_some_and(|opener| before.len() == opener.len()),
            Shape::Rules => names(&String::from_utf8_lossy(after), rules),
        }
    }
}

/// Whether what follows a marker of secretlint names one of `rules`, or none at all. Its rules are named for whose secrets
/// they find, as in `@secretlint/secretlint-rule-npm`; a name that none of ours has speaks for nothing.
fn names(after: &str, rules: &[&Rule]) -> bool {
    let listed = after.split("--").next().unwrap_or_default().trim_end_matches(['*', '/', ' ']);
    let mut listed = listed.split([',', ' ', '\t']).filter(|name| !name.is_empty()).peekable();
    listed.peek().is_none()
        || listed.any(|name| {
            let name = name.rsplit('/').next().unwrap_or(name);
            let name = name.trim_start_matches("secretlint-rule-");
            name.starts_with("preset-") || rules.iter().any(|rule| is_named(rule, &name.replace('-', "")))
        })
}

/// Whether a rule's id, or the words it begins with, are `name` (without hyphens).
fn is_named(rule: &Rule, name: &str) -> bool {
    let mut words = String::new();
    rule.id.split('-').any(|word| {
        words.push_str(word);
        words == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule with that id.
    fn rule(id: &str) -> &'static Rule {
        crate::tables::RULES.iter().find(|rule| rule.id == id).expect("it is built in")
    }

    fn speaks(text: &str) -> Option<String> {
        let start = text.find("SECRET").expect("the case holds it");
        let end = text.rfind("SECRET").expect("the case holds it") + 6;
        let hidden: Vec<Span> = text.match_indices("SECRET").map(|(at, word)| Span::new(at, at + word.len())).collect();
        let found = inline_marker(text.as_bytes(), Span::new(start, end), &[rule("github-pat")]);
        found.map(|marker| marker.reason(text.as_bytes(), &hidden))
    }

    #[test]
    fn markers_speak_for_their_own_lines() {
        let cases = [
            ("x = SECRET # keytrail:allow a test key\ny", Some("a test key")),
            ("x = SECRET /* keytrail:allow */", Some("keytrail:allow")),
            ("x = SECRET # keytrail:allowed", None),
            ("x = SECRET # gitleaks:allow", Some("gitleaks:allow")),
            ("x = SECRET # betterleaks:allow", Some("betterleaks:allow")),
            ("x = SECRET # trufflehog:ignore", Some("trufflehog:ignore")),
            ("x = SECRET # kingfisher:ignore", Some("kingfisher:ignore")),
            ("# gitleaks:allow\nx = SECRET", None),
            ("x = SECRET\n# gitleaks:allow", None),
            ("SECRET\nmore\nSECRET\n# keytrail:allow whole block\nx", Some("whole block")),
            ("SECRET # keytrail:allow first line\nmore\nSECRET\nx", Some("first line")),
            ("SECRET\nmore # gitleaks:allow\nSECRET\nx", Some("gitleaks:allow")),
            ("SECRET\nmore\nSECRET\nx\n# keytrail:allow too far", None),
            ("/* keytrail:allow fixture */ x = SECRET;", Some("fixture")),
            ("{'why': 'keytrail:allow it\'s old', 'key': 'SECRET'}", Some("it's old")),
        ];
        for (text, expected) in cases {
            assert_eq!(speaks(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn detect_secrets_markers_stand_in_comments() {
        let (own, next) = ("pragma: allowlist secret", "pragma: allowlist nextline secret");
        let cases = [
            ("x = SECRET  # pragma: allowlist secret", Some(own)),
            ("x = SECRET // pragma: whitelist secret  \r\ny", Some("pragma: whitelist secret")),
            ("x = SECRET /* pragma: allowlist secret */", Some(own)),
            ("<a>SECRET</a> <!-- pragma: allowlist secret -->", Some(own)),
            ("x = 'pragma: allowlist secret SECRET'", None),
            ("x = SECRET pragma: allowlist secret", None),
            ("x = SECRET # pragma: allowlist secret and more", None),
            ("# pragma: allowlist nextline secret\nx = SECRET", Some(next)),
            ("y = 1 # pragma: allowlist nextline secret\nx = SECRET", None),
            ("# pragma: allowlist nextline secret\n\nx = SECRET", None),
        ];
        for (text, expected) in cases {
            assert_eq!(speaks(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn markers_may_name_the_rules_they_speak_for() {
        let (own, next) = ("secretlint-disable-line", "secretlint-disable-next-line");
        let cases = [
            ("x = SECRET # keytrail:allow[github-pat] old", Some("old")),
            ("x = SECRET # keytrail:allow[npm-token, github-pat] old", Some("old")),
            ("x = SECRET # keytrail:allow[npm-token] old", None),
            ("x = SECRET # keytrail:allow[] old", None),
            ("x = SECRET # keytrail:allow[github-pat old", None),
            ("x = SECRET // secretlint-disable-line", Some(own)),
            ("/* secretlint-disable-next-line */\nx = SECRET", Some(next)),
            ("// secretlint-disable-next-line @secretlint/secretlint-rule-github -- made up\nx = SECRET", Some(next)),
            ("// secretlint-disable-next-line @secretlint/secretlint-rule-npm\nx = SECRET", None),
            ("x = SECRET // secretlint-disable-line @secretlint/secretlint-rule-preset-recommend", Some(own)),
            ("// secretlint-disable\nx = SECRET", None),
        ];
        for (text, expected) in cases {
            assert_eq!(speaks(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn markers_are_counted_by_what_they_say() {
        let text =
            b"a # keytrail:allow x\r\nb /* keytrail:allow x */ = 1\nc # keytrail:allow xy\nd # gitleaks:allow yes";
        let all = markers(text);
        let count = |said: &str| all.get(said.as_bytes()).copied();
        assert_eq!(
            (count("keytrail:allow x"), count("keytrail:allow xy"), count("gitleaks:allow")),
            (Some(2), Some(1), Some(1))
        );
        assert_eq!(all.len(), 3);
        let (first, rules) = (Span::new(0, 1), [rule("github-pat")]);
        let heard = inline_marker(text, first, &rules).expect("there is one").heard(text, &[]);
        assert_eq!((heard.count, heard.said.expose()), (2, b"keytrail:allow x".as_slice()));
    }

    #[test]
    fn any_span_of_any_bytes_ends() {
        let text =
            [b"pragma: allowlist nextline secret\nkeytrail:allow[".as_slice(), &[b'\n'; 3], &[0xff; 70_000]].concat();
        for start in [0, 1, 34, 36, 50, 52, text.len() - 1, text.len()] {
            for end in [start, text.len()] {
                inline_marker(&text, Span::new(start, end), &[rule("github-pat")]);
            }
        }
    }
}

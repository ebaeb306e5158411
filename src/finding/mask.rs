//! Masking: by span in the excerpts of a text, by value in everything else that could carry a found secret.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::engine::{Engine, Match, Scanned};
use crate::location::{Span, line_window};
use crate::secret::{REDACTED, Secret};

/// Values shorter than this many bytes are masked where they were found and nowhere else: they are in everything.
const LEAST_VALUE: usize = 4;

/// Values shorter than this many bytes are masked elsewhere only as whole words.
const LEAST_INSIDE: usize = 8;

/// Values of nothing but letters and shorter than this many bytes are words: a path or name that holds one shows it as
/// before. It doesn't say that it is a secret, and a mark in its place would, to everyone who knows the path.
const LEAST_UNCOMMON: usize = 12;

/// How far an excerpt reaches to either side of a secret, in bytes.
const REACH: usize = 90;

/// How much more of the line is kept until values have been masked, in bytes: more than a generic value has.
const MARGIN: usize = 600;

/// Replaces every known value, raw, percent-encoded or in base64, by its public prefix and a mark.
#[derive(Debug)]
pub struct Masker {
    automaton: Option<AhoCorasick>,
    forms: Vec<Form>,
}

/// One way a value may be written.
struct Form {
    replacement: String,
    whole_word: bool,
    /// Whether the value is a word, see [`LEAST_UNCOMMON`].
    word: bool,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form")
    }
}

impl Masker {
    /// A masker for `secrets`, each with the constant prefix that may stay.
    pub fn new<'a>(secrets: impl Iterator<Item = (&'a Secret, &'a str)>) -> Self {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut forms = Vec::new();
        for (secret, prefix) in secrets {
            let value = secret.expose();
            if value.len() < LEAST_VALUE {
                continue;
            }
            let prefix = if value.starts_with(prefix.as_bytes()) { prefix } else { "" };
            let word = value.len() < LEAST_UNCOMMON && value.iter().all(u8::is_ascii_alphabetic);
            for (written, prefix) in written_forms(value, prefix) {
                let replacement = format!("{prefix}{REDACTED}");
                forms.push(Form { replacement, whole_word: value.len() < LEAST_INSIDE, word });
                patterns.push(written);
            }
        }
        let automaton = (!patterns.is_empty()).then(|| {
            // Few and short texts are masked: a table of all states and bytes would cost more to make than it saves.
            AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .match_kind(MatchKind::Standard)
                .build(&patterns)
                .expect("found secrets are bounded in number and length")
        });
        Self { automaton, forms }
    }

    /// `bytes` with every known value replaced.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        self.masked(bytes, |_| true)
    }

    /// `bytes` with the values replaced whose forms `which` picks.
    fn masked<'t>(&self, bytes: &'t [u8], which: impl Fn(&Form) -> bool) -> Cow<'t, [u8]> {
        let Some(automaton) = &self.automaton else { return Cow::Borrowed(bytes) };
        let masked = self.covered(automaton, bytes, which);
        if masked.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for (span, form) in masked {
            out.extend_from_slice(&bytes[copied..span.start]);
            out.extend_from_slice(self.forms[form].replacement.as_bytes());
            copied = span.end;
        }
        out.extend_from_slice(&bytes[copied..]);
        Cow::Owned(out)
    }

    /// What must go of `bytes`: values that overlap are one span, with the form of the one that begins it.
    fn covered(&self, automaton: &AhoCorasick, bytes: &[u8], which: impl Fn(&Form) -> bool) -> Vec<(Span, usize)> {
        let mut found: Vec<(Span, usize)> = automaton
            .find_overlapping_iter(bytes)
            .map(|found| (Span::new(found.start(), found.end()), found.pattern().as_usize()))
            .filter(|(_, form)| which(&self.forms[*form]))
            .filter(|(span, form)| !self.forms[*form].whole_word || is_whole_word(bytes, *span))
            .collect();
        found.sort_unstable_by_key(|(span, form)| (span.start, std::cmp::Reverse(span.end), *form));
        found.dedup_by(|(next, _), (last, _)| {
            let one = next.start < last.end;
            last.end = last.end.max(if one { next.end } else { last.end });
            one
        });
        found
    }

    /// Masks a path or name in place; words stay.
    pub fn in_place(&self, bytes: &mut Vec<u8>) {
        if let Cow::Owned(masked) = self.masked(bytes, |form| !form.word) {
            *bytes = masked;
        }
    }

    /// Masks a text in place.
    pub fn text(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.bytes(text.as_bytes()) {
            *text = String::from_utf8_lossy(&masked).into_owned();
        }
    }
}

/// What no line may show of a name or other short text: the candidates that the engine sees in it, at any confidence,
/// and what goes with them; see [`merged`]. Of encoded ones all that was decoded in one go.
pub fn hidden_spans(engine: &Engine, bytes: &[u8]) -> Vec<Span> {
    let scanned = engine.scan(bytes);
    spans(&scanned, |found| found.raw.hidden().collect())
}

/// Where what `of` names of each match stands in the text.
fn spans(scanned: &Scanned, of: impl Fn(&Match) -> Vec<Span>) -> Vec<Span> {
    let placed = scanned.matches.iter().flat_map(|found| {
        let view = found.view.checked_sub(1).map(|view| &scanned.views[view]);
        of(found).into_iter().map(move |span| view.map_or(span, |view| view.covered(span)))
    });
    merged(placed.collect())
}

/// Replaces every candidate that the engine sees in a name or other short text, at any confidence.
pub fn candidates(engine: &Engine, bytes: &mut Vec<u8>) {
    let found = spans(&engine.scan(bytes), |found| vec![found.raw.secret]);
    for span in found.into_iter().rev() {
        bytes.splice(span.start..span.end, REDACTED.bytes());
    }
}

/// The same for a text.
pub fn candidates_in_text(engine: &Engine, text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    candidates(engine, &mut bytes);
    *text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
}

/// What addresses may leave as it is, beside letters and digits (RFC 3986 section 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The ways a value may be written, each with the prefix that may stay.
fn written_forms<'p>(value: &[u8], prefix: &'p str) -> Vec<(Vec<u8>, &'p str)> {
    let mut forms = vec![(value.to_vec(), prefix)];
    // Texts of ours show a byte that is not UTF-8 as U+FFFD.
    if let Cow::Owned(shown) = String::from_utf8_lossy(value) {
        forms.push((shown.into_bytes(), ""));
    }
    for set in [NON_ALPHANUMERIC, &RESERVED] {
        let pieces: Vec<&str> = percent_encode(value, set).collect();
        let lower = |piece: &str| if piece.starts_with('%') { piece.to_ascii_lowercase() } else { piece.to_owned() };
        forms.push((pieces.iter().copied().map(lower).collect::<String>().into_bytes(), ""));
        forms.push((pieces.concat().into_bytes(), ""));
    }
    if value.len() >= LEAST_INSIDE {
        forms.push((STANDARD_NO_PAD.encode(value).into_bytes(), ""));
        forms.push((URL_SAFE_NO_PAD.encode(value).into_bytes(), ""));
    }
    let mut seen = BTreeSet::new();
    forms.retain(|(written, _)| seen.insert(written.clone()));
    forms
}

/// Whether neither neighbour of `span` is a letter or digit.
fn is_whole_word(text: &[u8], span: Span) -> bool {
    let before = span.start.checked_sub(1).and_then(|at| text.get(at));
    !before.is_some_and(u8::is_ascii_alphanumeric) && !text.get(span.end).is_some_and(u8::is_ascii_alphanumeric)
}

/// A line on its way into a report: masked by span, and with more around the secret than is shown, so that a value that
/// masking by value will find is whole.
#[derive(Clone, Debug, Default)]
pub struct Line {
    before: String,
    after: String,
    absent: bool,
}

impl Line {
    /// No line: there is nothing to show.
    pub fn absent() -> Self {
        Self { absent: true, ..Self::default() }
    }

    /// The line in which `secret` begins, every span of `hidden` (see [`merged`]) replaced.
    pub fn new(text: &[u8], secret: Span, hidden: &[Span]) -> Self {
        let first_line =
            memchr::memchr2(b'\n', b'\r', &text[secret.start..secret.end]).map_or(secret.end, |at| secret.start + at);
        let window = line_window(text, Span::new(secret.start, first_line), REACH + MARGIN);
        // The secret with what touches it is one mark.
        let at = hidden.partition_point(|span| span.end <= secret.start);
        let mark = hidden.get(at).filter(|span| span.overlaps(secret)).map_or(secret, |span| *span);
        let before = Span::new(window.start, mark.start.max(window.start));
        let after = Span::new(mark.end.min(window.end), window.end);
        let cut = secret.start - window.start == REACH + MARGIN;
        let before = Span::new(if cut { whole_from(text, before) } else { before.start }, before.end);
        let cut = window.end - first_line == REACH + MARGIN;
        let after = Span::new(after.start, if cut { whole_until(text, after) } else { after.end });
        Self { before: masked(text, before, hidden), after: masked(text, after, hidden), absent: false }
    }

    /// What may be shown of it: masked by value, then cut.
    pub fn shown(&self, masker: &Masker) -> String {
        if self.absent {
            return String::new();
        }
        let (mut before, mut after) = (self.before.clone(), self.after.clone());
        masker.text(&mut before);
        masker.text(&mut after);
        let start = border(&before, before.len().saturating_sub(REACH));
        let end = border(&after, after.len().min(REACH));
        format!("{}{REDACTED}{}", &before[start..], &after[..end]).trim().to_owned()
    }
}

/// The offset at or after `at` that is in no character and no mark.
fn border(text: &str, at: usize) -> usize {
    let marks = text.match_indices(REDACTED).map(|(start, mark)| (start, start + mark.len()));
    let at = marks.into_iter().find(|&(start, end)| start < at && at < end).map_or(at, |(_, end)| end);
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// Whether values end at a byte.
fn is_edge(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`,;<>(){}".contains(byte)
}

/// Where the first word begins that a cut at the start of `span` leaves whole.
fn whole_from(text: &[u8], span: Span) -> usize {
    text[span.start..span.end].iter().position(is_edge).map_or(span.end, |at| span.start + at)
}

/// Where the last word ends that a cut at the end of `span` leaves whole.
fn whole_until(text: &[u8], span: Span) -> usize {
    text[span.start..span.end].iter().rposition(is_edge).map_or(span.start, |at| span.start + at)
}

/// `spans` sorted, and those that touch or overlap made one.
pub fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let one = next.start <= last.end;
        last.end = last.end.max(if one { next.end } else { last.end });
        one
    });
    spans
}

/// The text of `window` with every span of `hidden` (see [`merged`]) replaced.
pub fn masked(text: &[u8], window: Span, hidden: &[Span]) -> String {
    let mut out = String::new();
    if window.is_empty() {
        return out;
    }
    let mut at = window.start;
    let first = hidden.partition_point(|span| span.end <= window.start);
    for span in hidden[first..].iter().take_while(|span| span.start < window.end) {
        out.push_str(&String::from_utf8_lossy(&text[at..span.start.max(at)]));
        out.push_str(REDACTED);
        at = span.end.min(window.end);
    }
    out.push_str(&String::from_utf8_lossy(&text[at..window.end]));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_in_every_form() {
        let long = Secret::new(*b"pre_V3ry+S3cret/Value");
        let short = Secret::new(*b"root1");
        let masker = Masker::new([(&long, "pre_"), (&short, "")].into_iter());
        let text = format!(
            "a/pre_V3ry+S3cret/Value/b {} {} root1 xroot1 /root1/",
            percent_encode(long.expose(), NON_ALPHANUMERIC),
            STANDARD_NO_PAD.encode(long.expose())
        );
        let masked = String::from_utf8(masker.bytes(text.as_bytes()).into_owned()).expect("still text");
        assert_eq!(masked, "a/pre_‹redacted›/b ‹redacted› ‹redacted› ‹redacted› xroot1 /‹redacted›/");
    }

    #[test]
    fn names_show_no_candidate_in_clear_or_encoded() {
        let engine = Engine::new(crate::engine::built_in_rules()).expect("the built-in rules make an engine");
        let token = crate::specimen::expand("<<github:ghp_>>", 3).expect("a template");
        let encoded = STANDARD_NO_PAD.encode([b"a token: ".as_slice(), &token].concat());
        let mut name = format!("a/{}/x-{encoded}.txt", String::from_utf8_lossy(&token)).into_bytes();
        assert_eq!(hidden_spans(&engine, &name).len(), 2);
        candidates(&engine, &mut name);
        assert_eq!(String::from_utf8_lossy(&name), "a/‹redacted›/x-‹redacted›.txt");
    }

    #[test]
    fn a_value_that_overlaps_another_leaves_no_piece() {
        let values = [&b"pass1"[..], b"1S3cret-long-value", b"AAAA-BBBB-CCCC", b"CCCC-DDDD-EEEE"].map(Secret::new);
        let masker = Masker::new(values.iter().map(|value| (value, "")));
        let cases = [
            ("xpass1S3cret-long-value", "xpass‹redacted›"),
            ("(AAAA-BBBB-CCCC-DDDD-EEEE)", "(‹redacted›)"),
            ("AAAA-BBBB-CCCCCCCC-DDDD-EEEE", "‹redacted›‹redacted›"),
        ];
        for (text, expected) in cases {
            assert_eq!(String::from_utf8_lossy(&masker.bytes(text.as_bytes())), expected);
        }
    }

    #[test]
    fn a_path_keeps_its_words() {
        let secrets = ["gardener", "kX9mmq2z"].map(|value| Secret::new(value.as_bytes()));
        let masker = Masker::new(secrets.iter().map(|secret| (secret, "")));
        let mut path = b"gardener/kX9mmq2z/gardener.py".to_vec();
        masker.in_place(&mut path);
        assert_eq!(String::from_utf8_lossy(&path), "gardener/\u{2039}redacted\u{203a}/gardener.py");
        assert_eq!(masker.bytes(b"as gardener").as_ref(), "as \u{2039}redacted\u{203a}".as_bytes());
    }

    #[test]
    fn values_are_masked_as_addresses_and_texts_write_them() {
        let values = [&b"ab-Cd_12/x!"[..], b"p\xc4ss-wort-9"].map(Secret::new);
        let masker = Masker::new(values.iter().map(|value| (value, "")));
        for text in ["ab-Cd_12%2Fx%21", "ab-Cd_12%2fx%21", "ab%2dCd%5f12%2fx%21", "p\u{fffd}ss-wort-9"] {
            assert_eq!(String::from_utf8_lossy(&masker.bytes(text.as_bytes())), "‹redacted›", "{text}");
        }
    }

    /// What is shown of the line of `secret` when `values` are known.
    fn shown(text: &[u8], secret: Span, hidden: &[Span], values: &[Secret]) -> String {
        let masker = Masker::new(values.iter().map(|value| (value, "")));
        Line::new(text, secret, &merged(hidden.to_vec())).shown(&masker)
    }

    #[test]
    fn excerpts_hide_every_candidate_and_stop_at_the_line() {
        let text = b"before\n  user=alice pass=hunter2 pass2=hunter3 end\nafter";
        let hidden = [Span::new(14, 19), Span::new(25, 32), Span::new(39, 46)];
        let line = shown(text, Span::new(25, 32), &hidden, &[]);
        assert_eq!(line, "user=‹redacted› pass=‹redacted› pass2=‹redacted› end");
        let overlapping = [Span::new(20, 32), Span::new(25, 32), Span::new(30, 46)];
        assert_eq!(shown(text, Span::new(25, 32), &overlapping, &[]), "user=alice ‹redacted› end");
    }

    #[test]
    fn a_block_shows_its_first_line_only() {
        let text = b"key: AAAA\nBBBB\nCCCC\n";
        assert_eq!(shown(text, Span::new(5, 19), &[Span::new(5, 19)], &[]), "key: ‹redacted›");
    }

    #[test]
    fn an_excerpt_never_cuts_a_value_before_it_is_masked() {
        let value = "Xk29-aLongSharedValue-77";
        for gap in 50..120 {
            let filler = "f ".repeat(gap / 2);
            let text = format!("{0}{value} {filler}'{value}'{filler} {value}{0}", "z".repeat(700));
            let at = text.find('\'').expect("a quote") + 1;
            let own = Span::new(at, at + value.len());
            let line = shown(text.as_bytes(), own, &[own], &[Secret::new(value.as_bytes())]);
            let longest = (4..value.len())
                .rev()
                .find(|&len| line.contains(&value[..len]) || line.contains(&value[value.len() - len..]));
            assert_eq!(longest, None, "{line}");
            assert!(line.contains('‹') && line.len() < 240, "{line}");
        }
        let text = format!("{value}{}'{value}'", "z".repeat(REACH + MARGIN - 10));
        let at = text.find('\'').expect("a quote") + 1;
        let line = shown(text.as_bytes(), Span::new(at, at + value.len()), &[Span::new(at, at + value.len())], &[]);
        assert_eq!(line, "'‹redacted›'");
    }
}

//! Where known values stand, byte for byte: every content of a source is searched for them and for the ways they are
//! written in texts. No rule has a say here, and no path is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::Progress;
use crate::blob::{Blob, ContentId, Edits, ObjectPart};
use crate::observe::Observation;
use crate::place::{Part, Place, Provenance, State};
use crate::secret::{REDACTED, Secret};
use crate::source::{Excluded, Listed, Source, SourceError, Unread, Visitor};

/// Shortest value that is searched for, in bytes: shorter ones stand everywhere by chance.
pub const SHORTEST: usize = 4;

/// Shortest written form that is searched for, in bytes. Of base 64 the characters on the seams are left out, and what is
/// left of a short value would stand in other data by chance.
const SHORTEST_FORM: usize = 6;

/// Bytes by whose zeros git and its filters tell a binary file.
const LOOK_FOR_ZEROS: usize = 8192;

/// Values to search for, each in its written forms.
pub struct Needles {
    automaton: AhoCorasick,
    /// Per needle: the number of the value, the form, the bytes.
    forms: Vec<(usize, Form, Secret)>,
    /// Which needles are the lines of which value: all of a list are needed.
    wrapped: Vec<(usize, Vec<usize>)>,
}

/// A way to write a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Its own bytes.
    Plain,
    /// Two bytes a character, as Windows writes texts.
    Utf16,
    /// Base 64, of either alphabet, wherever in it the value begins.
    Base64,
    /// `\n`, `\"`, `\/` and the like.
    Escaped,
    /// `%2B` and the like.
    Percent,
    /// Two hexadecimal digits a byte.
    Hex,
    /// Over several lines, as PEM has it, whatever stands between these.
    Wrapped,
}

impl Form {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "as it is",
            Self::Utf16 => "in UTF-16",
            Self::Base64 => "in base64",
            Self::Escaped => "escaped",
            Self::Percent => "percent-encoded",
            Self::Hex => "in hex",
            Self::Wrapped => "over several lines",
        }
    }
}

/// What was searched for at one content.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// By value: its forms.
    forms: BTreeMap<usize, BTreeSet<Form>>,
    /// 0-based lines, for names of trees.
    lines: BTreeMap<u64, BTreeSet<usize>>,
    /// Where it is, if the source said so at once.
    provenance: Option<Provenance>,
    /// It holds a zero byte where filters look for one.
    is_binary: bool,
}

/// A place where a value stands.
#[derive(Clone, Debug)]
pub struct Sighted {
    /// The number of the value.
    pub value: usize,
    /// How it is written there.
    pub forms: BTreeSet<Form>,
    /// The git object, if it is one: which part of it, and its id in hex.
    pub object: Option<(ObjectPart, String)>,
    /// Filters that replace texts leave this content alone.
    pub is_binary: bool,
    /// Where that is.
    pub place: Place,
}

/// What came of a search.
#[derive(Debug, Default)]
pub struct Searched {
    /// Where values stand.
    pub sighted: Vec<Sighted>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Texts and files searched.
    pub contents: u64,
}

impl Needles {
    /// Of these values; `None` where there is none of [`SHORTEST`] bytes or more.
    pub fn new(values: &[Secret]) -> Option<Self> {
        let (mut forms, mut wrapped) = (Vec::new(), Vec::new());
        for (number, value) in values.iter().enumerate().filter(|(_, value)| value.len() >= SHORTEST) {
            let mut known: BTreeSet<Vec<u8>> = BTreeSet::new();
            for (form, bytes) in written(value.expose()) {
                if (form == Form::Plain || bytes.len() >= SHORTEST_FORM) && known.insert(bytes.clone()) {
                    forms.push((number, form, Secret::new(bytes)));
                }
            }
            for width in WIDTHS.into_iter().filter(|width| is_wrapped(value.expose(), *width)) {
                let lines = value.expose().chunks(width).filter(|line| line.len() >= SHORTEST_FORM);
                let first = forms.len();
                forms.extend(lines.map(|line| (number, Form::Wrapped, Secret::new(line))));
                wrapped.push((number, (first..forms.len()).collect()));
            }
        }
        if forms.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(forms.iter().map(|(.., bytes)| bytes.expose()))
            .ok()?;
        Some(Self { automaton, forms, wrapped })
    }

    /// The written forms of a value, its number given.
    pub fn forms(&self, value: usize) -> impl Iterator<Item = (Form, &Secret)> {
        self.forms.iter().filter(move |(number, ..)| *number == value).map(|(_, form, bytes)| (*form, bytes))
    }

    /// Masks values in what is to be shown.
    pub fn mask(&self, text: &[u8]) -> Vec<u8> {
        let mut spans: Vec<(usize, usize)> =
            self.automaton.find_overlapping_iter(text).map(|found| (found.start(), found.end())).collect();
        spans.sort_unstable();
        let (mut out, mut done) = (Vec::new(), 0);
        for (start, end) in spans {
            if start >= done {
                out.extend_from_slice(&text[done..start]);
                out.extend_from_slice(REDACTED.as_bytes());
            }
            done = done.max(end);
        }
        out.extend_from_slice(&text[done..]);
        out
    }

    /// Searches a source.
    ///
    /// # Errors
    /// The source can't be walked at all.
    pub fn search<S: Source>(&self, source: &S, progress: &dyn Progress) -> Result<Searched, SourceError> {
        let finder = Finder { needles: self, progress, contents: AtomicU64::new(0), found: Mutex::default() };
        source.walk(&finder)?;
        let contents = finder.contents.into_inner();
        let Found { seen, mut unread } = finder.found.into_inner().expect("no one panics while holding this lock");
        unread.sort();
        unread.dedup();
        let wanted = seen.iter().filter(|(_, seen)| seen.provenance.is_none()).map(|(id, _)| *id).collect();
        let mut sighted = Vec::new();
        for located in source.locate(&wanted)? {
            let Some(one) = seen.get(&located.content) else { continue };
            for (value, forms) in &one.forms {
                let is_here =
                    located.line.is_none_or(|line| one.lines.get(&line).is_some_and(|all| all.contains(value)));
                if is_here {
                    sighted.push(Self::sighted(*value, forms, located.content, one, located.place.clone()));
                }
            }
        }
        for (id, one) in &seen {
            let Some(provenance) = &one.provenance else { continue };
            let place = Place {
                provenance: provenance.clone(),
                state: State::Present,
                first: None,
                last: None,
                reference: None,
            };
            sighted
                .extend(one.forms.iter().map(|(value, forms)| Self::sighted(*value, forms, *id, one, place.clone())));
        }
        // A content whose place isn't known is one all the same.
        let placed: BTreeSet<(usize, String)> =
            sighted.iter().filter_map(|one| Some((one.value, one.object.as_ref()?.1.clone()))).collect();
        for (id, one) in seen.iter().filter(|(_, one)| one.provenance.is_none()) {
            let provenance = Provenance { path: format!("content {id}").into_bytes(), ..Provenance::default() };
            let place = Place { provenance, state: State::Present, first: None, last: None, reference: None };
            let unplaced = one.forms.iter().filter(|(value, _)| !placed.contains(&(**value, id.to_string())));
            sighted.extend(unplaced.map(|(value, forms)| Self::sighted(*value, forms, *id, one, place.clone())));
        }
        sighted.sort_by_cached_key(key);
        Ok(Searched { sighted, unread, contents })
    }

    /// One place.
    fn sighted(value: usize, forms: &BTreeSet<Form>, id: ContentId, seen: &Seen, place: Place) -> Sighted {
        let object = match id {
            ContentId::Object(part, object) => Some((part, object.to_string())),
            ContentId::Serial(_) => None,
        };
        Sighted { value, forms: forms.clone(), object, is_binary: seen.is_binary, place }
    }
}

/// The order of places: the most alive first.
fn key(one: &Sighted) -> (usize, State, Vec<u8>, Part, Option<String>) {
    let Place { provenance, state, .. } = &one.place;
    (one.value, *state, provenance.path.clone(), provenance.part, one.object.as_ref().map(|(_, id)| id.clone()))
}

/// Characters a line of encoded keys has: PEM (RFC 7468), OpenSSH, SSH2 (RFC 4716), MIME (RFC 2045).
pub const WIDTHS: [usize; 4] = [64, 70, 72, 76];

/// Whether a value may stand over several lines of `width` characters.
pub fn is_wrapped(value: &[u8], width: usize) -> bool {
    value.len() > width && value.iter().all(u8::is_ascii_graphic)
}

/// The ways a value is written in texts.
fn written(value: &[u8]) -> Vec<(Form, Vec<u8>)> {
    let mut all = vec![(Form::Plain, value.to_vec())];
    if value.contains(&b'\n') && !value.contains(&b'\r') {
        let lines: Vec<&[u8]> = value.split(|&byte| byte == b'\n').collect();
        all.push((Form::Plain, lines.join(&b"\r\n"[..])));
        // Names of files are handed out with a `/` in place of a line break.
        all.push((Form::Plain, lines.join(&b'/')));
    }
    let mut texts = vec![value.to_vec()];
    if let Ok(text) = std::str::from_utf8(value) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        all.push((Form::Utf16, units.iter().flat_map(|unit| unit.to_be_bytes()).collect()));
        all.push((Form::Utf16, little.clone()));
        texts.push(little);
        let json = serde_json::to_string(text).expect("a text can be written as JSON");
        let json = json[1..json.len() - 1].to_owned();
        all.push((Form::Escaped, json.replace('/', "\\/").into_bytes()));
        let ascii = |c: char| matches!(c, '<' | '>' | '&' | '\'' | '+' | '=') || !c.is_ascii();
        let units =
            |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
        let spelled: String = json.chars().map(|c| if ascii(c) { units(c) } else { c.to_string() }).collect();
        all.push((Form::Escaped, spelled.into_bytes()));
        all.push((Form::Escaped, json.into_bytes()));
    }
    for text in &texts {
        all.extend(base64_forms(text).map(|form| (Form::Base64, form)));
    }
    for set in [percent_encoding::NON_ALPHANUMERIC, UNRESERVED] {
        let percent = percent_encoding::percent_encode(value, set).to_string();
        all.push((Form::Percent, lower_escapes(&percent).into_bytes()));
        all.push((Form::Percent, percent.into_bytes()));
    }
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    all.push((Form::Hex, hex.to_uppercase().into_bytes()));
    all.push((Form::Hex, hex.into_bytes()));
    all
}

/// What addresses leave as it is, beside letters and digits (RFC 3986 section 2.3).
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent escapes with small digits.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (digits, rest) = part.split_at(2);
        format!("{out}%{}{rest}", digits.to_ascii_lowercase())
    })
}

/// What of base 64 holds a text, whichever of three places in a group of bytes it begins at: without the characters that
/// bytes around it have a share in.
fn base64_forms(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3_usize).flat_map(|before| {
        let padded = [&vec![0; before][..], text].concat();
        // Six bits a character: the first whole one, and the end of the last whole one.
        let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
            .map(|encoded| encoded.as_bytes().get(start..end).unwrap_or_default().to_vec())
    })
}

/// What a search has found so far.
#[derive(Default)]
struct Found {
    seen: BTreeMap<ContentId, Seen>,
    unread: Vec<Unread>,
}

/// The visitor of a search.
struct Finder<'n> {
    needles: &'n Needles,
    progress: &'n dyn Progress,
    contents: AtomicU64,
    found: Mutex<Found>,
}

impl Visitor for Finder<'_> {
    type State = ();

    fn visit(&self, _: Option<(&(), &Edits)>, blob: Blob<'_>) {
        self.contents.fetch_add(u64::from(blob.window.offset == 0), Ordering::Relaxed);
        self.progress.content(blob.window.own.len() as u64);
        let mut seen = Seen::default();
        let mut lines: BTreeSet<usize> = BTreeSet::new();
        for hit in self.needles.automaton.find_overlapping_iter(blob.bytes) {
            let (value, form, _) = &self.needles.forms[hit.pattern().as_usize()];
            if *form == Form::Wrapped {
                lines.insert(hit.pattern().as_usize());
                continue;
            }
            seen.forms.entry(*value).or_default().insert(*form);
            if matches!(blob.id, ContentId::Object(ObjectPart::Names, _)) {
                let line = memchr::memchr_iter(b'\n', &blob.bytes[..hit.start()]).count() as u64;
                seen.lines.entry(line).or_default().insert(*value);
            }
        }
        for (value, needed) in self.needles.wrapped.iter().filter(|_| !lines.is_empty()) {
            if needed.iter().all(|line| lines.contains(line)) {
                let forms = seen.forms.entry(*value).or_default();
                // In one piece all lines are there as well.
                if !forms.contains(&Form::Plain) {
                    forms.insert(Form::Wrapped);
                }
            }
        }
        if seen.forms.is_empty() {
            return;
        }
        let head = &blob.bytes[..blob.bytes.len().min(LOOK_FOR_ZEROS)];
        let is_binary = blob.window.offset == 0 && head.contains(&0);
        let mut found = self.found.lock().expect("no one panics while holding this lock");
        let all = found.seen.entry(blob.id).or_default();
        for (value, forms) in seen.forms {
            all.forms.entry(value).or_default().extend(forms);
        }
        for (line, values) in seen.lines {
            all.lines.entry(line).or_default().extend(values);
        }
        all.is_binary |= is_binary;
        all.provenance = all.provenance.take().or_else(|| blob.provenance.cloned());
    }

    fn unread(&self, what: Unread) {
        self.found.lock().expect("no one panics while holding this lock").unread.push(what);
    }

    fn excluded(&self, _: Excluded, _: u64) {}

    fn listed(&self, _: Listed) {}

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}

    fn suspects(&self, text: &[u8]) -> bool {
        self.needles.automaton.is_match(text)
    }

    fn in_full(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms found in a text, of a value that holds all that is written otherwise somewhere.
    fn found(text: &[u8]) -> BTreeSet<Form> {
        let needles = Needles::new(&[Secret::new(*b"k/X9+q \"z<Lw7")]).expect("it is long enough");
        needles.automaton.find_overlapping_iter(text).map(|hit| needles.forms[hit.pattern().as_usize()].1).collect()
    }

    #[test]
    fn values_are_found_in_the_ways_they_are_written() {
        let value = "k/X9+q \"z<Lw7";
        let utf16 = |swap: bool| -> Vec<u8> {
            value.encode_utf16().flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let base64 = |text: &[u8]| base64::engine::general_purpose::STANDARD.encode(text).into_bytes();
        let cases: Vec<(Vec<u8>, Form)> = vec![
            (format!("x{value}y").into_bytes(), Form::Plain),
            (utf16(false), Form::Utf16),
            (utf16(true), Form::Utf16),
            (serde_json::to_vec(&value).expect("a text can be written as JSON"), Form::Escaped),
            (b"k\\/X9+q \\\"z<Lw7".to_vec(), Form::Escaped),
            (b"k/X9\\u002bq \\\"z\\u003cLw7".to_vec(), Form::Escaped),
            (b"k%2FX9%2Bq%20%22z%3CLw7".to_vec(), Form::Percent),
            (b"k%2fX9%2bq%20%22z%3cLw7".to_vec(), Form::Percent),
            (b"6B2F58392B7120227A3C4C7737".to_vec(), Form::Hex),
            (base64(&utf16(false)), Form::Base64),
            (base64(value.as_bytes()), Form::Base64),
            (base64(format!("a{value}b").as_bytes()), Form::Base64),
            (base64(format!("ab{value}").as_bytes()), Form::Base64),
            (URL_SAFE_NO_PAD.encode(format!("ab:{value}??>")).into_bytes(), Form::Base64),
        ];
        for (text, form) in cases {
            assert!(found(&text).contains(&form), "{form:?}: {}", String::from_utf8_lossy(&text));
        }
        assert!(found(b"k/X9+q z<Lw7").is_empty());
    }

    #[test]
    fn a_value_over_several_lines_is_there_when_all_of_them_are() {
        let value: Vec<u8> = (0..200_u32)
            .map(|n| b"0123456789abcdefghijklmnopqrstuvwxyz"[(n.wrapping_mul(2_654_435_761) >> 16) as usize % 36])
            .collect();
        let needles = Needles::new(&[Secret::new(value.clone())]).expect("it is long enough");
        let forms = |text: &[u8]| {
            let finder =
                Finder { needles: &needles, progress: &(), contents: AtomicU64::new(0), found: Mutex::default() };
            finder.visit(None, Blob::whole(ContentId::Serial(0), text));
            let found = finder.found.into_inner().expect("nobody panicked");
            found.seen.values().flat_map(|seen| seen.forms.values().flatten().copied()).collect::<Vec<_>>()
        };
        for width in WIDTHS {
            let lines: Vec<&[u8]> = value.chunks(width).collect();
            assert_eq!(forms(&lines.join(&b"\n    "[..])), [Form::Wrapped], "{width}");
            assert!(forms(&lines[1..].join(&b"\n"[..])).is_empty(), "{width}");
        }
        assert_eq!(forms(&value), [Form::Plain]);
    }

    #[test]
    fn what_is_shown_is_masked_in_every_form() {
        let needles = Needles::new(&[Secret::new(*b"abcd1234"), Secret::new(*b"cd12")]).expect("they are long enough");
        let masked = needles.mask(b"x abcd1234 6162636431323334 cd12 y");
        assert_eq!(String::from_utf8_lossy(&masked), format!("x {REDACTED} {REDACTED} {REDACTED} y"));
        assert!(Needles::new(&[Secret::new(*b"abc")]).is_none());
    }
}

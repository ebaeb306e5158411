//! Hits: the matches of one blob with all that must be read while its bytes are in hand (position, masked line, marker,
//! line hashes). Nothing reopens the scanned tree later.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::blob::{Blob, ContentId, ObjectPart};
use crate::engine::structure::credentials::public_user;
use crate::engine::{Engine, Match, Scanned};
use crate::finding::pair::{self, Joined};
use crate::finding::{Facts, Validity, line_hash, mask, suppress};
use crate::location::{Locator, Position, Region, Span};
use crate::rule::Rule;
use crate::secret::Secret;

/// One match with its surroundings. Texts in it are masked by span; masking by value comes when all is known.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Index into the engine's rules.
    pub rule: usize,
    /// Other rules that matched the same bytes.
    pub also: Vec<usize>,
    /// The decoded value.
    pub secret: Secret,
    /// Offset of the secret in the content, bytes.
    pub offset: u64,
    /// Where it is, in the text a user can open.
    pub region: Region,
    /// Its line, every candidate masked.
    pub line: mask::Line,
    /// `keytrailLineHash/v1` of its line.
    pub line_hash: Option<String>,
    /// `primaryLocationLineHash` of its line.
    pub line_hash_raw: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// The offline check's word.
    pub validity: Validity,
    /// What was read from it.
    pub facts: Facts,
    /// Why the confidence isn't the rule's own.
    pub reasons: Vec<&'static str>,
    /// Allowlists of the rule, by their index, that excuse it at the paths or commits they name.
    pub pending: Vec<u16>,
    /// What checks and filters said, if that is wanted.
    pub steps: Vec<String>,
    /// Named parts beside it; the secret ones (passwords) are left out.
    pub companions: Vec<(&'static str, String)>,
    /// Secrets that are parts of it: the key id of an AWS secret.
    pub parts: Vec<Part>,
    /// The secret it is a part of.
    pub of: Option<Secret>,
    /// An inline marker that speaks for it.
    pub marker: Option<suppress::Heard>,
    /// For commits: whether it stands in a header and not in the message.
    pub in_header: bool,
    /// The view it was seen in.
    pub view: Option<Cow<'static, str>>,
}

/// What of a hit costs extra.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Line hashes, for which the whole text is read once more.
    pub hashes: bool,
    /// What checks and filters said, which are asked once more.
    pub steps: bool,
}

/// A secret that is a part of another.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is to the other: `key_id`, `session_token`.
    pub word: &'static str,
    /// Index into the engine's rules.
    pub rule: usize,
    /// Its value.
    pub secret: Secret,
}

/// Makes hits of the matches in a blob. Those that filters dropped are masked in the others' lines and then gone.
/// `keep` is asked of each match before it becomes a hit, which takes far more memory.
pub fn hits(
    engine: &Engine,
    blob: &Blob<'_>,
    scanned: &Scanned,
    wanted: Wanted,
    mut keep: impl FnMut(&Match) -> bool,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    let texts = std::iter::once(blob.bytes).chain(scanned.views.iter().map(|view| view.text.as_slice()));
    let mut seen = Vec::new();
    for (at, text) in texts.enumerate() {
        let matches: Vec<&Match> = scanned.matches.iter().filter(|found| found.view == at).collect();
        if matches.iter().any(|found| !found.dropped) {
            let joined = pair::join(engine, text, &matches);
            seen.push((at, text, matches, joined));
        }
    }
    let of_joined = |(at, _, _, joined): &(usize, _, _, Vec<Joined>)| {
        joined.iter().flat_map(Joined::hidden).map(|span| (*at, span)).collect::<Vec<_>>()
    };
    let extra: Vec<(usize, Span)> = seen.iter().flat_map(of_joined).collect();
    let hidden = hidden_in_blob(scanned, &extra, blob.bytes.len());
    for (at, text, matches, joined) in seen {
        let shared = Shared { hidden_in_blob: &hidden, extra: &extra, wanted };
        let context = Context::new(engine, blob, scanned, (at, text), &matches, joined, shared);
        hits.extend(
            matches
                .iter()
                .zip(&context.joined)
                .filter(|(found, _)| !found.dropped && context.owns(found) && keep(found))
                .map(|(found, joined)| context.hit(found, joined, &matches)),
        );
    }
    // Rules that are reported at some places only have hits of their own.
    let apart = |hit: &Hit| engine.rule(hit.rule).terms.as_ref().map(|_| hit.rule);
    // What is seen in the blob as it is and in a view is one hit.
    hits.sort_by(|a, b| (apart(a), a.offset, &a.view).cmp(&(apart(b), b.offset, &b.view)));
    // A string of a binary reads in both byte orders, one byte apart.
    hits.dedup_by(|b, a| apart(a) == apart(b) && b.offset - a.offset <= 1 && a.secret == b.secret);
    hits
}

/// What is the same for all texts of a blob.
#[derive(Clone, Copy)]
struct Shared<'c> {
    /// In the blob's own bytes.
    hidden_in_blob: &'c [Span],
    /// What was joined to matches, by the view it stands in.
    extra: &'c [(usize, Span)],
    /// What is asked for beyond that.
    wanted: Wanted,
}

/// What all hits of one text share.
struct Context<'c> {
    engine: &'c Engine,
    blob: &'c Blob<'c>,
    scanned: &'c Scanned,
    view: usize,
    text: &'c [u8],
    hidden: Vec<Span>,
    /// What belongs to each match, in their order.
    joined: Vec<Joined>,
    hidden_in_blob: &'c [Span],
    header_end: usize,
    wanted: Wanted,
    hashes: Hashes,
    regions: std::collections::BTreeMap<Span, Region>,
}

/// Line hashes by line.
#[derive(Default)]
struct Hashes {
    masked: std::collections::BTreeMap<u64, String>,
    raw: std::collections::BTreeMap<u64, String>,
}

impl<'c> Context<'c> {
    fn new(
        engine: &'c Engine,
        blob: &'c Blob<'c>,
        scanned: &'c Scanned,
        (view, text): (usize, &'c [u8]),
        matches: &[&Match],
        joined: Vec<Joined>,
        shared: Shared<'c>,
    ) -> Self {
        let Shared { hidden_in_blob, extra, wanted } = shared;
        let hidden = match view.checked_sub(1) {
            None => hidden_in_blob.to_vec(),
            Some(view) => mask::merged(hidden_in_view(scanned, view, extra, hidden_in_blob)),
        };
        let header_end = match blob.id {
            ContentId::Object(ObjectPart::Commit, _) => {
                memchr::memmem::find(text, b"\n\n").unwrap_or(if text.starts_with(b"\n") { 0 } else { text.len() })
            }
            _ => 0,
        };
        let mut context = Self {
            engine,
            blob,
            scanned,
            view,
            text,
            hidden,
            joined,
            hidden_in_blob,
            header_end,
            wanted,
            hashes: Hashes::default(),
            regions: Default::default(),
        };
        context.locate(matches);
        if wanted.hashes && view == 0 && blob.window.whole {
            let lines: BTreeSet<u64> = context.regions.values().map(|region| region.start.line).collect();
            context.hashes.masked = line_hash::masked_line_hashes(text, &context.hidden, &lines);
            context.hashes.raw = line_hash::line_hashes(text, &lines);
        }
        context
    }

    /// Whether the match is this window's to report.
    fn owns(&self, found: &Match) -> bool {
        let own = self.blob.window.own;
        let start = self.in_blob(found.raw.whole).start;
        self.blob.window.whole || (own.start..own.end).contains(&start)
    }

    fn in_blob(&self, span: Span) -> Span {
        match self.view.checked_sub(1) {
            None => span,
            Some(view) => self.scanned.views[view].in_blob(span),
        }
    }

    /// Finds line and column of every match, counting each byte once. In a view of the whole blob these are those of
    /// the decoded text; strings inside a binary are placed in the binary.
    fn locate(&mut self, matches: &[&Match]) {
        let decoded = self.view > 0 && self.scanned.views[self.view - 1].whole;
        let text = if decoded { self.text } else { self.blob.bytes };
        let origin = self.blob.window.origin;
        let mut spans: Vec<(Span, Span)> = matches
            .iter()
            .filter(|found| !found.dropped)
            .map(|found| (found.raw.secret, if decoded { found.raw.secret } else { self.in_blob(found.raw.secret) }))
            .collect();
        spans.sort_by_key(|(_, placed)| placed.start);
        let mut starts = Locator::new(text, origin);
        for (key, placed) in spans {
            let start: Position = starts.position(placed.start, origin);
            let end = crate::location::advance(start, &text[placed.start.min(text.len())..placed.end.min(text.len())]);
            self.regions.insert(key, Region { start, end });
        }
    }

    /// The marker that speaks for a match: in its own text, or on the encoded line.
    fn marker(&self, found: &Match) -> Option<suppress::Heard> {
        let rules: Vec<&Rule> =
            std::iter::once(found.rule).chain(found.also.iter().copied()).map(|at| &**self.engine.rule(at)).collect();
        let whole = found.raw.whole;
        let here =
            suppress::inline_marker(self.text, whole, &rules).map(|marker| marker.heard(self.text, &self.hidden));
        here.or_else(|| {
            let encoded = self.view.checked_sub(1).map(|view| self.scanned.views[view].covered(whole))?;
            let bytes = self.blob.bytes;
            suppress::inline_marker(bytes, encoded, &rules).map(|marker| marker.heard(bytes, self.hidden_in_blob))
        })
    }

    /// The value of a match.
    fn value(&self, found: &Match) -> Secret {
        let Span { start, end } = found.raw.secret;
        Secret::new(found.raw.decoded.as_deref().unwrap_or(&self.text[start..end]))
    }

    fn hit(&self, found: &Match, joined: &Joined, matches: &[&Match]) -> Hit {
        let start = found.raw.secret.start;
        let region = self.regions[&found.raw.secret];
        let secret = self.value(found);
        let text = |span: &Span| String::from_utf8_lossy(&self.text[span.start..span.end]).into_owned();
        let own = found.raw.companions.iter().filter(|(word, _)| *word != "password");
        // A token that stands as user is a secret too.
        let may_be_told = |(word, value): &(&str, String)| {
            *word != "user" || public_user(value, &String::from_utf8_lossy(secret.expose())).is_some()
        };
        let companions = own
            .map(|(word, span)| (*word, text(span)))
            .chain(joined.companions.iter().map(|(word, _, value)| (*word, value.clone())))
            .filter(may_be_told)
            .collect();
        let steps = if self.wanted.steps { self.engine.steps(self.text, found) } else { Vec::new() };
        let steps = steps.iter().map(|step| format!("{} {}", step.name(), step.said())).collect();
        let part = |&(word, at): &(&'static str, usize)| Part {
            word,
            rule: matches[at].rule,
            secret: self.value(matches[at]),
        };
        let mut facts = found.facts.clone();
        facts.complete(&joined.facts);
        debug_assert!(found.rule < self.engine.rules().len());
        Hit {
            rule: found.rule,
            also: found.also.clone(),
            secret,
            offset: self.blob.window.offset + self.in_blob(found.raw.secret).start as u64,
            region,
            line: mask::Line::new(self.text, found.raw.secret, &self.hidden),
            line_hash: self.hashes.masked.get(&region.start.line).cloned(),
            line_hash_raw: self.hashes.raw.get(&region.start.line).cloned(),
            confidence: found.confidence,
            validity: found.validity,
            facts,
            reasons: found.reasons.clone(),
            pending: found.pending.clone(),
            steps,
            companions,
            parts: joined.parts.iter().map(part).collect(),
            of: joined.of.map(|main| self.value(matches[main])),
            marker: self.marker(found),
            in_header: start < self.header_end,
            view: self.view.checked_sub(1).map(|view| self.scanned.views[view].name.clone()),
        }
    }
}

/// What no line of the blob may show: its own matches, and the encoded bytes that show those of views.
fn hidden_in_blob(scanned: &Scanned, extra: &[(usize, Span)], len: usize) -> Vec<Span> {
    let spans = hidden_anywhere(scanned, extra).map(|(view, span)| {
        let view = view.checked_sub(1).map(|view| &scanned.views[view]);
        view.map_or(span, |view| view.covered(span))
    });
    mask::merged(spans.filter(|span| span.end <= len).collect())
}

/// What no line of a view may show: its own matches, those of views of it, and where readable text was decoded, what is
/// hidden in the blob.
fn hidden_in_view(scanned: &Scanned, view: usize, extra: &[(usize, Span)], hidden_in_blob: &[Span]) -> Vec<Span> {
    let this = &scanned.views[view];
    let mut hidden: Vec<Span> = Vec::new();
    for (at, span) in hidden_anywhere(scanned, extra).filter(|(at, _)| *at > 0) {
        if at == view + 1 {
            hidden.push(span);
        } else {
            hidden.extend(scanned.views[at - 1].covered_in(span, this));
        }
    }
    if !this.is_opaque() {
        hidden.extend(hidden_in_blob.iter().filter_map(|span| this.in_view(*span)));
    }
    hidden
}

/// What no line may show, each with the view it stands in.
fn hidden_anywhere<'s>(scanned: &'s Scanned, extra: &'s [(usize, Span)]) -> impl Iterator<Item = (usize, Span)> + 's {
    let of_matches = scanned.matches.iter().flat_map(|found| hidden_spans(found).map(|span| (found.view, span)));
    of_matches.chain(extra.iter().copied())
}

/// What of a match no line may show.
fn hidden_spans(found: &Match) -> impl Iterator<Item = Span> {
    found.raw.hidden().chain(found.beside.iter().copied())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::engine::built_in_rules;
    use crate::finding::mask::Masker;

    fn lines(text: &[u8]) -> Vec<String> {
        let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
        let found =
            hits(&engine, &Blob::whole(ContentId::Serial(0), text), &engine.scan(text), Wanted::default(), |_| true);
        let masker = Masker::new(std::iter::empty());
        let reason = |hit: &Hit| hit.marker.as_ref().map_or(String::new(), |marker| marker.reason.clone());
        found.iter().map(|hit| format!("{} {}", hit.line.shown(&masker), reason(hit))).collect()
    }

    #[test]
    fn a_line_shows_no_candidate_that_another_swallowed() {
        let token = crate::specimen::expand("<<github:ghp_>>", 3).expect("a template");
        let text = [b"pass".as_slice(), b"word = \"kX9!mmq2zz;", token.as_slice(), b";Lq81!xRt\"\n"].concat();
        assert_eq!(lines(&text), ["password = \"‹redacted›\" "]);
    }

    #[test]
    fn a_line_shows_no_candidate_of_a_view() {
        let wide: Vec<u8> = ["pass", "word=\"kX9!mmq2zz\" "].concat().bytes().flat_map(|byte| [byte, 0]).collect();
        let text = [&[0x90; 40][..], b" pass", b"word=\"Zt5!vvw8pp\" ", &wide, &[0x91; 5000]].concat();
        let lines = lines(&text);
        assert_eq!(lines.len(), 2, "a string is one hit in either byte order: {lines:?}");
        for line in lines {
            let plain = line.replace('\0', "");
            assert!(!plain.contains("kX9!mm") && !plain.contains("Zt5!vv"), "{plain}");
        }
    }

    /// Shown lines of a text, each with where it begins and its view.
    fn placed(text: &str) -> Vec<(String, u64, u64, String)> {
        let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
        let blob = Blob::whole(ContentId::Serial(0), text.as_bytes());
        let masker = Masker::new(std::iter::empty());
        let hits = hits(&engine, &blob, &engine.scan(text.as_bytes()), Wanted { hashes: true, steps: false }, |_| true);
        hits.iter()
            .map(|hit| {
                let start = hit.region.start;
                (hit.line.shown(&masker), start.line, start.column, hit.view.clone().unwrap_or_default().into_owned())
            })
            .collect()
    }

    #[test]
    fn what_a_view_holds_is_placed_in_the_text_and_masked_as_a_whole() {
        let token = crate::specimen::expand("<<github:ghp_>>", 3).expect("a template");
        let token = String::from_utf8(token).expect("tokens are ASCII");
        let encoded = STANDARD.encode(format!("a token of ours: {token}\nand more"));
        let word = ["pass", "word"].concat();
        let text = format!("first\n  blob: {encoded} # {word}=\"kX9!mmq2zz\"\nlast\n");
        let lines = placed(&text);
        let [decoded, plain] = lines.as_slice() else { panic!("{lines:?}") };
        // The decoded text from `ghp_` on: quads are of three bytes, and 17 stand before it.
        assert_eq!((decoded.1, decoded.2, decoded.3.as_str()), (2, 9 + 17 / 3 * 4, "base64"));
        assert_eq!(decoded.0, "a token of ours: ‹redacted›");
        assert_eq!(plain.0, format!("blob: ‹redacted› # {word}=\"‹redacted›\""), "no part of what is encoded is shown");
    }

    #[test]
    fn what_is_encoded_within_is_hidden_in_all_that_is_shown() {
        let token = crate::specimen::expand("<<github:ghp_>>", 3).expect("a template");
        let inner = STANDARD.encode(&token);
        let word = ["pass", "word"].concat();
        let outer = STANDARD.encode(format!("x {inner} {word}='kX9!mmq2zzLq'"));
        let text = format!("u=a%3Db&v={outer}&{word}%3DkX9!mmq2zzLr LOGIN={outer}");
        let lines = placed(&text);
        assert!(lines.len() >= 3, "{lines:?}");
        for (line, ..) in lines {
            assert!(!line.contains(&inner[4..12]) && !line.contains(&outer[4..12]) && !line.contains("kX9!"), "{line}");
        }
    }

    #[test]
    fn a_marker_on_the_encoded_line_speaks_for_it() {
        let token = crate::specimen::expand("<<github:ghp_>>", 3).expect("a template");
        let text = format!("blob: {} # keytrail:allow old {}", STANDARD.encode(&token), STANDARD.encode(&token));
        let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
        let blob = Blob::whole(ContentId::Serial(0), text.as_bytes());
        let hits = hits(&engine, &blob, &engine.scan(text.as_bytes()), Wanted { hashes: true, steps: false }, |_| true);
        let reasons: Vec<_> = hits.iter().map(|hit| hit.marker.as_ref().map(|marker| marker.reason.as_str())).collect();
        assert_eq!(reasons, [Some("old ‹redacted›"); 2]);
    }

    #[test]
    fn a_token_that_stands_as_user_is_no_companion() {
        let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
        let told = |user: &str| {
            let password = crate::specimen::expand("<<password:14>>", 3).expect("a template");
            let text = [b"https://".as_slice(), user.as_bytes(), b":", &password, b"@git.example/r\n"].concat();
            let found = hits(
                &engine,
                &Blob::whole(ContentId::Serial(0), &text),
                &engine.scan(&text),
                Wanted::default(),
                |_| true,
            );
            assert_eq!(found.len(), 1);
            found[0].companions.iter().any(|(word, _)| *word == "user")
        };
        assert!(told("deploy"));
        assert!(!told(concat!("q7Wk2pLx9R", "t4Vb8Nc3Mz")));
    }

    #[test]
    fn a_markers_reason_shows_no_candidate() {
        let line = |n: u64| {
            let mix = |at: u64| (n * 64 + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let body: String =
                (0..64).map(|at| char::from(b"ABCDEFGHabcdefghijklmnop23456789"[mix(at) as usize % 32])).collect();
            body + "\\n"
        };
        let body: String = (0..12).map(line).collect();
        let (dashes, label) = ("-----", "RSA PRIVATE KEY");
        let text = format!(
            "/* keytrail:allow old */ k = \"{dashes}BEGIN {label}{dashes}\\n{body}{dashes}END {label}{dashes}\";\n"
        );
        let lines = lines(text.as_bytes());
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].contains("old") && !lines[0].contains(&body[..8]) && !lines[0].contains(&body[70..78]),
            "{lines:?}"
        );
    }
}

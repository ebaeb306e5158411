//! Matchers: from a keyword to the exact bytes of a match. Patterns run in a window around the keyword, whose size is
//! the pattern's proven bound; secrets over several lines and assignments have matchers of their own.

use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_automata::util::{captures::Captures, syntax};

use crate::location::Span;
use crate::rule::anchor::Run;
use crate::rule::terms::Groups;

mod assignment;
pub(crate) use assignment::SURROUNDINGS;
mod block;
mod jwk;
mod nkey;
mod pkcs12;
mod service_account;

/// A match as a matcher sees it, before filters and checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawMatch {
    /// All of it.
    pub whole: Span,
    /// The secret in it.
    pub secret: Span,
    /// The secret as it would be without line breaks, escapes and the like, where that differs from the bytes at
    /// `secret`. Equal secrets in different wrappings are one.
    pub decoded: Option<Vec<u8>>,
    /// Named parts beside it (`user`, `host`, `key_id`, `name`, …), in the order of their names.
    pub companions: Vec<(&'static str, Span)>,
    /// Whether the secret is a value without quotes, which in source code is more often a name than a value.
    pub bare: bool,
}

/// Companions that are masked wherever a line is shown.
const MASKED_COMPANIONS: [&str; 3] = ["key_id", "password", "user"];

/// Whether companions of this word are masked wherever a line is shown.
pub fn is_masked(word: &str) -> bool {
    MASKED_COMPANIONS.contains(&word)
}

impl RawMatch {
    /// What of it no line may show: the secret and what goes with it.
    pub fn hidden(&self) -> impl Iterator<Item = Span> {
        let companions = self.companions.iter().filter(|(word, _)| is_masked(word));
        std::iter::once(self.secret).chain(companions.map(|(_, span)| *span))
    }

    /// Shifts all spans by so many bytes; they stay in their text.
    pub(super) fn moved(&mut self, by: isize) {
        let moved = |span: Span| Span::new(span.start.saturating_add_signed(by), span.end.saturating_add_signed(by));
        self.whole = moved(self.whole);
        self.secret = moved(self.secret);
        self.companions.iter_mut().for_each(|(_, span)| *span = moved(*span));
    }
}

/// A hand-written matcher. `keyword` is where one of the rule's keywords stands; a match starts at `floor` or later
/// and covers the keyword. A function of its arguments only; it never looks further than [`CodeMatcher::reach`] bytes
/// from the keyword.
pub(crate) trait CodeMatcher: Sync {
    /// The name rules use.
    fn name(&self) -> &'static str;

    /// The match around the keyword, if there is one.
    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch>;

    /// How far from the keyword it looks, in bytes, either way.
    fn reach(&self) -> usize;

    /// Whether [`CodeMatcher::find`] may give a match here; `false` only if it can't. A look at a few bytes (fewer
    /// than [`super::prefilter::QUICK`] from the keyword's start), since most keywords are words of a text.
    fn may_match(&self, _text: &[u8], _keyword: Span) -> bool {
        true
    }
}

/// Every hand-written matcher, by name.
pub(crate) static ALL: &[&dyn CodeMatcher] = &[
    &block::PEM,
    &block::PGP,
    &block::SSH2,
    &block::PUTTY,
    &service_account::ServiceAccount,
    &assignment::Assignment,
    &jwk::Jwk,
    &nkey::Nkey,
    &pkcs12::Pkcs12,
];

/// Companions that patterns may name; group names become these.
const COMPANIONS: [&str; 9] = ["account", "database", "host", "key_id", "name", "password", "port", "tenant", "user"];

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    secret_group: usize,
    companions: Vec<(&'static str, usize)>,
    groups: Option<Groups>,
}

impl Pattern {
    /// Compiles a pattern that the loader has already proven to parse. `groups`: how the secret is found in a match,
    /// if not by its name or as the first group.
    ///
    /// # Errors
    /// The compiled form would be too large.
    pub(crate) fn new(pattern: &str, groups: Option<Groups>) -> Result<Self, String> {
        let regex = compile(pattern)?;
        let names: Vec<(usize, String)> = regex
            .group_info()
            .pattern_names(regex_automata::PatternID::ZERO)
            .enumerate()
            .filter_map(|(group, name)| name.map(|name| (group, name.to_owned())))
            .collect();
        let secret_group = names
            .iter()
            .find(|(_, name)| name == "secret")
            .map_or(usize::from(regex.captures_len() > 1), |(group, _)| *group);
        let companions = COMPANIONS
            .iter()
            .filter_map(|&word| names.iter().find(|(_, name)| name == word).map(|(group, _)| (word, *group)))
            .collect();
        Ok(Self { regex, secret_group, companions, groups })
    }

    /// The leftmost match that starts and ends within `window`; what stands around the window is seen by `\b` and
    /// its kin, so that a window never makes an edge.
    pub(crate) fn find(&self, text: &[u8], window: Span) -> Option<RawMatch> {
        let input = Input::new(text).span(window.start..window.end);
        self.regex.search_half(&input)?;
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&input, &mut captures);
        self.raw(text, &captures)
    }

    fn raw(&self, text: &[u8], captures: &Captures) -> Option<RawMatch> {
        let whole: Span = captures.get_match()?.range().into();
        if let Some(groups) = self.groups {
            let secret = self.secret_by(groups, text, whole);
            return Some(RawMatch { whole, secret, decoded: None, companions: Vec::new(), bare: false });
        }
        let group = |index: usize| captures.get_group(index).map(|span| Span::new(span.start, span.end));
        let secret = group(self.secret_group).filter(|span| !span.is_empty()).unwrap_or(whole);
        let companion = |&(word, index): &(&'static str, usize)| {
            let span = group(index)?;
            Some((word, if word == "name" { name_in(text, span) } else { span }))
        };
        let companions = self.companions.iter().filter_map(companion).collect();
        Some(RawMatch { whole, secret, decoded: None, companions, bare: false })
    }
}

impl Pattern {
    /// The secret by its group, found by matching again on the matched text alone, without the line breaks around it.
    /// All of that text where there is no such group.
    fn secret_by(&self, groups: Groups, text: &[u8], whole: Span) -> Span {
        let trimmed = super::terms::trimmed(text, whole);
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&Input::new(&text[trimmed.start..trimmed.end]), &mut captures);
        let filled = |group: &usize| captures.get_group(*group).filter(|span| !span.is_empty());
        let span = match groups {
            Groups::Nth(group) => filled(&group),
            Groups::FirstFilled => (1..captures.group_len()).find_map(|group| filled(&group)),
        };
        span.map_or(trimmed, |span| Span::new(span.start, span.end).shifted(trimmed.start))
    }
}

/// The name that `span` begins with: words, joined by blanks, dots, hyphens and underlines.
fn name_in(text: &[u8], span: Span) -> Span {
    let bytes = &text[span.start..span.end];
    let len = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b" ._-".contains(byte)).count();
    let len = bytes[..len].iter().rposition(|byte| byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    Span::new(span.start, span.start + len)
}

/// Compiles a pattern for bytes.
fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(8 << 20)).hybrid_cache_capacity(1 << 20))
        .build(pattern)
        .map_err(|error| error.to_string())
}

/// The hand-written matcher a rule names.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn CodeMatcher> {
    ALL.iter().find(|matcher| matcher.name() == name).copied()
}

/// The match of a bounded pattern that covers `keyword` and starts at `floor` or later.
///
/// Why this is what a search of the whole text gives, when asked for every keyword hit in the order of their starts with
/// `floor` at the end of the rule's last match: a match `m` holds a keyword and has at most `bound` bytes, so it lies in
/// the window of its first hit, uncut. Whatever the search finds first in that window starts no later than `m`;
/// something that starts earlier would be a match of the whole text too, and would hold an earlier hit. A find that
/// doesn't cover the keyword belongs to another hit and may be cut: it is left to that hit.
///
/// What a look without a match has proven spares later ones: no match starts before [`Look::clear`], for one that
/// starts more than `bound` before the window's end would have been found uncut, and one that starts before the window
/// ends before the keyword does. A window without the run of bytes that no match can do without holds no match, which
/// is told without the pattern. So hits before it need no look; and where the look before was near, the window is
/// longer by `bound`, so that text full of keywords is searched some three times over and not once for every keyword.
pub(crate) fn around<'p>(
    pattern: impl FnOnce() -> Option<&'p Pattern>,
    (bound, run): (usize, Option<&Run>),
    text: &[u8],
    keyword: Span,
    floor: usize,
) -> Look {
    let back = keyword.end.saturating_sub(bound);
    let ahead = if floor > back { bound.saturating_mul(2) } else { bound };
    let window = Span::new(floor.max(back), keyword.start.saturating_add(ahead).min(text.len()));
    let nothing = Look { found: None, clear: floor, examined: Span::new(back, window.end), searched: false };
    if window.start > keyword.start {
        return nothing;
    }
    let whole = window.end == text.len();
    let uncut = if whole { text.len() } else { (window.end + 1).saturating_sub(bound) };
    if run.is_some_and(|run| !run.is_in(&text[window.start..window.end])) {
        return Look { clear: uncut.max(floor), ..nothing };
    }
    let nothing = Look { searched: true, ..nothing };
    match pattern().and_then(|pattern| pattern.find(text, window)) {
        Some(found) if found.whole.contains(keyword) => Look { clear: found.whole.end, found: Some(found), ..nothing },
        Some(other) => Look { clear: uncut.min(other.whole.start).max(floor), ..nothing },
        None => Look { clear: uncut.max(floor), ..nothing },
    }
}

/// What looking around a keyword told.
pub(crate) struct Look {
    /// The match that covers the keyword.
    pub(crate) found: Option<RawMatch>,
    /// No further match of the rule starts before this offset.
    pub(crate) clear: usize,
    /// Whether the pattern was run.
    pub(crate) searched: bool,
    /// The bytes that the answer depends on, with one more either side (edges of words and lines), if the rule's
    /// match before doesn't reach into them.
    pub(crate) examined: Span,
}

impl Look {
    /// The same, in a text in which the searched one begins at `by`.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        if let Some(found) = &mut self.found {
            found.moved(by as isize);
        }
        Self { clear: self.clear + by, examined: self.examined.shifted(by), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_knows_every_matcher() {
        let mut here: Vec<&str> = ALL.iter().map(|matcher| matcher.name()).collect();
        let mut there = crate::rule::load::MATCHERS.to_vec();
        here.sort_unstable();
        there.sort_unstable();
        assert_eq!(here, there);
    }

    #[test]
    fn a_window_makes_no_edge() {
        let pattern = Pattern::new(r"\b(abc[0-9]{2})\b", None).expect("it compiles");
        let text = b"xabc12 abc345 abc99";
        assert_eq!(pattern.find(text, Span::new(1, 6)), None, "`x` stands before the window");
        assert_eq!(pattern.find(text, Span::new(7, 12)), None, "`5` stands after the window");
        assert_eq!(pattern.find(text, Span::new(14, 19)).map(|m| m.secret), Some(Span::new(14, 19)));
    }

    #[test]
    fn text_full_of_keywords_is_not_searched_for_each() {
        let pattern = Pattern::new(r"key[0-9]{0,100}=", None).expect("it compiles");
        let bound = 104;
        let text = b"key".repeat(10_000);
        let (mut floor, mut looks) = (0, 0);
        for start in (0..text.len()).step_by(3) {
            if start >= floor {
                let look = around(|| Some(&pattern), (bound, None), &text, Span::new(start, start + 3), floor);
                assert!(look.found.is_none() && look.clear > start);
                (floor, looks) = (look.clear, looks + 1);
            }
        }
        assert!(looks <= 2 + text.len() / bound, "{looks} looks");
    }
}

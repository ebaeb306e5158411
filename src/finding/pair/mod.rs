//! Pairs: id and secret, endpoint and key, host, user and password. What belongs together becomes one finding that knows
//! what it opens.
//!
//! In: the matches of one text. Out: for each, what is joined to it ([`Joined`]): settings beside it that are no secrets
//! (`host = …`), and matches that are parts of it (the key id of a secret). A function of bytes and rules only, bounded
//! by a window around each match. One file per family of pairs, one line in [`ALL`]; how far partners may stand apart and
//! who gets whom is the business of `near`.

use crate::engine::{Engine, Match, is_masked};
use crate::finding::Facts;
use crate::location::Span;
use crate::rule::Rule;

mod aws;
mod certificate;
mod endpoint;
mod entra;
mod login;
mod name;
mod near;
mod oauth;
mod read;
mod registry;
mod scope;
mod settings;
mod storage;

/// How far around a match its partners are looked for, in bytes.
const REACH: usize = 4096;

/// What a setting gave: words of companions with their values.
type Given = Vec<(&'static str, String)>;

/// What stands beside a match: the word of its companion, where, and its value.
type Beside = (&'static str, Span, String);

/// A kind of match that is a part of another: its word, and which rules give it.
type Part = (&'static str, fn(&Rule) -> bool);

/// A family of pairs.
struct Family {
    /// Its name, for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "the registry's test tells families by it"))]
    id: &'static str,
    /// Whether a match is what the others are joined to.
    main: fn(&Found<'_>) -> bool,
    /// Matches that are parts of it.
    parts: &'static [Part],
    /// Settings that tell more of it.
    wants: &'static [Want],
    /// Words of which one must be found, or nothing is joined. Empty: any will do.
    needs: &'static [&'static str],
    /// Whether something may be joined to a match of this rule.
    fits: fn(&Rule, &Given) -> bool,
    /// What stands around a match in a form of the family's own.
    own: fn(&[u8], &Match) -> Vec<Beside>,
}

/// A match as a family is asked about it.
struct Found<'f> {
    rule: &'f Rule,
    value: &'f [u8],
    /// The words of the name that the rule says it is assigned to; empty where it doesn't.
    name: &'f str,
}

/// A setting that is looked for.
struct Want {
    /// What its name may end with: words in lower case with `_` between them.
    names: &'static [&'static str],
    /// Reads its value; nothing where it is no such thing.
    read: fn(&str) -> Given,
}

/// Every family. Where two give a companion of the same word, the first one's counts.
static ALL: &[&Family] = &[
    &aws::AWS,
    &entra::ENTRA,
    &storage::STORAGE,
    &registry::REGISTRY,
    &oauth::OAUTH,
    &endpoint::ENDPOINT,
    &login::LOGIN,
];

/// What belongs to a match.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    /// Settings beside it.
    pub(super) companions: Vec<Beside>,
    /// Matches that are parts of it: word and index.
    pub(super) parts: Vec<(&'static str, usize)>,
    /// The match it is a part of.
    pub(super) of: Option<usize>,
    /// What its parts and its certificate tell.
    pub(super) facts: Facts,
}

impl Joined {
    /// What of it no line may show, as with what matches have beside them.
    pub(super) fn hidden(&self) -> impl Iterator<Item = Span> {
        self.companions.iter().filter(|(word, ..)| is_masked(word)).map(|(_, span, _)| *span)
    }

    /// Whether a companion of this word is there.
    fn has(&self, word: &str) -> bool {
        self.companions.iter().any(|(there, ..)| *there == word) || self.parts.iter().any(|(there, _)| *there == word)
    }
}

/// Joins the matches of one text; the answer has one entry for each.
pub(super) fn join(engine: &Engine, text: &[u8], matches: &[&Match]) -> Vec<Joined> {
    let mut joined = vec![Joined::default(); matches.len()];
    for family in ALL {
        let mains: Vec<usize> = (0..matches.len()).filter(|&at| is_main(engine, text, matches[at], family)).collect();
        for group in near::windows(matches, &mains, text.len()) {
            near::join(engine, text, matches, family, &group, &mut joined);
        }
    }
    for (at, found) in matches.iter().enumerate() {
        let parts: Vec<usize> = joined[at].parts.iter().map(|(_, part)| *part).collect();
        parts.into_iter().for_each(|part| joined[at].facts.complete(&matches[part].facts));
        if let Some(facts) = certificate::certificate(text, found, engine.rule(found.rule)) {
            joined[at].facts.complete(&facts);
        }
    }
    joined
}

/// Whether a match is one that others are joined to.
fn is_main(engine: &Engine, text: &[u8], found: &Match, family: &Family) -> bool {
    let value = found.raw.decoded.as_deref().unwrap_or(&text[found.raw.secret.start..found.raw.secret.end]);
    let name = found.raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| *span);
    let name = name.map(|span| name::words(&text[span.start..span.end])).unwrap_or_default();
    !found.dropped && (family.main)(&Found { rule: engine.rule(found.rule), value, name: &name })
}

#[cfg(test)]
mod tests;

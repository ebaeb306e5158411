//! Who belongs to whom. A partner goes to the match that is nearest to it: by what their names begin with, then by the
//! block they stand in, then by lines. It is shared only where that is plain: in a block around all who share it, or
//! before all of them with nothing between.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::{Setting, Settings, Site};
use super::{Family, Given, Joined, REACH, name};
use crate::engine::{Engine, Match};
use crate::location::Span;
use crate::rule::Rule;

/// Most lines between partners.
const MOST_LINES: usize = 30;

/// Most lines between partners of which one has no name.
const MOST_LINES_UNNAMED: usize = 3;

/// Matches that share a window, and the window.
#[derive(Debug)]
pub(super) struct Group {
    /// Indices of the matches that others are joined to.
    mains: Vec<usize>,
    /// What is read.
    window: Span,
}

/// The windows around the matches `mains`, those that touch made one.
pub(super) fn windows(matches: &[&Match], mains: &[usize], len: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for &main in mains {
        let whole = matches[main].raw.whole;
        let window = Span::new(whole.start.saturating_sub(REACH), (whole.end + REACH).min(len));
        match groups.last_mut() {
            Some(group) if window.start <= group.window.end => {
                group.mains.push(main);
                group.window = Span::new(group.window.start.min(window.start), group.window.end.max(window.end));
            }
            _ => groups.push(Group { mains: vec![main], window }),
        }
    }
    groups
}

/// A match that others are joined to.
struct Main<'m> {
    /// Its index.
    at: usize,
    rule: &'m Rule,
    site: Site,
    /// What its name begins with; `None` when it has none.
    prefix: Option<String>,
    record: Record,
}

/// Something that may be joined.
struct Candidate {
    /// Number of the want or part: parts come first.
    kind: usize,
    site: Site,
    /// As [`Main::prefix`].
    prefix: Option<String>,
    record: Record,
    what: What,
}

/// What a candidate is.
enum What {
    /// A match.
    Part(usize),
    /// A setting: where its value is and what it gave.
    Setting(Span, Given),
}

/// How far apart two are; the smaller, the nearer: names, blocks, records, paragraphs, lines, bytes.
type Distance = (u8, usize, usize, usize, usize, usize);

/// A run of settings and secrets of one block and prefix in which each kind stands once: `host, user, password` and again
/// `host, user, password` are two. Its number in the block.
type Record = usize;

/// Joins what belongs together of one family in one window.
pub(super) fn join(
    engine: &Engine,
    text: &[u8],
    matches: &[&Match],
    family: &Family,
    group: &Group,
    joined: &mut [Joined],
) {
    let settings = Settings::read(text, group.window);
    let main = |&at: &usize| {
        let (site, prefix) = standing(text, matches[at], &settings);
        Main { at, rule: engine.rule(matches[at].rule), site, prefix, record: 0 }
    };
    let mut mains: Vec<Main<'_>> = group.mains.iter().map(main).collect();
    mains.sort_by_key(|main| main.site.at);
    let candidates = candidates(engine, text, matches, family, group, &settings);
    let mut field = Field { family, mains, candidates, settings };
    field.number_records();
    let owners = field.owners(matches);
    for (nth, main) in field.mains.iter().enumerate() {
        for (word, span, value) in (family.own)(text, matches[main.at]) {
            if !joined[main.at].has(word) {
                joined[main.at].companions.push((word, span, value));
            }
        }
        let mut found: Vec<&Candidate> = (0..family.parts.len() + family.wants.len())
            .filter_map(|kind| field.partner(nth, kind, &owners))
            .map(|at| &field.candidates[at])
            .collect();
        let words: Vec<&str> = found.iter().flat_map(|candidate| candidate.words(family)).collect();
        if !family.needs.is_empty() && !family.needs.iter().any(|need| words.contains(need)) {
            found.clear();
        }
        for candidate in found {
            candidate.give(family, main.at, joined, &matches[main.at].raw.companions);
        }
    }
}

impl Candidate {
    /// The words of what it gives.
    fn words<'c>(&'c self, family: &'c Family) -> Vec<&'static str> {
        match &self.what {
            What::Part(_) => vec![family.parts[self.kind].0],
            What::Setting(_, given) => given.iter().map(|(word, _)| *word).collect(),
        }
    }

    /// Notes it with the match `main`, unless that has a companion of the word.
    fn give(&self, family: &Family, main: usize, joined: &mut [Joined], own: &[(&'static str, Span)]) {
        match &self.what {
            What::Part(part) => {
                if joined[*part].of.is_none() && joined[*part].parts.is_empty() {
                    joined[*part].of = Some(main);
                    joined[main].parts.push((family.parts[self.kind].0, *part));
                }
            }
            What::Setting(span, given) => {
                for (word, value) in given {
                    if !joined[main].has(word) && !own.iter().any(|(there, _)| there == word) {
                        joined[main].companions.push((word, *span, value.clone()));
                    }
                }
            }
        }
    }
}

/// Where a match stands and what its name begins with.
fn standing(text: &[u8], found: &Match, settings: &Settings) -> (Site, Option<String>) {
    let words = |span: Span| name::words(&text[span.start..span.end]);
    let own = found.raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| words(*span));
    match settings.of(found.raw.secret) {
        Some(setting) => {
            let words = own.unwrap_or_else(|| words(setting.name));
            (setting.site, Some(name::before_secret(&words).to_owned()))
        }
        None => (settings.site(found.raw.secret.start), own.map(|words| name::before_secret(&words).to_owned())),
    }
}

/// Everything in the window that may be joined, in the order of offsets.
fn candidates(
    engine: &Engine,
    text: &[u8],
    matches: &[&Match],
    family: &Family,
    group: &Group,
    settings: &Settings,
) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let near = |found: &&Match| group.window.contains(found.raw.secret);
    for (at, found) in matches.iter().enumerate().filter(|(_, found)| !family.parts.is_empty() && near(found)) {
        let rule = engine.rule(found.rule);
        if let Some(kind) = family.parts.iter().position(|(_, is)| !found.dropped && is(rule)) {
            let (site, prefix) = standing(text, found, settings);
            candidates.push(Candidate { kind, site, prefix, record: 0, what: What::Part(at) });
        }
    }
    // Secrets never overlap, so one of two neighbours tells.
    let mut taken: Vec<Span> = group.mains.iter().map(|&main| matches[main].raw.secret).collect();
    taken.sort_unstable();
    let is_main = |setting: &Setting| {
        let after = taken.partition_point(|span| span.end <= setting.value.start);
        taken.get(after).is_some_and(|span| span.overlaps(setting.value))
    };
    for setting in &settings.all {
        candidates.extend(wanted(text, family, setting).filter(|_| !is_main(setting)));
    }
    candidates.sort_by_key(|candidate| (candidate.site.at, candidate.kind));
    candidates
}

/// What a setting is to the family, if it is anything: by the longest name that fits.
fn wanted(text: &[u8], family: &Family, setting: &Setting) -> Option<Candidate> {
    let words = name::words(&text[setting.name.start..setting.name.end]);
    let roles = family.wants.iter().enumerate().flat_map(|(at, want)| want.names.iter().map(move |role| (at, *role)));
    let fits = roles.filter_map(|(at, role)| Some((role.len(), at, name::before_role(&words, role)?)));
    let (_, at, prefix) = fits.max_by_key(|(len, at, _)| (*len, std::cmp::Reverse(*at)))?;
    let value = std::str::from_utf8(&text[setting.value.start..setting.value.end]).ok()?;
    let given = (family.wants[at].read)(value.trim());
    (!given.is_empty()).then(|| Candidate {
        kind: family.parts.len() + at,
        site: setting.site,
        prefix: Some(prefix.to_owned()),
        record: 0,
        what: What::Setting(setting.value, given),
    })
}

/// All that is in one window.
struct Field<'f> {
    family: &'f Family,
    /// In the order of offsets.
    mains: Vec<Main<'f>>,
    /// In the order of offsets.
    candidates: Vec<Candidate>,
    settings: Settings,
}

impl Field<'_> {
    /// Numbers the records: a new one begins with what the one before has already.
    fn number_records(&mut self) {
        let main = self.family.parts.len() + self.family.wants.len();
        let mains = self.mains.iter_mut().map(|one| (one.site, one.prefix.clone(), main, &mut one.record));
        let others = self.candidates.iter_mut().map(|one| (one.site, one.prefix.clone(), one.kind, &mut one.record));
        let mut all: Vec<_> = mains.chain(others).collect();
        all.sort_by_key(|(site, _, kind, _)| (site.at, *kind));
        let mut runs: BTreeMap<_, (Record, BTreeSet<usize>)> = BTreeMap::new();
        for (site, prefix, kind, record) in all {
            let (number, kinds) = runs.entry((site.block, prefix)).or_default();
            if !kinds.insert(kind) {
                *kinds = BTreeSet::from([kind]);
                *number += 1;
            }
            *record = *number;
        }
    }

    /// The match that each candidate is nearest to.
    fn owners(&self, matches: &[&Match]) -> Vec<Option<usize>> {
        let owner = |candidate: &Candidate| {
            if let What::Part(at) = candidate.what
                && let Some(nth) =
                    self.near(candidate.site.at, 2 * REACH).find(|&nth| holds(matches[self.mains[nth].at], matches[at]))
            {
                return Some(nth);
            }
            let near = self.near(candidate.site.at, REACH);
            near.filter_map(|nth| Some((self.distance(nth, candidate)?, std::cmp::Reverse(nth))))
                .min()
                .map(|best| best.1.0)
        };
        self.candidates.iter().map(owner).collect()
    }

    /// The matches within `reach` bytes of an offset.
    fn near(&self, at: usize, reach: usize) -> std::ops::Range<usize> {
        let first = self.mains.partition_point(|main| main.site.at + reach < at);
        first..first + self.mains[first..].partition_point(|main| main.site.at <= at + reach)
    }

    /// How far a candidate is from a match; `None` when they don't belong together.
    fn distance(&self, nth: usize, candidate: &Candidate) -> Option<Distance> {
        let main = &self.mains[nth];
        let names = match (&main.prefix, &candidate.prefix) {
            (Some(one), Some(other)) => name::kinship(one, other)?,
            _ => 1,
        };
        let given = match &candidate.what {
            What::Part(_) => &Given::new(),
            What::Setting(_, given) => given,
        };
        if !(self.family.fits)(main.rule, given) {
            return None;
        }
        let depth = self.settings.blocks.depth(candidate.site.block, main.site.block)?;
        let lines = main.site.line.abs_diff(candidate.site.line);
        let is_named = main.prefix.is_some() && candidate.prefix.is_some();
        let most = if is_named { MOST_LINES } else { MOST_LINES_UNNAMED };
        // Records are numbered within a block and a prefix.
        let is_one = main.site.block == candidate.site.block && main.prefix == candidate.prefix;
        let records = if is_one { main.record.abs_diff(candidate.record) } else { 0 };
        let paragraphs = main.site.paragraph.abs_diff(candidate.site.paragraph);
        (lines <= most).then_some((names, depth, records, paragraphs, lines, main.site.at.abs_diff(candidate.site.at)))
    }

    /// The partner of a kind that a match gets: the nearest of its own, else one that it shares.
    fn partner(&self, nth: usize, kind: usize, owners: &[Option<usize>]) -> Option<usize> {
        let at = self.mains[nth].site.at;
        let first = self.candidates.partition_point(|candidate| candidate.site.at + REACH < at);
        let end = self.candidates.partition_point(|candidate| candidate.site.at <= at + REACH);
        let of_kind = |&one: &usize| self.candidates[one].kind == kind;
        let nearest = |found: &mut dyn Iterator<Item = usize>| {
            found.filter_map(|one| Some((self.distance(nth, &self.candidates[one])?, one))).min().map(|best| best.1)
        };
        let own = nearest(&mut (first..end).filter(of_kind).filter(|&one| owners[one] == Some(nth)));
        // A part is of one secret alone.
        if own.is_some() || kind < self.family.parts.len() {
            return own.or_else(|| self.inside(nth, kind, owners));
        }
        nearest(&mut (first..end).filter(of_kind).filter(|&one| self.is_shared(nth, one, owners)))
    }

    /// A part that stands inside the match itself, however far its distance.
    fn inside(&self, nth: usize, kind: usize, owners: &[Option<usize>]) -> Option<usize> {
        (0..self.candidates.len())
            .skip(self.candidates.partition_point(|candidate| candidate.site.at + 2 * REACH < self.mains[nth].site.at))
            .take_while(|&one| self.candidates[one].site.at <= self.mains[nth].site.at + 2 * REACH)
            .find(|&one| self.candidates[one].kind == kind && owners[one] == Some(nth))
    }

    /// Whether a partner that another match is nearer to is this one's as well.
    fn is_shared(&self, nth: usize, one: usize, owners: &[Option<usize>]) -> bool {
        let Some(owner) = owners[one] else { return false };
        let (main, other, partner) = (&self.mains[nth].site, &self.mains[owner].site, &self.candidates[one].site);
        if partner.block != main.block {
            return self.settings.blocks.depth(partner.block, main.block).is_some();
        }
        let between = || {
            let after = self.candidates.partition_point(|candidate| candidate.site.at <= other.at);
            self.candidates.get(after).is_some_and(|candidate| candidate.site.at < main.at)
        };
        partner.at < other.at && other.at < main.at && partner.paragraph == main.paragraph && !between()
    }
}

/// Whether `part` stands inside of `main`: the key id in a signed URL.
fn holds(main: &Match, part: &Match) -> bool {
    main.raw.whole.contains(part.raw.secret) || main.raw.companions.iter().any(|(_, span)| *span == part.raw.secret)
}

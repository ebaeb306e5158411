//! The baseline: findings accepted at a point in time, known again by what they are and not by where they stand.
//!
//! In: the text of a baseline file, or findings to be accepted. Out: which findings its entries speak for, notes about
//! entries that have ended or match nothing, and the file's text. Reading and writing files is left to others, and so is
//! whose baseline counts.
//!
//! An entry names a value by its hash: plain where the rule says that values have 80 random bits or more, else by
//! Argon2id (`hash`), so that whoever has the file can't test guesses any faster than that. Fingerprint keys have no
//! part in it: forks don't have them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rayon::prelude::*;

use crate::finding::fingerprint::is_unguessable;
use crate::finding::{Finding, Sighting, Suppression, SuppressionKind, SuppressionStatus};
use crate::rule::{Matcher, Rule};
use crate::secret::Secret;

mod file;
mod hash;
#[cfg(test)]
mod tests;

pub use hash::{Digest, Salt};

/// Values of a change under review that are hashed slowly to tell what the change says of them: it decides nothing.
const FEW: usize = 64;

/// Values hashed at a time, before it is asked whether any entry is left that could match.
const AT_A_TIME: usize = 64;

/// Notes about single entries; more are counted.
const NOTES: usize = 10;

/// Lines that a note about many entries names.
const LINES: usize = 10;

/// Accepted findings.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// The file as the user knows it.
    name: String,
    /// The salts of its slow hashes, in the order of the file; new ones are made with the first.
    salts: Vec<Salt>,
    /// The entries, in the order of the file.
    entries: Vec<Entry>,
}

/// One accepted secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stood first, for people and to narrow; may be empty.
    pub path: String,
    /// Id of the rule that found it.
    pub rule: String,
    /// Which value.
    pub hash: Hash,
    /// Why, until when, whom to ask.
    pub terms: Terms,
    /// Line in the file, 1-based; 0 for one that was never read.
    line: usize,
}

/// A value's name in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    /// SHA-256 of a value that can't be guessed.
    Plain(Digest),
    /// Argon2id with one of the file's salts.
    Slow(Salt, Digest),
}

/// The terms on which a finding is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Why; never empty.
    pub reason: String,
    /// Whom to ask.
    pub owner: Option<String>,
    /// Last day it holds, UTC.
    pub until: Option<Date>,
}

/// How much work a judgement is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    All,
    /// The first few values that need a slow hash.
    Few,
}

impl Hash {
    /// Its kind, as the file spells it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Plain(_) => "sha256",
            Self::Slow(..) => "argon2id",
        }
    }
}

impl Entry {
    /// Whether its last day has not passed at `now`, seconds since 1970, UTC.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        let last = |day: Date| {
            let end = day.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC);
            end.map_or(i64::MAX, |at| at.timestamp().as_second())
        };
        self.terms.until.is_none_or(|until| now <= last(until))
    }

    /// What it says of a finding.
    pub(crate) fn suppression(&self, status: SuppressionStatus) -> Suppression {
        Suppression {
            kind: SuppressionKind::External,
            status,
            reason: self.terms.reason.clone(),
            until: self.terms.until.map(|day| day.to_string()),
        }
    }
}

impl Baseline {
    /// A baseline without entries that the user knows as `name`.
    #[must_use]
    pub fn new(name: &str, salt: Salt) -> Self {
        Self { name: name.to_owned(), salts: vec![salt], entries: Vec::new() }
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of that number.
    pub(crate) fn entry(&self, at: usize) -> &Entry {
        &self.entries[at]
    }

    /// Which entries speak for each of `findings`, by their numbers, in order. Every value is hashed once for each salt,
    /// slowly only where an entry might match: one that shares a path with it, else one of the same rule. When all slow
    /// entries have found their value, no further one is tried.
    #[must_use]
    pub fn judge(&self, findings: &[Finding], scope: Scope) -> Vec<Vec<usize>> {
        let mut plain: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        let mut slow: BTreeMap<Salt, Slow<'_>> = BTreeMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            match entry.hash {
                Hash::Plain(digest) => plain.entry(digest).or_default().push(at),
                Hash::Slow(salt, digest) => slow.entry(salt).or_default().add(at, entry, digest),
            }
        }
        let judge_plainly = |finding: &Finding| match finding.rule.matcher {
            // A file by its name: there is no value.
            Matcher::Path => Vec::new(),
            _ if plain.is_empty() => Vec::new(),
            _ => plain.get(&Digest::plain(&finding.secret)).cloned().unwrap_or_default(),
        };
        let mut judged: Vec<Vec<usize>> = findings.iter().map(judge_plainly).collect();
        let mut left = match scope {
            Scope::All => usize::MAX,
            Scope::Few => FEW,
        };
        let is_known: Vec<bool> = judged.iter().map(|entries| !entries.is_empty()).collect();
        for (salt, entries) in slow {
            let open = |at: &usize| !is_known[*at] && findings[*at].rule.matcher != Matcher::Path;
            let mut ranked: Vec<(usize, usize)> =
                (0..findings.len()).filter(open).filter_map(|at| Some((entries.rank(&findings[at])?, at))).collect();
            ranked.sort_unstable();
            let mut unclaimed = entries.by_digest.len();
            for some in ranked.chunks(AT_A_TIME) {
                let some = &some[..some.len().min(left)];
                left -= some.len();
                let slow = |&(_, at): &(usize, usize)| Digest::slow(&findings[at].secret, salt);
                // What most commits hold isn't worth starting threads for.
                let digests: Vec<Digest> = match some.len() {
                    0..=2 => some.iter().map(slow).collect(),
                    _ => some.par_iter().map(slow).collect(),
                };
                for ((_, at), digest) in some.iter().zip(digests) {
                    if let Some(found) = entries.by_digest.get(&digest) {
                        judged[*at].extend(found);
                        unclaimed -= 1;
                    }
                }
                if unclaimed == 0 || left == 0 {
                    break;
                }
            }
        }
        judged
    }

    /// The entries that speak for one value, found by rules of these ids at that path.
    pub(crate) fn known(&self, secret: &Secret, path: &str, rules: &[&str]) -> Vec<&Entry> {
        let is_near = |entry: &Entry| entry.path == path || rules.contains(&entry.rule.as_str());
        let plain = Digest::plain(secret);
        let mut slow: BTreeMap<Salt, Digest> = BTreeMap::new();
        let entries = self.entries.iter().filter(|entry| match entry.hash {
            Hash::Plain(digest) => digest == plain,
            Hash::Slow(salt, digest) => {
                is_near(entry) && digest == *slow.entry(salt).or_insert_with(|| Digest::slow(secret, salt))
            }
        });
        entries.collect()
    }

    /// What to tell the user after a scan: entries that have ended, and, if the scan saw all they could be about, those
    /// that match nothing.
    pub(crate) fn notes(&self, used: &BTreeSet<usize>, now: i64, sees_all: bool) -> Vec<String> {
        let name = &self.name;
        let ended: Vec<&Entry> = used.iter().map(|&at| &self.entries[at]).filter(|entry| !entry.holds(now)).collect();
        let mut notes: Vec<String> = ended
            .iter()
            .take(NOTES)
            .map(|entry| {
                let Terms { reason, owner, until } = &entry.terms;
                let until = until.map_or_else(String::new, |day| format!(" ({day})"));
                let owner = owner.as_ref().map_or_else(String::new, |owner| format!(", ask {owner}"));
                format!("{name}:{}: the entry has ended{until} and is no longer heard: {reason}{owner}", entry.line)
            })
            .collect();
        if ended.len() > NOTES {
            notes.push(format!("{name}: {} more entries have ended", ended.len() - NOTES));
        }
        let unused: Vec<usize> = (0..self.entries.len()).filter(|at| sees_all && !used.contains(at)).collect();
        if !unused.is_empty() {
            let lines: Vec<String> = unused.iter().take(LINES).map(|&at| self.entries[at].line.to_string()).collect();
            let more = if unused.len() > LINES { ", …" } else { "" };
            let (what, lines) = match unused.len() {
                1 => ("1 entry matches nothing", format!("line {}", lines[0])),
                _ => ("entries match nothing", format!("lines {}{more}", lines.join(", "))),
            };
            let count = if unused.len() == 1 { String::new() } else { format!("{} ", unused.len()) };
            notes.push(format!("{name}: {count}{what} here ({lines}): `keytrail baseline prune` removes such"));
        }
        notes
    }

    /// Accepts `findings`, in parallel since slow hashes are slow. A file that is a finding by its name has no value to be
    /// known by and is left out; what stands in the baseline already stays as it is.
    pub fn accept(&mut self, findings: &[&Finding], terms: &Terms) {
        let with_value: Vec<&&Finding> = findings.iter().filter(|finding| !finding.secret.is_empty()).collect();
        let made: Vec<Entry> = with_value
            .par_iter()
            .map(|finding| {
                let hash = self.hash(&finding.secret, Some(&finding.rule));
                Entry::new(spelled(&finding.places[0]), &finding.rule.id, hash, terms)
            })
            .collect();
        let mut there: BTreeSet<Hash> = self.entries.iter().map(|entry| entry.hash).collect();
        self.entries.extend(made.into_iter().filter(|entry| there.insert(entry.hash)));
    }

    /// The hash that names a value which `rule` found: plain only where that rule says that it can't be guessed.
    ///
    /// # Panics
    /// The baseline has no salt, see [`Baseline::salted`].
    #[must_use]
    pub fn hash(&self, secret: &Secret, rule: Option<&Rule>) -> Hash {
        if rule.is_some_and(is_unguessable) {
            return Hash::Plain(Digest::plain(secret));
        }
        let salt = *self.salts.first().expect("whoever adds to a baseline sees to its salt");
        Hash::Slow(salt, Digest::slow(secret, salt))
    }

    /// Adds an entry, unless its value is there already.
    pub fn add(&mut self, entry: Entry) {
        if self.entries.iter().all(|other| other.hash != entry.hash) {
            self.entries.push(entry);
        }
    }

    /// Keeps only the entries of those numbers, and the salts that they or later ones need.
    pub fn keep(&mut self, kept: &BTreeSet<usize>) {
        let mut at = 0..;
        self.entries.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
        let used: BTreeSet<Salt> = self.entries.iter().filter_map(|entry| entry.hash.salt()).collect();
        let mut first = true;
        self.salts.retain(|salt| std::mem::take(&mut first) || used.contains(salt));
    }
}

impl Entry {
    /// An entry that is not in a file yet.
    #[must_use]
    pub fn new(path: String, rule: &str, hash: Hash, terms: &Terms) -> Self {
        Self { path, rule: rule.to_owned(), hash, terms: terms.clone(), line: 0 }
    }
}

impl Hash {
    /// Its salt, if it has one.
    fn salt(self) -> Option<Salt> {
        match self {
            Self::Plain(_) => None,
            Self::Slow(salt, _) => Some(salt),
        }
    }
}

/// The slow entries of one salt.
#[derive(Default)]
struct Slow<'b> {
    by_digest: BTreeMap<Digest, Vec<usize>>,
    paths: BTreeSet<&'b str>,
    rules: BTreeSet<&'b str>,
}

impl<'b> Slow<'b> {
    /// Adds the entry of that number.
    fn add(&mut self, at: usize, entry: &'b Entry, digest: Digest) {
        self.by_digest.entry(digest).or_default().push(at);
        self.paths.insert(&entry.path);
        self.rules.insert(&entry.rule);
    }

    /// How soon a finding is tried: 0 when it shares a path with an entry, 1 when it shares a rule; else never.
    fn rank(&self, finding: &Finding) -> Option<usize> {
        let mut places = finding.places.iter().chain(&finding.earlier);
        if places.any(|seen| self.paths.contains(spelled(seen).as_str())) {
            return Some(0);
        }
        let mut ids = finding.also.iter().map(String::as_str).chain([finding.rule.id.as_ref()]);
        ids.any(|id| self.rules.contains(id)).then_some(1)
    }
}

/// A place's path with its members, as text.
fn spelled(seen: &Sighting) -> String {
    let seen = &seen.place.provenance;
    let path = seen.members.iter().fold(seen.path.clone(), |path, member| [&path, b"!/".as_slice(), member].concat());
    String::from_utf8_lossy(&path).into_owned()
}

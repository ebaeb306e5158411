//! What rule files ask of the places of a match: paths a rule is for, paths and commits that allowlists excuse.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::engine::Engine;
use crate::finding::dedup::Occurrence;
use crate::place::{Commit, Part, Place};
use crate::rule::Matcher;
use crate::rule::terms::{self, Allowlist};
use crate::secret::Secret;

/// The terms of all rules, by their index.
pub(super) struct Terms {
    rules: Vec<Option<Rule>>,
}

/// Those of one rule.
struct Rule {
    said: Arc<terms::Terms>,
    path: Option<Regex>,
    /// Whether its findings are paths and nothing else.
    is_for_names: bool,
    /// Patterns of the paths of each allowlist, in their order.
    allowlists: Vec<Option<Arc<Regex>>>,
}

/// What is said of a match at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    /// It is reported.
    Reported,
    /// The rule is not for this path.
    OtherPath,
    /// An allowlist excuses it here: which one of its rule's.
    Allowed(usize),
}

/// A secret at a path: successive versions of a file are one.
type Spot = (Secret, Vec<u8>, Vec<Vec<u8>>, Part);

/// Compiles expressions as one; the loader has compiled each of them.
pub(super) fn compile(patterns: &[String]) -> Regex {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(None))
        .build_many(patterns)
        .expect("the loader has compiled each of them")
}

/// The path of a place as expressions see it: below the root, members behind `!`.
fn path_of(place: &Place) -> Vec<u8> {
    let seen = &place.provenance;
    seen.members.iter().fold(seen.path.clone(), |path, member| [&path, b"!".as_slice(), member].concat())
}

/// Whether an expression matches a path; on Windows also as it is written there.
fn matches(regex: &Regex, path: &[u8]) -> bool {
    let native = || path.iter().map(|&byte| if byte == b'/' { b'\\' } else { byte }).collect::<Vec<u8>>();
    regex.is_match(path) || cfg!(windows) && regex.is_match(&native())
}

impl Terms {
    /// Compiles what the rules of an engine ask.
    pub(super) fn new(engine: &Engine) -> Self {
        let mut known: HashMap<*const Allowlist, Arc<Regex>> = HashMap::new();
        let mut paths = |list: &Arc<Allowlist>| {
            (!list.paths.is_empty())
                .then(|| Arc::clone(known.entry(Arc::as_ptr(list)).or_insert_with(|| Arc::new(compile(&list.paths)))))
        };
        let rules = engine.rules().map(|rule| {
            let said = rule.terms.clone()?;
            let allowlists = said.allowlists.iter().map(&mut paths).collect();
            let is_for_names = rule.matcher == Matcher::Path;
            Some(Rule { is_for_names, path: said.path.clone().map(|path| compile(&[path])), allowlists, said })
        });
        Self { rules: rules.collect() }
    }

    /// What is said of a match of `rule` at a path. `pending`: the allowlists that ask for its place. `commit`: id of
    /// the commit that brought it there, lower case.
    pub(super) fn saying(&self, rule: usize, pending: &[u16], path: &[u8], commit: Option<&str>) -> Saying {
        let Some(rule) = &self.rules[rule] else { return Saying::Reported };
        if rule.path.as_ref().is_some_and(|regex| !matches(regex, path)) {
            return Saying::OtherPath;
        }
        let excuses = |&nth: &usize| {
            let (Some(said), Some(paths)) = (rule.said.allowlists.get(nth), rule.allowlists.get(nth)) else {
                return false;
            };
            let by_path = paths.as_ref().map(|regex| matches(regex, path));
            let by_commit = (!said.commits.is_empty())
                .then(|| commit.is_some_and(|commit| said.commits.iter().any(|allowed| allowed == commit)));
            match said.needs_all {
                true => by_path != Some(false) && by_commit != Some(false),
                false => by_path == Some(true) || by_commit == Some(true),
            }
        };
        let excused = pending.iter().map(|&nth| usize::from(nth)).find(excuses);
        excused.map_or(Saying::Reported, Saying::Allowed)
    }

    /// What speaks against a match at a path, in words.
    pub(super) fn against(&self, rule: usize, pending: &[u16], path: &[u8]) -> Option<String> {
        match self.saying(rule, pending, path, None) {
            Saying::Reported => None,
            Saying::OtherPath => Some("not reported: its rule is for other paths".to_owned()),
            Saying::Allowed(nth) => {
                let said = self.rules[rule].as_ref().and_then(|rule| rule.said.allowlists.get(nth));
                let description = said.map_or("", |list| list.description.as_str());
                let number = nth + 1;
                Some(match description {
                    "" => format!("not reported: allowlist {number} of its rule excuses this path"),
                    text => format!("not reported: an allowlist of its rule excuses this path: {text}"),
                })
            }
        }
    }

    /// Whether any rule asks for a commit.
    fn asks_commits(&self) -> bool {
        let lists = |rule: &Rule| rule.said.allowlists.iter().any(|list| !list.commits.is_empty());
        self.rules.iter().flatten().any(lists)
    }

    /// Takes away the places where terms keep a match from being reported; it still masks. Returns how many of them
    /// allowlists excused.
    pub(super) fn sort_out(&self, occurrences: &mut [Occurrence]) -> u64 {
        if self.rules.iter().all(Option::is_none) {
            return 0;
        }
        let firsts = if self.asks_commits() { firsts(occurrences) } else { BTreeMap::new() };
        let mut allowed = 0;
        for occurrence in occurrences.iter_mut().filter(|occurrence| occurrence.new) {
            let commit = firsts.get(&spot(occurrence)).map(|commit| commit.id.to_ascii_lowercase());
            let path = path_of(&occurrence.place);
            let hit = &occurrence.hit;
            let is_name = occurrence.place.provenance.part == Part::PathName;
            let saying = match &self.rules[hit.rule] {
                Some(rule) if rule.is_for_names && !is_name => Saying::OtherPath,
                _ => self.saying(hit.rule, &hit.pending, &path, commit.as_deref()),
            };
            if saying != Saying::Reported {
                allowed += u64::from(matches!(saying, Saying::Allowed(_)));
                *occurrence = Occurrence::placeless(occurrence.content, hit.clone());
            }
        }
        allowed
    }
}

/// Where an occurrence is, whatever the version.
fn spot(occurrence: &Occurrence) -> Spot {
    let seen = &occurrence.place.provenance;
    (occurrence.hit.secret.clone(), seen.path.clone(), seen.members.clone(), seen.part)
}

/// The commit that first brought each secret to each path: an allowlist that names it excuses the later versions too.
fn firsts(occurrences: &[Occurrence]) -> BTreeMap<Spot, Arc<Commit>> {
    let mut firsts: BTreeMap<Spot, Arc<Commit>> = BTreeMap::new();
    for occurrence in occurrences {
        let Some(commit) = &occurrence.place.first else { continue };
        let first = firsts.entry(spot(occurrence)).or_insert_with(|| Arc::clone(commit));
        if commit.order < first.order {
            *first = Arc::clone(commit);
        }
    }
    firsts
}

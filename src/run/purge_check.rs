//! `keytrail purge-check`: proves that secrets are gone from a repository, or names where they still lie.
//!
//! For fingerprints everything is scanned, at any confidence, and what has one of them is searched for byte for byte; a
//! secret from standard input is searched for at once. Objects that nothing leads to count, and so does every file in the
//! git folder. Nothing that is printed holds the secret: what may hold it is masked in all its forms.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use super::{Env, Plan, Told, conductor, opening, print, rules};
use crate::blob::ObjectPart;
use crate::cli::error::plain;
use crate::cli::{CliError, Exit, PurgeCheck, Request, Settings, Sought, Task, progress};
use crate::finding::dedup::Decisions;
use crate::finding::fingerprint::{Key, Standing, fingerprint, is_unguessable};
use crate::finding::{Finding, ScanReport, mask};
use crate::place::Part;
use crate::policy::Policy;
use crate::report::{terminal_bytes, words_of_place};
use crate::scan::search::{Needles, SHORTEST, Searched, Sighted};
use crate::scan::{Conductor, Markers};
use crate::secret::Secret;
use crate::source::git::history::History;
use crate::source::git::remains::Remains;
use crate::source::{SourceError, Unread, threads};

/// Longest secret that is read from standard input, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Context for windows of huge files, in bytes: no form of a secret is longer.
const OVERLAP: usize = 8 << 20;

/// Places named for each secret; all are counted.
const PLACES: usize = 1000;

/// Unread things that are named.
const UNREAD: usize = 20;

/// Checks what is asked.
///
/// # Errors
/// What keeps it from being checked at all.
pub(super) fn run(check: &PurgeCheck, request: Request, env: Env<'_>) -> Result<ExitCode, CliError> {
    let task = Task::History { repositories: vec![check.repository.clone()], unreachable: true };
    let plan = Plan::new(&task)?;
    let settings = request.resolve(&mut plan.own.resolver())?;
    let whole = Whole::new(&check.repository, &settings)?;
    let progress = progress::start(settings.progress, env);
    let told = Told(progress.as_ref());
    let checked = match &check.sought {
        Sought::Stdin => from_stdin().and_then(|secret| {
            let names = vec!["the secret on standard input".to_owned()];
            let search = whole.search(&[secret], &told)?;
            Ok(Checked { names, search, ..Checked::default() })
        }),
        Sought::Fingerprints(wanted) => whole.by_fingerprints(wanted, &told),
    };
    progress.done();
    let checked = checked?;
    print(&checked.text(&whole.conductor))?;
    Ok(Exit::of(checked.still_there(), !checked.is_proven()).code(1))
}

/// Reads the secret.
fn from_stdin() -> Result<Secret, CliError> {
    let mut bytes = Vec::new();
    let failed = |what: String| CliError::new(format!("standard input: {what}"));
    let read = std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(plain(&error)))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match bytes.len() {
        0 => {
            Err(failed("it is empty: hand the secret over, as in `keytrail purge-check --secret-stdin < FILE`".into()))
        }
        len if len < SHORTEST => Err(failed(format!("{len} bytes stand everywhere by chance: {SHORTEST} are needed"))),
        len if len as u64 > MOST_BYTES => Err(failed(format!("more than {MOST_BYTES} bytes are no secret"))),
        _ => Ok(Secret::new(bytes)),
    }
}

/// All of a repository, led to or not.
struct Whole {
    conductor: Conductor,
    key: Option<Key>,
    history: History,
    remains: Remains,
}

impl Whole {
    /// All of the repository at `path`, nothing left out by settings.
    fn new(path: &Path, settings: &Settings) -> Result<Self, CliError> {
        let mut conductor = everything(settings)?;
        let key = conductor.key.take();
        threads::start(settings.jobs);
        let failed = |error: SourceError| CliError::new(error.to_string());
        let history = History::new(path.to_owned(), opening(path), conductor.policy.clone(), true);
        let remains = Remains::new(path, opening(path), OVERLAP).map_err(failed)?;
        Ok(Self { conductor, key, history: history.within_memory(settings.memory), remains })
    }

    /// Searches for values.
    fn search(&self, values: &[Secret], told: &Told<'_>) -> Result<Search, CliError> {
        let failed = |error: SourceError| CliError::new(error.to_string());
        let Some(needles) = Needles::new(values) else { return Ok(Search::default()) };
        let Searched { mut sighted, mut unread, contents } = needles.search(&self.history, told).map_err(failed)?;
        let beside = needles.search(&self.remains, told).map_err(failed)?;
        sighted.extend(beside.sighted.into_iter().map(in_git_folder));
        unread.extend(beside.unread);
        let mut search = Search { places: BTreeMap::new(), unread, contents: contents + beside.contents };
        for one in &sighted {
            search.places.entry(one.value).or_default().insert(line(one, &needles));
        }
        Ok(search)
    }

    /// Looks for fingerprints.
    fn by_fingerprints(&self, wanted: &[String], told: &Told<'_>) -> Result<Checked, CliError> {
        self.check_key(wanted)?;
        let failed = |error: SourceError| CliError::new(error.to_string());
        let scans = [
            self.conductor.scan(&self.history, told).map_err(failed)?,
            self.conductor.scan(&self.remains, told).map_err(failed)?,
        ];
        let wanted: BTreeSet<&String> = wanted.iter().collect();
        let (bound, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|one| one.starts_with("v1p:"));
        let (mut names, mut values, mut told_places) = (Vec::new(), Vec::new(), Vec::new());
        for name in wanted {
            let found: Vec<(&Finding, bool)> = self.named(&scans, name).collect();
            names.push(name.clone());
            // Where nothing has the fingerprint there is nothing to search for.
            values.push(found.first().map_or_else(|| Secret::new([]), |(finding, _)| finding.secret.clone()));
            told_places.push(found);
        }
        let mut search = self.search(&values, told)?;
        let needles = Needles::new(&values);
        for (number, found) in told_places.iter().enumerate() {
            for (finding, beside) in found {
                // Decoded views and the like, which no search of bytes finds.
                let places = search.places.entry(number).or_default();
                if places.is_empty() || finding.places.iter().any(|seen| seen.view.is_some()) {
                    places.extend(finding.places.iter().map(|seen| {
                        let object = seen.object.as_ref().map(|id| (ObjectPart::Blob, id.clone()));
                        let one = Sighted {
                            value: number,
                            forms: BTreeSet::new(),
                            object,
                            is_binary: false,
                            place: seen.place.clone(),
                        };
                        let one = if *beside { in_git_folder(one) } else { one };
                        line_as(&one, needles.as_ref(), seen.view.as_deref())
                    }));
                }
            }
        }
        search.unread.extend(scans.iter().flat_map(|scan| scan.unread.iter().cloned()));
        search.unread.sort();
        search.unread.dedup();
        search.contents = search.contents.max(scans.iter().map(|scan| scan.contents).sum());
        Ok(Checked { names, search, bound: bound.into_iter().cloned().collect() })
    }

    /// The findings of a fingerprint, and whether each was found beside the objects.
    fn named<'s>(&'s self, scans: &'s [ScanReport; 2], name: &'s str) -> impl Iterator<Item = (&'s Finding, bool)> {
        let all = scans.iter().zip([false, true]);
        all.flat_map(|(scan, beside)| scan.findings.iter().map(move |finding| (finding, beside)))
            .filter(move |(finding, _)| has(finding, name, self.key.as_ref()))
    }

    /// Refuses fingerprints that were made with a key which isn't here.
    fn check_key(&self, wanted: &[String]) -> Result<(), CliError> {
        let prefix = self.key.as_ref().map(Key::prefix);
        let keyed = wanted.iter().filter(|one| one.starts_with("v1k:"));
        let foreign = keyed.filter(|one| prefix.as_ref().is_none_or(|prefix| !one.starts_with(prefix.as_str())));
        let mistakes = foreign.map(|one| match &prefix {
            None => format!("{one}: it was made with a key: name its file with --fingerprint-key-file"),
            Some(_) => format!("{one}: it was made with another key than the one that is given"),
        });
        CliError::all(mistakes.collect()).map_or(Ok(()), Err)
    }
}

/// A conductor that leaves nothing out: any confidence, test directories, excluded paths, what is suppressed.
fn everything(settings: &Settings) -> Result<Conductor, CliError> {
    let active = rules::active(settings)?;
    let mut conductor = conductor(settings, active.rules, Instant::now())?;
    conductor.policy = Policy::new(true, globset::GlobSet::empty(), false);
    conductor.threshold = 1;
    conductor.markers = Markers::Ignored;
    conductor.decisions = Decisions::default();
    conductor.accept = Vec::new();
    conductor.observations = false;
    conductor.deadline = None;
    Ok(conductor)
}

/// Whether a finding has that fingerprint, made with `key`, if any, or without.
pub(super) fn has(finding: &Finding, name: &str, key: Option<&Key>) -> bool {
    let Finding { rule, secret, .. } = finding;
    let standing = Standing { path: b"", name: "", ordinal: 0 };
    let of_value = |key: Option<&Key>| fingerprint(rule, secret, key, standing);
    let is_of_value =
        || key.is_some_and(|key| of_value(Some(key)) == name) || is_unguessable(rule) && of_value(None) == name;
    finding.fingerprint == name || !secret.is_empty() && is_of_value()
}

/// The same place, named as what it is: a file in the git folder, not of the work tree. Index paths are the work tree's.
fn in_git_folder(mut one: Sighted) -> Sighted {
    let path = &mut one.place.provenance.path;
    *path = [b"(git folder) ", path.as_slice()].concat();
    one
}

/// A place as a line.
fn line(one: &Sighted, needles: &Needles) -> String {
    let forms: Vec<&str> = one.forms.iter().map(|form| form.word()).collect();
    let told = forms != ["as it is"];
    line_as(one, Some(needles), told.then(|| forms.join(", ")).as_deref())
}

/// A place as a line, with how the value is written there.
fn line_as(one: &Sighted, needles: Option<&Needles>, form: Option<&str>) -> String {
    let shown = |bytes: &[u8]| terminal_bytes(&needles.map_or_else(|| bytes.to_vec(), |needles| needles.mask(bytes)));
    let place = &one.place;
    let mut line = format!("{:13} {}", place.state.word(), shown(&words_of_place(place)));
    if let Some((part, id)) = &one.object {
        let kind = match part {
            ObjectPart::Blob => "blob",
            ObjectPart::Names => "tree",
            ObjectPart::Commit => "commit",
            ObjectPart::Tag => "tag",
        };
        let _infallible = write!(line, ", {kind} {id}");
    }
    if let (Some(commit), Part::Content | Part::PathName | Part::LinkTarget) = (&place.first, place.provenance.part) {
        let _infallible = write!(line, ", since commit {}", commit.id);
    }
    if let Some(reference) = place.reference.as_ref().filter(|_| !matches!(place.provenance.part, Part::RefName)) {
        let _infallible = write!(line, ", by {}", shown(reference));
    }
    if let Some(form) = form {
        let _infallible = write!(line, ", {form}");
    }
    line
}

/// What a search found, for people.
#[derive(Debug, Default)]
struct Search {
    /// By number of the value.
    places: BTreeMap<usize, BTreeSet<String>>,
    unread: Vec<Unread>,
    contents: u64,
}

/// What came of a check.
#[derive(Debug, Default)]
struct Checked {
    /// What was looked for, for people.
    names: Vec<String>,
    search: Search,
    /// Fingerprints that name places.
    bound: Vec<String>,
}

impl Checked {
    /// Places of `number`, if it is still there.
    fn places(&self, number: usize) -> Option<&BTreeSet<String>> {
        self.search.places.get(&number).filter(|places| !places.is_empty())
    }

    /// How many of them are still there.
    fn still_there(&self) -> usize {
        (0..self.names.len()).filter(|&number| self.places(number).is_some()).count()
    }

    /// Whether everything was looked at.
    fn is_proven(&self) -> bool {
        self.search.unread.is_empty() && self.bound.is_empty()
    }

    /// All of it, for people.
    fn text(&self, conductor: &Conductor) -> String {
        let mut out = String::new();
        let gone = if self.search.unread.is_empty() { "gone" } else { "not found in what could be read" };
        for (number, name) in self.names.iter().enumerate() {
            let Some(places) = self.places(number) else {
                let _infallible = writeln!(out, "{name}: {gone}");
                continue;
            };
            let _infallible = writeln!(out, "{name}: STILL THERE, {}:", counted(places.len(), "place"));
            for place in places.iter().take(PLACES) {
                let _infallible = writeln!(out, "  {place}");
            }
            if places.len() > PLACES {
                let _infallible = writeln!(out, "  and {} more", places.len() - PLACES);
            }
        }
        for name in &self.bound {
            let _infallible = writeln!(
                out,
                "{name}: can't be searched for, since it names a place: use --secret-stdin for its value"
            );
        }
        let unread = &self.search.unread;
        if !unread.is_empty() {
            let _infallible =
                writeln!(out, "{} could not be read, so that nothing is proven:", counted(unread.len(), "thing"));
            for one in unread.iter().take(UNREAD) {
                let _infallible =
                    writeln!(out, "  {}: {}", terminal_bytes(&one.what), terminal_bytes(one.detail.as_bytes()));
            }
            if unread.len() > UNREAD {
                let _infallible = writeln!(out, "  and {} more", unread.len() - UNREAD);
            }
        }
        let _infallible = writeln!(
            out,
            "{} searched, objects that nothing leads to included",
            counted(usize::try_from(self.search.contents).unwrap_or(usize::MAX), "content",)
        );
        mask::candidates_in_text(&conductor.engine, &mut out);
        out
    }
}

/// A number and its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

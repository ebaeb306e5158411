//! `keytrail baseline …`: makes, changes and shows the file of accepted findings.
//!
//! Accepting is done by scanning as the other commands do, and pruning too: an entry is a value's hash, and values are
//! known only while they are in hand. What came of it is printed; secrets never are.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use super::own::Own;
use super::{Env, Plan, Told, conductor, decisions, engine, print, rules};
use crate::cli::error::{plain, printable};
use crate::cli::settings::{self, BASELINE};
use crate::cli::task::{BaselineVerb, Terms};
use crate::cli::{BaselineTask, CliError, ConfigText, Exit, FilesRoot, Request, Settings, Task, progress};
use crate::engine::built_in_rules;
use crate::finding::baseline::{self, Baseline, Hash, Salt, Scope};
use crate::finding::{Finding, ScanReport, mask};
use crate::scan::Conductor;
use crate::source::threads;

mod foreign;
mod import;
mod reported;

/// Names that are listed before "and N more".
const NAMES: usize = 20;

/// Does what is asked of a baseline.
///
/// # Errors
/// What keeps it from being done; the file is then as it was before.
pub(super) fn run(task: BaselineTask, request: Request, env: Env<'_>) -> Result<ExitCode, CliError> {
    let own = Own::here();
    let file = File::new(task.file, &own)?;
    let scope = task.scope.unwrap_or_else(|| whole(&own));
    let all = matches!(task.verb, BaselineVerb::Import { .. });
    let scan = Scan { scope, request, env, all };
    match task.verb {
        BaselineVerb::Show => {
            let baseline = file.read()?.ok_or_else(|| file.absent())?;
            print(&without_secrets(&table(&baseline))?)
        }
        BaselineVerb::Create { terms, only, report, force } => {
            if !force && file.path.exists() {
                return Err(CliError::new(format!(
                    "{}: there is one already: `keytrail baseline update` adds to it, --force replaces it",
                    file.name
                )));
            }
            let fresh = Baseline::new(&file.name, salt()?);
            add(&file, fresh, &Which { terms: accepted(terms)?, only, report }, scan)
        }
        BaselineVerb::Update { terms, only, report } => {
            let there = file.read()?.ok_or_else(|| file.absent())?.salted(salt()?);
            add(&file, there, &Which { terms: accepted(terms)?, only, report }, scan)
        }
        BaselineVerb::Prune => prune(&file, scan),
        BaselineVerb::Import { file: theirs, terms } => import::run(&file, &theirs, terms, scan, &own),
    }
}

/// All of what is ours: the history of the repository, or the folder we stand in.
fn whole(own: &Own) -> Task {
    match own.repository() {
        Some(_) => Task::History { repositories: vec![PathBuf::from(".")], unreachable: false },
        None => Task::Files { roots: vec![FilesRoot::Path(PathBuf::from("."))], gitignore: false },
    }
}

/// A new salt.
fn salt() -> Result<Salt, CliError> {
    Salt::random().map_err(CliError::new)
}

/// Terms as entries have them. The file is made to be committed, so nothing that is typed into it may be a secret.
///
/// # Errors
/// Something in them looks like one.
fn accepted(terms: Terms) -> Result<baseline::Terms, CliError> {
    for (flag, text) in [("--reason", Some(&terms.reason)), ("--owner", terms.owner.as_ref())] {
        if let Some(text) = text.filter(|text| without_secrets(text).is_ok_and(|masked| masked != **text)) {
            let length = text.chars().count();
            return Err(CliError::new(format!(
                "{flag}: something in its {length} characters looks like a secret, and the baseline is made to be committed"
            )));
        }
    }
    Ok(baseline::Terms { reason: terms.reason, owner: terms.owner, until: terms.until })
}

/// A text with everything masked that looks like a secret: entries may have been written by hand.
fn without_secrets(text: &str) -> Result<String, CliError> {
    let engine = engine(built_in_rules())?;
    let mut masked = text.to_owned();
    mask::candidates_in_text(&engine, &mut masked);
    Ok(masked)
}

/// The baseline's file.
struct File {
    /// Where it is.
    path: PathBuf,
    /// As the user knows it.
    name: String,
}

impl File {
    /// The file that the user named, or the own repository's.
    fn new(named: Option<PathBuf>, own: &Own) -> Result<Self, CliError> {
        if let Some(path) = named {
            return Ok(Self { name: path.display().to_string(), path });
        }
        let top = own.top().ok_or_else(|| {
            CliError::new("there is no work tree here that could hold the baseline: name a file with --baseline FILE")
        })?;
        Ok(Self { path: top.join(BASELINE), name: BASELINE.to_owned() })
    }

    /// What is in it; `None` when it isn't there.
    fn read(&self) -> Result<Option<Baseline>, CliError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let bytes = settings::read_file(&self.path)?;
        decisions::parse(&ConfigText { bytes, name: self.name.clone() }).map(Some)
    }

    /// That it isn't there.
    fn absent(&self) -> CliError {
        CliError::new(format!("{}: there is no baseline yet: `keytrail baseline create` makes one", self.name))
    }

    /// Writes it whole or not at all. It is made to be committed and holds no secret: its mode is that of other files.
    fn write(&self, baseline: &Baseline) -> Result<(), CliError> {
        let failed = |error: &io::Error| CliError::new(format!("{}: {}", self.name, plain(error)));
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file =
            builder.prefix(".keytrail-").suffix(".part").tempfile_in(folder).map_err(|error| failed(&error))?;
        file.write_all(baseline.text().as_bytes()).map_err(|error| failed(&error))?;
        file.persist(&path).map(drop).map_err(|error| failed(&error.error))
    }
}

/// A scan, about to be.
struct Scan<'e> {
    scope: Task,
    request: Request,
    env: Env<'e>,
    /// At any confidence, whatever the settings say: what is looked for has been told.
    all: bool,
}

/// What a scan for a baseline gave.
struct Scanned {
    /// One per root.
    scans: Vec<ScanReport>,
    /// What it was done with.
    conductor: Conductor,
}

impl Scan<'_> {
    /// The settings, without a baseline: what is in one already is asked afterwards.
    fn prepare(self) -> Result<(Plan, Task, Settings, Conductor), CliError> {
        let started = Instant::now();
        let plan = Plan::new(&self.scope)?;
        let mut settings = self.request.resolve(&mut plan.own.resolver())?;
        settings.baseline = None;
        let active = rules::active(&settings)?;
        let mut conductor = conductor(&settings, active.rules, started)?;
        conductor.markers = plan.markers(&settings);
        if self.all {
            conductor.threshold = 1;
        }
        Ok((plan, self.scope, settings, conductor))
    }

    /// Scans.
    fn go(self) -> Result<Scanned, CliError> {
        let env = self.env;
        let (plan, scope, settings, conductor) = self.prepare()?;
        if !matches!(scope, Task::Staged { .. }) {
            threads::start(settings.jobs);
        }
        let progress = progress::start(settings.progress, env);
        let scans = plan.scan(&scope, &conductor, &settings, &Told(progress.as_ref()));
        progress.done();
        Ok(Scanned { scans: scans.map_err(|error| CliError::new(error.to_string()))?, conductor })
    }
}

impl Scanned {
    /// Everything that was found.
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.scans.iter().flat_map(|scan| &scan.findings)
    }

    /// How many things were not read.
    fn unread(&self) -> usize {
        self.scans.iter().map(|scan| scan.unread.len()).sum()
    }
}

/// Which findings are accepted, and on which terms.
struct Which {
    terms: baseline::Terms,
    /// These fingerprints alone; empty for all.
    only: Vec<String>,
    /// Instead of a scan.
    report: Option<PathBuf>,
}

impl Which {
    /// Whether that fingerprint is meant.
    fn means(&self, fingerprint: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == fingerprint)
    }

    /// The fingerprints that were asked for and are not among `met`.
    fn missing<'w>(&'w self, met: &BTreeSet<String>) -> Vec<&'w String> {
        self.only.iter().filter(|wanted| !met.contains(*wanted)).collect()
    }
}

/// Adds what is found to a baseline and writes it.
fn add(file: &File, mut baseline: Baseline, which: &Which, scan: Scan<'_>) -> Result<ExitCode, CliError> {
    let before = baseline.entries().len();
    let mut told = String::new();
    let mut is_complete = true;
    let mut met: BTreeSet<String> = BTreeSet::new();
    if let Some(report) = &which.report {
        let (_, _, _, conductor) = scan.prepare()?;
        let left_out = reported::add(report, which, &conductor.engine, &mut baseline, &mut met)?;
        is_complete = left_out.is_empty();
        list(
            &mut told,
            "not accepted: a report doesn't hold values that could be guessed; run this without --report",
            &left_out,
        );
    } else {
        let scanned = scan.go()?;
        let mut new: Vec<&Finding> = Vec::new();
        for one in &scanned.scans {
            for (finding, known) in one.findings.iter().zip(baseline.judge(&one.findings, Scope::All)) {
                if which.means(&finding.fingerprint) {
                    met.insert(finding.fingerprint.clone());
                    new.extend((known.is_empty() && finding.is_open()).then_some(finding));
                }
            }
        }
        let without: Vec<String> =
            new.iter().filter(|finding| finding.secret.is_empty()).map(|finding| place_of(finding)).collect();
        baseline.accept(&new, &which.terms);
        list(&mut told, "not accepted: the file itself is the finding; suppress its path in .keytrail.toml", &without);
        if scanned.unread() > 0 {
            is_complete = false;
            let _infallible = writeln!(
                told,
                "{} things could not be read, and what is in them is not accepted: `keytrail history` lists them",
                scanned.unread()
            );
        }
    }
    let missing: Vec<String> = which.missing(&met).into_iter().cloned().collect();
    if !missing.is_empty() {
        let nothing = format!("no finding has the fingerprint {}: the baseline stays as it is", missing.join(", "));
        return Err(CliError::new(nothing));
    }
    file.write(&baseline)?;
    let added = baseline.entries().len() - before;
    print(&format!("{}\n{told}", summary(file, &baseline, &format!("{added} accepted"), before == 0)))?;
    Ok(if is_complete { ExitCode::SUCCESS } else { Exit::Incomplete.code(1) })
}

/// Takes out what matches nothing.
fn prune(file: &File, scan: Scan<'_>) -> Result<ExitCode, CliError> {
    let mut baseline = file.read()?.ok_or_else(|| file.absent())?;
    let scanned = scan.go()?;
    if scanned.unread() > 0 {
        print(&format!(
            "{}: nothing is taken out, since {} things could not be read: `keytrail history` lists them\n",
            file.name,
            scanned.unread()
        ))?;
        return Ok(Exit::Incomplete.code(1));
    }
    let used: BTreeSet<usize> =
        scanned.scans.iter().flat_map(|one| baseline.judge(&one.findings, Scope::All)).flatten().collect();
    let gone: Vec<String> = (0..baseline.entries().len())
        .filter(|at| !used.contains(at))
        .map(|at| {
            let entry = &baseline.entries()[at];
            format!("{} in {}: {}", entry.rule, entry.path, entry.terms.reason)
        })
        .collect();
    let mut told = String::new();
    list(&mut told, "taken out, since they match nothing", &gone);
    baseline.keep(&used);
    file.write(&baseline)?;
    print(&format!(
        "{}\n{}",
        summary(file, &baseline, &format!("{} taken out", gone.len()), false),
        without_secrets(&told)?
    ))
}

/// What a baseline holds now.
fn summary(file: &File, baseline: &Baseline, what: &str, is_new: bool) -> String {
    let entries = baseline.entries();
    let slow = entries.iter().filter(|entry| matches!(entry.hash, Hash::Slow(..))).count();
    let count = match entries.len() {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    let mut text = printable(&format!("{}: {what}; {count}, {slow} of them by slow hashes", file.name));
    if is_new {
        text.push_str("\nCommit it, and scans of this repository count new findings only. With the line");
        text.push_str("\n  .keytrail-baseline.jsonl merge=union");
        text.push_str("\nin .gitattributes, branches that both add to it merge without conflicts.");
    }
    text
}

/// Adds a list with a heading, if there is anything in it.
fn list(out: &mut String, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _infallible = writeln!(out, "{heading}:");
    for item in items.iter().take(NAMES) {
        let _infallible = writeln!(out, "  - {}", printable(item));
    }
    if items.len() > NAMES {
        let _infallible = writeln!(out, "  and {} more", items.len() - NAMES);
    }
}

/// Where a finding is, for people.
fn place_of(finding: &Finding) -> String {
    String::from_utf8_lossy(&finding.places[0].place.provenance.path).into_owned()
}

/// A baseline for people.
fn table(baseline: &Baseline) -> String {
    let now = jiff::Timestamp::now().as_second();
    if baseline.entries().is_empty() {
        return "no entries\n".to_owned();
    }
    let rows: Vec<[String; 3]> = baseline
        .entries()
        .iter()
        .map(|entry| {
            let terms = &entry.terms;
            let until = terms.until.map_or_else(String::new, |day| match entry.holds(now) {
                true => format!(" (until {day})"),
                false => format!(" (ended {day})"),
            });
            let owner = terms.owner.as_ref().map_or_else(String::new, |owner| format!(", ask {owner}"));
            let path = if entry.path.is_empty() { "no path" } else { &entry.path };
            [printable(path), printable(&entry.rule), printable(&format!("{}{until}{owner}", terms.reason))]
        })
        .collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).min(48);
    let (path, rule) = (width(0), width(1));
    rows.iter().map(|row| format!("{:path$}  {:rule$}  {}\n", row[0], row[1], row[2])).collect()
}

//! The program as one paragraph: settings, a conductor, one scan a root, reports, an exit code.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use crate::cli::error::plain;
use crate::cli::{
    self, CliError, Command, Exit, FilesRoot, Range, ReportFormat, Request, Settings, Task, output, progress, show,
};
use crate::engine::{Engine, built_in_rules};
use crate::finding::dedup::Sees;
use crate::finding::fingerprint::Key;
use crate::finding::{Report, ScanReport};
use crate::policy::Policy;
use crate::rule::Rule;
use crate::scan::{AcceptUnread, Conductor, Markers, Progress};
use crate::source::files::{Files, FilesOptions};
use crate::source::git::ci::{self, Variables};
use crate::source::git::diff::{self, Diff};
use crate::source::git::history::History;
use crate::source::git::repo::Opening;
use crate::source::git::staged::{self, Staged};
use crate::source::mounted::{Mounted, MountedOptions};
use crate::source::{Source, SourceError, SourceErrorKind, threads};

mod baseline;
mod candidates;
mod cost;
mod decisions;
mod explain;
mod floor;
mod init;
mod known;
mod own;
mod purge_check;
mod purge_plan;
mod reported;
mod reports;
mod rules;
mod show_rule;
mod try_rules;
mod write;

use own::Own;
use rules::active;
use write::{open_targets, write};

/// Runs the program.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::panic::install();
    let env = |name: &str| std::env::var_os(name);
    // A failure of our own outside of a worker: the hook has said where; nothing may take it for a clean scan.
    let Ok(ended) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(args, &env))) else {
        return Exit::Incomplete.code(1);
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            for mut line in error.lines() {
                // What a message quotes may come from a stranger's configuration.
                if let Ok(engine) = Engine::new(built_in_rules()) {
                    crate::finding::mask::candidates_in_text(&engine, &mut line);
                }
                // A closed standard error is no reason for another exit code.
                drop(io::Write::write_all(&mut io::stderr(), format!("keytrail: {line}\n").as_bytes()));
            }
            error.exit().code(1)
        }
    }
}

/// Looks up an environment variable.
type Env<'e> = &'e dyn Fn(&str) -> Option<OsString>;

fn run(args: impl IntoIterator<Item = OsString>, env: Env<'_>) -> Result<ExitCode, CliError> {
    match cli::parse(args, env)? {
        Command::Print(text) => print(&text),
        Command::ShowConfig(request) => {
            let mut settings = request.resolve(&mut Own::here().resolver())?;
            settings.notes.extend(active(&settings)?.notes);
            print(&show::settings(&settings))
        }
        Command::ListRules(request) => {
            let settings = request.resolve(&mut Own::here().resolver())?;
            let active = active(&settings)?;
            print(&cli::rules::list(active.rules.iter().map(Arc::as_ref), &active.notes))
        }
        Command::ShowRule(id, request) => {
            let settings = request.resolve(&mut Own::here().resolver())?;
            let ours = rules::read(&settings.rules.files)?.ours;
            print(&show_rule::text(&engine(active(&settings)?.rules)?, &ours, &id)?)
        }
        Command::TestRules { only_files, request } => {
            let settings = request.resolve(&mut Own::here().resolver())?;
            let outcome = try_rules::run(&settings, only_files)?;
            print(&outcome.text)?;
            Ok(if outcome.passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Command::Explain(asked, request) => print(&explain::run(&asked, request)?),
        Command::RulesCost(paths, request) => {
            let settings = request.resolve(&mut Own::here().resolver())?;
            print(&cost::table(&engine(active(&settings)?.rules)?, &paths)?)
        }
        Command::Init(task) => init::run(task),
        Command::Man(folder) => init::man(&folder, &cli::pages::man_pages()),
        Command::Floor(task) => print(&floor::measure(&task)?),
        Command::Candidates(task) => {
            let engine = Engine::new(built_in_rules()).map_err(|error| CliError::new(error.to_string()))?;
            print(&candidates::lines(&engine, &task)?)
        }
        Command::Report(paths, request) => reports::run(&paths, request, env),
        Command::Scan(task, request) => scan(&task, request, env),
        Command::Baseline(task, request) => baseline::run(task, request, env),
        Command::PurgePlan(plan, request) => purge_plan::run(&plan, request, env),
        Command::PurgeCheck(check, request) => purge_check::run(&check, request, env),
    }
}

/// An engine of these rules.
fn engine(rules: Vec<Arc<Rule>>) -> Result<Engine, CliError> {
    Engine::new(rules).map_err(|error| CliError::new(error.to_string()))
}

fn print(text: &str) -> Result<ExitCode, CliError> {
    output::print(text).map_err(|error| CliError::new(format!("standard output: {}", plain(&error))))?;
    Ok(ExitCode::SUCCESS)
}

/// A scan from its task to its exit code.
fn scan(task: &Task, request: Request, env: Env<'_>) -> Result<ExitCode, CliError> {
    let (started, began) = (Instant::now(), jiff::Timestamp::now().as_second());
    if let Task::Image { roots, .. } = task {
        cli::check_image_roots(roots)?;
    }
    let plan = Plan::new(task)?;
    let mut settings = request.resolve(&mut plan.own.resolver())?;
    let active = active(&settings)?;
    settings.notes.extend(active.notes);
    let mut conductor = conductor(&settings, active.rules, started)?;
    conductor.markers = plan.markers(&settings);
    plan.review(task, &settings, &mut conductor);
    conductor.cache = known::cache(task, &plan.own, &conductor.engine, &settings)?;
    if !matches!(task, Task::Staged { .. } | Task::Diff { .. }) {
        threads::start(settings.jobs);
    }
    let targets = open_targets(&settings)?;
    let progress = progress::start(settings.progress, env);
    let scans = plan.scan(task, &conductor, &settings, &Told(progress.as_ref()));
    progress.done();
    let report = Report { scans: scans.map_err(|error| CliError::new(error.to_string()))? };
    Ok(finish(&report, &settings, targets, began, env))
}

/// Writes every report and says how it ended.
fn finish(report: &Report, settings: &Settings, targets: Vec<output::Output>, began: i64, env: Env<'_>) -> ExitCode {
    let written = write(report, settings, targets, began, env);
    for line in written.told.iter().chain(&written.problems) {
        drop(io::Write::write_all(&mut io::stderr(), format!("keytrail: {line}\n").as_bytes()));
    }
    let incomplete = report.is_incomplete() || !written.problems.is_empty();
    Exit::of(report.open_findings(), incomplete).code(settings.exit_for_findings)
}

/// Tells the progress line what the conductor tells.
struct Told<'p>(&'p dyn progress::Progress);

impl Progress for Told<'_> {
    fn content(&self, bytes: u64) {
        self.0.tick(1, bytes);
    }

    fn phase(&self, what: &'static str) {
        self.0.phase(what);
    }
}

/// The conductor that the settings mean. Markers and cache are set when it is known whose root it is.
fn conductor(settings: &Settings, rules: Vec<Arc<Rule>>, started: Instant) -> Result<Conductor, CliError> {
    let engine = engine(rules)?;
    let now = jiff::Timestamp::now().as_second();
    let accept = settings.accept_unread.iter().map(|entry| AcceptUnread {
        spelled: entry.path.as_ref().map_or_else(|| entry.object.clone().unwrap_or_default(), |glob| glob.glob.clone()),
        at: entry.at.clone(),
        path: entry.path.as_ref().map(|glob| glob.set().clone()),
        object: entry.object.clone(),
        until: entry.until.map(decisions::last_second),
    });
    Ok(Conductor {
        engine: engine.assuming_structure(settings.assume_structure),
        policy: Policy::new(settings.include_tests, settings.excludes.clone(), false),
        threshold: settings.threshold(),
        markers: Markers::Ignored,
        key: settings.fingerprint_key.as_ref().map(|key| Key::new(key.expose())),
        decisions: decisions::of(settings)?,
        accept: accept.collect(),
        platform: settings.platform,
        observations: settings.observations,
        line_hashes: settings.reports.iter().any(|report| report.format == ReportFormat::Sarif),
        now,
        deadline: settings.deadline.map(|span| started + span),
        full_scan: settings.full_scan,
        explain: settings.explain,
        cache: None,
    })
}

/// Why there is no range. An end that a pipeline tells and the clone lacks makes the scan incomplete; one that somebody
/// typed is a mistake.
fn unprepared(error: &SourceError, range: &Range) -> CliError {
    match (&error.kind, range) {
        (SourceErrorKind::Revision(..), Range::Environment) => CliError::incomplete(error.to_string()),
        _ => CliError::new(error.to_string()),
    }
}

/// What is known before the settings are: whose root it is, and which range.
struct Plan {
    own: Own,
    diff: Option<Diff>,
}

impl Plan {
    fn new(task: &Task) -> Result<Self, CliError> {
        let mut own = match task {
            Task::Staged { .. } | Task::Diff { .. } => Own::here(),
            Task::History { repositories, .. } => Own::of_repositories(repositories),
            Task::Files { roots, .. } => {
                let paths: Vec<PathBuf> = roots
                    .iter()
                    .map(|root| match root {
                        FilesRoot::Path(path) => path.clone(),
                        FilesRoot::Stdin => PathBuf::from("-"),
                    })
                    .collect();
                Own::of(&paths)
            }
            Task::Image { .. } => Own::nobody(),
        };
        let mut diff = None;
        if let Task::Diff { range, trust } = task {
            let request = range_request(range)?;
            let source = Diff::new(".", Opening::Own, Policy::default(), request);
            let (_, found) = source.prepare().map_err(|error| unprepared(&error, range))?;
            own.set_range(found.trusted(trust.map(to_ci)), found.base, found.includes.first().copied());
            own.set_under_review(trust.map(to_ci).unwrap_or(found.trust) == ci::Trust::Base);
            diff = Some(source);
        }
        Ok(Self { own, diff })
    }

    /// What inline markers may do in this scan.
    fn markers(&self, settings: &Settings) -> Markers {
        match (settings.inline_allow, self.own.is_somebody(), self.own.is_under_review()) {
            (false, ..) | (_, false, _) => Markers::Ignored,
            (true, true, true) => Markers::UnderReview,
            (true, true, false) => Markers::Heard,
        }
    }

    /// Adds what the change under review asks for, and how much of what decisions are about the scan sees.
    fn review(&self, task: &Task, settings: &Settings, conductor: &mut Conductor) {
        if self.own.is_under_review() {
            decisions::review(&settings.proposed, &mut conductor.decisions);
        }
        let is_folder = |root: &FilesRoot| *root == FilesRoot::Path(PathBuf::from("."));
        conductor.decisions.sees = match task {
            Task::Staged { extent: cli::task::Extent::All, .. } => Sees::Standing,
            Task::Staged { .. } | Task::Diff { .. } => Sees::Change,
            Task::History { .. } if self.own.is_somebody() => Sees::All,
            // Outside of a repository there is no history that an entry could be about.
            Task::Files { roots, .. }
                if self.own.repository().is_none() && self.own.is_somebody() && roots.iter().all(is_folder) =>
            {
                Sees::All
            }
            Task::History { .. } | Task::Files { .. } | Task::Image { .. } => Sees::Standing,
        };
    }

    /// Scans every root.
    fn scan(
        self,
        task: &Task,
        conductor: &Conductor,
        settings: &Settings,
        progress: &dyn Progress,
    ) -> Result<Vec<ScanReport>, SourceError> {
        let policy = || conductor.policy.clone();
        let mut scans = Vec::new();
        match task {
            Task::Staged { message, extent } => {
                let source = Staged::new(".", Opening::Own, policy(), message.clone());
                let source =
                    source.of(self.own.repository().cloned()).on_threads(settings.jobs).extended(to_extent(*extent));
                scans.push(one(conductor, &source, settings, progress)?);
            }
            Task::Diff { .. } => {
                let source = self.diff.expect("a plan for a diff holds one").with_policy(policy());
                let source = source.on_threads(settings.jobs);
                scans.push(one(conductor, &source, settings, progress)?);
            }
            Task::History { repositories, unreachable } => {
                let source = |path: &PathBuf| {
                    History::new(path.clone(), opening(path), policy(), *unreachable).within_memory(settings.memory)
                };
                for path in repositories {
                    scans.push(one(conductor, &source(path), settings, progress)?);
                }
                // What an earlier one left out is scanned after all when a later one voids what was known.
                for (path, scan) in repositories.iter().zip(&mut scans) {
                    if conductor.has_doubts(scan.known_clean) {
                        *scan = one(conductor, &source(path), settings, progress)?;
                    }
                }
            }
            Task::Files { roots, gitignore } => {
                for root in roots {
                    let path = match root {
                        FilesRoot::Path(path) => path.clone(),
                        FilesRoot::Stdin => PathBuf::from("-"),
                    };
                    let options = FilesOptions {
                        gitignore: *gitignore,
                        max_file_size: settings.max_file_size,
                        overlap: conductor.engine.reach(),
                    };
                    scans.push(one(conductor, &Files::new(path, policy(), options), settings, progress)?);
                }
            }
            Task::Image { roots, may_touch_atime } => {
                for root in roots {
                    let options = MountedOptions {
                        may_touch_atime: *may_touch_atime,
                        max_file_size: settings.max_file_size,
                        overlap: conductor.engine.reach(),
                        platform: settings.platform,
                    };
                    scans.push(one(conductor, &Mounted::new(root.clone(), &policy(), options), settings, progress)?);
                }
            }
        }
        Ok(scans)
    }
}

/// How the repository at `path` is opened: the one we stand in is our own.
fn opening(path: &Path) -> Opening {
    if path == Path::new(".") { Opening::Own } else { Opening::Named }
}

/// Scans one root.
fn one<S: Source>(
    conductor: &Conductor,
    source: &S,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<ScanReport, SourceError> {
    let mut report = conductor.scan(source, progress)?;
    report.active_rules = conductor.engine.rules().count() as u64;
    report.settings_from.clone_from(&settings.from);
    report.notes.extend(settings.notes.iter().cloned());
    if report.platform.is_none() && !report.findings.is_empty() {
        let note =
            "which cloud or code host this belongs to isn't known, so no recommendation is named: --platform states it";
        report.notes.push(note.to_owned());
    }
    let slow = conductor.engine.slow_rules();
    if !slow.is_empty() {
        report.notes.push(format!(
            "rules without keywords or without a longest match are searched the slow way: {}",
            slow.join(", ")
        ));
    }
    Ok(report)
}

fn to_extent(extent: cli::task::Extent) -> staged::Extent {
    match extent {
        cli::task::Extent::Change => staged::Extent::Change,
        cli::task::Extent::ChangeElseAll => staged::Extent::ChangeElseAll,
        cli::task::Extent::All => staged::Extent::All,
    }
}

fn to_ci(trust: cli::Trust) -> ci::Trust {
    match trust {
        cli::Trust::Base => ci::Trust::Base,
        cli::Trust::Head => ci::Trust::Head,
    }
}

/// The request of `diff`, with standard input or the pipeline's variables read.
fn range_request(range: &Range) -> Result<diff::Request, CliError> {
    let lines = || {
        let mut lines = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut lines)
            .map_err(|error| CliError::new(format!("standard input: {}", plain(&error))))?;
        Ok(lines)
    };
    let variables = || -> Variables {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        std::env::vars_os().filter_map(text).collect()
    };
    Ok(match range {
        Range::Environment => diff::Request::Environment(variables()),
        Range::Stated { base, head, from_merge_base } => {
            let dots = if *from_merge_base { "..." } else { ".." };
            diff::Request::Range(format!("{base}{dots}{head}"))
        }
        Range::MergeBase(reference) => diff::Request::MergeBase(reference.clone()),
        Range::PrePush => match lines()? {
            // The pre-commit framework has read git's lines itself and tells them in variables.
            lines if lines.is_empty() && std::env::var_os("PRE_COMMIT").is_some_and(|value| !value.is_empty()) => {
                let variables = variables();
                if !ci::pre_commit_tells(&variables) {
                    return Err(CliError::new(
                        "--pre-push: the pre-commit framework tells no revisions, so nothing was scanned: give `pre-commit \
                         run` --from-ref and --to-ref, or run the hook `keytrail-tree`",
                    ));
                }
                diff::Request::Environment(variables)
            }
            lines => diff::Request::PrePush { lines, remote: None },
        },
        Range::PreReceive => diff::Request::PreReceive(lines()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report;

    #[test]
    fn every_format_of_the_command_line_is_a_report() {
        for format in ReportFormat::ALL {
            assert!(report::ALL.iter().any(|report| report.name() == format.word()), "{}", format.word());
        }
        assert_eq!(report::ALL.len(), ReportFormat::ALL.len());
    }
}

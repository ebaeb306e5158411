//! From what was typed to what is meant: flags, environment and configuration in, [`Settings`] out.
//!
//! Three layers, one direction: `args` (as typed) and `config` (as filed) become [`Settings`] (as meant). Parsing
//! validates and never does; [`Request::resolve`] then reads the files that the user named and asks its caller for
//! those of the own repository, since this room opens none. Exit codes, the terminal, and where reports go live here
//! too; scanning doesn't.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ErrorKind};

use args::{Args, ConfigSub, RulesSub, ScanArgs, Sub, Subject};
use environment::Environment;
use terminal::Env;

mod args;
pub mod bench;
pub mod config;
pub mod credscan;
mod environment;
pub mod error;
pub mod exit;
pub mod output;
pub mod pages;
pub mod panic;
mod paths_ignore;
pub mod progress;
pub mod rules;
pub mod settings;
pub mod show;
pub mod task;
pub mod terminal;
mod units;

pub use error::CliError;
pub use exit::Exit;
pub use settings::{ConfigSource, ConfigText, ReportTo, Request, Settings, Side};
pub use task::{
    Asked, BaselineTask, Extent, FilesRoot, Hook, InitTask, PurgeCheck, PurgePlan, Range, ReportFormat, Sought, Spot,
    Task, Trust,
};

/// What the user wants done.
#[derive(Debug)]
pub enum Command {
    /// Scan.
    Scan(Task, Request),
    /// Put these reports together and write them anew; `-` is standard input.
    Report(Vec<PathBuf>, Request),
    /// Print the settings that a scan would have, see [`show::settings`].
    ShowConfig(Request),
    /// Print the active rules, see [`rules::list`].
    ListRules(Request),
    /// Print everything about the rule of this id.
    ShowRule(String, Request),
    /// Run the examples of the rules: of files, if any are named, else of all that are active.
    TestRules {
        /// Whether files are named, which the request then holds.
        only_files: bool,
        /// The settings.
        request: Request,
    },
    /// Tell why something at a place is or isn't reported.
    Explain(Asked, Request),
    /// Print what the active rules cost on these paths.
    RulesCost(Vec<PathBuf>, Request),
    /// Make or change a baseline, or show it.
    Baseline(BaselineTask, Request),
    /// Set keytrail up in the own repository.
    Init(InitTask),
    /// Write all man pages into this folder, see [`pages::man_pages`].
    Man(PathBuf),
    /// Plan a rewrite of the history.
    PurgePlan(PurgePlan, Request),
    /// Prove that secrets are gone.
    PurgeCheck(PurgeCheck, Request),
    /// Measure what decoding a repository costs.
    Floor(bench::Floor),
    /// Print all matches in these files for those who train the model.
    Candidates(bench::Candidates),
    /// Print this text (help, version) to standard output and end well.
    Print(String),
}

/// Reads a command line (`args`, the program's name first) and the environment. Opens no file.
///
/// # Errors
/// What to change, in one line a mistake: exit code 2.
pub fn parse(args: impl IntoIterator<Item = OsString>, env: Env<'_>) -> Result<Command, CliError> {
    let matches = match args::command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return from_clap(&error),
    };
    let args = Args::from_arg_matches(&matches).map_err(|error| CliError::new(one_line(&error)))?;
    let environment = Environment::read(env)?;
    let own = vec![Side::WorkTree, Side::Head];
    match args.command {
        Sub::Staged(typed) => {
            let extent = extent(&typed, env);
            scan(Task::Staged { message: typed.message, extent }, typed.scan, environment, vec![Side::Index])
        }
        Sub::Diff(typed) => {
            let range = range(&typed)?;
            let sides = vec![Side::Range(typed.trust)];
            scan(Task::Diff { range, trust: typed.trust }, typed.scan, environment, sides)
        }
        Sub::History(typed) => {
            let repositories = or_here(typed.repositories);
            scan(Task::History { repositories, unreachable: typed.unreachable }, typed.scan, environment, own)
        }
        Sub::Files(typed) => {
            refuse_cache("files", &typed.scan)?;
            let roots = files_roots(typed.paths)?;
            scan(Task::Files { roots, gitignore: typed.gitignore }, typed.scan, environment, own)
        }
        Sub::Image(typed) => {
            refuse_cache("image", &typed.scan)?;
            let task = Task::Image { roots: typed.roots, may_touch_atime: typed.may_touch_atime };
            // A disk has no say in how it is scanned, and the repository that we happen to stand in none over disks.
            scan(task, typed.scan, environment, Vec::new())
        }
        Sub::Report(mut typed) => {
            let reports = std::mem::take(&mut typed.reports);
            if reports.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
                return Err(CliError::new("`-`: standard input can be read only once"));
            }
            // Nothing is scanned, so nobody's configuration or key is asked for.
            let environment = Environment { config: None, fingerprint_key: None, ..environment };
            request(typed.flags(), environment, Vec::new()).map(|request| Command::Report(reports, request))
        }
        Sub::Baseline(typed) => {
            let (task, flags) = typed.split()?;
            let sides = if matches!(task.scope, Some(Task::Staged { .. })) { vec![Side::Index] } else { own };
            request(flags, environment, sides).map(|request| Command::Baseline(task, request))
        }
        Sub::PurgePlan(typed) => {
            if environment.pipeline && !environment.allow_show {
                return Err(CliError::new(
                    "purge-plan: not in a pipeline, whose files are kept, since it writes secrets in clear: set \
                     KEYTRAIL_ALLOW_SHOW=1 if it is meant",
                ));
            }
            let (plan, flags) = typed.split();
            request(flags, environment, own).map(|request| Command::PurgePlan(plan, request))
        }
        Sub::PurgeCheck(typed) => {
            let (check, flags) = typed.split()?;
            request(flags, environment, own).map(|request| Command::PurgeCheck(check, request))
        }
        Sub::Config(ConfigSub::Show(typed)) => request(typed.scan, environment, own).map(Command::ShowConfig),
        Sub::Rules(RulesSub::List(typed)) => request(typed.flags(), environment, own).map(Command::ListRules),
        Sub::Rules(RulesSub::Show(typed)) => {
            request(typed.list.flags(), environment, own).map(|request| Command::ShowRule(typed.id, request))
        }
        Sub::Rules(RulesSub::Test(typed)) => {
            let only_files = !typed.files.is_empty();
            let flags = ScanArgs { rules: typed.files, config: typed.config, ..ScanArgs::default() };
            request(flags, environment, own).map(|request| Command::TestRules { only_files, request })
        }
        Sub::Explain(typed) => {
            let asked = asked(&typed)?;
            request(typed.flags(), environment, own).map(|request| Command::Explain(asked, request))
        }
        Sub::Rules(RulesSub::Cost(typed)) => request(typed.list.flags(), environment, own)
            .map(|request| Command::RulesCost(or_here(typed.paths), request)),
        Sub::Init(typed) => Ok(Command::Init(typed.into())),
        Sub::Completions(typed) => Ok(Command::Print(pages::completions(typed.shell))),
        Sub::Man(args::ManArgs { folder: Some(folder) }) => Ok(Command::Man(folder)),
        Sub::Man(args::ManArgs { folder: None }) => {
            let page = pages::man_pages().into_iter().next().expect("the first page is keytrail's own");
            Ok(Command::Print(String::from_utf8(page.roff).expect("help texts are UTF-8")))
        }
        Sub::Bench(bench::BenchSub::Floor(typed)) => Ok(Command::Floor(typed.into())),
        Sub::Bench(bench::BenchSub::Candidates(typed)) => Ok(Command::Candidates(typed.into())),
    }
}

/// How much of the index `staged` is about. Git tells its commit hooks which index it commits; where the pre-commit
/// framework runs us without that, somebody called it by hand, and `--all-files` or revisions with nothing staged must
/// not pass as clean unseen.
/// Source: git `commit.c`, `run_commit_hook`, on `GIT_INDEX_FILE`; <https://pre-commit.com/#pre-commit-during-commits> on
/// `PRE_COMMIT`; read 2026-11.
fn extent(typed: &args::StagedArgs, env: Env<'_>) -> Extent {
    let is_set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    match (typed.all, &typed.message) {
        (true, _) => Extent::All,
        (false, None) if is_set("PRE_COMMIT") && !is_set("GIT_INDEX_FILE") => Extent::ChangeElseAll,
        (false, _) => Extent::Change,
    }
}

/// What `keytrail explain` is about.
fn asked(typed: &args::ExplainArgs) -> Result<Asked, CliError> {
    match (typed.subject.clone(), typed.report.clone()) {
        (Subject::Spot(spot), None) => Ok(Asked::Spot(spot)),
        (Subject::Fingerprint(fingerprint), Some(report)) => Ok(Asked::Reported { fingerprint, report }),
        (Subject::Spot(_), Some(_)) => Err(CliError::new("--report: it goes with a fingerprint, not with a place")),
        (Subject::Fingerprint(_), None) => {
            Err(CliError::new("a fingerprint says nothing by itself: add `--report FILE`, a report in JSON lines"))
        }
    }
}

/// Refuses `--cache` where it could do nothing: the variable may be set for all commands, a flag is meant.
fn refuse_cache(command: &str, flags: &ScanArgs) -> Result<(), CliError> {
    match flags.cache {
        None => Ok(()),
        Some(_) => Err(CliError::new(format!(
            "--cache: not with `{command}`, whose files have no ids to know them by: it is for history, diff and staged"
        ))),
    }
}

/// A scan.
fn scan(task: Task, flags: ScanArgs, environment: Environment, sides: Vec<Side>) -> Result<Command, CliError> {
    request(flags, environment, sides).map(|request| Command::Scan(task, request))
}

/// What was asked for, with what can be checked before any file is read.
fn request(flags: ScanArgs, environment: Environment, sides: Vec<Side>) -> Result<Request, CliError> {
    let reports = reports(&flags)?;
    if flags.show_secrets {
        let shows = |report: &&ReportTo| matches!(report.format, ReportFormat::Text | ReportFormat::JsonLines);
        if let Some(report) = reports.iter().find(|report| !shows(report)) {
            return Err(CliError::new(format!(
                "--show-secrets: not in {}, which is made to be passed on: use text or jsonl",
                report.format.word()
            )));
        }
        if environment.pipeline && !environment.allow_show {
            return Err(CliError::new(
                "--show-secrets: not in a pipeline, whose log is kept: set KEYTRAIL_ALLOW_SHOW=1 if it is meant",
            ));
        }
    }
    Ok(Request { flags, environment, reports, sides })
}

/// The reports to write: each format once to each target, no two to one target.
fn reports(flags: &ScanArgs) -> Result<Vec<ReportTo>, CliError> {
    let elsewhere = match &flags.output {
        Some(path) if path.as_os_str() != "-" => output::Target::File(path.clone()),
        _ => output::Target::Stdout,
    };
    let mut reports: Vec<ReportTo> = Vec::new();
    for typed in &flags.format {
        let target = typed.target.clone().unwrap_or_else(|| elsewhere.clone());
        if let Some(other) = reports.iter().find(|other| other.target == target) {
            let place = match &target {
                output::Target::Stdout => "standard output".to_owned(),
                output::Target::File(path) => format!("`{}`", path.display()),
            };
            let (first, second) = (other.format.word(), typed.format.word());
            return Err(CliError::new(format!(
                "--format: {first} and {second} would both go to {place}: give one a file, as in `--format \
                 {second}=FILE`"
            )));
        }
        reports.push(ReportTo { format: typed.format, target });
    }
    if reports.is_empty() {
        reports.push(ReportTo { format: ReportFormat::Text, target: elsewhere });
    } else if flags.output.is_some() && flags.format.iter().all(|typed| typed.target.is_some()) {
        return Err(CliError::new("--output: every --format has a file of its own: leave one of them out"));
    }
    Ok(reports)
}

/// Which range `diff` is about.
fn range(typed: &args::DiffArgs) -> Result<Range, CliError> {
    Ok(match (&typed.range, &typed.merge_base) {
        (Some(text), _) => Range::stated(text)?,
        (None, Some(reference)) if reference.is_empty() => {
            return Err(CliError::new("--merge-base: the revision is empty: is the pipeline's variable set?"));
        }
        (None, Some(reference)) => Range::MergeBase(reference.clone()),
        (None, None) if typed.pre_push => Range::PrePush,
        (None, None) if typed.pre_receive => Range::PreReceive,
        (None, None) => Range::Environment,
    })
}

/// The roots of `files`; standard input can be read once.
fn files_roots(paths: Vec<PathBuf>) -> Result<Vec<FilesRoot>, CliError> {
    let root = |path: PathBuf| if path == Path::new("-") { FilesRoot::Stdin } else { FilesRoot::Path(path) };
    let roots: Vec<FilesRoot> = or_here(paths).into_iter().map(root).collect();
    if roots.iter().filter(|root| **root == FilesRoot::Stdin).count() > 1 {
        return Err(CliError::new("`-`: standard input can be read only once"));
    }
    Ok(roots)
}

/// The paths, or the current directory when there are none.
fn or_here(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from(".")] } else { paths }
}

/// Checks the roots of `image`: folders only, so far.
///
/// # Errors
/// A root that isn't there or is a file or device.
pub fn check_image_roots(roots: &[PathBuf]) -> Result<(), CliError> {
    let wrong = roots.iter().filter_map(|root| match std::fs::metadata(root) {
        Ok(facts) if facts.is_dir() => None,
        Ok(_) => Some(format!(
            "{}: image files and devices aren't supported in this version: mount it read-only and name the folder",
            root.display()
        )),
        Err(error) => Some(format!("{}: {}", root.display(), error::plain(&error))),
    });
    CliError::all(wrong.collect()).map_or(Ok(()), Err)
}

/// What clap stopped for: help and version are no errors.
fn from_clap(error: &clap::Error) -> Result<Command, CliError> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Command::Print(error.render().to_string())),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let help = error.render().to_string();
            let below = |command: &str| help.contains(&format!("Usage: keytrail {command} "));
            let tries = match () {
                () if below("baseline") => "`keytrail baseline create --reason REASON`",
                () if below("config") => "`keytrail config show`",
                () if below("rules") => "`keytrail rules list`",
                () => "`keytrail history .`, `keytrail files .` or `keytrail --help`",
            };
            Err(CliError::new(format!("no command given: try {tries}")))
        }
        ErrorKind::InvalidSubcommand => {
            let (typed, similar) =
                (context(error, ContextKind::InvalidSubcommand), context(error, ContextKind::SuggestedSubcommand));
            // What some other scanners call it; the parser would think of `man`.
            let ways = match typed.as_str() {
                "scan" | "detect" | "check" => {
                    "say what to scan, as in `keytrail files .`, `keytrail history .` or `keytrail staged`".to_owned()
                }
                _ => similar_or_help(error, &similar),
            };
            Err(CliError::new(format!("there is no command `{typed}`: {ways}")))
        }
        ErrorKind::UnknownArgument => {
            let (typed, similar) = (context(error, ContextKind::InvalidArg), context(error, ContextKind::SuggestedArg));
            let what = if typed.starts_with('-') { "there is no flag" } else { "nothing is expected here like" };
            Err(CliError::new(format!("{what} `{typed}`: {}", similar_or_help(error, &similar))))
        }
        _ => Err(CliError::new(one_line(error))),
    }
}

/// What clap knows of a mistake: the word typed, or the ones that look like it.
fn context(error: &clap::Error, kind: ContextKind) -> String {
    error.get(kind).map(ToString::to_string).unwrap_or_default()
}

/// Where to look on: what was typed nearly, or the help of the command it was typed after.
fn similar_or_help(error: &clap::Error, similar: &str) -> String {
    if !similar.is_empty() {
        return format!("is it `{similar}`?");
    }
    let usage = context(error, ContextKind::Usage);
    let words = usage.split_whitespace().skip_while(|word| *word != "keytrail");
    let words = words.take_while(|word| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()));
    let command: Vec<&str> = words.collect();
    if command.is_empty() { "see `keytrail --help`".to_owned() } else { format!("see `{} --help`", command.join(" ")) }
}

/// clap's message on one line: what is wrong, then its tips, without usage.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let message = text.split("\nUsage:").next().unwrap_or(&text);
    let message = message.split("\nFor more information").next().unwrap_or(message);
    let parts = message.trim_start_matches("error: ").lines().map(|line| line.trim().trim_end_matches(':'));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests;

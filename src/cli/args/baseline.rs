//! Flags of `keytrail baseline …`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;

use super::{ScanArgs, confidence, glob};
use crate::cli::config;
use crate::cli::error::CliError;
use crate::cli::files_roots;
use crate::cli::task::{BaselineTask, BaselineVerb, Extent, Task, Terms};
use crate::cli::units;
use crate::rule::Confidence;

/// `keytrail baseline …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineSub {
    /// Accept everything that is found now
    ///
    /// Scans the history of the repository around the current directory (outside of one: the directory) and writes
    /// .keytrail-baseline.jsonl. Commit the file: from then on scans of this repository count new findings only. Values
    /// that could be guessed are in it by a slow, salted hash, others by a plain one; nothing else of a value is.
    Create(CreateArgs),
    /// Accept what is found and not accepted yet; what is in the file stays as it is
    Update(UpdateArgs),
    /// Take out what matches nothing any more
    ///
    /// Scans as `create` does; give the same flags. Nothing is taken out when something could not be read.
    Prune(PruneArgs),
    /// Print the accepted findings: where they stood first, why, until when
    Show(ShowArgs),
    /// Accept what another scanner's file of ignored findings names
    ///
    /// Reads .gitleaksignore, reports of gitleaks in JSON, .secrets.baseline of detect-secrets, value hashes of betterleaks
    /// and values of ripsecrets' .secretsignore. Positions and hashes are looked up in the files and commits they
    /// name; what can't be found there is listed.
    Import(ImportArgs),
}

/// On which terms findings are accepted.
#[derive(Debug, clap::Args)]
pub(crate) struct TermArgs {
    /// Whom to ask about them
    #[arg(long, value_name = "NAME", value_parser = config::filled)]
    pub(crate) owner: Option<String>,
    /// Last day they are accepted; afterwards they count again
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = config::day)]
    pub(crate) until: Option<Date>,
}

/// What is scanned for a baseline, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct ScopeArgs {
    /// Scan these folders and files instead of the history
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Scan what is staged instead of the history
    #[arg(long, conflicts_with_all = ["paths", "unreachable"])]
    pub(crate) staged: bool,
    /// Also scan objects that no ref, reflog or worktree leads to
    #[arg(long, conflicts_with = "paths")]
    pub(crate) unreachable: bool,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// How a scan for a baseline goes about it.
#[derive(Debug, clap::Args)]
pub(crate) struct HowArgs {
    /// The baseline's file [default: .keytrail-baseline.jsonl at the top of the repository]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Configuration file [default: .keytrail.toml of the repository around the current directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also use the rules in this file; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Least confidence of what is accepted: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = confidence(), hide_possible_values = true)]
    pub(crate) confidence: Option<Confidence>,
    /// Also scan directories recognised as tests
    #[arg(long)]
    pub(crate) include_tests: bool,
    /// Leave out paths that match GLOB; may be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub(crate) exclude: Vec<String>,
    /// Leave out files larger than SIZE [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) max_file_size: Option<u64>,
    /// Let no inline marker suppress a finding, so that it is accepted here too
    #[arg(long)]
    pub(crate) no_inline_allow: bool,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Which findings are accepted.
#[derive(Debug, clap::Args)]
pub(crate) struct WhichArgs {
    /// Accept only the finding of this fingerprint, as reports print it; may be given several times
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) only: Vec<String>,
    /// Accept the findings of this report in JSON lines instead of scanning
    ///
    /// Findings whose value could be guessed need a scan, since reports don't hold values.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "staged", "unreachable"])]
    pub(crate) report: Option<PathBuf>,
}

/// `keytrail baseline create`.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// Why these findings are accepted
    #[arg(long, value_name = "TEXT", value_parser = config::filled)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) terms: TermArgs,
    /// Replace a baseline that is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// `keytrail baseline update`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Why the new ones are accepted
    #[arg(long, value_name = "TEXT", value_parser = config::filled)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) terms: TermArgs,
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// `keytrail baseline prune`.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// `keytrail baseline show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The baseline's file [default: .keytrail-baseline.jsonl at the top of the repository]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
}

/// `keytrail baseline import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The other scanner's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Why its findings are accepted [default: imported from FILE]
    #[arg(long, value_name = "TEXT", value_parser = config::filled)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) terms: TermArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

impl TermArgs {
    /// As terms with a reason.
    fn terms(self, reason: String) -> Terms {
        Terms { reason, owner: self.owner, until: self.until }
    }
}

impl HowArgs {
    /// As flags of a scan, and the baseline's file.
    fn flags(self) -> (ScanArgs, Option<PathBuf>) {
        let Self {
            baseline,
            config,
            rules,
            confidence,
            include_tests,
            exclude,
            max_file_size,
            no_inline_allow,
            no_progress,
        } = self;
        let flags = ScanArgs {
            config,
            rules,
            confidence,
            include_tests,
            exclude,
            max_file_size,
            no_inline_allow,
            no_progress,
            ..ScanArgs::default()
        };
        (flags, baseline)
    }
}

impl ScopeArgs {
    /// What is to be scanned; `None` for the history of the own repository.
    fn scope(&self) -> Result<Option<Task>, CliError> {
        Ok(match self.staged {
            true => Some(Task::Staged { message: None, extent: Extent::Change }),
            false if !self.paths.is_empty() => {
                Some(Task::Files { roots: files_roots(self.paths.clone())?, gitignore: false })
            }
            false if self.unreachable => Some(Task::History { repositories: vec![".".into()], unreachable: true }),
            false => None,
        })
    }
}

impl BaselineSub {
    /// What is to be done, and the flags of the scan it takes.
    pub(crate) fn split(self) -> Result<(BaselineTask, ScanArgs), CliError> {
        let scanning = |verb, scope: ScopeArgs| {
            let of = scope.scope()?;
            let (flags, file) = scope.how.flags();
            Ok((BaselineTask { verb, scope: of, file }, flags))
        };
        match self {
            Self::Create(CreateArgs { reason, terms, force, which, scope }) => {
                let WhichArgs { only, report } = which;
                scanning(BaselineVerb::Create { terms: terms.terms(reason), only, report, force }, scope)
            }
            Self::Update(UpdateArgs { reason, terms, which, scope }) => {
                let WhichArgs { only, report } = which;
                scanning(BaselineVerb::Update { terms: terms.terms(reason), only, report }, scope)
            }
            Self::Prune(PruneArgs { scope }) => scanning(BaselineVerb::Prune, scope),
            Self::Show(ShowArgs { baseline }) => {
                Ok((BaselineTask { verb: BaselineVerb::Show, scope: None, file: baseline }, ScanArgs::default()))
            }
            Self::Import(ImportArgs { file, reason, terms, how }) => {
                let (flags, baseline) = how.flags();
                let verb = BaselineVerb::Import { file, terms: terms.terms(reason.unwrap_or_default()) };
                Ok((BaselineTask { verb, scope: None, file: baseline }, flags))
            }
        }
    }
}

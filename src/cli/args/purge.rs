//! Flags of `keytrail purge-plan` and `keytrail purge-check`.

use std::path::PathBuf;

use super::{ScanArgs, confidence, queries::is_fingerprint};
use crate::cli::error::CliError;
use crate::cli::task::{PurgeCheck, PurgePlan, Sought};
use crate::rule::Confidence;

/// How the scan for either goes about it.
#[derive(Debug, clap::Args)]
pub(crate) struct PurgeHowArgs {
    /// The repository [default: the one around the current directory]
    #[arg(long, value_name = "PATH")]
    pub(crate) repository: Option<PathBuf>,
    /// Configuration file [default: .keytrail.toml of the repository around the current directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also use the rules in this file; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Key that `v1k:` fingerprints were made with; KEYTRAIL_FINGERPRINT_KEY does the same
    #[arg(long, value_name = "FILE")]
    pub(crate) fingerprint_key_file: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl PurgeHowArgs {
    /// The repository, and the flags of a scan.
    fn split(self) -> (PathBuf, ScanArgs) {
        let Self { repository, config, rules, fingerprint_key_file, no_progress } = self;
        let flags = ScanArgs { config, rules, fingerprint_key_file, no_progress, ..ScanArgs::default() };
        (repository.unwrap_or_else(|| PathBuf::from(".")), flags)
    }
}

/// `keytrail purge-plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PurgePlanArgs {
    /// Fingerprints of the findings to purge, as reports print them [default: all that count]
    #[arg(value_name = "FINGERPRINT", value_parser = fingerprint)]
    pub(crate) fingerprints: Vec<String>,
    /// Purge the findings of this report (SARIF or JSON lines) that count
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Folder to make for the plan. It will hold the secrets IN CLEAR: delete it when the rewrite is done
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Let the folder lie in the work tree or the git folder, where it may be committed or pushed
    #[arg(long)]
    pub(crate) force: bool,
    /// Least confidence of what is purged, unless it is named: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = confidence(), hide_possible_values = true)]
    pub(crate) confidence: Option<Confidence>,
    /// Also purge what stands in directories recognised as tests alone
    #[arg(long)]
    pub(crate) include_tests: bool,
    #[command(flatten)]
    pub(crate) how: PurgeHowArgs,
}

impl PurgePlanArgs {
    /// What is to be planned, and the flags of the scan it takes.
    pub(crate) fn split(self) -> (PurgePlan, ScanArgs) {
        let Self { fingerprints, report, output, force, confidence, include_tests, how } = self;
        let (repository, flags) = how.split();
        (PurgePlan { repository, fingerprints, report, output, force }, ScanArgs { confidence, include_tests, ..flags })
    }
}

/// `keytrail purge-check`.
#[derive(Debug, clap::Args)]
pub(crate) struct PurgeCheckArgs {
    /// Fingerprints of secrets that should be gone, as reports print them
    #[arg(value_name = "FINGERPRINT", value_parser = fingerprint, required_unless_present = "secret_stdin")]
    pub(crate) fingerprints: Vec<String>,
    /// Read the secret from standard input and search every byte for it; a last line break isn't part of it
    #[arg(long, conflicts_with = "fingerprints")]
    pub(crate) secret_stdin: bool,
    #[command(flatten)]
    pub(crate) how: PurgeHowArgs,
}

impl PurgeCheckArgs {
    /// What is to be checked, and the flags of the scan it takes.
    pub(crate) fn split(self) -> Result<(PurgeCheck, ScanArgs), CliError> {
        let Self { fingerprints, secret_stdin, how } = self;
        if !secret_stdin && fingerprints.iter().all(|one| one.starts_with("v1p:")) {
            return Err(CliError::new(
                "a `v1p:` fingerprint names a place and no value, so nothing can be searched for it: hand the secret \
                 to `keytrail purge-check --secret-stdin`, or scan with a fingerprint key",
            ));
        }
        let (repository, flags) = how.split();
        let sought = if secret_stdin { Sought::Stdin } else { Sought::Fingerprints(fingerprints) };
        Ok((PurgeCheck { repository, sought }, flags))
    }
}

/// A fingerprint, as reports print it. What is typed may be a secret: it isn't repeated.
fn fingerprint(text: &str) -> Result<String, String> {
    match is_fingerprint(text) {
        true => Ok(text.to_owned()),
        false => Err("no fingerprint: reports print them as `v1:…`, `v1k:…` or `v1p:…`".to_owned()),
    }
}

//! `keytrail bench`: measurements for those who work on keytrail, left out of the help.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Subcommand;

/// `keytrail bench …`.
#[derive(Debug, Subcommand)]
pub(super) enum BenchSub {
    /// Decode every packed object of a repository once: the least that a scan of its history can cost
    Floor(FloorArgs),
    /// Print every match in files, with what the model sees of the generic ones and no value: what it is trained on
    Candidates(CandidatesArgs),
}

/// `keytrail bench candidates`.
#[derive(Debug, clap::Args)]
pub(super) struct CandidatesArgs {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Leave test directories out, as scans do
    #[arg(long)]
    skip_tests: bool,
}

/// Where to look for candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Whether test directories are left out.
    pub skip_tests: bool,
}

impl From<CandidatesArgs> for Candidates {
    fn from(typed: CandidatesArgs) -> Self {
        Self { paths: typed.paths, skip_tests: typed.skip_tests }
    }
}

/// `keytrail bench floor`.
#[derive(Debug, clap::Args)]
pub(super) struct FloorArgs {
    /// Repository
    #[arg(value_name = "REPO")]
    repository: PathBuf,
    /// Decode blobs alone
    #[arg(long)]
    blobs: bool,
    /// Threads [default: 1]
    #[arg(long, short, value_name = "N", value_parser = super::args::threads)]
    jobs: Option<NonZeroUsize>,
}

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Repository.
    pub repository: PathBuf,
    /// Blobs alone.
    pub blobs: bool,
    /// Threads.
    pub jobs: NonZeroUsize,
}

impl From<FloorArgs> for Floor {
    fn from(typed: FloorArgs) -> Self {
        let jobs = typed.jobs.unwrap_or(NonZeroUsize::MIN);
        Self { repository: typed.repository, blobs: typed.blobs, jobs }
    }
}

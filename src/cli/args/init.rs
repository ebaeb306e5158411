//! Flags of `keytrail init`, `keytrail completions` and `keytrail man`.

use std::path::PathBuf;

use clap_complete::Shell;

use super::words;
use crate::cli::task::{Hook, InitTask};

/// `keytrail init`.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Also install git hooks: pre-commit, commit-msg, pre-push, several after commas [default without a value: pre-commit]
    ///
    /// They go where git looks for them (core.hooksPath, else the hooks folder of the repository). A hook that is there
    /// already stays: it is kept beside ours and runs after it. SKIP=keytrail skips ours.
    #[arg(
        long,
        value_name = "HOOKS",
        num_args = 0..=1,
        default_missing_value = "pre-commit",
        value_delimiter = ',',
        value_parser = words(Hook::ALL, Hook::word),
        hide_possible_values = true,
    )]
    pub(crate) hook: Vec<Hook>,
    /// Take our git hooks out again and put back what was there before them
    #[arg(long, conflicts_with_all = ["hook", "force", "pre_commit"])]
    pub(crate) uninstall: bool,
    /// Only print what to write into .pre-commit-config.yaml, for the pre-commit framework
    #[arg(long, conflicts_with_all = ["hook", "force"])]
    pub(crate) pre_commit: bool,
    /// Replace a .keytrail.toml that is there
    #[arg(long)]
    pub(crate) force: bool,
}

impl From<InitArgs> for InitTask {
    fn from(typed: InitArgs) -> Self {
        match (typed.uninstall, typed.pre_commit) {
            (true, _) => Self::Uninstall,
            (_, true) => Self::Snippet,
            (false, false) => Self::Install { hooks: typed.hook, force: typed.force },
        }
    }
}

/// `keytrail completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// `keytrail man`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder that gets one page per command; it is made if it isn't there [default: the main page on standard output]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

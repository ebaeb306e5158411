//! What is to be scanned, and the words that flags share with the rest of the program.

use std::path::PathBuf;

use jiff::civil::Date;

use super::error::CliError;
use crate::report::{Annotator, SarifTarget};

/// What to scan. Roots are as the user spelled them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The index of the repository around the current directory.
    Staged {
        /// A commit message to scan too.
        message: Option<PathBuf>,
        /// How much of the index.
        extent: Extent,
    },
    /// What a range of commits adds to the repository around the current directory.
    Diff {
        /// Which range.
        range: Range,
        /// Whose configuration and markers count; `None`: what the origin of the range implies.
        trust: Option<Trust>,
    },
    /// Every object of repositories.
    History {
        /// Never empty.
        repositories: Vec<PathBuf>,
        /// Objects too that nothing leads to.
        unreachable: bool,
    },
    /// Folders and files.
    Files {
        /// Never empty.
        roots: Vec<FilesRoot>,
        /// What git ignores is left out.
        gitignore: bool,
    },
    /// Mounted disks.
    Image {
        /// Folders; never empty.
        roots: Vec<PathBuf>,
        /// Reading may change access times.
        may_touch_atime: bool,
    },
}

impl Task {
    /// Its word, which is the command's and the report's.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Staged { .. } => "staged",
            Self::Diff { .. } => "diff",
            Self::History { .. } => "history",
            Self::Files { .. } => "files",
            Self::Image { .. } => "image",
        }
    }
}

/// How much of the index is scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What it holds more than HEAD.
    #[default]
    Change,
    /// The same; all of it when that is nothing, as under `pre-commit run --all-files`.
    ChangeElseAll,
    /// All of it: every file that is tracked.
    All,
}

/// What `keytrail init` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitTask {
    /// Write the configuration, and hooks if any are named.
    Install {
        /// Which; none for the configuration alone.
        hooks: Vec<Hook>,
        /// A configuration that is there is replaced.
        force: bool,
    },
    /// Take our hooks out.
    Uninstall,
    /// Print what `.pre-commit-config.yaml` needs.
    Snippet,
}

/// A git hook of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before a commit: what is staged.
    PreCommit,
    /// After its message was written: that.
    CommitMsg,
    /// Before a push: what it adds.
    PrePush,
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PreCommit, Self::CommitMsg, Self::PrePush];

    /// Git's name for it, which is its file's.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
        }
    }
}

/// What is to become of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineTask {
    /// What to do.
    pub verb: BaselineVerb,
    /// What is scanned for it, if anything but the history of the own repository.
    pub scope: Option<Task>,
    /// The baseline's file; `None` for the own repository's.
    pub file: Option<PathBuf>,
}

/// What is done with a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineVerb {
    /// Accept what is found, or what an earlier report tells.
    Create {
        /// On which terms.
        terms: Terms,
        /// These fingerprints alone; empty for all.
        only: Vec<String>,
        /// Instead of a scan.
        report: Option<PathBuf>,
        /// A baseline that is there is replaced.
        force: bool,
    },
    /// Accept what is found and not in it yet.
    Update {
        /// On which terms.
        terms: Terms,
        /// These fingerprints alone; empty for all.
        only: Vec<String>,
        /// Instead of a scan.
        report: Option<PathBuf>,
    },
    /// Take out what matches nothing.
    Prune,
    /// Print it.
    Show,
    /// Accept what another tool's file names.
    Import {
        /// The file.
        file: PathBuf,
        /// On which terms; the reason names the file unless one is given.
        terms: Terms,
    },
}

/// What a rewrite of the history is planned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgePlan {
    /// The repository as the user spelled it.
    pub repository: PathBuf,
    /// These findings; all that count where none is named.
    pub fingerprints: Vec<String>,
    /// The findings of this report.
    pub report: Option<PathBuf>,
    /// The folder to make.
    pub output: PathBuf,
    /// It may lie in the repository.
    pub force: bool,
}

/// What should be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeCheck {
    /// The repository as the user spelled it.
    pub repository: PathBuf,
    /// What is looked for.
    pub sought: Sought,
}

/// What is looked for in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The secrets of these fingerprints.
    Fingerprints(Vec<String>),
    /// The secret on standard input.
    Stdin,
}

/// The terms on which findings are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Why; empty where that may be left out.
    pub reason: String,
    /// Whom to ask.
    pub owner: Option<String>,
    /// Last day.
    pub until: Option<Date>,
}

/// What `keytrail explain` is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A place in a file.
    Spot(Spot),
    /// A finding of a report in JSON lines.
    Reported {
        /// Its fingerprint.
        fingerprint: String,
        /// The report.
        report: PathBuf,
    },
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The file as the user spelled it.
    pub path: PathBuf,
    /// 1-based.
    pub line: u64,
    /// 1-based, in UTF-16 code units; `None` for all of the line.
    pub column: Option<u64>,
}

/// One root of `keytrail files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesRoot {
    /// A folder or file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// Which commits `keytrail diff` compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// What the variables of a pipeline say.
    Environment,
    /// `BASE..HEAD`; with `from_merge_base` (`BASE...HEAD`) it starts where HEAD left BASE.
    Stated {
        /// The revision before the change, as spelled.
        base: String,
        /// The revision with the change, as spelled.
        head: String,
        /// Three dots.
        from_merge_base: bool,
    },
    /// From where HEAD left this revision, to HEAD.
    MergeBase(String),
    /// Lines of a pre-push hook on standard input: `local-ref local-id remote-ref remote-id`.
    PrePush,
    /// Lines of a pre-receive hook on standard input: `old-id new-id ref`.
    PreReceive,
}

impl Range {
    /// Reads `BASE..HEAD` or `BASE...HEAD`.
    ///
    /// # Errors
    /// An end is missing. Unlike git, keytrail doesn't guess it: a typo in a pipeline's variable would scan nothing.
    pub(crate) fn stated(text: &str) -> Result<Self, CliError> {
        let (base, head, from_merge_base) = match (text.split_once("..."), text.split_once("..")) {
            (Some((base, head)), _) => (base, head, true),
            (None, Some((base, head))) => (base, head, false),
            (None, None) => {
                return Err(CliError::new(format!(
                    "range `{text}`: two ends are needed, as in `BASE..HEAD`; or write `--merge-base BASE`"
                )));
            }
        };
        match (base.is_empty(), head.is_empty()) {
            (true, _) => Err(CliError::new(format!("range `{text}`: no commit before the dots: write `BASE..HEAD`"))),
            (_, true) => Err(CliError::new(format!("range `{text}`: no commit after the dots: write `{text}HEAD`"))),
            _ => Ok(Self::Stated { base: base.to_owned(), head: head.to_owned(), from_merge_base }),
        }
    }
}

/// Whose configuration and inline markers count in a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those of the commit before the change; what the change adds is under review.
    Base,
    /// Those of the change itself.
    Head,
}

impl Trust {
    /// Its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }
}

/// Report formats, by the words of [`crate::report::Format::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// JSON lines.
    JsonLines,
    /// SARIF 2.1.0.
    Sarif,
    /// A table.
    Csv,
    /// Test results.
    JUnit,
    /// GitLab's secret detection report.
    GitLab,
    /// A page for job summaries.
    Markdown,
    /// A page for browsers.
    Html,
    /// Workflow commands.
    Annotations,
}

impl ReportFormat {
    /// All of them, in the order help texts list them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::JsonLines,
        Self::Sarif,
        Self::Csv,
        Self::JUnit,
        Self::GitLab,
        Self::Markdown,
        Self::Html,
        Self::Annotations,
    ];

    /// Its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "jsonl",
            Self::Sarif => "sarif",
            Self::Csv => "csv",
            Self::JUnit => "junit",
            Self::GitLab => "gitlab",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Annotations => "annotations",
        }
    }
}

/// The word of who reads annotations, on the command line.
#[must_use]
pub fn annotator_word(annotator: Annotator) -> &'static str {
    match annotator {
        Annotator::GitHub => "github",
        Annotator::Azure => "azure",
    }
}

/// The word of a SARIF target on the command line.
#[must_use]
pub fn sarif_target_word(target: SarifTarget) -> &'static str {
    match target {
        SarifTarget::Generic => "generic",
        SarifTarget::GitHub => "github",
        SarifTarget::AzureDevOps => "azure-devops",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_two_ends() {
        let stated = |base: &str, head: &str, from_merge_base| {
            Ok(Range::Stated { base: base.to_owned(), head: head.to_owned(), from_merge_base })
        };
        assert_eq!(Range::stated("main..topic"), stated("main", "topic", false));
        assert_eq!(Range::stated("main...topic"), stated("main", "topic", true));
        assert_eq!(Range::stated("v1.0..HEAD~2"), stated("v1.0", "HEAD~2", false));
        for text in ["main", "main..", "..main", "...", "", "main..."] {
            let error = Range::stated(text).expect_err("an end is missing").to_string();
            assert!(error.starts_with(&format!("range `{text}`: ")), "{error}");
        }
    }
}

//! Flags as they are typed. Every field is optional; what is missing means is decided in [`super::settings`].
//!
//! Parsing validates and never does: no file is opened, no repository looked up. Help texts live here.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use super::bench::BenchSub;
use super::config::PathGlob;
use super::output::Target;
use super::task::{ReportFormat, Trust};
use super::units;
use crate::platform::Platform;
use crate::report::{Annotator, SarifTarget};
use crate::rule::Confidence;

mod baseline;
mod init;
mod purge;
mod queries;

pub(crate) use baseline::BaselineSub;
pub(crate) use init::{CompletionsArgs, InitArgs, ManArgs};
pub(crate) use purge::{PurgeCheckArgs, PurgePlanArgs};
pub(crate) use queries::{ExplainArgs, ReportArgs, RulesSub, Subject};

/// Shown under every scan's help.
const EXIT_CODES: &str = "Exit codes: 0 clean and complete, 1 findings, 2 usage or configuration error, 3 something \
was not read (findings are reported all the same).";

/// A secret scanner that follows leaked keys wherever they lie and shows where they lead.
#[derive(Debug, Parser)]
#[command(
    name = "keytrail",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Secrets are masked in every output. Directories recognised as tests are left out unless \
--include-tests is given; `keytrail config show` lists them."
)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Sub,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Sub {
    /// Set keytrail up in the repository around the current directory
    ///
    /// Writes a .keytrail.toml in which every setting stands with its default, as a comment; with --hook also git hooks
    /// that refuse commits and pushes with secrets. Says what it wrote; replaces nothing unasked.
    Init(InitArgs),
    /// Scan what `git commit` is about to record
    ///
    /// Reads the index, never the work tree, and reports secrets that the index holds more often than HEAD. With
    /// `git commit --amend` the comparison is with HEAD too: git gives no sign of it.
    ///
    /// Run by hand through the pre-commit framework (`pre-commit run --all-files`) while nothing is staged, it scans all
    /// that is tracked.
    Staged(StagedArgs),
    /// Scan what a push or pull request adds
    ///
    /// Without RANGE and flags, the range is taken from the variables of GitHub Actions, Azure Pipelines or GitLab CI.
    Diff(DiffArgs),
    /// Scan every object of every ref of git repositories
    ///
    /// Branches, remotes, tags, notes, stashes, pull request refs, reflogs and worktree heads; contents, messages,
    /// path names and author fields.
    History(HistoryArgs),
    /// Scan folders, files and standard input
    ///
    /// Files that git ignores are scanned too, binaries as bytes; `.git` folders are not (see `keytrail history`).
    Files(FilesArgs),
    /// Scan the mounted disk of a machine
    ///
    /// Reads only and never follows a link out of ROOT. Says whose machine it is, and where its keys lead.
    Image(ImageArgs),
    /// Put reports together and write them in other formats
    ///
    /// Reads SARIF and JSON lines by keytrail. Scans of the same root become one, and in it the same secret one finding
    /// with all its places. Nothing is scanned: a report that is incomplete, or was cut short, stays incomplete.
    Report(ReportArgs),
    /// Tell why something on a line is or isn't reported
    ///
    /// Prints every candidate that touches the line, at any confidence and dropped ones too: what each check and filter
    /// said, and what came of it; and keywords that led to no match. Values are masked.
    Explain(ExplainArgs),
    /// Accept findings that are known, so that only new ones count
    #[command(subcommand, arg_required_else_help = true, disable_help_subcommand = true)]
    Baseline(BaselineSub),
    /// Plan a rewrite of the history that takes secrets out
    ///
    /// Scans the history and writes what `git filter-repo` and BFG need into a folder, with a checklist: rotate, rewrite,
    /// push, clean up. The folder holds the secrets IN CLEAR. Not in pipelines, unless KEYTRAIL_ALLOW_SHOW=1 is set.
    PurgePlan(PurgePlanArgs),
    /// Prove that secrets are gone from a repository, or tell where they still lie
    ///
    /// Looks into every object of every pack and loose ones, led to or not, and into refs, logs, stashes, notes, indexes,
    /// worktrees, Git LFS files and everything else in the git folder. Exit codes: 0 gone and all was read, 1 still there,
    /// 3 something could not be read, so that nothing is proven.
    PurgeCheck(PurgeCheckArgs),
    /// Show the configuration
    #[command(subcommand, arg_required_else_help = true, disable_help_subcommand = true)]
    Config(ConfigSub),
    /// Show and test the rules
    #[command(subcommand, arg_required_else_help = true, disable_help_subcommand = true)]
    Rules(RulesSub),
    /// Print a script that has a shell complete commands and flags
    ///
    /// bash: `keytrail completions bash > ~/.local/share/bash-completion/completions/keytrail`; zsh: into a file `_keytrail`
    /// in a folder of $fpath; fish: `~/.config/fish/completions/keytrail.fish`.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    ///
    /// `keytrail man ~/.local/share/man/man1` has `man keytrail` and `man keytrail-staged` work.
    Man(ManArgs),
    /// Measure
    #[command(subcommand, hide = true, arg_required_else_help = true, disable_help_subcommand = true)]
    Bench(BenchSub),
}

/// `keytrail config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigSub {
    /// Print every setting as it would apply here, where it comes from, and what counts as a test directory
    ///
    /// Takes the flags of a scan, to show what they change.
    Show(ShowArgs),
}

/// `keytrail staged`.
#[derive(Debug, clap::Args)]
pub(crate) struct StagedArgs {
    /// Scan all that is tracked, as the index holds it, not only what is staged
    #[arg(long, help_heading = "What to scan")]
    pub(crate) all: bool,
    /// Also scan this commit message (a `commit-msg` hook passes its file)
    #[arg(long, value_name = "FILE", help_heading = "What to scan")]
    pub(crate) message: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// `keytrail diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// Commits to compare: BASE..HEAD, or BASE...HEAD to start from their merge base
    #[arg(value_name = "RANGE", conflicts_with_all = ["merge_base", "pre_push", "pre_receive"])]
    pub(crate) range: Option<String>,
    /// Compare HEAD with where it left REF
    #[arg(long, value_name = "REF", conflicts_with_all = ["pre_push", "pre_receive"], help_heading = "What to scan")]
    pub(crate) merge_base: Option<String>,
    /// Read the ranges from standard input as a pre-push hook gets them, or from the pre-commit framework's variables
    #[arg(long, conflicts_with = "pre_receive", help_heading = "What to scan")]
    pub(crate) pre_push: bool,
    /// Read the ranges from standard input as a pre-receive hook gets them
    #[arg(long, help_heading = "What to scan")]
    pub(crate) pre_receive: bool,
    /// Whose configuration, baseline and inline markers count: those of the base commit, or those of the change itself
    ///
    /// Without this flag: base for pull and merge requests, merge queues, --merge-base, --pre-receive and a stated
    /// RANGE; head for push events and --pre-push.
    #[arg(long, value_name = "SIDE", value_parser = trust(), help_heading = "What to scan")]
    pub(crate) trust: Option<Trust>,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// `keytrail history`.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Repositories [default: the one around the current directory]
    #[arg(value_name = "REPO")]
    pub(crate) repositories: Vec<PathBuf>,
    /// Also scan objects that no ref, reflog or worktree leads to
    #[arg(long, help_heading = "What to scan")]
    pub(crate) unreachable: bool,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// `keytrail files`.
#[derive(Debug, clap::Args)]
pub(crate) struct FilesArgs {
    /// Folders and files; `-` for standard input [default: the current directory]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out what git ignores
    #[arg(long, help_heading = "What to scan")]
    pub(crate) gitignore: bool,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// `keytrail image`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageArgs {
    /// Folders where disks are mounted
    #[arg(value_name = "ROOT", required = true)]
    pub(crate) roots: Vec<PathBuf>,
    /// Read files even where that changes their access times
    ///
    /// Access times tell who read a key before us, so without this flag a file is reported as not read when the mount
    /// is writable and the system won't read without a trace.
    #[arg(long, help_heading = "What to scan")]
    pub(crate) may_touch_atime: bool,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// `keytrail config show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

/// Flags of every scan.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ScanArgs {
    /// Report format, with =FILE to write it there: text, jsonl, sarif, csv, junit, gitlab, markdown, html or annotations;
    /// may be given several times [default: text]
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = format(), help_heading = "Output")]
    pub(crate) format: Vec<FormatArg>,
    /// Where the report without a =FILE of its own goes [default: standard output]
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Who reads the SARIF: generic, github or azure-devops [default: github under GitHub Actions, else generic]
    #[arg(long, value_name = "TARGET", value_parser = sarif_target(), hide_possible_values = true, help_heading = "Output")]
    pub(crate) sarif_target: Option<SarifTarget>,
    /// Who reads the annotations: github or azure [default: azure under Azure Pipelines, else github]
    #[arg(long, value_name = "READER", value_parser = annotator(), hide_possible_values = true, help_heading = "Output")]
    pub(crate) annotations: Option<Annotator>,
    /// Print secrets in clear (text and jsonl only)
    ///
    /// Refused in pipelines, whose logs are kept, unless KEYTRAIL_ALLOW_SHOW=1.
    #[arg(long, help_heading = "Output")]
    pub(crate) show_secrets: bool,
    /// Leave observations (machines, public keys, vault references, …) out of reports
    #[arg(long, help_heading = "Output")]
    pub(crate) no_observations: bool,
    /// Say under every finding what its checks and filters said, and what filters dropped (text only)
    ///
    /// Everything is scanned in full for it, which takes longer.
    #[arg(long, help_heading = "Output")]
    pub(crate) explain: bool,
    /// Show no progress
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
    /// Exit with N instead of 1 when there are findings
    #[arg(long, value_name = "N", value_parser = exit_code, help_heading = "Output")]
    pub(crate) exit_code: Option<u8>,

    /// Configuration file [default: .keytrail.toml of the repository around the current directory]
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub(crate) config: Option<PathBuf>,
    /// Also use the rules in this file; may be given several times
    ///
    /// In keytrail's format or in gitleaks' TOML. A file of the latter stands for all rules unless it extends the built-in
    /// ones (useDefault = true under extend).
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub(crate) rules: Vec<PathBuf>,
    /// Least confidence of what is reported: low, medium or high; what is below is counted [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = confidence(), hide_possible_values = true, help_heading = "Detection")]
    pub(crate) confidence: Option<Confidence>,
    /// Where what is scanned runs or is hosted; decides the recommendation [default: recognised]
    #[arg(long, value_name = "PLATFORM", value_parser = platform(), help_heading = "Detection")]
    pub(crate) platform: Option<Platform>,
    /// File of accepted findings [default: .keytrail-baseline.jsonl of the repository around the current directory]
    ///
    /// `keytrail baseline create` makes one.
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub(crate) baseline: Option<PathBuf>,
    /// Let no inline marker suppress a finding
    #[arg(long, help_heading = "Detection")]
    pub(crate) no_inline_allow: bool,
    /// Key for fingerprints that can be joined across scans; the file's content, a final line break aside
    ///
    /// KEYTRAIL_FINGERPRINT_KEY does the same.
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub(crate) fingerprint_key_file: Option<PathBuf>,
    /// Take structure checks as held (for corpora whose values are scrambled)
    #[arg(long, hide = true, help_heading = "Detection")]
    pub(crate) assume_structure: bool,

    /// Also scan directories recognised as tests
    #[arg(long, overrides_with = "no_include_tests", help_heading = "What to scan")]
    pub(crate) include_tests: bool,
    /// Leave directories recognised as tests out, whatever the configuration says
    #[arg(long, overrides_with = "include_tests", help_heading = "What to scan")]
    pub(crate) no_include_tests: bool,
    /// Leave out paths that match GLOB, as in a gitignore file; may be given several times, adds to the configuration
    #[arg(long, value_name = "GLOB", value_parser = glob, help_heading = "What to scan")]
    pub(crate) exclude: Vec<String>,
    /// Leave out files larger than SIZE (`500K`, `10M`, `2GB`, bytes) [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, help_heading = "What to scan")]
    pub(crate) max_file_size: Option<u64>,
    /// Memory that `history` aims to keep within (`512M`, `2G`): three eighths of it may hold what versions of files are
    /// put together from; less is slower and loses nothing [default: 512M]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, help_heading = "What to scan")]
    pub(crate) memory: Option<u64>,
    /// Folder where `history`, `diff` and `staged` keep which git blobs hold nothing to report, so that these aren't
    /// scanned again [default: none]
    ///
    /// It must be yours alone (mode 700) and lie apart from what is scanned; it is made if it isn't there. KEYTRAIL_CACHE
    /// does the same. Findings are the same with and without: blobs are scanned again when keytrail, its rules or the
    /// folder's files changed, and one known blob in a hundred is anyway.
    #[arg(long, value_name = "DIR", help_heading = "What to scan")]
    pub(crate) cache: Option<PathBuf>,
    /// Threads [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = threads, help_heading = "What to scan")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Stop after this time (`90s`, `5m`, `1h`); what is left is reported as not read
    #[arg(long, value_name = "TIME", value_parser = units::duration, help_heading = "What to scan")]
    pub(crate) deadline: Option<Duration>,
    /// Scan every version of a file in full instead of what changed, known or not
    #[arg(long, hide = true, help_heading = "What to scan")]
    pub(crate) full_scan: bool,
}

impl ScanArgs {
    /// `--include-tests`, `--no-include-tests` or neither; the last one typed wins.
    pub(crate) fn include_tests(&self) -> Option<bool> {
        match (self.include_tests, self.no_include_tests) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// One `--format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatArg {
    /// Which.
    pub(crate) format: ReportFormat,
    /// Its own file, if it has one.
    pub(crate) target: Option<Target>,
}

/// Parses `FORMAT` or `FORMAT=FILE`; the file may be any bytes.
fn format() -> impl TypedValueParser<Value = FormatArg> {
    OsStringValueParser::new().try_map(|typed: OsString| {
        let bytes = typed.as_encoded_bytes();
        let cut = bytes.iter().position(|&byte| byte == b'=').unwrap_or(bytes.len());
        let word = String::from_utf8_lossy(&bytes[..cut]).into_owned();
        let format = ReportFormat::ALL.into_iter().find(|format| format.word() == word).ok_or_else(|| {
            let words = ReportFormat::ALL.map(ReportFormat::word).join(", ");
            format!("no such format; there are {words}")
        })?;
        let target = match word_after(&typed, cut) {
            None => None,
            Some(file) if file.is_empty() => return Err(format!("no file after `{word}=`")),
            Some(file) if file == "-" => Some(Target::Stdout),
            Some(file) => Some(Target::File(PathBuf::from(file))),
        };
        Ok(FormatArg { format, target })
    })
}

/// What follows the `=` at `cut`, if there is one.
fn word_after(typed: &OsString, cut: usize) -> Option<OsString> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let rest = typed.as_bytes().get(cut + 1..)?;
        Some(std::ffi::OsStr::from_bytes(rest).to_owned())
    }
    #[cfg(not(unix))]
    {
        // The part before the `=` is ASCII, so the text is cut at a character.
        typed.to_str().and_then(|text| text.get(cut + 1..)).map(OsString::from)
    }
}

/// A parser of one word out of `all`, as `word` spells them.
fn words<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let parser = PossibleValuesParser::new(all.map(word));
    parser
        .map(move |typed| all.into_iter().find(|&one| word(one) == typed).expect("clap lets only these words through"))
}

/// `--exclude`: a glob that can be read.
fn glob(text: &str) -> Result<String, String> {
    PathGlob::new(text).map(|glob| glob.glob)
}

/// `--platform`.
fn platform() -> impl TypedValueParser<Value = Platform> {
    words(Platform::ALL, Platform::word)
}

/// `--confidence`.
fn confidence() -> impl TypedValueParser<Value = Confidence> {
    words([Confidence::Low, Confidence::Medium, Confidence::High], Confidence::word)
}

/// `--trust`.
fn trust() -> impl TypedValueParser<Value = Trust> {
    words([Trust::Base, Trust::Head], Trust::word)
}

/// `--sarif-target`.
fn sarif_target() -> impl TypedValueParser<Value = SarifTarget> {
    words([SarifTarget::Generic, SarifTarget::GitHub, SarifTarget::AzureDevOps], super::task::sarif_target_word)
}

/// `--annotations`.
fn annotator() -> impl TypedValueParser<Value = Annotator> {
    words([Annotator::GitHub, Annotator::Azure], super::task::annotator_word)
}

/// `--jobs`: at least one.
pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = super::config::jobs(text)?;
    usize::try_from(jobs).ok().and_then(NonZeroUsize::new).ok_or_else(|| format!("`{text}` is too large"))
}

/// `--exit-code`: 2 and 3 keep their meaning.
fn exit_code(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(2 | 3) => Err("2 means a usage error and 3 an incomplete scan; take another number".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a number from 0 to 255".to_owned()),
    }
}

/// Hides the flags of these ids.
fn without(ids: &'static [&'static str]) -> impl Fn(clap::Arg) -> clap::Arg {
    move |arg| if ids.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg }
}

/// The command-line parser, with the exit codes under the help of every scan.
pub(crate) fn command() -> clap::Command {
    use clap::CommandFactory as _;
    ["staged", "diff", "history", "files", "image", "report"]
        .into_iter()
        .fold(Args::command(), |command, name| command.mut_subcommand(name, |sub| sub.after_help(EXIT_CODES)))
        // Heard, but of no use there.
        .mut_subcommand("staged", |sub| sub.mut_args(without(&["memory"])))
        .mut_subcommand("diff", |sub| sub.mut_args(without(&["memory"])))
        // Refused there, in words of our own.
        .mut_subcommand("files", |sub| sub.mut_args(without(&["cache", "memory"])))
        .mut_subcommand("image", |sub| sub.mut_args(without(&["cache", "memory"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn formats_carry_files() {
        let parse = |text: &str| {
            let parser = format();
            parser.parse_ref(&clap::Command::new("x"), None, std::ffi::OsStr::new(text)).ok()
        };
        let file = |name: &str| Some(Target::File(name.into()));
        assert_eq!(parse("text"), Some(FormatArg { format: ReportFormat::Text, target: None }));
        assert_eq!(parse("sarif=a=b"), Some(FormatArg { format: ReportFormat::Sarif, target: file("a=b") }));
        assert_eq!(parse("jsonl=-"), Some(FormatArg { format: ReportFormat::JsonLines, target: Some(Target::Stdout) }));
        assert_eq!(parse("sarif="), None);
        assert_eq!(parse("xml"), None);
    }

    #[test]
    fn exit_codes_with_a_meaning_stay() {
        assert_eq!(exit_code("0"), Ok(0));
        assert_eq!(exit_code("42"), Ok(42));
        for text in ["2", "3", "256", "-1", "x", ""] {
            assert!(exit_code(text).is_err(), "{text}");
        }
    }
}

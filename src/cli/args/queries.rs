//! Flags of the commands that answer questions about rules and verdicts, and scan nothing for findings.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::{ScanArgs, confidence, glob};
use crate::cli::task::Spot;
use crate::report::{Annotator, SarifTarget};
use crate::rule::Confidence;

/// `keytrail rules …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesSub {
    /// Print every rule: id, severity, confidence, name
    List(ListArgs),
    /// Print everything about one rule: what it matches, how it is checked, examples, what to do
    Show(ShowRuleArgs),
    /// Run the examples and counterexamples of the rules; exits with 1 if one fails
    Test(TestRulesArgs),
    /// Print what each rule costs on files and folders: literal hits, anchored tries and full runs a megabyte
    Cost(CostArgs),
}

/// `keytrail rules list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Also use the rules in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Configuration file [default: .keytrail.toml of the repository around the current directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ListArgs {
    /// As flags of a scan.
    pub(crate) fn flags(self) -> ScanArgs {
        ScanArgs { rules: self.rules, config: self.config, ..ScanArgs::default() }
    }
}

/// `keytrail rules show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowRuleArgs {
    /// The rule's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// `keytrail rules test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestRulesArgs {
    /// Test the rules in these files [default: the built-in rules and those of the configuration]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Configuration file [default: .keytrail.toml of the repository around the current directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// `keytrail explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Where to look: a file, a line and, if you like, a column, from 1 on; or the fingerprint of a finding
    #[arg(value_name = "FILE:LINE[:COLUMN]|FINGERPRINT", value_parser = subject())]
    pub(crate) subject: Subject,
    /// The report in JSON lines that has the fingerprint; its paths are looked for below the current directory
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    /// Least confidence of what is reported: low, medium or high [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = confidence(), hide_possible_values = true)]
    pub(crate) confidence: Option<Confidence>,
    /// As if directories recognised as tests were scanned
    #[arg(long)]
    pub(crate) include_tests: bool,
    /// As if paths that match GLOB were left out
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub(crate) exclude: Vec<String>,
    /// As if no inline marker were heard
    #[arg(long)]
    pub(crate) no_inline_allow: bool,
    /// Key for fingerprints, which suppressions may name
    #[arg(long, value_name = "FILE")]
    pub(crate) fingerprint_key_file: Option<PathBuf>,
}

impl ExplainArgs {
    /// As flags of a scan.
    pub(crate) fn flags(self) -> ScanArgs {
        let Self { confidence, include_tests, exclude, no_inline_allow, fingerprint_key_file, .. } = self;
        let flags = self.list.flags();
        ScanArgs { confidence, include_tests, exclude, no_inline_allow, fingerprint_key_file, ..flags }
    }
}

/// `keytrail report`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Reports that keytrail wrote, in SARIF or JSON lines; `-` for standard input
    #[arg(value_name = "REPORT", required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Report format, with =FILE to write it there: text, jsonl, sarif, csv, junit, gitlab, markdown, html or annotations;
    /// may be given several times [default: text]
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = super::format())]
    pub(crate) format: Vec<super::FormatArg>,
    /// Where the report without a =FILE of its own goes [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Who reads the SARIF: generic, github or azure-devops [default: github under GitHub Actions, else generic]
    #[arg(long, value_name = "TARGET", value_parser = super::sarif_target(), hide_possible_values = true)]
    pub(crate) sarif_target: Option<SarifTarget>,
    /// Who reads the annotations: github or azure [default: azure under Azure Pipelines, else github]
    #[arg(long, value_name = "READER", value_parser = super::annotator(), hide_possible_values = true)]
    pub(crate) annotations: Option<Annotator>,
    /// Least confidence of what is reported: low, medium or high; what is below is counted [default: low]
    #[arg(long, value_name = "LEVEL", value_parser = confidence(), hide_possible_values = true)]
    pub(crate) confidence: Option<Confidence>,
    /// Leave observations (machines, public keys, vault references, …) out
    #[arg(long)]
    pub(crate) no_observations: bool,
    /// Exit with N instead of 1 when there are findings
    #[arg(long, value_name = "N", value_parser = super::exit_code)]
    pub(crate) exit_code: Option<u8>,
}

impl ReportArgs {
    /// As flags of a scan.
    pub(crate) fn flags(self) -> ScanArgs {
        let Self { format, output, sarif_target, annotations, confidence, no_observations, exit_code, .. } = self;
        ScanArgs {
            format,
            output,
            sarif_target,
            annotations,
            confidence: confidence.or(Some(Confidence::Low)),
            no_observations,
            exit_code,
            ..ScanArgs::default()
        }
    }
}

/// `keytrail rules cost`.
#[derive(Debug, clap::Args)]
pub(crate) struct CostArgs {
    /// Files and folders to measure on [default: the current directory]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// What `keytrail explain` is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A place in a file.
    Spot(Spot),
    /// A fingerprint.
    Fingerprint(String),
}

/// Parses what `keytrail explain` is given.
fn subject() -> impl TypedValueParser<Value = Subject> {
    let spot = spot();
    OsStringValueParser::new().try_map(move |typed: OsString| match typed.to_str() {
        Some(text) if is_fingerprint(text) => Ok(Subject::Fingerprint(text.to_owned())),
        _ => spot(typed).map(Subject::Spot),
    })
}

/// Whether a text is a fingerprint, as reports print them.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let rest = ["v1:", "v1k:", "v1p:"].iter().find_map(|version| text.strip_prefix(version));
    rest.is_some_and(|rest| rest.len() >= 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'))
}

/// Parses `FILE:LINE` or `FILE:LINE:COLUMN`; the file may be any bytes, colons among them.
fn spot() -> impl Fn(OsString) -> Result<Spot, String> + Clone + Send + Sync {
    |typed: OsString| {
        let bytes = typed.as_encoded_bytes();
        let number_before = |end: usize| {
            let colon = bytes[..end].iter().rposition(|&byte| byte == b':')?;
            let digits = std::str::from_utf8(&bytes[colon + 1..end]).ok().filter(|text| !text.starts_with('+'))?;
            Some((colon, digits.parse::<u64>().ok().filter(|&number| number > 0)?))
        };
        let Some((colon, last)) = number_before(bytes.len()) else {
            return Err("write it as FILE:LINE or FILE:LINE:COLUMN, both from 1 on".to_owned());
        };
        let (end, line, column) = match number_before(colon) {
            Some((end, line)) => (end, line, Some(last)),
            None => (colon, last, None),
        };
        match word_before(&typed, end) {
            Some(file) if !file.is_empty() => Ok(Spot { path: file.into(), line, column }),
            _ => Err("no file is named before the line".to_owned()),
        }
    }
}

/// What stands before the `:` at `cut`.
fn word_before(typed: &OsString, cut: usize) -> Option<OsString> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Some(std::ffi::OsStr::from_bytes(typed.as_bytes().get(..cut)?).to_owned())
    }
    #[cfg(not(unix))]
    {
        // What follows is ASCII, so the text is cut at a character.
        typed.to_str().and_then(|text| text.get(..cut)).map(OsString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spots_name_a_file_a_line_and_maybe_a_column() {
        let parse = |text: &str| spot()(OsString::from(text)).ok();
        let at = |path: &str, line, column| Some(Spot { path: path.into(), line, column });
        for (text, expected) in [
            ("a.py:12", at("a.py", 12, None)),
            ("a.py:12:7", at("a.py", 12, Some(7))),
            ("a:b:3", at("a:b", 3, None)),
            ("1:2:3:4", at("1:2", 3, Some(4))),
            ("a.py", None),
            ("a.py:", None),
            ("a.py:0", None),
            ("a.py:+1", None),
            (":3", None),
            ("a.py:99999999999999999999", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
            assert!(!is_fingerprint(text));
        }
        assert!(is_fingerprint(&format!("v1p:{}", "0f".repeat(16))) && !is_fingerprint("v1:12"));
    }
}

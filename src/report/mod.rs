//! Reports: one file per format. In: a [`crate::finding::Report`], already masked. Out: bytes, escaped for their sink.

use std::io::{self, Write};

use crate::finding::Report;

mod annotations;
mod csv;
mod escape;
mod gitlab;
mod html;
mod importance;
mod jsonl;
mod junit;
mod links;
mod markdown;
mod sarif;
mod text;
mod wording;

pub(crate) use escape::terminal_bytes;
pub(crate) use markdown::code;
pub use sarif::parts as sarif_parts;
pub(crate) use wording::place as words_of_place;

/// What a report that shows secrets says first.
const DATA_IN_CLEAR: &str = "this report shows secrets in clear: keep it away from logs, artifacts and other people";

/// How a report is to be written.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Secrets in clear (text and JSON lines only).
    pub show_secrets: bool,
    /// ANSI colours (text only).
    pub colour: bool,
    /// Terminal columns (text only).
    pub width: usize,
    /// Which consumer the SARIF is for.
    pub sarif_target: SarifTarget,
    /// Which part of a SARIF log in several this is, from 1 on; 0 and 1 for a whole one.
    pub sarif_part: usize,
    /// The run of Azure Pipelines that the SARIF for Azure DevOps belongs to, as far as it is known.
    pub azure_run: Option<AzureRun>,
    /// Whose commands the annotations are.
    pub annotations: Annotator,
    /// When the run began and when the report is written: seconds since 1970, UTC. GitLab's format alone asks for
    /// times; without them it gets the beginning of 1970.
    pub times: Option<(i64, i64)>,
    /// What checks and filters said (text only).
    pub explain: bool,
}

/// Which consumer a SARIF file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SarifTarget {
    /// No particular one.
    #[default]
    Generic,
    /// GitHub code scanning.
    GitHub,
    /// Azure DevOps Advanced Security.
    AzureDevOps,
}

/// Who reads annotations off the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Annotator {
    /// GitHub's runner.
    #[default]
    GitHub,
    /// The agent of Azure Pipelines.
    Azure,
}

/// What Azure Pipelines' agent tells of the run it is in. Source: "Predefined variables" of Azure Pipelines and the
/// validator's rules GHAzDO1019 and GHAzDO1020, read 2026-11.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureRun {
    /// The organisation, from `SYSTEM_COLLECTIONURI`.
    pub organisation: Option<String>,
    /// `SYSTEM_TEAMPROJECT`.
    pub project: Option<String>,
    /// `SYSTEM_DEFINITIONID`.
    pub definition_id: Option<u64>,
    /// `BUILD_DEFINITIONNAME`.
    pub definition_name: Option<String>,
    /// `SYSTEM_PHASEID`, else `SYSTEM_JOBID`: a GUID.
    pub phase_id: Option<String>,
    /// `SYSTEM_PHASENAME`, else `SYSTEM_JOBNAME`.
    pub phase_name: Option<String>,
    /// `BUILD_SOURCEBRANCH`.
    pub branch: Option<String>,
    /// `BUILD_BUILDID`.
    pub build_id: Option<u64>,
}

/// One report format.
pub trait Format: Sync {
    /// Its word on the command line.
    fn name(&self) -> &'static str;

    /// Writes the whole report. Same report, same bytes.
    ///
    /// # Errors
    /// Only what `out` gives.
    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()>;
}

/// Every format, in the order `--help` lists them.
pub static ALL: &[&dyn Format] = &[
    &text::Text,
    &jsonl::JsonLines,
    &sarif::Sarif,
    &csv::Csv,
    &junit::JUnit,
    &gitlab::GitLab,
    &markdown::Markdown,
    &html::Html,
    &annotations::Annotations,
];

/// The format named `name`.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}

//! Reports: one file per format. In: a [`crate::finding::Report`], already masked. Out: bytes, escaped for their sink.

use std::io::{self, Write};

use crate::finding::Report;

mod escape;
mod jsonl;
mod links;
mod sarif;
mod text;
mod wording;

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
pub static ALL: &[&dyn Format] = &[&text::Text, &jsonl::JsonLines, &sarif::Sarif];

/// The format named `name`.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}

//! Reports read back: SARIF and JSON lines that keytrail wrote, as the one type that every report is written from.
//!
//! In: the bytes of a report and its name for messages. Out: a [`Report`], as complete as the format carries it. A
//! report that was cut short, or whose own counts don't agree with what is in it, says so as an [`Unread`], so that
//! nobody takes the rest for everything. What another tool wrote is refused.
//!
//! Reports are files like others: sizes and depth are bounded, what names itself twice or isn't known is a mistake at
//! its line, and texts that a format's writer trusts (ids, fingerprints) are checked for their form.
//!
//! Not in any report, and so not read back: the order of commits, what `--explain` tells, and in SARIF the root as it
//! was spelled when that is an absolute path, and the folders of alternates.

use std::fmt;

use crate::finding::{Report, ScanReport};
use crate::source::{Unread, UnreadKind};

mod jsonl;
mod places;
mod rules;
mod sarif;
mod texts;
mod words;

/// Largest report that is read, bytes: some hundred thousand findings.
pub const MOST_BYTES: u64 = 1 << 30;

/// Characters of a report's own text that a message quotes.
const QUOTED: usize = 60;

/// Why a report can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The report's name.
    pub name: String,
    /// The line, 1-based, where there is one to name.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: ReadErrorKind,
}

/// What can be wrong with a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Neither of the two formats.
    #[error("no report: JSON lines or SARIF by keytrail are wanted")]
    NoReport,
    /// JSON that can't be read, or that isn't what the format asks for.
    #[error("{0}")]
    Json(String),
    /// Another tool's.
    #[error("written by `{0}`: only reports by keytrail can be read")]
    Foreign(String),
    /// A version of the format that isn't read.
    #[error("it is `{found}`, and this version reads `{known}`: use the keytrail that wrote it, or a newer one")]
    Version {
        /// What it says.
        found: String,
        /// What is read.
        known: &'static str,
    },
    /// A word that isn't one of the format's, or is of a newer version.
    #[error("{what} `{word}` is unknown here: use the keytrail that wrote it, or a newer one")]
    Unknown {
        /// Of what.
        what: &'static str,
        /// The word.
        word: String,
    },
    /// A value without the form it must have.
    #[error("{0}")]
    Value(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.name, self.kind),
            None => write!(f, "{}: {}", self.name, self.kind),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// Reads the report `bytes`, which messages call `name`. Its content tells its format.
///
/// # Errors
/// It is none, not ours, of another version, damaged in more than its end, or says what can't be.
pub fn report(bytes: &[u8], name: &str) -> Result<Report, ReadError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if jsonl::is_it(text) {
        return jsonl::report(text, name);
    }
    match text.trim_ascii_start().first() {
        Some(b'{') => sarif::report(text, name),
        _ => Err(ReadError { name: name.to_owned(), line: None, kind: ReadErrorKind::NoReport }),
    }
}

/// A piece of a report for a message.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// serde's message without its line and column.
fn json_error(error: &serde_json::Error) -> ReadErrorKind {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    ReadErrorKind::Json(quoted(text))
}

/// Notes in the last scan of a report that something of the report itself is missing.
fn incomplete(scans: &mut [ScanReport], name: &str, detail: &str) {
    if let Some(scan) = scans.last_mut() {
        scan.unread.push(Unread::new(UnreadKind::Corrupt, name, format!("{detail}; have it written anew")));
        scan.unread.sort();
    }
}

#[cfg(test)]
mod tests;

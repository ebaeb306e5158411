//! Why nothing could be started: the one error type of this room.

use std::fmt;
use std::io::{self, ErrorKind};

use super::exit::Exit;

/// A mistake in flags, environment or configuration, or a clone that lacks what a pipeline asks for. Nothing was scanned.
///
/// Each mistake is one line, `a: b: c`, that says what to change; a configuration with several gives them all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// Never empty.
    lines: Vec<String>,
    /// What the program ends with.
    exit: Exit,
}

impl CliError {
    /// One mistake.
    #[must_use]
    pub fn new(line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], exit: Exit::Usage }
    }

    /// Something that was to be scanned isn't here, and nobody's mistake in asking for it.
    #[must_use]
    pub fn incomplete(line: impl Into<String>) -> Self {
        Self { exit: Exit::Incomplete, ..Self::new(line) }
    }

    /// Several mistakes; `None` when there are none.
    #[must_use]
    pub fn all(lines: Vec<String>) -> Option<Self> {
        (!lines.is_empty()).then_some(Self { lines, exit: Exit::Usage })
    }

    /// What the program ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// One line a mistake, as it may be printed to a terminal: control and bidirectional characters escaped, since
    /// arguments and configuration may come from a stranger's repository.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.lines.iter().map(|line| printable(line))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, line) in self.lines().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&line)?;
        }
        Ok(())
    }
}

impl std::error::Error for CliError {}

/// An input or output error in words for whoever typed the command: without the system's number and without the names
/// of temporary files.
#[must_use]
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        _ if error.get_ref().is_some() => error.to_string(),
        ErrorKind::NotFound => "no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "a part of this path is no folder".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::StorageFull => "no space left".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error ").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// `text` with everything escaped that could steer a terminal or reorder what is read: C0 and C1 controls, bidirectional
/// controls, line and paragraph separators, and the marks that start a pipeline's logging command.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.replace("##vso[", "##\\vso[").replace("##[", "##\\[").replace("::", ":\\:")
}

/// Whether `c` changes how its neighbours are shown and shows nothing itself.
/// Source: Unicode Bidirectional Algorithm (UAX #9) section 2 for the bidirectional controls, read 2026-11.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_are_words() {
        let missing = std::fs::File::open("no/such/file").expect_err("it isn't there");
        assert_eq!(plain(&missing), "no such file or folder");
        assert_eq!(plain(&io::Error::new(ErrorKind::NotFound, "its folder isn't there")), "its folder isn't there");
        #[cfg(unix)]
        assert!(!plain(&io::Error::from_raw_os_error(5)).contains("os error"));
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let hostile = "a\u{1b}[31m\nb\u{202e}c\u{9b}d ##vso[task.complete]x ::stop-commands::y";
        let shown = CliError::new(hostile).to_string();
        for raw in ["\u{1b}", "\n", "\u{202e}", "\u{9b}", "##vso[", "::stop"] {
            assert!(!shown.contains(raw), "{raw:?} in {shown:?}");
        }
        assert_eq!(printable("plain `ü` text: b"), "plain `ü` text: b");
    }

    #[test]
    fn several_mistakes_are_several_lines() {
        let error = CliError::all(vec!["a: b".to_owned(), "c".to_owned()]).expect("there are two");
        assert_eq!(error.to_string(), "a: b\nc");
        assert_eq!(CliError::all(Vec::new()), None);
    }
}

//! What the terminal can show: colours and width.

use std::ffi::OsString;
use std::io::IsTerminal;

/// Columns of a text report that doesn't go to a terminal.
const PLAIN_WIDTH: usize = 100;

/// The narrowest a text report gets; below that, lines wrap by themselves.
const LEAST_WIDTH: usize = 40;

/// Looks up an environment variable.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What a text output can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// ANSI colours.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

impl Terminal {
    /// What standard output can use.
    #[must_use]
    pub fn stdout(env: Env<'_>) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let columns =
            is_terminal.then(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).flatten();
        Self { colour: colour(env, is_terminal), width: width(env, columns) }
    }

    /// What a file gets: no colours unless forced, a fixed width.
    #[must_use]
    pub fn file() -> Self {
        Self { colour: false, width: PLAIN_WIDTH }
    }
}

/// Whether to write colours to a stream that is or isn't a terminal.
///
/// Source: <https://no-color.org> (any value but the empty one) and <https://bixense.com/clicolors/>, read 2026-11:
/// `NO_COLOR` before `CLICOLOR_FORCE` before what the stream is.
pub(crate) fn colour(env: Env<'_>, is_terminal: bool) -> bool {
    let set = |name| env(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return false;
    }
    if env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
        return true;
    }
    is_terminal && !is_dumb(env)
}

/// Whether the terminal says that it can't move its cursor.
pub(crate) fn is_dumb(env: Env<'_>) -> bool {
    env("TERM").is_some_and(|value| value == "dumb")
}

/// Columns: `COLUMNS` (tests and pipelines set it), else what the terminal has, else a fixed number.
fn width(env: Env<'_>, terminal: Option<usize>) -> usize {
    let stated = env("COLUMNS").and_then(|value| value.to_str()?.trim().parse().ok());
    stated.or(terminal).unwrap_or(PLAIN_WIDTH).max(LEAST_WIDTH)
}

/// Whether a pipeline runs us: its logs are kept, and nobody watches them grow.
/// Source: `CI` is set by GitHub, GitLab and most others, not by Azure Pipelines, which sets `TF_BUILD`
/// (<https://learn.microsoft.com/azure/devops/pipelines/build/variables>, read 2026-11).
pub(crate) fn is_pipeline(env: Env<'_>) -> bool {
    ["CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI"].iter().any(|name| {
        env(name).is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("false") && value != "0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables, whether the stream is a terminal, whether it gets colours.
    type Row = (&'static [(&'static str, &'static str)], bool, bool);

    #[test]
    fn colours_follow_the_environment() {
        let table: [Row; 9] = [
            (&[], true, true),
            (&[], false, false),
            (&[("NO_COLOR", "1")], true, false),
            (&[("NO_COLOR", "")], true, true),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
            (&[("TERM", "dumb")], true, false),
            (&[("TERM", "xterm")], true, true),
        ];
        for (variables, is_terminal, expected) in table {
            let env =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(colour(&env, is_terminal), expected, "{variables:?} {is_terminal}");
        }
    }

    #[test]
    fn width_is_stated_measured_or_fixed() {
        let columns = |value: &'static str| move |name: &str| (name == "COLUMNS").then(|| OsString::from(value));
        assert_eq!(width(&columns("80"), Some(120)), 80);
        assert_eq!(width(&columns("x"), Some(120)), 120);
        assert_eq!(width(&columns(""), None), PLAIN_WIDTH);
        assert_eq!(width(&columns("3"), None), LEAST_WIDTH);
    }

    #[test]
    fn pipelines_are_recognised() {
        for (name, value, expected) in
            [("CI", "true", true), ("CI", "false", false), ("TF_BUILD", "True", true), ("X", "1", false)]
        {
            assert_eq!(is_pipeline(&|asked: &str| (asked == name).then(|| value.into())), expected, "{name}={value}");
        }
    }
}

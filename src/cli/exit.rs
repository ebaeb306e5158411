//! Exit codes: one enum, one mapping.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Everything was read and nothing was found that counts.
    Clean = 0,
    /// Findings that are not suppressed.
    Findings = 1,
    /// A mistake in flags, environment or configuration; nothing was scanned.
    Usage = 2,
    /// Something we were asked to scan was not read, or a report could not be written. Wins over the first two.
    Incomplete = 3,
}

impl Exit {
    /// How a scan ended that left `open` findings (suppressed ones are not among them) and was or wasn't
    /// `incomplete`.
    #[must_use]
    pub fn of(open: usize, incomplete: bool) -> Self {
        match (incomplete, open) {
            (true, _) => Self::Incomplete,
            (false, 0) => Self::Clean,
            (false, _) => Self::Findings,
        }
    }

    /// The number the program ends with. `for_findings` is what `--exit-code` puts in place of 1, and of 1 only.
    #[must_use]
    pub fn number(self, for_findings: u8) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => for_findings,
            Self::Usage => 2,
            Self::Incomplete => 3,
        }
    }

    /// [`Exit::number`] for `main`.
    #[must_use]
    pub fn code(self, for_findings: u8) -> ExitCode {
        ExitCode::from(self.number(for_findings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_wins_and_exit_code_replaces_findings_only() {
        // open findings (suppressed ones don't count), incomplete, `--exit-code`, expected
        let table = [
            (0, false, 1, 0),
            (2, false, 1, 1),
            (0, true, 1, 3),
            (2, true, 1, 3),
            (0, false, 42, 0),
            (2, false, 42, 42),
            (2, false, 0, 0),
            (2, true, 0, 3),
        ];
        for (open, incomplete, for_findings, expected) in table {
            assert_eq!(Exit::of(open, incomplete).number(for_findings), expected, "{open} {incomplete} {for_findings}");
        }
        assert_eq!(Exit::Usage.number(42), 2);
    }
}

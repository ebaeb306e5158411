//! What stands after the findings: what was not read, what was left out, what was only listed, notes.

use std::collections::BTreeMap;

use super::finding::wrapped;
use super::*;
use crate::source::{Excluded, Listed, Unread};

/// What a note begins with; its further lines are indented as far.
const NOTE: &str = "note: ";

/// Names shown of a group before "and N more".
const NAMES: usize = 10;

impl Page {
    /// Things that could not be read, grouped by what happened.
    pub(super) fn unread(&self, unread: &[Unread], out: &mut dyn Write) -> io::Result<()> {
        if unread.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.paint.warning("not read"))?;
        let mut groups: BTreeMap<_, Vec<&Unread>> = BTreeMap::new();
        for one in unread {
            groups.entry((one.kind, one.detail.as_str())).or_default().push(one);
        }
        for ((kind, detail), group) in groups {
            let n = grouped(group.len() as u64);
            writeln!(out, "  {} {n} {}: {}", self.paint.warning("!"), kind.word(), terminal(detail))?;
            for one in group.iter().take(NAMES) {
                let object = match &one.object {
                    Some(object) if object.as_bytes() != one.what => format!("  {}", terminal(object)),
                    _ => String::new(),
                };
                self.named(&format!("{}{}", terminal_bytes(&one.what), self.paint.quiet(&object)), out)?;
            }
            self.more(group.len(), out)?;
        }
        writeln!(out)
    }

    /// Exclusions, listed things and notes.
    pub(super) fn left_out(&self, scan: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
        let mut wrote = false;
        for line in excluded(&scan.excluded) {
            writeln!(out, "{}", self.paint.quiet(&line))?;
            wrote = true;
        }
        for (by, why, n) in &scan.dropped {
            let line = format!("{} dropped by {by}: {why}", count(*n, "candidate", "candidates"));
            writeln!(out, "{}", self.paint.quiet(&terminal(&line)))?;
            wrote = true;
        }
        let mut kinds: BTreeMap<_, Vec<&Listed>> = BTreeMap::new();
        for one in &scan.listed {
            kinds.entry(one.what).or_default().push(one);
        }
        for (what, group) in kinds {
            writeln!(out, "{}", self.paint.quiet(&format!("not entered: {} {what}", grouped(group.len() as u64))))?;
            for one in group.iter().take(NAMES) {
                self.named(&terminal_bytes(&one.path), out)?;
            }
            self.more(group.len(), out)?;
            wrote = true;
        }
        for note in &scan.notes {
            for (at, line) in wrapped(&terminal(note), self.width.saturating_sub(NOTE.len())).iter().enumerate() {
                writeln!(out, "{}{line}", if at == 0 { NOTE } else { "      " })?;
            }
            wrote = true;
        }
        if wrote { writeln!(out) } else { Ok(()) }
    }

    /// One name of a group.
    fn named(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "    {} {name}", self.paint.quiet("-"))
    }

    /// How many names of a group of `n` are not shown.
    fn more(&self, n: usize, out: &mut dyn Write) -> io::Result<()> {
        match n.saturating_sub(NAMES) {
            0 => Ok(()),
            more => self.named(&format!("and {} more (all of them: --format jsonl)", grouped(more as u64)), out),
        }
    }
}

/// What policy left out, a line for each reason. Test directories and the files in them share one.
fn excluded(excluded: &[(Excluded, u64)]) -> Vec<String> {
    let of = |wanted| excluded.iter().filter(|(why, _)| *why == wanted).map(|&(_, n)| n).sum::<u64>();
    let mut lines = Vec::new();
    let directories = count(of(Excluded::TestDirectory), "test directory", "test directories");
    let files = count(of(Excluded::TestFile), "file", "files");
    match (of(Excluded::TestFile), of(Excluded::TestDirectory)) {
        (0, 0) => {}
        (0, _) => lines.push(format!("{directories} not scanned (--include-tests)")),
        (_, 0) => lines.push(format!("{files} in test directories not scanned (--include-tests)")),
        (_, _) => lines.push(format!("{files} in {directories} not scanned (--include-tests)")),
    }
    for &(why, n) in excluded.iter().filter(|&&(_, n)| n > 0) {
        lines.push(match why {
            Excluded::TestDirectory | Excluded::TestFile => continue,
            Excluded::ExcludeGlob => format!("{} left out by exclude settings", count(n, "path", "paths")),
            Excluded::Allowlist => {
                format!("{} left out by allowlists of rule files", count(n, "place", "places"))
            }
            Excluded::UserLimit => format!("{} over a limit you set", count(n, "file", "files")),
            Excluded::Gitignored => format!("{} ignored by git (--gitignore)", count(n, "path", "paths")),
            Excluded::LowConfidence => {
                format!("{} under the confidence threshold (--confidence low)", count(n, "finding", "findings"))
            }
            Excluded::AcceptedUnread => {
                format!("{} accepted as unread by the configuration", count(n, "thing", "things"))
            }
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_directories_share_one_line_with_their_files() {
        let cases: [(&[(Excluded, u64)], &str); 4] = [
            (
                &[(Excluded::TestDirectory, 2), (Excluded::TestFile, 1_000)],
                "1,000 files in 2 test directories not scanned (--include-tests)",
            ),
            (
                &[(Excluded::TestDirectory, 1), (Excluded::TestFile, 1)],
                "1 file in 1 test directory not scanned (--include-tests)",
            ),
            (&[(Excluded::TestDirectory, 3)], "3 test directories not scanned (--include-tests)"),
            (&[(Excluded::TestFile, 3)], "3 files in test directories not scanned (--include-tests)"),
        ];
        for (counts, expected) in cases {
            assert_eq!(excluded(counts), [expected]);
        }
        assert_eq!(excluded(&[(Excluded::TestFile, 0), (Excluded::UserLimit, 0)]), [""; 0]);
    }
}

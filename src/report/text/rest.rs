//! What stands after the findings: what was not read, what was left out, what was only listed, notes.

use std::collections::BTreeMap;

use super::finding::wrapped;
use super::*;
use crate::report::wording::excluded;
use crate::source::{Listed, Unread};

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
        let mut kinds: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for one in &scan.listed {
            kinds.entry(&one.what).or_default().push(one);
        }
        for (what, group) in kinds {
            writeln!(
                out,
                "{}",
                self.paint.quiet(&format!("not entered: {} {}", grouped(group.len() as u64), terminal(what)))
            )?;
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

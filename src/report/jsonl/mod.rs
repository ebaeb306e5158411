//! JSON lines: one record a line, told apart by `type`, for programs.
//!
//! In: a report. Out: for each root a `scan` record, then its `finding`, `unread`, `excluded`, `listed`,
//! `observation` and `note` records, and one `summary` as the very last line; a report without it was cut. The
//! record types are frozen: they follow `docs/schema/jsonl-v1.schema.json`, not our internals, and only
//! ever gain fields. Nothing is held back until the end, so the size of a report costs no memory.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::CompactFormatter;

use crate::finding::{Report, ScanReport};
use crate::report::escape::Guarded;
use crate::report::links::Repository;
use crate::report::{Format, Style};

mod finding;
mod records;

use records::Record;

/// What the records of one root share.
struct Context<'a> {
    /// 0-based number of the root.
    scan: usize,
    /// The repository's page, for links.
    repository: Option<&'a Repository>,
    /// Whether the root is a machine's disk.
    machine: bool,
    /// Whether secrets are written in clear.
    show_secrets: bool,
}

/// The JSON lines format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonLines;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        for (index, scan) in report.scans.iter().enumerate() {
            write_scan(scan, index, style, out)?;
        }
        line(&Record::Summary(records::Summary::of(report)), out)
    }
}

/// Writes the records of one root.
fn write_scan(scan: &ScanReport, index: usize, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    line(&Record::Scan(Box::new(records::Scan::of(scan, index, style.show_secrets))), out)?;
    let repository = scan.root.repository.as_ref().and_then(Repository::of);
    let context = Context {
        scan: index,
        repository: repository.as_ref(),
        machine: scan.root.machine.is_some(),
        show_secrets: style.show_secrets,
    };
    for finding in &scan.findings {
        line(&Record::Finding(Box::new(finding::Finding::of(finding, &context))), out)?;
    }
    for unread in &scan.unread {
        line(&Record::Unread(records::Unread::of(unread, index)), out)?;
    }
    for &(why, count) in &scan.excluded {
        line(&Record::Excluded(records::Excluded { scan: index, why: why.word(), count }), out)?;
    }
    for listed in &scan.listed {
        line(&Record::Listed(records::Listed::of(listed, index)), out)?;
    }
    for fact in &scan.observations {
        line(&Record::Observation(records::Observation::of(fact, index)), out)?;
    }
    for text in &scan.notes {
        line(&Record::Note(records::Note { scan: index, text }), out)?;
    }
    Ok(())
}

/// Writes one record and its line break.
fn line(record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Guarded(CompactFormatter));
    record.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

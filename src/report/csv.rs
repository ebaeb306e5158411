//! CSV: one row for each place of each open or suppressed finding, for spreadsheets and for programs that read gitleaks'.
//!
//! In: a report. Out: RFC 4180 with a heading. The first columns are gitleaks', by name and order; `Secret` holds what
//! may be shown of it and `Match` the masked line. What we don't know (`SymlinkFile`, `Author`, `Message`, `Email`) is
//! empty. Ours follow. A table of findings has no row for what was not read: the exit code and the other formats tell.
//!
//! Cells are one line each. Those that a spreadsheet would take for a formula begin with an apostrophe instead
//! (OWASP "CSV Injection", read 2026-11).

use std::io::{self, Write};

use crate::finding::{Finding, Report, ScanReport, Sighting};
use crate::report::escape::{terminal, terminal_bytes};
use crate::report::wording::timestamp;
use crate::report::{Format, Style};

/// The heading: gitleaks' columns (its report writer `report/csv.go`, with `Link` left out), then ours.
const HEADING: [&str; 36] = [
    "RuleID",
    "Commit",
    "File",
    "SymlinkFile",
    "Secret",
    "Match",
    "StartLine",
    "EndLine",
    "StartColumn",
    "EndColumn",
    "Author",
    "Message",
    "Date",
    "Email",
    "Fingerprint",
    "Tags",
    "Name",
    "Severity",
    "Confidence",
    "Validity",
    "Open",
    "Suppression",
    "State",
    "Part",
    "Reference",
    "FirstCommit",
    "LastCommit",
    "Occurrences",
    "TargetKind",
    "TargetResource",
    "TargetHost",
    "TargetUser",
    "Recommendation",
    "Remediation",
    "ScanKind",
    "ScanName",
];

/// The CSV format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn write(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        row(&HEADING.map(str::to_owned), out)?;
        for scan in &report.scans {
            for finding in &scan.findings {
                for seen in &finding.places {
                    row(&cells(scan, finding, seen), out)?;
                }
            }
        }
        Ok(())
    }
}

/// The cells of a place, in the order of [`HEADING`], not yet escaped for CSV.
fn cells(scan: &ScanReport, finding: &Finding, seen: &Sighting) -> [String; 36] {
    let place = &seen.place;
    let (start, end) = (seen.region.start, seen.region.end);
    let newest = place.last.as_ref().or(place.first.as_ref());
    let commit = newest.map(|commit| commit.id.clone()).unwrap_or_default();
    let date = newest.and_then(|commit| timestamp(commit.author_time)).unwrap_or_default();
    let path = std::iter::once(&place.provenance.path).chain(&place.provenance.members).map(Vec::as_slice);
    let path = path.collect::<Vec<_>>().join(b"!/".as_slice());
    let id = |commit: &Option<std::sync::Arc<crate::place::Commit>>| {
        commit.as_ref().map(|commit| commit.id.clone()).unwrap_or_default()
    };
    let tags = finding.rule.terms.iter().flat_map(|terms| terms.tags.iter().cloned()).collect::<Vec<_>>().join(" ");
    let suppressions: Vec<String> =
        finding.suppressions.iter().map(|one| format!("{}: {}", one.status.word(), one.reason)).collect();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        finding.rule.id.to_string(),
        commit,
        terminal_bytes(&path),
        String::new(),
        finding.preview.clone(),
        seen.excerpt.clone(),
        start.line.to_string(),
        end.line.to_string(),
        start.column.to_string(),
        end.column.to_string(),
        String::new(),
        String::new(),
        date,
        String::new(),
        finding.fingerprint.clone(),
        tags,
        finding.rule.name.to_string(),
        finding.severity.word().to_owned(),
        finding.confidence.to_string(),
        finding.validity.word().to_owned(),
        finding.is_open().to_string(),
        suppressions.join("; "),
        place.state.word().to_owned(),
        place.provenance.part.word().to_owned(),
        place.reference.as_deref().map(terminal_bytes).unwrap_or_default(),
        id(&place.first),
        id(&place.last),
        seen.occurrences.to_string(),
        seen.target.kind.clone(),
        optional(&seen.target.resource),
        optional(&seen.target.host),
        optional(&seen.target.user),
        finding.recommendation.map(|row| row.name.to_owned()).unwrap_or_default(),
        finding.remedy.title.to_string(),
        scan.root.kind.to_owned(),
        scan.root.name.clone(),
    ]
}

/// Writes a row.
fn row(cells: &[String], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// A cell: on one line, no formula, quoted where RFC 4180 asks for it.
fn escaped(cell: &str) -> String {
    // Before control characters are made visible: a tab or carriage return leads a formula too.
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    let text = format!("{guard}{}", terminal(cell));
    let needs_quotes = text.contains([',', '"']) || text.starts_with(' ') || text.ends_with(' ');
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (cell, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("-2", "'-2"),
            ("+2", "'+2"),
            ("\tx", "'\\tx"),
            ("\r=x", "'\\r=x"),
            ("a\nb", "a\\nb"),
            ("", ""),
        ] {
            assert_eq!(escaped(cell), expected);
        }
    }
}

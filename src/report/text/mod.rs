//! Text for people: short, grouped by finding, aligned.
//!
//! In: a report. Out: for each root a heading, its findings (severity, what, preview, places, the masked line, what to
//! do), what was left out and what could not be read, and one closing line that never says clean when something is
//! unread or nothing was scanned. Scanned data goes through [`terminal`] and never begins a line: every line
//! starts with a word or a mark of ours.

use std::io::{self, Write};

use crate::finding::{BaselineState, Report, ScanReport};
use crate::place::State;
use crate::report::escape::{terminal, terminal_bytes};
use crate::report::wording::{count, day, grouped, opens, place, short, size};
use crate::report::{DATA_IN_CLEAR, Format, Style};
use crate::rule::Severity;

mod finding;
mod paint;
mod rest;

use paint::Paint;

/// The text format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let page = Page {
            paint: Paint::new(style.colour),
            width: width(style.width),
            secrets: style.show_secrets,
            explain: style.explain,
        };
        if style.show_secrets {
            writeln!(out, "{}\n", page.paint.warning(&format!("warning: {DATA_IN_CLEAR}")))?;
        }
        for scan in &report.scans {
            page.scan(scan, out)?;
        }
        writeln!(out, "{}", page.closing(report))
    }
}

/// How this report looks.
struct Page {
    /// Colours, or none.
    paint: Paint,
    /// Columns to wrap our own sentences at.
    width: usize,
    /// Whether secrets are shown.
    secrets: bool,
    /// Whether it is told what checks and filters said.
    explain: bool,
}

/// The columns to write for: what the terminal has, within what reads well; 100 when unknown.
fn width(columns: usize) -> usize {
    if columns == 0 { 100 } else { columns.clamp(40, 120) }
}

impl Page {
    /// One root.
    fn scan(&self, scan: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
        let paint = &self.paint;
        let mut heading = format!("{} {}", paint.strong(scan.root.kind), paint.strong(&terminal(&scan.root.name)));
        if let Some(repository) = &scan.root.repository {
            let head = repository.head.as_deref().map(|head| head.get(..12).unwrap_or(head));
            for part in [repository.branch.as_deref(), head].into_iter().flatten() {
                heading.push_str(&paint.quiet(&format!("  {}", terminal(part))));
            }
        }
        if let Some(os) = scan.root.machine.as_ref().and_then(|machine| machine.os.as_deref()) {
            heading.push_str(&paint.quiet(&format!("  {}", terminal(os))));
        }
        writeln!(out, "{heading}\n")?;
        for found in scan.findings.iter().filter(|found| found.is_open()) {
            self.finding(found, out)?;
        }
        let suppressed: Vec<_> = scan.findings.iter().filter(|found| !found.is_open()).collect();
        self.suppressed(&suppressed, out)?;
        self.unread(&scan.unread, out)?;
        self.left_out(scan, out)
    }

    /// A line with a label in the margin: `  label   content`.
    fn labelled(&self, label: &str, content: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "  {}{content}", self.paint.quiet(&format!("{label:<MARGIN$}")))
    }

    /// The closing line: what this run amounts to.
    fn closing(&self, report: &Report) -> String {
        let scans = &report.scans;
        let contents: u64 = scans.iter().map(|scan| scan.contents).sum();
        let bytes: u64 = scans.iter().map(|scan| scan.bytes).sum();
        let unread: usize = scans.iter().map(|scan| scan.unread.len()).sum();
        let suppressed = scans.iter().map(|scan| scan.findings.len()).sum::<usize>() - report.open_findings();
        let known: u64 = scans.iter().map(|scan| scan.known_clean).sum();
        let scanned = match contents {
            0 => format!("only names and messages scanned, {}", size(bytes)),
            n => format!("{} scanned, {}", count(n, "content", "contents"), size(bytes)),
        };
        let scanned = match known {
            0 => scanned,
            n => format!("{scanned}; {} known from earlier scans", count(n, "content", "contents")),
        };
        let found = match report.open_findings() as u64 {
            0 => "no findings".to_owned(),
            n => format!("{} ({})", count(n, "finding", "findings"), by_severity(report)),
        };
        let findings = scans.iter().flat_map(|scan| &scan.findings);
        let known_before =
            findings.filter(|found| !found.is_open() && found.baseline == Some(BaselineState::Unchanged));
        let found = match (suppressed as u64, known_before.count() as u64) {
            (0, _) => found,
            (n, 0) => format!("{found}, {} suppressed", grouped(n)),
            (n, known) => format!("{found}, {} suppressed ({} in the baseline)", grouped(n), grouped(known)),
        };
        if report.is_incomplete() {
            let unread = count(unread as u64, "thing", "things");
            return self.paint.warning(&format!("incomplete: {unread} not read; {found} so far; {scanned}"));
        }
        if bytes == 0 && known == 0 && report.open_findings() == 0 {
            return self.paint.warning("nothing scanned: there was nothing to read in what was asked for");
        }
        if report.open_findings() > 0 {
            return self.paint.strong(&format!("{found}; {scanned}"));
        }
        self.paint.good(&format!("clean: {found}; {scanned}"))
    }
}

/// Columns from a label to what it labels, without the two of the indent.
const MARGIN: usize = 8;

/// `1 critical, 3 high`.
fn by_severity(report: &Report) -> String {
    let mut parts = Vec::new();
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        let findings = report.scans.iter().flat_map(|scan| &scan.findings);
        let n = findings.filter(|found| found.is_open() && found.severity == severity).count();
        if n > 0 {
            parts.push(format!("{} {}", grouped(n as u64), severity.word()));
        }
    }
    parts.join(", ")
}

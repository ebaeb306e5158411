//! JUnit XML: what the test pages of pipelines show.
//!
//! In: a report. Out: one suite for each root; an open finding is a failed case, a suppressed one a skipped case, a
//! thing that was not read a case with an error, and a root with none of these has one case that passed. Scanned data
//! is text of elements and attributes only, without what XML can't hold.
//!
//! There is no one standard; the elements and attributes are those that Jenkins', GitLab's and Azure Pipelines' readers
//! share (GitLab "Unit test report examples", Azure "PublishTestResults@2", read 2026-11).

use std::io::{self, Write};

use crate::finding::{Finding, Report, ScanReport, Sighting, SuppressionStatus};
use crate::place::Part;
use crate::report::escape::{display, terminal, terminal_bytes};
use crate::report::wording::{count, opens, place};
use crate::report::{Format, Style};
use crate::source::Unread;

/// Places that a failure lists.
const PLACES: usize = 100;

/// The JUnit format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JUnit;

impl Format for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn write(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let suites: Vec<Suite<'_>> = report.scans.iter().map(Suite::of).collect();
        let sum = |of: fn(&Suite<'_>) -> usize| suites.iter().map(of).sum::<usize>();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"keytrail\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"0\">",
            sum(|suite| suite.tests()),
            sum(|suite| suite.open),
            sum(|suite| suite.scan.unread.len()),
        )?;
        for suite in &suites {
            suite.write(out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

/// The suite of a root.
struct Suite<'r> {
    scan: &'r ScanReport,
    /// Findings that count.
    open: usize,
}

impl<'r> Suite<'r> {
    /// The suite of a scan.
    fn of(scan: &'r ScanReport) -> Self {
        Self { scan, open: scan.findings.iter().filter(|finding| finding.is_open()).count() }
    }

    /// How many cases it has.
    fn tests(&self) -> usize {
        (self.scan.findings.len() + self.scan.unread.len()).max(1)
    }

    /// Writes it.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let scan = self.scan;
        let name = xml(&format!("{} {}", scan.root.kind, scan.root.name));
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">",
            self.tests(),
            self.open,
            scan.unread.len(),
            scan.findings.len() - self.open,
        )?;
        for finding in &scan.findings {
            case(finding, out)?;
        }
        for unread in &scan.unread {
            not_read(unread, out)?;
        }
        if scan.findings.is_empty() && scan.unread.is_empty() {
            let contents = count(scan.contents, "content", "contents");
            let name = format!("no secret found ({contents} scanned)");
            writeln!(out, "    <testcase classname=\"keytrail\" name=\"{}\" time=\"0\"/>", xml(&name))?;
        }
        writeln!(out, "  </testsuite>")
    }
}

/// A finding as a case.
fn case(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let first = finding.places.first().map(|seen| terminal_bytes(&place(&seen.place))).unwrap_or_default();
    // The name is the case's identity from run to run, so it holds no line.
    let name = format!("{} {} in {first}", finding.rule.name, finding.preview);
    let file = finding.places.first().map(file).unwrap_or_default();
    write!(out, "    <testcase classname=\"{}\" name=\"{}\"{file} time=\"0\">", xml(&finding.rule.id), xml(&name))?;
    if finding.is_open() {
        let (severity, details) = (finding.severity.word(), details(finding));
        write!(out, "<failure type=\"{severity}\" message=\"{}\">{details}</failure>", xml(&name))?;
    } else {
        let accepted = finding.suppressions.iter().filter(|one| one.status == SuppressionStatus::Accepted);
        let reasons: Vec<&str> = accepted.map(|one| one.reason.as_str()).collect();
        write!(out, "<skipped message=\"{}\"/>", xml(&format!("suppressed: {}", reasons.join("; "))))?;
    }
    writeln!(out, "</testcase>")
}

/// The attributes that name a place's file and line; none for what is no file.
fn file(seen: &Sighting) -> String {
    let provenance = &seen.place.provenance;
    if provenance.part != Part::Content || provenance.path.is_empty() {
        return String::new();
    }
    format!(" file=\"{}\" line=\"{}\"", xml(&display(&provenance.path).0), seen.region.start.line)
}

/// Something that was not read as a case.
fn not_read(unread: &Unread, out: &mut dyn Write) -> io::Result<()> {
    let (what, detail) = (terminal_bytes(&unread.what), &unread.detail);
    writeln!(
        out,
        "    <testcase classname=\"keytrail.unread\" name=\"{}\" time=\"0\"><error type=\"{}\" message=\"{}\">{}</error></testcase>",
        xml(&format!("not read: {what}")),
        unread.kind.word(),
        xml(detail),
        xml(&format!("{what}: {detail}")),
    )
}

/// Places, what it opens and what to do, a line each, escaped.
fn details(finding: &Finding) -> String {
    let mut lines: Vec<String> =
        finding.places.iter().take(PLACES).map(|seen| format!("at {}", address(seen))).collect();
    if finding.places.len() > PLACES {
        lines.push(format!("and {}", count((finding.places.len() - PLACES) as u64, "more place", "more places")));
    }
    lines.extend(opens(&finding.target).map(|opens| format!("opens {opens}")));
    lines.extend(finding.remedy.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)));
    lines.push(format!("confidence {}%, id {}", finding.confidence, finding.fingerprint));
    lines.iter().map(|line| xml(line)).collect::<Vec<_>>().join("\n")
}

/// `path:line`, not yet escaped for XML.
fn address(seen: &Sighting) -> String {
    let name = terminal_bytes(&place(&seen.place));
    match seen.place.provenance.part {
        Part::PathName | Part::RefName => name,
        _ => format!("{name}:{}", seen.region.start.line),
    }
}

/// `text` for an element or a double-quoted attribute: what acts made visible, which takes every control character XML
/// can't hold, and the two code points that it can't hold besides (XML 1.0 section 2.2).
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_no_markup_and_no_character_that_it_cannot_hold() {
        assert_eq!(xml("<a b=\"c\">&]]>"), "&lt;a b=&quot;c&quot;&gt;&amp;]]&gt;");
        assert_eq!(xml("\u{0}\u{b}\u{1b}\u{fffe}\u{ffff}\n"), "\\u{0}\\u{b}\\u{1b}\\u{fffe}\\u{ffff}\\n");
    }
}

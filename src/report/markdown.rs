//! Markdown: a page for job summaries and comments.
//!
//! In: a report. Out: what the run amounts to, a table of open findings with the most important first, what was not
//! read, what was left out, and notes; never more than [`MOST_BYTES`], with what didn't fit counted. GitHub refuses a
//! step's summary over 1 MiB ("Workflow commands", adding a job summary, read 2026-11).
//!
//! Scanned data stands in code spans alone ([`code`]): in them nothing is a link, a mention, an image, HTML or emphasis,
//! neither for Markdown nor for what hosts do to a page afterwards.

use std::io::{self, Write};

use crate::finding::{Finding, Report, Sighting};
use crate::place::{Part, State};
use crate::report::escape::{terminal, terminal_bytes};
use crate::report::importance::{Ranked, ranked};
use crate::report::wording::{closing, count, day, excluded, opens, place};
use crate::report::{Format, Style};
use crate::source::Unread;

/// Longest page, bytes: 1 MiB less what others may add to the summary of the same step.
const MOST_BYTES: usize = 1_048_576 - 65_536;

/// What the lists after the table may take of it, bytes.
const REST_BYTES: usize = 131_072;

/// Longest text in one code span, characters.
const LONGEST: usize = 300;

/// The Markdown format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn write(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let (_, headline) = closing(report);
        let mut page = Page { text: format!("## keytrail\n\n**{headline}**\n"), most: MOST_BYTES - REST_BYTES };
        let findings = ranked(report);
        if !findings.is_empty() {
            page.text.push_str("\n| severity | secret | where | since | what to do |\n|---|---|---|---|---|\n");
            page.list(findings.iter().map(|one| row(one, report.scans.len() > 1)), "finding", "findings");
        }
        page.most = MOST_BYTES - REST_BYTES / 4;
        let unread: Vec<_> = report.scans.iter().flat_map(|scan| &scan.unread).map(not_read).collect();
        page.section("Not read", unread, "thing", "things");
        page.most = MOST_BYTES - 1024;
        page.section("Left out", left_out(report), "line", "lines");
        let mut notes: Vec<_> =
            report.scans.iter().flat_map(|scan| &scan.notes).map(|note| format!("- {}\n", code(note))).collect();
        notes.dedup();
        page.section("Notes", notes, "note", "notes");
        out.write_all(page.text.as_bytes())
    }
}

/// A page that grows within a limit.
struct Page {
    text: String,
    /// Bytes it may take so far.
    most: usize,
}

impl Page {
    /// A heading and a list, if there is anything to list.
    fn section(&mut self, heading: &str, lines: Vec<String>, one: &str, many: &str) {
        if !lines.is_empty() {
            self.text.push_str(&format!("\n### {heading}\n\n"));
            self.list(lines.into_iter(), one, many);
        }
    }

    /// As many of `lines` as fit, and how many didn't.
    fn list(&mut self, lines: impl Iterator<Item = String>, one: &str, many: &str) {
        let mut left = 0;
        for line in lines {
            if left == 0 && self.text.len() + line.len() <= self.most {
                self.text.push_str(&line);
            } else {
                left += 1;
            }
        }
        if left > 0 {
            self.text.push_str(&format!(
                "\n{} (the other formats list all of them)\n",
                count(left, &format!("more {one}"), &format!("more {many}"))
            ));
        }
    }
}

/// A finding as a row of the table.
fn row(ranked: &Ranked<'_>, names_root: bool) -> String {
    let finding = ranked.finding;
    let mut cell = Vec::new();
    if names_root {
        cell.push(format!("{} {}", ranked.scan.root.kind, code(&ranked.scan.root.name)));
    }
    cell.extend(finding.places.first().map(address));
    let more = finding.places.len().saturating_sub(1) as u64;
    if more > 0 {
        cell.push(count(more, "other place", "other places"));
    }
    cell.extend(gone(finding));
    let since = finding.places.iter().filter_map(|seen| seen.place.first.as_ref()).map(|first| first.author_time).min();
    let since = since.and_then(day).unwrap_or_default();
    let mut what = format!("{} {}", code(&finding.rule.name), code(&finding.preview));
    if let Some(opens) = opens(&finding.target) {
        what.push_str(&format!(" opens {}", code(&opens)));
    }
    format!(
        "| {} | {what} | {} | {since} | {} |\n",
        finding.severity.word(),
        cell.join(", "),
        code(&finding.remedy.title)
    )
}

/// A place and its line.
fn address(seen: &Sighting) -> String {
    let name = code(&terminal_bytes(&place(&seen.place)));
    match seen.place.provenance.part {
        Part::PathName | Part::RefName => name,
        _ => format!("{name} line {}", seen.region.start.line),
    }
}

/// That a secret is no longer where people look.
fn gone(finding: &Finding) -> Option<String> {
    match finding.state() {
        State::HistoryOnly => Some("in the history only".to_owned()),
        State::Unreachable => Some("in objects that no ref leads to".to_owned()),
        State::DefaultTip | State::Tip | State::Index | State::Present => None,
    }
}

/// Something unread as a line.
fn not_read(unread: &Unread) -> String {
    let kind = unread.kind.word().replace('-', " ");
    format!("- {kind}: {}: {}\n", code(&terminal_bytes(&unread.what)), code(&unread.detail))
}

/// What policy left out, a line for each reason and root.
fn left_out(report: &Report) -> Vec<String> {
    let several = report.scans.len() > 1;
    let mut lines = Vec::new();
    for scan in &report.scans {
        let root = if several { format!("{} {}: ", scan.root.kind, code(&scan.root.name)) } else { String::new() };
        lines.extend(excluded(&scan.excluded).iter().map(|line| format!("- {root}{line}\n")));
        if !scan.listed.is_empty() {
            let listed = count(scan.listed.len() as u64, "thing", "things");
            lines.push(format!("- {root}{listed} not entered (submodules, devices and the like)\n"));
        }
    }
    lines
}

/// `text` as a code span: what acts made visible, on one line, cut where it is long. Backticks would end the span and
/// bars the cell of a table, and neither can be escaped within both: they become apostrophes and an escape of ours.
pub(crate) fn code(text: &str) -> String {
    let mut text = terminal(text).replace('`', "'").replace('|', "\\u{7c}");
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    // A span of blanks alone is none, and an empty one can't be written.
    if text.trim().is_empty() { "`-`".to_owned() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_anything() {
        for (text, expected) in [
            ("a|b`c", "`a\\u{7c}b'c`"),
            ("<img src=x>@me [x](y)\n# z", "`<img src=x>@me [x](y)\\n# z`"),
            ("", "`-`"),
            ("  ", "`-`"),
            ("\\", "`\\`"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(code(&"ü".repeat(1000)).chars().count(), LONGEST + 3);
    }
}

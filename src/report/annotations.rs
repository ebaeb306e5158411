//! Annotations: workflow commands that make the page of a pipeline's run show findings at their lines.
//!
//! In: a report, and whose commands to write ([`Annotator`]). Out: at most [`MOST`] commands, the most important
//! findings first, then what was not read, and one last line with the totals, since hosts drop what is too much without
//! a word. Suppressed findings are left out. This is the one format whose lines are meant to be obeyed, so all scanned
//! data in it passes [`terminal`] and then the command's own escaping: none of it begins a line, ends a value or is
//! read as a command.
//!
//! Sources, read 2026-11: "Workflow commands for GitHub Actions" and actions/runner, `ActionCommand.cs` (escapes of data and
//! of property values; ten annotations of each level for a step); "Logging commands" of Azure Pipelines and
//! microsoft/azure-pipelines-agent, `CommandStringConvertor` (`%AZP25`).

use std::io::{self, Write};

use crate::finding::{Finding, Report, ScanReport, Sighting};
use crate::place::{Part, State};
use crate::report::escape::{display, terminal, terminal_bytes};
use crate::report::importance::{Ranked, ranked};
use crate::report::wording::{Outcome, closing, count, opens, place};
use crate::report::{Annotator, Format, Style};
use crate::rule::Severity;
use crate::source::Unread;

/// Annotations at most, the line of totals aside: GitHub shows ten of a level for each step and drops the rest.
const MOST: usize = 10;

/// Annotations kept for what was not read, where there are more findings than fit.
const UNREAD: usize = 2;

/// The annotations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Annotations;

impl Format for Annotations {
    fn name(&self) -> &'static str {
        "annotations"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let findings = ranked(report);
        let unread: Vec<&Unread> = report.scans.iter().flat_map(|scan| &scan.unread).collect();
        let shown = findings.len().min(MOST - unread.len().min(UNREAD));
        let unread_shown = unread.len().min(MOST - shown);
        for one in &findings[..shown] {
            writeln!(out, "{}", Command::of_finding(one).written(style.annotations))?;
        }
        for one in &unread[..unread_shown] {
            writeln!(out, "{}", Command::of_unread(one).written(style.annotations))?;
        }
        let left = findings.len() + unread.len() - shown - unread_shown;
        writeln!(out, "{}", totals(report, left, style.annotations))
    }
}

/// How loud a command is.
#[derive(Clone, Copy)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    /// The level of a severity.
    fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low => Self::Notice,
        }
    }

    /// GitHub's word.
    fn github(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// Azure's word; it has no third.
    fn azure(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning | Self::Notice => "warning",
        }
    }
}

/// One annotation, its texts without what would act, not yet escaped for the command.
struct Command {
    level: Level,
    /// Where it is shown.
    spot: Option<Spot>,
    title: String,
    /// Rule id; empty for none.
    code: String,
    message: String,
}

/// A place in a file that is checked out.
struct Spot {
    path: String,
    /// First and last line, 1-based.
    lines: (u64, u64),
    /// First column and one past the last, 1-based, in UTF-16 code units.
    columns: (u64, u64),
}

impl Command {
    /// The annotation of a finding.
    fn of_finding(one: &Ranked<'_>) -> Self {
        let finding = one.finding;
        Self {
            level: Level::of(finding.severity),
            spot: finding.places.iter().find_map(|seen| spot(one.scan, seen)),
            title: terminal(&finding.rule.name),
            code: terminal(&finding.rule.id),
            message: message(finding),
        }
    }

    /// The annotation of something that was not read.
    fn of_unread(unread: &Unread) -> Self {
        Self {
            level: Level::Warning,
            spot: None,
            title: "Not read".to_owned(),
            code: String::new(),
            message: format!("Not read: '{}': {}", terminal_bytes(&unread.what), terminal(&unread.detail)),
        }
    }

    /// The command's line, without its line break.
    fn written(&self, annotator: Annotator) -> String {
        match annotator {
            Annotator::GitHub => self.github(),
            Annotator::Azure => self.azure(),
        }
    }

    /// `::error file=F,line=L,…::message`.
    fn github(&self) -> String {
        let mut properties = Vec::new();
        if let Some(Spot { path, lines, columns }) = &self.spot {
            properties.push(format!("file={}", github_value(path)));
            properties.push(format!("line={},endLine={}", lines.0, lines.1));
            properties.push(format!("col={}", columns.0));
            if lines.0 == lines.1 {
                properties.push(format!("endColumn={}", columns.1));
            }
        }
        properties.push(format!("title={}", github_value(&self.title)));
        format!("::{} {}::{}", self.level.github(), properties.join(","), github_data(&self.message))
    }

    /// `##vso[task.logissue type=error;sourcepath=F;…]message`.
    fn azure(&self) -> String {
        let mut properties = format!("type={};", self.level.azure());
        if let Some(Spot { path, lines, columns }) = &self.spot {
            let path = azure_value(path);
            properties.push_str(&format!("sourcepath={path};linenumber={};columnnumber={};", lines.0, columns.0));
        }
        if !self.code.is_empty() {
            properties.push_str(&format!("code={};", azure_value(&self.code)));
        }
        format!("##vso[task.logissue {properties}]{}", azure_data(&self.message))
    }
}

/// The last line: what the run amounts to, and how much of it is not above.
fn totals(report: &Report, left: usize, annotator: Annotator) -> String {
    let (outcome, mut text) = closing(report);
    if left > 0 {
        text.push_str(&format!("; {} not shown here", count(left as u64, "more is", "more are")));
    }
    let text = format!("keytrail: {}", terminal(&text));
    match (annotator, outcome) {
        (Annotator::GitHub, _) => format!("::notice title=keytrail::{}", github_data(&text)),
        (Annotator::Azure, Outcome::Clean) => text,
        (Annotator::Azure, _) => format!("##vso[task.logissue type=warning;]{}", azure_data(&text)),
    }
}

/// What was found, where, and what to do first.
fn message(finding: &Finding) -> String {
    let first = finding.places.first().map(|seen| terminal_bytes(&place(&seen.place))).unwrap_or_default();
    let mut text = format!("{} {} in '{first}'", terminal(&finding.rule.name), terminal(&finding.preview));
    let more = finding.places.len().saturating_sub(1) as u64;
    if more > 0 {
        text.push_str(&format!(" and {}", count(more, "other place", "other places")));
    }
    match finding.state() {
        State::HistoryOnly => text.push_str(", gone from the tips but not from the history"),
        State::Unreachable => text.push_str(", in objects that no ref leads to"),
        State::DefaultTip | State::Tip | State::Index | State::Present => {}
    }
    text.push('.');
    if let Some(opens) = opens(&finding.target) {
        text.push_str(&format!(" It opens {}.", terminal(&opens)));
    }
    if let Some(step) = finding.remedy.steps.first() {
        text.push_str(&format!(" {}", terminal(step)));
    }
    text.push_str(&format!(" ({})", terminal(&finding.fingerprint)));
    text
}

/// Where a place can be shown: in a file that is there, as it is checked out. What stands in a container, in a
/// message or in older commits alone has no line of such a file.
fn spot(scan: &ScanReport, seen: &Sighting) -> Option<Spot> {
    let provenance = &seen.place.provenance;
    let is_there = match seen.place.state {
        State::DefaultTip | State::Tip | State::Index | State::Present => true,
        State::HistoryOnly | State::Unreachable => false,
    };
    let is_file = provenance.part == Part::Content && provenance.members.is_empty() && !provenance.path.is_empty();
    if !is_there || !is_file || scan.root.kind == "image" {
        return None;
    }
    let path = terminal(&display(&provenance.path).0);
    let path = match folder(scan, &path) {
        Some(folder) => format!("{}/{path}", terminal(&folder)),
        None => path,
    };
    let (start, end) = (seen.region.start, seen.region.end);
    Some(Spot { path, lines: (start.line, end.line), columns: (start.column, end.column) })
}

/// The folder, below the one we stand in, that paths of a scan of files start from; `None` for that folder itself.
fn folder(scan: &ScanReport, path: &str) -> Option<String> {
    if scan.root.kind != "files" {
        return None;
    }
    let spelled = scan.root.spelled.replace('\\', "/");
    let mut parts: Vec<&str> = spelled.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // A root that is a file names it, and its one path does so again.
    if parts.last() == Some(&path) {
        parts.pop();
    }
    let lead = if spelled.starts_with('/') { "/" } else { "" };
    (!parts.is_empty()).then(|| format!("{lead}{}", parts.join("/")))
}

/// A message of GitHub's commands.
fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value of GitHub's commands.
fn github_value(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A message of Azure's commands.
fn azure_data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value of Azure's commands.
fn azure_value(text: &str) -> String {
    azure_data(text).replace(']', "%5D").replace(';', "%3B")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::RootFacts;

    #[test]
    fn values_end_nowhere_but_where_they_should() {
        assert_eq!(github_data("100%: a,b\r\nc"), "100%25: a,b%0D%0Ac");
        assert_eq!(github_value("100%: a,b\r\nc"), "100%25%3A a%2Cb%0D%0Ac");
        assert_eq!(azure_data("100%;]\r\n"), "100%AZP25;]%0D%0A");
        assert_eq!(azure_value("a;b]c%3B"), "a%3Bb%5Dc%AZP253B");
    }

    #[test]
    fn paths_start_where_the_run_stands() {
        let of = |kind, spelled: &str, path: &str| {
            let root = RootFacts { kind, spelled: spelled.into(), ..RootFacts::default() };
            folder(&ScanReport { root, ..ScanReport::default() }, path)
        };
        assert_eq!(of("history", "sub/repo", "a"), None);
        assert_eq!(of("files", ".", "a"), None);
        assert_eq!(of("files", "./src/", "a"), Some("src".into()));
        assert_eq!(of("files", "src/a.rs", "a.rs"), Some("src".into()));
        assert_eq!(of("files", "a.rs", "a.rs"), None);
        assert_eq!(of("files", "/srv/app", "a"), Some("/srv/app".into()));
    }
}

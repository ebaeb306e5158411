//! Reports on their way out: targets opened before there is anything to write, each report written to its own.

use super::{CliError, Env};
use crate::cli::error::plain;
use crate::cli::{self, ReportFormat, ReportTo, Settings, output};
use crate::finding::Report;
use crate::report::{self, Format, Style};

/// What came of writing.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What the user should know.
    pub(super) told: Vec<String>,
    /// What could not be written.
    pub(super) problems: Vec<String>,
}

/// A target as the user knows it.
fn name_of(target: &output::Target) -> String {
    match target {
        output::Target::Stdout => "standard output".to_owned(),
        output::Target::File(path) => path.display().to_string(),
    }
}

/// Opens every report's target before the scan, so that a folder that isn't there is known at once.
pub(super) fn open_targets(settings: &Settings) -> Result<Vec<output::Output>, CliError> {
    let open = |report: &ReportTo| {
        report.target.open().map_err(|error| CliError::new(format!("{}: {}", name_of(&report.target), plain(&error))))
    };
    settings.reports.iter().map(open).collect()
}

/// Writes every report, `began` being when the run did (seconds since 1970, UTC).
pub(super) fn write(
    report: &Report,
    settings: &Settings,
    targets: Vec<output::Output>,
    began: i64,
    env: Env<'_>,
) -> Written {
    let times = (began, jiff::Timestamp::now().as_second());
    let mut written = Written::default();
    for (to, out) in settings.reports.iter().zip(targets) {
        let terminal = match to.target {
            output::Target::Stdout => cli::terminal::Terminal::stdout(env),
            output::Target::File(_) => cli::terminal::Terminal::file(),
        };
        let style = Style {
            show_secrets: settings.show_secrets,
            colour: terminal.colour,
            width: terminal.width,
            sarif_target: settings.sarif_target,
            sarif_part: 1,
            azure_run: settings.azure_run.clone(),
            annotations: settings.annotations,
            times: Some(times),
            explain: settings.explain,
        };
        let format = report::by_name(to.format.word())
            .expect("a test holds the command line's formats to the reports there are");
        let parts = match to.format {
            ReportFormat::Sarif => report::sarif_parts(report, style.sarif_target),
            _ => Vec::new(),
        };
        match (parts.as_slice(), &to.target) {
            ([], _) => one(report, to, format, &style, out, &mut written),
            (parts, output::Target::File(path)) if out.is_regular() => {
                split(parts, path, format, &style, &mut written);
            }
            (parts, target) => {
                let (name, count) = (name_of(target), parts.len());
                written.told.push(format!(
                    "{name}: this is more than its host takes of one SARIF file: name a file, and {count} are written"
                ));
                one(report, to, format, &style, out, &mut written);
            }
        }
    }
    written
}

/// Writes one report.
fn one(
    report: &Report,
    to: &ReportTo,
    format: &dyn Format,
    style: &Style,
    mut out: output::Output,
    written: &mut Written,
) {
    let result = format.write(report, style, &mut out).and_then(|()| out.finish());
    if let Err(error) = output::forgive_closed_pipe(result) {
        let (name, reason) = (name_of(&to.target), plain(&error));
        written.problems.push(format!("{name}: the {} report could not be written: {reason}", format.name()));
    }
}

/// Writes the parts of a report beside the file it was to be, `NAME.1.sarif` for `NAME.sarif`. The file itself, if there
/// is one from an earlier run, goes: it would be taken for this run's.
fn split(parts: &[Report], path: &std::path::Path, format: &dyn Format, style: &Style, written: &mut Written) {
    let numbered = |number: usize| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    };
    for (at, part) in parts.iter().enumerate() {
        let to = ReportTo { format: ReportFormat::Sarif, target: output::Target::File(numbered(at + 1)) };
        match to.target.open() {
            Ok(out) => one(part, &to, format, &Style { sarif_part: at + 1, ..style.clone() }, out, written),
            Err(error) => written.problems.push(format!("{}: {}", name_of(&to.target), plain(&error))),
        }
    }
    let (first, last) = (numbered(1), numbered(parts.len()));
    written.told.push(format!(
        "{}: more than its host takes of one SARIF file, so it is {} to {}, the most severe findings first",
        path.display(),
        first.display(),
        last.display()
    ));
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        written.problems.push(format!("{}: an earlier one is in its place: {}", path.display(), plain(&error)));
    }
    let next = numbered(parts.len() + 1);
    if next.exists() {
        written.told.push(format!("{}: it is from an earlier run: remove it", next.display()));
    }
}

//! `keytrail report`: reads reports, puts them together, writes them anew.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Env, finish, open_targets};
use crate::cli::error::plain;
use crate::cli::{CliError, Request, Settings};
use crate::finding::{Report, merge};
use crate::read::{self, MOST_BYTES};
use crate::source::Excluded;

/// From the reports at `paths` to an exit code: that of a scan which found what they hold.
///
/// # Errors
/// A report can't be read; all that can't are named.
pub(super) fn run(paths: &[PathBuf], request: Request, env: Env<'_>) -> Result<ExitCode, CliError> {
    let began = jiff::Timestamp::now().as_second();
    let settings = request.resolve(&mut |_| Ok(None))?;
    let (mut reports, mut mistakes) = (Vec::new(), Vec::new());
    for path in paths {
        match read_one(path) {
            Ok(report) => reports.push(report),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if let Some(error) = CliError::all(mistakes) {
        return Err(error);
    }
    let mut report = merge::reports(reports);
    select(&mut report, &settings);
    let targets = open_targets(&settings)?;
    Ok(finish(&report, &settings, targets, began, env))
}

/// Reads a report for another command.
///
/// # Errors
/// It can't be read, or is none.
pub(super) fn read(path: &PathBuf) -> Result<Report, CliError> {
    read_one(path).map_err(CliError::new)
}

/// Reads one report.
fn read_one(path: &PathBuf) -> Result<Report, String> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("{name}: {}", plain(&error)))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{name}: larger than {MOST_BYTES} bytes: write it in parts, a root each"));
    }
    read::report(&bytes, &name).map_err(|error| error.to_string())
}

/// Leaves out what isn't wanted: findings below the threshold are counted as in a scan.
fn select(report: &mut Report, settings: &Settings) {
    let least = settings.threshold();
    for scan in &mut report.scans {
        let before = scan.findings.len();
        scan.findings.retain(|finding| finding.confidence >= least);
        let low = (before - scan.findings.len()) as u64;
        if low > 0 {
            match scan.excluded.iter_mut().find(|(why, _)| *why == Excluded::LowConfidence) {
                Some((_, count)) => *count += low,
                None => scan.excluded.push((Excluded::LowConfidence, low)),
            }
            scan.excluded.sort();
        }
        if !settings.observations {
            scan.observations.clear();
        }
    }
}

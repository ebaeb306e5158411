//! A report in as many logs as its host asks for.

use std::cmp::Reverse;

use crate::finding::{Report, ScanReport};
use crate::report::SarifTarget;
use crate::report::wording::grouped;

/// Runs that a code host takes of one log; it refuses more. Source: GitHub "SARIF support for code scanning", Azure DevOps
/// Advanced Security "third party code scanning", read 2026-11.
const MOST_RUNS: usize = 20;

/// Results of one run that are kept: GitHub takes 25,000 and shows the 5,000 most severe, Azure DevOps takes 5,000.
/// Sources as above.
const MOST_RESULTS: usize = 5_000;

/// The logs that `report` is for a host, the most severe findings in the first; none if one is enough. Every part holds
/// what was not read; what goes beside findings (observations, listed things) is in the first of its root.
pub fn parts(report: &Report, target: SarifTarget) -> Vec<Report> {
    if target == SarifTarget::Generic {
        return Vec::new();
    }
    let fits = |scan: &ScanReport| scan.findings.len() <= MOST_RESULTS;
    if report.scans.len() <= MOST_RUNS && report.scans.iter().all(fits) {
        return Vec::new();
    }
    let rounds: Vec<Vec<ScanReport>> = report.scans.iter().map(pieces).collect();
    let most = rounds.iter().map(Vec::len).max().unwrap_or_default();
    let round = |at: usize| rounds.iter().filter_map(move |pieces| pieces.get(at).cloned()).collect::<Vec<_>>();
    let rounds: Vec<Vec<ScanReport>> = (0..most).map(round).collect();
    let mut parts: Vec<Report> =
        rounds.iter().flat_map(|scans| scans.chunks(MOST_RUNS)).map(|scans| Report { scans: scans.to_vec() }).collect();
    let count = grouped(parts.len() as u64);
    for (at, part) in parts.iter_mut().enumerate() {
        let note = format!("this is part {} of {count} of a log that is more than its host takes at once", at + 1);
        part.scans.iter_mut().for_each(|scan| scan.notes.push(note.clone()));
    }
    parts
}

/// A scan in pieces that each fit a run.
fn pieces(scan: &ScanReport) -> Vec<ScanReport> {
    if scan.findings.len() <= MOST_RESULTS {
        return vec![scan.clone()];
    }
    let mut findings = scan.findings.clone();
    findings.sort_by_key(|finding| (!finding.is_open(), Reverse(finding.severity)));
    let rest = ScanReport { findings: Vec::new(), observations: Vec::new(), listed: Vec::new(), ..scan.clone() };
    let mut pieces: Vec<ScanReport> = findings
        .chunks(MOST_RESULTS)
        .map(|findings| ScanReport { findings: findings.to_vec(), ..rest.clone() })
        .collect();
    if let Some(first) = pieces.first_mut() {
        first.observations.clone_from(&scan.observations);
        first.listed.clone_from(&scan.listed);
    }
    pieces
}

//! Findings in the order in which somebody with little time looks at them, for formats that show only some.

use std::cmp::Reverse;

use crate::finding::{Finding, Report, ScanReport};

/// An open finding and the scan it is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked<'r> {
    /// The scan.
    pub(crate) scan: &'r ScanReport,
    /// The finding.
    pub(crate) finding: &'r Finding,
}

/// The open findings of all scans, most important first: worst, then most alive, then surest; else as reported.
pub(crate) fn ranked(report: &Report) -> Vec<Ranked<'_>> {
    let of_scan = |scan| move |finding| Ranked { scan, finding };
    let mut all: Vec<_> = report.scans.iter().flat_map(|scan| scan.findings.iter().map(of_scan(scan))).collect();
    all.retain(|one| one.finding.is_open());
    all.sort_by_key(|one| (Reverse(one.finding.severity), one.finding.state(), Reverse(one.finding.confidence)));
    all
}

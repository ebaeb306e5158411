//! Decisions not to report: what inline markers, the configuration and baselines say of a finding, and which of these
//! decisions have ended or match nothing.

use std::collections::BTreeSet;

use super::Occurrence;
use crate::finding::baseline::{Baseline, Scope};
use crate::finding::{BaselineState, Finding, ScanReport, Sighting, Suppression, SuppressionKind, SuppressionStatus};
use crate::secret::Secret;

/// An entry of the configuration or of another tool's list: every given part must match.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Fingerprint of the secret.
    pub fingerprint: Option<String>,
    /// Rule id.
    pub rule: Option<String>,
    /// Glob over the paths of its places; all must match.
    pub path: Option<globset::GlobSet>,
    /// The value itself.
    pub value: Option<Secret>,
    /// Why.
    pub reason: String,
    /// End of its last day: seconds since 1970, UTC.
    pub until: Option<i64>,
    /// Its last day as written, `YYYY-MM-DD`.
    pub until_spelled: Option<String>,
    /// Where it stands: `.keytrail.toml:12`.
    pub at: String,
    /// Who says so.
    pub voice: Voice,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Our own configuration: it is told when an entry has ended or matches nothing.
    Ours,
    /// A file made for another tool: it may speak of what we never see.
    Theirs,
    /// The change under review: shown, and the finding still counts.
    Proposed,
}

/// All decisions of a scan but inline markers.
#[derive(Debug, Default)]
pub struct Decisions {
    /// Entries of files.
    pub rules: Vec<Rule>,
    /// The accepted baseline.
    pub baseline: Option<Baseline>,
    /// The baseline as the change under review would have it.
    pub proposed: Option<Baseline>,
    /// How much of what they are about the scan sees.
    pub sees: Sees,
}

/// How much a scan sees of what decisions are about: it tells which of them match nothing only where that says something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sees {
    /// What a change adds: most decisions are about something else.
    #[default]
    Change,
    /// What stands somewhere now: what the configuration says should match something.
    Standing,
    /// All there ever was: entries of the baseline should match something too.
    All,
}

impl Rule {
    /// Whether its last day has not passed.
    fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now <= until)
    }

    /// Whether all its parts match.
    fn speaks_for(&self, finding: &Finding) -> bool {
        let fingerprint = self.fingerprint.as_ref().is_none_or(|wanted| *wanted == finding.fingerprint);
        let rule = self.rule.as_ref().is_none_or(|wanted| *wanted == finding.rule.id);
        let value = self.value.as_ref().is_none_or(|wanted| *wanted == finding.secret);
        let path = self.path.as_ref().is_none_or(|glob| {
            let matches =
                |seen: &Sighting| glob.is_match_candidate(&globset::Candidate::from_bytes(&seen.place.provenance.path));
            finding.places.iter().all(matches)
        });
        fingerprint && rule && value && path
    }

    /// What it does to a finding.
    fn status(&self, now: i64) -> SuppressionStatus {
        match self.voice {
            _ if !self.holds(now) => SuppressionStatus::Rejected,
            Voice::Proposed => SuppressionStatus::UnderReview,
            Voice::Ours | Voice::Theirs => SuppressionStatus::Accepted,
        }
    }
}

impl Decisions {
    /// Adds to every finding what is decided of it, and to the report's notes what has ended or matches nothing.
    /// Paths and values of the findings must not be masked yet.
    pub(super) fn apply(&self, now: i64, is_complete: bool, report: &mut ScanReport) {
        self.apply_rules(now, report);
        self.apply_baseline(now, is_complete, report);
        self.apply_proposed(now, report);
    }

    /// What entries of files say.
    fn apply_rules(&self, now: i64, report: &mut ScanReport) {
        for rule in &self.rules {
            let mut is_used = false;
            for finding in report.findings.iter_mut().filter(|finding| rule.speaks_for(finding)) {
                is_used = true;
                finding.suppressions.push(Suppression {
                    kind: SuppressionKind::External,
                    status: rule.status(now),
                    reason: rule.reason.clone(),
                    until: rule.until_spelled.clone(),
                });
            }
            if rule.voice == Voice::Ours && !rule.holds(now) {
                let note = format!("{}: the suppression has ended and is no longer heard: {}", rule.at, rule.reason);
                report.notes.push(note);
            } else if rule.voice == Voice::Ours && !is_used && self.sees > Sees::Change {
                report.notes.push(format!("{}: the suppression matches nothing: {}", rule.at, rule.reason));
            }
        }
    }

    /// What the baseline says: known findings, and which of its entries are of no use.
    fn apply_baseline(&self, now: i64, is_complete: bool, report: &mut ScanReport) {
        let Some(baseline) = &self.baseline else { return };
        let judged = baseline.judge(&report.findings, Scope::All);
        for (finding, entries) in report.findings.iter_mut().zip(&judged) {
            finding.baseline = Some(if entries.is_empty() { BaselineState::New } else { BaselineState::Unchanged });
            for &entry in entries {
                let entry = baseline.entry(entry);
                let status = if entry.holds(now) { SuppressionStatus::Accepted } else { SuppressionStatus::Rejected };
                finding.suppressions.push(entry.suppression(status));
            }
        }
        let used: BTreeSet<usize> = judged.into_iter().flatten().collect();
        report.notes.extend(baseline.notes(&used, now, self.sees == Sees::All && is_complete));
    }

    /// What the change under review asks for beyond that.
    fn apply_proposed(&self, now: i64, report: &mut ScanReport) {
        let Some(proposed) = &self.proposed else { return };
        let judged = proposed.judge(&report.findings, Scope::Few);
        for (finding, entries) in report.findings.iter_mut().zip(judged) {
            if finding.baseline == Some(BaselineState::Unchanged) {
                continue;
            }
            let entries = entries.into_iter().map(|entry| proposed.entry(entry)).filter(|entry| entry.holds(now));
            let asked = entries.map(|entry| entry.suppression(SuppressionStatus::UnderReview));
            finding.suppressions.extend(asked);
        }
    }
}

/// What inline markers say: they suppress only when every new place that counts by itself has one, and none of these is
/// older than the secret there. `status` is what markers do in this scan; `None` when they aren't heard.
pub(super) fn markers<'o>(
    new: impl Iterator<Item = &'o &'o Occurrence>,
    status: Option<SuppressionStatus>,
) -> Vec<Suppression> {
    let Some(mut status) = status else { return Vec::new() };
    let mut reasons = BTreeSet::new();
    for occurrence in new {
        let Some(marker) = &occurrence.hit.marker else { return Vec::new() };
        if occurrence.is_marker_old {
            status = SuppressionStatus::Rejected;
        }
        reasons.insert(marker.reason.clone());
    }
    let suppression = |reason| Suppression { kind: SuppressionKind::InSource, status, reason, until: None };
    reasons.into_iter().map(suppression).collect()
}

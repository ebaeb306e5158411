//! Several reports as one: scans of the same root are one scan, and in it the same fingerprint is one finding with the
//! places of all.
//!
//! In: reports in any order. Out: one report, the same whatever the order, and the same if one comes twice. Nothing is
//! lost: places, unread things, observations and notes are put together, and where two reports say different things of one
//! place, the one that saw its newer version is believed as a whole. How much was scanned can't be added up, since nobody
//! knows how much of it is the same: the larger number stands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::dedup::{order, place_order};
use crate::finding::{Finding, Report, ScanReport, Sighting, Suppression, SuppressionStatus};
use crate::location::Region;
use crate::place::{Commit, Part};
use crate::source::RootFacts;

/// Merges reports. A single one stays as it is.
pub fn reports(reports: Vec<Report>) -> Report {
    if reports.len() == 1 {
        return reports.into_iter().next().unwrap_or_default();
    }
    let mut roots: BTreeMap<Root, Vec<ScanReport>> = BTreeMap::new();
    let mut nameless = Vec::new();
    for scan in reports.into_iter().flat_map(|report| report.scans) {
        match Root::of(&scan.root) {
            Some(root) => roots.entry(root).or_default().push(scan),
            None => nameless.push(scan),
        }
    }
    let mut scans: Vec<ScanReport> = roots.into_values().map(one_scan).collect();
    for scan in nameless {
        // Nothing tells whether two of them are the same root; but the same scan twice is once.
        if !scans.iter().any(|other| is_same(other, &scan)) {
            scans.push(scan);
        }
    }
    scans.sort_by_cached_key(|scan| {
        let all = Root::of(&scan.root).is_none().then(|| format!("{scan:?}"));
        (Root::key(&scan.root), all)
    });
    Report { scans }
}

/// The scans of one root as one. A single one comes into the same order as those that are merged.
fn one_scan(same: Vec<ScanReport>) -> ScanReport {
    let root = same.first().map(|scan| scan.root.clone()).unwrap_or_default();
    same.into_iter().fold(ScanReport { root, ..ScanReport::default() }, two_scans)
}

/// Whether two scans are alike to the last detail.
fn is_same(one: &ScanReport, other: &ScanReport) -> bool {
    one.root == other.root && format!("{one:?}") == format!("{other:?}")
}

/// What tells one root from another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Root {
    kind: &'static str,
    name: String,
    spelled: String,
    remote: Option<String>,
    /// For scans of a range: another range is another scan.
    range: Option<(Option<String>, String)>,
    machine: Option<[Option<String>; 3]>,
}

impl Root {
    /// The root's key.
    fn key(root: &RootFacts) -> Self {
        let repository = root.repository.as_ref();
        let machine = root.machine.as_ref();
        Self {
            kind: root.kind,
            name: root.name.clone(),
            spelled: root.spelled.clone(),
            remote: repository.and_then(|facts| facts.remote.clone()),
            range: repository.and_then(|facts| facts.range.clone()),
            machine: machine.map(|one| [one.machine_id.clone(), one.instance_id.clone(), one.hostname.clone()]),
        }
    }

    /// The root's key, if it tells it from all others: SARIF holds no absolute path, and a name alone may be that of many
    /// folders.
    fn of(root: &RootFacts) -> Option<Self> {
        let key = Self::key(root);
        let is_known = key.remote.is_some() || key.machine.iter().flatten().any(Option::is_some);
        (is_known || !key.spelled.is_empty()).then_some(key)
    }
}

/// Two scans of one root.
fn two_scans(one: ScanReport, other: ScanReport) -> ScanReport {
    let mut findings: BTreeMap<String, Finding> = BTreeMap::new();
    for finding in one.findings.into_iter().chain(other.findings) {
        let merged = match findings.remove(&finding.fingerprint) {
            Some(known) => two_findings(known, finding),
            None => finding,
        };
        findings.insert(merged.fingerprint.clone(), merged);
    }
    let mut findings: Vec<Finding> = findings.into_values().collect();
    for finding in &mut findings {
        finding.places.sort_by(|a, b| place_order(a).cmp(&place_order(b)));
        finding.earlier.sort_by(|a, b| place_order(a).cmp(&place_order(b)));
    }
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    // SARIF 2.1.0 section 3.27.24: all results of a run have a state, or none has.
    if findings.iter().any(|finding| finding.baseline.is_none()) {
        findings.iter_mut().for_each(|finding| finding.baseline = None);
    }
    let mut excluded = BTreeMap::new();
    for (why, count) in one.excluded.into_iter().chain(other.excluded) {
        let most: &mut u64 = excluded.entry(why).or_default();
        *most = count.max(*most);
    }
    let sources: BTreeSet<&str> = [&one.settings_from, &other.settings_from]
        .into_iter()
        .flat_map(|text| text.split("; "))
        .filter(|text| !text.is_empty())
        .collect();
    let root = if root_order(&one.root) >= root_order(&other.root) { one.root } else { other.root };
    let mut merged = ScanReport {
        root,
        findings,
        unread: one.unread.into_iter().chain(other.unread).collect(),
        excluded: excluded.into_iter().collect(),
        listed: one.listed.into_iter().chain(other.listed).collect(),
        observations: one.observations.into_iter().chain(other.observations).collect(),
        notes: one.notes.into_iter().chain(other.notes).collect(),
        dropped: Vec::new(),
        contents: one.contents.max(other.contents),
        known_clean: one.known_clean.max(other.known_clean),
        bytes: one.bytes.max(other.bytes),
        platform: one.platform.max(other.platform),
        active_rules: one.active_rules.max(other.active_rules),
        settings_from: sources.into_iter().collect::<Vec<_>>().join("; "),
    };
    merged.sort_lists();
    merged
}

/// Which of two tellings of a root is kept: the one that saw more.
fn root_order(root: &RootFacts) -> impl Ord + use<> {
    let commits = root.repository.as_ref().map_or(0, |facts| facts.commits);
    (commits, format!("{root:?}"))
}

/// Two findings of one fingerprint and root.
fn two_findings(one: Finding, other: Finding) -> Finding {
    let ids = [&one.rule.id, &other.rule.id].map(ToString::to_string);
    let also: BTreeSet<String> = one.also.iter().chain(&other.also).cloned().chain(ids).collect();
    let suppressions = suppressions(&one, &other);
    let baseline = one.baseline.min(other.baseline);
    let (kept, rest) = if finding_order(&one) >= finding_order(&other) { (one, other) } else { (other, one) };
    let places = sightings(kept.places, rest.places);
    let mut earlier = sightings(kept.earlier, rest.earlier);
    let held: BTreeSet<Stand<'_>> = places.iter().map(stand).collect();
    earlier.retain(|seen| !held.contains(&stand(seen)));
    let also = also.into_iter().filter(|id| *id != kept.rule.id).collect();
    Finding { also, suppressions, baseline, places, earlier, ..kept }
}

/// Which of two tellings of a finding is kept: the one that is worse and surer, then the one that tells more.
fn finding_order(finding: &Finding) -> impl Ord + '_ {
    let Finding { rule, severity, confidence, validity, facts, target, companions, preview, reasons, .. } = finding;
    let platform = finding.recommendation.map(|row| row.platform);
    (
        (severity, confidence, rule.specificity, validity),
        facts,
        target,
        companions,
        preview,
        reasons,
        platform,
        &rule.id,
        &finding.remedy,
    )
}

/// A finding that counts in one report counts: what another one accepts may not speak here, and is told all the same.
fn suppressions(one: &Finding, other: &Finding) -> Vec<Suppression> {
    let is_open = one.is_open() || other.is_open();
    let mut all: Vec<Suppression> = one.suppressions.iter().chain(&other.suppressions).cloned().collect();
    for suppression in &mut all {
        if is_open && suppression.status == SuppressionStatus::Accepted {
            suppression.status = SuppressionStatus::Rejected;
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What makes a place: path, members and part; and, where there is no path, the ref, the object and where in it.
type Stand<'s> = (&'s [u8], &'s [Vec<u8>], Part, Option<(Option<&'s [u8]>, Option<&'s str>, Region)>);

/// What makes the place of a sighting.
fn stand(seen: &Sighting) -> Stand<'_> {
    let (place, provenance) = (&seen.place, &seen.place.provenance);
    let text = match provenance.part {
        Part::Content | Part::LinkTarget | Part::PathName | Part::Note if !provenance.path.is_empty() => None,
        _ => Some((place.reference.as_deref(), seen.object.as_deref(), seen.region)),
    };
    (&provenance.path, &provenance.members, provenance.part, text)
}

/// The places of both.
fn sightings(one: Vec<Sighting>, other: Vec<Sighting>) -> Vec<Sighting> {
    let mut all: Vec<Sighting> = one.into_iter().chain(other).collect();
    all.sort_by(|a, b| stand(a).cmp(&stand(b)));
    let mut places: Vec<Sighting> = Vec::with_capacity(all.len());
    for seen in all {
        match places.pop() {
            Some(known) if stand(&known) == stand(&seen) => places.push(two_sightings(known, seen)),
            known => places.extend(known.into_iter().chain([seen])),
        }
    }
    places.sort_by(|a, b| place_order(a).cmp(&place_order(b)));
    places
}

/// One place, seen twice: as its newer version shows it, as alive as either says, from the earlier first commit on.
fn two_sightings(one: Sighting, other: Sighting) -> Sighting {
    let state = one.place.state.min(other.place.state);
    let first = earlier(one.place.first.clone(), other.place.first.clone());
    let mut kept = if sighting_order(&one) >= sighting_order(&other) { one } else { other };
    kept.place.state = state;
    kept.place.first = first;
    kept
}

/// Which of two tellings of a place is kept. What both are merged of has no part in it.
fn sighting_order(seen: &Sighting) -> impl Ord + '_ {
    let last = seen.place.last.as_deref().map(|commit| (commit.committer_time, commit.author_time, &commit.id));
    let file = seen.place.provenance.file.as_ref().map(|file| (file.modified, file));
    let lines = (seen.region, &seen.more, seen.occurrences, seen.versions, &seen.line_hash, &seen.line_hash_raw);
    let texts = (&seen.object, &seen.excerpt, &seen.name, &seen.view, &seen.place.reference);
    (last, file, lines, texts, &seen.target, &seen.companions)
}

/// The earlier of two first commits.
fn earlier(one: Option<Arc<Commit>>, other: Option<Arc<Commit>>) -> Option<Arc<Commit>> {
    let both = [one, other].into_iter().flatten();
    both.min_by_key(|commit| (commit.committer_time, commit.author_time, Reverse(commit.id.clone())))
}

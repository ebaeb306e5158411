//! The records other than findings, as they are written. Field names, words and units are those of
//! `docs/schema/jsonl-v1.schema.json`.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::finding::Finding;
use crate::finding::{Report, ScanReport};
use crate::report::{DATA_IN_CLEAR, escape};
use crate::rule::Severity;
use crate::source;

/// The version of the schema, in the first record of every root.
const SCHEMA: &str = "keytrail-jsonl/1";

/// One line of the report.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Record<'a> {
    Scan(Box<Scan<'a>>),
    Finding(Box<Finding<'a>>),
    Unread(Unread<'a>),
    Excluded(Excluded),
    Listed(Listed<'a>),
    Observation(Observation<'a>),
    Note(Note<'a>),
    Summary(Summary),
}

/// The first record of a root.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scan<'a> {
    schema: &'static str,
    scan: usize,
    tool: Tool,
    kind: &'static str,
    name: &'a str,
    root: &'a str,
    settings_from: &'a str,
    active_rules: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<RepositoryRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<Machine<'a>>,
    contents: u64,
    known_clean: u64,
    bytes: u64,
    secrets_shown: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

/// Who wrote the report.
#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// A scanned repository.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range_start: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range_end: Option<&'a str>,
    refs: u64,
    commits: u64,
    alternates: &'a [String],
}

/// A machine recognised from its disk.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Machine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    evidence: &'a [String],
}

impl<'a> Scan<'a> {
    /// The record of a root.
    pub(super) fn of(scan: &'a ScanReport, index: usize, secrets_shown: bool) -> Self {
        let root = &scan.root;
        Self {
            schema: SCHEMA,
            scan: index,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            kind: root.kind,
            name: &root.name,
            root: &root.spelled,
            settings_from: &scan.settings_from,
            active_rules: scan.active_rules,
            platform: scan.platform.map(|platform| platform.word()),
            repository: root.repository.as_ref().map(|facts| RepositoryRecord {
                remote: facts.remote.as_deref(),
                platform: facts.platform.map(|platform| platform.word()),
                head: facts.head.as_deref(),
                branch: facts.branch.as_deref(),
                range_start: facts.range.as_ref().and_then(|(start, _)| start.as_deref()),
                range_end: facts.range.as_ref().map(|(_, end)| end.as_str()),
                refs: facts.refs,
                commits: facts.commits,
                alternates: &facts.alternates,
            }),
            machine: root.machine.as_ref().map(|machine| Machine {
                hostname: machine.hostname.as_deref(),
                machine_id: machine.machine_id.as_deref(),
                instance_id: machine.instance_id.as_deref(),
                os: machine.os.as_deref(),
                platform: machine.platform.map(|platform| platform.word()),
                evidence: &machine.evidence,
            }),
            contents: scan.contents,
            known_clean: scan.known_clean,
            bytes: scan.bytes,
            secrets_shown,
            warning: secrets_shown.then_some(DATA_IN_CLEAR),
        }
    }
}

/// Something that could not be read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unread<'a> {
    scan: usize,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_bytes: Option<String>,
    kind: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
}

impl<'a> Unread<'a> {
    /// The record of an unread thing.
    pub(super) fn of(unread: &'a source::Unread, scan: usize) -> Self {
        let (what, what_bytes) = escape::display(&unread.what);
        let object = unread.object.as_deref();
        Self { scan, what, what_bytes, kind: unread.kind.word(), detail: &unread.detail, object }
    }
}

/// How much policy left out for one reason.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Excluded {
    pub(super) scan: usize,
    pub(super) why: &'static str,
    pub(super) count: u64,
}

/// Something listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<'a> {
    scan: usize,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    what: &'a str,
}

impl<'a> Listed<'a> {
    /// The record of a listed thing.
    pub(super) fn of(listed: &'a source::Listed, scan: usize) -> Self {
        let (path, path_bytes) = escape::display(&listed.path);
        Self { scan, path, path_bytes, what: &listed.what }
    }
}

/// A fact that is no finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Observation<'a> {
    scan: usize,
    kind: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    #[serde(serialize_with = "as_map")]
    values: &'a [(Cow<'static, str>, String)],
}

impl<'a> Observation<'a> {
    /// The record of an observation.
    pub(super) fn of(fact: &'a crate::observe::Observation, scan: usize) -> Self {
        let (path, path_bytes) = escape::display(&fact.path);
        Self { scan, kind: &fact.kind, path, path_bytes, values: &fact.values }
    }
}

/// Named values as an object, in their order.
fn as_map<S: Serializer>(values: &&[(Cow<'static, str>, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}

/// A sentence for the user.
#[derive(Serialize)]
pub(super) struct Note<'a> {
    pub(super) scan: usize,
    pub(super) text: &'a str,
}

/// The last record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    scans: usize,
    findings: usize,
    open: usize,
    open_by_severity: BySeverity,
    unread: usize,
    excluded: u64,
    contents: u64,
    known_clean: u64,
    bytes: u64,
    complete: bool,
}

/// Open findings of each severity.
#[derive(Default, Serialize)]
struct BySeverity {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
}

impl Summary {
    /// The sums over all roots.
    pub(super) fn of(report: &Report) -> Self {
        let scans = &report.scans;
        let mut open_by_severity = BySeverity::default();
        for finding in scans.iter().flat_map(|scan| &scan.findings).filter(|finding| finding.is_open()) {
            *match finding.severity {
                Severity::Critical => &mut open_by_severity.critical,
                Severity::High => &mut open_by_severity.high,
                Severity::Medium => &mut open_by_severity.medium,
                Severity::Low => &mut open_by_severity.low,
            } += 1;
        }
        Self {
            scans: scans.len(),
            findings: scans.iter().map(|scan| scan.findings.len()).sum(),
            open: report.open_findings(),
            open_by_severity,
            unread: scans.iter().map(|scan| scan.unread.len()).sum(),
            excluded: scans.iter().flat_map(|scan| &scan.excluded).map(|&(_, count)| count).sum(),
            contents: scans.iter().map(|scan| scan.contents).sum(),
            known_clean: scans.iter().map(|scan| scan.known_clean).sum(),
            bytes: scans.iter().map(|scan| scan.bytes).sum(),
            complete: !report.is_incomplete(),
        }
    }
}

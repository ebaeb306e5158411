//! JSON lines read back: the records of `docs/schema/jsonl-v1.schema.json`, one a line.

use serde::Deserialize;

use super::places::{self, Companion, Target};
use super::texts::{Members, bytes, fingerprint, some_object_id, some_seconds};
use super::{ReadError, ReadErrorKind, incomplete, json_error, quoted, rules, words};
use crate::enrich::recommend;
use crate::finding::{Facts, Finding, Report, ScanReport, Suppression};
use crate::observe::Observation;
use crate::platform::Machine;
use crate::secret::Secret;
use crate::source::{Listed, RepositoryFacts, RootFacts, Unread};

mod place;

use place::PlaceRecord;

/// The version that is read.
const SCHEMA: &str = "keytrail-jsonl/1";

/// Longest line, bytes.
const MOST_LINE: usize = 64 << 20;

/// Whether a text is JSON lines of ours: its first record has a type.
pub(super) fn is_it(text: &[u8]) -> bool {
    /// What tells.
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        _kind: String,
    }
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"{\"type\":") || serde_json::from_slice::<Head>(first).is_ok()
}

/// One line.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Record {
    Scan(Box<ScanRecord>),
    Finding(Box<FindingRecord>),
    Unread(UnreadRecord),
    Excluded(ExcludedRecord),
    Listed(ListedRecord),
    Observation(ObservationRecord),
    Note(NoteRecord),
    Summary(SummaryRecord),
}

/// Reads a report.
pub(super) fn report(text: &[u8], name: &str) -> Result<Report, ReadError> {
    let mut reader = Reader::default();
    let ends_whole = text.ends_with(b"\n");
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let mut is_cut = false;
    for (at, line) in lines.iter().enumerate() {
        let failed = |kind| ReadError { name: name.to_owned(), line: Some(at + 1), kind };
        let is_last = at + 1 == lines.len();
        if line.trim_ascii().is_empty() {
            continue;
        }
        if line.len() > MOST_LINE {
            return Err(failed(ReadErrorKind::Value(format!("the line has more than {MOST_LINE} bytes"))));
        }
        match serde_json::from_slice::<Record>(line) {
            Ok(record) => reader.take(record).map_err(failed)?,
            // Whoever wrote it was stopped in the middle of the last line.
            Err(error) if is_last && !ends_whole && error.is_eof() => is_cut = true,
            Err(error) => return Err(failed(json_error(&error))),
        }
    }
    let Reader { mut scans, summary, .. } = reader;
    if scans.is_empty() && summary.is_none() {
        let kind = ReadErrorKind::Value("it was cut before its first scan".to_owned());
        return Err(ReadError { name: name.to_owned(), line: None, kind });
    }
    match summary {
        Some(summary) if !is_cut => {
            if let Some(difference) = summary.difference(&scans) {
                incomplete(&mut scans, name, &difference);
            }
        }
        _ => incomplete(&mut scans, name, "the report was cut short: its summary is missing"),
    }
    Ok(Report { scans })
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    scans: Vec<ScanReport>,
    rules: rules::Rules,
    summary: Option<SummaryRecord>,
}

impl Reader {
    /// Takes a record.
    fn take(&mut self, record: Record) -> Result<(), ReadErrorKind> {
        if self.summary.is_some() {
            let text = "a record follows the summary: to put reports together, name each of them";
            return Err(ReadErrorKind::Value(text.to_owned()));
        }
        match record {
            Record::Scan(record) => {
                if record.scan != self.scans.len() {
                    return Err(ReadErrorKind::Value(format!("scan {} is out of order", record.scan)));
                }
                self.scans.push(record.read()?);
            }
            Record::Finding(record) => {
                let index = record.scan;
                let finding = record.read(&mut self.rules)?;
                self.scan(index)?.findings.push(finding);
            }
            Record::Unread(record) => {
                let unread = Unread {
                    what: bytes(&record.what, record.what_bytes.as_deref()),
                    kind: words::unread(&record.kind)?,
                    detail: record.detail,
                    object: some_object_id(record.object.as_deref())?,
                };
                self.scan(record.scan)?.unread.push(unread);
            }
            Record::Excluded(record) => {
                let why = words::excluded(&record.why)?;
                self.scan(record.scan)?.excluded.push((why, record.count));
            }
            Record::Listed(record) => {
                let path = bytes(&record.path, record.path_bytes.as_deref());
                self.scan(record.scan)?.listed.push(Listed { path, what: record.what.into() });
            }
            Record::Observation(record) => {
                let path = bytes(&record.path, record.path_bytes.as_deref());
                let values = record.values.named().collect();
                self.scan(record.scan)?.observations.push(Observation { kind: record.kind.into(), path, values });
            }
            Record::Note(record) => self.scan(record.scan)?.notes.push(record.text),
            Record::Summary(record) => self.summary = Some(record),
        }
        Ok(())
    }

    /// The scan that a record belongs to.
    fn scan(&mut self, index: usize) -> Result<&mut ScanReport, ReadErrorKind> {
        let text = || ReadErrorKind::Value(format!("there is no scan {index} before it"));
        self.scans.get_mut(index).ok_or_else(text)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanRecord {
    schema: String,
    scan: usize,
    tool: Tool,
    kind: String,
    name: String,
    root: String,
    settings_from: String,
    #[serde(default)]
    active_rules: u64,
    platform: Option<String>,
    repository: Option<RepositoryRecord>,
    machine: Option<MachineRecord>,
    contents: u64,
    #[serde(default)]
    known_clean: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryRecord {
    remote: Option<String>,
    platform: Option<String>,
    head: Option<String>,
    branch: Option<String>,
    range_start: Option<String>,
    range_end: Option<String>,
    refs: u64,
    commits: u64,
    alternates: Vec<String>,
}

/// A machine, in both formats.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MachineRecord {
    hostname: Option<String>,
    machine_id: Option<String>,
    instance_id: Option<String>,
    os: Option<String>,
    platform: Option<String>,
    evidence: Vec<String>,
}

impl MachineRecord {
    /// The machine.
    pub(super) fn read(self) -> Result<Machine, ReadErrorKind> {
        let Self { hostname, machine_id, instance_id, os, platform, evidence } = self;
        let platform = words::some_platform(platform.as_deref())?;
        Ok(Machine { hostname, machine_id, instance_id, os, platform, evidence })
    }
}

impl ScanRecord {
    fn read(self) -> Result<ScanReport, ReadErrorKind> {
        if self.tool.name != env!("CARGO_PKG_NAME") {
            return Err(ReadErrorKind::Foreign(quoted(&self.tool.name)));
        }
        if self.schema != SCHEMA {
            return Err(ReadErrorKind::Version { found: quoted(&self.schema), known: SCHEMA });
        }
        Ok(ScanReport {
            root: RootFacts {
                kind: words::kind(&self.kind)?,
                spelled: self.root,
                name: self.name,
                repository: self.repository.map(RepositoryRecord::read).transpose()?,
                machine: self.machine.map(MachineRecord::read).transpose()?,
            },
            platform: words::some_platform(self.platform.as_deref())?,
            active_rules: self.active_rules,
            settings_from: self.settings_from,
            contents: self.contents,
            known_clean: self.known_clean,
            bytes: self.bytes,
            ..ScanReport::default()
        })
    }
}

impl RepositoryRecord {
    fn read(self) -> Result<RepositoryFacts, ReadErrorKind> {
        let start = some_object_id(self.range_start.as_deref())?;
        let end = some_object_id(self.range_end.as_deref())?;
        Ok(RepositoryFacts {
            remote: self.remote,
            platform: words::some_platform(self.platform.as_deref())?,
            head: some_object_id(self.head.as_deref())?,
            branch: self.branch,
            range: end.map(|end| (start, end)),
            refs: self.refs,
            commits: self.commits,
            alternates: self.alternates,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FindingRecord {
    scan: usize,
    fingerprint: String,
    rule: String,
    name: String,
    provider: String,
    family: String,
    also: Vec<String>,
    severity: String,
    confidence: u8,
    reasons: Vec<String>,
    validity: String,
    preview: String,
    secret: Option<String>,
    secret_base64: Option<String>,
    target: Target,
    companions: Vec<Companion>,
    facts: Members<String>,
    created: Option<String>,
    expires: Option<String>,
    places: Vec<PlaceRecord>,
    earlier: Vec<PlaceRecord>,
    recommendation: RecommendationRecord,
    remediation: RemediationRecord,
    baseline_state: Option<String>,
    suppressions: Vec<SuppressionRecord>,
}

#[derive(Deserialize)]
struct RecommendationRecord {
    platform: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemediationRecord {
    title: String,
    steps: Vec<String>,
    end_state: String,
}

#[derive(Deserialize)]
struct SuppressionRecord {
    kind: String,
    status: String,
    reason: String,
    until: Option<String>,
}

impl FindingRecord {
    fn read(self, rules: &mut rules::Rules) -> Result<Finding, ReadErrorKind> {
        let severity = words::severity(&self.severity)?;
        let rule = rules.get(&self.rule, |rule| {
            rules::set(&mut rule.name, &self.name);
            rules::set(&mut rule.provider, &self.provider);
            rules::set(&mut rule.family, &self.family);
        });
        let (target, companions) = (self.target.read(), Companion::all(self.companions));
        let place = |record: PlaceRecord| record.read(&target, &companions);
        let platform = words::some_platform(self.recommendation.platform.as_deref())?;
        let told = &self.remediation;
        let suppression = |record: SuppressionRecord| {
            Ok(Suppression {
                kind: words::suppression_kind(&record.kind)?,
                status: words::suppression_status(&record.status)?,
                reason: record.reason,
                until: record.until,
            })
        };
        let secret = match (self.secret, self.secret_base64) {
            (Some(text), _) => text.into_bytes(),
            (None, Some(encoded)) => {
                use base64::Engine as _;
                let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
                decoded.map_err(|_| ReadErrorKind::Value("the secret is no base64".to_owned()))?
            }
            (None, None) => Vec::new(),
        };
        places::checked(Finding {
            also: self.also,
            fingerprint: fingerprint(&self.fingerprint)?,
            secret: Secret::new(secret),
            preview: self.preview,
            severity,
            confidence: self.confidence,
            reasons: self.reasons,
            steps: Vec::new(),
            validity: words::validity(&self.validity)?,
            facts: Facts {
                expires: some_seconds(self.expires.as_deref())?,
                created: some_seconds(self.created.as_deref())?,
                named: self.facts.named().collect(),
            },
            places: self.places.into_iter().map(place).collect::<Result<_, _>>()?,
            earlier: self.earlier.into_iter().map(place).collect::<Result<_, _>>()?,
            recommendation: platform.map(recommend::for_platform),
            remedy: rules::remedy(&rule.remediation, &told.title, &told.steps, &told.end_state),
            baseline: words::some_baseline_state(self.baseline_state.as_deref())?,
            suppressions: self.suppressions.into_iter().map(suppression).collect::<Result<_, _>>()?,
            target,
            companions,
            rule,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnreadRecord {
    scan: usize,
    what: String,
    what_bytes: Option<String>,
    kind: String,
    detail: String,
    object: Option<String>,
}

#[derive(Deserialize)]
struct ExcludedRecord {
    scan: usize,
    why: String,
    count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedRecord {
    scan: usize,
    path: String,
    path_bytes: Option<String>,
    what: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObservationRecord {
    scan: usize,
    kind: String,
    path: String,
    path_bytes: Option<String>,
    values: Members<String>,
}

#[derive(Deserialize)]
struct NoteRecord {
    scan: usize,
    text: String,
}

#[derive(Deserialize)]
struct SummaryRecord {
    scans: usize,
    findings: usize,
    unread: usize,
    complete: bool,
}

impl SummaryRecord {
    /// What the summary counts and the records before it don't hold.
    fn difference(&self, scans: &[ScanReport]) -> Option<String> {
        let findings: usize = scans.iter().map(|scan| scan.findings.len()).sum();
        let unread: usize = scans.iter().map(|scan| scan.unread.len()).sum();
        let told = |what: &str, counted: usize, held: usize| {
            (counted != held).then(|| format!("the report's summary counts {counted} {what} and it holds {held}"))
        };
        told("scans", self.scans, scans.len())
            .or_else(|| told("findings", self.findings, findings))
            .or_else(|| told("unread things", self.unread, unread))
            .or_else(|| {
                let text = "the report says that it is incomplete and not why";
                (!self.complete && unread == 0).then(|| text.to_owned())
            })
    }
}

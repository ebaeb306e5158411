//! SARIF read back: logs that keytrail wrote, for whichever consumer. What they hold for it alone is left.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::jsonl::MachineRecord;
use super::places::{self, Companion, Member, Target};
use super::texts::{Members, bytes, fingerprint, line_hash, mode, some_object_id, some_seconds};
use super::{ReadError, ReadErrorKind, incomplete, json_error, quoted, rules, words};
use crate::enrich::recommend;
use crate::enrich::remedy::{Remedy, by_key};
use crate::finding::{self, Facts, Finding, Report, ScanReport, Sighting, Suppression};
use crate::location::Region;
use crate::observe::Observation;
use crate::place::{FileFacts, Part, Place, Provenance};
use crate::rule::Rule;
use crate::rule::terms::Terms;
use crate::secret::Secret;
use crate::source::{Listed, RepositoryFacts, RootFacts, Unread};

mod log;

use log::{Descriptor, Invocation, Location, Log, Notification, Run, RunProperties, SarifResult};

/// The version that is read.
const VERSION: &str = "2.1.0";

/// Reads a log.
pub(super) fn report(text: &[u8], name: &str) -> Result<Report, ReadError> {
    let failed = |line, kind| ReadError { name: name.to_owned(), line, kind };
    // Whose it is decides first: another tool's log has other properties.
    let head: log::Head =
        serde_json::from_slice(text).map_err(|error| failed(Some(error.line()), json_error(&error)))?;
    if head.version.as_deref() != Some(VERSION) {
        let kind = match head.version {
            Some(version) => {
                ReadErrorKind::Version { found: format!("SARIF {}", quoted(&version)), known: "SARIF 2.1.0" }
            }
            None => ReadErrorKind::NoReport,
        };
        return Err(failed(None, kind));
    }
    if let Some(run) = head.runs.iter().find(|run| run.tool.driver.name != env!("CARGO_PKG_NAME")) {
        return Err(failed(None, ReadErrorKind::Foreign(quoted(&run.tool.driver.name))));
    }
    let log: Log = serde_json::from_slice(text).map_err(|error| failed(Some(error.line()), json_error(&error)))?;
    let mut scans = Vec::new();
    for (at, run) in log.runs.into_iter().enumerate() {
        let scan = read_run(run, name);
        scans.push(scan.map_err(|(place, kind)| {
            let text = format!("runs[{at}]{place}: {kind}");
            failed(None, ReadErrorKind::Value(text))
        })?);
    }
    Ok(Report { scans })
}

/// What is wrong, and where below the run.
type Misplaced = (String, ReadErrorKind);

/// One run.
fn read_run(run: Run, name: &str) -> Result<ScanReport, Misplaced> {
    let here = |kind| (String::new(), kind);
    let [invocation] = <[Invocation; 1]>::try_from(run.invocations)
        .map_err(|_| here(ReadErrorKind::Value("one invocation is wanted".to_owned())))?;
    let mut scan = facts(run.properties).map_err(here)?;
    scan.contents = invocation.properties.contents;
    scan.known_clean = invocation.properties.known_clean;
    scan.bytes = invocation.properties.bytes;
    for (why, count) in invocation.properties.excluded.0 {
        scan.excluded.push((words::excluded(&why).map_err(here)?, count));
    }
    scan.excluded.sort();
    let listed = |one: log::Listed| Listed { path: bytes(&one.path, one.path_bytes.as_deref()), what: one.what.into() };
    scan.listed = invocation.properties.listed.into_iter().map(listed).collect();
    let mut not_listed = 0;
    for (at, notification) in invocation.tool_execution_notifications.into_iter().enumerate() {
        let place = format!(".invocations[0].toolExecutionNotifications[{at}]");
        not_listed += notification.properties.not_listed.unwrap_or(0);
        take(notification, &mut scan).map_err(|kind| (place, kind))?;
    }
    let mut known = rules::Rules::default();
    let descriptors: BTreeMap<String, Descriptor> =
        run.tool.driver.rules.into_iter().map(|rule| (rule.id.clone(), rule)).collect();
    for (at, result) in run.results.into_iter().enumerate() {
        let place = format!(".results[{at}]");
        let missing =
            result.properties.places.saturating_sub(result.locations.iter().filter(|one| one.is_place()).count());
        let found = read_result(result, &descriptors, &mut known).map_err(|kind| (place, kind))?;
        if missing > 0 {
            scan.notes.push(format!(
                "{missing} places of {} are not in {name}, which lists as many as its reader takes",
                found.fingerprint
            ));
        }
        scan.findings.push(found);
    }
    let (counted, held) = (invocation.properties.unread, scan.unread.len() as u64);
    let mut one = [scan];
    if not_listed > 0 || counted != held {
        incomplete(&mut one, name, &format!("the report counts {counted} unread things and lists {held}"));
    } else if !invocation.execution_successful && held == 0 {
        incomplete(&mut one, name, "the report says that it is incomplete and not why");
    }
    let [scan] = one;
    Ok(scan)
}

/// What the run's properties tell of the root.
fn facts(properties: RunProperties) -> Result<ScanReport, ReadErrorKind> {
    let repository = |one: log::Repository| {
        let (start, end) = match &one.range {
            Some(range) => (range.start.as_deref(), Some(range.end.as_str())),
            None => (None, None),
        };
        let (start, end) = (some_object_id(start)?, some_object_id(end)?);
        Ok::<_, ReadErrorKind>(RepositoryFacts {
            remote: one.remote,
            platform: words::some_platform(one.platform.as_deref())?,
            head: some_object_id(one.head.as_deref())?,
            branch: one.branch,
            range: end.map(|end| (start, end)),
            refs: one.refs,
            commits: one.commits,
            alternates: Vec::new(),
        })
    };
    let observation = |one: log::Observation| Observation {
        kind: one.kind.into(),
        path: bytes(&one.path, one.path_bytes.as_deref()),
        values: one.values.named().collect(),
    };
    Ok(ScanReport {
        root: RootFacts {
            kind: words::kind(&properties.kind)?,
            spelled: properties.root.unwrap_or_default(),
            name: properties.name,
            repository: properties.repository.map(repository).transpose()?,
            machine: properties.machine.map(MachineRecord::read).transpose()?,
        },
        platform: words::some_platform(properties.platform.as_deref())?,
        active_rules: properties.active_rules,
        settings_from: properties.settings_from,
        observations: properties.observations.into_iter().map(observation).collect(),
        ..ScanReport::default()
    })
}

/// A notification: something unread, or a note.
fn take(notification: Notification, scan: &mut ScanReport) -> Result<(), ReadErrorKind> {
    let properties = notification.properties;
    if let Some(kind) = notification.descriptor.id.strip_prefix("unread/") {
        let told = "a notification about something unread doesn't say what";
        let what = properties.what.ok_or_else(|| ReadErrorKind::Value(told.to_owned()))?;
        scan.unread.push(Unread {
            what: bytes(&what, properties.what_bytes.as_deref()),
            kind: words::unread(kind)?,
            detail: properties.detail.unwrap_or(notification.message.text),
            object: some_object_id(properties.object.as_deref())?,
        });
    } else if properties.not_listed.is_none() {
        scan.notes.push(properties.text.unwrap_or(notification.message.text));
    }
    Ok(())
}

/// A result.
fn read_result(
    result: SarifResult,
    descriptors: &BTreeMap<String, Descriptor>,
    known: &mut rules::Rules,
) -> Result<Finding, ReadErrorKind> {
    let descriptor = descriptors
        .get(&result.rule_id)
        .ok_or_else(|| ReadErrorKind::Value(format!("rule `{}` is not described", quoted(&result.rule_id))))?;
    let properties = result.properties;
    let mut wrong = None;
    let rule = known.get(&result.rule_id, |rule| {
        rules::set(&mut rule.name, &properties.secret_type);
        rules::set(&mut rule.family, &properties.secret_family);
        wrong = describe(rule, descriptor).err();
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let remedy = match &descriptor.properties.remedy {
        Some(log::RemedyRecord { title, steps, end_state }) => {
            rules::remedy(&descriptor.properties.remediation, title, steps, end_state)
        }
        None => {
            let Remedy { key, .. } = by_key(&descriptor.properties.remediation);
            std::borrow::Cow::Borrowed(by_key(key))
        }
    };
    let target = finding::Target {
        kind: properties.target_kind,
        cloud: properties.cloud,
        service: properties.target_service,
        resource: properties.target_resource,
        host: properties.target_host,
        port: properties.target_port,
        database: properties.target_database,
        user: properties.target_user,
        account: properties.account,
        region: properties.target_region,
    };
    let companions = Companion::all(properties.companions);
    let platform = words::some_platform(properties.platform.as_deref())?;
    let suppression = |one: log::Suppression| {
        Ok(Suppression {
            kind: words::suppression_kind(&one.kind)?,
            status: words::suppression_status(&one.status)?,
            reason: one.justification,
            until: one.properties.until,
        })
    };
    let place = |one: Location| place(one, &target, &companions);
    let mut places: Vec<Sighting> =
        result.locations.into_iter().filter(Location::is_place).map(place).collect::<Result<_, _>>()?;
    if let (Some(first), Some(hash)) = (places.first_mut(), &result.partial_fingerprints.raw_line_hash) {
        first.line_hash_raw = Some(line_hash(hash)?);
    }
    places::checked(Finding {
        also: properties.also,
        fingerprint: fingerprint(&result.partial_fingerprints.secret)?,
        secret: Secret::new(*b""),
        preview: properties.preview,
        severity: words::severity(&properties.severity)?,
        confidence: result.rank,
        reasons: properties.reasons,
        steps: Vec::new(),
        validity: words::validity(&properties.validity)?,
        facts: Facts {
            expires: some_seconds(properties.expires.as_deref())?,
            created: some_seconds(properties.created.as_deref())?,
            named: properties.facts.named().collect(),
        },
        earlier: result.related_locations.into_iter().map(place).collect::<Result<_, _>>()?,
        recommendation: platform.map(recommend::for_platform),
        baseline: words::some_baseline_state(result.baseline_state.as_deref())?,
        suppressions: result.suppressions.into_iter().map(suppression).collect::<Result<_, _>>()?,
        places,
        target,
        companions,
        remedy,
        rule,
    })
}

/// Puts what a descriptor says into a rule.
fn describe(rule: &mut Rule, descriptor: &Descriptor) -> Result<(), ReadErrorKind> {
    let properties = &descriptor.properties;
    rules::set(&mut rule.provider, &properties.provider);
    rules::set(&mut rule.target, &properties.target);
    rules::set(&mut rule.remediation, &properties.remediation);
    rule.severity = words::severity_of_score(&properties.security_severity)?;
    rule.confidence = words::confidence(&properties.precision)?;
    let cwe = properties.tags.iter().find_map(|tag| tag.strip_prefix("external/cwe/cwe-"));
    rule.cwe = cwe.and_then(|number| number.parse().ok()).unwrap_or(0);
    // A built-in rule's own text may be cut or end without a full stop.
    if rule.source.is_empty() {
        rules::set(&mut rule.description, &descriptor.full_description.text);
        rules::set(&mut rule.source, &descriptor.help_uri);
        rule.terms = Some(std::sync::Arc::new(Terms { tags: properties.tags.clone(), ..Terms::default() }));
    }
    Ok(())
}

/// A location that is a place.
fn place(
    location: Location,
    target: &finding::Target,
    companions: &[finding::Companion],
) -> Result<Sighting, ReadErrorKind> {
    let Location { physical_location: physical, logical_locations, properties } = location;
    let part = match logical_locations.first() {
        Some(logical) => words::part(&logical.kind)?,
        None => Part::Content,
    };
    let is_path = matches!(part, Part::Content | Part::LinkTarget | Part::PathName);
    let path = match &properties.path {
        Some(path) => bytes(path, properties.path_bytes.as_deref()),
        None if is_path => decoded(&physical.artifact_location.uri, &properties.members),
        None => Vec::new(),
    };
    let file = match properties.size {
        None => None,
        Some(size) => Some(FileFacts {
            size,
            mode: mode(properties.mode.as_deref())?,
            uid: properties.owner,
            modified: some_seconds(properties.modified.as_deref())?,
            accessed: some_seconds(properties.accessed.as_deref())?,
        }),
    };
    let commit = |id: Option<String>, authored: Option<String>, committed: Option<String>| {
        id.map(|id| places::commit(&id, authored.as_deref(), committed.as_deref())).transpose()
    };
    let region = match &properties.name_region {
        Some(text) => spelled(text)?,
        None => physical.region.read()?,
    };
    let state = properties.state.unwrap_or_default();
    let excerpt = physical.context_region.and_then(|region| region.snippet).map(|snippet| snippet.text);
    Ok(Sighting {
        place: Place {
            provenance: Provenance { path, members: properties.members.iter().map(Member::read).collect(), part, file },
            state: words::state(&state)?,
            first: commit(properties.first_commit, properties.first_authored, properties.first_committed)?,
            last: commit(properties.last_commit, properties.last_authored, properties.last_committed)?,
            reference: properties.reference.map(|text| bytes(&text, properties.reference_bytes.as_deref())),
        },
        region,
        excerpt: excerpt.or(properties.excerpt).unwrap_or_default(),
        line_hash: properties.line_hash.as_deref().map(line_hash).transpose()?,
        line_hash_raw: None,
        occurrences: properties.occurrences,
        more: properties.more.iter().map(|text| spelled(text)).collect::<Result<_, _>>()?,
        versions: properties.versions,
        object: some_object_id(properties.object.as_deref())?,
        name: properties.assigned_name,
        view: properties.view.map(Into::into),
        target: properties.target.map_or_else(|| target.clone(), Target::read),
        companions: properties.companions.map_or_else(|| companions.to_vec(), Companion::all),
    })
}

/// The path that a URI stands for, without the members that follow it.
fn decoded(uri: &str, members: &[Member]) -> Vec<u8> {
    let mut uri = uri;
    for _ in members {
        uri = uri.rsplit_once("!/").map_or(uri, |(outer, _)| outer);
    }
    percent_decode_str(uri).collect()
}

/// A region written as `line:column-line:column`.
fn spelled(text: &str) -> Result<Region, ReadErrorKind> {
    let pair = |text: &str| {
        let (line, column) = text.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    let numbers = text.split_once('-').and_then(|(start, end)| Some((pair(start)?, pair(end)?)));
    let wrong = || ReadErrorKind::Value(format!("`{}` is no region", quoted(text)));
    let ((line, column), (end_line, end_column)) = numbers.ok_or_else(wrong)?;
    places::region([line, column, end_line, end_column])
}

//! SARIF 2.1.0: the report other programs read.
//!
//! In: a report. Out: one log with one run per root, whose `automationDetails.id` is `keytrail/<kind>/<name>/`, so
//! that an upload of one kind of scan never closes the alerts of another. No clock, no absolute path, no order of
//! chance: the same report gives the same bytes.
//!
//! The types are our own ([`log`]) and hold just what we write. serde-sarif's are generated from the whole schema: some
//! fifty structs with builders, whose optional fields let invalid combinations through to the file, for the fifteen
//! objects needed here. The schema and Microsoft's validator judge the result in our tests.
//!
//! What goes where:
//! - a secret is one result, its places are `locations`, those before the change are `relatedLocations`;
//! - how sure we are is `rank`, how bad it is `level` and the rule's `security-severity`;
//! - CWE and Defender for Cloud's recommendations are taxonomies. A rule is related to its CWE. It isn't related to a
//!   recommendation, which follows the platform a secret was found on: results name it in `taxa`;
//! - what was not read is in `invocations`, facts that are no findings in `run.properties`;
//! - everything of ours that SARIF has no place for has a key that begins with `keytrail/`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Value, json};

use crate::finding::{Report, ScanReport};
use crate::report::escape::{Guarded, display};
use crate::report::links::{Repository, repository_uri};
use crate::report::{Format, SarifTarget, Style};
use crate::secret::REDACTED;

mod log;
mod notifications;
mod places;
mod results;
mod rules;
mod split;
mod taxonomies;

pub use split::parts;

use log::{
    AutomationDetails, BaseId, BaseReference, Component, Invocation, Log, Message, Properties, Run, Tool,
    VersionControl,
};

/// The SARIF format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sarif;

/// The base of every relative URI.
const ROOT: &str = "%SRCROOT%";

/// Locations of a result that code hosts keep (GitHub refuses more than 1,000). Source: GitHub "SARIF support for code
/// scanning", Azure DevOps Advanced Security "third party code scanning", read 2026-11. Notifications they don't show
/// at all; there the limit only keeps a log small enough to upload.
const HOST_LIMIT: usize = 100;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let mut names = BTreeSet::new();
        let log = Log {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: report.scans.iter().map(|scan| run(scan, style, &mut names)).collect(),
        };
        let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Guarded(PrettyFormatter::new()));
        log.serialize(&mut serializer)?;
        out.write_all(b"\n")
    }
}

/// One root's run. `names` are the ids given so far.
fn run(scan: &ScanReport, style: &Style, names: &mut BTreeSet<String>) -> Run {
    let target = style.sarif_target;
    let taxonomies = taxonomies::Taxonomies::of(scan);
    let rules = rules::Rules::of(scan, &taxonomies);
    let mut artifacts = places::Artifacts::default();
    let repository = scan.root.repository.as_ref().and_then(Repository::of);
    let context =
        results::Context { scan, target, taxonomies: &taxonomies, rules: &rules, repository: repository.as_ref() };
    let results = scan.findings.iter().map(|finding| results::result(finding, &context, &mut artifacts)).collect();
    let (notifications, kinds) = notifications::of(scan, target);
    let provenance = provenance(scan, repository.as_ref());
    let redacted = provenance.iter().any(|one| one.branch.as_ref().is_some_and(|branch| branch.contains(REDACTED)));
    Run {
        tool: Tool {
            driver: Component {
                name: env!("CARGO_PKG_NAME"),
                full_name: Some(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"))),
                version: Some(env!("CARGO_PKG_VERSION")),
                semantic_version: Some(env!("CARGO_PKG_VERSION")),
                information_uri: Some(env!("CARGO_PKG_HOMEPAGE")),
                short_description: Some(Message::new(concat!(env!("CARGO_PKG_DESCRIPTION"), "."))),
                rules: Some(rules.descriptors),
                notifications: kinds,
                supported_taxonomies: taxonomies.references(),
                ..Component::default()
            },
        },
        automation_details: automation(scan, style, names),
        invocations: [Invocation {
            execution_successful: scan.unread.is_empty(),
            tool_execution_notifications: notifications,
            properties: counts(scan),
        }],
        version_control_provenance: provenance,
        original_uri_base_ids: BTreeMap::from([(
            ROOT,
            BaseId { description: Message::new("The root of what was scanned.") },
        )]),
        column_kind: "utf16CodeUnits",
        redaction_tokens: if redacted { vec![REDACTED] } else { vec![] },
        artifacts: artifacts.list,
        results,
        taxonomies: taxonomies.components(),
        properties: properties(scan),
    }
}

/// Whose run this is: for Azure DevOps the pipeline's, as far as it is known.
///
/// Without the pipeline's data, and where its id can't be put together, the run has an id of ours and the publish task
/// adds what is missing (it "enhances" what it publishes).
fn automation(scan: &ScanReport, style: &Style, names: &mut BTreeSet<String>) -> AutomationDetails {
    let ours = category(scan, style.sarif_part, names);
    let Some(run) = style.azure_run.as_ref().filter(|_| style.sarif_target == SarifTarget::AzureDevOps) else {
        return AutomationDetails { id: ours, properties: Properties::new() };
    };
    let definition = run.definition_id.map_or_else(|| "-1".to_owned(), |id| id.to_string());
    let id = || {
        let build = run.build_id?;
        let [organisation, project, phase, branch] =
            [&run.organisation, &run.project, &run.phase_id, &run.branch].map(Option::as_deref);
        let (organisation, project, phase, branch) = (organisation?, project?, phase?, branch?);
        Some(format!("{AZURE}{organisation}/{project}/{definition}/{phase}/{branch}/{build}"))
    };
    // A number as text: the validator's rule reads nothing else, and asks for -1 where there is no definition.
    let number = definition.as_str().into();
    let mut properties = Properties::from([("azuredevops/pipeline/build/buildDefinitionId", number)]);
    let texts = [
        ("azuredevops/pipeline/build/buildDefinitionName", &run.definition_name),
        ("azuredevops/pipeline/build/phaseId", &run.phase_id),
        ("azuredevops/pipeline/build/phaseName", &run.phase_name),
    ];
    properties.extend(texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?.into()))));
    AutomationDetails { id: id().unwrap_or(ours), properties }
}

/// What the id of a run that belongs to a pipeline begins with (the validator's rule GHAzDO1020).
const AZURE: &str = "azuredevops/pipeline/build/";

/// `keytrail/<kind>/<name>/`: what stands before the last slash is the category of an upload, so two runs of one log
/// may not share it (GitHub refuses the second), nor two parts of one log (the later upload would replace the earlier).
fn category(scan: &ScanReport, part: usize, names: &mut BTreeSet<String>) -> String {
    let segments: Vec<_> = scan.root.name.split('/').filter(|segment| !segment.is_empty()).collect();
    let name = if segments.is_empty() { "root".to_owned() } else { segments.join("/") };
    let name = if part > 1 { format!("{name}-part{part}") } else { name };
    let mut id = format!("keytrail/{}/{name}/", scan.root.kind);
    let mut number = 1;
    while !names.insert(id.clone()) {
        number += 1;
        id = format!("keytrail/{}/{name}-{number}/", scan.root.kind);
    }
    id
}

/// Where the scanned repository comes from, when its remote can be named.
fn provenance(scan: &ScanReport, repository: Option<&Repository>) -> Vec<VersionControl> {
    let Some(facts) = &scan.root.repository else { return vec![] };
    let uri = repository.map(|page| page.url().to_owned()).or_else(|| repository_uri(facts.remote.as_deref()?));
    let one = uri.map(|repository_uri| VersionControl {
        repository_uri,
        revision_id: facts.head.clone(),
        branch: facts.branch.clone(),
        mapped_to: BaseReference { uri_base_id: ROOT },
    });
    one.into_iter().collect()
}

/// How much was scanned, left out, and listed.
fn counts(scan: &ScanReport) -> Properties {
    let excluded: BTreeMap<_, _> = scan.excluded.iter().map(|&(why, n)| (why.word(), n)).collect();
    let listed: Vec<_> = scan.listed.iter().map(|one| with_path(&one.path, json!({ "what": one.what }))).collect();
    Properties::from([
        ("keytrail/bytes", json!(scan.bytes)),
        ("keytrail/contents", json!(scan.contents)),
        ("keytrail/excluded", json!(excluded)),
        ("keytrail/knownClean", json!(scan.known_clean)),
        ("keytrail/listed", json!(listed)),
        ("keytrail/unread", json!(scan.unread.len())),
    ])
}

/// What else is known of the run.
fn properties(scan: &ScanReport) -> Properties {
    let observations: Vec<_> = scan
        .observations
        .iter()
        .map(|fact| {
            let values: serde_json::Map<_, _> = fact
                .values
                .iter()
                .map(|(name, value)| (name.clone().into_owned(), Value::from(value.as_str())))
                .collect();
            with_path(&fact.path, json!({ "kind": fact.kind, "values": values }))
        })
        .collect();
    let mut properties = Properties::from([
        ("keytrail/activeRules", json!(scan.active_rules)),
        ("keytrail/kind", json!(scan.root.kind)),
        ("keytrail/name", json!(scan.root.name)),
        ("keytrail/observations", json!(observations)),
        ("keytrail/settingsFrom", json!(scan.settings_from)),
    ]);
    if let Some(platform) = scan.platform {
        properties.insert("keytrail/platform", json!(platform.word()));
    }
    if is_relative(&scan.root.spelled) {
        properties.insert("keytrail/root", json!(scan.root.spelled));
    }
    if let Some(facts) = &scan.root.repository {
        // A path of this machine stays here.
        let remote = facts.remote.as_deref().filter(|remote| repository_uri(remote).is_some());
        let platform = facts.platform.map(|platform| platform.word());
        let range = facts.range.as_ref().map(|(start, end)| json!({ "start": start, "end": end }));
        properties.insert(
            "keytrail/repository",
            without_nulls(json!({
                "head": facts.head, "branch": facts.branch, "refs": facts.refs, "commits": facts.commits, "range": range,
                "remote": remote, "platform": platform,
            })),
        );
    }
    if let Some(machine) = &scan.root.machine {
        properties.insert(
            "keytrail/machine",
            without_nulls(json!({
                "hostname": machine.hostname, "machineId": machine.machine_id, "instanceId": machine.instance_id,
                "os": machine.os, "platform": machine.platform.map(|platform| platform.word()),
                "evidence": machine.evidence,
            })),
        );
    }
    properties
}

/// Whether a root, as the user spelled it, says nothing of where on this machine it is.
fn is_relative(spelled: &str) -> bool {
    let first = spelled.split(['/', '\\']).next().unwrap_or_default();
    !first.is_empty() && !first.contains(':') && first != "~"
}

/// An object with `path`, and `pathBytes` where the text can't tell the exact bytes.
fn with_path(path: &[u8], mut object: Value) -> Value {
    let (text, bytes) = display(path);
    object["path"] = text.into();
    if let Some(bytes) = bytes {
        object["pathBytes"] = bytes.into();
    }
    object
}

/// An object without its members that are null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::RootFacts;

    #[test]
    fn every_run_has_a_category_of_its_own() {
        let mut names = BTreeSet::new();
        let mut id = |kind, name: &str| {
            let root = RootFacts { kind, name: name.into(), ..RootFacts::default() };
            category(&ScanReport { root, ..ScanReport::default() }, 1, &mut names)
        };
        assert_eq!(id("history", "acme/app"), "keytrail/history/acme/app/");
        assert_eq!(id("diff", "acme/app"), "keytrail/diff/acme/app/");
        assert_eq!(id("history", "/acme//app/"), "keytrail/history/acme/app-2/");
        assert_eq!(id("files", ""), "keytrail/files/root/");
    }
}

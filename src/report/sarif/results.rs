//! Findings as SARIF results.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::HOST_LIMIT;
use super::log::{Location, Message, Properties, SarifResult, Suppression};
use super::places::{Artifacts, accessed, further, location};
use super::rules::{Rules, level};
use super::taxonomies::Taxonomies;
use crate::enrich::recommend::EXPOSED_SECRETS;
use crate::finding;
use crate::finding::{BaselineState, Companion, Finding, ScanReport, Sighting, Target};
use crate::place::State;
use crate::report::SarifTarget;
use crate::report::escape::{display, terminal};
use crate::report::links::Repository;
use crate::report::wording::{count, opens, place, timestamp};

/// What the results of one run share.
pub(super) struct Context<'a> {
    /// The root.
    pub(super) scan: &'a ScanReport,
    /// Whom the log is for.
    pub(super) target: SarifTarget,
    /// The run's taxonomies.
    pub(super) taxonomies: &'a Taxonomies,
    /// The run's rules.
    pub(super) rules: &'a Rules,
    /// The repository's page, for links.
    pub(super) repository: Option<&'a Repository>,
}

/// One finding.
pub(super) fn result(finding: &Finding, context: &Context<'_>, artifacts: &mut Artifacts) -> SarifResult {
    let limit = match context.target {
        SarifTarget::Generic => usize::MAX,
        SarifTarget::GitHub | SarifTarget::AzureDevOps => HOST_LIMIT,
    };
    let mut locations = |places: &[Sighting]| -> Vec<Location> {
        places.iter().take(limit).map(|seen| location(seen, finding, context, artifacts)).collect()
    };
    let mut places = locations(&finding.places);
    let mut earlier = locations(&finding.earlier);
    let further = finding.places.iter().flat_map(|seen| further(seen, finding, context, artifacts));
    places.extend(further.take(limit.saturating_sub(finding.places.len())));
    for (at, one) in earlier.iter_mut().enumerate() {
        one.id = Some(at + 1);
        one.message = Some(Message::new("It was here before this change."));
    }
    let occurrences = finding.places.iter().map(|seen| seen.occurrences).sum::<u64>();
    SarifResult {
        rule_id: finding.rule.id.to_string(),
        rule_index: context.rules.index(&finding.rule.id),
        level: level(finding.severity),
        message: Message::new(message(finding)),
        locations: places,
        related_locations: earlier,
        partial_fingerprints: fingerprints(finding, context.target),
        rank: finding.confidence,
        occurrence_count: (occurrences > 1).then_some(occurrences),
        taxa: context.taxonomies.taxa(finding),
        baseline_state: finding.baseline.map(BaselineState::word),
        suppressions: finding.suppressions.iter().map(suppression).collect(),
        properties: properties(finding, context),
    }
}

/// What was found, where, and what to do. The first sentence is the title on code hosts, so it holds nothing that
/// changes with every commit, such as a line number.
fn message(finding: &Finding) -> String {
    let first = finding.places.first().map(|seen| display(&place(&seen.place)).0).unwrap_or_default();
    let mut text = format!("{} {} in {}.", finding.rule.name, quoted(&finding.preview), quoted(&first));
    let more = finding.places.len().saturating_sub(1) as u64;
    if more > 0 {
        text.push_str(&format!(" It stands in {} too.", count(more, "other place", "other places")));
    }
    match finding.state() {
        State::HistoryOnly => text.push_str(" It is gone from the tips, but whoever has the history has it."),
        State::Unreachable => text.push_str(" No ref leads to it, but the objects are still there."),
        State::DefaultTip | State::Tip | State::Index | State::Present => {}
    }
    if let Some(opens) = opens(&finding.target) {
        text.push_str(&format!(" It opens {}.", terminal(&opens).replace("](", "]\\u{28}")));
    }
    for step in finding.remedy.steps.iter().take(2) {
        text.push(' ');
        text.push_str(step.trim());
        if !step.trim_end().ends_with(['.', '!', '?']) {
            text.push('.');
        }
    }
    text
}

/// Scanned text in single quotes, with what would act made visible. `](` would make an embedded link of a message
/// (section 3.11.6), so the parenthesis is written as an escape.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", terminal(text).replace("](", "]\\u{28}"))
}

/// The names of a result. They are promises (section 3.27.17): none is ever removed or changed in meaning.
///
/// - `keytrailSecret/v1` is the secret's fingerprint;
/// - `keytrailLineHash/v1` is the line of the first place, with candidates replaced;
/// - `primaryLocationLineHash` is the only one GitHub reads. It covers the secret's text, so it is written for GitHub
///   alone, which holds the file. A place that is no file has no such line; there the secret's fingerprint
///   stands in, so that the alert keeps its identity.
fn fingerprints(finding: &Finding, target: SarifTarget) -> BTreeMap<&'static str, String> {
    let mut names = BTreeMap::from([("keytrailSecret/v1", finding.fingerprint.clone())]);
    let first = finding.places.first();
    match target {
        SarifTarget::GitHub => {
            let hash = first.and_then(|seen| seen.line_hash_raw.clone());
            let digits = finding.fingerprint.rsplit(':').next().unwrap_or_default();
            let stand_in = || format!("{}:1", digits.get(..16).unwrap_or(digits));
            names.insert("primaryLocationLineHash", hash.unwrap_or_else(stand_in));
        }
        SarifTarget::Generic | SarifTarget::AzureDevOps => {
            if let Some(hash) = first.and_then(|seen| seen.line_hash.clone()) {
                names.insert("keytrailLineHash/v1", hash);
            }
        }
    }
    names
}

/// A suppression (section 3.35).
fn suppression(suppression: &finding::Suppression) -> Suppression {
    let until = suppression.until.as_ref().map(|until| ("keytrail/until", Value::from(until.as_str())));
    Suppression {
        kind: suppression.kind.word(),
        status: suppression.status.word(),
        justification: suppression.reason.clone(),
        properties: until.into_iter().collect(),
    }
}

/// What SARIF has no place for: what Defender for Cloud tells of a secret, and what we know beyond.
fn properties(finding: &Finding, context: &Context<'_>) -> Properties {
    let rule = &finding.rule;
    let mut properties = Properties::from([
        ("keytrail/also", json!(finding.also)),
        ("keytrail/companions", companions(&finding.companions)),
        ("keytrail/confidence", finding.confidence_band().word().into()),
        ("keytrail/facts", json!(finding.facts.named)),
        ("keytrail/preview", finding.preview.as_str().into()),
        ("keytrail/reasons", json!(finding.reasons)),
        ("keytrail/places", finding.places.len().into()),
        ("keytrail/recommendationCategory", EXPOSED_SECRETS.into()),
        ("keytrail/secretFamily", (&*rule.family).into()),
        ("keytrail/secretType", (&*rule.name).into()),
        ("keytrail/severity", finding.severity.word().into()),
        ("keytrail/state", finding.state().word().into()),
        ("keytrail/targetKind", finding.target.kind.as_str().into()),
        // Nothing is asked over the network, so this is all that can be said until an inventory is joined.
        ("keytrail/targetResourceExists", "unknown".into()),
        ("keytrail/validity", finding.validity.word().into()),
    ]);
    let recommendation = finding.recommendation;
    let first = finding.places.first();
    let path = first.and_then(|seen| {
        let provenance = &seen.place.provenance;
        let whole = std::iter::once(&provenance.path).chain(&provenance.members).map(Vec::as_slice);
        (!provenance.path.is_empty()).then(|| display(&whole.collect::<Vec<_>>().join(b"!/".as_slice())).0)
    });
    let commit = first.and_then(|seen| seen.place.last.as_ref().or(seen.place.first.as_ref()));
    let target = &finding.target;
    let optional: [(&'static str, Option<Value>); 20] = [
        ("keytrail/account", finding.target.account.as_deref().map(Value::from)),
        ("keytrail/assessmentKey", recommendation.and_then(|row| row.assessment_key).map(Value::from)),
        ("keytrail/cloud", finding.target.cloud.as_deref().map(Value::from)),
        ("keytrail/column", first.map(|seen| seen.region.start.column.into())),
        ("keytrail/commit", commit.map(|commit| commit.id.as_str().into())),
        ("keytrail/createdUtc", finding.facts.created.and_then(timestamp).map(Value::from)),
        ("keytrail/expirationUtc", finding.facts.expires.and_then(timestamp).map(Value::from)),
        ("keytrail/filePath", path.map(Value::from)),
        (
            "keytrail/fileUrl",
            first.and_then(|seen| context.repository.and_then(|repository| repository.page(seen))).map(Value::from),
        ),
        (
            "keytrail/lastAccessTimeUtc",
            first.and_then(|seen| accessed(seen.place.provenance.file.as_ref()?, context)).map(Value::from),
        ),
        ("keytrail/line", first.map(|seen| seen.region.start.line.into())),
        ("keytrail/platform", recommendation.map(|row| row.platform.word().into())),
        ("keytrail/recommendation", recommendation.map(|row| row.name.into())),
        ("keytrail/targetDatabase", target.database.as_deref().map(Value::from)),
        ("keytrail/targetHost", target.host.as_deref().map(Value::from)),
        ("keytrail/targetPort", target.port.as_deref().map(Value::from)),
        ("keytrail/targetRegion", target.region.as_deref().map(Value::from)),
        ("keytrail/targetResource", target.resource.as_deref().map(Value::from)),
        ("keytrail/targetService", target.service.as_deref().map(Value::from)),
        ("keytrail/targetUser", target.user.as_deref().map(Value::from)),
    ];
    properties.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?))));
    if is_ssh_key(finding) {
        // A key is verified by its public half on another machine, which one scan alone can't know.
        properties.insert("keytrail/sshVerification", "unverified".into());
    }
    properties
}

/// A target as JSON lines tell it.
pub(super) fn target(target: &Target) -> Value {
    let fields = [
        ("kind", Some(&target.kind)),
        ("cloud", target.cloud.as_ref()),
        ("service", target.service.as_ref()),
        ("resource", target.resource.as_ref()),
        ("host", target.host.as_ref()),
        ("port", target.port.as_ref()),
        ("database", target.database.as_ref()),
        ("user", target.user.as_ref()),
        ("account", target.account.as_ref()),
        ("region", target.region.as_ref()),
    ];
    let told = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.as_str().into())));
    Value::Object(told.collect())
}

/// What belongs to the secret: an object for each.
pub(super) fn companions(companions: &[Companion]) -> Value {
    let one = |companion: &Companion| {
        let mut object = json!({"kind": companion.word, "value": companion.value});
        if let Some(rule) = &companion.rule {
            object["rule"] = rule.as_str().into();
        }
        object
    };
    companions.iter().map(one).collect()
}

/// Whether a finding is a private key that opens machines.
fn is_ssh_key(finding: &Finding) -> bool {
    let kind = finding.facts.named.get("key-kind").map(String::as_str).unwrap_or_default();
    let ssh = ["ssh-", "ecdsa-sha2-", "sk-"].iter().any(|prefix| kind.starts_with(prefix));
    ssh || (finding.target.kind == "vm" && &*finding.rule.family == "key")
}

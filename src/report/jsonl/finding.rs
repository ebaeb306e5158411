//! The `finding` record: one secret with all its places.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Serialize;

use super::Context;
use crate::enrich::recommend::EXPOSED_SECRETS;
use crate::finding;
use crate::finding::Sighting;
use crate::location::Region;
use crate::place;
use crate::report::escape;
use crate::report::wording::timestamp;

/// One secret with all its places.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding<'a> {
    scan: usize,
    fingerprint: &'a str,
    rule: &'a str,
    name: &'a str,
    provider: &'a str,
    family: &'a str,
    also: &'a [String],
    severity: &'static str,
    confidence: u8,
    confidence_band: &'static str,
    reasons: &'a [String],
    validity: &'static str,
    state: &'static str,
    open: bool,
    preview: &'a str,
    #[serde(flatten)]
    secret: Option<Clear<'a>>,
    target: Target<'a>,
    companions: Vec<Companion<'a>>,
    facts: &'a BTreeMap<Cow<'static, str>, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    places: Vec<Place<'a>>,
    earlier: Vec<Place<'a>>,
    recommendation: Recommendation,
    remediation: Remediation<'a>,
    suppressions: Vec<Suppression<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
}

/// The value in clear: as text, or as base64 when it is no UTF-8.
#[derive(Serialize)]
enum Clear<'a> {
    #[serde(rename = "secret")]
    Text(&'a str),
    #[serde(rename = "secretBase64")]
    Bytes(String),
}

/// What a secret opens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    /// Nothing is asked over the network, so this is all that can be said until an inventory is joined.
    exists: &'static str,
}

impl<'a> Target<'a> {
    /// The record of a target.
    fn of(target: &'a finding::Target) -> Self {
        Self {
            kind: &target.kind,
            cloud: target.cloud.as_deref(),
            service: target.service.as_deref(),
            resource: target.resource.as_deref(),
            host: target.host.as_deref(),
            port: target.port.as_deref(),
            database: target.database.as_deref(),
            user: target.user.as_deref(),
            account: target.account.as_deref(),
            region: target.region.as_deref(),
            exists: "unknown",
        }
    }
}

/// What belongs to a secret and was found beside it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Companion<'a> {
    kind: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
}

impl<'a> Companion<'a> {
    /// The records of companions.
    fn all(companions: &'a [finding::Companion]) -> Vec<Self> {
        companions.iter().map(|one| Self { kind: &one.word, value: &one.value, rule: one.rule.as_deref() }).collect()
    }
}

/// Whose recommendation a finding belongs to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recommendation {
    category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assessment_key: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
}

/// What to do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Remediation<'a> {
    title: &'a str,
    steps: &'a [Cow<'static, str>],
    end_state: &'a str,
}

/// A decision not to report a finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
}

impl<'a> Finding<'a> {
    /// The record of a finding.
    pub(super) fn of(finding: &'a finding::Finding, context: &Context<'_>) -> Self {
        let rule = &finding.rule;
        let place = |seen| Place::of(seen, finding, context);
        let recommendation = finding.recommendation;
        Self {
            scan: context.scan,
            fingerprint: &finding.fingerprint,
            rule: &rule.id,
            name: &rule.name,
            provider: &rule.provider,
            family: &rule.family,
            also: &finding.also,
            severity: finding.severity.word(),
            confidence: finding.confidence,
            confidence_band: finding.confidence_band().word(),
            reasons: &finding.reasons,
            validity: finding.validity.word(),
            state: finding.state().word(),
            open: finding.is_open(),
            preview: &finding.preview,
            secret: context.show_secrets.then(|| match std::str::from_utf8(finding.secret.expose()) {
                Ok(text) => Clear::Text(text),
                Err(_) => Clear::Bytes(base64::engine::general_purpose::STANDARD.encode(finding.secret.expose())),
            }),
            target: Target::of(&finding.target),
            companions: Companion::all(&finding.companions),
            facts: &finding.facts.named,
            created: finding.facts.created.and_then(timestamp),
            expires: finding.facts.expires.and_then(timestamp),
            places: finding.places.iter().map(place).collect(),
            earlier: finding.earlier.iter().map(place).collect(),
            recommendation: Recommendation {
                category: EXPOSED_SECRETS,
                platform: recommendation.map(|row| row.platform.word()),
                name: recommendation.map(|row| row.name),
                assessment_key: recommendation.and_then(|row| row.assessment_key),
                severity: recommendation.and_then(|row| row.severity),
            },
            remediation: Remediation {
                title: &finding.remedy.title,
                steps: &finding.remedy.steps,
                end_state: &finding.remedy.end_state,
            },
            suppressions: finding.suppressions.iter().map(Suppression::of).collect(),
            baseline_state: finding.baseline.map(finding::BaselineState::word),
        }
    }
}

impl<'a> Suppression<'a> {
    /// The record of a suppression; words of SARIF 2.1.0 section 3.35.
    fn of(suppression: &'a finding::Suppression) -> Self {
        Self {
            kind: suppression.kind.word(),
            status: suppression.status.word(),
            reason: &suppression.reason,
            until: suppression.until.as_deref(),
        }
    }
}

/// One place of a finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    members: Vec<Member>,
    part: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<&'a str>,
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
    excerpt: &'a str,
    #[serde(rename = "assignedName", skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_commit: Option<Commit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit: Option<Commit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    occurrences: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<Lines>,
    versions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    companions: Option<Vec<Companion<'a>>>,
}

/// Lines and columns of a secret in a file, beyond the first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lines {
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
}

/// The name of one member of a container.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
}

/// A commit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Commit<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authored: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    committed: Option<String>,
}

/// What the file system said.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessed: Option<String>,
}

impl<'a> Place<'a> {
    /// The record of a place.
    fn of(seen: &'a Sighting, finding: &finding::Finding, context: &Context<'_>) -> Self {
        let differs = seen.target != finding.target || seen.companions != finding.companions;
        let provenance = &seen.place.provenance;
        let (path, path_bytes) = escape::display(&provenance.path);
        let (reference, reference_bytes) = match &seen.place.reference {
            Some(reference) => {
                let (text, bytes) = escape::display(reference);
                (Some(text), bytes)
            }
            None => (None, None),
        };
        Self {
            path,
            path_bytes,
            members: provenance
                .members
                .iter()
                .map(|member| {
                    let (name, name_bytes) = escape::display(member);
                    Member { name, name_bytes }
                })
                .collect(),
            part: provenance.part.word(),
            view: seen.view.as_deref(),
            line: seen.region.start.line,
            column: seen.region.start.column,
            end_line: seen.region.end.line,
            end_column: seen.region.end.column,
            excerpt: &seen.excerpt,
            name: seen.name.as_deref(),
            state: seen.place.state.word(),
            reference,
            reference_bytes,
            first_commit: seen.place.first.as_deref().map(Commit::of),
            last_commit: seen.place.last.as_deref().map(Commit::of),
            object: seen.object.as_deref(),
            occurrences: seen.occurrences,
            more: seen.more.iter().map(Lines::of).collect(),
            versions: seen.versions,
            line_hash: seen.line_hash.as_deref(),
            url: context.repository.and_then(|repository| repository.page(seen)),
            file: provenance.file.as_ref().map(|facts| File::of(facts, context.machine)),
            target: differs.then(|| Target::of(&seen.target)),
            companions: differs.then(|| Companion::all(&seen.companions)),
        }
    }
}

impl Lines {
    /// The record of a region.
    fn of(region: &Region) -> Self {
        let (start, end) = (region.start, region.end);
        Self { line: start.line, column: start.column, end_line: end.line, end_column: end.column }
    }
}

impl<'a> Commit<'a> {
    /// The record of a commit.
    fn of(commit: &'a place::Commit) -> Self {
        Self { id: &commit.id, authored: timestamp(commit.author_time), committed: timestamp(commit.committer_time) }
    }
}

impl File {
    /// The record of a file's facts. The access time is stated for machines' disks alone: elsewhere our own reading
    /// may set it, and the same input would give other bytes the next time.
    fn of(facts: &place::FileFacts, machine: bool) -> Self {
        Self {
            size: facts.size,
            mode: (facts.mode != 0).then(|| format!("{:06o}", facts.mode)),
            uid: facts.uid,
            modified: facts.modified.and_then(timestamp),
            accessed: facts.accessed.filter(|_| machine).and_then(timestamp),
        }
    }
}

//! The part of a log that is read, as types. What stands beside it is left; what stands twice is refused.

use serde::Deserialize;

use super::{Companion, MachineRecord, Member, Members, ReadErrorKind, Target, places};
use crate::location;

/// What tells whose log it is.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) runs: Vec<HeadRun>,
}

#[derive(Deserialize)]
pub(super) struct HeadRun {
    pub(super) tool: HeadTool,
}

#[derive(Deserialize)]
pub(super) struct HeadTool {
    pub(super) driver: HeadDriver,
}

#[derive(Deserialize)]
pub(super) struct HeadDriver {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Log {
    pub(super) runs: Vec<Run>,
}

#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) tool: Tool,
    pub(super) invocations: Vec<Invocation>,
    pub(super) results: Vec<SarifResult>,
    pub(super) properties: RunProperties,
}

#[derive(Deserialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
}

#[derive(Deserialize)]
pub(super) struct Driver {
    pub(super) rules: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) id: String,
    pub(super) full_description: Message,
    pub(super) help_uri: String,
    pub(super) properties: DescriptorProperties,
}

#[derive(Deserialize)]
pub(super) struct DescriptorProperties {
    #[serde(rename = "keytrail/provider")]
    pub(super) provider: String,
    #[serde(rename = "keytrail/remediation")]
    pub(super) remediation: String,
    #[serde(rename = "keytrail/remedy")]
    pub(super) remedy: Option<RemedyRecord>,
    #[serde(rename = "keytrail/target")]
    pub(super) target: String,
    pub(super) precision: String,
    #[serde(rename = "security-severity")]
    pub(super) security_severity: String,
    pub(super) tags: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemedyRecord {
    pub(super) title: String,
    pub(super) steps: Vec<String>,
    pub(super) end_state: String,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub(super) execution_successful: bool,
    #[serde(default)]
    pub(super) tool_execution_notifications: Vec<Notification>,
    pub(super) properties: Counts,
}

#[derive(Deserialize)]
pub(super) struct Counts {
    #[serde(rename = "keytrail/bytes")]
    pub(super) bytes: u64,
    #[serde(rename = "keytrail/contents")]
    pub(super) contents: u64,
    #[serde(rename = "keytrail/excluded")]
    pub(super) excluded: Members<u64>,
    #[serde(rename = "keytrail/knownClean")]
    pub(super) known_clean: u64,
    #[serde(rename = "keytrail/listed")]
    pub(super) listed: Vec<Listed>,
    #[serde(rename = "keytrail/unread")]
    pub(super) unread: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) path_bytes: Option<String>,
    pub(super) what: String,
}

#[derive(Deserialize)]
pub(super) struct Notification {
    pub(super) descriptor: Reference,
    pub(super) message: Message,
    #[serde(default)]
    pub(super) properties: NotificationProperties,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) id: String,
}

#[derive(Default, Deserialize)]
pub(super) struct NotificationProperties {
    #[serde(rename = "keytrail/what")]
    pub(super) what: Option<String>,
    #[serde(rename = "keytrail/whatBytes")]
    pub(super) what_bytes: Option<String>,
    #[serde(rename = "keytrail/detail")]
    pub(super) detail: Option<String>,
    #[serde(rename = "keytrail/object")]
    pub(super) object: Option<String>,
    #[serde(rename = "keytrail/text")]
    pub(super) text: Option<String>,
    #[serde(rename = "keytrail/notListed")]
    pub(super) not_listed: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct RunProperties {
    #[serde(rename = "keytrail/activeRules")]
    pub(super) active_rules: u64,
    #[serde(rename = "keytrail/kind")]
    pub(super) kind: String,
    #[serde(rename = "keytrail/machine")]
    pub(super) machine: Option<MachineRecord>,
    #[serde(rename = "keytrail/name")]
    pub(super) name: String,
    #[serde(rename = "keytrail/observations")]
    pub(super) observations: Vec<Observation>,
    #[serde(rename = "keytrail/platform")]
    pub(super) platform: Option<String>,
    #[serde(rename = "keytrail/repository")]
    pub(super) repository: Option<Repository>,
    #[serde(rename = "keytrail/root")]
    pub(super) root: Option<String>,
    #[serde(rename = "keytrail/settingsFrom")]
    pub(super) settings_from: String,
}

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) head: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) refs: u64,
    pub(super) commits: u64,
    pub(super) range: Option<Range>,
    pub(super) remote: Option<String>,
    pub(super) platform: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Range {
    pub(super) start: Option<String>,
    pub(super) end: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Observation {
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) path_bytes: Option<String>,
    pub(super) values: Members<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifResult {
    pub(super) rule_id: String,
    pub(super) locations: Vec<Location>,
    #[serde(default)]
    pub(super) related_locations: Vec<Location>,
    pub(super) partial_fingerprints: Fingerprints,
    pub(super) rank: u8,
    pub(super) baseline_state: Option<String>,
    pub(super) suppressions: Vec<Suppression>,
    pub(super) properties: ResultProperties,
}

#[derive(Deserialize)]
pub(super) struct Fingerprints {
    #[serde(rename = "keytrailSecret/v1")]
    pub(super) secret: String,
    #[serde(rename = "primaryLocationLineHash")]
    pub(super) raw_line_hash: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Suppression {
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) justification: String,
    #[serde(default)]
    pub(super) properties: SuppressionProperties,
}

#[derive(Default, Deserialize)]
pub(super) struct SuppressionProperties {
    #[serde(rename = "keytrail/until")]
    pub(super) until: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ResultProperties {
    #[serde(rename = "keytrail/account")]
    pub(super) account: Option<String>,
    #[serde(rename = "keytrail/also")]
    pub(super) also: Vec<String>,
    #[serde(rename = "keytrail/cloud")]
    pub(super) cloud: Option<String>,
    #[serde(rename = "keytrail/companions")]
    pub(super) companions: Vec<Companion>,
    #[serde(rename = "keytrail/createdUtc")]
    pub(super) created: Option<String>,
    #[serde(rename = "keytrail/expirationUtc")]
    pub(super) expires: Option<String>,
    #[serde(rename = "keytrail/facts")]
    pub(super) facts: Members<String>,
    #[serde(rename = "keytrail/places")]
    pub(super) places: usize,
    #[serde(rename = "keytrail/platform")]
    pub(super) platform: Option<String>,
    #[serde(rename = "keytrail/preview")]
    pub(super) preview: String,
    #[serde(rename = "keytrail/reasons")]
    pub(super) reasons: Vec<String>,
    #[serde(rename = "keytrail/secretFamily")]
    pub(super) secret_family: String,
    #[serde(rename = "keytrail/secretType")]
    pub(super) secret_type: String,
    #[serde(rename = "keytrail/severity")]
    pub(super) severity: String,
    #[serde(rename = "keytrail/targetDatabase")]
    pub(super) target_database: Option<String>,
    #[serde(rename = "keytrail/targetHost")]
    pub(super) target_host: Option<String>,
    #[serde(rename = "keytrail/targetKind")]
    pub(super) target_kind: String,
    #[serde(rename = "keytrail/targetPort")]
    pub(super) target_port: Option<String>,
    #[serde(rename = "keytrail/targetRegion")]
    pub(super) target_region: Option<String>,
    #[serde(rename = "keytrail/targetResource")]
    pub(super) target_resource: Option<String>,
    #[serde(rename = "keytrail/targetService")]
    pub(super) target_service: Option<String>,
    #[serde(rename = "keytrail/targetUser")]
    pub(super) target_user: Option<String>,
    #[serde(rename = "keytrail/validity")]
    pub(super) validity: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) physical_location: PhysicalLocation,
    #[serde(default)]
    pub(super) logical_locations: Vec<LogicalLocation>,
    #[serde(default)]
    pub(super) properties: LocationProperties,
}

impl Location {
    /// Whether it is a place, and not a further line of one.
    pub(super) fn is_place(&self) -> bool {
        self.properties.state.is_some()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    pub(super) region: Region,
    pub(super) context_region: Option<ContextRegion>,
}

#[derive(Deserialize)]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    start_line: u64,
    start_column: u64,
    end_line: u64,
    end_column: u64,
}

impl Region {
    /// The region.
    pub(super) fn read(&self) -> Result<location::Region, ReadErrorKind> {
        places::region([self.start_line, self.start_column, self.end_line, self.end_column])
    }
}

#[derive(Deserialize)]
pub(super) struct ContextRegion {
    pub(super) snippet: Option<Message>,
}

#[derive(Deserialize)]
pub(super) struct LogicalLocation {
    pub(super) kind: String,
}

#[derive(Default, Deserialize)]
pub(super) struct LocationProperties {
    #[serde(rename = "keytrail/assignedName")]
    pub(super) assigned_name: Option<String>,
    #[serde(rename = "keytrail/companions")]
    pub(super) companions: Option<Vec<Companion>>,
    #[serde(rename = "keytrail/excerpt")]
    pub(super) excerpt: Option<String>,
    #[serde(rename = "keytrail/firstCommit")]
    pub(super) first_commit: Option<String>,
    #[serde(rename = "keytrail/firstCommitTimeUtc")]
    pub(super) first_authored: Option<String>,
    #[serde(rename = "keytrail/firstCommitCommitterTimeUtc")]
    pub(super) first_committed: Option<String>,
    #[serde(rename = "keytrail/lastAccessTimeUtc")]
    pub(super) accessed: Option<String>,
    #[serde(rename = "keytrail/lastCommit")]
    pub(super) last_commit: Option<String>,
    #[serde(rename = "keytrail/lastCommitTimeUtc")]
    pub(super) last_authored: Option<String>,
    #[serde(rename = "keytrail/lastCommitCommitterTimeUtc")]
    pub(super) last_committed: Option<String>,
    #[serde(rename = "keytrail/lastModifiedTimeUtc")]
    pub(super) modified: Option<String>,
    #[serde(rename = "keytrail/lineHash")]
    pub(super) line_hash: Option<String>,
    #[serde(rename = "keytrail/members", default)]
    pub(super) members: Vec<Member>,
    #[serde(rename = "keytrail/mode")]
    pub(super) mode: Option<String>,
    #[serde(rename = "keytrail/more", default)]
    pub(super) more: Vec<String>,
    #[serde(rename = "keytrail/nameRegion")]
    pub(super) name_region: Option<String>,
    #[serde(rename = "keytrail/object")]
    pub(super) object: Option<String>,
    #[serde(rename = "keytrail/occurrences", default)]
    pub(super) occurrences: u64,
    #[serde(rename = "keytrail/owner")]
    pub(super) owner: Option<u32>,
    #[serde(rename = "keytrail/path")]
    pub(super) path: Option<String>,
    #[serde(rename = "keytrail/pathBytes")]
    pub(super) path_bytes: Option<String>,
    #[serde(rename = "keytrail/reference")]
    pub(super) reference: Option<String>,
    #[serde(rename = "keytrail/referenceBytes")]
    pub(super) reference_bytes: Option<String>,
    #[serde(rename = "keytrail/size")]
    pub(super) size: Option<u64>,
    #[serde(rename = "keytrail/state")]
    pub(super) state: Option<String>,
    #[serde(rename = "keytrail/target")]
    pub(super) target: Option<Target>,
    #[serde(rename = "keytrail/versions", default)]
    pub(super) versions: u64,
    #[serde(rename = "keytrail/view")]
    pub(super) view: Option<String>,
}

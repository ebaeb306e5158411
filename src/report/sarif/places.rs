//! Places as SARIF locations, and the artifacts they lie in.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::ROOT;
use super::log::{
    Artifact, ArtifactLocation, Location, LogicalLocation, Message, PhysicalLocation, Properties, Region,
};
use super::results::{Context, companions, target};
use crate::finding::{Finding, Sighting};
use crate::location;
use crate::place::{Commit, FileFacts, Part, Place};
use crate::report::escape::{display, percent, relative_uri, terminal};
use crate::report::wording::{place as words, timestamp};

/// The artifacts that have more to tell than their name: files with facts of a file system, and containers with the
/// members in them. Others are left out (an artifact with a location alone adds nothing).
#[derive(Default)]
pub(super) struct Artifacts {
    /// As written.
    pub(super) list: Vec<Artifact>,
    /// The place in the list of each URI.
    index: BTreeMap<String, usize>,
}

impl Artifacts {
    /// Where the artifact at `place` is, entered into the list if it has something to tell.
    fn location(&mut self, place: &Place, context: &Context<'_>) -> ArtifactLocation {
        let mut uri = uri(place, context);
        let facts = place.provenance.file.as_ref();
        let members = &place.provenance.members;
        let mut index = (facts.is_some() || !members.is_empty()).then(|| self.enter(&uri, None, facts));
        for member in members {
            uri.push_str("!/");
            uri.push_str(&relative_uri(member));
            index = Some(self.enter(&uri, index, None));
        }
        ArtifactLocation { uri, uri_base_id: ROOT, index }
    }

    /// The index of an artifact.
    fn enter(&mut self, uri: &str, parent: Option<usize>, facts: Option<&FileFacts>) -> usize {
        if let Some(&index) = self.index.get(uri) {
            return index;
        }
        let index = self.list.len();
        self.index.insert(uri.to_owned(), index);
        self.list.push(Artifact {
            location: ArtifactLocation { uri: uri.to_owned(), uri_base_id: ROOT, index: Some(index) },
            parent_index: parent,
            length: facts.map(|facts| facts.size),
            last_modified_time_utc: facts.and_then(|facts| facts.modified).and_then(timestamp),
            roles: ["analysisTarget"],
        });
        index
    }
}

/// When a file of a machine's disk was last read before the scan. Stated for those alone: elsewhere our own reading may
/// set it, and the same input would give other bytes the next time.
pub(super) fn accessed(facts: &FileFacts, context: &Context<'_>) -> Option<String> {
    context.scan.root.machine.as_ref().and(facts.accessed).and_then(timestamp)
}

/// The relative URI of a place, without members. Code hosts show a result only with a location that has a file and a
/// line, so what is no file gets a name below `.git`, where no tracked file can be (git refuses such paths): stable,
/// unique, and saying what it is. A ref's is where git itself would keep it.
fn uri(place: &Place, context: &Context<'_>) -> String {
    let path = &place.provenance.path;
    let reference = place.reference.as_deref().unwrap_or_default();
    let commit = place.first.as_deref().or(place.last.as_deref());
    let below_git = |name: &[u8]| relative_uri(&[b".git/", name].concat());
    let uri = match (place.provenance.part, commit) {
        (Part::CommitMessage, Some(commit)) => format!(".git/commits/{}/message", commit.id),
        (Part::CommitIdentity, Some(commit)) => format!(".git/commits/{}/author", commit.id),
        (Part::CommitMessage | Part::CommitIdentity, None) => below_git(&[b"commits/", path.as_slice()].concat()),
        (Part::Tag | Part::RefName, _) => below_git(if reference.is_empty() { path } else { reference }),
        (Part::Note, _) => below_git(&[reference, b"/", path].concat()),
        (Part::Content | Part::LinkTarget | Part::PathName, _) => relative_uri(path),
    };
    // A stream has no path.
    if uri.is_empty() { percent(context.scan.root.name.as_bytes()).replace('/', "%2F") } else { uri }
}

/// A place as a location of `finding`.
pub(super) fn location(
    seen: &Sighting,
    finding: &Finding,
    context: &Context<'_>,
    artifacts: &mut Artifacts,
) -> Location {
    let part = seen.place.provenance.part;
    let logical = LogicalLocation { fully_qualified_name: display(&words(&seen.place)).0, kind: part.word() };
    Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: artifacts.location(&seen.place, context),
            region: region(seen, finding),
            context_region: context_region(seen),
        },
        logical_locations: if part == Part::Content { vec![] } else { vec![logical] },
        message: None,
        properties: properties(seen, finding, context),
    }
}

/// The secret's further lines in the file of a place.
pub(super) fn further(
    seen: &Sighting,
    finding: &Finding,
    context: &Context<'_>,
    artifacts: &mut Artifacts,
) -> Vec<Location> {
    let location = |region: &location::Region| Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: artifacts.location(&seen.place, context),
            region: lines(region, finding),
            context_region: None,
        },
        logical_locations: vec![],
        message: None,
        properties: Properties::new(),
    };
    seen.more.iter().map(location).collect()
}

/// The secret's own lines and columns; its text is what may be shown of it. A path's name stands in no line of the
/// file: such a finding points at the file's start.
fn region(seen: &Sighting, finding: &Finding) -> Region {
    if seen.place.provenance.part == Part::PathName {
        let one = Some(1);
        return Region { start_line: 1, start_column: one, end_line: 1, end_column: one, snippet: None };
    }
    lines(&seen.region, finding)
}

/// Lines and columns of a secret.
fn lines(region: &location::Region, finding: &Finding) -> Region {
    let (start, end) = (region.start, region.end);
    Region {
        start_line: start.line,
        start_column: Some(start.column),
        end_line: end.line,
        end_column: Some(end.column),
        snippet: Some(Message::new(terminal(&finding.preview))),
    }
}

/// The line around the secret, masked. It must be properly larger than the region (section 3.29.5), which is sure
/// only when something stands before the secret; and the excerpt is one line.
fn context_region(seen: &Sighting) -> Option<Region> {
    let (start, end) = (seen.region.start, seen.region.end);
    let larger = start.line == end.line && start.column > 1;
    let file = !matches!(seen.place.provenance.part, Part::PathName | Part::RefName);
    (larger && file && !seen.excerpt.is_empty()).then(|| Region {
        start_line: start.line,
        start_column: None,
        end_line: end.line,
        end_column: None,
        snippet: Some(Message::new(seen.excerpt.clone())),
    })
}

/// What else is known of a place.
fn properties(seen: &Sighting, finding: &Finding, context: &Context<'_>) -> Properties {
    let place = &seen.place;
    let part = place.provenance.part;
    let mut properties = Properties::from([
        ("keytrail/occurrences", seen.occurrences.into()),
        ("keytrail/state", place.state.word().into()),
        ("keytrail/versions", seen.versions.into()),
    ]);
    let mut commit = |commit: &Commit, id, authored, committed| {
        properties.insert(id, commit.id.clone().into());
        for (name, time) in [(authored, commit.author_time), (committed, commit.committer_time)] {
            if let Some(time) = timestamp(time) {
                properties.insert(name, time.into());
            }
        }
    };
    if let Some(first) = &place.first {
        commit(first, "keytrail/firstCommit", "keytrail/firstCommitTimeUtc", "keytrail/firstCommitCommitterTimeUtc");
    }
    if let Some(last) = &place.last {
        commit(last, "keytrail/lastCommit", "keytrail/lastCommitTimeUtc", "keytrail/lastCommitCommitterTimeUtc");
    }
    if let Some(reference) = &place.reference {
        let (text, bytes) = display(reference);
        properties.insert("keytrail/reference", text.into());
        properties.extend(bytes.map(|bytes| ("keytrail/referenceBytes", bytes.into())));
    }
    properties.extend(exact_path(place, context));
    if !seen.excerpt.is_empty() && context_region(seen).is_none() {
        properties.insert("keytrail/excerpt", seen.excerpt.clone().into());
    }
    if let Some(hash) = &seen.line_hash {
        properties.insert("keytrail/lineHash", hash.clone().into());
    }
    if !seen.more.is_empty() {
        properties.insert("keytrail/more", seen.more.iter().map(spelled).collect::<Vec<_>>().into());
    }
    if seen.target != finding.target || seen.companions != finding.companions {
        properties.insert("keytrail/target", target(&seen.target));
        properties.insert("keytrail/companions", companions(&seen.companions));
    }
    if let Some(facts) = &place.provenance.file {
        let accessed = accessed(facts, context).map(|time| ("keytrail/lastAccessTimeUtc", time.into()));
        let modified = facts.modified.and_then(timestamp).map(|time| ("keytrail/lastModifiedTimeUtc", time.into()));
        let mode = (facts.mode != 0).then(|| ("keytrail/mode", format!("{:06o}", facts.mode).into()));
        let owner = facts.uid.map(|uid| ("keytrail/owner", uid.into()));
        let size = Some(("keytrail/size", facts.size.into()));
        properties.extend([accessed, modified, mode, owner, size].into_iter().flatten());
    }
    if let Some(object) = &seen.object {
        properties.insert("keytrail/object", object.clone().into());
    }
    if let Some(name) = &seen.name {
        properties.insert("keytrail/assignedName", name.clone().into());
    }
    if let Some(view) = &seen.view {
        properties.insert("keytrail/view", view.as_ref().into());
    }
    if let Some(url) = context.repository.and_then(|repository| repository.page(seen)) {
        properties.insert("keytrail/fileUrl", url.into());
    }
    if part == Part::PathName {
        properties.insert("keytrail/nameColumn", seen.region.start.column.into());
        properties.insert("keytrail/nameEndColumn", seen.region.end.column.into());
        properties.insert("keytrail/nameRegion", spelled(&seen.region).into());
    }
    properties
}

/// A region as `line:column-line:column`, where the second column is one past the last.
fn spelled(region: &location::Region) -> String {
    let (start, end) = (region.start, region.end);
    format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

/// The path and members of a place, where they can't be told from its URI by decoding it.
fn exact_path(place: &Place, context: &Context<'_>) -> Vec<(&'static str, Value)> {
    let provenance = &place.provenance;
    let is_path = matches!(provenance.part, Part::Content | Part::LinkTarget | Part::PathName);
    let decoded = if is_path { percent_decode_str(&uri(place, context)).collect() } else { Vec::new() };
    let mut exact = Vec::new();
    if decoded != provenance.path {
        let (text, bytes) = display(&provenance.path);
        exact.push(("keytrail/path", text.into()));
        exact.extend(bytes.map(|bytes| ("keytrail/pathBytes", bytes.into())));
    }
    if !provenance.members.is_empty() {
        let member = |member: &Vec<u8>| {
            let (name, bytes) = display(member);
            match bytes {
                Some(bytes) => json!({ "name": name, "nameBytes": bytes }),
                None => json!({ "name": name }),
            }
        };
        exact.push(("keytrail/members", provenance.members.iter().map(member).collect()));
    }
    exact
}

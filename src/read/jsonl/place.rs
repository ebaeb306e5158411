//! One place of a finding.

use serde::Deserialize;

use crate::finding::{self, Sighting};
use crate::place::{FileFacts, Place, Provenance};
use crate::read::places::{self, Companion, Target};
use crate::read::texts::{self, bytes, object_id, some_seconds};
use crate::read::{ReadErrorKind, words};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlaceRecord {
    path: String,
    path_bytes: Option<String>,
    members: Vec<places::Member>,
    part: String,
    view: Option<String>,
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
    excerpt: String,
    assigned_name: Option<String>,
    state: String,
    reference: Option<String>,
    reference_bytes: Option<String>,
    first_commit: Option<CommitRecord>,
    last_commit: Option<CommitRecord>,
    object: Option<String>,
    occurrences: u64,
    #[serde(default)]
    more: Vec<RegionRecord>,
    versions: u64,
    line_hash: Option<String>,
    file: Option<FileRecord>,
    target: Option<Target>,
    companions: Option<Vec<Companion>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegionRecord {
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
}

#[derive(Deserialize)]
struct CommitRecord {
    id: String,
    authored: Option<String>,
    committed: Option<String>,
}

#[derive(Deserialize)]
struct FileRecord {
    size: u64,
    mode: Option<String>,
    uid: Option<u32>,
    modified: Option<String>,
    accessed: Option<String>,
}

impl PlaceRecord {
    /// The place, of a finding with this target and these companions.
    pub(super) fn read(
        self,
        target: &finding::Target,
        companions: &[finding::Companion],
    ) -> Result<Sighting, ReadErrorKind> {
        let commit = |record: Option<CommitRecord>| match record {
            None => Ok(None),
            Some(one) => places::commit(&one.id, one.authored.as_deref(), one.committed.as_deref()).map(Some),
        };
        let file = |file: FileRecord| {
            Ok::<_, ReadErrorKind>(FileFacts {
                size: file.size,
                mode: texts::mode(file.mode.as_deref())?,
                uid: file.uid,
                modified: some_seconds(file.modified.as_deref())?,
                accessed: some_seconds(file.accessed.as_deref())?,
            })
        };
        let more = |one: RegionRecord| places::region([one.line, one.column, one.end_line, one.end_column]);
        Ok(Sighting {
            place: Place {
                provenance: Provenance {
                    path: bytes(&self.path, self.path_bytes.as_deref()),
                    members: self.members.iter().map(places::Member::read).collect(),
                    part: words::part(&self.part)?,
                    file: self.file.map(file).transpose()?,
                },
                state: words::state(&self.state)?,
                first: commit(self.first_commit)?,
                last: commit(self.last_commit)?,
                reference: self.reference.map(|text| bytes(&text, self.reference_bytes.as_deref())),
            },
            region: places::region([self.line, self.column, self.end_line, self.end_column])?,
            excerpt: self.excerpt,
            line_hash: self.line_hash.as_deref().map(texts::line_hash).transpose()?,
            line_hash_raw: None,
            occurrences: self.occurrences,
            more: self.more.into_iter().map(more).collect::<Result<_, _>>()?,
            versions: self.versions,
            object: self.object.as_deref().map(object_id).transpose()?,
            name: self.assigned_name,
            view: self.view.map(Into::into),
            target: self.target.map_or_else(|| target.clone(), Target::read),
            companions: self.companions.map_or_else(|| companions.to_vec(), Companion::all),
        })
    }
}

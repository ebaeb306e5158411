//! What findings of both formats are made of: regions, commits, targets, companions.

use std::sync::Arc;

use serde::Deserialize;

use super::texts::{NO_TIME, bytes, object_id, some_seconds};
use super::{ReadErrorKind, quoted};
use crate::finding::{self, Finding};
use crate::location::{Position, Region};
use crate::place::Commit;

/// A finding that can be one: it has a place, and its confidence is a percentage.
pub(super) fn checked(finding: Finding) -> Result<Finding, ReadErrorKind> {
    let wrong = |what: String| Err(ReadErrorKind::Value(what));
    if finding.places.is_empty() {
        return wrong(format!("finding `{}` has no place", quoted(&finding.fingerprint)));
    }
    if finding.confidence > 100 {
        return wrong(format!("a confidence of {}% can't be", finding.confidence));
    }
    Ok(finding)
}

/// A region from its line, column, last line and column after the last, all 1-based.
pub(super) fn region(numbers: [u64; 4]) -> Result<Region, ReadErrorKind> {
    if numbers.contains(&0) {
        return Err(ReadErrorKind::Value("lines and columns count from 1".to_owned()));
    }
    let [line, column, end_line, end_column] = numbers;
    Ok(Region { start: Position { line, column }, end: Position { line: end_line, column: end_column } })
}

/// A commit. Its place in the walk is in no report.
pub(super) fn commit(id: &str, authored: Option<&str>, committed: Option<&str>) -> Result<Arc<Commit>, ReadErrorKind> {
    Ok(Arc::new(Commit {
        id: object_id(id)?,
        author_time: some_seconds(authored)?.unwrap_or(NO_TIME),
        committer_time: some_seconds(committed)?.unwrap_or(NO_TIME),
        order: 0,
    }))
}

/// The name of one member of a container.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Member {
    name: String,
    name_bytes: Option<String>,
}

impl Member {
    /// Its bytes.
    pub(super) fn read(&self) -> Vec<u8> {
        bytes(&self.name, self.name_bytes.as_deref())
    }
}

/// What a secret opens.
#[derive(Deserialize)]
pub(super) struct Target {
    kind: String,
    cloud: Option<String>,
    service: Option<String>,
    resource: Option<String>,
    host: Option<String>,
    port: Option<String>,
    database: Option<String>,
    user: Option<String>,
    account: Option<String>,
    region: Option<String>,
}

impl Target {
    /// The target.
    pub(super) fn read(self) -> finding::Target {
        let Self { kind, cloud, service, resource, host, port, database, user, account, region } = self;
        finding::Target { kind, cloud, service, resource, host, port, database, user, account, region }
    }
}

/// What belongs to a secret.
#[derive(Deserialize)]
pub(super) struct Companion {
    kind: String,
    value: String,
    rule: Option<String>,
}

impl Companion {
    /// All of them.
    pub(super) fn all(records: Vec<Self>) -> Vec<finding::Companion> {
        let one =
            |record: Self| finding::Companion { word: record.kind.into(), value: record.value, rule: record.rule };
        records.into_iter().map(one).collect()
    }
}

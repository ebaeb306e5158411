//! Results of a run, read back from its JSON lines. The one place of the suite that knows their field names.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use serde_json::Value;

use super::{Token, name_tokens};

/// A record as it came. `Debug` names the secrets in it, so that a failing assertion gives nothing away.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Record(Value);

impl Deref for Record {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_tokens(&self.0.to_string()))
    }
}

/// What one run said.
#[derive(Clone, Default)]
pub(crate) struct Results {
    /// Exit code of the run, where known.
    pub(crate) code: i32,
    /// The findings, in the order they came.
    pub(crate) findings: Vec<Finding>,
    /// `unread` records.
    pub(crate) unread: Vec<Record>,
    /// `excluded` records.
    pub(crate) excluded: Vec<Record>,
    /// `listed` records.
    pub(crate) listed: Vec<Record>,
    /// `observation` records.
    pub(crate) observations: Vec<Record>,
    /// Texts of the `note` records.
    pub(crate) notes: Vec<String>,
    /// `scan` records.
    pub(crate) scans: Vec<Record>,
    /// The `summary` record: the last line, or the report was cut.
    pub(crate) summary: Record,
}

/// One finding.
#[derive(Clone, Default)]
pub(crate) struct Finding {
    /// The record as it came.
    pub(crate) record: Record,
    /// The value, if it was asked for.
    pub(crate) secret: String,
    /// Its places.
    pub(crate) places: Vec<Place>,
}

/// One place of a finding.
#[derive(Clone, Default)]
pub(crate) struct Place {
    /// The record as it came.
    pub(crate) record: Record,
    /// Path below the root.
    pub(crate) path: String,
    /// Which part of the thing at the path: `content`, `path name`, `commit message`, …
    pub(crate) part: String,
    /// How alive: `default tip`, `history only`, …
    pub(crate) state: String,
    /// Id of the first commit.
    pub(crate) first: Option<String>,
    /// Id of the last commit that holds it there.
    pub(crate) last: Option<String>,
    /// The ref that leads here.
    pub(crate) reference: Option<String>,
    /// Line, 1-based.
    pub(crate) line: u64,
    /// Column, 1-based, UTF-16 code units.
    pub(crate) column: u64,
}

impl Results {
    /// Reads JSON lines.
    pub(crate) fn parse(stdout: &[u8]) -> Result<Self, String> {
        let lines = std::str::from_utf8(stdout).map_err(|error| format!("not UTF-8: {error}"))?;
        let mut results = Self::default();
        for (number, line) in lines.lines().enumerate() {
            if !results.summary.is_null() {
                return Err("something follows the summary".to_owned());
            }
            let record =
                serde_json::from_str(line).map_err(|error| format!("line {} is no JSON: {error}", number + 1))?;
            let record = Record(record);
            let kind = record["type"].as_str().ok_or_else(|| format!("line {} has no type", number + 1))?;
            match kind {
                "scan" => results.scans.push(record),
                "finding" => results.findings.push(Finding::of(record)),
                "unread" => results.unread.push(record),
                "excluded" => results.excluded.push(record),
                "observation" => results.observations.push(record),
                "listed" => results.listed.push(record),
                "note" => results.notes.push(text(&record["text"]).unwrap_or_default()),
                "summary" => results.summary = record,
                other => return Err(format!("line {} is of type `{other}`", number + 1)),
            }
        }
        if results.summary.is_null() { Err("no summary record".to_owned()) } else { Ok(results) }
    }

    /// The finding of that token.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub(crate) fn of(&self, token: &Token) -> &Finding {
        let found: Vec<_> = self.findings.iter().filter(|finding| finding.secret == token.text()).collect();
        assert_eq!(found.len(), 1, "findings of {token:?} among {:?}", self.labels());
        found[0]
    }

    /// Labels of all tokens found, suppressed or not; `?` for a finding that is no token of ours.
    pub(crate) fn labels(&self) -> Vec<String> {
        let known = super::registered();
        let label = |finding: &Finding| {
            let token = known.iter().find(|token| token.text() == finding.secret);
            token.map_or_else(|| format!("? {}", finding.text("rule")), |token| token.label().to_owned())
        };
        self.findings.iter().map(label).collect()
    }

    /// Expects exactly these tokens, each found once, and nothing else.
    pub(crate) fn holds_exactly(&self, tokens: &[&Token]) -> &Self {
        let expected: BTreeSet<String> = tokens.iter().map(|token| token.label().to_owned()).collect();
        let labels = self.labels();
        let found: BTreeSet<String> = labels.iter().cloned().collect();
        assert_eq!(found, expected, "found and expected");
        assert_eq!(labels.len(), found.len(), "one finding per secret: {labels:?}");
        let open = self.findings.iter().any(Finding::is_open);
        assert_eq!(self.summary["complete"], self.unread.is_empty(), "{:?}", self.unread);
        let code = if self.unread.is_empty() { i32::from(open) } else { 3 };
        assert_eq!(self.code, code, "exit code for {labels:?}");
        self
    }

    /// Kinds of what was unread.
    pub(crate) fn unread_kinds(&self) -> Vec<String> {
        self.unread.iter().map(|record| text(&record["kind"]).unwrap_or_default()).collect()
    }

    /// What was listed as `what`: the paths.
    pub(crate) fn listed_as(&self, what: &str) -> Vec<String> {
        let of_kind = self.listed.iter().filter(|record| record["what"] == what);
        of_kind.map(|record| text(&record["path"]).unwrap_or_default()).collect()
    }

    /// How many things policy left out for that reason.
    pub(crate) fn excluded(&self, why: &str) -> u64 {
        let of_kind = self.excluded.iter().filter(|record| record["why"] == why);
        of_kind.map(|record| record["count"].as_u64().expect("a count")).sum()
    }
}

impl Finding {
    /// Reads a `finding` record.
    fn of(record: Record) -> Self {
        let places =
            record["places"].as_array().into_iter().flatten().cloned().map(|place| Place::of(Record(place))).collect();
        Self { secret: text(&record["secret"]).unwrap_or_default(), places, record }
    }

    /// A field as text; empty when there is none.
    pub(crate) fn text(&self, field: &str) -> String {
        text(&self.record[field]).unwrap_or_default()
    }

    /// Whether it counts for the exit code.
    pub(crate) fn is_open(&self) -> bool {
        let accepted = self.suppressions().iter().any(|(_, status)| status == "accepted");
        assert_eq!(self.record["open"], !accepted, "`open` and the suppressions agree");
        !accepted
    }

    /// Kind and status of each decision not to report it.
    pub(crate) fn suppressions(&self) -> Vec<(String, String)> {
        let each = self.record["suppressions"].as_array().into_iter().flatten();
        each.map(|item| (text(&item["kind"]).unwrap_or_default(), text(&item["status"]).unwrap_or_default())).collect()
    }

    /// Name of the recommendation it belongs to.
    pub(crate) fn recommendation(&self) -> Option<String> {
        text(&self.record["recommendation"]["name"])
    }

    /// The only place.
    ///
    /// # Panics
    /// When there are more, or none.
    pub(crate) fn place(&self) -> &Place {
        assert_eq!(self.places.len(), 1, "places of a finding: {:#?}", self.paths());
        &self.places[0]
    }

    /// The paths of its places, in order.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.places.iter().map(|place| place.path.as_str()).collect()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}

impl Place {
    /// Reads one entry of `places`.
    fn of(record: Record) -> Self {
        Self {
            path: text(&record["path"]).unwrap_or_default(),
            part: text(&record["part"]).unwrap_or_default(),
            state: text(&record["state"]).unwrap_or_default(),
            first: text(&record["firstCommit"]["id"]),
            last: text(&record["lastCommit"]["id"]),
            reference: text(&record["reference"]),
            line: record["line"].as_u64().unwrap_or_default(),
            column: record["column"].as_u64().unwrap_or_default(),
            record,
        }
    }
}

/// A JSON string's text.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

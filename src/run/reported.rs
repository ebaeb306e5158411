//! `keytrail explain FINGERPRINT --report FILE`: what a report in JSON lines says of a finding, and why, place by place,
//! as far as its files are here.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Component, Path};

use serde_json::Value;

use crate::cli::error::{plain, printable};
use crate::cli::{CliError, Spot};

/// Longest line of a report that is read, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Places that are explained.
const PLACES: usize = 5;

/// A finding as a report tells it.
#[derive(Debug)]
pub(super) struct Reported {
    /// What the report says, for people.
    pub(super) text: String,
    /// Where it stood, the first few.
    pub(super) spots: Vec<Spot>,
}

/// Looks a fingerprint up.
///
/// # Errors
/// The report can't be read, is none, or holds no such finding.
pub(super) fn find(report: &Path, fingerprint: &str) -> Result<Reported, CliError> {
    let failed = |what: String| CliError::new(format!("{}: {what}", report.display()));
    let file = std::fs::File::open(report).map_err(|error| failed(plain(&error)))?;
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = lines.by_ref().take(MOST_BYTES).read_until(b'\n', &mut line);
        match read.map_err(|error| failed(plain(&error)))? {
            0 => break,
            _ if line.len() as u64 == MOST_BYTES => return Err(failed(format!("line {number} is too long"))),
            _ => {}
        }
        let record: Value = serde_json::from_slice(&line)
            .map_err(|_| failed(format!("line {number} is no JSON: a report by `--format jsonl` is wanted")))?;
        if record["type"] == "finding" && record["fingerprint"] == fingerprint {
            return Ok(told(&record));
        }
    }
    Err(failed(format!("there is no finding `{fingerprint}` in it")))
}

/// A finding's record for people.
fn told(record: &Value) -> Reported {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut out = String::new();
    let mut line = |label: &str, text: &str| {
        if !text.is_empty() {
            writeln!(out, "{label:13}{}", printable(text)).expect("a String takes every write");
        }
    };
    line("fingerprint", &text(&record["fingerprint"]));
    line("rule", &text(&record["rule"]));
    line("severity", &text(&record["severity"]));
    let confidence = record["confidence"].as_u64().map(|percent| format!("{percent}%")).unwrap_or_default();
    line("confidence", &confidence);
    line("check", &text(&record["validity"]));
    list(&record["reasons"]).iter().for_each(|reason| line("because", &text(reason)));
    list(&record["also"]).iter().for_each(|rule| line("also", &text(rule)));
    for one in list(&record["suppressions"]) {
        line("suppression", &format!("{}, {}: {}", text(&one["kind"]), text(&one["status"]), text(&one["reason"])));
    }
    let places = list(&record["places"]);
    let mut spots = Vec::new();
    for place in &places {
        let (path, number) = (text(&place["path"]), place["line"].as_u64().unwrap_or(0));
        let is_plain = place["part"] == "content" && place["members"].as_array().is_none_or(Vec::is_empty);
        line("at", &format!("{path}:{number} ({}, {})", text(&place["part"]), text(&place["state"])));
        // A report may be a stranger's: it names files below this folder, or none.
        let is_below = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
        if is_plain && is_below && number > 0 && spots.len() < PLACES {
            spots.push(Spot { path: path.into(), line: number, column: place["column"].as_u64() });
        }
    }
    Reported { text: out, spots }
}

//! Findings of an earlier report, as entries of a baseline.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use serde_json::Value;

use super::Which;
use crate::cli::CliError;
use crate::cli::settings::read_file;
use crate::engine::Engine;
use crate::finding::baseline::{Baseline, Digest, Entry, Hash};
use crate::secret::Secret;

/// Adds the findings of a report in JSON lines that count, and tells which could not be added. `met`: the fingerprints
/// that were there.
///
/// # Errors
/// The file is no whole report.
pub(super) fn add(
    report: &Path,
    which: &Which,
    engine: &Engine,
    baseline: &mut Baseline,
    met: &mut BTreeSet<String>,
) -> Result<Vec<String>, CliError> {
    let name = report.display();
    let bytes = read_file(report)?;
    let mut left_out = Vec::new();
    let mut is_whole = false;
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')).filter(|(_, line)| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line)
            .map_err(|_| CliError::new(format!("{name}:{number}: not JSON: a report by `--format jsonl` is wanted")))?;
        is_whole |= record["type"] == "summary";
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fingerprint = text(&record["fingerprint"]);
        if record["type"] != "finding" || !which.means(&fingerprint) {
            continue;
        }
        met.insert(fingerprint.clone());
        if record["open"] != true {
            continue;
        }
        let (rule, path) = (text(&record["rule"]), text(&record["places"][0]["path"]));
        match hash(&record, &fingerprint, &rule, engine, baseline) {
            Some(hash) => baseline.add(Entry::new(path, &rule, hash, &which.terms)),
            None => left_out.push(format!("{rule} in {path}: {fingerprint}")),
        }
    }
    if is_whole { Ok(left_out) } else { Err(CliError::new(format!("{name}: no whole report: it has no summary"))) }
}

/// The hash of a record's value: its fingerprint is one where it can't be guessed; else only a report that shows secrets
/// tells the value.
fn hash(record: &Value, fingerprint: &str, rule: &str, engine: &Engine, baseline: &Baseline) -> Option<Hash> {
    if let Some(digest) = fingerprint.strip_prefix("v1:").and_then(Digest::parse) {
        return Some(Hash::Plain(digest));
    }
    let encoded = record["secretBase64"].as_str();
    let bytes = match (record["secret"].as_str(), encoded) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(encoded)) => base64::engine::general_purpose::STANDARD.decode(encoded).ok()?,
        (None, None) => return None,
    };
    let known = engine.rules().find(|known| known.id == rule);
    Some(baseline.hash(&Secret::new(bytes), known.map(|rule| &**rule)))
}

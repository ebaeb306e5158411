//! From settings to the decisions that a scan applies: configuration, baseline, other tools' files, and what a change under
//! review asks for.

use crate::cli::config::Suppress;
use crate::cli::credscan::{self, Subject};
use crate::cli::settings::Proposed;
use crate::cli::{CliError, ConfigText, Settings};
use crate::finding::baseline::Baseline;
use crate::finding::dedup::{Decisions, Rule, Voice};

/// The decisions that count.
///
/// # Errors
/// All mistakes of the baseline.
pub(super) fn of(settings: &Settings) -> Result<Decisions, CliError> {
    let own = settings.suppress.iter().map(|entry| rule(entry, Voice::Ours));
    let theirs = settings.credscan.iter().map(|entry| foreign(entry, Voice::Theirs));
    let baseline = settings.baseline.as_ref().map(parse).transpose()?;
    Ok(Decisions { rules: own.chain(theirs).collect(), baseline, ..Decisions::default() })
}

/// Reads a baseline.
///
/// # Errors
/// All its mistakes.
pub(super) fn parse(text: &ConfigText) -> Result<Baseline, CliError> {
    Baseline::parse(&text.bytes, &text.name)
        .map_err(|mistakes| CliError::all(mistakes).expect("a baseline that can't be read has mistakes"))
}

/// Adds what the change under review asks for. What can't be read of it asks for nothing.
pub(super) fn review(proposed: &Proposed, decisions: &mut Decisions) {
    let suppress = proposed.suppress.iter().map(|entry| rule(entry, Voice::Proposed));
    let excludes = proposed.excludes.iter().map(|(set, name)| Rule {
        fingerprint: None,
        rule: None,
        path: Some(set.clone()),
        value: None,
        reason: format!("{name} would exclude it"),
        until: None,
        until_spelled: None,
        at: name.clone(),
        voice: Voice::Proposed,
    });
    let theirs = proposed.credscan.iter().map(|entry| foreign(entry, Voice::Proposed));
    decisions.rules.extend(suppress.chain(excludes).chain(theirs));
    decisions.proposed = proposed.baseline.as_ref().and_then(|text| parse(text).ok());
}

/// A `[[suppress]]` of the configuration.
fn rule(entry: &Suppress, voice: Voice) -> Rule {
    Rule {
        fingerprint: entry.fingerprint.clone(),
        rule: entry.rule.as_ref().map(|name| name.id.clone()),
        path: entry.path.as_ref().map(|glob| glob.set().clone()),
        value: None,
        reason: entry.reason.clone(),
        until: entry.until.map(last_second),
        until_spelled: entry.until.map(|day| day.to_string()),
        at: entry.at.clone(),
        voice,
    }
}

/// An entry of CredScan's.
fn foreign(entry: &credscan::Entry, voice: Voice) -> Rule {
    let (path, value) = match &entry.subject {
        Subject::File(glob) => (Some(glob.set().clone()), None),
        Subject::Value(value) => (None, Some(value.clone())),
    };
    Rule {
        fingerprint: None,
        rule: None,
        path,
        value,
        reason: entry.reason.clone(),
        until: None,
        until_spelled: None,
        at: entry.at.clone(),
        voice,
    }
}

/// The last second of a day, since 1970, UTC.
pub(super) fn last_second(day: jiff::civil::Date) -> i64 {
    day.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC).map_or(i64::MAX, |at| at.timestamp().as_second())
}

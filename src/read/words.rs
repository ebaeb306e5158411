//! The words of reports, back to what they stand for.

use super::ReadErrorKind;
use crate::finding::{BaselineState, SuppressionKind, SuppressionStatus, Validity};
use crate::place::{Part, State};
use crate::platform::Platform;
use crate::rule::{Confidence, Severity};
use crate::source::{Excluded, UnreadKind};

use super::quoted;

/// Kinds of scans.
const KINDS: [&str; 5] = ["staged", "diff", "history", "files", "image"];

/// The one of `all` that `spell` spells as `word`.
fn one<T: Copy>(
    all: &[T],
    spell: impl Fn(T) -> &'static str,
    what: &'static str,
    word: &str,
) -> Result<T, ReadErrorKind> {
    let found = all.iter().copied().find(|&one| spell(one) == word);
    found.ok_or_else(|| ReadErrorKind::Unknown { what, word: quoted(word) })
}

/// A kind of scan.
pub(super) fn kind(word: &str) -> Result<&'static str, ReadErrorKind> {
    one(&KINDS, |kind| kind, "kind of scan", word)
}

/// A severity.
pub(super) fn severity(word: &str) -> Result<Severity, ReadErrorKind> {
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    one(&all, Severity::word, "severity", word)
}

/// A severity by GitHub's score of it.
pub(super) fn severity_of_score(score: &str) -> Result<Severity, ReadErrorKind> {
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    one(&all, Severity::score, "security-severity", score)
}

/// A band of confidence.
pub(super) fn confidence(word: &str) -> Result<Confidence, ReadErrorKind> {
    one(&[Confidence::Low, Confidence::Medium, Confidence::High], Confidence::word, "confidence", word)
}

/// What an offline check said.
pub(super) fn validity(word: &str) -> Result<Validity, ReadErrorKind> {
    let all = [Validity::NotChecked, Validity::Expired, Validity::FormatProven, Validity::FormatFailed];
    one(&all, Validity::word, "validity", word)
}

/// A platform.
pub(super) fn platform(word: &str) -> Result<Platform, ReadErrorKind> {
    one(&Platform::ALL, Platform::word, "platform", word)
}

/// A platform that may be absent.
pub(super) fn some_platform(word: Option<&str>) -> Result<Option<Platform>, ReadErrorKind> {
    word.map(platform).transpose()
}

/// How alive a place is.
pub(super) fn state(word: &str) -> Result<State, ReadErrorKind> {
    let all = [State::DefaultTip, State::Tip, State::Index, State::Present, State::HistoryOnly, State::Unreachable];
    one(&all, State::word, "state", word)
}

/// Which part of a thing.
pub(super) fn part(word: &str) -> Result<Part, ReadErrorKind> {
    let all = [
        Part::Content,
        Part::LinkTarget,
        Part::PathName,
        Part::CommitMessage,
        Part::CommitIdentity,
        Part::Tag,
        Part::Note,
        Part::RefName,
    ];
    one(&all, Part::word, "part", word)
}

/// Why something is unread.
pub(super) fn unread(word: &str) -> Result<UnreadKind, ReadErrorKind> {
    let all = [
        UnreadKind::Missing,
        UnreadKind::Corrupt,
        UnreadKind::Shallow,
        UnreadKind::Promised,
        UnreadKind::LfsAbsent,
        UnreadKind::Permission,
        UnreadKind::Io,
        UnreadKind::Changed,
        UnreadKind::Limit,
        UnreadKind::Encrypted,
        UnreadKind::Unsupported,
        UnreadKind::Deadline,
        UnreadKind::Signal,
        UnreadKind::Panic,
        UnreadKind::AccessTime,
        UnreadKind::Mismatch,
    ];
    one(&all, UnreadKind::word, "kind of unread thing", word)
}

/// Why policy left something out.
pub(super) fn excluded(word: &str) -> Result<Excluded, ReadErrorKind> {
    let all = [
        Excluded::TestDirectory,
        Excluded::TestFile,
        Excluded::ExcludeGlob,
        Excluded::Allowlist,
        Excluded::UserLimit,
        Excluded::Gitignored,
        Excluded::LowConfidence,
        Excluded::AcceptedUnread,
    ];
    one(&all, Excluded::word, "reason of exclusion", word)
}

/// Whether a baseline holds a finding.
pub(super) fn some_baseline_state(word: Option<&str>) -> Result<Option<BaselineState>, ReadErrorKind> {
    let all = [BaselineState::New, BaselineState::Unchanged];
    word.map(|word| one(&all, BaselineState::word, "state in a baseline", word)).transpose()
}

/// Where a suppression stands.
pub(super) fn suppression_kind(word: &str) -> Result<SuppressionKind, ReadErrorKind> {
    one(&[SuppressionKind::InSource, SuppressionKind::External], SuppressionKind::word, "kind of suppression", word)
}

/// Whether a suppression holds.
pub(super) fn suppression_status(word: &str) -> Result<SuppressionStatus, ReadErrorKind> {
    let all = [SuppressionStatus::Accepted, SuppressionStatus::UnderReview, SuppressionStatus::Rejected];
    one(&all, SuppressionStatus::word, "status of suppression", word)
}

//! Findings: one per secret, with all its places, as every report writes them.
//!
//! In: the conductor's hits and places. Out: [`Report`], the one type the `report` room reads. By the time a value
//! stands here its texts are masked (by span and by value); what remains of scanned data (paths, refs, names) is
//! masked too but **not escaped**: that is each report's own duty for its sink.

use std::borrow::Cow;
use std::sync::Arc;

use crate::location::Region;
use crate::observe::Observation;
use crate::place::Place;
use crate::platform::Platform;
use crate::rule::{Confidence, Rule, Severity};
use crate::secret::Secret;
use crate::source::{Excluded, Listed, RootFacts, Unread};

pub mod baseline;
pub mod dedup;
pub mod fingerprint;
pub mod hit;
pub mod line_hash;
pub mod mask;
pub mod merge;
mod pair;
pub mod suppress;
mod target;

/// Everything one run found, over all its roots.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One per root, in the order the user named them.
    pub scans: Vec<ScanReport>,
}

impl Report {
    /// Findings that count for the exit code: not suppressed (or suppressed only `underReview`).
    pub fn open_findings(&self) -> usize {
        self.scans.iter().flat_map(|scan| &scan.findings).filter(|finding| finding.is_open()).count()
    }

    /// Whether anything we were asked to scan was not read.
    pub fn is_incomplete(&self) -> bool {
        self.scans.iter().any(|scan| !scan.unread.is_empty())
    }
}

/// What the scan of one root found.
#[derive(Clone, Debug, Default)]
pub struct ScanReport {
    /// The root.
    pub root: RootFacts,
    /// Sorted by severity (worst first), first place, rule id.
    pub findings: Vec<Finding>,
    /// Sorted.
    pub unread: Vec<Unread>,
    /// Sorted by kind.
    pub excluded: Vec<(Excluded, u64)>,
    /// Sorted.
    pub listed: Vec<Listed>,
    /// Sorted.
    pub observations: Vec<Observation>,
    /// Hints and warnings, in the order they came up (sorted where threads raised them).
    pub notes: Vec<String>,
    /// What filters dropped: which one, why, how often. Sorted; empty unless that was asked for.
    pub dropped: Vec<(String, String, u64)>,
    /// Contents scanned.
    pub contents: u64,
    /// Contents that weren't scanned, since an earlier scan found nothing in them.
    pub known_clean: u64,
    /// Bytes scanned.
    pub bytes: u64,
    /// The user's `--platform`, or what the root shows.
    pub platform: Option<Platform>,
    /// How many rules were active.
    pub active_rules: u64,
    /// Where the settings came from, for the reader: `built-in defaults`, a file, a commit.
    pub settings_from: String,
}

impl ScanReport {
    /// Sorts the lists that threads brought in any order.
    pub fn sort_lists(&mut self) {
        self.unread.sort();
        self.unread.dedup();
        self.listed.sort();
        self.listed.dedup();
        self.observations.sort();
        self.observations.dedup();
        self.notes.sort();
        self.notes.dedup();
    }
}

/// One secret and all its places.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The most specific rule that matched anywhere.
    pub rule: Arc<Rule>,
    /// Ids of the other rules that matched the same secret, sorted.
    pub also: Vec<String>,
    /// `v1k:…`, `v1:…` or `v1p:…`; see [`fingerprint`].
    pub fingerprint: String,
    /// The value; printed by `--show-secrets` alone.
    pub secret: Secret,
    /// What may be shown of it.
    pub preview: String,
    /// How bad if real.
    pub severity: Severity,
    /// How sure, 0–100 (SARIF's `rank`).
    pub confidence: u8,
    /// Why the confidence is not the rule's own, one sentence each.
    pub reasons: Vec<String>,
    /// What checks and filters said, each with its name; empty unless that was asked for.
    pub steps: Vec<String>,
    /// What the offline check said.
    pub validity: Validity,
    /// What could be read from the secret itself.
    pub facts: Facts,
    /// What it opens: of its places the one that tells most.
    pub target: Target,
    /// What belongs to it there, sorted.
    pub companions: Vec<Companion>,
    /// Sorted: most alive first, then by path and line. Never empty.
    pub places: Vec<Sighting>,
    /// Places that were there before the change that `diff` and `staged` look at.
    pub earlier: Vec<Sighting>,
    /// Whose recommendation it belongs to.
    pub recommendation: Option<&'static crate::enrich::recommend::Recommendation>,
    /// What to do: a built-in one, or what a report says that was read back.
    pub remedy: Cow<'static, crate::enrich::remedy::Remedy>,
    /// Decisions not to report it.
    pub suppressions: Vec<Suppression>,
    /// What the baseline knows of it; `None` where there is no baseline.
    pub baseline: Option<BaselineState>,
}

impl Finding {
    /// The most alive place's state.
    pub fn state(&self) -> crate::place::State {
        self.places.iter().map(|seen| seen.place.state).min().expect("a finding has a place")
    }

    /// Whether it counts: not suppressed, or by something still under review.
    pub fn is_open(&self) -> bool {
        !self.suppressions.iter().any(|suppression| suppression.status == SuppressionStatus::Accepted)
    }

    /// The confidence as the word of its band.
    pub fn confidence_band(&self) -> Confidence {
        Confidence::of(self.confidence)
    }
}

/// Most places of a secret in one file that are listed beyond the first; all are counted.
pub const MOST_REGIONS: usize = 100;

/// One place of a finding, with where in its newest version.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Where.
    pub place: Place,
    /// Line and columns in the newest version, in the text a user can open.
    pub region: Region,
    /// The line around it, every candidate masked, at most some 200 characters; empty for path names.
    pub excerpt: String,
    /// GitHub's line hash with every candidate in the file replaced: `keytrailLineHash/v1`, `hex:count`.
    pub line_hash: Option<String>,
    /// GitHub's line hash over the file as it is: `primaryLocationLineHash`. It covers the secret's text; only the
    /// `github` SARIF target writes it.
    pub line_hash_raw: Option<String>,
    /// How often the secret stands in the newest version.
    pub occurrences: u64,
    /// Where else it stands in the newest version, in order: the first [`MOST_REGIONS`].
    pub more: Vec<Region>,
    /// Versions of the file that hold it.
    pub versions: u64,
    /// Id of the git object that holds the newest version, hex: where a name is masked, a person still finds the place.
    pub object: Option<String>,
    /// Name it was assigned to, masked.
    pub name: Option<String>,
    /// `utf-16le`, `base64`, `base64 in base64`: the decoded view it was seen in.
    pub view: Option<Cow<'static, str>>,
    /// What it opens, as told there.
    pub target: Target,
    /// What belongs to it there, sorted.
    pub companions: Vec<Companion>,
}

/// What an offline check decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validity {
    /// The rule has no check, or it had nothing to say.
    #[default]
    NotChecked,
    /// It was valid once; its own expiry has passed.
    Expired,
    /// The checksum or structure holds.
    FormatProven,
    /// The checksum or structure does not hold: fake, typo or example.
    FormatFailed,
}

impl Validity {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotChecked => "notChecked",
            Self::Expired => "expired",
            Self::FormatProven => "formatProven",
            Self::FormatFailed => "formatFailed",
        }
    }
}

/// What a structure check read from the secret or the text around it. Times are seconds since 1970, UTC. Nothing in
/// here is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// When it stops working.
    pub expires: Option<i64>,
    /// When it was made.
    pub created: Option<i64>,
    /// Named facts in the order of their names: `account`, `user`, `tenant`, `issuer`, `audience`, `subject`, `permissions`,
    /// `key-kind`, `encrypted`, `public-key-fingerprint`, `resource`, …
    pub named: std::collections::BTreeMap<Cow<'static, str>, String>,
}

impl Facts {
    /// Takes from `other` what is not known here.
    pub(crate) fn complete(&mut self, other: &Self) {
        self.expires = self.expires.or(other.expires);
        self.created = self.created.or(other.created);
        for (name, value) in &other.named {
            self.named.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// What a secret opens. Texts are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its kind (`storage`, `sql`, …): the rule's, or what stands beside the secret says.
    pub kind: String,
    /// Its cloud: `azure`, `aws`, `gcp`.
    pub cloud: Option<String>,
    /// The service, for people, where the host is one of a service we know: `Azure SQL database`.
    pub service: Option<String>,
    /// What is opened: storage account or bucket, application, else the host.
    pub resource: Option<String>,
    /// Host, lower case, without port.
    pub host: Option<String>,
    /// Port.
    pub port: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Who logs in.
    pub user: Option<String>,
    /// Whose it is: number of an AWS account, tenant, project, subscription.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
}

impl Target {
    /// Every text in it that came from scanned data.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { kind: _, cloud: _, service: _, resource, host, port, database, user, account, region } = self;
        [resource, host, port, database, user, account, region].into_iter().flatten()
    }
}

/// What belongs to a secret and was found beside it. Texts are masked; a part that is a secret shows its preview.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Companion {
    /// What it is: `host`, `user`, `key_id`, `session_token`, `tenant`, `client_id`, …
    pub word: Cow<'static, str>,
    /// What may be shown of it.
    pub value: String,
    /// The rule that found it, where it is a match of its own.
    pub rule: Option<String>,
}

/// Whether the baseline knows a finding (SARIF 2.1.0 section 3.27.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaselineState {
    /// It doesn't.
    New,
    /// It does, whatever became of the entry since.
    Unchanged,
}

impl BaselineState {
    /// SARIF's word, which the other reports use too.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A decision not to report a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suppression {
    /// In the scanned text or outside of it.
    pub kind: SuppressionKind,
    /// Whether it holds.
    pub status: SuppressionStatus,
    /// Why, as its author wrote it.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// Where a suppression stands (SARIF 2.1.0 section 3.35.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuppressionKind {
    /// A marker on the line.
    InSource,
    /// Configuration or baseline.
    External,
}

/// Whether a suppression holds (SARIF 2.1.0 section 3.35.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuppressionStatus {
    /// It holds.
    Accepted,
    /// The change under review brought it itself: shown, and the finding still counts.
    UnderReview,
    /// It ended, or may not speak here.
    Rejected,
}

impl SuppressionKind {
    /// SARIF's word, which the other reports use too.
    pub fn word(self) -> &'static str {
        match self {
            Self::InSource => "inSource",
            Self::External => "external",
        }
    }
}

impl SuppressionStatus {
    /// SARIF's word, which the other reports use too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::UnderReview => "underReview",
            Self::Rejected => "rejected",
        }
    }
}

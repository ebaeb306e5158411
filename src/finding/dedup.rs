//! One finding per secret: hits with the same value are one, wherever they stand, and successive versions of one file
//! are one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::blob::ContentId;
use crate::engine::Engine;
use crate::enrich::{recommend, remedy};
use crate::finding::fingerprint::{self, Key, Standing, fingerprint};
use crate::finding::hit::Hit;
use crate::finding::mask::{self, Masker};
use crate::finding::suppress;
use crate::finding::target::{richness, target};
use crate::finding::{
    Companion, Finding, MOST_REGIONS, ScanReport, Sighting, SuppressionKind, SuppressionStatus, Validity,
};
use crate::location::{Region, Span};
use crate::place::{Before, Part, Place};
use crate::platform::Platform;
use crate::rule::{Matcher, Severity};
use crate::secret::Secret;
use crate::source::Unread;

mod absorb;
mod decide;

use absorb::absorbed;
pub use decide::{Decisions, Rule, Sees, Voice};

/// A hit at a place.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The content it was seen in.
    pub content: ContentId,
    /// The hit.
    pub hit: Arc<Hit>,
    /// Where that content is.
    pub place: Place,
    /// What the place held before.
    pub before: Before,
    /// Whether it is new there.
    pub new: bool,
    /// Whether the marker that speaks for it is older than it: an old marker excuses no new secret.
    pub is_marker_old: bool,
}

impl Occurrence {
    /// An occurrence at a place: new, until the old side is asked.
    pub(crate) fn placed(content: ContentId, hit: Arc<Hit>, place: Place, before: Before) -> Self {
        Self { content, hit, place, before, new: true, is_marker_old: false }
    }

    /// An occurrence nobody asked the place of: it counts and masks, and is never shown.
    pub(crate) fn placeless(content: ContentId, hit: Arc<Hit>) -> Self {
        let place = Place {
            provenance: Default::default(),
            state: crate::place::State::Unreachable,
            first: None,
            last: None,
            reference: None,
        };
        Self { content, hit, place, before: Before::NotAsked, new: false, is_marker_old: false }
    }

    /// Whether its place is known.
    fn is_placed(&self) -> bool {
        self.new || self.before != Before::NotAsked
    }

    /// Sorts occurrences of one secret at one place of one content together, in the order of their offsets.
    pub(crate) fn key(&self) -> impl Ord + '_ {
        let seen = &self.place.provenance;
        let order = self.place.first.as_ref().map(|commit| commit.order);
        (&self.hit.secret, order, &seen.path, &seen.members, seen.part, self.content, self.hit.offset)
    }

    /// Whether both are the same secret in the same content at the same place.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.hit.secret == other.hit.secret
            && self.content == other.content
            && self.place == other.place
            && self.before == other.before
    }
}

/// All occurrences of one secret.
#[derive(Debug)]
pub struct Group {
    secret: Secret,
    occurrences: Vec<Occurrence>,
}

/// What findings are made with.
#[derive(Debug)]
pub struct Settings<'s> {
    /// The engine, for its rules.
    pub engine: &'s Engine,
    /// The user's fingerprint key.
    pub key: Option<&'s Key>,
    /// Platform of the root.
    pub platform: Option<Platform>,
    /// What inline markers do; `None` when they aren't heard.
    pub markers: Option<SuppressionStatus>,
    /// Decisions not to report, of others than inline markers.
    pub decisions: &'s Decisions,
    /// Seconds since 1970, UTC.
    pub now: i64,
    /// 0–100.
    pub threshold: u8,
}

/// Groups occurrences by secret, in the order of the secrets.
pub fn group(mut occurrences: Vec<Occurrence>, _engine: &Engine) -> Vec<Group> {
    occurrences.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut groups: Vec<Group> = Vec::new();
    for occurrence in occurrences {
        match groups.last_mut() {
            Some(group) if group.secret == occurrence.hit.secret => group.occurrences.push(occurrence),
            _ => groups.push(Group { secret: occurrence.hit.secret.clone(), occurrences: vec![occurrence] }),
        }
    }
    groups
}

/// Makes the findings of `groups`, puts them into `report` and masks every text of the report by value. Returns how
/// many were left out for their confidence.
pub fn findings(groups: Vec<Group>, settings: &Settings<'_>, report: &mut ScanReport, unread: &mut [Unread]) -> u64 {
    let masker = masker(&groups, settings);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut low = 0;
    let absorbed = absorbed(&groups, settings.threshold);
    for group in groups.into_iter().filter(|group| !absorbed.contains(&group.secret)) {
        if !group.occurrences.iter().any(|occurrence| occurrence.hit.confidence >= settings.threshold) {
            low += 1;
        } else if group.occurrences.iter().any(|occurrence| occurrence.new) {
            drafts.extend(Draft::new(group, settings, &masker));
        }
    }
    drafts.sort_by(|a, b| a.standing_key().cmp(&b.standing_key()));
    let mut ordinals: BTreeMap<(String, Vec<u8>, String), usize> = BTreeMap::new();
    for draft in drafts {
        let ordinal = ordinals.entry(draft.standing.clone()).or_default();
        report.findings.push(draft.finish(*ordinal, settings));
        *ordinal += 1;
    }
    settings.decisions.apply(settings.now, unread.is_empty(), report);
    for finding in &mut report.findings {
        if finding.rule.matcher == Matcher::Path {
            finding.secret = Secret::new(*b"");
        }
        mask_finding(finding, &masker, settings.engine);
    }
    report.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    mask_report(report, unread, &masker, settings.engine);
    low
}

fn masker(groups: &[Group], settings: &Settings<'_>) -> Masker {
    Masker::new(groups.iter().map(|group| {
        let prefix = settings.engine.rule(group.occurrences[0].hit.rule).public_prefix.as_ref();
        (&group.secret, prefix)
    }))
}

/// The order of findings in reports: worst first, then by first place.
pub(super) fn order(finding: &Finding) -> impl Ord + '_ {
    let first = &finding.places[0];
    let seen = &first.place.provenance;
    (
        std::cmp::Reverse(finding.severity),
        &seen.path,
        first.region.start,
        finding.rule.id.as_ref(),
        &finding.fingerprint,
    )
}

/// The order of places in a finding: most alive first.
pub(super) fn place_order(seen: &Sighting) -> impl Ord + '_ {
    let (place, provenance) = (&seen.place, &seen.place.provenance);
    (place.state, &provenance.path, &provenance.members, provenance.part, seen.region.start)
}

/// A finding without its fingerprint.
struct Draft {
    finding: Finding,
    standing: (String, Vec<u8>, String),
}

impl Draft {
    /// `None` when nothing of it reaches the threshold or has a new place. Once one occurrence reaches the threshold
    /// the value is a secret wherever it stands, and every place of it is told.
    fn new(group: Group, settings: &Settings<'_>, masker: &Masker) -> Option<Self> {
        let engine = settings.engine;
        let shown: Vec<&Occurrence> = group.occurrences.iter().filter(|occurrence| occurrence.is_placed()).collect();
        let counts = |occurrence: &&&Occurrence| occurrence.hit.confidence >= settings.threshold;
        let best = shown.iter().filter(counts).max_by_key(|occurrence| {
            let rule = engine.rule(occurrence.hit.rule);
            (rule.specificity, occurrence.hit.confidence, std::cmp::Reverse(rule.id.as_ref()))
        })?;
        let rule = Arc::clone(engine.rule(best.hit.rule));
        let hit = Arc::clone(&best.hit);
        let (new, old): (Vec<&Occurrence>, Vec<&Occurrence>) = shown.iter().partition(|occurrence| occurrence.new);
        let (places, earlier) = (sightings(&new, masker, engine), sightings(&old, masker, engine));
        if places.is_empty() {
            return None;
        }
        let ids = shown.iter().flat_map(|occurrence| occurrence.hit.also.iter().copied().chain([occurrence.hit.rule]));
        let also: BTreeSet<String> =
            ids.map(|id| engine.rule(id).id.to_string()).filter(|id| *id != rule.id.as_ref()).collect();
        let suppressions = decide::markers(new.iter().filter(counts), settings.markers);
        let expired = hit.facts.expires.is_some_and(|expires| expires < settings.now);
        let told =
            places.iter().chain(&earlier).rev().max_by_key(|seen| richness(&seen.target)).expect("it has a place");
        let (target, companions) = (told.target.clone(), told.companions.clone());
        // A value whose target is known is no mere suspicion of one.
        let severity = match rule.target.as_ref() {
            "unknown" if target.kind != "unknown" => rule.severity.max(Severity::High),
            _ => rule.severity,
        };
        let finding = Finding {
            also: also.into_iter().collect(),
            fingerprint: String::new(),
            preview: preview(&rule, &group.secret),
            secret: group.secret,
            severity,
            confidence: shown.iter().map(|occurrence| occurrence.hit.confidence).max().unwrap_or(0),
            reasons: hit.reasons.iter().map(|&reason| reason.to_owned()).collect(),
            steps: hit.steps.clone(),
            validity: if expired { Validity::Expired } else { hit.validity },
            facts: hit.facts.clone(),
            target,
            companions,
            places,
            earlier,
            recommendation: settings.platform.map(recommend::for_platform),
            remedy: std::borrow::Cow::Borrowed(remedy::by_key(&rule.remediation)),
            suppressions,
            baseline: None,
            rule,
        };
        let standing = standing(&finding, engine);
        Some(Self { finding, standing })
    }

    fn standing_key(&self) -> impl Ord {
        (&self.standing, self.finding.places[0].region.start, &self.finding.secret)
    }

    fn finish(self, ordinal: usize, settings: &Settings<'_>) -> Finding {
        let Self { mut finding, standing: (_, path, name) } = self;
        let standing = Standing { path: &path, name: &name, ordinal };
        finding.fingerprint = fingerprint(&finding.rule, &finding.secret, settings.key, standing);
        finding
    }
}

/// What a weak secret's fingerprint is made of: rule, path and name of its first place.
fn standing(finding: &Finding, engine: &Engine) -> (String, Vec<u8>, String) {
    let first = &finding.places[0];
    let seen = &first.place.provenance;
    let path = seen.members.iter().fold(seen.path.clone(), |path, member| [&path, b"!/".as_slice(), member].concat());
    (finding.rule.id.to_string(), without_candidates(engine, path), first.name.clone().unwrap_or_default())
}

/// A path that may be hashed: names can hold secrets too, and what can be guessed is never hashed without a key.
/// A function of path and rules alone, so that it is the same whatever else was scanned; names are scanned one a line,
/// as sources hand them out.
fn without_candidates(engine: &Engine, path: Vec<u8>) -> Vec<u8> {
    let lines: Vec<u8> = path.iter().map(|&byte| if byte == b'/' { b'\n' } else { byte }).collect();
    let hidden = mask::hidden_spans(engine, &lines);
    if hidden.is_empty() { path } else { mask::masked(&lines, Span::new(0, lines.len()), &hidden).into_bytes() }
}

/// Folds occurrences into places: what differs only in content is one, shown in its newest version.
fn sightings(occurrences: &[&Occurrence], masker: &Masker, engine: &Engine) -> Vec<Sighting> {
    let mut places: BTreeMap<_, Vec<&Occurrence>> = BTreeMap::new();
    for occurrence in occurrences {
        let seen = &occurrence.place.provenance;
        // Two messages are two places; two versions of a file are one.
        let text = match seen.part {
            Part::Content | Part::LinkTarget | Part::PathName | Part::Note | Part::RefName => None,
            Part::CommitMessage | Part::CommitIdentity | Part::Tag => Some(occurrence.content),
        };
        // What nothing names is told apart by its content.
        let text = text.or_else(|| seen.path.is_empty().then_some(occurrence.content));
        places.entry((&seen.path, &seen.members, seen.part, text)).or_default().push(occurrence);
    }
    let mut sightings: Vec<Sighting> =
        places.into_values().map(|versions| sighting(&versions, masker, engine)).collect();
    sightings.sort_by(|a, b| place_order(a).cmp(&place_order(b)));
    sightings
}

/// One place out of its versions.
fn sighting(versions: &[&Occurrence], masker: &Masker, engine: &Engine) -> Sighting {
    let age = |occurrence: &&&Occurrence| {
        let order = occurrence.place.last.as_ref().map(|commit| commit.order);
        (std::cmp::Reverse(occurrence.place.state), order, occurrence.content)
    };
    let newest = versions.iter().max_by_key(age).expect("a place has an occurrence");
    let here: Vec<&&Occurrence> = versions.iter().filter(|occurrence| occurrence.content == newest.content).collect();
    let first_here = here.iter().min_by_key(|occurrence| occurrence.hit.offset).expect("the newest is among them");
    let hit = &first_here.hit;
    let mut place = newest.place.clone();
    let commits = versions.iter().filter_map(|occurrence| occurrence.place.first.clone());
    place.first = commits.min_by_key(|commit| commit.order);
    let commits = versions.iter().filter_map(|occurrence| occurrence.place.last.clone());
    place.last = commits.max_by_key(|commit| commit.order);
    place.state = versions.iter().map(|occurrence| occurrence.place.state).min().unwrap_or(place.state);
    let contents: BTreeSet<ContentId> = versions.iter().map(|occurrence| occurrence.content).collect();
    let regions: BTreeMap<u64, Region> = here.iter().map(|one| (one.hit.offset, one.hit.region)).collect();
    Sighting {
        place,
        region: hit.region,
        excerpt: hit.line.shown(masker),
        line_hash: hit.line_hash.clone(),
        line_hash_raw: hit.line_hash_raw.clone(),
        object: match newest.content {
            ContentId::Object(_, id) => Some(id.to_string()),
            ContentId::Serial(_) => None,
        },
        occurrences: regions.len() as u64,
        more: regions.into_values().skip(1).take(MOST_REGIONS).collect(),
        versions: contents.len() as u64,
        name: hit.companions.iter().find(|(word, _)| *word == "name").map(|(_, name)| name.clone()),
        view: hit.view.clone(),
        target: target(engine.rule(hit.rule), hit),
        companions: companions(hit, engine),
    }
}

/// What belongs to a hit, as it may be shown.
fn companions(hit: &Hit, engine: &Engine) -> Vec<Companion> {
    let parts = hit.parts.iter().map(|part| {
        let rule = engine.rule(part.rule);
        Companion { word: part.word.into(), value: preview(rule, &part.secret), rule: Some(rule.id.to_string()) }
    });
    // An id that is masked on every line is shown as a preview or not at all.
    let beside = hit.companions.iter().filter(|(word, _)| !matches!(*word, "name" | "key_id"));
    let mut all: Vec<Companion> = beside
        .map(|&(word, ref value)| Companion { word: word.into(), value: value.clone(), rule: None })
        .chain(parts)
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What may be shown of a secret.
pub fn preview(rule: &crate::rule::Rule, secret: &Secret) -> String {
    if rule.matcher == Matcher::Path {
        return "the file itself".to_owned();
    }
    let prefix = rule.public_prefix.as_ref();
    let value = secret.expose();
    let prefix = if value.starts_with(prefix.as_bytes()) { prefix } else { "" };
    let rest = value.len() - prefix.len();
    if fingerprint::is_unguessable(rule) && rest >= 16 && value[value.len() - 4..].iter().all(u8::is_ascii_graphic) {
        return format!("{prefix}…{}", String::from_utf8_lossy(&value[value.len() - 4..]));
    }
    let class = match rest {
        0..8 => "under 8",
        8..12 => "8–11",
        12..16 => "12–15",
        16..24 => "16–23",
        24..40 => "24–39",
        40..100 => "40–99",
        _ => "100 or more",
    };
    format!("{prefix}… ({class} characters)")
}

fn mask_finding(finding: &mut Finding, masker: &Masker, engine: &Engine) {
    for seen in finding.places.iter_mut().chain(&mut finding.earlier) {
        masker.in_place(&mut seen.place.provenance.path);
        seen.place.provenance.members.iter_mut().for_each(|member| masker.in_place(member));
        if let Some(name) = &mut seen.place.reference {
            masker.in_place(name);
            mask::candidates(engine, name); // a ref that only leads here has not been searched
        }
        seen.name.iter_mut().for_each(|name| masker.text(name));
        seen.target.texts_mut().for_each(|text| masker.text(text));
        seen.companions.iter_mut().filter(|one| one.rule.is_none()).for_each(|one| masker.text(&mut one.value));
    }
    finding.target.texts_mut().for_each(|text| masker.text(text));
    finding.companions.iter_mut().filter(|one| one.rule.is_none()).for_each(|one| masker.text(&mut one.value));
    finding.facts.named.values_mut().for_each(|text| masker.text(text));
    for suppression in &mut finding.suppressions {
        masker.text(&mut suppression.reason);
        // Cut only now: a value must be whole to be masked.
        if suppression.kind == SuppressionKind::InSource {
            suppression.reason = suppression.reason.chars().take(suppress::LONGEST_REASON).collect();
        }
    }
}

/// Masks everything else that came from scanned data: by value, and by span, since nobody has searched these texts.
fn mask_report(report: &mut ScanReport, unread: &mut [Unread], masker: &Masker, engine: &Engine) {
    let bytes = |bytes: &mut Vec<u8>| {
        masker.in_place(bytes);
        mask::candidates(engine, bytes);
    };
    let text = |text: &mut String| {
        masker.text(text);
        mask::candidates_in_text(engine, text);
    };
    for item in unread {
        bytes(&mut item.what);
        text(&mut item.detail);
    }
    report.listed.iter_mut().for_each(|item| bytes(&mut item.path));
    report.notes.iter_mut().for_each(text);
    for fact in &mut report.observations {
        bytes(&mut fact.path);
        fact.values.iter_mut().for_each(|(_, value)| text(value));
    }
    let root = &mut report.root;
    text(&mut root.name);
    text(&mut root.spelled);
    if let Some(repository) = &mut root.repository {
        [&mut repository.remote, &mut repository.branch].into_iter().flatten().for_each(text);
        repository.alternates.iter_mut().for_each(text);
    }
    if let Some(machine) = &mut root.machine {
        let fields = [&mut machine.hostname, &mut machine.machine_id, &mut machine.instance_id, &mut machine.os];
        fields.into_iter().flatten().for_each(text);
        machine.evidence.iter_mut().for_each(text);
    }
}

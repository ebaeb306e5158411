//! Parts that need no finding of their own, since the whole they are parts of has one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Group, Occurrence};
use crate::blob::ContentId;
use crate::place::Part;
use crate::secret::Secret;

/// Content and place of an occurrence.
type Stand<'o> = (ContentId, &'o [u8], &'o [Vec<u8>], Part);

/// Where an occurrence stands.
fn stand(one: &Occurrence) -> Stand<'_> {
    let seen = &one.place.provenance;
    (one.content, &seen.path, &seen.members, seen.part)
}

/// The secrets that are told as parts of others' findings and need none of their own: wherever one is new, the secret
/// it is a part of is new as well, at the same place, and counts. A secret that stands alone somewhere stays a finding.
pub(super) fn absorbed(groups: &[Group], threshold: u8) -> BTreeSet<Secret> {
    let counts = |group: &Group| group.occurrences.iter().any(|one| one.hit.confidence >= threshold);
    let wholes: BTreeSet<&Secret> =
        groups.iter().flat_map(|group| &group.occurrences).filter_map(|one| one.hit.of.as_ref()).collect();
    let mut told: BTreeMap<&Secret, BTreeSet<Stand<'_>>> = BTreeMap::new();
    for group in groups.iter().filter(|group| wholes.contains(&group.secret) && counts(group)) {
        told.insert(&group.secret, group.occurrences.iter().filter(|one| one.new).map(stand).collect());
    }
    let is_part = |one: &Occurrence| {
        let whole = one.hit.of.as_ref().and_then(|whole| told.get(whole));
        one.new && whole.is_some_and(|told| told.contains(&stand(one)))
    };
    let is_absorbed = |group: &&Group| {
        let with: BTreeSet<_> = group.occurrences.iter().filter(|one| is_part(one)).map(stand).collect();
        !with.is_empty() && group.occurrences.iter().filter(|one| one.new).all(|one| with.contains(&stand(one)))
    };
    groups.iter().filter(is_absorbed).map(|group| group.secret.clone()).collect()
}

//! The bytes around the seams of a child: all of it, or what of it has to be put together for a glance.

use std::borrow::Cow;

use crate::blob::{Edit, Edits, Patch};
use crate::engine::prefilter::{Piece, QUICK};
use crate::location::Span;
use crate::rule::literals::{CONTEXT, LONGEST_CORE};
use crate::view::{self, HEAD};

/// Where the bytes around a place of the child can be had.
pub(in crate::engine) trait Text {
    /// The bytes from `from` to `to` at least, as far as there is text; `None` if they are not at hand.
    fn around(&self, from: usize, to: usize) -> Option<Piece<'_>>;
}

impl Text for &[u8] {
    fn around(&self, _: usize, _: usize) -> Option<Piece<'_>> {
        Some(Piece { bytes: self, at: 0 })
    }
}

/// The bytes around the seams of a child that is not put together.
pub(in crate::engine) struct Patchwork {
    /// Zone after zone.
    pub(in crate::engine) bytes: Vec<u8>,
    /// Stretches of the child, and where each begins in `bytes`. In order, apart from each other.
    zones: Vec<(Span, usize)>,
}

/// How much of the text around a seam is put together, in bytes: what cores near it are judged by; and, should one of
/// them ask for a matcher, what those of most rules look at.
pub(super) const ZONES: [usize; 2] = [2 * QUICK + LONGEST_CORE + CONTEXT, 2 * QUICK + 2 * LONGEST_CORE + 640];

impl Patchwork {
    /// Puts together what is within `reach` bytes of the seams; `None` if that is most of the child.
    pub(in crate::engine) fn new(patch: &Patch<'_>, reach: usize) -> Option<Self> {
        let mut zones: Vec<(Span, usize)> = Vec::new();
        let mut size = 0;
        for gap in gaps(patch.edits, patch.len, patch.base.len()) {
            let zone = Span::new(gap.start.saturating_sub(reach), (gap.end + reach).min(patch.len));
            match zones.last_mut() {
                Some((last, _)) if last.end >= zone.start => {
                    size += zone.end - last.end;
                    last.end = zone.end;
                }
                _ => {
                    zones.push((zone, size));
                    size += zone.len();
                }
            }
        }
        if size > patch.len / 2 {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        let mut edits = patch.edits.0.iter().peekable();
        for (zone, _) in &zones {
            let mut at = zone.start;
            while at < zone.end {
                let edit = edits.peek()?;
                let (to, from, source) = match **edit {
                    Edit::Copy { to, from } => (to, from, patch.base),
                    Edit::Insert { to, from } => (to, from, patch.delta),
                };
                if to.end <= at {
                    edits.next();
                    continue;
                }
                let end = zone.end.min(to.end);
                bytes.extend_from_slice(source.get(from + (at - to.start)..from + (end - to.start))?);
                at = end;
            }
        }
        Some(Self { bytes, zones })
    }
}

/// Zones reach as far as what tells of a view.
const _: () = assert!(ZONES[0] >= view::LOCAL);

impl Patchwork {
    /// Whether views may arise at a gap of the child, which has `len` bytes and begins as `head` says.
    pub(super) fn may_gain_views(&self, gap: Span, len: usize, head: view::Head) -> bool {
        let near = view::near(gap, len);
        let Some(Piece { bytes, at }) = self.around(near.start, near.end) else { return true };
        head.may_arise_in(&bytes[near.start - at..near.end - at])
    }
}

impl Text for Patchwork {
    fn around(&self, from: usize, to: usize) -> Option<Piece<'_>> {
        let after = self.zones.partition_point(|(zone, _)| zone.start <= from);
        let (zone, at) = self.zones[after.checked_sub(1)?];
        (to <= zone.end).then(|| Piece { bytes: &self.bytes[at..at + zone.len()], at: zone.start })
    }
}

/// Whether a child begins with the same [`HEAD`] bytes as its parent.
pub(super) fn keeps_head(edits: &Edits) -> bool {
    matches!(edits.0.first(), Some(Edit::Copy { to, from: 0 }) if to.len() >= HEAD)
}

/// The first [`HEAD`] bytes of a child; `None` if it is made of what isn't there.
pub(super) fn head<'p>(patch: &Patch<'p>) -> Option<Cow<'p, [u8]>> {
    if keeps_head(patch.edits) {
        return patch.base.get(..HEAD).map(Cow::Borrowed);
    }
    let mut head = Vec::with_capacity(HEAD);
    for edit in &patch.edits.0 {
        let (to, from, source) = match *edit {
            Edit::Copy { to, from } => (to, from, patch.base),
            Edit::Insert { to, from } => (to, from, patch.delta),
        };
        let taken = to.len().min(HEAD - head.len());
        head.extend_from_slice(source.get(from..from + taken)?);
    }
    Some(Cow::Owned(head))
}

/// Copies shorter than this, in bytes, are looked at like inserts: almost all of what is in them is near a seam.
const LEAST_COPY: usize = 96;

/// Whether a copied stretch is worth carrying.
pub(super) fn is_carried(to: Span) -> bool {
    to.len() >= LEAST_COPY
}

/// What of the child is between two copies, in order: inserted bytes, or nothing at a seam. Where the child starts or
/// ends within its parent there is a seam too.
pub(super) fn gaps(edits: &Edits, len: usize, parent_len: usize) -> impl Iterator<Item = Span> + '_ {
    let copies = edits.0.iter().filter_map(|edit| match edit {
        Edit::Copy { to, from } if is_carried(*to) => Some((*to, Span::new(*from, from + to.len()))),
        Edit::Copy { .. } | Edit::Insert { .. } => None,
    });
    let end = (Span::new(len, len), Span::new(parent_len, parent_len));
    let mut before = (0, 0);
    let mut first = true;
    copies.map(|copy| (copy, false)).chain([(end, true)]).filter_map(move |((to, from), last)| {
        let gap = Span::new(before.0, to.start);
        let outer = std::mem::replace(&mut first, false) || last;
        let same_edge = outer && gap.is_empty() && before.1 == from.start;
        before = (to.end, from.end);
        (!same_edge).then_some(gap)
    })
}

//! What earlier scans found clean, and what this one adds.

use super::{Collector, Conductor};
use crate::blob::{ContentId, ObjectPart};
use crate::cache::{Cache, Verdicts};
use crate::source::Source;

impl Conductor {
    /// What is known of the source's blobs from earlier scans, and what the user should know of that.
    pub(super) fn recall<S: Source>(&self, source: &S) -> Option<(Verdicts<'_>, Option<String>)> {
        let cache = self.cache.as_ref().filter(|cache| !self.full_scan && !self.explain && !cache.is_withdrawn())?;
        Some(cache.recall(&source.store()?))
    }

    /// Whether a scan that left out so many blobs must be done anew, since what was known of them is void by now.
    pub fn has_doubts(&self, known_clean: u64) -> bool {
        known_clean > 0 && self.cache.as_ref().is_some_and(Cache::is_withdrawn)
    }
}

impl Collector<'_> {
    /// Keeps what came of a git blob that stands for nothing else.
    pub(super) fn settle(&self, id: ContentId, len: usize, is_clean: bool) {
        if let (Some(verdicts), ContentId::Object(ObjectPart::Blob, id)) = (self.verdicts, id) {
            verdicts.settle(&id, len as u64, is_clean);
        }
    }
}

/// Whether a content is scanned in full as well, to check the engine on every run: one in 1024 of git's objects, by
/// their ids.
pub(super) fn is_checked(id: ContentId) -> bool {
    match id {
        ContentId::Object(_, id) => {
            matches!(id.as_bytes(), [.., high, low] if u16::from_be_bytes([*high, *low]) & 0x3ff == 0x2a5)
        }
        ContentId::Serial(_) => false,
    }
}

//! Commits whose message asks a host to skip its secret scan. That is reported and not obeyed: whoever writes a commit
//! doesn't decide whether it is looked at.

use std::collections::BTreeSet;

use crate::blob::{Blob, ContentId, ObjectPart};
use crate::place::Part;

/// What such a message says. Source: GitHub, "Working with push protection from the REST API and command line" (from general knowledge of it).
const ASKS: &[u8] = b"skip-secret-scanning:true";

/// Commits that the note names.
const NAMES: usize = 3;

/// Whether the blob is a commit's text that asks not to be scanned.
pub(super) fn asks(blob: &Blob<'_>) -> bool {
    let is_message = match (blob.id, blob.provenance) {
        (ContentId::Object(part, _), _) => part == ObjectPart::Commit,
        (ContentId::Serial(_), seen) => seen.is_some_and(|seen| seen.part == Part::CommitMessage),
    };
    is_message && memchr::memmem::find(blob.bytes, ASKS).is_some()
}

/// What to tell of them, if there are any.
pub(super) fn note(commits: &BTreeSet<ContentId>) -> Option<String> {
    let word = |id: &ContentId| match id {
        ContentId::Object(_, id) => id.to_hex_with_len(12).to_string(),
        ContentId::Serial(_) => "the message".to_owned(),
    };
    let names: Vec<String> = commits.iter().take(NAMES).map(word).collect();
    let more = commits.len().saturating_sub(NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| {
        let who = format!("{}{more}", names.join(", "));
        format!("scanned although the message asks hosts to skip secret scanning: {who}")
    })
}

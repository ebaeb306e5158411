//! What `files` and `mounted` do with one thing they opened or named: hand it to the visitor, watch it, count it.
//!
//! In: an open file with what `fstat` said of it, a stream, a name. Out: visits, and what went wrong as
//! [`Unread`]. Which things, and how they are opened, is the walk's ([`super::tree`]).

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::path_bytes;
use super::stream::{Content, End, Sizes, feed};
use super::{Excluded, Unread, UnreadKind, Visitor};
use crate::blob::{Blob, ContentId};
use crate::place::{Part, Provenance};
use crate::policy::Policy;

/// What to do in a walk.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Who may be scanned.
    pub(crate) policy: Policy,
    /// Files over this many bytes are excluded.
    pub(crate) max_file_size: Option<u64>,
    /// How contents are cut.
    pub(crate) sizes: Sizes,
    /// What to do about access times, other file systems and git folders.
    pub(crate) care: Care,
}

/// How careful a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// A user's folder: read as any program does, network folders too; `.git` is left to `history`.
    Folder,
    /// A machine's disk: access times stay, other machines' folders are listed; of `.git` only the objects are left
    /// to `history`.
    Disk {
        /// Access times may move where it can't be helped.
        may_touch_atime: bool,
    },
}

/// What a walk counted, for notes.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Next content id.
    serial: AtomicU64,
    /// Git repositories met, bare ones among them.
    pub(crate) repositories: AtomicU64,
    /// Links whose target was not read for the sake of its access time.
    pub(crate) links_spared: AtomicU64,
    /// Files whose access time differed after reading.
    pub(crate) touched: AtomicU64,
    /// Files, folders and links read plainly although the mount moves access times.
    pub(crate) plain: AtomicU64,
}

impl Tally {
    /// A fresh content id.
    pub(crate) fn id(&self) -> ContentId {
        ContentId::Serial(self.serial.fetch_add(1, Ordering::Relaxed))
    }
}

/// An open file on its way to the visitor.
pub(crate) struct Opened {
    /// Its handle.
    pub(crate) file: std::fs::File,
    /// What `fstat` said before the first read.
    pub(crate) before: std::fs::Metadata,
    /// Where it stands.
    pub(crate) provenance: Provenance,
}

/// Hands things to a visitor.
pub(crate) struct Reader<'a, V> {
    /// What to do.
    pub(crate) plan: &'a Plan,
    /// Who sees the bytes.
    pub(crate) visitor: &'a V,
    /// What is counted.
    pub(crate) tally: &'a Tally,
}

impl<V: Visitor> Reader<'_, V> {
    /// The content of a file.
    pub(crate) fn content(&self, opened: Opened) {
        let Opened { file, before, provenance } = opened;
        if self.plan.max_file_size.is_some_and(|limit| before.len() > limit) {
            return self.visitor.excluded(Excluded::UserLimit, 1);
        }
        self.feed(&provenance, &provenance.path, before.len(), &mut &file);
        let changed = match file.metadata() {
            Ok(after) => {
                if after.accessed().ok() != before.accessed().ok() {
                    self.tally.touched.fetch_add(1, Ordering::Relaxed);
                }
                after.len() != before.len() || after.modified().ok() != before.modified().ok()
            }
            Err(_) => true,
        };
        if changed {
            let detail = "it changed while it was read: scan it again when nothing writes to it";
            self.visitor.unread(Unread::new(UnreadKind::Changed, provenance.path, detail));
        }
    }

    /// All of a stream. `what` names it should it fail.
    pub(crate) fn stream(&self, provenance: &Provenance, what: &[u8], mut from: impl Read) {
        self.feed(provenance, what, 0, &mut from);
    }

    /// Feeds what `from` gives and reports how that ended.
    fn feed(&self, provenance: &Provenance, what: &[u8], expected: u64, from: &mut impl Read) {
        let content = Content { id: self.tally.id(), provenance, expected, limit: self.plan.max_file_size };
        match feed(self.visitor, content, self.plan.sizes, from) {
            Ok(End::Complete) => {}
            Ok(End::OverLimit) => self.visitor.excluded(Excluded::UserLimit, 1),
            Ok(End::Stopped) => {
                let detail = "the scan was stopped before its end";
                self.visitor.unread(Unread::new(UnreadKind::Deadline, what, detail));
            }
            Err(error) => {
                let (kind, detail) = explain(&error);
                self.visitor.unread(Unread::new(kind, what, format!("reading stopped within it: {detail}")));
            }
        }
    }

    /// The name of the thing at `path`, as a text of its own.
    pub(crate) fn name(&self, path: &Path, name: &[u8]) {
        self.text(&mut Provenance { path: path_bytes(path), ..Provenance::default() }, Part::PathName, name);
    }

    /// A short text that is no content. `provenance` is as before afterwards.
    pub(crate) fn text(&self, provenance: &mut Provenance, part: Part, bytes: &[u8]) {
        let before = std::mem::replace(&mut provenance.part, part);
        self.visitor.visit(None, Blob { provenance: Some(provenance), ..Blob::whole(self.tally.id(), bytes) });
        provenance.part = before;
    }
}

/// Which kind of unread an error makes, and how to mend it.
pub(crate) fn explain(error: &io::Error) -> (UnreadKind, String) {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            (UnreadKind::Permission, "permission denied: run as a user who may read it, or exclude it".to_owned())
        }
        io::ErrorKind::NotFound => (UnreadKind::Missing, "it was gone before it could be read".to_owned()),
        _ => (UnreadKind::Io, error.to_string()),
    }
}

//! Hands the contents of changes to a visitor, each once, and remembers what has no id of its own.
//!
//! In: [`Change`]s, unit by unit (one commit, or the index). Out: blobs, new names and other texts to the visitor;
//! an [`Extra`] for every text that is no git object, so that it can be located later. Policy is asked for every
//! path; a blob is left out only as long as no path that may be scanned holds it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::sync::Mutex;

use gix::ObjectId;
use rayon::prelude::*;

use super::change::{Change, Judged, at_path, read_blob};
use super::lfs::{self, Pointer};
use super::listing::FileKind;
use super::repo::{Reader, Repository};
use crate::blob::{Blob, ContentId, ObjectPart};
use crate::place::{Part, Provenance};
use crate::source::{Excluded, Listed, Unread, UnreadKind, Visitor, threads};

/// How many blobs are gathered before they are read, on all threads when there are more than [`ALONE`].
const BATCH: usize = 256;

/// Up to so many blobs are read on the calling thread: starting others would take longer.
const ALONE: usize = 8;

/// A text that is no git object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    /// A name or a message.
    Text {
        /// Where it stands.
        provenance: Provenance,
        /// The change it came with.
        unit: usize,
        /// The ref it is the name of.
        reference: Option<Vec<u8>>,
    },
    /// The file that the Git LFS pointer in this blob stands for.
    Lfs(ObjectId),
}

/// The wanted contents by the blob at whose places they are: the blob itself, and the file it is a pointer to.
pub(super) type Aliases = BTreeMap<ObjectId, Vec<ContentId>>;

/// See [`Aliases`].
pub(super) fn aliases(wanted: &BTreeSet<ContentId>, extras: &[Extra]) -> Aliases {
    let mut aliases = Aliases::new();
    for content in wanted {
        let id = match content {
            ContentId::Object(ObjectPart::Blob, id) => Some(*id),
            ContentId::Serial(serial) => match usize::try_from(*serial).ok().and_then(|at| extras.get(at)) {
                Some(Extra::Lfs(id)) => Some(*id),
                _ => None,
            },
            ContentId::Object(..) => None,
        };
        if let Some(id) = id {
            aliases.entry(id).or_default().push(*content);
        }
    }
    aliases
}

/// Reads a blob by its content id, for the old side of a place. Behind a Git LFS pointer stands the file that the
/// path held.
///
/// # Errors
/// The blob or that file can't be read, or `id` names none.
pub(super) fn read_content(repository: Option<&Repository>, id: ContentId) -> Result<Vec<u8>, Unread> {
    let (Some(repository), ContentId::Object(ObjectPart::Blob, id)) = (repository, id) else {
        return Err(Unread::new(UnreadKind::Missing, id.to_string(), "this is no blob of the repository"));
    };
    let mut bytes = Vec::new();
    read_blob(&mut repository.reader(), id, &mut bytes)?;
    if let Some(pointer) = lfs::pointer(&bytes) {
        let file = lfs::read(repository, &pointer);
        bytes.extend(file.map_err(|(kind, detail)| Unread::new(kind, id.to_string(), detail).object(id))?);
    }
    Ok(bytes)
}

/// See the module.
pub(super) struct Handout<'a, V> {
    repository: &'a Repository,
    visitor: &'a V,
    /// How many threads to start when there is work for them.
    jobs: Option<NonZeroUsize>,
    /// Blobs handed out or waiting to be.
    seen: HashSet<ObjectId>,
    /// Blobs to be read, each with one of its paths.
    waiting: Vec<(ObjectId, Vec<u8>)>,
    /// Names handed out.
    names: HashSet<Vec<u8>>,
    /// Paths that policy left out, by why it did.
    excluded: BTreeMap<Excluded, HashSet<Vec<u8>>>,
    /// Submodules that were listed.
    listed: BTreeSet<Vec<u8>>,
    /// What was reported as unread.
    unread: Mutex<BTreeSet<Unread>>,
    /// The texts that are no git objects, by their serial number.
    extras: Vec<Extra>,
}

impl<'a, V: Visitor> Handout<'a, V> {
    /// Hands out what `repository` holds to `visitor`, on `jobs` threads if there is much of it.
    pub(super) fn new(repository: &'a Repository, visitor: &'a V, jobs: Option<NonZeroUsize>) -> Self {
        Self {
            repository,
            visitor,
            jobs,
            seen: HashSet::new(),
            waiting: Vec::new(),
            names: HashSet::new(),
            excluded: BTreeMap::new(),
            listed: BTreeSet::new(),
            unread: Mutex::default(),
            extras: Vec::new(),
        }
    }

    /// Takes one change of the change number `unit`.
    pub(super) fn change(&mut self, unit: usize, change: Change, judged: Judged) {
        if change.file.kind == FileKind::Submodule && self.listed.insert(change.path.clone()) {
            self.visitor.listed(Listed { path: change.path.clone(), what: "submodule".into() });
        }
        let left_out = match judged {
            Judged::Allowed => None,
            Judged::Excluded => Some(Excluded::ExcludeGlob),
            Judged::Test(directory) => {
                self.excluded.entry(Excluded::TestDirectory).or_default().insert(directory);
                Some(Excluded::TestFile)
            }
        };
        if let Some(why) = left_out {
            self.excluded.entry(why).or_default().insert(change.path);
            return;
        }
        if change.is_added() && self.names.insert(change.path.clone()) {
            let provenance = Provenance { path: change.path.clone(), part: Part::PathName, ..Provenance::default() };
            let path = change.path.clone();
            self.extra(&path, Extra::Text { provenance, unit, reference: None });
        }
        if let Some(id) = change.file.content()
            && self.seen.insert(id)
        {
            self.waiting.push((id, change.path));
            if self.waiting.len() >= BATCH {
                self.flush();
            }
        }
    }

    /// Hands out a text that is no git object.
    pub(super) fn extra(&mut self, text: &[u8], extra: Extra) {
        let serial = self.extras.len() as u64;
        self.extras.push(extra);
        self.visitor.visit(None, Blob::whole(ContentId::Serial(serial), text));
    }

    /// Hands out the blob `id`, which `name` led to.
    pub(super) fn blob(&mut self, id: ObjectId, name: &[u8]) {
        if self.seen.insert(id) {
            self.waiting.push((id, name.to_vec()));
        }
    }

    /// Hands out a part of an object that was read already.
    pub(super) fn object(&mut self, id: ContentId, bytes: &[u8]) {
        self.visitor.visit(None, Blob::whole(id, bytes));
    }

    /// Reports something that can't be read, once.
    pub(super) fn unread(&self, what: Unread) {
        let mut known = self.unread.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.insert(what.clone()) {
            self.visitor.unread(what);
        }
    }

    /// Whether the visitor wants no more. Then what waits is unread.
    pub(super) fn is_stopped(&mut self) -> bool {
        if !self.visitor.stop() {
            return false;
        }
        if !self.waiting.is_empty() {
            self.stopped(self.waiting.len(), "blobs");
            self.waiting.clear();
        }
        true
    }

    /// Reports that `count` things were left when the scan was stopped.
    pub(super) fn stopped(&self, count: usize, what: &str) {
        let detail = "the scan was stopped before they were read";
        self.unread(Unread::new(UnreadKind::Deadline, format!("{count} {what}"), detail));
    }

    /// Reads and hands out the blobs gathered, and the files that some of them point to.
    pub(super) fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let (repository, visitor) = (self.repository, self.visitor);
        let start = || (repository.reader(), Vec::new());
        let one = |(reader, buf): &mut (Reader<'_>, Vec<u8>), (id, _): &(ObjectId, Vec<u8>)| {
            if visitor.stop() {
                return Outcome::Stopped;
            }
            // Asked here and not before: what is gathered and numbered is the same whatever is known.
            if visitor.knows(id, || reader.blob_len(id)) {
                return Outcome::Done;
            }
            match read_blob(reader, *id, buf) {
                Ok(()) => {
                    let pointer = lfs::pointer(buf);
                    visitor.visit(None, Blob::of_git(*id, buf, pointer.is_some()));
                    pointer.map_or(Outcome::Done, Outcome::Pointer)
                }
                Err(why) => Outcome::Failed(why),
            }
        };
        let outcomes: Vec<Outcome> = if waiting.len() <= ALONE {
            let mut state = start();
            waiting.iter().map(|item| one(&mut state, item)).collect()
        } else {
            self.jobs.into_iter().for_each(threads::start);
            waiting.par_iter().map_init(start, one).collect()
        };
        let mut left = 0;
        for ((id, path), outcome) in waiting.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done => {}
                Outcome::Stopped => left += 1,
                Outcome::Failed(why) => self.unread(at_path(why, &path)),
                Outcome::Pointer(pointer) => self.pointer(id, path, &pointer),
            }
        }
        if left > 0 {
            self.stopped(left, "blobs");
        }
    }

    /// Hands out the file that the pointer in the blob `id` stands for.
    fn pointer(&mut self, id: ObjectId, path: Vec<u8>, pointer: &Pointer) {
        let content = ContentId::Serial(self.extras.len() as u64);
        self.extras.push(Extra::Lfs(id));
        if let Err((kind, detail)) = lfs::visit(self.repository, pointer, content, self.visitor) {
            self.unread(Unread::new(kind, path, detail).object(id));
        }
    }

    /// Hands out what waits, reports what policy left out, and returns the texts that are no git objects.
    pub(super) fn finish(mut self) -> Vec<Extra> {
        if !self.is_stopped() {
            self.flush();
        }
        for (why, paths) in &self.excluded {
            self.visitor.excluded(*why, paths.len() as u64);
        }
        self.extras
    }

    /// How many blobs and other texts were found to hand out.
    pub(super) fn count(&self) -> usize {
        self.seen.len() + self.extras.len()
    }
}

/// What became of one blob.
enum Outcome {
    /// It was handed out.
    Done,
    /// It was handed out, and stands for a file.
    Pointer(Pointer),
    /// It can't be read.
    Failed(Unread),
    /// The visitor wanted no more.
    Stopped,
}

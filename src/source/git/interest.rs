//! Which trees lead to wanted contents. Every tree is read once; those that lead nowhere cost one map entry.

use std::rc::Rc;

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::Kind;

use super::repo::{Reader, Repository};
use super::text::{self, EntryKind};

/// The wanted contents that have places in trees.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Blobs.
    pub(super) blobs: HashSet,
    /// Trees whose entry names are wanted.
    pub(super) names: HashSet,
}

/// A tree that leads to wanted contents.
#[derive(Debug)]
pub(super) struct Leading {
    /// The entries that are wanted or lead on.
    pub(super) entries: Vec<LeadingEntry>,
    /// All its names, when they are wanted.
    pub(super) names: Vec<Vec<u8>>,
}

/// An entry of a [`Leading`] tree.
#[derive(Debug)]
pub(super) struct LeadingEntry {
    /// What it is.
    pub(super) kind: EntryKind,
    /// Its name.
    pub(super) name: Vec<u8>,
    /// The object.
    pub(super) id: ObjectId,
}

/// Tells which trees lead to wanted contents, and remembers.
pub(super) struct Interest<'r> {
    /// Whose trees.
    repository: &'r Repository,
    /// Reads them.
    reader: Reader<'r>,
    /// What for.
    wanted: &'r Wanted,
    /// Trees read; `None` leads nowhere.
    known: HashMap<ObjectId, Option<Rc<Leading>>>,
}

/// A tree whose subtrees are being looked into.
struct Frame {
    /// The tree.
    id: ObjectId,
    /// What is known of it so far.
    leading: Leading,
    /// Subtrees to look into.
    pending: Vec<(Vec<u8>, ObjectId)>,
    /// The one being looked into.
    looked_into: Option<(Vec<u8>, ObjectId)>,
}

impl<'r> Interest<'r> {
    /// Interest in `wanted`.
    pub(super) fn new(repository: &'r Repository, wanted: &'r Wanted) -> Self {
        Self { repository, reader: repository.reader(), wanted, known: HashMap::default() }
    }

    /// Whether a blob is wanted.
    pub(super) fn wants_blob(&self, id: ObjectId) -> bool {
        self.wanted.blobs.contains(&id)
    }

    /// What of the tree `id` leads to wanted contents. A tree that can't be read leads nowhere.
    pub(super) fn leading(&mut self, id: ObjectId) -> Option<Rc<Leading>> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let mut buf = Vec::new();
        let mut frames = vec![self.frame(id, &mut buf)];
        while let Some(frame) = frames.last_mut() {
            if let Some((name, child)) = frame.looked_into.take() {
                if self.known.get(&child).is_some_and(Option::is_some) {
                    frame.leading.entries.push(LeadingEntry { kind: EntryKind::Tree, name, id: child });
                }
            } else if let Some((name, child)) = frame.pending.pop() {
                frame.looked_into = Some((name, child));
                if !self.known.contains_key(&child) {
                    frames.push(self.frame(child, &mut buf));
                }
            } else {
                let frame = frames.pop().expect("the last frame was just looked at");
                let leads = !frame.leading.entries.is_empty() || !frame.leading.names.is_empty();
                self.known.insert(frame.id, leads.then(|| Rc::new(frame.leading)));
            }
        }
        self.known.get(&id).cloned().flatten()
    }

    /// Reads one tree.
    fn frame(&mut self, id: ObjectId, buf: &mut Vec<u8>) -> Frame {
        let leading = Leading { entries: Vec::new(), names: Vec::new() };
        let mut frame = Frame { id, leading, pending: Vec::new(), looked_into: None };
        // Until it is done it leads nowhere: a damaged store must not send us in circles.
        self.known.insert(id, None);
        if !matches!(self.reader.object(&id, buf), Ok(Kind::Tree)) {
            return frame;
        }
        let names = self.wanted.names.contains(&id);
        for entry in text::tree(buf, self.repository.object_hash()).flatten() {
            if names {
                frame.leading.names.push(entry.name.to_vec());
            }
            let child = entry.id.to_owned();
            match entry.kind {
                EntryKind::Tree if self.known.get(&child).is_some_and(Option::is_none) => {}
                EntryKind::Tree => frame.pending.push((entry.name.to_vec(), child)),
                EntryKind::File | EntryKind::Link if self.wanted.blobs.contains(&child) => {
                    let entry = LeadingEntry { kind: entry.kind, name: entry.name.to_vec(), id: child };
                    frame.leading.entries.push(entry);
                }
                _ => {}
            }
        }
        frame
    }
}

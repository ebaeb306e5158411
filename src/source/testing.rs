//! A visitor that keeps what sources tell it, for tests.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Excluded, Listed, Unread, Visitor};
use crate::blob::{Blob, ContentId, Edits};
use crate::observe::Observation;
use crate::place::{Part, Provenance};

/// Keeps everything.
#[derive(Default)]
pub(crate) struct Collector {
    /// Contents in the order they came.
    pub(crate) blobs: Mutex<Vec<(ContentId, Provenance, Vec<u8>)>>,
    /// What was unread.
    pub(crate) unread: Mutex<Vec<Unread>>,
    /// What was excluded.
    pub(crate) excluded: Mutex<BTreeMap<Excluded, u64>>,
    /// What was listed.
    pub(crate) listed: Mutex<Vec<Listed>>,
    /// What was observed.
    pub(crate) observed: Mutex<Vec<Observation>>,
    /// Notes.
    pub(crate) notes: Mutex<Vec<String>>,
    /// Whether to stop.
    pub(crate) stop: AtomicBool,
}

impl Visitor for Collector {
    type State = ();

    fn visit(&self, _parent: Option<(&(), &Edits)>, blob: Blob<'_>) {
        let provenance = blob.provenance.expect("files and disks know where they are").clone();
        self.blobs.lock().unwrap().push((blob.id, provenance, blob.bytes.to_vec()));
    }

    fn unread(&self, what: Unread) {
        self.unread.lock().unwrap().push(what);
    }

    fn excluded(&self, why: Excluded, count: u64) {
        *self.excluded.lock().unwrap().entry(why).or_default() += count;
    }

    fn listed(&self, what: Listed) {
        self.listed.lock().unwrap().push(what);
    }

    fn observe(&self, fact: Observation) {
        self.observed.lock().unwrap().push(fact);
    }

    fn note(&self, text: String) {
        self.notes.lock().unwrap().push(text);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Collector {
    /// Paths and texts of one part, sorted.
    pub(crate) fn texts(&self, part: Part) -> Vec<(String, String)> {
        let blobs = self.blobs.lock().unwrap();
        let mut texts: Vec<_> = blobs
            .iter()
            .filter(|(_, provenance, _)| provenance.part == part)
            .map(|(_, provenance, bytes)| {
                (String::from_utf8_lossy(&provenance.path).into_owned(), String::from_utf8_lossy(bytes).into_owned())
            })
            .collect();
        texts.sort();
        texts
    }

    /// Paths of the contents, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.texts(Part::Content).into_iter().map(|(path, _)| path).collect()
    }

    /// Paths and kinds of what was unread, sorted.
    pub(crate) fn unread_kinds(&self) -> Vec<(String, &'static str)> {
        let unread = self.unread.lock().unwrap();
        let mut kinds: Vec<_> = unread
            .iter()
            .map(|unread| (String::from_utf8_lossy(&unread.what).into_owned(), unread.kind.word()))
            .collect();
        kinds.sort();
        kinds
    }

    /// Paths and words of what was listed, sorted.
    pub(crate) fn listings(&self) -> Vec<(String, &'static str)> {
        let listed = self.listed.lock().unwrap();
        let word = |listed: &Listed| match listed.what {
            Cow::Borrowed(word) => word,
            Cow::Owned(_) => panic!("a source's words are built in"),
        };
        let mut words: Vec<_> =
            listed.iter().map(|listed| (String::from_utf8_lossy(&listed.path).into_owned(), word(listed))).collect();
        words.sort();
        words
    }
}

/// A folder with these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let top = tempfile::tempdir().expect("there is room for a folder");
    for (path, text) in files {
        let path = top.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("folders can be made");
        std::fs::write(path, text).expect("files can be written");
    }
    top
}

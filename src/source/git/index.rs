//! Reading an index file, whole or split.
//!
//! In: a repository. Out: an [`Index`] whose entries can be read one by one, or a sentence why not. Nothing of it is
//! guessed: an index that can't be read in full is an error, because what it leaves out would pass unseen.
//!
//! Of a large index only the lengths of most entries are ever looked at: [`cache_tree`] says which folders are as
//! they were. So this is ours and not gix's, whose reader decodes all entries into memory (8 ms for 50,000 entries, reading
//! included; this one 1 ms). Indexes that are split in two are joined by gix.

use std::fs::File;
use std::io::ErrorKind;
use std::sync::Arc;

use gix::ObjectId;
use gix::index::State;
use gix::index::entry::Flags;
use gix::objs::Kind;

use super::repo::{Repository, one_line};
use crate::source::SourceErrorKind;

mod cache_tree;
mod checksum;
mod entries;
mod window;

use cache_tree::CacheTree;
use entries::Entries;
pub(super) use entries::Entry;

/// What to do about a damaged index.
const MEND: &str = "(removing it and running `git reset` rebuilds it; what was staged is lost)";

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    form: Form,
    tree: CacheTree,
}

/// Where entries come from.
#[derive(Debug)]
enum Form {
    /// A file that is read where it must be.
    File(Entries),
    /// Memory: the index was split in two files and is joined here.
    Memory(Box<State>),
}

impl Index {
    /// Reads the repository's index, shared parts of a split one included. `None` when there is no index file.
    ///
    /// # Errors
    /// A sentence: it can't be read or is damaged.
    pub(super) fn read(repository: &Repository) -> Result<Option<Self>, String> {
        let (path, hash) = (repository.index_path(), repository.object_hash());
        let file = match File::open(path) {
            Ok(file) => Arc::new(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let len = file.metadata().map_err(|error| error.to_string())?.len();
        checksum::check(&file, len, hash)?;
        let (entries, extensions) = Entries::find(file, len, hash)?;
        let form = match extensions.link {
            None => Form::File(entries),
            // The link holds the id of the shared part and two bitmaps.
            Some(link) if link.len() <= hash.len_in_bytes() => {
                return Err("it is split in a way we can't join (`git update-index --no-split-index` does)".to_owned());
            }
            Some(_) => match gix::index::File::at(path, hash, false, gix::index::decode::Options::default()) {
                Ok(joined) => Form::Memory(Box::new(joined.into())),
                Err(error) => {
                    return Err(format!("{} (`git update-index --no-split-index` may mend it)", one_line(&error)));
                }
            },
        };
        let tree = extensions.tree.and_then(|body| CacheTree::parse(&body, hash)).unwrap_or_default();
        Ok(Some(Self { form, tree }))
    }

    /// An index without entries.
    pub(super) fn empty(repository: &Repository) -> Self {
        let form = Form::Memory(Box::new(State::new(repository.object_hash())));
        Self { form, tree: CacheTree::default() }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        match &self.form {
            Form::File(entries) => entries.count,
            Form::Memory(state) => state.entries().len(),
        }
    }

    /// Reads entries one by one.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        match &self.form {
            Form::File(entries) => Cursor(From::File(entries.cursor())),
            Form::Memory(state) => Cursor(From::Memory(state)),
        }
    }

    /// What it knows of the tree of the whole.
    pub(super) fn top(&self) -> Option<Cached> {
        self.tree.top().map(Cached)
    }

    /// How many entries lie below a folder and the tree they will be committed as, where that is known.
    pub(super) fn tree(&self, folder: Cached) -> Option<(usize, ObjectId)> {
        self.tree.tree(folder.0)
    }

    /// What it knows of the folder `name` of `folder`.
    pub(super) fn inner(&self, folder: Cached, name: &[u8]) -> Option<Cached> {
        self.tree.inner(folder.0, name).map(Cached)
    }
}

/// A folder that an index may know the tree of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cached(usize);

/// Reads the entries of an index; cheapest in ascending order.
#[derive(Debug)]
pub(super) struct Cursor<'i>(From<'i>);

/// Where a cursor reads.
#[derive(Debug)]
enum From<'i> {
    /// In the index's file.
    File(entries::Cursor<'i>),
    /// In memory.
    Memory(&'i State),
}

impl Cursor<'_> {
    /// The entry number `at`, 0-based.
    ///
    /// # Errors
    /// There is none, or the file changed while it was read.
    pub(super) fn entry(&mut self, at: usize) -> Result<Entry<'_>, String> {
        match &mut self.0 {
            From::File(cursor) => cursor.entry(at),
            From::Memory(state) => {
                let entry = state.entries().get(at).ok_or_else(|| format!("it has no entry {at}"))?;
                Ok(Entry {
                    path: entry.path(state),
                    mode: entry.mode.bits(),
                    id: entry.id,
                    is_intended: entry.flags.contains(Flags::INTENT_TO_ADD),
                })
            }
        }
    }
}

/// The error that the index can't be read.
pub(super) fn fail(repository: &Repository, why: &str) -> SourceErrorKind {
    SourceErrorKind::Repository(format!("its index {}: {why}", repository.index_path().display()))
}

/// The heads being merged into HEAD, as `MERGE_HEAD` names them, and as git tells its `pre-merge-commit` hook, which
/// runs before that file is written: in variables `GITHEAD_<id>` (`names`). Each id once, in order.
///
/// Source: git's `builtin/merge.c`, `prepare_to_commit`, git 2.47, read and tried 2026-11.
///
/// # Errors
/// A line of `MERGE_HEAD` is no object id.
pub(super) fn merge_heads<'n>(
    repository: &Repository,
    names: impl Iterator<Item = &'n str>,
) -> Result<Vec<ObjectId>, SourceErrorKind> {
    let mut heads = Vec::new();
    match std::fs::read(repository.git_dir().join("MERGE_HEAD")) {
        Ok(bytes) => {
            for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                let head = ObjectId::from_hex(line.trim_ascii()).map_err(|_| {
                    let text = "its MERGE_HEAD names no commit (`git merge --abort` or `--quit` ends the merge)";
                    SourceErrorKind::Repository(text.to_owned())
                })?;
                heads.push(head);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let ids = names.filter_map(|name| name.strip_prefix("GITHEAD_"));
            // `git am` names trees in this way: they are no heads.
            let mut reader = repository.reader();
            let ids = ids.filter_map(|hex| ObjectId::from_hex(hex.as_bytes()).ok());
            heads.extend(ids.filter(|id| reader.kind(id) == Some(Kind::Commit)));
        }
        Err(error) => return Err(error.into()),
    }
    let mut seen = std::collections::BTreeSet::new();
    heads.retain(|head| seen.insert(*head));
    Ok(heads)
}

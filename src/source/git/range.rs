//! The commits of a range: reachable from some, not reachable from others.
//!
//! In: the ends as commits. Out: [`Step`]s, parents first. A commit is left out only when it is shown to be reachable
//! from an excluded one. The walk stops when that no longer pays, as git's does, so a clock that was wrong can make
//! it include a commit too many, never one too few.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use gix::ObjectId;
use gix::objs::Kind;

use super::repo::{Reader, Repository};
use super::text;
use crate::source::{Unread, UnreadKind};

/// The parts of a commit that lead on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitHead {
    /// Its tree.
    pub(super) tree: ObjectId,
    /// Its parents, in order.
    pub(super) parents: Vec<ObjectId>,
    /// Author date: seconds since 1970, UTC; 0 when it can't be read.
    pub(super) author_time: i64,
    /// Committer date, likewise.
    pub(super) committer_time: i64,
    /// Offset of the first byte after the `parent` lines, where free text begins.
    pub(super) text: usize,
}

impl CommitHead {
    /// Reads a commit object whose ids are of the kind of `like`; without a tree of that kind it is none.
    fn parse(bytes: &[u8], like: ObjectId) -> Option<Self> {
        let text::CommitParts { tree, parents, text, author_time, committer_time } = text::commit(bytes);
        let tree = tree.filter(|tree| tree.kind() == like.kind())?;
        if parents.iter().any(|parent| parent.kind() != like.kind()) {
            return None;
        }
        Some(Self { tree, parents, author_time, committer_time, text: bytes.len() - text.len() })
    }
}

/// Reads a commit, leaving its bytes in `buf`.
///
/// # Errors
/// It can't be read, or is no commit.
pub(super) fn read_commit_into(reader: &mut Reader<'_>, id: ObjectId, buf: &mut Vec<u8>) -> Result<CommitHead, Unread> {
    let corrupt = |why: String| Unread::new(UnreadKind::Corrupt, id.to_string(), why).object(id);
    match reader.object(&id, buf)? {
        Kind::Commit => CommitHead::parse(buf, id).ok_or_else(|| corrupt("this commit is malformed".to_owned())),
        other => Err(corrupt(format!("a {other}, not a commit"))),
    }
}

/// Reads a commit.
///
/// # Errors
/// As [`read_commit_into`].
pub(super) fn read_commit(reader: &mut Reader<'_>, id: ObjectId) -> Result<CommitHead, Unread> {
    read_commit_into(reader, id, &mut Vec::new())
}

/// One commit of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The commit.
    pub(super) id: ObjectId,
    /// Its parents, tree and dates.
    pub(super) head: CommitHead,
    /// Whether parents it names are not here. Then what it adds can't be told from what was there.
    pub(super) is_cut: bool,
}

/// The commits of a range.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// Parents first; among equals the older committer date, then the smaller id.
    pub(super) all: Vec<Step>,
    /// Whether the history of the included commits was seen to meet that of the excluded ones.
    pub(super) meets: bool,
    /// Commits that are named and not here.
    pub(super) unread: Vec<Unread>,
}

/// How many more commits are looked at when all that is left is excluded, should one of them turn out to lead to a
/// commit held for new. Git's number (`SLOP` in `revision.c`).
const SLOP: usize = 5;

/// A commit met on the way.
struct Met {
    /// Its head.
    head: CommitHead,
    /// Whether an excluded commit leads here.
    is_excluded: bool,
    /// Whether it is still in the queue.
    is_queued: bool,
    /// See [`Step::is_cut`].
    is_cut: bool,
}

/// Finds the commits of a range.
struct Walk<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    met: HashMap<ObjectId, Met>,
    queue: BinaryHeap<(i64, ObjectId)>,
    /// How many commits in the queue are not excluded.
    included: usize,
    /// What is missing, and which commit names it; `None` for the ends themselves.
    unread: Vec<(Option<ObjectId>, Unread)>,
}

/// The commits reachable from `includes` and not from `excludes`.
pub(super) fn steps(repository: &Repository, includes: &[ObjectId], excludes: &[ObjectId]) -> Steps {
    let mut walk = Walk {
        repository,
        reader: repository.reader(),
        met: HashMap::new(),
        queue: BinaryHeap::new(),
        included: 0,
        unread: Vec::new(),
    };
    for &id in excludes {
        walk.meet(id, None, true);
    }
    for &id in includes {
        walk.meet(id, None, false);
    }
    walk.run();
    walk.finish(includes)
}

impl Walk<'_> {
    /// Takes note of a commit that `child`, an excluded or an included one, leads to. Whether it is here.
    fn meet(&mut self, id: ObjectId, child: Option<ObjectId>, is_excluded: bool) -> bool {
        if let Some(met) = self.met.get(&id) {
            if is_excluded && !met.is_excluded {
                self.exclude(id);
            }
            return true;
        }
        match read_commit(&mut self.reader, id) {
            Ok(head) => {
                self.queue.push((head.committer_time, id));
                self.included += usize::from(!is_excluded);
                self.met.insert(id, Met { head, is_excluded, is_queued: true, is_cut: false });
                true
            }
            Err(why) => {
                // What is missing behind an excluded commit isn't ours to scan.
                if !is_excluded {
                    self.unread.push((child, why));
                }
                false
            }
        }
    }

    /// Marks a commit that was held for new, and what is known to lie behind it.
    fn exclude(&mut self, id: ObjectId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let Some(met) = self.met.get_mut(&id) else { continue };
            if std::mem::replace(&mut met.is_excluded, true) {
                continue;
            }
            self.included -= usize::from(met.is_queued);
            open.extend_from_slice(&met.head.parents);
        }
    }

    /// Walks from new to old.
    fn run(&mut self) {
        let mut oldest = i64::MAX;
        let mut slop = SLOP;
        while let Some((time, id)) = self.queue.pop() {
            let Some(met) = self.met.get_mut(&id) else { continue };
            met.is_queued = false;
            let is_excluded = met.is_excluded;
            let parents = met.head.parents.clone();
            if is_excluded {
                if self.included == 0 && time < oldest {
                    if slop == 0 {
                        return;
                    }
                    slop -= 1;
                }
            } else {
                self.included -= 1;
                oldest = oldest.min(time);
                slop = SLOP;
            }
            if self.repository.shallow().contains(&id) {
                if !parents.is_empty() {
                    self.cut(id);
                }
                continue;
            }
            for parent in parents {
                if !self.meet(parent, Some(id), is_excluded) {
                    self.mark_cut(id);
                }
            }
        }
    }

    /// The clone ends at this commit.
    fn cut(&mut self, id: ObjectId) {
        let detail = "history is cut here by a shallow clone (`git fetch --unshallow` brings the rest)";
        self.unread.push((Some(id), Unread::new(UnreadKind::Shallow, id.to_string(), detail).object(id)));
        self.mark_cut(id);
    }

    /// Notes that a parent of `id` isn't here.
    fn mark_cut(&mut self, id: ObjectId) {
        if let Some(met) = self.met.get_mut(&id) {
            met.is_cut = true;
        }
    }

    /// Puts the commits held for new in order.
    fn finish(self, includes: &[ObjectId]) -> Steps {
        let Self { met, unread, .. } = self;
        let is_new = |id: &ObjectId| met.get(id).is_some_and(|met| !met.is_excluded);
        let mut waits: HashMap<ObjectId, usize> = HashMap::new();
        let mut children: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        let mut ready = BinaryHeap::new();
        let mut meets = includes.iter().any(|id| met.get(id).is_some_and(|met| met.is_excluded));
        for (&id, commit) in met.iter().filter(|(id, _)| is_new(id)) {
            let parents: BTreeSet<ObjectId> = commit.head.parents.iter().copied().collect();
            meets |= parents.iter().any(|parent| met.get(parent).is_some_and(|met| met.is_excluded));
            let inside: Vec<_> = parents.into_iter().filter(&is_new).collect();
            for parent in &inside {
                children.entry(*parent).or_default().push(id);
            }
            match inside.len() {
                0 => ready.push(Reverse((commit.head.committer_time, id))),
                several => {
                    waits.insert(id, several);
                }
            }
        }
        let mut all = Vec::new();
        while let Some(Reverse((_, id))) = ready.pop() {
            for child in children.remove(&id).unwrap_or_default() {
                if let Some(left) = waits.get_mut(&child) {
                    *left -= 1;
                    if let (0, Some(commit)) = (*left, met.get(&child)) {
                        ready.push(Reverse((commit.head.committer_time, child)));
                    }
                }
            }
            if let Some(commit) = met.get(&id) {
                all.push(Step { id, head: commit.head.clone(), is_cut: commit.is_cut });
            }
        }
        // What lies behind a commit that turned out to be excluded is not ours to scan either.
        let unread: BTreeSet<_> =
            unread.iter().filter(|(child, _)| child.as_ref().is_none_or(is_new)).map(|(_, why)| why.clone()).collect();
        Steps { all, meets, unread: unread.into_iter().collect() }
    }
}

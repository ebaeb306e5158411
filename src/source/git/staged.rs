//! What `git commit` is about to record: the index against HEAD.
//!
//! In: a repository. Out: the blobs of the index that HEAD (and, during a merge, no head being merged) has at the
//! same path, whole; new path names; the commit message, if its file is named. The work tree is never looked at.
//!
//! `git commit --amend` gives its hooks no sign that it amends, so then too the comparison is with HEAD, the commit
//! about to be replaced: what it introduced was reported when it was made, and isn't again.
//!
//! Asked for all of the index ([`Extent`]), the comparison is with nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::ObjectId;

use super::change::{Change, Comparer, Judged};
use super::handout::{Extra, Handout, aliases, read_content};
use super::head::head;
use super::index::{Index, merge_heads};
use super::listing::{FileKind, Node};
use super::range::read_commit;
use super::repo::{Opening, Repository};
use crate::blob::ContentId;
use crate::place::{Before, Located, Part, Place, Provenance, RemovedPool, State};
use crate::policy::Policy;
use crate::source::{RootFacts, Source, SourceError, SourceErrorKind, Unread, Visitor};

/// How much of the index is scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What it has that HEAD hasn't.
    #[default]
    Change,
    /// The same, and all of it when that is no content at all.
    ChangeElseAll,
    /// All of it.
    All,
}

/// The staged changes of one repository.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    opening: Opening,
    policy: Policy,
    message: Option<PathBuf>,
    extent: Extent,
    environment: BTreeMap<OsString, OsString>,
    /// Opened already.
    repository: Option<Arc<Repository>>,
    jobs: Option<NonZeroUsize>,
    plan: OnceLock<Plan>,
}

/// What the walk found out.
#[derive(Debug)]
struct Plan {
    repository: Arc<Repository>,
    /// All changes that policy lets be scanned, in path order.
    changes: Vec<Change>,
    /// What the change removes.
    pool: Option<Arc<RemovedPool>>,
    /// Names and the message.
    extras: Vec<Extra>,
}

impl Staged {
    /// The staged changes of the repository at `path`. `message`: the file with the commit's message, as the
    /// `commit-msg` hook gets it; all its bytes are scanned, comments too, since what git will strip depends on how
    /// it was called.
    pub fn new(path: impl Into<PathBuf>, opening: Opening, policy: Policy, message: Option<PathBuf>) -> Self {
        let environment = match opening {
            Opening::Own => std::env::vars_os().collect(),
            Opening::Named => BTreeMap::new(),
        };
        Self {
            path: path.into(),
            opening,
            policy,
            message,
            extent: Extent::Change,
            environment,
            repository: None,
            jobs: None,
            plan: OnceLock::new(),
        }
    }

    /// The same of a repository that was opened before, at the same path and in the same way.
    #[must_use]
    pub fn of(mut self, repository: Option<Arc<Repository>>) -> Self {
        self.repository = repository;
        self
    }

    /// The same of more of the index.
    #[must_use]
    pub fn extended(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// The same on so many threads, if there is work for them.
    #[must_use]
    pub fn on_threads(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The same under other environment variables.
    #[cfg(test)]
    fn in_environment(mut self, variables: &[(&str, &Path)]) -> Self {
        self.environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// An error about this root.
    fn fail(&self, kind: SourceErrorKind) -> SourceError {
        SourceError::new(self.path.to_string_lossy(), kind)
    }

    /// Reads index and heads and finds the changes.
    fn find<V: Visitor>(&self, visitor: &V) -> Result<Plan, SourceError> {
        let env = |name: &str| self.environment.get(std::ffi::OsStr::new(name)).cloned();
        let repository = match &self.repository {
            Some(open) => Arc::clone(open),
            None => Arc::new(Repository::open_in(&self.path, self.opening, &env)?),
        };
        let index = match repository.index().map_err(|kind| self.fail(kind))? {
            Some(index) => Arc::clone(index),
            None if repository.work_dir().is_none() => {
                let text = "a bare repository has no index: nothing can be staged there".to_owned();
                return Err(self.fail(SourceErrorKind::Repository(text)));
            }
            None => Arc::new(Index::empty(&repository)),
        };
        let mut old = match self.extent {
            Extent::All => Vec::new(),
            Extent::Change | Extent::ChangeElseAll => self.old_trees(&repository, visitor)?,
        };
        let mut changes = Vec::new();
        let mut unread = BTreeSet::new();
        let top = Node::index(&index);
        let mut comparer = Comparer::new(&repository);
        let mut note = |why| {
            unread.insert(why);
        };
        comparer.changes(top.clone(), &old, &mut |change| changes.push(change), &mut note);
        let adds_content = changes.iter().any(|change| change.file.content().is_some());
        if self.extent == Extent::ChangeElseAll && !adds_content {
            visitor.note("nothing is staged: all that is tracked was scanned, as the index holds it".to_owned());
            (old, changes) = (Vec::new(), Vec::new());
            comparer.changes(top.clone(), &old, &mut |change| changes.push(change), &mut note);
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let needs_pool = changes.iter().any(Change::is_added);
        let pool = if needs_pool { comparer.pool(0, &top, &old, &mut note) } else { None };
        unread.into_iter().for_each(|why| visitor.unread(why));
        let mut handout = Handout::new(&repository, visitor, self.jobs);
        let mut judged = Vec::new();
        let found = changes.len();
        for at in 0..found {
            if handout.is_stopped() {
                handout.stopped(found - at, "staged paths");
                break;
            }
            judged.push(comparer.judge(&self.policy, &top, &changes[at].path));
            handout.change(0, changes[at].clone(), judged[at].clone());
        }
        let is_empty = found == 0;
        let mut kept = judged.iter().map(|judged| *judged == Judged::Allowed);
        changes.retain(|_| kept.next().unwrap_or(false));
        if let Some(message) = &self.message {
            self.message(message, &mut handout)?;
        } else if is_empty && self.extent != Extent::Change {
            visitor.note("the index is empty: nothing was scanned".to_owned());
        } else if is_empty {
            visitor.note("nothing is staged".to_owned());
        } else if handout.count() == 0 {
            visitor.note("what is staged adds no content: nothing was scanned".to_owned());
        }
        let extras = handout.finish();
        drop(comparer);
        Ok(Plan { repository, changes, pool, extras })
    }

    /// The trees of HEAD and of the heads being merged; none before the first commit.
    fn old_trees<V: Visitor>(&self, repository: &Repository, visitor: &V) -> Result<Vec<ObjectId>, SourceError> {
        let head = head(repository);
        head.unread.into_iter().for_each(|why| visitor.unread(why));
        let names = self.environment.keys().filter_map(|name| name.to_str());
        let merged = merge_heads(repository, names).map_err(|kind| self.fail(kind))?;
        let mut reader = repository.reader();
        let mut trees = Vec::new();
        for head in head.id.into_iter().chain(merged) {
            match read_commit(&mut reader, head) {
                Ok(head) => trees.push(head.tree),
                // Without this side too much is new, which is the safe way to be wrong.
                Err(why) => visitor.unread(why),
            }
        }
        Ok(trees)
    }

    /// Hands out the commit message.
    fn message<V: Visitor>(&self, path: &Path, handout: &mut Handout<'_, V>) -> Result<(), SourceError> {
        let spelled = path.to_string_lossy();
        let bytes = std::fs::read(path).map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => SourceErrorKind::NotFound,
                _ => SourceErrorKind::Io(error),
            };
            SourceError::new(spelled, kind)
        })?;
        let provenance = Provenance { part: Part::CommitMessage, ..Provenance::default() };
        handout.extra(without_diff(&bytes), Extra::Text { provenance, unit: 0, reference: None });
        Ok(())
    }
}

/// The part of a commit message's file that git will keep: `git commit --verbose` shows the change below a line of
/// scissors and cuts it off again, and the lines that take a secret out are no reason to refuse that commit.
///
/// Scissors that no such diff follows stay, and what is below them: unless told to, git doesn't cut there.
/// Source: git `wt-status.c`, `cut_line` and `wt_status_add_cut_line`, read 2026-11.
fn without_diff(message: &[u8]) -> &[u8] {
    const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------\n";
    let mut start = 0;
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len();
        // Before the scissors stands what begins comments: `#`, or what `core.commentString` says.
        if let Some(comment) = line.strip_suffix(SCISSORS).filter(|comment| !comment.is_empty()) {
            let below = message[end..].split(|&byte| byte == b'\n').find(|line| !line.starts_with(comment));
            if below.is_some_and(|line| line.starts_with(b"diff --")) {
                return &message[..start];
            }
        }
        start = end;
    }
    message
}

impl Source for Staged {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        let plan = self.find(visitor)?;
        // A second walk would find the same; the first one's word stands.
        let _first = self.plan.get_or_init(|| plan);
        Ok(())
    }

    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let Some(plan) = self.plan.get() else { return Ok(Vec::new()) };
        let located = |content, provenance, before| Located {
            content,
            line: None,
            place: Place { provenance, state: State::Index, first: None, last: None, reference: None },
            before,
        };
        let aliases = aliases(wanted, &plan.extras);
        let mut all = Vec::new();
        for change in &plan.changes {
            let part = if change.file.kind == FileKind::Link { Part::LinkTarget } else { Part::Content };
            for content in change.file.content().and_then(|id| aliases.get(&id)).into_iter().flatten() {
                let provenance = Provenance { path: change.path.clone(), part, ..Provenance::default() };
                all.push(located(*content, provenance, change.old_side(plan.pool.as_ref())));
            }
        }
        for (serial, extra) in (0..).zip(&plan.extras) {
            let content = ContentId::Serial(serial);
            if let (true, Extra::Text { provenance, .. }) = (wanted.contains(&content), extra) {
                all.push(located(content, provenance.clone(), Before::NotAsked));
            }
        }
        Ok(all)
    }

    fn read(&self, id: ContentId) -> Result<Vec<u8>, Unread> {
        read_content(self.plan.get().map(|plan| plan.repository.as_ref()), id)
    }

    fn store(&self) -> Option<PathBuf> {
        // What isn't open yet is opened for the walk alone.
        self.repository.as_ref()?.store()
    }

    fn root(&self) -> RootFacts {
        let repository = self.plan.get().map(|plan| plan.repository.as_ref());
        RootFacts {
            kind: "staged",
            spelled: self.path.to_string_lossy().into_owned(),
            name: repository.map(Repository::name).unwrap_or_default(),
            repository: repository.map(Repository::facts),
            machine: None,
        }
    }
}

#[cfg(test)]
mod tests;

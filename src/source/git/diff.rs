//! What a push or a pull request adds: every commit of a range against each of its parents.
//!
//! In: a repository and a [`Request`]. Out: the blobs that a commit has at a path where none of its parents has them,
//! whole; new path names; messages and identities of the commits; annotated tags that are pushed, and the names of
//! refs that a push creates. What a later commit of the range takes back is scanned all the same: it is pushed too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use gix::ObjectId;
use gix::objs::Kind;

use super::change::{Change, Comparer, Judged};
use super::handout::{Aliases, Extra, Handout, aliases, read_content};
use super::listing::{FileKind, Node};
use super::range::{Step, Steps, read_commit, read_commit_into, steps};
use super::repo::{Opening, Repository};
use super::request::{self, missing};
pub use super::request::{Range, Request};
use super::text;
use crate::blob::{ContentId, ObjectPart};
use crate::place::{Before, Commit, Located, Part, Place, Provenance, State};
use crate::policy::Policy;
use crate::source::{RepositoryFacts, RootFacts, Source, SourceError, SourceErrorKind, Unread, Visitor};

/// The changes of a range of commits.
#[derive(Debug)]
pub struct Diff {
    path: PathBuf,
    opening: Opening,
    policy: Policy,
    request: Request,
    environment: BTreeMap<OsString, OsString>,
    jobs: Option<NonZeroUsize>,
    plan: OnceLock<Plan>,
    extras: OnceLock<Vec<Extra>>,
}

/// What is known before the first blob is read.
#[derive(Debug)]
struct Plan {
    repository: Repository,
    range: Range,
    steps: Steps,
    /// What is compared with what.
    units: Vec<Unit>,
    /// The trees at the ends of the range.
    tips: Vec<ObjectId>,
}

/// A new state and what it came from.
#[derive(Debug)]
struct Unit {
    /// The new tree.
    tree: ObjectId,
    /// The parents' trees.
    old: Vec<ObjectId>,
    /// The start of the range stands in for parents. Then paths that are in `old` alone were not removed, so they
    /// excuse nothing.
    is_guess: bool,
    /// The commit, unless a tree was pushed by itself.
    commit: Option<Arc<Commit>>,
}

/// At a commit whose parents aren't here, so many excluded commits stand in for them.
const STAND_INS: usize = 16;

impl Diff {
    /// The changes that `request` asks for in the repository at `path`.
    pub fn new(path: impl Into<PathBuf>, opening: Opening, policy: Policy, request: Request) -> Self {
        let environment = match opening {
            Opening::Own => std::env::vars_os().collect(),
            Opening::Named => BTreeMap::new(),
        };
        let (plan, extras) = (OnceLock::new(), OnceLock::new());
        Self { path: path.into(), opening, policy, request, environment, jobs: None, plan, extras }
    }

    /// The same under another policy: configuration may come from a commit that only [`Diff::prepare`] finds.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
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
    fn in_environment(mut self, variables: &[(&str, &std::path::Path)]) -> Self {
        self.environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// Opens the repository and finds the range, before anything is scanned.
    ///
    /// # Errors
    /// No repository, no range, or an end of the range or their common ancestor isn't here.
    pub fn prepare(&self) -> Result<(&Repository, &Range), SourceError> {
        self.plan().map(|plan| (&plan.repository, &plan.range))
    }

    /// The plan, made when it is first asked for.
    fn plan(&self) -> Result<&Plan, SourceError> {
        if let Some(plan) = self.plan.get() {
            return Ok(plan);
        }
        let env = |name: &str| self.environment.get(std::ffi::OsStr::new(name)).cloned();
        let repository = Repository::open_in(&self.path, self.opening, &env)?;
        let fail = |kind| SourceError::new(self.path.to_string_lossy(), kind);
        let range = request::range(&repository, &self.request).map_err(fail)?;
        let steps = steps(&repository, &range.includes, &range.excludes);
        let has_ends = !range.includes.is_empty() && !range.excludes.is_empty();
        if has_ends && !steps.meets && (range.must_meet || repository.is_shallow()) {
            return Err(fail(unrelated(&range)));
        }
        let plan = Plan::new(repository, range, steps);
        Ok(self.plan.get_or_init(|| plan))
    }
}

/// The error that the ends of a range have no common ancestor here.
fn unrelated(range: &Range) -> SourceErrorKind {
    let ends = [range.excludes.first(), range.includes.first()].map(|id| id.map(ObjectId::to_string));
    let [start, head] = ends.map(Option::unwrap_or_default);
    missing(&format!("merge base of {start} and {head}"), "no common ancestor is here", range.mend)
}

impl Plan {
    /// Works out what is compared with what.
    fn new(repository: Repository, range: Range, steps: Steps) -> Self {
        let mut reader = repository.reader();
        let mut known: HashMap<ObjectId, Option<ObjectId>> =
            steps.all.iter().map(|step| (step.id, Some(step.head.tree))).collect();
        let mut tree_of = |id: &ObjectId| {
            *known.entry(*id).or_insert_with(|| read_commit(&mut reader, *id).ok().map(|head| head.tree))
        };
        let mut units = Vec::new();
        for (order, step) in (0..).zip(&steps.all) {
            let old = if step.is_cut {
                // Parents that are here count; for the others the start of the range stands in, so that what it
                // holds isn't called new. The cut itself is reported as unread.
                let is_boundary = repository.shallow().contains(&step.id);
                let parents = step.head.parents.iter().filter(|_| !is_boundary);
                parents.chain(range.excludes.iter().take(STAND_INS)).filter_map(&mut tree_of).collect()
            } else {
                step.head.parents.iter().filter_map(&mut tree_of).collect()
            };
            let commit = Some(Arc::new(commit(step, order)));
            units.push(Unit { tree: step.head.tree, old, is_guess: step.is_cut, commit });
        }
        let mut tips: Vec<ObjectId> = range.includes.iter().filter_map(&mut tree_of).collect();
        for (_, id, _) in range.others.iter().filter(|(kind, ..)| *kind == Kind::Tree) {
            let old = range.excludes.iter().take(STAND_INS).filter_map(&mut tree_of).collect();
            units.push(Unit { tree: *id, old, is_guess: true, commit: None });
            tips.push(*id);
        }
        drop(reader);
        Self { repository, range, steps, units, tips }
    }

    /// Hands out everything.
    fn walk<V: Visitor>(&self, policy: &Policy, visitor: &V, jobs: Option<NonZeroUsize>) -> Vec<Extra> {
        let mut handout = Handout::new(&self.repository, visitor, jobs);
        self.range.notes.iter().for_each(|note| visitor.note(note.clone()));
        self.steps.unread.iter().for_each(|why| handout.unread(why.clone()));
        let mut reader = self.repository.reader();
        let mut buf = Vec::new();
        for (id, _) in &self.range.tags {
            match reader.object(id, &mut buf) {
                Ok(_) => handout.object(ContentId::Object(ObjectPart::Tag, *id), text::tag(&buf).1),
                Err(why) => handout.unread(why),
            }
        }
        for name in &self.range.names {
            let provenance = Provenance { part: Part::RefName, ..Provenance::default() };
            handout.extra(name, Extra::Text { provenance, unit: self.units.len(), reference: Some(name.clone()) });
        }
        for (_, id, name) in self.range.others.iter().filter(|(kind, ..)| *kind == Kind::Blob) {
            handout.blob(*id, name);
        }
        for step in &self.steps.all {
            match read_commit_into(&mut reader, step.id, &mut buf) {
                Ok(head) => handout.object(ContentId::Object(ObjectPart::Commit, step.id), &buf[head.text..]),
                Err(why) => handout.unread(why),
            }
        }
        let mut comparer = Comparer::new(&self.repository);
        for (at, unit) in self.units.iter().enumerate() {
            if handout.is_stopped() {
                handout.stopped(self.units.len() - at, "commits");
                break;
            }
            for (change, judged) in self.changes(unit, &mut comparer, &mut |why| handout.unread(why), policy) {
                handout.change(at, change, judged);
            }
        }
        if self.units.is_empty() && handout.count() == 0 {
            visitor.note(format!("{}: the range holds no commit: nothing was scanned", self.range.told_by));
        }
        handout.finish()
    }

    /// The changes of one unit, each with what policy says of it.
    fn changes(
        &self,
        unit: &Unit,
        comparer: &mut Comparer<'_>,
        unread: &mut dyn FnMut(Unread),
        policy: &Policy,
    ) -> Vec<(Change, Judged)> {
        let top = Node::Tree(unit.tree);
        let mut changes = Vec::new();
        comparer.changes(top.clone(), &unit.old, &mut |change| changes.push(change), unread);
        let judged = changes.into_iter().map(|change| {
            let judged = comparer.judge(policy, &top, &change.path);
            (change, judged)
        });
        judged.collect()
    }

    /// Where the wanted blobs of one unit are.
    fn locate(
        &self,
        at: usize,
        aliases: &Aliases,
        policy: &Policy,
        comparer: &mut Comparer<'_>,
        all: &mut Vec<Located>,
    ) {
        let unit = &self.units[at];
        let top = Node::Tree(unit.tree);
        let mut changes = Vec::new();
        // What can't be read was reported by the walk.
        let mut reported = |_| {};
        let mut keep = |change: Change| {
            let contents = change.file.content().and_then(|id| aliases.get(&id));
            changes.extend(contents.map(|contents| (contents, change)));
        };
        comparer.changes(top.clone(), &unit.old, &mut keep, &mut reported);
        let needs_pool = !unit.is_guess && changes.iter().any(|(_, change)| change.is_added());
        let pool = if needs_pool { comparer.pool(at, &top, &unit.old, &mut reported) } else { None };
        for (contents, change) in changes {
            if comparer.judge(policy, &top, &change.path) != Judged::Allowed {
                continue;
            }
            let part = if change.file.kind == FileKind::Link { Part::LinkTarget } else { Part::Content };
            let before = change.old_side(pool.as_ref());
            let stays = |id| self.at_a_tip(comparer, &change.path, |there| there == id);
            let state = if change.file.content().is_some_and(stays) { State::Tip } else { State::HistoryOnly };
            let provenance = Provenance { path: change.path.clone(), part, ..Provenance::default() };
            let place = self.place(at, provenance, state, None);
            all.extend(contents.iter().map(|content| located(*content, place.clone(), before.clone())));
        }
    }

    /// Whether the file at `path` of any end of the range is as `wanted`.
    fn at_a_tip(&self, comparer: &mut Comparer<'_>, path: &[u8], wanted: impl Fn(ObjectId) -> bool) -> bool {
        self.tips.iter().any(|&tip| {
            let found = comparer.find(&Node::Tree(tip), path).ok().flatten();
            found.and_then(|file| file.content()).is_some_and(&wanted)
        })
    }

    /// A place in the unit number `at`.
    fn place(&self, at: usize, provenance: Provenance, state: State, reference: Option<Vec<u8>>) -> Place {
        let commit = self.units.get(at).and_then(|unit| unit.commit.clone());
        Place { provenance, state, first: commit.clone(), last: commit, reference }
    }
}

/// A location without a line.
fn located(content: ContentId, place: Place, before: Before) -> Located {
    Located { content, line: None, place, before }
}

/// A commit as reports name it.
fn commit(step: &Step, order: u32) -> Commit {
    let Step { id, head, .. } = step;
    Commit { id: id.to_string(), author_time: head.author_time, committer_time: head.committer_time, order }
}

impl Source for Diff {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        let extras = self.plan()?.walk(&self.policy, visitor, self.jobs);
        // A second walk would find the same; the first one's word stands.
        let _first = self.extras.get_or_init(|| extras);
        Ok(())
    }

    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let plan = self.plan()?;
        let mut all = Vec::new();
        let mut comparer = Comparer::new(&plan.repository);
        for (at, step) in plan.steps.all.iter().enumerate() {
            let content = ContentId::Object(ObjectPart::Commit, step.id);
            if wanted.contains(&content) {
                let provenance = Provenance { part: Part::CommitMessage, ..Provenance::default() };
                let is_tip = plan.range.includes.contains(&step.id);
                let state = if is_tip { State::Tip } else { State::HistoryOnly };
                all.push(located(content, plan.place(at, provenance, state, None), Before::NotAsked));
            }
        }
        for (id, name) in &plan.range.tags {
            let content = ContentId::Object(ObjectPart::Tag, *id);
            if wanted.contains(&content) {
                let provenance = Provenance { part: Part::Tag, ..Provenance::default() };
                let place = plan.place(plan.units.len(), provenance, State::Tip, Some(name.clone()));
                all.push(located(content, place, Before::NotAsked));
            }
        }
        let extras = self.extras.get().map(Vec::as_slice).unwrap_or_default();
        let aliases = aliases(wanted, extras);
        if !aliases.is_empty() {
            (0..plan.units.len()).for_each(|at| plan.locate(at, &aliases, &self.policy, &mut comparer, &mut all));
        }
        for (kind, id, name) in &plan.range.others {
            let contents = aliases.get(id).filter(|_| *kind == Kind::Blob);
            for content in contents.into_iter().flatten() {
                let place = plan.place(plan.units.len(), Provenance::default(), State::Tip, Some(name.clone()));
                all.push(located(*content, place, Before::NotAsked));
            }
        }
        for (serial, extra) in (0..).zip(extras) {
            let content = ContentId::Serial(serial);
            let Extra::Text { provenance, unit, reference } = extra else { continue };
            if wanted.contains(&content) {
                let stays = reference.is_some() || plan.at_a_tip(&mut comparer, &provenance.path, |_| true);
                let state = if stays { State::Tip } else { State::HistoryOnly };
                let place = plan.place(*unit, provenance.clone(), state, reference.clone());
                all.push(located(content, place, Before::NotAsked));
            }
        }
        Ok(all)
    }

    fn read(&self, id: ContentId) -> Result<Vec<u8>, Unread> {
        read_content(self.plan.get().map(|plan| &plan.repository), id)
    }

    fn store(&self) -> Option<PathBuf> {
        self.plan().ok()?.repository.store()
    }

    fn root(&self) -> RootFacts {
        let plan = self.plan.get();
        let repository = plan.map(|plan| RepositoryFacts {
            range: plan.range.includes.first().map(|head| (plan.range.base.map(|id| id.to_string()), head.to_string())),
            refs: plan.range.includes.len() as u64,
            commits: plan.steps.all.len() as u64,
            ..plan.repository.facts()
        });
        RootFacts {
            kind: "diff",
            spelled: self.path.to_string_lossy().into_owned(),
            name: plan.map(|plan| plan.repository.name()).unwrap_or_default(),
            repository,
            machine: None,
        }
    }
}

#[cfg(test)]
mod tests;

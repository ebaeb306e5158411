//! From what was asked for to the commits that bound the range.
//!
//! In: a [`Request`] as the command line, a hook or a pipeline states it. Out: a [`Range`] of which both ends are
//! proven to be here. What is missing is an error that says how to get it, never an empty range.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::objs::Kind;

use super::ci::{self, Ends, MAINS, PLAIN, Start, Trust, Variables};
use super::range::read_commit;
use super::repo::Repository;
use super::revision::Revisions;
use super::stdin_refs::{self, RefUpdate};
use crate::source::SourceErrorKind;

/// What the user, a hook or a pipeline asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `A..B`: what B adds to A. `A...B`: the same, and the two must have a common ancestor. `A`: what HEAD adds to A.
    /// A side left out is HEAD.
    Range(String),
    /// What HEAD adds to this revision, with which it must have a common ancestor.
    MergeBase(String),
    /// The lines git writes to `pre-push`.
    PrePush {
        /// Standard input.
        lines: Vec<u8>,
        /// The remote pushed to, the hook's first argument. What other remotes hold is new to this one. Without
        /// it, what any remote holds counts as known.
        remote: Option<String>,
    },
    /// The lines git writes to `pre-receive`.
    PreReceive(Vec<u8>),
    /// What a pipeline's environment variables say.
    Environment(Variables),
}

/// A range whose ends are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Commits whose history is scanned.
    pub includes: Vec<ObjectId>,
    /// Commits whose history isn't new.
    pub excludes: Vec<ObjectId>,
    /// Whose word counts, unless the user says otherwise.
    pub trust: Trust,
    /// The commit the change is measured against, whose configuration counts under [`Trust::Base`]. `None` when the
    /// change starts from nothing: then nobody's does.
    pub base: Option<ObjectId>,
    /// Who told the range, for reports.
    pub told_by: String,
    /// Annotated tags that lead to what is included.
    pub(super) tags: Vec<(ObjectId, Vec<u8>)>,
    /// Trees and blobs that are included themselves.
    pub(super) others: Vec<(Kind, ObjectId, Vec<u8>)>,
    /// Names of refs that come into being.
    pub(super) names: Vec<Vec<u8>>,
    /// Sentences for the user.
    pub(super) notes: Vec<String>,
    /// The ends must have a common ancestor.
    pub(super) must_meet: bool,
    /// How to get what is missing.
    pub(super) mend: &'static str,
}

impl Range {
    /// The commit whose configuration, baseline and inline markers count; `asked` is what the user says of it.
    pub fn trusted(&self, asked: Option<Trust>) -> Option<ObjectId> {
        match asked.unwrap_or(self.trust) {
            Trust::Base => self.base,
            Trust::Head => self.includes.first().copied(),
        }
    }
}

/// Finds the range that `request` asks for.
///
/// # Errors
/// Nothing tells a range, a line isn't understood, or an end isn't here.
pub(super) fn range(repository: &Repository, request: &Request) -> Result<Range, SourceErrorKind> {
    let mut finder = Finder { revisions: Revisions::new(repository), repository };
    match request {
        Request::Range(text) => finder.ends(&explicit(text)),
        Request::MergeBase(start) => {
            let told_by = format!("--merge-base {start}");
            finder.ends(&Ends { must_meet: true, ..from_start(start, "HEAD", told_by) })
        }
        Request::Environment(variables) => {
            let ends = ci::ends(variables, |path| std::fs::read(path)).map_err(SourceErrorKind::NoRange)?;
            finder.ends(&ends)
        }
        Request::PrePush { lines, remote } => {
            let updates = stdin_refs::pre_push(lines).map_err(|bad| SourceErrorKind::NoRange(bad.to_string()))?;
            finder.push(&updates, remote.as_deref())
        }
        Request::PreReceive(lines) => {
            let updates = stdin_refs::pre_receive(lines).map_err(|bad| SourceErrorKind::NoRange(bad.to_string()))?;
            finder.receive(&updates)
        }
    }
}

/// The ends of a range written as text.
fn explicit(text: &str) -> Ends {
    let told_by = format!("range {text}");
    if let Some((start, head)) = text.split_once("...") {
        Ends { must_meet: true, ..from_start(start, head, told_by) }
    } else if let Some((start, head)) = text.split_once("..") {
        from_start(start, head, told_by)
    } else {
        from_start(text, "HEAD", told_by)
    }
}

/// Ends from two revisions; an empty one is HEAD.
fn from_start(start: &str, head: &str, told_by: String) -> Ends {
    let or_head = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
    let (heads, starts) = (vec![or_head(head)], vec![Start::At(or_head(start))]);
    Ends { heads, starts, trust: Trust::Base, told_by, must_meet: false, mend: PLAIN }
}

/// The ref that names a remote's main branch in clones.
const ORIGIN_HEAD: &str = "refs/remotes/origin/HEAD";

/// Finds ranges in one repository.
struct Finder<'r> {
    revisions: Revisions<'r>,
    repository: &'r Repository,
}

impl Finder<'_> {
    /// The range between ends that were told.
    fn ends(&mut self, ends: &Ends) -> Result<Range, SourceErrorKind> {
        let mut range = Range::empty(ends.trust, &ends.told_by, ends.mend);
        range.must_meet = ends.must_meet;
        for start in &ends.starts {
            self.start(start, &mut range)?;
        }
        for head in &ends.heads {
            let id = self.revisions.resolve(head).map_err(|why| missing(head, &why, ends.mend))?;
            self.include(id, head.as_bytes(), &mut range)?;
        }
        range.base = range.excludes.first().copied();
        Ok(range)
    }

    /// Adds what `start` names to what isn't new.
    fn start(&mut self, start: &Start, range: &mut Range) -> Result<(), SourceErrorKind> {
        match start {
            Start::At(text) => range.excludes.push(self.needed(text, range.mend)?),
            Start::Perhaps(text) => range.excludes.extend(self.wished(text)),
            Start::AnyOf(texts) => {
                let Some(first) = texts.first() else { return Ok(()) };
                match texts.iter().find_map(|text| self.wished(text)) {
                    Some(id) => range.excludes.push(id),
                    None => range.excludes.push(self.needed(first, range.mend)?),
                }
            }
            Start::Main { beside } => {
                // `origin/HEAD` tells, unless the branch that is built is the main one.
                let head = self.revisions.refs().all.iter().find(|reference| reference.name == ORIGIN_HEAD.as_bytes());
                let target = head.and_then(|head| head.symbolic.as_deref());
                let head = target.filter(|target| *target != beside.as_bytes()).map(|_| ORIGIN_HEAD);
                let mains = head.into_iter().chain(MAINS).map(str::to_owned).collect();
                self.start(&Start::AnyOf(mains), range)?;
            }
            Start::Before { id, forced, main } => match (self.wished(id), main) {
                (Some(before), _) => range.excludes.push(before),
                (None, _) if !forced && self.repository.is_shallow() => {
                    range.excludes.push(self.needed(id, range.mend)?);
                }
                (None, Some(main)) => {
                    range.excludes.push(self.needed(main, range.mend)?);
                    range.notes.push(format!(
                        "{id}, which the branch held before the push, is gone: the change is measured against {main}"
                    ));
                }
                (None, None) => range.notes.push(format!(
                    "{id}, which the branch held before the push, is gone: the whole branch is scanned as new"
                )),
            },
            Start::Target { merge, head, target } => match (self.merged_into(merge, head), target) {
                (Some(others), _) => range.excludes.extend(others),
                (None, Some(target)) => range.excludes.push(self.needed(target, range.mend)?),
                (None, None) => {}
            },
        }
        Ok(())
    }

    /// A commit that must be here.
    fn needed(&mut self, text: &str, mend: &str) -> Result<ObjectId, SourceErrorKind> {
        let id = self.revisions.resolve(text).and_then(|id| self.revisions.commit(id));
        let id = id.map_err(|why| missing(text, &why, mend))?;
        // Proves that its bytes are whole, not only that something is there.
        read_commit(self.revisions.reader(), id).map_err(|why| missing(text, &why.detail, mend))?;
        Ok(id)
    }

    /// A commit that need not be here.
    fn wished(&mut self, text: &str) -> Option<ObjectId> {
        self.needed(text, PLAIN).ok()
    }

    /// The parents of `merge` but `head`, if it is here and merges `head`.
    fn merged_into(&mut self, merge: &str, head: &str) -> Option<Vec<ObjectId>> {
        let (merge, head) = (self.wished(merge)?, ObjectId::from_hex(head.as_bytes()).ok()?);
        let parents = read_commit(self.revisions.reader(), merge).ok()?.parents;
        let (head, others): (Vec<_>, Vec<_>) = parents.into_iter().partition(|parent| *parent == head);
        // In a shallow clone the parents are named, but need not be here.
        let here = others.iter().all(|id| self.wished(&id.to_string()).is_some());
        (!head.is_empty() && !others.is_empty() && here).then_some(others)
    }

    /// Adds `id`, which `name` led to, to what is scanned.
    fn include(&mut self, id: ObjectId, name: &[u8], range: &mut Range) -> Result<(), SourceErrorKind> {
        let spelled = String::from_utf8_lossy(name);
        let peeled = self.revisions.peel(id);
        let peeled = peeled
            .map_err(|why| missing(&spelled, &format!("{}: {}", why.what.escape_ascii(), why.detail), range.mend))?;
        range.tags.extend(peeled.tags.into_iter().map(|tag| (tag, name.to_vec())));
        match peeled.kind {
            Kind::Commit => range.includes.push(peeled.id),
            kind => range.others.push((kind, peeled.id, name.to_vec())),
        }
        Ok(())
    }

    /// The range of a push, seen from the pushing side.
    fn push(&mut self, updates: &[RefUpdate], remote: Option<&str>) -> Result<Range, SourceErrorKind> {
        let mut range = Range::empty(Trust::Head, "pre-push", PLAIN);
        let known = remote.map_or_else(|| "refs/remotes/".to_owned(), |remote| format!("refs/remotes/{remote}/"));
        self.updates(updates, &mut range)?;
        range.base = range.excludes.first().copied();
        if range.base.is_none() {
            range.base = self.wished(&format!("refs/remotes/{}/HEAD", remote.unwrap_or("origin")));
        }
        self.exclude_refs(&mut range, |name| name.starts_with(known.as_bytes()));
        Ok(range)
    }

    /// The range of a push, seen from the receiving side. The refs being pushed don't excuse each other, whether
    /// or not they hold their new values already.
    fn receive(&mut self, updates: &[RefUpdate]) -> Result<Range, SourceErrorKind> {
        let mut range = Range::empty(Trust::Base, "pre-receive", PLAIN);
        self.updates(updates, &mut range)?;
        let old = range.excludes.clone();
        let pushed: BTreeSet<&[u8]> = updates.iter().map(|update| update.name.as_slice()).collect();
        self.exclude_refs(&mut range, |name| name.starts_with(b"refs/") && !pushed.contains(name));
        range.base = match (updates, &old[..]) {
            ([_], [old]) => Some(*old),
            _ => self.wished("HEAD").filter(|head| range.excludes.contains(head)),
        };
        Ok(range)
    }

    /// Takes what the refs will hold as new and what they held as known.
    fn updates(&mut self, updates: &[RefUpdate], range: &mut Range) -> Result<(), SourceErrorKind> {
        for update in updates {
            let Some(new) = update.new else { continue };
            let name = String::from_utf8_lossy(&update.name).into_owned();
            if new.kind() != self.repository.object_hash() {
                let text = format!("standard input: {name}: the id is not one of this repository's kind");
                return Err(SourceErrorKind::NoRange(text));
            }
            self.include(new, &update.name, range)?;
            match update.old {
                None => range.names.push(update.name.clone()),
                Some(old) => match self.wished(&old.to_string()) {
                    Some(old) => range.excludes.push(old),
                    None => range.notes.push(format!(
                        "{name}: {old}, which the other side holds, is not here (`git fetch` brings it): all that is \
                         not on a ref known here is scanned"
                    )),
                },
            }
        }
        Ok(())
    }

    /// Adds the commits that refs lead to, to what isn't new. Refs that lead elsewhere excuse nothing.
    fn exclude_refs(&mut self, range: &mut Range, is_known: impl Fn(&[u8]) -> bool) {
        let refs = self.revisions.refs().all.iter().filter(|reference| is_known(&reference.name));
        let ids: BTreeSet<ObjectId> = refs.map(|reference| reference.id).collect();
        let mut known: BTreeSet<ObjectId> = range.excludes.iter().copied().collect();
        for id in ids {
            let commit = self.revisions.commit(id);
            range.excludes.extend(commit.ok().filter(|commit| known.insert(*commit)));
        }
    }
}

impl Range {
    /// A range without ends.
    fn empty(trust: Trust, told_by: &str, mend: &'static str) -> Self {
        Self {
            includes: Vec::new(),
            excludes: Vec::new(),
            trust,
            base: None,
            told_by: told_by.to_owned(),
            tags: Vec::new(),
            others: Vec::new(),
            names: Vec::new(),
            notes: Vec::new(),
            must_meet: false,
            mend,
        }
    }
}

/// The error that `text` names nothing here.
pub(super) fn missing(text: &str, why: &str, mend: &str) -> SourceErrorKind {
    SourceErrorKind::Revision(text.to_owned(), format!("{why} ({mend})"))
}

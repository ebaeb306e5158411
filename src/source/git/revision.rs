//! What a revision the user or a pipeline wrote means: ids, refs by git's short forms, and steps to parents.
//!
//! In: text and the repository's refs. Out: an object that is here. Only forms that name one object without the
//! user's configuration or a search are understood: ids in full or shortened, `HEAD` and `@`, refs, and behind
//! any of them `~N`, `^N`, `^{}`, `^{commit}`.
//! Source: gitrevisions(7), git 2.51, read 2026-11.

use gix::ObjectId;
use gix::hash::Prefix;
use gix::objs::Kind;

use super::range::read_commit;
use super::repo::{Reader, References, Repository};
use super::text;
use crate::source::Unread;

/// Looks up revisions of one repository.
pub(super) struct Revisions<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    refs: References,
}

/// What a tag, or a chain of them, leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peeled {
    /// The object that is no tag.
    pub(super) id: ObjectId,
    /// What it is.
    pub(super) kind: Kind,
    /// The annotated tags on the way, outermost first.
    pub(super) tags: Vec<ObjectId>,
}

/// Tags that name tags are followed this far.
const TAGS: usize = 32;

impl<'r> Revisions<'r> {
    /// All refs of `repository` are read once, here.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { repository, reader: repository.reader(), refs: repository.refs() }
    }

    /// The refs.
    pub(super) fn refs(&self) -> &References {
        &self.refs
    }

    /// The reader used for looking up.
    pub(super) fn reader(&mut self) -> &mut Reader<'r> {
        &mut self.reader
    }

    /// The object that `text` names, tags not followed.
    ///
    /// # Errors
    /// A sentence that says why it names none.
    pub(super) fn resolve(&mut self, text: &str) -> Result<ObjectId, String> {
        let end = text.find(['~', '^']).unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        let mut id = self.name(name)?;
        while let Some(operator) = rest.chars().next() {
            rest = &rest[1..];
            if operator == '^' && rest.starts_with('{') {
                let close = rest.find('}').ok_or("`^{` is not closed")?;
                id = match &rest[1..close] {
                    "" => self.peel(id).map_err(|why| why.detail)?.id,
                    "commit" => self.commit(id)?,
                    other => return Err(format!("`^{{{other}}}` is not supported here")),
                };
                rest = &rest[close + 1..];
                continue;
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let count = if digits == 0 { 1 } else { rest[..digits].parse().map_err(|_| "the number is too large")? };
            rest = &rest[digits..];
            id = match operator {
                '~' => self.ancestor(id, count)?,
                '^' => self.parent(id, count)?,
                _ => return Err(format!("`{operator}` is not supported here")),
            };
        }
        Ok(id)
    }

    /// The object that a name without operators leads to.
    fn name(&mut self, name: &str) -> Result<ObjectId, String> {
        let name = if name == "@" || name.is_empty() { "HEAD" } else { name };
        if name.contains(['{', ':']) {
            return Err("this form is not supported here: write a full object id or the name of a ref".to_owned());
        }
        if let Ok(id) = ObjectId::from_hex(name.as_bytes()) {
            if id.kind() != self.repository.object_hash() {
                return Err(format!("this repository's ids are {}", self.repository.object_hash()));
            }
            return if self.reader.has(&id) { Ok(id) } else { Err("there is no such object".to_owned()) };
        }
        for (before, after) in FORMS {
            if let Some(id) = self.refs.find(format!("{before}{name}{after}").as_bytes()) {
                return if self.reader.has(&id) { Ok(id) } else { Err(format!("the object {id} it names is missing")) };
            }
        }
        self.abbreviated(name)
    }

    /// The only object whose id starts with `hex`.
    fn abbreviated(&self, hex: &str) -> Result<ObjectId, String> {
        let prefix = Prefix::from_hex(hex).map_err(|_| "there is no such ref or object".to_owned())?;
        match self.reader.starting_with(prefix)[..] {
            [] => Err("there is no such ref or object".to_owned()),
            [id] => Ok(id),
            _ => Err("several objects start like this".to_owned()),
        }
    }

    /// Follows tags.
    ///
    /// # Errors
    /// An object on the way can't be read.
    pub(super) fn peel(&mut self, id: ObjectId) -> Result<Peeled, Unread> {
        let mut peeled = Peeled { id, kind: Kind::Tag, tags: Vec::new() };
        let mut buf = Vec::new();
        loop {
            peeled.kind = self.reader.object(&peeled.id, &mut buf)?;
            if peeled.kind != Kind::Tag {
                return Ok(peeled);
            }
            let (target, _) = text::tag(&buf);
            match target.filter(|target| target.kind() == id.kind() && peeled.tags.len() < TAGS) {
                Some(target) => peeled.tags.push(std::mem::replace(&mut peeled.id, target)),
                None => {
                    let detail = "this tag is malformed";
                    let what = peeled.id.to_string();
                    return Err(Unread::new(crate::source::UnreadKind::Corrupt, what, detail).object(peeled.id));
                }
            }
        }
    }

    /// The commit that `id` is or, through tags, leads to.
    ///
    /// # Errors
    /// A sentence: it is none, or can't be read.
    pub(super) fn commit(&mut self, id: ObjectId) -> Result<ObjectId, String> {
        let peeled = self.peel(id).map_err(|why| why.detail)?;
        match peeled.kind {
            Kind::Commit => Ok(peeled.id),
            other => Err(format!("it names a {other}, not a commit")),
        }
    }

    /// The `count`-th parent, 1-based; 0 is the commit itself.
    fn parent(&mut self, id: ObjectId, count: usize) -> Result<ObjectId, String> {
        let commit = self.commit(id)?;
        if count == 0 {
            return Ok(commit);
        }
        let head = read_commit(&mut self.reader, commit).map_err(|why| why.detail)?;
        let parent = head.parents.get(count - 1).copied();
        let parent = parent.ok_or_else(|| format!("the commit {commit} has {} parents", head.parents.len()))?;
        if self.reader.has(&parent) { Ok(parent) } else { Err(format!("the parent {parent} of {commit} is not here")) }
    }

    /// The `count`-th first parent in a row.
    fn ancestor(&mut self, id: ObjectId, count: usize) -> Result<ObjectId, String> {
        let mut id = self.commit(id)?;
        for _ in 0..count {
            id = self.parent(id, 1)?;
        }
        Ok(id)
    }
}

/// What git puts around a short name, in the order it tries.
const FORMS: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

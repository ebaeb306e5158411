//! Taking commits, tags and trees apart, by hand: what is damaged or odd is still text that may hold a secret.
//!
//! Source: `gitformat-pack(5)` and `fsck.c`, git 2.51, read 2026-11. Nothing here fails; what isn't there is `None`.

use gix::ObjectId;
use gix::hash::{Kind as HashKind, oid};

use super::refs::hex;

/// A commit taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CommitParts<'a> {
    /// The tree it records; `None` in a damaged commit.
    pub(super) tree: Option<ObjectId>,
    /// Its parents, first parent first.
    pub(super) parents: Vec<ObjectId>,
    /// Everything after the `parent` lines.
    pub(super) text: &'a [u8],
    /// Author date: seconds since 1970, UTC; 0 where damaged.
    pub(super) author_time: i64,
    /// Committer date: seconds since 1970, UTC; 0 where damaged.
    pub(super) committer_time: i64,
}

/// Takes a commit apart.
pub(super) fn commit(data: &[u8]) -> CommitParts<'_> {
    let mut parts = CommitParts { text: data, ..CommitParts::default() };
    if let Some((id, rest)) = id_line(data, b"tree ") {
        parts.tree = Some(id);
        parts.text = rest;
    }
    while let Some((id, rest)) = id_line(parts.text, b"parent ") {
        parts.parents.push(id);
        parts.text = rest;
    }
    for line in parts.text.split(|b| *b == b'\n').take_while(|line| !line.is_empty()) {
        if let Some(identity) = line.strip_prefix(b"author ") {
            parts.author_time = time(identity);
        } else if let Some(identity) = line.strip_prefix(b"committer ") {
            parts.committer_time = time(identity);
        }
    }
    parts
}

/// The object an annotated tag names (`None` in a damaged tag) and its text from the `tag` line on.
pub(super) fn tag(data: &[u8]) -> (Option<ObjectId>, &[u8]) {
    let Some((target, rest)) = id_line(data, b"object ") else { return (None, data) };
    let text = match rest.strip_prefix(b"type ").and_then(|rest| memchr::memchr(b'\n', rest).map(|at| &rest[at + 1..]))
    {
        Some(text) => text,
        None => rest,
    };
    (Some(target), text)
}

/// The id on a first line that starts with `word`, and what follows the line.
fn id_line<'a>(data: &'a [u8], word: &[u8]) -> Option<(ObjectId, &'a [u8])> {
    let rest = data.strip_prefix(word)?;
    let end = memchr::memchr(b'\n', rest)?;
    Some((hex(&rest[..end])?, &rest[end + 1..]))
}

/// The seconds in `NAME <EMAIL> SECONDS ZONE`.
fn time(identity: &[u8]) -> i64 {
    let tail = memchr::memrchr(b'>', identity).map_or(identity, |at| &identity[at + 1..]);
    let seconds = tail.split(|b| *b == b' ').find(|word| !word.is_empty());
    seconds.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).unwrap_or(0)
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EntryKind {
    /// A directory.
    Tree,
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

impl EntryKind {
    /// By mode, as in trees and indexes. Unknown modes are files to git too.
    pub(super) fn of(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Tree,
            0o120_000 => Self::Link,
            0o160_000 => Self::Submodule,
            _ => Self::File,
        }
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// What it is.
    pub(super) kind: EntryKind,
    /// Its name: raw bytes, one component.
    pub(super) name: &'a [u8],
    /// The object.
    pub(super) id: &'a oid,
}

/// The entries of a tree, in its order.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    hash: HashKind,
}

/// Reads a tree: mode, space, name, NUL, id, and so on.
pub(super) fn tree(data: &[u8], hash: HashKind) -> Entries<'_> {
    Entries { rest: data, hash }
}

impl<'a> Iterator for Entries<'a> {
    /// An error stands for all that follows it.
    type Item = Result<Entry<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.entry();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(Damaged))
    }
}

impl<'a> Entries<'a> {
    /// The bytes after the last entry read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next entry; `None` where the bytes are none.
    fn entry(&mut self) -> Option<Entry<'a>> {
        let space = memchr::memchr(b' ', self.rest)?;
        let mode = u32::from_str_radix(std::str::from_utf8(&self.rest[..space]).ok()?, 8).ok()?;
        let rest = &self.rest[space + 1..];
        let end = memchr::memchr(0, rest)?;
        let (id, after) = rest[end + 1..].split_at_checked(self.hash.len_in_bytes())?;
        self.rest = after;
        Some(Entry { kind: EntryKind::of(mode), name: &rest[..end], id: oid::try_from_bytes(id).ok()? })
    }
}

/// A tree that ends in the middle of an entry, or whose modes are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// The names of a tree as one text, see [`crate::blob::ObjectPart::Names`].
pub(super) fn names(data: &[u8], hash: HashKind) -> Vec<u8> {
    let mut text = Vec::with_capacity(data.len() / 2);
    for entry in tree(data, hash).flatten() {
        push_name(&mut text, entry.name);
        text.push(b'\n');
    }
    text
}

/// Adds a name to a text that has one on each line.
pub(super) fn push_name(text: &mut Vec<u8>, name: &[u8]) {
    text.extend(name.iter().map(|b| if *b == b'\n' { b'/' } else { *b }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn commits_come_apart_whatever_their_shape() {
        let whole =
            format!("tree {ID}\nparent {ID}\nparent {ID}\nauthor A > <a@b> 12 +0100\ncommitter C <> -7 +0000\n\nhi\n");
        let parts = commit(whole.as_bytes());
        assert_eq!((parts.tree, parts.parents.len()), (hex(ID.as_bytes()), 2));
        assert_eq!((parts.author_time, parts.committer_time), (12, -7));
        assert!(parts.text.starts_with(b"author A") && parts.text.ends_with(b"hi\n"));
        for odd in ["", "tree", "tree xyz\nauthor", "parent \n", "author nobody", "author x 99999999999999999999 +0"] {
            let parts = commit(odd.as_bytes());
            assert_eq!((parts.tree, parts.author_time, parts.text), (None, 0, odd.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn tags_come_apart_whatever_their_shape() {
        let whole = format!("object {ID}\ntype commit\ntag v1\ntagger T <t> 1 +0000\n\nhi\n");
        let (target, text) = tag(whole.as_bytes());
        assert_eq!(target, hex(ID.as_bytes()));
        assert!(text.starts_with(b"tag v1\n"));
        assert_eq!(tag(b"nothing"), (None, &b"nothing"[..]));
    }

    #[test]
    fn trees_are_read_up_to_their_damage() {
        let mut data = b"40000 dir\0".to_vec();
        data.extend([1; 20]);
        data.extend(b"120000 a\nb\0");
        data.extend([2; 20]);
        data.extend(b"160000 sub\0");
        data.extend([3; 20]);
        data.extend(b"100664 old\0");
        data.extend([4; 20]);
        let kinds: Vec<_> = tree(&data, HashKind::Sha1).flatten().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [EntryKind::Tree, EntryKind::Link, EntryKind::Submodule, EntryKind::File]);
        assert_eq!(names(&data, HashKind::Sha1), b"dir\na/b\nsub\nold\n");
        for cut in 1..data.len() {
            let read: Vec<_> = tree(&data[..cut], HashKind::Sha1).collect();
            let damaged = read.iter().filter(|entry| entry.is_err()).count();
            let at_a_seam = [30, 61, 92].contains(&cut);
            assert_eq!(damaged, usize::from(!at_a_seam), "cut at {cut}");
        }
    }
}

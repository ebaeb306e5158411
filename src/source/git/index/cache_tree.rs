//! What an index knows of the trees its folders will be committed as.
//!
//! In: the body of the `TREE` extension. Out: a [`CacheTree`]. Git writes an id only for folders none of whose entries
//! changed since, and `git commit` records that very id without looking at the entries below.
//! Source: git's `Documentation/gitformat-index.adoc`, section "Cache tree", and `update_one` in `cache-tree.c`, git
//! 2.47, read 2026-11.

use gix::ObjectId;
use gix::hash::Kind;

/// The folders of an index, as far as it tells their trees; none if it doesn't.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CacheTree {
    /// The top first, each folder before those in it.
    folders: Vec<Folder>,
}

/// One folder.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    /// Its name, one component; empty for the top.
    name: Vec<u8>,
    /// How many entries of the index lie below it and the tree they make; `None` where something changed.
    tree: Option<(usize, ObjectId)>,
    /// Indices of the folders in it, sorted by name.
    inner: Vec<usize>,
}

impl CacheTree {
    /// Takes the extension apart. `None` when it is malformed; then, to git too, nothing is known of any tree.
    pub(super) fn parse(mut rest: &[u8], hash: Kind) -> Option<Self> {
        let mut folders: Vec<Folder> = Vec::new();
        // Folders that still miss some of theirs: their index, and how many.
        let mut open: Vec<(usize, usize)> = Vec::new();
        loop {
            let (folder, inner) = Folder::parse(&mut rest, hash)?;
            let at = folders.len();
            if let Some((parent, left)) = open.last_mut() {
                *left -= 1;
                folders[*parent].inner.push(at);
            }
            folders.push(folder);
            open.push((at, inner));
            while open.pop_if(|(_, left)| *left == 0).is_some() {}
            if open.is_empty() {
                break;
            }
        }
        for at in 0..folders.len() {
            let mut inner = std::mem::take(&mut folders[at].inner);
            inner.sort_by(|a, b| folders[*a].name.cmp(&folders[*b].name));
            if inner.windows(2).any(|pair| folders[pair[0]].name == folders[pair[1]].name) {
                return None;
            }
            folders[at].inner = inner;
        }
        rest.is_empty().then_some(Self { folders })
    }

    /// The top folder, if anything is known.
    pub(super) fn top(&self) -> Option<usize> {
        (!self.folders.is_empty()).then_some(0)
    }

    /// How many entries lie below `folder` and the tree they make, where that is known.
    pub(super) fn tree(&self, folder: usize) -> Option<(usize, ObjectId)> {
        self.folders.get(folder)?.tree
    }

    /// The folder `name` of `folder`.
    pub(super) fn inner(&self, folder: usize, name: &[u8]) -> Option<usize> {
        let inner = &self.folders.get(folder)?.inner;
        let at = inner.binary_search_by(|at| self.folders[*at].name.as_slice().cmp(name)).ok()?;
        Some(inner[at])
    }
}

impl Folder {
    /// Takes one folder off `rest`: `NAME NUL COUNT SP FOLDERS LF [ID]`. Also how many folders it has.
    fn parse(rest: &mut &[u8], hash: Kind) -> Option<(Self, usize)> {
        let name = until(rest, 0)?.to_vec();
        let count: i64 = std::str::from_utf8(until(rest, b' ')?).ok()?.parse().ok()?;
        let inner: usize = std::str::from_utf8(until(rest, b'\n')?).ok()?.parse().ok()?;
        let tree = match usize::try_from(count) {
            Ok(count) => {
                let (id, after) = rest.split_at_checked(hash.len_in_bytes())?;
                *rest = after;
                Some((count, ObjectId::try_from(id).ok()?))
            }
            Err(_) => None,
        };
        Some((Self { name, tree, inner: Vec::new() }, inner))
    }
}

/// Takes what stands before the next `end` off `rest`, and `end` with it.
fn until<'a>(rest: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let at = memchr::memchr(end, rest)?;
    let found = &rest[..at];
    *rest = &rest[at + 1..];
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An extension: a top without id, `b` with 3 entries, `a` without id and in it `c` with 1.
    fn sample() -> Vec<u8> {
        [b"\0-1 2\nb\x003 0\n".as_slice(), &[7; 20], b"a\0-1 1\nc\x001 0\n", &[9; 20]].concat()
    }

    #[test]
    fn folders_are_found_by_name() {
        let tree = CacheTree::parse(&sample(), Kind::Sha1).expect("well-formed");
        let top = tree.top().expect("there are folders");
        assert_eq!(tree.tree(top), None);
        let id = |byte: u8| ObjectId::try_from([byte; 20].as_slice()).expect("20 bytes");
        assert_eq!(tree.inner(top, b"b").and_then(|b| tree.tree(b)), Some((3, id(7))));
        let a = tree.inner(top, b"a").expect("it is there");
        assert_eq!(tree.tree(a), None);
        assert_eq!(tree.inner(a, b"c").and_then(|c| tree.tree(c)), Some((1, id(9))));
        assert_eq!(tree.inner(top, b"c"), None);
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        let whole = sample();
        for end in 0..whole.len() {
            assert_eq!(CacheTree::parse(&whole[..end], Kind::Sha1), None, "cut at {end}");
        }
        assert_eq!(CacheTree::parse(&[whole.as_slice(), b"x"].concat(), Kind::Sha1), None, "something follows");
        let twice = b"\0-1 2\na\0-1 0\na\0-1 0\n";
        assert_eq!(CacheTree::parse(twice, Kind::Sha1), None, "one name twice");
        // Deeper than a call could recurse.
        let deep = [b"x\0-1 1\n".repeat(200_000), b"x\0-1 0\n".to_vec()].concat();
        assert_eq!(CacheTree::parse(&deep, Kind::Sha1).map(|tree| tree.folders.len()), Some(200_001));
    }
}

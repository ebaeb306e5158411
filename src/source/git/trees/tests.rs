//! Records against plain parsing, along generated chains of deltas.

#![expect(clippy::unwrap_used, reason = "a test that can't number its objects has nothing to say")]

use std::sync::Mutex;

use gix::hash::Kind;
use proptest::prelude::*;

use super::*;
use crate::blob::{Edit, Edits};
use crate::location::Span;
use crate::source::git::names::Names;
use crate::source::git::objects::Objects;
use crate::source::git::text;

/// The bytes of a tree with some entries: name, id, kind.
fn tree(entries: &[(u8, u8, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, id, kind) in entries {
        let mode = ["40000", "100644", "120000", "160000"][usize::from(kind % 4)];
        bytes.extend(mode.bytes().chain(*b" name-").chain([b'a' + name % 26, 0]).chain([*id; 20]));
    }
    bytes
}

/// How `child` can be made of `base`: copies of what both have at `at` bytes from their starts and ends, or from nowhere
/// in particular. Not what git would find, yet true.
fn edits(base: &[u8], child: &[u8], cut: usize) -> Edits {
    let front = base.iter().zip(child).take_while(|(a, b)| a == b).count();
    let (base_left, child_left) = (&base[front..], &child[front..]);
    let back = base_left.iter().rev().zip(child_left.iter().rev()).take_while(|(a, b)| a == b).count();
    let mut edits = Vec::new();
    let split = front.min(cut);
    for (start, end) in [(0, split), (split, front)] {
        if start < end {
            edits.push(Edit::Copy { to: Span::new(start, end), from: start });
        }
    }
    if front < child.len() - back {
        edits.push(Edit::Insert { to: Span::new(front, child.len() - back), from: 0 });
    }
    if back > 0 {
        edits.push(Edit::Copy { to: Span::new(child.len() - back, child.len()), from: base.len() - back });
    }
    Edits(edits)
}

/// The edges that plain parsing gives, and whether the tree is whole.
fn plain(objects: &Objects, names: &Names, bytes: &[u8]) -> (Vec<Edge>, bool) {
    let all: Vec<_> = text::tree(bytes, Kind::Sha1).collect();
    let whole = all.iter().all(Result::is_ok);
    let edge = |entry: text::Entry<'_>| {
        Edge::new(objects.enter(entry.id).unwrap(), names.enter(entry.name).unwrap(), entry.kind)
    };
    (all.into_iter().flatten().map(edge).collect(), whole)
}

/// A version of a folder: where it changes, what comes there, how many entries go, and where a copy is cut in two.
type Version = (usize, Vec<(u8, u8, u8)>, usize, usize);

/// Some versions of a folder.
fn versions() -> impl Strategy<Value = Vec<Version>> {
    let entries = prop::collection::vec(any::<(u8, u8, u8)>(), 0..3);
    prop::collection::vec((0_usize..40, entries, 0_usize..3, 0_usize..2_000), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_version_has_the_edges_of_its_bytes(
        first in prop::collection::vec(any::<(u8, u8, u8)>(), 0..40),
        versions in versions(),
        damage in prop::option::of((0_usize..60, 0_usize..40)),
    ) {
        let (objects, names, trees) = (Objects::none(Kind::Sha1), Names::new(), Mutex::new(Trees::default()));
        let tools = Tools { objects: &objects, names: &names, trees: &trees };
        let mut entries = first;
        let mut base: Option<(Known, Vec<u8>)> = None;
        let mut expected = Vec::new();
        for (nth, (at, new, gone, cut)) in versions.into_iter().enumerate() {
            let at = at.min(entries.len());
            entries.splice(at..(at + gone).min(entries.len()), new);
            let mut bytes = tree(&entries);
            if let Some((_, cut)) = damage.filter(|(when, _)| *when == nth) {
                bytes.truncate(bytes.len().saturating_sub(cut));
            }
            let number = Number(u32::try_from(1_000_000 + nth).unwrap());
            let changed = base.as_ref().map(|(known, old)| (known, edits(old, &bytes, cut)));
            let known = read(tools, number, changed.as_ref().map(|(known, edits)| (*known, edits)), &bytes);
            let (edges, whole) = plain(&objects, &names, &bytes);
            expected.push((number, edges, whole));
            base = Some((known.unwrap().unwrap(), bytes));
        }
        let trees = trees.into_inner().unwrap();
        let mut edges = Vec::new();
        for (number, expected, whole) in expected {
            let tree = trees.at(number).unwrap();
            trees.edges(tree, &mut edges);
            prop_assert_eq!(&edges, &expected);
            prop_assert_eq!(trees.is_damaged(tree), !whole);
            let mut chain = std::iter::successors(Some(tree), |tree| trees.base(*tree));
            prop_assert!(chain.all(|tree| trees.items(tree).len() <= edges.len().max(64)));
            prop_assert!(std::iter::successors(Some(tree), |tree| trees.base(*tree)).count() <= usize::from(DEPTH) + 1);
        }
    }
}

#[test]
fn a_version_costs_what_it_changes() {
    let (objects, names, trees) = (Objects::none(Kind::Sha1), Names::new(), Mutex::new(Trees::default()));
    let tools = Tools { objects: &objects, names: &names, trees: &trees };
    let mut entries: Vec<(u8, u8, u8)> = (0..26).map(|n| (n, n, 1)).collect();
    let mut old = tree(&entries);
    let mut known = read(tools, Number(1_000), None, &old).unwrap().unwrap();
    for nth in 1..=DEPTH {
        entries[13].1 = 100 + nth;
        let new = tree(&entries);
        let edits = edits(&old, &new, 0);
        known = read(tools, Number(1_000 + u32::from(nth)), Some((&known, &edits)), &new).unwrap().unwrap();
        old = new;
    }
    let trees = trees.into_inner().unwrap();
    assert_eq!(trees.items.len(), 26 + 3 * usize::from(DEPTH));
}

#[test]
fn items_come_out_of_two_words_as_they_went_in() {
    let name = NameNo((1 << NAME_BITS) - 1);
    let kinds = [EntryKind::Tree, EntryKind::File, EntryKind::Link, EntryKind::Submodule];
    for kind in kinds {
        let edge = Edge::new(Number(7), name, kind);
        assert_eq!((edge.kind(), edge.name()), (kind, name));
        assert_eq!(Item::unpack(Item::Own(edge).pack()), Item::Own(edge));
    }
    let shared = Item::Shared { start: u32::MAX, len: SHARED - 1 };
    assert_eq!(Item::unpack(shared.pack()), shared);
    assert_eq!(size_of::<(u32, u32)>(), 8);
}

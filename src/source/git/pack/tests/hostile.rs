//! Packs that no git would make, and packs that lost a bit.

use super::forge::{Base, Forge, replace_end};
use super::*;

/// A folder for packs.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn blob(bytes: &[u8]) -> ObjectId {
    gix::objs::compute_hash(HashKind::Sha1, Kind::Blob, bytes).expect("it can be hashed")
}

/// Sound entries among which the odd ones stand.
fn sound(forge: &mut Forge) -> BTreeSet<ObjectId> {
    let root = forge.whole(Kind::Blob, b"a sound blob that others are made from");
    BTreeSet::from([root, forge.child(0, 7, b" child"), forge.child(1, 7, b" grandchild")])
}

#[test]
fn bases_that_cannot_be_are_nobodys() {
    let folder = scratch();
    let mut forge = Forge::default();
    let expected = sound(&mut forge);
    let delta = |tail: &[u8]| replace_end(38, 5, tail);
    let (one, two, own) = (blob(b"circle, one"), blob(b"circle, two"), blob(b"its own base"));
    forge.delta_named(one, Base::Id(two), &delta(b"x"));
    forge.delta_named(two, Base::Id(one), &delta(b"y"));
    forge.delta_named(own, Base::Id(own), &delta(b"z"));
    forge.delta_named(blob(b"below the circle"), Base::Id(one), &delta(b"x"));
    forge.delta_named(blob(b"base elsewhere"), Base::Id(blob(b"elsewhere")), &delta(b"x"));
    forge.delta_named(blob(b"base within an entry"), Base::Distance(3), &delta(b"x"));
    forge.delta_named(blob(b"base is itself"), Base::Distance(0), &delta(b"x"));
    forge.delta_named(blob(b"base before the pack"), Base::Distance(1 << 40), &delta(b"x"));
    forge.entry(blob(b"of no kind"), 5, 3, &[], b"abc");
    forge.write(folder.path());
    assert_eq!(all(folder.path(), Kind::Blob), expected);
}

#[test]
fn a_base_by_id_may_lie_behind_its_child() {
    let folder = scratch();
    let mut forge = Forge::default();
    let base = b"a base that comes last, after its child";
    let made = [&base[..6], b"-child"].concat();
    let child = forge.delta(Base::Id(blob(base)), made, &replace_end(base.len(), 6, b"-child"));
    let grandchild = forge.child(0, 6, b"-grandchild");
    let base = forge.whole(Kind::Blob, base);
    forge.write(folder.path());
    assert_eq!(all(folder.path(), Kind::Blob), BTreeSet::from([base, child, grandchild]));
}

#[test]
fn what_hangs_on_damage_is_left_out_and_nothing_else() {
    let base = b"a sound blob that others are made from";
    let cases: [(&str, Vec<u8>, usize); 6] = [
        ("for another base", replace_end(base.len() + 1, 5, b"x"), 0),
        ("copies too much", replace_end(base.len(), base.len() + 1, b"x"), 0),
        ("reserved", [replace_end(base.len(), 5, b"x"), vec![0]].concat(), 0),
        ("says to be longer", replace_end(base.len(), 5, b"x"), 1),
        ("says to be huge", replace_end(base.len(), 5, b"x"), usize::MAX >> 8),
        ("makes more than there may be", bomb(base.len()), 0),
    ];
    for (what, delta, longer) in cases {
        let folder = scratch();
        let mut forge = Forge::default();
        let expected = sound(&mut forge);
        let bad = blob(b"damaged");
        let named = gix::objs::compute_hash(HashKind::Sha1, Kind::Blob, base).expect("it can be hashed");
        forge.entry(bad, 7, delta.len().saturating_add(longer), named.as_slice(), &delta);
        forge.delta_named(blob(b"hangs on it"), Base::Id(bad), &replace_end(6, 2, b"x"));
        forge.write(folder.path());
        assert_eq!(all(folder.path(), Kind::Blob), expected, "{what}");
    }
}

/// A small delta that makes more than the limit of one object: copies of 64 KiB, a byte each, from a base that must
/// not be as short as it is.
fn bomb(base: usize) -> Vec<u8> {
    let mut delta = replace_end(base, 0, b"");
    delta.truncate(1);
    delta.extend([0x80, 0x80, 0x80, 0x80, 0x10]);
    delta.extend(std::iter::repeat_n(0x80, 1 << 17));
    delta
}

#[test]
fn what_one_pack_has_lost_comes_from_another() {
    let folder = scratch();
    let (one, two) = (b"no pack names its kind but the second", b"its base is damaged in the first pack");
    let mut first = Forge::default();
    let mut expected = sound(&mut first);
    first.entry(blob(one), 5, one.len(), &[], one);
    first.entry(blob(b"base"), 3, 5, &[], b"four");
    first.delta_named(blob(two), Base::Id(blob(b"base")), &replace_end(4, 0, two));
    first.write(folder.path());
    let mut second = Forge::default();
    expected.extend([second.whole(Kind::Blob, one), second.whole(Kind::Blob, two)]);
    second.write(folder.path());
    assert_eq!(all(folder.path(), Kind::Blob), expected);
}

#[test]
fn packs_with_gaps_and_overlaps_are_named() {
    for (what, by) in [("gap", 0_i64), ("gap", 1)] {
        let folder = scratch();
        let mut forge = Forge::default();
        let mut expected = sound(&mut forge);
        forge.gap(b"hidden here");
        expected.insert(forge.whole(Kind::Blob, b"behind the gap"));
        if by == 1 {
            forge.gap(b"and here");
        }
        let path = forge.write(folder.path());
        let keeper = Keeper::new(Kind::Blob);
        let walked = keeper.walk(folder.path(), HELD);
        assert_eq!(keeper.ids(), expected, "{what}");
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        assert_eq!(walked.unread.len(), 1);
        assert_eq!(walked.unread[0].what, format!("objects/pack/{name}").into_bytes());
        assert!(walked.unread[0].detail.contains("end to end"));
    }
}

#[test]
fn packs_that_hold_more_than_their_index_names_are_named() {
    let folder = scratch();
    let mut forge = Forge::default();
    forge.uncounted = 2;
    let expected = sound(&mut forge);
    forge.write(folder.path());
    let keeper = Keeper::new(Kind::Blob);
    let walked = keeper.walk(folder.path(), HELD);
    assert_eq!(keeper.ids(), expected);
    assert_eq!(walked.unread.len(), 1);
    assert!(walked.unread[0].detail.contains("holds 5 objects and its index names 3"), "{:?}", walked.unread);
}

#[test]
fn an_index_may_point_anywhere() {
    for by in [-40, -1, 1, 5, 1 << 20, 1 << 33, i64::MAX >> 2] {
        let folder = scratch();
        let mut forge = Forge::default();
        let expected = sound(&mut forge);
        forge.whole(Kind::Blob, b"the index is wrong about this one");
        forge.shift_last(by);
        forge.write(folder.path());
        let keeper = Keeper::new(Kind::Blob);
        keeper.walk(folder.path(), HELD);
        assert!(keeper.ids().is_superset(&expected), "{by}");
        assert!(keeper.ids().len() <= 4);
    }
}

#[test]
fn whatever_bit_flips_bytes_are_right_or_missing() {
    let folder = scratch();
    let mut forge = Forge::default();
    sound(&mut forge);
    for n in 0..6 {
        forge.child(n, 9 - n, format!(", the {n}th").as_bytes());
    }
    forge.whole(Kind::Blob, &b"something that can be deflated ".repeat(9));
    let path = forge.write(folder.path());
    let expected = all(folder.path(), Kind::Blob);
    assert_eq!(expected.len(), 10);
    let mut missing = 0;
    for path in [path.clone(), path.with_extension("idx")] {
        let whole = std::fs::read(&path).expect("it was written");
        // The fan-out table of the index is mostly zeros: every bit of it would be more of the same.
        let is_index = path.extension().is_some_and(|extension| extension == "idx");
        for at in (0..whole.len()).filter(|at| !is_index || *at < 16 || *at > 1024) {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                std::fs::write(&path, bytes).expect("it can be written");
                let keeper = Keeper { glance: Glance::Settle, ..Keeper::new(Kind::Blob) };
                keeper.walk(folder.path(), HELD);
                let got = keeper.ids();
                assert!(got.is_subset(&expected), "byte {at}, bit {bit}");
                missing += usize::from(got.len() < expected.len());
            }
        }
        for len in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..len]).expect("it can be written");
            let keeper = Keeper::new(Kind::Blob);
            keeper.walk(folder.path(), HELD);
            assert!(keeper.ids().is_subset(&expected), "{len} bytes");
        }
        std::fs::write(&path, whole).expect("it can be written");
    }
    assert!(missing > 1000, "{missing} flips did something");
    assert_eq!(all(folder.path(), Kind::Blob), expected);
}

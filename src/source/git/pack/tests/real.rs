//! Packs that git made.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::*;
use crate::source::git::scratch::Scratch;

/// A repository with some hundred versions of three files, and all its blobs.
fn versions(init: &[&str]) -> Option<(Scratch, BTreeSet<ObjectId>)> {
    let scratch = Scratch::new(init)?;
    let mut stream = String::new();
    let mut lines: Vec<String> = (0..120).map(|n| format!("line {n} of a file that changes\n")).collect();
    for version in 0..240_usize {
        lines[version * 7 % 120] = format!("line changed by version {version}\n");
        if version % 5 == 0 {
            lines.insert(version % 100, format!("added by version {version}\n"));
        }
        let text = lines.concat();
        writeln!(stream, "commit refs/heads/main\ncommitter A <a@b> {version} +0000\ndata 1\nx").expect("a string");
        for (name, text) in [("a.txt", text.clone()), ("b.txt", text[text.len() / 2..].to_owned())] {
            write!(stream, "M 644 inline {name}\ndata {}\n{text}\n", text.len()).expect("a string");
        }
        let own = format!("{version:03}: nothing like the others");
        write!(stream, "M 644 inline d/{}\ndata {}\n{own}\n", version % 7, own.len()).expect("a string");
    }
    let top = scratch.top.clone();
    scratch.git_with(&top, &[], &["fast-import", "--quiet"], stream.as_bytes()).expect("git imports");
    let blobs = objects(&scratch, "blob");
    assert!(blobs.len() > 600, "{} blobs", blobs.len());
    Some((scratch, blobs))
}

/// All objects of a kind, by git's own account.
fn objects(scratch: &Scratch, kind: &str) -> BTreeSet<ObjectId> {
    let all = scratch.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"]);
    let of_kind = all.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    of_kind.map(|id| ObjectId::from_hex(id.as_bytes()).expect("an id")).collect()
}

fn folder(scratch: &Scratch) -> PathBuf {
    scratch.top.join(".git/objects")
}

#[test]
fn however_git_packs_every_object_comes_once_and_whole() {
    let Some((scratch, blobs)) = versions(&[]) else { return };
    for args in [
        &["repack", "-adfq", "--depth=4095", "--window=10"][..],
        &["repack", "-adfq", "--depth=0"],
        &["repack", "-adfq", "--depth=50", "--window=250"],
        &["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=30"],
        &["-c", "pack.indexVersion=1", "repack", "-adfq"],
        &["-c", "pack.packSizeLimit=1m", "-c", "core.compression=0", "repack", "-adFq"],
    ] {
        scratch.git(args);
        let folder = folder(&scratch);
        let others = [(Kind::Commit, "commit"), (Kind::Tree, "tree"), (Kind::Tag, "tag")];
        let others = others.map(|(kind, word)| (kind, objects(&scratch, word)));
        for threads in [1, 2, 5] {
            let deltas = !args.contains(&"--depth=0");
            with_threads(threads, || {
                for (kind, ids) in &others {
                    assert_eq!(all(&folder, *kind), *ids, "{args:?}");
                }
                let mut keeper = Keeper::new(Kind::Blob);
                assert_eq!(keeper.walk(&folder, HELD).unread, []);
                assert_eq!(keeper.ids(), blobs, "{args:?}");
                assert_eq!(*keeper.carried.lock().expect("no panic") > 200, deltas, "{args:?}");
                keeper = Keeper { glance: Glance::Settle, ..Keeper::new(Kind::Blob) };
                assert_eq!(keeper.walk(&folder, HELD).unread, []);
                assert_eq!(keeper.ids(), blobs, "{args:?}");
                assert_eq!(*keeper.settled.lock().expect("no panic") > 5, deltas, "{args:?}");
            });
        }
    }
}

#[test]
fn what_nobody_wants_is_decoded_only_as_a_base() {
    let Some((scratch, blobs)) = versions(&[]) else { return };
    scratch.git(&["repack", "-adfq", "--depth=100"]);
    for part in 1..6 {
        let wanted: BTreeSet<ObjectId> = blobs.iter().copied().filter(|id| id.as_slice()[3] % 6 < part).collect();
        let keeper = Keeper { wanted: Some(wanted.clone()), glance: Glance::Settle, ..Keeper::new(Kind::Blob) };
        assert_eq!(keeper.walk(&folder(&scratch), HELD).unread, []);
        assert_eq!(keeper.ids(), wanted);
        let with_parent = *keeper.carried.lock().expect("no panic") + *keeper.settled.lock().expect("no panic");
        assert!(with_parent > 0 && with_parent < wanted.len(), "{with_parent} of {}", wanted.len());
    }
    let keeper = Keeper { wanted: Some(BTreeSet::new()), ..Keeper::new(Kind::Blob) };
    assert_eq!((keeper.walk(&folder(&scratch), HELD).peak, keeper.ids().len()), (0, 0));
}

#[test]
fn an_object_in_several_packs_comes_once() {
    let Some((scratch, blobs)) = versions(&[]) else { return };
    scratch.git(&["repack", "-adfq"]);
    let wanted: Vec<String> = blobs.iter().step_by(3).map(ToString::to_string).collect();
    let top = scratch.top.clone();
    let input = wanted.join("\n") + "\n";
    scratch
        .git_with(&top, &[], &["pack-objects", "-q", "--depth=5", ".git/objects/pack/pack"], input.as_bytes())
        .expect("git packs");
    let packs = Packs::below(std::iter::once(folder(&scratch).as_path()), HashKind::Sha1);
    assert_eq!(packs.all.len(), 2);
    let entries: u32 = packs.all.iter().map(|pack| pack.table.len()).sum();
    assert!(entries as usize > blobs.len() * 4 / 3);
    assert_eq!(all(&folder(&scratch), Kind::Blob), blobs);
}

#[test]
fn other_peoples_packs_are_walked_in_their_folder() {
    let Some((scratch, blobs)) = versions(&["--object-format=sha256"]) else { return };
    scratch.git(&["repack", "-adfq"]);
    let clone = scratch.around().join("clone");
    let from = scratch.top.to_string_lossy().into_owned();
    scratch.git_with(scratch.around(), &[], &["clone", "-q", "--shared", &from, "clone"], b"").expect("git clones");
    let repository =
        crate::source::git::repo::Repository::open(&clone, crate::source::git::repo::Opening::Named).expect("it opens");
    let packs = Packs::open(&repository);
    let keeper = Keeper::new(Kind::Blob);
    let walked = walk(&packs, Kind::Blob, &keeper, HELD);
    assert_eq!((walked.unread, keeper.ids()), (Vec::new(), blobs));
}

#[test]
fn a_walk_ends_when_it_is_told_to() {
    let Some((scratch, _)) = versions(&[]) else { return };
    scratch.git(&["repack", "-adfq"]);
    for patience in [0, 1, 100] {
        let keeper = Keeper { patience: Some(patience), ..Keeper::new(Kind::Blob) };
        let folder = folder(&scratch);
        with_threads(2, || keeper.walk(&folder, HELD));
        let got = keeper.ids().len();
        assert!(got >= patience && got < patience + 3, "{got} objects after {patience}");
    }
}

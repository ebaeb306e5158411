//! Numbers of objects, wherever they are stored.

use gix::ObjectId;

use super::*;
use crate::source::git::objects::{Number, Objects};
use crate::source::git::repo::Repository;

/// All objects there are, by git.
fn all_of(f: &Fixture, folder: &Path) -> BTreeSet<ObjectId> {
    let ids = f.git_in(folder, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    ids.lines().map(|id| ObjectId::from_hex(id.as_bytes()).unwrap()).collect()
}

/// Every object has one number, and none that isn't there has.
fn check(repository: &Repository, all: &BTreeSet<ObjectId>) -> Objects {
    let objects = Objects::open(repository);
    let numbers: BTreeSet<Number> = all.iter().map(|id| objects.number(id).unwrap()).collect();
    assert_eq!(numbers.len(), all.len());
    assert!(
        all.iter().all(|id| objects.id(objects.number(id).unwrap()) == *id && objects.enter(id) == objects.number(id))
    );
    for id in all {
        // Its neighbours, which are most easily taken for it.
        for step in [1_u8, 255] {
            let mut other = *id;
            let last = other.as_mut_slice().last_mut().unwrap();
            *last = last.wrapping_add(step);
            assert_eq!(objects.number(&other).is_some(), all.contains(&other));
        }
    }
    objects
}

#[test]
fn packs_loose_files_and_alternates_share_one_numbering() {
    for hash in ["sha1", "sha256"] {
        let Some(f) = Fixture::with(&["--object-format", hash]) else { return };
        let open = |path: &Path| Repository::open(path, Opening::Named).unwrap();
        for n in 0..40 {
            f.commit_file(&format!("{n}.txt"), format!("first {n}"));
        }
        f.git(&["gc", "-q"]);
        let packed = check(&open(&f.repo()), &all_of(&f, &f.repo()));
        assert!(packed.loose().is_empty());
        // A second pack that has the same, and loose ones that a pack has too.
        f.git(&["pack-objects", "-q", "--all", "--depth=1", ".git/objects/pack/pack"]);
        for n in 0..10 {
            f.commit_file(&format!("{n}.txt"), format!("second {n}"));
        }
        f.git(&["repack", "-q"]);
        f.write(".git/scratch", "first 1");
        let blob = f.git(&["hash-object", "-w", "--no-filters", ".git/scratch"]);
        let last = f.commit_file("last.txt", "last");
        let all = all_of(&f, &f.repo());
        let objects = check(&open(&f.repo()), &all);
        let loose: Vec<String> = objects.loose().iter().map(ToString::to_string).collect();
        assert!(loose.contains(&last) && !loose.contains(&blob) && loose.len() == 3, "{loose:?}");
        // Another repository that borrows all that.
        let borrower = f.path("borrower");
        f.git_in(f.folder.path(), &["clone", "-q", "--shared", "r", "borrower"]);
        fs::write(borrower.join("own.txt"), "own").unwrap();
        f.git_in(&borrower, &["add", "-A"]);
        f.git_in(&borrower, &["commit", "-q", "-m", "own"]);
        let own = all_of(&f, &borrower);
        assert!(own.len() > all.len());
        check(&open(&borrower), &own);
    }
}

#[test]
fn what_is_nowhere_gets_a_number_when_it_is_met() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    let objects = Objects::open(&Repository::open(&f.repo(), Opening::Named).unwrap());
    let id = ObjectId::from_hex(b"0123456789abcdef0123456789abcdef01234567").unwrap();
    assert_eq!(objects.number(&id), None);
    let number = objects.enter(&id).unwrap();
    assert_eq!((objects.enter(&id), objects.number(&id), objects.id(number)), (Some(number), Some(number), id));
    let stored = all_of(&f, &f.repo());
    assert!(stored.len() == 3 && stored.iter().all(|id| objects.number(id).unwrap() < number));
}

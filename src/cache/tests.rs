//! What is kept, what is believed, and what makes all of it void.

use std::fs;

use gix::ObjectId;

use super::*;

/// A cache in a folder of its own that never scans a hit.
fn cache(folder: &tempfile::TempDir) -> Cache {
    Cache::open(&folder.path().join("cache"), "rules", &[]).expect("it can be made").auditing(u64::MAX)
}

/// An empty folder.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The n-th id.
fn id(n: u8) -> ObjectId {
    ObjectId::from_bytes_or_panic(&[n; 20])
}

/// The repository of these tests.
fn store() -> &'static Path {
    Path::new("/srv/repo/.git")
}

/// Keeps these blobs, each of ten bytes.
fn keep(cache: &Cache, ids: &[u8]) {
    let (verdicts, note) = cache.recall(store());
    assert_eq!(note, None);
    ids.iter().for_each(|n| verdicts.settle(&id(*n), 10, true));
    assert_eq!(verdicts.finish(), None);
}

/// Which of the first blobs are known to be clean, if they have ten bytes.
fn known(cache: &Cache) -> Vec<u8> {
    let (verdicts, _) = cache.recall(store());
    (0..9).filter(|n| verdicts.knows(&id(*n), || Some(10))).collect()
}

/// The only file of verdicts.
fn file(folder: &tempfile::TempDir) -> PathBuf {
    let entries = fs::read_dir(folder.path().join("cache")).expect("it was made");
    let mut paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.find(|path| path.to_string_lossy().ends_with(ENDING)).expect("something was kept")
}

#[test]
fn what_was_clean_is_known_and_adds_up() {
    let folder = scratch();
    keep(&cache(&folder), &[3, 1]);
    assert_eq!(known(&cache(&folder)), [1, 3]);
    keep(&cache(&folder), &[2, 3]);
    assert_eq!(known(&cache(&folder)), [1, 2, 3]);
    let names = fs::read_dir(folder.path().join("cache")).expect("it was made").count();
    assert_eq!(names, 2, "a file and the lock");
}

#[test]
fn what_was_not_clean_is_not_kept() {
    let folder = scratch();
    let cache = cache(&folder);
    let (verdicts, _) = cache.recall(store());
    verdicts.settle(&id(1), 10, false);
    assert_eq!(verdicts.finish(), None);
    assert!(!cache.is_withdrawn());
    assert_eq!(known(&cache), [0; 0]);
}

#[test]
fn a_blob_must_be_there_and_as_long() {
    let folder = scratch();
    keep(&cache(&folder), &[1]);
    let (one, absent) = (cache(&folder), cache(&folder));
    let (verdicts, _) = absent.recall(store());
    assert!(!verdicts.knows(&id(1), || None) && !absent.is_withdrawn());
    assert!(!verdicts.knows(&id(2), || panic!("nobody knows it")));
    let (verdicts, _) = one.recall(store());
    assert!(!verdicts.knows(&id(1), || Some(11)));
    assert!(verdicts.are_withdrawn());
    assert!(!verdicts.knows(&id(1), || Some(10)), "nothing is believed any more");
    assert!(verdicts.finish().is_some_and(|note| note.contains("dropped")));
    assert_eq!(known(&cache(&folder)), [0; 0]);
}

#[test]
fn rules_repositories_and_kinds_of_ids_are_kept_apart() {
    let folder = scratch();
    keep(&cache(&folder), &[1]);
    let open = |engine| Cache::open(&folder.path().join("cache"), engine, &[]).expect("it is there");
    assert_eq!(known(&open("rules").auditing(u64::MAX)), [1]);
    assert_eq!(known(&open("other rules").auditing(u64::MAX)), [0; 0]);
    let cache = cache(&folder);
    let (verdicts, _) = cache.recall(Path::new("/srv/other/.git"));
    assert!(!verdicts.knows(&id(1), || Some(10)));
    let (verdicts, _) = cache.recall(store());
    assert!(!verdicts.knows(&ObjectId::from_bytes_or_panic(&[1; 32]), || Some(10)));
}

#[test]
fn a_file_that_is_odd_is_dropped_whole() {
    let damage: [fn(&Path); 5] = [
        |path| fs::write(path, "").expect("it is ours"),
        |path| fs::write(path, [0; 4096]).expect("it is ours"),
        |path| {
            let bytes = fs::read(path).expect("it is ours");
            fs::write(path, &bytes[..bytes.len() - 1]).expect("it is ours");
        },
        |path| {
            let mut bytes = fs::read(path).expect("it is ours");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).expect("it is ours");
        },
        |path| {
            fs::remove_file(path).expect("it is ours");
            fs::create_dir(path).expect("it is ours");
        },
    ];
    for damage in damage {
        let folder = scratch();
        keep(&cache(&folder), &[1, 2, 3]);
        let path = file(&folder);
        damage(&path);
        let cache = cache(&folder);
        let (verdicts, note) = cache.recall(store());
        assert!(note.is_some_and(|note| note.contains("dropped and all is scanned")));
        assert!((0..9).all(|n| !verdicts.knows(&id(n), || Some(10))));
        assert!(!path.is_file(), "it was dropped");
    }
}

#[test]
fn a_file_of_another_repository_or_engine_in_its_place_is_dropped() {
    let (folder, others) = (scratch(), scratch());
    keep(&cache(&folder), &[1]);
    let other = Cache::open(&others.path().join("cache"), "other rules", &[]).expect("it can be made");
    keep(&other, &[2, 3]);
    fs::copy(file(&others), file(&folder)).expect("both are ours");
    let (_, note) = cache(&folder).recall(store());
    assert!(note.is_some_and(|note| note.contains("another one's")));
    assert_eq!(known(&cache(&folder)), [0; 0]);
}

#[test]
fn a_wrong_verdict_that_is_audited_voids_all() {
    let folder = scratch();
    keep(&cache(&folder), &[1, 2]);
    let other = cache(&folder);
    let (verdicts, _) = other.recall(Path::new("/srv/other/.git"));
    verdicts.settle(&id(7), 10, true);
    assert_eq!(verdicts.finish(), None);
    let audits = cache(&folder).auditing(1);
    let (verdicts, _) = audits.recall(store());
    assert!(!verdicts.knows(&id(1), || Some(10)) && !verdicts.are_withdrawn(), "every hit is scanned");
    verdicts.settle(&id(1), 10, true);
    assert!(!verdicts.are_withdrawn());
    verdicts.settle(&id(2), 10, false);
    verdicts.settle(&id(4), 10, true);
    assert!(verdicts.finish().is_some_and(|note| note.contains("was wrong")));
    let left = fs::read_dir(folder.path().join("cache")).expect("it was made").map(|entry| entry.expect("it can be"));
    assert_eq!(left.map(|entry| entry.file_name()).collect::<Vec<_>>(), [LOCK]);
    assert!(audits.recall(store()).0.known.is_empty());
}

#[test]
fn what_another_run_dropped_is_not_brought_back() {
    let folder = scratch();
    keep(&cache(&folder), &[1, 2]);
    let (one, other) = (cache(&folder), cache(&folder));
    let (verdicts, _) = one.recall(store());
    let (wrong, _) = other.recall(store());
    wrong.settle(&id(1), 10, false);
    assert!(wrong.finish().is_some());
    assert!(verdicts.knows(&id(2), || Some(10)));
    verdicts.settle(&id(3), 10, true);
    assert_eq!(verdicts.finish(), None);
    assert_eq!(known(&cache(&folder)), [3]);
}

#[test]
fn one_hit_in_a_hundred_is_audited_and_others_each_time() {
    let folder = scratch();
    let ids: Vec<ObjectId> =
        (0..20_000_u32).map(|n| ObjectId::from_bytes_or_panic(&Sha256::digest(n.to_be_bytes())[..20])).collect();
    let first = cache(&folder);
    let (verdicts, _) = first.recall(store());
    ids.iter().for_each(|id| verdicts.settle(id, 10, true));
    assert_eq!(verdicts.finish(), None);
    let audited = || {
        let cache = cache(&folder).auditing(AUDITED);
        let (verdicts, _) = cache.recall(store());
        ids.iter().filter(|id| !verdicts.knows(id, || Some(10))).copied().collect::<Vec<_>>()
    };
    let (one, other) = (audited(), audited());
    // 200 are expected, with a deviation of 14.
    for run in [&one, &other] {
        assert!((100..300).contains(&run.len()), "{} of {}", run.len(), ids.len());
    }
    assert_ne!(one, other, "nobody can tell beforehand which");
}

#[test]
fn runs_at_one_time_add_up() {
    let folder = scratch();
    std::thread::scope(|scope| {
        for run in 0..8_u8 {
            let folder = &folder;
            scope.spawn(move || {
                for n in 0..20 {
                    let cache = cache(folder);
                    let (verdicts, note) = cache.recall(store());
                    assert_eq!(note, None);
                    verdicts.settle(&id(run * 20 + n), 10, true);
                    assert_eq!(verdicts.finish(), None);
                }
            });
        }
    });
    let cache = cache(&folder);
    let (verdicts, _) = cache.recall(store());
    assert!((0..160).all(|n| verdicts.knows(&id(n), || Some(10))));
}

#[test]
fn the_folder_is_cleared_out() {
    let folder = scratch();
    let first = cache(&folder);
    let place = folder.path().join("cache");
    let write = |name: &str, age: u64| {
        let path = place.join(name);
        fs::write(&path, "").expect("our own folder");
        let file = fs::File::options().write(true).open(&path).expect("it was just written");
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("it is ours");
    };
    for n in 0..MOST_FILES as u64 + 10 {
        write(&format!("{n:03}{ENDING}"), 1000 - n);
    }
    write(&format!("young{SPARE}"), 60);
    write(&format!("old{SPARE}"), STALE.as_secs() + 60);
    write("notes of mine", STALE.as_secs() * 99);
    keep(&first, &[1]);
    let there = |name: &str| place.join(name).exists();
    assert!(there(&format!("young{SPARE}")) && !there(&format!("old{SPARE}")) && there("notes of mine"));
    assert!(!there(&format!("010{ENDING}")) && there(&format!("011{ENDING}")), "the oldest went");
    assert_eq!(known(&cache(&folder)), [1]);
}

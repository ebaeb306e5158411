//! What is missing, cut off or damaged is named, once, and nothing panics.

use super::*;
use crate::blob::ObjectPart;

/// The path of a loose object.
fn loose(f: &Fixture, id: &str) -> PathBuf {
    f.repo().join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Makes a file of git's writable and changes it.
fn tamper(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_shallow_clone_names_its_boundary_once() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-old");
    f.commit_file("a.txt", "word-cut");
    f.commit_file("b.txt", "word-new");
    let url = format!("file://{}", f.repo().display());
    f.git_in(f.folder.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let scan = Scan::of(&f.path("shallow"), false);
    assert!(scan.has("word-new") && scan.has("word-cut") && !scan.has("word-old"));
    let head = f.git(&["rev-parse", "HEAD"]);
    assert_eq!(scan.unread_words(), [(UnreadKind::Shallow, head)]);
    assert!(scan.unread()[0].detail.contains("git fetch --unshallow"));
}

#[test]
fn a_partial_clone_without_its_promisor_names_every_blob_by_path() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a");
    f.commit_file("dir/b.txt", "word-b");
    f.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", f.repo().display());
    f.git_in(f.folder.path(), &["clone", "-q", "--bare", "--filter=blob:none", &url, "partial.git"]);
    let (a, b) = (f.git(&["rev-parse", "HEAD:a.txt"]), f.git(&["rev-parse", "HEAD:dir/b.txt"]));
    fs::remove_dir_all(f.repo()).unwrap();
    let scan = Scan::of(&f.path("partial.git"), false);
    let promised = |path: &str| (UnreadKind::Promised, path.to_owned());
    assert_eq!(scan.unread_words(), [promised("a.txt"), promised("dir/b.txt")]);
    let objects: Vec<_> = scan.unread().into_iter().map(|what| what.object.unwrap()).collect();
    assert_eq!(objects, [a, b]);
    assert!(scan.has("change a.txt"), "the rest is scanned");
}

#[test]
fn a_treeless_clone_names_its_trees() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a");
    f.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", f.repo().display());
    f.git_in(f.folder.path(), &["clone", "-q", "--bare", "--filter=tree:0", &url, "treeless.git"]);
    let tree = f.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(Scan::of(&f.path("treeless.git"), false).unread_words(), [(UnreadKind::Promised, tree)]);
}

#[test]
fn missing_objects_of_every_kind_are_named() {
    let Some(f) = Fixture::new() else { return };
    let one = f.commit_file("dir/a.txt", "word-a");
    f.commit_file("b.txt", "word-b");
    f.git(&["tag", "-a", "-m", "t", "v1"]);
    let object = |spec: &str| f.git(&["rev-parse", spec]);
    let (blob, tree, tag) = (object("HEAD:b.txt"), object(&format!("{one}:dir")), object("v1"));
    for (id, name) in [(&blob, "b.txt"), (&tree, "dir"), (&one, one.as_str()), (&tag, tag.as_str())] {
        let path = loose(&f, id);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let scan = f.scan();
        assert_eq!(scan.unread_words(), [(UnreadKind::Missing, name.to_owned())]);
        assert_eq!(scan.unread()[0].object.as_deref(), Some(id.as_str()));
        assert!(scan.unread()[0].detail.contains("git fsck"));
        fs::write(&path, bytes).unwrap();
    }
    f.scan().assert_clean();
}

#[test]
fn truncated_emptied_and_swapped_loose_objects_are_corrupt() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a ".repeat(500));
    f.commit_file("b.txt", "word-b");
    let id = f.git(&["rev-parse", "HEAD:a.txt"]);
    let other = fs::read(loose(&f, &f.git(&["rev-parse", "HEAD:b.txt"]))).unwrap();
    let path = loose(&f, &id);
    let whole = fs::read(&path).unwrap();
    let half = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[half] ^= 0x55;
    let damaged = [whole[..half].to_vec(), whole[..1].to_vec(), Vec::new(), other, flipped, b"garbage".to_vec()];
    for bytes in damaged {
        tamper(&path, |file| *file = bytes);
        for scan in [f.scan(), f.scan_unreachable()] {
            assert_eq!(scan.unread_words(), [(UnreadKind::Corrupt, "a.txt".to_owned())]);
            assert_eq!(scan.unread()[0].object.as_deref(), Some(id.as_str()));
            assert!(scan.has("word-b"), "the rest is scanned");
        }
    }
}

#[test]
fn every_damage_to_a_pack_is_told_and_none_panics() {
    let Some(f) = Fixture::new() else { return };
    for n in 0..6 {
        f.commit_file("a.txt", format!("{}\nversion {n}\n", "line of text\n".repeat(200)));
        f.commit_file(&format!("f{n}.txt"), format!("word-{n}"));
    }
    f.git(&["gc", "-q", "--aggressive"]);
    let find = |extension: &str| {
        let mut entries = fs::read_dir(f.repo().join(".git/objects/pack")).unwrap().flatten().map(|e| e.path());
        entries.find(|path| path.extension().is_some_and(|own| own == extension)).unwrap()
    };
    let whole = f.scan();
    whole.assert_clean();
    let contents = whole.seen.contents.lock().unwrap().clone();
    let mut told = 0;
    for extension in ["pack", "idx"] {
        let path = find(extension);
        let bytes = fs::read(&path).unwrap();
        let len = bytes.len();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..60 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(random >> 33).unwrap() % len;
            tamper(&path, |file| match round % 3 {
                0 => file[at] ^= 1 << (random % 8),
                1 => file.truncate(at),
                _ => file[at..(at + 16).min(len)].fill(0),
            });
            match Scan::try_of(&f.repo(), true) {
                Err(_) => told += 1,
                Ok(scan) => {
                    let seen = scan.seen.contents.lock().unwrap();
                    let real = |id: &ContentId| matches!(id, ContentId::Object(..));
                    for (id, bytes) in seen.iter().filter(|(id, _)| real(id)) {
                        assert_eq!(contents.get(id), Some(bytes), "damaged bytes are not handed out as whole");
                    }
                    let lost = contents.keys().filter(|id| real(id)).any(|id| !seen.contains_key(id));
                    let unread = scan.unread();
                    assert!(
                        !lost || !unread.is_empty(),
                        "{extension}, round {round}: something is lost without a word"
                    );
                    told += usize::from(!unread.is_empty());
                }
            }
            tamper(&path, |file| *file = bytes.clone());
        }
    }
    assert!(told > 60, "only {told} damages were told");
    f.scan().assert_clean();
}

#[test]
fn malformed_commits_tags_and_trees_are_still_texts() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    let write = |kind: &str, bytes: &[u8]| {
        f.write(".git/scratch", bytes);
        f.git(&["hash-object", "-w", "--literally", "-t", kind, ".git/scratch"])
    };
    let commit = write("commit", b"tree nothing\nauthor word-commit\n");
    let tag = write("tag", b"object nothing\nword-tag-text\n");
    let tree = write("tree", b"100644 word-entry\0short");
    for (n, id) in [&commit, &tag, &tree].into_iter().enumerate() {
        f.write(&format!(".git/refs/odd/{n}"), format!("{id}\n"));
    }
    let scan = f.scan();
    assert!(scan.has("word-commit") && scan.has("word-tag-text"));
    let mut expected = vec![(UnreadKind::Corrupt, commit), (UnreadKind::Corrupt, tag), (UnreadKind::Corrupt, tree)];
    expected.sort();
    let mut unread = scan.unread_words();
    unread.sort();
    assert_eq!(unread, expected);
}

#[test]
fn a_damaged_index_is_told_and_history_scanned() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a");
    tamper(&f.repo().join(".git/index"), |file| file.truncate(40));
    let scan = f.scan();
    assert_eq!(scan.unread_words(), [(UnreadKind::Corrupt, "index".to_owned())]);
    assert!(scan.has("word-a"));
}

#[test]
fn a_damaged_reflog_is_told_and_the_rest_of_it_read() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    f.commit_file("b.txt", "word-lost");
    f.git(&["reset", "-q", "--hard", "HEAD~1"]);
    f.git(&["update-ref", "-d", "ORIG_HEAD"]);
    tamper(&f.repo().join(".git/logs/HEAD"), |file| file.splice(0..0, *b"nonsense\n").for_each(drop));
    let scan = f.scan();
    assert_eq!(scan.unread_words(), [(UnreadKind::Corrupt, "logs/HEAD".to_owned())]);
    assert!(scan.has("word-lost"));
}

#[test]
fn contents_can_be_read_again() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a");
    let scan = f.scan();
    let contents = scan.seen.contents.lock().unwrap().clone();
    let mut read = 0;
    for (id, bytes) in contents.iter().filter(|(id, _)| matches!(id, ContentId::Object(..))) {
        assert_eq!(scan.history.read(*id).as_ref(), Ok(bytes));
        read += 1;
    }
    assert_eq!(read, 3);
    let missing = gix::ObjectId::from_hex(b"0123456789abcdef0123456789abcdef01234567").unwrap();
    let error = scan.history.read(ContentId::Object(ObjectPart::Blob, missing)).unwrap_err();
    assert_eq!(error.kind, UnreadKind::Missing);
}

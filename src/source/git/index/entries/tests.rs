use std::path::Path;

use super::super::super::scratch::Scratch;
use super::*;

/// All entries of the index at `path`, as `git ls-files --stage` prints them but for the stage.
fn listed(path: &Path, hash: Kind) -> Result<Vec<String>, String> {
    let file = Arc::new(File::open(path).expect("an index"));
    let len = file.metadata().expect("an index").len();
    let (entries, _) = Entries::find(file, len, hash)?;
    let mut cursor = entries.cursor();
    (0..entries.count).map(|at| line(&cursor.entry(at)?)).collect()
}

fn line(entry: &Entry<'_>) -> Result<String, String> {
    Ok(format!("{:06o} {} {}", entry.mode, entry.id, String::from_utf8_lossy(entry.path)))
}

/// The same as git has it.
fn told_by_git(scratch: &Scratch) -> Vec<String> {
    let all = scratch.git(&["ls-files", "--stage", "-z"]);
    let lines = all.split('\0').filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(" 0\t").map(|(mode, path)| format!("{mode} {path}")).expect("stage 0")).collect()
}

/// A repository whose index has 300 entries with paths of all lengths, one of them too long for its length to be stated.
fn scratch(init: &[&str]) -> Option<Scratch> {
    let scratch = Scratch::new(init)?;
    let id = scratch.git_with(&scratch.top, &[], &["hash-object", "-w", "--stdin"], b"x").expect("a blob");
    let folder = format!("{}/", "d".repeat(200));
    let mut lines = String::new();
    for at in 0..300 {
        let mode = ["100644", "100755", "120000", "160000"][at % 4];
        lines += &format!("{mode} {id}\tf{}/{at:03}{}\n", at / 40, "x".repeat(at % 61));
    }
    lines += &format!("100644 {id}\tlong/{}end\n", folder.repeat(30));
    lines += &format!("100644 {id}\tlong/{}end\n", folder.repeat(31));
    scratch.git_with(&scratch.top, &[], &["update-index", "--add", "--index-info"], lines.as_bytes()).expect("written");
    Some(scratch)
}

#[test]
fn every_version_and_hash_is_read_as_git_reads_it() {
    for (init, hash) in [(&[][..], Kind::Sha1), (&["--object-format=sha256"], Kind::Sha256)] {
        for version in ["2", "3", "4"] {
            let Some(scratch) = scratch(init) else { return };
            scratch.git(&["update-index", "--index-version", version]);
            if version == "3" {
                scratch.git(&["update-index", "--skip-worktree", "f0/001x"]);
            }
            let path = scratch.top.join(".git/index");
            assert_eq!(std::fs::read(&path).expect("an index")[7], version.as_bytes()[0] - b'0');
            let expected = told_by_git(&scratch);
            assert_eq!(expected.len(), 302);
            assert_eq!(listed(&path, hash).expect("whole"), expected, "version {version}");
            // In any order.
            let file = Arc::new(File::open(&path).expect("an index"));
            let len = file.metadata().expect("an index").len();
            let (entries, _) = Entries::find(file, len, hash).expect("whole");
            let mut cursor = entries.cursor();
            for step in 0..2000_usize {
                let at = (step * step * 7 + step / 3) % expected.len();
                assert_eq!(line(&cursor.entry(at).expect("it is there")).as_ref(), Ok(&expected[at]), "entry {at}");
            }
            assert!(cursor.entry(expected.len()).is_err() && cursor.entry(usize::MAX).is_err());
        }
    }
}

#[test]
fn entries_of_intent_are_told() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("a", "a");
    scratch.write("b", "b");
    scratch.git(&["add", "-N", "b"]);
    let file = Arc::new(File::open(scratch.top.join(".git/index")).expect("an index"));
    let len = file.metadata().expect("an index").len();
    let (entries, _) = Entries::find(file, len, Kind::Sha1).expect("whole");
    let mut cursor = entries.cursor();
    let intended = [0, 1].map(|at| cursor.entry(at).expect("it is there").is_intended);
    assert_eq!(intended, [false, true]);
}

#[test]
fn damage_is_an_error_or_harmless_and_never_a_panic() {
    for version in ["2", "4"] {
        let Some(scratch) = scratch(&[]) else { return };
        scratch.git(&["write-tree"]);
        scratch.git(&["update-index", "--index-version", version]);
        let path = scratch.top.join(".git/index");
        let whole = std::fs::read(&path).expect("an index");
        let expected = listed(&path, Kind::Sha1).expect("whole");
        assert_eq!(expected.len(), 302);
        let entries_end = memchr::memmem::rfind(&whole, b"TREE").expect("git has written trees");
        for cut in (0..whole.len()).step_by(97).filter(|cut| *cut != entries_end + 20) {
            std::fs::write(&path, &whole[..cut]).expect("ours");
            listed(&path, Kind::Sha1).expect_err("cut short");
        }
        let mut wrong = 0;
        for at in (0..whole.len() - 20).step_by(41) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x91;
            std::fs::write(&path, &bytes).expect("ours");
            wrong += usize::from(listed(&path, Kind::Sha1).is_err());
        }
        assert!(wrong > 0, "some damage shows");
    }
}

#[test]
fn what_git_would_not_read_is_refused() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("a", "a");
    let path = scratch.top.join(".git/index");
    let whole = std::fs::read(&path).expect("an index");
    let (body, hash) = whole.split_at(whole.len() - 20);
    let with = |extension: &[u8]| [body, extension, hash].concat();
    let patched = |at: usize, bytes: &[u8]| [&whole[..at], bytes, &whole[at + bytes.len()..]].concat();
    let cases = [
        (with(b"need\0\0\0\0"), "`need`"),
        (with(b"XTRA\0\0\0\x09short"), "cut short"),
        (patched(0, b"CRID"), "no index"),
        (patched(4, &5_u32.to_be_bytes()), "version 5"),
        (patched(8, &9_u32.to_be_bytes()), "cut short"),
        (patched(8, &u32::MAX.to_be_bytes()), "cut short"),
    ];
    for (bytes, says) in cases {
        std::fs::write(&path, bytes).expect("ours");
        let error = listed(&path, Kind::Sha1).expect_err(says);
        assert!(error.contains(says), "{error}");
    }
    std::fs::write(&path, with(b"XTRA\0\0\0\x05known")).expect("ours");
    assert_eq!(listed(&path, Kind::Sha1).map(|all| all.len()), Ok(1), "what git may skip is skipped");
}

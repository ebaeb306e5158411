//! Objects and files that are damaged, absent, left on a server, or not ours to read.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use super::fails;
use crate::harness::{Repo, Run, Token, Workspace, keytrail, scan, tool};

/// `history` of a repository, run elsewhere.
fn history(repo: &Repo) -> Run {
    keytrail(["history", repo.spelled()])
}

/// The file of a loose object.
fn loose(repo: &Repo, id: &str) -> PathBuf {
    repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Makes a file of git's writable and gives its bytes.
fn take(path: &PathBuf) -> Vec<u8> {
    let mut permissions = fs::metadata(path).expect("git wrote it").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of a temporary folder")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).expect("it is ours");
    fs::read(path).expect("git wrote it")
}

/// Text that packs badly and differs for each `seed`.
fn noise(seed: u64, lines: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..lines).map(|_| format!("{:016x} {:016x}\n", next(), next())).collect()
}

#[test]
fn a_damaged_pack_is_named_and_the_rest_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("damaged") else { return };
    let token = Token::new("beside a damaged object");
    for seed in 1..20 {
        repo.write(format!("noise-{seed}.txt"), noise(seed, 200));
    }
    repo.commit("Noise");
    repo.commit_file("leak.txt", token.line());
    repo.git(["gc", "--quiet"]);
    let packs = repo.path().join(".git/objects/pack");
    let pack = fs::read_dir(packs).expect("gc made a pack").map(|entry| entry.expect("readable").path());
    let pack = pack.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "pack")).expect("a pack");
    let mut bytes = take(&pack);
    let middle = bytes.len() / 2;
    bytes[middle..middle + 24].iter_mut().for_each(|byte| *byte ^= 0xff);
    fs::write(&pack, bytes).expect("it is ours");
    assert!(!repo.git_succeeds(&["fsck", "--no-progress"]), "git sees the damage too");

    let results = scan(&history(&repo));
    assert_eq!(results.code, 3);
    assert!(results.unread_kinds().contains(&"corrupt".to_owned()), "{:?}", results.unread);
    assert_eq!(results.labels(), [token.label()], "what could be read is reported");
    fails(history(&repo).go(), 3, &["corrupt", "git fsck"]);
}

#[test]
fn a_truncated_or_missing_loose_object_is_named() {
    for (what, kind) in [("truncated", "corrupt"), ("emptied", "corrupt"), ("missing", "missing")] {
        let workspace = Workspace::new();
        let Some(repo) = workspace.repo(what) else { return };
        let (lost, kept) = (Token::new(&format!("{what} object")), Token::new(&format!("beside a {what} object")));
        repo.write("lost.txt", lost.line());
        repo.commit_file("kept.txt", kept.line());
        let id = repo.id("HEAD:lost.txt");
        let file = loose(&repo, &id);
        let bytes = take(&file);
        match what {
            "truncated" => fs::write(&file, &bytes[..bytes.len() / 2]).expect("it is ours"),
            "emptied" => fs::write(&file, b"").expect("it is ours"),
            _ => fs::remove_file(&file).expect("it is ours"),
        }
        let results = scan(&history(&repo));
        assert_eq!(results.code, 3, "{what}");
        assert_eq!(results.unread_kinds(), [kind], "{what}");
        assert_eq!(results.unread[0]["object"], id, "{what}");
        assert_eq!(results.labels(), [kept.label()], "{what}");
        fails(history(&repo).go(), 3, &[&id]);

        // The same object, staged: nothing else tells what the commit holds.
        repo.git(["update-index", "--add", "--cacheinfo", &format!("100644,{id},staged.txt")]);
        fails(keytrail(["staged"]).within(repo.path()).go(), 3, &["staged.txt"]);
    }
}

#[test]
fn a_missing_tree_is_named() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("no-tree") else { return };
    repo.commit_file("a/b.txt", "text\n");
    let id = repo.id("HEAD:a");
    fs::remove_file(loose(&repo, &id)).expect("it is loose");
    fails(history(&repo).go(), 3, &[&id]);
}

#[test]
fn a_partial_clone_without_its_promisor_is_incomplete() {
    let workspace = Workspace::new();
    let Some(origin) = workspace.repo("origin") else { return };
    let token = Token::new("left on the server");
    origin.commit_file("leak.txt", token.line());
    origin.git(["config", "uploadpack.allowFilter", "true"]);
    let partial = origin.clone_to("partial", &["--filter=blob:none", "--no-checkout"]);
    let blob = origin.id("HEAD:leak.txt");
    let here = partial.try_git(&["cat-file", "-e", &blob], &[("GIT_NO_LAZY_FETCH", "1".as_ref())], b"");
    assert!(!here.status.success(), "the blob stayed behind");
    for gone in [false, true] {
        if gone {
            fs::rename(origin.path(), workspace.path("moved")).expect("it is ours");
        }
        let results = scan(&history(&partial));
        assert_eq!((results.code, results.unread_kinds()), (3, vec!["promised".to_owned()]), "{:?}", results.unread);
        fails(history(&partial).go(), 3, &["git"]);
        let after = partial.try_git(&["cat-file", "-e", &blob], &[("GIT_NO_LAZY_FETCH", "1".as_ref())], b"");
        assert!(!after.status.success(), "nothing was fetched behind the user's back");
    }
}

#[test]
fn a_shallow_clone_is_incomplete() {
    let workspace = Workspace::new();
    let Some(origin) = workspace.repo("origin") else { return };
    let (before, tip) = (Token::new("before the boundary"), Token::new("at the tip of a shallow clone"));
    origin.commit_file("old.txt", before.line());
    origin.remove("old.txt");
    origin.commit("Tidy");
    origin.commit_file("new.txt", tip.line());
    let shallow = origin.clone_to("shallow", &["--depth=1"]);
    let results = scan(&history(&shallow));
    assert_eq!((results.code, results.labels()), (3, vec![tip.label().to_owned()]));
    assert!(results.unread_kinds().iter().all(|kind| kind == "shallow"), "{:?}", results.unread);
    fails(history(&shallow).go(), 3, &["git fetch --unshallow"]);
    // Once mended, it is complete.
    shallow.git(["fetch", "--quiet", "--unshallow"]);
    scan(&history(&shallow)).holds_exactly(&[&before, &tip]);
}

#[test]
fn an_lfs_object_that_is_not_here_is_unread_and_one_that_is_here_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("lfs") else { return };
    let token = Token::new("in an LFS object");
    let content = token.line();
    let id: String = {
        use sha2::Digest as _;
        sha2::Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {}\n", content.len());
    repo.commit_file("big.bin", pointer);
    let results = scan(&history(&repo));
    assert_eq!((results.code, results.unread_kinds()), (3, vec!["lfs-absent".to_owned()]));
    fails(history(&repo).go(), 3, &["big.bin", "git lfs fetch"]);
    repo.write(format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]), &content);
    let results = scan(&history(&repo));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().path, "big.bin");
}

#[test]
fn a_damaged_index_is_no_empty_one() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("index") else { return };
    repo.commit_file("a.txt", "text\n");
    repo.write("b.txt", Token::new("behind a damaged index").line());
    repo.git(["add", "b.txt"]);
    let index = repo.path().join(".git/index");
    let file = OpenOptions::new().write(true).open(&index).expect("there is an index");
    file.set_len(fs::metadata(&index).expect("there is an index").len() / 2).expect("it is ours");
    let ran = keytrail(["staged"]).within(repo.path()).go();
    ran.exits_one_of(&[2, 3]).says(&["index"]).doesnt_say(&super::ALL_CLEAR);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let workspace = Workspace::new();
    let token = Token::new("beside an unreadable file");
    let closed = workspace.write("tree/closed.txt", Token::new("in an unreadable file").line());
    workspace.write("tree/open.txt", token.line());
    workspace.write("tree/folder/inside.txt", "text\n");
    let allow = |path: PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    allow(closed.clone(), 0o000);
    allow(workspace.path("tree/folder"), 0o000);
    allow(workspace.path(""), 0o755);
    let mut run = keytrail(["files"]).arg(workspace.path("tree"));
    if fs::metadata(&closed).expect("it is there").uid() == 0 {
        // Root may read everything, so somebody else runs a copy of the binary, which may lie where they can't.
        let Some(setpriv) = tool("setpriv") else { return };
        let copy = workspace.path("keytrail");
        fs::copy(env!("CARGO_BIN_EXE_keytrail"), &copy).expect("the disk has room");
        allow(copy.clone(), 0o755);
        let nobody =
            [setpriv.as_os_str(), "--reuid=65534".as_ref(), "--regid=65534".as_ref(), "--clear-groups".as_ref()];
        run = run.program(&copy).through(nobody).within("/");
    }
    let results = scan(&run);
    assert_eq!((results.code, results.labels()), (3, vec![token.label().to_owned()]));
    assert_eq!(results.unread_kinds(), ["permission", "permission"], "{:?}", results.unread);
    fails(run.go(), 3, &["closed.txt", "folder", "permission"]);
    allow(workspace.path("tree/folder"), 0o755);
}

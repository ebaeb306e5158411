use super::super::scratch::{Scan, Scratch, scan, states};
use super::*;
use crate::source::{Excluded, UnreadKind};

/// What the tests look for.
const WORD: &str = "NEEDLE";

/// A line with the word in it.
const LINE: &[u8] = b"a line\nwith a NEEDLE in it\n";

/// Scans what is staged in `folder`.
fn staged_in(folder: &Path, variables: &[(&str, &Path)]) -> Scan {
    let source = Staged::new(folder, Opening::Own, Policy::default(), None).in_environment(variables);
    scan(&source, WORD).expect("the index can be read")
}

fn staged(scratch: &Scratch) -> Scan {
    staged_in(&scratch.top, &[])
}

#[test]
fn only_what_the_index_adds_is_introduced() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("old", LINE);
    scratch.add("other", "nothing");
    scratch.commit("first");
    assert_eq!(staged(&scratch).contents, 0);
    assert!(staged(&scratch).notes[0].contains("nothing is staged"));
    scratch.add("old", [LINE, b"more\n"].concat());
    assert_eq!(staged(&scratch).introduced, [""; 0], "it was there before");
    scratch.add("old", [LINE, LINE].concat());
    assert_eq!(staged(&scratch).introduced, ["old: content"], "a second one is new");
    scratch.add("new/file", LINE);
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["new/file: content", "old: content"]);
    assert_eq!(scan.contents, 3, "two blobs and one new name");
    assert_eq!(states(&scan), [State::Index, State::Index]);
    assert_eq!(scan.unread, []);
}

#[test]
fn the_work_tree_has_no_say() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "nothing");
    scratch.write("a", LINE);
    scratch.write("untracked", LINE);
    assert_eq!(staged(&scratch).contents, 0);
    scratch.git(&["add", "a"]);
    scratch.write("a", "clean again");
    assert_eq!(staged(&scratch).introduced, ["a: content"]);
}

#[test]
fn without_a_first_commit_all_is_new() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    assert!(staged(&scratch).notes[0].contains("nothing is staged"), "an empty repository has no index yet");
    scratch.add("deep/er/file", LINE);
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["deep/er/file: content"]);
    assert_eq!(scan.places[0].before, Before::Sides(vec![]));
}

#[test]
fn renames_excuse_what_moved_and_copies_do_not() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("dir/a", LINE);
    scratch.add("dir/b", [LINE, b"b"].concat());
    scratch.commit("first");
    scratch.git(&["mv", "dir", "moved"]);
    assert_eq!(staged(&scratch).introduced, [""; 0], "a pure rename of a folder");
    scratch.add("moved/a", [b"edited\n", LINE].concat());
    assert_eq!(staged(&scratch).introduced, [""; 0], "an edited rename");
    scratch.add("third", LINE);
    assert_eq!(staged(&scratch).introduced, ["third: content"], "two were removed, three are there");
    scratch.git(&["reset", "-q", "--hard"]);
    scratch.add("copy", LINE);
    assert_eq!(staged(&scratch).introduced, ["copy: content"], "a copy is new");
}

#[test]
fn removals_alone_are_said_to_add_nothing() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", LINE);
    scratch.git(&["rm", "-q", "a"]);
    let scan = staged(&scratch);
    assert_eq!((scan.contents, scan.notes.len()), (0, 1));
}

/// A repository with a merge under way that doesn't commit by itself. Each side added the word once.
fn merging() -> Option<Scratch> {
    let scratch = Scratch::new(&[])?;
    scratch.commit_file("base", "base\n");
    scratch.git(&["checkout", "-q", "-b", "side"]);
    scratch.add("ours-too/x", "side\n");
    scratch.commit_file("from-side", LINE);
    scratch.git(&["checkout", "-q", "main"]);
    scratch.commit_file("from-main", LINE);
    scratch.git(&["merge", "-q", "--no-commit", "side"]);
    Some(scratch)
}

#[test]
fn a_merge_is_measured_against_every_head() {
    let Some(scratch) = merging() else { return };
    let scan = staged(&scratch);
    assert_eq!((scan.contents, scan.introduced), (0, vec![]), "all of it is on one side or the other");
    scratch.add("from-side", [LINE, LINE].concat());
    scratch.add("own", LINE);
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["from-side: content", "own: content"], "the merge's own change");
    let Before::Sides(sides) = &scan.places[0].before else { panic!("no path was removed") };
    assert!(matches!(sides[..], [None, Some(_)]), "{sides:?}");
}

#[test]
fn the_hook_before_a_merge_commit_knows_the_other_head() {
    let Some(scratch) = merging() else { return };
    let side = scratch.git(&["rev-parse", "side"]);
    std::fs::remove_file(scratch.top.join(".git/MERGE_HEAD")).expect("a merge is under way");
    assert_eq!(staged(&scratch).introduced, ["from-side: content"]);
    let name = format!("GITHEAD_{side}");
    assert_eq!(staged_in(&scratch.top, &[(&name, Path::new("side"))]).introduced, [""; 0]);
    let tree = format!("GITHEAD_{}", scratch.git(&["rev-parse", "side^{tree}"]));
    let scan = staged_in(&scratch.top, &[(&tree, Path::new("a patch"))]);
    assert_eq!((scan.introduced, scan.unread), (vec!["from-side: content".to_owned()], vec![]), "a tree is no head");
}

#[test]
fn every_stage_of_a_conflict_is_scanned() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "base\n");
    scratch.git(&["checkout", "-q", "-b", "side"]);
    scratch.commit_file("a", LINE);
    scratch.git(&["checkout", "-q", "main"]);
    let main = scratch.commit_file("a", "ours\n");
    scratch.git(&["cherry-pick", "--no-commit", &main]);
    scratch.git_with(&scratch.top, &[], &["cherry-pick", "side"], b"").expect_err("a conflict");
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["a: content"], "a pick isn't a merge: its side is new here");
    assert_eq!(scan.contents, 2, "base and theirs; ours is what HEAD has");
}

#[test]
fn intent_to_add_gives_the_name_only() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    scratch.write("NEEDLE.txt", LINE);
    scratch.git(&["add", "-N", "NEEDLE.txt"]);
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["NEEDLE.txt: path name"]);
    assert_eq!(scan.contents, 1);
}

#[test]
fn new_names_are_scanned_and_old_ones_are_not() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("NEEDLE/old", "a");
    scratch.add("NEEDLE/old", "b");
    assert_eq!(staged(&scratch).introduced, [""; 0]);
    scratch.add("x/NEEDLE/new ü", "c");
    assert_eq!(staged(&scratch).introduced, ["x/NEEDLE/new ü: path name"]);
}

#[cfg(unix)]
#[test]
fn links_types_and_attributes() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add(".gitattributes", "secret.bin binary\nhidden -diff filter=none\n");
    scratch.add("file", "plain\n");
    scratch.commit("first");
    std::os::unix::fs::symlink("to/NEEDLE", scratch.top.join("link")).expect("a link");
    std::fs::remove_file(scratch.top.join("file")).expect("it is there");
    std::os::unix::fs::symlink("NEEDLE", scratch.top.join("file")).expect("a link");
    scratch.add("secret.bin", [b"\0\x01", LINE].concat());
    scratch.add("hidden", LINE);
    scratch.git(&["add", "link", "file"]);
    let introduced = ["file: link target", "hidden: content", "link: link target", "secret.bin: content"];
    assert_eq!(staged(&scratch).introduced, introduced);
    scratch.commit("second");
    scratch.git(&["update-index", "--chmod=+x", "hidden"]);
    std::fs::remove_file(scratch.top.join("file")).expect("it is there");
    scratch.add("file", "NEEDLE");
    assert_eq!(staged(&scratch).contents, 0, "modes and types change, contents don't");
}

#[test]
fn submodules_are_listed() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let id = scratch.commit_file("a", "a");
    scratch.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},sub")]);
    let scan = staged(&scratch);
    // Its name is a text; its commit is not ours to read.
    assert_eq!((scan.listed, scan.contents, scan.unread), (vec!["submodule sub".to_owned()], 1, vec![]));
}

#[test]
fn a_partial_commit_is_read_from_its_own_index() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    scratch.commit_file("b", "b");
    scratch.write("a", LINE);
    scratch.add("b", LINE);
    // What the hook of `git commit a` sees.
    let hook = "#!/bin/sh\ncp \"$GIT_INDEX_FILE\" .git/seen-index\nexit 1\n";
    scratch.write(".git/hooks/pre-commit", hook);
    if cfg!(not(unix)) {
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(scratch.top.join(".git/hooks/pre-commit"), mode).expect("it is ours");
    }
    scratch.git_with(&scratch.top, &[], &["commit", "-m", "x", "a"], b"").expect_err("the hook refuses");
    let index = [("GIT_INDEX_FILE", Path::new(".git/seen-index"))];
    assert_eq!(staged_in(&scratch.top, &index).introduced, ["a: content"]);
    assert_eq!(staged(&scratch).introduced, ["b: content"]);
}

#[test]
fn worktrees_and_sub_folders_find_their_index() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("dir/a", "a");
    let linked = scratch.around().join("linked");
    scratch.git(&["worktree", "add", "-q", "-b", "linked", &linked.to_string_lossy()]);
    std::fs::write(linked.join("dir/a"), LINE).expect("a file");
    scratch.git_with(&linked, &[], &["add", "dir/a"], b"").expect("staged");
    assert_eq!(staged(&scratch).contents, 0);
    for folder in [linked.clone(), linked.join("dir")] {
        assert_eq!(staged_in(&folder, &[]).introduced, ["dir/a: content"]);
    }
    let git_dir = scratch.top.join(".git/worktrees/linked");
    assert_eq!(staged_in(&scratch.top, &[("GIT_DIR", &git_dir)]).introduced, ["dir/a: content"]);
}

#[test]
fn the_cache_tree_changes_speed_and_nothing_else() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    for at in 0..40 {
        scratch.write(&format!("d{}/e{}/f{at}", at % 4, at % 3), format!("{at}"));
    }
    scratch.git(&["add", "."]);
    scratch.commit("first");
    scratch.git(&["read-tree", "HEAD"]);
    scratch.add("d1/e1/f1", LINE);
    let with = staged(&scratch);
    assert!(has_cache_tree(&scratch), "read-tree writes it");
    // Going back and forth through another hash of entries drops the extension.
    let entries = scratch.git(&["ls-files", "--stage"]);
    std::fs::remove_file(scratch.top.join(".git/index")).expect("it is there");
    scratch.git_with(&scratch.top, &[], &["update-index", "--index-info"], entries.as_bytes()).expect("rebuilt");
    assert!(!has_cache_tree(&scratch));
    let without = staged(&scratch);
    assert_eq!(with.introduced, ["d1/e1/f1: content"]);
    assert_eq!((with.introduced, with.texts), (without.introduced, without.texts));
}

/// Whether the index has a valid id for some folder.
fn has_cache_tree(scratch: &Scratch) -> bool {
    let repository = Repository::open_in(&scratch.top, Opening::Named, &|_| None).expect("a repository");
    let index = repository.index().expect("readable").expect("there");
    let inner = |top| index.inner(top, b"d0").and_then(|inner| index.tree(inner));
    index.top().and_then(inner).is_some()
}

#[test]
fn folders_with_the_same_tree_are_not_entered() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("same/deep/a", "a");
    scratch.add("changed/b", "b");
    scratch.commit("first");
    scratch.git(&["read-tree", "HEAD"]);
    scratch.add("changed/b", LINE);
    // Without its tree object the unchanged folder could not be entered.
    let tree = scratch.git(&["rev-parse", "HEAD:same"]);
    let object = scratch.top.join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    std::fs::rename(object, scratch.around().join("away")).expect("a loose object");
    let scan = staged(&scratch);
    assert_eq!((scan.introduced, scan.unread), (vec!["changed/b: content".to_owned()], vec![]));
}

#[test]
fn split_and_sparse_and_version_4_indexes_are_read() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    for path in ["in/a", "out/deep/b", "out/c", "top"] {
        scratch.add(path, path);
    }
    scratch.commit("first");
    scratch.git(&["update-index", "--split-index"]);
    scratch.add("in/a", LINE);
    scratch.git(&["rm", "-q", "--cached", "top"]);
    scratch.add("in/z", LINE);
    let expected = ["in/a: content", "in/z: content"];
    assert_eq!(staged(&scratch).introduced, expected, "split");
    assert!(
        std::fs::read_dir(scratch.top.join(".git"))
            .expect("a folder")
            .flatten()
            .any(|entry| { entry.file_name().to_string_lossy().starts_with("sharedindex.") })
    );
    scratch.git(&["update-index", "--no-split-index", "--index-version", "4"]);
    assert_eq!(staged(&scratch).introduced, expected, "version 4");
    scratch.git(&["reset", "-q", "--hard"]);
    scratch.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    scratch.add("in/a", LINE);
    scratch.add("in/z", LINE);
    let scan = staged(&scratch);
    assert_eq!((scan.introduced, scan.unread), (expected.map(str::to_owned).to_vec(), vec![]), "sparse");
}

#[test]
fn a_split_index_without_its_shared_part_is_an_error() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    scratch.git(&["update-index", "--split-index"]);
    scratch.add("a", LINE);
    for entry in std::fs::read_dir(scratch.top.join(".git")).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("sharedindex.") {
            std::fs::remove_file(entry.path()).expect("it is ours");
        }
    }
    let source = Staged::new(&scratch.top, Opening::Named, Policy::default(), None);
    let error = scan(&source, WORD).map(|_| ()).expect_err("half an index").to_string();
    assert!(error.contains("--no-split-index"), "{error}");
}

#[test]
fn a_damaged_index_is_an_error() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    let path = scratch.top.join(".git/index");
    let whole = std::fs::read(&path).expect("an index");
    for cut in [0, 10, 31, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).expect("ours");
        let source = Staged::new(&scratch.top, Opening::Named, Policy::default(), None);
        scan(&source, WORD).map(|_| ()).expect_err("cut short");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        std::fs::write(&path, &bytes).expect("ours");
        let source = Staged::new(&scratch.top, Opening::Named, Policy::default(), None);
        scan(&source, WORD).map(|_| ()).expect_err("a byte changed");
    }
}

#[test]
fn a_missing_staged_blob_is_unread() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    scratch.add("b", LINE);
    let id = scratch.git(&["rev-parse", ":b"]);
    std::fs::remove_file(scratch.top.join(".git/objects").join(&id[..2]).join(&id[2..])).expect("a loose object");
    let scan = staged(&scratch);
    assert_eq!(scan.unread_kinds(), [UnreadKind::Missing]);
    assert_eq!((scan.unread[0].what.as_slice(), scan.unread[0].object.as_deref()), (&b"b"[..], Some(id.as_str())));
}

#[test]
fn the_message_is_scanned_whole() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let message = scratch.around().join("message");
    std::fs::write(&message, b"subject\n\n# NEEDLE\n").expect("a file");
    let source = Staged::new(&scratch.top, Opening::Named, Policy::default(), Some(message));
    let found = scan(&source, WORD).expect("a message");
    assert_eq!(found.introduced, [": commit message"]);
    let source = Staged::new(&scratch.top, Opening::Named, Policy::default(), Some(scratch.around().join("none")));
    scan(&source, WORD).map(|_| ()).expect_err("a message that isn't there");
}

#[test]
fn the_diff_below_a_verbose_message_is_not_the_message() {
    let scissors = "# ------------------------ >8 ------------------------\n";
    let note = "# Do not modify or remove the line above.\n# Everything below it will be ignored.\n";
    for (text, expected) in [
        (format!("subject\n\n# on branch\n{scissors}{note}diff --git a/x b/x\n-NEEDLE\n"), "subject\n\n# on branch\n"),
        ("subject\n; ------------------------ >8 ------------------------\ndiff --git a/x b/x\n".into(), "subject\n"),
        (format!("subject\n{scissors}NEEDLE\n"), ""),
        (format!("subject\n{scissors}"), ""),
        ("subject\ndiff --git a/x b/x\n".into(), ""),
        (String::new(), ""),
    ] {
        let kept = String::from_utf8_lossy(without_diff(text.as_bytes())).into_owned();
        assert_eq!(kept, if expected.is_empty() { &text } else { expected }, "{text}");
    }
}

#[test]
fn sha256_repositories_are_read() {
    let Some(scratch) = Scratch::new(&["--object-format=sha256"]) else { return };
    scratch.commit_file("dir/a", LINE);
    scratch.git(&["mv", "dir/a", "dir/b"]);
    scratch.add("dir/c", LINE);
    assert_eq!(staged(&scratch).introduced, ["dir/c: content"]);
}

#[test]
fn many_blobs_are_read_on_all_threads_and_policy_leaves_some_out() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    for at in 0..600 {
        scratch.write(&format!("src/f{at}"), format!("{at} NEEDLE"));
    }
    scratch.write("vendor/x", LINE);
    scratch.git(&["add", "."]);
    let mut globs = globset::GlobSetBuilder::new();
    globs.add(globset::Glob::new("vendor/**").expect("a glob"));
    let policy = Policy::new(false, globs.build().expect("globs"), false);
    let source = Staged::new(&scratch.top, Opening::Named, policy, None);
    let found = scan(&source, WORD).expect("staged");
    assert_eq!(found.introduced.len(), 600);
    assert_eq!(found.excluded, [(Excluded::ExcludeGlob, 1)]);
}

#[test]
fn a_bare_repository_has_nothing_to_stage() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    let bare = scratch.around().join("bare.git");
    scratch.git(&["clone", "-q", "--bare", ".", &bare.to_string_lossy()]);
    let source = Staged::new(&bare, Opening::Named, Policy::default(), None);
    let error = scan(&source, WORD).map(|_| ()).expect_err("no index").to_string();
    assert!(error.contains("bare"), "{error}");
}

/// Stages `path` as a Git LFS pointer to `content`, which is stored unless `is_absent`.
fn add_pointer(scratch: &Scratch, path: &str, content: &[u8], is_absent: bool) {
    use sha2::Digest as _;
    let oid: String = sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    if !is_absent {
        scratch.write(&format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), content);
    }
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", content.len());
    scratch.add(path, pointer);
}

#[test]
fn files_behind_lfs_pointers_are_what_the_path_holds() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    add_pointer(&scratch, "big", LINE, false);
    assert_eq!(staged(&scratch).introduced, ["big: content"]);
    scratch.commit("first");
    add_pointer(&scratch, "big", &[LINE, b"more"].concat(), false);
    assert_eq!(staged(&scratch).introduced, [""; 0], "it was there before");
    add_pointer(&scratch, "big", &[LINE, LINE].concat(), false);
    assert_eq!(staged(&scratch).introduced, ["big: content"]);
    add_pointer(&scratch, "big", b"somewhere else", true);
    let scan = staged(&scratch);
    assert_eq!(scan.unread_kinds(), [UnreadKind::LfsAbsent]);
    assert_eq!(scan.unread[0].what, b"big");
}

#[test]
fn test_directories_are_counted() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    for path in ["src/lib.rs", "__tests__/a/x.js", "__tests__/y.js"] {
        scratch.add(path, LINE);
    }
    let scan = staged(&scratch);
    assert_eq!(scan.introduced, ["src/lib.rs: content"]);
    assert_eq!(scan.excluded, [(Excluded::TestDirectory, 1), (Excluded::TestFile, 2)]);
}

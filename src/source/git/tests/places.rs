//! Paths, first and last commits, and states of what was found.

use super::*;
use crate::place::State;

#[test]
fn first_and_last_commit_and_state_of_every_path() {
    let Some(f) = Fixture::new() else { return };
    let one = f.commit_file("keep.txt", "word-keep");
    let two = f.commit_file("dir/moved.txt", "word-move");
    f.git(&["mv", "dir/moved.txt", "new.txt"]);
    let three = f.commit("move");
    f.git(&["branch", "side"]);
    f.git(&["rm", "-q", "new.txt"]);
    let four = f.commit("remove");
    let scan = f.scan();
    assert_eq!(scan.lines("word-keep"), [format!("keep.txt | content | default tip | {one} | {four} | -")]);
    assert_eq!(
        scan.lines("word-move"),
        [
            format!("dir/moved.txt | content | history only | {two} | {two} | -"),
            format!("new.txt | content | tip | {three} | {three} | -"),
        ]
    );
    f.write("staged.txt", "word-staged");
    f.write("copy.txt", "word-move");
    f.git(&["add", "-A"]);
    let scan = f.scan();
    assert_eq!(scan.lines("word-staged"), ["staged.txt | content | index | - | - | -"]);
    assert!(scan.lines("word-move").contains(&"copy.txt | content | index | - | - | -".to_owned()));
}

#[test]
fn clocks_that_lie_do_not_put_children_first() {
    let Some(f) = Fixture::new() else { return };
    f.clock.set(2_000_000_000);
    let old = f.commit_file("a.txt", "word-a");
    f.clock.set(1_000_000_000);
    let new = f.commit_file("b.txt", "x");
    let scan = f.scan();
    assert_eq!(scan.lines("word-a"), [format!("a.txt | content | default tip | {old} | {new} | -")]);
    let found = scan.places("word-a");
    let (first, last) = (found[0].place.first.clone().unwrap(), found[0].place.last.clone().unwrap());
    assert!(first.order < last.order && first.committer_time > last.committer_time);
    assert!(first.author_time > 1_999_999_999);
}

#[test]
fn a_merge_has_its_own_change_and_branches_their_first_commits() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "0");
    let mut tips = Vec::new();
    for side in ["x", "y", "z"] {
        f.git(&["checkout", "-q", "-b", side, "main"]);
        tips.push(f.commit_file(&format!("{side}.txt"), format!("word-{side}")));
    }
    f.git(&["checkout", "-q", "main"]);
    f.git(&["merge", "-q", "--no-ff", "-m", "octopus", "x", "y", "z"]);
    let octopus = f.git(&["rev-parse", "HEAD"]);
    assert_eq!(f.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 5);
    f.git(&["checkout", "-q", "-b", "w", &tips[0]]);
    f.commit_file("w.txt", "w");
    f.git(&["checkout", "-q", "main"]);
    f.git(&["merge", "-q", "--no-commit", "--no-ff", "w"]);
    let merge = f.commit_file("evil.txt", "word-evil");
    let scan = f.scan();
    assert_eq!(scan.lines("word-evil"), [format!("evil.txt | content | default tip | {merge} | {merge} | -")]);
    assert_eq!(scan.lines("word-y"), [format!("y.txt | content | default tip | {} | {merge} | -", tips[1])]);
    assert!(scan.lines("octopus")[0].contains(&format!("commit message | history only | {octopus} | {octopus}")));
}

#[test]
fn what_only_one_odd_ref_reaches_names_it() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "word-a");
    f.git(&["notes", "add", "-m", "word-note"]);
    f.write("a.txt", "word-stash");
    f.write("u.txt", "word-untracked");
    f.git(&["stash", "-q", "-u"]);
    f.git(&["checkout", "-q", "--detach"]);
    let pull = f.commit_file("p.txt", "word-pull");
    f.git(&["update-ref", "refs/pull/7/head", "HEAD"]);
    f.git(&["checkout", "-q", "main"]);
    f.git(&["tag", "-a", "-m", "word-tag", "v1"]);
    f.git(&["tag", "-a", "-m", "word-outer", "v2", "v1"]);
    let scan = f.scan();
    assert_eq!(scan.lines("word-pull"), [format!("p.txt | content | tip | {pull} | {pull} | refs/pull/7/head")]);
    let note = scan.lines("word-note");
    assert_eq!(note.len(), 1);
    assert!(note[0].contains("| note | tip |") && note[0].ends_with("| refs/notes/commits"), "{note:?}");
    for word in ["word-stash", "word-untracked"] {
        let lines = scan.lines(word);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(".txt | content | tip |") && lines[0].ends_with("| refs/stash"), "{lines:?}");
    }
    assert_eq!(scan.lines("word-tag"), [" | tag | tip | - | - | refs/tags/v1"]);
    assert_eq!(scan.lines("word-outer"), [" | tag | tip | - | - | refs/tags/v2"]);
    assert!(scan.lines("word-a")[0].ends_with("| -"), "what main has needs no other name");
}

#[test]
fn a_commit_on_a_branch_is_first_before_one_that_a_rewrite_left_in_the_reflog() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "0");
    let before = f.commit_file("b.txt", "word-b");
    f.git(&["commit", "-q", "--amend", "-m", "again"]);
    let after = f.git(&["rev-parse", "HEAD"]);
    assert_ne!(before, after);
    assert_eq!(f.scan().lines("word-b"), [format!("b.txt | content | default tip | {after} | {after} | -")]);
    f.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let lost = f.scan().lines("word-b");
    assert_eq!(lost, [format!("b.txt | content | history only | {before} | {after} | -")]);
}

#[test]
fn names_of_files_and_folders_have_the_path_they_stand_in() {
    let Some(f) = Fixture::new() else { return };
    let one = f.commit_file("top/word-folder/inner.txt", "1");
    f.commit_file("top/other.txt", "2");
    f.git(&["rm", "-q", "-r", "top"]);
    let three = f.commit_file("x/word-file ü.txt", "3");
    let scan = f.scan();
    let mut lines = scan.lines("word-f");
    lines.retain(|line| line.contains("path name"));
    let two = f.git(&["rev-parse", &format!("{three}~1")]);
    let mut expected = [
        format!("top/word-folder | path name | history only | {one} | {one} | -"),
        format!("top/word-folder | path name | history only | {two} | {two} | -"),
        format!("x/word-file ü.txt | path name | default tip | {three} | {three} | -"),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    let found = scan.places("word-file");
    assert!(found.iter().any(|found| found.line == Some(0)));
}

#[cfg(unix)]
#[test]
fn link_targets_and_direct_refs_to_blobs_and_trees() {
    let Some(f) = Fixture::new() else { return };
    std::os::unix::fs::symlink("word-target", f.repo().join("link")).unwrap();
    let one = f.commit("link");
    f.write(".git/scratch", "word-blob");
    let blob = f.git(&["hash-object", "-w", ".git/scratch"]);
    f.git(&["tag", "direct", &blob]);
    f.write("t.txt", "word-tree");
    f.git(&["add", "t.txt"]);
    let tree = f.git(&["write-tree"]);
    f.git(&["reset", "-q", "--hard"]);
    f.git(&["update-ref", "refs/trees/t", &tree]);
    let scan = f.scan();
    assert_eq!(scan.lines("word-target"), [format!("link | link target | default tip | {one} | {one} | -")]);
    assert_eq!(scan.lines("word-blob"), [" | content | tip | - | - | refs/tags/direct"]);
    assert_eq!(scan.lines("word-tree"), ["t.txt | content | tip | - | - | refs/trees/t"]);
}

#[test]
fn unreachable_contents_have_the_path_an_unreachable_tree_gives_them() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "0");
    f.write("deep/er/u.txt", "word-lost-tree");
    f.git(&["add", "-A"]);
    f.git(&["write-tree"]);
    f.git(&["reset", "-q", "--hard"]);
    let lost = f.commit_file("c.txt", "word-lost-commit");
    f.git(&["reset", "-q", "--hard", "HEAD~1"]);
    f.git(&["reflog", "expire", "--expire=all", "--all"]);
    fs::remove_file(f.repo().join(".git/ORIG_HEAD")).unwrap();
    let scan = f.scan();
    assert!(!scan.has("word-lost"));
    let scan = f.scan_unreachable();
    scan.assert_clean();
    assert_eq!(scan.lines("word-lost-tree"), ["deep/er/u.txt | content | unreachable | - | - | -"]);
    assert_eq!(scan.lines("word-lost-commit"), [format!("c.txt | content | unreachable | {lost} | {lost} | -")]);
    let message = scan.lines("change c.txt");
    assert_eq!(message, [format!(" | commit message | unreachable | {lost} | {lost} | -")]);
}

#[test]
fn ref_names_are_places_of_their_own() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "0");
    f.git(&["branch", "word-branch"]);
    let found = f.scan().places("word-branch");
    let refs: Vec<_> = found.iter().map(|found| (found.place.reference.clone().unwrap(), found.place.state)).collect();
    assert_eq!(refs, [(b"refs/heads/word-branch".to_vec(), State::Tip)]);
}

#[test]
fn a_blob_with_more_paths_than_memory_ends_in_time() {
    let Some(f) = Fixture::new() else { return };
    f.write("a0", "word-bomb");
    f.git(&["add", "-A"]);
    let blob = f.git(&["rev-parse", ":a0"]);
    let mut entry = format!("100644 blob {blob}");
    for level in 0..9 {
        let lines: String = (0..12).map(|n| format!("{entry}\tn{n}\n")).collect();
        f.write(".git/scratch", &lines);
        let tree = mktree(&f, &lines);
        entry = format!("040000 tree {tree}");
        assert!(level < 9);
    }
    let commit = f.git(&["commit-tree", "-m", "bomb", entry.rsplit(' ').next().unwrap()]);
    f.git(&["update-ref", "refs/heads/bomb", &commit]);
    let scan = f.scan();
    assert!(!scan.places("word-bomb").is_empty());
}

fn mktree(f: &Fixture, lines: &str) -> String {
    let mut child = Command::new("git")
        .arg("mktree")
        .current_dir(f.repo())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

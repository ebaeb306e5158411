//! Everything is scanned once, whatever keeps it alive and however it is stored.

use super::*;

/// A repository with one unique word in every kind of place; the words.
fn everywhere(f: &Fixture) -> Vec<&'static str> {
    let base = f.commit_file("a.txt", "in-plain-file\n");
    f.commit_file("gone.txt", "in-deleted-file\n");
    fs::remove_file(f.repo().join("gone.txt")).unwrap();
    f.commit("in-message");
    f.git(&["checkout", "-q", "-b", "other", &base]);
    f.commit_file("b.txt", "on-other-branch\n");
    f.git(&["checkout", "-q", "main"]);
    // A merge that brings what neither parent has.
    f.git(&["merge", "-q", "--no-commit", "--no-ff", "other"]);
    f.write("a.txt", "in-merge-alone\n");
    f.commit("merge");
    // Refs of other kinds.
    for (name, word) in [("refs/pull/1/head", "in-pull"), ("refs/remotes/o/x", "in-remote"), ("refs/odd", "in-odd-ref")]
    {
        let id = dangling_commit(f, word);
        f.git(&["update-ref", name, &id]);
    }
    f.git(&["tag", "-a", "-m", "in-tag-message", "v1"]);
    f.git(&["tag", "-a", "-m", "in-outer-tag", "v2", "v1"]);
    f.git(&["notes", "add", "-m", "in-note"]);
    f.git(&["-c", "user.name=in-author", "commit", "-q", "--allow-empty", "-m", "x", "--author=in-author <a@b>"]);
    f.commit_file("in-path-name/x", "x");
    fs::remove_dir_all(f.repo().join("in-path-name")).unwrap();
    f.commit("drop");
    // Links.
    let blob = blob(f, "in-link-target");
    f.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{blob},link")]);
    f.git(&["commit", "-q", "-m", "link"]);
    f.git(&["reset", "-q", "--hard"]);
    // Stashes: the older one lives in the log alone.
    for (word, untracked) in [("in-stash-1", "untracked-1"), ("in-stash-2", "untracked-2")] {
        f.write("a.txt", word);
        f.write("new.txt", untracked);
        f.git(&["stash", "-q", "-u"]);
    }
    // A commit that only the reflog knows.
    f.commit_file("lost.txt", "in-reflog-alone");
    f.git(&["reset", "-q", "--hard", "HEAD~1"]);
    // A worktree with a detached head.
    let linked = f.path("linked");
    f.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap()]);
    fs::write(linked.join("w.txt"), "in-worktree-head").unwrap();
    f.git_in(&linked, &["add", "-A"]);
    f.git_in(&linked, &["commit", "-q", "-m", "w"]);
    fs::write(linked.join("w.txt"), "in-worktree-index").unwrap();
    f.git_in(&linked, &["add", "-A"]);
    // Staged here.
    f.write("staged.txt", "in-index");
    f.git(&["add", "staged.txt"]);
    f.git(&["branch", "in-ref-name"]);
    vec![
        "in-plain-file",
        "in-deleted-file",
        "in-message",
        "on-other-branch",
        "in-merge-alone",
        "in-pull",
        "in-remote",
        "in-odd-ref",
        "in-tag-message",
        "in-outer-tag",
        "in-note",
        "in-author",
        "in-path-name",
        "in-link-target",
        "in-stash-1",
        "in-stash-2",
        "untracked-1",
        "untracked-2",
        "in-reflog-alone",
        "in-worktree-head",
        "in-worktree-index",
        "in-index",
        "in-ref-name",
    ]
}

/// A blob that nothing names.
fn blob(f: &Fixture, text: &str) -> String {
    f.write(".git/scratch", text);
    f.git(&["hash-object", "-w", ".git/scratch"])
}

/// A commit with one file that nothing names.
fn dangling_commit(f: &Fixture, text: &str) -> String {
    let blob = blob(f, text);
    let index = f.git(&["ls-files", "-s"]);
    assert!(!index.is_empty());
    f.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},d.txt")]);
    let tree = f.git(&["write-tree"]);
    f.git(&["reset", "-q"]);
    f.git(&["commit-tree", "-m", "dangling", &tree])
}

#[test]
fn every_place_is_found_loose_and_packed_and_by_any_hash() {
    for hash in ["sha1", "sha256"] {
        let Some(f) = Fixture::with(&["--object-format", hash]) else { return };
        let words = everywhere(&f);
        let unreachable = blob(&f, "in-unreachable-blob");
        let check = |scan: &Scan, how: &str| {
            for word in &words {
                assert!(scan.has(word), "{hash}, {how}: {word}");
            }
            scan.assert_clean();
        };
        let loose = f.scan();
        check(&loose, "loose");
        assert!(!loose.has("in-unreachable-blob"));
        let all = f.scan_unreachable();
        check(&all, "with unreachable");
        assert!(all.has("in-unreachable-blob"));
        let found = all.places("in-unreachable-blob");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].content.to_string(), unreachable);
        f.git(&["gc", "-q", "--aggressive", "--prune=never"]);
        check(&f.scan(), "packed");
        assert!(f.scan_unreachable().has("in-unreachable-blob"));
        // Several packs, and a bit of everything.
        f.commit_file("later.txt", "in-second-pack");
        f.git(&["repack", "-q", "-d"]);
        f.commit_file("last.txt", "loose-again");
        let scan = f.scan();
        check(&scan, "several packs");
        assert!(scan.has("in-second-pack") && scan.has("loose-again"));
        f.git(&["multi-pack-index", "write"]);
        check(&f.scan(), "multi-pack index");
    }
}

#[test]
fn one_and_two_threads_hand_out_the_same() {
    let Some(f) = Fixture::new() else { return };
    everywhere(&f);
    let repo = f.repo();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let scan = Scan::of(&repo, false);
            let places: Vec<_> =
                scan.history.locate(&scan.holding("")).unwrap().iter().map(|found| format!("{found:?}")).collect();
            let contents = scan.seen.contents.lock().unwrap().clone();
            (contents, places)
        })
    };
    let (one, two) = (run(1), run(2));
    assert!(one.0.len() > 30 && one.1.len() >= one.0.len());
    assert_eq!(one, two);
}

#[test]
fn a_mirror_has_all_but_what_git_leaves_behind() {
    let Some(f) = Fixture::new() else { return };
    let words = everywhere(&f);
    let url = format!("file://{}", f.repo().display());
    f.git_in(f.folder.path(), &["clone", "-q", "--mirror", &url, "mirror.git"]);
    let mirror = f.path("mirror.git");
    let scan = Scan::of(&mirror, true);
    scan.assert_clean();
    // The stash's log, reflogs, indexes and worktree heads are not transferred.
    let left = ["in-stash-1", "untracked-1", "in-reflog-alone", "in-worktree-head", "in-worktree-index", "in-index"];
    for word in words {
        assert_eq!(scan.has(word), !left.contains(&word), "{word}");
    }
    let ids = f.git_in(&mirror, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    let reflog_alone = f.scan().holding("in-reflog-alone");
    assert_eq!(reflog_alone.len(), 1);
    assert!(reflog_alone.iter().all(|content| !ids.contains(&content.to_string())));
}

#[test]
fn replaced_and_grafted_objects_are_scanned_as_they_are() {
    let Some(f) = Fixture::new() else { return };
    let first = f.commit_file("a.txt", "the-leak");
    let leak = f.git(&["rev-parse", "HEAD:a.txt"]);
    let clean = blob(&f, "the-replacement");
    f.git(&["replace", &leak, &clean]);
    assert_eq!(f.git(&["cat-file", "-p", "HEAD:a.txt"]), "the-replacement");
    // A graft and a replaced commit that hide the past.
    let second = f.commit_file("a.txt", "second");
    let third = f.commit_file("a.txt", "third");
    f.git(&["replace", "--graft", &third]);
    f.write(".git/info/grafts", format!("{second}\n"));
    let scan = f.scan();
    scan.assert_clean();
    assert!(scan.has("the-leak") && scan.has("the-replacement"));
    let lines = scan.lines("the-leak");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("a.txt | content | history only |") && lines[0].contains(&first), "{lines:?}");
}

#[test]
fn nothing_that_configuration_names_is_run() {
    let Some(f) = Fixture::new() else { return };
    f.write(".gitattributes", "* filter=evil diff=evil\n");
    f.commit_file("a.txt", "plain");
    let trap = f.path("ran");
    let run = format!("touch {}; true", trap.display());
    let config = format!(
        "[include]\n\tpath = {evil}\n[core]\n\tfsmonitor = \"{run}\"\n\thooksPath = {hooks}\n\tsshCommand = \"{run}\"\n\
         [filter \"evil\"]\n\tclean = \"{run}\"\n\tsmudge = \"{run}\"\n\trequired = true\n\
         [diff \"evil\"]\n\ttextconv = \"{run}\"\n[extensions]\n\tnoop = true\n",
        evil = f.path("evil.conf").display(),
        hooks = f.path("hooks").display(),
    );
    fs::write(f.path("evil.conf"), "[extensions]\n\tobjectformat = sha256\n").unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(f.repo().join(".git/config"))
        .unwrap()
        .write_all(config.as_bytes())
        .unwrap();
    for opening in [Opening::Named, Opening::Own] {
        let history = History::new(f.repo(), opening, Policy::default(), true);
        let seen = Collector::default();
        history.walk(&seen).unwrap();
        assert_eq!(*seen.unread.lock().unwrap(), []);
        assert!(seen.contents.lock().unwrap().values().any(|bytes| bytes == b"plain"));
        assert!(!trap.exists(), "something was run");
    }
}

#[test]
fn test_directories_are_left_out_unless_a_blob_lies_elsewhere_too() {
    let Some(f) = Fixture::new() else { return };
    f.write("__tests__/a.txt", "only-in-tests");
    f.write("__tests__/deep/b.txt", "also-in-tests");
    f.write("src/c.txt", "in-both");
    f.write("__tests__/c.txt", "in-both");
    f.commit("x");
    let scan = f.scan();
    scan.assert_clean();
    assert!(!scan.has("only-in-tests") && !scan.has("also-in-tests") && scan.has("in-both"));
    let excluded = scan.seen.excluded.lock().unwrap().clone();
    assert_eq!(excluded, [(Excluded::TestFile, 2), (Excluded::TestDirectory, 1)]);
    let lines = scan.lines("in-both");
    assert!(lines.len() == 1 && lines[0].starts_with("src/c.txt |"), "{lines:?}");
    let history = History::new(f.repo(), Opening::Named, Policy::new(true, globset::GlobSet::empty(), false), false);
    let seen = Collector::default();
    history.walk(&seen).unwrap();
    assert!(seen.contents.lock().unwrap().values().any(|bytes| bytes == b"only-in-tests"));
    assert_eq!(*seen.excluded.lock().unwrap(), []);
}

#[test]
fn submodules_are_listed() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    let head = f.git(&["rev-parse", "HEAD"]).replace(['0', '1'], "7");
    f.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},libs/sub")]);
    f.git(&["commit", "-q", "-m", "sub"]);
    let scan = f.scan();
    scan.assert_clean();
    let listed = scan.seen.listed.lock().unwrap().clone();
    assert_eq!(listed, [Listed { path: b"libs/sub".to_vec(), what: "submodule".into() }]);
}

#[test]
fn the_file_behind_an_lfs_pointer_is_at_the_pointers_path() {
    let Some(f) = Fixture::new() else { return };
    let content = "in-large-file\n";
    let oid = sha256(content);
    let pointer =
        |oid: &str, size: usize| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
    let first = f.commit_file("big/a.bin", pointer(&oid, content.len()));
    let absent = sha256("nowhere");
    f.commit_file("big/b.bin", pointer(&absent, 7));
    let swapped = sha256("what the pointer promises");
    f.commit_file("big/c.bin", pointer(&swapped, 9));
    let store = |oid: &str, bytes: &str| {
        f.write(&format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), bytes);
    };
    store(&oid, content);
    store(&swapped, "different");
    let scan = f.scan();
    let lines = scan.lines("in-large-file");
    let head = f.git(&["rev-parse", "HEAD"]);
    assert_eq!(lines, [format!("big/a.bin | content | default tip | {first} | {head} | -")]);
    assert!(!scan.has("different"), "bytes that are not the pointer's are not handed out");
    let words = [(UnreadKind::Corrupt, "big/c.bin".to_owned()), (UnreadKind::LfsAbsent, "big/b.bin".to_owned())];
    let mut unread = scan.unread_words();
    unread.sort_by_key(|(kind, _)| kind.word());
    assert_eq!(unread, words);
    assert!(scan.unread().iter().any(|what| what.detail.contains(&absent)));
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_empty_repository_has_nothing_and_says_nothing() {
    let Some(f) = Fixture::new() else { return };
    let scan = f.scan_unreachable();
    scan.assert_clean();
    assert!(scan.seen.contents.lock().unwrap().is_empty());
    let facts = scan.history.root();
    assert_eq!((facts.kind, facts.name.as_str()), ("history", "r"));
    let repository = facts.repository.unwrap();
    assert_eq!((repository.head, repository.branch.as_deref()), (None, Some("main")));
    assert_eq!((repository.refs, repository.commits), (0, 0));
}

#[test]
fn entries_added_by_intent_alone_are_no_loss() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    f.write("new.txt", "later");
    f.git(&["add", "-N", "new.txt"]);
    f.scan().assert_clean();
}

#[test]
fn every_object_there_is_is_handed_out_once() {
    let Some(f) = Fixture::new() else { return };
    everywhere(&f);
    blob(&f, "unreachable");
    for packed in [false, true] {
        if packed {
            f.git(&["gc", "-q", "--prune=never"]);
        }
        let scan = f.scan_unreachable();
        let all = f.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        let empty_tree = gix::hash::Kind::Sha1.empty_tree().to_string();
        let all: BTreeSet<String> = all.lines().filter(|id| *id != empty_tree).map(str::to_owned).collect();
        let contents = scan.seen.contents.lock().unwrap();
        let objects = contents.keys().filter(|id| matches!(id, ContentId::Object(..)));
        let seen: BTreeSet<String> = objects.map(ToString::to_string).collect();
        assert!(all.len() > 50);
        assert_eq!(seen, all);
    }
}

#[test]
fn what_is_left_when_the_visitor_stops_is_unread() {
    let Some(f) = Fixture::new() else { return };
    everywhere(&f);
    for patience in [0, 1, 40, 70] {
        let history = History::new(f.repo(), Opening::Named, Policy::default(), false);
        let seen = Collector { patience: Some(patience), ..Collector::default() };
        history.walk(&seen).unwrap();
        let unread = seen.unread.lock().unwrap();
        assert!(!unread.is_empty(), "patience for {patience}");
        assert!(unread.iter().all(|what| what.kind == UnreadKind::Deadline && what.what == b"history"));
    }
}

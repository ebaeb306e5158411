//! Repositories of all shapes are opened, and those we would misread are refused.

use std::collections::HashMap;
use std::ffi::OsString;

use super::*;
use crate::source::SourceErrorKind;
use crate::source::git::repo::Repository;

fn named(path: &Path) -> Result<Repository, SourceErrorKind> {
    Repository::open(path, Opening::Named).map_err(|error| error.kind)
}

/// The repository of `folder` in an environment.
fn own(folder: &Path, env: &[(&str, &Path)]) -> Repository {
    let env: HashMap<&str, OsString> = env.iter().map(|(name, value)| (*name, value.as_os_str().to_owned())).collect();
    Repository::open_in(folder, Opening::Own, &|name| env.get(name).cloned()).unwrap()
}

fn same(a: &Path, b: &Path) -> bool {
    a.canonicalize().unwrap() == b.canonicalize().unwrap()
}

#[test]
fn bare_work_tree_git_dir_linked_worktree_and_submodule() {
    let Some(f) = Fixture::new() else { return };
    let head = f.commit_file("a.txt", "x");
    let linked = f.path("linked");
    f.git(&["worktree", "add", "-q", "-b", "two", linked.to_str().unwrap()]);
    f.git_in(f.folder.path(), &["clone", "-q", "--bare", "r", "bare.git"]);
    f.git_in(&f.repo(), &["submodule", "--quiet", "add", "../bare.git", "sub"]);
    let git_dir = f.repo().join(".git");
    for path in
        [f.repo(), git_dir.clone(), linked.clone(), linked.join(".git"), f.path("bare.git"), f.repo().join("sub")]
    {
        let repository = named(&path).unwrap();
        assert_eq!(repository.refs().find(b"HEAD").unwrap().to_string(), head, "{}", path.display());
    }
    let repository = named(&linked).unwrap();
    assert!(same(repository.common_dir(), &git_dir) && same(repository.work_dir().unwrap(), &linked));
    assert!(same(repository.git_dir(), &git_dir.join("worktrees/linked")));
    assert_eq!(repository.branch().as_deref(), Some("two"));
    assert!(repository.index_path().ends_with("worktrees/linked/index"));
    let names: Vec<_> = repository.refs().all.into_iter().map(|reference| reference.name).collect();
    assert!(names.contains(&b"main-worktree/HEAD".to_vec()));
    assert!(same(named(&git_dir.join("worktrees/linked")).unwrap().work_dir().unwrap(), &linked));
    assert_eq!(named(&f.path("bare.git")).unwrap().work_dir(), None);
    assert!(same(named(&git_dir).unwrap().work_dir().unwrap(), &f.repo()));
    let sub = named(&f.repo().join("sub")).unwrap();
    assert!(same(sub.git_dir(), &git_dir.join("modules/sub")) && same(sub.work_dir().unwrap(), &f.repo().join("sub")));
}

#[test]
fn only_the_own_repository_is_looked_for_upwards() {
    let Some(f) = Fixture::new() else { return };
    f.write("deep/er/x", "x");
    let deep = f.repo().join("deep/er");
    assert!(matches!(named(&deep), Err(SourceErrorKind::NotARepository)));
    assert!(matches!(named(&f.path("nowhere")), Err(SourceErrorKind::NotFound)));
    assert!(matches!(named(f.folder.path()), Err(SourceErrorKind::NotARepository)));
    assert!(same(own(&deep, &[]).work_dir().unwrap(), &f.repo()));
}

#[test]
fn the_environment_of_hooks_is_honoured_for_the_own_repository() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "x");
    let git_dir = f.repo().join(".git");
    let elsewhere = f.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let repository = own(&f.repo(), &[("GIT_DIR", Path::new(".git")), ("GIT_INDEX_FILE", Path::new(".git/other"))]);
    assert!(same(repository.git_dir(), &git_dir) && same(repository.work_dir().unwrap(), &f.repo()));
    assert!(repository.index_path().ends_with(".git/other"));
    let repository = own(&elsewhere, &[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &f.repo())]);
    assert!(same(repository.work_dir().unwrap(), &f.repo()));
    // A quarantine: new objects in one folder, the repository's own beside it.
    let quarantine = f.path("quarantine");
    fs::create_dir_all(quarantine.join("pack")).unwrap();
    f.write(".git/scratch", "quarantined");
    let id = f.git(&["hash-object", "-w", ".git/scratch"]);
    let loose = |folder: &Path| folder.join(&id[..2]).join(&id[2..]);
    fs::create_dir_all(loose(&quarantine).parent().unwrap()).unwrap();
    fs::rename(loose(&git_dir.join("objects")), loose(&quarantine)).unwrap();
    let objects = git_dir.join("objects");
    let env: [(&str, &Path); 3] =
        [("GIT_DIR", &git_dir), ("GIT_OBJECT_DIRECTORY", &quarantine), ("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects)];
    let repository = own(&f.repo(), &env);
    let mut buf = Vec::new();
    let id = gix::ObjectId::from_hex(id.as_bytes()).unwrap();
    assert_eq!(repository.object(&id, &mut buf).unwrap(), gix::objs::Kind::Blob);
    assert_eq!(buf, b"quarantined");
    let head = repository.refs().find(b"HEAD").unwrap();
    assert_eq!(repository.object(&head, &mut buf).unwrap(), gix::objs::Kind::Commit);
    assert_eq!(repository.alternates(), [objects]);
    assert_eq!(own(&f.repo(), &[]).object(&id, &mut buf).unwrap_err().kind, UnreadKind::Missing);
}

#[test]
fn alternates_are_followed_and_listed_even_when_one_is_gone() {
    let Some(f) = Fixture::new() else { return };
    f.commit_file("a.txt", "in-the-alternate");
    f.git_in(f.folder.path(), &["clone", "-q", "--shared", "--bare", "r", "shared.git"]);
    let scan = Scan::of(&f.path("shared.git"), false);
    scan.assert_clean();
    assert!(scan.has("in-the-alternate"));
    let listed = scan.history.root().repository.unwrap().alternates;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].ends_with("objects"));
    let alternates = f.path("shared.git/objects/info/alternates");
    let text = fs::read_to_string(&alternates).unwrap();
    fs::write(&alternates, format!("{}\n{text}", f.path("gone/objects").display())).unwrap();
    assert!(Scan::of(&f.path("shared.git"), false).has("in-the-alternate"));
}

#[test]
fn formats_we_would_misread_are_refused() {
    let Some(f) = Fixture::new() else { return };
    let config = f.repo().join(".git/config");
    let before = fs::read_to_string(&config).unwrap();
    let version = |n: u32| before.replace("repositoryformatversion = 0", &format!("repositoryformatversion = {n}"));
    let cases = [
        (format!("{}[extensions]\n\trefStorage = reftable\n", version(1)), "reftable"),
        (format!("{}[extensions]\n\tsomethingNew = true\n", version(1)), "somethingnew"),
        (version(7), "format 7"),
        ("[core\n".to_owned(), "config is damaged"),
        (format!("{before}[core]\n\tbare = perhaps\n"), "core.bare"),
    ];
    for (text, says) in cases {
        fs::write(&config, text).unwrap();
        let error = named(&f.repo()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    fs::write(&config, before).unwrap();
    named(&f.repo()).unwrap();
}

#[test]
fn facts_name_remote_platform_head_and_branch() {
    let Some(f) = Fixture::new() else { return };
    let head = f.commit_file("a.txt", "x");
    let password = ["hunter", "2"].concat();
    f.git(&["remote", "add", "origin", &format!("https://me:{password}@github.com/o/thing.git")]);
    f.git(&["remote", "add", "fork", "git@gitlab.com:o/thing.git"]);
    let facts = named(&f.repo()).unwrap().facts();
    assert_eq!(facts.remote.as_deref(), Some("https://github.com/o/thing.git"));
    assert_eq!(facts.platform, Some(crate::platform::Platform::GitHub));
    assert_eq!((facts.head, facts.branch.as_deref()), (Some(head), Some("main")));
    assert_eq!(named(&f.repo()).unwrap().name(), "thing");
}

#[test]
fn refs_of_all_kinds_are_read_and_broken_ones_told() {
    let Some(f) = Fixture::new() else { return };
    let head = f.commit_file("a.txt", "x");
    f.git(&["branch", "packed"]);
    f.git(&["tag", "-a", "-m", "t", "v1"]);
    f.git(&["pack-refs", "--all"]);
    f.git(&["branch", "loose"]);
    f.git(&["symbolic-ref", "refs/remotes/o/HEAD", "refs/heads/packed"]);
    f.git(&["symbolic-ref", "refs/remotes/o/dangling", "refs/heads/nowhere"]);
    f.git(&["fetch", "-q", ".", "loose"]);
    f.write(".git/refs/heads/broken", "not an id\n");
    f.write(".git/refs/heads/empty", "");
    f.write(".git/refs/heads/loose.lock", "");
    f.write(".git/refs/heads/.DS_Store", "finder was here");
    let refs = named(&f.repo()).unwrap().refs();
    let names: Vec<_> = refs.all.iter().map(|r| String::from_utf8_lossy(&r.name).into_owned()).collect();
    let expected = [
        "FETCH_HEAD",
        "HEAD",
        "refs/heads/loose",
        "refs/heads/main",
        "refs/heads/packed",
        "refs/remotes/o/HEAD",
        "refs/tags/v1",
    ];
    assert_eq!(names, expected);
    let symbolic = refs.all.iter().find(|r| r.name == b"refs/remotes/o/HEAD").unwrap();
    assert_eq!((symbolic.id.to_string(), symbolic.symbolic.as_deref()), (head, Some(&b"refs/heads/packed"[..])));
    let broken: Vec<_> = refs.unread.iter().map(|u| String::from_utf8_lossy(&u.what).into_owned()).collect();
    assert_eq!(broken, ["refs/heads/broken", "refs/heads/empty"]);
}

use super::super::ci::{Trust, Variables};
use super::super::scratch::{Scan, Scratch, scan, states};
use super::*;
use crate::source::UnreadKind;

mod absent;

/// What the tests look for.
const WORD: &str = "NEEDLE";

/// A line with the word in it.
const LINE: &[u8] = b"a line\nwith a NEEDLE in it\n";

/// The id of nothing.
const ZERO: &str = "0000000000000000000000000000000000000000";

/// Scans what `request` asks for in `folder`.
fn diff_in(folder: &std::path::Path, request: Request) -> Result<Scan, SourceError> {
    scan(&Diff::new(folder, Opening::Named, Policy::default(), request), WORD)
}

fn diff(scratch: &Scratch, range: &str) -> Scan {
    diff_in(&scratch.top, Request::Range(range.to_owned())).expect(range)
}

/// `path: part` with the commit's first digits, as scans give it.
fn at(place: &str, commit: &str) -> String {
    format!("{place} @{}", &commit[..8])
}

/// The message of the error that must come.
fn error(result: Result<Scan, SourceError>) -> String {
    let error = result.map(|_| ()).expect_err("it can't be scanned");
    assert!(matches!(error.kind, SourceErrorKind::Revision(..) | SourceErrorKind::NoRange(_)), "{error}");
    error.to_string()
}

#[test]
fn every_commit_of_the_range_is_compared_with_its_parent() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let first = scratch.commit_file("a", LINE);
    let second = scratch.commit_file("b", LINE);
    scratch.git(&["rm", "-q", "b"]);
    scratch.commit("take it back");
    let last = scratch.commit_file("c/d", LINE);
    scratch.commit_file("a", [LINE, b"more"].concat());
    let found = diff(&scratch, &first);
    assert_eq!(found.introduced, [at("b: content", &second), at("c/d: content", &last)]);
    assert_eq!(states(&found), [State::Tip, State::HistoryOnly, State::Tip]);
    let orders = found.places.iter().filter_map(|located| located.place.first.as_ref()).map(|c| c.order);
    assert_eq!(orders.collect::<Vec<_>>(), [3, 0, 2]);
    assert_eq!(found.places[0].place.first.as_ref().map(|commit| commit.author_time > 1_700_000_000), Some(true));
    let all = diff(&scratch, "HEAD~1..HEAD");
    assert_eq!(all.introduced, [""; 0]);
    assert!(diff(&scratch, "HEAD..HEAD").notes[0].contains("holds no commit"));
}

#[test]
fn ranges_are_understood_as_git_writes_them() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    scratch.git(&["tag", "v1"]);
    scratch.git(&["checkout", "-q", "-b", "topic"]);
    let topic = scratch.commit_file("t", LINE);
    scratch.git(&["checkout", "-q", "main"]);
    scratch.commit_file("m", LINE);
    let found = [at("t: content", &topic)];
    let short = &base[..7];
    for range in
        ["main..topic", "main...topic", "v1..topic", "refs/tags/v1..heads/topic", "topic~1..topic", "topic^..topic^0"]
    {
        assert_eq!(diff(&scratch, range).introduced, found, "{range}");
    }
    assert_eq!(diff(&scratch, &format!("{short}..topic")).introduced, found);
    scratch.git(&["checkout", "-q", "topic"]);
    for range in ["main", "main..", "main...", "main..@"] {
        assert_eq!(diff(&scratch, range).introduced, found, "{range}");
    }
    assert_eq!(diff_in(&scratch.top, Request::MergeBase("main".into())).expect("related").introduced, found);
    for range in ["nowhere..topic", "topic..nowhere", "topic~9", "topic^2", "topic@{1}", "topic:t", "v1^{tree}", "0000"]
    {
        let text = error(diff_in(&scratch.top, Request::Range(range.into())));
        assert!(text.contains("is not here") && text.contains("git fetch"), "{text}");
    }
}

#[test]
fn renames_copies_and_reverts_are_judged_commit_by_commit() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", LINE);
    scratch.git(&["mv", "a", "b"]);
    scratch.commit("a pure rename");
    assert_eq!(diff(&scratch, &base).introduced, [""; 0]);
    scratch.git(&["mv", "b", "c"]);
    scratch.add("c", [b"first\n", LINE].concat());
    scratch.commit("an edited rename");
    assert_eq!(diff(&scratch, &base).introduced, [""; 0]);
    let copy = scratch.commit_file("d", [b"first\n", LINE].concat());
    assert_eq!(diff(&scratch, &base).introduced, [at("d: content", &copy)]);
}

#[test]
fn of_a_merge_only_its_own_change_is_new() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    scratch.git(&["checkout", "-q", "-b", "topic"]);
    let topic = scratch.commit_file("t", LINE);
    scratch.git(&["checkout", "-q", "main"]);
    let main = scratch.commit_file("m", LINE);
    scratch.git(&["merge", "-q", "--no-commit", "topic"]);
    scratch.add("evil", LINE);
    let merge = scratch.commit("merge");
    let (t, m, evil) = (at("t: content", &topic), at("m: content", &main), at("evil: content", &merge));
    assert_eq!(diff(&scratch, &main).introduced, [evil.clone(), t.clone()]);
    assert_eq!(diff(&scratch, &topic).introduced, [evil.clone(), m.clone()]);
    assert_eq!(diff(&scratch, &base).introduced, [evil, m, t]);
}

#[test]
fn messages_identities_tags_and_names_are_scanned() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit("NEEDLE before");
    let message = scratch.commit("NEEDLE");
    let named = scratch.commit_file("dir/NEEDLE", "x");
    scratch.git(&["commit", "-q", "--allow-empty", "--author", "NEEDLE <n@example.org>", "-m", "author"]);
    let author = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["tag", "-a", "-m", "NEEDLE", "v1"]);
    let found = diff(&scratch, &format!("{base}..v1"));
    let mut expected = vec![
        at(": commit message", &message),
        at(": commit message", &named),
        at(": commit message", &author),
        ": tag".to_owned(),
        at("dir/NEEDLE: path name", &named),
    ];
    expected.sort();
    let mut introduced = found.introduced.clone();
    introduced.sort();
    assert_eq!(introduced, expected);
    assert!(found.texts.iter().all(|text| !text.starts_with(b"tree ") && !text.starts_with(b"object ")));
    let tag = found.places.iter().find(|located| located.place.provenance.part == Part::Tag).expect("a tag");
    assert_eq!(tag.place.reference.as_deref(), Some(&b"v1"[..]));
}

/// A bare repository that `scratch` calls `origin` and has pushed `main` to.
fn with_origin(scratch: &Scratch) -> std::path::PathBuf {
    let origin = scratch.around().join("origin.git");
    scratch.git(&["init", "-q", "--bare", "-b", "main", &origin.to_string_lossy()]);
    scratch.git(&["remote", "add", "origin", &origin.to_string_lossy()]);
    scratch.git(&["push", "-q", "origin", "main"]);
    origin
}

fn pushed(scratch: &Scratch, line: &str) -> Scan {
    let request = Request::PrePush { lines: format!("{line}\n").into_bytes(), remote: Some("origin".to_owned()) };
    diff_in(&scratch.top, request).expect(line)
}

#[test]
fn pushes_are_measured_against_what_the_remote_has() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", LINE);
    with_origin(&scratch);
    let next = scratch.commit_file("b", LINE);
    let fast_forward = format!("refs/heads/main {next} refs/heads/main {base}");
    assert_eq!(pushed(&scratch, &fast_forward).introduced, [at("b: content", &next)]);
    let new_branch = format!("HEAD {next} refs/heads/NEEDLE {ZERO}");
    let found = pushed(&scratch, &new_branch);
    assert_eq!(found.introduced, [": ref name".to_owned(), at("b: content", &next)]);
    assert_eq!(found.places[0].place.reference.as_deref(), Some(&b"refs/heads/NEEDLE"[..]));
    let deleted = pushed(&scratch, &format!("(delete) {ZERO} refs/heads/main {next}"));
    assert!(deleted.contents == 0 && deleted.notes[0].contains("holds no commit"), "{deleted:?}");
    scratch.git(&["reset", "-q", "--hard", &base]);
    let forced = scratch.commit_file("c", LINE);
    scratch.git(&["update-ref", "refs/remotes/origin/main", &next]);
    let line = format!("refs/heads/main {forced} refs/heads/main {next}");
    assert_eq!(pushed(&scratch, &line).introduced, [at("c: content", &forced)]);
    let unknown = "1".repeat(40);
    let found = pushed(&scratch, &format!("refs/heads/main {forced} refs/heads/main {unknown}"));
    assert_eq!(found.introduced, [at("c: content", &forced)]);
    assert!(found.notes[0].contains(&unknown), "{:?}", found.notes);
    scratch.git(&["tag", "-a", "-m", "NEEDLE", "v1", &base]);
    let tag = scratch.git(&["rev-parse", "v1"]);
    let found = pushed(&scratch, &format!("refs/tags/v1 {tag} refs/tags/v1 {ZERO}"));
    assert_eq!(found.introduced, [": tag"]);
}

#[test]
fn what_another_remote_has_is_new_to_this_one() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    with_origin(&scratch);
    let private = scratch.commit_file("b", LINE);
    scratch.git(&["update-ref", "refs/remotes/private/main", &private]);
    let line = format!("refs/heads/x {private} refs/heads/x {ZERO}");
    assert_eq!(pushed(&scratch, &line).introduced, [at("b: content", &private)]);
    let any = Request::PrePush { lines: line.into_bytes(), remote: None };
    let found = diff_in(&scratch.top, any).expect("a push");
    assert_eq!((found.introduced, base.len()), (vec![], 40));
}

#[test]
fn pushed_trees_and_blobs_are_scanned() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("dir/a", LINE);
    let tree = scratch.git(&["rev-parse", "HEAD:dir"]);
    let blob = scratch.git(&["rev-parse", "HEAD:dir/a"]);
    let found = pushed(&scratch, &format!("refs/tags/t {tree} refs/tags/t {ZERO}"));
    assert_eq!(found.introduced, ["a: content"]);
    let found = pushed(&scratch, &format!("refs/tags/b {blob} refs/tags/b {ZERO}"));
    assert_eq!(found.introduced, [": content"]);
}

#[test]
fn the_quarantine_of_a_receiving_repository_is_read() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", "a");
    let origin = with_origin(&scratch);
    let next = scratch.commit_file("b", LINE);
    // The hook keeps what it is given; the objects are only in the quarantine while it runs.
    let keep = "#!/bin/sh\ncp -r \"$GIT_OBJECT_DIRECTORY\" ../quarantine\ncat >../lines\nexit 1\n";
    let hook = origin.join("hooks/pre-receive");
    std::fs::write(&hook, keep).expect("a hook");
    if cfg!(not(unix)) {
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let push = ["push", "-q", "origin", "main", "main:topic"];
    scratch.git_with(&scratch.top, &[], &push, b"").expect_err("the hook refuses");
    let lines = std::fs::read(scratch.around().join("lines")).expect("the hook kept them");
    let (quarantine, objects) = (scratch.around().join("quarantine"), origin.join("objects"));
    let variables = [
        ("GIT_DIR", origin.as_path()),
        ("GIT_OBJECT_DIRECTORY", &quarantine),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects),
    ];
    let source = Diff::new(&origin, Opening::Own, Policy::default(), Request::PreReceive(lines.clone()));
    let found = scan(&source.in_environment(&variables), WORD).expect("the quarantine is read");
    assert_eq!(found.introduced, [at("b: content", &next)]);
    let outside = error(diff_in(&origin, Request::PreReceive(lines)));
    assert!(outside.contains(&next), "{outside}");
}

#[test]
fn received_branches_do_not_excuse_each_other() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    let next = scratch.commit_file("b", LINE);
    scratch.git(&["branch", "x"]);
    scratch.git(&["branch", "y"]);
    scratch.git(&["update-ref", "refs/heads/main", &base]);
    let line = |name: &str| format!("{ZERO} {next} refs/heads/{name}\n");
    let both = Request::PreReceive((line("x") + &line("y")).into_bytes());
    let source = Diff::new(&scratch.top, Opening::Named, Policy::default(), both);
    assert_eq!(scan(&source, WORD).expect("a push").introduced, [at("b: content", &next)]);
    let (_, range) = source.prepare().expect("found before");
    assert_eq!(range.trusted(None).map(|id| id.to_string()), Some(base));
    assert_eq!(range.trusted(Some(Trust::Head)).map(|id| id.to_string()), Some(next));
}

#[test]
fn malformed_lines_are_errors() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let id = scratch.commit_file("a", LINE);
    let lines = format!("refs/heads/x {id} refs/heads/x {ZERO}\nrefs/heads/y {id}\n").into_bytes();
    let text = error(diff_in(&scratch.top, Request::PrePush { lines: lines.clone(), remote: None }));
    assert!(text.contains("line 2"), "{text}");
    error(diff_in(&scratch.top, Request::PreReceive(lines)));
    let sha256 = "1".repeat(64);
    let lines = format!("refs/heads/x {sha256} refs/heads/x {ZERO}\n").into_bytes();
    error(diff_in(&scratch.top, Request::PrePush { lines, remote: None }));
    let nothing = diff_in(&scratch.top, Request::PreReceive(Vec::new())).expect("a push of nothing");
    assert!(nothing.notes[0].contains("nothing was scanned"));
}

/// Environment variables of a GitHub event whose payload is `payload`.
fn github(scratch: &Scratch, event: &str, sha: &str, payload: &str) -> Request {
    let path = scratch.around().join("event.json");
    std::fs::write(&path, payload).expect("a payload");
    let path = path.to_string_lossy().into_owned();
    let pairs = [("GITHUB_EVENT_NAME", event), ("GITHUB_EVENT_PATH", &path), ("GITHUB_SHA", sha)];
    Request::Environment(pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// `pull_request` of a payload.
fn pull_request(base: &str, head: &str) -> String {
    format!(r#"{{"pull_request":{{"base":{{"sha":"{base}"}},"head":{{"sha":"{head}"}}}}}}"#)
}

#[test]
fn pull_requests_are_measured_against_their_base() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    scratch.git(&["checkout", "-q", "-b", "topic"]);
    let topic = scratch.commit_file("t", LINE);
    scratch.git(&["checkout", "-q", "main"]);
    scratch.commit_file("moved-on", LINE);
    let newer = scratch.commit_file("and-on", LINE);
    scratch.git(&["checkout", "-q", "topic"]);
    scratch.git(&["merge", "-q", "--no-edit", "main"]);
    let head = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["checkout", "-q", "--detach", "main"]);
    scratch.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let merge = scratch.git(&["rev-parse", "HEAD"]);
    let payload = pull_request(&base, &head);
    let request = github(&scratch, "pull_request", &merge, &payload);
    let source = Diff::new(&scratch.top, Opening::Named, Policy::default(), request);
    assert_eq!(scan(&source, WORD).expect("both ends are here").introduced, [at("t: content", &topic)]);
    let (_, range) = source.prepare().expect("found before");
    assert_eq!(range.trusted(None).map(|id| id.to_string()), Some(base.clone()));
    let azure: Variables = [
        ("TF_BUILD", "True"),
        ("BUILD_REASON", "PullRequest"),
        ("BUILD_SOURCEVERSION", &merge),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &head),
    ]
    .iter()
    .map(|&(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let source = Diff::new(&scratch.top, Opening::Named, Policy::default(), Request::Environment(azure));
    assert_eq!(scan(&source, WORD).expect("both ends are here").introduced, [at("t: content", &topic)]);
    let (_, range) = source.prepare().expect("found before");
    assert_eq!(range.trusted(None).map(|id| id.to_string()), Some(newer));
    let gone = pull_request(&"1".repeat(40), &head);
    let text = error(diff_in(&scratch.top, github(&scratch, "pull_request", &merge, &gone)));
    assert!(text.contains("fetch-depth: 0"), "{text}");
    let gone = pull_request(&base, &"1".repeat(40));
    error(diff_in(&scratch.top, github(&scratch, "pull_request", &merge, &gone)));
}

#[test]
fn forced_pushes_and_new_branches_fall_back_to_the_main_branch() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", LINE);
    with_origin(&scratch);
    scratch.git(&["checkout", "-q", "-b", "topic"]);
    let topic = scratch.commit_file("t", LINE);
    let push = |before: &str, branch: &str, forced: bool| {
        let payload = format!(
            r#"{{"ref":"refs/heads/{branch}","before":"{before}","after":"{topic}","forced":{forced},
                "repository":{{"default_branch":"main"}}}}"#
        );
        diff_in(&scratch.top, github(&scratch, "push", &topic, &payload)).expect("a range")
    };
    let gone = "1".repeat(40);
    assert_eq!(push(ZERO, "topic", false).introduced, [at("t: content", &topic)]);
    for forced in [true, false] {
        let found = push(&gone, "topic", forced);
        assert_eq!(found.introduced, [at("t: content", &topic)]);
        assert!(found.notes[0].contains("refs/remotes/origin/main"), "{:?}", found.notes);
    }
    assert_eq!(push(&gone, "main", true).introduced.len(), 2, "of the main branch all is new");
}

#[test]
fn a_branch_built_alone_is_not_measured_against_itself() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.commit_file("a", LINE);
    with_origin(&scratch);
    scratch.git(&["checkout", "-q", "-b", "trunk"]);
    let topic = scratch.commit_file("t", LINE);
    scratch.git(&["push", "-q", "origin", "trunk"]);
    let build = |branch: &str| {
        let name = format!("refs/heads/{branch}");
        let pairs = [
            ("TF_BUILD", "True"),
            ("BUILD_REASON", "IndividualCI"),
            ("BUILD_SOURCEVERSION", &topic),
            ("BUILD_SOURCEBRANCH", &name),
        ];
        let variables = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        diff_in(&scratch.top, Request::Environment(variables))
    };
    let added = [at("t: content", &topic)];
    assert_eq!(build("trunk").expect("main is there").introduced, added);
    scratch.git(&["remote", "set-head", "origin", "main"]);
    assert_eq!(build("trunk").expect("main is there").introduced, added);
    scratch.git(&["remote", "set-head", "origin", "trunk"]);
    assert_eq!(build("trunk").expect("main is there").introduced, added);
    scratch.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    error(build("trunk"));
}

#[test]
fn replace_refs_hide_nothing() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    let leak = scratch.commit_file("b", LINE);
    let blob = scratch.git(&["rev-parse", "HEAD:b"]);
    let clean = scratch.git(&["rev-parse", "HEAD:a"]);
    scratch.git(&["replace", &blob, &clean]);
    scratch.git(&["replace", &leak, &base]);
    assert_eq!(diff(&scratch, &format!("{base}..{leak}")).introduced, [at("b: content", &leak)]);
}

#[test]
fn files_are_read_as_a_commit_or_the_index_has_them() {
    use super::super::change::{At, read_path_at};
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.add("conf/.keytrail.toml", "old");
    let base = scratch.commit_file("a", "a");
    scratch.add("conf/.keytrail.toml", "new");
    scratch.write("conf/.keytrail.toml", "newest");
    let repository = Repository::open_in(&scratch.top, Opening::Named, &|_| None).expect("a repository");
    let commit = At::Commit(ObjectId::from_hex(base.as_bytes()).expect("an id"));
    let read = |at, path: &str| read_path_at(&repository, at, path.as_bytes()).expect(path);
    assert_eq!(read(commit, "conf/.keytrail.toml").as_deref(), Some(&b"old"[..]));
    assert_eq!(read(At::Index, "conf/.keytrail.toml").as_deref(), Some(&b"new"[..]));
    for path in ["conf", "none", "conf/none", "a/b"] {
        assert_eq!((read(commit, path), read(At::Index, path)), (None, None), "{path}");
    }
}

#[test]
fn many_commits_and_clocks_that_go_backwards() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", LINE);
    let mut ids = Vec::new();
    for at in 0..30_u64 {
        scratch.add(&format!("f{at}"), format!("{at} NEEDLE"));
        let date = format!("@{} +0000", 1_700_000_000 - 1000 * at);
        let variables = [("GIT_COMMITTER_DATE", date.as_str())];
        scratch.git_with(&scratch.top, &variables, &["commit", "-q", "-m", "x"], b"").expect("a commit");
        ids.push(scratch.git(&["rev-parse", "HEAD"]));
    }
    assert_eq!(diff(&scratch, &base).introduced.len(), 30);
    for at in [0, 10, 28] {
        let found = diff(&scratch, &ids[at]);
        assert_eq!(found.introduced.len(), 29 - at, "what follows commit {at}, none before it");
    }
}

#[test]
fn sha256_repositories_have_ranges_too() {
    let Some(scratch) = Scratch::new(&["--object-format=sha256"]) else { return };
    let base = scratch.commit_file("dir/a", LINE);
    let next = scratch.commit_file("dir/c", LINE);
    assert_eq!(diff(&scratch, &base).introduced, [at("dir/c: content", &next)]);
    let line = format!("HEAD {next} refs/heads/x {base}");
    assert_eq!(pushed(&scratch, &line).introduced, [at("dir/c: content", &next)]);
}

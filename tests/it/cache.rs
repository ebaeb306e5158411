//! `--cache`: a scan costs what is new, and finds what one without it finds, whatever becomes of what is kept.

use std::fs;
use std::path::{Path, PathBuf};

use keytrail::cache::Cache;
use keytrail::engine::{Engine, built_in_rules};

use crate::harness::{Ran, Repo, Results, Run, Token, Workspace, keytrail, tool};
use crate::torture::torture;

/// What the first folder of a workspace's cache is called.
const FOLDER: &str = "verdicts";

/// `history` of a repository, with what is kept in `cache`.
fn history(repo: &Repo, cache: &Path) -> Run {
    keytrail(["history", repo.spelled(), "--format", "jsonl", "--cache"]).arg(cache)
}

/// How many contents were scanned, and how many were known.
fn counts(ran: &Ran) -> (u64, u64) {
    let summary = ran.results().summary;
    (summary["contents"].as_u64().expect("a count"), summary["knownClean"].as_u64().expect("a count"))
}

/// What a report says, apart from how much was scanned for it.
fn said(ran: &Ran) -> Vec<String> {
    let Results { findings, unread, excluded, listed, observations, notes, summary, .. } = ran.results();
    let mut all: Vec<String> = findings.iter().map(|finding| format!("{:?}", finding.record)).collect();
    let more = [unread, excluded, listed, observations];
    all.extend(more.iter().flatten().map(|record| format!("{record:?}")));
    all.extend(notes);
    let summary = ["findings", "open", "openBySeverity", "unread", "excluded", "complete"].map(|key| &summary[key]);
    all.push(format!("{:?} {summary:?}", ran.code));
    all
}

/// Scans with and without what is kept, expects the same of both, and gives the run with it.
fn same(run: &Run, cache: &Path) -> Ran {
    let without = run.clone().go();
    let with = run.clone().arg("--cache").arg(cache).go();
    assert_eq!(said(&with), said(&without));
    let (scanned, known) = counts(&with);
    assert_eq!(scanned + known, counts(&without).0, "each content is scanned or known");
    with
}

/// A repository of versions of many files, packed, one of which holds a secret.
fn many(workspace: &Workspace, token: &Token) -> Option<Repo> {
    let repo = workspace.repo("many")?;
    for version in 0..4 {
        for file in 0..50 {
            let lines = (0..60).map(|line| format!("line {line} of file {file}, {}\n", (line + file) * 7919 % 1009));
            let text: String = lines.chain([format!("version {version}\n")]).collect();
            repo.write(format!("{file}.txt"), text);
        }
        repo.write("secret.txt", format!("{version}\n{}", token.line()));
        repo.commit("Change all");
    }
    repo.git(["gc", "--quiet"]);
    Some(repo)
}

/// The file that is kept.
fn kept(cache: &Path) -> PathBuf {
    let entries = fs::read_dir(cache).expect("it was made").map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "verdicts")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_second_scan_costs_what_is_new() {
    let (workspace, token) = (Workspace::new(), Token::new("in what is scanned twice"));
    let Some(repo) = many(&workspace, &token) else { return };
    let cache = workspace.path(FOLDER);
    let run = keytrail(["history", repo.spelled(), "--format", "jsonl"]);
    let (all, known) = counts(&same(&run, &cache));
    assert_eq!(known, 0);
    let (scanned, known) = counts(&same(&run, &cache));
    // Four commits, four blobs with the secret, and of 200 known blobs one in a hundred; 30 would be a wonder.
    assert!((8..38).contains(&scanned) && scanned + known == all, "{scanned} scanned, {known} known");
    let new = Token::new("in what came later");
    repo.write(
        "7.txt",
        format!("{}{}", fs::read_to_string(repo.path().join("7.txt")).expect("it is there"), new.line()),
    );
    repo.commit_file("8.txt", "all new\n");
    let ran = same(&run, &cache);
    let (scanned, more) = counts(&ran);
    assert_eq!(scanned + more, all + 3, "a commit and two blobs");
    assert!((11..41).contains(&scanned), "{scanned} scanned");
    assert_eq!(ran.results().findings.len(), 2);
    let text = keytrail(["history", repo.spelled(), "--cache"]).arg(&cache).go().exits(1);
    text.says(&["contents known from earlier scans"]);
}

#[test]
fn the_torture_repository_is_found_out_as_without() {
    let Some(torture) = torture() else { return };
    let workspace = Workspace::new();
    let cache = workspace.path(FOLDER);
    for flags in [&["--unreachable"][..], &["--unreachable"], &["--confidence", "low"], &["--include-tests"]] {
        let ran = same(&keytrail(["history", torture.repo.spelled(), "--format", "jsonl"]).args(flags), &cache);
        assert!(ran.results().findings.len() > 10);
    }
    assert!(fs::read(kept(&cache)).expect("it is ours").len() > 200);
}

#[test]
fn merges_pointers_and_new_commits_change_nothing() {
    use sha2::Digest as _;
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("pointers") else { return };
    let cache = workspace.path(FOLDER);
    let token = Token::new("behind a pointer");
    let content = token.line();
    let id: String = sha2::Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let object = format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]);
    repo.write(&object, "nothing yet");
    repo.write(&object, &content);
    repo.commit_file(
        "big.bin",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {}\n", content.len()),
    );
    let run = keytrail(["history", repo.spelled(), "--format", "jsonl"]);
    for _ in 0..3 {
        assert_eq!(same(&run, &cache).code, Some(1), "the file is looked at each time");
    }
    repo.git(["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("side.txt", Token::new("on a side").line());
    same(&run, &cache);
    repo.git(["checkout", "--quiet", "main"]);
    repo.commit_file("main.txt", "main\n");
    repo.git(["merge", "--quiet", "--no-ff", "--message", "Merge", "side"]);
    assert_eq!(same(&run, &cache).results().findings.len(), 2);
    repo.git(["gc", "--quiet"]);
    same(&run, &cache);
    repo.remove(&object);
    assert_eq!(same(&run, &cache).code, Some(3), "the pointer is remembered, its file is gone");
}

#[test]
fn a_blob_that_went_missing_is_unread() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("missing") else { return };
    repo.commit_file("a.txt", "nothing to see\n");
    repo.commit_file("b.txt", "nothing here\n");
    let cache = workspace.path(FOLDER);
    history(&repo, &cache).go().exits(0);
    let id = repo.id("HEAD:a.txt");
    fs::remove_file(repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    let ran = same(&keytrail(["history", repo.spelled(), "--format", "jsonl"]), &cache).exits(3);
    assert_eq!(ran.results().unread_kinds(), ["missing"]);
}

#[test]
fn what_the_index_and_a_range_hold_is_known_too() {
    let (workspace, token) = (Workspace::new(), Token::new("in a change"));
    let Some(repo) = workspace.repo("changes") else { return };
    let cache = workspace.path(FOLDER);
    let base = repo.commit_file("first.txt", "first\n");
    for file in 0..40 {
        repo.write(format!("{file}.txt"), format!("file {file}\n"));
    }
    repo.write("secret.txt", token.line());
    repo.git(["add", "--all"]);
    let staged = keytrail(["staged", "--format", "jsonl"]).within(repo.path());
    assert_eq!(counts(&same(&staged, &cache)).1, 0);
    assert!(counts(&same(&staged, &cache)).1 > 20);
    repo.commit_index("All");
    let diff = keytrail(["diff", &format!("{base}..HEAD"), "--format", "jsonl"]).within(repo.path());
    let ran = same(&diff, &cache).exits(1);
    assert!(counts(&ran).1 > 20, "what was staged is known in the range");
    assert!(counts(&same(&keytrail(["history", repo.spelled(), "--format", "jsonl"]), &cache)).1 > 20);
    let by_variable = staged.env("KEYTRAIL_CACHE", &cache).go();
    assert_eq!(counts(&by_variable), (0, 0), "nothing is staged");
    let by_variable = diff.env("KEYTRAIL_CACHE", &cache).go().exits(1);
    assert!(counts(&by_variable).1 > 20);
}

#[test]
fn other_rules_and_settings_know_nothing() {
    let (workspace, token) = (Workspace::new(), Token::new("under rules that come and go"));
    let Some(repo) = many(&workspace, &token) else { return };
    let cache = workspace.path(FOLDER);
    let rule = crate::harness::scan(&keytrail(["history", repo.spelled()])).of(&token).text("rule");
    let config = workspace.write("less.toml", format!("version = 1\n[rules]\ndisable = [\"{rule}\"]\n"));
    let less = history(&repo, &cache).arg("--config").arg(&config);
    less.go().exits(0);
    assert!(counts(&less.go()).1 > 150);
    let ran = history(&repo, &cache).go().exits(1);
    assert_eq!(counts(&ran).1, 0, "what fewer rules found clean isn't");
    let own = "[[rule]]\nid = \"own-line\"\nname = \"Own line\"\nkeywords = [\"of file 7,\"]\n\
               pattern = '''(of file 7, [0-9]{3})'''\nseverity = \"high\"\nconfidence = \"high\"\n";
    let more = history(&repo, &cache).arg("--rules").arg(workspace.write("own.toml", own)).go().exits(1);
    assert!(counts(&more).1 == 0 && more.results().findings.len() > 1);
    let assuming = history(&repo, &cache).arg("--assume-structure").go().exits(1);
    assert_eq!(counts(&assuming).1, 0);
    assert_eq!(counts(&history(&repo, &cache).arg("--full-scan").go().exits(1)).1, 0);
    assert!(counts(&history(&repo, &cache).args(["--confidence", "low"]).go().exits(1)).1 > 150, "it is no matter");
}

/// Does something to a file.
type Damage<'d> = &'d dyn Fn(Vec<u8>) -> Vec<u8>;

#[test]
fn damage_hides_nothing() {
    let (workspace, token) = (Workspace::new(), Token::new("beside a damaged cache"));
    let Some(repo) = many(&workspace, &token) else { return };
    let cache = workspace.path(FOLDER);
    let without = said(&keytrail(["history", repo.spelled(), "--format", "jsonl"]).go());
    let secret = repo.id("HEAD:secret.txt");
    let len: u64 = repo.git(["cat-file", "-s", &secret]).parse().expect("a number");
    // Sixteen bytes of what it is, 32 of its key, twice 8 of how many entries; then an id and 8 bytes of length each.
    let with_the_secret = |mut bytes: Vec<u8>| {
        let id: Vec<u8> = (0..20).map(|n| u8::from_str_radix(&secret[2 * n..2 * n + 2], 16).expect("hex")).collect();
        let at = (80..bytes.len() - 32).step_by(28).find(|at| bytes[*at..*at + 20] > id[..]);
        bytes[55] += 1;
        bytes.splice(at.unwrap_or(80)..at.unwrap_or(80), id.into_iter().chain(len.to_be_bytes()));
        bytes
    };
    let damages: [(&str, Damage<'_>); 6] = [
        ("an entry added", &with_the_secret),
        ("a flipped byte", &|mut bytes| {
            bytes[100] ^= 4;
            bytes
        }),
        ("cut", &|bytes| bytes[..bytes.len() - 28].to_vec()),
        ("emptied", &|_| Vec::new()),
        ("grown", &|bytes| [bytes, vec![0; 28]].concat()),
        ("something else", &|_| b"not a cache at all, but quite long, so that nobody finds it too short\n".repeat(9)),
    ];
    for (what, damage) in damages {
        history(&repo, &cache).go().exits(1);
        let path = kept(&cache);
        let bytes = fs::read(&path).expect("it is ours");
        assert!(bytes.len() > 5_000);
        fs::write(&path, damage(bytes)).expect("it is ours");
        let ran = history(&repo, &cache).go().says(&["dropped and all is scanned"]);
        assert_eq!(counts(&ran).1, 0, "{what}");
        let mut told = said(&ran);
        told.retain(|line| !line.contains("dropped and all is scanned"));
        assert_eq!(told, without, "{what}");
        assert!(counts(&history(&repo, &cache).go()).1 > 150, "{what}: it is made anew");
    }
    // Another repository's file in its place.
    let other = workspace.repo("other").expect("git was there before");
    other.write("copy.txt", token.line());
    other.write("plain.txt", "nothing\n");
    other.commit("The secret alone");
    let second = workspace.path("others");
    history(&other, &second).go().exits(1);
    fs::copy(kept(&second), kept(&cache)).expect("both are ours");
    let ran = history(&repo, &cache).go().exits(1);
    assert_eq!((counts(&ran).1, ran.results().findings.len()), (0, 1));
}

/// Has the cache believe that these blobs of a repository are clean; each is as long as it is and so much.
fn forge(cache: &Path, repo: &Repo, blobs: &[(&str, u64)]) {
    let engine = Engine::new(built_in_rules()).expect("the built-in rules make an engine");
    let cache = Cache::open(cache, &engine.description(), &[]).expect("the folder is our own");
    let store = repo.path().join(".git").canonicalize().expect("it is there");
    let (verdicts, _) = cache.recall(&store);
    for (revision, more) in blobs {
        let id = repo.id(revision);
        let len: u64 = repo.git(["cat-file", "-s", &id]).parse().expect("a number");
        verdicts.settle(&gix::ObjectId::from_hex(id.as_bytes()).expect("an id"), len + more, true);
    }
    assert_eq!(verdicts.finish(), None);
}

#[test]
fn a_verdict_that_can_t_be_right_voids_all_the_others() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("voided") else { return };
    let (one, other) = (Token::new("whitewashed"), Token::new("whitewashed too"));
    let base = repo.commit_file("first.txt", "first\n");
    repo.write("a.txt", one.line());
    repo.write(format!("dir/{}.txt", other.text()), "its name\n");
    repo.write("b.txt", "as it says, but not as long\n");
    repo.write(
        "pointer",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n", "7".repeat(64)),
    );
    repo.git(["add", "--all"]);
    let cache = workspace.path(FOLDER);
    let voided = |run: &Run, whitewashed: &str, wrong: &str| {
        forge(&cache, &repo, &[(whitewashed, 0), (wrong, 1)]);
        let with = run.clone().args(["--format", "jsonl", "--cache"]).arg(&cache).go().says(&["was wrong"]);
        let mut told = said(&with);
        told.retain(|line| !line.contains("was wrong"));
        assert_eq!(told, said(&run.clone().args(["--format", "jsonl"]).go().exits(3)));
        assert_eq!((with.results().findings.len(), counts(&with).1), (2, 0));
        assert!(fs::read_dir(&cache).expect("it is there").all(|entry| entry.expect("listed").file_name() == "lock"));
    };
    voided(&keytrail(["staged"]).within(repo.path()), ":a.txt", ":b.txt");
    repo.commit_index("All");
    voided(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()), "HEAD:a.txt", "HEAD:b.txt");
    voided(&keytrail(["history", repo.spelled()]), "HEAD:a.txt", "HEAD:b.txt");
    // What a first repository left out is scanned when a second one shows that nothing can be believed.
    let second = workspace.repo("second").expect("git was there before");
    second.commit_file("c.txt", "third\n");
    forge(&cache, &second, &[("HEAD:c.txt", 1)]);
    let both = keytrail(["history", repo.spelled(), second.spelled()]);
    voided(&both, "HEAD:a.txt", "HEAD:first.txt");
    forge(&cache, &second, &[("HEAD:c.txt", 1)]);
    forge(&cache, &repo, &[("HEAD:a.txt", 0)]);
    let ran = both.args(["--format", "jsonl", "--cache"]).arg(&cache).go().exits(3).says(&["was wrong"]);
    assert_eq!((ran.results().findings.len(), counts(&ran).1), (2, 0));
}

#[test]
fn no_byte_of_a_secret_is_kept() {
    let (workspace, token) = (Workspace::new(), Token::new("that is not kept"));
    let Some(repo) = many(&workspace, &token) else { return };
    let cache = workspace.path(FOLDER);
    history(&repo, &cache).go().exits(1);
    let bytes = fs::read(kept(&cache)).expect("it is ours");
    let id = repo.id("HEAD:secret.txt");
    let id: Vec<u8> = (0..20).map(|n| u8::from_str_radix(&id[2 * n..2 * n + 2], 16).expect("hex")).collect();
    for needle in [token.text().as_bytes(), &token.text().as_bytes()[4..12], &id, b"secret", b"line"] {
        assert!(memchr::memmem::find(&bytes, needle).is_none());
    }
}

#[test]
fn folders_in_what_is_scanned_are_refused() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("outer/scanned") else { return };
    repo.commit_file("a.txt", "text\n");
    let linked = workspace.path("linked");
    repo.git(["worktree", "add", "--quiet", "--detach", linked.to_str().expect("plain")]);
    for folder in [repo.path().join("cache"), repo.path().join(".git/cache"), workspace.path("outer"), linked.join("c")]
    {
        history(&repo, &folder).go().exits(2).says(&["which is scanned", "choose a folder apart"]);
        let staged = keytrail(["staged", "--cache"]).arg(&folder).within(repo.path());
        staged.go().exits(2).says(&["which is scanned"]);
        let linked = keytrail(["diff", "HEAD..HEAD", "--cache"]).arg(&folder).within(&linked);
        linked.go().exits(2).says(&["which is scanned"]);
    }
    assert!(!repo.path().join("cache").exists() && !linked.join("c").exists(), "nothing was made there");
    keytrail(["history", "--cache", "./kept"]).within(repo.path()).go().exits(2);
    keytrail(["history", "--cache", "../../kept"]).within(repo.path()).go().exits(0);
    assert!(workspace.path("kept").is_dir());
}

#[cfg(unix)]
#[test]
fn folders_that_others_may_use_and_links_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("plain") else { return };
    repo.commit_file("a.txt", "text\n");
    let cache = workspace.path("deep/er/cache");
    history(&repo, &cache).go().exits(0);
    let mode = |path: &Path| fs::metadata(path).expect("it was made").permissions().mode() & 0o777;
    assert_eq!((mode(&cache), mode(&kept(&cache))), (0o700, 0o600));
    symlink(&cache, workspace.path("link")).expect("our own folder");
    history(&repo, &workspace.path("link")).go().exits(2).says(&["symbolic link", "the folder itself"]);
    history(&repo, &kept(&cache)).go().exits(2).says(&["no folder"]);
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).expect("it is ours");
    history(&repo, &cache).go().exits(2).says(&["chmod 700", "mode 755"]).doesnt_say(&["clean:"]);
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o700)).expect("it is ours");
    fs::set_permissions(kept(&cache), fs::Permissions::from_mode(0o666)).expect("it is ours");
    let ran = history(&repo, &cache).go().exits(0).says(&["dropped and all is scanned"]);
    assert_eq!(counts(&ran).1, 0);
    assert_eq!(mode(&kept(&cache)), 0o600, "it was made anew");
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_t_be_written_to_is_a_note() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let (workspace, token) = (Workspace::new(), Token::new("beside a cache that is read-only"));
    let Some(repo) = many(&workspace, &token) else { return };
    let cache = workspace.path(FOLDER);
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    fs::create_dir(&cache).expect("our own folder");
    let mut run = history(&repo, &cache);
    if fs::metadata(&cache).expect("it is there").uid() == 0 {
        // Root may write everywhere, so somebody else runs a copy of the binary, which may lie where they can't.
        let Some(setpriv) = tool("setpriv") else { return };
        let copy = workspace.path("keytrail");
        fs::copy(env!("CARGO_BIN_EXE_keytrail"), &copy).expect("the disk has room");
        allow(&copy, 0o755);
        allow(&workspace.path(""), 0o755);
        chown(&cache, Some(65534), Some(65534)).expect("we are root");
        let nobody =
            [setpriv.as_os_str(), "--reuid=65534".as_ref(), "--regid=65534".as_ref(), "--clear-groups".as_ref()];
        run = run.program(&copy).through(nobody).within("/");
    }
    allow(&cache, 0o500);
    let ran = run.go().exits(1).says(&["can't be kept", "permission denied"]);
    assert_eq!(ran.results().findings.len(), 1);
    allow(&cache, 0o700);
    run.go().exits(1).doesnt_say(&["can't be kept"]);
    allow(&cache, 0o500);
    repo.commit_file("new.txt", "new\n");
    let ran = run.go().exits(1).says(&["can't be kept"]);
    assert!(counts(&ran).1 > 150, "what is there can be read");
}

#[test]
fn runs_at_one_time_share_a_folder() {
    let (workspace, token) = (Workspace::new(), Token::new("scanned by several at a time"));
    let Some(repo) = many(&workspace, &token) else { return };
    let other = repo.clone_to("clone", &[]);
    let cache = workspace.path(FOLDER);
    std::thread::scope(|scope| {
        for repo in [&repo, &other, &repo, &other] {
            scope.spawn(|| {
                for _ in 0..3 {
                    let ran = history(repo, &cache).go().exits(1);
                    assert_eq!(ran.results().findings.len(), 1);
                    ran.doesnt_say(&["dropped", "can't be kept"]);
                }
            });
        }
    });
    for repo in [&repo, &other] {
        assert!(counts(&history(repo, &cache).go().exits(1)).1 > 150);
    }
    let both = keytrail(["history", repo.spelled(), other.spelled(), "--format", "jsonl", "--cache"]).arg(&cache).go();
    assert!(counts(&both).1 > 300);
}

#[test]
fn it_is_the_user_s_word_alone_and_for_git_s_objects() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("own") else { return };
    repo.write(".keytrail.toml", "version = 1\n[scan]\ncache = \"../verdicts\"\n");
    repo.commit_file("a.txt", "text\n");
    let refused = ["`cache`", "no say", "--cache or KEYTRAIL_CACHE"];
    keytrail(["history"]).within(repo.path()).go().exits(2).says(&refused).doesnt_say(&["unknown key"]);
    repo.remove(".keytrail.toml");
    repo.commit("Without");
    for command in [&["files", "."][..], &["image", "."]] {
        let run = keytrail(command).within(repo.path());
        run.clone()
            .args(["--cache", "../verdicts"])
            .go()
            .exits(2)
            .says(&["--cache: not with", "history, diff and staged"]);
        run.env("KEYTRAIL_CACHE", "../verdicts").go().exits_one_of(&[0, 1]);
    }
    assert!(!workspace.path(FOLDER).exists());
    keytrail(["config", "show", "--cache", "../x"]).within(repo.path()).go().exits(0).says(&["cache", "../x", "flag"]);
    keytrail(["history", "--help"]).go().exits(0).says(&["--cache <DIR>", "KEYTRAIL_CACHE"]);
    keytrail(["files", "--help"]).go().exits(0).doesnt_say(&["--cache"]);
}

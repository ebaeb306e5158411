//! Purging: what is planned, rewritten by the real git filter-repo and proven gone; and every place in which a repository
//! may keep a secret, one at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use sha2::{Digest, Sha256};

use crate::harness::{Ran, Repo, Run, Token, Workspace, hold_printed, keytrail, skip};

/// A repository with a commit that has nothing to do with secrets.
fn clean(workspace: &Workspace) -> Option<Repo> {
    let repo = workspace.repo("repo")?;
    repo.commit_file("README", "nothing to hide\n");
    Some(repo)
}

/// A check for the secret itself.
fn by_value(repo: &Repo, secret: &[u8]) -> Run {
    keytrail(["purge-check", "--no-progress", "--secret-stdin"]).within(repo.path()).stdin(secret)
}

/// A check for a fingerprint.
fn by_fingerprint(repo: &Repo, name: &str) -> Run {
    keytrail(["purge-check", "--no-progress", name]).within(repo.path())
}

/// The fingerprint of a token of ours, as anyone with the token can work it out.
fn fingerprint(token: &Token) -> String {
    let hash = Sha256::new().chain_update(b"keytrail secret v1\0").chain_update(token.text()).finalize();
    format!("v1:{}", hash[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Both checks, each ending with `code` and saying `words`.
fn both(repo: &Repo, token: &Token, code: i32, words: &[&str]) {
    by_value(repo, token.text().as_bytes()).go().exits(code).says(words);
    by_fingerprint(repo, &fingerprint(token)).go().exits(code).says(words);
}

/// Forgets what nothing leads to but logs and the name of where the branch was before.
fn collect(repo: &Repo) {
    repo.git(["update-ref", "-d", "ORIG_HEAD"]);
    repo.git(["reflog", "expire", "--expire=now", "--all"]);
    repo.git(["-c", "gc.pruneExpire=now", "gc", "--quiet", "--prune=now"]);
}

/// Files below the git folder whose name ends so.
fn files(repo: &Repo, below: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repo.path().join(".git").join(below)).expect("git made it");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

/// A place to hide a secret in: its name, how it gets there, what a check says of it, how it goes.
type Hideout = (&'static str, fn(&Repo, &Token), &'static [&'static str], fn(&Repo, &Token));

#[test]
fn every_hiding_place_is_named_until_it_is_gone() {
    let workspace = Workspace::new();
    let all: [Hideout; 11] = [
        (
            "branch",
            |repo, token| {
                repo.git(["checkout", "--quiet", "-b", "topic"]);
                repo.commit_file("app.env", token.line());
                repo.git(["checkout", "--quiet", "main"]);
            },
            &["app.env", ", blob ", "tip"],
            |repo, _| {
                repo.git(["branch", "-D", "topic"]);
                collect(repo);
            },
        ),
        (
            "stash",
            |repo, token| {
                repo.write("README", token.line());
                repo.git(["stash", "--quiet"]);
            },
            &["readme", "refs/stash"],
            |repo, _| {
                repo.git(["stash", "drop"]);
                collect(repo);
            },
        ),
        (
            "reflog",
            |repo, token| {
                repo.commit_file("app.env", token.line());
                repo.git(["reset", "--quiet", "--hard", "HEAD~"]);
            },
            &["app.env", "history only"],
            |repo, _| collect(repo),
        ),
        (
            "loose",
            |repo, token| drop(repo.blob(token.line().as_bytes())),
            &["unreachable", ", blob "],
            |repo, _| drop(repo.git(["prune", "--expire=now"])),
        ),
        (
            "cruft",
            |repo, token| {
                repo.blob(token.line().as_bytes());
                repo.git(["repack", "--cruft", "-d", "-q"]);
                assert_eq!(files(repo, "objects/pack", ".mtimes").len(), 1, "there is a cruft pack");
            },
            &["unreachable", ", blob "],
            |repo, _| collect(repo),
        ),
        (
            "tag message",
            |repo, token| drop(repo.git(["tag", "-a", "v1", "-m", &token.line()])),
            &["tag refs/tags/v1", ", tag "],
            |repo, _| {
                repo.git(["tag", "-d", "v1"]);
                collect(repo);
            },
        ),
        (
            "note",
            |repo, token| drop(repo.git(["notes", "add", "-m", &token.line()])),
            &["note", "refs/notes/commits"],
            |repo, _| {
                repo.git(["update-ref", "-d", "refs/notes/commits"]);
                // Where git keeps what is being written.
                let draft = repo.path().join(".git/NOTES_EDITMSG");
                fs::remove_file(draft).unwrap_or_default();
                collect(repo);
            },
        ),
        (
            "path name",
            |repo, token| {
                repo.commit_file(&format!("keys/{}.txt", token.text()), "nothing\n");
                repo.git(["rm", "-q", "-r", "keys"]);
                repo.commit("remove");
            },
            &["path name keys/", ", tree "],
            |repo, _| {
                repo.git(["reset", "--quiet", "--hard", "HEAD~2"]);
                collect(repo);
            },
        ),
        (
            "ref name",
            |repo, token| {
                repo.git(["branch", &format!("try-{}", token.text())]);
                repo.git(["pack-refs", "--all"]);
            },
            &["name of ref", "packed-refs"],
            |repo, token| drop(repo.git(["branch", "-D", &format!("try-{}", token.text())])),
        ),
        (
            "log of a ref",
            |repo, token| {
                drop(repo.git(["update-ref", "-m", &token.line(), "--create-reflog", "refs/heads/x", "HEAD"]))
            },
            &["(git folder) logs/refs/heads/x"],
            |repo, _| drop(repo.git(["reflog", "expire", "--expire=now", "--all"])),
        ),
        (
            "lfs",
            |repo, token| {
                let id: String = Sha256::digest(token.line()).iter().map(|byte| format!("{byte:02x}")).collect();
                repo.write(format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]), token.line());
                let size = token.line().len();
                let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {size}\n");
                repo.commit_file("big.bin", pointer);
            },
            &["big.bin", "(git folder) lfs/objects/"],
            |repo, _| {
                repo.git(["reset", "--quiet", "--hard", "HEAD~"]);
                collect(repo);
                fs::remove_dir_all(repo.path().join(".git/lfs")).expect("the test made it");
            },
        ),
    ];
    for (name, hide, words, purge) in all {
        let Some(repo) = workspace.repo(name) else { return };
        repo.commit_file("README", "nothing to hide\n");
        let token = Token::new(&format!("purge, {name}"));
        both(&repo, &token, 0, &["gone"]);
        hide(&repo, &token);
        both(&repo, &token, 1, &[&["STILL THERE"], words].concat());
        purge(&repo, &token);
        both(&repo, &token, 0, &["gone"]);
    }
}

#[test]
fn what_is_staged_in_a_compressed_index_is_found() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let (content, path) = (Token::new("purge, staged"), Token::new("purge, staged path"));
    repo.git(["update-index", "--index-version=4"]);
    // The second path is written as what differs from the first.
    repo.write(format!("a-{}", &path.text()[..30]), "nothing\n");
    repo.write(format!("a-{}", path.text()), content.line());
    repo.git(["add", "--all"]);
    by_value(&repo, content.text().as_bytes()).go().exits(1).says(&["index"]);
    by_value(&repo, path.text().as_bytes()).go().exits(1).says(&["path name"]);
}

#[test]
fn encoded_values_are_found_and_said_to_be() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let token = Token::other("purge, encoded", "pq/7+Zt5vvw\"8pp2kX9");
    let utf16: Vec<u8> = token.text().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("user:{}", token.text()));
    repo.write("wide.txt", utf16);
    repo.write("auth.txt", format!("x {encoded}\n"));
    repo.write("app.json", serde_json::to_string(token.text()).expect("it is a text"));
    repo.commit("Add");
    let words = ["3 places", "wide.txt", "in utf-16", "auth.txt", "in base64", "app.json", "escaped"];
    by_value(&repo, format!("{}\n", token.text()).as_bytes()).go().exits(1).says(&words);
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let token = Token::new("purge, unread");
    both(&repo, &token, 0, &["gone"]);
    let stray = repo.write(".git/objects/pack/tmp_pack_x1y2", "half a pack");
    both(&repo, &token, 3, &["not found in what could be read", "tmp_pack_x1y2", "git gc --prune=now"]);
    fs::remove_file(stray).expect("the test made it");
    let id = repo.blob(b"nothing");
    let loose = repo.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    fs::remove_file(&loose).expect("git made it");
    fs::write(&loose, b"garbage").expect("it is ours");
    both(&repo, &token, 3, &["nothing is proven", &id]);
    // What is found is told all the same.
    repo.commit_file("app.env", token.line());
    both(&repo, &token, 3, &["STILL THERE", "app.env", "nothing is proven"]);
}

#[test]
fn fingerprints_that_name_no_value_are_refused() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let (place, value) = (format!("v1p:{}", "0f".repeat(16)), format!("v1:{}", "0e".repeat(16)));
    by_fingerprint(&repo, &place).go().exits(2).says(&["names a place and no value", "--secret-stdin"]);
    by_fingerprint(&repo, &value).arg(&place).go().exits(3).says(&["gone", "can't be searched for"]);
    let keyed = format!("v1k:00112233:{}", "0d".repeat(16));
    by_fingerprint(&repo, &keyed).go().exits(2).says(&["--fingerprint-key-file"]);
    let other = by_fingerprint(&repo, &keyed).env("KEYTRAIL_FINGERPRINT_KEY", "k".repeat(20));
    other.go().exits(2).says(&["another key"]);
    by_value(&repo, b"\n").go().exits(2).says(&["it is empty"]);
    by_value(&repo, b"abc").go().exits(2).says(&["by chance"]);
    let typed = Token::new("purge, typed");
    let ran = keytrail(["purge-check", typed.text()]).within(repo.path()).go();
    ran.exits(2);
}

#[test]
fn keyed_fingerprints_need_their_key() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let token = Token::new("purge, keyed");
    repo.commit_file("app.env", token.line());
    let key = "kk-0123456789-kk";
    let history = keytrail(["history", ".", "--format", "jsonl"]).within(repo.path());
    let name = named(&history.env("KEYTRAIL_FINGERPRINT_KEY", key).go());
    assert!(name.starts_with("v1k:"), "{name}");
    let check = |name: &str| by_fingerprint(&repo, name).env("KEYTRAIL_FINGERPRINT_KEY", key).go();
    check(&name).exits(1).says(&["app.env"]);
    // Those that were made without one are found as well.
    check(&fingerprint(&token)).exits(1).says(&["app.env"]);
}

/// The fingerprint of the only finding in JSON lines.
fn named(ran: &Ran) -> String {
    let lines = ran.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let records = lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).expect("lines are JSON"));
    let names = records.filter_map(|record| Some(record.get("fingerprint")?.as_str()?.to_owned()));
    let names: Vec<String> = names.collect();
    assert_eq!(names.len(), 1);
    names[0].clone()
}

#[test]
fn plans_are_kept_out_of_the_repository_and_of_pipelines() {
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let token = Token::new("purge, plan");
    let outside = workspace.path("plan");
    let plan = |output: &Path| keytrail(["purge-plan", "--no-progress", "--output"]).arg(output).within(repo.path());
    plan(&outside).go().exits(2).says(&["nothing to purge"]);
    assert!(!outside.exists());
    repo.commit_file("app.env", token.line());
    for inside in ["plan", ".git/plan"] {
        plan(Path::new(inside)).go().exits(2).says(&["in the repository", "--force"]);
        assert!(!repo.path().join(inside).exists());
    }
    plan(&outside).env("CI", "true").go().exits(2).says(&["KEYTRAIL_ALLOW_SHOW=1"]);
    assert!(!outside.exists());
    let unknown = format!("v1:{}", "0e".repeat(16));
    plan(&outside).arg(unknown).go().exits(2).says(&["no finding of the fingerprint"]);
    plan(&outside).go().exits(0).says(&["IN CLEAR", "checklist.md"]);
    let replacements = fs::read_to_string(outside.join("replacements.txt")).expect("it was written");
    assert!(replacements == format!("literal:{}==>***REMOVED***\n", token.text()));
    hold_printed("the checklist", &fs::read(outside.join("CHECKLIST.md")).expect("it was written"), false);
    #[cfg(unix)]
    for (path, mode) in [("", 0o700), ("replacements.txt", 0o600), ("CHECKLIST.md", 0o600)] {
        use std::os::unix::fs::PermissionsExt as _;
        let facts = fs::metadata(outside.join(path)).expect("it was written");
        assert_eq!(facts.permissions().mode() & 0o777, mode, "{path}");
    }
    plan(&outside).go().exits(2).says(&["something already"]);
    plan(Path::new("plan")).arg("--force").go().exits(0);
}

/// The python that has git filter-repo, or `None` after noting the skip.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("KEYTRAIL_PYTHON").map(PathBuf::from);
    let has_it = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", "import git_filter_repo"]).output().is_ok_and(|output| output.status.success())
    };
    let found = python.filter(has_it);
    if found.is_none() {
        skip("git-filter-repo (KEYTRAIL_PYTHON)");
    }
    found
}

#[cfg(unix)]
#[test]
fn a_plan_done_as_the_checklist_says_leaves_nothing() {
    let Some(python) = python() else { return };
    let workspace = Workspace::new();
    let Some(repo) = clean(&workspace) else { return };
    let token = Token::new("purge, rewritten");
    let wide = Token::new("purge, rewritten in UTF-16");
    let key = private_key("purge, rewritten key");
    repo.commit_file("app.env", format!("before\n{}after\n", token.line()));
    repo.commit_file("key.pem", format!("older\n{}\n", key.text()));
    repo.commit_file("key.pem", format!("{}\n", key.text()));
    let utf16: Vec<u8> = wide.line().encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.commit_file("wide.txt", [b"\xff\xfe".as_slice(), &utf16].concat());
    repo.commit_file(&format!("keys/{}.txt", token.text()), "the file stays\n");
    repo.commit(&format!("use {} from now on", token.text()));
    repo.git(["tag", "-a", "v1", "-m", &token.line()]);
    repo.git(["notes", "add", "-m", &token.line()]);
    let plan = workspace.path("it's the plan");
    keytrail(["purge-plan", "--no-progress", "--output"]).arg(&plan).within(repo.path()).go().exits(0);
    let text = fs::read_to_string(plan.join("CHECKLIST.md")).expect("it was written");
    hold_printed("the checklist", text.as_bytes(), false);

    // The commands of the checklist, as they stand, with the address put in.
    let (_, rewrite) = text.split_once("## 3. Rewrite").expect("there is such a section");
    let script = rewrite.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it has commands");
    let script = script.replace("URL", &repo.url());
    let bin = workspace.path("bin");
    workspace.script("bin/git-filter-repo", &format!("exec '{}' -m git_filter_repo \"$@\"", python.display()));
    workspace.script("bin/keytrail", &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_keytrail")));
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&others))).expect("no odd names");
    let output = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(workspace.path(""))
        .env_clear()
        .env("PATH", path)
        .env("HOME", workspace.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output();
    let output = output.expect("there is a shell");
    // git filter-repo writes its progress over itself.
    let printed: Vec<u8> = output.stdout.iter().copied().filter(|&byte| byte != b'\r').collect();
    hold_printed("the commands", &printed, false);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{} {told}", String::from_utf8_lossy(&output.stdout));

    let purged = repo.at(workspace.path("purged.git"));
    let lines: Vec<&str> = key.text().lines().filter(|line| !line.starts_with('-')).collect();
    assert!(lines.len() > 1, "the key has several lines");
    for secret in [token.text(), wide.text()].into_iter().chain(lines) {
        by_value(&purged, secret.as_bytes()).go().exits(0).says(&["gone"]);
        by_value(&repo, secret.as_bytes()).go().exits(1);
    }
    // What is no secret is still there.
    assert_eq!(purged.git(["show", "main:app.env"]), "before\nupload with ***REMOVED*** from here on\nafter");
    assert_eq!(purged.git(["show", "main:keys/REMOVED.txt"]), "the file stays");
    let (begin, end) = (["-----BEGIN", "PRIVATE KEY-----"].join(" "), ["-----END", "PRIVATE KEY-----"].join(" "));
    assert_eq!(purged.git(["show", "main:key.pem"]), format!("{begin}\n***REMOVED***\n{end}"));
    assert!(!purged.git(["ls-tree", "-r", "--name-only", "main"]).contains("wide.txt"));
}

/// A private key, made by OpenSSL: a secret of several lines.
fn private_key(label: &str) -> Token {
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .output()
        .expect("openssl is there");
    Token::other(label, String::from_utf8_lossy(&made.stdout).trim_end())
}

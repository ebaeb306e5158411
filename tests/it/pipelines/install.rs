//! The three ways by which the action gets keytrail, and what it keeps of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::runner::Job;
use super::server::Server;
use super::{Checkout, checkout, ours};
use crate::harness::tool;

/// A job whose scan finds nothing.
fn job(checkout: &Checkout) -> Option<Job> {
    let tip = &checkout.tip;
    let payload = format!(r#"{{"ref":"refs/heads/topic","before":"{tip}","after":"{tip}","repository":{{}}}}"#);
    Job::new(checkout, "push", &payload)
}

/// Puts a cargo and a rustc into the folder `stubs` that note where and how they were called (in the file that is given,
/// and in the same with `.rustc`). This cargo installs the program under test: the real one takes minutes.
fn stand_ins(checkout: &Checkout) -> PathBuf {
    let noted = checkout.workspace.path("noted");
    let body = format!(
        "pwd >'{noted}'\necho \"$@\" >>'{noted}'\nfor last; do :; done\nmkdir -p \"$last/bin\"\n\
         ln -sf '{}' \"$last/bin/keytrail\"",
        env!("CARGO_BIN_EXE_keytrail"),
        noted = noted.display()
    );
    checkout.workspace.script("stubs/cargo", &body);
    checkout.workspace.script("stubs/rustc", &format!("pwd >>'{}.rustc'\necho rustc 1.93.0", noted.display()));
    noted
}

#[test]
fn building_obeys_nothing_of_the_checkout() {
    let Some(checkout) = checkout("build") else { return };
    let Some(job) = job(&checkout) else { return };
    // What rustup and cargo would obey in the folder they are started in.
    checkout.clone.write("rust-toolchain.toml", "[toolchain]\npath = \"evil\"\n");
    checkout.clone.write(".cargo/config.toml", "[build]\nrustc = \"./evil\"\n");
    let noted = stand_ins(&checkout);
    let temporary = job.temporary();
    let done = job.on_path(&checkout.workspace.path("stubs")).with("install", "build").go().exits(0);
    let called = fs::read_to_string(&noted).expect("cargo was called");
    let lines: Vec<_> = called.lines().collect();
    let source = fs::canonicalize(ours("")).expect("it is there");
    assert_eq!(fs::canonicalize(lines[0]).expect("a folder"), source, "in the action's folder");
    let root = temporary.join("keytrail/cached");
    assert_eq!(lines[1], format!("install --locked --quiet --path . --root {}", root.display()));
    let asked = fs::read_to_string(format!("{}.rustc", noted.display())).expect("rustc was asked");
    assert_eq!(fs::canonicalize(asked.trim()).expect("a folder"), source);
    // Looked for and kept under one name, which tells system, machine and sources.
    let of = |name: &str| {
        let used = done.used.iter().find(|(uses, _)| uses.starts_with(name)).map(|(_, with)| with.clone());
        used.unwrap_or_else(|| panic!("no {name} in {:?}", done.used))
    };
    let (restored, saved) = (of("actions/cache/restore@"), of("actions/cache/save@"));
    assert_eq!(restored, saved);
    let digest = saved["key"].strip_prefix("keytrail-build-Linux-X64-").expect(&saved["key"]);
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_eq!(saved["path"], root.to_string_lossy());
}

#[test]
fn what_the_cache_gives_back_is_not_built_again() {
    let Some(checkout) = checkout("cached") else { return };
    let Some(job) = job(&checkout) else { return };
    checkout.workspace.script("stubs/cargo", "echo built again; exit 9");
    let cached = |folder: &Path| {
        fs::create_dir_all(folder.join("bin")).expect("our own folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keytrail"), folder.join("bin/keytrail"))
            .expect("our own folder");
    };
    let done = job.on_path(&checkout.workspace.path("stubs")).with("install", "build").cached(cached).go().exits(0);
    assert!(!done.uses("actions/cache/save@"), "{:?}", done.used);
}

#[test]
fn nothing_is_kept_for_the_main_branch_on_behalf_of_a_change() {
    let Some(checkout) = checkout("kept") else { return };
    stand_ins(&checkout);
    let built = |event: &str, cache: &str| {
        let job = Job::new(&checkout, event, "{}")?.on_path(&checkout.workspace.path("stubs"));
        let folder = job.temporary().join("keytrail");
        assert!(!folder.exists() || fs::remove_dir_all(&folder).is_ok());
        let done = job.with("install", "build").with("cache", cache).go();
        assert!(folder.join("cached/bin/keytrail").exists(), "{event}: it was built");
        Some(["restore", "save"].map(|what| done.uses(&format!("actions/cache/{what}@"))))
    };
    for (event, saves) in
        [("schedule", true), ("pull_request_target", false), ("workflow_run", false), ("issue_comment", false)]
    {
        let Some(used) = built(event, "true") else { return };
        assert_eq!(used, [true, saves], "{event}");
    }
    assert_eq!(built("schedule", "false"), Some([false, false]));
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let Some(checkout) = checkout("absent") else { return };
    let Some(job) = job(&checkout) else { return };
    // A program of that name that doesn't run comes first.
    checkout.workspace.script("broken/keytrail", "exit 127");
    job.on_path(&checkout.workspace.path("broken")).go().exits(2).says(&["doesn't run on this machine"]);
}

#[test]
fn a_download_is_what_its_digest_says_or_is_not_run() {
    let Some(checkout) = checkout("release") else { return };
    if tool("curl").is_none() {
        return;
    }
    let Some(server) = Server::start(&checkout.workspace) else { return };
    let ran = checkout.workspace.path("ran");
    let digest = server.offer("keytrail.tar.gz", &ran);
    let release = |url: String, sha256: &str| {
        let job = job(&checkout).expect("bash is there").env("CURL_CA_BUNDLE", server.certificate());
        // A download of an earlier run is no download of this one.
        let folder = job.temporary().join("keytrail");
        assert!(!folder.exists() || fs::remove_dir_all(&folder).is_ok());
        job.with("install", "release").with("release-url", url).with("release-sha256", sha256)
    };
    let link = || server.link("keytrail.tar.gz");
    for wrong in ["", "0", &"0".repeat(64), &digest.to_uppercase()] {
        release(link(), wrong).go().exits(2).gives("exit-code", "").says(&["release-sha256"]);
    }
    for url in [
        link().replace("https", "http"),
        "https://127.0.0.1:1/keytrail.tar.gz".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        release(url, &digest).go().exits(2).gives("exit-code", "").says(&["release-url"]);
    }
    // From the cache, where something else lies.
    let poisoned = |folder: &Path| {
        fs::create_dir_all(folder).expect("our own folder");
        fs::write(folder.join("download"), "something else").expect("our own folder");
    };
    release(link(), &digest).cached(poisoned).go().exits(2).gives("exit-code", "").says(&["not the one"]);
    assert!(!ran.exists(), "a download ran that wasn't the one that was named");
    let done = release(link() + "#x", &digest).go().exits(0).gives("findings", "0");
    assert!(ran.exists() && done.uses("actions/cache/save@"));
}

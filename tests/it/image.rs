//! `image`: the mounted disk of a machine. Read and not touched, and never left.

#![cfg(unix)]

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Run, Token, Workspace, keytrail, scan, skip_for_want_of_rights, tool};

/// A disk of an Ubuntu machine, with the traces that a cloud's agent leaves.
fn disk(traces: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("disk/etc/os-release", "NAME=\"Ubuntu\"\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\nID=ubuntu\n");
    workspace.write("disk/etc/hostname", "web-1\n");
    workspace.write("disk/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    for (path, text) in traces {
        workspace.write(&format!("disk/{path}"), text);
    }
    workspace
}

/// Files of a disk: path and text.
type Traces = &'static [(&'static str, &'static str)];

/// What the Azure agent leaves behind.
const AZURE: [(&str, &str); 2] =
    [("var/lib/waagent/provisioned", "0123\n"), ("etc/waagent.conf", "Provisioning.Enabled=y\n")];

/// `image` of a disk, run elsewhere.
fn image(workspace: &Workspace) -> Run {
    keytrail(["image"]).arg(workspace.path("disk"))
}

#[test]
fn the_recommendation_follows_the_machine_s_cloud() {
    let clouds: [(Traces, &str, Option<&str>); 4] = [
        (&AZURE, "azure", Some("Machines should have secrets findings resolved")),
        (
            &[
                ("var/lib/cloud/data/instance-id", "i-0123456789abcdef0\n"),
                ("etc/amazon/ssm/seelog.xml", "<x/>\n"),
                ("var/lib/amazon/ssm/Vault/Store/x", "x\n"),
            ],
            "aws",
            Some("EC2 instances should have secrets findings resolved"),
        ),
        (
            &[
                ("usr/bin/google_guest_agent", "x"),
                ("etc/default/instance_configs.cfg", "[Accounts]\n"),
                ("lib/systemd/system/google-guest-agent.service", "[Unit]\n"),
            ],
            "gcp",
            Some("VM instances should have secrets findings resolved"),
        ),
        (&[], "", None),
    ];
    for (traces, platform, recommendation) in clouds {
        let workspace = disk(traces);
        let token = Token::new(&format!("image, cloud {platform}"));
        workspace.write("disk/home/ann/notes.txt", token.line());
        let results = scan(&image(&workspace));
        results.holds_exactly(&[&token]);
        let finding = results.of(&token);
        assert_eq!(finding.recommendation().as_deref(), recommendation);
        assert_eq!(finding.record["recommendation"]["category"], "ExposedSecrets");
        let machine = &results.scans[0]["machine"];
        assert_eq!((machine["hostname"].as_str(), machine["os"].as_str()), (Some("web-1"), Some("Ubuntu 24.04 LTS")));
        assert_eq!(results.scans[0]["platform"].as_str().unwrap_or_default(), platform);
    }
}

#[test]
fn the_user_may_name_the_platform() {
    let workspace = disk(&[]);
    let token = Token::new("image, platform named");
    workspace.write("disk/root/.env", token.line());
    image(&workspace).go().exits(1).says(&["--platform"]);
    let results = scan(&image(&workspace).args(["--platform", "aws"]));
    assert_eq!(
        results.of(&token).recommendation().as_deref(),
        Some("EC2 instances should have secrets findings resolved")
    );
}

/// Seconds since 1970 as reports write times.
fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).expect("a time of our own").to_string()
}

#[test]
fn metadata_is_that_of_the_file_before_it_was_read() {
    let workspace = disk(&AZURE);
    let token = Token::new("image, metadata");
    let path = workspace.write("disk/home/ann/key.txt", token.line());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
    // An access before the last change is the one that a reader's mark would overwrite, also under `relatime`.
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let times = FileTimes::new().set_accessed(at(1_600_000_000)).set_modified(at(1_650_000_000));
    File::options().write(true).open(&path).and_then(|file| file.set_times(times)).expect("it is ours");
    let before = fs::metadata(&path).expect("it is there");

    let results = scan(&image(&workspace));
    results.holds_exactly(&[&token]);
    let file = &results.of(&token).place().record["file"];
    assert_eq!(file["size"], before.size());
    assert_eq!(file["mode"], format!("{:06o}", before.mode()));
    assert_eq!(file["uid"], before.uid());
    assert_eq!(file["modified"], timestamp(1_650_000_000));
    assert_eq!(file["accessed"], timestamp(1_600_000_000));
    let after = fs::metadata(&path).expect("it is there");
    assert_eq!(after.accessed().expect("files have times"), at(1_600_000_000), "nobody can tell that it was read");
    assert_eq!(after.ctime(), before.ctime());
}

#[test]
fn the_report_states_how_the_disk_is_mounted() {
    let workspace = disk(&AZURE);
    let ran = image(&workspace).args(["--format", "jsonl"]).go();
    assert!(ran.text().to_lowercase().contains("atime"), "{}", ran.text());
}

#[test]
fn nobody_is_led_out_of_the_root() {
    let workspace = disk(&AZURE);
    let (inside, outside) = (Token::new("image, inside"), Token::new("image, outside"));
    workspace.write("disk/srv/a.txt", inside.line());
    let secret = workspace.write("outside/etc/shadow", outside.line());
    workspace.write("outside/etc/waagent.conf", "x\n");
    let absolute = secret.to_str().expect("a plain name").to_owned();
    let link = |target: &str, path: &str| {
        let path = workspace.path(&format!("disk/{path}"));
        fs::create_dir_all(path.parent().expect("it has one")).expect("our own folder is writable");
        symlink(target, path).expect("our own folder is writable");
    };
    link(&absolute, "srv/absolute");
    link("../../outside/etc/shadow", "srv/relative");
    link("../outside", "folder");
    link("../../../../../../../../../../etc/passwd", "srv/far");
    link("/etc/hostname", "srv/within");
    let old = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let times = FileTimes::new().set_accessed(old).set_modified(SystemTime::now());
    File::options().write(true).open(&secret).and_then(|file| file.set_times(times)).expect("it is ours");
    let results = scan(&image(&workspace));
    results.holds_exactly(&[&inside]);
    let accessed = fs::metadata(&secret).and_then(|facts| facts.accessed()).expect("files have times");
    assert_eq!(accessed, old, "what lies outside was not even opened");
}

#[test]
fn what_tells_the_machine_is_not_read_through_a_link_that_leads_out() {
    let workspace = disk(&[]);
    workspace.write("outside/os-release", "PRETTY_NAME=\"Not this machine\"\n");
    let file = workspace.path("disk/etc/os-release");
    fs::remove_file(&file).expect("it was just written");
    symlink(workspace.path("outside/os-release"), &file).expect("our own folder is writable");
    image(&workspace).args(["--format", "jsonl"]).go().doesnt_say(&["Not this machine"]);
    // Distributions link it within the root.
    fs::remove_file(&file).expect("it is ours");
    workspace.write("disk/usr/lib/os-release", "PRETTY_NAME=\"This machine\"\n");
    symlink("../usr/lib/os-release", &file).expect("our own folder is writable");
    image(&workspace).args(["--format", "jsonl"]).go().says(&["This machine"]);
}

/// Makes a special file; `false` where that isn't allowed.
fn make(tool_name: &str, path: &Path, words: &[&str]) -> bool {
    let Some(program) = tool(tool_name) else { return false };
    Command::new(program).arg(path).args(words).output().expect("it starts").status.success()
}

#[test]
fn devices_and_pipes_are_listed_and_not_read() {
    let workspace = disk(&AZURE);
    let token = Token::new("image, beside devices");
    workspace.write("disk/srv/a.txt", token.line());
    fs::create_dir(workspace.path("disk/dev")).expect("our own folder is writable");
    // 1:5 is /dev/zero: reading it would never end.
    if !make("mknod", &workspace.path("disk/dev/zero"), &["c", "1", "5"]) {
        return skip_for_want_of_rights("make devices");
    }
    assert!(make("mkfifo", &workspace.path("disk/srv/pipe"), &[]));
    let results = scan(&image(&workspace));
    results.holds_exactly(&[&token]);
    assert_eq!(
        (results.listed_as("device"), results.listed_as("fifo")),
        (vec!["dev/zero".into()], vec!["srv/pipe".into()])
    );
}

#[test]
fn homes_and_services_called_test_are_scanned() {
    let workspace = disk(&AZURE);
    let mut tokens = Vec::new();
    for path in ["home/test/key.txt", "var/www/test/config.php", "opt/testing/app.py", "srv/tests/x.txt"] {
        let token = Token::new(&format!("image, {path}"));
        workspace.write(&format!("disk/{path}"), token.line());
        tokens.push(token);
    }
    let left_out = Token::new("image, package's own tests");
    workspace.write("disk/usr/lib/python3.12/test/keycert.py", left_out.line());
    scan(&image(&workspace)).holds_exactly(&tokens.iter().collect::<Vec<_>>());
}

#[test]
fn a_repository_on_the_disk_belongs_to_the_machine() {
    let workspace = disk(&AZURE);
    let Some(repo) = workspace.repo("disk/srv/app") else { return };
    repo.git(["config", "remote.origin.url", "https://github.com/o/r.git"]);
    let token = Token::new("image, in a checkout");
    repo.commit_file("a.txt", token.line());
    let results = scan(&image(&workspace));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).recommendation().as_deref(), Some("Machines should have secrets findings resolved"));
}

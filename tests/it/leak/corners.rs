//! Secrets where masking could miss them: cut by the edge of an excerpt, of low confidence, in reasons and facts, in
//! names that are encoded on their way out.

use crate::harness::{Token, Workspace, keytrail, scan};

#[test]
fn an_excerpt_never_cuts_a_neighbour_in_half() {
    let workspace = Workspace::new();
    for gap in (0..64).step_by(2) {
        let [left, middle, right] =
            ["left", "middle", "right"].map(|side| Token::new(&format!("excerpt {gap}, {side}")));
        // Neighbours at growing distances on both sides, so that every edge of an excerpt falls into one of them.
        let filler = "lorem ipsum ".repeat(20);
        let fill = &filler[..gap * 3];
        let line = format!("{filler}{} {fill} {} {fill} {} {filler}\n", left.text(), middle.text(), right.text());
        workspace.write(&format!("tree/{gap}.txt"), line);
        let odd = format!("{} {fill} ü\u{1f511} {}\n", left.text(), right.text());
        workspace.write(&format!("tree/odd-{gap}.txt"), odd.repeat(3));
    }
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert_eq!(results.findings.len(), 32 * 3);
}

#[test]
fn a_found_value_is_masked_before_an_excerpt_is_cut() {
    let workspace = Workspace::new();
    let found = Token::new("excerpt, found elsewhere");
    workspace.write("tree/found.txt", found.line());
    for gap in 0..80 {
        let middle = Token::new(&format!("excerpt, middle {gap}"));
        let fill = "lorem ipsum ".repeat(20);
        // Grown together with a letter it is no match of its own, only the value of another's.
        let line = format!("{fill}{}x{} {} {fill}\n", found.text(), &fill[..gap * 3], middle.text());
        workspace.write(&format!("tree/{gap}.txt"), line);
    }
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert_eq!(results.findings.len(), 81);
}

#[test]
fn candidates_below_the_threshold_are_masked_too() {
    let workspace = Workspace::new();
    let found = Token::new("leak, beside candidates");
    let broken = Token::broken("leak, candidate");
    let key = Token::storage_key("leak, storage key");
    let password = Token::other("leak, password", "vT9#mQ2x_Lw8!");
    let text = format!(
        "a = '{0}' b = '{1}' c = 'DefaultEndpointsProtocol=https;AccountName=acc;AccountKey={2};' \
         d = 'postgres://bob:{3}@db.keytrail.invalid/x' password = '{3}'\n",
        found.text(),
        broken.text(),
        key.text(),
        password.text()
    );
    workspace.write("tree/settings.py", text);
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert!(results.labels().contains(&found.label().to_owned()));
    assert!(results.labels().contains(&key.label().to_owned()), "{:?}", results.labels());
}

#[test]
fn a_secret_in_the_reason_of_a_suppression() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("reasons") else { return };
    let [marked, reason, filed] = ["marked", "in the marker's reason", "in the configuration's reason"]
        .map(|what| Token::new(&format!("leak, {what}")));
    repo.write("a.py", format!("k = '{}'  # keytrail:allow replaced by {}\n", marked.text(), reason.text()));
    repo.write("b.py", filed.line());
    let config = format!("version = 1\n[[suppress]]\npath = \"b.py\"\nreason = \"like {}\"\n", filed.text());
    repo.write(".keytrail.toml", config);
    repo.commit("Reasons");
    for command in ["files", "history"] {
        let results = scan(&keytrail([command]).within(repo.path()));
        for token in [&marked, &reason, &filed] {
            assert!(results.labels().contains(&token.label().to_owned()), "{command}: {token:?}");
        }
    }
}

#[test]
fn a_secret_in_a_configuration_that_is_refused() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("refused") else { return };
    let token = Token::new("leak, in a refused configuration");
    for text in [
        format!("version = 1\n\"{}\" = 1\n", token.text()),
        format!("version = 1\n[scan]\nconfidence = \"{}\"\n", token.text()),
        format!("version = 1\n[rules]\ndisable = [\"{}\"]\n", token.text()),
        format!("version = 1\n[[suppress]]\nfingerprint = \"{}\"\nreason = \"x\"\n", token.text()),
        format!("version = 1\nkey = {}\n", token.text()),
    ] {
        repo.write(".keytrail.toml", text);
        keytrail(["files"]).within(repo.path()).go().exits(2);
    }
}

#[test]
fn secrets_in_what_a_disk_says_of_its_machine() {
    let workspace = Workspace::new();
    let tokens =
        ["hostname", "os", "instance", "public key's comment"].map(|what| Token::new(&format!("leak, {what}")));
    let [hostname, os, instance, comment] = tokens.each_ref().map(Token::text);
    workspace.write("disk/etc/hostname", format!("{hostname}\n"));
    workspace.write("disk/etc/os-release", format!("PRETTY_NAME=\"Linux {os}\"\n"));
    workspace.write("disk/var/lib/cloud/data/instance-id", format!("{instance}\n"));
    workspace.write("disk/var/lib/waagent/provisioned", "x\n");
    let key = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} {comment}\n", "A".repeat(42));
    workspace.write("disk/home/ann/.ssh/authorized_keys", &key);
    workspace.write("disk/home/ann/.ssh/id_ed25519.pub", &key);
    let results = scan(&keytrail(["image"]).arg(workspace.path("disk")));
    for token in &tokens {
        assert!(results.labels().contains(&token.label().to_owned()), "{token:?}: {:?}", results.labels());
    }
}

#[cfg(unix)]
#[test]
fn secrets_in_names_that_reports_encode() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("encoded") else { return };
    let base = repo.commit_file("readme.txt", "hello\n");
    let [token, in_name] =
        ["beside odd names", "in a name that is no text"].map(|what| Token::new(&format!("leak, {what}")));
    let key = Token::storage_key("leak, storage key in a name");
    let name = [b"caf\xe9 ".as_slice(), in_name.text().as_bytes(), b"\xff.txt"].concat();
    repo.write(OsString::from_vec(name), token.line());
    let connection = format!("AccountName=acc;AccountKey={};", key.text());
    repo.write(format!("{connection}/a.txt"), format!("{}DefaultEndpointsProtocol=https;{connection}\n", token.line()));
    repo.commit("Odd names");
    let range = format!("{base}..HEAD");
    for args in [&["history"][..], &["diff", &range], &["files"]] {
        let labels = scan(&keytrail(args).within(repo.path())).labels();
        assert!(labels.contains(&token.label().to_owned()) && labels.contains(&key.label().to_owned()), "{labels:?}");
    }
}

#[test]
fn the_branch_that_is_checked_out() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("branch") else { return };
    let [branch, content] =
        ["checked-out branch", "on a telling branch"].map(|what| Token::new(&format!("leak, {what}")));
    repo.commit_file("readme.txt", "hello\n");
    repo.git(["switch", "--quiet", "--create", branch.text()]);
    repo.write("a.txt", content.line());
    repo.git(["add", "a.txt"]);
    for args in [&["staged"][..], &["files"], &["history"], &["diff", "main..HEAD"]] {
        scan(&keytrail(args).within(repo.path()));
    }
}

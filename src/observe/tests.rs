//! Facts from texts as they stand on disks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A public key line made of nothing: algorithm and a blob that names it.
fn public_key(algorithm: &str, seed: u8) -> String {
    let mut blob = (algorithm.len() as u32).to_be_bytes().to_vec();
    blob.extend(algorithm.as_bytes());
    blob.extend([seed; 36]);
    format!("{algorithm} {}", STANDARD.encode(blob))
}

/// The facts of a text, as `kind name=value …` lines.
fn facts(path: &str, text: &str) -> Vec<String> {
    let show = |fact: Observation| {
        assert!(fact.values.is_sorted(), "values are sorted by name: {fact:?}");
        let values = fact.values.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
        format!("{} {}{values}", fact.kind, String::from_utf8_lossy(&fact.path))
    };
    let found: Vec<_> = observe(path.as_bytes(), text.as_bytes()).into_iter().map(show).collect();
    assert!(found.is_empty() || wants(path.as_bytes(), text.as_bytes()));
    found
}

/// The fingerprint of a public key line, by the parser under test (its own test holds it to `ssh-keygen`).
fn fingerprint(line: &str) -> String {
    ssh_key::PublicKey::parse(line).expect("a key").fingerprint
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    // From `ssh-keygen -t ed25519` and `ssh-keygen -lf`, 2026-11; the private half was thrown away.
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINz4j6VA/kquQG1FKMiGgFt/2LtxDNOghp7SEU7AwrJm ann@laptop";
    let key = ssh_key::PublicKey::parse(line).expect("a key");
    assert_eq!((key.algorithm, key.comment), ("ssh-ed25519", "ann@laptop"));
    assert_eq!(key.fingerprint, "SHA256:vxmOIqA4uonKwUpw/ZY3+AmxoRWQQn1FTyj0tjIi5yg");
}

#[test]
fn lines_that_only_look_like_keys_are_none() {
    let good = public_key("ssh-ed25519", 1);
    assert!(ssh_key::PublicKey::parse(&good).is_some());
    let lies = good.replacen("ssh-ed25519", "ssh-rsa", 1);
    for line in ["", "ssh-rsa", "ssh-rsa ", "ssh-rsa !!!!", "ssh-rsa AAAA", "ssh-rsa /////w==", lies.as_str()] {
        assert_eq!(ssh_key::PublicKey::parse(line), None, "{line:?}");
    }
}

#[test]
fn authorized_keys_tell_key_options_and_account() {
    let (one, two) = (public_key("ssh-ed25519", 1), public_key("ecdsa-sha2-nistp256", 2));
    let command = ["curl -u", "a:hunter2"].join(" ");
    let text = format!(
        "# keys\n{one} ann@laptop\n\nenvironment=\"TOKEN=hunter2 x\",command=\"{command}\",from=\"10.*\" {two}\n\
         garbage\n"
    );
    let expected = [
        format!(
            "authorized-key home/ann/.ssh/authorized_keys account=ann algorithm=ssh-ed25519 comment=ann@laptop \
             fingerprint={} line=2",
            fingerprint(&one)
        ),
        format!(
            "authorized-key home/ann/.ssh/authorized_keys account=ann algorithm=ecdsa-sha2-nistp256 fingerprint={} \
             line=4 options=command,from",
            fingerprint(&two)
        ),
    ];
    let found = facts("home/ann/.ssh/authorized_keys", &text);
    assert_eq!(found, expected);
    assert!(!found.concat().contains("hunter2"));
    assert_eq!(facts("etc/ssh/authorized_keys.d/ann", &one).len(), 1);
    assert_eq!(facts("root/notes.txt", &one).len(), 0);
}

#[test]
fn known_hosts_keep_hashed_names_hashed() {
    let key = public_key("ssh-rsa", 3);
    let text = format!("a.example,10.0.0.1 {key}\n|1|c2FsdA==|aGFzaA== {key} x\n@revoked *.old {key}\n@x y\n");
    let print = fingerprint(&key);
    let start = "known-host root/.ssh/known_hosts account=root algorithm=ssh-rsa";
    let expected = [
        format!("{start} fingerprint={print} host=a.example,10.0.0.1"),
        format!("{start} fingerprint={print} host-hash=|1|c2FsdA==|aGFzaA=="),
        format!("{start} fingerprint={print} host=*.old marker=revoked"),
    ];
    assert_eq!(facts("root/.ssh/known_hosts", &text), expected);
}

#[test]
fn ssh_configuration_tells_ways_but_no_commands() {
    let text = "User all\nHost web *.web\n  HostName 10.0.0.5\n  IdentityFile ~/.ssh/a\n  identityfile=\"~/.ssh/b\"\n\
                \tProxyCommand nc -P hunter2 %h\nHost empty\nMatch exec \"echo hunter2\"\n  ProxyJump bastion:22\n";
    let found = facts("home/ann/.ssh/config", text);
    let start = "ssh-config home/ann/.ssh/config account=ann";
    let expected = [
        format!("{start} user=all"),
        format!("{start} host=web *.web hostname=10.0.0.5 identity-file=~/.ssh/a, ~/.ssh/b"),
        format!("{start} host=(match) proxy-jump=bastion:22"),
    ];
    assert_eq!(found, expected);
    assert!(facts("app/config", text).is_empty());
}

#[test]
fn public_key_files_are_told() {
    let key = public_key("ssh-ed25519", 4);
    let expected = format!("public-key a/id.pub algorithm=ssh-ed25519 comment=me fingerprint={}", fingerprint(&key));
    assert_eq!(facts("a/id.pub", &format!("{key} me\n")), [expected]);
    assert!(!wants(b"a/book.pub", b"Microsoft Publisher"));
}

#[test]
fn scanners_are_told_by_name() {
    let hooks =
        "repos:\n- repo: https://github.com/x/gitleaks\n  hooks: [{id: detect-private-key}] # talisman\n# trufflehog\n";
    let expected =
        ["hook .pre-commit-config.yaml tool=detect-private-key", "hook .pre-commit-config.yaml tool=gitleaks"];
    assert_eq!(facts(".pre-commit-config.yaml", hooks), expected);
    let step = "jobs:\n  a:\n    steps:\n    - uses: x/trufflehog@v3\n    - run: mygitleaksy\n";
    assert_eq!(facts("r/.github/workflows/a.yml", step), ["scanner-step r/.github/workflows/a.yml tool=trufflehog"]);
    assert!(facts("docs/a.yml", step).is_empty());
    for (path, kind) in [
        (".overcommit.yml", Some("hook")),
        (".overcommit.yaml", None),
        ("a/.husky/pre-commit", Some("hook")),
        (".husky", None),
        ("ci/azure-pipelines.release.yaml", Some("scanner-step")),
        (".github/actions/x/action.yaml", Some("scanner-step")),
        (".github/dependabot.yml", None),
        ("actions/a.yml", None),
        ("a/.circleci/config.yml", Some("scanner-step")),
        ("Jenkinsfile", Some("scanner-step")),
        ("Jenkinsfile.yml", None),
    ] {
        let found = facts(path, "x\nrun: GitLeaks, gitleaks\n");
        assert_eq!(found, kind.map(|kind| format!("{kind} {path} tool=gitleaks")).into_iter().collect::<Vec<_>>());
    }
    let lines = "gitleaks1\n  # gitleaks\nrun: talisman # gitleaks\nwhispers";
    assert_eq!(facts("Jenkinsfile", lines).len(), 2, "talisman and whispers are in force");
}

#[test]
fn vault_references_are_counted_per_folder() {
    let one =
        observe(b"app/a.json", br#"{"x": "@Microsoft.KeyVault(SecretUri=https://v)", "y": "@Microsoft.KeyVault(z)"}"#);
    let two = observe(b"app/b.yaml", b"secretKeyRef:\nsecretRef:\n");
    let three = observe(b"app/c.json", br#"{"reference": {"keyVault": {"id": "/subscriptions/x"}}}"#);
    let elsewhere = observe(b"b/c.json", b"@Microsoft.KeyVault(");
    let folded = fold([one, two, three, elsewhere].concat());
    let shown: Vec<_> = folded
        .iter()
        .map(|fact| {
            (String::from_utf8_lossy(&fact.path).into_owned(), fact.values[0].1.clone(), fact.values[1].1.clone())
        })
        .collect();
    let expected = [("app", "2", "kubernetes-secret"), ("app", "3", "azure-key-vault"), ("b", "1", "azure-key-vault")];
    assert_eq!(shown, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    assert!(!wants(b"app/main.rs", b"fn main() {}"));
}

#[test]
fn histories_and_user_data_stand_as_facts() {
    let expected = ["file-class home/ann/.bash_history account=ann class=history"];
    assert_eq!(facts("home/ann/.bash_history", "ls"), expected);
    assert!(facts("home/ann/.bash_history", "").is_empty());
    assert!(facts("var/log/syslog", "x").is_empty());
}

#[test]
fn hostile_bytes_give_facts_or_none() {
    let names = ["authorized_keys", "known_hosts", ".ssh/config", "a.pub", "a.jks", "Jenkinsfile", "a.json"];
    const ALPHABET: &[u8] = b"\xfe\xed\x00\x01\x02\"\\=,| \n#a@\xff0\x30\x82";
    let mut seed = 1_u64;
    for round in 0..3000 {
        let mut bytes: Vec<u8> = (0..round % 90)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ALPHABET[(seed >> 33) as usize % ALPHABET.len()]
            })
            .collect();
        let starts: [&[u8]; 4] = [b"", b"\xfe\xed\xfe\xed\0\0\0\x02", b"ssh-rsa ", b"command=\""];
        bytes.splice(0..0, starts[round % 4].iter().copied());
        names.iter().for_each(|name| drop(observe(name.as_bytes(), &bytes)));
    }
    let many = format!("{}\n", public_key("ssh-rsa", 5)).repeat(20_000);
    assert!(observe(b"authorized_keys", many.as_bytes()).len() <= MOST);
}

//! Names and texts that want to be obeyed: by a terminal, by a build agent that reads the log, by whoever reads the
//! report. Every run of the suite is checked for that; here are the inputs.

#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::harness::{Repo, Run, Token, Workspace, keytrail, scan};

/// Texts that act on what shows them.
const HOSTILE: [&[u8]; 14] = [
    b"line\n##vso[task.setvariable variable=x]y",
    b"line\n::stop-commands::pause",
    b"::stop-commands::pause",
    b"  ::error::indented",
    b"##vso[task.complete result=Succeeded;]done",
    b"middle ##vso[task.prependpath]x",
    b"##[error]x",
    b"\x1b[2J\x1b]0;title\x07\x1b[31mred",
    b"over\rwritten\x08\x08",
    "txt.\u{202e}exe\u{2066}\u{200f}".as_bytes(),
    "line\u{2028}separator\u{85}next\u{9b}31m".as_bytes(),
    b"caf\xe9 \xff\xfe \xc0\xaf",
    b"%0A::error::x%0D",
    b"<script>alert(\"'&`\\",
];

/// All of the commands, on a repository whose index equals its tip.
fn all_commands(repo: &Repo, base: &str) -> Vec<Run> {
    let at = |args: &[&str]| keytrail(args).within(repo.path());
    vec![at(&["history"]), at(&["files"]), at(&["diff", &format!("{base}..HEAD")]), keytrail(["image", repo.spelled()])]
}

#[test]
fn names_of_files_and_folders() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("names") else { return };
    let base = repo.commit_file("readme.txt", "hello\n");
    let mut tokens = Vec::new();
    for (number, name) in HOSTILE.iter().enumerate() {
        let name = OsStr::from_bytes(name);
        for (kind, path) in [("file", OsString::from(name)), ("folder", [name, "dir/a.txt".as_ref()].join_all())] {
            let token = Token::new(&format!("hostile name {number}, {kind}"));
            repo.write(&path, token.line());
            tokens.push((token, path));
        }
    }
    repo.git(["add", "--all"]);
    let all: Vec<_> = tokens.iter().map(|(token, _)| token).collect();
    let holds_all = |run: &Run| {
        let results = scan(run);
        results.holds_exactly(&all);
        for (token, path) in &tokens {
            let place = &results.of(token).places[0];
            match path.to_str() {
                Some(text) => assert_eq!(place.path, text, "JSON keeps the name as it is"),
                None => {
                    let encoded = place.record["pathBytes"].as_str().expect("no text can hold this name");
                    let decoded: Vec<u8> = percent_encoding::percent_decode_str(encoded).collect();
                    assert_eq!(decoded, path.as_bytes(), "the exact bytes can be had");
                }
            }
        }
    };
    holds_all(&keytrail(["staged"]).within(repo.path()));
    repo.commit("Names");
    all_commands(&repo, &base).iter().for_each(holds_all);
}

/// Joining parts of a name without a separator.
trait JoinAll {
    fn join_all(&self) -> OsString;
}

impl JoinAll for [&OsStr; 2] {
    fn join_all(&self) -> OsString {
        OsString::from_vec(self.iter().flat_map(|part| part.as_bytes()).copied().collect())
    }
}

#[test]
fn lines_around_a_secret() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("lines") else { return };
    let base = repo.commit_file("readme.txt", "hello\n");
    let mut tokens = Vec::new();
    for (number, text) in HOSTILE.iter().enumerate() {
        let token = Token::new(&format!("hostile line {number}"));
        let line = [text, b" ".as_slice(), token.text().as_bytes(), b" ", text, b"\n"].concat();
        repo.write(format!("{number}.txt"), line);
        tokens.push(token);
    }
    repo.commit("Lines");
    for run in all_commands(&repo, &base) {
        scan(&run).holds_exactly(&tokens.iter().collect::<Vec<_>>());
    }
}

#[test]
fn authors_messages_tags_and_notes() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("texts") else { return };
    let base = repo.commit_file("readme.txt", "hello\n");
    let mut tokens = Vec::new();
    let tree = repo.id("HEAD^{tree}");
    let mut parent = base.clone();
    for (number, text) in HOSTILE.iter().enumerate() {
        let [author, message, tag] =
            ["author", "message", "tag"].map(|what| Token::new(&format!("hostile {what} {number}")));
        // A line break can't be in a name; all else is what other writers of commits have produced.
        let name: Vec<u8> = text.iter().map(|&byte| if b"\n<>".contains(&byte) { b' ' } else { byte }).collect();
        let commit = [
            b"tree ".as_slice(),
            tree.as_bytes(),
            b"\nparent ",
            parent.as_bytes(),
            b"\nauthor ",
            &name,
            b" ",
            author.text().as_bytes(),
            b" <a@keytrail.invalid> 1700000000 +0000\ncommitter ",
            &name,
            b" <c@keytrail.invalid> 1700000000 +0000\n\n",
            text,
            b" ",
            message.text().as_bytes(),
            b" ",
            text,
            b"\n",
        ];
        parent = repo.git_with(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], &[], &commit.concat());
        let head = format!("object {parent}\ntype commit\ntag t{number}\ntagger ");
        let object = [
            head.as_bytes(),
            &name,
            b" <t@keytrail.invalid> 1700000000 +0000\n\n",
            text,
            b" ",
            tag.text().as_bytes(),
            b"\n",
        ];
        let id = repo.git_with(["hash-object", "-t", "tag", "-w", "--literally", "--stdin"], &[], &object.concat());
        repo.git(["update-ref", &format!("refs/tags/t{number}"), &id]);
        tokens.extend([author, message, tag]);
    }
    repo.git(["update-ref", "refs/heads/main", &parent]);
    let results = scan(&keytrail(["history", repo.spelled()]));
    results.holds_exactly(&tokens.iter().collect::<Vec<_>>());
    scan(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()));
}

#[test]
fn names_of_refs() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("refs") else { return };
    repo.commit_file("readme.txt", "hello\n");
    let mut tokens = Vec::new();
    let names: [&[u8]; 3] =
        ["x\u{202e}exe\u{2066}".as_bytes(), b"caf\xe9\xff", "sep\u{2028}\u{85}\u{9b}31m".as_bytes()];
    for (number, name) in names.iter().enumerate() {
        let token = Token::new(&format!("hostile ref {number}"));
        repo.git(["switch", "--quiet", "--detach", "main"]);
        let commit = repo.commit_file("leak.txt", token.line());
        let name = OsString::from_vec([b"refs/heads/".as_slice(), name].concat());
        repo.git(["update-ref".as_ref(), name.as_os_str(), commit.as_ref()]);
        tokens.push(token);
    }
    repo.git(["switch", "--quiet", "main"]);
    repo.git(["reflog", "expire", "--expire=all", "--all"]);
    let all = tokens.iter().collect::<Vec<_>>();
    scan(&keytrail(["history", repo.spelled()])).holds_exactly(&all);
    repo.git(["pack-refs", "--all"]);
    scan(&keytrail(["history", repo.spelled()])).holds_exactly(&all);

    // Names that git itself refuses to write, put there by hand: whatever becomes of them, nothing is obeyed and the
    // rest isn't called complete without them.
    let packed = repo.path().join(".git/packed-refs");
    let mut bytes = std::fs::read(&packed).expect("refs were packed");
    for name in [b"\x1b[31mred".as_slice(), b"a ##vso[task.complete]", b"::error::x", b"..", b"a\rb"] {
        bytes.extend([repo.id("main").as_bytes(), b" refs/heads/zz", name, b"\n"].concat());
    }
    std::fs::write(&packed, bytes).expect("it is ours");
    for format in ["text", "jsonl", "sarif"] {
        keytrail(["history", repo.spelled(), "--format", format]).go().exits_one_of(&[1, 2, 3]);
    }
}

#[test]
fn what_the_user_or_a_stranger_s_configuration_says() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("words") else { return };
    repo.commit_file("a.txt", "text\n");
    for text in HOSTILE {
        let text = OsStr::from_bytes(text);
        let at = |command: &str| keytrail([command]).within(repo.path());
        at("files").arg(text).go().exits_one_of(&[2, 3]);
        at("history").arg(text).go().exits_one_of(&[2, 3]);
        at("diff").arg([OsStr::new("main.."), text].join_all()).go().exits_one_of(&[2, 3]);
        at("files").arg("--config").arg(text).go().exits(2);
        at("files").arg("--rules").arg(text).go().exits(2);
        at("files").arg("--format").arg(text).go().exits(2);
    }
    let keys = ["\\u001b[31m", "\\n::error::x", "##vso[task.complete]", "\\u202e"];
    for key in keys {
        repo.write(".keytrail.toml", format!("\"{key}\" = 1\n"));
        keytrail(["files"]).within(repo.path()).go().exits(2);
    }
}

#[test]
fn remotes_and_branches_in_reports() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("remote") else { return };
    let token = Token::new("beside a hostile remote");
    repo.commit_file("a.txt", token.line());
    for url in
        ["https://github.com/a\u{1b}[31m/b\u{202e}", "https://dev.azure.com/##vso[task.complete]x/y", "::error::x"]
    {
        repo.git(["config", "remote.origin.url", url]);
        scan(&keytrail(["history", repo.spelled()])).holds_exactly(&[&token]);
    }
}

#[test]
fn what_a_disk_says_of_its_machine() {
    let workspace = Workspace::new();
    let token = Token::new("on a hostile machine");
    workspace.write("disk/a.txt", token.line());
    for text in HOSTILE {
        let line = |before: &str, after: &str| [before.as_bytes(), text, after.as_bytes()].concat();
        workspace.write("disk/etc/hostname", line("", "\n"));
        workspace.write("disk/etc/machine-id", line("", "\n"));
        workspace.write("disk/etc/os-release", line("PRETTY_NAME=\"", "\"\n"));
        workspace.write("disk/var/lib/cloud/data/instance-id", line("", "\n"));
        workspace.write("disk/root/.ssh/authorized_keys", line("ssh-ed25519 AAAA ", "\n"));
        workspace.write("disk/root/.ssh/known_hosts", line("", " ssh-ed25519 AAAA\n"));
        workspace.write("disk/root/.ssh/config", line("Host ", "\n"));
        scan(&keytrail(["image"]).arg(workspace.path("disk"))).holds_exactly(&[&token]);
    }
}

#[test]
fn reasons_of_suppressions() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("reasons") else { return };
    let mut tokens = Vec::new();
    for (number, text) in HOSTILE.iter().enumerate() {
        let token = Token::new(&format!("hostile reason {number}"));
        let line = [b"k = '".as_slice(), token.text().as_bytes(), b"'  # keytrail:allow x ", text, b"\n"].concat();
        repo.write(format!("{number}.py"), line);
        tokens.push(token);
    }
    repo.commit("Reasons");
    for command in ["history", "files"] {
        let results = scan(&keytrail([command]).within(repo.path()));
        results.holds_exactly(&tokens.iter().collect::<Vec<_>>());
        assert_eq!(results.code, 0, "{command}");
    }
}

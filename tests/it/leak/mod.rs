//! Nothing the binary writes holds a secret unless it was asked for. Every run of the suite is searched the moment it
//! ends (`harness::Run::go`); here are the inputs made to get past that, and a second look at all that was printed.

mod corners;

use std::ffi::OsStr;
use std::fs;

use crate::harness::{Repo, Run, SUITE_LOG, Token, Workspace, keytrail, leaks_in, registered, scan};

/// A repository with a token in every kind of name that a report shows.
struct Names {
    workspace: Workspace,
    repo: Repo,
    base: String,
    tokens: Vec<Token>,
}

fn names() -> Option<Names> {
    let workspace = Workspace::new();
    let repo = workspace.repo("names")?;
    let base = repo.commit_file("readme.txt", "hello\n");
    let token = |what: &str| Token::new(&format!("leak, {what}"));
    let tokens =
        ["content", "path", "folder", "branch", "tag name", "author", "message", "submodule", "beside"].map(token);
    let [content, path, folder, branch, tag, author, message, submodule, beside] = &tokens;
    repo.write(format!("{}.txt", path.text()), content.line());
    repo.write(format!("{}/a.txt", folder.text()), format!("a = '{}'; b = '{}'\n", content.text(), beside.text()));
    let entry = format!("160000,{},{}", "1234567890".repeat(4), submodule.text());
    repo.git(["update-index", "--add", "--cacheinfo", &entry]);
    repo.git(["add", "--", ".", &format!(":!{}", submodule.text())]);
    let name = format!("Ada {}", author.text());
    let words = ["commit", "--quiet", "--message", &format!("Deploy\n\n{}", message.text())];
    repo.git_with(
        words,
        &[("GIT_AUTHOR_NAME", OsStr::new(&name)), ("GIT_AUTHOR_EMAIL", OsStr::new(author.text()))],
        b"",
    );
    repo.git(["branch", branch.text()]);
    repo.git(["tag", "--annotate", tag.text(), "--message", "x"]);
    repo.git(["config", "remote.origin.url", &format!("https://user:{}@github.com/o/r.git", token("remote").text())]);
    Some(Names { workspace, repo, base, tokens: tokens.into() })
}

#[test]
fn names_in_every_report_are_masked_by_value() {
    let Some(names) = names() else { return };
    let history = scan(&keytrail(["history"]).within(names.repo.path()));
    let labels = history.labels();
    for token in &names.tokens {
        assert!(labels.contains(&token.label().to_owned()), "{token:?} is found among {labels:?}");
    }
}

#[test]
fn names_in_reports_on_changes_are_masked_by_value() {
    let Some(names) = names() else { return };
    let range = format!("{}..HEAD", names.base);
    let diff = scan(&keytrail(["diff", &range]).within(names.repo.path()));
    names.repo.git(["reset", "--quiet", "--soft", &names.base]);
    let staged = scan(&keytrail(["staged"]).within(names.repo.path()));
    for results in [diff, staged] {
        let labels = results.labels();
        for what in ["content", "path", "folder", "submodule", "beside"] {
            assert!(labels.contains(&format!("leak, {what}")), "{what} is found among {labels:?}");
        }
    }
}

#[test]
fn names_in_reports_on_files_are_masked_by_value() {
    let Some(names) = names() else { return };
    for run in [keytrail(["files"]), keytrail(["image", names.repo.spelled()])] {
        assert_eq!(scan(&run.within(names.repo.path())).code, 1);
    }
}

#[test]
fn names_of_what_was_not_read_are_masked_too() {
    let Some(names) = names() else { return };
    let [content, path] = [&names.tokens[0], &names.tokens[1]];
    let id = names.repo.id(&format!("HEAD:{}.txt", path.text()));
    let file = names.repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(file).expect("it is loose");
    let results = scan(&keytrail(["history"]).within(names.repo.path()));
    assert_eq!(results.code, 3);
    assert!(results.labels().contains(&content.label().to_owned()));
}

#[cfg(unix)]
#[test]
fn names_of_what_is_only_listed_or_left_out_are_masked_too() {
    let workspace = Workspace::new();
    let tokens: Vec<_> = ["fifo", "excluded", "test folder"].map(|what| Token::new(&format!("leak, {what}"))).into();
    let [fifo, excluded, tests] = tokens.as_slice() else { unreachable!("there are three") };
    let found = Token::new("leak, beside odd names");
    workspace.write("tree/a.txt", found.line());
    workspace.write(&format!("tree/vendor/{}.txt", excluded.text()), "x\n");
    workspace.write(&format!("tree/__tests__/{}.txt", tests.text()), "x\n");
    let Some(mkfifo) = crate::harness::tool("mkfifo") else { return };
    let path = workspace.path(&format!("tree/{}", fifo.text()));
    assert!(std::process::Command::new(mkfifo).arg(path).status().expect("it starts").success());
    for command in ["files", "image"] {
        let run = keytrail([command]).arg(workspace.path("tree")).args(["--exclude", "vendor/**"]);
        let results = scan(&run);
        assert!(results.labels().contains(&found.label().to_owned()), "{command}");
        assert_eq!(results.listed_as("fifo").len(), 1, "{command}: {:?}", results.listed);
    }
}

#[test]
fn encoded_forms_on_a_printed_line_are_masked() {
    use base64::Engine as _;
    let workspace = Workspace::new();
    let token = Token::new("leak, encoded beside itself");
    let base64 = base64::engine::general_purpose::STANDARD.encode(token.text());
    let percent: String = token.text().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = token.text().bytes().map(|byte| format!("{byte:02x}")).collect();
    workspace.write("a.txt", format!("{} {base64} {percent} {hex}\n", token.text()));
    let results = scan(&keytrail(["files", "."]).within(workspace.path("")));
    assert!(results.labels().contains(&token.label().to_owned()));
}

#[test]
fn secrets_are_shown_to_who_asks_and_only_there() {
    let workspace = Workspace::new();
    let token = Token::new("leak, shown on demand");
    workspace.write("a.txt", token.line());
    let run = || keytrail(["files", ".", "--show-secrets"]).within(workspace.path(""));
    let shown = run().go().exits(1);
    assert!(!leaks_in(&shown.stdout).is_empty(), "it was asked for");
    let first = String::from_utf8_lossy(&shown.stdout).lines().next().unwrap_or_default().to_lowercase();
    assert!(first.contains("warning") || first.contains("clear"), "the output begins with a warning: {first}");
    let lines = run().args(["--format", "jsonl"]).go().exits(1).results();
    assert_eq!(lines.scans[0]["secretsShown"], true);

    run().args(["--format", "sarif"]).go().exits(2).says(&["show-secrets"]);
    for variable in ["CI", "GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI"] {
        run().env(variable, "true").go().exits(2).says(&["KEYTRAIL_ALLOW_SHOW"]);
        run().env(variable, "true").env("KEYTRAIL_ALLOW_SHOW", "1").go().exits(1);
    }
}

#[cfg(unix)]
#[test]
fn report_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", Token::new("leak, report file").line());
    let reports = ["text", "jsonl", "sarif"].map(|format| (format, workspace.path(&format!("report.{format}"))));
    let mut run = keytrail(["files", "."]).within(workspace.path("tree"));
    for (format, path) in &reports {
        run = run.arg("--format").arg(format!("{format}={}", path.display())).writes(path);
    }
    run.go().exits(1);
    for (_, path) in &reports {
        let mode = fs::metadata(path).expect("it was written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_fingerprint_key_is_used_and_never_printed() {
    let workspace = Workspace::new();
    let (token, key) = (Token::new("leak, fingerprinted"), Token::new("leak, fingerprint key"));
    workspace.write("a.txt", token.line());
    let run: Run = keytrail(["files", "a.txt"]).within(workspace.path(""));
    let plain = scan(&run).of(&token).text("fingerprint");
    assert!(plain.starts_with("v1:"), "{plain}");
    let keyed = scan(&run.clone().env("KEYTRAIL_FINGERPRINT_KEY", key.text())).of(&token).text("fingerprint");
    assert!(keyed.starts_with("v1k:"), "{keyed}");
    let file = workspace.write("../key-of-keytrail.txt", format!("{}\n", key.text()));
    let filed = scan(&run.arg("--fingerprint-key-file").arg(&file)).of(&token).text("fingerprint");
    fs::remove_file(file).expect("it was just written");
    assert_eq!(filed, keyed, "the same key, from a file");
}

#[test]
fn everything_printed_so_far_holds_no_secret() {
    let Some(names) = names() else { return };
    keytrail(["history"]).within(names.repo.path()).go().exits(1);
    keytrail(["files", "."]).within(names.workspace.path("names")).go().exits(1);
    let log = fs::read(SUITE_LOG).expect("the run above is in it");
    let tokens = registered();
    assert!(!tokens.is_empty());
    // Plain searching, so that a mistake in the checker doesn't hide one in the program.
    let holds = |text: &str| memchr::memmem::find(&log, text.as_bytes()).is_some();
    assert!(holds("upload with"), "the log holds what was printed");
    for token in tokens {
        assert!(!holds(token.body()), "{token:?} was printed");
    }
}

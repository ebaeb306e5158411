//! Whose word counts: a change under review can't excuse itself.

use crate::harness::{Repo, Token, Workspace, keytrail, scan};

/// How a change might try to silence its own secret: files it brings along, and the line that the secret stands on.
struct Excuse {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The line, `{}` for the secret.
    line: &'static str,
}

const EXCUSES: [Excuse; 6] = [
    Excuse {
        what: "configuration",
        files: &[(".keytrail.toml", "version = 1\n[scan]\nexclude = [\"app.py\", \"**\"]\n")],
        line: "key = '{}'\n",
    },
    Excuse { what: "inline marker", files: &[], line: "key = '{}'  # keytrail:allow it is fine\n" },
    Excuse { what: "marker of another scanner", files: &[], line: "key = '{}'  # gitleaks:allow\n" },
    Excuse {
        what: "GitHub's paths-ignore",
        files: &[(".github/secret_scanning.yml", "paths-ignore:\n  - \"app.py\"\n  - \"**\"\n")],
        line: "key = '{}'\n",
    },
    Excuse {
        what: "suppression",
        files: &[(".keytrail.toml", "version = 1\n[[suppress]]\npath = \"app.py\"\nreason = \"it is fine\"\n")],
        line: "key = '{}'\n",
    },
    Excuse {
        what: "CredScan suppression",
        files: &[(
            ".config/CredScanSuppressions.json",
            "{\"tool\": \"Credential Scanner\", \"suppressions\": [{\"file\": \"\\\\app.py\", \"_justification\": \"fine\"}]}",
        )],
        line: "key = '{}'\n",
    },
];

/// A repository and the id of its first commit.
fn base(files: &[(&str, &str)]) -> Option<(Workspace, Repo, String)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("trust")?;
    repo.write("readme.txt", "hello\n");
    for (path, text) in files {
        repo.write(path, text);
    }
    let id = repo.commit("Begin");
    Some((workspace, repo, id))
}

#[test]
fn what_the_change_brings_does_not_silence_it() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, id)) = base(&[]) else { return };
        let token = Token::new(&format!("excused by its own {}", excuse.what));
        for (path, text) in excuse.files {
            repo.write(path, text);
        }
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        let range = format!("{id}..HEAD");
        for args in [&[range.as_str()][..], &[&range, "--trust", "base"], &["--merge-base", &id]] {
            let results = scan(&keytrail(["diff"]).args(args).within(repo.path()));
            results.holds_exactly(&[&token]);
            assert_eq!(results.code, 1, "{}, {args:?}", excuse.what);
        }
        let results = scan(&keytrail(["diff", &range]).within(repo.path()));
        let kind = if excuse.what.contains("marker") { "inSource" } else { "external" };
        let suppressions = results.of(&token).suppressions();
        assert_eq!(suppressions, [(kind.to_owned(), "underReview".to_owned())], "{}", excuse.what);
    }
}

#[test]
fn who_trusts_the_head_lets_it_speak() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, id)) = base(&[]) else { return };
        let token = Token::new(&format!("excused by a trusted {}", excuse.what));
        for (path, text) in excuse.files {
            repo.write(path, text);
        }
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        let results = scan(&keytrail(["diff", &format!("{id}..HEAD"), "--trust", "head"]).within(repo.path()));
        assert_eq!(results.code, 0, "{}", excuse.what);
    }
}

#[test]
fn what_was_there_before_the_change_counts() {
    let config = "version = 1\n[scan]\nexclude = [\"vendor/**\"]\n";
    let Some((_workspace, repo, id)) = base(&[(".keytrail.toml", config)]) else { return };
    let (vendored, own) = (Token::new("excluded by the base"), Token::new("beside the excluded"));
    repo.write("vendor/lib.js", vendored.line());
    // Taking the exclude away is the change's word as well.
    repo.remove(".keytrail.toml");
    repo.commit_file("app.py", own.line());
    let results = scan(&keytrail(["diff", &format!("{id}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&own]);
    let named = results.scans[0]["settingsFrom"].as_str().unwrap_or_default();
    assert!(named.contains(&id[..7]), "the report names the commit its settings came from: {named}");
}

#[test]
fn a_repository_named_as_an_argument_does_not_speak_for_itself() {
    for excuse in &EXCUSES {
        let Some((_workspace, repo, _id)) = base(excuse.files) else { return };
        let token = Token::new(&format!("named from outside, {}", excuse.what));
        repo.commit_file("app.py", excuse.line.replace("{}", token.text()));
        for command in ["history", "files"] {
            let results = scan(&keytrail([command, repo.spelled()]));
            results.holds_exactly(&[&token]);
            assert_eq!(results.code, 1, "{command}, {}", excuse.what);
        }
    }
}

#[test]
fn the_own_repository_speaks_for_itself() {
    let config = "version = 1\n[scan]\nexclude = [\"vendor/**\"]\n";
    let Some((_workspace, repo, _id)) = base(&[(".keytrail.toml", config)]) else { return };
    let (vendored, own) = (Token::new("own repository, excluded"), Token::new("own repository, found"));
    repo.write("vendor/lib.js", vendored.line());
    repo.commit_file("app.py", own.line());
    for command in ["history", "files"] {
        let results = scan(&keytrail([command]).within(repo.path()));
        results.holds_exactly(&[&own]);
        assert_eq!(results.excluded("exclude"), 1, "{command}");
    }
}

/// A change that tries everything at once, and the secrets it would hide. Its commit asks hosts to look away.
fn attack(repo: &Repo) -> [Token; 5] {
    let tokens = ["baseline", "marker", "suppression", "exclude", "paths-ignore"]
        .map(|what| Token::new(&format!("hidden by an attack on the {what}")));
    repo.write("known.py", tokens[0].line());
    let made = keytrail(["baseline", "create", "--reason", "all known", "known.py"]).within(repo.path()).go();
    made.exits(0).says(&["1 accepted"]);
    repo.write("marked.py", format!("key = '{}'  # keytrail:allow it is fine\n", tokens[1].text()));
    repo.write("quiet.py", tokens[2].line());
    repo.write("vendor/lib.py", tokens[3].line());
    repo.write("docs/page.txt", tokens[4].line());
    let config = "version = 1\n[scan]\nexclude = [\"vendor/\"]\n[[suppress]]\npath = \"quiet.py\"\nreason = \"fine\"\n";
    repo.write(".keytrail.toml", config);
    repo.write(".github/secret_scanning.yml", "paths-ignore:\n  - \"docs/**\"\n");
    repo.commit("Improve things\n\nskip-secret-scanning:true\n");
    tokens
}

#[test]
fn an_attacking_pull_request_is_stopped_and_the_push_after_its_merge_is_not() {
    let Some((_workspace, repo, base)) = base(&[]) else { return };
    let tokens = attack(&repo);
    let all: Vec<&Token> = tokens.iter().collect();
    let head = repo.id("HEAD");
    let in_pipeline = |event: &str, payload: serde_json::Value| {
        let file = repo.path().join(".git/event.json");
        std::fs::write(&file, payload.to_string()).expect("our own folder is writable");
        let run = keytrail(["diff"]).within(repo.path()).env("GITHUB_ACTIONS", "true").env("KEYTRAIL_ALLOW_SHOW", "1");
        run.env("GITHUB_EVENT_NAME", event).env("GITHUB_EVENT_PATH", file).env("GITHUB_SHA", &head)
    };
    let request = serde_json::json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let results = scan(&in_pipeline("pull_request", request.clone()));
    results.holds_exactly(&all);
    assert_eq!(results.code, 1);
    for token in &tokens {
        let suppressions = results.of(token).suppressions();
        assert!(results.of(token).is_open());
        assert_eq!(
            suppressions.iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(),
            ["underReview"],
            "{token:?}"
        );
    }
    assert!(results.notes.iter().any(|note| note.contains("skip secret scanning")), "{:?}", results.notes);
    in_pipeline("pull_request", request).go().exits(1).says(&["the change itself asks to suppress this"]);

    // Somebody has looked at it and merged it: from then on it is the repository's own word.
    let push = serde_json::json!({"before": base, "after": head, "forced": false});
    let results = scan(&in_pipeline("push", push));
    results.holds_exactly(&all[..3]);
    assert_eq!(results.code, 0);
    assert!(results.notes.iter().any(|note| note.contains("skip secret scanning")), "{:?}", results.notes);

    // The next pull request finds it in its base.
    let next = Token::new("after an attack that was merged");
    let merged = repo.id("HEAD");
    repo.commit_file("next.py", format!("{}{}", next.line(), tokens[0].line()));
    let results = scan(&keytrail(["diff", &format!("{merged}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&next, &tokens[0]]);
    assert_eq!((results.code, results.of(&tokens[0]).is_open(), results.of(&next).is_open()), (1, false, true));
}

#[test]
fn a_broken_proposal_stops_nothing() {
    let Some((_workspace, repo, id)) = base(&[]) else { return };
    let token = Token::new("beside broken proposals");
    for (path, text) in
        [(".keytrail.toml", "nonsense ["), (".keytrail-baseline.jsonl", "nonsense"), ("CredScanSuppressions.json", "{")]
    {
        repo.write(path, text);
    }
    repo.commit_file("app.py", token.line());
    let results = scan(&keytrail(["diff", &format!("{id}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&token]);
    assert_eq!((results.code, results.of(&token).suppressions()), (1, Vec::new()));
}

#[test]
fn credscan_suppressions_of_the_base_are_heard() {
    let (value, file) = (Token::new("a placeholder of CredScan's"), Token::new("in a file that CredScan leaves out"));
    let list = serde_json::json!({"tool": "Credential Scanner", "suppressions": [
        {"placeholder": value.text(), "_justification": "made up"},
        {"file": "\\keys\\made.txt", "_justification": "for tests"},
    ]});
    let Some((_workspace, repo, id)) = base(&[("CredScanSuppressions.json", &list.to_string())]) else { return };
    let other = Token::new("beside what CredScan leaves out");
    repo.write("keys/made.txt", file.line());
    repo.write("app.py", value.line());
    repo.commit_file("b.py", other.line());
    let results = scan(&keytrail(["diff", &format!("{id}..HEAD")]).within(repo.path()));
    results.holds_exactly(&[&value, &file, &other]);
    let reasons = |token: &Token| results.of(token).record["suppressions"][0]["reason"].as_str().map(str::to_owned);
    assert_eq!(
        (reasons(&value).as_deref(), reasons(&file).as_deref(), reasons(&other)),
        (Some("made up"), Some("for tests"), None)
    );
}

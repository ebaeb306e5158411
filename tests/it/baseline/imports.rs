//! Other scanners' files of ignored findings, resolved to values.

use super::{baseline, guessable, history, known, setting, state, text};
use crate::harness::{Repo, Token, Workspace};

/// A repository with three secrets, the second of them in its history alone.
fn leaking(label: &str) -> Option<(Workspace, Repo, [Token; 3], String)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("importing")?;
    let tokens = [
        Token::new(&format!("{label}, standing")),
        Token::new(&format!("{label}, past")),
        guessable(&format!("{label}, weak")),
    ];
    repo.write("a.txt", format!("first\n{}", tokens[0].line()));
    repo.write("conf.py", setting("db", &tokens[2]));
    let old = repo.commit_file("old:name.txt", tokens[1].line());
    repo.commit_file("old:name.txt", "clean\n");
    Some((workspace, repo, tokens, old))
}

/// Imports a file of that name and text.
fn import(workspace: &Workspace, repo: &Repo, name: &str, text: &str) -> crate::harness::Ran {
    let file = workspace.write(name, text);
    baseline(repo, &["import", file.to_str().expect("a plain name")]).go()
}

/// Lower-case hex of a digest.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn gitleaksignore() {
    let Some((workspace, repo, tokens, old)) = leaking("gitleaksignore") else { return };
    let file = format!(
        "# accepted\n\na.txt:github-pat:2\n{old}:old:name.txt:github-pat:1\nconf.py:generic-api-key:1\n\
         a.txt:github-pat:1\nabsent.txt:github-pat:1\n{}:a.txt:github-pat:2\nodd\n",
        "0".repeat(40)
    );
    let ran = import(&workspace, &repo, ".gitleaksignore", &file);
    ran.exits(3).says(&[
        "3 accepted",
        ".gitleaksignore:6: keytrail finds no secret on line 1",
        ".gitleaksignore:7: absent.txt is neither",
        ".gitleaksignore:8: a.txt can't be read at 000000000000",
        ".gitleaksignore:9: neither",
    ]);
    assert!(text(&repo).contains("imported from .gitleaksignore"));
    let results = history(&repo);
    results.holds_exactly(&[&tokens[0], &tokens[1], &tokens[2]]);
    assert_eq!(results.code, 0);
    // By value now: lines may move.
    repo.commit_file("a.txt", format!("{}{}", "more\n".repeat(9), tokens[0].line()));
    assert_eq!(history(&repo).code, 0);
}

#[test]
fn a_line_with_several_secrets_is_not_guessed() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("several") else { return };
    let (one, two) = (Token::new("several, one"), Token::new("several, two"));
    repo.commit_file("a.txt", format!("{} {}", one.line().trim_end(), two.line()));
    import(&workspace, &repo, ".gitleaksignore", "a.txt:some-other-rule:1\n")
        .exits(3)
        .says(&["0 accepted", "2 secrets stand on line 1"]);
    assert_eq!(history(&repo).code, 1);
    import(&workspace, &repo, ".gitleaksignore", "a.txt:github-pat:1\n").exits(0).says(&["2 accepted"]);
    assert_eq!(history(&repo).code, 0, "all of that rule, as there");
}

#[test]
fn gitleaks_reports() {
    let Some((workspace, repo, tokens, old)) = leaking("gitleaks report") else { return };
    let one = |file: &str, line: u64, commit: &str, secret: &str| {
        serde_json::json!({"RuleID": "r", "Description": "", "StartLine": line, "EndLine": line, "StartColumn": 1, "EndColumn": 2,
            "Match": "", "Secret": secret, "File": file, "SymlinkFile": "", "Commit": commit, "Entropy": 3.5, "Author": "",
            "Email": "", "Date": "", "Message": "", "Tags": [], "Fingerprint": ""})
    };
    // A value tells more than a position that has moved since.
    let report = serde_json::json!([
        one("a.txt", 77, "", tokens[0].text()),
        one("old:name.txt", 1, &old, "REDACTED"),
        one("conf.py", 1, "", "REDACTED"),
    ]);
    import(&workspace, &repo, "leaks.json", &report.to_string()).exits(0).says(&["3 accepted"]);
    assert_eq!(history(&repo).code, 0);
}

#[test]
fn detect_secrets_baselines() {
    use sha1::Digest as _;
    let Some((workspace, repo, tokens, _old)) = leaking("detect-secrets") else { return };
    let hash = |token: &Token| hex(&sha1::Sha1::digest(token.text()));
    let file = serde_json::json!({"version": "1.5.0", "plugins_used": [], "filters_used": [], "generated_at": "x", "results": {
        "a.txt": [{"type": "GitHub Token", "filename": "a.txt", "hashed_secret": hash(&tokens[0]), "is_verified": false, "line_number": 9}],
        "conf.py": [
            {"type": "Secret Keyword", "hashed_secret": hash(&tokens[2])},
            {"type": "Secret Keyword", "hashed_secret": hash(&tokens[1])},
            {"type": "Secret Keyword", "hashed_secret": hash(&tokens[2]), "is_secret": true},
        ],
    }});
    let ran = import(&workspace, &repo, ".secrets.baseline", &file.to_string());
    ran.exits(3).says(&["2 accepted", "conf.py: secret 2: keytrail finds no such secret", "secret 3: its audit says"]);
    let results = history(&repo);
    assert_eq!((state(&results, &tokens[0]), state(&results, &tokens[2])), (known(), known()));
    assert_eq!(state(&results, &tokens[1]).0, "new");
}

#[test]
fn values_and_their_hashes() {
    use sha2::Digest as _;
    let Some((workspace, repo, tokens, _old)) = leaking("by value") else { return };
    let hashes = format!("{}\n{}\n", hex(&sha2::Sha256::digest(tokens[1].text())), "0f".repeat(32));
    import(&workspace, &repo, "hashes", &hashes).exits(3).says(&["1 accepted", "hashes:2: nothing that is found here"]);
    let ignore = format!("vendor/\n[secrets]\n{}\n", tokens[2].text());
    import(&workspace, &repo, ".secretsignore", &ignore).exits(3).says(&["1 accepted", ".secretsignore:1: a path"]);
    let results = history(&repo);
    assert_eq!((state(&results, &tokens[1]), state(&results, &tokens[2])), (known(), known()));
    assert_eq!(state(&results, &tokens[0]).0, "new");
}

#[test]
fn what_cannot_be_honoured_exactly_is_refused() {
    let Some((workspace, repo, ..)) = leaking("refused") else { return };
    for (name, text, says) in [
        ("kingfisher.yml", "version: 2\nfingerprint_algorithm: x\n", "kingfisher"),
        (".gitguardian.yaml", "version: 2\nsecret:\n  ignored_matches:\n    - name: x\n", "ggshield"),
        ("empty", "", "empty"),
        ("prose.txt", "what is this\n", "no format"),
    ] {
        import(&workspace, &repo, name, text).exits(2).says(&[says, name]);
    }
    baseline(&repo, &["import", "absent"]).go().exits(2).says(&["absent", "no such file"]);
}

//! Inline markers: which lines and rules they speak for, and that an old one excuses no new secret.

use crate::harness::{Repo, Results, Token, Workspace, keytrail, scan};

/// A repository whose first commit has these lines in `a.py`.
fn begun(lines: &str) -> Option<(Workspace, Repo, String)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("marked")?;
    let id = repo.commit_file("a.py", lines);
    Some((workspace, repo, id))
}

/// A line that holds secrets and ends with a comment.
fn line(tokens: &[&Token], comment: &str) -> String {
    let values: Vec<String> = tokens.iter().map(|token| format!("'{}'", token.text())).collect();
    format!("keys = [{}]  # {comment}\n", values.join(", "))
}

/// What `staged` and `diff` say of a change of `a.py`, which they must say alike.
fn changed(repo: &Repo, base: &str, lines: &str) -> [Results; 2] {
    repo.write("a.py", lines);
    repo.git(["add", "a.py"]);
    let staged = scan(&keytrail(["staged"]).within(repo.path()));
    repo.commit("Change");
    [staged, scan(&keytrail(["diff", &format!("{base}..HEAD"), "--trust", "head"]).within(repo.path()))]
}

/// Kind and status of an inline marker.
fn marker(status: &str) -> Vec<(String, String)> {
    vec![("inSource".to_owned(), status.to_owned())]
}

#[test]
fn an_old_marker_excuses_no_new_secret() {
    for comment in ["keytrail:allow revoked in May", "gitleaks:allow", "keytrail:allow[github-pat]"] {
        let (old, new) = (Token::new("marked before"), Token::new("put beside a marker"));
        for after in
            [line(&[&new], comment), line(&[&old, &new], comment), format!("\n\n{}", line(&[&new, &old], comment))]
        {
            let Some((_workspace, repo, base)) = begun(&line(&[&old], comment)) else { return };
            for results in changed(&repo, &base, &after) {
                results.holds_exactly(&[&new]);
                assert_eq!(results.code, 1, "{comment}");
                assert_eq!(results.of(&new).suppressions(), marker("rejected"), "{comment}");
            }
            keytrail(["diff", &format!("{base}..HEAD")])
                .within(repo.path())
                .go()
                .exits(1)
                .says(&["older than this secret"]);
        }
    }
}

#[test]
fn a_marker_of_its_own_does() {
    let comment = "keytrail:allow revoked in May";
    let (old, new) = (Token::new("marked before, again"), Token::new("marked by itself"));
    let Some((_workspace, repo, base)) = begun(&line(&[&old], comment)) else { return };
    let cases = [
        ("one more of the same", format!("{}{}", line(&[&old], comment), line(&[&new], comment))),
        ("another reason", line(&[&old, &new], "keytrail:allow both revoked in June")),
    ];
    for (what, after) in cases {
        for results in changed(&repo, &base, &after) {
            results.holds_exactly(&[&new]);
            assert_eq!((results.code, results.of(&new).suppressions()), (0, marker("accepted")), "{what}");
        }
        repo.git(["reset", "--quiet", "--hard", &base]);
    }
    // Whoever looks at the whole sees marked lines, whenever they were marked.
    let history = scan(&keytrail(["history"]).within(repo.path()));
    assert_eq!(history.code, 0);
    assert!(history.of(&old).suppressions().contains(&marker("accepted")[0]));
}

#[test]
fn an_old_marker_stays_old_in_another_file() {
    let comment = "keytrail:allow revoked in May";
    let (old, new) = (Token::new("marked, then renamed"), Token::new("new in a renamed file"));
    let Some((_workspace, repo, base)) = begun(&line(&[&old], comment)) else { return };
    repo.git(["mv", "a.py", "b.py"]);
    repo.write("b.py", line(&[&old, &new], comment));
    repo.commit("Move it");
    let results = scan(&keytrail(["diff", &format!("{base}..HEAD"), "--trust", "head"]).within(repo.path()));
    results.holds_exactly(&[&new]);
    assert_eq!((results.code, results.of(&new).suppressions()), (1, marker("rejected")));
}

#[test]
fn an_old_marker_in_utf_16_is_old() {
    let wide = |text: &str| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("wide") else { return };
    let (old, new) = (Token::new("marked in UTF-16"), Token::new("new in UTF-16"));
    repo.commit_file("a.ps1", wide(&line(&[&old], "keytrail:allow gone")));
    repo.write("a.ps1", wide(&line(&[&new], "keytrail:allow gone")));
    repo.git(["add", "a.ps1"]);
    let results = scan(&keytrail(["staged"]).within(repo.path()));
    results.holds_exactly(&[&new]);
    assert_eq!((results.code, results.of(&new).suppressions()), (1, marker("rejected")));
}

#[test]
fn a_marker_may_name_its_rules() {
    let token = Token::new("marked for a rule");
    for (comment, code) in [("keytrail:allow[github-pat] fine", 0), ("keytrail:allow[npm-token] fine", 1)] {
        let Some((_workspace, repo, _)) = begun(&line(&[&token], comment)) else { return };
        let results = scan(&keytrail(["history"]).within(repo.path()));
        results.holds_exactly(&[&token]);
        assert_eq!(results.code, code, "{comment}");
    }
}

#[test]
fn whoever_hears_no_marker_hears_none() {
    let markers = [
        "keytrail:allow x",
        "gitleaks:allow",
        "betterleaks:allow",
        "pragma: allowlist secret",
        "secretlint-disable-line",
    ];
    let tokens: Vec<Token> = markers.iter().map(|marker| Token::new(&format!("unheard {marker}"))).collect();
    let lines: String = tokens.iter().zip(markers).map(|(token, marker)| line(&[token], marker)).collect();
    let Some((_workspace, repo, _)) = begun(&lines) else { return };
    assert_eq!(scan(&keytrail(["history"]).within(repo.path())).code, 0);
    let strict = scan(&keytrail(["history", "--no-inline-allow"]).within(repo.path()));
    assert!(strict.findings.len() == tokens.len() && strict.findings.iter().all(|finding| finding.is_open()));
}

//! Whose recommendation a finding in a repository belongs to: it follows the host of its remote.

use crate::harness::{Token, Workspace, keytrail, scan};

#[test]
fn repositories_follow_their_host() {
    let hosts = [
        ("https://github.com/o/r.git", Some("GitHub repositories should have secret scanning findings resolved")),
        ("git@github.com:o/r.git", Some("GitHub repositories should have secret scanning findings resolved")),
        ("https://gitlab.com/g/p.git", Some("GitLab projects should have secret scanning findings resolved")),
        (
            "https://org@dev.azure.com/org/project/_git/repo",
            Some("Azure DevOps repositories should have secret scanning findings resolved"),
        ),
        (
            "git@ssh.dev.azure.com:v3/org/project/repo",
            Some("Azure DevOps repositories should have secret scanning findings resolved"),
        ),
        ("https://github.com.keytrail.invalid/o/r.git", None),
        ("https://git.keytrail.invalid/github.com/r.git", None),
    ];
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("hosted") else { return };
    let token = Token::new("hosted somewhere");
    repo.commit_file("a.txt", token.line());
    for (url, name) in hosts {
        repo.git(["config", "remote.origin.url", url]);
        let results = scan(&keytrail(["history", repo.spelled()]));
        let finding = results.of(&token);
        assert_eq!(finding.recommendation().as_deref(), name, "{url}");
        assert_eq!(finding.record["recommendation"]["category"], "ExposedSecrets", "{url}");
    }
    // Of several remotes, `origin` decides; without one, none does.
    repo.git(["config", "remote.origin.url", "https://gitlab.com/g/p.git"]);
    repo.git(["config", "remote.fork.url", "https://github.com/o/r.git"]);
    let name = |repo: &crate::harness::Repo| scan(&keytrail(["history", repo.spelled()])).of(&token).recommendation();
    assert_eq!(name(&repo).as_deref(), Some("GitLab projects should have secret scanning findings resolved"));
    repo.git(["config", "--rename-section", "remote.origin", "remote.upstream"]);
    assert_eq!(name(&repo), None);
}

//! Branches that both change the baseline, merged by the real git.

use super::{FILE, baseline, create, guessable, history, known, setting, state, text};
use crate::harness::{Repo, Token, Workspace};

/// A repository with an accepted secret, its file's branches merged line by line if `union`.
fn accepted(label: &str, union: bool) -> Option<(Workspace, Repo)> {
    let workspace = Workspace::new();
    let repo = workspace.repo("merging")?;
    for name in ["a", "m", "z"] {
        repo.write(format!("{name}.txt"), Token::new(&format!("{label} {name}")).line());
    }
    if union {
        repo.write(".gitattributes", format!("{FILE} merge=union\n"));
    }
    repo.commit("Begin");
    create(&repo);
    repo.commit("Accept");
    Some((workspace, repo))
}

/// On a branch of its own from `main`: a file with this text, accepted.
fn branch(repo: &Repo, name: &str, path: &str, text: String) {
    repo.git(["checkout", "--quiet", "-b", name, "main"]);
    repo.write(path, text);
    repo.commit("Add a secret");
    // What stands here, and not on the other branches.
    baseline(repo, &["update", "--reason", name, "."]).go().exits(0).says(&["1 accepted"]);
    repo.commit("Accept it");
}

#[test]
fn entries_at_different_places_merge_without_conflict() {
    let Some((_workspace, repo)) = accepted("apart", false) else { return };
    let (early, late) = (Token::new("apart, early"), guessable("apart, late"));
    branch(&repo, "one", "b.txt", early.line());
    branch(&repo, "two", "n.py", setting("db", &late));
    repo.git(["checkout", "--quiet", "one"]);
    repo.git(["merge", "--quiet", "--no-edit", "two"]);
    let results = history(&repo);
    assert_eq!((results.code, results.findings.len()), (0, 5));
    assert_eq!((state(&results, &early), state(&results, &late)), (known(), known()));
    assert!(text(&repo).lines().is_sorted(), "the merged file is as we would write it");
}

#[test]
fn entries_at_one_place_merge_by_union() {
    let Some((_workspace, repo)) = accepted("beside", true) else { return };
    let (one, two) = (Token::new("beside, one"), guessable("beside, two"));
    branch(&repo, "one", "b.txt", one.line());
    branch(&repo, "two", "c.py", setting("db", &two));
    repo.git(["checkout", "--quiet", "one"]);
    repo.git(["merge", "--quiet", "--no-edit", "two"]);
    let results = history(&repo);
    assert_eq!((results.code, results.findings.len()), (0, 5));
    assert_eq!((state(&results, &one), state(&results, &two)), (known(), known()));
}

#[test]
fn baselines_with_salts_of_their_own_merge_by_union() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("two beginnings") else { return };
    repo.write(".gitattributes", format!("{FILE} merge=union\n"));
    repo.commit_file("readme.txt", "text\n");
    let both = [guessable("first beginning"), guessable("second beginning")];
    for (nth, weak) in both.iter().enumerate() {
        repo.git(["checkout", "--quiet", "-b", &format!("branch{nth}"), "main"]);
        repo.commit_file(&format!("conf{nth}.py"), setting("db", weak));
        // The other branch's secret is no business of this one: its own file alone.
        baseline(&repo, &["create", "--reason", "mine", &format!("conf{nth}.py")]).go().exits(0).says(&["1 accepted"]);
        repo.commit("Accept");
    }
    repo.git(["merge", "--quiet", "--no-edit", "branch0"]);
    assert_eq!(text(&repo).matches("keytrail-baseline").count(), 2, "two headers");
    let results = history(&repo);
    results.holds_exactly(&[&both[0], &both[1]]);
    assert_eq!(results.code, 0);
    baseline(&repo, &["prune"]).go().exits(0).says(&["0 taken out"]);
    assert_eq!(history(&repo).code, 0);
}

//! `diff`: what a push or a pull request adds, whoever tells the range, and whose word counts about it.

mod pipelines;
mod pushes;
mod ranges;
mod trust;

use crate::harness::{Repo, Run, Token, Workspace, keytrail};

/// A change under review: `main` has moved on since `topic` left it.
struct Change {
    workspace: Workspace,
    repo: Repo,
    /// Where `topic` left `main`.
    base: String,
    /// Tip of `topic`.
    tip: String,
    /// In `old.txt` since before the change.
    old: Token,
    /// What the change adds: in `added.txt`, in a file that it removes again, in a commit message.
    added: [Token; 3],
    /// What `main` added meanwhile.
    elsewhere: Token,
    /// The commit that adds `added.txt`.
    adding: String,
}

/// Builds the change, with tokens of its own for each `label`; the work tree is at `topic`.
fn change(label: &str) -> Option<Change> {
    let token = |what: &str| Token::new(&format!("{label}, {what}"));
    let (old, elsewhere) = (token("old"), token("elsewhere"));
    let added = [token("added"), token("added and removed"), token("message")];
    let workspace = Workspace::new();
    let repo = workspace.repo("change")?;
    let base = repo.commit_file("old.txt", old.line());
    repo.git(["switch", "--quiet", "--create", "topic"]);
    let adding = repo.commit_file("added.txt", added[0].line());
    repo.commit_file("passing.txt", added[1].line());
    repo.remove("passing.txt");
    repo.commit("Tidy");
    let tip = repo.commit_index(&format!("Use it\n\n{}", added[2].text()));
    repo.git(["switch", "--quiet", "main"]);
    repo.commit_file("main.txt", elsewhere.line());
    repo.git(["switch", "--quiet", "topic"]);
    Some(Change { workspace, repo, base, tip, old, added, elsewhere, adding })
}

impl Change {
    /// `diff` with these arguments in the repository.
    fn diff(&self, args: &[&str]) -> Run {
        keytrail(["diff"]).args(args).within(self.repo.path())
    }

    /// All that the change adds.
    fn all_added(&self) -> Vec<&Token> {
        self.added.iter().collect()
    }
}

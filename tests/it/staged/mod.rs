//! `staged`: the index is scanned, never the work tree and never diff text, and only what the commit introduces is
//! reported.

mod commits;
mod contents;
mod indexes;
mod merges;
mod renames;

use crate::harness::{Repo, Results, Run, Workspace, keytrail, scan};

/// A repository with one commit, and `staged` run in it.
struct Fixture {
    workspace: Workspace,
    repo: Repo,
}

/// A repository whose first commit holds these files; `None` when there is no git.
fn fixture(files: &[(&str, &[u8])]) -> Option<Fixture> {
    let workspace = Workspace::new();
    let repo = workspace.repo("repo")?;
    repo.write("readme.txt", "hello\n");
    for (path, bytes) in files {
        repo.write(path, bytes);
    }
    repo.commit("Begin");
    Some(Fixture { workspace, repo })
}

impl Fixture {
    /// Writes a file and stages it.
    fn stage(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.repo.write(path, bytes);
        self.repo.git(["add", "--", path]);
    }

    /// `staged` in the repository's top folder.
    fn run(&self) -> Run {
        keytrail(["staged"]).within(self.repo.path())
    }

    /// The results of that.
    fn scan(&self) -> Results {
        scan(&self.run())
    }
}

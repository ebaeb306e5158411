//! keytrail in pipelines: the GitHub Action's own steps and the built Azure Pipelines task, with runners and agents that
//! are simulated from their documentation and sources, on real repositories and with the real program.

// The Azure Pipelines task.
mod agent;
mod azure;
// The GitHub Action.
mod events;
mod expression;
mod hostile;
mod install;
mod manifest;
mod runner;
mod server;
// What judges that are not ours say of them.
mod checked;

use std::path::{Path, PathBuf};

use crate::harness::{Repo, Token, Workspace};

/// The id of nothing.
const ZERO: &str = "0000000000000000000000000000000000000000";

/// A file of our own tree.
fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folder of the program under test, to be put on PATH.
fn program_folder() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_keytrail")).parent().expect("it lies in a folder")
}

/// What a pipeline checks out: a complete clone with the change merged into `main`, and where it came from. One secret
/// is in `main` since before the change, which adds two: in a file, and in a file that it removes again.
struct Checkout {
    workspace: Workspace,
    /// The repository it was cloned from, at `topic`.
    server: Repo,
    /// The clone, at the merge.
    clone: Repo,
    /// Where the change left `main`.
    base: String,
    /// Tip of `main`.
    main: String,
    /// Tip of the change.
    tip: String,
    /// The merge that the service made to test the change.
    merge: String,
}

/// Builds the checkout, with secrets of its own for each `label`; `None` when there is no git.
fn checkout(label: &str) -> Option<Checkout> {
    checkout_with(label, |_| ())
}

/// The same with further files in the change, which `write` writes.
fn checkout_with(label: &str, write: impl FnOnce(&Repo)) -> Option<Checkout> {
    let token = |what: &str| Token::new(&format!("pipelines, {label}, {what}"));
    let (old, added) = (token("old"), [token("added"), token("added and removed")]);
    let workspace = Workspace::new();
    let server = workspace.repo("server")?;
    let base = server.commit_file("src/old.txt", old.line());
    server.git(["switch", "--quiet", "--create", "topic"]);
    server.commit_file("src/passing.txt", added[1].line());
    server.remove("src/passing.txt");
    server.write("src/added.txt", added[0].line());
    write(&server);
    let tip = server.commit("Add it");
    server.git(["switch", "--quiet", "main"]);
    let main = server.commit_file("main.txt", "moved on\n");
    let clone = server.clone_to("clone", &[]);
    server.git(["switch", "--quiet", "topic"]);
    clone.git(["merge", "--quiet", "--no-ff", "--no-edit", "origin/topic"]);
    let merge = clone.id("HEAD");
    clone.git(["switch", "--quiet", "--detach", &merge]);
    Some(Checkout { workspace, server, clone, base, main, tip, merge })
}

impl Checkout {
    /// A clone of the newest commit of `topic` alone.
    fn shallow(&self) -> Repo {
        self.server.clone_to("shallow", &["--depth=1", "--branch=topic"])
    }
}

//! Same input, same bytes out: with one thread and with two, and the second time round.

use crate::harness::{Run, Token, Workspace, keytrail};
use crate::torture::torture;

/// Expects the same bytes on both streams for every format and number of threads.
fn is_the_same_every_time(run: &Run, code: i32) {
    for format in ["text", "jsonl", "sarif"] {
        let with = |jobs: &str| {
            let ran = run.clone().args(["--format", format, "--jobs", jobs]).go().exits(code);
            (ran.stdout, ran.stderr)
        };
        let first = with("1");
        assert!(!first.0.is_empty());
        for jobs in ["2", "1", "2"] {
            assert!(with(jobs) == first, "{format} with --jobs {jobs} differs from that with --jobs 1: {run:?}");
        }
    }
}

#[test]
fn history() {
    let Some(torture) = torture() else { return };
    is_the_same_every_time(&keytrail(["history", "--unreachable", torture.repo.spelled()]), 1);
}

#[test]
fn history_that_is_packed_and_damaged() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("many") else { return };
    for version in 0..40 {
        let token = Token::new(&format!("determinism {}", version % 7));
        repo.write(format!("file-{}.txt", version % 11), format!("{version}\n{}", token.line()));
        repo.commit("Change");
    }
    repo.git(["gc", "--quiet"]);
    for number in 0..5 {
        repo.write(format!("loose-{number}.txt"), format!("{number}\n"));
        repo.commit("Loose");
    }
    // When all is committed: git builds no tree of what is gone.
    for number in 0..5 {
        let id = repo.id(&format!("HEAD:loose-{number}.txt"));
        std::fs::remove_file(repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    }
    is_the_same_every_time(&keytrail(["history", repo.spelled()]), 3);
}

#[test]
fn files_and_images() {
    let workspace = Workspace::new();
    for number in 0..60 {
        let token = Token::new(&format!("determinism {}", number % 7));
        let path = format!("tree/{}/{}/{number}.txt", number % 3, number % 5);
        workspace.write(&path, format!("{}{}", "line\n".repeat(number * 50), token.line()));
    }
    for path in ["tree/__tests__/a.txt", "tree/src/testdata/b.txt"] {
        workspace.write(path, "left out\n");
    }
    let tree = workspace.path("tree");
    is_the_same_every_time(&keytrail(["files", "."]).within(&tree), 1);
    is_the_same_every_time(&keytrail(["image"]).arg(&tree), 1);
}

#[test]
fn staged_and_diff() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("staged") else { return };
    let base = repo.commit_file("readme.txt", "hello\n");
    for number in 0..40 {
        let token = Token::new(&format!("determinism {}", number % 7));
        repo.write(format!("{}/{number}.txt", number % 5), token.line());
    }
    repo.git(["add", "--all"]);
    is_the_same_every_time(&keytrail(["staged"]).within(repo.path()), 1);
    repo.commit_index("All");
    is_the_same_every_time(&keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()), 1);
}

//! What guards a repository before anything leaves it: `keytrail init` and its git hooks, the hooks offered to the
//! pre-commit framework, run by git itself; and what a shell and `man` get.

// The pre-commit framework.
mod framework;
// `keytrail init` and plain git hooks.
mod init;
// Completions and man pages.
mod pages;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::harness::{Repo, hold_printed};

/// PATH with the program under test before all others.
fn path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_keytrail")).parent().expect("it lies in a folder").to_path_buf();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::iter::once(program).chain(std::env::split_paths(&others)).collect();
    std::env::join_paths(folders).expect("they were joined before")
}

/// How a git command ended.
struct Done {
    /// Whether git went through with it.
    success: bool,
    /// Both streams.
    text: String,
}

impl Done {
    /// Expects that git went through with it.
    #[track_caller]
    fn passes(self) -> Self {
        assert!(self.success, "{}", self.text);
        self
    }

    /// Expects that it was refused, and these words.
    #[track_caller]
    fn refused(self, words: &[&str]) -> Self {
        assert!(!self.success, "{}", self.text);
        self.says(words)
    }

    /// Expects these words.
    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.text.contains(word), "`{word}` isn't said:\n{}", self.text);
        }
        self
    }
}

/// Runs git with our program on PATH and these variables, and holds what its hooks print to what must hold always.
fn git(repo: &Repo, args: &[&str], variables: &[(&str, &str)]) -> Done {
    let path = path();
    let mut all: Vec<(&str, &std::ffi::OsStr)> = vec![("PATH", &path)];
    all.extend(variables.iter().map(|(name, value)| (*name, std::ffi::OsStr::new(*value))));
    let output = repo.try_git(args, &all, b"");
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let plain = String::from_utf8_lossy(bytes).replace('\r', "");
        hold_printed(&format!("git {args:?}, {stream}"), plain.as_bytes(), false);
    }
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n");
    Done { success: output.status.success(), text }
}

//! Accepted findings: made, heard, kept up and brought over from other scanners.

use std::path::Path;

use crate::harness::{Ran, Repo, Results, Run, Token, keytrail, scan};

mod changes;
mod commands;
mod imports;
mod merges;

/// The baseline's name.
pub(crate) const FILE: &str = ".keytrail-baseline.jsonl";

/// A password that could be guessed, as far as rules know: always the same one for a label. Everything printed from now on
/// is searched for it.
pub(crate) fn guessable(label: &str) -> Token {
    use sha2::Digest as _;
    const LETTERS: &[u8; 58] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789!%+-";
    let digest = sha2::Sha256::digest(label);
    let value: String = digest.iter().take(14).map(|byte| char::from(LETTERS[usize::from(byte % 58)])).collect();
    Token::other(label, &value)
}

/// A line of configuration with a password in it, put together so that this file holds none.
pub(crate) fn setting(name: &str, weak: &Token) -> String {
    format!("{name}_{} = \"{}\"\n", ["pass", "word"].concat(), weak.text())
}

/// `keytrail baseline VERB` in the repository.
pub(crate) fn baseline(repo: &Repo, args: &[&str]) -> Run {
    keytrail(["baseline"]).args(args).within(repo.path())
}

/// Makes the baseline of all that is there.
pub(crate) fn create(repo: &Repo) -> Ran {
    baseline(repo, &["create", "--reason", "known when we began"]).writes(&repo.path().join(FILE)).go().exits(0)
}

/// The baseline's text.
pub(crate) fn text(repo: &Repo) -> String {
    text_of(&repo.path().join(FILE))
}

/// A file's text.
fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the baseline is written")
}

/// Takes away what leads to commits that branches no longer have.
pub(crate) fn forget(repo: &Repo) {
    repo.git(["reflog", "expire", "--expire=now", "--all"]);
    repo.git(["update-ref", "-d", "ORIG_HEAD"]);
}

/// The history of the repository.
pub(crate) fn history(repo: &Repo) -> Results {
    scan(&keytrail(["history"]).within(repo.path()))
}

/// Baseline state and kinds of suppression of a token's finding.
pub(crate) fn state(results: &Results, token: &Token) -> (String, Vec<(String, String)>) {
    let finding = results.of(token);
    (finding.text("baselineState"), finding.suppressions())
}

/// What a known finding looks like.
pub(crate) fn known() -> (String, Vec<(String, String)>) {
    ("unchanged".to_owned(), vec![("external".to_owned(), "accepted".to_owned())])
}

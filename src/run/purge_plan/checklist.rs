//! The checklist of a rewrite, in Markdown. It holds no secret: names and paths are masked, values are previews.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::Draft;
use crate::engine::Engine;
use crate::finding::{Finding, mask};
use crate::place::{Part, State};
use crate::report::{code, terminal_bytes, words_of_place};

/// Its file.
pub(super) const NAME: &str = "CHECKLIST.md";
/// What is replaced in contents and messages.
pub(super) const REPLACEMENTS: &str = "replacements.txt";
/// Values that are too short to be replaced wherever they stand.
pub(super) const SHORT_VALUES: &str = "short-values.txt";
/// What is replaced in path names.
pub(super) const PATHS: &str = "paths.txt";
/// Ids of blobs that are removed as a whole.
pub(super) const BLOBS: &str = "blobs.txt";

/// Places listed for each finding.
const PLACES: usize = 50;

/// A checklist, about to be.
pub(super) struct Checklist<'d> {
    /// What is planned.
    pub(super) draft: &'d Draft,
    /// Where its files are.
    pub(super) folder: &'d Path,
    /// What masks candidates in names.
    pub(super) engine: &'d Engine,
}

impl Checklist<'_> {
    /// All of it.
    pub(super) fn text(&self) -> String {
        let mut out = String::from("# Purging secrets from the history\n\n");
        out.push_str(
            "The other files in this folder hold the secrets **in clear**. Keep the folder to yourself, out of every \
             repository and backup, and delete it at the end.\n\n## 1. Rotate first\n\nWhat was pushed is known to others. \
             Nothing below ends that: replace each secret before its traces are removed.\n",
        );
        self.rotate(&mut out);
        out.push_str("\n## 2. Where they stand\n");
        for value in &self.draft.values {
            self.places(&value.finding, &mut out);
        }
        out.push_str("\n## 3. Rewrite\n\nAgree on a moment with everyone who has a clone, and have open pull requests merged or closed. Then, with git filter-repo 2.47 or later:\n\n```sh\n");
        self.commands(&mut out);
        out.push_str("```\n\n`purge-check` must end with exit code 0. If it names a place, mend that before anything is pushed.\n");
        self.remarks(&mut out);
        out.push_str(AFTERWARDS);
        mask::candidates_in_text(self.engine, &mut out);
        out
    }

    /// What to do per finding.
    fn rotate(&self, out: &mut String) {
        for value in &self.draft.values {
            let Finding { rule, preview, remedy, fingerprint, .. } = &value.finding;
            let _infallible = writeln!(
                out,
                "\n- [ ] {} {}: {}\n  {}\n",
                code(&rule.name),
                code(preview),
                remedy.title,
                code(fingerprint)
            );
            for (at, step) in remedy.steps.iter().enumerate() {
                let _infallible = writeln!(out, "  {}. {step}", at + 1);
            }
        }
    }

    /// Where a finding stands, and how to list the refs that hold it.
    fn places(&self, finding: &Finding, out: &mut String) {
        let _infallible = writeln!(out, "\n### {} {}\n", code(&finding.rule.name), code(&finding.preview));
        for seen in finding.places.iter().take(PLACES) {
            let mut name = terminal_bytes(&words_of_place(&seen.place));
            mask::candidates_in_text(self.engine, &mut name);
            let state = match seen.place.state {
                State::HistoryOnly => "in older commits only",
                state => state.word(),
            };
            let since =
                seen.place.first.as_ref().map_or_else(String::new, |first| format!(", since {}", code(&first.id)));
            let by = seen.place.reference.as_ref().filter(|_| seen.place.provenance.part != Part::RefName);
            let by = by.map_or_else(String::new, |name| format!(", by {}", code(&terminal_bytes(name))));
            let _infallible = writeln!(out, "- {} ({state}{since}{by})", code(&name));
        }
        if finding.places.len() > PLACES {
            let _infallible = writeln!(out, "- and {} more", finding.places.len() - PLACES);
        }
        let firsts: BTreeSet<&str> =
            finding.places.iter().filter_map(|seen| Some(&*seen.place.first.as_ref()?.id)).collect();
        if !firsts.is_empty() {
            out.push_str("\nRefs that hold it:\n\n```sh\n");
            for id in firsts.iter().take(PLACES) {
                let _infallible = writeln!(out, "git for-each-ref --contains {id}");
            }
            out.push_str("```\n");
        }
    }

    /// The commands of the rewrite.
    fn commands(&self, out: &mut String) {
        let draft = self.draft;
        let file =
            |name: &str| quoted(&self.folder.canonicalize().unwrap_or_else(|_| self.folder.to_owned()).join(name));
        out.push_str("# A fresh mirror: every ref, and nothing that is only here. Put the address in.\n");
        out.push_str("git clone --mirror URL purged.git && cd purged.git\n");
        out.push_str("git filter-repo --sensitive-data-removal --no-fetch");
        if draft.has(REPLACEMENTS) {
            let name = file(REPLACEMENTS);
            let _infallible = write!(out, " \\\n  --replace-text {name} \\\n  --replace-message {name}");
        }
        if draft.has(BLOBS) {
            let _infallible = write!(out, " \\\n  --strip-blobs-with-ids {}", file(BLOBS));
        }
        if draft.has(PATHS) {
            let _infallible = write!(out, " \\\n  --paths-from-file {}", file(PATHS));
        }
        out.push_str("\ngit reflog expire --expire=now --all && git gc --prune=now\n");
        let (named, bound): (Vec<&str>, Vec<&str>) =
            draft.values.iter().map(|value| &*value.finding.fingerprint).partition(|name| !name.starts_with("v1p:"));
        if !named.is_empty() {
            let _infallible = writeln!(out, "keytrail purge-check \\\n  {}", named.join(" \\\n  "));
        }
        if !bound.is_empty() {
            out.push_str("# For each of the values without a fingerprint of their own: type it, then Ctrl-D.\n");
            out.push_str("keytrail purge-check --secret-stdin\n");
        }
    }

    /// What the rewrite does not do by itself.
    fn remarks(&self, out: &mut String) {
        let draft = self.draft;
        let parts: BTreeSet<Part> = draft
            .values
            .iter()
            .flat_map(|value| &value.finding.places)
            .map(|seen| seen.place.provenance.part)
            .collect();
        let short = draft.values.iter().filter(|value| value.is_short() && !value.finding.secret.is_empty()).count();
        let mut remarks: Vec<String> = Vec::new();
        if draft.has(BLOBS) {
            remarks.push(format!("{} lists files that are removed as a whole in the versions that hold a secret: binary ones, and those in which it is encoded. See that nothing needs them.", code(BLOBS)));
        }
        if short > 0 {
            remarks.push(format!("{} holds values of less than {} bytes. They would be replaced wherever their bytes stand, so they are not in the command: look through it, and add `--replace-text` for those that stand nowhere else, or change the file's versions by hand.", code(SHORT_VALUES), super::SHORT));
        }
        if parts.contains(&Part::CommitIdentity) {
            remarks.push("A secret stands in the author or committer of a commit: `git filter-repo --mailmap FILE` replaces those.".to_owned());
        }
        if parts.contains(&Part::RefName) {
            remarks.push(
                "A secret stands in the name of a ref: delete the ref, or rename it, here and on the host.".to_owned(),
            );
        }
        if draft
            .values
            .iter()
            .flat_map(|value| &value.sighted)
            .any(|one| one.object.is_none() && one.place.provenance.part == Part::Content)
        {
            remarks.push("A secret stands in a Git LFS file: remove its pointer from the history, and have the host delete the object.".to_owned());
        }
        if !remarks.is_empty() {
            out.push('\n');
        }
        for remark in remarks {
            let _infallible = writeln!(out, "- [ ] {remark}");
        }
    }
}

/// The part that is the same for everyone.
/// Source: GitHub, "Removing sensitive data from a repository", read 2026-11; git-filter-repo's manual, "Sensitive data
/// removal", version 2.47.
const AFTERWARDS: &str = "
## 4. Push and clean up

- [ ] Lift the protection of branches for the moment, then `git push --force --mirror origin` from the mirror. Pull request
      refs of a host refuse to be written; that is expected.
- [ ] Tell everyone: clones are made anew and not pulled into. One push from an old clone brings the secret back. Who has
      work to keep rebases it onto the new history, then runs `git reflog expire --expire=now --all && git gc --prune=now`.
- [ ] Forks hold the old history: have each deleted or rewritten too.
- [ ] Ask the host's support to drop cached views, pull request refs and unreachable objects; name the first changed
      commits that git filter-repo printed. Until then old commits can be read by their id.
- [ ] Submodules, tags and documents that name old commit ids need new ones.
- [ ] Delete CI caches, artifacts, logs, packages, container images and releases that were made of old commits.
- [ ] Protect the branches again.

## 5. Prove it

- [ ] In a new clone, and in each old one that is kept: `keytrail purge-check` as above ends with 0.
- [ ] Delete this folder and the mirror.
";

/// A path as a word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", terminal_bytes(path.as_os_str().as_encoded_bytes()).replace('\'', "'\\''"))
}

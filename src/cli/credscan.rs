//! Suppression files of Microsoft's CredScan, which teams that come from it already have.
//!
//! Sources: the examples in azure-sdk's guides to CredScan and the files in dotnet's and Azure's public repositories, read
//! 2026-11: an object with `suppressions`, a list of entries with `placeholder` (a value, or a list of them), `file` (the end of a
//! path, or a list of them, with either slash) and `_justification`. How a `hash` is made is documented in no public
//! place, so such entries are told in a note and suppress nothing.

use serde_json::Value;

use super::config::PathGlob;
use crate::secret::Secret;

/// Where such files are kept in a repository.
pub(crate) const FILE_NAMES: [&str; 2] = [".config/CredScanSuppressions.json", "CredScanSuppressions.json"];

/// Entries that are read.
const MOST: usize = 10_000;

/// What an entry silences: each value or path is an entry of its own.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which value or file.
    pub subject: Subject,
    /// Why, or the file's name where that isn't said.
    pub reason: String,
    /// The file it stands in.
    pub at: String,
}

/// What an entry is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Files whose path ends like that.
    File(PathGlob),
    /// This value, wherever it stands.
    Value(Secret),
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// What can be honoured.
    pub(crate) entries: Vec<Entry>,
    /// What can't.
    pub(crate) notes: Vec<String>,
}

/// Reads a file that the user knows as `name`. It was made for another tool: what is not understood is a note.
pub(crate) fn read(bytes: &[u8], name: &str) -> Found {
    let mut found = Found::default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let Some(listed) = document["suppressions"].as_array() else {
        found.notes.push(format!("{name}: no suppression file of CredScan: nothing in it is heard"));
        return found;
    };
    let mut left_out = 0_usize;
    for entry in listed {
        let reason = entry["_justification"].as_str().map(str::trim).filter(|reason| !reason.is_empty());
        let reason = reason.unwrap_or(name).to_owned();
        let files = texts(&entry["file"]).filter_map(glob).map(Subject::File);
        let values = texts(&entry["placeholder"]).filter(|value| !value.is_empty() && !value.contains('*'));
        let subjects: Vec<Subject> =
            files.chain(values.map(|value| Subject::Value(Secret::new(value.as_bytes())))).collect();
        let asked = ["file", "placeholder"].into_iter().map(|key| texts(&entry[key]).count()).sum::<usize>();
        let strange = entry.as_object().is_none_or(|keys| {
            keys.keys().any(|key| !matches!(key.as_str(), "file" | "placeholder" | "_justification"))
        });
        left_out += asked - subjects.len() + usize::from(strange || asked == 0);
        found.entries.extend(subjects.into_iter().map(|subject| Entry {
            subject,
            reason: reason.clone(),
            at: name.to_owned(),
        }));
    }
    if found.entries.len() > MOST {
        left_out += found.entries.len() - MOST;
        found.entries.truncate(MOST);
    }
    if left_out > 0 {
        found.notes.push(format!(
            "{name}: {left_out} of its suppressions can't be honoured exactly and are not heard (hashes, folders, wildcards)"
        ));
    }
    found
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(list.iter().filter_map(Value::as_str))
}

/// The paths that end like `path`, by whole components.
fn glob(path: &str) -> Option<PathGlob> {
    let path = path.trim().replace('\\', "/");
    let path = path.trim_matches('/');
    if path.is_empty() || path.contains('*') {
        return None;
    }
    let literal: String = path
        .chars()
        .flat_map(|c| if matches!(c, '?' | '[' | ']' | '{' | '}' | '!') { vec!['[', c, ']'] } else { vec![c] })
        .collect();
    PathGlob::new(&format!("**/{literal}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_values_are_read_and_the_rest_is_told() {
        let text = r#"{"tool": "Credential Scanner", "suppressions": [
            {"file": "\\src\\a b.pfx", "_justification": "for tests"},
            {"file": ["/x/one.ps1", "two.ps1"]},
            {"placeholder": ["made-up", "wild*"], "_justification": "fake"},
            {"hash": "abc=", "_justification": "?"},
            {"folder": "src"}
        ]}"#;
        let found = read(text.as_bytes(), "C.json");
        let paths: Vec<_> = found
            .entries
            .iter()
            .filter_map(|entry| match &entry.subject {
                Subject::File(glob) => Some((glob, entry.reason.as_str())),
                Subject::Value(_) => None,
            })
            .collect();
        assert_eq!(paths.len(), 3);
        assert!(paths[0].0.matches(b"src/a b.pfx") && paths[0].0.matches(b"deep/src/a b.pfx"));
        assert!(!paths[0].0.matches(b"othersrc/a b.pfx") && !paths[2].0.matches(b"x/one.ps1"));
        assert_eq!((paths[0].1, paths[1].1, found.entries.len()), ("for tests", "C.json", 4));
        assert_eq!(found.notes.len(), 1);
        assert!(
            found.notes[0].contains("3 of its suppressions") && !found.notes[0].contains("made-up"),
            "{:?}",
            found.notes
        );
    }

    #[test]
    fn what_is_no_such_file_suppresses_nothing() {
        for text in
            ["", "[]", "{}", "null", r#"{"suppressions": 1}"#, r#"{"suppressions": [1, null, "x", {}]}"#, "\u{feff}{"]
        {
            let found = read(text.as_bytes(), "C.json");
            assert_eq!((found.entries.len(), found.notes.len()), (0, 1), "{text}");
        }
    }
}

//! Other scanners' files of ignored findings, as they name them.
//!
//! Formats: those of the tools as their README files document them (from general knowledge of them): gitleaks (`.gitleaksignore`, JSON
//! reports), detect-secrets (`.secrets.baseline`), ripsecrets (`.secretsignore`), betterleaks (value hashes). Those whose
//! names of findings can't be made anew from what is found (kingfisher, ggshield) are refused.

use serde::Deserialize;
use serde_json::Value;

use crate::secret::Secret;

/// What one entry names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// Where it stands, for messages: `.gitleaksignore:3`.
    pub(super) at: String,
    /// Which secret.
    pub(super) what: What,
}

/// Which secret is named.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// What stands there.
    Position {
        /// The commit, in hex, if it is said.
        commit: Option<String>,
        /// Path from the top of the repository.
        file: String,
        /// The other tool's rule.
        rule: String,
        /// 1-based.
        line: u64,
        /// The value, if the file holds it.
        value: Option<Secret>,
    },
    /// Of what is found in a file, the value whose SHA-1 this is, in hex.
    Sha1 {
        /// Path from the top of the repository.
        file: String,
        /// Lower-case hex.
        digest: String,
    },
    /// The value whose SHA-256 this is, in lower-case hex, wherever it is.
    Sha256(String),
    /// This value, wherever it is.
    Value(Secret),
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// What it names.
    pub(super) named: Vec<Named>,
    /// What in it can't be a baseline's.
    pub(super) left_out: Vec<String>,
}

/// A finding in gitleaks' report.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Gitleaks {
    #[serde(rename = "RuleID")]
    rule_id: String,
    start_line: u64,
    file: String,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    secret: String,
}

/// Reads a file that the user knows as `name`.
///
/// # Errors
/// It is none of the formats that can be honoured exactly, and which it is, if we know it.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<Listed, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match text.trim_start().as_bytes().first() {
        None => Err(format!("{name}: it is empty")),
        Some(b'[') if !text.trim_start().starts_with("[secrets]") => gitleaks_report(text, name),
        Some(b'{') => detect_secrets(text, name),
        Some(_) => lines(text, name),
    }
}

/// gitleaks' report.
fn gitleaks_report(text: &str, name: &str) -> Result<Listed, String> {
    let found: Vec<Gitleaks> = serde_json::from_str(text)
        .map_err(|error| format!("{name}: no report of gitleaks in JSON: {}", short(&error)))?;
    let named = found.into_iter().enumerate().map(|(nth, one)| {
        let is_shown = !one.secret.is_empty() && !one.secret.contains("REDACTED") && !one.secret.ends_with("...");
        let what = What::Position {
            commit: (!one.commit.is_empty()).then_some(one.commit),
            file: one.file.replace('\\', "/"),
            rule: one.rule_id,
            line: one.start_line,
            value: is_shown.then(|| Secret::new(one.secret.into_bytes())),
        };
        Named { at: format!("{name}: finding {}", nth + 1), what }
    });
    Ok(Listed { named: named.collect(), left_out: Vec::new() })
}

/// What is wrong with JSON, without the value.
fn short(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => format!("line {} is of another form", error.line()),
        _ => format!("line {} is no JSON", error.line()),
    }
}

/// detect-secrets' baseline.
fn detect_secrets(text: &str, name: &str) -> Result<Listed, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("{name}: {}", short(&error)))?;
    if document["suppressions"].is_array() {
        return Err(format!("{name}: suppressions of CredScan are heard where they stand and need no import"));
    }
    let results = document["results"].as_object().filter(|_| document.get("version").is_some());
    let results =
        results.ok_or_else(|| format!("{name}: no baseline of detect-secrets: it has no `version` and `results`"))?;
    let mut listed = Listed::default();
    for (file, found) in results {
        for (nth, one) in found.as_array().into_iter().flatten().enumerate() {
            let at = format!("{name}: {file}: secret {}", nth + 1);
            let digest = one["hashed_secret"].as_str().unwrap_or_default().to_ascii_lowercase();
            if one["is_secret"] == true {
                listed.left_out.push(format!("{at}: its audit says that it is a real secret"));
            } else if digest.len() == 40 {
                listed.named.push(Named { at, what: What::Sha1 { file: file.replace('\\', "/"), digest } });
            } else {
                listed.left_out.push(format!("{at}: it has no SHA-1 hash"));
            }
        }
    }
    Ok(listed)
}

/// The formats of lines.
fn lines(text: &str, name: &str) -> Result<Listed, String> {
    let begins = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
    if begins("fingerprint_algorithm:") || begins("ExactFindings:") || begins("repositories:") {
        return Err(format!(
            "{name}: fingerprints of kingfisher hold positions in files and can't be made anew: `keytrail baseline create` instead"
        ));
    }
    if begins("ignored_matches:") || begins("ignored-matches:") || begins("matches-ignore:") || begins("secret:") {
        return Err(format!(
            "{name}: ggshield's hashes are of its own list of matches and can't be made anew: `keytrail baseline create` instead"
        ));
    }
    let is_ripsecrets = text.lines().any(|line| line.trim() == "[secrets]");
    let mut listed = Listed::default();
    let mut in_secrets = false;
    for (number, line) in (1..).zip(text.lines()) {
        let (line, at) = (line.trim(), format!("{name}:{number}"));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if is_ripsecrets {
            match line.starts_with('[') && line.ends_with(']') {
                true => in_secrets = line == "[secrets]",
                false if in_secrets => {
                    listed.named.push(Named { at, what: What::Value(Secret::new(line.as_bytes())) });
                }
                false => listed.left_out.push(format!("{at}: a path; put it under `exclude` in .keytrail.toml")),
            }
        } else if line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            listed.named.push(Named { at, what: What::Sha256(line.to_ascii_lowercase()) });
        } else {
            match position(line) {
                Some(what) => listed.named.push(Named { at, what }),
                None => {
                    listed.left_out.push(format!("{at}: neither FILE:RULE:LINE nor COMMIT:FILE:RULE:LINE nor a hash"))
                }
            }
        }
    }
    if listed.named.is_empty() && !is_ripsecrets {
        return Err(format!(
            "{name}: no format that is known: there are .gitleaksignore, gitleaks' JSON, .secrets.baseline, .secretsignore, betterleaks' hashes"
        ));
    }
    Ok(listed)
}

/// gitleaks' `FILE:RULE:LINE` or `COMMIT:FILE:RULE:LINE`. Read from its end, so that a name may hold colons.
fn position(line: &str) -> Option<What> {
    let (rest, number) = line.rsplit_once(':')?;
    let (place, rule) = rest.rsplit_once(':')?;
    let is_commit = |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (commit, file) = match place.split_once(':').filter(|(commit, _)| is_commit(commit)) {
        Some((commit, file)) => (Some(commit.to_owned()), file),
        None => (None, place),
    };
    let line = number.parse().ok()?;
    (!file.is_empty() && !rule.is_empty()).then(|| What::Position {
        commit,
        file: file.replace('\\', "/"),
        rule: rule.to_owned(),
        line,
        value: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_from_their_end() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let read = |line: &str| match position(line)? {
            What::Position { commit, file, rule, line, .. } => Some((commit, file, rule, line)),
            _ => None,
        };
        let at = |commit: Option<&str>, file: &str, line| {
            Some((commit.map(str::to_owned), file.to_owned(), "r-1".to_owned(), line))
        };
        assert_eq!(read("a/b.txt:r-1:7"), at(None, "a/b.txt", 7));
        assert_eq!(read(&format!("{id}:a\\b.txt:r-1:7")), at(Some(id), "a/b.txt", 7));
        assert_eq!(read("a:b:r-1:7"), at(None, "a:b", 7));
        for line in ["a/b.txt:r-1", "a/b.txt:r-1:x", ":r-1:7", "a::7", ""] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn formats_are_told_by_what_is_in_them() {
        let read = |text: &str| read(text.as_bytes(), "f").map(|listed| (listed.named.len(), listed.left_out.len()));
        let hash = "0f".repeat(32);
        for (text, expected) in [
            ("# why\n\na:r:1\nnonsense\n", (1, 1)),
            (hash.as_str(), (1, 0)),
            (r#"[{"RuleID":"r","StartLine":3,"File":"a","Fingerprint":"a:r:3"}]"#, (1, 0)),
            ("[]", (0, 0)),
            ("vendor/\n[secrets]\nvalue-one\n", (1, 1)),
            ("[secrets]\nvalue-one\n", (1, 0)),
            (r#"{"version":"1.5.0","results":{"a":[{"hashed_secret":"x"}]}}"#, (0, 1)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for (text, says) in [
            ("", "empty"),
            ("version: 2\nfingerprint_algorithm: x\n", "kingfisher"),
            ("version: 2\nsecret:\n  ignored_matches:\n", "ggshield"),
            ("what is this\n", "no format"),
            ("{", "line 1"),
            ("[1]", "line 1"),
            ("{\"a\":1}", "detect-secrets"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}

//! Secret scanners already at work: hooks of a repository, steps of a pipeline. The tool's name is all that is kept.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::{Kind, Observation, file_name, folder};

/// Hook and pipeline files.
pub(super) const KIND: Kind = Kind { wants, observe };

/// Scanners by what names them in hooks and pipelines, in lower case.
const TOOLS: [(&str, &str); 22] = [
    ("advancedsecurity-codeql", "advanced-security"),
    ("betterleaks", "betterleaks"),
    ("credscan", "credscan"),
    ("credentialscanner", "credscan"),
    ("detect-aws-credentials", "detect-aws-credentials"),
    ("detect-private-key", "detect-private-key"),
    ("detect-secrets", "detect-secrets"),
    ("ggshield", "ggshield"),
    ("git-secrets", "git-secrets"),
    ("gitguardian", "ggshield"),
    ("gitleaks", "gitleaks"),
    ("keytrail", "keytrail"),
    ("kingfisher", "kingfisher"),
    ("microsoftsecuritydevops", "microsoft-security-devops"),
    ("noseyparker", "noseyparker"),
    ("ripsecrets", "ripsecrets"),
    ("secret-detection.gitlab-ci", "gitlab-secret-detection"),
    ("secretlint", "secretlint"),
    ("security-devops-action", "microsoft-security-devops"),
    ("talisman", "talisman"),
    ("trufflehog", "trufflehog"),
    ("whispers", "whispers"),
];

/// The kind of fact a file gives, by its name. Asked for every path there is.
fn kind(path: &[u8]) -> Option<&'static str> {
    let (name, above) = (file_name(path), folder(path));
    // All folders that count lie in hidden ones, and most paths have none.
    let is_hidden = above.contains(&b'.');
    let is_below = |names: &[&[u8]]| is_hidden && above.split(|&byte| byte == b'/').any(|part| names.contains(&part));
    let yaml = name.strip_suffix(b".yml").or_else(|| name.strip_suffix(b".yaml"));
    let is_hook = matches!(yaml, Some(b".pre-commit-config" | b".pre-commit-hooks" | b"lefthook" | b".lefthook"))
        || name == b".overcommit.yml"
        || is_below(&[b".husky", b".githooks"]);
    let is_pipeline = || match yaml {
        Some(b".gitlab-ci" | b"bitbucket-pipelines" | b".drone" | b"cloudbuild" | b"buildspec") => true,
        Some(stem) => {
            stem.starts_with(b"azure-pipelines")
                || is_below(&[b".azuredevops", b".pipelines", b".circleci"])
                || is_below(&[b".github"]) && is_below(&[b"workflows", b"actions"])
        }
        None => name == b"Jenkinsfile",
    };
    if is_hook { Some("hook") } else { is_pipeline().then_some("scanner-step") }
}

/// By name.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    kind(path).is_some()
}

/// One fact per tool.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let Some(kind) = kind(path) else { return Vec::new() };
    let mut tools: Vec<&str> = Vec::new();
    let mut from = 0;
    // Few lines hold a word: only these are looked at.
    while let Some(found) = words().find(&bytes[from..]) {
        let at = from + found.start();
        let start = memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |before| from + before + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |after| at + after);
        let line = in_force(&bytes[start..end]);
        let found = words().find_overlapping_iter(line).filter(|found| is_word(line, found.start(), found.end()));
        tools.extend(found.map(|found| TOOLS[found.pattern().as_usize()].1));
        tools.sort_unstable();
        tools.dedup();
        from = end;
    }
    tools.into_iter().map(|tool| Observation::new(kind, path, [("tool", tool.to_owned())])).collect()
}

/// The words of [`TOOLS`] as one automaton, in any case.
fn words() -> &'static AhoCorasick {
    static WORDS: OnceLock<AhoCorasick> = OnceLock::new();
    WORDS.get_or_init(|| {
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(TOOLS.map(|(word, _)| word));
        built.expect("a handful of short literals is within every limit")
    })
}

/// The part of a line that no comment sign switches off.
fn in_force(line: &[u8]) -> &[u8] {
    if line.trim_ascii_start().starts_with(b"#") {
        return b"";
    }
    memchr::memmem::find(line, b" #").map_or(line, |end| &line[..end])
}

/// Whether no letter or digit stands on either side of `line[start..end]`.
fn is_word(line: &[u8], start: usize, end: usize) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    is_edge(start.checked_sub(1).and_then(|before| line.get(before))) && is_edge(line.get(end))
}

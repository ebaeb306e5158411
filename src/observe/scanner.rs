//! Secret scanners already at work: hooks of a repository, steps of a pipeline. The tool's name is all that is kept.

use super::{Kind, Observation, file_name, is_below, lines};

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

/// The kind of fact a file gives, by its name.
fn kind(path: &[u8]) -> Option<&'static str> {
    let name = file_name(path);
    let is_yaml = name.ends_with(b".yml") || name.ends_with(b".yaml");
    let stem = name.strip_suffix(b".yaml").or_else(|| name.strip_suffix(b".yml")).unwrap_or(name);
    let is_hook = is_yaml && matches!(stem, b".pre-commit-config" | b".pre-commit-hooks" | b"lefthook" | b".lefthook")
        || is_below(path, b".husky")
        || is_below(path, b".githooks")
        || name == b".overcommit.yml";
    let is_pipeline = is_yaml
        && (is_below(path, b".github") && (is_below(path, b"workflows") || is_below(path, b"actions"))
            || is_below(path, b".azuredevops")
            || is_below(path, b".pipelines")
            || is_below(path, b".circleci")
            || stem.starts_with(b"azure-pipelines")
            || matches!(stem, b".gitlab-ci" | b"bitbucket-pipelines" | b".drone" | b"cloudbuild" | b"buildspec"))
        || name == b"Jenkinsfile";
    if is_hook { Some("hook") } else { is_pipeline.then_some("scanner-step") }
}

/// By name.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    kind(path).is_some()
}

/// One fact per tool.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let Some(kind) = kind(path) else { return Vec::new() };
    let mut tools: Vec<&str> = Vec::new();
    for (_, line) in lines(bytes) {
        // What stands behind a comment sign is switched off.
        let line = line.split(" #").next().unwrap_or_default().to_ascii_lowercase();
        let found = TOOLS.iter().filter(|(word, _)| has_word(&line, word)).map(|(_, tool)| *tool);
        tools.extend(found);
    }
    tools.sort_unstable();
    tools.dedup();
    tools.into_iter().map(|tool| Observation::new(kind, path, [("tool", tool.to_owned())])).collect()
}

/// Whether `line` holds `word` with no letter or digit on either side.
fn has_word(line: &str, word: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let bytes = line.as_bytes();
    let mut at = line.match_indices(word).map(|(at, _)| at);
    at.any(|at| is_edge(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_edge(bytes.get(at + word.len())))
}

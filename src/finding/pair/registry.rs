//! Registries of containers and packages: address, user and password, in Docker's configuration and on its command line.

use super::{Beside, Family, Found, Want, read};
use crate::engine::Match;
use crate::location::Span;

/// How far before a value of Docker's configuration the registry's name is looked for, in bytes.
const BEFORE: usize = 400;

/// How far behind a password on a command line its registry may stand, in bytes.
const BEHIND: usize = 200;

/// The registry, user and password.
pub(super) static REGISTRY: Family = Family {
    id: "registry",
    main: is_login,
    parts: &[],
    wants: &[
        Want {
            names: &[
                "registry",
                "registry_url",
                "registry_server",
                "registry_host",
                "login_server",
                "docker_registry",
                "docker_server",
                "server",
                "serveraddress",
                "host",
                "url",
            ],
            read: read::registry,
        },
        Want { names: &["user", "username", "user_name", "login", "flag_u"], read: read::user },
    ],
    needs: &["host", "user"],
    fits: super::endpoint::is_of_kind,
    own: registry_of,
};

/// A login of a registry: by its rules, or a password whose name speaks of one.
fn is_login(found: &Found<'_>) -> bool {
    let of_registry = |name: &str| {
        name.split('_')
            .any(|word| matches!(word, "docker" | "registry" | "dockerhub" | "acr" | "ghcr" | "nexus" | "artifactory"))
    };
    matches!(found.rule.target.as_ref(), "container-registry" | "package-registry")
        || found.rule.id == "generic-password" && of_registry(found.name)
}

/// What the match's surroundings tell: the name that Docker's configuration keeps a login under, and the last argument
/// of `docker login`.
fn registry_of(text: &[u8], found: &Match) -> Vec<Beside> {
    let whole = found.raw.whole;
    let span = if text[whole.start..].starts_with(b"\"auth\"") {
        key_around(text, whole.start)
    } else {
        is_command(&text[whole.start..whole.end]).then(|| last_argument(text, found)).flatten()
    };
    let Some(span) = span else { return Vec::new() };
    let value = String::from_utf8_lossy(&text[span.start..span.end]);
    read::registry(&value).into_iter().map(|(word, host)| (word, span, host)).collect()
}

/// Whether a match is a command that logs in.
fn is_command(whole: &[u8]) -> bool {
    memchr::memmem::find(&whole[..whole.len().min(60)], b" login ").is_some()
}

/// The name in quotes before the brace that opens around `at`.
fn key_around(text: &[u8], at: usize) -> Option<Span> {
    let floor = at.saturating_sub(BEFORE);
    let mut depth = 0_usize;
    let brace = (floor..at).rev().find(|&at| match text[at] {
        b'}' => {
            depth += 1;
            false
        }
        b'{' if depth == 0 => true,
        b'{' => {
            depth -= 1;
            false
        }
        _ => false,
    })?;
    let before = text[floor..brace].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let start = memchr::memrchr(b'"', before)? + 1;
    Some(Span::new(floor + start, floor + before.len()))
}

/// The last word of the command's line behind the password, if it is no option.
fn last_argument(text: &[u8], found: &Match) -> Option<Span> {
    let from = found.raw.secret.end;
    let rest = &text[from..text.len().min(from + BEHIND)];
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let line = &rest[..rest.iter().position(|byte| b"\r\n;|&<>#\"'`".contains(byte)).unwrap_or(rest.len())];
    let start = from + (text[from..].len().min(BEHIND) - rest.len());
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    let mut last = None;
    while let Some(word) = words.next() {
        if word.starts_with(b"-") {
            // An option with its value.
            words.next_if(|_| !word.contains(&b'='));
        } else {
            last = Some(word);
        }
    }
    let word = last.filter(|word| word.contains(&b'.'))?;
    let at = memchr::memmem::rfind(line, word)?;
    Some(Span::new(start + at, start + at + word.len()))
}

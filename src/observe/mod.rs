//! Facts that are no findings and that later rooms need: collected on the way, part of every report, never
//! holding secrets.
//!
//! In: a path below the scan root and the bytes that stand there. Out: [`Observation`]s. Pure functions, one file per
//! kind, listed in `ALL`. The conductor asks [`wants`] with the first bytes of every content, which costs a look at
//! the path, and hands the content to [`observe`] if the answer is yes; [`fold`] brings the sum into order.

use std::borrow::Cow;

mod authorized_key;
mod file_class;
mod key_container;
mod known_host;
mod scanner;
mod ssh_config;
mod ssh_key;
mod vault;

pub use file_class::{class, environment};

/// One fact. The fields are masked and escaped by reports like anything from scanned data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// Which kind of fact: `machine`, `authorized-key`, `known-host`, `ssh-config`, `public-key`,
    /// `vault-reference`, `hook`, `scanner-step`, `key-container`, `file-class`, `environment`.
    pub kind: Cow<'static, str>,
    /// Path below the scan root it was read from; empty for the root as a whole.
    pub path: Vec<u8>,
    /// Named values, sorted by name.
    pub values: Vec<(Cow<'static, str>, String)>,
}

impl Observation {
    /// A fact about `path`; `values` in any order, empty ones are dropped.
    fn new(kind: &'static str, path: &[u8], values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let values = values.into_iter().filter(|(_, value)| !value.is_empty());
        let mut values: Vec<_> = values.map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        values.sort();
        Self { kind: Cow::Borrowed(kind), path: path.to_vec(), values }
    }
}

/// How one kind of fact is observed.
struct Kind {
    /// Whether the content at this path, beginning with these bytes, may hold such facts. Cheap.
    wants: fn(&[u8], &[u8]) -> bool,
    /// The facts in a content.
    observe: fn(&[u8], &[u8]) -> Vec<Observation>,
}

/// Every kind.
static ALL: &[Kind] = &[
    authorized_key::KIND,
    file_class::KIND,
    key_container::KIND,
    known_host::KIND,
    scanner::KIND,
    ssh_config::KIND,
    ssh_key::KIND,
    vault::KIND,
];

/// Bytes of a content that are looked at.
pub const LIMIT: usize = 1 << 20;

/// First bytes of a content that [`wants`] needs to see, where there are so many.
pub const FIRST: usize = 64;

/// Facts that one kind gives of one content at most: a hostile file is not to fill the report.
const MOST: usize = 10_000;

/// Whether the content at `path` (raw bytes below the scan root), which begins with `first`, may hold facts.
pub fn wants(path: &[u8], first: &[u8]) -> bool {
    let first = &first[..first.len().min(FIRST)];
    ALL.iter().any(|kind| (kind.wants)(path, first))
}

/// The facts in the content `bytes` at `path`; no more than [`LIMIT`] bytes are looked at. For every file for which
/// [`wants`] says no, there are none.
pub fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let bytes = &bytes[..bytes.len().min(LIMIT)];
    let first = &bytes[..bytes.len().min(FIRST)];
    let wanted = ALL.iter().filter(|kind| (kind.wants)(path, first));
    wanted.flat_map(|kind| (kind.observe)(path, bytes).into_iter().take(MOST)).collect()
}

/// Sorts the facts of a scan, drops repeated ones and sums up those that are counted per folder.
pub fn fold(mut facts: Vec<Observation>) -> Vec<Observation> {
    facts = vault::fold(facts);
    facts.sort();
    facts.dedup();
    facts
}

/// The last component of a path.
fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// The path without its last component; empty for the root.
fn folder(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&byte| byte == b'/').map_or(b"", |at| &path[..at])
}

/// The lines of a text, trimmed of spaces, with their 1-based numbers; empty ones and those that begin with `#` left
/// out. Bytes that are no UTF-8 become U+FFFD.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, std::borrow::Cow<'_, str>)> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let lines = lines.map(|(at, line)| (at + 1, String::from_utf8_lossy(line.trim_ascii())));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// `text`, cut to what a value may hold at most.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The account whose home folder a path lies in: `home/NAME/…`, `Users/NAME/…`, `root/…`.
fn account(path: &[u8]) -> String {
    let mut components = path.split(|&byte| byte == b'/');
    let name = match components.next() {
        Some(b"root") => Some(&b"root"[..]),
        Some(b"home" | b"Users") => components.next().filter(|_| components.next().is_some()),
        _ => None,
    };
    name.map(|name| short(&String::from_utf8_lossy(name))).unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! Ways to other machines: SSH client configuration.
//!
//! Kept are the words that name a way; commands (`ProxyCommand`, `LocalCommand`, …) hold what people write there and
//! are not. Format: ssh_config(5), read 2026-11.

use super::{Kind, Observation, account, file_name, folder, lines, short};

/// Client configuration files.
pub(super) const KIND: Kind = Kind { wants, observe };

/// Keywords that are kept, and the name of their value.
const KEYWORDS: [(&str, &str); 6] = [
    ("certificatefile", "certificate-file"),
    ("hostname", "hostname"),
    ("identityfile", "identity-file"),
    ("port", "port"),
    ("proxyjump", "proxy-jump"),
    ("user", "user"),
];

/// By name: `.ssh/config`, `ssh_config`, `*.conf` in `ssh_config.d`.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    let parent = file_name(folder(path));
    match file_name(path) {
        b"config" => parent == b".ssh",
        b"ssh_config" => true,
        name => parent == b"ssh_config.d" && name.ends_with(b".conf"),
    }
}

/// One fact per `Host` block that names a way.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let mut facts = Vec::new();
    let mut block = Block::default();
    for (_, line) in lines(bytes) {
        let Some((keyword, value)) = split(&line) else { continue };
        match keyword.as_str() {
            "host" | "match" => {
                facts.extend(block.fact(path));
                // A `Match` may run a command: only that it is one is kept.
                let host = if keyword == "host" { value } else { "(match)" };
                block = Block { host: short(host), values: Vec::new() };
            }
            _ => {
                let known = KEYWORDS.iter().find(|(known, _)| *known == keyword);
                block.values.extend(known.map(|(_, name)| (*name, value.trim_matches('"').to_owned())));
            }
        }
    }
    facts.extend(block.fact(path));
    facts
}

/// What stands under one `Host` line.
#[derive(Default)]
struct Block {
    /// Its patterns; empty for what stands before the first.
    host: String,
    /// Named values, in their order.
    values: Vec<(&'static str, String)>,
}

impl Block {
    /// The block as a fact, if it says anything.
    fn fact(self, path: &[u8]) -> Option<Observation> {
        if self.values.is_empty() {
            return None;
        }
        let joined = KEYWORDS.iter().map(|(_, name)| {
            let values = self.values.iter().filter(|(named, _)| named == name).map(|(_, value)| value.as_str());
            (*name, short(&values.collect::<Vec<_>>().join(", ")))
        });
        let values = joined.chain([("account", account(path)), ("host", self.host.clone())]);
        Some(Observation::new("ssh-config", path, values))
    }
}

/// Keyword in lower case and value: `Keyword value`, `Keyword=value`.
fn split(line: &str) -> Option<(String, &str)> {
    let end = line.find([' ', '\t', '='])?;
    let value = line[end..].trim_start_matches([' ', '\t']);
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    (!value.is_empty()).then(|| (line[..end].to_ascii_lowercase(), value))
}

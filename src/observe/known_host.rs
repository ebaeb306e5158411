//! Machines that were reached before: `known_hosts`.
//!
//! A hashed name stays a hash: later rooms can hash the names they know. Format: sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT",
//! read 2026-11.

use super::ssh_key::PublicKey;
use super::{Kind, Observation, account, file_name, lines, short};

/// Files of known hosts.
pub(super) const KIND: Kind = Kind { wants, observe };

/// By name.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    [&b"known_hosts"[..], b"ssh_known_hosts"].iter().any(|start| file_name(path).starts_with(start))
}

/// One fact per line.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let hosts = lines(bytes).filter_map(|(_, line)| {
        let (marker, rest) = match line.strip_prefix('@') {
            Some(marked) => marked.split_once([' ', '\t'])?,
            None => ("", &*line),
        };
        let (hosts, key) = rest.trim_start().split_once([' ', '\t'])?;
        let key = PublicKey::parse(key.trim_start())?;
        let name = if hosts.starts_with("|1|") { "host-hash" } else { "host" };
        let marker = ["cert-authority", "revoked"].into_iter().find(|known| *known == marker).unwrap_or_default();
        let values = [
            ("account", account(path)),
            ("algorithm", key.algorithm.to_owned()),
            ("fingerprint", key.fingerprint),
            (name, short(hosts)),
            ("marker", marker.to_owned()),
        ];
        Some(Observation::new("known-host", path, values))
    });
    hosts.collect()
}

//! Keys that may log in: `authorized_keys`.
//!
//! Of the options only the names are kept: `command=` and `environment=` hold what people write there, secrets among
//! it. Format: sshd(8) "AUTHORIZED_KEYS FILE FORMAT", read 2026-11.

use super::ssh_key::{PublicKey, is_algorithm};
use super::{Kind, Observation, account, file_name, folder, lines, short};

/// Files of authorized keys.
pub(super) const KIND: Kind = Kind { wants, observe };

/// Options whose names say what a key may do; others are ignored, for a name could be anything.
const OPTIONS: [&str; 21] = [
    "agent-forwarding",
    "cert-authority",
    "command",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// By name: `authorized_keys`, `authorized_keys2`, or in a folder of such files.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    let is_named = |name: &[u8]| name.starts_with(b"authorized_keys") || name == b"administrators_authorized_keys";
    is_named(file_name(path)) || is_named(file_name(folder(path)))
}

/// One fact per key.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let keys = lines(bytes).filter_map(|(number, line)| {
        let (options, rest) = split_options(&line);
        let key = PublicKey::parse(rest)?;
        let values = [
            ("account", account(path)),
            ("algorithm", key.algorithm.to_owned()),
            ("comment", short(key.comment)),
            ("fingerprint", key.fingerprint),
            ("line", number.to_string()),
            ("options", options),
        ];
        Some(Observation::new("authorized-key", path, values))
    });
    keys.collect()
}

/// The known options' names, joined by commas, and what follows the options.
fn split_options(line: &str) -> (String, &str) {
    if line.split([' ', '\t']).next().is_some_and(is_algorithm) {
        return (String::new(), line);
    }
    let mut quoted = false;
    let mut escaped = false;
    let end = line.find(|c: char| {
        let is_end = !quoted && (c == ' ' || c == '\t');
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        is_end
    });
    let Some(end) = end else { return (String::new(), "") };
    (option_names(&line[..end]), line[end..].trim_start())
}

/// The known names among `options`, in their order, each once.
fn option_names(options: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut rest = options;
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let name = rest[..end].trim();
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix('=') {
            rest = skip_value(value);
        }
        rest = rest.strip_prefix(',').unwrap_or(rest);
        let known = OPTIONS.iter().find(|known| known.eq_ignore_ascii_case(name));
        names.extend(known.filter(|known| !names.contains(known)));
    }
    names.join(",")
}

/// What follows an option's value, quoted or not; begins with a comma or is empty.
fn skip_value(value: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    let end = value.find(|c: char| {
        let is_end = !quoted && c == ',';
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        is_end
    });
    end.map_or("", |end| &value[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_keep_their_names_alone() {
        let cases = [
            ("ssh-ed25519 AAAA c", "", "ssh-ed25519 AAAA c"),
            ("restrict,pty ssh-rsa A", "restrict,pty", "ssh-rsa A"),
            (r#"from="10.0.0.1,x",command="run --password=a,no-pty \"q\" b" ssh-rsa A"#, "from,command", "ssh-rsa A"),
            (r#"environment="TOKEN=a b,restrict",no-pty ssh-rsa A"#, "no-pty", "ssh-rsa A"),
            (r#"No-PTY,hunter2=x,no-pty ssh-rsa A"#, "no-pty", "ssh-rsa A"),
            (r#"command="never closed ssh-rsa A"#, "", ""),
            ("word", "", ""),
        ];
        for (line, options, rest) in cases {
            assert_eq!(split_options(line), (options.to_owned(), rest), "{line}");
        }
    }
}

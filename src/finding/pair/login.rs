//! Logins: host, user and password as settings of their own, or as arguments of a command.

use super::{Beside, Family, Found, Want, read};
use crate::engine::Match;
use crate::location::{Span, line_window};

/// How much of a command's line is read on either side of a match, in bytes.
const LINE: usize = 300;

/// Host, port, database, user and password.
pub(super) static LOGIN: Family = Family {
    id: "login",
    main: is_password,
    parts: &[],
    wants: &[
        Want {
            names: &[
                "host",
                "hostname",
                "host_name",
                "server",
                "server_name",
                "servername",
                "endpoint",
                "address",
                "addr",
                "hostaddr",
                "fqdn",
                "data_source",
                "datasource",
                "url",
                "uri",
                "dsn",
                "jdbc_url",
                "connection",
                "flag_h",
                "flag_s",
                "endpoint_address",
                "reader_endpoint",
                "writer_endpoint",
            ],
            read: read::host,
        },
        Want {
            names: &[
                "user",
                "username",
                "user_name",
                "user_id",
                "userid",
                "uid",
                "login",
                "login_name",
                "usr",
                "account_name",
                "flag_u",
                "role_name",
            ],
            read: read::user,
        },
        Want {
            names: &[
                "database",
                "database_name",
                "db_name",
                "dbname",
                "db",
                "initial_catalog",
                "catalog",
                "vhost",
                "flag_d",
            ],
            read: read::database,
        },
        Want { names: &["port", "port_number"], read: read::port },
    ],
    needs: &["host", "user"],
    fits: super::endpoint::is_of_kind,
    own: on_command_line,
};

/// A password of a login: by its type. What a rule of a service's own knows better is left to it.
fn is_password(found: &Found<'_>) -> bool {
    let rule = found.rule;
    rule.types.iter().any(|kind| matches!(kind.as_ref(), "general_password" | "user_login_credentials"))
        && !matches!(rule.family.as_ref(), "connection_string" | "sas_token")
        && !matches!(rule.target.as_ref(), "container-registry" | "package-registry")
}

/// Where a command on the match's line goes: `sshpass … ssh user@host`, `curl … https://host`.
fn on_command_line(text: &[u8], found: &Match) -> Vec<Beside> {
    let whole = found.raw.whole;
    let command = &text[whole.start..whole.end];
    let line = line_window(text, whole, LINE);
    let (from, mark): (usize, &[u8]) = match command {
        [b's', b's', b'h', b'p', b'a', b's', b's', ..] => (whole.end, b"@"),
        [b'c', b'u', b'r', b'l', b' ', ..] => (line.start, b"://"),
        _ => return Vec::new(),
    };
    let rest = &text[from..line.end];
    let Some(at) = memchr::memmem::find(rest, mark).map(|at| from + at) else { return Vec::new() };
    let is_in_word = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`;|&<>()".contains(byte);
    let start = at - text[line.start..at].iter().rev().take_while(is_in_word).count();
    let end = at + text[at..line.end].iter().take_while(is_in_word).count();
    let word = String::from_utf8_lossy(&text[start..end]).into_owned();
    let (user, host) = word.rsplit_once('@').filter(|_| mark == b"@").unwrap_or(("", &word));
    let host = host.split_once(':').filter(|_| mark == b"@").map_or(host, |(host, _)| host);
    let given = read::user(user).into_iter().chain(read::host(host)).filter(|(word, _)| *word != "scheme");
    given.map(|(word, value)| (word, Span::new(start, end), value)).collect()
}

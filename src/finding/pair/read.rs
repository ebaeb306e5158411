//! Values of settings: what is a host, a user, an id. Slots that something fills in, switches and prose are none.

use super::Given;
use crate::engine::structure::{credentials, query};

/// Longest host name, in bytes (RFC 1035 section 2.3.4).
const LONGEST_HOST: usize = 253;

/// Longest name of a user, a database and the like, in bytes.
const LONGEST_NAME: usize = 128;

/// Whether this is a value at all.
fn is_said(value: &str) -> bool {
    const NOTHING: [&str; 12] =
        ["true", "false", "null", "none", "nil", "undefined", "yes", "no", "on", "off", "str", "string"];
    !value.is_empty()
        && !credentials::is_template(value)
        && !NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word))
        && !value.contains("${")
        && !value.contains("{{")
        && !value.starts_with(['$', '%', '<'])
}

/// A host, or the host of a URL with its scheme, port and first path component as database.
pub(super) fn host(value: &str) -> Given {
    if !is_said(value) {
        return Vec::new();
    }
    let mut given = Vec::new();
    let url = value.strip_prefix("jdbc:").unwrap_or(value);
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme.rsplit(':').next().unwrap_or_default(), rest),
        None => ("", url.strip_prefix("tcp:").unwrap_or(url)),
    };
    let end = rest.find(['/', '?', '#', ';', ',', '\\']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next().unwrap_or_default();
    let host = query::without_port(authority);
    if !is_host(host, !scheme.is_empty()) {
        return Vec::new();
    }
    given.push(("host", host.to_ascii_lowercase()));
    let is_service = !["", "http", "https", "tcp", "ssl"].contains(&scheme)
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+');
    if is_service && scheme.len() <= 20 {
        given.push(("scheme", scheme.to_ascii_lowercase()));
    }
    let behind =
        authority.get(host.len() + 1..).or_else(|| rest.get(end + 1..).filter(|_| rest[end..].starts_with(',')));
    given.extend(
        behind.into_iter().flat_map(|text| port(text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default())),
    );
    if is_service && let Some(path) = rest[end..].strip_prefix('/') {
        given.extend(database(path.split(['/', '?', '#', ';']).next().unwrap_or_default()));
    }
    given
}

/// Whether `text` is the name or number of a host. Without a scheme before it, words of other kinds look alike: one
/// label says too little unless it could be a machine's name in a composition of containers.
fn is_host(text: &str, after_scheme: bool) -> bool {
    let plain = !text.is_empty()
        && text.len() <= LONGEST_HOST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    let numbers = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_address = numbers && text.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 4;
    let is_name = !numbers && !text.contains("..");
    let is_six = text.starts_with('[') && text.ends_with(']') && text.contains(':') && text.len() <= 48;
    let is_code =
        text.split('.').any(|part| matches!(part, "env" | "environ" | "config" | "settings" | "self" | "this"));
    (plain && (is_address || is_name) || is_six) && (after_scheme || !is_code)
}

/// A registry: as a host, but Docker Hub is also called by other names.
pub(super) fn registry(value: &str) -> Given {
    host(value).into_iter().filter(|(word, _)| *word == "host").collect()
}

/// A user's name.
pub(super) fn user(value: &str) -> Given {
    let fits = is_said(value)
        && value.len() <= LONGEST_NAME
        && !value.contains("://")
        && value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`(){}[],;$<>=".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let user = credentials::public_user(value, "-").filter(|_| fits && !value.contains("env."));
    user.map(|user| ("user", user.to_owned())).into_iter().collect()
}

/// Whether `value` is a plain name.
fn is_name(value: &str) -> bool {
    is_said(value)
        && value.len() <= LONGEST_NAME
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A database's name.
pub(super) fn database(value: &str) -> Given {
    let found = Some(value).filter(|value| is_name(value) && value.bytes().any(|byte| byte.is_ascii_alphabetic()));
    found.map(|name| ("database", name.to_owned())).into_iter().collect()
}

/// A port.
pub(super) fn port(value: &str) -> Given {
    let port = value.parse::<u16>().ok().filter(|port| *port > 0);
    port.map(|port| ("port", port.to_string())).into_iter().collect()
}

/// A region's name: `eu-west-1`, `westeurope`.
pub(super) fn region(value: &str) -> Given {
    let fits = is_name(value) && value.len() <= 30 && value.bytes().any(|byte| byte.is_ascii_lowercase());
    Some(value).filter(|_| fits).map(|name| ("region", name.to_owned())).into_iter().collect()
}

/// Whether `value` is a UUID other than the one of zeros.
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && value.bytes().any(|byte| byte != b'0' && byte != b'-')
}

/// A tenant of Entra: its id, its first domain, or a URL of its authority.
pub(super) fn tenant(value: &str) -> Given {
    let value = value.strip_prefix("https://").map_or(value, |url| {
        let mut parts = url.split('/');
        let is_authority = parts.next().is_some_and(|host| host.starts_with("login.") || host == "sts.windows.net");
        parts.next().filter(|_| is_authority).unwrap_or_default()
    });
    let lower = value.to_ascii_lowercase();
    let fits = is_uuid(value)
        || is_name(value) && (lower.ends_with(".onmicrosoft.com") || value.contains('.') && is_host(value, false));
    Some(lower).filter(|_| fits).map(|tenant| ("tenant", tenant)).into_iter().collect()
}

/// The id of an application of Entra.
pub(super) fn application(value: &str) -> Given {
    let found = Some(value).filter(|value| is_uuid(value));
    found.map(|id| ("client_id", id.to_ascii_lowercase())).into_iter().collect()
}

/// The id of a subscription.
pub(super) fn subscription(value: &str) -> Given {
    let found = Some(value).filter(|value| is_uuid(value));
    found.map(|id| ("subscription", id.to_ascii_lowercase())).into_iter().collect()
}

/// The id of an OAuth client.
pub(super) fn client(value: &str) -> Given {
    let fits = is_said(value)
        && (4..=LONGEST_NAME).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte));
    Some(value).filter(|_| fits).map(|id| ("client_id", id.to_owned())).into_iter().collect()
}

/// The name of a storage account, or a URL of one of its services.
pub(super) fn storage_account(value: &str) -> Given {
    let is_account =
        (3..=24).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if is_account && is_said(value) {
        return vec![("account", value.to_owned())];
    }
    azure_host(value)
}

/// A host, or a URL of one, of a service of Azure.
pub(super) fn azure_host(value: &str) -> Given {
    let given: Given = host(value).into_iter().filter(|(word, _)| *word == "host").collect();
    let is_azure = |host: &str| crate::platform::endpoint::endpoint(host).is_some_and(|found| found.cloud == "azure");
    given.into_iter().filter(|(_, host)| is_azure(host)).collect()
}

/// The name of a bucket or container.
pub(super) fn bucket(value: &str) -> Given {
    let name = value.strip_prefix("s3://").unwrap_or(value).trim_end_matches('/');
    let fits = is_name(name) && (3..=63).contains(&name.len()) && name.bytes().all(|byte| !byte.is_ascii_uppercase());
    Some(name).filter(|_| fits).map(|name| ("bucket", name.to_owned())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_what_their_urls_tell() {
        for (value, expected) in [
            ("Srv.Database.windows.net", "host=srv.database.windows.net"),
            ("tcp:srv.example,1433", "host=srv.example port=1433"),
            ("db:5432", "host=db port=5432"),
            ("10.0.0.4", "host=10.0.0.4"),
            ("[::1]:5432", "host=[::1] port=5432"),
            ("https://a.example/x", "host=a.example"),
            ("jdbc:postgresql://a.example:5432/shop?x=1", "host=a.example scheme=postgresql port=5432 database=shop"),
            ("jdbc:sqlserver://a.example:1433;database=x", "host=a.example scheme=sqlserver port=1433"),
            ("mongodb+srv://u:p@a.example/shop", "host=a.example scheme=mongodb+srv database=shop"),
            ("srv\\SQLEXPRESS", "host=srv"),
            ("${DB_HOST}", ""),
            ("<host>", ""),
            ("$HOST", ""),
            ("true", ""),
            ("12345", ""),
            ("1.2.3", ""),
            ("process.env.HOST", ""),
            ("", ""),
            ("a b", ""),
        ] {
            let given: Vec<String> = host(value).iter().map(|(word, text)| format!("{word}={text}")).collect();
            assert_eq!(given.join(" "), expected, "{value}");
        }
    }

    #[test]
    fn other_values() {
        let id = "0f3c2b1a-1111-4222-8333-444455556666";
        for (read, value, expected) in [
            (user as fn(&str) -> Given, "app", true),
            (user, "CONTOSO\\svc", true),
            (user, "app@srv", true),
            (user, "${USER}", false),
            (user, "get_user()", false),
            (user, "true", false),
            (user, "5", false),
            (database, "shop", true),
            (database, "a b", false),
            (port, "5432", true),
            (port, "0", false),
            (port, "70000", false),
            (tenant, id, true),
            (tenant, "contoso.onmicrosoft.com", true),
            (tenant, "common", false),
            (application, id, true),
            (application, "00000000-0000-0000-0000-000000000000", false),
            (application, "app", false),
            (storage_account, "contosodata", true),
            (storage_account, "https://contosodata.blob.core.windows.net/", true),
            (storage_account, "https://example.com/", false),
            (storage_account, "Contoso", false),
            (bucket, "s3://my-bucket/", true),
            (bucket, "My Bucket", false),
            (client, "my-client", true),
            (client, "${ID}", false),
            (region, "eu-west-1", true),
        ] {
            assert_eq!(!read(value).is_empty(), expected, "{value}");
        }
        assert_eq!(tenant(&format!("https://login.microsoftonline.com/{id}/v2.0")), vec![("tenant", id.to_owned())]);
        assert_eq!(tenant(&format!("https://example.com/{id}")), Vec::new());
    }
}

//! Query strings of signed URLs, as they stand in URLs, connection strings, HTML and JSON.

use percent_encoding::percent_decode_str;

/// The names and values of one query string, percent-decoded, and the host before it.
#[derive(Debug)]
pub(super) struct Query {
    /// In the order they stand in.
    pairs: Vec<(String, String)>,
    /// Host of the URL, lower case, without user and port.
    pub(super) host: Option<String>,
}

impl Query {
    /// Reads the query in `text` that holds a parameter named `marker`: the one with the signature. Text around it
    /// (quotes, the rest of a connection string) is left out. `None` where there is no such parameter.
    pub(super) fn with(text: &[u8], marker: &str) -> Option<Self> {
        // `&` as HTML and JSON write it.
        let text = String::from_utf8_lossy(text).replace("&amp;", "&").replace("\\u0026", "&");
        let outside = |c: char| c.is_whitespace() || c.is_control() || "\"'<>`;{}\\".contains(c);
        text.split(outside).find_map(|piece| {
            let (before, query) = match piece.split_once('?') {
                Some(halves) => halves,
                None => ("", piece),
            };
            let pairs: Vec<_> = query.split('&').filter_map(pair).collect();
            pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case(marker)).then(|| {
                // In a connection string the endpoint stands in front, in a pair of its own.
                let url = if before.contains("://") { before } else { &text };
                Self { pairs, host: host_and_path(url).0 }
            })
        })
    }

    /// The first value of `name`, compared without case; `None` where it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// One `name=value`, decoded. Connection strings put `SharedAccessSignature=` before the first name.
fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = match value.split_once('=') {
        Some(inner) if name.to_ascii_lowercase().ends_with("sharedaccesssignature") => inner,
        _ => (name, value),
    };
    Some((name.to_owned(), decoded(value)))
}

/// Percent-decoded, and once more where it was encoded twice (a URL as a parameter of a URL).
fn decoded(value: &str) -> String {
    let once = percent_decode_str(value).decode_utf8_lossy();
    percent_decode_str(&once).decode_utf8_lossy().into_owned()
}

/// Host, lower case, without user and port, and path of the first URL in `text`.
pub(super) fn host_and_path(text: &str) -> (Option<String>, String) {
    let Some((_, rest)) = text.split_once("://") else { return (None, String::new()) };
    let end = rest.find(|c: char| "/?#;,\"'<>\\".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = without_port(host_port).to_ascii_lowercase();
    let path_end = behind.find(|c: char| "?#;,\"'<>\\".contains(c) || c.is_whitespace()).unwrap_or(behind.len());
    ((!host.is_empty()).then_some(host), behind[..path_end].to_owned())
}

/// `host` without `:port`; IPv6 addresses keep their brackets.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_found_in_what_surrounds_them() {
        for text in [
            "https://ACCT.blob.example/c/b?sv=2024-11-04&sp=r%2Bw&sig=a%2Fb%3D",
            "sv=2024-11-04&sp=r+w&sig=a/b=",
            "?sv=2024-11-04&amp;sp=r%252Bw&amp;sig=a/b=",
            "url = \"https://u:p@acct.blob.example:443/c/b?sv=2024-11-04\\u0026sp=r%2bw\\u0026sig=a%2fb%3d\";",
            "BlobEndpoint=https://acct.blob.example/;SharedAccessSignature=sv=2024-11-04&sp=r%2Bw&sig=a%2Fb%3D;x=1",
        ] {
            let query = Query::with(text.as_bytes(), "sig").expect(text);
            assert_eq!(query.get("SV"), Some("2024-11-04"), "{text}");
            assert_eq!(query.get("sp"), Some("r+w"), "{text}");
            assert_eq!(query.get("sig"), Some("a/b="), "{text}");
            assert_eq!(query.get("none"), None);
            assert_eq!(query.host.as_deref(), text.contains("://").then_some("acct.blob.example"), "{text}");
        }
        assert!(Query::with(b"https://acct.blob.example/?sv=1", "sig").is_none());
        assert!(Query::with(b"", "sig").is_none());
    }

    #[test]
    fn hosts() {
        for (text, host, path) in [
            ("https://a.example", Some("a.example"), ""),
            ("sb://A.example:5671/q?x", Some("a.example"), "/q"),
            ("postgres://u:p@[::1]:5432/db", Some("[::1]"), "/db"),
            ("https:///x", None, "/x"),
            ("a.example/x", None, ""),
        ] {
            assert_eq!(host_and_path(text), (host.map(str::to_owned), path.to_owned()), "{text}");
        }
        assert_eq!(without_port("fe80::1"), "fe80::1");
        assert_eq!(without_port("tcp"), "tcp");
    }
}

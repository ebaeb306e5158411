//! User and password in a URL.

use percent_encoding::percent_decode_str;

use super::credentials::{is_placeholder, public_user};
use super::fact::{note, withhold};
use super::query::without_port;
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `url-credentials`: `scheme://user:password@host` with a password and a host that aren't placeholders.
///
/// Source: RFC 3986 section 3.2.
pub(super) struct UrlCredentials;

impl StructureCheck for UrlCredentials {
    fn id(&self) -> &'static str {
        "url-credentials"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let text = String::from_utf8_lossy(token.whole);
        let Some((_, rest)) = text.split_once("://") else {
            return Verdict::Fails("no scheme");
        };
        // A raw `/`, `#` or quote in a password isn't legal but met: where no `@` comes before it, one behind it counts.
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(rest.len());
        let authority_end = rest[..end].find(['/', '?', '#']).unwrap_or(end);
        let at = rest[..authority_end].rfind('@').or_else(|| rest[..end].rfind('@')).or_else(|| rest.find('@'));
        let Some((user_part, behind)) = at.map(|at| (&rest[..at], &rest[at + 1..])) else {
            return Verdict::Fails("no user");
        };
        let Some((user, password)) = user_part.split_once(':').filter(|(_, password)| !password.is_empty()) else {
            return Verdict::Fails("no password");
        };
        if is_port_with_properties(password) {
            return Verdict::Fails("a host, a port and properties, no user and password");
        }
        let [user, password] = [user, password].map(|part| percent_decode_str(part).decode_utf8_lossy());
        if is_placeholder(&user, &password) {
            return Verdict::Fails("user and password are placeholders");
        }
        let host_end = behind.find(|c: char| c.is_whitespace() || "/?#,;\\\"'`<>)}".contains(c));
        let host = without_port(&behind[..host_end.unwrap_or(behind.len())]).to_ascii_lowercase();
        if host.is_empty() {
            return Verdict::Fails("no host");
        }
        let mut facts = Facts::default();
        note(&mut facts, "resource", host);
        note(&mut facts, "user", public_user(&user, &password).unwrap_or_default());
        withhold(&mut facts, password.as_bytes());
        withhold(&mut facts, token.secret);
        Verdict::Holds(facts)
    }
}

/// `1433;database=shop;user=app`: what stands behind `host:` where properties follow the port, as JDBC writes them.
fn is_port_with_properties(text: &str) -> bool {
    text.split_once(';').is_some_and(|(port, properties)| {
        (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()) && properties.contains('=')
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 2).expect(template)).expect("ASCII")
    }

    #[test]
    fn urls() {
        let url = |credentials: &str| format!("postgres://{credentials}@db.example:5432/app");
        table(
            &UrlCredentials,
            &[
                ("whole", made("postgres://app:<<alnum:12>>@db.example:5432/app"), Is::Held),
                ("no user", made("redis://:<<alnum:12>>@cache.example:6379/0"), Is::Held),
                ("a quote in the password", made("amqp://app:<<alnum:6>>'<<alnum:6>>@mq.example/"), Is::Held),
                ("in angle brackets of Markdown", made("<https://app:<<alnum:12>>@git.example>"), Is::Held),
                ("a slash in the password", made("amqp://app:<<alnum:6>>/<<alnum:6>>@mq.example/"), Is::Held),
                ("a weak but real account", url("postgres:password"), Is::Held),
                ("placeholder", url("user:password"), Is::Failed),
                ("another placeholder", url("username:password"), Is::Failed),
                ("in angle brackets", url("<user>:<password>"), Is::Failed),
                ("a variable", url("app:${DB_PASSWORD}"), Is::Failed),
                ("a percent-encoded slot", url("app:%3Cpassword%3E"), Is::Failed),
                ("a port and properties", "sqlserver://db.example:1433;database=a;user=app@x;b=c".into(), Is::Failed),
                ("no password", url("app"), Is::Failed),
                ("an empty one", url("app:"), Is::Failed),
                ("no host", made("postgres://app:<<alnum:12>>@/app"), Is::Failed),
                ("truncated", made("postgres://app:<<alnum:12>>"), Is::Failed),
                ("no scheme", made("app:<<alnum:12>>@db.example"), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn host_and_account_are_told_and_no_secret() {
        let password = made("<<alnum:14>>");
        let read =
            facts(on(&UrlCredentials, format!("mongodb+srv://app%40corp:{password}@Cluster0.example,b.example/x")));
        assert_eq!(read.named["resource"], "cluster0.example");
        assert_eq!(read.named["user"], "app@corp");
        let read = facts(on(&UrlCredentials, made("postgres://app:<<alnum:12>>@[2001:db8::1]:5432/x")));
        assert_eq!(read.named["resource"], "[2001:db8::1]");
        for text in [
            format!("https://{password}9aaaaa:x-oauth-basic@git.example/r"),
            format!("https://{password}:{password}@{password}.example/"),
        ] {
            let told = format!("{:?}", facts(on(&UrlCredentials, text)));
            assert!(!told.contains(&password), "{told}");
        }
    }
}

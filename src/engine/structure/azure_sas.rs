//! Azure storage's shared access signatures: what they open, for whom and until when.

use super::fact::{iso_time, note, withhold};
use super::query::Query;
use super::{StructureCheck, Token, Verdict, b64};
use crate::finding::Facts;

/// `azure-sas`: the signature is 32 bytes, the version is a date, and an expiry or a stored policy says when it ends.
///
/// Source: <https://learn.microsoft.com/rest/api/storageservices/create-account-sas>, `…/create-service-sas` and
/// `…/create-user-delegation-sas`.
pub(super) struct AzureSas;

impl StructureCheck for AzureSas {
    fn id(&self) -> &'static str {
        "azure-sas"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let Some(query) = Query::with(token.whole, "sig").or_else(|| Query::with(token.secret, "sig")) else {
            return Verdict::Fails("no signature parameter");
        };
        let signature = query.get("sig").unwrap_or_default();
        if b64::standard(signature.as_bytes()).is_none_or(|bytes| bytes.len() != 32) {
            return Verdict::Fails("signature is not 32 bytes of base64");
        }
        if query.get("sv").is_some_and(|version| version.len() != 10 || iso_time(version).is_none()) {
            return Verdict::Fails("version is not a date");
        }
        let expires = match query.get("se").map(iso_time) {
            Some(None) => return Verdict::Fails("expiry is not a time"),
            Some(time) => time,
            None if query.get("si").is_some() => None,
            None => return Verdict::Fails("neither an expiry nor a stored policy"),
        };
        let mut facts = Facts { expires, ..Facts::default() };
        for (name, parameter) in [
            ("version", "sv"),
            ("starts", "st"),
            ("permissions", "sp"),
            ("policy", "si"),
            ("addresses", "sip"),
            ("tenant", "sktid"),
            ("delegated-by", "skoid"),
        ] {
            note(&mut facts, name, query.get(parameter).unwrap_or_default());
        }
        note(&mut facts, "scope", scope(&query));
        note_host(&mut facts, query.host.as_deref());
        withhold(&mut facts, signature.as_bytes());
        Verdict::Holds(facts)
    }
}

/// What it opens, in words where the letters are known.
fn scope(query: &Query) -> String {
    if let (Some(services), Some(types)) = (query.get("ss"), query.get("srt")) {
        return format!("account, services {services}, types {types}");
    }
    match query.get("sr") {
        Some("b") => "blob",
        Some("bv") => "blob version",
        Some("bs") => "blob snapshot",
        Some("c") => "container",
        Some("d") => "directory",
        Some("f") => "file",
        Some("s") => "share",
        Some(other) => other,
        None if query.get("tn").is_some() => "table",
        None => "",
    }
    .to_owned()
}

/// Notes the host as resource, and account and service where its name tells them: `acct.blob.core.windows.net`.
fn note_host(facts: &mut Facts, host: Option<&str>) {
    let Some(host) = host else { return };
    note(facts, "resource", host);
    let mut labels = host.split('.');
    if let (Some(account), Some(service @ ("blob" | "file" | "queue" | "table" | "dfs" | "web"))) =
        (labels.next(), labels.next())
    {
        note(facts, "account", account);
        note(facts, "service", service);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 9).expect(template)).expect("ASCII")
    }

    const SERVICE: &str = "https://acct.blob.core.windows.net/c/f.txt?sp=racwd&st=2026-01-01T00:00:00Z&\
        se=2026-01-02T00:00:00Z&spr=https&sv=2024-11-04&sr=c&sig=<<bytes64pct:32>>";
    const ACCOUNT: &str = "?sv=2024-11-04&ss=bfqt&srt=sco&sp=rwdlacup&se=2026-01-02&sig=<<bytes64:32>>";

    #[test]
    fn signatures() {
        table(
            &AzureSas,
            &[
                ("service", made(SERVICE), Is::Held),
                ("account, no URL", made(ACCOUNT), Is::Held),
                ("stored policy", made("sv=2024-11-04&sr=c&si=readers&sig=<<bytes64pct:32>>"), Is::Held),
                ("no expiry", made("sv=2024-11-04&sr=c&sp=r&sig=<<bytes64pct:32>>"), Is::Failed),
                ("expiry corrupted", made(ACCOUNT).replace("2026-01-02", "2026-31-02"), Is::Failed),
                ("version corrupted", made(ACCOUNT).replace("2024-11-04", "20241104"), Is::Failed),
                (
                    "signature truncated",
                    made(ACCOUNT).trim_end_matches('=')[..made(ACCOUNT).len() - 4].to_owned(),
                    Is::Failed,
                ),
                ("signature too long", made("se=2026-01-02&sv=2024-11-04&sig=<<bytes64pct:33>>"), Is::Failed),
                ("signature left out", "sv=2024-11-04&se=2026-01-02&sig=REDACTED".to_owned(), Is::Failed),
                ("no signature", "sv=2024-11-04&se=2026-01-02".to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn facts_of_a_service_signature() {
        let url = made(SERVICE);
        let secret = url.split("sig=").nth(1).expect("a signature");
        let verdict = AzureSas.check(Token { secret: secret.as_bytes(), whole: url.as_bytes() });
        let read = facts(verdict);
        assert_eq!(read.expires, Some(1_767_312_000));
        let named: Vec<_> = read.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            named,
            [
                "account=acct",
                "permissions=racwd",
                "resource=acct.blob.core.windows.net",
                "scope=container",
                "service=blob",
                "starts=2026-01-01T00:00:00Z",
                "version=2024-11-04",
            ]
        );
    }

    #[test]
    fn facts_of_an_account_signature() {
        let read = facts(on(&AzureSas, made(ACCOUNT)));
        assert_eq!(read.named["scope"], "account, services bfqt, types sco");
        assert!(!read.named.contains_key("resource"));
    }
}

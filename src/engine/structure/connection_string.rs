//! Connection strings of databases and cloud services: ADO.NET, ODBC, JDBC, libpq, Azure.

use super::credentials::{is_placeholder, public_user};
use super::fact::{note, withhold};
use super::query::{host_and_path, without_port};
use super::{StructureCheck, Token, Verdict};
use crate::finding::Facts;

/// `connection-string`: has a password or key that isn't a placeholder, and says where it leads. Strings that log in as
/// whoever runs the program hold no secret.
///
/// Source: <https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax>,
/// <https://learn.microsoft.com/sql/connect/jdbc/building-the-connection-url>,
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>,
/// <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>.
pub(super) struct ConnectionString;

/// Most pairs of one string that are read; drivers know some fifty names.
const MOST_PAIRS: usize = 200;

/// Names of what it leads to; like all names here in lower case, without blanks, `_` and `-`.
const SERVER: &[&str] = &[
    "server",
    "datasource",
    "address",
    "addr",
    "networkaddress",
    "host",
    "hostname",
    "hostaddr",
    "endpoint",
    "accountendpoint",
    "blobendpoint",
    "servername",
];
/// Names of the database.
const DATABASE: &[&str] = &["database", "initialcatalog", "databasename", "dbname", "db", "sid", "servicename"];
/// Names of the account.
const USER: &[&str] = &["userid", "uid", "user", "username", "accountname", "login"];
/// Names of what is secret.
const PASSWORD: &[&str] = &[
    "password",
    "pwd",
    "pass",
    "accountkey",
    "sharedaccesskey",
    "sharedaccesssignature",
    "accesskey",
    "sharedsecretvalue",
];

impl StructureCheck for ConnectionString {
    fn id(&self) -> &'static str {
        "connection-string"
    }

    fn check(&self, token: Token<'_>) -> Verdict {
        let whole = String::from_utf8_lossy(token.whole);
        let fields = Fields::read(&whole);
        let found = fields.get(PASSWORD).map(str::to_owned);
        // The rule may know a name for the password that we don't.
        let secret = Some(token.secret).filter(|secret| secret.len() < token.whole.len() && !secret.is_empty());
        let password = found.clone().or_else(|| secret.map(|secret| String::from_utf8_lossy(secret).into_owned()));
        let Some(password) = password.filter(|password| !password.is_empty()) else {
            return Verdict::Fails(match fields.logs_in_as_caller() {
                true => "no password: it logs in as whoever runs it",
                false => "no password",
            });
        };
        let user = fields.get(USER).unwrap_or_default();
        if is_placeholder(user, &password) {
            return Verdict::Fails("password is a placeholder");
        }
        let mut facts = Facts::default();
        note(&mut facts, "resource", fields.resource().unwrap_or_default());
        note(&mut facts, "database", fields.get(DATABASE).unwrap_or_default());
        note(&mut facts, "user", public_user(user, &password).unwrap_or_default());
        note(&mut facts, "policy", fields.get(&["sharedaccesskeyname"]).unwrap_or_default());
        withhold(&mut facts, password.as_bytes());
        withhold(&mut facts, token.secret);
        match found.is_some() && facts.named.contains_key("resource") {
            true => Verdict::Holds(facts),
            false => Verdict::Unknown(facts),
        }
    }
}

/// The pairs of a connection string.
#[derive(Debug, Default)]
struct Fields {
    /// Names in lower case without blanks, `_` and `-`; in the order they stand in.
    pairs: Vec<(String, String)>,
}

impl Fields {
    /// Reads `text`, whatever kind of string it is.
    fn read(text: &str) -> Self {
        let mut fields = Self::default();
        let mut rest = text;
        if let Some((_, url)) = text.split_once("jdbc:") {
            rest = fields.jdbc(url);
        }
        // libpq puts blanks between its pairs, JDBC after a question mark `&`, all others semicolons.
        let separators: &[char] = match rest {
            _ if rest.contains(';') => &[';'],
            _ if rest.contains('&') => &['&', '?'],
            _ if rest.matches('=').count() > 1 => &[' ', '\n', '\t', ','],
            _ => &[';'],
        };
        for _ in 0..MOST_PAIRS {
            rest = fields.pair(rest, separators);
        }
        fields
    }

    /// Notes what stands in a JDBC URL before its parameters; gives the parameters.
    fn jdbc<'a>(&mut self, url: &'a str) -> &'a str {
        let end = url.find(['?', ';']).unwrap_or(url.len());
        let (head, parameters) = url.split_at(end);
        if let (Some(host), path) = host_and_path(head) {
            self.note("server", &host);
            self.note("database", path.trim_start_matches('/'));
        } else if let Some((_, thin)) = head.split_once("oracle:thin:") {
            // user/password@host:port:sid or …@//host:port/service, the latter read above but for its user.
            if let Some((_, place)) = thin.split_once('@') {
                let mut parts = place.split([':', '/']);
                self.note("server", parts.next().unwrap_or_default());
                self.note("sid", parts.nth(1).unwrap_or_default());
            }
        }
        if let Some((_, thin)) = head.split_once("oracle:thin:")
            && let Some((user, password)) = thin.split_once('@').and_then(|(login, _)| login.split_once('/'))
        {
            self.note("user", user);
            self.note("password", password);
        }
        parameters.trim_start_matches(['?', ';'])
    }

    /// Reads one pair from the start of `text`; gives what is behind it, which is shorter.
    fn pair<'a>(&mut self, text: &'a str, separators: &[char]) -> &'a str {
        let end = text.find(separators);
        let Some(equals) = text.find('=').filter(|equals| end.is_none_or(|end| *equals < end)) else {
            return end.map_or("", |end| &text[end + 1..]);
        };
        let name = &text[..equals];
        let value = &text[equals + 1..];
        let start = value.trim_start_matches(' ');
        // `cs = "Server=…"`: the string is assigned to something, and is read from its own start.
        if self.pairs.is_empty()
            && start.starts_with(['"', '\'', '`'])
            && quoted(&start[1..], start.as_bytes()[0].into()).0.contains('=')
        {
            return &start[1..];
        }
        let (value, behind) = match start.chars().next() {
            Some(quote @ ('"' | '\'')) if !name.contains(quote) => quoted(&start[1..], quote),
            Some('{') => quoted(&start[1..], '}'),
            _ => {
                let end = value.find(separators).unwrap_or(value.len());
                // The string itself stands in quotes: they end its last value, unless that holds quotes.
                let plain = value[..end].trim().trim_end_matches(['"', '\'', '`']);
                (plain.to_owned(), &value[end..])
            }
        };
        self.note(name, &value);
        behind.find(separators).map_or("", |at| &behind[at + 1..])
    }

    /// Adds a pair, unless its value is empty.
    fn note(&mut self, name: &str, value: &str) {
        // Before the first name the assignment of the whole string may stand: `cs = "Server`.
        let name = name.rsplit(['"', '\'', '\n', '?', ',']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
        if !name.is_empty() && !value.is_empty() {
            self.pairs.push((name, value.to_owned()));
        }
    }

    /// The value of the first of `names` that is there.
    fn get(&self, names: &[&str]) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(name, _)| names.contains(&name.as_str()))?;
        Some(value)
    }

    /// Host it leads to, without protocol, port and instance; the storage account where no host is named.
    fn resource(&self) -> Option<String> {
        let Some(server) = self.get(SERVER) else {
            return self.get(&["accountname"]).map(str::to_owned);
        };
        if let (Some(host), _) = host_and_path(server) {
            return Some(host);
        }
        let server = server.trim();
        let server = ["tcp:", "np:", "lpc:", "admin:"]
            .iter()
            .find_map(|protocol| server.get(..protocol.len()).filter(|start| start.eq_ignore_ascii_case(protocol)))
            .map_or(server, |protocol| &server[protocol.len()..]);
        let host = server.split([',', '\\', '/', ';']).next().unwrap_or_default();
        Some(without_port(host).to_ascii_lowercase())
    }

    /// Whether the account is the one the program runs under.
    fn logs_in_as_caller(&self) -> bool {
        let integrated = self.get(&["integratedsecurity", "trustedconnection"]);
        integrated.is_some_and(|value| ["true", "yes", "sspi", "1"].iter().any(|yes| value.eq_ignore_ascii_case(yes)))
            || self.get(&["authentication"]).is_some_and(|kind| {
                kind.bytes()
                    .filter(u8::is_ascii_alphanumeric)
                    .map(|b| b.to_ascii_lowercase())
                    .take(15)
                    .eq(*b"activedirectory")
            })
    }
}

/// The quoted value at the start of `text`, its doubled quotes undone, and what is behind its end.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some((before, behind)) = rest.split_once(quote) else {
            return (value + rest, "");
        };
        value.push_str(before);
        match behind.strip_prefix(quote) {
            Some(further) => {
                value.push(quote);
                rest = further;
            }
            None => return (value, behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, facts, on, table};
    use super::*;
    use crate::specimen::expand;

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, 2).expect(template)).expect("ASCII")
    }

    const ADO: &str =
        "Server=tcp:srv.database.windows.net,1433;Initial Catalog=app;User ID=dba;Password=<<alnum:14>>;Encrypt=True;";

    #[test]
    fn strings() {
        table(
            &ConnectionString,
            &[
                ("ADO.NET", made(ADO), Is::Held),
                (
                    "ODBC",
                    made("Driver={ODBC Driver 18 for SQL Server};Server=srv;Uid=dba;Pwd={<<alnum:6>>;<<alnum:6>>};"),
                    Is::Held,
                ),
                ("JDBC", made("jdbc:sqlserver://srv:1433;databaseName=app;user=dba;password=<<alnum:14>>"), Is::Held),
                (
                    "storage",
                    made(
                        "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=<<bytes64:64>>;EndpointSuffix=core.windows.net",
                    ),
                    Is::Held,
                ),
                (
                    "with a caller's login and a password",
                    made(ADO) + "Authentication=Active Directory Password",
                    Is::Held,
                ),
                ("no server", made("User ID=dba;Password=<<alnum:14>>"), Is::Unknown),
                ("integrated", "Server=srv;Database=app;Integrated Security=SSPI;".to_owned(), Is::Failed),
                ("trusted", "Server=srv;Database=app;Trusted_Connection=yes;".to_owned(), Is::Failed),
                (
                    "managed identity",
                    "Server=srv;Authentication=Active Directory Managed Identity;User Id=5f".to_owned(),
                    Is::Failed,
                ),
                ("password left out", made(ADO).replacen("Password=", "Password=;P=", 1), Is::Failed),
                ("password is a slot", "Server=srv;User ID=dba;Password={your_password};".to_owned(), Is::Failed),
                ("password is a variable", "Server=srv;User ID=dba;Password=${PASSWORD};".to_owned(), Is::Failed),
                ("both are stand-ins", "Server=srv;User ID=user;Password=password".to_owned(), Is::Failed),
                ("truncated", made(ADO)[..60].to_owned(), Is::Failed),
                ("too long: a password of 5000", made("Server=srv;Uid=a;Pwd=<<alnum:5000>>"), Is::Held),
                ("quote without end", made("Server=srv;Uid=dba;Pwd=\"<<alnum:9>>"), Is::Held),
                ("no pairs", "a sentence; nothing more".to_owned(), Is::Failed),
                ("empty", String::new(), Is::Failed),
            ],
        );
    }

    #[test]
    fn where_it_leads() {
        for (template, resource, database, account) in [
            (ADO, "srv.database.windows.net", "app", "dba"),
            ("var cs = \"Data Source=srv\\\\SQLEXPRESS;Database=app;uid=dba;pwd=<<alnum:9>>\";", "srv", "app", "dba"),
            (
                "jdbc:postgresql://Pg.example:5432/app?user=dba&password=<<alnum:9>>&ssl=true",
                "pg.example",
                "app",
                "dba",
            ),
            ("jdbc:mysql://my.example/app?password=<<alnum:9>>&user=dba", "my.example", "app", "dba"),
            ("jdbc:oracle:thin:dba/<<alnum:9>>@ora.example:1521:app", "ora.example", "app", "dba"),
            ("jdbc:sqlserver://srv;databaseName=app;user=dba;password={<<alnum:4>>}}<<alnum:4>>}", "srv", "app", "dba"),
            ("host=pg.example port=5432 dbname=app user=dba password=<<alnum:9>>", "pg.example", "app", "dba"),
            ("Server=srv;Database=\"a;b\"\"c\";Uid=dba;Pwd='<<alnum:9>>';", "srv", "a;b\"c", "dba"),
            (
                "AccountEndpoint=https://c.documents.azure.com:443/;AccountKey=<<bytes64:64>>;Database=app;",
                "c.documents.azure.com",
                "app",
                "",
            ),
        ] {
            let read = facts(on(&ConnectionString, made(template)));
            let of = |name: &str| read.named.get(name).map_or("", String::as_str);
            assert_eq!((of("resource"), of("database"), of("user")), (resource, database, account), "{template}");
        }
        let bus = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<<bytes64:32>>";
        let read = facts(on(&ConnectionString, made(bus)));
        assert_eq!(
            (read.named["resource"].as_str(), read.named["policy"].as_str()),
            ("ns.servicebus.windows.net", "Root")
        );
    }

    #[test]
    fn no_secret_is_told() {
        let password = made("<<alnum:14>>");
        for text in [
            format!("Server={password}.example;Database={password};Uid={password};Pwd={password}"),
            format!("Server=srv;Uid=x{password};Pwd=\"{password}\""),
        ] {
            for secret in [password.as_bytes(), text.as_bytes()] {
                let verdict = ConnectionString.check(Token { secret, whole: text.as_bytes() });
                assert!(!format!("{verdict:?}").contains(&password), "{verdict:?}");
            }
        }
    }

    #[test]
    fn a_password_under_another_name_is_the_rules_business() {
        let text = made("Server=srv;Uid=dba;Kennwort=<<alnum:14>>");
        let secret = text.rsplit('=').next().expect("a value");
        let verdict = ConnectionString.check(Token { secret: secret.as_bytes(), whole: text.as_bytes() });
        assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}

//! What a secret opens: from its rule, what was read from it, and what stands beside it.

use crate::finding::Target;
use crate::finding::hit::Hit;
use crate::platform::endpoint::{Endpoint, endpoint};
use crate::rule::Rule;

/// A kind of target, its ports, and the words that name it.
type Hint = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Kinds of targets by what a URL's scheme, a port or a name says; consulted where the host alone says nothing.
const HINTS: &[Hint] = &[
    (
        "sql",
        &["5432", "3306", "1433", "1521", "5439"],
        &[
            "postgres",
            "postgresql",
            "pg",
            "psql",
            "mysql",
            "mariadb",
            "mssql",
            "sqlserver",
            "sql",
            "oracle",
            "jdbc",
            "redshift",
            "db2",
        ],
    ),
    (
        "database",
        &["27017", "9042", "5984", "7687", "8086"],
        &[
            "mongo",
            "mongodb",
            "cassandra",
            "couchdb",
            "neo4j",
            "influx",
            "influxdb",
            "cosmos",
            "elastic",
            "elasticsearch",
        ],
    ),
    ("redis", &["6379", "6380"], &["redis", "rediss", "valkey"]),
    (
        "messaging",
        &["5672", "5671", "1883", "9092"],
        &["amqp", "amqps", "rabbitmq", "rabbit", "kafka", "mqtt", "activemq", "nats"],
    ),
    ("email", &["25", "465", "587", "993"], &["smtp", "smtps", "imap", "mail", "email"]),
    ("identity", &["389", "636"], &["ldap", "ldaps"]),
    ("vm", &["22", "3389", "5985"], &["ssh", "sftp", "winrm", "rdp"]),
    ("container-registry", &[], &["docker", "registry"]),
];

/// What `hit`, of a match of `rule`, opens.
pub(super) fn target(rule: &Rule, hit: &Hit) -> Target {
    let companion =
        |word: &str| hit.companions.iter().find(|(there, _)| *there == word).map(|(_, value)| value.clone());
    let fact = |name: &str| hit.facts.named.get(name).cloned();
    let named = fact("resource").or_else(|| companion("host"));
    let host = named.clone().filter(|name| name.contains(['.', ':']) || companion("host").is_some());
    let service = host.as_deref().and_then(endpoint);
    let kind = kind(rule, hit, service.as_ref(), host.is_some());
    let cloud = if rule.cloud.is_empty() { service.as_ref().map_or("", |one| one.cloud) } else { &rule.cloud };
    let cloud = if cloud.is_empty() && hit.parts.iter().any(|part| part.word == "key_id") { "aws" } else { cloud };
    let cloud = if cloud.is_empty() && companion("tenant").is_some() { "azure" } else { cloud };
    let storage =
        service.as_ref().filter(|one| one.kind == "storage" && !one.name.is_empty()).map(|one| one.name.clone());
    let resource = match kind.as_str() {
        "certificate" => fact("certificate").or_else(|| fact("subject")).or(named),
        "storage" => storage.or_else(|| companion("account")).or_else(|| companion("bucket")).or(named),
        "identity" => companion("client_id").or(named),
        _ => named.or_else(|| companion("account")),
    };
    let in_service = |what: fn(&Endpoint) -> Option<String>| service.as_ref().and_then(what);
    // A service account is who logs in; the account is the project's.
    let (identity, owner) = match fact("account") {
        Some(mail) if mail.contains('@') => (Some(mail), None),
        owner => (None, owner),
    };
    let account = owner
        .or_else(|| ["tenant", "project", "organization", "workspace"].into_iter().find_map(fact))
        .or_else(|| companion("tenant"))
        .or_else(|| companion("account_id"))
        .or_else(|| in_service(|one| one.account.clone()))
        .or_else(|| companion("subscription"))
        .or_else(|| companion("project"));
    Target {
        kind,
        cloud: (!cloud.is_empty()).then(|| cloud.to_owned()),
        service: service.as_ref().map(|one| one.service.to_owned()),
        resource,
        host,
        port: companion("port"),
        database: fact("database").or_else(|| companion("database")),
        user: fact("user").or(identity).or_else(|| companion("user")),
        account,
        region: fact("region").or_else(|| in_service(|one| one.region.clone())).or_else(|| companion("region")),
    }
}

/// The kind of target: the rule's, or where that is unknown what its partners say.
fn kind(rule: &Rule, hit: &Hit, service: Option<&Endpoint>, has_host: bool) -> String {
    if rule.target == "vm" && hit.facts.named.contains_key("certificate") {
        return "certificate".to_owned();
    }
    let known = Some(rule.target.to_string()).filter(|kind| kind != "unknown" && !kind.is_empty());
    let of_parts = || hit.parts.iter().any(|part| part.word == "key_id").then(|| "identity".to_owned());
    let of_tenant = || hit.companions.iter().any(|(word, _)| *word == "tenant").then(|| "identity".to_owned());
    let of_service = || service.map(|one| one.kind.to_owned());
    let hinted = || has_host.then(|| hint(hit)).flatten().map(str::to_owned);
    known
        .or_else(of_parts)
        .or_else(of_service)
        .or_else(of_tenant)
        .or_else(hinted)
        .unwrap_or_else(|| "unknown".to_owned())
}

/// What scheme, port or name say.
fn hint(hit: &Hit) -> Option<&'static str> {
    let of = |word: &str| {
        hit.companions.iter().find(|(there, _)| *there == word).map(|(_, value)| value.to_ascii_lowercase())
    };
    let row = |fits: &dyn Fn(&Hint) -> bool| HINTS.iter().find(|row| fits(row)).map(|row| row.0);
    let by_scheme = of("scheme").and_then(|scheme| {
        let scheme = scheme.split('+').next().unwrap_or_default().to_owned();
        row(&|hints| hints.2.contains(&scheme.as_str()))
    });
    let by_name = || {
        let name = of("name")?;
        row(&|hints| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| hints.2.contains(&word)))
    };
    let by_port = || of("port").and_then(|port| row(&|hints| hints.1.contains(&port.as_str())));
    by_scheme.or_else(by_name).or_else(by_port)
}

/// How much is known of a target: the places of one secret differ in it.
pub(super) fn richness(target: &Target) -> usize {
    let Target { kind, cloud, service, resource, host, port, database, user, account, region } = target;
    let told = [cloud, service, resource, host, port, database, user, account, region];
    told.iter().filter(|field| field.is_some()).count() + 2 * usize::from(kind != "unknown")
}

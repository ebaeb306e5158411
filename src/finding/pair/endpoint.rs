//! Endpoint and key of Azure's services: Cosmos DB, OpenAI, Search, Service Bus, …

use super::{Family, Given, Want, read};
use crate::platform::endpoint::endpoint;
use crate::rule::Rule;

/// Kinds of targets that say the same of a database, each row one.
const ALIKE: [&[&str]; 3] =
    [&["sql", "database", "data-warehouse"], &["web-app", "functions"], &["ai-service", "search", "cloud"]];

/// The service's address, and its key.
pub(super) static ENDPOINT: Family = Family {
    id: "endpoint",
    main: |found| {
        found.rule.cloud == "azure"
            && found.rule.family == "key"
            && !matches!(found.rule.target.as_ref(), "identity" | "storage" | "ci")
    },
    parts: &[],
    wants: &[Want {
        names: &[
            "endpoint",
            "endpoint_uri",
            "account_endpoint",
            "url",
            "uri",
            "host",
            "hostname",
            "host_name",
            "server",
            "base_url",
            "api_base",
            "base",
            "namespace",
            "address",
            "azure_endpoint",
        ],
        read: read::azure_host,
    }],
    needs: &[],
    fits: is_of_kind,
    own: |_, _| Vec::new(),
};

/// Whether what a host belongs to is what the rule's secrets open, or one of the two is unknown.
pub(super) fn is_of_kind(rule: &Rule, given: &Given) -> bool {
    let host = given.iter().find(|(word, _)| *word == "host").and_then(|(_, host)| endpoint(host));
    host.is_none_or(|found| {
        let kind = rule.target.as_ref();
        kind == "unknown"
            || kind == found.kind
            || ALIKE.iter().any(|row| row.contains(&kind) && row.contains(&found.kind))
    })
}

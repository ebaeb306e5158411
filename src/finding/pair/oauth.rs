//! OAuth: client id and client secret.

use super::{Family, Found, Want, read};

/// The client and its secret.
pub(super) static OAUTH: Family = Family {
    id: "oauth",
    main: is_secret,
    parts: &[("client_id", |rule| rule.id.ends_with("-client-id"))],
    wants: &[Want {
        names: &["client_id", "clientid", "consumer_key", "app_id", "appid", "application_id", "oauth_id", "app_key"],
        read: read::client,
    }],
    needs: &[],
    fits: |_, _| true,
    own: |_, _| Vec::new(),
};

/// A client's secret: by its rules, or what its name calls so.
fn is_secret(found: &Found<'_>) -> bool {
    const NAMES: [&str; 6] =
        ["client_secret", "clientsecret", "consumer_secret", "app_secret", "oauth_secret", "application_secret"];
    let by_type = || found.rule.types.iter().any(|kind| kind.contains("client_secret") && kind.contains("client_id"));
    found.rule.id.ends_with("-client-secret") && !found.rule.id.starts_with("entra")
        || by_type()
        || found.rule.id == "generic-secret" && NAMES.iter().any(|name| found.name.ends_with(name))
}

//! Entra: tenant, application and its secret.

use super::{Family, Found, Want, read};

/// Tenant, client id and client secret; the subscription it is used in.
pub(super) static ENTRA: Family = Family {
    id: "entra",
    main: is_secret,
    parts: &[],
    wants: &[
        Want {
            names: &[
                "tenant",
                "tenant_id",
                "directory_id",
                "tenant_name",
                "authority",
                "authority_host",
                "issuer",
                "tenantid",
            ],
            read: read::tenant,
        },
        Want {
            names: &[
                "client_id",
                "clientid",
                "app_id",
                "appid",
                "application_id",
                "service_principal_id",
                "principal_id",
                "username",
                "flag_u",
            ],
            read: read::application,
        },
        Want { names: &["subscription", "subscription_id", "subscriptionid"], read: read::subscription },
    ],
    needs: &["tenant", "client_id"],
    fits: |_, _| true,
    own: |_, _| Vec::new(),
};

/// A client secret: by its rules, or what its name calls so and a tenant stands beside.
fn is_secret(found: &Found<'_>) -> bool {
    let by_name =
        || ["client_secret", "app_secret", "clientsecret", "client_key"].iter().any(|word| found.name.ends_with(word));
    matches!(found.rule.id.as_ref(), "entra-client-secret" | "entra-client-secret-legacy" | "azure-cli-login")
        || found.rule.id == "generic-secret" && by_name()
}

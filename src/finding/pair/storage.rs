//! Azure storage: account and key as settings of their own.

use super::{Family, Want, read};

/// Account name or endpoint, and key.
pub(super) static STORAGE: Family = Family {
    id: "storage",
    main: |found| found.rule.target == "storage" && found.rule.cloud == "azure" && found.rule.family == "key",
    parts: &[],
    wants: &[
        Want {
            names: &[
                "account",
                "account_name",
                "accountname",
                "storage_name",
                "storage_account",
                "storage_account_name",
                "storageaccount",
                "blob_account",
            ],
            read: read::storage_account,
        },
        Want {
            names: &["endpoint", "url", "uri", "host", "blob_endpoint", "account_url", "service_url"],
            read: read::azure_host,
        },
    ],
    needs: &[],
    fits: super::endpoint::is_of_kind,
    own: |_, _| Vec::new(),
};

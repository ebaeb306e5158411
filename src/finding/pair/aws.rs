//! AWS: key id and secret, with the session token of temporary credentials; the key id in a signed URL.

use super::{Family, Found, Given, Want, read};
use crate::rule::Rule;

/// Key id, secret, session token.
pub(super) static AWS: Family = Family {
    id: "aws",
    main: is_secret,
    parts: &[
        ("key_id", |rule| rule.id == "aws-access-key-id"),
        ("session_token", |rule| rule.id == "aws-session-token"),
    ],
    wants: &[
        Want { names: &["region", "default_region"], read: read::region },
        Want { names: &["bucket", "bucket_name", "s3_bucket", "s3_bucket_name"], read: read::bucket },
        Want { names: &["account_id", "aws_account", "account_number"], read: account },
    ],
    // A token found by its name alone is a secret key only beside a key id.
    needs: &["key_id"],
    fits: |rule, _| !is_signed_url(rule),
    own: |_, _| Vec::new(),
};

/// Characters of a secret key.
const SECRET_LENGTH: usize = 40;

/// The secret half: by its rules, or anything of its form that a key id stands beside.
fn is_secret(found: &Found<'_>) -> bool {
    let rule = found.rule;
    let has_form = || {
        found.value.len() == SECRET_LENGTH
            && found.value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
            // Ids of git's objects have that length too.
            && !found.value.iter().all(u8::is_ascii_hexdigit)
    };
    matches!(rule.id.as_ref(), "aws-secret-access-key" | "aws-access-key-pair")
        || is_signed_url(rule)
        || rule.id == "generic-secret" && has_form()
}

/// Whether a rule finds signed URLs: what belongs to one stands inside of it.
fn is_signed_url(rule: &Rule) -> bool {
    rule.cloud == "aws" && rule.family == "sas_token"
}

/// The number of an account.
fn account(value: &str) -> Given {
    let fits = value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    Some(value).filter(|_| fits).map(|number| ("account_id", number.to_owned())).into_iter().collect()
}

//! Offline structure checks: what a token proves or tells by itself. No network, no clock.
//!
//! One file per check, one line in [`ALL`]. The other files are what they share: encodings, checksums and the readers
//! of nested formats. Facts may hold what a token says in clear (account, expiry, public key), never its secret part.

use crate::finding::Facts;

mod armor;
mod aws_key_id;
pub(crate) mod azdo_pat;
mod azure_sas;
pub(crate) mod b64;
mod base64_key;
mod basic_auth;
mod bot_ids;
pub(crate) mod cask;
mod connection_string;
pub(crate) mod crc;
pub(crate) mod crc_tails;
pub(crate) mod credentials;
mod der;
pub(crate) mod entra_secret;
mod fact;
pub(crate) mod github_crc32;
pub(crate) mod gitlab_routable;
mod google_service_account;
pub(crate) mod his;
pub(crate) mod jwk;
mod jwt;
mod key;
mod marvin;
pub(crate) mod nkey;
mod openai_marker;
pub(crate) mod pbe;
mod pem;
pub(crate) mod pgp;
mod pkcs12;
pub(crate) mod pkcs12_file;
pub(crate) mod ppk;
mod presigned_url;
pub(crate) mod pypi_macaroon;
pub(crate) mod query;
mod sentry;
mod shared_access_signature;
mod slack;
pub(crate) mod ssh;
#[cfg(test)]
pub(crate) mod testing;
mod url_credentials;
mod vendor_ids;
pub(crate) mod x509;

/// What a check sees: the secret and the text it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// The secret's bytes (capture group), prefix included.
    pub secret: &'a [u8],
    /// The rule's whole match, which holds the secret.
    pub whole: &'a [u8],
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The checksum or structure holds; what could be read.
    Holds(Facts),
    /// It does not; why, in one lower-case clause without a full stop and without any of the secret.
    Fails(&'static str),
    /// This form carries nothing to check; what could be read all the same.
    Unknown(Facts),
}

/// One offline check.
pub trait StructureCheck: Sync {
    /// The id rules name it by.
    fn id(&self) -> &'static str;

    /// Checks one token. Pure; never panics, whatever the bytes.
    fn check(&self, token: Token<'_>) -> Verdict;
}

/// Every check, by id.
pub static ALL: &[&dyn StructureCheck] = &[
    &crc_tails::ATLASSIAN,
    &aws_key_id::AwsKeyId,
    &azdo_pat::AzdoPat,
    &azure_sas::AzureSas,
    &base64_key::Base64Key,
    &basic_auth::BasicAuth,
    &cask::Cask,
    &crc_tails::CONFLUENT,
    &connection_string::ConnectionString,
    &bot_ids::DiscordIds,
    &entra_secret::EntraSecret,
    &github_crc32::GithubCrc32,
    &gitlab_routable::GitlabRoutable,
    &google_service_account::GoogleServiceAccount,
    &crc_tails::GRAFANA,
    &his::His,
    &jwk::Jwk,
    &jwt::Jwt,
    &vendor_ids::MAILCHIMP,
    &nkey::Nkey,
    &openai_marker::OpenaiMarker,
    &pem::Pem,
    &pkcs12::Pkcs12,
    &pkcs12_file::Pkcs12File,
    &ppk::Ppk,
    &presigned_url::PresignedUrl,
    &pypi_macaroon::PypiMacaroon,
    &sentry::SentryToken,
    &shared_access_signature::SharedAccessSignature,
    &slack::SlackIds,
    &vendor_ids::TAILSCALE,
    &bot_ids::TelegramBot,
    &url_credentials::UrlCredentials,
    &crc_tails::ZUPLO,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_unique_and_sorted() {
        let ids: Vec<_> = ALL.iter().map(|check| check.id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
        for id in &ids {
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        }
    }

    #[test]
    fn no_check_panics_on_nothing_or_noise() {
        assert!(!ALL.is_empty());
        for check in ALL {
            testing::hail(*check, &[]);
        }
    }
}

//! References to vaults, counted per folder: secrets that are kept where they belong.
//!
//! Sources: Azure "Key Vault references" (App Service), "Use Key Vault to pass secure parameter value" (ARM, Bicep
//! `getSecret`), CloudFormation "dynamic references", Kubernetes "Using Secrets as environment variables", GitHub
//! "Using secrets in workflows", 1Password "secret references", Terraform provider pages; read 2026-11.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Kind, Observation, file_name, folder};

/// Configuration files.
pub(super) const KIND: Kind = Kind { wants, observe };

/// What a reference looks like, and which vault it leads to.
const STYLES: [(&str, &str); 19] = [
    ("@Microsoft.KeyVault(", "azure-key-vault"),
    ("\"keyVault\"", "azure-key-vault"),
    (".getSecret(", "azure-key-vault"),
    ("azurerm_key_vault_secret", "azure-key-vault"),
    ("AzureKeyVault@", "azure-key-vault"),
    (".vault.azure.net/secrets/", "azure-key-vault"),
    ("{{resolve:secretsmanager:", "aws-secrets-manager"),
    ("aws_secretsmanager_secret", "aws-secrets-manager"),
    ("arn:aws:secretsmanager:", "aws-secrets-manager"),
    ("{{resolve:ssm-secure:", "aws-parameter-store"),
    ("google_secret_manager_secret", "gcp-secret-manager"),
    ("secretKeyRef", "kubernetes-secret"),
    ("secretRef", "kubernetes-secret"),
    ("kind: ExternalSecret", "external-secrets"),
    ("kind: SealedSecret", "sealed-secrets"),
    ("${{ secrets.", "github-secrets"),
    ("vault_generic_secret", "hashicorp-vault"),
    ("vault.hashicorp.com/agent-inject-secret", "hashicorp-vault"),
    ("op://", "1password"),
];

/// Endings of configuration files.
const ENDINGS: [&[u8]; 14] = [
    b".bicep",
    b".bicepparam",
    b".conf",
    b".config",
    b".env",
    b".ini",
    b".json",
    b".properties",
    b".tf",
    b".tfvars",
    b".toml",
    b".xml",
    b".yaml",
    b".yml",
];

/// By name.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    let name = file_name(path);
    name.contains(&b'.') && (ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.starts_with(b".env."))
}

/// One fact per style of reference, about the folder.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for found in styles().find_iter(bytes) {
        *counts.entry(STYLES[found.pattern().as_usize()].1).or_default() += 1;
    }
    counts.into_iter().map(|(vault, count)| fact(folder(path), vault, count)).collect()
}

/// `count` references to `vault` in the files of `folder`.
fn fact(folder: &[u8], vault: &str, count: u64) -> Observation {
    Observation::new("vault-reference", folder, [("count", count.to_string()), ("vault", vault.to_owned())])
}

/// The styles as one automaton. Of two styles in one place the first counts, which never happens; but only searches that
/// settle this can look at many bytes at once.
fn styles() -> &'static AhoCorasick {
    static STYLES_FOUND: OnceLock<AhoCorasick> = OnceLock::new();
    STYLES_FOUND.get_or_init(|| {
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(STYLES.map(|(text, _)| text));
        built.expect("a handful of short literals is within every limit")
    })
}

/// Sums the references up, per folder and vault; other facts pass.
pub(super) fn fold(facts: Vec<Observation>) -> Vec<Observation> {
    let (references, mut rest): (Vec<_>, Vec<_>) = facts.into_iter().partition(|fact| fact.kind == "vault-reference");
    let mut sums: BTreeMap<(Vec<u8>, String), u64> = BTreeMap::new();
    for Observation { path, values, .. } in references {
        let value = |name| values.iter().find(|(named, _)| *named == name).map_or("", |(_, value)| value.as_str());
        let count: u64 = value("count").parse().unwrap_or_default();
        *sums.entry((path, value("vault").to_owned())).or_default() += count;
    }
    rest.extend(sums.into_iter().map(|((path, vault), count)| fact(&path, &vault, count)));
    rest
}

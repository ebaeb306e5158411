//! Which Defender for Cloud recommendation a finding belongs to: it follows where the secret was found.
//!
//! In: a [`Platform`]. Out: the row of the table below. Nothing here claims that Defender will show the finding
//! there: that depends on what it ingests (see the README).
//!
//! Source of names and keys, read 2026-11: Microsoft's defender-docs, `articles/defender-for-cloud/`, pages
//! "Transition from grouped to individual recommendations" (2026-06-29, machines and repositories) and
//! `secrets-scanning-cloud-deployment.md` (2025-07-15, the names for deployments); severities from
//! `recommendations-reference-devops.md`. The key for Azure Resource Manager deployments stands in no page of
//! Microsoft's that we could read; it is the one a third-party compliance package publishes, which gives the same
//! key as Microsoft for Azure machines. For CloudFormation no key was found, so none is stated.

use crate::platform::Platform;

/// The category that all recommendations about secrets share since 2026. It holds for every finding, also where no
/// recommendation of the table applies (artifacts, plain folders, unknown hosts).
/// Source: the transition page named above, `properties.metadata.recommendationCategory`.
pub const EXPOSED_SECRETS: &str = "ExposedSecrets";

/// A recommendation as Defender for Cloud names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Where it applies.
    pub platform: Platform,
    /// Its exact name.
    pub name: &'static str,
    /// Its assessment key, when one is published.
    pub assessment_key: Option<&'static str>,
    /// Its published severity; `None` where none is.
    pub severity: Option<&'static str>,
    /// What it says, in our words.
    pub description: &'static str,
}

/// The recommendation for secrets found on `platform`.
pub fn for_platform(platform: Platform) -> &'static Recommendation {
    TABLE.iter().find(|row| row.platform == platform).expect("a test holds the table to all platforms")
}

/// One row per platform, in the order of [`Platform::ALL`].
static TABLE: [Recommendation; 8] = [
    Recommendation {
        platform: Platform::Azure,
        name: "Machines should have secrets findings resolved",
        assessment_key: Some("17618b1a-ed14-49bb-b37f-9f8ba967be8b"),
        severity: None,
        description: MACHINE,
    },
    Recommendation {
        platform: Platform::Aws,
        name: "EC2 instances should have secrets findings resolved",
        assessment_key: Some("490d3be5-0abd-485c-bcd7-b8d6c6f443c8"),
        severity: None,
        description: MACHINE,
    },
    Recommendation {
        platform: Platform::Gcp,
        name: "VM instances should have secrets findings resolved",
        assessment_key: Some("17b615fd-ce09-494b-a3fa-5937a137a571"),
        severity: None,
        description: MACHINE,
    },
    Recommendation {
        platform: Platform::AzureDevOps,
        name: "Azure DevOps repositories should have secret scanning findings resolved",
        assessment_key: Some("b5ef903f-8655-473b-9784-4f749eeb25c6"),
        severity: Some("High"),
        description: REPOSITORY,
    },
    Recommendation {
        platform: Platform::GitHub,
        name: "GitHub repositories should have secret scanning findings resolved",
        assessment_key: Some("dd98425c-1407-40cc-8a2c-da5d0a2f80da"),
        severity: Some("High"),
        description: REPOSITORY,
    },
    Recommendation {
        platform: Platform::GitLab,
        name: "GitLab projects should have secret scanning findings resolved",
        assessment_key: Some("867001c3-2d01-4db7-b513-5cb97638f23d"),
        severity: Some("High"),
        description: REPOSITORY,
    },
    Recommendation {
        platform: Platform::Arm,
        name: "Azure Resource Manager deployments should have secrets findings resolved",
        assessment_key: Some("774dd8dd-234d-4581-8dcc-376a53e58a5d"),
        severity: None,
        description: DEPLOYMENT,
    },
    Recommendation {
        platform: Platform::CloudFormation,
        name: "AWS CloudFormation Stack should have secrets findings resolved",
        assessment_key: None,
        severity: None,
        description: DEPLOYMENT,
    },
];

/// For machines.
const MACHINE: &str = "A secret lies in clear on the disk of this machine. Whoever gets onto the machine, or gets a \
    copy of its disk, can use it to reach other resources. Resolve it without delay: replace the secret where it is \
    accepted and take it off the disk.";

/// For repositories.
const REPOSITORY: &str = "A secret stands in this repository's content or history. Whoever can read the repository, \
    or a copy of it, can use it against the application or service it opens. Resolve it without delay: replace the \
    secret where it is accepted, then keep the new one out of the repository.";

/// For deployments.
const DEPLOYMENT: &str = "A secret stands in clear in a deployment: its template, parameters, outputs or tags. \
    Whoever can read the deployment can use it against the application or service it opens. Resolve it without \
    delay: replace the secret where it is accepted and pass the new one by reference to a vault.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_platform_has_one_row_with_its_own_name_and_key() {
        assert_eq!(TABLE.map(|row| row.platform), Platform::ALL);
        for platform in Platform::ALL {
            assert_eq!(for_platform(platform).platform, platform);
        }
        assert_eq!(TABLE.map(|row| row.name).iter().collect::<BTreeSet<_>>().len(), TABLE.len());
        let keys: Vec<_> = TABLE.iter().filter_map(|row| row.assessment_key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 7);
        for key in keys {
            let groups: Vec<_> = key.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{key}");
            assert!(key.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{key}");
        }
    }

    #[test]
    fn severities_stand_only_where_they_are_published() {
        let stated: Vec<_> = TABLE.iter().filter(|row| row.severity.is_some()).map(|row| row.platform).collect();
        assert_eq!(stated, [Platform::AzureDevOps, Platform::GitHub, Platform::GitLab]);
    }
}

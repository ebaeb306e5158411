//! Taxonomies: CWE and Defender for Cloud's recommendations, with the taxa that a run refers to.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Component, ComponentReference, Descriptor, DescriptorReference, Message, Properties};
use crate::enrich::recommend::{EXPOSED_SECRETS, Recommendation};
use crate::finding::{Finding, ScanReport};
use crate::platform::Platform;

/// Name of the CWE taxonomy; consumers know it by this name.
const CWE: &str = "CWE";

/// Name of the other one.
const DEFENDER: &str = "Microsoft Defender for Cloud recommendations";

/// The weaknesses that rules refer to, named as MITRE names them
/// (<https://cwe.mitre.org/data/definitions/798.html> and so on). The number decides, the name is for the reader; a
/// number that isn't here is still referred to, without its name.
const WEAKNESSES: [(u32, &str); 12] = [
    (256, "Plaintext Storage of a Password"),
    (259, "Use of Hard-coded Password"),
    (260, "Password in Configuration File"),
    (312, "Cleartext Storage of Sensitive Information"),
    (313, "Cleartext Storage in a File or on Disk"),
    (321, "Use of Hard-coded Cryptographic Key"),
    (522, "Insufficiently Protected Credentials"),
    (532, "Insertion of Sensitive Information into Log File"),
    (538, "Insertion of Sensitive Information into Externally-Accessible File or Directory"),
    (540, "Inclusion of Sensitive Information in Source Code"),
    (615, "Inclusion of Sensitive Information in Source Code Comments"),
    (798, "Use of Hard-coded Credentials"),
];

/// The taxa one run refers to.
pub(super) struct Taxonomies {
    weaknesses: BTreeSet<u32>,
    recommendations: BTreeMap<Platform, &'static Recommendation>,
}

impl Taxonomies {
    /// Those of a root's findings.
    pub(super) fn of(scan: &ScanReport) -> Self {
        let findings = &scan.findings;
        Self {
            weaknesses: findings.iter().map(|found| found.rule.cwe).filter(|&cwe| cwe != 0).collect(),
            recommendations: findings
                .iter()
                .filter_map(|found| found.recommendation)
                .map(|row| (row.platform, row))
                .collect(),
        }
    }

    /// The taxonomies in the order of [`Taxonomies::components`], as the driver names them.
    pub(super) fn references(&self) -> Vec<ComponentReference> {
        self.components().iter().enumerate().map(|(index, one)| ComponentReference { name: one.name, index }).collect()
    }

    /// A reference to a weakness.
    pub(super) fn weakness(&self, cwe: u32) -> Option<DescriptorReference> {
        let index = self.weaknesses.iter().position(|&one| one == cwe)?;
        let component = ComponentReference { name: CWE, index: 0 };
        Some(DescriptorReference { id: cwe.to_string(), index, tool_component: Some(component) })
    }

    /// A reference to a recommendation.
    fn recommendation(&self, row: &Recommendation) -> Option<DescriptorReference> {
        let index = self.recommendations.keys().position(|&platform| platform == row.platform)?;
        let component = ComponentReference { name: DEFENDER, index: usize::from(!self.weaknesses.is_empty()) };
        Some(DescriptorReference { id: key(row).to_owned(), index, tool_component: Some(component) })
    }

    /// What a result belongs to.
    pub(super) fn taxa(&self, found: &Finding) -> Vec<DescriptorReference> {
        let recommendation = found.recommendation.and_then(|row| self.recommendation(row));
        self.weakness(found.rule.cwe).into_iter().chain(recommendation).collect()
    }

    /// The taxonomies that have a taxon in this run, CWE first.
    pub(super) fn components(&self) -> Vec<Component> {
        let cwe = Component {
            name: CWE,
            organization: Some("MITRE"),
            information_uri: Some("https://cwe.mitre.org/"),
            short_description: Some(Message::new("The MITRE Common Weakness Enumeration.")),
            taxa: self.weaknesses.iter().map(|&cwe| weakness(cwe)).collect(),
            ..Component::default()
        };
        let defender = Component {
            name: DEFENDER,
            organization: Some("Microsoft"),
            information_uri: Some("https://learn.microsoft.com/azure/defender-for-cloud/secrets-scanning"),
            short_description: Some(Message::new(
                "Recommendations of Microsoft Defender for Cloud about exposed secrets, by the platform a secret was \
                 found on. Naming one says where a finding belongs, not that Defender ingests it.",
            )),
            taxa: self.recommendations.values().map(|row| recommendation(row)).collect(),
            ..Component::default()
        };
        [cwe, defender].into_iter().filter(|one| !one.taxa.is_empty()).collect()
    }
}

/// A weakness as a taxon.
fn weakness(cwe: u32) -> Descriptor {
    let name = WEAKNESSES.iter().find(|(number, _)| *number == cwe).map(|&(_, name)| name);
    Descriptor {
        id: cwe.to_string(),
        name: name.map(super::rules::pascal),
        short_description: Message::new(match name {
            Some(name) => format!("CWE-{cwe}: {name}."),
            None => format!("CWE-{cwe}."),
        }),
        help_uri: Some(format!("https://cwe.mitre.org/data/definitions/{cwe}.html")),
        ..Descriptor::default()
    }
}

/// A recommendation as a taxon.
fn recommendation(row: &Recommendation) -> Descriptor {
    let mut properties = Properties::from([
        ("keytrail/platform", row.platform.word().into()),
        ("keytrail/recommendation", row.name.into()),
        ("keytrail/recommendationCategory", EXPOSED_SECRETS.into()),
    ]);
    if let Some(severity) = row.severity {
        properties.insert("keytrail/recommendationSeverity", severity.into());
    }
    Descriptor {
        id: key(row).to_owned(),
        name: Some(super::rules::pascal(row.name)),
        short_description: Message::new(format!("{}.", row.name)),
        full_description: Some(Message::new(row.description)),
        properties,
        ..Descriptor::default()
    }
}

/// A recommendation's id: its assessment key, which outlives its name, or the platform's word where none is known.
fn key(row: &Recommendation) -> &'static str {
    row.assessment_key.unwrap_or_else(|| row.platform.word())
}

//! Which cloud or code host a root belongs to, recognised from what is there; and which service a host name is of.

pub mod endpoint;
pub mod host;
pub mod machine;

/// A platform as recommendations know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// Microsoft Azure (virtual machines).
    Azure,
    /// Amazon Web Services (EC2 instances).
    Aws,
    /// Google Cloud (VM instances).
    Gcp,
    /// Azure DevOps repositories.
    AzureDevOps,
    /// GitHub repositories.
    GitHub,
    /// GitLab projects.
    GitLab,
    /// Azure Resource Manager deployments; only ever stated by the user.
    Arm,
    /// AWS CloudFormation stacks; only ever stated by the user.
    CloudFormation,
}

impl Platform {
    /// All of them, in the order help texts list them.
    pub const ALL: [Self; 8] = [
        Self::Azure,
        Self::Aws,
        Self::Gcp,
        Self::AzureDevOps,
        Self::GitHub,
        Self::GitLab,
        Self::Arm,
        Self::CloudFormation,
    ];

    /// Its word in flags and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::AzureDevOps => "azuredevops",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Arm => "arm",
            Self::CloudFormation => "cloudformation",
        }
    }
}

/// A machine recognised from its disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `/etc/hostname`.
    pub hostname: Option<String>,
    /// `/etc/machine-id`.
    pub machine_id: Option<String>,
    /// The cloud's own id of the instance, where the disk has it.
    pub instance_id: Option<String>,
    /// `PRETTY_NAME` of `/etc/os-release` or the Windows product name.
    pub os: Option<String>,
    /// Its cloud.
    pub platform: Option<Platform>,
    /// Which files told the platform.
    pub evidence: Vec<String>,
}

//! Which machine a root is, and in which cloud it ran.
//!
//! In: a root that reads single files. Out: a [`Machine`]. What cloud-init wrote down is where the machine last
//! started and decides alone; an agent that is merely installed is weaker (the SSM agent also runs in offices and in
//! other clouds). Where the stronger evidence there is names two clouds, none is named and the evidence is listed.
//! Sources: cloud-init's documentation ("instance metadata", `/var/lib/cloud/data`), WALinuxAgent's, amazon-ssm-agent's
//! and google-guest-agent's packages, EC2Launch's and the Azure Windows agent's documentation; read 2026-11.

use super::{Machine, Platform};

/// A root of which single files can be read.
pub trait ReadRoot {
    /// The first `limit` bytes of the file at `path` (below the root, no leading slash); `None` if there is none to be
    /// read. Links are not followed.
    fn read(&self, path: &str, limit: usize) -> Option<Vec<u8>>;

    /// Whether there is anything at `path`.
    fn exists(&self, path: &str) -> bool;
}

/// What is read of a file at most, in bytes.
const LIMIT: usize = 64 << 10;

/// Where cloud-init names the datasource it started with, and the datasources' names.
const DATASOURCE_FILES: [&str; 2] = ["var/lib/cloud/data/previous-datasource", "run/cloud-init/cloud-id"];
/// Names of datasources (`DataSourceAzure: …`) and of clouds (`cloud-id`), by cloud.
const DATASOURCES: [(Platform, &[&str]); 3] = [
    (Platform::Azure, &["DataSourceAzure", "azure"]),
    (Platform::Aws, &["DataSourceEc2", "aws"]),
    (Platform::Gcp, &["DataSourceGCE", "gce"]),
];

/// Paths that only an agent of the cloud makes.
const AGENTS: [(Platform, &str); 24] = [
    (Platform::Azure, "var/lib/waagent"),
    (Platform::Azure, "etc/waagent.conf"),
    (Platform::Azure, "usr/sbin/waagent"),
    (Platform::Azure, "WindowsAzure"),
    (Platform::Azure, "AzureData"),
    (Platform::Aws, "etc/amazon/ssm"),
    (Platform::Aws, "var/lib/amazon/ssm"),
    (Platform::Aws, "usr/bin/amazon-ssm-agent"),
    (Platform::Aws, "var/snap/amazon-ssm-agent"),
    (Platform::Aws, "usr/bin/ec2-metadata"),
    (Platform::Aws, "opt/aws/amazon-cloudwatch-agent"),
    (Platform::Aws, "Program Files/Amazon/SSM"),
    (Platform::Aws, "Program Files/Amazon/EC2Launch"),
    (Platform::Aws, "Program Files/Amazon/Ec2ConfigService"),
    (Platform::Aws, "ProgramData/Amazon/EC2Launch"),
    (Platform::Aws, "ProgramData/Amazon/EC2-Windows"),
    (Platform::Gcp, "usr/bin/google_guest_agent"),
    (Platform::Gcp, "usr/bin/google_metadata_script_runner"),
    (Platform::Gcp, "usr/lib/systemd/system/google-guest-agent.service"),
    (Platform::Gcp, "lib/systemd/system/google-guest-agent.service"),
    (Platform::Gcp, "etc/default/instance_configs.cfg"),
    (Platform::Gcp, "etc/google_instance_id"),
    (Platform::Gcp, "Program Files/Google/Compute Engine"),
    (Platform::Gcp, "ProgramData/Google/Compute Engine"),
];

/// Recognises the machine whose disk `root` is. What isn't there stays empty.
pub fn recognise(root: &dyn ReadRoot) -> Machine {
    let started: Vec<_> =
        DATASOURCE_FILES.into_iter().filter_map(|path| Some((datasource(root, path)?, path))).collect();
    let agents = AGENTS.into_iter().filter(|(_, path)| root.exists(path)).collect::<Vec<_>>();
    let platform = only(&started).or_else(|| started.is_empty().then(|| only(&agents)).flatten());
    let evidence = started.iter().chain(&agents).map(|(platform, path)| format!("{} ({})", path, platform.word()));
    Machine {
        hostname: first_line(root, "etc/hostname").filter(|name| is_plain(name, 253)),
        machine_id: first_line(root, "etc/machine-id").filter(|id| id.len() == 32 && is_hex(id)),
        instance_id: ["var/lib/cloud/data/instance-id", "var/lib/cloud/data/previous-instance-id"]
            .into_iter()
            .chain(["etc/google_instance_id"])
            .find_map(|path| first_line(root, path))
            .filter(|id| is_plain(id, 128)),
        os: os(root),
        platform,
        evidence: evidence.collect(),
    }
}

/// The platform of all of `evidence`, if there is one.
fn only(evidence: &[(Platform, &str)]) -> Option<Platform> {
    let (first, _) = evidence.first()?;
    evidence.iter().all(|(platform, _)| platform == first).then_some(*first)
}

/// The cloud that the cloud-init file at `path` names.
fn datasource(root: &dyn ReadRoot, path: &str) -> Option<Platform> {
    let line = first_line(root, path)?;
    // `DataSourceAzure: DataSourceAzure [seed=/dev/sr0]`, `DataSourceGCELocal`, or `aws` alone.
    let word = line.split([':', ' ', '[']).next()?.trim_end_matches("Local");
    let named = DATASOURCES.into_iter().find(|(_, names)| names.contains(&word));
    named.map(|(platform, _)| platform)
}

/// `PRETTY_NAME` of `os-release(5)`, or that it is Windows.
fn os(root: &dyn ReadRoot) -> Option<String> {
    let linux = ["etc/os-release", "usr/lib/os-release"].into_iter().find_map(|path| {
        let text = root.read(path, LIMIT)?;
        let text = String::from_utf8(text).ok()?;
        let value = text.lines().find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
        let value = value.trim().trim_matches(['"', '\'']);
        let printable = !value.is_empty() && value.chars().count() <= 200 && !value.chars().any(char::is_control);
        printable.then(|| value.to_owned())
    });
    let windows =
        || ["Windows/System32", "WINDOWS/system32", "WINDOWS/System32"].into_iter().any(|path| root.exists(path));
    linux.or_else(|| windows().then(|| "Windows".to_owned()))
}

/// The first line of a file that is neither empty nor a comment.
fn first_line(root: &dyn ReadRoot, path: &str) -> Option<String> {
    let text = String::from_utf8(root.read(path, LIMIT)?).ok()?;
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

/// Whether `text` is of letters, digits, `.`, `_`, `-` alone and at most `longest` bytes: scanned disks are not trusted
/// with more in a name that stands in every report.
fn is_plain(text: &str, longest: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= longest && text.bytes().all(plain)
}

/// Whether `text` is hex digits alone.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A root of a few files; a text of `/` is a folder.
    struct Root(BTreeMap<&'static str, &'static str>);

    impl ReadRoot for Root {
        fn read(&self, path: &str, limit: usize) -> Option<Vec<u8>> {
            let text = self.0.get(path).filter(|text| **text != "/")?;
            Some(text.as_bytes()[..text.len().min(limit)].to_vec())
        }

        fn exists(&self, path: &str) -> bool {
            let below = format!("{path}/");
            self.0.keys().any(|key| *key == path || key.starts_with(&below))
        }
    }

    /// Where cloud-init names its datasource.
    const DATASOURCE: &str = DATASOURCE_FILES[0];

    /// Files, the platform they show, how many of them are evidence.
    type Case = (&'static [(&'static str, &'static str)], Option<Platform>, usize);

    fn platform(files: &[(&'static str, &'static str)]) -> (Option<Platform>, usize) {
        let machine = recognise(&Root(files.iter().copied().collect()));
        (machine.platform, machine.evidence.len())
    }

    #[test]
    fn clouds_are_recognised_and_conflicts_are_not_decided() {
        let cases: &[Case] = &[
            (&[], None, 0),
            (&[(DATASOURCE, "DataSourceAzure: DataSourceAzure [seed=/dev/sr0]\n")], Some(Platform::Azure), 1),
            (&[(DATASOURCE, "DataSourceEc2Local: x")], Some(Platform::Aws), 1),
            (&[(DATASOURCE, "DataSourceGCE")], Some(Platform::Gcp), 1),
            (&[(DATASOURCE, "DataSourceNoCloud: x")], None, 0),
            (&[("run/cloud-init/cloud-id", "gce\n")], Some(Platform::Gcp), 1),
            (&[("var/lib/waagent/ovf-env.xml", "x"), ("etc/waagent.conf", "x")], Some(Platform::Azure), 2),
            (&[("etc/amazon/ssm/x", "")], Some(Platform::Aws), 1),
            (&[("usr/bin/google_guest_agent", "")], Some(Platform::Gcp), 1),
            (&[("WindowsAzure/Logs/x", ""), ("Windows/System32/x", "")], Some(Platform::Azure), 1),
            (&[("Program Files/Amazon/EC2Launch/x", "")], Some(Platform::Aws), 1),
            (&[("Program Files/Google/Compute Engine/x", "")], Some(Platform::Gcp), 1),
            (&[("etc/amazon/ssm/x", ""), ("etc/waagent.conf", "")], None, 2),
            (&[(DATASOURCE, "DataSourceAzure"), ("etc/amazon/ssm/x", "")], Some(Platform::Azure), 2),
            (&[(DATASOURCE, "DataSourceAzure"), ("run/cloud-init/cloud-id", "aws"), ("etc/waagent.conf", "")], None, 3),
        ];
        for (files, expected, evidence) in cases {
            assert_eq!(platform(files), (*expected, *evidence), "{files:?}");
        }
    }

    #[test]
    fn a_machine_is_named_by_its_own_files() {
        let machine = recognise(&Root(BTreeMap::from([
            ("etc/hostname", "# made by hand\nweb-1.example\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
            ("usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Some Linux 9\"\n"),
            ("var/lib/cloud/data/instance-id", "i-0123\n"),
        ])));
        assert_eq!(machine.hostname.as_deref(), Some("web-1.example"));
        assert_eq!(machine.machine_id.as_deref(), Some("0123456789abcdef0123456789abcdef"));
        assert_eq!(machine.os.as_deref(), Some("Some Linux 9"));
        assert_eq!(machine.instance_id.as_deref(), Some("i-0123"));
        let hostile = recognise(&Root(BTreeMap::from([
            ("etc/hostname", "x\u{1b}[31m y\n"),
            ("etc/machine-id", "uninitialized\n"),
            ("etc/os-release", "PRETTY_NAME=\"\u{1b}[2J\"\n"),
            ("Windows/System32/x", ""),
        ])));
        assert_eq!((hostile.hostname, hostile.machine_id), (None, None));
        assert_eq!(hostile.os.as_deref(), Some("Windows"));
    }
}

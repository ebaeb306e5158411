//! What a path says of a file: its class and the environment it belongs to.
//!
//! Both can be asked of any path at placing; as facts of their own stand only the rare ones that matter by being
//! there: shell histories and a machine's user data. (Logs are thousands on a disk.)

use super::{Kind, Observation, account, file_name};

/// Histories and user data.
pub(super) const KIND: Kind = Kind { wants, observe };

/// Whether the class is one that stands as a fact.
fn wants(path: &[u8], _first: &[u8]) -> bool {
    let name = file_name(path);
    is_history(name) || is_user_data(path, name)
}

/// The fact.
fn observe(path: &[u8], bytes: &[u8]) -> Vec<Observation> {
    let class = class(path).filter(|_| !bytes.is_empty());
    let fact =
        |class: &str| Observation::new("file-class", path, [("account", account(path)), ("class", class.to_owned())]);
    class.map(fact).into_iter().collect()
}

/// Names of histories that shells and clients keep.
const HISTORIES: [&[u8]; 19] = [
    b".ash_history",
    b".bash_history",
    b".history",
    b".irb_history",
    b".ksh_history",
    b".lesshst",
    b".mongorc_history",
    b".mysql_history",
    b".node_repl_history",
    b".psql_history",
    b".python_history",
    b".rediscli_history",
    b".sh_history",
    b".sqlite_history",
    b".zhistory",
    b".zsh_history",
    b"consolehost_history.txt",
    b"fish_history",
    b"visualstudio code host_history.txt",
];

/// Endings of templates, which hold places for values rather than values.
const TEMPLATES: [&[u8]; 14] = [
    b".dist",
    b".ejs",
    b".erb",
    b".example",
    b".gotmpl",
    b".hbs",
    b".j2",
    b".jinja",
    b".jinja2",
    b".mustache",
    b".sample",
    b".template",
    b".tmpl",
    b".tpl",
];

/// The class of the file at `path`: `log`, `history`, `template`, `user-data`.
pub fn class(path: &[u8]) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let name = file_name(&path);
    if is_history(name) {
        Some("history")
    } else if is_user_data(&path, name) {
        Some("user-data")
    } else if is_log(&path, name) {
        Some("log")
    } else if TEMPLATES.iter().any(|ending| name.ends_with(ending)) {
        Some("template")
    } else {
        None
    }
}

/// Whether a file of this name is a history. Case doesn't matter.
fn is_history(name: &[u8]) -> bool {
    HISTORIES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What a cloud hands to a machine at its start: cloud-init's user data, Azure's `ovf-env.xml` and custom data. Case
/// doesn't matter.
fn is_user_data(path: &[u8], name: &[u8]) -> bool {
    let starts = |text: &[u8], start: &[u8]| text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    let is_named = |names: &[&[u8]]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    is_named(&[b"unattend.xml", b"autounattend.xml"])
        || starts(path, b"var/lib/cloud/") && starts(name, b"user-data.txt")
        || starts(path, b"var/lib/waagent/") && is_named(&[b"ovf-env.xml", b"customdata"])
        || path.eq_ignore_ascii_case(b"azuredata/customdata.bin")
        || starts(path, b"windowsazure/") && is_named(&[b"customdata.bin"])
}

/// Whether it is a log: `*.log`, `*.log.3`, `*.log-20260101`, the same compressed, anything below `var/log`.
fn is_log(path: &[u8], name: &[u8]) -> bool {
    let packed = [&b".gz"[..], b".xz", b".bz2", b".zst"];
    let name = packed.iter().find_map(|ending| name.strip_suffix(*ending)).unwrap_or(name);
    let rotation = name.windows(4).rposition(|part| part == b".log").map(|at| &name[at + 4..]);
    let is_rotation = |tail: &[u8]| tail.iter().all(|byte| byte.is_ascii_digit() || b".-".contains(byte));
    path.starts_with(b"var/log/") || rotation.is_some_and(is_rotation)
}

/// Words that name an environment, and its name.
const ENVIRONMENTS: [(&str, &[&str]); 4] = [
    ("production", &["prod", "production", "prd", "live"]),
    ("staging", &["stage", "staging", "stg", "preprod", "preproduction", "uat"]),
    ("development", &["dev", "develop", "development", "local"]),
    ("test", &["test", "qa", "ci"]),
];

/// The environment that `path` names, if it names one: the last component that does so decides. A word counts alone
/// (`values/prod/x`) or between separators (`app-prod.yaml`, `.env.production`), not within another (`product`).
pub fn environment(path: &[u8]) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    path.rsplit(|&byte| byte == b'/').find_map(|component| {
        let mut words = component.split(|byte| !byte.is_ascii_alphanumeric());
        words.find_map(|word| {
            let named = |names: &[&str]| names.iter().any(|name| name.as_bytes() == word);
            ENVIRONMENTS.iter().find(|(_, names)| named(names)).map(|(environment, _)| *environment)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_classes_and_environments() {
        let cases = [
            ("home/ann/.bash_history", Some("history"), None),
            ("x/PSReadLine/ConsoleHost_history.txt", Some("history"), None),
            ("var/log/auth", Some("log"), None),
            ("app/prod.log", Some("log"), Some("production")),
            ("a.log.3", Some("log"), None),
            ("a.log-20260101.gz", Some("log"), None),
            ("a.log.2.gz", Some("log"), None),
            ("a.log.gz", Some("log"), None),
            ("a.logic", None, None),
            ("blog/post.md", None, None),
            (".env.example", Some("template"), None),
            ("deploy/values-prod.yaml.j2", Some("template"), Some("production")),
            ("var/lib/cloud/instances/i-1/user-data.txt", Some("user-data"), None),
            ("var/lib/waagent/ovf-env.xml", Some("user-data"), None),
            ("AzureData/CustomData.bin", Some("user-data"), None),
            ("appsettings.Production.json", None, Some("production")),
            ("prod/dev/x", None, Some("development")),
            ("prod/product/delivery", None, Some("production")),
            ("latest/contest/prodigy", None, None),
            ("env/preprod/x", None, Some("staging")),
        ];
        for (path, expected, named) in cases {
            assert_eq!(class(path.as_bytes()), expected, "{path}");
            assert_eq!(environment(path.as_bytes()), named, "{path}");
        }
    }
}

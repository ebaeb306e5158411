//! What is known of a repository: its remote without credentials, its host, its name.

use crate::platform::Platform;

/// A remote as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    /// `origin`, …
    pub(super) name: String,
    /// Where it fetches from.
    pub(super) url: Option<String>,
    /// Whether a partial clone left objects there.
    pub(super) promisor: bool,
}

/// The URL that decides the host: of the only remote, else of `origin`; credentials stripped.
pub(super) fn deciding_url(remotes: &[Remote]) -> Option<String> {
    let remote = match remotes {
        [only] => only,
        several => several.iter().find(|remote| remote.name == "origin")?,
    };
    remote.url.as_deref().map(without_credentials)
}

/// The same URL without user, password, query and fragment; `host:path` becomes `ssh://host/path`.
///
/// Source: `git-fetch(1)`, "Git URLs", git 2.51, read 2026-11.
fn without_credentials(url: &str) -> String {
    if let Some((scheme, rest)) = url.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}{path}");
    }
    match url.split_once(':') {
        Some((host, path)) if !host.contains(['/', '\\']) && host.len() > 1 => {
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("ssh://{host}/{}", path.trim_start_matches('/'))
        }
        _ => url.to_owned(),
    }
}

/// The host of a URL as [`deciding_url`] gives it, in lower case, without port.
fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let host = rest.split(['/', ':']).next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The platform that hosts `url`, by its host alone.
pub(super) fn platform(url: &str) -> Option<Platform> {
    let host = host(url)?;
    let is = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
    if is("github.com") || is("ghe.com") {
        Some(Platform::GitHub)
    } else if is("dev.azure.com") || is("visualstudio.com") {
        Some(Platform::AzureDevOps)
    } else if is("gitlab.com") {
        Some(Platform::GitLab)
    } else {
        None
    }
}

/// A short name: the last component of the remote's path, else of the folder's, without `.git`.
pub(super) fn name(remote: Option<&str>, folder: &std::path::Path) -> String {
    let from_remote = remote.and_then(|url| last_component(url.split_once("://").map_or(url, |(_, rest)| rest)));
    let from_folder = || {
        let folder = if folder.file_name().is_some_and(|name| name == ".git") { folder.parent()? } else { folder };
        last_component(&folder.to_string_lossy())
    };
    from_remote.or_else(from_folder).unwrap_or_else(|| "repository".to_owned())
}

fn last_component(path: &str) -> Option<String> {
    let name = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next()?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_urls_and_hosts_decide_platforms() {
        let user = "u:hunter2@";
        let cases = [
            (format!("https://{user}github.com/o/r.git"), "https://github.com/o/r.git", Some(Platform::GitHub)),
            (format!("https://{user}evil@GitHub.com:443/o/r"), "https://GitHub.com:443/o/r", Some(Platform::GitHub)),
            ("git@github.com:o/r.git".into(), "ssh://github.com/o/r.git", Some(Platform::GitHub)),
            (
                "https://o@dev.azure.com/o/p/_git/r".into(),
                "https://dev.azure.com/o/p/_git/r",
                Some(Platform::AzureDevOps),
            ),
            ("git@ssh.dev.azure.com:v3/o/p/r".into(), "ssh://ssh.dev.azure.com/v3/o/p/r", Some(Platform::AzureDevOps)),
            ("https://o.visualstudio.com/p".into(), "https://o.visualstudio.com/p", Some(Platform::AzureDevOps)),
            ("https://gitlab.com/g/r?t=x#y".into(), "https://gitlab.com/g/r", Some(Platform::GitLab)),
            ("https://notgithub.com/o/r".into(), "https://notgithub.com/o/r", None),
            ("https://example.org/github.com/r".into(), "https://example.org/github.com/r", None),
            ("/srv/git/r.git".into(), "/srv/git/r.git", None),
            ("../r.git".into(), "../r.git", None),
            ("C:\\repos\\r".into(), "C:\\repos\\r", None),
            ("file:///srv/git/r.git".into(), "file:///srv/git/r.git", None),
        ];
        for (url, stripped, host) in cases {
            assert_eq!(without_credentials(&url), stripped);
            assert_eq!(platform(stripped), host, "{url}");
        }
    }

    #[test]
    fn of_several_remotes_only_origin_decides() {
        let remote = |name: &str| Remote { name: name.into(), url: Some(format!("https://h/{name}")), promisor: false };
        assert_eq!(deciding_url(&[]), None);
        assert_eq!(deciding_url(&[remote("a")]).as_deref(), Some("https://h/a"));
        assert_eq!(deciding_url(&[remote("a"), remote("b")]), None);
        assert_eq!(deciding_url(&[remote("a"), remote("origin")]).as_deref(), Some("https://h/origin"));
    }

    #[test]
    fn names_come_from_the_remote_then_the_folder() {
        let folder = std::path::Path::new("/src/thing/.git");
        assert_eq!(name(Some("https://h/o/r.git"), folder), "r");
        assert_eq!(name(None, folder), "thing");
        assert_eq!(name(None, std::path::Path::new("/srv/bare.git/")), "bare");
    }
}

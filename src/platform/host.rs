//! Remote URLs of repositories: whose host they name, what may be shown of them, links to a file there.
//!
//! Pure text. Only hosts that are known by name are recognised: a self-hosted server's name tells nothing, there the
//! user states the platform.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::Platform;

/// What is escaped in a path component: all but the unreserved characters of RFC 3986 section 2.3.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A remote URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Remote<'a> {
    /// `https`, `ssh`, …; `None` for the `user@host:path` form.
    scheme: Option<&'a str>,
    /// What stands before the `@`.
    user: Option<&'a str>,
    /// Host, as spelled, without port.
    host: &'a str,
    /// `:port`, or empty.
    port: &'a str,
    /// Path without the leading slash, without query and fragment.
    path: &'a str,
}

impl<'a> Remote<'a> {
    /// Takes `url` apart; `None` for paths and `file:` URLs (git-clone(1), "Git URLs").
    fn parse(url: &'a str) -> Option<Self> {
        let Some((scheme, rest)) = url.split_once("://") else { return Self::parse_short(url) };
        if scheme.eq_ignore_ascii_case("file") {
            return None;
        }
        let (user, rest) = split_user(rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = split_port(authority);
        (!host.is_empty()).then_some(Self { scheme: Some(scheme), user, host, port, path: bare_path(path) })
    }

    /// `[user@]host:path`, where no slash comes before the colon.
    fn parse_short(url: &'a str) -> Option<Self> {
        let (user, rest) = match url.split_once('@') {
            // A colon or slash before the `@` means that the `@` belongs to something else, or that what looks like
            // a user carries a password; neither is a form of git's.
            Some((user, rest)) if !user.contains(['/', ':']) => (Some(user), rest),
            _ => (None, url),
        };
        let (host, path) = rest.split_once(':')?;
        // One letter is a Windows drive.
        let is_host = host.len() > 1 && !host.contains(['/', '\\', '@']);
        is_host.then_some(Self { scheme: None, user, host, port: "", path: bare_path(path) })
    }

    /// The host in lower case, without a final dot.
    fn host(&self) -> String {
        self.host.trim_end_matches('.').to_ascii_lowercase()
    }

    /// The path's components, percent-decoded, without `.git` at the end.
    fn components(&self) -> Vec<Vec<u8>> {
        let path = self.path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let components = path.split('/').filter(|component| !component.is_empty());
        components.map(|component| percent_decode_str(component).collect()).collect()
    }
}

/// Splits the user information off. A password may hold a raw `/` or `@`, which no standard allows and people do; all
/// that could belong to it goes with it.
fn split_user(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let at = match authority.rfind('@') {
        Some(at) => Some(at),
        None if split_port(authority).1.is_empty() && authority.contains(':') && !authority.ends_with(':') => {
            rest.rfind('@')
        }
        None => None,
    };
    at.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]))
}

/// Splits `:port` off. Brackets around an IPv6 address keep their colons.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rfind(':') {
        Some(at) if authority[at + 1..].bytes().all(|byte| byte.is_ascii_digit()) && at + 1 < authority.len() => {
            authority.split_at(at)
        }
        _ => (authority, ""),
    }
}

/// A path without the leading slash, query and fragment.
fn bare_path(path: &str) -> &str {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path[..end].trim_start_matches('/')
}

/// The platform that hosts the repository at `url`; `None` for local paths and hosts not known by name.
pub fn of_remote(url: &str) -> Option<Platform> {
    let host = Remote::parse(url)?.host();
    match host.as_str() {
        "github.com" | "www.github.com" | "ssh.github.com" => Some(Platform::GitHub),
        "gitlab.com" | "www.gitlab.com" | "altssh.gitlab.com" => Some(Platform::GitLab),
        "dev.azure.com" | "ssh.dev.azure.com" => Some(Platform::AzureDevOps),
        host if host.ends_with(".ghe.com") => Some(Platform::GitHub),
        host if host.ends_with(".visualstudio.com") => Some(Platform::AzureDevOps),
        _ => None,
    }
}

/// `url` without anything that may be a credential: user information (but for the customary `git@`), query, fragment.
/// Local paths come back as they are.
pub fn strip_credentials(url: &str) -> String {
    let Some(remote) = Remote::parse(url) else { return url.to_owned() };
    let Remote { scheme, user, host, port, path } = remote;
    let user = if user == Some("git") { "git@" } else { "" };
    match scheme {
        Some(scheme) if path.is_empty() => format!("{scheme}://{user}{host}{port}"),
        Some(scheme) => format!("{scheme}://{user}{host}{port}/{path}"),
        None => format!("{user}{host}:{path}"),
    }
}

/// The web page of a file in a commit, at a 1-based line. `path` is raw bytes below the repository's top, `commit` the
/// full id in hex. `None` where no page is known: other platforms, local remotes, paths of another shape.
///
/// Sources: GitHub's "Getting permanent links to files", GitLab's "File management" (`/-/blob/`), Azure Repos' own
/// links (`path`, `version=GC…`, `line`); read 2026-11.
pub fn file_url(remote: &str, platform: Platform, commit: &str, path: &[u8], line: Option<u64>) -> Option<String> {
    let remote = Remote::parse(remote)?;
    if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) || path.is_empty() {
        return None;
    }
    let components = remote.components();
    let file = encode(path.split(|&byte| byte == b'/'));
    let anchor = line.map(|line| format!("#L{line}")).unwrap_or_default();
    // Over SSH the port is not the web server's.
    let is_web = remote.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let host = match remote.host().as_str() {
        "ssh.github.com" => "github.com".to_owned(),
        "altssh.gitlab.com" => "gitlab.com".to_owned(),
        host if is_web => format!("{host}{}", remote.port),
        host => host.to_owned(),
    };
    let repository = encode(components.iter().map(Vec::as_slice));
    match platform {
        Platform::GitHub if components.len() == 2 => {
            Some(format!("https://{host}/{repository}/blob/{commit}/{file}{anchor}"))
        }
        Platform::GitLab if components.len() >= 2 => {
            Some(format!("https://{host}/{repository}/-/blob/{commit}/{file}{anchor}"))
        }
        Platform::AzureDevOps => {
            let repository = azure_repository(&remote, &components)?;
            let line = line.map(|line| {
                let next = line.saturating_add(1);
                format!("&line={line}&lineEnd={next}&lineStartColumn=1&lineEndColumn=1")
            });
            let line = line.unwrap_or_default();
            Some(format!("{repository}?path=/{file}&version=GC{commit}{line}"))
        }
        _ => None,
    }
}

/// The web page of an Azure repository.
fn azure_repository(remote: &Remote<'_>, components: &[Vec<u8>]) -> Option<String> {
    let host = remote.host();
    let mut components: Vec<&[u8]> = components.iter().map(Vec::as_slice).collect();
    if host == "ssh.dev.azure.com" || host == "vs-ssh.visualstudio.com" {
        // v3/organisation/project/repository
        let [b"v3", organisation, project, repository] = components[..] else { return None };
        let path = encode([organisation, project, b"_git", repository].into_iter());
        return Some(format!("https://dev.azure.com/{path}"));
    }
    if components.first().is_some_and(|first| first.eq_ignore_ascii_case(b"DefaultCollection")) {
        components.remove(0);
    }
    let is_git = components.len() >= 2 && components[components.len() - 2] == b"_git";
    is_git.then(|| format!("https://{host}/{}", encode(components.into_iter())))
}

/// Components, each percent-encoded, joined by `/`.
fn encode<'a>(components: impl Iterator<Item = &'a [u8]>) -> String {
    components.map(|component| percent_encode(component, COMPONENT).to_string()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_known_by_name() {
        let cases = [
            ("https://github.com/o/r.git", Some(Platform::GitHub)),
            ("HTTPS://x:y@GitHub.com.:443/o/r", Some(Platform::GitHub)),
            ("git@github.com:o/r.git", Some(Platform::GitHub)),
            ("ssh://git@ssh.github.com:443/o/r.git", Some(Platform::GitHub)),
            ("https://octo.ghe.com/o/r", Some(Platform::GitHub)),
            ("git@gitlab.com:g/s/r.git", Some(Platform::GitLab)),
            ("https://org@dev.azure.com/org/p/_git/r", Some(Platform::AzureDevOps)),
            ("git@ssh.dev.azure.com:v3/org/p/r", Some(Platform::AzureDevOps)),
            ("https://org.visualstudio.com/p/_git/r", Some(Platform::AzureDevOps)),
            ("org@vs-ssh.visualstudio.com:v3/org/p/r", Some(Platform::AzureDevOps)),
            ("https://git.example.com/o/r", None),
            ("https://github.com.evil.example/o/r", None),
            ("https://evil.example/github.com/o/r", None),
            ("https://github.com@evil.example/o/r", None),
            ("https://notghe.com/o/r", None),
            ("/srv/git/github.com/r", None),
            ("../r", None),
            ("C:/repos/r", None),
            ("file:///srv/github.com", None),
            ("", None),
        ];
        for (url, expected) in cases {
            assert_eq!(of_remote(url), expected, "{url}");
        }
    }

    #[test]
    fn credentials_are_stripped() {
        let cases = [
            ("https://user:word@github.com/o/r.git", "https://github.com/o/r.git"),
            ("https://token@github.com/o/r.git", "https://github.com/o/r.git"),
            ("https://user:wo/rd@github.com/o/r.git", "https://github.com/o/r.git"),
            ("https://user:w@rd@github.com/o/r", "https://github.com/o/r"),
            ("https://host.example/o/r?private_token=x#y", "https://host.example/o/r"),
            ("https://host.example:8443/o/r", "https://host.example:8443/o/r"),
            ("https://host.example:8443/o/r@v1", "https://host.example:8443/o/r@v1"),
            ("https://[::1]:8443/o/r", "https://[::1]:8443/o/r"),
            ("https://host.example", "https://host.example"),
            ("git@github.com:o/r.git", "git@github.com:o/r.git"),
            ("ssh://git@github.com/o/r", "ssh://git@github.com/o/r"),
            ("ssh://git:word@github.com/o/r", "ssh://github.com/o/r"),
            ("token@github.com:o/r", "github.com:o/r"),
            ("/srv/git/r@2", "/srv/git/r@2"),
        ];
        for (url, expected) in cases {
            assert_eq!(strip_credentials(url), expected, "{url}");
        }
    }

    #[test]
    fn files_have_web_pages() {
        let id = "0123abcd";
        let (hub, lab, azure) = (Platform::GitHub, Platform::GitLab, Platform::AzureDevOps);
        let azure_page = "https://dev.azure.com/org/My%20P/_git/r?path=/a/b%23c&version=GC0123abcd&line=7&lineEnd=8\
                          &lineStartColumn=1&lineEndColumn=1";
        let cases = [
            ("git@github.com:o/r.git", hub, "https://github.com/o/r/blob/0123abcd/a/b%23c#L7"),
            ("ssh://git@ssh.github.com:443/o/r", hub, "https://github.com/o/r/blob/0123abcd/a/b%23c#L7"),
            ("https://x:y@git.example:8443/o/r/", hub, "https://git.example:8443/o/r/blob/0123abcd/a/b%23c#L7"),
            ("git@gitlab.com:g/s/r.git", lab, "https://gitlab.com/g/s/r/-/blob/0123abcd/a/b%23c#L7"),
            ("https://org@dev.azure.com/org/My%20P/_git/r", azure, azure_page),
            ("git@ssh.dev.azure.com:v3/org/My%20P/r", azure, azure_page),
        ];
        for (remote, platform, expected) in cases {
            assert_eq!(file_url(remote, platform, id, b"a/b#c", Some(7)).as_deref(), Some(expected), "{remote}");
        }
        let old = file_url("https://org.visualstudio.com/DefaultCollection/p/_git/r", azure, id, b"\xff \n", None);
        assert_eq!(old.as_deref(), Some("https://org.visualstudio.com/p/_git/r?path=/%FF%20%0A&version=GC0123abcd"));
        for (remote, platform, commit) in [
            ("git@github.com:o/r", hub, "HEAD"),
            ("git@github.com:o", hub, id),
            ("/srv/r", hub, id),
            ("https://dev.azure.com/org/p", azure, id),
            ("git@github.com:o/r", Platform::Aws, id),
        ] {
            assert_eq!(file_url(remote, platform, commit, b"a", None), None, "{remote}");
        }
    }
}

//! Links to the page of a code host where a place can be seen.
//!
//! In: the remote URL of a repository, credentials already stripped by its source (and stripped here again, since a
//! link is the last thing that may carry one). Out: `https` URLs of GitHub, GitLab and Azure DevOps; nothing for
//! hosts we can't name.
//! Source of the URL forms: GitHub "Getting permanent links to files", GitLab "File URLs", Azure Repos' own address
//! bar and "Use Git ssh" (`v3` paths), read 2026-11.

use crate::finding::Sighting;
use crate::place::Part;
use crate::platform::Platform;
use crate::report::escape::percent;
use crate::secret::REDACTED;
use crate::source::RepositoryFacts;

/// A repository's page on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Its platform.
    platform: Platform,
    /// `https://host/path`, percent-encoded, without a trailing slash or `.git`.
    url: String,
}

impl Repository {
    /// The page of the repository, if its remote leads to a host whose links we know.
    pub(crate) fn of(facts: &RepositoryFacts) -> Option<Self> {
        let platform = facts.platform?;
        let (host, path) = host_and_path(facts.remote.as_deref()?)?;
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let segments: Vec<_> = path.split('/').collect();
        let url = match platform {
            Platform::GitHub | Platform::GitLab => format!("https://{host}/{path}"),
            Platform::AzureDevOps => match (segments.as_slice(), host.as_str()) {
                (["v3", organisation, project, repository], "ssh.dev.azure.com") => {
                    format!("https://dev.azure.com/{organisation}/{project}/_git/{repository}")
                }
                (["v3", organisation, project, repository], "vs-ssh.visualstudio.com") => {
                    format!("https://{organisation}.visualstudio.com/{project}/_git/{repository}")
                }
                (segments, _) if segments.contains(&"_git") => format!("https://{host}/{path}"),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { platform, url })
    }

    /// The repository's own page.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The page that shows a place, at its line where the host can do that. None for a masked path: it leads nowhere.
    pub(crate) fn page(&self, seen: &Sighting) -> Option<String> {
        let provenance = &seen.place.provenance;
        if memchr::memmem::find(&provenance.path, REDACTED.as_bytes()).is_some() {
            return None;
        }
        let commit = &seen.place.last.as_ref().or(seen.place.first.as_ref())?.id;
        let url = &self.url;
        let path = percent(&provenance.path);
        let (line, end) = (seen.region.start.line, seen.region.end.line);
        match provenance.part {
            Part::CommitMessage | Part::CommitIdentity => Some(match self.platform {
                Platform::GitLab => format!("{url}/-/commit/{commit}"),
                _ => format!("{url}/commit/{commit}"),
            }),
            Part::Content | Part::LinkTarget | Part::PathName if !path.is_empty() => {
                let lines = provenance.part == Part::Content && provenance.members.is_empty();
                Some(match (self.platform, lines) {
                    (Platform::AzureDevOps, true) => format!(
                        "{url}?path=/{path}&version=GC{commit}&line={line}&lineEnd={end}&lineStartColumn={}&lineEndColumn={}",
                        seen.region.start.column, seen.region.end.column
                    ),
                    (Platform::AzureDevOps, false) => format!("{url}?path=/{path}&version=GC{commit}"),
                    (Platform::GitLab, true) => format!("{url}/-/blob/{commit}/{path}#L{line}-{end}"),
                    (Platform::GitLab, false) => format!("{url}/-/blob/{commit}/{path}"),
                    (_, true) => format!("{url}/blob/{commit}/{path}#L{line}-L{end}"),
                    (_, false) => format!("{url}/blob/{commit}/{path}"),
                })
            }
            _ => None,
        }
    }
}

/// A remote as an absolute URI without credentials, for formats that want one; `None` for paths of this machine
/// (they would name it) and for whatever is no URI.
pub(crate) fn repository_uri(remote: &str) -> Option<String> {
    let (host, path) = host_and_path(remote)?;
    let scheme = match remote.split_once("://") {
        Some((scheme, _)) => scheme.to_ascii_lowercase(),
        None => "ssh".to_owned(),
    };
    Some(format!("{scheme}://{host}/{}", path.trim_start_matches('/')))
}

/// Host (with port) and percent-encoded path of `https://host/path`, `ssh://git@host/path` or `git@host:path`.
fn host_and_path(remote: &str) -> Option<(String, String)> {
    let (authority, path, ssh) = match remote.split_once("://") {
        Some((scheme, rest)) => {
            let ssh = scheme.eq_ignore_ascii_case("ssh");
            if !ssh && !["https", "http", "git"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return None;
            }
            let (authority, path) = rest.split_once('/')?;
            (authority, path, ssh)
        }
        None => {
            // `host:path`, but not `/srv/x`, `./x:y` nor a drive letter.
            let (authority, path) = remote.split_once(':')?;
            if authority.contains('/') || authority.contains('\\') || authority.len() < 2 {
                return None;
            }
            (authority, path, true)
        }
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_credentials, host)| host);
    // A port of the ssh service says nothing about the web pages.
    let host = if ssh { host.split(':').next().unwrap_or(host) } else { host };
    let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    if host.is_empty() || !named || path.is_empty() {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or(path);
    Some((host.to_ascii_lowercase(), encode_once(path)))
}

/// Percent-encodes what a URI path can't hold and leaves escapes that are there alone.
fn encode_once(path: &str) -> String {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    percent(&decoded)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::location::{Position, Region};
    use crate::place::{Commit, Place, Provenance, State};

    fn repository(platform: Platform, remote: &str) -> Option<Repository> {
        Repository::of(&RepositoryFacts {
            remote: Some(remote.to_owned()),
            platform: Some(platform),
            ..RepositoryFacts::default()
        })
    }

    fn seen(part: Part, path: &[u8]) -> Sighting {
        let commit = Arc::new(Commit { id: "c0ffee".into(), author_time: 0, committer_time: 0, order: 0 });
        Sighting {
            place: Place {
                provenance: Provenance { path: path.to_vec(), part, ..Provenance::default() },
                state: State::Tip,
                first: Some(commit),
                last: None,
                reference: None,
            },
            region: Region { start: Position { line: 3, column: 5 }, end: Position { line: 3, column: 9 } },
            excerpt: String::new(),
            line_hash: None,
            object: None,
            line_hash_raw: None,
            occurrences: 1,
            more: Vec::new(),
            versions: 1,
            name: None,
            view: None,
            target: Default::default(),
            companions: vec![],
        }
    }

    #[test]
    fn links_lead_to_the_line_on_each_host() {
        let cases = [
            (Platform::GitHub, "https://github.com/a/b.git", "https://github.com/a/b/blob/c0ffee/d%20/%C3%BC#L3-L3"),
            (Platform::GitHub, "git@github.com:a/b.git", "https://github.com/a/b/blob/c0ffee/d%20/%C3%BC#L3-L3"),
            (
                Platform::GitHub,
                "https://me:pw@ghe.example:8443/a/b",
                "https://ghe.example:8443/a/b/blob/c0ffee/d%20/%C3%BC#L3-L3",
            ),
            (
                Platform::GitLab,
                "ssh://git@gitlab.com:22/g/s/p.git",
                "https://gitlab.com/g/s/p/-/blob/c0ffee/d%20/%C3%BC#L3-3",
            ),
            (
                Platform::AzureDevOps,
                "git@ssh.dev.azure.com:v3/org/My Project/r",
                "https://dev.azure.com/org/My%20Project/_git/r?path=/d%20/%C3%BC&version=GCc0ffee&line=3&lineEnd=3&lineStartColumn=5&lineEndColumn=9",
            ),
            (
                Platform::AzureDevOps,
                "https://org@dev.azure.com/org/My%20Project/_git/r",
                "https://dev.azure.com/org/My%20Project/_git/r?path=/d%20/%C3%BC&version=GCc0ffee&line=3&lineEnd=3&lineStartColumn=5&lineEndColumn=9",
            ),
        ];
        for (platform, remote, expected) in cases {
            let page =
                repository(platform, remote).and_then(|found| found.page(&seen(Part::Content, "d /ü".as_bytes())));
            assert_eq!(page.as_deref(), Some(expected), "{remote}");
        }
        let github = repository(Platform::GitHub, "https://github.com/a/b").expect("a GitHub remote");
        assert_eq!(
            github.page(&seen(Part::CommitMessage, b"")).as_deref(),
            Some("https://github.com/a/b/commit/c0ffee")
        );
        assert_eq!(github.page(&seen(Part::Tag, b"")), None);
        assert_eq!(github.page(&seen(Part::Content, format!("a/{REDACTED}").as_bytes())), None);
        assert_eq!(repository(Platform::Azure, "https://github.com/a/b"), None);
    }

    #[test]
    fn remotes_become_uris_without_credentials_and_never_local_paths() {
        let cases = [
            ("https://user:token@host.example/a b.git?x=y", Some("https://host.example/a%20b.git")),
            ("git@host.example:a/b.git", Some("ssh://host.example/a/b.git")),
            ("SSH://git@host.example:22/a", Some("ssh://host.example/a")),
            ("/srv/git/a", None),
            ("../a", None),
            ("C:\\git\\a", None),
            ("file:///srv/git/a", None),
            ("https://ho st/a", None),
            ("https://host.example", None),
        ];
        for (remote, expected) in cases {
            assert_eq!(repository_uri(remote).as_deref(), expected, "{remote}");
        }
    }
}

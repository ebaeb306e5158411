//! Where bytes come from. A source hands blobs to a visitor and has never heard of a rule.
//!
//! In: a root the user named. Out: blobs, each content once, and every byte that could not be read as an
//! [`Unread`]. Placing (who may see it, is it a test) is asked of [`crate::policy::Policy`], matching is the
//! visitor's.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use gix::hash::oid;

use crate::blob::{Blob, ContentId, Edits, Patch};
use crate::observe::Observation;
use crate::place::Located;

pub mod files;
mod folder;
pub mod git;
mod gitignore;
pub mod mounted;
mod reader;
pub mod stream;
#[cfg(test)]
pub(crate) mod testing;
pub mod threads;
mod tree;

/// Walks a forest of byte strings. `State` is what the visitor made of the parent; a source hands it to the
/// children and never looks inside. Sources without deltas pass no parent.
pub trait Visitor: Sync {
    /// What the visitor wants to know again when it sees a child.
    type State: Send + Sync;

    /// Takes one blob. Called from any thread, once per content (once per window for huge ones).
    fn visit(&self, parent: Option<(&Self::State, &Edits)>, blob: Blob<'_>) -> Self::State;

    /// How many bytes of memory a state takes, about. A source that keeps within a limit drops some, and visits what is
    /// made of the blob without a parent.
    fn weight(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// Whether [`Visitor::knows`] may know anything.
    fn remembers(&self) -> bool {
        false
    }

    /// Whether the git blob `id` is known to hold nothing to report: then it isn't visited. `len` tells its length in
    /// bytes, if it is here; it isn't asked for blobs of which nothing is known. Asked at most once for each blob of a
    /// walk, and not for texts that are no blobs.
    fn knows(&self, id: &oid, len: impl FnOnce() -> Option<u64>) -> bool {
        let _ = (id, len);
        false
    }

    /// Looks at a git blob of which only its parent and what changed are at hand, which nothing is a child of, and which
    /// stands for nothing else. `true` settles it: it is not put together and not visited. `false` has it visited.
    fn glance(&self, parent: &Self::State, patch: &Patch<'_>, id: ContentId) -> bool {
        let _ = (parent, patch, id);
        false
    }

    /// Whether every blob is wanted whole and by itself: no parent is passed then, and there is no glancing.
    fn in_full(&self) -> bool {
        false
    }

    /// Something we were asked to scan could not be read: the run ends with exit code 3.
    fn unread(&self, what: Unread);

    /// Policy left `count` things out.
    fn excluded(&self, why: Excluded, count: u64);

    /// Something that is listed and neither scanned nor unread (submodules, devices, pseudo file systems).
    fn listed(&self, what: Listed);

    /// A fact later rooms need and that is no finding.
    fn observe(&self, fact: Observation);

    /// A sentence for the user: a hint or a warning that doesn't change the exit code.
    fn note(&self, text: String);

    /// Whether a scan of `text` would find anything at all, matches that are dropped later included. A source may ask
    /// it of what repeats, so as to hand out only where it stands. May say yes too often.
    fn suspects(&self, text: &[u8]) -> bool {
        let _ = text;
        true
    }

    /// Whether to stop early (deadline, signal). Sources ask between blobs, report what is left as unread, return.
    fn stop(&self) -> bool {
        false
    }
}

/// Something that can be scanned. One value is one root.
pub trait Source: Sync {
    /// Hands every blob to `visitor`, each content once.
    ///
    /// # Errors
    /// Only what keeps the whole root from being scanned; whatever else fails becomes an [`Unread`].
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError>;

    /// Where the wanted contents are: at least one [`Located`] each, for contents visited without provenance.
    /// Called once, after [`Source::walk`], and only when something matched.
    ///
    /// # Errors
    /// As [`Source::walk`].
    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let _ = wanted;
        Ok(Vec::new())
    }

    /// The bytes of a content named in a [`crate::place::Before`].
    ///
    /// # Errors
    /// The content is missing or damaged.
    fn read(&self, id: ContentId) -> Result<Vec<u8>, Unread> {
        Err(Unread::new(UnreadKind::Missing, id.to_string(), "this source keeps no contents"))
    }

    /// The folder that names the repository whose blobs are visited, links resolved: what is known of blobs from earlier
    /// walks is kept by it. `None` when contents have no lasting ids.
    fn store(&self) -> Option<PathBuf> {
        None
    }

    /// What is known of the root itself. Called after [`Source::walk`].
    fn root(&self) -> RootFacts;
}

/// What a source knows of its root, for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootFacts {
    /// Kind of scan: `staged`, `diff`, `history`, `files`, `image`.
    pub kind: &'static str,
    /// The root as the user spelled it.
    pub spelled: String,
    /// A stable short name: the repository's name from its remote, else the folder's name.
    pub name: String,
    /// Set when the root is a git repository.
    pub repository: Option<RepositoryFacts>,
    /// Set when the root is a machine's disk.
    pub machine: Option<crate::platform::Machine>,
}

impl RootFacts {
    /// The platform that the root shows by itself.
    pub fn platform(&self) -> Option<crate::platform::Platform> {
        let machine = self.machine.as_ref().and_then(|machine| machine.platform);
        machine.or_else(|| self.repository.as_ref().and_then(|repository| repository.platform))
    }
}

/// What is known of a scanned repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// URL of the remote that decides the host, with credentials stripped.
    pub remote: Option<String>,
    /// The host's platform, when known.
    pub platform: Option<crate::platform::Platform>,
    /// Commit that HEAD names, hex.
    pub head: Option<String>,
    /// Branch that HEAD names, without `refs/heads/`.
    pub branch: Option<String>,
    /// Start and end of the range, hex, for `diff`.
    pub range: Option<(Option<String>, String)>,
    /// How many refs, commits, trees, tags and blobs were scanned.
    pub refs: u64,
    /// Commits scanned.
    pub commits: u64,
    /// Alternate object folders that were followed.
    pub alternates: Vec<String>,
}

/// Something we were asked to scan and couldn't.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Path below the root, object id or whatever names it best. May hold bytes from scanned data: escape it.
    pub what: Vec<u8>,
    /// Why.
    pub kind: UnreadKind,
    /// What happened and how to mend it, in one line.
    pub detail: String,
    /// Content id in hex, where it has one; `[[accept-unread]]` can name it.
    pub object: Option<String>,
}

impl Unread {
    /// An unread thing named `what`.
    pub fn new(kind: UnreadKind, what: impl Into<Vec<u8>>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), kind, detail: detail.into(), object: None }
    }

    /// The same with an object id.
    pub fn object(mut self, id: impl fmt::Display) -> Self {
        self.object = Some(id.to_string());
        self
    }
}

/// Why something is unread. The words are part of the report formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UnreadKind {
    /// An object or file that something names is not there.
    Missing,
    /// Its bytes are damaged.
    Corrupt,
    /// History is cut here by a shallow clone.
    Shallow,
    /// A partial clone left it on the server.
    Promised,
    /// The Git LFS object is not in this clone.
    LfsAbsent,
    /// Permission was refused.
    Permission,
    /// Any other input/output error.
    Io,
    /// It changed while it was read.
    Changed,
    /// A default limit was hit.
    Limit,
    /// Encrypted.
    Encrypted,
    /// A format we can't read.
    Unsupported,
    /// The deadline came first.
    Deadline,
    /// A signal came first.
    Signal,
    /// Our own code failed on it.
    Panic,
    /// Reading it would change its access time.
    AccessTime,
    /// Two of our own engines disagree on it.
    Mismatch,
}

impl UnreadKind {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Shallow => "shallow",
            Self::Promised => "promised",
            Self::LfsAbsent => "lfs-absent",
            Self::Permission => "permission",
            Self::Io => "io",
            Self::Changed => "changed",
            Self::Limit => "limit",
            Self::Encrypted => "encrypted",
            Self::Unsupported => "unsupported",
            Self::Deadline => "deadline",
            Self::Signal => "signal",
            Self::Panic => "panic",
            Self::AccessTime => "access-time",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Why policy left something out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Excluded {
    /// A directory recognised as tests.
    TestDirectory,
    /// A file in such a directory.
    TestFile,
    /// A glob of `--exclude` or the configuration.
    ExcludeGlob,
    /// An allowlist of a rule file, by the path or commit of a finding.
    Allowlist,
    /// A limit the user set.
    UserLimit,
    /// Ignored by git, under `--gitignore`.
    Gitignored,
    /// Findings under the confidence threshold.
    LowConfidence,
    /// Unread items that the configuration accepts.
    AcceptedUnread,
}

impl Excluded {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::TestDirectory => "test-directory",
            Self::TestFile => "test-file",
            Self::ExcludeGlob => "exclude",
            Self::Allowlist => "allowlist",
            Self::UserLimit => "user-limit",
            Self::Gitignored => "gitignored",
            Self::LowConfidence => "low-confidence",
            Self::AcceptedUnread => "accepted-unread",
        }
    }
}

/// Something listed: there, not ours to read, no reason to doubt the result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Path below the root. May hold bytes from scanned data: escape it.
    pub path: Vec<u8>,
    /// `submodule`, `device`, `socket`, `fifo`, `pseudo file system`, `other file system`.
    pub what: Cow<'static, str>,
}

/// What keeps a whole root from being scanned.
#[derive(Debug, thiserror::Error)]
#[error("{}{kind}", lead(.root, .kind))]
pub struct SourceError {
    /// The root as the user spelled it.
    pub root: String,
    /// What happened.
    #[source]
    pub kind: SourceErrorKind,
}

/// The ways a root can be unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// Not there.
    #[error("no such file or folder")]
    NotFound,
    /// Not a git repository.
    #[error("not a git repository (to scan a plain folder: `keytrail files`)")]
    NotARepository,
    /// A repository of a kind we can't open.
    #[error("can't open this repository: {0}")]
    Repository(String),
    /// A revision the user (or the pipeline) named is not there.
    #[error("revision `{0}` is not here: {1}")]
    Revision(String, String),
    /// Nothing tells which range to scan.
    #[error("{0}")]
    NoRange(String),
    /// Input/output.
    #[error("{}", told(.0))]
    Io(#[from] std::io::Error),
}

/// What happened, without the system's number.
fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The root's name before what happened to it. A range is a matter of the repository we stand in, which needs no name.
fn lead(root: &str, kind: &SourceErrorKind) -> String {
    match kind {
        SourceErrorKind::Revision(..) | SourceErrorKind::NoRange(_) if root == "." => String::new(),
        _ => format!("{root}: "),
    }
}

impl SourceError {
    /// An error about `root`.
    pub fn new(root: impl Into<String>, kind: SourceErrorKind) -> Self {
        Self { root: root.into(), kind }
    }
}

//! Where a secret was seen: provenance as sources report it, places as findings keep them.

use std::sync::Arc;

use crate::blob::ContentId;

/// The facts of where a blob was seen, as its source knows them at once (files, disks, the index).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Path below the scan root: raw bytes, `/`-separated, no leading slash. Empty for what has no path.
    pub path: Vec<u8>,
    /// Names of the members inside containers, outermost first.
    pub members: Vec<Vec<u8>>,
    /// Which part of the thing at `path` was scanned.
    pub part: Part,
    /// What the file system says of the file.
    pub file: Option<FileFacts>,
}

/// Which part of a thing a secret stood in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The content of a file.
    #[default]
    Content,
    /// The target a symbolic link names.
    LinkTarget,
    /// The path itself.
    PathName,
    /// A commit's message.
    CommitMessage,
    /// Any other free text in a commit: author, committer, encoding, extra headers.
    CommitIdentity,
    /// An annotated tag: its name, tagger or message.
    Tag,
    /// A note (the content of a blob below `refs/notes/`).
    Note,
    /// The name of a ref.
    RefName,
}

impl Part {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::LinkTarget => "link target",
            Self::PathName => "path name",
            Self::CommitMessage => "commit message",
            Self::CommitIdentity => "commit author",
            Self::Tag => "tag",
            Self::Note => "note",
            Self::RefName => "ref name",
        }
    }
}

/// What `fstat` said before the first read. Times are seconds since 1970, UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileFacts {
    /// Size in bytes.
    pub size: u64,
    /// Permission bits and file type (`st_mode`); 0 where the system has none.
    pub mode: u32,
    /// Owner's user id; `None` where the system has none.
    pub uid: Option<u32>,
    /// Last change of the content.
    pub modified: Option<i64>,
    /// Last access, before this scan touched it.
    pub accessed: Option<i64>,
}

/// A commit as reports name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full id in hex.
    pub id: String,
    /// Author date: seconds since 1970, UTC.
    pub author_time: i64,
    /// Committer date: seconds since 1970, UTC.
    pub committer_time: i64,
    /// Position in the walk that puts out parents first; the smallest is the oldest.
    pub order: u32,
}

/// How alive a place is. The order is the order of places in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// At the tip of the default branch (HEAD).
    DefaultTip,
    /// At the tip of another branch, tag or ref.
    Tip,
    /// In the index, not committed there.
    Index,
    /// On the file system or in a stream: there is no history to speak of.
    Present,
    /// Only in older commits.
    HistoryOnly,
    /// In no commit that any ref, reflog or worktree reaches.
    Unreachable,
}

impl State {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::DefaultTip => "default tip",
            Self::Tip => "tip",
            Self::Index => "index",
            Self::Present => "present",
            Self::HistoryOnly => "history only",
            Self::Unreachable => "unreachable",
        }
    }
}

/// One place of a content: source + path + members. Successive versions of one file are one place, so the
/// conductor folds places that differ only in content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where, without history.
    pub provenance: Provenance,
    /// How alive it is.
    pub state: State,
    /// The first commit that holds this content here.
    pub first: Option<Arc<Commit>>,
    /// The last commit that holds this content here.
    pub last: Option<Arc<Commit>>,
    /// A ref that leads here, where that says more than the commit does (stash, notes, tag, pull request).
    pub reference: Option<Vec<u8>>,
}

/// What a source answers when the conductor asks where contents with matches are.
#[derive(Clone, Debug)]
pub struct Located {
    /// Which content.
    pub content: ContentId,
    /// For [`crate::blob::ObjectPart::Names`]: the 0-based line of the name that stands at `place`; else `None`.
    pub line: Option<u64>,
    /// Where it is.
    pub place: Place,
    /// What the place held before, for sources that ask what is new.
    pub before: Before,
}

/// The old side of a place. A secret is *introduced* when the content holds it more often than the old side.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Before {
    /// The source reports everything it holds, new or not.
    #[default]
    NotAsked,
    /// The same path on each old side (HEAD, and MERGE_HEAD during a merge): introduced when no one side holds the
    /// secret as often. An empty list is an unborn history: all is new. `None`: the path wasn't there.
    Sides(Vec<Option<ContentId>>),
    /// An added path: the contents of all paths that the same change removed are a common pool, each occurrence in
    /// it excusing one occurrence in an added path (a rename, pure or edited).
    Removed(Arc<RemovedPool>),
}

/// The contents of the paths that one change removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedPool {
    /// Which change: places with the same number draw from the same pool.
    pub change: usize,
    /// For each old side, the contents removed. A secret is excused when any one side has it left.
    pub contents: Vec<Vec<ContentId>>,
}

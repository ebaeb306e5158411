//! Blobs: byte strings with a content id, scanned once, and what changed in them since their parent.

use std::fmt;

use crate::location::{Position, Span};
use crate::place::Provenance;

/// Names a content within one scan. Two blobs with one id hold the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentId {
    /// A git object, or a part of one that is scanned as a text of its own.
    Object(ObjectPart, gix::ObjectId),
    /// The n-th content a source handed out that has no id of its own (files, standard input).
    Serial(u64),
}

/// Which text of a git object is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectPart {
    /// A blob's bytes.
    Blob,
    /// A tree's entry names, one a line, in tree order. `\n` inside a name is written as `/`, which no name holds.
    Names,
    /// A commit's headers that hold free text, and its message: everything after the `parent` lines.
    Commit,
    /// An annotated tag, from its `tag` line on.
    Tag,
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(_, id) => write!(f, "{id}"),
            Self::Serial(n) => write!(f, "content {n}"),
        }
    }
}

/// A byte string on its way to the engine.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// Its content id.
    pub id: ContentId,
    /// The bytes in hand: all of the content, or a window of it.
    pub bytes: &'a [u8],
    /// Which part of the content `bytes` is.
    pub window: Window,
    /// Where it was seen, if the source knows now; `None` when [`crate::source::Source::locate`] tells later.
    pub provenance: Option<&'a Provenance>,
    /// Whether what is found in the bytes holds wherever its id is met again: they are all of a git blob, some, and stand
    /// for nothing else.
    pub is_lasting: bool,
}

impl<'a> Blob<'a> {
    /// A blob with all its bytes, whose provenance the source tells later.
    pub fn whole(id: ContentId, bytes: &'a [u8]) -> Self {
        Self { id, bytes, window: Window::whole(bytes.len()), provenance: None, is_lasting: false }
    }

    /// All of a git blob. `is_pointer`: it stands for a file that is kept elsewhere.
    pub fn of_git(id: gix::ObjectId, bytes: &'a [u8], is_pointer: bool) -> Self {
        Self {
            is_lasting: !is_pointer && !bytes.is_empty(),
            ..Self::whole(ContentId::Object(ObjectPart::Blob, id), bytes)
        }
    }
}

/// Which part of a content a blob's bytes are. Huge contents come in overlapping windows: the bytes of `own` are
/// this window's to report, those around it are context.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Offset in the content of the first byte in hand.
    pub offset: u64,
    /// Line and column of the first byte in hand.
    pub origin: Position,
    /// The bytes (relative to those in hand) in which a match must start to be this window's.
    pub own: Span,
    /// Whether this is all of the content. Windows of a longer one have no whole-file facts (line hashes).
    pub whole: bool,
}

impl Window {
    /// The window that is the whole content of `len` bytes.
    pub fn whole(len: usize) -> Self {
        Self { offset: 0, origin: Position::START, own: Span::new(0, len), whole: true }
    }
}

/// How a blob came about from its parent: in order, without gaps, covering the whole child.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits(pub Vec<Edit>);

/// One step of [`Edits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The child's bytes `to` equal the parent's bytes from `from` on.
    Copy {
        /// Range in the child.
        to: Span,
        /// Start in the parent.
        from: usize,
    },
    /// The child's bytes `to` are new.
    Insert {
        /// Range in the child.
        to: Span,
        /// Where the same bytes start in the inflated delta.
        from: usize,
    },
}

/// A child that is not put together yet: what there is to tell whether it has to be.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// The parent's bytes; [`Edit::Copy`] reads from them.
    pub base: &'a [u8],
    /// The inflated delta; [`Edit::Insert`] reads from it.
    pub delta: &'a [u8],
    /// How the child is made of the two.
    pub edits: &'a Edits,
    /// How long the child will be, in bytes.
    pub len: usize,
}

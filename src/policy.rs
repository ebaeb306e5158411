//! Who may be scanned: test directories, excludes. Rules know nothing of paths; this room knows nothing else.
//!
//! In: directory names as a source meets them, top down, and the listings around them when asked for. Out: a [`Dir`]
//! per directory, so small that sources memoise by it, and [`Allowed`] for every path. Sources ask while they walk
//! (to leave whole directories out) and the conductor asks again for every place.
//!
//! Only components **below** the scan root are judged: a path the user names is always scanned. Which names count is
//! versioned data, see [`directories`].

use std::sync::Arc;

use directories::{Kind, Tables};

pub mod directories;
mod globs;

pub use globs::{BadGlob, Excludes};

/// What the user's settings say about paths. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Shared by all clones.
    inner: Arc<Inner>,
}

/// What a [`Policy`] holds.
#[derive(Debug, Default)]
struct Inner {
    /// Test directories are scanned too.
    include_tests: bool,
    /// What `--exclude` and the configuration leave out; matched against whole paths below the scan root.
    excludes: globset::GlobSet,
    /// The scan root is a machine's `/` (or drive), so paths of installed software mean what they say.
    machine_root: bool,
}

/// What policy says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Scan it.
    Yes,
    /// It lies in a directory recognised as tests.
    Test,
    /// An exclude names it.
    Excluded,
}

/// The listings around a directory that is being entered. Asked only for the few names whose meaning depends on
/// them, so an implementation may read lazily.
pub trait Siblings {
    /// Names of the entries of the directory in which the entered one stands (itself among them).
    fn names(&mut self) -> &[Vec<u8>];

    /// Names of the entries of the entered directory itself. What can't be listed is empty: then the directory is
    /// no test directory and its contents are asked for, and reported, like any other.
    fn below(&mut self) -> Vec<Vec<u8>>;
}

/// [`Siblings`] of a caller that has both listings at hand.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Entries beside the directory.
    pub beside: Vec<Vec<u8>>,
    /// Entries of the directory.
    pub below: Vec<Vec<u8>>,
}

impl Siblings for Listed {
    fn names(&mut self) -> &[Vec<u8>] {
        &self.beside
    }

    fn below(&mut self) -> Vec<Vec<u8>> {
        self.below.clone()
    }
}

/// All that the judgement of a directory's contents depends on: two directories with equal `Dir`s and equal contents
/// are judged alike, so a walk over shared subtrees may memoise by (tree, `Dir`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dir {
    /// How far each path pattern of the data has matched, one bit per step (see [`directories::Steps`]).
    reached: u128,
    /// The directory, or one above it, is a test directory.
    is_test: bool,
    /// A directory on the way holds environments or deployments, where `test` names a stage.
    under_never: bool,
    /// No component has been entered yet.
    below_root: bool,
}

impl Dir {
    /// Everything below a test directory is alike.
    const TEST: Self = Self { reached: 0, is_test: true, under_never: false, below_root: true };

    /// The directory `name` of this one. `name` is raw bytes, one component.
    #[must_use]
    pub fn enter(self, policy: &Policy, name: &[u8], siblings: &mut dyn Siblings) -> Self {
        if self.is_test || policy.inner.include_tests {
            return self;
        }
        let tables = directories::tables();
        let mut inner = self.step(tables, name);
        if inner.is_test_directory(self, policy, tables, name, siblings) {
            return Self::TEST;
        }
        inner.under_never |= tables.is_stage_parent(name);
        inner
    }

    /// Whether the directory is recognised as tests, or lies in one that is.
    #[must_use]
    pub fn is_test(self) -> bool {
        self.is_test
    }

    /// The same context one component further on, before any judgement.
    fn step(self, tables: &Tables, name: &[u8]) -> Self {
        let reached = tables.steps.advance(self.reached, !self.below_root, name);
        Self { reached, below_root: true, ..self }
    }

    /// Whether this directory, called `name` and standing in `parent`, starts a test directory.
    fn is_test_directory(
        self,
        parent: Self,
        policy: &Policy,
        tables: &Tables,
        name: &[u8],
        siblings: &mut dyn Siblings,
    ) -> bool {
        if tables.is_library_suite(self.reached, policy.inner.machine_root) {
            return true;
        }
        let Some(kind) = tables.kind(name) else { return false };
        if tables.is_never_parent(parent.reached) {
            return false;
        }
        match kind {
            Kind::Always => true,
            Kind::CodeOnly => !self.under_never && tables.is_code(siblings),
        }
    }
}

impl Policy {
    /// A policy. `machine_root`: the scan root is a machine's `/` or drive. Test directories are left out unless
    /// `include_tests`; `excludes` are matched against paths below the scan root, see [`Excludes`].
    #[must_use]
    pub fn new(include_tests: bool, excludes: globset::GlobSet, machine_root: bool) -> Self {
        Self { inner: Arc::new(Inner { include_tests, excludes, machine_root }) }
    }

    /// The same policy for another kind of root.
    #[must_use]
    pub fn for_machine_root(&self, machine_root: bool) -> Self {
        Self::new(self.inner.include_tests, self.inner.excludes.clone(), machine_root)
    }

    /// Whether test directories are scanned too.
    #[must_use]
    pub fn includes_tests(&self) -> bool {
        self.inner.include_tests
    }

    /// The scan root.
    #[must_use]
    pub fn enter_root(&self) -> Dir {
        Dir::default()
    }

    /// The scan root, when it is known where on this machine it lies: `absolute` is its path, raw bytes with `/` (a
    /// drive or share prefix stripped). The root itself is never a test directory, nor do the names above it make it
    /// one; but a scan of `/home` still knows that what lies directly below are people.
    #[must_use]
    pub fn enter_root_at(&self, absolute: &[u8]) -> Dir {
        let components = absolute.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        components.fold(Dir::default(), |dir, name| dir.step(directories::tables(), name))
    }

    /// Whether the file or directory at `path` (raw bytes below the scan root, `/`-separated, no leading slash) may
    /// be scanned. `dir` is the directory that holds it or, for a directory, its own context. An exclude that names
    /// a directory holds for all below it, so a source need not enter what is [`Allowed::Excluded`].
    #[must_use]
    pub fn judge(&self, path: &[u8], dir: Dir) -> Allowed {
        if self.is_excluded(path) {
            Allowed::Excluded
        } else if dir.is_test() {
            Allowed::Test
        } else {
            Allowed::Yes
        }
    }

    /// Whether an exclude names `path` (as in [`Policy::judge`]) or a directory above it.
    #[must_use]
    pub fn is_excluded(&self, path: &[u8]) -> bool {
        let excludes = &self.inner.excludes;
        !excludes.is_empty() && excludes.is_match_candidate(&globset::Candidate::from_bytes(path))
    }

    /// Judges the file at `path` by itself, entering every directory on the way. `list` gives the names in a
    /// directory (a path as in [`Policy::judge`], empty for the root).
    pub fn judge_path(&self, path: &[u8], list: &mut dyn FnMut(&[u8]) -> Vec<Vec<u8>>) -> Allowed {
        let mut dir = self.enter_root();
        let slashes = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at);
        let mut start = 0;
        for end in slashes {
            let mut around = Around { list, parent: &path[..start.max(1) - 1], own: &path[..end], beside: None };
            dir = dir.enter(self, &path[start..end], &mut around);
            start = end + 1;
        }
        self.judge(path, dir)
    }
}

/// [`Siblings`] read through a callback, for [`Policy::judge_path`].
struct Around<'a> {
    /// Gives the names in a directory.
    list: &'a mut dyn FnMut(&[u8]) -> Vec<Vec<u8>>,
    /// The directory around the entered one.
    parent: &'a [u8],
    /// The entered directory.
    own: &'a [u8],
    /// The parent's names, once read.
    beside: Option<Vec<Vec<u8>>>,
}

impl Siblings for Around<'_> {
    fn names(&mut self) -> &[Vec<u8>] {
        self.beside.get_or_insert_with(|| (self.list)(self.parent))
    }

    fn below(&mut self) -> Vec<Vec<u8>> {
        (self.list)(self.own)
    }
}

#[cfg(test)]
mod tests;

//! A git repository, opened to be read and not to be obeyed.
//!
//! In: a path. Out: objects by id, checked against their ids; refs, reflogs and facts. Replace refs and grafts are
//! never applied, configuration is read for the repository's format and remotes alone, nothing is run and nothing
//! is fetched. Ownership of the files doesn't matter: what could be abused by their owner isn't used.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;
use gix::hash::{Kind as HashKind, oid};
use gix::objs::{Find, FindHeader, Kind};
use gix::odb::store::init::Options as StoreOptions;
use gix::odb::{HandleArc, Store};

use super::cache::BaseCache;
use super::config::Config;
use super::discover::{self, Environment, Layout};
use super::index::{self, Index};
pub use super::refs::{Reference, References, Reflogs};
use super::{facts, head, refs};
use crate::source::{RepositoryFacts, SourceError, SourceErrorKind, Unread, UnreadKind};

/// Objects larger than this, in bytes, are not read.
pub const OBJECT_LIMIT: usize = 1 << 30;

/// How a repository was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Named by path: taken as it stands, the environment has no say.
    Named,
    /// The repository of the folder `path`: found upwards, or as `GIT_DIR` and its kin say.
    Own,
}

/// An open repository. Any number of threads may read from it.
pub struct Repository {
    /// Where its parts are.
    layout: Layout,
    /// What its configuration says.
    config: Config,
    /// Path of the index.
    index: PathBuf,
    /// The boundary of a shallow clone.
    shallow: BTreeSet<ObjectId>,
    /// Whether a partial clone may have left objects elsewhere.
    partial: bool,
    /// Object folders of others.
    alternates: Vec<PathBuf>,
    /// One for each object folder that the layout names.
    stores: Vec<Arc<Store>>,
    /// Handles, one per store, that no reader uses now.
    idle: Mutex<Vec<Vec<HandleArc>>>,
    /// How often missing objects were looked for again.
    second_looks: AtomicU32,
    /// The index, once read. All who ask see the same one, whatever git writes meanwhile.
    read_index: OnceLock<Result<Option<Arc<Index>>, String>>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.layout.git_dir).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository at `path` (a work tree, a git directory, a `.git` file), or the one `path` lies in.
    ///
    /// # Errors
    /// There is none, or it is of a format we can't read.
    pub fn open(path: &Path, how: Opening) -> Result<Self, SourceError> {
        Self::open_in(path, how, &|name| std::env::var_os(name))
    }

    /// The same with the environment given.
    pub(super) fn open_in(path: &Path, how: Opening, env: Environment<'_>) -> Result<Self, SourceError> {
        let spelled = path.to_string_lossy().into_owned();
        let layout = match how {
            Opening::Named => discover::named(path),
            Opening::Own => discover::own(path, env),
        };
        let fail = |text: String| SourceErrorKind::Repository(text);
        layout
            .and_then(|layout| {
                let config = Config::read(&layout.common_dir, &layout.git_dir).map_err(fail)?;
                Self::assemble(layout, config, how)
            })
            .map_err(|kind| SourceError::new(spelled, kind))
    }

    /// Puts the parts together.
    fn assemble(mut layout: Layout, config: Config, how: Opening) -> Result<Self, SourceErrorKind> {
        if !layout.work_dir_is_given {
            if let (Opening::Own, Some(worktree)) = (how, &config.worktree) {
                layout.work_dir = Some(layout.git_dir.join(discover::path_from(worktree)));
            } else if config.bare == Some(true) && layout.git_dir == layout.common_dir {
                layout.work_dir = None;
            }
        }
        let mut stores = Vec::new();
        let mut alternates = Vec::new();
        for folder in &layout.objects {
            let (store, others) = open_store(folder, config.hash)?;
            stores.push(store);
            alternates.extend(others);
        }
        alternates.splice(0..0, layout.objects.iter().skip(1).cloned());
        let partial = config.partial || layout.objects.iter().any(|folder| has_promisor_pack(folder));
        Ok(Self {
            index: layout.index.clone().unwrap_or_else(|| layout.git_dir.join("index")),
            shallow: read_shallow(&layout.common_dir.join("shallow"))?,
            partial,
            alternates,
            stores,
            idle: Mutex::default(),
            second_looks: AtomicU32::new(0),
            read_index: OnceLock::new(),
            layout,
            config,
        })
    }

    /// The folder that holds `HEAD`: the repository's own or the linked worktree's.
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }

    /// The folder that holds `objects`, `refs` and `config`; equals [`Repository::git_dir`] but for worktrees.
    pub fn common_dir(&self) -> &Path {
        &self.layout.common_dir
    }

    /// The top of the work tree; `None` for a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.layout.work_dir.as_deref()
    }

    /// The index of this worktree, or the one `GIT_INDEX_FILE` names. It need not exist.
    pub fn index_path(&self) -> &Path {
        &self.index
    }

    /// The index, read when it is first asked for. `None` when there is no index file.
    ///
    /// # Errors
    /// It can't be read or is damaged.
    pub(super) fn index(&self) -> Result<Option<&Arc<Index>>, SourceErrorKind> {
        let read = self.read_index.get_or_init(|| Ok(Index::read(self)?.map(Arc::new)));
        read.as_ref().map(Option::as_ref).map_err(|why| index::fail(self, why))
    }

    /// Which hash names objects.
    pub fn object_hash(&self) -> HashKind {
        self.config.hash
    }

    /// Commits whose parents a shallow clone left out.
    pub fn shallow(&self) -> &BTreeSet<ObjectId> {
        &self.shallow
    }

    /// Whether history is cut.
    pub fn is_shallow(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// Whether a partial clone may have left objects on a server.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Object folders of other repositories that are read too.
    pub fn alternates(&self) -> &[PathBuf] {
        &self.alternates
    }

    /// The folder that all worktrees of the repository share, links resolved: it names the repository on this machine.
    pub fn store(&self) -> Option<PathBuf> {
        self.common_dir().canonicalize().ok()
    }

    /// All object folders: own ones first, then those of others.
    pub fn object_folders(&self) -> impl Iterator<Item = &Path> {
        let first = self.layout.objects.first().map(PathBuf::as_path);
        first.into_iter().chain(self.alternates.iter().map(PathBuf::as_path))
    }

    /// Linked worktrees: their names and git directories, sorted.
    pub fn worktrees(&self) -> Vec<(Vec<u8>, PathBuf)> {
        let Ok(entries) = std::fs::read_dir(self.common_dir().join("worktrees")) else { return Vec::new() };
        let mut all: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.path().join("HEAD").symlink_metadata().is_ok())
            .map(|entry| (entry.file_name().to_string_lossy().into_owned().into_bytes(), entry.path()))
            .collect();
        all.sort();
        all
    }

    /// All refs of all kinds: packed and loose, pseudo refs, those of every worktree.
    pub fn refs(&self) -> References {
        refs::references(self)
    }

    /// The object ids named by reflogs, those of every worktree included.
    pub fn reflogs(&self) -> Reflogs {
        refs::reflogs(self)
    }

    /// The object that `HEAD` leads to; `None` before the first commit.
    pub fn head(&self) -> Option<ObjectId> {
        head::head(self).id
    }

    /// The branch that `HEAD` names, without `refs/heads/`, whether or not it is born.
    pub fn branch(&self) -> Option<String> {
        let head = std::fs::read(self.git_dir().join("HEAD")).ok()?;
        let target = head.strip_prefix(b"ref:")?.trim_ascii();
        Some(String::from_utf8_lossy(target.strip_prefix(b"refs/heads/")?).into_owned())
    }

    /// What is known of the repository as a whole; counts are left at zero.
    pub fn facts(&self) -> RepositoryFacts {
        let remote = facts::deciding_url(&self.config.remotes);
        RepositoryFacts {
            platform: remote.as_deref().and_then(facts::platform),
            remote,
            head: self.head().map(|id| id.to_string()),
            branch: self.branch(),
            alternates: self.alternates.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            ..RepositoryFacts::default()
        }
    }

    /// A short stable name: from the remote, else the folder.
    pub fn name(&self) -> String {
        let folder = self.work_dir().unwrap_or_else(|| self.common_dir());
        facts::name(facts::deciding_url(&self.config.remotes).as_deref(), folder)
    }

    /// The ids of all objects in all object folders, alternates included, sorted; and what failed while listing them.
    pub(super) fn all_ids(&self) -> (Vec<ObjectId>, Vec<Unread>) {
        let mut ids = Vec::new();
        let mut unread = Vec::new();
        for store in &self.stores {
            let mut fail = |error: &(dyn std::error::Error + 'static)| {
                unread.push(Unread::new(UnreadKind::Corrupt, "objects", one_line(error)));
            };
            match store.iter() {
                Ok(all) => all.for_each(|id| match id {
                    Ok(id) => ids.push(id),
                    Err(error) => fail(&error),
                }),
                Err(error) => fail(&error),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        (ids, unread)
    }

    /// A reader for one thread; keep it for as long as there are objects to read.
    pub fn reader(&self) -> Reader<'_> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Reader { repository: self, handles: idle.unwrap_or_else(|| self.handles()) }
    }

    /// Reads one object into `buf`. See [`Reader::object`].
    ///
    /// # Errors
    /// As [`Reader::object`].
    pub fn object(&self, id: &oid, buf: &mut Vec<u8>) -> Result<Kind, Unread> {
        self.reader().object(id, buf)
    }

    /// Fresh handles on all stores. They don't look at the disk again for what is missing.
    fn handles(&self) -> Vec<HandleArc> {
        let open = |store: &Arc<Store>| {
            let mut handle = store.to_cache_arc().with_pack_cache(|| Box::<BaseCache>::default());
            handle.refresh_never();
            handle
        };
        self.stores.iter().map(open).collect()
    }

    /// Why `id`, which is nowhere, isn't here.
    fn absent(&self, id: &oid) -> Unread {
        let (kind, detail) = if self.partial {
            (
                UnreadKind::Promised,
                "left on the server by a partial clone (`git fetch --refetch --no-filter` brings it)",
            )
        } else {
            (
                UnreadKind::Missing,
                "this object is not in the repository (`git fsck` tells more, a fresh clone mends it)",
            )
        };
        Unread::new(kind, id.to_string(), detail).object(id)
    }
}

/// Reads objects for one thread; goes back to the repository when dropped, caches and all.
pub struct Reader<'r> {
    /// Whose objects.
    repository: &'r Repository,
    /// One per store.
    handles: Vec<HandleArc>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let handles = std::mem::take(&mut self.handles);
        self.repository.idle.lock().unwrap_or_else(PoisonError::into_inner).push(handles);
    }
}

/// How often objects that are nowhere are looked for once more, in case a repack is moving them about.
const SECOND_LOOKS: u32 = 32;

impl Reader<'_> {
    /// Reads the object `id` into `buf` (all of it) and checks that its bytes have that id.
    ///
    /// # Errors
    /// The object is missing, promised, damaged or larger than [`OBJECT_LIMIT`]; `buf` then holds nothing of use.
    pub fn object(&mut self, id: &oid, buf: &mut Vec<u8>) -> Result<Kind, Unread> {
        let found = catch_unwind(AssertUnwindSafe(|| self.find(id, buf)));
        let damage = match found {
            Ok(Ok(Some(kind))) => match gix::objs::compute_hash(id.kind(), kind, buf) {
                Ok(actual) if actual.as_ref() == id => return Ok(kind),
                Ok(actual) => format!("its bytes have the id {actual}"),
                Err(error) => error.to_string(),
            },
            Ok(Ok(None)) => return well_known(id, buf).ok_or_else(|| self.repository.absent(id)),
            Ok(Err(too_large @ Unread { kind: UnreadKind::Limit, .. })) => return Err(too_large),
            Ok(Err(damage)) => damage.detail,
            Err(_) => {
                self.handles = self.repository.handles();
                "reading it failed in an unexpected way".to_owned()
            }
        };
        let detail = format!("damaged: {damage} (`git fsck` tells more, a fresh clone mends it)");
        Err(Unread::new(UnreadKind::Corrupt, id.to_string(), detail).object(id))
    }

    /// Whether a shallow clone left out the parents of commit `id`.
    pub(super) fn is_boundary(&self, id: &ObjectId) -> bool {
        self.repository.shallow.contains(id)
    }

    /// The kind of an object, without reading it; `None` when it is missing or damaged.
    pub(super) fn kind(&mut self, id: &oid) -> Option<Kind> {
        self.header(id).map(|header| header.kind)
    }

    /// The length of a blob in bytes, without reading it; `None` when it is missing or damaged, or no blob.
    pub(super) fn blob_len(&mut self, id: &oid) -> Option<u64> {
        self.header(id).filter(|header| header.kind == Kind::Blob).map(|header| header.size)
    }

    /// Kind and size as the store has them.
    fn header(&mut self, id: &oid) -> Option<gix::objs::Header> {
        let header = |handle: &HandleArc| handle.try_header(id).ok().flatten();
        catch_unwind(AssertUnwindSafe(|| self.handles.iter().find_map(header))).ok().flatten()
    }

    /// Whether the object is here, damaged or not.
    pub fn has(&mut self, id: &oid) -> bool {
        self.handles.iter().any(|handle| gix::objs::Exists::exists(handle, id)) || self.second_look(id).is_some()
    }

    /// The objects whose ids start with `prefix`, sorted: none, one, or several when it is too short.
    pub(super) fn starting_with(&self, prefix: gix::hash::Prefix) -> Vec<ObjectId> {
        let mut found = std::collections::HashSet::new();
        for handle in &self.handles {
            // A store that can't be searched has no object to offer; reading by full id still reports it.
            if handle.lookup_prefix(prefix, Some(&mut found)).is_err() {
                continue;
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable();
        found
    }

    /// Looks in all stores; an object damaged in one may be whole in another.
    fn find(&mut self, id: &oid, buf: &mut Vec<u8>) -> Result<Option<Kind>, Unread> {
        let mut damage = None;
        for handle in &self.handles {
            match handle.try_find(id, buf) {
                Ok(Some(object)) => return Ok(Some(object.kind)),
                Ok(None) => {}
                Err(error) => damage = Some(self.failure(handle, id, &error)),
            }
        }
        if let Some(damage) = damage {
            return Err(damage);
        }
        let Some(handle) = self.second_look(id) else { return Ok(None) };
        handle
            .try_find(id, buf)
            .map(|object| object.map(|object| object.kind))
            .map_err(|e| self.failure(&handle, id, &e))
    }

    /// A handle that has seen the disk as it is now and knows `id`.
    fn second_look(&self, id: &oid) -> Option<HandleArc> {
        if self.repository.second_looks.fetch_add(1, Ordering::Relaxed) >= SECOND_LOOKS {
            self.repository.second_looks.store(SECOND_LOOKS, Ordering::Relaxed);
            return None;
        }
        let mut stores = self.repository.stores.iter().map(Store::to_cache_arc);
        stores.find(|handle| gix::objs::Exists::exists(handle, id))
    }

    /// Tells an object that is too large from a damaged one.
    fn failure(&self, handle: &HandleArc, id: &oid, error: &gix::Error) -> Unread {
        match handle.try_header(id) {
            Ok(Some(header)) if header.size > OBJECT_LIMIT as u64 => {
                let detail = format!("{} bytes are more than the {OBJECT_LIMIT} we read of one object", header.size);
                Unread::new(UnreadKind::Limit, id.to_string(), detail).object(id)
            }
            _ => Unread::new(UnreadKind::Corrupt, id.to_string(), one_line(error)),
        }
    }
}

/// The empty tree and the empty blob are known to git without being stored.
fn well_known(id: &oid, buf: &mut Vec<u8>) -> Option<Kind> {
    buf.clear();
    let hash = id.kind();
    let known = [(hash.empty_tree(), Kind::Tree), (hash.empty_blob(), Kind::Blob)];
    known.into_iter().find(|(empty, _)| empty.as_ref() == id).map(|(_, kind)| kind)
}

/// An error and its causes on one line.
pub(super) fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Find for Repository {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<gix::objs::Data<'a>>> {
        match self.object(id, buffer) {
            Ok(kind) => Ok(Some(gix::objs::Data { kind, object_hash: id.kind(), data: buffer })),
            Err(Unread { kind: UnreadKind::Missing | UnreadKind::Promised, .. }) => Ok(None),
            Err(unread) => {
                Err(gix::error::corruption("damaged object").with("detail", unread.detail).corrupted_error())
            }
        }
    }
}

/// Opens an object folder and tells the alternates that come with it.
fn open_store(folder: &Path, hash: HashKind) -> Result<(Arc<Store>, Vec<PathBuf>), SourceErrorKind> {
    let options = StoreOptions { alloc_limit_bytes: Some(OBJECT_LIMIT), ..StoreOptions::default() };
    let fail = |error: &dyn std::fmt::Display| SourceErrorKind::Repository(format!("its objects: {error}"));
    let store = Store::at_opts(folder.to_owned(), hash, &mut std::iter::empty(), options).map_err(|e| fail(&e))?;
    let cwd = std::env::current_dir()?;
    let alternates = gix::odb::alternate::resolve(folder.to_owned(), &cwd).map_err(|e| fail(&one_line(&e)))?;
    Ok((Arc::new(store), alternates))
}

/// Whether a partial clone marked a pack of `folder`.
fn has_promisor_pack(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder.join("pack")) else { return false };
    entries.flatten().any(|entry| Path::new(&entry.file_name()).extension() == Some(&OsString::from("promisor")))
}

/// Reads the boundary of a shallow clone.
fn read_shallow(path: &Path) -> Result<BTreeSet<ObjectId>, SourceErrorKind> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let ids: Option<_> = lines.map(|line| refs::hex(line.trim_ascii())).collect();
    ids.ok_or_else(|| SourceErrorKind::Repository("its `shallow` file is damaged".to_owned()))
}

//! The names that lead to objects: refs of every kind, pseudo refs, reflogs, those of all worktrees.
//!
//! Read by hand rather than through an iterator over well-formed refs: a name or a line that git would skip with a
//! warning is a part of the repository all the same, so it is read when it can be and reported when it can't.
//! Sources: `gitrepository-layout(5)`, `refs.c` (`is_root_ref`) and `reachable.c` (`add_rebase_files`) of git 2.51.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::repo::Repository;
use crate::source::{Unread, UnreadKind};

/// A name and the object it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Full name: `refs/heads/main`, `HEAD`, `worktrees/NAME/HEAD`, `main-worktree/HEAD`. Raw bytes.
    pub name: Vec<u8>,
    /// The object it names, tags not followed.
    pub id: ObjectId,
    /// The ref it points to, when it is symbolic.
    pub symbolic: Option<Vec<u8>>,
}

/// All references of a repository and what could not be read of them.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Sorted by name; a pseudo ref with several ids (`FETCH_HEAD`) stands here once for each.
    pub all: Vec<Reference>,
    /// Ref files that hold no id.
    pub unread: Vec<Unread>,
}

impl References {
    /// The object that the reference `name` leads to.
    pub fn find(&self, name: &[u8]) -> Option<ObjectId> {
        let at = self.all.binary_search_by(|reference| reference.name.as_slice().cmp(name)).ok()?;
        Some(self.all[at].id)
    }
}

/// Object ids that only a log of a ref names.
#[derive(Clone, Debug, Default)]
pub struct Reflogs {
    /// Log's ref name and the ids in it, old and new, each once; zero ids left out. Sorted.
    pub all: Vec<(Vec<u8>, Vec<ObjectId>)>,
    /// Logs that could not be read in full.
    pub unread: Vec<Unread>,
}

/// What a ref file says.
pub(super) enum Target {
    /// An object.
    Id(ObjectId),
    /// Another ref.
    Name(Vec<u8>),
}

impl Target {
    /// Reads the content of a ref file; `None` when it names nothing.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = bytes.trim_ascii();
        if let Some(target) = text.strip_prefix(b"ref:") {
            return Some(Self::Name(target.trim_ascii().to_vec()));
        }
        text.split(|b| b.is_ascii_whitespace()).next().and_then(hex).map(Self::Id)
    }
}

/// The ref `name` has a file that names nothing.
pub(super) fn names_nothing(name: &[u8]) -> Unread {
    let detail = "this ref names no object (`git update-ref -d` removes it, a fetch may bring it back)";
    Unread::new(UnreadKind::Corrupt, name, detail)
}

/// Names, each with its target, while they are collected.
#[derive(Default)]
struct Collected {
    /// By name; loose ones replace packed ones.
    targets: BTreeMap<Vec<u8>, Target>,
    /// Those of files with several ids.
    more: Vec<(Vec<u8>, ObjectId)>,
    /// What could not be read.
    unread: Vec<Unread>,
}

/// Collects all references. See [`Repository::refs`].
pub(super) fn references(repository: &Repository) -> References {
    let mut found = Collected::default();
    let common = repository.common_dir();
    packed(&common.join("packed-refs"), &mut found);
    for (prefix, folder) in roots(repository) {
        loose(&folder, &prefix, folder != common, &mut found);
        pseudo(&folder, &prefix, &mut found);
    }
    found.resolve()
}

/// Collects the ids that reflogs name. See [`Repository::reflogs`].
pub(super) fn reflogs(repository: &Repository) -> Reflogs {
    let mut logs = Reflogs::default();
    for (prefix, folder) in roots(repository) {
        let top = folder.join("logs");
        let mut files = Vec::new();
        files_below(&top, Vec::new(), &mut files, &mut logs.unread);
        for (name, path) in files {
            let name = [prefix.as_slice(), &name].concat();
            match std::fs::read(&path) {
                Ok(bytes) => logs.add(name, &bytes),
                Err(error) => logs.unread.push(io_unread(&[b"logs/", name.as_slice()].concat(), &error)),
            }
        }
    }
    logs.all.sort();
    logs.unread.sort();
    logs
}

impl Reflogs {
    /// Takes a log: `old new identity<TAB>message`, one a line.
    fn add(&mut self, name: Vec<u8>, bytes: &[u8]) {
        let mut ids = Vec::new();
        let mut damaged = false;
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let mut words = line.split(|b| *b == b' ');
            match (words.next().and_then(hex), words.next().and_then(hex)) {
                (Some(old), Some(new)) => ids.extend([old, new].into_iter().filter(|id| !id.is_null())),
                _ => damaged = true,
            }
        }
        if damaged {
            let detail = "a line of this reflog names no object (`git reflog expire` rewrites it)";
            self.unread.push(Unread::new(UnreadKind::Corrupt, [b"logs/", name.as_slice()].concat(), detail));
        }
        ids.sort_unstable();
        ids.dedup();
        self.all.push((name, ids));
    }
}

/// The folders with refs and what their names start with: the one opened, the main one, every worktree's.
pub(super) fn roots(repository: &Repository) -> Vec<(Vec<u8>, PathBuf)> {
    let (git_dir, common) = (repository.git_dir(), repository.common_dir());
    let own = same(git_dir, common);
    let mut roots = vec![(Vec::new(), git_dir.to_owned())];
    if !own {
        roots.push((b"main-worktree/".to_vec(), common.to_owned()));
    }
    for (name, folder) in repository.worktrees() {
        if !same(&folder, git_dir) {
            roots.push(([b"worktrees/", name.as_slice(), b"/"].concat(), folder));
        }
    }
    roots
}

/// Whether two paths name one folder.
fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Reads `packed-refs`: `id name`, one a line, `#` comments, `^id` for the object of the tag above.
fn packed(path: &Path, found: &mut Collected) {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return found.unread.push(io_unread(b"packed-refs", &error)),
    };
    let mut damaged = 0_u64;
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None | Some(b'#' | b'^') => continue,
            Some(_) => {}
        }
        let space = memchr::memchr(b' ', line).unwrap_or(line.len());
        match (hex(&line[..space]), line.get(space + 1..)) {
            (Some(id), Some(name)) if !name.is_empty() => {
                found.targets.insert(name.to_vec(), Target::Id(id));
            }
            _ => damaged += 1,
        }
    }
    if damaged > 0 {
        let detail = format!("{damaged} lines name no object (`git pack-refs --all` rewrites it)");
        found.unread.push(Unread::new(UnreadKind::Corrupt, "packed-refs", detail));
    }
}

/// Reads the ref files below `folder`/refs. `private`: of a linked worktree, where only some folders count.
fn loose(folder: &Path, prefix: &[u8], private: bool, found: &mut Collected) {
    let mut files = Vec::new();
    files_below(&folder.join("refs"), b"refs".to_vec(), &mut files, &mut found.unread);
    for (name, path) in files {
        let of_worktree =
            [&b"refs/bisect/"[..], b"refs/worktree/", b"refs/rewritten/"].iter().any(|own| name.starts_with(own));
        let name = if of_worktree || private { [prefix, &name].concat() } else { name };
        match std::fs::read(&path) {
            Ok(bytes) => found.take(name, &bytes),
            Err(error) => found.unread.push(io_unread(&name, &error)),
        }
    }
}

/// Reads the files in a git directory that name objects: `HEAD`, `ORIG_HEAD`, `FETCH_HEAD`, an autostash.
fn pseudo(folder: &Path, prefix: &[u8], found: &mut Collected) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.unread.push(io_unread(prefix, &error)),
    };
    let mut names: Vec<Vec<u8>> = REBASE_FILES.iter().map(|name| name.as_bytes().to_vec()).collect();
    for entry in entries {
        match entry {
            Ok(entry) => names.extend(Some(name_bytes(&entry.file_name())).filter(|name| is_pseudo(name))),
            Err(error) => found.unread.push(io_unread(prefix, &error)),
        }
    }
    for name in names {
        let full = [prefix, name.as_slice()].concat();
        match std::fs::read(folder.join(super::discover::path_from(&name))) {
            Ok(bytes) if name == b"FETCH_HEAD" || name == b"MERGE_HEAD" => found.take_lines(full, &bytes),
            Ok(bytes) => found.take(full, &bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => found.unread.push(io_unread(&full, &error)),
        }
    }
}

/// Files of a rebase under way that keep objects alive.
const REBASE_FILES: [&str; 4] =
    ["rebase-apply/autostash", "rebase-apply/orig-head", "rebase-merge/autostash", "rebase-merge/orig-head"];

/// Whether a file of a git directory is a ref: capitals, ending in `HEAD`, or one of the few others.
fn is_pseudo(name: &[u8]) -> bool {
    const OTHERS: [&[u8]; 5] =
        [b"AUTO_MERGE", b"BISECT_EXPECTED_REV", b"NOTES_MERGE_PARTIAL", b"NOTES_MERGE_REF", b"MERGE_AUTOSTASH"];
    let capitals = name.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'));
    capitals && (name.ends_with(b"HEAD") || OTHERS.contains(&name))
}

impl Collected {
    /// Takes the content of a ref file.
    fn take(&mut self, name: Vec<u8>, bytes: &[u8]) {
        if let Some(target) = Target::parse(bytes) {
            self.targets.insert(name, target);
        } else if name.starts_with(b"refs/") && !is_valid(&name) {
            // Not a ref to git either: a lock, or what a file manager left there.
        } else {
            self.unread.push(names_nothing(&name));
        }
    }

    /// Takes a file with one id a line, followed by anything.
    fn take_lines(&mut self, name: Vec<u8>, bytes: &[u8]) {
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            match line.split(|b| b.is_ascii_whitespace()).next().and_then(hex) {
                Some(id) => self.more.push((name.clone(), id)),
                None => {
                    let detail = "a line of this pseudo ref names no object";
                    self.unread.push(Unread::new(UnreadKind::Corrupt, name.clone(), detail));
                }
            }
        }
    }

    /// Follows symbolic refs. Those that lead nowhere (an unborn branch) name no object, so nothing is lost.
    fn resolve(mut self) -> References {
        let mut all = Vec::new();
        for (name, target) in &self.targets {
            let mut target = target;
            let mut symbolic = None;
            for _ in 0..8 {
                let Target::Name(next) = target else { break };
                symbolic.get_or_insert_with(|| next.clone());
                match self.targets.get(next) {
                    Some(next) => target = next,
                    None => break,
                }
            }
            if let Target::Id(id) = target
                && !id.is_null()
            {
                all.push(Reference { name: name.clone(), id: *id, symbolic });
            }
        }
        all.extend(self.more.drain(..).map(|(name, id)| Reference { name, id, symbolic: None }));
        all.sort();
        all.dedup();
        self.unread.sort();
        self.unread.dedup();
        References { all, unread: self.unread }
    }
}

/// Whether git takes `name` for a ref's name.
pub(super) fn is_valid(name: &[u8]) -> bool {
    gix::validate::reference::name_partial(name.into()).is_ok()
}

/// A full object id in hex.
pub(super) fn hex(bytes: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(bytes).ok()
}

/// Lists the files below `folder` with `/`-separated names; links to files count as files.
fn files_below(folder: &Path, name: Vec<u8>, files: &mut Vec<(Vec<u8>, PathBuf)>, unread: &mut Vec<Unread>) {
    let mut folders = vec![(folder.to_owned(), name, 0)];
    while let Some((folder, name, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                unread.push(io_unread(&name, &error));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    unread.push(io_unread(&name, &error));
                    continue;
                }
            };
            let leaf = name_bytes(&entry.file_name());
            let full = if name.is_empty() { leaf } else { [name.as_slice(), b"/", &leaf].concat() };
            let path = entry.path();
            // Follows links, as git does: some set-ups link refs/ or logs/ of one repository into another.
            if !path.is_dir() {
                if !full.ends_with(b".lock") {
                    files.push((full, path));
                }
            } else if depth < MAX_DEPTH {
                folders.push((path, full, depth + 1));
            } else {
                unread.push(Unread::new(UnreadKind::Limit, full, format!("more than {MAX_DEPTH} folders deep")));
            }
        }
    }
}

/// Folders deeper than this below `refs` are a loop of links.
const MAX_DEPTH: u32 = 64;

/// A file name's bytes.
fn name_bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    gix::path::os_str_into_bstr(name)
        .map_or_else(|_| name.to_string_lossy().into_owned().into_bytes(), |name| name.to_vec())
}

/// A file of the repository that could not be read.
pub(super) fn io_unread(what: &[u8], error: &std::io::Error) -> Unread {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => UnreadKind::Permission,
        _ => UnreadKind::Io,
    };
    Unread::new(kind, what, error.to_string())
}

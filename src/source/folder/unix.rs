//! The folder handle over `openat` and friends.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::{AccessTimes, Entry, Kind, Manner, Mount, Sort};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its descriptor.
    fd: OwnedFd,
}

impl Folder {
    /// Opens the folder at `path`, following links: it is the user's own word.
    pub(crate) fn open(path: &Path, manner: Manner) -> io::Result<Self> {
        let flags = flags(manner)? | OFlags::DIRECTORY;
        Ok(Self { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Opens the folder at `path` below this one. No component may be a link or `..`; an empty path is this folder.
    pub(crate) fn below(&self, path: &Path, manner: Manner) -> io::Result<Self> {
        let flags = flags(manner)? | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        if path.as_os_str().is_empty() {
            return Ok(Self { fd: openat(&self.fd, ".", flags, Mode::empty())? });
        }
        match self.at_once(path, flags) {
            Some(fd) => Ok(Self { fd: fd? }),
            None => self.step_by_step(path, flags),
        }
    }

    /// One system call for the whole path; `None` where that is not to be had.
    #[cfg(target_os = "linux")]
    fn at_once(&self, path: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Some(Ok(fd)),
            Err(error @ (Errno::NOENT | Errno::ACCESS | Errno::LOOP | Errno::NOTDIR)) => Some(Err(error)),
            // Not in this kernel, forbidden by a sandbox, a rename meanwhile, a path too long for one call, …
            Err(_) => None,
        }
    }

    /// One system call for the whole path, which this system lacks.
    #[cfg(not(target_os = "linux"))]
    fn at_once(&self, _path: &Path, _flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
        None
    }

    /// One component at a time: for paths of any length.
    fn step_by_step(&self, path: &Path, flags: OFlags) -> io::Result<Self> {
        let mut folder: Option<OwnedFd> = None;
        let mut components = path.components().peekable();
        while let Some(component) = components.next() {
            let Component::Normal(name) = component else { return Err(Errno::INVAL.into()) };
            let flags = if components.peek().is_some() { SEARCH } else { flags };
            let from = folder.as_ref().unwrap_or(&self.fd);
            folder = Some(openat(from, name, flags, Mode::empty())?);
        }
        folder.map(|fd| Self { fd }).ok_or_else(|| Errno::INVAL.into())
    }

    /// The entries in the system's order, and the error that cut the listing short.
    pub(crate) fn list(&self) -> (Vec<Entry>, Option<io::Error>) {
        let mut entries = Vec::new();
        let mut listing = match Dir::read_from(&self.fd) {
            Ok(listing) => listing,
            Err(error) => return (entries, Some(error.into())),
        };
        while let Some(entry) = listing.read() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return (entries, Some(error.into())),
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let name = OsStr::from_bytes(name);
            let kind = match kind(entry.file_type()) {
                Some(kind) => kind,
                None => match self.kind(name) {
                    Ok(kind) => kind,
                    Err(error) => return (entries, Some(error)),
                },
            };
            entries.push(Entry { name: name.to_owned(), kind });
        }
        (entries, None)
    }

    /// What the entry `name` is.
    pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        let found = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(kind(FileType::from_raw_mode(found.st_mode)).unwrap_or(Kind::Device))
    }

    /// Opens the entry `name` for reading, unless it is a link. Doesn't wait on a pipe.
    pub(crate) fn file(&self, name: &OsStr, manner: Manner) -> io::Result<File> {
        let flags = flags(manner)? | OFlags::NOFOLLOW;
        Ok(File::from(openat(&self.fd, single(name)?, flags, Mode::empty())?))
    }

    /// The target of the link `name`, as text.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.fd, single(name)?, Vec::new())?.into_bytes())
    }

    /// The file system this folder lies on.
    pub(crate) fn mount(&self) -> io::Result<Mount> {
        let device = fstat(&self.fd)?.st_dev as u64;
        let flags = rustix::fs::fstatvfs(&self.fd)?.f_flag;
        Ok(Mount { device, sort: self.sort(device)?, access_times: access_times(flags) })
    }

    /// What sort of file system it is.
    #[cfg(target_os = "linux")]
    fn sort(&self, device: u64) -> io::Result<Sort> {
        let magic = rustix::fs::fstatfs(&self.fd)?.f_type as u64 & 0xffff_ffff;
        Ok(if PSEUDO.contains(&magic) {
            Sort::Pseudo
        } else if FOREIGN.contains(&magic) || magic == FUSE && rustix::fs::major(device) == 0 {
            Sort::Foreign
        } else {
            Sort::Ordinary
        })
    }

    /// What sort of file system it is: not told apart here.
    #[cfg(not(target_os = "linux"))]
    fn sort(&self, _device: u64) -> io::Result<Sort> {
        Ok(Sort::Ordinary)
    }
}

/// Flags for a folder that is only passed through: neither read permission nor access times matter.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Flags for a folder that is only passed through.
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Flags to open something for reading. `NONBLOCK`: what was a file a moment ago may be a pipe now.
fn flags(manner: Manner) -> io::Result<OFlags> {
    let plain = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match manner {
        Manner::Plain => Ok(plain),
        #[cfg(target_os = "linux")]
        Manner::KeepAccessTime => Ok(plain | OFlags::NOATIME),
        #[cfg(not(target_os = "linux"))]
        Manner::KeepAccessTime => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// `name`, if it is one component and leads down.
fn single(name: &OsStr) -> io::Result<&OsStr> {
    let bytes = name.as_bytes();
    if bytes.contains(&b'/') || matches!(bytes, b"" | b"." | b"..") { Err(Errno::INVAL.into()) } else { Ok(name) }
}

/// The kind for a directory entry's type; `None` when the file system didn't say.
fn kind(file_type: FileType) -> Option<Kind> {
    Some(match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Socket => Kind::Socket,
        FileType::Fifo => Kind::Fifo,
        FileType::CharacterDevice | FileType::BlockDevice => Kind::Device,
        FileType::Unknown => return None,
    })
}

/// What a mount's flags say of access times (`statvfs(3)`).
#[cfg(target_os = "linux")]
fn access_times(flags: rustix::fs::StatVfsMountFlags) -> AccessTimes {
    use rustix::fs::StatVfsMountFlags as Flags;
    if flags.contains(Flags::RDONLY) {
        AccessTimes::ReadOnly
    } else if flags.contains(Flags::NOATIME) {
        AccessTimes::Never
    } else if flags.contains(Flags::RELATIME) {
        AccessTimes::Relative
    } else {
        AccessTimes::Always
    }
}

/// What a mount's flags say of access times; POSIX knows read-only alone.
#[cfg(not(target_os = "linux"))]
fn access_times(flags: rustix::fs::StatVfsMountFlags) -> AccessTimes {
    if flags.contains(rustix::fs::StatVfsMountFlags::RDONLY) { AccessTimes::ReadOnly } else { AccessTimes::Unknown }
}

/// File systems that show kernel state. Not among them: tmpfs (`/run`, `/tmp`, `/dev/shm` hold real files) and pstore's
/// kin below `/sys`, which are reached through none but these. Source: Linux `include/uapi/linux/magic.h` and, for
/// fusectl, rpc_pipefs, mqueue and xenfs, the file systems' own sources; Linux 6.12, read 2026-11.
#[cfg(target_os = "linux")]
const PSEUDO: [u64; 24] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0x5a3c_69f0, // apparmorfs
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0xcafe_4a11, // bpf
    0x1980_0202, // mqueue
    0x9584_58f6, // hugetlbfs
    0x6265_6570, // configfs
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0x6759_6969, // rpc_pipefs
    0x6e73_6673, // nsfs
    0x0187,      // autofs
    0x0765_5821, // resctrl
    0xabba_1974, // xenfs
];

/// File systems of other machines. Source as for [`PSEUDO`].
#[cfg(target_os = "linux")]
const FOREIGN: [u64; 8] = [
    0x6969,      // nfs
    0x517b,      // smbfs
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x0102_1997, // 9p
    0x00c3_6400, // ceph
    0x5346_414f, // afs
    0x7375_7245, // coda
];

/// FUSE. On a block device (major number above 0: ntfs-3g, exfat-fuse) it is a disk, else a program.
#[cfg(target_os = "linux")]
const FUSE: u64 = 0x6573_5546;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component_that_leads_down() {
        for name in ["", ".", "..", "a/b", "/etc", "../x"] {
            assert!(single(OsStr::new(name)).is_err(), "{name:?}");
        }
        assert!(single(OsStr::new("...")).is_ok());
    }

    #[test]
    fn folders_of_any_depth_are_reached_step_by_step() {
        let top = tempfile::tempdir().expect("a temporary folder");
        let mut folder = Folder::open(top.path(), Manner::Plain).expect("it opens");
        let mut path = std::path::PathBuf::new();
        let name = "d".repeat(200);
        // 30 times 201 bytes is past PATH_MAX (4096 bytes on Linux), which no single call resolves.
        for _ in 0..30 {
            rustix::fs::mkdirat(&folder.fd, name.as_str(), Mode::RWXU).expect("it is made");
            folder = folder.below(Path::new(&name), Manner::Plain).expect("it opens");
            path.push(&name);
        }
        let fd = openat(&folder.fd, "leaf", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).expect("it is made");
        drop(fd);
        let root = Folder::open(top.path(), Manner::Plain).expect("it opens");
        let (entries, error) = root.below(&path, Manner::Plain).expect("it is reached").list();
        assert!(error.is_none());
        assert_eq!(entries, [Entry { name: "leaf".into(), kind: Kind::File }]);
    }
}

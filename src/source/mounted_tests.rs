//! Real folders as disks.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::*;
use crate::place::Part;
use crate::source::testing::{Collector, tree};

/// Walks `path`; what was seen and the source after it.
fn walked(path: &Path, options: MountedOptions) -> (Collector, Mounted) {
    let collector = Collector::default();
    let source = Mounted::new(path.to_owned(), &Policy::default(), options);
    source.walk(&collector).unwrap();
    (collector, source)
}

/// Options under which everything is read wherever the test runs.
const READ_ALL: MountedOptions =
    MountedOptions { may_touch_atime: true, max_file_size: None, overlap: OVERLAP, platform: None };

#[test]
fn a_disk_is_read_and_its_machine_recognised() {
    let top = tree(&[("etc/hostname", "web-1\n"), ("var/lib/waagent/x", ""), ("usr/lib/python3/test/t.py", "")]);
    let (seen, source) = walked(top.path(), READ_ALL);
    assert_eq!(seen.paths(), ["etc/hostname", "var/lib/waagent/x"], "an installed package's tests are left out");
    assert!(seen.texts(Part::Content).contains(&("etc/hostname".to_owned(), "web-1\n".to_owned())));
    let root = source.root();
    assert_eq!((root.kind, root.name.as_str()), ("image", "web-1"));
    let machine = root.machine.unwrap();
    assert_eq!(machine.platform, Some(Platform::Azure));
    let observed = seen.observed.lock().unwrap();
    assert_eq!((observed.len(), &*observed[0].kind), (1, "machine"));
    assert!(observed[0].values.contains(&("platform".into(), "azure".to_owned())));
    assert!(observed[0].values.is_sorted(), "{:?}", observed[0].values);
    assert_eq!(seen.notes.lock().unwrap().len(), 1);
}

#[test]
fn the_users_word_on_the_platform_wins() {
    let top = tree(&[("var/lib/waagent/x", "")]);
    let (_, source) = walked(top.path(), MountedOptions { platform: Some(Platform::Gcp), ..READ_ALL });
    assert_eq!(source.root().machine.unwrap().platform, Some(Platform::Gcp));
}

#[test]
fn git_folders_are_read_but_for_their_objects() {
    let files = [("r/.git/HEAD", "x"), ("r/.git/config", "url"), ("r/.git/objects/ab/cd", "z"), ("r/.git/refs/h", "")];
    let bare = [("b.git/HEAD", "x"), ("b.git/objects/ab/cd", "z"), ("b.git/refs/h", "")];
    let top = tree(&[&files[..], &bare[..]].concat());
    let (seen, _) = walked(top.path(), READ_ALL);
    assert_eq!(seen.paths(), ["b.git/HEAD", "b.git/refs/h", "r/.git/HEAD", "r/.git/config", "r/.git/refs/h"]);
    assert!(seen.notes.lock().unwrap().iter().any(|note| note.starts_with("2 git repositories on this disk")));
}

#[test]
fn what_is_no_mounted_disk_is_said_to_be_none() {
    let top = tree(&[("image.raw", "")]);
    let source = Mounted::new(top.path().join("image.raw"), &Policy::default(), READ_ALL);
    assert!(source.walk(&Collector::default()).unwrap_err().kind.to_string().contains("mount the image"));
    let source = Mounted::new(top.path().join("no"), &Policy::default(), READ_ALL);
    assert!(matches!(source.walk(&Collector::default()).unwrap_err().kind, SourceErrorKind::NotFound));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Every access time below `path`, in nanoseconds, by `lstat`.
    fn access_times(path: &Path, out: &mut Vec<(PathBuf, i64, i64)>) {
        let facts = fs::symlink_metadata(path).unwrap();
        out.push((path.to_owned(), facts.atime(), facts.atime_nsec()));
        if facts.is_dir() {
            let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            names.iter().for_each(|path| access_times(path, out));
        }
    }

    /// Sets the access time of everything below `path` to long before its modification time, so that `relatime` would
    /// move it on the next read.
    fn age(path: &Path) {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let times = rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 },
            last_modification: rustix::fs::Timespec { tv_sec: 1_100_000_000, tv_nsec: 0 },
        };
        assert!(long_ago < SystemTime::now());
        if fs::symlink_metadata(path).unwrap().is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| age(&entry.unwrap().path()));
        }
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).unwrap();
    }

    #[test]
    fn access_times_of_files_folders_and_links_stay() {
        let top = tree(&[("etc/hostname", "web-1"), ("tests/a.rs", "x"), ("d/e/file", "text")]);
        symlink("d", top.path().join("link")).unwrap();
        age(top.path());
        let mut before = Vec::new();
        access_times(top.path(), &mut before);
        age(top.path()); // Listing for the record moved those of folders.
        let (seen, source) = walked(top.path(), MountedOptions::default());
        // Look at each before a listing moves the folders' own.
        for (path, seconds, nanoseconds) in &before {
            let facts = fs::symlink_metadata(path).unwrap();
            assert_eq!((facts.atime(), facts.atime_nsec()), (1_000_000_000, 0), "{}", path.display());
            assert!(*seconds >= 1_000_000_000 && *nanoseconds >= 0);
        }
        assert_eq!(before.len(), 9);
        assert!(seen.paths().contains(&"d/e/file".to_owned()));
        let is_still = Folder::open(top.path(), Manner::Plain).unwrap().mount().unwrap().access_times.are_still();
        let spared = if is_still { vec![] } else { vec![("symbolic links".to_owned(), "access-time")] };
        assert_eq!(seen.unread_kinds(), spared);
        let notes = seen.notes.lock().unwrap();
        assert!(notes.iter().any(|note| note.contains("access times unchanged")), "{notes:?}");
        let blobs = seen.blobs.lock().unwrap();
        let facts = blobs.iter().find(|(_, place, _)| place.path == b"d/e/file").unwrap().1.file.clone().unwrap();
        assert_eq!((facts.accessed, facts.modified), (Some(1_000_000_000), Some(1_100_000_000)));
        assert!(facts.uid.is_some() && facts.mode != 0);
        drop(source);
    }

    #[test]
    fn a_plain_reading_shows_that_the_test_above_can_fail() {
        let top = tree(&[("file", "text")]);
        let path = top.path().join("file");
        age(&path);
        let mount = Folder::open(top.path(), Manner::Plain).unwrap().mount().unwrap();
        fs::read(&path).unwrap();
        let moved = fs::metadata(&path).unwrap().atime() != 1_000_000_000;
        assert_eq!(moved, !mount.access_times.are_still(), "mounted {}", mount.access_times.word());
    }

    #[test]
    fn links_lead_nowhere() {
        let outside = tree(&[("secret", "outside")]);
        let top = tree(&[("in/file", "inside")]);
        let target = outside.path().to_str().unwrap();
        symlink(target, top.path().join("in/absolute")).unwrap();
        symlink("../../../../../../etc", top.path().join("in/up")).unwrap();
        symlink("/etc/hostname", top.path().join("in/host")).unwrap();
        fs::create_dir(top.path().join("etc")).unwrap();
        symlink(outside.path().join("secret"), top.path().join("etc/hostname")).unwrap();
        let (seen, source) = walked(top.path(), READ_ALL);
        assert_eq!(seen.paths(), ["in/file"]);
        let targets = seen.texts(Part::LinkTarget);
        assert_eq!(targets.len(), 4);
        assert!(targets.contains(&("in/absolute".to_owned(), target.to_owned())));
        assert_eq!(source.root().machine.unwrap().hostname, None, "a linked file is not read for the machine either");
    }

    #[test]
    fn devices_are_listed() {
        let globs = ["shm", "mqueue", "hugepages"].map(|name| globset::Glob::new(name).unwrap());
        let globs = globs.into_iter().fold(globset::GlobSetBuilder::new(), |mut set, glob| {
            set.add(glob);
            set
        });
        let collector = Collector::default();
        let policy = Policy::new(false, globs.build().unwrap(), false);
        Mounted::new("/dev".into(), &policy, READ_ALL).walk(&collector).unwrap();
        let listings = collector.listings();
        assert!(listings.contains(&("null".to_owned(), "device")), "{listings:?}");
        assert!(!collector.paths().contains(&"zero".to_owned()));
    }

    #[test]
    fn files_of_others_are_unread_for_the_sake_of_their_access_time() {
        // Needs a readable file of another owner on a mount that moves access times, and no rights of root.
        let etc = Path::new("/etc");
        let mount = Folder::open(etc, Manner::Plain).unwrap().mount().unwrap();
        if rustix::process::geteuid().is_root() || mount.access_times.are_still() {
            return;
        }
        let (seen, _) = walked(etc, MountedOptions::default());
        assert_eq!(seen.unread_kinds(), [(".".to_owned(), "access-time")]);
        assert!(seen.unread.lock().unwrap()[0].detail.contains("--may-touch-atime"));
    }
}

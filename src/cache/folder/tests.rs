//! Both faces of a folder, and what is refused.

use std::ffi::OsStr;
use std::fs;

use super::*;

/// An empty folder, by the path that it really has.
fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().canonicalize().expect("it is there");
    (folder, path)
}

/// The tests that hold for each face.
macro_rules! faces {
    ($($face:ident: $folder:ty),+) => {$(
        mod $face {
            use super::*;

            #[test]
            fn files_are_replaced_whole_and_listed() {
                let (_scratch, path) = scratch();
                let folder = <$folder>::open(&path.join("a/b/"), &[]).expect("it can be made");
                assert_eq!(folder.read("x", 9).expect("it can be looked for"), None);
                folder.replace("x", "x.new", b"one").expect("it can be written");
                folder.replace("x", "x.new", b"two").expect("it can be replaced");
                assert_eq!(folder.read("x", 3).expect("it is there").as_deref(), Some(&b"two"[..]));
                assert!(folder.read("x", 2).is_err(), "it is too large");
                let names = || folder.list().expect("it can be").into_iter().map(|entry| entry.name).collect::<Vec<_>>();
                assert_eq!(names(), ["x"], "nothing else is left");
                assert_eq!(folder.list().expect("it can be")[0].len, 3);
                folder.replace("y", "x", b"").expect_err("a name that is taken isn't written to");
                folder.remove(OsStr::new("x")).expect("it is there");
                assert_eq!(names(), [""; 0]);
                fs::create_dir(path.join("a/b/x")).expect("it is free");
                assert!(folder.read("x", 9).is_err(), "a folder is no file");
                folder.replace("x", "x.new", b"").expect_err("a folder isn't replaced by a file");
                assert!(!path.join("a/b/x.new").exists());
            }

            #[test]
            fn what_lies_in_what_is_scanned_or_around_it_is_refused() {
                let (_scratch, path) = scratch();
                let scanned = path.join("top/repo");
                fs::create_dir_all(&scanned).expect("our own folder");
                let refused = |folder: PathBuf| match <$folder>::open(&folder, std::slice::from_ref(&scanned)) {
                    Err(CacheErrorKind::Scanned(_)) => true,
                    Ok(_) => false,
                    Err(other) => panic!("{}: {other}", folder.display()),
                };
                for folder in ["top/repo", "top/repo/", "top/repo/.git/x", "top", "top/repo/../../top/repo/x", "."] {
                    assert!(refused(path.join(folder)), "{folder}");
                }
                assert_eq!(fs::read_dir(&scanned).expect("it is there").count(), 0, "nothing was made there");
                for folder in ["top/repo2", "top/cache", "c", "top/repo/../c2"] {
                    assert!(!refused(path.join(folder)), "{folder}");
                }
                let upwards = <$folder>::open(&path.join("none/../c3"), &[]);
                assert!(matches!(upwards, Err(CacheErrorKind::Upwards)), "{upwards:?}");
            }

            #[test]
            fn a_file_is_no_folder() {
                let (_scratch, path) = scratch();
                fs::write(path.join("f"), "").expect("our own folder");
                let opened = <$folder>::open(&path.join("f"), &[]);
                assert!(matches!(opened, Err(CacheErrorKind::NoFolder)), "{opened:?}");
            }

            #[test]
            fn a_lock_is_one_s() {
                let (_scratch, path) = scratch();
                let folder = <$folder>::open(&path.join("c"), &[]).expect("it can be made");
                let held = folder.lock("lock").expect("it can be made");
                held.try_lock().expect("nobody has it");
                let other = folder.lock("lock").expect("it is there");
                assert!(other.try_lock().is_err());
                drop(held);
                other.try_lock().expect("nobody has it any more");
            }
        }
    )+};
}

faces!(elsewhere: portable::Folder);

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    faces!(by_descriptor: unix::Folder);

    #[test]
    fn links_are_refused_however_they_are_spelled() {
        let (_scratch, path) = scratch();
        fs::create_dir(path.join("real")).expect("our own folder");
        symlink("real", path.join("link")).expect("our own folder");
        symlink("none", path.join("dangling")).expect("our own folder");
        for name in ["link", "link/", "link/.", "dangling"] {
            let (one, other) =
                (unix::Folder::open(&path.join(name), &[]), portable::Folder::open(&path.join(name), &[]));
            assert!(matches!(one, Err(CacheErrorKind::Link)), "{name}: {one:?}");
            assert!(matches!(other, Err(CacheErrorKind::Link)), "{name}: {other:?}");
        }
        assert!(!path.join("none").exists());
    }

    #[test]
    fn folders_are_made_for_their_owner_and_refused_when_others_may_use_them() {
        let (_scratch, path) = scratch();
        let folder = path.join("new/cache");
        drop(unix::Folder::open(&folder, &[]).expect("it can be made"));
        assert_eq!(folder.metadata().expect("it was made").mode() & 0o777, 0o700);
        for (mode, fits) in
            [(0o700, true), (0o500, true), (0o750, false), (0o701, false), (0o720, false), (0o777, false)]
        {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("it is ours");
            match unix::Folder::open(&folder, &[]) {
                Ok(_) => assert!(fits, "{mode:o}"),
                Err(CacheErrorKind::Permissions(told)) => assert!(!fits && told == mode, "{told:o} for {mode:o}"),
                Err(other) => panic!("{mode:o}: {other}"),
            }
        }
    }

    #[test]
    fn files_that_others_may_write_and_links_are_not_read() {
        let (_scratch, path) = scratch();
        let path = path.join("c");
        let folder = unix::Folder::open(&path, &[]).expect("it can be made");
        folder.replace("x", "x.new", b"one").expect("it can be written");
        assert_eq!(path.join("x").metadata().expect("it is there").mode() & 0o777, 0o600);
        fs::set_permissions(path.join("x"), fs::Permissions::from_mode(0o620)).expect("it is ours");
        assert!(folder.read("x", 9).is_err());
        fs::write(path.join("elsewhere"), "two").expect("our own folder");
        symlink("elsewhere", path.join("y")).expect("our own folder");
        assert!(folder.read("y", 9).is_err());
        folder.replace("y", "y.new", b"three").expect("the link itself is replaced");
        assert_eq!(fs::read(path.join("elsewhere")).expect("it is there"), b"two");
    }
}

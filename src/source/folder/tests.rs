//! Both faces of the folder handle, held to the same table.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

/// Runs the same checks over one face.
macro_rules! face {
    ($name:ident, $folder:ty) => {
        #[test]
        fn $name() {
            let top = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(top.path().join("a/b")).unwrap();
            std::fs::write(top.path().join("a/b/file"), "text").unwrap();
            let folder = <$folder>::open(top.path(), Manner::Plain).unwrap();
            let inner = folder.below(Path::new("a/b"), Manner::Plain).unwrap();
            assert_eq!(inner.list().0, [Entry { name: "file".into(), kind: Kind::File }]);
            assert_eq!(inner.kind(OsStr::new("file")).unwrap(), Kind::File);
            assert_eq!(
                std::io::read_to_string(inner.file(OsStr::new("file"), Manner::Plain).unwrap()).unwrap(),
                "text"
            );
            for up in ["..", "../b/file", "/etc/passwd", "", "."] {
                assert!(inner.file(OsStr::new(up), Manner::Plain).is_err(), "{up:?}");
                assert!(inner.link(OsStr::new(up)).is_err(), "{up:?}");
            }
            assert!(inner.below(Path::new(".."), Manner::Plain).is_err());
            #[cfg(unix)]
            {
                let links = [("out", "/etc/passwd"), ("up", "../../.."), ("here", "file"), ("folder", "..")];
                for (name, target) in links {
                    std::os::unix::fs::symlink(target, top.path().join("a/b").join(name)).unwrap();
                    assert_eq!(inner.kind(OsStr::new(name)).unwrap(), Kind::Link);
                    assert!(inner.file(OsStr::new(name), Manner::Plain).is_err(), "{name}");
                    assert!(inner.below(Path::new(name), Manner::Plain).is_err(), "{name}");
                    assert!(folder.below(&Path::new("a/b").join(name), Manner::Plain).is_err(), "{name}");
                    assert_eq!(inner.link(OsStr::new(name)).unwrap(), target.as_bytes());
                }
                assert!(folder.below(Path::new("a/b/folder/b"), Manner::Plain).is_err(), "a link on the way");
            }
            assert!(folder.mount().is_ok());
        }
    };
}

face!(the_portable_face_leads_down_only, portable::Folder);
#[cfg(unix)]
face!(the_unix_face_leads_down_only, unix::Folder);

#[test]
fn times_before_1970_round_to_the_past() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("old");
    let file = std::fs::File::create(&path).unwrap();
    let time = std::time::UNIX_EPOCH - std::time::Duration::from_millis(1500);
    file.set_modified(time).unwrap();
    assert_eq!(facts(&file.metadata().unwrap()).modified, Some(-2));
}

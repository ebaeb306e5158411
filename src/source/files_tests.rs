//! Real folders.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

use super::*;
use crate::source::Excluded;
use crate::source::testing::{Collector, tree};

/// Walks `path`.
fn walked(path: &Path, options: FilesOptions) -> Collector {
    let collector = Collector::default();
    Files::new(path.to_owned(), Policy::default(), options).walk(&collector).unwrap();
    collector
}

#[test]
fn every_file_is_read_hidden_and_ignored_ones_too() {
    let top =
        tree(&[("a.txt", "one"), (".env", "two"), (".gitignore", "ignored"), ("ignored/b", "three"), ("empty", "")]);
    let seen = walked(top.path(), FilesOptions::default());
    let expected =
        [(".env", "two"), (".gitignore", "ignored"), ("a.txt", "one"), ("empty", ""), ("ignored/b", "three")];
    assert_eq!(seen.texts(Part::Content), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let names = [(".env", ".env"), (".gitignore", ".gitignore"), ("a.txt", "a.txt"), ("empty", "empty")];
    let names = names.into_iter().chain([("ignored", "ignored"), ("ignored/b", "b")]);
    let names: Vec<_> = names.map(|(path, name)| (path.to_owned(), name.to_owned())).collect();
    assert_eq!(seen.texts(Part::PathName), names);
    let blobs = seen.blobs.lock().unwrap();
    let ids: std::collections::BTreeSet<_> = blobs.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), blobs.len(), "each content has an id of its own");
    let facts = blobs.iter().find(|(_, place, _)| place.path == b"a.txt").unwrap().1.file.clone().unwrap();
    assert_eq!(facts.size, 3);
    assert!(facts.modified.is_some());
    assert!(seen.unread_kinds().is_empty());
}

#[test]
fn folders_of_many_files_are_read_whole() {
    let names: Vec<String> = (0..3 * 32 + 5).map(|n| format!("d/f{n:03}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let top = tree(&files);
    assert_eq!(walked(top.path(), FilesOptions::default()).paths(), names);
}

#[test]
fn git_internals_are_left_to_history_and_that_is_said() {
    let files = [("x", "x"), (".git/HEAD", "ref: refs/heads/main"), (".git/objects/a", ""), (".git/refs/b", "")];
    let top = tree(&files);
    fs::create_dir_all(top.path().join("fake/.git")).unwrap();
    fs::write(top.path().join("fake/.git/notes"), "no repository").unwrap();
    let seen = walked(top.path(), FilesOptions::default());
    assert_eq!(seen.paths(), ["fake/.git/notes", "x"]);
    let notes = seen.notes.lock().unwrap();
    assert!(notes.len() == 1 && notes[0].starts_with("1 git repository"), "{notes:?}");
}

#[test]
fn gitignore_is_honoured_when_asked() {
    let top = tree(&[
        (".git/HEAD", ""),
        (".git/objects/a", ""),
        (".git/refs/b", ""),
        (".git/info/exclude", "private\n"),
        (".gitignore", "*.log\n/build\n"),
        ("a.log", ""),
        ("kept/.gitignore", "!b.log\n"),
        ("kept/b.log", ""),
        ("kept/build", ""),
        ("build/c", ""),
        ("build/d", ""),
        ("private", ""),
        ("inner/.git/HEAD", ""),
        ("inner/.git/objects/a", ""),
        ("inner/.git/refs/b", ""),
        ("inner/e.log", ""),
        ("z", ""),
    ]);
    let options = FilesOptions { gitignore: true, ..FilesOptions::default() };
    let seen = walked(top.path(), options);
    let expected = [".gitignore", "inner/e.log", "kept/.gitignore", "kept/b.log", "kept/build", "z"];
    assert_eq!(seen.paths(), expected);
    assert_eq!(seen.excluded.lock().unwrap()[&Excluded::Gitignored], 3, "a.log, build, private");
    let below = walked(&top.path().join("kept"), options);
    assert_eq!(below.paths(), [".gitignore", "b.log", "build"], "files above the root hold too");
}

#[test]
fn test_directories_are_counted_unread() {
    let top = tree(&[("src/a.rs", ""), ("tests/b.rs", ""), ("tests/deep/c.rs", ""), ("tests/deep/d.rs", "")]);
    let seen = walked(top.path(), FilesOptions::default());
    assert_eq!(seen.paths(), ["src/a.rs"]);
    let excluded = seen.excluded.lock().unwrap().clone();
    assert_eq!(excluded.into_iter().collect::<Vec<_>>(), [(Excluded::TestDirectory, 1), (Excluded::TestFile, 3)]);
    let named = walked(&top.path().join("tests"), FilesOptions::default());
    assert_eq!(named.paths(), ["b.rs", "deep/c.rs", "deep/d.rs"], "a path the user names is always scanned");
    let collector = Collector::default();
    let policy = Policy::new(true, globset::GlobSet::empty(), false);
    Files::new(top.path().to_owned(), policy, FilesOptions::default()).walk(&collector).unwrap();
    assert_eq!(collector.paths().len(), 4);
}

#[test]
fn excludes_and_limits_are_counted() {
    let top = tree(&[("a.txt", "x"), ("b.bin", "xx"), ("big", "0123456789")]);
    let globs = globset::GlobSetBuilder::new().add(globset::Glob::new("*.bin").unwrap()).build().unwrap();
    let collector = Collector::default();
    let options = FilesOptions { max_file_size: Some(9), ..FilesOptions::default() };
    Files::new(top.path().to_owned(), Policy::new(false, globs, false), options).walk(&collector).unwrap();
    assert_eq!(collector.paths(), ["a.txt"]);
    let excluded = collector.excluded.lock().unwrap().clone();
    assert_eq!(excluded.into_iter().collect::<Vec<_>>(), [(Excluded::ExcludeGlob, 1), (Excluded::UserLimit, 1)]);
}

#[test]
fn one_file_may_be_named_and_a_missing_one_is_an_error() {
    let top = tree(&[("tests/a.txt", "text")]);
    let path = top.path().join("tests/a.txt");
    let seen = walked(&path, FilesOptions::default());
    assert_eq!(seen.texts(Part::Content), [("a.txt".to_owned(), "text".to_owned())]);
    let missing = Files::new(top.path().join("no"), Policy::default(), FilesOptions::default());
    let error = missing.walk(&Collector::default()).unwrap_err();
    assert!(matches!(error.kind, SourceErrorKind::NotFound), "{error}");
    assert_eq!(Files::new(path, Policy::default(), FilesOptions::default()).root().name, "a.txt");
}

#[test]
fn a_stopped_walk_says_what_it_left() {
    let top = tree(&[("a", ""), ("d/b", "")]);
    let collector = Collector::default();
    collector.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    Files::new(top.path().to_owned(), Policy::default(), FilesOptions::default()).walk(&collector).unwrap();
    assert_eq!(collector.unread_kinds(), [(".".to_owned(), "deadline")]);
    assert!(collector.paths().is_empty());
}

/// A visitor that appends to a file while it sees its content.
struct Meddler {
    collector: Collector,
    path: PathBuf,
}

impl Visitor for Meddler {
    type State = ();

    fn visit(&self, parent: Option<(&(), &crate::blob::Edits)>, blob: crate::blob::Blob<'_>) {
        if blob.provenance.is_some_and(|place| place.part == Part::Content && place.path == b"growing") {
            use std::io::Write;
            fs::OpenOptions::new().append(true).open(&self.path).unwrap().write_all(b"more").unwrap();
        }
        self.collector.visit(parent, blob);
    }

    fn unread(&self, what: Unread) {
        self.collector.unread(what);
    }

    fn excluded(&self, why: Excluded, count: u64) {
        self.collector.excluded(why, count);
    }

    fn listed(&self, what: crate::source::Listed) {
        self.collector.listed(what);
    }

    fn observe(&self, fact: crate::observe::Observation) {
        self.collector.observe(fact);
    }

    fn note(&self, text: String) {
        self.collector.note(text);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_unread() {
    let top = tree(&[("growing", "start"), ("still", "x")]);
    let meddler = Meddler { collector: Collector::default(), path: top.path().join("growing") };
    Files::new(top.path().to_owned(), Policy::default(), FilesOptions::default()).walk(&meddler).unwrap();
    assert_eq!(meddler.collector.unread_kinds(), [("growing".to_owned(), "changed")]);
    assert_eq!(meddler.collector.paths(), ["growing", "still"], "what was read is visited all the same");
}

/// Holds the first large content back until another thread has visited all small ones.
struct Patient {
    /// Small contents that are to come.
    left: Mutex<usize>,
    done: Condvar,
    /// Whether the wait was in vain.
    is_stuck: AtomicBool,
}

impl Visitor for Patient {
    type State = ();

    fn visit(&self, _parent: Option<(&(), &crate::blob::Edits)>, blob: crate::blob::Blob<'_>) {
        if blob.provenance.is_none_or(|place| place.part != Part::Content) {
            return;
        }
        let mut left = self.left.lock().unwrap();
        if blob.bytes.len() < 1 << 20 {
            *left -= 1;
            self.done.notify_all();
            return;
        }
        // A minute is for ever: only a walk that makes the others wait lets it pass.
        let forever = std::time::Duration::from_secs(60);
        let (_left, waited) = self.done.wait_timeout_while(left, forever, |left| *left > 0).unwrap();
        self.is_stuck.fetch_or(waited.timed_out(), Ordering::Relaxed);
    }

    fn unread(&self, what: Unread) {
        panic!("everything can be read: {what:?}");
    }

    fn excluded(&self, _why: Excluded, _count: u64) {}

    fn listed(&self, _what: crate::source::Listed) {}

    fn observe(&self, _fact: crate::observe::Observation) {}

    fn note(&self, _text: String) {}
}

#[test]
fn files_beside_a_large_one_do_not_wait_for_it() {
    let large = "x".repeat(1 << 20);
    let small: Vec<String> = (0..20).map(|at| format!("small {at}")).collect();
    let mut files: Vec<(&str, &str)> = small.iter().map(|name| (name.as_str(), "x")).collect();
    files.push(("a large one comes first", &large));
    let top = tree(&files);
    let visitor = Patient { left: Mutex::new(small.len()), done: Condvar::new(), is_stuck: AtomicBool::new(false) };
    let source = Files::new(top.path().to_owned(), Policy::default(), FilesOptions::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| source.walk(&visitor)).unwrap();
    assert!(!visitor.is_stuck.into_inner(), "the small ones came only after it");
    assert_eq!(visitor.left.into_inner().unwrap(), 0);
}

#[test]
fn a_huge_file_comes_in_windows_with_the_context_asked_for() {
    let top = tree(&[]);
    let path = top.path().join("huge");
    let file = File::create(&path).unwrap();
    file.set_len((64 << 20) + (12 << 20)).unwrap(); // Sparse: takes no room.
    drop(file);
    let seen = walked(&path, FilesOptions { overlap: 1000, ..FilesOptions::default() });
    let blobs = seen.blobs.lock().unwrap();
    let lengths: Vec<usize> =
        blobs.iter().filter(|(_, place, _)| place.part == Part::Content).map(|(.., bytes)| bytes.len()).collect();
    let own = 8 << 20;
    let inner = own + 2000;
    assert_eq!(lengths, [own + 1000, inner, inner, inner, inner, inner, inner, inner, inner, (4 << 20) + 1000]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_texts_and_never_followed() {
        let top = tree(&[("d/file", "inside"), ("d/deep/x", "")]);
        let outside = tree(&[("secret", "outside")]);
        let target = outside.path().to_str().unwrap().to_owned();
        symlink(&target, top.path().join("d/absolute")).unwrap();
        symlink("../..", top.path().join("d/up")).unwrap();
        symlink("gone", top.path().join("d/dangling")).unwrap();
        let seen = walked(&top.path().join("d"), FilesOptions::default());
        assert_eq!(seen.paths(), ["deep/x", "file"]);
        let expected = [("absolute", target.as_str()), ("dangling", "gone"), ("up", "../..")];
        assert_eq!(seen.texts(Part::LinkTarget), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
        assert!(seen.unread_kinds().is_empty());
        let named = walked(&top.path().join("d/absolute"), FilesOptions::default());
        assert_eq!(named.paths(), ["secret"], "a link the user names is followed");
    }

    #[test]
    fn pipes_and_sockets_are_listed_and_a_named_pipe_is_read() {
        let top = tree(&[("a", "")]);
        let fifo = top.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(top.path().join("socket")).unwrap();
        let seen = walked(top.path(), FilesOptions::default());
        assert_eq!(seen.listings(), [("fifo".to_owned(), "fifo"), ("socket".to_owned(), "socket")]);
        assert_eq!(seen.paths(), ["a"]);
        let writer = std::thread::spawn({
            let fifo = fifo.clone();
            move || fs::write(fifo, "through the pipe").unwrap()
        });
        let named = walked(&fifo, FilesOptions::default());
        writer.join().unwrap();
        assert_eq!(named.texts(Part::Content), [("fifo".to_owned(), "through the pipe".to_owned())]);
    }

    #[test]
    fn what_may_not_be_read_is_unread_with_a_hint() {
        let top = tree(&[("locked", "x"), ("closed/y", "")]);
        for path in ["locked", "closed"] {
            fs::set_permissions(top.path().join(path), fs::Permissions::from_mode(0o000)).unwrap();
        }
        if fs::read(top.path().join("locked")).is_ok() {
            return; // Permissions don't hold root back.
        }
        let seen = walked(top.path(), FilesOptions::default());
        assert_eq!(seen.unread_kinds(), [("closed".to_owned(), "permission"), ("locked".to_owned(), "permission")]);
        assert!(seen.unread.lock().unwrap().iter().all(|unread| unread.detail.contains("run as a user")));
        fs::set_permissions(top.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn names_that_are_no_text_are_bytes() {
        let top = tree(&[]);
        let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\n%");
        if fs::write(top.path().join(name), "x").is_err() {
            return; // Some systems (macOS) refuse such names.
        }
        let seen = walked(top.path(), FilesOptions::default());
        let blobs = seen.blobs.lock().unwrap();
        assert_eq!(blobs.len(), 2);
        assert!(blobs.iter().all(|(_, place, _)| place.path == b"\xff\n%"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn kernel_file_systems_are_listed() {
        // The walk starts below the user's root, so `/` is the only root here that has `/proc` below it; stop at once
        // below it by leaving out everything else.
        let globs = globset::GlobSetBuilder::new().add(globset::Glob::new("[!p]*").unwrap()).build().unwrap();
        let collector = Collector::default();
        let policy = Policy::new(false, globs, true);
        Files::new("/".into(), policy, FilesOptions::default()).walk(&collector).unwrap();
        assert!(collector.listings().contains(&("proc".to_owned(), "pseudo file system")));
        assert!(!collector.paths().iter().any(|path| path.starts_with("proc/")));
    }
}

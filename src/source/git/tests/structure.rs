//! The structure pass against a slow and obvious one, and the names that it hands out.

use std::collections::BTreeMap;

use gix::ObjectId;

use super::*;
use crate::blob::ObjectPart;
use crate::policy::Allowed;
use crate::source::Source;

/// A generator of numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

/// One entry that isn't a folder: mode and what it names.
type Entry = (String, String);

/// The entries of one commit, by path.
type Snapshot = BTreeMap<String, Entry>;

/// A path of a few components, some of which mean tests.
fn path(dice: &mut Dice) -> String {
    const FOLDERS: [&str; 9] = ["src", "test", "tests", "__tests__", "examples", "config", "lib", "a", "b"];
    const FILES: [&str; 7] = ["Makefile", "main.c", "notes.txt", "data", "Cargo.toml", "x", "conf.yaml"];
    let mut path = String::new();
    for _ in 0..dice.roll(4) {
        path += dice.one_of(&FOLDERS);
        path.push('/');
    }
    path + dice.one_of(&FILES)
}

/// Commits that change a few files each, and copy whole folders about; written by `git fast-import`.
fn history(dice: &mut Dice) -> String {
    let mut stream = String::new();
    let base = "M 100644 inline src/base.h\ndata 4\nbase\n";
    for n in 0..40 {
        let date = 1_700_000_000 + n * 60;
        stream += &format!("commit refs/heads/main\ncommitter C <c@d> {date} +0000\ndata 2\nm\n");
        stream += if n == 0 { base } else { "" };
        for _ in 0..dice.roll(6) + usize::from(n == 0) {
            let path = path(dice);
            match dice.roll(12) {
                0 => stream += &format!("D {path}\n"),
                1 => stream += &format!("M 160000 {:040x} {path}-sub\n", dice.roll(1000) + 1),
                2 => stream += &format!("M 120000 inline {path}-link\ndata 6\ntarget\n"),
                _ => {
                    let text = format!("content {}", dice.roll(60));
                    stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
                }
            }
        }
        if n > 3 && dice.roll(3) == 0 {
            // The same tree at another place.
            let to = dice.one_of(&["tests", "a", "lib/b", "test", "deep/er"]);
            stream += &format!("C src {to}/copy\n");
        }
    }
    stream
}

/// What one commit holds, by `git ls-tree`.
fn snapshot(f: &Fixture, commit: &str) -> Snapshot {
    let listed = f.git(&["ls-tree", "-r", "-z", commit]);
    let entries = listed.split('\0').filter(|line| !line.is_empty()).map(|line| {
        let (meta, path) = line.split_once('\t').unwrap();
        let mut meta = meta.split(' ');
        let (mode, id) = (meta.next().unwrap(), meta.nth(1).unwrap());
        (path.to_owned(), (mode.to_owned(), id.to_owned()))
    });
    entries.collect()
}

/// The names in a folder of a commit.
fn names(snapshot: &Snapshot, folder: &[u8]) -> Vec<Vec<u8>> {
    let prefix = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
    let below = snapshot.keys().filter_map(|path| path.as_bytes().strip_prefix(prefix.as_slice()));
    let names: BTreeSet<Vec<u8>> = below.map(|rest| rest.split(|b| *b == b'/').next().unwrap().to_vec()).collect();
    names.into_iter().collect()
}

/// Runs `git fast-import` on a stream.
fn import(f: &Fixture, stream: &str) {
    let mut child = Command::new("git")
        .args(["fast-import", "--quiet", "--force"])
        .current_dir(f.repo())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Checks a history against its snapshots, oldest first.
fn compare(f: &Fixture, snapshots: &[(String, Snapshot)]) {
    let policy = Policy::default();
    let (mut blobs, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    let mut submodules = BTreeSet::new();
    for (_, snapshot) in snapshots {
        for (path, (mode, id)) in snapshot {
            if mode == "160000" {
                submodules.insert(path.clone());
                continue;
            }
            blobs.insert(id.clone());
            if policy.judge_path(path.as_bytes(), &mut |folder| names(snapshot, folder)) != Allowed::Test {
                allowed.insert(id.clone());
            }
        }
    }
    let scan = f.scan();
    scan.assert_clean();
    let handed_out = |part: ObjectPart| -> BTreeSet<String> {
        let contents = scan.seen.contents.lock().unwrap();
        contents
            .keys()
            .filter(|id| matches!(id, ContentId::Object(own, _) if *own == part))
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(handed_out(ObjectPart::Blob), allowed);
    assert!(blobs.len() > allowed.len() && !allowed.is_empty());
    let excluded = scan.seen.excluded.lock().unwrap().clone();
    let in_tests = u64::try_from(blobs.len() - allowed.len()).unwrap();
    assert!(excluded.contains(&(Excluded::TestFile, in_tests)), "{excluded:?}");
    // Submodules: each that there is under one of its paths, none that there isn't.
    let listed: BTreeSet<String> = {
        let listed = scan.seen.listed.lock().unwrap();
        listed.iter().map(|listed| String::from_utf8(listed.path.clone()).unwrap()).collect()
    };
    assert!(listed.is_subset(&submodules));
    let leaf = |path: &String| path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(listed.iter().map(leaf).collect::<BTreeSet<_>>(), submodules.iter().map(leaf).collect());
    // Names: those of every tree that some path outside tests leads to.
    let mut named = BTreeSet::new();
    for (commit, snapshot) in snapshots {
        let trees = f.git(&["ls-tree", "-r", "-t", "-z", commit]);
        named.insert(f.git(&["rev-parse", &format!("{commit}^{{tree}}")]));
        for line in trees.split('\0').filter(|line| line.contains(" tree ")) {
            let (meta, path) = line.split_once('\t').unwrap();
            let inside = format!("{path}/x");
            if policy.judge_path(inside.as_bytes(), &mut |folder| names(snapshot, folder)) != Allowed::Test {
                named.insert(meta.split(' ').nth(2).unwrap().to_owned());
            }
        }
    }
    named.remove(&gix::hash::Kind::Sha1.empty_tree().to_string());
    assert_eq!(handed_out(ObjectPart::Names), named);
}

/// Checks the places of all blobs against the snapshots: paths, and first and last commit of each.
fn compare_places(f: &Fixture, snapshots: &[(String, Snapshot)]) {
    let everywhere = Policy::new(true, globset::GlobSet::empty(), false);
    let history = History::new(f.repo(), Opening::Named, everywhere, false);
    let seen = Collector::default();
    history.walk(&seen).unwrap();
    let contents = seen.contents.lock().unwrap();
    let is_blob = |id: &&ContentId| matches!(id, ContentId::Object(ObjectPart::Blob, _));
    // All, and one alone: then most folders lead nowhere.
    let all: BTreeSet<ContentId> = contents.keys().filter(is_blob).copied().collect();
    let one: BTreeSet<ContentId> = all.iter().take(1).copied().collect();
    for wanted in [all, one] {
        let mut expected: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
        for (commit, snapshot) in snapshots {
            for (path, (mode, id)) in snapshot {
                let content = ContentId::Object(ObjectPart::Blob, ObjectId::from_hex(id.as_bytes()).unwrap());
                if mode != "160000" && wanted.contains(&content) {
                    let new = || (commit.clone(), commit.clone());
                    expected.entry((id.clone(), path.clone())).or_insert_with(new).1 = commit.clone();
                }
            }
        }
        let located = history.locate(&wanted).unwrap();
        let found = located.iter().map(|found| {
            let commit = |commit: &Option<std::sync::Arc<crate::place::Commit>>| commit.clone().unwrap().id.clone();
            let path = String::from_utf8(found.place.provenance.path.clone()).unwrap();
            ((found.content.to_string(), path), (commit(&found.place.first), commit(&found.place.last)))
        });
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
        assert!(!expected.is_empty());
    }
}

#[test]
fn the_pass_finds_what_an_obvious_one_finds() {
    for seed in 0..9 {
        let Some(f) = Fixture::new() else { return };
        let mut dice = Dice(seed * 7919 + 1);
        import(&f, &history(&mut dice));
        match seed % 3 {
            0 => {}
            1 => drop(f.git(&["repack", "-q", "-adf", "--depth=200", "--window=50"])),
            _ => {
                // All loose.
                let pack = f.path("pack");
                fs::create_dir(&pack).unwrap();
                f.git(&["repack", "-q", "-adf"]);
                let packs = f.repo().join(".git/objects/pack");
                for entry in fs::read_dir(&packs).unwrap().flatten() {
                    fs::rename(entry.path(), pack.join(entry.file_name())).unwrap();
                }
                for entry in fs::read_dir(&pack).unwrap().flatten().filter(|e| e.path().extension().unwrap() == "pack")
                {
                    let file = fs::File::open(entry.path()).unwrap();
                    let mut unpack = Command::new("git");
                    unpack.args(["unpack-objects", "-q"]).current_dir(f.repo()).stdin(file);
                    assert!(unpack.status().unwrap().success());
                }
            }
        }
        let commits = f.git(&["rev-list", "--reverse", "main"]);
        let snapshots: Vec<_> = commits.lines().map(|commit| (commit.to_owned(), snapshot(&f, commit))).collect();
        compare(&f, &snapshots);
        compare_places(&f, &snapshots);
    }
}

/// A visitor that finds something in names with one word in them.
#[derive(Default)]
struct Suspicious {
    collector: Collector,
    /// The texts it was asked about.
    asked: Mutex<Vec<Vec<u8>>>,
}

impl Visitor for Suspicious {
    type State = ();

    fn visit(&self, parent: Option<(&(), &Edits)>, blob: Blob<'_>) {
        self.collector.visit(parent, blob);
    }

    fn unread(&self, what: Unread) {
        self.collector.unread(what);
    }

    fn excluded(&self, _: Excluded, _: u64) {}

    fn listed(&self, _: Listed) {}

    fn observe(&self, _: Observation) {}

    fn note(&self, _: String) {}

    fn suspects(&self, text: &[u8]) -> bool {
        self.asked.lock().unwrap().push(text.to_vec());
        memchr::memmem::find(text, b"the-secret").is_some()
    }
}

#[test]
fn a_name_is_looked_at_once_and_handed_out_where_it_stands() {
    let Some(f) = Fixture::new() else { return };
    for n in 0..30 {
        f.write("deep/er/plain.txt", format!("{n}"));
        f.write("other/file.txt", format!("{n}"));
        f.commit("more");
    }
    f.write("deep/er/key-the-secret.txt", "x");
    f.write("deep/line\nbreak-the-secret", "x");
    f.write("__tests__/the-secret.txt", "x");
    f.write("__tests__/unlike/the-secret-too.txt", "x");
    f.commit("secrets");
    f.commit_file("other/file.txt", "last");
    for packed in [false, true] {
        if packed {
            f.git(&["gc", "-q", "--aggressive"]);
        }
        let history = History::new(f.repo(), Opening::Named, Policy::default(), false);
        let seen = Suspicious::default();
        history.walk(&seen).unwrap();
        assert_eq!(*seen.collector.unread.lock().unwrap(), []);
        let contents = seen.collector.contents.lock().unwrap();
        let is_names = |id: &&ContentId| matches!(id, ContentId::Object(ObjectPart::Names, _));
        let names: BTreeSet<ContentId> = contents.keys().filter(is_names).copied().collect();
        // `deep` and `deep/er` with the secrets, and no other of 60 trees.
        let id = |spec: &str| ObjectId::from_hex(f.git(&["rev-parse", spec]).as_bytes()).unwrap();
        let expected = [id("HEAD:deep"), id("HEAD:deep/er")].map(|id| ContentId::Object(ObjectPart::Names, id));
        assert_eq!(names, BTreeSet::from(expected));
        let places = history.locate(&names).unwrap();
        let paths: BTreeSet<&[u8]> = places.iter().map(|found| found.place.provenance.path.as_slice()).collect();
        assert!(
            paths.contains(&b"deep/er/key-the-secret.txt"[..]) && paths.contains(&b"deep/line\nbreak-the-secret"[..])
        );
        assert!(places.iter().all(|found| found.line.is_some() && found.place.first.is_some()));
        let asked = seen.asked.lock().unwrap();
        let with = |name: &[u8]| asked.iter().filter(|text| memchr::memmem::find(text, name).is_some()).count();
        // Once with all, then only as long as halves hold a suspect.
        assert!(asked.len() < 40 && with(b"\nplain.txt\n") > 0 && with(b"\nline/break-the-secret\n") > 0);
        assert!(asked.iter().all(|text| memchr::memmem::find_iter(text, b"\nfile.txt\n").count() < 2));
    }
}

//! The conductor with sources made for a test.

use super::*;
use crate::blob::Window;
use crate::engine::built_in_rules;
use crate::place::Before;
use crate::source::RootFacts;
use crate::specimen;

/// Windows of contents, and what [`Source::locate`] answers.
#[derive(Default)]
struct Fake {
    windows: Vec<(ContentId, u64, Vec<u8>)>,
    answers: Vec<(ContentId, &'static str)>,
}

impl Source for Fake {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        for (id, offset, bytes) in &self.windows {
            let window = Window { offset: *offset, whole: false, ..Window::whole(bytes.len()) };
            visitor.visit(None, Blob { window, ..Blob::whole(*id, bytes) });
        }
        Ok(())
    }

    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let answers = self.answers.iter().filter(|(id, _)| wanted.contains(id));
        let located = |&(content, path): &(ContentId, &str)| {
            let provenance = Provenance { path: path.into(), ..Provenance::default() };
            let place = Place { provenance, state: State::DefaultTip, first: None, last: None, reference: None };
            Located { content, line: None, place, before: Before::NotAsked }
        };
        Ok(answers.map(located).collect())
    }

    fn root(&self) -> RootFacts {
        RootFacts::default()
    }
}

fn conductor() -> Conductor {
    Conductor {
        engine: Engine::new(built_in_rules()).expect("the built-in rules make an engine"),
        policy: Policy::default(),
        threshold: 50,
        markers: Markers::Heard,
        key: None,
        decisions: Default::default(),
        accept: Vec::new(),
        platform: None,
        observations: false,
        line_hashes: false,
        now: 0,
        deadline: None,
        full_scan: false,
        explain: false,
        cache: None,
    }
}

fn scan(source: &Fake) -> ScanReport {
    conductor().scan(source, &()).expect("the source fails nothing")
}

/// A text with a secret of its own.
fn leak(seed: u64) -> Vec<u8> {
    let (_, text) = crate::engine::built_in_files()
        .iter()
        .find(|(name, _)| name.ends_with("github.toml"))
        .expect("there are rules for GitHub");
    let rules = crate::rule::load::load("github.toml", text, crate::rule::load::Origin::BuiltIn);
    let rules = rules.expect("the build has checked them");
    specimen::expand(&rules[0].examples[0], seed).expect("the build has checked it")
}

#[test]
fn every_window_of_a_content_has_its_place() {
    let id = ContentId::Serial(7);
    let windows = vec![(id, 0, leak(1)), (id, 1 << 20, leak(2))];
    let report = scan(&Fake { windows, answers: vec![(id, "big.bin")] });
    assert_eq!(report.findings.len(), 2);
    assert!(report.findings.iter().all(|finding| finding.places[0].place.provenance.path == b"big.bin"));
    assert_eq!(report.unread, []);
}

#[test]
fn a_secret_without_a_place_is_not_lost_silently() {
    let id = ContentId::Serial(7);
    let report = scan(&Fake { windows: vec![(id, 0, leak(1))], answers: Vec::new() });
    assert_eq!(report.findings.len(), 0);
    assert_eq!(report.unread.iter().map(|item| item.kind).collect::<Vec<_>>(), [UnreadKind::Mismatch]);
}

/// A line with what is shaped like a token and whose checksum fails: reported at low confidence only.
fn doubted(n: usize) -> String {
    let word = |salt: u64| (n as u64 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    format!("gh{}_{:010x}{:010x}{:010x}q9Zk7W\n", "p", word(1), word(77_777), word(5_555_555))
}

#[test]
fn doubtful_matches_push_out_no_finding_and_a_limit_is_unread() {
    let id = ContentId::Serial(0);
    let lines = |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<String>().into_bytes();
    let doubtful = lines(MOST_HITS + 1, doubted);
    let sure: fn(usize) -> String =
        |n| format!("pass{} = \"kX9{:08x}q\"\n", "word", (n as u32 + 1).wrapping_mul(2_654_435_761));
    let answers = || vec![(id, "a")];
    let report = scan(&Fake { windows: vec![(id, 0, [doubtful, lines(1, sure)].concat())], answers: answers() });
    assert_eq!((report.findings.len(), report.unread.len()), (1, 0), "what is not shown is no gap");
    assert_eq!(report.excluded, [(Excluded::LowConfidence, MOST_HITS as u64)]);
    let report = scan(&Fake { windows: vec![(id, 0, lines(MOST_HITS + 100, sure))], answers: answers() });
    assert_eq!((report.findings.len(), report.unread.len()), (MOST_HITS, 1));
    assert_eq!(report.unread[0].kind, UnreadKind::Limit);
    assert!(report.unread[0].detail.contains("more matches"), "{}", report.unread[0].detail);
}

#[test]
fn a_secret_in_a_path_is_not_hashed() {
    let id = ContentId::Serial(1);
    let fingerprint = |path| {
        let windows = vec![(id, 0, ["pass", "word = \"kX9!mmq2zz\"\n"].concat().into_bytes())];
        let report = scan(&Fake { windows, answers: vec![(id, path)] });
        assert_eq!(report.findings.len(), 1);
        report.findings[0].fingerprint.clone()
    };
    let one = fingerprint(concat!("dir/pass", "word=Zt5!vvw8pp/x"));
    assert!(one.starts_with("v1p:"), "{one}");
    assert_eq!(one, fingerprint(concat!("dir/pass", "word=Yq7!ccz3kk/x")));
    assert_ne!(one, fingerprint("dir/other/x"));
}

#[test]
fn a_known_secret_is_told_wherever_it_stands() {
    let (sure, doubtful) = (ContentId::Serial(1), ContentId::Serial(2));
    let value = "a8317c04-55e1-4d2b-9c6a-0f4bd17e9a23";
    let windows = [(sure, 0, leak(1)), (doubtful, 0, leak(2))];
    let conductor = conductor();
    let mut collected = Collected::default();
    let contents = windows.iter().map(|(id, _, text)| {
        let blob = Blob::whole(*id, text);
        let mut hits = hits(&conductor.engine, &blob, &conductor.engine.scan(text), Wanted::default(), |_| true);
        hits[0].secret = Secret::new(value.as_bytes());
        hits[0].confidence = if *id == sure { 90 } else { 20 };
        Content { id: *id, provenance: None, hits }
    });
    let fake = Fake { windows: Vec::new(), answers: vec![(sure, "a"), (doubtful, "b")] };
    let placed = conductor.place(&fake, contents.collect(), &mut collected).expect("the source fails nothing");
    let settings = dedup::Settings {
        engine: &conductor.engine,
        key: None,
        platform: None,
        markers: None,
        decisions: &Default::default(),
        now: 0,
        threshold: conductor.threshold,
    };
    let mut report = ScanReport::default();
    assert_eq!(dedup::findings(placed, &settings, &mut report, &mut []), 0);
    let paths: Vec<_> = report.findings[0].places.iter().map(|seen| seen.place.provenance.path.as_slice()).collect();
    assert_eq!((report.findings.len(), paths), (1, vec![&b"a"[..], b"b"]));
}

/// A repository of blobs that asks what is known of them.
struct Repo {
    store: &'static str,
    blobs: Vec<(gix::ObjectId, Vec<u8>)>,
}

impl Repo {
    /// A repository with these blobs.
    fn new(blobs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let hash = |bytes: &[u8]| gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, bytes);
        let named = |bytes: Vec<u8>| (hash(&bytes).expect("it can be hashed"), bytes);
        Self { store: "/srv/repo/.git", blobs: blobs.into_iter().map(named).collect() }
    }

    /// Has the cache believe that all blobs are clean.
    fn whitewash(&self, cache: &Cache) {
        let (verdicts, _) = cache.recall(self.store.as_ref());
        self.blobs.iter().for_each(|(id, bytes)| verdicts.settle(id, bytes.len() as u64, true));
        assert_eq!(verdicts.finish(), None);
    }
}

impl Source for Repo {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        for (id, bytes) in &self.blobs {
            if !visitor.knows(id, || Some(bytes.len() as u64)) {
                visitor.visit(None, Blob::of_git(*id, bytes, bytes.starts_with(b"version ")));
            }
        }
        Ok(())
    }

    fn locate(&self, wanted: &BTreeSet<ContentId>) -> Result<Vec<Located>, SourceError> {
        let answers = wanted.iter().map(|id| (*id, "a")).collect();
        Fake { windows: Vec::new(), answers }.locate(wanted)
    }

    fn store(&self) -> Option<std::path::PathBuf> {
        Some(self.store.into())
    }

    fn root(&self) -> RootFacts {
        RootFacts::default()
    }
}

/// Scans with what is kept in `folder`; one of `audited` hits is scanned all the same.
fn scan_knowing(repo: &Repo, folder: &tempfile::TempDir, audited: u64) -> ScanReport {
    let cache = cache_in(folder).auditing(audited);
    Conductor { cache: Some(cache), ..conductor() }.scan(repo, &()).expect("the source fails nothing")
}

/// The cache in `folder`, for the engine of these tests.
fn cache_in(folder: &tempfile::TempDir) -> Cache {
    Cache::open(&folder.path().join("cache"), &conductor().engine.description(), &[]).expect("it can be made")
}

#[test]
fn only_blobs_with_nothing_at_all_to_report_are_known_next_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let doubtful = doubted(1).into_bytes();
    let dropped = format!("pass{} = \"change{}\"\n", "word", "me").into_bytes();
    let engine = conductor().engine;
    assert!(engine.scan(&doubtful).matches.iter().any(|found| !found.dropped && found.confidence < 50));
    assert!(engine.scan(&dropped).matches.iter().all(|found| found.dropped));
    let pointer = b"version of a pointer".to_vec();
    let repo = Repo::new([b"nothing".to_vec(), dropped, doubtful, leak(1), pointer, Vec::new()]);
    let first = scan_knowing(&repo, &folder, u64::MAX);
    assert_eq!((first.findings.len(), first.known_clean, first.contents), (1, 0, 5));
    let second = scan_knowing(&repo, &folder, u64::MAX);
    // A match that filters dropped is never reported, at no confidence, and masks nothing where nothing else is found.
    assert_eq!((second.findings.len(), second.known_clean, second.contents), (1, 2, 3));
    assert_eq!(second.excluded, first.excluded, "what is doubted is counted each time");
    let full = Conductor { full_scan: true, cache: Some(cache_in(&folder)), ..conductor() };
    assert_eq!(full.scan(&repo, &()).expect("the source fails nothing").known_clean, 0);
}

#[test]
fn a_wrong_verdict_that_is_met_voids_all_and_hides_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repo = Repo::new((0..40).map(leak));
    let whitewash = || repo.whitewash(&cache_in(&folder));
    whitewash();
    let believed = scan_knowing(&repo, &folder, u64::MAX);
    assert_eq!((believed.findings.len(), believed.known_clean), (0, 40), "the test would see it");
    // Every other hit is audited: that none of 40 is has a probability of one in a million million.
    for audited in [1, 2] {
        whitewash();
        let report = scan_knowing(&repo, &folder, audited);
        assert_eq!((report.findings.len(), report.known_clean), (40, 0), "one in {audited}");
        assert!(report.notes.iter().any(|note| note.contains("was wrong")), "{:?}", report.notes);
        let next = scan_knowing(&repo, &folder, u64::MAX);
        assert_eq!((next.findings.len(), next.known_clean, next.notes.len()), (40, 0, 0), "nothing is left of it");
    }
}

#[test]
fn what_failed_is_not_kept() {
    let collect = |blob: &Blob<'_>, fails: bool| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = cache_in(&folder).auditing(u64::MAX);
        let (verdicts, _) = cache.recall("/srv/repo/.git".as_ref());
        let conductor = conductor();
        let collector = Collector::new(&conductor, &(), Some(&verdicts));
        let outcome = collector.guarded(blob, || {
            assert!(!fails, "as a parser of ours might");
            collector.scan(None, blob)
        });
        collector.settle(blob.id, blob.bytes.len(), outcome.is_clean);
        drop(collector);
        verdicts.finish();
        let (verdicts, _) = cache.recall("/srv/repo/.git".as_ref());
        let ContentId::Object(_, id) = blob.id else { panic!("it is a blob") };
        verdicts.knows(&id, || Some(blob.bytes.len() as u64))
    };
    let repo = Repo::new([b"nothing".to_vec()]);
    let blob = Blob::of_git(repo.blobs[0].0, &repo.blobs[0].1, false);
    assert!(collect(&blob, false));
    assert!(!collect(&blob, true));
}

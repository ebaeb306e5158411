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
        suppress: Vec::new(),
        accept: Vec::new(),
        platform: None,
        observations: false,
        line_hashes: false,
        now: 0,
        deadline: None,
        full_scan: false,
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

#[test]
fn doubtful_matches_push_out_no_finding_and_a_limit_is_unread() {
    let id = ContentId::Serial(0);
    let lines = |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<String>().into_bytes();
    // A bare name is doubted, a random value is not; both are the same rule's.
    let doubtful = lines(MOST_HITS + 1, |n| format!("pass{} = max_key_{n}\n", "word"));
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
        let mut hits = hits(&conductor.engine, &blob, &conductor.engine.scan(text), false, |_| true);
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
        suppress: &[],
        now: 0,
        threshold: conductor.threshold,
    };
    let mut report = ScanReport::default();
    assert_eq!(dedup::findings(placed, &settings, &mut report, &mut []), 0);
    let paths: Vec<_> = report.findings[0].places.iter().map(|seen| seen.place.provenance.path.as_slice()).collect();
    assert_eq!((report.findings.len(), paths), (1, vec![&b"a"[..], b"b"]));
}

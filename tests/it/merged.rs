//! `keytrail report`: reports of real scans read back, put together and written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use keytrail::finding::{Report, ScanReport, Sighting, merge};
use keytrail::place::State;
use keytrail::read;
use keytrail::report::{AzureRun, SarifTarget, Style, by_name, sarif_parts};
use keytrail::rule::Severity;
use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{Run, Token, Workspace, keytrail, leaks_in, skip};
use crate::torture::torture;
use crate::{sample, validators};

/// The report of a scan in JSON lines and SARIF, written by one run, and where it ran.
struct Written {
    folder: Workspace,
    lines: PathBuf,
    sarif: PathBuf,
    code: Option<i32>,
}

/// Scans, and writes both.
fn written(run: &Run) -> Written {
    let folder = Workspace::new();
    let (lines, sarif) = (folder.path("scan.jsonl"), folder.path("scan.sarif"));
    let formats = [format!("jsonl={}", lines.display()), format!("sarif={}", sarif.display())];
    let ran = run.clone().args(formats.iter().flat_map(|format| ["--format", format])).go();
    Written { folder, lines, sarif, code: ran.code }
}

/// What `keytrail report` makes of files, in a format.
fn converted(files: &[&PathBuf], format: &str) -> (Option<i32>, String) {
    let run = files.iter().fold(keytrail(["report"]), |run, file| run.arg(file.as_os_str()));
    let ran = run.args(["--format", format]).go();
    assert!(ran.stderr.is_empty(), "{}", ran.text());
    (ran.code, String::from_utf8(ran.stdout).expect("reports are UTF-8"))
}

/// The first line in which two texts differ.
fn difference(one: &str, other: &str) -> Option<String> {
    let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    match differs {
        Some((one, other)) => Some(format!("{one}\n{other}")),
        None => (one != other).then(|| "one is longer".to_owned()),
    }
}

/// Scans of every kind, hostile names and damage among them.
fn scans(workspace: &Workspace) -> Option<Vec<Run>> {
    let torture = torture()?;
    let repo = workspace.repo("small")?;
    repo.git(["config", "remote.origin.url", "https://github.com/o/r.git"]);
    let base = repo.commit_file("a.txt", Token::new("merged, base").line());
    repo.commit_file("b c\nd.txt", format!("{0}{0}", Token::new("merged, twice").line()));
    repo.write("c.txt", format!("k = '{}'  # keytrail:allow revoked\n", Token::new("merged, staged").text()));
    repo.git(["add", "c.txt"]);
    let damaged = workspace.repo("damaged")?;
    damaged.commit_file("lost.txt", "text\n");
    let id = damaged.id("HEAD:lost.txt");
    damaged.commit_file("kept.txt", Token::new("merged, kept").line());
    fs::remove_file(damaged.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    let disk = workspace.path("disk");
    workspace.write("disk/etc/hostname", "web-01\n");
    workspace.write("disk/home/me/.env", Token::new("merged, disk").line());
    workspace.write("disk/home/me/.ssh/known_hosts", "db.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE\n");
    Some(vec![
        keytrail(["history", "--unreachable"]).within(torture.repo.path()),
        keytrail(["history"]).within(repo.path()),
        keytrail(["staged"]).within(repo.path()),
        keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()),
        keytrail(["files", "--confidence", "low"]).within(repo.path()),
        keytrail(["files", "-"]).stdin(Token::new("merged, stream").line()),
        keytrail(["history"]).within(damaged.path()),
        keytrail(["image", "disk", "--may-touch-atime"]).within(disk.parent().expect("it has a folder")),
    ])
}

#[test]
fn reports_of_real_scans_come_back_as_they_were() {
    let workspace = Workspace::new();
    let Some(scans) = scans(&workspace) else { return };
    let (mut findings, mut codes) = (0, BTreeSet::new());
    for run in &scans {
        let written = written(run);
        let lines = fs::read_to_string(&written.lines).expect("it was written");
        let sarif = fs::read_to_string(&written.sarif).expect("it was written");
        findings += lines.matches("\"type\":\"finding\"").count();
        for (file, format, expected) in [
            (&written.lines, "jsonl", &lines),
            (&written.sarif, "sarif", &sarif),
            // Either holds all of the other: what these scans say is in both.
            (&written.lines, "sarif", &sarif),
            (&written.sarif, "jsonl", &lines),
        ] {
            let (code, output) = converted(&[file], format);
            assert_eq!(difference(&output, expected), None, "{run:?} from {} to {format}", file.display());
            assert_eq!(code, written.code, "the report ends as the scan did");
        }
        codes.insert(written.code);
        drop(written.folder);
    }
    assert!(findings > 20, "{findings} findings");
    assert_eq!(codes, BTreeSet::from([Some(1), Some(3), Some(0)]).intersection(&codes).copied().collect());
    assert!(codes.contains(&Some(1)) && codes.contains(&Some(3)));
}

#[test]
fn a_report_made_by_hand_comes_back_as_it_was() {
    let scans = || vec![sample::history(), sample::image(), sample::clean()];
    for format in ["jsonl", "sarif"] {
        let write = |report: &Report| {
            let mut out = Vec::new();
            by_name(format).expect("a format").write(report, &Style::default(), &mut out).expect("memory takes it");
            out
        };
        let first = write(&sample::report(scans()));
        let report = read::report(&first, "x").unwrap_or_else(|error| panic!("{format}: {error}"));
        let (first, second) =
            (String::from_utf8_lossy(&first).into_owned(), String::from_utf8_lossy(&write(&report)).into_owned());
        assert_eq!(difference(&second, &first), None, "{format}");
    }
}

/// A report in JSON lines, to compare.
fn lines(report: &Report) -> String {
    let mut out = Vec::new();
    by_name("jsonl").expect("a format").write(report, &Style::default(), &mut out).expect("memory takes it");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// Reports of two roots, each with some of the findings and places of the sample, told a little differently.
fn variants() -> impl Strategy<Value = Vec<Report>> {
    let one = (any::<[u8; 8]>(), any::<bool>()).prop_map(|(dice, is_other_root)| {
        let mut scan = sample::history();
        for (at, finding) in scan.findings.iter_mut().enumerate() {
            let die = dice[at];
            let last = finding.places.last().expect("it has a place").clone();
            if die & 1 == 1 && finding.places.len() > 2 {
                finding.places.truncate(usize::from(die >> 4) % finding.places.len() + 1);
            }
            if die & 2 == 2 {
                let seen = finding.places.last_mut().expect("it has a place");
                seen.place.state = if die & 4 == 4 { State::DefaultTip } else { State::Unreachable };
                seen.place.last = Some(sample::commit('e', 1_720_000_000 + i64::from(die)));
                seen.occurrences = u64::from(die);
                seen.excerpt = format!("line {die}");
            }
            if die & 8 == 8 {
                finding.severity = Severity::Low;
                finding.confidence = die.min(100);
            }
            if die & 16 == 16 {
                finding.suppressions.clear();
            }
            if die & 32 == 32 {
                finding.earlier.push(last);
            }
            // As scans make them: sorted, and no place both new and old.
            let key = |seen: &Sighting| {
                let provenance = seen.place.provenance.clone();
                (seen.place.state, provenance.path, provenance.members, provenance.part, seen.region.start)
            };
            finding.places.sort_by_key(key);
            finding.earlier.sort_by_key(key);
            let places = finding.places.clone();
            let is_new = |seen: &Sighting| {
                let of = |seen: &Sighting| (seen.place.provenance.path.clone(), seen.place.provenance.part);
                places.iter().any(|place| of(place) == of(seen))
            };
            finding.earlier.retain(|seen| !is_new(seen));
        }
        if dice[3] & 1 == 1 {
            scan.findings.remove(usize::from(dice[3] >> 4) % 3);
        }
        scan.unread.truncate(usize::from(dice[4] % 3));
        scan.sort_lists();
        scan.contents = u64::from(dice[5]);
        scan.excluded.truncate(usize::from(dice[6] % 4));
        scan.settings_from = format!("file {}", dice[7] % 3);
        if is_other_root {
            scan.root.spelled = "elsewhere".into();
        }
        Report { scans: vec![scan] }
    });
    prop::collection::vec(one, 2..5)
}

/// Where a place is.
type Spot = (String, String, Vec<u8>, Vec<Vec<u8>>, String);

/// Every place of a report, by root and fingerprint.
fn spots(report: &Report) -> BTreeSet<Spot> {
    let of = |scan: &ScanReport| {
        let spot = |fingerprint: &str, seen: &Sighting| {
            let provenance = &seen.place.provenance;
            let (path, members) = (provenance.path.clone(), provenance.members.clone());
            (scan.root.spelled.clone(), fingerprint.to_owned(), path, members, provenance.part.word().to_owned())
        };
        let places = scan.findings.iter().flat_map(|finding| {
            let seen = finding.places.iter().chain(&finding.earlier);
            seen.map(|seen| spot(&finding.fingerprint, seen)).collect::<Vec<_>>()
        });
        places.collect::<Vec<_>>()
    };
    report.scans.iter().flat_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_reports_does_not_show_and_nothing_is_lost(reports in variants(), seed in any::<u64>()) {
        let whole = merge::reports(reports.clone());
        let expected = lines(&whole);
        // Every order of two, some of more; and in steps instead of at once.
        let mut shuffled = reports.clone();
        shuffled.reverse();
        prop_assert_eq!(difference(&lines(&merge::reports(shuffled.clone())), &expected), None);
        shuffled.rotate_left(usize::try_from(seed % 5).unwrap_or(0) % reports.len());
        prop_assert_eq!(difference(&lines(&merge::reports(shuffled.clone())), &expected), None);
        let stepwise = shuffled.iter().cloned().reduce(|one, other| merge::reports(vec![one, other]));
        prop_assert_eq!(difference(&lines(&stepwise.expect("there are two")), &expected), None);
        let twice = reports.iter().chain(&reports).cloned().collect();
        prop_assert_eq!(difference(&lines(&merge::reports(twice)), &expected), None);
        let all: BTreeSet<Spot> = reports.iter().flat_map(spots).collect();
        prop_assert_eq!(spots(&whole), all);
        let unread = |report: &Report| -> BTreeSet<Vec<u8>> {
            report.scans.iter().flat_map(|scan| scan.unread.iter().map(|one| one.what.clone())).collect()
        };
        prop_assert_eq!(unread(&whole), reports.iter().flat_map(unread).collect::<BTreeSet<_>>());
        // What counts in one report counts.
        let open = |report: &Report| -> BTreeSet<(String, String)> {
            let of = |scan: &ScanReport| {
                let open = scan.findings.iter().filter(|finding| finding.is_open());
                open.map(|finding| (scan.root.spelled.clone(), finding.fingerprint.clone())).collect::<Vec<_>>()
            };
            report.scans.iter().flat_map(of).collect()
        };
        prop_assert_eq!(open(&whole), reports.iter().flat_map(open).collect::<BTreeSet<_>>());
    }
}

#[test]
fn the_same_root_scanned_twice_is_one_and_another_is_not() {
    let workspace = Workspace::new();
    for name in ["one/app", "two/app"] {
        workspace.write(&format!("{name}/a.txt"), Token::new("merged, roots").line());
    }
    let scan = |folder: &str| written(&keytrail(["files", folder]).within(workspace.path("")));
    let (one, again, two) = (scan("one/app"), scan("one/app"), scan("two/app"));
    let results = |files: &[&PathBuf]| {
        let (code, output) = converted(files, "jsonl");
        assert_eq!(code, Some(1));
        let summary: Value = serde_json::from_str(output.lines().last().expect("a summary")).expect("JSON");
        (summary["scans"].as_u64(), summary["findings"].as_u64())
    };
    assert_eq!(results(&[&one.lines, &again.sarif]), (Some(1), Some(1)));
    assert_eq!(results(&[&one.lines, &two.lines]), (Some(2), Some(2)));
    assert_eq!(converted(&[&one.lines, &two.lines], "jsonl"), converted(&[&two.lines, &one.sarif], "jsonl"));
}

#[test]
fn a_report_ends_as_what_it_holds_and_bad_ones_are_named() {
    let workspace = Workspace::new();
    workspace.write("app/a.txt", Token::new("merged, codes").line());
    workspace.write("docs/a.txt", "nothing\n");
    let scan = |folder: &str| written(&keytrail(["files", folder]).within(workspace.path("")));
    let (found, clean) = (scan("app"), scan("docs"));
    let text = fs::read_to_string(&found.lines).expect("it was written");
    let of = |name: &str, text: &str| workspace.write(name, text);
    let cut = of("cut.jsonl", &text[..text.len() - 10]);
    let foreign = of("foreign.sarif", r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Other"}}}]}"#);
    let broken = of("broken.jsonl", &text.replace("\"type\":\"finding\"", "\"type\":\"idea\""));
    let report = |file: &PathBuf| keytrail(["report"]).arg(file.as_os_str());
    report(&clean.lines).go().exits(0).says(&["clean"]);
    report(&found.sarif).go().exits(1).says(&["1 finding"]);
    report(&found.lines).args(["--exit-code", "7"]).go().exits(7);
    report(&cut).args(["--exit-code", "7"]).go().exits(3).says(&["incomplete", "cut.jsonl", "cut short"]);
    report(&clean.lines).arg(cut.as_os_str()).go().exits(3).says(&["1 finding"]);
    keytrail(["report", "-"]).stdin(&text).go().exits(1).says(&["a.txt"]);
    keytrail(["report", "-", "-"]).go().exits(2).says(&["only once"]);
    keytrail(["report"]).go().exits(2).says(&["<REPORT>"]);
    report(&foreign).args([broken.as_os_str(), workspace.path("absent").as_os_str()]).go().exits(2).says(&[
        "written by `Other`",
        "broken.jsonl:2: unknown variant `idea`",
        "absent: no such file",
    ]);
    let quiet = report(&found.lines).args(["--confidence", "high", "--format", "jsonl"]).go().results();
    assert_eq!((quiet.findings.len(), quiet.excluded.len()), (1, 0));
    let low = text.replace("\"confidence\":", "\"confidence\":3,\"x\":");
    let low = report(&of("low.jsonl", &low)).args(["--confidence", "medium", "--format", "jsonl"]).go().exits(0);
    assert_eq!(low.results().excluded[0]["why"], "low-confidence");
}

#[test]
fn commands_of_a_pipeline_follow_the_pipeline() {
    let workspace = Workspace::new();
    let token = Token::new("merged, pipeline");
    workspace.write("src/::error::x ##vso[task.complete].txt", token.line());
    for (name, value, lead) in [
        ("GITHUB_ACTIONS", "true", "::error file=src/"),
        ("TF_BUILD", "True", "##vso[task.logissue type=error;sourcepath=src/"),
    ] {
        let out = workspace.path("commands");
        // The file is not held to what holds for logs: it is made to be obeyed.
        let run = keytrail(["files", "src", "--format", "text", "--format"]).within(workspace.path(""));
        run.arg(format!("annotations={}", out.display())).env(name, value).go().exits(1);
        let commands = fs::read_to_string(&out).expect("it was written");
        assert!(commands.starts_with(lead) && commands.lines().count() == 2, "{commands}");
        assert!(commands.lines().all(|line| line.matches("##vso[").count() == lead.matches("##vso[").count()));
        assert_eq!(leaks_in(commands.as_bytes()), Vec::<String>::new());
    }
}

/// A report of more runs and results than a host takes of one log.
fn large() -> Report {
    let mut many = sample::history();
    let template = many.findings[1].clone();
    many.findings = (0..5_002_u64)
        .map(|at| {
            let mut finding = template.clone();
            finding.fingerprint = format!("v1:{at:032x}");
            finding.places.truncate(1);
            finding.severity = if at % 5_001 == 0 { Severity::Critical } else { Severity::Low };
            finding
        })
        .collect();
    let root = |at: u32| {
        let mut scan = sample::clean();
        scan.root.spelled = format!("docs/{at}");
        scan
    };
    Report { scans: [many].into_iter().chain((0..20).map(root)).collect() }
}

#[test]
fn logs_that_are_too_much_for_a_host_are_split_and_come_back_together() {
    assert!(sarif_parts(&large(), SarifTarget::Generic).is_empty());
    for target in [SarifTarget::GitHub, SarifTarget::AzureDevOps] {
        let parts = sarif_parts(&large(), target);
        assert_eq!(parts.iter().map(|part| part.scans.len()).collect::<Vec<_>>(), [20, 1, 1]);
        assert!(sarif_parts(&parts[0], target).is_empty(), "a part is no more than a host takes");
        let counts: Vec<usize> = parts.iter().map(|part| part.scans[0].findings.len()).collect();
        assert_eq!(counts, [5_000, 0, 2]);
        let critical = parts[0].scans[0].findings.iter().take_while(|found| found.severity == Severity::Critical);
        assert_eq!(critical.count(), 2, "the most severe come first");
    }
    let workspace = Workspace::new();
    let input = workspace.write("large.jsonl", lines(&large()));
    let old = workspace.write("out.sarif", "old");
    let run = |target: &str| {
        keytrail(["report", "large.jsonl", "--format", target, "--sarif-target", "github"]).within(workspace.path(""))
    };
    run("sarif=out.sarif").go().exits(3).says(&["out.1.sarif to out.3.sarif", "most severe"]);
    assert!(!old.exists(), "what an earlier run wrote is not taken for this one's");
    let files = [1, 2, 3].map(|part| workspace.path(&format!("out.{part}.sarif")));
    let mut categories = BTreeMap::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("it was written");
        validators::sarif_schema(&text);
        let log: Value = serde_json::from_str(&text).expect("JSON");
        for run in log["runs"].as_array().expect("runs") {
            let id = run["automationDetails"]["id"].as_str().expect("an id").to_owned();
            *categories.entry(id).or_insert(0) += 1;
        }
    }
    assert!(categories.len() == 22 && categories.values().all(|&uses| uses == 1), "{categories:?}");
    let back = files.iter().fold(keytrail(["report", "--format", "jsonl"]), |run, file| run.arg(file.as_os_str()));
    assert_eq!(back.go().exits(3).results().findings.len(), 5_002);
    // Standard output can't be split.
    run("sarif").go().exits(3).says(&["name a file"]);
    drop(input);
}

/// What an agent tells.
fn azure_run() -> AzureRun {
    let some = |text: &str| Some(text.to_owned());
    AzureRun {
        organisation: some("contoso"),
        project: some("shop"),
        definition_id: Some(42),
        definition_name: some("shop ci"),
        phase_id: some("3dc8fd7e-4368-5a92-293e-d53cefc8c4b3"),
        phase_name: some("Build"),
        branch: some("refs/heads/main"),
        build_id: Some(4711),
    }
}

#[test]
fn sarif_for_azure_names_its_pipeline_and_passes_the_ingestion_rules() {
    let style = Style { sarif_target: SarifTarget::AzureDevOps, azure_run: Some(azure_run()), ..Style::default() };
    let of = |style: &Style| {
        let report = sample::report(vec![sample::history(), sample::image(), sample::clean()]);
        let mut out = Vec::new();
        by_name("sarif").expect("a format").write(&report, style, &mut out).expect("memory takes it");
        out
    };
    let log: Value = serde_json::from_slice(&of(&style)).expect("JSON");
    let details = &log["runs"][0]["automationDetails"];
    assert_eq!(
        details["id"],
        "azuredevops/pipeline/build/contoso/shop/42/3dc8fd7e-4368-5a92-293e-d53cefc8c4b3/refs/heads/main/4711"
    );
    assert_eq!(details["properties"]["azuredevops/pipeline/build/buildDefinitionId"], "42");
    // Outside of a pipeline, and where the agent tells too little, the publish task adds what is missing.
    let outside: Value = serde_json::from_slice(&of(&Style { azure_run: None, ..style.clone() })).expect("JSON");
    assert_eq!(outside["runs"][0]["automationDetails"], serde_json::json!({ "id": "keytrail/history/acme/app/" }));
    let little: Value =
        serde_json::from_slice(&of(&Style { azure_run: Some(AzureRun::default()), ..style.clone() })).expect("JSON");
    let expected = serde_json::json!({
        "id": "keytrail/history/acme/app/",
        "properties": { "azuredevops/pipeline/build/buildDefinitionId": "-1" },
    });
    assert_eq!(little["runs"][0]["automationDetails"], expected);
    // The same log read back is the same report.
    let back = read::report(&of(&style), "x").expect("it is ours");
    assert_eq!(back.scans[0].root.name, "acme/app");
    let workspace = Workspace::new();
    let path = workspace.write("azure.sarif", of(&style));
    match validators::multitool_by(&path, &["Sarif", "Ado"]) {
        Some(verdict) => assert_eq!(verdict, Ok(())),
        None => return skip("sarif-multitool"),
    }
    let bare = workspace.write("bare.sarif", of(&Style { azure_run: None, ..style }));
    let verdict = validators::multitool_by(&bare, &["Ado"]).expect("the tool was there");
    assert!(verdict.expect_err("the rules are awake").contains("GHAzDO1019"));
}

#[test]
fn sarif_for_azure_takes_the_agents_variables() {
    let workspace = Workspace::new();
    workspace.write("src/a.txt", "nothing\n");
    let run = keytrail(["files", "src", "--format", "sarif", "--sarif-target", "azure-devops"]);
    let agent = [
        ("TF_BUILD", "True"),
        ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/"),
        ("SYSTEM_TEAMPROJECT", "shop"),
        ("SYSTEM_DEFINITIONID", "42"),
        ("BUILD_DEFINITIONNAME", "shop ci"),
        ("SYSTEM_PHASEID", "3dc8fd7e-4368-5a92-293e-d53cefc8c4b3"),
        ("SYSTEM_PHASENAME", "Build"),
        ("BUILD_SOURCEBRANCH", "refs/heads/main"),
        ("BUILD_BUILDID", "4711"),
    ];
    let run = agent.iter().fold(run.within(workspace.path("")), |run, (name, value)| run.env(name, value));
    let log: Value = serde_json::from_slice(&run.go().exits(0).stdout).expect("JSON");
    let details = &log["runs"][0]["automationDetails"];
    assert_eq!(
        details["id"],
        "azuredevops/pipeline/build/contoso/shop/42/3dc8fd7e-4368-5a92-293e-d53cefc8c4b3/refs/heads/main/4711"
    );
    assert_eq!(details["properties"].as_object().map(serde_json::Map::len), Some(4));
}

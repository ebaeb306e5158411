//! SARIF of real scans: held to judges that are not ours, and to what the fixtures say of lines and columns, which
//! no schema can know.

use std::collections::BTreeMap;
use std::fs;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::harness::{Run, Token, Workspace, keytrail, scan, skip};
use crate::torture::torture;
use crate::validators;

/// The SARIF a run writes, held to the OASIS schema.
fn sarif(run: &Run) -> Value {
    let ran = run.clone().args(["--format", "sarif"]).go();
    let text = String::from_utf8(ran.stdout).expect("it is JSON");
    validators::sarif_schema(&text);
    serde_json::from_str(&text).expect("it is JSON")
}

/// The results of all runs of a log.
fn results(log: &Value) -> Vec<&Value> {
    log["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|run| run["results"].as_array().into_iter().flatten())
        .collect()
}

/// First location of each result, by decoded path.
fn by_path(log: &Value) -> BTreeMap<String, &Value> {
    let path = |location: &Value| {
        let uri = location["artifactLocation"]["uri"].as_str().unwrap_or_default();
        percent_decode_str(uri).decode_utf8_lossy().into_owned()
    };
    let locations = results(log).into_iter().map(|result| &result["locations"][0]["physicalLocation"]);
    locations.map(|location| (path(location), location)).collect()
}

#[test]
fn regions_are_those_of_the_fixture() {
    let Some(torture) = torture() else { return };
    let log = sarif(&keytrail(["history", "--unreachable", torture.repo.spelled()]));
    assert_eq!(results(&log).len(), torture.hides.len(), "one result per secret");
    assert_eq!(log["runs"][0]["columnKind"], "utf16CodeUnits");
    let locations = by_path(&log);
    let mut seen = 0;
    for hide in torture.hides.iter().filter(|hide| hide.part == "content" && !hide.path.is_empty()) {
        let Some((line, column)) = hide.position else { continue };
        let region = &locations.get(&hide.path).unwrap_or_else(|| panic!("no result at {}", hide.path))["region"];
        let stated = ["startLine", "startColumn", "endColumn"].map(|field| region[field].as_u64().unwrap_or_default());
        assert_eq!(stated, [line, column, column + 40], "{:?}", hide.token);
        seen += 1;
    }
    assert!(seen >= 18, "{seen} places had a position to compare");
}

#[test]
fn a_result_says_what_a_reader_needs() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("hosted") else { return };
    repo.git(["config", "remote.origin.url", "https://github.com/o/r.git"]);
    let token = Token::new("sarif, hosted");
    let commit = repo.commit_file("dir with space/ü%.txt", token.line());
    let run = keytrail(["history", repo.spelled()]);
    let finding = scan(&run).of(&token).clone();
    let log = sarif(&run);
    let (first, result) = (&log["runs"][0], results(&log)[0]);
    assert_eq!(result["ruleId"], finding.text("rule"));
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "dir%20with%20space/%C3%BC%25.txt");
    let uri = first["versionControlProvenance"][0]["repositoryUri"].as_str().unwrap_or_default();
    assert_eq!(uri.trim_end_matches(".git"), "https://github.com/o/r");
    assert_eq!(first["versionControlProvenance"][0]["revisionId"], commit);
    let id = first["automationDetails"]["id"].as_str().unwrap_or_default();
    assert!(id.starts_with("keytrail/history/") && id.ends_with('/'), "{id}");
    let name = "GitHub repositories should have secret scanning findings resolved";
    let properties = &result["properties"];
    assert_eq!(properties["keytrail/recommendation"], name);
    assert_eq!(properties["keytrail/recommendationCategory"], "ExposedSecrets");
    assert_eq!(properties["keytrail/assessmentKey"], "dd98425c-1407-40cc-8a2c-da5d0a2f80da");
    let taxa: Vec<_> = result["taxa"].as_array().into_iter().flatten().collect();
    let has = |id: &str| taxa.iter().any(|taxon| taxon["id"] == id || taxon["guid"] == id);
    assert!(has("CWE-798") || has("798"), "{taxa:?}");
    assert!(has("dd98425c-1407-40cc-8a2c-da5d0a2f80da"), "the recommendation is a taxon: {taxa:?}");
    for rule in first["tool"]["driver"]["rules"].as_array().expect("rules") {
        let score: f64 =
            rule["properties"]["security-severity"].as_str().and_then(|text| text.parse().ok()).expect("a score");
        assert!((0.1..=10.0).contains(&score) && rule["help"]["text"].is_string(), "{}", rule["id"]);
    }
}

#[test]
fn what_was_not_read_makes_the_invocation_unsuccessful() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("damaged") else { return };
    repo.commit_file("lost.txt", "text\n");
    let id = repo.id("HEAD:lost.txt");
    let whole = sarif(&keytrail(["history", repo.spelled()]));
    assert_eq!(whole["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(whole["runs"][0]["results"], Value::Array(vec![]), "no results is an empty list, not a missing one");
    fs::remove_file(repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])).expect("it is loose");
    let log = sarif(&keytrail(["history", repo.spelled()]));
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert!(invocation["toolExecutionNotifications"].to_string().contains(&id), "{invocation}");
}

#[test]
fn suppressed_and_open_results_both_have_the_list() {
    let workspace = Workspace::new();
    let (open, allowed) = (Token::new("sarif, open"), Token::new("sarif, allowed"));
    let Some(repo) = workspace.repo("marked") else { return };
    repo.write("a.py", format!("k = '{}'\n", open.text()));
    repo.write("b.py", format!("k = '{}'  # keytrail:allow revoked\n", allowed.text()));
    repo.git(["add", "--all"]);
    let log = sarif(&keytrail(["staged"]).within(repo.path()));
    let lists: Vec<_> =
        results(&log).into_iter().map(|result| result["suppressions"].as_array().map(Vec::len)).collect();
    assert_eq!(lists.iter().flatten().sum::<usize>(), 1, "{lists:?}");
    assert!(lists.iter().all(Option::is_some), "all results have the list or none has: {lists:?}");
}

#[test]
fn the_multitool_has_nothing_to_say() {
    let Some(torture) = torture() else { return };
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("small") else { return };
    repo.git(["config", "remote.origin.url", "https://github.com/o/r.git"]);
    let base = repo.commit_file("a.txt", Token::new("sarif, judged").line());
    repo.commit_file("b.txt", Token::new("sarif, judged too").line());
    repo.write("c.txt", Token::new("sarif, judged, staged").line());
    repo.git(["add", "c.txt"]);
    let runs = [
        keytrail(["history", "--unreachable", torture.repo.spelled()]),
        keytrail(["history"]).within(repo.path()).args(["--sarif-target", "github"]),
        keytrail(["staged"]).within(repo.path()),
        keytrail(["diff", &format!("{base}..HEAD")]).within(repo.path()),
        keytrail(["files"]).within(repo.path()),
        keytrail(["image", repo.spelled()]),
    ];
    // One log with all the runs: starting the tool takes longer than judging.
    let mut all = serde_json::json!({});
    for run in runs {
        let log = sarif(&run);
        match all["runs"].as_array_mut() {
            Some(runs) => runs.extend(log["runs"].as_array().cloned().unwrap_or_default()),
            None => all = log,
        }
    }
    assert_eq!(all["runs"].as_array().map(Vec::len), Some(6));
    let path = workspace.write("all.sarif", all.to_string());
    match validators::multitool(&path) {
        Some(verdict) => assert_eq!(verdict, Ok(())),
        None => skip("sarif-multitool"),
    }
}

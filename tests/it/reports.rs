//! Reports put together by hand, written in each format and judged by somebody else: the published schemas and the
//! validators of the formats.

use keytrail::finding::BaselineState;
use keytrail::report::{SarifTarget, Style, by_name};
use serde_json::Value;

use crate::{sample, validators};

/// `scans` in the format `name`.
pub(crate) fn written(name: &str, scans: Vec<keytrail::finding::ScanReport>, style: &Style) -> String {
    let mut out = Vec::new();
    let format = by_name(name).expect("the format is registered");
    format.write(&sample::report(scans), style, &mut out).expect("writing to memory works");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The scans most tests write.
pub(crate) fn everything() -> Vec<keytrail::finding::ScanReport> {
    vec![sample::history(), sample::image(), sample::clean()]
}

/// A history that is held to a baseline.
fn known() -> keytrail::finding::ScanReport {
    let mut scan = sample::history();
    for (finding, state) in scan.findings.iter_mut().zip([BaselineState::New, BaselineState::Unchanged].iter().cycle())
    {
        finding.baseline = Some(*state);
    }
    scan
}

/// Forbids fields that the schema doesn't name: readers may meet them one day, we don't write them now.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".into(), Value::Bool(false));
            }
            map.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

/// What no output may hold, whatever the format: a logging command, a control character, a bidi control, a secret.
pub(crate) fn assert_harmless(output: &str) {
    for (number, line) in output.lines().enumerate() {
        let number = number + 1;
        assert!(!line.contains("##vso[") && !line.contains("##["), "line {number} holds a logging command: {line}");
        assert!(!line.trim_start().starts_with("::"), "line {number} starts a workflow command: {line}");
        assert!(!line.contains("::stop-commands"), "line {number} holds a workflow command: {line}");
        let acts = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!line.contains(acts), "line {number} holds a control character: {line:?}");
    }
}

#[test]
fn json_lines_follow_their_schema() {
    let mut schema: Value =
        serde_json::from_str(include_str!("../../docs/schema/jsonl-v1.schema.json")).expect("the schema is JSON");
    strict(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let mut kinds = std::collections::BTreeSet::new();
    for show_secrets in [false, true] {
        let output = written(
            "jsonl",
            everything().into_iter().chain([known()]).collect(),
            &Style { show_secrets, ..Style::default() },
        );
        assert_harmless(&output);
        for line in output.lines() {
            let record: Value = serde_json::from_str(line).expect("every line is JSON");
            let kind = record["type"].as_str().expect("every record has a type").to_owned();
            // Against the one definition it claims to be, so that a mistake is named and not "none of eight".
            let of_kind = serde_json::json!({ "$defs": schema["$defs"], "$ref": format!("#/$defs/{kind}") });
            let errors: Vec<_> = jsonschema::validator_for(&of_kind)
                .expect("each definition is a schema")
                .iter_errors(&record)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{kind}: {errors:#?}");
            assert!(validator.is_valid(&record));
            kinds.insert(kind);
        }
        assert!(output.lines().last().is_some_and(|line| line.starts_with(r#"{"type":"summary""#)));
    }
    let all = ["excluded", "finding", "listed", "note", "observation", "scan", "summary", "unread"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn json_lines_show_secrets_only_when_asked() {
    let hidden = written("jsonl", everything(), &Style::default());
    assert!(!hidden.contains(sample::SECRET) && !hidden.contains("secretBase64") && !hidden.contains("\"warning\""));
    let shown = written("jsonl", everything(), &Style { show_secrets: true, ..Style::default() });
    assert!(shown.lines().next().is_some_and(|first| first.contains("\"warning\"")));
    let records: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |rule: &str| records.iter().find(|record| record["rule"] == rule).expect("the finding is there");
    assert_eq!(of("sample-pat")["secret"], sample::SECRET);
    let encoded = ["//5iaW5hcnkt", "c2VjcmV0LTAwMDI="].concat();
    assert_eq!(of("sample-key")["secretBase64"], encoded);
    assert_eq!(of("sample-key").get("secret"), None);
}

#[test]
fn json_lines_tell_what_the_report_holds() {
    let output = written("jsonl", everything(), &Style::default());
    let records: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let found = records.iter().find(|record| record["rule"] == "sample-pat").expect("the finding is there");
    assert_eq!(found["recommendation"]["assessmentKey"], "dd98425c-1407-40cc-8a2c-da5d0a2f80da");
    assert_eq!(found["recommendation"]["category"], "ExposedSecrets");
    assert_eq!(found["expires"], "2027-01-15T08:00:00Z");
    let places = found["places"].as_array().expect("places");
    assert_eq!(places.len(), 9);
    assert_eq!(
        places[0]["url"],
        format!("https://github.com/acme/app/blob/{}/src/dir%20with%20space/%C3%BC.rs#L3-L3", "b".repeat(40))
    );
    assert_eq!(
        places[1]["path"],
        "a\n##vso[task.setvariable variable=x]y\n::stop-commands::z\u{1b}[31m\u{202e}evil \\xff.env"
    );
    assert!(places[1]["pathBytes"].as_str().is_some_and(|bytes| bytes.ends_with("evil%20%FF.env")));
    let on_disk = records.iter().find(|record| record["scan"] == 1 && record["type"] == "finding").expect("a finding");
    assert_eq!(on_disk["places"][0]["file"]["mode"], "100600");
    assert_eq!(on_disk["places"][0]["file"]["accessed"], "2024-07-03T09:46:40Z");
    let summary = records.last().expect("a summary");
    assert_eq!((&summary["findings"], &summary["open"], &summary["unread"]), (&4.into(), &3.into(), &2.into()));
    assert_eq!((&summary["excluded"], &summary["complete"]), (&1214.into(), &false.into()));
    assert_eq!((&summary["contents"], &summary["knownClean"]), (&4334.into(), &1234.into()));
}

#[test]
fn text_is_harmless_and_holds_no_secret() {
    let output = written("text", everything(), &Style::default());
    assert_harmless(&output);
    assert!(!output.contains(sample::SECRET));
    assert!(output.lines().all(|line| !line.starts_with(' ') || line.starts_with("  ")));
    let shown = written("text", everything(), &Style { show_secrets: true, ..Style::default() });
    assert!(shown.starts_with("warning: ") && shown.contains(sample::SECRET));
    assert_harmless(&shown);
    let coloured = written("text", everything(), &Style { colour: true, ..Style::default() });
    assert!(coloured.contains('\u{1b}') && !output.contains('\u{1b}'));
}

#[test]
fn text_reads_as_meant() {
    let output = written("text", everything(), &Style { width: 80, ..Style::default() });
    expect_golden("report.txt", &output);
}

#[test]
fn text_never_says_clean_when_it_cannot_know() {
    let closing = |scans| written("text", scans, &Style::default()).lines().last().expect("a closing line").to_owned();
    assert_eq!(closing(vec![sample::clean()]), "clean: no findings; 3 contents scanned, 900 bytes");
    let mut unread = sample::clean();
    unread.unread = sample::history().unread;
    assert_eq!(
        closing(vec![unread, sample::clean()]),
        "incomplete: 2 things not read; no findings so far; 6 contents scanned, 1.8 kB"
    );
    let mut empty = sample::clean();
    (empty.contents, empty.bytes) = (0, 0);
    assert!(closing(vec![empty]).starts_with("nothing scanned"));
    let mut known = sample::clean();
    (known.contents, known.bytes, known.known_clean) = (0, 0, 1_002);
    assert_eq!(
        closing(vec![known]),
        "clean: no findings; only names and messages scanned, 0 bytes; 1,002 contents known from earlier scans"
    );
    assert!(closing(vec![]).starts_with("nothing scanned"));
    assert!(!closing(everything()).contains("clean"));
}

/// Holds `output` to `testdata/reports/NAME`. With `KEYTRAIL_BLESS=1` the file is written instead; read the diff.
pub(crate) fn expect_golden(name: &str, output: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/reports").join(name);
    if std::env::var_os("KEYTRAIL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("the path has a folder")).expect("the folder can be made");
        std::fs::write(&path, output).expect("the golden file can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the golden file is there (KEYTRAIL_BLESS=1 writes it)");
    let expected = expected.replace("\r\n", "\n");
    assert!(output == expected, "{name} differs (KEYTRAIL_BLESS=1 writes it anew):\n{output}");
}

#[test]
fn sarif_follows_the_schema_and_holds_no_secret() {
    for sarif_target in [SarifTarget::Generic, SarifTarget::GitHub, SarifTarget::AzureDevOps] {
        // Secrets are not shown in this format, whatever is asked.
        let style = Style { show_secrets: true, sarif_target, ..Style::default() };
        for scans in [everything(), vec![], vec![sample::clean()], vec![known()]] {
            let output = written("sarif", scans, &style);
            assert_harmless(&output);
            assert!(!output.contains(sample::SECRET) && !output.contains("binary-secret"));
            validators::sarif_schema(&output);
        }
    }
}

#[test]
fn sarif_reads_as_meant() {
    let output = written("sarif", everything(), &Style::default());
    // The version changes with every release, the rest should not.
    let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    let output = output
        .replace(&version, "\"0.0.0\"")
        .replace(&format!("keytrail {}", env!("CARGO_PKG_VERSION")), "keytrail 0.0.0");
    expect_golden("report.sarif", &output);
}

#[test]
fn sarif_references_lead_where_they_say() {
    let log: Value = serde_json::from_str(&written("sarif", everything(), &Style::default())).expect("JSON");
    let (mut references, mut uris) = (0, 0);
    for run in log["runs"].as_array().expect("runs") {
        let driver = &run["tool"]["driver"];
        for (at, taxonomy) in driver["supportedTaxonomies"].as_array().into_iter().flatten().enumerate() {
            assert_eq!(taxonomy["index"], at);
            assert_eq!(taxonomy["name"], run["taxonomies"][at]["name"]);
        }
        for result in run["results"].as_array().expect("results") {
            let rule = &driver["rules"][index(&result["ruleIndex"])];
            assert_eq!(rule["id"], result["ruleId"]);
            let related = rule["relationships"].as_array().into_iter().flatten().map(|relation| &relation["target"]);
            for taxon in result["taxa"].as_array().expect("taxa").iter().chain(related) {
                let taxonomy = &run["taxonomies"][index(&taxon["toolComponent"]["index"])];
                assert_eq!(taxonomy["name"], taxon["toolComponent"]["name"]);
                assert_eq!(taxonomy["taxa"][index(&taxon["index"])]["id"], taxon["id"]);
                references += 1;
            }
            let related = result["relatedLocations"].as_array().into_iter().flatten();
            for location in result["locations"].as_array().expect("locations").iter().chain(related) {
                let physical = &location["physicalLocation"];
                let artifact = &physical["artifactLocation"];
                let uri = artifact["uri"].as_str().expect("a URI");
                assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.split('/').any(|part| part == ".."), "{uri}");
                if artifact.get("index").is_some() {
                    assert_eq!(run["artifacts"][index(&artifact["index"])]["location"]["uri"], artifact["uri"]);
                }
                assert!(physical["region"]["startLine"].is_u64() && physical["region"]["endColumn"].is_u64());
                assert!(physical.get("contextRegion").is_none() || index(&physical["region"]["startColumn"]) > 1);
                uris += 1;
            }
        }
    }
    assert!(references > 8 && uris > 10, "{references} references, {uris} URIs");
}

/// A number of a log as an index.
fn index(value: &Value) -> usize {
    value.as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number")
}

#[test]
fn sarif_places_that_are_no_files_have_stable_uris() {
    let log: Value = serde_json::from_str(&written("sarif", vec![sample::history()], &Style::default())).expect("JSON");
    let result = &log["runs"][0]["results"][1];
    let uris: Vec<_> = result["locations"]
        .as_array()
        .expect("locations")
        .iter()
        .map(|location| location["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a URI"))
        .collect();
    let first = "a".repeat(40);
    assert_eq!(
        uris,
        [
            "src/dir%20with%20space/%C3%BC.rs",
            "a%0A%23%23vso%5Btask.setvariable%20variable%3Dx%5Dy%0A%3A%3Astop-commands%3A%3Az%1B%5B31m%E2%80%AEevil%20%FF.env",
            &format!(".git/commits/{first}/message"),
            &format!(".git/commits/{first}/author"),
            ".git/refs/tags/v1",
            ".git/refs/notes/commits/ab/cd",
            ".git/refs/heads/%E2%80%B9redacted%E2%80%BA",
            "dir%20%E2%80%B9redacted%E2%80%BA/f",
            "link",
        ]
    );
    assert_eq!(result["locations"][2]["logicalLocations"][0]["kind"], "commit message");
    assert_eq!(
        result["message"]["text"].as_str().and_then(|text| text.split_once(". ")).map(|(title, _)| title),
        Some("Sample access token 'corr…' in 'src/dir with space/ü.rs'")
    );
}

/// A history with a finding at 150 places and one in a commit message alone.
fn wide() -> keytrail::finding::ScanReport {
    let mut scan = sample::history();
    let template = scan.findings[2].places[0].clone();
    scan.findings[2].places = (1..=150)
        .map(|line| {
            let mut seen = template.clone();
            seen.region = sample::region(line, 5, 9);
            seen
        })
        .collect();
    // The finding in a commit message has no line of a file.
    scan.findings[1].places.drain(..2);
    scan
}

#[test]
fn sarif_for_github_names_lines_as_github_does_and_keeps_its_limits() {
    let style = Style { sarif_target: SarifTarget::GitHub, ..Style::default() };
    let log: Value = serde_json::from_str(&written("sarif", vec![wide()], &style)).expect("JSON");
    let results = &log["runs"][0]["results"];
    assert_eq!(results[0]["partialFingerprints"]["primaryLocationLineHash"], "54703d4cd895b18:1");
    assert_eq!(results[1]["partialFingerprints"]["primaryLocationLineHash"], "0000000000000000:1");
    assert_eq!(results[2]["locations"].as_array().map(Vec::len), Some(100));
    assert_eq!(results[2]["occurrenceCount"], 150);
    let generic: Value = serde_json::from_str(&written("sarif", vec![wide()], &Style::default())).expect("JSON");
    let results = &generic["runs"][0]["results"];
    assert_eq!(results[0]["partialFingerprints"].get("primaryLocationLineHash"), None, "it covers the secret");
    assert_eq!(results[0]["partialFingerprints"]["keytrailLineHash/v1"], "c129715d7a2bc9a3:1");
    assert_eq!(results[2]["locations"].as_array().map(Vec::len), Some(150));
}

#[test]
fn the_validator_is_awake() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.sarif");
    let output = written("sarif", vec![sample::history()], &Style::default());
    let broken = output.replace("\"uri\": \"src/", "\"uri\": \"/../src/").replace("\"help\":", "\"properties_\":");
    assert_ne!(broken, output);
    std::fs::write(&path, broken).expect("the report can be written");
    if let Some(verdict) = validators::multitool(&path) {
        let complaints = verdict.expect_err("a broken log has errors");
        assert!(complaints.contains("SARIF10") && complaints.contains("GH2012"), "{complaints}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped check says so")]
fn sarif_passes_microsofts_validator() {
    for sarif_target in [SarifTarget::Generic, SarifTarget::GitHub] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.sarif");
        let output = written("sarif", everything(), &Style { sarif_target, ..Style::default() });
        std::fs::write(&path, output).expect("the report can be written");
        match validators::multitool(&path) {
            Some(verdict) => verdict.unwrap_or_else(|complaints| panic!("{sarif_target:?}:\n{complaints}")),
            None => eprintln!("skipped: sarif-multitool is not here"),
        }
    }
}

//! The small formats (CSV, JUnit, GitLab, Markdown, annotations): a report made by hand, read back by programs that are
//! not ours.

use keytrail::finding::ScanReport;
use keytrail::report::{Annotator, Style};
use keytrail::source::{Unread, UnreadKind};
use serde_json::{Value, json};

use crate::reports::{assert_harmless, everything, expect_golden, written};
use crate::{sample, validators};

/// Columns of gitleaks' CSV, in order.
const GITLEAKS: &str = "RuleID,Commit,File,SymlinkFile,Secret,Match,StartLine,EndLine,StartColumn,EndColumn,Author,\
                        Message,Date,Email,Fingerprint,Tags";

/// The sample scans with a name, a reason and a note that want to be Markdown, HTML, XML or a formula.
pub(crate) fn hostile() -> Vec<ScanReport> {
    let mut scans = everything();
    let mut seen = sample::seen(b"=cmd|'/c calc'!A1", keytrail::place::State::Tip, sample::region(1, 2, 3));
    seen.excerpt = "@SUM(1+1)*cmd|' `x` | y".into();
    scans[0].findings[1].places.insert(1, seen);
    for markup in [
        "<img src=x onerror=alert(1)> [link](https://evil.example) ![i](https://evil.example/i.png) <https://evil.example>",
        "`` `code` `` | cell | www.evil.example https://evil.example me@evil.example @octocat #1 *b* _i_ ~~s~~ &lt; \\",
        "]]> </failure></testcase> <!-- x --> &amp; \u{fffe}\u{0}\u{b} \u{202e}",
    ] {
        let mut seen = sample::seen(markup.as_bytes(), keytrail::place::State::Tip, sample::region(7, 2, 3));
        seen.excerpt = markup.into();
        scans[0].findings[2].places.insert(0, seen);
        scans[0].findings[1].companions[0].value = markup.into();
        scans[0].findings[1].target.user = Some(markup.into());
        scans[0].findings[0].suppressions[0].reason = markup.into();
        scans[0].notes.push(markup.into());
        scans[0].unread.push(Unread::new(UnreadKind::Corrupt, markup, markup));
        scans[0].root.name = markup.into();
    }
    scans
}

/// What the script of Python's makes of `text`, as JSON. `None` where there is no Python with these modules.
fn python(modules: &str, script: &str, text: &str) -> Option<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report");
    std::fs::write(&path, text).expect("the report can be written");
    validators::python(modules, script, &path)
}

#[test]
fn csv_has_the_columns_of_gitleaks_and_no_formula() {
    let output = written("csv", hostile(), &Style::default());
    assert!(output.starts_with(GITLEAKS) && !output.contains(sample::SECRET));
    assert!(output.lines().count() > 12 && output.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
    assert_harmless(&output.replace("\r\n", "\n"));
    let script = "list(csv.reader(open(path, newline='', encoding='utf-8'), strict=True))";
    let Some(rows) = python("csv", script, &output) else { return };
    let rows: Vec<Vec<String>> = serde_json::from_value(rows).expect("rows of cells");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "all rows are as wide as the heading");
    assert_eq!(rows.len(), 1 + 1 + 10 + 4 + 1, "a row for each place, and the heading");
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    let column = |name: &str| rows[0].iter().position(|cell| cell == name).expect("the column is there");
    let hostile = rows.iter().find(|row| row[column("File")].contains("calc")).expect("the row is there");
    assert_eq!(hostile[column("File")], "'=cmd|'/c calc'!A1");
    assert_eq!(hostile[column("Match")], "'@SUM(1+1)*cmd|' `x` | y");
    assert_eq!(hostile[column("Secret")], "corr…");
    let first = rows.iter().find(|row| row[column("Part")] == "commit message").expect("the row is there");
    assert_eq!((first[column("Commit")].as_str(), first[column("StartLine")].as_str()), ("a".repeat(40).as_str(), "1"));
}

/// Reads XML as Python's expat does: each element as its tag, attributes, text and children.
const TREE: &str = "(lambda f: f(f, xml.etree.ElementTree.parse(path).getroot()))\
                    (lambda f, e: [e.tag, e.attrib, e.text or '', [f(f, c) for c in e]])";

#[test]
fn junit_is_xml_whose_counts_are_right() {
    let output = written("junit", hostile(), &Style::default());
    assert_harmless(&output);
    assert!(!output.contains(sample::SECRET));
    let Some(tree) = python("xml.etree.ElementTree", TREE, &output) else { return };
    assert_eq!(
        (&tree[0], &tree[1]["tests"], &tree[1]["failures"], &tree[1]["errors"]),
        (&json!("testsuites"), &json!("10"), &json!("3"), &json!("5"))
    );
    let mut outcomes = std::collections::BTreeMap::new();
    for suite in tree[3].as_array().expect("suites") {
        let cases = suite[3].as_array().expect("cases");
        assert_eq!(suite[1]["tests"], json!(cases.len().to_string()));
        for case in cases {
            let kind = case[3][0][0].as_str().unwrap_or("passed").to_owned();
            *outcomes.entry((suite[1]["name"].as_str().unwrap_or_default()[..5].to_owned(), kind)).or_insert(0) += 1;
        }
    }
    let of = |suite: &str, kind: &str| outcomes.get(&(suite.to_owned(), kind.to_owned())).copied().unwrap_or(0);
    let histories = ["failure", "error", "skipped", "passed"].map(|kind| of("histo", kind));
    assert_eq!(histories, [2, 5, 1, 0]);
    assert_eq!((of("image", "failure"), of("files", "passed")), (1, 1));
    let case = &tree[3][0][3][1];
    assert_eq!((&case[1]["classname"], &case[1]["line"]), (&json!("sample-pat"), &json!("3")));
    assert_eq!(case[1]["file"], "src/dir with space/ü.rs");
    assert_eq!(case[3][0][1]["type"], "high");
}

#[test]
fn junit_reads_as_meant() {
    expect_golden("report.junit.xml", &written("junit", everything(), &Style::default()));
}

/// The rules of GitLab's schema for secret detection reports, version 15.2.1, that bear on what we write: what is
/// required, types, lengths and words. Transcribed from `secret-detection-report-format.json` in GitLab's repository
/// (`lib/gitlab/ci/parsers/security/validators/schemas/15.2.1`), read 2026-11; the whole file is thirty times as long and
/// not ours to copy.
fn gitlab_schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let tool = json!({
        "type": "object",
        "required": ["id", "name", "version", "vendor"],
        "properties": {
            "id": text, "name": text, "version": text, "url": { "type": "string", "pattern": "^https?://.+" },
            "vendor": { "type": "object", "required": ["name"], "properties": { "name": text } },
        },
    });
    let time = json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$" });
    let detail_text = json!({
        "type": "object",
        "required": ["type", "value"],
        "properties": { "type": { "const": "text" }, "value": { "type": "string" } },
    });
    let detail_list = json!({
        "type": "object",
        "required": ["type", "items"],
        "properties": { "type": { "const": "list" }, "items": { "type": "array", "items": detail_text } },
    });
    json!({
        "type": "object",
        "required": ["scan", "version", "vulnerabilities"],
        "properties": {
            "version": { "type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$" },
            "scan": {
                "type": "object",
                "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
                "properties": {
                    "analyzer": tool, "scanner": tool, "start_time": time, "end_time": time,
                    "status": { "enum": ["success", "failure"] },
                    "type": { "enum": ["secret_detection"] },
                    "messages": { "type": "array", "items": {
                        "type": "object",
                        "required": ["level", "value"],
                        "properties": { "level": { "enum": ["info", "warn", "fatal"] }, "value": text },
                    } },
                },
            },
            "vulnerabilities": { "type": "array", "items": {
                "type": "object",
                "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": text,
                    "name": { "type": "string", "maxLength": 255 },
                    "description": { "type": "string", "maxLength": 1_048_576 },
                    "solution": { "type": "string", "maxLength": 7000 },
                    "severity": { "enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"] },
                    "identifiers": { "type": "array", "minItems": 1, "items": {
                        "type": "object",
                        "required": ["type", "name", "value"],
                        "properties": {
                            "type": text, "name": text, "value": text,
                            "url": { "type": "string", "pattern": "^(https?|ftp)://.+" },
                        },
                    } },
                    "location": {
                        "type": "object",
                        "required": ["commit"],
                        "properties": {
                            "file": { "type": "string" },
                            "start_line": { "type": "number" },
                            "end_line": { "type": "number" },
                            "commit": {
                                "type": "object",
                                "required": ["sha"],
                                "properties": { "sha": text, "date": { "type": "string" } },
                                "additionalProperties": false,
                            },
                        },
                        "additionalProperties": false,
                    },
                    "details": { "type": "object", "additionalProperties": { "allOf": [
                        { "required": ["name"], "properties": { "name": text } },
                        { "oneOf": [detail_text, detail_list] },
                    ] } },
                },
                "additionalProperties": false,
            } },
        },
        "additionalProperties": false,
    })
}

#[test]
fn gitlab_follows_its_schema() {
    let validator = jsonschema::validator_for(&gitlab_schema()).expect("the schema is one");
    let times = Some((1_800_000_000, 1_800_000_060));
    for scans in [hostile(), vec![sample::clean()], vec![]] {
        let output = written("gitlab", scans, &Style { times, ..Style::default() });
        assert_harmless(&output);
        assert!(!output.contains(sample::SECRET));
        let report: Value = serde_json::from_str(&output).expect("JSON");
        let errors: Vec<_> =
            validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(report["scan"]["start_time"], "2027-01-15T08:00:00");
    }
    let report: Value = serde_json::from_str(&written("gitlab", hostile(), &Style::default())).expect("JSON");
    assert_eq!(report["scan"]["status"], "failure");
    let found = report["vulnerabilities"].as_array().expect("a list");
    let severities: Vec<_> = found.iter().map(|one| one["severity"].as_str().unwrap_or_default()).collect();
    assert_eq!(severities, ["Critical", "High", "Medium"], "the suppressed one is left out");
    assert_eq!(found[1]["location"]["file"], "src/dir with space/ü.rs");
    assert_eq!(found[0]["location"]["commit"]["sha"], "0000000");
    let ids: std::collections::BTreeSet<_> = found.iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(ids.len(), 3);
}

/// Renders as GitHub and GitLab do, links made of bare addresses included, and lists what came of it.
const RENDER: &str = "[(lambda t: [t.type, t.tag, t.content])(t) for b in markdown_it.MarkdownIt('gfm-like', {'html': True})\
                      .parse(open(path, encoding='utf-8').read()) for t in [b] + (b.children or [])]";

#[test]
fn markdown_shows_scanned_data_as_text_alone() {
    let output = written("markdown", hostile(), &Style::default());
    assert_harmless(&output);
    assert!(!output.contains(sample::SECRET));
    let Some(tokens) = python("markdown_it,linkify_it", RENDER, &output) else { return };
    let tokens: Vec<[String; 3]> = serde_json::from_value(tokens).expect("tokens");
    let count = |kind: &str| tokens.iter().filter(|token| token[0] == kind).count();
    for kind in ["html_inline", "html_block", "link_open", "image", "em_open", "s_open", "fence", "hr"] {
        assert_eq!(count(kind), 0, "{kind}");
    }
    // The headline is ours and the only text that stands out.
    assert_eq!((count("strong_open"), count("heading_open"), count("table_open")), (1, 4, 1));
    assert_eq!((count("tr_open"), count("td_open")), (1 + 3, 3 * 5), "no cell breaks its row");
    let spans: Vec<_> =
        tokens.iter().filter(|token| token[0] == "code_inline").map(|token| token[2].as_str()).collect();
    assert!(spans.iter().any(|span| span.contains("<img src=x onerror=alert(1)> [link](https://evil.example)")));
    assert!(spans.iter().any(|span| span.contains("me@evil.example @octocat")));
    let outside = tokens.iter().filter(|token| token[0] == "text").map(|token| token[2].as_str()).collect::<String>();
    assert!(!outside.contains("evil") && !outside.contains('@') && outside.contains("Left out"), "{outside}");
}

#[test]
fn markdown_reads_as_meant() {
    expect_golden("report.md", &written("markdown", everything(), &Style::default()));
}

#[test]
fn markdown_keeps_within_what_a_summary_may_hold() {
    let mut scan = sample::history();
    let template = scan.findings[1].clone();
    scan.findings = (0..20_000).map(|_| template.clone()).collect();
    let unread = scan.unread[0].clone();
    scan.unread = (0..20_000)
        .map(|at| {
            let mut unread = unread.clone();
            unread.what = format!("{at}").into();
            unread
        })
        .collect();
    scan.notes = (0..20_000).map(|at| format!("note {at} {}", "x".repeat(300))).collect();
    let output = written("markdown", vec![scan], &Style::default());
    assert!((900_000..1_048_576).contains(&output.len()), "{} bytes", output.len());
    let rows = output.lines().filter(|line| line.starts_with("| high")).count();
    let left: usize = output
        .lines()
        .find_map(|line| line.strip_suffix(" more findings (the other formats list all of them)"))
        .map(|number| number.replace(',', "").parse().expect("a number"))
        .expect("what didn't fit is counted");
    assert_eq!(rows + left, 20_000);
    for what in ["more things", "more notes"] {
        assert!(output.contains(what), "{what}");
    }
}

/// The commands of a report, checked to be nothing else.
fn commands(scans: Vec<ScanReport>, annotations: Annotator) -> Vec<String> {
    let output = written("annotations", scans, &Style { annotations, ..Style::default() });
    assert!(!output.contains(sample::SECRET));
    let lead = match annotations {
        Annotator::GitHub => "::",
        Annotator::Azure => "##vso[task.logissue type=",
    };
    for line in output.lines() {
        let rest = line.strip_prefix(lead).unwrap_or_else(|| panic!("no command: {line}"));
        assert!(!rest.contains("##vso[") && !rest.contains("##["), "a command within a command: {line}");
        assert!(!rest.contains("stop-commands::") || rest.contains("\\u{3a}:stop-commands"), "{line}");
        assert!(!rest.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{line:?}");
    }
    output.lines().map(str::to_owned).collect()
}

/// A line read as GitHub's runner does (`ActionCommand.TryParseV2`): name, properties, message.
fn as_runner(line: &str) -> (String, std::collections::BTreeMap<String, String>, String) {
    let (info, message) =
        line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")).expect("a command");
    let (name, properties) = info.split_once(' ').expect("properties");
    let unescaped = |text: &str, all: bool| {
        let text = if all { text.replace("%3A", ":").replace("%2C", ",") } else { text.to_owned() };
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    };
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), unescaped(value, true)));
    (name.to_owned(), properties.split(',').map(|one| pair(one).expect("a pair")).collect(), unescaped(message, false))
}

/// A line read as Azure's agent does (`Command.TryParse`): properties and message.
fn as_agent(line: &str) -> (std::collections::BTreeMap<String, String>, String) {
    let rest = &line[line.find("##vso[").expect("a command") + 6..];
    let (info, message) = rest.split_once(']').expect("an end");
    let properties = info.strip_prefix("task.logissue ").expect("the command").split(';').filter(|one| !one.is_empty());
    let unescaped = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]").replace("%3B", ";");
        text.replace("%AZP25", "%")
    };
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), unescaped(value)));
    (properties.map(|one| pair(one).expect("a pair")).collect(), unescaped(message))
}

#[test]
fn annotations_for_github_are_read_as_meant() {
    let lines = commands(hostile(), Annotator::GitHub);
    assert_eq!(lines.len(), 3 + 5 + 1, "open findings, unread things, totals: {lines:#?}");
    let all: Vec<_> = lines.iter().map(|line| as_runner(line)).collect();
    let levels: Vec<_> = all.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(levels, ["error", "error", "warning", "warning", "warning", "warning", "warning", "warning", "notice"]);
    let (_, properties, message) = &all[1];
    assert_eq!(properties["file"], "src/dir with space/ü.rs");
    let numbers = ["line", "endLine", "col", "endColumn"].map(|name| properties[name].as_str());
    assert_eq!(numbers, ["3", "3", "10", "43"]);
    assert_eq!(properties["title"], "Sample access token");
    assert!(message.contains("'corr…'") || message.contains("corr…"), "{message}");
    assert!(!all[0].1.contains_key("file"), "a machine's disk is no checkout");
    assert!(all[8].2.starts_with("keytrail: incomplete: 5 things not read; 3 findings"), "{}", all[8].2);
    assert_eq!(
        commands(vec![sample::clean()], Annotator::GitHub),
        ["::notice title=keytrail::keytrail: clean: no findings; 3 contents scanned, 900 bytes"]
    );
}

#[test]
fn annotations_for_azure_are_read_as_meant() {
    let mut scans = hostile();
    scans[0].findings[1].places[0].place.provenance.path = b"a;b]c%d, e:f".to_vec();
    let lines = commands(scans, Annotator::Azure);
    let all: Vec<_> = lines.iter().map(|line| as_agent(line)).collect();
    let levels: Vec<_> = all.iter().map(|(properties, _)| properties["type"].as_str()).collect();
    assert_eq!(levels[..3], ["error", "error", "warning"]);
    let (properties, message) = &all[1];
    assert_eq!(properties["sourcepath"], "a;b]c%d, e:f");
    assert_eq!((properties["linenumber"].as_str(), properties["columnnumber"].as_str()), ("3", "10"));
    assert_eq!(properties["code"], "sample-pat");
    assert!(message.contains("in 'a;b]c%d, e:f'"), "{message}");
    assert_eq!(lines.len(), 3 + 5 + 1);
    let clean =
        written("annotations", vec![sample::clean()], &Style { annotations: Annotator::Azure, ..Style::default() });
    assert_eq!(clean, "keytrail: clean: no findings; 3 contents scanned, 900 bytes\n");
}

#[test]
fn annotations_are_few_and_the_most_important_first() {
    let mut scan = sample::history();
    let (worst, template) = (scan.findings[1].clone(), scan.findings[2].clone());
    scan.findings = (0..30).map(|_| template.clone()).chain([worst]).collect();
    scan.unread = (0..30).map(|at| Unread::new(UnreadKind::Io, format!("file {at}"), "failed")).collect();
    let lines = commands(vec![scan], Annotator::GitHub);
    assert_eq!(lines.len(), 10 + 1);
    assert!(lines[0].starts_with("::error ") && lines[1].starts_with("::warning "));
    assert_eq!(lines.iter().filter(|line| line.contains("title=Not read")).count(), 2);
    assert!(lines[10].ends_with("; 51 more are not shown here"), "{}", lines[10]);
}

//! The HTML report: what its text holds, and what a real browser makes of it.
//!
//! The browser is Chromium (`chromium` on `PATH`), driven by npm's `playwright-core`; the judge of the markup is npm's
//! `html-validate`. `KEYTRAIL_BROWSER` names the `node_modules` with both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keytrail::finding::{BaselineState, ScanReport};
use keytrail::report::Style;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::formats::hostile;
use crate::harness::{Token, Workspace, keytrail, skip, tool};
use crate::reports::{assert_harmless, everything, expect_golden, written};
use crate::{sample, validators};

/// A page in which whatever can be hostile is.
fn attacked() -> Vec<ScanReport> {
    let mut scans = hostile();
    let attack = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&lt;' onclick='alert(1)";
    let scan = &mut scans[0];
    scan.root.name = attack.into();
    scan.settings_from = attack.into();
    for finding in &mut scan.findings {
        let mut rule = keytrail::rule::Rule::clone(&finding.rule);
        rule.name = attack.into();
        rule.id = attack.into();
        rule.description = "</style></title><svg onload=alert(1)>".into();
        finding.rule = rule.into();
        finding.preview = attack.into();
        finding.fingerprint = attack.into();
        finding.also = vec![attack.into()];
        finding.reasons = vec![attack.into()];
        finding.facts.named.insert("<b>name</b>".into(), attack.into());
        finding.target.host = Some(attack.into());
        finding.baseline = Some(BaselineState::New);
        let mut remedy = finding.remedy.clone().into_owned();
        remedy.title = attack.into();
        remedy.steps = vec![attack.into()].into();
        remedy.end_state = attack.into();
        finding.remedy = std::borrow::Cow::Owned(remedy);
        for seen in &mut finding.places {
            seen.excerpt = attack.into();
            seen.name = Some(attack.into());
            seen.view = Some(attack.into());
            seen.place.reference = Some(attack.into());
        }
    }
    for one in &mut scan.observations {
        one.kind = attack.into();
    }
    for one in &mut scan.listed {
        one.what = attack.into();
        one.path = attack.into();
    }
    let facts = scan.root.repository.as_mut().expect("a repository");
    facts.branch = Some(attack.into());
    facts.head = Some(attack.into());
    // The platform is stated; the remote wants to be run.
    scans[1].root.repository = Some(keytrail::source::RepositoryFacts {
        remote: Some("javascript://github.com/%0aalert(1)".into()),
        ..scans[0].root.repository.clone().expect("a repository")
    });
    scans
}

/// Writes `scans` into a folder.
fn page(scans: Vec<ScanReport>, folder: &Workspace) -> PathBuf {
    let path = folder.path("report.html");
    std::fs::write(&path, written("html", scans, &Style::default())).expect("the page can be written");
    path
}

/// A tag and its attributes.
type Tag = (String, Vec<(String, Option<String>)>);

/// Every tag with its attributes, as Python's parser sees them.
const TAGS: &str = "(lambda seen: (type('P', (html.parser.HTMLParser,), {\
                    'handle_starttag': lambda self, tag, attrs: seen.append([tag, attrs])})()\
                    .feed(open(path, encoding='utf-8').read()), seen)[1])([])";

#[test]
fn scanned_data_is_text_alone() {
    let folder = Workspace::new();
    for scans in [attacked(), everything(), vec![sample::clean()], vec![]] {
        let output = written("html", scans.clone(), &Style { show_secrets: true, ..Style::default() });
        assert_harmless(&output);
        assert!(!output.contains(sample::SECRET) && !output.contains("binary-secret"));
        assert_eq!(output, written("html", scans.clone(), &Style::default()), "same report, same bytes");
        assert_eq!(output.matches("<script").count(), 1);
        let Some(tags) = validators::python("html.parser", TAGS, &page(scans, &folder)) else { return };
        let tags: Vec<Tag> = serde_json::from_value(tags).expect("tags");
        let names: BTreeSet<_> = tags.iter().map(|(tag, _)| tag.as_str()).collect();
        let ours = "a body br button caption circle code col colgroup dd details div dl dt footer form h1 h2 h3 head header \
                    html input label li main meta ol option p pre rect script section select span strong style summary svg \
                    table tbody td th thead time title tr ul";
        let ours: BTreeSet<_> = ours.split(' ').collect();
        assert!(names.is_subset(&ours), "{:?}", names.difference(&ours));
        for (name, value) in tags.iter().flat_map(|(_, attributes)| attributes) {
            assert!(
                !name.starts_with("on") && !["src", "style", "action", "srcdoc"].contains(&name.as_str()),
                "{name}"
            );
            let value = value.as_deref().unwrap_or_default();
            if name == "href" {
                let known = value.starts_with('#') || value.starts_with("https://github.com/acme/app");
                assert!(known, "{value}");
            } else {
                assert!(!value.contains("://"), "only links name addresses: {name}={value}");
            }
        }
    }
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).expect("both are there").0
}

#[test]
fn the_policy_allows_the_page_and_nothing_else() {
    let output = written("html", attacked(), &Style::default());
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let style = hash(between(&output, "<style>", "</style>"));
    let script = hash(between(&output, "<script>", "</script>"));
    assert_eq!(
        between(&output, "Content-Security-Policy\" content=\"", "\">"),
        format!("default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'")
    );
}

#[test]
fn html_reads_as_meant() {
    let output = written("html", everything(), &Style::default());
    let mut page = output.replace(&format!("keytrail {}.", env!("CARGO_PKG_VERSION")), "keytrail VERSION.");
    for (before, after) in
        [("<style>", "</style>"), ("<script>", "</script>"), ("style-src '", "'"), ("script-src '", "'")]
    {
        page = page.replace(between(&output, before, after), "…");
    }
    expect_golden("report.html", &page);
}

#[test]
fn the_heading_cannot_be_misread() {
    let heading = |scans| between(&written("html", scans, &Style::default()), "<h1>", "</h1>").to_owned();
    assert_eq!(heading(everything()), "Incomplete: 2 things not read, 3 findings so far");
    assert_eq!(heading(vec![sample::image()]), "1 finding");
    assert_eq!(heading(vec![sample::clean()]), "Clean: no findings, nothing unread");
    assert_eq!(heading(vec![]), "Nothing was scanned");
    let mut scan = sample::clean();
    scan.unread = sample::history().unread;
    assert_eq!(heading(vec![scan]), "Incomplete: 2 things not read, no findings so far");
}

/// The `node_modules` for these tests, and node.
fn node() -> Option<(PathBuf, PathBuf)> {
    let node = tool("node")?;
    let modules = std::env::var_os("KEYTRAIL_BROWSER");
    if modules.is_none() {
        skip("playwright-core and html-validate (npm packages, their node_modules in KEYTRAIL_BROWSER)");
    }
    Some((node, modules?.into()))
}

/// Opens the page at `path` in a browser and searches it for `words`: what `browser.mjs` tells, nothing complained of.
/// `KEYTRAIL_SCREENSHOTS` names a folder for pictures, to be looked at.
fn browsed(path: &Path, words: &str) -> Option<Value> {
    let (Some((node, modules)), Some(chromium)) = (node(), tool("chromium")) else { return None };
    let shots = std::env::var_os("KEYTRAIL_SCREENSHOTS").unwrap_or_else(|| "-".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/html/browser.mjs");
    let mut command = Command::new(node);
    command.arg(script).arg(modules.join("playwright-core")).arg(chromium).arg(path).arg(shots).arg(words);
    let output = command.output().expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    assert_eq!(told["complaints"], Value::Array(vec![]), "console, policy or network");
    Some(told)
}

/// Holds what a browser saw to what must hold for every page.
fn hold_browsed(told: &Value) {
    assert_eq!((&told["active"], &told["scripts"]), (&0.into(), &1.into()));
    assert_eq!(told["landmarks"], serde_json::json!(["HEADER", "MAIN", "FOOTER"]));
    let levels: Vec<u64> = serde_json::from_value(told["headings"].clone()).expect("levels");
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] > 1 && pair[1] <= pair[0] + 1), "headings in order: {levels:?}");
    for focus in told["keyboard"].as_array().expect("elements").iter().take(1) {
        assert_eq!(focus, "A solid", "the skip link comes first and shows that it has the focus");
    }
    assert_ne!(told["paper"], told["darkPaper"]);
    for theme in ["light", "dark"] {
        if let Some(theme) = told.get(theme) {
            assert!(theme["looked"].as_u64() > Some(10));
            assert_eq!(theme["failing"], Value::Array(vec![]), "contrast");
        }
    }
    assert_eq!((&told["overflow"], &told["plainForm"]), (&0.into(), &false.into()));
}

/// Ids of the rows that were seen.
fn rows(seen: &Value) -> Vec<&str> {
    seen["rows"].as_array().expect("rows").iter().map(|row| row.as_str().expect("an id")).collect()
}

#[test]
fn a_browser_filters_and_reads_it_back() {
    let folder = Workspace::new();
    let Some(told) = browsed(&page(everything(), &folder), "SHOP](x) acme/app") else { return };
    hold_browsed(&told);
    assert_eq!(told["title"], "keytrail: Incomplete: 2 things not read, 3 findings so far in 3 roots");
    assert_eq!(rows(&told["first"]), ["finding-1", "finding-2", "finding-3", "finding-4"]);
    assert_eq!(told["first"]["status"], "4 of 4 findings shown");
    assert_eq!(rows(&told["searched"]), ["finding-2"]);
    assert_eq!(told["searched"]["status"], "1 of 4 findings shown");
    assert_eq!(told["searched"]["hash"], "#q=SHOP%5D%28x%29+acme%2Fapp");
    assert_eq!(told["cleared"]["status"], "4 of 4 findings shown");
    for (name, value, expected) in [
        ("severity", "critical", &["finding-1", "finding-4"][..]),
        ("severity", "medium", &["finding-3"]),
        ("rule", "sample-pat", &["finding-2"]),
        ("root", "0", &["finding-2", "finding-3", "finding-4"]),
        ("root", "1", &["finding-1"]),
        ("state", "open", &["finding-1", "finding-2", "finding-3"]),
        ("state", "suppressed", &["finding-4"]),
        ("confidence", "medium", &["finding-3"]),
        ("confidence", "high", &["finding-1", "finding-2", "finding-4"]),
    ] {
        let seen = &told["choices"][name][value];
        assert_eq!(rows(seen), expected, "{name}={value}");
        assert_eq!(seen["status"], format!("{} of 4 findings shown", expected.len()));
        assert_eq!(seen["hash"], format!("#{name}={value}"));
    }
    assert_eq!(rows(&told["bar"]), ["finding-1"], "a suppressed critical one isn't in the chart");
    assert_eq!(told["bar"], told["again"], "the address keeps the filter");
    assert_eq!((&told["opened"], &told["closed"], &told["plainOpened"]), (&true.into(), &true.into(), &true.into()));
    assert_eq!(told["all"], 1, "only what is shown is opened");
    let body = told["body"].as_str().expect("text");
    for text in [
        "image disk",
        "home/me/.ssh/id_rsa:1:1",
        "modified 2022-04-15",
        "mode 600",
        "Replace the token",
        "Better still:",
    ] {
        assert!(body.contains(text), "{text}: {body}");
    }
}

#[test]
fn a_browser_runs_nothing_of_what_was_scanned() {
    let folder = Workspace::new();
    let Some(told) = browsed(&page(attacked(), &folder), "onclick='alert(1)") else { return };
    hold_browsed(&told);
    assert!(rows(&told["searched"]).len() >= 3);
    let text = told["text"].as_str().expect("text");
    assert!(text.contains("\"><script>alert(1)</script><img src=x onerror=alert(1)>&lt;' onclick='alert(1)"));
    let rules = told["choices"]["rule"].as_object().expect("rules");
    assert!(rules.values().all(|seen| !rows(seen).is_empty()), "hostile ids filter as well: {rules:?}");
}

#[test]
fn a_browser_copes_with_thousands_of_findings() {
    let mut scan = sample::history();
    let template = scan.findings[1].clone();
    scan.findings = (0..5_000)
        .map(|number| {
            let mut finding = template.clone();
            finding.fingerprint = format!("v1:{number:032}");
            finding
        })
        .collect();
    let folder = Workspace::new();
    let Some(told) = browsed(&page(vec![scan], &folder), "v1:00000000000000000000000000004321") else { return };
    assert_eq!(told["first"]["status"], "5,000 of 5,000 findings shown");
    assert_eq!(rows(&told["searched"]), ["finding-4322"]);
    assert_eq!((&told["searched"]["status"], &told["all"]), (&"1 of 5,000 findings shown".into(), &5_000.into()));
}

#[test]
fn a_browser_reads_what_a_scan_wrote() {
    let workspace = Workspace::new();
    let token = Token::new("html of a folder");
    workspace.write("disk/conf/<img src=x onerror=alert(1)>.txt", token.line());
    workspace.write("empty/readme.txt", "nothing\n");
    let (found, clean) = (workspace.path("found.html"), workspace.path("clean.html"));
    let scan = |root: &str, report: &Path| {
        let to = format!("html={}", report.display());
        keytrail(["files", root, "--format", &to]).within(workspace.path("")).writes(report).go()
    };
    scan("disk", &found).exits(1);
    scan("empty", &clean).exits(0);
    let Some(told) = browsed(&found, "<img src=x") else { return };
    hold_browsed(&told);
    assert_eq!((&told["heading"], &told["searched"]["status"]), (&"1 finding".into(), &"1 of 1 finding shown".into()));
    let told = browsed(&clean, "").expect("the browser was there");
    hold_browsed(&told);
    assert_eq!(told["heading"], "Clean: no findings, nothing unread");
}

#[test]
fn a_validator_accepts_the_markup() {
    let Some((node, modules)) = node() else { return };
    let folder = Workspace::new();
    let config = folder.write("config.json", r#"{ "root": true, "extends": ["html-validate:standard"] }"#);
    let judge = |path: &Path| {
        let mut command = Command::new(&node);
        command.arg(modules.join("html-validate/bin/html-validate.mjs")).arg("--config").arg(&config);
        command.args(["--formatter", "text"]).arg(path).output().expect("node starts")
    };
    let bad =
        judge(&folder.write("bad.html", "<!DOCTYPE html><html lang=\"en\"><p id=\"a\"><div id=\"a\"></p></html>"));
    assert!(!bad.status.success(), "it judges");
    for scans in [attacked(), everything(), vec![sample::clean()], vec![]] {
        let output = judge(&page(scans, &folder));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

//! `keytrail explain FILE:LINE` and `--explain`.

use crate::harness::{Token, Workspace, keytrail};

/// A line that assigns a value to a name, put together so that no file of ours holds the shape.
fn assigned(value: &str) -> String {
    format!("{} = \"{value}\"\n", ["pass", "word"].concat())
}

#[test]
fn a_finding_is_explained_step_by_step() {
    let workspace = Workspace::new();
    let token = Token::new("explained");
    workspace.write("a.txt", format!("first\n{}", token.line()));
    let ran = keytrail(["explain", "a.txt:2"]).within(workspace.path("")).go().exits(0);
    let ran = ran.says(&[
        "a.txt:2",
        "github-pat",
        "columns 13 to 53",
        "github-crc32",
        "holds",
        "confidence",
        "verdict",
        "reported",
    ]);
    ran.says(&["filter", "keeps it", "upload with ‹redacted›"]).doesnt_say(&["not reported"]);
    let elsewhere = keytrail(["explain", "a.txt:1"]).within(workspace.path("")).go().exits(0);
    elsewhere.says(&["no rule matches here"]).doesnt_say(&["github-pat"]);
    keytrail(["explain", "a.txt:2:13"]).within(workspace.path("")).go().exits(0).says(&["github-pat"]);
    keytrail(["explain", "a.txt:2:12"]).within(workspace.path("")).go().exits(0).says(&["no rule matches here"]);
}

#[test]
fn what_is_not_reported_has_its_reason() {
    let workspace = Workspace::new();
    let broken = Token::broken("explained");
    workspace.write("a.txt", format!("{}{}", broken.line(), assigned("${DB_PASS}")));
    let low = keytrail(["explain", "a.txt:1"]).within(workspace.path("")).go().exits(0);
    low.says(&["github-crc32", "fails", "counted and not reported", "--confidence low"]);
    let reported = keytrail(["explain", "a.txt:1", "--confidence", "low"]).within(workspace.path("")).go().exits(0);
    reported.doesnt_say(&["not reported"]);
    let dropped = keytrail(["explain", "a.txt:2"]).within(workspace.path("")).go().exits(0);
    dropped.doesnt_say(&["verdict     reported"]);
}

#[test]
fn keywords_that_led_nowhere_are_told() {
    let workspace = Workspace::new();
    workspace.write("a.txt", format!("x {}_tooshort y\n", ["gh", "p"].concat()));
    let ran = keytrail(["explain", "a.txt:1"]).within(workspace.path("")).go().exits(0);
    ran.says(&["no rule matches here", "keywords that led to no match", "column 3", "github-pat"]);
}

#[test]
fn markers_test_directories_excludes_and_suppressions_are_told() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("explained") else { return };
    let token = Token::new("explained in a repository");
    repo.write("a.txt", format!("{} # keytrail:allow for show\n", token.text()));
    repo.write("testdata/b.txt", token.line());
    repo.write("c.txt", token.line());
    let run = |args: &[&str]| keytrail(["explain"]).args(args).within(repo.path()).go().exits(0);
    run(&["a.txt:1"]).says(&["suppressed by its inline marker: for show"]);
    run(&["a.txt:1", "--no-inline-allow"]).says(&["marker is not heard"]);
    run(&["testdata/b.txt:1"]).says(&["test directory", "--include-tests"]);
    run(&["testdata/b.txt:1", "--include-tests"]).doesnt_say(&["test directory"]);
    run(&["c.txt:1", "--exclude", "*.txt"]).says(&["exclude settings name its path"]);
    repo.write(
        ".keytrail.toml",
        "version = 1\n[[suppress]]\nrule = \"github-pat\"\npath = \"c.txt\"\nreason = \"known\"\n",
    );
    run(&["c.txt:1"]).says(&["suppressed by the configuration: .keytrail.toml:2: known"]);
    run(&["testdata/b.txt:1"]).doesnt_say(&["suppressed"]);
}

#[test]
fn terms_of_rule_files_are_told() {
    let workspace = Workspace::new();
    let rules = workspace.write(
        "g.toml",
        "[[rules]]\nid = \"acme\"\nregex = '''acme-([a-z0-9]{8})'''\nentropy = 2\n[[rules.allowlists]]\ndescription = \"samples\"\n\
         stopwords = [\"sample\"]\n[[allowlists]]\npaths = ['''\\.md$''']\n",
    );
    workspace.write("a.txt", "acme-sample01\nacme-aaaaaaab\nacme-b7d2k9x4\n");
    workspace.write("a.md", "acme-b7d2k9x4\n");
    let run =
        |spot: &str| keytrail(["explain", spot]).within(workspace.path("")).arg("--rules").arg(&rules).go().exits(0);
    run("a.txt:1").says(&["allowlist", "samples allows it", "not reported: `allowlist`"]);
    run("a.txt:2").says(&["entropy", "bits per character", "not reported: `entropy`"]);
    run("a.txt:3").says(&["verdict", "reported", "searched over every byte", "acme"]).doesnt_say(&["not reported"]);
    run("a.md:1").says(&["excuses this path"]);
}

#[test]
fn a_text_in_utf_16_is_explained_as_it_is_opened() {
    let workspace = Workspace::new();
    let token = Token::new("explained in UTF-16");
    let text = format!("\u{feff}erste Zeile\nünd {}", token.line());
    workspace.write("a.txt", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let ran = keytrail(["explain", "a.txt:2"]).within(workspace.path("")).go().exits(0);
    ran.says(&["github-pat", "utf-16le", "ünd upload with ‹redacted› from here on", "columns 17 to 57"]);
    keytrail(["explain", "a.txt:1"]).within(workspace.path("")).go().exits(0).says(&["no rule matches here"]);
}

#[test]
fn a_place_that_is_not_there_is_told() {
    let workspace = Workspace::new();
    workspace.write("a.txt", "one\ntwo\n");
    let run = |spot: &str| keytrail(["explain", spot]).within(workspace.path("")).go().exits(2);
    run("a.txt:9").says(&["no line 9"]);
    run("b.txt:1").says(&["b.txt", "no such file"]);
    run("a.txt").says(&["FILE:LINE"]);
    run("a.txt:0").says(&["FILE:LINE"]);
}

#[test]
fn a_finding_of_a_report_is_explained_where_it_stood() {
    let workspace = Workspace::new();
    let token = Token::new("explained by its fingerprint");
    workspace.write("a.txt", token.line());
    workspace.write("deep/b.txt", format!("x\n{}", token.line()));
    let report = workspace.path("report.jsonl");
    let target = format!("jsonl={}", report.display());
    let scan = keytrail(["files", "a.txt", "deep", "--format", &target]).within(workspace.path("")).go().exits(1);
    assert!(scan.stdout.is_empty());
    let records = std::fs::read_to_string(&report).expect("it was written");
    let finding: serde_json::Value = records
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .find(|it: &serde_json::Value| it["type"] == "finding")
        .expect("one");
    let fingerprint = finding["fingerprint"].as_str().expect("a text");
    let run = |args: &[&str]| keytrail(["explain"]).args(args).within(workspace.path("")).go();
    let told = run(&[fingerprint, "--report", "report.jsonl"]).exits(0);
    told.says(&["github-pat", fingerprint, "a.txt:1", "github-crc32", "verdict", "reported"]);
    std::fs::remove_file(workspace.path("a.txt")).expect("it was there");
    run(&[fingerprint, "--report", "report.jsonl"]).exits(0).says(&["not here: a.txt"]);
    run(&[fingerprint]).exits(2).says(&["--report FILE"]);
    run(&["deep/b.txt:2", "--report", "report.jsonl"]).exits(2).says(&["goes with a fingerprint"]);
    run(&[&format!("v1:{}", "0".repeat(32)), "--report", "report.jsonl"]).exits(2).says(&["no finding"]);
    run(&[fingerprint, "--report", "deep/b.txt"]).exits(2).says(&["line 1 is no JSON"]);
    let outside = finding.to_string().replace("\"a.txt\"", "\"../a.txt\"");
    workspace.write("other.jsonl", outside);
    run(&[fingerprint, "--report", "other.jsonl"]).exits(0).says(&["../a.txt:1"]).doesnt_say(&["verdict", "not here"]);
}

#[test]
fn scans_explain_findings_and_count_what_was_dropped() {
    let workspace = Workspace::new();
    let token = Token::new("explained in a scan");
    let dropped = assigned("changeme");
    workspace.write("tree/a.txt", format!("{}{dropped}{dropped}", token.line()));
    let run = keytrail(["files", "tree"]).within(workspace.path(""));
    let plain = run.go().exits(1);
    plain.doesnt_say(&["dropped by", "github-crc32"]);
    let ran = run.arg("--explain").go().exits(1);
    ran.says(&["why", "github-crc32 holds", "keeps it", "2 candidates dropped by"]);
    let Some(repo) = workspace.repo("history") else { return };
    repo.commit_file("a.txt", token.line());
    repo.commit_file("a.txt", format!("{}more\n", token.line()));
    keytrail(["history", "--explain"]).within(repo.path()).go().exits(1).says(&["why", "1 finding"]);
}

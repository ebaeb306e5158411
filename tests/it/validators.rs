//! Judges of our reports that we did not write.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::skip;

/// Holds a SARIF log to the OASIS schema (`testdata/sarif-schema-2.1.0.json`). Panics with every error.
pub(crate) fn sarif_schema(json: &str) {
    let schema: Value =
        serde_json::from_str(include_str!("../../testdata/sarif-schema-2.1.0.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let log: Value = serde_json::from_str(json).expect("a SARIF log is JSON");
    let errors: Vec<_> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "the OASIS schema refuses it: {errors:#?}");
}

/// Holds a SARIF file to Microsoft's SARIF multitool, rule sets SARIF and GitHub: `None` when the tool is not there.
pub(crate) fn multitool(path: &Path) -> Option<Result<(), String>> {
    multitool_by(path, &["Sarif", "GH"])
}

/// The same with these rule sets; `Ado` are those of Azure DevOps' ingestion. The tool is the command in
/// `KEYTRAIL_MULTITOOL`, else `sarif-multitool` on `PATH` (npm package `@microsoft/sarif-multitool`, its
/// `node_modules/.bin`).
pub(crate) fn multitool_by(path: &Path, rule_sets: &[&str]) -> Option<Result<(), String>> {
    // One run for each: the tool takes `Sarif;GH`, but npm's wrapper passes its arguments through a shell.
    let verdicts: Option<Vec<_>> = rule_sets.iter().map(|rules| verdict(path, rules)).collect();
    let complaints: Vec<_> = verdicts?.into_iter().filter_map(Result::err).collect();
    Some(if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) })
}

/// Keeps the multitool from opening every link of the log (its rule SARIF2006, a note): tests don't use the network.
const OFFLINE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Properties>
  <Properties Key="SARIF2006.UrisShouldBeReachable.Options">
    <Property Key="RuleEnabled" Value="Disabled" Type="Microsoft.CodeAnalysis.Sarif.Driver.RuleEnabledState" />
  </Properties>
</Properties>
"#;

/// What the multitool says by one of its rule sets.
fn verdict(path: &Path, rules: &str) -> Option<Result<(), String>> {
    let tool = std::env::var_os("KEYTRAIL_MULTITOOL").unwrap_or_else(|| "sarif-multitool".into());
    let folder = tempfile::tempdir().expect("a folder for the verdict");
    let verdict = folder.path().join("verdict.sarif");
    let policy = folder.path().join("policy.xml");
    std::fs::write(&policy, OFFLINE).expect("the policy can be written");
    let output = Command::new(tool)
        .arg("validate")
        .arg(path)
        .args(["--rule-kind", rules, "--config"])
        .arg(&policy)
        .arg("--output")
        .arg(&verdict)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(format!("the multitool does not start: {error}"))),
    };
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(match std::fs::read_to_string(&verdict) {
        Ok(text) => judged(&text).map_err(|complaints| format!("rule set {rules}:\n{complaints}")),
        Err(_) => Err(format!("rule set {rules}: the multitool wrote no verdict:\n{said}")),
    })
}

/// The errors and warnings of a verdict. Notes are not judged: they are advice, and some of it is not for us (message
/// ids instead of the texts that GitHub demands, rule ids like `ABC1234`, file contents within the log).
fn judged(verdict: &str) -> Result<(), String> {
    let verdict: Value = serde_json::from_str(verdict).map_err(|error| format!("the verdict is no JSON: {error}"))?;
    let run = &verdict["runs"][0];
    let invocation = &run["invocations"][0];
    // A tool that loaded no rules finds nothing wrong: silence counts only from one that has judged.
    let judged = run["results"].is_array() && invocation["executionSuccessful"] == true;
    let complaints: Vec<_> = ["toolExecutionNotifications", "toolConfigurationNotifications"]
        .iter()
        .flat_map(|kind| invocation[kind].as_array().into_iter().flatten())
        .chain(run["results"].as_array().into_iter().flatten())
        .filter(|result| result["level"] != "note" && result["level"] != "none")
        // The policy's own effect, which the tool warns of.
        .filter(|result| result["descriptor"]["id"] != "WRN999.RuleExplicitlyDisabled")
        .map(|result| {
            format!("{} {}{}: {}", level(result), result["ruleId"], result["descriptor"]["id"], text(result, run))
        })
        .collect();
    match complaints.as_slice() {
        [] if judged => Ok(()),
        [] => Err("the multitool did not judge".to_owned()),
        complaints => Err(complaints.join("\n")),
    }
}

/// A result's level; SARIF's default is `warning`.
fn level(result: &Value) -> &str {
    result["level"].as_str().unwrap_or("warning")
}

/// A result's message: its text, or the rule's with the arguments put in.
fn text(result: &Value, run: &Value) -> String {
    let message = &result["message"];
    if let Some(text) = message["text"].as_str() {
        return text.to_owned();
    }
    let rules = run["tool"]["driver"]["rules"].as_array();
    let rule = rules.into_iter().flatten().find(|rule| rule["id"] == result["ruleId"]);
    let template = rule.and_then(|rule| rule["messageStrings"][message["id"].as_str()?]["text"].as_str());
    let mut text = template.unwrap_or_default().to_owned();
    for (at, argument) in message["arguments"].as_array().into_iter().flatten().enumerate() {
        text = text.replace(&format!("{{{at}}}"), argument.as_str().unwrap_or_default());
    }
    text
}

/// What Python makes of the file at `path`: `expression`, with `modules` (comma-separated) imported, as JSON. `None`,
/// after noting the skip, where there is no Python with these modules. It is the program in `KEYTRAIL_PYTHON`, else
/// `python3` on `PATH`.
pub(crate) fn python(modules: &str, expression: &str, path: &Path) -> Option<Value> {
    let program = std::env::var_os("KEYTRAIL_PYTHON").unwrap_or_else(|| "python3".into());
    let has_modules = Command::new(&program).args(["-c", &format!("import {modules}")]).output();
    if !has_modules.is_ok_and(|output| output.status.success()) {
        skip(&format!("python3 with {modules}"));
        return None;
    }
    let script = format!("import {modules}, json, sys\npath = sys.argv[1]\nprint(json.dumps({expression}))");
    let output = Command::new(&program).arg("-c").arg(script).arg(path).output().expect("it ran before");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Python refuses the report: {said}");
    Some(serde_json::from_slice(&output.stdout).expect("the script prints JSON"))
}

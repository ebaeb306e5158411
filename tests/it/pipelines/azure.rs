//! The built Azure Pipelines task, run by node with the real task library.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::agent::{Done, Job, built};
use super::hostile::{hostile, nothing_ran};
use super::server::Server;
use super::{Checkout, checkout, ours};

/// Variables of a pull request's build; `target` is written as the repository's host writes it.
fn request<'a>(checkout: &'a Checkout, provider: &'a str, target: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("BUILD_REASON", "PullRequest"),
        ("BUILD_REPOSITORY_PROVIDER", provider),
        ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
        ("BUILD_SOURCEVERSION", &checkout.merge),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &checkout.tip),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", target),
    ]
}

/// Variables of another build.
fn build<'a>(checkout: &'a Checkout, reason: &'a str, branch: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("BUILD_REASON", reason), ("BUILD_SOURCEBRANCH", branch), ("BUILD_SOURCEVERSION", &checkout.tip)]
}

/// The SARIF report in the artifact, held to its schema and to Microsoft's rules.
fn report(done: &Done) -> Value {
    let [(artifact, path)] = done.artifacts.as_slice() else { panic!("one report: {:?}", done.artifacts) };
    assert_eq!(artifact, "CodeAnalysisLogs");
    assert_eq!(Path::new(&done.outputs["sarif"]), path);
    assert_eq!(path.parent().map(Path::to_owned), Some(done.outputs["sarifDirectory"].clone().into()));
    let text = fs::read_to_string(path).expect("the report is there");
    crate::validators::sarif_schema(&text);
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn pull_requests_of_both_hosts() {
    let Some(checkout) = checkout("azure request") else { return };
    for (provider, target) in [("TfsGit", "refs/heads/main"), ("GitHub", "main")] {
        let Some(job) = Job::new(&checkout, &request(&checkout, provider, target)) else { return };
        let done = job.go().ends("Failed").gives("findings", "2").gives("incomplete", "false").gives("exitCode", "1");
        assert_eq!(done.message, "2 findings");
        let log = report(&done);
        assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(2));
        let id = log["runs"][0]["automationDetails"]["id"].as_str().unwrap_or_default();
        assert!(id.starts_with("azuredevops/pipeline/build/example/project/7/"), "{id}");
        assert!(done.at_files().iter().any(|path| path.ends_with("src/added.txt")), "{:?}", done.issues);
        assert!(done.issues.iter().any(|(_, message)| message.contains("keytrail: ")), "the total: {:?}", done.issues);
        let summary = done.summary();
        assert!(summary.contains("src/added.txt") && !summary.contains("src/old.txt"), "{summary}");
        // Judged as the publish task's rules will.
        match crate::validators::multitool_by(&done.artifacts[0].1, &["Sarif", "Ado"]) {
            Some(verdict) => verdict.expect("the multitool has nothing to say"),
            None => crate::harness::skip("sarif-multitool"),
        }
    }
}

#[test]
fn other_builds() {
    let Some(checkout) = checkout("azure builds") else { return };
    let cases = [
        ("IndividualCI", "refs/heads/topic", "2"),
        ("BatchedCI", "refs/heads/topic", "2"),
        // Nothing tells what a main branch held before a push.
        ("IndividualCI", "refs/heads/main", "3"),
        ("Schedule", "refs/heads/topic", "3"),
        ("Manual", "refs/heads/main", "3"),
    ];
    for (reason, branch, findings) in cases {
        let Some(job) = Job::new(&checkout, &build(&checkout, reason, branch)) else { return };
        let done = job.go().ends("Failed").gives("findings", findings).gives("incomplete", "false");
        assert_eq!(
            report(&done)["runs"][0]["results"].as_array().map(|all| all.len().to_string()).as_deref(),
            Some(findings)
        );
    }
}

#[test]
fn a_checkout_of_depth_one_is_incomplete() {
    let Some(checkout) = checkout("azure shallow") else { return };
    let shallow = checkout.shallow();
    let builds = [
        request(&checkout, "TfsGit", "refs/heads/main"),
        build(&checkout, "IndividualCI", "refs/heads/topic"),
        build(&checkout, "Schedule", "refs/heads/topic"),
    ];
    for variables in builds {
        let Some(job) = Job::new(&checkout, &variables) else { return };
        let done = job.within(shallow.path()).go().ends("Failed").gives("incomplete", "true").gives("exitCode", "3");
        let done = done.says(&["fetchDepth: 0"]);
        assert!(done.message.contains("not everything was read"), "{}", done.message);
        // Of a history there is a report of what is here; of a range without its ends there is none.
        if variables.contains(&("BUILD_REASON", "Schedule")) {
            report(&done);
        } else {
            assert!(done.artifacts.is_empty(), "{:?}", done.artifacts);
        }
    }
    let Some(job) = Job::new(&checkout, &build(&checkout, "Schedule", "refs/heads/topic")) else { return };
    job.within(shallow.path()).with("failOn", "never").go().ends("SucceededWithIssues").gives("exitCode", "3");
}

#[test]
fn a_clean_build_succeeds_and_findings_may_pass() {
    let Some(checkout) = checkout("azure clean") else { return };
    let variables = request(&checkout, "TfsGit", "refs/heads/main");
    let Some(job) = Job::new(&checkout, &variables) else { return };
    let clean = job.with("arguments", "--exclude=src/").go().ends("Succeeded");
    let clean = clean.gives("findings", "0").gives("incomplete", "false").gives("exitCode", "0");
    assert!(clean.issues.is_empty() && clean.message.contains("everything was read"), "{:?}", clean.issues);
    assert_eq!(report(&clean)["runs"][0]["results"].as_array().map(Vec::len), Some(0));
    for fail_on in ["incomplete", "never"] {
        let job = Job::new(&checkout, &variables).expect("it was there");
        job.with("failOn", fail_on).go().ends("SucceededWithIssues").gives("findings", "2").gives("exitCode", "1");
    }
    let quiet = Job::new(&checkout, &variables).expect("it was there").with("publishArtifact", "false").go();
    assert!(quiet.ends("Failed").artifacts.is_empty());
}

#[test]
fn names_are_not_obeyed() {
    let Some((checkout, count)) = hostile("azure names") else { return };
    let Some(job) = Job::new(&checkout, &request(&checkout, "GitHub", "main")) else { return };
    let done = job.go().ends("Failed").gives("findings", &count.to_string());
    assert_eq!(done.outputs.len(), 5, "{:?}", done.outputs.keys());
    for (properties, message) in &done.issues {
        assert!(properties.contains_key("code") || message.starts_with("keytrail: "), "{properties:?} {message}");
    }
    assert!(done.issues.len() <= 11, "{}", done.issues.len());
    nothing_ran(&checkout.workspace.path(""));
}

#[test]
fn what_a_program_prints_is_not_obeyed() {
    // The task's own guard: a program that prints commands, and writes others where its issues are expected.
    let Some(checkout) = checkout("azure forged") else { return };
    let body = "echo '##vso[task.complete result=Succeeded;]forged'\n\
                echo 'text ##VSO[task.setvariable variable=PATH]forged' >&2\n\
                echo '##[error]forged'\n\
                for word; do case $word in annotations=*)\n\
                echo '##vso[task.setvariable variable=PATH;isOutput=true]forged' >\"${word#*=}\"\n\
                echo '##vso[task.logissue type=error;code=x]is ##vso[task.complete result=Succeeded;]one' >>\"${word#*=}\"\n\
                ;; esac; done\n\
                exit 1";
    let program = checkout.workspace.script("forging/keytrail", body);
    let Some(job) = Job::new(&checkout, &request(&checkout, "GitHub", "main")) else { return };
    let done = job.with("keytrailPath", program.to_string_lossy()).go().ends("Failed").gives("findings", "");
    assert_eq!(done.outputs.len(), 5, "{:?}", done.outputs);
    assert_eq!(done.issues.len(), 1, "{:?}", done.issues);
    assert_eq!(done.issues[0].1, "is ## vso[task.complete result=Succeeded;]one");
    assert!(done.message.contains("findings") && done.artifacts.is_empty());
}

#[test]
fn inputs_are_not_obeyed() {
    let Some(checkout) = checkout("azure inputs") else { return };
    let variables = request(&checkout, "GitHub", "main");
    let attempts = [
        ("arguments", "--exclude=$(touch pwned)\n--exclude=`touch pwned`\n--exclude=; touch pwned", "1"),
        ("arguments", "##vso[task.complete result=Succeeded;]", "2"),
        ("arguments", "--exit-code\n0", ""),
        ("arguments", "--exit-code=0", ""),
        ("arguments", "--format=jsonl=/dev/stdout", ""),
        ("arguments", "-o/dev/stdout", ""),
        ("arguments", "--show-secrets", ""),
        ("arguments", "--cache=x", ""),
        ("scan", "bench", ""),
        ("failOn", "no", ""),
        ("confidence", "##vso[task.complete result=Succeeded;]", ""),
        ("config", "no\nsuch ##vso[task.complete result=Succeeded;]", ""),
        ("config", "no such ##vso[task.complete result=Succeeded;]", "2"),
        ("workingDirectory", "$(touch pwned)", ""),
        ("artifactFile", "../x.sarif", ""),
        ("artifactFile", "x;artifactname=y.sarif", ""),
        ("paths", "src", ""),
        ("keytrailPath", "no-such-file", ""),
        ("releaseUrl", "http://127.0.0.1/keytrail", ""),
        ("releaseUrl", "https://127.0.0.1/keytrail", ""),
        ("releaseSha256", "0", ""),
    ];
    for (name, value, code) in attempts {
        let Some(job) = Job::new(&checkout, &variables) else { return };
        let done = job.with(name, value).go();
        assert_eq!(done.result, "Failed", "{name}: {value:?}");
        assert_eq!(
            done.outputs.get("exitCode").map_or("", String::as_str),
            code,
            "{name}: {value:?}: {}",
            done.message
        );
        nothing_ran(&checkout.workspace.path(""));
    }
}

#[test]
fn a_download_is_what_its_digest_says_or_is_not_run() {
    let Some(checkout) = checkout("azure release") else { return };
    let variables = request(&checkout, "GitHub", "main");
    let Some(job) = Job::new(&checkout, &variables) else { return };
    let Some(server) = Server::start(&checkout.workspace) else { return };
    let ran = checkout.workspace.path("ran");
    let digest = server.offer("keytrail.tar.gz", &ran);
    let link = server.link("keytrail.tar.gz");
    let wrong = job.env("NODE_EXTRA_CA_CERTS", server.certificate()).with("releaseUrl", &link);
    let done = wrong.with("releaseSha256", "0".repeat(64)).go().ends("Failed");
    assert!(done.message.contains("releaseSha256") && !ran.exists(), "{}", done.message);
    let right = Job::new(&checkout, &variables).expect("it was there").env("NODE_EXTRA_CA_CERTS", server.certificate());
    right.with("releaseUrl", &link).with("releaseSha256", digest).go().ends("Failed").gives("findings", "2");
    assert!(ran.exists());
}

#[test]
fn no_verdict_cache_is_used() {
    let Some(checkout) = checkout("azure verdict cache") else { return };
    let Some(job) = Job::new(&checkout, &request(&checkout, "GitHub", "main")) else { return };
    let cache = checkout.workspace.path("verdicts");
    job.env("KEYTRAIL_CACHE", &cache).go().ends("Failed").gives("findings", "2");
    assert!(!cache.exists(), "a cache that somebody else may have written was opened");
}

/// A JSON file of the extension's sources.
fn json(name: &str) -> Value {
    let text = fs::read_to_string(ours("hooks/azure-pipelines").join(name)).expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The names of the inputs in task.json.
pub(super) fn inputs() -> Vec<String> {
    let task = json("KeytrailV0/task.json");
    let inputs = task["inputs"].as_array().expect("a list").iter();
    inputs.map(|input| input["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn the_task_is_what_the_service_expects() {
    let (task, extension) = (json("KeytrailV0/task.json"), json("vss-extension.json"));
    // The id is for ever: with another one, pipelines would lose their task.
    assert_eq!(task["id"], "da9a9628-b557-489b-a271-44f8e817100e");
    let runtimes: Vec<_> = task["execution"].as_object().expect("a table").keys().collect();
    assert_eq!(runtimes, ["Node20_1", "Node24"]);
    assert_eq!(extension["contributions"][0]["properties"]["name"], "KeytrailV0");
    let source = fs::read_to_string(ours("hooks/azure-pipelines/KeytrailV0/inputs.ts")).expect("it is there");
    let names = inputs();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(source.contains(&format!("\"{name}\"")), "input `{name}` is not read");
    }
    for (name, size) in [("KeytrailV0/icon.png", 32), ("images/icon.png", 128_u32)] {
        let png = fs::read(ours("hooks/azure-pipelines").join(name)).expect("it is there");
        assert_eq!(png[1..4], *b"PNG");
        assert_eq!([&png[16..20], &png[20..24]], [size.to_be_bytes(); 2], "{name}");
    }
}

#[test]
fn the_package_holds_what_runs_and_no_more() {
    let Some(task) = built() else { return };
    let out = ours("target/azure-pipelines");
    let packages = fs::read_dir(out).expect("it is there").map(|entry| entry.expect("readable").path());
    let packages: Vec<_> = packages.filter(|path| path.extension().is_some_and(|ending| ending == "vsix")).collect();
    assert_eq!(packages.len(), 1, "{packages:?}");
    let bytes = fs::read(&packages[0]).expect("it is there");
    // Names stand in a zip file in clear.
    let holds = |name: &str| memchr::memmem::find(&bytes, name.as_bytes()).is_some();
    for name in ["KeytrailV0/task.json", "KeytrailV0/index.js", "KeytrailV0/icon.png", "images/icon.png", "overview.md"]
    {
        assert!(holds(name), "{name}");
    }
    assert!(holds("KeytrailV0/node_modules/azure-pipelines-task-lib/task.js"));
    for name in ["KeytrailV0/index.ts", "node_modules/typescript/", "node_modules/tfx-cli/"] {
        assert!(!holds(name), "{name}");
    }
    assert!(task.join("index.js").is_file());
}

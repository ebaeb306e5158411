//! Azure Pipelines' agent, as far as a Node task sees it: variables and inputs in the environment, and the commands that
//! the agent reads from what the task prints.
//!
//! Sources, read 2026-11: "Use predefined variables", "Logging commands"; microsoft/azure-pipelines-agent, `Command.cs`
//! (a command begins at the first `##vso[` of a line, wherever that is) and `TaskCommandExtension.cs`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Checkout, ours, program_folder};
use crate::harness::{Workspace, leaks_in, name_tokens, skip, tool};

/// The built task; `None` after noting that the test is skipped.
///
/// # Panics
/// When tools are demanded and it is missing or was built from other sources.
pub(super) fn built() -> Option<PathBuf> {
    let out = ours("target/azure-pipelines");
    let current = fs::read(out.join("built-from")).is_ok_and(|built_from| built_from == sources());
    if !current {
        skip("a current build of the Azure Pipelines task (hooks/azure-pipelines/build)");
        return None;
    }
    tool("node")?;
    Some(out.join("extension/KeytrailV0"))
}

/// The sources one after the other, in the order in which the build script puts them.
fn sources() -> Vec<u8> {
    let folder = ours("hooks/azure-pipelines/KeytrailV0");
    let names = |ending: &str| {
        let entries =
            fs::read_dir(&folder).expect("the sources are there").map(|entry| entry.expect("readable").path());
        let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
        paths.sort();
        paths
    };
    let paths = [names("ts"), names("json")].concat();
    assert!(paths.len() > 5, "{paths:?}");
    paths.iter().flat_map(|path| fs::read(path).expect("the sources are there")).collect()
}

/// A job whose one step is the task, about to be.
pub(super) struct Job {
    workspace: Workspace,
    folder: PathBuf,
    task: PathBuf,
    inputs: Vec<(String, String)>,
    variables: BTreeMap<String, OsString>,
}

/// What a job did.
pub(super) struct Done {
    /// Result of the task: `Succeeded`, `SucceededWithIssues`, `Failed`.
    pub(super) result: String,
    /// What the task says of its result.
    pub(super) message: String,
    /// Output variables.
    pub(super) outputs: BTreeMap<String, String>,
    /// Issues that point at a file: properties and message.
    pub(super) issues: Vec<(BTreeMap<String, String>, String)>,
    /// Files shown as summaries.
    pub(super) summaries: Vec<PathBuf>,
    /// Files put into artifacts: artifact and path.
    pub(super) artifacts: Vec<(String, PathBuf)>,
    /// Everything printed.
    pub(super) log: String,
}

impl Job {
    /// A job on the checkout, with the program under test on PATH.
    pub(super) fn new(checkout: &Checkout, variables: &[(&str, &str)]) -> Option<Self> {
        let mut job = Self {
            workspace: checkout.workspace.clone(),
            folder: checkout.clone.path().to_owned(),
            task: built()?,
            inputs: vec![],
            variables: BTreeMap::new(),
        };
        job = job.within(checkout.clone.path());
        Some(variables.iter().fold(job, |job, (name, value)| job.env(name, value)))
    }

    /// Checked out somewhere else.
    pub(super) fn within(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    /// Sets an input.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inputs.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a variable.
    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Runs the task with node.
    ///
    /// # Panics
    /// When anything printed or shown gives a secret away, and for commands that no task of ours has a use for.
    pub(super) fn go(&self) -> Done {
        let temporary = self.workspace.path("agent-temp");
        fs::create_dir_all(&temporary).expect("our own folder is writable");
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let search = std::iter::once(program_folder().to_owned()).chain(std::env::split_paths(&machine));
        let mut command = Command::new("node");
        command.arg(self.task.join("index.js")).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::join_paths(search).expect("plain names")).env("HOME", self.workspace.home());
        command.envs([("LC_ALL", "C"), ("TZ", "UTC"), ("TF_BUILD", "True"), ("SYSTEM_HOSTTYPE", "build")]);
        command.envs([("AGENT_VERSION", "4.264.2"), ("AGENT_JOBSTATUS", "Succeeded"), ("SYSTEM_ACCESSTOKEN", "none")]);
        command.envs([("SYSTEM_COLLECTIONURI", "https://dev.azure.com/example/"), ("SYSTEM_TEAMPROJECT", "project")]);
        command.envs([("SYSTEM_DEFINITIONID", "7"), ("BUILD_DEFINITIONNAME", "check"), ("BUILD_BUILDID", "42")]);
        command.env("SYSTEM_PHASEID", "3a3a2a60-14c7-570b-14a4-fa42ad92f52a").env("SYSTEM_PHASENAME", "Job");
        command.env("AGENT_TEMPDIRECTORY", &temporary).env("AGENT_WORKFOLDER", self.workspace.path(""));
        for name in ["BUILD_SOURCESDIRECTORY", "BUILD_REPOSITORY_LOCALPATH", "SYSTEM_DEFAULTWORKINGDIRECTORY"] {
            command.env(name, &self.folder);
        }
        command.envs(&self.variables);
        let given = |(name, value): &(String, String)| (format!("INPUT_{}", name.to_uppercase()), value.clone());
        command.envs(self.inputs.iter().map(given));
        let ran = command.output().expect("node starts");
        assert_eq!(ran.status.code(), Some(0), "{}", name_tokens(&String::from_utf8_lossy(&ran.stderr)));
        let stdout = String::from_utf8(ran.stdout).expect("logs are UTF-8");
        let done = Done::read(format!("{stdout}\n{}", String::from_utf8_lossy(&ran.stderr)));
        for text in [done.log.as_bytes(), done.summary().as_bytes()] {
            let leaks = leaks_in(text);
            assert!(leaks.is_empty(), "it gives away {leaks:?}");
        }
        done
    }
}

impl Done {
    /// Reads a log as the agent does.
    fn read(log: String) -> Self {
        let (mut result, mut message) = (String::new(), String::new());
        let (mut outputs, mut issues) = (BTreeMap::new(), vec![]);
        let (mut summaries, mut artifacts) = (vec![], vec![]);
        for line in log.split(['\n', '\r']) {
            let Some(at) = line.to_ascii_lowercase().find("##vso[") else {
                assert!(!line.contains("##["), "formatting of somebody else: {}", name_tokens(line));
                continue;
            };
            assert_eq!(at, 0, "a command in the middle of a line: {}", name_tokens(line));
            let (head, text) = line[6..].split_once(']').unwrap_or_else(|| panic!("no command: {}", name_tokens(line)));
            let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
            let properties: BTreeMap<String, String> = properties
                .split(';')
                .filter_map(|each| each.split_once('='))
                .map(|(key, value)| (key.to_owned(), unescaped(value)))
                .collect();
            match name {
                "task.debug" => {}
                "task.complete" => (result, message) = (properties["result"].clone(), unescaped(text)),
                // What the task library makes of a result that isn't plain success.
                "task.issue" => assert!(["error", "warning"].contains(&properties["type"].as_str())),
                "task.logissue" => issues.push((properties, unescaped(text))),
                "task.setvariable" => {
                    assert_eq!(properties["isOutput"], "true", "only outputs: {}", name_tokens(line));
                    outputs.insert(properties["variable"].clone(), unescaped(text));
                }
                "task.uploadsummary" => summaries.push(unescaped(text).into()),
                "artifact.upload" => artifacts.push((properties["artifactname"].clone(), unescaped(text).into())),
                other => panic!("a command that the task has no use for: {other}"),
            }
        }
        Self { result, message, outputs, issues, summaries, artifacts, log }
    }

    /// The text of the summaries.
    pub(super) fn summary(&self) -> String {
        self.summaries.iter().map(|path| fs::read_to_string(path).expect("the summary is there")).collect()
    }

    /// Expects that result.
    pub(super) fn ends(self, result: &str) -> Self {
        assert_eq!(self.result, result, "{}", name_tokens(&self.log));
        self
    }

    /// Expects that value of an output.
    pub(super) fn gives(self, name: &str, value: &str) -> Self {
        assert_eq!(self.outputs.get(name).map(String::as_str), Some(value), "{name}: {}", name_tokens(&self.log));
        self
    }

    /// Expects each of the words in the log.
    pub(super) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.log.contains(word), "the log doesn't say `{word}`:\n{}", name_tokens(&self.log));
        }
        self
    }

    /// Issues that point at a file.
    pub(super) fn at_files(&self) -> Vec<&str> {
        self.issues.iter().filter_map(|(properties, _)| properties.get("sourcepath")).map(String::as_str).collect()
    }
}

/// Data or a value of a command without its escapes.
fn unescaped(text: &str) -> String {
    [("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%3B", ";"), ("%AZP25", "%")]
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

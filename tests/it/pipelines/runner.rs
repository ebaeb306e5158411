//! GitHub's runner, as far as a composite action sees it: expressions, one process per script with its variables and
//! its files for outputs and summary, and the commands that it reads from what scripts print.
//!
//! Sources, read 2026-11: "Metadata syntax reference", "Workflow commands for GitHub Actions"; actions/runner,
//! `ActionCommand.cs`, `ActionCommandManager.cs` and `CompositeActionHandler.cs`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::expression::{Contexts, evaluate, fill, holds};
use super::manifest::{Manifest, Step, manifest};
use super::{Checkout, ours, program_folder};
use crate::harness::{Workspace, leaks_in, name_tokens, tool};

/// A job that uses the action, about to be.
pub(super) struct Job {
    workspace: Workspace,
    /// What is checked out.
    folder: PathBuf,
    event: String,
    payload: String,
    sha: String,
    inputs: BTreeMap<String, String>,
    variables: Vec<(String, OsString)>,
    /// Folders before those of the machine on PATH.
    path: Vec<PathBuf>,
    /// What the cache gives back: writes into the folder.
    cached: Option<fn(&Path)>,
}

/// What a job did.
pub(super) struct Done {
    /// Exit code of the step that failed; 0 when none did.
    pub(super) code: i32,
    /// The action's outputs.
    pub(super) outputs: BTreeMap<String, String>,
    /// The job summary.
    pub(super) summary: String,
    /// Everything printed.
    pub(super) log: String,
    /// Annotations of the log: level, properties, message, unescaped.
    pub(super) annotations: Vec<Annotation>,
    /// Actions that ran: what was used, with its inputs.
    pub(super) used: Vec<(String, BTreeMap<String, String>)>,
}

/// An annotation.
#[derive(Debug)]
pub(super) struct Annotation {
    pub(super) level: String,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) message: String,
}

impl Job {
    /// A job on the checkout, with the program under test on PATH and the input `install: path`: building it again for
    /// each test would take minutes. `install.rs` tests the other ways.
    pub(super) fn new(checkout: &Checkout, event: &str, payload: &str) -> Option<Self> {
        tool("bash")?;
        let sha = if event == "pull_request" { &checkout.merge } else { &checkout.tip };
        Some(Self {
            workspace: checkout.workspace.clone(),
            folder: checkout.clone.path().to_owned(),
            event: event.to_owned(),
            payload: payload.to_owned(),
            sha: sha.clone(),
            inputs: BTreeMap::from([("install".to_owned(), "path".to_owned())]),
            variables: vec![],
            path: vec![program_folder().to_owned()],
            cached: None,
        })
    }

    /// Checked out somewhere else.
    pub(super) fn within(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    /// Sets an input.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    /// Sets a variable of the job.
    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Puts a folder first on PATH.
    pub(super) fn on_path(mut self, folder: &Path) -> Self {
        self.path.insert(0, folder.to_owned());
        self
    }

    /// Lets the cache give back what `write` writes into the folder.
    pub(super) fn cached(mut self, write: fn(&Path)) -> Self {
        self.cached = Some(write);
        self
    }

    /// The runner's temporary folder.
    pub(super) fn temporary(&self) -> PathBuf {
        let folder = self.workspace.path("runner-temp");
        fs::create_dir_all(&folder).expect("our own folder is writable");
        folder
    }

    /// Runs the action.
    ///
    /// # Panics
    /// When an input isn't one, when anything printed gives a secret away, and for commands that no annotation is.
    pub(super) fn go(&self) -> Done {
        let manifest = manifest();
        for name in self.inputs.keys() {
            assert!(manifest.inputs.contains_key(name), "no such input: {name}");
        }
        let payload = serde_json::from_str(&self.payload).expect("payloads are JSON");
        let mut state = State { job: self, manifest: &manifest, payload, steps: BTreeMap::new() };
        let mut done = Done {
            code: 0,
            outputs: BTreeMap::new(),
            summary: String::new(),
            log: String::new(),
            annotations: vec![],
            used: vec![],
        };
        for (number, step) in manifest.runs.steps.iter().enumerate() {
            if holds(step.condition.as_deref(), done.code != 0, &state) {
                let code = state.run(number, step, &mut done);
                done.code = if done.code == 0 { code } else { done.code };
            }
        }
        for (name, output) in &manifest.outputs {
            let value = fill(&output.value, &state);
            done.outputs.insert(name.clone(), value);
        }
        done.annotations = commands(&done.log);
        for (what, text) in [("log", &done.log), ("summary", &done.summary)] {
            let leaks = leaks_in(text.as_bytes());
            assert!(leaks.is_empty(), "the {what} gives away {leaks:?}");
        }
        done
    }
}

/// A job under way.
struct State<'a> {
    job: &'a Job,
    manifest: &'a Manifest,
    payload: Value,
    /// Outputs of steps, by id.
    steps: BTreeMap<String, BTreeMap<String, String>>,
}

impl Contexts for State<'_> {
    fn get(&self, name: &str) -> Value {
        let words: Vec<_> = name.split('.').collect();
        let text = |value: Option<&String>| value.map_or(Value::Null, |value| value.as_str().into());
        match words.as_slice() {
            ["inputs", name] => {
                let given = self.job.inputs.get(*name);
                let value = given.unwrap_or_else(|| &self.manifest.inputs.get(*name).expect("an input").default);
                value.as_str().into()
            }
            ["steps", id, "outputs", name] => text(self.steps.get(*id).and_then(|outputs| outputs.get(*name))),
            ["github", "event", path @ ..] => {
                path.iter().try_fold(&self.payload, |value, key| value.get(key)).cloned().unwrap_or(Value::Null)
            }
            _ => panic!("no such context: {name}"),
        }
    }
}

impl State<'_> {
    /// Runs a step and gives its exit code.
    fn run(&mut self, number: usize, step: &Step, done: &mut Done) -> i32 {
        let id = step.id.clone().unwrap_or_else(|| format!("step {number}"));
        if let Some(uses) = &step.uses {
            let with: BTreeMap<_, _> =
                step.with.iter().map(|(name, value)| (name.clone(), fill(value, self))).collect();
            if let (true, Some(write)) = (uses.starts_with("actions/cache/restore@"), self.job.cached) {
                write(Path::new(&with["path"]));
                self.steps.insert(id, BTreeMap::from([("cache-hit".to_owned(), "true".to_owned())]));
            }
            done.used.push((uses.clone(), with));
            return 0;
        }
        assert_eq!(step.shell.as_deref(), Some("bash"), "{}", step.name);
        let files = self.job.workspace.path(&format!("runner-files/{number}"));
        fs::create_dir_all(&files).expect("our own folder is writable");
        let file = |name: &str| {
            let path = files.join(name);
            fs::write(&path, "").expect("our own folder is writable");
            path
        };
        let script = files.join("script.sh");
        fs::write(&script, step.run.as_deref().expect("a step runs or uses")).expect("our own folder is writable");
        let [output, summary, env, path] = ["output", "summary", "env", "path"].map(file);
        let event = files.join("event.json");
        fs::write(&event, &self.job.payload).expect("our own folder is writable");
        let search = self.job.path.iter().cloned();
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let search = std::env::join_paths(search.chain(std::env::split_paths(&machine))).expect("plain names");
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(&self.job.folder)
            .env_clear();
        command.envs([("LC_ALL", "C"), ("TZ", "UTC"), ("CI", "true"), ("GITHUB_ACTIONS", "true")]);
        command.envs([("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64"), ("GITHUB_REPOSITORY", "example/project")]);
        command.envs([("GITHUB_EVENT_NAME", &self.job.event), ("GITHUB_SHA", &self.job.sha)]);
        command.env("PATH", search).env("HOME", self.job.workspace.home()).env("GITHUB_WORKSPACE", &self.job.folder);
        command.env("GITHUB_ACTION_PATH", ours("")).env("RUNNER_TEMP", self.job.temporary());
        command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_EVENT_PATH", &event);
        command.env("GITHUB_ENV", &env).env("GITHUB_PATH", &path);
        command.envs(self.job.variables.iter().map(|(name, value)| (name, value)));
        command.envs(step.env.iter().map(|(name, value)| (name, fill(value, self))));
        let ran = command.output().expect("bash starts");
        for stream in [&ran.stdout, &ran.stderr] {
            done.log.push_str(std::str::from_utf8(stream).expect("logs are UTF-8"));
            done.log.push('\n');
        }
        done.summary.push_str(&read(&summary));
        assert_eq!([read(&env), read(&path)], ["", ""], "{}: no variables for the rest of the job", step.name);
        self.steps.insert(id, outputs(&read(&output)));
        ran.status.code().expect("no signal ends bash")
    }
}

/// A file's text.
fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("text")
}

/// Outputs as a step writes them.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("no output: {line}"));
        (name.to_owned(), value.to_owned())
    };
    text.lines().map(line).collect()
}

/// The annotations of a log, read as the runner reads commands.
///
/// # Panics
/// For any other command but those that stop and resume reading.
fn commands(log: &str) -> Vec<Annotation> {
    let mut annotations = vec![];
    let mut stopped: Option<&str> = None;
    for line in log.split(['\n', '\r']) {
        let Some((head, message)) = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) else {
            assert!(stopped.is_some() || !line.contains("##["), "an old command: {}", name_tokens(line));
            continue;
        };
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        match (stopped, name.to_ascii_lowercase().as_str()) {
            (Some(token), _) if token == head => stopped = None,
            (Some(_), _) => {}
            (None, "stop-commands") => {
                assert!(message.len() >= 32, "a token that could be guessed: {message}");
                stopped = Some(message);
            }
            (None, level @ ("error" | "warning" | "notice")) => {
                let properties = properties.split(',').filter_map(|each| each.split_once('='));
                annotations.push(Annotation {
                    level: level.to_owned(),
                    properties: properties.map(|(name, value)| (name.to_owned(), unescaped(value))).collect(),
                    message: unescaped(message),
                });
            }
            (None, other) => panic!("a command that is no annotation: {other}"),
        }
    }
    assert_eq!(stopped, None, "commands are read again in the end");
    annotations
}

/// Data of a command without its escapes.
fn unescaped(text: &str) -> String {
    [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

impl Done {
    /// Expects that exit code.
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code; the log:\n{}", name_tokens(&self.log));
        self
    }

    /// Expects that value of an output.
    pub(super) fn gives(self, name: &str, value: &str) -> Self {
        assert_eq!(self.outputs[name], value, "output {name}; the log:\n{}", name_tokens(&self.log));
        self
    }

    /// Expects each of the words in the log.
    pub(super) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.log.contains(word), "the log doesn't say `{word}`:\n{}", name_tokens(&self.log));
        }
        self
    }

    /// Annotations that show a finding at its line.
    pub(super) fn findings(&self) -> Vec<&Annotation> {
        self.annotations.iter().filter(|one| one.level != "notice" && one.properties.contains_key("file")).collect()
    }

    /// The SARIF report, held to its schema.
    pub(super) fn sarif(&self) -> Value {
        let text = fs::read_to_string(&self.outputs["sarif"]).expect("the report is there");
        crate::validators::sarif_schema(&text);
        serde_json::from_str(&text).expect("it is JSON")
    }

    /// Whether an action of that name ran.
    pub(super) fn uses(&self, name: &str) -> bool {
        self.used.iter().any(|(uses, _)| uses.starts_with(name))
    }
}

#[test]
fn commands_are_read_as_the_runner_reads_them() {
    let guard = "t".repeat(32);
    let log = format!("::stop-commands::{guard}\n::error::forged\n::{guard}::\n  ::error file=a%2Cb,line=1::it%0Ais\n");
    let annotations = commands(&log);
    assert_eq!(annotations.len(), 1, "{annotations:?}");
    assert_eq!((annotations[0].properties["file"].as_str(), annotations[0].message.as_str()), ("a,b", "it\nis"));
    // Unused elsewhere: evaluating a bare name is refused, as a mistake of ours.
    struct Nothing;
    impl Contexts for Nothing {
        fn get(&self, _: &str) -> Value {
            Value::Null
        }
    }
    assert_eq!(evaluate("a.b", &Nothing), Value::Null);
}

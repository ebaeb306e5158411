//! action.yml, read.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use super::ours;

/// A composite action.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub(super) inputs: BTreeMap<String, Input>,
    pub(super) outputs: BTreeMap<String, Output>,
    pub(super) runs: Runs,
}

/// An input.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    pub(super) description: String,
    pub(super) default: String,
}

/// An output.
#[derive(Debug, Deserialize)]
pub(super) struct Output {
    pub(super) value: String,
}

/// What the action does.
#[derive(Debug, Deserialize)]
pub(super) struct Runs {
    pub(super) using: String,
    pub(super) steps: Vec<Step>,
}

/// A step; keys that the runner doesn't know fail to be read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) id: Option<String>,
    #[serde(rename = "if")]
    pub(super) condition: Option<String>,
    pub(super) shell: Option<String>,
    pub(super) run: Option<String>,
    pub(super) uses: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) with: BTreeMap<String, String>,
}

/// The action of this repository.
pub(super) fn manifest() -> Manifest {
    let text = fs::read_to_string(ours("action.yml")).expect("the action is there");
    serde_saphyr::from_str(&text).expect("the action is one")
}

#[test]
fn inputs_reach_scripts_as_variables_only() {
    let manifest = manifest();
    assert_eq!(manifest.runs.using, "composite");
    let scripts: Vec<_> = manifest.runs.steps.iter().filter_map(|step| step.run.as_deref()).collect();
    assert!(scripts.len() >= 4, "{scripts:?}");
    for script in scripts {
        assert!(!script.contains("${{"), "{script}");
    }
    for (name, input) in &manifest.inputs {
        assert!(!input.description.is_empty(), "{name}");
        let used = |step: &Step| {
            let texts = step.env.values().chain(step.condition.as_ref());
            texts.into_iter().any(|text| text.contains(&format!("inputs.{name} ")))
        };
        assert!(manifest.runs.steps.iter().any(used), "input `{name}` is read by no step");
    }
}

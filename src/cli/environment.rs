//! Environment variables that are settings, read and checked when flags are.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::config;
use super::error::CliError;
use super::terminal::{Env, is_pipeline};
use super::units;
use crate::platform::Platform;
use crate::report::AzureRun;
use crate::rule::Confidence;
use crate::secret::Secret;

/// What the environment says. An empty variable is as good as none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `KEYTRAIL_CONFIG`.
    pub(crate) config: Option<PathBuf>,
    /// `KEYTRAIL_CONFIDENCE`.
    pub(crate) confidence: Option<Confidence>,
    /// `KEYTRAIL_PLATFORM`.
    pub(crate) platform: Option<Platform>,
    /// `KEYTRAIL_INCLUDE_TESTS`.
    pub(crate) include_tests: Option<bool>,
    /// `KEYTRAIL_MAX_FILE_SIZE`, bytes.
    pub(crate) max_file_size: Option<u64>,
    /// `KEYTRAIL_MEMORY`, bytes.
    pub(crate) memory: Option<u64>,
    /// `KEYTRAIL_CACHE`.
    pub(crate) cache: Option<PathBuf>,
    /// `KEYTRAIL_JOBS`.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// `KEYTRAIL_FINGERPRINT_KEY`, as it is.
    pub(crate) fingerprint_key: Option<Secret>,
    /// `KEYTRAIL_ALLOW_SHOW=1`.
    pub(crate) allow_show: bool,
    /// A pipeline runs us.
    pub(crate) pipeline: bool,
    /// GitHub Actions runs us.
    pub(crate) github_actions: bool,
    /// Azure Pipelines runs us.
    pub(crate) azure_pipelines: bool,
    /// What its agent tells of the run.
    pub(crate) azure_run: AzureRun,
}

impl Environment {
    /// Reads the environment.
    ///
    /// # Errors
    /// All its mistakes.
    pub(crate) fn read(env: Env<'_>) -> Result<Self, CliError> {
        let mut mistakes = Vec::new();
        let jobs = |text: &str| {
            let jobs = usize::try_from(config::jobs(text)?).ok().and_then(NonZeroUsize::new);
            jobs.ok_or_else(|| format!("`{text}` is too many"))
        };
        let is = |name: &str, value: &str| env(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
        let read = Self {
            config: env("KEYTRAIL_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from),
            confidence: parse(env, "KEYTRAIL_CONFIDENCE", config::confidence, &mut mistakes),
            platform: parse(env, "KEYTRAIL_PLATFORM", config::platform, &mut mistakes),
            include_tests: parse(env, "KEYTRAIL_INCLUDE_TESTS", units::switch, &mut mistakes),
            max_file_size: parse(env, "KEYTRAIL_MAX_FILE_SIZE", units::bytes, &mut mistakes),
            memory: parse(env, "KEYTRAIL_MEMORY", units::bytes, &mut mistakes),
            cache: env("KEYTRAIL_CACHE").filter(|path| !path.is_empty()).map(PathBuf::from),
            jobs: parse(env, "KEYTRAIL_JOBS", jobs, &mut mistakes),
            fingerprint_key: env("KEYTRAIL_FINGERPRINT_KEY")
                .filter(|key| !key.is_empty())
                .map(|key| Secret::new(key.into_encoded_bytes())),
            allow_show: is("KEYTRAIL_ALLOW_SHOW", "1"),
            pipeline: is_pipeline(env),
            github_actions: is("GITHUB_ACTIONS", "true"),
            azure_pipelines: is("TF_BUILD", "true"),
            azure_run: azure_run(env),
        };
        CliError::all(mistakes).map_or(Ok(read), Err)
    }
}

/// What Azure Pipelines' agent tells of the run; values that are none of theirs count as absent, as they only
/// label a report.
fn azure_run(env: Env<'_>) -> AzureRun {
    let text = |name: &str| env(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    let number = |name: &str| text(name).and_then(|value| value.parse().ok()).filter(|&number: &u64| number > 0);
    let guid = |value: &String| {
        let groups: Vec<_> = value.split('-').map(str::len).collect();
        groups == [8, 4, 4, 4, 12] && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    // `https://dev.azure.com/ORG/`, `https://ORG.visualstudio.com/` or a server's `https://HOST/COLLECTION/`.
    let organisation = text("SYSTEM_COLLECTIONURI").and_then(|uri| {
        let (host, path) = uri.split_once("://")?.1.split_once('/')?;
        let last = path.trim_matches('/').rsplit('/').next().filter(|last| !last.is_empty());
        last.or_else(|| host.strip_suffix(".visualstudio.com")).map(str::to_owned)
    });
    AzureRun {
        organisation,
        project: text("SYSTEM_TEAMPROJECT"),
        definition_id: number("SYSTEM_DEFINITIONID"),
        definition_name: text("BUILD_DEFINITIONNAME"),
        phase_id: text("SYSTEM_PHASEID").filter(guid).or_else(|| text("SYSTEM_JOBID").filter(guid)),
        phase_name: text("SYSTEM_PHASENAME").or_else(|| text("SYSTEM_JOBNAME")),
        branch: text("BUILD_SOURCEBRANCH"),
        build_id: number("BUILD_BUILDID"),
    }
}

/// The variable `name` as `parse` reads it; what it can't read is a mistake.
fn parse<T>(
    env: Env<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
    mistakes: &mut Vec<String>,
) -> Option<T> {
    let value = env(name).filter(|value| !value.is_empty())?;
    match parse(&value.to_string_lossy()) {
        Ok(value) => Some(value),
        Err(wrong) => {
            mistakes.push(format!("environment variable {name}: {wrong}"));
            None
        }
    }
}

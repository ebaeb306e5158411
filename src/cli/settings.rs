//! Settings as they are meant: flags, environment and configuration resolved, no `Option` for what has a default.
//!
//! In: a [`Request`] from [`super::parse`] and a [`Resolver`] that reads the own repository. Out: [`Settings`], the
//! only type of the three layers that leaves this room. Precedence: flag, environment, configuration, default.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobSet;

use super::args::ScanArgs;
use super::config::{AcceptUnread, Config, FILE_NAME, Suppress};
use super::credscan;
use super::environment::Environment;
use super::error::CliError;
use super::output::Target;
use super::paths_ignore;
use super::rules::RuleChoice;
use super::task::{ReportFormat, Trust, annotator_word, sarif_target_word};
use crate::platform::Platform;
use crate::policy::Excludes;
use crate::report::{Annotator, AzureRun, SarifTarget};
use crate::rule::Confidence;
use crate::secret::Secret;

mod decisions;
mod origin;

pub use decisions::{BASELINE, Proposed};
use origin::{Origin, named_rule_file};

/// Largest configuration or rule file that is read, bytes. A thousand times what a large one needs.
const MOST_BYTES: u64 = 16 << 20;

/// Shortest fingerprint key, bytes: 128 bits, so that it can't be guessed from a fingerprint.
const LEAST_KEY: usize = 16;

/// Anonymous memory to keep within unless told otherwise, bytes.
const MEMORY: u64 = 512 << 20;

/// What it all means.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Reports to write, in the order they were asked for; never empty, at most one to each target.
    pub reports: Vec<ReportTo>,
    /// Which consumer SARIF is for.
    pub sarif_target: SarifTarget,
    /// The run of Azure Pipelines that we are in.
    pub azure_run: Option<AzureRun>,
    /// Whose commands annotations are.
    pub annotations: Annotator,
    /// Secrets in clear in text and JSON lines; no other format is among the reports then.
    pub show_secrets: bool,
    /// Whether observations are collected and reported.
    pub observations: bool,
    /// Whether the text report says what checks and filters said.
    pub explain: bool,
    /// Whether progress may be shown, terminal permitting.
    pub progress: bool,
    /// Exit code for findings; 1 unless the user replaced it.
    pub exit_for_findings: u8,
    /// Users' rule files and which rules are active.
    pub rules: RuleChoice,
    /// Findings below this band are counted, not reported.
    pub confidence: Confidence,
    /// Where it runs or is hosted, if the user says so; else what the root shows counts.
    pub platform: Option<Platform>,
    /// Whether inline markers may suppress.
    pub inline_allow: bool,
    /// Key for fingerprints, at least 16 bytes.
    pub fingerprint_key: Option<Secret>,
    /// Structure checks count as held.
    pub assume_structure: bool,
    /// No version of a file is scanned by what changed in it.
    pub full_scan: bool,
    /// Test directories are scanned.
    pub include_tests: bool,
    /// Excludes of flags, configuration and `.github/secret_scanning.yml` together.
    pub excludes: GlobSet,
    /// Largest file the user wants scanned, bytes; larger ones are excluded, not unread.
    pub max_file_size: Option<u64>,
    /// Anonymous memory that the scan of a history aims to keep within, bytes.
    pub memory: u64,
    /// Folder where verdicts on git blobs are kept.
    pub cache: Option<PathBuf>,
    /// Threads.
    pub jobs: NonZeroUsize,
    /// How long the run may take; what is left then is unread.
    pub deadline: Option<Duration>,
    /// `[[suppress]]` of the configuration, expired ones included.
    pub suppress: Vec<Suppress>,
    /// The baseline's text.
    pub baseline: Option<ConfigText>,
    /// Entries of suppression files of CredScan.
    pub credscan: Vec<credscan::Entry>,
    /// What the change under review asks for beyond that, if the scan is of a range.
    pub proposed: Proposed,
    /// `[[accept-unread]]` of the configuration, expired ones included.
    pub accept_unread: Vec<AcceptUnread>,
    /// Where the configuration came from, for reports: `built-in defaults`, a file, a file at a commit.
    pub from: String,
    /// What the user should know about how this came about.
    pub notes: Vec<String>,
    /// Every setting with its origin, for `keytrail config show`.
    pub(super) shown: Vec<Shown>,
}

impl Settings {
    /// The least confidence of a finding that is reported, 1 to 100.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        match self.confidence {
            Confidence::Low => 1,
            Confidence::Medium => 50,
            Confidence::High => 80,
        }
    }
}

/// One report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTo {
    /// In which format.
    pub format: ReportFormat,
    /// Where to.
    pub target: Target,
}

/// One setting for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its name in the configuration, or that of its flag.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: String,
    /// Who set it.
    pub(super) origin: String,
}

/// Which version of the own repository's files counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The index (`GIT_INDEX_FILE` honoured).
    Index,
    /// The work tree.
    WorkTree,
    /// The commit HEAD names.
    Head,
    /// An end of the range that `keytrail diff` looks at: the one that is named or, with `None`, the base unless the
    /// range comes from a push event or a pre-push hook.
    Range(Option<Trust>),
}

/// A file of the own repository that settings are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSource {
    /// Which version.
    pub side: Side,
    /// Path below the repository's top, `/`-separated.
    pub path: String,
}

/// What a [`Resolver`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigText {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// How reports and messages name it: `.keytrail.toml`, or `.keytrail.toml at 3f2a91c`.
    pub name: String,
}

/// Reads a file of the **own repository**: the one around the current directory, and only when that is what is being
/// scanned. For a repository or folder that is merely named as an argument it answers `None`: whoever wrote that one
/// has no say in how it is scanned. `None` too where there is no repository or no such file; an error only for a file
/// that is there and can't be read.
pub type Resolver<'r> = dyn FnMut(&ConfigSource) -> Result<Option<ConfigText>, CliError> + 'r;

/// What was asked for, before the configuration is known.
#[derive(Debug)]
pub struct Request {
    /// Flags.
    pub(super) flags: ScanArgs,
    /// Environment.
    pub(super) environment: Environment,
    /// Reports, checked already.
    pub(super) reports: Vec<ReportTo>,
    /// Where a configuration is looked up, first found first.
    pub(super) sides: Vec<Side>,
}

impl Request {
    /// Looks the configuration up and resolves every setting.
    ///
    /// # Errors
    /// All mistakes of the configuration, or what can't be read; nothing was scanned.
    pub fn resolve(self, resolver: &mut Resolver<'_>) -> Result<Settings, CliError> {
        let found = self.find_config(resolver)?;
        let mut resolution = Resolution { from: found.name.clone(), shown: Vec::new(), notes: Vec::new() };
        let rules = self.rules(&found, resolver)?;
        let ignored = self.paths_ignore(resolver, &mut resolution)?;
        let excludes = self.excludes(&found.config, &ignored, &mut resolution)?;
        let (baseline, credscan) =
            (self.baseline(resolver, &mut resolution)?, self.credscan(resolver, &mut resolution)?);
        let proposed = self.proposed(resolver, &found.config);
        let Self { flags, environment, reports, .. } = self;
        let config = found.config;
        let default_target = if environment.github_actions { SarifTarget::GitHub } else { SarifTarget::Generic };
        let reader = if environment.azure_pipelines { Annotator::Azure } else { Annotator::GitHub };
        let (word, size) = (
            |level: &Confidence| level.word().to_owned(),
            |size: &Option<u64>| match size {
                Some(bytes) => format!("{bytes} bytes"),
                None => "no limit".to_owned(),
            },
        );
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let key = read_key(&flags, environment.fingerprint_key)?;
        let r = &mut resolution;
        Ok(Settings {
            confidence: r.pick(
                "confidence",
                [flags.confidence, environment.confidence, config.confidence],
                Confidence::Medium,
                word,
            ),
            include_tests: r.pick(
                "include-tests",
                [flags.include_tests(), environment.include_tests, config.include_tests],
                false,
                bool::to_string,
            ),
            max_file_size: r.pick(
                "max-file-size",
                [flags.max_file_size, environment.max_file_size, config.max_file_size].map(|size| size.map(Some)),
                None,
                size,
            ),
            memory: r
                .pick("memory", [flags.memory, environment.memory, config.memory], MEMORY, |bytes| size(&Some(*bytes))),
            // A repository that could say where would bring its own verdicts: no configuration is asked.
            cache: r.pick("cache", [flags.cache, environment.cache, None].map(|path| path.map(Some)), None, |path| {
                path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
            }),
            jobs: r.pick("jobs", [flags.jobs, environment.jobs, config.jobs], threads, ToString::to_string),
            platform: r.pick(
                "platform",
                [flags.platform, environment.platform, config.platform].map(|platform| platform.map(Some)),
                None,
                |platform| platform.map_or("recognised", Platform::word).to_owned(),
            ),
            sarif_target: r.pick("sarif-target", [flags.sarif_target, None, None], default_target, |&target| {
                sarif_target_word(target).to_owned()
            }),
            annotations: r.pick("annotations", [flags.annotations, None, None], reader, |&reader| {
                annotator_word(reader).to_owned()
            }),
            azure_run: environment.azure_pipelines.then_some(environment.azure_run),
            deadline: r.pick("deadline", [flags.deadline.map(Some), None, None], None, |deadline| {
                deadline.map_or_else(|| "none".to_owned(), |span| format!("{} s", span.as_secs()))
            }),
            exit_for_findings: r.pick("exit-code", [flags.exit_code, None, None], 1, ToString::to_string),
            inline_allow: r.pick(
                "inline-allow",
                [flag(flags.no_inline_allow, false), None, None],
                true,
                bool::to_string,
            ),
            observations: r.pick(
                "observations",
                [flag(flags.no_observations, false), None, None],
                true,
                bool::to_string,
            ),
            explain: r.pick("explain", [flag(flags.explain, true), None, None], false, bool::to_string),
            progress: r.pick("progress", [flag(flags.no_progress, false), None, None], true, bool::to_string),
            show_secrets: r.pick("show-secrets", [flag(flags.show_secrets, true), None, None], false, bool::to_string),
            fingerprint_key: r.key(key),
            assume_structure: flags.assume_structure,
            full_scan: flags.full_scan,
            suppress: config.suppress,
            baseline,
            credscan,
            proposed,
            accept_unread: config.accept_unread,
            reports,
            rules,
            excludes,
            from: resolution.from,
            notes: resolution.notes,
            shown: resolution.shown,
        })
    }

    /// The configuration that counts.
    fn find_config(&self, resolver: &mut Resolver<'_>) -> Result<Found, CliError> {
        if let Some(path) = self.flags.config.as_ref().or(self.environment.config.as_ref()) {
            let name = path.display().to_string();
            let folder = Origin::Folder(path.parent().unwrap_or(Path::new("")).to_owned());
            return Ok(Found { config: Config::parse(&read_file(path)?, &name)?, name, folder });
        }
        for &side in &self.sides {
            if let Some(text) = resolver(&ConfigSource { side, path: FILE_NAME.to_owned() })? {
                let config = Config::parse(&text.bytes, &text.name)?;
                return Ok(Found { config, name: text.name, folder: Origin::Own(side) });
            }
        }
        Ok(Found { config: Config::default(), name: BUILT_IN.to_owned(), folder: Origin::Nowhere })
    }

    /// The users' rule files with their texts, and which rules are to be active.
    fn rules(&self, found: &Found, resolver: &mut Resolver<'_>) -> Result<RuleChoice, CliError> {
        let mut files = Vec::new();
        for path in &found.config.rule_files {
            let file = found.folder.rule_file(path, &found.name, resolver)?;
            files.push(file.extended(&mut |base| found.folder.base(base, &found.name, resolver))?);
        }
        for path in &self.flags.rules {
            files.push(named_rule_file(path)?.extended(&mut |base| named_rule_file(Path::new(base)))?);
        }
        let config = &found.config;
        Ok(RuleChoice {
            files,
            disable: config.disable.clone(),
            enable_only: config.enable_only.clone(),
            suppressed: config.suppress.iter().filter_map(|entry| entry.rule.clone()).collect(),
        })
    }

    /// The globs of the host's own file, from the side that counts.
    fn paths_ignore(&self, resolver: &mut Resolver<'_>, r: &mut Resolution) -> Result<Vec<String>, CliError> {
        for &side in &self.sides {
            let source = ConfigSource { side, path: paths_ignore::FILE_NAME.to_owned() };
            let Some(text) = resolver(&source)? else { continue };
            let found = paths_ignore::read(&String::from_utf8_lossy(&text.bytes));
            r.notes.extend(found.notes.iter().map(|(line, why)| format!("{}:{line}: paths-ignore: {why}", text.name)));
            r.show("paths-ignore", found.globs.join(" "), text.name);
            return Ok(found.globs);
        }
        Ok(Vec::new())
    }

    /// All excludes as one set. A glob of the host that can't be read is a note: its file isn't ours.
    fn excludes(&self, config: &Config, ignored: &[String], r: &mut Resolution) -> Result<GlobSet, CliError> {
        let mut excludes = Excludes::default();
        let origins = [(&config.exclude, r.from.clone()), (&self.flags.exclude, "flag".to_owned())];
        for (globs, origin) in origins {
            for glob in globs {
                excludes.add(glob).map_err(|error| CliError::new(format!("{origin}: {error}")))?;
            }
            if !globs.is_empty() {
                r.show("exclude", globs.join(" "), origin);
            }
        }
        for glob in ignored {
            if let Err(error) = excludes.add_paths_ignore(glob) {
                r.notes.push(format!("{}: paths-ignore: {error}", paths_ignore::FILE_NAME));
            }
        }
        excludes.build().map_err(|error| CliError::new(error.to_string()))
    }
}

/// Where settings come from when nothing is found.
const BUILT_IN: &str = "built-in defaults";

/// A configuration and where it stands.
struct Found {
    /// What it says.
    config: Config,
    /// How the user knows it.
    name: String,
    /// What its rule files are relative to.
    folder: Origin,
}

/// Collects what is resolved, and from where.
struct Resolution {
    /// The configuration's name.
    from: String,
    /// What has been resolved.
    shown: Vec<Shown>,
    /// What the user should know.
    notes: Vec<String>,
}

impl Resolution {
    /// The first of `layers` (flag, environment, configuration) that is set, else `default`.
    fn pick<T>(
        &mut self,
        name: &'static str,
        layers: [Option<T>; 3],
        default: T,
        show: impl FnOnce(&T) -> String,
    ) -> T {
        let origins = ["flag", "environment", self.from.as_str()];
        let set = layers.into_iter().zip(origins).find_map(|(layer, origin)| layer.map(|value| (value, origin)));
        let (value, origin) = set.unwrap_or((default, "default"));
        let origin = origin.to_owned();
        self.show(name, show(&value), origin);
        value
    }

    /// Notes the fingerprint key's origin, never the key.
    fn key(&mut self, key: Option<(Secret, &'static str)>) -> Option<Secret> {
        match key {
            None => {
                self.show("fingerprint-key", "none".to_owned(), "default".to_owned());
                None
            }
            Some((key, origin)) => {
                self.show("fingerprint-key", format!("{} bytes", key.len()), origin.to_owned());
                Some(key)
            }
        }
    }

    /// Notes a setting.
    fn show(&mut self, name: &'static str, value: String, origin: String) {
        self.shown.push(Shown { name, value, origin });
    }
}

/// A flag that was typed means `value`.
fn flag(typed: bool, value: bool) -> Option<bool> {
    typed.then_some(value)
}

/// The fingerprint key and who gave it.
fn read_key(flags: &ScanArgs, variable: Option<Secret>) -> Result<Option<(Secret, &'static str)>, CliError> {
    let (key, origin, spelled) = match (&flags.fingerprint_key_file, variable) {
        (Some(path), _) => {
            let bytes = read_file(path)?;
            let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let key = key.strip_suffix(b"\r").unwrap_or(key);
            (Secret::new(key), "flag", path.display().to_string())
        }
        (None, Some(key)) => (key, "environment", "environment variable KEYTRAIL_FINGERPRINT_KEY".to_owned()),
        (None, None) => return Ok(None),
    };
    if key.len() < LEAST_KEY {
        let length = key.len();
        return Err(CliError::new(format!(
            "{spelled}: a fingerprint key of {length} bytes could be guessed: take at least {LEAST_KEY} random ones"
        )));
    }
    Ok(Some((key, origin)))
}

/// Reads a file that the user named.
///
/// # Errors
/// It can't be read, or is too large.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read as _;
    let failed = |error: &dyn std::fmt::Display| CliError::new(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(&super::error::plain(&error)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(&super::error::plain(&error)))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES) {
        Ok(bytes)
    } else {
        Err(failed(&format!("larger than {MOST_BYTES} bytes")))
    }
}

#[cfg(test)]
mod tests;

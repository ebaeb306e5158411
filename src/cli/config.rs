//! `.keytrail.toml` as it is filed: unknown keys are errors, all mistakes are reported at once, each at its line.
//!
//! In: a text and the name the user knows it by. Out: a `Config`, every field optional; what is missing means is
//! decided in [`super::settings`].

use std::num::NonZeroUsize;

use globset::GlobSet;
use jiff::civil::Date;

use super::error::CliError;
use super::units;
use crate::platform::Platform;
use crate::policy::Excludes;
use crate::rule::Confidence;
use reader::{Mistakes, Section};

mod reader;

/// The file's name in a repository.
pub const FILE_NAME: &str = ".keytrail.toml";

/// The version of the format that this program reads.
const VERSION: u64 = 1;

/// A configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// `[scan] include-tests`.
    pub(crate) include_tests: Option<bool>,
    /// `[scan] exclude`: globs that have been read once.
    pub(crate) exclude: Vec<String>,
    /// `[scan] max-file-size`, bytes.
    pub(crate) max_file_size: Option<u64>,
    /// `[scan] confidence`.
    pub(crate) confidence: Option<Confidence>,
    /// `[scan] memory`, bytes.
    pub(crate) memory: Option<u64>,
    /// `[scan] jobs`.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// `[scan] platform`.
    pub(crate) platform: Option<Platform>,
    /// `[rules] disable`.
    pub(crate) disable: Vec<RuleName>,
    /// `[rules] enable-only`.
    pub(crate) enable_only: Option<Vec<RuleName>>,
    /// `[rules] files`: paths, `/`-separated, relative to the configuration.
    pub(crate) rule_files: Vec<String>,
    /// `[[suppress]]`.
    pub(crate) suppress: Vec<Suppress>,
    /// `[[accept-unread]]`.
    pub(crate) accept_unread: Vec<AcceptUnread>,
}

/// A rule id that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName {
    /// The id.
    pub id: String,
    /// Where it stands: `.keytrail.toml:12`.
    pub at: String,
}

/// A `[[suppress]]` entry: findings that all of its criteria hold for are not reported. It has at least one.
#[derive(Clone, Debug)]
pub struct Suppress {
    /// The finding's fingerprint.
    pub fingerprint: Option<String>,
    /// The finding's rule.
    pub rule: Option<RuleName>,
    /// Where all its places are.
    pub path: Option<PathGlob>,
    /// Why; never empty.
    pub reason: String,
    /// Last day it holds.
    pub until: Option<Date>,
    /// Whom to ask.
    pub owner: Option<String>,
    /// Where it stands: `.keytrail.toml:12`.
    pub at: String,
}

/// An `[[accept-unread]]` entry: what could not be read and is known. It has a path or an object.
#[derive(Clone, Debug)]
pub struct AcceptUnread {
    /// Where it is.
    pub path: Option<PathGlob>,
    /// Its object id, lower-case hex.
    pub object: Option<String>,
    /// Why; never empty.
    pub reason: String,
    /// Last day it holds.
    pub until: Option<Date>,
    /// Where it stands: `.keytrail.toml:12`.
    pub at: String,
}

/// A path glob of an entry, read as [`Excludes::add`] reads it.
#[derive(Clone, Debug)]
pub struct PathGlob {
    /// As it is written.
    pub glob: String,
    /// Compiled.
    set: GlobSet,
}

impl PathGlob {
    /// Reads a glob.
    ///
    /// # Errors
    /// What is wrong, in one clause.
    pub(crate) fn new(glob: &str) -> Result<Self, String> {
        let mut excludes = Excludes::default();
        excludes
            .add(glob)
            .and_then(|()| excludes.build())
            .map_or_else(|error| Err(error.to_string()), |set| Ok(Self { glob: glob.to_owned(), set }))
    }

    /// The glob, compiled.
    #[must_use]
    pub fn set(&self) -> &GlobSet {
        &self.set
    }

    /// Whether it names `path` (raw bytes below the scan root) or a folder above it.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        self.set.is_match_candidate(&globset::Candidate::from_bytes(path))
    }
}

impl Suppress {
    /// Whether it still holds on `today`.
    #[must_use]
    pub fn holds(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today <= until)
    }
}

impl AcceptUnread {
    /// Whether it still holds on `today`.
    #[must_use]
    pub fn holds(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today <= until)
    }
}

impl Config {
    /// Reads a configuration that the user knows as `name`.
    ///
    /// # Errors
    /// All its mistakes, each with its line.
    pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Self, CliError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
                return Err(CliError::new(format!("{name}:{line}: the text is not UTF-8")));
            }
        };
        let mistakes = Mistakes::new(name, text);
        let (document, errors) = toml::de::DeTable::parse_recoverable(text);
        for error in errors {
            let first = error.message().lines().next().unwrap_or("not TOML");
            mistakes.add(error.span().map_or(0, |span| span.start), first);
        }
        let config = read(&Section::new(&mistakes, "", &document), name);
        match mistakes.into_error() {
            Some(error) => Err(error),
            None => Ok(config),
        }
    }
}

/// Reads the whole document; mistakes go where the section sends them.
fn read(top: &Section<'_, '_>, name: &str) -> Config {
    match top.number("version") {
        Some(VERSION) => {}
        Some(other) => top.mistake(format!("`version`: {other} is not known: this keytrail reads version {VERSION}")),
        None if !top.has("version") => top.mistake(format!("`version` is missing: begin with `version = {VERSION}`")),
        None => {}
    }
    let mut config = Config::default();
    read_scan(top.section("scan", "[scan]"), &mut config);
    read_rules(top.section("rules", "[rules]"), &mut config, name);
    config.suppress =
        top.sections("suppress", "[[suppress]]").into_iter().map(|entry| read_suppress(entry, name)).collect();
    config.accept_unread =
        top.sections("accept-unread", "[[accept-unread]]").into_iter().map(|entry| read_accept(entry, name)).collect();
    top.finish();
    config
}

/// Reads `[scan]`.
fn read_scan(scan: Section<'_, '_>, config: &mut Config) {
    config.include_tests = scan.switch("include-tests");
    let glob = |text: &str| PathGlob::new(text).map(|glob| glob.glob);
    config.exclude = scan.texts("exclude", glob).unwrap_or_default().into_iter().map(|(glob, _)| glob).collect();
    config.max_file_size = scan.text_or_number("max-file-size", units::bytes);
    config.memory = scan.text_or_number("memory", units::bytes);
    config.confidence = scan.text("confidence", confidence);
    config.jobs = scan.text_or_number("jobs", jobs).and_then(|jobs| NonZeroUsize::new(usize::try_from(jobs).ok()?));
    config.platform = scan.text("platform", platform);
    scan.refuse("cache", "what is scanned has no say in what is known of it: use --cache or KEYTRAIL_CACHE");
    scan.finish();
}

/// Reads `[rules]`.
fn read_rules(rules: Section<'_, '_>, config: &mut Config, name: &str) {
    let named = |names: Vec<(String, usize)>| -> Vec<RuleName> {
        names.into_iter().map(|(id, line)| RuleName { id, at: format!("{name}:{line}") }).collect()
    };
    config.disable = rules.texts("disable", rule_id).map(named).unwrap_or_default();
    config.enable_only = rules.texts("enable-only", rule_id).map(named);
    let files = rules.texts("files", rule_file).unwrap_or_default();
    config.rule_files = files.into_iter().map(|(file, _)| file).collect();
    rules.finish();
}

/// Reads one `[[suppress]]`.
fn read_suppress(entry: Section<'_, '_>, name: &str) -> Suppress {
    let at = format!("{name}:{}", entry.line());
    let suppress = Suppress {
        fingerprint: entry.text("fingerprint", fingerprint),
        rule: entry.text("rule", rule_id).map(|id| RuleName { id, at: at.clone() }),
        path: entry.text("path", PathGlob::new),
        reason: reason(&entry, "[[suppress]]"),
        until: entry.day("until", day),
        owner: entry.text("owner", filled),
        at,
    };
    if !["fingerprint", "rule", "path"].iter().any(|key| entry.has(key)) {
        entry.mistake("[[suppress]] names nothing: give a `fingerprint`, a `rule` or a `path`");
    }
    entry.finish();
    suppress
}

/// Reads one `[[accept-unread]]`.
fn read_accept(entry: Section<'_, '_>, name: &str) -> AcceptUnread {
    let accept = AcceptUnread {
        path: entry.text("path", PathGlob::new),
        object: entry.text("object", object),
        reason: reason(&entry, "[[accept-unread]]"),
        until: entry.day("until", day),
        at: format!("{name}:{}", entry.line()),
    };
    if !["path", "object"].iter().any(|key| entry.has(key)) {
        entry.mistake("[[accept-unread]] names nothing: give a `path` or an `object`");
    }
    entry.finish();
    accept
}

/// The reason every entry needs.
fn reason(entry: &Section<'_, '_>, name: &str) -> String {
    let reason = entry.text("reason", filled);
    if reason.is_none() && !entry.has("reason") {
        entry.mistake(format!("{name} without `reason`: say why"));
    }
    reason.unwrap_or_default()
}

/// A text that says something.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn filled(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// A level of confidence.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn confidence(text: &str) -> Result<Confidence, String> {
    let all = [Confidence::Low, Confidence::Medium, Confidence::High];
    let found = all.into_iter().find(|level| level.word() == text);
    found.ok_or_else(|| format!("`{text}` is no level of confidence: there are low, medium and high"))
}

/// A platform.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn platform(text: &str) -> Result<Platform, String> {
    let found = Platform::ALL.into_iter().find(|platform| platform.word() == text);
    let words = Platform::ALL.map(Platform::word).join(", ");
    found.ok_or_else(|| format!("`{text}` is no platform: there are {words}"))
}

/// A number of threads.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn jobs(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is no number of threads")),
        Ok(jobs) => Ok(jobs),
    }
}

/// A rule id: ours are kebab-case, those of rule files in gitleaks' format anything without spaces.
fn rule_id(text: &str) -> Result<String, String> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if well_formed { Ok(text.to_owned()) } else { Err(format!("`{text}` is no rule id: see `keytrail rules list`")) }
}

/// A rule file: relative, inside the repository, since it is read from the same side as the configuration.
pub(super) fn rule_file(text: &str) -> Result<String, String> {
    let outside = text.is_empty()
        || text.starts_with(['/', '\\'])
        || text.contains([':', '\\'])
        || text.split('/').any(|component| matches!(component, ".." | "." | ""));
    if outside {
        Err(format!("`{text}` is not a `/`-separated path below the folder of this file"))
    } else {
        Ok(text.to_owned())
    }
}

/// A fingerprint: `v1:`, `v1k:` or `v1p:` and hex.
fn fingerprint(text: &str) -> Result<String, String> {
    let rest = ["v1:", "v1k:", "v1p:"].iter().find_map(|version| text.strip_prefix(version));
    let hex = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    if rest.is_some_and(hex) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no fingerprint: they begin with `v1:`, `v1k:` or `v1p:`"))
    }
}

/// An object id: 40 or 64 hex digits.
fn object(text: &str) -> Result<String, String> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && matches!(text.len(), 40 | 64) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("`{text}` is no object id: write all 40 or 64 hex digits"))
    }
}

/// A day, `YYYY-MM-DD`.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let shaped = text.len() == 10 && text.bytes().filter(|&byte| byte == b'-').count() == 2;
    let date = shaped.then(|| text.parse().ok()).flatten();
    date.ok_or_else(|| format!("`{text}` is no day like 2027-01-31"))
}

#[cfg(test)]
mod tests;

//! `keytrail init`: a commented configuration and git hooks in the own repository, and what comes next.
//!
//! The only command that writes into a repository besides `baseline`. Everything is looked at before anything is
//! written; what is there already is kept, moved or, if asked, replaced, and each is said.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::print;
use crate::cli::config::FILE_NAME;
use crate::cli::error::{plain, printable};
use crate::cli::pages::ManPage;
use crate::cli::{CliError, Hook, InitTask};
use crate::source::SourceErrorKind;
use crate::source::git::hooks::hooks_folder;
use crate::source::git::repo::{Opening, Repository};

mod hook;

/// The configuration that is written.
const CONFIGURATION: &str = include_str!("init/keytrail.toml");

/// Mode of what is written to be read by everybody, under the user's umask.
const PLAIN: u32 = 0o666;

/// Mode of what git runs, under the user's umask.
const RUNNABLE: u32 = 0o777;

/// Sets keytrail up, or takes its hooks out.
///
/// # Errors
/// There is no repository with a work tree, or what is there doesn't let us; each message says what to do.
pub(super) fn run(task: InitTask) -> Result<ExitCode, CliError> {
    match task {
        InitTask::Snippet => print(&snippet()),
        InitTask::Uninstall => {
            let place = Place::here()?;
            let folder = place.hooks()?;
            let mut told = String::new();
            for hook in Hook::ALL {
                told += &line(&hook::uninstall(&folder, hook, &place)?);
            }
            print(&told)
        }
        InitTask::Install { hooks, force } => {
            let place = Place::here()?;
            let planned = plan(&place, &hooks)?;
            let mut told = line(&configuration(&place, force)?);
            for hook in &planned {
                told += &line(&hook.install(&place)?);
            }
            told += &next(&hooks);
            print(&told)
        }
    }
}

/// Writes every man page into `folder`, which is made if it isn't there.
///
/// # Errors
/// What keeps a file from being written; those before it stay.
pub(super) fn man(folder: &Path, pages: &[ManPage]) -> Result<ExitCode, CliError> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for page in pages {
        let path = folder.join(&page.file);
        write_whole(&path, &page.roff, PLAIN).map_err(|error| failed(&path, &error))?;
    }
    print(&line(&format!("wrote {} pages to {}", pages.len(), printable(&folder.to_string_lossy()))))
}

/// What is to become of each hook, nothing written yet. A hook named twice is one.
fn plan(place: &Place, hooks: &[Hook]) -> Result<Vec<hook::Plan>, CliError> {
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let folder = place.hooks()?;
    let mut sorted = hooks.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let (mut planned, mut wrong) = (Vec::new(), Vec::new());
    for hook in sorted {
        match hook::Plan::new(&folder, hook, place) {
            Ok(plan) => planned.push(plan),
            Err(error) => wrong.extend(error.lines()),
        }
    }
    CliError::all(wrong).map_or(Ok(planned), Err)
}

/// The repository that is set up.
#[derive(Debug)]
struct Place {
    repository: Repository,
    top: PathBuf,
}

impl Place {
    /// The repository around the current directory.
    fn here() -> Result<Self, CliError> {
        let repository = Repository::open(Path::new("."), Opening::Own).map_err(|error| match error.kind {
            SourceErrorKind::NotARepository => {
                CliError::new("there is no git repository here: go to one, or make one with `git init`")
            }
            _ => CliError::new(error.to_string()),
        })?;
        let Some(top) = repository.work_dir().map(Path::to_path_buf) else {
            return Err(CliError::new(
                "this repository is bare, it has no work tree to set up: run `keytrail init` in a clone of it",
            ));
        };
        Ok(Self { repository, top })
    }

    /// The folder of its hooks. One that lies outside of the repository is shared with others, and not ours to change.
    fn hooks(&self) -> Result<PathBuf, CliError> {
        let found = hooks_folder(&self.repository, &|name| std::env::var_os(name)).map_err(CliError::new)?;
        let inside = [self.top.as_path(), self.repository.common_dir()];
        let inside: Vec<PathBuf> = inside.into_iter().filter_map(|path| path.canonicalize().ok()).collect();
        let there = found.path.ancestors().find_map(|path| path.canonicalize().ok()).unwrap_or_default();
        let shown = printable(&found.path.to_string_lossy());
        let why = if found.is_configured { "core.hooksPath" } else { "the hooks folder" };
        if found.path.ends_with(".husky/_") {
            return Err(CliError::new(format!(
                "{why} is {shown}, which husky writes anew: add the line `keytrail staged` to .husky/pre-commit instead"
            )));
        }
        if !inside.iter().any(|inside| there.starts_with(inside)) {
            return Err(CliError::new(format!(
                "{why} leads to {shown}, outside of this repository, where other repositories may share it: add `keytrail \
                 staged` to the hooks there, or give this one its own with `git config --local core.hooksPath .githooks`"
            )));
        }
        Ok(found.path)
    }

    /// `path` as it is told: from the top of the work tree where it lies below.
    fn shown(&self, path: &Path) -> String {
        printable(&path.strip_prefix(&self.top).unwrap_or(path).to_string_lossy().replace('\\', "/"))
    }
}

/// Writes the configuration unless there is one, and tells.
fn configuration(place: &Place, force: bool) -> Result<String, CliError> {
    let path = place.top.join(FILE_NAME);
    let is_there = fs::symlink_metadata(&path).is_ok();
    if is_there && !force {
        return Ok(format!("kept {FILE_NAME}, which is there already (--force replaces it)"));
    }
    write_whole(&path, CONFIGURATION.as_bytes(), PLAIN).map_err(|error| failed(&path, &error))?;
    let verb = if is_there { "replaced" } else { "wrote" };
    Ok(format!("{verb} {FILE_NAME}: every setting with its default, to be committed"))
}

/// What to do next.
fn next(hooks: &[Hook]) -> String {
    let mut steps = vec![
        ("keytrail history", "scan everything that is there"),
        ("keytrail baseline create --reason WHY", "accept what is known, so that only new secrets count"),
    ];
    if hooks.is_empty() {
        steps.push(("keytrail init --hook", "refuse commits that introduce a secret"));
        steps.push(("keytrail init --pre-commit", "the same with the pre-commit framework"));
    }
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut text = "\nnext:\n".to_owned();
    for (command, what) in steps {
        writeln!(text, "  {command:width$}  {what}").expect("writing to a string doesn't fail");
    }
    text
}

/// What `.pre-commit-config.yaml` needs.
fn snippet() -> String {
    format!(
        "\
# For .pre-commit-config.yaml; then run `pre-commit install`. The hooks build keytrail from source; keytrail-system,
# keytrail-message-system and keytrail-push-system take the one on PATH.
default_install_hook_types: [pre-commit, pre-merge-commit, commit-msg, pre-push]
repos:
  - repo: {}
    rev: v{}
    hooks:
      - id: keytrail
      - id: keytrail-message
      - id: keytrail-push
",
        env!("CARGO_PKG_REPOSITORY"),
        env!("CARGO_PKG_VERSION")
    )
}

/// Writes a file whole or not at all: a temporary one takes its name. A link of that name is replaced, not followed.
#[cfg_attr(not(unix), expect(unused_variables, reason = "modes are Unix's"))]
fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if path.is_dir() && !path.is_symlink() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = builder.prefix(".keytrail-").suffix(".part").tempfile_in(folder).map_err(|error| error.kind())?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// An error about `path`.
fn failed(path: &Path, error: &io::Error) -> CliError {
    CliError::new(format!("{}: {}", printable(&path.to_string_lossy()), plain(error)))
}

/// `text` as a line.
fn line(text: &str) -> String {
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::Config;

    /// The configuration with its comments of the form `# key = value` and `# [[table]]` made settings.
    fn active() -> String {
        let is_setting =
            |line: &str| line.starts_with("[[") || line.split_once(" = ").is_some_and(|(key, _)| is_key(key));
        let lines =
            CONFIGURATION.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Whether `text` is the key of a setting.
    fn is_key(text: &str) -> bool {
        text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())
    }

    #[test]
    fn the_configuration_changes_nothing_as_it_is_written() {
        let config = Config::parse(CONFIGURATION.as_bytes(), FILE_NAME).expect("it is valid");
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn the_configuration_shows_every_key_and_each_can_be_read() {
        let text = active().replace("v1:…", &format!("v1:{}", "a".repeat(32)));
        let config = Config::parse(text.as_bytes(), FILE_NAME);
        let config = config.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!((config.suppress.len(), config.accept_unread.len()), (1, 1));
        assert!(config.jobs.is_some() && config.platform.is_some() && config.enable_only.is_some());
        // The program lists the keys it knows when it meets another one.
        let strange = text.replace("# keytrail's", "strange = 1\n#").replace(" = ", "-x = ");
        let told = Config::parse(strange.as_bytes(), FILE_NAME).expect_err("the keys are unknown").to_string();
        let mut known = 0;
        for list in told.split("there are ").skip(1) {
            for key in list.lines().next().unwrap_or_default().split(';').next().unwrap_or_default().split(", ") {
                let key = key.trim();
                if is_key(key) && !key.is_empty() {
                    assert!(
                        text.contains(&format!("\n{key} = ")) || text.contains(&format!("[{key}]")),
                        "{key}: {told}"
                    );
                    known += 1;
                }
            }
        }
        assert!(known > 15, "{known}: {told}");
    }

    #[test]
    fn the_snippet_names_hooks_that_are_offered() {
        let offered = include_str!("../../.pre-commit-hooks.yaml");
        let text = snippet();
        let ids: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- id: ")).collect();
        assert_eq!(ids.len(), 3);
        for id in ids {
            assert!(offered.contains(&format!("- id: {id}\n")), "{id}");
            assert!(offered.contains(&format!("- id: {id}-system\n")), "{id}");
        }
    }
}

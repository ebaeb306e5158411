//! Files of the own repository that decide what is not reported, besides the configuration: the baseline, other tools'
//! suppressions, and what a change under review would have of all that.

use globset::GlobSet;

use super::{ConfigSource, ConfigText, FILE_NAME, Request, Resolution, Resolver, read_file};
use crate::cli::config::{Config, Suppress};
use crate::cli::error::CliError;
use crate::cli::task::Trust;
use crate::cli::{Side, credscan, paths_ignore};
use crate::policy::Excludes;

/// The baseline's name in a repository.
pub const BASELINE: &str = ".keytrail-baseline.jsonl";

/// What a change under review asks for. It decides nothing and is shown.
#[derive(Clone, Debug, Default)]
pub struct Proposed {
    /// `[[suppress]]` entries that the base doesn't have.
    pub suppress: Vec<Suppress>,
    /// Excludes, each set with the file it is from.
    pub excludes: Vec<(GlobSet, String)>,
    /// The baseline's text.
    pub baseline: Option<ConfigText>,
    /// Entries of suppression files of CredScan.
    pub credscan: Vec<credscan::Entry>,
}

impl Request {
    /// The baseline that counts.
    pub(super) fn baseline(
        &self,
        resolver: &mut Resolver<'_>,
        r: &mut Resolution,
    ) -> Result<Option<ConfigText>, CliError> {
        if let Some(path) = &self.flags.baseline {
            let name = path.display().to_string();
            r.show("baseline", name.clone(), "flag".to_owned());
            return Ok(Some(ConfigText { bytes: read_file(path)?, name }));
        }
        for &side in &self.sides {
            if let Some(text) = resolver(&ConfigSource { side, path: BASELINE.to_owned() })? {
                r.show("baseline", text.name.clone(), "found".to_owned());
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// What suppression files of CredScan say, from the side that counts.
    pub(super) fn credscan(
        &self,
        resolver: &mut Resolver<'_>,
        r: &mut Resolution,
    ) -> Result<Vec<credscan::Entry>, CliError> {
        let mut entries = Vec::new();
        for path in credscan::FILE_NAMES {
            for &side in &self.sides {
                let Some(text) = resolver(&ConfigSource { side, path: path.to_owned() })? else { continue };
                let found = credscan::read(&text.bytes, &text.name);
                r.show("credscan", format!("{} entries", found.entries.len()), text.name);
                r.notes.extend(found.notes);
                entries.extend(found.entries);
                break;
            }
        }
        Ok(entries)
    }

    /// What the head of a range asks for. Nothing that is wrong there stops a scan: it has no say.
    pub(super) fn proposed(&self, resolver: &mut Resolver<'_>, base: &Config) -> Proposed {
        let mut proposed = Proposed::default();
        if !self.sides.iter().any(|side| matches!(side, Side::Range(_))) {
            return proposed;
        }
        let side = Side::Range(Some(Trust::Head));
        let mut read = |path: &str| resolver(&ConfigSource { side, path: path.to_owned() }).ok().flatten();
        // With a file named for it, the repository's own has no say, before or after a merge.
        let has_named = self.flags.config.is_some() || self.environment.config.is_some();
        if let Some(text) = read(FILE_NAME).filter(|_| !has_named)
            && let Ok(config) = Config::parse(&text.bytes, &text.name)
        {
            proposed.suppress =
                config.suppress.into_iter().filter(|entry| !base.suppress.iter().any(|old| same(old, entry))).collect();
            let new = config.exclude.iter().filter(|glob| !base.exclude.contains(glob));
            proposed.excludes.extend(set(new, Excludes::add).map(|set| (set, text.name)));
        }
        if let Some(text) = read(paths_ignore::FILE_NAME) {
            let found = paths_ignore::read(&String::from_utf8_lossy(&text.bytes));
            proposed.excludes.extend(set(found.globs.iter(), Excludes::add_paths_ignore).map(|set| (set, text.name)));
        }
        for path in credscan::FILE_NAMES {
            proposed
                .credscan
                .extend(read(path).into_iter().flat_map(|text| credscan::read(&text.bytes, &text.name).entries));
        }
        proposed.baseline = read(BASELINE).filter(|_| self.flags.baseline.is_none());
        proposed
    }
}

/// Whether two entries say the same, wherever they stand.
fn same(a: &Suppress, b: &Suppress) -> bool {
    let parts = |one: &Suppress| {
        let (rule, path) =
            (one.rule.as_ref().map(|rule| rule.id.clone()), one.path.as_ref().map(|path| path.glob.clone()));
        (one.fingerprint.clone(), rule, path, one.until)
    };
    parts(a) == parts(b)
}

/// The globs as one set; `None` for none, and where one can't be read.
fn set<'g, E>(
    globs: impl Iterator<Item = &'g String>,
    add: impl Fn(&mut Excludes, &str) -> Result<(), E>,
) -> Option<GlobSet> {
    let mut globs = globs.peekable();
    globs.peek()?;
    let mut excludes = Excludes::default();
    globs.try_for_each(|glob| add(&mut excludes, glob)).ok()?;
    excludes.build().ok()
}

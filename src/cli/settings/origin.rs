//! Rule files that a configuration names: where they are relative to it, and reading them.

use std::path::{Path, PathBuf};

use super::{ConfigSource, Resolver, Side, read_file};
use crate::cli::CliError;
use crate::cli::rules::RuleFile;

/// What a configuration's rule files are relative to.
pub(super) enum Origin {
    /// A folder of this machine.
    Folder(PathBuf),
    /// The same side of the own repository.
    Own(Side),
    /// There is no configuration.
    Nowhere,
}

impl Origin {
    /// Reads the rule file `path` that the configuration `name` asks for.
    pub(super) fn rule_file(&self, path: &str, name: &str, resolver: &mut Resolver<'_>) -> Result<RuleFile, CliError> {
        match self {
            Self::Folder(folder) => RuleFile::new(path.to_owned(), read_file(&folder.join(path))?),
            Self::Own(side) => match resolver(&ConfigSource { side: *side, path: path.to_owned() })? {
                Some(text) => RuleFile::new(text.name, text.bytes),
                None => Err(CliError::new(format!("{name}: rule file `{path}`: it is not there"))),
            },
            Self::Nowhere => Err(CliError::new(format!("rule file `{path}`: there is no configuration"))),
        }
    }

    /// Reads the file `path` that a rule file of the configuration `name` extends. Files of the own repository extend
    /// files of the same side, by their path from its top; others by their path from the working directory.
    pub(super) fn base(&self, path: &str, name: &str, resolver: &mut Resolver<'_>) -> Result<RuleFile, CliError> {
        match self {
            Self::Own(_) => {
                let path = crate::cli::config::rule_file(path).map_err(CliError::new)?;
                self.rule_file(&path, name, resolver)
            }
            Self::Folder(_) | Self::Nowhere => named_rule_file(Path::new(path)),
        }
    }
}

/// Reads a rule file by its path.
pub(super) fn named_rule_file(path: &Path) -> Result<RuleFile, CliError> {
    RuleFile::new(path.display().to_string(), read_file(path)?)
}

//! Which rules are active: the built-in ones, those of the user's files in either format, as far as the settings leave
//! them on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cli::rules::RuleFile;
use crate::cli::{CliError, Settings};
use crate::engine::built_in_rules;
use crate::gitleaks::{self, Source};
use crate::rule::Rule;
use crate::rule::load::{Loaded, Mistake, Origin, duplicates, load};

/// What is active.
pub(super) struct Active {
    /// Sorted by id.
    pub(super) rules: Vec<Arc<Rule>>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// What the user's files hold.
#[derive(Default)]
pub(super) struct Read {
    /// Rules in our format, with the file each is in.
    pub(super) ours: Vec<(String, Loaded)>,
    /// Files in gitleaks' format.
    pub(super) theirs: Vec<(String, gitleaks::Loaded)>,
    /// What is wrong.
    mistakes: Vec<Mistake>,
}

/// Reads rule files, in either format.
///
/// # Errors
/// All that is wrong with them.
pub(super) fn read(files: &[RuleFile]) -> Result<Read, CliError> {
    let built_in = built_in_rules();
    let mut read = Read::default();
    for file in files {
        if gitleaks::is_gitleaks(&file.text) {
            match gitleaks::load(&chain(file), &built_in) {
                Ok(loaded) => read.theirs.push((file.name.clone(), loaded)),
                Err(more) => read.mistakes.extend(more),
            }
            continue;
        }
        match load(&file.name, &file.text, Origin::User) {
            Ok(rules) if rules.is_empty() => read.wrong(&file.name, "it holds no [[rule]]"),
            Ok(rules) => read.ours.extend(rules.into_iter().map(|rule| (file.name.clone(), rule))),
            Err(more) => read.mistakes.extend(more),
        }
    }
    read.check(&built_in);
    match CliError::all(read.mistakes.iter().map(ToString::to_string).collect()) {
        Some(error) => Err(error),
        None => Ok(read),
    }
}

/// A file and those it extends.
fn chain(file: &RuleFile) -> Vec<Source<'_>> {
    let mut chain = Vec::new();
    let mut next = Some(file);
    while let Some(file) = next {
        chain.push(Source { name: &file.name, text: &file.text });
        next = file.base.as_deref();
    }
    chain
}

impl Read {
    /// Adds a mistake about a file as a whole.
    fn wrong(&mut self, file: &str, reason: impl Into<String>) {
        self.mistakes.push(Mistake { file: file.to_owned(), line: 1, reason: reason.into() });
    }

    /// Ids that stand twice, and files that both bring the built-in rules.
    fn check(&mut self, built_in: &[Arc<Rule>]) {
        self.mistakes.extend(duplicates(self.ours.iter().map(|(file, rule)| (file.as_str(), rule))));
        let mut wrong: Vec<(String, String)> = Vec::new();
        for (file, loaded) in &self.ours {
            let id = &loaded.rule.id;
            if built_in.iter().any(|rule| rule.id == *id) {
                wrong.push((file.clone(), format!("rule `{id}` is built in: choose another id")));
            } else if let Some((other, _)) = self.theirs.iter().find(|(_, theirs)| has(theirs, id)) {
                wrong.push((file.clone(), format!("rule `{id}` is in {other} too")));
            }
        }
        for (at, (file, theirs)) in self.theirs.iter().enumerate() {
            for (other, before) in &self.theirs[..at] {
                if theirs.uses_built_in && before.uses_built_in {
                    wrong.push((file.clone(), format!("{other} extends the built-in rules too: only one file may")));
                    continue;
                }
                let twice = theirs.rules.iter().filter(|rule| has(before, &rule.id));
                wrong.extend(twice.map(|rule| (file.clone(), format!("rule `{}` is in {other} too", rule.id))));
            }
        }
        wrong.into_iter().for_each(|(file, reason)| self.wrong(&file, reason));
    }
}

/// Whether a file holds a rule.
fn has(theirs: &gitleaks::Loaded, id: &str) -> bool {
    theirs.rules.iter().any(|rule| rule.id == id)
}

/// The active rules.
///
/// # Errors
/// All that is wrong with the user's files and choices.
pub(super) fn active(settings: &Settings) -> Result<Active, CliError> {
    let Read { ours, theirs, .. } = read(&settings.rules.files)?;
    let mut notes: Vec<String> = theirs.iter().flat_map(|(_, loaded)| loaded.notes.iter().cloned()).collect();
    let mut rules = match theirs.as_slice() {
        [] => built_in_rules(),
        theirs => {
            if !theirs.iter().any(|(_, loaded)| loaded.uses_built_in) {
                let files: Vec<&str> = theirs.iter().map(|(file, _)| file.as_str()).collect();
                notes.push(format!(
                    "the built-in rules don't apply, since {} doesn't extend them (`[extend]` with `useDefault = true`)",
                    files.join(", ")
                ));
            }
            theirs.iter().flat_map(|(_, loaded)| loaded.rules.iter().cloned()).collect()
        }
    };
    rules.extend(ours.into_iter().map(|(_, loaded)| Arc::new(loaded.rule)));
    let all: Vec<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
    let active: BTreeSet<&str> = settings.rules.active(all.iter().map(String::as_str))?;
    rules.retain(|rule| active.contains(rule.id.as_ref()));
    Ok(Active { rules: sorted(rules), notes })
}

/// Rules by their ids.
fn sorted(mut rules: Vec<Arc<Rule>>) -> Vec<Arc<Rule>> {
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}

//! `keytrail config show`: every setting, where it comes from, and what counts as a test directory.

use std::fmt::{self, Write as _};

use super::error::printable;
use super::settings::Settings;
use crate::policy::directories::{self, Example};

/// Columns of the list of names.
const WIDTH: usize = 96;

/// The settings for people.
#[must_use]
pub fn settings(settings: &Settings) -> String {
    let mut out = String::new();
    write(settings, &mut out).expect("a String takes every write");
    out
}

/// Writes everything.
fn write(settings: &Settings, out: &mut String) -> fmt::Result {
    writeln!(out, "Settings from {}\n", printable(&settings.from))?;
    let shown = &settings.shown;
    let name = shown.iter().map(|one| one.name.len()).max().unwrap_or(0);
    let value = shown.iter().map(|one| one.value.chars().count()).max().unwrap_or(0).min(40);
    for one in shown {
        writeln!(out, "  {:name$}  {:value$}  {}", one.name, printable(&one.value), printable(&one.origin))?;
    }
    write_rules(settings, out)?;
    write_entries(settings, out)?;
    for note in &settings.notes {
        writeln!(out, "\nNote: {}", printable(note))?;
    }
    write_directories(settings.include_tests, out)
}

/// Writes what the configuration says about rules.
fn write_rules(settings: &Settings, out: &mut String) -> fmt::Result {
    let rules = &settings.rules;
    let ids =
        |names: &[super::config::RuleName]| names.iter().map(|name| name.id.as_str()).collect::<Vec<_>>().join(" ");
    if let Some(only) = &rules.enable_only {
        writeln!(out, "\nOnly these rules: {}", ids(only))?;
    }
    if !rules.disable.is_empty() {
        writeln!(out, "\nNot these rules: {}", ids(&rules.disable))?;
    }
    for file in &rules.files {
        writeln!(out, "\nRules of {}", printable(&file.name))?;
    }
    Ok(())
}

/// Writes suppressions and accepted unread items.
fn write_entries(settings: &Settings, out: &mut String) -> fmt::Result {
    let until = |date: Option<jiff::civil::Date>| date.map_or_else(String::new, |date| format!(" (until {date})"));
    for entry in &settings.suppress {
        let criteria = [
            entry.fingerprint.clone(),
            entry.rule.as_ref().map(|rule| format!("rule {}", rule.id)),
            entry.path.as_ref().map(|path| format!("path {}", path.glob)),
        ];
        let criteria = criteria.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let owner = entry.owner.as_ref().map_or_else(String::new, |owner| format!(", ask {owner}"));
        let line = format!("{}: suppresses {criteria}: {}{}{owner}", entry.at, entry.reason, until(entry.until));
        writeln!(out, "\n{}", printable(&line))?;
    }
    for entry in &settings.accept_unread {
        let path = entry.path.as_ref().map(|path| format!("path {}", path.glob));
        let object = entry.object.as_ref().map(|id| format!("object {id}"));
        let criteria = [path, object].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let line = format!("{}: accepts unread {criteria}: {}{}", entry.at, entry.reason, until(entry.until));
        writeln!(out, "\n{}", printable(&line))?;
    }
    Ok(())
}

/// Writes the list of test directories with its examples.
fn write_directories(included: bool, out: &mut String) -> fmt::Result {
    let list = directories::describe();
    let verdict = if included { "they are scanned" } else { "they are not scanned; --include-tests scans them" };
    writeln!(out, "\nTest directories, version {} of the list: {verdict}", list.version)?;
    for (title, names) in [
        ("These names, wherever they stand", &list.always),
        ("These names, where a build manifest or source code stands beside them or in them", &list.code_only),
        ("But nothing directly below these paths from the root", &list.never_below),
        ("And the second kind not under directories of these names", &list.never_under),
        ("These paths, whatever lies around them (a leading slash: on machines, from the root)", &list.paths),
    ] {
        writeln!(out, "\n  {title}:")?;
        write_wrapped(names, out)?;
    }
    for (title, is_test) in [("For example, not scanned", true), ("For example, scanned", false)] {
        writeln!(out, "\n  {title}:")?;
        for example in list.examples.iter().filter(|example| example.is_test == is_test) {
            writeln!(out, "    {}{}", example.path, around(example))?;
        }
    }
    Ok(())
}

/// What an example's tree holds besides, in words.
fn around(example: &Example) -> String {
    let machine = if example.machine_root { " on a machine" } else { "" };
    match example.files.as_slice() {
        [] => machine.to_owned(),
        files => format!("{machine} (with {})", files.join(", ")),
    }
}

/// Writes words in lines of some [`WIDTH`] columns.
fn write_wrapped(words: &[String], out: &mut String) -> fmt::Result {
    let mut column = 0;
    for word in words {
        let length = word.chars().count() + 1;
        if column == 0 || column + length > WIDTH {
            write!(out, "{}    {word}", if column == 0 { "" } else { "\n" })?;
            column = 3 + length;
        } else {
            write!(out, " {word}")?;
            column += length;
        }
    }
    writeln!(out)
}

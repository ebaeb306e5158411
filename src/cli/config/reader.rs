//! Reads TOML tables key by key and collects every mistake with its line, instead of stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::error::CliError;

/// All mistakes of one file, in the order they were met.
#[derive(Debug)]
pub(super) struct Mistakes<'t> {
    /// The file as the user knows it.
    name: &'t str,
    /// Its text, to count lines in.
    text: &'t str,
    /// Line (1-based) and what is wrong there.
    found: RefCell<Vec<(usize, String)>>,
}

impl<'t> Mistakes<'t> {
    /// No mistakes yet in the file `name` with this text.
    pub(super) fn new(name: &'t str, text: &'t str) -> Self {
        Self { name, text, found: RefCell::default() }
    }

    /// The 1-based line of a byte offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
    }

    /// Adds a mistake at a byte offset.
    pub(super) fn add(&self, offset: usize, what: impl Into<String>) {
        self.found.borrow_mut().push((self.line(offset), what.into()));
    }

    /// All of them as one error, by line; `None` when there are none.
    pub(super) fn into_error(self) -> Option<CliError> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        CliError::all(found.into_iter().map(|(line, what)| format!("{}:{line}: {what}", self.name)).collect())
    }
}

/// One table while it is read. Keys that nobody asked for are mistakes, see [`Section::finish`].
#[derive(Debug)]
pub(super) struct Section<'m, 't> {
    /// Where mistakes go.
    mistakes: &'m Mistakes<'t>,
    /// Its name in messages: empty for the top level, else like `[scan]`.
    name: &'static str,
    /// Byte offset of the table.
    offset: usize,
    /// What it holds; empty for a table that isn't there.
    table: Option<&'m DeTable<'t>>,
    /// Keys that have been asked for.
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'m, 't> Section<'m, 't> {
    /// The section called `name` in messages.
    pub(super) fn new(mistakes: &'m Mistakes<'t>, name: &'static str, table: &'m Spanned<DeTable<'t>>) -> Self {
        let (offset, table) = (table.span().start, Some(table.get_ref()));
        Self { mistakes, name, offset, table, known: RefCell::default() }
    }

    /// 1-based line of the table.
    pub(super) fn line(&self) -> usize {
        self.mistakes.line(self.offset)
    }

    /// Adds a mistake about the table as a whole.
    pub(super) fn mistake(&self, what: impl Into<String>) {
        self.mistakes.add(self.offset, what);
    }

    /// Whether `key` is there, well-formed or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The value of `key`, noting that the key is known.
    fn get(&self, key: &'static str) -> Option<&'m Spanned<DeValue<'t>>> {
        self.known.borrow_mut().insert(key);
        self.table.and_then(|table| table.get(key))
    }

    /// The value of `key` turned into something by `read`, which gives what it wanted when it can't.
    fn read<T>(&self, key: &'static str, read: impl FnOnce(&DeValue<'t>) -> Result<T, String>) -> Option<(T, usize)> {
        let value = self.get(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some((read, value.span().start)),
            Err(wrong) => {
                self.mistakes.add(value.span().start, format!("`{key}`: {wrong}"));
                None
            }
        }
    }

    /// A key that may not stand here, and why.
    pub(super) fn refuse(&self, key: &'static str, why: &str) {
        // One that isn't here stays unknown, so that no message offers it.
        if self.has(key) {
            let offset = self.get(key).map_or(self.offset, |value| value.span().start);
            self.mistakes.add(offset, format!("`{key}`: {why}"));
        }
    }

    /// A switch.
    pub(super) fn switch(&self, key: &'static str) -> Option<bool> {
        let read = |value: &DeValue<'_>| value.as_bool().ok_or_else(|| expected("`true` or `false`", value));
        self.read(key, read).map(|(value, _)| value)
    }

    /// A whole number.
    pub(super) fn number(&self, key: &'static str) -> Option<u64> {
        self.read(key, number).map(|(value, _)| value)
    }

    /// A text that `parse` understands.
    pub(super) fn text<T>(&self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let read = |value: &DeValue<'_>| value.as_str().ok_or_else(|| expected("a text", value)).and_then(parse);
        self.read(key, read).map(|(value, _)| value)
    }

    /// A text that `parse` understands, or a whole number.
    pub(super) fn text_or_number(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<u64, String>,
    ) -> Option<u64> {
        let read = |value: &DeValue<'_>| match value {
            DeValue::Integer(_) => number(value).map(|number| number.to_string()).and_then(|digits| parse(&digits)),
            DeValue::String(text) => parse(text),
            _ => Err(expected("a text or a number", value)),
        };
        self.read(key, read).map(|(value, _)| value)
    }

    /// A day, as a text or as TOML's own date, that `parse` understands.
    pub(super) fn day<T>(&self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let read = |value: &DeValue<'_>| match value {
            DeValue::Datetime(date) => parse(&date.to_string()),
            DeValue::String(text) => parse(text),
            _ => Err(expected("a day like 2027-01-31", value)),
        };
        self.read(key, read).map(|(value, _)| value)
    }

    /// A list of texts that `parse` understands, each with its line; those it doesn't are mistakes.
    pub(super) fn texts<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<(T, usize)>> {
        let value = self.get(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.mistakes.add(value.span().start, format!("`{key}`: {}", expected("a list of texts", value.get_ref())));
            return None;
        };
        let mut read = Vec::new();
        for item in list {
            let (offset, item) = (item.span().start, item.get_ref());
            match item.as_str().ok_or_else(|| expected("a text", item)).and_then(&parse) {
                Ok(value) => read.push((value, self.mistakes.line(offset))),
                Err(wrong) => self.mistakes.add(offset, format!("`{key}`: {wrong}")),
            }
        }
        Some(read)
    }

    /// The table `key` in this one; an empty one if it isn't there.
    pub(super) fn section(&self, key: &'static str, name: &'static str) -> Section<'m, 't> {
        let value = self.get(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let Some(value) = value.filter(|_| table.is_none()) {
            self.mistakes.add(value.span().start, format!("`{key}`: {}", expected("a table", value.get_ref())));
        }
        let offset = value.map_or(0, |value| value.span().start);
        Section { mistakes: self.mistakes, name, offset, table, known: RefCell::default() }
    }

    /// The tables of the list `key` (`[[key]]`).
    pub(super) fn sections(&self, key: &'static str, name: &'static str) -> Vec<Section<'m, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            let wrong = expected(&format!("a list of tables, each headed `{name}`"), value.get_ref());
            self.mistakes.add(value.span().start, format!("`{key}`: {wrong}"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in list {
            let (offset, table) = (item.span().start, item.get_ref().as_table());
            match table {
                Some(_) => {
                    let known = RefCell::default();
                    sections.push(Section { mistakes: self.mistakes, name, offset, table, known });
                }
                None => self.mistakes.add(offset, format!("`{key}`: {}", expected("a table", item.get_ref()))),
            }
        }
        sections
    }

    /// Ends the section: keys that nobody asked for are mistakes.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        let unknown = self.table.into_iter().flatten().filter(|(key, _)| !known.contains(key.get_ref().as_ref()));
        for (key, _) in unknown {
            let there = known.iter().copied().collect::<Vec<_>>().join(", ");
            let place = if self.name.is_empty() { "at the top level".to_owned() } else { format!("in {}", self.name) };
            self.mistakes.add(key.span().start, format!("unknown key `{}` {place}: there are {there}", key.get_ref()));
        }
    }
}

/// What was wanted and what is there.
fn expected(what: &str, value: &DeValue<'_>) -> String {
    format!("expected {what}, not {} {}", article(value.type_str()), value.type_str())
}

/// `a` or `an`.
fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

/// A whole number that isn't negative.
fn number(value: &DeValue<'_>) -> Result<u64, String> {
    let integer = value.as_integer().ok_or_else(|| expected("a whole number", value))?;
    u64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| format!("`{integer}` is out of range"))
}

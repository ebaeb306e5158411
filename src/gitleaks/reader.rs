//! Reads TOML tables key by key, keys in any case, and collects every mistake with its line.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::rule::load::Mistake;

/// One file while it is read.
#[derive(Debug)]
pub(super) struct Page<'t> {
    /// The file as the user knows it.
    pub(super) file: &'t str,
    /// Its text, to count lines in.
    text: &'t str,
    /// What is wrong with it.
    mistakes: RefCell<Vec<Mistake>>,
}

/// Where something stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// The file as the user knows it.
    pub(super) file: String,
    /// 1-based line.
    pub(super) line: usize,
}

impl At {
    /// A mistake here.
    pub(super) fn mistake(&self, reason: impl Into<String>) -> Mistake {
        Mistake { file: self.file.clone(), line: self.line, reason: reason.into() }
    }
}

impl<'t> Page<'t> {
    /// The file `file` with this text.
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, mistakes: RefCell::default() }
    }

    /// Where a byte offset is.
    pub(super) fn at(&self, offset: usize) -> At {
        let line = 1 + self.text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count();
        At { file: self.file.to_owned(), line }
    }

    /// Adds a mistake at a byte offset.
    pub(super) fn add(&self, offset: usize, reason: impl Into<String>) {
        self.mistakes.borrow_mut().push(self.at(offset).mistake(reason));
    }

    /// All mistakes.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }
}

/// A text with where it stands.
pub(super) type Word = (String, usize);

/// One table while it is read. Keys that nobody asked for are mistakes, see [`Table::finish`].
#[derive(Debug)]
pub(super) struct Table<'p, 't> {
    /// The file.
    page: &'p Page<'t>,
    /// Its name in messages, such as `[extend]`.
    name: &'static str,
    /// Byte offset of the table.
    pub(super) offset: usize,
    /// Values by the keys in lower case, with where the key stands.
    values: BTreeMap<String, (usize, &'p Spanned<DeValue<'t>>)>,
    /// Keys that have been asked for, as messages write them.
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'p, 't> Table<'p, 't> {
    /// The table called `name`, which begins at a byte offset.
    pub(super) fn new(page: &'p Page<'t>, name: &'static str, offset: usize, table: &'p DeTable<'t>) -> Self {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let at = key.span().start;
            if values.insert(key.get_ref().to_lowercase(), (at, value)).is_some() {
                page.add(at, format!("`{}` stands twice in {name}; keys are the same in any case", key.get_ref()));
            }
        }
        Self { page, name, offset, values, known: RefCell::default() }
    }

    /// Whether `key` is there, well-formed or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(&key.to_lowercase())
    }

    /// Adds a mistake about the table as a whole.
    pub(super) fn mistake(&self, reason: impl Into<String>) {
        self.page.add(self.offset, reason);
    }

    /// The value of `key`, noting that the key is known.
    fn get(&self, key: &'static str) -> Option<&'p Spanned<DeValue<'t>>> {
        self.known.borrow_mut().insert(key);
        self.values.get(&key.to_lowercase()).map(|(_, value)| *value)
    }

    /// The value of `key` turned into something by `read`, which gives nothing when it isn't `wanted`.
    fn read<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&DeValue<'t>) -> Option<T>,
    ) -> Option<(T, usize)> {
        let value = self.get(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            let there = value.get_ref().type_str();
            self.page.add(value.span().start, format!("`{key}` in {}: expected {wanted}, not {there}", self.name));
        }
        read.map(|read| (read, value.span().start))
    }

    /// A text; an empty one is as none.
    pub(super) fn text(&self, key: &'static str) -> Option<Word> {
        let text = self.read(key, "a text", |value| value.as_str().map(str::to_owned))?;
        (!text.0.is_empty()).then_some(text)
    }

    /// A switch.
    pub(super) fn switch(&self, key: &'static str) -> bool {
        self.read(key, "`true` or `false`", DeValue::as_bool).is_some_and(|(value, _)| value)
    }

    /// A whole number from 0 on.
    pub(super) fn count(&self, key: &'static str) -> Option<(u64, usize)> {
        self.read(key, "a whole number from 0 on", |value| {
            let integer = value.as_integer()?;
            u64::from_str_radix(integer.as_str(), integer.radix()).ok()
        })
    }

    /// A number from 0 on.
    pub(super) fn number(&self, key: &'static str) -> Option<f64> {
        let number = self.read(key, "a number from 0 on", |value| {
            let text = value.as_float().map(|float| float.as_str()).or_else(|| Some(value.as_integer()?.as_str()))?;
            text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
        });
        number.map(|(number, _)| number)
    }

    /// A list of texts, none of which is empty.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Word> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            let there = value.get_ref().type_str();
            self.page
                .add(value.span().start, format!("`{key}` in {}: expected a list of texts, not {there}", self.name));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.get_ref().as_str() {
                None => self.page.add(at, format!("`{key}` in {}: expected a text", self.name)),
                Some("") => self.page.add(at, format!("`{key}` in {}: an empty text is in everything", self.name)),
                Some(text) => texts.push((text.to_owned(), at)),
            }
        }
        texts
    }

    /// The table `key` in this one.
    pub(super) fn table(&self, key: &'static str, name: &'static str) -> Option<Table<'p, 't>> {
        let value = self.get(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Table::new(self.page, name, value.span().start, table)),
            None => {
                self.page.add(value.span().start, format!("`{key}`: expected a table, headed `{name}`"));
                None
            }
        }
    }

    /// The tables of the list `key` (`[[key]]`).
    pub(super) fn tables(&self, key: &'static str, name: &'static str) -> Vec<Table<'p, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items = value.get_ref().as_array().into_iter().flatten();
        let tables: Vec<_> = items
            .filter_map(|item| Some(Table::new(self.page, name, item.span().start, item.get_ref().as_table()?)))
            .collect();
        if value.get_ref().as_array().is_none_or(|list| list.len() != tables.len()) {
            self.page.add(value.span().start, format!("`{key}`: expected a list of tables, each headed `{name}`"));
        }
        tables
    }

    /// Ends the table: keys that nobody asked for are mistakes.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        let there = known.iter().copied().collect::<Vec<_>>().join(", ");
        for (key, (at, _)) in &self.values {
            if !known.iter().any(|known| known.to_lowercase() == *key) {
                self.page.add(*at, format!("unknown key `{key}` in {}: there are {there}", self.name));
            }
        }
    }
}

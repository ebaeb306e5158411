//! One file as it is written: its rules, allowlists and what it extends, every key read and every mistake noted.

use std::sync::Arc;

use toml::de::DeTable;

use super::dialect::{self, Translated};
use super::reader::{At, Page, Table, Word};
use super::{Source, compiles};
use crate::rule::load::Mistake;
use crate::rule::terms::{Allowlist, Required, Target};

/// Longest rule id, in bytes.
const LONGEST_ID: usize = 200;

/// A file.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// `[extend] useDefault`.
    pub(super) uses_default: bool,
    /// `[extend] path`.
    pub(super) base: Option<String>,
    /// `[extend] disabledRules`.
    pub(super) disabled: Vec<(String, At)>,
    /// `[[rules]]`, in the order they stand.
    pub(super) rules: Vec<Draft>,
    /// `[[allowlists]]` of the whole file.
    pub(super) allowlists: Vec<Global>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// An allowlist of the whole file.
#[derive(Clone, Debug)]
pub(super) struct Global {
    /// The allowlist.
    pub(super) allowlist: Arc<Allowlist>,
    /// The rules it is for; all if empty.
    pub(super) targets: Vec<(String, At)>,
}

/// A rule as it is written; what isn't there is empty.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Its id.
    pub(super) id: String,
    /// Where it stands.
    pub(super) at: At,
    /// For people.
    pub(super) description: String,
    /// The expression and where it stands.
    pub(super) regex: Option<(Translated, At)>,
    /// The same as it is written.
    pub(super) written: String,
    /// The expression of its paths, ours.
    pub(super) path: Option<String>,
    /// The capture group that is the secret, from 1 on, and where it stands; 0 for the first filled one.
    pub(super) secret_group: Option<(usize, At)>,
    /// Bits per character; 0 asks nothing.
    pub(super) entropy: f64,
    /// In lower case.
    pub(super) keywords: Vec<String>,
    /// For people.
    pub(super) tags: Vec<String>,
    /// Its own allowlists.
    pub(super) allowlists: Vec<Arc<Allowlist>>,
    /// Rules that must match near, and where each stands.
    pub(super) required: Vec<(Required, At)>,
    /// Whether it is not reported.
    pub(super) skip_report: bool,
}

/// Reads a file.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(source: &Source<'_>) -> Result<Layer, Vec<Mistake>> {
    let page = Page::new(source.name, source.text);
    let parsed = DeTable::parse(source.text).map_err(|error| {
        let at = page.at(error.span().map_or(0, |span| span.start));
        vec![at.mistake(error.message().replace('\n', " "))]
    })?;
    let layer = Reader { page: &page, notes: Vec::new() }.layer(&Table::new(&page, "the file", 0, parsed.get_ref()));
    let mistakes = page.into_mistakes();
    if mistakes.is_empty() { Ok(layer) } else { Err(mistakes) }
}

/// Reads one file.
struct Reader<'p, 't> {
    /// The file.
    page: &'p Page<'t>,
    /// What the user should know.
    notes: Vec<String>,
}

impl Reader<'_, '_> {
    /// The whole file.
    fn layer(mut self, top: &Table<'_, '_>) -> Layer {
        for key in ["title", "description", "minVersion"] {
            top.text(key);
        }
        let mut layer = Layer::default();
        if let Some(extend) = top.table("extend", "[extend]") {
            self.extend(&extend, &mut layer);
        }
        for rule in top.tables("rules", "[[rules]]") {
            layer.rules.extend(self.rule(&rule));
        }
        for table in self.lists(top, "allowlists", "[[allowlists]]", "allowlist", "[allowlist]") {
            let targets = table.texts("targetRules");
            let targets = targets.into_iter().map(|(id, at)| (id, self.page.at(at))).collect();
            layer.allowlists.push(Global { allowlist: Arc::new(self.allowlist(&table)), targets });
        }
        top.finish();
        layer.notes = self.notes;
        layer
    }

    /// `[extend]`.
    fn extend(&mut self, extend: &Table<'_, '_>, layer: &mut Layer) {
        layer.uses_default = extend.switch("useDefault");
        layer.base = extend.text("path").map(|(path, _)| path);
        if layer.uses_default && layer.base.is_some() {
            extend.mistake("[extend] has both `useDefault` and `path`: only one of them can be the base");
        }
        let disabled = extend.texts("disabledRules");
        layer.disabled = disabled.into_iter().map(|(id, at)| (id, self.page.at(at))).collect();
        if let Some((_, at)) = extend.text("url") {
            self.note(at, "`url` in [extend] is never used");
        }
        extend.finish();
    }

    /// Tables of a list, or the single table that older files have in its place.
    fn lists<'q, 'u>(
        &self,
        table: &Table<'q, 'u>,
        list: &'static str,
        headed: &'static str,
        single: &'static str,
        old: &'static str,
    ) -> Vec<Table<'q, 'u>> {
        let mut tables = table.tables(list, headed);
        if let Some(one) = table.table(single, old) {
            if !tables.is_empty() {
                one.mistake(format!("{old} and {headed} can't both stand here: write all of them as {headed}"));
            }
            tables.push(one);
        }
        tables
    }

    /// One of `[[rules]]`.
    fn rule(&mut self, table: &Table<'_, '_>) -> Option<Draft> {
        let id = table.text("id");
        let draft = Draft {
            id: String::new(),
            at: self.page.at(table.offset),
            description: table.text("description").map(|(text, _)| text).unwrap_or_default(),
            written: table.text("regex").map(|(text, _)| text).unwrap_or_default(),
            regex: table.text("regex").and_then(|word| {
                let at = self.page.at(word.1);
                self.expression("regex", word).map(|translated| (translated, at))
            }),
            path: table
                .text("path")
                .and_then(|word| self.expression("path", word))
                .map(|translated| translated.pattern),
            secret_group: table.count("secretGroup").filter(|(group, _)| *group > 0).map(|(group, at)| {
                // One that large is over the number of groups, which is told later.
                (usize::try_from(group).unwrap_or(usize::MAX), self.page.at(at))
            }),
            entropy: table.number("entropy").unwrap_or(0.0),
            keywords: table.texts("keywords").into_iter().map(|(word, _)| word.to_lowercase()).collect(),
            tags: table.texts("tags").into_iter().map(|(tag, _)| tag).collect(),
            skip_report: table.switch("skipReport"),
            allowlists: self
                .lists(table, "allowlists", "[[rules.allowlists]]", "allowlist", "[rules.allowlist]")
                .iter()
                .map(|table| Arc::new(self.allowlist(table)))
                .collect(),
            required: table
                .tables("required", "[[rules.required]]")
                .iter()
                .filter_map(|it| self.required(it))
                .collect(),
        };
        table.finish();
        let Some((id, at)) = id else {
            table.mistake("[[rules]] without `id`");
            return None;
        };
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"'`".contains(c);
        let says_something = id.chars().any(|c| c.is_ascii_alphanumeric());
        if id.len() > LONGEST_ID || !says_something || !id.chars().all(is_plain) {
            let wanted = format!("1 to {LONGEST_ID} printable ASCII characters, without spaces and quotes");
            self.page.add(at, format!("an id must be {wanted}, of which one is a letter or digit"));
            return None;
        }
        Some(Draft { id, ..draft })
    }

    /// One of `[[rules.required]]`.
    fn required(&self, table: &Table<'_, '_>) -> Option<(Required, At)> {
        let within = |key| table.count(key).map(|(distance, _)| distance);
        let (within_lines, within_columns) = (within("withinLines"), within("withinColumns"));
        let rule = table.text("id");
        table.finish();
        let Some((rule, _)) = rule else {
            table.mistake("[[rules.required]] without `id`");
            return None;
        };
        Some((Required { rule, within_lines, within_columns }, self.page.at(table.offset)))
    }

    /// An allowlist.
    fn allowlist(&mut self, table: &Table<'_, '_>) -> Allowlist {
        let word = |key| table.text(key).map(|(word, at)| (word.to_ascii_lowercase(), at)).unwrap_or_default();
        let (condition, at) = word("condition");
        if !matches!(condition.as_str(), "" | "or" | "||" | "and" | "&&") {
            self.page.add(at, format!("there is no condition `{condition}` (there are: OR, AND)"));
        }
        let (target, at) = word("regexTarget");
        let target = match target.as_str() {
            "" | "secret" => Target::Secret,
            "match" => Target::Match,
            "line" => Target::Line,
            _ => {
                self.page.add(at, format!("there is no target `{target}` (there are: secret, match, line)"));
                Target::Secret
            }
        };
        let description = table.text("description").map(|(text, _)| text).unwrap_or_default();
        let commits = table.texts("commits");
        for (id, at) in &commits {
            if !matches!(id.len(), 40 | 64) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.note(*at, &format!("`{id}` in `commits` is no full commit id, so it allows nothing"));
            }
        }
        let list = Allowlist {
            description,
            needs_all: matches!(condition.as_str(), "and" | "&&"),
            commits: commits.into_iter().map(|(id, _)| id.to_ascii_lowercase()).collect(),
            paths: self.expressions("paths", table.texts("paths")),
            target,
            regexes: self.expressions("regexes", table.texts("regexes")),
            stopwords: table.texts("stopwords").into_iter().map(|(word, _)| word.to_lowercase()).collect(),
        };
        table.finish();
        if !["commits", "paths", "regexes", "stopwords"].iter().any(|key| table.has(key)) {
            table.mistake("an allowlist needs `commits`, `paths`, `regexes` or `stopwords`");
        }
        list
    }

    /// Expressions of ours.
    fn expressions(&self, key: &str, words: Vec<Word>) -> Vec<String> {
        words.into_iter().filter_map(|word| self.expression(key, word)).map(|translated| translated.pattern).collect()
    }

    /// An expression of ours.
    fn expression(&self, key: &str, (text, at): Word) -> Option<Translated> {
        let translated = dialect::translate(&text)
            .and_then(|translated| compiles(&translated.pattern).map(|()| translated))
            .map_err(|reason| self.page.add(at, format!("`{key}`: {reason}")));
        translated.ok()
    }

    /// Notes something that is no mistake.
    fn note(&mut self, offset: usize, what: &str) {
        let At { file, line } = self.page.at(offset);
        self.notes.push(format!("{file}:{line}: {what}"));
    }
}

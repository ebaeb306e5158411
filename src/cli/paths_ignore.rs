//! `paths-ignore` of `.github/secret_scanning.yml`, the one key of that file we read.
//!
//! Source: <https://docs.github.com/en/code-security/secret-scanning/using-advanced-secret-scanning-and-push-protection-features/excluding-folders-and-files-from-secret-scanning>,
//! read 2026-11: a list of globs under `paths-ignore`, of which the first 1,000 count.
//!
//! This is no YAML parser. It reads the two ways people write a list of plain or quoted texts; anything else is told
//! in a note and excludes nothing, so that a misreading makes keytrail scan more, never less.

/// The file's path in a repository.
pub(crate) const FILE_NAME: &str = ".github/secret_scanning.yml";

/// How many entries the host reads.
const MOST: usize = 1_000;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathsIgnore {
    /// The globs, in order.
    pub(crate) globs: Vec<String>,
    /// Lines (1-based) that were not understood, and why.
    pub(crate) notes: Vec<(usize, &'static str)>,
}

/// Reads the key out of the file's text.
pub(crate) fn read(text: &str) -> PathsIgnore {
    let mut found = PathsIgnore::default();
    let mut in_list = false;
    for (nth, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line_number = nth + 1;
        let content = without_comment(line);
        let trimmed = content.trim();
        if trimmed.is_empty() || trimmed == "---" {
            continue;
        }
        let is_item = trimmed == "-" || trimmed.starts_with("- ");
        if !content.starts_with([' ', '\t', '-']) {
            let value = key_value(content);
            in_list = value == Some("");
            match value {
                Some("") | None => {}
                Some(flow) => read_flow(flow, line_number, &mut found),
            }
        } else if in_list && is_item {
            add(trimmed[1..].trim(), line_number, &mut found);
        } else if in_list {
            found.notes.push((line_number, "expected a list item"));
        }
    }
    if found.globs.len() > MOST {
        found.globs.truncate(MOST);
        found.notes.push((text.lines().count(), "only the first 1,000 entries count"));
    }
    found
}

/// The value if the line is `paths-ignore: …`, the key quoted or not.
fn key_value(line: &str) -> Option<&str> {
    let rest = ["paths-ignore", "\"paths-ignore\"", "'paths-ignore'"].iter().find_map(|key| line.strip_prefix(key))?;
    Some(rest.trim_start().strip_prefix(':')?.trim())
}

/// Reads `[a, "b"]`.
fn read_flow(value: &str, line: usize, found: &mut PathsIgnore) {
    let Some(inner) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        found.notes.push((line, "expected a list"));
        return;
    };
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let end = item_end(rest);
        let (item, after) = rest.split_at(end);
        add(item.trim(), line, found);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None => {
                if !after.is_empty() {
                    found.notes.push((line, "expected a comma"));
                }
                ""
            }
        };
    }
}

/// Where the first item of a list on one line ends: after its closing quote (a doubled `'` stands for one and closes
/// nothing), else before the comma.
fn item_end(rest: &str) -> usize {
    let Some(quote @ ('"' | '\'')) = rest.chars().next() else { return rest.find(',').unwrap_or(rest.len()) };
    let mut from = 1;
    while let Some(at) = rest[from..].find(quote).map(|at| from + at) {
        if quote == '"' || !rest[at + 1..].starts_with(quote) {
            return at + 1;
        }
        from = at + 2;
    }
    rest.len()
}

/// Adds one item, unquoted. What YAML would read as something else than that text is left out and noted.
fn add(item: &str, line: usize, found: &mut PathsIgnore) {
    let quoted = |quote| item.len() > 1 && item.starts_with(quote) && item.ends_with(quote);
    let inner = item.get(1..item.len().saturating_sub(1)).unwrap_or_default();
    let glob = if quoted('\'') {
        inner.replace("''", "'")
    } else if quoted('"') && !inner.contains(['\\', '"']) {
        inner.to_owned()
    } else if item.starts_with(['"', '\'', '&', '!', '|', '>', '%', '@', '`', '{', '[', '*'])
        || item.contains(": ")
        || item.is_empty()
    {
        // A plain `*.md` is an alias in YAML and no text; the host refuses it, so nobody relies on it.
        found.notes.push((line, "put this entry in quotes"));
        return;
    } else {
        item.to_owned()
    };
    if glob.is_empty() {
        found.notes.push((line, "an empty entry"));
    } else {
        found.globs.push(glob);
    }
}

/// The line without its comment: ` #…` outside quotes, or a `#` that begins the line.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return &line[..at],
            (None, '"' | '\'') if before.is_whitespace() || before == c || matches!(before, '[' | ',') => {
                quote = Some(c)
            }
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_list_are_read() {
        let table: [(&str, &[&str]); 9] = [
            (
                "paths-ignore:\n  - \"foo/bar/*.js\"\n  - 'docs/**' # why\n  - plain/*.md\n",
                &["foo/bar/*.js", "docs/**", "plain/*.md"],
            ),
            ("# top\npaths-ignore:\n- a\n\n# between\n- b\nother:\n- c\n", &["a", "b"]),
            ("paths-ignore: [a, \"b,c\", 'd''']\n", &["a", "b,c", "d'"]),
            ("other: x\n", &[]),
            ("", &[]),
            ("paths-ignore:\r\n  - a\r\n", &["a"]),
            ("\"paths-ignore\": [ ]\n", &[]),
            ("nested:\n  paths-ignore:\n    - a\n", &[]),
            ("paths-ignore:\n  - 'it''s #1/*'\n", &["it's #1/*"]),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).globs, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_excludes_nothing_and_is_noted() {
        for text in [
            "paths-ignore:\n  - *.md\n",
            "paths-ignore:\n  - |\n    **\n",
            "paths-ignore: everything\n",
            "paths-ignore:\n  - a: b\n",
            "paths-ignore:\n  - \"**\\x2f*\"\n",
            "paths-ignore:\n  -\n",
            "paths-ignore: [\"**\n",
        ] {
            let found = read(text);
            assert_eq!(found.globs, Vec::<String>::new(), "{text}");
            assert!(!found.notes.is_empty(), "{text}");
        }
    }

    #[test]
    fn as_many_entries_count_as_the_host_reads() {
        let text = "paths-ignore:\n".to_owned() + &"  - a/*\n".repeat(1_200);
        let found = read(&text);
        assert_eq!((found.globs.len(), found.notes.len()), (1_000, 1));
    }

    #[test]
    fn hostile_texts_end() {
        for text in
            ["paths-ignore: [,,,,", "paths-ignore: [']", "paths-ignore: ['", "paths-ignore:[\"]\"", "-", "'", "\t- '"]
        {
            read(text);
        }
    }
}

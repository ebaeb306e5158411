//! `docs/coverage.md`: which published secret types have a rule. The page is made from the rules and from
//! `rules/data/secret-types.tsv`; the test here compares, and writes it when `KEYTRAIL_WRITE_DOCS` is set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::tests::loaded;

/// The published types: key, provider, name, who names it, and why there is no rule where we know a reason.
const TYPES: &str = include_str!("../../rules/data/secret-types.tsv");

/// Where the page is.
const PAGE: &str = "docs/coverage.md";

/// What stands above the tables.
const HEAD: &str = "# Coverage\n\n\
Published secret types and the rules that find them. Made from `rules/` and `rules/data/secret-types.tsv` by\n\
`KEYTRAIL_WRITE_DOCS=1 cargo test --lib coverage`; a test compares.\n\n\
Platforms: `defender-vm`, `defender-deploy` and `defender-code` are Microsoft Defender for Cloud on machines, cloud\n\
deployments and code; `github` is GitHub secret scanning; `ado` is GitHub Advanced Security for Azure DevOps; `sec101` and\n\
`sec103` are Microsoft's published rule numbers. \"Check\" is what is verified offline beyond the shape.\n\n";

/// One published type.
struct Type {
    key: &'static str,
    provider: &'static str,
    name: &'static str,
    platforms: &'static str,
    why: &'static str,
}

fn types() -> Vec<Type> {
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_else(|| panic!("too few columns: {line}"));
        Type { key: next(), provider: next(), name: next(), platforms: next(), why: next() }
    };
    TYPES.lines().skip(1).map(row).collect()
}

/// The whole page.
fn page() -> String {
    let rules = loaded();
    let mut by_type: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (_, loaded) in &rules {
        for name in loaded.rule.types.iter() {
            by_type.entry(name).or_default().push((&loaded.rule.id, &loaded.rule.structure));
        }
    }
    let (mut covered, mut rest) = (String::new(), String::new());
    let (mut with, mut without) = (0, 0);
    for Type { key, provider, name, platforms, why } in types() {
        let Some(found) = by_type.get(key) else {
            without += 1;
            let why = if why.is_empty() { "no rule yet, or no public form that we know" } else { why };
            writeln!(rest, "| `{key}` | {provider} | {name} | {platforms} | {why} |").expect("a String takes it");
            continue;
        };
        with += 1;
        let join = |list: BTreeSet<&str>| {
            list.into_iter()
                .filter(|item| !item.is_empty())
                .map(|item| format!("`{item}`"))
                .collect::<Vec<_>>()
                .join(" · ")
        };
        let ids = join(found.iter().map(|(id, _)| *id).collect());
        let checks = join(found.iter().map(|(_, check)| *check).collect());
        writeln!(covered, "| `{key}` | {ids} | {checks} | {platforms} |").expect("a String takes it");
    }
    format!(
        "{HEAD}{with} of {} types have a rule.\n\n## Covered\n\n| type | rules | check | platforms |\n|---|---|---|---|\n\
         {covered}\n## Not covered: {without}\n\n| type | provider | name | platforms | why |\n|---|---|---|---|---|\n{rest}",
        with + without
    )
}

#[test]
fn the_coverage_page_is_in_step() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let made = page();
    assert!(made.lines().count() > 500, "hardly any types");
    if std::env::var_os("KEYTRAIL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).expect("the page can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "{PAGE} is out of step: run `KEYTRAIL_WRITE_DOCS=1 cargo test --lib coverage`");
}

#[test]
fn rules_name_types_that_are_published() {
    let known: BTreeSet<&str> = types().iter().map(|row| row.key).collect();
    assert_eq!(known.len(), types().len(), "a key stands twice");
    for (file, loaded) in loaded() {
        for name in loaded.rule.types.iter() {
            assert!(known.contains(&**name), "{file}: `{}` names the unknown type `{name}`", loaded.rule.id);
        }
    }
}

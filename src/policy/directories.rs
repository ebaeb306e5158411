//! Which directory names mean tests: the tables of `rules/data/test-directories.toml`, and how they are matched.
//!
//! The file is versioned data with positive and negative examples; `keytrail config show` prints both. It is parsed
//! when the first directory is entered, never at start-up. What counts as "test-related" is keytrail's own choice:
//! Defender for Cloud says that it skips directories recognised as containing test-related content, and names none
//! (<https://learn.microsoft.com/azure/defender-for-cloud/secrets-scanning-servers>, read 2026-11).

use std::sync::OnceLock;

use serde::Deserialize;

use super::Siblings;

/// The data, as shipped.
const TEXT: &str = include_str!("../../rules/data/test-directories.toml");

/// Why parsing [`TEXT`] can't fail.
const SHIPPED: &str = "the shipped list of test directories is parsed by a test";

/// How a directory name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Wherever it stands.
    Always,
    /// Only where the directory is code.
    CodeOnly,
}

/// The parsed data, without examples.
#[derive(Debug)]
pub(super) struct Tables {
    /// Names that always count.
    always: Names,
    /// Names that count where the directory is code.
    code_only: Names,
    /// Files that make a directory code, by name (`*` allowed).
    manifests: Vec<String>,
    /// Files that make a directory code, by extension (lower case, no dot).
    source_extensions: Vec<String>,
    /// Names of directories that hold environments or deployments (`*` allowed).
    never_under: Vec<String>,
    /// All path patterns of the data in one automaton.
    pub(super) steps: Steps,
    /// Bits that complete a path pattern which makes a test directory anywhere.
    suites: u128,
    /// Bits that complete one which does so on machine roots only.
    machine_suites: u128,
    /// Bits that complete a path below which a name never counts.
    never_below: u128,
}

impl Tables {
    /// How a directory called `name` counts, if at all.
    pub(super) fn kind(&self, name: &[u8]) -> Option<Kind> {
        if self.always.has(name) {
            Some(Kind::Always)
        } else if self.code_only.has(name) {
            Some(Kind::CodeOnly)
        } else {
            None
        }
    }

    /// Whether the path reached is an installed package's or a build tool's test directory.
    pub(super) fn is_library_suite(&self, reached: u128, machine_root: bool) -> bool {
        reached & self.suites != 0 || machine_root && reached & self.machine_suites != 0
    }

    /// Whether names directly below the path reached never count.
    pub(super) fn is_never_parent(&self, reached: u128) -> bool {
        reached & self.never_below != 0
    }

    /// Whether plain names below a directory called `name` mean stages, not tests.
    pub(super) fn is_stage_parent(&self, name: &[u8]) -> bool {
        self.never_under.iter().any(|pattern| wild(pattern.as_bytes(), name))
    }

    /// Whether a directory is code: a build manifest or a source file beside it or in it.
    pub(super) fn is_code(&self, siblings: &mut dyn Siblings) -> bool {
        siblings.names().iter().any(|name| self.is_code_file(name))
            || siblings.below().iter().any(|name| self.is_code_file(name))
    }

    /// Whether a file called `name` is a build manifest or source code.
    fn is_code_file(&self, name: &[u8]) -> bool {
        let extension = name.iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0).map(|at| &name[at + 1..]);
        extension
            .is_some_and(|own| self.source_extensions.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(own)))
            || self.manifests.iter().any(|pattern| wild(pattern.as_bytes(), name))
    }
}

/// Directory names, compared without ASCII case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    /// Whole names.
    #[serde(default)]
    names: Vec<String>,
    /// Starts of names.
    #[serde(default)]
    prefixes: Vec<String>,
    /// Ends of names.
    #[serde(default)]
    suffixes: Vec<String>,
}

impl Names {
    /// Whether `name` is one of them.
    fn has(&self, name: &[u8]) -> bool {
        let start =
            |known: &String| name.len() >= known.len() && known.as_bytes().eq_ignore_ascii_case(&name[..known.len()]);
        let end = |known: &String| {
            name.len() >= known.len() && known.as_bytes().eq_ignore_ascii_case(&name[name.len() - known.len()..])
        };
        self.names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
            || self.prefixes.iter().any(start)
            || self.suffixes.iter().any(end)
    }
}

/// Path patterns as one automaton over components, so that a directory carries its progress in 128 bits. A pattern is
/// components with `*`; with a leading slash it starts at the root, else anywhere.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<Step>);

/// One component of a pattern.
#[derive(Debug)]
struct Step {
    /// What the component must look like.
    pattern: String,
    /// Where the pattern may begin, for its first component.
    first: Option<Start>,
}

/// Where a pattern may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// At the root.
    Root,
    /// At any directory.
    Anywhere,
}

impl Steps {
    /// Adds a pattern; the bit that completes it.
    fn add(&mut self, path: &str) -> u128 {
        let start = if path.starts_with('/') { Start::Root } else { Start::Anywhere };
        for (nth, component) in path.split('/').filter(|component| !component.is_empty()).enumerate() {
            self.0.push(Step { pattern: component.to_owned(), first: (nth == 0).then_some(start) });
        }
        let last = self.0.len().checked_sub(1).expect(SHIPPED);
        assert!(last < 128, "{SHIPPED}: at most 128 components in all path patterns together");
        1 << last
    }

    /// The bits after one more component: bit n is set when the components up to step n have just matched.
    pub(super) fn advance(&self, reached: u128, at_root: bool, name: &[u8]) -> u128 {
        let mut next = 0;
        for (nth, step) in self.0.iter().enumerate() {
            let ready = match step.first {
                Some(Start::Anywhere) => true,
                Some(Start::Root) => at_root,
                None => reached & (1 << (nth - 1)) != 0,
            };
            if ready && wild(step.pattern.as_bytes(), name) {
                next |= 1 << nth;
            }
        }
        next
    }
}

/// Whether `name` looks like `pattern`, in which `*` stands for any bytes; without ASCII case. Linear for one star,
/// and the shipped patterns have few.
fn wild(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|skip| wild(rest, &name[skip..])),
        [first, rest @ ..] => {
            name.split_first().is_some_and(|(own, others)| own.eq_ignore_ascii_case(first) && wild(rest, others))
        }
    }
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Version of the list; goes up with every change of meaning.
    version: u32,
    /// See [`Tables::source_extensions`].
    source_extensions: Vec<String>,
    /// Paths that are test directories whatever lies around them.
    package_test_suites: Vec<String>,
    /// See [`Tables::always`].
    always: Names,
    /// See [`Tables::code_only`].
    code_only: Names,
    /// See [`Tables::manifests`].
    manifests: Manifests,
    /// See [`Tables::never_below`].
    never_below: NeverBelow,
    /// See [`Tables::never_under`].
    never_under: NeverUnder,
    /// What the list means, by example.
    #[serde(default)]
    example: Vec<Example>,
}

/// `[manifests]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifests {
    /// File names, `*` allowed.
    names: Vec<String>,
}

/// `[never_below]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeverBelow {
    /// Paths from the root.
    paths: Vec<String>,
}

/// `[never_under]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeverUnder {
    /// Directory names, `*` allowed.
    patterns: Vec<String>,
}

/// One example of the data: a file, the tree it stands in, and whether it lies in a test directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The file, `/`-separated below the scan root.
    pub path: String,
    /// Other files of the tree.
    #[serde(default)]
    pub files: Vec<String>,
    /// Whether the scan root is a machine's.
    #[serde(default)]
    pub machine_root: bool,
    /// What is right.
    pub is_test: bool,
}

/// The list for people: version, names and examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Version of the list.
    pub version: u32,
    /// Names that always count; `*` where a name may go on.
    pub always: Vec<String>,
    /// Names that count where the directory is code.
    pub code_only: Vec<String>,
    /// Paths that count whatever lies around them.
    pub paths: Vec<String>,
    /// Paths directly below which no name counts.
    pub never_below: Vec<String>,
    /// Directories below which plain names don't count.
    pub never_under: Vec<String>,
    /// Every example, positive and negative.
    pub examples: Vec<Example>,
}

/// The list for people. Parses the data afresh.
#[must_use]
pub fn describe() -> Description {
    let file: File = toml::from_str(TEXT).expect(SHIPPED);
    let spelled = |names: Names| {
        let Names { mut names, prefixes, suffixes } = names;
        names.extend(prefixes.iter().map(|prefix| format!("{prefix}*")));
        names.extend(suffixes.iter().map(|suffix| format!("*{suffix}")));
        names
    };
    Description {
        version: file.version,
        always: spelled(file.always),
        code_only: spelled(file.code_only),
        paths: file.package_test_suites,
        never_below: file.never_below.paths,
        never_under: file.never_under.patterns,
        examples: file.example,
    }
}

/// The tables, parsed on first use.
pub(super) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        // The examples are most of the text and no part of the judgement.
        let head = TEXT.split("\n[[example]]").next().unwrap_or(TEXT);
        build(toml::from_str(head).expect(SHIPPED))
    })
}

/// Turns the file into tables.
fn build(file: File) -> Tables {
    let mut steps = Steps::default();
    let (mut suites, mut machine_suites, mut never_below) = (0, 0, 0);
    for path in &file.package_test_suites {
        let bit = steps.add(path);
        if path.starts_with('/') { machine_suites |= bit } else { suites |= bit }
    }
    for path in &file.never_below.paths {
        never_below |= steps.add(path);
    }
    Tables {
        always: file.always,
        code_only: file.code_only,
        manifests: file.manifests.names,
        source_extensions: file.source_extensions,
        never_under: file.never_under.patterns,
        steps,
        suites,
        machine_suites,
        never_below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_well_formed() {
        let file: File = toml::from_str(TEXT).expect("it parses");
        assert!(file.version > 0);
        let lower = |names: &[String]| names.iter().all(|name| !name.is_empty() && *name == name.to_lowercase());
        for names in [&file.always, &file.code_only] {
            assert!(!names.names.is_empty());
            assert!(lower(&names.names) && lower(&names.prefixes) && lower(&names.suffixes));
        }
        assert!(lower(&file.source_extensions) && file.source_extensions.len() > 20);
        assert!(file.source_extensions.iter().all(|extension| !extension.starts_with('.')));
        assert!(!file.manifests.names.is_empty() && !file.never_under.patterns.is_empty());
        assert!(file.never_below.paths.iter().all(|path| path.starts_with('/')) && !file.never_below.paths.is_empty());
        let all = file.package_test_suites.iter().chain(&file.never_below.paths);
        assert!(
            all.clone().all(|path| !path.contains("**") && path.trim_matches('/').split('/').all(|c| !c.is_empty()))
        );
        let _: &Tables = tables();
    }

    #[test]
    fn stars_stand_for_any_bytes() {
        let table: [(&str, &[u8], bool); 9] = [
            ("python*", b"python3.12", true),
            ("python*", b"python", true),
            ("python*", b"pytho", false),
            ("*.csproj", b"App.CsProj", true),
            ("*.csproj", b"App.csproj.user", false),
            ("a*b*c", b"a-bb-b-c", true),
            ("a*b*c", b"a-c-b", false),
            ("env*", b"ENV\xff", true),
            ("", b"", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(wild(pattern.as_bytes(), name), expected, "{pattern} on {name:?}");
        }
    }
}

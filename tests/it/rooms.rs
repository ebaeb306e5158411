//! Data flows one way: each room imports only what stands before it. Read from the `use crate::` lines (and every other
//! mention of `crate::`) of the sources, tests apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The shared words; every room may use them, and they use each other.
const WORDS: [&str; 4] = ["blob", "location", "place", "secret"];

/// Every other room, in the order of the flow, with the rooms it may import. Each of those stands before it.
const ROOMS: [(&str, &[&str]); 18] = [
    ("rule", &[]),
    ("gitleaks", &["rule"]),
    ("policy", &[]),
    ("platform", &[]),
    ("observe", &["platform"]),
    ("view", &[]),
    ("tables", &["rule"]),
    ("cache", &[]),
    ("source", &["policy", "platform", "observe"]),
    ("engine", &["rule", "tables", "view"]),
    ("specimen", &["rule", "engine"]),
    ("enrich", &["platform", "rule", "tables"]),
    ("finding", &["rule", "platform", "observe", "source", "engine", "enrich"]),
    ("report", &["rule", "platform", "observe", "source", "enrich", "finding"]),
    ("read", &["rule", "tables", "platform", "observe", "source", "enrich", "finding"]),
    ("cli", &["rule", "gitleaks", "platform", "policy", "report"]),
    ("scan", &["rule", "platform", "policy", "observe", "source", "view", "cache", "engine", "enrich", "finding"]),
    (
        "run",
        &[
            "rule", "gitleaks", "platform", "policy", "observe", "view", "source", "cache", "engine", "specimen",
            "enrich", "finding", "report", "read", "cli", "scan",
        ],
    ),
];

/// What goes against the flow, what it is there for, and nothing else of that room. An entry that nobody needs any
/// more fails the test.
const EXCEPTIONS: [(&str, &str, &[&str]); 2] = [
    // What a structure check reads from a token is a part of the finding; these two are plain data.
    ("engine", "finding", &["Facts", "Validity"]),
    // The generated tables are values of the type whose room hands them out.
    ("tables", "enrich", &["remedy"]),
];

/// One mention of a room: the room, the word after it (if any), file and line (1-based).
#[derive(Debug)]
struct Mention {
    room: String,
    item: String,
    at: String,
}

/// The folder of the sources.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All Rust files below `folder`, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The room a source file belongs to; `None` for the crate's own two files.
fn room_of(file: &Path) -> Option<String> {
    let below = file.strip_prefix(sources()).expect("it is a source file");
    let first = below.components().next().expect("it has a name").as_os_str().to_string_lossy();
    let room = first.strip_suffix(".rs").unwrap_or(&first);
    (!matches!(room, "lib" | "main")).then(|| room.to_owned())
}

/// Whether the file is a test module of its own.
fn is_test(file: &Path) -> bool {
    let below = file.strip_prefix(sources()).expect("it is a source file");
    below.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs" | "testing.rs")))
}

/// The text without comments and, from `#[cfg(test)]` on a module, without its end: tests stand last in our files.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut previous_is_cfg_test = false;
    for (nth, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let ends_here = previous_is_cfg_test && trimmed.starts_with("mod ") && trimmed.trim_end().ends_with('{');
        if ends_here {
            break;
        }
        if trimmed.starts_with("#[cfg(test)]") {
            previous_is_cfg_test = true;
        } else if !trimmed.starts_with("#[") {
            previous_is_cfg_test = false;
        }
        if !trimmed.starts_with("//") {
            lines.push((nth + 1, line.split(" // ").next().unwrap_or(line)));
        }
    }
    lines
}

/// Every mention of `crate::…` in a text.
fn mentions(text: &str, name: &str) -> Vec<Mention> {
    let lines = code(text);
    let joined: String = lines.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
    let mut found = Vec::new();
    for (at, _) in joined.match_indices("crate::") {
        let preceded = joined[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        if preceded {
            continue;
        }
        let line = lines[joined[..at].matches('\n').count()].0;
        for path in paths(&joined[at + "crate::".len()..]) {
            let mut parts = path.splitn(2, "::");
            let room = parts.next().unwrap_or_default().to_owned();
            let item = parts.next().unwrap_or_default().to_owned();
            found.push(Mention { room, item, at: format!("{name}:{line}") });
        }
    }
    found
}

/// The paths that begin here, to a depth of two: `a::B` of `a::B::c`, both of `a::{B, C}`, all of `{a::B, c}`.
fn paths(rest: &str) -> Vec<String> {
    if let Some(group) = rest.strip_prefix('{') {
        return split_group(group).iter().flat_map(|one| paths(one)).collect();
    }
    let first = word(rest);
    match rest[first.len()..].strip_prefix("::") {
        None => vec![first.to_owned()],
        Some(after) => match after.strip_prefix('{') {
            None => vec![format!("{first}::{}", word(after))],
            Some(group) => split_group(group).iter().map(|one| format!("{first}::{}", word(one))).collect(),
        },
    }
}

/// The word at the start of `text`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The members of a `{…}` group, from behind its opening brace.
fn split_group(group: &str) -> Vec<String> {
    let (mut members, mut member, mut depth) = (Vec::new(), String::new(), 0_usize);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => members.push(std::mem::take(&mut member)),
            _ => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                member.push(c);
            }
        }
    }
    members.push(member);
    members.into_iter().map(|member| member.trim().to_owned()).filter(|member| !member.is_empty()).collect()
}

#[test]
fn rooms_are_listed_in_the_order_of_the_flow() {
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (room, imports) in ROOMS {
        for import in imports {
            assert!(before.contains(import), "`{room}` imports `{import}`, which does not stand before it");
        }
        assert!(before.insert(room) && !WORDS.contains(&room), "`{room}` is listed twice");
    }
}

#[test]
fn every_room_is_listed_and_described() {
    let listed: BTreeSet<String> = ROOMS.iter().map(|(room, _)| *room).chain(WORDS).map(str::to_owned).collect();
    let there: BTreeSet<String> = rust_files(&sources()).iter().filter_map(|file| room_of(file)).collect();
    assert!(there.len() > 10);
    assert_eq!(there, listed, "src/ holds the rooms on the left, this test knows those on the right");
    let architecture = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let described = fs::read_to_string(architecture).expect("it is there");
    let rows: String = described.lines().filter(|line| line.starts_with("| `")).collect();
    for room in &there {
        assert!(rows.contains(&format!("`{room}`")), "ARCHITECTURE.md has no row for `{room}`");
    }
}

#[test]
fn imports_follow_the_flow() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.into_iter().chain(WORDS.map(|word| (word, &[][..]))).collect();
    let (mut wrong, mut seen, mut used) = (Vec::new(), 0, BTreeSet::new());
    for file in rust_files(&sources()).iter().filter(|file| !is_test(file)) {
        let Some(room) = room_of(file) else { continue };
        let name = file.strip_prefix(sources()).expect("it is a source file").display().to_string();
        let text = fs::read_to_string(file).expect("sources are readable");
        for mention in mentions(&text, &name) {
            seen += 1;
            let imported = mention.room.as_str();
            let own = imported == room || WORDS.contains(&imported);
            if own || allowed.get(room.as_str()).is_some_and(|rooms| rooms.contains(&imported)) {
                continue;
            }
            let excepted = EXCEPTIONS.iter().position(|(from, to, items)| {
                *from == room && *to == imported && items.contains(&mention.item.as_str())
            });
            match excepted {
                Some(exception) => drop(used.insert(exception)),
                None => wrong.push(format!("{}: `{room}` imports `{imported}::{}`", mention.at, mention.item)),
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were found");
    assert!(wrong.is_empty(), "against the flow:\n{}", wrong.join("\n"));
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception is no longer needed");
}

#[test]
fn imports_are_read_as_they_are_written() {
    let text = "//! crate::report\nuse crate::a::{B, c::{D, E}, F};\nuse crate::{\n    g::H,\n    i,\n};\n/// crate::scan\n\
                fn f() -> crate::j::K { mycrate::x() } // crate::l\n#[cfg(test)]\nmod tests {\n    use crate::m::N;\n}\n";
    let found: Vec<String> =
        mentions(text, "f").into_iter().map(|one| format!("{} {}::{}", one.at, one.room, one.item)).collect();
    assert_eq!(found, ["f:2 a::B", "f:2 a::c", "f:2 a::F", "f:3 g::H", "f:3 i::", "f:8 j::K"]);
}

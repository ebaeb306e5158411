//! `files`: folders, files and standard input.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use crate::harness::{Run, Token, Workspace, keytrail, scan, text_position, tool};

/// `files .` in folder `tree` of a workspace.
fn tree(workspace: &Workspace) -> Run {
    keytrail(["files", "."]).within(workspace.path("tree"))
}

#[test]
fn what_git_ignores_is_scanned_unless_asked_otherwise() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("tree") else { return };
    let (ignored, kept, internal) =
        (Token::new("gitignored"), Token::new("not ignored"), Token::new("internal to git"));
    repo.write(".gitignore", "build/\n*.log\n");
    repo.write("build/out.txt", ignored.line());
    repo.write("deep/er/x.log", ignored.line());
    repo.write("src.txt", kept.line());
    repo.write(".git/internal.txt", internal.line());
    let all = scan(&tree(&workspace));
    all.holds_exactly(&[&ignored, &kept]);
    assert_eq!(all.of(&ignored).paths(), ["build/out.txt", "deep/er/x.log"]);
    let fewer = scan(&tree(&workspace).arg("--gitignore"));
    fewer.holds_exactly(&[&kept]);
    assert!(fewer.excluded("gitignored") >= 1, "{:?}", fewer.excluded);
}

#[test]
fn hidden_files_binaries_and_odd_encodings_are_scanned() {
    let workspace = Workspace::new();
    let mut tokens = Vec::new();
    let mut write = |path: &str, content: &dyn Fn(&Token) -> Vec<u8>| {
        let token = Token::new(&format!("files, {path}"));
        workspace.write(&format!("tree/{path}"), content(&token));
        tokens.push((token, path.to_owned()));
    };
    let wide = |order: fn(u16) -> [u8; 2]| {
        move |token: &Token| token.line().encode_utf16().flat_map(order).collect::<Vec<u8>>()
    };
    write(".env", &|token| token.line().into());
    write(".hidden/deep/file", &|token| token.line().into());
    write("binary", &|token| [b"\x7fELF\x01\0".as_slice(), token.text().as_bytes(), b"\0\xff"].concat());
    write("le.txt", &wide(u16::to_le_bytes));
    write("be.txt", &wide(u16::to_be_bytes));
    write("latin1.txt", &|token| [b"caf\xe9 ".as_slice(), token.line().as_bytes()].concat());
    write("crlf.txt", &|token| format!("a\r\nb\r\n{}\r\n", token.text()).into());
    write("no newline", &|token| token.text().into());
    write("mein schlüssel.txt", &|token| token.line().into());
    let results = scan(&tree(&workspace));
    results.holds_exactly(&tokens.iter().map(|(token, _)| token).collect::<Vec<_>>());
    for (token, path) in &tokens {
        let place = results.of(token).place();
        assert_eq!((place.path.as_str(), place.state.as_str()), (path.as_str(), "present"));
    }
    let position = |index: usize| {
        let place = results.of(&tokens[index].0).place();
        (place.line, place.column)
    };
    assert_eq!(position(3), (1, 13), "UTF-16 is counted as decoded");
    assert_eq!(position(5), (1, 18), "an invalid byte is one column");
    assert_eq!(position(6), (3, 1));
}

#[test]
fn positions_are_those_a_reader_counts() {
    let workspace = Workspace::new();
    let token = Token::new("files, position");
    let text = format!("é\u{1f511}\n\n\u{1d11e}x = \"{}\"\n", token.text());
    workspace.write("tree/a.txt", &text);
    let results = scan(&tree(&workspace));
    let place = results.of(&token).place();
    assert_eq!((place.line, place.column), text_position(text.as_bytes(), token.text().as_bytes()));
    let end = (place.record["endLine"].as_u64(), place.record["endColumn"].as_u64());
    assert_eq!(end, (Some(3), Some(place.column + 40)), "one past the end");
}

#[test]
fn standard_input_is_scanned() {
    let token = Token::new("standard input");
    let results = scan(&keytrail(["files", "-"]).stdin(format!("one\ntwo\n{}", token.line())));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().line, 3);
    keytrail(["files", "-"]).stdin("nothing here\n").go().exits(0);
}

#[test]
fn a_path_the_user_names_is_always_scanned() {
    let workspace = Workspace::new();
    let token = Token::new("named path");
    workspace.write("tree/__tests__/testdata/a.txt", token.line());
    for path in ["tree/__tests__/testdata/a.txt", "tree/__tests__/testdata"] {
        scan(&keytrail(["files", path]).within(workspace.path(""))).holds_exactly(&[&token]);
    }
    assert_eq!(scan(&tree(&workspace)).code, 0);
}

#[test]
fn test_directories_are_left_out_counted_and_scanned_on_demand() {
    let workspace = Workspace::new();
    let (inside, outside) = (Token::new("inside a test directory"), Token::new("outside of tests"));
    workspace.write("tree/Cargo.toml", "[package]\n");
    workspace.write("tree/src/lib.rs", outside.line());
    for path in ["tests/one.rs", "tests/deep/two.rs", "src/__fixtures__/three.json"] {
        workspace.write(&format!("tree/{path}"), inside.line());
    }
    tree(&workspace).go().exits(1).says(&["3 files in 2 test directories not scanned", "--include-tests"]);
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&outside]);
    assert_eq!((results.excluded("test-directory"), results.excluded("test-file")), (2, 3));
    scan(&tree(&workspace).arg("--include-tests")).holds_exactly(&[&inside, &outside]);

    // The same names where nothing is code mean no tests.
    let plain = Workspace::new();
    plain.write("tree/test/secrets.yaml", inside.line());
    scan(&tree(&plain)).holds_exactly(&[&inside]);
}

#[test]
fn excludes_and_limits_of_the_user_are_counted() {
    let workspace = Workspace::new();
    let (kept, vendored, big) = (Token::new("kept"), Token::new("vendored"), Token::new("too big"));
    workspace.write("tree/a.txt", kept.line());
    workspace.write("tree/vendor/b.txt", vendored.line());
    workspace.write("tree/big.txt", format!("{}{}", "x".repeat(5000), big.line()));
    let results = scan(&tree(&workspace).args(["--exclude", "vendor/", "--max-file-size", "4K"]));
    results.holds_exactly(&[&kept]);
    assert_eq!((results.excluded("exclude"), results.excluded("user-limit")), (1, 1));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_loops_end() {
    use std::os::unix::fs::symlink;
    let workspace = Workspace::new();
    let (inside, outside) = (Token::new("beside links"), Token::new("behind links"));
    workspace.write("tree/deep/a.txt", inside.line());
    workspace.write("outside/b.txt", outside.line());
    let link = |target: &str, path: &str| symlink(target, workspace.path(path)).expect("our own folder is writable");
    link("..", "tree/deep/loop");
    link(".", "tree/self");
    link("ring-b", "tree/ring-a");
    link("ring-a", "tree/ring-b");
    link("../outside", "tree/out");
    link("../outside/b.txt", "tree/out.txt");
    link("nowhere", "tree/dangling");
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&inside]);
    assert_eq!(results.of(&inside).paths(), ["deep/a.txt"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_tree_is_listed_and_not_waited_for() {
    let workspace = Workspace::new();
    let token = Token::new("beside a pipe");
    workspace.write("tree/a.txt", token.line());
    let Some(mkfifo) = tool("mkfifo") else { return };
    let made = std::process::Command::new(mkfifo).arg(workspace.path("tree/pipe")).status();
    assert!(made.expect("it starts").success());
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&token]);
    assert_eq!(results.listed_as("fifo"), ["pipe"]);
}

#[test]
fn one_secret_in_many_files_is_one_finding() {
    let workspace = Workspace::new();
    let token = Token::new("in many files");
    for name in ["c", "a", "b"] {
        workspace.write(&format!("tree/{name}.txt"), format!("{0}{0}", token.line()));
    }
    let results = scan(&tree(&workspace));
    results.holds_exactly(&[&token]);
    let finding = results.of(&token);
    assert_eq!(finding.paths(), ["a.txt", "b.txt", "c.txt"]);
    assert!(finding.places.iter().all(|place| place.record["occurrences"] == 2));
}

#[test]
fn a_failed_checksum_lowers_and_does_not_drop() {
    let workspace = Workspace::new();
    let token = Token::new("checksum to be broken");
    let broken = format!("{}{}", &token.text()[..34], "000000");
    workspace.write("tree/a.txt", format!("key = {broken}\n"));
    let counted = scan(&tree(&workspace));
    assert_eq!((counted.code, counted.findings.len()), (0, 0));
    assert_eq!(counted.excluded("low-confidence"), 1);
    let results = scan(&tree(&workspace).args(["--confidence", "low"]));
    let finding = results.findings.iter().find(|finding| finding.secret == broken).expect("it is reported");
    assert_eq!((finding.text("validity"), results.code), ("formatFailed".to_owned(), 1));
    assert_ne!(finding.record["reasons"], serde_json::json!([]), "and the reason is given");
}

/// Bytes in the big file.
const BIG: u64 = 200 << 20;

#[cfg(unix)]
#[test]
fn a_big_file_is_read_in_bounded_memory() {
    let workspace = Workspace::new();
    let token = Token::new("at the end of a big file");
    let path = workspace.write("tree/big.log", "");
    let line = "2026-11-21T12:00:00Z INFO request served in 12 ms by worker 7, all is well in here today\n";
    let lines = BIG / line.len() as u64;
    let mut file = BufWriter::new(File::create(&path).expect("our own folder is writable"));
    for _ in 0..lines {
        file.write_all(line.as_bytes()).expect("the disk has room");
    }
    file.write_all(token.line().as_bytes()).expect("the disk has room");
    file.into_inner().map_err(|error| error.into_error()).expect("the disk has room").sync_data().ok();

    let Some(time) = tool("time") else { return };
    let run = tree(&workspace).args(["--format", "jsonl", "--show-secrets", "--jobs", "2"]);
    let peak = workspace.path("peak");
    let words = [time.as_os_str(), "--format=%M".as_ref(), "--output".as_ref(), peak.as_os_str()];
    let results = run.through(words).go().exits(1).results();
    let place = results.of(&token).place();
    assert_eq!((place.line, place.column), (lines + 1, 13));
    let peak = fs::read_to_string(peak).expect("time wrote it");
    let kilobytes: u64 = peak.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number");
    assert!(kilobytes < BIG / 1024 / 2, "{kilobytes} KB at the peak for a file of {} KB", BIG / 1024);
}

#[test]
fn a_huge_line_is_read_across_the_seams_of_its_windows() {
    let workspace = Workspace::new();
    let tokens = ["at a seam", "off a seam", "at the end"].map(|what| Token::new(&format!("huge line, {what}")));
    // Contents over 64 MiB are read in windows of 8 MiB.
    let starts = [(32 << 20) - 20, (40 << 20) + 4321, (66 << 20) - 40];
    let mut bytes = vec![b' '; 66 << 20];
    for (token, start) in tokens.iter().zip(starts) {
        bytes[start..start + 40].copy_from_slice(token.text().as_bytes());
    }
    workspace.write("tree/one-line.txt", bytes);
    let ran = tree(&workspace).args(["--format", "jsonl", "--show-secrets"]).go().exits(1);
    let results = ran.results();
    assert_eq!(results.findings.len(), tokens.len(), "{:?}", results.labels());
    for (token, start) in tokens.iter().zip(starts) {
        let place = results.of(token).place();
        assert_eq!(
            (place.line, place.column, &place.record["occurrences"]),
            (1, start as u64 + 1, &1.into()),
            "{token:?}"
        );
    }
}

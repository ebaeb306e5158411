//! A value that was found somewhere is found wherever else it stands, in contents that say nothing of it.

use crate::harness::{Token, Workspace, keytrail, scan};

/// A line that assigns a value to a name that tells.
fn assignment(value: &Token) -> String {
    format!("{}='{}'\n", ["DB_PASS", "WORD"].concat(), value.text())
}

#[test]
fn a_value_of_one_file_is_found_in_others() {
    let workspace = Workspace::new();
    let value = Token::other("elsewhere", "Wd7hhj4ccGp3Nf8tY6rK2");
    workspace.write("tree/app.env", assignment(&value));
    workspace.write("tree/notes/run.txt", format!("give it {} when asked\n", value.text()));
    workspace.write("tree/notes/longer.txt", format!("x{}x is another word\n", value.text()));
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert_eq!(results.holds_exactly(&[&value]).of(&value).paths(), ["app.env", "notes/run.txt"]);
    // Alone it is nothing, and as an argument each root is a scan of its own.
    keytrail(["files", "notes"]).within(workspace.path("tree")).go().exits(0);
}

#[test]
fn words_and_short_values_are_not_looked_for() {
    let workspace = Workspace::new();
    let value = Token::other("elsewhere, short", "wD7!hhj4");
    workspace.write("tree/app.env", assignment(&value));
    workspace.write("tree/notes.txt", format!("call it {}\n", value.text()));
    let results = scan(&keytrail(["files", "."]).within(workspace.path("tree")));
    assert_eq!(results.holds_exactly(&[&value]).of(&value).paths(), ["app.env"]);
}

#[test]
fn versions_and_messages_that_hold_a_value_are_found() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("repo") else { return };
    let value = Token::other("elsewhere, history", "Qs3ggb9uu5Wd7hhj4ccG");
    let mut lines: Vec<String> = (0..200).map(|n| format!("line {n}: {} words", n * 7919 % 1009)).collect();
    for version in 0..12 {
        lines[version * 13] = format!("changed in version {version}");
        if version == 5 {
            lines[100] = format!("it was {} then", value.text());
        }
        if version == 8 {
            lines[100] = "nothing".to_owned();
        }
        repo.write("notes.txt", lines.join("\n"));
        repo.commit("Change the notes");
    }
    repo.write("app.env", assignment(&value));
    repo.commit(&format!("Use {} from now on", value.text()));
    repo.git(["repack", "-adfq", "--depth=50", "--window=100"]);
    let [by_edits, in_full] = [&[][..], &["--full-scan"]].map(|flags| {
        let results = scan(&keytrail(["history", "."]).within(repo.path()).args(flags));
        let finding = results.holds_exactly(&[&value]).of(&value);
        finding.places.iter().map(|place| (place.path.clone(), place.line)).collect::<Vec<_>>()
    });
    assert_eq!(by_edits, in_full);
    assert_eq!(by_edits.len(), 3, "{by_edits:?}");
    assert!(by_edits.contains(&("notes.txt".to_owned(), 101)), "{by_edits:?}");
}

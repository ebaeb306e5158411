//! What counts as introduced: more of a secret than the old side holds.

use super::fixture;
use crate::harness::Token;

#[test]
fn a_pure_rename_is_not_reported() {
    let token = Token::new("renamed");
    let Some(fixture) = fixture(&[("old.txt", token.line().as_bytes())]) else { return };
    fixture.repo.git(["mv", "old.txt", "new.txt"]);
    fixture.scan().holds_exactly(&[]);
}

#[test]
fn an_edited_rename_reports_what_the_edit_brings() {
    let (old, new) = (Token::new("renamed and edited, old"), Token::new("renamed and edited, new"));
    let Some(fixture) = fixture(&[("old.txt", old.line().as_bytes())]) else { return };
    fixture.repo.git(["mv", "old.txt", "new.txt"]);
    fixture.stage("new.txt", format!("one\n{}two\n", old.line()));
    fixture.scan().holds_exactly(&[]);
    fixture.stage("new.txt", format!("one\n{}two\n{}", old.line(), new.line()));
    fixture.scan().holds_exactly(&[&new]);
}

#[test]
fn a_copy_to_a_second_path_is_new() {
    let token = Token::new("copied");
    let Some(fixture) = fixture(&[("old.txt", token.line().as_bytes())]) else { return };
    fixture.stage("copy.txt", token.line());
    let results = fixture.scan();
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().path, "copy.txt");
}

#[test]
fn one_removed_path_excuses_one_added_path() {
    let token = Token::new("renamed and copied");
    let Some(fixture) = fixture(&[("old.txt", token.line().as_bytes())]) else { return };
    fixture.repo.git(["mv", "old.txt", "a.txt"]);
    fixture.stage("b.txt", token.line());
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn a_second_occurrence_in_a_file_is_new_and_a_moved_one_is_not() {
    let token = Token::new("once more");
    let Some(fixture) = fixture(&[("a.txt", token.line().as_bytes())]) else { return };
    fixture.stage("a.txt", format!("above\n\n{}below\n", token.line()));
    fixture.scan().holds_exactly(&[]);
    fixture.stage("a.txt", format!("{0}between\n{0}", token.line()));
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn removing_a_secret_is_fine() {
    let token = Token::new("removed");
    let Some(fixture) = fixture(&[("a.txt", token.line().as_bytes()), ("b.txt", token.line().as_bytes())]) else {
        return;
    };
    fixture.stage("a.txt", "gone\n");
    fixture.repo.git(["rm", "--quiet", "b.txt"]);
    fixture.scan().holds_exactly(&[]);
}

#[test]
fn a_key_completed_by_this_commit_is_new() {
    let token = Token::new("staged, completed");
    let half = format!("see {}", &token.text()[..20]);
    let Some(fixture) = fixture(&[("half.txt", half.as_bytes())]) else { return };
    fixture.stage("half.txt", format!("see {}\n", token.text()));
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn an_old_key_under_another_encoding_is_not_new() {
    let token = Token::new("re-encoded");
    let Some(fixture) = fixture(&[("a.txt", token.line().as_bytes())]) else { return };
    let wide: Vec<u8> = token.line().encode_utf16().flat_map(u16::to_le_bytes).collect();
    fixture.stage("a.txt", [b"\xff\xfe".to_vec(), wide].concat());
    fixture.scan().holds_exactly(&[]);
}

#[test]
fn a_file_that_takes_the_place_of_a_folder_is_compared_with_what_went() {
    let (kept, new) = (Token::new("folder to file, kept"), Token::new("folder to file, new"));
    let Some(fixture) = fixture(&[("x/y.txt", kept.line().as_bytes())]) else { return };
    fixture.repo.git(["rm", "--quiet", "-r", "x"]);
    fixture.stage("x", format!("{}{}", kept.line(), new.line()));
    fixture.scan().holds_exactly(&[&new]);
}

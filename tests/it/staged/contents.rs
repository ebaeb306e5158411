//! What can be staged, and where from.

use super::{Fixture, fixture};
use crate::harness::{Token, keytrail, scan, text_position};

/// Stages a file with these contents in a repository of its own, expects the token at that path.
fn is_found_staged(label: &str, path: &str, content: impl FnOnce(&Token) -> Vec<u8>) {
    let Some(fixture) = fixture(&[(".gitattributes", b"*.opaque -diff -text\n*.bin binary\n")]) else { return };
    let token = Token::new(&format!("staged, {label}"));
    fixture.stage(path, content(&token));
    let results = fixture.scan();
    results.holds_exactly(&[&token]);
    let place = results.of(&token).place();
    assert_eq!((place.path.as_str(), place.part.as_str(), place.state.as_str()), (path, "content", "index"), "{label}");
}

#[test]
fn contents_of_every_kind_are_found() {
    let wide = |token: &Token| token.line().encode_utf16().collect::<Vec<u16>>();
    is_found_staged("plain", "src/a.py", |token| token.line().into());
    is_found_staged("odd name", "docs/mein schlüssel \"x\".txt", |token| token.line().into());
    is_found_staged("-diff attribute", "a.opaque", |token| token.line().into());
    is_found_staged("binary attribute", "a.bin", |token| token.line().into());
    is_found_staged("binary", "tool", |token| format!("\u{7f}ELF\0\0{}\0\0", token.text()).into());
    is_found_staged("lock file", "yarn.lock", |token| token.line().into());
    is_found_staged("utf-16 little, mark", "le.txt", |token| {
        [b"\xff\xfe".to_vec(), wide(token).into_iter().flat_map(u16::to_le_bytes).collect()].concat()
    });
    is_found_staged("utf-16 big, mark", "be.txt", |token| {
        [b"\xfe\xff".to_vec(), wide(token).into_iter().flat_map(u16::to_be_bytes).collect()].concat()
    });
    is_found_staged("utf-16 little", "le.txt", |token| wide(token).into_iter().flat_map(u16::to_le_bytes).collect());
    is_found_staged("utf-16 big", "be.txt", |token| wide(token).into_iter().flat_map(u16::to_be_bytes).collect());
}

#[test]
fn lines_and_columns_are_those_of_the_staged_text() {
    let Some(fixture) = fixture(&[]) else { return };
    let token = Token::new("staged, position");
    let text = format!("one\r\ntwo\n\n\tü \u{1f511} = '{}'\n", token.text());
    fixture.stage("a.txt", &text);
    fixture.repo.write("a.txt", format!("\n\n\n\n\n{text}"));
    let results = fixture.scan();
    let place = results.of(&token).place();
    assert_eq!((place.line, place.column), text_position(text.as_bytes(), token.text().as_bytes()));
    assert_eq!((place.line, place.column), (4, 10));
}

#[test]
fn the_index_counts_and_not_the_work_tree() {
    let Some(fixture) = fixture(&[]) else { return };
    let (staged, beside) = (Token::new("staged, then cleaned"), Token::new("never staged"));
    fixture.stage("a.txt", staged.line());
    fixture.stage("b.txt", "clean\n");
    fixture.repo.write("a.txt", "clean again\n");
    fixture.repo.write("b.txt", beside.line());
    fixture.repo.write("untracked.txt", beside.line());
    fixture.scan().holds_exactly(&[&staged]);
}

#[test]
fn a_new_path_name_is_scanned() {
    let Some(fixture) = fixture(&[]) else { return };
    let (name, folder) = (Token::new("staged, file name"), Token::new("staged, folder name"));
    fixture.stage(&format!("{}.txt", name.text()), "x\n");
    fixture.stage(&format!("{}/y.txt", folder.text()), "y\n");
    let results = fixture.scan();
    results.holds_exactly(&[&name, &folder]);
    for token in [&name, &folder] {
        assert_eq!(results.of(token).place().part, "path name");
    }
}

#[test]
fn of_intent_to_add_only_the_name_is_staged() {
    let Some(fixture) = fixture(&[]) else { return };
    let (name, content) = (Token::new("intended, name"), Token::new("intended, content"));
    let path = format!("{}.txt", name.text());
    fixture.repo.write(&path, content.line());
    fixture.repo.git(["add", "--intent-to-add", "--", &path]);
    fixture.scan().holds_exactly(&[&name]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_scanned_as_what_they_say() {
    let Some(fixture) = fixture(&[("plain.txt", b"text\n")]) else { return };
    let (added, changed, behind) =
        (Token::new("staged, link"), Token::new("staged, file to link"), Token::new("staged, behind a link"));
    let outside = fixture.workspace.write("outside.txt", behind.line());
    let link = |target: &str, path: &str| {
        std::os::unix::fs::symlink(target, fixture.repo.path().join(path)).expect("our own folder is writable");
    };
    link(&format!("/srv/{}", added.text()), "link");
    link(outside.to_str().expect("a plain name"), "out");
    fixture.repo.remove("plain.txt");
    link(&format!("/srv/{}", changed.text()), "plain.txt");
    fixture.repo.git(["add", "--all"]);
    let results = fixture.scan();
    results.holds_exactly(&[&added, &changed]);
    for (token, path) in [(&added, "link"), (&changed, "plain.txt")] {
        let place = results.of(token).place();
        assert_eq!((place.path.as_str(), place.part.as_str()), (path, "link target"));
    }
}

#[test]
fn a_submodule_entry_is_listed_and_no_gap() {
    let Some(fixture) = fixture(&[]) else { return };
    let token = Token::new("staged beside a submodule");
    let entry = format!("160000,{},sub", "1234567890".repeat(4));
    fixture.repo.git(["update-index", "--add", "--cacheinfo", &entry]);
    fixture.stage("a.txt", token.line());
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn it_runs_from_a_folder_below_and_from_a_linked_worktree() {
    let Some(mut fixture) = fixture(&[("deep/er/x.txt", b"x\n")]) else { return };
    let token = Token::new("staged at the top");
    fixture.stage("a.txt", token.line());
    let results = scan(&keytrail(["staged"]).within(fixture.repo.path().join("deep/er")));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().path, "a.txt", "paths count from the top");

    let elsewhere = fixture.workspace.path("linked");
    fixture.repo.git(["worktree", "add", "--quiet", "--detach", elsewhere.to_str().expect("a plain name")]);
    fixture.repo = fixture.repo.at(elsewhere);
    fixture.run().go().exits(0).says(&["nothing"]);
    let other = Token::new("staged in a worktree");
    fixture.stage("b.txt", other.line());
    fixture.scan().holds_exactly(&[&other]);
}

#[test]
fn git_s_variables_name_index_and_repository() {
    let Some(fixture) = fixture(&[]) else { return };
    let token = Token::new("in another index");
    let (index, git_dir) = (fixture.workspace.path("other.index"), fixture.repo.path().join(".git"));
    std::fs::copy(git_dir.join("index"), &index).expect("there is an index");
    fixture.repo.write("a.txt", token.line());
    fixture.repo.git_with(["add", "a.txt"], &[("GIT_INDEX_FILE", index.as_os_str())], b"");
    fixture.run().go().exits(0).says(&["nothing"]);
    scan(&fixture.run().env("GIT_INDEX_FILE", &index)).holds_exactly(&[&token]);
    let elsewhere = fixture.workspace.home();
    let run = keytrail(["staged"]).within(elsewhere).env("GIT_DIR", &git_dir).env("GIT_WORK_TREE", fixture.repo.path());
    scan(&run.env("GIT_INDEX_FILE", &index)).holds_exactly(&[&token]);
}

#[test]
fn an_unborn_branch_has_no_old_side() {
    let workspace = crate::harness::Workspace::new();
    let Some(repo) = workspace.repo("unborn") else { return };
    let fixture = Fixture { workspace, repo };
    fixture.run().go().exits(0).says(&["nothing"]);
    let token = Token::new("staged, unborn");
    fixture.stage("a.txt", token.line());
    fixture.scan().holds_exactly(&[&token]);
}

#[test]
fn nothing_staged_is_said_and_not_called_clean() {
    let Some(fixture) = fixture(&[]) else { return };
    fixture.repo.write("readme.txt", "changed, not staged\n");
    fixture.run().go().exits(0).says(&["nothing"]);
}

#[test]
fn test_folders_are_left_out_and_counted() {
    let token = Token::new("staged, test folder");
    let Some(fixture) = fixture(&[("Cargo.toml", b"[package]\n"), ("src/lib.rs", b"\n")]) else { return };
    fixture.stage("src/__tests__/a.rs", token.line());
    let ran = fixture.run().go().exits(0);
    ran.says(&["--include-tests"]);
    let results = scan(&fixture.run().arg("--include-tests"));
    results.holds_exactly(&[&token]);
}

//! The torture repository: every place that a secret was ever overlooked in, scanned as a working repository, after
//! repacking, and as a mirror clone.

mod build;
mod odd;

pub(crate) use build::torture;

use crate::harness::{Place, Results, Run, Token, Workspace, keytrail, scan};
use build::{Hide, PLACES};

/// `history` of a folder, run elsewhere.
fn history(folder: &str) -> Run {
    keytrail(["history", folder])
}

/// What is wrong with the results for those places; empty when each is found, once, where git says it is.
fn problems(results: &Results, hides: &[&Hide]) -> Vec<String> {
    assert!(!hides.is_empty());
    let mut problems = Vec::new();
    for hide in hides {
        let token = &hide.token;
        let found: Vec<_> = results.findings.iter().filter(|finding| finding.secret == token.text()).collect();
        match found.as_slice() {
            [] => problems.push(format!("{token:?} is not found")),
            [finding] => match finding.places.as_slice() {
                [place] => problems.extend(disagreement(place, hide).map(|what| format!("{token:?}: {what}"))),
                places => problems.push(format!("{token:?} is in {} places: {places:#?}", places.len())),
            },
            _ => problems.push(format!("{token:?} is found {} times", found.len())),
        }
    }
    let expected = |finding: &str| hides.iter().any(|hide| hide.token.text() == finding);
    for (finding, label) in results.findings.iter().zip(results.labels()) {
        if !expected(&finding.secret) {
            problems.push(format!("unexpected: {label} in {:?}", finding.paths()));
        }
    }
    problems
}

/// What a report says of a place that isn't so.
fn disagreement(place: &Place, hide: &Hide) -> Option<String> {
    let token: &Token = &hide.token;
    let path_agrees = match hide.path.split_once(token.text()) {
        None => place.path == hide.path,
        Some((before, after)) => place.path.starts_with(before) && place.path.ends_with(after),
    };
    let wrong = if !path_agrees {
        format!("path is {:?}, not {:?}", place.path, hide.path)
    } else if place.part != hide.part {
        format!("part is {:?}, not {:?}", place.part, hide.part)
    } else if hide.commit.is_some() && place.first != hide.commit {
        format!("first commit is {:?}, not {:?}", place.first, hide.commit)
    } else if hide.last.is_some() && place.last != hide.last {
        format!("last commit is {:?}, not {:?}", place.last, hide.last)
    } else if hide.state.is_some_and(|state| place.state != state) {
        format!("state is {:?}, not {:?}", place.state, hide.state)
    } else if hide.reference.is_some() && place.reference.as_deref() != hide.reference {
        format!("ref is {:?}, not {:?}", place.reference, hide.reference)
    } else if hide.position.is_some_and(|position| (place.line, place.column) != position) {
        format!("position is {:?}, not {:?}", (place.line, place.column), hide.position)
    } else {
        return None;
    };
    Some(crate::harness::name_tokens(&wrong))
}

/// Scans `folder` and expects just those places, completely read.
fn finds_all(folder: &str, flags: &[&str], hides: &[&Hide]) {
    let results = scan(&history(folder).args(flags));
    let problems = problems(&results, hides);
    assert!(problems.is_empty(), "{} of {} places:\n{}", problems.len(), hides.len(), problems.join("\n"));
    assert_eq!(results.unread.len(), 0, "{:?}", results.unread);
    assert_eq!(results.code, 1);
}

#[test]
fn every_place_is_found_in_the_working_repository() {
    let Some(torture) = torture() else { return };
    let all: Vec<_> = torture.hides.iter().collect();
    finds_all(torture.repo.spelled(), &["--unreachable"], &all);
}

#[test]
fn only_the_unreachable_blob_needs_its_flag() {
    let Some(torture) = torture() else { return };
    let reachable: Vec<_> = torture.hides.iter().filter(|hide| hide.state != Some("unreachable")).collect();
    assert_eq!(reachable.len(), PLACES - 1);
    finds_all(torture.repo.spelled(), &[], &reachable);
}

#[test]
fn every_place_is_found_after_an_aggressive_gc() {
    let Some(torture) = torture() else { return };
    let workspace = Workspace::new();
    let repo = torture.repo.copy_to(&workspace, "packed");
    repo.git(["gc", "--quiet", "--aggressive", "--prune=never"]);
    let loose = repo.git(["count-objects", "-v"]);
    assert!(loose.lines().any(|line| line == "count: 0"), "all is packed: {loose}");
    let all: Vec<_> = torture.hides.iter().collect();
    finds_all(repo.spelled(), &["--unreachable"], &all);
}

#[test]
fn a_mirror_clone_gives_all_that_git_transfers() {
    let Some(torture) = torture() else { return };
    let workspace = Workspace::new();
    // The clone lands beside its origin; a copy of the origin keeps the shared one as it is.
    let mirror = torture.repo.copy_to(&workspace, "origin").clone_to("mirror.git", &["--mirror"]);
    let (here, absent): (Vec<_>, Vec<_>) =
        torture.hides.iter().partition(|hide| mirror.git_succeeds(&["cat-file", "-e", &hide.object]));
    let absent: Vec<_> = absent.iter().map(|hide| hide.token.label()).collect();
    assert_eq!(absent, ["torture, commit only in the reflog", "torture, unreachable blob"], "what git leaves behind");
    finds_all(mirror.spelled(), &["--unreachable"], &here);
}

#[test]
fn a_range_over_all_of_it_gives_what_its_commits_hold() {
    let Some(torture) = torture() else { return };
    let repo = &torture.repo;
    let begin = repo.git(["rev-list", "--max-parents=0", "main"]);
    let within = |hide: &&Hide| match &hide.commit {
        Some(commit) => repo.git_succeeds(&["merge-base", "--is-ancestor", commit, "main"]),
        None => false,
    };
    let hides: Vec<_> = torture.hides.iter().filter(within).collect();
    assert_eq!(hides.len(), PLACES - 8, "all but side, pull request, tag, note, stash, reflog and unreachable");
    let results = scan(&keytrail(["diff", &format!("{begin}..main")]).within(repo.path()));
    results.holds_exactly(&hides.iter().map(|hide| &hide.token).collect::<Vec<_>>());
    for hide in hides {
        let place = results.of(&hide.token).place();
        assert_eq!((&place.first, place.part.as_str()), (&hide.commit, hide.part), "{:?}", hide.token);
        let position = hide.position.unwrap_or((place.line, place.column));
        assert_eq!((place.line, place.column), position, "{:?}", hide.token);
    }
}

#[test]
fn staging_or_checking_out_all_of_it_shows_what_its_tip_holds() {
    let Some(torture) = torture() else { return };
    let workspace = Workspace::new();
    let repo = torture.repo.copy_to(&workspace, "staged");
    let at_tip = |parts: &'static [&'static str]| {
        let tip = |hide: &&Hide| hide.state == Some("default tip") && parts.contains(&hide.part);
        torture.hides.iter().filter(tip).map(|hide| &hide.token).collect::<Vec<_>>()
    };
    let staged = at_tip(&["content", "link target", "path name"]);
    assert_eq!(staged.len(), 15);
    repo.git(["reset", "--quiet", "--soft", &repo.git(["rev-list", "--max-parents=0", "main"])]);
    scan(&keytrail(["staged"]).within(repo.path())).holds_exactly(&staged);

    let contents = at_tip(&["content"]);
    let found = scan(&keytrail(["files", repo.spelled()])).labels();
    for token in contents {
        assert!(found.contains(&token.label().to_owned()), "{token:?} among {found:?}");
    }
}

#[test]
fn sha_256_repositories_are_read() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.init("sha256", &["--object-format=sha256"]) else { return };
    let token = Token::new("sha-256 repository");
    let commit = repo.commit_file("a.txt", token.line());
    assert_eq!(commit.len(), 64);
    repo.commit_file("a.txt", "gone\n");
    repo.git(["gc", "--quiet"]);
    let results = scan(&history(repo.spelled()));
    results.holds_exactly(&[&token]);
    assert_eq!(results.of(&token).place().first, Some(commit));
}

#[test]
fn objects_are_found_wherever_git_keeps_them() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("scattered") else { return };
    let tokens: Vec<_> = ["first pack", "second pack", "loose", "alternate"].map(Token::new).into();
    for (token, packs) in tokens[..3].iter().zip([true, true, false]) {
        repo.commit_file(&format!("{}.txt", token.label().replace(' ', "-")), token.line());
        if packs {
            repo.git(["repack", "--quiet", "-d"]);
        }
    }
    let counts = repo.git(["count-objects", "-v"]);
    assert!(counts.contains("packs: 2") && !counts.contains("count: 0"), "{counts}");

    let folder = workspace.path("borrowing");
    repo.git(["clone", "--quiet", "--shared", repo.spelled(), folder.to_str().expect("a plain name")]);
    let borrowing = repo.at(folder);
    let (last, path) = (&tokens[3], "alternate.txt");
    borrowing.commit_file(path, last.line());
    assert!(borrowing.path().join(".git/objects/info/alternates").is_file());
    let results = scan(&history(borrowing.spelled()));
    results.holds_exactly(&tokens.iter().collect::<Vec<_>>());
    assert_eq!(results.of(last).place().path, path);
}

#[test]
fn heads_of_linked_worktrees_are_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("main") else { return };
    repo.commit_file("a.txt", "nothing\n");
    let elsewhere = workspace.path("linked");
    repo.git(["worktree", "add", "--quiet", "--detach", elsewhere.to_str().expect("a plain name")]);
    let token = Token::new("detached head of a worktree");
    let linked = repo.at(elsewhere);
    let commit = linked.commit_file("b.txt", token.line());
    // Without its reflog, the worktree's HEAD is all that leads to the commit.
    std::fs::remove_dir_all(repo.path().join(".git/worktrees/linked/logs")).expect("git keeps a reflog of it");
    for folder in [&repo, &linked] {
        let results = scan(&history(folder.spelled()));
        results.holds_exactly(&[&token]);
        assert_eq!(results.of(&token).place().first.as_ref(), Some(&commit));
    }
}

#[test]
fn versions_of_a_file_are_one_place() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("versions") else { return };
    let token = Token::new("many versions");
    let first = repo.commit_file("a.txt", token.line());
    for version in 1..6 {
        repo.commit_file("a.txt", format!("{}{}", "another line\n".repeat(version), token.line()));
    }
    repo.commit_file("copy.txt", token.line());
    let results = scan(&history(repo.spelled()));
    results.holds_exactly(&[&token]);
    let finding = results.of(&token);
    assert_eq!(finding.paths(), ["a.txt", "copy.txt"]);
    let place = &finding.places[0];
    assert_eq!((place.first.as_deref(), place.line), (Some(first.as_str()), 6), "oldest commit, newest line");
}

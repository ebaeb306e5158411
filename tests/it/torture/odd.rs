//! Places beyond the 26: refs to things that are no commits, headers that nobody shows, clocks that lie.

use super::history;
use crate::harness::{Repo, Token, Workspace, scan};

/// Writes an object as it is, however odd.
fn object(repo: &Repo, kind: &str, text: &str) -> String {
    repo.git_with(["hash-object", "-t", kind, "-w", "--literally", "--stdin"], &[], text.as_bytes())
}

#[test]
fn refs_may_lead_to_anything() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("refs") else { return };
    repo.commit_file("a.txt", "text\n");
    let tokens = ["blob", "tree", "tag of a blob", "tag of a tag", "odd ref name space"]
        .map(|what| Token::new(&format!("ref to a {what}")));
    let blob = |token: &Token| repo.blob(token.line().as_bytes());
    repo.git(["update-ref", "refs/keep/blob", &blob(&tokens[0])]);
    let entry = format!("100644 blob {}\tinside.txt\n", blob(&tokens[1]));
    let tree = repo.git_with(["mktree"], &[], entry.as_bytes());
    repo.git(["update-ref", "refs/keep/tree", &tree]);
    repo.git(["tag", "--annotate", "of-blob", &blob(&tokens[2]), "--message", "x"]);
    repo.git(["tag", "--annotate", "inner", &blob(&tokens[3]), "--message", "x"]);
    repo.git(["tag", "--annotate", "outer", "inner", "--message", "x"]);
    repo.git(["tag", "--delete", "inner"]);
    let commit = object(
        &repo,
        "commit",
        &format!(
            "tree {}\nauthor A <a@x> 1700000000 +0000\ncommitter C <c@x> 1700000000 +0000\n\n{}\n",
            repo.id("HEAD^{tree}"),
            tokens[4].text()
        ),
    );
    repo.git(["update-ref", "refs/changes/12/3412/1", &commit]);
    for packed in [false, true] {
        if packed {
            repo.git(["gc", "--quiet"]);
        }
        let results = scan(&history(repo.spelled()));
        results.holds_exactly(&tokens.iter().collect::<Vec<_>>());
        assert_eq!(results.of(&tokens[1]).place().path, "inside.txt");
    }
}

#[test]
fn every_header_of_a_commit_and_a_tag_is_scanned() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("headers") else { return };
    let parent = repo.commit_file("a.txt", "text\n");
    let token = |what: &str| Token::new(&format!("header, {what}"));
    let names =
        ["committer", "author's address", "encoding", "signature", "merged tag", "unknown", "tagger", "tag's name"];
    let tokens = names.map(token);
    let [committer, address, encoding, signature, merged, unknown, tagger, tag] = tokens.each_ref().map(Token::text);
    let commit = object(
        &repo,
        "commit",
        &format!(
            "tree {}\nparent {parent}\nauthor A <{address}@x> 1700000000 +0000\ncommitter C {committer} <c@x> 1700000000 +0000\n\
         encoding {encoding}\nmergetag object {parent}\n type commit\n tag t\n tagger T <t@x> 1700000000 +0000\n \n {merged}\n\
         x-unknown {unknown}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n {signature}\n -----END PGP SIGNATURE-----\n\nmessage\n",
            repo.id("HEAD^{tree}")
        ),
    );
    repo.git(["update-ref", "refs/heads/main", &commit]);
    let object = object(
        &repo,
        "tag",
        &format!("object {commit}\ntype commit\ntag {tag}\ntagger T {tagger} <t@x> 1700000000 +0000\n\nmessage\n"),
    );
    repo.git(["update-ref", "refs/tags/plain", &object]);
    scan(&history(repo.spelled())).holds_exactly(&tokens.iter().collect::<Vec<_>>());
}

#[test]
fn the_first_commit_comes_before_its_children_whatever_their_clocks_say() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("clocks") else { return };
    let (inherited, parallel) = (Token::new("clock, inherited"), Token::new("clock, on two branches"));
    repo.commit_file("readme.txt", "hello\n");
    let at = |seconds: &str, path: &str, text: &str| {
        repo.write(path, text);
        repo.git(["add", "--all"]);
        let date = [("GIT_COMMITTER_DATE", seconds.as_ref()), ("GIT_AUTHOR_DATE", seconds.as_ref())];
        repo.git_with(["commit", "--quiet", "--message", "Change"], &date, b"");
        repo.id("HEAD")
    };
    let first = at("@1900000000 +0000", "a.txt", &inherited.line());
    at("@1000000000 +0000", "a.txt", &format!("more\n{}", inherited.line()));
    repo.git(["switch", "--quiet", "--create", "other"]);
    at("@1950000000 +0000", "b.txt", &parallel.line());
    repo.git(["switch", "--quiet", "main"]);
    let older = at("@1940000000 +0000", "b.txt", &parallel.line());
    let results = scan(&history(repo.spelled()));
    results.holds_exactly(&[&inherited, &parallel]);
    assert_eq!(results.of(&inherited).place().first, Some(first));
    assert_eq!(results.of(&parallel).place().first, Some(older), "of two that don't know each other, the older");
}

#[test]
fn several_roots_and_octopus_merges_are_walked() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("roots") else { return };
    let tokens = ["one", "two", "three", "own"].map(|name| Token::new(&format!("octopus, {name}")));
    repo.commit_file("readme.txt", "hello\n");
    for token in &tokens[..3] {
        let name = token.label().replace(", ", "-");
        repo.git(["switch", "--quiet", "--orphan", &name]);
        repo.commit_file(&format!("{name}.txt"), token.line());
    }
    repo.git(["switch", "--quiet", "main"]);
    let tree = repo.git(["write-tree"]);
    let words =
        ["commit-tree", &tree, "-p", "main", "-p", "octopus-one", "-p", "octopus-two", "-p", "octopus-three", "-m"];
    let merge = repo.git(words.iter().copied().chain([tokens[3].text()]));
    for name in ["octopus-one", "octopus-two", "octopus-three"] {
        repo.git(["branch", "--quiet", "--delete", "--force", name]);
    }
    repo.git(["update-ref", "refs/heads/main", &merge]);
    repo.git(["reflog", "expire", "--expire=all", "--all"]);
    repo.git(["reset", "--quiet"]);
    scan(&history(repo.spelled())).holds_exactly(&tokens.iter().collect::<Vec<_>>());
}

#[test]
fn a_bare_repository_is_read_like_any_other() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("work") else { return };
    let token = Token::new("in a bare repository");
    let commit = repo.commit_file("a.txt", token.line());
    let bare = repo.clone_to("bare.git", &["--bare"]);
    for run in [history(bare.spelled()), crate::harness::keytrail(["history"]).within(bare.path())] {
        let results = scan(&run);
        results.holds_exactly(&[&token]);
        assert_eq!(results.of(&token).place().first.as_ref(), Some(&commit));
    }
}

//! Rule files in gitleaks' format, end to end: what depends on paths and commits, what is extended from where, and what
//! is refused. What depends on contents alone is tested beside the code.

use crate::harness::{Ran, Results, Run, Token, Workspace, keytrail, scan};

/// A rule that finds `acme-` and digits.
const ACME: &str = "[[rules]]\nid = \"Acme.Key\"\ndescription = \"Key of Acme.\"\nregex = '''acme-[0-9]{12}'''\nkeywords = [\"acme-\"]\n";

/// A value that the rule finds: always the same of that label.
fn acme(label: &str) -> Token {
    let sum = label.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(1_000_003).wrapping_add(u64::from(byte)));
    Token::other(label, &format!("acme-{:012}", sum % 1_000_000_000_000))
}

/// A scan of the folder `tree` under a rule file with this text.
fn files(workspace: &Workspace, rules: &str) -> Run {
    let rules = workspace.write("g.toml", rules);
    keytrail(["files", "."]).within(workspace.path("tree")).arg("--rules").arg(rules)
}

/// The paths that the finding of a token has, none if it isn't found.
fn paths(results: &Results, token: &Token) -> Vec<String> {
    let found = results.findings.iter().filter(|finding| finding.secret == token.text());
    found.flat_map(|finding| finding.paths().into_iter().map(str::to_owned)).collect()
}

#[test]
fn without_extend_only_the_file_s_rules_apply() {
    let workspace = Workspace::new();
    let (token, own) = (Token::new("found by a built-in rule"), acme("found by the file's rule"));
    workspace.write("tree/a.txt", format!("{}{}\n", token.line(), own.text()));
    let alone = scan(&files(&workspace, ACME));
    alone.holds_exactly(&[&own]);
    assert_eq!(alone.findings[0].text("rule"), "Acme.Key");
    assert!(alone.notes.iter().any(|note| note.contains("built-in rules don't apply")), "{:?}", alone.notes);
    let both = scan(&files(&workspace, &format!("[extend]\nuseDefault = true\n{ACME}")));
    both.holds_exactly(&[&token, &own]);
    let pat = both.of(&token).text("rule");
    let less = format!("[extend]\nuseDefault = true\ndisabledRules = [\"{pat}\"]\n{ACME}");
    let less = scan(&files(&workspace, &less));
    assert!(less.findings.iter().all(|finding| finding.text("rule") != pat));
}

#[test]
fn a_rule_is_for_its_paths() {
    let workspace = Workspace::new();
    let token = acme("at two paths");
    workspace.write("tree/conf/a.env", format!("{}\n", token.text()));
    workspace.write("tree/conf/b.txt", format!("{}\n", token.text()));
    let everywhere = scan(&files(&workspace, ACME));
    assert_eq!(paths(&everywhere, &token), ["conf/a.env", "conf/b.txt"]);
    let results = scan(&files(&workspace, &format!("{ACME}path = '''(^|/)conf/.*\\.env$'''\n")));
    assert_eq!(paths(&results, &token), ["conf/a.env"]);
    assert_eq!(results.excluded("allowlist"), 0, "a rule for other paths excuses nothing");
    let none = scan(&files(&workspace, &format!("{ACME}path = '''^src/'''\n")));
    none.holds_exactly(&[]);
}

#[test]
fn a_rule_for_a_path_takes_nothing_from_one_for_all() {
    let workspace = Workspace::new();
    let token = Token::new("also under a rule for another path");
    workspace.write("tree/a.txt", token.line());
    let rules = "[extend]\nuseDefault = true\n[[rules]]\nid = \"elsewhere\"\nregex = '''with ([0-9a-zA-Z_]+)'''\npath = '''\\.env$'''\n";
    let results = scan(&files(&workspace, rules));
    results.holds_exactly(&[&token]);
    assert_ne!(results.of(&token).text("rule"), "elsewhere");
}

#[test]
fn allowlists_excuse_paths_and_are_counted() {
    let workspace = Workspace::new();
    let token = acme("here and there");
    workspace.write("tree/docs/a.md", format!("{}\n", token.text()));
    workspace.write("tree/src/a.rs", format!("{}\n", token.text()));
    for list in [
        "[[allowlists]]\npaths = ['''^docs/''']\n",
        "[[rules.allowlists]]\npaths = ['''\\.md$''']\n",
        "[[rules.allowlists]]\ncondition = \"AND\"\npaths = ['''\\.md$''']\nregexes = ['''^acme''']\n",
        "[[allowlists]]\ntargetRules = [\"Acme.Key\"]\npaths = ['''^docs/''']\n",
    ] {
        let results = scan(&files(&workspace, &format!("{ACME}{list}")));
        assert_eq!(paths(&results, &token), ["src/a.rs"], "{list}");
        assert_eq!(results.excluded("allowlist"), 1, "{list}");
    }
    let other = "[[rules.allowlists]]\ncondition = \"AND\"\npaths = ['''\\.md$''']\nregexes = ['''^other''']\n";
    let results = scan(&files(&workspace, &format!("{ACME}{other}")));
    assert_eq!(paths(&results, &token), ["docs/a.md", "src/a.rs"]);
}

#[test]
fn allowlists_of_the_file_are_for_extended_rules_too() {
    let workspace = Workspace::new();
    let token = Token::new("where an allowlist excuses a built-in rule");
    workspace.write("tree/docs/a.md", token.line());
    let list = "[extend]\nuseDefault = true\n[allowlist]\npaths = ['''^docs/''']\n";
    let results = scan(&files(&workspace, list));
    results.holds_exactly(&[]);
    assert_eq!((results.code, results.excluded("allowlist")), (0, 1));
    files(&workspace, list).go().exits(0).says(&["1 place left out by allowlists of rule files"]);
}

#[test]
fn a_commit_that_is_allowed_excuses_later_versions_too() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("allowed") else { return };
    let (old, new) = (acme("of an allowed commit"), acme("of the commit after it"));
    let first = repo.commit_file("a.txt", format!("{}\n", old.text()));
    repo.commit_file("a.txt", format!("{}\n{}\n", old.text(), new.text()));
    let rules = |id: &str| format!("{ACME}[[rules.allowlists]]\ncommits = [\"{id}\"]\n");
    let run = |id: &str| {
        keytrail(["history", "."]).within(repo.path()).arg("--rules").arg(workspace.write("g.toml", rules(id)))
    };
    scan(&run(&first.to_uppercase())).holds_exactly(&[&new]);
    scan(&run(&"0".repeat(40))).holds_exactly(&[&old, &new]);
}

#[test]
fn what_is_staged_is_new_however_many_rules_see_it() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("staged") else { return };
    let (old, new) = (acme("committed before"), acme("staged now"));
    let two = format!("{ACME}{}", ACME.replace("Acme.Key", "again").replace("keywords", "path = '''a'''\nkeywords"));
    repo.commit_file("a.txt", format!("{}\n", old.text()));
    repo.write("a.txt", format!("{0}\n{0}\n{1}\n", old.text(), new.text()));
    repo.git(["add", "."]);
    let run = keytrail(["staged"]).within(repo.path()).arg("--rules").arg(workspace.write("g.toml", two));
    let results = scan(&run);
    results.holds_exactly(&[&old, &new]);
    assert_eq!(results.of(&new).record["also"][0], "again");
    repo.write("a.txt", format!("{}\n{}\n", old.text(), new.text()));
    repo.git(["add", "."]);
    scan(&run).holds_exactly(&[&new]);
}

/// A rule for a path alone.
const KEY_FILES: &str = "[[rules]]\nid = \"key-files\"\ndescription = \"Key file.\"\npath = '''(?i)(^|/)keys/[^/]*\\.(?:p12|pfx)$'''\n\
                         [[rules.allowlists]]\npaths = ['''sample''']\n";

/// The paths of all findings.
fn all_paths(results: &Results) -> Vec<&str> {
    assert!(results.findings.iter().all(|finding| finding.text("rule") == "key-files"));
    results.findings.iter().flat_map(|finding| finding.paths()).collect()
}

#[test]
fn a_rule_for_a_path_alone_finds_files() {
    let workspace = Workspace::new();
    for path in
        ["keys/a.P12", "b/keys/c.pfx", "b/keys/a.P12", "keys/a.txt", "keys/sample.p12", "other/a.p12", "keys/x/a.p12"]
    {
        workspace.write(&format!("tree/{path}"), "no secret in here\n");
    }
    let run = files(&workspace, KEY_FILES);
    let results = scan(&run);
    assert_eq!(all_paths(&results), ["b/keys/a.P12", "keys/a.P12", "b/keys/c.pfx"], "one finding a name");
    assert_eq!((results.code, results.findings.len(), results.excluded("allowlist")), (1, 2, 1));
    assert!(results.findings.iter().all(|finding| finding.places.iter().all(|place| place.part == "path name")));
    run.go().exits(1).says(&["Key file", "the file itself", "keys/a.P12"]).doesnt_say(&["redacted"]);
}

#[test]
fn files_are_found_by_their_paths_in_git_too() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("named") else { return };
    let rules = workspace.write("g.toml", KEY_FILES);
    let run = |command: &str| keytrail([command]).within(repo.path()).arg("--rules").arg(&rules);
    let first = repo.commit_file("keys/a.p12", "one");
    repo.commit_file("keys/a.p12", "two");
    repo.git(["rm", "-q", "keys/a.p12"]);
    repo.commit_file("doc.txt", "see keys/b.p12\n");
    let results = scan(&run("history"));
    assert_eq!(all_paths(&results), ["keys/a.p12"]);
    let place = results.findings[0].place();
    assert_eq!((place.state.as_str(), place.first.as_deref()), ("history only", Some(first.as_str())));
    repo.write("keys/b.pfx", "new");
    repo.write("doc.txt", "keys/b.p12 and keys/c.p12\n");
    repo.git(["add", "."]);
    assert_eq!(all_paths(&scan(&run("staged"))), ["keys/b.pfx"]);
    repo.git(["commit", "-q", "-m", "keys/d.p12"]);
    assert_eq!(all_paths(&scan(&run("diff").arg("HEAD~1..HEAD"))), ["keys/b.pfx"]);
    repo.write("keys/b.pfx", "changed");
    repo.git(["add", "."]);
    assert_eq!(all_paths(&scan(&run("staged"))), [""; 0], "the path was there before");
}

#[test]
fn a_chain_is_two_files_deep() {
    let workspace = Workspace::new();
    let token = acme("found by a rule two files away");
    workspace.write("tree/a.txt", format!("{}\n", token.text()));
    workspace.write("tree/one.toml", "[extend]\npath = \"two.toml\"\n");
    workspace.write("tree/two.toml", ACME);
    let own = "[extend]\npath = \"one.toml\"\n";
    scan(&files(&workspace, own)).holds_exactly(&[&token]);
    workspace.write("tree/two.toml", format!("[extend]\npath = \"three.toml\"\n{ACME}"));
    workspace.write("tree/three.toml", ACME);
    files(&workspace, own).go().exits(2).says(&["two.toml", "three.toml", "more than 2"]);
    workspace.write("tree/one.toml", "[extend]\npath = \"none.toml\"\n");
    files(&workspace, own).go().exits(2).says(&["one.toml", "none.toml", "no such file"]);
}

#[test]
fn the_configuration_s_rule_files_extend_files_of_the_same_side() {
    let workspace = Workspace::new();
    let Some(repo) = workspace.repo("sides") else { return };
    let token = acme("staged under staged rules");
    repo.write(".keytrail.toml", "version = 1\n[rules]\nfiles = [\"rules/own.toml\"]\n");
    repo.write("rules/own.toml", "[extend]\npath = \"rules/base.toml\"\n");
    repo.write("rules/base.toml", ACME);
    repo.write("a.txt", format!("{}\n", token.text()));
    repo.git(["add", "."]);
    // What the work tree says now is not what is committed.
    repo.write("rules/base.toml", ACME.replace("acme-", "other-"));
    scan(&keytrail(["staged"]).within(repo.path())).holds_exactly(&[&token]);
    repo.write("rules/own.toml", "[extend]\npath = \"../outside.toml\"\n");
    repo.git(["add", "."]);
    keytrail(["staged"]).within(repo.path()).go().exits(2).says(&["rules/own.toml", "../outside.toml"]);
}

#[test]
fn the_slow_lane_is_named_and_finds_the_same() {
    let workspace = Workspace::new();
    let token = acme("without a longest match");
    workspace.write("tree/a.txt", format!("x {} y\n", token.text()));
    let slow = ACME.replace("{12}", "+");
    let results = scan(&files(&workspace, &slow));
    results.holds_exactly(&[&token]);
    assert!(results.notes.iter().any(|note| note.contains("Acme.Key") && note.contains("slow")), "{:?}", results.notes);
}

/// What `files` says of a rule file that it refuses.
fn refused(rules: &str) -> Ran {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", "nothing\n");
    files(&workspace, rules).go().exits(2)
}

#[test]
fn what_can_not_be_had_is_refused_by_line() {
    refused("[[rules]]\nid = 'a'\npath = '''^conf/'''\n").says(&["g.toml:1", "`a`", "how the path of a file ends"]);
    refused("[[rules]]\nid = 'a'\nregex = 'a(?=b)'\nkewords = ['x']\n").says(&[
        "g.toml:3",
        "look-around",
        "g.toml:4",
        "`kewords`",
    ]);
    refused("[allowlist]\npaths = ['x']\n").says(&["no rule active", "[extend]"]);
    refused("[extend]\nuseDefault = true\n[[rules]]\nid = 'jwt'\nregex = '['\n").says(&["g.toml:5", "`regex`"]);
}

#[test]
fn two_files_may_not_bring_the_same_rules() {
    let workspace = Workspace::new();
    workspace.write("tree/a.txt", "nothing\n");
    let run = |one: &str, two: &str| {
        let (one, two) = (workspace.write("one.toml", one), workspace.write("two.toml", two));
        keytrail(["files", "."]).within(workspace.path("tree")).arg("--rules").arg(one).arg("--rules").arg(two).go()
    };
    let default = "[extend]\nuseDefault = true\n";
    run(ACME, ACME).exits(2).says(&["two.toml", "Acme.Key", "one.toml too"]);
    run(default, default).exits(2).says(&["two.toml", "only one file may"]);
    run(default, ACME).exits(0);
    let ours = "[[rule]]\nid = \"own-key\"\nname = \"Own\"\npattern = 'own-[0-9]{12}'\nkeywords = [\"own-\"]\n";
    run(ACME, ours).exits(0);
}

#[test]
fn rules_are_listed_and_shown() {
    let workspace = Workspace::new();
    let rules = workspace.write(
        "g.toml",
        format!("{ACME}tags = [\"acme\", \"key\"]\nentropy = 1.5\n[[rules.allowlists]]\npaths = ['x']\n"),
    );
    let list = keytrail(["rules", "list"]).arg("--rules").arg(&rules).go().exits(0);
    list.says(&["Acme.Key", "Key of Acme", "1 rule active", "built-in rules don't apply"]);
    let show = keytrail(["rules", "show", "Acme.Key"]).arg("--rules").arg(&rules).go().exits(0);
    show.says(&["acme-[0-9]{12}", "fast", "more than 1.5", "1 paths", "acme, key"]);
}

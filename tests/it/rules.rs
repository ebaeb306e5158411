//! `keytrail rules show` and `rules test`.

use crate::harness::{Workspace, keytrail};

#[test]
fn a_rule_is_shown_with_all_there_is_to_know() {
    let shown = keytrail(["rules", "show", "github-pat"]).go().exits(0);
    let shown =
        shown.says(&["GitHub", "ghp_", "severity", "high", "github-crc32", "fast", "what to do", "1. ", "CWE-798"]);
    shown.says(&["‹redacted›"]);
    keytrail(["rules", "show", "private-key"]).go().exits_one_of(&[0, 2]);
}

#[test]
fn a_rule_that_is_not_there_is_told() {
    keytrail(["rules", "show", "github-pa"]).go().exits(2).says(&["no rule `github-pa`", "github-pat"]);
    keytrail(["rules", "show", "zzz"]).go().exits(2).says(&["keytrail rules list"]);
    keytrail(["rules", "show"]).go().exits(2);
}

#[test]
fn built_in_rules_pass_their_tests() {
    keytrail(["rules", "test"]).go().exits(0).says(&["all pass", "examples and counterexamples of"]);
}

/// A rule file with these examples and counterexamples.
fn own(examples: &str, counterexamples: &str) -> String {
    format!(
        "[[rule]]\nid = \"own-key\"\nname = \"Own key\"\nkeywords = [\"ownkey-\"]\npattern = '''\\b(ownkey-[0-9a-f]{{16}})\\b'''\n\
         examples = [{examples}]\ncounterexamples = [{counterexamples}]\n"
    )
}

#[test]
fn failures_of_users_rules_are_told_with_their_reasons() {
    let workspace = Workspace::new();
    let test = |text: &str| keytrail(["rules", "test"]).arg(workspace.write("own.toml", text)).go();
    test(&own("\"ownkey-<<hex:16>>\"", "\"ownkey-<<hex:15>>\"")).exits(0).says(&[
        "2 examples",
        "of 1 rules",
        "all pass",
    ]);
    test(&own("\"ownkey-<<hex:15>>\"", "")).exits(1).says(&["own.toml", "`own-key`", "keyword is there", "1 fail"]);
    test(&own("\"other\"", "")).exits(1).says(&["no keyword and no match"]);
    test(&own("\"ownkey-0000000000000000\"", "")).exits(1).says(&["`placeholder`", "drops it"]);
    test(&own("\"<<none:1>>\"", "")).exits(1).says(&["unknown generator `none`"]);
    test(&own("", "\"ownkey-<<hex:16>>\"")).exits(1).says(&["counterexample", "it is found, with confidence"]);
    test("[[rule]]\nid = \"Bad Id\"\n").exits(2).says(&["own.toml"]);
    test("[[rules]]\nid = \"a\"\nregex = \"ab\"\n").exits(0).says(&["of 1 rules", "1 rules have none"]);
}

#[test]
fn what_the_model_is_trained_on_holds_no_value() {
    let workspace = Workspace::new();
    let (value, name) = (["kX9mmq", "2zzLq7Rt"].concat(), ["pass", "word"].concat());
    workspace.write("tree/a.env", format!("DB_{} = '{value}'\n", name.to_uppercase()));
    workspace.write("tree/tests/b.py", format!("{name} = '{value}'\n"));
    let candidates = keytrail(["bench", "candidates", "."]).within(workspace.path("tree"));
    candidates
        .go()
        .exits(0)
        .says(&["\"features\":[\"name:password\"", "a.env", "generic-password", "b.py"])
        .doesnt_say(&[&value]);
    candidates.arg("--skip-tests").go().exits(0).says(&["a.env"]).doesnt_say(&["b.py"]);
}

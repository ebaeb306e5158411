//! The documented semantics of gitleaks' format, one test each, and every mistake with its line.

use super::*;
use crate::engine::{Engine, built_in_rules, reference};

/// Loads one file.
fn loaded(text: &str) -> Loaded {
    load(&[Source { name: "g.toml", text }], &built_in_rules()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// What is wrong with one file.
fn wrong(text: &str) -> Vec<String> {
    match load(&[Source { name: "g.toml", text }], &built_in_rules()) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

/// An engine of these rules, which has to agree with the reference on `text`; its findings as `rule=secret`.
fn findings(rules: &[Arc<Rule>], text: &str) -> Vec<String> {
    let engine = Engine::new(rules.to_vec()).expect("the rules make an engine");
    let scanned = engine.scan(text.as_bytes());
    assert_eq!(scanned.matches, reference::scan(&engine, text.as_bytes()).matches, "{text:?}");
    let alive = scanned.matches.iter().filter(|found| !found.dropped);
    alive
        .map(|found| format!("{}={}", engine.rule(found.rule).id, &text[found.raw.secret.start..found.raw.secret.end]))
        .collect()
}

/// The findings of one file's rules in a text.
fn found(toml: &str, text: &str) -> Vec<String> {
    findings(&loaded(toml).rules, text)
}

/// A rule with these lines.
fn rule(id: &str, lines: &str) -> String {
    format!("[[rules]]\nid = \"{id}\"\n{lines}\n")
}

#[test]
fn files_are_told_apart_by_what_is_in_them() {
    for (text, theirs) in [
        ("[[rules]]\nid = 'a'\n", true),
        ("[[Rules]]\nid = 'a'\n", true),
        ("title = 'x'\n[extend]\nuseDefault = true\n", true),
        ("[[allowlists]]\npaths = ['a']\n", true),
        ("[[rules.allowlists]]\nbroken =\n", true),
        ("[[rule]]\nid = 'a'\n", false),
        ("[[contextual]]\nid = 'a'\n", false),
        ("", false),
    ] {
        assert_eq!(is_gitleaks(text), theirs, "{text}");
    }
}

#[test]
fn the_secret_is_the_group_the_first_filled_group_or_the_match() {
    let cases = [
        ("regex = '''acme_(x?)([0-9]{4})_([a-z]+)'''", "a=1234"),
        ("regex = '''acme_(x?)([0-9]{4})_([a-z]+)'''\nsecretGroup = 3", "a=abc"),
        ("regex = '''acme_[0-9]{4}_[a-z]+'''", "a=acme_1234_abc"),
        ("regex = '''\\n?acme_[0-9]{4}_abc\\n'''", "a=acme_1234_abc"),
    ];
    for (lines, expected) in cases {
        assert_eq!(found(&rule("a", lines), "x\nacme_1234_abc\ny"), [expected], "{lines}");
    }
}

#[test]
fn groups_are_found_by_matching_the_matched_text_again() {
    // In the text `key` is no whole word before `=`; by itself, the match begins and ends at edges.
    let toml = rule("a", r"regex = '''=(?:\b(abc)\b|(abc))'''");
    assert_eq!(found(&toml, "key=abcd"), ["a=abc"]);
    let engine = Engine::new(loaded(&toml).rules).expect("an engine");
    let groups = engine.scan(b"key=abcd").matches;
    assert_eq!(groups[0].raw.secret, crate::location::Span::new(4, 7));
}

#[test]
fn keywords_stand_anywhere_in_the_text_in_any_case() {
    let toml = rule("a", "regex = '''\\bz[0-9]{6}\\b'''\nkeywords = ['Acme', 'corp']");
    assert_eq!(found(&toml, "z123456 and nothing"), Vec::<String>::new());
    assert_eq!(found(&toml, "z123456\n...\naCME"), ["a=z123456"]);
    let engine = Engine::new(loaded(&toml).rules).expect("an engine");
    assert_eq!(engine.slow_rules(), ["a"]);
}

#[test]
fn a_keyword_in_every_match_and_a_longest_match_make_a_fast_rule() {
    for (lines, fast) in [
        ("regex = '''acme_[0-9]{6}'''\nkeywords = ['acme_']", true),
        ("regex = '''(?i)acme_[0-9]{6}'''\nkeywords = ['ACME_']", true),
        ("regex = '''(?i)task_key[^\"]{0,20}[0-9]{6}'''\nkeywords = ['task_key']", true),
        ("regex = '''acme_[0-9]+'''\nkeywords = ['acme_']", false),
        ("regex = '''acme_[0-9]{6}'''", false),
        ("regex = '''acme_[0-9]{6}'''\nkeywords = ['a_']", false),
        ("regex = '''acme_[0-9]{6}'''\nkeywords = ['other']", false),
    ] {
        let engine = Engine::new(loaded(&rule("a", lines)).rules).expect("an engine");
        assert_eq!(engine.slow_rules().is_empty(), fast, "{lines}");
    }
    let toml = rule("a", "regex = '''(?i)task_key[^\"]{0,20}([0-9]{6})'''\nkeywords = ['task_key']");
    for text in ["TASK_key é = 123456", "ta\u{17f}\u{212a}_KEY 123456", "task_task_key\n 123456"] {
        assert_eq!(found(&toml, text), ["a=123456"], "{text}");
    }
}

#[test]
fn a_secret_that_is_not_above_the_entropy_is_dropped() {
    let toml = |entropy: &str| rule("a", &format!("regex = '''k=([a-z]{{4}})'''\nentropy = {entropy}"));
    assert_eq!(found(&toml("2"), "k=abcd"), Vec::<String>::new(), "2 bits are not above 2");
    assert_eq!(found(&toml("1.99"), "k=abcd"), ["a=abcd"]);
    assert_eq!(found(&toml("0"), "k=aaaa"), ["a=aaaa"], "0 asks nothing");
}

#[test]
fn allowlists_hold_by_any_criterion_or_by_all() {
    let list = |lines: &str| rule("a", &format!("regex = '''k=([a-z0-9]{{4,9}})'''\n[[rules.allowlists]]\n{lines}"));
    let text = "x k=test1234 y\n";
    for (lines, reported) in [
        ("regexes = ['''^test''']", false),
        ("regexes = ['''^k=''']", true),
        ("regexTarget = 'match'\nregexes = ['''^k=''']", false),
        ("regexTarget = 'match'\nregexes = ['''^x''']", true),
        ("regexTarget = 'line'\nregexes = ['''^x .* y$''']", false),
        ("stopwords = ['TEST']", false),
        ("stopwords = ['other', 't12']", false),
        ("stopwords = ['x']", true),
        ("regexes = ['''^no''']\nstopwords = ['test']", false),
        ("condition = 'AND'\nregexes = ['''^no''']\nstopwords = ['test']", true),
        ("condition = '&&'\nregexes = ['''4$''']\nstopwords = ['test']", false),
        ("condition = '||'\nregexes = ['''^no''']\nstopwords = ['test']", false),
        ("condition = 'AND'\nstopwords = ['test']", false),
        // These wait for the place.
        ("paths = ['''a''']", true),
        ("condition = 'AND'\npaths = ['''a''']\nstopwords = ['test']", true),
    ] {
        assert_eq!(!found(&list(lines), text).is_empty(), reported, "{lines}");
    }
}

#[test]
fn what_waits_for_its_place_is_only_what_the_content_has_not_decided() {
    let toml = rule(
        "a",
        "regex = '''k=([a-z0-9]{4,9})'''\n[[rules.allowlists]]\ncondition = 'AND'\npaths = ['a']\nstopwords = ['test']\n\
         [[rules.allowlists]]\npaths = ['b']\n",
    );
    let engine = Engine::new(loaded(&toml).rules).expect("an engine");
    let pending = |text: &str| engine.scan(text.as_bytes()).matches[0].pending.clone();
    assert_eq!(pending("k=test1"), [0, 1]);
    assert_eq!(pending("k=other"), [1], "without the stopword the first can't hold");
}

#[test]
fn old_single_allowlists_are_read_and_not_both() {
    let toml = rule("a", "regex = '''k=([a-z]{4})'''\n[rules.allowlist]\nstopwords = ['test']");
    assert_eq!(found(&toml, "k=test k=abcd"), ["a=abcd"]);
    let both = format!("{}[allowlist]\npaths=['a']\n[[allowlists]]\npaths=['b']\n", rule("a", "regex = 'k=b'"));
    assert!(wrong(&both)[0].starts_with("g.toml:4: [allowlist] and [[allowlists]] can't both"), "{:?}", wrong(&both));
}

#[test]
fn allowlists_of_the_file_are_for_all_rules_or_for_their_targets() {
    let rules = rule("a", "regex = '''a=([a-z]{4})'''") + &rule("b", "regex = '''b=([a-z]{4})'''");
    let all = format!("{rules}[[allowlists]]\nstopwords = ['test']\n");
    assert_eq!(found(&all, "a=test b=test a=abcd"), ["a=abcd"]);
    let one = format!("{rules}[[allowlists]]\ntargetRules = ['b']\nstopwords = ['test']\n");
    assert_eq!(found(&one, "a=test b=test"), ["a=test"]);
    let none = format!("{rules}[[allowlists]]\ntargetRules = ['c']\nstopwords = ['test']\n");
    assert_eq!(wrong(&none), ["g.toml:8: `targetRules` names `c`, which is no rule"]);
}

#[test]
fn required_rules_must_match_near() {
    let toml = |required: &str| {
        rule("id", "regex = '''id=([0-9]{4})'''\nskipReport = true")
            + &rule("key", "regex = '''key=([a-z]{4})'''")
            + &format!("[[rules.required]]\nid = 'id'\n{required}")
    };
    for (required, text, reported) in [
        ("", "key=abcd\n\n\n\nid=1234", true),
        ("", "key=abcd", false),
        ("withinLines = 2", "key=abcd\n\nid=1234", true),
        ("withinLines = 2", "key=abcd\n\n\nid=1234", false),
        ("withinLines = 0", "id=1234 key=abcd", true),
        ("withinColumns = 8", "id=1234 key=abcd", true),
        ("withinColumns = 7", "id=1234 key=abcd", false),
        ("withinColumns = 0", "id=1234\n\n\nkey=abcd", true),
        ("withinLines = 1\nwithinColumns = 0", "id=1234\nkey=abcd", true),
        ("withinLines = 1\nwithinColumns = 0", "id=1234\n key=abcd", false),
    ] {
        let expected: &[&str] = if reported { &["key=abcd"] } else { &[] };
        assert_eq!(found(&toml(required), text), expected, "{required} on {text:?}");
    }
}

#[test]
fn a_required_match_must_itself_be_a_finding() {
    let toml = rule("id", "regex = '''id=([0-9]{4})'''\n[[rules.allowlists]]\nstopwords = ['0000']")
        + &rule("key", "regex = '''key=([a-z]{4})'''\n[[rules.required]]\nid = 'id'\n");
    assert_eq!(found(&toml, "id=0000 key=abcd"), Vec::<String>::new());
    assert_eq!(found(&toml, "id=1234 key=abcd"), ["id=1234", "key=abcd"]);
}

#[test]
fn without_extend_the_built_in_rules_do_not_apply() {
    let loaded = loaded(&rule("a", "regex = '''k=b'''"));
    assert_eq!((loaded.rules.len(), loaded.uses_built_in), (1, false));
    let only_an_allowlist = "[[allowlists]]\npaths = ['a']\n";
    assert!(wrong(only_an_allowlist)[0].contains("no rule active"), "{:?}", wrong(only_an_allowlist));
    let auxiliary = rule("a", "regex = 'k=b'\nskipReport = true");
    assert!(wrong(&auxiliary)[0].contains("no rule active"), "{:?}", wrong(&auxiliary));
}

#[test]
fn built_in_rules_are_extended_changed_and_disabled() {
    let all = built_in_rules();
    let toml = "[extend]\nuseDefault = true\ndisabledRules = ['jwt', 'none-such']\n\
                [[rules]]\nid = 'github-pat'\n[[rules.allowlists]]\nregexes = ['''^ghp_a''']\n\
                [[rules]]\nid = 'own'\nregex = 'own=([a-z]{4})'\n";
    let loaded = loaded(toml);
    assert!(all.iter().any(|rule| rule.id == "jwt"), "the test names a rule that is there");
    assert_eq!(loaded.rules.len(), all.len(), "one less, one more");
    assert!(!loaded.rules.iter().any(|rule| rule.id == "jwt"));
    assert_eq!(loaded.notes.len(), 1, "{:?}", loaded.notes);
    assert!(loaded.notes[0].starts_with("g.toml:3: `disabledRules` names `none-such`"));
    let pat = loaded.rules.iter().find(|rule| rule.id == "github-pat").expect("it is there");
    assert_eq!(pat.terms.as_ref().map(|terms| terms.allowlists.len()), Some(1));
    let tokens: Vec<String> = (0..200)
        .map(|seed| crate::specimen::expand("<<github:ghp_>>", seed).expect("a template"))
        .map(|token| String::from_utf8(token).expect("it is text"))
        .collect();
    let (allowed, other): (Vec<_>, Vec<_>) = tokens.iter().partition(|token| token.starts_with(concat!("ghp", "_a")));
    assert!(!allowed.is_empty());
    for (token, reported) in [(allowed[0], false), (other[0], true)] {
        let found = findings(&loaded.rules, &format!("x {token} own=abcd"));
        assert_eq!(found.iter().any(|one| one.ends_with(token.as_str())), reported);
        assert!(found.contains(&"own=abcd".to_owned()));
    }
}

#[test]
fn a_regex_replaces_a_built_in_pattern() {
    let toml = "[extend]\nuseDefault = true\n[[rules]]\nid = 'github-pat'\nregex = '''ghq_([a-z]{4})'''\n";
    let found = findings(&loaded(toml).rules, "x ghq_abcd ghp_");
    assert_eq!(found, ["github-pat=abcd"], "the built-in keywords stay, and one of them must be there");
    assert_eq!(findings(&loaded(toml).rules, "x ghq_abcd"), Vec::<String>::new());
}

#[test]
fn a_file_extends_another_and_lists_grow() {
    let base =
        rule("a", "description = 'base'\nregex = '''k=([a-z]{4})'''\nkeywords = ['one']\nentropy = 1\ntags = ['t']")
            + &rule("b", "regex = 'b=([a-z]{4})'");
    let own = "[extend]\npath = 'base.toml'\ndisabledRules = ['b']\n".to_owned()
        + &rule("a", "keywords = ['two']\ntags = ['u']\n[[rules.allowlists]]\nstopwords = ['test']");
    let chain = [Source { name: "own.toml", text: &own }, Source { name: "base.toml", text: &base }];
    let loaded = load(&chain, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(super::base(&own).as_deref(), Some("base.toml"));
    let [a] = loaded.rules.as_slice() else { panic!("one rule: {:?}", loaded.rules) };
    assert_eq!((a.description.as_ref(), a.keywords.len()), ("base", 2));
    assert_eq!(a.terms.as_ref().map(|terms| terms.tags.join(" ")), Some("t u".to_owned()));
    assert_eq!(findings(&loaded.rules, "two k=abcd k=test k=aaaa b=abcd"), ["a=abcd"]);
}

#[test]
fn keys_are_the_same_in_any_case() {
    let toml = "TITLE = 'x'\n[[RULES]]\nID = 'a'\nRegex = 'k=([a-z])([a-z]{3})'\nSECRETGROUP = 2\n[[RULES.AllowLists]]\nStopWords = ['bad']\n";
    assert_eq!(found(toml, "k=abcd k=xbad"), ["a=bcd"]);
    let twice = rule("a", "regex = 'k=b'\nRegex = 'k=c'");
    assert!(wrong(&twice)[0].contains("`Regex` stands twice") || wrong(&twice)[0].contains("`regex` stands twice"));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = "titel = 'x'\n[extend]\nuseDefault = true\npath = 'a'\n[[rules]]\nregex = 'a('\ncolour = 1\n\
                [[rules]]\nid = 'b'\nkeywords = 'x'\nentropy = 'high'\nsecretGroup = -1\n\
                [[rules.allowlists]]\ncondition = 'XOR'\nregexTarget = 'file'\n[[rules.required]]\nwithinLines = 1\n";
    let expected = [
        (1, "unknown key `titel`"),
        (2, "[extend] has both"),
        (5, "[[rules]] without `id`"),
        (6, "`regex`: unclosed group"),
        (7, "unknown key `colour`"),
        (10, "`keywords` in [[rules]]: expected a list of texts, not string"),
        (11, "`entropy` in [[rules]]: expected a number"),
        (12, "`secretGroup` in [[rules]]: expected a whole number"),
        (13, "an allowlist needs"),
        (14, "no condition `xor`"),
        (15, "no target `file`"),
        (16, "[[rules.required]] without `id`"),
    ];
    let wrong = wrong(text);
    for (line, what) in expected {
        let told = wrong.iter().any(|it| it.starts_with(&format!("g.toml:{line}: ")) && it.contains(what));
        assert!(told, "{line}: {what} is not in {wrong:#?}");
    }
    assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
}

#[test]
fn rules_that_can_not_be_had_are_mistakes() {
    for (toml, what) in [
        (rule("a", "description = 'x'"), "it needs a `regex` or a `path`"),
        (rule("a", "path = '''\\.env'''"), "doesn't say how the path of a file ends"),
        (
            rule("a", "path = '[.]p$'") + "[[rules.required]]\nid = 'b'\n" + &rule("b", "regex = 'ab'"),
            "can't require others",
        ),
        (rule("a", "regex = 'a*'"), "matches the empty text"),
        (rule("a", "regex = 'a(b)'\nsecretGroup = 2"), "there is no group 2, the regex has 1"),
        (rule("a", "regex = 'ab'\nkeywords = ['']"), "an empty text is in everything"),
        (rule("a", "regex = 'a(?=b)'"), "look-around"),
        (rule("a", "regex = '(?:[^x]{1000}){1000}'"), "larger than 8 MiB"),
        (rule("a\\n", "regex = 'ab'"), "printable ASCII"),
        (rule("--", "regex = 'ab'"), "a letter or digit"),
        (rule("a", "regex = 'ab'\n[[rules.required]]\nid = 'b'"), "requires `b`, which is no rule"),
        (rule("a", "regex = 'ab'\n[[rules.required]]\nid = 'a'"), "requires `a`, itself"),
        (rule("a", "regex = 'ab'") + &rule("a", "regex = 'cd'"), "stands twice"),
        (
            "[extend]\nuseDefault = true\n".to_owned() + &rule("jwt", "secretGroup = 1"),
            "can't be changed without a `regex`",
        ),
        (
            rule("p", "regex = 'ab'\npath = 'x'") + &rule("a", "regex = 'ab'\n[[rules.required]]\nid = 'p'"),
            "asks for a path or commit of its own",
        ),
        ("[[rules]\n".to_owned(), "g.toml:1: "),
    ] {
        let wrong = wrong(&toml);
        assert!(wrong.iter().any(|it| it.contains(what)), "{toml}: {what} is not in {wrong:?}");
    }
}

#[test]
fn what_a_base_brings_can_be_taken_out() {
    let base = rule("a", "regex = 'ab'") + &rule("key-files", "path = '\\.p12'");
    let own = "[extend]\npath = 'base.toml'\ndisabledRules = ['key-files']\n";
    let chain = [Source { name: "own.toml", text: own }, Source { name: "base.toml", text: &base }];
    let loaded = load(&chain, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(loaded.rules.iter().map(|rule| rule.id.as_ref()).collect::<Vec<_>>(), ["a"]);
    let mistakes = load(&chain[1..], &[]).expect_err("by itself it can't be had");
    assert!(mistakes[0].reason.contains("how the path of a file ends"), "{mistakes:?}");
}

#[test]
fn what_does_nothing_is_noted() {
    let toml = "[extend]\nurl = 'https://example.com'\n".to_owned()
        + &rule("a", "regex = 'ab'\n[[rules.allowlists]]\ncommits = ['abc123']");
    let notes = loaded(&toml).notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("g.toml:2: `url`") && notes[1].contains("`abc123` in `commits`"), "{notes:?}");
}

#[test]
fn rules_that_are_for_other_places_own_nothing() {
    let toml =
        rule("everywhere", "regex = '''k=([a-z]{4})'''") + &rule("there", "regex = '''k=([a-z]{4})'''\npath = 'x'");
    assert_eq!(found(&toml, "k=abcd"), ["everywhere=abcd", "there=abcd"]);
    let same = rule("one", "regex = '''k=([a-z]{4})'''") + &rule("two", "regex = '''k=([a-z]{4})'''");
    assert_eq!(found(&same, "k=abcd"), ["one=abcd"], "the other is told beside it");
}

#[test]
fn hostile_files_end_in_an_answer() {
    let pieces = [
        "[[rules]]\nid = 'a'\nregex = 'k=([a-z]+)'\n",
        "[[rules]]\nid = 'b'\nregex = '(?i)key([0-9]{4})|()'\nkeywords = ['key']\n",
        "[[rules.allowlists]]\nregexTarget = 'line'\nregexes = ['a']\n",
        "[[rules.required]]\nid = 'a'\nwithinLines = 3\n",
        "[[rules.required]]\nid = 'c'\n",
        "[[allowlists]]\npaths = ['x']\n",
        "condition = 'AND'\n",
        "targetRules = ['a']\n",
        "stopwords = ['b']\n",
        "secretGroup = 1\n",
        "entropy = 3.5\n",
        "regex = '['\n",
        "x = {y = 1}\n",
        "= 1\n",
    ];
    let (mut state, mut good) = (3_u64, 0);
    for _ in 0..3_000 {
        let mut text = String::from("[[rules]]\nid = 'c'\nregex = 'c=([a-z]{1,9})'\n");
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        if let Ok(loaded) = load(&[Source { name: "g.toml", text: &text }], &[]) {
            good += 1;
            drop(Engine::new(loaded.rules).expect("what loads makes an engine"));
        }
    }
    assert!(good > 20, "only {good} loaded");
}

//! What Go's expressions match, matched by ours.

use super::*;
use crate::gitleaks::compiles;

/// The first match of a Go expression in a text.
fn found<'t>(go: &str, text: &'t [u8]) -> Option<&'t [u8]> {
    let translated = translate(go).unwrap_or_else(|reason| panic!("{go}: {reason}"));
    compiles(&translated.pattern).unwrap_or_else(|reason| panic!("{go}: {reason}"));
    let regex = regex_automata::meta::Regex::builder()
        .syntax(regex_automata::util::syntax::Config::new().unicode(false).utf8(false))
        .configure(regex_automata::meta::Regex::config().utf8_empty(false))
        .build(&translated.pattern)
        .unwrap_or_else(|error| panic!("{go}: {error}"));
    regex.find(text).map(|found| &text[found.range()])
}

#[test]
fn expressions_match_what_they_match_in_go() {
    let cases: &[(&str, &str, Option<&str>)] = &[
        // Perl classes and edges of words are ASCII.
        (r"\d+", "٣ 12", Some("12")),
        (r"\w+", "é_b", Some("_b")),
        (r"\W", "é", Some("é")),
        (r"\s", "\u{a0}\u{b}\t", Some("\t")),
        (r"\S+", "\u{b}x y", Some("\u{b}x")),
        (r"\D", "1é", Some("é")),
        (r"\bb", "éb", Some("b")),
        (r"\Bb", "ab", Some("b")),
        // `(?i)` folds Unicode.
        ("(?i)key", "\u{212a}EY", Some("\u{212a}EY")),
        ("(?i)pass", "pa\u{17f}S", Some("pa\u{17f}S")),
        ("(?i)straße", "STRAßE", Some("STRAßE")),
        ("(?i)é", "É", Some("É")),
        ("(?i)[k-s]+", "\u{212a}\u{17f}a", Some("\u{212a}\u{17f}")),
        ("key", "\u{212a}ey", None),
        ("a(?i)b|c", "C", Some("C")),
        ("(?i:a)b", "AB", None),
        // `.` and line breaks.
        ("a.b", "a\nb", None),
        ("(?s)a.b", "a\nb", Some("a\nb")),
        ("[^a]", "\n", Some("\n")),
        // Characters are counted, not bytes.
        ("=.{0,3}!", "=ééé!", Some("=ééé!")),
        ("=.{0,3}!", "=éééé!", None),
        ("=[^x]{2}!", "=é𝄞!", Some("=é𝄞!")),
        ("[^é]+", "aéb", Some("a")),
        ("[à-ö]+", "xéàz", Some("éà")),
        // Ends.
        ("b$", "b\na", None),
        ("(?m)b$", "b\na", Some("b")),
        ("(?m)^a", "b\na", Some("a")),
        ("b$", "ab", Some("b")),
        (r"b\z", "ab", Some("b")),
        (r"\Aa", "ba", None),
        // Quotes, escapes, braces that count nothing.
        (r"\Qa.b*\E+", "a.b**", Some("a.b**")),
        (r"\Q[x", "[x", Some("[x")),
        (r"\x41\x{1F600}", "A😀", Some("A😀")),
        (r"\xe9", "é", Some("é")),
        (r"\101\060", "A0", Some("A0")),
        (r"\_\<\-\/\@", "_<-/@", Some("_<-/@")),
        (r"a{,2}", "a{,2}", Some("a{,2}")),
        (r"{x}", "{x}", Some("{x}")),
        (r"x{2,3}?", "xxx", Some("xx")),
        (r"(?U)x+", "xxx", Some("x")),
        // Classes: what Rust would read otherwise.
        (r"[[a&&b~~c-]+", "[&~-c", Some("[&~-c")),
        (r"[]a]+", "a]", Some("a]")),
        (r"[[:word]+", "[:word", Some("[:word")),
        (r"[^]a]", "]ab", Some("b")),
        (r"[\w.-]+", "a-.b ", Some("a-.b")),
        (r"[a-]+", "-ab", Some("-a")),
        (r"[+--]+", ",-+.", Some(",-+")),
        (r"[\]\-\\x]+", r"]-\x", Some(r"]-\x")),
        (r"[[:alpha:][:^digit:]_]+", "ab_9", Some("ab_")),
        (r"[\Da]", "1a", Some("a")),
        (r"\p{Lu}\pL", "xÉé", Some("Éé")),
        (r"[^\P{Lu}x]", "xÉ", Some("É")),
        (r"\p{^Lu}", "Éx", Some("x")),
        // Named groups, both ways to write them.
        (r"(?P<1st>a)(?<b>b)", "ab", Some("ab")),
        // The first branch that matches wins.
        ("a|ab", "ab", Some("a")),
    ];
    for (go, text, expected) in cases {
        let found = found(go, text.as_bytes()).map(String::from_utf8_lossy);
        assert_eq!(found.as_deref(), *expected, "{go} on {text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_count_as_characters() {
    assert_eq!(found("a.b", b"a\xe9b"), Some(&b"a\xe9b"[..]));
    assert_eq!(found("[^x]{2}b", b"\xff\xfeb"), Some(&b"\xff\xfeb"[..]));
    assert_eq!(found(r"\W", b"\x80"), Some(&b"\x80"[..]));
}

#[test]
fn repeats_go_to_a_thousand() {
    assert_eq!(found("a{1000}", &[b'a'; 1001]).map(<[u8]>::len), Some(1000));
    assert_eq!(found("x.{0,1000}y", &[b"x".as_slice(), &[b'-'; 1000], b"y"].concat()).map(<[u8]>::len), Some(1002));
    assert!(translate("a{1001}").is_err_and(|reason| reason.contains("more than 1000")));
    let large = translate("(?:[^x]{1000}){1000}").expect("it can be read");
    assert!(compiles(&large.pattern).is_err_and(|reason| reason.contains("8 MiB")));
}

#[test]
fn what_go_refuses_is_told() {
    for (go, why) in [
        ("a(?=b)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references"),
        (r"\Z", r"`\Z`"),
        (r"\C", r"`\C`"),
        ("(?x)a", "no flag `x`"),
        ("[b-a]", "backwards"),
        ("[a", "not closed"),
        ("(a", "unclosed"),
        ("[[:word", "not closed"),
        ("[[:none:]]", "[:none:]"),
        (r"a\", "backslash"),
        (r"\x{110000}", "no character"),
        ("*a", "missing"),
        (r"\p{Nothing}", "property"),
    ] {
        let error = translate(go).expect_err(go);
        assert!(error.contains(why), "{go}: {error}");
    }
}

#[test]
fn groups_and_empty_matches_are_counted() {
    let facts = |go: &str| translate(go).map(|it| (it.groups, it.empty));
    assert_eq!(facts(r"(?P<x>a)(b)(?:c)"), Ok((2, false)));
    assert_eq!(facts("a*"), Ok((0, true)));
    assert_eq!(facts(r"\b"), Ok((0, true)));
}

#[test]
fn hostile_expressions_end_in_an_answer() {
    let pieces =
        ["(", ")", "[", "]", "^", "\\", "{", "}", "2", ",", "a", "-", "?", "P", "<", ":", "é", "Q", "p", "x", "|"];
    let mut state = 5_u64;
    let mut read = 0;
    for _ in 0..20_000 {
        let mut go = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            go.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        if let Ok(translated) = translate(&go) {
            read += 1;
            let again = ParserBuilder::new().unicode(false).utf8(false).build().parse(&translated.pattern);
            assert!(again.is_ok(), "{go:?} became {:?}", translated.pattern);
        }
    }
    assert!(read > 100, "only {read} could be read");
    assert!(translate(&"(".repeat(LONGEST)).is_err());
    assert!(translate(&"a".repeat(LONGEST + 1)).is_err());
}

//! What a configuration may say, and how its mistakes are told.

use super::*;

/// The mistakes of `text`, one a line, without the file's name.
fn mistakes(text: &str) -> Vec<String> {
    let error = Config::parse(text.as_bytes(), "k.toml").expect_err("there are mistakes");
    error.lines().map(|line| line.strip_prefix("k.toml:").expect("every mistake names its file").to_owned()).collect()
}

#[test]
fn everything_that_may_stand_there_is_read() {
    let text = r#"
version = 1

[scan]
include-tests = true
exclude = ["vendor/", "*.min.js"]
max-file-size = "10M"
memory = "1G"
confidence = "high"
jobs = 3
platform = "aws"

[rules]
disable = ["github-pat"]
enable-only = ["github-pat", "stripe-key"]
files = ["security/rules.toml"]

[[suppress]]
rule = "generic-secret"
path = "docs/**"
reason = "made up for the manual"
until = 2027-01-31
owner = "ann"

[[suppress]]
fingerprint = "v1:00112233445566778899aabbccddeeff"
reason = "revoked"

[[accept-unread]]
path = "assets/*.bin"
reason = "encrypted by design"
until = "2027-02-28"

[[accept-unread]]
object = "0123456789ABCDEF0123456789abcdef01234567"
reason = "lost before 2019"
"#;
    let config = Config::parse(text.as_bytes(), "k.toml").expect("it is well-formed");
    assert_eq!(config.include_tests, Some(true));
    assert_eq!(config.exclude, ["vendor/", "*.min.js"]);
    assert_eq!(config.max_file_size, Some(10 << 20));
    assert_eq!(config.memory, Some(1 << 30));
    assert_eq!(config.confidence, Some(Confidence::High));
    assert_eq!(config.jobs, NonZeroUsize::new(3));
    assert_eq!(config.platform, Some(Platform::Aws));
    assert_eq!(config.disable, [RuleName { id: "github-pat".to_owned(), at: "k.toml:14".to_owned() }]);
    assert_eq!(config.enable_only.map(|names| names.len()), Some(2));
    assert_eq!(config.rule_files, ["security/rules.toml"]);
    let [by_path, by_fingerprint] = &config.suppress[..] else { panic!("{:?}", config.suppress) };
    assert!(by_path.path.as_ref().is_some_and(|path| path.matches(b"docs/a/b.md") && !path.matches(b"src/docs")));
    assert_eq!((by_path.at.as_str(), by_path.owner.as_deref()), ("k.toml:18", Some("ann")));
    let end = jiff::civil::date(2027, 1, 31);
    assert!(by_path.holds(end) && !by_path.holds(end.tomorrow().expect("there is one")));
    assert!(by_fingerprint.fingerprint.is_some() && by_fingerprint.holds(end));
    let [by_path, by_object] = &config.accept_unread[..] else { panic!("{:?}", config.accept_unread) };
    assert!(by_path.holds(end) && !by_path.holds(jiff::civil::date(2027, 3, 1)));
    assert_eq!(by_object.object.as_deref(), Some("0123456789abcdef0123456789abcdef01234567"));
}

#[test]
fn all_mistakes_come_at_once_each_with_its_line() {
    let text = r#"version = 2
colour = "blue"
[scan]
confidence = "sure"
jobs = 0
max-file-size = true
exclude = ["a[", 3]
[rules]
disable = "github-pat"
files = ["../rules.toml"]
[[suppress]]
reason = " "
until = "soon"
[[suppress]]
rule = "GitHub PAT"
[[accept-unread]]
object = "abc"
reason = "x"
until = 2027-01-01T00:00:00Z
"#;
    let expected = [
        "1: `version`: 2 is not known: this keytrail reads version 1",
        "2: unknown key `colour` at the top level: there are accept-unread, rules, scan, suppress, version",
        "4: `confidence`: `sure` is no level of confidence: there are low, medium and high",
        "5: `jobs`: `0` is no number of threads",
        "6: `max-file-size`: expected a text or a number, not a boolean",
        "7: `exclude`: expected a text, not an integer",
        "7: `exclude`: glob `a[`: unclosed character class; missing ']'",
        "9: `disable`: expected a list of texts, not a string",
        "10: `files`: `../rules.toml` is not a `/`-separated path below the folder of this file",
        "11: [[suppress]] names nothing: give a `fingerprint`, a `rule` or a `path`",
        "12: `reason`: it is empty",
        "13: `until`: `soon` is no day like 2027-01-31",
        "14: [[suppress]] without `reason`: say why",
        "15: `rule`: `GitHub PAT` is no rule id: see `keytrail rules list`",
        "17: `object`: `abc` is no object id: write all 40 or 64 hex digits",
        "19: `until`: `2027-01-01T00:00:00Z` is no day like 2027-01-31",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn what_is_no_configuration_is_refused() {
    assert_eq!(mistakes(""), ["1: `version` is missing: begin with `version = 1`"]);
    assert!(mistakes("version = 1\nscan = [\n").iter().all(|line| line.starts_with(['2', '3'])));
    assert!(mistakes("version = 1\nversion = 1\n").iter().any(|line| line.starts_with("2:")));
    assert_eq!(mistakes("version = 1\nscan = 3"), ["2: `scan`: expected a table, not an integer"]);
    assert_eq!(
        mistakes("version = 1\nsuppress = 3"),
        ["2: `suppress`: expected a list of tables, each headed `[[suppress]]`, not an integer"]
    );
    let error = Config::parse(b"version = 1\n\n# \xff\n", "k.toml").expect_err("not UTF-8");
    assert_eq!(error.to_string(), "k.toml:3: the text is not UTF-8");
}

#[test]
fn a_byte_order_mark_and_crlf_do_no_harm() {
    let config = Config::parse(b"\xef\xbb\xbfversion = 1\r\n[scan]\r\njobs = 2\r\n", "k.toml").expect("well-formed");
    assert_eq!(config.jobs, NonZeroUsize::new(2));
}

#[test]
fn a_strangers_text_does_not_steer_the_terminal() {
    let error =
        Config::parse("version = 1\n\"a\u{1b}[2J\\u202e\" = 1\n".as_bytes(), "k.toml").expect_err("unknown key");
    assert!(!error.to_string().contains(['\u{1b}', '\u{202e}']), "{error}");
}

//! Who wins where flag, environment and configuration disagree, and where configuration is looked for.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::*;
use crate::cli::rules::RuleFile;
use crate::cli::{Command, parse};

/// Files of the own repository.
type Files = BTreeMap<(&'static str, &'static str), &'static str>;

/// Word of a side in [`Files`].
fn word(side: Side) -> &'static str {
    match side {
        Side::Index => "index",
        Side::WorkTree => "worktree",
        Side::Head => "head",
        Side::Range(None) => "range",
        Side::Range(Some(trust)) => trust.word(),
    }
}

/// Resolves `line` in a repository with these files and this environment.
fn resolved_in(line: &str, files: &Files, env: &[(&str, &str)]) -> Result<Settings, CliError> {
    let args = std::iter::once("keytrail").chain(line.split_whitespace()).map(OsString::from);
    let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let request = match parse(args, &lookup)? {
        Command::Scan(_, request)
        | Command::ShowConfig(request)
        | Command::ListRules(request)
        | Command::ShowRule(_, request)
        | Command::TestRules { request, .. }
        | Command::Explain(_, request)
        | Command::Baseline(_, request)
        | Command::PurgePlan(_, request)
        | Command::PurgeCheck(_, request)
        | Command::RulesCost(_, request) => request,
        other => panic!("{line} made {other:?}"),
    };
    request.resolve(&mut |source| {
        let side = word(source.side);
        let text = files.iter().find(|((at, path), _)| *at == side && *path == source.path).map(|(_, text)| *text);
        Ok(text.map(|text| ConfigText { bytes: text.into(), name: format!("{} ({side})", source.path) }))
    })
}

/// Resolves `line` with `config` in the work tree.
fn resolved(line: &str, config: &'static str, env: &[(&str, &str)]) -> Settings {
    let files = if config.is_empty() { Files::new() } else { Files::from([(("worktree", FILE_NAME), config)]) };
    resolved_in(line, &files, env).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// What is shown of a setting: value and origin.
fn shown<'s>(settings: &'s Settings, name: &str) -> (&'s str, &'s str) {
    let one = settings.shown.iter().find(|one| one.name == name).expect("the setting is shown");
    (&one.value, &one.origin)
}

/// Flag before environment before configuration before default, for one field. The four values differ.
fn precedence<T: PartialEq + std::fmt::Debug>(
    flag: &str,
    variable: (&str, &str),
    config: &'static str,
    read: impl Fn(&Settings) -> T,
    expected: [T; 4],
) {
    let line = format!("files {flag}");
    let [by_flag, by_environment, by_config, by_default] = expected;
    assert_eq!(read(&resolved(&line, config, &[variable])), by_flag, "flag");
    assert_eq!(read(&resolved("files", config, &[variable])), by_environment, "environment");
    assert_eq!(read(&resolved("files", config, &[])), by_config, "configuration");
    assert_eq!(read(&resolved("files", "", &[])), by_default, "default");
    assert_eq!(read(&resolved("files", config, &[(variable.0, "")])), by_config, "an empty variable is none");
}

#[test]
fn confidence_has_four_layers() {
    // There are three levels, so the default shares one with the flag.
    let config = "version = 1\n[scan]\nconfidence = \"high\"\n";
    let levels = [Confidence::Medium, Confidence::Low, Confidence::High, Confidence::Medium];
    precedence("--confidence medium", ("KEYTRAIL_CONFIDENCE", "low"), config, |s| s.confidence, levels);
}

#[test]
fn platform_has_four_layers() {
    let config = "version = 1\n[scan]\nplatform = \"gcp\"\n";
    let platforms = [Some(Platform::Azure), Some(Platform::Aws), Some(Platform::Gcp), None];
    precedence("--platform azure", ("KEYTRAIL_PLATFORM", "aws"), config, |s| s.platform, platforms);
}

#[test]
fn memory_has_four_layers() {
    let config = "version = 1\n[scan]\nmemory = 3000\n";
    precedence("--memory 1K", ("KEYTRAIL_MEMORY", "2KB"), config, |s| s.memory, [1024, 2000, 3000, 512 << 20]);
}

#[test]
fn max_file_size_has_four_layers() {
    let config = "version = 1\n[scan]\nmax-file-size = 3000\n";
    let sizes = [Some(1024), Some(2000), Some(3000), None];
    precedence("--max-file-size 1K", ("KEYTRAIL_MAX_FILE_SIZE", "2KB"), config, |s| s.max_file_size, sizes);
}

#[test]
fn a_cache_has_three_layers_and_no_configuration() {
    let variable = [("KEYTRAIL_CACHE", "/var/b")];
    let cache = |line, env: &[(&str, &str)]| resolved(line, "", env).cache;
    assert_eq!(cache("history --cache /var/a", &variable), Some("/var/a".into()));
    assert_eq!(cache("history", &variable), Some("/var/b".into()));
    assert_eq!(cache("files", &variable), Some("/var/b".into()), "which nobody opens there");
    assert_eq!(cache("history", &[("KEYTRAIL_CACHE", "")]), None);
    let config = Files::from([(("worktree", FILE_NAME), "version = 1\n[scan]\ncache = \"c\"\njobs = 1\n")]);
    let error = resolved_in("history", &config, &variable).expect_err("it is refused").to_string();
    assert!(error.starts_with(".keytrail.toml (worktree):3: `cache`: ") && !error.contains("unknown"), "{error}");
    let config = Files::from([(("worktree", FILE_NAME), "version = 1\n[scan]\ncach = \"c\"\n")]);
    let error = resolved_in("history", &config, &[]).expect_err("it is unknown").to_string();
    assert!(
        error.contains("unknown key `cach`") && !error.contains("`cache`") && !error.contains(" cache,"),
        "{error}"
    );
}

#[test]
fn jobs_have_four_layers() {
    let config = "version = 1\n[scan]\njobs = 1003\n";
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    precedence("-j 1001", ("KEYTRAIL_JOBS", "1002"), config, |s| s.jobs.get(), [1001, 1002, 1003, threads]);
}

#[test]
fn include_tests_has_four_layers() {
    // A switch has two values, so it takes both directions to see who wins.
    let on = "version = 1\n[scan]\ninclude-tests = true\n";
    let off = "version = 1\n[scan]\ninclude-tests = false\n";
    let variable = "KEYTRAIL_INCLUDE_TESTS";
    let read = |s: &Settings| s.include_tests;
    precedence("--include-tests", (variable, "false"), on, read, [true, false, true, false]);
    precedence("--no-include-tests", (variable, "true"), off, read, [false, true, false, false]);
    assert!(resolved("files --no-include-tests --include-tests", "", &[]).include_tests, "the last one wins");
    assert!(!resolved("files --include-tests --no-include-tests", "", &[]).include_tests, "the last one wins");
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let config = "version = 1\n[scan]\njobs = 2\nexclude = [\"vendor/\"]\n";
    let settings = resolved("files --confidence low --exclude *.log", config, &[("KEYTRAIL_PLATFORM", "aws")]);
    assert_eq!(shown(&settings, "confidence"), ("low", "flag"));
    assert_eq!(shown(&settings, "platform"), ("aws", "environment"));
    assert_eq!(shown(&settings, "jobs"), ("2", ".keytrail.toml (worktree)"));
    assert_eq!(shown(&settings, "include-tests"), ("false", "default"));
    assert_eq!(settings.from, ".keytrail.toml (worktree)");
    assert!(settings.excludes.is_match("a/vendor/b") && settings.excludes.is_match("a/b.log"), "excludes add up");
    assert_eq!(resolved("files", "", &[]).from, "built-in defaults");
}

#[test]
fn configuration_is_looked_for_on_the_side_that_counts_and_nowhere_else() {
    let sides = ["index", "worktree", "head", "base", "range"];
    let levels = [
        "version = 1\n[scan]\njobs = 101\n",
        "version = 1\n[scan]\njobs = 102\n",
        "version = 1\n[scan]\njobs = 103\n",
        "version = 1\n[scan]\njobs = 104\n",
        "version = 1\n[scan]\njobs = 105\n",
    ];
    let all: Files = sides.into_iter().zip(levels).map(|(side, text)| ((side, FILE_NAME), text)).collect();
    let without_work_tree: Files =
        all.iter().filter(|((side, _), _)| *side != "worktree").map(|(k, v)| (*k, *v)).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    for (line, files, expected) in [
        ("staged", &all, 101),
        ("files", &all, 102),
        ("history", &all, 102),
        ("history", &without_work_tree, 103),
        ("config show", &all, 102),
        ("diff --trust base", &all, 104),
        ("diff a..b", &all, 105),
        ("image /mnt", &all, threads),
        ("diff --trust head", &Files::from([(("base", FILE_NAME), levels[0])]), threads),
    ] {
        let settings = resolved_in(line, files, &[]).expect(line);
        assert_eq!(settings.jobs.get(), expected, "{line}");
    }
}

#[test]
fn a_stated_configuration_wins_and_must_be_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("own.toml");
    std::fs::write(&path, "version = 1\n[scan]\njobs = 7\n[rules]\nfiles = [\"more/r.toml\"]\n").expect("writable");
    std::fs::create_dir(folder.path().join("more")).expect("writable");
    std::fs::write(folder.path().join("more/r.toml"), "# rules").expect("writable");
    let repository = Files::from([(("worktree", FILE_NAME), "version = 1\n[scan]\njobs = 9\n")]);
    let spelled = path.display().to_string();
    let by_flag = resolved_in(&format!("files --config {spelled}"), &repository, &[]).expect("it is there");
    assert_eq!((by_flag.jobs.get(), by_flag.from.as_str()), (7, spelled.as_str()));
    assert_eq!(
        by_flag.rules.files,
        [RuleFile { name: "more/r.toml".to_owned(), text: "# rules".to_owned(), base: None }]
    );
    let by_variable = resolved_in("image /mnt", &repository, &[("KEYTRAIL_CONFIG", &spelled)]).expect("it is there");
    assert_eq!(by_variable.jobs.get(), 7);
    let absent = folder.path().join("absent.toml").display().to_string();
    let error = resolved_in(&format!("files --config {absent}"), &repository, &[]).expect_err("it is not there");
    assert!(error.to_string().starts_with(&format!("{absent}: ")), "{error}");
}

#[test]
fn rule_files_come_from_the_side_of_their_configuration() {
    let config = "version = 1\n[rules]\nfiles = [\"r.toml\"]\n";
    let both = Files::from([
        (("index", FILE_NAME), config),
        (("index", "r.toml"), "# staged"),
        (("worktree", "r.toml"), "# not"),
    ]);
    let settings = resolved_in("staged", &both, &[]).expect("it is in the index");
    assert_eq!(
        settings.rules.files,
        [RuleFile { name: "r.toml (index)".to_owned(), text: "# staged".to_owned(), base: None }]
    );
    let elsewhere = Files::from([(("index", FILE_NAME), config), (("worktree", "r.toml"), "# not")]);
    let error = resolved_in("staged", &elsewhere, &[]).expect_err("it is not in the index").to_string();
    assert_eq!(error, ".keytrail.toml (index): rule file `r.toml`: it is not there");
}

#[test]
fn a_hosts_paths_ignore_excludes_and_its_mistakes_are_noted() {
    let host = "paths-ignore:\n  - 'docs/**'\n  - *.md\n  - 'a['\n";
    let files = Files::from([(("worktree", paths_ignore::FILE_NAME), host)]);
    let settings = resolved_in("files", &files, &[]).expect("the host's mistakes stop nothing");
    assert!(settings.excludes.is_match("docs/a/b") && !settings.excludes.is_match("x/docs/a"));
    assert_eq!(settings.notes.len(), 2, "{:?}", settings.notes);
    assert_eq!(shown(&settings, "paths-ignore").1, ".github/secret_scanning.yml (worktree)");
    assert!(!resolved_in("staged", &files, &[]).expect("nothing in the index").excludes.is_match("docs/a"));
}

#[test]
fn fingerprint_keys_come_from_file_or_environment_and_are_long_enough() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "0123456789abcdef\r\n").expect("writable");
    let line = format!("files --fingerprint-key-file {}", path.display());
    let variable = [("KEYTRAIL_FINGERPRINT_KEY", "fedcba9876543210")];
    let key = |settings: Settings| settings.fingerprint_key.map(|key| key.expose().to_vec());
    assert_eq!(key(resolved(&line, "", &variable)).as_deref(), Some(&b"0123456789abcdef"[..]));
    assert_eq!(key(resolved("files", "", &variable)).as_deref(), Some(&b"fedcba9876543210"[..]));
    assert_eq!(key(resolved("files", "", &[])), None);
    let short = resolved_in("files", &Files::new(), &[("KEYTRAIL_FINGERPRINT_KEY", "hunter2hunter2")]);
    let message = short.expect_err("14 bytes are too few").to_string();
    assert!(message.contains("14 bytes") && !message.contains("hunter2"), "{message}");
}

#[test]
fn sarif_is_for_github_where_github_runs_us() {
    let target = |line, env: &[(&str, &str)]| resolved(line, "", env).sarif_target;
    assert_eq!(target("files", &[("GITHUB_ACTIONS", "true")]), SarifTarget::GitHub);
    assert_eq!(target("files", &[("TF_BUILD", "True")]), SarifTarget::Generic);
    assert_eq!(target("files --sarif-target azure-devops", &[("GITHUB_ACTIONS", "true")]), SarifTarget::AzureDevOps);
}

#[test]
fn settings_are_shown_with_the_list_of_test_directories() {
    let config = "version = 1\n[scan]\nconfidence = \"high\"\n[rules]\ndisable = [\"a-rule\"]\n\
                  [[suppress]]\nrule = \"a-rule\"\nreason = \"old\"\nuntil = 2027-01-31\nowner = \"ann\"\n\
                  [[accept-unread]]\npath = \"x/**\"\nreason = \"encrypted\"\n";
    let key = [("KEYTRAIL_FINGERPRINT_KEY", "fedcba9876543210")];
    let text = crate::cli::show::settings(&resolved("config show", config, &key));
    for part in [
        "Settings from .keytrail.toml (worktree)",
        "Not these rules: a-rule",
        ".keytrail.toml (worktree):6: suppresses rule a-rule: old (until 2027-01-31), ask ann",
        "accepts unread path x/**: encrypted",
        "__tests__",
        "For example, not scanned:\n    ",
        "For example, scanned:\n    ",
        "16 bytes",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!text.contains("fedcba"), "{text}");
}

#[test]
fn the_baseline_is_taken_from_the_side_that_counts() {
    let files = Files::from([
        (("index", BASELINE), "of the index"),
        (("worktree", BASELINE), "of the work tree"),
        (("head", BASELINE), "of HEAD"),
        (("range", BASELINE), "of the base"),
    ]);
    let heard = |line: &str, files: &Files| {
        let settings = resolved_in(line, files, &[]).unwrap_or_else(|error| panic!("{line}: {error}"));
        settings.baseline.map(|text| String::from_utf8_lossy(&text.bytes).into_owned())
    };
    let cases = [
        ("staged", Some("of the index")),
        ("files", Some("of the work tree")),
        ("history", Some("of the work tree")),
        ("diff a..b", Some("of the base")),
        ("image x", None),
    ];
    for (line, expected) in cases {
        assert_eq!(heard(line, &files).as_deref(), expected, "{line}");
    }
    let only_head = Files::from([(("head", BASELINE), "of HEAD")]);
    assert_eq!(heard("history", &only_head).as_deref(), Some("of HEAD"));
    let named = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(named.path(), "named").expect("it is ours");
    let line = format!("history --baseline {}", named.path().display());
    assert_eq!(heard(&line, &files).as_deref(), Some("named"));
}

#[test]
fn what_a_change_would_have_is_what_its_base_has_not() {
    let (old, new) =
        ("[[suppress]]\npath = \"a\"\nreason = \"old\"\n", "[[suppress]]\npath = \"b\"\nreason = \"new\"\n");
    let base = format!("version = 1\n[scan]\nexclude = [\"x\"]\n{old}");
    let head = format!("version = 1\n[scan]\nexclude = [\"x\", \"y\"]\n# moved\n\n{old}{new}");
    let (base, head): (&'static str, &'static str) = (base.leak(), head.leak());
    let files = Files::from([
        (("range", FILE_NAME), base),
        (("head", FILE_NAME), head),
        (("head", paths_ignore::FILE_NAME), "paths-ignore: [docs]"),
        (("head", BASELINE), "proposed"),
    ]);
    let proposed = resolved_in("diff a..b", &files, &[]).expect("both are well formed").proposed;
    let reasons: Vec<_> = proposed.suppress.iter().map(|entry| entry.reason.as_str()).collect();
    let excluded = |path: &str| proposed.excludes.iter().filter(|(set, _)| set.is_match(path)).count();
    assert_eq!((reasons, excluded("x"), excluded("y"), excluded("docs")), (vec!["new"], 0, 1, 1));
    assert!(proposed.baseline.is_some());
    assert!(resolved_in("history", &files, &[]).expect("it has no base").proposed.baseline.is_none());
}

//! What command lines mean, and how mistakes in them are told.

use super::*;

/// No environment.
fn nothing(_: &str) -> Option<OsString> {
    None
}

/// Parses `line`, split at spaces.
fn parsed_in(line: &str, env: Env<'_>) -> Result<Command, CliError> {
    parse(std::iter::once("keytrail").chain(line.split_whitespace()).map(OsString::from), env)
}

/// Parses `line` with nothing in the environment.
fn parsed(line: &str) -> Result<Command, CliError> {
    parsed_in(line, &nothing)
}

/// The task and reports of a scan.
fn scanned(line: &str) -> (Task, Vec<ReportTo>, Vec<Side>) {
    match parsed(line) {
        Ok(Command::Scan(task, request)) => (task, request.reports, request.sides),
        other => panic!("{line}: {other:?}"),
    }
}

/// The one-line message for `line`.
fn mistake(line: &str) -> String {
    let message = parsed(line).expect_err(line).to_string();
    assert!(!message.contains('\n') && !message.is_empty(), "{line}: {message:?}");
    message
}

#[test]
fn every_command_has_its_task() {
    let here = || vec![PathBuf::from(".")];
    let stated = |base: &str, head: &str, from_merge_base| Range::Stated {
        base: base.to_owned(),
        head: head.to_owned(),
        from_merge_base,
    };
    let diff = |range, trust| Task::Diff { range, trust };
    let table = [
        ("staged", Task::Staged { message: None, extent: Extent::Change }),
        ("staged --message m.txt", Task::Staged { message: Some("m.txt".into()), extent: Extent::Change }),
        ("staged --all", Task::Staged { message: None, extent: Extent::All }),
        ("diff", diff(Range::Environment, None)),
        ("diff a..b", diff(stated("a", "b", false), None)),
        ("diff a...b --trust head", diff(stated("a", "b", true), Some(Trust::Head))),
        ("diff --merge-base main", diff(Range::MergeBase("main".to_owned()), None)),
        ("diff --pre-push", diff(Range::PrePush, None)),
        ("diff --pre-receive --trust base", diff(Range::PreReceive, Some(Trust::Base))),
        ("history", Task::History { repositories: here(), unreachable: false }),
        ("history a b --unreachable", Task::History { repositories: vec!["a".into(), "b".into()], unreachable: true }),
        ("files", Task::Files { roots: vec![FilesRoot::Path(".".into())], gitignore: false }),
        (
            "files - src --gitignore",
            Task::Files { roots: vec![FilesRoot::Stdin, FilesRoot::Path("src".into())], gitignore: true },
        ),
        ("image /mnt", Task::Image { roots: vec!["/mnt".into()], may_touch_atime: false }),
        ("image /mnt --may-touch-atime", Task::Image { roots: vec!["/mnt".into()], may_touch_atime: true }),
    ];
    for (line, task) in table {
        assert_eq!(scanned(line).0, task, "{line}");
    }
    assert!(matches!(parsed("config show --confidence low"), Ok(Command::ShowConfig(_))));
    assert!(matches!(parsed("rules list --rules x.toml"), Ok(Command::ListRules(_))));
}

#[test]
fn the_side_that_supplies_configuration_follows_the_command() {
    for (line, sides) in [
        ("staged", vec![Side::Index]),
        ("diff a..b", vec![Side::Range(None)]),
        ("diff a..b --trust head", vec![Side::Range(Some(Trust::Head))]),
        ("history", vec![Side::WorkTree, Side::Head]),
        ("files", vec![Side::WorkTree, Side::Head]),
        ("image /mnt", Vec::new()),
    ] {
        assert_eq!(scanned(line).2, sides, "{line}");
    }
}

#[test]
fn reports_go_where_they_are_told() {
    let file = |path: &str| output::Target::File(path.into());
    let to = |format, target| ReportTo { format, target };
    let table = [
        ("files", vec![to(ReportFormat::Text, output::Target::Stdout)]),
        ("files -o out", vec![to(ReportFormat::Text, file("out"))]),
        ("files -o -", vec![to(ReportFormat::Text, output::Target::Stdout)]),
        (
            "files --format text --format sarif=a.sarif",
            vec![to(ReportFormat::Text, output::Target::Stdout), to(ReportFormat::Sarif, file("a.sarif"))],
        ),
        (
            "files --format jsonl --format sarif=a -o b",
            vec![to(ReportFormat::JsonLines, file("b")), to(ReportFormat::Sarif, file("a"))],
        ),
    ];
    for (line, reports) in table {
        assert_eq!(scanned(line).1, reports, "{line}");
    }
}

#[test]
fn mistakes_are_one_line_that_says_what_to_change() {
    let table = [
        ("", "no command given: "),
        ("config", "no command given: try `keytrail config show`"),
        ("rules", "no command given: try `keytrail rules list`"),
        ("scan", "there is no command `scan`: say what to scan, as in `keytrail files .`"),
        ("frobnicate", "there is no command `frobnicate`: see `keytrail --help`"),
        ("stagd", "there is no command `stagd`: is it `staged`?"),
        ("staged main", "nothing is expected here like `main`: see `keytrail staged --help`"),
        ("files --formt x", "there is no flag `--formt`: is it `--format`?"),
        ("files --confidence sure", "invalid value 'sure' for '--confidence <LEVEL>'"),
        ("files --platform mars", "invalid value 'mars' for '--platform <PLATFORM>': [possible values: azure, "),
        ("files --max-file-size many", "invalid value 'many' for '--max-file-size <SIZE>': `many` is no size"),
        ("files --jobs 0", "invalid value '0' for '--jobs <N>': `0` is no number of threads"),
        ("files --deadline 1y", "invalid value '1y' for '--deadline <TIME>'"),
        ("files --exit-code 3", "invalid value '3' for '--exit-code <N>': 2 means a usage error"),
        ("files --exclude a[", "invalid value 'a[' for '--exclude <GLOB>': glob `a[`: "),
        ("files --format xml", "invalid value 'xml' for '--format <FORMAT[=FILE]>': no such format"),
        ("files --format text --format jsonl", "--format: text and jsonl would both go to standard output: "),
        ("files --format text=a --format jsonl=a", "--format: text and jsonl would both go to `a`: "),
        ("files --format text=a -o b", "--output: every --format has a file of its own"),
        ("files - -", "`-`: standard input can be read only once"),
        ("files --show-secrets --format sarif", "--show-secrets: not in sarif"),
        ("files --show-secrets --format markdown=x", "--show-secrets: not in markdown"),
        ("files --annotations gitlab", "invalid value 'gitlab' for '--annotations <READER>'"),
        ("report", "the following required arguments were not provided: <REPORT>..."),
        ("report - -", "`-`: standard input can be read only once"),
        ("report a --show-secrets", "there is no flag `--show-secrets`"),
        ("image", "the following required arguments were not provided: <ROOT>..."),
        ("diff main", "range `main`: two ends are needed, as in `BASE..HEAD`"),
        ("diff main..", "range `main..`: no commit after the dots: write `main..HEAD`"),
        ("diff a..b --pre-push", "the argument '[RANGE]' cannot be used with '--pre-push'"),
        ("staged --unreachable", "there is no flag `--unreachable`: "),
        ("history --base-line x", "there is no flag `--base-line`: "),
    ];
    for (line, start) in table {
        let message = mistake(line);
        assert!(message.starts_with(start), "{line}: {message}");
    }
}

#[test]
fn what_has_no_ids_takes_no_cache() {
    for line in ["files --cache x", "image /mnt --cache x"] {
        assert!(mistake(line).starts_with("--cache: not with"), "{line}");
    }
    for line in ["staged --cache x", "diff a..b --cache x", "history --cache x", "config show --cache x"] {
        assert!(parsed(line).is_ok(), "{line}");
    }
}

#[test]
fn an_empty_merge_base_is_a_mistake_of_the_pipeline() {
    let args = ["keytrail", "diff", "--merge-base", ""].map(OsString::from);
    let message = parse(args, &nothing).expect_err("it names nothing").to_string();
    assert!(message.contains("is the pipeline's variable set?"), "{message}");
}

#[test]
fn secrets_are_not_shown_in_pipelines_unless_it_is_meant() {
    let env = |set: &'static [(&'static str, &'static str)]| {
        move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    };
    let line = "files --show-secrets --format jsonl";
    assert!(parsed(line).is_ok());
    for variables in [&[("CI", "true")][..], &[("TF_BUILD", "True")], &[("CI", "1"), ("KEYTRAIL_ALLOW_SHOW", "0")]] {
        assert!(parsed_in(line, &env(variables)).is_err(), "{variables:?}");
    }
    assert!(parsed_in(line, &env(&[("CI", "true"), ("KEYTRAIL_ALLOW_SHOW", "1")])).is_ok());
}

#[test]
fn mistakes_in_the_environment_come_all_at_once() {
    let env = |name: &str| matches!(name, "KEYTRAIL_JOBS" | "KEYTRAIL_PLATFORM").then(|| OsString::from("none"));
    let error = parsed_in("files", &env).expect_err("two mistakes");
    let lines: Vec<String> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("environment variable KEYTRAIL_PLATFORM: `none` is no platform"), "{lines:?}");
    assert!(lines[1].starts_with("environment variable KEYTRAIL_JOBS: `none` is no number"), "{lines:?}");
}

#[test]
fn help_is_printed_and_fits() {
    for line in ["--help", "--version", "files --help", "diff -h", "config show --help", "rules list --help"] {
        let Ok(Command::Print(text)) = parsed(line) else { panic!("{line} prints") };
        assert!(!text.is_empty() && text.lines().all(|line| line.chars().count() <= 100), "{line}: {text}");
    }
    let Ok(Command::Print(help)) = parsed("history --help") else { panic!("it prints") };
    for hidden in ["assume-structure", "full-scan"] {
        assert!(!help.contains(hidden), "{help}");
    }
    assert!(help.contains("Exit codes: 0 clean"), "{help}");
    assert!(parsed("history --assume-structure --full-scan").is_ok());
    let Ok(Command::Print(help)) = parsed("--help") else { panic!("it prints") };
    assert!(!help.contains("bench"), "{help}");
    let Ok(Command::Floor(floor)) = parsed("bench floor some/where --blobs --jobs 3") else { panic!("it measures") };
    assert_eq!((floor.blobs, floor.jobs.get(), floor.repository), (true, 3, "some/where".into()));
}

#[test]
fn disks_are_folders_so_far() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("disk.img");
    std::fs::write(&file, "x").expect("a writable folder");
    assert_eq!(check_image_roots(&[folder.path().to_owned()]), Ok(()));
    let error = check_image_roots(&[file, folder.path().join("absent")]).expect_err("neither is a folder");
    let lines: Vec<String> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("image files and devices aren't supported in this version"), "{lines:?}");
}

#[test]
fn an_argument_can_not_steer_the_terminal() {
    let args = ["keytrail", "files", "--\u{1b}[2Jx"].map(OsString::from);
    let message = parse(args, &nothing).expect_err("no such flag").to_string();
    assert!(!message.contains('\u{1b}'), "{message:?}");
}

#[test]
fn by_hand_under_the_framework_nothing_staged_means_all() {
    let extent = |line: &str, variables: &[(&str, &str)]| {
        let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        match parsed_in(line, &env) {
            Ok(Command::Scan(Task::Staged { extent, .. }, _)) => extent,
            other => panic!("{line}: {other:?}"),
        }
    };
    let (framework, git) = (("PRE_COMMIT", "1"), ("GIT_INDEX_FILE", ".git/index"));
    assert_eq!(extent("staged", &[framework]), Extent::ChangeElseAll);
    assert_eq!(extent("staged", &[framework, git]), Extent::Change);
    assert_eq!(extent("staged", &[("PRE_COMMIT", "")]), Extent::Change);
    assert_eq!(extent("staged --message m", &[framework]), Extent::Change);
    assert_eq!(extent("staged --all", &[framework, git]), Extent::All);
}

#[test]
fn init_has_one_thing_to_do() {
    let task = |line: &str| match parsed(line) {
        Ok(Command::Init(task)) => task,
        other => panic!("{line}: {other:?}"),
    };
    let install = |hooks: &[Hook], force| InitTask::Install { hooks: hooks.to_vec(), force };
    assert_eq!(task("init"), install(&[], false));
    assert_eq!(task("init --hook --force"), install(&[Hook::PreCommit], true));
    assert_eq!(task("init --hook pre-push,commit-msg"), install(&[Hook::PrePush, Hook::CommitMsg], false));
    assert_eq!(task("init --uninstall"), InitTask::Uninstall);
    assert_eq!(task("init --pre-commit"), InitTask::Snippet);
    for line in ["init --uninstall --hook", "init --pre-commit --force", "init --hook post-commit", "init pre-commit"] {
        mistake(line);
    }
}

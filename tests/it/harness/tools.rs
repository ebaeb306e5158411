//! Outside programs that tests need. An absent one makes the test a skip that is named and counted, and a failure
//! under `KEYTRAIL_REQUIRE_TOOLS=1`.

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

/// What was skipped so far: `test: tool`.
static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The path of program `name`, or `None` after noting that this test is skipped for want of it.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .chain([PathBuf::from("/usr/bin").join(name)])
        .chain([PathBuf::from(format!("{name}.exe"))].into_iter().filter(|_| cfg!(windows)))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(name);
    }
    found
}

/// Notes that the running test is skipped for want of the tool `what`.
///
/// # Panics
/// When the environment demands every tool.
pub(crate) fn skip(what: &str) {
    let demanded = env::var_os("KEYTRAIL_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!demanded, "missing tool: {what}");
    note(what);
}

/// Notes that the running test is skipped because whoever runs it may not do `what` (make devices, give files away):
/// no tool to install mends that.
pub(crate) fn skip_for_want_of_rights(what: &str) {
    note(what);
}

/// Adds to the list, and says so past the test runner's capture.
fn note(what: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {what}", thread.name().unwrap_or("unnamed"));
    SKIPPED.lock().expect("no test panics while it holds the list").push(line);
    report();
}

/// Names of what was skipped so far.
pub(crate) fn skipped() -> Vec<String> {
    SKIPPED.lock().expect("no test panics while it holds the list").clone()
}

/// Prints the count and the names, straight to the stream: the test runner hides what passing tests print.
fn report() {
    let names = skipped();
    let line = format!("skipped for want of tools or rights: {} ({})\n", names.len(), names.join(", "));
    std::io::stdout().lock().write_all(line.as_bytes()).expect("standard output is open");
}

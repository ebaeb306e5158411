//! The suite about itself.

use std::io::Write as _;

use crate::harness::skipped;

/// Counts what was skipped. Tests run in any order, so each skip prints the count as well; this one makes sure that a
/// line is there when nothing was skipped.
#[test]
fn zz_skips_are_counted() {
    let names = skipped();
    let line = format!("skipped for want of tools or rights: {} ({})\n", names.len(), names.join(", "));
    std::io::stdout().lock().write_all(line.as_bytes()).expect("standard output is open");
}

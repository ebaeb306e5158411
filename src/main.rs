//! Parse, call, map to an exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    keytrail::run::main(std::env::args_os())
}

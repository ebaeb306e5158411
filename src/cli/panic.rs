//! What is printed when our own code fails: where and which build, never the payload, which may hold scanned bytes.

use std::io::Write as _;
use std::panic::{self, Location};

/// Makes panics say where they happened and nothing else, and turns core dumps off, since a core holds what was
/// scanned. Called once, first thing in `main`. Workers catch their own unwinds; this only decides what is printed.
pub fn install() {
    forbid_core_dumps();
    panic::set_hook(Box::new(|info| {
        let line = describe(info.location(), std::thread::current().name());
        // A panic while printing would end the process without unwinding; a closed stderr is no reason for that.
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }));
}

/// One line for a panic at `location` in the thread called `thread`.
fn describe(location: Option<&Location<'_>>, thread: Option<&str>) -> String {
    let at = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!(
        "keytrail: internal error at {at} (keytrail {}, {}-{}, thread {}): please report this line, it holds nothing \
         of what was scanned",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
        thread.unwrap_or("unnamed"),
    )
}

/// Sets the size limit of core dumps to 0. Where the system refuses, dumps stay as they were.
#[cfg(unix)]
fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    // Lowering a soft limit is always allowed; an error leaves us where we were, and is no reason to stop.
    let _: rustix::io::Result<()> = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// Systems without core dumps: nothing to do.
#[cfg(not(unix))]
fn forbid_core_dumps() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_place_and_build() {
        let here = Location::caller();
        let line = describe(Some(here), Some("worker"));
        assert!(line.contains(here.file()) && line.contains(env!("CARGO_PKG_VERSION")) && line.contains("worker"));
        assert!(describe(None, None).contains("an unknown place"));
    }

    #[test]
    #[cfg(unix)]
    fn core_dumps_are_off() {
        forbid_core_dumps();
        assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Core).current, Some(0));
    }
}

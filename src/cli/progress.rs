//! Progress on a terminal's standard error, for anything that takes over half a second.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::{Env, is_dumb, is_pipeline};

/// Nothing is shown before a scan has taken this long.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line changes at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// What the conductor tells while it works. Called from any thread, often; cheap when nothing is shown.
pub trait Progress: Sync {
    /// What is being done from now on, for people: `reading objects`.
    fn phase(&self, name: &str);

    /// That so many more contents and bytes have been scanned.
    fn tick(&self, contents: u64, bytes: u64);

    /// That nothing more will come: the line is taken away, so that the report starts on a clean one.
    fn done(&self);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str) {}

    fn tick(&self, _: u64, _: u64) {}

    fn done(&self) {}
}

/// One changing line on standard error.
#[derive(Debug)]
pub struct Line {
    /// The line; hidden until [`PATIENCE`] has passed.
    bar: ProgressBar,
    /// When the scan began.
    start: Instant,
    /// Milliseconds after `start` when the line may change again.
    next: AtomicU64,
    /// Contents scanned.
    contents: AtomicU64,
    /// Bytes scanned.
    bytes: AtomicU64,
    /// What is being done.
    phase: Mutex<String>,
}

/// A line when standard error is a terminal that wants one, else nothing: not with `--no-progress` (`wanted` is
/// false), not in pipelines, not on a terminal that can't move its cursor.
#[must_use]
pub fn start(wanted: bool, env: Env<'_>) -> Box<dyn Progress> {
    if wanted && is_shown(env, std::io::stderr().is_terminal()) { Box::new(Line::new()) } else { Box::new(Silent) }
}

/// Whether a stream that is or isn't a terminal gets a progress line.
fn is_shown(env: Env<'_>, is_terminal: bool) -> bool {
    is_terminal && !is_dumb(env) && !is_pipeline(env)
}

impl Line {
    /// A line that starts counting now.
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        Self {
            bar,
            start: Instant::now(),
            next: AtomicU64::new(millis(PATIENCE)),
            contents: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            phase: Mutex::new("scanning".to_owned()),
        }
    }

    /// Redraws the line if it is time to.
    fn redraw(&self) {
        let now = millis(self.start.elapsed());
        let next = self.next.load(Ordering::Relaxed);
        let mine = now >= next
            && self.next.compare_exchange(next, now + millis(INTERVAL), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !mine {
            return;
        }
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_message(self.message()); // draws
    }

    /// What the line says.
    fn message(&self) -> String {
        let phase = self.phase.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (contents, bytes) = (self.contents.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        format!("{phase}: {} contents, {}", HumanCount(contents), DecimalBytes(bytes))
    }
}

impl Progress for Line {
    fn phase(&self, name: &str) {
        super::error::printable(name)
            .clone_into(&mut self.phase.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        self.redraw();
    }

    fn tick(&self, contents: u64, bytes: u64) {
        self.contents.fetch_add(contents, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.redraw();
    }

    fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whole milliseconds.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_line_who_can_not_read_it() {
        let with = |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| value.into());
        assert!(is_shown(&|_: &str| None, true));
        assert!(!is_shown(&|_: &str| None, false));
        assert!(!is_shown(&with("CI", "true"), true));
        assert!(!is_shown(&with("TF_BUILD", "True"), true));
        assert!(!is_shown(&with("TERM", "dumb"), true));
    }

    #[test]
    fn a_short_scan_shows_nothing_and_a_long_one_counts() {
        let line = Line::new();
        line.tick(3, 2048);
        assert!(line.bar.is_hidden());
        line.phase("reading objects");
        line.tick(1, 0);
        assert_eq!(line.message(), "reading objects: 4 contents, 2.05 kB");
        line.done();
    }
}

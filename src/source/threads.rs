//! The threads that all sources share.
//!
//! They are started when there is work for them and not before: to start and to stop them takes longer than to scan the
//! one file that most commits change.

use std::num::NonZeroUsize;

/// Starts `count` threads, unless some run already: later calls in one process keep the first ones, since their number
/// never shows in results.
pub fn start(count: NonZeroUsize) {
    drop(rayon::ThreadPoolBuilder::new().num_threads(count.get()).build_global());
}

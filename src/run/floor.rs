//! `keytrail bench floor`: how long decoding alone takes.

use crate::cli::CliError;
use crate::cli::bench::Floor;
use crate::source::git::floor;
use crate::source::git::repo::{Opening, Repository};

/// Measures, and says what was measured on one line.
pub(super) fn measure(task: &Floor) -> Result<String, CliError> {
    let fail = |error: &dyn std::fmt::Display| CliError::new(error.to_string());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(task.jobs.get()).build().map_err(|error| fail(&error))?;
    let start = cpu();
    let repository = Repository::open(&task.repository, Opening::Named).map_err(|error| fail(&error))?;
    let floor::Floor { objects, bytes, held } = pool.install(|| floor::measure(&repository, task.blobs));
    let seconds = match (start, cpu()) {
        (Some(start), Some(end)) => format!("{:.3}", end - start),
        _ => "unknown".to_owned(),
    };
    Ok(format!("{objects} objects, {bytes} bytes, {seconds} CPU seconds, at most {held} bytes held in bases\n"))
}

/// CPU seconds of this process so far, user and system time of all threads; `None` where the system doesn't tell.
fn cpu() -> Option<f64> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }
    #[cfg(not(unix))]
    {
        None
    }
}

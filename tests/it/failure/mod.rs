//! What can't be read is never passed over: each failure ends with exit code 2 (nothing was scanned) or 3 (not all
//! was), and with a message that names the thing and how to mend it.

mod objects;
mod settings;
mod stores;

use crate::harness::Ran;

/// Words that no failed run may use of what it scanned. (`no findings so far` is fine beside `incomplete`.)
const ALL_CLEAR: [&str; 2] = ["clean", "no secrets"];

/// Expects that exit code, the words, and no word of an all-clear.
fn fails(ran: Ran, code: i32, words: &[&str]) -> Ran {
    ran.exits(code).says(words).doesnt_say(&ALL_CLEAR)
}

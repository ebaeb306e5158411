//! What every test stands on: a folder of its own with a real git in it, the built binary in a scrubbed environment,
//! secrets made at run time, and the two checks that hold for every byte the binary ever prints (no secret in clear,
//! nothing a terminal or a build agent would obey).

mod leaks;
mod results;
mod run;
mod terminal;
mod token;
mod tools;
mod workspace;

pub(crate) use leaks::{check as leaks_in, name_tokens};
pub(crate) use results::{Place, Results};
pub(crate) use run::{Ran, Run, SUITE_LOG, hold_printed, keytrail, scan};
pub(crate) use terminal::check as unsafe_for_terminals;
pub(crate) use token::{Token, registered};
pub(crate) use tools::{skip, skip_for_want_of_rights, skipped, tool};
pub(crate) use workspace::{Repo, Workspace, text_position};

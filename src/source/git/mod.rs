//! Git repositories as sources: opening them without obeying them, reading objects, refs and logs.
//!
//! In: a path. Out: objects by id, the names that lead to them and what is known of the repository. Which objects
//! are scanned, and where they are, is decided by the sources built on top ([`history`], [`staged`], [`diff`]).

mod bits;
mod blobs;
mod cache;
pub mod change;
pub mod ci;
mod config;
mod contexts;
pub mod diff;
mod discover;
mod each;
mod facts;
pub mod floor;
mod graph;
mod handout;
mod head;
pub mod history;
pub mod hooks;
mod index;
mod interest;
mod lfs;
mod listing;
mod names;
mod objects;
mod pack;
mod places;
mod range;
mod rank;
mod refs;
pub mod remains;
pub mod repo;
mod request;
mod revision;
mod roots;
#[cfg(test)]
mod scratch;
mod skeleton;
pub mod staged;
mod stdin_refs;
mod structure;
#[cfg(test)]
mod tests;
mod text;
mod trees;
mod walker;

//! keytrail: a secret scanner that follows leaked keys wherever they lie and shows where they lead.

pub mod blob;
pub mod cache;
pub mod cli;
pub mod engine;
pub mod enrich;
pub mod finding;
pub mod gitleaks;
pub mod location;
pub mod observe;
pub mod place;
pub mod platform;
pub mod policy;
pub mod read;
pub mod report;
pub mod rule;
pub mod run;
pub mod scan;
pub mod secret;
pub mod source;
pub mod specimen;
mod tables;
pub mod view;

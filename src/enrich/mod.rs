//! What a finding means: whose recommendation it is, how old, what to do. Never reopens the scanned tree.

pub mod recommend;
pub mod remedy;

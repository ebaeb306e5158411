//! The built-in data as `build.rs` made it: rules, remedies, placeholder words, the model's weights. Nothing is parsed at start.

use std::borrow::Cow;

use crate::enrich::remedy::Remedy;
use crate::rule::anchor::{Anchor, ByteSet, Check, Run};
use crate::rule::literals::{Entry, Gram, Literals};
use crate::rule::{Confidence, Matcher, Rule, Severity};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

//! How likely an assigned value is a secret, by the trained model over name, value and line.

use super::{Candidate, Filter, Opinion};
use crate::engine::model;

/// The filter.
pub(super) struct Model;

/// Least likelihood of a candidate that is kept at all, percent: chosen with the weights, see `docs/detection.md`.
const LEAST: u8 = 10;

/// Why the model drops a candidate.
pub const UNLIKELY: &str = "name, value and line are not those of a secret";

impl Filter for Model {
    fn id(&self) -> &'static str {
        "model"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let Some(row) = candidate.place.and_then(|(text, raw)| model::features(text, raw)) else {
            return Opinion::Keep;
        };
        match model::percent(&row) {
            ..LEAST => Opinion::Drop(UNLIKELY),
            percent => Opinion::Rate(percent),
        }
    }
}

//! Searching a text and all that is encoded in it.

use super::trace::Found;
use crate::view::{self, View};

/// What was found in a text and in its views, not owned yet.
pub(super) struct Gathered {
    /// The views in which something was found.
    pub(super) views: Vec<View>,
    /// In the text itself, then in each of the views.
    pub(super) found: Vec<Vec<Found>>,
    /// Whether more is encoded than was decoded.
    pub(super) is_cut: bool,
}

/// Adds what `search` finds in the views to what was found in the text itself. `wide`: whether there may be any.
pub(super) fn gather(bytes: &[u8], found: Vec<Found>, wide: bool, search: impl Fn(&[u8]) -> Vec<Found>) -> Gathered {
    let mut gathered = Gathered { views: Vec::new(), found: vec![found], is_cut: false };
    let mut add = |view: &View| {
        let found = search(&view.text);
        if !found.is_empty() {
            gathered.found.push(found);
            gathered.views.push(view.clone());
        }
    };
    let is_all = !wide || view::each(bytes, &mut add);
    Gathered { is_cut: !is_all, ..gathered }
}

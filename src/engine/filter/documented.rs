//! Values that vendors' documentation shows as examples. Some of them pass their own checksum.

use crate::tables::PLACEHOLDER_DOCUMENTED;

use super::{Candidate, Filter, Opinion};

/// The filter. Every rule has it, named or not.
pub(super) struct Documented;

impl Filter for Documented {
    fn id(&self) -> &'static str {
        "documented"
    }

    fn judges_proven(&self) -> bool {
        true
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        if PLACEHOLDER_DOCUMENTED.iter().any(|known| known.as_bytes() == candidate.secret) {
            return Opinion::Drop("it is a documented example");
        }
        Opinion::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn documented_values_go_and_others_stay() {
        let known = PLACEHOLDER_DOCUMENTED.first().expect("the data names some");
        assert!(matches!(opinion("documented", "", known, 0.0), Opinion::Drop(_)));
        assert_eq!(opinion("documented", "", "kX9!mmq2zz", 0.0), Opinion::Keep);
    }
}

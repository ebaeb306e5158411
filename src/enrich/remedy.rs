//! What to do about a secret, per type. The texts are data: `rules/data/remedies.toml`.

use std::borrow::Cow;

use crate::rule::{List, Text};

/// Advice for one kind of secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remedy {
    /// The key rules name it by.
    pub key: Text,
    /// Heading.
    pub title: Text,
    /// In order, for a service that is live.
    pub steps: List<Text>,
    /// The better end state.
    pub end_state: Text,
}

/// The remedy with `key`; the general one when a user's rule names one that isn't there.
pub fn by_key(key: &str) -> &'static Remedy {
    let find = |wanted: &str| crate::tables::REMEDIES.iter().find(|remedy| remedy.key == wanted);
    find(key).or_else(|| find("generic-secret")).unwrap_or(&NONE)
}

/// Stands in where the data has not even a general remedy.
static NONE: Remedy = Remedy {
    key: Cow::Borrowed("none"),
    title: Cow::Borrowed("Revoke and replace it"),
    steps: Cow::Borrowed(&[]),
    end_state: Cow::Borrowed(""),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_general_remedy_for_unknown_keys() {
        assert_eq!(by_key("no such key").key, "generic-secret");
    }
}

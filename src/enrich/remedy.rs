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

    /// Texts that fit whatever there is no better one for.
    const GENERAL: [&str; 6] =
        ["generic-secret", "vendor-token", "password", "signing-secret", "url-credentials", "http-authorization"];

    /// Rules of providers with texts of their own that a general one fits, each with the reason.
    const FITTING: [(&str, &str); 9] = [
        ("amazon-mws-auth-token", "a seller grants and withdraws it; no AWS key"),
        ("amazon-oauth-client-secret", "a shared secret of two applications"),
        ("aws-appsync-api-key", "it is no access key, and opens one API"),
        ("azure-vsac-token", "a user's token of App Center: there is no second key to move to"),
        ("docker-swarm-token", "it is rotated by the swarm, and is no registry's"),
        ("docker-swarm-unlock-key", "it is rotated by the swarm, and is no registry's"),
        ("github-oauth-client-secret", "a shared secret of an application, of which there may be two"),
        ("google-client-pair-secret", "a shared secret of an application, of which there may be two"),
        ("google-oauth-client-secret", "a shared secret of an application, of which there may be two"),
    ];

    #[test]
    fn every_rule_has_the_remedy_of_its_provider() {
        let own = [
            "Amazon AWS",
            "Azure",
            "Azure DevOps",
            "Docker",
            "GitHub",
            "GitLab",
            "Google",
            "Microsoft",
            "PyPI",
            "Slack",
            "npm",
        ];
        let mut general = Vec::new();
        for rule in crate::tables::RULES {
            assert_eq!(by_key(&rule.remediation).key, rule.remediation, "{}", rule.id);
            if own.contains(&&*rule.provider) && GENERAL.contains(&&*rule.remediation) {
                general.push(rule.id.to_string());
            }
        }
        general.sort();
        assert_eq!(general, FITTING.map(|(id, _)| id));
        // What tells nothing but that it is a secret gets the text that says no more.
        let vague = crate::tables::RULES.iter().filter(|rule| rule.remediation == "generic-secret");
        assert_eq!(vague.map(|rule| &*rule.id).collect::<Vec<_>>(), ["generic-secret"]);
    }

    #[test]
    fn every_text_says_what_to_do_and_what_is_better() {
        let mut used: Vec<&str> = crate::tables::RULES.iter().map(|rule| &*rule.remediation).collect();
        // A template is a matter of the place and not of the secret: for rules of users.
        used.push("deployment-template");
        for remedy in crate::tables::REMEDIES {
            assert!(used.contains(&&*remedy.key), "{}: no rule names it", remedy.key);
            assert!(remedy.steps.len() >= 3, "{}", remedy.key);
            let sentences = remedy.steps.iter().chain([&remedy.end_state]);
            for text in sentences {
                assert!(
                    text.ends_with('.') && text.len() > 12 && !text.contains(['\n', '<', '|']),
                    "{}: {text}",
                    remedy.key
                );
            }
            assert!(!remedy.title.ends_with('.') && !remedy.title.is_empty(), "{}", remedy.key);
        }
    }

    #[test]
    fn there_is_a_general_remedy_for_unknown_keys() {
        assert_eq!(by_key("no such key").key, "generic-secret");
    }
}

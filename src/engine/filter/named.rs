//! Names that say of their value that it is none of the secrets a rule looks for: `oauth_id`, `token_url`, `apiKeyName`.

use super::{Candidate, Filter, Opinion};

/// The filter. Every contextual rule has it.
pub(super) struct Named;

/// Last words of names of what is no secret, lower case.
const NO_SECRET: [&[u8]; 37] = [
    b"arn",
    b"checksum",
    b"commit",
    b"count",
    b"date",
    b"digest",
    b"dir",
    b"domain",
    b"email",
    b"endpoint",
    b"expires",
    b"expiry",
    b"file",
    b"filename",
    b"fingerprint",
    b"host",
    b"hostname",
    b"id",
    b"ids",
    b"kind",
    b"length",
    b"name",
    b"path",
    b"port",
    b"ref",
    b"region",
    b"revision",
    b"scope",
    b"scopes",
    b"size",
    b"ttl",
    b"type",
    b"uri",
    b"url",
    b"username",
    b"uuid",
    b"version",
];

impl Filter for Named {
    fn id(&self) -> &'static str {
        "named"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        // Rules for identifiers look for just those.
        if candidate.rule.id.ends_with("-id") {
            return Opinion::Keep;
        }
        // `acmeKeyId string`: a type may stand behind the name.
        let mut ends = candidate.name.split(|byte| byte.is_ascii_whitespace()).filter(|part| !part.is_empty());
        let (first, last) = (ends.next().unwrap_or_default(), ends.next_back().unwrap_or_default());
        if [first, last].iter().any(|part| NO_SECRET.iter().any(|word| last_word(part).eq_ignore_ascii_case(word))) {
            return Opinion::Lower("its name says that it is no secret");
        }
        Opinion::Keep
    }
}

/// The last word of `api_key-ID`, `apiKeyId`, `api.key.id`.
fn last_word(name: &[u8]) -> &[u8] {
    let start = name.iter().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let word = &name[start..];
    // From the last upper-case letter behind a lower-case one, or the last run of upper-case letters.
    let camel = word.windows(2).rposition(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    camel.map_or(word, |at| &word[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn names_of_ids_and_addresses_lower() {
        for name in
            ["HEROKU_OAUTH_ID", "acmeKeyId", "acme.token.url", "acme-key-name", "acmeApiID", "acmeTokenId string"]
        {
            assert!(matches!(opinion("named", name, "kX9!mmq2zz", 0.0), Opinion::Lower(_)), "{name}");
        }
        for name in
            ["", "ACME_TOKEN", "acmeToken", "acmeTokenValid", "acme_key_android", "Acme API key", "acme key string"]
        {
            assert_eq!(opinion("named", name, "kX9!mmq2zz", 0.0), Opinion::Keep, "{name}");
        }
    }
}

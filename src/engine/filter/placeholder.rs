//! Values that say they are none: `your-key-here`, `<password>`, `xxxx…`, documented examples. The words are data:
//! `rules/data/placeholders.toml`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::tables::{PLACEHOLDER_EXACT, PLACEHOLDER_WORDS};

use super::{Candidate, Filter, Opinion};

/// The filter.
pub(super) struct Placeholder;

/// Longest secret whose inside is searched for words, in bytes: in longer random texts any short word may turn up.
const LONGEST_SEARCHED: usize = 200;

/// The words, to be looked for together.
static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(PLACEHOLDER_WORDS)
        .expect("a few short words make an automaton")
});

impl Filter for Placeholder {
    fn id(&self) -> &'static str {
        "placeholder"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let secret = candidate.secret;
        let prefix = candidate.rule.public_prefix.as_bytes();
        if is_masked(secret.strip_prefix(prefix).unwrap_or(secret)) {
            return Opinion::Drop("it is masked");
        }
        if is_bracketed(secret) || holds_a_blank(secret) {
            return Opinion::Drop("it is a placeholder in brackets");
        }
        if secret.len() > LONGEST_SEARCHED {
            return Opinion::Keep;
        }
        if PLACEHOLDER_EXACT.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(secret)) {
            return Opinion::Drop("it is a common placeholder");
        }
        // A run of one letter inside a long value is padding of the format, not a word.
        let counts = |word: &[u8]| !is_run(word) || word.len() * 4 >= secret.len();
        if WORDS.find_overlapping_iter(secret).any(|found| counts(&secret[found.range()])) {
            return Opinion::Drop("it holds a placeholder word");
        }
        Opinion::Keep
    }
}

/// Whether nothing else than a placeholder is there.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    PLACEHOLDER_EXACT.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
        || WORDS.find_overlapping_iter(value).any(|found| found.len() * 4 >= value.len() * 3)
}

/// One character over and over.
fn is_run(word: &[u8]) -> bool {
    word.windows(2).all(|pair| pair[0].eq_ignore_ascii_case(&pair[1]))
}

/// `****`, `xxxxx`, `ghp_XXXXXXXX`, `.....`: a run of one mask character makes up half of it or more. `xxxx-xxxx-xxxx`: so
/// do several runs of four, but for a quarter of it.
fn is_masked(secret: &[u8]) -> bool {
    let masks = |byte: &u8| b"*xX.#?_-\xe2\x80\xa2".contains(byte);
    let longest = secret.chunk_by(|a, b| a == b).filter(|run| masks(&run[0])).map(<[u8]>::len).max().unwrap_or(0);
    let long = |run: &&[u8]| masks(&run[0]) && run.len() >= 4;
    let all: usize = secret.chunk_by(|a, b| a == b).filter(long).map(<[u8]>::len).sum();
    let signs = secret.chunk_by(|a, b| a == b).any(|run| run.len() >= 8 && b"*#?".contains(&run[0]));
    signs || longest >= 4 && (longest * 2 >= secret.len() || all * 4 >= secret.len() * 3)
}

/// `sk-<your key>`, `{"a": "<<b>>"}`: a blank to be filled in, in angle brackets, somewhere in it.
fn holds_a_blank(secret: &[u8]) -> bool {
    let Some(open) = memchr::memchr(b'<', secret) else { return false };
    let Some(len) = memchr::memchr(b'>', &secret[open..]) else { return false };
    let inside = &secret[open + 1..open + len];
    inside.len() >= 3 && inside.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _:.|<+-".contains(byte))
}

/// `<token>`, `[password]`, `{{ value }}`, `%s`: brackets around all of it.
fn is_bracketed(secret: &[u8]) -> bool {
    let ends = (secret.first().copied().unwrap_or(0), secret.last().copied().unwrap_or(0));
    let escaped = secret.starts_with(b"&lt;") && secret.ends_with(b"&gt;");
    // An object or a list of values holds quotes, and a secret perhaps.
    let literal = secret.iter().any(|byte| b"\"'".contains(byte)) && secret.contains(&b':');
    escaped || !literal && matches!(ends, (b'<', b'>') | (b'[', b']') | (b'{', b'}') | (b'(', b')') | (b'%', b'%'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn placeholders_go_and_random_values_stay() {
        for secret in [
            "<your token>",
            "xxxxxxxxxxxx",
            "gh_XXXXXXXXXXXXXXXX",
            "**********",
            "xxxx-xxxx-xxxx-xxxx",
            "_xxxxxx_xxxxxxxxxxxx-xxxxxxx-X",
            "{{ secret }}",
            "changeme",
            "sk-<your key>",
            "&lt;PASSWORD&gt;",
            "xoxp-12-34-########",
        ] {
            assert!(matches!(opinion("placeholder", "", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
        for secret in ["kX9!mmq2zz", "9f86d081884c7d659a2feaa0c55ad015", "Tr0ub4dor&3", "xxAbc9-q1"] {
            assert_eq!(opinion("placeholder", "", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

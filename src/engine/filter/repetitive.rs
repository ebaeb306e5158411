//! Fillers: one character over and over, a short piece repeated, the alphabet or the digits in a row.

use super::{Candidate, Filter, Opinion};

/// The filter.
pub(super) struct Repetitive;

impl Filter for Repetitive {
    fn id(&self) -> &'static str {
        "repetitive"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        let prefix = candidate.rule.public_prefix.as_bytes();
        let value = candidate.secret.strip_prefix(prefix).unwrap_or(candidate.secret);
        if value.len() < 6 {
            return Opinion::Keep;
        }
        let mut seen = [false; 256];
        value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        if seen.iter().filter(|&&there| there).count() <= 2 {
            return Opinion::Drop("it is one or two characters repeated");
        }
        if (2..=value.len() / 3).any(|period| value.iter().zip(&value[period..]).all(|(a, b)| a == b)) {
            return Opinion::Drop("it is a short piece repeated");
        }
        if longest_sequence(value) * 3 >= value.len() * 2 {
            return Opinion::Drop("it is a run of the alphabet or of digits");
        }
        Opinion::Keep
    }
}

/// Length of the longest stretch in which every byte is one more (or one less) than the one before.
pub(super) fn longest_sequence(value: &[u8]) -> usize {
    let longest = |step: i16| {
        value
            .chunk_by(|a, b| i16::from(*b) - i16::from(*a) == step || (step == 1 && *a == b'9' && *b == b'0'))
            .map(<[u8]>::len)
            .max()
            .unwrap_or(0)
    };
    longest(1).max(longest(-1))
}

/// Length of the longest stretch of `a1b2c3d4`: every byte is one more, or one less, than the one two before. Signs between
/// are not counted.
pub(super) fn longest_braid(value: &[u8]) -> usize {
    let value: Vec<u8> = value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let longest = |step: i16| {
        let follows = |three: &[u8]| {
            let (first, next) = (i16::from(three[0]), i16::from(three[2]));
            next - first == step || step == 1 && first == i16::from(b'9') && next == i16::from(b'0')
        };
        let steps: Vec<bool> = value.windows(3).map(follows).collect();
        steps.chunk_by(|a, b| a == b).filter(|run| run[0]).map(|run| run.len() + 2).max().unwrap_or(0)
    };
    let found = longest(1).max(longest(-1));
    if found >= 8 { found } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn fillers_go_and_random_values_stay() {
        for secret in ["aaaaaaaaaaaa", "0101010101", "abcabcabcabc", "abcdefghijklmnop", "1234567890", "9876543210"] {
            assert!(matches!(opinion("repetitive", "", secret, 0.0), Opinion::Drop(_)), "{secret}");
        }
        for secret in ["kX9!mmq2zz", "9f86d081884c7d659a2feaa0c55ad015", "abcd9Zq71xKw"] {
            assert_eq!(opinion("repetitive", "", secret, 0.0), Opinion::Keep, "{secret}");
        }
    }
}

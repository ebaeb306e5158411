//! Random values spread over their alphabet; words and counters don't.

use super::{Candidate, Filter, Opinion};

/// The filter.
pub(super) struct Entropy;

impl Filter for Entropy {
    fn id(&self) -> &'static str {
        "entropy"
    }

    fn judge(&self, candidate: Candidate<'_>) -> Opinion {
        if shannon(candidate.secret) < candidate.rule.entropy {
            return Opinion::Drop("its characters are too uniform to be random");
        }
        Opinion::Keep
    }
}

/// Shannon entropy of `bytes` in bits per byte, 0 for no bytes.
pub fn shannon(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f32;
    counts.iter().filter(|&&count| count > 0).map(|&count| count as f32 / total).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::opinion;
    use super::*;

    #[test]
    fn entropy_is_bits_per_byte() {
        assert_eq!(shannon(b""), 0.0);
        assert_eq!(shannon(b"aaaa"), 0.0);
        assert_eq!(shannon(b"abab"), 1.0);
        assert!((shannon(b"abcdefgh") - 3.0).abs() < 1e-6);
    }

    #[test]
    fn random_hex_passes_and_a_counter_does_not() {
        assert_eq!(opinion("entropy", "", "9f86d081884c7d659a2feaa0c55ad015", 3.0), Opinion::Keep);
        assert!(matches!(opinion("entropy", "", "0000000011111111", 3.0), Opinion::Drop(_)));
    }
}

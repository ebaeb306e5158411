//! Sets of small numbers, one bit each.

/// A set of numbers that grows as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// Bit `n % 64` of word `n / 64` is set when `n` is in the set.
    words: Vec<u64>,
}

impl Bits {
    /// Adds `n`; whether it is new.
    pub(super) fn insert(&mut self, n: u32) -> bool {
        let (word, bit) = (n as usize / 64, 1_u64 << (n % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Whether `n` is in the set.
    pub(super) fn contains(&self, n: u32) -> bool {
        self.words.get(n as usize / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// All, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip(0_u32..).flat_map(|(word, nth)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (bit < 64).then(|| nth * 64 + bit)
            })
        })
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut bits = Self::default();
        for number in numbers {
            bits.insert(number);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_is_in_once_and_in_order() {
        let mut bits = Bits::default();
        let numbers = [700, 0, 63, 64, 65, 4_000_000, 1];
        assert!(numbers.iter().all(|n| bits.insert(*n)) && !bits.insert(64));
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        assert_eq!(bits.iter().collect::<Vec<_>>(), sorted);
        assert_eq!(bits.len(), numbers.len());
        assert!(numbers.iter().all(|n| bits.contains(*n)));
        assert!([2, 62, 66, 699, u32::MAX].iter().all(|n| !bits.contains(*n)));
    }
}

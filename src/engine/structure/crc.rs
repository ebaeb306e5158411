//! CRC-32 and the number systems that token makers write checksums in.

/// `0-9A-Za-z`, the digits GitHub, npm and annotated Azure keys write base 62 with.
pub(crate) const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `0-9a-z`, the digits GitLab writes base 36 with.
pub(crate) const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// CRC-32 (IEEE 802.3, reflected, as zlib's) of `bytes`.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// `number` in the number system of `digits` (at least two), most significant digit first, filled on the left with
/// the zero digit to `width` characters. Longer when it doesn't fit.
pub(crate) fn written(number: u64, digits: &[u8], width: usize) -> Vec<u8> {
    let base = digits.len() as u64;
    let mut rest = number;
    let mut reversed = Vec::with_capacity(width);
    while rest > 0 || reversed.len() < width {
        reversed.push(digits[(rest % base) as usize]);
        rest /= base;
    }
    reversed.reverse();
    reversed
}

/// The number that `text` writes in base 36, lower case; `None` for other characters, no character or more than 64 bits.
pub(crate) fn read_base36(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = BASE36.iter().position(|digit| digit == byte)?;
        number.checked_mul(36)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_most_significant_first() {
        for (number, digits, width, expected) in [
            (0, BASE62, 6, "000000"),
            (61, BASE62, 1, "z"),
            (62, BASE62, 1, "10"),
            (u64::from(u32::MAX), BASE62, 6, "4gfFC3"),
            (34, BASE36, 2, "0y"),
            (35, BASE36, 0, "z"),
        ] {
            assert_eq!(String::from_utf8_lossy(&written(number, digits, width)), expected, "{number}");
        }
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the CRC catalogue");
    }

    #[test]
    fn base_36_reads_back_what_was_written() {
        for number in [0, 1, 35, 36, 1_000_000, u64::MAX] {
            assert_eq!(read_base36(&written(number, BASE36, 3)), Some(number));
        }
        for bad in ["", "A", "3w5e11264sgsg", "-1"] {
            assert_eq!(read_base36(bad.as_bytes()), None, "{bad}");
        }
    }
}

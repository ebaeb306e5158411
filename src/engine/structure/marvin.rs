//! Marvin32, the checksum of Microsoft's identifiable keys.
//!
//! Source: `Marvin.Net5.cs` and `MarvinTests.cs` in <https://github.com/microsoft/security-utilities>; the vectors
//! below are SymCrypt's.

/// A seed that is written as eight ASCII characters, as Microsoft's are: `Default0`.
pub(crate) fn seed(text: &[u8; 8]) -> u64 {
    u64::from_be_bytes(*text)
}

/// The 64-bit value of `bytes` under `seed`.
fn wide(bytes: &[u8], seed: u64) -> u64 {
    let mut low = seed as u32;
    let mut high = (seed >> 32) as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        low = low.wrapping_add(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        mix(&mut low, &mut high);
    }
    let mut last = [0u8; 4];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    low = low.wrapping_add(u32::from_le_bytes(last));
    mix(&mut low, &mut high);
    mix(&mut low, &mut high);
    u64::from(high) << 32 | u64::from(low)
}

/// One round.
fn mix(low: &mut u32, high: &mut u32) {
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}

/// The 32-bit value of `bytes` under `seed`: both halves of the wide one, xored.
pub(crate) fn marvin32(bytes: &[u8], seed: u64) -> u32 {
    let wide = wide(bytes, seed);
    (wide >> 32) as u32 ^ wide as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_symcrypt() {
        assert_eq!(wide(b"abc", 0xd53c_d9ce_cd08_93b7), 0x22c7_4339_4927_69bf);
        assert_eq!(wide(b"abcdefghijklmnopqrstuvwxyz", 0x0ddd_deee_efff_f000), 0xa128_eb7e_7260_aca2);
    }

    #[test]
    fn seeds_read_as_big_endian() {
        assert_eq!(seed(b"Default0"), 0x4465_6661_756c_7430);
    }
}

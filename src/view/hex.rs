//! Text as hex digits, at least 20 bytes of it. Hashes, keys and numbers are no text and give no view.

use super::map::Builder;
use super::seed::LEAST_RUN;
use super::{Room, View, is_printable};
use crate::location::Span;

/// The value of a digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The byte of two digits at `at`.
pub(super) fn byte(text: &[u8], at: usize) -> Option<u8> {
    Some(digit(*text.get(at)?)? << 4 | digit(*text.get(at + 1)?)?)
}

/// Whether the digits from `at` on decode to ASCII text.
pub(super) fn starts(text: &[u8], at: usize) -> bool {
    // Told by its first digit most of the time.
    matches!(text.get(at), Some(b'0' | b'2'..=b'7'))
        && (at..at + LEAST_RUN).step_by(2).all(|at| byte(text, at).is_some_and(is_printable))
}

/// What is decoded at `seeds`, one a line.
pub(super) fn view(text: &[u8], seeds: &[usize], room: &mut Room) -> Option<View> {
    let mut made = Builder::default();
    let mut done = 0;
    for &seed in seeds {
        if seed < done {
            continue;
        }
        let digits = text[seed..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count() / 2 * 2;
        if !room.take(digits / 2) {
            break;
        }
        let start = made.text.len();
        for at in (seed..seed + digits).step_by(2) {
            if let Some(byte) = byte(text, at) {
                made.unit(&[byte], at, 2);
            }
        }
        done = seed + digits;
        made.run(start, Span::new(seed, done));
        made.put(b"\n", done);
    }
    View::new("hex", made)
}

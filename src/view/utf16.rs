//! UTF-16, with a byte order mark, without one, and as strings inside binaries.
//!
//! A text that is UTF-16 as a whole is decoded as a whole, so that lines and columns are those an editor shows. Any
//! other blob with NUL bytes is searched for runs of ASCII characters in UTF-16 (Windows executables, registry hives,
//! databases); the runs are put one a line.

use super::View;
use super::map::Builder;

/// Least run of UTF-16 characters in a binary that is worth a look.
const LEAST_RUN: usize = 8;

/// Bytes at the start of a blob by which the encoding is told.
const SAMPLE: usize = 4096;

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Little => "utf-16le",
            Self::Big => "utf-16be",
        }
    }
}

/// The UTF-16 views of `bytes`.
pub(super) fn views(bytes: &[u8]) -> Vec<View> {
    match bytes {
        [0xff, 0xfe, ..] => return whole(bytes, 2, Order::Little).into_iter().collect(),
        [0xfe, 0xff, ..] => return whole(bytes, 2, Order::Big).into_iter().collect(),
        _ => {}
    }
    if memchr::memchr(0, bytes).is_none() {
        return Vec::new();
    }
    if let Some(order) = guess(&bytes[..bytes.len().min(SAMPLE)]) {
        return whole(bytes, 0, order).into_iter().collect();
    }
    let mut strings = [Strings::new(Order::Little), Strings::new(Order::Big)];
    each_candidate(bytes, |at| strings.iter_mut().for_each(|strings| strings.take(bytes, at)));
    strings.into_iter().filter_map(Strings::view).collect()
}

/// The byte order of a text without a mark, told by where the NUL bytes of its ASCII characters stand.
fn guess(sample: &[u8]) -> Option<Order> {
    let pairs = sample.chunks_exact(2);
    let total = pairs.len();
    if total < 4 {
        return None;
    }
    let (mut little, mut big) = (0, 0);
    for pair in pairs {
        little += usize::from(pair[1] == 0 && is_text(pair[0]));
        big += usize::from(pair[0] == 0 && is_text(pair[1]));
    }
    if little * 10 >= total * 7 {
        Some(Order::Little)
    } else if big * 10 >= total * 7 {
        Some(Order::Big)
    } else {
        None
    }
}

fn is_text(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || b"\t\r\n".contains(&byte)
}

/// Decodes all of `bytes` after `skip`. Unpaired surrogates become U+FFFD; an odd byte at the end is left out.
fn whole(bytes: &[u8], skip: usize, order: Order) -> Option<View> {
    let units = bytes[skip..].chunks_exact(2).map(|pair| order.unit([pair[0], pair[1]]));
    let mut made = Builder::default();
    let mut blob = skip;
    for decoded in char::decode_utf16(units) {
        let (c, taken) = match decoded {
            Ok(c) => (c, 2 * c.len_utf16()),
            Err(_) => (char::REPLACEMENT_CHARACTER, 2),
        };
        made.unit(c.encode_utf8(&mut [0; 4]).as_bytes(), blob, taken);
        blob += taken;
    }
    View::new(order.name(), made).map(|view| View { whole: true, ..view })
}

/// Bytes that are looked at together.
const BLOCK: usize = 8;

// A run that counts covers a block wholly, wherever it starts.
const _: () = assert!(2 * LEAST_RUN >= 2 * BLOCK - 1);

/// Calls `each` with offsets of ASCII characters every other neighbour of which is NUL: at least one within every run of
/// [`LEAST_RUN`] characters in either byte order. Rising.
///
/// Binaries are full of NUL bytes; to look at each of them takes ten times as long as all other preparations of a scan.
fn each_candidate(bytes: &[u8], mut each: impl FnMut(usize)) {
    /// Every other byte of a block, from the first or the second on.
    const ODD: u64 = 0xff00_ff00_ff00_ff00;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    for (nth, block) in blocks.iter().enumerate() {
        let word = u64::from_le_bytes(*block);
        let (first, second) = (word & !ODD, word & ODD);
        // One half NUL, the other not.
        if (first == 0) == (second == 0) {
            continue;
        }
        let start = usize::from(first == 0);
        if block[start..].iter().step_by(2).all(|&byte| is_text(byte)) {
            each(nth * BLOCK + start);
        }
    }
}

/// The ASCII strings in one byte order inside a binary.
struct Strings {
    order: Order,
    /// Up to where in the blob they have been collected.
    end: usize,
    made: Builder,
}

impl Strings {
    /// None yet.
    fn new(order: Order) -> Self {
        Self { order, end: 0, made: Builder::default() }
    }

    /// Takes the string that the character at `at` is part of, if it is long enough and not yet taken.
    fn take(&mut self, bytes: &[u8], at: usize) {
        let is_pair = |start: usize| {
            let pair = bytes.get(start..start + 2);
            pair.is_some_and(|pair| u8::try_from(self.order.unit([pair[0], pair[1]])).is_ok_and(is_text))
        };
        let first = match self.order {
            Order::Little => Some(at),
            Order::Big => at.checked_sub(1),
        };
        let Some(mut start) = first.filter(|start| *start >= self.end && is_pair(*start)) else { return };
        while let Some(before) = start.checked_sub(2).filter(|before| *before >= self.end && is_pair(*before)) {
            start = before;
        }
        let run = (start..).step_by(2).take_while(|pair| is_pair(*pair)).count();
        let end = start + 2 * run;
        if run >= LEAST_RUN {
            let pairs = (start..end).step_by(2).zip(bytes[start..end].chunks_exact(2));
            pairs.for_each(|(at, pair)| self.made.unit(&[pair[0] | pair[1]], at, 2));
            self.made.put(b"\n", end);
        }
        self.end = self.end.max(end);
    }

    /// All of them, one a line.
    fn view(self) -> Option<View> {
        View::new(self.order.name(), self.made)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::location::Span;

    fn encode(text: &str, order: Order) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if order == Order::Little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    }

    #[test]
    fn whole_texts_are_decoded_with_and_without_a_mark() {
        let text = "first line\nsecönd 𝄞 line with a value\n";
        for order in [Order::Little, Order::Big] {
            for mark in [&[][..], if order == Order::Little { &[0xff, 0xfe] } else { &[0xfe, 0xff] }] {
                let bytes = [mark, &encode(text, order)].concat();
                let views = views(&bytes);
                assert_eq!(views.len(), 1);
                assert_eq!(views[0].text, text.as_bytes());
                let at = text.find("value").expect("it is there");
                let span = views[0].in_blob(Span::new(at, at + 5));
                assert_eq!(&bytes[span.start..span.end], encode("value", order), "{order:?} {mark:?}");
            }
        }
    }

    #[test]
    fn strings_in_binaries_are_found_at_odd_and_even_offsets() {
        for pad in 0..3 {
            for order in [Order::Little, Order::Big] {
                let mut bytes = vec![0x90_u8; 101 + pad];
                bytes.extend(encode("a wide string", order));
                bytes.extend([0x90; 55]);
                let found = views(&bytes).into_iter().find(|view| view.name == order.name()).expect("a view");
                let at = memchr::memmem::find(&found.text, b"wide string").expect("the string is in the view");
                let span = found.in_blob(Span::new(at, at + 11));
                assert_eq!(&bytes[span.start..span.end], encode("wide string", order));
            }
        }
    }

    /// All runs, found by trying every offset.
    fn runs(bytes: &[u8], order: Order) -> Vec<u8> {
        let mut text = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let pairs = bytes[at..].chunks_exact(2).map(|pair| order.unit([pair[0], pair[1]]));
            let run: Vec<u8> = pairs.map_while(|unit| u8::try_from(unit).ok().filter(|byte| is_text(*byte))).collect();
            if run.len() >= LEAST_RUN {
                at += 2 * run.len();
                text.extend(run);
                text.push(b'\n');
            } else {
                at += 1;
            }
        }
        text
    }

    proptest! {
        #[test]
        fn strings_in_binaries_are_all_there(
            parts in prop::collection::vec(
                prop_oneof![
                    // Runs of any length in either order, and what makes them look longer or shorter.
                    (0_usize..14, prop::bool::ANY).prop_map(|(len, big)| {
                        let order = if big { Order::Big } else { Order::Little };
                        encode(&"abcdefghijklmn"[..len], order)
                    }),
                    prop::collection::vec(prop_oneof![Just(0), Just(b'x'), Just(0x90_u8)], 0..9),
                ],
                0..30,
            ),
        ) {
            let bytes = parts.concat();
            let mut strings = [Strings::new(Order::Little), Strings::new(Order::Big)];
            each_candidate(&bytes, |at| strings.iter_mut().for_each(|strings| strings.take(&bytes, at)));
            for (strings, order) in strings.into_iter().zip([Order::Little, Order::Big]) {
                let found = strings.view();
                let text = found.as_ref().map_or(&[][..], |view| view.text.as_slice());
                prop_assert_eq!(text, runs(&bytes, order));
                for (at, &byte) in text.iter().enumerate().filter(|(_, byte)| **byte != b'\n') {
                    let span = found.as_ref().expect("it has a text").in_blob(Span::new(at, at + 1));
                    prop_assert_eq!(&bytes[span.start..span.end], encode(&char::from(byte).to_string(), order));
                }
            }
        }
    }

    #[test]
    fn plain_text_and_noise_have_no_view() {
        assert!(views(b"plain text").is_empty());
        assert!(views(&[0; 4096]).is_empty());
        assert!(views(b"\xff\xfe").iter().all(|view| view.text.is_empty()));
    }
}

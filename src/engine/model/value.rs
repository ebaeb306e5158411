//! What a value looks like: its length, its characters and their order.

use super::Row;
use crate::engine::filter::{is_uuid, shannon};
use crate::rule::literals;

/// How many features there are.
pub(super) const COUNT: usize = 41;

/// Names of the features, in order.
pub(super) const NAMES: [&str; COUNT] = [
    "length",
    "digits",
    "lower",
    "upper",
    "special",
    "spaces",
    "foreign",
    "distinct",
    "entropy",
    "changes",
    "letter_run",
    "digit_run",
    "same_run",
    "step_run",
    "hex",
    "base64",
    "base32",
    "base64_end",
    "uuid",
    "number",
    "lower_only",
    "upper_only",
    "capitalized",
    "camel",
    "snake",
    "kebab",
    "dotted",
    "slashes",
    "opens",
    "sigil",
    "calls",
    "slot",
    "address",
    "colon",
    "equals",
    "ends_odd",
    "masked",
    "name_like",
    "digits_end",
    "word_groups",
    "surprise",
];

/// Least length of a value whose likeness to language is looked at, in bytes. Shorter ones are chosen by people, who choose
/// words; where a corpus had its true values replaced by random ones, the feature would know the label there and fail on
/// real passwords. `docs/detection.md` shows what was left out for that.
pub(super) const LEAST_SURPRISING: usize = 20;

/// The same for keys and tokens: machines make them, at random in corpora and elsewhere.
pub(super) const LEAST_SURPRISING_KEY: usize = 12;

/// Stands for what isn't looked at.
const UNSEEN: f32 = -1.0;

/// Appends the features of `value` to `row`. `least`: from which length on, in bytes, its likeness to language counts.
pub(super) fn features(value: &[u8], least: usize, row: &mut Row) {
    let len = value.len() as f32;
    let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let share = |n: usize| n as f32 / len.max(1.0);
    let digits = count(u8::is_ascii_digit);
    let lower = count(u8::is_ascii_lowercase);
    let upper = count(u8::is_ascii_uppercase);
    let spaces = count(u8::is_ascii_whitespace);
    let foreign = count(|byte| !byte.is_ascii());
    let special = value.len() - digits - lower - upper - spaces - foreign;
    row.push(len);
    for n in [digits, lower, upper, special, spaces, foreign] {
        row.push(share(n));
    }
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let long = value.len() >= least;
    row.push(if long { share(seen.iter().filter(|&&there| there).count()) } else { UNSEEN });
    row.push(if long { shannon(value) } else { UNSEEN });
    row.push(share(value.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count()));
    row.push(longest(value, |a, b| a.is_ascii_alphabetic() && b.is_ascii_alphabetic()));
    row.push(longest(value, |a, b| a.is_ascii_digit() && b.is_ascii_digit()));
    row.push(longest(value, |a, b| a == b));
    row.push(longest(value, |a, b| b == a.wrapping_add(1)).max(longest(value, |a, b| a == b.wrapping_add(1))));
    let all = |is: fn(&u8) -> bool| value.iter().all(is);
    row.flag(all(u8::is_ascii_hexdigit) && digits > 0);
    row.flag(all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte)));
    row.flag(all(|byte| byte.is_ascii_uppercase() || b"234567=".contains(byte)));
    row.flag(value.ends_with(b"="));
    row.flag(is_uuid(value));
    row.flag(all(|byte| byte.is_ascii_digit() || b".,-+".contains(byte)));
    let letters = lower + upper;
    row.flag(lower == value.len());
    row.flag(upper == value.len());
    row.flag(value.first().is_some_and(u8::is_ascii_uppercase) && lower + 1 == value.len());
    let humps = value.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    row.push(if letters == value.len() { humps as f32 } else { 0.0 });
    let joined = |by: u8| words_joined_by(value, by);
    row.push(joined(b'_'));
    row.push(joined(b'-'));
    row.push(joined(b'.'));
    row.push(count(|byte| b"/\\".contains(byte)) as f32);
    row.flag(value.first().is_some_and(|byte| b"<[{(".contains(byte)));
    row.flag(value.first().is_some_and(|byte| b"$%@&*#!~^.:".contains(byte)));
    row.push(count(|byte| b"()[]{}<>".contains(byte)) as f32);
    row.flag(holds(value, &[b"${", b"{{", b"#{", b"%s", b"%d", b"$(", b"<%", b"{}", b"{0}", b"%v"]));
    row.flag(holds(value, &[b"://", b"@", b".com", b".org", b".io", b".net", b"www."]));
    row.push(count(|byte| b":;,|".contains(byte)) as f32);
    row.push(count(|byte| b"=&?".contains(byte)) as f32);
    row.flag(value.last().is_some_and(|byte| !byte.is_ascii_alphanumeric() && *byte != b'='));
    row.push(share(count(|byte| b"*xX.#?".contains(byte))));
    row.flag(is_name(value));
    row.push(value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count() as f32);
    // A single word may be a password; several joined are an identifier.
    let (mut words, mut known) = (0_u32, 0_u32);
    super::words::each(value, |groups, _| (words, known) = (words + 1, known + u32::from(groups != 0)));
    row.push(if words > 1 { known as f32 } else { 0.0 });
    row.push(if long { surprise(value) } else { UNSEEN });
}

/// Digit, lower case, upper case or anything else.
fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    }
}

/// The longest stretch in which every neighbours hold to `rule`, in bytes.
fn longest(value: &[u8], rule: impl Fn(u8, u8) -> bool) -> f32 {
    value.chunk_by(|a, b| rule(*a, *b)).map(<[u8]>::len).max().unwrap_or(0) as f32
}

/// How many words are joined by `by`, if letters, digits and it are all there is.
fn words_joined_by(value: &[u8], by: u8) -> f32 {
    let plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == by);
    let joins = value.iter().filter(|byte| **byte == by).count();
    if plain && joins > 0 { joins as f32 + 1.0 } else { 0.0 }
}

/// Whether one of the pieces is in it.
fn holds(value: &[u8], pieces: &[&[u8]]) -> bool {
    pieces.iter().any(|piece| memchr::memmem::find(value, piece).is_some())
}

/// A word or several joined by `_`, `.` or `-`, with at most a number at an end.
fn is_name(value: &[u8]) -> bool {
    let changes = value.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:".contains(byte))
        && changes < 2
        && value.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// Average surprise of its pairs of characters, in bits: some 8 for text, 12 and more for random letters.
fn surprise(value: &[u8]) -> f32 {
    let pairs = value.windows(2).filter(|pair| pair[0].is_ascii() && pair[1].is_ascii());
    let (sum, count) =
        pairs.fold((0_u32, 0_u32), |(sum, count), pair| (sum + literals::surprise(pair[0], pair[1]), count + 1));
    sum as f32 / count.max(1) as f32
}

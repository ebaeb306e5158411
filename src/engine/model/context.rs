//! What stands around a value: the name's words, how it is assigned, the line before and what follows.

use super::words::{self, Groups};
use super::{Row, Scene};
use crate::engine::filter::same_words;
use crate::tables::MODEL_GROUPS;

/// How many features follow those of the word groups.
pub(super) const COUNT: usize = 39;

/// Names of the features that follow those of the word groups, in order.
pub(super) const NAMES: [&str; COUNT] = [
    "name_length",
    "name_words",
    "name_upper",
    "name_dots",
    "tail_words",
    "last_groups",
    "same_as_name",
    "gap_length",
    "gap_equals",
    "gap_colon",
    "gap_arrow",
    "gap_compare",
    "gap_call",
    "gap_comma",
    "gap_tag",
    "gap_letters",
    "quote",
    "prefix_letter",
    "name_quoted",
    "line_start",
    "dash",
    "member",
    "name_sigil",
    "argument",
    "query",
    "indent",
    "comment",
    "code_comment",
    "after_end",
    "after_comma",
    "after_semicolon",
    "after_close",
    "after_space",
    "after_plus",
    "after_dot",
    "after_query",
    "long_line",
    "value_named",
    "capital_only",
];

/// Bits of the groups that name a secret.
pub(super) const SECRET: Groups = 0xff;

/// Whether a name is of what machines make: a key or token, and neither a password nor something called a secret only.
pub(super) fn is_made_by_machine(name: &[u8]) -> bool {
    let bits = |wanted: &[&str]| -> Groups {
        MODEL_GROUPS.iter().enumerate().filter(|(_, (group, _))| wanted.contains(group)).map(|(bit, _)| 1 << bit).sum()
    };
    let (machine, person) = (bits(&["token", "key", "api"]), bits(&["password", "secret", "credential"]));
    let mut all: Groups = 0;
    words::each(name, |groups, _| all |= groups);
    all & machine != 0 && all & person == 0
}

/// Appends the features of the words of name and line, and of how the value is assigned.
pub(super) fn features(scene: &Scene<'_>, row: &mut Row) {
    let name = scene.name();
    let (mut name_groups, mut words, mut tail, mut last): (Groups, u32, u32, Groups) = (0, 0, 0, 0);
    words::each(name, |groups, _| {
        name_groups |= groups;
        words += 1;
        tail = if groups & SECRET != 0 { 0 } else { tail + 1 };
        last = groups;
    });
    let mut line_groups: Groups = 0;
    words::each(scene.before(), |groups, _| line_groups |= groups);
    let mut after_groups: Groups = 0;
    words::each(scene.after(), |groups, _| after_groups |= groups);
    for bit in 0..MODEL_GROUPS.len() {
        let flag = |groups: Groups| f32::from(u8::from(groups >> bit & 1 == 1));
        row.push(flag(name_groups));
        row.push(flag(line_groups) + 2.0 * flag(after_groups));
    }
    row.push(name.len() as f32);
    row.push(words as f32);
    row.flag(!name.iter().any(u8::is_ascii_lowercase));
    row.push(name.iter().filter(|byte| **byte == b'.').count() as f32);
    row.push(tail as f32);
    row.flag(last & SECRET != 0);
    row.flag(same_words(name, scene.value()));
    assignment(scene, row);
    line(scene, row);
    let after = scene.after();
    let follows = after.first().copied().unwrap_or(b'\n');
    row.flag(b"\r\n".contains(&follows));
    row.flag(follows == b',');
    row.flag(follows == b';');
    row.flag(b")]}".contains(&follows));
    row.flag(b" \t".contains(&follows));
    row.flag(follows == b'+' || after.trim_ascii_start().starts_with(b"+"));
    row.flag(b".([:".contains(&follows));
    row.flag(b"&%\\<".contains(&follows));
    row.push((scene.before().len() + after.len()) as f32);
    // Random characters may spell a short word.
    let mut named = 0;
    words::each(scene.value(), |groups, len| named += if groups & SECRET == 0 { 0 } else { len });
    row.flag(3 * named >= scene.value().len());
    row.flag(name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().any(u8::is_ascii_lowercase));
}

/// Between name and value.
fn assignment(scene: &Scene<'_>, row: &mut Row) {
    let gap = scene.gap();
    let holds = |piece: &[u8]| memchr::memmem::find(gap, piece).is_some();
    let compares = holds(b"==") || holds(b"!=");
    row.push(gap.len() as f32);
    row.flag(holds(b"=") && !compares && !holds(b"=>"));
    row.flag(holds(b":"));
    row.flag(holds(b"=>") || holds(b"->"));
    row.flag(compares);
    row.flag(holds(b"("));
    row.flag(holds(b","));
    row.flag(holds(b">") && !holds(b"=>") && !holds(b"->"));
    row.push(gap.iter().filter(|byte| byte.is_ascii_alphabetic()).count() as f32);
    row.push(match gap.last() {
        Some(b'"') => 1.0,
        Some(b'\'') => 2.0,
        Some(b'`') => 3.0,
        _ => 0.0,
    });
    row.flag(gap.len() > 1 && gap[gap.len() - 2].is_ascii_alphabetic());
    row.flag(gap.first().is_some_and(|byte| b"\"'`\\".contains(byte)));
}

/// The line up to the name.
fn line(scene: &Scene<'_>, row: &mut Row) {
    let before = scene.before();
    let last = before.last().copied().unwrap_or(b'\n');
    let trimmed = before.trim_ascii_start();
    row.flag(trimmed.is_empty());
    row.flag(last == b'-');
    row.flag(b".>:".contains(&last));
    row.flag(b"$@%#".contains(&last));
    row.flag(b"(,[{".contains(&last) || b"(,[{".contains(&before.trim_ascii_end().last().copied().unwrap_or(0)));
    row.flag(b"&?;".contains(&last));
    row.push((before.len() - trimmed.len()) as f32);
    row.flag(trimmed.starts_with(b"#") || trimmed.starts_with(b";"));
    row.flag(
        [b"//".as_slice(), b"/*", b"*", b"--", b"<!--", b"\"\"\"", b">>>"].iter().any(|mark| trimmed.starts_with(mark)),
    );
}

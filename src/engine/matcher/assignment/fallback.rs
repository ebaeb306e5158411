//! What a reference falls back to: `${PASSWORD:-…}`, `{{ password | default('…') }}`, `env.PASSWORD || '…'`. The variable is no
//! secret; what is used where it isn't set is.

use super::value::{Cursor, LEAST, LONGEST_VALUE, quoted};
use crate::location::Span;

/// Most references in each other.
const DEEPEST: usize = 3;

/// Signs that join a reference with what it falls back to, in shells and Spring.
const JOINTS: [&[u8]; 4] = [b":-", b":=", b":", b"-"];

/// Operators that join them in programs.
const OPERATORS: [&[u8]; 4] = [b"||", b"??", b"?:", b"or "];

/// What `value` falls back to where it is a reference, else `value`.
pub(super) fn or_itself(text: &[u8], value: Span) -> Span {
    braces(text, value)
        .or_else(|| template(text, value))
        .or_else(|| behind(text, value))
        .filter(|inner| inner.len() >= LEAST)
        .unwrap_or(value)
}

/// The default inside `${NAME:-default}`; of references in each other, the innermost one.
fn braces(text: &[u8], value: Span) -> Option<Span> {
    let mut span = value;
    for _ in 0..DEEPEST {
        let Some(inner) = text[span.start..span.end].strip_prefix(b"${").and_then(|rest| rest.strip_suffix(b"}"))
        else {
            break;
        };
        let name = inner.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
        let joint = JOINTS.iter().find(|joint| inner[name..].starts_with(joint)).filter(|_| name > 0)?;
        span = Span::new(span.start + 2 + name + joint.len(), span.end - 1);
    }
    (span != value).then_some(span)
}

/// The default inside `{{ name | default('…') }}` and `{{ .name | default "…" }}`.
fn template(text: &[u8], value: Span) -> Option<Span> {
    text[value.start..value.end].starts_with(b"{{").then(|| in_template(text, value.start)).flatten()
}

/// The default in the template that begins at `start`, whose value may be quoted or not.
pub(super) fn in_template(text: &[u8], start: usize) -> Option<Span> {
    let line = &text[start..text.len().min(start + LONGEST_VALUE)];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    let end = memchr::memmem::find(line, b"}}")?;
    let at = start + memchr::memmem::find(&line[..end], b"default")? + b"default".len();
    let mut cursor = Cursor::new(text, at, start + end);
    cursor.skip(b" (");
    quoted(text, &mut cursor).filter(|inner| inner.end <= start + end)
}

/// The text behind a variable and an operator: `process.env.NAME || "…"`.
fn behind(text: &[u8], value: Span) -> Option<Span> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.[]?!$()".contains(byte);
    let is_variable = text[value.start..value.end].iter().all(plain) && text[value.start..value.end].contains(&b'.');
    is_variable.then(|| after_operator(text, value.end)).flatten()
}

/// The quoted text behind an operator that stands behind `from`.
pub(super) fn after_operator(text: &[u8], from: usize) -> Option<Span> {
    let mut cursor = Cursor::new(text, from, text.len());
    cursor.blanks();
    let joined = OPERATORS.iter().any(|&operator| cursor.eat(operator));
    cursor.blanks();
    joined.then(|| quoted(text, &mut cursor)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_give_what_they_fall_back_to() {
        let cases = [
            ("${DB_PW:-kX9!mm}", "kX9!mm"),
            ("${db.pw:kX9!mm}", "kX9!mm"),
            ("${A:${B:kX9!mm}}", "kX9!mm"),
            ("${A:-}", "${A:-}"),
            ("${A:abc}", "${A:abc}"),
            ("${A}", "${A}"),
            ("{{ a | default('kX9!mm') }}", "kX9!mm"),
            ("{{ .Values.a | default \"kX9!mm\" }}", "kX9!mm"),
            ("{{ a }}", "{{ a }}"),
            ("kX9!mm", "kX9!mm"),
        ];
        for (text, expected) in cases {
            let span = or_itself(text.as_bytes(), Span::new(0, text.len()));
            assert_eq!(&text[span.start..span.end], expected, "{text}");
        }
        let text = "process.env.PW || 'kX9!mm'";
        let span = or_itself(text.as_bytes(), Span::new(0, "process.env.PW".len()));
        assert_eq!(&text[span.start..span.end], "kX9!mm");
    }
}

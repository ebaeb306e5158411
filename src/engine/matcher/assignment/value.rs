//! The value assigned to a name: a walk over the bytes after it, through the syntaxes of languages, shells and
//! configuration files.

use super::{apart, fallback};
use crate::location::Span;

/// Longest stretch between name and value (spaces, type annotations, calls), in bytes.
pub(super) const LONGEST_GAP: usize = 64;

/// Longest value in bytes; longer ones are texts.
pub(super) const LONGEST_VALUE: usize = 512;

/// Least length of a value in bytes: shorter ones are codes and abbreviations, and a password that opens something has
/// more.
pub(super) const LEAST: usize = 4;

/// Most calls around a value: `setCipherKey(Base64.decode("…"))`.
const MOST_CALLS: usize = 3;

/// A cursor over the bytes after a name.
pub(super) struct Cursor<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    limit: usize,
}

impl<'t> Cursor<'t> {
    /// A cursor at `at` that looks no further than to `limit`.
    pub(super) fn new(text: &'t [u8], at: usize, limit: usize) -> Self {
        Self { text, at, limit }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied().filter(|_| self.at < self.limit)
    }

    /// Goes on past the bytes of `set`; how many they were.
    pub(super) fn skip(&mut self, set: &[u8]) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|byte| set.contains(&byte)) {
            self.at += 1;
        }
        self.at - from
    }

    /// Goes on past `literal` in either case, if it stands here.
    pub(super) fn eat(&mut self, literal: &[u8]) -> bool {
        let rest = &self.text[self.at..];
        let found = rest.len() >= literal.len() && rest[..literal.len()].eq_ignore_ascii_case(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    /// Goes on past blanks.
    pub(super) fn blanks(&mut self) {
        self.skip(b" \t");
    }

    /// Goes on past the name of a default argument; whether one is here.
    fn eat_default(&mut self) -> bool {
        let found = self.eat(b"default") || self.eat(b"fallback");
        if found {
            self.skip(b"=: ");
        }
        found
    }

    /// Goes on past the end of the tag it stands in.
    pub(super) fn leave_tag(&mut self) -> Option<()> {
        let inside = self.text.get(self.at..self.limit)?;
        let end = memchr::memchr2(b'>', b'<', inside).filter(|at| inside[*at] == b'>')?;
        self.at += end + 1;
        Some(())
    }
}

/// How a name stands in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It isn't known to be an argument.
    Name,
    /// A quoted or symbolic argument of a call, whose next one may be its value.
    Argument,
    /// It is itself the value of a `name` or `key`, whose `value` stands apart from it.
    Label,
    /// A blank is what assigns: `ENV NAME value`, `--name value`.
    Word,
}

/// The value that belongs to a name. Of a reference with a default it is the default.
pub(super) fn value_of(text: &[u8], name: Span, role: Role) -> Option<Span> {
    let value = match role {
        Role::Label => assigned(text, name, role).or_else(|| apart::of_label(text, name.end)),
        Role::Word => assigned(text, name, role).or_else(|| behind_blank(text, name.end)),
        Role::Name | Role::Argument => assigned(text, name, role),
    };
    value.map(|value| fallback::or_itself(text, value))
}

/// The value that a blank assigns. What begins with a dash is the next option.
fn behind_blank(text: &[u8], from: usize) -> Option<Span> {
    let mut cursor = Cursor::new(text, from, text.len().min(from + LONGEST_GAP));
    let apart = cursor.skip(b" \t") > 0 && !matches!(cursor.peek(), Some(b'-' | b'=' | b':'));
    let from = cursor.at;
    apart.then(|| quoted(text, &mut cursor).or_else(|| bare(text, from))).flatten()
}

/// The value assigned right after a name.
fn assigned(text: &[u8], name: Span, role: Role) -> Option<Span> {
    let from = name.end;
    let mut cursor = Cursor::new(text, from, text.len().min(from + LONGEST_GAP));
    if cursor.peek() == Some(b'>') {
        return element_value(text, cursor.at + 1);
    }
    if cursor.peek() == Some(b'(') {
        return called(text, &mut cursor); // setAuthToken("…")
    }
    let quoted_name = cursor.skip(b"\\") > 0 || matches!(cursor.peek(), Some(b'"' | b'\'' | b'`'));
    cursor.skip(b"\\");
    cursor.skip(b"\"'`");
    cursor.skip(b"])*");
    cursor.blanks();
    if quoted_name && (cursor.eat(b"value") || cursor.eat(b"content")) {
        // <add key="Password" value="…"/>
        cursor.blanks();
        return (cursor.skip(b"=") == 1).then(|| quoted_or_bare(text, &mut cursor)).flatten();
    }
    if cursor.peek() == Some(b',') {
        if role != Role::Argument {
            return None;
        }
        // setProperty("password", "…"): only a quoted value can be told from the next argument
        cursor.at += 1;
        cursor.blanks();
        cursor.eat_default();
        return quoted(text, &mut cursor);
    }
    // Makefiles assign with `?=`, `::=` and `:::=`, PHP and Perl append with `.=`, others with `+=`
    if [b"?=".as_slice(), b".=", b"+=", b"||=", b"::=", b":::="].iter().any(|&sign| cursor.eat(sign)) {
        cursor.blanks();
        return quoted_or_bare(text, &mut cursor);
    }
    // A type stands between name and assignment: `var password string = "…"`
    if !quoted_name && [b"string =".as_slice(), b"[]byte =", b"as string ="].iter().any(|&kind| cursor.eat(kind)) {
        cursor.blanks();
        return quoted(text, &mut cursor);
    }
    // `passwordBox.Text = "…"` is a name with a dot; `((Box)password).Text = "…"` is this
    if cursor.eat(b".text") || cursor.eat(b".value") {
        cursor.blanks();
        return (cursor.skip(b"=") == 1).then(|| quoted_or_call(text, &mut cursor)).flatten();
    }
    if cursor.peek() == Some(b':') {
        if text[..name.start].ends_with(b"${") && text[cursor.at..].starts_with(b":-") {
            cursor.at += 1; // ${NAME:-default}
        }
        return after_colon(text, &mut cursor).or_else(|| apart::of_mapping(text, name.start, cursor.at));
    }
    if quoted_name && cursor.peek() == Some(b'{') {
        return apart::of_block(text, cursor.at); // variable "password" { default = "…" }
    }
    if let Some(value) = fallback::after_operator(text, cursor.at) {
        return Some(value);
    }
    if cursor.eat(b"=>") || cursor.eat(b"->") {
        cursor.blanks();
        return quoted_or_call(text, &mut cursor);
    }
    match cursor.skip(b"=") {
        0 if text[cursor.at..].starts_with(b"!=") => {
            cursor.at += 1;
            cursor.skip(b"= \t");
            quoted(text, &mut cursor) // a comparison
        }
        0 => None,
        1 if cursor.eat(b">") || cursor.eat(b"~") => {
            cursor.blanks();
            quoted_or_call(text, &mut cursor)
        }
        1 => {
            cursor.blanks();
            quoted_or_bare(text, &mut cursor)
        }
        _ => {
            cursor.blanks();
            quoted(text, &mut cursor) // a comparison
        }
    }
}

/// What follows `name:`: a value, or a type and then a value.
fn after_colon(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    cursor.at += 1;
    if cursor.peek() == Some(b':') {
        return None; // a path such as Password::new
    }
    cursor.eat(b"=");
    if cursor.eat(b"**") && cursor.peek() == Some(b'*') {
        return None; // a mask; two are the end of bold text
    }
    let after_colon = cursor.at;
    cursor.blanks();
    // A type stands between the colon and the assignment: `password: String = "…"`
    let word = text[cursor.at..cursor.limit]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"<>&?_'".contains(byte))
        .count();
    let mut typed = Cursor { text, at: cursor.at + word, limit: cursor.limit };
    typed.blanks();
    if word > 0 && typed.peek() == Some(b'=') && text.get(typed.at + 1) != Some(&b'=') {
        typed.at += 1;
        typed.blanks();
        return quoted(text, &mut typed);
    }
    cursor.at = after_colon;
    cursor.blanks();
    quoted_or_bare(text, cursor)
}

/// A quoted value, one inside calls, lists or a hash, or one without quotes.
pub(super) fn quoted_or_bare(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    let from = cursor.at;
    if text[from..].starts_with(b"{{") {
        return fallback::in_template(text, from);
    }
    quoted_or_call(text, cursor).or_else(|| bare(text, from))
}

/// A quoted value, or the quoted first argument of a call: `Some("…")`, `b64decode(b'…')`, `["…"]`, `{ value: '…' }`.
fn quoted_or_call(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    if let Some(value) = quoted(text, cursor) {
        return Some(value);
    }
    let opening = cursor.at;
    if cursor.skip(b"[{") > 0 {
        if text[opening] == b'{'
            && let Some(value) = apart::of_block(text, opening)
        {
            return Some(value);
        }
        cursor.blanks();
        // `"credentials": {"user": …`: the name of a member.
        let is_name = |value: &Span| {
            let next = text[value.end..].iter().take(8).find(|byte| !b"\\\"' \t".contains(byte));
            matches!(next, Some(b':' | b'='))
        };
        return quoted(text, cursor).filter(|value| !is_name(value) && !is_piece(text, value.end));
    }
    called(text, cursor)
}

/// Whether the list that a text in it ends at `end` of is put together to one: `["…", "…"].concat()`. A piece is no value.
fn is_piece(text: &[u8], end: usize) -> bool {
    let rest = &text[end..text.len().min(end + LONGEST_GAP)];
    let close = rest.iter().position(|byte| b"]\n".contains(byte)).unwrap_or(rest.len());
    [b"].concat(".as_slice(), b"].join("].iter().any(|tail| rest[close..].starts_with(tail))
}

/// The quoted first argument of calls in each other, of which the cursor stands at the first one's name or bracket.
fn called(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    for _ in 0..MOST_CALLS {
        let from = cursor.at;
        while cursor.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte)) {
            cursor.at += 1;
        }
        if cursor.peek() != Some(b'(') || is_about_text(&text[from..cursor.at]) {
            return None;
        }
        if from == cursor.at
            && let Some(value) = second_of_pair(text, cursor.at + 1)
        {
            return Some(value);
        }
        cursor.skip(b"(");
        cursor.blanks();
        if let Some(value) = quoted(text, cursor) {
            return default_argument(text, value.end + 1).or(Some(value));
        }
    }
    None
}

/// The default of a setting that a call reads: `config("NAME", default="…")`.
fn default_argument(text: &[u8], from: usize) -> Option<Span> {
    let mut cursor = Cursor::new(text, from, text.len().min(from + LONGEST_GAP));
    if cursor.skip(b",") == 0 {
        return None;
    }
    cursor.blanks();
    if cursor.eat_default() { quoted(text, &mut cursor) } else { None }
}

/// The second of two quoted texts, which stand behind a bracket: `auth = ("bob", "…")`.
fn second_of_pair(text: &[u8], from: usize) -> Option<Span> {
    let mut cursor = Cursor::new(text, from, text.len().min(from + LONGEST_GAP));
    let quote = cursor.peek().filter(|byte| b"\"'".contains(byte))?;
    let user = memchr::memchr2(quote, b'\n', &text[from + 1..cursor.limit])?;
    cursor.at += user + 2;
    cursor.blanks();
    (cursor.skip(b",") == 1).then(|| {
        cursor.blanks();
        quoted(text, &mut cursor)
    })?
}

/// Pieces of names of functions whose texts are names, messages or patterns, and no values.
const ABOUT_TEXT: [&[u8]; 32] = [
    b"equal",
    b"contain",
    b"start",
    b"index",
    b"printf",
    b"format",
    b"compile",
    b"env",
    b"get",
    b"find",
    b"fetch",
    b"select",
    b"query",
    b"prompt",
    b"input",
    b"ask",
    b"read",
    b"load",
    b"require",
    b"import",
    b"translate",
    b"message",
    b"error",
    b"log",
    b"label",
    b"param",
    b"path",
    b"join",
    b"regex",
    b"match",
    b"lookup",
    b"column",
];

/// Whether a function's text argument is about something: `getenv("…")`, `fmt.Sprintf("…")`.
fn is_about_text(function: &[u8]) -> bool {
    let function = function.to_ascii_lowercase();
    ABOUT_TEXT.iter().any(|piece| memchr::memmem::find(&function, piece).is_some())
}

/// A quoted value, with up to two letters of a string prefix (`b"…"`, `u'…'`, `@"…"`) and escaped quotes around it.
pub(super) fn quoted(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    let mut at = cursor.at;
    let prefix = text[at..].iter().take(2).take_while(|byte| b"bBuUrRfFL@".contains(byte)).count();
    at += prefix;
    let slashes = text[at..].iter().take(4).take_while(|byte| **byte == b'\\').count();
    at += slashes;
    let quote = *text.get(at)?;
    if !b"\"'`".contains(&quote) {
        return None;
    }
    let start = at + 1;
    let limit = text.len().min(start + LONGEST_VALUE + 1);
    let mut end = start;
    while end < limit {
        match text[end] {
            b'\n' | b'\r' => return None,
            b'\\' if slashes == 0 => end += 1,
            b'\\' if text.get(end + slashes) == Some(&quote) => break,
            byte if byte == quote => break,
            _ => {}
        }
        end += 1;
    }
    (end < limit && end - start >= LEAST).then(|| Span::new(start, end))
}

/// A value without quotes: up to white space or a character that ends values in shells and configuration files.
fn bare(text: &[u8], start: usize) -> Option<Span> {
    let limit = text.len().min(start + LONGEST_VALUE + 1);
    let stop = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;<>|\\".contains(byte);
    let mut end = start + text[start..limit].iter().take_while(|byte| !stop(byte)).count();
    // The next parameter of a query: `?pass=…&user=…`, but not of one that is the value itself.
    let joints = memchr::memchr_iter(b'&', &text[start..end]).map(|at| start + at);
    let is_next = |&at: &usize| !text[start..at].contains(&b'=') && is_parameter(&text[at + 1..end]);
    end = joints.into_iter().find(is_next).unwrap_or(end);
    if end == limit && limit < text.len() || text[end..].starts_with(b"<<") {
        return None;
    }
    while end > start && b")]}".contains(&text[end - 1]) && !text[start..end].iter().any(|byte| b"([{".contains(byte)) {
        end -= 1;
    }
    // A call whose first argument is a text.
    let call = text[start..end].ends_with(b"(");
    (end - start >= LEAST && !call).then(|| Span::new(start, end))
}

/// Whether a text begins as a parameter of a query does: a name and `=`.
fn is_parameter(text: &[u8]) -> bool {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    name > 0 && text.get(name) == Some(&b'=')
}

/// The text of an XML element whose opening tag ended at `start`: of one line, which may be one of its own.
pub(super) fn element_value(text: &[u8], start: usize) -> Option<Span> {
    let limit = text.len().min(start + LONGEST_VALUE + 1);
    let inside = text.get(start..limit)?;
    let inside = &inside[..memchr::memchr(b'<', inside)?];
    let tail = inside.len() - inside.trim_ascii_end().len();
    let end = start + inside.len();
    let value = Span::new(end - inside.trim_ascii_start().len(), end - tail);
    let line = text.get(value.start..value.end)?;
    (text.get(end + 1) == Some(&b'/') && line.len() >= LEAST && !line.contains(&b'\n')).then_some(value)
}

//! Values assigned to a name that says it is a secret: `db_password = "…"`, `"apiKey": "…"`, `<password>…</password>`,
//! `--password=…`, `PASSWORD: …`. A forward scan from the keyword; what is a placeholder, a reference or prose is the
//! filters' business.

use crate::location::Span;

use super::{CodeMatcher, RawMatch};

/// Longest part of the name before or after the keyword, in bytes.
const LONGEST_NAME: usize = 40;

/// Longest stretch between name and value (spaces, type annotations), in bytes.
const LONGEST_GAP: usize = 40;

/// Longest value in bytes; longer ones are texts.
const LONGEST_VALUE: usize = 512;

/// Least length of a quoted value in bytes.
const LEAST_QUOTED: usize = 6;

/// Least length of a bare value in bytes.
const LEAST_BARE: usize = 8;

/// The matcher.
pub(super) struct Assignment;

impl CodeMatcher for Assignment {
    fn name(&self) -> &'static str {
        "generic-assignment"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let before = &text[keyword.start.saturating_sub(LONGEST_NAME).max(floor)..keyword.start];
        let lead = before.iter().rev().take_while(|byte| is_name(**byte)).count();
        let name_start = keyword.start - lead;
        let tail = text[keyword.end..].iter().take(LONGEST_NAME + 1).take_while(|byte| is_name(**byte)).count();
        if tail > LONGEST_NAME {
            return None;
        }
        let name = Span::new(name_start, keyword.end + tail);
        if is_author(&text[keyword.start..name.end]) {
            return None;
        }
        let before = |at: usize| name.start.checked_sub(at).and_then(|at| text.get(at)).copied();
        if before(1) == Some(b'$') && text[name.start..name.end].eq_ignore_ascii_case(b"pwd") {
            return None; // the shell's working directory
        }
        // An argument stands after `(` or `,`; after a colon it is a value itself, and what follows the next name.
        let lead = &text[name.start.saturating_sub(8)..name.start.saturating_sub(1)];
        let argument = before(1).is_some_and(|byte| b"\"'`".contains(&byte))
            && lead.trim_ascii_end().last().is_some_and(|byte| b"(,[".contains(byte));
        let value = value_after(text, name.end, argument)?;
        Some(RawMatch {
            whole: Span::new(name.start, value.end),
            secret: value,
            decoded: None,
            companions: vec![("name", name)],
            bare: !value.start.checked_sub(1).is_some_and(|at| b"\"'`".contains(&text[at])),
        })
    }

    fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        let rest = &text[keyword.end..];
        let tail = rest.iter().take(LONGEST_NAME + 1).take_while(|byte| is_name(**byte)).count();
        let rest = &rest[tail..];
        let gap = rest.iter().take(16).take_while(|byte| b"\\\"'`]) \t".contains(byte)).count();
        tail <= LONGEST_NAME && (gap == 16 || rest.get(gap).is_some_and(|byte| b">,:=-?.+vVsS[".contains(byte)))
    }

    fn reach(&self) -> usize {
        2 * LONGEST_NAME + LONGEST_GAP + LONGEST_VALUE + 16
    }
}

/// Whether `auth`, with which a keyword ends, is only the start of `author`: `GIT_AUTHOR_EMAIL`, but not `authorization`.
fn is_author(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    text.strip_prefix(b"_author").is_some_and(|rest| !rest.starts_with(b"i"))
}

/// Whether `byte` may stand in a name.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// A cursor over the bytes after a name.
struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
    limit: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied().filter(|_| self.at < self.limit)
    }

    fn skip(&mut self, set: &[u8]) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|byte| set.contains(&byte)) {
            self.at += 1;
        }
        self.at - from
    }

    fn eat(&mut self, literal: &[u8]) -> bool {
        let rest = &self.text[self.at..];
        let found = rest.len() >= literal.len() && rest[..literal.len()].eq_ignore_ascii_case(literal);
        if found {
            self.at += literal.len();
        }
        found
    }
}

/// The value assigned right after a name that ends at `from`.
/// `argument`: the name may be an argument of a call whose next one is the value.
fn value_after(text: &[u8], from: usize, argument: bool) -> Option<Span> {
    let mut cursor = Cursor { text, at: from, limit: text.len().min(from + LONGEST_GAP) };
    let closed_by_tag = cursor.peek() == Some(b'>');
    if closed_by_tag {
        cursor.at += 1;
        return element_value(text, cursor.at);
    }
    let quoted_name = cursor.skip(b"\\") > 0 || matches!(cursor.peek(), Some(b'"' | b'\'' | b'`'));
    cursor.skip(b"\\");
    cursor.skip(b"\"'`");
    cursor.skip(b"])");
    cursor.skip(b" \t");
    if quoted_name && cursor.eat(b"value") {
        // <add key="Password" value="…"/>
        cursor.skip(b" \t");
        return (cursor.skip(b"=") == 1).then(|| quoted_or_bare(text, &mut cursor)).flatten();
    }
    if quoted_name && cursor.peek() == Some(b',') {
        if !argument {
            return None;
        }
        // setProperty("password", "…"): only a quoted value can be told from the next argument
        cursor.at += 1;
        cursor.skip(b" \t");
        return quoted(text, &mut cursor);
    }
    // Makefiles assign with `?=`, `::=` and `:::=`, PHP and Perl append with `.=`, others with `+=`
    if [b"?=".as_slice(), b".=", b"+=", b"::=", b":::="].iter().any(|&sign| cursor.eat(sign)) {
        cursor.skip(b" \t");
        return quoted_or_bare(text, &mut cursor);
    }
    // A type stands between name and assignment: `var password string = "…"`
    if !quoted_name && [b"string =".as_slice(), b"[]byte ="].iter().any(|&kind| cursor.eat(kind)) {
        cursor.skip(b" \t");
        return quoted(text, &mut cursor);
    }
    if cursor.peek() == Some(b':') {
        cursor.at += 1;
        if cursor.peek() == Some(b':') {
            return None; // a path such as Password::new
        }
        cursor.eat(b"=");
        let after_colon = cursor.at;
        cursor.skip(b" \t");
        // A type stands between the colon and the assignment: `password: String = "…"`
        let word = text[cursor.at..cursor.limit]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"<>&?_'".contains(byte))
            .count();
        let mut typed = Cursor { text, at: cursor.at + word, limit: cursor.limit };
        typed.skip(b" \t");
        if word > 0 && typed.peek() == Some(b'=') && text.get(typed.at + 1) != Some(&b'=') {
            typed.at += 1;
            typed.skip(b" \t");
            return quoted(text, &mut typed);
        }
        cursor.at = after_colon;
        cursor.skip(b" \t");
        return quoted_or_bare(text, &mut cursor);
    }
    if cursor.eat(b"=>") || cursor.eat(b"->") {
        cursor.skip(b" \t");
        return quoted(text, &mut cursor);
    }
    match cursor.skip(b"=") {
        0 => None,
        1 => {
            cursor.skip(b" \t");
            quoted_or_bare(text, &mut cursor)
        }
        _ => {
            cursor.skip(b" \t");
            quoted(text, &mut cursor) // a comparison
        }
    }
}

fn quoted_or_bare(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
    quoted(text, cursor).or_else(|| bare(text, cursor.at))
}

/// A quoted value, with up to two letters of a string prefix (`b"…"`, `u'…'`, `@"…"`) and escaped quotes around it.
fn quoted(text: &[u8], cursor: &mut Cursor<'_>) -> Option<Span> {
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
    (end < limit && end - start >= LEAST_QUOTED).then(|| Span::new(start, end))
}

/// A value without quotes: up to white space or a character that ends values in shells and configuration files.
fn bare(text: &[u8], start: usize) -> Option<Span> {
    let limit = text.len().min(start + LONGEST_VALUE + 1);
    let stop = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;<>|\\".contains(byte);
    let mut end = start + text[start..limit].iter().take_while(|byte| !stop(byte)).count();
    if end == limit && limit < text.len() || text[end..].starts_with(b"<<") {
        return None;
    }
    while end > start && b")]}".contains(&text[end - 1]) && !text[start..end].iter().any(|byte| b"([{".contains(byte)) {
        end -= 1;
    }
    (end - start >= LEAST_BARE).then(|| Span::new(start, end))
}

/// The text of an XML element whose opening tag ended at `start`: of one line, which may be one of its own.
fn element_value(text: &[u8], start: usize) -> Option<Span> {
    let limit = text.len().min(start + LONGEST_VALUE + 1);
    let inside = text.get(start..limit)?;
    let inside = &inside[..memchr::memchr(b'<', inside)?];
    let tail = inside.len() - inside.trim_ascii_end().len();
    let end = start + inside.len();
    let value = Span::new(end - inside.trim_ascii_start().len(), end - tail);
    let line = text.get(value.start..value.end)?;
    (text.get(end + 1) == Some(&b'/') && line.len() >= LEAST_QUOTED && !line.contains(&b'\n')).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value found after `keyword` in `text`.
    fn value<'t>(text: &'t str, keyword: &str) -> Option<&'t str> {
        let at = text.find(keyword)?;
        let found = Assignment.find(text.as_bytes(), Span::new(at, at + keyword.len()), 0)?;
        Some(&text[found.secret.start..found.secret.end])
    }

    #[test]
    fn assignments_of_many_languages_are_read() {
        /// What stands where the cases say `VALUE`.
        const VALUE: &str = "kX9!mmq2zz";
        let cases = [
            (r#"db_password = "VALUE""#, Some(VALUE)),
            (r#"  "password": "VALUE","#, Some(VALUE)),
            (r#"{\"password\":\"VALUE\"}"#, Some(VALUE)),
            ("PASSWORD=VALUE\n", Some(VALUE)),
            ("password: VALUE # comment", Some(VALUE)),
            ("<password>VALUE</password>", Some(VALUE)),
            ("<password>\r\n    VALUE\r\n</password>", Some(VALUE)),
            ("<password>\n    VALUE\n    <b/>\n</password>", None),
            ("<password>\n    VALUE\n    VALUE\n</password>", None),
            ("var password string = \"VALUE\"", Some(VALUE)),
            ("PASSWORD ?= VALUE\n", Some(VALUE)),
            ("PASSWORD ::= VALUE\n", Some(VALUE)),
            ("PASSWORD :::= VALUE\n", Some(VALUE)),
            ("$password .= \"VALUE\";", Some(VALUE)),
            ("password += 'VALUE'", Some(VALUE)),
            (r#"<add key="password" value="VALUE" />"#, Some(VALUE)),
            (r#"let password: String = "VALUE".into();"#, Some(VALUE)),
            (r#"$config['password'] = 'VALUE';"#, Some(VALUE)),
            (r#"'password' => 'VALUE',"#, Some(VALUE)),
            (r#"setProperty("password", "VALUE")"#, Some(VALUE)),
            (r#"password = b'VALUE'"#, Some(VALUE)),
            ("mysql --password=VALUE db", Some(VALUE)),
            ("password := `VALUE`", Some(VALUE)),
            (r#"{"a.b": "password","kX9mmq2zz":1}"#, None),
            ("x=$PWD:kX9mmq2zz", None),
            ("Password::new(b\"VALUE\")", None),
            ("password = \"short", None),
            ("the password is VALUE", None),
            ("password: short", None),
        ];
        for (text, expected) in cases {
            let text = &text.replace("VALUE", VALUE);
            let keywords = ["PASSWORD", "Password", "PWD", "password"];
            let keyword = keywords.into_iter().find(|word| text.contains(word)).expect("a case names one");
            assert_eq!(value(text, keyword), expected, "{text}");
        }
    }

    #[test]
    fn authors_are_no_authorization() {
        assert_eq!(value("(\"GIT_AUTHOR_EMAIL\", \"ann@host.example\")", "_AUTH"), None);
        for (name, keyword) in [("npm_auth", "_auth"), ("HTTP_AUTHORIZATION", "_AUTH")] {
            assert_eq!(value(&format!("{name}=c29tZXRoaW5n"), keyword), Some("c29tZXRoaW5n"));
        }
    }

    #[test]
    fn what_stands_without_quotes_is_told() {
        let bare = |text: &str| {
            let at = text.find("token").expect("a case names one");
            Assignment.find(text.as_bytes(), Span::new(at, at + 5), 0).expect("a case has a value").bare
        };
        for text in ["tokens: &[&Token]) -> x", "token = format!(\"x\")", "token=VALUE"] {
            assert!(bare(&text.replace("VALUE", "a1b2c3d4")), "{text}");
        }
        for text in ["token = 'VALUE'", r#"{\"token\":\"VALUE\"}"#, "token: `VALUE`"] {
            assert!(!bare(&text.replace("VALUE", "a1b2c3d4")), "{text}");
        }
    }

    #[test]
    fn no_input_makes_it_panic() {
        let pieces = ["password", "=", ":", "\"", "'", "\\", ">", "<", "\n", " ", "x", ",", "value"];
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            value(&text, "password");
        }
    }
}

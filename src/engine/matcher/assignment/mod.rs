//! Values assigned to a name that says it is a secret: `db_password = "…"`, `"apiKey": "…"`, `<password>…</password>`,
//! `--password=…`, `PASSWORD: …`. A forward scan from the keyword; what is a placeholder, a reference or prose is the
//! filters' business.

use crate::location::Span;

use super::{CodeMatcher, RawMatch};

mod apart;
mod fallback;
mod value;

use apart::FARTHEST;
use value::{LONGEST_VALUE, Role, value_of};

/// Longest part of the name before or after the keyword, in bytes.
const LONGEST_NAME: usize = 40;

/// How far before the name and after the value the model that scores candidates may look, in bytes.
pub(crate) const SURROUNDINGS: usize = 96;

/// The matcher.
pub(super) struct Assignment;

impl CodeMatcher for Assignment {
    fn name(&self) -> &'static str {
        "generic-assignment"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let before = &text[keyword.start.saturating_sub(LONGEST_NAME).max(floor)..keyword.start];
        let lead = before.iter().rev().take_while(|byte| is_name(**byte)).count();
        let name = Span::new(keyword.start - lead, name_end(text, keyword)?);
        if is_another_word(text, keyword, name) {
            return None;
        }
        let before = |at: usize| name.start.checked_sub(at).and_then(|at| text.get(at)).copied();
        if before(1) == Some(b'$') && text[name.start..name.end].eq_ignore_ascii_case(b"pwd") {
            return None; // the shell's working directory
        }
        let role = role(text, name);
        if text.get(name.end) == Some(&b'(') && !is_setter(text, keyword, name) {
            return None;
        }
        let value = value_of(text, name, role)?;
        Some(RawMatch {
            whole: Span::new(name.start, value.end),
            secret: value,
            decoded: None,
            companions: vec![("name", name)],
            bare: !value.start.checked_sub(1).is_some_and(|at| b"\"'`".contains(&text[at])),
        })
    }

    fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        let Some(end) = name_end(text, keyword) else { return false };
        let rest = &text[end..];
        let gap = rest.iter().take(16).take_while(|byte| b"\\\"'`])* \t".contains(byte)).count();
        gap == 16
            || rest.get(gap).is_some_and(|byte| b">,:=-?.+(!|vVcCsSaAoO[<{\r\n".contains(byte))
            || gap > 0 && is_word_or_label(text, keyword.start)
    }

    fn reach(&self) -> usize {
        2 * LONGEST_NAME + FARTHEST + LONGEST_VALUE + SURROUNDINGS + 16
    }
}

/// How far before a name is looked at to tell its role, in bytes.
const LEAD: usize = 32;

/// How the name stands in its text.
fn role(text: &[u8], name: Span) -> Role {
    if is_word(text, name.start) {
        return Role::Word;
    }
    let before = &text[name.start.saturating_sub(LEAD)..name.start];
    let (last, lead) = before.split_last().map_or((0, before), |(last, lead)| (*last, lead));
    // An argument stands after `(` or `,`; after a colon it is a value itself, and what follows the next name.
    let argument = match last {
        b'"' | b'\'' | b'`' => match lead.trim_ascii_end().last() {
            // A pair in brackets, as tables of tests have them, is no call.
            Some(b'(') => {
                lead.trim_ascii_end().iter().rev().nth(1).is_some_and(|byte| is_name(*byte) || b")]>!?".contains(byte))
            }
            Some(b',') => is_in_call(&text[..name.start]),
            _ => false,
        },
        // `set(:auth, :secret, '…')`
        b':' => lead.last().is_some_and(|byte| b"(, ".contains(byte)),
        _ => false,
    };
    if argument {
        Role::Argument
    } else if is_label(before) {
        Role::Label
    } else {
        Role::Name
    }
}

/// Whether the innermost bracket that is open behind `before` is a round one: what stands there is an argument and no member
/// of a list.
fn is_in_call(before: &[u8]) -> bool {
    let near = &before[before.len().saturating_sub(FARTHEST)..];
    let mut closed = 0;
    for byte in near.iter().rev() {
        match byte {
            b')' | b']' | b'}' => closed += 1,
            b'(' | b'[' | b'{' if closed > 0 => closed -= 1,
            b'(' => return true,
            b'[' => return false,
            b'{' => break,
            _ => {}
        }
    }
    // A call without brackets: `buildConfigField "String", "KEY", "…"`.
    let line = match memchr::memrchr(b'\n', near) {
        Some(at) => near[at + 1..].trim_ascii_start(),
        None if near.len() == before.len() => near.trim_ascii_start(),
        None => return false,
    };
    let word = line.iter().take_while(|byte| is_name(**byte)).count();
    word > 0 && line[word..].starts_with(b" ") && line[word..].trim_ascii_start().starts_with(b"\"")
}

/// Whether what stands before a name says that it is the value of a `name` or `key`: `name: `, `"Key": "`, `<key>`.
fn is_label(before: &[u8]) -> bool {
    let trimmed = |bytes: &[u8]| {
        let odd = bytes.iter().rev().take_while(|byte| b"\\\"'` \t".contains(byte)).count();
        bytes.len() - odd
    };
    let before = &before[..trimmed(before)];
    let Some((sign, before)) = before.split_last() else { return false };
    let before = if b":=".contains(sign) { &before[..trimmed(before)] } else { before };
    b":=>".contains(sign)
        && [b"name".as_slice(), b"key"]
            .iter()
            .any(|word| before.len() >= word.len() && before[before.len() - word.len()..].eq_ignore_ascii_case(word))
}

/// Whether the name around `at` has one of the roles in which anything may follow it.
fn is_word_or_label(text: &[u8], at: usize) -> bool {
    let lead = text[..at].iter().rev().take(LONGEST_NAME).take_while(|byte| is_name(**byte)).count();
    let start = at - lead;
    is_word(text, at) || is_label(&text[start.saturating_sub(LEAD)..start])
}

/// Commands that a name and, behind a blank, its value follow.
const SETTERS: [&[u8]; 7] = [b"env", b"setx", b"setx /m", b"setenv", b"set -x", b"set -gx", b"set -ux"];

/// Whether the name around `at` is an option with two dashes, or the first word behind a command that sets variables.
fn is_word(text: &[u8], at: usize) -> bool {
    let lead = text[..at].iter().rev().take(LONGEST_NAME).take_while(|byte| is_name(**byte)).count();
    let start = at - lead;
    if text[start..].starts_with(b"--") && text.get(start + 2).is_some_and(u8::is_ascii_alphabetic) {
        return true;
    }
    let before = &text[start.saturating_sub(LEAD)..start];
    let line = memchr::memrchr(b'\n', before).map_or(before, |at| &before[at + 1..]);
    let command = line.trim_ascii();
    line.last().is_some_and(|byte| b" \t".contains(byte))
        && SETTERS.iter().any(|name| command.eq_ignore_ascii_case(name))
}

/// Where the name that the keyword is in ends: what of the keyword is no name (`key =`) isn't its end. `None` if it is too
/// long.
fn name_end(text: &[u8], keyword: Span) -> Option<usize> {
    let word = &text[keyword.start..keyword.end];
    let odd = word.iter().rev().take_while(|byte| !is_name(**byte)).count();
    let end = keyword.end - odd;
    let tail = text[end..].iter().take(LONGEST_NAME + 1).take_while(|byte| is_name(**byte)).count();
    (tail <= LONGEST_NAME).then_some(end + tail)
}

/// Words that end with `pass` and are about no password.
const PASSES: [&[u8]; 8] =
    [b"bypass", b"compass", b"encompass", b"surpass", b"trespass", b"overpass", b"underpass", b"minipass"];

/// Whether the keyword is a piece of another word: `auth` of `GIT_AUTHOR_EMAIL` (but not `authorization`), `pass` of `bypass`.
fn is_another_word(text: &[u8], keyword: Span, name: Span) -> bool {
    let from_keyword = text[keyword.start..name.end].to_ascii_lowercase();
    let author = [b"_author".as_slice(), b"author"].iter().find_map(|start| from_keyword.strip_prefix(*start));
    let up_to = text[name.start..name.end.min(keyword.start + b"pass".len())].to_ascii_lowercase();
    author.is_some_and(|rest| !rest.starts_with(b"i")) || PASSES.iter().any(|word| up_to.ends_with(word))
}

/// First words of functions that are given no secret, or the name of one.
const ASKING: [&[u8]; 22] = [
    b"get",
    b"check",
    b"is",
    b"has",
    b"find",
    b"parse",
    b"valid",
    b"verify",
    b"hash",
    b"read",
    b"load",
    b"fetch",
    b"generate",
    b"delete",
    b"remove",
    b"compare",
    b"assert",
    b"expect",
    b"require",
    b"need",
    b"lookup",
    b"resolve",
];

/// Whether a function of this name may be given the secret it is named for: `setAuthToken("…")`, `BasicKey("…")`, but neither
/// `getPassword("…")` nor `password.encode("…")`.
fn is_setter(text: &[u8], keyword: Span, name: Span) -> bool {
    let start = memchr::memrchr(b'.', &text[name.start..name.end]).map_or(name.start, |at| name.start + at + 1);
    let function = text[start..name.end].to_ascii_lowercase();
    keyword.start >= start && !ASKING.iter().any(|verb| function.starts_with(verb))
}

/// Whether `byte` may stand in a name.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
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
            ("words = [\"other\", \"password\", \"VALUE\"]", None),
            ("\"other\",\n\"password\",\n\"VALUE\",\n", None),
            ("call(x, [1, 2], \"password\", \"VALUE\")", Some(VALUE)),
            ("{\n  field \"String\", \"password\", \"VALUE\"", Some(VALUE)),
            ("Of the names \"host\", \"password\", \"VALUE\"", None),
            ("[(\"password\", \"VALUE\")]", None),
            ("x=$PWD:kX9mmq2zz", None),
            ("Password::new(b\"VALUE\")", None),
            ("password = \"short", None),
            ("the password is VALUE", None),
            ("password: sho", None),
            ("getPassword(\"VALUE\")", None),
            ("password.encode(\"VALUE\")", None),
            ("setPassword(\"VALUE\")", Some(VALUE)),
            ("password = getenv(\"VALUE\")", None),
            ("password = getenv(\"DB_SECRET\")", None),
            ("bypassword = 'VALUE'", None),
            ("password = Some(\"VALUE\"),", Some(VALUE)),
            ("client.setToken_password(Base64.decode(\"VALUE\"))", Some(VALUE)),
            ("\"passwords\": [\"VALUE\"]", Some(VALUE)),
            ("\"passwords\": {\"VALUE\": 1}", None),
            ("\"passwords\": [\"VALUE\", \"other\"]", Some(VALUE)),
            ("password = [\"VALUE\", \"other\"].concat()", None),
            ("cookies[:password] = { value: 'VALUE', path: '/' }", Some(VALUE)),
            ("set(:auth, :password, 'VALUE')", Some(VALUE)),
            ("if [ \"$password\" == \"VALUE\" ]", Some(VALUE)),
            ("- **password**: VALUE", Some(VALUE)),
            ("  - name: DB_PASSWORD\n    value: VALUE\n", Some(VALUE)),
            ("  - name: DB_PASSWORD\n    value: \"VALUE\"\n", Some(VALUE)),
            ("  - name: DB_PASSWORD\n  - name: X\n    other: VALUE\n", None),
            ("  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: VALUE\n", None),
            (r#"{"name":"DB_PASSWORD","type":"text","value":"VALUE"}"#, Some(VALUE)),
            (r#"{"name":"DB_PASSWORD"},{"name":"OTHER","value":"VALUE"}"#, None),
            ("{\n  \"name\": \"DB_PASSWORD\",\n  \"value\": \"VALUE\"\n}", Some(VALUE)),
            (r#"{\"name\":\"DB_PASSWORD\",\"value\":\"VALUE\"}"#, Some(VALUE)),
            (r#"[{"ParameterKey":"DBPassword","ParameterValue":"VALUE"}]"#, Some(VALUE)),
            ("--parameters ParameterKey=DBPassword,ParameterValue=VALUE\n", Some(VALUE)),
            ("<entry key=\"password\">VALUE</entry>", Some(VALUE)),
            ("<string name=\"password\" translatable=\"false\">VALUE</string>", Some(VALUE)),
            ("<setting name=\"Password\" serializeAs=\"String\">\n  <value>VALUE</value>", Some(VALUE)),
            ("<key>password</key>\n\t<string>VALUE</string>", Some(VALUE)),
            ("<name>db.password</name>\n<value>VALUE</value>", Some(VALUE)),
            ("<li class=\"password\">VALUE</li>", None),
            (r#""adminPassword": { "value": "VALUE" }"#, Some(VALUE)),
            ("\"adminPassword\": {\n  \"value\": \"VALUE\"\n}", Some(VALUE)),
            (r#""adminPassword": {"type":"securestring","defaultValue":"VALUE"}"#, Some(VALUE)),
            ("variable \"db_password\" {\n  type = string\n  default = \"VALUE\"\n}", Some(VALUE)),
            ("  DBPassword:\n    Type: String\n    Default: VALUE\n", Some(VALUE)),
            ("  DBPassword:\n    Type: String\n  Other:\n    Default: VALUE\n", None),
            ("ENV DB_PASSWORD VALUE\n", Some(VALUE)),
            ("setx DB_PASSWORD \"VALUE\"", Some(VALUE)),
            ("set -gx DB_PASSWORD VALUE", Some(VALUE)),
            ("see ENV DB_PASSWORD VALUE\n", None),
            ("deploy --db-password VALUE\n", Some(VALUE)),
            ("deploy --db-password --other VALUE\n", None),
            ("password: ${DB_PASSWORD:VALUE}\n", Some(VALUE)),
            ("DB_PASSWORD=${DB_PASSWORD:-VALUE}\n", Some(VALUE)),
            ("password = \"${DB_PASSWORD:-VALUE}\"\n", Some(VALUE)),
            ("password: {{ db_password | default('VALUE') }}\n", Some(VALUE)),
            ("password: \"{{ db_password | default('VALUE') }}\"\n", Some(VALUE)),
            ("password: {{ .Values.password | default \"VALUE\" }}\n", Some(VALUE)),
            ("password = process.env.DB_SECRET || \"VALUE\";", Some(VALUE)),
            ("x = process.env.DB_PASSWORD ?? 'VALUE';", Some(VALUE)),
            ("x = ENV['DB_PASSWORD'] || 'VALUE'", Some(VALUE)),
            ("x = os.environ.get('DB_PASSWORD') or 'VALUE'", Some(VALUE)),
            ("x = config('DB_PASSWORD', default='VALUE')", Some(VALUE)),
            ("password = config('DB_SECRET', default='VALUE')", Some(VALUE)),
            ("password = other.equals(\"VALUE\")", None),
            ("Dim password As String = \"VALUE\"", Some(VALUE)),
            ("password=(\"bob\", \"VALUE\")", Some(VALUE)),
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
        for text in ["tokens: &[&Token]) -> x", "token=VALUE"] {
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

//! The settings around a match: names with values in any common syntax, each with its line and block. A forward scan of
//! a bounded window; what it misreads is no setting of a name that anyone asks for.

use super::scope::{Block, Blocks};
use crate::location::Span;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 80;

/// Longest value, in bytes; longer ones are texts.
const LONGEST_VALUE: usize = 1000;

/// Most lines between `name: X` and the `value: Y` that goes with it.
const NAME_TO_VALUE: usize = 3;

/// A name and the value it is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Where the name stands.
    pub(super) name: Span,
    /// Where the value stands, without quotes.
    pub(super) value: Span,
    /// Where it belongs.
    pub(super) site: Site,
}

/// Where in its window something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// The innermost block around it.
    pub(super) block: Block,
    /// 0-based line in the window.
    pub(super) line: usize,
    /// 0-based number of the paragraph (blank lines are between them).
    pub(super) paragraph: usize,
    /// Offset in the text, bytes.
    pub(super) at: usize,
}

/// What was read of a window.
#[derive(Debug)]
pub(super) struct Settings {
    /// In the order of their names' offsets.
    pub(super) all: Vec<Setting>,
    /// Which block holds what.
    pub(super) blocks: Blocks,
    /// Where another block begins to be the innermost, or a line begins: offset and site, rising.
    sites: Vec<Site>,
}

impl Settings {
    /// Reads a window of `text`.
    pub(super) fn read(text: &[u8], window: Span) -> Self {
        let mut reader = Reader {
            text: &text[..window.end],
            at: window.start,
            here: Site { block: 0, line: 0, paragraph: 0, at: window.start },
            read: Self { all: Vec::new(), blocks: Blocks::new(), sites: Vec::new() },
            named: None,
        };
        reader.run();
        let mut read = reader.read;
        read.all.sort_by_key(|setting| (setting.name.start, setting.value.start));
        read
    }

    /// The last setting whose value holds `span`.
    pub(super) fn of(&self, span: Span) -> Option<&Setting> {
        let end = self.all.partition_point(|setting| setting.name.start <= span.start);
        self.all[..end].iter().rev().take(8).find(|setting| {
            setting.value.contains(Span::new(span.start, span.start)) && span.start < setting.value.end
                || setting.name.end <= span.start && span.contains(setting.value)
        })
    }

    /// Where `offset` stands.
    pub(super) fn site(&self, offset: usize) -> Site {
        let after = self.sites.partition_point(|site| site.at <= offset);
        let site = after.checked_sub(1).map_or(Site { block: 0, line: 0, paragraph: 0, at: 0 }, |at| self.sites[at]);
        Site { at: offset, ..site }
    }
}

/// A scan of a window.
struct Reader<'t> {
    /// The text up to the window's end.
    text: &'t [u8],
    at: usize,
    here: Site,
    read: Settings,
    /// The last setting that gives a name to a value to come: `name: X`, `key="X"`.
    named: Option<Setting>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    /// Notes that what follows stands in the block that is open now.
    fn mark(&mut self) {
        self.here = Site { block: self.read.blocks.now(), at: self.at, ..self.here };
        self.read.sites.push(self.here);
    }

    fn run(&mut self) {
        self.line();
        while self.at < self.text.len() {
            let (byte, next) = (self.text[self.at], self.peek(1));
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.here.line += 1;
                    self.line();
                }
                b'{' | b'(' | b'[' => {
                    self.read.blocks.brace(if byte == b'(' { b')' } else { byte + 2 });
                    self.at += 1;
                    self.mark();
                }
                b'}' | b')' | b']' => {
                    self.read.blocks.close(byte);
                    self.at += 1;
                    self.mark();
                }
                b'<' if next == b'/' => self.end_tag(),
                b'<' if next.is_ascii_alphabetic() && !self.follows(is_name) => self.tag(),
                b'/' if next == b'>' => {
                    self.read.blocks.close_element(b"");
                    self.at += 2;
                    self.mark();
                }
                b'"' | b'\'' | b'`' | b'\\' => self.string(),
                _ if is_name(byte) => self.word(),
                _ => self.at += 1,
            }
        }
    }

    /// Whether the byte before the cursor is of this kind.
    fn follows(&self, kind: fn(u8) -> bool) -> bool {
        self.at.checked_sub(1).is_some_and(|at| kind(self.text[at]))
    }

    /// The start of a line: blank ones, sections, documents, indents.
    fn line(&mut self) {
        let rest = &self.text[self.at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let trimmed = line.trim_ascii();
        let indent = line.iter().take_while(|byte| b" \t".contains(byte)).count();
        match trimmed {
            [] => self.here.paragraph += 1,
            b"---" => self.read.blocks.document(),
            [b'[', inner @ .., b']'] if is_section(inner) && !self.read.blocks.in_braces() => {
                self.read.blocks.section();
                self.at += line.len();
            }
            // What closes is at home where it opened.
            [b'}' | b')' | b']', ..] | [b'<', b'/', ..] => {}
            [b'-', b' ', after @ ..] => {
                let gap = after.len() - after.trim_ascii_start().len();
                self.read.blocks.line(indent, Some(indent + 2 + gap));
            }
            _ => self.read.blocks.line(indent, None),
        }
        self.mark();
    }

    /// `<name …`: an element, or the setting `<name>value</name>`.
    fn tag(&mut self) {
        let name = self.name_at(self.at + 1);
        let behind = &self.text[name.end..];
        if behind.first() == Some(&b'>') {
            let inside = &behind[1..behind.len().min(LONGEST_VALUE + 1)];
            if let Some(len) = memchr::memchr(b'<', inside).filter(|len| inside.get(len + 1) == Some(&b'/')) {
                let (start, value) = (name.end + 1, &inside[..len]);
                let trimmed = value.trim_ascii();
                let lead = value.len() - value.trim_ascii_start().len();
                let start = start + lead;
                if !trimmed.is_empty() && !trimmed.contains(&b'\n') {
                    self.add(name, Span::new(start, start + trimmed.len()));
                    // The closing tag goes with the opening one, of which no block was made.
                    self.here.line += memchr::memchr_iter(b'\n', value).count();
                    let close = name.end + 1 + len;
                    let end = memchr::memchr(b'>', &self.text[close..]).map_or(self.text.len(), |len| close + len + 1);
                    self.at = end;
                    self.mark();
                    return;
                }
            }
        }
        let text = self.text;
        self.at = name.end;
        // One that ends in `/>` is closed by that, whatever its name.
        let head = &text[name.end..text.len().min(name.end + LONGEST_VALUE)];
        let closes_itself = memchr::memchr(b'>', head).is_some_and(|end| end > 0 && head[end - 1] == b'/');
        self.read.blocks.element(if closes_itself { b"" } else { &text[name.start..name.end] });
        self.mark();
    }

    /// `</name>`.
    fn end_tag(&mut self) {
        let name = self.name_at(self.at + 2);
        let text = self.text;
        self.read.blocks.close_element(&text[name.start..name.end]);
        self.at = name.end.max(self.at + 2);
        self.mark();
    }

    /// The name that begins at `start`; empty where none does.
    fn name_at(&self, start: usize) -> Span {
        let start = start.min(self.text.len());
        let len = self.text[start..].iter().take_while(|byte| is_name(**byte)).count();
        Span::new(start, start + len)
    }

    /// A string: a name that is given a value, or else something to read on in.
    fn string(&mut self) {
        let Some((inside, end)) = self.quoted(self.at) else {
            self.at += 1;
            return;
        };
        let inner = &self.text[inside.start..inside.end];
        if !inner.is_empty() && inside.len() <= LONGEST_NAME && inner.iter().all(|byte| is_name(*byte)) {
            let argument = self.text[..self.at].trim_ascii_end().ends_with(b"(");
            let indexed = self.text.get(end) == Some(&b']');
            if let Some((value, behind)) = self.value(end + usize::from(indexed), true, argument) {
                // The bracket of an index and the parenthesis of a call hold the pair alone.
                if indexed || argument {
                    self.read.blocks.close(if indexed { b']' } else { b')' });
                    self.here.block = self.read.blocks.now();
                }
                self.add(inside, value);
                if argument {
                    self.read.blocks.brace(b')');
                }
                self.at = behind;
                self.mark();
                return;
            }
        } else if let Some(equals) =
            memchr::memchr(b'=', inner).filter(|&at| at > 0 && inner[..at].iter().all(|b| is_name(*b)))
        {
            // "NAME=value" as a whole, as in lists of environment variables.
            let value = Span::new(inside.start + equals + 1, inside.end);
            if !value.is_empty() && value.len() <= LONGEST_VALUE && memchr::memchr2(b';', b'&', inner).is_none() {
                self.add(Span::new(inside.start, inside.start + equals), value);
            }
        }
        // Text in text, as JSON in JSON, is read too.
        self.at = if memchr::memmem::find(inner, b"\\\"").is_some() { inside.start } else { end };
    }

    /// A bare word: a name that is given a value, or nothing.
    fn word(&mut self) {
        let name = self.name_at(self.at);
        let flag = match &self.text[name.start..name.end] {
            [b'-', b'-', ..] => true,
            [b'-', letter] => letter.is_ascii_alphabetic(),
            _ => false,
        };
        self.at = name.end;
        if name.len() > LONGEST_NAME {
            return;
        }
        if let Some((value, behind)) = self.value(name.end, false, false) {
            self.add(name, value);
            self.at = behind;
        } else if flag && self.peek(0) == b' ' && !b"- \n".contains(&self.peek(1)) {
            let (value, end) = self.quoted(self.at + 1).unwrap_or_else(|| {
                let bare = self.bare(self.at + 1);
                (bare, bare.end)
            });
            if !value.is_empty() {
                self.add(name, value);
                self.at = end;
            }
        }
    }

    /// Adds a setting.
    fn add(&mut self, name: Span, value: Span) {
        if value.is_empty() {
            return;
        }
        let mut setting = Setting { name, value, site: Site { at: value.start, ..self.here } };
        let is = |word: &[u8]| self.text[name.start..name.end].eq_ignore_ascii_case(word);
        if is(b"name") || is(b"key") {
            let inner = &self.text[value.start..value.end];
            self.named = Some(setting).filter(|_| inner.iter().all(|byte| is_name(*byte)));
        } else if is(b"value")
            && let Some(named) = self.named.take()
            && named.site.block == setting.site.block
            && setting.site.line - named.site.line <= NAME_TO_VALUE
        {
            // The two are one, at home where their item is.
            setting.name = named.value;
            setting.site.block = self.read.blocks.around(setting.site.block);
        }
        self.read.all.push(setting);
    }

    /// The value given to a name that ends at `from`, and the offset behind it. `quoted`: the name stood in quotes; `argument`: a comma may
    /// follow it, behind which the value is the next argument.
    fn value(&self, from: usize, quoted: bool, argument: bool) -> Option<(Span, usize)> {
        let mut at = self.blanks(from);
        match *self.text.get(at)? {
            b',' if argument => at += 1,
            b'=' if self.text.get(at + 1) == Some(&b'>') => at += 2,
            b'=' if matches!(self.text.get(at + 1), Some(b'=' | b'~')) => return None,
            b'=' => at += 1,
            b':' if self.text.get(at + 1) == Some(&b'=') => at += 2,
            b':' if matches!(self.text.get(at + 1), Some(b':' | b'/')) => return None,
            b':' if at > from && !quoted => return None,
            b':' => at += 1,
            _ => return None,
        }
        at = self.blanks(at);
        // `b"…"`, `@"…"`, `f'…'`
        let prefix = self.text[at..].iter().take(2).take_while(|byte| b"bBuUrRfFL@N".contains(byte)).count();
        if let Some(found) = self.quoted(at + prefix).or_else(|| self.quoted(at)) {
            return Some(found).filter(|(value, _)| value.len() <= LONGEST_VALUE);
        }
        let value = self.bare(at + usize::from(self.text.get(at) == Some(&b'&')));
        // A type: `host: str = "…"`
        let behind = self.blanks(value.end);
        if !value.is_empty() && self.text.get(behind) == Some(&b'=') && self.text.get(behind + 1) != Some(&b'=') {
            return self.quoted(self.blanks(behind + 1));
        }
        // What is called or indexed is code.
        let is_code = matches!(self.text.get(value.end), Some(b'(' | b'['));
        (!value.is_empty() && !is_code && value.len() <= LONGEST_VALUE).then_some((value, value.end))
    }

    /// The first offset from `at` on that is no blank.
    fn blanks(&self, at: usize) -> usize {
        at + self.text[at.min(self.text.len())..].iter().take_while(|byte| b" \t".contains(byte)).count()
    }

    /// The inside of the string that begins at `at`, and the offset behind it. Of one line.
    fn quoted(&self, at: usize) -> Option<(Span, usize)> {
        let slashes = self.text.get(at..)?.iter().take(4).take_while(|byte| **byte == b'\\').count();
        let quote = *self.text.get(at + slashes)?;
        if !b"\"'`".contains(&quote) {
            return None;
        }
        let start = at + slashes + 1;
        let mut end = start;
        loop {
            match *self.text.get(end)? {
                b'\n' => return None,
                b'\\' if slashes > 0 && self.text.get(end + slashes) == Some(&quote) => {
                    return Some((Span::new(start, end), end + slashes + 1));
                }
                b'\\' if slashes == 0 => end += 2,
                byte if byte == quote => return Some((Span::new(start, end), end + 1)),
                _ if end - start > 2 * LONGEST_VALUE => return None,
                _ => end += 1,
            }
        }
    }

    /// A value without quotes.
    fn bare(&self, at: usize) -> Span {
        let stop = |byte: &&u8| !(byte.is_ascii_whitespace() || b"\"'`,;<>|\\(){}[]&".contains(byte));
        let len = self.text[at.min(self.text.len())..].iter().take(LONGEST_VALUE + 1).take_while(stop).count();
        Span::new(at, at + len)
    }
}

/// Whether `byte` may stand in a name.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Whether this between brackets, alone on its line, names a section.
fn is_section(inner: &[u8]) -> bool {
    inner.first().is_some_and(u8::is_ascii_alphabetic)
        && inner.len() <= LONGEST_NAME
        && inner.iter().all(|byte| is_name(*byte) || b" :/@\"".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of a text as `name=value`.
    fn read(text: &str) -> Vec<String> {
        let settings = Settings::read(text.as_bytes(), Span::new(0, text.len()));
        settings
            .all
            .iter()
            .map(|one| format!("{}={}", &text[one.name.start..one.name.end], &text[one.value.start..one.value.end]))
            .collect()
    }

    /// Whether the values `a` and `b` of a text stand in one block, or the first one's holds the second's.
    fn together(text: &str) -> bool {
        let settings = Settings::read(text.as_bytes(), Span::new(0, text.len()));
        let block = |value: &str| {
            let at = text.find(value).expect("a case holds it");
            settings.of(Span::new(at, at + value.len())).expect("it is the value of a setting").site.block
        };
        settings.blocks.depth(block("AAA"), block("BBB")).is_some()
    }

    #[test]
    fn settings_of_many_syntaxes_are_read() {
        for (text, expected) in [
            ("DB_HOST=a.b\nexport DB_USER='app'\n", vec!["DB_HOST=a.b", "DB_USER=app"]),
            ("host = a.b ; c\r\nuser: app # c\n", vec!["host=a.b", "user=app"]),
            (r#"{"host":"a.b","port":1,"x":{"user":"app"}}"#, vec!["host=a.b", "port=1", "user=app"]),
            (r#"{\"host\":\"a.b\",\"user\":\"app\"}"#, vec!["host=a.b", "user=app"]),
            ("<db><host>a.b</host>\n <user>\n app\n</user></db>", vec!["host=a.b", "user=app"]),
            (r#"<db host="a.b" user="app"/>"#, vec!["host=a.b", "user=app"]),
            (r#"<add key="host" value="a.b"/>"#, vec!["key=host", "host=a.b"]),
            ("- name: HOST\n  value: a.b\n", vec!["name=HOST", "HOST=a.b"]),
            (r#"f(host="a.b", user = u'app')"#, vec!["host=a.b", "user=app"]),
            (r#"set("host", "a.b"); define('USER', 'app');"#, vec!["host=a.b", "USER=app"]),
            (r#"$c['host'] = 'a.b'; $c["user"] = "app";"#, vec!["host=a.b", "user=app"]),
            (r#"'host' => 'a.b', :user => "app""#, vec!["host=a.b", "user=app"]),
            (r#"host := "a.b"; let user: &str = "app";"#, vec!["host=a.b", "user=app"]),
            ("run --host a.b --user=app -p x", vec!["--host=a.b", "--user=app", "-p=x"]),
            (r#"["HOST=a.b", "USER=app"]"#, vec!["HOST=a.b", "USER=app"]),
            ("jdbc:x://a:1/b?host=a.b&user=app", vec!["jdbc=x://a:1/b?host=a.b", "user=app"]),
            ("if host == 'a' {}\na::b\ndon't", vec![]),
        ] {
            let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            let mut found = read(text);
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn blocks_hold_what_belongs_together() {
        for (text, expected) in [
            ("host=AAA\npassword=BBB\n", true),
            ("[one]\nhost=AAA\n[one.two]\npassword=BBB\n", false),
            ("host=AAA\n[one]\npassword=BBB\n", true),
            ("a:\n  host: AAA\n  password: BBB\n", true),
            ("a:\n  host: AAA\nb:\n  password: BBB\n", false),
            ("host: AAA\nb:\n  password: BBB\n", true),
            ("a: {host: AAA}\nb: {password: BBB}\n", false),
            ("- host: AAA\n  password: BBB\n", true),
            ("- host: AAA\n- password: BBB\n", false),
            ("env:\n- name: HOST\n  value: AAA\n- name: PASSWORD\n  value: BBB\n", true),
            (r#"[{"name":"HOST","value":"AAA"},{"name":"PASSWORD","value":"BBB"}]"#, true),
            ("<add key=\"h\" value=\"AAA\"/>\n<add key=\"p\" value=\"BBB\"/>", true),
            ("<a><h>AAA</h></a><a><p>BBB</p></a>", false),
            ("<a><h>AAA</h><p>BBB</p></a>", true),
            ("put(\"h\", \"AAA\");\nput(\"p\", \"BBB\");", true),
            ("f(h=\"AAA\",\n  p=\"BBB\")", true),
            ("f(h=\"AAA\")\nf(p=\"BBB\")", false),
            ("x = {\n  h: 'AAA',\n  o: {p: 'BBB'}\n}", true),
            ("x = {\n  o: {h: 'AAA'},\n  p: 'BBB'\n}", false),
            ("h: AAA\n---\np: BBB\n", false),
        ] {
            assert_eq!(together(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_and_paragraphs_are_counted() {
        let text = "a=1\n\nb=2\n  c=3\n";
        let settings = Settings::read(text.as_bytes(), Span::new(0, text.len()));
        let sites: Vec<_> = settings.all.iter().map(|one| (one.site.line, one.site.paragraph)).collect();
        assert_eq!(sites, [(0, 0), (2, 1), (3, 1)]);
        let site = settings.site(text.find('2').expect("it is there"));
        assert_eq!((site.line, site.paragraph), (2, 1));
    }

    #[test]
    fn no_input_makes_it_panic_or_stand_still() {
        let pieces = [
            "host", "=", ":", "\"", "'", "\\", ">", "<", "/", "\n", " ", "{", "}", "[", "]", "(", ")", ",", "- ",
            "value", "--",
        ];
        let mut state = 7_u64;
        let mut seen = 0;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let settings = Settings::read(text.as_bytes(), Span::new(0, text.len()));
            seen += settings.all.len();
            for at in 0..=text.len() {
                settings.site(at);
                settings.of(Span::new(at, text.len()));
            }
        }
        assert!(seen > 1000);
        Settings::read(b"", Span::new(0, 0));
        Settings::read(b"a=b", Span::new(3, 3));
    }
}

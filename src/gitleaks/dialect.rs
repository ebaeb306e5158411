//! From Go's regular expressions (RE2) to those of our engine. In: an expression as gitleaks reads it. Out: one over
//! bytes that matches the same texts: classes spelled out, characters as the bytes of their UTF-8, flags resolved.
//!
//! Go's syntax is read character by character and written as Rust's, which then is parsed and turned into bytes. A byte
//! that is no part of UTF-8 counts as a character to Go; here any byte above 0x7f may stand for one where a class takes
//! all of those, so that texts in other encodings match alike. Source: <https://github.com/google/re2/wiki/Syntax> and
//! <https://pkg.go.dev/regexp/syntax>, read 2026-11.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, HirKind, Repetition};
use regex_syntax::utf8::Utf8Sequences;

/// Longest expression, in bytes.
const LONGEST: usize = 64 << 10;

/// Highest count of a repetition, as in Go.
const MOST_REPEATS: u32 = 1000;

/// What `\d`, `\s` and `\w` stand for inside a class. `\s` has no vertical tab.
const PERL: [(char, &str); 3] = [('d', "0-9"), ('s', r"\t\n\x0C\r\x20"), ('w', "0-9A-Za-z_")];

/// Names of ASCII classes, as in `[[:alpha:]]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// An expression of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// The expression, over bytes.
    pub(super) pattern: String,
    /// How many capture groups it has.
    pub(super) groups: usize,
    /// Whether it matches the empty text.
    pub(super) empty: bool,
}

/// Translates an expression.
///
/// # Errors
/// What is wrong with it, in a clause.
pub(super) fn translate(go: &str) -> Result<Translated, String> {
    if go.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut reader = Reader { rest: go, out: String::with_capacity(go.len()) };
    reader.all()?;
    let hir = ParserBuilder::new().utf8(false).build().parse(&reader.out).map_err(|error| one_line(&error))?;
    let properties = hir.properties();
    let (groups, empty) = (properties.explicit_captures_len(), properties.minimum_len() == Some(0));
    let bytes = of_bytes(&hir);
    let printed = bytes.to_string();
    // Neighbouring characters may have become a class again, which bytes know only under this flag.
    let alone = ParserBuilder::new().unicode(false).utf8(false).build().parse(&printed);
    let pattern = if alone.is_ok_and(|alone| alone == bytes) { printed } else { format!("(?u){printed}") };
    Ok(Translated { pattern, groups, empty })
}

/// The last line of a syntax error is its reason; the lines before it draw the expression.
fn one_line(error: &regex_syntax::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or("it can't be read").trim_start_matches("error: ").to_owned()
}

/// Reads Go's syntax and writes Rust's.
struct Reader<'g> {
    /// What is left to read.
    rest: &'g str,
    /// What is written.
    out: String,
}

impl Reader<'_> {
    /// The next character, taken.
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Takes `text` if it comes next.
    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Writes a character that stands for itself.
    fn literal(&mut self, c: char) {
        if regex_syntax::is_meta_character(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// Reads everything.
    fn all(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.repeat()?,
                ')' | '|' | '*' | '+' | '?' | '.' | '^' | '$' => self.out.push(c),
                _ => self.literal(c),
            }
        }
        Ok(())
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        if self.take("Q") {
            let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            quoted.chars().for_each(|c| self.literal(c));
            return Ok(());
        }
        for (word, rust) in [("A", r"\A"), ("z", r"\z"), ("b", r"(?-u:\b)"), ("B", r"(?-u:\B)")] {
            if self.take(word) {
                self.out.push_str(rust);
                return Ok(());
            }
        }
        match self.shorthand()? {
            Some(class) => self.out.push_str(&class),
            None => {
                let c = self.escaped()?;
                self.literal(c);
            }
        }
        Ok(())
    }

    /// A class of one letter behind a backslash (`\d`, `\pL`, `\P{Greek}`), if one comes next.
    fn shorthand(&mut self) -> Result<Option<String>, String> {
        let Some(letter) = self.rest.chars().next() else { return Ok(None) };
        if let Some((_, set)) = PERL.iter().find(|(name, _)| *name == letter.to_ascii_lowercase()) {
            self.next();
            let not = if letter.is_ascii_uppercase() { "^" } else { "" };
            return Ok(Some(format!("[{not}{set}]")));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        self.next();
        let name = if self.take("{") {
            let (name, rest) = self.rest.split_once('}').ok_or(r"`\p{` is not closed by `}`")?;
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().ok_or(r"`\p` names no class")?.to_string()
        };
        let (not, name) = match name.strip_prefix('^') {
            Some(name) => (true, name),
            None => (false, name.as_str()),
        };
        let letter = if (letter == 'P') == not { 'p' } else { 'P' };
        Ok(Some(format!(r"\{letter}{{{name}}}")))
    }

    /// The character that an escape stands for; the backslash is behind us.
    fn escaped(&mut self) -> Result<char, String> {
        let c = self.next().ok_or("a backslash stands at the end")?;
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal()?,
            '0'..='7' => {
                if c != '0' && !self.rest.starts_with(|next: char| ('0'..='7').contains(&next)) {
                    return Err(format!(r"back-references (`\{c}`) are not in Go's dialect"));
                }
                self.octal(c)
            }
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(format!(r"there is no escape `\{c}` in Go's dialect")),
        })
    }

    /// A character by one to three octal digits, of which `first` has been read.
    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            self.next();
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or('\0')
    }

    /// A character by `41` or `{1F600}`.
    fn hexadecimal(&mut self) -> Result<char, String> {
        let digits = if self.take("{") {
            let (digits, rest) = self.rest.split_once('}').ok_or(r"`\x{` is not closed by `}`")?;
            self.rest = rest;
            digits
        } else {
            let (digits, rest) = self.rest.split_at_checked(2).ok_or(r"two digits must follow `\x`")?;
            self.rest = rest;
            digits
        };
        let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = valid.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
        code.and_then(char::from_u32).ok_or_else(|| format!(r"`\x{digits}` is no character"))
    }

    /// What follows an opening parenthesis.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if !self.take("?") {
            return Ok(());
        }
        if ["=", "!", "<=", "<!"].iter().any(|look| self.rest.starts_with(look)) {
            return Err("look-around (`(?=`, `(?!`, `(?<=`, `(?<!`) is not in Go's dialect".to_owned());
        }
        if self.take("P<") || self.take("<") {
            // Which group is the secret is told by its number, so the name can go.
            let (name, rest) = self.rest.split_once('>').ok_or("a group's name is not closed by `>`")?;
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(format!("`{name}` is no name of a group"));
            }
            self.rest = rest;
            return Ok(());
        }
        self.out.push('?');
        loop {
            match self.next().ok_or("a group is not closed")? {
                c @ ('i' | 'm' | 's' | 'U' | '-') => self.out.push(c),
                end @ (':' | ')') => {
                    self.out.push(end);
                    return Ok(());
                }
                c => return Err(format!("there is no flag `{c}` in Go's dialect (there are: i, m, s, U)")),
            }
        }
    }

    /// What follows an opening brace: a count, or else the brace stands for itself.
    fn repeat(&mut self) -> Result<(), String> {
        let Some((inner, rest)) = self.rest.split_once('}') else {
            self.literal('{');
            return Ok(());
        };
        let (least, most) = match inner.split_once(',') {
            Some((least, most)) => (least, most),
            None => (inner, inner),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(least) || !(is_number(most) || most.is_empty()) {
            self.literal('{');
            return Ok(());
        }
        let count = |text: &str| text.parse::<u32>().ok().filter(|&count| count <= MOST_REPEATS);
        if count(least).is_none() || !most.is_empty() && count(most).is_none() {
            return Err(format!("`{{{inner}}}` repeats more than {MOST_REPEATS} times"));
        }
        self.rest = rest;
        self.out.push_str(&format!("{{{inner}}}"));
        Ok(())
    }

    /// What follows an opening bracket. Every character is written by its number, since Rust gives more of them a
    /// meaning.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            if self.rest.is_empty() {
                return Err("a class is not closed by `]`".to_owned());
            }
            if !is_first && self.take("]") {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if self.named()? {
                continue;
            }
            let escaped = self.take(r"\");
            if let Some(class) = if escaped { self.shorthand()? } else { None } {
                self.out.push_str(&class);
                continue;
            }
            let low = if escaped { self.escaped()? } else { self.next().ok_or("a class is not closed by `]`")? };
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1;
            let high = if is_range {
                self.next();
                if self.take(r"\") { self.escaped()? } else { self.next().ok_or("a class is not closed by `]`")? }
            } else {
                low
            };
            if high < low {
                return Err(format!("the range `{low}-{high}` goes backwards"));
            }
            self.out.push_str(&format!(r"\x{{{:X}}}-\x{{{:X}}}", u32::from(low), u32::from(high)));
        }
    }

    /// A named class (`[:alpha:]`), if one comes next.
    fn named(&mut self) -> Result<bool, String> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) else {
            return Ok(false);
        };
        if !POSIX.contains(&name.trim_start_matches('^')) {
            return Err(format!("there is no class `[:{name}:]`"));
        }
        self.rest = rest;
        self.out.push_str(&format!("[:{name}:]"));
        Ok(true)
    }
}

/// The same expression with every class of characters as the bytes of its UTF-8.
fn of_bytes(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => characters(class),
        HirKind::Capture(Capture { index, name, sub }) => {
            Hir::capture(Capture { index: *index, name: name.clone(), sub: Box::new(of_bytes(sub)) })
        }
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(of_bytes(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(of_bytes).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(of_bytes).collect()),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(Class::Bytes(_)) => hir.clone(),
    }
}

/// A class of characters as bytes.
fn characters(class: &ClassUnicode) -> Hir {
    let bytes = |ranges: Vec<(u8, u8)>| {
        let ranges = ranges.into_iter().map(|(start, end)| ClassBytesRange::new(start, end));
        Hir::class(Class::Bytes(ClassBytes::new(ranges)))
    };
    let mut ascii: Vec<(u8, u8)> = Vec::new();
    for range in class.ranges() {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()).min(0x7f));
        if let (Ok(start), Ok(end)) = (u8::try_from(start), u8::try_from(end))
            && start <= end
        {
            ascii.push((start, end));
        }
    }
    let all_others = class.ranges().iter().any(|range| range.start() <= '\u{80}' && range.end() == char::MAX);
    if all_others {
        // Characters of two to four bytes, and last whatever is none.
        let rest = |n| (0..n).map(|_| bytes(vec![(0x80, 0xbf)]));
        let long = [(0xc2, 0xdf), (0xe0, 0xef), (0xf0, 0xf4)].into_iter().zip(1..);
        let mut branches: Vec<Hir> =
            long.map(|(lead, n)| Hir::concat(std::iter::once(bytes(vec![lead])).chain(rest(n)).collect())).collect();
        ascii.push((0x80, 0xff));
        branches.push(bytes(ascii));
        return Hir::alternation(branches);
    }
    let mut branches = if ascii.is_empty() { Vec::new() } else { vec![bytes(ascii)] };
    for range in class.ranges().iter().filter(|range| range.end() > '\u{7f}') {
        for sequence in Utf8Sequences::new(range.start().max('\u{80}'), range.end()) {
            let parts = sequence.as_slice().iter().map(|part| bytes(vec![(part.start, part.end)]));
            branches.push(Hir::concat(parts.collect()));
        }
    }
    if branches.is_empty() { Hir::fail() } else { Hir::alternation(branches) }
}

#[cfg(test)]
mod tests;

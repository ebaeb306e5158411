//! The baseline's file: JSON lines, sorted by their bytes, so that branches that add entries merge line by line and the
//! union of two files is one.
//!
//! A header line holds the salt of the slow hashes; after a merge there may be several. An entry names its salt by its
//! first eight digits. There are no line numbers, no times and no order but that of the bytes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::hash::SETTINGS;
use super::{Baseline, Digest, Entry, Hash, Salt, Terms};

/// The version of the format that this program reads and writes.
const VERSION: u64 = 1;

/// Most salts of a file: each is one more slow hash for every value.
const SALTS: usize = 16;

/// Mistakes that are told; there may be one on every line.
const MISTAKES: usize = 20;

/// What `git` leaves in a file when a merge isn't settled.
const CONFLICT: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// A line, as it is read and written: a header or an entry.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// A header: the format's version.
    #[serde(rename = "keytrail-baseline", skip_serializing_if = "Option::is_none")]
    header: Option<u64>,
    /// A header's settings of slow hashes, and their salt.
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf: Option<String>,
    /// Where it stood first.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Which rule found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// `sha256` or `argon2id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The first eight digits of its salt.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    /// Hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// An entry's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<u64>,
}

impl Baseline {
    /// Reads a file that the user knows as `name`. A byte order mark, CRLF and blank lines are no mistakes, nor are lines
    /// in another order or twice.
    ///
    /// # Errors
    /// All mistakes, or the first of many, each as `name:line: what`.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Vec<String>> {
        let lossy = String::from_utf8_lossy(bytes);
        let text = lossy.strip_prefix('\u{feff}').unwrap_or(&lossy);
        let mut mistakes = Vec::new();
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            match read(line) {
                Ok(line) => lines.push((number, line)),
                Err(what) => mistakes.push((number, what)),
            }
        }
        let mut salts: Vec<Salt> = Vec::new();
        for (number, line) in lines.iter().filter(|(_, line)| line.header.is_some()) {
            match header(line) {
                Ok(salt) if salts.contains(&salt) => {}
                Ok(_) if salts.len() == SALTS => {
                    mistakes.push((*number, format!("more than {SALTS} salts: make the baseline anew")));
                }
                Ok(salt) if salts.iter().any(|other| other.id() == salt.id()) => {
                    mistakes
                        .push((*number, format!("another salt begins with `{}`: make the baseline anew", salt.id())));
                }
                Ok(salt) => salts.push(salt),
                Err(what) => mistakes.push((*number, what)),
            }
        }
        let by_id: BTreeMap<String, Salt> = salts.iter().map(|&salt| (salt.id(), salt)).collect();
        let mut entries: Vec<Entry> = Vec::new();
        for (number, line) in lines.into_iter().filter(|(_, line)| line.header.is_none()) {
            match entry(line, number, &by_id) {
                Ok(entry) => entries.push(entry),
                Err(what) => mistakes.push((number, what)),
            }
        }
        if mistakes.is_empty() {
            return Ok(Self { name: name.to_owned(), salts, entries });
        }
        mistakes.sort();
        let more = mistakes.len().saturating_sub(MISTAKES);
        let shown = mistakes.into_iter().take(MISTAKES).map(|(line, what)| format!("{name}:{line}: {what}"));
        Err(shown.chain((more > 0).then(|| format!("{name}: {more} more mistakes"))).collect())
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let header = |salt: &Salt| Line {
            header: Some(VERSION),
            // Not under a name of its own: scanners, ours too, would take it for a secret.
            kdf: Some(format!("{SETTINGS}{salt}")),
            ..Line::default()
        };
        let lines = self.salts.iter().map(header).chain(self.entries.iter().map(Entry::line));
        let mut lines: Vec<String> =
            lines.map(|line| visible(&serde_json::to_string(&line).expect("texts and numbers make JSON"))).collect();
        lines.sort_unstable();
        lines.dedup();
        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Makes sure that there is a salt for what comes.
    pub fn salted(mut self, salt: Salt) -> Self {
        if self.salts.is_empty() {
            self.salts.push(salt);
        }
        self
    }
}

/// JSON with everything spelled out that would move a cursor or reorder what a reader sees: names of files are hostile.
fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let is_plain = !c.is_control()
            && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if is_plain {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Reads a line.
fn read(line: &str) -> Result<Line, String> {
    if CONFLICT.iter().any(|marker| line.starts_with(marker)) {
        return Err(
            "a merge conflict is not settled here: keep the lines of both sides and take its markers out".into()
        );
    }
    serde_json::from_str(line).map_err(|error| {
        let text = error.to_string();
        // Where on the line that is helps nobody: lines are written by programs.
        format!("not a line of a baseline: {}", text.split(" at line ").next().unwrap_or(&text))
    })
}

/// Reads a header.
fn header(line: &Line) -> Result<Salt, String> {
    match line {
        Line { header: Some(VERSION), kdf: Some(kdf), path: None, hash: None, .. } => {
            let salt = kdf.strip_prefix(SETTINGS).and_then(Salt::parse);
            salt.ok_or_else(|| format!("`kdf`: `{SETTINGS}` and 32 lower-case hex digits are wanted"))
        }
        Line { header: Some(VERSION), .. } => Err("a header has `kdf` and nothing else".to_owned()),
        Line { header, .. } => {
            let version = header.unwrap_or_default();
            Err(format!("version {version} is not known: this keytrail reads version {VERSION}"))
        }
    }
}

/// Reads an entry.
fn entry(line: Line, number: usize, salts: &BTreeMap<String, Salt>) -> Result<Entry, String> {
    match line.v {
        Some(VERSION) => {}
        Some(other) => return Err(format!("version {other} is not known: this keytrail reads version {VERSION}")),
        None => return Err(format!("`v` is missing: the format's version, {VERSION}")),
    }
    let digest = line.hash.as_deref().and_then(Digest::parse).ok_or("`hash`: 32 lower-case hex digits are wanted")?;
    let hash = match (line.kind.as_deref(), line.with.as_deref()) {
        (Some("sha256"), None) => Hash::Plain(digest),
        (Some("argon2id"), Some(id)) => match salts.get(id) {
            Some(&salt) => Hash::Slow(salt, digest),
            None => return Err(format!("`with`: no header line has the salt that begins with `{id}`")),
        },
        (Some("sha256"), Some(_)) => return Err("`with`: sha256 takes none".to_owned()),
        (Some("argon2id"), None) => return Err("`with` is missing: the first 8 digits of a header's".to_owned()),
        _ => return Err("`kind`: there are sha256 and argon2id".to_owned()),
    };
    let until = line.until.as_deref().map(day).transpose().map_err(|what| format!("`until`: {what}"))?;
    let reason = line.reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let reason = reason.ok_or("`reason` is missing: say why it is accepted")?;
    let rule = line.rule.filter(|rule| !rule.is_empty()).ok_or("`rule` is missing")?;
    let terms = Terms { reason, owner: line.owner, until };
    Ok(Entry { path: line.path.unwrap_or_default(), rule, hash, terms, line: number })
}

/// Reads a day.
fn day(text: &str) -> Result<Date, String> {
    let shaped = text.len() == 10 && text.bytes().filter(|&byte| byte == b'-').count() == 2;
    shaped.then(|| text.parse().ok()).flatten().ok_or_else(|| format!("`{text}` is no day like 2027-01-31"))
}

impl Entry {
    /// Its line.
    fn line(&self) -> Line {
        let (with, digest) = match self.hash {
            Hash::Plain(digest) => (None, digest),
            Hash::Slow(salt, digest) => (Some(salt.id()), digest),
        };
        Line {
            path: Some(self.path.clone()),
            rule: Some(self.rule.clone()),
            kind: Some(self.hash.kind().to_owned()),
            with,
            hash: Some(digest.to_string()),
            reason: Some(self.terms.reason.clone()),
            owner: self.terms.owner.clone(),
            until: self.terms.until.map(|day| day.to_string()),
            v: Some(VERSION),
            ..Line::default()
        }
    }
}

//! The entries of an index file, skipped where they needn't be looked at.
//!
//! In: an open file. Out: [`Entries`], which knows where its entries start and, through a [`Cursor`], reads any of
//! them; and the extensions that matter here. To skip an entry only its length is read.
//! Source: git's `Documentation/gitformat-index.adoc`, versions 2 to 4, and `create_from_disk` in `read-cache.c`, git
//! 2.47, read 2026-11.

use std::fs::File;
use std::sync::Arc;

use gix::ObjectId;
use gix::hash::Kind;

use super::MEND;
use super::window::Window;

/// Longest path of an entry, bytes. No system has longer ones; without a limit, a made-up index could fill memory.
const LONGEST_PATH: usize = 64 << 10;

/// Largest extension that is read, bytes: cache-trees take some 30 bytes for each folder.
const LARGEST_EXTENSION: usize = 256 << 20;

/// After so many entries there is a mark to start reading at.
const MARKS: usize = 64;

/// Dates, device, inode, mode, owner, group and size: ten numbers.
const STAT: usize = 40;
/// Flags: a second half follows.
const EXTENDED: u16 = 1 << 14;
/// Flags, second half: put there by `git add --intent-to-add`.
const INTENDED: u16 = 1 << 13;
/// Flags, second half: left out of the work tree.
const SKIPPED: u16 = 1 << 14;
/// Flags: the part with the path's length; all ones when that is longer.
const LENGTH: u16 = 0xfff;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::git) struct Entry<'c> {
    /// Path below the top of the work tree; raw bytes. That of a folder in a sparse index ends in `/`.
    pub(in crate::source::git) path: &'c [u8],
    /// Mode as in trees.
    pub(in crate::source::git) mode: u32,
    /// The object.
    pub(in crate::source::git) id: ObjectId,
    /// Whether `git add --intent-to-add` put it there: there is no content yet.
    pub(in crate::source::git) is_intended: bool,
}

/// The entries of an index file.
#[derive(Debug)]
pub(super) struct Entries {
    file: Arc<File>,
    format: Format,
    /// How many there are.
    pub(super) count: usize,
    /// Where to start reading, by entry; the first is the first entry's.
    marks: Vec<Mark>,
    /// Where in the file the entries end.
    end: u64,
}

/// A place in the file where reading may start.
#[derive(Debug)]
struct Mark {
    /// The number of the entry that starts here, 0-based.
    entry: usize,
    /// Where in the file.
    offset: u64,
    /// The path of the entry before, which version 4 builds upon; empty in others.
    path: Vec<u8>,
}

/// What follows the entries, as far as it matters here.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    /// The body of the cache-tree.
    pub(super) tree: Option<Vec<u8>>,
    /// The body of the link to a shared index.
    pub(super) link: Option<Vec<u8>>,
}

/// How entries are stored.
#[derive(Clone, Copy, Debug)]
struct Format {
    /// 2, 3 or 4.
    version: u32,
    hash: Kind,
}

/// The part of an entry before its path.
#[derive(Clone, Copy, Debug)]
struct Head {
    mode: u32,
    id: ObjectId,
    is_intended: bool,
    /// Length of the path; `None` when it is too long to be stated.
    path: Option<usize>,
    /// Bytes of this part.
    len: usize,
}

impl Entries {
    /// Finds the entries and extensions of `file`, which is `len` bytes long, the final hash included.
    ///
    /// # Errors
    /// It is no index, can't be read, is damaged or of a kind we don't know.
    pub(super) fn find(file: Arc<File>, len: u64, hash: Kind) -> Result<(Self, Extensions), String> {
        const HEADER: usize = 12;
        let limit = len.checked_sub(hash.len_in_bytes() as u64).ok_or_else(cut)?;
        let mut window = Window::new(&file, 0, limit);
        let header = at_least(&mut window, HEADER)?;
        let (version, count) = (number(header, 4), number(header, 8));
        if !header.starts_with(b"DIRC") {
            return Err("it is no index".to_owned());
        }
        if !(2..=4).contains(&version) {
            return Err(format!("version {version} is not supported"));
        }
        window.consume(HEADER);
        let format = Format { version, hash };
        let count = usize::try_from(count).map_err(|_| "it has too many entries".to_owned())?;
        let mut marks: Vec<Mark> = Vec::new();
        let mut path = Vec::new();
        let mut entry = 0;
        while entry < count {
            // With paths in marks, they are spaced so that together they are smaller than the file.
            if marks.last().is_none_or(|last| window.offset() - last.offset >= 4 * path.len() as u64) {
                marks.push(Mark { entry, offset: window.offset(), path: path.clone() });
            }
            let next = count.min(entry + MARKS);
            format.skip(&mut window, &mut path, next - entry)?;
            entry = next;
        }
        let end = window.offset();
        let extensions = Extensions::find(&mut window)?;
        Ok((Self { file, format, count, marks, end }, extensions))
    }

    /// A cursor that reads entries.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            entries: self,
            window: Window::new(&self.file, 0, self.end),
            path: Vec::new(),
            next: usize::MAX,
            head: None,
        }
    }
}

impl Extensions {
    /// Reads what follows the entries.
    fn find(window: &mut Window<'_>) -> Result<Self, String> {
        let mut found = Self::default();
        while !window.at_least(1).map_err(|error| error.to_string())?.is_empty() {
            let header = at_least(window, 8)?;
            let signature = [header[0], header[1], header[2], header[3]];
            let mut left = number(header, 4) as usize;
            window.consume(8);
            let body = match &signature {
                b"TREE" => Some(&mut found.tree),
                b"link" => Some(&mut found.link),
                // A mark that folders may be entries.
                b"sdir" => None,
                _ if signature[0].is_ascii_uppercase() => None,
                _ => {
                    let name = String::from_utf8_lossy(&signature).escape_default().to_string();
                    return Err(format!("its extension `{name}` is not supported"));
                }
            };
            if let Some(body) = body {
                if left > LARGEST_EXTENSION {
                    return Err(format!("an extension of more than {LARGEST_EXTENSION} bytes"));
                }
                *body = Some(at_least(window, left)?[..left].to_vec());
                window.consume(left);
                continue;
            }
            while left > 0 {
                let step = at_least(window, 1)?.len().min(left);
                window.consume(step);
                left -= step;
            }
        }
        Ok(found)
    }
}

/// At least `count` bytes of `window`.
fn at_least<'w>(window: &'w mut Window<'_>, count: usize) -> Result<&'w [u8], String> {
    let bytes = window.at_least(count).map_err(|error| error.to_string())?;
    if bytes.len() < count { Err(cut()) } else { Ok(bytes) }
}

/// There is less of it than it says.
fn cut() -> String {
    format!("it is cut short {MEND}")
}

/// The 32-bit number at `at`.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Format {
    /// The first part of the entry at the start of `window`.
    fn head(self, window: &mut Window<'_>) -> Result<Head, String> {
        let hash = self.hash.len_in_bytes();
        let bytes = at_least(window, STAT + hash + 2)?;
        let flags = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let first = flags(STAT + hash);
        let mut head = Head {
            mode: number(bytes, 24),
            id: ObjectId::try_from(&bytes[STAT..STAT + hash]).map_err(|error| error.to_string())?,
            is_intended: false,
            path: Some(first & LENGTH).filter(|len| *len < LENGTH).map(usize::from),
            len: STAT + hash + 2,
        };
        if first & EXTENDED != 0 {
            head.len += 2;
            let bytes = at_least(window, head.len)?;
            let second = u16::from_be_bytes([bytes[head.len - 2], bytes[head.len - 1]]);
            if second & !(INTENDED | SKIPPED) != 0 {
                return Err("the flags of an entry are not supported".to_owned());
            }
            head.is_intended = second & INTENDED != 0;
        }
        Ok(head)
    }

    /// Moves `window` past `count` entries. `path` goes from the entry before to the last one where the version needs
    /// that.
    fn skip(self, window: &mut Window<'_>, path: &mut Vec<u8>, mut count: usize) -> Result<(), String> {
        while count > 0 {
            let passed = self.skip_plain(window, count);
            count -= passed;
            if passed == 0 {
                let head = self.head(window)?;
                if self.version == 4 {
                    self.short_path(window, head, path)?;
                } else {
                    let (_, len) = self.plain_path(window, head)?;
                    window.consume(len);
                }
                count -= 1;
            }
        }
        Ok(())
    }

    /// Moves `window` past up to `count` entries: as many as are at hand and have nothing out of the ordinary. Most
    /// entries of most indexes are skipped here, so they are only touched where their length stands.
    fn skip_plain(self, window: &mut Window<'_>, count: usize) -> usize {
        if self.version == 4 {
            return 0;
        }
        let at_hand = window.at_hand();
        let flags = STAT + self.hash.len_in_bytes();
        let (mut passed, mut at) = (0, 0);
        while passed < count {
            let Some(&[high, low]) = at_hand.get(at + flags..at + flags + 2) else { break };
            let first = u16::from_be_bytes([high, low]);
            let path = first & LENGTH;
            let len = (flags + 2 + usize::from(path) + 8) & !7;
            if first & EXTENDED != 0 || path == LENGTH || len > at_hand.len() - at {
                break;
            }
            at += len;
            passed += 1;
        }
        window.consume(at);
        passed
    }

    /// Reads an entry and moves `window` past it. `path` goes from the entry before to this one.
    fn read(self, window: &mut Window<'_>, path: &mut Vec<u8>) -> Result<Head, String> {
        let head = self.head(window)?;
        if self.version == 4 {
            self.short_path(window, head, path)?;
            return Ok(head);
        }
        let (path_len, len) = self.plain_path(window, head)?;
        path.clear();
        path.extend_from_slice(&at_least(window, len)?[head.len..head.len + path_len]);
        window.consume(len);
        Ok(head)
    }

    /// Versions 2 and 3: the lengths of the path and of the whole entry, which ends in 1 to 8 NULs; it is at hand then.
    fn plain_path(self, window: &mut Window<'_>, head: Head) -> Result<(usize, usize), String> {
        let path = match head.path {
            Some(len) => len,
            None => nul(window, head.len)? - head.len,
        };
        let len = (head.len + path + 8) & !7;
        at_least(window, len)?;
        Ok((path, len))
    }

    /// Version 4: how many bytes to cut off the last path, and what to put there up to a NUL.
    fn short_path(self, window: &mut Window<'_>, head: Head, path: &mut Vec<u8>) -> Result<(), String> {
        let damaged = || format!("the path of an entry is damaged {MEND}");
        let end = nul(window, head.len)?;
        // A number can hold a NUL only as its last byte, and then the path starts behind it.
        let bytes = at_least(window, end + 1)?;
        let (cut, start) = offset(bytes, head.len).ok_or_else(damaged)?;
        let end = if start > end { nul(window, start)? } else { end };
        let keep = path.len().checked_sub(cut).ok_or_else(damaged)?;
        path.truncate(keep);
        path.extend_from_slice(&at_least(window, end)?[start..end]);
        if path.len() > LONGEST_PATH || head.path.is_some_and(|len| len != path.len()) {
            return Err(damaged());
        }
        window.consume(end + 1);
        Ok(())
    }
}

/// Where, from `start` on, the next NUL is, counted from the start of `window`.
fn nul(window: &mut Window<'_>, start: usize) -> Result<usize, String> {
    let mut want = start + 1;
    loop {
        let bytes = at_least(window, want)?;
        match memchr::memchr(0, &bytes[start..]) {
            Some(at) if at > LONGEST_PATH => break,
            Some(at) => return Ok(start + at),
            None if bytes.len() - start > LONGEST_PATH => break,
            None => want = bytes.len() + 1,
        }
    }
    Err(format!("the path of an entry is longer than {LONGEST_PATH} bytes"))
}

/// The number at `at`, 7 bits a byte, and where it ends. Source: `decode_varint` in git's `varint.c`, read 2026-11.
fn offset(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
        value = value.checked_add(1)?.checked_mul(1 << 7)?;
    }
}

/// Reads entries; cheapest in ascending order.
#[derive(Debug)]
pub(super) struct Cursor<'e> {
    entries: &'e Entries,
    window: Window<'e>,
    /// The path of the last entry that was read, and of the last one passed where the version needs that.
    path: Vec<u8>,
    /// The number of the entry at the start of the window.
    next: usize,
    /// The part before the path, of the last entry that was read.
    head: Option<Head>,
}

impl Cursor<'_> {
    /// The entry number `at`.
    ///
    /// # Errors
    /// There is none, or the file changed while it was read.
    pub(super) fn entry(&mut self, at: usize) -> Result<Entry<'_>, String> {
        let Self { entries, .. } = *self;
        if at >= entries.count {
            return Err(format!("it has no entry {at}"));
        }
        let head = match self.head {
            Some(head) if at + 1 == self.next => head,
            _ => {
                let mark = entries.marks.partition_point(|mark| mark.entry <= at).checked_sub(1);
                let mark = mark.map(|mark| &entries.marks[mark]).expect("the first mark is before the first entry");
                if at < self.next || mark.entry > self.next {
                    self.window.seek(mark.offset);
                    self.path.clone_from(&mark.path);
                    self.next = mark.entry;
                }
                entries.format.skip(&mut self.window, &mut self.path, at - self.next)?;
                self.next = at;
                let head = entries.format.read(&mut self.window, &mut self.path)?;
                self.next += 1;
                *self.head.insert(head)
            }
        };
        Ok(Entry { path: &self.path, mode: head.mode, id: head.id, is_intended: head.is_intended })
    }
}

#[cfg(test)]
mod tests;

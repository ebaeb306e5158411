//! Where HEAD is, found without looking at any other ref: a repository may have a hundred thousand.
//!
//! In: a repository. Out: the object that HEAD leads to. What is asked for all refs is in [`super::refs`].
//! Sources: `gitrepository-layout(5)`, `gitglossary(7)` on per-worktree refs, and `packed_refs_lock` and
//! `write_with_updates` in git's `refs/packed-backend.c` on the order of packed refs, git 2.47, read 2026-11.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use gix::ObjectId;

use super::discover::path_from;
use super::refs::{Target, hex, io_unread, is_valid, names_nothing};
use super::repo::Repository;
use crate::source::Unread;

/// Where HEAD is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The object it leads to; `None` before the first commit, or when it can't be read.
    pub(super) id: Option<ObjectId>,
    /// Why HEAD or its branch can't be read.
    pub(super) unread: Option<Unread>,
}

/// How many symbolic refs are followed.
const MOST_STEPS: usize = 8;

/// Finds HEAD. A branch that isn't there is not born yet.
pub(super) fn head(repository: &Repository) -> Head {
    let mut name = b"HEAD".to_vec();
    for _ in 0..MOST_STEPS {
        match target(repository, &name) {
            Ok(Some(Target::Id(id))) => return Head { id: Some(id).filter(|id| !id.is_null()), unread: None },
            Ok(Some(Target::Name(next))) if next.starts_with(b"refs/") && is_valid(&next) => name = next,
            Ok(_) => break,
            Err(why) => return Head { id: None, unread: Some(why) },
        }
    }
    Head::default()
}

/// What the ref `name` says; `None` when there is none.
fn target(repository: &Repository, name: &[u8]) -> Result<Option<Target>, Unread> {
    let own = [&b"refs/bisect/"[..], b"refs/worktree/", b"refs/rewritten/"];
    let is_own = !name.starts_with(b"refs/") || own.iter().any(|own| name.starts_with(own));
    let folder = if is_own { repository.git_dir() } else { repository.common_dir() };
    match std::fs::read(folder.join(path_from(name))) {
        Ok(bytes) => Target::parse(&bytes).map(Some).ok_or_else(|| names_nothing(name)),
        // In a folder's place stand other refs.
        Err(error) if is_absent(&error) => {
            let id = packed(&repository.common_dir().join("packed-refs"), name);
            id.map(|id| id.map(Target::Id)).map_err(|error| io_unread(b"packed-refs", &error))
        }
        Err(error) => Err(io_unread(name, &error)),
    }
}

/// Whether an error says that there is no such file.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

/// What is left between two known lines of packed refs is read at once when it is no larger, bytes.
const SMALL: u64 = 32 << 10;

/// Longest line of packed refs that is stepped over, bytes: an id of 64 digits and a name of 4 KiB.
const LINE: u64 = 4 << 10;

/// The object that packed refs have for `name`. Git sorts them by name and says so in the first line; then the place is
/// narrowed down by halves, else all is read.
fn packed(path: &Path, name: &[u8]) -> io::Result<Option<ObjectId>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.by_ref().take(LINE).read_to_end(&mut bytes)?;
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let is_sorted = first.starts_with(b"#") && first.split(|&byte| byte == b' ').any(|word| word == b"sorted");
    // The line of `name` starts in this part, if there is one.
    let (mut start, mut end) = (0, file.metadata()?.len());
    while is_sorted && end - start > SMALL {
        let middle = start + (end - start) / 2;
        read_part(&mut file, middle, 2 * LINE, &mut bytes)?;
        let mut lines = Lines { at: 0, bytes: &bytes };
        lines.next();
        let Some((offset, line)) = lines.find_map(|(at, line)| Some((at, name_in(line)?))) else { break };
        let offset = middle + offset as u64;
        if offset >= end {
            break;
        }
        if line > name { end = offset } else { start = offset }
    }
    read_part(&mut file, start, end - start + 2 * LINE, &mut bytes)?;
    let found = Lines { at: 0, bytes: &bytes }.find(|(_, line)| name_in(line) == Some(name));
    Ok(found.and_then(|(_, line)| hex(&line[..memchr::memchr(b' ', line)?])))
}

/// Reads `count` bytes from `offset` on, or as many as there are.
fn read_part(file: &mut File, offset: u64, count: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    file.seek(SeekFrom::Start(offset))?;
    file.take(count).read_to_end(bytes).map(drop)
}

/// The name in a line of packed refs: `ID SP NAME`. Comments and the objects of tags have none.
fn name_in(line: &[u8]) -> Option<&[u8]> {
    if matches!(line.first(), None | Some(b'#' | b'^')) {
        return None;
    }
    let name = &line[memchr::memchr(b' ', line)? + 1..];
    Some(name.strip_suffix(b"\r").unwrap_or(name))
}

/// The lines of a text, without their ends, and where they start. One that isn't ended counts too.
struct Lines<'b> {
    at: usize,
    bytes: &'b [u8],
}

impl<'b> Iterator for Lines<'b> {
    type Item = (usize, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.at = start + len + 1;
        Some((start, &rest[..len]))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing file system fails the test")]
mod tests {
    use super::*;

    #[test]
    fn packed_refs_are_found_whatever_their_number_and_order() {
        let id = |n: usize| format!("{:040x}", n + 1);
        for count in [0, 1, 10, 5_000] {
            let mut lines: Vec<String> = (0..count).map(|n| format!("{} refs/pull/{n}/head\n", id(n))).collect();
            lines.sort_by(|a, b| a[41..].cmp(&b[41..]));
            for header in ["# pack-refs with: peeled fully-peeled sorted \n", "# pack-refs with: peeled \n", ""] {
                if !header.contains("sorted") {
                    lines.reverse();
                }
                // Every third is a tag with its object.
                let text = |(at, line): (usize, &String)| match at % 3 {
                    0 => format!("{line}^{}\n", id(999_999)),
                    _ => line.clone(),
                };
                let body: String = lines.iter().enumerate().map(text).collect();
                let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
                std::fs::write(&path, format!("{header}{body}")).unwrap();
                for n in (0..count).step_by(7) {
                    let found = packed(&path, format!("refs/pull/{n}/head").as_bytes()).unwrap();
                    assert_eq!(found.map(|found| found.to_string()), Some(id(n)), "{n} of {count}, {header:?}");
                }
                for absent in ["refs/pull/", "refs/a", "refs/z", "refs/pull/1/hea", "refs/pull/1/heads"] {
                    assert_eq!(packed(&path, absent.as_bytes()).unwrap(), None, "{absent} of {count}, {header:?}");
                }
            }
        }
    }
}

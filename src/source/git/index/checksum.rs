//! The hash at the end of an index.
//!
//! Git doesn't check it when it reads an index (`verify_hdr` in `read-cache.c`, since 2.14; `git fsck` does): what a
//! flipped bit makes of an entry or a cached tree is what `git commit` records, and what is scanned here. So the
//! check isn't needed to scan what will be committed. It is made because an index that rotted is worth stopping a commit
//! for, and left out where it would cost more than all the rest: git's SHA-1 looks out for collisions and takes 1 ms per
//! MB, 4.4 ms for the index of 50,000 files that is otherwise read in 1 ms (measured 2026-11, one core with SHA
//! extensions). What [`super::entries`] makes sure of holds for indexes of any size.

use std::fs::File;

use gix::hash::{Kind, hasher, oid};

use super::super::repo::one_line;
use super::MEND;
use super::window::read_at;

/// Up to so many bytes an index is checked, some 6,000 files: half a millisecond.
const LARGEST: u64 = 512 << 10;

/// Bytes that are read at a time.
const STEP: usize = 64 << 10;

/// Checks the hash at the end of `file`, an index of `len` bytes; all zeros (`index.skipHash`) means there is none.
///
/// # Errors
/// A sentence: it doesn't match, or the file can't be read.
pub(super) fn check(file: &File, len: u64, kind: Kind) -> Result<(), String> {
    let cut = || format!("it is cut short {MEND}");
    let hash_len = kind.len_in_bytes();
    let end = len.checked_sub(hash_len as u64).ok_or_else(cut)?;
    if len > LARGEST {
        return Ok(());
    }
    let mut stated = vec![0; hash_len];
    let read = read_at(file, &mut stated, end).map_err(|error| error.to_string())?;
    let stated = oid::try_from_bytes(&stated[..read]).map_err(|_| cut())?;
    if stated.is_null() {
        return Ok(());
    }
    let mut hasher = hasher(kind);
    let mut buf = vec![0; STEP];
    let mut at = 0;
    while at < end {
        let want = usize::try_from(end - at).map_or(STEP, |left| left.min(STEP));
        match read_at(file, &mut buf[..want], at).map_err(|error| error.to_string())? {
            0 => return Err(cut()),
            read => {
                hasher.update(&buf[..read]);
                at += read as u64;
            }
        }
    }
    match hasher.try_finalize() {
        Ok(actual) if actual.as_ref() == stated => Ok(()),
        Ok(_) => Err(format!("its checksum doesn't match: it is damaged {MEND}")),
        Err(error) => Err(format!("its checksum can't be computed: {}", one_line(&error))),
    }
}

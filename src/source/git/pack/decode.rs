//! Entries of a pack to objects: inflating, checking, putting together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use gix::zlib;

use super::budget::{Buffer, Pool};
use super::{Pack, delta};
use crate::blob::{Edits, Patch};
use crate::source::git::repo::OBJECT_LIMIT;

/// An entry can't be made an object of. Why is found out by who reads it the slow way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Deflate makes at most so many bytes of one, and some of none.
/// Source: <https://zlib.net/zlib_tech.html>, "Maximum Compression Factor", read 2026-11.
const MOST_INFLATED: usize = 1032;

/// A list of edits with more room than this is not kept for the next delta.
const KEPT_EDITS: usize = 1 << 16;

/// What one task decodes with.
pub(super) struct Decoder {
    /// Inflates.
    inflate: zlib::Inflate,
    /// The delta read last.
    delta: Buffer,
    /// What it does.
    edits: Edits,
    /// Buffers for objects.
    pool: Pool,
}

impl Decoder {
    /// A decoder that keeps up to `spare` bytes of buffers.
    pub(super) fn new(spare: usize) -> Self {
        Self {
            inflate: zlib::Inflate::default(),
            delta: Buffer::default(),
            edits: Edits::default(),
            pool: Pool::new(spare),
        }
    }

    /// The object at the root of a tree.
    pub(super) fn root(&mut self, pack: &Pack, entry: u32, loose: &AtomicBool) -> Result<Buffer, Damaged> {
        let packed = Packed::new(pack, entry)?;
        let mut object = self.pool.take(packed.len);
        match packed.inflate(&mut self.inflate, &mut object, loose) {
            Ok(()) => Ok(object),
            Err(damaged) => {
                self.pool.give(object);
                Err(damaged)
            }
        }
    }

    /// Reads the delta of an entry, whose base is `base_len` bytes long. The length in bytes of what it makes.
    pub(super) fn delta(
        &mut self,
        pack: &Pack,
        entry: u32,
        base_len: usize,
        loose: &AtomicBool,
    ) -> Result<usize, Damaged> {
        let packed = Packed::new(pack, entry)?;
        self.delta.set_len(packed.len);
        packed.inflate(&mut self.inflate, &mut self.delta, loose)?;
        if self.edits.0.capacity() > KEPT_EDITS {
            self.edits = Edits::default();
        }
        let len = delta::parse(self.delta.bytes(), base_len, &mut self.edits).map_err(|_| Damaged)?;
        if len > OBJECT_LIMIT { Err(Damaged) } else { Ok(len) }
    }

    /// What the delta read last makes of `base`, not put together. `len` is what [`Decoder::delta`] told.
    pub(super) fn patch<'a>(&'a self, base: &'a [u8], len: usize) -> Patch<'a> {
        Patch { base, delta: self.delta.bytes(), edits: &self.edits, len }
    }

    /// The same, put together.
    pub(super) fn apply(&mut self, base: &[u8], len: usize) -> Buffer {
        let mut object = self.pool.take(len);
        delta::apply(base, self.delta.bytes(), &self.edits, object.bytes_mut());
        object
    }

    /// What the delta read last does.
    pub(super) fn edits(&self) -> &Edits {
        &self.edits
    }

    /// An object once more, from the root of its tree down.
    pub(super) fn again(&mut self, pack: &Pack, entry: u32, loose: &AtomicBool) -> Result<Buffer, Damaged> {
        let mut way = vec![entry];
        let mut root = entry;
        while let Some(base) = pack.table.parent(root) {
            way.push(base);
            root = base;
        }
        way.pop();
        let mut object = self.root(pack, root, loose)?;
        for entry in way.into_iter().rev() {
            let made = self.delta(pack, entry, object.bytes().len(), loose).map(|len| self.apply(object.bytes(), len));
            self.pool.give(object);
            object = made?;
        }
        Ok(object)
    }

    /// Takes back the buffer of an object.
    pub(super) fn give(&mut self, object: Buffer) {
        self.pool.give(object);
    }
}

/// The bytes of an entry as they lie in the pack.
struct Packed<'p> {
    /// From its header up to the trailer of the pack.
    bytes: &'p [u8],
    /// Length of its header in bytes.
    header: usize,
    /// Where the next entry starts, counted from this one.
    end: usize,
    /// Its length when inflated, as the header says.
    len: usize,
    /// CRC-32 of the whole entry, unless the index is of an old kind.
    crc: Option<u32>,
}

impl<'p> Packed<'p> {
    /// Reads the header of an entry.
    fn new(pack: &'p Pack, entry: u32) -> Result<Self, Damaged> {
        let offset = pack.table.offset(entry);
        let header = pack.data.entry(offset).map_err(|_| Damaged)?;
        let bytes = pack.data.entry_slice(offset..pack.data.pack_end() as u64).ok_or(Damaged)?;
        let place = |at: u64| at.checked_sub(offset).and_then(|at| usize::try_from(at).ok()).ok_or(Damaged);
        let packed = Self {
            bytes,
            header: place(header.data_offset)?,
            end: place(pack.table.end(entry))?,
            len: usize::try_from(header.decompressed_size).map_err(|_| Damaged)?,
            crc: pack.index.crc32_at_index(pack.table.nth(entry)),
        };
        // What can't be true costs no memory.
        let most = MOST_INFLATED.saturating_mul(bytes.len());
        let fits = packed.header <= bytes.len() && packed.len <= OBJECT_LIMIT.min(most);
        if fits { Ok(packed) } else { Err(Damaged) }
    }

    /// Inflates all of it into `out`, which has its length. An entry that is whole and doesn't end where the next one
    /// starts is `loose`.
    fn inflate(&self, inflate: &mut zlib::Inflate, out: &mut Buffer, loose: &AtomicBool) -> Result<(), Damaged> {
        let input = |end: usize| self.bytes.get(self.header..end).unwrap_or_default();
        // It may reach into what an index calls another entry, so a second attempt has all the bytes there are.
        let used = once(inflate, input(self.end), out.bytes_mut())
            .or_else(|Damaged| once(inflate, input(self.bytes.len()), out.bytes_mut()))?;
        let end = self.header + used;
        if self.crc.is_some_and(|crc| crc != crc32fast::hash(&self.bytes[..end])) {
            return Err(Damaged);
        }
        if end != self.end {
            loose.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Inflates one stream, which must fill `out` and end with the right checksum. How many bytes of `input` it took.
fn once(inflate: &mut zlib::Inflate, input: &[u8], out: &mut [u8]) -> Result<usize, Damaged> {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        inflate.reset();
        inflate.once(input, out)
    }));
    match attempt {
        Ok(Ok((zlib::Status::StreamEnd, used, made))) if made == out.len() => Ok(used),
        Ok(_) => Err(Damaged),
        Err(_) => {
            *inflate = zlib::Inflate::default();
            Err(Damaged)
        }
    }
}

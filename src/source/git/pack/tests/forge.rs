//! Packs made by hand, sound or not, with an index that git would have written for them.
//!
//! Source of both layouts: <https://git-scm.com/docs/gitformat-pack>, read 2026-11.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::hash::Kind as HashKind;
use gix::objs::Kind;

/// How an entry says what it is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    /// By the number of an entry before it.
    Offset(usize),
    /// By a distance in bytes, whatever lies there.
    Distance(u64),
    /// By id.
    Id(ObjectId),
}

/// A pack in the making.
#[derive(Default)]
pub(super) struct Forge {
    /// Entries as they lie, and what the index says of each: id and offset.
    bytes: Vec<u8>,
    index: Vec<(ObjectId, u64, u32)>,
    /// What entries are: their object's bytes.
    objects: Vec<Vec<u8>>,
    /// What the header says more than there are entries.
    pub(super) uncounted: u32,
}

/// Length of a pack's header.
const HEADER: usize = 12;

impl Forge {
    /// Adds an object of its own; its id.
    pub(super) fn whole(&mut self, kind: Kind, bytes: &[u8]) -> ObjectId {
        let number = match kind {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        };
        let id = gix::objs::compute_hash(HashKind::Sha1, kind, bytes).expect("it can be hashed");
        self.entry(id, number, bytes.len(), &[], bytes);
        self.objects.push(bytes.to_vec());
        id
    }

    /// Adds a blob that is `base` with `tail` in place of its end; its id. `keep` bytes of the base stay.
    pub(super) fn child(&mut self, base: usize, keep: usize, tail: &[u8]) -> ObjectId {
        let old = self.objects[base].clone();
        let delta = replace_end(old.len(), keep, tail);
        self.delta(Base::Offset(base), [&old[..keep], tail].concat(), &delta)
    }

    /// Adds a blob as a delta; its id. Neither need be true.
    pub(super) fn delta(&mut self, base: Base, made: Vec<u8>, delta: &[u8]) -> ObjectId {
        let id = gix::objs::compute_hash(HashKind::Sha1, Kind::Blob, &made).expect("it can be hashed");
        self.objects.push(made);
        self.delta_named(id, base, delta);
        id
    }

    /// The same under a given id.
    pub(super) fn delta_named(&mut self, id: ObjectId, base: Base, delta: &[u8]) {
        let here = (HEADER + self.bytes.len()) as u64;
        let (number, named) = match base {
            Base::Offset(entry) => (6, distance(here - self.index[entry].1)),
            Base::Distance(bytes) => (6, distance(bytes)),
            Base::Id(id) => (7, id.as_slice().to_vec()),
        };
        self.entry(id, number, delta.len(), &named, delta);
    }

    /// Adds bytes that are no entry.
    pub(super) fn gap(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Has the index name the last entry `by` bytes further on.
    pub(super) fn shift_last(&mut self, by: i64) {
        let last = self.index.last_mut().expect("there is an entry");
        last.1 = last.1.checked_add_signed(by).expect("a test's pack is small");
    }

    /// Adds an entry of pack type `number` that says to be `len` bytes long.
    pub(super) fn entry(&mut self, id: ObjectId, number: u8, len: usize, named: &[u8], bytes: &[u8]) {
        let offset = HEADER + self.bytes.len();
        let start = self.bytes.len();
        let mut rest = len >> 4;
        let mut byte = number << 4 | (len & 15) as u8;
        while rest > 0 {
            self.bytes.push(byte | 0x80);
            byte = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        self.bytes.push(byte);
        self.bytes.extend(named);
        let level = gix::zlib::Compression::BEST_SPEED;
        let mut deflate = gix::zlib::stream::deflate::Write::new(&mut self.bytes, level);
        deflate.write_all(bytes).expect("memory can be written");
        deflate.flush().expect("memory can be written");
        let crc = crc32fast::hash(&self.bytes[start..]);
        self.index.push((id, offset as u64, crc));
    }

    /// Writes pack and index into `folder`, which is an object folder then.
    pub(super) fn write(mut self, folder: &Path) -> PathBuf {
        let path = folder.join("pack");
        std::fs::create_dir_all(&path).expect("a folder");
        let count = self.index.len() as u32;
        let mut pack = [&b"PACK"[..], &2_u32.to_be_bytes(), &(count + self.uncounted).to_be_bytes()].concat();
        pack.append(&mut self.bytes);
        let checksum = sha1(&pack);
        pack.extend(checksum.as_slice());
        self.index.sort();
        let mut index = [&[0xff, b't', b'O', b'c'][..], &2_u32.to_be_bytes()].concat();
        for first in 0..=255_u8 {
            let up_to = self.index.iter().filter(|(id, ..)| id.as_slice()[0] <= first).count() as u32;
            index.extend(up_to.to_be_bytes());
        }
        index.extend(self.index.iter().flat_map(|(id, ..)| id.as_slice()));
        index.extend(self.index.iter().flat_map(|(.., crc)| crc.to_be_bytes()));
        let mut large = Vec::new();
        for (_, offset, _) in &self.index {
            let short = u32::try_from(*offset).ok().filter(|offset| *offset < 1 << 31);
            index.extend(short.unwrap_or(1 << 31 | (large.len() / 8) as u32).to_be_bytes());
            if short.is_none() {
                large.extend(offset.to_be_bytes());
            }
        }
        index.extend(large);
        index.extend(checksum.as_slice());
        let own = sha1(&index);
        index.extend(own.as_slice());
        let path = path.join(format!("pack-{checksum}.pack"));
        std::fs::write(&path, pack).expect("a pack is written");
        std::fs::write(path.with_extension("idx"), index).expect("an index is written");
        path
    }
}

/// A delta that keeps the first bytes of a base of `len` bytes and puts `tail` behind them.
pub(super) fn replace_end(len: usize, keep: usize, tail: &[u8]) -> Vec<u8> {
    let size = |mut size: usize| {
        let mut bytes = Vec::new();
        while size >= 0x80 {
            bytes.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        bytes.push(size as u8);
        bytes
    };
    let mut delta = [size(len), size(keep + tail.len())].concat();
    for start in (0..keep).step_by(0xff_ffff) {
        let part = (keep - start).min(0xff_ffff);
        delta.push(0xff);
        delta.extend((start as u32).to_le_bytes());
        delta.extend(&(part as u32).to_le_bytes()[..3]);
    }
    for part in tail.chunks(127) {
        delta.push(part.len() as u8);
        delta.extend(part);
    }
    delta
}

/// The bytes of a distance to a base.
fn distance(bytes: u64) -> Vec<u8> {
    let mut out = vec![(bytes & 0x7f) as u8];
    let mut rest = bytes >> 7;
    while rest > 0 {
        rest -= 1;
        out.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out
}

fn sha1(bytes: &[u8]) -> ObjectId {
    let mut hasher = gix::hash::hasher(HashKind::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().expect("no collision attack here")
}

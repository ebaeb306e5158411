//! Verdicts as they lie in a file: ids of clean blobs and their lengths, sorted, under a checksum.
//!
//! A file is 16 bytes that say what it is, the key of what its verdicts rest on (32 bytes), how many blobs with ids of
//! 20 and of 32 bytes follow (8 bytes each), these, and the SHA-256 of all that (32 bytes). A blob is its id and its
//! length in bytes (8 bytes). Numbers have their highest byte first, so that rows sort as bytes.

use gix::hash::oid;
use sha2::{Digest, Sha256};

/// What a file is, and in which version of the format.
const MAGIC: &[u8; 16] = b"keytrail-cache 1";

/// Bytes before the blobs.
const HEAD: usize = MAGIC.len() + KEY + 16;

/// Bytes of a key and of a checksum.
pub(super) const KEY: usize = 32;

/// Largest file, bytes: some nine million blobs, thrice what the largest repositories hold.
pub(super) const FILE_LIMIT: usize = 256 << 20;

/// Clean blobs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// Those named by SHA-1.
    short: Rows<28>,
    /// Those named by SHA-256.
    long: Rows<40>,
}

/// Blobs whose ids are all of one length: each in `N` bytes, 8 of them its length.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows<const N: usize>(Vec<[u8; N]>);

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It begins otherwise.
    #[error("it is of another kind")]
    Kind,
    /// Its key is not the one that its name says.
    #[error("it is another one's")]
    Key,
    /// It is shorter or longer than it says.
    #[error("it is cut or has grown")]
    Length,
    /// Its bytes are not those that were written.
    #[error("its checksum is wrong")]
    Checksum,
    /// Its rows are in no order.
    #[error("its entries are not sorted")]
    Order,
}

impl Table {
    /// Reads a file that should be under `key`.
    ///
    /// # Errors
    /// Anything about it is odd. Nothing of it counts then.
    pub(super) fn read(bytes: &[u8], key: &[u8; KEY]) -> Result<Self, Fault> {
        let (body, checksum) = bytes.split_last_chunk::<KEY>().ok_or(Fault::Length)?;
        let head = body.first_chunk::<HEAD>().ok_or(Fault::Length)?;
        let (magic, rest) = head.split_at(MAGIC.len());
        let (owner, counts) = rest.split_at(KEY);
        if magic != MAGIC {
            return Err(Fault::Kind);
        }
        if owner != key {
            return Err(Fault::Key);
        }
        if Sha256::digest(body)[..] != checksum[..] {
            return Err(Fault::Checksum);
        }
        let (short, long) = counts.split_at(8);
        let bytes_of = |count: &[u8], width: usize| usize::try_from(number(count)).ok()?.checked_mul(width);
        let (short, long) = bytes_of(short, 28).zip(bytes_of(long, 40)).ok_or(Fault::Length)?;
        let rows = &body[HEAD..];
        if short.checked_add(long) != Some(rows.len()) {
            return Err(Fault::Length);
        }
        let (short, long) = rows.split_at(short);
        Ok(Self { short: Rows::read(short)?, long: Rows::read(long)? })
    }

    /// The file under `key`. The table is in order.
    pub(super) fn write(&self, key: &[u8; KEY]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.short.0.len() * 28 + self.long.0.len() * 40 + KEY);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(key);
        for count in [self.short.0.len(), self.long.0.len()] {
            bytes.extend_from_slice(&(count as u64).to_be_bytes());
        }
        bytes.extend_from_slice(self.short.0.as_flattened());
        bytes.extend_from_slice(self.long.0.as_flattened());
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The length in bytes of a blob that is here. The table is in order.
    pub(super) fn length(&self, id: &oid) -> Option<u64> {
        self.short.length(id.as_bytes()).or_else(|| self.long.length(id.as_bytes()))
    }

    /// Adds a blob at the end.
    pub(super) fn push(&mut self, id: &oid, len: u64) {
        self.short.push(id.as_bytes(), len);
        self.long.push(id.as_bytes(), len);
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.short.0.is_empty() && self.long.0.is_empty()
    }

    /// Adds what another table holds, puts all in order, and drops what two of them say different things of. What would
    /// make the file too large is left out.
    pub(super) fn merge(&mut self, other: Self) {
        self.short.merge(other.short, FILE_LIMIT / 2);
        self.long.merge(other.long, FILE_LIMIT / 2 - HEAD - KEY);
    }
}

impl<const N: usize> Rows<N> {
    /// Rows in order.
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (rows, rest) = bytes.as_chunks::<N>();
        let sorted = rows.is_sorted_by(|a, b| id_of(a) < id_of(b));
        if sorted && rest.is_empty() { Ok(Self(rows.to_vec())) } else { Err(Fault::Order) }
    }

    /// The length that stands behind an id.
    fn length(&self, id: &[u8]) -> Option<u64> {
        let row = self.0.binary_search_by(|row| id_of(row).cmp(id)).ok()?;
        Some(number(&self.0[row][N - 8..]))
    }

    /// Adds a row, if ids are of this length.
    fn push(&mut self, id: &[u8], len: u64) {
        if id.len() == N - 8 {
            let mut row = [0; N];
            row[..N - 8].copy_from_slice(id);
            row[N - 8..].copy_from_slice(&len.to_be_bytes());
            self.0.push(row);
        }
    }

    /// See [`Table::merge`]; `limit` is in bytes.
    fn merge(&mut self, other: Self, limit: usize) {
        self.0.extend(other.0);
        self.0.sort_unstable();
        self.0.dedup();
        // Rows of one id that are still several differ in length.
        let single = self.0.chunk_by(|a, b| id_of(a) == id_of(b)).filter(|rows| rows.len() == 1);
        self.0 = single.flatten().take(limit / N).copied().collect();
    }
}

/// The id in a row.
fn id_of<const N: usize>(row: &[u8; N]) -> &[u8] {
    &row[..N - 8]
}

/// Eight bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::ObjectId;

    /// The n-th id of its length.
    fn id(n: u8, len: usize) -> ObjectId {
        ObjectId::from_bytes_or_panic(&vec![n; len])
    }

    /// Three blobs of each kind.
    fn table() -> Table {
        let mut table = Table::default();
        for n in [7, 3, 200] {
            table.push(&id(n, 20), u64::from(n) * 10);
            table.push(&id(n, 32), u64::from(n) << 40);
        }
        table.merge(Table::default());
        table
    }

    /// A file with the right checksum, whatever its body.
    fn sealed(mut body: Vec<u8>) -> Vec<u8> {
        let checksum = Sha256::digest(&body);
        body.extend_from_slice(&checksum);
        body
    }

    #[test]
    fn a_table_comes_back_as_it_was_written() {
        let (table, key) = (table(), [5; KEY]);
        let bytes = table.write(&key);
        assert_eq!(bytes.len(), HEAD + 3 * 28 + 3 * 40 + KEY);
        assert_eq!(Table::read(&bytes, &key), Ok(table));
        let table = Table::read(&bytes, &key).expect("it was just read");
        assert_eq!(table.length(&id(3, 20)), Some(30));
        assert_eq!(table.length(&id(200, 32)), Some(200 << 40));
        assert_eq!(table.length(&id(4, 20)), None);
        assert_eq!(Table::read(&Table::default().write(&key), &key), Ok(Table::default()));
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_noticed() {
        let (bytes, key) = (table().write(&[5; KEY]), [5; KEY]);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert!(Table::read(&bytes, &key).is_err(), "bit {bit} of byte {at}");
            }
            assert!(Table::read(&bytes[..at], &key).is_err(), "cut to {at} bytes");
        }
        assert_eq!(Table::read(&[&bytes[..], &[0]].concat(), &key), Err(Fault::Checksum));
        assert_eq!(Table::read(&bytes, &[6; KEY]), Err(Fault::Key));
    }

    #[test]
    fn what_is_consistent_and_no_table_is_refused() {
        let key = [5; KEY];
        let body = |counts: [u64; 2], rows: &[u8]| {
            let counts = counts.map(u64::to_be_bytes);
            sealed([&MAGIC[..], &key, counts.as_flattened(), rows].concat())
        };
        let row = |n: u8| [[n; 20].as_slice(), &[0; 8]].concat();
        assert!(Table::read(&body([2, 0], &[row(1), row(2)].concat()), &key).is_ok());
        let cases = [
            (body([2, 0], &[row(2), row(1)].concat()), Fault::Order),
            (body([2, 0], &[row(1), row(1)].concat()), Fault::Order),
            (body([3, 0], &[row(1), row(2)].concat()), Fault::Length),
            (body([1, 0], &[row(1), row(2)].concat()), Fault::Length),
            (body([u64::MAX, 1], &row(1)), Fault::Length),
            (body([u64::MAX / 28 + 1, 0], &row(1)), Fault::Length),
            (sealed(b"another program's".to_vec()), Fault::Length),
            (sealed([b'x'; 200].to_vec()), Fault::Kind),
        ];
        for (bytes, fault) in cases {
            assert_eq!(Table::read(&bytes, &key), Err(fault));
        }
    }

    #[test]
    fn tables_that_differ_on_a_blob_say_nothing_of_it() {
        let mut one = table();
        let mut other = table();
        other.push(&id(3, 20), 31);
        other.push(&id(9, 20), 90);
        one.merge(other);
        assert_eq!(one.length(&id(3, 20)), None);
        assert_eq!((one.length(&id(9, 20)), one.length(&id(7, 20))), (Some(90), Some(70)));
        assert_eq!(one.short.0.len(), 3);
    }
}

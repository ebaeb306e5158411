//! A file read piece by piece through one small buffer.
//!
//! An index of 50,000 entries has 4 MB. To hold it whole costs more than all else that is done with it: memory that
//! a process touches for the first time is handed out and cleared page by page (2.3 ms against 0.4 ms measured).

use std::fs::File;
use std::io;

/// Most bytes that are read at a time.
const STEP: usize = 64 << 10;

/// Bytes that are read at first: who looks at few entries needs no more.
const FIRST_STEP: usize = 4 << 10;

/// The part of a file that is being looked at. What is there moves on; what went by is gone.
#[derive(Debug)]
pub(super) struct Window<'f> {
    file: &'f File,
    /// Where in the file the bytes at hand start.
    offset: u64,
    /// Where in the file its readable part ends.
    limit: u64,
    buf: Vec<u8>,
    /// The bytes at hand: `buf[start..end]`.
    start: usize,
    end: usize,
    /// How many bytes are read next.
    step: usize,
}

impl<'f> Window<'f> {
    /// A window on `file` from `offset` on, up to `limit`.
    pub(super) fn new(file: &'f File, offset: u64, limit: u64) -> Self {
        Self { file, offset, limit, buf: Vec::new(), start: 0, end: 0, step: FIRST_STEP }
    }

    /// Where in the file the next byte stands.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes at hand; there may be none though there is more to read.
    pub(super) fn at_hand(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// The bytes at hand, at least `count` of them unless the readable part ends before.
    ///
    /// # Errors
    /// Reading fails.
    pub(super) fn at_least(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.fill(count)?;
        }
        Ok(&self.buf[self.start..self.end])
    }

    /// Reads on until there are `count` bytes at hand, or all.
    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let size = count.max(self.step);
        if self.buf.len() < size {
            self.buf.resize(size, 0);
        }
        self.step = (self.step * 4).min(STEP);
        while self.end < count {
            let from = self.offset + self.end as u64;
            let left = usize::try_from(self.limit.saturating_sub(from)).unwrap_or(usize::MAX);
            let want = left.min(self.buf.len() - self.end);
            match read_at(self.file, &mut self.buf[self.end..self.end + want], from)? {
                0 => break,
                read => self.end += read,
            }
        }
        Ok(())
    }

    /// Moves to `offset`. What is at hand isn't read again.
    pub(super) fn seek(&mut self, offset: u64) {
        let ahead = offset.checked_sub(self.offset).and_then(|ahead| usize::try_from(ahead).ok());
        match ahead.filter(|ahead| *ahead <= self.end - self.start) {
            Some(ahead) => self.start += ahead,
            None => {
                self.start = self.end;
                self.step = FIRST_STEP;
            }
        }
        self.offset = offset;
    }

    /// Moves on by `count` bytes, which must be at hand.
    pub(super) fn consume(&mut self, count: usize) {
        assert!(count <= self.end - self.start, "only what is at hand is consumed");
        self.start += count;
        self.offset += count as u64;
    }
}

/// Reads from `offset` on into `buf`, as much as comes at once. Threads may do so at the same time.
///
/// # Errors
/// Reading fails; an interrupted read is tried again.
pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buf, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buf, offset);
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_once_and_in_order_whatever_the_pieces() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let path = tempfile::NamedTempFile::new().expect("a temporary file").into_temp_path();
        std::fs::write(&path, &bytes).expect("ours");
        let file = File::open(&path).expect("ours");
        let limit = bytes.len() - 20;
        for piece in [1, 61, 4096, 70_000] {
            let mut window = Window::new(&file, 100, limit as u64);
            let mut seen = Vec::new();
            loop {
                let at_hand = window.at_least(piece).expect("readable");
                let take = at_hand.len().min(piece);
                if take == 0 {
                    break;
                }
                seen.extend_from_slice(&at_hand[..take]);
                window.consume(take);
                assert_eq!(window.offset(), 100 + seen.len() as u64);
            }
            assert!(seen == bytes[100..limit], "pieces of {piece}");
            for at in [0, 5, 3000, 2999, 150_000, 7, limit - 1, limit] {
                window.seek(at as u64);
                let at_hand = window.at_least(piece).expect("readable");
                assert!(at_hand.len() >= piece.min(limit - at), "at {at}");
                assert!(bytes[at..limit].starts_with(at_hand), "at {at}");
            }
        }
    }
}

//! Buffers for objects, used again and again; and how much memory bases take, with what is known of them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Smallest buffer, in bytes. Most objects fit, and smaller ones would save nothing.
const SMALLEST: usize = 1 << 12;

/// Buffers larger than this, in bytes, are made to measure and not kept.
const LARGEST: usize = 1 << 24;

/// How many sizes of buffers there are: powers of two from [`SMALLEST`] to [`LARGEST`].
const SIZES: usize = (LARGEST.ilog2() - SMALLEST.ilog2() + 1) as usize;

/// Bytes of one object.
#[derive(Default)]
pub(super) struct Buffer {
    /// All of it is initialised; the object takes the first `len` bytes.
    bytes: Vec<u8>,
    /// Length of the object, in bytes.
    len: usize,
}

impl Buffer {
    /// The object.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The object, to be written.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// Bytes of memory that it takes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Makes it `len` bytes long; what they hold is left over from before.
    pub(super) fn set_len(&mut self, len: usize) {
        if len > self.bytes.len() || self.bytes.len() > LARGEST {
            // Fresh zeros come from the system as they are touched: growing would write them all first.
            self.bytes = Vec::new();
            self.bytes = vec![0; rounded(len)];
        }
        self.len = len;
    }
}

/// The size of a buffer for `len` bytes.
fn rounded(len: usize) -> usize {
    if len > LARGEST { len } else { len.next_power_of_two().max(SMALLEST) }
}

/// The buffers that one task has no use for now.
pub(super) struct Pool {
    /// By size.
    free: [Vec<Buffer>; SIZES],
    /// Bytes of all of them.
    kept: usize,
    /// Most bytes that are kept.
    most: usize,
}

impl Pool {
    /// A pool that keeps up to `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { free: std::array::from_fn(|_| Vec::new()), kept: 0, most }
    }

    /// A buffer for an object of `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Buffer {
        let size = rounded(len);
        let mut buffer = self.of_size(size).and_then(Vec::pop).unwrap_or_default();
        self.kept -= buffer.capacity();
        buffer.set_len(len);
        buffer
    }

    /// Takes a buffer back.
    pub(super) fn give(&mut self, buffer: Buffer) {
        let size = buffer.capacity();
        if size > 0
            && size <= self.most.saturating_sub(self.kept)
            && let Some(free) = self.of_size(size)
        {
            free.push(buffer);
            self.kept += size;
        }
    }

    /// The buffers of this size, which is a rounded one; none are kept of the largest.
    fn of_size(&mut self, size: usize) -> Option<&mut Vec<Buffer>> {
        if size > LARGEST { None } else { self.free.get_mut((size.ilog2() - SMALLEST.ilog2()) as usize) }
    }
}

/// How many bytes all tasks hold in bases, and how many they may.
pub(super) struct Budget {
    /// Held now.
    held: AtomicUsize,
    /// The most there ever were.
    peak: AtomicUsize,
    /// What should not be passed.
    cap: usize,
}

impl Budget {
    /// A budget of `cap` bytes.
    pub(super) fn new(cap: usize) -> Self {
        Self { held: AtomicUsize::new(0), peak: AtomicUsize::new(0), cap }
    }

    /// Counts a value of `size` bytes in, for as long as it is held.
    pub(super) fn hold<T>(&self, value: T, size: usize) -> Held<'_, T> {
        let held = self.held.fetch_add(size, Ordering::Relaxed) + size;
        self.peak.fetch_max(held, Ordering::Relaxed);
        Held { value, _count: Count { size, budget: self } }
    }

    /// Whether more is held than there should be.
    pub(super) fn is_exceeded(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.cap
    }

    /// The most bytes that were ever held.
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }
}

/// A value whose bytes are counted.
pub(super) struct Held<'b, T> {
    /// The value.
    value: T,
    /// Counts it.
    _count: Count<'b>,
}

/// Bytes that are counted until this is dropped.
struct Count<'b> {
    /// How many.
    size: usize,
    /// Where.
    budget: &'b Budget,
}

impl<T> Held<'_, T> {
    /// The value.
    pub(super) fn get(&self) -> &T {
        &self.value
    }

    /// The value, no longer counted.
    pub(super) fn release(self) -> T {
        self.value
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_in_their_size_up_to_a_limit() {
        let mut pool = Pool::new(1 << 16);
        let mut buffer = pool.take(10_000);
        assert_eq!((buffer.bytes().len(), buffer.capacity()), (10_000, 1 << 14));
        buffer.bytes_mut()[9_999] = 7;
        pool.give(buffer);
        assert_eq!(pool.kept, 1 << 14);
        assert_eq!(pool.take(5_000).capacity(), 1 << 13, "one of its own size");
        let again = pool.take(10_001);
        assert_eq!((again.bytes()[9_999], pool.kept), (7, 0), "the same buffer, bytes left over");
        pool.give(again);
        for size in [1 << 16, LARGEST + 1] {
            let large = pool.take(size);
            assert_eq!(large.capacity(), size);
            pool.give(large);
            assert_eq!(pool.kept, 1 << 14, "{size} is not kept");
        }
        pool.give(Buffer::default());
        assert_eq!(pool.take(0).bytes(), b"");
    }

    #[test]
    fn what_is_held_is_counted_until_it_is_let_go() {
        let budget = Budget::new(SMALLEST);
        let mut pool = Pool::new(0);
        let first = budget.hold(pool.take(1), SMALLEST);
        assert!(!budget.is_exceeded());
        let second = budget.hold(pool.take(SMALLEST + 1), 2 * SMALLEST);
        assert!(budget.is_exceeded());
        assert_eq!(second.release().capacity(), 2 * SMALLEST);
        assert!(!budget.is_exceeded());
        drop(first);
        assert_eq!((budget.held.load(Ordering::Relaxed), budget.peak()), (0, 3 * SMALLEST));
    }
}

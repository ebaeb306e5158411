//! A cache for the bases of packed deltas, one per reader, with a cap in bytes.

use std::collections::{HashMap, VecDeque};

use gix::objs::Kind;
use gix::odb::pack::cache::DecodeEntry;

/// Most bytes of decoded bases one reader keeps. Chains are at most 50 deep by git's default and neighbours in a
/// pack share them, so this holds the working set of common repositories (performance notes, section 7).
const CAP: usize = 24 << 20;

/// Decoded pack entries by pack and offset; the oldest leave first.
#[derive(Default)]
pub(super) struct BaseCache {
    /// By pack and offset.
    entries: HashMap<(u32, u64), Entry>,
    /// Oldest first.
    order: VecDeque<(u32, u64)>,
    /// Bytes of all entries together.
    held: usize,
}

/// One decoded pack entry.
struct Entry {
    /// Kind of the object.
    kind: Kind,
    /// Bytes it takes in the pack.
    compressed_size: usize,
    /// Its bytes.
    data: Vec<u8>,
}

impl DecodeEntry for BaseCache {
    fn put(&mut self, pack_id: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        if data.len() > CAP / 4 || self.entries.contains_key(&(pack_id, offset)) {
            return;
        }
        while self.held + data.len() > CAP {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.held -= entry.data.len();
            }
        }
        self.held += data.len();
        self.order.push_back((pack_id, offset));
        self.entries.insert((pack_id, offset), Entry { kind, compressed_size, data: data.to_vec() });
    }

    fn get(&mut self, pack_id: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let entry = self.entries.get(&(pack_id, offset))?;
        out.clear();
        out.extend_from_slice(&entry.data);
        Some((entry.kind, entry.compressed_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_leave_when_the_cap_is_reached() {
        let mut cache = BaseCache::default();
        let data = vec![7_u8; CAP / 5];
        for offset in 0..8 {
            cache.put(1, offset, &data, Kind::Blob, 3);
        }
        assert!(cache.held <= CAP);
        let mut out = Vec::new();
        assert_eq!(cache.get(1, 0, &mut out), None);
        assert_eq!(cache.get(1, 7, &mut out), Some((Kind::Blob, 3)));
        assert_eq!(out, data);
        cache.put(1, 99, &vec![0; CAP], Kind::Blob, 3);
        assert_eq!(cache.get(1, 99, &mut out), None, "one entry must not empty the cache");
    }
}

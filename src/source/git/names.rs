//! Names of tree entries, each kept once, and which of them a scan would find something in.
//!
//! The names in the trees of a history repeat thousands of times, so each distinct one is looked at once. What a scan
//! would find in a tree's names (see [`crate::blob::ObjectPart::Names`]) it finds in one of them, standing between
//! line breaks; only trees that hold such a name are handed out.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

/// The number of a name within one [`Names`]: the shard in the low bits, the position in it in the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NameNo(pub(super) u32);

/// Bits of a [`NameNo`] that number the shard.
const SHARD_BITS: u32 = 4;

/// Shards, so that threads seldom wait for each other.
const SHARDS: usize = 1 << SHARD_BITS;

/// Bits of a [`NameNo`] that are used; the rest of a word is left to whoever keeps one.
pub(super) const NAME_BITS: u32 = 29;

/// Most bytes of memory that the names of one shard take, about. Together that is room for some three million names;
/// the largest projects have less than one.
const SHARD_LIMIT: usize = (256 << 20) / SHARDS;

/// What a name costs beside its bytes, in bytes: two pointers to it, its number, its reference counts.
const OVERHEAD: usize = 64;

/// The names in one shard.
#[derive(Debug, Default)]
struct Shard {
    /// Position by name.
    known: HashMap<Arc<[u8]>, u32>,
    /// Name by position.
    all: Vec<Arc<[u8]>>,
    /// Memory taken, in bytes, about.
    held: usize,
}

impl Shard {
    /// The position of `name`; `None` when the shard is full.
    fn enter(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(position) = self.known.get(name) {
            return Some(*position);
        }
        let held = self.held + name.len() + OVERHEAD;
        let position = u32::try_from(self.all.len()).ok()?;
        if held > SHARD_LIMIT || position >= 1 << (NAME_BITS - SHARD_BITS) {
            return None;
        }
        let name: Arc<[u8]> = name.into();
        self.all.push(Arc::clone(&name));
        self.known.insert(name, position);
        self.held = held;
        Some(position)
    }
}

/// Distinct names, entered from any thread.
#[derive(Debug)]
pub(super) struct Names {
    /// Chosen by hash.
    shards: [RwLock<Shard>; SHARDS],
    /// Chooses shards, by a secret that no repository can foresee.
    state: RandomState,
}

impl Names {
    /// No names.
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), state: RandomState::new() }
    }

    /// The number of `name`; `None` when there are more names than any project has.
    pub(super) fn enter(&self, name: &[u8]) -> Option<NameNo> {
        let shard = usize::try_from(self.state.hash_one(name) >> (64 - SHARD_BITS)).unwrap_or(0);
        let shared = self.shards[shard].read().unwrap_or_else(PoisonError::into_inner).known.get(name).copied();
        let enter = || self.shards[shard].write().unwrap_or_else(PoisonError::into_inner).enter(name);
        let position = shared.or_else(enter)?;
        Some(NameNo(position << SHARD_BITS | u32::try_from(shard).unwrap_or(0)))
    }

    /// A name.
    pub(super) fn get(&self, name: NameNo) -> Arc<[u8]> {
        let shard = self.shards[name.0 as usize % SHARDS].read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shard.all[(name.0 >> SHARD_BITS) as usize])
    }
}

/// A name and its number.
type Numbered = (NameNo, Arc<[u8]>);

/// What a scan would find something in, by name.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// The names, sorted.
    names: Vec<NameNo>,
    /// How many names of each shard were looked at.
    looked_at: [usize; SHARDS],
}

/// Bytes of names that are looked at together, about. A look at a short text costs hardly more than the start of one.
const LOOK: usize = 16 << 10;

impl Suspects {
    /// Looks at all names entered since the last time; whether any of them is suspect. `suspects` says whether a scan
    /// would find anything in a text.
    pub(super) fn look(&mut self, names: &Names, suspects: &(impl Fn(&[u8]) -> bool + Sync)) -> bool {
        let mut fresh = Vec::new();
        for (nth, shard) in (0_u32..).zip(&names.shards) {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let seen = std::mem::replace(&mut self.looked_at[nth as usize], shard.all.len());
            let number = |position: u32| NameNo(position << SHARD_BITS | nth);
            fresh.extend((0_u32..).map(number).zip(&shard.all).skip(seen).map(|(no, name)| (no, Arc::clone(name))));
        }
        let mut batches: Vec<&[Numbered]> = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (at, (_, name)) in fresh.iter().enumerate() {
            bytes += name.len() + 1;
            if bytes > LOOK {
                batches.push(&fresh[start..=at]);
                (start, bytes) = (at + 1, 0);
            }
        }
        batches.push(&fresh[start..]);
        let found = batches.into_par_iter().flat_map_iter(|batch| narrow(batch, suspects));
        let mut found: Vec<NameNo> = found.collect();
        let any = !found.is_empty();
        self.names.append(&mut found);
        self.names.sort_unstable();
        any
    }

    /// Whether a scan would find something in `name`.
    pub(super) fn contains(&self, name: NameNo) -> bool {
        self.names.binary_search(&name).is_ok()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The suspect ones of some names: all together, then by halves where something is found.
fn narrow(names: &[Numbered], suspects: &(impl Fn(&[u8]) -> bool + Sync)) -> Vec<NameNo> {
    let mut found = Vec::new();
    let mut open = vec![names];
    let mut text = Vec::new();
    while let Some(names) = open.pop() {
        text.clear();
        for (_, name) in names {
            text.push(b'\n');
            super::text::push_name(&mut text, name);
        }
        text.push(b'\n');
        if names.is_empty() || !suspects(&text) {
            continue;
        }
        match names {
            [(name, _)] => found.push(*name),
            _ => {
                let (left, right) = names.split_at(names.len() / 2);
                open.extend([left, right]);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a few names can be numbered")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_name_has_one_number_whichever_thread_enters_it() {
        let names = Names::new();
        let spelled: Vec<String> = (0..3_000).map(|n| format!("name-{}", n % 1_000)).collect();
        let numbers: Vec<NameNo> = spelled.par_iter().map(|name| names.enter(name.as_bytes()).unwrap()).collect();
        for (name, number) in spelled.iter().zip(&numbers) {
            assert_eq!(&*names.get(*number), name.as_bytes());
            assert_eq!(names.enter(name.as_bytes()), Some(*number));
        }
        let distinct: std::collections::BTreeSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), 1_000);
        assert!(numbers.iter().all(|number| number.0 < 1 << NAME_BITS));
    }

    #[test]
    fn names_past_the_limit_are_refused() {
        let mut shard = Shard::default();
        let long = vec![b'a'; SHARD_LIMIT / 4];
        let entered = (0..8_u8).filter(|n| shard.enter(&[&long, &[*n][..]].concat()).is_some()).count();
        assert_eq!(entered, 3);
        assert!(shard.enter(b"short").is_some());
    }

    #[test]
    fn every_suspect_is_told_and_hardly_more_is_looked_at_than_there_is() {
        let names = Names::new();
        let enter = |n: usize| names.enter(format!("{n}-file").as_bytes()).unwrap();
        let all: Vec<NameNo> = (0..20_000).map(enter).collect();
        let odd = names.enter(b"line\nbreak").unwrap();
        let looks = AtomicUsize::new(0);
        let suspects = |text: &[u8]| {
            looks.fetch_add(1, Ordering::Relaxed);
            assert!(text.starts_with(b"\n") && text.ends_with(b"\n"));
            [&b"\n77-file\n"[..], b"\n19999-file\n", b"\nline/break\n"]
                .iter()
                .any(|needle| memchr::memmem::find(text, needle).is_some())
        };
        let mut found = Suspects::default();
        assert!(found.look(&names, &suspects));
        assert_eq!(all.iter().filter(|name| found.contains(**name)).count(), 2);
        assert!(found.contains(all[77]) && found.contains(all[19_999]) && found.contains(odd));
        let first = looks.swap(0, Ordering::Relaxed);
        assert!(first < 200, "{first}");
        // Names that come later are looked at alone.
        let late = enter(20_001);
        assert!(!found.look(&names, &suspects));
        assert!(!found.contains(late) && found.contains(all[77]) && looks.into_inner() < 20);
    }
}

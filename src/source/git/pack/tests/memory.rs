//! Large trees in little memory, on any number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::forge::Forge;
use super::*;

/// A blob of `len` bytes that deflates a little.
fn text(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'a' + (state >> 33) as u8 % 16
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Walks a forged pack of `count` blobs; the most bytes that bases took.
fn walk_all(folder: &Path, count: usize, threads: usize, held: usize) -> usize {
    let keeper = Keeper::new(Kind::Blob);
    let walked = with_threads(threads, || keeper.walk(folder, held));
    assert_eq!((walked.unread.len(), keeper.ids().len()), (0, count));
    walked.peak
}

#[test]
fn a_star_of_ten_thousand_children() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut forge = Forge::default();
    forge.whole(Kind::Blob, &text(3000));
    for n in 0..10_000 {
        forge.child(0, n % 3000, format!("child {n}").as_bytes());
    }
    forge.write(folder.path());
    for threads in [1, 4] {
        assert_eq!(walk_all(folder.path(), 10_001, threads, HELD), 4096, "one base");
    }
}

#[test]
fn a_chain_deeper_than_git_allows_holds_two_objects() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut forge = Forge::default();
    forge.whole(Kind::Blob, &text(1000));
    for n in 0..20_000 {
        forge.child(n, 990, format!("{n:010}").as_bytes());
    }
    forge.write(folder.path());
    for threads in [1, 4] {
        assert!(walk_all(folder.path(), 20_001, threads, HELD) <= 2 * 4096);
    }
}

/// A tree in which every blob but the leaves has `width` children; the number of blobs.
fn bush(forge: &mut Forge, depth: usize, width: usize, len: usize) -> usize {
    forge.whole(Kind::Blob, &text(len));
    let (mut level, mut count) = (vec![0], 1);
    for depth in 0..depth {
        let mut next = Vec::new();
        for base in level {
            for n in 0..width {
                forge.child(base, len - 60, format!("{:60}", format!("{depth} {base} {n}")).as_bytes());
                next.push(count);
                count += 1;
            }
        }
        level = next;
    }
    count
}

#[test]
fn a_bush_grows_whole_under_any_cap() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut forge = Forge::default();
    let count = bush(&mut forge, 6, 3, 8000);
    forge.write(folder.path());
    let one = 8192;
    for threads in [1, 4] {
        let free = walk_all(folder.path(), count, threads, HELD);
        assert!(free >= 5 * one, "a base a level: {free}");
        for held in [0, one, 3 * one] {
            let peak = walk_all(folder.path(), count, threads, held);
            assert!(peak <= held + 3 * threads * one, "{threads} threads, {held} allowed, {peak} taken");
        }
    }
}

/// Makes states of a MiB, or says so.
#[derive(Default)]
struct Heavy {
    received: AtomicUsize,
    with_parent: AtomicUsize,
}

impl Recipient for Heavy {
    type State = ();

    fn wants(&self, _: Named<'_>) -> bool {
        true
    }

    fn receive(&self, parent: Option<(&(), &Edits)>, _: Named<'_>, _: &[u8]) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.with_parent.fetch_add(usize::from(parent.is_some()), Ordering::Relaxed);
    }

    fn weight(&self, (): &()) -> usize {
        1 << 20
    }
}

#[test]
fn what_is_known_of_bases_counts_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut forge = Forge::default();
    let count = bush(&mut forge, 6, 3, 8000);
    forge.write(folder.path());
    let packs = Packs::below(std::iter::once(folder.path()), HashKind::Sha1);
    let one = (1 << 20) + 8192;
    for threads in [1, 4] {
        for (held, carried) in [(HELD, count - 1), (2 * one, count / 2)] {
            let heavy = Heavy::default();
            let peak = with_threads(threads, || walk(&packs, Kind::Blob, &heavy, held)).peak;
            assert!(peak <= held.min(7 * threads * one) + 3 * threads * one, "{threads} threads, {held}, {peak} taken");
            assert_eq!(heavy.received.into_inner(), count);
            let with_parent = heavy.with_parent.into_inner();
            assert!((carried..count).contains(&with_parent), "{with_parent} of {count} with a parent");
        }
    }
}

#[test]
fn the_largest_tree_is_last_so_that_combs_hold_little() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut forge = Forge::default();
    forge.whole(Kind::Blob, &text(2000));
    // Every tooth is a base too, and comes after the next part of the spine.
    let mut spine = 0;
    let mut count = 1;
    for n in 0..500 {
        forge.child(spine, 1900, format!("spine {n:94}").as_bytes());
        forge.child(spine, 1900, format!("tooth {n:94}").as_bytes());
        forge.child(count + 1, 1900, format!("tip {n:96}").as_bytes());
        spine = count;
        count += 3;
    }
    forge.write(folder.path());
    assert!(walk_all(folder.path(), count, 1, HELD) <= 4 * 4096);
}

/// Waits, at each child, for a second thread to come, and gives up at some time.
#[derive(Default)]
struct Company {
    threads: Mutex<BTreeSet<Option<usize>>>,
}

impl Recipient for Company {
    type State = ();

    fn wants(&self, _: Named<'_>) -> bool {
        true
    }

    fn receive(&self, parent: Option<(&(), &Edits)>, _: Named<'_>, _: &[u8]) {
        let threads = || self.threads.lock().expect("no panic");
        if parent.is_some() && threads().len() < 2 {
            threads().insert(rayon::current_thread_index());
            (0..1_000_000).take_while(|_| threads().len() < 2).for_each(|_| std::thread::yield_now());
        }
    }
}

#[test]
fn one_tree_is_work_for_two() {
    // A star, and a chain in which every blob has a leaf beside the one that leads on.
    for spine in [1, 40] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut forge = Forge::default();
        forge.whole(Kind::Blob, &text(2000));
        for n in 0..40 {
            let base = if spine == 1 { 0 } else { 2 * n };
            forge.child(base, 1900, format!("leaf {n:95}").as_bytes());
            forge.child(base, 1900, format!("leads on {n:91}").as_bytes());
        }
        forge.write(folder.path());
        let packs = Packs::below(std::iter::once(folder.path()), HashKind::Sha1);
        let company = Company::default();
        with_threads(2, || walk(&packs, Kind::Blob, &company, HELD));
        assert_eq!(company.threads.into_inner().expect("no panic").len(), 2);
    }
}

//! The walk over delta trees: depth first, on all threads, in bounded memory.
//!
//! A task has a stack of bases whose children are not all done. When fewer tasks wait than there are threads, it gives
//! away half of what is left at the bottom of its stack, where the largest trees hang: so a single giant tree keeps all
//! threads busy, and nobody waits for a lock while there is work. A thread without work sleeps (rayon's doing).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::objs::Kind;
use rayon::Scope;
use rayon::prelude::*;

use super::budget::{Budget, Buffer, Held};
use super::decode::{Damaged, Decoder};
use super::marks::Marks;
use super::share::Lent;
use super::{Pack, Packs, Recipient};
use crate::source::Unread;

/// How many bytes bases may take, all threads together, unless someone says otherwise. Common repositories stay below a
/// tenth of it; with what else a scan needs it keeps the process within 512 MiB.
pub(in crate::source::git) const HELD: usize = 192 << 20;

/// Most bytes of unused buffers that one task keeps.
const SPARE: usize = 16 << 20;

/// What a walk knows at its end.
pub(in crate::source::git) struct Walked {
    /// Packs that aren't sound, whatever became of their objects.
    pub(in crate::source::git) unread: Vec<Unread>,
    /// The most bytes that bases took at once.
    pub(in crate::source::git) peak: usize,
}

/// Decodes every object of `kind` that `recipient` wants and hands it over, each once. Bases take `held` bytes at most,
/// and three objects more for each thread: one made from the other, and one that a task waits with. What is dropped for
/// it is decoded again when it is needed.
///
/// An object that is damaged in one pack, or hangs on one that is, is taken from another that holds it too. What can't be
/// had at all is not handed over.
pub(in crate::source::git) fn walk<R: Recipient>(packs: &Packs, kind: Kind, recipient: &R, held: usize) -> Walked {
    let threads = rayon::current_num_threads();
    let loose: Vec<AtomicBool> = packs.all.iter().map(|_| AtomicBool::new(false)).collect();
    let mut peak = 0;
    let mut marks: Vec<Marks> =
        (0..packs.all.len()).into_par_iter().map(|nth| Marks::ask(packs, nth, kind, recipient)).collect();
    loop {
        let parts = packs.all.iter().zip(&loose).zip(marks).enumerate();
        let parts: Vec<Part<'_>> = parts
            .map(|(nth, ((pack, loose), marks))| Part { nth, pack, loose, roots: marks.roots(pack, kind), marks })
            .collect();
        let walk = Walk {
            recipient,
            budget: Budget::new(held),
            threads,
            waiting: AtomicUsize::new(0),
            idle: Mutex::default(),
            spare: SPARE.min(held / 8 / threads),
            lost: Mutex::default(),
        };
        rayon::scope(|scope| {
            for part in parts.iter().filter(|part| !part.roots.is_empty()) {
                let end = part.roots.len() as u32;
                walk.spawn(scope, part, Frame { base: None, next: 0, end });
            }
        });
        peak = peak.max(walk.budget.peak());
        let lost = walk.lost.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Each round looks in later packs, so the last one finds nothing there.
        marks = elsewhere(packs, kind, &lost);
        if marks.is_empty() {
            break;
        }
    }
    let loose = packs.all.iter().zip(loose).filter(|(_, loose)| loose.load(Ordering::Relaxed));
    let unread = loose.map(|(pack, _)| pack.unread("its objects don't lie end to end"));
    Walked { unread: packs.miscounted().chain(unread).collect(), peak }
}

/// What to do to have the `lost` objects (pack and entry) from the next pack after theirs that holds them too; nothing at
/// all when none does.
fn elsewhere(packs: &Packs, kind: Kind, lost: &[(usize, u32)]) -> Vec<Marks> {
    let found = lost.iter().filter_map(|(nth, entry)| {
        let id = packs.all[*nth].object(*entry).id;
        let mut later = packs.all.iter().enumerate().skip(nth + 1);
        later.find_map(|(nth, pack)| Some((nth, pack.find(id, kind)?)))
    });
    let found: Vec<(usize, u32)> = found.collect();
    if found.is_empty() {
        return Vec::new();
    }
    let mut marks: Vec<Marks> = packs.all.iter().map(Marks::none).collect();
    found.into_iter().for_each(|(nth, entry)| marks[nth].want(&packs.all[nth], entry));
    marks
}

/// What a walk does in one pack.
struct Part<'p> {
    /// The place of the pack among all.
    nth: usize,
    /// The pack.
    pack: &'p Pack,
    /// What to do with its entries.
    marks: Marks,
    /// The roots of trees that are needed.
    roots: Vec<u32>,
    /// An entry didn't end where the next one starts.
    loose: &'p AtomicBool,
}

/// What the tasks of a walk have in common.
struct Walk<'w, R: Recipient> {
    /// Who takes the objects.
    recipient: &'w R,
    /// Bytes held by bases.
    budget: Budget,
    /// How many threads there are.
    threads: usize,
    /// Tasks that no thread has begun.
    waiting: AtomicUsize,
    /// Decoders that no task uses now.
    idle: Mutex<Vec<Decoder>>,
    /// Bytes of unused buffers that a decoder keeps.
    spare: usize,
    /// What was wanted and could not be decoded: pack and entry.
    lost: Mutex<Vec<(usize, u32)>>,
}

/// Siblings that are not done: children of one base, or roots.
struct Frame<'w, S> {
    /// Their base; `None` for roots.
    base: Option<Base<'w, S>>,
    /// The next one, a place in the list of children or roots.
    next: u32,
    /// Behind the last one.
    end: u32,
}

/// An object that others are made from.
struct Base<'w, S> {
    /// Which.
    entry: u32,
    /// Its bytes, unless memory got short.
    bytes: Option<Lent<Held<'w, Buffer>>>,
    /// What the recipient made of it, if it wanted it, and unless memory got short.
    state: Option<Lent<Held<'w, S>>>,
}

impl<S> Frame<'_, S> {
    /// Goes on to the next sibling that is needed; whether there is one.
    fn settle(&mut self, part: &Part<'_>) -> bool {
        let list = match self.base {
            None => &part.roots,
            Some(_) => part.pack.table.children(),
        };
        while self.next < self.end && !part.marks.is_needed(list[self.next as usize]) {
            self.next += 1;
        }
        self.next < self.end
    }

    /// The entry that is next; there is one after a [`Frame::settle`] that said so.
    fn entry(&self, part: &Part<'_>) -> u32 {
        match self.base {
            None => part.roots[self.next as usize],
            Some(_) => part.pack.table.children()[self.next as usize],
        }
    }

    /// Gives away the second half of what is left, which may be all of it.
    fn split(&mut self) -> Self {
        let end = self.end;
        self.end -= (end - self.next).div_ceil(2);
        Self { base: self.base.as_mut().map(Base::share), next: self.end, end }
    }
}

impl<S> Base<'_, S> {
    /// The same base once more.
    fn share(&mut self) -> Self {
        let (bytes, lent) = self.bytes.take().map(Lent::share).unzip();
        self.bytes = bytes;
        let (state, lent_state) = self.state.take().map(Lent::share).unzip();
        self.state = state;
        Self { entry: self.entry, bytes: lent, state: lent_state }
    }
}

/// One task: part of one pack.
struct Task<'s, R: Recipient> {
    /// The walk it is of.
    walk: &'s Walk<'s, R>,
    /// The pack.
    part: &'s Part<'s>,
    /// Decodes.
    decoder: Decoder,
    /// The frames that are not done, those nearer to the roots first.
    frames: Vec<Frame<'s, R::State>>,
}

impl<'s, R: Recipient> Walk<'s, R> {
    /// Counts the bytes of a base in.
    fn hold(&self, object: Buffer) -> Held<'_, Buffer> {
        let size = object.capacity();
        self.budget.hold(object, size)
    }

    /// Has some thread do a frame and all below it.
    fn spawn(&'s self, scope: &Scope<'s>, part: &'s Part<'s>, frame: Frame<'s, R::State>) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move |scope| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let decoder = idle.unwrap_or_else(|| Decoder::new(self.spare));
            let mut task = Task { walk: self, part, decoder, frames: vec![frame] };
            task.run(scope);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(task.decoder);
        });
    }
}

impl<'s, R: Recipient> Task<'s, R> {
    /// Does all frames, and what comes of them.
    fn run(&mut self, scope: &Scope<'s>) {
        while let Some(frame) = self.frames.last_mut() {
            if self.walk.recipient.stop() {
                return;
            }
            if !frame.settle(self.part) {
                self.close();
                continue;
            }
            let entry = frame.entry(self.part);
            frame.next += 1;
            self.share(scope);
            let made = self.decode(entry);
            // A base that is done is let go before its last child's children are made: a chain holds two objects.
            if self.frames.last_mut().is_some_and(|frame| !frame.settle(self.part)) {
                self.close();
            }
            match made {
                Ok(Some(base)) => {
                    let children = self.part.pack.table.children_of(entry);
                    self.frames.push(Frame { base: Some(base), next: children.start, end: children.end });
                    self.lighten();
                }
                Ok(None) => {}
                Err(Damaged) => self.lose(entry),
            }
        }
    }

    /// Gives work away if somebody may be waiting for it.
    fn share(&mut self, scope: &Scope<'s>) {
        if self.walk.threads == 1 || self.walk.waiting.load(Ordering::Relaxed) >= self.walk.threads {
            return;
        }
        if let Some(frame) = self.frames.iter_mut().find(|frame| frame.next < frame.end) {
            let mut given = frame.split();
            if given.settle(self.part) {
                self.walk.spawn(scope, self.part, given);
            }
        }
    }

    /// Decodes an entry of the last frame and hands it over. The base that it is for others, if it is.
    fn decode(&mut self, entry: u32) -> Result<Option<Base<'s, R::State>>, Damaged> {
        let Self { walk, part, decoder, frames } = self;
        let Part { pack, marks, loose, .. } = part;
        let (wanted, is_base, named) = (marks.is_wanted(entry), marks.is_base(entry), pack.object(entry));
        let base = frames.last_mut().and_then(|frame| frame.base.as_mut());
        let (object, state) = if let Some(base) = base {
            let Base { entry: above, bytes, state } = base;
            let bytes = match bytes {
                Some(bytes) => bytes,
                None => bytes.insert(Lent::Own(walk.hold(decoder.again(pack, *above, loose)?))),
            };
            let (bytes, state) = (bytes.get().get().bytes(), state.as_ref().map(|state| state.get().get()));
            let len = decoder.delta(pack, entry, bytes.len(), loose)?;
            if wanted
                && !is_base
                && state.is_some_and(|state| walk.recipient.glance(state, &decoder.patch(bytes, len), named))
            {
                return Ok(None);
            }
            let object = decoder.apply(bytes, len);
            let parent = state.map(|state| (state, decoder.edits()));
            let state = wanted.then(|| walk.recipient.receive(parent, named, object.bytes()));
            (object, state)
        } else {
            let object = decoder.root(pack, entry, loose)?;
            let state = wanted.then(|| walk.recipient.receive(None, named, object.bytes()));
            (object, state)
        };
        if is_base {
            let hold = |state: R::State| {
                let weight = walk.recipient.weight(&state);
                Lent::Own(walk.budget.hold(state, weight))
            };
            Ok(Some(Base { entry, bytes: Some(Lent::Own(walk.hold(object))), state: state.map(hold) }))
        } else {
            decoder.give(object);
            Ok(None)
        }
    }

    /// Writes down what is lost with a damaged entry: all that hangs on it.
    fn lose(&self, entry: u32) {
        let Part { nth, pack, marks, .. } = self.part;
        let mut lost = self.walk.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let mut below = vec![entry];
        while let Some(entry) = below.pop() {
            if marks.is_wanted(entry) {
                lost.push((*nth, entry));
            }
            let children = pack.table.children_of(entry);
            let children = &pack.table.children()[children.start as usize..children.end as usize];
            below.extend(children.iter().filter(|child| marks.is_needed(**child)));
        }
    }

    /// Drops bases and what is known of them until no more is held than should be, those first that are needed again
    /// last. What is made of them then is received as if it were made of nothing.
    fn lighten(&mut self) {
        if !self.walk.budget.is_exceeded() {
            return;
        }
        let last = self.frames.len() - 1;
        for base in self.frames[..last].iter_mut().filter_map(|frame| frame.base.as_mut()) {
            (base.bytes, base.state) = (None, None);
            if !self.walk.budget.is_exceeded() {
                return;
            }
        }
    }

    /// Lets the last frame go.
    fn close(&mut self) {
        let base = self.frames.pop().and_then(|frame| frame.base);
        if let Some(held) = base.and_then(|base| base.bytes).and_then(Lent::into_inner) {
            self.decoder.give(held.release());
        }
    }
}

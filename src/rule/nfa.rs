//! A small automaton of a pattern, read at build time to learn which bytes may stand around a keyword. It takes in
//! every match of the pattern and some more: long repetitions become loops, assertions are passed as if they held.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

use super::anchor::{ByteSet, Mark};

/// Repetitions are spelled out up to this many times; past it they loop. Longer than anything an anchor looks at.
const SPELLED: u32 = 34;

/// Optional repetitions are spelled out up to this many times.
const OPTIONAL: u32 = 4;

/// More states than this and no automaton is made.
const MOST_STATES: usize = 60_000;

/// One state.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Takes a byte of the set and goes on.
    Byte(ByteSet, usize),
    /// Goes on to any of these without a byte.
    Split(Vec<usize>),
    /// Goes on where a word begins or ends.
    Word(usize),
    /// A match ends.
    Match,
}

/// The automaton of one pattern.
#[derive(Debug)]
pub(super) struct Nfa {
    /// The states; 0 is [`State::Match`].
    pub(super) states: Vec<State>,
    /// Where matches begin.
    pub(super) start: usize,
    /// The state numbers of each marked part of the pattern.
    pub(super) marked: Vec<std::ops::Range<usize>>,
    /// Where each state is come from without a byte, and with one.
    pub(super) before: Vec<Before>,
}

/// The states that lead to a state.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// Without a byte.
    pub(super) free: Vec<usize>,
    /// By taking one.
    pub(super) byte: Vec<usize>,
}

impl Nfa {
    /// The automaton of `hir`; `None` when it would be too large.
    pub(super) fn new(hir: &Hir, mark: &Mark) -> Option<Self> {
        let mut nfa = Self { states: vec![State::Match], start: 0, marked: Vec::new(), before: Vec::new() };
        nfa.start = nfa.compile(hir, mark, 0)?;
        nfa.before = vec![Before::default(); nfa.states.len()];
        for (at, state) in nfa.states.iter().enumerate() {
            match state {
                State::Byte(_, next) => nfa.before[*next].byte.push(at),
                State::Split(next) => next.iter().for_each(|next| nfa.before[*next].free.push(at)),
                State::Word(next) => nfa.before[*next].free.push(at),
                State::Match => {}
            }
        }
        Some(nfa)
    }

    fn add(&mut self, state: State) -> Option<usize> {
        self.states.push(state);
        (self.states.len() <= MOST_STATES).then(|| self.states.len() - 1)
    }

    /// Compiles a part of the pattern that goes on to `next`; returns where it begins.
    fn compile(&mut self, hir: &Hir, mark: &Mark, next: usize) -> Option<usize> {
        let first = self.states.len();
        let start = match hir.kind() {
            HirKind::Empty => next,
            HirKind::Look(Look::WordAscii | Look::WordStartAscii | Look::WordEndAscii) => {
                self.add(State::Word(next))?
            }
            HirKind::Look(_) => next,
            HirKind::Literal(literal) => {
                let mut next = next;
                for byte in literal.0.iter().rev() {
                    next = self.add(State::Byte(ByteSet::of([*byte]), next))?;
                }
                next
            }
            HirKind::Class(Class::Unicode(class)) if class.to_byte_class().is_none() => {
                let mut starts = Vec::new();
                for range in class.ranges() {
                    for sequence in Utf8Sequences::new(range.start(), range.end()) {
                        let mut next = next;
                        for part in sequence.as_slice().iter().rev() {
                            next = self.add(State::Byte(ByteSet::of(part.start..=part.end), next))?;
                        }
                        starts.push(next);
                    }
                }
                self.add(State::Split(starts))?
            }
            HirKind::Class(class) => self.add(State::Byte(set(class), next))?,
            HirKind::Capture(capture) => self.compile(&capture.sub, mark.child(0), next)?,
            HirKind::Repetition(repetition) => {
                let (min, max) = (repetition.min.min(SPELLED), repetition.max);
                let mut start = next;
                match max.map(|max| max - repetition.min) {
                    Some(more) if more <= OPTIONAL && repetition.min <= SPELLED => {
                        for _ in 0..more {
                            let body = self.compile(&repetition.sub, mark.child(0), start)?;
                            start = self.add(State::Split(vec![body, next]))?;
                        }
                    }
                    _ => {
                        let split = self.add(State::Split(Vec::new()))?;
                        let body = self.compile(&repetition.sub, mark.child(0), split)?;
                        self.states[split] = State::Split(vec![body, next]);
                        start = split;
                    }
                }
                for _ in 0..min {
                    start = self.compile(&repetition.sub, mark.child(0), start)?;
                }
                start
            }
            HirKind::Concat(parts) => {
                let run = mark.run();
                let (mut next, mut low) = (next, first);
                for (at, part) in parts.iter().enumerate().rev() {
                    if at + 1 == run.end {
                        low = self.states.len();
                    }
                    next = self.compile(part, mark.child(at), next)?;
                    if at == run.start && !run.is_empty() {
                        self.marked.push(low..self.states.len());
                    }
                }
                next
            }
            HirKind::Alternation(branches) => {
                let starts = branches.iter().enumerate().map(|(at, branch)| self.compile(branch, mark.child(at), next));
                let starts = starts.collect::<Option<Vec<_>>>()?;
                self.add(State::Split(starts))?
            }
        };
        if matches!(mark, Mark::Whole) {
            self.marked.push(first..self.states.len());
        }
        Some(start)
    }

    /// All states reached from `from` without a byte, those themselves included.
    pub(super) fn closure(&self, from: impl IntoIterator<Item = usize>) -> Vec<usize> {
        self.spread(from, |state| match &self.states[state] {
            State::Split(next) => next.clone(),
            State::Word(next) => vec![*next],
            State::Byte(..) | State::Match => Vec::new(),
        })
    }

    /// All states from which `to` is reached without a byte; `words`: assertions of a word's edge are passed.
    pub(super) fn reverse_closure(&self, to: impl IntoIterator<Item = usize>, words: bool) -> Vec<usize> {
        self.spread(to, |state| {
            let free = self.before[state].free.iter().copied();
            free.filter(|&state| words || !matches!(self.states[state], State::Word(_))).collect()
        })
    }

    fn spread(&self, from: impl IntoIterator<Item = usize>, next: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
        let mut seen = vec![false; self.states.len()];
        let mut todo: Vec<usize> = from.into_iter().collect();
        let mut all = Vec::new();
        while let Some(state) = todo.pop() {
            if !std::mem::replace(&mut seen[state], true) {
                all.push(state);
                todo.extend(next(state));
            }
        }
        all.sort_unstable();
        all
    }
}

/// The bytes of a class. What isn't a class of bytes takes any.
pub(super) fn set(class: &Class) -> ByteSet {
    let bytes = match class {
        Class::Bytes(class) => Some(class.clone()),
        // Alternations of single characters become Unicode classes even in byte mode.
        Class::Unicode(class) => class.to_byte_class(),
    };
    match bytes {
        Some(class) => ByteSet::of(class.ranges().iter().flat_map(|range| range.start()..=range.end())),
        None => ByteSet::ALL,
    }
}

//! Anchors: what must stand around a keyword for it to be part of a match, byte by byte. Made at build time from the
//! pattern, so that most keyword hits are told to be nothing by a look at a few bytes, before any pattern is compiled.
//!
//! An anchor takes in every match: each match of the pattern holds at least one place where one of the rule's
//! anchors fits. What it lets pass is then searched by the pattern itself.

use std::borrow::Cow;
use std::ops::Range;

use regex_syntax::hir::{Hir, HirKind};

use super::nfa::{Nfa, State};
use super::{List, Text};

/// How far an anchor looks behind the end of the keyword, in bytes. Also the most it says of what follows.
pub const LOOK_AHEAD: usize = 32;

/// How many bytes an anchor skips behind the keyword; where there are more to skip, it passes.
pub const SKIP: usize = 48;

/// How far an anchor looks before the keyword, in bytes.
pub const LOOK_BEHIND: usize = 16;

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ByteSet(pub [u64; 4]);

impl ByteSet {
    /// Every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The set of these bytes.
    pub fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        for byte in bytes {
            set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        set
    }

    /// Whether `byte` is in it.
    #[inline]
    pub const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    /// Bytes that are in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    /// Bytes that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    /// Bytes that are not in it.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(self.0.map(|part| !part))
    }

    /// How many bytes are in it.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|part| part.count_ones()).sum()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The bytes in it, in rising order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |&byte| self.has(byte))
    }

    /// A letter in both cases; any other byte alone.
    pub fn either_case(byte: u8) -> Self {
        Self::of([byte.to_ascii_lowercase(), byte.to_ascii_uppercase()])
    }
}

/// A stretch of bytes that must all be of one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where the stretch begins, in bytes from the keyword's start.
    pub at: i16,
    /// Its length in bytes.
    pub len: u16,
    /// Which bytes may stand there.
    pub set: ByteSet,
    /// Whether the text may begin instead.
    pub edge: bool,
}

/// A run of bytes of one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which bytes.
    pub set: ByteSet,
    /// How many at least.
    pub len: u16,
}

/// Runs shorter than this, in bytes, stand everywhere.
const LEAST_RUN: u32 = 14;

/// Sets larger than this take in prose.
const LARGEST_SET: u32 = 80;

impl Run {
    /// Whether `text` holds such a run. Looks at one byte in [`Run::len`] where there is none near.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let len = usize::from(self.len);
        let mut start = 0;
        // No run can begin before `start`; one that begins there ends at `start + len`.
        while let Some(stretch) = text.get(start..start + len) {
            match stretch.iter().rposition(|&byte| !self.set.has(byte)) {
                Some(at) => start += at + 1,
                None => return true,
            }
        }
        false
    }
}

/// The longest run of bytes that every match of `hir` holds.
pub(super) fn run(hir: &Hir) -> Option<Run> {
    match hir.kind() {
        HirKind::Capture(capture) => run(&capture.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(run).max_by_key(|run| run.len),
        HirKind::Repetition(repetition) => match repetition.sub.kind() {
            HirKind::Class(class) if repetition.min >= LEAST_RUN => {
                let set = super::nfa::set(class);
                let len = u16::try_from(repetition.min).ok()?;
                (set.len() <= LARGEST_SET).then_some(Run { set, len })
            }
            _ if repetition.min > 0 => run(&repetition.sub),
            _ => None,
        },
        // Every branch has one: the shorter of them, of either's bytes.
        HirKind::Alternation(branches) => {
            let runs = branches.iter().map(run).collect::<Option<Vec<Run>>>()?;
            let run = runs.into_iter().reduce(|a, b| Run { set: a.set.or(b.set), len: a.len.min(b.len) })?;
            (run.set.len() <= LARGEST_SET).then_some(run)
        }
        _ => None,
    }
}

/// A keyword and what must stand around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// The keyword in lower case.
    pub keyword: Text,
    /// What must hold, the most telling check first.
    pub checks: List<Check>,
    /// What follows the keyword in every match: any bytes of the first set, then one of the second.
    pub skip: Option<[ByteSet; 2]>,
}

impl Anchor {
    /// An anchor that asks for nothing but the keyword, in any case.
    pub fn bare(keyword: &str) -> Self {
        let keyword = keyword.to_ascii_lowercase();
        let sets: Vec<ByteSet> = keyword.bytes().map(ByteSet::either_case).collect();
        let checks = Cow::Owned(checks(&sets, &Around::default()));
        Self { keyword: keyword.into(), checks, skip: None }
    }

    /// Which bytes may stand `at` bytes from the keyword's start.
    pub fn byte_at(&self, at: i16) -> ByteSet {
        let holds = |check: &&Check| check.at <= at && i32::from(at) < i32::from(check.at) + i32::from(check.len);
        self.checks.iter().find(holds).map_or(ByteSet::ALL, |check| check.set)
    }

    /// Whether a match may have the keyword at `start`.
    #[inline]
    pub fn fits(&self, text: &[u8], start: usize) -> bool {
        self.checks.iter().all(|check| {
            let Some(from) = start.checked_add_signed(isize::from(check.at)) else { return check.edge };
            let Some(bytes) = text.get(from..from + usize::from(check.len)) else { return false };
            bytes.iter().all(|&byte| check.set.has(byte))
        }) && self.skip.is_none_or(|[skip, stop]| {
            let rest = text.get(start + self.keyword.len()..).unwrap_or_default();
            let skipped = rest.iter().take(SKIP).take_while(|&&byte| skip.has(byte)).count();
            // What both sets take may have been skipped.
            skipped == SKIP
                || rest.get(skipped).is_some_and(|&byte| stop.has(byte))
                || rest[..skipped].iter().any(|&byte| stop.has(byte))
        })
    }
}

/// Which part of a pattern a keyword is proven to stand in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// Not in this part.
    Nowhere,
    /// In all of this part together.
    Whole,
    /// In these elements of a concatenation together.
    Run(Range<usize>),
    /// Within some of the part's children.
    Within(Vec<Mark>),
}

impl Mark {
    /// The mark of the child at `at`.
    pub(super) fn child(&self, at: usize) -> &Self {
        match self {
            Self::Within(children) => children.get(at).unwrap_or(&Self::Nowhere),
            _ => &Self::Nowhere,
        }
    }

    /// The marked elements of a concatenation.
    pub(super) fn run(&self) -> Range<usize> {
        match self {
            Self::Run(run) => run.clone(),
            _ => 0..0,
        }
    }
}

/// The anchors of a pattern that has been proven to hold one of `keywords` (lower case) in every match. `spelled` says
/// of a part of the pattern, or of neighbouring elements of it, whether whatever it stands for holds a keyword.
pub(super) fn anchors(hir: &Hir, keywords: &[String], spelled: &dyn Fn(&[Hir]) -> bool) -> Vec<Anchor> {
    let mark = mark(hir, spelled);
    let derived = mark.as_ref().and_then(|mark| {
        let nfa = Nfa::new(hir, mark)?;
        let anchors: Vec<Anchor> = nfa
            .marked
            .iter()
            .flat_map(|range| keywords.iter().filter_map(|word| anchor(&nfa, range.clone(), word)))
            .collect();
        (!anchors.is_empty()).then_some(anchors)
    });
    let mut anchors = derived.unwrap_or_else(|| keywords.iter().map(|word| Anchor::bare(word)).collect());
    if let ([anchor], Some(mark)) = (&mut anchors[..], &mark) {
        anchor.skip = tail(hir, mark, &anchor.keyword).and_then(|tail| skip(&tail));
    }
    let mut seen: Vec<Anchor> = Vec::new();
    anchors.retain(|anchor| {
        let new = !seen.contains(anchor);
        if new {
            seen.push(anchor.clone());
        }
        new
    });
    anchors
}

/// Where in `hir` a keyword is proven to stand.
fn mark(hir: &Hir, spelled: &dyn Fn(&[Hir]) -> bool) -> Option<Mark> {
    match hir.kind() {
        HirKind::Capture(capture) => Some(Mark::Within(vec![mark(&capture.sub, spelled)?])),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            Some(Mark::Within(vec![mark(&repetition.sub, spelled)?]))
        }
        HirKind::Concat(parts) => {
            // The shortest run says most of what stands around it.
            let runs = (1..=parts.len()).flat_map(|len| (0..=parts.len() - len).map(move |at| at..at + len));
            let mut runs = runs.filter(|run| spelled(&parts[run.clone()]));
            if let Some(run) = runs.next() {
                return Some(Mark::Run(run));
            }
            let (at, inner) = parts.iter().enumerate().find_map(|(at, part)| Some((at, mark(part, spelled)?)))?;
            let mut children = vec![Mark::Nowhere; at];
            children.push(inner);
            Some(Mark::Within(children))
        }
        HirKind::Alternation(branches) => {
            branches.iter().map(|branch| mark(branch, spelled)).collect::<Option<Vec<_>>>().map(Mark::Within)
        }
        _ => spelled(std::slice::from_ref(hir)).then_some(Mark::Whole),
    }
}

/// What follows the marked elements in every match, if those are `keyword` and nothing else.
fn tail(hir: &Hir, mark: &Mark, keyword: &str) -> Option<Hir> {
    match (hir.kind(), mark) {
        (HirKind::Capture(capture), Mark::Within(_)) => tail(&capture.sub, mark.child(0), keyword),
        (HirKind::Concat(parts), Mark::Run(run)) => {
            let is_keyword =
                |part: &Hir| matches!(part.kind(), HirKind::Literal(l) if l.0.eq_ignore_ascii_case(keyword.as_bytes()));
            (run.len() == 1 && is_keyword(&parts[run.start])).then(|| Hir::concat(parts[run.end..].to_vec()))
        }
        (HirKind::Concat(parts), Mark::Within(children)) => {
            let at = children.len().checked_sub(1)?;
            let inner = tail(&parts[at], &children[at], keyword)?;
            Some(Hir::concat(std::iter::once(inner).chain(parts[at + 1..].iter().cloned()).collect()))
        }
        _ => None,
    }
}

/// The two sets of [`Anchor::skip`], if what follows a keyword begins so.
fn skip(tail: &Hir) -> Option<[ByteSet; 2]> {
    let HirKind::Concat(parts) = tail.kind() else { return None };
    let [first, second, ..] = &parts[..] else { return None };
    let peeled = match first.kind() {
        HirKind::Capture(capture) => &capture.sub,
        _ => first,
    };
    let HirKind::Repetition(repetition) = peeled.kind() else { return None };
    let HirKind::Class(class) = repetition.sub.kind() else { return None };
    let stop = match second.kind() {
        HirKind::Literal(literal) => ByteSet::of(literal.0.first().copied()),
        HirKind::Class(class) => super::nfa::set(class),
        _ => return None,
    };
    Some([super::nfa::set(class), stop])
}

/// What may stand before and after a keyword.
#[derive(Debug, Default)]
struct Around {
    /// Behind its end, nearest first.
    after: Vec<ByteSet>,
    /// Before its start, nearest first.
    before: Vec<ByteSet>,
    /// The text may begin where the first byte of `before` would stand.
    edge: bool,
}

/// The anchor of `keyword` where it is spelled by the states of `range`, if it can be.
fn anchor(nfa: &Nfa, range: Range<usize>, keyword: &str) -> Option<Anchor> {
    let letters: Vec<ByteSet> = keyword.bytes().map(ByteSet::either_case).collect();
    let taking = |states: Vec<usize>, letter: &ByteSet| -> Vec<usize> {
        let takes = |&state: &usize| matches!(&nfa.states[state], State::Byte(set, _) if !set.and(*letter).is_empty());
        states.into_iter().filter(|state| range.contains(state)).filter(takes).collect()
    };
    // Layer n: the states that may take letter n when all before it were taken.
    let mut layers = vec![taking(range.clone().collect(), &letters[0])];
    for letter in &letters[1..] {
        let nexts = layers.last()?.iter().filter_map(|&state| next(nfa, state));
        layers.push(taking(nfa.closure(nexts), letter));
    }
    // And that lead on to the last one.
    for at in (0..layers.len() - 1).rev() {
        let wanted = layers[at + 1].clone();
        layers[at].retain(|&state| {
            next(nfa, state).is_some_and(|next| nfa.closure([next]).iter().any(|state| wanted.contains(state)))
        });
    }
    let union = |states: &[usize], letter: ByteSet| {
        let sets = states.iter().filter_map(|&state| match &nfa.states[state] {
            State::Byte(set, _) => Some(set.and(letter)),
            _ => None,
        });
        sets.fold(ByteSet::default(), ByteSet::or)
    };
    let sets: Vec<ByteSet> = layers.iter().zip(&letters).map(|(states, letter)| union(states, *letter)).collect();
    let (firsts, lasts) = (layers.first()?, layers.last()?);
    if firsts.is_empty() || lasts.is_empty() {
        return None;
    }
    let mut around = before(nfa, firsts, sets[0]);
    around.after = after(nfa, lasts.iter().filter_map(|&state| next(nfa, state)).collect());
    let checks = Cow::Owned(checks(&sets, &around));
    Some(Anchor { keyword: keyword.to_owned().into(), checks, skip: None })
}

/// Where a state goes with a byte.
fn next(nfa: &Nfa, state: usize) -> Option<usize> {
    match &nfa.states[state] {
        State::Byte(_, next) => Some(*next),
        _ => None,
    }
}

/// Which bytes may follow, as far as every match goes on.
fn after(nfa: &Nfa, mut states: Vec<usize>) -> Vec<ByteSet> {
    let mut sets = Vec::new();
    while sets.len() < LOOK_AHEAD {
        let all = nfa.closure(states);
        let mut set = ByteSet::default();
        states = Vec::new();
        for &state in &all {
            match &nfa.states[state] {
                State::Match => return sets,
                State::Byte(bytes, next) => {
                    set = set.or(*bytes);
                    states.push(*next);
                }
                State::Split(_) | State::Word(_) => {}
            }
        }
        sets.push(set);
    }
    sets
}

/// Which bytes may stand before, as far as every match reaches. `first` is what the keyword may begin with.
fn before(nfa: &Nfa, firsts: &[usize], first: ByteSet) -> Around {
    let word = ByteSet::of((0..=u8::MAX).filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'));
    let mut around = Around::default();
    let mut states = firsts.to_vec();
    // What follows the byte in question: it tells where a word may begin.
    let mut follows = first;
    while around.before.len() < LOOK_BEHIND {
        let all = nfa.reverse_closure(states.iter().copied(), true);
        let plain = nfa.reverse_closure(states.iter().copied(), false);
        let bytes: Vec<usize> = all.iter().flat_map(|&state| nfa.before[state].byte.iter().copied()).collect();
        let mut set = bytes.iter().fold(ByteSet::default(), |set, &state| match &nfa.states[state] {
            State::Byte(bytes, _) => set.or(*bytes),
            _ => set,
        });
        if all.contains(&nfa.start) {
            // A match may begin here. Only an edge of a word, where all that follows is a word, says what is before.
            let edge_of_word = !plain.contains(&nfa.start) && follows.and(word.complement()).is_empty();
            if edge_of_word {
                around.before.push(set.or(word.complement()));
                around.edge = around.before.len() == 1;
                if !around.edge {
                    around.before.pop();
                }
            }
            return around;
        }
        if bytes.is_empty() {
            return around;
        }
        std::mem::swap(&mut set, &mut follows);
        around.before.push(follows);
        states = bytes;
    }
    around
}

/// Checks of the keyword's own bytes and of those around it: before it, itself, behind it. Neighbouring bytes of one
/// set are one check; sets that take any byte are still checked to be inside the text.
fn checks(keyword: &[ByteSet], around: &Around) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    if let Some(set) = around.before.first() {
        checks.push(Check { at: -1, len: 1, set: *set, edge: around.edge });
    }
    let end = i16::try_from(keyword.len()).unwrap_or(i16::MAX);
    // The keyword itself comes after what follows it: its core was seen, so it is seldom not there.
    for (first, sets) in [(end, &around.after[..]), (0, keyword)] {
        for (at, set) in (first..).zip(sets) {
            match checks.last_mut() {
                Some(last) if last.at >= first && last.set == *set => last.len += 1,
                _ => checks.push(Check { at, len: 1, set: *set, edge: false }),
            }
        }
    }
    for (at, set) in (2_i16..).zip(around.before.iter().skip(1)) {
        match checks.last_mut() {
            Some(last) if last.at < -1 && last.set == *set => {
                last.at -= 1;
                last.len += 1;
            }
            _ => checks.push(Check { at: -at, len: 1, set: *set, edge: false }),
        }
    }
    checks
}

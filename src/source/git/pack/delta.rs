//! Deltas: how a packed object is made from another, as copies from it and new bytes.
//!
//! In: the inflated bytes of a delta. Out: [`Edits`], checked against base and result, and the child put together.
//! Source of the layout: <https://git-scm.com/docs/gitformat-pack>, "Deltified representation", read 2026-11.

use crate::blob::{Edit, Edits};
use crate::location::Span;

/// What is wrong with a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeltaError {
    /// It ends within a size or an instruction.
    Truncated,
    /// A size has more bits than we can count with.
    Overflow,
    /// It was made for a base of another size.
    OtherBase,
    /// It copies what lies outside of its base.
    OutOfBase,
    /// The reserved instruction 0.
    Reserved,
    /// It makes more or fewer bytes than it says.
    OtherResult,
    /// It has more instructions than we keep.
    TooMany,
}

/// Most edits of one delta, 64 MiB of them. Inserts hold 127 bytes at most, so what git writes stays below unless a file
/// of some hundred megabytes is new from end to end.
const MOST_EDITS: usize = 1 << 21;

/// Reads a delta against a base of `base_len` bytes into `edits`; contiguous copies become one. The length of the
/// result in bytes.
///
/// The edits cover the result from its first byte to its last without gaps: every copy lies in the base, every insert
/// in the delta. Nothing is allocated by what the delta says of itself.
///
/// # Errors
/// The delta is damaged or belongs to another base; `edits` then holds nothing of use.
pub(super) fn parse(delta: &[u8], base_len: usize, edits: &mut Edits) -> Result<usize, DeltaError> {
    let edits = &mut edits.0;
    edits.clear();
    let mut at = 0;
    if size(delta, &mut at)? != base_len {
        return Err(DeltaError::OtherBase);
    }
    let result_len = size(delta, &mut at)?;
    let mut made = 0_usize;
    while let Some(&command) = delta.get(at) {
        at += 1;
        if edits.len() == MOST_EDITS {
            return Err(DeltaError::TooMany);
        }
        if command & 0x80 != 0 {
            let (from, len) = copy(delta, &mut at, command)?;
            if from.checked_add(len).is_none_or(|end| end > base_len) {
                return Err(DeltaError::OutOfBase);
            }
            let to = Span::new(made, made.checked_add(len).ok_or(DeltaError::Overflow)?);
            made = to.end;
            match edits.last_mut() {
                Some(Edit::Copy { to: last, from: start }) if *start + last.len() == from => last.end = to.end,
                _ => edits.push(Edit::Copy { to, from }),
            }
        } else {
            let len = usize::from(command);
            if len == 0 {
                return Err(DeltaError::Reserved);
            }
            if delta.len() - at < len {
                return Err(DeltaError::Truncated);
            }
            let to = Span::new(made, made.checked_add(len).ok_or(DeltaError::Overflow)?);
            made = to.end;
            edits.push(Edit::Insert { to, from: at });
            at += len;
        }
    }
    if made == result_len { Ok(result_len) } else { Err(DeltaError::OtherResult) }
}

/// Puts a child together in `out`, which has the length that [`parse`] told. `base`, `delta` and `edits` are those of
/// that call.
pub(super) fn apply(base: &[u8], delta: &[u8], edits: &Edits, out: &mut [u8]) {
    for edit in &edits.0 {
        match *edit {
            Edit::Copy { to, from } => out[to.start..to.end].copy_from_slice(&base[from..from + to.len()]),
            Edit::Insert { to, from } => out[to.start..to.end].copy_from_slice(&delta[from..from + to.len()]),
        }
    }
}

/// A size: seven bits a byte, lowest first, the high bit set on all but the last.
fn size(delta: &[u8], at: &mut usize) -> Result<usize, DeltaError> {
    let mut size = 0_usize;
    let mut shift = 0_u32;
    loop {
        let byte = *delta.get(*at).ok_or(DeltaError::Truncated)?;
        *at += 1;
        let bits = usize::from(byte & 0x7f);
        if shift >= usize::BITS || (bits << shift) >> shift != bits {
            return Err(DeltaError::Overflow);
        }
        size |= bits << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
}

/// The operands of a copy: start in the base and length, both in bytes. The low four bits of `command` say which bytes
/// of the start follow, the next three which of the length; a length of 0 means 0x10000.
fn copy(delta: &[u8], at: &mut usize, command: u8) -> Result<(usize, usize), DeltaError> {
    let rest = delta.get(*at..).unwrap_or_default();
    // All seven at once where there are as many: which ones there are is hard to foretell, and a miss costs more than
    // the arithmetic.
    let mut following = match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0_u8; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(bytes)
        }
    };
    let mut operands = 0_u64;
    for bit in 0..7 {
        let present = u64::from(command >> bit & 1);
        operands |= (following & 0xff & present.wrapping_neg()) << (8 * bit);
        following >>= 8 * present;
    }
    let count = (command & 0x7f).count_ones() as usize;
    if rest.len() < count {
        return Err(DeltaError::Truncated);
    }
    *at += count;
    let wide = |number: u64| usize::try_from(number).map_err(|_| DeltaError::Overflow);
    let len = match operands >> 32 {
        0 => 0x1_0000,
        len => len,
    };
    Ok((wide(operands & 0xffff_ffff)?, wide(len)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An instruction of a made-up delta.
    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize, usize),
        Insert(Vec<u8>),
    }

    /// Writes a size.
    fn write_size(mut size: usize, out: &mut Vec<u8>) {
        while size >= 0x80 {
            out.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        out.push(size as u8);
    }

    /// Writes a delta; zero bytes of operands are left out, as git does, or written with `verbose`.
    fn write(base: usize, result: usize, steps: &[Step], verbose: bool) -> Vec<u8> {
        let mut out = Vec::new();
        write_size(base, &mut out);
        write_size(result, &mut out);
        for step in steps {
            match step {
                Step::Insert(bytes) => {
                    out.push(bytes.len() as u8);
                    out.extend(bytes);
                }
                Step::Copy(from, len) => {
                    let len = if *len == 0x1_0000 { 0 } else { *len };
                    let operand = [&(*from as u32).to_le_bytes()[..], &(len as u32).to_le_bytes()[..3]].concat();
                    let command = out.len();
                    out.push(0x80);
                    for (bit, byte) in operand.into_iter().enumerate().filter(|(_, byte)| verbose || *byte != 0) {
                        out[command] |= 1 << bit;
                        out.push(byte);
                    }
                }
            }
        }
        out
    }

    /// What the steps make.
    fn make(base: &[u8], steps: &[Step]) -> Vec<u8> {
        let part = |step: &Step| match step {
            Step::Copy(from, len) => base[*from..*from + *len].to_vec(),
            Step::Insert(bytes) => bytes.clone(),
        };
        steps.iter().flat_map(part).collect()
    }

    fn steps(base: usize) -> impl Strategy<Value = Vec<Step>> {
        let copy = (0..base, 1..=base).prop_map(move |(from, len)| Step::Copy(from, len.min(base - from)));
        let insert = proptest::collection::vec(any::<u8>(), 1..128).prop_map(Step::Insert);
        // Copies that go on where the last one ended.
        let run = (0..base / 2, 1..=base / 4).prop_map(|(from, len)| Step::Copy(from, len));
        proptest::collection::vec(prop_oneof![copy, insert, run], 0..30).prop_map(move |mut steps| {
            for n in 1..steps.len() {
                if let (Step::Copy(from, len), Step::Copy(next, more)) = (steps[n - 1].clone(), &mut steps[n])
                    && n % 3 == 0
                    && from + len + *more <= base
                {
                    *next = from + len;
                }
            }
            steps
        })
    }

    /// Edits that lie end to end, with no two copies that could be one.
    fn assert_in_order(edits: &Edits, len: usize) {
        let mut end = 0;
        for (n, edit) in edits.0.iter().enumerate() {
            let (Edit::Copy { to, .. } | Edit::Insert { to, .. }) = *edit;
            assert_eq!(to.start, end);
            assert!(!to.is_empty());
            end = to.end;
            if let (Edit::Copy { to, from }, Some(Edit::Copy { from: next, .. })) = (*edit, edits.0.get(n + 1)) {
                assert_ne!(from + to.len(), *next, "these two are one");
            }
        }
        assert_eq!(end, len);
    }

    proptest! {
        #[test]
        fn a_delta_makes_what_its_steps_make(
            base in proptest::collection::vec(any::<u8>(), 400),
            steps in steps(400),
            verbose: bool,
        ) {
            let result = make(&base, &steps);
            let delta = write(base.len(), result.len(), &steps, verbose);
            let mut edits = Edits(vec![Edit::Insert { to: Span::new(3, 4), from: 5 }]);
            prop_assert_eq!(parse(&delta, base.len(), &mut edits), Ok(result.len()));
            assert_in_order(&edits, result.len());
            let mut out = vec![0; result.len()];
            apply(&base, &delta, &edits, &mut out);
            prop_assert_eq!(out, result);
        }

        #[test]
        fn damaged_deltas_are_refused_or_make_what_they_say(
            base in proptest::collection::vec(any::<u8>(), 400),
            steps in steps(400),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8_u8), 1..6),
            cut in any::<proptest::sample::Index>(),
        ) {
            let result = make(&base, &steps);
            let mut delta = write(base.len(), result.len(), &steps, false);
            let mut edits = Edits::default();
            let whole = delta.len();
            let cut = cut.index(whole);
            prop_assert!(cut == whole || parse(&delta[..cut], base.len(), &mut edits).is_err() || result.is_empty());
            for (at, bit) in flips {
                let at = at.index(delta.len());
                delta[at] ^= 1 << bit;
            }
            if let Ok(len) = parse(&delta, base.len(), &mut edits) {
                assert_in_order(&edits, len);
                let mut out = vec![0; len];
                apply(&base, &delta, &edits, &mut out);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let insert = |len: usize| vec![Step::Insert(vec![7; len])];
        let cases: [(Vec<u8>, DeltaError); 11] = [
            (vec![], DeltaError::Truncated),
            (vec![10], DeltaError::Truncated),
            (vec![0x8a], DeltaError::Truncated),
            (write(9, 3, &insert(3), false), DeltaError::OtherBase),
            (write(10, 4, &insert(3), false), DeltaError::OtherResult),
            (write(10, 2, &insert(3), false), DeltaError::OtherResult),
            (write(10, 5, &[Step::Copy(6, 5)], false), DeltaError::OutOfBase),
            (write(10, 5, &[Step::Copy(0xffff_ffff, 0xff_ffff)], false), DeltaError::OutOfBase),
            ([write(10, 3, &insert(3), false), vec![0]].concat(), DeltaError::Reserved),
            ([write(10, 3, &insert(3), false), vec![4, 1, 2, 3]].concat(), DeltaError::Truncated),
            ([[0xff; 9].as_slice(), &[0x7f]].concat(), DeltaError::Overflow),
        ];
        for (delta, expected) in cases {
            assert_eq!(parse(&delta, 10, &mut Edits::default()), Err(expected), "{delta:?}");
        }
    }

    #[test]
    fn instructions_are_counted() {
        let steps = |count: usize| -> Vec<Step> { (0..count).map(|n| Step::Copy(n % 2 * 4, 3)).collect() };
        let read = |count: usize| parse(&write(10, 3 * count, &steps(count), false), 10, &mut Edits::default());
        assert_eq!(read(MOST_EDITS), Ok(3 * MOST_EDITS));
        assert_eq!(read(MOST_EDITS + 1), Err(DeltaError::TooMany));
    }

    #[test]
    fn a_copy_without_a_length_copies_65536_bytes() {
        let base: Vec<u8> = (0..70_000_u32).map(|n| n as u8).collect();
        let steps = [Step::Copy(3, 0x1_0000)];
        let delta = write(base.len(), 0x1_0000, &steps, false);
        assert_eq!(delta.last(), Some(&3), "the length is left out");
        let mut edits = Edits::default();
        assert_eq!(parse(&delta, base.len(), &mut edits), Ok(0x1_0000));
        assert_eq!(edits.0, [Edit::Copy { to: Span::new(0, 0x1_0000), from: 3 }]);
    }
}

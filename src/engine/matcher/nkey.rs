//! Seeds of NATS' nkeys: 58 characters of base32 that begin with `S` and a letter for the kind. Real ones go on with `A`;
//! whether a seed is whole is for the structure check to say.

use crate::engine::structure::nkey::LENGTH;
use crate::location::Span;

use super::{CodeMatcher, RawMatch};

/// The matcher. Its keywords begin or end with a seed's first letters.
pub(super) struct Nkey;

impl CodeMatcher for Nkey {
    fn name(&self) -> &'static str {
        "nkey-seed"
    }

    fn find(&self, text: &[u8], keyword: Span, floor: usize) -> Option<RawMatch> {
        let seed = seed(text, keyword).filter(|seed| seed.start >= floor)?;
        Some(RawMatch {
            whole: Span::new(seed.start.min(keyword.start).max(floor), seed.end),
            secret: seed,
            decoded: None,
            companions: Vec::new(),
            bare: false,
        })
    }

    fn may_match(&self, text: &[u8], keyword: Span) -> bool {
        seed(text, keyword).is_some()
    }

    fn reach(&self) -> usize {
        LENGTH + 1
    }
}

/// The seed that begins where the keyword does, or two bytes before the keyword's end.
fn seed(text: &[u8], keyword: Span) -> Option<Span> {
    let is_base32 = |byte: &u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte);
    [keyword.start, keyword.end.saturating_sub(2)].into_iter().find_map(|start| {
        let seed = text.get(start..start + LENGTH)?;
        let edge = |at: Option<&u8>| !at.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_seed = seed[0] == b'S' && b"ACNOUX".contains(&seed[1]) && seed.iter().all(is_base32);
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        (is_seed && edge(before) && edge(text.get(start + LENGTH))).then(|| Span::new(start, start + LENGTH))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_stand_alone() {
        let seed = format!("SUA{}", "B7CD".repeat(13) + "XYZ");
        assert_eq!(seed.len(), LENGTH);
        for (text, keyword, found) in [
            (seed.clone(), Span::new(0, 3), true),
            (format!("\n{seed}\n"), Span::new(0, 3), true),
            (format!("x = \"{seed}\""), Span::new(4, 7), true),
            (format!("-K {seed}"), Span::new(3, 6), true),
            (format!("x{seed}"), Span::new(1, 4), false),
            (format!("\n{seed}A\n"), Span::new(0, 3), false),
            (format!("\n{}", seed.to_lowercase()), Span::new(0, 3), false),
            (seed[..57].to_owned(), Span::new(0, 3), false),
        ] {
            let raw = Nkey.find(text.as_bytes(), keyword, 0);
            assert_eq!(raw.is_some(), found, "{text}");
            assert_eq!(Nkey.may_match(text.as_bytes(), keyword), found, "{text}");
            assert!(raw.is_none_or(|raw| raw.whole.contains(keyword) && raw.secret.len() == LENGTH));
        }
    }
}

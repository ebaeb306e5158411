//! Words of names and of the text around them, sorted into groups by what they say of a value.

use std::sync::LazyLock;

use crate::tables::MODEL_GROUPS as GROUPS;

/// Sets of groups, one bit each.
pub(super) type Groups = u64;

/// Longest word that is looked up, in bytes.
const LONGEST: usize = 24;

/// Calls `see` with the groups of each word of `text` and its length in bytes, in order; 0 for a word of none. Words end where case rises
/// (`dbPassword`), at digits' ends and at anything that is no letter or digit.
pub(super) fn each(text: &[u8], mut see: impl FnMut(Groups, usize)) {
    let mut start = 0;
    while start < text.len() {
        if !text[start].is_ascii_alphanumeric() {
            start += 1;
            continue;
        }
        let end = word_end(text, start);
        see(groups(&text[start..end]), end - start);
        start = end;
    }
}

/// Where the word that starts at `start` ends.
fn word_end(text: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    while end < text.len() && text[end].is_ascii_alphanumeric() {
        let (before, here) = (text[end - 1], text[end]);
        let next_is_lower = text.get(end + 1).is_some_and(u8::is_ascii_lowercase);
        let hump =
            here.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower && before.is_ascii_uppercase());
        if hump {
            break;
        }
        end += 1;
    }
    end
}

/// The groups of one word, and of it without a number behind it.
fn groups(word: &[u8]) -> Groups {
    if word.len() > LONGEST {
        return 0;
    }
    let mut folded = [0; LONGEST];
    for (to, from) in folded.iter_mut().zip(word) {
        *to = from.to_ascii_lowercase();
    }
    let folded = &folded[..word.len()];
    let found = look_up(folded);
    if found != 0 {
        return found;
    }
    let digits = folded.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = look_up(&folded[..folded.len() - digits]);
    if stem != 0 { stem } else { joined(folded) }
}

/// The groups of words written together, `dbpassword`, by the secret's word at their end.
fn joined(folded: &[u8]) -> Groups {
    let ends = ["password", "passwd", "passphrase", "secret", "token", "key", "pwd", "pass", "credentials"];
    let end = ends.iter().find(|end| folded.len() > end.len() && folded.ends_with(end.as_bytes()));
    end.map_or(0, |end| look_up(end.as_bytes()) | look_up(&folded[..folded.len() - end.len()]))
}

/// The groups of a word as it is listed.
fn look_up(word: &[u8]) -> Groups {
    let table = &*TABLE;
    let mut slot = slot(word);
    while let Some((listed, groups)) = table[slot] {
        if listed == word {
            return groups;
        }
        slot = (slot + 1) % SLOTS;
    }
    0
}

/// A word and its groups.
type Slot = Option<(&'static [u8], Groups)>;

/// Slots of [`TABLE`]: some four for each word.
const SLOTS: usize = 2048;

/// All words with their groups; a word is in the first free slot from its own on.
static TABLE: LazyLock<Vec<Slot>> = LazyLock::new(|| {
    let mut table: Vec<Slot> = vec![None; SLOTS];
    for (bit, (_, listed)) in GROUPS.iter().enumerate() {
        for word in *listed {
            let mut slot = slot(word.as_bytes());
            while table[slot].is_some_and(|(other, _)| other != word.as_bytes()) {
                slot = (slot + 1) % SLOTS;
            }
            table[slot].get_or_insert((word.as_bytes(), 0)).1 |= 1 << bit;
        }
    }
    table
});

/// Where the search for a word begins.
fn slot(word: &[u8]) -> usize {
    let hash = word.iter().fold(word.len() as u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 7) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of the groups of each word.
    fn told(text: &str) -> Vec<Vec<&'static str>> {
        let mut all = Vec::new();
        each(text.as_bytes(), |groups, _| {
            all.push((0..GROUPS.len()).filter(|bit| groups >> bit & 1 == 1).map(|bit| GROUPS[bit].0).collect());
        });
        all
    }

    #[test]
    fn words_end_at_signs_humps_and_digits() {
        let cases: [(&str, usize); 6] =
            [("dbPassword", 2), ("DB_PASSWORD", 2), ("HTTPToken", 2), ("a.b-c", 3), ("token2", 1), ("", 0)];
        for (text, count) in cases {
            assert_eq!(told(text).len(), count, "{text}");
        }
    }

    #[test]
    fn words_are_known_with_numbers_and_joined() {
        for (text, group) in
            [("Password", "password"), ("token2", "token"), ("userpassword", "password"), ("userpassword", "owner")]
        {
            assert!(told(text)[0].contains(&group), "{text}: {:?}", told(text));
        }
        assert!(told("zebra")[0].is_empty() && told(&"x".repeat(100))[0].is_empty());
    }
}

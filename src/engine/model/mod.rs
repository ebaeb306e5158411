//! The model that scores candidates of the generic detector: how likely a value assigned to a name is a secret.
//!
//! In: a candidate and the text around it. Out: features, and their score. The weights are data, made by `tools/train/`.

use crate::engine::matcher::{RawMatch, SURROUNDINGS};
use crate::location::Span;
use crate::tables::{MODEL_CALIBRATION, MODEL_GROUPS, MODEL_LEAVES, MODEL_NODES, MODEL_ROOTS};

mod context;
mod value;
mod words;

/// A candidate with its line.
pub(crate) struct Scene<'t> {
    text: &'t [u8],
    name: Span,
    value: Span,
    /// Where what is looked at of the line begins.
    start: usize,
    /// Where it ends.
    end: usize,
}

impl<'t> Scene<'t> {
    /// The scene of a match that has a name.
    pub(crate) fn new(text: &'t [u8], raw: &RawMatch) -> Option<Self> {
        let name = raw.companions.iter().find(|(word, _)| *word == "name").map(|(_, span)| *span)?;
        let value = raw.secret;
        let from = name.start.saturating_sub(SURROUNDINGS);
        let start = memchr::memrchr(b'\n', &text[from..name.start]).map_or(from, |at| from + at + 1);
        // The quote that closes the value is not of interest.
        let quote = !raw.bare && text.get(value.end).is_some_and(|byte| b"\"'`".contains(byte));
        let value_end = value.end + usize::from(quote);
        let to = text.len().min(value_end + SURROUNDINGS);
        let end = memchr::memchr(b'\n', &text[value_end..to]).map_or(to, |at| value_end + at);
        Some(Self { text, name, value, start, end })
    }

    fn name(&self) -> &'t [u8] {
        &self.text[self.name.start..self.name.end]
    }

    fn value(&self) -> &'t [u8] {
        &self.text[self.value.start..self.value.end]
    }

    /// What stands between name and value.
    fn gap(&self) -> &'t [u8] {
        &self.text[self.name.end.min(self.value.start)..self.value.start]
    }

    /// The line before the name, as far as it is looked at.
    fn before(&self) -> &'t [u8] {
        &self.text[self.start..self.name.start]
    }

    /// The line after the value and its closing quote.
    fn after(&self) -> &'t [u8] {
        let quote = self.text.get(self.value.end).is_some_and(|byte| b"\"'`".contains(byte));
        &self.text[(self.value.end + usize::from(quote)).min(self.end)..self.end]
    }
}

/// How many features there are.
const COUNT: usize = 2 * MODEL_GROUPS.len() + context::COUNT + value::COUNT;

/// The features of one candidate.
#[derive(Clone, Debug)]
pub struct Row {
    values: [f32; COUNT],
    len: usize,
}

impl Row {
    /// In the order of [`names`].
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }

    fn push(&mut self, value: f32) {
        self.values[self.len] = value;
        self.len += 1;
    }

    fn flag(&mut self, yes: bool) {
        self.push(f32::from(u8::from(yes)));
    }
}

/// Names of the features.
pub fn names() -> Vec<String> {
    let words = MODEL_GROUPS.iter().flat_map(|(group, _)| [format!("name:{group}"), format!("line:{group}")]);
    let context = context::NAMES.iter().map(|name| (*name).to_owned());
    words.chain(context).chain(value::NAMES.iter().map(|name| (*name).to_owned())).collect()
}

/// The features of a match that has a name.
pub fn features(text: &[u8], raw: &RawMatch) -> Option<Row> {
    let scene = Scene::new(text, raw)?;
    let mut row = Row { values: [0.0; COUNT], len: 0 };
    context::features(&scene, &mut row);
    let made = context::is_made_by_machine(scene.name());
    let least = if made { value::LEAST_SURPRISING_KEY } else { value::LEAST_SURPRISING };
    value::features(scene.value(), least, &mut row);
    debug_assert_eq!(row.len, COUNT);
    Some(row)
}

/// How likely a match that has a name is a secret, in percent: what the model says of its features, calibrated.
pub fn percent(row: &Row) -> u8 {
    calibrated(sum(row))
}

/// The features that matter for a candidate, each with by how much the log odds would fall if it were 0; what says most
/// first.
pub fn weighed(row: &Row) -> Vec<(String, f32)> {
    let all = sum(row);
    let without = |at: usize| {
        let mut row = row.clone();
        row.values[at] = 0.0;
        all - sum(&row)
    };
    let mut weighed: Vec<(String, f32)> = names()
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, without(at)))
        .filter(|(_, weight)| *weight != 0.0)
        .collect();
    weighed.sort_by(|(a, x), (b, y)| y.abs().total_cmp(&x.abs()).then_with(|| a.cmp(b)));
    weighed
}

/// The sum of what the trees say: log odds.
fn sum(row: &Row) -> f32 {
    let leaf = |root: &i16| {
        let mut at = *root;
        while at >= 0 {
            let (feature, threshold, left, right) = MODEL_NODES[at as usize];
            at = if row.values[usize::from(feature)] <= threshold { left } else { right };
        }
        MODEL_LEAVES[!at as usize]
    };
    MODEL_ROOTS.iter().map(leaf).sum()
}

/// The share of true ones among those with this sum, in percent, as measured on repositories the model had not seen.
fn calibrated(sum: f32) -> u8 {
    let at = MODEL_CALIBRATION.partition_point(|(from, _)| *from <= sum);
    at.checked_sub(1).map_or(0, |at| MODEL_CALIBRATION[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::MODEL_FEATURES;

    /// What the model says of the assignment to `name` in a line.
    fn said(line: &str, name: &str, value: &str) -> u8 {
        let span = |piece: &str| {
            let start = line.find(piece).expect("the line holds it");
            Span::new(start, start + piece.len())
        };
        let raw = RawMatch {
            whole: Span::new(span(name).start, span(value).end),
            secret: span(value),
            decoded: None,
            companions: vec![("name", span(name))],
            bare: false,
        };
        percent(&features(line.as_bytes(), &raw).expect("it has a name"))
    }

    #[test]
    fn values_are_told_from_names_and_texts() {
        let secret = ["kX9mmq", "2zzLq7"].concat();
        let (pass, key) = (["pass", "word"].concat(), ["secret", "_key"].concat());
        for name in [&pass, &key] {
            assert!(said(&format!("{name} = \"{secret}\"\n"), name, &secret) >= 50, "{name}");
        }
        for (name, value) in [(&pass, "Enter your new one, please"), (&key, "org.example.Things")] {
            assert!(said(&format!("label({name} = \"{value}\")\n"), name, value) < 50, "{name}");
        }
    }

    #[test]
    fn the_weights_are_for_these_features() {
        assert_eq!(names(), MODEL_FEATURES, "train again: see tools/train/README.md");
        assert!(MODEL_ROOTS.len() > 10 && MODEL_CALIBRATION.len() > 2);
        assert!(weighed(&Row { values: [0.0; COUNT], len: COUNT }).is_empty(), "what is 0 says nothing by being 0");
        assert!(MODEL_CALIBRATION.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
    }
}

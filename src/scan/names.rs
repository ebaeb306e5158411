//! Rules for a path alone: a file is the finding, whatever it holds. Names are looked at as sources hand them out; whether
//! a path matches is decided when it is known (`terms`).

use regex_automata::meta::Regex;

use super::{Collector, MOST_HITS};
use crate::blob::Blob;
use crate::engine::Engine;
use crate::finding::hit::Hit;
use crate::finding::mask;
use crate::finding::{Facts, Validity};
use crate::location::{Position, Region};
use crate::rule::{Matcher, Rule};
use crate::secret::Secret;
use crate::source::{Unread, UnreadKind, Visitor as _};

/// The rules, by index, each with the names that are worth a look.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(usize, Regex)>);

impl Names {
    /// Those of an engine.
    pub(super) fn new(engine: &Engine) -> Self {
        let names = |rule: &Rule| match rule.matcher {
            Matcher::Path => rule.terms.as_ref()?.names.clone(),
            Matcher::Pattern { .. } | Matcher::Code { .. } => None,
        };
        let rules = engine.rules().enumerate();
        Self(rules.filter_map(|(nth, rule)| Some((nth, super::terms::compile(&[names(rule)?])))).collect())
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any name in a text, one a line, is worth a look.
    pub(super) fn suspects(&self, text: &[u8]) -> bool {
        !self.is_empty() && text.split(|&byte| byte == b'\n').any(|line| self.of(line).next().is_some())
    }

    /// The rules for which a path's last name is worth a look.
    fn of<'n>(&'n self, path: &'n [u8]) -> impl Iterator<Item = usize> + 'n {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let spelled = [b"/", name].concat();
        let matching = self.0.iter().filter(move |(_, regex)| !name.is_empty() && regex.is_match(&spelled));
        matching.map(|(rule, _)| *rule)
    }
}

impl Collector<'_> {
    /// A hit for each name in a text of names, one a line, that is worth a look.
    pub(super) fn names(&self, blob: &Blob<'_>) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut offset = 0;
        for (line, path) in (1..).zip(blob.bytes.split(|&byte| byte == b'\n')) {
            let rules = self.names.of(path);
            hits.extend(rules.map(|rule| hit(rule, self.conductor.engine.rule(rule), path, (offset, line))));
            offset += path.len() as u64 + 1;
        }
        if hits.len() > MOST_HITS {
            let detail = format!("{} more names match rules for a path", hits.len() - MOST_HITS);
            self.unread(Unread::new(UnreadKind::Limit, Self::name_of(blob), detail).object(blob.id));
            hits.truncate(MOST_HITS);
        }
        hits
    }
}

/// The hit of a name. Its value is the rule with the name, which no text holds, so that it masks nothing; files of one
/// name are one finding.
fn hit(index: usize, rule: &Rule, path: &[u8], (offset, line): (u64, u64)) -> Hit {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let allowlists = rule.terms.iter().flat_map(|terms| terms.allowlists.iter());
    let pending =
        (0..).zip(allowlists).filter(|(_, list)| list.asks_place() && !(list.needs_all && list.asks_content()));
    let start = Position { line, column: 1 };
    Hit {
        rule: index,
        also: Vec::new(),
        secret: Secret::new([rule.id.as_bytes(), b"\0", name].concat()),
        offset,
        region: Region { start, end: start },
        line: mask::Line::absent(),
        line_hash: None,
        line_hash_raw: None,
        confidence: rule.confidence.percent(),
        validity: Validity::NotChecked,
        facts: Facts::default(),
        reasons: Vec::new(),
        pending: pending.map(|(nth, _)| nth).collect(),
        steps: Vec::new(),
        companions: Vec::new(),
        parts: Vec::new(),
        of: None,
        marker: None,
        in_header: false,
        view: None,
    }
}

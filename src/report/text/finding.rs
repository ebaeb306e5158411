//! One finding as a paragraph.

use std::collections::BTreeSet;

use super::*;
use crate::finding::{Finding, Sighting, Suppression, SuppressionStatus};
use crate::place::Part;
use crate::report::wording::{checked, standing};
use crate::secret::REDACTED;

/// Places shown before "and N more".
const PLACES: usize = 8;

/// Further lines of a file shown before "…".
const MOST_LINES: usize = 6;

/// Columns that places are padded to, so that what follows is aligned; longer ones push it on.
const PLACE_COLUMNS: usize = 48;

/// Steps of the remedy shown.
const STEPS: usize = 3;

impl Page {
    /// One open finding.
    pub(super) fn finding(&self, found: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let word = self.paint.severity(found.severity, &format!("{:<MARGIN$}", found.severity.word()));
        let name = self.paint.strong(&terminal(&found.rule.name));
        let checked = checked(found.validity).map(|word| format!(", {word}")).unwrap_or_default();
        let sure = self.paint.quiet(&format!("confidence {}%{checked}", found.confidence));
        writeln!(out, "{word}  {name}  {}  {sure}", terminal(&found.preview))?;
        if self.secrets && !found.secret.is_empty() {
            self.labelled("secret", &terminal_bytes(found.secret.expose()), out)?;
        }
        self.places(&found.places, "at", out)?;
        self.places(&found.earlier, "before", out)?;
        if self.explain {
            self.why(found, out)?;
        }
        if let Some(opens) = opens(&found.target) {
            self.labelled("opens", &terminal(&opens), out)?;
        }
        let parts = found.companions.iter().filter(|one| one.rule.is_some());
        let parts: Vec<String> =
            parts.map(|one| format!("{} {}", terminal(&one.word.replace('_', " ")), terminal(&one.value))).collect();
        if !parts.is_empty() {
            self.labelled("with", &parts.join(", "), out)?;
        }
        for suppression in &found.suppressions {
            self.labelled("note", &undecided(suppression), out)?;
        }
        for (at, step) in found.remedy.steps.iter().take(STEPS).enumerate() {
            self.sentence(if at == 0 { "do" } else { "" }, &format!("{}. {}", at + 1, terminal(step)), out)?;
        }
        if let Some(recommendation) = found.recommendation {
            self.labelled("belongs", recommendation.name, out)?;
        }
        self.labelled("id", &self.paint.quiet(&terminal(&format!("{}  {}", found.fingerprint, found.rule.id))), out)?;
        writeln!(out)
    }

    /// What checks and filters said.
    fn why(&self, found: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let stated = found.rule.confidence.percent();
        let stated = match found.confidence == stated {
            true => format!("{} states {stated}%", found.rule.id),
            false => format!("{} states {stated}%, which became {}%", found.rule.id, found.confidence),
        };
        self.labelled("why", &terminal(&stated), out)?;
        for step in &found.steps {
            self.labelled("", &terminal(step), out)?;
        }
        match found.also.as_slice() {
            [] => Ok(()),
            also => self.labelled("", &terminal(&format!("also matched by {}", also.join(", "))), out),
        }
    }

    /// Places, each with its line where that differs from the one before.
    fn places(&self, places: &[Sighting], label: &str, out: &mut dyn Write) -> io::Result<()> {
        let shown = &places[..places.len().min(PLACES)];
        let names: Vec<_> = shown.iter().map(address).collect();
        let widest = names.iter().map(|name| name.chars().count()).filter(|&n| n <= PLACE_COLUMNS).max().unwrap_or(0);
        let mut excerpt = "";
        for (seen, name) in shown.iter().zip(&names) {
            let pad = " ".repeat(widest.saturating_sub(name.chars().count()));
            match history(seen) {
                history if history.is_empty() => self.labelled(label, name, out)?,
                history => self.labelled(label, &format!("{name}{pad}  {}", self.paint.quiet(&history)), out)?,
            }
            if !seen.excerpt.is_empty() && seen.excerpt != excerpt {
                excerpt = &seen.excerpt;
                self.labelled("", &format!("{} {}", self.paint.quiet("│"), terminal(excerpt.trim())), out)?;
            }
        }
        let more = (places.len() - shown.len()) as u64;
        if more > 0 {
            let text = format!("and {} (all of them: --format jsonl)", count(more, "more place", "more places"));
            self.labelled("", &text, out)?;
        }
        Ok(())
    }

    /// A sentence of ours, wrapped.
    pub(super) fn sentence(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.width.saturating_sub(MARGIN + 2);
        for (at, line) in wrapped(text, columns).into_iter().enumerate() {
            let hang = if at == 0 { "" } else { "   " };
            self.labelled(if at == 0 { label } else { "" }, &format!("{hang}{line}"), out)?;
        }
        Ok(())
    }

    /// Suppressed findings, one line each.
    pub(super) fn suppressed(&self, found: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.paint.quiet("suppressed"))?;
        for found in found {
            let place = found.places.first().map(address).unwrap_or_default();
            let accepted = found.suppressions.iter().find(|one| one.status == SuppressionStatus::Accepted);
            let why = accepted.map(reason).unwrap_or_default();
            let name = terminal(&found.rule.name);
            writeln!(out, "  {} {name}  {place}  {}", self.paint.quiet("-"), self.paint.quiet(&why))?;
        }
        writeln!(out)
    }
}

/// `path:line:column`, escaped; no line where there is none to open.
fn address(seen: &Sighting) -> String {
    let name = terminal_bytes(&place(&seen.place));
    let start = seen.region.start;
    match seen.place.provenance.part {
        Part::PathName | Part::RefName => name,
        _ => format!("{name}:{}:{}", start.line, start.column),
    }
}

/// How alive a place is and since when: `default tip, since 0123456789ab 2024-03-09`.
fn history(seen: &Sighting) -> String {
    let place = &seen.place;
    let mut out = String::new();
    if place.state != State::Present {
        out.push_str(place.state.word());
    }
    if let Some(first) = &place.first {
        let date = day(first.author_time).map(|day| format!(" {day}")).unwrap_or_default();
        out.push_str(&format!(", since {}{date}", terminal(short(first))));
    }
    if let (State::HistoryOnly | State::Unreachable, Some(last)) = (place.state, &place.last)
        && place.first.as_ref().is_none_or(|first| first.id != last.id)
    {
        out.push_str(&format!(", last in {}", terminal(short(last))));
    }
    if let (Part::Content, Some(reference)) = (place.provenance.part, &place.reference) {
        out.push_str(&format!(", {}", terminal_bytes(reference)));
    }
    if let Some(object) = seen.object.as_ref().filter(|_| address(seen).contains(REDACTED)) {
        out.push_str(&format!(", object {}", terminal(object.get(..12).unwrap_or(object))));
    }
    if let Some(view) = &seen.view {
        out.push_str(&format!(", {}", terminal(view)));
    }
    if seen.occurrences > 1 {
        out.push_str(&format!(", {} times", grouped(seen.occurrences)));
        let lines: BTreeSet<u64> = seen.more.iter().map(|region| region.start.line).collect();
        let shown: Vec<String> = lines.iter().take(MOST_LINES).map(|line| grouped(*line)).collect();
        let rest = if lines.len() > MOST_LINES { ", …" } else { "" };
        out.push_str(&format!(" (also line {}{rest})", shown.join(", ")));
    }
    out.strip_prefix(", ").map(str::to_owned).unwrap_or(out)
}

/// A suppression that does not hold, and why it doesn't.
fn undecided(suppression: &Suppression) -> String {
    format!("{}: {}", standing(suppression), reason(suppression))
}

/// A suppression's reason and end.
fn reason(suppression: &Suppression) -> String {
    let until = suppression.until.as_deref().map(|until| format!(" (until {})", terminal(until))).unwrap_or_default();
    format!("{}{until}", terminal(&suppression.reason))
}

/// `text` broken between words into lines of at most `columns` characters; longer words stay whole.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_words_whole() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a verylongword b", 4), ["a", "verylongword", "b"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}

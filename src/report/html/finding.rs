//! One finding: a line that opens.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::filters::{confidence, state};
use super::{Entry, Page, charts, link, sentence};
use crate::finding::{Companion, Finding, Sighting};
use crate::place::{Part, State};
use crate::report::escape::{html, html_bytes};
use crate::report::links::Repository;
use crate::report::wording::{checked, count, day, grouped, opens, place, short, standing, timestamp};
use crate::secret::REDACTED;

/// Further lines of a place shown before "…"; all occurrences are counted.
const MOST_LINES: usize = 20;

/// Writes the finding with that number, 1-based.
pub(super) fn write(page: &Page<'_>, number: usize, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = entry.finding;
    let severity = finding.severity.word();
    writeln!(
        out,
        "<li id=\"finding-{number}\" class=\"{}\" data-severity=\"{severity}\" data-rule=\"{}\" data-root=\"{}\" \
         data-state=\"{}\" data-confidence=\"{}\">",
        if finding.is_open() { "counts" } else { "settled" },
        html(&finding.rule.id),
        entry.root,
        state(entry),
        confidence(entry),
    )?;
    let settled = if finding.is_open() { "" } else { ", suppressed" };
    writeln!(out, "<details>\n<summary><span class=\"badge {severity}\">{severity}</span>")?;
    writeln!(out, "<span class=\"name\">{} <code>{}</code></span>", html(&finding.rule.name), html(&finding.preview))?;
    writeln!(out, "<span class=\"turn\">{}%{settled}</span>", finding.confidence)?;
    writeln!(out, "<span class=\"where\">{}</span></summary>\n<div class=\"body\">", lead(page, entry))?;
    trail(entry, out)?;
    let repository = page.repositories[entry.root].as_ref();
    writeln!(out, "<h3>{}</h3>", count(finding.places.len() as u64, "place", "places"))?;
    places(&finding.places, finding, repository, out)?;
    if !finding.earlier.is_empty() {
        writeln!(out, "<h3>Before this change</h3>")?;
        places(&finding.earlier, finding, repository, out)?;
    }
    remedy(finding, out)?;
    writeln!(out, "<h3>Details</h3>")?;
    details(finding, out)?;
    writeln!(out, "</div>\n</details>\n</li>")
}

/// The closed finding's second line: where first, how many more, since when.
fn lead(page: &Page<'_>, entry: &Entry<'_>) -> String {
    let finding = entry.finding;
    let mut told = Vec::new();
    if page.names_roots() {
        told.push(html(&format!("{} {}", entry.scan.root.kind, entry.scan.root.name)));
    }
    told.extend(finding.places.first().map(|seen| format!("<code>{}</code>", address(seen))));
    let more = finding.places.len().saturating_sub(1) as u64;
    if more > 0 {
        told.push(count(more, "other place", "other places"));
    }
    match finding.state() {
        State::HistoryOnly => told.push("in the history only".to_owned()),
        State::Unreachable => told.push("in objects that no ref leads to".to_owned()),
        State::DefaultTip | State::Tip | State::Index | State::Present => {}
    }
    told.extend(charts::first_day(finding).map(|day| format!("since {day}")));
    told.join(" · ")
}

/// Where the secret lies, what it is, what it opens.
fn trail(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (finding, root) = (entry.finding, &entry.scan.root);
    writeln!(out, "<ol class=\"trail\" aria-label=\"Trail\">")?;
    writeln!(out, "<li>{} <strong>{}</strong> holds</li>", html(root.kind), html(&root.name))?;
    let parts = finding.companions.iter().filter(|one| one.rule.is_some());
    let parts: Vec<_> = parts.map(companion).collect();
    let with = if parts.is_empty() { String::new() } else { format!(" with {}", parts.join(", ")) };
    let (name, preview) = (html(&finding.rule.name), html(&finding.preview));
    match opens(&finding.target) {
        Some(opens) => {
            writeln!(out, "<li>{name} <code>{preview}</code>{with}, which opens</li>")?;
            writeln!(out, "<li><strong>{}</strong></li>", html(&opens))?;
        }
        None => {
            let kind = match finding.target.kind.as_str() {
                "" | "unknown" => "target: not known".to_owned(),
                kind => format!("target: {}", html(&kind.replace('-', " "))),
            };
            writeln!(out, "<li>{name} <code>{preview}</code>{with} <span class=\"quiet\">({kind})</span></li>")?;
        }
    }
    writeln!(out, "</ol>")
}

/// What belongs to a secret, escaped.
fn companion(one: &Companion) -> String {
    format!("{} <code>{}</code>", html(&one.word.replace('_', " ")), html(&one.value))
}

/// A list of places.
fn places(
    places: &[Sighting],
    finding: &Finding,
    repository: Option<&Repository>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<ul class=\"places\">")?;
    for seen in places {
        let address = format!("<code>{}</code>", address(seen));
        let url = repository.and_then(|repository| repository.page(seen));
        let address = url.map(|url| link(&url, &address)).unwrap_or(address);
        write!(out, "<li>{address} <span class=\"quiet\">{}</span>", html(&history(seen).join(", ")))?;
        if opens(&seen.target) != opens(&finding.target)
            && let Some(opens) = opens(&seen.target)
        {
            write!(out, "<br>opens {}", html(&opens))?;
        }
        if !seen.companions.is_empty() && seen.companions != finding.companions {
            let beside: Vec<_> = seen.companions.iter().map(companion).collect();
            write!(out, "<br>beside it: {}", beside.join(", "))?;
        }
        if !seen.excerpt.is_empty() {
            write!(out, "\n<pre>{}</pre>", html(seen.excerpt.trim()))?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul>")
}

/// `path:line:column`, escaped; no line where there is none to open.
fn address(seen: &Sighting) -> String {
    let name = html_bytes(&place(&seen.place));
    let start = seen.region.start;
    match seen.place.provenance.part {
        Part::PathName | Part::RefName => name,
        _ => format!("{name}:{}:{}", start.line, start.column),
    }
}

/// How alive a place is, since when, and what else is known of it; not escaped.
fn history(seen: &Sighting) -> Vec<String> {
    let place = &seen.place;
    let mut told = Vec::new();
    if place.state != State::Present {
        told.push(place.state.word().to_owned());
    }
    let dated = |commit: &crate::place::Commit| {
        let date = day(commit.author_time).map(|day| format!(" {day}")).unwrap_or_default();
        format!("{}{date}", short(commit))
    };
    told.extend(place.first.as_ref().map(|first| format!("first in {}", dated(first))));
    let last = place.last.as_ref().filter(|last| place.first.as_ref().is_none_or(|first| first.id != last.id));
    told.extend(last.map(|last| format!("last in {}", dated(last))));
    if let (Part::Content, Some(reference)) = (place.provenance.part, &place.reference) {
        told.push(String::from_utf8_lossy(reference).into_owned());
    }
    if seen.versions > 1 {
        told.push(count(seen.versions, "version", "versions"));
    }
    if seen.occurrences > 1 {
        let lines: BTreeSet<u64> = seen.more.iter().map(|region| region.start.line).collect();
        let shown: Vec<_> = lines.iter().take(MOST_LINES).map(|line| grouped(*line)).collect();
        let rest = if lines.len() > MOST_LINES { ", …" } else { "" };
        told.push(format!("{} times (also line {}{rest})", grouped(seen.occurrences), shown.join(", ")));
    }
    told.extend(seen.name.as_ref().map(|name| format!("under the name {name}")));
    told.extend(seen.view.as_ref().map(|view| format!("decoded from {view}")));
    // Where the name is masked, the object leads there.
    let masked = |bytes: &[u8]| memchr::memmem::find(bytes, REDACTED.as_bytes()).is_some();
    if masked(&crate::report::wording::place(place)) {
        told.extend(seen.object.as_ref().map(|object| format!("object {object}")));
    }
    if let Some(file) = &place.provenance.file {
        told.extend(file.modified.and_then(day).map(|day| format!("modified {day}")));
        told.extend(file.accessed.and_then(day).map(|day| format!("accessed {day}")));
        if file.mode != 0 {
            told.push(format!("mode {:o}", file.mode & 0o7777));
        }
        told.extend(file.uid.map(|uid| format!("owner {uid}")));
    }
    told
}

/// What to do.
fn remedy(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let remedy = &finding.remedy;
    writeln!(out, "<h3>What to do: {}</h3>", html(&remedy.title))?;
    if !remedy.steps.is_empty() {
        writeln!(out, "<ol class=\"steps\">")?;
        for step in remedy.steps.iter() {
            writeln!(out, "<li>{}</li>", html(step))?;
        }
        writeln!(out, "</ol>")?;
    }
    if !remedy.end_state.is_empty() {
        writeln!(out, "<p class=\"end\"><strong>Better still:</strong> {}</p>", html(&remedy.end_state))?;
    }
    Ok(())
}

/// What else is known, a name and a value each.
fn details(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    for suppression in &finding.suppressions {
        let until = suppression.until.as_ref().map(|until| format!(" (until {until})")).unwrap_or_default();
        let told = format!("{}: {}{until}", standing(suppression), suppression.reason);
        row("Suppression", html(&sentence(&told)));
    }
    if let Some(baseline) = finding.baseline {
        row("Baseline", baseline.word().to_owned());
    }
    let check = checked(finding.validity).unwrap_or("not checked; there is no check without using it");
    row("Validity", check.to_owned());
    row("Confidence", format!("{}% ({})", finding.confidence, finding.confidence_band().word()));
    for reason in &finding.reasons {
        row("", html(reason));
    }
    for (name, time) in [("Expires", finding.facts.expires), ("Created", finding.facts.created)] {
        if let Some(time) = time.and_then(timestamp) {
            row(name, format!("<time datetime=\"{time}\">{time}</time>"));
        }
    }
    for (name, value) in &finding.facts.named {
        row(&sentence(&name.replace(['-', '_'], " ")), html(value));
    }
    for one in &finding.companions {
        let by = one.rule.as_ref().map(|rule| format!(" <span class=\"quiet\">({})</span>", html(rule)));
        row("Beside it", format!("{}{}", companion(one), by.unwrap_or_default()));
    }
    if let Some(recommendation) = finding.recommendation {
        let key = recommendation.assessment_key;
        let key = key.map(|key| format!(" <span class=\"quiet\">{}</span>", html(key))).unwrap_or_default();
        row("Recommendation", format!("{}{key}", html(recommendation.name)));
    }
    row(
        "Type",
        format!(
            "{} <code>{}</code>, CWE-{}",
            html(&finding.rule.description),
            html(&finding.rule.id),
            finding.rule.cwe
        ),
    );
    if !finding.also.is_empty() {
        row("Also matched by", html(&finding.also.join(", ")));
    }
    row("Fingerprint", format!("<code>{}</code>", html(&finding.fingerprint)));
    writeln!(out, "<dl>")?;
    let mut last = String::new();
    for (name, value) in rows {
        // A name stands once before all its values.
        if !name.is_empty() && name != last {
            write!(out, "<dt>{}</dt>", html(&name))?;
            last = name;
        }
        writeln!(out, "<dd>{value}</dd>")?;
    }
    writeln!(out, "</dl>")
}

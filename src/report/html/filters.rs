//! What filters the findings: a form that the script shows, with only such choices as differ in this report.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::charts::SEVERITIES;
use super::{Entry, Page};
use crate::report::escape::html;
use crate::report::wording::{count, grouped};
use crate::rule::Confidence;

/// The word of an open or suppressed finding.
pub(super) fn state(entry: &Entry<'_>) -> &'static str {
    if entry.finding.is_open() { "open" } else { "suppressed" }
}

/// Writes the form, the live count and the buttons.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<form id=\"filters\" role=\"search\" aria-label=\"Filter the findings\" autocomplete=\"off\" data-script hidden>"
    )?;
    writeln!(out, "<label class=\"search\">Search <input type=\"search\" name=\"q\" spellcheck=\"false\"></label>")?;
    let words = |words: &[&'static str]| -> Vec<(String, String)> {
        words.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect()
    };
    let severities = words(&SEVERITIES.map(|severity| severity.word()));
    choice(page, "severity", "Severity", severities, |entry| entry.finding.severity.word().to_owned(), out)?;
    let rules: BTreeMap<_, _> = page
        .entries
        .iter()
        .map(|entry| &entry.finding.rule)
        .map(|rule| ((rule.name.to_string(), rule.id.to_string()), ()))
        .collect();
    let rules = rules.into_keys().map(|(name, id)| (id, name)).collect();
    choice(page, "rule", "Type", rules, |entry| entry.finding.rule.id.to_string(), out)?;
    let roots = page.report.scans.iter().enumerate();
    let roots = roots.map(|(at, scan)| (at.to_string(), format!("{} ({})", scan.root.name, scan.root.kind))).collect();
    choice(page, "root", "Repository or machine", roots, |entry| entry.root.to_string(), out)?;
    choice(page, "state", "State", words(&["open", "suppressed"]), |entry| state(entry).to_owned(), out)?;
    let bands = [Confidence::High, Confidence::Medium, Confidence::Low].map(Confidence::word);
    choice(page, "confidence", "Confidence", words(&bands), confidence, out)?;
    writeln!(out, "<button type=\"reset\">Clear</button>\n</form>\n<div class=\"shown\">")?;
    let all = count(page.entries.len() as u64, "finding", "findings");
    writeln!(out, "<p id=\"shown\" role=\"status\" aria-live=\"polite\">{all}</p>")?;
    writeln!(out, "<button type=\"button\" id=\"open\" data-script hidden>Open all</button>")?;
    writeln!(out, "<button type=\"button\" id=\"close\" data-script hidden>Close all</button>\n</div>")
}

/// The word of a finding's confidence.
pub(super) fn confidence(entry: &Entry<'_>) -> String {
    entry.finding.confidence_band().word().to_owned()
}

/// A choice among values and their labels, with how many findings each has; values that none has are left out.
fn choice(
    page: &Page<'_>,
    name: &str,
    title: &str,
    values: Vec<(String, String)>,
    of: impl Fn(&Entry<'_>) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for entry in &page.entries {
        *counts.entry(of(entry)).or_default() += 1;
    }
    writeln!(out, "<label>{title} <select name=\"{name}\">\n<option value=\"\">all</option>")?;
    for (value, label) in values {
        if let Some(&n) = counts.get(&value) {
            writeln!(out, "<option value=\"{}\">{} ({})</option>", html(&value), html(&label), grouped(n))?;
        }
    }
    writeln!(out, "</select></label>")
}

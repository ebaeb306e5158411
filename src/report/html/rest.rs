//! What stands after the findings: what was not read, what was left out, what was observed, notes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::wide;
use crate::finding::{Report, ScanReport};
use crate::report::escape::{html, html_bytes};
use crate::report::wording::{count, excluded, grouped};

/// Writes all of it.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let several = report.scans.len() > 1;
    unread(report, several, out)?;
    let left = report.scans.iter().flat_map(|scan| left_out(scan).into_iter().map(|line| lead(scan, several) + &line));
    list("left-out", "Left out", left.collect(), out)?;
    observed(report, several, out)?;
    let mut notes: Vec<_> =
        report.scans.iter().flat_map(|scan| &scan.notes).map(|note| format!("<li>{}</li>\n", html(note))).collect();
    notes.dedup();
    list("notes", "Notes", notes, out)
}

/// The root that a line is of, where there are several.
fn lead(scan: &ScanReport, several: bool) -> String {
    match several {
        true => format!("<li><span class=\"quiet\">{} {}:</span> ", html(scan.root.kind), html(&scan.root.name)),
        false => "<li>".to_owned(),
    }
}

/// A section with a list, if there is anything to list.
fn list(id: &str, heading: &str, items: Vec<String>, out: &mut dyn Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{heading}</h2>")?;
    writeln!(out, "<ul class=\"plain\">")?;
    for item in items {
        out.write_all(item.as_bytes())?;
    }
    writeln!(out, "</ul>\n</section>")
}

/// Everything that was not read.
fn unread(report: &Report, several: bool, out: &mut dyn Write) -> io::Result<()> {
    if !report.is_incomplete() {
        return Ok(());
    }
    writeln!(out, "<section id=\"unread\" aria-labelledby=\"unread-heading\">")?;
    writeln!(out, "<h2 id=\"unread-heading\">Not read</h2>")?;
    writeln!(out, "{}\n<table>\n<thead><tr>", wide("List of what was not read"))?;
    let root = if several { "<th scope=\"col\">Root</th>" } else { "" };
    writeln!(out, "<th scope=\"col\">What</th><th scope=\"col\">Why</th><th scope=\"col\">Detail</th>{root}")?;
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for scan in &report.scans {
        let root = if several {
            format!("<td>{} {}</td>", html(scan.root.kind), html(&scan.root.name))
        } else {
            String::new()
        };
        for one in &scan.unread {
            let object = one.object.as_ref().filter(|object| object.as_bytes() != one.what);
            let object = object.map(|object| format!("<br><code>{}</code>", html(object))).unwrap_or_default();
            writeln!(
                out,
                "<tr><th scope=\"row\"><code>{}</code>{object}</th><td>{}</td><td>{}</td>{root}</tr>",
                html_bytes(&one.what),
                one.kind.word().replace('-', " "),
                html(&one.detail)
            )?;
        }
    }
    writeln!(out, "</tbody>\n</table>\n</div>\n</section>")
}

/// What policy and filters left out and what was only listed, an item each but for its beginning.
fn left_out(scan: &ScanReport) -> Vec<String> {
    let mut items: Vec<_> = excluded(&scan.excluded).iter().map(|line| format!("{}</li>\n", html(line))).collect();
    for (by, why, n) in &scan.dropped {
        let line = format!("{} dropped by {by}: {why}", count(*n, "candidate", "candidates"));
        items.push(format!("{}</li>\n", html(&line)));
    }
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in &scan.listed {
        kinds.entry(&one.what).or_default().push(format!("<li><code>{}</code></li>\n", html_bytes(&one.path)));
    }
    for (what, names) in kinds {
        let n = grouped(names.len() as u64);
        let summary = format!("<details><summary>not entered: {n} {}</summary>", html(what));
        items.push(format!("{summary}<ul class=\"plain\">\n{}</ul></details></li>\n", names.concat()));
    }
    items
}

/// How many facts of each kind were observed.
fn observed(report: &Report, several: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut items = Vec::new();
    for scan in &report.scans {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for one in &scan.observations {
            *kinds.entry(&one.kind).or_default() += 1;
        }
        let kinds: Vec<_> =
            kinds.into_iter().map(|(kind, n)| format!("{} {}", grouped(n), html(&kind.replace('-', " ")))).collect();
        if !kinds.is_empty() {
            items.push(format!("{}{}</li>\n", lead(scan, several), kinds.join(", ")));
        }
    }
    list("observed", "Observed", items, out)
}

//! HTML: one page for people, whole in itself.
//!
//! In: a report. Out: a page with what the run amounts to, what was scanned, charts, every finding with its places,
//! trail and remedy, what was not read, what was left out. All of it can be read without scripts; the one script
//! filters what is there. Same report, same bytes: the page has no clock.
//!
//! Scanned data is hostile. It stands in text and quoted attributes alone, through [`html`]; the script gets it from
//! there and writes counts. The page's policy allows no network, no frame, no form, and of style and script only the
//! two texts beside this file, by their hashes; so there are no `style` or `on…` attributes. Links lead to the https
//! pages that [`links`](crate::report::links) makes.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, Report, ScanReport};
use crate::report::escape::html;
use crate::report::importance::ranked;
use crate::report::links::Repository;
use crate::report::wording::{Outcome, closing, count, grouped, size};
use crate::report::{Format, Style};

mod charts;
mod filters;
mod finding;
mod rest;

/// The style sheet: no `</style`, no tabs.
const STYLE: &str = include_str!("style.css");

/// The script: no `</script`, no `<!--`, no tabs.
const SCRIPT: &str = include_str!("script.js");

/// Three places joined by a line: the trail.
const MARK: &str = "<svg viewBox=\"0 0 68 20\" aria-hidden=\"true\" focusable=\"false\">\
    <rect x=\"8\" y=\"9\" width=\"48\" height=\"2\"/><circle cx=\"8\" cy=\"10\" r=\"5\"/>\
    <circle cx=\"32\" cy=\"10\" r=\"4\"/><circle cx=\"58\" cy=\"10\" r=\"8\"/></svg>";

/// The HTML format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn write(&self, report: &Report, _style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let page = Page::of(report);
        page.head(out)?;
        page.header(out)?;
        writeln!(out, "<main>")?;
        charts::write(&page, out)?;
        page.findings(out)?;
        rest::write(report, out)?;
        writeln!(out, "</main>\n<footer>")?;
        writeln!(
            out,
            "<p>keytrail {}. Secrets are masked. This page uses no network; links lead to code hosts.</p>",
            env!("CARGO_PKG_VERSION")
        )?;
        writeln!(out, "</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// A finding and where it is from.
#[derive(Clone, Copy)]
struct Entry<'r> {
    /// Which scan it is of, 0-based.
    root: usize,
    /// The scan.
    scan: &'r ScanReport,
    /// The finding.
    finding: &'r Finding,
}

/// What the parts of the page are written from.
struct Page<'r> {
    /// The report.
    report: &'r Report,
    /// Every finding: open ones first, most important first, then the suppressed ones as reported.
    entries: Vec<Entry<'r>>,
    /// The page of each scan's repository, if it has one.
    repositories: Vec<Option<Repository>>,
}

impl<'r> Page<'r> {
    /// Brings the findings of `report` into order.
    fn of(report: &'r Report) -> Self {
        let root = |scan: &ScanReport| report.scans.iter().position(|other| std::ptr::eq(other, scan));
        let entry = |scan, finding| Entry { root: root(scan).expect("a scan of this report"), scan, finding };
        let mut entries: Vec<_> = ranked(report).iter().map(|one| entry(one.scan, one.finding)).collect();
        for scan in &report.scans {
            let settled = scan.findings.iter().filter(|finding| !finding.is_open());
            entries.extend(settled.map(|finding| entry(scan, finding)));
        }
        let repositories = report.scans.iter().map(|scan| scan.root.repository.as_ref().and_then(Repository::of));
        Self { report, entries, repositories: repositories.collect() }
    }

    /// Whether findings and unread things must say which root they are of.
    fn names_roots(&self) -> bool {
        self.report.scans.len() > 1
    }

    /// Up to the beginning of the body.
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let (outcome, _) = closing(self.report);
        let of = match self.report.scans.as_slice() {
            [] => String::new(),
            [scan] => format!(" in {}", scan.root.name),
            scans => format!(" in {} roots", scans.len()),
        };
        writeln!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
             script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>keytrail: {}{}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            digest(STYLE),
            digest(SCRIPT),
            html(&self.statement(outcome)),
            html(&of),
        )
    }

    /// What the run amounts to, so that it can't be misread.
    fn statement(&self, outcome: Outcome) -> String {
        let open = self.report.open_findings() as u64;
        let unread: usize = self.report.scans.iter().map(|scan| scan.unread.len()).sum();
        let found = match open {
            0 => "no findings".to_owned(),
            n => count(n, "finding", "findings"),
        };
        match outcome {
            Outcome::Incomplete => {
                format!("Incomplete: {} not read, {found} so far", count(unread as u64, "thing", "things"))
            }
            Outcome::Nothing => "Nothing was scanned".to_owned(),
            Outcome::Findings => found,
            Outcome::Clean => "Clean: no findings, nothing unread".to_owned(),
        }
    }

    /// What the run amounts to and what was scanned.
    fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        let (outcome, closing) = closing(self.report);
        let (class, advice) = match outcome {
            Outcome::Incomplete => (
                "incomplete",
                " Secrets may lie in <a href=\"#unread\">what was not read</a>: this is no clean result, whatever was found.",
            ),
            Outcome::Nothing => ("nothing", " This says nothing about secrets: check what was asked for."),
            Outcome::Findings => ("findings", " Each may still work: keytrail never tries one."),
            Outcome::Clean => ("clean", ""),
        };
        let left_out = match self.report.scans.iter().any(|scan| scan.excluded.iter().any(|(_, n)| *n > 0)) {
            true => " Some things were <a href=\"#left-out\">left out</a> by the settings.",
            false => "",
        };
        let skip = if self.entries.is_empty() { ("scanned", "what was scanned") } else { ("findings", "the findings") };
        writeln!(out, "<a class=\"skip\" href=\"#{}\">Skip to {}</a>\n<header>", skip.0, skip.1)?;
        writeln!(out, "<p class=\"brand\">{MARK} keytrail</p>\n<div class=\"outcome {class}\">")?;
        writeln!(out, "<h1>{}</h1>", html(&self.statement(outcome)))?;
        writeln!(out, "<p>{}.{advice}{left_out}</p>\n</div>", html(&sentence(&closing)))?;
        self.scanned(out)?;
        writeln!(out, "</header>")
    }

    /// The table of roots.
    fn scanned(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.report.scans.is_empty() {
            return Ok(());
        }
        writeln!(out, "<h2 id=\"scanned\">What was scanned</h2>")?;
        writeln!(out, "{}\n<table>\n<thead><tr>", wide("What was scanned"))?;
        for heading in ["Root", "Scan"] {
            writeln!(out, "<th scope=\"col\">{heading}</th>")?;
        }
        for heading in ["Open", "Suppressed", "Not read", "Contents"] {
            writeln!(out, "<th scope=\"col\" class=\"number\">{heading}</th>")?;
        }
        writeln!(out, "<th scope=\"col\">Details</th></tr></thead>\n<tbody>")?;
        for (scan, repository) in self.report.scans.iter().zip(&self.repositories) {
            let name = html(&scan.root.name);
            let name = repository.as_ref().map(|page| link(page.url(), &name)).unwrap_or(name);
            let open = scan.findings.iter().filter(|finding| finding.is_open()).count();
            write!(out, "<tr><th scope=\"row\">{name}</th><td>{}</td>", html(scan.root.kind))?;
            for number in [open, scan.findings.len() - open, scan.unread.len()] {
                write!(out, "<td class=\"number\">{}</td>", grouped(number as u64))?;
            }
            write!(out, "<td class=\"number\">{}</td>", grouped(scan.contents))?;
            writeln!(out, "<td>{}</td></tr>", html(&details(scan).join(", ")))?;
        }
        writeln!(out, "</tbody>\n</table>\n</div>")
    }

    /// The findings and what filters them.
    fn findings(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<section id=\"findings\" aria-labelledby=\"findings-heading\" tabindex=\"-1\">")?;
        writeln!(out, "<h2 id=\"findings-heading\">Findings</h2>")?;
        if self.entries.is_empty() {
            writeln!(out, "<p>None.</p>")?;
        } else {
            filters::write(self, out)?;
            writeln!(out, "<ol class=\"list\" id=\"list\">")?;
            for (number, entry) in (1..).zip(&self.entries) {
                finding::write(self, number, entry, out)?;
            }
            writeln!(out, "</ol>")?;
        }
        writeln!(out, "</section>")
    }
}

/// What is known of a root, not escaped.
fn details(scan: &ScanReport) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(repository) = &scan.root.repository {
        told.extend(repository.branch.as_ref().map(|branch| format!("branch {branch}")));
        told.extend(repository.head.as_ref().map(|head| format!("at {}", head.get(..12).unwrap_or(head))));
        if repository.commits > 0 {
            told.push(count(repository.commits, "commit", "commits"));
        }
    }
    if let Some(machine) = &scan.root.machine {
        told.extend(machine.hostname.as_ref().map(|name| format!("host {name}")));
        told.extend(machine.os.clone());
    }
    told.extend(scan.platform.map(|platform| format!("platform {}", platform.word())));
    told.push(size(scan.bytes));
    if scan.active_rules > 0 {
        told.push(count(scan.active_rules, "rule", "rules"));
    }
    if !scan.settings_from.is_empty() {
        told.push(format!("settings: {}", scan.settings_from));
    }
    told
}

/// A link to a code host around `label`, which is escaped already. What isn't https is no link.
fn link(url: &str, label: &str) -> String {
    if !url.starts_with("https://") {
        return label.to_owned();
    }
    format!("<a href=\"{}\" rel=\"noopener noreferrer\">{label}</a>", html(url))
}

/// The beginning of a part that is scrolled sideways where the page is narrow, also by keyboard.
fn wide(label: &str) -> String {
    format!("<div class=\"wide\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">")
}

/// `text` with a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The hash by which a policy allows an inline text, base64 (Content Security Policy Level 3, section 6.7.3.3).
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_a_link() {
        assert_eq!(link("https://a/\"x", "b"), "<a href=\"https://a/&quot;x\" rel=\"noopener noreferrer\">b</a>");
        for url in ["javascript:alert(1)", "http://a", "data:text/html,x", "//a", " https://a"] {
            assert_eq!(link(url, "b"), "b");
        }
    }

    #[test]
    fn nothing_ends_the_inline_texts_early() {
        for text in [STYLE, SCRIPT] {
            let lower = text.to_lowercase();
            for end in ["</", "<!--", "\t", "\r", "@import", "url("] {
                assert!(!lower.contains(end), "{end}");
            }
        }
    }
}

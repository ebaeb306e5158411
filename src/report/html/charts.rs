//! The overview: open findings by severity, recommendation, type, root and age.
//!
//! Each chart is a table with a bar of SVG in every row, so that its labels wrap on narrow screens and who can't see
//! bars reads numbers. Bars are split by severity; the widths are whole numbers, so the same everywhere.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Page;
use crate::finding::Finding;
use crate::report::escape::{html, percent, terminal};
use crate::report::wording::{count, day, grouped};
use crate::rule::Severity;

/// Bars of a chart before the rest is one.
const MOST_BARS: usize = 10;

/// Width of the longest bar in units of its SVG.
const WIDEST: u64 = 1000;

/// Least width of what is not nothing, in the same units.
const LEAST: u64 = 8;

/// Severities, worst first.
pub(super) const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// Findings of each severity, in the order of [`SEVERITIES`].
type Counts = [u64; 4];

/// A row of a chart.
struct Bar {
    /// What it counts, not escaped.
    label: String,
    /// The filter that shows these, as `name=value`, percent-encoded.
    filter: Option<String>,
    /// How many.
    counts: Counts,
}

/// Writes the overview.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    if page.report.open_findings() == 0 {
        return Ok(());
    }
    writeln!(out, "<section id=\"overview\" aria-labelledby=\"overview-heading\">")?;
    writeln!(out, "<h2 id=\"overview-heading\">Overview of open findings</h2>\n<ul class=\"key\">")?;
    for severity in SEVERITIES.map(Severity::word) {
        writeln!(
            out,
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"{severity}\" \
             width=\"10\" height=\"10\"/></svg>{severity}</li>"
        )?;
    }
    writeln!(out, "</ul>\n<div class=\"charts\">")?;
    let severities = grouped_by(page, |_, finding| {
        let at = SEVERITIES.iter().position(|one| *one == finding.severity).unwrap_or_default();
        (at, finding.severity.word().to_owned(), Some(format!("severity={}", finding.severity.word())))
    });
    chart("By severity", severities, out)?;
    let recommendations = grouped_by(page, |_, finding| {
        let name = finding.recommendation.map_or("none: host or cloud not known", |one| one.name);
        (name.to_owned(), name.to_owned(), None)
    });
    chart("By recommendation", largest(recommendations), out)?;
    let types = grouped_by(page, |_, finding| {
        let rule = &finding.rule;
        (rule.id.to_string(), rule.name.to_string(), Some(format!("rule={}", percent(terminal(&rule.id).as_bytes()))))
    });
    chart("By type", largest(types), out)?;
    let roots = grouped_by(page, |root, _| {
        let facts = &page.report.scans[root].root;
        let filter = page.names_roots().then(|| format!("root={root}"));
        (root, format!("{} ({})", facts.name, facts.kind), filter)
    });
    chart("By repository or machine", largest(roots), out)?;
    chart(
        "By year of the first commit",
        oldest(grouped_by(page, |_, finding| {
            let year = first_day(finding).map(|day| day[..4].to_owned());
            (year.clone().unwrap_or_default(), year.unwrap_or_else(|| "not committed".to_owned()), None)
        })),
        out,
    )?;
    writeln!(out, "</div>\n</section>")
}

/// The day of the first commit that holds a secret.
pub(super) fn first_day(finding: &Finding) -> Option<String> {
    let commits = finding.places.iter().filter_map(|seen| seen.place.first.as_ref());
    commits.map(|commit| commit.author_time).min().and_then(day)
}

/// Open findings by what `of` says of a root and a finding: a key to order and group by, a label, a filter.
fn grouped_by<K: Ord>(page: &Page<'_>, of: impl Fn(usize, &Finding) -> (K, String, Option<String>)) -> Vec<Bar> {
    let mut bars = BTreeMap::new();
    for entry in page.entries.iter().filter(|entry| entry.finding.is_open()) {
        let (key, label, filter) = of(entry.root, entry.finding);
        let bar = bars.entry(key).or_insert_with(|| Bar { label, filter, counts: Counts::default() });
        for (count, severity) in bar.counts.iter_mut().zip(SEVERITIES) {
            *count += u64::from(severity == entry.finding.severity);
        }
    }
    bars.into_values().collect()
}

/// The longest bars first, and one for all that are too many.
fn largest(mut bars: Vec<Bar>) -> Vec<Bar> {
    bars.sort_by_key(|bar| std::cmp::Reverse(bar.counts.iter().sum::<u64>()));
    if bars.len() > MOST_BARS {
        let rest = bars.split_off(MOST_BARS - 1);
        bars.push(folded(&rest, &count(rest.len() as u64, "other", "others")));
    }
    bars
}

/// Years in order, the early ones in one bar where there are too many. What has no year is first and stays apart.
fn oldest(mut bars: Vec<Bar>) -> Vec<Bar> {
    let undated = usize::from(bars.first().is_some_and(|bar| bar.label == "not committed"));
    if bars.len() > MOST_BARS + undated {
        let late = bars.split_off(bars.len() + 1 - MOST_BARS);
        let early = bars.split_off(undated);
        let label = early.last().map(|bar| format!("{} and before", bar.label)).unwrap_or_default();
        bars.push(folded(&early, &label));
        bars.extend(late);
    }
    bars
}

/// One bar for several.
fn folded(bars: &[Bar], label: &str) -> Bar {
    let mut counts = Counts::default();
    for bar in bars {
        for (sum, one) in counts.iter_mut().zip(bar.counts) {
            *sum += one;
        }
    }
    Bar { label: label.to_owned(), filter: None, counts }
}

/// Writes a chart.
fn chart(title: &str, bars: Vec<Bar>, out: &mut dyn Write) -> io::Result<()> {
    let most = bars.iter().map(|bar| bar.counts.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    writeln!(out, "<table>\n<caption>{title}</caption>")?;
    writeln!(out, "<colgroup><col class=\"label\"><col><col class=\"number\"></colgroup>")?;
    writeln!(out, "<thead><tr><th scope=\"col\">Group</th><th scope=\"col\">Share</th>")?;
    writeln!(out, "<th scope=\"col\">Findings</th></tr></thead>\n<tbody>")?;
    for bar in &bars {
        let label = html(&bar.label);
        let label = match &bar.filter {
            Some(filter) => format!("<a href=\"#{}\">{label}</a>", html(&format!("state=open&{filter}"))),
            None => label,
        };
        let total = grouped(bar.counts.iter().sum());
        let told = told(&bar.counts);
        write!(
            out,
            "<tr><th scope=\"row\">{label}</th><td><svg viewBox=\"0 0 1040 10\" preserveAspectRatio=\"none\" "
        )?;
        write!(out, "role=\"img\" aria-label=\"{told}\"><title>{told}</title>")?;
        let mut x = 0;
        for (&n, severity) in bar.counts.iter().zip(SEVERITIES).filter(|(n, _)| **n > 0) {
            let width = (n * WIDEST / most).max(LEAST);
            let class = severity.word();
            write!(out, "<rect class=\"{class}\" x=\"{x}\" width=\"{width}\" height=\"10\"/>")?;
            x += width;
        }
        writeln!(out, "</svg></td><td class=\"number\">{total}</td></tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

/// `1 critical, 3 high`.
fn told(counts: &Counts) -> String {
    let parts = counts.iter().zip(SEVERITIES).filter(|(n, _)| **n > 0);
    parts.map(|(n, severity)| format!("{} {}", grouped(*n), severity.word())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar for each label, counting as many as its place in the list.
    fn bars(labels: impl IntoIterator<Item = String>) -> Vec<Bar> {
        let bar = |(n, label)| Bar { label, filter: None, counts: [0, n, 0, 1] };
        (1..).zip(labels).map(bar).collect()
    }

    #[test]
    fn charts_stay_short_and_count_everything() {
        let sum = |bars: &[Bar]| bars.iter().flat_map(|bar| bar.counts).sum::<u64>();
        let many = || bars((0..30).map(|n| n.to_string()));
        let kept = largest(many());
        assert_eq!((kept.len(), sum(&kept)), (MOST_BARS, sum(&many())));
        assert_eq!((kept[0].label.as_str(), kept[9].label.as_str()), ("29", "21 others"));
        let years =
            || bars(std::iter::once("not committed".to_owned()).chain((2000..2026).map(|year| year.to_string())));
        let kept = oldest(years());
        assert_eq!(sum(&kept), sum(&years()));
        let labels: Vec<_> = kept.iter().map(|bar| bar.label.as_str()).collect();
        assert_eq!(labels[..3], ["not committed", "2016 and before", "2017"]);
        assert_eq!(labels.last(), Some(&"2025"));
        assert_eq!(oldest(bars(["2025".to_owned(), "2026".to_owned()])).len(), 2);
    }
}

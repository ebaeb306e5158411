//! `keytrail explain FILE:LINE`: every candidate that touches a line, what each check said of it, and why it is or
//! isn't reported. In: the file, the settings a scan would have. Values are masked.

use std::fmt::{self, Write as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::own::Own;
use super::reported;
use crate::cli::error::{plain, printable};
use crate::cli::{Asked, CliError, Request, Spot};
use crate::engine::Engine;
use crate::engine::explain::{Miss, Stage, Step, Told};
use crate::finding::dedup::preview;
use crate::finding::fingerprint::{self, Standing, fingerprint};
use crate::finding::mask::{self, Masker};
use crate::finding::suppress;
use crate::location::{Locator, Position, Region, Span, advance};
use crate::policy::{Allowed, Policy};
use crate::rule::Confidence;
use crate::scan::{Conductor, Markers};
use crate::secret::Secret;
use crate::view::View;

/// Largest file that is explained, bytes: what a scan reads in one piece.
const MOST_BYTES: u64 = 64 << 20;

/// How much of the line is shown, in bytes.
const SHOWN: usize = 300;

/// Keywords without a match that are listed.
const MOST_MISSES: usize = 40;

/// Where the file is, as scans of what holds it see it.
#[derive(Debug)]
struct Standpoint {
    /// Path below the root, `/`-separated.
    path: Vec<u8>,
    /// What policy says of it there.
    allowed: Allowed,
}

/// Reads the settings of a scan and explains a line, or the lines of a finding that a report tells.
///
/// # Errors
/// Settings, report or file can't be read, or the file has no such line. What a report tells may have gone since: that is
/// said, and no error.
pub(super) fn run(asked: &Asked, request: Request) -> Result<String, CliError> {
    let (mut out, spots) = match asked {
        Asked::Spot(spot) => (String::new(), vec![spot.clone()]),
        Asked::Reported { fingerprint, report } => {
            let reported::Reported { text, spots } = reported::find(report, fingerprint)?;
            (text, spots)
        }
    };
    let paths: Vec<PathBuf> = spots.iter().map(|spot| spot.path.clone()).collect();
    let own = Own::of(&paths);
    let settings = request.resolve(&mut own.resolver())?;
    let mut conductor = super::conductor(&settings, super::active(&settings)?.rules, Instant::now())?;
    let is_heard = settings.inline_allow && own.is_somebody();
    conductor.markers = if is_heard { Markers::Heard } else { Markers::Ignored };
    for spot in &spots {
        let standpoint = Standpoint::of(spot, own.top(), &conductor.policy);
        match (text(spot, &conductor, &standpoint), asked) {
            (Ok(text), Asked::Spot(_)) => out.push_str(&text),
            (Ok(text), Asked::Reported { .. }) => out.push_str(&format!("\n{text}")),
            (Err(error), Asked::Spot(_)) => return Err(error),
            (Err(error), Asked::Reported { .. }) => out.push_str(&format!("\nnot here: {error}\n")),
        }
    }
    Ok(out)
}

impl Standpoint {
    /// That of a file, seen from `top` if it lies below, else from its own folder.
    fn of(spot: &Spot, top: Option<&Path>, policy: &Policy) -> Self {
        let absolute = |path: &Path| path.canonicalize().ok();
        let file = absolute(&spot.path);
        let root = top.and_then(absolute).filter(|top| file.as_ref().is_some_and(|file| file.starts_with(top)));
        let below = match (&file, &root) {
            (Some(file), Some(root)) => file.strip_prefix(root).unwrap_or(file),
            _ => Path::new(spot.path.file_name().unwrap_or_default()),
        };
        let names: Vec<Vec<u8>> = below.iter().map(|name| name.as_encoded_bytes().to_vec()).collect();
        let path = names.join(&b'/');
        let list = |folder: &[u8]| {
            let Some(root) = &root else { return Vec::new() };
            let entries = std::fs::read_dir(root.join(String::from_utf8_lossy(folder).as_ref()));
            let names = entries.into_iter().flatten().filter_map(Result::ok);
            names.map(|entry| entry.file_name().as_encoded_bytes().to_vec()).collect()
        };
        let allowed = policy.judge_path(&path, &mut { list });
        Self { path, allowed }
    }
}

/// Explains a line.
///
/// # Errors
/// The file can't be read, or has no such line.
fn text(spot: &Spot, conductor: &Conductor, standpoint: &Standpoint) -> Result<String, CliError> {
    let bytes = read(&spot.path)?;
    let (views, told) = conductor.engine.explain(&bytes);
    // A text in UTF-16 is opened as what it is.
    let opened = views.iter().position(|view| view.whole).map_or(0, |at| at + 1);
    let text = text_of(&bytes, &views, opened);
    let line = line_span(text, spot.line).ok_or_else(|| {
        let lines = 1 + memchr::memchr_iter(b'\n', text).count();
        CliError::new(format!("{}: there is no line {}, the file has {lines}", spot.path.display(), spot.line))
    })?;
    let secrets: Vec<Secret> = told.iter().map(|one| secret(&bytes, &views, one)).collect();
    let masker = Masker::new(secrets.iter().zip(&told).map(|(secret, one)| {
        let prefix = conductor.engine.rule(one.found.rule).public_prefix.as_ref();
        (secret, prefix)
    }));
    let page = Page { conductor, standpoint, bytes: &bytes, views: &views, opened, text, told: &told, masker };
    let mut out = String::new();
    page.write(spot, line, &mut out).expect("a String takes every write");
    Ok(out)
}

/// Reads the file.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |what: &str| CliError::new(format!("{}: {what}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(&plain(&error)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(&plain(&error)))?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(failed("larger than 64 MiB, which is more than can be explained")),
        false => Ok(bytes),
    }
}

/// The bytes of a line (1-based), without its break.
fn line_span(bytes: &[u8], line: u64) -> Option<Span> {
    let before = usize::try_from(line.checked_sub(1)?).ok()?;
    let start = match before.checked_sub(1) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', bytes).nth(nth)? + 1,
    };
    let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
    Some(Span::new(start, end))
}

/// The text that a candidate was searched in.
fn text_of<'t>(bytes: &'t [u8], views: &'t [View], view: usize) -> &'t [u8] {
    view.checked_sub(1).map_or(bytes, |view| views[view].text.as_slice())
}

/// A candidate's value.
fn secret(bytes: &[u8], views: &[View], one: &Told) -> Secret {
    let Span { start, end } = one.found.raw.secret;
    let text = text_of(bytes, views, one.found.view);
    Secret::new(one.found.raw.decoded.as_deref().unwrap_or(&text[start..end]))
}

/// What an explanation is made of.
struct Page<'p> {
    conductor: &'p Conductor,
    standpoint: &'p Standpoint,
    /// The file.
    bytes: &'p [u8],
    /// Decoded texts of it.
    views: &'p [View],
    /// Which of them a user opens, as in [`crate::engine::Match::view`].
    opened: usize,
    /// The text of that one.
    text: &'p [u8],
    told: &'p [Told],
    masker: Masker,
}

impl Page<'_> {
    /// Everything.
    fn write(&self, spot: &Spot, line: Span, out: &mut String) -> fmt::Result {
        let mut path = spot.path.display().to_string();
        self.masker.text(&mut path);
        mask::candidates_in_text(self.engine(), &mut path);
        let shown = Span::new(line.start, line.end.min(line.start + SHOWN));
        let excerpt = mask::masked(self.text, shown, &self.hidden());
        writeln!(out, "{}:{}", printable(&path), spot.line)?;
        writeln!(out, "  │ {}\n", printable(excerpt.trim_end()))?;
        let mut places = Places::default();
        let here: Vec<(&Told, Region)> = self
            .told
            .iter()
            .map(|one| (one, places.region(self, one)))
            .filter(|(_, region)| touches(region, spot))
            .collect();
        if here.is_empty() {
            writeln!(out, "no rule matches here\n")?;
        }
        for (one, region) in &here {
            self.candidate(one, *region, out)?;
        }
        self.misses(line, spot, out)?;
        let slow = self.engine().slow_rules();
        if !slow.is_empty() {
            let rules = slow.join(", ");
            writeln!(out, "searched over every byte, so that no keyword can be told: {}", printable(&rules))?;
        }
        Ok(())
    }

    fn engine(&self) -> &Engine {
        &self.conductor.engine
    }

    /// All of the text that no line may show.
    fn hidden(&self) -> Vec<Span> {
        let len = self.text.len();
        let inside = |span: Span| Span::new(span.start.min(len), span.end.min(len));
        let spans = self.told.iter().flat_map(|one| {
            one.found.raw.hidden().filter_map(|span| match (one.found.view, self.opened) {
                (view, opened) if view == opened => Some(span),
                (view, 0) => Some(inside(self.views[view - 1].in_blob(span))),
                _ => None,
            })
        });
        mask::merged(spans.collect())
    }

    /// One candidate.
    fn candidate(&self, one: &Told, region: Region, out: &mut String) -> fmt::Result {
        let rule = self.engine().rule(one.found.rule);
        let Region { start, end } = region;
        let columns = match start.line == end.line {
            true => format!("columns {} to {}", start.column, end.column),
            false => format!("line {} column {} to line {} column {}", start.line, start.column, end.line, end.column),
        };
        let view = one.found.view.checked_sub(1).map(|view| format!(", as {}", self.views[view].name));
        let value = secret(self.bytes, self.views, one);
        writeln!(
            out,
            "{}  {}\n  {:12}{columns}{}\n  {:12}{}",
            printable(&rule.id),
            printable(&rule.name),
            "matches",
            view.unwrap_or_default(),
            "value",
            printable(&preview(rule, &value))
        )?;
        let mut name = self.name(one);
        self.masker.text(&mut name);
        if !name.is_empty() {
            writeln!(out, "  {:12}{}", "assigned to", printable(&name))?;
        }
        for step in &one.steps {
            let kind = match step {
                Step::Structure { .. } => "check",
                Step::Filter { .. } | Step::Rated { .. } => "filter",
                Step::Terms { .. } => "rule file",
            };
            writeln!(out, "  {kind:12}{:14} {}", step.name(), printable(&step.said()))?;
        }
        let (own, now) = (rule.confidence.percent(), one.found.confidence);
        let changed = if own == now { String::new() } else { format!(", which the rule states as {own}%") };
        writeln!(out, "  {:12}{now}%{changed}", "confidence")?;
        for (nth, verdict) in self.verdict(one, &value).into_iter().enumerate() {
            writeln!(out, "  {:12}{}", if nth == 0 { "verdict" } else { "" }, printable(&verdict))?;
        }
        writeln!(out)
    }

    /// The name that a candidate is assigned to.
    fn name(&self, one: &Told) -> String {
        let text = text_of(self.bytes, self.views, one.found.view);
        let name = one.found.raw.companions.iter().find(|(word, _)| *word == "name");
        name.map(|(_, span)| String::from_utf8_lossy(&text[span.start..span.end]).into_owned()).unwrap_or_default()
    }

    /// Why it is or isn't reported, a sentence each.
    fn verdict(&self, one: &Told, value: &Secret) -> Vec<String> {
        if one.found.dropped {
            let by = one.steps.iter().find(|step| step.drops()).map_or("a filter", Step::name);
            return vec![format!("not reported: `{by}` says that it is no secret")];
        }
        if let Some(owner) = one.owner {
            let owner = &self.engine().rule(owner).id;
            return vec![format!("told beside `{owner}`, which matches the same bytes and is more specific or longer")];
        }
        let threshold = self.conductor.threshold;
        if one.found.confidence < threshold {
            let (now, least) = (Confidence::of(one.found.confidence).word(), Confidence::of(threshold).word());
            return vec![format!(
                "counted and not reported: its confidence is {now}, and {least} or {threshold}% is asked (--confidence {now})"
            )];
        }
        let mut against = self.against(one, value);
        if against.is_empty() {
            against.push("reported".to_owned());
        }
        let ids: Vec<&str> =
            std::iter::once(&one.found.rule).chain(&one.found.also).map(|&at| &*self.engine().rule(at).id).collect();
        let path = String::from_utf8_lossy(&self.standpoint.path);
        let baseline = self.conductor.decisions.baseline.as_ref();
        for entry in baseline.into_iter().flat_map(|baseline| baseline.known(value, &path, &ids)) {
            let holds =
                if entry.holds(self.conductor.now) { "accepted by the baseline" } else { "its acceptance has ended" };
            against.push(format!("{holds}: {}", entry.terms.reason));
        }
        against
    }

    /// What speaks against reporting a candidate here.
    fn against(&self, one: &Told, value: &Secret) -> Vec<String> {
        let mut against = Vec::new();
        let rule = self.engine().rule(one.found.rule);
        against.extend(self.conductor.place_terms(one.found.rule, &one.found.pending, &self.standpoint.path));
        match self.standpoint.allowed {
            Allowed::Yes => {}
            Allowed::Test => against.push(
                "not scanned with the folder: it lies in a test directory (--include-tests, or name the file itself)"
                    .into(),
            ),
            Allowed::Excluded => against.push("not reported: the exclude settings name its path".to_owned()),
        }
        let text = text_of(self.bytes, self.views, one.found.view);
        let rules = std::iter::once(&one.found.rule).chain(&one.found.also).map(|&at| &**self.engine().rule(at));
        if let Some(marker) = suppress::inline_marker(text, one.found.raw.whole, &rules.collect::<Vec<_>>()) {
            let hidden: Vec<Span> = self
                .told
                .iter()
                .filter(|it| it.found.view == one.found.view)
                .flat_map(|it| it.found.raw.hidden())
                .collect();
            let mut reason = marker.reason(text, &mask::merged(hidden));
            self.masker.text(&mut reason);
            let reason: String = reason.chars().take(suppress::LONGEST_REASON).collect();
            against.push(match self.conductor.markers {
                Markers::Ignored => format!("its inline marker is not heard: {reason}"),
                Markers::Heard | Markers::UnderReview => format!("suppressed by its inline marker: {reason}"),
            });
        }
        let name = self.name(one);
        let standing = Standing { path: &self.standpoint.path, name: &name, ordinal: 0 };
        let own = fingerprint(rule, value, self.conductor.key.as_ref(), standing);
        let is_certain = self.conductor.key.is_some() || fingerprint::is_unguessable(rule);
        for entry in &self.conductor.decisions.rules {
            let is_meant = |wanted: &String| is_certain && *wanted == own;
            let path = |glob: &globset::GlobSet| {
                glob.is_match_candidate(&globset::Candidate::from_bytes(&self.standpoint.path))
            };
            if entry.fingerprint.as_ref().is_none_or(is_meant)
                && entry.rule.as_ref().is_none_or(|wanted| *wanted == rule.id)
                && entry.value.as_ref().is_none_or(|wanted| wanted == value)
                && entry.path.as_ref().is_none_or(path)
            {
                let ended = entry.until.is_some_and(|until| self.conductor.now > until);
                let holds = if ended { "a suppression has ended" } else { "suppressed by the configuration" };
                against.push(format!("{holds}: {}: {}", entry.at, entry.reason));
            }
        }
        against
    }

    /// Keywords on the line that led to no match.
    fn misses(&self, line: Span, spot: &Spot, out: &mut String) -> fmt::Result {
        let mut locator = Locator::new(&self.text[line.start..line.end], Position::START);
        let hidden = self.hidden();
        let missed: Vec<(u64, Miss)> = self
            .engine()
            .missed(self.text, line)
            .into_iter()
            .map(|miss| (locator.position(miss.keyword.start - line.start, Position::START).column, miss))
            .filter(|(column, miss)| {
                let end = column + miss.keyword.len() as u64;
                spot.column.is_none_or(|at| (*column..end).contains(&at))
            })
            .collect();
        if missed.is_empty() {
            return Ok(());
        }
        writeln!(out, "keywords that led to no match")?;
        for (column, miss) in missed.iter().take(MOST_MISSES) {
            let word = mask::masked(self.text, miss.keyword, &hidden);
            let id = &self.engine().rule(miss.rule).id;
            let why = match miss.stage {
                Stage::Surroundings => "can't be a match by what stands around it",
                Stage::Pattern => "its pattern doesn't match around it",
            };
            writeln!(out, "  column {column:<5}`{}`  {}: {why}", printable(&word), printable(id))?;
        }
        match missed.len().saturating_sub(MOST_MISSES) {
            0 => writeln!(out),
            more => writeln!(out, "  and {more} more; name a column to see those there\n"),
        }
    }
}

/// Whether a region touches what was asked for.
fn touches(region: &Region, spot: &Spot) -> bool {
    let (start, end) = (region.start, region.end);
    let on_line = (start.line..=end.line).contains(&spot.line);
    on_line
        && spot.column.is_none_or(|column| {
            let at = Position { line: spot.line, column };
            start <= at && at < end
        })
}

/// Where candidates are, each text counted once as long as they come in order.
#[derive(Default)]
struct Places<'t> {
    locator: Option<(usize, Locator<'t>)>,
}

impl<'t> Places<'t> {
    /// Where all of a match is, in the text a user can open.
    fn region(&mut self, page: &Page<'t>, one: &Told) -> Region {
        let view = one.found.view;
        let decoded = view > 0 && page.views[view - 1].whole;
        let (text, span) = match view.checked_sub(1) {
            Some(at) if !decoded => (page.bytes, page.views[at].in_blob(one.found.raw.whole)),
            _ => (text_of(page.bytes, page.views, view), one.found.raw.whole),
        };
        if self.locator.as_ref().is_none_or(|(known, _)| *known != view) {
            self.locator = Some((view, Locator::new(text, Position::START)));
        }
        let (_, locator) = self.locator.as_mut().expect("it was set just now");
        let start = locator.position(span.start, Position::START);
        let end = advance(start, &text[span.start.min(text.len())..span.end.min(text.len())]);
        Region { start, end }
    }
}

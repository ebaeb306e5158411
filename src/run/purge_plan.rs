//! `keytrail purge-plan`: what a rewrite of the history needs, in a folder of its own: the values to replace, for git
//! filter-repo and BFG, and a checklist. The folder holds secrets in clear by its purpose; the checklist holds none.
//!
//! Source: git-filter-repo's manual, "Content editing filters" and "Input options for paths", version 2.47, read 2026-11.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::purge_check::{counted, has};
use super::{Env, Plan, Told, active, conductor, opening, print, reports};
use crate::blob::ObjectPart;
use crate::cli::error::{plain, printable};
use crate::cli::{CliError, Exit, PurgePlan, Request, Task, progress};
use crate::finding::fingerprint::Key;
use crate::finding::{Finding, ScanReport};
use crate::place::Part;
use crate::policy::Policy;
use crate::scan::Conductor;
use crate::scan::search::{Form, Needles, Sighted, WIDTHS, is_wrapped};
use crate::secret::Secret;
use crate::source::git::history::History;
use crate::source::git::repo::Repository;
use crate::source::{SourceError, threads};

mod checklist;

use checklist::Checklist;

/// What stands where a secret stood. BFG and git filter-repo write the same.
const REMOVED: &str = "***REMOVED***";

/// Shortest value that is replaced wherever its bytes stand, in bytes: shorter ones are parts of innocent words.
const SHORT: usize = 8;

/// Plans.
///
/// # Errors
/// What keeps it from being planned; no folder is there then.
pub(super) fn run(asked: &PurgePlan, request: Request, env: Env<'_>) -> Result<ExitCode, CliError> {
    let task = Task::History { repositories: vec![asked.repository.clone()], unreachable: false };
    let own = Plan::new(&task)?;
    let settings = request.resolve(&mut own.own.resolver())?;
    let mut conductor = conductor(&settings, active(&settings)?.rules, std::time::Instant::now())?;
    let wanted = wanted(asked)?;
    if wanted.is_some() {
        // What is named is found wherever it is.
        conductor.threshold = 1;
        conductor.policy = Policy::new(true, globset::GlobSet::empty(), false);
    } else {
        conductor.markers = own.markers(&settings);
    }
    check_folder(asked)?;
    threads::start(settings.jobs);
    let progress = progress::start(settings.progress, env);
    let told = Told(progress.as_ref());
    let key = settings.fingerprint_key.as_ref().map(|key| Key::new(key.expose()));
    let drafted = draft(asked, wanted.as_ref(), &conductor, key.as_ref(), &told);
    progress.done();
    let draft = drafted?;
    draft.write(&asked.output, &conductor)?;
    print(&draft.summary(&asked.output))?;
    Ok(Exit::of(0, draft.unread > 0).code(1))
}

/// The fingerprints that are named; `None` for all findings that count.
fn wanted(asked: &PurgePlan) -> Result<Option<BTreeSet<String>>, CliError> {
    let mut wanted: BTreeSet<String> = asked.fingerprints.iter().cloned().collect();
    if let Some(path) = &asked.report {
        let report = reports::read(path)?;
        let open = report.scans.iter().flat_map(|scan| &scan.findings).filter(|finding| finding.is_open());
        wanted.extend(open.map(|finding| finding.fingerprint.clone()));
        if wanted.is_empty() {
            return Err(CliError::new(format!(
                "{}: no finding in it counts, so there is nothing to purge",
                path.display()
            )));
        }
    }
    Ok((!wanted.is_empty()).then_some(wanted))
}

/// Checks that the folder can be made, and where it would lie.
fn check_folder(asked: &PurgePlan) -> Result<(), CliError> {
    let output = &asked.output;
    let failed = |what: &str| CliError::new(format!("--output {}: {what}", output.display()));
    if output.symlink_metadata().is_ok() {
        return Err(failed("there is something already: name a folder that isn't there yet"));
    }
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(|error| failed(&format!("the folder above it: {}", plain(&error))))?;
    let repository = Repository::open(&asked.repository, opening(&asked.repository))
        .map_err(|error| CliError::new(error.to_string()))?;
    let folders = [repository.work_dir(), Some(repository.git_dir()), Some(repository.common_dir())];
    let inside = folders.into_iter().flatten().filter_map(|folder| folder.canonicalize().ok());
    if !asked.force && inside.into_iter().any(|folder| parent.starts_with(folder)) {
        return Err(failed(
            "it lies in the repository, where secrets in clear may be committed again: name a folder outside (--force \
             if it is meant)",
        ));
    }
    Ok(())
}

/// One value to be purged.
struct Value {
    finding: Finding,
    /// Where it stands, byte for byte.
    sighted: Vec<Sighted>,
    /// Blobs that no replacing mends.
    whole: BTreeSet<String>,
}

impl Value {
    /// Whether replacing it would replace other things.
    fn is_short(&self) -> bool {
        self.finding.secret.len() < SHORT
    }
}

/// A plan before it is written.
struct Draft {
    /// In the order of the report.
    values: Vec<Value>,
    /// The files of secrets: name and bytes.
    files: Vec<(&'static str, Secret)>,
    /// Things that were not read.
    unread: usize,
}

/// Scans, and finds out what each value takes.
fn draft(
    asked: &PurgePlan,
    wanted: Option<&BTreeSet<String>>,
    conductor: &Conductor,
    key: Option<&Key>,
    told: &Told<'_>,
) -> Result<Draft, CliError> {
    let failed = |error: SourceError| CliError::new(error.to_string());
    let path = &asked.repository;
    let source = History::new(path.clone(), opening(path), conductor.policy.clone(), false);
    let ScanReport { findings, unread, .. } = conductor.scan(&source, told).map_err(failed)?;
    let is_wanted = |finding: &Finding| match wanted {
        Some(wanted) => wanted.iter().any(|name| has(finding, name, key)),
        None => finding.is_open(),
    };
    if let Some(wanted) = wanted {
        let met = |name: &&String| findings.iter().any(|finding| has(finding, name, key));
        let missing: Vec<&str> = wanted.iter().filter(|name| !met(name)).map(String::as_str).collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            return Err(CliError::new(format!(
                "the history has no finding of the fingerprint {names}: is it gone, or is a key needed (--fingerprint-key-file)?"
            )));
        }
    }
    let findings: Vec<Finding> = findings.into_iter().filter(is_wanted).collect();
    if findings.is_empty() {
        return Err(CliError::new("nothing is found in the history that counts, so there is nothing to purge"));
    }
    let secrets: Vec<Secret> = findings.iter().map(|finding| finding.secret.clone()).collect();
    let needles = Needles::new(&secrets);
    let everywhere =
        History::new(path.clone(), opening(path), Policy::new(true, globset::GlobSet::empty(), false), false);
    let searched = match &needles {
        Some(needles) => needles.search(&everywhere, told).map_err(failed)?,
        None => Default::default(),
    };
    let mut unread = unread;
    unread.extend(searched.unread);
    unread.sort();
    unread.dedup();
    let values: Vec<Value> = findings
        .into_iter()
        .enumerate()
        .map(|(number, finding)| {
            let sighted: Vec<Sighted> = searched.sighted.iter().filter(|one| one.value == number).cloned().collect();
            let whole = whole(&finding, &sighted);
            Value { finding, sighted, whole }
        })
        .collect();
    let files = files(&values, needles.as_ref());
    Ok(Draft { values, files, unread: unread.len() })
}

/// Blobs that have to go as a whole: binary ones, which filters leave alone, and those that no written form is found in.
fn whole(finding: &Finding, sighted: &[Sighted]) -> BTreeSet<String> {
    let is_blob = |one: &&Sighted| matches!(one.object, Some((ObjectPart::Blob, _)));
    let id = |one: &Sighted| one.object.as_ref().map(|(_, id)| id.clone());
    let binary = sighted.iter().filter(is_blob).filter(|one| one.is_binary || one.forms.contains(&Form::Utf16));
    let mut whole: BTreeSet<String> = binary.filter_map(id).collect();
    let found: BTreeSet<String> = sighted.iter().filter_map(id).collect();
    // Files that are the finding themselves, and values in views that no form of theirs tells of.
    let unfound = finding.places.iter().filter(|seen| matches!(seen.place.provenance.part, Part::Content | Part::Note));
    whole.extend(unfound.filter_map(|seen| seen.object.clone()).filter(|id| !found.contains(id)));
    whole
}

/// The files that hold secrets. Longer values come first, so that one which is a part of another doesn't break it.
fn files(values: &[Value], needles: Option<&Needles>) -> Vec<(&'static str, Secret)> {
    let (mut lines, mut short, mut paths) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (number, value) in values.iter().enumerate() {
        let secret = &value.finding.secret;
        if secret.is_empty() {
            continue;
        }
        let seen: BTreeSet<Form> = value.sighted.iter().flat_map(|one| one.forms.iter().copied()).collect();
        let written = needles.into_iter().flat_map(|needles| needles.forms(number));
        let written = written
            .filter(|(form, _)| seen.contains(form) && !matches!(form, Form::Plain | Form::Utf16 | Form::Wrapped));
        for bytes in written.map(|(_, bytes)| bytes).chain([secret]) {
            let list = if value.is_short() { &mut short } else { &mut lines };
            list.insert((std::cmp::Reverse(bytes.len()), replacement(bytes.expose())));
        }
        if is_wrapped(secret.expose(), WIDTHS[0]) {
            let line = format!("regex:{}==>{REMOVED}", over_lines(secret.expose())).into_bytes();
            lines.insert((std::cmp::Reverse(secret.len()), line));
        }
        if value.sighted.iter().any(|one| one.place.provenance.part == Part::PathName) {
            paths.insert((std::cmp::Reverse(secret.len()), rename(secret.expose())));
        }
    }
    let text = |lines: BTreeSet<(std::cmp::Reverse<usize>, Vec<u8>)>| -> Vec<u8> {
        lines.into_iter().flat_map(|(_, line)| [line, b"\n".to_vec()].concat()).collect()
    };
    let whole: BTreeSet<&String> = values.iter().flat_map(|value| &value.whole).collect();
    let ids: String = whole.into_iter().map(|id| format!("{id}\n")).collect();
    [
        (checklist::REPLACEMENTS, text(lines)),
        (checklist::SHORT_VALUES, text(short)),
        (checklist::PATHS, text(paths)),
        (checklist::BLOBS, ids.into_bytes()),
    ]
    .into_iter()
    .filter(|(_, bytes)| !bytes.is_empty())
    .map(|(name, bytes)| (name, Secret::new(bytes)))
    .collect()
}

/// A line of a replace-text file. A line ends a value, so one with line breaks is written as an expression.
fn replacement(value: &[u8]) -> Vec<u8> {
    let is_plain = value.iter().all(|&byte| byte != b'\n' && byte != b'\r');
    match is_plain {
        true => [b"literal:", value, b"==>", REMOVED.as_bytes()].concat(),
        false => format!("regex:{}==>{REMOVED}", expression(value)).into_bytes(),
    }
}

/// A line of a paths file that renames.
fn rename(value: &[u8]) -> Vec<u8> {
    format!("regex:{}==>REMOVED", expression(value)).into_bytes()
}

/// The expression that matches a value over several lines: where a line may end, anything may stand that indents, quotes or
/// escapes a line break.
fn over_lines(value: &[u8]) -> String {
    let ends = |at: usize| WIDTHS.iter().any(|width| at.is_multiple_of(*width));
    let mut out = String::new();
    for (at, byte) in value.iter().enumerate() {
        if at > 0 && ends(at) {
            out.push_str("(?:\\\\+[nr]|[\\s\"',])*");
        }
        out.push_str(&expression(&[*byte]));
    }
    out
}

/// The expression (Python's, over bytes) that matches these bytes alone; line breaks with or without a carriage return.
fn expression(value: &[u8]) -> String {
    let mut out = String::new();
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\n' => out.push_str("\\r?\\n"),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

impl Draft {
    /// Makes the folder and writes its files, readable by their owner alone.
    fn write(&self, folder: &Path, conductor: &Conductor) -> Result<(), CliError> {
        let failed = |error: std::io::Error| CliError::new(format!("--output {}: {}", folder.display(), plain(&error)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed)?;
        let checklist = Checklist { draft: self, folder, engine: &conductor.engine }.text();
        let checklist = (checklist::NAME, checklist.as_bytes());
        for (name, bytes) in self.files.iter().map(|(name, bytes)| (*name, bytes.expose())).chain([checklist]) {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(folder.join(name)).and_then(|mut file| file.write_all(bytes)).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether a file of that name is part of the plan.
    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(one, _)| *one == name)
    }

    /// What was done, for people.
    fn summary(&self, folder: &Path) -> String {
        let mut text = format!(
            "{}: a plan to purge {}\nIT HOLDS THE SECRETS IN CLEAR: keep it to yourself and delete it when the rewrite is \
             done.\nGo on with {}.\n",
            printable(&folder.display().to_string()),
            counted(self.values.len(), "secret"),
            printable(&folder.join(checklist::NAME).display().to_string()),
        );
        if self.unread > 0 {
            let things = counted(self.unread, "thing");
            text.push_str(&format!(
                "{things} could not be read, and the plan knows nothing of what is in them: `keytrail history` lists them\n"
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_line_breaks_are_expressions() {
        let shown = |value: &[u8]| String::from_utf8(replacement(value)).expect("it is text");
        assert_eq!(shown(b"a==>b c"), "literal:a==>b c==>***REMOVED***");
        assert_eq!(shown(b"a.b\r\nc+\n"), "regex:a\\x2eb\\r?\\nc\\x2b\\r?\\n==>***REMOVED***");
        assert!(over_lines(&[b'a'; 65]).starts_with(&"a".repeat(64)) && over_lines(&[b'a'; 65]).ends_with("*a"));
        assert_eq!(shown(b"a\rb"), "regex:a\\x0db==>***REMOVED***");
    }
}

//! `keytrail baseline import`: other tools name findings by position or by hashes of their own; here the values they mean
//! are looked up where they say, so that our entries are by content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use sha2::Digest as _;

use super::foreign::{self, Named, What};
use super::{File, Scan, accepted, list, salt, summary};
use crate::blob::{Blob, ContentId};
use crate::cli::settings::read_file;
use crate::cli::task::Terms;
use crate::cli::{CliError, Exit};
use crate::engine::Engine;
use crate::finding::baseline::{Baseline, Entry};
use crate::finding::hit::{Hit, Wanted, hits};
use crate::finding::mask;
use crate::run::own::Own;
use crate::run::print;
use crate::secret::Secret;

/// Imports `theirs` into the baseline.
///
/// # Errors
/// It can't be read, or is in no format that can be honoured exactly.
pub(super) fn run(file: &File, theirs: &Path, terms: Terms, scan: Scan<'_>, own: &Own) -> Result<ExitCode, CliError> {
    let name = theirs.display().to_string();
    let listed = foreign::read(&read_file(theirs)?, &name).map_err(CliError::new)?;
    let mut terms = accepted(terms)?;
    if terms.reason.is_empty() {
        terms.reason = format!("imported from {}", theirs.file_name().unwrap_or_default().to_string_lossy());
    }
    let is_new = !file.path.exists();
    let mut baseline = match file.read()? {
        Some(there) => there.salted(salt()?),
        None => Baseline::new(&file.name, salt()?),
    };
    let before = baseline.entries().len();
    let (elsewhere, placed): (Vec<Named>, Vec<Named>) =
        listed.named.into_iter().partition(|named| matches!(named.what, What::Sha256(_) | What::Value(_)));
    let mut left_out = listed.left_out;
    let mut found: Vec<Found> = Vec::new();
    let engine = if elsewhere.is_empty() {
        scan.prepare()?.3.engine
    } else {
        let scanned = scan.go()?;
        let known: Vec<(&Secret, usize, String)> = scanned
            .findings()
            .filter_map(|finding| {
                let rule = scanned.conductor.engine.rules().position(|rule| rule.id == finding.rule.id)?;
                Some((&finding.secret, rule, super::place_of(finding)))
            })
            .collect();
        for named in elsewhere {
            let is_meant = |secret: &Secret| match &named.what {
                What::Value(value) => value == secret,
                What::Sha256(digest) => *digest == hex(&sha2::Sha256::digest(secret.expose())),
                What::Position { .. } | What::Sha1 { .. } => false,
            };
            let one = known.iter().find(|(secret, ..)| is_meant(secret));
            match one {
                Some((secret, rule, path)) => {
                    found.push(Found { secret: (*secret).clone(), rule: *rule, path: path.clone() });
                }
                None => left_out.push(format!("{}: nothing that is found here has that value", named.at)),
            }
        }
        scanned.conductor.engine
    };
    let mut texts = Texts { own, engine: &engine, read: BTreeMap::new() };
    for named in placed {
        match texts.resolve(&named.what) {
            Ok(more) => found.extend(more),
            Err(why) => left_out.push(format!("{}: {why}", named.at)),
        }
    }
    let unique: BTreeMap<Secret, Found> = found.into_iter().map(|one| (one.secret.clone(), one)).collect();
    for one in unique.values() {
        let rule = engine.rule(one.rule);
        let mut path = one.path.clone();
        // A name can hold a secret too.
        mask::candidates_in_text(&engine, &mut path);
        let hash = baseline.hash(&one.secret, Some(rule));
        baseline.add(Entry::new(path, &rule.id, hash, &terms));
    }
    file.write(&baseline)?;
    let mut told = String::new();
    list(&mut told, "not imported", &left_out);
    let what = format!("{} accepted from {name}", baseline.entries().len() - before);
    print(&format!("{}\n{told}", summary(file, &baseline, &what, is_new)))?;
    Ok(if left_out.is_empty() { ExitCode::SUCCESS } else { Exit::Incomplete.code(1) })
}

/// A secret that an entry means.
struct Found {
    secret: Secret,
    /// Index into the engine's rules.
    rule: usize,
    path: String,
}

/// Contents that entries name, scanned once each.
struct Texts<'t> {
    own: &'t Own,
    engine: &'t Engine,
    read: BTreeMap<Source, Option<Arc<Vec<Hit>>>>,
}

/// A content: the commit, in hex, or what stands now; and the path.
type Source = (Option<String>, String);

impl Texts<'_> {
    /// The secrets that an entry means, or why there are none.
    fn resolve(&mut self, what: &What) -> Result<Vec<Found>, String> {
        let (commit, file) = match what {
            What::Position { commit, file, .. } => (commit.clone(), file.clone()),
            What::Sha1 { file, .. } => (None, file.clone()),
            What::Sha256(_) | What::Value(_) => return Err("it names no place".to_owned()),
        };
        let hits = self.hits(commit.clone(), &file).ok_or_else(|| match commit {
            Some(commit) => format!("{file} can't be read at {}", commit.get(..12).unwrap_or(&commit)),
            None => format!("{file} is neither in the work tree nor in HEAD"),
        })?;
        let meant: Vec<&Hit> = match what {
            What::Position { rule, line, value, .. } => self.at(&hits, rule, *line, value.as_ref())?,
            What::Sha1 { digest, .. } => {
                let is_meant = |hit: &&Hit| hex(&sha1::Sha1::digest(hit.secret.expose())) == *digest;
                hits.iter().filter(is_meant).collect()
            }
            What::Sha256(_) | What::Value(_) => Vec::new(),
        };
        if meant.is_empty() {
            return Err(format!("keytrail finds no such secret in {file}"));
        }
        Ok(meant
            .into_iter()
            .map(|hit| Found { secret: hit.secret.clone(), rule: hit.rule, path: file.clone() })
            .collect())
    }

    /// What is found in a content; `None` when it can't be read.
    fn hits(&mut self, commit: Option<String>, file: &str) -> Option<Arc<Vec<Hit>>> {
        let Self { own, engine, read } = self;
        let key = (commit, file.to_owned());
        let scan = |(commit, file): &Source| {
            let bytes = match commit {
                Some(commit) => own.read_commit(commit, file),
                None => own.read_standing(file),
            };
            let bytes = bytes?;
            let blob = Blob::whole(ContentId::Serial(0), &bytes);
            Some(Arc::new(hits(engine, &blob, &engine.report(&bytes), Wanted::default(), |_| true)))
        };
        read.entry(key).or_insert_with_key(scan).clone()
    }

    /// The secrets on a line. A position hides whatever stands there; ours is by value, so that where it isn't clear which
    /// of several is meant, none is.
    fn at<'h>(&self, hits: &'h [Hit], rule: &str, line: u64, value: Option<&Secret>) -> Result<Vec<&'h Hit>, String> {
        if let Some(hit) = value.and_then(|value| hits.iter().find(|hit| hit.secret == *value)) {
            return Ok(vec![hit]);
        }
        let on_line = |hit: &&Hit| (hit.region.start.line..=hit.region.end.line).contains(&line);
        let there: Vec<&Hit> = hits.iter().filter(on_line).collect();
        let ids = |hit: &Hit| {
            let also = hit.also.iter().map(|&at| &self.engine.rule(at).id);
            also.chain([&self.engine.rule(hit.rule).id]).any(|id| id == rule)
        };
        let same: Vec<&Hit> = there.iter().copied().filter(|hit| ids(hit)).collect();
        let secrets: BTreeSet<&Secret> = there.iter().map(|hit| &hit.secret).collect();
        match (same.is_empty(), secrets.len()) {
            (false, _) => Ok(same),
            (true, 0) => Err(format!("keytrail finds no secret on line {line}")),
            (true, 1) => Ok(there),
            (true, n) => Err(format!(
                "{n} secrets stand on line {line}, and none is of a rule `{rule}`: `keytrail baseline update --only FINGERPRINT` accepts one"
            )),
        }
    }
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

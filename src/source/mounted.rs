//! The disk of a machine, mounted at a folder.
//!
//! In: the folder. Out: every file's bytes with what the file system says of it, the machine recognised from its own
//! files, and how access times fared. Nothing is written, no link is followed, access times stay as they are unless the
//! user allows otherwise: evidence is to be read, not touched.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::files::stable_name;
use super::folder::{AccessTimes, Folder, Manner};
use super::reader::{Care, Plan, Reader, Tally};
use super::stream::{OVERLAP, Sizes};
use super::tree::{Walk, repositories_note};
use super::{RootFacts, Source, SourceError, SourceErrorKind, Unread, UnreadKind, Visitor};
use crate::observe::Observation;
use crate::platform::machine::{ReadRoot, recognise};
use crate::platform::{Machine, Platform};
use crate::policy::Policy;

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountedOptions {
    /// Read what can't be read without moving its access time.
    pub may_touch_atime: bool,
    /// Leave out files of more than this many bytes.
    pub max_file_size: Option<u64>,
    /// Context, in bytes, on both sides of the windows of huge files: no less than the longest match of any rule.
    pub overlap: usize,
    /// The cloud as the user states it; wins over what the disk shows.
    pub platform: Option<Platform>,
}

impl Default for MountedOptions {
    fn default() -> Self {
        Self { may_touch_atime: false, max_file_size: None, overlap: OVERLAP, platform: None }
    }
}

/// A mounted disk.
#[derive(Debug)]
pub struct Mounted {
    /// Where, as the user spelled it.
    path: PathBuf,
    /// What to do.
    plan: Plan,
    /// The cloud as the user states it.
    platform: Option<Platform>,
    /// What was counted.
    tally: Tally,
    /// What the disk says of its machine, once walked.
    machine: OnceLock<Machine>,
}

impl Mounted {
    /// The source for the disk mounted at `path`. Nothing is opened yet.
    pub fn new(path: PathBuf, policy: &Policy, options: MountedOptions) -> Self {
        let MountedOptions { may_touch_atime, max_file_size, overlap, platform } = options;
        let policy = policy.for_machine_root(true);
        let care = Care::Disk { may_touch_atime };
        let plan = Plan { policy, max_file_size, sizes: Sizes::new(overlap), care };
        Self { path, plan, platform, tally: Tally::default(), machine: OnceLock::new() }
    }

    /// Walks the disk.
    fn walk_disk<V: Visitor>(&self, visitor: &V) -> io::Result<()> {
        if !std::fs::metadata(&self.path)?.is_dir() {
            let hint = "not a folder: mount the image and name the folder it is mounted at";
            return Err(io::Error::new(io::ErrorKind::NotADirectory, hint));
        }
        let root = Folder::open(&self.path, Manner::Plain)?;
        let times = root.mount()?.access_times;
        let walk = Walk::new(Reader { plan: &self.plan, visitor, tally: &self.tally }, &root);
        let mut machine = recognise(&Disk(&walk));
        machine.platform = self.platform.or(machine.platform);
        walk.run(self.plan.policy.enter_root(), None)?;
        self.report_links(visitor);
        visitor.note(self.access_times_note(times));
        if let Some(note) = repositories_note(&self.tally, "on this disk") {
            visitor.note(note);
        }
        visitor.observe(self.observation(&machine, times));
        // A second walk finds the same machine.
        let _ = self.machine.set(machine);
        Ok(())
    }

    /// One line for all links that were left alone: a disk has thousands of them.
    fn report_links<V: Visitor>(&self, visitor: &V) {
        let spared = self.tally.links_spared.load(Ordering::Relaxed);
        if spared > 0 {
            let detail = format!(
                "targets of symbolic links ({spared}): reading them would change their access times (no flag prevents \
                 that for links): mount the disk read-only or noatime, or allow it with --may-touch-atime"
            );
            visitor.unread(Unread::new(UnreadKind::AccessTime, "symbolic links", detail));
        }
    }

    /// What became of access times, for people.
    fn access_times_note(&self, times: AccessTimes) -> String {
        let mode = match times {
            AccessTimes::Unknown => "access time mode of the mount unknown".to_owned(),
            times => format!("mounted {}", times.word()),
        };
        let outcome = match (self.is_kept(), times.are_still()) {
            (true, true) => "access times unchanged",
            (true, false) => "read with O_NOATIME: access times unchanged",
            (false, _) => "access times may have changed on what was read without O_NOATIME",
        };
        format!("{mode}, {outcome}")
    }

    /// Whether nothing that was read can have had its access time moved by it.
    fn is_kept(&self) -> bool {
        self.tally.plain.load(Ordering::Relaxed) == 0 && self.tally.touched.load(Ordering::Relaxed) == 0
    }

    /// The machine and how it was read, for later rooms.
    fn observation(&self, machine: &Machine, times: AccessTimes) -> Observation {
        let kept = if self.is_kept() { "yes" } else { "no" };
        let mut values = vec![("access-times", times.word().to_owned()), ("access-times-kept", kept.to_owned())];
        if !machine.evidence.is_empty() {
            values.push(("evidence", machine.evidence.join(", ")));
        }
        let platform = machine.platform.map(|platform| platform.word().to_owned());
        let optional = [
            ("hostname", &machine.hostname),
            ("instance-id", &machine.instance_id),
            ("machine-id", &machine.machine_id),
            ("os", &machine.os),
            ("platform", &platform),
        ];
        values.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        let values = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Observation { kind: "machine".into(), path: Vec::new(), values }
    }
}

impl Source for Mounted {
    fn walk<V: Visitor>(&self, visitor: &V) -> Result<(), SourceError> {
        self.walk_disk(visitor).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound => SourceErrorKind::NotFound,
                _ => SourceErrorKind::Io(error),
            };
            SourceError::new(self.path.to_string_lossy(), kind)
        })
    }

    fn root(&self) -> RootFacts {
        let machine = self.machine.get().cloned().unwrap_or_default();
        // A machine's own name outlives the folder it happens to be mounted at.
        let name = machine.hostname.clone().unwrap_or_else(|| stable_name(&self.path));
        let spelled = self.path.to_string_lossy().into_owned();
        RootFacts { kind: "image", spelled, name, machine: Some(machine), ..RootFacts::default() }
    }
}

/// The disk as the recogniser sees it: read as carefully as the rest.
struct Disk<'a, 'w, V>(&'a Walk<'w, V>);

impl<V: Visitor> ReadRoot for Disk<'_, '_, V> {
    fn read(&self, path: &str, limit: usize) -> Option<Vec<u8>> {
        self.0.peek(Path::new(path), limit)
    }

    fn exists(&self, path: &str) -> bool {
        self.0.exists(Path::new(path))
    }
}

#[cfg(test)]
#[path = "mounted_tests.rs"]
mod tests;

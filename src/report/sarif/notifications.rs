//! What was not read, and notes, as notifications of the invocation.

use std::collections::BTreeMap;

use super::HOST_LIMIT;
use super::log::{Descriptor, DescriptorReference, Message, Notification, Properties};
use super::results::quoted;
use super::rules::pascal;
use crate::finding::ScanReport;
use crate::report::SarifTarget;
use crate::report::escape::{display, terminal};
use crate::report::wording::count;
use crate::source::{Unread, UnreadKind};

/// The notifications of a run and the descriptors of their kinds.
pub(super) fn of(scan: &ScanReport, target: SarifTarget) -> (Vec<Notification>, Vec<Descriptor>) {
    let mut kinds = Kinds::default();
    let shown = match target {
        SarifTarget::Generic => scan.unread.len(),
        SarifTarget::GitHub | SarifTarget::AzureDevOps => scan.unread.len().min(HOST_LIMIT),
    };
    let mut notifications: Vec<_> = scan.unread[..shown].iter().map(|unread| not_read(unread, &mut kinds)).collect();
    if shown < scan.unread.len() {
        let more = count((scan.unread.len() - shown) as u64, "more thing was", "more things were");
        let text = format!("{more} not read; JSON lines list them all.");
        let mut rest = kinds.notification(Kind::Hint, "note", text);
        rest.properties.insert("keytrail/notListed", (scan.unread.len() - shown).into());
        notifications.push(rest);
    }
    for note in &scan.notes {
        let text = period(terminal(note));
        let mut notification = kinds.notification(Kind::Hint, "note", text.clone());
        if text != *note {
            notification.properties.insert("keytrail/text", note.clone().into());
        }
        notifications.push(notification);
    }
    (notifications, kinds.descriptors)
}

/// What a notification is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Something that could not be read.
    Unread(UnreadKind),
    /// A hint or a warning that doesn't change the result.
    Hint,
}

/// Kinds of notifications met so far.
#[derive(Default)]
struct Kinds {
    descriptors: Vec<Descriptor>,
    index: BTreeMap<Kind, usize>,
}

impl Kinds {
    /// A notification of a kind.
    fn notification(&mut self, kind: Kind, level: &'static str, text: String) -> Notification {
        let next = self.descriptors.len();
        let index = *self.index.entry(kind).or_insert(next);
        if index == next {
            self.descriptors.push(descriptor(kind));
        }
        let descriptor = DescriptorReference { id: id(kind), index, tool_component: None };
        Notification { descriptor, level, message: Message::new(text), properties: Properties::new() }
    }
}

/// The id of a kind: a promise, like a rule's.
fn id(kind: Kind) -> String {
    match kind {
        Kind::Unread(kind) => format!("unread/{}", kind.word()),
        Kind::Hint => "note/hint".to_owned(),
    }
}

/// A kind, with what it means and what to do. GitHub wants a full description and a help text of every descriptor
/// (the validator's GH2012).
fn descriptor(kind: Kind) -> Descriptor {
    let (name, short, full, help) = match kind {
        Kind::Unread(kind) => {
            let (full, help) = meaning(kind);
            let word = kind.word();
            (pascal(&format!("unread-{word}")), format!("Not read: {}.", word.replace('-', " ")), full, help)
        }
        Kind::Hint => (
            "Hint".to_owned(),
            "A hint or a warning.".to_owned(),
            "A hint or a warning about this run that doesn't change its result.",
            "Read it; nothing has to be done.",
        ),
    };
    Descriptor {
        id: id(kind),
        name: Some(name),
        short_description: Message::new(short),
        full_description: Some(Message::new(full)),
        help: Some(Message::new(help)),
        ..Descriptor::default()
    }
}

/// What it means that something is unread, and how to mend it.
fn meaning(kind: UnreadKind) -> (&'static str, &'static str) {
    match kind {
        UnreadKind::Missing => (
            "An object or file that something names is not there, so its content was not scanned.",
            "Fetch or restore it, then scan again. `git fsck` names what else is missing.",
        ),
        UnreadKind::Corrupt => (
            "Its bytes are damaged, so what they held could not be scanned.",
            "Restore it from another clone or a backup, then scan again.",
        ),
        UnreadKind::Shallow => (
            "History is cut here by a shallow clone: older commits were not scanned.",
            "Fetch the rest with `git fetch --unshallow` (in a pipeline: fetch depth 0), then scan again.",
        ),
        UnreadKind::Promised => (
            "A partial clone left this object on the server, so it was not scanned.",
            "Fetch it with `git fetch --refetch` without a filter, or scan a full clone.",
        ),
        UnreadKind::LfsAbsent => (
            "Git LFS keeps this file elsewhere and its content is not in this clone, so it was not scanned.",
            "Fetch it with `git lfs fetch --all`, then scan again.",
        ),
        UnreadKind::Permission => {
            ("The system refused to let it be read.", "Scan as a user who may read it, then scan again.")
        }
        UnreadKind::Io => ("Reading it failed.", "Check the disk or the network share it lies on, then scan again."),
        UnreadKind::Changed => (
            "It changed while it was read, so what was scanned may be neither the old nor the new content.",
            "Scan again when nothing writes to it.",
        ),
        UnreadKind::Limit => (
            "It is larger or deeper than a default limit allows.",
            "Raise the limit, or set it yourself: what a limit of yours leaves out counts as excluded.",
        ),
        UnreadKind::Encrypted => (
            "It is encrypted, so nothing in it was scanned.",
            "Scan it decrypted, or accept it by an entry in the configuration.",
        ),
        UnreadKind::Unsupported => (
            "It has a format that can't be read, inside of one that was opened.",
            "Unpack it and scan what comes out, or accept it by an entry in the configuration.",
        ),
        UnreadKind::Deadline => {
            ("The deadline came before it was its turn.", "Give the scan more time, or a smaller part at once.")
        }
        UnreadKind::Signal => ("The scan was stopped before it was its turn.", "Scan again and let it finish."),
        UnreadKind::Panic => (
            "The scanner itself failed on it. The rest was scanned.",
            "Please report this; it is a mistake in the scanner.",
        ),
        UnreadKind::AccessTime => (
            "Reading it would change its time of last access on the scanned disk, so it was left alone.",
            "Mount the disk read-only or with `noatime`, or allow it with `--may-touch-atime`.",
        ),
        UnreadKind::Mismatch => {
            ("Two ways of scanning it gave different results.", "Please report this; it is a mistake in the scanner.")
        }
    }
}

/// The notification about one thing that was not read: an error, since the run is incomplete for it.
fn not_read(unread: &Unread, kinds: &mut Kinds) -> Notification {
    let (what, bytes) = display(&unread.what);
    let text = period(format!("Not read: {}: {}", quoted(&what), terminal(&unread.detail)));
    let mut notification = kinds.notification(Kind::Unread(unread.kind), "error", text);
    notification.properties.insert("keytrail/what", what.into());
    notification.properties.insert("keytrail/detail", unread.detail.clone().into());
    if let Some(bytes) = bytes {
        notification.properties.insert("keytrail/whatBytes", bytes.into());
    }
    if let Some(object) = &unread.object {
        notification.properties.insert("keytrail/object", object.clone().into());
    }
    notification
}

/// `text` with a full stop at its end.
fn period(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

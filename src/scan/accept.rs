//! `[[accept-unread]]`: unread items that the configuration accepts, with a reason and an end date. They count as
//! excluded; one that has ended or matches nothing is said.

use std::collections::BTreeMap;

use globset::GlobSet;

use crate::source::{Excluded, Unread};

/// One entry of the configuration.
#[derive(Clone, Debug)]
pub struct AcceptUnread {
    /// As written, for notes.
    pub spelled: String,
    /// Where it stands, for notes: `.keytrail.toml:12`.
    pub at: String,
    /// Glob over what is unread (a path below the root), if given.
    pub path: Option<GlobSet>,
    /// Content id in hex, if given.
    pub object: Option<String>,
    /// End of its last day: seconds since 1970, UTC.
    pub until: Option<i64>,
}

impl AcceptUnread {
    fn names(&self, unread: &Unread) -> bool {
        let path = self
            .path
            .as_ref()
            .is_some_and(|glob| glob.is_match_candidate(&globset::Candidate::from_bytes(&unread.what)));
        let object = self.object.as_ref().is_some_and(|id| unread.object.as_ref() == Some(id));
        path || object
    }
}

/// Moves accepted items from `unread` to `excluded`.
pub(super) fn apply(
    entries: &[AcceptUnread],
    now: i64,
    unread: &mut Vec<Unread>,
    excluded: &mut BTreeMap<Excluded, u64>,
    notes: &mut Vec<String>,
) {
    for entry in entries {
        if entry.until.is_some_and(|until| now > until) {
            notes.push(format!("{}: accepting `{}` unread has ended: it counts again", entry.at, entry.spelled));
            continue;
        }
        let before = unread.len();
        unread.retain(|item| !entry.names(item));
        let accepted = (before - unread.len()) as u64;
        if accepted == 0 {
            notes.push(format!("{}: accepting `{}` unread matches nothing", entry.at, entry.spelled));
        } else {
            *excluded.entry(Excluded::AcceptedUnread).or_default() += accepted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::UnreadKind;

    fn entry(path: Option<&str>, object: Option<&str>, until: Option<i64>) -> AcceptUnread {
        let glob = |glob: &str| globset::Glob::new(glob).and_then(|glob| globset::GlobSet::new([glob]));
        let path = path.map(|text| glob(text).expect("a glob"));
        AcceptUnread { spelled: "x".into(), at: "c:1".into(), path, object: object.map(str::to_owned), until }
    }

    #[test]
    fn entries_accept_by_path_or_object_until_they_end() {
        let items = || {
            vec![
                Unread::new(UnreadKind::Missing, "a/b.bin", "gone").object("ff"),
                Unread::new(UnreadKind::Corrupt, "c", "bad"),
            ]
        };
        let cases = [
            (entry(Some("a/**"), None, None), 1, 1),
            (entry(None, Some("ff"), Some(100)), 1, 1),
            (entry(None, Some("ff"), Some(10)), 2, 0),
            (entry(Some("nothing"), None, None), 2, 0),
        ];
        for (entry, left, accepted) in cases {
            let (mut unread, mut excluded, mut notes) = (items(), BTreeMap::new(), Vec::new());
            apply(&[entry], 50, &mut unread, &mut excluded, &mut notes);
            assert_eq!(unread.len(), left);
            assert_eq!(excluded.get(&Excluded::AcceptedUnread).copied().unwrap_or(0), accepted);
            assert_eq!(notes.is_empty(), accepted > 0, "{notes:?}");
        }
    }
}

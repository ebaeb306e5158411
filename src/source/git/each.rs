//! Every commit, tag and tree, read once, on all threads: packed ones along their deltas, loose ones one by one.

use gix::objs::Kind;
use rayon::prelude::*;

use super::objects::Objects;
use super::pack::{self, Named, Packs};
use super::repo::Repository;
use crate::blob::Edits;
use crate::source::Unread;

/// Takes objects as they are read.
pub(super) trait Recipient: Sync {
    /// What is made of an object, for those that are like it.
    type State: Send + Sync;

    /// Takes a commit, tag or tree. `base` is what was made of its delta base, and what changed since. Called from any
    /// thread.
    fn receive(
        &self,
        base: Option<(&Self::State, &Edits)>,
        kind: Kind,
        object: Named<'_>,
        bytes: &[u8],
    ) -> Option<Self::State>;

    /// How many bytes of memory a state takes, about.
    fn weight(&self, state: &Self::State) -> usize;

    /// Whether to stop early.
    fn stop(&self) -> bool;
}

/// How many loose objects one task reads.
const RUN: usize = 128;

/// Hands every commit, tag and tree that is stored to `recipient`. What can't be read is left out. Returns what is wrong
/// with packs as a whole.
pub(super) fn each_object<R: Recipient>(
    repository: &Repository,
    packs: &Packs,
    objects: &Objects,
    recipient: &R,
) -> Vec<Unread> {
    let kinds = [Kind::Commit, Kind::Tag, Kind::Tree].into_iter();
    let walk = |kind| pack::walk(packs, kind, &Packed { recipient, kind }, packs.held()).unread;
    let unsound = kinds.flat_map(walk).collect();
    objects.loose().par_chunks(RUN).for_each(|run| {
        let mut reader = repository.reader();
        let mut buf = Vec::new();
        for id in run.iter().take_while(|_| !recipient.stop()) {
            if matches!(reader.kind(id), Some(Kind::Commit | Kind::Tag | Kind::Tree))
                && let Ok(kind) = reader.object(id, &mut buf)
            {
                recipient.receive(None, kind, Named::new(id), &buf);
            }
        }
    });
    unsound
}

/// Takes the packed objects of one kind.
struct Packed<'r, R> {
    /// Who gets them.
    recipient: &'r R,
    /// The kind.
    kind: Kind,
}

impl<R: Recipient> pack::Recipient for Packed<'_, R> {
    type State = Option<R::State>;

    fn wants(&self, _: Named<'_>) -> bool {
        true
    }

    fn receive(&self, parent: Option<(&Self::State, &Edits)>, object: Named<'_>, bytes: &[u8]) -> Self::State {
        let base = parent.and_then(|(state, edits)| Some((state.as_ref()?, edits)));
        self.recipient.receive(base, self.kind, object, bytes)
    }

    fn weight(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |state| self.recipient.weight(state))
    }

    fn stop(&self) -> bool {
        self.recipient.stop()
    }
}

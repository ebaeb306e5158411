//! Which commit is older, and what leads to it: the order in which commits are put out, and their tiers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use gix::ObjectId;

use super::graph::{Graph, Node};
use super::objects::Objects;
use super::repo::Reference;
use super::roots::Roots;
use crate::place::Commit;

/// How a commit is reached, the most telling way first. The order is the order in which commits are asked for the
/// first and last one that holds a content: a rewritten commit that only a reflog knows introduces nothing that a
/// branch has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// From `HEAD`, branches, remote branches, tags, or the HEAD of a worktree.
    Main,
    /// Only from another ref (stash, notes, pull request): its index in [`Ranks::special`].
    Special(u32),
    /// Only from a reflog or from what remembers the past, such as `ORIG_HEAD`.
    Log,
    /// From nowhere.
    Unreachable,
}

/// Order and tier of every commit of a [`Graph`], by its index.
#[derive(Debug)]
pub(super) struct Ranks {
    /// Position in the walk that puts out parents first.
    pub(super) order: Vec<u32>,
    /// How the commit is reached.
    pub(super) tier: Vec<Tier>,
    /// Names of the refs that [`Tier::Special`] counts.
    pub(super) special: Vec<Vec<u8>>,
    /// All commits: by tier, then oldest first.
    pub(super) sequence: Vec<u32>,
    /// Tips of refs and worktrees; `HEAD` apart.
    pub(super) tips: Vec<u32>,
    /// The commit of `HEAD`.
    pub(super) head: Option<u32>,
}

/// Whether a ref is one of those that a clone or a checkout is made from.
fn is_main(name: &[u8]) -> bool {
    [&b"refs/heads/"[..], b"refs/remotes/", b"refs/tags/"].iter().any(|folder| name.starts_with(folder))
        || is_head(name)
}

/// Whether a name is a HEAD, of this or another worktree.
fn is_head(name: &[u8]) -> bool {
    name == b"HEAD"
        || name == b"main-worktree/HEAD"
        || name.strip_prefix(b"worktrees/").is_some_and(|rest| rest.splitn(2, |b| *b == b'/').nth(1) == Some(b"HEAD"))
}

/// Whether what a ref names counts as a tip. `ORIG_HEAD` and its like remember the past.
pub(super) fn is_tip(name: &[u8]) -> bool {
    is_main(name) || name.starts_with(b"refs/") || memchr::memmem::find(name, b"/refs/").is_some()
}

impl Ranks {
    /// Ranks the commits of `graph`.
    pub(super) fn new(graph: &Graph, roots: &Roots, objects: &Objects) -> Self {
        let mut ranks = Self {
            order: order(graph, objects),
            tier: vec![Tier::Unreachable; graph.commits.len()],
            special: Vec::new(),
            sequence: Vec::new(),
            tips: Vec::new(),
            head: None,
        };
        let commit = |id: ObjectId| match graph.peel(objects.number(&id)?) {
            (_, Some(Node::Commit(commit)), _) => Some(commit),
            _ => None,
        };
        let (main, special): (Vec<&Reference>, Vec<_>) = roots.refs.all.iter().partition(|r| is_main(&r.name));
        ranks.flood(graph, main.iter().filter_map(|reference| commit(reference.id)).collect(), Tier::Main);
        for reference in special.into_iter().filter(|reference| is_tip(&reference.name)) {
            let nth = u32::try_from(ranks.special.len()).unwrap_or(u32::MAX);
            ranks.special.push(reference.name.clone());
            let logged = if reference.name == b"refs/stash" { stashed(roots) } else { &[] };
            let starts: Vec<u32> =
                std::iter::once(reference.id).chain(logged.iter().copied()).filter_map(commit).collect();
            if reference.name == b"refs/stash" {
                // What a stash holds beside the work tree: its index and its untracked files.
                let parts = starts.iter().flat_map(|stash| graph.commits[*stash as usize].parents.iter().skip(1));
                ranks.tips.extend(starts.iter().copied().chain(parts.filter_map(|parent| graph.commit_at(*parent))));
            }
            ranks.flood(graph, starts, Tier::Special(nth));
        }
        ranks.flood(graph, (0..graph.reachable()[0]).filter_map(|n| u32::try_from(n).ok()).collect(), Tier::Log);
        let tips = roots.refs.all.iter().filter(|reference| is_tip(&reference.name));
        ranks.tips.extend(tips.filter_map(|reference| commit(reference.id)));
        ranks.tips.sort_unstable();
        ranks.tips.dedup();
        ranks.head = roots.refs.find(b"HEAD").and_then(commit);
        ranks.sequence = (0..ranks.order.len()).filter_map(|n| u32::try_from(n).ok()).collect();
        let key = |n: &u32| (ranks.tier[*n as usize].class(), ranks.order[*n as usize]);
        ranks.sequence.sort_unstable_by_key(key);
        ranks
    }

    /// Gives `tier` to all commits reached from `starts` that have none yet.
    fn flood(&mut self, graph: &Graph, mut starts: Vec<u32>, tier: Tier) {
        while let Some(commit) = starts.pop() {
            let own = &mut self.tier[commit as usize];
            if *own == Tier::Unreachable {
                *own = tier;
                let parents = graph.commits[commit as usize].parents.iter();
                starts.extend(parents.filter_map(|parent| graph.commit_at(*parent)));
            }
        }
    }

    /// The ref that alone leads to commit `n`, if it is a special one.
    pub(super) fn special_of(&self, n: u32) -> Option<&[u8]> {
        match self.tier[n as usize] {
            Tier::Special(nth) => self.special.get(nth as usize).map(Vec::as_slice),
            _ => None,
        }
    }

    /// Commit `n` as places name it.
    pub(super) fn commit(&self, graph: &Graph, objects: &Objects, n: u32) -> Arc<Commit> {
        let node = &graph.commits[n as usize];
        Arc::new(Commit {
            id: objects.id(node.number).to_string(),
            author_time: node.author_time,
            committer_time: node.committer_time,
            order: self.order[n as usize],
        })
    }
}

impl Tier {
    /// The tier without telling special refs apart.
    fn class(self) -> u8 {
        match self {
            Self::Main => 0,
            Self::Special(_) => 1,
            Self::Log => 2,
            Self::Unreachable => 3,
        }
    }
}

/// The commits that the stash's log names: all stashes but the newest live there alone.
fn stashed(roots: &Roots) -> &[ObjectId] {
    roots.logs.all.iter().find(|(name, _)| name == b"refs/stash").map_or(&[], |(_, ids)| ids)
}

/// Puts out commits parents first, from a heap on (committer time, id); the position of each.
fn order(graph: &Graph, objects: &Objects) -> Vec<u32> {
    let count = graph.commits.len();
    let mut waiting = vec![0_u32; count];
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (n, commit) in graph.commits.iter().enumerate() {
        for parent in commit.parents.iter().filter_map(|parent| graph.commit_at(*parent)) {
            waiting[n] += 1;
            children[parent as usize].extend(u32::try_from(n).ok());
        }
    }
    let key = |n: u32| {
        let commit = &graph.commits[n as usize];
        Reverse((commit.committer_time, objects.id(commit.number), n))
    };
    let ready = (0..count).filter(|n| waiting[*n] == 0).filter_map(|n| u32::try_from(n).ok());
    let mut heap: BinaryHeap<_> = ready.map(key).collect();
    // Ids are hashes of what they name, so there is no cycle; were there one, its commits would come last.
    let mut order = vec![u32::MAX; count];
    let mut next = 0;
    while let Some(Reverse((_, _, n))) = heap.pop() {
        order[n as usize] = next;
        next += 1;
        for child in std::mem::take(&mut children[n as usize]) {
            waiting[child as usize] -= 1;
            if waiting[child as usize] == 0 {
                heap.push(key(child));
            }
        }
    }
    order
}

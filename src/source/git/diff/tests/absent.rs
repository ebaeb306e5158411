//! What is not in this clone: cut by depth, missing, or left on the server.

use super::*;

#[test]
fn a_shallow_clone_proves_its_range_or_says_so() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let old = scratch.commit_file("a", LINE);
    let base = scratch.commit_file("b", "b");
    let next = scratch.commit_file("c", LINE);
    let head = scratch.commit_file("d", LINE);
    let url = format!("file://{}", scratch.top.display());
    let shallow = |depth: &str| {
        let clone = scratch.around().join(format!("depth-{depth}"));
        scratch.git(&["clone", "-q", "--depth", depth, &url, &clone.to_string_lossy()]);
        clone
    };
    let range = |start: &str| Request::Range(format!("{start}..{head}"));
    let one = shallow("1");
    let text = error(diff_in(&one, range(&base)));
    assert!(text.contains(&base) && text.contains("--unshallow"), "{text}");
    let three = shallow("3");
    let found = diff_in(&three, range(&base)).expect("all of it is here");
    assert_eq!(found.introduced, [at("c: content", &next), at("d: content", &head)]);
    assert_eq!(found.unread, [], "the cut lies behind the range");
    error(diff_in(&three, range(&old)));
    // A side branch that forks off before the cut: its history meets the start nowhere in the clone.
    scratch.git(&["checkout", "-q", "-b", "side", &old]);
    let side = scratch.commit_file("s", LINE);
    scratch.git_with(&three, &[], &["fetch", "-q", "--depth", "1", "origin", "side"], b"").expect("fetched");
    let text = error(diff_in(&three, Request::Range(format!("{head}..{side}"))));
    assert!(text.contains("merge base"), "{text}");
    // A merge of a branch that is cut: the range meets its start, and holds a boundary.
    scratch.git(&["merge", "-q", "--no-edit", "main"]);
    let merge = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git_with(&three, &[], &["fetch", "-q", "--depth", "2", "origin", "side"], b"").expect("fetched");
    let found = diff_in(&three, Request::Range(format!("{head}..{merge}"))).expect("both ends are here");
    assert_eq!(found.unread_kinds(), [UnreadKind::Shallow]);
    assert_eq!(found.introduced, [at("s: content", &side)], "what the start holds isn't new");
}

#[test]
fn a_missing_parent_and_a_missing_blob_are_unread() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    let base = scratch.commit_file("a", "a");
    let lost = scratch.commit_file("b", "b");
    scratch.commit_file("c", LINE);
    let blob = scratch.git(&["rev-parse", "HEAD:c"]);
    for id in [&lost, &blob] {
        std::fs::remove_file(scratch.top.join(".git/objects").join(&id[..2]).join(&id[2..])).expect("a loose object");
    }
    let found = diff(&scratch, &base);
    let objects: Vec<_> = found.unread.iter().filter_map(|unread| unread.object.clone()).collect();
    assert_eq!(found.unread_kinds(), [UnreadKind::Missing, UnreadKind::Missing]);
    assert!(objects.contains(&lost) && objects.contains(&blob), "{objects:?}");
}

#[test]
fn partial_clones_name_what_the_server_kept() {
    let Some(scratch) = Scratch::new(&[]) else { return };
    scratch.git(&["config", "uploadpack.allowFilter", "true"]);
    let base = scratch.commit_file("a", "a");
    scratch.commit_file("b", LINE);
    let clone = scratch.around().join("partial");
    let url = format!("file://{}", scratch.top.display());
    scratch.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &url, &clone.to_string_lossy()]);
    let found = diff_in(&clone, Request::Range(base)).expect("both ends are here");
    assert_eq!(found.unread_kinds(), [UnreadKind::Promised]);
    assert_eq!(found.unread[0].what, b"b");
}

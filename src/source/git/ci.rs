//! Which range a pipeline asks for, told from its environment variables.
//!
//! In: variables as a map, and a way to read the one file that GitHub names in them. Out: `Ends`, still in the
//! pipeline's own words: nothing is looked up in the repository here, so nothing here can be missing from it.
//! A variable that is set to nothing counts as not set.
//!
//! Sources, all read 2026-11: GitHub, "Webhook events and payloads" and "Store information in variables"; Azure
//! Pipelines, "Use predefined variables"; GitLab, "Predefined CI/CD variables reference"; pre-commit.com, "git hooks".

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

/// Environment variables by name.
pub type Variables = BTreeMap<String, String>;

/// Whose word counts: from which commit configuration, baseline and inline markers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The commit the change is measured against: the change comes from somebody whose word doesn't count yet.
    Base,
    /// The change itself.
    Head,
}

impl Trust {
    /// Its word on the command line and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }
}

/// The two ends of a range, before anything is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// What the change leads to: revisions that must be there. Empty when the event only deletes.
    pub(crate) heads: Vec<String>,
    /// What was there before.
    pub(crate) starts: Vec<Start>,
    /// Whose word counts.
    pub(crate) trust: Trust,
    /// Who told the range, for reports and messages.
    pub(crate) told_by: String,
    /// Whether the ends must have a common ancestor. Without, unrelated histories are scanned whole; in a shallow
    /// clone the ends must meet in any case.
    pub(crate) must_meet: bool,
    /// How to get what is missing from the clone.
    pub(crate) mend: &'static str,
}

impl Ends {
    /// Ends that needn't meet.
    fn new(heads: Vec<String>, starts: Vec<Start>, trust: Trust, told_by: String, mend: &'static str) -> Self {
        Self { heads, starts, trust, told_by, must_meet: false, mend }
    }
}

/// Something whose history is not new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A revision that must be there.
    At(String),
    /// A revision that helps when it is there (the branch's tip may have moved on since).
    Perhaps(String),
    /// What a branch held before a push. After a forced push nothing leads to it any more, so a complete clone
    /// without it falls back to the main branch.
    Before {
        /// The id the branch had.
        id: String,
        /// The pipeline says that the push was forced.
        forced: bool,
        /// The main branch, if that isn't the branch pushed to.
        main: Option<String>,
    },
    /// The parents of `merge` other than `head`, when `merge` is here and merges `head`; else `target`. Unlike the
    /// target branch, which may hold the change by now, the merge still tells what was there before.
    Target {
        /// The merge commit the host made to test the change.
        merge: String,
        /// The change's own tip.
        head: String,
        /// The branch the change is for, where nothing else tells the start.
        target: Option<String>,
    },
    /// The first of these that is there.
    AnyOf(Vec<String>),
    /// The main branch of `origin`, of which nothing tells the name. The branch `beside` is not it: a branch measured
    /// against itself would add nothing.
    Main {
        /// The remote-tracking ref of the branch that is built.
        beside: String,
    },
}

/// How to mend a shallow checkout on GitHub.
const GITHUB: &str = "give `actions/checkout` the input `fetch-depth: 0`, or run `git fetch --unshallow`";

/// How to mend a shallow checkout on Azure Pipelines.
const AZURE: &str = "set `fetchDepth: 0` on the `checkout` step, or run `git fetch --unshallow`";

/// How to mend a shallow checkout on GitLab.
const GITLAB: &str = "set the variable `GIT_DEPTH: 0` for the job, or run `git fetch --unshallow`";

/// How to mend anything else.
pub(crate) const PLAIN: &str = "`git fetch` it; in a shallow clone `git fetch --unshallow`";

/// What to do when no variable tells the range.
const ADVICE: &str = "name it: `keytrail diff BASE..HEAD`, `keytrail diff --merge-base origin/main`; or scan everything: \
                      `keytrail history`";

/// Finds the range in `variables`. `read` reads the file that GitHub names.
///
/// # Errors
/// A sentence that lists what was looked for and says what to do.
pub(crate) fn ends(variables: &Variables, read: impl Fn(&str) -> io::Result<Vec<u8>>) -> Result<Ends, String> {
    let vars = Vars(variables);
    if pre_commit_tells(variables) {
        pre_commit(vars)
    } else if vars.get("GITHUB_EVENT_NAME").is_some() || vars.is_true("GITHUB_ACTIONS") {
        github(vars, read)
    } else if vars.is_true("TF_BUILD") || vars.get("BUILD_REASON").is_some() {
        azure(vars)
    } else if vars.is_true("GITLAB_CI") {
        gitlab(vars)
    } else {
        Err(format!(
            "no range given, and none of GITHUB_EVENT_NAME, TF_BUILD, GITLAB_CI and PRE_COMMIT_FROM_REF is set: {ADVICE}"
        ))
    }
}

/// The variables by which the pre-commit framework tells a range, each enough to say that it does.
const PRE_COMMIT: [&str; 3] = ["PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_LOCAL_BRANCH"];

/// Whether the pre-commit framework tells a range.
pub fn pre_commit_tells(variables: &Variables) -> bool {
    PRE_COMMIT.iter().any(|name| Vars(variables).get(name).is_some())
}

/// Variables, of which those set to nothing don't count.
#[derive(Clone, Copy)]
struct Vars<'v>(&'v Variables);

impl<'v> Vars<'v> {
    /// The value of `name`, without blanks around it.
    fn get(self, name: &str) -> Option<&'v str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of `name`, or a sentence that says it is missing.
    fn need(self, name: &str, told_by: &str) -> Result<&'v str, String> {
        self.get(name).ok_or_else(|| format!("{told_by}: the variable {name} is not set: {ADVICE}"))
    }

    /// Whether `name` says yes. GitHub and GitLab write `true`, Azure Pipelines `True`.
    fn is_true(self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// Whether `id` is the id of nothing.
fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// The remote-tracking ref of branch `name`, given short or full.
fn tracking(name: &str) -> String {
    format!("refs/remotes/origin/{}", name.strip_prefix("refs/heads/").unwrap_or(name))
}

/// The pre-commit framework, which swallows the standard input of `pre-push` and sets variables instead. The same
/// variables without a remote come from `pre-commit run --from-ref A --to-ref B`. Of a push that brings a root commit it
/// tells the branch alone.
fn pre_commit(vars: Vars<'_>) -> Result<Ends, String> {
    let told_by = "pre-commit".to_owned();
    if let (None, None, Some(branch)) =
        (vars.get("PRE_COMMIT_FROM_REF"), vars.get("PRE_COMMIT_TO_REF"), vars.get("PRE_COMMIT_LOCAL_BRANCH"))
    {
        return Ok(Ends::new(vec![branch.to_owned()], vec![], Trust::Head, told_by, PLAIN));
    }
    let from = vars.need("PRE_COMMIT_FROM_REF", &told_by)?.to_owned();
    let to = vars.need("PRE_COMMIT_TO_REF", &told_by)?.to_owned();
    let trust = if vars.get("PRE_COMMIT_REMOTE_NAME").is_some() { Trust::Head } else { Trust::Base };
    let heads = if is_zero(&to) { vec![] } else { vec![to] };
    let starts = if is_zero(&from) { vec![] } else { vec![Start::At(from)] };
    Ok(Ends::new(heads, starts, trust, told_by, PLAIN))
}

/// The part of GitHub's event payload that tells a range.
#[derive(Debug, Default, Deserialize)]
struct Payload {
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
    before: Option<String>,
    after: Option<String>,
    #[serde(default)]
    forced: bool,
    #[serde(rename = "ref")]
    name: Option<String>,
    repository: Option<PayloadRepository>,
}

/// `pull_request` of a payload.
#[derive(Debug, Deserialize)]
struct PullRequest {
    base: PullRequestEnd,
    head: PullRequestEnd,
}

/// One end of a pull request.
#[derive(Debug, Deserialize)]
struct PullRequestEnd {
    sha: String,
}

/// `merge_group` of a payload.
#[derive(Debug, Deserialize)]
struct MergeGroup {
    base_sha: String,
    head_sha: String,
}

/// `repository` of a payload.
#[derive(Debug, Deserialize)]
struct PayloadRepository {
    default_branch: Option<String>,
}

/// GitHub Actions. The payload's `commits` are not used: GitHub cuts the list.
fn github(vars: Vars<'_>, read: impl Fn(&str) -> io::Result<Vec<u8>>) -> Result<Ends, String> {
    let event = vars.need("GITHUB_EVENT_NAME", "GitHub Actions")?;
    let told_by = format!("GitHub `{event}` event");
    let path = vars.need("GITHUB_EVENT_PATH", &told_by)?;
    let bytes = read(path).map_err(|error| format!("{told_by}: can't read GITHUB_EVENT_PATH `{path}`: {error}"))?;
    let payload: Payload = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{told_by}: the payload in GITHUB_EVENT_PATH is not understood: {error}"))?;
    let (heads, starts, trust) = if let Some(request) = payload.pull_request {
        let mut starts = vec![Start::At(request.base.sha)];
        if let Some(merge) = vars.get("GITHUB_SHA").filter(|_| event == "pull_request") {
            // The base branch may have moved on since the payload was written, and been merged into the change.
            starts.push(Start::Target { merge: merge.into(), head: request.head.sha.clone(), target: None });
        }
        (vec![request.head.sha], starts, Trust::Base)
    } else if let Some(group) = payload.merge_group {
        (vec![group.head_sha], vec![Start::At(group.base_sha)], Trust::Base)
    } else if let (Some(before), Some(after)) = (payload.before, payload.after) {
        let branch = payload.name.unwrap_or_default();
        let main = payload.repository.and_then(|repository| repository.default_branch);
        let main = main.filter(|main| branch.strip_prefix("refs/heads/") != Some(main)).map(|main| tracking(&main));
        let heads = if is_zero(&after) { vec![] } else { vec![after] };
        (heads, vec![before_push(before, payload.forced, main)], Trust::Head)
    } else {
        return Err(format!(
            "{told_by}: its payload holds neither `pull_request` nor `merge_group` nor `before` and `after`: {ADVICE}"
        ));
    };
    let starts = starts.into_iter().filter(|start| *start != Start::AnyOf(vec![])).collect();
    Ok(Ends::new(heads, starts, trust, told_by, GITHUB))
}

/// The start of a push. A new branch is measured against the main branch alone and not against all others: of two
/// branches created by one push each would excuse the other.
fn before_push(before: String, forced: bool, main: Option<String>) -> Start {
    if is_zero(&before) { Start::AnyOf(main.into_iter().collect()) } else { Start::Before { id: before, forced, main } }
}

/// Azure Pipelines. A pull request's build is of a merge commit that the service made; other builds are not told
/// what was there before, so only branches beside the main one have a range.
fn azure(vars: Vars<'_>) -> Result<Ends, String> {
    let reason = vars.get("BUILD_REASON").unwrap_or("unknown");
    let told_by = format!("Azure Pipelines `{reason}` build");
    let version = vars.need("BUILD_SOURCEVERSION", &told_by)?.to_owned();
    if reason == "PullRequest" {
        let target = tracking(vars.need("SYSTEM_PULLREQUEST_TARGETBRANCH", &told_by)?);
        let head = vars.need("SYSTEM_PULLREQUEST_SOURCECOMMITID", &told_by)?.to_owned();
        let starts = vec![Start::Target { merge: version, head: head.clone(), target: Some(target) }];
        return Ok(Ends::new(vec![head], starts, Trust::Base, told_by, AZURE));
    }
    let branch = tracking(vars.need("BUILD_SOURCEBRANCH", &told_by)?);
    if MAINS.contains(&branch.as_str()) {
        return Err(format!(
            "{told_by}: Azure Pipelines doesn't tell what the main branch held before the push: {ADVICE}"
        ));
    }
    Ok(Ends::new(vec![version], vec![Start::Main { beside: branch }], Trust::Head, told_by, AZURE))
}

/// What main branches are called where nothing tells their name.
pub(crate) const MAINS: [&str; 2] = ["refs/remotes/origin/main", "refs/remotes/origin/master"];

/// GitLab CI.
fn gitlab(vars: Vars<'_>) -> Result<Ends, String> {
    let source = vars.get("CI_PIPELINE_SOURCE").unwrap_or("unknown");
    let told_by = format!("GitLab `{source}` pipeline");
    let sha = vars.need("CI_COMMIT_SHA", &told_by)?.to_owned();
    if let Some(base) = vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        // Set in pipelines for merged results, where CI_COMMIT_SHA is a merge that GitLab made.
        let head = vars.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").map_or(sha, str::to_owned);
        let mut starts = vec![Start::At(base.to_owned())];
        starts.extend(vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA").map(|sha| Start::Perhaps(sha.to_owned())));
        return Ok(Ends::new(vec![head], starts, Trust::Base, told_by, GITLAB));
    }
    let main = vars.get("CI_DEFAULT_BRANCH").filter(|&main| vars.get("CI_COMMIT_BRANCH") != Some(main)).map(tracking);
    let before = vars.need("CI_COMMIT_BEFORE_SHA", &told_by)?.to_owned();
    if is_zero(&before) && main.is_none() {
        return Err(format!("{told_by}: CI_COMMIT_BEFORE_SHA names nothing, and this is the main branch: {ADVICE}"));
    }
    let starts = vec![before_push(before, false, main)];
    Ok(Ends::new(vec![sha], starts, Trust::Head, told_by, GITLAB))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that look like some.
    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const M: &str = "cccccccccccccccccccccccccccccccccccccccc";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn vars(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn told(pairs: &[(&str, &str)], payload: &str) -> Result<Ends, String> {
        ends(&vars(pairs), |path| {
            assert_eq!(path, "/event.json");
            Ok(payload.as_bytes().to_vec())
        })
    }

    fn on_github(event: &str, payload: &str) -> Result<Ends, String> {
        let pairs = [("GITHUB_EVENT_NAME", event), ("GITHUB_EVENT_PATH", "/event.json"), ("GITHUB_SHA", M)];
        told(&pairs, payload)
    }

    fn at(id: &str) -> Start {
        Start::At(id.to_owned())
    }

    fn any(name: &str) -> Start {
        Start::AnyOf(vec![name.to_owned()])
    }

    #[test]
    fn github_events_tell_their_range() {
        let request = format!(r#"{{"pull_request":{{"base":{{"sha":"{A}","ref":"main"}},"head":{{"sha":"{B}"}}}}}}"#);
        let target = Start::Target { merge: M.into(), head: B.into(), target: None };
        let group = format!(r#"{{"merge_group":{{"base_sha":"{A}","head_sha":"{B}"}}}}"#);
        let push = |name: &str, before: &str, after: &str, forced: bool| {
            format!(
                r#"{{"ref":"refs/heads/{name}","before":"{before}","after":"{after}","forced":{forced},
                    "repository":{{"default_branch":"main"}}}}"#
            )
        };
        let before = |forced, main: Option<&str>| Start::Before {
            id: A.into(),
            forced,
            main: main.map(|main| format!("refs/remotes/origin/{main}")),
        };
        let cases = [
            ("pull_request", request.clone(), vec![B], vec![at(A), target], Trust::Base),
            ("pull_request_target", request, vec![B], vec![at(A)], Trust::Base),
            ("merge_group", group, vec![B], vec![at(A)], Trust::Base),
            ("push", push("x", A, B, false), vec![B], vec![before(false, Some("main"))], Trust::Head),
            ("push", push("main", A, B, true), vec![B], vec![before(true, None)], Trust::Head),
            ("push", push("x", ZERO, B, false), vec![B], vec![any("refs/remotes/origin/main")], Trust::Head),
            ("push", push("main", ZERO, B, false), vec![B], vec![], Trust::Head),
            ("push", push("x", A, ZERO, false), vec![], vec![before(false, Some("main"))], Trust::Head),
        ];
        for (event, payload, heads, starts, trust) in cases {
            let ends = on_github(event, &payload).expect(&payload);
            assert_eq!((ends.heads, ends.starts, ends.trust), (owned(&heads), starts, trust), "{event}: {payload}");
        }
    }

    fn owned(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[test]
    fn azure_pull_requests_take_both_forms_of_the_target() {
        for target in ["refs/heads/release/1", "release/1"] {
            let pairs = [
                ("TF_BUILD", "True"),
                ("BUILD_REASON", "PullRequest"),
                ("BUILD_SOURCEVERSION", M),
                ("SYSTEM_PULLREQUEST_TARGETBRANCH", target),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", B),
            ];
            let ends = told(&pairs, "").expect(target);
            let target = Some("refs/remotes/origin/release/1".to_owned());
            assert_eq!(ends.starts, [Start::Target { merge: M.into(), head: B.into(), target }]);
            assert_eq!((ends.heads, ends.trust), (owned(&[B]), Trust::Base));
        }
    }

    #[test]
    fn other_azure_builds_have_a_range_beside_the_main_branch_only() {
        let build = |branch| {
            let pairs = [
                ("TF_BUILD", "True"),
                ("BUILD_REASON", "IndividualCI"),
                ("BUILD_SOURCEVERSION", B),
                ("BUILD_SOURCEBRANCH", branch),
            ];
            told(&pairs, "")
        };
        let ends = build("refs/heads/topic").expect("a topic branch");
        assert_eq!((ends.heads, ends.trust), (owned(&[B]), Trust::Head));
        assert_eq!(ends.starts, [Start::Main { beside: "refs/remotes/origin/topic".to_owned() }]);
        let error = build("refs/heads/main").expect_err("nothing tells the start");
        assert!(error.contains("keytrail history"), "{error}");
    }

    #[test]
    fn gitlab_tells_merge_requests_from_pushes() {
        let merge_request = [
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", M),
            ("CI_COMMIT_BEFORE_SHA", ZERO),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", A),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", B),
        ];
        let ends = told(&merge_request, "").expect("a merge request");
        assert_eq!((ends.heads, ends.starts, ends.trust), (owned(&[B]), vec![at(A)], Trust::Base));
        let push = |before, branch| {
            let pairs = [
                ("GITLAB_CI", "true"),
                ("CI_COMMIT_SHA", B),
                ("CI_COMMIT_BEFORE_SHA", before),
                ("CI_COMMIT_BRANCH", branch),
                ("CI_DEFAULT_BRANCH", "trunk"),
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
            ];
            told(&pairs, "").map(|ends| ends.starts)
        };
        let main = Some("refs/remotes/origin/trunk".to_owned());
        assert_eq!(push(A, "x"), Ok(vec![Start::Before { id: A.into(), forced: false, main }]));
        assert_eq!(push(A, "trunk"), Ok(vec![Start::Before { id: A.into(), forced: false, main: None }]));
        assert_eq!(push(ZERO, "x"), Ok(vec![any("refs/remotes/origin/trunk")]));
        assert!(push(ZERO, "trunk").is_err());
    }

    #[test]
    fn pre_commit_tells_a_push_from_a_run_with_two_revisions() {
        let mut pairs = vec![("PRE_COMMIT_FROM_REF", A), ("PRE_COMMIT_TO_REF", "HEAD"), ("GITLAB_CI", "true")];
        let ends = told(&pairs, "").expect("two revisions");
        assert_eq!((ends.heads, ends.starts, ends.trust), (owned(&["HEAD"]), vec![at(A)], Trust::Base));
        pairs.push(("PRE_COMMIT_REMOTE_NAME", "origin"));
        assert_eq!(told(&pairs, "").expect("a push").trust, Trust::Head);
    }

    #[test]
    fn pre_commit_tells_a_first_push_by_its_branch_alone() {
        let mut pairs = vec![("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"), ("PRE_COMMIT_REMOTE_NAME", "origin")];
        let ends = told(&pairs, "").expect("a branch");
        assert_eq!((ends.heads, ends.starts, ends.trust), (owned(&["refs/heads/main"]), vec![], Trust::Head));
        pairs.extend([("PRE_COMMIT_FROM_REF", A), ("PRE_COMMIT_TO_REF", "HEAD")]);
        assert_eq!(told(&pairs, "").expect("two revisions").starts, vec![at(A)]);
    }

    #[test]
    fn what_tells_no_range_is_an_error_with_advice() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[("CI", "true"), ("GITHUB_EVENT_NAME", "")], "GITHUB_EVENT_NAME, TF_BUILD, GITLAB_CI"),
            (&[("GITHUB_EVENT_NAME", "push")], "GITHUB_EVENT_PATH is not set"),
            (&[("GITHUB_EVENT_NAME", "schedule"), ("GITHUB_EVENT_PATH", "/event.json")], "neither `pull_request`"),
            (&[("TF_BUILD", "True"), ("BUILD_REASON", "PullRequest")], "BUILD_SOURCEVERSION is not set"),
            (&[("PRE_COMMIT_TO_REF", "HEAD")], "PRE_COMMIT_FROM_REF is not set"),
        ];
        for (pairs, expected) in cases {
            let error = told(pairs, r#"{"schedule":"* * * * *"}"#).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        let error = ends(&vars(&[("GITHUB_EVENT_NAME", "push"), ("GITHUB_EVENT_PATH", "/event.json")]), |_| {
            Err(io::Error::from(io::ErrorKind::NotFound))
        });
        assert!(error.expect_err("no payload").contains("can't read GITHUB_EVENT_PATH"));
        assert!(on_github("push", "[").expect_err("broken JSON").contains("not understood"));
    }
}

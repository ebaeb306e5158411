//! Ranges that a pipeline's variables tell. The services are simulated, the repositories are real: clones with
//! remote-tracking branches, and the merge commit that the service made to test the change.

use super::{Change, change};
use crate::harness::{Repo, Run, keytrail, scan};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// What a pipeline checks out: a clone at the merge of the change into `main`.
struct Checkout {
    change: Change,
    clone: Repo,
    merge: String,
}

/// A checkout; `None` when there is no git.
fn checkout(label: &str) -> Option<Checkout> {
    let change = change(label)?;
    // What a server's HEAD names is what a clone takes for the main branch.
    change.repo.git(["switch", "--quiet", "main"]);
    let clone = change.repo.clone_to("checkout", &[]);
    clone.git(["switch", "--quiet", "--detach", "origin/main"]);
    clone.git(["merge", "--quiet", "--no-ff", "--no-edit", "origin/topic"]);
    let merge = clone.id("HEAD");
    Some(Checkout { change, clone, merge })
}

impl Checkout {
    /// `diff` without a range, with variables.
    fn diff(&self, variables: &[(&str, &str)]) -> Run {
        let run = keytrail(["diff"]).within(self.clone.path()).env("KEYTRAIL_ALLOW_SHOW", "1");
        variables.iter().fold(run, |run, (name, value)| run.env(name, value))
    }

    /// The same on GitHub, with this event.
    fn on_github(&self, event: &str, payload: &str) -> Run {
        let file = self.change.workspace.write("event.json", payload);
        let sha = if event == "pull_request" { &self.merge } else { &self.change.tip };
        self.diff(&[("GITHUB_ACTIONS", "true"), ("CI", "true"), ("GITHUB_EVENT_NAME", event), ("GITHUB_SHA", sha)])
            .env("GITHUB_EVENT_PATH", file)
    }

    /// Expects that the run reports what the change adds, and only that.
    fn reports_the_change(&self, run: &Run) {
        scan(run).holds_exactly(&self.change.all_added());
    }
}

#[test]
fn github_pull_requests_merge_groups_and_pushes() {
    let Some(checkout) = checkout("GitHub") else { return };
    let main = checkout.clone.id("origin/main");
    let (base, tip) = (&checkout.change.base, &checkout.change.tip);
    let request = format!(
        r#"{{"pull_request":{{"base":{{"ref":"main","sha":"{main}"}},"head":{{"ref":"topic","sha":"{tip}"}}}}}}"#
    );
    checkout.reports_the_change(&checkout.on_github("pull_request", &request));
    let group = format!(r#"{{"merge_group":{{"base_sha":"{main}","head_sha":"{tip}"}}}}"#);
    checkout.reports_the_change(&checkout.on_github("merge_group", &group));
    let push = |before: &str| {
        format!(
            r#"{{"ref":"refs/heads/topic","before":"{before}","after":"{tip}","forced":false,
                "repository":{{"default_branch":"main"}}}}"#
        )
    };
    checkout.reports_the_change(&checkout.on_github("push", &push(base)));
    checkout.reports_the_change(&checkout.on_github("push", &push(ZERO)));
}

#[test]
fn azure_pull_requests_and_branch_builds() {
    let Some(checkout) = checkout("Azure") else { return };
    let tip = checkout.change.tip.as_str();
    let request = [
        ("TF_BUILD", "True"),
        ("BUILD_REASON", "PullRequest"),
        ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
        ("BUILD_SOURCEVERSION", &checkout.merge),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", tip),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
    ];
    checkout.reports_the_change(&checkout.diff(&request));
    let mut from_github = request;
    from_github[5].1 = "main";
    checkout.reports_the_change(&checkout.diff(&from_github));
    let branch = [
        ("TF_BUILD", "True"),
        ("BUILD_REASON", "IndividualCI"),
        ("BUILD_SOURCEBRANCH", "refs/heads/topic"),
        ("BUILD_SOURCEVERSION", tip),
    ];
    checkout.reports_the_change(&checkout.diff(&branch));
}

#[test]
fn gitlab_merge_requests_and_pushes() {
    let Some(checkout) = checkout("GitLab") else { return };
    let (base, tip) = (checkout.change.base.as_str(), checkout.change.tip.as_str());
    let common = [("GITLAB_CI", "true"), ("CI", "true"), ("CI_DEFAULT_BRANCH", "main")];
    let request = [
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_SHA", tip),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base),
    ];
    checkout.reports_the_change(&checkout.diff(&[&common[..], &request].concat()));
    for before in [base, ZERO] {
        let push = [("CI_COMMIT_SHA", tip), ("CI_COMMIT_BRANCH", "topic"), ("CI_COMMIT_BEFORE_SHA", before)];
        checkout.reports_the_change(&checkout.diff(&[&common[..], &push].concat()));
    }
}

#[test]
fn without_a_range_anywhere_nothing_is_guessed() {
    let Some(change) = change("no range") else { return };
    change.diff(&[]).go().exits(2).says(&["BASE..HEAD"]);
    change.diff(&[]).env("TF_BUILD", "True").go().exits(2).says(&["BUILD_SOURCEVERSION"]);
    let run = change.diff(&[]).env("GITHUB_EVENT_NAME", "push").env("GITHUB_EVENT_PATH", "/nowhere/event.json");
    run.go().exits(2).says(&["/nowhere/event.json"]);
}

#[test]
fn a_checkout_of_depth_one_is_not_enough() {
    let Some(checkout) = checkout("shallow") else { return };
    let main = checkout.clone.id("origin/main");
    let shallow = checkout.change.repo.clone_to("shallow", &["--depth=1", "--branch=topic"]);
    let tip = &checkout.change.tip;
    let request = format!(r#"{{"pull_request":{{"base":{{"sha":"{main}"}},"head":{{"sha":"{tip}"}}}}}}"#);
    let run = checkout.on_github("pull_request", &request).within(shallow.path());
    run.go().exits(3).says(&["fetch-depth: 0"]).doesnt_say(&["clean"]);
}

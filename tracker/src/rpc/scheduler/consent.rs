//! Which jobs may follow which, as callers see it: refused when they are registered, and named where somebody asks why nothing runs.
//!
//! Of a job in another namespace, no answer says whether it is there: one that does not let itself be followed looks like one that does
//! not exist.

use tickwheel_core::access::Sight;
use tickwheel_core::error::Violation;
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_store::Store;
use tickwheel_store::job::JobView;

use crate::error::Error;

/// Followers that a warning names.
const NAMED: usize = 10;

/// What is wrong with a follower whose upstream is not there, or does not let it follow.
pub(super) fn no_upstream(upstream: &JobName, follower: &JobName) -> Violation {
    let namespace = follower.namespace();
    let rule = if upstream.namespace() == namespace {
        "is a registered job, or one of the request".to_owned()
    } else {
        format!(
            "is a registered job, or one of the request, that has `{namespace}` in its `followed_by`: ask its owner for that"
        )
    };
    Violation::new("trigger.after.job", rule, upstream)
}

/// Why no end starts a job that follows another one; `None` when one can, and of a job that follows none.
pub(super) async fn why_untold(store: &Store, view: &JobView) -> Result<Option<String>, Error> {
    let (follower, Trigger::After { job, .. }) = (&view.spec.name, &view.spec.trigger) else {
        return Ok(None);
    };
    if let Some(upstream) = store.get_job(job).await?
        && upstream.spec.lets_follow(follower)
    {
        return Ok(None);
    }
    let namespace = follower.namespace();
    Ok(Some(if job.namespace() == namespace {
        format!("no end starts it: `{job}` is not registered")
    } else {
        format!(
            "no end starts it: `{job}` is not registered, or does not have `{namespace}` in its `followed_by`"
        )
    }))
}

/// What whoever applies `spec` perhaps did not mean: jobs follow it, and its ends do not start them. Empty when there are none in sight.
pub(super) fn untold(spec: &JobSpec, followers: &[(JobName, AfterOn)], sight: &Sight) -> String {
    let mut untold: Vec<&str> = followers
        .iter()
        .filter(|(follower, _)| {
            !spec.lets_follow(follower) && sight.namespaces.matches(follower.namespace())
        })
        .map(|(follower, _)| follower.as_str())
        .collect();
    untold.sort_unstable();
    let named: Vec<String> = untold
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    match (named.join(", "), untold.len().saturating_sub(NAMED)) {
        (named, _) if named.is_empty() => named,
        (named, 0) => {
            format!("its ends do not start {named}, as `followed_by` does not name their namespace")
        }
        (named, more) => format!(
            "its ends do not start {named} and {more} more, as `followed_by` does not name their namespaces"
        ),
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::id::{GroupName, HandlerName};

    use super::*;

    fn name(text: &str) -> JobName {
        JobName::new(text).unwrap()
    }

    fn spec(followed_by: &[&str]) -> JobSpec {
        let handler = HandlerName::new("h").unwrap();
        let mut spec = JobSpec::new(
            name("a/close"),
            GroupName::default(),
            handler,
            Trigger::Manual,
        );
        spec.followed_by = followed_by.iter().map(|one| one.parse().unwrap()).collect();
        spec
    }

    #[test]
    fn only_followers_without_consent_are_named() {
        let all = Sight::everything();
        let followers: Vec<_> = ["c/y", "b/report", "a/own", "c/x"]
            .map(|follower| (name(follower), AfterOn::Ended))
            .into();
        assert_eq!(untold(&spec(&["b", "c"]), &followers, &all), "");
        assert_eq!(
            untold(&spec(&["b"]), &followers, &all),
            "its ends do not start `c/x`, `c/y`, as `followed_by` does not name their namespace"
        );
        let many: Vec<_> = (0..12)
            .map(|number| (name(&format!("n{number}/x")), AfterOn::Ended))
            .collect();
        assert!(untold(&spec(&[]), &many, &all).contains("`n7/x` and 2 more, as"));
        let own = Sight {
            namespaces: tickwheel_core::access::Patterns::parse(["a"]).unwrap(),
            ..Sight::everything()
        };
        assert_eq!(
            untold(&spec(&[]), &followers, &own),
            "",
            "others are not seen"
        );
    }

    #[test]
    fn an_upstream_of_another_namespace_looks_the_same_whether_it_is_there_or_not() {
        let wrong = no_upstream(&name("a/close"), &name("b/report"));
        assert_eq!(
            wrong.to_string(),
            "trigger.after.job: is a registered job, or one of the request, that has `b` in its `followed_by`: ask its owner for that \
             (given: a/close)"
        );
    }
}

//! Jobs of one namespace that follow jobs of another: only where these name it, and no answer says whether they are there.

use tickwheel_proto::v1;
use tonic::Code;

use super::harness::{Caller, after, api, caller, every, invalid, job, refused};

fn followed_by(name: &str, namespaces: &[&str]) -> v1::JobSpec {
    v1::JobSpec {
        followed_by: namespaces.iter().map(|&one| one.to_owned()).collect(),
        ..job(name, api())
    }
}

async fn note(caller: &mut Caller, name: &str) -> String {
    let request = v1::PreviewJobRequest {
        name: name.to_owned(),
        ..v1::PreviewJobRequest::default()
    };
    let shown = caller.rpc.preview_job(request).await.unwrap().into_inner();
    shown.note
}

#[tokio::test]
async fn a_follower_without_consent_is_refused_as_one_of_nobody_is() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let registered = vec![followed_by("a/close", &[]), followed_by("a/open", &["b"])];
    caller.apply(registered).await.unwrap();
    let mut words = Vec::new();
    for upstream in ["a/close", "a/nobody"] {
        let jobs = vec![
            job("b/good", after("a/open")),
            job("b/report", after(upstream)),
            job("b/period", every(0)),
        ];
        // What cannot be read or is out of range is told first, and nothing is written.
        assert_eq!(
            invalid(caller.apply(jobs.clone()).await),
            ["jobs[2].trigger.fixed_rate.period_ms"]
        );
        let answer = caller.apply(jobs[..2].to_vec()).await;
        let mut violations = refused(answer, Code::InvalidArgument);
        assert_eq!(violations.len(), 1, "{violations:?}");
        let wrong = violations.remove(0);
        assert_eq!(wrong.field, "jobs[1].trigger.after.job");
        assert_eq!(wrong.given, upstream);
        assert!(wrong.rule.contains("has `b` in its `followed_by`"));
        words.push(wrong.rule);
        assert_eq!(
            caller.job("b/good").await.unwrap_err().code(),
            Code::NotFound
        );
    }
    assert_eq!(words[0], words[1]);
    // One of the request counts as it will be, and not as it is.
    let both = vec![
        job("b/report", after("a/close")),
        followed_by("a/close", &["c"]),
    ];
    let fields = invalid(caller.apply(both).await);
    assert_eq!(fields, ["jobs[0].trigger.after.job"]);
    let both = vec![
        job("b/report", after("a/close")),
        followed_by("a/close", &["b"]),
        job("a/own", after("a/close")),
    ];
    caller.apply(both).await.unwrap();
}

#[tokio::test]
async fn consent_that_is_withdrawn_is_told_to_both_sides() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let both = vec![
        followed_by("a/close", &["b"]),
        job("b/report", after("a/close")),
    ];
    let applied = caller.apply(both).await.unwrap();
    assert!(applied.iter().all(|one| one.warning.is_empty()));
    let works = note(&mut caller, "b/report").await;
    assert_eq!(works, "runs when `a/close` has succeeded");

    let applied = caller.apply(vec![followed_by("a/close", &[])]).await;
    let warning = applied.unwrap().remove(0).warning;
    assert!(
        warning.contains("its ends do not start `b/report`"),
        "{warning}"
    );
    let why =
        "no end starts it: `a/close` is not registered, or does not have `b` in its `followed_by`";
    let shown = note(&mut caller, "b/report").await;
    assert!(shown.ends_with(why), "{shown}");
    let now = caller.now().await;
    let explained = caller.explain("b/report", now).await.text;
    assert!(explained.contains(why), "{explained}");
    let again = caller.apply(vec![job("b/report", after("a/close"))]).await;
    assert_eq!(invalid(again), ["jobs[0].trigger.after.job"]);

    // Whoever registers it anew is told of those that wait for it.
    let delete = super::harness::deleting("a/close", true);
    caller.rpc.delete_job(delete).await.unwrap();
    assert!(note(&mut caller, "b/report").await.ends_with(why));
    let applied = caller.apply(vec![followed_by("a/close", &[])]).await;
    let warning = applied.unwrap().remove(0).warning;
    assert!(warning.contains("`b/report`"), "{warning}");
    let applied = caller.apply(vec![followed_by("a/close", &["b"])]).await;
    assert_eq!(applied.unwrap().remove(0).warning, "");
    assert_eq!(note(&mut caller, "b/report").await, works);
}

#[tokio::test]
async fn the_namespaces_that_may_follow_are_names_and_bounded() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let wrong = vec![
        followed_by("a/x", &["b", "c/d", "", "*"]),
        followed_by("a/y", &["b", "b"]),
    ];
    let fields = invalid(caller.apply(wrong).await);
    let expected = [
        "jobs[0].followed_by[1]",
        "jobs[0].followed_by[2]",
        "jobs[0].followed_by[3]",
    ];
    assert_eq!(fields, expected);
    let many: Vec<String> = (0..101).map(|number| format!("n{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let answer = caller.apply(vec![followed_by("a/x", &many)]).await;
    assert_eq!(refused(answer, Code::InvalidArgument).len(), 1);
    let most = vec![followed_by("a/x", &many[..100])];
    caller.apply(most).await.unwrap();
    let kept = caller.job("a/x").await.unwrap().spec.unwrap();
    assert_eq!(kept.followed_by.len(), 100);
}

//! Changes of a job that hold only for the revision that was read.

use tickwheel_core::id::JobName;
use tickwheel_core::job::Trigger;
use tickwheel_proto::v1;
use tickwheel_proto::v1::trigger::Kind;
use tonic::Code;

use super::client::{Http, Reply, served};
use crate::harness::{after, api, job};

const JOB: &str = "/jobs/a:b";

async fn put(http: &Http, description: &str, condition: (&str, &str)) -> Reply {
    let text =
        format!(r#"{{"handler": "close", "trigger": "manual", "description": "{description}"}}"#);
    http.ask("PUT", JOB, &[condition], text.as_bytes()).await
}

fn etag(reply: &Reply) -> (u16, Option<String>) {
    (reply.status, reply.header("etag"))
}

fn refused(reply: &Reply) -> (u16, String) {
    let code = reply.problem()["code"].as_str().unwrap().to_owned();
    (reply.status, code)
}

#[tokio::test]
async fn who_has_read_an_older_revision_changes_nothing() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let changed = (412, "CHANGED".to_owned());
    assert_eq!(
        refused(&put(&http, "a", ("If-Match", "\"1\"")).await),
        changed
    );
    let made = put(&http, "a", ("If-None-Match", "*")).await;
    assert_eq!(etag(&made), (200, Some("\"1\"".to_owned())));
    assert_eq!(
        refused(&put(&http, "b", ("If-None-Match", "*")).await),
        changed
    );
    let second = put(&http, "b", ("If-Match", "\"1\"")).await;
    assert_eq!(etag(&second), (200, Some("\"2\"".to_owned())));
    let late = put(&http, "c", ("If-Match", "\"1\"")).await;
    assert_eq!(refused(&late), changed);
    let detail = late.problem()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("has revision 2 now"), "{detail}");
    // Whose answer was lost asks the same again, and is told what it did.
    let again = put(&http, "b", ("If-Match", "\"1\"")).await;
    assert_eq!(etag(&again), (200, Some("\"2\"".to_owned())));
    let now = http.get(JOB).await;
    assert_eq!(now.json()["spec"]["description"], "b");

    let late = http.ask("DELETE", JOB, &[("If-Match", "\"1\"")], b"").await;
    assert_eq!(refused(&late), changed);
    let gone = http
        .ask(
            "DELETE",
            JOB,
            &[("If-Match", now.header("etag").unwrap().as_str())],
            b"",
        )
        .await;
    assert_eq!(gone.status, 200);
    let gone = http.ask("DELETE", JOB, &[("If-Match", "\"2\"")], b"").await;
    assert_eq!(refused(&gone), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn the_name_of_a_job_is_that_of_its_path() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for (name, status) in [
        ("\"a/b\"", 200),
        ("null", 200),
        ("\"a/c\"", 400),
        ("7", 400),
    ] {
        let text = format!(r#"{{"name": {name}, "handler": "close", "trigger": "manual"}}"#);
        let reply = http.ask("PUT", JOB, &[], text.as_bytes()).await;
        assert_eq!(reply.status, status, "{name}");
        if status == 400 {
            assert_eq!(reply.fields(), ["name"], "{name}");
        }
    }
    let wrong = http
        .ask("PUT", JOB, &[], b"{\"handlr\": 1, \"trigger\": \"manual\"}")
        .await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.fields().contains(&"handlr".to_owned()),
        "{:?}",
        wrong.fields()
    );
}

#[tokio::test]
async fn a_revision_goes_with_one_job() {
    let Some((mut caller, _http)) = served().await else {
        return;
    };
    let request = |names: &[&str], if_revision| v1::ApplyJobsRequest {
        jobs: names.iter().map(|name| job(name, api())).collect(),
        if_revision: Some(if_revision),
        ..v1::ApplyJobsRequest::default()
    };
    let two = caller.rpc.apply_jobs(request(&["a/b", "a/c"], 0)).await;
    assert_eq!(two.unwrap_err().code(), Code::InvalidArgument);
    caller.rpc.apply_jobs(request(&["a/b"], 0)).await.unwrap();
    let mut dry = request(&["a/b"], 7);
    dry.dry_run = true;
    dry.jobs[0].description = "another".to_owned();
    let foreseen = caller.rpc.apply_jobs(dry).await.unwrap_err();
    assert_eq!(foreseen.code(), Code::FailedPrecondition);
}

/// A change of the follower that was read in this revision.
fn following(
    revision: u64,
    on: v1::trigger::after::On,
    description: String,
) -> v1::ApplyJobsRequest {
    let mut trigger = after("a/up");
    if let Kind::After(after) = &mut trigger {
        after.on = on.into();
    }
    v1::ApplyJobsRequest {
        jobs: vec![v1::JobSpec {
            description,
            ..job("a/down", trigger)
        }],
        if_revision: Some(revision),
        ..v1::ApplyJobsRequest::default()
    }
}

#[tokio::test]
async fn a_change_that_came_too_late_leaves_the_edge_of_the_one_that_did_not() {
    use v1::trigger::after::On;
    let Some((mut caller, _http)) = served().await else {
        return;
    };
    let store = caller.store().await;
    caller.apply(vec![job("a/up", api())]).await.unwrap();
    let name = |text: &str| text.parse::<JobName>().unwrap();
    for revision in 0..40 {
        let (mut one, mut other) = (caller.rpc.clone(), caller.rpc.clone());
        let (one, other) = tokio::join!(
            one.apply_jobs(following(revision, On::Failed, format!("one {revision}"))),
            other.apply_jobs(following(revision, On::Ended, format!("other {revision}"))),
        );
        assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
        let down = store.get_job(&name("a/down")).await.unwrap().unwrap();
        let up = store.get_job(&name("a/up")).await.unwrap().unwrap();
        let Trigger::After { on, .. } = down.spec.trigger else {
            panic!("{:?}", down.spec.trigger);
        };
        assert_eq!(up.followers, [(name("a/down"), on)], "round {revision}");
    }
}

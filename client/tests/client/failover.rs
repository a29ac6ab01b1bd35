//! Which calls are made again, and where.

use std::time::Duration;

use tickwheel_client::{Client, Error, RefusalKind, Submission};
use tickwheel_proto::v1;
use tonic::Status;

use crate::double::{Double, nobody};

fn named(name: &str) -> v1::Job {
    v1::Job {
        spec: Some(v1::JobSpec {
            name: name.to_owned(),
            ..v1::JobSpec::default()
        }),
        ..v1::Job::default()
    }
}

fn accepted(id: &str) -> v1::SubmitResponse {
    v1::SubmitResponse {
        contexts: vec![v1::Submitted {
            id: id.to_owned(),
            ..v1::Submitted::default()
        }],
    }
}

#[tokio::test]
async fn a_tracker_that_cannot_be_reached_is_passed_by_whatever_the_call_does() {
    let (double, url) = Double::start().await;
    double.script(|script| script.submits.push_back(Ok(accepted("0.1.a"))));
    let client = Client::builder([nobody().await, url]).lazy().unwrap();
    let run = client.send(Submission::to("close")).await.unwrap();
    assert_eq!(run.id(), "0.1.a");
}

#[tokio::test]
async fn connecting_finds_the_tracker_that_is_there() {
    let (double, url) = Double::start().await;
    double.script(|script| script.jobs.push_back(Ok(named("a/b"))));
    let client = Client::connect([nobody().await, url]).await.unwrap();
    assert_eq!(client.get_job("a/b").await.unwrap(), named("a/b"));
}

#[tokio::test]
async fn nobody_listening_is_unavailable_and_names_the_trackers() {
    let (one, other) = (nobody().await, nobody().await);
    let error = Client::connect([one.clone(), other.clone()])
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { unsent: true, .. }),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(text.contains(&one) && text.contains(&other), "{text}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn what_only_reads_is_asked_again_at_the_next_tracker() {
    let ((first, one), (second, other)) = (Double::start().await, Double::start().await);
    first.script(|script| {
        script
            .jobs
            .push_back(Err(Status::unavailable("redis is away")));
    });
    second.script(|script| script.jobs.push_back(Ok(named("a/b"))));
    let client = Client::connect([one, other]).await.unwrap();
    client.get_job("a/b").await.unwrap();
    assert_eq!(
        (first.script(|s| s.calls), second.script(|s| s.calls)),
        (1, 1)
    );
}

#[tokio::test]
async fn a_submission_without_a_key_is_not_made_again_when_nobody_knows_what_became_of_it() {
    let ((first, one), (second, other)) = (Double::start().await, Double::start().await);
    first.script(|script| {
        script
            .submits
            .push_back(Err(Status::unavailable("redis is away")));
    });
    second.script(|script| script.submits.push_back(Ok(accepted("0.1.a"))));
    let client = Client::connect([one, other]).await.unwrap();
    let error = client.send(Submission::to("close")).await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { unsent: false, .. }),
        "{error:?}"
    );
    assert_eq!(second.script(|script| script.calls), 0);
}

#[tokio::test]
async fn a_submission_with_a_key_is() {
    let ((first, one), (second, other)) = (Double::start().await, Double::start().await);
    first.script(|script| {
        script
            .submits
            .push_back(Err(Status::unavailable("redis is away")));
    });
    second.script(|script| script.submits.push_back(Ok(accepted("0.1.a"))));
    let client = Client::connect([one, other]).await.unwrap();
    let keyed = Submission::to("close").dedup_key("order 7");
    assert_eq!(client.send(keyed).await.unwrap().id(), "0.1.a");
}

#[tokio::test]
async fn a_refusal_is_no_reason_to_ask_another_tracker() {
    let ((first, one), (second, other)) = (Double::start().await, Double::start().await);
    first.script(|script| script.jobs.push_back(Err(Status::not_found("no job a/b"))));
    let client = Client::connect([one, other]).await.unwrap();
    let error = client.get_job("a/b").await.unwrap_err();
    assert_eq!(
        error.refusal().map(|refusal| refusal.kind),
        Some(RefusalKind::NotFound)
    );
    assert_eq!(error.to_string(), "no job a/b");
    assert_eq!(second.script(|script| script.calls), 0);
}

#[tokio::test]
async fn trying_ends_with_the_deadline_or_with_the_tries() {
    let (double, url) = Double::start().await;
    double.script(|script| {
        for _ in 0..1_000 {
            script
                .jobs
                .push_back(Err(Status::unavailable("redis is away")));
        }
    });
    let builder = Client::builder([url]).timeout(Duration::from_millis(300));
    let client = builder.clone().connect().await.unwrap();
    let error = client.get_job("a/b").await.unwrap_err();
    assert!(error.to_string().contains("redis is away"), "{error}");
    let calls = double.script(|script| std::mem::take(&mut script.calls));
    assert!((2..100).contains(&calls), "{calls}");
    let once = builder.tries(1).connect().await.unwrap();
    once.get_job("a/b").await.unwrap_err();
    assert_eq!(double.script(|script| script.calls), 1);
}

//! What travels, and what comes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tickwheel_client::{Client, Durability, Error, Reuse, Submission, Task};
use tickwheel_proto::v1;

use crate::double::Double;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct CloseOrder {
    id: u64,
}

impl Task for CloseOrder {
    const HANDLER: &'static str = "close";
    const GROUP: &'static str = "orders";
    type Output = Option<String>;
}

async fn client() -> (Double, Client) {
    let (double, url) = Double::start().await;
    double.script(|script| {
        script.submits.push_back(Ok(v1::SubmitResponse {
            contexts: vec![v1::Submitted {
                id: "0.1.a".to_owned(),
                ..v1::Submitted::default()
            }],
        }));
    });
    let client = Client::connect([url]).await.expect("a client");
    (double, client)
}

fn context(state: v1::ContextState, result: &'static [u8], error: &str) -> v1::Context {
    v1::Context {
        id: "0.1.a".to_owned(),
        state: state.into(),
        result: result.into(),
        error: error.to_owned(),
        ..v1::Context::default()
    }
}

#[tokio::test]
async fn a_task_names_its_handler_and_its_group() {
    let (double, client) = client().await;
    client
        .durable(Durability::Fsynced)
        .submit(&CloseOrder { id: 7 })
        .await
        .unwrap();
    let sent = double
        .script(|script| script.submitted.pop())
        .expect("a submission");
    assert_eq!(
        (sent.group.as_str(), sent.handler.as_str()),
        ("orders", "close")
    );
    assert_eq!(sent.body, r#"{"id":7}"#);
    assert_eq!(
        double.script(|script| script.durability.take()).as_deref(),
        Some("fsynced")
    );
}

#[tokio::test]
async fn what_a_submission_says_travels() {
    let submission = Submission::of(&CloseOrder { id: 7 })
        .unwrap()
        .delay(Duration::from_secs(90))
        .dedup_key("order 7")
        .dedup_keep(Duration::from_secs(60))
        .dedup_reuse(Reuse::Replace)
        .priority(4)
        .timeout(Duration::from_secs(5))
        .options(|options| options.fail_on_lease_lost = true);
    let sent = submission.into_message();
    assert_eq!(sent.when, Some(v1::submission::When::DelayMs(90_000)));
    assert_eq!(
        (sent.dedup_key.as_str(), sent.dedup_keep_ms),
        ("order 7", Some(60_000))
    );
    assert_eq!(sent.dedup_reuse(), v1::DedupReuse::Replace);
    let options = sent.options.expect("options");
    assert_eq!(
        (options.priority, options.timeout_ms),
        (Some(4), Some(5_000))
    );
    assert!(options.fail_on_lease_lost);
}

#[tokio::test]
async fn a_result_is_what_the_handler_returned() {
    for (bytes, expected) in [(&b"\"closed\""[..], Some("closed")), (b"", None)] {
        let (double, client) = client().await;
        double.script(|script| {
            // The tracker answers at its limit, and is asked again.
            script
                .waits
                .push_back(Ok(context(v1::ContextState::Running, b"", "")));
            script
                .waits
                .push_back(Ok(context(v1::ContextState::Succeeded, bytes, "")));
        });
        let run = client.submit(&CloseOrder { id: 7 }).await.unwrap();
        assert_eq!(run.result(None).await.unwrap().as_deref(), expected);
    }
}

#[tokio::test]
async fn an_end_without_success_says_why_and_a_wrong_result_says_where() {
    let (double, client) = client().await;
    double.script(|script| {
        script
            .waits
            .push_back(Ok(context(v1::ContextState::TimedOut, b"", "took 5s")));
        script
            .waits
            .push_back(Ok(context(v1::ContextState::Succeeded, b"[]", "")));
        script
            .waits
            .push_back(Ok(context(v1::ContextState::Ready, b"", "")));
    });
    let run = client.submit(&CloseOrder { id: 7 }).await.unwrap();
    let error = run.result(None).await.unwrap_err();
    assert_eq!(error.to_string(), "0.1.a has ended as timed_out: took 5s");
    let error = run.result(None).await.unwrap_err();
    assert!(matches!(error, Error::Json { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the result of `close` does not fit its type: "),
        "{error}"
    );
    let error = run.result(Some(Duration::ZERO)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "0.1.a has not ended in time; it is ready"
    );
}

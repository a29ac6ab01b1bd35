//! Contexts: submitted, listed, awaited, cancelled and tried again.

use bytes::Bytes;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tonic::Code;

use super::harness::{Caller, api, caller, job, refused, submission};

/// A context that ends as expired after a millisecond, as nobody runs it.
async fn expired(caller: &mut Caller, deadline_ms: u64) -> String {
    let options = Some(v1::ContextOptions {
        start_deadline_ms: Some(deadline_ms),
        ..Default::default()
    });
    let submitted = caller.submit(vec![v1::Submission {
        options,
        ..submission(0)
    }]);
    let id = submitted.await.unwrap().remove(0).id;
    assert_eq!(caller.ended(&id).await.state(), ContextState::Expired);
    id
}

#[tokio::test]
async fn a_batch_is_accepted_as_a_whole_and_keeps_its_order() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let contexts = (0..1_000_u64).map(|number| v1::Submission {
        body: Bytes::from(format!("{{\"n\":{}}}", (1_u64 << 53) + number)),
        ..submission(3_600_000)
    });
    let submitted = caller.submit(contexts.collect()).await.unwrap();
    assert_eq!(submitted.len(), 1_000);
    for (number, one) in (0_u64..).zip(&submitted).step_by(333) {
        let context = caller.context(&one.id).await.unwrap();
        let body = format!("{{\"n\":{}}}", (1_u64 << 53) + number);
        assert_eq!(context.body, body, "integers stay exact");
        assert_eq!(context.state(), ContextState::Scheduled);
        assert!(
            context.waiting_reason.starts_with("it is due at"),
            "{context:?}"
        );
    }
}

#[tokio::test]
async fn a_taken_key_answers_by_its_reuse_policy_and_says_what_it_found() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let keyed = |reuse: v1::DedupReuse| v1::Submission {
        dedup_key: "order:7 注文".to_owned(),
        dedup_keep_ms: Some(60_000),
        dedup_reuse: reuse.into(),
        ..submission(60_000)
    };
    let mut submit = async |reuse| {
        let request = v1::SubmitRequest {
            contexts: vec![keyed(reuse)],
        };
        let answer = caller.rpc.submit(request).await.unwrap().into_inner();
        answer.contexts.into_iter().next().unwrap()
    };
    let first = submit(v1::DedupReuse::Reject).await;
    assert!(!first.duplicate && !first.rejected);
    let same = submit(v1::DedupReuse::Unspecified).await;
    assert_eq!(
        (&same.id, same.duplicate, same.rejected),
        (&first.id, true, false)
    );
    assert_eq!(same.state(), ContextState::Scheduled);
    let rejected = submit(v1::DedupReuse::Reject).await;
    assert_eq!((&rejected.id, rejected.rejected), (&first.id, true));
    assert_eq!(rejected.state(), ContextState::Scheduled);
    let replaced = submit(v1::DedupReuse::Replace).await;
    assert_eq!(
        (&replaced.replaced_id, replaced.duplicate),
        (&first.id, false)
    );

    let request = v1::FindContextRequest {
        dedup_key: "order:7 注文".to_owned(),
        ..v1::FindContextRequest::default()
    };
    let found = caller.rpc.find_context(request.clone()).await.unwrap();
    assert_eq!(found.into_inner().id, replaced.id);
    let state = caller.context(&first.id).await.unwrap().state();
    assert_eq!(state, ContextState::Cancelled);

    // Cancelled before it started: the key is free.
    let reference = v1::ContextRef { id: replaced.id };
    caller.rpc.cancel_context(reference).await.unwrap();
    let unknown = caller.rpc.find_context(request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let request = v1::SubmitRequest {
        contexts: vec![keyed(v1::DedupReuse::Reject)],
    };
    let again = caller.rpc.submit(request).await.unwrap().into_inner();
    assert!(!again.contexts[0].duplicate);
}

#[tokio::test]
async fn each_namespace_has_contexts_and_keys_of_its_own() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let of = |namespace: &str| v1::Submission {
        namespace: namespace.to_owned(),
        dedup_key: "order-7".to_owned(),
        ..submission(60_000)
    };
    let request = v1::SubmitRequest {
        contexts: ["", "eu", "default", "us", "eu"].map(of).to_vec(),
    };
    let answer = caller.rpc.submit(request).await.unwrap().into_inner();
    let [default, eu, again, us, eu_again] = &answer.contexts[..] else {
        panic!("{answer:?}")
    };
    assert!(
        default.id.ends_with(char::is_alphanumeric),
        "{}",
        default.id
    );
    assert!(
        eu.id.ends_with("@eu/") && us.id.ends_with("@us/"),
        "{answer:?}"
    );
    assert_eq!((&again.id, again.duplicate), (&default.id, true));
    assert_eq!((&eu_again.id, eu_again.duplicate), (&eu.id, true));
    for (namespace, one) in [("", default), ("default", default), ("eu", eu), ("us", us)] {
        let request = v1::FindContextRequest {
            dedup_key: "order-7".to_owned(),
            namespace: namespace.to_owned(),
            job: String::new(),
        };
        let found = caller.rpc.find_context(request).await.unwrap().into_inner();
        assert_eq!((&found.id, found.job.as_str()), (&one.id, ""));
    }
    for (namespace, job, field) in [
        ("a/b", "", "namespace"),
        ("--help", "", "namespace"),
        ("eu", "eu/x", "namespace"),
    ] {
        let request = v1::FindContextRequest {
            dedup_key: "order-7".to_owned(),
            namespace: namespace.to_owned(),
            job: job.to_owned(),
        };
        let refused = caller.rpc.find_context(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with(field), "{refused}");
    }
    let request = v1::SubmitRequest {
        contexts: vec![of("../eu")],
    };
    let refused = caller.rpc.submit(request).await.unwrap_err();
    assert!(
        refused.message().contains("contexts[0].namespace"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_dedup_key_answers_with_the_first_one() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let keyed = v1::Submission {
        dedup_key: "order-7".to_owned(),
        dedup_keep_ms: Some(60_000),
        ..submission(3_600_000)
    };
    let first = caller.submit(vec![keyed.clone()]).await.unwrap().remove(0);
    let both = caller
        .submit(vec![keyed, submission(3_600_000)])
        .await
        .unwrap();
    assert_eq!((&both[0].id, both[0].duplicate), (&first.id, true));
    assert!(!first.duplicate && !both[1].duplicate);
    assert_ne!(both[1].id, first.id);
}

#[tokio::test]
async fn an_unknown_handler_is_accepted_and_shown_as_waiting_for_a_worker() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let id = caller
        .submit(vec![submission(0)])
        .await
        .unwrap()
        .remove(0)
        .id;
    let mut context = caller.context(&id).await.unwrap();
    while context.state() != ContextState::Ready {
        context = caller.context(&id).await.unwrap();
    }
    assert!(
        context.waiting_reason.contains("no worker offers it"),
        "{context:?}"
    );
    assert_eq!(
        (context.group.as_str(), context.handler.as_str()),
        ("default", "mail")
    );
}

#[tokio::test]
async fn a_list_filters_by_state_job_and_group() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let elsewhere = v1::Submission {
        group: "reports".to_owned(),
        ..submission(3_600_000)
    };
    caller
        .submit(vec![submission(3_600_000), elsewhere])
        .await
        .unwrap();
    caller.apply(vec![job("asked", api())]).await.unwrap();
    let run = caller.run("asked").await.unwrap().id;
    let all = async |caller: &mut Caller, mut request: v1::ListContextsRequest| {
        let mut ids = Vec::new();
        loop {
            let page = caller.rpc.list_contexts(request.clone()).await.unwrap();
            let page = page.into_inner();
            ids.extend(page.contexts.into_iter().map(|context| context.id));
            if page.next_cursor.is_empty() {
                return ids;
            }
            request.cursor = page.next_cursor;
        }
    };
    let request = v1::ListContextsRequest {
        page_size: 1,
        ..Default::default()
    };
    assert_eq!(all(&mut caller, request.clone()).await.len(), 3);
    let scheduled = v1::ListContextsRequest {
        state: ContextState::Scheduled.into(),
        ..request.clone()
    };
    assert_eq!(all(&mut caller, scheduled.clone()).await.len(), 2);
    let of_group = v1::ListContextsRequest {
        group: "reports".to_owned(),
        ..scheduled
    };
    assert_eq!(all(&mut caller, of_group).await.len(), 1);
    let of_job = v1::ListContextsRequest {
        job: "asked".to_owned(),
        ..request
    };
    assert_eq!(all(&mut caller, of_job).await, [run]);
}

#[tokio::test]
async fn what_waits_is_cancelled_once() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let id = caller.submit(vec![submission(3_600_000)]).await.unwrap()[0]
        .id
        .clone();
    let request = v1::ContextRef { id };
    let cancelled = caller.rpc.cancel_context(request.clone()).await.unwrap();
    let context = cancelled.into_inner().context.unwrap();
    assert_eq!(context.state(), ContextState::Cancelled);
    assert!(context.waiting_reason.is_empty() && context.ended_ms > 0);
    let again = caller.rpc.cancel_context(request).await;
    refused(again, Code::FailedPrecondition);
}

#[tokio::test]
async fn what_ended_without_success_runs_again_and_nothing_else_does() {
    let Some(mut caller) = caller().await else {
        return;
    };
    // Its deadline counts anew when it is asked to run again, and is not to be over before the answer.
    let id = expired(&mut caller, 1_000).await;
    let again = caller.rpc.retry_context(v1::ContextRef { id }).await;
    assert_eq!(again.unwrap().into_inner().state(), ContextState::Ready);
    let waiting = caller.submit(vec![submission(3_600_000)]).await.unwrap()[0]
        .id
        .clone();
    let request = v1::ContextRef { id: waiting };
    refused(
        caller.rpc.retry_context(request.clone()).await,
        Code::FailedPrecondition,
    );
    caller.rpc.cancel_context(request.clone()).await.unwrap();
    refused(
        caller.rpc.retry_context(request).await,
        Code::FailedPrecondition,
    );
}

#[tokio::test]
async fn waiting_ends_with_the_context_or_with_the_time_limit() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let id = caller.submit(vec![submission(3_600_000)]).await.unwrap()[0]
        .id
        .clone();
    let request = v1::WaitContextRequest {
        id: id.clone(),
        timeout_ms: 50,
    };
    let seen = caller.rpc.wait_context(request).await.unwrap().into_inner();
    assert_eq!(seen.state(), ContextState::Scheduled);
    let mut other = caller.rpc.clone();
    let request = v1::WaitContextRequest {
        id: id.clone(),
        timeout_ms: 10_000,
    };
    let waiting = tokio::spawn(async move { other.wait_context(request).await });
    caller
        .rpc
        .cancel_context(v1::ContextRef { id })
        .await
        .unwrap();
    let seen = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(seen.state(), ContextState::Cancelled);
}

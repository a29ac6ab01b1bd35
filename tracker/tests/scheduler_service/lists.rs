//! Lists of runs: each filter, what an answer says of itself, and what is refused.

use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tonic::Code;

use super::harness::{Caller, caller, invalid, refused, submission};

async fn page(caller: &mut Caller, request: v1::ListContextsRequest) -> v1::ListContextsResponse {
    let page = caller.rpc.list_contexts(request).await;
    page.unwrap().into_inner()
}

fn ids(page: &v1::ListContextsResponse) -> Vec<&str> {
    page.contexts.iter().map(|one| one.id.as_str()).collect()
}

/// One that expires at once.
fn expiring(handler: &str) -> v1::Submission {
    v1::Submission {
        options: Some(v1::ContextOptions {
            start_deadline_ms: Some(1),
            ..v1::ContextOptions::default()
        }),
        handler: handler.to_owned(),
        ..submission(0)
    }
}

#[tokio::test]
async fn an_answer_says_how_much_was_looked_at_and_since_when_it_is_complete() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let waiting = caller.submit(vec![submission(3_600_000); 6]).await.unwrap();
    let ended = caller.submit(vec![expiring("one")]).await.unwrap();
    let end = caller.ended(&ended[0].id).await;

    let all = page(&mut caller, v1::ListContextsRequest::default()).await;
    assert_eq!((all.contexts.len(), all.next_cursor.as_str()), (7, ""));
    assert_eq!(all.contexts[6].id, end.id, "what has ended comes last");
    let looked = all.looked.unwrap();
    assert!(
        looked.entries >= 7 && looked.of >= looked.entries,
        "{looked:?}"
    );
    let horizon = all.horizon.unwrap();
    assert_eq!(
        (horizon.complete_since_ms, horizon.reason.as_str()),
        (0, "")
    );

    let due = v1::ListContextsRequest {
        order: v1::ListOrder::Due.into(),
        page_size: 4,
        ..Default::default()
    };
    let due = page(&mut caller, due).await;
    assert_eq!((due.contexts.len(), due.horizon), (4, None));
    assert!(due.next_cursor.len() < 128, "{}", due.next_cursor);

    let none = v1::ListContextsRequest {
        handler: "nobody".to_owned(),
        max_look: 1,
        ..Default::default()
    };
    let none = page(&mut caller, none).await;
    let looked = none.looked.unwrap();
    // Two of each of four partitions.
    assert!(
        none.contexts.is_empty() && looked.entries <= 8,
        "{looked:?}"
    );

    let mut one = v1::ListContextsRequest {
        id: waiting[2].id.clone(),
        ..Default::default()
    };
    assert_eq!(ids(&page(&mut caller, one.clone()).await), [&waiting[2].id]);
    one.states = vec![ContextState::Ready.into()];
    assert!(page(&mut caller, one.clone()).await.contexts.is_empty());
    one.states = vec![ContextState::Ready.into(), ContextState::Scheduled.into()];
    one.order = v1::ListOrder::Due.into();
    assert_eq!(page(&mut caller, one.clone()).await.contexts.len(), 1);
    one.id = "0.1.nobody".to_owned();
    assert!(page(&mut caller, one).await.contexts.is_empty());
}

#[tokio::test]
async fn the_filters_of_the_end_leave_out_what_has_not_ended() {
    let Some(mut caller) = caller().await else {
        return;
    };
    caller.submit(vec![submission(3_600_000)]).await.unwrap();
    let ended = caller
        .submit(vec![expiring("one"), expiring("two")])
        .await
        .unwrap();
    let mut ends = Vec::new();
    for one in &ended {
        ends.push(caller.ended(&one.id).await);
    }
    let deadline = v1::ListContextsRequest {
        error: "START deadline".to_owned(),
        ..Default::default()
    };
    assert_eq!(page(&mut caller, deadline.clone()).await.contexts.len(), 2);
    let of_two = v1::ListContextsRequest {
        handler: "two".to_owned(),
        ended_from_ms: Some(ends[1].ended_ms),
        ended_to_ms: Some(ends[1].ended_ms + 1),
        states: vec![ContextState::Expired.into(), ContextState::Succeeded.into()],
        ..deadline
    };
    assert_eq!(
        ids(&page(&mut caller, of_two.clone()).await),
        [&ended[1].id]
    );
    let later = v1::ListContextsRequest {
        ended_to_ms: None,
        ended_from_ms: Some(ends[1].ended_ms + 1),
        ..of_two
    };
    assert!(page(&mut caller, later).await.contexts.is_empty());
    let dead = v1::ListDeadRequest {
        filter: Some(v1::DeadFilter {
            ended_from_ms: Some(ends[0].ended_ms),
            due_to_ms: Some(ends[0].due_ms + 1),
            error: "DEADLINE".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let dead = caller.rpc.list_dead(dead).await.unwrap().into_inner();
    assert!(!dead.contexts.is_empty());
    assert!(dead.looked.unwrap().entries >= 2 && dead.horizon.is_some());
}

/// Requests that are wrong, each with the field that is named.
fn wrong() -> [(v1::ListContextsRequest, &'static str); 8] {
    let any = v1::ListContextsRequest::default;
    let cursor = |cursor: &str| v1::ListContextsRequest {
        cursor: cursor.to_owned(),
        ..any()
    };
    let id = |id: &str, cursor: &str| v1::ListContextsRequest {
        id: id.to_owned(),
        cursor: cursor.to_owned(),
        ..any()
    };
    let [mut size, mut look, mut worker, mut error] = [any(), any(), any(), any()];
    size.page_size = 1_001;
    look.max_look = 6_401;
    worker.worker = "no worker".to_owned();
    error.error = "x".repeat(1_025);
    [
        (size, "page_size"),
        (look, "max_look"),
        (worker, "worker"),
        (error, "error"),
        (cursor("0/held/"), "cursor"),
        (cursor(&"A".repeat(4_096)), "cursor"),
        (id("nonsense", ""), "id"),
        (id("0.1.a", "x"), "cursor"),
    ]
}

#[tokio::test]
async fn what_no_list_has_is_refused() {
    let Some(mut caller) = caller().await else {
        return;
    };
    for (request, field) in wrong() {
        assert_eq!(invalid(caller.rpc.list_contexts(request).await), [field]);
    }
    let many = v1::ListContextsRequest {
        states: vec![ContextState::Ready.into(); 12],
        ..Default::default()
    };
    refused(caller.rpc.list_contexts(many).await, Code::InvalidArgument);
    let dead = v1::ListDeadRequest {
        max_look: 6_401,
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.list_dead(dead).await), ["max_look"]);
    let filter = v1::DeadFilter {
        ended_from_ms: Some(5),
        ended_to_ms: Some(5),
        ..Default::default()
    };
    let dead = v1::ListDeadRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let refused = invalid(caller.rpc.list_dead(dead).await);
    assert_eq!(refused, ["filter.ended_to_ms"]);
}

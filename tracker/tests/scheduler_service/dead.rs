//! The dead over the service: listed, run again, forgotten, and what is refused.

use bytes::Bytes;
use tickwheel_proto::v1;
use tonic::Code;

use super::harness::{Caller, caller, invalid, refused, submission};

/// Submits contexts that expire at once, and waits until they are dead.
async fn bury(caller: &mut Caller, count: usize, handler: &str) -> Vec<String> {
    let options = v1::ContextOptions {
        start_deadline_ms: Some(1),
        ..v1::ContextOptions::default()
    };
    let contexts = (0..count).map(|_| v1::Submission {
        options: Some(options.clone()),
        handler: handler.to_owned(),
        body: Bytes::from_static(b"body"),
        ..submission(0)
    });
    let submitted = caller.submit(contexts.collect()).await.unwrap();
    let ids: Vec<String> = submitted.into_iter().map(|one| one.id).collect();
    for id in &ids {
        assert_eq!(caller.ended(id).await.state(), v1::ContextState::Expired);
    }
    ids
}

fn of_handler(handler: &str) -> Option<v1::DeadFilter> {
    Some(v1::DeadFilter {
        handler: handler.to_owned(),
        ..v1::DeadFilter::default()
    })
}

#[tokio::test]
async fn the_dead_are_listed_run_again_and_forgotten() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let ids = bury(&mut caller, 5, "one").await;
    bury(&mut caller, 3, "two").await;
    let list = v1::ListDeadRequest {
        filter: of_handler("one"),
        ..v1::ListDeadRequest::default()
    };
    let page = caller.rpc.list_dead(list).await.unwrap().into_inner();
    assert_eq!((page.contexts.len(), page.kept, page.dropped), (5, 8, 0));
    assert!(page.contexts.iter().all(|one| one.handler == "one"
        && one.group == "default"
        && one.state() == v1::ContextState::Expired
        && one.error.contains("start deadline")));

    let dry = v1::ChangeDeadRequest {
        filter: of_handler("two"),
        dry_run: true,
        ..v1::ChangeDeadRequest::default()
    };
    let mut matched = 0;
    let mut request = dry.clone();
    loop {
        let step = caller
            .rpc
            .purge_dead(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(step.changed, 0);
        matched += step.matched;
        request.cursor = step.next_cursor;
        if request.cursor.is_empty() {
            break;
        }
    }
    assert_eq!(matched, 3);

    let some = v1::ChangeDeadRequest {
        ids: ids[..2].to_vec(),
        ..v1::ChangeDeadRequest::default()
    };
    let step = caller.rpc.requeue_dead(some).await.unwrap().into_inner();
    assert_eq!((step.matched, step.changed, step.gone), (2, 2, 0));
    // Nobody takes them, and each has a start deadline of its own again.
    for id in &ids[..2] {
        assert_eq!(caller.ended(id).await.state(), v1::ContextState::Expired);
    }

    let mut request = v1::ChangeDeadRequest {
        all: true,
        ..v1::ChangeDeadRequest::default()
    };
    let mut purged = 0;
    loop {
        let step = caller
            .rpc
            .purge_dead(request.clone())
            .await
            .unwrap()
            .into_inner();
        purged += step.changed;
        request.cursor = step.next_cursor;
        if request.cursor.is_empty() {
            break;
        }
    }
    assert_eq!(purged, 8);
    let page = caller.rpc.list_dead(v1::ListDeadRequest::default()).await;
    assert_eq!(page.unwrap().into_inner().kept, 0);
}

/// Filters that are wrong, each with the field that is named.
fn wrong_filters() -> [(v1::DeadFilter, &'static str); 4] {
    [
        (
            v1::DeadFilter {
                state: v1::ContextState::Succeeded.into(),
                ..v1::DeadFilter::default()
            },
            "filter.state",
        ),
        (
            v1::DeadFilter {
                state: 99,
                ..v1::DeadFilter::default()
            },
            "filter.state",
        ),
        (
            v1::DeadFilter {
                group: "no group".to_owned(),
                ..v1::DeadFilter::default()
            },
            "filter.group",
        ),
        (
            v1::DeadFilter {
                job: "no job".to_owned(),
                ..v1::DeadFilter::default()
            },
            "filter.job",
        ),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_changed() {
    let Some(mut caller) = caller().await else {
        return;
    };
    bury(&mut caller, 1, "one").await;
    for (filter, field) in wrong_filters() {
        let request = v1::ListDeadRequest {
            filter: Some(filter.clone()),
            ..v1::ListDeadRequest::default()
        };
        assert_eq!(invalid(caller.rpc.list_dead(request).await), [field]);
        let request = v1::ChangeDeadRequest {
            filter: Some(filter),
            ..v1::ChangeDeadRequest::default()
        };
        assert_eq!(invalid(caller.rpc.purge_dead(request).await), [field]);
    }
    let nothing = v1::ChangeDeadRequest::default();
    assert_eq!(invalid(caller.rpc.purge_dead(nothing).await), ["filter"]);
    let both = v1::ChangeDeadRequest {
        all: true,
        filter: of_handler("one"),
        ..v1::ChangeDeadRequest::default()
    };
    assert_eq!(invalid(caller.rpc.purge_dead(both).await), ["filter"]);
    let bad_id = v1::ChangeDeadRequest {
        ids: vec!["0.1.a-1".to_owned(), "nonsense".to_owned()],
        ..v1::ChangeDeadRequest::default()
    };
    assert_eq!(invalid(caller.rpc.requeue_dead(bad_id).await), ["ids[1]"]);
    let unknown = v1::ChangeDeadRequest {
        ids: vec!["0.1.a-1".to_owned()],
        ..v1::ChangeDeadRequest::default()
    };
    refused(caller.rpc.requeue_dead(unknown).await, Code::NotFound);
    let cursor = v1::ChangeDeadRequest {
        all: true,
        cursor: "nonsense".to_owned(),
        ..v1::ChangeDeadRequest::default()
    };
    assert_eq!(invalid(caller.rpc.purge_dead(cursor).await), ["cursor"]);
    let page = caller.rpc.list_dead(v1::ListDeadRequest::default()).await;
    assert_eq!(page.unwrap().into_inner().kept, 1);
}

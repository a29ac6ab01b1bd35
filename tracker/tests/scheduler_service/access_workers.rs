//! Workers that show tokens: who is let in, and when they have to go.

use std::time::Duration;

use tickwheel_proto::v1;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{Hello, TrackerMessage, WorkerMessage};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Code, Request, Status, Streaming};

use crate::guarded::{Guarded, guarded, of_workers, scope};

const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn hello() -> Hello {
    Hello {
        worker_id: "mill-00000001".to_owned(),
        group: "g".to_owned(),
        handlers: vec!["grind".to_owned()],
        permits: 4,
        ..Hello::default()
    }
}

/// What is not as its token says.
type Change = fn(&mut Hello);

/// A stream that was welcomed, and the way to say more on it.
pub(crate) struct Welcomed {
    say: mpsc::Sender<WorkerMessage>,
    heard: Streaming<TrackerMessage>,
}

pub(crate) async fn come(
    guarded: &Guarded,
    token: Option<&str>,
    hello: Hello,
) -> Result<Welcomed, Status> {
    let (say, said) = mpsc::channel(16);
    let first = WorkerMessage {
        hello: Some(hello),
        ..WorkerMessage::default()
    };
    say.send(first).await.unwrap();
    let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(said));
    if let Some(token) = token {
        let shown = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", shown);
    }
    let mut client = WorkerServiceClient::connect(guarded.caller.url())
        .await
        .unwrap();
    let mut heard = client.session(request).await?.into_inner();
    let first = tokio::time::timeout(LIMIT, heard.message())
        .await
        .unwrap()?;
    assert!(first.unwrap().welcome.is_some());
    Ok(Welcomed { say, heard })
}

/// Has a worker of group `g` come, and waits until it is listed; its id. Its stream goes with the test.
pub(crate) async fn listed(guarded: &Guarded) -> String {
    let token = guarded.make(of_workers("g")).await;
    let welcomed = come(guarded, Some(&token), hello()).await.unwrap();
    let id = hello().worker_id;
    let heartbeat = WorkerMessage {
        heartbeat: Some(v1::Heartbeat {
            primary: true,
            ..v1::Heartbeat::default()
        }),
        ..WorkerMessage::default()
    };
    let end = Instant::now() + LIMIT;
    loop {
        welcomed.say.send(heartbeat.clone()).await.unwrap();
        let all = v1::ListWorkersRequest::default();
        let all = guarded.api(&guarded.admin).list_workers(all).await;
        if all
            .unwrap()
            .into_inner()
            .workers
            .iter()
            .any(|worker| worker.id == id)
        {
            break;
        }
        assert!(Instant::now() < end, "the worker is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            if welcomed.say.send(heartbeat.clone()).await.is_err() {
                break;
            }
        }
    });
    id
}

#[tokio::test]
async fn a_worker_is_what_its_token_says_or_is_refused_by_name() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let reach = v1::Scope {
        handlers: vec!["grind".to_owned(), "bake-*".to_owned()],
        ..of_workers("g")
    };
    let token = guarded.make(reach).await;
    drop(come(&guarded, Some(&token), hello()).await.unwrap());
    let wrong: [(&str, Change); 4] = [
        ("hello.group", |h| h.group = "other".to_owned()),
        ("hello.handlers", |h| h.handlers.push("brew".to_owned())),
        ("hello.worker_id", |h| {
            h.worker_id = "mall-00000001".to_owned();
        }),
        ("hello.permits", |h| h.permits = 9),
    ];
    for (field, change) in wrong {
        let mut hello = hello();
        change(&mut hello);
        let refused = come(&guarded, Some(&token), hello)
            .await
            .err()
            .expect(field);
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
        assert!(refused.message().contains(field), "{field}: {refused:?}");
    }
    let none = come(&guarded, None, hello()).await.err().unwrap();
    assert_eq!(none.code(), Code::Unauthenticated);
    let none = come(&guarded, Some("tw_none"), hello())
        .await
        .err()
        .unwrap();
    assert_eq!(none.code(), Code::Unauthenticated);
    let admin = guarded.make(scope(v1::Role::Admin)).await;
    let refused = come(&guarded, Some(&admin), hello()).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let told = |events: &[v1::AuditEvent]| {
        let refused = events.iter().filter(|event| event.method == "Session");
        refused.map(|event| event.count).sum::<u64>() == 7
    };
    guarded.audit(told).await;
    // It may do nothing else.
    let calls = guarded.call_as(&token, "ListWorkers", Vec::new()).await;
    assert_eq!(calls.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let Some(guarded) = guarded().await else {
        return;
    };
    for by in ["revocation", "expiry", "rotation"] {
        let valid = (by == "expiry").then_some(1_500);
        let token = guarded
            .try_make(&guarded.admin, of_workers("g"), valid)
            .await
            .unwrap();
        let mut stream = come(&guarded, Some(&token), hello()).await.unwrap();
        match by {
            "revocation" => guarded.revoke(&token).await,
            "rotation" => {
                let request = v1::RotateTokenRequest {
                    id: crate::guarded::id_of(&token),
                    grace_ms: Some(0),
                };
                let made = guarded.api(&guarded.admin).rotate_token(request).await;
                let fresh = made.unwrap().into_inner().text;
                drop(
                    come(
                        &guarded,
                        Some(&fresh),
                        Hello {
                            worker_id: "mill-00000002".to_owned(),
                            ..hello()
                        },
                    )
                    .await
                    .unwrap(),
                );
            }
            _ => {}
        }
        let began = Instant::now();
        let ended = loop {
            // Whoever may not stay is not heard, whatever it goes on to say.
            stream.say.try_send(WorkerMessage::default()).ok();
            let heard = tokio::time::timeout(Duration::from_millis(50), stream.heard.message());
            match heard.await {
                Err(_) | Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => panic!("{by}: ended without a word"),
                Ok(Err(status)) => break status,
            }
            assert!(began.elapsed() < LIMIT, "{by}: the stream goes on");
        };
        assert_eq!(ended.code(), Code::Unauthenticated, "{by}: {ended:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{by}");
        let mut workers = guarded.api(&guarded.admin);
        let end = Instant::now() + LIMIT;
        loop {
            let listed = workers
                .list_workers(v1::ListWorkersRequest::default())
                .await;
            let listed = listed.unwrap().into_inner().workers;
            if listed.iter().all(|worker| worker.id != "mill-00000001") {
                break;
            }
            assert!(Instant::now() < end, "{by}: {listed:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

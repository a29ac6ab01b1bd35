//! Messages that are too long, too full or no messages: refused by name, before anything of them is done.

use bytes::Bytes;
use tickwheel_proto::v1;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tonic::{Code, Status};

use super::harness::{caller, invalid, refused, submission};
use super::raw::{call, methods, taken};

#[tokio::test]
async fn what_is_no_message_is_the_callers_mistake_in_every_method() {
    let Some(caller) = caller().await else {
        return;
    };
    for method in methods() {
        for bytes in [&b"\xff"[..], b"\x0a\x05abc", &[0xff; 200]] {
            let answer = call(&caller.channel, method, Bytes::new()).await;
            if let Err(status) = answer {
                assert_ne!(status.code(), Code::Internal, "{}: {status:?}", method.name);
            }
            let answer = call(&caller.channel, method, Bytes::copy_from_slice(bytes)).await;
            refused(answer, Code::InvalidArgument);
        }
    }
}

#[tokio::test]
async fn a_million_empty_entries_are_refused_by_the_name_of_their_list() {
    let Some(caller) = caller().await else {
        return;
    };
    for (message, tag, field) in [
        ("ApplyJobsRequest", 0x0a, "jobs"),
        ("SubmitRequest", 0x0a, "contexts"),
        ("ChangeDeadRequest", 0x12, "ids"),
        ("GroupLimits", 0x22, "keys"),
    ] {
        let full = Bytes::from([tag, 0].repeat(1 << 20));
        for method in methods().filter(|method| taken(method) == message) {
            let fields = invalid(call(&caller.channel, method, full.clone()).await);
            assert_eq!(fields, [field], "{}", method.name);
        }
    }
}

#[tokio::test]
async fn a_message_too_long_is_refused_with_the_bound_it_breaks() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let large = v1::Submission {
        body: Bytes::from(vec![b'x'; 250_000]),
        ..submission(3_600_000)
    };
    for count in [17, 100] {
        let violations = refused(
            caller.submit(vec![large.clone(); count]).await,
            Code::InvalidArgument,
        );
        assert_eq!(violations[0].rule, "has at most 4194304 bytes");
        assert!(violations[0].given.ends_with(" bytes"), "{violations:?}");
    }
    assert_eq!(caller.submit(vec![large; 16]).await.unwrap().len(), 16);
    // An answer ends behind the body that brings it to 2 MiB.
    let (mut pages, mut request) = (Vec::new(), v1::ListContextsRequest::default());
    loop {
        let page = caller.rpc.list_contexts(request.clone()).await.unwrap();
        let page = page.into_inner();
        pages.push(page.contexts.len());
        request.cursor = page.next_cursor;
        if request.cursor.is_empty() {
            break;
        }
    }
    assert_eq!(pages.iter().sum::<usize>(), 16, "{pages:?}");
    assert!(pages.iter().all(|page| *page < 10), "{pages:?}");
}

fn hello() -> v1::WorkerMessage {
    let hello = v1::Hello {
        worker_id: "w-1".to_owned(),
        handlers: vec!["mail".to_owned()],
        permits: 1,
        ..v1::Hello::default()
    };
    v1::WorkerMessage {
        hello: Some(hello),
        ..v1::WorkerMessage::default()
    }
}

/// How the stream of a worker ends that sends this behind its Hello.
async fn ended_by(frame: v1::WorkerMessage) -> Option<Status> {
    let caller = caller().await?;
    let mut workers = WorkerServiceClient::new(caller.channel.clone());
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    sender.send(hello()).await.unwrap();
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = workers.session(stream).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().unwrap().welcome.is_some());
    sender.send(frame).await.unwrap();
    loop {
        match answers.message().await {
            Ok(said) => assert!(said.is_some(), "it ended without a word"),
            Err(status) => return Some(status),
        }
    }
}

#[tokio::test]
async fn a_frame_beyond_a_bound_ends_the_stream_and_says_which() {
    let settle = vec![v1::Settlement::default(); 4_097];
    let frame = v1::WorkerMessage {
        settle,
        ..v1::WorkerMessage::default()
    };
    let Some(status) = ended_by(frame).await else {
        return;
    };
    let violations = refused::<()>(Err(status), Code::InvalidArgument);
    assert_eq!(violations[0].field, "settle");

    let line = v1::LogLine {
        line: "x".repeat(2 << 20),
        ..v1::LogLine::default()
    };
    let frame = v1::WorkerMessage {
        log: vec![line],
        ..v1::WorkerMessage::default()
    };
    let status = ended_by(frame).await.unwrap();
    let violations = refused::<()>(Err(status), Code::ResourceExhausted);
    let expected = "has at most 1572864 bytes, as `Welcome.frame_bytes_max` says";
    assert_eq!(
        (violations[0].field.as_str(), violations[0].rule.as_str()),
        ("frame", expected)
    );
}

//! Answers that are slow, endless or none, and calls that are stopped.

use std::time::Duration;

use serde_json::json;
use tickwheel_http_handler::HttpHandler;
use tickwheel_worker::{CancelReason, CancellationToken, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::scene::{LIMIT, call, failed, fatal, local};
use crate::server::Server;

/// Writes the head, and then a piece again and again, with a pause between.
async fn repeating(head: &'static str, piece: &'static str, pause: Duration) -> Server {
    Server::talking("127.0.0.1:0", move |_, mut stream, mut tasks| {
        tasks.spawn(async move {
            let mut written = stream.write_all(head.as_bytes()).await;
            while written.is_ok() {
                sleep(pause).await;
                written = stream.write_all(piece.as_bytes()).await;
            }
        });
        tasks
    })
    .await
}

const PAUSE: Duration = Duration::from_millis(5);
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn what_is_slow_is_given_up() {
    let harness = local();
    for server in [
        // No head; a head without an end; one interim answer after the other; a body without an end.
        repeating("", "", PAUSE).await,
        repeating("HTTP/1.1 200 OK\r\n", "", PAUSE).await,
        repeating("", "HTTP/1.1 100 Continue\r\n\r\n", PAUSE).await,
        repeating(CHUNKED, "1\r\nx\r\n", PAUSE).await,
        repeating("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "", PAUSE).await,
    ] {
        let body = json!({"url": server.url(), "timeout": "200ms"});
        let ran = call(&harness, &body).await;
        assert_eq!(failed(&ran), "took longer than 200ms");
    }
}

#[tokio::test]
async fn what_is_too_long_is_not_read_to_its_end() {
    let harness = local();
    let endless = repeating(
        CHUNKED,
        "10\r\n0123456789abcdef\r\n10\r\n0123456789abcdef\r\n",
        Duration::ZERO,
    )
    .await;
    let body = json!({"url": endless.url(), "max_response_bytes": 10_000, "timeout": "60s"});
    let said = fatal(&call(&harness, &body).await);
    assert_eq!(
        said,
        "the answer has more than 10000 bytes (max_response_bytes)"
    );
    let long = Server::answering(|_| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{}",
            "x".repeat(11)
        )
    })
    .await;
    for (most, fits) in [(11, true), (10, false), (0, false)] {
        let body = json!({"url": long.url(), "max_response_bytes": most});
        assert_eq!(call(&harness, &body).await.succeeded(), fits, "{most}");
    }
    // What failed by its status is not read at all.
    let failing = repeating(
        "HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n",
        "1\r\nx\r\n",
        PAUSE,
    )
    .await;
    let ran = call(&harness, &json!({"url": failing.url(), "timeout": "60s"})).await;
    assert_eq!(failed(&ran), "status 500");
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_that_shows_nothing_of_it() {
    let harness = local();
    let headers = |count: usize| -> String {
        let all = (0..count).map(|n| format!("x-{n}: secret\r\n"));
        all.collect()
    };
    for answer in [
        String::new(),
        "220 secret ESMTP\r\n".to_owned(),
        "-ERR secret\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nsecret".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nsecret".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nsecret\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", headers(10_000)),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "secret".repeat(100_000)),
    ] {
        let server = Server::answering(move |_| answer.clone()).await;
        let ran = call(
            &harness,
            &json!({"url": server.url(), "keep_response": true}),
        )
        .await;
        let said = failed(&ran);
        assert!(said.starts_with("the answer is not HTTP/1.1"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_at_once() {
    for (reason, outcome) in [
        (CancelReason::Requested, Some(Outcome::Cancelled)),
        (CancelReason::Fenced, None),
        (CancelReason::Draining, None),
    ] {
        let (closed, mut told) = mpsc::unbounded_channel();
        let server = Server::talking("127.0.0.1:0", move |_, mut stream, mut tasks| {
            let closed = closed.clone();
            tasks.spawn(async move {
                // Ends when the other side closes.
                let read = stream.read(&mut [0; 1]).await.unwrap_or(0);
                closed.send(read).ok();
            });
            tasks
        })
        .await;
        let (harness, cancel) = (local(), CancellationToken::new());
        let body = json!({"url": server.url(), "timeout": "10m"});
        let run = harness
            .call(HttpHandler::NAME)
            .body(&body)
            .grace(LIMIT * 10)
            .cancel_on(cancel.clone(), reason)
            .run();
        let stop = async {
            server.asked().await;
            cancel.cancel();
        };
        let both = async { tokio::join!(run, stop).0 };
        let ran = timeout(LIMIT, both).await.unwrap();
        assert_eq!(ran.outcome, outcome);
        let read = timeout(LIMIT, told.recv()).await.unwrap();
        assert_eq!(read, Some(0), "the connection is closed");
    }
}

#[tokio::test]
async fn the_time_of_the_attempt_ends_the_call_as_well() {
    let server = repeating("", "", PAUSE).await;
    let harness = local();
    let ran = harness
        .call(HttpHandler::NAME)
        .body(&json!({"url": server.url(), "timeout": "10m"}))
        .timeout(Duration::from_millis(50))
        .run();
    let ran = timeout(LIMIT, ran).await.unwrap();
    assert_eq!(ran.outcome, Some(Outcome::TimedOut));
}

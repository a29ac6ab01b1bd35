//! Connections that are kept, and those that are open when a tracker stops.

use std::time::Duration;

use tickwheel_tracker::Tracker;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::client::{Reply, served};
use crate::harness::configured;

/// The next answer on a connection.
async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Reply {
    loop {
        if let Some((reply, rest)) = Reply::parse(buffer) {
            *buffer = rest.to_vec();
            return reply;
        }
        let read = stream.read_buf(buffer).await.unwrap();
        assert!(read > 0, "closed: {}", String::from_utf8_lossy(buffer));
    }
}

#[tokio::test]
async fn a_connection_has_many_requests_one_after_the_other_and_at_once() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let mut stream = TcpStream::connect(http.address).await.unwrap();
    let mut buffer = Vec::new();
    let request = b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let body = r#"{"handler": "h", "delay": "1h"}"#;
    let submission = format!(
        "POST /api/v1/submissions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for number in 0..200 {
        let request = if number % 2 == 0 {
            &request[..]
        } else {
            submission.as_bytes()
        };
        stream.write_all(request).await.unwrap();
        assert_eq!(next(&mut stream, &mut buffer).await.status, 200);
    }
    stream.write_all(&request.repeat(50)).await.unwrap();
    for _ in 0..50 {
        assert_eq!(next(&mut stream, &mut buffer).await.status, 200);
    }
    // A probe's answer is the last one.
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let probed = next(&mut stream, &mut buffer).await;
    assert_eq!(probed.header("connection").as_deref(), Some("close"));
    assert_eq!(stream.read_buf(&mut buffer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_tracker_stops_under_open_connections() {
    let Some(mut config) = configured() else {
        return;
    };
    config.http_listen = Some(([127, 0, 0, 1], 0).into());
    let tracker = Tracker::start(config).await.unwrap();
    let address = tracker.http_addr().unwrap();
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = Vec::new();
        assert_eq!(next(&mut stream, &mut buffer).await.status, 200);
        open.push(stream);
    }
    // One waits for an end, one has said half of what it says, and one has said nothing.
    let mut waits = TcpStream::connect(address).await.unwrap();
    let body = r#"{"handler": "h", "delay": "1h"}"#;
    let submission = format!(
        "POST /api/v1/submissions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    waits.write_all(submission.as_bytes()).await.unwrap();
    let mut buffer = Vec::new();
    let submitted = next(&mut waits, &mut buffer).await.json();
    let id = submitted["items"][0]["id"]
        .as_str()
        .unwrap()
        .replace('/', ":");
    // It came with another one, whose answer says that both have been read.
    let both = format!(
        "GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n\
         POST /api/v1/runs/{id}:wait?timeout=15s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    waits.write_all(both.as_bytes()).await.unwrap();
    assert_eq!(next(&mut waits, &mut buffer).await.status, 200);
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET /api/v1/jobs HTT").await.unwrap();
    let silent = TcpStream::connect(address).await.unwrap();

    let began = Instant::now();
    tracker.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let told = next(&mut waits, &mut buffer).await;
    assert_eq!(
        (told.status, told.problem()["code"].as_str().unwrap()),
        (503, "UNAVAILABLE")
    );
    drop((open, half, silent));
}

//! Streams of server-sent events: how they look, where they go on, and what a connection has for them.

use std::time::Duration;

use serde_json::Value;
use tickwheel_proto::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Http, served};
use crate::guarded::{guarded, scope};
use crate::harness::{Caller, submission};

/// One who reads a stream as a browser does.
struct Reader {
    stream: TcpStream,
    bytes: Vec<u8>,
    head: String,
}

/// An event as it came.
#[derive(Debug)]
struct Told {
    id: String,
    kind: String,
    data: Value,
}

impl Reader {
    async fn open(http: Http, query: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(http.address).await.unwrap();
        let request = format!(
            "GET /api/v1/stream?{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reader = Self {
            stream,
            bytes: Vec::new(),
            head: String::new(),
        };
        reader.head = reader.until("\r\n\r\n").await;
        reader
    }

    /// What comes before a mark, which comes within ten seconds.
    async fn until(&mut self, mark: &str) -> String {
        loop {
            let marked = self.bytes.windows(mark.len());
            let mut marked = marked
                .enumerate()
                .filter(|(_, some)| *some == mark.as_bytes());
            if let Some((at, _)) = marked.next() {
                let rest = self.bytes.split_off(at + mark.len());
                let before = std::mem::replace(&mut self.bytes, rest);
                return String::from_utf8(before).unwrap();
            }
            let read = self.stream.read_buf(&mut self.bytes);
            let read = timeout(Duration::from_secs(10), read)
                .await
                .expect("nothing came");
            assert!(
                read.unwrap() > 0,
                "it ended: {}",
                String::from_utf8_lossy(&self.bytes)
            );
        }
    }

    /// The next event; sizes of chunks are lines of their own, and comments are passed by.
    async fn next(&mut self) -> Told {
        loop {
            let block = self.until("\n\n").await;
            let field = |name: &str| {
                let lines = block.lines();
                let mut found =
                    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                found.next().map(str::to_owned)
            };
            if let (Some(id), Some(kind), Some(data)) = (field("id"), field("event"), field("data"))
            {
                let data = serde_json::from_str(&data).unwrap();
                return Told { id, kind, data };
            }
        }
    }
}

async fn ends(caller: &mut Caller) -> String {
    let submitted = caller.submit(vec![submission(3_600_000)]).await.unwrap();
    let id = submitted.first().unwrap().id.clone();
    let request = v1::ContextRef { id: id.clone() };
    caller.rpc.cancel_context(request).await.unwrap();
    id
}

#[tokio::test]
async fn a_browser_is_told_what_is_going_on_and_goes_on_where_it_was() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let mut reader = Reader::open(http, "topic=now&topic=runs", "").await;
    assert!(reader.head.starts_with("HTTP/1.1 200"), "{}", reader.head);
    let head = reader.head.to_ascii_lowercase();
    for line in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "x-content-type-options: nosniff",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let retry = reader.until("\n\n").await;
    assert!(retry.contains("retry: "), "{retry}");
    let id = ends(&mut caller).await;
    let (mut now, mut runs) = (None, None);
    while now.is_none() || runs.is_none() {
        let told = reader.next().await;
        match told.kind.as_str() {
            "now" => now = Some(told),
            "runs" => runs = Some(told),
            other => panic!("{other}"),
        }
    }
    let runs = runs.unwrap();
    assert_eq!(runs.data["runs"][0]["id"], id);
    assert_eq!(runs.data["runs"][0]["state"], "cancelled");
    assert!(now.unwrap().data["totals"]["trackers"] == 1);
    drop(reader);
    let later = ends(&mut caller).await;
    let last = format!("Last-Event-ID: {}\r\n", runs.id);
    let mut reader = Reader::open(http, "topic=now&topic=runs", &last).await;
    loop {
        let told = reader.next().await;
        if told.kind == "runs" {
            let ids: Vec<&Value> = told.data["runs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| &run["id"])
                .collect();
            if ids.iter().any(|one| **one == later) {
                break;
            }
        }
    }
    let wrong = http.get("/stream?topic=runs&state=running&cursor=x").await;
    let fields = wrong.fields();
    assert!(
        fields.len() == 2 && fields.contains(&"cursor".to_owned()),
        "{fields:?}"
    );
    let unknown = http.get("/stream?topic=log%3A0.5.none").await;
    assert_eq!(
        (unknown.status, unknown.problem()["code"].as_str()),
        (404, Some("NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let http = Http {
        address: guarded.caller.http.unwrap(),
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let shown = format!("Authorization: Bearer {token}\r\n");
    let mut reader = Reader::open(http, "topic=runs", &shown).await;
    assert!(reader.head.starts_with("HTTP/1.1 200"));
    guarded.revoke(&token).await;
    let told = reader.next().await;
    assert_eq!(
        (told.kind.as_str(), told.data["retry_ms"].as_u64()),
        ("bye", Some(0))
    );
    // And the connection with it.
    let mut rest = Vec::new();
    let ended = reader.stream.read_to_end(&mut rest);
    timeout(Duration::from_secs(5), ended)
        .await
        .unwrap()
        .unwrap();
    let refused = http.ask_as(&token, "GET", "/stream?topic=runs", "").await;
    assert_eq!(refused.status, 401);
}

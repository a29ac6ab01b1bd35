//! Whatever bytes are sent, the answer is an envelope, or a refusal of the surface; and what is answered with an error wrote nothing.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tickwheel_proto::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::client::{Http, Reply, served};
use super::client::{code, envelope, task};
use crate::harness::Caller;

const REQUESTS: usize = 1_500;
/// Of a request that a broken byte ends early, so that the rest of it is another one.
const TWO_IN_ONE: u64 = 13_530_012_892_116_633_241;

/// What the surface answers to what is no request of its own.
const REFUSALS: [u16; 7] = [400, 404, 405, 408, 421, 431, 505];

const PIECES: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "1",
    "2",
    "-1",
    "1e400",
    "9007199254740993",
    "\"type\"",
    "\"format\"",
    "\"callback\"",
    "\"url\"",
    "\"body\"",
    "\"task_id\"",
    "\"* * * * *\"",
    "\"4102444800\"",
    "\"1000000000\"",
    "\"https://example.com\"",
    "\"http://127.0.0.1\"",
    "\\ud800",
    "\\u0000",
    "/",
    "\u{202e}ä",
];

fn some(random: &mut StdRng, most: usize) -> Vec<u8> {
    let count = random.random_range(0..most);
    let mut bytes = Vec::new();
    for _ in 0..count {
        if random.random_bool(0.1) {
            bytes.push(random.random());
        } else {
            bytes.extend(PIECES.choose(random).unwrap().as_bytes());
        }
    }
    bytes
}

/// Something that nearly is a task, or is one.
fn nearly(random: &mut StdRng) -> Vec<u8> {
    if random.random_bool(0.2) {
        let time = [(1, "*/7 * * * *"), (2, "4102444800")].choose(random);
        let (kind, format) = *time.unwrap();
        return task(kind, format).into_bytes();
    }
    let mut pick = |from: &[&str]| from.choose(random).copied().unwrap().to_owned();
    let kind = pick(&["1", "2", "3", "null", "\"1\""]);
    let format = pick(&[
        "\"* * * * *\"",
        "\"0 1 * * *\"",
        "\"4102444800\"",
        "\"1000000000\"",
        "\"\"",
        "7",
    ]);
    let url = pick(&[
        "\"https://example.com/\"",
        "\"https://example.com/\"",
        "\"http://10.0.0.1/\"",
        "\"x\"",
        "{}",
    ]);
    let body = pick(&["{}", "{\"n\": 1e400}", "[]", "null"]);
    let mut text =
        format!(r#"{{"type":{kind},"format":{format},"callback":{{"url":{url},"body":{body}}}}}"#)
            .into_bytes();
    if random.random_bool(0.2) {
        let at = random.random_range(0..text.len());
        text[at] = random.random();
    }
    if random.random_bool(0.1) {
        text.truncate(random.random_range(0..text.len()));
    }
    text
}

/// A request, and whether it has an end, so that its answer can be waited for. One without an end creates nothing.
fn request(random: &mut StdRng) -> (Vec<u8>, bool) {
    let (method, path) = *[
        ("POST", "/xcron/createTask"),
        ("POST", "/xcron/createTask"),
        ("POST", "/xcron/deleteTask"),
        ("GET", "/xcron/queryTask"),
        ("PUT", "/xcron/createTask"),
        ("POST", "/xcron/other"),
    ]
    .choose(random)
    .unwrap();
    let query = if random.random_bool(0.5) {
        let bytes = some(random, 4);
        let shown: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        format!("?task_id={shown}")
    } else {
        String::new()
    };
    let body = match method {
        "GET" => Vec::new(),
        _ if random.random_bool(0.6) => nearly(random),
        _ => some(random, 20),
    };
    let kind = if random.random_bool(0.9) {
        "application/json"
    } else {
        "text/plain"
    };
    let mut ends = random.random_bool(0.95);
    let length = if ends { body.len() } else { body.len() + 3 };
    let head = format!(
        "{method} {path}{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let mut bytes = [head.into_bytes(), body].concat();
    if path != "/xcron/createTask" && random.random_bool(0.1) {
        let at = random.random_range(0..bytes.len());
        bytes[at] = random.random();
        ends = false;
    }
    (bytes, ends)
}

/// The task that was created, if one was.
async fn answered(http: Http, bytes: &[u8], ends: bool) -> Option<String> {
    let mut stream = TcpStream::connect(http.address).await.unwrap();
    stream.write_all(bytes).await.ok();
    if !ends {
        // The rest of it would be waited for.
        stream.shutdown().await.ok();
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    if answer.is_empty() {
        assert!(!ends, "no answer to {}", String::from_utf8_lossy(bytes));
        return None;
    }
    let sent = String::from_utf8_lossy(bytes);
    let (mut rest, mut created) = (answer.as_slice(), None);
    while !rest.is_empty() {
        // A broken byte may end a request early, and then what follows is another one, which is answered too.
        assert!(!ends || rest.len() == answer.len(), "two answers to {sent}");
        let parsed = Reply::parse(rest);
        let (reply, after) = parsed.unwrap_or_else(|| panic!("half an answer to {sent}"));
        created = created.or(judged(&reply, &sent));
        rest = after;
    }
    created
}

/// The task that an answer says was created; it panics at what is no answer of the surface.
fn judged(reply: &Reply, sent: &str) -> Option<String> {
    if reply.status != 200 {
        assert!(
            REFUSALS.contains(&reply.status),
            "{} to {sent}",
            reply.status
        );
        return None;
    }
    let envelope = envelope(reply);
    let (code, _) = code(&envelope);
    assert!(
        code == 0 || (1000..1500).contains(&code),
        "{envelope} to {sent}"
    );
    let id = envelope["data"]["task_id"].as_str()?;
    Some(format!("xcron/{id}"))
}

async fn jobs(caller: &mut Caller) -> BTreeSet<String> {
    let (mut names, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let request = v1::ListJobsRequest {
            page_size: 1_000,
            cursor,
            ..v1::ListJobsRequest::default()
        };
        let page = caller.rpc.list_jobs(request).await.unwrap().into_inner();
        let jobs = page.jobs.into_iter();
        names.extend(jobs.map(|job| job.spec.unwrap().name));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            return names;
        }
    }
}

#[tokio::test]
async fn whatever_is_sent_is_answered_whole_and_done_whole() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let mut created = BTreeSet::new();
    for seed in [TWO_IN_ONE, rand::random()] {
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        for _ in 0..REQUESTS {
            let (bytes, ends) = request(&mut random);
            created.extend(answered(http, &bytes, ends).await);
        }
    }
    assert!(created.len() > 10, "{} of them were tasks", created.len());
    // What was told to be created is there, and nothing else.
    assert_eq!(jobs(&mut caller).await, created);
}

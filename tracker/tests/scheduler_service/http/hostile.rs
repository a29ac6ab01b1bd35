//! What is sent to do harm.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tickwheel_api::routes::Operation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::client::{Http, served};

fn answers(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches("HTTP/1.1 ").count()
}

fn status(bytes: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("{text:?}"))
}

#[tokio::test]
async fn deep_and_long_bodies_are_refused() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for deep in [
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(150_000),
        "[".repeat(65) + &"]".repeat(65),
    ] {
        for path in [
            "/submissions",
            "/jobs:apply",
            "/dead:purge",
            "/jobs/a:b:run",
        ] {
            let reply = http.post(path, &deep).await;
            assert_eq!(reply.fields(), [""], "{path}");
        }
    }
    let long = vec![b' '; 8 << 20];
    let reply = http.ask("POST", "/jobs:apply", &[], &long).await;
    assert_eq!(
        (reply.status, reply.problem()["code"].as_str().unwrap()),
        (413, "TOO_LARGE")
    );
    // There, so much may come; it is no submission.
    let reply = http.ask("POST", "/submissions", &[], &long).await;
    assert_eq!(reply.status, 400);
    let announced = b"POST /api/v1/submissions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 99999999999\r\n\r\n";
    assert_eq!(status(&http.raw(announced).await), 413);
    let bodies = format!(r#"{{"handler": "h", "body": "{}"}}"#, "x".repeat(260_000));
    let many = format!("[{}]", vec![bodies; 20].join(","));
    let reply = http.post("/submissions", &many).await;
    assert_eq!(reply.fields(), [""], "no call of gRPC carries so much");
    let objects = format!("[{}]", vec!["{}"; 2_000_000].join(","));
    assert_eq!(http.post("/submissions", &objects).await.fields(), [""]);
}

#[tokio::test]
async fn heads_are_bounded() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let get = "GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n";
    let long = format!("{get}X: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&http.raw(long.as_bytes()).await), 431);
    let many: String = (0..150)
        .map(|number| format!("X-{number}: 1\r\n"))
        .collect();
    assert_eq!(
        status(&http.raw(format!("{get}{many}\r\n").as_bytes()).await),
        431
    );
}

#[tokio::test]
async fn where_a_request_ends_is_no_matter_of_opinion() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let inner = "GET /api/v1/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = "POST /api/v1/jobs/a:b:run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (request, expected) in [
        (
            format!("{post}Content-Length: 2\r\nContent-Length: 60\r\n\r\n{{}}{inner}"),
            &[400][..],
        ),
        (
            format!("{post}Content-Length: 2, 60\r\n\r\n{{}}{inner}"),
            &[400],
        ),
        (
            format!("{post}Content-Length: +2\r\n\r\n{{}}{inner}"),
            &[400],
        ),
        (
            format!(
                "{post}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n{inner}"
            ),
            &[404, 400],
        ),
        (
            format!(
                "{post}Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
            &[404, 400],
        ),
        (
            format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}"),
            &[400],
        ),
        (
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"),
            &[400],
        ),
        (
            format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}"),
            &[400],
        ),
    ] {
        let answer = http.raw(request.as_bytes()).await;
        assert!(
            expected.contains(&status(&answer)),
            "{request:?}: {}",
            status(&answer)
        );
        assert_eq!(
            answers(&answer),
            1,
            "{request:?}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test]
async fn ends_of_lines_in_names_end_no_line() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for path in [
        "/jobs/a%0d%0aX-Evil:%201",
        "/jobs/a%00b",
        "/jobs?prefix=%0d%0aSet-Cookie:%20a",
    ] {
        let reply = http.get(path).await;
        assert!(
            reply.status < 500
                && !reply.head.to_lowercase().contains("evil")
                && !reply.head.contains("Set-Cookie")
        );
    }
    for request in [
        "GET /api/v1/jobs\r\nHost: evil HTTP/1.1\r\n\r\n",
        "GET /api/v1/jobs HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET  /api/v1/jobs HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(
            status(&http.raw(request.as_bytes()).await),
            400,
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_drips_in_is_given_up_and_others_are_answered_meanwhile() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let began = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(http.address).await.unwrap();
        let head = "POST /api/v1/submissions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 1000000\r\n\r\n[";
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        let asked = Instant::now();
        let probe = http
            .raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        assert_eq!(status(&probe), 200);
        assert_eq!(http.get("/jobs").await.status, 200);
        assert!(asked.elapsed() < Duration::from_secs(1));
    }
    for mut stream in slow {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(status(&answer), 408);
    }
    let took = began.elapsed();
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(18)).contains(&took),
        "{took:?}"
    );
}

/// Some piece of a request, or bytes that are none.
fn piece(random: &mut StdRng) -> Vec<u8> {
    const PIECES: [&str; 30] = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "1e400",
        "-1",
        "9007199254740993",
        "handler",
        "body",
        "retries",
        "\\ud800",
        "\\u0000",
        "ids",
        "trigger",
        "name",
        "@",
        "~",
        "%2F",
        "%FF",
        "..",
        "&",
        "=",
        "cursor",
        "page_size",
        "at",
        "1.1767225600000.f@a:b",
    ];
    if random.random_bool(0.2) {
        let length = random.random_range(1..9);
        return (0..length).map(|_| random.random()).collect();
    }
    PIECES
        .choose(random)
        .copied()
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}

fn pieces(random: &mut StdRng, most: usize) -> Vec<u8> {
    let count = random.random_range(0..most);
    (0..count).flat_map(|_| piece(random)).collect()
}

/// A request that has something of one.
fn request(random: &mut StdRng) -> Vec<u8> {
    let operation = Operation::ALL
        .choose(random)
        .copied()
        .unwrap_or(Operation::ListJobs);
    let row = operation.row();
    let method = if random.random_bool(0.9) {
        row.method.as_str()
    } else {
        "PATCH"
    };
    let name: String = if random.random_bool(0.5) {
        "a:b".to_owned()
    } else {
        let some = pieces(random, 4);
        some.iter().map(|byte| format!("%{byte:02X}")).collect()
    };
    let path = row
        .path
        .replace("{job}", &name)
        .replace("{run}", &name)
        .replace("{group}", &name);
    let query: String = if random.random_bool(0.5) {
        let some = pieces(random, 6);
        let shown = |byte: &u8| match byte {
            b'&' | b'=' => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        format!("?{}", some.iter().map(shown).collect::<String>())
    } else {
        String::new()
    };
    let body = if row.request.is_some() || random.random_bool(0.1) {
        pieces(random, 30)
    } else {
        Vec::new()
    };
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json\r\n"
    };
    let head = format!(
        "{method} /api/v1{path}{query} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut bytes = [head.into_bytes(), body].concat();
    if random.random_bool(0.1) {
        let at = random.random_range(0..bytes.len());
        bytes[at] = random.random();
    }
    bytes
}

async fn harmless(http: Http, bytes: &[u8]) {
    let mut stream = TcpStream::connect(http.address).await.unwrap();
    stream.write_all(bytes).await.ok();
    // What is no whole request would be waited for.
    stream.shutdown().await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    if !answer.is_empty() {
        let status = status(&answer);
        assert!(status < 500, "{status}: {}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn no_bytes_make_it_fail() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let seed = rand::random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..2_000 {
        let bytes = request(&mut random);
        harmless(http, &bytes).await;
    }
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..random.random_range(1..300))
            .map(|_| random.random())
            .collect();
        harmless(http, &bytes).await;
    }
    assert_eq!(http.get("/jobs").await.status, 200);
}

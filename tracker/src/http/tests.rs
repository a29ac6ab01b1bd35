//! The three paths over a real socket.

use metrics_exporter_prometheus::PrometheusRecorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::metrics;

/// The whole answer to `request`; the surface closes the connection.
async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The whole answer to a GET of `path`.
async fn get_path(address: SocketAddr, path: &str) -> String {
    ask(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
    .await
}

/// A surface on a port of its own.
struct Served {
    address: SocketAddr,
    health: Arc<Health>,
    recorder: PrometheusRecorder,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn served(connections: u32) -> Served {
    let recorder = metrics::recorder().unwrap();
    let health = Arc::new(Health::new());
    let surface = Surface {
        health: Arc::clone(&health),
        pulse: Arc::default(),
        metrics: recorder.handle(),
        api: None,
        xcron: None,
    };
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(
        listener,
        surface,
        (connections, Acceptor::Plain),
        stop.clone(),
    ));
    Served {
        address,
        health,
        recorder,
        stop,
        server,
    }
}

#[tokio::test]
async fn alive_ready_and_metrics_answer_until_stopped() {
    let served = served(8).await;
    let address = served.address;
    assert!(
        get_path(address, "/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let early = get_path(address, "/readyz").await;
    assert!(early.starts_with("HTTP/1.1 503"), "{early}");
    assert!(
        early.contains(r#""reasons":["redis has not answered yet"]"#),
        "{early}"
    );
    let secret = "redis is unavailable: MISCONF of 10.0.0.7";
    served.health.redis_refused(secret.to_owned());
    let red = get_path(address, "/readyz").await;
    assert!(
        red.contains(r#""reasons":["redis is unavailable"]"#),
        "{red}"
    );
    served.health.redis_answered();
    let ready = get_path(address, "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains(r#""ready":true"#),
        "{ready}"
    );
    ::metrics::with_local_recorder(&served.recorder, metrics::describe);
    assert!(
        get_path(address, "/metrics")
            .await
            .contains("tickwheel_build_info")
    );
    assert!(
        get_path(address, "/nothing")
            .await
            .starts_with("HTTP/1.1 404")
    );

    served.stop.cancel();
    served.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_has_one_answer() {
    let served = served(8).await;
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = ask(served.address, &request.repeat(400)).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn who_asks_under_a_foreign_name_or_none_is_refused() {
    let address = served(8).await.address;
    for (request, status) in [
        ("GET /metrics HTTP/1.1\r\n\r\n", 400),
        (
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            400,
        ),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (
            "GET /metrics HTTP/1.1\r\nHost: evil.example:7480\r\n\r\n",
            421,
        ),
        (
            "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
            421,
        ),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:7480\r\n\r\n", 200),
    ] {
        let answer = ask(address, request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{request:?}: {line}");
    }
}

#[tokio::test]
async fn a_probe_is_answered_while_others_hold_all_connections() {
    let served = served(32).await;
    let mut held = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // Half a request, or a whole one whose answer nobody reads.
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50);
        let sent = if number % 2 == 0 {
            "GET /met"
        } else {
            &request
        };
        // It may have been sent away already.
        stream.write_all(sent.as_bytes()).await.ok();
        held.push(stream);
        if number % 10 == 0 {
            let alive = get_path(served.address, "/healthz").await;
            assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
        }
    }
    assert!(get_path(served.address, "/healthz").await.contains("alive"));
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

//! The three paths over a real socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::metrics;

/// The whole answer to a GET of `path`.
async fn get_path(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn alive_ready_and_metrics_answer_until_stopped() {
    let recorder = metrics::recorder().unwrap();
    let health = Arc::new(Health::new());
    let surface = Surface {
        health: Arc::clone(&health),
        metrics: recorder.handle(),
    };
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router(surface), stop.clone()));

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
    health.redis_answered();
    let ready = get_path(address, "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains(r#""ready":true"#),
        "{ready}"
    );
    ::metrics::with_local_recorder(&recorder, metrics::describe);
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

    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

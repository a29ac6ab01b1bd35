//! What peers can hold of a tracker by doing nothing, and that its surfaces answer meanwhile.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::time::Duration;

use tickwheel_proto::v1;
use tickwheel_tracker::{Config, Error, Tracker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::harness::{Caller, configured, serving};

async fn caller(change: impl FnOnce(&mut Config)) -> Option<Caller> {
    let mut config = configured()?;
    change(&mut config);
    Some(serving(config).await)
}

/// When the other side has closed the connection.
async fn closed(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    // A reset is an end too.
    stream.read_to_end(&mut bytes).await.ok();
}

#[tokio::test]
async fn silent_connections_are_closed_after_five_seconds() {
    let Some(caller) = caller(|_| {}).await else {
        return;
    };
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(caller.address).await.unwrap());
    }
    for stream in silent {
        closed(stream).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(4));
    // Half a preface.
    let mut half = TcpStream::connect(caller.address).await.unwrap();
    half.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.unwrap();
    closed(half).await;
    assert!(began.elapsed() >= Duration::from_secs(13));
}

#[tokio::test]
async fn connections_are_as_many_as_configured() {
    let Some(mut caller) = caller(|config| config.grpc_connections = 3).await else {
        return;
    };
    let open = [
        TcpStream::connect(caller.address).await.unwrap(),
        TcpStream::connect(caller.address).await.unwrap(),
    ];
    // The caller has one itself.
    caller.now().await;
    closed(TcpStream::connect(caller.address).await.unwrap()).await;
    caller.now().await;
    drop(open);
}

#[tokio::test]
async fn a_port_that_is_taken_is_noticed_before_anybody_is_told() {
    let Some(mut config) = configured() else {
        return;
    };
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut first = serving(config.clone()).await;
    config.http_listen = Some(taken.local_addr().unwrap());
    let error = Tracker::start(config).await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }), "{error}");
    let cluster = first.rpc.get_cluster(v1::GetClusterRequest {}).await;
    assert_eq!(cluster.unwrap().into_inner().trackers.len(), 1);
}

#[tokio::test]
async fn every_address_of_the_machine_is_no_url_for_workers() {
    let Some(mut config) = configured() else {
        return;
    };
    config.grpc_listen = ([0, 0, 0, 0], 0).into();
    config.access.insecure_listen = true;
    let error = Tracker::start(config.clone()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("advertise_url") && text.contains("http://tracker-1.example:7400"),
        "{text}"
    );
    config.advertise_url = Some("http://tracker-1:7400".to_owned());
    Tracker::start(config).await.unwrap().stop().await;
}

fn alive(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = StdStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[tokio::test]
async fn liveness_is_answered_while_the_threads_that_turn_stand_still() {
    let listen = |config: &mut Config| config.http_listen = Some(([127, 0, 0, 1], 0).into());
    let Some(caller) = caller(listen).await else {
        return;
    };
    let address = caller.http.unwrap();
    let (sender, asked) = std::sync::mpsc::channel();
    let probe = std::thread::spawn(move || {
        let answer = alive(address);
        sender.send(()).unwrap();
        answer
    });
    // This runtime has one thread, and nothing of it runs until the probe has its answer.
    asked.recv_timeout(Duration::from_secs(10)).unwrap();
    let answer = probe.join().unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

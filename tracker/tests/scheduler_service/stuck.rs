//! A partition that cannot be turned is asked seldom, others go on, and the tracker says that it is not ready.

use std::time::Duration;

use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{Credit, Hello, WorkerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::harness::{configured, serving, submission};

fn credit(free: u32) -> WorkerMessage {
    WorkerMessage {
        credit: Some(Credit { free, received: 0 }),
        ..WorkerMessage::default()
    }
}

async fn asked(address: std::net::SocketAddr, path: &str) -> String {
    let mut http = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    http.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    http.read_to_string(&mut answer).await.unwrap();
    answer
}

/// `/readyz` says so, sooner or later.
async fn is_ready(address: std::net::SocketAddr) {
    let ready = async {
        while !asked(address, "/readyz").await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(30), ready).await;
    assert!(ready.is_ok(), "it is turned again, and /readyz says so");
}

#[tokio::test]
async fn a_damaged_partition_costs_little_and_is_named() {
    let Some(mut config) = configured() else {
        return;
    };
    config.http_listen = Some(([127, 0, 0, 1], 0).into());
    let prefix = config.prefix.clone();
    let mut caller = serving(config).await;
    let (say, said) = mpsc::channel(16);
    let hello = Hello {
        worker_id: "w-00000001".to_owned(),
        handlers: vec!["mail".to_owned()],
        permits: 50,
        ..Hello::default()
    };
    say.send(WorkerMessage {
        hello: Some(hello),
        ..credit(0)
    })
    .await
    .unwrap();
    let mut client = WorkerServiceClient::connect(caller.url()).await.unwrap();
    let _heard = client.session(ReceiverStream::new(said)).await.unwrap();
    // It waits in its partition, and the tracker knows of it.
    let first = caller.submit(vec![submission(0)]).await.unwrap();
    let number = first[0].id.split('.').next().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let wheel = format!("{{{prefix}:{number}}}:wheel");
    caller.redis(&format!("SET {wheel} x")).await;
    say.send(credit(50)).await.unwrap();
    let before = caller.calls("fcall").await;
    // What the tracker moves out of the way is there again.
    for _ in 0..60 {
        caller.redis(&format!("SET {wheel} x")).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let calls = caller.calls("fcall").await - before;
    assert!(calls < 100, "{calls} script calls in 3 s");
    // What lies elsewhere starts all the same.
    let more = caller.submit(vec![submission(0); 8]).await.unwrap();
    let elsewhere = more
        .iter()
        .filter(|one| !one.id.starts_with(&format!("{number}.")));
    for one in elsewhere {
        let running = async {
            while caller.context(&one.id).await.unwrap().attempt == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let started = tokio::time::timeout(Duration::from_secs(10), running).await;
        assert!(started.is_ok(), "{} did not start", one.id);
    }
    let named = format!("partition {number} cannot be turned");
    let told = async {
        while !asked(caller.http.unwrap(), "/readyz")
            .await
            .contains(&named)
        {
            caller.redis(&format!("SET {wheel} x")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    assert!(told.is_ok(), "/readyz does not name it");
    // Left alone, it is moved out of the way, and what waited behind it starts.
    is_ready(caller.http.unwrap()).await;
    let aside = caller
        .redis(&format!("KEYS {{{prefix}:{number}}}:aside:wheel:*"))
        .await;
    assert!(aside.contains("aside:wheel:"), "{aside}");
}

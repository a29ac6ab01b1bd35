use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::harness::until;

const SOON: Duration = Duration::from_secs(5);

/// A server that answers with what it hears, and the proxy before it.
async fn echo() -> (Proxy, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                tokio::io::copy(&mut from, &mut to).await.ok();
            });
        }
    });
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn say(client: &mut TcpStream, word: &[u8]) {
    client.write_all(word).await.unwrap();
    let mut heard = vec![0; word.len()];
    tokio::time::timeout(SOON, client.read_exact(&mut heard))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard, word);
}

async fn silent(client: &mut TcpStream) {
    let heard = tokio::time::timeout(Duration::from_millis(200), client.read_u8()).await;
    assert!(heard.is_err(), "{heard:?}");
}

#[tokio::test]
async fn a_stalled_connection_loses_nothing() {
    let (proxy, mut client) = echo().await;
    say(&mut client, b"one").await;
    proxy.set(Mode::Stall);
    client.write_all(b"two").await.unwrap();
    silent(&mut client).await;
    proxy.set(Mode::Pass);
    let mut heard = [0; 3];
    tokio::time::timeout(SOON, client.read_exact(&mut heard))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&heard, b"two");
}

#[tokio::test]
async fn a_reset_ends_what_is_open_and_what_comes() {
    let (proxy, mut client) = echo().await;
    say(&mut client, b"one").await;
    proxy.set(Mode::Reset);
    let ended = tokio::time::timeout(SOON, client.read_u8()).await.unwrap();
    assert_eq!(
        ended.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    client.write_all(b"x").await.ok();
    assert!(
        tokio::time::timeout(SOON, client.read_u8())
            .await
            .unwrap()
            .is_err()
    );
}

#[tokio::test]
async fn a_side_that_is_gone_resets_the_other_though_that_one_says_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    server.set_zero_linger().unwrap();
    drop(server);
    let ended = tokio::time::timeout(SOON, client.read_u8()).await.unwrap();
    assert_eq!(
        ended.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn delay_and_throttle_take_their_time() {
    let (proxy, mut client) = echo().await;
    proxy.set(Mode::Delay(Duration::from_millis(100)));
    let began = Instant::now();
    say(&mut client, b"one").await;
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "there and back"
    );
    proxy.set(Mode::Throttle(10_000));
    let began = Instant::now();
    say(&mut client, &[7; 2_000]).await;
    assert!(
        began.elapsed() >= Duration::from_millis(390),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn half_a_close_lets_the_answers_through() {
    let (proxy, mut client) = echo().await;
    proxy.set(Mode::StallReplies);
    client.write_all(b"last").await.unwrap();
    silent(&mut client).await;
    proxy.set(Mode::HalfClose);
    let mut heard = Vec::new();
    tokio::time::timeout(SOON, client.read_to_end(&mut heard))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard, b"last");
}

#[tokio::test]
async fn a_rule_for_one_process_is_for_its_connections() {
    let (proxy, mut client) = echo().await;
    proxy.set_for(1, Some(Mode::Stall));
    say(&mut client, b"not mine").await;
    proxy.set_for(std::process::id(), Some(Mode::Stall));
    client.write_all(b"x").await.unwrap();
    silent(&mut client).await;
    proxy.set_for(std::process::id(), None);
    until("it goes on", SOON, async || Ok(client.try_read(&mut [0])?))
        .await
        .unwrap();
}

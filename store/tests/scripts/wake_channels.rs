//! Wake channels are heard again after anything that ends a subscription, whether or not the connection or its client says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tickwheel_core::partition::PartitionCount;
use tickwheel_store::{Heard, Hearing, Redis, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::harness::{self, Harness, alone, fresh, or_skip};

const CHANNELS: usize = 16;

fn channels(test: &Harness) -> Vec<String> {
    let name = |number| format!("{{{}:{number}}}:wake", test.prefix);
    (0..CHANNELS).map(name).collect()
}

/// A sleep between two looks; a fact that never comes true ends with the time limit of the test.
async fn until(mut fact: impl AsyncFnMut() -> bool) {
    while !fact().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until all channels are subscribed to, by the client's account.
async fn all_heard(hearing: &mut watch::Receiver<Hearing>) {
    let all = |hearing: &Hearing| hearing.subscribed == hearing.expected;
    hearing.wait_for(all).await.unwrap();
}

/// Publishes on every channel, and waits until each message came.
async fn each_is_heard(test: &Harness, heard: &mut mpsc::Receiver<Heard>, text: &str) {
    let mut left = channels(test);
    for channel in &left {
        test.command(&["SPUBLISH", channel, text]).await;
    }
    while !left.is_empty() {
        if let Heard::Message(channel, message) = heard.recv().await.unwrap()
            && message == text
        {
            left.retain(|one| *one != channel);
        }
    }
}

#[tokio::test]
async fn after_a_break_every_channel_is_subscribed_to_again_and_everything_is_looked_at() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let channels = channels(&test);
    let (mut heard, mut hearing) = test.store.redis().hear(channels.clone()).await.unwrap();
    each_is_heard(&test, &mut heard, "due 1").await;
    for round in 2..5 {
        let killed = test.text(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert_eq!(killed, "1");
        until(async || {
            let mut words = vec!["PUBSUB", "SHARDNUMSUB"];
            words.extend(channels.iter().map(String::as_str));
            let counts = test.texts(&words).await;
            counts.iter().skip(1).step_by(2).all(|count| count == "1")
        })
        .await;
        all_heard(&mut hearing).await;
        while heard.recv().await.unwrap() != Heard::Gap {}
        each_is_heard(&test, &mut heard, &format!("due {round}")).await;
    }
}

#[tokio::test]
async fn a_refused_channel_is_shown_and_looked_at_each_second_until_it_is_allowed() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let (mut heard, mut hearing) = test.store.redis().hear(channels(&test)).await.unwrap();
    // Ends the connections that are subscribed to what is no longer allowed.
    test.command(&["ACL", "SETUSER", "default", "resetchannels"])
        .await;
    let none = |hearing: &Hearing| hearing.subscribed == 0;
    hearing.wait_for(none).await.unwrap();
    for _ in 0..2 {
        while heard.recv().await.unwrap() != Heard::Gap {}
    }
    assert_eq!(hearing.borrow().subscribed, 0);
    test.command(&["ACL", "SETUSER", "default", "allchannels"])
        .await;
    all_heard(&mut hearing).await;
    each_is_heard(&test, &mut heard, "due 1").await;
}

/// Carries connections, and counts them; of the one with the number `deaf` nothing comes back.
async fn one_deaf_connection(port: u16, deaf: Arc<AtomicU32>) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let deaf = Arc::clone(&deaf);
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let back = async {
                    let mut chunk = vec![0; 4096];
                    loop {
                        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                        let length = from_server.read(&mut chunk).await?;
                        if length == 0 {
                            return Ok::<(), std::io::Error>(());
                        }
                        if number != deaf.load(Ordering::SeqCst) {
                            to_client.write_all(&chunk[..length]).await?;
                        }
                    }
                };
                tokio::select! {
                    _ = back => {}
                    _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                }
            });
        }
    });
    (address.port(), connections)
}

#[tokio::test]
async fn a_connection_that_is_open_and_hears_nothing_is_replaced() {
    let Some((test, server)) = alone().await else {
        return;
    };
    let deaf = Arc::new(AtomicU32::new(0));
    let (port, connections) = one_deaf_connection(server.port, Arc::clone(&deaf)).await;
    let redis = Redis::connect(&format!("redis://127.0.0.1:{port}"))
        .await
        .unwrap();
    let (mut heard, mut hearing) = redis.hear(channels(&test)).await.unwrap();
    each_is_heard(&test, &mut heard, "due 1").await;
    // The newest is the one that hears: on a slow machine it may be another than the second.
    let newest = connections.load(Ordering::SeqCst);
    deaf.store(newest, Ordering::SeqCst);
    until(async || connections.load(Ordering::SeqCst) > newest).await;
    while heard.recv().await.unwrap() != Heard::Gap {}
    // A gap is told with the first channels that are back, and what is published before the last one is told to nobody.
    all_heard(&mut hearing).await;
    each_is_heard(&test, &mut heard, "due 2").await;
}

#[tokio::test]
async fn what_nobody_listens_to_any_more_ends_its_connection() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let (heard, _hearing) = test.store.redis().hear(channels(&test)).await.unwrap();
    drop(heard);
    until(async || {
        test.text(&["CLIENT", "LIST", "TYPE", "pubsub"])
            .await
            .is_empty()
    })
    .await;
}

/// What an idle listener costs: one publication each second, whatever the number of channels.
#[tokio::test]
async fn an_idle_listener_publishes_a_sign_each_two_seconds() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let (_heard, _hearing) = test.store.redis().hear(channels(&test)).await.unwrap();
    let probes = async || -> u64 {
        let stats = test.text(&["INFO", "commandstats"]).await;
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_spublish:"));
        line.and_then(|line| line.split(['=', ',']).nth(1)?.parse().ok())
            .unwrap_or(0)
    };
    until(async || probes().await > 0).await;
    let before = (probes().await, test.commands_run().await);
    let seconds = 4;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = (probes().await, test.commands_run().await);
    assert!(
        after.0 - before.0 <= seconds / 2 + 1,
        "{before:?} {after:?}"
    );
    // Those of this test's own looks are among them.
    assert!(after.1 - before.1 <= seconds + 6, "{before:?} {after:?}");
}

#[tokio::test]
async fn on_a_cluster_every_channel_is_subscribed_to_again_on_its_node() {
    let Some(cluster) = or_skip(harness::Server::cluster()) else {
        return;
    };
    let redis = Redis::connect(&cluster.url()).await.unwrap();
    let partitions = PartitionCount::new(16).unwrap();
    let (store, _) = Store::open(redis, "w", partitions).await.unwrap();
    let channels: Vec<String> = store
        .partitions()
        .partitions()
        .map(|partition| store.keys().wake(partition))
        .collect();
    let (mut heard, mut hearing) = store.redis().hear(channels.clone()).await.unwrap();
    for url in cluster.urls() {
        let node = Harness::open_reader(&url).await;
        let killed = node.text(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert_eq!(killed, "1", "{url}");
        while heard.recv().await.unwrap() != Heard::Gap {}
        all_heard(&mut hearing).await;
    }
    let mut nodes = Vec::new();
    for url in cluster.urls() {
        nodes.push(Harness::open_reader(&url).await);
    }
    for channel in &channels {
        until(async || {
            let mut subscribers = 0;
            for node in &nodes {
                let count = node.text(&["PUBSUB", "SHARDNUMSUB", channel]).await;
                let count = count.split(' ').next_back().unwrap_or_default().to_owned();
                subscribers += count.parse::<u32>().unwrap();
            }
            subscribers == 1
        })
        .await;
    }
}

#[tokio::test]
async fn probes_are_not_told_to_the_tracker() {
    let Some(test) = fresh().await else { return };
    let channel = channels(&test).remove(0);
    let redis = test.store.redis();
    let (mut one, _) = redis.hear(vec![channel.clone()]).await.unwrap();
    let (mut other, _) = redis.hear(vec![channel.clone()]).await.unwrap();
    // Both have published by then, and both have heard each other.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    test.command(&["SPUBLISH", &channel, "due 5"]).await;
    for heard in [&mut one, &mut other] {
        let message = heard.recv().await.unwrap();
        assert_eq!(message, Heard::Message(channel.clone(), "due 5".to_owned()));
    }
}

//! A partition whose slot moves between two nodes of a Redis Cluster stands still meanwhile: no script sees half of its keys.

use std::time::Duration;

use crate::harness::{Harness, Server, note, or_skip, partition};
use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, Value};
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_store::context::Appended;
use tickwheel_store::lease::{AttemptRef, Holding};

/// One node, by plain commands.
struct Node {
    client: Client,
    id: String,
    port: String,
}

impl Node {
    async fn connect(url: &str) -> Self {
        let client = Builder::from_config(Config::from_url(url).unwrap())
            .build()
            .unwrap();
        client.init().await.unwrap();
        let mut node = Self {
            client,
            id: String::new(),
            port: url.rsplit(':').next().unwrap().to_owned(),
        };
        node.id = node.say(&["CLUSTER", "MYID"]).await.unwrap();
        node
    }

    /// The reply as text; the error as the server says it.
    async fn say(&self, words: &[&str]) -> Result<String, String> {
        let command = CustomCommand::new(words[0].to_owned(), ClusterHash::Random, false);
        let args: Vec<Value> = words[1..].iter().map(|word| Value::from(*word)).collect();
        let reply: Result<Value, _> = self.client.custom(command, args).await;
        reply
            .map(|value| value.as_string().unwrap_or_default())
            .map_err(|error| error.details().to_owned())
    }

    async fn has(&self, key: &str) -> bool {
        self.say(&["EXISTS", key])
            .await
            .is_ok_and(|count| count == "1")
    }
}

#[tokio::test]
async fn a_moving_partition_stands_still_and_goes_on_where_it_arrives() {
    let Some(server) = or_skip(Server::cluster()) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let p = partition(1);
    let id: ContextId = "1.7.a-1".parse().unwrap();
    let (wheel, held) = (test.key(p, "wheel"), test.key(p, "held"));
    test.seed(
        p,
        &["ZADD | wheel | 9000000000000 | 1.9000000000000.b-1 0:0 default work 2 - "],
    )
    .await;
    let value = format!("HSET | held | {id} | 2:0 w-1 1 9000000000000 0 - default work 2 - body");
    test.seed(p, &[&value]).await;
    let slot = test.text(&["CLUSTER", "KEYSLOT", &held]).await;

    let mut nodes = Vec::new();
    for url in server.urls() {
        nodes.push(Node::connect(&url).await);
    }
    let mut owner = 0;
    for (index, node) in nodes.iter().enumerate() {
        if node.has(&held).await {
            owner = index;
        }
    }
    let (source, target) = (&nodes[owner], &nodes[(owner + 1) % nodes.len()]);
    target
        .say(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source.id])
        .await
        .unwrap();
    source
        .say(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target.id])
        .await
        .unwrap();
    // First nothing, then the wheel, then everything is on the other side: at no step does the script run.
    let said = note(&["line"], None);
    let two = Holding {
        attempt: AttemptRef {
            context: id.clone(),
            attempt: 2.into(),
        },
        worker: WorkerId::new("w-1").unwrap(),
    };
    let noted = || test.store.append_log(&two, &said);
    let stands_still = Duration::from_millis(300);
    for step in [None, Some(&wheel), Some(&held)] {
        if let Some(key) = step {
            let words = ["MIGRATE", "127.0.0.1", &target.port, key, "0", "5000"];
            source.say(&words).await.unwrap();
        }
        let early = tokio::time::timeout(stands_still, noted()).await;
        assert!(early.is_err(), "it ran after {step:?}: {early:?}");
    }
    let arrive = async {
        for node in [target, source].into_iter().chain(&nodes) {
            let words = ["CLUSTER", "SETSLOT", &slot, "NODE", &target.id];
            node.say(&words).await.unwrap();
        }
    };
    let (noted, ()) = tokio::join!(noted(), arrive);
    assert_eq!(noted.unwrap(), Appended::Written { dropped: 0 });
    assert!(target.has(&held).await);
}

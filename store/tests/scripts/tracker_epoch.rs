//! `tracker/epoch` and `tracker/mark`: how new a store is, and how a guard tells an older one.

use crate::harness;
use std::time::Duration;

use crate::harness::{Harness, fresh, or_skip, partition};
use tickwheel_core::job::Trigger;
use tickwheel_store::Error;

/// Calls the script on the partition's own key.
async fn epoch(test: &Harness, args: [&str; 3]) -> Vec<String> {
    let key = test.key(partition(1), "epoch");
    test.eval_on("tracker/epoch", &key, &args).await.unwrap()
}

#[tokio::test]
async fn another_server_is_counted_and_the_same_one_is_not() {
    let Some(test) = fresh().await else { return };
    assert_eq!(epoch(&test, ["0", "", "a"]).await, ["RAISED", "1", "a"]);
    assert_eq!(epoch(&test, ["1", "a", "a"]).await, ["CURRENT", "1", "a"]);
    assert_eq!(epoch(&test, ["0", "", "a"]).await, ["CURRENT", "1", "a"]);
    assert_eq!(epoch(&test, ["1", "a", "b"]).await, ["RAISED", "2", "b"]);
    // Somebody else has counted already.
    assert_eq!(epoch(&test, ["1", "a", "b"]).await, ["CURRENT", "2", "b"]);
}

#[tokio::test]
async fn an_older_store_is_told_and_not_touched() {
    let Some(test) = fresh().await else { return };
    epoch(&test, ["0", "", "a"]).await;
    let before = test.dump().await;
    // Seen elsewhere: a higher count, and the same count under another server.
    assert_eq!(epoch(&test, ["2", "b", "a"]).await, ["OLDER", "1", "a"]);
    assert_eq!(epoch(&test, ["1", "b", "a"]).await, ["OLDER", "1", "a"]);
    assert_eq!(epoch(&test, ["1", "b", "c"]).await, ["OLDER", "1", "a"]);
    assert_eq!(test.dump().await, before);
    let empty = test.key(partition(2), "epoch");
    let lost = test
        .eval_on("tracker/epoch", &empty, &["1", "a", "a"])
        .await
        .unwrap();
    assert_eq!(lost, ["OLDER", "0", ""], "an empty store is an older one");
}

#[tokio::test]
async fn arguments_out_of_range_are_refused() {
    let Some(test) = fresh().await else { return };
    let key = test.key(partition(1), "epoch");
    for (args, name) in [
        (["-1", "", "a"], "number"),
        (["x", "", "a"], "number"),
        (["0", "", ""], "run_id"),
    ] {
        let refused = test
            .eval_on("tracker/epoch", &key, &args)
            .await
            .unwrap_err();
        assert!(refused.contains(&format!("BAD_ARG {name} ")), "{refused}");
    }
    assert_eq!(test.text(&["EXISTS", &key]).await, "0");
}

#[tokio::test]
async fn a_mark_counts() {
    let Some(test) = fresh().await else { return };
    for marks in ["1", "2"] {
        let reply = test.eval("tracker/mark", partition(1), &[]).await.unwrap();
        assert_eq!(reply, ["MARKED", marks]);
    }
    let stats = test.key(partition(1), "stats");
    assert_eq!(test.text(&["HGET", &stats, "confirmed"]).await, "2");
}

/// An old copy is what is left when the counts are set back: the server's own run id cannot be.
#[tokio::test]
async fn a_guarded_store_refuses_an_older_copy_until_a_newer_one_answers() {
    let Some(server) = or_skip(harness::Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let _guard = test.store.guard().await.unwrap();
    let spec = harness::job("a/b", Trigger::Manual);
    let plan = tickwheel_store::job::Plan {
        dues: Vec::new(),
        end: true,
    };
    drop(test.store.apply_job(&spec, &plan).await.unwrap());
    let key = test.key(partition(2), "epoch");
    let number = test.text(&["HGET", &key, "number"]).await;
    assert_eq!(number, "1");
    test.command(&["HSET", &key, "number", "0", "primary", "other"])
        .await;
    // The connections break, as in a failover.
    test.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await;
    let refused = loop {
        match test.store.get_job(&spec.name).await {
            Err(Error::Unusable(reason)) => break reason,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert!(refused.contains("older copy"), "{refused}");
    assert!(refused.contains("{t:2}:epoch"), "{refused}");
    // Nothing is written while it is refused.
    let dump = test.dump().await;
    assert!(test.store.pause_job(&spec.name, "").await.is_err());
    assert_eq!(test.dump().await, dump);
    // The newer one is back.
    test.command(&["HSET", &key, "number", "7"]).await;
    while test.store.get_job(&spec.name).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// No connection breaks when a store is emptied: the next heartbeat tells.
#[tokio::test]
async fn an_emptied_store_is_refused_with_the_next_heartbeat_until_it_is_adopted() {
    let Some(server) = or_skip(harness::Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let _guard = test.store.guard().await.unwrap();
    let ttl = Duration::from_secs(6);
    let (first, _) = test.store.next_incarnation().await.unwrap();
    // Counters begin with the second: two lives within one are not told apart.
    let second_of = async || test.store.time().await.unwrap().as_u64() / 1_000;
    let began = second_of().await;
    while second_of().await == began {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    test.store.heartbeat(None, ttl, &[]).await.unwrap();
    let adopt = async |partitions| {
        let redis = tickwheel_store::Redis::connect(&server.url())
            .await
            .unwrap();
        let partitions = tickwheel_core::partition::PartitionCount::new(partitions).unwrap();
        tickwheel_store::Store::adopt(redis, "t", partitions).await
    };
    let refused = async || loop {
        match test.store.heartbeat(None, ttl, &[]).await {
            Err(Error::Unusable(reason)) => return reason,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let accepted = async || {
        while test.store.heartbeat(None, ttl, &[]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    test.command(&["FLUSHALL"]).await;
    assert!(refused().await.contains("emptied"));
    let job = harness::name("a/b");
    assert!(
        test.store.get_job(&job).await.is_err(),
        "every call is refused"
    );
    adopt(4).await.unwrap();
    accepted().await;
    assert!(adopt(8).await.is_err(), "it has four partitions");
    let (second, _) = test.store.next_incarnation().await.unwrap();
    assert!(second > first, "{first} and {second} are of two lives");

    // Another cluster was made in the empty store.
    test.command(&["FLUSHALL"]).await;
    adopt(8).await.unwrap();
    assert!(refused().await.contains("8 partitions"));
    test.command(&["FLUSHALL"]).await;
    let redis = tickwheel_store::Redis::connect(&server.url())
        .await
        .unwrap();
    let partitions = test.store.partitions();
    tickwheel_store::Store::open(redis, "t", partitions)
        .await
        .unwrap();
    while !refused().await.contains("another cluster") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    adopt(4).await.unwrap();
    accepted().await;
}

/// A backup of yesterday, made in the life of the server that is restored, has its epoch: it is told by the heartbeats that it lacks.
#[tokio::test]
async fn a_copy_that_lacks_more_heartbeats_than_a_crash_loses_is_refused_until_it_is_adopted() {
    let Some(server) = or_skip(harness::Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let _guard = test.store.guard().await.unwrap();
    // With so long a ttl each sign is counted.
    let (ttl, key) = (Duration::from_secs(60), "{t}:epoch");
    let tracker = tickwheel_store::roster::LiveTracker {
        id: "trk-1".parse().unwrap(),
        url: "http://127.0.0.1:1".to_owned(),
    };
    let heartbeat = async || test.store.heartbeat(Some(&tracker), ttl, &[]).await;
    let breaks = async || {
        test.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .await
    };
    for _ in 0..60 {
        heartbeat().await.unwrap();
    }
    assert_eq!(test.text(&["HGET", key, "heartbeats"]).await, "60");
    // As much as a crash loses.
    test.command(&["HSET", key, "heartbeats", "57"]).await;
    breaks().await;
    while heartbeat().await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..20 {
        heartbeat().await.unwrap();
    }
    // As an old copy has it, whether a connection breaks with it or not.
    for broken in [true, false] {
        let newer = test.text(&["HGET", key, "heartbeats"]).await;
        test.command(&["HSET", key, "heartbeats", "9"]).await;
        if broken {
            breaks().await;
        }
        let refused = loop {
            match heartbeat().await {
                Err(Error::Unusable(reason)) => break reason,
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        assert!(refused.contains("older copy"), "{refused}");
        assert!(refused.contains("store adopt"), "{refused}");
        if broken {
            test.command(&["HSET", key, "heartbeats", &newer]).await;
        } else {
            let redis = tickwheel_store::Redis::connect(&server.url())
                .await
                .unwrap();
            let partitions = test.store.partitions();
            tickwheel_store::Store::adopt(redis, "t", partitions)
                .await
                .unwrap();
        }
        while heartbeat().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // A count that cannot be read tells nothing, and the heartbeat says so.
    test.command(&["HSET", key, "heartbeats", "x"]).await;
    assert_eq!(heartbeat().await.unwrap().damaged, [key]);
    heartbeat().await.unwrap();
}

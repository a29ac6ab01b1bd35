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
    let spec = harness::job("a/b", Trigger::Api);
    let plan = tickwheel_store::job::Plan {
        dues: Vec::new(),
        end: true,
    };
    let _ = test.store.apply_job(&spec, &plan).await.unwrap();
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

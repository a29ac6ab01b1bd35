//! Writes that come as far as was promised: `WAIT` for replicas, `WAITAOF` and `appendfsync always` for the disk; and what a call is told
//! when they have not.

use std::time::Duration;

use crate::harness::{Harness, Server, or_skip, partition};
use tickwheel_core::Durability;
use tickwheel_core::id::Namespace;
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::wheel::{NewContext, When};
use tickwheel_store::{Error, Redis, Store};

/// Long enough for an acknowledgement on a busy machine.
const WAIT: Duration = Duration::from_secs(2);
/// Where nobody acknowledges.
const SHORT: Duration = Duration::from_millis(300);

fn replicated(replicas: u8) -> Durability {
    Durability::replicated(replicas).unwrap()
}

fn context(uniq: &str, dedup: Option<&str>) -> NewContext {
    NewContext {
        when: When::Delay(Duration::from_secs(3_600)),
        rest: bytes::Bytes::from_static(b"default work 2 - body"),
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: dedup.map(|key| (key.parse().unwrap(), Duration::from_secs(60))),
        partition: partition(0),
        placement: None,
    }
}

/// A primary, and a replica that is in step with it.
async fn pair() -> Option<(Harness, Server, Server)> {
    let primary = or_skip(Server::start(&["--repl-diskless-sync-delay", "0"]))?;
    let address = format!("127.0.0.1 {}", primary.port);
    let replica = Server::start(&["--replicaof", &address]).unwrap();
    let test = Harness::open(&primary.url(), primary.port, "t", 1).await;
    in_step(&test).await;
    Some((test, primary, replica))
}

/// Waits until the replica has loaded its copy and acknowledges what comes after it. A primary calls a replica online as soon as the copy
/// is sent, and `WAIT` that comes before the first acknowledgement waits for the next one, which a replica sends once a second.
async fn in_step(test: &Harness) {
    loop {
        test.command(&["SET", "in-step", "1"]).await;
        if test.text(&["WAIT", "1", "100"]).await == "1" {
            break;
        }
    }
    test.command(&["DEL", "in-step"]).await;
}

async fn refused(store: &Store, context: NewContext) -> String {
    match store.submit(&[context]).await {
        Err(Error::Unconfirmed {
            missing, contexts, ..
        }) => {
            // It is written, or was found by its key: the caller can look for it.
            let id = contexts.first().unwrap();
            assert!(store.get_context(id).await.unwrap().is_some());
            missing
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_replica_names_its_primary_at_the_start_and_in_each_call_that_it_refuses() {
    let Some((_test, primary, replica)) = pair().await else {
        return;
    };
    let named = format!("its primary is 127.0.0.1:{}", primary.port);
    let redis = Redis::connect(&replica.url()).await.unwrap();
    let refused = Store::open(redis, "t", PartitionCount::new(1).unwrap()).await;
    let error = refused.unwrap_err();
    assert!(error.is_retryable(), "it may be promoted: {error}");
    assert!(error.to_string().contains(&named), "{error}");

    let reader = Harness::open_reader(&replica.url()).await;
    reader.text(&["REPLICAOF", "NO", "ONE"]).await;
    let other = Harness::open(&replica.url(), replica.port, "o", 1).await;
    let address = primary.port.to_string();
    reader.text(&["REPLICAOF", "127.0.0.1", &address]).await;
    let refused = other.store.submit(&[context("1-1", None)]).await;
    let error = refused.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains(&named), "{error}");
}

#[tokio::test]
async fn a_write_is_confirmed_when_a_replica_has_it() {
    let Some((test, _primary, replica)) = pair().await else {
        return;
    };
    let store = test.store.durable(replicated(1), WAIT).unwrap();
    let there = Harness::open_reader(&replica.url()).await;
    for number in 0..50 {
        let submitted = store.submit(&[context(&number.to_string(), None)]).await;
        submitted.unwrap();
        // No waiting here: that is what was promised.
        let found = there.text(&["ZCARD", "{t:0}:wheel"]).await;
        assert_eq!(found, (number + 1).to_string());
    }
}

#[tokio::test]
async fn what_a_confirmation_costs_is_told() {
    let Some((test, _primary, _replica)) = pair().await else {
        return;
    };
    let (plain, confirmed) = (
        &test.store,
        &test.store.durable(replicated(1), WAIT).unwrap(),
    );
    for together in [1, 100] {
        let mut took = [Duration::ZERO; 2];
        for round in 0..20 {
            for (index, store) in [plain, confirmed].into_iter().enumerate() {
                let began = tokio::time::Instant::now();
                let calls = (0..together).map(|number| async move {
                    let uniq = format!("{together}-{round}-{index}-{number}");
                    store.submit(&[context(&uniq, None)]).await.unwrap()
                });
                let submitted = futures::future::join_all(calls).await;
                assert_eq!(submitted.len(), together);
                took[index] += began.elapsed();
            }
        }
        println!(
            "{together} calls at a time: {:?} each, confirmed by a replica {:?}, {:.1} times as long",
            took[0] / 20,
            took[1] / 20,
            took[1].as_secs_f64() / took[0].as_secs_f64()
        );
    }
}

#[tokio::test]
async fn too_few_replicas_mean_written_but_not_confirmed() {
    let Some((test, _primary, _replica)) = pair().await else {
        return;
    };
    let store = test.store.durable(replicated(2), WAIT).unwrap();
    let missing = refused(&store, context("a", None)).await;
    assert_eq!(missing, "1 of 2 replicas had it after 2000 ms");
    assert_eq!(
        test.text(&["ZCARD", "{t:0}:wheel"]).await,
        "1",
        "it is written"
    );
}

#[tokio::test]
async fn a_repeat_is_confirmed_only_when_the_first_write_has_come_that_far() {
    let Some((test, _primary, replica)) = pair().await else {
        return;
    };
    let store = test.store.durable(replicated(1), SHORT).unwrap();
    replica.signal("STOP");
    refused(&store, context("a", Some("order-1"))).await;
    // Nothing is written by this one, on a connection of its own: only the mark makes it wait for what is.
    let other = Harness::open(&test.url(), test.port, "t", 1).await;
    let again = other.store.durable(replicated(1), SHORT).unwrap();
    refused(&again, context("b", Some("order-1"))).await;
    replica.signal("CONT");
    let submitted = loop {
        match again.submit(&[context("c", Some("order-1"))]).await {
            Ok(submitted) => break submitted,
            Err(Error::Unconfirmed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert!(submitted[0].duplicate);
    let there = Harness::open_reader(&replica.url()).await;
    assert_eq!(there.text(&["ZCARD", "{t:0}:wheel"]).await, "1");
}

#[tokio::test]
async fn calls_that_come_together_share_a_wait() {
    let Some((test, _primary, _replica)) = pair().await else {
        return;
    };
    let store = test.store.durable(replicated(1), WAIT).unwrap();
    let calls = (0..200).map(|number| {
        let store = store.clone();
        async move { store.submit(&[context(&number.to_string(), None)]).await }
    });
    for submitted in futures::future::join_all(calls).await {
        submitted.unwrap();
    }
    let waits = test.text(&["HGET", "{t:0}:stats", "confirmed"]).await;
    let waits: u64 = waits.parse().unwrap();
    println!("{waits} waits for 200 calls");
    // Far fewer on a machine that is not busy; one for each without sharing.
    assert!((1..=100).contains(&waits), "{waits} waits for 200 calls");
    assert_eq!(test.text(&["ZCARD", "{t:0}:wheel"]).await, "200");
}

#[tokio::test]
async fn readers_and_async_writes_wait_for_nobody() {
    let Some((test, _primary, _replica)) = pair().await else {
        return;
    };
    let nobody = test.store.durable(replicated(16), WAIT).unwrap();
    nobody.list_jobs("", None, 10).await.unwrap();
    let quick = nobody.durable(Durability::Async, WAIT).unwrap();
    quick.submit(&[context("a", None)]).await.unwrap();
    assert_eq!(test.text(&["EXISTS", "{t:0}:stats"]).await, "0", "no mark");
}

#[tokio::test]
async fn a_failover_between_write_and_wait_confirms_nothing() {
    let Some((test, _primary, _replica)) = pair().await else {
        return;
    };
    let wait = Duration::from_secs(3);
    let store = test.store.durable(replicated(2), wait).unwrap();
    let cut = async {
        while test.text(&["HGET", "{t:0}:stats", "confirmed"]).await != "1" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        test.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .await;
    };
    let (missing, ()) = tokio::join!(refused(&store, context("a", None)), cut);
    assert!(!missing.contains("after 3000 ms"), "{missing}");
}

#[tokio::test]
async fn fsynced_is_what_the_settings_have_of_it() {
    let Some(never) = or_skip(Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&never.url(), never.port, "t", 1).await;
    let refused = test.store.durable(Durability::Fsynced, WAIT).unwrap_err();
    assert!(
        matches!(&refused, Error::Unusable(reason) if reason.contains("WAITAOF")),
        "{refused}"
    );

    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let always = Server::start(&always).unwrap();
    let test = Harness::open(&always.url(), always.port, "t", 1).await;
    let store = test.store.durable(Durability::Fsynced, WAIT).unwrap();
    store.submit(&[context("a", None)]).await.unwrap();
    assert_eq!(test.text(&["EXISTS", "{t:0}:stats"]).await, "0", "no mark");

    let everysec = Server::start(&["--appendonly", "yes"]).unwrap();
    let test = Harness::open(&everysec.url(), everysec.port, "t", 1).await;
    let has_waitaof = test
        .texts(&["COMMAND", "INFO", "WAITAOF"])
        .await
        .iter()
        .any(|word| word == "waitaof");
    match test
        .store
        .durable(Durability::Fsynced, Duration::from_secs(3))
    {
        Ok(store) => {
            assert!(has_waitaof);
            store.submit(&[context("a", None)]).await.unwrap();
            assert_eq!(test.text(&["HGET", "{t:0}:stats", "confirmed"]).await, "1");
        }
        Err(refused) => assert!(!has_waitaof, "{refused}"),
    }
}

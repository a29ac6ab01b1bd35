//! The scripts on a Redis Cluster, where every computed key must lie in the slot of its partition, and on a full server, where intake is
//! refused and everything that leads to settlement goes on.

use std::time::Duration;

use crate::call::Part;
use crate::harness::{Harness, Server, fresh, job, name, or_skip, partition};
use tickwheel_core::id::Namespace;
use tickwheel_core::job::{Overlap, Trigger};
use tickwheel_core::partition::PartitionId;
use tickwheel_store::job::Plan;
use tickwheel_store::lease::{Holding, Outcome, Released, Renewal, Settlement, Verdict};
use tickwheel_store::roster::LiveTracker;
use tickwheel_store::wheel::{Claim, Fire, Fired, NewContext, Offer, TurnLimits, Turned, When};
use tickwheel_store::{Cancelled, Error};

const LIMITS: TurnLimits = TurnLimits {
    dispatch_lease: Duration::from_secs(2),
    entries: 100,
};

fn offers() -> Vec<Offer> {
    vec![Offer {
        worker: "w-1".parse().unwrap(),
        group: "default".parse().unwrap(),
        permits: 50,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: "work".into(),
    }]
}

fn context(number: u16, uniq: &str, delay_ms: u64, rest: &str) -> NewContext {
    NewContext {
        when: When::Delay(Duration::from_millis(delay_ms)),
        rest: rest.to_owned().into(),
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: Some((
            format!("key-{number}-{uniq}").parse().unwrap(),
            Duration::from_secs(60),
        )),
        partition: partition(number),
        placement: None,
    }
}

const ONE: Released = Released {
    released: 1,
    foreign: 0,
};

fn attempts(turned: &Turned) -> Vec<Holding> {
    turned.claims.iter().map(Claim::holding).collect()
}

async fn settle(test: &Harness, p: PartitionId, held: &Holding, outcome: Outcome) -> Verdict {
    let settlement = Settlement {
        attempt: held.attempt.clone(),
        worker: held.worker.clone(),
        outcome,
        random: 0,
    };
    test.store.settle(p, &[settlement]).await.unwrap()[0]
}

/// A context's whole way on one partition: with its job, its followers, a retry, a release and a cancellation.
async fn travel(test: &Harness, number: u16) {
    let (store, p) = (&test.store, partition(number));
    let rest = "default work 2 s=60000,b=f:0:0:0 body";
    let contexts = [
        context(number, "a-1", 0, rest),
        context(number, "a-2", 0, rest),
        context(number, "a-3", 60_000, rest),
    ];
    let submitted = store.submit(&contexts).await.unwrap();
    let turned = store.turn(p, &offers(), LIMITS).await.unwrap();
    let claimed = attempts(&turned);
    assert_eq!(claimed.len(), 2);
    assert!(
        store
            .renew(p, &claimed)
            .await
            .unwrap()
            .iter()
            .all(|renewal| matches!(renewal, Renewal::Kept(_)))
    );
    assert_eq!(
        settle(test, p, &claimed[0], Outcome::Failed("no".to_owned())).await,
        Verdict::Retrying
    );
    assert_eq!(store.release(p, &claimed[1..]).await.unwrap(), ONE);
    let again = attempts(&store.turn(p, &offers(), LIMITS).await.unwrap());
    assert_eq!(again.len(), 2);
    assert_eq!(
        settle(test, p, &again[0], Outcome::Succeeded("result".into())).await,
        Verdict::Settled
    );
    let reaped = store
        .reap(p, &["w-1".parse().unwrap()], LIMITS.dispatch_lease, 0)
        .await
        .unwrap();
    assert_eq!(reaped.lost.len(), 1);
    assert_eq!(
        store
            .cancel_context(&again[1].attempt.context)
            .await
            .unwrap(),
        Cancelled::Ended
    );
    assert_eq!(
        store.cancel_context(&submitted[2].id).await.unwrap(),
        Cancelled::Ended
    );
    assert_eq!(store.look(p).await.unwrap().ready.len(), 0);
}

async fn travel_of_a_job(test: &Harness, job_name: &str) {
    let (store, p) = (&test.store, test.store.partition_of_job(&name(job_name)));
    let mut spec = job(job_name, Trigger::Manual);
    spec.overlap = Overlap::Queue(5);
    spec.followed_by.insert(Namespace::new("far").unwrap());
    drop(
        store
            .apply_job(
                &spec,
                &Plan {
                    dues: Vec::new(),
                    end: true,
                },
            )
            .await
            .unwrap(),
    );
    store
        .add_follower(
            &name(job_name),
            &name("far/follower"),
            tickwheel_core::job::AfterOn::Ended,
        )
        .await
        .unwrap();
    let fire = |uniq: &str| Fire {
        uniq: uniq.to_owned(),
        due: None,
        body: None,
        dedup: None,
    };
    assert!(matches!(
        store.fire_job(&name(job_name), fire("a-1")).await.unwrap(),
        Fired::Started(_)
    ));
    assert!(matches!(
        store.fire_job(&name(job_name), fire("a-2")).await.unwrap(),
        Fired::Queued(_)
    ));
    for _ in 0..2 {
        let turned = store.turn(p, &offers(), LIMITS).await.unwrap();
        let claimed = attempts(&turned);
        assert_eq!(
            settle(test, p, &claimed[0], Outcome::Fatal("no".to_owned())).await,
            Verdict::Settled
        );
    }
    let turned = store.turn(p, &[], LIMITS).await.unwrap();
    assert!(!turned.outbox.is_empty());
    store.delivered(p, &turned.outbox).await.unwrap();
}

/// A server with all slots of a cluster.
async fn cluster() -> Option<(Harness, Server)> {
    let server = or_skip(Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.1",
    ]))?;
    let single = fred::types::config::Config::from_url(&server.url()).unwrap();
    let client = fred::types::Builder::from_config(single).build().unwrap();
    fred::interfaces::ClientLike::init(&client).await.unwrap();
    let send = |words: &[&str]| {
        let command = fred::types::CustomCommand::new(
            words[0].to_owned(),
            fred::types::ClusterHash::FirstKey,
            false,
        );
        let args: Vec<fred::types::Value> = words[1..]
            .iter()
            .map(|word| fred::types::Value::from(*word))
            .collect();
        fred::interfaces::ClientLike::custom::<fred::types::Value, _>(&client, command, args)
    };
    send(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
        .await
        .unwrap();
    while !send(&["CLUSTER", "INFO"])
        .await
        .unwrap()
        .as_string()
        .unwrap()
        .contains("cluster_state:ok")
    {
        tokio::task::yield_now().await;
    }
    let url = format!("redis-cluster://127.0.0.1:{}", server.port);
    Some((Harness::open(&url, server.port, "t", 16).await, server))
}

#[tokio::test]
async fn every_computed_key_lies_in_the_slot_of_its_partition() {
    let Some((test, _server)) = cluster().await else {
        return;
    };
    for number in 0..16 {
        travel(&test, number).await;
    }
    for job_name in ["a/b", "c/d", "e/f", "g/h", "i/j"] {
        travel_of_a_job(&test, job_name).await;
    }
    let sign = LiveTracker {
        id: "trk-1".parse().unwrap(),
        url: "http://h:1".to_owned(),
    };
    let written = test
        .store
        .heartbeat(Some(&sign), Duration::from_secs(6), &[])
        .await
        .unwrap();
    assert_eq!(written.live, [sign]);
}

#[tokio::test]
async fn the_travels_are_the_same_without_a_cluster() {
    let Some(test) = fresh().await else { return };
    for number in 0..4 {
        travel(&test, number).await;
    }
    travel_of_a_job(&test, "a/b").await;
}

fn is_full<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(error @ Error::Exhausted { .. }) if error.is_retryable())
}

#[tokio::test]
async fn a_full_server_refuses_intake() {
    let Some(server) = or_skip(Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let store = &test.store;
    let spec = job("a/b", Trigger::Manual);
    let plan = Plan {
        dues: Vec::new(),
        end: true,
    };
    let contexts = [context(3, "b-1", 0, "default work 2 - body")];
    let fire = Fire {
        uniq: "a-1".to_owned(),
        due: None,
        body: None,
        dedup: None,
    };
    test.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert!(is_full(store.submit(&contexts).await));
    assert!(is_full(store.apply_job(&spec, &plan).await));
    assert!(is_full(store.fire_job(&name("a/b"), fire).await));
    test.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(store.submit(&contexts).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_server_lets_everything_go_on_that_leads_to_an_end() {
    let Some(server) = or_skip(Server::start(&[])) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "t", 4).await;
    let (store, p) = (&test.store, partition(3));
    let rest = "default work 2 b=f:50:50:0 body";
    let contexts: Vec<NewContext> = (0..6)
        .map(|i| context(3, &format!("a-{i}"), 0, rest))
        .collect();
    let submitted = store.submit(&contexts).await.unwrap();
    test.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let ended = store.cancel_context(&submitted[5].id).await.unwrap();
    assert_eq!(ended, Cancelled::Ended);
    let claimed = attempts(&store.turn(p, &offers(), LIMITS).await.unwrap());
    assert_eq!(claimed.len(), 5);
    let renewed = store.renew(p, &claimed).await.unwrap();
    assert!(
        renewed
            .iter()
            .all(|renewal| matches!(renewal, Renewal::Kept(_)))
    );
    let settled = settle(&test, p, &claimed[0], Outcome::Succeeded("result".into())).await;
    assert_eq!(settled, Verdict::Settled);
    let retried = settle(&test, p, &claimed[1], Outcome::Failed("no".to_owned())).await;
    assert_eq!(retried, Verdict::Retrying);
    assert_eq!(store.release(p, &claimed[2..3]).await.unwrap(), ONE);
    let running = store
        .cancel_context(&claimed[3].attempt.context)
        .await
        .unwrap();
    assert!(matches!(running, Cancelled::Running { .. }));
    let evicted = ["w-1".parse().unwrap()];
    let reaped = store
        .reap(p, &evicted, LIMITS.dispatch_lease, 0)
        .await
        .unwrap();
    assert_eq!(reaped.lost.len(), 2);
    store
        .heartbeat(None, Duration::from_secs(6), &[])
        .await
        .unwrap();
    assert_eq!(store.look(p).await.unwrap().ready.len(), 1);
    assert!(Part::new(&test).state().await.hash("held").is_empty());
}

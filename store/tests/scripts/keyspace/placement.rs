//! What a context of a placement leaves in Redis.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{Namespace, WorkerId};
use tickwheel_core::partition::partition_of;
use tickwheel_core::routing::{Mode, Placement, Routing, RoutingPolicy, Standing};
use tickwheel_store::Store;
use tickwheel_store::placement::PlacementOffer;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::{Claim, NewContext, Offer, TurnLimits, When};

use super::turns::{ID, WORKER};
use crate::harness::Harness;

/// One of each key, with the names of the page.
pub(crate) async fn seed(test: &Harness) {
    for words in [
        ["ZADD", "{tw:6}:tags:default", "64", "acme"],
        ["HSET", "{tw:6}:fair", ID, "35184372088832"],
        ["HSET", "{tw:6}:limit:default", "p6", "17 1 0 0 17"],
        ["HSET", "{tw:6}:limit_shares", "default", "1 1 0 17 k"],
        ["HSET", "{tw:6}:limit_waiting", "default", "17"],
        ["HSET", "{tw:6}:limit_contended", "default", "1"],
        ["HSET", "{tw}:limits", "default", "{}"],
        ["HSET", "{tw:6}:placements", "0123456789", "content"],
        ["HSET", "{tw:6}:route:0123456789", WORKER, "7:1"],
    ] {
        test.command(&words).await;
    }
    test.command(&["RPUSH", "{tw:6}:limit_released", "1 default"])
        .await;
}

/// A context with a fairness key that waits.
pub(crate) async fn with_a_key(store: &Store) {
    let context = NewContext {
        when: When::Delay(Duration::ZERO),
        rest: Bytes::from("default nobody-offers-it 2 k=acme body"),
        namespace: Namespace::default(),
        uniq: "2-2".to_owned(),
        dedup: None,
        partition: partition_of("order-42", store.partitions()),
        placement: None,
    };
    store.submit(&[context]).await.unwrap();
}

/// A context of a placement that counts, claimed.
pub(crate) async fn in_a_placement(store: &Store) -> Claim {
    let placement = Arc::new(Placement {
        routing: Routing::new(RoutingPolicy::RoundRobin),
        ..Placement::default()
    });
    let queue: Queue = format!("default work c={}", placement.id())
        .parse()
        .unwrap();
    let context = NewContext {
        when: When::Delay(Duration::ZERO),
        rest: Bytes::from(format!("default work 2 c={} body", placement.id())),
        namespace: Namespace::default(),
        uniq: "2-1".to_owned(),
        dedup: None,
        partition: partition_of("order-42", store.partitions()),
        placement: Some(placement),
    };
    let partition = context.partition;
    store.submit(&[context]).await.unwrap();
    let offers = [Offer {
        worker: WorkerId::new(WORKER).unwrap(),
        group: queue.group.clone(),
        permits: 1,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: "".into(),
    }];
    let placements = [PlacementOffer {
        queue,
        mode: Mode::Count,
        requires: tickwheel_core::routing::Units::default(),
        workers: vec![(
            0,
            Standing {
                score: 0.0,
                step: 1.0,
            },
        )],
    }];
    let limits = TurnLimits {
        dispatch_lease: Duration::from_secs(2),
        entries: 100,
    };
    let turned = store.turn_placements(partition, &offers, (&placements, 1), limits);
    turned.await.unwrap().claims.pop().unwrap()
}

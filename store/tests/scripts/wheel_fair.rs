//! Contexts with fairness keys: who is claimed first, what is kept of it, and that every way out of a ready set forgets it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::{Harness, fresh, partition};
use bytes::Bytes;
use tickwheel_core::id::{Namespace, WorkerId};
use tickwheel_core::routing::Units;
use tickwheel_store::Cancelled;
use tickwheel_store::check::{Kind, Pace};
use tickwheel_store::wheel::{NewContext, Offer, TurnLimits, Turned, When};

const FAST: Pace = Pace { rest: 0.0 };

/// One partition, and what it was given.
struct Shop {
    test: Harness,
    next: usize,
}

impl Shop {
    async fn open() -> Option<Self> {
        Some(Self {
            test: fresh().await?,
            next: 0,
        })
    }

    /// Submits `count` contexts of `rest`, due at once; answers with their ids.
    async fn submit(&mut self, rest: &str, count: usize) -> Vec<String> {
        let contexts: Vec<NewContext> = (0..count)
            .map(|_| {
                self.next += 1;
                NewContext {
                    when: When::Delay(Duration::ZERO),
                    rest: Bytes::from(rest.to_owned()),
                    namespace: Namespace::default(),
                    uniq: format!("1-{:06}", self.next),
                    dedup: None,
                    partition: partition(0),
                    placement: None,
                }
            })
            .collect();
        let submitted = self.test.store.submit(&contexts).await.unwrap();
        submitted.into_iter().map(|one| one.id.into()).collect()
    }

    async fn turn(&self, permits: u32) -> Turned {
        let offer = Offer {
            worker: WorkerId::new("w-1").unwrap(),
            group: "g".parse().unwrap(),
            permits,
            soon: false,
            units: Units::default(),
            handlers: "h,i".into(),
        };
        let limits = TurnLimits {
            dispatch_lease: Duration::from_secs(60),
            entries: 1000,
        };
        let store = &self.test.store;
        store.turn(partition(0), &[offer], limits).await.unwrap()
    }

    /// The keys of what `permits` permits are given to, in order.
    async fn served(&self, permits: u32) -> Vec<String> {
        let turned = self.turn(permits).await;
        let key = |options: &tickwheel_store::record::Options| {
            let key = options.key.as_ref();
            key.map_or_else(String::new, ToString::to_string)
        };
        let claims = turned.claims.iter();
        claims
            .map(|claim| key(&claim.member.rest.options))
            .collect()
    }

    async fn count(&self, command: &str, name: &str) -> u64 {
        let key = self.test.key(partition(0), name);
        self.test.text(&[command, &key]).await.parse().unwrap()
    }

    async fn found(&self) -> Vec<Kind> {
        let checked = self.test.store.check(FAST).await.unwrap();
        checked
            .findings
            .iter()
            .map(|finding| finding.kind)
            .collect()
    }
}

fn counts(keys: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key.as_str()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn who_comes_last_stands_behind_one_of_each_other() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    shop.submit("g h 2 k=big b", 1_000).await;
    assert_eq!(shop.served(10).await, ["big"; 10]);
    shop.submit("g h 2 k=small b", 1).await;
    let served = shop.served(3).await;
    assert!(served.contains(&"small".to_owned()), "{served:?}");
}

#[tokio::test]
async fn shares_are_those_of_the_weights_over_all_handlers_of_the_group() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    shop.submit("g h 2 k=a b", 400).await;
    shop.submit("g i 2 k=b,v=3 b", 400).await;
    shop.submit("g h 2 k=c b", 400).await;
    let mut served = Vec::new();
    for _ in 0..10 {
        served.extend(shop.served(40).await);
    }
    let counts = counts(&served);
    // Three, one and one of five, rounded to whole steps of the tags.
    assert!((238..=242).contains(&counts["b"]), "{counts:?}");
    assert!((78..=82).contains(&counts["a"]), "{counts:?}");
    assert!((78..=82).contains(&counts["c"]), "{counts:?}");
    // A key that rested has nothing saved up.
    shop.submit("g h 2 k=late b", 400).await;
    let served = shop.served(100).await;
    let counts = self::counts(&served);
    assert!(counts["late"] <= 20, "{counts:?}");
}

#[tokio::test]
async fn priorities_go_before_shares_and_what_has_no_key_goes_by_its_age() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    shop.submit("g h 2 k=a b", 10).await;
    shop.submit("g h 4 k=b b", 3).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    shop.submit("g h 2 - b", 5).await;
    assert_eq!(shop.served(4).await, ["b", "b", "b", "a"]);
    // The longest waiting of those with keys is older than those without.
    let served = shop.served(2).await;
    assert_eq!(served[0], "a", "{served:?}");
    let rest = shop.served(100).await;
    assert_eq!(counts(&rest).values().sum::<usize>(), 12);
}

#[tokio::test]
async fn nothing_is_kept_of_what_no_longer_waits() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    let ids = shop.submit("g h 2 k=a b", 3).await;
    shop.submit("g h 2 k=b,s=30 b", 1).await;
    assert_eq!(shop.count("HLEN", "fair").await, 4);
    let cancelled = shop
        .test
        .store
        .cancel_context(&ids[2].parse().unwrap())
        .await;
    assert!(matches!(cancelled, Ok(Cancelled::Ended)), "{cancelled:?}");
    assert_eq!(shop.count("HLEN", "fair").await, 3);
    tokio::time::sleep(Duration::from_millis(60)).await;
    // The start deadline of the one with `s` has passed.
    assert_eq!(shop.served(100).await, ["a", "a"]);
    assert_eq!(shop.count("HLEN", "fair").await, 0);
    assert_eq!(shop.count("EXISTS", "ready:g:h:k=").await, 0);
    assert_eq!(shop.count("ZCARD", "backlog").await, 0);
    // The clock, and the key that is one step ahead of it.
    assert!(shop.count("ZCARD", "tags:g").await <= 3);
}

#[tokio::test]
async fn a_thousand_keys_that_were_served_are_forgotten() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    for number in 0..1_000 {
        shop.submit(&format!("g h 2 k=tenant-{number} b"), 1).await;
    }
    shop.submit("g h 2 k=tail b", 2).await;
    while !shop.served(300).await.is_empty() {}
    let left = shop.count("ZCARD", "tags:g").await;
    assert!(left <= 2, "{left} keys are remembered");
}

#[tokio::test]
async fn a_check_names_what_the_index_does_not_know_and_a_repair_mends_it() {
    let Some(mut shop) = Shop::open().await else {
        return;
    };
    let ids = shop.submit("g h 2 k=a b", 2).await;
    assert_eq!(shop.found().await, []);
    let fair = shop.test.key(partition(0), "fair");
    shop.test.text(&["HDEL", &fair, &ids[0]]).await;
    let nowhere = ["HSET", &fair, "0.5.1-gone", "35184372088832"];
    shop.test.text(&nowhere).await;
    assert_eq!(shop.found().await, [Kind::FairIndex, Kind::FairIndex]);
    let repairs = shop.test.store.repair(FAST).await.unwrap();
    assert!(repairs.after.is_clean(), "{:?}", repairs.after.findings);
    assert_eq!(shop.found().await, []);
    assert_eq!(shop.served(10).await, ["a", "a"]);
}

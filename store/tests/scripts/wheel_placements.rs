//! wheel/turn with placements: who is chosen under each rule, what is counted, and what waits.
#![allow(clippy::cast_precision_loss, reason = "counts of a test")]

mod field;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::{fresh, partition};
use bytes::Bytes;
use field::{Field, Worker, counts, free, names};
use tickwheel_core::id::{Namespace, WorkerId};
use tickwheel_core::routing::{
    Figures, Mode, Placement, Profile, Routing, RoutingPolicy, Standing, Tags, Units, hash_key,
};
use tickwheel_reference::choose::{Choice, choose};
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::{NewContext, Offer, TurnLimits, When};

#[tokio::test]
async fn round_robin_differs_by_one_at_most_whatever_a_turn_takes() {
    let Some(mut field) = Field::new(RoutingPolicy::RoundRobin).await else {
        return;
    };
    field.submit_plain(1_000).await;
    let workers = ["a", "b", "c", "d"].map(free);
    let mut picks = Vec::new();
    while picks.len() < 1_000 {
        let more = field.picks(&workers, 37).await;
        assert!(!more.is_empty());
        picks.extend(more);
        let counts = counts(&picks);
        let (least, most) = (counts.values().min(), counts.values().max());
        assert!(most.unwrap() - least.unwrap() <= 1, "{counts:?}");
    }
    assert_eq!(picks[..5], ["a", "b", "c", "d", "a"]);
}

#[tokio::test]
async fn who_was_busy_catches_up_and_who_is_new_begins_at_the_least() {
    let Some(mut field) = Field::new(RoutingPolicy::RoundRobin).await else {
        return;
    };
    field.submit_plain(1_000).await;
    let busy = Worker("a", 0, false, (0.0, 1.0));
    field.picks(&[busy, free("b"), free("c")], 20).await;
    let picks = field.picks(&[free("a"), free("b"), free("c")], 12).await;
    assert_eq!(counts(&picks), [("a", 11), ("b", 1)].into());
    // The new one has its share from now on, not ten picks at once.
    let all = ["a", "b", "c", "n"].map(free);
    let picks = field.picks(&all, 8).await;
    let two_each = [("a", 2), ("b", 2), ("c", 2), ("n", 2)].into();
    assert_eq!(counts(&picks), two_each);
    // Away for long: it is behind by a hundred picks when it is back.
    field.picks(&[free("b")], 500).await;
    let picks = field.picks(&[free("a"), free("b")], 110).await;
    assert_eq!(counts(&picks), [("a", 105), ("b", 5)].into());
}

#[tokio::test]
async fn weights_are_shares_evenly_interleaved() {
    let Some(mut field) = Field::new(RoutingPolicy::Weighted).await else {
        return;
    };
    field.submit_plain(1_000).await;
    let workers = [free("a"), Worker("b", 1_000, false, (0.0, 1.0 / 3.0))];
    let mut picks = field.picks(&workers, 401).await;
    picks.extend(field.picks(&workers, 599).await);
    assert_eq!(counts(&picks), [("a", 250), ("b", 750)].into());
    for window in picks.chunks(4) {
        assert_eq!(counts(window)["b"], 3, "{window:?}");
    }
}

#[tokio::test]
async fn chance_gives_each_worker_the_same() {
    let Some(mut field) = Field::new(RoutingPolicy::Random).await else {
        return;
    };
    let workers = ["a", "b", "c", "d"].map(free);
    let mut picks = Vec::new();
    for seed in [12_345, 67_890, 424_242, 999_983] {
        field.submit_plain(1_000).await;
        picks.extend(names(&field.turn(&workers, 1_000, seed).await));
    }
    let expected = picks.len() as f64 / 4.0;
    let chi_square: f64 = counts(&picks)
        .values()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum();
    // Three degrees of freedom: greater once in a thousand times.
    assert!(chi_square < 16.27, "{chi_square} {:?}", counts(&picks));
    assert_ne!(picks[..1_000], picks[1_000..2_000]);
}

#[tokio::test]
async fn the_script_hashes_as_the_rules_do() {
    let Some(mut field) = Field::new(RoutingPolicy::ConsistentHash).await else {
        return;
    };
    const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let workers = NAMES.map(|name| {
        let profile = Profile {
            id: WorkerId::new(name).unwrap(),
            host: String::new(),
            cpus: 1,
            tags: Tags::default(),
            resources: Units::default(),
        };
        let standing = RoutingPolicy::ConsistentHash.standing(0, &profile, &Figures::default());
        Worker(name, 1_000, false, (standing.score, standing.step))
    });
    let keys: Vec<u32> = (0..1_000)
        .map(|n| hash_key(&format!("tenant-{n}")))
        .collect();
    let options: Vec<String> = keys.iter().map(|key| format!(",h={key}")).collect();
    let expected = |workers: &[Worker]| -> Vec<String> {
        let choices: Vec<Choice> = workers
            .iter()
            .map(|worker| Choice {
                standing: Standing {
                    score: worker.3.0,
                    step: worker.3.1,
                },
                free: 1,
                soon: false,
            })
            .collect();
        let chosen = |key: &u32| choose(Mode::Hash, &choices, *key).unwrap();
        keys.iter()
            .map(|key| workers[chosen(key)].0.to_owned())
            .collect()
    };
    field.submit(&options).await;
    let before = field.picks(&workers, 1_000).await;
    assert_eq!(before, expected(&workers));
    field.submit(&options).await;
    let after = field.picks(&workers[1..], 1_000).await;
    assert_eq!(after, expected(&workers[1..]));
    let moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert!(moved <= 150, "{moved} of 1000 moved");
}

#[tokio::test]
async fn use_is_counted_from_nothing_and_the_longest_rest_goes_first() {
    let Some(mut field) = Field::new(RoutingPolicy::LeastFrequentlyUsed).await else {
        return;
    };
    field.submit_plain(100).await;
    field.picks(&[free("a"), free("b")], 20).await;
    let picks = field.picks(&[free("a"), free("b"), free("n")], 12).await;
    assert_eq!(counts(&picks), [("a", 1), ("b", 1), ("n", 10)].into());

    let Some(mut field) = Field::new(RoutingPolicy::LeastRecentlyUsed).await else {
        return;
    };
    field.submit_plain(100).await;
    let picks = field.picks(&[free("a"), free("b"), free("c")], 4).await;
    assert_eq!(picks, ["a", "b", "c", "a"]);
    let picks = field.picks(&[free("a"), free("c")], 2).await;
    assert_eq!(picks, ["c", "a"]);
    let picks = field.picks(&[free("a"), free("b"), free("c")], 3).await;
    assert_eq!(picks, ["b", "c", "a"]);
}

#[tokio::test]
async fn figures_are_compared_as_the_rules_do() {
    let Some(mut field) = Field::new(RoutingPolicy::LeastRunning).await else {
        return;
    };
    field.submit_plain(20).await;
    let workers = [
        Worker("a", 9, false, (3.0, 1.0)),
        Worker("b", 9, false, (7.0, 1.0)),
        Worker("c", 2, false, (5.0, 1.0)),
    ];
    let mut choices: Vec<Choice> = workers
        .iter()
        .map(|worker| Choice {
            standing: Standing {
                score: worker.3.0,
                step: worker.3.1,
            },
            free: worker.1,
            soon: false,
        })
        .collect();
    let mut expected = Vec::new();
    while let Some(place) = choose(Mode::Least, &choices, 0) {
        choices[place].free -= 1;
        choices[place].standing.score += choices[place].standing.step;
        expected.push(workers[place].0.to_owned());
    }
    assert_eq!(field.picks(&workers, 100).await, expected);
    assert_eq!(expected.len(), 20);
    assert_eq!(field.route().await, BTreeMap::new(), "nothing is kept");
}

#[tokio::test]
async fn the_first_is_waited_for_and_passed_over_where_it_refused() {
    let Some(mut field) = Field::new(RoutingPolicy::Failover).await else {
        return;
    };
    field.submit_plain(3).await;
    let full = Worker("a", 0, false, (0.0, 0.0));
    let second = Worker("b", 5, false, (1.0, 0.0));
    assert!(field.picks(&[full, second], 9).await.is_empty());
    let turned = field
        .turn(&[Worker("a", 1, false, (0.0, 0.0)), second], 9, 1)
        .await;
    assert_eq!(names(&turned), ["a"]);
    // It refuses: the same attempt's successor goes to the next one, and no failure is counted.
    let claim = &turned.claims[0].member;
    let refused = turned.claims[0].holding();
    let _ = field
        .test
        .store
        .release(partition(0), &[refused])
        .await
        .unwrap();
    let turned = field.turn(&[full, second], 9, 1).await;
    assert_eq!(names(&turned), ["b"]);
    let again = &turned.claims[0].member;
    assert_eq!((&again.id, again.failures), (&claim.id, 0));
    assert_eq!(again.attempt.as_u32(), 2);
    // The others still wait for the first.
    assert!(field.picks(&[full, second], 9).await.is_empty());
    // It is gone: the next one is the first.
    let picks = field.picks(&[second], 9).await;
    assert_eq!(picks, ["b", "b"]);
}

#[tokio::test]
async fn refusals_go_round_the_list_and_are_not_counted() {
    let Some(mut field) = Field::new(RoutingPolicy::Failover).await else {
        return;
    };
    field.submit_plain(1).await;
    let workers = ["a", "b", "c"].map(|name| Worker(name, 1, false, (0.0, 0.0)));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let turned = field.turn(&workers, 9, 1).await;
        seen.extend(names(&turned));
        let refused = turned.claims[0].holding();
        let _ = field
            .test
            .store
            .release(partition(0), &[refused])
            .await
            .unwrap();
    }
    assert_eq!(seen, ["a", "b", "c", "a"]);

    let Some(mut field) = Field::new(RoutingPolicy::RoundRobin).await else {
        return;
    };
    field.submit_plain(1).await;
    let turned = field.turn(&[free("a"), free("b")], 9, 1).await;
    assert_eq!(field.route().await["a"], "1:1");
    let refused = turned.claims[0].holding();
    let _ = field
        .test
        .store
        .release(partition(0), &[refused])
        .await
        .unwrap();
    assert_eq!(field.route().await["a"], "0.000000:1");
}

#[tokio::test]
async fn permits_in_the_hands_of_another_turn_are_waited_for() {
    for policy in [
        RoutingPolicy::LeastRunning,
        RoutingPolicy::RoundRobin,
        RoutingPolicy::Random,
    ] {
        let Some(mut field) = Field::new(policy).await else {
            return;
        };
        field.submit_plain(9).await;
        let soon = Worker("a", 0, true, (0.0, 1.0));
        assert!(field.picks(&[soon], 9).await.is_empty(), "{policy}");
        if policy != RoutingPolicy::Random {
            let picks = field
                .picks(&[soon, Worker("b", 9, false, (1.0, 1.0))], 9)
                .await;
            assert!(picks.is_empty(), "{policy}: {picks:?}");
            // One that is full for good is not waited for.
            let full = Worker("a", 0, false, (0.0, 1.0));
            let picks = field
                .picks(&[full, Worker("b", 9, false, (1.0, 1.0))], 9)
                .await;
            assert_eq!(picks.len(), 9, "{policy}");
        }
    }
}

#[tokio::test]
async fn a_placement_without_an_offer_waits_and_hinders_nobody() {
    let Some(mut field) = Field::new(RoutingPolicy::Random).await else {
        return;
    };
    field.submit_plain(2).await;
    field.submit(&[",s=1".to_owned()]).await;
    let limits = TurnLimits {
        dispatch_lease: Duration::from_secs(60),
        entries: 100,
    };
    let offer = Offer {
        worker: WorkerId::new("a").unwrap(),
        group: "g".parse().unwrap(),
        permits: 9,
        soon: false,
        units: Units::default(),
        handlers: "h".into(),
    };
    let store = &field.test.store;
    // One has a start deadline of a millisecond.
    let turned = loop {
        let turned = store
            .turn(partition(0), std::slice::from_ref(&offer), limits)
            .await
            .unwrap();
        assert!(turned.claims.is_empty());
        if turned.backlog.iter().all(|(_, waiting)| *waiting < 3) {
            break turned;
        }
    };
    let queue: Queue = format!("g h c={}", field.placement.id()).parse().unwrap();
    assert_eq!(turned.backlog, [(queue.clone(), 2)], "one has expired");
    assert_eq!(store.look(partition(0)).await.unwrap().ready[0].0, queue);
    // Its content can be read, and another's cannot.
    let other = Placement::default().id();
    let read = store
        .placements(partition(0), &[field.placement.id(), other])
        .await
        .unwrap();
    assert_eq!(read, [Some((*field.placement).clone()), None]);
}

#[tokio::test]
async fn a_partition_keeps_a_thousand_placements() {
    let Some(mut field) = Field::new(RoutingPolicy::Random).await else {
        return;
    };
    field.submit_plain(1).await;
    let key = field.test.key(partition(0), "placements");
    for number in 1..1_000 {
        let name = format!("{number:010x}");
        field.test.command(&["HSET", &key, &name, "x"]).await;
    }
    field.submit_plain(1).await;
    field.placement = Arc::new(Placement {
        routing: Routing::new(RoutingPolicy::CpuFirst),
        ..Placement::default()
    });
    // A great hash is dumped in an order that may change with each look at it.
    let others = |dump: Vec<(String, String)>| -> Vec<(String, String)> {
        dump.into_iter().filter(|(name, _)| *name != key).collect()
    };
    let before = others(field.test.dump().await);
    let context = NewContext {
        when: When::Delay(Duration::ZERO),
        rest: Bytes::from(format!("g h 2 c={} b", field.placement.id())),
        namespace: Namespace::default(),
        uniq: "9-9".to_owned(),
        dedup: None,
        partition: partition(0),
        placement: Some(Arc::clone(&field.placement)),
    };
    let refused = field.test.store.submit(&[context]).await.unwrap_err();
    assert!(refused.to_string().contains("at most 1,000"), "{refused}");
    assert_eq!(others(field.test.dump().await), before);
    assert_eq!(field.test.texts(&["HLEN", &key]).await, ["1000"]);
}

#[tokio::test]
async fn a_turn_promises_a_worker_s_resources_once() {
    let Some(test) = fresh().await else { return };
    const PLACEMENTS: [&str; 2] = ["00000000aa", "00000000bb"];
    for (number, placement) in PLACEMENTS.iter().enumerate() {
        for copy in 0..3 {
            let (unique, rest) = (
                format!("a-{number}{copy}"),
                format!("g h 2 c={placement} b"),
            );
            let args = [
                "1000000",
                "1",
                "+0",
                &unique,
                &rest,
                "",
                "placements",
                placement,
                "content",
            ];
            test.eval("wheel/submit", partition(0), &args)
                .await
                .unwrap();
        }
    }
    let queues = PLACEMENTS.map(|placement| format!("g h c={placement}"));
    let turn = async |first: &str, second: &str| {
        let args = [
            "1000000",
            "2000",
            "10",
            "2",
            "w",
            "g",
            first,
            "",
            "v",
            "g",
            second,
            "",
            "7",
            "2",
            &queues[0],
            "least gpu=2000",
            "1:0:1,2:1:1",
            &queues[1],
            "rotate gpu=1000",
            "1:0:0,2:0:0",
        ];
        let turned = test.eval("wheel/turn", partition(0), &args).await.unwrap();
        let taken = |worker: &str| turned.iter().filter(|text| *text == worker).count();
        (taken("w"), taken("v"))
    };
    // Two of the first placement would take four, and of what is left the second placement takes one.
    assert_eq!(turn("9 gpu=3000,cpu=1", "9").await, (2, 0));
    // What another turn has in hand is waited for by the placement that wants this worker.
    assert_eq!(turn("9+", "0").await, (0, 0));
    assert_eq!(
        turn("9 gpu=1999", "1 gpu=9000").await.1,
        1,
        "its only permit"
    );
}

#[tokio::test]
async fn arguments_of_placements_are_checked_before_anything_is_written() {
    let Some(test) = fresh().await else { return };
    let args = [
        "1000000",
        "2000",
        "10",
        "1",
        "w",
        "g",
        "9",
        "h",
        "7",
        "1",
        "g h c=0123456789",
        "count",
        "1:0:1",
    ];
    test.eval("wheel/turn", partition(0), &args).await.unwrap();
    let bad = [
        (9, "0", "random"),
        (10, "257", "placements"),
        (10, "2", "placements"),
    ];
    test.assert_refused("wheel/turn", partition(0), &args, &bad)
        .await;
    let args = [
        "1000000",
        "1",
        "+0",
        "a-1",
        "g h 2 c=0123456789 b",
        "",
        "placements",
        "0123456789",
        "content",
    ];
    let bad = [
        (8, "012345678", "placement"),
        (8, "012345678G", "placement"),
        (7, "placement", "contexts"),
        (9, "", "content"),
    ];
    test.assert_refused("wheel/submit", partition(0), &args, &bad)
        .await;
}

//! wheel/submit: new contexts into the wheel, or into their ready sets when they are due.

use std::time::Duration;

use crate::call::{Part, T, ready_score};
use crate::harness::{alone, fresh, partition};
use tickwheel_core::id::{DedupKey, Namespace};
use tickwheel_store::Heard;
use tickwheel_store::wheel::{NewContext, When};

#[tokio::test]
async fn a_later_context_lies_in_the_wheel_and_nowhere_else() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for _ in 0..2 {
        assert!(
            part.submit(T, &[["+500", "a-1", "g h 2 - body", ""]])
                .await
                .is_empty()
        );
        let state = part.state().await;
        assert_eq!(state.keys(), ["wheel"]);
        assert_eq!(
            state.zset("wheel"),
            [("3.1000500.a-1 0:0 g h 2 - body", T + 500)]
        );
    }
}

#[tokio::test]
async fn a_due_context_is_ready_at_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for _ in 0..2 {
        part.submit(
            T,
            &[
                ["+0", "a-1", "g h 4 - ", ""],
                ["999000", "a-2", "g h 0 l=9 a b  c", ""],
                ["1", "a-3", "g i 2 - x", ""],
            ],
        )
        .await;
        let state = part.state().await;
        assert_eq!(state.keys(), ["backlog", "ready:g:h", "ready:g:i"]);
        assert_eq!(
            state.zset("ready:g:h"),
            [
                ("3.1000000.a-1 0:0 g h 4 - ", ready_score(4, T)),
                ("3.999000.a-2 0:0 g h 0 l=9 a b  c", ready_score(0, 999_000))
            ]
        );
        assert_eq!(
            state.zset("ready:g:i"),
            [("3.1.a-3 0:0 g i 2 - x", ready_score(2, 1))]
        );
        assert_eq!(state.zset("backlog"), [("g h", 0), ("g i", 0)]);
    }
}

#[tokio::test]
async fn a_start_deadline_has_an_entry_of_its_own() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 3 s=70 x", ""],
            ["+9", "a-2", "g h 1 l=5,s=60 x", ""],
        ],
    )
    .await;
    let state = part.state().await;
    assert_eq!(
        state.zset("wheel"),
        [
            ("3.1000009.a-2 0:0 g h 1 l=5,s=60 x", T + 9),
            ("#3.1000009.a-2 g h 1", T + 69),
            ("#3.1000000.a-1 g h 3", T + 70)
        ]
    );
}

#[tokio::test]
async fn a_dedup_key_creates_one_context_until_it_is_forgotten() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let contexts = [
        ["+500", "a-1", "g h 2 - x", "9000 k"],
        ["+0", "a-2", "g h 2 - y", "9000 k"],
        ["+0", "a-3", "g h 2 - z", "1 m"],
    ];
    assert_eq!(part.submit(T, &contexts).await, ["2", "3.1000500.a-1"]);
    let state = part.state().await;
    assert_eq!(state.zset("wheel").len() + state.zset("ready:g:h").len(), 2);
    let left: u64 = test
        .text(&["PTTL", &part.key("dedup:k")])
        .await
        .parse()
        .unwrap();
    assert!(
        (9_001..=9_500).contains(&left),
        "the keep time counts from the due time: {left}"
    );
    assert_eq!(
        part.submit(T + 1, &contexts[..1]).await,
        ["1", "3.1000500.a-1"]
    );
    test.command(&["DEL", &part.key("dedup:k")]).await;
    assert!(part.submit(T + 2, &contexts[..1]).await.is_empty());
}

#[tokio::test]
async fn an_earlier_head_wakes_the_trackers_and_a_later_one_does_not() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let channel = part.key("wake");
    let mut heard = test
        .store
        .redis()
        .subscribe(vec![channel.clone()])
        .await
        .unwrap();
    part.submit(T, &[["+500", "a-1", "g h 2 - x", ""]]).await;
    part.submit(T, &[["+600", "a-2", "g h 2 - x", ""]]).await;
    part.submit(T, &[["+400", "a-3", "g h 2 - x", ""]]).await;
    part.submit(T, &[["+0", "a-4", "g h 2 - x", ""]]).await;
    part.submit(T, &[["+0", "a-5", "g h 2 - x", ""]]).await;
    part.submit(
        T,
        &[
            ["+0", "a-6", "g i 2 - x", ""],
            ["+300", "a-7", "g i 2 - x", ""],
        ],
    )
    .await;
    part.submit(T, &[["+200", "a-8", "g i 2 - x", ""]]).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "due 1000200") {
        if let Heard::Message(from, message) = heard.recv().await.unwrap() {
            assert_eq!(from, channel);
            told.push(message);
        }
    }
    assert_eq!(
        told,
        [
            "due 1000500",
            "due 1000400",
            "due 0",
            "due 0",
            "due 1000200"
        ]
    );
}

#[tokio::test]
async fn the_store_sorts_contexts_by_partition_and_answers_in_their_order() {
    let Some(test) = fresh().await else { return };
    let context = |number: u16, uniq: &str, dedup: Option<&str>| NewContext {
        when: When::Delay(Duration::from_secs(60)),
        rest: "g h 2 - x".into(),
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: dedup.map(|key| (DedupKey::new(key).unwrap(), Duration::from_secs(60))),
        partition: partition(number),
        placement: None,
    };
    let contexts = [
        context(2, "a-1", None),
        context(0, "a-2", Some("k")),
        context(2, "a-3", None),
        context(0, "a-4", Some("k")),
    ];
    let submitted = test.store.submit(&contexts).await.unwrap();
    let unique: Vec<(bool, &str)> = submitted
        .iter()
        .map(|one| (one.duplicate, one.id.as_str().rsplit('.').next().unwrap()))
        .collect();
    assert_eq!(
        unique,
        [
            (false, "a-1"),
            (false, "a-2"),
            (false, "a-3"),
            (true, "a-2")
        ]
    );
    assert_eq!(
        test.text(&["ZCARD", &test.key(partition(2), "wheel")])
            .await,
        "2"
    );
    assert_eq!(
        test.text(&["ZCARD", &test.key(partition(0), "wheel")])
            .await,
        "1"
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let args = [
        "",
        "2",
        "+5",
        "a-1",
        "g h 2 - x",
        "10 k",
        "+5",
        "a-2",
        "g h 2 - x",
        "",
    ];
    let changes = [
        (1, "-1", "now_ms"),
        (1, "1.5", "now_ms"),
        (2, "0", "count"),
        (2, "1001", "count"),
        (2, "1", "contexts"),
        (11, "x", "contexts"),
        (3, "x", "when"),
        (7, "", "when"),
        (7, "-5", "when"),
        (7, "nan", "when"),
        (7, "inf", "when"),
        (7, "+0.5", "when"),
        (7, "9007199254740993000", "when"),
        (9, "g h 2 -", "rest"),
        (9, "g h x - ", "rest"),
        (9, "g h 5 - ", "rest"),
        (10, "k", "dedup"),
        (10, "x k", "dedup"),
    ];
    test.assert_refused("wheel/submit", partition(3), &args, &changes)
        .await;
}

#[tokio::test]
async fn it_costs_what_its_header_says_however_full_the_wheel_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let p = partition(0);
    let mut args = vec!["".to_owned(), "1000".to_owned()];
    for i in 0..1_000 {
        let when = if i % 2 == 0 { "+0" } else { "+50000" };
        let group = format!("g{} h 2 s=90 x", i % 100);
        args.extend([
            when.to_owned(),
            format!("a-{i}"),
            group,
            format!("1000 k{i}"),
        ]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for size in [10_u32, 1_000, 100_000] {
        test.command(&["FLUSHALL"]).await;
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.x 0:0 g h 2 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "wheel")])
            .await;
        let cost = test.cost("wheel/submit", p, &args).await;
        assert!(
            cost <= 10 + 4 * 1_000,
            "{cost} commands with {size} entries"
        );
        let alone = test
            .cost(
                "wheel/submit",
                p,
                &["", "1", "+900", "b-1", "g h 2 s=5 x", "5 kk"],
            )
            .await;
        assert!(alone <= 14, "{alone} commands with {size} entries");
        println!("wheel/submit with {size} entries: {cost} commands for 1000, {alone} for 1");
    }
}

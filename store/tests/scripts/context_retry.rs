//! context/retry: from the dead back to the ready set.

use crate::call::{Part, T};
use crate::harness::{Harness, alone, fresh, job, name, partition};
use tickwheel_core::job::{Overlap, Trigger};
use tickwheel_core::run::ContextState;
use tickwheel_store::job::Plan;
use tickwheel_store::{Error, Heard};

async fn bury(test: &Harness, id: &str, ended: u64) {
    let p: u16 = id.split('.').next().unwrap().parse().unwrap();
    let record = format!("{id}\tfailed\t3\tw-1\t9\t{ended}\tboom\tdefault\twork\t3");
    test.command(&[
        "ZADD",
        &test.key(partition(p), "dead"),
        &ended.to_string(),
        &format!("{record}\n3 default work 1 r=3 body"),
    ])
    .await;
    test.command(&["XADD", &test.key(partition(p), "events"), "*", "s", &record])
        .await;
}

#[tokio::test]
async fn a_dead_context_becomes_ready_with_its_attempts_counted_on() {
    let Some(test) = fresh().await else { return };
    let channel = test.key(partition(1), "wake");
    let mut heard = test
        .store
        .redis()
        .subscribe(vec![channel.clone()])
        .await
        .unwrap();
    bury(&test, "1.7.a-1", 10).await;
    bury(&test, "1.7.a-12", 10).await;
    let id = "1.7.a-1".parse().unwrap();
    let view = test.store.retry_context(&id).await.unwrap();
    assert_eq!(
        (
            view.state,
            view.attempt.as_u32(),
            view.failures,
            view.body.as_ref()
        ),
        (ContextState::Ready, 3, 0, b"body".as_slice())
    );
    let ready = test
        .texts(&[
            "ZRANGE",
            &test.key(partition(1), "ready:default:work"),
            "0",
            "-1",
            "WITHSCORES",
        ])
        .await;
    assert_eq!(
        ready,
        [
            "1.7.a-1 3:0 default work 1 r=3 body".to_owned(),
            (3 * (1_u64 << 44) + 7).to_string()
        ]
    );
    assert_eq!(
        test.texts(&["ZRANGE", &test.key(partition(1), "backlog"), "0", "-1"])
            .await,
        ["default work"]
    );
    let dead = test
        .texts(&["ZRANGE", &test.key(partition(1), "dead"), "0", "-1"])
        .await;
    assert_eq!(
        dead,
        ["1.7.a-12\tfailed\t3\tw-1\t9\t10\tboom\tdefault\twork\t3\n3 default work 1 r=3 body"]
    );
    let message = loop {
        match heard.recv().await.unwrap() {
            Heard::Gap => {}
            message @ Heard::Message(..) => break message,
        }
    };
    assert_eq!(message, Heard::Message(channel, "due 0".to_owned()));
}

#[tokio::test]
async fn workers_that_were_lost_with_it_do_not_count_any_more() {
    let Some(test) = fresh().await else { return };
    for (id, options, kept) in [
        ("1.7.a-1", "r=3,a=w-1,o=2", "r=3,a=w-1"),
        ("1.8.a-2", "a=w-1,o=2", "a=w-1"),
        ("1.9.a-3", "r=3", "r=3"),
    ] {
        let record = format!("{id}\tfailed\t3\tw-1\t9\t10\tboom\tdefault\twork\t3");
        let member = format!("{record}\n3 default work 1 {options} body");
        let dead = test.key(partition(1), "dead");
        test.command(&["ZADD", &dead, "10", &member]).await;
        test.command(&["XADD", &test.key(partition(1), "events"), "*", "s", &record])
            .await;
        test.store
            .retry_context(&id.parse().unwrap())
            .await
            .unwrap();
        let ready = test.key(partition(1), "ready:default:work");
        let newest = test.texts(&["ZRANGE", &ready, "-1", "-1"]).await;
        let expected = format!("{id} 3:0 default work 1 {kept} body");
        assert_eq!(newest, [expected]);
    }
}

#[tokio::test]
async fn only_the_dead_can_run_again() {
    let Some(test) = fresh().await else { return };
    let missing = test.store.retry_context(&"1.7.a-1".parse().unwrap()).await;
    assert!(
        matches!(
            missing,
            Err(Error::NotFound {
                kind: "context",
                ..
            })
        ),
        "{missing:?}"
    );
    test.command(&[
        "ZADD",
        &test.key(partition(1), "wheel"),
        "7",
        "1.7.a-1 0:0 default work 1 - body",
    ])
    .await;
    test.command(&[
        "XADD",
        &test.key(partition(1), "events"),
        "*",
        "s",
        "1.8.a-1\tsucceeded\t3\tw-1\t9\t10\t\tdefault\twork\t0",
    ])
    .await;
    let before = test.dump().await;
    for (id, why) in [
        ("1.7.a-1", "it is scheduled"),
        ("1.8.a-1", "it ended as succeeded"),
    ] {
        let refused = test
            .store
            .retry_context(&id.parse().unwrap())
            .await
            .unwrap_err();
        assert!(
            matches!(refused, Error::Conflict(_)) && refused.to_string().contains(why),
            "{refused}"
        );
    }
    assert_eq!(test.dump().await, before);
}

#[tokio::test]
async fn a_job_never_has_more_active_contexts_than_its_policy_allows() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", Trigger::Manual);
    spec.overlap = Overlap::Parallel(2);
    drop(
        test.store
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
    let p = test.store.partition_of_job(&name("a/b"));
    let ids: Vec<String> = (1..=3).map(|due| format!("{p}.{due}.x@a/b")).collect();
    for (due, id) in ids.iter().enumerate() {
        bury(&test, id, 10 + u64::try_from(due).unwrap()).await;
    }
    for id in &ids[..2] {
        test.store
            .retry_context(&id.parse().unwrap())
            .await
            .unwrap();
    }
    let refused = test.store.retry_context(&ids[2].parse().unwrap()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let mut active = test
        .texts(&["HGETALL", &test.job_key("a/b", "active:a/b")])
        .await;
    active.sort();
    assert_eq!(active, [&ids[0], &ids[1], "m", "m"]);
    assert_eq!(
        test.text(&["ZCARD", &test.job_key("a/b", "dead")]).await,
        "1"
    );
}

#[tokio::test]
async fn its_start_deadline_counts_from_the_retry() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    // It failed when its start deadline was still to come, and again: the entry of the first is in the wheel.
    for (now, attempt) in [(T, 1), (T + 900, 2)] {
        if attempt == 1 {
            let late = ["+0", "a-1", "g h 2 r=1,s=1000 x", ""];
            part.submit(T, &[late]).await;
        } else {
            let asked = now.to_string();
            let args = [asked.as_str(), "1", "3.1000000.a-1", "1000001"];
            assert_eq!(part.answer("context/retry", &args).await, ["RETRIED", "R"]);
        }
        let turned = part.turn(now, 9, &[("w", "g", 1, "h")]).await;
        assert_eq!(turned.claims.len(), 1);
        let number = attempt.to_string();
        let failed = ["3.1000000.a-1", &number, "failed", "0 0 boom"];
        assert_eq!(part.settle(now + 1, &[failed]).await, "S");
    }
    let args = ["1005000", "1", "3.1000000.a-1", "1000901"];
    assert_eq!(part.answer("context/retry", &args).await, ["RETRIED", "R"]);
    let waits = "3.1000000.a-1 2:0 g h 2 r=1,s=1000,d=5000 x";
    let state = part.state().await;
    assert_eq!(state.zset("ready:g:h")[0].0, waits);
    let watched = ("#3.1000000.a-1 g h 2", T + 6_000);
    assert!(state.zset("wheel").contains(&watched));
    part.turn(T + 5_999, 9, &[]).await;
    assert_eq!(part.state().await.zset("ready:g:h")[0].0, waits);
    part.turn(T + 6_000, 9, &[]).await;
    let state = part.state().await;
    assert!(state.zset("ready:g:h").is_empty());
    assert!(state.settled.last().unwrap().contains("\texpired\t2\t"));
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    bury(&test, "1.7.a-1", 10).await;
    let changes = [
        (1, "x", "now_ms"),
        (2, "0", "count"),
        (2, "101", "count"),
        (2, "2", "contexts"),
        (3, "", "id"),
        (3, "x", "id"),
        (4, "", "ended_ms"),
        (4, "-1", "ended_ms"),
    ];
    test.assert_refused(
        "context/retry",
        partition(1),
        &["", "1", "1.7.a-1", "10"],
        &changes,
    )
    .await;
    assert_eq!(
        test.eval("context/retry", partition(1), &["", "1", "1.7.a-1", "11"])
            .await
            .unwrap(),
        ["RETRIED", "N"]
    );
    assert_eq!(
        test.eval("context/retry", partition(1), &["", "1", "1.7.a-1", "10"])
            .await
            .unwrap(),
        ["RETRIED", "R"]
    );
    assert_eq!(
        test.eval("context/retry", partition(1), &["", "1", "1.7.a-1", "10"])
            .await
            .unwrap(),
        ["RETRIED", "N"]
    );
}

#[tokio::test]
async fn it_costs_the_same_however_many_are_dead() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 10, '0.1.b-' .. i .. '\\tfailed\\t1\\t-\\t0\\t10\\t\\tdefault\\twork\\t0\\n0 default work 4 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(partition(0), "dead")])
            .await;
        bury(&test, "0.1.b-777777x", 10).await;
        let cost = test
            .cost(
                "context/retry",
                partition(0),
                &["", "1", "0.1.b-777777x", "10"],
            )
            .await;
        assert!(cost <= 30, "{cost} commands with {size} dead");
    }
}

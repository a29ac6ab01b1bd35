//! context/get: a context wherever it is, and after its end.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::id::ContextId;
use tickwheel_core::job::Trigger;
use tickwheel_core::log::LogLevel;
use tickwheel_core::run::ContextState;
use tickwheel_store::Error;
use tickwheel_store::context::ContextView;
use tickwheel_store::job::Plan;

const REST: &str = "default work 4 t=500 body";

fn id(text: &str) -> ContextId {
    text.parse().unwrap()
}

async fn get(test: &Harness, text: &str) -> Option<ContextView> {
    test.store.get_context(&id(text)).await.unwrap()
}

#[tokio::test]
async fn a_waiting_context_is_found_in_each_place() {
    let Some(test) = fresh().await else { return };
    let key = |name: &str| test.key(partition(1), name);
    let ready = (1_u64 << 44) * 2 + 33;
    let seeds = [
        ("1.11.a-1", "wheel", 11, "0:0", ContextState::Scheduled),
        ("1.22.a-2", "wheel", 9_000, "2:1", ContextState::Retrying),
        (
            "1.33.a-3",
            "ready:default:work",
            ready,
            "0:0",
            ContextState::Ready,
        ),
        ("1.44.f@a/b", "queue:a/b", 44, "0:0", ContextState::Queued),
    ];
    test.command(&["HSET", &key("retry"), "1.22.a-2", "9000"])
        .await;
    test.command(&["ZADD", &key("backlog"), "0", "default work"])
        .await;
    for (id, place, score, counts, state) in seeds {
        let rest = REST.replace(" 4 ", " 2 ");
        test.command(&[
            "ZADD",
            &key(place),
            &score.to_string(),
            &format!("{id} {counts} {rest}"),
        ])
        .await;
        // Neighbours of the same score on both sides.
        for other in ["0", "z"] {
            test.command(&[
                "ZADD",
                &key(place),
                &score.to_string(),
                &format!("{id}{other} 0:0 {rest}"),
            ])
            .await;
        }
        let view = get(&test, id).await.unwrap();
        assert_eq!(
            (view.id.as_str(), view.state, view.body.as_ref()),
            (id, state, b"body".as_slice()),
            "{place}"
        );
        assert_eq!(
            (view.group.unwrap().as_str(), view.handler.unwrap().as_str()),
            ("default", "work")
        );
        assert_eq!(
            view.next_attempt,
            (state == ContextState::Retrying).then_some(ms(9_000))
        );
        assert_eq!(view.options.unwrap().timeout_ms, Some(500));
    }
    let view = get(&test, "1.22.a-2").await.unwrap();
    assert_eq!(
        (view.attempt.as_u32(), view.failures, view.due),
        (2, 1, ms(22))
    );
    assert_eq!(
        get(&test, "1.44.f@a/b").await.unwrap().job,
        Some(name("a/b"))
    );
}

#[tokio::test]
async fn a_running_context_shows_its_lease_log_and_progress() {
    let Some(test) = fresh().await else { return };
    let key = |name: &str| test.key(partition(1), name);
    test.command(&[
        "HSET",
        &key("held"),
        "1.11.a-1",
        &format!("2:1 mill-12345678 100 2100 600 TIMED_OUT@5600 {REST}"),
    ])
    .await;
    test.command(&["SET", &key("progress:1.11.a-1"), "40 half way there"])
        .await;
    let entry = "1000 2 0 2\ni30 3:one\nw0 3:two";
    test.command(&["RPUSH", &key("log:1.11.a-1"), entry]).await;
    test.command(&["SET", &key("result:1.11.a-1"), "early"])
        .await;
    let view = get(&test, "1.11.a-1").await.unwrap();
    assert_eq!(
        (view.state, view.attempt.as_u32(), view.failures),
        (ContextState::Running, 2, 1)
    );
    assert_eq!(
        (
            view.worker.unwrap().as_str(),
            view.claimed,
            view.lease_expires
        ),
        ("mill-12345678", Some(ms(100)), Some(ms(2_100)))
    );
    assert_eq!(
        (view.cancel.as_deref(), view.progress),
        (Some("TIMED_OUT"), Some((40, "half way there".to_owned())))
    );
    assert_eq!(
        view.log
            .iter()
            .map(|line| (
                line.at,
                line.attempt.as_u32(),
                line.level,
                line.text.as_str()
            ))
            .collect::<Vec<_>>(),
        [
            (ms(970), 2, LogLevel::Info, "one"),
            (ms(1_000), 2, LogLevel::Warn, "two")
        ]
    );
    assert_eq!(
        (view.log_cut, view.result.as_ref()),
        (false, b"early".as_slice())
    );
    assert_eq!(view.options.unwrap().priority.as_u8(), 4);
}

#[tokio::test]
async fn an_ended_context_of_a_job_is_found_in_its_runs() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", Trigger::Manual);
    spec.body = bytes::Bytes::from_static(b"body");
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
    let (runs, dead) = (test.job_key("a/b", "runs:a/b"), test.job_key("a/b", "dead"));
    let text = format!("{p}.5.x@a/b");
    for record in [
        format!("{text}\tfailed\t1\tw-1\t8\t10\told\tdefault\twork\t1"),
        format!("{text}\ttimed_out\t2\tw-2\t18\t20\tnew\tdefault\twork\t2"),
        format!("{text}x\tsucceeded\t1\t-\t0\t30\t\tdefault\twork\t0"),
    ] {
        test.command(&["RPUSH", &runs, &record]).await;
    }
    let view = get(&test, &text).await.unwrap();
    assert_eq!(
        (
            view.state,
            view.attempt.as_u32(),
            view.ended,
            view.error.as_str()
        ),
        (ContextState::TimedOut, 2, Some(ms(20)), "new")
    );
    assert_eq!(
        (view.worker.unwrap().as_str(), view.claimed),
        ("w-2", Some(ms(18)))
    );
    assert_eq!(
        (
            view.handler.unwrap().as_str(),
            view.body.len(),
            view.failures
        ),
        ("work", 0, 2)
    );
    test.command(&[
        "ZADD",
        &dead,
        "20",
        &format!(
            "{text}\ttimed_out\t2\tw-2\t18\t20\tnew\tdefault\tother\t2\n2 default other 2 - its own"
        ),
    ])
    .await;
    let view = get(&test, &text).await.unwrap();
    assert_eq!(
        (
            view.handler.unwrap().as_str(),
            view.body.as_ref(),
            view.failures
        ),
        ("other", b"its own".as_slice(), 2)
    );
}

#[tokio::test]
async fn an_ended_context_is_found_in_the_events_or_among_the_dead_however_many_there_are() {
    let Some(test) = fresh().await else { return };
    let (events, dead) = (
        test.key(partition(1), "events"),
        test.key(partition(1), "dead"),
    );
    let fill = "for i = 1, 130 do \
                redis.call('XADD', KEYS[1], i .. '-1', 's', '1.' .. i .. '.x-1\\tsucceeded\\t1\\tw-1\\t1\\t' .. i .. '\\t\\tdefault\\twork\\t0' .. '\\n' \
                .. '1.' .. i .. '.x-11\\tcancelled\\t0\\t-\\t0\\t' .. i .. '\\twhy\\tdefault\\twork\\t0') end \
                for i = 1, 900 do redis.call('ZADD', KEYS[2], i, '1.' .. i .. '.d-1\\texpired\\t3\\tw-1\\t0\\t' .. i .. '\\tlate\\tdefault\\twork\\t3\\n3 default work 2 - body') end";
    test.text(&["EVAL", fill, "2", &events, &dead]).await;
    for entry in [1, 65, 110, 111, 130] {
        let view = get(&test, &format!("1.{entry}.x-11")).await.unwrap();
        assert_eq!(
            (view.state, view.ended, view.error.as_str()),
            (ContextState::Cancelled, Some(ms(entry)), "why"),
            "{entry}"
        );
        let (group, handler) = (view.group.unwrap(), view.handler.unwrap());
        assert_eq!((group.as_str(), handler.as_str()), ("default", "work"));
        assert_eq!(view.options, None);
        assert_eq!(
            get(&test, &format!("1.{entry}.x-1")).await.unwrap().state,
            ContextState::Succeeded,
            "{entry}"
        );
    }
    for entry in [1, 700, 701, 900] {
        let view = get(&test, &format!("1.{entry}.d-1")).await.unwrap();
        assert_eq!(
            (view.state, view.ended, view.failures, view.error.as_str()),
            (ContextState::Expired, Some(ms(entry)), 3, "late"),
            "{entry}"
        );
    }
    for missing in ["1.131.x-1", "1.65.x", "1.901.d-1", "1.5.f@a/b"] {
        assert_eq!(get(&test, missing).await, None, "{missing}");
    }
}

#[tokio::test]
async fn an_id_of_a_partition_that_is_not_there_is_not_found() {
    let Some(test) = fresh().await else { return };
    let refused = test.store.get_context(&id("4.1.a-1")).await;
    assert!(
        matches!(
            refused,
            Err(Error::NotFound {
                kind: "context",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused() {
    let Some(test) = fresh().await else { return };
    let changes = [
        (1, "", "id"),
        (1, "12", "id"),
        (2, "events/x", "cursor"),
        (2, "dead/-1", "cursor"),
        (2, "wheel/1", "cursor"),
    ];
    test.assert_refused("context/get", partition(0), &["0.1.a-1", ""], &changes)
        .await;
    assert_eq!(
        test.eval("context/get", partition(0), &["0.1.a-1", ""])
            .await
            .unwrap(),
        ["SEEK", "dead/0"]
    );
    assert_eq!(
        test.eval("context/get", partition(0), &["0.1.a-1", "dead/0"])
            .await
            .unwrap(),
        ["NOWHERE"]
    );
}

#[tokio::test]
async fn a_call_costs_little_however_much_there_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let key = |name: &str| test.key(partition(0), name);
    test.command(&["ZADD", &key("backlog"), "0", "default work"])
        .await;
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 1, '0.1.a-' .. i .. ' 0:0 g h 2 - ') \
             redis.call('ZADD', KEYS[2], 1, '0.1.b-' .. i .. ' 0:0 default work 4 - ') end"
        );
        test.text(&[
            "EVAL",
            &fill,
            "2",
            &key("wheel"),
            &key("ready:default:work"),
        ])
        .await;
        for (id, status) in [("0.1.a-7", "LIVE"), ("0.1.c-7", "SEEK")] {
            let cost = test.cost("context/get", partition(0), &[id, ""]).await;
            assert!(cost <= 60 + 170, "{cost} commands with {size} entries");
            assert_eq!(
                test.eval("context/get", partition(0), &[id, ""])
                    .await
                    .unwrap()[0],
                status
            );
        }
    }
}

//! job/delete: what has not started goes with its job, what runs goes on.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_core::run::ContextState;
use tickwheel_store::Error;
use tickwheel_store::job::{Deleted, JobState, Plan};

const FAR: u64 = 5_000_000_000_000;

async fn registered(test: &Harness) {
    let spec = job(
        "a/b",
        Trigger::FixedRate {
            period_ms: 1_000,
            anchor_ms: None,
        },
    );
    drop(
        test.store
            .apply_job(
                &spec,
                &Plan {
                    dues: vec![ms(FAR)],
                    end: false,
                },
            )
            .await
            .unwrap(),
    );
}

fn id(test: &Harness, due: u64) -> String {
    format!("{}.{due}.f@a/b", test.store.partition_of_job(&name("a/b")))
}

/// Puts one context into each place where one can be: the overlap queue, the wheel for a retry, a ready set, and `held`.
async fn contexts_everywhere(test: &Harness) {
    let key = |name: &str| test.job_key("a/b", name);
    let member =
        |due: u64, attempt: u32| format!("{} {attempt}:0 default work 2 - body", id(test, due));
    for due in [1, 2, 3] {
        test.command(&["HSET", &key("active:a/b"), &id(test, due), "s"])
            .await;
    }
    test.command(&[
        "HSET",
        &key("held"),
        &id(test, 1),
        "1:0 w-12345678 1 2 0 - default work 2 - body",
    ])
    .await;
    test.command(&["ZADD", &key("wheel"), &FAR.to_string(), &member(2, 1)])
        .await;
    test.command(&["HSET", &key("retry"), &id(test, 2), &FAR.to_string()])
        .await;
    test.command(&[
        "ZADD",
        &key("ready:default:work"),
        &(2 * (1_u64 << 44) + 3).to_string(),
        &member(3, 0),
    ])
    .await;
    test.command(&["ZADD", &key("backlog"), "0", "default work"])
        .await;
    test.command(&["ZADD", &key("queue:a/b"), "4", &member(4, 0)])
        .await;
}

#[tokio::test]
async fn waiting_contexts_are_cancelled_and_running_ones_go_on() {
    let Some(test) = fresh().await else { return };
    registered(&test).await;
    contexts_everywhere(&test).await;
    assert_eq!(
        test.store.delete_job(&name("a/b")).await.unwrap(),
        Deleted {
            cancelled: 3,
            running: 1
        }
    );
    assert_eq!(test.store.get_job(&name("a/b")).await.unwrap(), None);
    let kept: Vec<String> = test
        .keys()
        .await
        .into_iter()
        .filter(|key| !key.contains("}:meta") && !key.contains("}:incarn"))
        .collect();
    assert_eq!(
        kept,
        ["active:a/b", "events", "held"].map(|key| test.job_key("a/b", key))
    );
    assert_eq!(
        test.texts(&["HKEYS", &test.job_key("a/b", "active:a/b")])
            .await,
        [id(&test, 1)]
    );
    for (due, state) in [
        (1, ContextState::Running),
        (2, ContextState::Cancelled),
        (3, ContextState::Cancelled),
        (4, ContextState::Cancelled),
    ] {
        let view = test
            .store
            .get_context(&id(&test, due).parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(view.state, state, "{due}");
    }
    let again = test.store.delete_job(&name("a/b")).await;
    assert!(
        matches!(again, Err(Error::NotFound { kind: "job", .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_job_with_many_waiting_contexts_takes_several_calls() {
    let Some(test) = fresh().await else { return };
    registered(&test).await;
    let fill = "for i = 1, 2500 do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.f@a/b 0:0 default work 2 - ') end";
    test.text(&["EVAL", fill, "1", &test.job_key("a/b", "queue:a/b")])
        .await;
    let fill = "for i = 1, 120 do redis.call('HSET', KEYS[1], '0.' .. i .. '.f@a/b', 's') \
                redis.call('ZADD', KEYS[2], i, '0.' .. i .. '.f@a/b 0:0 default work 2 - ') end";
    test.text(&[
        "EVAL",
        fill,
        "2",
        &test.job_key("a/b", "active:a/b"),
        &test.job_key("a/b", "wheel"),
    ])
    .await;
    let p = test.store.partition_of_job(&name("a/b"));
    assert_eq!(
        test.eval("job/delete", p, &["", "a/b"]).await.unwrap(),
        ["MORE", "500"]
    );
    let view = test.store.get_job(&name("a/b")).await.unwrap().unwrap();
    assert_eq!(
        (view.state, view.next_due, view.queued),
        (JobState::Deleting, None, 2_000)
    );
    assert_eq!(
        test.text(&["ZSCORE", &test.job_key("a/b", "wheel"), "@a/b"])
            .await,
        ""
    );
    assert_eq!(
        test.store.delete_job(&name("a/b")).await.unwrap(),
        Deleted {
            cancelled: 2_120,
            running: 0
        }
    );
    assert_eq!(
        test.text(&[
            "EXISTS",
            &test.job_key("a/b", "wheel"),
            &test.job_key("a/b", "active:a/b")
        ])
        .await,
        "0"
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    registered(&test).await;
    let p = test.store.partition_of_job(&name("a/b"));
    test.assert_refused(
        "job/delete",
        p,
        &["", "a/b"],
        &[(1, "x", "now_ms"), (2, "", "job")],
    )
    .await;
    assert_eq!(
        test.eval("job/delete", p, &["", "a/b"]).await.unwrap(),
        ["DELETED", "0", "0"]
    );
    assert_eq!(
        test.eval("job/delete", p, &["", "a/b"]).await.unwrap(),
        ["NO_JOB"]
    );
}

#[tokio::test]
async fn a_call_costs_what_it_takes_away_and_not_what_is_there() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let p = partition(0);
    for size in [10_u32, 1_000, 100_000] {
        registered(&test).await;
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.f@a/b 0:0 default work 2 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "queue:a/b")])
            .await;
        let cost = test.cost("job/delete", p, &["", "a/b"]).await;
        assert!(cost <= 30, "{cost} commands with {size} queued");
        let others = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.x 0:0 g h 2 - ') end"
        );
        test.text(&["EVAL", &others, "1", &test.key(p, "wheel")])
            .await;
        test.command(&["DEL", &test.key(p, "queue:a/b")]).await;
        registered_again(&test).await;
        contexts_everywhere(&test).await;
        let cost = test.cost("job/delete", p, &["", "a/b"]).await;
        assert!(
            cost <= 20 + 2 * 270,
            "{cost} commands with {size} others in the wheel"
        );
        test.command(&["DEL", &test.key(p, "active:a/b"), &test.key(p, "held")])
            .await;
    }
}

async fn registered_again(test: &Harness) {
    test.command(&["DEL", &test.job_key("a/b", "job:a/b")])
        .await;
    registered(test).await;
}

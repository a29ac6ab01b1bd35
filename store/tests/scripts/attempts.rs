//! What is kept of attempts that ended without success, and of contexts that have ended.

use crate::call::{Part, T};
use crate::harness::{alone, fresh, partition};
use tickwheel_core::run::ContextState;
use tickwheel_store::Error;
use tickwheel_store::context::ContextFilter;

const ID: &str = "3.1000000.a-1";

/// Attempts of the context in the order of their ends: number, worker, outcome, error.
async fn kept(part: &Part<'_>, id: &str) -> Vec<(u32, String, String, String)> {
    let view = part.test.store.get_context(&id.parse().unwrap()).await;
    let attempts = view.unwrap().unwrap().attempts.into_iter();
    attempts
        .map(|past| {
            let worker = past.worker.map(String::from).unwrap_or_default();
            (past.attempt.as_u32(), worker, past.outcome, past.error)
        })
        .collect()
}

#[tokio::test]
async fn each_attempt_that_ended_without_success_is_kept_and_success_costs_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let rest = "g h 2 r=9,b=f:0:0:0,t=100,g=50 body";
    part.submit(T, &[[&T.to_string(), "a-1", rest, ""]]).await;
    let claim = |now: u64, worker: &'static str| async move {
        let claims = part.turn(now, 9, &[(worker, "g", 1, "h")]).await.claims;
        assert_eq!(claims.len(), 1);
    };
    claim(T, "u").await;
    let long = format!("0 0 first {}", "ä".repeat(200));
    assert_eq!(part.settle(T + 5, &[[ID, "1", "failed", &long]]).await, "R");
    claim(T + 6, "v").await;
    part.reap(T + 7, &["v"]).await;
    claim(T + 8, "w").await;
    part.reap(T + 108, &[]).await;
    part.reap(T + 158, &[]).await;
    claim(T + 200, "w").await;
    assert_eq!(
        part.settle(T + 201, &[[ID, "4", "succeeded", ""]]).await,
        "S"
    );
    let kept = kept(&part, ID).await;
    let words: Vec<(u32, &str, &str)> = kept
        .iter()
        .map(|(attempt, worker, outcome, _)| (*attempt, worker.as_str(), outcome.as_str()))
        .collect();
    assert_eq!(
        words,
        [(1, "u", "failed"), (2, "v", "lost"), (3, "w", "timed_out")]
    );
    assert!(kept[0].3.starts_with("first ää") && kept[0].3.len() <= 203);
    assert_eq!(kept[1].3, "its worker is gone");
    assert_eq!(kept[2].3, "did not end within its grace");
    let view = test.store.get_context(&ID.parse().unwrap()).await;
    let view = view.unwrap().unwrap();
    assert_eq!((view.attempt.as_u32(), view.failures), (4, 3));
    let left: u64 = test
        .text(&["PTTL", &part.key(&format!("attempts:{ID}"))])
        .await
        .parse()
        .unwrap();
    assert!((80_000_000..=90_000_000).contains(&left), "{left}");
}

#[tokio::test]
async fn they_have_their_bounds() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for attempt in 1..=30 {
        part.hold(ID, &format!("{attempt}:0"), "r=99,b=f:9:9:0")
            .await;
        let ended = [ID, &attempt.to_string(), "failed", "0 0 no"];
        part.settle(T + attempt, &[ended]).await;
    }
    let numbers: Vec<u32> = kept(&part, ID).await.iter().map(|past| past.0).collect();
    assert_eq!(numbers, (11..=30).collect::<Vec<_>>());
    // Of the newest contexts of a partition.
    let fill = "for i = 1, 2100 do
        redis.call('ZADD', KEYS[1] .. 'attempted', i, '3.5.x-' .. i)
        redis.call('RPUSH', KEYS[1] .. 'attempts:3.5.x-' .. i, '1 w 1 2 failed no')
      end";
    test.text(&["EVAL", fill, "1", &part.key("")]).await;
    part.hold("3.5.b-1", "1:0", "r=1").await;
    part.settle(T, &[["3.5.b-1", "1", "failed", "0 0 no"]])
        .await;
    let state = part.state().await;
    assert_eq!(state.zset("attempted").len(), 2_000);
    let lists = state.lists.keys();
    assert_eq!(
        lists.filter(|name| name.starts_with("attempts:")).count(),
        2_000
    );
    assert!(state.lists.contains_key("attempts:3.5.b-1"));
    assert!(!state.lists.contains_key("attempts:3.5.x-1"));
}

#[tokio::test]
async fn a_plain_success_writes_nothing_of_attempts() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part {
        test: &test,
        id: partition(0),
    };
    part.hold("0.900.a-1", "3:2", "-").await;
    let now = T.to_string();
    let args = [&now, "w", "1", "0.900.a-1", "3 1", "0"];
    assert_eq!(test.cost("lease/settle", part.id, &args).await, 4);
    assert_eq!(part.state().await.keys(), ["events"]);
}

#[tokio::test]
async fn contexts_that_ended_say_group_handler_worker_and_failures() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "3:2", "-").await;
    part.settle(T + 9, &[[ID, "3", "succeeded", ""]]).await;
    let view = test.store.get_context(&ID.parse().unwrap()).await;
    let view = view.unwrap().unwrap();
    assert_eq!(
        (view.state, view.failures, view.attempt.as_u32()),
        (ContextState::Succeeded, 2, 3)
    );
    assert_eq!(view.group.as_ref().unwrap().as_str(), "g");
    assert_eq!(view.handler.as_ref().unwrap().as_str(), "h");
    assert_eq!(view.worker.as_ref().unwrap().as_str(), "w");
    assert_eq!(view.claimed.unwrap().as_u64(), T);
    assert_eq!(view.ended.unwrap().as_u64(), T + 9);
    let list = async |group: &str| {
        let filter = ContextFilter {
            group: Some(group.parse().unwrap()),
            ..ContextFilter::default()
        };
        let page = test.store.list_contexts(&filter, "", 50).await.unwrap();
        page.items.len()
    };
    assert_eq!((list("g").await, list("other").await), (1, 0));
}

async fn retry(part: &Part<'_>, id: &str) -> Vec<String> {
    let (now, ended) = ((T + 1).to_string(), T.to_string());
    part.answer("context/retry", &[&now, "1", id, &ended, "ended"])
        .await
}

#[tokio::test]
async fn ended_runs_of_a_job_run_again_with_what_their_job_says() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T + 900_000, &[("tmpl", "g h 2 - of the job")])
        .await;
    for (unique, outcome) in [
        ("f", "succeeded"),
        ("a0123456789", "cancelled"),
        ("1-00001", "succeeded"),
    ] {
        let id = format!("3.900.{unique}@d/j");
        part.hold(&id, "2:1", "-").await;
        let payload = if outcome == "succeeded" { "" } else { "0 0 no" };
        assert_eq!(part.settle(T, &[[&id, "2", outcome, payload]]).await, "S");
        assert_eq!(retry(&part, &id).await, ["RETRIED", "R"], "{id}");
        let view = test.store.get_context(&id.parse().unwrap()).await;
        let view = view.unwrap().unwrap();
        assert_eq!(
            (
                view.state,
                view.attempt.as_u32(),
                view.failures,
                &view.body[..]
            ),
            (ContextState::Ready, 2, 0, b"of the job".as_slice())
        );
        assert_eq!(retry(&part, &id).await, ["RETRIED", "N"], "it is under way");
        part.cancel(T + 1, &id).await;
    }
}

#[tokio::test]
async fn what_nobody_knows_the_body_of_is_refused_with_the_reason() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T + 900_000, &[]).await;
    for (id, why) in [
        (ID, "submit it again"),
        ("3.900.1-00001-b@d/j", "run its job with that body"),
        ("3.900.f@d/gone", "neither the dead nor the runs of its job"),
    ] {
        part.hold(id, "1:0", "-").await;
        assert_eq!(part.settle(T, &[[id, "1", "succeeded", ""]]).await, "S");
        let before = part.state().await;
        let refused = test.store.retry_context(&id.parse().unwrap()).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, Error::Conflict(_)) && refused.to_string().contains(why),
            "{refused}"
        );
        assert_eq!(part.state().await, before);
    }
}

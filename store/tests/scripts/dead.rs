//! The dead: listed by what they have in common, run again or forgotten step by step, bounded, with how they ended.

use std::collections::BTreeSet;

use crate::call::{Part, T};
use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::{Overlap, Trigger};
use tickwheel_core::run::ContextState;
use tickwheel_store::Error;
use tickwheel_store::dead::{DeadAction, DeadCounts, DeadFilter, DeadStep};
use tickwheel_store::job::Plan;
use tickwheel_store::record::EndState;

/// In each of four partitions `size` dead, six of an end.
async fn bury(test: &Harness, size: u32) {
    let fill = format!(
        "local base, p = string.match(KEYS[1], '^(.-}}:)'), ARGV[1]
         local states = {{ 'failed', 'timed_out', 'expired' }}
         for i = 1, {size} do
           local id, ended = p .. '.7.d-' .. i, 1000 + math.floor(i / 6)
           redis.call('ZADD', base .. 'dead', ended, id .. '\\t' .. states[i % 3 + 1] .. '\\t2\\tw-1\\t5\\t' .. ended .. '\\tBoom '
             .. i .. '\\tdefault\\twork\\t2\\n2 ' .. (i % 2 == 0 and 'alpha' or 'beta') .. ' work 2 - body')
           redis.call('SET', base .. 'result:' .. id, 'x')
         end"
    );
    for p in 0..4 {
        let wheel = test.key(partition(p), "wheel");
        test.text(&["EVAL", &fill, "1", &wheel, &p.to_string()])
            .await;
    }
}

/// All pages of a list.
async fn list(test: &Harness, filter: &DeadFilter, limit: u32) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = test.store.list_dead(filter, &cursor, limit).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        ids.extend(page.items.iter().map(|view| view.id.to_string()));
        if page.next.is_empty() {
            return ids;
        }
        cursor = page.next;
    }
}

/// All steps of an action, added up.
async fn all(test: &Harness, action: DeadAction, filter: &DeadFilter, dry: bool) -> DeadStep {
    let (mut sum, mut cursor) = (DeadStep::default(), String::new());
    loop {
        let step = test
            .store
            .dead_step(action, filter, &cursor, dry)
            .await
            .unwrap();
        sum.looked += step.looked;
        sum.matched += step.matched;
        sum.done += step.done;
        sum.busy += step.busy;
        sum.gone += step.gone;
        if step.next.is_empty() {
            return sum;
        }
        cursor = step.next;
    }
}

#[tokio::test]
async fn a_list_has_each_of_the_chosen_once_whatever_the_page() {
    let Some(test) = fresh().await else { return };
    bury(&test, 60).await;
    let any = DeadFilter::default();
    let cases = [
        (any.clone(), 240),
        (
            DeadFilter {
                group: Some("alpha".parse().unwrap()),
                ..any.clone()
            },
            120,
        ),
        (
            DeadFilter {
                handler: Some("other".parse().unwrap()),
                ..any.clone()
            },
            0,
        ),
        (
            DeadFilter {
                state: Some(EndState::Expired),
                ..any.clone()
            },
            80,
        ),
        (
            DeadFilter {
                error: "bOOM 5".to_owned(),
                ..any.clone()
            },
            // 5, 50..59.
            44,
        ),
        (
            DeadFilter {
                ended_before: Some(ms(1_002)),
                ended_from: Some(ms(1_001)),
                ..any.clone()
            },
            24,
        ),
        (
            DeadFilter {
                job: Some(name("a/b")),
                ..any
            },
            0,
        ),
    ];
    for (filter, count) in cases {
        for limit in [1, 7, 100, 1_000] {
            let ids = list(&test, &filter, limit).await;
            let different: BTreeSet<&String> = ids.iter().collect();
            assert_eq!((ids.len(), different.len()), (count, count), "{filter:?}");
        }
    }
    let first = test
        .store
        .list_dead(&DeadFilter::default(), "", 1)
        .await
        .unwrap();
    let view = &first.items[0];
    assert_eq!(
        (view.state, view.ended, view.failures, view.error.as_str()),
        (ContextState::Failed, Some(ms(1_010)), 2, "Boom 60")
    );
    assert_eq!(
        (view.group.as_ref().unwrap().as_str(), view.worker.as_ref()),
        ("alpha", Some(&"w-1".parse().unwrap()))
    );
}

#[tokio::test]
async fn every_step_of_a_purge_counts_and_all_of_them_leave_the_others() {
    let Some(test) = fresh().await else { return };
    bury(&test, 300).await;
    let filter = DeadFilter {
        group: Some("beta".parse().unwrap()),
        ..DeadFilter::default()
    };
    let dry = all(&test, DeadAction::Purge, &filter, true).await;
    assert_eq!((dry.looked, dry.matched, dry.done), (1_200, 600, 0));
    assert_eq!(test.store.dead_counts().await.unwrap().kept, 1_200);
    let done = all(&test, DeadAction::Purge, &filter, false).await;
    assert_eq!(
        (done.looked, done.matched, done.done, done.gone),
        (1_200, 600, 600, 0)
    );
    assert_eq!(list(&test, &filter, 100).await.len(), 0);
    assert_eq!(
        list(&test, &DeadFilter::default(), 100).await.len(),
        600,
        "the others stay"
    );
    let keys = test.keys().await;
    assert_eq!(
        keys.iter().filter(|key| key.contains(":result:")).count(),
        600,
        "results go with their contexts"
    );
}

#[tokio::test]
async fn a_requeue_of_many_stops_at_the_overlap_policy_and_can_go_on_from_any_step() {
    let Some(test) = fresh().await else { return };
    bury(&test, 150).await;
    let mut spec = job("a/b", Trigger::Manual);
    spec.overlap = Overlap::Parallel(2);
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let p = test.store.partition_of_job(&name("a/b"));
    for i in 1..=5 {
        let member = format!(
            "{p}.{i}.x@a/b\tfailed\t1\tw-1\t5\t2000\tno\tdefault\twork\t1\n1 default work 2 - body"
        );
        test.seed(p, &[&format!("ZADD | dead | 2000 | {member}")])
            .await;
    }
    let any = DeadFilter::default();
    let first = test
        .store
        .dead_step(DeadAction::Requeue, &any, "", false)
        .await
        .unwrap();
    assert_eq!(first.looked, 100);
    let again = test
        .store
        .dead_step(DeadAction::Requeue, &any, "", false)
        .await
        .unwrap();
    // Those of the job are the newest of their partition; two of them found room.
    let (looked, busy) = if p.as_u16() == 0 { (58, 3) } else { (50, 0) };
    assert_eq!((again.looked, again.busy), (looked, busy));
    let rest = all(&test, DeadAction::Requeue, &any, false).await;
    assert_eq!((rest.busy, rest.gone), (3, 0));
    assert_eq!(
        test.store.dead_counts().await.unwrap().kept,
        3,
        "what had no room stays"
    );
    let active = test
        .text(&["HLEN", &test.job_key("a/b", "active:a/b")])
        .await;
    assert_eq!(active, "2");
}

#[tokio::test]
async fn single_ids_are_taken_wherever_they_are() {
    let Some(test) = fresh().await else { return };
    bury(&test, 10).await;
    test.seed(
        partition(1),
        &["ZADD | wheel | 7 | 1.7.w-1 0:0 default work 2 - body"],
    )
    .await;
    let ids: Vec<_> = ["0.7.d-1", "3.7.d-9", "1.7.w-1"]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    let dry = test
        .store
        .dead_ids(DeadAction::Requeue, &ids, true)
        .await
        .unwrap();
    assert_eq!((dry.matched, dry.done, dry.gone), (2, 0, 1));
    let done = test
        .store
        .dead_ids(DeadAction::Requeue, &ids, false)
        .await
        .unwrap();
    assert_eq!((done.matched, done.done, done.gone), (2, 2, 1));
    let missing = test
        .store
        .dead_ids(DeadAction::Purge, &["2.7.none".parse().unwrap()], false)
        .await;
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
}

#[tokio::test]
async fn the_bound_lets_the_oldest_go_and_counts_them() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fill = "for i = 1, 10000 do redis.call('ZADD', KEYS[1], i, '3.1.z-' .. i .. '\\tfailed\\t1\\t-\\t0\\t' .. i \
                .. '\\t\\tg\\th\\t1\\n1 g h 2 - ') end";
    test.text(&["EVAL", fill, "1", &part.key("dead")]).await;
    for (number, text) in [(1_u64, "a-1"), (2, "a-2"), (3, "a-3")] {
        let id = format!("3.900.{text}");
        part.hold(&id, "1:0", "r=1").await;
        assert_eq!(part.settle(T, &[[&id, "1", "failed", "0 0 no"]]).await, "S");
        let counts = test.store.dead_counts().await.unwrap();
        assert_eq!(
            counts,
            DeadCounts {
                kept: 10_000,
                dropped: number
            }
        );
    }
    let state = part.state().await;
    let oldest = state.zset("dead")[0].1;
    assert_eq!(oldest, 4, "the oldest went");
}

#[tokio::test]
async fn how_it_ended_is_told_when_the_event_is_forgotten() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let id = "3.900.a-1";
    part.hold(id, "4:2", "r=3").await;
    let verdict = part
        .settle(T, &[[id, "4", "timed_out", "0 0 took too long"]])
        .await;
    assert_eq!(verdict, "S");
    test.command(&["DEL", &part.key("events")]).await;
    let view = test
        .store
        .get_context(&id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            view.state,
            view.error.as_str(),
            view.attempt.as_u32(),
            view.failures
        ),
        (ContextState::TimedOut, "took too long", 4, 3)
    );
    assert_eq!(
        (view.worker.unwrap().as_str(), view.ended, view.claimed),
        ("w", Some(ms(T)), Some(ms(T)))
    );
    assert_eq!(view.handler.unwrap().as_str(), "h");
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    bury(&test, 3).await;
    let changes = [
        (1, "0", "count"),
        (1, "101", "count"),
        (1, "2", "contexts"),
        (2, "", "id"),
        (3, "x", "ended_ms"),
    ];
    test.assert_refused(
        "dead/purge",
        partition(1),
        &["1", "1.7.d-1", "1000"],
        &changes,
    )
    .await;
    let changes = [
        (1, "x", "position"),
        (1, "5:", "position"),
        (2, "0", "limit"),
        (2, "101", "limit"),
    ];
    test.assert_refused("dead/list", partition(1), &["", "10"], &changes)
        .await;
    for (script, end, reply) in [
        ("dead/purge", "999", ["PURGED", "N"]),
        ("dead/purge", "1000", ["PURGED", "P"]),
        ("dead/purge", "1000", ["PURGED", "N"]),
    ] {
        let found = test
            .eval(script, partition(1), &["1", "1.7.d-1", end])
            .await;
        assert_eq!(found.unwrap(), reply);
    }
    for cursor in ["x", "0/x", "0/5", "9/5:1", "0/5:x"] {
        let refused = test
            .store
            .dead_step(DeadAction::Purge, &DeadFilter::default(), cursor, true)
            .await;
        assert!(
            matches!(refused, Err(Error::Invalid(_) | Error::NotFound { .. })),
            "{cursor}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_call_costs_the_same_however_many_are_dead() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for size in [10_u32, 1_000, 10_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 10, '0.1.b-' .. i .. '\\tfailed\\t1\\t-\\t0\\t10\\t\\tg\\th\\t0\\n0 g h 4 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(partition(0), "dead")])
            .await;
        let cost = test.cost("dead/list", partition(0), &["", "100"]).await;
        assert_eq!(cost, 2);
        let purge = ["1", "0.1.b-7", "10"];
        let cost = test.cost("dead/purge", partition(0), &purge).await;
        assert!(cost <= 27, "{cost} commands with {size} dead");
    }
}

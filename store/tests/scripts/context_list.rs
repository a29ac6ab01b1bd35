//! context/list: every context once, page by page, whatever its place.

mod bounds;
mod cost;
mod filters;
mod horizon;
mod merge;
mod rows;

use crate::harness::{Harness, alone, fresh, name, partition};
use tickwheel_core::id::GroupName;
use tickwheel_core::run::ContextState;
use tickwheel_store::context::{ContextFilter, ContextView};

/// Seven contexts, and a job's, in each place of two partitions.
const SEED: &str = "
local base, p, job = string.match(KEYS[1], '^(.-}:)'), ARGV[1], ARGV[2]
local function id(kind, i) return p .. '.' .. i .. '.' .. kind .. '-' .. i end
redis.call('ZADD', base .. 'backlog', 0, 'alpha work', 0, 'beta work')
for i = 1, 7 do
  local group = i % 2 == 0 and 'alpha' or 'beta'
  local rest = ' ' .. group .. ' work 2 - body'
  local ran = '\\t' .. group .. '\\twork\\t0'
  redis.call('HSET', base .. 'held', id('held', i), '1:0 w-1 1 2 0 -' .. rest)
  redis.call('ZADD', base .. 'wheel', 5, id('wheel', i) .. ' 0:0' .. rest)
  redis.call('ZADD', base .. 'wheel', 5, '#' .. id('ready', i) .. ' ' .. group .. ' work 2')
  redis.call('ZADD', base .. 'wheel', 5 + i, id('retry', i) .. ' 1:1' .. rest)
  redis.call('HSET', base .. 'retry', id('retry', i), 5 + i)
  redis.call('ZADD', base .. 'ready:' .. group .. ':work', 35184372088832 + i, id('ready', i) .. ' 0:0' .. rest)
  redis.call('XADD', base .. 'events', i .. '-1', 's', id('ok', i) .. '\\tsucceeded\\t1\\tw-1\\t1\\t' .. i .. '\\t' .. ran .. '\\n'
    .. id('bad', i) .. '\\texpired\\t1\\tw-1\\t1\\t' .. i .. '\\tlate' .. ran .. '\\n' .. id('off', i) .. '\\tcancelled\\t0\\t-\\t0\\t' .. i .. '\\t' .. ran)
  redis.call('ZADD', base .. 'dead', i, id('bad', i) .. '\\texpired\\t1\\tw-1\\t1\\t' .. i .. '\\tlate' .. ran .. '\\n1' .. rest)
  redis.call('ZADD', base .. 'dead', 1000 + i, id('old', i) .. '\\tfailed\\t1\\tw-1\\t1\\t' .. 1000 + i .. '\\tno' .. ran .. '\\n1' .. rest)
  if job ~= '' then
    redis.call('ZADD', base .. 'jobs', 0, job, 0, 'x/' .. i)
    redis.call('ZADD', base .. 'queue:' .. job, 5, id('queue', i) .. '@' .. job .. ' 0:0' .. rest)
    redis.call('HSET', base .. 'active:' .. job, id('run', i) .. '@' .. job, 'm')
    redis.call('HSET', base .. 'held', id('run', i) .. '@' .. job, '1:0 w-1 1 2 0 -' .. rest)
    redis.call('RPUSH', base .. 'runs:' .. job, id('end', i) .. '@' .. job .. '\\t' .. (i % 3 == 0 and 'failed' or 'succeeded')
      .. '\\t1\\tw-1\\t1\\t' .. math.ceil(i / 3) .. '\\t' .. ran)
  end
end";

async fn seed(test: &Harness) {
    let of_job = test.store.partition_of_job(&name("a/b")).as_u16();
    for p in [of_job, (of_job + 1) % 4] {
        let job = if p == of_job { "a/b" } else { "" };
        test.text(&[
            "EVAL",
            SEED,
            "1",
            &test.key(partition(p), "wheel"),
            &p.to_string(),
            job,
        ])
        .await;
    }
}

/// All pages, with how many there were.
async fn walk(test: &Harness, filter: &ContextFilter, limit: u32) -> Vec<ContextView> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..500 {
        let page = test
            .store
            .list_contexts(filter, &cursor, limit)
            .await
            .unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        assert_eq!(page.unreadable, 0);
        all.extend(page.items);
        if page.next.is_empty() {
            return all;
        }
        cursor = page.next;
    }
    panic!("the list does not end: {cursor}");
}

fn of_state(state: ContextState) -> ContextFilter {
    ContextFilter {
        states: vec![state],
        ..ContextFilter::default()
    }
}

/// The kinds of id found, each with how often.
fn kinds(views: &[ContextView]) -> Vec<(String, usize)> {
    let mut ids: Vec<_> = views.iter().map(|view| view.id.as_str()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "a context came twice");
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for id in ids {
        let kind = id
            .split('.')
            .nth(2)
            .unwrap()
            .split('-')
            .next()
            .unwrap()
            .to_owned();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds.sort();
    kinds
}

fn pairs(kinds: &[(&str, usize)]) -> Vec<(String, usize)> {
    kinds
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect()
}

#[tokio::test]
async fn every_state_has_its_list_and_pages_join_without_gaps() {
    let Some(test) = fresh().await else { return };
    seed(&test).await;
    let expected: [(ContextState, &[(&str, usize)]); 9] = [
        (ContextState::Scheduled, &[("wheel", 14)]),
        (ContextState::Retrying, &[("retry", 14)]),
        (ContextState::Ready, &[("ready", 14)]),
        (ContextState::Running, &[("held", 14), ("run", 7)]),
        (ContextState::Queued, &[("queue", 7)]),
        (ContextState::Succeeded, &[("ok", 14)]),
        (ContextState::Cancelled, &[("off", 14)]),
        (ContextState::Expired, &[("bad", 14)]),
        (ContextState::Failed, &[("old", 14)]),
    ];
    for (state, kinds_expected) in expected {
        for limit in [1, 3, 7, 100] {
            let views = walk(&test, &of_state(state), limit).await;
            assert_eq!(kinds(&views), pairs(kinds_expected), "{state} by {limit}");
            assert!(views.iter().all(|view| view.state == state));
        }
    }
    let views = walk(&test, &of_state(ContextState::Expired), 3).await;
    assert!(
        views
            .iter()
            .all(|view| view.error == "late" && view.failures == 1 && view.body == "body")
    );
}

#[tokio::test]
async fn without_a_filter_everything_of_the_partitions_is_listed() {
    let Some(test) = fresh().await else { return };
    seed(&test).await;
    let all = [
        ("bad", 14),
        ("held", 14),
        ("off", 14),
        ("ok", 14),
        ("queue", 7),
        ("ready", 14),
        ("retry", 14),
        ("run", 7),
        ("wheel", 14),
    ];
    for limit in [4, 100, 1_000] {
        let views = walk(&test, &ContextFilter::default(), limit).await;
        assert_eq!(kinds(&views), pairs(&all), "{limit}");
    }
}

#[tokio::test]
async fn the_contexts_of_a_job_are_its_active_queued_and_ended_ones() {
    let Some(test) = fresh().await else { return };
    seed(&test).await;
    let filter = ContextFilter {
        job: Some(name("a/b")),
        ..ContextFilter::default()
    };
    for limit in [1, 2, 3, 50] {
        let views = walk(&test, &filter, limit).await;
        assert_eq!(
            kinds(&views),
            pairs(&[("end", 7), ("queue", 7), ("run", 7)]),
            "{limit}"
        );
        assert!(views.iter().all(|view| view.job == Some(name("a/b"))));
    }
    let failed = ContextFilter {
        states: vec![ContextState::Failed],
        ..filter.clone()
    };
    assert_eq!(kinds(&walk(&test, &failed, 1).await), pairs(&[("end", 2)]));
    let queued = ContextFilter {
        states: vec![ContextState::Queued],
        ..filter.clone()
    };
    assert_eq!(
        kinds(&walk(&test, &queued, 2).await),
        pairs(&[("queue", 7)])
    );
    let running = ContextFilter {
        states: vec![ContextState::Running],
        ..filter
    };
    assert_eq!(kinds(&walk(&test, &running, 2).await), pairs(&[("run", 7)]));
}

#[tokio::test]
async fn a_group_has_its_own_contexts_only() {
    let Some(test) = fresh().await else { return };
    seed(&test).await;
    let group = Some(GroupName::new("alpha").unwrap());
    for (state, kind) in [
        (ContextState::Ready, "ready"),
        (ContextState::Scheduled, "wheel"),
        (ContextState::Failed, "old"),
        (ContextState::Retrying, "retry"),
    ] {
        let filter = ContextFilter {
            group: group.clone(),
            ..of_state(state)
        };
        let views = walk(&test, &filter, 2).await;
        assert_eq!(kinds(&views), pairs(&[(kind, 6)]));
        assert!(views.iter().all(|view| view.group == group));
    }
}

#[tokio::test]
async fn the_newest_ended_contexts_come_first() {
    let Some(test) = fresh().await else { return };
    seed(&test).await;
    let filter = ContextFilter {
        job: Some(name("a/b")),
        ..of_state(ContextState::Succeeded)
    };
    let ended: Vec<u64> = walk(&test, &filter, 2)
        .await
        .iter()
        .map(|view| view.ended.unwrap().as_u64())
        .collect();
    assert_eq!(ended, [3, 2, 2, 1, 1]);
}

#[tokio::test]
async fn every_bad_argument_is_refused() {
    let Some(test) = fresh().await else { return };
    let changes = [
        (1, "", "place"),
        (1, "shelf", "place"),
        (3, "0", "limit"),
        (3, "101", "limit"),
        (1, "runs", "job"),
        (1, "active", "job"),
        (2, "x", "position"),
        (7, "0", "look"),
        (7, "6401", "look"),
        (11, "x", "due_from"),
        (14, "9007199254740992", "ended_to"),
    ];
    test.assert_refused(
        "context/list",
        partition(0),
        &["held", "", "10", "", "", ""],
        &changes,
    )
    .await;
    assert_eq!(
        test.eval(
            "context/list",
            partition(0),
            &["held", "", "10", "", "", ""]
        )
        .await
        .unwrap(),
        ["PAGE", "items"]
    );
}

#[tokio::test]
async fn a_page_costs_what_it_shows() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let key = |name: &str| test.key(partition(0), name);
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 5, '0.5.a-' .. i .. ' 0:0 g h 2 - ') \
             redis.call('HSET', KEYS[2], '0.5.a-' .. i, 5) end"
        );
        test.text(&["EVAL", &fill, "2", &key("wheel"), &key("retry")])
            .await;
        for place in ["wheel", "retry", "ready", "queue", "held", "ends", "dead"] {
            let cost = test
                .cost("context/list", partition(0), &[place, "", "20", "", "", ""])
                .await;
            assert!(
                cost <= 70 + 20 * 60,
                "{place}: {cost} commands with {size} entries"
            );
        }
    }
}

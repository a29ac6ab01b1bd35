//! What a page costs Redis among 1,000,000 contexts that wait and 100,000 that have ended, over 16 partitions.
//!
//! `cargo nextest run --release -p tickwheel-store --test scripts --run-ignored only -E 'test(a_page_of_a_million)' --no-capture`

use std::time::Duration;

use tickwheel_core::run::ContextState;
use tickwheel_store::context::{ContextFilter, ListOrder, PageBounds};
use tokio::time::Instant;

use super::of_state;
use crate::harness::{Harness, alone_many, partition};

const PARTITIONS: u16 = 16;
const WAITING: u64 = 1_000_000;
const ENDED: u64 = 100_000;
/// Times that each list is asked for.
const ROUNDS: u32 = 20;

/// In one partition its part of those that wait, of the events with some eight ends in each, and of the dead.
const FILL: &str = "
local base, p = string.match(KEYS[1], '^(.-}:)'), ARGV[1]
local from, to, ended = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function text(n) return string.format('%.0f', n) end
local body = string.rep('x', 100)
for i = from, to do
  local due = text(1800000000000 + i * 7 % 100000)
  redis.call('ZADD', base .. 'wheel', due, p .. '.' .. due .. '.w-' .. i .. ' 0:0 default work 2 - ' .. body)
end
local lines = {}
for i = 1, ended do
  local at = text(1700000000000 + i * 3)
  local state = i % 10 == 0 and 'failed' or 'succeeded'
  local line = p .. '.' .. at .. '.e-' .. i .. '\\t' .. state .. '\\t1\\tw-1\\t' .. at .. '\\t' .. at .. '\\tno\\tdefault\\twork\\t0'
  lines[#lines + 1] = line
  if state == 'failed' then
    redis.call('ZADD', base .. 'dead', at, line .. '\\n1 default work 2 - ' .. body)
  end
  if i % 8 == 0 then
    redis.call('XADD', base .. 'events', at .. '-1', 's', table.concat(lines, '\\n'))
    lines = {}
  end
end";

async fn fill(test: &Harness) {
    let each = WAITING / u64::from(PARTITIONS);
    for p in 0..PARTITIONS {
        let wheel = test.key(partition(p), "wheel");
        for from in (1..=each).step_by(10_000) {
            let to = (from + 9_999).min(each);
            let ended = if from == 1 {
                ENDED / u64::from(PARTITIONS)
            } else {
                0
            };
            let numbers = [u64::from(p), from, to, ended].map(|number| number.to_string());
            let [p, from, to, ended] = &numbers;
            test.text(&["EVAL", FILL, "1", &wheel, p, from, to, ended])
                .await;
        }
    }
}

/// Seconds of its processor that Redis used so far.
async fn used(test: &Harness) -> f64 {
    let told = test.text(&["INFO", "cpu"]).await;
    let of = |name: &str| -> f64 {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    of("used_cpu_user:") + of("used_cpu_sys:")
}

#[tokio::test]
#[ignore = "a measurement: it fills Redis with a million contexts"]
async fn a_page_of_a_million_contexts_costs_what_it_shows() {
    let Some((test, _server)) = alone_many(PARTITIONS).await else {
        return;
    };
    fill(&test).await;
    let nothing = |filter: ContextFilter| ContextFilter {
        handler: Some("other".parse().unwrap()),
        ..filter
    };
    let ended = || ContextFilter {
        order: Some(ListOrder::Ended),
        ..ContextFilter::default()
    };
    let waiting = || of_state(ContextState::Scheduled);
    let dead = || of_state(ContextState::Failed);
    let cases = [
        ("50 that wait", waiting(), 5.0),
        ("50 ended", ended(), 5.0),
        ("50 dead", dead(), 5.0),
        ("50 of any", ContextFilter::default(), 5.0),
        ("none that wait", nothing(waiting()), 20.0),
        ("none ended", nothing(ended()), 20.0),
        ("none dead", nothing(dead()), 20.0),
        (
            "no error",
            ContextFilter {
                error: "absent".to_owned(),
                ..ended()
            },
            20.0,
        ),
    ];
    let mut slow = Vec::new();
    for (name, filter, most) in cases {
        let (before, started) = (used(&test).await, Instant::now());
        let mut looked = 0;
        for _ in 0..ROUNDS {
            let page = test.store.list_contexts(&filter, "", PageBounds::from(50));
            looked = page.await.unwrap().looked.entries;
        }
        let wall = started.elapsed() / ROUNDS;
        let cpu = (used(&test).await - before) * 1_000.0 / f64::from(ROUNDS);
        println!("{name}: {cpu:.2} ms of Redis, {wall:.1?}, looked at {looked}");
        if cpu > most || wall > Duration::from_millis(100) {
            slow.push(name);
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

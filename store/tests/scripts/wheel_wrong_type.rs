//! wheel/turn while a key that it writes has another type than it should: nothing that it took is lost (W1).

use std::collections::BTreeSet;

use crate::call::{Part, T, ready_score};
use crate::harness::fresh;

/// Keys that a turn may write, without those of limits.
const KEYS: [&str; 19] = [
    "held",
    "retry",
    "fair",
    "backlog",
    "events",
    "dead",
    "fans",
    "limit_shares",
    "quarantine",
    "stats",
    "traces",
    "tags:g",
    "ready:g:h",
    "ready:g:h:k=",
    "job:d/j",
    "active:d/j",
    "ledger:d/j",
    "queue:d/q",
    "ledger:d/q",
];

/// The contexts that have to run.
const RUN: [&str; 9] = [
    "3.999000.a-1",
    "3.999000.a-2",
    "3.999000.b-1",
    "3.999001.c-1",
    "3.999000.d-1",
    "3.999002.e-1",
    "3.999003.f-1",
    "3.999500.f@d/j",
    "3.999500.f@d/q",
];
/// Those that end as expired.
const EXPIRE: [&str; 2] = ["3.999000.x-1", "3.999000.x-2"];

async fn fill(part: Part<'_>) {
    let fill = format!(
        "local base, now = KEYS[1], {T}
         local function wheel(at, member) redis.call('ZADD', base .. 'wheel', at, member) end
         wheel(999000, '3.999000.a-1 0:0 g h 2 - x')
         wheel(999000, '3.999000.a-2 0:0 g h 3 - x')
         wheel(999000, '3.999000.b-1 0:0 g h 2 k=acme x')
         wheel(999001, '3.999001.c-1 0:0 g i 2 s=99000 x')
         wheel(999500, '3.999000.d-1 1:1 g h 2 - x')
         redis.call('HSET', base .. 'retry', '3.999000.d-1', 999500)
         wheel(999000, '3.999000.x-1 0:0 g h 2 s=10 x')
         wheel(999010, '#3.999000.x-1 g h 2')
         wheel(999010, '#3.999000.x-2 g h 2')
         wheel(999020, 'nonsense')
         redis.call('ZADD', base .. 'ready:g:h', {ready}, '3.999002.e-1 0:0 g h 2 - x')
         redis.call('ZADD', base .. 'ready:g:h', {expired}, '3.999000.x-2 0:0 g h 2 s=10 x')
         redis.call('ZADD', base .. 'ready:g:h:k=', {keyed}, '3.999003.f-1 2:0 g h 2 k=acme x')
         redis.call('HSET', base .. 'fair', '3.999003.f-1', '{keyed}')
         redis.call('ZADD', base .. 'tags:g', 164, 'acme')
         redis.call('ZADD', base .. 'backlog', 0, 'g h', 0, 'g h k=')
         for _, job in ipairs({{ 'd/j', 'd/q' }}) do
           redis.call('HSET', base .. 'job:' .. job, 'state', 'active', 'kind', 'fixed_rate', 'next', 999500, 'period', 1000000,
             'tmpl', 'g h 2 - x', 'overlap', 'queue', 'overlap_limit', '9', 'misfire', 'fire_all', 'misfire_limit', '9')
           wheel(999500, '@' .. job)
         end
         redis.call('HSET', base .. 'active:d/q', '3.5.f@d/q', 's')
         redis.call('HSET', base .. 'held', '3.5.f@d/q', '1:0 w 5 99000000 0 - g h 2 - x')",
        ready = ready_score(2, 999_002),
        expired = ready_score(2, 999_000),
        keyed = ready_score(2, 100),
    );
    part.test.text(&["EVAL", &fill, "1", &part.key("")]).await;
}

/// Turns with so many permits while `broken` is a text, then puts what was there in its place again.
async fn turn_broken(part: Part<'_>, key: &str, permits: &str) {
    let test = part.test;
    let (broken, kept) = (part.key(key), part.key("kept"));
    let there = test.text(&["EXISTS", &broken]).await == "1";
    if there {
        test.command(&["RENAME", &broken, &kept]).await;
    }
    test.command(&["SET", &broken, "x"]).await;
    for step in 0..3 {
        let now = (T + step).to_string();
        let args = [now.as_str(), "60000", "100", "1", "w", "g", permits, "h,i"];
        // Whether it fails is of no interest here.
        drop(test.eval("wheel/turn", part.id, &args).await);
    }
    let state = part.state().await;
    let sets = state.zsets.values().flat_map(|set| set.keys());
    let mut there_now: BTreeSet<&str> =
        sets.filter_map(|member| member.split(' ').next()).collect();
    there_now.extend(
        state
            .hashes
            .get("held")
            .into_iter()
            .flat_map(|held| held.keys().map(String::as_str)),
    );
    for id in &RUN[..4] {
        let hidden = key.starts_with("ready");
        assert!(
            hidden || there_now.contains(id),
            "{key}, {permits}: {id} is nowhere"
        );
    }
    // What made room by itself is the real one by now.
    if test.text(&["TYPE", &broken]).await == "string" {
        test.command(&["DEL", &broken]).await;
    }
    if there {
        test.command(&["RENAME", &kept, &broken]).await;
    }
}

/// Turns, and lets everything that runs succeed, also behind the pause of a job that could not be used.
async fn run_all(part: Part<'_>) {
    for step in 0..4 {
        let now = T + 70_000 * step;
        part.turn(now + 5, 100, &[("w", "g", 100, "h,i")]).await;
        for _ in 0..2 {
            let state = part.state().await;
            for (id, value) in state.hash("held") {
                let attempt = value.split(':').next().unwrap();
                part.settle(now + 6, &[[id, attempt, "succeeded", ""]])
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_while_a_key_has_a_wrong_type() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (key, permits) in KEYS
        .into_iter()
        .flat_map(|key| ["0", "2", "50"].map(|n| (key, n)))
    {
        for name in test.keys().await {
            test.command(&["DEL", &name]).await;
        }
        fill(part).await;
        turn_broken(part, key, permits).await;
        run_all(part).await;
        let state = part.state().await;
        let ends = state.ends();
        let states = |id: &str| -> Vec<&str> {
            let of_it = ends.iter().filter(|(one, ..)| *one == id);
            of_it.map(|(_, state, _)| *state).collect()
        };
        for id in RUN {
            assert_eq!(states(id), ["succeeded"], "{key}, {permits}: {id}");
        }
        for id in EXPIRE {
            let states = BTreeSet::from_iter(states(id));
            assert_eq!(
                states,
                BTreeSet::from(["expired"]),
                "{key}, {permits}: {id}"
            );
        }
        let mut aside = state.list("quarantine").into_iter();
        assert!(
            aside.any(|one| one.contains("nonsense")),
            "{key}, {permits}"
        );
        let left: Vec<&str> = (state.zset("wheel").into_iter())
            .map(|(entry, _)| entry)
            .filter(|entry| !entry.starts_with(['@', '!', '&']))
            .collect();
        assert!(left.is_empty(), "{key}, {permits}: {left:?}");
    }
}

#[tokio::test]
async fn what_is_put_aside_in_the_same_millisecond_keeps_its_own_name() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (quarantine, wheel) = (part.key("quarantine"), part.key("wheel"));
    for value in ["older", "newer"] {
        test.command(&["DEL", &quarantine]).await;
        test.command(&["SET", &quarantine, value]).await;
        test.command(&["ZADD", &wheel, "1000", "nonsense"]).await;
        let now = T.to_string();
        let turn = [&now, "2000", "10", "1", "w", "g", "9", "h"];
        part.call("wheel/turn", "TURNED", &turn).await;
    }
    let mut kept = Vec::new();
    for entry in test
        .texts(&["LRANGE", &part.key("asides"), "0", "-1"])
        .await
    {
        let name = entry.split(' ').nth(1).unwrap().to_owned();
        kept.push(test.text(&["GET", &part.key(&name)]).await);
    }
    assert_eq!(kept, ["older", "newer"]);
}

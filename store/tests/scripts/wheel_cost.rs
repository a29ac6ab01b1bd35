//! wheel/turn costs what its header says, however full the partition is: `60 + 16 * limit` commands, and 60 for each expired context,
//! of which there are 32 at most.

use crate::call::{Part, T};
use crate::harness::alone;

const SIZES: [u32; 3] = [10, 1_000, 100_000];
const LIMIT: u64 = 500;

/// A partition with `size` contexts that are not due, and as many in one ready set that no worker serves.
async fn filled(part: Part<'_>, size: u32) {
    part.test.command(&["FLUSHALL"]).await;
    let fill = format!(
        "for i = 1, {size} do
           redis.call('ZADD', KEYS[1] .. 'wheel', 9e12, '3.9.b-' .. i .. ' 0:0 g h 2 - ')
           redis.call('ZADD', KEYS[1] .. 'ready:other:h', 2 * 2^44 + 5, '3.5.c-' .. i .. ' 0:0 other h 2 - ')
         end
         redis.call('ZADD', KEYS[1] .. 'backlog', 0, 'other h')"
    );
    part.test.text(&["EVAL", &fill, "1", &part.key("")]).await;
}

/// Runs `fill` (Lua, with `base` and `now`) and turns; answers with the commands of the turn.
async fn cost(part: Part<'_>, fill: &str, offers: &[&str]) -> u64 {
    let fill = format!("local base, now = KEYS[1], {T} {fill}");
    part.test.text(&["EVAL", &fill, "1", &part.key("")]).await;
    let (now, limit, count) = (
        T.to_string(),
        LIMIT.to_string(),
        (offers.len() / 4).to_string(),
    );
    let mut args = vec![now.as_str(), "2000", limit.as_str(), count.as_str()];
    args.extend(offers);
    part.test.cost("wheel/turn", part.id, &args).await
}

#[tokio::test]
async fn contexts_of_many_ready_sets() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    let handlers: Vec<String> = (0..200).map(|i| format!("h{i}")).collect();
    let handlers = handlers.join(",");
    for size in SIZES {
        filled(part, size).await;
        let due = "for i = 1, 600 do redis.call('ZADD', base .. 'wheel', 5, '3.5.a-' .. i .. ' 0:0 g h' .. i % 200 .. ' 2 t=900 x') end";
        let scarce = cost(part, due, &["w", "g", "300", &handlers]).await;
        let rest = cost(
            part,
            "",
            &["w", "g", "1000", &handlers, "v", "g", "1000", "h7"],
        )
        .await;
        assert!(
            scarce.max(rest) <= 60 + 16 * LIMIT,
            "{scarce} and {rest} commands with {size} entries"
        );
        println!(
            "wheel/turn, 500 contexts of 200 ready sets, {size} entries: {scarce} commands, then {rest}"
        );
        part.test.command(&["FLUSHALL"]).await;
        let due = "for i = 1, 500 do redis.call('ZADD', base .. 'wheel', 5, '3.5.a-' .. i .. ' 0:0 g h 2 - x') end";
        let direct = cost(part, due, &["w", "g", "1000", "h"]).await;
        assert!(
            direct <= 20,
            "{direct} commands for 500 contexts that find their permits at once"
        );
        let idle = cost(part, "", &["w", "g", "1000", "h"]).await;
        assert!(idle <= 5, "{idle} commands when nothing is due");
        println!("wheel/turn, 500 contexts directly: {direct} commands; nothing due: {idle}");
    }
}

#[tokio::test]
async fn firings_of_many_jobs() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in SIZES {
        filled(part, size).await;
        let jobs = "for i = 1, 600 do
               redis.call('HSET', base .. 'job:d/j' .. i, 'state', 'active', 'kind', 'fixed_rate', 'next', now - 9000, 'period', 1000,
                 'tmpl', 'g h 2 s=90000 x', 'overlap', 'queue', 'overlap_limit', '9', 'misfire', 'fire_all', 'misfire_limit', '1000')
               redis.call('ZADD', base .. 'wheel', now - 9000, '@d/j' .. i)
             end";
        let fired = cost(part, jobs, &["w", "g", "1000", "h"]).await;
        let again = cost(part, "", &["w", "g", "1000", "h"]).await;
        assert!(
            fired.max(again) <= 60 + 16 * LIMIT,
            "{fired} and {again} commands with {size} entries"
        );
        println!(
            "wheel/turn, late firings of 600 jobs, {size} entries: {fired} commands, then {again}"
        );
    }
}

#[tokio::test]
async fn start_deadlines_among_many_of_one_due_time() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in SIZES {
        filled(part, size).await;
        let late = "for i = 1, 300 do
               redis.call('ZADD', base .. 'ready:other:h', 2 * 2^44 + 5, '3.5.a-' .. i .. '@d/j 0:0 other h 2 s=7 x')
               redis.call('ZADD', base .. 'wheel', 12, '#3.5.a-' .. i .. '@d/j other h 2')
               redis.call('HSET', base .. 'job:d/j', 'state', 'active', 'kind', 'manual', 'followers', 'd/k:ended')
             end";
        let expired = cost(part, late, &["w", "g", "1000", "h"]).await;
        // The others are due again.
        assert_eq!(part.state().await.zset("dead").len(), 32);
        assert!(
            expired <= 60 + 60 * 32,
            "{expired} commands with {size} entries"
        );
        println!(
            "wheel/turn, 32 of 300 expired contexts of a job, {size} entries: {expired} commands"
        );
    }
}

#[tokio::test]
async fn a_batch_for_a_queue_in_which_something_waits() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    let now = T.to_string();
    for (batch, most) in [("a", 4), ("b", 2)] {
        let unique: Vec<String> = (0..200).map(|i| format!("{batch}-{i}")).collect();
        let mut args = vec![now.as_str(), "200"];
        for unique in &unique {
            args.extend(["+0", unique, "g h 2 - x", ""]);
        }
        let commands = part.test.cost("wheel/submit", part.id, &args).await;
        assert!(commands <= most, "{commands} commands for batch {batch}");
    }
}

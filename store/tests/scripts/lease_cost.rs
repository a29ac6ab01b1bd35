//! The scripts of leases cost what their headers say, however many contexts run.

use crate::call::{Part, T};
use crate::harness::alone;

const SIZES: [u32; 3] = [10, 1_000, 100_000];
const COUNT: u64 = 500;

/// `size` running contexts besides 500 of jobs (`a-<i>@d/j<i % 100>`) and 500 without one (`b-<i>`); the jobs have full queues.
async fn filled(part: Part<'_>, size: u32) {
    part.test.command(&["FLUSHALL"]).await;
    let fill = format!(
        "local base, held = KEYS[1], ' w 1 ' .. {T} .. ' 0 - g h'
         for i = 1, {size} do
           redis.call('HSET', base .. 'held', '3.9.x-' .. i, '1:0 w 1 9000000000000 0 - g h 2 - x')
           redis.call('ZADD', base .. 'wheel', 9e12, '3.9.y-' .. i .. ' 0:0 g h 2 - ')
           redis.call('ZADD', base .. 'dead', i, '3.9.z-' .. i .. ' 0:0 g h 2 - ')
         end
         for i = 0, 499 do
           local job = 'd/j' .. i % 100
           redis.call('HSET', base .. 'held', '3.5.a-' .. i .. '@' .. job, '1:0' .. held .. i .. ' 2 r=1 x')
           redis.call('HSET', base .. 'held', '3.5.b-' .. i, '1:0' .. held .. i .. ' 2 - x')
           redis.call('HSET', base .. 'active:' .. job, '3.5.a-' .. i .. '@' .. job, 'm')
           redis.call('ZADD', base .. 'queue:' .. job, 6, '3.6.q-' .. i .. '@' .. job .. ' 0:0 g h 2 - x')
           redis.call('HSET', base .. 'job:' .. job, 'state', 'active', 'kind', 'fixed_delay', 'period', '9', 'followers',
             'd/k:ended d/l:failed')
         end"
    );
    part.test.text(&["EVAL", &fill, "1", &part.key("")]).await;
}

fn ids(of_jobs: bool) -> Vec<String> {
    (0..COUNT)
        .map(|i| {
            if of_jobs {
                format!("3.5.a-{i}@d/j{}", i % 100)
            } else {
                format!("3.5.b-{i}")
            }
        })
        .collect()
}

async fn cost(part: Part<'_>, script: &str, ids: &[String], more: &[&str]) -> u64 {
    let (now, count) = (T.to_string(), COUNT.to_string());
    let mut args = vec![now.as_str(), "w", count.as_str()];
    args.extend(
        ids.iter()
            .flat_map(|id| std::iter::once(id.as_str()).chain(more.iter().copied())),
    );
    part.test.cost(script, part.id, &args).await
}

/// The same for lease/settle: `how` is attempt, outcome and payload, or the attempt alone for plain successes.
async fn settling(part: Part<'_>, ids: &[String], how: &[&str]) -> u64 {
    let (now, count) = (T.to_string(), COUNT.to_string());
    let plain = how.len() == 1;
    let mut args = vec![now.as_str(), "w", if plain { count.as_str() } else { "0" }];
    if !plain {
        args.push(&count);
    }
    for id in ids {
        args.push(id);
        args.extend(how);
    }
    if plain {
        args.push("0");
    }
    part.test.cost("lease/settle", part.id, &args).await
}

#[tokio::test]
async fn settle_renew_and_release() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in SIZES {
        filled(part, size).await;
        let renewed = cost(part, "lease/renew", &ids(true), &["1 1"]).await;
        assert!(
            renewed <= 5,
            "renew: {renewed} commands with {size} entries"
        );
        let alone = settling(part, &ids(false), &["1 1", "succeeded", "result"]).await;
        assert!(
            alone <= 12 + 3 * COUNT,
            "settle: {alone} commands with {size} entries"
        );
        let of_jobs = settling(part, &ids(true), &["1 1", "failed", "0 0 no"]).await;
        assert!(
            of_jobs <= 12 + 16 * COUNT,
            "settle: {of_jobs} commands with {size} entries"
        );
        filled(part, size).await;
        let plain = settling(part, &ids(false), &["1 1"]).await;
        assert!(plain <= 8, "settle: {plain} commands for plain successes");
        filled(part, size).await;
        let released = cost(part, "lease/release", &ids(false), &["1 1"]).await;
        assert!(
            released <= 10 + 2 * COUNT,
            "release: {released} commands with {size} entries"
        );
        let cancel = "for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
            local value = redis.call('HGET', KEYS[1], id)
            redis.call('HSET', KEYS[1], id, (string.gsub(value, ' %- ', ' REQUESTED@7 ', 1)))
          end";
        test.text(&["EVAL", cancel, "1", &part.key("held")]).await;
        let cancelled = cost(part, "lease/release", &ids(true), &["1 1"]).await;
        assert!(
            cancelled <= 10 + 2 * COUNT + 12 * COUNT,
            "release: {cancelled} commands with {size} entries"
        );
        println!(
            "500 of them with {size} entries: renew {renewed}, settle {plain} plain, {alone} with results, {of_jobs} of jobs, \
             release {released}, {cancelled} cancelled ones of jobs"
        );
    }
}

#[tokio::test]
async fn reap() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in SIZES {
        filled(part, size).await;
        let now = (T + 1).to_string();
        let (mut cursor, mut worst) = ("0".to_owned(), 0);
        loop {
            let before = test.commands_run().await;
            let reply = part
                .answer("lease/reap", &[&now, &cursor, "500", "", "0", "2000", "0"])
                .await;
            worst = worst.max(test.commands_run().await - before);
            let place = reply.iter().position(|word| word == "cursor");
            cursor.clone_from(&reply[place.unwrap() + 1]);
            if cursor == "0" {
                break;
            }
        }
        assert!(
            worst <= 16 + 16 * 500,
            "{worst} commands with {size} entries"
        );
        let state = part.state().await;
        assert_eq!(state.hash("held").len(), usize::try_from(size).unwrap());
        println!("lease/reap, page of 500 with {size} entries: {worst} commands");
    }
}

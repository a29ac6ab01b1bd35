//! job/over, and job/delete of what is over: `once` jobs go a while after they finished, with everything of them, and nothing else goes.

use std::time::Duration;

use crate::call::{Part, T};
use crate::harness::{alone, fresh, ms, name, partition};
use tickwheel_store::Error;

const W: (&str, &str, u64, &str) = ("w-1", "g", 9, "h");
const KEEP: u64 = 600_000;

/// A `once` job that was due at `T`.
async fn put_once(part: &Part<'_>, job: &str, changes: &[(&str, &str)]) {
    let mut fields = vec![("kind", "once"), ("period", ""), ("ledger_limit", "9")];
    fields.extend(changes);
    part.put_job(job, T, &fields).await;
    part.test
        .command(&["ZADD", &part.key("jobs"), "0", job])
        .await;
}

async fn over(part: &Part<'_>, now: u64) -> Vec<String> {
    let (now, keep) = (now.to_string(), KEEP.to_string());
    part.answer("job/over", &[&now, &keep, ""]).await
}

async fn forget(part: &Part<'_>, now: u64, job: &str) -> String {
    let (now, before) = (now.to_string(), (now - KEEP).to_string());
    let answer = part
        .answer("job/delete", &[&now, job, "0", "0", &before])
        .await;
    answer[0].clone()
}

#[tokio::test]
async fn a_job_that_happened_once_stays_for_its_time_and_goes_with_all_of_it() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    put_once(&part, "d/j", &[]).await;
    // Its turn was late: it counts from there, not from its due time.
    let turned = part.turn(T + 3_000, 9, &[W]).await;
    let id = turned.claims[0].1.split(' ').next().unwrap().to_owned();
    assert_eq!(over(&part, T + KEEP).await, ["OVER", "1000000", ""]);
    let now = T + 3_000 + KEEP;
    let listed = ["OVER", &(now - KEEP).to_string(), "", "d/j"].map(str::to_owned);
    assert_eq!(over(&part, now).await, listed, "by its own record");
    assert_eq!(forget(&part, now, "d/j").await, "KEPT", "it runs");
    assert_eq!(
        part.settle(T + 5_000, &[[&id, "1", "succeeded", ""]]).await,
        "S"
    );
    assert_eq!(forget(&part, now, "d/j").await, "KEPT", "it ended later");
    assert_eq!(
        forget(&part, T + 4_999 + KEEP, "d/j").await,
        "KEPT",
        "a millisecond before"
    );
    assert_eq!(forget(&part, T + 5_000 + KEEP, "d/j").await, "DELETED");
    for key in ["job:d/j", "ledger:d/j", "runs:d/j", "active:d/j"] {
        let key = part.key(key);
        assert_eq!(test.text(&["EXISTS", &key]).await, "0", "{key}");
    }
    assert_eq!(test.text(&["ZCARD", &part.key("jobs")]).await, "0");
    assert_eq!(over(&part, now).await.len(), 3);
    assert_eq!(forget(&part, now, "d/j").await, "NO_JOB");
}

#[tokio::test]
async fn what_is_used_otherwise_or_is_not_over_stays() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let finished = [("state", "finished"), ("next", "")];
    for (job, changes) in [
        ("d/ahead", &[("state", "active")][..]),
        ("d/paused", &[("state", "paused")]),
        ("d/followed", &[("followers", "d/f:ended")]),
        ("d/other", &[("kind", "fixed_rate"), ("period", "1000")]),
        ("d/changed", &[("updated_ms", "1600001")]),
    ] {
        let fields = [&finished[..], changes].concat();
        put_once(&part, job, &fields).await;
    }
    let now = T + 2 * KEEP;
    assert_eq!(over(&part, now).await.len(), 3);
    for job in ["d/ahead", "d/paused", "d/followed", "d/other", "d/changed"] {
        assert_eq!(forget(&part, now, job).await, "KEPT", "{job}");
    }
    // What a person asked for later counts as well, while it runs and when it ended.
    put_once(&part, "d/again", &finished).await;
    let active = part.key("active:d/again");
    test.command(&["HSET", &active, "3.1000000.f@d/again", "m"])
        .await;
    assert_eq!(forget(&part, now, "d/again").await, "KEPT");
    test.command(&["DEL", &active]).await;
    let run = "3.1000000.f@d/again\tsucceeded\t2\tw-1\t1\t1600001\t\tg\th\t0";
    test.command(&["RPUSH", &part.key("runs:d/again"), run])
        .await;
    assert_eq!(forget(&part, now, "d/again").await, "KEPT");
    assert_eq!(forget(&part, now + 1, "d/again").await, "DELETED");
}

#[tokio::test]
async fn pages_go_on_behind_the_name_they_ended_with_and_cost_what_a_page_costs() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let fill = "for i = 1, 250 do local job = string.format('d/j%03d', i) redis.call('ZADD', KEYS[1] .. 'jobs', 0, job) \
                redis.call('HSET', KEYS[1] .. 'job:' .. job, 'kind', 'once', 'state', 'finished', 'last', i, 'revision', 1) end";
    let tag = test.key(partition(0), "");
    test.text(&["EVAL", fill, "1", &tag]).await;
    let store = &test.store;
    let keep = Duration::from_secs(3_600);
    let (mut from, mut found) = (None, 0);
    for left in [100, 100, 50] {
        let page = store
            .jobs_over(partition(0), keep, from.as_deref())
            .await
            .unwrap();
        assert_eq!(page.jobs.len(), left);
        found += left;
        from = page.after;
    }
    assert_eq!((from, found), (None, 250));
    let cost = test.cost("job/over", partition(0), &["", "1000", ""]).await;
    assert!(cost <= 102, "{cost} commands");
    let page = store.jobs_over(partition(0), keep, None).await.unwrap();
    for job in &page.jobs {
        assert!(store.forget_job(job, page.before).await.unwrap());
    }
    let cost = test
        .cost(
            "job/delete",
            partition(0),
            &["", "d/j200", "0", "0", "1000"],
        )
        .await;
    assert!(cost <= 30, "{cost} commands");
    let gone = store.forget_job(&name("d/j001"), ms(1)).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
    assert_eq!(test.text(&["ZCARD", &format!("{tag}jobs")]).await, "149");
}

#[tokio::test]
async fn every_bad_argument_is_refused() {
    let Some(test) = fresh().await else { return };
    test.assert_refused(
        "job/over",
        partition(1),
        &["", "1000", ""],
        &[(1, "x", "now_ms"), (2, "999", "keep_ms")],
    )
    .await;
    let part = Part::new(&test);
    put_once(&part, "d/j", &[]).await;
    test.assert_refused(
        "job/delete",
        partition(3),
        &["", "d/j", "0", "0", "1"],
        &[(5, "-1", "over_ms"), (5, "x", "over_ms")],
    )
    .await;
}

//! A partition in which something is in every place, as the scripts themselves put it there.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::Namespace;
use tickwheel_core::job::{AfterOn, ContextOptions, JobSpec, Overlap, Priority, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::check::{Checked, Kind, Pace};
use tickwheel_store::job::Plan;
use tickwheel_store::lease::{Outcome, Settlement};
use tickwheel_store::limit::LimitInput;
use tickwheel_store::record::Rest;
use tickwheel_store::wheel::{Claim, Fire, Fired, NewContext, Offer, Told, TurnLimits, When};

use crate::harness::{Harness, job, name, partition};

/// An hour in ms.
pub(crate) const HOUR: u64 = 3_600_000;
/// Walks without rests: nobody else uses the server.
pub(crate) const FAST: Pace = Pace { rest: 0.0 };

/// Ids of contexts in their places.
pub(crate) struct Good {
    pub(crate) scheduled: String,
    pub(crate) retrying: String,
    pub(crate) ready: String,
    pub(crate) running: String,
    pub(crate) running_of_job: String,
    pub(crate) queued: String,
    pub(crate) dead: String,
    /// The next due time of the jobs.
    pub(crate) next: u64,
}

pub(crate) fn options(change: impl FnOnce(&mut ContextOptions)) -> ContextOptions {
    let mut options = ContextOptions::default();
    change(&mut options);
    options
}

/// Submits one context and answers with its id.
pub(crate) async fn submit(
    test: &Harness,
    delay: u64,
    (uniq, handler): (&str, &str),
    options: &ContextOptions,
) -> String {
    let rest = Rest::encode(
        &"default".parse().unwrap(),
        &handler.parse().unwrap(),
        Priority::NORMAL,
        options,
        b"body",
    );
    let context = NewContext {
        when: When::Delay(Duration::from_millis(delay)),
        rest,
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: None,
        partition: partition(0),
        placement: None,
    };
    let submitted = test.store.submit(&[context]).await.unwrap();
    submitted[0].id.to_string()
}

/// Claims up to `permits` contexts of a handler.
pub(crate) async fn claim(test: &Harness, handler: &str, permits: u32) -> Vec<Claim> {
    let (offer, limits) = offer(handler, permits);
    test.store
        .turn(partition(0), &[offer], limits)
        .await
        .unwrap()
        .claims
}

fn offer(handler: &str, permits: u32) -> (Offer, TurnLimits) {
    let offer = Offer {
        worker: "w-1".parse().unwrap(),
        group: "default".parse().unwrap(),
        permits,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: handler.into(),
    };
    let limits = TurnLimits {
        dispatch_lease: Duration::from_secs(3_000),
        entries: 100,
    };
    (offer, limits)
}

/// The same of one that counts under limits of its group and of its key, which have been granted.
async fn claim_under_limits(test: &Harness, handler: &str) -> Vec<Claim> {
    let shares = test.key(partition(0), "limit_shares");
    let granted = format!("0 9 0 {} k", test.now().await);
    for limit in ["default", "default k=acme"] {
        test.command(&["HSET", &shares, limit, &granted]).await;
    }
    let (offer, limits) = offer(handler, 1);
    let told = LimitInput {
        groups: vec!["default c c".to_owned()],
        ..LimitInput::default()
    };
    let told = Told {
        placements: &[],
        random: 1,
        limits: Some(&told),
        served: &[],
    };
    let turned = test
        .store
        .turn_told(partition(0), &[offer], told, limits)
        .await;
    turned.unwrap().claims
}

/// Submits a context by its record, due now.
async fn submit_raw(test: &Harness, uniq: &str, rest: &str) {
    let context = NewContext {
        when: When::Delay(Duration::ZERO),
        rest: Bytes::from(rest.to_owned()),
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: None,
        partition: partition(0),
        placement: None,
    };
    test.store.submit(&[context]).await.unwrap();
}

/// One that runs under them.
async fn run_under_limits(test: &Harness) {
    let limits = format!("{{{}}}:limits", test.prefix);
    test.command(&["HSET", &limits, "default", "{}"]).await;
    submit_raw(test, "l-1", "default limited 2 k=acme body").await;
    assert_eq!(claim_under_limits(test, "limited").await.len(), 1);
}

/// Ends an attempt.
pub(crate) async fn settle(test: &Harness, claim: &Claim, outcome: Outcome) {
    let settlement = Settlement {
        attempt: claim.holding().attempt,
        worker: claim.worker.clone(),
        outcome,
        random: 0,
    };
    let settled = test
        .store
        .settle(partition(0), &[settlement])
        .await
        .unwrap();
    assert_eq!(settled.len(), 1);
}

/// Applies a job whose next due time is `next`.
pub(crate) async fn apply(test: &Harness, spec: &JobSpec, dues: &[u64]) {
    let plan = Plan {
        dues: dues.iter().copied().map(TimestampMs::new).collect(),
        end: false,
    };
    drop(test.store.apply_job(spec, &plan).await.unwrap());
}

pub(crate) async fn fire(test: &Harness, job: &str, uniq: &str) -> String {
    let fire = Fire {
        uniq: uniq.to_owned(),
        due: None,
        body: None,
        dedup: None,
    };
    match test.store.fire_job(&name(job), fire).await.unwrap() {
        Fired::Started(id) | Fired::Queued(id) => id.to_string(),
        other @ (Fired::Skipped(_) | Fired::Duplicate(_) | Fired::NoJob) => panic!("{other:?}"),
    }
}

/// Fills the partition.
pub(crate) async fn good(test: &Harness) -> Good {
    let next = test.now().await + HOUR;
    let trigger = Trigger::FixedRate {
        period_ms: HOUR,
        anchor_ms: None,
    };
    apply(test, &job("a/rate", trigger), &[next]).await;
    let cron = Trigger::Cron {
        expression: "0 * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    apply(
        test,
        &job("a/cron", cron),
        &[next, next + HOUR, next + 2 * HOUR],
    )
    .await;
    let delay = Trigger::FixedDelay { delay_ms: HOUR };
    apply(test, &job("a/delay", delay), &[next]).await;
    let mut queued = job("a/queue", Trigger::Manual);
    queued.overlap = Overlap::Queue(5);
    queued.options = options(|options| options.start_deadline_ms = Some(HOUR));
    apply(test, &queued, &[]).await;
    let follows = Trigger::After {
        job: name("a/queue"),
        on: AfterOn::Ended,
    };
    apply(test, &job("a/follower", follows), &[]).await;
    test.store
        .add_follower(&name("a/queue"), &name("a/follower"), AfterOn::Ended)
        .await
        .unwrap();

    let plain = ContextOptions::default();
    let watched = options(|options| options.start_deadline_ms = Some(HOUR));
    let scheduled = submit(test, HOUR, ("s-1", "work"), &watched).await;
    let running_of_job = fire(test, "a/queue", "m-1").await;
    let queued = fire(test, "a/queue", "m-2").await;
    fire(test, "a/queue", "m-3").await;
    assert_eq!(claim(test, "work", 1).await.len(), 1);
    for uniq in ["e-1", "e-2", "e-3"] {
        submit(test, 0, (uniq, "ends"), &plain).await;
    }
    let claims = claim(test, "ends", 3).await;
    settle(
        test,
        &claims[0],
        Outcome::Succeeded(Bytes::from_static(b"x")),
    )
    .await;
    settle(test, &claims[1], Outcome::Fatal("boom".to_owned())).await;
    let later = Outcome::RetryAfter(Duration::from_secs(3_600), "later".to_owned());
    settle(test, &claims[2], later).await;
    let timed = options(|options| options.timeout_ms = Some(HOUR));
    let running = submit(test, 0, ("r-1", "runs"), &timed).await;
    assert_eq!(claim(test, "runs", 1).await.len(), 1);
    run_under_limits(test).await;
    submit_raw(test, "k-1", "default waits 2 k=acme body").await;
    submit_raw(test, "m-9", "default split 2 k=acme,m=1 body").await;
    let ready = submit(test, 0, ("w-1", "waits"), &watched).await;
    Good {
        scheduled,
        retrying: claims[2].member.id.to_string(),
        ready,
        running,
        running_of_job,
        queued,
        dead: claims[1].member.id.to_string(),
        next,
    }
}

/// The kinds of what was found.
pub(crate) fn kinds(checked: &Checked) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = checked.findings.iter().map(|one| one.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Sends a command whose words are separated by `|`; `B:` stands for the partition.
pub(crate) async fn command(test: &Harness, text: &str) {
    let base = test.key(partition(0), "");
    let words: Vec<String> = text
        .split('|')
        .map(|word| match word.strip_prefix("B:") {
            Some(name) => format!("{base}{name}"),
            None => word.to_owned(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    test.command(&words).await;
}

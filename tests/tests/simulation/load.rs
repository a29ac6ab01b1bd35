//! What callers ask for: jobs of every kind before anything goes wrong, then contexts and changes while it does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::job::{
    AfterOn, ContextOptions, JobSpec, Misfire, MisfirePolicy, Overlap, Trigger,
};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tickwheel_tests::harness::jobs::{
    after, cron, delay, every, job, once, submission, tries, with_options,
};
use tokio::time::sleep;
use tonic::Request;

use crate::fans;
use crate::limits;
use crate::placements;
use crate::rng::Rng;
use crate::trackers;
use crate::work::Work;
use crate::world::{Shared, with};

/// Nothing fires before all jobs are registered.
const HEAD_START_MS: u64 = 1_500;

/// What callers know.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// As registered, with the first due time that was answered.
    pub(crate) jobs: Vec<(JobSpec, Option<u64>)>,
    /// Jobs whose definition or life was touched: their calendar alone does not tell their due times.
    pub(crate) touched: BTreeSet<String>,
    /// Jobs of runs by hand whose answer never came: they may have been skipped, at an instant that is no due time of the calendar.
    pub(crate) unanswered: Vec<String>,
    pub(crate) deleted: BTreeSet<String>,
    ids: Vec<String>,
}

/// The callers' common knowledge.
pub(crate) type Known = Shared<Book>;

fn options(rng: &mut Rng) -> ContextOptions {
    let mut options = ContextOptions {
        lease_ms: rng.between(1_000, 3_000),
        cancel_grace_ms: rng.between(100, 1_500),
        ..tries(
            u32::try_from(rng.between(1, 5)).unwrap_or(1),
            rng.below(700),
        )
    };
    if rng.one_in(5) {
        options.timeout_ms = Some(rng.between(100, 2_000));
    }
    if rng.one_in(6) {
        options.start_deadline_ms = Some(rng.between(50, 4_000));
    }
    options.fail_on_lease_lost = rng.one_in(10);
    options
}

fn overlap(rng: &mut Rng) -> Overlap {
    match rng.below(6) {
        0 => Overlap::Parallel(3),
        1 => Overlap::Queue(20),
        2 => Overlap::QueueOne,
        3 => Overlap::Replace,
        4 => Overlap::Parallel(50),
        _ => Overlap::Discard,
    }
}

fn misfire(rng: &mut Rng) -> Misfire {
    let policy = match rng.below(3) {
        0 => MisfirePolicy::Skip,
        1 => MisfirePolicy::FireOnce,
        _ => MisfirePolicy::FireAll,
    };
    Misfire {
        policy,
        limit: 3,
        tolerance_ms: rng.between(200, 5_000),
        catch_up_window_ms: rng.one_in(4).then(|| rng.between(1_000, 8_000)),
    }
}

fn trigger(rng: &mut Rng, now: u64) -> (&'static str, Trigger) {
    match rng.below(7) {
        0 | 1 => ("rate", every(rng.between(250, 3_000))),
        2 => (
            "cron",
            cron(if rng.one_in(2) {
                "* * * * * *"
            } else {
                "*/2 * * * * *"
            }),
        ),
        3 => ("delay", delay(rng.between(100, 1_500))),
        4 => ("second", Trigger::FixedDelay { delay_ms: 1_000 }),
        5 => ("once", once(now + HEAD_START_MS + rng.below(12_000))),
        _ => ("manual", Trigger::Manual),
    }
}

/// The namespace of a follower that needs consent.
const OTHER: &str = "other";

fn specs(rng: &mut Rng, now: u64) -> Vec<JobSpec> {
    let count = rng.between(2, 5);
    let mut specs: Vec<JobSpec> = Vec::new();
    for number in 0..count {
        let (kind, trigger) = trigger(rng, now);
        let timed = !matches!(trigger, Trigger::Manual | Trigger::Once { .. });
        let spec = job(
            &format!("{kind}-{number}"),
            if rng.one_in(4) { "i" } else { "h" },
            trigger,
        );
        let model = fans::model(rng);
        let work = Work::any(rng);
        let work = if model.is_standalone() {
            work
        } else {
            work.quick()
        };
        let spec = JobSpec {
            body: work.body(),
            options: options(rng),
            fairness: limits::fairness(rng),
            model,
            subtask: tries(u32::try_from(rng.between(1, 3)).unwrap_or(1), 100),
            overlap: overlap(rng),
            misfire: misfire(rng),
            jitter_ms: if kind == "rate" && rng.one_in(3) {
                150
            } else {
                0
            },
            max_runs: (timed && rng.one_in(6)).then(|| rng.between(1, 6)),
            start_at: timed.then(|| TimestampMs::new(now + HEAD_START_MS)),
            ..spec.expect("a name")
        };
        specs.push(placements::place(spec, rng));
    }
    if rng.one_in(2)
        && let Some(upstream) = rng.pick(&specs).map(|spec| spec.name.clone())
    {
        let on = [AfterOn::Ended, AfterOn::Succeeded, AfterOn::Failed];
        let on = rng.pick(&on).copied().unwrap_or(AfterOn::Ended);
        let trigger = after(upstream.as_str(), on).expect("a name");
        // Drawn from what was drawn already, so that the rest of a seed is as it is without.
        let follower = if specs.len() > 3 {
            "other/then"
        } else {
            "then"
        };
        for spec in specs.iter_mut().filter(|spec| spec.name == upstream) {
            spec.followed_by = [OTHER.parse().expect("a name")].into();
        }
        specs.push(JobSpec {
            body: Work::any(rng).body(),
            options: options(rng),
            overlap: Overlap::Parallel(500),
            ..job(follower, "h", trigger).expect("a name")
        });
    }
    specs
}

/// Registers the jobs of a seed.
pub(crate) async fn register(known: &Known, rng: &mut Rng) {
    let mut specs = specs(rng, with(|world| world.now_ms()));
    let mut dues = apply(&specs).await;
    // Before anything is due, some withdraw what they let another namespace do.
    if specs.len() > 5 {
        for (spec, due) in specs.iter_mut().zip(&mut dues) {
            if !spec.followed_by.is_empty() {
                spec.followed_by.clear();
                *due = apply(std::slice::from_ref(spec)).await.remove(0);
            }
        }
    }
    known.lock().jobs = specs.into_iter().zip(dues).collect();
}

/// Registers jobs; when each is due first.
async fn apply(specs: &[JobSpec]) -> Vec<Option<u64>> {
    let request = v1::ApplyJobsRequest {
        jobs: specs.iter().map(v1::JobSpec::from).collect(),
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    let tracker = trackers::any().expect("a tracker");
    let applied = tracker.scheduler().apply_jobs(Request::new(request)).await;
    let applied = applied.expect("jobs that are valid").into_inner().jobs;
    applied.into_iter().map(|job| job.next_due_ms).collect()
}

/// One thing that somebody asks for. Its error is as good as no answer.
pub(crate) async fn ask(known: Known, mut rng: Rng) {
    let Some(tracker) = trackers::any() else {
        return;
    };
    let service = tracker.scheduler();
    match rng.below(20) {
        0..=9 => submit(&known, &service, &mut rng).await,
        10..=12 => {
            let id = rng.pick(&known.lock().ids).cloned();
            if let Some(id) = id {
                service
                    .cancel_context(Request::new(v1::ContextRef { id }))
                    .await
                    .ok();
            }
        }
        13 => {
            let id = rng.pick(&known.lock().ids).cloned();
            if let Some(id) = id {
                // It may run again: what is known of its end does not count any more.
                service
                    .retry_context(Request::new(v1::ContextRef { id }))
                    .await
                    .ok();
            }
        }
        14..=16 => {
            if let Some(name) = any_job(&known, &mut rng) {
                let request = v1::RunJobRequest {
                    name: name.clone(),
                    ..v1::RunJobRequest::default()
                };
                known.lock().unanswered.push(name.clone());
                let answer = service.run_job(Request::new(request)).await;
                let started =
                    answer.is_ok_and(|answer| answer.into_inner().skipped_reason.is_empty());
                let mut book = known.lock();
                let at = book.unanswered.iter().position(|other| *other == name);
                at.map(|at| book.unanswered.swap_remove(at));
                if !started {
                    // Its ledger may have a skipped instant that is no due time of its calendar.
                    book.touched.insert(name);
                }
            }
        }
        17 => pause(&known, &service, &mut rng).await,
        18 => change(&known, &service, &mut rng).await,
        _ => delete(&known, &service, &mut rng).await,
    }
}

fn any_job(known: &Known, rng: &mut Rng) -> Option<String> {
    let book = known.lock();
    rng.pick(&book.jobs).map(|(spec, _)| spec.name.to_string())
}

async fn submit(known: &Known, service: &impl SchedulerService, rng: &mut Rng) {
    let mut contexts = Vec::new();
    let keyed = rng.one_in(3);
    for number in 0..rng.between(1, 5) {
        let delay_ms = if rng.one_in(3) { 0 } else { rng.below(6_000) };
        let handler = if rng.one_in(4) { "i" } else { "h" };
        contexts.push(v1::Submission {
            body: Work::any(rng).body(),
            group: if rng.one_in(5) {
                "tight".to_owned()
            } else {
                String::new()
            },
            when: Some(v1::submission::When::DelayMs(delay_ms)),
            namespace: if rng.one_in(3) { "eu" } else { "" }.to_owned(),
            dedup_key: if keyed {
                format!("key-{}-{number}", rng.next())
            } else {
                String::new()
            },
            ..with_options(submission(handler, 0), options(rng))
        });
        shares_by_key(contexts.last_mut(), rng);
    }
    let request = v1::SubmitRequest { contexts };
    // With keys a caller may ask again until it is answered; each context comes once.
    for _ in 0..(if keyed { 4 } else { 1 }) {
        if let Ok(submitted) = service.submit(Request::new(request.clone())).await {
            let submitted = submitted.into_inner().contexts;
            for context in submitted {
                let id: ContextId = context.id.parse().expect("a context's id");
                with(|world| world.checks.confirm(id));
                known.lock().ids.push(context.id);
            }
            return;
        }
    }
}

fn shares_by_key(context: Option<&mut v1::Submission>, rng: &mut Rng) {
    let fairness = limits::fairness(rng);
    let Some(options) = context.and_then(|context| context.options.as_mut()) else {
        return;
    };
    options.fairness = fairness.key.map(|key| v1::Fairness {
        key,
        weight: Some(fairness.weight),
    });
}

async fn pause(known: &Known, service: &impl SchedulerService, rng: &mut Rng) {
    let Some(name) = any_job(known, rng) else {
        return;
    };
    known.lock().touched.insert(name.clone());
    let request = v1::PauseJobRequest {
        name: name.clone(),
        note: String::new(),
    };
    service.pause_job(Request::new(request)).await.ok();
    sleep(Duration::from_millis(rng.below(3_000))).await;
    service
        .resume_job(Request::new(v1::JobRef { name }))
        .await
        .ok();
}

async fn change(known: &Known, service: &impl SchedulerService, rng: &mut Rng) {
    let Some(name) = any_job(known, rng) else {
        return;
    };
    let spec = {
        let mut book = known.lock();
        // A deleted one would begin anew, with due times it had before.
        if book.deleted.contains(&name) {
            return;
        }
        book.touched.insert(name.clone());
        let found = book
            .jobs
            .iter_mut()
            .find(|(spec, _)| spec.name.as_str() == name);
        let Some((spec, _)) = found else {
            return;
        };
        spec.options = options(rng);
        if rng.one_in(2) {
            spec.overlap = overlap(rng);
        }
        if let Trigger::FixedRate { period_ms, .. } = &mut spec.trigger {
            *period_ms = rng.between(250, 3_000);
        }
        spec.clone()
    };
    let request = v1::ApplyJobsRequest {
        jobs: vec![v1::JobSpec::from(&spec)],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    service.apply_jobs(Request::new(request)).await.ok();
}

async fn delete(known: &Known, service: &impl SchedulerService, rng: &mut Rng) {
    let Some(name) = any_job(known, rng).filter(|_| rng.one_in(2)) else {
        return;
    };
    {
        let mut book = known.lock();
        // A change that is on its way could make it anew.
        if book.touched.contains(&name) {
            return;
        }
        book.deleted.insert(name.clone());
    }
    service
        .delete_job(Request::new(v1::DeleteJobRequest {
            name,
            force: true,
            ..v1::DeleteJobRequest::default()
        }))
        .await
        .ok();
}

/// Stops every job from firing, however often it must be asked.
pub(crate) async fn quieten(known: &Known) {
    let names: Vec<JobName> = known
        .lock()
        .jobs
        .iter()
        .map(|(spec, _)| spec.name.clone())
        .collect();
    for name in names {
        loop {
            let Some(tracker) = trackers::any() else {
                // It is starting.
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let request = v1::PauseJobRequest {
                name: name.to_string(),
                note: String::new(),
            };
            let deleted = known.lock().deleted.contains(name.as_str());
            let service = tracker.scheduler();
            let answered = if deleted {
                let request = v1::DeleteJobRequest {
                    name: name.to_string(),
                    force: true,
                    ..v1::DeleteJobRequest::default()
                };
                service.delete_job(Request::new(request)).await.map(drop)
            } else {
                service.pause_job(Request::new(request)).await.map(drop)
            };
            match answered {
                Ok(()) => break,
                // Finished, or gone.
                Err(status) if status.code() != tonic::Code::Unavailable => break,
                Err(_) => {}
            }
        }
    }
}

/// An empty book.
pub(crate) fn book() -> Known {
    Arc::default()
}

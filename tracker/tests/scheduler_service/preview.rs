//! A preview knows what a job ran, that it is paused or finished, and what was perhaps not meant.

use tickwheel_proto::v1;
use tickwheel_proto::v1::trigger::{FixedDelay, Kind};

use crate::harness::{Caller, api, caller, cron, every, instant, job, named};

async fn shown(caller: &mut Caller, name: &str) -> v1::PreviewJobResponse {
    let request = v1::PreviewJobRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    caller.rpc.preview_job(request).await.unwrap().into_inner()
}

async fn of_definition(caller: &mut Caller, spec: v1::JobSpec) -> v1::PreviewJobResponse {
    let request = v1::PreviewJobRequest {
        spec: Some(spec),
        ..Default::default()
    };
    caller.rpc.preview_job(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_paused_job_is_due_at_no_time() {
    let Some(mut caller) = caller().await else {
        return;
    };
    caller
        .apply(vec![job("x", cron("0 9 * * *", ""))])
        .await
        .unwrap();
    assert_eq!(shown(&mut caller, "x").await.due_ms.len(), 5);
    let pause = v1::PauseJobRequest {
        name: "x".to_owned(),
        note: "moving house".to_owned(),
    };
    caller.rpc.pause_job(pause).await.unwrap();
    let preview = shown(&mut caller, "x").await;
    assert!(preview.due_ms.is_empty());
    assert_eq!(
        preview.note,
        "is paused (moving house): nothing is due until it is resumed"
    );
    caller.rpc.resume_job(named("x")).await.unwrap();
    assert_eq!(shown(&mut caller, "x").await.due_ms.len(), 5);
}

#[tokio::test]
async fn max_runs_bounds_what_is_shown() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let spec = |name: &str, most| v1::JobSpec {
        max_runs: Some(most),
        ..job(name, cron("0 9 * * *", ""))
    };
    let preview = of_definition(&mut caller, spec("x", 2)).await;
    assert_eq!(
        (preview.due_ms.len(), preview.note.as_str()),
        (2, "no more follow: 2 of its max_runs, 2, are left")
    );
    assert_eq!(of_definition(&mut caller, spec("x", 5)).await.note, "");
    caller.apply(vec![spec("x", 3)]).await.unwrap();
    assert_eq!(shown(&mut caller, "x").await.due_ms.len(), 3);
    // One that has run out is finished, and says so.
    let once = v1::JobSpec {
        max_runs: Some(1),
        ..job("quick", every(20))
    };
    caller.apply(vec![once]).await.unwrap();
    while caller.job("quick").await.unwrap().state() != v1::JobState::Finished {
        tokio::task::yield_now().await;
    }
    let preview = shown(&mut caller, "quick").await;
    assert!(preview.due_ms.is_empty());
    assert_eq!(preview.note, "is finished: it ran 1 times, its max_runs");
}

#[tokio::test]
async fn a_delay_shows_the_due_time_that_is_known() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let delay = Kind::FixedDelay(FixedDelay { delay_ms: 60_000 });
    let start = instant("2100-01-01T00:00:00Z");
    let spec = v1::JobSpec {
        start_at_ms: Some(start),
        ..job("x", delay)
    };
    let preview = of_definition(&mut caller, spec.clone()).await;
    assert_eq!(preview.due_ms, [start]);
    caller.apply(vec![spec]).await.unwrap();
    let preview = shown(&mut caller, "x").await;
    assert_eq!(preview.due_ms, [start]);
    assert_eq!(
        preview.note,
        "each due time follows from the end of the run before"
    );
}

#[tokio::test]
async fn the_end_is_said_to_be_the_reason() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let end = caller.now().await + 36 * 3_600_000;
    let spec = v1::JobSpec {
        end_at_ms: Some(end),
        ..job("x", cron("0 9 * * *", ""))
    };
    let preview = of_definition(&mut caller, spec).await;
    assert!(!preview.due_ms.is_empty() && preview.due_ms.len() < 3);
    assert!(
        preview
            .note
            .starts_with("no due time follows before its end_at"),
        "{}",
        preview.note
    );
}

#[tokio::test]
async fn numbers_of_weekdays_in_six_fields_are_warned_of() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let spec = job("x", cron("0 0 9 * * 1-5", ""));
    let preview = of_definition(&mut caller, spec.clone()).await;
    assert!(
        preview.note.contains("`1-5` is SUN-THU here"),
        "{}",
        preview.note
    );
    let dry = v1::ApplyJobsRequest {
        jobs: vec![spec.clone()],
        dry_run: true,
        ..v1::ApplyJobsRequest::default()
    };
    let foreseen = caller.rpc.apply_jobs(dry).await.unwrap().into_inner().jobs;
    let applied = caller.apply(vec![spec, job("y", api())]).await.unwrap();
    for answer in [&foreseen[0], &applied[0]] {
        assert!(
            answer.warning.contains("write `MON-FRI` if that is meant"),
            "{answer:?}"
        );
    }
    assert_eq!(applied[1].warning, "");
}

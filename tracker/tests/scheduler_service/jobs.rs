//! Jobs: registered, changed, listed, previewed, paused, run and deleted.

use bytes::Bytes;
use tickwheel_proto::v1;
use tickwheel_proto::v1::applied_job::Change;

use super::harness::{after, api, caller, cron, deleting, every, instant, job, named, once};

#[tokio::test]
async fn applying_creates_once_and_changes_only_what_changed() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let spec = job("nightly", cron("30 2 * * *", "Europe/Berlin"));
    let dry = v1::ApplyJobsRequest {
        jobs: vec![spec.clone()],
        dry_run: true,
        ..v1::ApplyJobsRequest::default()
    };
    let dry = caller.rpc.apply_jobs(dry).await.unwrap().into_inner();
    assert_eq!(dry.jobs[0].change(), Change::Created);
    assert!(caller.job("nightly").await.is_err(), "a dry run wrote");

    let created = caller.apply(vec![spec.clone()]).await.unwrap().remove(0);
    assert_eq!(created.name, "default/nightly");
    assert_eq!((created.revision, created.change()), (1, Change::Created));
    assert_eq!(created.next_due_ms, dry.jobs[0].next_due_ms);
    let again = caller.apply(vec![spec.clone()]).await.unwrap().remove(0);
    assert_eq!((again.revision, again.change()), (1, Change::Unchanged));

    let description = "twice as often".to_owned();
    let trigger = Some(v1::Trigger {
        kind: Some(cron("30 2,14 * * *", "Europe/Berlin")),
    });
    let changed = v1::JobSpec {
        description,
        trigger,
        ..spec
    };
    let dry = v1::ApplyJobsRequest {
        jobs: vec![changed.clone()],
        dry_run: true,
        ..v1::ApplyJobsRequest::default()
    };
    let dry = caller.rpc.apply_jobs(dry).await.unwrap().into_inner().jobs;
    assert_eq!((dry[0].revision, dry[0].change()), (2, Change::Updated));
    let updated = caller.apply(vec![changed]).await.unwrap().remove(0);
    assert_eq!((updated.revision, updated.change()), (2, Change::Updated));
    let seen = caller.job("default/nightly").await.unwrap();
    assert_eq!(seen.state(), v1::JobState::Active);
    assert_eq!(seen.next_due_ms, updated.next_due_ms);
    assert_eq!(seen.spec.unwrap().description, "twice as often");
}

#[tokio::test]
async fn a_job_whose_last_due_time_has_passed_can_be_applied_again_as_it_is() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let end_at_ms = Some(caller.now().await + 300);
    let spec = v1::JobSpec {
        end_at_ms,
        ..job("short", every(100))
    };
    caller.apply(vec![spec.clone()]).await.unwrap();
    while caller.job("short").await.unwrap().state() != v1::JobState::Finished {
        tokio::task::yield_now().await;
    }
    let again = caller.apply(vec![spec]).await.unwrap().remove(0);
    assert_eq!(again.change(), Change::Unchanged);
}

#[tokio::test]
async fn a_list_goes_by_name_prefix_and_page() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let names = ["a/1", "a/2", "a/3", "b/1"];
    let jobs = names.map(|name| job(name, api())).to_vec();
    caller.apply(jobs).await.unwrap();
    let mut request = v1::ListJobsRequest {
        prefix: "a/".to_owned(),
        page_size: 2,
        ..v1::ListJobsRequest::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = caller.rpc.list_jobs(request.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.jobs.len() <= 2);
        seen.extend(page.jobs.into_iter().map(|job| job.spec.unwrap().name));
        if page.next_cursor.is_empty() {
            break;
        }
        request.cursor = page.next_cursor;
    }
    assert_eq!(seen, ["a/1", "a/2", "a/3"]);
    let all = v1::ListJobsRequest::default();
    let all = caller.rpc.list_jobs(all).await.unwrap().into_inner();
    assert_eq!(all.jobs.len(), 4);
}

#[tokio::test]
async fn a_preview_shows_due_times_of_a_definition_and_of_a_registered_job() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let after_ms = Some(instant("2027-03-27T12:00:00Z"));
    let spec = job("nightly", cron("30 2 * * *", "Europe/Berlin"));
    let request = v1::PreviewJobRequest {
        spec: Some(spec.clone()),
        count: 3,
        after_ms,
        ..Default::default()
    };
    let shown = caller.rpc.preview_job(request).await.unwrap().into_inner();
    // In the gap of 28 March the first valid instant stands for it.
    let expected = [
        "2027-03-28T01:00:00Z",
        "2027-03-29T00:30:00Z",
        "2027-03-30T00:30:00Z",
    ];
    assert_eq!(shown.due_ms, expected.map(instant));
    assert_eq!(
        (shown.zone.as_str(), shown.note.as_str()),
        ("Europe/Berlin", "")
    );
    caller.apply(vec![spec]).await.unwrap();
    let registered = v1::PreviewJobRequest {
        name: "nightly".to_owned(),
        after_ms,
        ..Default::default()
    };
    let shown = caller.rpc.preview_job(registered).await.unwrap();
    assert_eq!(shown.into_inner().due_ms.len(), 5, "five unless asked");
    for (kind, note) in [(api(), "asked"), (after("nightly"), "default/nightly")] {
        let request = v1::PreviewJobRequest {
            spec: Some(job("x", kind)),
            ..Default::default()
        };
        let shown = caller.rpc.preview_job(request).await.unwrap().into_inner();
        assert!(
            shown.due_ms.is_empty() && shown.note.contains(note),
            "{shown:?}"
        );
    }
}

#[tokio::test]
async fn a_pause_is_in_the_ledger_when_it_ends() {
    let Some(mut caller) = caller().await else {
        return;
    };
    caller
        .apply(vec![job("tick", every(50)), job("asked", api())])
        .await
        .unwrap();
    let pause = v1::PauseJobRequest {
        name: "tick".to_owned(),
        note: "maintenance".to_owned(),
    };
    let paused = caller.rpc.pause_job(pause).await.unwrap().into_inner();
    assert_eq!(paused.state(), v1::JobState::Paused);
    assert_eq!(
        (paused.pause_note.as_str(), paused.next_due_ms),
        ("maintenance", None)
    );
    let until = caller.now().await + 200;
    while caller.now().await < until {}
    let resumed = caller.rpc.resume_job(named("tick")).await.unwrap();
    assert_eq!(resumed.into_inner().state(), v1::JobState::Active);
    let request = v1::GetLedgerRequest {
        name: "tick".to_owned(),
        limit: 0,
        ..v1::GetLedgerRequest::default()
    };
    let records = caller.rpc.get_ledger(request).await.unwrap().into_inner();
    let skipped = records
        .records
        .iter()
        .find(|record| record.reason == "paused");
    let skipped = skipped.unwrap();
    assert!(skipped.count >= 3, "{skipped:?}");
    assert_eq!(
        skipped.last_due_ms - skipped.due_ms,
        (skipped.count - 1) * 50
    );
    let request = v1::GetJobStatsRequest {
        name: "tick".to_owned(),
        ..v1::GetJobStatsRequest::default()
    };
    let stats = caller.rpc.get_job_stats(request).await.unwrap();
    let stats = stats.into_inner();
    let sum = |of: fn(&v1::StatsCell) -> u64| stats.cells.iter().map(of).sum::<u64>();
    assert!(stats.skipped >= skipped.count, "{stats:?}");
    assert_eq!(
        (sum(|cell| cell.fired), sum(|cell| cell.skipped)),
        (stats.fired, stats.skipped)
    );
    let decided = stats.decided.map_or(0, |spread| spread.count);
    assert_eq!(
        decided, stats.fired,
        "whether it fired before the pause is chance"
    );
    let request = v1::GetJobStatsRequest {
        name: "tick".to_owned(),
        from_ms: 1,
        cell_ms: 1_000,
        ..v1::GetJobStatsRequest::default()
    };
    let wrong = caller.rpc.get_job_stats(request).await.unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::InvalidArgument, "{wrong:?}");
    // Resuming what is not paused changes nothing.
    let active = caller.rpc.resume_job(named("asked")).await.unwrap();
    assert_eq!(active.into_inner().state(), v1::JobState::Active);
}

#[tokio::test]
async fn a_run_is_once_per_dedup_key_and_obeys_the_overlap_policy() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let queue = v1::Overlap {
        policy: v1::overlap::Policy::Queue.into(),
        limit: 1,
    };
    let queued = v1::JobSpec {
        overlap: Some(queue),
        ..job("queued", api())
    };
    caller
        .apply(vec![job("asked", api()), queued])
        .await
        .unwrap();
    let request = v1::RunJobRequest {
        name: "asked".to_owned(),
        body: Some(Bytes::from_static(b"own")),
        dedup_key: "order-7".to_owned(),
        ..v1::RunJobRequest::default()
    };
    let first = caller.rpc.run_job(request.clone()).await.unwrap();
    let first = first.into_inner();
    assert!(first.id.ends_with("@default/asked") && !first.duplicate);
    assert_eq!(&caller.context(&first.id).await.unwrap().body[..], b"own");
    let second = caller.rpc.run_job(request).await.unwrap().into_inner();
    assert_eq!((second.id, second.duplicate), (first.id.clone(), true));
    let skipped = caller.run("asked").await.unwrap();
    assert_eq!(skipped.skipped_reason, "overlap_discard");

    caller.run("queued").await.unwrap();
    let waiting = caller.run("queued").await.unwrap();
    let waiting = caller.context(&waiting.id).await.unwrap();
    assert_eq!(waiting.state(), v1::ContextState::Queued);
    assert!(
        waiting.waiting_reason.contains("earlier context"),
        "{waiting:?}"
    );
    let full = caller.run("queued").await.unwrap();
    assert_eq!(full.skipped_reason, "overlap_queue_full");
    let seen = caller.job("queued").await.unwrap();
    assert_eq!((seen.active.len(), seen.queued), (1, 1));
}

#[tokio::test]
async fn a_deleted_job_takes_what_waits_with_it_and_leaves_its_name_free() {
    let Some(mut caller) = caller().await else {
        return;
    };
    caller
        .apply(vec![job("down", after("up")), job("up", api())])
        .await
        .unwrap();
    let waiting = caller.run("up").await.unwrap();
    let refused = caller.rpc.delete_job(deleting("up", false)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    assert!(
        refused.message().contains("followed by `default/down`")
            && refused.message().contains("--force"),
        "{refused}"
    );
    let deleted = caller.rpc.delete_job(deleting("up", true)).await.unwrap();
    assert_eq!(
        deleted.into_inner(),
        v1::DeleteJobResponse {
            cancelled: 1,
            running: 0,
            followers: vec!["default/down".to_owned()],
        }
    );
    assert!(caller.job("up").await.is_err());
    assert_eq!(
        caller.ended(&waiting.id).await.state(),
        v1::ContextState::Cancelled
    );
    caller.apply(vec![job("up", api())]).await.unwrap();
    assert_eq!(caller.job("up").await.unwrap().revision, 1);
    // The follower of the old one follows the new one.
    let seen = caller.rpc.delete_job(deleting("up", false)).await;
    assert_eq!(seen.unwrap_err().code(), tonic::Code::FailedPrecondition);
    caller
        .rpc
        .delete_job(deleting("down", false))
        .await
        .unwrap();
    caller.rpc.delete_job(deleting("up", false)).await.unwrap();
}

#[tokio::test]
async fn a_once_in_the_past_is_decided_by_the_misfire_policy() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let past = caller.now().await - 60_000;
    caller.apply(vec![job("late", once(past))]).await.unwrap();
    while caller.job("late").await.unwrap().state() != v1::JobState::Finished {
        tokio::task::yield_now().await;
    }
    let seen = caller.job("late").await.unwrap();
    assert_eq!((seen.fired, seen.last_due_ms), (1, Some(past)));
}

#[tokio::test]
async fn the_cluster_says_what_it_is() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let cluster = caller.rpc.get_cluster(v1::GetClusterRequest {}).await;
    let cluster = cluster.unwrap().into_inner();
    assert_eq!(cluster.partitions, 4);
    assert_eq!(cluster.trackers.len(), 1);
    assert!(!cluster.durability.is_empty() && !cluster.redis_version.is_empty());
    let workers = v1::ListWorkersRequest::default();
    let workers = caller.rpc.list_workers(workers).await.unwrap();
    assert!(workers.into_inner().workers.is_empty());
}

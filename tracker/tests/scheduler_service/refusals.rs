//! What is refused: with the code, the field and the rule, and with nothing written.

use bytes::Bytes;
use tickwheel_proto::v1;
use tonic::Code;

use super::harness::{
    Caller, after, api, caller, cron, deleting, every, invalid, job, named, once, refused,
    submission,
};

async fn jobs(caller: &mut Caller) -> usize {
    let all = v1::ListJobsRequest::default();
    caller
        .rpc
        .list_jobs(all)
        .await
        .unwrap()
        .into_inner()
        .jobs
        .len()
}

#[tokio::test]
async fn every_mistake_of_every_job_comes_back_at_once() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let wrong = vec![
        job("good", api()),
        job("field", cron("61 * * * *", "")),
        job("zone", cron("0 3 * * *", "Europe/Berln")),
        job("never", cron("0 0 30 2 *", "")),
        job("period", every(0)),
        job("instant", once(u64::MAX)),
        v1::JobSpec {
            body: Bytes::from(vec![0; 262_145]),
            max_runs: Some(0),
            ..job("big", api())
        },
        job("not a name", api()),
        job("good", api()),
    ];
    let fields = invalid(caller.apply(wrong).await);
    let expected = [
        "jobs[1].trigger.cron.expression",
        "jobs[2].trigger.cron.time_zone",
        "jobs[3].trigger.cron.expression",
        "jobs[4].trigger.fixed_rate.period_ms",
        "jobs[5].trigger.once.at_ms",
        "jobs[6].max_runs",
        "jobs[6].body",
        "jobs[7].name",
        "jobs[8].name",
    ];
    assert_eq!(fields, expected);
    assert_eq!(jobs(&mut caller).await, 0);
    assert_eq!(invalid(caller.apply(Vec::new()).await), ["jobs"]);
    let many = (0..1_001).map(|number| job(&format!("j{number}"), api()));
    assert_eq!(invalid(caller.apply(many.collect()).await), ["jobs"]);
}

#[tokio::test]
async fn an_upstream_exists_and_no_job_follows_itself() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let fields = invalid(caller.apply(vec![job("a", after("nobody"))]).await);
    assert_eq!(fields, ["jobs[0].trigger.after.job"]);
    caller
        .apply(vec![
            job("c", after("b")),
            job("b", after("a")),
            job("a", api()),
        ])
        .await
        .unwrap();
    let closing = caller.apply(vec![job("a", after("c"))]).await;
    let violations = refused(closing, Code::InvalidArgument);
    for name in ["default/a", "default/b", "default/c"] {
        assert!(violations[0].given.contains(name), "{violations:?}");
    }
    assert_eq!(caller.job("a").await.unwrap().revision, 1);
    // Turned round in one request, the old edges do not count.
    let turned = vec![job("a", after("b")), job("b", after("c")), job("c", api())];
    caller.apply(turned).await.unwrap();
}

#[tokio::test]
async fn every_mistake_of_every_submission_comes_back_at_once() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let contexts = vec![
        submission(0),
        v1::Submission {
            handler: "no spaces".to_owned(),
            body: Bytes::from(vec![0; 262_145]),
            ..Default::default()
        },
        v1::Submission {
            dedup_key: "x".repeat(257),
            when: Some(v1::submission::When::AtMs(u64::MAX)),
            ..submission(0)
        },
    ];
    let fields = invalid(caller.submit(contexts).await);
    let expected = [
        "contexts[1].handler",
        "contexts[1].body",
        "contexts[2].at_ms",
        "contexts[2].dedup_key",
    ];
    assert_eq!(fields, expected);
    assert_eq!(invalid(caller.submit(Vec::new()).await), ["contexts"]);
    let many = vec![submission(0); 1_001];
    assert_eq!(invalid(caller.submit(many).await), ["contexts"]);
    let all = v1::ListContextsRequest::default();
    let all = caller.rpc.list_contexts(all).await.unwrap().into_inner();
    assert!(all.contexts.is_empty(), "{all:?}");
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let name = || "nobody".to_owned();
    refused(caller.job("nobody").await, Code::NotFound);
    refused(caller.run("nobody").await, Code::NotFound);
    let pause = v1::PauseJobRequest {
        name: name(),
        note: String::new(),
    };
    refused(caller.rpc.pause_job(pause).await, Code::NotFound);
    refused(caller.rpc.resume_job(named("nobody")).await, Code::NotFound);
    refused(
        caller.rpc.delete_job(deleting("nobody", false)).await,
        Code::NotFound,
    );
    let preview = v1::PreviewJobRequest {
        name: name(),
        ..Default::default()
    };
    refused(caller.rpc.preview_job(preview).await, Code::NotFound);
    let ledger = v1::GetLedgerRequest {
        name: name(),
        limit: 0,
        ..v1::GetLedgerRequest::default()
    };
    refused(caller.rpc.get_ledger(ledger).await, Code::NotFound);
    let explain = v1::ExplainJobRequest {
        name: name(),
        at_ms: 0,
    };
    refused(caller.rpc.explain_job(explain).await, Code::NotFound);

    // One that never was, and one of a cluster with more partitions.
    for id in ["1.1767225600000.1-000001", "900.1767225600000.1-000001"] {
        let context = || v1::ContextRef { id: id.to_owned() };
        refused(caller.rpc.get_context(context()).await, Code::NotFound);
        refused(caller.rpc.cancel_context(context()).await, Code::NotFound);
        refused(caller.rpc.retry_context(context()).await, Code::NotFound);
        let wait = v1::WaitContextRequest {
            id: id.to_owned(),
            timeout_ms: 10,
        };
        refused(caller.rpc.wait_context(wait).await, Code::NotFound);
    }
}

#[tokio::test]
async fn a_label_that_is_none_is_refused_by_its_place() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let labels = ["team=billing", "a b", "=x"].map(ToOwned::to_owned);
    let list = v1::ListJobsRequest {
        labels: labels.to_vec(),
        ..Default::default()
    };
    let found = invalid(caller.rpc.list_jobs(list).await);
    assert_eq!(found, ["labels[1]", "labels[2]"]);
}

#[tokio::test]
async fn names_ids_and_counts_out_of_range_are_refused_by_field() {
    let Some(mut caller) = caller().await else {
        return;
    };
    assert_eq!(invalid(caller.job("a b").await), ["name"]);
    assert_eq!(invalid(caller.context("x").await), ["id"]);
    let wait = v1::WaitContextRequest {
        id: "1.1767225600000.1-000001".to_owned(),
        timeout_ms: 600_001,
    };
    assert_eq!(invalid(caller.rpc.wait_context(wait).await), ["timeout_ms"]);
    let list = v1::ListJobsRequest {
        page_size: 1_001,
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.list_jobs(list).await), ["page_size"]);
    let list = v1::ListJobsRequest {
        cursor: "a b".to_owned(),
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.list_jobs(list).await), ["cursor"]);
    let preview = v1::PreviewJobRequest {
        spec: Some(job("x", every(1_000))),
        count: 1_001,
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.preview_job(preview).await), ["count"]);
    let preview = v1::PreviewJobRequest {
        spec: Some(job("x", every(1))),
        ..Default::default()
    };
    assert_eq!(
        invalid(caller.rpc.preview_job(preview).await),
        ["trigger.fixed_rate.period_ms"]
    );
    let ledger = v1::GetLedgerRequest {
        name: "x".to_owned(),
        limit: 100_001,
        ..v1::GetLedgerRequest::default()
    };
    assert_eq!(invalid(caller.rpc.get_ledger(ledger).await), ["limit"]);
    let request = v1::ListContextsRequest {
        state: 77,
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.list_contexts(request).await), ["state"]);
    let request = v1::ListContextsRequest {
        group: "a b".to_owned(),
        ..Default::default()
    };
    assert_eq!(invalid(caller.rpc.list_contexts(request).await), ["group"]);
    let workers = v1::ListWorkersRequest {
        group: "a b".to_owned(),
    };
    assert_eq!(invalid(caller.rpc.list_workers(workers).await), ["group"]);
    caller.apply(vec![job("asked", api())]).await.unwrap();
    let run = v1::RunJobRequest {
        name: "asked".to_owned(),
        body: Some(Bytes::from(vec![0; 262_145])),
        dedup_key: String::new(),
        ..v1::RunJobRequest::default()
    };
    assert_eq!(invalid(caller.rpc.run_job(run).await), ["body"]);
    let run = v1::RunJobRequest {
        name: "asked".to_owned(),
        body: None,
        dedup_key: "a\nb".to_owned(),
        ..v1::RunJobRequest::default()
    };
    assert_eq!(invalid(caller.rpc.run_job(run).await), ["dedup_key"]);
}

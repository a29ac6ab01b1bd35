//! How many jobs a namespace may have.

use prost::Message as _;
use tickwheel_proto::v1;
use tickwheel_tracker::Config;
use tickwheel_tracker::config::{Quota, Quotas};
use tonic::{Code, Status};

use crate::harness::{Caller, api, configured, deleting, job, refused, serving};

/// A tracker at which namespace `a` may have so many jobs.
async fn with(jobs: u32) -> Option<Caller> {
    let quotas = Quotas {
        jobs: Quota {
            default: 0,
            namespaces: [("a".to_owned(), jobs), ("xcron".to_owned(), 1)].into(),
        },
        ..Quotas::default()
    };
    Some(
        serving(Config {
            quotas,
            ..limited()?
        })
        .await,
    )
}

fn limited() -> Option<Config> {
    Some(Config {
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        ..configured()?
    })
}

fn jobs(names: &[&str]) -> Vec<v1::JobSpec> {
    names.iter().map(|name| job(name, api())).collect()
}

async fn names(caller: &mut Caller) -> Vec<String> {
    let listed = caller.rpc.list_jobs(v1::ListJobsRequest::default()).await;
    let jobs = listed.unwrap().into_inner().jobs;
    let spec = |job: v1::Job| job.spec.unwrap().name;
    jobs.into_iter().map(spec).collect()
}

#[tokio::test]
async fn a_namespace_has_so_many_jobs_and_no_part_of_a_request_with_more_is_written() {
    let Some(mut caller) = with(3).await else {
        return;
    };
    caller
        .apply(jobs(&["a/1", "a/2", "ab/1", "a-b/1"]))
        .await
        .unwrap();
    let more = jobs(&["b/1", "a/3", "a/2", "a/4", "a/5"]);
    let violations = refused(caller.apply(more.clone()).await, Code::ResourceExhausted);
    let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(
        fields,
        ["jobs[3].name", "jobs[4].name"],
        "there is room for one"
    );
    assert_eq!(violations[0].given, "a/4");
    let rule = &violations[0].rule;
    assert!(
        rule.contains("at most 3 jobs") && rule.contains("which has 2"),
        "{rule}"
    );
    let dry = v1::ApplyJobsRequest {
        jobs: more,
        dry_run: true,
        ..v1::ApplyJobsRequest::default()
    };
    let dry = caller.rpc.apply_jobs(dry).await;
    assert_eq!(refused(dry, Code::ResourceExhausted), violations);
    assert_eq!(names(&mut caller).await, ["a-b/1", "a/1", "a/2", "ab/1"]);
    caller.apply(jobs(&["b/1", "a/3", "a/2"])).await.unwrap();
    // What is there may be changed, and one that goes makes room.
    let mut changed = jobs(&["a/1"]);
    changed[0].description = "another".to_owned();
    caller.apply(changed).await.unwrap();
    caller.apply(jobs(&["a/4"])).await.unwrap_err();
    caller.rpc.delete_job(deleting("a/1", false)).await.unwrap();
    caller.apply(jobs(&["a/4"])).await.unwrap();
}

#[tokio::test]
async fn who_registers_at_the_same_moment_finds_no_more_room_than_there_is() {
    let Some(mut caller) = with(5).await else {
        return;
    };
    let register = |number: usize| {
        let mut rpc = caller.rpc.clone();
        let jobs = jobs(&[&format!("a/{number}")]);
        async move {
            let request = v1::ApplyJobsRequest {
                jobs,
                dry_run: false,
                ..v1::ApplyJobsRequest::default()
            };
            rpc.apply_jobs(request).await.map(drop)
        }
    };
    let all: Vec<Result<(), Status>> = futures::future::join_all((0..40).map(register)).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 5);
    for status in all.into_iter().filter_map(Result::err) {
        let detail = v1::ErrorDetail::decode(status.details()).unwrap();
        assert_eq!(detail.code, "EXHAUSTED");
    }
    assert_eq!(names(&mut caller).await.len(), 5);
    let text = crate::http::scrape(caller.http.unwrap()).await;
    let counted = "tickwheel_quota_refused_total{class=\"namespace\",of=\"jobs\"} 35";
    assert!(text.contains(counted), "{text}");
}

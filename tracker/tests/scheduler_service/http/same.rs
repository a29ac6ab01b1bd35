//! Every operation over HTTP beside the same one over gRPC: what is answered is the same, and so is what is refused.
#![expect(
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "one arm for each operation; what one function does not know is asked of the next, and nobody's is a failure"
)]

use serde_json::json;
use tickwheel_api::answers::{
    Applied, AppliedList, DeadChanged, DeadPage, Deleted, Explained, Job, JobPage, JobStats,
    LedgerPage, LogPage, Preview, Run, RunExplained, RunPage, Submitted, SubmittedList,
    SubtaskPage,
};
use tickwheel_api::routes::Operation;
use tickwheel_proto::v1;
use tonic::{Response, Status};

use super::client::{Http, served};
use super::same_access::about_access;
use super::same_groups::about_groups;
use super::twins::{
    Said, by_grpc, by_http, expired, path, plain, refused, shown, waiting, without,
};
use crate::harness::{Caller, api, deleting, job, named, submission};

async fn about_jobs(operation: Operation, caller: &mut Caller, http: Http) -> Option<[Said; 2]> {
    let rpc = &mut caller.rpc;
    let document = |namespace: &str| json!({ "name": format!("{namespace}/new"), "handler": "close", "trigger": "manual", "body": [1] });
    Some(match operation {
        Operation::ListJobs => {
            let request = v1::ListJobsRequest {
                prefix: "http/".to_owned(),
                ..v1::ListJobsRequest::default()
            };
            let reply = http.get("/jobs?prefix=http%2F").await;
            [
                by_http(&reply),
                by_grpc::<_, JobPage>(rpc.list_jobs(request).await),
            ]
        }
        Operation::ApplyJobs => {
            let reply = http
                .post("/jobs:apply", &document("http").to_string())
                .await;
            let request = v1::ApplyJobsRequest {
                jobs: vec![v1::JobSpec {
                    body: "[1]".into(),
                    ..job("grpc/new", api())
                }],
                dry_run: false,
                ..v1::ApplyJobsRequest::default()
            };
            [
                by_http(&reply),
                by_grpc::<_, AppliedList>(rpc.apply_jobs(request).await),
            ]
        }
        Operation::GetJob => {
            let reply = http.get("/jobs/http:job").await;
            assert_eq!(reply.header("etag").as_deref(), Some("\"1\""));
            [
                by_http(&reply),
                by_grpc::<_, Job>(rpc.get_job(named("grpc/job")).await),
            ]
        }
        Operation::PutJob => {
            let text = json!({ "handler": "close", "trigger": "manual", "body": [1] }).to_string();
            let reply = http
                .ask("PUT", "/jobs/http:put", &[], text.as_bytes())
                .await;
            assert_eq!(reply.header("etag").as_deref(), Some("\"1\""));
            let request = v1::ApplyJobsRequest {
                jobs: vec![v1::JobSpec {
                    body: "[1]".into(),
                    ..job("grpc/put", api())
                }],
                ..v1::ApplyJobsRequest::default()
            };
            let answer = rpc.apply_jobs(request).await;
            let one = |answer: Response<v1::ApplyJobsResponse>| {
                let all = answer.into_inner().jobs.into_iter();
                Response::new(all.last().unwrap())
            };
            [by_http(&reply), by_grpc::<_, Applied>(answer.map(one))]
        }
        Operation::DeleteJob => {
            let reply = http
                .ask("DELETE", "/jobs/http:job?force=true", &[], b"")
                .await;
            let answer = rpc.delete_job(deleting("grpc/job", true)).await;
            let answer =
                answer.map(|answer| Deleted::new("grpc/job".to_owned(), answer.into_inner()));
            [
                by_http(&reply),
                answer
                    .map(|answer| shown(&answer))
                    .map_err(|status| refused(&status)),
            ]
        }
        Operation::PauseJob => {
            let reply = http
                .post("/jobs/http:job:pause", r#"{"note": "why"}"#)
                .await;
            let request = v1::PauseJobRequest {
                name: "grpc/job".to_owned(),
                note: "why".to_owned(),
            };
            [
                by_http(&reply),
                by_grpc::<_, Job>(rpc.pause_job(request).await),
            ]
        }
        Operation::ResumeJob => {
            let reply = http.post("/jobs/http:job:resume", "").await;
            [
                by_http(&reply),
                by_grpc::<_, Job>(rpc.resume_job(named("grpc/job")).await),
            ]
        }
        Operation::RunJob => {
            let reply = http
                .post("/jobs/http:job:run", r#"{"body": [1], "dedup_key": "k"}"#)
                .await;
            let request = v1::RunJobRequest {
                name: "grpc/job".to_owned(),
                body: Some("[1]".into()),
                dedup_key: "k".to_owned(),
                ..v1::RunJobRequest::default()
            };
            [
                by_http(&reply),
                by_grpc::<_, Submitted>(rpc.run_job(request).await),
            ]
        }
        Operation::PreviewJob | Operation::PreviewDefinition => {
            let is_registered = operation == Operation::PreviewJob;
            let (reply, request) = if is_registered {
                let reply = http.get("/jobs/http:job/preview?count=3&after=5").await;
                (
                    reply,
                    v1::PreviewJobRequest {
                        name: "grpc/job".to_owned(),
                        count: 3,
                        after_ms: Some(5),
                        ..v1::PreviewJobRequest::default()
                    },
                )
            } else {
                let document = document("http").to_string();
                (
                    http.post("/preview", &document).await,
                    v1::PreviewJobRequest {
                        spec: Some(job("grpc/new", api())),
                        ..v1::PreviewJobRequest::default()
                    },
                )
            };
            let name = if is_registered {
                "grpc/job"
            } else {
                "grpc/new"
            };
            let answer = rpc.preview_job(request).await.unwrap().into_inner();
            [
                by_http(&reply),
                Ok(shown(&Preview::new(name.to_owned(), answer))),
            ]
        }
        Operation::GetLedger => {
            let request = v1::GetLedgerRequest {
                name: "grpc/job".to_owned(),
                limit: 5,
                from_ms: 1,
                to_ms: 4_102_444_800_000,
                verdicts: vec![v1::ledger_record::Verdict::Fired.into()],
                cursor: String::new(),
            };
            let reply = http
                .get("/jobs/http:job/ledger?limit=5&from=1&to=4102444800000&verdict=fired")
                .await;
            [
                by_http(&reply),
                by_grpc::<_, LedgerPage>(rpc.get_ledger(request).await),
            ]
        }
        Operation::GetJobStats => {
            let request = v1::GetJobStatsRequest {
                name: "grpc/job".to_owned(),
                from_ms: 1_000,
                to_ms: 90_000,
                cell_ms: 1_000,
            };
            let reply = http
                .get("/jobs/http:job/stats?from=1000&to=90000&cell=1s")
                .await;
            [
                by_http(&reply),
                by_grpc::<_, JobStats>(rpc.get_job_stats(request).await),
            ]
        }
        Operation::ExplainJob => {
            let request = v1::ExplainJobRequest {
                name: "grpc/nobody".to_owned(),
                at_ms: 1_000,
            };
            let reply = http
                .get("/jobs/http:nobody/explain?at=1970-01-01T00:00:01Z")
                .await;
            [
                by_http(&reply),
                by_grpc::<_, Explained>(rpc.explain_job(request).await),
            ]
        }
        _ => return None,
    })
}

async fn about_runs(operation: Operation, caller: &mut Caller, http: Http) -> Option<[Said; 2]> {
    let [of_http, of_grpc] = waiting(caller).await;
    let rpc = &mut caller.rpc;
    let named = v1::ContextRef {
        id: of_grpc.clone(),
    };
    Some(match operation {
        Operation::Submit => {
            let body =
                r#"{"handler": "mail", "namespace": "http", "delay": "1h", "dedup_key": "s"}"#;
            let reply = http.post("/submissions", body).await;
            let one = v1::Submission {
                namespace: "grpc".to_owned(),
                dedup_key: "s".to_owned(),
                ..submission(3_600_000)
            };
            let request = v1::SubmitRequest {
                contexts: vec![one],
            };
            [
                by_http(&reply),
                by_grpc::<_, SubmittedList>(rpc.submit(request).await),
            ]
        }
        Operation::ListRuns => {
            let request = v1::ListContextsRequest {
                state: v1::ContextState::Scheduled.into(),
                ..v1::ListContextsRequest::default()
            };
            let reply = http.get("/runs?state=scheduled").await;
            [
                by_http(&reply),
                by_grpc::<_, RunPage>(rpc.list_contexts(request).await),
            ]
        }
        Operation::FindRun => {
            let request = v1::FindContextRequest {
                dedup_key: "nobody".to_owned(),
                ..v1::FindContextRequest::default()
            };
            let reply = http.get("/runs:find?dedup_key=nobody").await;
            [
                by_http(&reply),
                by_grpc::<_, Run>(rpc.find_context(request).await),
            ]
        }
        Operation::GetRun => {
            let reply = http.get(&format!("/runs/{}", path(&of_http))).await;
            [
                by_http(&reply),
                by_grpc::<_, Run>(rpc.get_context(named).await),
            ]
        }
        Operation::ExplainRun => {
            let request = v1::ContextRef {
                id: "0.5.a-1".to_owned(),
            };
            let reply = http.get("/runs/0.5.a-1/explain").await;
            [
                by_http(&reply),
                by_grpc::<_, RunExplained>(rpc.explain_context(request).await),
            ]
        }
        Operation::GetLog => {
            let request = v1::GetLogRequest {
                context_id: of_grpc,
                cursor: String::new(),
            };
            let reply = http.get(&format!("/runs/{}/log", path(&of_http))).await;
            [
                by_http(&reply),
                by_grpc::<_, LogPage>(rpc.get_log(request).await),
            ]
        }
        Operation::ListSubtasks => {
            let request = v1::ListSubtasksRequest {
                context_id: of_http.clone(),
                ..v1::ListSubtasksRequest::default()
            };
            let reply = http
                .get(&format!("/runs/{}/subtasks", path(&of_http)))
                .await;
            [
                by_http(&reply),
                by_grpc::<_, SubtaskPage>(rpc.list_subtasks(request).await),
            ]
        }
        Operation::CancelRun => {
            let reply = http
                .post(&format!("/runs/{}:cancel", path(&of_http)), "")
                .await;
            let answer = rpc.cancel_context(named).await;
            let answer = answer.map(|answer| Response::new(answer.into_inner().context.unwrap()));
            [by_http(&reply), by_grpc::<_, Run>(answer)]
        }
        Operation::WaitRun => {
            let request = v1::WaitContextRequest {
                id: of_grpc,
                timeout_ms: 50,
            };
            let reply = http
                .post(&format!("/runs/{}:wait?timeout=50ms", path(&of_http)), "")
                .await;
            [
                by_http(&reply),
                by_grpc::<_, Run>(rpc.wait_context(request).await),
            ]
        }
        _ => return None,
    })
}

async fn about_the_dead(
    operation: Operation,
    caller: &mut Caller,
    http: Http,
) -> Option<[Said; 2]> {
    let [of_http, of_grpc] = expired(caller).await;
    let rpc = &mut caller.rpc;
    let these = |id: &str| json!({ "ids": [id] }).to_string();
    let changed = v1::ChangeDeadRequest {
        ids: vec![of_grpc.clone()],
        ..v1::ChangeDeadRequest::default()
    };
    let step = |answer: Result<Response<v1::ChangeDeadResponse>, Status>| {
        let answer = answer.map(|answer| DeadChanged::of(answer.into_inner(), false));
        answer
            .map(|answer| shown(&answer))
            .map_err(|status| refused(&status))
    };
    Some(match operation {
        Operation::RetryRun => {
            let reply = http
                .post(&format!("/runs/{}:retry", path(&of_http)), "")
                .await;
            let named = v1::ContextRef { id: of_grpc };
            let said = [
                by_http(&reply),
                by_grpc::<_, Run>(rpc.retry_context(named).await),
            ];
            // Nobody begins them in time this time either, perhaps before they are shown.
            said.map(|one| {
                one.map(|run| without(run, &["state", "error", "waiting_reason", "ended_ms"]))
            })
        }
        Operation::ListDead => {
            let request = v1::ListDeadRequest {
                filter: Some(v1::DeadFilter {
                    state: v1::ContextState::Expired.into(),
                    newer_than_ms: Some(3_600_000),
                    ..v1::DeadFilter::default()
                }),
                ..v1::ListDeadRequest::default()
            };
            let reply = http.get("/dead?state=expired&newer_than=1h").await;
            [
                by_http(&reply),
                by_grpc::<_, DeadPage>(rpc.list_dead(request).await),
            ]
        }
        Operation::RequeueDead => {
            let reply = http.post("/dead:requeue", &these(&of_http)).await;
            [by_http(&reply), step(rpc.requeue_dead(changed).await)]
        }
        Operation::PurgeDead => {
            let reply = http.post("/dead:purge", &these(&of_http)).await;
            [by_http(&reply), step(rpc.purge_dead(changed).await)]
        }
        _ => return None,
    })
}

#[tokio::test]
async fn http_answers_what_grpc_answers() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    for operation in Operation::ALL.iter().copied() {
        let twins = ["http/job", "grpc/job"].map(|name| job(name, api()));
        caller.apply(twins.to_vec()).await.unwrap();
        let caller = &mut caller;
        let said = match about_jobs(operation, caller, http).await {
            Some(said) => Some(said),
            None => match about_groups(operation, caller, http).await {
                Some(said) => Some(said),
                None => match about_the_dead(operation, caller, http).await {
                    Some(said) => Some(said),
                    None => match about_access(operation, caller, http).await {
                        Some(said) => Some(said),
                        None => about_runs(operation, caller, http).await,
                    },
                },
            },
        };
        let [of_http, of_grpc] = said
            .unwrap_or_else(|| panic!("{operation:?} is not compared"))
            .map(plain);
        assert_eq!(of_http, of_grpc, "{operation:?}");
    }
}

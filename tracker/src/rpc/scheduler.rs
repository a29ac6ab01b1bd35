//! What callers ask of a tracker, over gRPC: jobs, contexts, and the cluster itself.
//!
//! Each method reads its message into types, calls the store, and turns the answer into a message. Rules are in core, decisions in the
//! scripts.

mod apply;
mod cluster;
mod contexts;
mod dead;
mod explain;
mod given;
mod jobs;
mod limits;
mod preview;
mod submit;
mod subtasks;
mod views;

use std::borrow::Cow;
use std::sync::Arc;

use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::durability;
use crate::metrics::definitions::GRPC;
use crate::rpc::api::ApiContext;

/// The scheduler service of one tracker.
#[derive(Debug, Clone)]
pub(crate) struct Scheduler {
    api: Arc<ApiContext>,
}

impl Scheduler {
    pub(crate) fn new(api: Arc<ApiContext>) -> Self {
        Self { api }
    }
}

/// Measures a call by its method and code.
fn answered(method: &'static str, refusal: Option<&Status>, started: Instant) {
    let code = refusal.map_or_else(
        || Cow::Borrowed("Ok"),
        |status| Cow::Owned(format!("{:?}", status.code())),
    );
    metrics::histogram!(GRPC.name, "method" => method, "code" => code).record(started.elapsed());
}

/// Calls that promise a write are also given what they ask of durability.
macro_rules! service {
    (
        promised { $($write:ident($write_request:ty) -> $write_answer:ty = $write_function:path;)* }
        plain { $($method:ident($request:ty) -> $answer:ty = $function:path;)* }
    ) => {
        #[tonic::async_trait]
        impl SchedulerService for Scheduler {
            $(async fn $write(&self, request: Request<$write_request>) -> Result<Response<$write_answer>, Status> {
                let started = Instant::now();
                let answer = match durability::asked(request.metadata()) {
                    Ok(asked) => $write_function(&self.api, request.into_inner(), asked).await,
                    Err(violation) => Err(violation.into()),
                };
                let answer = answer.map_err(Status::from);
                answered(stringify!($write), answer.as_ref().err(), started);
                answer.map(Response::new)
            })*

            $(async fn $method(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                let started = Instant::now();
                let answer = $function(&self.api, request.into_inner()).await.map_err(Status::from);
                answered(stringify!($method), answer.as_ref().err(), started);
                answer.map(Response::new)
            })*
        }
    };
}

service! {
    promised {
        apply_jobs(v1::ApplyJobsRequest) -> v1::ApplyJobsResponse = apply::apply;
        pause_job(v1::PauseJobRequest) -> v1::Job = jobs::pause;
        resume_job(v1::JobRef) -> v1::Job = jobs::resume;
        delete_job(v1::DeleteJobRequest) -> v1::DeleteJobResponse = jobs::delete;
        run_job(v1::RunJobRequest) -> v1::Submitted = jobs::run;
        submit(v1::SubmitRequest) -> v1::SubmitResponse = submit::submit;
        cancel_context(v1::ContextRef) -> v1::CancelContextResponse = contexts::cancel;
        retry_context(v1::ContextRef) -> v1::Context = contexts::retry;
    }
    plain {
        list_jobs(v1::ListJobsRequest) -> v1::ListJobsResponse = jobs::list;
        get_job(v1::JobRef) -> v1::Job = jobs::get;
        preview_job(v1::PreviewJobRequest) -> v1::PreviewJobResponse = preview::preview;
        get_ledger(v1::GetLedgerRequest) -> v1::GetLedgerResponse = jobs::ledger;
        explain_job(v1::ExplainJobRequest) -> v1::ExplainJobResponse = explain::explain;
        list_contexts(v1::ListContextsRequest) -> v1::ListContextsResponse = contexts::list;
        get_context(v1::ContextRef) -> v1::Context = contexts::get;
        find_context(v1::FindContextRequest) -> v1::Context = contexts::find;
        get_log(v1::GetLogRequest) -> v1::GetLogResponse = contexts::log;
        list_subtasks(v1::ListSubtasksRequest) -> v1::ListSubtasksResponse = subtasks::list;
        list_dead(v1::ListDeadRequest) -> v1::ListDeadResponse = dead::list;
        requeue_dead(v1::ChangeDeadRequest) -> v1::ChangeDeadResponse = dead::requeue;
        purge_dead(v1::ChangeDeadRequest) -> v1::ChangeDeadResponse = dead::purge;
        wait_context(v1::WaitContextRequest) -> v1::Context = contexts::wait;
        list_workers(v1::ListWorkersRequest) -> v1::ListWorkersResponse = cluster::workers;
        get_cluster(v1::GetClusterRequest) -> v1::Cluster = cluster::cluster;
        set_limits(v1::GroupLimits) -> v1::GroupLimits = limits::set;
        list_limits(v1::ListLimitsRequest) -> v1::ListLimitsResponse = limits::list;
    }
}

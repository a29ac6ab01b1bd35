//! A tracker that answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_server::{SchedulerService, SchedulerServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What a call gets: an answer, or a refusal.
type Told<T> = VecDeque<Result<T, Status>>;

/// What it was asked, and what it answers next.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) jobs: Told<v1::Job>,
    pub(crate) submits: Told<v1::SubmitResponse>,
    pub(crate) waits: Told<v1::Context>,
    pub(crate) submitted: Vec<v1::Submission>,
    pub(crate) durability: Option<String>,
    pub(crate) calls: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Double(Arc<Mutex<Script>>);

impl Double {
    /// A tracker on a port of its own, and its URL.
    pub(crate) async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let double = Self::default();
        double.clone().serve(listener);
        (double, url(address))
    }

    fn serve(self, listener: TcpListener) {
        let service = SchedulerServiceServer::new(self);
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    }

    pub(crate) fn script<R>(&self, change: impl FnOnce(&mut Script) -> R) -> R {
        change(&mut self.0.lock())
    }

    fn told<T>(
        &self,
        next: impl FnOnce(&mut Script) -> &mut Told<T>,
    ) -> Result<Response<T>, Status> {
        self.script(|script| {
            script.calls += 1;
            let told = next(script).pop_front();
            told.unwrap_or_else(|| Err(Status::unimplemented("the test says nothing of it")))
                .map(Response::new)
        })
    }
}

/// Where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    url(listener.local_addr().expect("an address"))
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

macro_rules! silent {
    ($($method:ident($asked:ident) -> $answer:ident;)+) => {
        #[tonic::async_trait]
        impl SchedulerService for Double {
            async fn get_job(&self, _: Request<v1::JobRef>) -> Result<Response<v1::Job>, Status> {
                self.told(|script| &mut script.jobs)
            }

            async fn submit(
                &self,
                request: Request<v1::SubmitRequest>,
            ) -> Result<Response<v1::SubmitResponse>, Status> {
                let durability = request.metadata().get(tickwheel_proto::DURABILITY_HEADER);
                let durability = durability.and_then(|mode| mode.to_str().ok().map(str::to_owned));
                self.script(|script| {
                    script.durability = durability;
                    script.submitted.extend(request.into_inner().contexts);
                });
                self.told(|script| &mut script.submits)
            }

            async fn wait_context(
                &self,
                _: Request<v1::WaitContextRequest>,
            ) -> Result<Response<v1::Context>, Status> {
                self.told(|script| &mut script.waits)
            }

            type SubscribeStream = tokio_stream::Empty<Result<v1::StreamEvent, Status>>;

            async fn subscribe(
                &self,
                _: Request<v1::SubscribeRequest>,
            ) -> Result<Response<Self::SubscribeStream>, Status> {
                Err(Status::unimplemented("subscribe"))
            }

            $(async fn $method(
                &self,
                _: Request<v1::$asked>,
            ) -> Result<Response<v1::$answer>, Status> {
                Err(Status::unimplemented(stringify!($method)))
            })+
        }
    };
}

silent! {
    apply_jobs(ApplyJobsRequest) -> ApplyJobsResponse;
    list_jobs(ListJobsRequest) -> ListJobsResponse;
    pause_job(PauseJobRequest) -> Job;
    resume_job(JobRef) -> Job;
    delete_job(DeleteJobRequest) -> DeleteJobResponse;
    run_job(RunJobRequest) -> Submitted;
    preview_job(PreviewJobRequest) -> PreviewJobResponse;
    get_ledger(GetLedgerRequest) -> GetLedgerResponse;
    explain_context(ContextRef) -> ExplainContextResponse;
    get_job_stats(GetJobStatsRequest) -> JobStats;
    explain_job(ExplainJobRequest) -> ExplainJobResponse;
    find_context(FindContextRequest) -> Context;
    list_contexts(ListContextsRequest) -> ListContextsResponse;
    get_context(ContextRef) -> Context;
    get_log(GetLogRequest) -> GetLogResponse;
    cancel_context(ContextRef) -> CancelContextResponse;
    retry_context(ContextRef) -> Context;
    list_subtasks(ListSubtasksRequest) -> ListSubtasksResponse;
    list_dead(ListDeadRequest) -> ListDeadResponse;
    requeue_dead(ChangeDeadRequest) -> ChangeDeadResponse;
    purge_dead(ChangeDeadRequest) -> ChangeDeadResponse;
    list_workers(ListWorkersRequest) -> ListWorkersResponse;
    get_cluster(GetClusterRequest) -> Cluster;
    get_overview(GetOverviewRequest) -> Overview;
    get_wheel(GetWheelRequest) -> Wheel;
    list_upcoming(ListUpcomingRequest) -> ListUpcomingResponse;
    set_limits(GroupLimits) -> GroupLimits;
    list_groups(ListGroupsRequest) -> ListGroupsResponse;
    pause_group(PauseGroupRequest) -> Group;
    resume_group(GroupRef) -> Group;
    list_limits(ListLimitsRequest) -> ListLimitsResponse;
    make_login_link(MakeLoginLinkRequest) -> LoginLink;
    make_token(MakeTokenRequest) -> MadeToken;
    rotate_token(RotateTokenRequest) -> MadeToken;
    revoke_token(RevokeTokenRequest) -> RevokeTokenResponse;
    list_tokens(ListTokensRequest) -> ListTokensResponse;
    list_audit(ListAuditRequest) -> ListAuditResponse;
    drain_worker(WorkerRef) -> Worker;
    undrain_worker(WorkerRef) -> Worker;
}

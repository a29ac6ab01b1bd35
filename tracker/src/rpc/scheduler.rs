//! What callers ask of a tracker, over gRPC: jobs, contexts, and the cluster itself.
//!
//! Each method reads its message into types, calls the store, and turns the answer into a message. Rules are in core, decisions in the
//! scripts. Who may call it, and what there is for whom, is decided here, once for all of them, by the row of the method (`rules.rs`).

mod apply;
mod audit;
mod call;
mod cluster;
mod consent;
mod contexts;
mod dead;
mod explain;
mod explain_run;
mod given;
mod groups;
mod guard;
mod jobs;
mod ledger;
mod limits;
mod lists;
mod payload;
mod preview;
mod room;
mod rules;
mod stats;
mod streams;
mod submit;
mod subtasks;
mod tasks;
mod tokens;
mod upcoming;
mod views;

use std::borrow::Cow;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{BoxStream, iter};
use tickwheel_core::Durability;
use tickwheel_core::access::Permission;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Extensions, Request, Response, Status};

use self::call::Call;
use self::payload::Payload;
use self::rules::Rule;
use crate::access::{Authority, Caller};
use crate::durability;
use crate::error::Error;
use crate::live::{Subscription, carry};
use crate::metrics::definitions::GRPC;
use crate::rpc::api::ApiContext;
use crate::rpc::error::{ErrorCode, code_of};
use crate::rpc::lasting::Lasting;
pub(crate) use guard::needs;
pub(crate) use rules::{CREATE_TASK, DELETE_TASK, QUERY_TASK};
pub(crate) use tasks::{NewTask, Task, TaskId, TaskTime, Tries};

/// The scheduler service of one tracker.
#[derive(Debug, Clone)]
pub(crate) struct Scheduler {
    api: Arc<ApiContext>,
}

/// A call that was let in.
struct Entered<'a> {
    caller: &'a Caller,
    /// What it is about, where it is written down.
    objects: Option<Vec<String>>,
}

impl<'a> Entered<'a> {
    fn call(&self, api: &'a ApiContext) -> Call<'a> {
        Call {
            api,
            caller: self.caller,
        }
    }
}

impl Scheduler {
    pub(crate) fn new(api: Arc<ApiContext>) -> Self {
        Self { api }
    }

    /// Whoever calls, as the surface found out.
    fn caller(&self, extensions: &Extensions) -> Result<Caller, Error> {
        match extensions.get::<Caller>() {
            Some(caller) => Ok(caller.clone()),
            None => self.api.authority.nobody(),
        }
    }

    /// The calls of whoever this is.
    pub(crate) fn calls(&self, caller: Caller) -> Calls<'_> {
        Calls {
            scheduler: self,
            caller,
        }
    }

    /// Says who calls: for surfaces that find that out before a call is made.
    pub(crate) fn authority(&self) -> &Authority {
        &self.api.authority
    }
}

/// The calls of one caller.
pub(crate) struct Calls<'a> {
    scheduler: &'a Scheduler,
    caller: Caller,
}

impl Calls<'_> {
    /// Lets a call in, or refuses it, which is written down.
    async fn enter<Q>(&self, rule: &Rule<Q>, message: Q) -> Result<(Entered<'_>, Q), Error> {
        let (api, caller) = (&self.scheduler.api, &self.caller);
        if let Err(refused) = guard::check(api, caller, rule, &message).await {
            let code = code_of(&refused);
            if matches!(refused, Error::Denied(_)) || code == ErrorCode::NotFound {
                let objects = || guard::in_words(rule, &message);
                api.authority
                    .denied(caller, rule.method, objects, code.as_str());
            }
            return Err(refused);
        }
        let is_audited = caller.token().is_some() && (rule.is_audited)(&message);
        let objects = is_audited.then(|| guard::in_words(rule, &message));
        Ok((Entered { caller, objects }, message))
    }

    /// Writes down what was done, and takes out of an answer what its caller may not see.
    async fn leave<A: Payload>(
        &self,
        entered: Entered<'_>,
        method: &'static str,
        mut answer: Result<A, Error>,
    ) -> Result<A, Error> {
        let Entered { caller, objects } = entered;
        let authority = self.scheduler.authority();
        let code = answer.as_ref().err().map(code_of);
        let result = code.map_or("OK", |code| code.as_str());
        if let Some(objects) = objects {
            authority.done(caller, method, &objects, result).await;
        } else if let Err(Error::Denied(_)) = &answer {
            authority.denied(caller, method, Vec::new, result);
        }
        if let Ok(answer) = &mut answer
            && !caller.may(Permission::ReadPayload)
        {
            answer.hide();
        }
        answer
    }
}

/// What clients of xcron ask for, which no call of gRPC is for.
impl Calls<'_> {
    /// Registers a task.
    pub(crate) async fn create_task(
        &self,
        task: NewTask,
        asked: Option<Durability>,
    ) -> Result<(), Error> {
        let (entered, task) = self.enter(&CREATE_TASK, task).await?;
        let answer = tasks::create(&entered.call(&self.scheduler.api), task, asked).await;
        let left = self.leave(entered, CREATE_TASK.method, answer).await;
        left.map(drop)
    }

    /// Deletes a task; when this returns, it fires no more.
    pub(crate) async fn delete_task(
        &self,
        id: TaskId,
        asked: Option<Durability>,
    ) -> Result<(), Error> {
        let (entered, id) = self.enter(&DELETE_TASK, id).await?;
        let answer = tasks::delete(&entered.call(&self.scheduler.api), id, asked).await;
        let left = self.leave(entered, DELETE_TASK.method, answer).await;
        left.map(drop)
    }

    /// Reads a task.
    pub(crate) async fn query_task(&self, id: TaskId) -> Result<Task, Error> {
        let (entered, id) = self.enter(&QUERY_TASK, id).await?;
        let answer = tasks::query(&entered.call(&self.scheduler.api), id).await;
        self.leave(entered, QUERY_TASK.method, answer).await
    }
}

impl Calls<'_> {
    /// Begins a stream, which keeps its own watch over what its caller may see.
    pub(crate) async fn subscribe(
        &self,
        request: v1::SubscribeRequest,
    ) -> Result<Subscription, Error> {
        let (entered, request) = self.enter(&rules::SUBSCRIBE, request).await?;
        let begun = streams::subscribe(&entered.call(&self.scheduler.api), request).await;
        self.leave(entered, rules::SUBSCRIBE.method, begun).await
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
        promised { $($write:ident($write_request:ty) -> $write_answer:ty = $write_function:path, $write_rule:path;)* }
        plain { $($method:ident($request:ty) -> $answer:ty = $function:path, $rule:path;)* }
    ) => {
        /// The calls of the service, whatever wire they come by.
        impl Calls<'_> {
            $(pub(crate) async fn $write(
                &self,
                request: $write_request,
                asked: Option<Durability>,
            ) -> Result<$write_answer, Error> {
                let (entered, message) = self.enter(&$write_rule, request).await?;
                let call = entered.call(&self.scheduler.api);
                let answer = $write_function(&call, message, asked).await;
                self.leave(entered, $write_rule.method, answer).await
            })*

            $(pub(crate) async fn $method(&self, request: $request) -> Result<$answer, Error> {
                let (entered, message) = self.enter(&$rule, request).await?;
                let answer = $function(&entered.call(&self.scheduler.api), message).await;
                self.leave(entered, $rule.method, answer).await
            })*
        }

        #[tonic::async_trait]
        impl SchedulerService for Scheduler {
            $(async fn $write(&self, request: Request<$write_request>) -> Result<Response<$write_answer>, Status> {
                let started = Instant::now();
                let asked = durability::asked(request.metadata());
                let answer = match (self.caller(request.extensions()), asked) {
                    (Err(refused), _) => Err(refused),
                    (Ok(_), Err(violation)) => Err(violation.into()),
                    (Ok(caller), Ok(asked)) => self.calls(caller).$write(request.into_inner(), asked).await,
                };
                let answer = answer.map_err(Status::from);
                answered(stringify!($write), answer.as_ref().err(), started);
                answer.map(Response::new)
            })*

            $(async fn $method(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                let started = Instant::now();
                let answer = match self.caller(request.extensions()) {
                    Err(refused) => Err(refused),
                    Ok(caller) => self.calls(caller).$method(request.into_inner()).await,
                };
                let answer = answer.map_err(Status::from);
                answered(stringify!($method), answer.as_ref().err(), started);
                answer.map(Response::new)
            })*

            type SubscribeStream = BoxStream<'static, Result<v1::StreamEvent, Status>>;

            async fn subscribe(
                &self,
                request: Request<v1::SubscribeRequest>,
            ) -> Result<Response<Self::SubscribeStream>, Status> {
                let started = Instant::now();
                let begun = match self.caller(request.extensions()) {
                    Err(refused) => Err(refused),
                    Ok(caller) => self.calls(caller).subscribe(request.into_inner()).await,
                };
                let begun = begun.map_err(Status::from);
                answered("subscribe", begun.as_ref().err(), started);
                let told = carry(begun?, |told| told.events().to_vec(), None);
                let events = ReceiverStream::new(told).flat_map(|events| iter(events).map(Ok));
                let mut response = Response::new(events.boxed());
                response.extensions_mut().insert(Lasting);
                Ok(response)
            }
        }
    };
}

service! {
    promised {
        apply_jobs(v1::ApplyJobsRequest) -> v1::ApplyJobsResponse = apply::apply, rules::APPLY_JOBS;
        pause_job(v1::PauseJobRequest) -> v1::Job = jobs::pause, rules::PAUSE_JOB;
        resume_job(v1::JobRef) -> v1::Job = jobs::resume, rules::RESUME_JOB;
        delete_job(v1::DeleteJobRequest) -> v1::DeleteJobResponse = jobs::delete, rules::DELETE_JOB;
        run_job(v1::RunJobRequest) -> v1::Submitted = jobs::run, rules::RUN_JOB;
        submit(v1::SubmitRequest) -> v1::SubmitResponse = submit::submit, rules::SUBMIT;
        cancel_context(v1::ContextRef) -> v1::CancelContextResponse = contexts::cancel, rules::CANCEL_CONTEXT;
        retry_context(v1::ContextRef) -> v1::Context = contexts::retry, rules::RETRY_CONTEXT;
    }
    plain {
        list_jobs(v1::ListJobsRequest) -> v1::ListJobsResponse = jobs::list, rules::LIST_JOBS;
        get_job(v1::JobRef) -> v1::Job = jobs::get, rules::GET_JOB;
        preview_job(v1::PreviewJobRequest) -> v1::PreviewJobResponse = preview::preview, rules::PREVIEW_JOB;
        get_ledger(v1::GetLedgerRequest) -> v1::GetLedgerResponse = ledger::page, rules::GET_LEDGER;
        get_job_stats(v1::GetJobStatsRequest) -> v1::JobStats = stats::stats, rules::GET_JOB_STATS;
        explain_job(v1::ExplainJobRequest) -> v1::ExplainJobResponse = explain::explain, rules::EXPLAIN_JOB;
        list_contexts(v1::ListContextsRequest) -> v1::ListContextsResponse = contexts::list, rules::LIST_CONTEXTS;
        get_context(v1::ContextRef) -> v1::Context = contexts::get, rules::GET_CONTEXT;
        explain_context(v1::ContextRef) -> v1::ExplainContextResponse = explain_run::explain, rules::EXPLAIN_CONTEXT;
        find_context(v1::FindContextRequest) -> v1::Context = contexts::find, rules::FIND_CONTEXT;
        get_log(v1::GetLogRequest) -> v1::GetLogResponse = contexts::log, rules::GET_LOG;
        list_subtasks(v1::ListSubtasksRequest) -> v1::ListSubtasksResponse = subtasks::list, rules::LIST_SUBTASKS;
        list_dead(v1::ListDeadRequest) -> v1::ListDeadResponse = dead::list, rules::LIST_DEAD;
        requeue_dead(v1::ChangeDeadRequest) -> v1::ChangeDeadResponse = dead::requeue, rules::REQUEUE_DEAD;
        purge_dead(v1::ChangeDeadRequest) -> v1::ChangeDeadResponse = dead::purge, rules::PURGE_DEAD;
        wait_context(v1::WaitContextRequest) -> v1::Context = contexts::wait, rules::WAIT_CONTEXT;
        list_workers(v1::ListWorkersRequest) -> v1::ListWorkersResponse = cluster::workers, rules::LIST_WORKERS;
        drain_worker(v1::WorkerRef) -> v1::Worker = cluster::drain, rules::DRAIN_WORKER;
        undrain_worker(v1::WorkerRef) -> v1::Worker = cluster::undrain, rules::UNDRAIN_WORKER;
        get_cluster(v1::GetClusterRequest) -> v1::Cluster = cluster::cluster, rules::GET_CLUSTER;
        get_overview(v1::GetOverviewRequest) -> v1::Overview = cluster::overview, rules::GET_OVERVIEW;
        get_wheel(v1::GetWheelRequest) -> v1::Wheel = upcoming::wheel, rules::GET_WHEEL;
        list_upcoming(v1::ListUpcomingRequest) -> v1::ListUpcomingResponse = upcoming::list, rules::LIST_UPCOMING;
        set_limits(v1::GroupLimits) -> v1::GroupLimits = limits::set, rules::SET_LIMITS;
        list_limits(v1::ListLimitsRequest) -> v1::ListLimitsResponse = limits::list, rules::LIST_LIMITS;
        list_groups(v1::ListGroupsRequest) -> v1::ListGroupsResponse = groups::list, rules::LIST_GROUPS;
        pause_group(v1::PauseGroupRequest) -> v1::Group = groups::pause, rules::PAUSE_GROUP;
        resume_group(v1::GroupRef) -> v1::Group = groups::resume, rules::RESUME_GROUP;
        make_login_link(v1::MakeLoginLinkRequest) -> v1::LoginLink = tokens::make_login_link, rules::MAKE_LOGIN_LINK;
        make_token(v1::MakeTokenRequest) -> v1::MadeToken = tokens::make, rules::MAKE_TOKEN;
        rotate_token(v1::RotateTokenRequest) -> v1::MadeToken = tokens::rotate, rules::ROTATE_TOKEN;
        revoke_token(v1::RevokeTokenRequest) -> v1::RevokeTokenResponse = tokens::revoke, rules::REVOKE_TOKEN;
        list_tokens(v1::ListTokensRequest) -> v1::ListTokensResponse = tokens::list, rules::LIST_TOKENS;
        list_audit(v1::ListAuditRequest) -> v1::ListAuditResponse = audit::list, rules::LIST_AUDIT;
    }
}

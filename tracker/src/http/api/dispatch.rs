//! From an operation to the call that does it. There is no arm for "all others": an operation without a call does not compile.

use std::future::Future;

use prost::Message;
use serde::Serialize;
use tickwheel_api::answers::{
    Applied, AppliedList, AuditPage, Cluster, DeadChanged, DeadPage, Deleted, Explained, Group,
    GroupList, Job, JobPage, JobStats, LedgerPage, Limits, LimitsList, LogPage, LoginLink,
    MadeToken, Overview, Preview, Revoked, Run, RunExplained, RunPage, Submitted, SubmittedList,
    SubtaskPage, TokenPage, UpcomingPage, Wheel, Worker, WorkerList,
};
use tickwheel_api::requests::{self, Asked};
use tickwheel_api::routes::Operation;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_proto::v1;
use tickwheel_proto::wire;
use tickwheel_proto::wire::bounds::CALL_BYTES_MAX;
use tickwheel_proto::wire::schema::Spoken;

use super::answer::Answer;
use super::head::Given;
use super::problem::Refusal;
use super::stream;
use crate::error::Error;
use crate::rpc::scheduler::Calls;

/// Does what is asked for.
#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
pub(super) async fn dispatch(
    calls: &Calls<'_>,
    operation: Operation,
    asked: &Asked<'_>,
    given: Given,
) -> Result<Answer, Refusal> {
    let durability = given.durability;
    match operation {
        Operation::ListJobs => {
            shown::<JobPage, _, _, _>(requests::list_jobs(asked), |it| calls.list_jobs(it)).await
        }
        Operation::ApplyJobs => {
            let request = requests::apply_jobs(asked);
            let call = |it| calls.apply_jobs(it, durability);
            shown::<AppliedList, _, _, _>(request, call).await
        }
        Operation::GetJob => job(calls.get_job(fitting(requests::named_job(asked))?).await?),
        Operation::DeleteJob => {
            let mut request = fitting(requests::delete_job(asked))?;
            request.if_revision = given.revision;
            let name = request.name.clone();
            let answer = calls.delete_job(request, durability).await?;
            Ok(Answer::json(&Deleted::new(name, answer))?)
        }
        Operation::PutJob => {
            let mut request = requests::put_job(asked)?;
            request.if_revision = given.revision;
            let answer = calls.apply_jobs(fitting(Ok(request))?, durability).await?;
            let applied = answer.jobs.into_iter().next().unwrap_or_default();
            let revision = applied.revision;
            Ok(Answer::json(&Applied::from(applied))?.with_revision(revision))
        }
        Operation::PauseJob => {
            let request = fitting(requests::pause_job(asked))?;
            job(calls.pause_job(request, durability).await?)
        }
        Operation::ResumeJob => job(calls
            .resume_job(fitting(requests::named_job(asked))?, durability)
            .await?),
        Operation::RunJob => run_job(calls, asked, given).await,
        Operation::PreviewJob => {
            let answer = calls
                .preview_job(fitting(requests::preview_job(asked))?)
                .await?;
            Ok(Answer::json(&Preview::new(asked.name.to_owned(), answer))?)
        }
        Operation::PreviewDefinition => {
            let request = fitting(requests::preview_definition(asked))?;
            let name = request.spec.as_ref().map(|spec| spec.name.clone());
            let answer = calls.preview_job(request).await?;
            Ok(Answer::json(&Preview::new(
                name.unwrap_or_default(),
                answer,
            ))?)
        }
        Operation::GetLedger => {
            let call = |it| calls.get_ledger(it);
            shown::<LedgerPage, _, _, _>(requests::get_ledger(asked), call).await
        }
        Operation::GetJobStats => {
            let call = |it| calls.get_job_stats(it);
            shown::<JobStats, _, _, _>(requests::get_job_stats(asked), call).await
        }
        Operation::ExplainJob => {
            let call = |it| calls.explain_job(it);
            shown::<Explained, _, _, _>(requests::explain_job(asked), call).await
        }
        Operation::Submit => submit(calls, asked, given).await,
        Operation::ListRuns => {
            let call = |it| calls.list_contexts(it);
            shown::<RunPage, _, _, _>(requests::list_runs(asked), call).await
        }
        Operation::FindRun => {
            shown::<Run, _, _, _>(requests::find_run(asked), |it| calls.find_context(it)).await
        }
        Operation::GetRun => {
            shown::<Run, _, _, _>(requests::named_run(asked), |it| calls.get_context(it)).await
        }
        Operation::ExplainRun => {
            let call = |it| calls.explain_context(it);
            shown::<RunExplained, _, _, _>(requests::named_run(asked), call).await
        }
        Operation::GetLog => {
            shown::<LogPage, _, _, _>(requests::get_log(asked), |it| calls.get_log(it)).await
        }
        Operation::ListSubtasks => {
            let call = |it| calls.list_subtasks(it);
            shown::<SubtaskPage, _, _, _>(requests::list_subtasks(asked), call).await
        }
        Operation::CancelRun => {
            let request = fitting(requests::named_run(asked))?;
            let answer = calls.cancel_context(request, durability).await?;
            Ok(Answer::json(&Run::from(
                answer.context.unwrap_or_default(),
            ))?)
        }
        Operation::RetryRun => {
            let call = |it| calls.retry_context(it, durability);
            shown::<Run, _, _, _>(requests::named_run(asked), call).await
        }
        Operation::WaitRun => {
            shown::<Run, _, _, _>(requests::wait_run(asked), |it| calls.wait_context(it)).await
        }
        Operation::ListDead => {
            shown::<DeadPage, _, _, _>(requests::list_dead(asked), |it| calls.list_dead(it)).await
        }
        Operation::RequeueDead => {
            let request = fitting(requests::change_dead(asked))?;
            let dry_run = request.dry_run;
            let step = calls.requeue_dead(request).await?;
            Ok(Answer::json(&DeadChanged::of(step, dry_run))?)
        }
        Operation::PurgeDead => {
            let request = fitting(requests::change_dead(asked))?;
            let dry_run = request.dry_run;
            let step = calls.purge_dead(request).await?;
            Ok(Answer::json(&DeadChanged::of(step, dry_run))?)
        }
        Operation::ListWorkers => {
            let call = |it| calls.list_workers(it);
            shown::<WorkerList, _, _, _>(requests::list_workers(asked), call).await
        }
        Operation::DrainWorker => {
            let call = |it| calls.drain_worker(it);
            shown::<Worker, _, _, _>(requests::named_worker(asked), call).await
        }
        Operation::UndrainWorker => {
            let call = |it| calls.undrain_worker(it);
            shown::<Worker, _, _, _>(requests::named_worker(asked), call).await
        }
        Operation::GetCluster => {
            requests::nothing(asked)?;
            let cluster = calls.get_cluster(v1::GetClusterRequest {}).await?;
            let time = cluster.redis_time_ms;
            Ok(Answer::json(&Cluster::from(cluster))?.with_time(time))
        }
        Operation::GetOverview => {
            requests::nothing(asked)?;
            let overview = calls.get_overview(v1::GetOverviewRequest {}).await?;
            let time = overview.time_ms;
            Ok(Answer::json(&Overview::from(overview))?.with_time(time))
        }
        Operation::GetWheel => {
            let wheel = calls
                .get_wheel(fitting(requests::get_wheel(asked))?)
                .await?;
            let time = wheel.time_ms;
            Ok(Answer::json(&Wheel::from(wheel))?.with_time(time))
        }
        Operation::ListUpcoming => {
            let call = |it| calls.list_upcoming(it);
            shown::<UpcomingPage, _, _, _>(requests::list_upcoming(asked), call).await
        }
        Operation::Subscribe => {
            let request = requests::subscribe(asked, given.last_event.as_deref());
            let events = calls.subscribe(fitting(request)?).await?;
            Ok(Answer::stream(stream::begin(events)))
        }
        Operation::ListLimits => {
            requests::nothing(asked)?;
            let call = |it| calls.list_limits(it);
            shown::<LimitsList, _, _, _>(Ok(v1::ListLimitsRequest {}), call).await
        }
        Operation::SetLimits => {
            shown::<Limits, _, _, _>(requests::set_limits(asked), |it| calls.set_limits(it)).await
        }
        Operation::RemoveLimits => {
            shown::<Limits, _, _, _>(requests::remove_limits(asked), |it| calls.set_limits(it))
                .await
        }
        Operation::ListGroups => {
            requests::nothing(asked)?;
            let call = |it| calls.list_groups(it);
            shown::<GroupList, _, _, _>(Ok(v1::ListGroupsRequest {}), call).await
        }
        Operation::PauseGroup => {
            shown::<Group, _, _, _>(requests::pause_group(asked), |it| calls.pause_group(it)).await
        }
        Operation::ResumeGroup => {
            let call = |it| calls.resume_group(it);
            shown::<Group, _, _, _>(requests::named_group(asked), call).await
        }
        Operation::ListTokens => {
            let call = |it| calls.list_tokens(it);
            shown::<TokenPage, _, _, _>(requests::list_tokens(asked), call).await
        }
        Operation::MakeLoginLink => {
            requests::nothing(asked)?;
            let call = |it| calls.make_login_link(it);
            shown::<LoginLink, _, _, _>(Ok(v1::MakeLoginLinkRequest {}), call).await
        }
        Operation::MakeToken => {
            let call = |it| calls.make_token(it);
            shown::<MadeToken, _, _, _>(requests::make_token(asked), call).await
        }
        Operation::RotateToken => {
            let call = |it| calls.rotate_token(it);
            shown::<MadeToken, _, _, _>(requests::rotate_token(asked), call).await
        }
        Operation::RevokeToken => {
            let request = fitting(requests::revoke_token(asked))?;
            let id = request.id.clone();
            calls.revoke_token(request).await?;
            Ok(Answer::json(&Revoked { id })?)
        }
        Operation::ListAudit => {
            let call = |it| calls.list_audit(it);
            shown::<AuditPage, _, _, _>(requests::list_audit(asked), call).await
        }
    }
}

/// The answer of a call, as a `V`.
async fn shown<V, Q, A, F>(
    request: Result<Q, Violations>,
    call: impl FnOnce(Q) -> F,
) -> Result<Answer, Refusal>
where
    V: From<A> + Serialize,
    Q: Message + Spoken,
    F: Future<Output = Result<A, Error>>,
{
    let answer = call(fitting(request)?).await?;
    Ok(Answer::json(&V::from(answer))?)
}

fn job(job: v1::Job) -> Result<Answer, Refusal> {
    let revision = job.revision;
    Ok(Answer::json(&Job::from(job))?.with_revision(revision))
}

async fn run_job(calls: &Calls<'_>, asked: &Asked<'_>, given: Given) -> Result<Answer, Refusal> {
    let mut request = requests::run_job(asked)?;
    if let Some(key) = &given.idempotency_key {
        requests::run_once(&mut request, key)?;
    }
    let answer = calls
        .run_job(fitting(Ok(request))?, given.durability)
        .await?;
    let is_replay = given.idempotency_key.is_some() && answer.duplicate;
    Ok(Answer::json(&Submitted::from(answer))?.with_replay(is_replay))
}

async fn submit(calls: &Calls<'_>, asked: &Asked<'_>, given: Given) -> Result<Answer, Refusal> {
    let mut request = requests::submit(asked)?;
    if let Some(key) = &given.idempotency_key {
        requests::submitted_once(&mut request, key)?;
    }
    let answer = calls
        .submit(fitting(Ok(request))?, given.durability)
        .await?;
    let duplicate = answer.contexts.iter().any(|one| one.duplicate);
    let is_replay = given.idempotency_key.is_some() && duplicate;
    Ok(Answer::json(&SubmittedList::from(answer))?.with_replay(is_replay))
}

/// The request, when a call of gRPC could carry it: what is not bounded elsewhere is bounded there.
fn fitting<Q: Message + Spoken>(request: Result<Q, Violations>) -> Result<Q, Refusal> {
    let request = request?;
    let bytes = request.encoded_len();
    if bytes > CALL_BYTES_MAX {
        let rule = format!("has at most {CALL_BYTES_MAX} bytes as a call, bodies decoded");
        let wrong = Violation::new("", rule, format_args!("{bytes} bytes"));
        return Err(Violations::from(wrong).into());
    }
    wire::check(Q::PLACE, &request.encode_to_vec()).map_err(Error::from)?;
    Ok(request)
}

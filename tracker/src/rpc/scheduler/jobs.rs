//! Reading, pausing, firing and deleting jobs.

use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_core::access::{Permission, Sight};
use tickwheel_core::bounds::BODY_BYTES_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{JobName, Reuse};
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_core::labels::LabelSelector;
use tickwheel_proto::convert::{Dedup, dedup_of};
use tickwheel_proto::v1;
use tickwheel_store::job::{Deletion, JobState, JobView};
use tickwheel_store::wheel::{Fire, Fired};
use tickwheel_store::{Listed, Store};

use super::call::Call;
use super::given::{Count, job_name};
use super::guard::has_job;
use super::{apply, submit, views};
use crate::error::Error;
use crate::planning;
use crate::rpc::api::ApiContext;

const PAGE: Count = Count {
    default: 100,
    most: 1_000,
};
/// Calls of the store for one page, where little of what was looked at is in sight.
const PAGE_CALLS: u32 = 64;
/// Followers that a refused deletion names.
const FOLLOWERS_NAMED: usize = 10;
/// A run asked for with a dedup key is not repeated within this.
const RUN_KEPT: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn existing(api: &ApiContext, name: &str) -> Result<JobView, Error> {
    let name = job_name(name)?;
    let view = api.store.get_job(&name).await?;
    view.ok_or_else(|| Error::not_found("job", name))
}

pub(super) async fn get(api: &ApiContext, request: v1::JobRef) -> Result<v1::Job, Error> {
    Ok(views::job(api, &existing(api, &request.name).await?))
}

pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListJobsRequest,
) -> Result<v1::ListJobsResponse, Error> {
    let size = PAGE.read("page_size", request.page_size)?;
    let after = match request.cursor.as_str() {
        "" => None,
        cursor => Some(
            job_name(cursor)
                .map_err(|_| Violation::new("cursor", "is of an earlier page", cursor))?,
        ),
    };
    let labels = selectors(&request.labels)?;
    let page = page(call, &request.prefix, after, size).await?;
    let has_labels = |view: &&JobView| labels.iter().all(|one| one.holds(&view.spec.labels));
    let jobs = page.items.iter().filter(has_labels);
    let jobs = jobs.map(|view| views::job(call, view));
    Ok(v1::ListJobsResponse {
        jobs: jobs.collect(),
        next_cursor: page.next,
        unreadable: page.unreadable,
    })
}

/// A page of the jobs in sight whose names begin with `prefix`. Those of other namespaces are not looked at.
async fn page(
    call: &Call<'_>,
    prefix: &str,
    mut after: Option<JobName>,
    size: u32,
) -> Result<Listed<JobView>, Error> {
    let (store, sight) = (&call.store, call.caller.sight());
    if sight.is_everything() {
        return Ok(store.list_jobs(prefix, after.as_ref(), size).await?);
    }
    let (mut page, mut calls) = (Listed::default(), 0);
    // In the order of names, as no beginning is that of another one.
    for beginning in sight.beginnings() {
        let both = match (
            beginning.starts_with(prefix),
            prefix.starts_with(&beginning),
        ) {
            (true, _) => beginning.as_str(),
            (false, true) => prefix,
            (false, false) => continue,
        };
        loop {
            let listed = u32::try_from(page.items.len()).unwrap_or(size);
            let left = size.saturating_sub(listed);
            let found = store.list_jobs(both, after.as_ref(), left).await?;
            calls += 1;
            page.unreadable += found.unreadable;
            let seen = found.items.into_iter();
            page.items
                .extend(seen.filter(|view| has_job(sight, &view.spec)));
            if found.next.is_empty() {
                break;
            }
            if page.items.len() >= usize::try_from(size).unwrap_or(usize::MAX)
                || calls >= PAGE_CALLS
            {
                page.next = found.next;
                return Ok(page);
            }
            after = Some(job_name(&found.next)?);
        }
    }
    Ok(page)
}

/// What the labels of the listed jobs have to be.
fn selectors(given: &[String]) -> Result<Vec<LabelSelector>, Violations> {
    let mut found = Violations::new();
    let read = given.iter().enumerate().filter_map(|(at, text)| {
        let read = text.parse::<LabelSelector>();
        found.keep(read.map_err(|wrong| wrong.at(format!("labels[{at}]"))))
    });
    let read = read.collect();
    found.into_result().map(|()| read)
}

pub(super) async fn pause(
    api: &ApiContext,
    request: v1::PauseJobRequest,
    asked: Option<Durability>,
) -> Result<v1::Job, Error> {
    let name = job_name(&request.name)?;
    let store = api.durable(api.durability(name.namespace(), asked))?;
    let view = store.pause_job(&name, &request.note).await?;
    Ok(views::job(api, &view))
}

pub(super) async fn resume(
    api: &ApiContext,
    request: v1::JobRef,
    asked: Option<Durability>,
) -> Result<v1::Job, Error> {
    let view = existing(api, &request.name).await?;
    if view.state != JobState::Paused {
        return Ok(views::job(api, &view));
    }
    let now = api.store.time().await?;
    let name = view.spec.name.clone();
    let paused = now.ms_since(view.next_due.or(view.last_due).unwrap_or(view.updated));
    let (plan, skipped) = planning::beside(paused, move || {
        let plan = planning::plan_after_pause(&view, now)?;
        Ok::<_, Violation>((plan, planning::skipped_in_pause(&view, now)?))
    })
    .await??;
    let store = api.durable(api.durability(name.namespace(), asked))?;
    let resumed = store.resume_job(&name, &plan, skipped).await?;
    Ok(views::job(api, &resumed))
}

pub(super) async fn delete(
    call: &Call<'_>,
    request: v1::DeleteJobRequest,
    asked: Option<Durability>,
) -> Result<v1::DeleteJobResponse, Error> {
    let (api, sight) = (call.api, call.caller.sight());
    let name = job_name(&request.name)?;
    let upstream = match api.store.get_job(&name).await? {
        Some(JobView {
            spec:
                JobSpec {
                    trigger: Trigger::After { job, .. },
                    ..
                },
            ..
        }) => Some(job),
        Some(_) | None => None,
    };
    let store = api.durable(api.durability(name.namespace(), asked))?;
    let revision = request.if_revision;
    let (deleted, followers) = match store.delete_job_alone(&name, revision).await? {
        Deletion::Deleted(deleted) => (deleted, Vec::new()),
        Deletion::Followed(named) => {
            let followers = following(&api.store, &name, named).await?;
            if !followers.is_empty() && !request.force {
                return Err(followed(&name, &followers, sight));
            }
            (store.delete_job_if(&name, revision).await?, followers)
        }
    };
    if let Some(upstream) = upstream {
        apply::forget_edge(&store, &upstream, &name).await?;
    }
    Ok(v1::DeleteJobResponse {
        cancelled: deleted.cancelled,
        running: deleted.running,
        followers: followers
            .iter()
            .filter(|follower| sight.namespaces.matches(follower.namespace()))
            .map(ToString::to_string)
            .collect(),
    })
}

/// Those of `named` that follow `upstream` by their own definitions, in the order of their names. One that does not has begun to be
/// registered, or did not come to the end of it.
async fn following(
    store: &Store,
    upstream: &JobName,
    named: Vec<(JobName, AfterOn)>,
) -> Result<Vec<JobName>, Error> {
    let mut followers = Vec::with_capacity(named.len());
    for (follower, _) in named {
        let trigger = store
            .get_job(&follower)
            .await?
            .map(|view| view.spec.trigger);
        if matches!(trigger, Some(Trigger::After { job, .. }) if job == *upstream) {
            followers.push(follower);
        }
    }
    followers.sort_unstable();
    Ok(followers)
}

fn followed(name: &JobName, followers: &[JobName], sight: &Sight) -> Error {
    let mut named: Vec<String> = followers
        .iter()
        .filter(|follower| sight.namespaces.matches(follower.namespace()))
        .take(FOLLOWERS_NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match (followers.len() - named.len(), named.is_empty()) {
        (0, _) => String::new(),
        (more, false) => format!(" and {more} more"),
        (more, true) => {
            named.push(format!("{more} jobs of other namespaces"));
            String::new()
        }
    };
    Error::conflict(format!(
        "job `{name}` is followed by {}{more}, which would not run until a job of this name is registered again: delete them first, or \
         delete it with force (`--force`)",
        named.join(", ")
    ))
}

pub(super) async fn run(
    call: &Call<'_>,
    request: v1::RunJobRequest,
    asked: Option<Durability>,
) -> Result<v1::Submitted, Error> {
    let api = call.api;
    let name = job_name(&request.name)?;
    if request.body.is_some() && !call.caller.may(Permission::OverrideBody) {
        let rule = "is that of the job, unless your token has the permission override_body";
        return Err(Error::Denied(Violation::new("body", rule, "").into()));
    }
    if let Some(body) = request
        .body
        .as_ref()
        .filter(|body| body.len() > BODY_BYTES_MAX)
    {
        let rule = format!("has at most {BODY_BYTES_MAX} bytes");
        return Err(Violation::new("body", rule, format_args!("{} bytes", body.len())).into());
    }
    let dedup = dedup_of(
        &request.dedup_key,
        request.dedup_keep_ms,
        request.dedup_reuse,
    )?;
    let reuse = dedup.as_ref().map(|dedup| dedup.reuse);
    if reuse == Some(Reuse::Replace) {
        let rule = "is return_existing or reject for the run of a job: its overlap policy says what is replaced";
        return Err(Violation::new("dedup_reuse", rule, Reuse::Replace).into());
    }
    let kept = |dedup: Dedup| {
        let keep = dedup.keep_ms.map_or(RUN_KEPT, Duration::from_millis);
        (dedup.key, keep)
    };
    let fire = Fire {
        uniq: api.uniq(),
        due: None,
        body: request.body,
        dedup: dedup.map(kept),
    };
    let namespaces = std::iter::once(name.namespace());
    api.rates.submit(namespaces, |_| "name".to_owned())?;
    let store = api.durable(api.durability(name.namespace(), asked))?;
    let fired = store.fire_job(&name, fire).await?;
    crash_point!("after_fire_script");
    match fired {
        Fired::Started(id) | Fired::Queued(id) => Ok(v1::Submitted {
            id: id.into(),
            ..v1::Submitted::default()
        }),
        Fired::Duplicate(id) => {
            let answer = v1::Submitted {
                id: id.into(),
                duplicate: true,
                rejected: reuse == Some(Reuse::Reject),
                ..v1::Submitted::default()
            };
            let answers = submit::with_states(&api.store, vec![answer]).await;
            Ok(answers.into_iter().next().unwrap_or_default())
        }
        Fired::Skipped(reason) => Ok(v1::Submitted {
            skipped_reason: reason.as_str().to_owned(),
            ..v1::Submitted::default()
        }),
        Fired::NoJob => Err(Error::not_found("job", name)),
    }
}

//! Registering jobs: everything is checked before anything is written, and all mistakes come back together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_core::access::Sight;
use tickwheel_core::after::check_cycles;
use tickwheel_core::bounds::SUBMIT_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::wire_paths;
use tickwheel_proto::v1::applied_job::Change as WireChange;
use tickwheel_proto::v1::{AppliedJob, ApplyJobsRequest, ApplyJobsResponse};
use tickwheel_store::job::{Change, FOLLOWERS_MAX, JobView, Only, followers_full};
use tickwheel_store::{Error as StoreError, Store};

use super::call::Call;
use super::consent;
use super::room::Room;
use crate::error::Error;
use crate::planning;

/// Changes of a follower, one right behind the other, until its edge is left as the last one found it.
const RESTORE_TRIES: usize = 5;
/// Registered jobs that are followed upstream in search of a cycle; a longer chain is refused.
const CHAIN_MAX: usize = 1_000;

/// Registers or changes the jobs of the request.
pub(super) async fn apply(
    call: &Call<'_>,
    request: ApplyJobsRequest,
    asked: Option<Durability>,
) -> Result<ApplyJobsResponse, Error> {
    let (api, sight) = (call.api, call.caller.sight());
    let store = &api.store;
    let now = store.time().await?;
    let specs = checked(store, request.jobs, request.if_revision, now).await?;
    // Before what is there is read, so that two requests with the same jobs do not both count them as new.
    let _turns = if request.dry_run {
        Vec::new()
    } else {
        let namespaces = specs.iter().map(|spec| spec.name.namespace());
        let bounded = namespaces.filter(|namespace| api.jobs.of(namespace).is_some());
        api.jobs.turns(bounded).await
    };
    let mut known: BTreeMap<JobName, JobView> = BTreeMap::new();
    for spec in &specs {
        if let Some(view) = store.get_job(&spec.name).await? {
            known.insert(spec.name.clone(), view);
        }
    }
    if let ([spec], Some(revision)) = (specs.as_slice(), request.if_revision) {
        has_revision(spec, known.get(&spec.name), revision)?;
    }
    check_upstreams(store, &specs).await?;
    let is_forgotten =
        |spec: &JobSpec| forgotten(spec, known.get(&spec.name), (now, api.once_keep)).is_some();
    let new = specs.iter().enumerate();
    let new = new.filter(|(_, spec)| !known.contains_key(&spec.name) && !is_forgotten(spec));
    let room = Room::of(api, new.map(|(index, spec)| (index, &spec.name))).await?;
    let mut applied = BTreeMap::new();
    for spec in upstreams_first(&specs) {
        let view = known.get(&spec.name);
        let job = if let Some(job) = forgotten(spec, view, (now, api.once_keep)) {
            job
        } else if request.dry_run {
            foresee(spec, view, now, sight)?
        } else {
            let durability = api.durability(spec.name.namespace(), asked);
            let only = Only {
                below: room.most(api, &spec.name),
                revision: request.if_revision,
            };
            let store = api.durable(durability)?;
            write((&store, only), spec, view, (now, sight)).await?
        };
        applied.insert(&spec.name, job);
    }
    // Answered in the order of the request.
    let jobs = specs
        .iter()
        .filter_map(|spec| applied.remove(&spec.name))
        .collect();
    Ok(ApplyJobsResponse { jobs })
}

/// The jobs in an order in which an upstream of the request comes before its followers; there is no cycle.
fn upstreams_first(specs: &[JobSpec]) -> Vec<&JobSpec> {
    let by_name: BTreeMap<&JobName, &JobSpec> =
        specs.iter().map(|spec| (&spec.name, spec)).collect();
    let depth = |spec: &JobSpec| {
        let upstream = |spec: &&JobSpec| match &spec.trigger {
            Trigger::After { job, .. } => by_name.get(job).copied(),
            Trigger::Cron { .. }
            | Trigger::FixedRate { .. }
            | Trigger::FixedDelay { .. }
            | Trigger::Once { .. }
            | Trigger::Manual => None,
        };
        std::iter::successors(by_name.get(&spec.name).copied(), upstream)
            .take(specs.len())
            .count()
    };
    let mut ordered: Vec<&JobSpec> = specs.iter().collect();
    ordered.sort_by_key(|spec| depth(spec));
    ordered
}

/// Reads and checks every job; all mistakes of all jobs are collected.
async fn checked(
    store: &Store,
    jobs: Vec<tickwheel_proto::v1::JobSpec>,
    if_revision: Option<u64>,
    now: TimestampMs,
) -> Result<Vec<JobSpec>, Error> {
    if jobs.is_empty() || jobs.len() > SUBMIT_MAX {
        return Err(
            Violation::new("jobs", format!("has 1..={SUBMIT_MAX} jobs"), jobs.len()).into(),
        );
    }
    let mut found = Violations::new();
    if let (Some(revision), true) = (if_revision, jobs.len() > 1) {
        found.add("if_revision", "goes with one job", revision);
    }
    let mut specs = Vec::with_capacity(jobs.len());
    let mut names = BTreeSet::new();
    for (index, job) in jobs.into_iter().enumerate() {
        let path = format!("jobs[{index}]");
        let spec = match JobSpec::try_from(job) {
            Ok(spec) => valid(store, spec, now).await?,
            Err(violations) => Err(violations),
        };
        match spec {
            Ok(spec) => {
                if !names.insert(spec.name.clone()) {
                    found.add(
                        format!("{path}.name"),
                        "is of one job in a request",
                        &spec.name,
                    );
                }
                specs.push(spec);
            }
            Err(violations) => found.merge(violations.prefix(&path)),
        }
    }
    found.into_result()?;
    Ok(specs)
}

/// A job that is not as whoever asks has read it is left alone, before anything is written around it; the script looks again. What is as it
/// shall be stays so, whatever was read.
fn has_revision(spec: &JobSpec, known: Option<&JobView>, revision: u64) -> Result<(), Error> {
    let present = known.map_or(0, |view| view.revision);
    if present == revision || known.is_some_and(|view| same(&view.spec, spec)) {
        return Ok(());
    }
    Err(Error::Store(StoreError::Changed {
        what: format!("job `{}`", spec.name),
        revision: present,
    }))
}

/// The spec, or its mistakes. A spec that is registered as it is was valid when it was: a job whose last due time has passed stays what it is
/// when the folder it is described in is applied again.
async fn valid(
    store: &Store,
    spec: JobSpec,
    now: TimestampMs,
) -> Result<Result<JobSpec, Violations>, Error> {
    let Err(violations) = spec.validate(now) else {
        return Ok(Ok(spec));
    };
    let known = store.get_job(&spec.name).await?;
    Ok(match known {
        Some(view) if same(&view.spec, &spec) => Ok(spec),
        Some(_) | None => Err(wire_paths(violations, &spec.trigger)),
    })
}

/// Every upstream is registered or in the request and lets its follower follow it, and no job follows itself, over however many others.
async fn check_upstreams(store: &Store, specs: &[JobSpec]) -> Result<(), Error> {
    let by_name: BTreeMap<&JobName, &JobSpec> =
        specs.iter().map(|spec| (&spec.name, spec)).collect();
    let mut found = Violations::new();
    let mut edges = Vec::new();
    let mut upstreams: Vec<JobName> = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let Trigger::After { job, .. } = &spec.trigger else {
            continue;
        };
        let refused = || consent::no_upstream(job, &spec.name).prefix(&format!("jobs[{index}]"));
        if let Some(upstream) = by_name.get(job) {
            if !upstream.lets_follow(&spec.name) {
                found.push(refused());
            }
            edges.push((job.clone(), spec.name.clone()));
            continue;
        }
        let registered = store.get_job(job).await?;
        let Some(view) = registered.filter(|view| view.spec.lets_follow(&spec.name)) else {
            found.push(refused());
            continue;
        };
        edges.push((job.clone(), spec.name.clone()));
        let known = |name: &JobName| view.followers.iter().any(|(it, _)| it == name);
        let new = edges.iter().filter(|(up, name)| up == job && !known(name));
        if view.followers.len() + new.count() > FOLLOWERS_MAX {
            return Err(followers_full(job).into());
        }
        upstreams.push(job.clone());
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = upstreams.pop() {
        if by_name.contains_key(&name) || !seen.insert(name.clone()) {
            continue;
        }
        if seen.len() > CHAIN_MAX {
            found.add(
                "jobs",
                format!("follows at most {CHAIN_MAX} jobs in a chain"),
                &name,
            );
            break;
        }
        let Some(view) = store.get_job(&name).await? else {
            continue;
        };
        if let Trigger::After { job, .. } = view.spec.trigger {
            edges.push((job.clone(), name));
            upstreams.push(job);
        }
    }
    if let Err(mut violation) = check_cycles(edges) {
        let in_cycle = |spec: &JobSpec| {
            violation
                .given
                .split(" -> ")
                .any(|name| name == spec.name.as_str())
        };
        if let Some(index) = specs.iter().position(in_cycle) {
            violation.field = format!("jobs[{index}].{}", violation.field);
        }
        found.push(violation);
    }
    found.into_result()?;
    Ok(())
}

/// The answer for a `once` job that nobody knows and that would not be known any more if it had run: it may have. It is not registered, as it would
/// fire once more.
fn forgotten(
    spec: &JobSpec,
    known: Option<&JobView>,
    (now, keep): (TimestampMs, Duration),
) -> Option<AppliedJob> {
    let Trigger::Once { at_ms } = &spec.trigger else {
        return None;
    };
    let keep_ms = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
    if known.is_some() || *at_ms > now.minus_ms(keep_ms) {
        return None;
    }
    Some(AppliedJob {
        name: spec.name.to_string(),
        change: WireChange::Unchanged.into(),
        warning: format!(
            "not registered: finished `once` jobs are forgotten after {keep:?} (history.once_keep), so it may have run at {at_ms}; take it out of the manifest, or \
             give it a time ahead"
        ),
        ..AppliedJob::default()
    })
}

fn foresee(
    spec: &JobSpec,
    known: Option<&JobView>,
    now: TimestampMs,
    sight: &Sight,
) -> Result<AppliedJob, Error> {
    let next_due = || planning::plan_for(spec, known, now).map(|plan| plan.dues.first().copied());
    let (revision, change, next_due) = match known {
        None => (1, WireChange::Created, next_due()?),
        Some(view) if same(&view.spec, spec) => {
            (view.revision, WireChange::Unchanged, view.next_due)
        }
        Some(view) => (view.revision + 1, WireChange::Updated, next_due()?),
    };
    let next_due_ms = next_due.map(TimestampMs::as_u64);
    let followers = known.map_or(&[][..], |view| view.followers.as_slice());
    Ok(AppliedJob {
        name: spec.name.to_string(),
        revision,
        change: change.into(),
        next_due_ms,
        warning: warning(spec, followers, sight),
    })
}

/// What is valid and was perhaps not meant.
fn warning(spec: &JobSpec, followers: &[(JobName, AfterOn)], sight: &Sight) -> String {
    let untold = consent::untold(spec, followers, sight);
    let all = spec.trigger.warning().into_iter().chain([untold]);
    let all: Vec<String> = all.filter(|one| !one.is_empty()).collect();
    all.join("; ")
}

fn same(known: &JobSpec, spec: &JobSpec) -> bool {
    known == spec
}

/// Writes one job. The edge at the upstream comes first: a job fires only for one that it follows, so that an edge which leads
/// nowhere is harmless; a follower without it would never fire.
async fn write(
    (store, only): (&Store, Only),
    spec: &JobSpec,
    known: Option<&JobView>,
    (now, sight): (TimestampMs, &Sight),
) -> Result<AppliedJob, Error> {
    let upstream = match &spec.trigger {
        Trigger::After { job, on } => Some((job, *on)),
        Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. }
        | Trigger::Manual => None,
    };
    let plan = planning::plan_for(spec, known, now)?;
    if let Some((job, on)) = upstream {
        store.add_follower(job, &spec.name, on).await?;
        crash_point!("between_follower_and_apply");
    }
    let applied = match store.apply_job_if(spec, &plan, only).await {
        Err(changed @ StoreError::Changed { .. }) => {
            if let Some((job, _)) = upstream {
                restore_edge(store, job, &spec.name).await?;
            }
            return Err(changed.into());
        }
        other => other?,
    };
    crash_point!("after_apply_script");
    if let Some(Trigger::After { job, .. }) = known.map(|view| &view.spec.trigger)
        && upstream.is_none_or(|(now_follows, _)| now_follows != job)
    {
        forget_edge(store, job, &spec.name).await?;
    }
    let change = match applied.change {
        Change::Created => WireChange::Created,
        Change::Updated => WireChange::Updated,
        Change::Unchanged => WireChange::Unchanged,
    };
    Ok(AppliedJob {
        name: spec.name.to_string(),
        revision: applied.revision,
        change: change.into(),
        next_due_ms: applied.next_due.map(TimestampMs::as_u64),
        warning: warning(spec, &applied.followers, sight),
    })
}

/// Makes the edge at an upstream what the follower says, after a change of it that wrote the edge and then found that somebody else had been
/// faster. Whoever changes the follower meanwhile writes the edge first, so it is looked at again behind each write.
async fn restore_edge(store: &Store, upstream: &JobName, follower: &JobName) -> Result<(), Error> {
    let mut written = None;
    for _ in 0..RESTORE_TRIES {
        let view = store.get_job(follower).await?;
        let revision = view.as_ref().map(|view| view.revision);
        if written == Some(revision) {
            return Ok(());
        }
        match view.map(|view| view.spec.trigger) {
            Some(Trigger::After { job, on }) if job == *upstream => {
                store.add_follower(upstream, follower, on).await?;
            }
            Some(_) | None => store.remove_follower(upstream, follower).await?,
        }
        written = Some(revision);
    }
    Ok(())
}

/// Takes a follower off an upstream, also one that is not registered.
pub(super) async fn forget_edge(
    store: &Store,
    upstream: &JobName,
    follower: &JobName,
) -> Result<(), Error> {
    Ok(store.remove_follower(upstream, follower).await?)
}

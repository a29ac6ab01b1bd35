//! Groups: which there are, paused and resumed.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::GroupName;
use tickwheel_core::pause::GroupPause;
use tickwheel_proto::v1;
use tickwheel_store::limit::Defined;
use tickwheel_store::roster::WorkerView;

use super::call::Call;
use super::given::named;
use crate::error::Error;

/// Handlers of a group in an answer.
const HANDLERS_MAX: usize = 1_000;

/// A group as it is found, bit by bit.
#[derive(Debug, Default)]
struct Found {
    handlers: BTreeSet<String>,
    workers: u32,
    permits: u64,
    running: u64,
}

/// All groups in sight that have workers, limits or a pause.
pub(super) async fn list(
    call: &Call<'_>,
    _request: v1::ListGroupsRequest,
) -> Result<v1::ListGroupsResponse, Error> {
    let defined = call.store.list_limits().await?;
    let workers = call.store.read_workers(None).await?;
    let unreadable = defined.unreadable + workers.unreadable;
    let in_sight = &call.caller.sight().groups;
    let groups = joined(defined, workers.items);
    let groups = groups.into_iter();
    Ok(v1::ListGroupsResponse {
        groups: groups
            .filter(|group| in_sight.matches(&group.name))
            .collect(),
        unreadable,
    })
}

/// Pauses a group; there need not be anything of it.
pub(super) async fn pause(
    call: &Call<'_>,
    request: v1::PauseGroupRequest,
) -> Result<v1::Group, Error> {
    let name = GroupName::new(&request.name).map_err(|wrong| named("name", wrong))?;
    GroupPause::check_note(&request.note)?;
    let by = call.caller.token();
    call.store.pause_group(&name, by, &request.note).await?;
    group(call, &name).await
}

/// Resumes a group; nothing changes for one that is not paused.
pub(super) async fn resume(call: &Call<'_>, request: v1::GroupRef) -> Result<v1::Group, Error> {
    let name = GroupName::new(&request.name).map_err(|wrong| named("name", wrong))?;
    call.store.resume_group(&name).await?;
    group(call, &name).await
}

/// One group as it is now, which this tracker goes by from now on.
async fn group(call: &Call<'_>, name: &GroupName) -> Result<v1::Group, Error> {
    call.limits.read().await;
    let mut defined = call.store.list_limits().await?;
    defined.groups.retain(|(one, _)| one == name);
    defined.paused.retain(|(one, _)| one == name);
    let workers = call.store.read_workers(Some(name)).await?;
    let found = joined(defined, workers.items).pop();
    Ok(found.unwrap_or_else(|| v1::Group {
        name: name.to_string(),
        ..v1::Group::default()
    }))
}

fn joined(defined: Defined, workers: Vec<WorkerView>) -> Vec<v1::Group> {
    let mut found: BTreeMap<GroupName, Found> = BTreeMap::new();
    for worker in workers {
        let group = found.entry(worker.group).or_default();
        let report = worker.report;
        group.workers += 1;
        group.permits += u64::from(report.permits);
        group.running += u64::from(report.running);
        for handler in report.handlers.iter() {
            if group.handlers.len() < HANDLERS_MAX {
                group.handlers.insert(handler.clone());
            }
        }
    }
    let (limits, paused): (BTreeMap<_, _>, BTreeMap<_, _>) = (
        defined.groups.into_iter().collect(),
        defined.paused.into_iter().collect(),
    );
    for name in limits.keys().chain(paused.keys()) {
        found.entry(name.clone()).or_default();
    }
    let groups = found.into_iter().map(|(name, found)| v1::Group {
        handlers: found.handlers.into_iter().collect(),
        workers: found.workers,
        permits: found.permits,
        running: found.running,
        pause: paused.get(&name).map(wire),
        limits: limits.get(&name).map(|limits| v1::GroupLimits {
            group: name.to_string(),
            ..v1::GroupLimits::from(limits)
        }),
        name: name.to_string(),
    });
    groups.collect()
}

fn wire(pause: &GroupPause) -> v1::GroupPause {
    v1::GroupPause {
        since_ms: pause.since.as_u64(),
        by: pause
            .by
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        note: pause.note.clone(),
    }
}

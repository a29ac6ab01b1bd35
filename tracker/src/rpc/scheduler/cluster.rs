//! The cluster itself: its workers, trackers, and what Redis says.

use tickwheel_core::access::Role;
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::time::TimestampMs;
use tickwheel_core::zone::table;
use tickwheel_proto::v1;
use tickwheel_store::roster::{ReportedResource, WorkerView};

use super::call::Call;
use super::given::named;
use crate::error::Error;

pub(super) async fn workers(
    call: &Call<'_>,
    request: v1::ListWorkersRequest,
) -> Result<v1::ListWorkersResponse, Error> {
    let group = match request.group.as_str() {
        "" => None,
        group => Some(GroupName::new(group).map_err(|violation| named("group", violation))?),
    };
    let now = call.store.time().await?.as_u64();
    let listed = call.store.read_workers(group.as_ref()).await?;
    let groups = &call.caller.sight().groups;
    let in_sight = |view: &WorkerView| groups.matches(view.group.as_str());
    Ok(v1::ListWorkersResponse {
        workers: listed
            .items
            .into_iter()
            .filter(in_sight)
            .map(|view| worker(call, view, now))
            .collect(),
        unreadable: listed.unreadable,
    })
}

/// Lets a worker take no more work.
pub(super) async fn drain(call: &Call<'_>, request: v1::WorkerRef) -> Result<v1::Worker, Error> {
    change(call, &request, false).await
}

/// Lets it take work again.
pub(super) async fn undrain(call: &Call<'_>, request: v1::WorkerRef) -> Result<v1::Worker, Error> {
    change(call, &request, true).await
}

async fn change(
    call: &Call<'_>,
    request: &v1::WorkerRef,
    takes: bool,
) -> Result<v1::Worker, Error> {
    let id = WorkerId::new(&request.id).map_err(|violation| named("id", violation))?;
    seen(call, &id).await?;
    call.store.drain_worker(&id, takes).await?;
    // The other trackers, and this one if it fails, learn of it by their heartbeats.
    call.drains.read().await;
    let now = call.store.time().await?.as_u64();
    Ok(worker(call, seen(call, &id).await?, now))
}

/// The live worker of this id, as far as its group is in reach.
async fn seen(call: &Call<'_>, id: &WorkerId) -> Result<WorkerView, Error> {
    let groups = &call.caller.sight().groups;
    let known = call.store.find_worker(id).await?;
    known
        .filter(|view| groups.matches(view.group.as_str()))
        .ok_or_else(|| Error::not_found("worker", id.as_str()))
}

fn worker(call: &Call<'_>, view: WorkerView, now: u64) -> v1::Worker {
    let mut report = view.report;
    // Where a worker runs is for those who look after it.
    if !call.caller.is(Role::Operator) {
        report.host = String::new();
        report.tags = Vec::new();
    }
    v1::Worker {
        id: view.id.to_string(),
        group: view.group.to_string(),
        handlers: report.handlers.to_vec(),
        permits: report.permits,
        running: report.running,
        cpu_load: report.cpu_load.unwrap_or_default(),
        memory_used_bytes: report.memory_used,
        memory_total_bytes: report.memory_total,
        host: report.host,
        sdk_version: report.version,
        heartbeat_age_ms: (now + call.heartbeat_ttl_ms).saturating_sub(view.expires.as_u64()),
        tags: report.tags,
        cpus: report.cpus,
        resources: report.resources.into_iter().map(resource).collect(),
        load: report.load.unwrap_or_default(),
        drained_ms: view.drained.map_or(0, TimestampMs::as_u64),
    }
}

fn resource(reported: ReportedResource) -> v1::Resource {
    v1::Resource {
        name: reported.name,
        used: reported.used,
        total: reported.total,
        reserved: reported.reserved,
    }
}

pub(super) async fn cluster(
    call: &Call<'_>,
    _request: v1::GetClusterRequest,
) -> Result<v1::Cluster, Error> {
    let server = &call.server;
    if !call.caller.is(Role::Admin) {
        // How it is built, and where, is for those who run it.
        return Ok(v1::Cluster {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            zone_table: table().to_string(),
            partitions: u32::from(call.store.partitions().as_u16()),
            redis_time_ms: call.store.time().await?.as_u64(),
            ..v1::Cluster::default()
        });
    }
    let trackers = call.store.list_trackers().await?;
    Ok(v1::Cluster {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        zone_table: table().to_string(),
        partitions: u32::from(call.store.partitions().as_u16()),
        trackers: trackers
            .into_iter()
            .map(|tracker| format!("{} {}", tracker.id, tracker.url))
            .collect(),
        durability: server.durability(),
        redis_version: server.version.clone(),
        redis_time_ms: call.store.time().await?.as_u64(),
    })
}

pub(super) async fn overview(
    call: &Call<'_>,
    _request: v1::GetOverviewRequest,
) -> Result<v1::Overview, Error> {
    let seen = call.overviews.now().await?;
    Ok(seen.shown(call.caller.sight()))
}

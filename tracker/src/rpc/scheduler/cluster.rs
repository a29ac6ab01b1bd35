//! The cluster itself: its workers, trackers, and what Redis says.

use tickwheel_core::access::Role;
use tickwheel_core::id::GroupName;
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
    let now = call.store.time().await?;
    let listed = call.store.read_workers(group.as_ref()).await?;
    let ttl_ms = call.heartbeat_ttl_ms;
    // Where a worker runs is for those who look after it.
    let tells_all = call.caller.is(Role::Operator);
    let worker = |view: WorkerView| {
        let mut report = view.report;
        if !tells_all {
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
            heartbeat_age_ms: (now.as_u64() + ttl_ms).saturating_sub(view.expires.as_u64()),
            tags: report.tags,
            cpus: report.cpus,
            resources: report.resources.into_iter().map(resource).collect(),
            load: report.load.unwrap_or_default(),
        }
    };
    let groups = &call.caller.sight().groups;
    let in_sight = |view: &WorkerView| groups.matches(view.group.as_str());
    Ok(v1::ListWorkersResponse {
        workers: listed
            .items
            .into_iter()
            .filter(in_sight)
            .map(worker)
            .collect(),
        unreadable: listed.unreadable,
    })
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

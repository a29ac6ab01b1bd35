//! The cluster itself: its workers, trackers, and what Redis says.

use tickwheel_core::id::GroupName;
use tickwheel_core::zone::table;
use tickwheel_proto::v1;
use tickwheel_store::roster::{ReportedResource, WorkerView};

use super::given::named;
use crate::error::Error;
use crate::rpc::api::ApiContext;

pub(super) async fn workers(
    api: &ApiContext,
    request: v1::ListWorkersRequest,
) -> Result<v1::ListWorkersResponse, Error> {
    let group = match request.group.as_str() {
        "" => None,
        group => Some(GroupName::new(group).map_err(|violation| named("group", violation))?),
    };
    let now = api.store.time().await?;
    let listed = api.store.read_workers(group.as_ref()).await?;
    let ttl_ms = api.heartbeat_ttl_ms;
    let worker = |view: WorkerView| {
        let report = view.report;
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
    Ok(v1::ListWorkersResponse {
        workers: listed.items.into_iter().map(worker).collect(),
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
    api: &ApiContext,
    _request: v1::GetClusterRequest,
) -> Result<v1::Cluster, Error> {
    let trackers = api.store.list_trackers().await?;
    let server = &api.server;
    Ok(v1::Cluster {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        zone_table: table().to_string(),
        partitions: u32::from(api.store.partitions().as_u16()),
        trackers: trackers
            .into_iter()
            .map(|tracker| format!("{} {}", tracker.id, tracker.url))
            .collect(),
        durability: server.durability(),
        redis_version: server.version.clone(),
        redis_time_ms: api.store.time().await?.as_u64(),
    })
}

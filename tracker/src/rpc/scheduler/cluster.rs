//! The cluster itself: its workers, trackers, and what Redis says.

use tickwheel_core::id::GroupName;
use tickwheel_core::zone::table;
use tickwheel_proto::v1;
use tickwheel_store::roster::WorkerView;

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
    let ttl_ms = api.beat_ttl_ms;
    let worker = |view: &WorkerView| v1::Worker {
        id: view.id.to_string(),
        group: view.group.to_string(),
        handlers: words(view.text("handlers")),
        permits: narrow(view.number("permits")),
        running: narrow(view.number("running")),
        cpu_load: view.text("cpu_load").parse().unwrap_or(0.0),
        memory_used_bytes: view.number("memory_used"),
        memory_total_bytes: view.number("memory_total"),
        host: view.text("host").to_owned(),
        sdk_version: view.text("version").to_owned(),
        beat_age_ms: (now.as_u64() + ttl_ms).saturating_sub(view.expires.as_u64()),
        tags: words(view.text("tags")),
        cpus: narrow(view.number("cpus")),
        resources: words(view.text("resources"))
            .iter()
            .filter_map(|text| resource(text))
            .collect(),
        load: view.text("load").parse().unwrap_or(0.0),
    };
    Ok(v1::ListWorkersResponse {
        workers: listed.items.iter().map(worker).collect(),
        unreadable: listed.unreadable,
    })
}

/// `<name>=<used>/<total>/<reserved>`.
fn resource(text: &str) -> Option<v1::Resource> {
    let (name, amounts) = text.split_once('=')?;
    let mut amounts = amounts.split('/').map(str::parse);
    Some(v1::Resource {
        name: name.to_owned(),
        used: amounts.next()?.ok()?,
        total: amounts.next()?.ok()?,
        reserved: amounts.next()?.ok()?,
    })
}

fn words(list: &str) -> Vec<String> {
    list.split(',')
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
            .map(|sign| format!("{} {}", sign.id, sign.url))
            .collect(),
        durability: server.durability.clone(),
        redis_version: server.version.clone(),
        redis_time_ms: api.store.time().await?.as_u64(),
    })
}

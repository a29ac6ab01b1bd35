//! Whether namespaces have room for jobs that are new.
//!
//! Jobs are counted over all partitions when some are registered, and nowhere else. In one tracker those of a namespace are registered one request
//! after the other; for others, what is free then bounds each partition, in the script that keeps a job.

use std::collections::BTreeMap;

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::metrics::measure;
use crate::rpc::api::ApiContext;

/// How many jobs of a namespace each partition may have, where that is bounded.
#[derive(Debug, Default)]
pub(super) struct Room {
    most: BTreeMap<String, BTreeMap<PartitionId, u64>>,
}

impl Room {
    /// The room for jobs that are new, each with its place in the request. Whoever registers them has the turn of their namespaces.
    ///
    /// # Errors
    /// [`Error::NoRoom`] with each job that is too many; what the store says.
    pub(super) async fn of(
        api: &ApiContext,
        new: impl Iterator<Item = (usize, &JobName)>,
    ) -> Result<Self, Error> {
        let mut by_namespace: BTreeMap<&str, Vec<(usize, &JobName)>> = BTreeMap::new();
        for (index, name) in new.filter(|(_, name)| api.jobs.of(name.namespace()).is_some()) {
            let all = by_namespace.entry(name.namespace()).or_default();
            all.push((index, name));
        }
        let mut room = Self::default();
        let mut found = Violations::new();
        for (namespace, jobs) in by_namespace {
            let Some(quota) = api.jobs.of(namespace) else {
                continue;
            };
            let counts = api.store.count_jobs(namespace).await?;
            let kept: u64 = counts.iter().map(|(_, count)| count).sum();
            let free = quota.saturating_sub(kept);
            let fit = usize::try_from(free).unwrap_or(usize::MAX);
            for (index, name) in jobs.into_iter().skip(fit) {
                found.push(beyond_quota((index, name), (quota, kept)));
            }
            let most = counts.into_iter();
            let most = most.map(|(partition, count)| (partition, count.saturating_add(free)));
            room.most.insert(namespace.to_owned(), most.collect());
        }
        if found.is_empty() {
            return Ok(room);
        }
        measure::refused_quota("namespace", "jobs");
        Err(Error::NoRoom(found))
    }

    /// How many jobs of its namespace may lie where this one does; `None`: any number.
    pub(super) fn most(&self, api: &ApiContext, name: &JobName) -> Option<u64> {
        let most = self.most.get(name.namespace())?;
        most.get(&api.store.partition_of_job(name)).copied()
    }
}

fn beyond_quota((index, name): (usize, &JobName), (quota, kept): (u64, u64)) -> Violation {
    let rule = format!(
        "is one of at most {quota} jobs of namespace `{}`, which has {kept}: delete some, or have `quotas.jobs` of the trackers raised",
        name.namespace()
    );
    Violation::new(format!("jobs[{index}].name"), rule, name)
}

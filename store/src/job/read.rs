//! Reading jobs back. Script: `lua/job/get.lua`.

use std::collections::HashMap;

use bytes::Bytes;
use fred::interfaces::SortedSetsInterface;
use fred::types::Value;
use fred::types::sorted_sets::ZSort;
use futures::future::try_join_all;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::job::JobSpec;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use super::{JobStateWord, JobView, followers_of};
use crate::error::Error;
use crate::record::Rest;
use crate::reply::Reply;
use crate::script::GET_JOBS;
use crate::store::Store;

/// Jobs read by one script call.
const JOBS_STEP: usize = 100;
/// Jobs of one page at most.
const LISTED_MAX: u32 = 1_000;

impl Store {
    /// The job of this name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn get_job(&self, job: &JobName) -> Result<Option<JobView>, Error> {
        let views = self
            .get_jobs(self.partition_of_job(job), std::slice::from_ref(job))
            .await?;
        Ok(views.into_iter().next())
    }

    /// Up to `limit` (1,000 at most) jobs whose name starts with `prefix`, in the order of their names, from the one behind `after` on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_jobs(
        &self,
        prefix: &str,
        after: Option<&JobName>,
        limit: u32,
    ) -> Result<Vec<JobView>, Error> {
        let limit = limit.min(LISTED_MAX);
        let partitions = self.partitions.partitions();
        let pages = try_join_all(
            partitions.map(|partition| self.job_names(partition, prefix, after, limit)),
        )
        .await?;
        let mut names: Vec<(JobName, PartitionId)> = pages.into_iter().flatten().collect();
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        names.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut of_partition: HashMap<PartitionId, Vec<JobName>> = HashMap::new();
        for (name, partition) in names {
            of_partition.entry(partition).or_default().push(name);
        }
        let reads = of_partition.iter().flat_map(|(partition, names)| {
            names
                .chunks(JOBS_STEP)
                .map(|names| self.get_jobs(*partition, names))
        });
        let mut views: Vec<JobView> = try_join_all(reads).await?.into_iter().flatten().collect();
        views.sort_unstable_by(|a, b| a.spec.name.cmp(&b.spec.name));
        Ok(views)
    }

    async fn job_names(
        &self,
        partition: PartitionId,
        prefix: &str,
        after: Option<&JobName>,
        limit: u32,
    ) -> Result<Vec<(JobName, PartitionId)>, Error> {
        let from = match after {
            Some(after) if after.as_str() >= prefix => format!("({after}"),
            Some(_) | None => format!("[{prefix}"),
        };
        // Names are ASCII, so this sorts behind every name with the prefix.
        let to = format!("({prefix}\u{7f}");
        let limit = Some((0, i64::from(limit)));
        let client = self.redis.plain();
        let read = client
            .zrange(
                self.keys.jobs(partition),
                from,
                to,
                Some(ZSort::ByLex),
                false,
                limit,
                false,
            )
            .await;
        let names: Vec<String> =
            read.map_err(|error| Error::from_redis("zrange", error, ToOwned::to_owned))?;
        let name = |name: String| {
            JobName::new(&name)
                .map(|job| (job, partition))
                .map_err(|_| Error::contract("zrange", name))
        };
        names.into_iter().map(name).collect()
    }

    async fn get_jobs(
        &self,
        partition: PartitionId,
        names: &[JobName],
    ) -> Result<Vec<JobView>, Error> {
        let args = names
            .iter()
            .map(|name| Value::from(name.as_str()))
            .collect();
        let value = self
            .redis
            .call(&GET_JOBS, vec![self.keys.wheel(partition)], args)
            .await?;
        let mut reply = Reply::expect(GET_JOBS.name(), value, "JOBS")?;
        let mut views = Vec::with_capacity(names.len());
        while !reply.is_empty() {
            let (fields, active, queued) = (reply.list()?, reply.list()?, reply.number()?);
            if !fields.is_empty() {
                views.push(JobView {
                    active: ids(active)?,
                    queued,
                    ..Fields::read(fields)?.view()?
                });
            }
        }
        Ok(views)
    }
}

fn ids(mut list: Reply) -> Result<Vec<ContextId>, Error> {
    let mut ids = Vec::with_capacity(list.len());
    while !list.is_empty() {
        ids.push(list.parsed()?);
    }
    Ok(ids)
}

/// The hash of a job.
struct Fields(HashMap<String, Bytes>);

impl Fields {
    fn read(mut list: Reply) -> Result<Self, Error> {
        let mut fields = HashMap::with_capacity(list.len() / 2);
        while !list.is_empty() {
            fields.insert(list.text()?, list.bytes()?);
        }
        Ok(Self(fields))
    }

    fn text(&self, name: &str) -> &str {
        self.0
            .get(name)
            .and_then(|value| str::from_utf8(value).ok())
            .unwrap_or_default()
    }

    fn wrong(&self, name: &str) -> Error {
        Error::contract(GET_JOBS.name(), format!("{name}={}", self.text(name)))
    }

    fn number(&self, name: &str) -> Result<u64, Error> {
        self.text(name).parse().map_err(|_| self.wrong(name))
    }

    fn instant(&self, name: &str) -> Result<Option<TimestampMs>, Error> {
        if self.text(name).is_empty() {
            Ok(None)
        } else {
            self.number(name).map(TimestampMs::new).map(Some)
        }
    }

    fn view(&self) -> Result<JobView, Error> {
        let mut spec = self
            .0
            .get("spec")
            .and_then(|spec| JobSpec::decode(spec).ok())
            .ok_or_else(|| self.wrong("digest"))?;
        spec.body = Rest::parse(self.0.get("tmpl").cloned().unwrap_or_default())?.body;
        let state = JobStateWord::ALL
            .into_iter()
            .find(|state| state.as_str() == self.text("state"));
        let planned = self.text("plan").split(' ').filter(|due| !due.is_empty());
        let planned: Result<Vec<u64>, _> = planned.map(str::parse).collect();
        let followers = followers_of(self.text("followers"));
        Ok(JobView {
            spec,
            revision: self.number("revision")?,
            state: state.ok_or_else(|| self.wrong("state"))?,
            note: self.text("note").to_owned(),
            created: TimestampMs::new(self.number("created_ms")?),
            updated: TimestampMs::new(self.number("updated_ms")?),
            next_due: self.instant("next")?,
            last_due: self.instant("last")?,
            fired: self.number("fired")?,
            manual: self.number("manual")?,
            planned: planned
                .map_err(|_| self.wrong("plan"))?
                .into_iter()
                .map(TimestampMs::new)
                .collect(),
            plan_end: self.text("plan_end") == "1",
            active: Vec::new(),
            queued: 0,
            followers: followers.ok_or_else(|| self.wrong("followers"))?,
        })
    }
}

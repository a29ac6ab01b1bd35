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

use super::{JobState, JobView, followers_of};
use crate::error::Error;
use crate::fields;
use crate::listed::Listed;
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
            .await;
        let mut listed = views?;
        // Whoever asks for one job by its name is told that it cannot be read.
        match listed.items.pop() {
            None if listed.unreadable > 0 => Err(Error::damaged(GET_JOBS.name(), job.as_str())),
            view => Ok(view),
        }
    }

    /// Up to `limit` (1,000 at most) jobs whose name starts with `prefix`, in the order of their names, from the one behind `after` on.
    /// The next page begins behind the name that the answer says.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_jobs(
        &self,
        prefix: &str,
        after: Option<&JobName>,
        limit: u32,
    ) -> Result<Listed<JobView>, Error> {
        let limit = limit.min(LISTED_MAX);
        let mut listed = Listed::default();
        let partitions = self.partitions.partitions();
        let pages = try_join_all(
            partitions.map(|partition| self.job_names(partition, prefix, after, limit)),
        )
        .await?;
        let mut names: Vec<(String, PartitionId)> = pages.into_iter().flatten().collect();
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_full = names.len() >= size;
        names.truncate(size);
        let mut of_partition: HashMap<PartitionId, Vec<JobName>> = HashMap::new();
        for (name, partition) in names {
            let name = JobName::new(&name).map_err(|_| Error::damaged("zrange", name));
            if let Some(name) = listed.readable(GET_JOBS.name(), name)? {
                if is_full {
                    listed.next = name.to_string();
                }
                of_partition.entry(partition).or_default().push(name);
            }
        }
        let reads = of_partition.iter().flat_map(|(partition, names)| {
            names
                .chunks(JOBS_STEP)
                .map(|names| self.get_jobs(*partition, names))
        });
        for page in try_join_all(reads).await? {
            listed.skip(GET_JOBS.name(), page.unreadable);
            listed.items.extend(page.items);
        }
        listed
            .items
            .sort_unstable_by(|a, b| a.spec.name.cmp(&b.spec.name));
        Ok(listed)
    }

    /// How many jobs a namespace has, in each partition. They are counted by their names, so that it costs O(log(jobs)) each and nobody keeps a
    /// count.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn count_jobs(&self, namespace: &str) -> Result<Vec<(PartitionId, u64)>, Error> {
        // `0` is the byte behind the slash.
        let (from, to) = (format!("[{namespace}/"), format!("({namespace}0"));
        let client = &self.redis.plain();
        let (from, to) = (from.as_str(), to.as_str());
        let counts = self.partitions.partitions().map(|partition| async move {
            let counted = client.zlexcount(self.keys.jobs(partition), from, to).await;
            let failed = |error| Error::from_redis("zlexcount", error, ToOwned::to_owned);
            Ok::<_, Error>((partition, counted.map_err(failed)?))
        });
        try_join_all(counts).await
    }

    async fn job_names(
        &self,
        partition: PartitionId,
        prefix: &str,
        after: Option<&JobName>,
        limit: u32,
    ) -> Result<Vec<(String, PartitionId)>, Error> {
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
        let names: Vec<Bytes> =
            read.map_err(|error| Error::from_redis("zrange", error, ToOwned::to_owned))?;
        let names = names.into_iter();
        Ok(names
            .map(|name| (String::from_utf8_lossy(&name).into_owned(), partition))
            .collect())
    }

    async fn get_jobs(
        &self,
        partition: PartitionId,
        names: &[JobName],
    ) -> Result<Listed<JobView>, Error> {
        let args = names
            .iter()
            .map(|name| Value::from(name.as_str()))
            .collect();
        let value = self
            .redis
            .call(&GET_JOBS, vec![self.keys.wheel(partition)], args)
            .await?;
        let reply = Reply::expect(GET_JOBS.name(), value, "JOBS")?;
        fields::Fields::read(reply, |fields| {
            let mut listed = Listed {
                unreadable: fields.number("unreadable")?,
                ..Listed::default()
            };
            let mut jobs = fields.list("jobs")?;
            while !jobs.is_empty() {
                let (hash, active, queued) = (jobs.list()?, jobs.list()?, jobs.number()?);
                if !hash.is_empty() {
                    let view = view(hash, active, queued);
                    listed.add(GET_JOBS.name(), view)?;
                }
            }
            Ok(listed)
        })
    }
}

fn view(fields: Reply, mut active: Reply, queued: u64) -> Result<JobView, Error> {
    let mut ids: Vec<ContextId> = Vec::with_capacity(active.len());
    while !active.is_empty() {
        // One that is no id is no context of the job.
        ids.extend(
            active
                .bytes()
                .ok()
                .and_then(|id| str::from_utf8(&id).ok()?.parse().ok()),
        );
    }
    Ok(JobView {
        active: ids,
        queued,
        ..Fields::read(fields)?.view()?
    })
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
        Error::damaged(GET_JOBS.name(), format!("{name}={}", self.text(name)))
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
        let state = JobState::ALL
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
            zones: self.text("zones").to_owned(),
            active: Vec::new(),
            queued: 0,
            followers: followers.ok_or_else(|| self.wrong("followers"))?,
        })
    }
}

//! Placements that nothing needs any more go. Scripts: `lua/placement/list.lua`, `lua/placement/sweep.lua`.
//!
//! All places of a partition are read one after the other, a page in each call. What stays in its place meanwhile is seen; what moves says
//! so where it comes to (`use_placement` in `lua/lib/contexts/ready.lua`). So a placement that was neither seen nor said has no context.

use std::collections::BTreeSet;

use fred::types::Value;
use tickwheel_core::partition::PartitionId;
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::reply::Reply;
use crate::script::{LIST_PLACEMENTS, SWEEP_PLACEMENTS};
use crate::store::Store;

/// Jobs before their overlap queues: what a queue was given by a job behind its look has the placement that the job was seen with, or a newer
/// one that was said to be used.
const PLACES: [&str; 4] = ["jobs", "wheel", "held", "fans"];

/// A page, and what its reader goes on with.
struct Page {
    next: Option<String>,
    jobs: Vec<String>,
}

impl Store {
    /// Lets the placements of `partition` go that none of its contexts and jobs needs, when it has at least `least`; those of contexts that
    /// ended are not kept. How many went; `None` where there are fewer, or somebody else looks.
    ///
    /// Takes as long as reading every entry of the partition, with four times as much rest. Dropping the future is safe: the next one to
    /// begin waits ten minutes for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn sweep_placements(
        &self,
        partition: PartitionId,
        least: usize,
    ) -> Result<Option<u64>, Error> {
        let begin = ["", "begin", &least.to_string()].map(Value::from);
        let (status, mut reply) = self.sweep_call(partition, begin.to_vec()).await?;
        match status.as_str() {
            "BEGUN" => {}
            "FEW" | "BUSY" => return Ok(None),
            other => return Err(Error::contract(SWEEP_PLACEMENTS.name(), other)),
        }
        let token = reply.text()?;
        let mut needed = BTreeSet::new();
        while !reply.is_empty() {
            needed.insert(reply.text()?);
        }
        let mut queues = Vec::new();
        for place in PLACES {
            queues.extend(self.list_placements(partition, place, &mut needed).await?);
        }
        for job in queues {
            let place = format!("queue:{job}");
            self.list_placements(partition, &place, &mut needed).await?;
        }
        let mut end = vec![Value::from(""), Value::from("end"), Value::from(token)];
        end.extend(needed.into_iter().map(Value::from));
        let (status, mut reply) = self.sweep_call(partition, end).await?;
        match status.as_str() {
            "SWEPT" => Ok(Some(reply.number()?)),
            "STALE" => Ok(None),
            other => Err(Error::contract(SWEEP_PLACEMENTS.name(), other)),
        }
    }

    async fn sweep_call(
        &self,
        partition: PartitionId,
        args: Vec<Value>,
    ) -> Result<(String, Reply), Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&SWEEP_PLACEMENTS, keys, args).await?;
        Reply::open(SWEEP_PLACEMENTS.name(), value)
    }

    /// Adds the placements of one place; the jobs of which something waits in their overlap queues.
    async fn list_placements(
        &self,
        partition: PartitionId,
        place: &str,
        needed: &mut BTreeSet<String>,
    ) -> Result<Vec<String>, Error> {
        let (mut cursor, mut jobs) = ("0".to_owned(), Vec::new());
        loop {
            let began = Instant::now();
            let page = self
                .placements_page(partition, (place, cursor), needed)
                .await?;
            jobs.extend(page.jobs);
            match page.next {
                Some(next) => cursor = next,
                None => return Ok(jobs),
            }
            sleep(began.elapsed() * 4).await;
        }
    }

    async fn placements_page(
        &self,
        partition: PartitionId,
        (place, cursor): (&str, String),
        needed: &mut BTreeSet<String>,
    ) -> Result<Page, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let args = vec![Value::from(place), Value::from(cursor)];
        let value = self.redis.call(&LIST_PLACEMENTS, keys, args).await?;
        let mut reply = Reply::expect(LIST_PLACEMENTS.name(), value, "WALKED")?;
        let next = Some(reply.text()?).filter(|cursor| cursor != "0");
        let mut placements = reply.list()?;
        while !placements.is_empty() {
            needed.insert(placements.text()?);
        }
        let (mut found, mut jobs) = (reply.list()?, Vec::new());
        while !found.is_empty() {
            jobs.push(found.text()?);
        }
        Ok(Page { next, jobs })
    }
}

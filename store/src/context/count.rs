//! About how many contexts there are, place by place. Script: `lua/context/count.lua`.

use fred::types::Value;
use futures::future::join_all;
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::COUNT_CONTEXTS;
use crate::store::Store;

/// Partitions that are asked at once.
const WAVE: usize = 64;

/// What the places of some partitions hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// What runs; of a job what is active.
    pub(crate) held: u64,
    /// Of the partition that has most.
    pub(crate) held_most: u64,
    /// What is split.
    pub(crate) fans: u64,
    /// Of the partition that has most.
    pub(crate) fans_most: u64,
    /// What waits for another attempt.
    pub(crate) retry: u64,
    /// Of the partition that has most.
    pub(crate) retry_most: u64,
    /// What waits for a permit.
    pub(crate) ready: u64,
    /// What waits behind an earlier run; `None` where nobody counts it.
    pub(crate) queue: Option<u64>,
    /// Entries of the wheels.
    pub(crate) wheel: u64,
    /// Records of ends.
    pub(crate) ends: u64,
    /// The dead.
    pub(crate) dead: u64,
    /// Keys that could not be counted.
    pub(crate) unreadable: u64,
}

impl Counts {
    fn add(&mut self, one: &Self) {
        self.held += one.held;
        self.held_most = self.held_most.max(one.held);
        self.fans += one.fans;
        self.fans_most = self.fans_most.max(one.fans);
        self.retry += one.retry;
        self.retry_most = self.retry_most.max(one.retry);
        self.ready += one.ready;
        self.wheel += one.wheel;
        self.ends += one.ends;
        self.dead += one.dead;
        self.unreadable += one.unreadable;
        if let Some(queue) = one.queue {
            *self.queue.get_or_insert_default() += queue;
        }
    }
}

/// What these partitions hold, of one job or of all.
pub(crate) async fn counts(
    store: &Store,
    job: Option<&JobName>,
    partitions: &[PartitionId],
) -> Result<Counts, Error> {
    let mut sum = Counts::default();
    for wave in partitions.chunks(WAVE) {
        let calls = wave.iter().map(|partition| count(store, job, *partition));
        for counted in join_all(calls).await {
            match counted {
                Ok(counted) => sum.add(&counted),
                Err(Error::Contract { .. } | Error::Damaged { .. }) => sum.unreadable += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(sum)
}

async fn count(
    store: &Store,
    job: Option<&JobName>,
    partition: PartitionId,
) -> Result<Counts, Error> {
    let args = vec![Value::from(job.map_or("", JobName::as_str))];
    let wheel = vec![store.keys.wheel(partition)];
    let value = store.redis.call(&COUNT_CONTEXTS, wheel, args).await?;
    let reply = Reply::expect(COUNT_CONTEXTS.name(), value, "COUNTED")?;
    Fields::read(reply, |fields| {
        let queue = fields.count("queue")?;
        Ok(Counts {
            held: fields.count("held")?,
            fans: fields.count("fans")?,
            retry: fields.count("retry")?,
            ready: fields.count("ready")?,
            queue: job.map(|_| queue),
            wheel: fields.count("wheel")?,
            ends: fields.count("ends")?,
            dead: fields.count("dead")?,
            unreadable: fields.count("unreadable")?,
            ..Counts::default()
        })
    })
}

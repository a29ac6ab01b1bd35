//! How much a partition holds. Script: `lua/wheel/gauge.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::GAUGE;
use crate::store::Store;

/// What a partition, or several, hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Entries of the wheel.
    pub entries: u64,
    /// Those whose time has come, and that no turn took yet.
    pub overdue: u64,
    /// How long ago the time of the first of them came.
    pub oldest: Duration,
    /// Contexts that wait for permits, of about 64 queues of each partition.
    pub waiting: u64,
    /// Contexts that workers hold.
    pub running: u64,
    /// Contexts that ended without success and are kept.
    pub dead: u64,
}

impl Gauges {
    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            overdue: self.overdue + other.overdue,
            oldest: self.oldest.max(other.oldest),
            waiting: self.waiting + other.waiting,
            running: self.running + other.running,
            dead: self.dead + other.dead,
        }
    }
}

impl Store {
    /// How much `partition` holds now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn gauges(&self, partition: PartitionId) -> Result<Gauges, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&GAUGE, keys, vec![Value::from("")]).await?;
        let reply = Reply::expect(GAUGE.name(), value, "GAUGED")?;
        Fields::read(reply, |fields| {
            fields.number("now_ms")?;
            Ok(Gauges {
                entries: fields.number("entries")?,
                overdue: fields.number("overdue")?,
                oldest: Duration::from_millis(fields.number("oldest_ms")?),
                waiting: fields.number("waiting")?,
                running: fields.number("running")?,
                dead: fields.number("dead")?,
            })
        })
    }
}

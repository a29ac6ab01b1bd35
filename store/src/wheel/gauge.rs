//! How much a partition holds. Script: `lua/wheel/gauge.lua`.

use std::collections::BTreeMap;
use std::time::Duration;

use fred::types::Value;
use tickwheel_core::id::GroupName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::fields::Fields;
use crate::record::EndState;
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

/// What ended in one partition lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lately {
    /// In the order of [`EndState::ALL`].
    pub ended: [u64; EndState::ALL.len()],
    /// How far back these are all there are; at most a minute.
    pub within: Duration,
}

/// All that is counted of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Redis' time.
    pub now: TimestampMs,
    /// What it holds.
    pub gauges: Gauges,
    /// What of it waits for permits, by group.
    pub waiting: BTreeMap<GroupName, u64>,
    /// What ended in it.
    pub lately: Lately,
}

impl Store {
    /// How much `partition` holds now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn gauges(&self, partition: PartitionId) -> Result<Gauges, Error> {
        Ok(self.measure(partition).await?.gauges)
    }

    /// The same, with what waits by group, and what ended lately.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn measure(&self, partition: PartitionId) -> Result<Measured, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&GAUGE, keys, vec![Value::from("")]).await?;
        let reply = Reply::expect(GAUGE.name(), value, "GAUGED")?;
        Fields::read(reply, |fields| {
            let now = fields.number("now_ms")?;
            let mut list = fields.list_or_empty("groups")?;
            let mut waiting = BTreeMap::new();
            while !list.is_empty() {
                let (group, count) = (list.text()?, list.number()?);
                // What is no group is in the sum only.
                if let Ok(group) = GroupName::new(&group) {
                    waiting.insert(group, count);
                }
            }
            let mut ended = [0; EndState::ALL.len()];
            for (count, state) in ended.iter_mut().zip(EndState::ALL) {
                *count = fields.count(state.as_str())?;
            }
            let since = fields.number("since_ms")?;
            Ok(Measured {
                now: TimestampMs::new(now),
                gauges: Gauges {
                    entries: fields.number("entries")?,
                    overdue: fields.number("overdue")?,
                    oldest: Duration::from_millis(fields.number("oldest_ms")?),
                    waiting: fields.number("waiting")?,
                    running: fields.number("running")?,
                    dead: fields.number("dead")?,
                },
                waiting,
                lately: Lately {
                    ended,
                    within: Duration::from_millis(now.saturating_sub(since)),
                },
            })
        })
    }
}

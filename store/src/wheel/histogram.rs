//! What the wheel of a partition has to come, counted in buckets of time. Script: `lua/wheel/histogram.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::HISTOGRAM;
use crate::store::Store;

/// Buckets of a ring.
pub const RING_BUCKETS: usize = 60;

/// How wide buckets are: sixty of them go once around, and what anybody may ask for is one of a few, so that one look is good for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ring {
    /// A minute in seconds.
    Second,
    /// Ten minutes.
    TenSeconds,
    /// An hour in minutes.
    Minute,
    /// Ten hours.
    TenMinutes,
    /// Two and a half days in hours.
    Hour,
    /// Two months in days of UTC.
    Day,
}

impl Ring {
    /// All of them, the finest first.
    pub const ALL: [Self; 6] = [
        Self::Second,
        Self::TenSeconds,
        Self::Minute,
        Self::TenMinutes,
        Self::Hour,
        Self::Day,
    ];

    /// The width of a bucket.
    #[must_use]
    pub const fn width_ms(self) -> u64 {
        match self {
            Self::Second => 1_000,
            Self::TenSeconds => 10_000,
            Self::Minute => 60_000,
            Self::TenMinutes => 600_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// When the bucket begins that has this instant.
    #[must_use]
    pub fn begins(self, now: TimestampMs) -> u64 {
        now.as_u64() - now.as_u64() % self.width_ms()
    }
}

/// What is to come, by what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Contexts that never ran.
    pub runs: u64,
    /// Contexts that wait for another attempt.
    pub retries: u64,
    /// Next firings of jobs.
    pub jobs: u64,
    /// Start deadlines of contexts.
    pub deadlines: u64,
    /// What the scheduler does for itself.
    pub upkeep: u64,
}

/// What comes in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Entries.
    pub entries: u64,
    /// What they are; `None` where they are too many to be read.
    pub kinds: Option<Kinds>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            entries: 0,
            kinds: Some(Kinds::default()),
        }
    }
}

/// What the wheel of a partition, or of several, has to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Entries of the wheel.
    pub entries: u64,
    /// Those whose time has come, and that no turn took yet. They are in no bucket.
    pub overdue: u64,
    /// How long ago the time of the first of them came.
    pub oldest: Duration,
    /// From the one that has the present instant on.
    pub buckets: [Bucket; RING_BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            entries: 0,
            overdue: 0,
            oldest: Duration::ZERO,
            buckets: [Bucket::default(); RING_BUCKETS],
        }
    }
}

impl Kinds {
    fn and(self, other: Self) -> Self {
        Self {
            runs: self.runs + other.runs,
            retries: self.retries + other.retries,
            jobs: self.jobs + other.jobs,
            deadlines: self.deadlines + other.deadlines,
            upkeep: self.upkeep + other.upkeep,
        }
    }
}

impl Histogram {
    /// Adds what another partition has.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.overdue += other.overdue;
        self.oldest = self.oldest.max(other.oldest);
        for (sum, one) in self.buckets.iter_mut().zip(&other.buckets) {
            sum.entries += one.entries;
            sum.kinds = match (sum.kinds, one.kinds) {
                (Some(sum), Some(one)) => Some(sum.and(one)),
                (None, _) | (_, None) => None,
            };
        }
    }

    /// Entries that come behind the last bucket.
    #[must_use]
    pub fn later(&self) -> u64 {
        let counted: u64 = self.buckets.iter().map(|bucket| bucket.entries).sum();
        self.entries.saturating_sub(self.overdue + counted)
    }
}

/// One number for each bucket; 0 behind the last that is told.
fn numbers(fields: &mut Fields, name: &'static str) -> Result<[u64; RING_BUCKETS], Error> {
    let mut list = fields.list_or_empty(name)?;
    let mut numbers = [0; RING_BUCKETS];
    for number in &mut numbers {
        if list.is_empty() {
            break;
        }
        *number = list.number()?;
    }
    Ok(numbers)
}

fn read(fields: &mut Fields) -> Result<Histogram, Error> {
    let mut found = Histogram {
        entries: fields.number("entries")?,
        overdue: fields.count("overdue")?,
        oldest: Duration::from_millis(fields.count("oldest_ms")?),
        ..Histogram::default()
    };
    // All partitions are asked as of one instant, which the caller knows.
    fields.number("now_ms")?;
    let counts = numbers(fields, "counts")?;
    let (runs, retries) = (numbers(fields, "runs")?, numbers(fields, "retries")?);
    let (jobs, deadlines) = (numbers(fields, "jobs")?, numbers(fields, "deadlines")?);
    let kinds = runs.into_iter().zip(retries).zip(jobs).zip(deadlines);
    let kinds = kinds.zip(numbers(fields, "upkeep")?);
    for ((bucket, entries), kinds) in found.buckets.iter_mut().zip(counts).zip(kinds) {
        let ((((runs, retries), jobs), deadlines), upkeep) = kinds;
        bucket.entries = entries;
        bucket.kinds = Some(Kinds {
            runs,
            retries,
            jobs,
            deadlines,
            upkeep,
        });
    }
    let mut untold = fields.list_or_empty("untold")?;
    while !untold.is_empty() {
        let place = usize::try_from(untold.number()?).unwrap_or(usize::MAX);
        if let Some(bucket) = found.buckets.get_mut(place) {
            bucket.kinds = None;
        }
    }
    Ok(found)
}

impl Store {
    /// What the wheel of `partition` has to come after `now`, which is Redis' time, in the buckets of a ring. Of up to `look` entries it is told what they
    /// are; at most 400.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn histogram(
        &self,
        partition: PartitionId,
        now: TimestampMs,
        ring: Ring,
        look: u32,
    ) -> Result<Histogram, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let args = [
            now.as_u64(),
            ring.width_ms(),
            RING_BUCKETS as u64,
            u64::from(look.min(400)),
        ];
        let args = args.map(|number| Value::from(number.to_string())).to_vec();
        let value = self.redis.call(&HISTOGRAM, keys, args).await?;
        let reply = Reply::expect(HISTOGRAM.name(), value, "HISTOGRAM")?;
        Fields::read(reply, read)
    }
}

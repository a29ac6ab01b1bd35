//! What ended lately, for those who watch it. Script: `lua/context/tail.lua`.

use fred::types::Value;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::record::Settled;
use crate::reply::Reply;
use crate::script::TAIL_ENDS;
use crate::store::Store;

/// Where a partition's events were read up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailMark(String);

impl TailMark {
    /// Before everything that ended at this time, or later.
    #[must_use]
    pub fn at(time: TimestampMs) -> Self {
        Self(format!("{}-0", time.as_u64()))
    }
}

/// What ended since an earlier call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Redis' time: what ended before is told here or was told before, unless it was skipped.
    pub now: TimestampMs,
    /// Where the next call begins.
    pub last: TailMark,
    /// More had ended than one call tells, and only the newest of it is told.
    pub skipped: bool,
    /// The oldest end first.
    pub ended: Vec<Settled>,
    /// Records that cannot be read.
    pub unreadable: u64,
}

impl Store {
    /// What ended in `partition` since an earlier call, about 64 KiB of it at most.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn tail(&self, partition: PartitionId, since: &TailMark) -> Result<Tail, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let args = vec![Value::from(since.0.as_str()), Value::from("")];
        let value = self.redis.call(&TAIL_ENDS, keys, args).await?;
        let mut reply = Reply::expect(TAIL_ENDS.name(), value, "TAIL")?;
        let (now, last, skipped) = (reply.number()?, reply.text()?, reply.number()?);
        let (mut ended, mut unreadable) = (Vec::new(), 0);
        while !reply.is_empty() {
            let lines = reply.bytes()?;
            let lines = lines.split(|byte| *byte == b'\n');
            for line in lines.filter(|line| !line.is_empty()) {
                match Settled::parse(line) {
                    Ok(settled) => ended.push(settled),
                    Err(_) => unreadable += 1,
                }
            }
        }
        Ok(Tail {
            now: TimestampMs::new(now),
            last: TailMark(last),
            skipped: skipped == 1,
            ended,
            unreadable,
        })
    }
}
